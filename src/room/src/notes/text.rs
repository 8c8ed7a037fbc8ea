//! One text: its last edits, who made them, and how an edit to an earlier version
//! becomes part of it.

use std::collections::{HashMap, VecDeque};

use lophoc_protocol::notes::{NoteAuthor, NoteEdit};
use lophoc_protocol::{ErrorCode, PersonId};

use super::op::Op;
use crate::bounds::{
    GROUP_NOTES_EVER, GROUP_NOTES_EVER_BYTES, GROUP_NOTES_KEPT, GROUP_NOTES_KEPT_BYTES,
    NOTES_AUTHORS, NOTES_EVER, NOTES_EVER_BYTES, NOTES_KEPT, NOTES_KEPT_BYTES, NOTES_STEPS_CARRIED,
};
use crate::slides::json_len;

/// How much of a text is kept in memory, and how much there ever is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    kept: usize,
    kept_bytes: usize,
    ever: u32,
    ever_bytes: usize,
}

/// Of the text of the whole room.
const ROOM: Bounds = Bounds {
    kept: NOTES_KEPT,
    kept_bytes: NOTES_KEPT_BYTES,
    ever: NOTES_EVER,
    ever_bytes: NOTES_EVER_BYTES,
};

/// Of the text of a group.
pub(crate) const GROUP: Bounds = Bounds {
    kept: GROUP_NOTES_KEPT,
    kept_bytes: GROUP_NOTES_KEPT_BYTES,
    ever: GROUP_NOTES_EVER,
    ever_bytes: GROUP_NOTES_EVER_BYTES,
};

/// A text.
#[derive(Debug)]
pub(crate) struct Notes {
    bounds: Bounds,
    text: String,
    chars: usize,
    rev: u32,
    /// The last edits, as many as are kept.
    edits: VecDeque<(NoteEdit, Op, usize)>,
    bytes: usize,
    /// Bytes of all edits there ever were.
    ever_bytes: usize,
    /// Who edited, and the last edit of each. Bounded by [`NOTES_AUTHORS`].
    authors: HashMap<PersonId, (NoteAuthor, String)>,
}

impl Default for Notes {
    fn default() -> Self {
        Self::new(ROOM)
    }
}

impl Notes {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            text: String::new(),
            chars: 0,
            rev: 0,
            edits: VecDeque::new(),
            bytes: 0,
            ever_bytes: 0,
            authors: HashMap::new(),
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Length of the text, Unicode scalar values.
    pub(crate) fn chars(&self) -> usize {
        self.chars
    }

    /// The version; 0 = nothing was written.
    pub(crate) fn rev(&self) -> u32 {
        self.rev
    }

    pub(crate) fn ever_bytes(&self) -> usize {
        self.ever_bytes
    }

    /// `cid` of the last edit of somebody.
    pub(crate) fn last_of(&self, who: &PersonId) -> Option<&str> {
        self.authors.get(who).map(|(_, cid)| cid.as_str())
    }

    pub(crate) fn knows(&self, who: &PersonId, cid: &str) -> bool {
        self.last_of(who) == Some(cid)
    }

    /// The edits after a version; `None` when they are no longer all kept.
    pub(crate) fn since(&self, rev: u32) -> Option<impl Iterator<Item = &(NoteEdit, Op, usize)>> {
        let missed = usize::try_from(self.rev.checked_sub(rev)?).ok()?;
        let skip = self.edits.len().checked_sub(missed)?;
        Some(self.edits.iter().skip(skip))
    }

    /// An edit made to the version `rev`, as it is now, and the text after it.
    pub(crate) fn carried(&self, rev: u32, op: Op) -> Result<(Op, String), ErrorCode> {
        // Also where there is no such version: it was told, and lost when the server
        // died before it was kept.
        let since = self.since(rev).ok_or(ErrorCode::Conflict)?;
        // Each edit it is carried over may cut it into more pieces, and every piece
        // is carried over all that follow: beyond the bound it costs too much.
        let op = since
            .map(|(_, first, _)| first)
            .try_fold(op, |op, first| {
                let op = op.after(first);
                (op.len() <= NOTES_STEPS_CARRIED).then_some(op)
            })
            .ok_or(ErrorCode::Conflict)?;
        let text = op.apply(&self.text).ok_or(ErrorCode::BadRequest)?;
        Ok((op, text))
    }

    pub(crate) fn take(&mut self, edit: NoteEdit, op: Op, text: String) {
        self.chars = text.chars().count();
        self.text = text;
        self.rev = edit.rev;
        let author = NoteAuthor {
            who: edit.who.clone(),
            name: edit.name.clone(),
            at: edit.at,
        };
        self.authors
            .insert(edit.who.clone(), (author, edit.cid.clone()));
        let bytes = json_len(&edit);
        self.bytes += bytes;
        self.ever_bytes = self.ever_bytes.saturating_add(bytes);
        self.edits.push_back((edit, op, bytes));
        while self.edits.len() > self.bounds.kept || self.bytes > self.bounds.kept_bytes {
            let Some((_, _, bytes)) = self.edits.pop_front() else {
                break;
            };
            self.bytes = self.bytes.saturating_sub(bytes);
        }
    }

    /// Whether somebody may edit once more; else a bound is reached for good.
    pub(crate) fn has_place(&self, who: &PersonId) -> bool {
        self.rev < self.bounds.ever
            && self.ever_bytes < self.bounds.ever_bytes
            && (self.authors.len() < NOTES_AUTHORS || self.authors.contains_key(who))
    }

    /// Those who edited, the last first.
    pub(crate) fn authors(&self) -> Vec<NoteAuthor> {
        let mut list: Vec<NoteAuthor> = self.authors.values().map(|(a, _)| a.clone()).collect();
        list.sort_by(|a, b| (b.at, &a.who).cmp(&(a.at, &b.who)));
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lophoc_protocol::limits::MAX_NOTES_EDIT;
    use lophoc_protocol::notes::NoteStep;

    #[test]
    fn what_edits_leave_in_the_ledger_is_bounded() {
        fill(Notes::default(), NOTES_EVER, NOTES_EVER_BYTES);
        fill(Notes::new(GROUP), GROUP_NOTES_EVER, GROUP_NOTES_EVER_BYTES);
    }

    fn fill(mut notes: Notes, ever: u32, ever_bytes: usize) {
        let me = PersonId::from("p1");
        let text = "\u{1ec7}".repeat(MAX_NOTES_EDIT);
        let steps = vec![
            NoteStep::Put(text.clone()),
            NoteStep::Count(-(MAX_NOTES_EDIT as i32)),
        ];
        let mut bytes = 0;
        while notes.has_place(&me) {
            let edit = NoteEdit {
                rev: notes.rev + 1,
                who: me.clone(),
                name: "An".to_owned(),
                cid: format!("{}", notes.rev),
                at: 0,
                op: steps.clone(),
            };
            bytes += json_len(&edit);
            assert!(bytes <= 2 * ever_bytes, "{} edits", notes.rev);
            notes.take(edit, Op::default(), text.clone());
        }
        assert!(notes.rev < ever);
    }
}
