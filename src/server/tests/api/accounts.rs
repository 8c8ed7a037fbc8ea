//! Making, resetting, locking accounts; roles; who may.

use lophoc_classes::{UnitId, UnitRole};
use serde_json::json;

use crate::client::{World, code};

const VP: &str = "u-moet-vp";
const MN: &str = "u-moet-mn";

fn contact(unit: &str) -> UnitRole {
    UnitRole::Contact {
        unit: UnitId::from(unit),
    }
}

#[tokio::test]
async fn an_administrator_makes_accounts_and_gets_the_list_to_print() {
    let world = World::new().await;
    let admin = world.admin().await.browser;
    let hoa = world.person("Nguyễn Thị Hoa", Some(VP)).await;
    let other = world.person("Ngô Thu Hoa", None).await;
    let body = json!([{"person": hoa}, {"person": other}]);
    let (status, printed) = admin.post("/accounts", &body).await;
    assert_eq!(status, 201, "{printed}");
    assert_eq!(printed[0]["login"], "hoa.nt");
    assert_eq!(printed[1]["login"], "hoa.nt2", "no login is given twice");
    assert_eq!(printed[0]["unit"], "Văn phòng Bộ");
    let password = printed[0]["password"].as_str().unwrap();
    let browser = world.sign_in("hoa.nt", password).await;
    assert_eq!(browser.get("/me").await.1["mustChange"], true);

    let (_, page) = admin.get("/accounts?q=nguyen%20thi").await;
    assert_eq!(page["total"], 1);
    assert_eq!(page["items"][0]["name"], "Nguyễn Thị Hoa");
    assert!(!page.to_string().contains(password));

    let again = admin.post("/accounts", &json!([{"person": hoa}])).await;
    assert_eq!(
        (again.0, &again.1["error"]["fields"]["person"]),
        (409, &json!("taken"))
    );
    let third = world.person("Ai", None).await;
    let taken = json!([{"person": third, "login": "hoa.nt"}]);
    let taken = admin.post("/accounts", &taken).await;
    assert_eq!(
        (taken.0, &taken.1["error"]["fields"]["login"]),
        (409, &json!("taken"))
    );
    for bad in [
        json!([]),
        json!([{"person": "p-none"}]),
        json!([{"person": third, "login": "có dấu"}]),
    ] {
        assert_eq!(admin.post("/accounts", &bad).await.0, 400, "{bad}");
    }
    world.server.stop().await;
}

#[tokio::test]
async fn a_reset_signs_out_and_a_locked_account_stays_out() {
    let world = World::new().await;
    let admin = world.admin().await;
    let member = world.member("an.lv", None, &[]).await;
    let path = format!("/accounts/{}", member.person);
    let (status, printed) = admin
        .browser
        .post(&format!("{path}/reset"), &json!({}))
        .await;
    assert_eq!((status, &printed["login"]), (200, &json!("an.lv")));
    assert_eq!(member.browser.get("/me").await.0, 401);
    let member = world
        .settle("an.lv", printed["password"].as_str().unwrap())
        .await;

    let state = format!("{path}/state");
    let (status, account) = admin
        .browser
        .post(&state, &json!({"state": "locked"}))
        .await;
    assert_eq!((status, &account["state"]), (200, &json!("locked")));
    assert_eq!(member.browser.get("/me").await.0, 401);
    let body = json!({"login": "an.lv", "password": crate::client::PASSWORD});
    let refused = world.browser().post("/sign-in", &body).await;
    assert_eq!(code(&refused), (423, "accountLocked"));
    let (_, account) = admin
        .browser
        .post(&state, &json!({"state": "active"}))
        .await;
    assert_eq!(account["state"], "active");
    assert_eq!(world.browser().post("/sign-in", &body).await.0, 200);

    let own = format!("/accounts/{}", admin.person);
    let itself = admin
        .browser
        .post(&format!("{own}/state"), &json!({"state": "locked"}))
        .await;
    assert_eq!(code(&itself), (409, "refused"));
    let roles = json!({"admin": false, "units": []});
    let last = admin.browser.post(&format!("{own}/roles"), &roles).await;
    assert_eq!(code(&last), (409, "refused"));
    assert_eq!(
        admin
            .browser
            .post("/accounts/p-none/reset", &json!({}))
            .await
            .0,
        404
    );
    world.server.stop().await;
}

#[tokio::test]
async fn a_contact_cares_for_his_own_unit_and_gains_no_power_by_it() {
    let world = World::new().await;
    let admin = world.admin().await;
    let contact = world.member("dau.moi", Some(VP), &[contact(VP)]).await;
    let own = world.person("Trần Văn Bình", Some(VP)).await;
    let foreign = world.person("Đỗ Thị Cúc", Some(MN)).await;
    let make = async |body| contact.browser.post("/accounts", &body).await;
    assert_eq!(make(json!([{"person": own}])).await.0, 201);
    assert_eq!(
        code(&make(json!([{"person": foreign}])).await),
        (403, "forbidden")
    );
    let second = world.person("Trần Văn Dũng", Some(VP)).await;
    let mighty = json!([{"person": second, "admin": true}]);
    assert_eq!(code(&make(mighty).await), (403, "forbidden"));
    let roles = json!([{"person": second, "units": [{"role": "organiser", "unit": MN}]}]);
    assert_eq!(code(&make(roles).await), (403, "forbidden"));

    // An administrator who sits in the unit is out of the contact's reach.
    let mut form = world
        .store()
        .person(&admin.person)
        .await
        .unwrap()
        .unwrap()
        .form;
    form.unit = Some(UnitId::from(VP));
    world
        .store()
        .update_person(&admin.person, &form)
        .await
        .unwrap();
    for what in ["reset", "state"] {
        let path = format!("/accounts/{}/{what}", admin.person);
        let answer = contact
            .browser
            .post(&path, &json!({"state": "locked"}))
            .await;
        assert_eq!(code(&answer), (403, "forbidden"), "{what}");
    }
    let path = format!("/accounts/{own}");
    assert_eq!(
        contact
            .browser
            .post(&format!("{path}/reset"), &json!({}))
            .await
            .0,
        200
    );
    let roles = json!({"admin": true, "units": []});
    assert_eq!(
        contact
            .browser
            .post(&format!("{path}/roles"), &roles)
            .await
            .0,
        403
    );
    let (_, page) = contact.browser.get("/accounts").await;
    assert_eq!(
        page["total"], 3,
        "himself, the administrator and his colleague"
    );

    let learner = world.member("an.lv", Some(VP), &[]).await;
    assert_eq!(
        code(&learner.browser.get("/accounts").await),
        (403, "forbidden")
    );
    // Whoever leads a class is out of his reach too.
    let plan = lophoc_classes::Plan {
        title: "Lớp".to_owned(),
        host: Some(UnitId::from(MN)),
        ..Default::default()
    };
    let by = &admin.person;
    let class = world.store().create_planned(plan, by, 1).await.unwrap();
    let staff = lophoc_classes::NewStaff {
        person: learner.person.clone(),
        role: lophoc_classes::StaffRole::Organiser,
        session: None,
        instead_of: None,
        learners: Vec::new(),
    };
    world
        .store()
        .add_staff(&class.id, &staff, by, 1)
        .await
        .unwrap();
    let path = format!("/accounts/{}/reset", learner.person);
    let answer = contact.browser.post(&path, &json!({})).await;
    assert_eq!(code(&answer), (403, "forbidden"));
    world.server.stop().await;
}

#[tokio::test]
async fn roles_given_hold_at_once() {
    let world = World::new().await;
    let admin = world.admin().await;
    let member = world.member("an.lv", None, &[]).await;
    let (_, me) = member.browser.get("/me").await;
    assert_eq!(
        (&me["organises"], &me["hosts"]),
        (&json!(false), &json!([]))
    );
    let roles = json!({"admin": false, "units": [{"role": "organiser", "unit": VP}]});
    let path = format!("/accounts/{}/roles", member.person);
    assert_eq!(admin.browser.post(&path, &roles).await.0, 200);
    let (_, me) = member.browser.get("/me").await;
    assert_eq!(
        (&me["organises"], &me["hosts"]),
        (&json!(true), &json!([VP]))
    );
    let unknown = json!({"admin": false, "units": [{"role": "contact", "unit": "u-none"}]});
    let (status, body) = admin.browser.post(&path, &unknown).await;
    assert_eq!(
        (status, &body["error"]["fields"]["units"]),
        (400, &json!("unknown"))
    );
    world.server.stop().await;
}
