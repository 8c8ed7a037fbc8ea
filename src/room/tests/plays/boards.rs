//! Boards: who may draw, what each takes back, and that a board is the same for
//! everybody and after a crash.

use lophoc_protocol::board::{Figure, FigureKind, Ink, Shape};
use lophoc_protocol::limits::{MAX_BOARD_TEXT, MAX_ERASE, MAX_SHAPES, MAX_STROKE, POINT_MAX};
use lophoc_protocol::people::Permits;
use lophoc_protocol::slides::{Deck, DeckState, Review};
use lophoc_protocol::{BoardId, DeckId};
use lophoc_room::bounds::{BOARD_BYTES, BOARD_DEEDS, BOARD_GONE, BOARD_LIVE_POINTS, STROKES};
use lophoc_room::{BoardKept, BoardsKept, boards_of};
use proptest::prelude::*;

use super::*;

fn on(board: &str) -> BoardId {
    BoardId::from(board)
}

fn pen(p: &[u16]) -> Figure {
    Figure {
        kind: FigureKind::Pen,
        ink: Ink::Red,
        w: 2,
        p: p.to_vec(),
        text: String::new(),
    }
}

fn text(text: &str) -> Figure {
    Figure {
        kind: FigureKind::Text,
        text: text.into(),
        ..pen(&[10, 20])
    }
}

fn draw(board: &str, cid: &str) -> M {
    draw_fig(board, cid, pen(&[1, 2, 3, 4]))
}

fn draw_fig(board: &str, cid: &str, fig: Figure) -> M {
    M::BoardDraw {
        board: on(board),
        cid: cid.into(),
        fig,
    }
}

fn erase(board: &str, n: &[u32]) -> M {
    M::BoardErase {
        board: on(board),
        n: n.to_vec(),
    }
}

fn show(board: &str) -> M {
    M::BoardShow { board: on(board) }
}

fn undo(board: &str) -> M {
    M::BoardUndo { board: on(board) }
}

fn redo(board: &str) -> M {
    M::BoardRedo { board: on(board) }
}

fn clear(board: &str) -> M {
    M::BoardClear { board: on(board) }
}

fn live(board: &str, from: u16, fig: Figure) -> M {
    M::BoardLive {
        board: on(board),
        cid: "x".into(),
        from,
        fig,
    }
}

/// The ids of what is on a board, as the authors named it.
fn seen(play: &Play, board: &str) -> Vec<String> {
    let shapes = play.room.board(&on(board));
    shapes.into_iter().map(|shape| shape.cid).collect()
}

fn deck(play: &mut Play, pages: u16) {
    play.apply(Command::Deck(Box::new(Deck {
        deck: DeckId::from("d1"),
        name: "Bài 1.pptx".into(),
        st: DeckState::Ready,
        pages,
        w: 960,
        h: 540,
        url: "/s/d1".into(),
        review: Review::Draft,
        licence: None,
        owner: None,
        by: id("p1"),
        by_name: "p1".into(),
        at: START.wall_ms,
    })));
}

fn page(page: u16) -> M {
    M::SlideShow {
        deck: DeckId::from("d1"),
        page,
    }
}

fn let_learners(play: &mut Play, link: LinkId, draw: bool) {
    let permits = Permits {
        draw,
        ..Permits::default()
    };
    play.ok(link, M::ModPermits { permits });
}

/// A trainer, a learner, and a blank board.
fn class() -> (Play, LinkId, LinkId) {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    play.ok(trainer, show("w1"));
    (play, trainer, learner)
}

/// Everybody who is in believes what the room knows.
fn agree(play: &Play, boards: &[&str]) {
    for link in &play.open {
        let client = play.client(*link);
        for board in boards {
            let believed: Vec<Shape> = client
                .drawn
                .get(&on(board))
                .map(|drawn| drawn.values().cloned().collect())
                .unwrap_or_default();
            assert_eq!(believed, play.room.board(&on(board)), "{}", client.person);
        }
        let shown = play.room.boards().unwrap_or_default();
        assert_eq!(client.boards.shown, shown.shown);
        assert_eq!(client.boards.white, shown.white);
    }
}

#[test]
fn whoever_shows_slides_opens_boards_one_after_the_other() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    assert_eq!(play.room.boards(), None);
    assert_eq!(play.refused(learner, show("w1")), ErrorCode::Forbidden);
    assert_eq!(play.refused(trainer, show("w2")), ErrorCode::NotFound);
    assert_eq!(play.refused(trainer, show("d1-1")), ErrorCode::BadRequest);
    play.ok(trainer, show("w1"));
    play.ok(trainer, show("w2"));
    play.ok(trainer, show("w1"));
    assert_eq!(play.client(learner).boards.white, 2);
    assert_eq!(play.client(learner).boards.shown, Some(on("w1")));
    for n in 3..=20 {
        play.wait(1_000);
        play.ok(trainer, show(&format!("w{n}")));
    }
    assert_eq!(play.refused(trainer, show("w21")), ErrorCode::BadRequest);
    assert_eq!(play.refused(learner, M::BoardHide), ErrorCode::Forbidden);
    play.ok(trainer, M::BoardHide);
    play.ok(trainer, M::BoardHide);
    agree(&play, &[]);
    assert_eq!(play.client(learner).boards.shown, None);
}

#[test]
fn a_page_shown_takes_the_place_of_the_board() {
    let (mut play, trainer, learner) = class();
    deck(&mut play, 3);
    play.ok(trainer, page(2));
    assert_eq!(play.client(learner).boards.shown, None);
    play.ok(trainer, show("w1"));
    // The same page again is a wish to see it.
    play.ok(trainer, page(2));
    assert_eq!(play.client(learner).boards.shown, None);
}

#[test]
fn learners_draw_when_they_are_let_and_with_the_floor() {
    let (mut play, trainer, learner) = class();
    assert_eq!(play.refused(learner, draw("w1", "a")), ErrorCode::Forbidden);
    assert_eq!(play.refused(learner, undo("w1")), ErrorCode::Forbidden);
    let nothing = live("w1", 0, pen(&[1, 1]));
    assert_eq!(play.refused(learner, nothing), ErrorCode::Forbidden);
    let_learners(&mut play, trainer, true);
    play.ok(learner, draw("w1", "a"));
    let_learners(&mut play, trainer, false);
    assert_eq!(play.refused(learner, draw("w1", "b")), ErrorCode::Forbidden);
    play.ok(
        trainer,
        M::ModFloor {
            who: id("p2"),
            give: true,
        },
    );
    play.ok(learner, draw("w1", "b"));
    assert_eq!(seen(&play, "w1"), ["a", "b"]);
    let inspector = play.join("p3", Role::Inspector);
    let_learners(&mut play, trainer, true);
    assert_eq!(
        play.refused(inspector, draw("w1", "c")),
        ErrorCode::Forbidden
    );
}

#[test]
fn everybody_sees_what_is_drawn_and_a_repeat_draws_nothing() {
    let (mut play, trainer, learner) = class();
    play.ok(trainer, draw("w1", "a"));
    play.ok(trainer, draw("w1", "a"));
    assert_eq!(seen(&play, "w1"), ["a"]);
    agree(&play, &["w1"]);
    let shape = &play.client(learner).drawn[&on("w1")][&1];
    assert_eq!((shape.by.as_str(), shape.n), ("p1", 1));
    // Taken back and repeated by a slow link: it stays away.
    play.ok(trainer, undo("w1"));
    play.ok(trainer, draw("w1", "a"));
    assert!(seen(&play, "w1").is_empty());
    agree(&play, &["w1"]);
}

#[test]
fn pages_have_their_own_boards_which_go_with_the_deck() {
    let (mut play, trainer, learner) = class();
    assert_eq!(
        play.refused(trainer, draw("d1-1", "a")),
        ErrorCode::NotFound
    );
    deck(&mut play, 3);
    for board in ["d1-4", "d1-0", "d2-1", "w2", "", "d1-01"] {
        assert_eq!(play.refused(trainer, draw(board, "a")), ErrorCode::NotFound);
        let get = M::BoardGet {
            board: on(board),
            after: 0,
        };
        assert_eq!(play.refused(learner, get), ErrorCode::NotFound);
    }
    play.ok(trainer, draw("d1-3", "a"));
    play.ok(trainer, draw("d1-1", "b"));
    play.ok(trainer, draw("w1", "c"));
    let boards = play.room.boards().unwrap();
    assert_eq!(boards.pages, [on("d1-1"), on("d1-3")]);
    play.ok(
        trainer,
        M::DeckDrop {
            deck: DeckId::from("d1"),
        },
    );
    assert!(play.room.boards().unwrap().pages.is_empty());
    assert_eq!(
        play.refused(trainer, draw("d1-1", "a")),
        ErrorCode::NotFound
    );
    let after = play.restart(1_000, &[]);
    assert_eq!(after.room.boards(), play.room.boards());
    assert_eq!(seen(&after, "w1"), ["c"]);
}

/// What a record of the session holds of a board: ids and names of the authors.
fn kept(kept: &BoardsKept, board: &str) -> Vec<(String, String)> {
    let found = kept.boards.iter().find(|kept| kept.board == on(board));
    let shapes = found.map(|kept| kept.shapes.as_slice()).unwrap_or_default();
    shapes
        .iter()
        .map(|(shape, name)| (shape.cid.clone(), name.clone()))
        .collect()
}

#[test]
fn the_record_keeps_what_was_drawn_over_a_deck_until_it_was_taken_out() {
    let (mut play, trainer, learner) = class();
    let_learners(&mut play, trainer, true);
    deck(&mut play, 3);
    for (link, board, cid) in [
        (trainer, "d1-3", "a"),
        (learner, "d1-3", "b"),
        (trainer, "d1-1", "c"),
        (trainer, "d1-2", "d"),
        (learner, "w1", "e"),
    ] {
        play.ok(link, draw(board, cid));
    }
    play.ok(trainer, undo("d1-1"));
    let name = |link: LinkId| format!("Nguyễn Văn {}", play.client(link).person);
    let (first, second) = (name(trainer), name(learner));
    let before = boards_of(&play.ledger);
    play.ok(
        trainer,
        M::DeckDrop {
            deck: DeckId::from("d1"),
        },
    );
    let after = boards_of(&play.ledger);
    let names = |boards: &BoardsKept| -> Vec<(String, bool)> {
        let told = |kept: &BoardKept| (kept.board.0.clone(), kept.dropped);
        boards.boards.iter().map(told).collect()
    };
    let all = |dropped| {
        let w1 = ("w1".to_owned(), false);
        // What nothing is on is no board of the record.
        let pages = ["d1-2", "d1-3"].map(|page| (page.to_owned(), dropped));
        [w1].into_iter().chain(pages).collect::<Vec<_>>()
    };
    assert_eq!((names(&before), names(&after)), (all(false), all(true)));
    for record in [&before, &after] {
        let pair = |cid: &str, name: &String| (cid.to_owned(), name.clone());
        let both = vec![pair("a", &first), pair("b", &second)];
        assert_eq!(kept(record, "d1-3"), both);
        assert_eq!(kept(record, "w1"), [pair("e", &second)]);
        let (deck, page) = record.boards[2].below.clone().unwrap();
        assert_eq!((deck.name.as_str(), page), ("Bài 1.pptx", 3));
        assert_eq!(record.left_out, 0);
    }
}

#[test]
fn decks_taken_out_fill_a_record_no_further_than_its_bound() {
    let event = |seq, kind| Event {
        session: lophoc_ledger::SessionKey::from("s"),
        seq,
        at: lophoc_ledger::Stamp {
            wall_ms: seq,
            mono_ms: seq,
            boot: 0,
        },
        kind,
    };
    let shape = |n| {
        serde_json::json!({"n": n, "by": "p1", "cid": "a",
            "fig": {"kind": "pen", "ink": "red", "w": 1, "p": [1, 2]}})
    };
    let most = lophoc_room::bounds::BOARDS;
    let mut events = Vec::new();
    for n in 0..most + 2 {
        let kinds = [
            EventKind::BoardDrawn {
                board: format!("d{n}-1"),
                shape: shape(1),
            },
            EventKind::DeckDropped {
                id: format!("d{n}"),
                by: "p1".into(),
            },
        ];
        for kind in kinds {
            events.push(event(events.len() as u64 + 1, kind));
        }
    }
    let record = boards_of(&events);
    assert_eq!((record.boards.len(), record.left_out), (most, 2));
    assert!(kept(&record, "d1-1").is_empty() && !kept(&record, "d2-1").is_empty());
}

#[test]
fn each_takes_back_what_he_did_himself() {
    let (mut play, trainer, learner) = class();
    let_learners(&mut play, trainer, true);
    for (link, cid) in [
        (trainer, "a"),
        (learner, "b"),
        (trainer, "c"),
        (learner, "d"),
    ] {
        play.ok(link, draw("w1", cid));
    }
    play.ok(trainer, undo("w1"));
    assert_eq!(seen(&play, "w1"), ["a", "b", "d"]);
    play.ok(learner, undo("w1"));
    play.ok(learner, undo("w1"));
    assert_eq!(seen(&play, "w1"), ["a"]);
    assert_eq!(play.refused(learner, undo("w1")), ErrorCode::Conflict);
    // What comes back lies where it lay.
    play.ok(learner, redo("w1"));
    play.ok(trainer, redo("w1"));
    assert_eq!(seen(&play, "w1"), ["a", "b", "c"]);
    // Something new ends what could be done again.
    play.ok(learner, draw("w1", "e"));
    assert_eq!(play.refused(learner, redo("w1")), ErrorCode::Conflict);
    agree(&play, &["w1"]);
}

#[test]
fn learners_erase_their_own_figures_and_presenters_all() {
    let (mut play, trainer, learner) = class();
    let_learners(&mut play, trainer, true);
    play.ok(trainer, draw("w1", "a"));
    play.ok(learner, draw("w1", "b"));
    play.ok(learner, draw("w1", "c"));
    assert_eq!(
        play.refused(learner, erase("w1", &[2, 1])),
        ErrorCode::Forbidden
    );
    assert_eq!(play.refused(learner, clear("w1")), ErrorCode::Forbidden);
    play.ok(learner, erase("w1", &[2, 2, 77]));
    assert_eq!(seen(&play, "w1"), ["a", "c"]);
    // Erased already: nothing happens, and it is said to nobody.
    let events = play.ledger.len();
    play.ok(learner, erase("w1", &[2]));
    play.ok(learner, erase("w1", &[]));
    assert_eq!(play.ledger.len(), events);
    play.ok(trainer, erase("w1", &[3]));
    play.ok(trainer, undo("w1"));
    play.ok(trainer, clear("w1"));
    assert!(seen(&play, "w1").is_empty());
    play.ok(trainer, undo("w1"));
    assert_eq!(seen(&play, "w1"), ["a", "c"]);
    // The learner's last deed was to erase his first figure.
    play.ok(learner, undo("w1"));
    assert_eq!(seen(&play, "w1"), ["a", "b", "c"]);
    agree(&play, &["w1"]);
}

#[test]
fn what_has_no_effect_any_more_is_passed_over() {
    let (mut play, trainer, learner) = class();
    let_learners(&mut play, trainer, true);
    play.ok(learner, draw("w1", "a"));
    play.ok(learner, draw("w1", "b"));
    play.ok(trainer, erase("w1", &[2]));
    play.ok(learner, undo("w1"));
    assert!(seen(&play, "w1").is_empty(), "the first goes, not nothing");
}

#[test]
fn a_refused_undo_changes_nothing_a_crash_would_forget() {
    let (mut play, trainer, learner) = class();
    let_learners(&mut play, trainer, true);
    play.ok(learner, draw("w1", "a"));
    play.ok(trainer, clear("w1"));
    assert_eq!(play.refused(learner, undo("w1")), ErrorCode::Conflict);
    let mut after = play.restart(1_000, &[]);
    let again = [
        after.join("p1", Role::Trainer),
        after.join("p2", Role::Learner),
    ];
    for (play, [trainer, learner]) in [(&mut play, [trainer, learner]), (&mut after, again)] {
        play.ok(trainer, undo("w1"));
        assert_eq!(seen(play, "w1").len(), 1);
        play.ok(learner, undo("w1"));
        assert!(seen(play, "w1").is_empty(), "his own stroke is his again");
    }
}

#[test]
fn a_figure_is_what_its_kind_says() {
    let (mut play, trainer, _) = class();
    let of = |kind, p: &[u16]| Figure { kind, ..pen(p) };
    let long = vec![5; MAX_STROKE * 2];
    for (cid, fig) in [
        ("dot", pen(&[0, 0])),
        ("long", pen(&long)),
        ("corner", pen(&[POINT_MAX, POINT_MAX])),
        ("line", of(FigureKind::Line, &[1, 2, 3, 4])),
        ("oval", of(FigureKind::Ellipse, &[1, 2, 3, 4])),
        ("text", text("Công thức:\nE = mc²")),
    ] {
        play.ok(trainer, draw_fig("w1", cid, fig));
    }
    let bad = [
        pen(&[]),
        pen(&[1]),
        pen(&[1, 2, 3]),
        pen(&[0, POINT_MAX + 1]),
        pen(&[u16::MAX, 0]),
        Figure {
            w: 0,
            ..pen(&[1, 1])
        },
        Figure {
            w: 4,
            ..pen(&[1, 1])
        },
        of(FigureKind::Line, &[1, 2]),
        of(FigureKind::Rect, &[1, 2, 3, 4, 5, 6]),
        of(FigureKind::Text, &[1, 2]),
        text(" \u{200b}\n"),
        Figure {
            text: "chữ".into(),
            ..pen(&[1, 1])
        },
    ];
    for fig in bad {
        let code = play.refused(trainer, draw_fig("w1", "bad", fig.clone()));
        assert_eq!(code, ErrorCode::BadRequest, "{fig:?}");
    }
    play.wait(20_000);
    let longer = vec![5; MAX_STROKE * 2 + 2];
    for fig in [pen(&longer), text(&"x".repeat(MAX_BOARD_TEXT + 1))] {
        let code = play.refused(trainer, draw_fig("w1", "bad", fig));
        assert_eq!(code, ErrorCode::TooLarge);
    }
    let many = vec![1; MAX_ERASE + 1];
    assert_eq!(
        play.refused(trainer, erase("w1", &many)),
        ErrorCode::TooLarge
    );
    assert_eq!(
        play.refused(trainer, draw_fig("w1", "", pen(&[1, 1]))),
        ErrorCode::BadRequest
    );
    // Texts are shown to others as chat is.
    play.ok(trainer, draw_fig("w1", "u", text("a\u{202e}b \n")));
    let last = play.room.board(&on("w1")).pop().unwrap();
    assert_eq!(last.fig.text, "ab");
    agree(&play, &["w1"]);
}

#[test]
fn a_stroke_on_its_way_is_told_and_not_kept() {
    let (mut play, trainer, learner) = class();
    let events = play.ledger.len();
    play.news(learner);
    play.ok(trainer, live("w1", 0, pen(&[1, 2, 3, 4])));
    play.ok(trainer, live("w1", 4, pen(&[5, 6])));
    play.ok(trainer, live("w1", 0, pen(&[])));
    let told = play.news(learner);
    assert!(
        matches!(&told[1], ServerMessage::BoardLive { who, from: 4, fig, .. }
            if who.as_str() == "p1" && fig.p == [5, 6]),
        "{told:?}"
    );
    assert_eq!(told.len(), 3);
    // Of a board nobody looks at, nothing is told.
    play.ok(trainer, live("w2", 0, pen(&[1, 2])));
    play.ok(trainer, live("?", 0, pen(&[1, 2])));
    assert!(play.news(learner).is_empty());
    assert_eq!(play.ledger.len(), events);
    assert!(seen(&play, "w1").is_empty());
    let long = vec![1; BOARD_LIVE_POINTS * 2 + 2];
    for bad in [
        live("w1", 0, pen(&long)),
        live("w1", u16::MAX, pen(&[1, 1])),
        live("w1", 0, text("a")),
        live("w1", 0, pen(&[1])),
    ] {
        assert_eq!(play.refused(trainer, bad), ErrorCode::BadRequest);
    }
    let point = |x, y| M::BoardPoint {
        board: on("w1"),
        x,
        y,
    };
    play.ok(trainer, point(Some(5), Some(6)));
    play.ok(trainer, point(None, None));
    assert_eq!(play.news(learner).len(), 2);
    for bad in [point(Some(1), None), point(Some(POINT_MAX + 1), Some(1))] {
        assert_eq!(play.refused(trainer, bad), ErrorCode::BadRequest);
    }
}

#[test]
fn strokes_over_a_page_are_told_while_it_is_shown() {
    let (mut play, trainer, learner) = class();
    deck(&mut play, 3);
    play.ok(trainer, page(2));
    play.news(learner);
    play.ok(trainer, live("d1-2", 0, pen(&[1, 2])));
    play.ok(trainer, live("d1-1", 0, pen(&[1, 2])));
    play.ok(trainer, live("w1", 0, pen(&[1, 2])));
    assert_eq!(play.news(learner).len(), 1);
    // Finished as the page was turned, it is kept all the same.
    play.ok(trainer, draw("d1-1", "a"));
    assert_eq!(seen(&play, "d1-1"), ["a"]);
}

/// As fast as it may be done for long.
fn at_ease(play: &mut Play, n: usize) {
    if n.is_multiple_of(6) {
        play.wait(6 * 1_000_000 / STROKES.per_second_milli);
    }
}

#[test]
fn a_full_board_refuses_and_takes_again_after_erasing() {
    let (mut play, trainer, learner) = class();
    let_learners(&mut play, trainer, true);
    play.ok(learner, draw("w1", "first"));
    for n in 1..MAX_SHAPES {
        play.ok(trainer, draw("w1", &format!("c{n}")));
        at_ease(&mut play, n);
    }
    assert_eq!(play.refused(trainer, draw("w1", "more")), ErrorCode::Full);
    play.ok(learner, erase("w1", &[1]));
    play.ok(trainer, draw("w1", "more"));
    // Its place is taken until the newest is gone.
    assert_eq!(play.refused(learner, undo("w1")), ErrorCode::Full);
    play.ok(trainer, undo("w1"));
    play.ok(learner, undo("w1"));
    assert_eq!(seen(&play, "w1").len(), MAX_SHAPES);
    assert_eq!(seen(&play, "w1")[0], "first");
    // Whoever comes late gets all of it, in frames of bounded size, and what
    // happens meanwhile.
    play.wait(10_000);
    let late = play.join("p9", Role::Learner);
    let mut after = 0;
    loop {
        let get = M::BoardGet {
            board: on("w1"),
            after,
        };
        let ServerMessage::BoardPage { list, more, .. } = play.ask(late, get) else {
            panic!("a page");
        };
        after = list.last().unwrap().n;
        if !more {
            break;
        }
        let newest = play.room.board(&on("w1")).last().unwrap().n;
        play.ok(trainer, erase("w1", &[after, newest]));
    }
    agree(&play, &["w1"]);
    // All of it comes back at once, in several frames.
    play.ok(trainer, clear("w1"));
    agree(&play, &["w1"]);
    play.ok(trainer, undo("w1"));
    assert!(seen(&play, "w1").len() > MAX_SHAPES - 20);
    agree(&play, &["w1"]);
}

#[test]
fn what_can_be_brought_back_is_bounded() {
    let (mut play, trainer, _) = class();
    for n in 0..BOARD_DEEDS + 5 {
        play.ok(trainer, draw("w1", &format!("c{n}")));
        at_ease(&mut play, n);
    }
    play.wait(10_000);
    for n in 0..BOARD_DEEDS {
        play.ok(trainer, undo("w1"));
        at_ease(&mut play, n);
    }
    assert_eq!(play.refused(trainer, undo("w1")), ErrorCode::Conflict);
    assert_eq!(seen(&play, "w1").len(), 5);

    // Long strokes, erased and drawn anew: the oldest are forgotten.
    let long = vec![POINT_MAX; MAX_STROKE * 2];
    let each = MAX_STROKE * 2 * "10000,".len();
    let mut drawn = 0;
    for n in 0..2 * BOARD_BYTES / each {
        play.ok(trainer, draw_fig("w1", &format!("l{n}"), pen(&long)));
        drawn += 1;
        let newest = play.room.board(&on("w1")).last().unwrap().n;
        play.ok(trainer, erase("w1", &[newest]));
        play.wait(1_000);
    }
    assert!(drawn * each > BOARD_BYTES);
    let mut full = 0;
    for n in 0..2 * BOARD_BYTES / each {
        let stroke = draw_fig("w1", &format!("m{n}"), pen(&long));
        full += usize::from(play.ask(trainer, stroke) != ServerMessage::Ok);
        play.wait(1_000);
    }
    let kept = 2 * BOARD_BYTES / each - full;
    assert!(kept * each <= BOARD_BYTES && full > 0, "{kept} {full}");
    const { assert!(BOARD_GONE >= MAX_SHAPES, "a cleared board comes back whole") };
}

#[test]
fn who_draws_too_fast_is_refused() {
    let (mut play, trainer, _) = class();
    play.wait(10_000);
    let replies: Vec<_> = (0..=STROKES.burst)
        .map(|n| play.ask(trainer, draw("w1", &format!("c{n}"))))
        .collect();
    let (last, before) = replies.split_last().unwrap();
    assert!(before.iter().all(|reply| *reply == ServerMessage::Ok));
    let code = ErrorCode::RateLimited;
    assert_eq!(*last, ServerMessage::Err { code, retry: true });
}

#[derive(Debug, Clone)]
enum Deed {
    Draw(usize, u8),
    Erase(usize, Vec<u32>),
    Clear(usize),
    Undo(usize),
    Redo(usize),
    Show(u8),
    Hide,
}

fn deed() -> impl Strategy<Value = Deed> {
    let who = 0..3usize;
    prop_oneof![
        6 => (who.clone(), any::<u8>()).prop_map(|(who, n)| Deed::Draw(who, n)),
        2 => (who.clone(), proptest::collection::vec(1..30u32, 1..4)).prop_map(|(who, n)| Deed::Erase(who, n)),
        1 => who.clone().prop_map(Deed::Clear),
        4 => who.clone().prop_map(Deed::Undo),
        3 => who.prop_map(Deed::Redo),
        1 => (1..4u8).prop_map(Deed::Show),
        1 => Just(Deed::Hide),
    ]
}

const BOARDS: [&str; 3] = ["w1", "w2", "d1-2"];

fn do_it(play: &mut Play, links: &[LinkId; 3], board: &str, deed: &Deed) {
    let (who, msg) = match deed {
        Deed::Draw(who, n) => (*who, draw(board, &format!("{n}"))),
        Deed::Erase(who, n) => (*who, erase(board, n)),
        Deed::Clear(who) => (*who, clear(board)),
        Deed::Undo(who) => (*who, undo(board)),
        Deed::Redo(who) => (*who, redo(board)),
        Deed::Show(n) => (0, show(&format!("w{n}"))),
        Deed::Hide => (0, M::BoardHide),
    };
    play.ask(links[who], msg);
    play.wait(200);
}

fn three(play: &mut Play) -> [LinkId; 3] {
    [
        play.join("p1", Role::Trainer),
        play.join("p2", Role::Learner),
        play.join("p3", Role::Learner),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// After every deed everybody believes the same; after a crash the boards are
    /// the same, and so is what each can take back and do again.
    #[test]
    fn boards_are_the_same_for_all_and_after_a_crash(
        deeds in proptest::collection::vec((0..3usize, deed()), 1..60),
        later in proptest::collection::vec((0..3usize, deed()), 1..20),
    ) {
        let mut play = Play::new(RoomMode::Training);
        let links = three(&mut play);
        deck(&mut play, 3);
        let_learners(&mut play, links[0], true);
        for (board, deed) in &deeds {
            do_it(&mut play, &links, BOARDS[*board], deed);
            agree(&play, &BOARDS);
        }
        let record = boards_of(&play.ledger);
        for board in BOARDS {
            let found = record.boards.iter().find(|kept| kept.board == on(board));
            let shapes = found.map(|kept| kept.shapes.as_slice()).unwrap_or_default();
            let shapes: Vec<Shape> = shapes.iter().map(|(shape, _)| shape.clone()).collect();
            prop_assert_eq!(shapes, play.room.board(&on(board)));
        }
        let mut after = play.restart(1_000, &[]);
        let others = three(&mut after);
        for (board, deed) in &later {
            prop_assert_eq!(play.room.boards(), after.room.boards());
            for board in BOARDS {
                prop_assert_eq!(play.room.board(&on(board)), after.room.board(&on(board)));
            }
            do_it(&mut play, &links, BOARDS[*board], deed);
            do_it(&mut after, &others, BOARDS[*board], deed);
        }
    }
}
