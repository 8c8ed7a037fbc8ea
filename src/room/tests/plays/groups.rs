//! Breakout groups: formed, opened, changed, closed.

use lophoc_ledger::attendance;
use lophoc_protocol::groups::{GroupBy, GroupNo};
use lophoc_protocol::limits::{MAX_GROUP_MIN, MAX_GROUPS, MAX_LABEL};

use super::*;

fn make(n: usize, by: GroupBy) -> M {
    M::GroupsMake {
        names: (1..=n).map(|n| format!("Nhóm {n}")).collect(),
        by,
    }
}

fn moves(list: &[(&str, u8)]) -> M {
    M::GroupsMove {
        moves: list
            .iter()
            .map(|(who, group)| (id(who), (*group > 0).then_some(GroupNo(*group))))
            .collect(),
    }
}

const OPEN: M = M::GroupsOpen { minutes: None };

fn pick(group: u8) -> M {
    M::GroupPick {
        group: (group > 0).then_some(GroupNo(group)),
    }
}

#[test]
fn who_changes_his_mind_all_the_time_costs_the_others_little() {
    let (mut play, trainer, links) = class(2, RoomMode::Training);
    play.ok(trainer, make(2, GroupBy::Choose));
    play.wait(3_000);
    play.news(trainer);
    for n in 0..60 {
        play.ask(links[0], pick(1 + n % 2));
        play.wait(100);
    }
    let told = play.news(trainer);
    let told = told
        .iter()
        .filter(|msg| matches!(msg, ServerMessage::Groups { .. }));
    let told = told.count();
    assert!((1..=13).contains(&told), "{told} in six seconds");
}

fn group_of(play: &Play, person: &str) -> u8 {
    play.person(person)
        .unwrap()
        .group
        .map_or(0, |group| group.0)
}

/// How many are assigned to each group, as the client was told.
fn sizes(play: &Play, link: LinkId) -> Vec<u32> {
    let groups = play.client(link).groups.as_ref().unwrap();
    groups.list.iter().map(|group| group.people).collect()
}

/// A trainer, an adviser and learners p1…
fn class(learners: usize, mode: RoomMode) -> (Play, LinkId, Vec<LinkId>) {
    let mut play = Play::new(mode);
    let trainer = play.join("t", Role::Trainer);
    play.join("a", Role::Adviser);
    let links = (1..=learners)
        .map(|n| play.join(&format!("p{n}"), Role::Learner))
        .collect();
    (play, trainer, links)
}

/// Four learners in two open groups: p1, p2 in the first, p3, p4 in the second.
fn opened(mode: RoomMode) -> (Play, LinkId, Vec<LinkId>) {
    let (mut play, trainer, links) = class(4, mode);
    play.ok(trainer, make(2, GroupBy::Manual));
    play.ok(
        trainer,
        moves(&[("p1", 1), ("p2", 1), ("p3", 2), ("p4", 2)]),
    );
    play.ok(trainer, OPEN);
    (play, trainer, links)
}

#[test]
fn by_lot_groups_are_equally_large_and_staff_stay_outside() {
    let (mut play, trainer, _) = class(23, RoomMode::Training);
    play.sites.insert("hall".into(), "Điểm cầu Mường Tè".into());
    play.join("hall", Role::Learner);
    play.join("guest", Role::Guest);
    play.ok(trainer, make(4, GroupBy::Random));
    let mut seen = sizes(&play, trainer);
    seen.sort_unstable();
    assert_eq!(seen, [6, 6, 6, 7]);
    assert_eq!((group_of(&play, "t"), group_of(&play, "a")), (0, 0));
    assert!(group_of(&play, "hall") > 0 && group_of(&play, "guest") > 0);

    let draw = |play: &Play| -> Vec<u8> {
        let of = |n| group_of(play, &format!("p{n}"));
        (1..=23).map(of).collect()
    };
    let first = draw(&play);
    play.ok(trainer, make(4, GroupBy::Random));
    assert_ne!(draw(&play), first, "drawn anew");
    // The lot follows from the seed alone.
    let (mut other, trainer, _) = class(23, RoomMode::Training);
    other
        .sites
        .insert("hall".into(), "Điểm cầu Mường Tè".into());
    other.join("hall", Role::Learner);
    other.join("guest", Role::Guest);
    other.ok(trainer, make(4, GroupBy::Random));
    assert_eq!(draw(&other), first);
}

#[test]
fn people_of_a_unit_stay_together() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("t", Role::Trainer);
    let mut n = 0;
    for (unit, people) in [
        ("THCS Phù Yên", 5),
        ("thcs phù yên", 1),
        ("THCS Phú Yên", 3),
        ("THCS Bắc Yên", 2),
        ("THCS Mai Sơn", 2),
        ("", 2),
    ] {
        for _ in 0..people {
            n += 1;
            if !unit.is_empty() {
                play.units.insert(format!("p{n}"), unit.into());
            }
            play.join(&format!("p{n}"), Role::Learner);
        }
    }
    play.ok(
        trainer,
        M::GroupsMake {
            names: vec!["Một".into(), "thcs Mai Sơn".into(), "Ba".into()],
            by: GroupBy::Unit,
        },
    );
    let of = |range: std::ops::RangeInclusive<u32>| -> Vec<u8> {
        range.map(|n| group_of(&play, &format!("p{n}"))).collect()
    };
    // Its namesake first; then the largest units into the smallest groups.
    assert_eq!(of(12..=13), [2; 2], "THCS Mai Sơn");
    assert_eq!(of(1..=6), [1; 6], "Phù Yên");
    assert_eq!(of(7..=9), [3; 3], "Phú Yên is another");
    assert_eq!(of(10..=11), [2; 2], "Bắc Yên");
    assert_eq!(of(14..=15), [3, 2], "of no unit");
    assert_eq!(sizes(&play, trainer), [6, 5, 4]);
}

#[test]
fn by_hand_people_go_where_they_are_put() {
    let (mut play, trainer, links) = class(3, RoomMode::Training);
    assert_eq!(
        play.refused(trainer, moves(&[("p1", 1)])),
        ErrorCode::Conflict
    );
    assert_eq!(play.refused(trainer, OPEN), ErrorCode::Conflict);
    play.ok(trainer, make(2, GroupBy::Manual));
    assert_eq!(sizes(&play, trainer), [0, 0]);
    play.ok(
        trainer,
        moves(&[("p1", 1), ("p2", 2), ("p3", 2), ("gone", 1)]),
    );
    play.wait(1_200);
    assert_eq!(sizes(&play, links[0]), [1, 2]);
    assert_eq!(play.client(links[0]).you.as_ref().unwrap().group, None);
    // All of the moves, or none.
    assert_eq!(
        play.refused(trainer, moves(&[("p1", 2), ("p2", 3)])),
        ErrorCode::NotFound
    );
    assert_eq!(group_of(&play, "p1"), 1);

    play.news(links[1]);
    play.ok(trainer, OPEN);
    let you = |play: &Play, n: usize| play.client(links[n]).you.as_ref().unwrap().group;
    assert_eq!(you(&play, 0), Some(GroupNo(1)));
    assert_eq!(you(&play, 1), Some(GroupNo(2)));
    assert_eq!(play.group[&play.room.peer_of(links[1]).unwrap()], 2);
    play.ok(trainer, moves(&[("p2", 0), ("p3", 1)]));
    assert_eq!((you(&play, 1), you(&play, 2)), (None, Some(GroupNo(1))));
    play.wait(100);
    assert_eq!(sizes(&play, links[1]), [2, 0]);
}

#[test]
fn where_everybody_chooses_learners_go_by_themselves_and_staff_go_anywhere() {
    let (mut play, trainer, links) = class(2, RoomMode::Training);
    assert_eq!(play.refused(links[0], pick(1)), ErrorCode::Conflict);
    play.ok(trainer, make(2, GroupBy::Manual));
    assert_eq!(play.refused(links[0], pick(1)), ErrorCode::Forbidden);
    play.ok(trainer, pick(2));
    assert_eq!(group_of(&play, "t"), 2);
    play.ok(trainer, make(2, GroupBy::Choose));
    assert_eq!(group_of(&play, "t"), 0, "new groups are empty");
    play.ok(links[0], pick(1));
    assert_eq!(play.refused(links[0], pick(3)), ErrorCode::NotFound);
    assert_eq!(play.refused(links[0], pick(u8::MAX)), ErrorCode::NotFound);
    play.ok(trainer, OPEN);
    play.ok(links[0], pick(2));
    play.ok(links[1], pick(2));
    play.ok(links[1], pick(0));
    play.ok(trainer, pick(1));
    play.ok(trainer, pick(2));
    play.wait(1_200);
    assert_eq!(sizes(&play, trainer), [0, 2]);
    assert_eq!(
        play.client(trainer).you.as_ref().unwrap().group,
        Some(GroupNo(2))
    );
}

#[test]
fn names_and_times_are_bounded() {
    let (mut play, trainer, _) = class(1, RoomMode::Training);
    let named = |names: &[&str]| M::GroupsMake {
        names: names.iter().map(|&name| name.to_owned()).collect(),
        by: GroupBy::Manual,
    };
    let events = play.ledger.len();
    for (msg, code) in [
        (named(&[]), ErrorCode::BadRequest),
        (named(&["Một", " "]), ErrorCode::BadRequest),
        (named(&["Một", "mộT"]), ErrorCode::BadRequest),
        (named(&[&"x".repeat(MAX_LABEL + 1)]), ErrorCode::TooLarge),
        (
            make(usize::from(MAX_GROUPS) + 1, GroupBy::Manual),
            ErrorCode::TooLarge,
        ),
        (
            M::GroupsMove {
                moves: vec![(id("p1"), None); 501],
            },
            ErrorCode::TooLarge,
        ),
        (
            M::GroupsSay {
                text: "chào".into(),
            },
            ErrorCode::Conflict,
        ),
        (M::GroupsOpen { minutes: Some(0) }, ErrorCode::BadRequest),
        (
            M::GroupsOpen {
                minutes: Some(MAX_GROUP_MIN + 1),
            },
            ErrorCode::BadRequest,
        ),
    ] {
        assert_eq!(play.refused(trainer, msg.clone()), code, "{msg:?}");
    }
    assert_eq!(play.ledger.len(), events);
    play.ok(
        trainer,
        named(&["\u{202e} Tổ  Toán\u{200b}", &"x".repeat(MAX_LABEL)]),
    );
    let groups = play.client(trainer).groups.clone().unwrap();
    assert_eq!(groups.list[0].name, "Tổ Toán");
    play.ok(trainer, make(usize::from(MAX_GROUPS), GroupBy::Manual));
    play.ok(
        trainer,
        M::GroupsOpen {
            minutes: Some(MAX_GROUP_MIN),
        },
    );
    assert_eq!(
        play.refused(trainer, make(2, GroupBy::Manual)),
        ErrorCode::Conflict
    );
}

#[test]
fn when_the_time_is_over_everybody_is_back_at_once() {
    let (mut play, trainer, links) = opened(RoomMode::Training);
    play.ok(trainer, M::GroupsOpen { minutes: Some(10) });
    let until = play.client(links[0]).groups.as_ref().unwrap().until;
    assert_eq!(until, Some(play.now.wall_ms + 600_000));
    play.wait(300_000);
    // A little longer.
    play.ok(trainer, M::GroupsOpen { minutes: Some(10) });
    play.wait(599_900);
    assert!(play.client(links[3]).groups.as_ref().unwrap().open);
    let events = play.ledger.len();
    play.wait(200);
    assert_eq!(play.kinds(events), ["groupsOpen"]);
    let EventKind::GroupsOpen { on, by, .. } = &play.ledger[events].kind else {
        panic!()
    };
    assert_eq!((*on, by), (false, &None));
    for link in links {
        assert_eq!(play.client(link).groups, None);
        assert_eq!(play.client(link).you.as_ref().unwrap().group, None);
        assert!(!play.client(link).closed);
    }
    assert!(play.group.is_empty() && play.gone.is_empty());
    assert_eq!(group_of(&play, "p1"), 0);
    play.ok(trainer, M::GroupsClose);
    assert_eq!(
        play.kinds(events),
        ["groupsOpen"],
        "nothing is closed twice"
    );
}

#[test]
fn in_a_group_learners_talk_and_back_in_the_lesson_they_are_quiet() {
    let (mut play, trainer, links) = opened(RoomMode::Training);
    play.ok(
        trainer,
        M::ModMuteAll {
            may_unmute: false,
            except: vec![],
        },
    );
    play.ok(links[0], publish(MIC, LIVE));
    assert!(play.allowed("p1").mic);
    let late = play.join("late", Role::Learner);
    assert_eq!(group_of(&play, "late"), 0, "who comes later stays outside");
    assert_eq!(play.refused(late, publish(MIC, LIVE)), ErrorCode::Forbidden);
    play.news(links[0]);
    play.ok(trainer, M::GroupsClose);
    assert!(!play.allowed("p1").mic);
    let name = "Nguyễn Văn t";
    assert!(play.news(links[0]).contains(&muted(name)));
    // In a discussion one talks on.
    let (mut play, trainer, links) = opened(RoomMode::Discussion);
    play.ok(links[0], publish(MIC, LIVE));
    play.ok(links[0], publish(MediaKind::Camera, LIVE));
    play.ok(trainer, M::GroupsClose);
    assert!(play.allowed("p1").mic && play.allowed("p1").camera);
}

#[test]
fn each_group_has_its_own_screen_and_none_follows_its_owner() {
    let screen = || publish(MediaKind::Screen, LIVE);
    let shares = |play: &Play, who: &str| play.allowed(who).screen;
    let (mut play, trainer, links) = opened(RoomMode::Training);
    for who in ["p1", "p2", "p3"] {
        play.ok(
            trainer,
            M::ModFloor {
                who: id(who),
                give: true,
            },
        );
    }
    play.ok(trainer, screen());
    play.ok(links[0], screen());
    play.ok(links[2], screen());
    assert!(shares(&play, "t") && shares(&play, "p1") && shares(&play, "p3"));
    play.ok(links[1], screen());
    assert!(!shares(&play, "p1") && shares(&play, "p2") && shares(&play, "p3"));
    play.ok(trainer, moves(&[("p3", 1)]));
    assert!(shares(&play, "p2") && !shares(&play, "p3"));
    play.ok(trainer, M::GroupsClose);
    assert!(shares(&play, "t") && !shares(&play, "p2"));
    assert!(play.allowed("t").screen);
}

#[test]
fn who_speaks_is_told_in_the_group_alone() {
    let (mut play, trainer, links) = opened(RoomMode::Discussion);
    play.ok(links[0], publish(MIC, LIVE));
    play.ok(links[2], publish(MIC, LIVE));
    let peer = |play: &Play, n: usize| play.room.peer_of(links[n]).unwrap();
    let levels = vec![(peer(&play, 0), 20), (peer(&play, 2), 30)];
    play.apply(Command::MediaLevels { levels });
    play.wait(100);
    let heard = |play: &Play, link| play.client(link).levels.clone();
    assert_eq!(heard(&play, links[0]), [(id("p1"), 20)]);
    assert_eq!(heard(&play, links[1]), [(id("p1"), 20)]);
    assert_eq!(heard(&play, links[3]), [(id("p3"), 30)]);
    assert_eq!(heard(&play, trainer), []);
    play.wait(600);
    assert_eq!(heard(&play, links[1]), [], "silence is told");
    play.ok(trainer, M::GroupsClose);
    let levels = vec![(peer(&play, 0), 20), (peer(&play, 2), 30)];
    play.apply(Command::MediaLevels { levels });
    play.wait(100);
    assert_eq!(heard(&play, trainer), [(id("p1"), 20), (id("p3"), 30)]);
}

#[test]
fn what_is_said_to_all_reaches_all() {
    let (mut play, trainer, links) = opened(RoomMode::Training);
    let lost = links[3];
    play.drop_link(lost, false);
    play.ok(
        trainer,
        M::GroupsSay {
            text: " Còn 5 phút\u{7} ".into(),
        },
    );
    let said = ServerMessage::GroupsSaid {
        text: "Còn 5 phút".into(),
        by: "Nguyễn Văn t".into(),
    };
    for link in &links[..3] {
        assert!(play.news(*link).contains(&said));
    }
    let back = play.resume(lost);
    assert!(play.news(back).contains(&said), "also who was away");
}

#[test]
fn who_lapses_and_returns_is_in_the_same_group() {
    let (mut play, trainer, links) = opened(RoomMode::Training);
    play.drop_link(links[0], false);
    play.wait(10_000);
    let back = play.resume(links[0]);
    assert_eq!(
        play.client(back).you.as_ref().unwrap().group,
        Some(GroupNo(1))
    );
    // After a long while as a new visit, and on another device.
    play.drop_link(back, false);
    play.wait(RESUME_MS + 5_000);
    assert!(play.person("p1").is_none());
    assert_eq!(sizes(&play, trainer), [1, 2]);
    let back = play.hello("p1", "Nguyễn Văn p1", Role::Learner, "máy khác", None);
    assert_eq!(
        play.client(back).you.as_ref().unwrap().group,
        Some(GroupNo(1))
    );
    play.wait(1_200);
    assert_eq!(sizes(&play, trainer), [2, 2]);
    // Whoever was removed is a newcomer.
    play.ok(
        trainer,
        M::ModRemove {
            who: id("p1"),
            bar: false,
        },
    );
    play.join("p1", Role::Learner);
    assert_eq!(group_of(&play, "p1"), 0);
}

#[test]
fn nobody_but_those_who_lead_moves_a_chair() {
    let (mut play, _, _) = class(1, RoomMode::Training);
    let chair = play.join("c", Role::Chair);
    let adviser = *play
        .clients
        .iter()
        .find(|(_, c)| c.person == "a")
        .unwrap()
        .0;
    play.ok(adviser, make(2, GroupBy::Manual));
    assert_eq!(
        play.refused(adviser, moves(&[("p1", 1), ("c", 1)])),
        ErrorCode::Forbidden
    );
    assert_eq!(group_of(&play, "p1"), 0);
    play.ok(adviser, moves(&[("p1", 1), ("a", 1)]));
    play.ok(chair, moves(&[("c", 2)]));
}

#[test]
fn learners_have_no_hand_in_groups_of_others() {
    let (mut play, _, links) = opened(RoomMode::Discussion);
    for msg in [
        make(2, GroupBy::Manual),
        moves(&[("p1", 2)]),
        OPEN,
        M::GroupsClose,
        M::GroupsSay { text: "a".into() },
        pick(2),
    ] {
        let events = play.ledger.len();
        assert_eq!(play.refused(links[0], msg), ErrorCode::Forbidden);
        assert_eq!(play.ledger.len(), events);
    }
}

#[test]
fn a_crash_in_the_middle_changes_nothing() {
    let (mut play, trainer, links) = opened(RoomMode::Training);
    play.ok(trainer, M::GroupsOpen { minutes: Some(5) });
    play.ok(trainer, moves(&[("p2", 2)]));
    play.ok(trainer, pick(1));
    play.wait(1_000);
    let before = play.client(links[0]).groups.clone();

    let mut after = play.restart(20_000, &play.room.last_seen());
    after.apply(Command::Tick);
    let back = after.join("p1", Role::Learner);
    assert_eq!(after.client(back).groups, before);
    assert_eq!(
        after.client(back).you.as_ref().unwrap().group,
        Some(GroupNo(1))
    );
    after.ok(back, publish(MIC, LIVE));
    for (who, group) in [("t", 1), ("p1", 1), ("p2", 2), ("p3", 2), ("a", 0)] {
        assert_eq!(group_of(&after, who), group, "{who}");
    }
    // The clock went on while the server was down.
    after.wait(280_000);
    assert_eq!(after.client(back).groups, None);
    // And if the time ran out meanwhile, the first tick brings all back.
    let mut late = play.restart(400_000, &[]);
    late.apply(Command::Tick);
    assert!(!late.groups_are_open());
    let back = late.join("p1", Role::Learner);
    assert_eq!(late.client(back).groups, None);
    assert_eq!(late.client(back).you.as_ref().unwrap().group, None);
}

#[test]
fn attendance_counts_through() {
    let run = |groups: bool| {
        let (mut play, trainer, links) = class(4, RoomMode::Training);
        let act = |play: &mut Play, msg: M| {
            if groups {
                play.ok(trainer, msg);
            }
        };
        play.ok(trainer, M::ModStart);
        play.wait(60_000);
        act(&mut play, make(2, GroupBy::Random));
        act(&mut play, M::GroupsOpen { minutes: Some(10) });
        play.wait(120_000);
        play.drop_link(links[1], false);
        play.wait(30_000);
        play.resume(links[1]);
        act(&mut play, moves(&[("p3", 1)]));
        play.wait(60_000);
        play.drop_link(links[2], true);
        play.wait(30_000);
        act(&mut play, M::GroupsClose);
        play.wait(60_000);
        play.apply(Command::End);
        attendance(&lophoc_ledger::Input {
            events: &play.ledger,
            presence: &[],
            now: None,
            hall: &[],
            expected: &[],
            adjustments: &[],
            rules: &lophoc_ledger::Rules::default(),
        })
    };
    let (with, without) = (run(true), run(false));
    assert_eq!(with.rows.len(), 6);
    assert_eq!(with, without);
}
