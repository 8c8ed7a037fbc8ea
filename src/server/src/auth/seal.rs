//! The sealed envelope of links and tokens:
//! `base64url(version ‖ JSON) "." base64url(HMAC-SHA256)`.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// First byte of every payload.
const VERSION: u8 = 1;
/// Longest text worth looking at, bytes.
pub(super) const MAX_TEXT: usize = 4_096;

/// Why a link or token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not made by this server, or changed.
    #[error("not a valid link or token")]
    Invalid,
    /// Its time is over.
    #[error("too old")]
    Expired,
}

/// The server's keys, one per use, so that a link never passes for a token.
#[derive(Clone)]
pub struct Keys {
    pub(super) link: hmac::Key,
    pub(super) token: hmac::Key,
    pub(super) person: hmac::Key,
    pub(super) check_in: hmac::Key,
    pub(super) preflight: hmac::Key,
    pub(super) recording_link: hmac::Key,
    pub(super) recording_bytes: hmac::Key,
    pub(super) recording_room: hmac::Key,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}

impl Keys {
    /// Derives the keys from the secret in the database.
    pub fn new(secret: &[u8; 32]) -> Self {
        let root = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let derive = |use_of: &str| {
            hmac::Key::new(
                hmac::HMAC_SHA256,
                hmac::sign(&root, use_of.as_bytes()).as_ref(),
            )
        };
        Self {
            link: derive("lophoc join link"),
            token: derive("lophoc session token"),
            person: derive("lophoc person"),
            check_in: derive("lophoc check-in"),
            preflight: derive("lophoc preflight link"),
            recording_link: derive("lophoc recording link"),
            recording_bytes: derive("lophoc recording bytes"),
            recording_room: derive("lophoc recording in the room"),
        }
    }
}

/// Seals `claims`.
pub(super) fn seal(key: &hmac::Key, claims: &impl Serialize) -> Result<String, TokenError> {
    let mut payload = vec![VERSION];
    serde_json::to_writer(&mut payload, claims).map_err(|_| TokenError::Invalid)?;
    let tag = hmac::sign(key, &payload);
    Ok(format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(&payload),
        URL_SAFE_NO_PAD.encode(tag)
    ))
}

/// Opens what [`seal`] made. The comparison takes the same time for every tag.
pub(super) fn open<T: DeserializeOwned>(key: &hmac::Key, text: &str) -> Result<T, TokenError> {
    if text.len() > MAX_TEXT {
        return Err(TokenError::Invalid);
    }
    let (payload, tag) = text.split_once('.').ok_or(TokenError::Invalid)?;
    // The decoder refuses stray trailing bits, so each envelope has one spelling.
    let payload = URL_SAFE_NO_PAD
        .decode(payload)
        .map_err(|_| TokenError::Invalid)?;
    let tag = URL_SAFE_NO_PAD
        .decode(tag)
        .map_err(|_| TokenError::Invalid)?;
    hmac::verify(key, &payload, &tag).map_err(|_| TokenError::Invalid)?;
    match payload.split_first() {
        Some((&VERSION, json)) => serde_json::from_slice(json).map_err(|_| TokenError::Invalid),
        _ => Err(TokenError::Invalid),
    }
}

#[cfg(test)]
mod tests {
    use lophoc_ledger::SessionKey;
    use lophoc_protocol::{PersonId, Role, RoomId};
    use proptest::prelude::*;

    use super::super::{LinkClaims, NamedPerson, TokenClaims, person_of_device};
    use super::*;

    fn keys() -> Keys {
        Keys::new(&[42; 32])
    }

    fn link(named: bool) -> LinkClaims {
        LinkClaims {
            room: RoomId::from("r1"),
            role: Role::Learner,
            exp: 1_000,
            lid: "i1".into(),
            site: named.then(|| "Điểm cầu 2".into()),
            named: named.then(|| NamedPerson {
                person: PersonId::from("p1"),
                name: "Nguyễn Thị Hoa".into(),
                unit: Some("THPT A".into()),
            }),
        }
    }

    fn token() -> TokenClaims {
        TokenClaims {
            room: RoomId::from("r1"),
            session: SessionKey::from("b1"),
            person: PersonId::from("p1"),
            name: "Hoa".into(),
            unit: None,
            role: Role::Learner,
            site: Some("Điểm cầu 2".into()),
            waits: true,
            rules: Some(3),
            recording: None,
            device: "d".into(),
            exp: 1_000,
        }
    }

    #[test]
    fn what_was_sealed_opens_until_its_end() {
        for named in [false, true] {
            let text = link(named).seal(&keys()).unwrap();
            assert_eq!(LinkClaims::open(&keys(), &text, 999), Ok(link(named)));
            assert_eq!(
                LinkClaims::open(&keys(), &text, 1_000),
                Err(TokenError::Expired)
            );
        }
        let text = token().seal(&keys()).unwrap();
        assert_eq!(TokenClaims::open(&keys(), &text, 999), Ok(token()));
        assert_eq!(
            TokenClaims::open(&keys(), &text, 1_000),
            Err(TokenError::Expired)
        );
        assert!(!text.contains(['/', '+', '=']));
    }

    #[test]
    fn a_link_is_no_token_and_another_server_knows_neither() {
        let text = link(true).seal(&keys()).unwrap();
        assert_eq!(
            TokenClaims::open(&keys(), &text, 0),
            Err(TokenError::Invalid)
        );
        assert_eq!(
            LinkClaims::open(&Keys::new(&[43; 32]), &text, 0),
            Err(TokenError::Invalid)
        );
    }

    #[test]
    fn another_version_of_the_payload_is_refused_even_when_signed() {
        let json = serde_json::to_vec(&link(false)).unwrap();
        let payload = [&[2u8][..], &json].concat();
        let tag = hmac::sign(&keys().link, &payload);
        let text = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(&payload),
            URL_SAFE_NO_PAD.encode(tag)
        );
        assert_eq!(
            LinkClaims::open(&keys(), &text, 0),
            Err(TokenError::Invalid)
        );
    }

    #[test]
    fn people_of_different_links_and_devices_differ() {
        let person = |lid, device| person_of_device(&keys(), lid, device).0;
        assert_eq!(person("a", "bc"), person("a", "bc"));
        assert_ne!(person("a", "bc"), person("ab", "c"));
        let (id, mark) = person_of_device(&keys(), "a", "secret device");
        assert!(!id.0.contains("secret") && !mark.contains("secret"));
    }

    proptest! {
        #[test]
        fn any_changed_byte_is_refused(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let text = link(true).seal(&keys()).unwrap();
            let mut bytes = text.clone().into_bytes();
            let at = at.index(bytes.len());
            prop_assume!(bytes[at] != byte);
            bytes[at] = byte;
            let changed = String::from_utf8_lossy(&bytes).into_owned();
            prop_assert_eq!(LinkClaims::open(&keys(), &changed, 0), Err(TokenError::Invalid));
        }

        #[test]
        fn any_text_is_refused_without_a_panic(text in ".{0,300}") {
            prop_assert_eq!(TokenClaims::open(&keys(), &text, 0), Err(TokenError::Invalid));
        }

        #[test]
        fn a_cut_or_lengthened_link_is_refused(cut in 1usize..60, tail in "[A-Za-z0-9_.-]{1,9}") {
            let text = link(false).seal(&keys()).unwrap();
            let short = &text[..text.len() - cut];
            prop_assert_eq!(LinkClaims::open(&keys(), short, 0), Err(TokenError::Invalid));
            let long = format!("{text}{tail}");
            prop_assert_eq!(LinkClaims::open(&keys(), &long, 0), Err(TokenError::Invalid));
        }
    }
}
