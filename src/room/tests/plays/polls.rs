//! Polls, quizzes, votes.

use lophoc_protocol::poll::{Choose, Poll, PollChoice, PollDraft, PollItem, PollKind, PollState};
use lophoc_protocol::{PollId, ServerFrame};
use lophoc_room::bounds::{BALLOTS_EVERY_MS, BALLOTS_LEAST, POLLS_EVER, POLLS_OPEN};
use lophoc_room::{Arrival, Effect, Identity, Now, Room};

use super::*;

fn draft(kind: PollKind) -> PollDraft {
    let (options, correct): (&[&str], _) = match kind {
        PollKind::YesNo | PollKind::Vote => (&[], vec![]),
        PollKind::Letters => (&["", "", "", ""], vec![]),
        PollKind::Poll => (&["Sáng", "Chiều"], vec![]),
        PollKind::Quiz => (&["3 tháng", "6 tháng"], vec![1]),
    };
    PollDraft {
        kind,
        title: "Thông qua kế hoạch".into(),
        items: vec![PollItem {
            text: String::new(),
            choose: Choose::One,
            options: options.iter().map(|o| (*o).to_owned()).collect(),
            correct,
        }],
        anonymous: false,
        live: false,
        secs: None,
        quorum: None,
        by_site: false,
    }
}

fn secret(kind: PollKind) -> PollDraft {
    PollDraft {
        anonymous: true,
        ..draft(kind)
    }
}

fn open(play: &mut Play, link: LinkId, draft: PollDraft) -> PollId {
    let cid = format!("c{}", play.ledger.len());
    match play.ask(link, M::PollOpen { cid, draft }) {
        ServerMessage::PollOpened { poll } => poll,
        other => panic!("{other:?}"),
    }
}

fn choose(poll: &PollId, chosen: &[u8]) -> M {
    M::PollAnswer {
        poll: poll.clone(),
        answer: vec![PollChoice {
            chosen: chosen.to_vec(),
            text: None,
        }],
    }
}

fn write(poll: &PollId, text: &str) -> M {
    M::PollAnswer {
        poll: poll.clone(),
        answer: vec![PollChoice {
            chosen: vec![],
            text: Some(text.into()),
        }],
    }
}

/// Casts a ballot; its `ok` comes later, under this number.
fn cast(play: &mut Play, link: LinkId, id: u32, msg: M) {
    let id = Some(id);
    play.apply(Command::Frame { link, id, msg });
}

fn replies(play: &Play, link: LinkId, id: u32) -> Vec<ServerMessage> {
    let inbox = play.client(link).inbox.iter();
    inbox
        .filter(|frame| frame.id == Some(id))
        .map(|frame| frame.msg.clone())
        .collect()
}

fn seen(play: &Play, link: LinkId, poll: &PollId) -> Poll {
    play.client(link).polls[poll].clone()
}

fn counts(poll: &Poll) -> Option<Vec<u32>> {
    let results = poll.results.as_ref()?;
    Some(results[0].counts.clone())
}

fn close(poll: &PollId) -> M {
    M::PollClose { poll: poll.clone() }
}

fn show(poll: &PollId, on: bool) -> M {
    M::PollShow {
        poll: poll.clone(),
        on,
    }
}

fn learners(play: &mut Play, many: usize) -> Vec<LinkId> {
    (0..many)
        .map(|n| play.join(&format!("l{n}"), Role::Learner))
        .collect()
}

#[test]
fn sums_go_to_those_who_hold_polls_until_they_are_shown() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("t", Role::Trainer);
    let people = learners(&mut play, 3);
    let poll = open(&mut play, trainer, draft(PollKind::YesNo));
    assert_eq!(seen(&play, people[0], &poll).st, PollState::Open);
    play.ok(people[0], choose(&poll, &[0]));
    play.ok(people[1], choose(&poll, &[1]));
    play.wait(1_100);
    let (his, theirs) = (seen(&play, trainer, &poll), seen(&play, people[2], &poll));
    assert_eq!((his.answered, his.eligible), (2, 4));
    assert_eq!((theirs.answered, theirs.eligible), (2, 4));
    assert_eq!((counts(&his), counts(&theirs)), (Some(vec![1, 1]), None));

    // Who changed his mind is counted once; the others learn nothing of it.
    let seq = play.seq;
    play.ok(people[1], choose(&poll, &[0]));
    play.wait(1_100);
    assert_eq!(counts(&seen(&play, trainer, &poll)), Some(vec![2, 0]));
    assert_eq!(play.seq, seq);

    play.ok(trainer, close(&poll));
    play.ok(trainer, close(&poll));
    assert_eq!(
        play.refused(people[2], choose(&poll, &[0])),
        ErrorCode::Conflict
    );
    assert_eq!(counts(&seen(&play, people[2], &poll)), None);
    play.ok(trainer, show(&poll, true));
    let shown = seen(&play, people[2], &poll);
    assert_eq!(
        (shown.st, counts(&shown)),
        (PollState::Shown, Some(vec![2, 0]))
    );
    play.ok(trainer, show(&poll, false));
    assert_eq!(counts(&seen(&play, people[2], &poll)), None);
    play.ok(trainer, M::PollDrop { poll: poll.clone() });
    assert!(play.client(people[2]).polls.is_empty());
    assert_eq!(play.refused(trainer, close(&poll)), ErrorCode::NotFound);
}

#[test]
fn a_live_poll_shows_its_sums_to_all() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("t", Role::Trainer);
    let people = learners(&mut play, 2);
    let live = PollDraft {
        live: true,
        ..draft(PollKind::Letters)
    };
    let poll = open(&mut play, trainer, live);
    play.ok(people[0], choose(&poll, &[3]));
    play.wait(1_100);
    let counted = Some(vec![0, 0, 0, 1]);
    assert_eq!(counts(&seen(&play, people[1], &poll)), counted);
    play.ok(people[0], choose(&poll, &[2]));
    play.wait(1_100);
    let counted = Some(vec![0, 0, 1, 0]);
    assert_eq!(counts(&seen(&play, people[1], &poll)), counted);
}

#[test]
fn the_right_answers_and_the_points_come_with_the_results() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("t", Role::Trainer);
    let people = learners(&mut play, 3);
    let poll = open(&mut play, trainer, draft(PollKind::Quiz));
    let right = |play: &Play, link| seen(play, link, &poll).draft.items[0].correct.clone();
    assert_eq!(right(&play, trainer), [1]);
    assert!(right(&play, people[0]).is_empty());
    for (link, chosen) in people.iter().zip([1, 0]) {
        play.ok(*link, choose(&poll, &[chosen]));
    }
    let mine = |play: &Play, link| play.client(link).mine.get(&poll).cloned();
    assert_eq!(mine(&play, people[0]).unwrap().1, None);
    play.wait(2_000);
    let late = play.join("late", Role::Learner);
    assert!(right(&play, late).is_empty() && right(&play, people[1]).is_empty());

    play.ok(trainer, close(&poll));
    assert!(right(&play, people[0]).is_empty());
    play.ok(trainer, show(&poll, true));
    assert_eq!(right(&play, people[0]), [1]);
    assert_eq!(mine(&play, people[0]).unwrap().1, Some(1));
    assert_eq!(mine(&play, people[1]).unwrap().1, Some(0));
    assert_eq!(mine(&play, people[2]), None);
    // So does somebody's page that is loaded anew, and one that resumes.
    let anew = play.join("l0", Role::Learner);
    assert_eq!(mine(&play, anew).unwrap().1, Some(1));
    play.drop_link(people[1], false);
    let back = play.resume(people[1]);
    assert_eq!(mine(&play, back).unwrap().1, Some(0));
    // And hidden again.
    play.ok(trainer, show(&poll, false));
    assert!(right(&play, anew).is_empty());
    assert_eq!(mine(&play, anew).unwrap().1, None);
}

#[test]
fn who_comes_to_hold_polls_sees_more_and_who_no_longer_does_less() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("t", Role::Trainer);
    let people = learners(&mut play, 1);
    let poll = open(&mut play, trainer, draft(PollKind::Quiz));
    play.ok(people[0], choose(&poll, &[1]));
    play.wait(1_100);
    // A link whose token names another role.
    let name = "Nguyễn Văn l0";
    let up = play.hello("l0", name, Role::Trainer, "máy", None);
    assert_eq!(counts(&seen(&play, up, &poll)), Some(vec![0, 1]));
    let resume = |play: &Play, link| {
        let client = play.client(link);
        Some(lophoc_protocol::client::Resume {
            session: client.session.as_str().into(),
            key: client.key.clone(),
            last_seq: client.seq,
        })
    };
    let asked = resume(&play, up);
    play.drop_link(up, false);
    let down = play.hello("l0", name, Role::Learner, "máy", asked);
    assert!(
        play.news(down)
            .iter()
            .any(|m| matches!(m, ServerMessage::Resumed { .. }))
    );
    let held = seen(&play, down, &poll);
    assert_eq!(counts(&held), None);
    assert!(held.draft.items[0].correct.is_empty());
    let asked = resume(&play, down);
    play.drop_link(down, false);
    let up = play.hello("l0", name, Role::Secretary, "máy", asked);
    let held = seen(&play, up, &poll);
    assert_eq!(counts(&held), Some(vec![0, 1]));
    // What everybody is told in between does not take it away.
    play.join("l7", Role::Learner);
    play.wait(1_100);
    assert_eq!(counts(&seen(&play, up, &poll)), Some(vec![0, 1]));
}

#[test]
fn a_page_names_who_answered_what() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("t", Role::Trainer);
    let people = learners(&mut play, 3);
    let inspector = play.join("i", Role::Inspector);
    let poll = open(&mut play, trainer, draft(PollKind::Quiz));
    for (link, chosen) in people.iter().zip([1, 0, 1]) {
        play.ok(*link, choose(&poll, &[chosen]));
        play.wait(100);
    }
    play.ok(people[0], choose(&poll, &[0]));
    let page = |from, n| M::PollPage {
        poll: poll.clone(),
        from,
        n,
    };
    let ServerMessage::PollPage { total, list } = play.ask(trainer, page(0, 2)) else {
        panic!()
    };
    let rows: Vec<_> = list
        .iter()
        .map(|row| (row.who.as_str(), row.answer[0].chosen[0], row.score))
        .collect();
    assert_eq!(total, 3);
    assert_eq!(rows, [("l0", 0, Some(0)), ("l1", 0, Some(0))]);
    let ServerMessage::PollPage { list, .. } = play.ask(trainer, page(2, 100)) else {
        panic!()
    };
    assert_eq!(list[0].name, "Nguyễn Văn l2");
    for link in [inspector, people[0]] {
        assert_eq!(play.refused(link, page(0, 10)), ErrorCode::Forbidden);
    }
    assert_eq!(
        play.refused(inspector, choose(&poll, &[0])),
        ErrorCode::Forbidden
    );
    let hidden = open(&mut play, trainer, secret(PollKind::YesNo));
    let page = M::PollPage {
        poll: hidden,
        from: 0,
        n: 10,
    };
    assert_eq!(play.refused(trainer, page), ErrorCode::Forbidden);
}

#[test]
fn a_site_has_one_voice() {
    let mut play = Play::new(RoomMode::Conference);
    for (site, name) in [
        ("s1", "Điểm cầu A"),
        ("s2", "điểm cầu a"),
        ("s3", "Điểm cầu B"),
    ] {
        play.sites.insert(site.into(), name.into());
    }
    let chair = play.join("chair", Role::Chair);
    let trainer = play.join("t", Role::Trainer);
    let learner = play.join("l", Role::Learner);
    let sites: Vec<_> = ["s1", "s2", "s3"]
        .iter()
        .map(|site| play.join(site, Role::Learner))
        .collect();
    let vote = PollDraft {
        by_site: true,
        quorum: Some(2),
        ..draft(PollKind::Vote)
    };
    let poll = open(&mut play, chair, vote);
    assert_eq!(
        seen(&play, chair, &poll).eligible,
        3,
        "two sites and the chair"
    );
    for link in [trainer, learner] {
        assert_eq!(
            play.refused(link, choose(&poll, &[0])),
            ErrorCode::Forbidden
        );
    }
    play.ok(sites[0], choose(&poll, &[0]));
    assert_eq!(
        play.refused(sites[1], choose(&poll, &[1])),
        ErrorCode::Conflict,
        "the same site by another connection"
    );
    play.ok(sites[0], choose(&poll, &[2]));
    play.ok(chair, choose(&poll, &[0]));
    // Whoever voted counts when he is gone; others who go can vote no more.
    play.ok(sites[0], M::Leave);
    play.ok(sites[2], M::Leave);
    play.wait(1_100);
    let held = seen(&play, chair, &poll);
    assert_eq!((held.answered, held.eligible), (2, 2));
    play.ok(chair, close(&poll));
    play.join("s3", Role::Learner);
    let held = seen(&play, chair, &poll);
    assert_eq!((held.eligible, counts(&held)), (2, Some(vec![1, 0, 1])));
    let closed = play.ledger.iter().find_map(|event| match &event.kind {
        EventKind::PollClosed { eligible, .. } => Some(*eligible),
        _ => None,
    });
    assert_eq!(closed, Some(2));
}

#[test]
fn a_poll_closes_by_itself_and_with_the_session() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("t", Role::Trainer);
    let timed = PollDraft {
        secs: Some(30),
        ..draft(PollKind::Poll)
    };
    let poll = open(&mut play, trainer, timed);
    let until = seen(&play, trainer, &poll).until.unwrap();
    assert_eq!(until, play.now.wall_ms + 30_000);
    play.wait(29_900);
    assert_eq!(seen(&play, trainer, &poll).st, PollState::Open);
    play.wait(100);
    assert_eq!(seen(&play, trainer, &poll).st, PollState::Closed);
    let by_nobody = play.ledger.iter().any(
        |event| matches!(&event.kind, EventKind::PollClosed { by: None, id, .. } if *id == poll.0),
    );
    assert!(by_nobody);
    open(&mut play, trainer, draft(PollKind::YesNo));
    let from = play.ledger.len();
    play.ok(trainer, M::ModEnd);
    assert_eq!(play.kinds(from), ["pollClosed", "ended"]);
}

#[test]
fn opening_twice_is_opening_once() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("t", Role::Trainer);
    let ask = M::PollOpen {
        cid: "c1".into(),
        draft: draft(PollKind::YesNo),
    };
    let first = play.ask(trainer, ask.clone());
    assert_eq!(play.ask(trainer, ask.clone()), first);
    assert_eq!(play.client(trainer).polls.len(), 1);
    let mut after = play.restart(1_000, &[]);
    let back = after.join("t", Role::Trainer);
    assert_eq!(after.ask(back, ask), first);
    let answer = M::PollAnswer {
        poll: play.client(trainer).polls.keys().next().unwrap().clone(),
        answer: vec![PollChoice {
            chosen: vec![0],
            text: None,
        }],
    };
    after.ok(back, answer.clone());
    let events = after.ledger.len();
    after.ok(back, answer);
    assert_eq!(
        after.ledger.len(),
        events,
        "an answer sent again changes nothing"
    );
}

#[test]
fn what_cannot_be_is_refused() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("t", Role::Trainer);
    let learner = play.join("l", Role::Learner);
    let wrong = |cid: &str, draft| M::PollOpen {
        cid: cid.into(),
        draft,
    };
    let good = draft(PollKind::YesNo);
    assert_eq!(
        play.refused(learner, wrong("c", good.clone())),
        ErrorCode::Forbidden
    );
    for bad in [wrong("", good.clone()), wrong("á", good)] {
        assert_eq!(play.refused(trainer, bad), ErrorCode::BadRequest);
    }
    let nothing = PollDraft {
        items: vec![],
        ..draft(PollKind::Poll)
    };
    assert_eq!(
        play.refused(trainer, wrong("c", nothing)),
        ErrorCode::BadRequest
    );
    let poll = open(&mut play, trainer, draft(PollKind::YesNo));
    for bad in [choose(&poll, &[]), choose(&poll, &[2]), write(&poll, "có")] {
        assert_eq!(play.refused(learner, bad), ErrorCode::BadRequest);
    }
    let nowhere = choose(&PollId::from("v999"), &[0]);
    assert_eq!(play.refused(learner, nowhere), ErrorCode::NotFound);
    for early in [show(&poll, true), M::PollDrop { poll: poll.clone() }] {
        assert_eq!(play.refused(trainer, early), ErrorCode::Conflict);
    }
    for theirs in [close(&poll), show(&poll, true), M::PollDrop { poll }] {
        assert_eq!(play.refused(learner, theirs), ErrorCode::Forbidden);
    }
}

#[test]
fn there_are_only_so_many() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("t", Role::Trainer);
    let ids: Vec<_> = (0..POLLS_OPEN)
        .map(|_| open(&mut play, trainer, draft(PollKind::YesNo)))
        .collect();
    let more = |n: usize| M::PollOpen {
        cid: format!("x{n}"),
        draft: draft(PollKind::YesNo),
    };
    assert_eq!(play.refused(trainer, more(0)), ErrorCode::Conflict);
    for id in &ids[1..] {
        play.ok(trainer, close(id));
        play.wait(300);
    }
    for n in POLLS_OPEN..POLLS_EVER {
        let id = open(&mut play, trainer, draft(PollKind::YesNo));
        play.ok(trainer, close(&id));
        play.wait(500);
        let held = play.client(trainer).polls.len();
        assert!(held <= lophoc_protocol::limits::POLLS_SHOWN, "{n}: {held}");
    }
    assert!(
        play.client(trainer).polls.contains_key(&ids[0]),
        "it is open"
    );
    assert_eq!(play.refused(trainer, more(1)), ErrorCode::Full);
}

#[test]
fn heavy_polls_fit_their_frames() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("t", Role::Trainer);
    let people = learners(&mut play, 6);
    let item = PollItem {
        text: "ế".repeat(490),
        choose: Choose::Text,
        options: vec![],
        correct: vec![],
    };
    let heavy = PollDraft {
        items: vec![item; 10],
        live: true,
        ..draft(PollKind::Quiz)
    };
    let ids: Vec<_> = (0..6)
        .map(|_| open(&mut play, trainer, heavy.clone()))
        .collect();
    let answer = vec![
        PollChoice {
            chosen: vec![],
            text: Some("\"".repeat(500)),
        };
        10
    ];
    for id in &ids {
        for link in &people {
            let answer = answer.clone();
            play.ok(
                *link,
                M::PollAnswer {
                    poll: id.clone(),
                    answer,
                },
            );
        }
        play.wait(2_000);
    }
    // Every frame is measured on its way; all six polls are there.
    let late = play.join("late", Role::Trainer);
    assert_eq!(play.client(late).polls.len(), 6);
    let page = M::PollPage {
        poll: ids[0].clone(),
        from: 0,
        n: 100,
    };
    let ServerMessage::PollPage { total, list } = play.ask(late, page) else {
        panic!()
    };
    assert!(total == 6 && !list.is_empty());
}

// ---- ballots ----

/// Every run of `pollAnswered` without answers, with the ballots after it.
fn batches(ledger: &[Event]) -> Vec<(Vec<String>, Vec<String>)> {
    let mut all = vec![];
    let mut people = vec![];
    for event in ledger {
        match &event.kind {
            EventKind::PollAnswered { person, answer, .. } => {
                assert_eq!(*answer, None, "a ballot with a name");
                people.push(person.0.clone());
            }
            EventKind::PollBallots { ballots, .. } => {
                let ballots = ballots.iter().map(ToString::to_string).collect();
                all.push((std::mem::take(&mut people), ballots));
            }
            _ => assert!(people.is_empty(), "written apart"),
        }
    }
    all
}

#[test]
fn nobody_can_tell_from_the_ledger_whose_a_ballot_is() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("t", Role::Trainer);
    let people = learners(&mut play, 23);
    let poll = open(&mut play, trainer, secret(PollKind::Vote));
    // One after the other; a vote a second.
    for (n, link) in people.iter().enumerate() {
        cast(&mut play, *link, 1, choose(&poll, &[(n % 3) as u8]));
        play.wait(1_000);
        let all = batches(&play.ledger);
        assert!(all.iter().all(|(who, _)| who.len() >= BALLOTS_LEAST));
    }
    let written: usize = batches(&play.ledger).iter().map(|(who, _)| who.len()).sum();
    assert!(written >= 23 - 2 * BALLOTS_LEAST, "{written}");
    assert_eq!(seen(&play, trainer, &poll).answered, 23, "counted at once");
    play.ok(trainer, close(&poll));
    let all = batches(&play.ledger);
    assert_eq!(all.iter().map(|(who, _)| who.len()).sum::<usize>(), 23);
    for (who, ballots) in &all {
        assert!(who.len() >= BALLOTS_LEAST && who.len() == ballots.len());
        assert!(
            who.is_sorted() && ballots.is_sorted(),
            "{who:?} {ballots:?}"
        );
    }
    assert_eq!(counts(&seen(&play, trainer, &poll)), Some(vec![8, 8, 7]));
    let said = serde_json::to_string(&play.client(trainer).inbox).unwrap();
    assert!(!said.contains("\"l3\",\"answer\""));
}

#[test]
fn a_ballot_is_acknowledged_when_it_is_written() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("t", Role::Trainer);
    let people = learners(&mut play, 12);
    let poll = open(&mut play, trainer, secret(PollKind::YesNo));
    for link in &people {
        cast(&mut play, *link, 1, choose(&poll, &[0]));
        assert!(play.client(*link).mine.contains_key(&poll), "taken");
        assert_eq!(replies(&play, *link, 1), [], "but not kept yet");
    }
    play.wait(2_500);
    let told = |play: &Play| {
        people
            .iter()
            .filter(|link| replies(play, **link, 1) == [ServerMessage::Ok])
            .count()
    };
    assert_eq!(told(&play), 12 - BALLOTS_LEAST);
    // Sent again, it waits on; another answer is refused.
    let last = people[11];
    cast(&mut play, last, 2, choose(&poll, &[0]));
    assert_eq!(replies(&play, last, 2), []);
    assert_eq!(play.refused(last, choose(&poll, &[1])), ErrorCode::Conflict);
    assert_eq!(
        play.refused(people[0], choose(&poll, &[0])),
        ErrorCode::Conflict
    );
    // A lost link is told nothing, and its ballot counts.
    play.drop_link(people[10], false);
    play.ok(trainer, close(&poll));
    assert_eq!(told(&play), 10);
    assert_eq!(replies(&play, last, 2), [ServerMessage::Ok]);
    assert_eq!(counts(&seen(&play, trainer, &poll)), Some(vec![12, 0]));
    let back = play.resume(people[10]);
    assert_eq!(play.client(back).mine[&poll], (vec![], None));
}

#[test]
fn ballots_that_were_acknowledged_outlive_a_crash() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("t", Role::Trainer);
    let people = learners(&mut play, 13);
    let poll = open(&mut play, trainer, secret(PollKind::YesNo));
    for link in &people {
        cast(&mut play, *link, 1, choose(&poll, &[1]));
    }
    play.wait(2_500);
    let mut after = play.restart(3_000, &[]);
    let trainer = after.join("t", Role::Trainer);
    let kept = seen(&after, trainer, &poll);
    assert_eq!(kept.answered as usize, 13 - BALLOTS_LEAST);
    for (n, before) in people.iter().enumerate() {
        let acknowledged = replies(&play, *before, 1) == [ServerMessage::Ok];
        let link = after.join(&format!("l{n}"), Role::Learner);
        assert_eq!(after.client(link).mine.contains_key(&poll), acknowledged);
        if acknowledged {
            let again = choose(&poll, &[0]);
            assert_eq!(after.refused(link, again), ErrorCode::Conflict);
        } else {
            cast(&mut after, link, 1, choose(&poll, &[1]));
        }
    }
    after.ok(trainer, close(&poll));
    assert_eq!(counts(&seen(&after, trainer, &poll)), Some(vec![0, 13]));
}

#[test]
fn a_stopping_server_keeps_ballots_that_hide_each_other_and_drops_the_few() {
    for (many, kept) in [(BALLOTS_LEAST - 1, 0), (BALLOTS_LEAST, BALLOTS_LEAST)] {
        let mut play = Play::new(RoomMode::Training);
        let trainer = play.join("t", Role::Trainer);
        let people = learners(&mut play, many);
        let poll = open(&mut play, trainer, secret(PollKind::YesNo));
        for link in &people {
            cast(&mut play, *link, 1, choose(&poll, &[0]));
        }
        play.apply(Command::Drain);
        let mut after = play.restart(3_000, &[]);
        let back = after.join("t", Role::Trainer);
        assert_eq!(seen(&after, back, &poll).answered as usize, kept);
    }
}

#[test]
fn few_ballots_after_a_restart_are_written_without_their_people() {
    for drained in [true, false] {
        let mut play = Play::new(RoomMode::Training);
        let trainer = play.join("t", Role::Trainer);
        let people = learners(&mut play, 3 * BALLOTS_LEAST);
        let vote = open(&mut play, trainer, secret(PollKind::YesNo));
        for link in &people {
            cast(&mut play, *link, 1, choose(&vote, &[0]));
        }
        play.wait(2 * BALLOTS_EVERY_MS);
        if drained {
            play.apply(Command::Drain);
        }
        let mut after = play.restart(3_000, &[]);
        let trainer = after.join("t", Role::Trainer);
        let kept = seen(&after, trainer, &vote).answered;
        assert!(kept as usize >= BALLOTS_LEAST, "{kept}");
        // One more votes, and then it is closed.
        let late = after.join("late", Role::Learner);
        cast(&mut after, late, 1, choose(&vote, &[1]));
        let from = after.ledger.len();
        after.ok(trainer, close(&vote));
        let told = after.ledger[from..].iter().any(|event| {
            matches!(&event.kind, EventKind::PollAnswered { person, .. } if person.as_str() == "late")
        });
        assert!(!told, "the one ballot would be his");
        assert!(
            replies(&after, late, 1).contains(&ServerMessage::Ok),
            "his ballot is kept all the same"
        );
        let closed = seen(&after, trainer, &vote);
        assert_eq!(closed.answered, kept + 1);
        assert_eq!(counts(&closed), Some(vec![kept, 1]));
        // As the record and the next life tell it.
        let record = lophoc_ledger::polls(&after.ledger);
        assert_eq!(record[0].answered, kept + 1);
        let mut last = after.restart(1_000, &[]);
        let trainer = last.join("t", Role::Trainer);
        let again = seen(&last, trainer, &vote);
        assert_eq!(
            (again.answered, counts(&again)),
            (kept + 1, Some(vec![kept, 1]))
        );
    }
}

#[test]
fn who_was_removed_before_his_ballot_was_written_has_voted_all_the_same() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("t", Role::Trainer);
    let people = learners(&mut play, 2 * BALLOTS_LEAST + 1);
    let vote = open(&mut play, trainer, secret(PollKind::YesNo));
    for link in &people {
        cast(&mut play, *link, 1, choose(&vote, &[0]));
    }
    play.ok(
        trainer,
        M::ModRemove {
            who: "l0".into(),
            bar: false,
        },
    );
    play.wait(2 * BALLOTS_EVERY_MS);
    let mut after = play.restart(3_000, &[]);
    let back = after.join("l0", Role::Learner);
    assert_eq!(
        after.refused(back, choose(&vote, &[1])),
        ErrorCode::Conflict,
        "no second ballot"
    );
}

#[test]
fn an_anonymous_answer_is_no_sign_of_life_at_the_time_of_its_writing() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("t", Role::Trainer);
    let person = play.join("l", Role::Learner);
    let poll = open(&mut play, trainer, secret(PollKind::YesNo));
    cast(&mut play, person, 1, choose(&poll, &[0]));
    let gave = play.now.wall_ms;
    play.wait_hearing(20_000, &[trainer]);
    play.ok(trainer, close(&poll));
    let mut after = play.restart(1_000, &[]);
    after.apply(Command::Tick);
    let all = stays(&after.ledger, &[], None);
    let stay = all.iter().find(|stay| stay.person.as_str() == "l").unwrap();
    assert!(stay.to_ms.unwrap() <= gave, "{stay:?}");
}

// ---- after a crash ----

#[test]
fn polls_outlive_a_crash() {
    let mut play = Play::new(RoomMode::Conference);
    play.sites.insert("s1".into(), "Điểm cầu A".into());
    let chair = play.join("c", Role::Chair);
    let people = learners(&mut play, 12);
    let site = play.join("s1", Role::Learner);
    let quiz = open(&mut play, chair, draft(PollKind::Quiz));
    let texts = open(
        &mut play,
        chair,
        PollDraft {
            items: vec![PollItem {
                text: "Góp ý".into(),
                choose: Choose::Text,
                options: vec![],
                correct: vec![],
            }],
            secs: Some(120),
            ..draft(PollKind::Poll)
        },
    );
    let vote = open(
        &mut play,
        chair,
        PollDraft {
            by_site: true,
            anonymous: true,
            ..draft(PollKind::Vote)
        },
    );
    let hidden = open(&mut play, chair, secret(PollKind::YesNo));
    let gone = open(&mut play, chair, draft(PollKind::YesNo));
    for (n, link) in people.iter().enumerate() {
        play.ok(*link, choose(&quiz, &[(n % 2) as u8]));
        play.ok(*link, write(&texts, &format!("ý kiến {n}")));
        cast(&mut play, *link, 9, choose(&hidden, &[(n % 2) as u8]));
    }
    play.ok(people[3], write(&texts, "đổi ý"));
    cast(&mut play, site, 9, choose(&vote, &[0]));
    play.ok(chair, close(&quiz));
    play.ok(chair, show(&quiz, true));
    play.ok(chair, close(&vote));
    play.ok(chair, close(&hidden));
    play.ok(chair, close(&gone));
    play.ok(chair, M::PollDrop { poll: gone });
    play.wait(2_000);

    let mut after = play.restart(4_000, &play.room.last_seen());
    after.apply(Command::Tick);
    for who in ["c", "l0", "s1"] {
        assert_eq!(after.room.polls_of(&id(who)), play.room.polls_of(&id(who)));
    }
    let back = after.join("l3", Role::Learner);
    let before = play.client(people[3]);
    let after_mine = &after.client(back).mine;
    assert_eq!(*after_mine, before.mine);
    assert_eq!(after_mine[&quiz].1, Some(1));
    let chair = after.join("c", Role::Chair);
    let page = M::PollPage {
        poll: quiz,
        from: 0,
        n: 100,
    };
    let ServerMessage::PollPage { total, list } = after.ask(chair, page) else {
        panic!()
    };
    assert_eq!((total, list[3].name.as_str()), (12, "Nguyễn Văn l3"));
    // It closes when it would have.
    let until = seen(&after, chair, &texts).until.unwrap();
    after.wait(until - after.now.wall_ms);
    assert_eq!(seen(&after, chair, &texts).st, PollState::Closed);
    // One that ran out while the server was away closes at once.
    let mut late = play.restart(500_000, &[]);
    late.apply(Command::Tick);
    let chair = late.join("c", Role::Chair);
    assert_eq!(seen(&late, chair, &texts).st, PollState::Closed);
}

// ---- many ----

#[test]
fn five_thousand_answers_cost_a_handful_of_broadcasts() {
    let mut now = START;
    let mut room = Room::new(
        RoomConfig {
            max_people: 6_000,
            ..config(RoomMode::Training)
        },
        now,
    );
    let hello = |n: u64, role| {
        Command::Hello(Box::new(Arrival {
            link: LinkId(n),
            identity: Identity {
                person: id(&format!("p{n}")),
                name: format!("Nguyễn Văn {n}"),
                unit: None,
                role,
                site: None,
            },
            device: String::new(),
            peer: n,
            session: lophoc_protocol::SessionId(format!("s{n}")),
            key: format!("k{n}"),
            resume: None,
            take_over: false,
            waits: false,
            recording: None,
            crowded: false,
        }))
    };
    room.apply(now, hello(1, Role::Trainer));
    for n in 2..=5_001 {
        room.apply(now, hello(n, Role::Learner));
    }
    for kind in [secret(PollKind::YesNo), draft(PollKind::YesNo)] {
        let effects = room.apply(
            now,
            Command::Frame {
                link: LinkId(1),
                id: Some(1),
                msg: M::PollOpen {
                    cid: format!("c{}", now.mono_ms),
                    draft: kind,
                },
            },
        );
        let poll = effects
            .iter()
            .find_map(|effect| match effect {
                Effect::Send { frame, .. } => match &frame.msg {
                    ServerMessage::PollOpened { poll } => Some(poll.clone()),
                    _ => None,
                },
                _ => None,
            })
            .unwrap();
        let mut told = Told::default();
        // Fifty at a time, for two seconds, then two more.
        for tick in 0..40u64 {
            for n in (0..250).map(|n| 2 + tick * 250 + n).filter(|n| *n <= 5_001) {
                let effects = room.apply(
                    now,
                    Command::Frame {
                        link: LinkId(n),
                        id: Some(2),
                        msg: choose(&poll, &[(n % 2) as u8]),
                    },
                );
                told.take(&effects);
            }
            now = Now {
                wall_ms: now.wall_ms + 100,
                mono_ms: now.mono_ms + 100,
            };
            let effects = room.apply(now, Command::Tick);
            told.take(&effects);
        }
        assert!(told.broadcasts <= 5, "{}", told.broadcasts);
        assert!(told.to_staff <= 5, "{}", told.to_staff);
        assert_eq!(
            told.last.map(|last| (last.answered, last.eligible)),
            Some((5_000, 5_001))
        );
        let effects = room.apply(
            now,
            Command::Frame {
                link: LinkId(1),
                id: Some(3),
                msg: close(&poll),
            },
        );
        told.oks += oks(&effects);
        assert_eq!(told.oks, 5_001, "everybody is answered, the closer too");
        let sums = room.polls_of(&id("p1")).pop().unwrap();
        assert_eq!(counts(&sums), Some(vec![2_500, 2_500]));
    }
}

#[derive(Default)]
struct Told {
    broadcasts: usize,
    to_staff: usize,
    oks: usize,
    last: Option<Poll>,
}

fn oks(effects: &[Effect]) -> usize {
    let ok = |frame: &ServerFrame| frame.msg == ServerMessage::Ok;
    effects
        .iter()
        .filter(|effect| matches!(effect, Effect::Send { frame, .. } if ok(frame)))
        .count()
}

impl Told {
    fn take(&mut self, effects: &[Effect]) {
        self.oks += oks(effects);
        for effect in effects {
            match effect {
                Effect::Broadcast(frame) => {
                    if let ServerMessage::Poll { poll } = &frame.msg {
                        self.broadcasts += 1;
                        self.last = Some((**poll).clone());
                    }
                }
                Effect::Send { frame, .. } => {
                    self.to_staff += usize::from(matches!(frame.msg, ServerMessage::Poll { .. }));
                }
                _ => {}
            }
        }
    }
}
