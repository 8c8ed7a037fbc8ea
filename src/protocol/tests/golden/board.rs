//! Messages of boards.

use lophoc_protocol::board::{Boards, Figure, FigureKind, Ink, Shape};
use lophoc_protocol::{BoardId, ClientFrame, ClientMessage, PersonId, ServerFrame, ServerMessage};

fn on_page() -> BoardId {
    BoardId::from("d1-3")
}

fn stroke() -> Figure {
    Figure {
        kind: FigureKind::Pen,
        ink: Ink::Red,
        w: 2,
        p: vec![1_200, 3_400, 1_260, 3_380],
        text: String::new(),
    }
}

fn words() -> Figure {
    Figure {
        kind: FigureKind::Text,
        ink: Ink::Black,
        w: 1,
        p: vec![500, 500],
        text: "Ví dụ 2".into(),
    }
}

fn shape() -> Shape {
    Shape {
        n: 14,
        by: PersonId::from("p7"),
        cid: "k3f9a1".into(),
        fig: stroke(),
    }
}

pub fn client_samples() -> Vec<(&'static str, ClientFrame)> {
    use ClientMessage as M;
    let board = on_page;
    let asked = |name, msg| (name, ClientFrame { id: Some(17), msg });
    let loose = |msg| ClientFrame { id: None, msg };
    vec![
        asked(
            "boardShow",
            M::BoardShow {
                board: BoardId::white(1),
            },
        ),
        asked("boardHide", M::BoardHide),
        asked(
            "boardGet",
            M::BoardGet {
                board: board(),
                after: 0,
            },
        ),
        asked(
            "boardDraw",
            M::BoardDraw {
                board: board(),
                cid: "k3f9a1".into(),
                fig: stroke(),
            },
        ),
        asked(
            "boardDraw-text",
            M::BoardDraw {
                board: board(),
                cid: "k3f9a2".into(),
                fig: words(),
            },
        ),
        (
            "boardLive",
            loose(M::BoardLive {
                board: board(),
                cid: "k3f9a1".into(),
                from: 4,
                fig: stroke(),
            }),
        ),
        (
            "boardPoint",
            loose(M::BoardPoint {
                board: BoardId::white(1),
                x: Some(5_000),
                y: Some(1_250),
            }),
        ),
        asked(
            "boardErase",
            M::BoardErase {
                board: board(),
                n: vec![14, 9],
            },
        ),
        asked("boardClear", M::BoardClear { board: board() }),
        asked("boardUndo", M::BoardUndo { board: board() }),
        asked("boardRedo", M::BoardRedo { board: board() }),
    ]
}

pub fn server_samples() -> Vec<(&'static str, ServerFrame)> {
    use ServerMessage as M;
    let frame = |name, seq, id, msg| (name, ServerFrame { seq, id, msg });
    let all = |name, msg| frame(name, Some(50), None, msg);
    let one = |name, msg| frame(name, None, None, msg);
    vec![
        all(
            "boards",
            M::Boards {
                boards: Boards {
                    white: 2,
                    shown: Some(BoardId::white(2)),
                    pages: vec![on_page()],
                },
            },
        ),
        all(
            "board",
            M::Board {
                board: on_page(),
                set: vec![shape()],
                del: vec![],
            },
        ),
        all(
            "board-del",
            M::Board {
                board: on_page(),
                set: vec![],
                del: vec![14, 9],
            },
        ),
        (
            "boardPage",
            ServerFrame {
                seq: None,
                id: Some(17),
                msg: M::BoardPage {
                    board: on_page(),
                    list: vec![shape()],
                    more: false,
                },
            },
        ),
        one(
            "boardLive",
            M::BoardLive {
                board: on_page(),
                who: PersonId::from("p7"),
                cid: "k3f9a1".into(),
                from: 4,
                fig: stroke(),
            },
        ),
        one(
            "boardPoint",
            M::BoardPoint {
                board: BoardId::white(1),
                who: PersonId::from("p7"),
                x: Some(5_000),
                y: Some(1_250),
            },
        ),
    ]
}
