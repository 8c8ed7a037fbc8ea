//! Who is heard: the loudest microphones of a room, and who spoke last.
//!
//! All shards of a room rank the same list of scores of the same moment with
//! the same rule, and so come to the same order without asking each other.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::relay::Score;
use crate::types::{PeerId, TrackKey};

/// Microphones a room forwards: the audio slots of the largest profile, one
/// more since nobody hears himself, two more for pins that are among them.
pub const MAX_RANKED: usize = 8;
/// Longest list of recent speakers.
pub const MAX_RECENT: usize = 32;
/// Levels are −dBov from 0 (loudest) to 127.
const SILENCE: u16 = 127;
/// Level assumed of a sender without the extension, −dBov.
const UNKNOWN_LEVEL: u8 = 50;
/// Fraction bits of a loudness.
const SCALE: u16 = 256;
/// How much louder one must be to pass another, 1/256 dB.
const MARGIN: u16 = 6 * SCALE;
/// From here on it is speech, −dBov.
const SPEECH: u16 = 50;
/// Quieter than this is left out of the levels, −dBov.
pub const AUDIBLE: u8 = 70;
/// A source silent for longer fades (Opus DTX sends every 400 ms).
const FADE_AFTER: Duration = Duration::from_millis(450);

/// Smoothed loudness of one microphone: quick to rise, slow to fall, so that
/// the pause between two words is no silence.
#[derive(Debug, Clone, Copy, Default)]
pub struct Loudness {
    value: u16,
    last: Option<Instant>,
}

impl Loudness {
    /// A packet with its level, −dBov.
    pub fn on_packet(&mut self, now: Instant, level: Option<u8>) {
        let level = u16::from(level.unwrap_or(UNKNOWN_LEVEL)).min(SILENCE);
        let loud = (SILENCE - level) * SCALE;
        self.value = if loud > self.value {
            self.value + (loud - self.value) / 2
        } else {
            self.value - (self.value - loud) / 16
        };
        self.last = Some(now);
    }

    /// To be called at each moment of the grid: who sends nothing fades.
    pub fn fade(&mut self, now: Instant) {
        let silent = self
            .last
            .is_none_or(|last| now.saturating_duration_since(last) > FADE_AFTER);
        if silent {
            self.value -= self.value / 4;
        }
    }

    /// 1/256 dB above −127 dBov.
    pub fn value(self) -> u16 {
        self.value
    }

    /// As −dBov.
    pub fn level(self) -> u8 {
        u8::try_from(SILENCE - (self.value / SCALE).min(SILENCE)).unwrap_or(127)
    }
}

/// Order of a room's microphones.
#[derive(Debug, Clone, Default)]
pub struct Ranking {
    ranked: Vec<TrackKey>,
    recent: Vec<PeerId>,
    challenger: Option<TrackKey>,
}

/// What a ranking changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Changed {
    /// The microphones heard, or their order.
    pub ranked: bool,
    /// The recent speakers.
    pub recent: bool,
}

impl Ranking {
    /// Ranks the scores of one moment. Who is in keeps the place unless somebody
    /// is clearly louder.
    pub fn rank(&mut self, scores: &[Score]) -> Changed {
        let loudness: HashMap<TrackKey, u16> = scores
            .iter()
            .map(|score| (score.track, score.loudness))
            .collect();
        let of = |track: &TrackKey| loudness.get(track).copied().unwrap_or(0);
        let mut order: Vec<TrackKey> = self.ranked.clone();
        order.retain(|track| loudness.contains_key(track));
        let mut others: Vec<TrackKey> = loudness
            .keys()
            .filter(|track| !order.contains(track))
            .copied()
            .collect();
        others.sort_unstable_by_key(|track| (std::cmp::Reverse(of(track)), *track));
        others.truncate(MAX_RANKED);
        for newcomer in others {
            order.push(newcomer);
        }
        let sorted = insert_with_margin(order, of);
        let changed = Changed {
            ranked: sorted != self.ranked,
            recent: self.speak(sorted.first().copied(), of),
        };
        self.ranked = sorted;
        changed
    }

    /// The first of the order becomes the most recent speaker when he really
    /// speaks, at once after silence, else when he leads at two moments in a row.
    fn speak(&mut self, first: Option<TrackKey>, of: impl Fn(&TrackKey) -> u16) -> bool {
        let speaks = |track: &TrackKey| of(track) >= (SILENCE - SPEECH) * SCALE;
        let Some(first) = first.filter(speaks) else {
            self.challenger = None;
            return false;
        };
        if self.recent.first() == Some(&first.peer) {
            self.challenger = None;
            return false;
        }
        if !self.recent.is_empty() && self.challenger != Some(first) {
            self.challenger = Some(first);
            return false;
        }
        self.challenger = None;
        self.recent.retain(|peer| *peer != first.peer);
        self.recent.insert(0, first.peer);
        self.recent.truncate(MAX_RECENT);
        true
    }

    /// Takes over the past of another shard, when this one has none.
    pub fn adopt(&mut self, ranked: Vec<TrackKey>, recent: Vec<PeerId>) {
        if self.ranked.is_empty() && self.recent.is_empty() {
            self.ranked = ranked;
            self.ranked.truncate(MAX_RANKED);
            self.recent = recent;
            self.recent.truncate(MAX_RECENT);
        }
    }

    /// A microphone is gone.
    pub fn forget(&mut self, track: TrackKey) {
        self.ranked.retain(|other| *other != track);
    }

    /// Microphones heard, first the most important.
    pub fn ranked(&self) -> &[TrackKey] {
        &self.ranked
    }

    /// Most recent speakers first; they may have left.
    pub fn recent(&self) -> &[PeerId] {
        &self.recent
    }
}

fn insert_with_margin(order: Vec<TrackKey>, of: impl Fn(&TrackKey) -> u16) -> Vec<TrackKey> {
    let mut sorted: Vec<TrackKey> = Vec::with_capacity(order.len());
    for track in order {
        let mine = of(&track);
        let behind = sorted
            .iter()
            .rev()
            .take_while(|other| mine > of(other).saturating_add(MARGIN))
            .count();
        sorted.insert(sorted.len() - behind, track);
    }
    sorted.truncate(MAX_RANKED);
    sorted
}

/// The scores a shard tells the others: those ranked now, and the loudest rest.
pub fn published(mut scores: Vec<Score>, ranking: &Ranking) -> Vec<Score> {
    scores.sort_unstable_by_key(|score| {
        let rest = !ranking.ranked().contains(&score.track);
        (rest, std::cmp::Reverse(score.loudness), score.track)
    });
    scores.truncate(2 * MAX_RANKED);
    scores
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Kind;
    use proptest::prelude::*;

    fn mic(peer: u64) -> TrackKey {
        TrackKey {
            peer: PeerId(peer),
            kind: Kind::Mic,
        }
    }

    fn scores(list: &[(u64, u16)]) -> Vec<Score> {
        list.iter()
            .map(|(peer, db)| Score {
                track: mic(*peer),
                loudness: db * SCALE,
            })
            .collect()
    }

    #[test]
    fn a_voice_rises_quickly_and_outlasts_the_pause_between_words() {
        let mut now = Instant::now();
        let mut loudness = Loudness::default();
        for _ in 0..5 {
            now += Duration::from_millis(20);
            loudness.on_packet(now, Some(20));
        }
        assert!(loudness.level() < 26, "{}", loudness.level());
        for _ in 0..10 {
            now += Duration::from_millis(20);
            loudness.on_packet(now, Some(127));
        }
        assert!(loudness.level() < 75, "{}", loudness.level());
    }

    #[test]
    fn a_single_click_is_not_yet_a_voice() {
        let mut loudness = Loudness::default();
        loudness.on_packet(Instant::now(), Some(10));
        assert!(loudness.level() > 50);
    }

    #[test]
    fn silence_of_discontinuous_transmission_does_not_fade_but_absence_does() {
        let mut now = Instant::now();
        let mut loudness = Loudness::default();
        loudness.on_packet(now, Some(0));
        let before = loudness.value();
        now += Duration::from_millis(400);
        loudness.fade(now);
        assert_eq!(loudness.value(), before);
        for _ in 0..40 {
            now += Duration::from_millis(100);
            loudness.fade(now);
        }
        assert!(loudness.level() > 120);
    }

    #[test]
    fn the_loudest_come_first_and_a_little_louder_is_not_enough_to_pass() {
        let mut ranking = Ranking::default();
        ranking.rank(&scores(&[(1, 90), (2, 80), (3, 70)]));
        assert_eq!(ranking.ranked(), [mic(1), mic(2), mic(3)]);
        assert!(!ranking.rank(&scores(&[(1, 80), (2, 85), (3, 70)])).ranked);
        assert!(ranking.rank(&scores(&[(1, 80), (2, 90), (3, 70)])).ranked);
        assert_eq!(ranking.ranked(), [mic(2), mic(1), mic(3)]);
    }

    #[test]
    fn the_silent_stay_while_there_is_room() {
        let mut ranking = Ranking::default();
        ranking.rank(&scores(&[(1, 0), (2, 0), (3, 70)]));
        assert_eq!(ranking.ranked(), [mic(3), mic(1), mic(2)]);
    }

    #[test]
    fn the_first_voice_is_the_speaker_at_once_and_the_next_after_two_moments() {
        let mut ranking = Ranking::default();
        assert!(ranking.rank(&scores(&[(1, 90), (2, 0)])).recent);
        let turn = scores(&[(1, 20), (2, 90)]);
        assert!(!ranking.rank(&turn).recent);
        assert!(ranking.rank(&turn).recent);
        assert_eq!(ranking.recent(), [PeerId(2), PeerId(1)]);
        assert!(!ranking.rank(&scores(&[(1, 20), (2, 10)])).recent);
    }

    proptest! {
        #[test]
        fn the_list_is_bounded_without_repeats_and_does_not_hang_on_the_order_told(
            moments in proptest::collection::vec(proptest::collection::btree_map(0u64..30, 0u16..127, 0..30), 1..20),
        ) {
            let (mut forward, mut backward) = (Ranking::default(), Ranking::default());
            for moment in moments {
                let list: Vec<_> = moment.into_iter().collect();
                let mut told = scores(&list);
                forward.rank(&told);
                told.reverse();
                backward.rank(&told);
                prop_assert_eq!(forward.ranked(), backward.ranked());
                prop_assert_eq!(forward.recent(), backward.recent());
                prop_assert!(forward.ranked().len() <= MAX_RANKED);
                let unique: std::collections::HashSet<_> = forward.ranked().iter().collect();
                prop_assert_eq!(unique.len(), forward.ranked().len());
            }
        }

        #[test]
        fn shards_that_tell_their_loudest_rank_like_one_that_hears_all(
            moments in proptest::collection::vec(proptest::collection::btree_map(0u64..60, 0u16..127, 0..60), 1..20),
        ) {
            let (mut one, mut three) = (Ranking::default(), Ranking::default());
            for moment in moments {
                let list: Vec<_> = moment.into_iter().collect();
                one.rank(&scores(&list));
                let told: Vec<Score> = (0..3)
                    .flat_map(|shard| {
                        let own = scores(&list).into_iter().filter(|s| s.track.peer.0 % 3 == shard);
                        published(own.collect(), &three)
                    })
                    .collect();
                three.rank(&told);
                prop_assert_eq!(one.ranked(), three.ranked());
                prop_assert_eq!(one.recent(), three.recent());
            }
        }
    }
}
