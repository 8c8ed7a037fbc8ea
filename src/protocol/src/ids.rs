//! Ids as they travel on the wire: short opaque strings with one-letter prefixes.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::media::MediaKind;

macro_rules! string_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

string_id!(
    /// A person in a room (`p…`). The same person keeps it across reconnects,
    /// reloads and server restarts.
    PersonId
);
string_id!(
    /// A signalling session (`s…`): one logical connection that may be resumed.
    SessionId
);
string_id!(
    /// A room (`r…`), the place of one class session or meeting.
    RoomId
);
string_id!(
    /// A chat message (`c…`), unique in its room.
    ChatId
);
string_id!(
    /// A poll (`v…`), unique in its room.
    PollId
);
string_id!(
    /// A question (`q…`), unique in its room.
    QuestionId
);
string_id!(
    /// A deck of slides (`d…`), unique on the server.
    DeckId
);
string_id!(
    /// A board: `w1` for the first blank one, `d1-3` for the layer over page 3 of
    /// the deck `d1`.
    BoardId
);
string_id!(
    /// The notes of a breakout group: `g2-1` for those of group 1 when groups were
    /// opened for the second time.
    NotesId
);
string_id!(
    /// A file handed out or in (`f…`), unique on the server.
    FileId
);
string_id!(
    /// A recording made by the server, a ULID, unique everywhere.
    RecordingId
);
string_id!(
    /// An m-line of the client's peer connection (`a=mid`), the name of a slot.
    SlotId
);

/// A published track: `k<peer><kind letter>`, for example `k12c` for the camera
/// of media peer 12. Stable while the person stays in the room, also across
/// reconnects, so a `view` survives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, TS)]
#[ts(type = "string")]
pub struct TrackId {
    /// Number of the media peer that publishes, unique in the server process.
    pub peer: u64,
    /// What is published.
    pub kind: MediaKind,
}

impl TrackId {
    fn letter(kind: MediaKind) -> char {
        match kind {
            MediaKind::Mic => 'm',
            MediaKind::Camera => 'c',
            MediaKind::Screen => 's',
            MediaKind::ScreenAudio => 'a',
        }
    }
}

impl std::fmt::Display for TrackId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "k{}{}", self.peer, Self::letter(self.kind))
    }
}

/// The text is not a track id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a track id")]
pub struct BadTrackId;

impl std::str::FromStr for TrackId {
    type Err = BadTrackId;

    fn from_str(text: &str) -> Result<Self, BadTrackId> {
        let rest = text.strip_prefix('k').ok_or(BadTrackId)?;
        let letter = rest.chars().next_back().ok_or(BadTrackId)?;
        let kind = match letter {
            'm' => MediaKind::Mic,
            'c' => MediaKind::Camera,
            's' => MediaKind::Screen,
            'a' => MediaKind::ScreenAudio,
            _ => return Err(BadTrackId),
        };
        let digits = rest.strip_suffix(letter).ok_or(BadTrackId)?;
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(BadTrackId);
        }
        let peer = digits.parse().map_err(|_| BadTrackId)?;
        Ok(Self { peer, kind })
    }
}

impl Serialize for TrackId {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TrackId {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
