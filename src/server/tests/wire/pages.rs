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
