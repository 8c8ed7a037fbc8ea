//! Coming in: links, names, tokens.

use std::time::{Duration, Instant};

use lophoc::{Keys, LinkClaims, TokenClaims};
use lophoc_ledger::PersonKey;
use lophoc_protocol::{Role, RoomId};
use serde_json::json;

use crate::client::{Client, PATIENCE, get, open, post, post_text};
use crate::world::{World, hello};

#[tokio::test]
async fn a_link_tells_where_it_leads_and_a_client_gets_welcome_and_state() {
    let world = World::new().await;
    let (status, told) = post(
        &world.host(),
        "/api/link",
        &json!({"link": world.link(Role::Trainer)}),
    )
    .await;
    assert_eq!(
        (status, &told["state"], &told["role"]),
        (200, &json!("open"), &json!("trainer"))
    );
    assert_eq!(
        (&told["title"], &told["host"]),
        (&json!("Lớp thử"), &json!("Sở GDĐT"))
    );

    let mut trainer = world.enter(Role::Trainer, "Trần Thị Bình").await;
    assert_eq!(trainer.welcome["id"], 1);
    assert_eq!(trainer.welcome["you"]["name"], "Trần Thị Bình");
    assert!(trainer.welcome["you"]["token"].is_string());
    assert_eq!(trainer.welcome["room"]["room"], json!(world.room));
    let state = trainer.seen.remove(0);
    assert_eq!(state["counts"]["staff"], 1);
    world.server.stop().await;
}

#[tokio::test]
async fn a_personal_link_keeps_its_name_and_an_open_one_knows_its_browser_again() {
    let world = World::new().await;
    let personal = world
        .links
        .link(
            &world.room,
            Role::Learner,
            Some(("Lê Văn An", Some("THPT A"))),
            1,
        )
        .unwrap();
    let body = json!({"link": personal, "name": "Somebody Else", "device": "d-12345678"});
    let (_, first) = post(&world.host(), "/api/join", &body).await;
    assert_eq!(first["name"], "Lê Văn An");
    let open = world.link(Role::Learner);
    let join = |name: &str, device: &str| json!({"link": open, "name": name, "device": device});
    let (_, a) = post(&world.host(), "/api/join", &join("A", "browser-one")).await;
    let (_, again) = post(&world.host(), "/api/join", &join("A2", "browser-one")).await;
    let (_, b) = post(&world.host(), "/api/join", &join("B", "browser-two")).await;
    assert_eq!(a["person"], again["person"]);
    assert_ne!(a["person"], b["person"]);
    world.server.stop().await;
}

#[tokio::test]
async fn wrong_expired_and_changed_links_are_refused_with_their_code() {
    let world = World::new().await;
    let refused = async |link: String| {
        let (status, answer) = post(&world.host(), "/api/link", &json!({"link": link})).await;
        let (join_status, join) = post(
            &world.host(),
            "/api/join",
            &json!({"link": link, "name": "A", "device": "d-12345678"}),
        )
        .await;
        assert_eq!((status, &answer), (join_status, &join));
        (
            status,
            answer["code"].as_str().unwrap_or_default().to_owned(),
        )
    };
    let forbidden = (403, "forbidden".to_owned());
    assert_eq!(refused("nonsense".into()).await, forbidden);
    let link = world.link(Role::Learner);
    let at = link.rfind("/j/").unwrap() + 10;
    let mut changed = link.clone();
    changed.replace_range(at..=at, if &link[at..=at] == "A" { "B" } else { "A" });
    assert_eq!(refused(changed).await, forbidden);

    let claims = |room: &str, exp| LinkClaims {
        room: RoomId::from(room),
        role: Role::Organiser,
        exp,
        lid: "i1".into(),
        site: None,
        named: None,
    };
    let old = claims(&world.room, 1).seal(&world.links.keys).unwrap();
    assert_eq!(refused(old).await, (410, "expired".to_owned()));
    let nowhere = claims("r-none", u64::MAX).seal(&world.links.keys).unwrap();
    assert_eq!(refused(nowhere).await, (404, "not_found".to_owned()));
    let foreign = claims(&world.room, u64::MAX)
        .seal(&Keys::new(&[7; 32]))
        .unwrap();
    assert_eq!(refused(foreign).await, forbidden);
    world.server.stop().await;
}

#[tokio::test]
async fn names_and_bodies_that_cannot_be_used_are_refused() {
    let world = World::new().await;
    let link = world.link(Role::Learner);
    let join = async |name: &str, device: &str| {
        let body = json!({"link": link, "name": name, "device": device});
        post(&world.host(), "/api/join", &body).await.0
    };
    assert_eq!(join("  ", "d-12345678").await, 400);
    assert_eq!(join(&"a".repeat(81), "d-12345678").await, 400);
    assert_eq!(join("A", "short").await, 400);
    assert_eq!(post_text(&world.host(), "/api/join", "{").await.0, 400);
    assert_eq!(
        post_text(&world.host(), "/api/join", &"x".repeat(100_000))
            .await
            .0,
        413
    );
    world.server.stop().await;
}

#[tokio::test]
async fn the_websocket_refuses_tokens_that_are_not_good() {
    let world = World::new().await;
    let good = world.token(Role::Learner, "A").await;
    let mut claims = TokenClaims::open(&world.links.keys, &good, 0).unwrap();
    claims.exp = 1;
    let expired = claims.seal(&world.links.keys).unwrap();
    claims.exp = u64::MAX;
    claims.role = Role::Organiser;
    let foreign = claims.seal(&Keys::new(&[7; 32])).unwrap();
    let link = world.link(Role::Organiser);
    let link_as_token = link.rsplit_once("/j/").unwrap().1;
    for (token, code) in [
        ("", "forbidden"),
        (&expired, "expired"),
        (&foreign, "forbidden"),
        (link_as_token, "forbidden"),
    ] {
        let mut client = Client::raw(&world.host()).await;
        client.send(&hello(token)).await;
        let refusal = client.read().await.unwrap();
        assert_eq!(
            (&refusal["t"], &refusal["code"], &refusal["id"]),
            (&json!("err"), &json!(code), &json!(1))
        );
        let bye = client.read().await.unwrap();
        assert_eq!(
            (&bye["t"], &bye["action"], &bye["code"]),
            (&json!("bye"), &json!("stop"), &json!(code))
        );
        assert!(client.read().await.is_none());
    }
    world.server.stop().await;
}

#[tokio::test]
async fn pages_of_other_sites_and_clients_without_the_subprotocol_get_no_websocket() {
    let world = World::new().await;
    let host = world.host();
    assert!(open(&host, Some(&format!("http://{host}"))).await.is_ok());
    assert_eq!(
        open(&host, Some("https://evil.example")).await.err(),
        Some(403)
    );
    assert_eq!(get(&host, "/rtc/v1", None).await.0, 400);
    world.server.stop().await;
}

#[tokio::test]
async fn calls_above_the_rate_of_an_address_are_refused() {
    let world = World::with(lophoc_protocol::RoomMode::Discussion, |config| {
        config.limits.api_burst = 3;
        config.limits.api_per_minute = 1;
        config.limits.links_per_address = 1;
    })
    .await;
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(
            post(&world.host(), "/api/link", &json!({"link": "x"}))
                .await
                .0,
        );
    }
    assert_eq!(statuses, [403, 403, 403, 429, 429]);
    let kept = open(&world.host(), None).await;
    assert!(kept.is_ok());
    assert_eq!(open(&world.host(), None).await.err(), Some(429));
    world.server.stop().await;
}

#[tokio::test]
async fn accepted_rules_are_noted_when_somebody_comes_in() {
    let world = World::new().await;
    let store = &world.server.app.store;
    let session = store.session(&world.session.as_str().into()).await;
    let class = session.unwrap().unwrap().class;
    let by = PersonKey::from("p-none");
    store
        .set_house_rules(&class, "Đúng giờ.", &by, 7)
        .await
        .unwrap();
    let body = json!({
        "link": world.link(Role::Learner), "name": "An", "device": "device of An", "rules": 1,
    });
    let (status, answer) = post(&world.host(), "/api/join", &body).await;
    assert_eq!(status, 200, "{answer}");
    let person = PersonKey::from(answer["person"].as_str().unwrap());
    let noted = async || store.has_accepted_rules(&class, 1, &person).await.unwrap();
    assert!(!noted().await, "a token is nobody");
    let _an = Client::enter(&world.host(), answer["token"].as_str().unwrap()).await;
    let began = Instant::now();
    while !noted().await {
        assert!(began.elapsed() < PATIENCE, "not noted");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    world.server.stop().await;
}
