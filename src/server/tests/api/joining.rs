//! Coming into a room: the records say who somebody is there.

use lophoc::{LinkClaims, LinkMaker, NamedPerson, TokenClaims};
use lophoc_classes::{
    ClassId, GuestPolicy, NewStaff, RosterChange, RosterState, SessionForm, StaffRole, UnitId,
    UnitRole,
};
use lophoc_ledger::{PersonKey, SessionKey};
use lophoc_protocol::{PersonId, Role, RoomId, RoomMode};
use lophoc_records::{RosterAuthor, RosterHow, Session};
use serde_json::{Value, json};

use crate::client::{Browser, World};

struct Class {
    world: World,
    session: Session,
    links: LinkMaker,
}

impl Class {
    async fn new() -> Self {
        let world = World::new().await;
        let session = lophoc::create(world.store(), "Lớp thử", "Sở GDĐT", RoomMode::Discussion, 2)
            .await
            .unwrap();
        let links = LinkMaker::new(world.store(), world.server.public_url())
            .await
            .unwrap();
        Self {
            world,
            session,
            links,
        }
    }

    fn id(&self) -> ClassId {
        self.session.class.clone()
    }

    async fn enrol(&self, person: &PersonKey, state: RosterState, site: bool) {
        let change = RosterChange {
            person: person.clone(),
            state,
            site,
            note: String::new(),
        };
        let author = RosterAuthor {
            by: person,
            how: RosterHow::Manual,
            now_ms: 5,
        };
        self.world
            .store()
            .change_roster(&self.id(), &[change], author)
            .await
            .unwrap();
    }

    async fn employ(&self, person: &PersonKey, role: StaffRole) {
        let entry = NewStaff {
            person: person.clone(),
            role,
            session: None,
            instead_of: None,
            learners: Vec::new(),
        };
        self.world
            .store()
            .add_staff(&self.id(), &entry, person, 5)
            .await
            .unwrap();
    }

    async fn guests(&self, policy: GuestPolicy) {
        let store = self.world.store();
        let class = store.class(&self.id()).await.unwrap().unwrap();
        let mut plan = class.plan;
        plan.guests = policy;
        if plan.host.is_none() {
            plan.host = Some(UnitId::from("u-moet-vp"));
        }
        let by = PersonKey::from("p-none");
        store
            .change_plan(&self.id(), plan, class.rev, &by, 6)
            .await
            .unwrap();
    }

    /// A personal link that claims this role and name.
    fn personal(&self, person: &PersonKey, role: Role, name: &str) -> String {
        LinkClaims {
            room: RoomId::from(self.session.room.as_str()),
            role,
            exp: u64::MAX,
            lid: "i1".into(),
            site: None,
            named: Some(NamedPerson {
                person: PersonId(person.0.clone()),
                name: name.to_owned(),
                unit: None,
            }),
        }
        .seal(&self.links.keys)
        .unwrap()
    }

    fn open(&self, role: Role) -> String {
        self.links.link(&self.session.room, role, None, 1).unwrap()
    }

    async fn join(&self, browser: &Browser, mut body: Value) -> (u16, Value) {
        body["device"] = json!("device-12345678");
        let answer = browser
            .call("POST", "/api/join", &browser.headers(), body.to_string())
            .await;
        (answer.status, answer.json())
    }

    fn claims(&self, answer: &Value) -> TokenClaims {
        TokenClaims::open(&self.links.keys, answer["token"].as_str().unwrap(), 0).unwrap()
    }
}

#[tokio::test]
async fn house_rules_are_accepted_once_before_anybody_comes_in() {
    let class = Class::new().await;
    let store = class.world.store();
    let by = PersonKey::from("p-none");
    let browser = class.world.browser();
    let link = class.open(Role::Learner);
    let told = async || {
        let answer = browser
            .call(
                "POST",
                "/api/link",
                &browser.headers(),
                json!({ "link": link }).to_string(),
            )
            .await;
        assert_eq!(answer.status, 200);
        answer.json()["rules"].clone()
    };
    let join = |rules: Value| {
        class.join(
            &browser,
            json!({"link": link, "name": "An", "rules": rules}),
        )
    };
    assert_eq!(told().await, Value::Null);
    assert_eq!(join(Value::Null).await.0, 200, "a class without rules");

    let first = "1. Bật camera.\n2. Đúng giờ.";
    store
        .set_house_rules(&class.id(), first, &by, 7)
        .await
        .unwrap();
    assert_eq!(told().await, json!({"version": 1, "text": first}));
    for wrong in [Value::Null, json!(2), json!(0)] {
        let (status, refused) = join(wrong).await;
        assert_eq!((status, &refused["code"]), (409, &json!("conflict")));
    }
    // With an open link anybody is as many people as he likes: noted is who comes
    // in with the token.
    let (status, answer) = join(json!(1)).await;
    assert_eq!((status, class.claims(&answer).rules), (200, Some(1)));
    assert_eq!(join(Value::Null).await.0, 409);
    let person = PersonKey::from(answer["person"].as_str().unwrap());
    store
        .accept_rules(&class.id(), 1, &person, 7)
        .await
        .unwrap();
    let (status, answer) = join(Value::Null).await;
    assert_eq!((status, class.claims(&answer).rules), (200, None));

    // Other words are accepted anew; the same words are not another version.
    store
        .set_house_rules(&class.id(), first, &by, 8)
        .await
        .unwrap();
    assert_eq!(join(Value::Null).await.0, 200);
    store
        .set_house_rules(&class.id(), "3. Lịch sự.", &by, 9)
        .await
        .unwrap();
    assert_eq!(join(json!(1)).await.0, 409);
    assert_eq!(join(json!(2)).await.0, 200);

    // Who is known and accepted is not asked again.
    let hoa = class
        .world
        .person("Nguyễn Thị Hoa", Some("u-moet-vp"))
        .await;
    class.enrol(&hoa, RosterState::Official, false).await;
    let own = class.personal(&hoa, Role::Learner, "Hoa");
    let (status, _) = class.join(&browser, json!({"link": own, "rules": 2})).await;
    assert_eq!(status, 200);
    let answer = browser
        .call(
            "POST",
            "/api/link",
            &browser.headers(),
            json!({ "link": own }).to_string(),
        )
        .await;
    assert!(answer.json().get("rules").is_none());

    store
        .set_house_rules(&class.id(), "", &by, 10)
        .await
        .unwrap();
    assert_eq!(told().await, Value::Null);
}

#[tokio::test]
async fn a_personal_link_gives_what_the_records_say_now() {
    let class = Class::new().await;
    let browser = class.world.browser();
    let hoa = class
        .world
        .person("Nguyễn Thị Hoa", Some("u-moet-vp"))
        .await;
    class.enrol(&hoa, RosterState::Official, false).await;
    let link = class.personal(&hoa, Role::Organiser, "Tên khác");
    let (status, told) = class
        .join(&browser, json!({"link": link, "name": "Tên tự đặt"}))
        .await;
    assert_eq!(status, 200, "{told}");
    assert_eq!(
        (&told["role"], &told["name"]),
        (&json!("learner"), &json!("Nguyễn Thị Hoa"))
    );
    let claims = class.claims(&told);
    assert_eq!(claims.person.0, hoa.0);
    assert_eq!(claims.unit.as_deref(), Some("Văn phòng Bộ"));
    assert_eq!((claims.site, claims.waits), (None, false));

    class.employ(&hoa, StaffRole::Trainer).await;
    let (_, told) = class.join(&browser, json!({"link": link})).await;
    assert_eq!(told["role"], "trainer");

    let binh = class.world.person("Trần Văn Bình", None).await;
    class.enrol(&binh, RosterState::Official, false).await;
    let link = class.personal(&binh, Role::Learner, "Trần Văn Bình");
    assert_eq!(class.join(&browser, json!({"link": link})).await.0, 200);
    class.enrol(&binh, RosterState::Withdrawn, false).await;
    let (status, told) = class.join(&browser, json!({"link": link})).await;
    assert_eq!((status, &told["code"]), (403, &json!("forbidden")));
    let stranger = class.world.person("Đỗ Thị Cúc", None).await;
    let link = class.personal(&stranger, Role::Trainer, "Đỗ Thị Cúc");
    assert_eq!(class.join(&browser, json!({"link": link})).await.0, 403);
    class.world.server.stop().await;
}

#[tokio::test]
async fn a_site_comes_in_as_its_hall() {
    let class = Class::new().await;
    let site = class.world.person("Điểm cầu THPT A", None).await;
    class.enrol(&site, RosterState::Official, true).await;
    let link = class.personal(&site, Role::Learner, "x");
    let browser = class.world.browser();
    let (_, told) = class.join(&browser, json!({"link": link})).await;
    assert_eq!(class.claims(&told).site.as_deref(), Some("Điểm cầu THPT A"));
    class.world.server.stop().await;
}

#[tokio::test]
async fn an_account_comes_in_without_a_link() {
    let class = Class::new().await;
    let trainer = class.world.member("day.gv", None, &[]).await;
    class.employ(&trainer.person, StaffRole::Trainer).await;
    let body = json!({"session": class.session.id});
    let (status, told) = class.join(&trainer.browser, body.clone()).await;
    assert_eq!((status, &told["role"]), (200, &json!("trainer")), "{told}");
    assert_eq!(class.claims(&told).person.0, trainer.person.0);
    let answer = trainer
        .browser
        .call(
            "POST",
            "/api/link",
            &trainer.browser.headers(),
            body.to_string(),
        )
        .await;
    assert_eq!(answer.json()["title"], "Lớp thử");

    let nobody = class.world.member("an.lv", None, &[]).await;
    assert_eq!(class.join(&nobody.browser, body.clone()).await.0, 403);
    assert_eq!(
        class.join(&class.world.browser(), body.clone()).await.0,
        403
    );
    let mut headers = trainer.browser.headers();
    headers.retain(|(name, _)| *name != "x-lophoc");
    let mut full = body.clone();
    full["device"] = json!("device-12345678");
    let answer = trainer
        .browser
        .call("POST", "/api/join", &headers, full.to_string())
        .await;
    assert_eq!(answer.status, 403, "another site cannot bring anybody in");

    // Organisers and inspectors of the host need no entry.
    class.guests(GuestPolicy::Wait).await;
    let unit = UnitId::from("u-moet");
    for (login, role, told_role) in [
        (
            "to.chuc",
            UnitRole::Organiser { unit: unit.clone() },
            "organiser",
        ),
        (
            "thanh.tra",
            UnitRole::Inspector { unit: unit.clone() },
            "inspector",
        ),
    ] {
        let member = class.world.member(login, None, &[role]).await;
        let (status, told) = class.join(&member.browser, body.clone()).await;
        assert_eq!((status, &told["role"]), (200, &json!(told_role)), "{told}");
    }
    let none = json!({"session": "b-none"});
    assert_eq!(class.join(&trainer.browser, none).await.0, 404);
    let both = json!({"session": class.session.id, "link": class.open(Role::Learner)});
    assert_eq!(class.join(&trainer.browser, both).await.0, 400);
    class.world.server.stop().await;
}

#[tokio::test]
async fn guests_come_as_the_class_allows_and_say_where_from() {
    let class = Class::new().await;
    let browser = class.world.browser();
    let link = class.open(Role::Guest);
    let guest = json!({"link": link, "name": "Khách", "unit": "Báo Giáo dục"});
    class.guests(GuestPolicy::Nobody).await;
    assert_eq!(class.join(&browser, guest.clone()).await.0, 403);
    for (policy, waits) in [(GuestPolicy::Wait, true), (GuestPolicy::Free, false)] {
        class.guests(policy).await;
        let nowhere = json!({"link": link, "name": "Khách"});
        assert_eq!(class.join(&browser, nowhere).await.0, 400);
        let (status, told) = class.join(&browser, guest.clone()).await;
        assert_eq!(status, 200, "{told}");
        assert_eq!(class.claims(&told).waits, waits);
    }
    class.world.server.stop().await;
}

#[tokio::test]
async fn the_room_opens_to_learners_when_the_plan_says() {
    let class = Class::new().await;
    let hoa = class.world.person("Nguyễn Thị Hoa", None).await;
    let trainer = class.world.person("Trần Văn Bình", None).await;
    class.enrol(&hoa, RosterState::Official, false).await;
    class.employ(&trainer, StaffRole::Trainer).await;
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let now = u64::try_from(now.as_millis()).unwrap();
    let plan = async |minutes: u64, rehearsal_min: u16| {
        let form = SessionForm {
            title: "Buổi 1".into(),
            starts_ms: Some(now + minutes * 60_000),
            ends_ms: Some(now + minutes * 60_000 + 7_200_000),
            mode: "discussion".into(),
            rehearsal_min,
            waiting: false,
            counts: true,
            place: String::new(),
            custom: Vec::new(),
            on_sheets: Vec::new(),
        };
        class
            .world
            .store()
            .change_session(&SessionKey(class.session.id.0.clone()), &form, &hoa, now)
            .await
            .unwrap();
    };
    let browser = class.world.browser();
    let learner = json!({"link": class.personal(&hoa, Role::Learner, "x")});
    let staff = json!({"link": class.personal(&trainer, Role::Trainer, "x")});
    for (minutes, rehearsal, learner_in, staff_in) in [
        (120, 30, false, false),
        (40, 30, false, true),
        (20, 30, true, true),
        (100, 120, true, true),
    ] {
        plan(minutes, rehearsal).await;
        for (who, let_in) in [(&learner, learner_in), (&staff, staff_in)] {
            let (status, told) = class.join(&browser, who.clone()).await;
            let expected = if let_in { 200 } else { 425 };
            assert_eq!(status, expected, "{minutes} {rehearsal} {told}");
        }
    }
    class.world.server.stop().await;
}
