//! Join links: `/j/<sealed claims>`.

use lophoc_protocol::{PersonId, Role, RoomId};
use serde::{Deserialize, Serialize};

use super::seal::{Keys, TokenError, open, seal};

/// What a join link grants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkClaims {
    /// Into this room.
    pub room: RoomId,
    /// In this role.
    pub role: Role,
    /// Until then, ms since the epoch.
    pub exp: u64,
    /// Id of the link. Two open links make two people of one browser.
    pub lid: String,
    /// Name of the site (điểm cầu) the link is for. For people of the records
    /// the roster counts instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// A personal link: this person, under this name. Absent: an open link,
    /// whoever holds it gives a name.
    #[serde(default, flatten, skip_serializing_if = "Option::is_none")]
    pub named: Option<NamedPerson>,
}

/// The person of a personal link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedPerson {
    /// Id.
    pub person: PersonId,
    /// Name, which cannot be changed when joining.
    pub name: String,
    /// Unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

impl LinkClaims {
    /// The part of the address after `/j/`.
    pub fn seal(&self, keys: &Keys) -> Result<String, TokenError> {
        seal(&keys.link, self)
    }

    /// Opens a link. `now_ms` is ms since the epoch.
    pub fn open(keys: &Keys, text: &str, now_ms: u64) -> Result<Self, TokenError> {
        let claims: Self = open(&keys.link, text)?;
        if claims.exp <= now_ms {
            Err(TokenError::Expired)
        } else {
            Ok(claims)
        }
    }
}
