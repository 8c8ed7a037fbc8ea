//! Shared notes: one text, edited by several at a time. Edits are numbered in
//! the order in which they came here; one made to an earlier version is carried
//! over those that came before it.

use std::collections::{HashMap, VecDeque};

use lophoc_ledger::{Event, EventKind};
use lophoc_protocol::limits::{MAX_NOTES, MAX_NOTES_EDIT, MAX_NOTES_STEPS};
use lophoc_protocol::notes::{NoteAuthor, NoteEdit, NoteStep};
use lophoc_protocol::{Action, ClientMessage, ErrorCode, PersonId, ServerMessage};

use crate::act::{Done, Outcome};
use crate::bounds::{
    NOTES_AUTHORS, NOTES_EVER, NOTES_EVER_BYTES, NOTES_FRAME_BYTES, NOTES_KEPT, NOTES_KEPT_BYTES,
    NOTES_STEPS_CARRIED,
};
use crate::chat::is_cid;
use crate::room::{Room, key_of};
use crate::slides::json_len;
use crate::text::is_bidi;

mod op;

pub use op::{Op, Step};

/// The notes of a room.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    text: String,
    chars: usize,
    rev: u32,
    /// The last edits, bounded by [`NOTES_KEPT`] and [`NOTES_KEPT_BYTES`].
    edits: VecDeque<(NoteEdit, Op, usize)>,
    bytes: usize,
    /// Bytes of all edits there ever were, as [`NOTES_EVER_BYTES`] counts them.
    ever_bytes: usize,
    /// Who edited, and the last edit of each. Bounded by [`NOTES_AUTHORS`].
    authors: HashMap<PersonId, (NoteAuthor, String)>,
}

impl Notes {
    fn knows(&self, who: &PersonId, cid: &str) -> bool {
        self.authors.get(who).is_some_and(|(_, last)| last == cid)
    }

    /// The edits after a version; `None` when they are no longer all kept.
    fn since(&self, rev: u32) -> Option<impl Iterator<Item = &(NoteEdit, Op, usize)>> {
        let missed = usize::try_from(self.rev.checked_sub(rev)?).ok()?;
        let skip = self.edits.len().checked_sub(missed)?;
        Some(self.edits.iter().skip(skip))
    }

    /// An edit made to the version `rev`, as it is now, and the text after it.
    fn carried(&self, rev: u32, op: Op) -> Result<(Op, String), ErrorCode> {
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

    fn take(&mut self, edit: NoteEdit, op: Op, text: String) {
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
        while self.edits.len() > NOTES_KEPT || self.bytes > NOTES_KEPT_BYTES {
            let Some((_, _, bytes)) = self.edits.pop_front() else {
                break;
            };
            self.bytes = self.bytes.saturating_sub(bytes);
        }
    }

    /// Whether somebody may edit once more; else a bound is reached for good.
    fn has_place(&self, who: &PersonId) -> bool {
        self.rev < NOTES_EVER
            && self.ever_bytes < NOTES_EVER_BYTES
            && (self.authors.len() < NOTES_AUTHORS || self.authors.contains_key(who))
    }

    /// Those who edited, the last first.
    fn authors(&self) -> Vec<NoteAuthor> {
        let mut list: Vec<NoteAuthor> = self.authors.values().map(|(a, _)| a.clone()).collect();
        list.sort_by(|a, b| (b.at, &a.who).cmp(&(a.at, &b.who)));
        list
    }
}

/// Whether a text may be put in: nothing that is not to be seen. What came is not
/// cleaned, because its author has it as he sent it.
fn is_clean(text: &str) -> bool {
    text.chars()
        .all(|c| (c == '\n' || c == '\t' || !c.is_control()) && !is_bidi(c))
}

impl Room {
    /// `notes…`.
    pub(crate) fn notes_act(&mut self, me: &PersonId, msg: ClientMessage) -> Outcome {
        match msg {
            ClientMessage::NotesGet { after } => Ok(Done::Reply(self.notes_page(me, after))),
            ClientMessage::NotesEdit { cid, rev, op } => self.notes_edit(me, cid, rev, &op),
            _ => Err(ErrorCode::BadRequest),
        }
    }

    fn notes_page(&self, me: &PersonId, after: Option<u32>) -> ServerMessage {
        let notes = &self.notes;
        let mut bytes = 0;
        let ops: Option<Vec<NoteEdit>> = after.and_then(|rev| notes.since(rev)).and_then(|since| {
            since
                .map(|(edit, _, size)| {
                    bytes += size;
                    (bytes <= NOTES_FRAME_BYTES).then(|| edit.clone())
                })
                .collect()
        });
        ServerMessage::NotesPage {
            rev: notes.rev,
            text: ops.is_none().then(|| notes.text.clone()),
            ops: ops.unwrap_or_default(),
            by: notes.authors(),
            mine: notes.authors.get(me).map(|(_, cid)| cid.clone()),
        }
    }

    fn notes_edit(&mut self, me: &PersonId, cid: String, rev: u32, op: &[NoteStep]) -> Outcome {
        if !is_cid(&cid) {
            return Err(ErrorCode::BadRequest);
        }
        // Before the right: a repeat of what was taken is harmless.
        if self.notes.knows(me, &cid) {
            return Ok(Done::Ok);
        }
        self.need(me, Action::Notes)?;
        if op.len() > MAX_NOTES_STEPS {
            return Err(ErrorCode::TooLarge);
        }
        let op = Op::read(op);
        if !op.put().all(is_clean) {
            return Err(ErrorCode::BadRequest);
        }
        let put: usize = op.put().map(|text| text.chars().count()).sum();
        if put > MAX_NOTES_EDIT {
            return Err(ErrorCode::TooLarge);
        }
        let (op, text) = self.notes.carried(rev, op)?;
        let chars = text.chars().count();
        if chars > MAX_NOTES && chars > self.notes.chars {
            return Err(ErrorCode::Full);
        }
        if !self.notes.has_place(me) {
            return Err(ErrorCode::Full);
        }
        let edit = NoteEdit {
            rev: self.notes.rev + 1,
            who: me.clone(),
            name: self.name_of(me),
            cid,
            at: self.now.wall_ms,
            op: op.write(),
        };
        self.record(EventKind::NotesEdited {
            person: key_of(me),
            cid: edit.cid.clone(),
            op: serde_json::to_value(&edit.op).unwrap_or_default(),
        });
        self.notes.take(edit.clone(), op, text);
        self.broadcast(ServerMessage::Notes { edit });
        Ok(Done::Ok)
    }

    /// Version of the notes, for `state`; 0 = nothing was written.
    pub fn notes_rev(&self) -> u32 {
        self.notes.rev
    }

    /// The notes as they are.
    pub fn notes(&self) -> &str {
        &self.notes.text
    }

    /// Takes up an edit from the ledger: as it was carried when it came.
    pub(crate) fn replay_notes(&mut self, event: &Event) {
        if let EventKind::NotesEdited { person, cid, op } = &event.kind
            && let Ok(steps) = serde_json::from_value::<Vec<NoteStep>>(op.clone())
        {
            let op = Op::read(&steps);
            let Some(text) = op.apply(&self.notes.text) else {
                return;
            };
            let who = PersonId(person.0.clone());
            let edit = NoteEdit {
                rev: self.notes.rev.saturating_add(1),
                name: self.name_of(&who),
                who,
                cid: cid.clone(),
                at: event.at.wall_ms,
                op: steps,
            };
            self.notes.take(edit, op, text);
        }
    }
}

/// The notes as the events of a session left them; `None` when nobody wrote any.
pub fn notes_of(events: &[Event]) -> Option<String> {
    let mut ordered: Vec<&Event> = events.iter().collect();
    ordered.sort_by_key(|event| event.seq);
    ordered.dedup_by_key(|event| event.seq);
    ordered
        .into_iter()
        .filter_map(|event| match &event.kind {
            EventKind::NotesEdited { op, .. } => {
                serde_json::from_value::<Vec<NoteStep>>(op.clone()).ok()
            }
            _ => None,
        })
        .fold(None, |text: Option<String>, steps| {
            let before = text.unwrap_or_default();
            Some(Op::read(&steps).apply(&before).unwrap_or(before))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_edits_leave_in_the_ledger_is_bounded() {
        let mut notes = Notes::default();
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
            assert!(bytes <= 2 * NOTES_EVER_BYTES, "{} edits", notes.rev);
            notes.take(edit, Op::default(), text.clone());
        }
        assert!(notes.rev < NOTES_EVER);
    }
}
