//! Growing waits after wrong passwords. Time is an argument.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// Wrong passwords of one account before anybody waits.
pub const FREE_PER_ACCOUNT: u32 = 5;
/// The same of one address, where a whole school may sit: mistyping of a
/// thousand people, or one who means ill, must not keep the others out. Accounts
/// have waits of their own.
pub const FREE_PER_ADDRESS: u32 = 300;
/// First wait, ms; it doubles with each further attempt.
const FIRST_MS: u64 = 30 * 1000;
/// Longest wait, ms. Short enough that nobody is kept out for a lesson by
/// somebody who knows his login.
const LONGEST_MS: u64 = 15 * 60 * 1000;
/// Attempts are forgotten after so long, ms.
const FORGET_MS: u64 = 60 * 60 * 1000;
/// Most keys remembered. Overflow: the one untouched longest is forgotten.
const MAX_KEYS: usize = 16_384;

/// The wait after `attempts` without success, of which `free` cost nothing.
pub fn wait_ms(attempts: u32, free: u32) -> Option<u64> {
    let over = attempts.checked_sub(free)?;
    Some(
        FIRST_MS
            .saturating_mul(1u64.checked_shl(over.min(32)).unwrap_or(u64::MAX))
            .min(LONGEST_MS),
    )
}

#[derive(Debug, Clone, Copy)]
struct Count {
    attempts: u32,
    until_ms: u64,
    at_ms: u64,
}

/// Attempts per key, in memory.
#[derive(Debug)]
pub struct Waits<K> {
    free: u32,
    table: Mutex<HashMap<K, Count>>,
}

impl<K: Hash + Eq + Clone> Waits<K> {
    /// Nobody waits; `free` attempts cost nothing.
    pub fn new(free: u32) -> Self {
        Self {
            free,
            table: Mutex::default(),
        }
    }

    /// Counts an attempt. While a wait runs nothing is counted and the rest of
    /// the wait is the answer, ms.
    pub fn attempt(&self, key: &K, now_ms: u64) -> Result<(), u64> {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        if table.len() >= MAX_KEYS && !table.contains_key(key) {
            table.retain(|_, count| now_ms.saturating_sub(count.at_ms) < FORGET_MS);
            if table.len() >= MAX_KEYS
                && let Some(oldest) = table
                    .iter()
                    .min_by_key(|(_, count)| count.at_ms)
                    .map(|(key, _)| key.clone())
            {
                table.remove(&oldest);
            }
        }
        let count = table.entry(key.clone()).or_insert(Count {
            attempts: 0,
            until_ms: 0,
            at_ms: now_ms,
        });
        if count.until_ms > now_ms {
            return Err(count.until_ms.saturating_sub(now_ms));
        }
        if now_ms.saturating_sub(count.at_ms) >= FORGET_MS {
            count.attempts = 0;
        }
        count.at_ms = now_ms;
        count.attempts = count.attempts.saturating_add(1);
        if let Some(wait) = wait_ms(count.attempts, self.free) {
            count.until_ms = now_ms.saturating_add(wait);
        }
        Ok(())
    }

    /// Takes one attempt back: it succeeded. The others stay, so that one known
    /// password does not buy guesses at others.
    pub fn succeeded(&self, key: &K) {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = table.get_mut(key) {
            count.attempts = count.attempts.saturating_sub(1);
            count.until_ms = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end() {
        assert_eq!(wait_ms(4, 5), None);
        assert_eq!(wait_ms(5, 5), Some(30_000));
        assert_eq!(wait_ms(6, 5), Some(60_000));
        assert_eq!(wait_ms(u32::MAX, 5), Some(LONGEST_MS));
    }

    #[test]
    fn after_free_attempts_each_key_waits_for_itself() {
        let waits = Waits::new(2);
        assert_eq!(waits.attempt(&"a", 0), Ok(()));
        assert_eq!(waits.attempt(&"a", 0), Ok(()));
        assert_eq!(waits.attempt(&"a", 1_000), Err(29_000));
        assert_eq!(waits.attempt(&"b", 1_000), Ok(()));
        assert_eq!(waits.attempt(&"a", 30_000), Ok(()));
        assert_eq!(waits.attempt(&"a", 30_001), Err(59_999));
        assert_eq!(waits.attempt(&"a", FORGET_MS * 2), Ok(()));
        assert_eq!(waits.attempt(&"a", FORGET_MS * 2), Ok(()));
    }

    #[test]
    fn success_takes_its_own_attempt_back_only() {
        let waits = Waits::new(2);
        assert_eq!(waits.attempt(&1, 0), Ok(()));
        assert_eq!(waits.attempt(&1, 0), Ok(()));
        waits.succeeded(&1);
        assert_eq!(waits.attempt(&1, 0), Ok(()));
        assert!(waits.attempt(&1, 0).is_err());
    }

    #[test]
    fn the_table_stays_within_its_bound() {
        let waits = Waits::new(1);
        for key in 0..u64::try_from(MAX_KEYS).unwrap() + 10 {
            assert_eq!(waits.attempt(&key, key), Ok(()));
        }
        assert!(waits.table.lock().unwrap().len() <= MAX_KEYS);
    }
}
