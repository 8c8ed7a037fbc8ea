//! Session tokens: what a browser got for its link and shows at the websocket.

use lophoc_ledger::SessionKey;
use lophoc_protocol::{PersonId, Role, RoomId};
use serde::{Deserialize, Serialize};

use super::seal::{Keys, TokenError, open, seal};

/// Life of a session token, ms. A running link gets a new one in time.
pub const TOKEN_LIFE_MS: u64 = 10 * 60 * 1000;

/// Who the holder of a token is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenClaims {
    /// Room.
    pub room: RoomId,
    /// Class session.
    pub session: SessionKey,
    /// Person.
    pub person: PersonId,
    /// Name.
    pub name: String,
    /// Unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Role.
    pub role: Role,
    /// Name of the site (điểm cầu) when the connection stands for a hall.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// A guest who waits until staff let him in, whatever the room's rule for
    /// others.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waits: bool,
    /// Version of the house rules that were accepted to get this token and are to
    /// be noted when its holder comes in: an open link makes people of anybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<u32>,
    /// Notice of a recording that was accepted likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording: Option<NoticeClaims>,
    /// Mark of the device, for the ledger; not its key.
    pub device: String,
    /// Until then, ms since the epoch.
    pub exp: u64,
}

/// A notice of a recording somebody accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeClaims {
    /// Who records.
    pub who: String,
    /// What for.
    pub why: String,
    /// How long it is kept.
    pub keep: String,
    /// Of a recording that asks: what he answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<AnswerClaims>,
}

/// What somebody answered to the words of a recording that asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerClaims {
    /// The recording takes only those who present.
    pub presenters: bool,
    /// Accepted.
    pub accepted: bool,
    /// When, ms since the epoch.
    pub at_ms: u64,
}

impl TokenClaims {
    /// The token as text.
    pub fn seal(&self, keys: &Keys) -> Result<String, TokenError> {
        seal(&keys.token, self)
    }

    /// The same claims, good for another [`TOKEN_LIFE_MS`] from `now_ms`.
    pub fn renewed(&self, now_ms: u64) -> Self {
        Self {
            exp: now_ms.saturating_add(TOKEN_LIFE_MS),
            ..self.clone()
        }
    }

    /// Opens a token. `now_ms` is ms since the epoch.
    pub fn open(keys: &Keys, text: &str, now_ms: u64) -> Result<Self, TokenError> {
        let claims: Self = open(&keys.token, text)?;
        if claims.exp <= now_ms {
            Err(TokenError::Expired)
        } else {
            Ok(claims)
        }
    }
}
