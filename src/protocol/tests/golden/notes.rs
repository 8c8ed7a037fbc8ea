//! Messages of the shared notes.

use lophoc_protocol::notes::{GroupNotes, NoteAuthor, NoteEdit, NoteStep};
use lophoc_protocol::server::You;
use lophoc_protocol::{
    ClientFrame, ClientMessage, GroupNo, NotesId, PersonId, ServerFrame, ServerMessage,
};

use crate::fixtures::you;

fn steps() -> Vec<NoteStep> {
    vec![
        NoteStep::Count(12),
        NoteStep::Put("ví dụ".into()),
        NoteStep::Count(-5),
    ]
}

fn edit() -> NoteEdit {
    NoteEdit {
        rev: 41,
        who: PersonId::from("p1"),
        name: "Trần Văn Dạy".into(),
        cid: "n-12".into(),
        at: 1_790_000_000_000,
        op: steps(),
    }
}

fn group() -> NotesId {
    NotesId::of(2, GroupNo(1))
}

fn author() -> NoteAuthor {
    NoteAuthor {
        who: PersonId::from("p1"),
        name: "Trần Văn Dạy".into(),
        at: 1_790_000_000_000,
    }
}

pub fn client_samples() -> Vec<(&'static str, ClientFrame)> {
    use ClientMessage as M;
    let asked = |name, msg| (name, ClientFrame { id: Some(19), msg });
    vec![
        asked(
            "notesGet",
            M::NotesGet {
                of: None,
                after: None,
            },
        ),
        asked(
            "notesGet-after",
            M::NotesGet {
                of: None,
                after: Some(38),
            },
        ),
        asked(
            "notesGet-group",
            M::NotesGet {
                of: Some(group()),
                after: Some(38),
            },
        ),
        asked(
            "notesEdit",
            M::NotesEdit {
                of: None,
                cid: "n-12".into(),
                rev: 40,
                op: steps(),
            },
        ),
        asked(
            "notesEdit-group",
            M::NotesEdit {
                of: Some(group()),
                cid: "n-12".into(),
                rev: 40,
                op: steps(),
            },
        ),
    ]
}

pub fn server_samples() -> Vec<(&'static str, ServerFrame)> {
    use ServerMessage as M;
    let frame = |name, seq, id, msg| (name, ServerFrame { seq, id, msg });
    vec![
        frame(
            "notes",
            Some(52),
            None,
            M::Notes {
                of: None,
                edit: edit(),
            },
        ),
        frame(
            "notes-group",
            None,
            None,
            M::Notes {
                of: Some(group()),
                edit: edit(),
            },
        ),
        frame(
            "you-group",
            None,
            None,
            M::You(You {
                group: Some(GroupNo(1)),
                notes: Some(group()),
                token: None,
                ..you()
            }),
        ),
        frame(
            "notesList",
            None,
            None,
            M::NotesList {
                list: vec![
                    GroupNotes {
                        of: group(),
                        name: "Nhóm 1".into(),
                        at: 1_790_000_000_000,
                    },
                    GroupNotes {
                        of: NotesId::of(2, GroupNo(2)),
                        name: "Nhóm 2".into(),
                        at: 1_790_000_000_000,
                    },
                ],
            },
        ),
        frame(
            "notesPage",
            None,
            Some(19),
            M::NotesPage {
                of: None,
                rev: 41,
                text: Some("# Buổi 3\n- ví dụ".into()),
                ops: vec![],
                by: vec![author()],
                mine: None,
            },
        ),
        frame(
            "notesPage-ops",
            None,
            Some(19),
            M::NotesPage {
                of: None,
                rev: 41,
                text: None,
                ops: vec![edit()],
                by: vec![author()],
                mine: Some("n-12".into()),
            },
        ),
        frame(
            "notesPage-group",
            None,
            Some(19),
            M::NotesPage {
                of: Some(group()),
                rev: 41,
                text: Some("- ví dụ của nhóm".into()),
                ops: vec![],
                by: vec![author()],
                mine: None,
            },
        ),
    ]
}
