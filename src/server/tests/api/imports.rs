//! Rosters from files over the interface: preview, decision, writing, refusals.

use std::time::Duration;

use lophoc_classes::{UnitId, UnitRole};
use serde_json::{Value, json};

use crate::client::{Browser, World, code};

const HOST: &str = "u-moet-vp";
const HEAD: &str = "STT;Mã định danh;Họ và tên;Ngày sinh;Đơn vị công tác;Số định danh cá nhân\n";

async fn organiser(world: &World) -> Browser {
    let unit = UnitId::from(HOST);
    let roles = [UnitRole::Organiser { unit }];
    world.member("ban.tc", Some(HOST), &roles).await.browser
}

async fn class(browser: &Browser) -> String {
    let (status, made) = browser
        .post("/classes", &json!({"title": "Lớp", "host": HOST}))
        .await;
    assert_eq!(status, 201, "{made}");
    made["id"].as_str().unwrap().to_owned()
}

async fn send(browser: &Browser, class: &str, bytes: &[u8]) -> (u16, Value) {
    let path = format!("/api/v1/classes/{class}/imports?file=danh%20s%C3%A1ch.csv");
    let answer = browser.call("POST", &path, &browser.headers(), bytes).await;
    (answer.status, answer.json())
}

/// Sends a file and waits until it is read.
async fn import(browser: &Browser, class: &str, text: &str) -> Value {
    let (status, job) = send(browser, class, text.as_bytes()).await;
    assert_eq!(status, 202, "{job}");
    let path = format!("/imports/{}", job["id"].as_str().unwrap());
    for _ in 0..600 {
        let (status, job) = browser.get(&path).await;
        assert_eq!(status, 200, "{job}");
        if !matches!(job["phase"].as_str().unwrap(), "reading" | "matching") {
            return job;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the import was never read");
}

async fn apply(browser: &Browser, job: &Value, answers: Value) -> (u16, Value) {
    let path = format!("/imports/{}/apply", job["id"].as_str().unwrap());
    browser.post(&path, &answers).await
}

async fn roster(browser: &Browser, class: &str) -> Value {
    browser.get(&format!("/classes/{class}/roster")).await.1
}

#[tokio::test]
async fn a_file_is_previewed_written_and_sent_again_with_changes() {
    let world = World::new().await;
    let boss = organiser(&world).await;
    let class = class(&boss).await;
    let text = format!(
        "{HEAD}1;0100000001;Nguyễn Thị Hằng;06/09/1985;Văn phòng Bộ;001185000001\n\
         2;0100000002;Trần Đình Đức;07/09/1986;Trường A;\n"
    );
    let job = import(&boss, &class, &text).await;
    assert_eq!(job["phase"], "ready");
    let preview = &job["preview"];
    assert_eq!(preview["file"], "danh sách.csv");
    assert_eq!(preview["counts"]["new"], 2);
    assert_eq!(
        roster(&boss, &class).await["total"],
        0,
        "nothing is written yet"
    );
    assert!(!job.to_string().contains("001185000001"));

    let (status, done) = apply(&boss, &job, json!({"accounts": true})).await;
    assert_eq!(status, 200, "{done}");
    assert_eq!(done["job"]["phase"], "applied");
    let accounts = done["accounts"].as_array().unwrap();
    assert_eq!(accounts.len(), 2);
    let login = accounts[0]["login"].as_str().unwrap();
    assert!(login.starts_with("010000000"));
    let password = accounts[0]["password"].as_str().unwrap();
    world.settle(login, password).await;
    let listed = roster(&boss, &class).await;
    assert_eq!(listed["total"], 2);
    // The unit's name is that of one in the tree.
    assert!(
        listed.to_string().contains("\"unit\":\"u-moet-vp\""),
        "{listed}"
    );
    assert_eq!(
        code(&apply(&boss, &job, json!({})).await),
        (409, "refused"),
        "once only"
    );

    let again = import(&boss, &class, &text).await;
    assert_eq!(again["preview"]["counts"]["same"], 2);
    let (status, done) = apply(&boss, &again, json!({"accounts": true})).await;
    assert_eq!(
        (status, done["accounts"].as_array().unwrap().len()),
        (200, 0)
    );
    let path = format!("/classes/{class}/roster/versions");
    assert_eq!(boss.get(&path).await.1.as_array().unwrap().len(), 1);

    let changed = format!("{HEAD}1;0100000001;Nguyễn Thị Hằng;06/09/1985;Trường B;\n");
    let job = import(&boss, &class, &changed).await;
    assert_eq!(job["preview"]["counts"]["changed"], 1);
    assert_eq!(job["preview"]["missing"].as_array().unwrap().len(), 1);
    let (status, done) = apply(&boss, &job, json!({"withdrawMissing": true})).await;
    assert_eq!(status, 200, "{done}");
    let versions = boss.get(&path).await.1;
    assert_eq!(versions.as_array().unwrap().len(), 2, "{versions}");
    assert_eq!(versions[1]["withdrawn"], 1);
    assert_eq!(versions[1]["how"], "import");
}

#[tokio::test]
async fn a_wrong_file_a_bad_row_and_a_roster_that_moved_change_nothing() {
    let world = World::new().await;
    let boss = organiser(&world).await;
    let class = class(&boss).await;
    for text in ["<html>", "a;b\n1;2\n", "PK\u{3}\u{4}rubbish"] {
        let job = import(&boss, &class, text).await;
        assert_eq!(job["phase"], "failed", "{job}");
        assert!(job["failure"].as_str().unwrap().ends_with('.'));
        assert_eq!(code(&apply(&boss, &job, json!({})).await), (409, "refused"));
    }
    let text =
        format!("{HEAD}1;0100000001;Nguyễn Thị Hằng;31/02/1985;;\n2;0100000002;Trần Đình Đức;;;\n");
    let first = import(&boss, &class, &text).await;
    assert_eq!(first["preview"]["rows"][0]["errors"][0][0], "Ngày sinh");
    let refused = apply(&boss, &first, json!({})).await;
    assert_eq!(refused.1["error"]["fields"]["skipBad"], "required");
    assert_eq!(roster(&boss, &class).await["total"], 0);

    // Two previews of one roster: the second decision was made on what is gone.
    let second = import(&boss, &class, &text).await;
    assert_eq!(apply(&boss, &first, json!({"skipBad": true})).await.0, 200);
    let late = apply(&boss, &second, json!({"skipBad": true})).await;
    assert_eq!(code(&late), (409, "conflict"));
    assert_eq!(roster(&boss, &class).await["total"], 1);
    let (_, people) = boss.get("/people?q=Tran%20Dinh%20Duc").await;
    assert_eq!(people["total"].as_u64().unwrap_or(1), 1, "{people}");
}

#[tokio::test]
async fn jobs_belong_to_their_makers_and_are_bounded() {
    let world = World::new().await;
    let boss = organiser(&world).await;
    let class = class(&boss).await;
    let stranger = world.member("nguoi.la", None, &[]).await.browser;
    let text = format!("{HEAD}1;0100000001;Nguyễn Thị Hằng;;;\n");
    assert_eq!(
        code(&send(&stranger, &class, text.as_bytes()).await),
        (403, "forbidden")
    );
    // A contact enters his people into classes of his own units' hosts only.
    let unit = UnitId::from("u-moet-mn");
    let roles = [UnitRole::Contact { unit }];
    let contact = world.member("dau.moi", Some("u-moet-mn"), &roles).await;
    assert_eq!(
        code(&send(&contact.browser, &class, text.as_bytes()).await),
        (403, "forbidden")
    );
    assert_eq!(
        code(&send(&boss, "c-none", text.as_bytes()).await),
        (404, "notFound")
    );
    assert_eq!(
        code(&send(&world.browser(), &class, text.as_bytes()).await),
        (401, "signIn")
    );
    let job = import(&boss, &class, &text).await;
    let path = format!("/imports/{}", job["id"].as_str().unwrap());
    assert_eq!(code(&stranger.get(&path).await), (404, "notFound"));
    assert_eq!(
        code(&apply(&stranger, &job, json!({})).await),
        (404, "notFound")
    );
    assert_eq!(code(&stranger.delete(&path).await), (404, "notFound"));
    assert_eq!(
        code(&apply(&boss, &job, json!({"same": {"x": 1}})).await).0,
        400
    );
    let large = vec![b'a'; 8 * 1024 * 1024 + 1];
    assert_eq!(send(&boss, &class, &large).await.0, 413);
    // A fourth job forgets the first.
    for _ in 0..3 {
        import(&boss, &class, &text).await;
    }
    assert_eq!(code(&boss.get(&path).await), (404, "notFound"));
    let job = import(&boss, &class, &text).await;
    let path = format!("/imports/{}", job["id"].as_str().unwrap());
    assert_eq!(boss.delete(&path).await.0, 204);
    assert_eq!(code(&boss.get(&path).await), (404, "notFound"));
    let template = boss
        .call("GET", "/api/v1/imports/template.xlsx", &boss.headers(), "")
        .await;
    assert_eq!(template.status, 200);
    assert!(template.body.starts_with("PK"));
}
