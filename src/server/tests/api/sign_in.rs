//! Signing in and out, the own password, waits, who may call from where.

use serde_json::{Value, json};

use crate::client::{Browser, PASSWORD, World, code};

async fn attempt(browser: &Browser, login: &str, password: &str) -> (u16, Value) {
    let body = json!({"login": login, "password": password});
    browser.post("/sign-in", &body).await
}

#[tokio::test]
async fn the_first_password_must_be_changed_before_anything_else() {
    let world = World::new().await;
    let printed = lophoc::create_account(world.store(), "hoa.nt", "Nguyễn Thị Hoa", false)
        .await
        .unwrap();
    let browser = world.sign_in("HOA.nt ", &printed.password).await;
    let (status, me) = browser.get("/me").await;
    assert_eq!((status, &me["mustChange"]), (200, &json!(true)));
    assert_eq!(me["account"]["state"], "new");
    assert_eq!(code(&browser.get("/units").await), (403, "mustChange"));

    let change = json!({"old": printed.password, "new": PASSWORD});
    let (status, me) = browser.post("/me/password", &change).await;
    assert_eq!((status, &me["mustChange"]), (200, &json!(false)));
    assert_eq!(me["account"]["state"], "active");
    assert_eq!(browser.get("/units").await.0, 200);
    assert_eq!(me["zone"], "Asia/Ho_Chi_Minh");

    assert_eq!(browser.post("/sign-out", &json!({})).await.0, 204);
    assert_eq!(code(&browser.get("/me").await), (401, "signIn"));
    world.server.stop().await;
}

#[tokio::test]
async fn the_cookie_is_out_of_reach_of_pages_and_other_sites() {
    let world = World::new().await;
    let member = world.admin().await;
    let browser = world.browser();
    let body = json!({"login": member.login, "password": PASSWORD}).to_string();
    let answer = browser
        .call("POST", "/api/v1/sign-in", &browser.headers(), &body)
        .await;
    let cookie = answer.head.split("set-cookie: ").nth(1).unwrap();
    let cookie = cookie.lines().next().unwrap();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(
        !cookie.contains("Secure"),
        "plain HTTP keeps no such cookie"
    );
    assert!(answer.head.contains("cache-control: no-store"));
    world.server.stop().await;

    let world = World::with(|config| config.server.public_url = "https://lop.vn".into()).await;
    let member = world.admin().await;
    let browser = world.browser();
    let body = json!({"login": member.login, "password": PASSWORD}).to_string();
    let answer = browser
        .call("POST", "/api/v1/sign-in", &browser.headers(), &body)
        .await;
    assert!(answer.head.contains("; Secure"));
    world.server.stop().await;
}

#[tokio::test]
async fn other_sites_cannot_call_with_the_cookie() {
    let world = World::new().await;
    let member = world.admin().await;
    let browser = &member.browser;
    let without = |name: &str| -> Vec<(&'static str, String)> {
        let mut headers = browser.headers();
        headers.retain(|(header, _)| *header != name);
        headers
    };
    let form = json!({"name": "Nguyễn Thị Hoa"}).to_string();
    let mut foreign = without("origin");
    foreign.push(("origin", "https://evil.example".to_owned()));
    for headers in [without("x-lophoc"), foreign.clone()] {
        let answer = browser
            .call("POST", "/api/v1/people", &headers, &form)
            .await;
        assert_eq!((answer.status, answer.code().as_str()), (403, "forbidden"));
        let body = json!({"login": member.login, "password": PASSWORD}).to_string();
        let answer = browser
            .call("POST", "/api/v1/sign-in", &headers, &body)
            .await;
        assert_eq!(answer.status, 403, "nor sign a browser in");
    }
    // Programs send no origin; the header alone is enough for them.
    let answer = browser
        .call("POST", "/api/v1/people", &without("origin"), &form)
        .await;
    assert_eq!(answer.status, 201);
    assert_eq!(
        world
            .store()
            .people(&Default::default(), 0, 10)
            .await
            .unwrap()
            .1,
        2
    );
    world.server.stop().await;
}

#[tokio::test]
async fn wrong_passwords_make_a_login_wait_whether_it_exists_or_not() {
    let world = World::new().await;
    let member = world.admin().await;
    let browser = world.browser();
    let mut told = Vec::new();
    for login in [member.login.as_str(), "ai.do"] {
        let mut codes = Vec::new();
        for _ in 0..6 {
            let (status, body) = attempt(&browser, login, "sai mật khẩu rồi").await;
            codes.push((status, body["error"]["code"].as_str().unwrap().to_owned()));
        }
        told.push(codes);
    }
    assert_eq!(told[0], told[1], "nobody learns which logins there are");
    assert_eq!(told[0][4], (401, "wrongPassword".to_owned()));
    assert_eq!(told[0][5], (423, "accountLocked".to_owned()));
    let (status, body) = attempt(&browser, &member.login, PASSWORD).await;
    assert_eq!(status, 423, "the right password waits as well");
    let wait = body["error"]["afterMs"].as_u64().unwrap();
    assert!((1..=30_000).contains(&wait));
    assert_eq!(member.browser.get("/me").await.0, 200, "who is in stays in");

    let log = world.store().sign_in_log(&member.person, 50).await.unwrap();
    let outcomes: Vec<&str> = log.iter().map(|line| line.outcome.as_str()).collect();
    assert_eq!(outcomes.iter().filter(|o| **o == "wrong").count(), 5);
    assert!(outcomes.contains(&"ok") && outcomes.contains(&"locked"));
    assert!(
        log.iter()
            .all(|line| line.address == "127.0.0.1" && line.port > 0)
    );
    world.server.stop().await;
}

#[tokio::test]
async fn many_attempts_at_once_do_not_slip_through() {
    let world = World::new().await;
    let member = world.admin().await;
    let browser = world.browser();
    let attempts = (0..12).map(|_| attempt(&browser, &member.login, "sai mật khẩu rồi"));
    let answers = futures_util::future::join_all(attempts).await;
    let tried = answers.iter().filter(|(status, _)| *status == 401).count();
    assert_eq!(tried, 5);
    world.server.stop().await;
}

#[tokio::test]
async fn an_address_that_tries_many_logins_waits() {
    let world = World::new().await;
    let browser = world.browser();
    let app = &world.server.app;
    let here = std::net::IpAddr::from([127, 0, 0, 1]);
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let now = u64::try_from(now.as_millis()).unwrap();
    // The mistyping of a school does not keep it out.
    for _ in 0..298 {
        assert_eq!(app.address_waits.attempt(&here, now), Ok(()));
    }
    let mut last = (0, Value::Null);
    for n in 0..3 {
        last = attempt(&browser, &format!("ai.do.{n}"), "sai mật khẩu rồi").await;
    }
    assert_eq!(code(&last), (429, "rateLimited"));
    assert!(last.1["error"]["afterMs"].as_u64().unwrap() > 0);
    world.server.stop().await;
}

#[tokio::test]
async fn a_new_password_signs_the_other_browsers_out() {
    let world = World::new().await;
    let member = world.admin().await;
    let other = world.sign_in(&member.login, PASSWORD).await;
    assert_eq!(other.get("/me").await.0, 200);
    let wrong = json!({"old": "sai mật khẩu rồi", "new": "nắng hanh tháng chạp"});
    let refused = member.browser.post("/me/password", &wrong).await;
    assert_eq!(code(&refused), (401, "wrongPassword"));
    for (new, fault) in [
        ("ngắn", "tooShort"),
        ("quan.tri123", "badValue"),
        (PASSWORD, "badValue"),
    ] {
        let change = json!({"old": PASSWORD, "new": new});
        let (status, body) = member.browser.post("/me/password", &change).await;
        assert_eq!(
            (status, &body["error"]["fields"]["new"]),
            (400, &json!(fault))
        );
    }
    let change = json!({"old": PASSWORD, "new": "nắng hanh tháng chạp"});
    assert_eq!(member.browser.post("/me/password", &change).await.0, 200);
    assert_eq!(member.browser.get("/me").await.0, 200);
    assert_eq!(other.get("/me").await.0, 401);
    world.server.stop().await;
}

#[tokio::test]
async fn signing_in_again_ends_what_the_browser_had() {
    let world = World::new().await;
    let member = world.admin().await;
    let old = member.browser.clone();
    let (status, _) = attempt(&member.browser, &member.login, PASSWORD).await;
    assert_eq!(status, 200);
    assert_eq!(old.get("/me").await.0, 401);
    world.server.stop().await;
}

#[tokio::test]
async fn calls_above_the_rate_are_refused() {
    let world = World::with(|config| {
        config.limits.api_burst = 3;
        config.limits.api_per_minute = 1;
    })
    .await;
    let browser = world.browser();
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(browser.get("/me").await.0);
    }
    assert_eq!(statuses, [401, 401, 401, 429, 429]);
    world.server.stop().await;

    let world = World::new().await;
    let member = world.admin().await;
    let calls = (0..400).map(|_| member.browser.get("/me"));
    let answers = futures_util::future::join_all(calls).await;
    assert!(
        answers
            .iter()
            .any(|answer| code(answer) == (429, "rateLimited"))
    );
    world.server.stop().await;
}
