//! Redundant audio (RFC 2198): finds the primary block behind the older copies.

use crate::bytes::Reader;

/// More redundant blocks than any sender uses; a packet with more is refused.
const MAX_BLOCKS: usize = 16;

/// The primary block of a RED payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Primary<'a> {
    /// Its payload type.
    pub payload_type: u8,
    /// Its bytes; empty when the sender had nothing new.
    pub payload: &'a [u8],
    /// How many redundant blocks came before it.
    pub redundant: usize,
}

/// `None` when headers or blocks are cut off.
pub fn primary(payload: &[u8]) -> Option<Primary<'_>> {
    let mut reader = Reader::new(payload);
    let mut skip = 0usize;
    for redundant in 0..=MAX_BLOCKS {
        let head = reader.u8()?;
        let payload_type = head & 0x7F;
        if head & 0x80 == 0 {
            reader.take(skip)?;
            return Some(Primary {
                payload_type,
                payload: reader.rest(),
                redundant,
            });
        }
        let [_, low, length] = reader.array::<3>()?;
        skip += usize::from(low & 0x03) << 8 | usize::from(length);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_primary_block_is_what_remains_after_the_copies() {
        // One copy of two bytes, 960 ticks old, then the primary.
        let payload = [0x80 | 111, 0x0F, 0x00, 2, 111, 9, 9, 1, 2, 3];
        let found = primary(&payload).unwrap();
        assert_eq!(found.payload_type, 111);
        assert_eq!(found.payload, [1, 2, 3]);
        assert_eq!(found.redundant, 1);
    }

    #[test]
    fn a_payload_without_copies_is_all_primary() {
        assert_eq!(primary(&[111, 5]).unwrap().payload, [5]);
    }

    #[test]
    fn cut_headers_and_blocks_are_refused() {
        assert_eq!(primary(&[]), None);
        assert_eq!(primary(&[0x80 | 111, 0, 0]), None);
        assert_eq!(primary(&[0x80 | 111, 0, 0, 9, 111, 1]), None);
        assert_eq!(primary(&[0x80; 200]), None);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = primary(&bytes);
        }

        #[test]
        fn what_was_packed_comes_out(copies in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..4), last in proptest::collection::vec(any::<u8>(), 0..80)) {
            let mut payload = Vec::new();
            for copy in &copies {
                payload.extend([0x80 | 111, 0, 0, copy.len() as u8]);
            }
            payload.push(111);
            payload.extend(copies.iter().flatten());
            payload.extend(&last);
            prop_assert_eq!(primary(&payload).unwrap().payload, &last[..]);
        }
    }
}
