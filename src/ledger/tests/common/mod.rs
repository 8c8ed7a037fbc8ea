//! A log being written, for tests of what follows from it.
#![allow(dead_code, missing_docs)] // each test file uses its part

use lophoc_ledger::{
    Adjustment, Change, Event, EventKind, Expected, HallHow, HallMark, Input, LastSeen,
    LeaveReason, PersonKey, Report, Row, Rules, SessionKey, Stamp, attendance,
};

/// 6 September 2026, 07:30:00 in Hà Nội.
pub const WALL: u64 = 1_788_654_600_000;
pub const SEC: u64 = 1_000;
pub const MIN: u64 = 60 * SEC;

/// A log and everything beside it: one wall clock per run, a monotonic clock
/// that starts at zero in each.
#[derive(Clone)]
pub struct Log {
    pub events: Vec<Event>,
    pub presence: Vec<LastSeen>,
    pub hall: Vec<HallMark>,
    pub expected: Vec<Expected>,
    pub adjustments: Vec<Adjustment>,
    pub rules: Rules,
    /// Wall clock at the start of the run.
    pub wall_ms: u64,
    pub boot: u64,
}

impl Log {
    pub fn new() -> Self {
        Self {
            events: Vec::new(),
            presence: Vec::new(),
            hall: Vec::new(),
            expected: Vec::new(),
            adjustments: Vec::new(),
            rules: Rules::default(),
            wall_ms: WALL,
            boot: 1,
        }
    }

    /// A lesson that begins at 0, with these people expected.
    pub fn started(expected: &[&str]) -> Self {
        let mut log = Self::new();
        log.expect(expected).at(0, start());
        log
    }

    pub fn stamp(&self, mono_ms: u64) -> Stamp {
        Stamp {
            wall_ms: self.wall_ms + mono_ms,
            mono_ms,
            boot: self.boot,
        }
    }

    pub fn at(&mut self, mono_ms: u64, kind: EventKind) -> &mut Self {
        let seq = self.events.len() as u64 + 1;
        let at = self.stamp(mono_ms);
        self.events.push(Event {
            session: SessionKey::from("b1"),
            seq,
            at,
            kind,
        });
        self
    }

    pub fn seen(&mut self, mono_ms: u64, who: &str) -> &mut Self {
        let at = self.stamp(mono_ms);
        self.presence.push(LastSeen {
            person: PersonKey::from(who),
            at,
        });
        self
    }

    pub fn restart(&mut self, wall_ms: u64) -> &mut Self {
        self.boot += 1;
        self.wall_ms = wall_ms;
        self
    }

    pub fn expect(&mut self, who: &[&str]) -> &mut Self {
        self.expected.extend(who.iter().map(|who| expected(who)));
        self
    }

    pub fn mark(&mut self, who: &str, site: Option<&str>, on: bool, at_ms: Option<u64>) {
        let seq = self.hall.len() as u64 + 1;
        self.hall.push(HallMark {
            seq,
            person: PersonKey::from(who),
            site: site.map(PersonKey::from),
            on,
            how: HallHow::Contact,
            by: PersonKey::from("đầu mối"),
            at_ms: at_ms.map(|at_ms| WALL + at_ms),
            made_ms: WALL + seq,
        });
    }

    pub fn adjust(&mut self, who: &str, change: Change) -> &mut Self {
        let no = self.adjustments.len() as u64 + 1;
        self.adjustments.push(Adjustment {
            no,
            person: PersonKey::from(who),
            change,
            was: "x".to_owned(),
            reason: "giấy xác nhận".to_owned(),
            evidence: None,
            by: PersonKey::from("btc"),
            by_name: "Ban tổ chức".to_owned(),
            made_ms: WALL,
        });
        self
    }

    pub fn input(&self, now: Option<Stamp>) -> Input<'_> {
        Input {
            events: &self.events,
            presence: &self.presence,
            now,
            hall: &self.hall,
            expected: &self.expected,
            adjustments: &self.adjustments,
            rules: &self.rules,
        }
    }

    pub fn report(&self) -> Report {
        attendance(&self.input(None))
    }

    /// While the room runs, at this moment.
    pub fn report_at(&self, mono_ms: u64) -> Report {
        attendance(&self.input(Some(self.stamp(mono_ms))))
    }
}

pub fn row(report: &Report, who: &str) -> Row {
    let row = report.rows.iter().find(|row| row.person.0 == who);
    row.unwrap_or_else(|| panic!("no row of {who}")).clone()
}

pub fn expected(who: &str) -> Expected {
    Expected {
        person: PersonKey::from(who),
        name: format!("Nguyễn Văn {who}"),
        sort: None,
        unit: Some("Trường A".to_owned()),
        excused: None,
        in_person: false,
        is_site: false,
    }
}

pub fn opened() -> EventKind {
    EventKind::Opened {
        room: "r".to_owned(),
        title: "Buổi 1".to_owned(),
        host: "Sở".to_owned(),
    }
}

pub fn start() -> EventKind {
    EventKind::Started { by: None }
}

pub fn end() -> EventKind {
    EventKind::Ended { by: None }
}

pub fn pause(on: bool) -> EventKind {
    EventKind::Break {
        on,
        by: None,
        until_ms: None,
    }
}

pub fn join(who: &str) -> EventKind {
    join_as(who, "learner", "d1")
}

pub fn join_as(who: &str, role: &str, device: &str) -> EventKind {
    EventKind::Join {
        person: PersonKey::from(who),
        name: format!("Nguyễn Văn {who}"),
        unit: Some("Trường A".to_owned()),
        role: role.to_owned(),
        device: device.to_owned(),
    }
}

pub fn leave(who: &str) -> EventKind {
    EventKind::Leave {
        person: PersonKey::from(who),
        reason: LeaveReason::Left,
    }
}

pub fn lapse(who: &str, last_heard: Stamp) -> EventKind {
    EventKind::Lapse {
        person: PersonKey::from(who),
        last_heard,
    }
}

pub fn back(who: &str) -> EventKind {
    EventKind::Return {
        person: PersonKey::from(who),
    }
}

pub fn chat(who: &str, id: &str) -> EventKind {
    EventKind::Chat {
        person: PersonKey::from(who),
        id: id.to_owned(),
        cid: id.to_owned(),
        text: "em chào thầy".to_owned(),
        to: None,
    }
}
