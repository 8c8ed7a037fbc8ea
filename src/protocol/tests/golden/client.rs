//! Messages of a client.

use lophoc_protocol::client::Resume;
use lophoc_protocol::{
    ChatId, ClientFrame, ClientMessage, MediaKind, PersonId, Profile, RoomMode, SessionId,
    SlotCounts, TrackState,
};

use lophoc_protocol::talk::Audience;

use crate::fixtures::*;

pub fn client_samples() -> Vec<(&'static str, ClientFrame)> {
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
                to: Audience::All,
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
        asked(
            "modMuteAll",
            M::ModMuteAll {
                may_unmute: false,
                except: vec![who()],
            },
        ),
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
