//! Files on their way to the server: how many there are, whose they are, and how
//! slowly one may come.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lophoc_ledger::SessionKey;
use lophoc_protocol::PersonId;

/// Files on their way at a time. Overflow: refused as busy.
const ALL: usize = 64;
/// Those of one session. Overflow: refused as busy; other sessions have places
/// left.
const OF_SESSION: usize = 48;
/// Those of one person. Overflow: refused as busy.
const OF_PERSON: usize = 2;
/// A body that stands still for longer is given up.
const STILL: Duration = Duration::from_secs(60);
/// Bytes per second a body comes with on average, after [`STILL`] to begin with.
/// Slower: given up.
const SLOWEST: u64 = 2_000;

/// Who brings what is on its way.
#[derive(Debug)]
struct One {
    number: u64,
    person: PersonId,
    session: SessionKey,
    hand_in: bool,
    /// Bytes it may become.
    bytes: u64,
}

/// Bytes the other files on their way may become.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Reserved {
    /// All of them.
    pub(super) all: u64,
    /// Those of this session.
    pub(super) session: u64,
    /// Of these, what is handed in.
    pub(super) hand_ins: u64,
    /// Of these, by this person.
    pub(super) own_hand_ins: u64,
}

#[derive(Debug, Default)]
struct Table {
    list: Vec<One>,
    next: u64,
}

/// The files on their way.
#[derive(Debug, Default)]
pub(super) struct UnderWay {
    table: Mutex<Table>,
}

/// One of them; given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    of: Arc<UnderWay>,
    number: u64,
}

impl UnderWay {
    /// A place for one more, if the person, the session and the server have one.
    pub(super) fn take(self: &Arc<Self>, person: &PersonId, session: &SessionKey) -> Option<Place> {
        let mut table = self.lock();
        let of_person = table.list.iter().filter(|one| one.person == *person);
        let of_session = table.list.iter().filter(|one| one.session == *session);
        if table.list.len() >= ALL
            || of_session.count() >= OF_SESSION
            || of_person.count() >= OF_PERSON
        {
            return None;
        }
        let number = table.next;
        table.next = table.next.wrapping_add(1);
        table.list.push(One {
            number,
            person: person.clone(),
            session: session.clone(),
            hand_in: false,
            bytes: 0,
        });
        Some(Place {
            of: Arc::clone(self),
            number,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Notes what this file may become, and tells what the others may.
    pub(super) fn reserve(&self, hand_in: bool, bytes: u64) -> Reserved {
        let mut table = self.of.lock();
        let own = table.list.iter_mut().find(|one| one.number == self.number);
        let Some(own) = own else {
            return Reserved::default();
        };
        own.hand_in = hand_in;
        own.bytes = bytes;
        let (person, session) = (own.person.clone(), own.session.clone());
        let mut others = Reserved::default();
        for one in table.list.iter().filter(|one| one.number != self.number) {
            let add = |sum: &mut u64| *sum = sum.saturating_add(one.bytes);
            add(&mut others.all);
            if one.session == session {
                add(&mut others.session);
                if one.hand_in {
                    add(&mut others.hand_ins);
                    if one.person == person {
                        add(&mut others.own_hand_ins);
                    }
                }
            }
        }
        others
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let number = self.number;
        self.of.lock().list.retain(|one| one.number != number);
    }
}

/// How long the next piece of a body is waited for, when so much of it came in
/// this time; absent: it comes too slowly.
pub(super) fn patience(bytes: u64, since: Duration) -> Option<Duration> {
    let may_take = STILL.saturating_add(Duration::from_secs(bytes / SLOWEST));
    let left = may_take.checked_sub(since).filter(|left| !left.is_zero())?;
    Some(left.min(STILL))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(n: usize) -> PersonId {
        PersonId(format!("p{n}"))
    }

    #[test]
    fn one_person_takes_two_places_and_one_session_not_all() {
        let under_way = Arc::new(UnderWay::default());
        let (one, other) = (SessionKey::from("b1"), SessionKey::from("b2"));
        let first = under_way.take(&who(0), &one).unwrap();
        let _second = under_way.take(&who(0), &one).unwrap();
        assert!(under_way.take(&who(0), &one).is_none());
        assert!(under_way.take(&who(0), &other).is_none());
        drop(first);
        let mut places = vec![under_way.take(&who(0), &one).unwrap()];
        places.extend((1..100).map_while(|n| under_way.take(&who(n), &one)));
        assert_eq!(places.len() + 1, OF_SESSION);
        let others: Vec<Place> = (200..300)
            .map_while(|n| under_way.take(&who(n), &other))
            .collect();
        assert_eq!(places.len() + 1 + others.len(), ALL);
    }

    #[test]
    fn files_on_their_way_count_as_taken() {
        let under_way = Arc::new(UnderWay::default());
        let (one, other) = (SessionKey::from("b1"), SessionKey::from("b2"));
        let place = |n, session| under_way.take(&who(n), session).unwrap();
        let mine = place(0, &one);
        assert_eq!(mine.reserve(true, 5), Reserved::default());
        let again = place(0, &one);
        again.reserve(true, 10);
        let deck = place(1, &one);
        deck.reserve(false, 100);
        place(2, &other).reserve(true, 7);
        let far = place(2, &other);
        far.reserve(true, 1_000);
        let others = Reserved {
            all: 1_110,
            session: 110,
            hand_ins: 10,
            own_hand_ins: 10,
        };
        assert_eq!(mine.reserve(true, 6), others);
        drop((again, far));
        let others = Reserved {
            all: 100,
            session: 100,
            ..Reserved::default()
        };
        assert_eq!(mine.reserve(true, 6), others);
        assert_eq!(deck.reserve(false, 100).hand_ins, 6);
    }

    #[test]
    fn a_body_that_drips_is_given_up_and_a_slow_line_is_not() {
        let second = Duration::from_secs(1);
        // A byte every 59 seconds.
        assert_eq!(patience(0, Duration::ZERO), Some(STILL));
        assert_eq!(patience(1, second * 59), Some(second));
        assert_eq!(patience(2, second * 118), None);
        // 25 KB/s, for 20 MB.
        for passed in 0..800u32 {
            let left = patience(u64::from(passed) * 25_000, second * passed);
            assert!(left.is_some_and(|left| left >= second), "after {passed} s");
        }
        // What came fast before does not let it stand still for long.
        assert_eq!(patience(100_000_000, second), Some(STILL));
    }
}
