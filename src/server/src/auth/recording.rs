//! Links to recordings (`/r/<sealed claims>`) and the signed addresses of their
//! bytes. Each with a key of its own.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lophoc_ledger::PersonKey;
use serde::{Deserialize, Serialize};

use super::seal::{Keys, TokenError, open, seal};

/// Longest text of a viewer in an address, bytes.
const MAX_VIEWER: usize = 400;

/// What a link to a recording grants: to watch it as long as its audience says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordingClaims {
    /// Recording.
    pub recording: String,
    /// End of the link, ms since the epoch; absent: a public recording.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<u64>,
    /// How often the audience was set when it was made: another setting is another
    /// link.
    #[serde(default)]
    pub turn: u32,
}

impl RecordingClaims {
    /// The part of the address after `/r/`.
    ///
    /// # Errors
    /// When it cannot be written; not met.
    pub fn seal(&self, keys: &Keys) -> Result<String, TokenError> {
        seal(&keys.recording_link, self)
    }

    /// Opens a link. `now_ms` is ms since the epoch.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn open(keys: &Keys, text: &str, now_ms: u64) -> Result<Self, TokenError> {
        let claims: Self = open(&keys.recording_link, text)?;
        match claims.until_ms {
            Some(until) if until <= now_ms => Err(TokenError::Expired),
            _ => Ok(claims),
        }
    }
}

/// That a browser is that of somebody in the room whose recording it watches: it goes
/// with the cookie of [`ROOM_WATCH`], so that an address alone opens nothing elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomWatchClaims {
    /// Recording.
    pub recording: String,
    /// Who.
    pub person: PersonKey,
    /// Good until then, ms since the epoch.
    pub until_ms: u64,
}

/// Name of the cookie.
pub const ROOM_WATCH: &str = "lophoc-watch";

impl RoomWatchClaims {
    /// Its value.
    ///
    /// # Errors
    /// When it cannot be written; not met.
    pub fn seal(&self, keys: &Keys) -> Result<String, TokenError> {
        seal(&keys.recording_room, self)
    }

    /// Whether `text` says so of this person and recording.
    pub fn holds(
        keys: &Keys,
        text: &str,
        recording: &str,
        person: &PersonKey,
        now_ms: u64,
    ) -> bool {
        open(&keys.recording_room, text).is_ok_and(|claims: Self| {
            claims.recording == recording && claims.person == *person && now_ms < claims.until_ms
        })
    }
}

/// For whom an address was made.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Viewer {
    /// This person, signed in with a browser: the address is good with his cookie
    /// alone.
    Person(PersonKey),
    /// A program with a token of this person: good while the token is.
    Program {
        /// Whose.
        person: PersonKey,
        /// Id of the token.
        token: String,
    },
    /// This person, in the room of a recording that goes on: good with the cookie of
    /// [`ROOM_WATCH`], while he is there.
    Room(PersonKey),
    /// Whoever has the link that ends then, ms.
    Link(u64),
    /// Everybody.
    Public,
}

impl Viewer {
    /// Who it is, where that is known.
    pub fn person(&self) -> Option<&PersonKey> {
        match self {
            Self::Person(person) | Self::Program { person, .. } | Self::Room(person) => {
                Some(person)
            }
            Self::Link(_) | Self::Public => None,
        }
    }

    /// As it stands in an address.
    pub fn text(&self) -> String {
        match self {
            Self::Person(person) => format!("u.{}", URL_SAFE_NO_PAD.encode(person.as_str())),
            Self::Program { person, token } => format!(
                "t.{}.{}",
                URL_SAFE_NO_PAD.encode(person.as_str()),
                URL_SAFE_NO_PAD.encode(token)
            ),
            Self::Room(person) => format!("i.{}", URL_SAFE_NO_PAD.encode(person.as_str())),
            Self::Link(until) => format!("l.{until}"),
            Self::Public => "p".to_owned(),
        }
    }

    /// Back; `None` when it is none.
    pub fn read(text: &str) -> Option<Self> {
        if text.len() > MAX_VIEWER {
            return None;
        }
        if text == "p" {
            return Some(Self::Public);
        }
        let (kind, rest) = text.split_once('.')?;
        let word = |part: &str| String::from_utf8(URL_SAFE_NO_PAD.decode(part).ok()?).ok();
        match kind {
            "u" => word(rest).map(PersonKey).map(Self::Person),
            "i" => word(rest).map(PersonKey).map(Self::Room),
            "t" => {
                let (person, token) = rest.split_once('.')?;
                Some(Self::Program {
                    person: PersonKey(word(person)?),
                    token: word(token)?,
                })
            }
            "l" => rest.parse().ok().map(Self::Link),
            _ => None,
        }
    }
}

/// Bytes somebody may have for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MediaAddress<'a> {
    /// Recording.
    pub recording: &'a str,
    /// Name of the file.
    pub file: &'a str,
    /// Viewer as text.
    pub viewer: &'a str,
    /// Good until then, ms since the epoch.
    pub expires_ms: u64,
    /// How often addresses of the recording were withdrawn when it was made.
    pub withdrawn: u32,
}

impl MediaAddress<'_> {
    /// What is signed. No part can hold the sign between them, and its length says
    /// where each ends.
    fn words(&self) -> String {
        let Self {
            recording,
            file,
            viewer,
            expires_ms,
            withdrawn,
        } = self;
        format!(
            "{}:{recording}|{}:{file}|{}:{viewer}|{expires_ms}|{withdrawn}",
            recording.len(),
            file.len(),
            viewer.len()
        )
    }

    /// The signature.
    pub fn sign(&self, keys: &Keys) -> String {
        let tag = hmac::sign(&keys.recording_bytes, self.words().as_bytes());
        URL_SAFE_NO_PAD.encode(tag)
    }

    /// Whether this is its signature, and its time is not over. Takes the same time
    /// for every signature.
    pub fn is_signed(&self, keys: &Keys, signature: &str, now_ms: u64) -> bool {
        let Ok(tag) = URL_SAFE_NO_PAD.decode(signature) else {
            return false;
        };
        hmac::verify(&keys.recording_bytes, self.words().as_bytes(), &tag).is_ok()
            && now_ms < self.expires_ms
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys() -> Keys {
        Keys::new(&[7; 32])
    }

    fn address() -> MediaAddress<'static> {
        MediaAddress {
            recording: "01JD0000000000000000000000",
            file: "0001.webm",
            viewer: "u.cDE",
            expires_ms: 1_000,
            withdrawn: 2,
        }
    }

    #[test]
    fn an_address_is_good_for_what_was_signed_and_nothing_else() {
        let signature = address().sign(&keys());
        assert!(address().is_signed(&keys(), &signature, 999));
        assert!(!address().is_signed(&keys(), &signature, 1_000));
        assert!(!address().is_signed(&Keys::new(&[8; 32]), &signature, 999));
        for other in [
            MediaAddress {
                recording: "01JD0000000000000000000001",
                ..address()
            },
            MediaAddress {
                file: "0002.webm",
                ..address()
            },
            MediaAddress {
                viewer: "u.cDI",
                ..address()
            },
            MediaAddress {
                expires_ms: 9_000,
                ..address()
            },
            MediaAddress {
                withdrawn: 3,
                ..address()
            },
        ] {
            assert!(!other.is_signed(&keys(), &signature, 999), "{other:?}");
        }
    }

    #[test]
    fn a_cookie_of_the_room_is_good_for_its_person_recording_and_time() {
        let person = PersonKey::from("p");
        let claims = RoomWatchClaims {
            recording: "r".to_owned(),
            person: person.clone(),
            until_ms: 1_000,
        };
        let text = claims.seal(&keys()).unwrap();
        let holds = |recording, person: &str, now_ms| {
            RoomWatchClaims::holds(&keys(), &text, recording, &PersonKey::from(person), now_ms)
        };
        assert!(holds("r", "p", 999));
        assert!(!holds("r", "p", 1_000) && !holds("s", "p", 999) && !holds("r", "q", 999));
        assert!(!RoomWatchClaims::holds(
            &Keys::new(&[8; 32]),
            &text,
            "r",
            &person,
            999
        ));
        // Nor is it a link to the recording.
        assert!(RecordingClaims::open(&keys(), &text, 999).is_err());
    }

    #[test]
    fn a_link_is_good_for_its_time_and_a_public_one_for_ever() {
        let claims = |until_ms| RecordingClaims {
            recording: "r".to_owned(),
            until_ms,
            turn: 1,
        };
        let text = claims(Some(1_000)).seal(&keys()).unwrap();
        assert_eq!(
            RecordingClaims::open(&keys(), &text, 999),
            Ok(claims(Some(1_000)))
        );
        assert_eq!(
            RecordingClaims::open(&keys(), &text, 1_000),
            Err(TokenError::Expired)
        );
        let text = claims(None).seal(&keys()).unwrap();
        assert!(RecordingClaims::open(&keys(), &text, u64::MAX).is_ok());
    }

    proptest! {
        #[test]
        fn viewers_come_back(name in ".{0,40}", token in ".{0,30}", until in any::<u64>()) {
            let person = PersonKey(name);
            for viewer in [Viewer::Person(person.clone()), Viewer::Room(person.clone()), Viewer::Program { person, token }, Viewer::Link(until), Viewer::Public] {
                let text = viewer.text();
                prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)));
                prop_assert_eq!(Viewer::read(&text), Some(viewer));
            }
        }

        #[test]
        fn any_text_is_a_viewer_or_none_without_a_panic(text in ".{0,300}") {
            let _ = Viewer::read(&text);
        }
    }
}
