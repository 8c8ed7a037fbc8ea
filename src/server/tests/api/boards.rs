//! Boards in the record bundle and by themselves.

use lophoc_ledger::{EventKind, PersonKey};
use serde_json::{Value, json};

use crate::attendance_world::{Answer, Class};
use crate::exports::{export, unpack};

/// Minutes after the beginning.
const DRAWN: i64 = 50 * 60_000;

fn figure(n: u32, by: &PersonKey, fig: Value) -> Value {
    json!({"n": n, "by": by, "cid": format!("c{n}"), "fig": fig})
}

fn pen(points: &[u16]) -> Value {
    json!({"kind": "pen", "ink": "red", "w": 2, "p": points})
}

async fn draw(class: &mut Class, board: &str, shape: Value) {
    let kind = EventKind::BoardDrawn {
        board: board.to_owned(),
        shape,
    };
    class.event(DRAWN, kind).await;
}

async fn deck(class: &mut Class, id: &str, name: &str) {
    let deck = json!({"deck": id, "name": name, "st": {"is": "ready"}, "pages": 3,
        "w": 400, "h": 300, "url": "/f/KEY", "review": "draft", "by": "p", "byName": "Cô Ba",
        "at": 1});
    class.event(DRAWN, EventKind::Deck { deck, by: None }).await;
}

/// A session in which a blank board and two decks were drawn on, one of which was
/// taken out of the room.
async fn drawn_on() -> Class {
    let mut class = Class::new().await;
    class.begin().await;
    let (trainer, learner) = (class.trainer.clone(), class.learners[0].clone());
    deck(&mut class, "d1", "Bài <1>.pptx").await;
    deck(&mut class, "d2", "Nháp.pdf").await;
    let shown = EventKind::BoardShown {
        board: Some("w1".to_owned()),
        by: trainer.clone(),
    };
    class.event(DRAWN, shown).await;
    let text = json!({"kind": "text", "ink": "blue", "w": 1, "p": [0, 0],
        "text": "</text><script>x()</script> & chào"});
    draw(&mut class, "w1", figure(1, &trainer, text)).await;
    draw(&mut class, "w1", figure(2, &learner, pen(&[1, 2, 3, 4]))).await;
    draw(&mut class, "w1", figure(3, &learner, pen(&[5000, 5000]))).await;
    draw(&mut class, "w2", figure(1, &learner, pen(&[7, 7]))).await;
    draw(
        &mut class,
        "d1-2",
        figure(1, &trainer, pen(&[0, 0, 5000, 10_000])),
    )
    .await;
    draw(&mut class, "d2-1", figure(1, &trainer, pen(&[10, 10]))).await;
    // Not ours: no file gets such a name.
    draw(
        &mut class,
        "d/../../../x-1",
        figure(1, &trainer, pen(&[1, 1])),
    )
    .await;
    let undone = EventKind::BoardUndone {
        board: "w1".to_owned(),
        redo: false,
        set: vec![],
        del: vec![3],
        by: learner.clone(),
    };
    class.event(DRAWN, undone).await;
    for (board, n) in [("w1", vec![2]), ("w2", vec![1])] {
        let erased = EventKind::BoardErased {
            board: board.to_owned(),
            n,
            by: trainer.clone(),
        };
        class.event(DRAWN, erased).await;
    }
    let dropped = EventKind::DeckDropped {
        id: "d2".to_owned(),
        by: trainer.clone(),
    };
    class.event(DRAWN, dropped).await;
    class.end().await;
    class
}

fn ids(boards: &Value) -> Vec<&str> {
    let boards = boards["boards"].as_array().unwrap();
    let ids = boards.iter().map(|board| board["board"].as_str().unwrap());
    ids.collect()
}

fn is_picture(text: &str) -> bool {
    text.starts_with("<svg xmlns=") && text.ends_with("</svg>\n")
}

#[tokio::test]
async fn the_bundle_has_what_stood_on_the_boards_at_the_end() {
    let class = drawn_on().await;
    let files = unpack(&export(&class, &class.at("bundle.zip")).await.body);
    let boards: Value = serde_json::from_slice(&files["boards.json"]).unwrap();
    assert_eq!(ids(&boards), ["w1", "d1-2", "d2-1"]);
    let trainer = class.store().person(&class.trainer).await.unwrap().unwrap();
    let white = &boards["boards"][0];
    let shapes = white["shapes"].as_array().unwrap();
    assert_eq!(shapes.len(), 1, "what was erased or taken back is gone");
    assert_eq!(shapes[0]["name"], json!(trainer.form.name));
    assert_eq!(shapes[0]["person"], json!(class.trainer));
    let page = &boards["boards"][1];
    let below = (
        &page["deck"],
        &page["deckName"],
        &page["page"],
        &page["high"],
    );
    assert_eq!(
        below,
        (
            &json!("d1"),
            &json!("Bài <1>.pptx"),
            &json!(2),
            &json!(1200)
        )
    );
    assert_eq!(page["dropped"], Value::Null);
    assert_eq!(boards["boards"][2]["dropped"], true);
    assert!(!String::from_utf8_lossy(&files["boards.json"]).contains("/f/KEY"));

    let pictures: Vec<&str> = files
        .keys()
        .filter(|name| name.starts_with("boards/"))
        .map(String::as_str)
        .collect();
    assert_eq!(
        pictures,
        ["boards/d1-2.svg", "boards/d2-1.svg", "boards/w1.svg"]
    );
    let text = |name: &str| String::from_utf8(files[name].clone()).unwrap();
    let white = text("boards/w1.svg");
    assert!(is_picture(&white) && white.contains("<rect "), "{white}");
    assert!(white.contains("&#60;script&#62;x()") && !white.contains("<script"));
    let page = text("boards/d1-2.svg");
    assert!(
        is_picture(&page) && page.contains("M0 0L800 1200"),
        "{page}"
    );
    assert!(
        !page.contains("<rect ") && !page.contains("<image"),
        "{page}"
    );
    let readme = text("README.txt");
    for line in [
        "Bảng trắng 1",
        "Bài <1>.pptx, trang 2",
        "Nháp.pdf, trang 1 (tài liệu đã gỡ",
    ] {
        assert!(readme.contains(line), "{readme}");
    }
    let manifest: Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
    let listed = manifest["files"].as_array().unwrap();
    assert!(listed.iter().any(|file| file["name"] == "boards/d1-2.svg"));
    let odd = files.keys().find(|name| name.contains(".."));
    assert_eq!(odd, None);
}

#[tokio::test]
async fn boards_are_read_by_who_may_have_the_bundle() {
    let class = drawn_on().await;
    let list = class.at("boards");
    let answer = export(&class, &list).await;
    let files = unpack(&export(&class, &class.at("bundle.zip")).await.body);
    let boards = answer.json();
    let in_bundle: Value = serde_json::from_slice(&files["boards.json"]).unwrap();
    assert_eq!(boards, in_bundle);
    let one = class.at("boards/d1-2.svg");
    let answer = export(&class, &one).await;
    let head = answer.head.to_lowercase();
    assert!(head.contains("content-type: image/svg+xml"), "{head}");
    // A picture from outside a page of ours runs nothing: it is a file to save.
    assert!(head.contains("content-disposition: attachment"), "{head}");
    assert_eq!(answer.body, files["boards/d1-2.svg"]);

    let refused = |who: &PersonKey| {
        let (who, class) = (who.clone(), &class);
        let (list, one) = (list.clone(), one.clone());
        async move {
            for path in [&list, &one] {
                let answer: Answer = class.get(&who, path).await;
                assert_eq!(answer.status, 403, "{path} {}", answer.text());
            }
        }
    };
    for who in [
        &class.learners[0],
        &class.contact_a,
        &class.stranger,
        &class.admin,
    ] {
        refused(who).await;
    }
    assert_eq!(class.raw("GET", &list, "", b"").await.status, 401);
    for nothing in ["w2.svg", "w1", "w1.png", "d1-3.svg", "..%2fw1.svg", ".svg"] {
        let path = class.at(&format!("boards/{nothing}"));
        let answer = class.get(&class.organiser, &path).await;
        assert_eq!(answer.status, 404, "{nothing}");
    }
    let lines = export(&class, &class.of_class("access")).await.json();
    let looked = |line: &&Value| line["what"] == "boards";
    let lines = lines.as_array().unwrap();
    assert_eq!(lines.iter().filter(looked).count(), 2);
}

#[tokio::test]
async fn a_session_without_a_board_has_none_in_its_bundle() {
    let class = Class::held().await;
    let files = unpack(&export(&class, &class.at("bundle.zip")).await.body);
    assert!(!files.keys().any(|name| name.starts_with("boards")));
    let boards = export(&class, &class.at("boards")).await.json();
    assert_eq!(boards, json!({"boards": [], "leftOut": 0}));
}
