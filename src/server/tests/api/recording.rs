//! That sessions are recorded: the setting, told and accepted before joining.

use lophoc::{LinkMaker, TokenClaims};
use lophoc_classes::UnitRole;
use lophoc_ledger::PersonKey;
use lophoc_protocol::{Role, RoomMode};
use serde_json::{Value, json};

use crate::client::{Browser, World, code};

fn form(who: &str, why: &str) -> Value {
    json!({"on": true, "who": who, "why": why, "keep": "06 tháng"})
}

#[tokio::test]
async fn a_recording_is_set_by_organisers_and_accepted_before_anybody_comes_in() {
    let world = World::new().await;
    let session = lophoc::create(world.store(), "Lớp thử", "Sở GDĐT", RoomMode::Discussion, 2)
        .await
        .unwrap();
    let admin = world.admin().await.browser;
    let stranger = world
        .member("lan", Some("u-moet-vp"), &[] as &[UnitRole])
        .await
        .browser;
    let class = format!("/classes/{}/recording", session.class.0);
    let own = format!("/sessions/{}/recording", session.id.0);

    assert_eq!(admin.get(&class).await.1["on"], false);
    assert_eq!(stranger.get(&class).await.0, 403);
    assert_eq!(stranger.put(&class, &form("Tôi", "")).await.0, 403);
    assert_eq!(stranger.put(&own, &form("Tôi", "")).await.0, 403);
    let refused = admin.put(&class, &form("  ", "")).await;
    assert_eq!(code(&refused), (400, "badRequest"));
    assert_eq!(refused.1["error"]["fields"]["who"], "required");
    let refused = admin.put(&class, &form("Sở", &"x".repeat(501))).await;
    assert_eq!(refused.1["error"]["fields"]["why"], "tooLong");

    let browser = world.browser();
    let links = LinkMaker::new(world.store(), world.server.public_url())
        .await
        .unwrap();
    let link = links.link(&session.room, Role::Learner, None, 1).unwrap();
    let told = async |browser: &Browser| {
        let body = json!({ "link": link }).to_string();
        let answer = browser
            .call("POST", "/api/link", &browser.headers(), body)
            .await;
        answer.json()["recording"].clone()
    };
    let join = async |words: &Value| {
        let body = json!({"link": link, "name": "An", "device": "device-12345678",
            "recording": words});
        let answer = browser
            .call("POST", "/api/join", &browser.headers(), body.to_string())
            .await;
        (answer.status, answer.json())
    };
    assert_eq!(told(&browser).await, Value::Null);
    assert_eq!(join(&Value::Null).await.0, 200);

    let (status, state) = admin.put(&class, &form(" Sở  GDĐT ", "Lưu hồ sơ")).await;
    assert_eq!((status, &state["who"]), (200, &json!("Sở GDĐT")));
    let notice = told(&browser).await;
    assert_eq!(
        (&notice["who"], &notice["why"], &notice["keep"]),
        (&json!("Sở GDĐT"), &json!("Lưu hồ sơ"), &json!("06 tháng"))
    );
    for wrong in [Value::Null, json!("0123")] {
        let (status, refused) = join(&wrong).await;
        assert_eq!((status, &refused["code"]), (409, &json!("conflict")));
    }
    // By an open link it is noted who comes in with the token.
    let (status, answer) = join(&notice["words"]).await;
    assert_eq!(status, 200);
    let token = answer["token"].as_str().unwrap();
    let claims = TokenClaims::open(&links.keys, token, 0).unwrap();
    assert_eq!(claims.recording.unwrap().who, "Sở GDĐT");

    // Other words are another notice; a session may say otherwise than its class.
    admin.put(&class, &form("Sở GDĐT", "Xem lại")).await;
    assert_ne!(told(&browser).await["words"], notice["words"]);
    let (_, state) = admin.put(&own, &json!({"on": false})).await;
    assert_eq!((&state["on"], &state["own"]), (&json!(false), &json!(true)));
    assert_eq!(told(&browser).await, Value::Null);
    let (_, state) = admin.put(&own, &json!({"on": false, "own": false})).await;
    assert_eq!((&state["on"], &state["own"]), (&json!(true), &json!(false)));
    assert_eq!(told(&browser).await["why"], "Xem lại");
    let by: Vec<PersonKey> = world
        .store()
        .recording_accepted(&session.class)
        .await
        .unwrap()
        .into_iter()
        .map(|one| one.person)
        .collect();
    assert_eq!(by, []);
}

#[tokio::test]
async fn where_a_recording_asks_one_may_come_in_unrecorded_and_no_class_asks_for_less() {
    let world = World::new().await;
    let session = lophoc::create(world.store(), "Lớp thử", "Sở GDĐT", RoomMode::Discussion, 2)
        .await
        .unwrap();
    let admin = world.admin().await.browser;
    let class = format!("/classes/{}/recording", session.class.0);
    let server = |ask: &str| json!({"on": true, "who": "Sở", "by": "server", "ask": ask});
    // A class of learners is asked; to be told is for public events.
    let refused = admin.put(&class, &server("notice")).await;
    assert_eq!(code(&refused), (400, "badRequest"));
    assert_eq!(refused.1["error"]["fields"]["ask"], "badValue");
    assert_eq!(admin.get(&class).await.1["on"], false);
    assert_eq!(admin.put(&class, &server("consent")).await.0, 200);

    let links = LinkMaker::new(world.store(), world.server.public_url())
        .await
        .unwrap();
    let link = links.link(&session.room, Role::Learner, None, 1).unwrap();
    let browser = world.browser();
    let words = async || {
        let body = json!({ "link": link }).to_string();
        let answer = browser
            .call("POST", "/api/link", &browser.headers(), body)
            .await;
        answer.json()["recording"].clone()
    };
    let join = async |words: &Value, unrecorded: bool| {
        let body = json!({"link": link, "name": "An", "device": "device-12345678",
            "recording": words, "unrecorded": unrecorded});
        let answer = browser
            .call("POST", "/api/join", &browser.headers(), body.to_string())
            .await;
        (answer.status, answer.json())
    };
    let told = words().await;
    assert_eq!(join(&Value::Null, true).await.0, 409, "without the words");
    for unrecorded in [true, false] {
        let (status, answer) = join(&told["words"], unrecorded).await;
        assert_eq!(status, 200, "{answer}");
        let token = answer["token"].as_str().unwrap();
        let claims = TokenClaims::open(&links.keys, token, 0).unwrap();
        let said = claims.recording.unwrap().answer.unwrap();
        assert_eq!(said.accepted, !unrecorded);
    }
    // One from outside takes whom it takes: nobody is promised otherwise.
    admin.put(&class, &form("Sở GDĐT", "")).await;
    let told = words().await;
    assert_eq!(join(&told["words"], true).await.0, 409);
    assert_eq!(join(&told["words"], false).await.0, 200);
}
