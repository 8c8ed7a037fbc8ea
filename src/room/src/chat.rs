//! The chat as far as it is kept in memory.

use std::collections::{HashSet, VecDeque};

use lophoc_protocol::limits::{CHAT_PAGE, MAX_CID};
use lophoc_protocol::server::ChatEntry;
use lophoc_protocol::{ChatId, PersonId};

use crate::bounds::{CHAT_FRAME_BYTES, CHAT_KEPT, CHAT_KEPT_BYTES};
use crate::text::json_len;

#[derive(Debug)]
struct Kept {
    entry: ChatEntry,
    /// Deleted: the text is gone, the place stays for pages that begin there and
    /// for repeats of the same `cid`.
    gone: bool,
}

/// Bounded log of what goes to all; see [`CHAT_KEPT`] and [`CHAT_KEPT_BYTES`].
#[derive(Debug, Default)]
pub(crate) struct ChatLog {
    entries: VecDeque<Kept>,
    sent: HashSet<(PersonId, String)>,
    bytes: usize,
}

/// Whether a client's id of a message can be used.
pub(crate) fn is_cid(cid: &str) -> bool {
    (1..=MAX_CID).contains(&cid.len()) && cid.bytes().all(|b| b.is_ascii_graphic())
}

impl ChatLog {
    /// Whether this message of this author is known already.
    pub(crate) fn knows(&self, from: &PersonId, cid: &str) -> bool {
        self.sent.contains(&(from.clone(), cid.to_owned()))
    }

    pub(crate) fn push(&mut self, entry: ChatEntry) {
        self.bytes += entry.text.len();
        self.sent.insert((entry.from.clone(), entry.cid.clone()));
        self.entries.push_back(Kept { entry, gone: false });
        while self.entries.len() > CHAT_KEPT || self.bytes > CHAT_KEPT_BYTES {
            let Some(Kept { entry: old, .. }) = self.entries.pop_front() else {
                break;
            };
            self.bytes = self.bytes.saturating_sub(old.text.len());
            self.sent.remove(&(old.from, old.cid));
        }
    }

    /// Author of a message, and whether it is deleted already.
    pub(crate) fn find(&self, id: &ChatId) -> Option<(&PersonId, bool)> {
        let kept = self.entries.iter().rfind(|kept| kept.entry.id == *id)?;
        Some((&kept.entry.from, kept.gone))
    }

    /// Takes the text of a message away.
    pub(crate) fn delete(&mut self, id: &ChatId) {
        if let Some(kept) = self.entries.iter_mut().rfind(|kept| kept.entry.id == *id) {
            self.bytes = self.bytes.saturating_sub(kept.entry.text.len());
            kept.entry.text.clear();
            kept.gone = true;
        }
    }

    /// The last entries, oldest first, and whether older ones can be asked for.
    pub(crate) fn tail(&self) -> (Vec<ChatEntry>, bool) {
        self.page(self.entries.len())
    }

    /// The entries before `id`, or `None` when it is not kept.
    pub(crate) fn before(&self, id: &ChatId) -> Option<(Vec<ChatEntry>, bool)> {
        let end = self.entries.iter().rposition(|kept| kept.entry.id == *id)?;
        Some(self.page(end))
    }

    fn page(&self, end: usize) -> (Vec<ChatEntry>, bool) {
        let mut bytes = 0;
        let mut taken = Vec::new();
        let mut more = false;
        for kept in self
            .entries
            .iter()
            .take(end)
            .rev()
            .filter(|kept| !kept.gone)
        {
            bytes += json_len(&kept.entry.text);
            if taken.len() >= CHAT_PAGE || bytes > CHAT_FRAME_BYTES {
                more = true;
                break;
            }
            taken.push(kept.entry.clone());
        }
        taken.reverse();
        (taken, more)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lophoc_protocol::Role;
    use lophoc_protocol::limits::MAX_CHAT;

    fn entry(n: usize, text: String) -> ChatEntry {
        ChatEntry {
            id: ChatId(format!("c{n}")),
            from: PersonId::from("p1"),
            name: "An".into(),
            role: Role::Learner,
            text,
            at: 0,
            cid: n.to_string(),
            to: lophoc_protocol::talk::Audience::All,
            to_name: None,
        }
    }

    #[test]
    fn pages_reach_back_to_the_first_kept_entry() {
        let mut log = ChatLog::default();
        for n in 0..250 {
            log.push(entry(n, "x".into()));
        }
        let (tail, more) = log.tail();
        assert_eq!((tail.len(), tail[0].id.as_str(), more), (100, "c150", true));
        let (page, more) = log.before(&tail[0].id).unwrap();
        assert_eq!((page.len(), page[0].id.as_str(), more), (100, "c50", true));
        let (page, more) = log.before(&page[0].id).unwrap();
        assert_eq!((page.len(), page[0].id.as_str(), more), (50, "c0", false));
        assert_eq!(log.before(&ChatId::from("c999")), None);
    }

    #[test]
    fn what_was_deleted_is_on_no_page_and_still_a_place_to_page_from() {
        let mut log = ChatLog::default();
        for n in 0..150 {
            log.push(entry(n, "x".into()));
        }
        log.delete(&ChatId::from("c149"));
        log.delete(&ChatId::from("c49"));
        let (tail, more) = log.tail();
        assert_eq!((tail.len(), tail[0].id.as_str(), more), (100, "c48", true));
        let (page, more) = log.before(&ChatId::from("c49")).unwrap();
        assert_eq!((page.len(), more), (49, false));
        assert!(log.knows(&PersonId::from("p1"), "49"));
        assert_eq!(
            log.find(&ChatId::from("c49")),
            Some((&PersonId::from("p1"), true))
        );
        for n in 0..49 {
            log.delete(&ChatId(format!("c{n}")));
        }
        assert_eq!(log.before(&ChatId::from("c50")), Some((vec![], false)));
    }

    #[test]
    fn memory_is_bounded_in_entries_and_in_bytes() {
        let mut log = ChatLog::default();
        for n in 0..CHAT_KEPT + 5 {
            log.push(entry(n, "x".into()));
        }
        assert_eq!(log.entries.len(), CHAT_KEPT);
        assert!(!log.knows(&PersonId::from("p1"), "4"));
        assert!(log.knows(&PersonId::from("p1"), "5"));
        for n in 0..2_000 {
            log.push(entry(10_000 + n, "ệ".repeat(MAX_CHAT)));
        }
        assert!(log.bytes <= CHAT_KEPT_BYTES && log.sent.len() == log.entries.len());
    }

    #[test]
    fn a_page_of_the_longest_messages_fits_a_frame() {
        let mut log = ChatLog::default();
        for n in 0..100 {
            log.push(entry(n, "\n".repeat(MAX_CHAT)));
        }
        let (tail, more) = log.tail();
        assert!(more && !tail.is_empty());
        assert!(serde_json::to_string(&tail).unwrap().len() < 100_000);
    }

    #[test]
    fn client_ids_are_short_and_printable() {
        assert!(is_cid("5f0c3a52-8f0e-4a55-9d2b-0f8f2b7f6f10"));
        assert!(!is_cid("") && !is_cid("a b") && !is_cid("é") && !is_cid(&"x".repeat(65)));
    }
}
