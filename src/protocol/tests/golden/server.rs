//! Messages of the server.

use lophoc_protocol::limits::{LINK_TIMEOUT_MS, Limits, PING_EVERY_MS};
use lophoc_protocol::media::{
    AudioBind, BindReason, BindState, IceServer, OnRung, Overload, Rid, Rung, RungReason, VideoBind,
};
use lophoc_protocol::people::Counts;
use lophoc_protocol::recording::{
    RecordAlarm, RecordConsent, RecordPlan, RecordTrouble, RecordWhom, RecordedBy,
};
use lophoc_protocol::server::{ByeAction, PingRule, RoomInfo, Waiting, You};
use lophoc_protocol::{
    ErrorCode, MediaKind, PersonId, ServerFrame, ServerMessage, SessionId, Welcome,
};

use crate::fixtures::*;

pub fn server_samples() -> Vec<(&'static str, ServerFrame)> {
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
                ice: vec![IceServer {
                    urls: vec!["turns:hop.example.vn:443?transport=tcp".into()],
                    username: "1790014400".into(),
                    credential: "q6mJb8eQ3o1f7uGkz0d5Ww==".into(),
                }],
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
                polls: vec![],
                questions: vec![],
                decks: vec![],
                stage: None,
                files: vec![],
                groups: None,
                boards: None,
                captions: vec![],
                notes: 0,
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
            "rung",
            M::Rung {
                on: Some(OnRung {
                    at: Rung::Sound,
                    why: RungReason::Chosen,
                }),
            },
        ),
        plain("rung-full", M::Rung { on: None }),
        plain(
            "layers",
            M::Layers {
                camera: Some(vec![Rid::Q, Rid::H]),
                screen: Some(Vec::new()),
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
            "people-rung",
            43,
            M::People {
                counts: counts(),
                add: vec![],
                chg: vec![weak()],
                del: vec![],
            },
        ),
        event(
            "room-speech",
            43,
            M::Room(RoomInfo {
                speech_kbps: Some(16),
                ..room()
            }),
        ),
        event(
            "room-overload",
            43,
            M::Room(RoomInfo {
                overload: Some(Overload::Layers),
                ..room()
            }),
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
        event("room-recorded", 48, M::Room(room_that_is_recorded())),
        event("room-recording", 49, M::Room(room_recorded_by_the_server())),
        plain(
            "recordDesk",
            M::RecordDesk {
                unable: Some(RecordTrouble::NoRecorder),
                plan: Some(Box::new(RecordPlan {
                    by: RecordedBy::Server,
                    who: "Sở GDĐT Lào Cai".into(),
                    why: "Lưu hồ sơ lớp tập huấn.".into(),
                    keep: "Mở cho người học tối thiểu 06 tháng.".into(),
                    auto: true,
                    whom: RecordWhom::Presenters,
                    ask: RecordConsent::Consent,
                })),
                ask: RecordConsent::Consent,
                alarms: vec![
                    RecordAlarm {
                        at: NOW,
                        what: RecordTrouble::Gap,
                        from: Some(NOW - 4_000),
                        to: Some(NOW - 1_500),
                        left: None,
                    },
                    RecordAlarm {
                        at: NOW,
                        what: RecordTrouble::DiskLow,
                        from: None,
                        to: None,
                        left: Some(8 << 30),
                    },
                ],
            },
        ),
        plain(
            "recordMine",
            M::RecordMine {
                notice: 12,
                accept: false,
            },
        ),
        plain(
            "unrecorded",
            M::Unrecorded {
                list: vec![PersonId::from("p7")],
            },
        ),
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
