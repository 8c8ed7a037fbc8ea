//! Captions: the task is handed over, lines are typed by turns, nobody misses one.

use lophoc_protocol::captions::{Caption, CaptionLang};
use lophoc_protocol::limits::{CAPTIONS_SHOWN, MAX_CAPTION, MAX_CAPTION_MS, MAX_CAPTIONERS};
use lophoc_room::bounds::CAPTIONS;

use super::*;

fn hand(who: &str, on: bool) -> M {
    M::ModCaptioner { who: id(who), on }
}

fn line(cid: &str, text: &str) -> M {
    timed(cid, text, 1_500)
}

fn timed(cid: &str, text: &str, took: u32) -> M {
    M::CaptionLine {
        cid: cid.into(),
        lang: CaptionLang::Vi,
        text: text.into(),
        took,
    }
}

fn live(text: &str) -> M {
    M::CaptionLive {
        lang: CaptionLang::Vi,
        text: text.into(),
    }
}

fn texts(play: &Play, link: LinkId) -> Vec<String> {
    let known = &play.client(link).captions;
    known.values().map(|c| c.text.clone()).collect()
}

fn may(play: &Play, link: LinkId) -> bool {
    let told = play.client(link).you.clone().unwrap();
    let told = told.perms.contains(&Action::Caption);
    assert_eq!(told, play.room.may(link, Action::Caption));
    told
}

/// A trainer, two guests who can type, a learner.
fn class() -> (Play, LinkId, LinkId, LinkId, LinkId) {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let one = play.join("p2", Role::Guest);
    let two = play.join("p3", Role::Guest);
    let learner = play.join("p4", Role::Learner);
    (play, trainer, one, two, learner)
}

#[test]
fn a_moderator_hands_the_task_over_and_takes_it_back() {
    let (mut play, trainer, one, _, learner) = class();
    assert_eq!(play.refused(trainer, line("a", "x")), ErrorCode::Forbidden);
    assert_eq!(play.refused(one, hand("p2", true)), ErrorCode::Forbidden);
    assert_eq!(play.refused(one, live("x")), ErrorCode::Forbidden);
    assert_eq!(play.refused(trainer, hand("p9", true)), ErrorCode::NotFound);
    play.ok(trainer, hand("p2", true));
    assert!(may(&play, one) && !may(&play, learner) && !may(&play, trainer));
    play.wait(200);
    assert!(play.client(learner).people[&id("p2")].captions);
    play.ok(one, line("a", "Chào các em"));
    // It comes with no other right.
    assert_eq!(play.refused(one, M::ModStart), ErrorCode::Forbidden);
    play.ok(trainer, hand("p2", false));
    assert!(!may(&play, one));
    assert_eq!(play.refused(one, line("b", "x")), ErrorCode::Forbidden);
    // What was taken is still acknowledged.
    play.ok(one, line("a", "Chào các em"));
    assert_eq!(texts(&play, learner), ["Chào các em"]);
    // Laying it down needs no right.
    play.ok(trainer, hand("p2", true));
    play.ok(one, hand("p2", false));
    play.wait(200);
    assert!(!play.client(learner).people[&id("p2")].captions);
}

#[test]
fn only_so_many_have_the_task() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p0", Role::Trainer);
    for n in 1..=MAX_CAPTIONERS {
        play.join(&format!("p{n}"), Role::Guest);
        play.ok(trainer, hand(&format!("p{n}"), true));
    }
    play.join("p9", Role::Guest);
    assert_eq!(play.refused(trainer, hand("p9", true)), ErrorCode::Full);
    play.ok(trainer, hand("p1", true));
    play.ok(trainer, hand("p1", false));
    play.ok(trainer, hand("p9", true));
}

#[test]
fn two_take_turns_and_everybody_has_each_line_once_with_its_times() {
    let (mut play, trainer, one, two, learner) = class();
    play.ok(trainer, hand("p2", true));
    play.ok(trainer, hand("p3", true));
    play.ok(one, line("a", "  Bài hôm nay\n nói về "));
    play.wait(3_000);
    play.ok(two, timed("a", "phân số.", u32::MAX));
    play.ok(two, timed("a", "phân số.", 0));
    let lines: Vec<Caption> = play.client(learner).captions.values().cloned().collect();
    assert_eq!(texts(&play, learner), ["Bài hôm nay nói về", "phân số."]);
    let by: Vec<_> = lines.iter().map(|c| (c.n, c.who.as_str())).collect();
    assert_eq!(by, [(1, "p2"), (2, "p3")]);
    assert_eq!(lines[0].to - lines[0].from, 1_500);
    assert_eq!(lines[1].to - lines[1].from, u64::from(MAX_CAPTION_MS));
    assert_eq!(lines[1].to - lines[0].to, 3_000);
}

#[test]
fn what_is_typed_is_told_as_it_is_and_lost_without_harm() {
    let (mut play, trainer, one, _, learner) = class();
    play.ok(trainer, hand("p2", true));
    let before = play.room.last_seq();
    play.news(learner);
    play.ok(one, live("Chào \n c"));
    play.ok(one, live("  "));
    let told: Vec<_> = play
        .news(learner)
        .into_iter()
        .filter_map(|msg| match msg {
            ServerMessage::CaptionLive { who, text, .. } => Some((who.0, text)),
            _ => None,
        })
        .collect();
    let wanted = [("p2", "Chào c"), ("p2", "")];
    assert_eq!(told, wanted.map(|(who, text)| (who.into(), text.into())));
    assert_eq!(play.room.last_seq(), before, "no number, no replay");
    assert!(
        !play
            .ledger
            .iter()
            .any(|event| event.kind.name() == "caption")
    );
}

#[test]
fn lines_are_bounded_in_length_and_rate() {
    let (mut play, trainer, one, _, _) = class();
    play.ok(trainer, hand("p2", true));
    let long = "ệ".repeat(MAX_CAPTION + 1);
    assert_eq!(play.refused(one, line("a", &long)), ErrorCode::TooLarge);
    assert_eq!(play.refused(one, live(&long)), ErrorCode::TooLarge);
    assert_eq!(play.refused(one, line("a", " \n ")), ErrorCode::BadRequest);
    assert_eq!(play.refused(one, line("", "x")), ErrorCode::BadRequest);
    play.wait(60_000);
    for n in 0..CAPTIONS.burst {
        play.ok(one, line(&format!("n{n}"), &long[..long.len() - 3]));
    }
    assert_eq!(play.refused(one, line("z", "x")), ErrorCode::RateLimited);
    play.wait(1_100);
    play.ok(one, line("z", "x"));
}

#[test]
fn a_late_joiner_a_return_and_a_restart_lose_no_line() {
    let (mut play, trainer, one, _, learner) = class();
    play.ok(trainer, hand("p2", true));
    play.drop_link(learner, false);
    for n in 1..=30 {
        play.ok(one, line(&format!("n{n}"), &format!("dòng {n}")));
        play.wait(1_100);
    }
    let learner = play.resume(learner);
    assert_eq!(play.client(learner).captions.len(), 30);
    let late = play.join("p5", Role::Learner);
    assert_eq!(texts(&play, late).len(), CAPTIONS_SHOWN);
    assert_eq!(texts(&play, late).last().unwrap(), "dòng 30");
    let reply = play.ask(late, M::CaptionPage { before: 11 });
    let ServerMessage::CaptionPage { list, more } = reply else {
        panic!("{reply:?}");
    };
    let numbers: Vec<u32> = list.iter().map(|c| c.n).collect();
    assert_eq!((numbers, more), ((1..=10).collect(), false));

    let shown = play.room.captions_shown();
    let mut after = play.restart(2_000, &[]);
    assert_eq!(after.room.captions_shown(), shown);
    // The task is still his, and what was taken is not taken twice.
    let one = after.join("p2", Role::Guest);
    assert!(may(&after, one));
    after.ok(one, line("n30", "dòng 30"));
    after.ok(one, line("n31", "dòng 31"));
    let last = after.room.captions_shown().pop().unwrap();
    assert_eq!((last.n, last.text.as_str()), (31, "dòng 31"));
    // Whoever is sent out loses it.
    let trainer = after.join("p1", Role::Trainer);
    let remove = M::ModRemove {
        who: id("p2"),
        bar: false,
    };
    after.ok(trainer, remove);
    let one = after.join("p2", Role::Guest);
    assert!(!may(&after, one));
}
