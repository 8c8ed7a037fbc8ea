//! Messages that do not go to all, as far as they are kept in memory. They are
//! apart from the chat of the room, so that no page of it can hold one.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use lophoc_protocol::limits::CHAT_PAGE;
use lophoc_protocol::server::ChatEntry;
use lophoc_protocol::{ChatId, PersonId, Role};

use crate::bounds::{
    CHAT_FRAME_BYTES, DIRECT_EACH, DIRECT_KEPT, DIRECT_KEPT_BYTES, DIRECT_MANY,
    DIRECT_RECEIVER_BYTES,
};
use crate::text::json_len;

/// Whom a message concerns: people as they were when it was written, and lines
/// that are read by whoever holds such a role, later comers too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reach {
    /// Author and receivers, each once.
    pub people: Vec<PersonId>,
    /// The line to the organisers.
    pub organisers: bool,
    /// The line to the technicians.
    pub support: bool,
}

impl Reach {
    /// Whether somebody of this role sees the message.
    pub(crate) fn concerns(&self, person: &PersonId, role: Role) -> bool {
        (self.organisers && is_organiser(role))
            || (self.support && role == Role::Technician)
            || self.people.contains(person)
    }
}

/// Who reads the line to the organisers (ban tổ chức lớp học, TT 21/2017 Điều
/// 5.1.d): who organises, presides, or keeps the lists, and the advisers the
/// organisers appoint for the learners (Điều 8.4). Not the trainer: the line is
/// apart from him. Not the technician, who has a line of his own.
pub(crate) fn is_organiser(role: Role) -> bool {
    matches!(
        role,
        Role::Organiser | Role::Chair | Role::Secretary | Role::Adviser
    )
}

#[derive(Debug)]
struct Direct {
    entry: ChatEntry,
    reach: Reach,
    /// Deleted: the text is gone, the place stays, so that a repeat of the same
    /// `cid` does not bring it back.
    gone: bool,
}

impl Direct {
    fn is_to_many(&self) -> bool {
        self.reach.people.len() > DIRECT_MANY
    }

    fn bytes(&self) -> usize {
        self.entry.text.len() + DIRECT_RECEIVER_BYTES * self.reach.people.len()
    }
}

/// Bounded log; see [`DIRECT_KEPT`], [`DIRECT_KEPT_BYTES`] and [`DIRECT_EACH`].
#[derive(Debug, Default)]
pub(crate) struct DirectLog {
    /// In order of writing.
    entries: BTreeMap<u64, Direct>,
    next: u64,
    /// What concerns whom.
    boxes: HashMap<PersonId, BTreeSet<u64>>,
    /// What was written by whom.
    written: HashMap<PersonId, VecDeque<u64>>,
    organisers: BTreeSet<u64>,
    support: BTreeSet<u64>,
    sent: HashMap<(PersonId, String), u64>,
    ids: HashMap<ChatId, u64>,
    bytes: usize,
    /// Those to many, and their size.
    many: BTreeSet<u64>,
    many_bytes: usize,
}

impl DirectLog {
    /// Whether this message of this author is known already.
    pub(crate) fn knows(&self, from: &PersonId, cid: &str) -> bool {
        self.sent.contains_key(&(from.clone(), cid.to_owned()))
    }

    pub(crate) fn push(&mut self, entry: ChatEntry, reach: Reach) {
        self.next += 1;
        let n = self.next;
        let from = entry.from.clone();
        self.sent.insert((from.clone(), entry.cid.clone()), n);
        self.ids.insert(entry.id.clone(), n);
        for person in &reach.people {
            self.boxes.entry(person.clone()).or_default().insert(n);
        }
        if reach.organisers {
            self.organisers.insert(n);
        }
        if reach.support {
            self.support.insert(n);
        }
        let direct = Direct {
            entry,
            reach,
            gone: false,
        };
        self.bytes += direct.bytes();
        if direct.is_to_many() {
            self.many.insert(n);
            self.many_bytes += direct.bytes();
        }
        self.entries.insert(n, direct);
        let written = self.written.entry(from).or_default();
        written.push_back(n);
        if written.len() > DIRECT_EACH
            && let Some(oldest) = written.front().copied()
        {
            self.forget(oldest);
        }
        while self.entries.len() > DIRECT_KEPT || self.bytes > DIRECT_KEPT_BYTES {
            let many = self.many.first().copied();
            let many = many.filter(|_| self.many_bytes > DIRECT_KEPT_BYTES / 2);
            let Some(oldest) = many.or_else(|| self.entries.keys().next().copied()) else {
                break;
            };
            self.forget(oldest);
        }
    }

    fn forget(&mut self, n: u64) {
        let Some(direct) = self.entries.remove(&n) else {
            return;
        };
        self.bytes = self.bytes.saturating_sub(direct.bytes());
        if self.many.remove(&n) {
            self.many_bytes = self.many_bytes.saturating_sub(direct.bytes());
        }
        let Direct { entry, reach, .. } = direct;
        self.ids.remove(&entry.id);
        self.organisers.remove(&n);
        self.support.remove(&n);
        for person in &reach.people {
            if let Some(list) = self.boxes.get_mut(person) {
                list.remove(&n);
                if list.is_empty() {
                    self.boxes.remove(person);
                }
            }
        }
        if let Some(written) = self.written.get_mut(&entry.from) {
            written.retain(|other| *other != n);
            if written.is_empty() {
                self.written.remove(&entry.from);
            }
        }
        self.sent.remove(&(entry.from, entry.cid));
    }

    /// Author and reach of a message, and whether it is deleted already.
    pub(crate) fn find(&self, id: &ChatId) -> Option<(&PersonId, &Reach, bool)> {
        let direct = self.entries.get(self.ids.get(id)?)?;
        Some((&direct.entry.from, &direct.reach, direct.gone))
    }

    /// Takes the text of a message away.
    pub(crate) fn delete(&mut self, id: &ChatId) {
        if let Some(direct) = self.ids.get(id).and_then(|n| self.entries.get_mut(n)) {
            let text = direct.entry.text.len();
            self.bytes = self.bytes.saturating_sub(text);
            if direct.is_to_many() {
                self.many_bytes = self.many_bytes.saturating_sub(text);
            }
            direct.entry.text.clear();
            direct.gone = true;
        }
    }

    /// The last messages that concern somebody of this role, oldest first;
    /// `None` where none ever did.
    pub(crate) fn mine(&self, person: &PersonId, role: Role) -> Option<Vec<ChatEntry>> {
        let none = BTreeSet::new();
        let own = self.boxes.get(person).unwrap_or(&none);
        let organisers = is_organiser(role).then_some(&self.organisers);
        let support = (role == Role::Technician).then_some(&self.support);
        // Twice a page of each will do, deleted ones among them.
        let newest: BTreeSet<u64> = [Some(own), organisers, support]
            .into_iter()
            .flatten()
            .flat_map(|list| list.iter().rev().take(2 * CHAT_PAGE))
            .copied()
            .collect();
        if newest.is_empty() {
            return None;
        }
        let mut bytes = 0;
        let mut list: Vec<ChatEntry> = newest
            .iter()
            .rev()
            .filter_map(|n| self.entries.get(n))
            .filter(|direct| !direct.gone)
            .take(CHAT_PAGE)
            .take_while(|direct| {
                bytes += json_len(&direct.entry.text);
                bytes <= CHAT_FRAME_BYTES
            })
            .map(|direct| direct.entry.clone())
            .collect();
        list.reverse();
        Some(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lophoc_protocol::limits::MAX_CHAT;
    use lophoc_protocol::talk::Audience;

    fn entry(n: usize, from: &str, text: String) -> ChatEntry {
        ChatEntry {
            id: ChatId(format!("c{n}")),
            from: PersonId::from(from),
            name: "An".into(),
            role: Role::Learner,
            text,
            at: 0,
            cid: n.to_string(),
            to: Audience::Person(PersonId::from("p2")),
            to_name: None,
        }
    }

    fn between(a: &str, b: &str) -> Reach {
        Reach {
            people: vec![a.into(), b.into()],
            ..Reach::default()
        }
    }

    #[test]
    fn one_author_pushes_out_nobody_elses_messages() {
        let mut log = DirectLog::default();
        log.push(entry(0, "p9", "giữ".into()), between("p9", "p2"));
        for n in 1..=DIRECT_EACH + 50 {
            log.push(entry(n, "p1", "x".into()), between("p1", "p2"));
        }
        assert_eq!(log.entries.len(), DIRECT_EACH + 1);
        assert!(log.knows(&"p9".into(), "0") && !log.knows(&"p1".into(), "50"));
        assert!(log.knows(&"p1".into(), "51"));
        let mine = log.mine(&"p9".into(), Role::Learner).unwrap();
        assert_eq!(mine.len(), 1);
        assert_eq!(
            log.mine(&"p2".into(), Role::Learner).unwrap().len(),
            CHAT_PAGE
        );
        assert_eq!(log.mine(&"p3".into(), Role::Organiser), None);
    }

    #[test]
    fn memory_is_bounded_and_nothing_of_the_forgotten_stays() {
        let mut log = DirectLog::default();
        for n in 0..6_000 {
            let from = format!("p{}", n % 40);
            log.push(entry(n, &from, "ệ".repeat(MAX_CHAT)), between(&from, "p99"));
        }
        assert!(log.bytes <= DIRECT_KEPT_BYTES);
        let kept = log.entries.len();
        assert!(kept > 0 && kept < 6_000);
        assert_eq!((log.sent.len(), log.ids.len()), (kept, kept));
        let boxed: usize = log.boxes.values().map(BTreeSet::len).sum();
        assert_eq!(boxed, 2 * kept);
        let real: usize = log.entries.values().map(Direct::bytes).sum();
        assert_eq!(log.bytes, real);
        let mine = log.mine(&"p99".into(), Role::Learner).unwrap();
        assert!(serde_json::to_string(&mine).unwrap().len() < 100_000);
    }

    #[test]
    fn a_deleted_message_is_seen_by_nobody_and_still_known() {
        let mut log = DirectLog::default();
        log.push(entry(1, "p1", "bí mật".into()), between("p1", "p2"));
        log.delete(&"c1".into());
        assert_eq!(log.mine(&"p2".into(), Role::Learner), Some(vec![]));
        assert!(log.knows(&"p1".into(), "1"));
        assert_eq!(log.find(&"c1".into()).map(|found| found.2), Some(true));
    }

    #[test]
    fn lines_are_read_by_whoever_holds_the_role() {
        let mut log = DirectLog::default();
        let line = Reach {
            people: vec!["p1".into()],
            organisers: true,
            support: false,
        };
        log.push(entry(1, "p1", "x".into()), line.clone());
        for role in Role::ALL {
            let reads = log.mine(&"p5".into(), role).is_some();
            assert_eq!(reads, is_organiser(role), "{role:?}");
            assert_eq!(reads, line.concerns(&"p5".into(), role));
        }
        assert!(!is_organiser(Role::Trainer), "apart from the trainer");
    }
}
