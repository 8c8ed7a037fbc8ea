//! What goes to and comes from other shards.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use lophoc_media::types::ShardId;

use super::Shard;
use crate::mailbox::{Lost, ShardMessage};
use crate::session::Way;
use crate::stun::BindingRequest;

/// Messages of other shards per turn.
const MESSAGES_PER_TURN: usize = 2_048;
/// Addresses known to belong to other shards; more are not remembered.
const MAX_FOREIGN: usize = 16_384;

impl Shard {
    pub(super) fn take_messages(&mut self, now: Instant) {
        for _ in 0..MESSAGES_PER_TURN {
            let next = self
                .shared
                .mailboxes
                .get(usize::from(self.id.0))
                .and_then(|mailbox| mailbox.receive(&self.inbox));
            match next {
                Some((from, ShardMessage::Relay(msg))) => self.core.relay_in(now, from, msg),
                Some((from, ShardMessage::Owned(address))) => {
                    self.learn_foreign(now, from, address)
                }
                Some((_, ShardMessage::Stream(arrival))) => self.take_stream(now, arrival),
                Some((
                    from,
                    ShardMessage::Datagram {
                        source,
                        local,
                        bytes,
                    },
                )) => self.handed_over(now, from, source, local, &bytes),
                None => return,
            }
        }
        // More is waiting: come back at once.
        if let Some(mailbox) = self.mailbox() {
            mailbox.wake();
        }
    }

    pub(super) fn learn_foreign(&mut self, now: Instant, from: ShardId, address: SocketAddr) {
        if self.foreign.len() >= MAX_FOREIGN && !self.foreign.contains_key(&address) {
            return;
        }
        self.addresses.remove(&address);
        self.foreign.insert(address, (from, now));
    }

    /// A datagram that reached another shard's socket but is for a peer of ours.
    pub(super) fn handed_over(
        &mut self,
        now: Instant,
        from: ShardId,
        source: SocketAddr,
        local: IpAddr,
        bytes: &[u8],
    ) {
        let Some(destination) = self.shared.local.announced_for(local) else {
            return;
        };
        if let Some(request) = BindingRequest::peek(bytes) {
            let Some(peer) = self.ufrags.get(request.local_ufrag).copied() else {
                self.stats.drops.unknown_ufrag += 1;
                return;
            };
            if !self.prove(now, peer, source, &request) {
                return;
            }
            self.tell(from, ShardMessage::Owned(source));
            self.feed(now, Way::Udp, peer, source, destination, bytes);
        } else if let Some(peer) = self.addresses.get(&source).copied() {
            self.feed(now, Way::Udp, peer, source, destination, bytes);
        } else {
            self.stats.drops.unknown_address += 1;
        }
    }

    pub(super) fn tell(&mut self, to: ShardId, message: ShardMessage) {
        let datagram = matches!(
            message,
            ShardMessage::Datagram { .. } | ShardMessage::Stream(_)
        );
        let Some(mailbox) = self.shared.mailboxes.get(usize::from(to.0)) else {
            return;
        };
        match mailbox.send(self.id, message) {
            Ok(()) if datagram => self.stats.handed_over += 1,
            Ok(()) => self.stats.relayed += 1,
            Err(Lost::Media) if datagram => self.stats.drops.handover_full += 1,
            Err(Lost::Media) => self.stats.drops.relay_full += 1,
            Err(Lost::Control) => self.stats.drops.relay_control_lost += 1,
        }
    }
}
