//! Golden JSON files: one or more per message, parsed by both sides.
//! `UPDATE_GOLDEN=1 cargo test -p lophoc-protocol` rewrites them.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use lophoc_protocol::client::{ClientInfo, DeviceClass, Resume};
use lophoc_protocol::limits::{LINK_TIMEOUT_MS, Limits, PING_EVERY_MS};
use lophoc_protocol::media::{
    AudioBind, AudioWish, BindReason, BindState, Mids, SlotSource, SlotWish, VideoBind, View,
    ViewMode,
};
use lophoc_protocol::people::{Counts, LinkState, PersonTrack, Waiter};
use lophoc_protocol::server::{
    Answer, ByeAction, ChatEntry, PingRule, RaisedHand, RoomInfo, Waiting, You,
};
use lophoc_protocol::{
    Action, ChatId, ClientFrame, ClientMessage, ErrorCode, Hello, LessonPhase, MediaKind, Person,
    PersonId, Profile, Role, RoomId, RoomMode, ServerFrame, ServerMessage, SessionId, SlotCounts,
    SlotId, TrackId, TrackState, Welcome, parse_client, parse_server,
};

const NOW: u64 = 1_790_000_000_000;
const SDP: &str = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n";

fn track(peer: u64, kind: MediaKind) -> TrackId {
    TrackId { peer, kind }
}

fn mid(n: u32) -> SlotId {
    SlotId(n.to_string())
}

fn hello(resume: Option<Resume>, offer: Option<String>) -> ClientMessage {
    ClientMessage::Hello(Box::new(Hello {
        proto: vec![1],
        client: ClientInfo {
            app: "lophoc-web".into(),
            ver: "0.1.0".into(),
            browser: "chromium/156".into(),
            class: DeviceClass::Desk,
            caps: vec!["gz".into()],
        },
        token: "eyJwIjoicDEifQ.c2lnbmF0dXJl".into(),
        resume,
        lang: "vi".into(),
        profile: Profile::Seat,
        slots: SlotCounts { a: 5, v: 9, s: 1 },
        offer,
        take_over: false,
    }))
}

fn hello_taking_over() -> ClientMessage {
    match hello(None, None) {
        ClientMessage::Hello(hello) => ClientMessage::Hello(Box::new(Hello {
            take_over: true,
            ..*hello
        })),
        other => panic!("{other:?}"),
    }
}

fn view() -> View {
    View {
        rev: 4,
        slots: vec![
            SlotWish {
                mid: mid(9),
                src: Some(SlotSource::K(track(12, MediaKind::Camera))),
                h: 720,
                prio: 200,
            },
            SlotWish {
                mid: mid(10),
                src: Some(SlotSource::Speaker(0)),
                h: 180,
                prio: 100,
            },
            SlotWish {
                mid: mid(18),
                src: None,
                h: 0,
                prio: 0,
            },
        ],
        audio: AudioWish {
            pin: vec![track(12, MediaKind::Mic)],
        },
        mode: ViewMode::Normal,
    }
}

fn client_name(msg: &ClientMessage) -> &'static str {
    use ClientMessage as M;
    match msg {
        M::Hello(_) => "hello",
        M::Offer { .. } => "offer",
        M::Ice { .. } => "ice",
        M::View(_) => "view",
        M::Pub { .. } => "pub",
        M::Ping { .. } => "ping",
        M::Leave => "leave",
        M::Hand { .. } => "hand",
        M::Chat { .. } => "chat",
        M::ChatPage { .. } => "chatPage",
        M::PeoplePage { .. } => "peoplePage",
        M::ModMute { .. } => "modMute",
        M::ModMuteAll { .. } => "modMuteAll",
        M::ModAsk { .. } => "modAsk",
        M::AskReply { .. } => "askReply",
        M::ModFloor { .. } => "modFloor",
        M::ModHand { .. } => "modHand",
        M::ModRemove { .. } => "modRemove",
        M::ModLock { .. } => "modLock",
        M::ModMode { .. } => "modMode",
        M::ModStart => "modStart",
        M::ModBreak { .. } => "modBreak",
        M::ModWaiting { .. } => "modWaiting",
        M::ModAdmit { .. } => "modAdmit",
        M::ModDeny { .. } => "modDeny",
        M::LobbyPage { .. } => "lobbyPage",
        M::ModCheck { .. } => "modCheck",
        M::ModChecks { .. } => "modChecks",
        M::CheckReply { .. } => "checkReply",
        M::ModEnd => "modEnd",
        M::Unknown => "unknown",
    }
}
const CLIENT_NAMES: [&str; 30] = [
    "hello",
    "offer",
    "ice",
    "view",
    "pub",
    "ping",
    "leave",
    "hand",
    "chat",
    "chatPage",
    "peoplePage",
    "modMute",
    "modMuteAll",
    "modAsk",
    "askReply",
    "modFloor",
    "modHand",
    "modRemove",
    "modLock",
    "modMode",
    "modStart",
    "modBreak",
    "modWaiting",
    "modAdmit",
    "modDeny",
    "lobbyPage",
    "modCheck",
    "modChecks",
    "checkReply",
    "modEnd",
];

fn client_samples() -> Vec<(&'static str, ClientFrame)> {
    use ClientMessage as M;
    let who = || PersonId::from("p7");
    let plain = |name, msg| (name, ClientFrame { id: None, msg });
    let asked = |name, msg| (name, ClientFrame { id: Some(17), msg });
    vec![
        plain("hello", hello(None, Some(SDP.into()))),
        plain(
            "hello-resume",
            hello(
                Some(Resume {
                    session: SessionId::from("s1"),
                    key: "k-9f3b".into(),
                    last_seq: 41,
                }),
                None,
            ),
        ),
        plain("hello-takeOver", hello_taking_over()),
        asked(
            "offer",
            M::Offer {
                sdp: SDP.into(),
                restart: false,
                profile: Some(Profile::Wall),
                slots: Some(SlotCounts { a: 5, v: 25, s: 1 }),
            },
        ),
        asked(
            "offer-restart",
            M::Offer {
                sdp: SDP.into(),
                restart: true,
                profile: None,
                slots: None,
            },
        ),
        plain(
            "ice",
            M::Ice {
                cand: Some("candidate:1 1 udp 2122260223 192.0.2.7 54321 typ host".into()),
            },
        ),
        plain("ice-end", M::Ice { cand: None }),
        plain("view", M::View(view())),
        asked(
            "pub",
            M::Pub {
                kind: MediaKind::Mic,
                st: TrackState::Live,
            },
        ),
        plain("ping", M::Ping { c: 123_456 }),
        asked("leave", M::Leave),
        asked("hand", M::Hand { up: true }),
        asked(
            "chat",
            M::Chat {
                cid: "5f0c3a52-8f0e-4a55-9d2b-0f8f2b7f6f10".into(),
                text: "Thầy cho em hỏi về bài tập 3 ạ".into(),
            },
        ),
        asked(
            "chatPage",
            M::ChatPage {
                before: ChatId::from("c12"),
            },
        ),
        asked(
            "peoplePage",
            M::PeoplePage {
                q: "nguyen hang".into(),
                from: 100,
                n: 50,
            },
        ),
        asked(
            "modMute",
            M::ModMute {
                who: who(),
                kind: MediaKind::Mic,
            },
        ),
        asked("modMuteAll", M::ModMuteAll { may_unmute: false }),
        asked(
            "modAsk",
            M::ModAsk {
                who: who(),
                kind: MediaKind::Camera,
            },
        ),
        asked(
            "askReply",
            M::AskReply {
                kind: MediaKind::Camera,
                accept: true,
            },
        ),
        asked(
            "modFloor",
            M::ModFloor {
                who: who(),
                give: true,
            },
        ),
        asked("modHand", M::ModHand { who: Some(who()) }),
        asked("modHand-all", M::ModHand { who: None }),
        asked(
            "modRemove",
            M::ModRemove {
                who: who(),
                bar: true,
            },
        ),
        asked("modLock", M::ModLock { locked: true }),
        asked(
            "modMode",
            M::ModMode {
                mode: RoomMode::Conference,
            },
        ),
        asked("modStart", M::ModStart),
        asked(
            "modBreak",
            M::ModBreak {
                on: true,
                minutes: Some(15),
            },
        ),
        asked(
            "modBreak-end",
            M::ModBreak {
                on: false,
                minutes: None,
            },
        ),
        asked("modWaiting", M::ModWaiting { on: true }),
        asked("modAdmit", M::ModAdmit { who: Some(who()) }),
        asked("modAdmit-all", M::ModAdmit { who: None }),
        asked("modDeny", M::ModDeny { who: who() }),
        asked(
            "lobbyPage",
            M::LobbyPage {
                q: "hang".into(),
                from: 0,
                n: 50,
            },
        ),
        asked("modCheck", M::ModCheck { window_sec: 60 }),
        asked(
            "modChecks",
            M::ModChecks {
                every_min: 20,
                jitter_min: 5,
                window_sec: 60,
            },
        ),
        asked("checkReply", M::CheckReply { check: "k3".into() }),
        asked("modEnd", M::ModEnd),
    ]
}

fn server_name(msg: &ServerMessage) -> &'static str {
    use ServerMessage as M;
    match msg {
        M::Welcome(_) => "welcome",
        M::Waiting(_) => "waiting",
        M::State { .. } => "state",
        M::Resumed { .. } => "resumed",
        M::Ok => "ok",
        M::Err { .. } => "err",
        M::Pong { .. } => "pong",
        M::Bye { .. } => "bye",
        M::Answer(_) => "answer",
        M::Renegotiate => "renegotiate",
        M::Bind { .. } => "bind",
        M::Levels { .. } => "levels",
        M::People { .. } => "people",
        M::PeoplePage { .. } => "peoplePage",
        M::Hands { .. } => "hands",
        M::Chat { .. } => "chat",
        M::ChatPage { .. } => "chatPage",
        M::You(_) => "you",
        M::Muted { .. } => "muted",
        M::Asked { .. } => "asked",
        M::AskReply { .. } => "askReply",
        M::Room(_) => "room",
        M::Lobby { .. } => "lobby",
        M::LobbyPage { .. } => "lobbyPage",
        M::Check { .. } => "check",
        M::CheckResult { .. } => "checkResult",
        M::Warn { .. } => "warn",
        M::Unknown => "unknown",
    }
}
const SERVER_NAMES: [&str; 27] = [
    "welcome",
    "waiting",
    "state",
    "resumed",
    "ok",
    "err",
    "pong",
    "bye",
    "answer",
    "renegotiate",
    "bind",
    "levels",
    "people",
    "peoplePage",
    "hands",
    "chat",
    "chatPage",
    "you",
    "muted",
    "asked",
    "askReply",
    "room",
    "lobby",
    "lobbyPage",
    "check",
    "checkResult",
    "warn",
];

fn you() -> You {
    You {
        person: PersonId::from("p7"),
        name: "Nguyễn Thị Hằng".into(),
        role: Role::Learner,
        perms: vec![Action::ShowCamera, Action::Chat, Action::RaiseHand],
        floor: false,
        token: Some("eyJwIjoicDcifQ.c2lnbmF0dXJl".into()),
    }
}

fn room() -> RoomInfo {
    RoomInfo {
        room: RoomId::from("r1"),
        title: "Tập huấn dạy học trực tuyến, buổi 1".into(),
        host: "Sở GDĐT Lào Cai".into(),
        mode: RoomMode::Training,
        locked: false,
        recording: false,
        started_at: NOW - 60_000,
        phase: LessonPhase::Rehearsal,
        lesson_at: None,
        break_until: None,
        starts_at: Some(NOW + 900_000),
        ends_at: Some(NOW + 8_100_000),
        waiting: false,
    }
}

fn room_in_a_break() -> RoomInfo {
    RoomInfo {
        phase: LessonPhase::Break,
        lesson_at: Some(NOW - 3_600_000),
        break_until: Some(NOW + 900_000),
        waiting: true,
        ..room()
    }
}

fn site() -> Person {
    Person {
        id: PersonId::from("p5"),
        name: "Điểm cầu Lào Cai".into(),
        unit: Some("Sở GDĐT Lào Cai".into()),
        role: Role::Learner,
        link: LinkState::Ok,
        floor: false,
        hand: None,
        tracks: vec![],
        site: Some("Hội trường Sở GDĐT Lào Cai".into()),
        hall: 32,
    }
}

fn waiter() -> Waiter {
    Waiter {
        who: PersonId::from("p7"),
        name: "Nguyễn Thị Hằng".into(),
        unit: Some("Trường THPT số 1".into()),
        role: Role::Learner,
        since: NOW,
        link: LinkState::Ok,
        site: None,
    }
}

fn trainer() -> Person {
    Person {
        id: PersonId::from("p2"),
        name: "Trần Đình Đức".into(),
        unit: Some("Trường THPT số 1".into()),
        role: Role::Trainer,
        link: LinkState::Ok,
        floor: false,
        hand: None,
        tracks: vec![
            PersonTrack {
                k: track(12, MediaKind::Mic),
                kind: MediaKind::Mic,
                st: TrackState::Live,
            },
            PersonTrack {
                k: track(12, MediaKind::Camera),
                kind: MediaKind::Camera,
                st: TrackState::Live,
            },
        ],
        site: None,
        hall: 0,
    }
}

fn learner() -> Person {
    Person {
        id: PersonId::from("p7"),
        name: "Nguyễn Thị Hằng".into(),
        unit: None,
        role: Role::Learner,
        link: LinkState::Lost,
        floor: true,
        hand: Some(NOW),
        tracks: vec![],
        site: None,
        hall: 0,
    }
}

fn counts() -> Counts {
    Counts {
        total: 2,
        people: 2,
        staff: 1,
        learners: 1,
        guests: 0,
        hands: 1,
    }
}

fn hand() -> RaisedHand {
    RaisedHand {
        who: PersonId::from("p7"),
        name: "Nguyễn Thị Hằng".into(),
        at: NOW,
    }
}

fn chat() -> ChatEntry {
    ChatEntry {
        id: ChatId::from("c12"),
        from: PersonId::from("p7"),
        name: "Nguyễn Thị Hằng".into(),
        role: Role::Learner,
        text: "Thầy cho em hỏi về bài tập 3 ạ".into(),
        at: NOW,
        cid: "5f0c3a52-8f0e-4a55-9d2b-0f8f2b7f6f10".into(),
    }
}

fn answer() -> Answer {
    Answer {
        sdp: SDP.into(),
        mids: Mids {
            mic: Some(mid(0)),
            camera: Some(mid(1)),
            screen: Some(mid(2)),
            screen_audio: Some(mid(3)),
            a: (4..9).map(mid).collect(),
            v: (9..18).map(mid).collect(),
            s: vec![mid(18)],
        },
    }
}

fn server_samples() -> Vec<(&'static str, ServerFrame)> {
    use ServerMessage as M;
    let plain = |name, msg| {
        (
            name,
            ServerFrame {
                seq: None,
                id: None,
                msg,
            },
        )
    };
    let reply = |name, msg| {
        (
            name,
            ServerFrame {
                seq: None,
                id: Some(17),
                msg,
            },
        )
    };
    let event = |name, seq, msg| {
        (
            name,
            ServerFrame {
                seq: Some(seq),
                id: None,
                msg,
            },
        )
    };
    vec![
        plain(
            "welcome",
            M::Welcome(Box::new(Welcome {
                proto: 1,
                session: SessionId::from("s1"),
                key: "k-9f3b".into(),
                you: you(),
                room: room(),
                limits: Limits::default(),
                ping: PingRule {
                    every: PING_EVERY_MS,
                    timeout: LINK_TIMEOUT_MS,
                },
                now: NOW,
                answer: Some(answer()),
            })),
        ),
        event(
            "state",
            41,
            M::State {
                counts: counts(),
                people: vec![trainer(), learner()],
                sampled: false,
                hands: vec![hand()],
                chat: vec![chat()],
                more_chat: true,
            },
        ),
        plain(
            "resumed",
            M::Resumed {
                key: "k-77aa".into(),
                from: 42,
                you: you(),
            },
        ),
        reply("ok", M::Ok),
        reply(
            "err",
            M::Err {
                code: ErrorCode::Forbidden,
                retry: false,
            },
        ),
        reply(
            "err-retry",
            M::Err {
                code: ErrorCode::RateLimited,
                retry: true,
            },
        ),
        plain(
            "pong",
            M::Pong {
                c: 123_456,
                now: NOW,
            },
        ),
        plain(
            "bye",
            M::Bye {
                action: ByeAction::Resume,
                code: Some(ErrorCode::Busy),
                after: Some(1_200),
            },
        ),
        plain(
            "bye-stop",
            M::Bye {
                action: ByeAction::Stop,
                code: Some(ErrorCode::Ended),
                after: None,
            },
        ),
        reply("answer", M::Answer(answer())),
        plain("renegotiate", M::Renegotiate),
        plain(
            "bind",
            M::Bind {
                rev: 4,
                v: Some(vec![
                    VideoBind {
                        mid: mid(9),
                        k: Some(track(12, MediaKind::Camera)),
                        st: BindState::Live,
                        why: None,
                        lay: Some(2),
                        rtp_ts: Some(4_000_000_000),
                    },
                    VideoBind {
                        mid: mid(10),
                        k: Some(track(13, MediaKind::Camera)),
                        st: BindState::Paused,
                        why: Some(BindReason::Bw),
                        lay: None,
                        rtp_ts: None,
                    },
                    VideoBind {
                        mid: mid(18),
                        k: None,
                        st: BindState::Off,
                        why: None,
                        lay: None,
                        rtp_ts: None,
                    },
                ]),
                a: Some(vec![
                    AudioBind {
                        mid: mid(4),
                        k: Some(track(12, MediaKind::Mic)),
                    },
                    AudioBind {
                        mid: mid(5),
                        k: None,
                    },
                ]),
            },
        ),
        plain(
            "levels",
            M::Levels {
                l: vec![(PersonId::from("p2"), 23), (PersonId::from("p7"), 41)],
            },
        ),
        event(
            "people",
            42,
            M::People {
                counts: counts(),
                add: vec![learner()],
                chg: vec![trainer()],
                del: vec![PersonId::from("p9")],
            },
        ),
        event(
            "people-counts",
            43,
            M::People {
                counts: counts(),
                add: vec![],
                chg: vec![],
                del: vec![],
            },
        ),
        reply(
            "peoplePage",
            M::PeoplePage {
                total: 1,
                list: vec![learner()],
            },
        ),
        event("hands", 44, M::Hands { list: vec![hand()] }),
        event("chat", 45, M::Chat { m: chat() }),
        reply(
            "chatPage",
            M::ChatPage {
                list: vec![chat()],
                more: false,
            },
        ),
        plain("you", M::You(you())),
        plain(
            "muted",
            M::Muted {
                kind: MediaKind::Mic,
                by: "Trần Đình Đức".into(),
            },
        ),
        plain(
            "asked",
            M::Asked {
                kind: MediaKind::Mic,
                by: "Trần Đình Đức".into(),
            },
        ),
        plain(
            "askReply",
            M::AskReply {
                who: PersonId::from("p7"),
                kind: MediaKind::Mic,
                accept: true,
            },
        ),
        event("room", 46, M::Room(room())),
        event("room-break", 47, M::Room(room_in_a_break())),
        plain(
            "waiting",
            M::Waiting(Box::new(Waiting {
                proto: 1,
                you: You {
                    perms: vec![],
                    ..you()
                },
                room: RoomInfo {
                    waiting: true,
                    ..room()
                },
                since: NOW - 2_000,
                ping: PingRule {
                    every: PING_EVERY_MS,
                    timeout: LINK_TIMEOUT_MS,
                },
                now: NOW,
            })),
        ),
        plain(
            "lobby",
            M::Lobby {
                total: 1,
                list: vec![waiter()],
            },
        ),
        reply(
            "lobbyPage",
            M::LobbyPage {
                total: 1,
                list: vec![waiter()],
            },
        ),
        plain(
            "check",
            M::Check {
                check: "k3".into(),
                until: NOW + 60_000,
            },
        ),
        plain(
            "checkResult",
            M::CheckResult {
                check: "k3".into(),
                at: NOW,
                until: NOW + 60_000,
                asked: 58,
                answered: 41,
                over: false,
            },
        ),
        event(
            "people-site",
            48,
            M::People {
                counts: Counts {
                    total: 3,
                    people: 34,
                    staff: 1,
                    learners: 2,
                    guests: 0,
                    hands: 0,
                },
                add: vec![],
                chg: vec![site()],
                del: vec![],
            },
        ),
        plain(
            "warn",
            M::Warn {
                code: ErrorCode::Forbidden,
            },
        ),
    ]
}

fn golden_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

fn check_file(path: &Path, wanted: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, wanted).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(
        found,
        wanted,
        "{} is stale; UPDATE_GOLDEN=1 rewrites it",
        path.display()
    );
}

fn pretty(frame: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(frame).unwrap() + "\n"
}

/// Every `.json` in the folder belongs to a sample.
fn assert_no_orphans(dir: &Path, names: &BTreeSet<&str>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let stem = name.strip_suffix(".json").unwrap();
        assert!(names.contains(stem), "{name} has no sample");
    }
}

#[test]
fn golden_client_messages_are_current_and_read_back_the_same() {
    let dir = golden_dir().join("client");
    let samples = client_samples();
    let mut covered = BTreeSet::new();
    for (name, frame) in &samples {
        let text = pretty(frame);
        check_file(&dir.join(format!("{name}.json")), &text);
        assert_eq!(parse_client(&text).as_ref(), Ok(frame), "{name}");
        let variant = client_name(&frame.msg);
        assert_eq!(name.split('-').next(), Some(variant));
        assert!(text.contains(&format!("\"t\": \"{variant}\"")), "{text}");
        covered.insert(variant);
    }
    assert_eq!(
        covered,
        CLIENT_NAMES.into_iter().collect(),
        "a message has no golden file"
    );
    assert_no_orphans(&dir, &samples.iter().map(|(name, _)| *name).collect());
}

#[test]
fn golden_server_messages_are_current_and_read_back_the_same() {
    let dir = golden_dir().join("server");
    let samples = server_samples();
    let mut covered = BTreeSet::new();
    for (name, frame) in &samples {
        let text = pretty(frame);
        check_file(&dir.join(format!("{name}.json")), &text);
        assert_eq!(parse_server(&text).as_ref(), Ok(frame), "{name}");
        let variant = server_name(&frame.msg);
        assert_eq!(name.split('-').next(), Some(variant));
        assert!(text.contains(&format!("\"t\": \"{variant}\"")), "{text}");
        covered.insert(variant);
    }
    assert_eq!(
        covered,
        SERVER_NAMES.into_iter().collect(),
        "a message has no golden file"
    );
    assert_no_orphans(&dir, &samples.iter().map(|(name, _)| *name).collect());
}

/// `t`, `id` and `seq` belong to the frame; `serde(flatten)` would let a
/// message field of the same name shadow them.
#[test]
fn no_message_has_a_field_that_collides_with_the_frame() {
    let frames = client_samples()
        .iter()
        .map(|(name, frame)| (*name, serde_json::to_value(&frame.msg).unwrap()))
        .chain(
            server_samples()
                .iter()
                .map(|(name, frame)| (*name, serde_json::to_value(&frame.msg).unwrap())),
        )
        .collect::<Vec<_>>();
    for (name, message) in frames {
        let fields = message.as_object().unwrap();
        assert!(!fields.contains_key("id"), "{name}");
        assert!(!fields.contains_key("seq"), "{name}");
    }
}

#[test]
fn a_message_from_the_future_is_unknown_and_keeps_its_request_id() {
    let dir = golden_dir().join("future");
    let unknown = std::fs::read_to_string(dir.join("unknown.json")).unwrap();
    assert_eq!(
        parse_client(&unknown),
        Ok(ClientFrame {
            id: Some(3),
            msg: ClientMessage::Unknown
        })
    );
    let server = parse_server(&unknown).unwrap();
    assert_eq!(server.msg, ServerMessage::Unknown);
    assert_eq!((server.seq, server.id), (Some(99), Some(3)));
}

#[test]
fn fields_from_the_future_are_ignored() {
    let dir = golden_dir().join("future");
    let chat = std::fs::read_to_string(dir.join("chat-more.json")).unwrap();
    let frame = parse_server(&chat).unwrap();
    assert_eq!(frame.seq, Some(45));
    let ServerMessage::Chat { m } = frame.msg else {
        panic!("{chat}")
    };
    assert_eq!(m.text, "Xin chào");
    let hand = r#"{"mood":{"x":[1,2]},"up":true,"t":"hand","id":5}"#;
    let frame = parse_client(hand).unwrap();
    assert_eq!(
        frame,
        ClientFrame {
            id: Some(5),
            msg: ClientMessage::Hand { up: true }
        }
    );
}
