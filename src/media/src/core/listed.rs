//! Receivers that may be sent only what is of people on a list: recordings. It is
//! looked at where a slot turns to a source and again where the slot is hung into
//! the list of a track, the one way a packet can take; so what somebody says who is
//! not recorded never comes near the connection of a recording.

use std::sync::Arc;
use std::time::Instant;

use super::{PeerSpec, ShardCore};
use crate::types::PeerId;

/// Whose tracks a receiver may be sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Listed {
    /// Everybody's of its part of the room.
    #[default]
    All,
    /// Those of these people, in no order; nobody's when empty.
    Only(Arc<[PeerId]>),
}

impl Listed {
    /// Whether something of `peer` may be sent.
    pub fn has(&self, peer: PeerId) -> bool {
        match self {
            Self::All => true,
            Self::Only(list) => list.contains(&peer),
        }
    }
}

impl ShardCore {
    /// A connection came to this shard that may be sent only what is of the
    /// people listed, from its first moment on.
    pub fn add_listed_peer(&mut self, now: Instant, spec: PeerSpec, listed: Listed) {
        self.add(now, spec, listed);
    }

    /// Whose tracks the peer may be sent from now on. What is taken away ends at
    /// once; packets pending already were meant for it and still go.
    pub fn set_listed(&mut self, now: Instant, peer: PeerId, listed: Listed) {
        let Some((index, _)) = self.find_peer(peer) else {
            return;
        };
        let Some(peer) = self.peers.get_mut(index) else {
            return;
        };
        if peer.listed == listed {
            return;
        }
        peer.listed = listed;
        self.flag_resolve(index);
        self.settle(now);
    }

    /// Whether a receiver may be sent something of `whom`.
    pub(super) fn may_have(&self, index: usize, whom: PeerId) -> bool {
        self.peers
            .get(index)
            .is_some_and(|peer| peer.listed.has(whom))
    }
}
