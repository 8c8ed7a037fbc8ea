//! Messages of captions.

use lophoc_protocol::captions::{Caption, CaptionLang};
use lophoc_protocol::{ClientFrame, ClientMessage, PersonId, ServerFrame, ServerMessage};

fn line() -> Caption {
    Caption {
        n: 31,
        lang: CaptionLang::Vi,
        who: PersonId::from("p9"),
        name: "Lê Thị Thư".into(),
        text: "Chúng ta bắt đầu với ví dụ thứ hai.".into(),
        from: 1_790_000_000_000,
        to: 1_790_000_004_200,
        cid: "c-7f3a".into(),
    }
}

pub fn client_samples() -> Vec<(&'static str, ClientFrame)> {
    use ClientMessage as M;
    let asked = |name, msg| (name, ClientFrame { id: Some(18), msg });
    vec![
        asked(
            "modCaptioner",
            M::ModCaptioner {
                who: PersonId::from("p9"),
                on: true,
            },
        ),
        (
            "captionLive",
            ClientFrame {
                id: None,
                msg: M::CaptionLive {
                    lang: CaptionLang::Vi,
                    text: "Chúng ta bắt".into(),
                },
            },
        ),
        asked(
            "captionLine",
            M::CaptionLine {
                cid: line().cid,
                lang: CaptionLang::Vi,
                text: line().text,
                took: 4_200,
            },
        ),
        asked("captionPage", M::CaptionPage { before: 31 }),
    ]
}

pub fn server_samples() -> Vec<(&'static str, ServerFrame)> {
    use ServerMessage as M;
    let frame = |name, seq, id, msg| (name, ServerFrame { seq, id, msg });
    vec![
        frame("caption", Some(51), None, M::Caption { c: line() }),
        frame(
            "captionLive",
            None,
            None,
            M::CaptionLive {
                who: PersonId::from("p9"),
                lang: CaptionLang::Vi,
                text: "Chúng ta bắt".into(),
            },
        ),
        frame(
            "captionPage",
            None,
            Some(18),
            M::CaptionPage {
                list: vec![line()],
                more: true,
            },
        ),
    ]
}
