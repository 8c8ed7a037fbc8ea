//! Messages of what is done in a room: talk, polls, slides, groups, arrangement.

use lophoc_protocol::groups::{Group, GroupBy, Groups};
use lophoc_protocol::people::Permits;
use lophoc_protocol::poll::{
    Choose, ItemResult, Poll, PollChoice, PollDraft, PollItem, PollKind, PollRow, PollState,
};
use lophoc_protocol::recording::{RecordConsent, RecordWhom, RecordedBy};
use lophoc_protocol::slides::{Deck, DeckState, FileItem, FileWay, Review, Stage};
use lophoc_protocol::talk::{Audience, Question, QuestionState, Reaction};
use lophoc_protocol::{
    ChatId, ClientFrame, ClientMessage, DeckId, FileId, GroupNo, PersonId, PollId, QuestionId,
    Role, ServerFrame, ServerMessage,
};

use crate::fixtures::{NOW, chat};

const CID: &str = "9d2b0f8f-2b7f-4a55-8f0e-5f0c3a526f10";

fn who() -> PersonId {
    PersonId::from("p7")
}

fn draft() -> PollDraft {
    PollDraft {
        kind: PollKind::Quiz,
        title: "Kiểm tra nhanh".into(),
        items: vec![PollItem {
            text: "Thời gian mở học liệu sau lớp ít nhất là bao lâu?".into(),
            choose: Choose::One,
            options: vec!["3 tháng".into(), "6 tháng".into()],
            correct: vec![1],
        }],
        anonymous: false,
        live: false,
        secs: Some(60),
        quorum: None,
        by_site: false,
    }
}

fn choice() -> Vec<PollChoice> {
    vec![PollChoice {
        chosen: vec![1],
        text: None,
    }]
}

fn poll() -> Poll {
    Poll {
        poll: PollId::from("v3"),
        draft: draft(),
        at: NOW,
        until: Some(NOW + 60_000),
        st: PollState::Shown,
        by: "Trần Văn Dạy".into(),
        answered: 41,
        eligible: 58,
        results: Some(vec![ItemResult {
            counts: vec![5, 36],
            texts: vec![],
        }]),
    }
}

fn question() -> Question {
    Question {
        q: QuestionId::from("q4"),
        from: Some(who()),
        name: Some("Nguyễn Thị Hằng".into()),
        text: "Bài nộp trễ có được tính không ạ?".into(),
        at: NOW,
        up: 12,
        st: QuestionState::Answered,
        answer: Some("Có, trong vòng 24 giờ.".into()),
        by: Some("Trần Văn Dạy".into()),
    }
}

fn deck() -> Deck {
    Deck {
        deck: DeckId::from("d1"),
        name: "Bài 1.pptx".into(),
        st: DeckState::Converting { done: 3, total: 24 },
        pages: 24,
        w: 960,
        h: 540,
        url: "/s/5f0c3a528f0e4a559d2b0f8f2b7f6f10".into(),
        review: Review::Reviewed,
        licence: Some("CC BY-SA 4.0".into()),
        owner: Some("Sở GDĐT Lào Cai".into()),
        by: PersonId::from("p1"),
        by_name: "Trần Văn Dạy".into(),
        at: NOW,
    }
}

fn file() -> FileItem {
    FileItem {
        file: FileId::from("f9"),
        way: FileWay::Out,
        name: "Phiếu học tập.docx".into(),
        bytes: 48_213,
        by: PersonId::from("p1"),
        by_name: "Trần Văn Dạy".into(),
        at: NOW,
        url: "/f/0f8f2b7f6f105f0c3a528f0e4a559d2b".into(),
    }
}

fn groups() -> Groups {
    Groups {
        open: true,
        by: GroupBy::Random,
        until: Some(NOW + 600_000),
        list: vec![
            Group {
                n: GroupNo(1),
                name: "Nhóm 1".into(),
                people: 6,
            },
            Group {
                n: GroupNo(2),
                name: "Nhóm 2".into(),
                people: 5,
            },
        ],
    }
}

pub fn client_samples() -> Vec<(&'static str, ClientFrame)> {
    use ClientMessage as M;
    let asked = |name, msg| (name, ClientFrame { id: Some(17), msg });
    let poll = || PollId::from("v3");
    let q = || QuestionId::from("q4");
    let deck = || DeckId::from("d1");
    vec![
        asked(
            "chat-person",
            M::Chat {
                cid: CID.into(),
                text: "Cô gửi em tài liệu nhé".into(),
                to: Audience::Person(who()),
            },
        ),
        asked(
            "chat-support",
            M::Chat {
                cid: CID.into(),
                text: "Em không nghe thấy gì ạ".into(),
                to: Audience::Support,
            },
        ),
        asked(
            "chatDelete",
            M::ChatDelete {
                chat: ChatId::from("c12"),
            },
        ),
        asked(
            "question",
            M::Question {
                cid: CID.into(),
                text: "Bài nộp trễ có được tính không ạ?".into(),
                anonymous: false,
            },
        ),
        asked("questionUp", M::QuestionUp { q: q(), on: true }),
        asked(
            "questionSet",
            M::QuestionSet {
                q: q(),
                st: QuestionState::Answered,
                answer: Some("Có, trong vòng 24 giờ.".into()),
            },
        ),
        asked("react", M::React { e: Reaction::Clap }),
        asked(
            "modRecord",
            M::ModRecord {
                on: true,
                who: "Ban tổ chức, Sở GDĐT Lào Cai".into(),
                why: "Lưu hồ sơ lớp tập huấn và cho người học xem lại.".into(),
                keep: "Mở cho người học tối thiểu 06 tháng.".into(),
                by: RecordedBy::External,
                whom: RecordWhom::All,
                ask: RecordConsent::Notice,
            },
        ),
        asked(
            "modRecord-server",
            M::ModRecord {
                on: true,
                who: "Sở GDĐT Lào Cai".into(),
                why: "Lưu hồ sơ lớp tập huấn và cho người học xem lại.".into(),
                keep: "Mở cho người học tối thiểu 06 tháng.".into(),
                by: RecordedBy::Server,
                whom: RecordWhom::Presenters,
                ask: RecordConsent::Consent,
            },
        ),
        asked("modRecordPause", M::ModRecordPause { on: true }),
        asked(
            "recordReply",
            M::RecordReply {
                notice: 12,
                accept: false,
            },
        ),
        asked("modSlow", M::ModSlow { secs: 10 }),
        asked(
            "modTimer",
            M::ModTimer {
                secs: 300,
                label: "Làm bài".into(),
            },
        ),
        asked(
            "modPermits",
            M::ModPermits {
                permits: Permits {
                    camera: false,
                    ..Permits::default()
                },
            },
        ),
        asked("modSpot", M::ModSpot { who: vec![who()] }),
        asked(
            "modRole",
            M::ModRole {
                who: who(),
                role: Role::Trainer,
            },
        ),
        asked(
            "modSubstitute",
            M::ModSubstitute {
                who: who(),
                instead: "Lê Thị Vắng".into(),
            },
        ),
        asked(
            "pollOpen",
            M::PollOpen {
                cid: CID.into(),
                draft: draft(),
            },
        ),
        asked(
            "pollAnswer",
            M::PollAnswer {
                poll: poll(),
                answer: choice(),
            },
        ),
        asked("pollClose", M::PollClose { poll: poll() }),
        asked(
            "pollShow",
            M::PollShow {
                poll: poll(),
                on: true,
            },
        ),
        asked("pollDrop", M::PollDrop { poll: poll() }),
        asked(
            "pollPage",
            M::PollPage {
                poll: poll(),
                from: 0,
                n: 100,
            },
        ),
        asked(
            "slideShow",
            M::SlideShow {
                deck: deck(),
                page: 3,
            },
        ),
        asked("slideHide", M::SlideHide),
        (
            "slidePoint",
            ClientFrame {
                id: None,
                msg: M::SlidePoint {
                    page: 3,
                    x: Some(5_000),
                    y: Some(1_250),
                },
            },
        ),
        asked(
            "deckSet",
            M::DeckSet {
                deck: deck(),
                review: Some(Review::Reviewed),
                licence: Some("CC BY-SA 4.0".into()),
                owner: None,
            },
        ),
        asked("deckDrop", M::DeckDrop { deck: deck() }),
        asked(
            "fileDrop",
            M::FileDrop {
                file: FileId::from("f9"),
            },
        ),
        asked(
            "groupsMake",
            M::GroupsMake {
                names: vec!["Nhóm 1".into(), "Nhóm 2".into()],
                by: GroupBy::Random,
            },
        ),
        asked(
            "groupsMove",
            M::GroupsMove {
                moves: vec![(who(), Some(GroupNo(2)))],
            },
        ),
        asked("groupsOpen", M::GroupsOpen { minutes: Some(10) }),
        asked("groupsClose", M::GroupsClose),
        asked(
            "groupsSay",
            M::GroupsSay {
                text: "Còn 2 phút nữa".into(),
            },
        ),
        asked(
            "groupPick",
            M::GroupPick {
                group: Some(GroupNo(2)),
            },
        ),
    ]
}

pub fn server_samples() -> Vec<(&'static str, ServerFrame)> {
    use ServerMessage as M;
    let frame = |name, seq, id, msg| (name, ServerFrame { seq, id, msg });
    let all = |name, msg| frame(name, Some(50), None, msg);
    let one = |name, msg| frame(name, None, None, msg);
    let direct = || lophoc_protocol::server::ChatEntry {
        to: Audience::Person(PersonId::from("p1")),
        to_name: Some("Trần Văn Dạy".into()),
        ..chat()
    };
    vec![
        one("chatDirect", M::ChatDirect { m: direct() }),
        one(
            "chatMine",
            M::ChatMine {
                list: vec![direct()],
            },
        ),
        all(
            "chatGone",
            M::ChatGone {
                chat: ChatId::from("c12"),
            },
        ),
        all(
            "questions",
            M::Questions {
                set: vec![question()],
                del: vec![QuestionId::from("q2")],
            },
        ),
        one(
            "questionsMine",
            M::QuestionsMine {
                asked: vec![QuestionId::from("q4")],
                up: vec![QuestionId::from("q3")],
            },
        ),
        one(
            "reactions",
            M::Reactions {
                list: vec![(who(), Reaction::Clap)],
                counts: vec![(Reaction::Clap, 12), (Reaction::Heart, 3)],
            },
        ),
        frame(
            "pollOpened",
            None,
            Some(17),
            M::PollOpened {
                poll: PollId::from("v3"),
            },
        ),
        all(
            "poll",
            M::Poll {
                poll: Box::new(poll()),
            },
        ),
        all(
            "pollGone",
            M::PollGone {
                poll: PollId::from("v3"),
            },
        ),
        one(
            "pollMine",
            M::PollMine {
                poll: PollId::from("v3"),
                answer: choice(),
                score: Some(1),
            },
        ),
        frame(
            "pollPage",
            None,
            Some(17),
            M::PollPage {
                total: 41,
                list: vec![PollRow {
                    who: who(),
                    name: "Nguyễn Thị Hằng".into(),
                    unit: Some("THPT số 1".into()),
                    answer: choice(),
                    score: Some(1),
                    at: NOW,
                }],
            },
        ),
        all(
            "deck",
            M::Deck {
                deck: Box::new(deck()),
            },
        ),
        all(
            "deckGone",
            M::DeckGone {
                deck: DeckId::from("d1"),
            },
        ),
        all(
            "stage",
            M::Stage {
                stage: Some(Stage {
                    deck: DeckId::from("d1"),
                    page: 3,
                }),
            },
        ),
        one(
            "slidePoint",
            M::SlidePoint {
                who: who(),
                page: 3,
                x: Some(5_000),
                y: Some(1_250),
            },
        ),
        all(
            "file",
            M::File {
                file: Box::new(file()),
            },
        ),
        one(
            "filesMine",
            M::FilesMine {
                list: vec![file()],
                add: false,
            },
        ),
        all(
            "fileGone",
            M::FileGone {
                file: FileId::from("f9"),
            },
        ),
        all(
            "groups",
            M::Groups {
                groups: Some(groups()),
            },
        ),
        all(
            "groupsSaid",
            M::GroupsSaid {
                text: "Còn 2 phút nữa".into(),
                by: "Trần Văn Dạy".into(),
            },
        ),
    ]
}
