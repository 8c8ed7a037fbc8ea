//! Slides and files: what everybody sees, who may bring and take away, and that
//! it is all there after a crash.

use lophoc_protocol::limits::{MAX_DECKS, POINT_MAX};
use lophoc_protocol::slides::{Deck, DeckFault, DeckState, FileItem, FileWay, Review, Stage};
use lophoc_protocol::{DeckId, FileId};
use lophoc_room::bounds::{DECKS_EVER, HAND_INS_EACH, PROGRESS_EVERY_MS};

use super::*;

const READY: DeckState = DeckState::Ready;

fn deck(of: &str, by: &str, st: DeckState) -> Deck {
    Deck {
        deck: DeckId::from(of),
        name: format!("Bài {of}.pptx"),
        st,
        pages: if st == READY { 12 } else { 0 },
        w: 960,
        h: 540,
        url: format!("/s/{of}"),
        review: Review::Draft,
        licence: None,
        owner: None,
        by: id(by),
        by_name: by.into(),
        at: START.wall_ms,
    }
}

fn bring(play: &mut Play, deck: Deck) {
    play.apply(Command::Deck(Box::new(deck)));
}

fn file(of: &str, by: &str, way: FileWay) -> FileItem {
    FileItem {
        file: FileId::from(of),
        way,
        name: format!("Phiếu {of}.docx"),
        bytes: 48_213,
        by: id(by),
        by_name: by.into(),
        at: START.wall_ms,
        url: format!("/f/{of}"),
    }
}

fn hand(play: &mut Play, item: FileItem) {
    play.apply(Command::File(Box::new(item)));
}

fn show(of: &str, page: u16) -> M {
    M::SlideShow {
        deck: DeckId::from(of),
        page,
    }
}

fn drop_deck(of: &str) -> M {
    M::DeckDrop {
        deck: DeckId::from(of),
    }
}

fn drop_file(of: &str) -> M {
    M::FileDrop {
        file: FileId::from(of),
    }
}

fn set(of: &str, review: Option<Review>, licence: Option<&str>) -> M {
    M::DeckSet {
        deck: DeckId::from(of),
        review,
        licence: licence.map(Into::into),
        owner: None,
    }
}

fn point(page: u16, x: Option<u16>, y: Option<u16>) -> M {
    M::SlidePoint { page, x, y }
}

fn of_ledger(play: &Play, name: &str) -> usize {
    play.ledger
        .iter()
        .filter(|event| event.kind.name() == name)
        .count()
}

/// The files a person was told of on coming in.
fn mine(play: &Play, link: LinkId) -> Vec<String> {
    let mut list: Vec<String> = vec![];
    for frame in &play.client(link).inbox {
        if let ServerMessage::FilesMine { list: more, add } = &frame.msg {
            if !add {
                list.clear();
            }
            list.extend(more.iter().map(|file| file.file.0.clone()));
        }
    }
    list
}

#[test]
fn a_page_is_shown_to_all_and_only_of_a_deck_that_is_ready() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    bring(&mut play, deck("d1", "p1", DeckState::Queued));
    assert_eq!(
        of_ledger(&play, "deck"),
        0,
        "what is on its way is not kept"
    );
    assert_eq!(play.refused(trainer, show("d1", 1)), ErrorCode::Conflict);
    bring(&mut play, deck("d1", "p1", READY));
    assert_eq!(of_ledger(&play, "deck"), 1);
    assert_eq!(play.refused(learner, show("d1", 1)), ErrorCode::Forbidden);
    assert_eq!(play.refused(trainer, show("d2", 1)), ErrorCode::NotFound);
    for page in [0, 13] {
        assert_eq!(
            play.refused(trainer, show("d1", page)),
            ErrorCode::BadRequest
        );
    }
    play.news(learner);
    play.ok(trainer, show("d1", 12));
    play.ok(trainer, show("d1", 12));
    let stage = Some(Stage {
        deck: DeckId::from("d1"),
        page: 12,
    });
    assert_eq!(
        play.news(learner),
        [ServerMessage::Stage {
            stage: stage.clone()
        }],
        "the same page twice is told once"
    );
    assert_eq!(of_ledger(&play, "slide"), 1);
    // Whoever comes later sees it at once.
    let late = play.join("p3", Role::Learner);
    assert!(play.client(late).inbox.iter().any(|frame| matches!(
        &frame.msg,
        ServerMessage::State { stage: on, decks, .. } if *on == stage && decks.len() == 1
    )));
    play.ok(trainer, M::SlideHide);
    play.ok(trainer, M::SlideHide);
    assert_eq!((of_ledger(&play, "slide"), play.room.stage()), (2, None));
}

#[test]
fn a_learner_with_the_floor_presents_and_says_nothing_of_review() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    assert_eq!(
        play.room.may_bring_deck(&id("p2")),
        Err(ErrorCode::Forbidden)
    );
    let floor = M::ModFloor {
        who: id("p2"),
        give: true,
    };
    play.ok(trainer, floor);
    assert_eq!(play.room.may_bring_deck(&id("p2")), Ok(()));
    bring(&mut play, deck("d1", "p1", READY));
    bring(&mut play, deck("d2", "p2", READY));
    play.ok(learner, show("d1", 3));
    play.ok(learner, set("d2", None, Some(" CC  BY 4.0 ")));
    let reviewed = Some(Review::Reviewed);
    for refused in [
        set("d2", reviewed, None),
        set("d1", None, Some("x")),
        drop_deck("d1"),
    ] {
        assert_eq!(play.refused(learner, refused), ErrorCode::Forbidden);
    }
    play.ok(trainer, set("d2", reviewed, None));
    let known = play.room.decks();
    assert_eq!(
        (known[1].licence.as_deref(), known[1].review),
        (Some("CC BY 4.0"), Review::Reviewed)
    );
    let by: Vec<_> = play
        .ledger
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::Deck { by, .. } => Some(by.as_ref().map(|by| by.0.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(by, [None, None, Some("p2"), Some("p1")]);
    play.ok(learner, drop_deck("d2"));
    play.ok(learner, drop_deck("d2"));
}

#[test]
fn the_pointer_is_on_the_page_shown_and_never_kept() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    bring(&mut play, deck("d1", "p1", READY));
    let middle = || point(2, Some(5_000), Some(1));
    assert_eq!(play.refused(trainer, middle()), ErrorCode::Conflict);
    play.ok(trainer, show("d1", 2));
    play.news(learner);
    let before = play.ledger.len();
    play.ok(trainer, middle());
    play.ok(trainer, point(2, None, None));
    assert_eq!(play.ledger.len(), before);
    let told = play.news(learner);
    assert_eq!(told.len(), 2);
    assert!(matches!(
        &told[0],
        ServerMessage::SlidePoint { who, x: Some(5_000), .. } if *who == id("p1")
    ));
    let over = POINT_MAX + 1;
    for (wrong, code) in [
        (point(3, Some(1), Some(1)), ErrorCode::Conflict),
        (point(2, Some(1), None), ErrorCode::BadRequest),
        (point(2, None, Some(1)), ErrorCode::BadRequest),
        (point(2, Some(over), Some(1)), ErrorCode::BadRequest),
        (point(2, Some(1), Some(over)), ErrorCode::BadRequest),
    ] {
        assert_eq!(play.refused(trainer, wrong), code);
    }
    assert_eq!(
        play.refused(learner, point(2, Some(1), Some(1))),
        ErrorCode::Forbidden
    );
}

#[test]
fn progress_is_told_twice_a_second_and_the_last_word_at_once() {
    let mut play = Play::new(RoomMode::Training);
    let learner = play.join("p2", Role::Learner);
    bring(&mut play, deck("d1", "p1", DeckState::Queued));
    play.news(learner);
    for done in 0..20 {
        bring(
            &mut play,
            deck("d1", "p1", DeckState::Converting { done, total: 20 }),
        );
        play.wait(100);
    }
    let told = play.news(learner);
    let most = usize::try_from(2_000 / PROGRESS_EVERY_MS + 1).unwrap();
    assert!((3..=most).contains(&told.len()), "{} in 2 s", told.len());
    play.wait(1_000);
    let rest = play.news(learner);
    let last = rest.last().or(told.last());
    assert!(
        matches!(last, Some(ServerMessage::Deck { deck }) if deck.st == (DeckState::Converting { done: 19, total: 20 })),
        "{last:?}"
    );
    let failed = DeckState::Failed {
        why: DeckFault::Broken,
    };
    bring(&mut play, deck("d1", "p1", failed));
    assert_eq!(play.news(learner).len(), 1);
    // What comes late changes nothing.
    bring(&mut play, deck("d1", "p1", READY));
    assert!(play.news(learner).is_empty());
    assert_eq!(
        (play.room.decks()[0].st, of_ledger(&play, "deck")),
        (failed, 1)
    );
}

#[test]
fn a_deck_taken_out_leaves_the_stage_and_does_not_come_back() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    bring(&mut play, deck("d1", "p1", READY));
    play.ok(trainer, show("d1", 1));
    play.news(learner);
    play.ok(trainer, drop_deck("d1"));
    assert_eq!(
        play.news(learner),
        [
            ServerMessage::Stage { stage: None },
            ServerMessage::DeckGone {
                deck: DeckId::from("d1")
            }
        ]
    );
    bring(&mut play, deck("d1", "p1", READY));
    assert!(play.room.decks().is_empty());
    assert!(play.restart(1_000, &[]).room.decks().is_empty());
    assert_eq!(play.refused(trainer, drop_deck("d9")), ErrorCode::NotFound);
}

#[test]
fn decks_and_files_are_bounded() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let author = play.join("p2", Role::Learner);
    for n in 0..MAX_DECKS + 3 {
        bring(&mut play, deck(&format!("d{n}"), "p1", READY));
    }
    assert_eq!(play.room.decks().len(), MAX_DECKS);
    assert_eq!(play.room.may_bring_deck(&id("p1")), Err(ErrorCode::Full));
    for n in 0..DECKS_EVER + 50 {
        let of = format!("d{n}");
        bring(&mut play, deck(&of, "p1", READY));
        if play.room.decks().iter().any(|deck| deck.deck.0 == of) {
            play.wait(250);
            play.ok(trainer, drop_deck(&of));
        }
    }
    assert_eq!(of_ledger(&play, "deckDropped"), DECKS_EVER);
    assert_eq!(play.room.may_bring_deck(&id("p1")), Err(ErrorCode::Full));

    for n in 0..HAND_INS_EACH + 5 {
        hand(&mut play, file(&format!("i{n}"), "p2", FileWay::In));
    }
    assert_eq!(of_ledger(&play, "file"), HAND_INS_EACH);
    // What is taken back has taken its place, after a restart too.
    play.ok(author, drop_file("i0"));
    hand(&mut play, file("i-more", "p2", FileWay::In));
    assert_eq!(of_ledger(&play, "file"), HAND_INS_EACH);
    let mut after = play.restart(1_000, &[]);
    let before = of_ledger(&after, "file");
    hand(&mut after, file("i-more", "p2", FileWay::In));
    assert_eq!(of_ledger(&after, "file"), before);
    hand(&mut after, file("i-other", "p3", FileWay::In));
    assert_eq!(of_ledger(&after, "file"), before + 1);
    assert_eq!(
        play.room.may_bring_file(&id("p2"), FileWay::In),
        Err(ErrorCode::Full)
    );
    for n in 0..500 {
        hand(&mut play, file(&format!("o{n}"), "p1", FileWay::Out));
    }
    let out = play.room.files_out().len();
    assert!((50..500).contains(&out), "{out} handed out");
    assert_eq!(
        play.room.may_bring_file(&id("p1"), FileWay::Out),
        Err(ErrorCode::Full)
    );
    // A state with all of it still fits a frame: `Client::receive` looks.
    play.join("p3", Role::Learner);
}

#[test]
fn what_is_handed_in_is_seen_by_its_author_and_staff() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let author = play.join("p2", Role::Learner);
    let other = play.join("p3", Role::Learner);
    for link in [trainer, author, other] {
        play.news(link);
    }
    assert_eq!(
        play.room.may_bring_file(&id("p2"), FileWay::Out),
        Err(ErrorCode::Forbidden)
    );
    assert_eq!(play.room.may_bring_file(&id("p2"), FileWay::In), Ok(()));
    hand(&mut play, file("f1", "p2", FileWay::In));
    hand(&mut play, file("f1", "p2", FileWay::In));
    assert_eq!(play.news(trainer).len(), 1, "told once");
    assert_eq!(play.news(author).len(), 1);
    assert!(play.news(other).is_empty());
    assert!(play.room.files_out().is_empty());
    // The others do not learn that it exists.
    assert_eq!(play.refused(other, drop_file("f1")), ErrorCode::NotFound);
    hand(&mut play, file("f2", "p3", FileWay::In));
    hand(&mut play, file("f3", "p1", FileWay::Out));
    let told = |msgs: &[ServerMessage]| {
        msgs.iter()
            .filter(|m| matches!(m, ServerMessage::File { .. }))
            .count()
    };
    assert_eq!((told(&play.news(author)), told(&play.news(other))), (1, 2));
    assert_eq!(play.refused(author, drop_file("f3")), ErrorCode::Forbidden);

    play.drop_link(author, false);
    let author = play.resume(author);
    assert_eq!(mine(&play, author), ["f1"]);
    let second = play.join("p4", Role::Secretary);
    assert_eq!(mine(&play, second), ["f1", "f2"]);
    play.news(author);
    play.ok(second, drop_file("f1"));
    play.ok(second, drop_file("f1"));
    assert_eq!(
        play.news(author),
        [ServerMessage::FileGone {
            file: FileId::from("f1")
        }]
    );
    assert!(
        play.news(other)
            .iter()
            .all(|m| !matches!(m, ServerMessage::FileGone { .. }))
    );
    play.drop_link(author, false);
    let author = play.resume(author);
    assert!(mine(&play, author).is_empty());
    assert!(
        play.client(author).inbox.iter().any(
            |frame| matches!(&frame.msg, ServerMessage::FilesMine { list, .. } if list.is_empty())
        ),
        "what is gone is said to be gone"
    );
}

#[test]
fn many_files_come_in_several_frames() {
    let mut play = Play::new(RoomMode::Training);
    play.join("p1", Role::Trainer);
    for n in 0..1_000 {
        let by = format!("q{}", n / 20);
        hand(&mut play, file(&format!("f{n}"), &by, FileWay::In));
    }
    let late = play.join("p5", Role::Trainer);
    assert_eq!(mine(&play, late).len(), 1_000);
    let frames: Vec<bool> = play
        .client(late)
        .inbox
        .iter()
        .filter_map(|frame| match &frame.msg {
            ServerMessage::FilesMine { add, .. } => Some(*add),
            _ => None,
        })
        .collect();
    assert!(frames.len() > 1 && !frames[0] && frames[1..].iter().all(|add| *add));
}

#[test]
fn slides_and_files_come_back_after_a_crash() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    play.join("p2", Role::Learner);
    for of in ["d1", "d2", "d3"] {
        bring(&mut play, deck(of, "p1", READY));
    }
    let failed = DeckState::Failed {
        why: DeckFault::Encrypted,
    };
    bring(&mut play, deck("d4", "p1", failed));
    bring(&mut play, deck("d5", "p1", DeckState::Queued));
    play.ok(trainer, set("d2", Some(Review::Pending), Some("CC BY")));
    play.ok(trainer, show("d1", 4));
    play.ok(trainer, show("d2", 7));
    play.ok(trainer, drop_deck("d1"));
    hand(&mut play, file("f1", "p1", FileWay::Out));
    hand(&mut play, file("f2", "p1", FileWay::Out));
    hand(&mut play, file("f3", "p2", FileWay::In));
    play.ok(trainer, drop_file("f1"));

    let mut after = play.restart(20_000, &[]);
    let mut known = play.room.decks();
    known.retain(|deck| deck.st != DeckState::Queued);
    assert_eq!((after.room.decks(), known.len()), (known, 3));
    assert_eq!(after.room.stage(), play.room.stage());
    assert_eq!(after.room.files_out(), play.room.files_out());
    let back = after.join("p2", Role::Learner);
    assert_eq!(mine(&after, back), ["f3"]);
    // The server tells again what was under way, and what it knows of the rest.
    bring(&mut after, deck("d5", "p1", DeckState::Queued));
    for of in ["d1", "d2", "d4"] {
        bring(&mut after, deck(of, "p1", READY));
    }
    hand(&mut after, file("f1", "p1", FileWay::Out));
    assert_eq!(after.room.decks(), play.room.decks());
    assert_eq!(after.room.files_out(), play.room.files_out());
    // And so a second time.
    let twice = after.restart(5_000, &[]);
    assert_eq!(twice.room.stage(), play.room.stage());
    assert_eq!(twice.room.decks().len(), 3);
}
