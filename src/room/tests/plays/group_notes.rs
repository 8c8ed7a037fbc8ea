//! The notes of breakout groups: who is in one writes and reads there, staff read
//! all, nobody else is told a word, and nothing acknowledged is lost.

use lophoc_protocol::groups::{GroupBy, GroupNo};
use lophoc_protocol::limits::MAX_GROUPS;
use lophoc_protocol::notes::NoteStep;
use lophoc_protocol::{NotesId, PersonId};
use lophoc_room::bounds::{GROUP_NOTES_LATE_MS, GROUPS_NOTES, KEEP_MS};
use lophoc_room::group_notes_of;
use proptest::prelude::*;

use super::*;

const OPEN: M = M::GroupsOpen { minutes: None };

fn g(round: u32, group: u8) -> NotesId {
    NotesId::of(round, GroupNo(group))
}

fn edit(of: &NotesId, cid: &str, rev: u32, text: &str) -> M {
    M::NotesEdit {
        of: Some(of.clone()),
        cid: cid.into(),
        rev,
        op: vec![NoteStep::Put(text.into())],
    }
}

fn get(of: &NotesId) -> M {
    M::NotesGet {
        of: Some(of.clone()),
        after: None,
    }
}

fn moves(list: &[(&str, u8)]) -> M {
    let moves = list
        .iter()
        .map(|(who, group)| (id(who), (*group > 0).then_some(GroupNo(*group))))
        .collect();
    M::GroupsMove { moves }
}

fn make(play: &mut Play, trainer: LinkId, groups: u8) {
    let names = (1..=groups).map(|n| format!("Nhóm {n}")).collect();
    let by = GroupBy::Manual;
    play.ok(trainer, M::GroupsMake { names, by });
}

/// A trainer, an adviser and four learners, two in each of two open groups.
fn opened() -> (Play, LinkId, LinkId, Vec<LinkId>) {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("t", Role::Trainer);
    let adviser = play.join("a", Role::Adviser);
    let links = ["p1", "p2", "p3", "p4"].map(|who| play.join(who, Role::Learner));
    make(&mut play, trainer, 2);
    let four = [("p1", 1), ("p2", 1), ("p3", 2), ("p4", 2)];
    play.ok(trainer, moves(&four));
    play.ok(trainer, OPEN);
    (play, trainer, adviser, links.to_vec())
}

fn text(play: &Play, of: &NotesId) -> String {
    play.room.group_notes(of).unwrap().1.to_owned()
}

/// What a client has of the text it asked for last.
fn seen(play: &Play, link: LinkId) -> Option<&str> {
    let reads = play.client(link).reads.as_ref();
    reads.map(|(_, _, text)| text.as_str())
}

fn told_of_notes(play: &Play, link: LinkId) -> bool {
    let inbox = &play.client(link).inbox;
    inbox.iter().any(|frame| {
        matches!(
            frame.msg,
            ServerMessage::Notes { .. } | ServerMessage::NotesPage { .. }
        )
    })
}

#[test]
fn a_group_has_its_own_notes_and_nobody_else_is_told_a_word() {
    let (mut play, trainer, adviser, links) = opened();
    let of = g(1, 1);
    for (link, group) in links.iter().zip([1, 1, 2, 2]) {
        let you = play.client(*link).you.as_ref().unwrap();
        assert_eq!(you.notes, Some(g(1, group)));
        assert!(!you.perms.contains(&Action::Notes), "not those of the room");
    }
    play.ask(links[1], get(&of));
    play.ok(links[0], edit(&of, "a", 0, "ý của nhóm"));
    assert_eq!(seen(&play, links[1]), Some("ý của nhóm"));
    assert_eq!(text(&play, &of), "ý của nhóm");
    assert_eq!((play.room.notes(), play.room.notes_rev()), ("", 0));
    // Of another group, or of none.
    for who in [links[2], links[3]] {
        assert_eq!(play.refused(who, get(&of)), ErrorCode::Forbidden);
        let more = edit(&of, "b", 1, "x");
        assert_eq!(play.refused(who, more), ErrorCode::Forbidden);
    }
    let late = play.join("p5", Role::Learner);
    assert_eq!(play.refused(late, get(&of)), ErrorCode::Forbidden);
    for other in [g(1, 3), g(2, 1), g(0, 1), NotesId::from("g1-01")] {
        assert_eq!(play.refused(trainer, get(&other)), ErrorCode::NotFound);
        let more = edit(&other, "b", 0, "x");
        assert_eq!(play.refused(trainer, more), ErrorCode::NotFound);
    }
    // An inspector in the group reads.
    let inspector = play.join("i", Role::Inspector);
    play.ok(trainer, moves(&[("i", 1)]));
    play.ask(inspector, get(&of));
    assert_eq!(seen(&play, inspector), Some("ý của nhóm"));
    let more = edit(&of, "c", 1, "x");
    assert_eq!(play.refused(inspector, more), ErrorCode::Forbidden);
    for link in [trainer, adviser, links[2], links[3], late] {
        assert!(!told_of_notes(&play, link), "{link:?}");
    }
    // Nor is it in what all are told anew.
    let state = play.join("p6", Role::Learner);
    let frames = serde_json::to_string(&play.client(state).inbox).unwrap();
    assert!(!frames.contains("ý của nhóm"));
}

#[test]
fn staff_read_the_notes_of_every_group_and_take_away_what_must_not_stand() {
    let (mut play, trainer, adviser, links) = opened();
    for link in [trainer, adviser] {
        let list = &play.client(link).notes_list;
        let names: Vec<_> = list.iter().map(|one| (&one.of, &*one.name)).collect();
        assert_eq!(names, [(&g(1, 1), "Nhóm 1"), (&g(1, 2), "Nhóm 2")]);
        assert_eq!(list[0].at, play.now.wall_ms);
    }
    play.ok(links[0], edit(&g(1, 1), "a", 0, "bậy bạ"));
    play.ask(trainer, get(&g(1, 1)));
    play.ok(links[1], edit(&g(1, 1), "b", 1, "thêm "));
    assert_eq!(seen(&play, trainer), Some("thêm bậy bạ"));
    let mut erase = edit(&g(1, 1), "c", 2, "");
    if let M::NotesEdit { op, .. } = &mut erase {
        *op = vec![NoteStep::Count(5), NoteStep::Count(-6)];
    }
    play.ok(trainer, erase);
    assert_eq!(text(&play, &g(1, 1)), "thêm ");
    // Whoever turns to another text is told of that one only.
    play.ask(trainer, get(&g(1, 2)));
    play.ok(links[0], edit(&g(1, 1), "d", 3, "x"));
    play.ok(links[2], edit(&g(1, 2), "e", 0, "y"));
    assert_eq!(seen(&play, trainer), Some("y"));
    // A role that is taken away takes the texts with it.
    let roles = |role| M::ModRole { who: id("a"), role };
    play.ask(adviser, get(&g(1, 2)));
    play.ok(trainer, roles(Role::Learner));
    assert!(play.client(adviser).notes_list.is_empty());
    play.ok(links[2], edit(&g(1, 2), "f", 1, "z"));
    assert_eq!(seen(&play, adviser), None);
    assert_eq!(play.refused(adviser, get(&g(1, 2))), ErrorCode::Forbidden);
    play.ok(trainer, roles(Role::Adviser));
    assert_eq!(play.client(adviser).notes_list.len(), 2);
}

#[test]
fn who_moves_writes_in_the_other_group_and_hands_in_what_he_had_written() {
    let (mut play, trainer, _, links) = opened();
    let (one, two) = (g(1, 1), g(1, 2));
    play.ask(links[0], get(&one));
    play.ok(links[1], edit(&one, "a", 0, "một"));
    play.ok(trainer, moves(&[("p1", 2)]));
    play.ok(links[1], edit(&one, "b", 1, "hai "));
    assert_eq!(seen(&play, links[0]), None, "is told no more");
    play.ok(links[0], edit(&two, "c", 0, "mới"));
    // His page sends what it had gathered.
    play.ok(links[0], edit(&one, "d", 1, "trễ "));
    assert_eq!(text(&play, &one), "hai trễ một");
    play.wait(GROUP_NOTES_LATE_MS + 200);
    let more = edit(&one, "e", 3, "x");
    assert_eq!(play.refused(links[0], more), ErrorCode::Forbidden);
    assert_eq!(play.refused(links[0], get(&one)), ErrorCode::Forbidden);
}

#[test]
fn texts_are_kept_when_groups_close_and_others_begin_with_the_next() {
    let (mut play, trainer, adviser, links) = opened();
    let one = g(1, 1);
    play.ok(links[0], edit(&one, "a", 0, "vòng một"));
    // The link of one breaks, and the groups close meanwhile.
    play.drop_link(links[1], false);
    play.ok(trainer, M::GroupsClose);
    assert_eq!(play.client(links[0]).you.as_ref().unwrap().notes, None);
    play.ok(links[0], edit(&one, "b", 1, "cuối "));
    play.wait_hearing(GROUP_NOTES_LATE_MS + 1_000, &[trainer, links[0]]);
    let more = edit(&one, "c", 2, "x");
    assert_eq!(play.refused(links[0], more), ErrorCode::Forbidden);
    let back = play.resume(links[1]);
    play.ok(back, edit(&one, "d", 2, "khi mất mạng "));
    assert_eq!(text(&play, &one), "khi mất mạng cuối vòng một");
    play.wait(GROUP_NOTES_LATE_MS + 1_000);
    assert_eq!(play.refused(back, get(&one)), ErrorCode::Forbidden);
    play.ask(trainer, get(&one));
    assert_eq!(seen(&play, trainer), Some("khi mất mạng cuối vòng một"));

    make(&mut play, trainer, 2);
    play.ok(trainer, moves(&[("p1", 1), ("p4", 1)]));
    play.ok(trainer, OPEN);
    let fresh = g(2, 1);
    let you = play.client(links[0]).you.as_ref().unwrap();
    assert_eq!(you.notes.as_ref(), Some(&fresh));
    play.ask(links[0], get(&fresh));
    assert_eq!(seen(&play, links[0]), Some(""));
    assert_eq!(play.refused(links[0], get(&one)), ErrorCode::Forbidden);
    // More time is no other opening.
    play.ok(trainer, M::GroupsOpen { minutes: Some(9) });
    let you = play.client(links[0]).you.as_ref().unwrap();
    assert_eq!(you.notes.as_ref(), Some(&fresh));
    // Nobody wrote on the second sheet of the first time.
    let again = play.join("a2", Role::Adviser);
    for link in [trainer, adviser, again] {
        let list = &play.client(link).notes_list;
        let ids: Vec<_> = list.iter().map(|one| one.of.clone()).collect();
        assert_eq!(ids, [g(1, 1), g(2, 1), g(2, 2)]);
    }
    let kept = group_notes_of(&play.ledger);
    assert_eq!(kept.len(), 1);
    assert_eq!(
        (&kept[0].of, &*kept[0].name, &*kept[0].text),
        (&one, "Nhóm 1", "khi mất mạng cuối vòng một")
    );
}

#[test]
fn a_crash_loses_nothing_that_was_acknowledged() {
    let (mut play, trainer, _, links) = opened();
    let one = g(1, 1);
    play.ok(links[0], edit(&one, "a", 0, "một"));
    play.ok(links[1], edit(&one, "b", 1, "hai "));
    let mut after = play.restart(2_000, &[]);
    let back = after.join("p1", Role::Learner);
    let you = after.client(back).you.as_ref().unwrap();
    assert_eq!(you.notes.as_ref(), Some(&one));
    // What was taken before is not taken twice; what was made to a version from
    // before is carried on; what was missed is asked for.
    after.ok(back, edit(&one, "a", 0, "một"));
    after.ok(back, edit(&one, "c", 1, "# "));
    assert_eq!(text(&after, &one), "hai # một");
    let since = M::NotesGet {
        of: Some(one.clone()),
        after: Some(1),
    };
    let ServerMessage::NotesPage { ops, text: all, .. } = after.ask(back, since) else {
        panic!("no page");
    };
    assert_eq!((ops.len(), all), (2, None));
    let list = after.join("t", Role::Trainer);
    assert_eq!(after.client(list).notes_list.len(), 2);

    // It dies just after the groups were closed.
    play.ok(trainer, M::GroupsClose);
    let mut closed = play.restart(3_000, &[]);
    let back = closed.join("p1", Role::Learner);
    closed.ok(back, edit(&one, "z", 2, "cuối "));
    assert_eq!(text(&closed, &one), "cuối hai một");
    let mut late = play.restart(KEEP_MS + 1_000, &[]);
    let back = late.join("p1", Role::Learner);
    let more = edit(&one, "z", 2, "cuối ");
    assert_eq!(late.refused(back, more), ErrorCode::Forbidden);
    assert_eq!(text(&late, &one), "hai một");
}

#[test]
fn only_so_many_texts_are_ever_begun() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("t", Role::Trainer);
    let rounds = u32::try_from(GROUPS_NOTES).unwrap() / u32::from(MAX_GROUPS);
    for round in 1..=rounds {
        make(&mut play, trainer, MAX_GROUPS);
        play.ok(trainer, OPEN);
        for group in 1..=MAX_GROUPS {
            play.ok(trainer, edit(&g(round, group), "a", 0, "x"));
            play.wait(500);
        }
        play.ok(trainer, M::GroupsClose);
    }
    make(&mut play, trainer, 2);
    play.ok(trainer, OPEN);
    let more = edit(&g(rounds + 1, 1), "a", 0, "x");
    assert_eq!(play.refused(trainer, more), ErrorCode::Full);
    play.ok(trainer, edit(&g(1, 1), "b", 1, "y"));
    let list = &play.client(trainer).notes_list;
    assert_eq!(list.len(), GROUPS_NOTES + 2);
    let back = play.restart(1_000, &[]);
    assert_eq!(group_notes_of(&back.ledger).len(), GROUPS_NOTES);
    assert_eq!(text(&back, &g(1, 1)), "yx");
}

#[derive(Debug, Clone)]
enum Deed {
    /// Where he is, or in the notes of another group.
    Edit(usize, Option<(u32, u8)>, u32, String),
    Get(usize, Option<(u32, u8)>),
    Move(usize, u8),
    Role(usize, bool),
    Open(bool),
    Cut(usize),
    Resume(usize),
    Wait(u32),
    Crash,
}

fn deed() -> impl Strategy<Value = Deed> {
    let who = || 1..6usize;
    let of = || proptest::option::weighted(0.3, (1..3u32, 1..4u8));
    prop_oneof![
        8 => (who(), of(), 0..3u32, "[a-c]{1,3}").prop_map(|(n, of, old, text)| Deed::Edit(n, of, old, text)),
        6 => (who(), of()).prop_map(|(n, of)| Deed::Get(n, of)),
        3 => (who(), 0..4u8).prop_map(|(n, group)| Deed::Move(n, group)),
        1 => (4..6usize, any::<bool>()).prop_map(|(n, on)| Deed::Role(n, on)),
        1 => any::<bool>().prop_map(Deed::Open),
        1 => who().prop_map(Deed::Cut),
        2 => who().prop_map(Deed::Resume),
        1 => (300..20_000u32).prop_map(Deed::Wait),
        1 => Just(Deed::Crash),
    ]
}

fn carry_out(play: &mut Play, links: &mut [LinkId], n: usize, deed: Deed) {
    let own = |play: &Play, link: LinkId, of: Option<(u32, u8)>| {
        let you = play.client(link).you.as_ref();
        of.map(|(round, group)| g(round, group))
            .or_else(|| you.and_then(|you| you.notes.clone()))
    };
    let say = |play: &mut Play, link: LinkId, msg: M| {
        let id = Some(9);
        play.apply(Command::Frame { link, id, msg });
    };
    match deed {
        Deed::Edit(who, of, old, text) => {
            if let Some(of) = own(play, links[who], of) {
                let rev = play.room.group_notes(&of).map_or(0, |(rev, _)| rev);
                let msg = edit(&of, &format!("n{n}"), rev.saturating_sub(old), &text);
                say(play, links[who], msg);
            }
        }
        Deed::Get(who, of) => {
            if let Some(of) = own(play, links[who], of) {
                say(play, links[who], get(&of));
            }
        }
        Deed::Move(who, group) => {
            let name = CAST[who].0;
            say(play, links[0], moves(&[(name, group)]));
        }
        Deed::Role(who, staff) => {
            let role = if staff { Role::Adviser } else { Role::Learner };
            let who = PersonId::from(CAST[who].0);
            say(play, links[0], M::ModRole { who, role });
        }
        Deed::Open(on) => {
            if !on {
                say(play, links[0], M::GroupsClose);
                let names = vec!["A".into(), "B".into(), "C".into()];
                let by = GroupBy::Random;
                say(play, links[0], M::GroupsMake { names, by });
            }
            say(play, links[0], OPEN);
        }
        Deed::Cut(who) => {
            if play.open.contains(&links[who]) {
                play.drop_link(links[who], false);
            }
        }
        Deed::Resume(who) => {
            if !play.open.contains(&links[who]) {
                links[who] = play.resume(links[who]);
            }
        }
        Deed::Wait(ms) => play.wait(u64::from(ms)),
        Deed::Crash => {
            *play = play.restart(2_000, &play.room.last_seen());
            for (link, (who, role)) in links.iter_mut().zip(CAST) {
                *link = play.join(who, role);
            }
        }
    }
}

const CAST: [(&str, Role); 6] = [
    ("t", Role::Trainer),
    ("p1", Role::Learner),
    ("p2", Role::Learner),
    ("p3", Role::Learner),
    ("p4", Role::Learner),
    ("a", Role::Adviser),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// Whatever happens: who reads a text has what the room has, nobody else is told
    /// of it (as every frame is checked on its way), and the ledger has all of it.
    #[test]
    fn whoever_reads_a_text_has_it_and_nobody_else(
        deeds in proptest::collection::vec(deed(), 1..80),
    ) {
        let mut play = Play::new(RoomMode::Training);
        let mut links: Vec<LinkId> = CAST.iter().map(|(who, role)| play.join(who, *role)).collect();
        let names = vec!["A".into(), "B".into(), "C".into()];
        play.ok(links[0], M::GroupsMake { names, by: GroupBy::Random });
        play.ok(links[0], OPEN);
        for (n, deed) in deeds.into_iter().enumerate() {
            carry_out(&mut play, &mut links, n, deed);
            for link in &play.open {
                if let Some((of, rev, text)) = &play.client(*link).reads {
                    prop_assert_eq!(play.room.group_notes(of), Some((*rev, text.as_str())));
                }
            }
        }
        prop_assert_eq!(play.room.notes(), "");
        let kept = group_notes_of(&play.ledger);
        let after = play.restart(1_000, &[]);
        for sheet in kept {
            let (rev, text) = play.room.group_notes(&sheet.of).unwrap();
            prop_assert_eq!(text, &sheet.text);
            prop_assert_eq!(after.room.group_notes(&sheet.of), Some((rev, text)));
        }
    }
}
