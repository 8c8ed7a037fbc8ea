//! Keyframe requests: who needs one, and when it may be asked for.

use std::time::Instant;

use super::tables::{Origin, bit, layers_of};
use super::{Output, RelayMsg, ShardCore};
use crate::types::Layer;

impl ShardCore {
    /// Somebody wants a keyframe of a layer; decided in [`Self::settle_asks`].
    pub(super) fn ask(&mut self, index: usize, layer: Layer) {
        self.stats.keyframes_asked += 1;
        if let Some(track) = self.tracks.get_mut(index) {
            track.asked |= bit(layer);
        }
        self.watch(index);
    }

    /// The track is looked at until nobody waits for a keyframe of it.
    pub(super) fn watch(&mut self, index: usize) {
        self.asks_dirty = true;
        if let Some(track) = self.tracks.get_mut(index).filter(|track| !track.watched) {
            track.watched = true;
            self.watched.push(index);
        }
    }

    pub(super) fn settle_asks(&mut self, now: Instant) {
        if std::mem::take(&mut self.asks_dirty) {
            self.look_at_asks(now);
        }
    }

    /// Sends the requests that are due.
    pub(super) fn look_at_asks(&mut self, now: Instant) {
        let mut watched = std::mem::take(&mut self.watched);
        watched.retain(|index| {
            let keep = self.look(now, *index);
            if let Some(track) = self.tracks.get_mut(*index) {
                track.watched = keep;
            }
            keep
        });
        watched.append(&mut self.watched);
        self.watched = watched;
    }

    /// Whether the track must be looked at again.
    fn look(&mut self, now: Instant, index: usize) -> bool {
        let Some(track) = self.tracks.get_mut(index) else {
            return false;
        };
        let waiting = track.waiting_layers();
        let asked = std::mem::take(&mut track.asked);
        let mut due = 0u8;
        let mut again = waiting != 0;
        for (layer, throttle) in (0u8..).map(Layer).zip(track.throttles.iter_mut()) {
            let fresh = asked & bit(layer) != 0;
            let waits = waiting & bit(layer) != 0;
            if !(fresh || waits || throttle.is_pending()) {
                continue;
            }
            let free = throttle.earliest().is_none_or(|at| now >= at);
            if !free && !fresh {
                again |= throttle.is_pending();
                continue;
            }
            if throttle.ask(now) {
                due |= bit(layer);
            } else {
                again = true;
                self.stats.keyframes_suppressed += 1;
            }
        }
        let (key, origin, stint) = (track.key, track.origin, track.stint);
        for layer in layers_of(due) {
            self.stats.keyframes_sent += 1;
            match origin {
                Origin::Local => self.emit(Output::RequestKeyframe {
                    peer: key.peer,
                    kind: key.kind,
                    layer,
                }),
                Origin::Remote(to) => self.relay(
                    to,
                    RelayMsg::KeyframeRequest {
                        track: key,
                        stint,
                        layer,
                    },
                ),
            }
        }
        again
    }

    /// When the next request is due.
    pub(super) fn next_ask(&self) -> Option<Instant> {
        let due = |index: &usize| {
            let track = self.tracks.get(*index)?;
            let waiting = track.waiting_layers();
            (0u8..)
                .map(Layer)
                .zip(&track.throttles)
                .filter(|(layer, throttle)| waiting & bit(*layer) != 0 || throttle.is_pending())
                .filter_map(|(_, throttle)| throttle.earliest())
                .min()
        };
        self.watched.iter().filter_map(due).min()
    }
}
