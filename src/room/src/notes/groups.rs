//! The texts of breakout groups: each opening of groups begins new ones, and those of
//! before stay for staff to read. Whoever is in a group reads and writes its text;
//! staff read and write all, so that somebody can take away what must not stand.

use std::collections::BTreeMap;
use std::sync::Arc;

use lophoc_ledger::{Event, EventKind};
use lophoc_protocol::notes::{GroupNotes as Listed, NoteEdit};
use lophoc_protocol::{
    Action, ErrorCode, GroupNo, NotesId, PersonId, RoomMode, ServerFrame, ServerMessage,
};

use super::op::Op;
use super::text::{GROUP, Notes};
use super::{in_order, read_op};
use crate::api::{Effect, LinkId};
use crate::bounds::{GROUP_NOTES_LATE_MS, GROUPS_NOTES, GROUPS_NOTES_BYTES, KEEP_MS};
use crate::person::Member;
use crate::rights::allowed;
use crate::room::Room;

/// How often groups had been opened, and the number of the group.
pub(crate) type TextNo = (u32, GroupNo);

/// As it is called on the wire.
pub(crate) fn notes_id((round, group): TextNo) -> NotesId {
    NotesId::of(round, group)
}

/// The text of a group somebody left.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LeftNotes {
    pub text: TextNo,
    /// Since when he can hand in the rest, monotonic; absent while he is not connected.
    pub since_ms: Option<u64>,
}

/// The text of one group.
#[derive(Debug)]
pub(crate) struct Sheet {
    /// Name of the group.
    pub name: String,
    /// When it was opened, ms since the epoch.
    pub at_ms: u64,
    pub notes: Notes,
}

impl Sheet {
    /// Somebody wrote on it.
    fn is_begun(&self) -> bool {
        self.notes.rev() > 0
    }
}

/// The texts of all groups there were.
#[derive(Debug, Default)]
pub(crate) struct GroupNotes {
    /// How often groups were opened.
    round: u32,
    /// Those of the last opening, and of those before what was written on. Bounded by
    /// [`GROUPS_NOTES`] and the number of groups.
    texts: BTreeMap<TextNo, Sheet>,
    ever_bytes: usize,
}

impl GroupNotes {
    /// Groups of these names are opened.
    pub(crate) fn open(&mut self, names: &[String], at_ms: u64) {
        self.round = self.round.saturating_add(1);
        self.texts.retain(|_, sheet| sheet.is_begun());
        for (group, name) in (1..=u8::MAX).map(GroupNo).zip(names) {
            self.texts.entry((self.round, group)).or_insert(Sheet {
                name: name.clone(),
                at_ms,
                notes: Notes::new(GROUP),
            });
        }
    }

    pub(crate) fn get(&self, no: TextNo) -> Option<&Sheet> {
        self.texts.get(&no)
    }

    /// Whether one more edit of it can be kept; else a bound is reached for good.
    pub(crate) fn has_place(&self, no: TextNo) -> bool {
        let begun = || self.texts.values().filter(|sheet| sheet.is_begun()).count();
        self.ever_bytes < GROUPS_NOTES_BYTES
            && (self.get(no).is_some_and(Sheet::is_begun) || begun() < GROUPS_NOTES)
    }

    pub(crate) fn take(&mut self, no: TextNo, edit: NoteEdit, op: Op, text: String) {
        if let Some(sheet) = self.texts.get_mut(&no) {
            let before = sheet.notes.ever_bytes();
            sheet.notes.take(edit, op, text);
            self.ever_bytes += sheet.notes.ever_bytes() - before;
        }
    }

    fn list(&self) -> Vec<Listed> {
        let row = |(no, sheet): (&TextNo, &Sheet)| Listed {
            of: notes_id(*no),
            name: sheet.name.clone(),
            at: sheet.at_ms,
        };
        self.texts.iter().map(row).collect()
    }
}

impl Room {
    /// The text of the group somebody is in now.
    pub(crate) fn text_of(&self, member: &Member) -> Option<TextNo> {
        let no = (self.group_notes.round, self.place_of(member)?);
        self.group_notes.get(no).map(|_| no)
    }

    /// Whether somebody may read the text of a group.
    pub(super) fn may_read(&self, member: &Member, no: TextNo) -> bool {
        member.role.is_staff() || self.text_of(member) == Some(no)
    }

    /// Whether he may, or left the group just now: his page holds what he wrote last.
    pub(super) fn may_hand_in(&self, member: &Member, no: TextNo) -> bool {
        let left = member.left_notes.filter(|left| left.text == no);
        let since_ms = left.and_then(|left| left.since_ms);
        self.may_read(member, no)
            || since_ms.is_some_and(|ms| self.now.mono_ms.saturating_sub(ms) <= GROUP_NOTES_LATE_MS)
    }

    /// The gate before an edit. In their group all write whom the table of rights lets
    /// write at all: what is permitted to learners is about the text of the whole room.
    pub(super) fn need_group_notes(&self, me: &PersonId, no: TextNo) -> Result<(), ErrorCode> {
        let member = self.roster.present(me).ok_or(ErrorCode::NotFound)?;
        let writes = allowed(member.role, RoomMode::Discussion, false, Action::Notes);
        if writes && self.may_hand_in(member, no) {
            Ok(())
        } else {
            Err(ErrorCode::Forbidden)
        }
    }

    /// Tells an edit to those who look at the text.
    pub(super) fn tell_edit(&mut self, no: TextNo, edit: &NoteEdit) {
        let reads = |member: &&Member| member.reads == Some(no) && self.may_read(member, no);
        let readers = self.roster.iter().filter(reads);
        let links: Vec<LinkId> = readers.filter_map(Member::link).collect();
        let msg = ServerMessage::Notes {
            of: Some(notes_id(no)),
            edit: edit.clone(),
        };
        let frame = Arc::new(ServerFrame {
            seq: None,
            id: None,
            msg,
        });
        if !links.is_empty() {
            self.out.push(Effect::SendTo { links, frame });
        }
    }

    /// The texts there are, for who reads all of them.
    pub(crate) fn notes_mine(&self, to: &PersonId) -> Option<ServerMessage> {
        self.roster
            .get(to)
            .filter(|member| member.role.is_staff())?;
        self.notes_anew(to)
    }

    /// The same after his role changed: no longer any, where he no longer reads them.
    pub(crate) fn notes_anew(&self, to: &PersonId) -> Option<ServerMessage> {
        let mut list = self.group_notes.list();
        if list.is_empty() {
            return None;
        }
        if !self.roster.get(to)?.role.is_staff() {
            list.clear();
        }
        Some(ServerMessage::NotesList { list })
    }

    /// There are new ones.
    pub(crate) fn tell_notes(&mut self) {
        let staff = self.roster.iter().filter(|member| member.role.is_staff());
        let staff: Vec<PersonId> = staff.map(|member| member.id.clone()).collect();
        for id in staff {
            if let Some(msg) = self.notes_mine(&id) {
                self.tell(&id, msg);
            }
        }
    }

    /// Somebody left this group, at that time of the wall clock.
    pub(crate) fn leave_notes(&mut self, id: &PersonId, group: Option<GroupNo>, at_ms: u64) {
        let text = group.map(|group| (self.group_notes.round, group));
        let Some(text) = text.filter(|_| self.breakout.is_open()) else {
            return;
        };
        if self.now.wall_ms.saturating_sub(at_ms) > KEEP_MS {
            return;
        }
        let now_ms = self.now.mono_ms;
        if let Some(member) = self.roster.get_mut(id) {
            let since_ms = member.link().map(|_| now_ms);
            member.left_notes = Some(LeftNotes { text, since_ms });
        }
    }

    /// Everybody leaves the group he is in.
    pub(crate) fn leave_all_notes(&mut self, at_ms: u64) {
        for id in self.roster.ids() {
            let group = self.roster.get(&id).and_then(|member| member.group);
            self.leave_notes(&id, group, at_ms);
        }
    }

    /// The text of a group as it is, for tests and figures.
    pub fn group_notes(&self, of: &NotesId) -> Option<(u32, &str)> {
        let notes = &self.group_notes.get(of.parts()?)?.notes;
        Some((notes.rev(), notes.text()))
    }
}

/// The text of a group as the events of a session left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupText {
    /// Its id.
    pub of: NotesId,
    /// Name of the group.
    pub name: String,
    /// When it was opened, ms since the epoch.
    pub at_ms: u64,
    /// All of it.
    pub text: String,
}

/// The texts of groups somebody wrote, in order of opening and number.
pub fn group_notes_of(events: &[Event]) -> Vec<GroupText> {
    let mut names: &[String] = &[];
    let mut open = false;
    let mut round = 0_u32;
    let mut texts: BTreeMap<TextNo, (GroupText, bool)> = BTreeMap::new();
    for event in in_order(events) {
        match &event.kind {
            EventKind::GroupsMade { names: made, .. } => {
                names = made;
                open = false;
            }
            EventKind::GroupsOpen { on: true, .. } if !open => {
                open = true;
                round = round.saturating_add(1);
                for (group, name) in (1..=u8::MAX).map(GroupNo).zip(names) {
                    let text = GroupText {
                        of: notes_id((round, group)),
                        name: name.clone(),
                        at_ms: event.at.wall_ms,
                        text: String::new(),
                    };
                    texts.insert((round, group), (text, false));
                }
            }
            EventKind::GroupsOpen { on: false, .. } => {
                names = &[];
                open = false;
            }
            EventKind::GroupNotesEdited {
                round, group, op, ..
            } => {
                if let Some((sheet, written)) = texts.get_mut(&(*round, GroupNo(*group)))
                    && let Some(op) = read_op(op)
                    && let Some(text) = op.apply(&sheet.text)
                {
                    sheet.text = text;
                    *written = true;
                }
            }
            _ => {}
        }
    }
    let written = texts.into_values().filter(|(_, written)| *written);
    written.map(|(sheet, _)| sheet).collect()
}
