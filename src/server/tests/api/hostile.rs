//! Bodies and addresses nobody in his right mind sends.

use serde_json::json;

use crate::client::World;

#[tokio::test]
async fn hostile_bodies_are_refused_in_the_usual_shape() {
    let world = World::new().await;
    let browser = world.admin().await.browser;
    let mut deep = b"{\"name\":".to_vec();
    deep.extend(std::iter::repeat_n(b'[', 50_000));
    let large = json!({"name": "a".repeat(70_000)}).to_string();
    for (body, status, code) in [
        (large.as_bytes(), 413, "tooLarge"),
        (deep.as_slice(), 400, "badRequest"),
        (b"{\"name\":\"\xff\xfe\"}".as_slice(), 400, "badRequest"),
        (b"{\"name\":\"a\\u0000b\"}", 400, "badRequest"),
        (b"{\"name\":\"a\0b\"}", 400, "badRequest"),
        (b"{\"name\":1}", 400, "badRequest"),
        (b"[1,2", 400, "badRequest"),
        (b"null", 400, "badRequest"),
        (
            b"{\"identifiers\":[{\"kind\":\"sector\",\"value\":{}}]}",
            400,
            "badRequest",
        ),
    ] {
        let answer = browser
            .call("POST", "/api/v1/people", &browser.headers(), body)
            .await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (status, code),
            "{answer:?}"
        );
    }
    let mut headers = browser.headers();
    headers[0] = ("content-type", "text/plain".to_owned());
    let answer = browser
        .call("POST", "/api/v1/people", &headers, "{\"name\":\"a\"}")
        .await;
    assert_eq!((answer.status, answer.code().as_str()), (415, "badRequest"));
    world.server.stop().await;
}

#[tokio::test]
async fn strange_addresses_and_methods_get_no_page() {
    let world = World::new().await;
    let browser = world.admin().await.browser;
    for (method, path, status) in [
        ("GET", "/api/v1/nothing/here", 404),
        ("GET", "/api/v1/people/%ff%fe", 404),
        ("GET", "/api/v1/people/%00", 404),
        ("GET", "/api/v1/people?from=-1", 400),
        ("GET", "/api/v1/people?from=99999999999", 400),
        ("GET", "/api/v1/units?on=2025-02-30", 400),
        ("GET", "/api/v1/units?kind=castle", 400),
        ("DELETE", "/api/v1/me", 405),
        ("GET", "/api/v1/people?q=%25%27%22%3B--", 200),
    ] {
        let answer = browser.call(method, path, &browser.headers(), "").await;
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
        assert!(answer.head.contains("application/json"), "{method} {path}");
    }
    let long = format!("lophoc={}", "x".repeat(4_000));
    let answer = browser
        .call("GET", "/api/v1/me", &[("cookie", long)], "")
        .await;
    assert_eq!(answer.status, 401);
    world.server.stop().await;
}
