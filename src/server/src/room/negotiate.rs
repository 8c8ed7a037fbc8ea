//! Offers and answers. Making an answer costs a millisecond or two of computing,
//! so it is done beside the room's task, one at a time per link.

use std::sync::Arc;

use lophoc_media::types::{PeerId, RoomKey, Slots};
use lophoc_protocol::ErrorCode;
use lophoc_protocol::limits::MAX_SDP;
use lophoc_room::{Allow4, LinkId};
use lophoc_transport::{ConnectError, ConnectSpec, Connected, MediaPlane};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;

use super::links::Link;
use crate::media::{allow_of, sends_of, slots_of};

/// An offer to be answered.
#[derive(Debug)]
pub(super) struct Offer {
    pub(super) link: LinkId,
    pub(super) id: Option<u32>,
    pub(super) sdp: String,
    /// The running connection gets new ICE credentials.
    pub(super) restart: bool,
}

/// The answer.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) link: LinkId,
    pub(super) id: Option<u32>,
    pub(super) peer: PeerId,
    pub(super) restart: bool,
    pub(super) result: Result<Connected, ConnectError>,
}

/// Offers of one link: on average per second, and at once. Each costs a core a
/// few milliseconds. Overflow: refused as `rate_limited`.
pub(super) const OFFERS: (f64, u32) = (0.5, 10);

/// Checks that need no engine.
pub(super) fn check(link: &mut Link, sdp: &str, now_ms: u64) -> Result<Slots, ErrorCode> {
    if sdp.len() > MAX_SDP {
        return Err(ErrorCode::TooLarge);
    }
    if link.negotiating || !link.offers.take(now_ms) {
        return Err(ErrorCode::RateLimited);
    }
    slots_of(link.profile, link.slots).ok_or(ErrorCode::BadRequest)
}

/// What answers are made with.
pub(super) struct Maker<'a> {
    pub(super) jobs: &'a mut JoinSet<Answered>,
    pub(super) media: &'a MediaPlane,
    /// Turns; a start of the day brings hundreds of offers at once.
    pub(super) turns: &'a Arc<Semaphore>,
    pub(super) room: RoomKey,
    /// Breakout group of who offers, 0 = none.
    pub(super) group: u8,
}

impl Maker<'_> {
    /// Starts making the answer.
    pub(super) fn start(self, link: &Link, slots: Slots, allow: Allow4, offer: Offer) {
        let Offer {
            link: link_id,
            id,
            sdp,
            restart,
        } = offer;
        let peer = link.peer;
        let media = self.media.clone();
        if restart {
            let (reply, answer) = oneshot::channel();
            media.restart(peer, sdp, move |result| {
                // The link may be gone by now.
                let _ = reply.send(result);
            });
            self.jobs.spawn(async move {
                let result = answer.await.unwrap_or(Err(ConnectError::Stopped));
                Answered {
                    link: link_id,
                    id,
                    peer,
                    restart,
                    result,
                }
            });
            return;
        }
        let (room, group) = (self.room, self.group);
        let (sends, allow) = (sends_of(link.profile), allow_of(allow));
        let turns = Arc::clone(self.turns);
        self.jobs.spawn(async move {
            // Never closed: an error cannot happen, and would cost the turn only.
            let turn = turns.acquire_owned().await;
            let made = tokio::task::spawn_blocking(move || {
                media.connect(ConnectSpec {
                    room,
                    group,
                    peer,
                    sends,
                    slots,
                    allow,
                    offer: &sdp,
                })
            });
            let result = made.await.unwrap_or(Err(ConnectError::Internal));
            drop(turn);
            Answered {
                link: link_id,
                id,
                peer,
                restart,
                result,
            }
        });
    }
}

/// What the client is told.
pub(super) fn code_of(error: &ConnectError) -> ErrorCode {
    match error {
        ConnectError::TooLarge => ErrorCode::TooLarge,
        ConnectError::Malformed(_)
        | ConnectError::MediaLines { .. }
        | ConnectError::MediaLine { .. }
        | ConnectError::NoCodec { .. } => ErrorCode::BadRequest,
        ConnectError::Full => ErrorCode::Full,
        ConnectError::UnknownPeer => ErrorCode::NotFound,
        // A newer offer of the same person is being answered.
        ConnectError::Stopped | ConnectError::Superseded => ErrorCode::Busy,
        ConnectError::Internal => ErrorCode::Internal,
    }
}
