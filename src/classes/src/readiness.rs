//! Kiểm tra điều kiện tổ chức: what TT21 Điều 4, 8 and 9 ask of a class before
//! it is opened. The check warns, it never forbids.

use std::collections::BTreeSet;

use lophoc_ledger::PersonKey;

use crate::class::{ClassForm, Plan, Readiness};
use crate::staff::{StaffMember, StaffRole};

/// What the check looks at.
#[derive(Debug, Clone, Copy)]
pub struct ReadyFacts<'a> {
    /// Plan fields.
    pub plan: &'a Plan,
    /// Staff list; entries that ended are passed over.
    pub staff: &'a [StaffMember],
    /// Sessions that are not cancelled.
    pub sessions: u32,
    /// Sessions among them without a planned beginning or end.
    pub untimed: u32,
    /// People on the roster that are not withdrawn.
    pub people: u32,
    /// Those of them without a sector or personal identifier.
    pub nameless: &'a [PersonKey],
    /// Notices have gone out.
    pub announced: bool,
}

/// The lines of the check, in order of the law. Lines that do not concern a
/// meeting or a public event are left out.
pub fn readiness(facts: &ReadyFacts<'_>) -> Vec<Readiness> {
    let plan = facts.plan;
    let filled = |text: &str| !text.trim().is_empty();
    let taught = plan.kind.is_taught();
    let mut lines = Vec::new();
    let mut add = |item: &str, ok: bool, people: Vec<PersonKey>| {
        lines.push(Readiness {
            item: item.to_owned(),
            ok,
            people,
        });
    };

    // Điều 9.1: form and time, the systems used, how to take part, the test.
    let dated = match (plan.from, plan.to) {
        (Some(from), Some(to)) => from <= to,
        _ => false,
    };
    let reachable =
        plan.form == ClassForm::InPerson || filled(&plan.systems) && filled(&plan.guide);
    add(
        "plan",
        filled(&plan.title)
            && filled(&plan.plan_no)
            && plan.plan_day.is_some()
            && dated
            && reachable
            && (!taught || filled(&plan.exam)),
        Vec::new(),
    );
    // Điều 2.5: a host, and the decision that made it one.
    let decided = filled(&plan.decision_no) && plan.decision_day.is_some();
    add(
        "host",
        plan.host.is_some() && (!taught || decided && filled(&plan.decision_by)),
        Vec::new(),
    );
    add(
        "sessions",
        facts.sessions > 0 && facts.untimed == 0,
        Vec::new(),
    );

    // Điều 4.4 and 8: the people who make it run.
    let named = |roles: &[StaffRole]| -> Vec<PersonKey> {
        let people: BTreeSet<&PersonKey> = facts
            .staff
            .iter()
            .filter(|one| one.ended_ms.is_none() && roles.contains(&one.role))
            .map(|one| &one.person)
            .collect();
        people.into_iter().cloned().collect()
    };
    let trainers = if taught {
        named(&[StaffRole::Trainer])
    } else {
        named(&[StaffRole::Trainer, StaffRole::Chair])
    };
    add("trainer", !trainers.is_empty(), trainers);
    let technicians = named(&[StaffRole::Technician]);
    add("technician", !technicians.is_empty(), technicians);
    if taught {
        let advisers = named(&[StaffRole::Adviser]);
        add("adviser", !advisers.is_empty(), advisers);
    }

    // Điều 9.3 and 9.4: roster and notices.
    add("roster", facts.people > 0, Vec::new());
    add(
        "identifiers",
        facts.nameless.is_empty(),
        facts.nameless.to_vec(),
    );
    add("announcement", facts.announced, Vec::new());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::class::ClassKind;
    use crate::unit::UnitId;

    fn member(role: StaffRole, person: &str, ended_ms: Option<u64>) -> StaffMember {
        StaffMember {
            id: 1,
            person: PersonKey::from(person),
            name: person.to_owned(),
            unit: String::new(),
            role,
            session: None,
            instead_of: None,
            learners: Vec::new(),
            ended_ms,
        }
    }

    fn plan() -> Plan {
        Plan {
            title: "Tập huấn".to_owned(),
            host: Some(UnitId::from("u-sgd-01")),
            decision_no: "12/QĐ-SGDĐT".to_owned(),
            decision_day: "2026-08-01".parse().ok(),
            decision_by: "Sở GDĐT".to_owned(),
            plan_no: "34/KH-SGDĐT".to_owned(),
            plan_day: "2026-08-05".parse().ok(),
            from: "2026-09-06".parse().ok(),
            to: "2026-09-08".parse().ok(),
            systems: "Lophoc".to_owned(),
            guide: "Mở liên kết".to_owned(),
            exam: "Qua mạng".to_owned(),
            ..Plan::default()
        }
    }

    fn bad(facts: &ReadyFacts<'_>) -> Vec<String> {
        let lines = readiness(facts).into_iter();
        lines
            .filter(|line| !line.ok)
            .map(|line| line.item)
            .collect()
    }

    #[test]
    fn a_bare_class_fails_every_line_and_a_full_one_none() {
        let empty = Plan::default();
        let facts = ReadyFacts {
            plan: &empty,
            staff: &[],
            sessions: 0,
            untimed: 0,
            people: 0,
            nameless: &[PersonKey::from("p1")],
            announced: false,
        };
        assert_eq!(
            bad(&facts),
            [
                "plan",
                "host",
                "sessions",
                "trainer",
                "technician",
                "adviser",
                "roster",
                "identifiers",
                "announcement"
            ]
        );
        let plan = plan();
        let staff = [
            member(StaffRole::Trainer, "p1", None),
            member(StaffRole::Technician, "p2", None),
            member(StaffRole::Adviser, "p3", None),
        ];
        let facts = ReadyFacts {
            plan: &plan,
            staff: &staff,
            sessions: 2,
            people: 30,
            nameless: &[],
            announced: true,
            ..facts
        };
        assert_eq!(bad(&facts), [""; 0]);
    }

    #[test]
    fn who_left_does_not_count_and_a_meeting_has_a_chair_instead() {
        let plan = Plan {
            kind: ClassKind::Meeting,
            decision_no: String::new(),
            exam: String::new(),
            ..plan()
        };
        let staff = [
            member(StaffRole::Chair, "p1", None),
            member(StaffRole::Technician, "p2", Some(5)),
        ];
        let facts = ReadyFacts {
            plan: &plan,
            staff: &staff,
            sessions: 1,
            untimed: 0,
            people: 34,
            nameless: &[],
            announced: true,
        };
        assert_eq!(bad(&facts), ["technician"]);
        assert!(readiness(&facts).iter().all(|line| line.item != "adviser"));
        let trainer = readiness(&facts).remove(3);
        assert_eq!(
            (trainer.item.as_str(), trainer.people),
            ("trainer", vec![PersonKey::from("p1")])
        );
    }

    #[test]
    fn a_session_without_times_and_people_without_identifiers_are_pointed_out() {
        let plan = plan();
        let nameless = [PersonKey::from("p7")];
        let facts = ReadyFacts {
            plan: &plan,
            staff: &[],
            sessions: 2,
            untimed: 1,
            people: 3,
            nameless: &nameless,
            announced: false,
        };
        let lines = readiness(&facts);
        let line = |item: &str| lines.iter().find(|line| line.item == item).unwrap();
        assert!(!line("sessions").ok);
        assert_eq!(line("identifiers").people, nameless);
    }
}
