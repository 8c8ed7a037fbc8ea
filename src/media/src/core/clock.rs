//! Time: the grid on which scores are told and ranked, silence, bit rates,
//! retries.
//!
//! Every 100 ms each shard tells its scores, silences and bit rates; 20 ms later
//! each ranks and plans with what all told. Relay delays under 20 ms so change
//! nothing: all shards come to the same list and the same layers.

use std::time::{Duration, Instant};

use super::tables::Origin;
use super::{Output, RelayMsg, ShardCore};
use crate::relay::Score;
use crate::speakers::{AUDIBLE, MAX_RANKED, published};
use crate::types::{Kind, PeerId};

/// Distance of two moments of the grid.
const MOMENT: Duration = Duration::from_millis(100);
/// From telling to ranking.
const EXCHANGE: Duration = Duration::from_millis(20);
/// Moments whose scores still count, when a message is late or lost.
const STALE_MOMENTS: u64 = 3;
/// A publisher is told after this that fewer layers are wanted.
const LOWER_AFTER: Duration = Duration::from_secs(2);

/// Silence that ends a layer: alone, and while others of its track send.
fn silence(kind: Kind, others_send: bool) -> Duration {
    match (kind, others_send) {
        // A still screen may send one frame a second or less, but then on all layers.
        (Kind::Screen, true) => Duration::from_millis(1_200),
        (Kind::Screen, false) => Duration::from_secs(5),
        (Kind::Camera, true) => Duration::from_secs(1),
        (Kind::Camera, false) => Duration::from_secs(2),
        (Kind::Mic | Kind::ScreenAudio, _) => Duration::from_secs(3),
    }
}

impl ShardCore {
    /// Does what has become due; call at [`Self::next_deadline`] or later.
    pub fn tick(&mut self, now: Instant) {
        let moment = self.moment_at(now);
        if moment >= self.next_moment {
            self.next_moment = moment + 1;
            self.rank_due = Some(moment);
            self.tell_scores(now, moment);
            self.check_health(now, moment.is_multiple_of(10));
            self.lower_wants(now);
            self.close_bundles(now);
            let period = self.config.refresh.as_millis() / MOMENT.as_millis();
            let period = u64::try_from(period).unwrap_or(50).max(1);
            if moment % period == period - 1 {
                self.refresh(now);
            }
        }
        if let Some(moment) = self.rank_due
            && now >= self.time_of(moment) + EXCHANGE
        {
            self.rank_due = None;
            self.rank(moment);
            self.seat_arrived();
            for track in std::mem::take(&mut self.replan_later) {
                let due = |index: &usize| self.tracks.get(*index).is_some_and(|t| t.replan);
                if due(&track) {
                    self.replan(track);
                }
            }
            if moment.is_multiple_of(5) {
                self.retry_limited(now);
            }
        }
        self.settle(now);
        self.look_at_asks(now);
    }

    /// When [`Self::tick`] is due.
    pub fn next_deadline(&self) -> Instant {
        let moment = match self.rank_due {
            Some(moment) => self.time_of(moment) + EXCHANGE,
            None => self.time_of(self.next_moment),
        };
        self.next_ask().map_or(moment, |ask| ask.min(moment))
    }

    fn moment_at(&self, now: Instant) -> u64 {
        let passed = now.saturating_duration_since(self.start).as_millis();
        u64::try_from(passed / MOMENT.as_millis()).unwrap_or(u64::MAX)
    }

    fn time_of(&self, moment: u64) -> Instant {
        let millis = moment.saturating_mul(100);
        self.start
            .checked_add(Duration::from_millis(millis))
            .unwrap_or(self.start)
    }

    fn tell_scores(&mut self, now: Instant, moment: u64) {
        let mut rooms = Vec::new();
        self.rooms.indices_into(&mut rooms);
        for index in rooms {
            let Some(room) = self.rooms.get_mut(index) else {
                continue;
            };
            let mut scores = Vec::new();
            let mut levels: Vec<(PeerId, u8)> = Vec::new();
            for track in &room.tracks {
                let Some(track) = self.tracks.get_mut(*track) else {
                    continue;
                };
                if track.origin != Origin::Local || track.key.kind != Kind::Mic {
                    continue;
                }
                track.loudness.fade(now);
                scores.push(Score {
                    track: track.key,
                    loudness: track.loudness.value(),
                });
                if track.loudness.level() < AUDIBLE {
                    levels.push((track.key.peer, track.loudness.level()));
                }
            }
            room.own = published(scores, &room.ranking);
            let key = room.key;
            let told = !room.own.is_empty();
            let scores = RelayMsg::Scores {
                part: key,
                moment,
                scores: room.own.clone(),
            };
            let present = if told {
                room.present.clone()
            } else {
                Vec::new()
            };
            // Every second moment: five times a second.
            let due = moment.is_multiple_of(2);
            let sound = due && (!levels.is_empty() || room.sounding);
            if sound {
                room.sounding = !levels.is_empty();
            }
            for to in present {
                self.relay(to, scores.clone());
            }
            if sound {
                levels.sort_unstable();
                let room = key.room;
                self.emit(Output::Levels { room, levels });
            }
        }
    }

    fn rank(&mut self, moment: u64) {
        let mut rooms = Vec::new();
        self.rooms.indices_into(&mut rooms);
        for index in rooms {
            let Some(room) = self.rooms.get(index) else {
                continue;
            };
            let oldest = moment.saturating_sub(STALE_MOMENTS);
            let heard = room
                .heard
                .iter()
                .filter(|(_, told, _)| *told >= oldest)
                .flat_map(|(_, _, scores)| scores.iter().take(2 * MAX_RANKED));
            let scores: Vec<Score> = room
                .own
                .iter()
                .chain(heard)
                .filter(|score| self.track_in(index, score.track).is_some())
                .copied()
                .collect();
            let Some(room) = self.rooms.get_mut(index) else {
                continue;
            };
            let changed = room.ranking.rank(&scores);
            if std::mem::take(&mut room.incomplete) || changed.ranked {
                self.apply_ranking(index);
            }
            if changed.recent {
                self.flag_speaker_wishes(index);
            }
        }
    }

    /// Carries the list of who is heard to tracks and audio slots.
    pub(super) fn apply_ranking(&mut self, index: usize) {
        let Some(room) = self.rooms.get(index) else {
            return;
        };
        for track in &room.tracks {
            if let Some(track) = self.tracks.get_mut(*track) {
                track.ranked = room.ranking.ranked().contains(&track.key);
            }
        }
        for member in room.members.clone() {
            self.bind_audio(member);
        }
    }

    /// Ends what was silent too long; once a second takes over the bit rates.
    fn check_health(&mut self, now: Instant, rates: bool) {
        let mut tracks = Vec::new();
        self.tracks.indices_into(&mut tracks);
        for index in tracks {
            let Some(track) = self.tracks.get_mut(index) else {
                continue;
            };
            if track.origin != Origin::Local {
                continue;
            }
            let kind = track.key.kind;
            let newest = track.health.iter().filter_map(|layer| layer.last()).max();
            let others = newest
                .is_some_and(|at| now.saturating_duration_since(at) < Duration::from_millis(300));
            let mut changed = false;
            for (health, info) in track.health.iter_mut().zip(&track.info) {
                changed |= health.expire(now, silence(kind, others));
                if rates && !kind.is_audio() {
                    health.measure(now);
                    let (old, new) = (info.bits_per_second, health.info().bits_per_second);
                    // A fifth more or less is worth planning anew.
                    changed |= old.abs_diff(new) > old / 5;
                }
            }
            if changed {
                self.publish_layers(index);
            }
        }
    }

    /// Receivers that got less than they wanted try again, on the rung that is
    /// theirs now.
    fn retry_limited(&mut self, now: Instant) {
        let mut peers = Vec::new();
        self.peers.indices_into(&mut peers);
        for index in peers {
            self.look_at_ladder(now, index);
            if self.peers.get(index).is_some_and(|peer| peer.limited) {
                self.flag_allocate(index);
            }
        }
    }

    fn lower_wants(&mut self, now: Instant) {
        let mut tracks = Vec::new();
        self.tracks.indices_into(&mut tracks);
        for index in tracks {
            let Some(track) = self.tracks.get_mut(index) else {
                continue;
            };
            let due = track
                .fewer_since
                .is_some_and(|since| now.saturating_duration_since(since) >= LOWER_AFTER);
            if due {
                track.fewer_since = None;
                let wanted = track.wanted();
                self.tell_wanted(index, wanted);
            }
        }
    }
}
