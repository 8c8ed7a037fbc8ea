//! Accounts, the class, its staff and roster.

use serde_json::{Value, json};

use crate::roster::{self, Department, Invited, SCHOOL};
use crate::server::{Caller, Running, now_ms};

const MINUTE: u64 = 60_000;
pub const GRACE_MS: u64 = 1_000;
pub const LATE_MS: u64 = 6_000;
pub const EARLY_MS: u64 = 5_000;
pub const MINISTRY: &str = "Bộ Giáo dục và Đào tạo";
/// Staff: role, name.
pub const STAFF: [(&str, &str); 4] = [
    ("chair", "Hoàng Minh Chủ Tọa"),
    ("secretary", "Đỗ Thu Thư Ký"),
    ("technician", "Bùi Quang Kỹ Thuật"),
    ("observer", "Lý Thanh Tra"),
];

/// What was prepared.
pub struct Meeting {
    pub admin: Caller,
    pub organiser: Caller,
    /// Đầu mối of the Sở of Hà Nội, and of Đà Nẵng.
    pub contacts: [Caller; 2],
    pub class: String,
    pub session: String,
    /// Hà Nội, Lào Cai and Đà Nẵng first.
    pub departments: Vec<Department>,
    pub invited: Invited,
    /// Links into the room, as the list for sending has them.
    pub links: Vec<Value>,
}

impl Meeting {
    pub fn at(&self, rest: &str) -> String {
        format!("/sessions/{}/{rest}", self.session)
    }

    pub fn of_class(&self, rest: &str) -> String {
        format!("/classes/{}/{rest}", self.class)
    }

    /// The link of somebody by name.
    pub fn link(&self, name: &str) -> &Value {
        let mut links = self.links.iter();
        let found = links.find(|link| link["name"] == name);
        found.unwrap_or_else(|| panic!("no link of {name}"))
    }

    /// Key of somebody on the roster or the staff.
    pub fn key(&self, name: &str) -> &str {
        self.link(name)["person"].as_str().unwrap()
    }
}

async fn person(caller: &Caller, name: &str, unit: &str) -> String {
    let form = json!({"name": name, "unit": unit, "position": "Chuyên viên"});
    let made = caller.post_ok("/people", &form, 201).await;
    made["id"].as_str().unwrap().to_owned()
}

/// Somebody with an account, signed in with a password of his own.
async fn account(server: &Running, by: &Caller, person: &str, units: Value) -> Caller {
    let new = json!([{"person": person, "units": units}]);
    let printed = by.post_ok("/accounts", &new, 201).await;
    let text = |field: &str| printed[0][field].as_str().unwrap().to_owned();
    server.settle(&text("login"), &text("password")).await
}

/// An account for somebody on the roster, by the organiser of the Ministry.
pub async fn learner(server: &Running, meeting: &Meeting, name: &str) -> Caller {
    account(server, &meeting.organiser, meeting.key(name), json!([])).await
}

pub async fn prepare(server: &Running) -> Meeting {
    let admin = server.settle(&server.first.0, &server.first.1).await;
    let person_of = person(&admin, "Mai Ban Tổ Chức", "u-moet").await;
    let role = json!([{"role": "organiser", "unit": "u-moet"}]);
    let organiser = account(server, &admin, &person_of, role).await;

    let today = "2026-11-22";
    let listed = admin
        .get_ok(&format!("/units?kind=department&on={today}"))
        .await;
    assert_eq!(listed["total"], 34, "as many Sở as provinces");
    let mut departments: Vec<Department> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(Department::new)
        .collect();
    let first = ["u-sgd-01", "u-sgd-15", "u-sgd-48"];
    departments.sort_by_key(|one| first.iter().position(|id| *id == one.id).unwrap_or(9));
    let school = json!({
        "id": "", "kind": "school", "name": SCHOOL, "parentProfessional": "u-sgd-01",
        "place": "Hà Nội", "nameCheck": "own", "codeCheck": "own",
    });
    admin.post_ok("/units", &school, 201).await;
    let mut contacts = Vec::new();
    for (name, unit) in [("Ngô Đầu Mối", "u-sgd-01"), ("Hồ Đầu Mối", "u-sgd-48")] {
        let who = person(&admin, name, unit).await;
        let role = json!([{"role": "contact", "unit": unit}]);
        contacts.push(account(server, &admin, &who, role).await);
    }

    let now = now_ms();
    let plan = json!({
        "title": "Họp giao ban trực tuyến toàn quốc", "code": "GB-11-2026", "kind": "meeting",
        "host": "u-moet", "planNo": "1111/KH-BGDĐT", "planDay": "2026-11-02", "form": "hybrid",
        "guests": "wait",
        "rules": {"graceMs": GRACE_MS, "lateMs": LATE_MS, "earlyMs": EARLY_MS},
    });
    let class = organiser.post_ok("/classes", &plan, 201).await;
    assert_eq!(
        (&class["state"], &class["hostName"]),
        (&json!("draft"), &json!(MINISTRY))
    );
    let class = class["id"].as_str().unwrap().to_owned();
    let form = json!({
        "title": "Sơ kết tháng 11", "startsMs": now + 20 * MINUTE, "endsMs": now + 80 * MINUTE,
        "mode": "conference", "rehearsalMin": 60, "waiting": true,
        "place": "Hội trường Bộ",
    });
    let path = format!("/classes/{class}/sessions");
    let session = organiser.post_ok(&path, &form, 201).await;
    assert_eq!(
        (&session["no"], &session["phase"]),
        (&json!(1), &json!("scheduled"))
    );
    let session = session["id"].as_str().unwrap().to_owned();
    for (role, name) in STAFF {
        let who = person(&organiser, name, "u-moet").await;
        let new = json!({"person": who, "role": role});
        let path = format!("/classes/{class}/staff");
        organiser.post_ok(&path, &new, 201).await;
    }
    let invited = Invited::new(
        &departments[0].name,
        &departments[1].name,
        &departments[2].name,
    );
    import(&organiser, &class, &departments, &invited).await;
    for step in ["submit", "approve", "prepare", "open", "announce"] {
        let path = format!("/classes/{class}/steps");
        organiser.post_ok(&path, &json!({"step": step}), 200).await;
    }
    let path = format!("/classes/{class}/links?session={session}");
    let links = organiser.get_ok(&path).await;
    let links = links.as_array().unwrap().clone();
    // Everybody has one, and there is one for guests.
    assert_eq!(links.len(), 4 + 34 + 33 + 1);
    Meeting {
        admin,
        organiser,
        contacts: contacts.try_into().ok().unwrap(),
        class,
        session,
        departments,
        invited,
        links,
    }
}

/// The sites; the people with a mistake, which changes nothing; the people.
async fn import(organiser: &Caller, class: &str, departments: &[Department], invited: &Invited) {
    let sites = roster::workbook(roster::sites(departments).iter());
    let job = roster::send(organiser, class, "diem-cau.xlsx", &sites).await;
    assert_eq!(job["preview"]["counts"]["new"], 34, "{job}");
    let applied = roster::apply(organiser, &job, true).await;
    assert_eq!(applied.status, 200, "{}", applied.text());

    let mut wrong: Vec<roster::Line> = invited.all().cloned().collect();
    wrong[4].code = "1,23E+11".to_owned();
    let wrong = roster::workbook(wrong.iter());
    let job = roster::send(organiser, class, "dai-bieu.xlsx", &wrong).await;
    let counts = &job["preview"]["counts"];
    assert_eq!(
        (&counts["new"], &counts["bad"]),
        (&json!(32), &json!(1)),
        "{counts}"
    );
    let row = &job["preview"]["rows"][4];
    assert_eq!((&row["action"], &row["line"]), (&json!("bad"), &json!(8)));
    assert_eq!(row["errors"][0][0], "Mã định danh");
    let told = row["errors"][0][1].as_str().unwrap();
    assert!(told.contains("Excel làm tròn"), "{told}");
    let refused = roster::apply(organiser, &job, false).await;
    assert_eq!(
        (refused.status, refused.code()),
        (400, "badRequest".to_owned())
    );
    assert_eq!(refused.json()["error"]["fields"]["skipBad"], "required");
    let page = organiser.get_ok(&format!("/classes/{class}")).await;
    assert_eq!((&page["people"], &page["sites"]), (&json!(34), &json!(34)));
    let first = &invited.ha_noi[0];
    let found = organiser.get_ok(&format!("/people?q={}", first.code)).await;
    assert_eq!(found["total"], 0, "nothing half-written");

    let right = roster::workbook(invited.all());
    let job = roster::send(organiser, class, "dai-bieu.xlsx", &right).await;
    let counts = &job["preview"]["counts"];
    assert_eq!(
        (&counts["new"], &counts["bad"]),
        (&json!(33), &json!(0)),
        "{counts}"
    );
    let applied = roster::apply(organiser, &job, false).await;
    assert_eq!(applied.status, 200, "{}", applied.text());
    let page = organiser.get_ok(&format!("/classes/{class}")).await;
    assert_eq!((&page["people"], &page["sites"]), (&json!(67), &json!(34)));
    let found = organiser
        .get_ok(&format!("/classes/{class}/roster?q={}", first.code))
        .await;
    let known = &found["items"][0]["person"];
    assert_eq!(known["name"], first.name.as_str());
    assert_eq!(
        known["identifiers"][0]["value"],
        first.code.as_str(),
        "leading zeros"
    );
    assert_eq!(known["unit"], departments[0].id.as_str());
}
