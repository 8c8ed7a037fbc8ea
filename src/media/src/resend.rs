//! What is kept of a source layer to be sent again: one ring for all receivers of
//! it. A receiver keeps how its numbers follow from the source's
//! ([`crate::rewrite::Segment`]), nothing of the packets.

use std::time::{Duration, Instant};

use crate::types::SourcePacket;

/// Packets of a layer that can be sent again; a second and a half at 1.6 Mbit/s.
pub const RING: usize = 512;
/// What is older is of no use to a decoder any more.
pub const MAX_AGE: Duration = Duration::from_millis(1_500);

/// The last packets of a source layer.
#[derive(Debug, Default)]
pub struct Ring {
    /// At the place of its number; empty until the first packet.
    packets: Vec<Option<(Instant, SourcePacket)>>,
}

impl Ring {
    /// Takes a packet; it pushes out the one [`RING`] numbers before.
    pub fn push(&mut self, now: Instant, packet: &SourcePacket) {
        if self.packets.is_empty() {
            self.packets.resize_with(RING, || None);
        }
        if let Some(place) = self.packets.get_mut(place(packet.seq)) {
            *place = Some((now, packet.clone()));
        }
    }

    /// The packet with this number, if it is here and not too old.
    pub fn get(&self, now: Instant, seq: u64) -> Option<&SourcePacket> {
        let (since, packet) = self.packets.get(place(seq))?.as_ref()?;
        let fresh = now.saturating_duration_since(*since) <= MAX_AGE;
        (packet.seq == seq && fresh).then_some(packet)
    }

    /// The layer's numbers begin anew.
    pub fn clear(&mut self) {
        self.packets = Vec::new();
    }
}

fn place(seq: u64) -> usize {
    (seq % RING as u64) as usize
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::types::{Codec, Layer};

    fn packet(seq: u64) -> SourcePacket {
        SourcePacket {
            codec: Codec::Vp8,
            layer: Layer(0),
            seq,
            ts: 0,
            marker: false,
            level: None,
            capture_ntp: None,
            payload: Arc::from(&seq.to_be_bytes()[..]),
        }
    }

    proptest! {
        #[test]
        fn a_number_finds_its_own_packet_or_none(
            pushed in proptest::collection::vec(0u64..3_000, 1..1_000),
            asked in proptest::collection::vec(0u64..3_000, 1..200),
            wait in 0u64..3_000,
        ) {
            let start = Instant::now();
            let mut ring = Ring::default();
            for seq in &pushed {
                ring.push(start, &packet(*seq));
            }
            let later = start + Duration::from_millis(wait);
            for seq in asked {
                let found = ring.get(later, seq);
                prop_assert!(found.is_none_or(|packet| packet.seq == seq));
                let last = pushed.iter().rev().find(|other| place(**other) == place(seq));
                let here = last == Some(&seq) && later - start <= MAX_AGE;
                prop_assert_eq!(found.is_some(), here);
            }
            ring.clear();
            prop_assert!(ring.get(start, pushed[0]).is_none());
        }
    }
}
