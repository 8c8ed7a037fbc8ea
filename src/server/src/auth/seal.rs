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
