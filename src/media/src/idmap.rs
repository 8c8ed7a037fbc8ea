//! Maps by numbers the server gives out itself. Nobody outside chooses them, so a
//! cheap hash will do where each packet looks something up.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Map by such a number.
pub type IdMap<K, V> = HashMap<K, V, BuildHasherDefault<IdHasher>>;

/// Multiplies by an odd constant and folds.
#[derive(Debug, Default, Clone, Copy)]
pub struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::PeerId;

    #[test]
    fn neighbours_spread() {
        let map: IdMap<PeerId, u64> = (0..10_000).map(|n| (PeerId(n), n)).collect();
        assert!((0..10_000).all(|n| map.get(&PeerId(n)) == Some(&n)));
        let low = |n: u64| {
            let mut hasher = IdHasher::default();
            hasher.write_u64(n);
            hasher.finish() & 0xff
        };
        let mut counts = [0u32; 256];
        for n in 0..25_600 {
            counts[low(n) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (40..250).contains(count)));
    }
}
