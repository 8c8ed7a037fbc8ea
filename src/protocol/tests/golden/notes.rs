//! Messages of the shared notes.

use lophoc_protocol::notes::{NoteAuthor, NoteEdit, NoteStep};
use lophoc_protocol::{ClientFrame, ClientMessage, PersonId, ServerFrame, ServerMessage};

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
        asked("notesGet", M::NotesGet { after: None }),
        asked("notesGet-after", M::NotesGet { after: Some(38) }),
        asked(
            "notesEdit",
            M::NotesEdit {
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
        frame("notes", Some(52), None, M::Notes { edit: edit() }),
        frame(
            "notesPage",
            None,
            Some(19),
            M::NotesPage {
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
                rev: 41,
                text: None,
                ops: vec![edit()],
                by: vec![author()],
                mine: Some("n-12".into()),
            },
        ),
    ]
}
