//! Sites: ticking people in, and people who scan the code with a phone.

use lophoc::{CheckInCode, Keys, LinkClaims, NamedPerson, TokenClaims};
use lophoc_ledger::PersonKey;
use lophoc_protocol::{PersonId, Role, RoomId};
use serde_json::{Value, json};

use crate::attendance_world::{Class, MINUTE, now_ms, row};

/// A class whose session runs, with the site and a learner in now.
async fn running() -> Class {
    let mut class = Class::new().await;
    class.begin().await;
    let (site, learner) = (class.site.clone(), class.learners[0].clone());
    class.join_now(&site).await;
    class.join_now(&learner).await;
    class
}

async fn keys(class: &Class) -> Keys {
    Keys::new(&class.store().secret().await.unwrap())
}

/// The code on the screen of the site.
async fn code(class: &Class) -> String {
    let path = class.at(&format!("sites/{}/code", class.site));
    let asked = now_ms();
    let answer = class.get(&class.organiser, &path).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let shown = answer.json();
    assert!(shown["svg"].as_str().unwrap().contains("<svg"));
    // The time of the next one may come while this one is under way: it is good
    // for longer than it is shown.
    let next = shown["expiresMs"].as_u64().unwrap();
    assert!(asked < next && next <= now_ms() + 20_000, "{asked} {next}");
    let url = shown["url"].as_str().unwrap();
    url.rsplit_once("/check/").unwrap().1.to_owned()
}

fn check(code: &str) -> String {
    format!("/api/v1/check-in/{code}")
}

#[tokio::test]
async fn a_phone_ticks_in_one_person_who_is_then_at_the_site() {
    let class = running().await;
    let path = check(&code(&class).await);
    let offer = class.raw("GET", &path, "", b"").await;
    assert_eq!(offer.status, 200, "{}", offer.text());
    let shown = offer.json();
    assert_eq!(shown["site"], "Điểm cầu THCS Nguyễn Du");
    assert_eq!(shown["title"], "Chuyển đổi số");
    assert_eq!(shown["known"], Value::Null);
    assert!(!offer.text().contains("Đặng"), "nobody is named");

    let device = "phone-number-one";
    let body = json!({"identifier": " 0001234562 ", "device": device});
    let done = class.phone(&path, &body).await;
    assert_eq!(done.status, 200, "{}", done.text());
    assert_eq!(done.json()["name"], "Phạm Đức Anh");
    // The same again: nothing new.
    assert_eq!(
        class.phone(&path, &body).await.json()["at"],
        done.json()["at"]
    );
    let other = json!({"identifier": "0001234561", "device": device});
    let refused = class.phone(&path, &other).await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "conflict"));
    let known = format!("{path}?device={device}");
    let known = class.raw("GET", &known, "", b"").await.json();
    assert_eq!(known["known"], "Phạm Đức Anh");

    let who = &class.learners[2];
    let page = class.at("attendance");
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let shown = class.get(&class.organiser, &page).await.json();
    assert_eq!(row(&shown, who)["stands"]["status"], "atSite");
    let sites = shown["sites"].as_array().unwrap();
    let site = sites
        .iter()
        .find(|site| site["site"] == class.site.as_str())
        .unwrap();
    assert_eq!((&site["people"], &site["expected"]), (&json!(1), &json!(3)));
    let marks = class.store().hall_marks(&class.session).await.unwrap();
    assert_eq!(marks.len(), 1);
    // The lesson began two hours ago: from now on, no earlier.
    assert!(marks[0].at_ms.unwrap() > class.began + 100 * MINUTE);
    let refused = class
        .store()
        .refused_check_ins(&class.session)
        .await
        .unwrap();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].0, class.learners[1]);
}

#[tokio::test]
async fn whoever_cannot_be_told_for_sure_is_not_ticked_in() {
    let class = running().await;
    let path = check(&code(&class).await);
    for (at, (body, status)) in [
        (json!({"identifier": "9999"}), 404),
        (json!({"identifier": "S1"}), 404),
        (json!({"identifier": "T1"}), 404),
        (json!({"identifier": "000123456%"}), 404),
        (json!({"identifier": "' OR 1=1 --"}), 404),
        (json!({"identifier": ""}), 400),
        (json!({"identifier": "9".repeat(300)}), 400),
        (json!({"name": "Nguyễn Văn An"}), 400),
        (json!({"name": "Nguyễn Văn An", "born": "1985-03-03"}), 404),
        (json!({"name": "Nguyễn", "born": "1985-03-02"}), 404),
        (json!({"name": "x", "born": "02/03/1985"}), 400),
        (json!({"link": "nonsense"}), 400),
        (json!({}), 400),
    ]
    .into_iter()
    .enumerate()
    {
        let mut body = body;
        body["device"] = json!(format!("device-{at:04}"));
        let answer = class.phone(&path, &body).await;
        assert_eq!(answer.status, status, "{body} {}", answer.text());
    }
    for device in [json!("short"), json!("x".repeat(200)), json!(7)] {
        let body = json!({"identifier": "0001234562", "device": device});
        assert_eq!(class.phone(&path, &body).await.status, 400);
    }
    assert!(
        class
            .store()
            .hall_marks(&class.session)
            .await
            .unwrap()
            .is_empty()
    );
    // A phone that goes on guessing is stopped.
    let mut last = 0;
    for _ in 0..12 {
        let body = json!({"identifier": "1234", "device": "guessing-phone"});
        last = class.phone(&path, &body).await.status;
    }
    assert_eq!(last, 429);
}

#[tokio::test]
async fn name_and_day_of_birth_a_link_or_the_sign_in_will_do_as_well() {
    let class = running().await;
    let path = check(&code(&class).await);
    let body = json!({"name": "nguyễn  văn an", "born": "1985-03-02", "device": "device-name"});
    let done = class.phone(&path, &body).await;
    assert_eq!(done.json()["name"], "Nguyễn Văn An", "{}", done.text());
    let keys = keys(&class).await;
    let who = &class.learners[4];
    let link = LinkClaims {
        room: RoomId::from(class.room.as_str()),
        role: Role::Learner,
        exp: now_ms() + MINUTE,
        lid: "i1".to_owned(),
        named: Some(NamedPerson {
            person: PersonId(who.0.clone()),
            name: "Anybody".to_owned(),
            unit: None,
        }),
        site: None,
    };
    let link = format!("https://lop.example/j/{}", link.seal(&keys).unwrap());
    let body = json!({"link": link, "device": "device-link"});
    let done = class.phone(&path, &body).await;
    assert_eq!(done.json()["name"], "Đỗ Văn Ân", "{}", done.text());
    let body = json!({"device": "device-own"});
    let done = class.post(&class.learners[3], &path, &body).await;
    assert_eq!(done.json()["name"], "Trần Thị Ánh", "{}", done.text());
}

#[tokio::test]
async fn codes_that_are_old_forged_or_of_a_session_that_is_over_do_nothing() {
    let mut class = running().await;
    let keys = keys(&class).await;
    let body = json!({"identifier": "0001234562", "device": "device-one"});
    let old = CheckInCode::new(&class.session, Some(&class.site), now_ms() - 2 * MINUTE);
    let path = check(&old.seal(&keys));
    assert_eq!(class.raw("GET", &path, "", b"").await.status, 410);
    assert_eq!(class.phone(&path, &body).await.status, 410);
    // Whoever scanned it in time has some minutes to type.
    let ticket = old.ticket(&keys, now_ms() - MINUTE).unwrap();
    let head = format!("content-type: application/json\r\ncookie: lophoc_check={ticket}\r\n");
    // He cannot go on making tickets from the one he has.
    let again = class.raw("GET", &path, &head, b"").await;
    assert_eq!(again.status, 200, "{}", again.text());
    assert!(!again.head.to_lowercase().contains("set-cookie"));
    let typed = class
        .raw("POST", &path, &head, body.to_string().as_bytes())
        .await;
    assert_eq!(typed.status, 200, "{}", typed.text());
    let strange = CheckInCode::new(&class.session, Some(&class.site), now_ms());
    for text in [
        strange.seal(&Keys::new(&[7; 32])),
        "AAAA".to_owned(),
        "x".repeat(3_000),
        "%00%ff".to_owned(),
        CheckInCode::new(&class.session, Some(&class.learners[0]), now_ms()).seal(&keys),
    ] {
        let path = check(&text);
        assert_eq!(class.raw("GET", &path, "", b"").await.status, 404);
        assert_eq!(class.phone(&path, &body).await.status, 404);
    }
    let path = check(&code(&class).await);
    class.end().await;
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let late = class.phone(&path, &body).await;
    assert_eq!((late.status, late.code().as_str()), (409, "refused"));
}

fn tick(people: &[&PersonKey], on: bool) -> Value {
    json!({"people": people, "on": on, "how": "contact"})
}

#[tokio::test]
async fn a_contact_ticks_the_people_of_his_unit_at_his_site() {
    let class = running().await;
    let at_site = |rest: &str| class.at(&format!("sites/{}/{rest}", class.site));
    let list = class.get(&class.contact_a, &at_site("people")).await.json();
    assert_eq!(list["total"], 3);
    assert_eq!(list["items"][0]["name"], "Đặng Thị Ái");
    assert_eq!(list["items"][0]["elsewhere"], true, "has an own connection");
    let found = at_site("people?q=pham%20duc");
    let found = class.get(&class.contact_a, &found).await.json();
    assert_eq!(found["items"][0]["name"], "Phạm Đức Anh");

    let path = at_site("ticks");
    let own = &class.learners[2];
    let done = class
        .post(&class.contact_a, &path, &tick(&[own], true))
        .await;
    assert_eq!(done.status, 200, "{}", done.text());
    assert_eq!(done.json()["people"], 1);
    assert_eq!(done.json()["connected"], true);
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let shown = class
        .get(&class.organiser, &class.at("attendance"))
        .await
        .json();
    assert_eq!(row(&shown, own)["stands"]["status"], "atSite");
    let site = row(&shown, &class.site)["auto"]["presentMs"].as_u64();
    let present = row(&shown, own)["auto"]["presentMs"].as_u64();
    assert!(site.is_some());
    assert_eq!(present, site, "as long as the site");
    let done = class
        .post(&class.contact_a, &path, &tick(&[own], false))
        .await;
    assert_eq!(done.json()["people"], 0);

    for (who, path, body, status) in [
        (
            &class.contact_a,
            path.clone(),
            tick(&[&class.learners[4]], true),
            403,
        ),
        (
            &class.contact_a,
            path.clone(),
            tick(&[own, &class.learners[4]], true),
            403,
        ),
        (
            &class.contact_a,
            class.at("sites/here/ticks"),
            tick(&[own], true),
            403,
        ),
        (&class.stranger, path.clone(), tick(&[own], true), 403),
        (&class.learners[0], path.clone(), tick(&[own], true), 403),
        (
            &class.organiser,
            class.at("sites/p-none/ticks"),
            tick(&[own], true),
            404,
        ),
        (&class.organiser, path.clone(), tick(&[], true), 400),
        (
            &class.organiser,
            path.clone(),
            tick(&[&class.site], true),
            403,
        ),
        (
            &class.organiser,
            path.clone(),
            tick(&[&PersonKey::from("p-none")], true),
            400,
        ),
        (
            &class.organiser,
            path.clone(),
            json!({"people": [own], "on": true, "how": "qr"}),
            400,
        ),
        (
            &class.organiser,
            path.clone(),
            json!({"people": [own], "on": true, "how": "paper", "atMs": now_ms() + MINUTE}),
            400,
        ),
        (
            &class.organiser,
            path.clone(),
            json!({"people": vec![own; 501], "on": true, "how": "paper"}),
            400,
        ),
    ] {
        let answer = class.post(who, &path, &body).await;
        assert_eq!(answer.status, status, "{path} {body} {}", answer.text());
    }
    assert_eq!(
        class
            .store()
            .hall_marks(&class.session)
            .await
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn the_connection_of_a_site_ticks_its_own_people_with_the_token_of_the_room() {
    let class = running().await;
    let keys = keys(&class).await;
    let token_as = |person: &PersonKey, session: &str, role| {
        let claims = TokenClaims {
            room: RoomId::from(class.room.as_str()),
            session: session.into(),
            person: PersonId(person.0.clone()),
            name: "Điểm cầu".to_owned(),
            unit: None,
            role,
            device: "d".to_owned(),
            exp: now_ms() + MINUTE,
            site: None,
            waits: false,
            rules: None,
            recording: None,
        };
        format!(
            "authorization: Bearer {}\r\ncontent-type: application/json\r\n",
            claims.seal(&keys).unwrap()
        )
    };
    let token = |person: &PersonKey, session: &str| token_as(person, session, Role::Learner);
    let head = token(&class.site, class.session.as_str());
    let sites = class.raw("GET", &class.at("sites"), &head, b"").await;
    let sites = sites.json();
    assert_eq!(sites.as_array().unwrap().len(), 1);
    assert_eq!(sites[0]["site"], class.site.as_str());
    let path = class.at(&format!("sites/{}/ticks", class.site));
    let own = tick(&[&class.learners[2]], true).to_string();
    let answer = class.raw("POST", &path, &head, own.as_bytes()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let other = tick(&[&class.learners[4]], true).to_string();
    assert_eq!(
        class
            .raw("POST", &path, &head, other.as_bytes())
            .await
            .status,
        403
    );
    let code = class.at(&format!("sites/{}/code", class.site));
    assert_eq!(class.raw("GET", &code, &head, b"").await.status, 200);
    let here = class.at("sites/here/ticks");
    assert_eq!(
        class.raw("POST", &here, &head, own.as_bytes()).await.status,
        403
    );
    let page = class.at("attendance");
    let answer = class.raw("GET", &page, &head, b"").await;
    // On the roster: his own row, like anybody.
    assert_eq!(answer.json()["report"]["rows"].as_array().unwrap().len(), 1);
    let strange = token(&class.site, "b-another");
    assert_eq!(
        class
            .raw("POST", &path, &strange, own.as_bytes())
            .await
            .status,
        403
    );
    let learner = token(&class.learners[0], class.session.as_str());
    assert_eq!(
        class
            .raw("POST", &path, &learner, own.as_bytes())
            .await
            .status,
        403
    );
    // A role the records do not know (any more) is none, nor does a link carry
    // the powers of the account.
    for (person, role) in [
        (&class.stranger, Role::Adviser),
        (&class.stranger, Role::Organiser),
        (&class.organiser, Role::Learner),
    ] {
        let head = token_as(person, class.session.as_str(), role);
        assert_eq!(class.raw("GET", &page, &head, b"").await.status, 403);
    }
}
