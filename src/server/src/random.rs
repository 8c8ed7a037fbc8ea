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

/// `N` characters of 5 random bits that can be read aloud (no 0, 1, l, o).
pub fn spoken<const N: usize>() -> Result<String, NoRandomness> {
    const SIGNS: [char; 32] = [
        'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'm', 'n', 'p', 'q', 'r', 's', 't',
        'u', 'v', 'w', 'x', 'y', 'z', '2', '3', '4', '5', '6', '7', '8', '9',
    ];
    let mut bytes = [0u8; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| NoRandomness)?;
    Ok(bytes
        .iter()
        .filter_map(|byte| SIGNS.get(usize::from(byte % 32)))
        .collect())
}

/// 64 random bits, from which lots are drawn that nobody needs to guard.
pub fn seed() -> Result<u64, NoRandomness> {
    let mut bytes = [0u8; 8];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| NoRandomness)?;
    Ok(u64::from_le_bytes(bytes))
}

/// 48 bits of time and 80 random ones, 26 signs that sort by time (ULID).
pub fn ulid(wall_ms: u64) -> Result<String, NoRandomness> {
    const SIGNS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut bytes = [0u8; 16];
    let [_, _, time @ ..] = wall_ms.to_be_bytes();
    let (head, rest) = bytes.split_at_mut(time.len());
    head.copy_from_slice(&time);
    SystemRandom::new().fill(rest).map_err(|_| NoRandomness)?;
    let number = u128::from_be_bytes(bytes);
    Ok((0..26u32)
        .rev()
        .filter_map(|at| SIGNS.get(usize::try_from(number >> (at * 5) & 31).unwrap_or(0)))
        .map(|sign| char::from(*sign))
        .collect())
}

fn text<const N: usize>() -> Result<String, NoRandomness> {
    let mut bytes = [0u8; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| NoRandomness)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ulids_sort_by_time_and_differ() {
        let list = [
            ulid(1).unwrap(),
            ulid(1_700_000_000_000).unwrap(),
            ulid(1_800_000_000_000).unwrap(),
        ];
        assert!(list.is_sorted());
        assert!(list.iter().all(|id| id.len() == 26));
        assert!(list[1].starts_with("01HF7YAT00"), "{list:?}");
        assert_ne!(ulid(5).unwrap(), ulid(5).unwrap());
    }
}
