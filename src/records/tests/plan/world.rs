//! A store of a test's own with some units and people.

use lophoc_classes::{
    Class, ClassId, ClassStep, DataCheck, PersonForm, Plan, RosterChange, RosterState, Session,
    SessionForm, StepRequest, Unit, UnitId, UnitKind,
};
use lophoc_ledger::{Event, EventKind, PersonKey, SessionKey, Stamp};
use lophoc_records::{
    Author, NewVersion, RosterAuthor, RosterHow, SessionState, Store, StoreError,
};

/// 2026-09-06 08:00 in Vietnam.
pub const NOW: u64 = 1_788_656_400_000;
pub const HOUR: u64 = 3_600_000;
pub const DAY: u64 = 24 * HOUR;

pub struct World {
    pub store: Store,
    /// Who does things.
    pub by: PersonKey,
    folder: tempfile::TempDir,
}

pub fn unit(id: &str, admin: Option<&str>, professional: Option<&str>) -> Unit {
    Unit {
        id: UnitId::from(id),
        kind: UnitKind::School,
        name: format!("Đơn vị {id}"),
        short: String::new(),
        parent_admin: admin.map(UnitId::from),
        parent_professional: professional.map(UnitId::from),
        sector_code: None,
        area_code: None,
        place: String::new(),
        valid_from: None,
        valid_to: None,
        merged_into: None,
        leader: String::new(),
        contact: String::new(),
        name_check: DataCheck::Own,
        code_check: DataCheck::Own,
    }
}

impl World {
    /// Bộ above two Sở; a commune beside; a school below the commune and,
    /// professionally, the first Sở.
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("lophoc.db")).await.unwrap();
        for one in [
            unit("bo", None, None),
            unit("so1", Some("bo"), None),
            unit("so2", Some("bo"), None),
            unit("xa", None, None),
            unit("truong", Some("xa"), Some("so1")),
        ] {
            store.save_unit(&one).await.unwrap();
        }
        let mut world = Self {
            store,
            by: PersonKey::from(""),
            folder,
        };
        world.by = world.person("Trần Tổ Chức", Some("so1")).await;
        world
    }

    /// The same database opened anew, as after a crash.
    pub async fn reopened(self) -> Self {
        self.store.close().await;
        let store = Store::open(&self.folder.path().join("lophoc.db"))
            .await
            .unwrap();
        Self { store, ..self }
    }

    pub async fn person(&self, name: &str, unit: Option<&str>) -> PersonKey {
        let form = PersonForm {
            name: name.to_owned(),
            unit: unit.map(UnitId::from),
            ..PersonForm::default()
        };
        self.store.add_person(&form, NOW).await.unwrap()
    }

    pub fn plan(&self, title: &str) -> Plan {
        Plan {
            title: title.to_owned(),
            host: Some(UnitId::from("so1")),
            plan_no: "12/KH-SGDĐT".to_owned(),
            plan_day: "2026-08-01".parse().ok(),
            ..Plan::default()
        }
    }

    pub async fn class(&self, title: &str) -> Class {
        let plan = self.plan(title);
        self.store
            .create_planned(plan, &self.by, NOW)
            .await
            .unwrap()
    }

    pub async fn session(&self, class: &ClassId, starts_ms: u64) -> Session {
        let form = form("Buổi", Some(starts_ms));
        let made = self.store.add_session(class, &form, &self.by, NOW).await;
        made.unwrap()
    }

    pub async fn step_at(
        &self,
        class: &ClassId,
        step: ClassStep,
        now_ms: u64,
    ) -> Result<Class, StoreError> {
        let request = StepRequest {
            step,
            document: String::new(),
            reason: String::new(),
        };
        self.store
            .step_class(class, &request, &self.by, now_ms)
            .await
    }

    pub async fn steps(&self, class: &ClassId, steps: &[ClassStep]) {
        for step in steps {
            self.step_at(class, *step, NOW).await.unwrap();
        }
    }

    pub async fn enrol(&self, class: &ClassId, people: &[PersonKey], state: RosterState) {
        let changes: Vec<RosterChange> = people.iter().map(|one| change(one, state)).collect();
        let made = self.store.change_roster(class, &changes, self.author());
        made.await.unwrap();
    }

    pub fn author(&self) -> RosterAuthor<'_> {
        RosterAuthor {
            by: &self.by,
            how: RosterHow::Manual,
            now_ms: NOW,
        }
    }

    /// Writes events to the log of a session, numbered from `seq`.
    pub async fn log(&self, session: &SessionKey, seq: u64, kinds: Vec<(u64, EventKind)>) {
        let events = kinds.into_iter().zip(seq..).map(|((at, kind), seq)| Event {
            session: session.clone(),
            seq,
            at: Stamp {
                wall_ms: at,
                mono_ms: at,
                boot: 1,
            },
            kind,
        });
        let answer = self.store.ledger().append(events.collect());
        answer.await.unwrap().unwrap();
    }

    /// The room opens and the lesson begins.
    pub async fn begin(&self, session: &SessionKey, at: u64) {
        self.store
            .set_session_state(session, SessionState::Open)
            .await
            .unwrap();
        self.log(session, 1, vec![(at, started())]).await;
    }

    /// A lesson held from `at` for an hour.
    pub async fn hold(&self, session: &SessionKey, at: u64) {
        self.begin(session, at).await;
        self.log(session, 2, vec![(at + HOUR, EventKind::Ended { by: None })])
            .await;
        self.store
            .set_session_state(session, SessionState::Ended)
            .await
            .unwrap();
    }

    pub async fn freeze(&self, session: &SessionKey) {
        let version = NewVersion {
            body: "{}".to_owned(),
            stands: "0".to_owned(),
            sha256: "0".to_owned(),
            reason: String::new(),
        };
        let author = Author {
            by: self.by.clone(),
            name: "Trần Tổ Chức".to_owned(),
            at_ms: NOW,
        };
        let made = self.store.add_version(session, 0, &version, &author).await;
        assert!(made.unwrap().is_some());
    }
}

pub fn started() -> EventKind {
    EventKind::Started { by: None }
}

pub fn form(title: &str, starts_ms: Option<u64>) -> SessionForm {
    SessionForm {
        title: title.to_owned(),
        starts_ms,
        ends_ms: starts_ms.map(|at| at + HOUR),
        mode: "training".to_owned(),
        rehearsal_min: 30,
        waiting: true,
        counts: true,
        place: String::new(),
        custom: Vec::new(),
        on_sheets: Vec::new(),
    }
}

pub fn change(person: &PersonKey, state: RosterState) -> RosterChange {
    RosterChange {
        person: person.clone(),
        state,
        site: false,
        note: String::new(),
    }
}
