//! People and units over the interface.

use lophoc_classes::{UnitId, UnitRole};
use serde_json::json;

use crate::client::{World, code};

const VP: &str = "u-moet-vp";
const MN: &str = "u-moet-mn";

#[tokio::test]
async fn a_person_is_found_in_any_spelling_and_the_personal_number_is_masked() {
    let world = World::new().await;
    let admin = world.admin().await.browser;
    let form = json!({
        "name": "  Nguye\u{302}\u{303}n  Thị Đào ", "born": "1990-02-28", "gender": "female", "unit": VP,
        "phone": "0912 345 678", "email": "dao@truong.edu.vn",
        "identifiers": [
            {"kind": "sector", "issuer": "", "value": "0123456789"},
            {"kind": "personal", "value": "001190123434"},
        ],
    });
    let (status, person) = admin.post("/people", &form).await;
    assert_eq!(status, 201, "{person}");
    assert_eq!(person["name"], "Nguyễn Thị Đào");
    assert_eq!(person["unitName"], "Văn phòng Bộ");
    assert_eq!(person["identifiers"][1]["value"], "0011******34");
    let id = person["id"].as_str().unwrap().to_owned();
    for q in ["nguyen%20thi%20dao", "DAO", "0123456789"] {
        let (_, page) = admin.get(&format!("/people?q={q}")).await;
        assert_eq!(
            (&page["total"], &page["items"][0]["id"]),
            (&json!(1), &json!(id)),
            "{q}"
        );
    }
    let (_, page) = admin.get("/people?q=001190123434").await;
    assert_eq!(page["total"], 0, "a personal number finds nobody");
    for (unit, count) in [("u-moet", 1), (VP, 1), (MN, 0)] {
        let (_, page) = admin.get(&format!("/people?q=dao&unit={unit}")).await;
        assert_eq!(page["total"], count, "{unit}");
    }

    // What was shown can be sent back; the masked number stands for itself.
    let mut form = person.clone();
    form["phone"] = json!("0987654321");
    let (status, changed) = admin.put(&format!("/people/{id}"), &form).await;
    assert_eq!(
        (status, &changed["phone"]),
        (200, &json!("0987654321")),
        "{changed}"
    );
    let stored = world
        .store()
        .person(&id.as_str().into())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stored.form.identifiers[1].value, "001190123434");

    form["identifiers"] = json!([]);
    let kept = admin.put(&format!("/people/{id}"), &form).await;
    assert_eq!(
        (kept.0, &kept.1["error"]["fields"]["identifiers"]),
        (409, &json!("taken"))
    );
    let twin = json!({"name": "Ai đó", "identifiers": [{"kind": "sector", "value": "0123456789"}]});
    let twin = admin.post("/people", &twin).await;
    assert_eq!(
        (twin.0, &twin.1["error"]["fields"]["identifiers"]),
        (409, &json!("taken"))
    );
    let bad = json!({"name": "", "born": "1990-02-30"});
    let (status, told) = admin.post("/people", &bad).await;
    assert_eq!(
        (status, &told["error"]["fields"]["born"]),
        (400, &json!("badValue"))
    );
    let bad = json!({"name": "", "unit": "u-none", "email": "x"});
    let (_, told) = admin.post("/people", &bad).await;
    assert_eq!(
        told["error"]["fields"],
        json!({"name": "required", "email": "badValue"})
    );
    let bad = json!({"name": "A B", "unit": "u-none"});
    let (_, told) = admin.post("/people", &bad).await;
    assert_eq!(told["error"]["fields"], json!({"unit": "unknown"}));
    world.server.stop().await;
}

#[tokio::test]
async fn people_are_seen_and_changed_by_those_who_care_for_them() {
    let world = World::new().await;
    let own = world.person("Trần Văn Bình", Some(VP)).await;
    let foreign = world.person("Đỗ Thị Cúc", Some(MN)).await;
    let contact = world
        .member(
            "dau.moi",
            Some(VP),
            &[UnitRole::Contact {
                unit: UnitId::from(VP),
            }],
        )
        .await;
    let inspector = world
        .member(
            "thanh.tra",
            Some(VP),
            &[UnitRole::Inspector {
                unit: UnitId::from(VP),
            }],
        )
        .await;
    let learner = world.member("an.lv", Some(VP), &[]).await;

    let (_, page) = contact.browser.get("/people?q=tran").await;
    assert_eq!(page["total"], 1);
    let (_, page) = contact.browser.get("/people?q=cuc").await;
    assert_eq!(page["total"], 0);
    let path = |id| format!("/people/{id}");
    assert_eq!(contact.browser.get(&path(&own)).await.0, 200);
    assert_eq!(contact.browser.get(&path(&foreign)).await.0, 403);
    let form = json!({"name": "Trần Văn Bình", "unit": VP, "position": "Chuyên viên"});
    assert_eq!(contact.browser.put(&path(&own), &form).await.0, 200);
    assert_eq!(contact.browser.put(&path(&foreign), &form).await.0, 403);
    let away = json!({"name": "Trần Văn Bình", "unit": MN});
    assert_eq!(contact.browser.put(&path(&own), &away).await.0, 403);
    assert_eq!(
        contact
            .browser
            .post("/people", &json!({"name": "Ai", "unit": MN}))
            .await
            .0,
        403
    );
    assert_eq!(
        contact
            .browser
            .post("/people", &json!({"name": "Ai", "unit": VP}))
            .await
            .0,
        201
    );

    assert_eq!(inspector.browser.get(&path(&own)).await.0, 200);
    assert_eq!(inspector.browser.put(&path(&own), &form).await.0, 403);
    assert_eq!(
        code(&learner.browser.get("/people").await),
        (403, "forbidden")
    );
    assert_eq!(learner.browser.get(&path(&own)).await.0, 403);
    assert_eq!(learner.browser.get(&path(&learner.person)).await.0, 200);
    assert_eq!(world.browser().get("/people").await.0, 401);
    world.server.stop().await;
}

#[tokio::test]
async fn units_are_a_tree_with_dates_that_administrators_keep() {
    let world = World::new().await;
    let admin = world.admin().await.browser;
    let (_, page) = admin.get("/units?q=van%20phong%20bo").await;
    assert_eq!(page["items"][0]["id"], VP);
    let (_, below) = admin.get("/units?parent=u-moet&kind=ministryUnit").await;
    assert!(below["total"].as_u64().unwrap() > 5);
    let unit = json!({
        "id": "mine", "kind": "school", "name": "Trường THPT Thử", "parentProfessional": VP,
        "validFrom": "2025-07-01", "nameCheck": "verified", "codeCheck": "verified",
    });
    let (status, made) = admin.post("/units", &unit).await;
    assert_eq!(status, 201, "{made}");
    let id = made["id"].as_str().unwrap().to_owned();
    assert_ne!(id, "mine");
    assert_eq!(made["nameCheck"], "own", "nobody checks his own entry");
    let (_, path) = admin.get(&format!("/units/{id}/path")).await;
    assert_eq!(
        path["names"],
        json!(["Bộ Giáo dục và Đào tạo", "Văn phòng Bộ", "Trường THPT Thử"])
    );
    for (day, count) in [("2025-06-30", 0), ("2025-07-01", 1)] {
        let (_, page) = admin.get(&format!("/units?q=THPT%20Thu&on={day}")).await;
        assert_eq!(page["total"], count, "{day}");
    }

    let mut circle = world
        .store()
        .unit(&UnitId::from(VP))
        .await
        .unwrap()
        .unwrap();
    circle.parent_admin = Some(UnitId(id.clone()));
    let circle = serde_json::to_value(circle).unwrap();
    let (status, told) = admin.put(&format!("/units/{VP}"), &circle).await;
    assert_eq!(
        (status, &told["error"]["fields"]["parentAdmin"]),
        (400, &json!("unknown"))
    );
    let mut ended = made.clone();
    ended["validTo"] = json!("2025-01-01");
    let (_, told) = admin.put(&format!("/units/{id}"), &ended).await;
    assert_eq!(told["error"]["fields"]["validTo"], "badValue");
    ended["validTo"] = json!("2026-01-01");
    ended["mergedInto"] = json!(MN);
    assert_eq!(admin.put(&format!("/units/{id}"), &ended).await.0, 200);
    let below = world
        .store()
        .units_below(&UnitId::from(MN), None)
        .await
        .unwrap();
    assert!(
        below.contains(&UnitId(id.clone())),
        "people of a merged unit are its successor's"
    );
    assert_eq!(admin.get("/units/u-none/path").await.0, 404);

    let learner = world.member("an.lv", None, &[]).await.browser;
    assert_eq!(learner.get("/units?q=van%20phong").await.0, 200);
    assert_eq!(learner.post("/units", &unit).await.0, 403);
    world.server.stop().await;
}
