//! A class with units, people and a session whose log was written by a script,
//! and calls with any bytes.

use std::collections::BTreeSet;

use lophoc::Server;
use lophoc_classes::{
    DataCheck, Identifier, IdentifierKind, NewStaff, PersonForm, Plan, RosterChange, RosterState,
    SessionForm, StaffRole, Unit, UnitId, UnitKind, UnitRole,
};
use lophoc_ledger::{Event, EventKind, LeaveReason, PersonKey, SessionKey, Stamp};
use lophoc_records::{AccountToAdd, ClassId, RosterAuthor, RosterHow, SessionState, Store};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub const MINUTE: u64 = 60_000;
pub const NAMES: [&str; 6] = [
    "Đặng Thị Ái",
    "Nguyễn Văn An",
    "Phạm Đức Anh",
    "Trần Thị Ánh",
    "Đỗ Văn Ân",
    "Nguyễn Thị Yến",
];

/// A server with a class in it. Learners 0–2 are of school A, 3–5 of school B;
/// the site is that of school A.
pub struct Class {
    pub server: Server,
    pub class: ClassId,
    pub session: SessionKey,
    pub room: String,
    pub learners: Vec<PersonKey>,
    pub site: PersonKey,
    pub organiser: PersonKey,
    pub trainer: PersonKey,
    pub adviser: PersonKey,
    pub technician: PersonKey,
    pub contact_a: PersonKey,
    pub stranger: PersonKey,
    pub admin: PersonKey,
    /// Beginning of the lesson.
    pub began: u64,
    seq: u64,
    _folder: tempfile::TempDir,
}

/// An answer.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("{}: {}", self.status, self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap().to_owned()
    }
}

pub fn now_ms() -> u64 {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    u64::try_from(since.as_millis()).unwrap()
}

fn unit(id: &str, name: &str, kind: UnitKind, parent: Option<&str>) -> Unit {
    Unit {
        id: UnitId::from(id),
        kind,
        name: name.to_owned(),
        short: String::new(),
        parent_admin: parent.map(UnitId::from),
        parent_professional: None,
        sector_code: None,
        area_code: None,
        place: "Hà Nội".to_owned(),
        valid_from: None,
        valid_to: None,
        merged_into: None,
        leader: String::new(),
        contact: String::new(),
        name_check: DataCheck::Own,
        code_check: DataCheck::Own,
    }
}

async fn person(store: &Store, name: &str, unit: &str, code: &str) -> PersonKey {
    let form = PersonForm {
        name: name.to_owned(),
        born: Some("1985-03-02".parse().unwrap()),
        position: "Giáo viên".to_owned(),
        unit: Some(UnitId::from(unit)),
        phone: "0900000000".to_owned(),
        identifiers: vec![Identifier {
            kind: IdentifierKind::Sector,
            issuer: String::new(),
            value: code.to_owned(),
        }],
        ..PersonForm::default()
    };
    store.add_person(&form, now_ms()).await.unwrap()
}

/// What the database knows a secret by.
pub fn hash(secret: &str) -> String {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, secret.as_bytes());
    hash.as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Gives somebody an account and signs him in: the secret of his cookie is
/// `secret of <person>`.
async fn account(store: &Store, who: &PersonKey, admin: bool, units: Vec<UnitRole>) {
    store
        .add_accounts(
            &[AccountToAdd {
                person: who.clone(),
                login: format!("login-{}", who.as_str()),
                secret: "none".to_owned(),
                admin,
                units,
            }],
            now_ms(),
        )
        .await
        .unwrap();
    store.set_password(who, "none", false, None).await.unwrap();
    store
        .begin_sign_in(&hash(&secret(who)), who, now_ms())
        .await
        .unwrap();
}

fn secret(who: &PersonKey) -> String {
    format!("secret of {}", who.as_str()).replace(' ', "-")
}

impl Class {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Plan)) -> Self {
        Self::with_config(change, |_| {}).await
    }

    pub async fn with_config(
        change: impl FnOnce(&mut Plan),
        set: impl FnOnce(&mut lophoc::config::Config),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = lophoc::config::Config::default();
        config.server.listen = vec!["127.0.0.1:0".parse().unwrap()];
        config.data.folder = folder.path().to_owned();
        config.media.port = 0;
        config.media.shards = 1;
        config.media.listen = vec!["127.0.0.1".parse().unwrap()];
        config.media.announce = vec!["127.0.0.1".parse().unwrap()];
        config.recording.film = false;
        config.recording.pictures = false;
        set(&mut config);
        let server = Server::start(config).await.unwrap();
        let store = &server.app.store;
        for one in [
            unit("u-so-x", "Sở GDĐT X", UnitKind::Department, None),
            unit("u-a", "THCS Nguyễn Du", UnitKind::School, Some("u-so-x")),
            unit("u-b", "THCS Lê Lợi", UnitKind::School, Some("u-so-x")),
            unit("u-so-y", "Sở GDĐT Y", UnitKind::Department, None),
        ] {
            store.save_unit(&one).await.unwrap();
        }
        let mut learners = Vec::new();
        for (at, name) in NAMES.iter().enumerate() {
            let unit = if at < 3 { "u-a" } else { "u-b" };
            learners.push(person(store, name, unit, &format!("000123456{at}")).await);
        }
        let site = person(store, "Điểm cầu THCS Nguyễn Du", "u-a", "S1").await;
        let organiser = person(store, "Lê Ban Tổ Chức", "u-so-x", "T1").await;
        let trainer = person(store, "Vũ Thị Giảng", "u-so-x", "T2").await;
        let adviser = person(store, "Hồ Cố Vấn", "u-so-x", "T3").await;
        let technician = person(store, "Bùi Kỹ Thuật", "u-so-x", "T4").await;
        let contact_a = person(store, "Ngô Đầu Mối", "u-a", "T5").await;
        let stranger = person(store, "Đinh Nơi Khác", "u-so-y", "T6").await;
        let admin = person(store, "Quản Trị", "u-so-y", "T7").await;
        let so = UnitId::from("u-so-x");
        account(
            store,
            &organiser,
            false,
            vec![UnitRole::Organiser { unit: so.clone() }],
        )
        .await;
        for who in [&trainer, &adviser, &technician, &learners[0], &learners[3]] {
            account(store, who, false, Vec::new()).await;
        }
        let unit = UnitId::from("u-a");
        account(store, &contact_a, false, vec![UnitRole::Contact { unit }]).await;
        let unit = UnitId::from("u-so-y");
        let roles = vec![
            UnitRole::Organiser { unit: unit.clone() },
            UnitRole::Contact { unit },
        ];
        account(store, &stranger, false, roles).await;
        account(store, &admin, true, Vec::new()).await;

        let mut plan = Plan {
            title: "Bồi dưỡng \"CNTT\" 2026".to_owned(),
            code: "BD-01".to_owned(),
            host: Some(so),
            plan_no: "05/KH-SGDĐT".to_owned(),
            plan_day: Some("2026-08-01".parse().unwrap()),
            ..Plan::default()
        };
        change(&mut plan);
        let class = store
            .create_planned(plan, &organiser, now_ms())
            .await
            .unwrap()
            .id;
        let changes: Vec<RosterChange> = learners
            .iter()
            .chain([&site])
            .map(|who| RosterChange {
                person: who.clone(),
                state: RosterState::Official,
                site: *who == site,
                note: String::new(),
            })
            .collect();
        let author = RosterAuthor {
            by: &organiser,
            how: RosterHow::Manual,
            now_ms: now_ms() - 300 * MINUTE,
        };
        store.change_roster(&class, &changes, author).await.unwrap();
        let began = now_ms() - 120 * MINUTE;
        let session = store
            .add_session(
                &class,
                &SessionForm {
                    title: "Chuyển đổi số".to_owned(),
                    starts_ms: Some(began),
                    ends_ms: Some(began + 100 * MINUTE),
                    mode: "training".to_owned(),
                    rehearsal_min: 30,
                    waiting: false,
                    counts: true,
                    place: String::new(),
                    custom: Vec::new(),
                    on_sheets: Vec::new(),
                },
                &organiser,
                now_ms(),
            )
            .await
            .unwrap();
        let staff = |person: &PersonKey, role, learners: &[PersonKey]| NewStaff {
            person: person.clone(),
            role,
            session: None,
            instead_of: None,
            learners: learners.to_vec(),
        };
        for new in [
            staff(&trainer, StaffRole::Trainer, &[]),
            staff(&adviser, StaffRole::Adviser, &learners[1..2]),
            staff(&technician, StaffRole::Technician, &[]),
        ] {
            store
                .add_staff(&class, &new, &organiser, now_ms())
                .await
                .unwrap();
        }
        Self {
            class,
            session: session.id,
            room: session.room,
            learners,
            site,
            organiser,
            trainer,
            adviser,
            technician,
            contact_a,
            stranger,
            admin,
            began,
            seq: 0,
            server,
            _folder: folder,
        }
    }

    pub fn store(&self) -> &Store {
        &self.server.app.store
    }

    pub fn folder(&self) -> &std::path::Path {
        self._folder.path()
    }

    /// Writes an event `after` ms after the beginning of the lesson.
    pub async fn event(&mut self, after: i64, kind: EventKind) {
        self.seq += 1;
        let wall_ms = self.began.checked_add_signed(after).unwrap();
        let event = Event {
            session: self.session.clone(),
            seq: self.seq,
            at: Stamp {
                wall_ms,
                mono_ms: wall_ms,
                // An earlier run of the server.
                boot: 0,
            },
            kind,
        };
        let answer = self.store().ledger().append(vec![event]);
        answer.await.unwrap().unwrap();
    }

    pub async fn join(&mut self, after: i64, who: &PersonKey, role: &str) {
        let known = self.store().person(who).await.unwrap();
        let name = known.map_or_else(|| "Khách".to_owned(), |known| known.form.name);
        let kind = EventKind::Join {
            person: who.clone(),
            name,
            unit: None,
            role: role.to_owned(),
            device: format!("device of {who}"),
        };
        self.event(after, kind).await;
    }

    /// Somebody comes in now, in this run of the server: he is in until he goes.
    pub async fn join_now(&mut self, who: &PersonKey) {
        self.seq += 1;
        let name = self.store().person(who).await.unwrap().unwrap().form.name;
        let event = Event {
            session: self.session.clone(),
            seq: self.seq,
            at: self.server.app.stamp(),
            kind: EventKind::Join {
                person: who.clone(),
                name,
                unit: None,
                role: "learner".to_owned(),
                device: format!("device of {who}"),
            },
        };
        let answer = self.store().ledger().append(vec![event]);
        answer.await.unwrap().unwrap();
    }

    /// The lesson begins, with the trainer and learners 0 and 1 in, and the site.
    pub async fn begin(&mut self) {
        let opened = EventKind::Opened {
            room: self.room.clone(),
            title: "Chuyển đổi số".to_owned(),
            host: "Sở GDĐT X".to_owned(),
        };
        self.event(-10 * MINUTE as i64, opened).await;
        self.store()
            .set_session_state(&self.session, SessionState::Open)
            .await
            .unwrap();
        let (trainer, site) = (self.trainer.clone(), self.site.clone());
        let (first, second) = (self.learners[0].clone(), self.learners[1].clone());
        self.join(-5 * MINUTE as i64, &trainer, "trainer").await;
        self.join(-4 * MINUTE as i64, &site, "learner").await;
        self.join(-3 * MINUTE as i64, &first, "learner").await;
        self.event(0, EventKind::Started { by: Some(trainer) })
            .await;
        self.join(20 * MINUTE as i64, &second, "learner").await;
    }

    /// A quiz with names and a secret vote.
    async fn polls(&mut self) {
        let (trainer, first) = (self.trainer.clone(), self.learners[0].clone());
        let second = self.learners[1].clone();
        let at = 40 * MINUTE as i64;
        let quiz = json!({"kind": "quiz", "title": "Kiểm tra nhanh", "items": [
            {"text": "Mấy tháng?", "choose": "one", "options": ["3", "6"], "correct": [1]}]});
        let vote = json!({"kind": "vote", "title": "Thông qua kế hoạch", "anonymous": true,
            "items": [{"choose": "one"}]});
        for (id, draft) in [("v1", quiz), ("v2", vote)] {
            let kind = EventKind::PollOpened {
                id: id.to_owned(),
                cid: id.to_owned(),
                by: trainer.clone(),
                draft,
                until_ms: None,
            };
            self.event(at, kind).await;
        }
        for (id, person, answer) in [
            ("v1", &first, Some(json!([{"chosen": [1]}]))),
            ("v2", &first, None),
            ("v2", &second, None),
        ] {
            let kind = EventKind::PollAnswered {
                person: person.clone(),
                id: id.to_owned(),
                answer,
                voice: None,
            };
            self.event(at, kind).await;
        }
        let ballots = EventKind::PollBallots {
            id: "v2".to_owned(),
            ballots: vec![json!([{"chosen": [0]}]), json!([{"chosen": [2]}])],
        };
        self.event(at, ballots).await;
        for id in ["v1", "v2"] {
            let kind = EventKind::PollClosed {
                id: id.to_owned(),
                by: Some(trainer.clone()),
                eligible: 4,
                unnamed: 0,
            };
            self.event(at, kind).await;
        }
    }

    /// A chat and polls, then the end after 100 minutes.
    pub async fn end(&mut self) {
        let (trainer, site) = (self.trainer.clone(), self.site.clone());
        let (first, second) = (self.learners[0].clone(), self.learners[1].clone());
        let chat = EventKind::Chat {
            person: first.clone(),
            id: "m1".to_owned(),
            cid: "c1".to_owned(),
            text: "=1+1 bí mật".to_owned(),
            to: None,
        };
        self.event(30 * MINUTE as i64, chat).await;
        let private = EventKind::Chat {
            person: first.clone(),
            id: "m2".to_owned(),
            cid: "c2".to_owned(),
            text: "chuyện riêng".to_owned(),
            to: Some(format!("person:{second}")),
        };
        self.event(31 * MINUTE as i64, private).await;
        let deleted = EventKind::ChatDeleted {
            id: "m1".to_owned(),
            by: trainer.clone(),
        };
        self.event(32 * MINUTE as i64, deleted).await;
        for (text, lang) in [("Chào <các> em", "vi"), ("Hello, class", "en")] {
            let caption = EventKind::Caption {
                person: trainer.clone(),
                cid: lang.to_owned(),
                lang: lang.to_owned(),
                text: text.to_owned(),
                took_ms: 3_000,
            };
            self.event(33 * MINUTE as i64, caption).await;
        }
        let notes = EventKind::NotesEdited {
            person: trainer.clone(),
            cid: "n1".to_owned(),
            op: json!(["# Ghi chú buổi 1\n- việc cần làm"]),
        };
        self.event(34 * MINUTE as i64, notes).await;
        self.group_notes().await;
        self.polls().await;
        let end = 100 * MINUTE as i64;
        let by = Some(trainer.clone());
        self.event(end, EventKind::Ended { by }).await;
        for who in [&first, &second, &site, &trainer] {
            let kind = EventKind::Leave {
                person: who.clone(),
                reason: LeaveReason::Ended,
            };
            self.event(end, kind).await;
        }
        self.store()
            .set_session_state(&self.session, SessionState::Ended)
            .await
            .unwrap();
    }

    /// Two groups; one of them writes.
    async fn group_notes(&mut self) {
        let trainer = self.trainer.clone();
        let made = EventKind::GroupsMade {
            names: vec!["Nhóm 1".to_owned(), "Tổ Toán".to_owned()],
            way: "manual".to_owned(),
            by: trainer.clone(),
        };
        self.event(35 * MINUTE as i64, made).await;
        for on in [true, false] {
            let open = EventKind::GroupsOpen {
                on,
                until_ms: None,
                by: Some(trainer.clone()),
            };
            self.event(36 * MINUTE as i64, open).await;
            if on {
                let notes = EventKind::GroupNotesEdited {
                    person: self.learners[0].clone(),
                    round: 1,
                    group: 2,
                    cid: "n2".to_owned(),
                    op: json!(["- việc của tổ"]),
                };
                self.event(36 * MINUTE as i64, notes).await;
            }
        }
    }

    /// A class whose session is over.
    pub async fn held() -> Self {
        let mut class = Self::new().await;
        class.begin().await;
        class.end().await;
        class
    }

    pub fn at(&self, rest: &str) -> String {
        format!("/api/v1/sessions/{}/{rest}", self.session)
    }

    pub fn of_class(&self, rest: &str) -> String {
        format!("/api/v1/classes/{}/{rest}", self.class)
    }

    /// A call with a cookie, the mark of our pages, and a body.
    pub async fn call(
        &self,
        who: Option<&PersonKey>,
        method: &str,
        path: &str,
        head: &str,
        body: &[u8],
    ) -> Answer {
        let cookie = who
            .map(|who| format!("cookie: lophoc={}\r\nx-lophoc: 1\r\n", secret(who)))
            .unwrap_or_default();
        self.raw(method, path, &format!("{cookie}{head}"), body)
            .await
    }

    /// A call as it is.
    pub async fn raw(&self, method: &str, path: &str, head: &str, body: &[u8]) -> Answer {
        let host = self.server.addresses()[0].to_string();
        let mut stream = TcpStream::connect(&host).await.unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{head}content-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        // A refused body may not be read to its end.
        let _ = stream.write_all(body).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let end = answer
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .expect("an answer");
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut body = answer[end + 4..].to_vec();
        if head.to_lowercase().contains("transfer-encoding: chunked") {
            body = unchunk(&body);
        }
        Answer { status, head, body }
    }

    pub async fn get(&self, who: &PersonKey, path: &str) -> Answer {
        self.call(Some(who), "GET", path, "", b"").await
    }

    pub async fn post(&self, who: &PersonKey, path: &str, body: &Value) -> Answer {
        let head = "content-type: application/json\r\n";
        let body = body.to_string();
        self.call(Some(who), "POST", path, head, body.as_bytes())
            .await
    }

    /// As a phone: no cookie.
    pub async fn phone(&self, path: &str, body: &Value) -> Answer {
        let head = "content-type: application/json\r\n";
        self.raw("POST", path, head, body.to_string().as_bytes())
            .await
    }
}

fn unchunk(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = body.windows(2).position(|window| window == b"\r\n") {
        let size = std::str::from_utf8(&body[..end]).unwrap();
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        if size == 0 {
            break;
        }
        whole.extend_from_slice(&body[end + 2..end + 2 + size]);
        body = &body[end + 4 + size..];
    }
    whole
}

/// The people of the rows of a page.
pub fn people(page: &Value) -> BTreeSet<String> {
    page["report"]["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["person"].as_str().unwrap().to_owned())
        .collect()
}

/// The row of somebody.
pub fn row<'a>(page: &'a Value, who: &PersonKey) -> &'a Value {
    page["report"]["rows"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["person"] == who.as_str())
        .unwrap_or_else(|| panic!("no row of {who}"))
}
