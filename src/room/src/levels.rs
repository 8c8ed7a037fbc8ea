//! How loud people are, and when it is told.
//!
//! A `levels` message goes to every link, five times a second if nothing held it
//! back; in a room of hundreds those messages cost more than what they say is
//! worth. So they are sent quickly while it changes *who* is heard, and else when
//! somebody became clearly louder or softer, and often enough that nobody who goes
//! on speaking is taken for silent.

use std::collections::BTreeMap;

use lophoc_protocol::PersonId;

use crate::bounds::LEVELS;

/// After a change of who is heard everything is told for so long, ms: clients tell
/// from several messages who leads.
const LIVELY_MS: u64 = 1_500;
/// A change worth telling, dB.
const STEP_DB: u8 = 6;
/// What goes on is told again after this, ms. Clients take a voice that was told as
/// going on for 5 s, or until they are told otherwise.
const AGAIN_MS: u64 = 3_600;
/// Links from which on a mere change of loudness waits.
const CROWD: usize = 100;
/// For so long, ms.
const CROWD_GAP_MS: u64 = 900;
/// Media shards tell who is heard every 200 ms: who is not named for this long, ms, is
/// silent. In a crowd the pause between two sentences is none.
const STALE_MS: u64 = 450;

/// How loud somebody was when it was last told by the media plane.
#[derive(Debug, Clone, Copy)]
struct Heard {
    /// −dBov.
    level: u8,
    at_ms: u64,
    /// Not yet looked at by [`Levels::take`].
    fresh: bool,
}

/// What was heard since it was told last, and what was told.
#[derive(Debug, Default)]
pub(crate) struct Levels {
    heard: BTreeMap<PersonId, Heard>,
    told: Vec<(PersonId, u8)>,
    told_ms: u64,
    lively_until_ms: u64,
}

impl Levels {
    /// Somebody was heard, −dBov; the loudest moment since the last look counts.
    pub(crate) fn hear(&mut self, person: PersonId, level: u8, now_ms: u64) {
        let before = self.heard.get(&person).filter(|before| before.fresh);
        let heard = Heard {
            level: before.map_or(level, |before| before.level.min(level)),
            at_ms: now_ms,
            fresh: true,
        };
        self.heard.insert(person, heard);
    }

    /// Somebody is out.
    pub(crate) fn forget(&mut self, person: &PersonId) {
        self.heard.remove(person);
    }

    /// What is to be told now, loudest first: `All` of it, for who is heard in which
    /// group is the caller's to sort out. `links`: how many would be told.
    pub(crate) fn take(&mut self, now_ms: u64, links: usize) -> Option<Vec<(PersonId, u8)>> {
        let crowd = links >= CROWD;
        let stale_ms = if crowd { CROWD_GAP_MS } else { STALE_MS };
        self.heard
            .retain(|_, voice| now_ms.saturating_sub(voice.at_ms) <= stale_ms);
        let mut heard = BTreeMap::new();
        let mut fresh = false;
        for (person, voice) in &mut self.heard {
            fresh |= std::mem::take(&mut voice.fresh);
            heard.insert(person.clone(), voice.level);
        }
        let others = heard.len() != self.told.len()
            || self.told.iter().any(|(who, _)| !heard.contains_key(who));
        if others {
            // One voice leads without anybody having to compare.
            let lively = !crowd || heard.len() > 1;
            self.lively_until_ms = now_ms + if lively { LIVELY_MS } else { 0 };
        } else if !fresh || !self.is_worth(&heard, now_ms, crowd) {
            return None;
        }
        let mut loud: Vec<(PersonId, u8)> = heard.into_iter().collect();
        self.told.clone_from(&loud);
        self.told_ms = now_ms;
        loud.sort_by_key(|(_, level)| *level);
        Some(loud)
    }

    /// The same people are heard as were told: whether their loudness is news.
    fn is_worth(&self, heard: &BTreeMap<PersonId, u8>, now_ms: u64, crowd: bool) -> bool {
        let since_ms = now_ms.saturating_sub(self.told_ms);
        let moved = self.told.iter().any(|(who, before)| {
            heard
                .get(who)
                .is_some_and(|l| l.abs_diff(*before) >= STEP_DB)
        });
        now_ms < self.lively_until_ms
            || since_ms >= AGAIN_MS
            || (moved && (!crowd || since_ms >= CROWD_GAP_MS))
    }
}

/// The loudest that fit into one message.
pub(crate) fn loudest(mut loud: Vec<(PersonId, u8)>) -> Vec<(PersonId, u8)> {
    loud.truncate(LEVELS);
    loud
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> PersonId {
        PersonId::from(name)
    }

    /// Messages in ten seconds of one voice: the media plane tells five times a second,
    /// the room looks ten times.
    fn told(links: usize, level: impl Fn(u64) -> u8) -> usize {
        let mut levels = Levels::default();
        (0..100_u64)
            .filter(|&n| {
                let now_ms = 10_000 + n * 100;
                if n.is_multiple_of(2) {
                    levels.hear(id("a"), level(n / 2), now_ms);
                }
                levels.take(now_ms, links).is_some()
            })
            .count()
    }

    #[test]
    fn a_steady_voice_is_told_again_before_clients_forget_it() {
        let steady = told(20, |_| 30);
        assert!((9..=12).contains(&steady), "{steady}");
        let crowd = told(200, |_| 30);
        assert!((3..=4).contains(&crowd), "{crowd}");
    }

    #[test]
    fn a_lively_voice_is_told_at_once_in_a_small_room_and_less_often_in_a_crowd() {
        let lively = |n| if n % 2 == 0 { 30 } else { 50 };
        assert_eq!(told(20, lively), 50);
        let crowd = told(200, lively);
        assert!((9..=12).contains(&crowd), "{crowd}");
    }

    #[test]
    fn who_begins_or_ends_is_told_at_once_and_silence_once() {
        let mut levels = Levels::default();
        levels.hear(id("a"), 30, 0);
        assert!(levels.take(0, 50).is_some());
        levels.hear(id("a"), 30, 5_000);
        levels.take(5_000, 50);
        levels.hear(id("a"), 30, 5_200);
        levels.hear(id("b"), 50, 5_200);
        let both = levels.take(5_200, 50).unwrap();
        assert_eq!(both, [(id("a"), 30), (id("b"), 50)]);
        levels.hear(id("b"), 50, 5_600);
        let mut told = levels.take(5_700, 50);
        assert_eq!(told, Some(vec![(id("b"), 50)]));
        told = levels.take(6_100, 50);
        assert_eq!(told, Some(vec![]));
        assert_eq!(levels.take(6_200, 50), None);
        assert_eq!(levels.take(60_000, 50), None);
    }

    #[test]
    fn in_a_crowd_a_pause_between_sentences_is_no_silence() {
        let mut levels = Levels::default();
        levels.hear(id("a"), 30, 0);
        assert!(levels.take(0, 200).is_some());
        assert_eq!(levels.take(700, 200), None);
        levels.hear(id("a"), 30, 800);
        assert_eq!(levels.take(800, 200), None);
        assert_eq!(levels.take(1_800, 200), Some(vec![]));
        levels.hear(id("a"), 30, 1_900);
        assert!(levels.take(1_900, 200).is_some());
    }

    #[test]
    fn the_loudest_moment_between_two_looks_counts() {
        let mut levels = Levels::default();
        levels.hear(id("a"), 50, 0);
        levels.hear(id("a"), 20, 10);
        levels.hear(id("a"), 40, 20);
        assert_eq!(levels.take(20, 2), Some(vec![(id("a"), 20)]));
        levels.hear(id("a"), 60, 220);
        assert_eq!(levels.take(220, 2), Some(vec![(id("a"), 60)]));
    }
}
