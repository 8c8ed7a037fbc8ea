//! What the samples are made of.

use lophoc_protocol::client::{ClientInfo, DeviceClass, Resume};
use lophoc_protocol::media::{
    AudioWish, Mids, OnRung, Rung, RungReason, SlotSource, SlotWish, View, ViewMode,
};
use lophoc_protocol::people::{Counts, LinkState, Permits, PersonTrack, Waiter};
use lophoc_protocol::recording::{RecordConsent, RecordState, RecordWhom};
use lophoc_protocol::server::{
    Answer, ChatEntry, RaisedHand, RecordedBy, Recording, RoomInfo, You,
};
use lophoc_protocol::{
    Action, ChatId, ClientMessage, Hello, LessonPhase, MediaKind, Person, PersonId, Profile,
    RecordingId, Role, RoomId, RoomMode, SlotCounts, SlotId, TrackId, TrackState,
};

use lophoc_protocol::talk::Audience;

pub const NOW: u64 = 1_790_000_000_000;
pub const SDP: &str = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n";

pub fn track(peer: u64, kind: MediaKind) -> TrackId {
    TrackId { peer, kind }
}

pub fn mid(n: u32) -> SlotId {
    SlotId(n.to_string())
}

pub fn hello(resume: Option<Resume>, offer: Option<String>) -> ClientMessage {
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

pub fn hello_taking_over() -> ClientMessage {
    match hello(None, None) {
        ClientMessage::Hello(hello) => ClientMessage::Hello(Box::new(Hello {
            take_over: true,
            ..*hello
        })),
        other => panic!("{other:?}"),
    }
}

pub fn view() -> View {
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

pub fn you() -> You {
    You {
        person: PersonId::from("p7"),
        name: "Nguyễn Thị Hằng".into(),
        role: Role::Learner,
        perms: vec![Action::ShowCamera, Action::Chat, Action::RaiseHand],
        floor: false,
        group: None,
        notes: None,
        token: Some("eyJwIjoicDcifQ.c2lnbmF0dXJl".into()),
    }
}

pub fn room() -> RoomInfo {
    RoomInfo {
        room: RoomId::from("r1"),
        title: "Tập huấn dạy học trực tuyến, buổi 1".into(),
        host: "Sở GDĐT Lào Cai".into(),
        mode: RoomMode::Training,
        locked: false,
        recording: None,
        started_at: NOW - 60_000,
        phase: LessonPhase::Rehearsal,
        lesson_at: None,
        break_until: None,
        starts_at: Some(NOW + 900_000),
        ends_at: Some(NOW + 8_100_000),
        waiting: false,
        permits: Permits::default(),
        spotlight: vec![],
        slow_sec: 0,
        timer: None,
        speech_kbps: None,
        overload: None,
    }
}

pub fn room_that_is_recorded() -> RoomInfo {
    RoomInfo {
        recording: Some(Recording {
            by: RecordedBy::External,
            who: "Ban tổ chức, Sở GDĐT Lào Cai".into(),
            why: "Lưu hồ sơ lớp tập huấn và cho người học xem lại.".into(),
            keep: "Mở cho người học tối thiểu 06 tháng.".into(),
            since: NOW - 1_000,
            recording: None,
            state: RecordState::On,
            whom: RecordWhom::All,
            ask: RecordConsent::Notice,
            notice: 0,
            from_start: false,
        }),
        ..room()
    }
}

pub fn room_recorded_by_the_server() -> RoomInfo {
    RoomInfo {
        recording: Some(Recording {
            by: RecordedBy::Server,
            who: "Sở GDĐT Lào Cai".into(),
            why: "Lưu hồ sơ lớp tập huấn và cho người học xem lại.".into(),
            keep: "Mở cho người học tối thiểu 06 tháng.".into(),
            since: NOW - 1_000,
            recording: Some(RecordingId::from("01JDB8Q4M6N2V7T5X9Z3K1C0RF")),
            state: RecordState::Paused,
            whom: RecordWhom::Presenters,
            ask: RecordConsent::Consent,
            notice: 12,
            from_start: true,
        }),
        ..room()
    }
}

pub fn room_in_a_break() -> RoomInfo {
    RoomInfo {
        phase: LessonPhase::Break,
        lesson_at: Some(NOW - 3_600_000),
        break_until: Some(NOW + 900_000),
        waiting: true,
        ..room()
    }
}

pub fn site() -> Person {
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
        group: None,
        stands_for: None,
        captions: false,
        rung: None,
    }
}

pub fn weak() -> Person {
    Person {
        link: LinkState::Ok,
        floor: false,
        hand: None,
        rung: Some(OnRung {
            at: Rung::Sound,
            why: RungReason::Link,
        }),
        ..learner()
    }
}

pub fn waiter() -> Waiter {
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

pub fn trainer() -> Person {
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
        group: None,
        stands_for: None,
        captions: false,
        rung: None,
    }
}

pub fn learner() -> Person {
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
        group: None,
        stands_for: None,
        captions: false,
        rung: None,
    }
}

pub fn counts() -> Counts {
    Counts {
        total: 2,
        people: 2,
        staff: 1,
        learners: 1,
        guests: 0,
        hands: 1,
    }
}

pub fn hand() -> RaisedHand {
    RaisedHand {
        who: PersonId::from("p7"),
        name: "Nguyễn Thị Hằng".into(),
        at: NOW,
    }
}

pub fn chat() -> ChatEntry {
    ChatEntry {
        id: ChatId::from("c12"),
        from: PersonId::from("p7"),
        name: "Nguyễn Thị Hằng".into(),
        role: Role::Learner,
        text: "Thầy cho em hỏi về bài tập 3 ạ".into(),
        at: NOW,
        cid: "5f0c3a52-8f0e-4a55-9d2b-0f8f2b7f6f10".into(),
        to: Audience::All,
        to_name: None,
    }
}

pub fn answer() -> Answer {
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
