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

/// What was heard since it was told last, and what was told.
#[derive(Debug, Default)]
pub(crate) struct Levels {
    heard: BTreeMap<PersonId, u8>,
    told: Vec<(PersonId, u8)>,
    told_ms: u64,
    lively_until_ms: u64,
}

impl Levels {
    /// Somebody was heard, −dBov; the loudest moment counts.
    pub(crate) fn hear(&mut self, person: PersonId, level: u8) {
        let loudest = self.heard.entry(person).or_insert(level);
        *loudest = (*loudest).min(level);
    }

    /// Somebody is out.
    pub(crate) fn forget(&mut self, person: &PersonId) {
        self.heard.remove(person);
    }

    /// What is to be told now, loudest first: `All` of it, for who is heard in which
    /// group is the caller's to sort out. `links`: how many would be told.
    pub(crate) fn take(&mut self, now_ms: u64, links: usize) -> Option<Vec<(PersonId, u8)>> {
        let heard = std::mem::take(&mut self.heard);
        let others = heard.len() != self.told.len()
            || self.told.iter().any(|(who, _)| !heard.contains_key(who));
        if others {
            self.lively_until_ms = now_ms + LIVELY_MS;
        } else if !self.is_worth(&heard, now_ms, links) {
            return None;
        }
        let mut loud: Vec<(PersonId, u8)> = heard.into_iter().collect();
        self.told.clone_from(&loud);
        self.told_ms = now_ms;
        loud.sort_by_key(|(_, level)| *level);
        Some(loud)
    }

    /// The same people are heard as were told: whether their loudness is news.
    fn is_worth(&self, heard: &BTreeMap<PersonId, u8>, now_ms: u64, links: usize) -> bool {
        if heard.is_empty() {
            // Silence is told once.
            return false;
        }
        let since_ms = now_ms.saturating_sub(self.told_ms);
        let moved = self.told.iter().any(|(who, before)| {
            heard
                .get(who)
                .is_some_and(|l| l.abs_diff(*before) >= STEP_DB)
        });
        now_ms < self.lively_until_ms
            || since_ms >= AGAIN_MS
            || (moved && (links < CROWD || since_ms >= CROWD_GAP_MS))
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

    /// Messages in ten seconds of one voice, five chances a second.
    fn told(links: usize, level: impl Fn(u64) -> u8) -> usize {
        let mut levels = Levels::default();
        (0..50)
            .filter(|n| {
                levels.hear(id("a"), level(*n));
                levels.take(10_000 + n * 200, links).is_some()
            })
            .count()
    }

    #[test]
    fn a_steady_voice_is_told_again_before_clients_forget_it() {
        let steady = told(20, |_| 30);
        assert!((9..=12).contains(&steady), "{steady}");
    }

    #[test]
    fn a_lively_voice_is_told_at_once_in_a_small_room_and_less_often_in_a_crowd() {
        let lively = |n| if n % 2 == 0 { 30 } else { 50 };
        assert_eq!(told(20, lively), 50);
        let crowd = told(200, lively);
        assert!((14..=20).contains(&crowd), "{crowd}");
    }

    #[test]
    fn who_begins_or_ends_is_told_at_once_and_silence_once() {
        let mut levels = Levels::default();
        levels.hear(id("a"), 30);
        assert!(levels.take(0, 500).is_some());
        levels.hear(id("a"), 30);
        levels.take(5_000, 500);
        levels.hear(id("a"), 30);
        levels.hear(id("b"), 50);
        let both = levels.take(5_200, 500).unwrap();
        assert_eq!(both, [(id("a"), 30), (id("b"), 50)]);
        levels.hear(id("b"), 50);
        assert_eq!(levels.take(5_400, 500), Some(vec![(id("b"), 50)]));
        assert_eq!(levels.take(5_600, 500), Some(vec![]));
        assert_eq!(levels.take(5_800, 500), None);
        assert_eq!(levels.take(60_000, 500), None);
    }
}
