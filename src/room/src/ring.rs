//! The last broadcasts of the room, for links that resume.

use std::collections::VecDeque;
use std::sync::Arc;

use lophoc_protocol::limits::RING;
use lophoc_protocol::{ChatId, ServerFrame, ServerMessage};

/// Numbers broadcasts and keeps the last [`RING`]. Overflow: the oldest goes,
/// and who missed it gets `welcome` and `state` in place of `resumed`.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    frames: VecDeque<Arc<ServerFrame>>,
    last: u64,
}

impl Ring {
    /// The number of the last broadcast; 0 before the first.
    pub(crate) fn last_seq(&self) -> u64 {
        self.last
    }

    /// Numbers and keeps a broadcast.
    pub(crate) fn push(&mut self, msg: ServerMessage) -> Arc<ServerFrame> {
        self.last += 1;
        let frame = Arc::new(ServerFrame {
            seq: Some(self.last),
            id: None,
            msg,
        });
        if self.frames.len() >= RING {
            self.frames.pop_front();
        }
        self.frames.push_back(Arc::clone(&frame));
        frame
    }

    /// What came after `seq`, or `None` when some of it is gone, or `seq` never was.
    pub(crate) fn after(&self, seq: u64) -> Option<Vec<Arc<ServerFrame>>> {
        let missed = usize::try_from(self.last.checked_sub(seq)?).ok()?;
        let skip = self.frames.len().checked_sub(missed)?;
        Some(self.frames.iter().skip(skip).cloned().collect())
    }
}

impl Ring {
    /// A deleted message is replayed to nobody: its deletion takes its place.
    pub(crate) fn redact(&mut self, chat: &ChatId) {
        for frame in &mut self.frames {
            if matches!(&frame.msg, ServerMessage::Chat { m } if m.id == *chat) {
                *frame = Arc::new(ServerFrame {
                    seq: frame.seq,
                    id: None,
                    msg: ServerMessage::ChatGone { chat: chat.clone() },
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seqs(ring: &Ring, after: u64) -> Option<Vec<u64>> {
        Some(
            ring.after(after)?
                .iter()
                .filter_map(|frame| frame.seq)
                .collect(),
        )
    }

    #[test]
    fn what_was_missed_comes_back_in_order() {
        let mut ring = Ring::default();
        assert_eq!(seqs(&ring, 0), Some(vec![]));
        for _ in 0..5 {
            ring.push(ServerMessage::Ok);
        }
        assert_eq!(seqs(&ring, 3), Some(vec![4, 5]));
        assert_eq!(seqs(&ring, 5), Some(vec![]));
        assert_eq!(seqs(&ring, 6), None);
        assert_eq!(seqs(&ring, u64::MAX), None);
    }

    #[test]
    fn what_is_no_longer_kept_cannot_be_replayed() {
        let mut ring = Ring::default();
        for _ in 0..RING + 10 {
            ring.push(ServerMessage::Ok);
        }
        assert_eq!(seqs(&ring, 9), None);
        assert_eq!(
            seqs(&ring, 10).map(|seqs| (seqs.len(), seqs[0])),
            Some((RING, 11))
        );
    }
}
