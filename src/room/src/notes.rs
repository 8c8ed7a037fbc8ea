//! Shared notes: a text of the whole room, and one of each breakout group, edited
//! by several at a time. Edits are numbered in the order in which they came here;
//! one made to an earlier version is carried over those that came before it.

use lophoc_ledger::{Event, EventKind};
use lophoc_protocol::limits::{MAX_NOTES, MAX_NOTES_EDIT, MAX_NOTES_STEPS};
use lophoc_protocol::notes::{NoteEdit, NoteStep};
use lophoc_protocol::{
    Action, ClientMessage, ErrorCode, GroupNo, NotesId, PersonId, ServerMessage,
};

use crate::act::{Done, Outcome};
use crate::bounds::NOTES_FRAME_BYTES;
use crate::chat::is_cid;
use crate::room::{Room, key_of};
use crate::text::is_bidi;

mod groups;
mod op;
mod text;

pub(crate) use groups::{GroupNotes, LeftNotes, TextNo, notes_id};
pub use groups::{GroupText, group_notes_of};
pub use op::{Op, Step};
pub(crate) use text::Notes;

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
            ClientMessage::NotesGet { of, after } => self.notes_get(me, of.as_ref(), after),
            ClientMessage::NotesEdit { of, cid, rev, op } => {
                self.notes_edit(me, of.as_ref(), cid, rev, &op)
            }
            _ => Err(ErrorCode::BadRequest),
        }
    }

    /// The text that is meant; `None` = that of the whole room.
    fn text_no(&self, of: Option<&NotesId>) -> Result<Option<TextNo>, ErrorCode> {
        let Some(of) = of else { return Ok(None) };
        let no = of.parts().filter(|no| self.group_notes.get(*no).is_some());
        no.map(Some).ok_or(ErrorCode::NotFound)
    }

    fn text(&self, no: Option<TextNo>) -> Option<&Notes> {
        no.map_or(Some(&self.notes), |no| {
            self.group_notes.get(no).map(|text| &text.notes)
        })
    }

    fn notes_get(&mut self, me: &PersonId, of: Option<&NotesId>, after: Option<u32>) -> Outcome {
        let no = self.text_no(of)?;
        if let Some(no) = no {
            let member = self.roster.present(me).ok_or(ErrorCode::NotFound)?;
            if !self.may_hand_in(member, no) {
                return Err(ErrorCode::Forbidden);
            }
            let reads = self.may_read(member, no);
            if let Some(member) = self.roster.get_mut(me).filter(|_| reads) {
                member.reads = Some(no);
            }
        }
        let page = self.notes_page(me, no, after);
        page.map(Done::Reply).ok_or(ErrorCode::NotFound)
    }

    fn notes_page(
        &self,
        me: &PersonId,
        no: Option<TextNo>,
        after: Option<u32>,
    ) -> Option<ServerMessage> {
        let notes = self.text(no)?;
        let mut bytes = 0;
        let ops: Option<Vec<NoteEdit>> = after.and_then(|rev| notes.since(rev)).and_then(|since| {
            since
                .map(|(edit, _, size)| {
                    bytes += size;
                    (bytes <= NOTES_FRAME_BYTES).then(|| edit.clone())
                })
                .collect()
        });
        Some(ServerMessage::NotesPage {
            of: no.map(notes_id),
            rev: notes.rev(),
            text: ops.is_none().then(|| notes.text().to_owned()),
            ops: ops.unwrap_or_default(),
            by: notes.authors(),
            mine: notes.last_of(me).map(str::to_owned),
        })
    }

    fn notes_edit(
        &mut self,
        me: &PersonId,
        of: Option<&NotesId>,
        cid: String,
        rev: u32,
        op: &[NoteStep],
    ) -> Outcome {
        if !is_cid(&cid) {
            return Err(ErrorCode::BadRequest);
        }
        let no = self.text_no(of)?;
        let notes = self.text(no).ok_or(ErrorCode::NotFound)?;
        // Before the right: a repeat of what was taken is harmless.
        if notes.knows(me, &cid) {
            return Ok(Done::Ok);
        }
        match no {
            None => self.need(me, Action::Notes)?,
            Some(no) => self.need_group_notes(me, no)?,
        }
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
        let (op, text) = notes.carried(rev, op)?;
        let chars = text.chars().count();
        if chars > MAX_NOTES && chars > notes.chars() {
            return Err(ErrorCode::Full);
        }
        if !notes.has_place(me) || no.is_some_and(|no| !self.group_notes.has_place(no)) {
            return Err(ErrorCode::Full);
        }
        let edit = NoteEdit {
            rev: notes.rev() + 1,
            who: me.clone(),
            name: self.name_of(me),
            cid,
            at: self.now.wall_ms,
            op: op.write(),
        };
        let (person, cid) = (key_of(me), edit.cid.clone());
        let steps = serde_json::to_value(&edit.op).unwrap_or_default();
        match no {
            None => {
                self.record(EventKind::NotesEdited {
                    person,
                    cid,
                    op: steps,
                });
                self.notes.take(edit.clone(), op, text);
                self.broadcast(ServerMessage::Notes { of: None, edit });
            }
            Some(no) => {
                self.record(EventKind::GroupNotesEdited {
                    person,
                    round: no.0,
                    group: no.1.0,
                    cid,
                    op: steps,
                });
                self.group_notes.take(no, edit.clone(), op, text);
                self.tell_edit(no, &edit);
            }
        }
        Ok(Done::Ok)
    }

    /// Version of the notes, for `state`; 0 = nothing was written.
    pub fn notes_rev(&self) -> u32 {
        self.notes.rev()
    }

    /// The notes as they are.
    pub fn notes(&self) -> &str {
        self.notes.text()
    }

    /// Takes up an edit from the ledger: as it was carried when it came.
    pub(crate) fn replay_notes(&mut self, event: &Event) {
        let (no, person, cid, op) = match &event.kind {
            EventKind::NotesEdited { person, cid, op } => (None, person, cid, op),
            EventKind::GroupNotesEdited {
                person,
                round,
                group,
                cid,
                op,
            } => (Some((*round, GroupNo(*group))), person, cid, op),
            _ => return,
        };
        let Ok(steps) = serde_json::from_value::<Vec<NoteStep>>(op.clone()) else {
            return;
        };
        let op = Op::read(&steps);
        let Some(notes) = self.text(no) else { return };
        let Some(text) = op.apply(notes.text()) else {
            return;
        };
        let who = PersonId(person.0.clone());
        let edit = NoteEdit {
            rev: notes.rev().saturating_add(1),
            name: self.name_of(&who),
            who,
            cid: cid.clone(),
            at: event.at.wall_ms,
            op: steps,
        };
        match no {
            None => self.notes.take(edit, op, text),
            Some(no) => self.group_notes.take(no, edit, op, text),
        }
    }
}

/// Steps of an edit, as they stand in the ledger.
fn read_op(op: &serde_json::Value) -> Option<Op> {
    let steps: Vec<NoteStep> = serde_json::from_value(op.clone()).ok()?;
    Some(Op::read(&steps))
}

/// The events of a session in their order, each once.
fn in_order(events: &[Event]) -> Vec<&Event> {
    let mut ordered: Vec<&Event> = events.iter().collect();
    ordered.sort_by_key(|event| event.seq);
    ordered.dedup_by_key(|event| event.seq);
    ordered
}

/// The notes of the whole room as the events of a session left them; `None` when
/// nobody wrote any.
pub fn notes_of(events: &[Event]) -> Option<String> {
    in_order(events)
        .into_iter()
        .filter_map(|event| match &event.kind {
            EventKind::NotesEdited { op, .. } => read_op(op),
            _ => None,
        })
        .fold(None, |text: Option<String>, op| {
            let before = text.unwrap_or_default();
            Some(op.apply(&before).unwrap_or(before))
        })
}
