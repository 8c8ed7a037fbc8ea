//! Pages and their headers.

use crate::client::call;
use crate::world::World;

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let world = World::new().await;
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/j/some-link"),
        ("GET", "/none"),
        ("POST", "/api/link"),
        ("GET", "/healthz"),
    ] {
        let (_, head, _) = call(&world.host(), method, path, "", "").await;
        for header in [
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
            "permissions-policy: camera=(self), microphone=(self), display-capture=(self)",
            "cross-origin-opener-policy: same-origin",
            "default-src 'none'; script-src 'self'",
            "frame-ancestors 'none'",
        ] {
            assert!(
                head.contains(header),
                "{method} {path}: {header} is missing in {head}"
            );
        }
    }
    let (_, head, _) = call(&world.host(), "GET", "/", "", "").await;
    assert!(head.contains("cache-control: no-store"));
    assert!(head.contains(&format!("ws://{}", world.host())));
    world.server.stop().await;
}

#[tokio::test]
async fn somebody_at_an_unknown_address_gets_a_page_that_says_so() {
    let world = World::new().await;
    let accept = "accept: text/html,application/xhtml+xml\r\n";
    for (path, status) in [
        ("/none", 404),
        ("/no/such/page", 404),
        ("/reports?year=2026", 200),
    ] {
        let (got, head, body) = call(&world.host(), "GET", path, accept, "").await;
        assert_eq!(got, status, "{path}");
        assert!(head.contains("text/html"), "{path}: {head}");
        assert!(!body.is_empty(), "{path}");
    }
    for path in ["/assets/none.js", "/api/none", "/api/v1/none"] {
        let (got, head, _) = call(&world.host(), "GET", path, accept, "").await;
        assert_eq!(got, 404, "{path}");
        assert!(!head.contains("text/html"), "{path}: {head}");
    }
    world.server.stop().await;
}

#[tokio::test]
async fn unknown_addresses_are_not_pages() {
    let world = World::new().await;
    for path in ["/none", "/assets/none.js", "/../etc/passwd", "/api/none"] {
        assert_eq!(
            call(&world.host(), "GET", path, "", "").await.0,
            404,
            "{path}"
        );
    }
    world.server.stop().await;
}
