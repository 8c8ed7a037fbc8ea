//! Tokens of the API: scopes narrow what their maker may.

use serde_json::json;

use crate::client::{World, code};

#[tokio::test]
async fn a_token_does_what_its_scopes_say_and_no_more() {
    let world = World::new().await;
    let admin = world.admin().await.browser;
    let new = json!({"label": "Đồng bộ", "scopes": ["peopleRead", "peopleRead"], "days": 30});
    let (status, token) = admin.post("/tokens", &new).await;
    assert_eq!(
        (status, &token["scopes"]),
        (201, &json!(["peopleRead"])),
        "{token}"
    );
    let secret = token["secret"].as_str().unwrap();
    assert!(secret.starts_with("lpt_"));
    let program = world.browser().with_token(secret);
    assert_eq!(program.get("/people").await.0, 200);
    assert_eq!(program.get("/units").await.0, 200);
    assert_eq!(program.get("/me").await.0, 200);
    let form = json!({"name": "Nguyễn Thị Hoa"});
    assert_eq!(
        code(&program.post("/people", &form).await),
        (403, "forbidden")
    );
    for path in ["/accounts", "/tokens"] {
        assert_eq!(code(&program.get(path).await), (403, "forbidden"), "{path}");
    }
    let change = json!({"old": crate::client::PASSWORD, "new": "nắng hanh tháng chạp"});
    assert_eq!(
        code(&program.post("/me/password", &change).await),
        (403, "forbidden")
    );
    assert_eq!(
        code(&program.post("/tokens", &new).await),
        (403, "forbidden")
    );

    // A program has no page: it needs neither header nor origin.
    let write = json!({"label": "Ghi", "scopes": ["peopleWrite"], "days": 1});
    let (_, write) = admin.post("/tokens", &write).await;
    let headers = [
        ("content-type", "application/json".to_owned()),
        (
            "authorization",
            format!("Bearer {}", write["secret"].as_str().unwrap()),
        ),
    ];
    let answer = program
        .call("POST", "/api/v1/people", &headers, form.to_string())
        .await;
    assert_eq!(answer.status, 201, "{}", answer.body);

    let (_, list) = admin.get("/tokens").await;
    assert_eq!(list.as_array().unwrap().len(), 2);
    assert!(!list.to_string().contains("lpt_"), "secrets are told once");
    assert!(list.to_string().contains("usedMs"));
    let path = format!("/tokens/{}", token["id"].as_str().unwrap());
    assert_eq!(admin.delete(&path).await.0, 204);
    assert_eq!(code(&program.get("/people").await), (401, "signIn"));
    assert_eq!(admin.delete(&path).await.0, 404);
    world.server.stop().await;
}

#[tokio::test]
async fn a_token_has_the_rights_of_its_maker_only() {
    let world = World::new().await;
    let learner = world.member("an.lv", None, &[]).await;
    let new = json!({"label": "x", "scopes": ["peopleRead", "peopleWrite"], "days": 30});
    let (_, token) = learner.browser.post("/tokens", &new).await;
    let program = world
        .browser()
        .with_token(token["secret"].as_str().unwrap());
    assert_eq!(program.get("/people").await.0, 403);
    let admin = world.admin().await.browser;
    let path = format!("/accounts/{}/state", learner.person);
    admin.post(&path, &json!({"state": "locked"})).await;
    assert_eq!(program.get("/me").await.0, 401, "and ends with his account");
    world.server.stop().await;
}

#[tokio::test]
async fn wrong_tokens_are_refused() {
    let world = World::new().await;
    let admin = world.admin().await.browser;
    for (body, field) in [
        (
            json!({"label": "", "scopes": ["peopleRead"], "days": 1}),
            "label",
        ),
        (json!({"label": "x", "scopes": [], "days": 1}), "scopes"),
        (
            json!({"label": "x", "scopes": ["peopleRead"], "days": 366}),
            "days",
        ),
        (
            json!({"label": "x", "scopes": ["all"], "days": 1}),
            "scopes[0]",
        ),
    ] {
        let (status, told) = admin.post("/tokens", &body).await;
        assert!(
            status == 400 && told["error"]["fields"][field].is_string(),
            "{told}"
        );
    }
    for secret in ["lpt_", "lpt_nobody", &"lpt_x".repeat(100), "nonsense", ""] {
        let program = world.browser().with_token(secret);
        assert_eq!(code(&program.get("/me").await), (401, "signIn"), "{secret}");
    }
    world.server.stop().await;
}
