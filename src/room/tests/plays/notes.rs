//! Shared notes: who may edit, that everybody ends with the same text whatever
//! the order, and that nothing acknowledged is lost.

use lophoc_protocol::limits::{MAX_NOTES, MAX_NOTES_EDIT, MAX_NOTES_STEPS};
use lophoc_protocol::notes::{NoteEdit, NoteStep};
use lophoc_protocol::people::Permits;
use lophoc_room::bounds::{NOTES, NOTES_KEPT};
use lophoc_room::{Op, Step, notes_of};
use proptest::prelude::*;

use super::*;

fn keep(n: i32) -> NoteStep {
    NoteStep::Count(n)
}

fn put(text: &str) -> NoteStep {
    NoteStep::Put(text.into())
}

fn edit(cid: &str, rev: u32, op: &[NoteStep]) -> M {
    M::NotesEdit {
        of: None,
        cid: cid.into(),
        rev,
        op: op.to_vec(),
    }
}

fn class() -> (Play, LinkId, LinkId) {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    (play, trainer, learner)
}

fn open(play: &mut Play, link: LinkId, notes: bool) {
    let permits = Permits {
        notes,
        ..Permits::default()
    };
    play.ok(link, M::ModPermits { permits });
}

fn page(play: &mut Play, link: LinkId, after: Option<u32>) -> (u32, Option<String>, Vec<NoteEdit>) {
    match play.ask(link, M::NotesGet { of: None, after }) {
        ServerMessage::NotesPage { rev, text, ops, .. } => (rev, text, ops),
        other => panic!("{other:?}"),
    }
}

#[test]
fn staff_write_and_learners_when_it_is_opened_to_them() {
    let (mut play, trainer, learner) = class();
    play.ok(trainer, edit("a", 0, &[put("# Buổi 3")]));
    let hello = || edit("b", 1, &[keep(8), put("\nem")]);
    assert_eq!(play.refused(learner, hello()), ErrorCode::Forbidden);
    open(&mut play, trainer, true);
    play.wait(200);
    play.ok(learner, hello());
    open(&mut play, trainer, false);
    // What was taken is still acknowledged.
    play.ok(learner, hello());
    let more = edit("c", 2, &[put("x")]);
    assert_eq!(play.refused(learner, more.clone()), ErrorCode::Forbidden);
    let inspector = play.join("p3", Role::Inspector);
    assert_eq!(play.refused(inspector, more), ErrorCode::Forbidden);
    assert_eq!(play.room.notes(), "# Buổi 3\nem");
    assert_eq!(
        play.client(learner).notes.as_deref(),
        Some(play.room.notes())
    );
    let ServerMessage::NotesPage { by, mine, .. } = play.ask(
        inspector,
        M::NotesGet {
            of: None,
            after: None,
        },
    ) else {
        panic!("no page");
    };
    let names: Vec<_> = by.iter().map(|one| one.who.as_str()).collect();
    assert_eq!((names, mine), (vec!["p2", "p1"], None));
}

#[test]
fn an_edit_to_an_earlier_version_is_carried_over_those_before_it() {
    let (mut play, trainer, learner) = class();
    open(&mut play, trainer, true);
    play.ok(trainer, edit("a", 0, &[put("Một ba")]));
    play.ok(trainer, edit("b", 1, &[keep(4), put("hai ")]));
    play.ok(learner, edit("c", 1, &[keep(6), put("."), keep(0)]));
    play.ok(learner, edit("d", 2, &[keep(-3), put("1")]));
    assert_eq!(play.room.notes(), "1 hai ba.");
    let (rev, text, ops) = page(&mut play, learner, Some(2));
    assert_eq!((rev, text, ops.len()), (4, None, 2));
    assert_eq!(ops[0].op, [keep(10), put(".")]);
    let (rev, text, ops) = page(&mut play, learner, None);
    assert_eq!((rev, text.as_deref(), ops.len()), (4, Some("1 hai ba."), 0));
    // A version that never was: the whole text.
    assert_eq!(
        page(&mut play, learner, Some(9)).1.as_deref(),
        Some("1 hai ba.")
    );
}

#[test]
fn edits_are_bounded_and_nothing_unseen_gets_in() {
    let (mut play, trainer, _) = class();
    let long = "ệ".repeat(MAX_NOTES_EDIT + 1);
    let part = &long[..long.len() - 3];
    for (msg, code) in [
        (edit("", 0, &[put("x")]), ErrorCode::BadRequest),
        (edit("a", 1, &[put("x")]), ErrorCode::Conflict),
        (edit("a", 0, &[keep(1), put("x")]), ErrorCode::BadRequest),
        (edit("a", 0, &[keep(i32::MIN)]), ErrorCode::BadRequest),
        (edit("a", 0, &[put("a\u{202e}b")]), ErrorCode::BadRequest),
        (edit("a", 0, &[put("a\u{0}")]), ErrorCode::BadRequest),
        (edit("a", 0, &[put("a\r\n")]), ErrorCode::BadRequest),
        (edit("a", 0, &[put(&long)]), ErrorCode::TooLarge),
        (edit("a", 0, &vec![keep(0); 201]), ErrorCode::TooLarge),
    ] {
        assert_eq!(play.refused(trainer, msg.clone()), code, "{msg:?}");
        play.wait(600);
    }
    let parts = u32::try_from(MAX_NOTES / MAX_NOTES_EDIT).unwrap();
    for n in 0..parts {
        play.ok(trainer, edit(&format!("n{n}"), n, &[put(part)]));
        play.wait(600);
    }
    assert_eq!(
        play.refused(trainer, edit("z", parts, &[put("x")])),
        ErrorCode::Full
    );
    play.ok(trainer, edit("y", parts, &[keep(-1), put("x")]));
    let reply = play.ask(
        trainer,
        M::NotesGet {
            of: None,
            after: None,
        },
    );
    assert!(serde_json::to_string(&reply).unwrap().len() < 200_000);
    play.wait(10_000);
    for n in 0..NOTES.burst {
        play.ok(trainer, edit(&format!("r{n}"), parts + 1 + n, &[keep(-1)]));
    }
    assert_eq!(
        play.refused(trainer, edit("q", 0, &[])),
        ErrorCode::RateLimited
    );
}

#[test]
fn an_edit_others_cut_into_too_many_pieces_is_made_anew() {
    let (mut play, trainer, learner) = class();
    open(&mut play, trainer, true);
    let most = i32::try_from(MAX_NOTES_STEPS).unwrap();
    play.ok(trainer, edit("a", 0, &[put(&"a".repeat(2_000))]));
    // Each puts something in at other places.
    for n in 0..6 {
        let steps: Vec<_> = (0..most)
            .map(|step| match step {
                0 => keep(n * 200 + 1),
                _ if step % 2 == 0 => keep(1),
                _ => put("b"),
            })
            .collect();
        let rev = u32::try_from(n).unwrap() + 1;
        play.ok(trainer, edit(&format!("n{n}"), rev, &steps));
        play.wait(600);
    }
    // Taking all of it away was one step, and would be a thousand.
    let all = || [keep(-2_000), put("x")];
    assert_eq!(
        play.refused(learner, edit("z", 1, &all())),
        ErrorCode::Conflict
    );
    let chars = i32::try_from(play.room.notes().len()).unwrap();
    play.ok(learner, edit("z", 7, &[keep(-chars), put("x")]));
    assert_eq!(play.room.notes(), "x");
}

#[test]
fn a_version_from_long_ago_gets_the_whole_text() {
    let (mut play, trainer, _) = class();
    let edits = u32::try_from(NOTES_KEPT).unwrap() + 5;
    for n in 0..edits {
        play.ok(trainer, edit(&format!("n{n}"), n, &[put("a")]));
        play.now.wall_ms += 1_000;
        play.now.mono_ms += 1_000;
    }
    assert_eq!(
        play.refused(trainer, edit("z", 2, &[put("b")])),
        ErrorCode::Conflict
    );
    let (rev, text, _) = page(&mut play, trainer, Some(2));
    assert_eq!(
        (rev, text.map(|text| text.len())),
        (edits, Some(NOTES_KEPT + 5))
    );
    play.ok(trainer, edit("z", 6, &[put("b")]));
}

#[test]
fn a_restart_and_a_return_lose_nothing_that_was_acknowledged() {
    let (mut play, trainer, learner) = class();
    play.ok(trainer, edit("a", 0, &[put("một")]));
    play.drop_link(learner, false);
    play.ok(trainer, edit("b", 1, &[keep(3), put(" hai")]));
    let learner = play.resume(learner);
    assert_eq!(play.client(learner).notes.as_deref(), Some("một hai"));
    let mut after = play.restart(2_000, &[]);
    assert_eq!(after.room.notes(), "một hai");
    assert_eq!(notes_of(&play.ledger).as_deref(), Some("một hai"));
    let trainer = after.join("p1", Role::Trainer);
    assert_eq!(after.room.notes_rev(), 2);
    // What came with the last frame before the crash is not taken twice; what was
    // made to a version from before it is carried on.
    after.ok(trainer, edit("b", 1, &[keep(3), put(" hai")]));
    after.ok(trainer, edit("c", 1, &[put("# ")]));
    assert_eq!(after.room.notes(), "# một hai");
    let (_, _, ops) = page(&mut after, trainer, Some(0));
    assert_eq!(ops.len(), 3);
}

#[test]
fn edits_are_carried_as_the_client_carries_them() {
    #[derive(serde::Deserialize)]
    struct Vector {
        text: String,
        first: Vec<NoteStep>,
        then: Vec<NoteStep>,
        both: String,
    }
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("../notes-vectors.json")).unwrap();
    for vector in vectors {
        let (first, then) = (Op::read(&vector.first), Op::read(&vector.then));
        let text = first.apply(&vector.text).unwrap();
        let text = then.after(&first).apply(&text).unwrap();
        assert_eq!(text, vector.both, "{:?}", vector.text);
    }
}

/// Somebody who edits without waiting for the others: what he has, and the version
/// it is of.
struct Author {
    text: String,
    rev: u32,
}

fn any_op(text: &str, raw: &[(usize, usize, String)]) -> Op {
    let mut left = text.chars().count();
    let mut steps = Vec::new();
    for (keep, drop, put) in raw {
        let keep = keep % (left + 1);
        left -= keep;
        let drop = (drop % 6).min(left);
        left -= drop;
        steps.push(Step::Keep(keep));
        steps.push(Step::Put(put.clone()));
        steps.push(Step::Drop(drop));
    }
    Op::new(steps)
}

fn raw() -> impl Strategy<Value = Vec<(usize, usize, String)>> {
    proptest::collection::vec((any::<usize>(), any::<usize>(), "[a-dệ😀\n]{0,4}"), 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// Whoever applies first A and then B carried over A has what he has who
    /// applies B and then A as it is for him.
    #[test]
    fn two_edits_converge(text in "[a-dệ😀\n]{0,20}", a in raw(), b in raw(), c in raw()) {
        let (a, b) = (any_op(&text, &a), any_op(&text, &b));
        let one = b.after(&a).apply(&a.apply(&text).unwrap()).unwrap();
        let two = a.before(&b).apply(&b.apply(&text).unwrap()).unwrap();
        prop_assert_eq!(&one, &two);
        // What is written is what was read.
        let c = any_op(&one, &c);
        prop_assert_eq!(&Op::read(&c.write()), &c);
        prop_assert!(c.apply(&one).is_some());
    }

    /// Several edit versions of different age; the room, everybody who follows,
    /// who fetches, and the ledger have the same text.
    #[test]
    fn everybody_ends_with_the_same_text(
        deeds in proptest::collection::vec((0..3usize, any::<bool>(), raw()), 1..40),
    ) {
        let mut play = Play::new(RoomMode::Training);
        let links = [
            play.join("p1", Role::Trainer),
            play.join("p2", Role::Learner),
            play.join("p3", Role::Learner),
        ];
        open(&mut play, links[0], true);
        let mut authors: Vec<Author> = (0..3).map(|_| Author { text: String::new(), rev: 0 }).collect();
        for (n, (who, catch_up, raw)) in deeds.iter().enumerate() {
            let author = &mut authors[*who];
            if *catch_up {
                author.text = play.room.notes().to_owned();
                author.rev = play.room.notes_rev();
            }
            let op = any_op(&author.text, raw);
            play.ok(links[*who], edit(&format!("n{n}"), author.rev, &op.write()));
            for put in op.put() {
                for c in put.chars() {
                    prop_assert!(play.room.notes().contains(c), "{put:?} was lost");
                }
            }
            play.wait(600);
        }
        for link in links {
            prop_assert_eq!(play.client(link).notes.as_deref(), Some(play.room.notes()));
        }
        prop_assert_eq!(notes_of(&play.ledger).unwrap_or_default(), play.room.notes());
        let (_, _, ops) = page(&mut play, links[1], Some(0));
        let text = ops.iter().fold(String::new(), |text, edit| Op::read(&edit.op).apply(&text).unwrap());
        prop_assert_eq!(&text, play.room.notes());
        let after = play.restart(1_000, &[]);
        prop_assert_eq!(after.room.notes(), play.room.notes());
        prop_assert_eq!(after.room.notes_rev(), play.room.notes_rev());
    }
}
