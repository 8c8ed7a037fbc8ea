//! Whatever people, networks and servers do: nothing panics, and the stage's
//! checks (ledger and broadcasts without holes, one link a person, exact
//! counts, nobody hidden, one screen) hold after every command.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod common;

use common::{Play, START, config, id};
use lophoc_protocol::board::{Figure, FigureKind, Ink};
use lophoc_protocol::captions::CaptionLang;
use lophoc_protocol::groups::{GroupBy, GroupNo};
use lophoc_protocol::notes::NoteStep;
use lophoc_protocol::people::Permits;
use lophoc_protocol::poll::{Choose, Poll, PollChoice, PollDraft, PollItem, PollKind};
use lophoc_protocol::recording::{RecordConsent, RecordWhom, RecordedBy};
use lophoc_protocol::talk::{Audience, QuestionState, Reaction};
use lophoc_protocol::{
    BoardId, ChatId, ClientMessage as M, MediaKind, NotesId, PersonId, PollId, QuestionId, Role,
    RoomMode, TrackState,
};
use lophoc_room::{Command, LinkId, RoomConfig};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Step {
    Join(u8),
    Rename(u8),
    TakeOver(u8),
    Hall(u8, u32),
    Resume(u8),
    Drop(u8, bool),
    Say(u8, M),
    Wait(u32),
    WaitDeaf(u32),
    Levels(u8, u8),
    Restart(u32),
    Drain,
}

const CAST: [(&str, Role); 8] = [
    ("p0", Role::Organiser),
    ("p1", Role::Chair),
    ("p2", Role::Trainer),
    ("p3", Role::Technician),
    ("p4", Role::Learner),
    ("p5", Role::Learner),
    ("p6", Role::Learner),
    ("p7", Role::Guest),
];

fn someone() -> impl Strategy<Value = PersonId> {
    (0..10u8).prop_map(|n| id(&format!("p{n}")))
}

fn audience() -> impl Strategy<Value = Audience> {
    prop_oneof![
        4 => Just(Audience::All),
        1 => Just(Audience::Organisers),
        1 => Just(Audience::Support),
        1 => Just(Audience::Group),
        2 => someone().prop_map(Audience::Person),
    ]
}

/// Questions, reactions and the arrangement.
fn talk() -> impl Strategy<Value = M> {
    let q = || (1..90u8).prop_map(|n| QuestionId(format!("q{n}")));
    let st = proptest::sample::select(
        &[
            QuestionState::Held,
            QuestionState::Open,
            QuestionState::Live,
            QuestionState::Answered,
            QuestionState::Dismissed,
        ][..],
    );
    prop_oneof![
        4 => ("[abc]{0,2}", ".{0,8}", any::<bool>())
            .prop_map(|(cid, text, anonymous)| M::Question { cid, text, anonymous }),
        3 => (q(), any::<bool>()).prop_map(|(q, on)| M::QuestionUp { q, on }),
        4 => (q(), st, proptest::option::of(".{0,6}"))
            .prop_map(|(q, st, answer)| M::QuestionSet { q, st, answer }),
        1 => Just(M::React { e: Reaction::Clap }),
        2 => (any::<[bool; 13]>()).prop_map(|p| M::ModPermits {
            permits: Permits {
                mic: p[0],
                camera: p[1],
                screen: p[2],
                chat: p[3],
                private: p[4],
                question: p[5],
                react: p[6],
                hand: p[7],
                browse: p[8],
                hand_in: p[9],
                open_questions: p[10],
                draw: p[11],
                notes: p[12],
            },
        }),
        1 => proptest::collection::vec(someone(), 0..6).prop_map(|who| M::ModSpot { who }),
        1 => (0..4u16).prop_map(|secs| M::ModSlow { secs }),
        1 => (any::<bool>(), ".{0,4}", ".{0,4}").prop_map(|(on, who, why)| M::ModRecord {
            on,
            who,
            why,
            keep: String::new(),
            by: if on { RecordedBy::Server } else { RecordedBy::External },
            whom: RecordWhom::All,
            ask: RecordConsent::Consent,
        }),
        1 => any::<bool>().prop_map(|on| M::ModRecordPause { on }),
        2 => (0..40u64, any::<bool>())
            .prop_map(|(notice, accept)| M::RecordReply { notice, accept }),
        1 => (0..90u32, ".{0,6}").prop_map(|(secs, label)| M::ModTimer { secs, label }),
        3 => (someone(), proptest::sample::select(&Role::ALL[..]))
            .prop_map(|(who, role)| M::ModRole { who, role }),
        1 => (someone(), ".{0,6}").prop_map(|(who, instead)| M::ModSubstitute { who, instead }),
    ]
}

/// What is done on boards; the first is blank, the second may come to be.
fn board_message() -> impl Strategy<Value = M> {
    let board =
        || proptest::sample::select(&["w1", "w2", "w9", "d1-1", "?"][..]).prop_map(BoardId::from);
    let kind = proptest::sample::select(
        &[
            FigureKind::Pen,
            FigureKind::Pen,
            FigureKind::Rect,
            FigureKind::Text,
        ][..],
    );
    let fig = || {
        let points = proptest::collection::vec(0..10_100u16, 0..7);
        (kind.clone(), 0..5u8, points, "[a ]{0,2}").prop_map(|(kind, w, p, text)| Figure {
            kind,
            ink: Ink::Blue,
            w,
            p,
            text,
        })
    };
    prop_oneof![
        2 => board().prop_map(|board| M::BoardShow { board }),
        1 => Just(M::BoardHide),
        6 => (board(), "[a-e]", fig()).prop_map(|(board, cid, fig)| M::BoardDraw { board, cid, fig }),
        1 => (board(), "[a-e]", 0..4u16, fig())
            .prop_map(|(board, cid, from, fig)| M::BoardLive { board, cid, from, fig }),
        1 => (board(), 0..3u32).prop_map(|(board, after)| M::BoardGet { board, after }),
        2 => (board(), proptest::collection::vec(0..9u32, 0..4)).prop_map(|(board, n)| M::BoardErase { board, n }),
        1 => board().prop_map(|board| M::BoardClear { board }),
        3 => board().prop_map(|board| M::BoardUndo { board }),
        2 => board().prop_map(|board| M::BoardRedo { board }),
    ]
}

fn caption_message() -> impl Strategy<Value = M> {
    let lang = || proptest::sample::select(&CaptionLang::ALL[..]);
    prop_oneof![
        3 => (someone(), proptest::bool::weighted(0.8)).prop_map(|(who, on)| M::ModCaptioner { who, on }),
        1 => (lang(), ".{0,6}").prop_map(|(lang, text)| M::CaptionLive { lang, text }),
        5 => ("[a-e]{0,2}", lang(), ".{0,6}", any::<u32>())
            .prop_map(|(cid, lang, text, took)| M::CaptionLine { cid, lang, text, took }),
        1 => (0..20u32).prop_map(|before| M::CaptionPage { before }),
    ]
}

fn notes_message() -> impl Strategy<Value = M> {
    let step = prop_oneof![
        4 => (-6..12i32).prop_map(NoteStep::Count),
        3 => "[a-f\n]{0,5}".prop_map(NoteStep::Put),
        1 => ".{0,3}".prop_map(NoteStep::Put),
    ];
    // Which group somebody is in is only known in the play.
    let of = || {
        prop_oneof![
            3 => Just(None),
            3 => Just(Some(NotesId::from("own"))),
            1 => (1..3u32, 1..4u8).prop_map(|(round, n)| Some(NotesId::of(round, GroupNo(n)))),
        ]
    };
    prop_oneof![
        6 => (of(), "[a-z]{0,3}", 0..30u32, proptest::collection::vec(step, 0..5))
            .prop_map(|(of, cid, rev, op)| M::NotesEdit { of, cid, rev, op }),
        2 => (of(), proptest::option::of(0..30u32)).prop_map(|(of, after)| M::NotesGet { of, after }),
    ]
}

fn group() -> impl Strategy<Value = Option<GroupNo>> {
    proptest::option::of((0..4u8).prop_map(GroupNo))
}

fn message() -> impl Strategy<Value = M> {
    let kind = || {
        proptest::sample::select(
            &[
                MediaKind::Mic,
                MediaKind::Camera,
                MediaKind::Screen,
                MediaKind::ScreenAudio,
            ][..],
        )
    };
    let who = || (0..10u8).prop_map(|n| id(&format!("p{n}")));
    let state =
        proptest::sample::select(&[TrackState::Live, TrackState::Muted, TrackState::Off][..]);
    let mode = proptest::sample::select(
        &[
            RoomMode::Discussion,
            RoomMode::Training,
            RoomMode::Conference,
        ][..],
    );
    prop_oneof![
        6 => (kind(), state).prop_map(|(kind, st)| M::Pub { kind, st }),
        3 => any::<bool>().prop_map(|up| M::Hand { up }),
        4 => ("[ab]{0,2}", ".{0,8}", audience()).prop_map(|(cid, text, to)| M::Chat { cid, text, to }),
        1 => (0..90u8).prop_map(|n| M::ChatDelete { chat: ChatId(format!("c{n}")) }),
        8 => talk(),
        1 => (0..60u8).prop_map(|n| M::ChatPage { before: ChatId(format!("c{n}")) }),
        1 => (".{0,4}", any::<u32>(), any::<u32>()).prop_map(|(q, from, n)| M::PeoplePage { q, from, n }),
        2 => (who(), kind()).prop_map(|(who, kind)| M::ModMute { who, kind }),
        1 => (any::<bool>(), proptest::collection::vec(who(), 0..3))
            .prop_map(|(may_unmute, except)| M::ModMuteAll { may_unmute, except }),
        2 => (who(), kind()).prop_map(|(who, kind)| M::ModAsk { who, kind }),
        2 => (kind(), any::<bool>()).prop_map(|(kind, accept)| M::AskReply { kind, accept }),
        3 => (who(), any::<bool>()).prop_map(|(who, give)| M::ModFloor { who, give }),
        1 => proptest::option::of(who()).prop_map(|who| M::ModHand { who }),
        1 => (who(), any::<bool>()).prop_map(|(who, bar)| M::ModRemove { who, bar }),
        1 => any::<bool>().prop_map(|locked| M::ModLock { locked }),
        1 => Just(M::ModStart),
        1 => (any::<bool>(), proptest::option::of(0..4u16)).prop_map(|(on, minutes)| M::ModBreak { on, minutes }),
        2 => any::<bool>().prop_map(|on| M::ModWaiting { on }),
        2 => proptest::option::of(who()).prop_map(|who| M::ModAdmit { who }),
        1 => who().prop_map(|who| M::ModDeny { who }),
        1 => (".{0,4}", any::<u32>(), any::<u32>()).prop_map(|(q, from, n)| M::LobbyPage { q, from, n }),
        1 => (0..200u32).prop_map(|window_sec| M::ModCheck { window_sec }),
        1 => (0..4u16, 0..4u16).prop_map(|(every_min, jitter_min)| M::ModChecks { every_min, jitter_min, window_sec: 30 }),
        2 => (1..90u64).prop_map(|n| M::CheckReply { check: format!("k{n}") }),
        1 => mode.prop_map(|mode| M::ModMode { mode }),
        2 => (0..4usize, 0..4usize).prop_map(|(n, by)| M::GroupsMake {
            names: (0..n).map(|n| format!("Nhóm {n}")).collect(),
            by: [GroupBy::Random, GroupBy::Unit, GroupBy::Manual, GroupBy::Choose][by],
        }),
        3 => proptest::collection::vec((who(), group()), 0..4).prop_map(|moves| M::GroupsMove { moves }),
        3 => proptest::option::of(0..3u16).prop_map(|minutes| M::GroupsOpen { minutes }),
        1 => Just(M::GroupsClose),
        1 => ".{0,4}".prop_map(|text| M::GroupsSay { text }),
        3 => group().prop_map(|group| M::GroupPick { group }),
        1 => Just(M::Leave),
        1 => Just(M::Unknown),
    ]
}

/// Which poll a message is about is only known in the play.
fn poll_message() -> impl Strategy<Value = M> {
    let poll = || (0..4u8).prop_map(|n| PollId(n.to_string()));
    let kind = proptest::sample::select(
        &[
            PollKind::YesNo,
            PollKind::Poll,
            PollKind::Quiz,
            PollKind::Vote,
        ][..],
    );
    let choose = proptest::sample::select(&[Choose::One, Choose::Many, Choose::Text][..]);
    let words = proptest::collection::vec("[ab]", 0..4);
    let item =
        (choose, words, proptest::option::of(0..3u8)).prop_map(|(choose, options, right)| {
            PollItem {
                text: "Hỏi".into(),
                choose,
                options,
                correct: right.into_iter().collect(),
            }
        });
    let draft = (
        kind,
        proptest::collection::vec(item, 0..3),
        any::<[bool; 3]>(),
        proptest::option::of(4..30u32),
    )
        .prop_map(
            |(kind, items, [anonymous, live, by_site], secs)| PollDraft {
                kind,
                title: String::new(),
                items,
                anonymous,
                live,
                secs,
                quorum: None,
                by_site,
            },
        );
    let quick = any::<[bool; 3]>().prop_map(|[anonymous, live, by_site]| PollDraft {
        kind: PollKind::Letters,
        title: String::new(),
        items: vec![PollItem {
            text: String::new(),
            choose: Choose::One,
            options: vec![String::new(); 2],
            correct: vec![],
        }],
        anonymous,
        live,
        secs: None,
        quorum: None,
        by_site,
    });
    let choice = (
        proptest::collection::vec(0..3u8, 0..3),
        proptest::option::of(".{0,4}"),
    )
        .prop_map(|(chosen, text)| PollChoice { chosen, text });
    let one = (0..2u8).prop_map(|n| {
        vec![PollChoice {
            chosen: vec![n],
            text: None,
        }]
    });
    let answer = prop_oneof![4 => one, 1 => proptest::collection::vec(choice, 0..3)];
    prop_oneof![
        2 => ("[a-d]", prop_oneof![draft, quick]).prop_map(|(cid, draft)| M::PollOpen { cid, draft }),
        6 => (poll(), answer).prop_map(|(poll, answer)| M::PollAnswer { poll, answer }),
        1 => poll().prop_map(|poll| M::PollClose { poll }),
        2 => (poll(), any::<bool>()).prop_map(|(poll, on)| M::PollShow { poll, on }),
        1 => poll().prop_map(|poll| M::PollDrop { poll }),
        1 => (poll(), 0..3u32, any::<u32>()).prop_map(|(poll, from, n)| M::PollPage { poll, from, n }),
    ]
}

/// Puts the notes of the person's own group in place of `own`.
fn about_notes(play: &Play, link: LinkId, mut msg: M) -> M {
    if let M::NotesEdit { of, .. } | M::NotesGet { of, .. } = &mut msg
        && of.as_ref().is_some_and(|of| of.as_str() == "own")
    {
        let own = play
            .client(link)
            .you
            .as_ref()
            .and_then(|you| you.notes.clone());
        *of = own;
    }
    msg
}

/// Puts the nth poll the person knows of in place of n.
fn about_a_poll(play: &Play, link: LinkId, mut msg: M) -> M {
    if let M::PollAnswer { poll, .. }
    | M::PollClose { poll }
    | M::PollShow { poll, .. }
    | M::PollDrop { poll }
    | M::PollPage { poll, .. } = &mut msg
    {
        let n = poll.as_str().parse().unwrap();
        if let Some(known) = play.client(link).polls.keys().nth(n) {
            *poll = known.clone();
        }
    }
    msg
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..8u8).prop_map(Step::Join),
        1 => (0..8u8).prop_map(Step::Rename),
        1 => (0..8u8).prop_map(Step::TakeOver),
        1 => (0..8u8, 0..90u32).prop_map(|(n, people)| Step::Hall(n, people)),
        4 => (0..8u8).prop_map(Step::Resume),
        3 => (0..8u8, any::<bool>()).prop_map(|(n, clean)| Step::Drop(n, clean)),
        16 => (0..8u8, message()).prop_map(|(n, msg)| Step::Say(n, msg)),
        6 => (0..8u8, board_message()).prop_map(|(n, msg)| Step::Say(n, msg)),
        4 => (0..8u8, caption_message()).prop_map(|(n, msg)| Step::Say(n, msg)),
        6 => (0..8u8, notes_message()).prop_map(|(n, msg)| Step::Say(n, msg)),
        8 => (0..8u8, poll_message()).prop_map(|(n, msg)| Step::Say(n, msg)),
        4 => (1..3_000u32).prop_map(Step::Wait),
        1 => (20_000..120_000u32).prop_map(Step::Wait),
        1 => (10_000..40_000u32).prop_map(Step::WaitDeaf),
        1 => (0..9u8, any::<u8>()).prop_map(|(n, level)| Step::Levels(n, level)),
        1 => (0..700_000u32).prop_map(Step::Restart),
    ]
}

/// The latest link of a person, open or not.
fn link_of(play: &Play, n: u8) -> Option<LinkId> {
    let person = CAST[usize::from(n)].0;
    play.clients
        .iter()
        .rfind(|(_, client)| client.person == person)
        .map(|(link, _)| *link)
}

fn run(play: &mut Play, step: Step) {
    match step {
        Step::Join(n) => {
            let (person, role) = CAST[usize::from(n)];
            play.join(person, role);
        }
        Step::Rename(n) => {
            let (person, role) = CAST[usize::from(n)];
            play.hello(person, "Tên khác", role, "máy khác", None);
        }
        Step::TakeOver(n) => {
            let (person, role) = CAST[usize::from(n)];
            play.take_over = true;
            play.hello(person, "Tên khác", role, "máy thứ ba", None);
        }
        Step::Hall(n, people) => {
            let site = id(CAST[usize::from(n)].0);
            play.apply(Command::Hall { site, people });
        }
        Step::Resume(n) => {
            if let Some(link) = link_of(play, n) {
                play.resume(link);
            }
        }
        Step::Drop(n, clean) => {
            if let Some(link) = link_of(play, n).filter(|link| play.open.contains(link)) {
                play.drop_link(link, clean);
            }
        }
        Step::Say(n, msg) => {
            if let Some(link) = link_of(play, n) {
                let id = (!matches!(msg, M::Hand { .. })).then_some(7);
                let msg = about_notes(play, link, about_a_poll(play, link, msg));
                play.apply(Command::Frame { link, id, msg });
            }
        }
        Step::Wait(ms) => play.wait(u64::from(ms)),
        Step::WaitDeaf(ms) => play.wait_hearing(u64::from(ms), &[]),
        Step::Levels(n, level) => {
            let levels = vec![(100 + u64::from(n), level), (0, 0)];
            play.apply(Command::MediaLevels { levels });
        }
        Step::Restart(ms) => {
            let seen = play.room.last_seen();
            let mut after = play.restart(u64::from(ms), &seen);
            after.apply(Command::Tick);
            *play = after;
        }
        Step::Drain => play.apply(Command::Drain),
    }
}

/// Whoever is connected believes what is true.
fn everybody_agrees(play: &mut Play) {
    // Two rounds: what was gathered is told, and what that leaves; polls, votes
    // and new questions are told once a second.
    play.wait(1_200);
    let people: std::collections::BTreeMap<_, _> = play
        .room
        .people()
        .into_iter()
        .map(|person| (person.id.clone(), person))
        .collect();
    let hands: Vec<_> = {
        let mut up: Vec<_> = people.values().filter(|p| p.hand.is_some()).collect();
        up.sort_by_key(|p| p.hand);
        up.into_iter().map(|p| p.id.clone()).collect()
    };
    let open: Vec<LinkId> = play.open.iter().copied().collect();
    let written = lophoc_room::notes_of(&play.ledger).unwrap_or_default();
    assert_eq!(written, play.room.notes());
    for text in lophoc_room::group_notes_of(&play.ledger) {
        let (_, now) = play.room.group_notes(&text.of).unwrap();
        assert_eq!(text.text, now);
    }
    for link in open {
        let client = play.client(link);
        assert_eq!(client.people, people, "{link:?}");
        assert_eq!(client.counts, play.room.counts());
        let formed = client.groups.iter().flat_map(|groups| &groups.list);
        let of: Vec<_> = formed.map(|group| (group.n, group.people)).collect();
        for (n, count) in &of {
            let there = people.values().filter(|p| p.group == Some(*n)).count();
            assert_eq!(there, *count as usize, "{link:?}");
        }
        let known = |person: &&lophoc_protocol::Person| {
            person
                .group
                .is_some_and(|group| of.iter().all(|(n, _)| *n != group))
        };
        assert_eq!(
            people.values().find(known),
            None,
            "in a group that is not told"
        );
        let open = client.groups.as_ref().is_some_and(|groups| groups.open);
        assert_eq!(open, play.groups_are_open());
        assert_eq!(client.room.as_ref(), Some(&play.room.info()));
        if let Some(text) = &client.notes {
            assert_eq!(text, play.room.notes());
        }
        if let Some((of, rev, text)) = &client.reads {
            assert_eq!(play.room.group_notes(of), Some((*rev, text.as_str())));
        }
        let shown = play.room.captions_shown();
        let last: Vec<_> = client
            .captions
            .values()
            .rev()
            .take(20)
            .rev()
            .cloned()
            .collect();
        assert_eq!(last, shown, "captions");
        let mut queue: Vec<_> = client.hands.iter().map(|hand| hand.who.clone()).collect();
        let mut wanted = hands.clone();
        queue.sort();
        wanted.sort();
        assert_eq!(queue, wanted);
        let you = client.you.clone().unwrap();
        assert_eq!(you.role, people[&you.person].role);
        let questions: Vec<_> = client.questions.values().cloned().collect();
        let mut seen = play.room.questions_seen_by(&you.person);
        seen.sort_by(|a, b| a.q.cmp(&b.q));
        assert_eq!(questions, seen, "questions of {}", you.person);
        let live = seen.iter().filter(|q| q.st == QuestionState::Live).count();
        assert!(live <= 1, "one question at a time");
        for action in lophoc_protocol::Action::ALL {
            assert_eq!(
                play.room.may(link, action),
                you.perms.contains(&action),
                "{action:?}"
            );
        }
        // How many could answer changes with those who come and go, and is told
        // a little later.
        let polls: Vec<_> = play
            .room
            .polls_of(&you.person)
            .into_iter()
            .map(|poll| Poll {
                eligible: client.polls[&poll.poll].eligible,
                ..poll
            })
            .collect();
        assert_eq!(polls.len(), client.polls.len());
        for poll in polls {
            assert_eq!(client.polls[&poll.poll], poll, "{}", you.person);
        }
        // The media plane lets through what the roster calls live, and no more.
        let allow = play.allowed(you.person.as_str());
        for (kind, allowed) in [
            (MediaKind::Mic, allow.mic),
            (MediaKind::Camera, allow.camera),
            (MediaKind::Screen, allow.screen),
            (MediaKind::ScreenAudio, allow.screen_audio),
        ] {
            let tracks = &people[&you.person].tracks;
            let live = tracks
                .iter()
                .any(|t| t.kind == kind && t.st == TrackState::Live);
            assert_eq!(allowed, live, "{kind:?} of {}", you.person);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn random_plays_keep_every_promise(
        mode in proptest::sample::select(
            &[RoomMode::Discussion, RoomMode::Training, RoomMode::Conference][..],
        ),
        max_people in 2usize..9,
        waiting in any::<bool>(),
        starts in proptest::option::of(0..60_000u64),
        steps in proptest::collection::vec(step(), 1..90),
        drain in any::<bool>(),
    ) {
        let mut play = Play::with(RoomConfig {
            max_people,
            waiting,
            starts_ms: starts.map(|ms| START.wall_ms + ms),
            ..config(mode)
        });
        play.sites.insert("p6".into(), "Điểm cầu".into());
        for step in steps {
            run(&mut play, step);
        }
        everybody_agrees(&mut play);
        if drain {
            run(&mut play, Step::Drain);
            play.wait(1_000);
        }
        play.apply(Command::End);
        prop_assert!(play.open.is_empty() && play.waiting.is_empty());
    }

    #[test]
    fn a_room_can_be_rebuilt_from_any_prefix_of_its_ledger(
        steps in proptest::collection::vec(step(), 1..60),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut play = Play::new(RoomMode::Training);
        for step in steps {
            run(&mut play, step);
        }
        play.apply(Command::Tick);
        let length = cut.index(play.ledger.len() + 1);
        play.ledger.truncate(length);
        let mut after = play.restart(1_000, &[]);
        after.apply(Command::Tick);
        after.join("p2", Role::Trainer);
        everybody_agrees(&mut after);
    }
}
