//! A shard goes on after a panic. What the panic left half done cannot be told
//! from what is whole, so everything of this shard is given up: its connections
//! end, their clients come back with new ones, and a fresh core learns from the
//! other shards again.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use lophoc_media::core::{RelayMsg, ShardCore};
use lophoc_media::types::{Part, PeerId, ShardId};

use super::Shard;
use crate::api::DisconnectReason;
use crate::mailbox::ShardMessage;

impl Shard {
    /// [`Shard::turn`], surviving a panic in it.
    pub(crate) fn guarded_turn(&mut self, now: Instant, readable: &mut [bool; 2]) {
        if catch_unwind(AssertUnwindSafe(|| self.turn(now, readable))).is_err() {
            self.stats.panics += 1;
            tracing::error!(shard = self.id.0, "a media shard panicked and begins anew");
            *readable = [true; 2];
            self.begin_anew(now);
        }
    }

    /// Gives up all connections and the core.
    fn begin_anew(&mut self, now: Instant) {
        let fresh = ShardCore::new(self.core_config.clone(), self.start);
        let broken = std::mem::replace(&mut self.core, fresh);
        self.contain(|_| drop(broken));
        self.batch.clear();
        self.contain(|shard| shard.links.clear());
        self.deferred.clear();
        self.feeds.clear();
        self.pending.clear();
        self.events.clear();
        self.addresses.clear();
        self.ufrags.clear();
        // Others must forget what this shard told them, before it tells anew.
        let part = |room, group| Part { room, group };
        let sessions = self.sessions.values();
        let parts: BTreeSet<Part> = sessions.map(|s| part(s.room, s.group)).collect();
        for part in parts {
            for to in (0..self.core_config.shards).map(ShardId) {
                if to != self.id {
                    let receivers = false;
                    let msg = RelayMsg::Presence { part, receivers };
                    self.contain(|shard| shard.tell(to, ShardMessage::Relay(msg)));
                }
            }
        }
        let peers: Vec<PeerId> = self.sessions.keys().copied().collect();
        for peer in peers {
            self.contain(|shard| shard.drop_session(now, peer, DisconnectReason::Failed));
        }
    }

    fn contain(&mut self, work: impl FnOnce(&mut Self)) {
        let done = catch_unwind(AssertUnwindSafe(|| work(self)));
        self.stats.panics += u64::from(done.is_err());
    }
}
