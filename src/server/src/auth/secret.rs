//! Secrets a client shows again: cookies and API tokens. The database holds
//! their hashes; 144 random bits need no slow hash.

use aws_lc_rs::digest::{SHA256, digest};

use crate::random::{self, NoRandomness};

/// What every API token begins with.
pub const API_TOKEN: &str = "lpt_";
/// Longest secret worth looking at, bytes.
const LONGEST: usize = 64;

/// A secret for a cookie.
pub fn cookie_secret() -> Result<String, NoRandomness> {
    random::key()
}

/// A secret for the API.
pub fn api_secret() -> Result<String, NoRandomness> {
    Ok(format!("{API_TOKEN}{}", random::key()?))
}

/// What the database knows a secret by; nothing for what cannot be one.
pub fn hash_of(secret: &str) -> Option<String> {
    if secret.is_empty() || secret.len() > LONGEST {
        return None;
    }
    let hash = digest(&SHA256, secret.as_bytes());
    Some(
        hash.as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
    )
}
