//! Random ids and keys.

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The system gave no randomness.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the system gives no random numbers")]
pub struct NoRandomness;

/// `prefix` and 72 random bits: an id nobody guesses.
pub fn id(prefix: &str) -> Result<String, NoRandomness> {
    Ok(format!("{prefix}{}", text::<9>()?))
}

/// 144 random bits: a key.
pub fn key() -> Result<String, NoRandomness> {
    text::<18>()
}

fn text<const N: usize>() -> Result<String, NoRandomness> {
    let mut bytes = [0u8; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| NoRandomness)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
