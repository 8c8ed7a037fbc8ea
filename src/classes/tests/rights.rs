//! The table of rights against the matrix of domain 2.4, column by column.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;

use lophoc_classes::{
    Actor, Grant, Right, StaffRole, Standing, UnitId, UnitRole, grant, may_report,
};
use lophoc_ledger::PersonKey;

/// Letters of a row: `+` everybody, `u` people of own units, `l` own learners,
/// `o` oneself, `.` nothing. Columns: see [`columns`].
const MATRIX: &str = "
                  system administrator
                  | organiser of the unit above the host
                  | | organiser of another unit
                  | | | contact of the host
                  | | | | contact of another unit
                  | | | | | inspector above the host
                  | | | | | | inspector of another unit
                  | | | | | | | staff: organiser
                  | | | | | | | | chair
                  | | | | | | | | | trainer
                  | | | | | | | | | | adviser with learners
                  | | | | | | | | | | | adviser of all
                  | | | | | | | | | | | | technician
                  | | | | | | | | | | | | | content author
                  | | | | | | | | | | | | | | secretary
                  | | | | | | | | | | | | | | | observer
                  | | | | | | | | | | | | | | | | learner
                  | | | | | | | | | | | | | | | | | a stranger
ManageClass       + + . + . . . + . . . . . . . . . .
SeeClass          + + . + u + u + + + + + + + + + + .
SeeRoster         + + . + u + u + + + l + + . + + . .
ManageRoster      + + . + u . . + . . l + + . . . . .
ManageStaff       + + . . . . . + . . . . . . . . . .
SeeAttendance     . + . u u + u + + + l + . . + + o .
SeeCounts         . + . u u + u + + + + + + . + + . .
CorrectAttendance . + . . . . . + . . . . . . . . . .
TickHall          . + . u u . . + + + l + . . + . . .
Freeze            . + . . . . . + . . . . . . + . . .
Export            . + . u u + u + . . . . . . + + . .
SeeActivity       . + . . . + u + + + . . . . . + . .
SeeAccessLog      + + . . . + u + . . . . . . . + . .
ManagePeople      + . . . . . . . . . . . . . . . . .
KeepIncidents     . + . . . . . + + . . . + . . . . .
WatchRecordings   . + . + . + . + + + + + + + + + + .
ReviewRecordings  . + . + . . . + + . . . . . . . . .
EditRecordings    . + . + . . . + + + . . . + . . . .
DisposeRecordings + + . . . . . + . . . . . . . . . .
";

const HOST: &str = "u-sgd-01";
const OTHER: &str = "u-sgd-79";

fn standing(staff: &[StaffRole]) -> Standing {
    Standing {
        staff: staff.to_vec(),
        host_line: BTreeSet::from([UnitId::from("u-moet"), UnitId::from(HOST)]),
        ..Standing::default()
    }
}

fn actor(units: Vec<UnitRole>) -> Actor {
    Actor {
        person: PersonKey::from("p1"),
        admin: false,
        units,
    }
}

fn columns() -> Vec<(Actor, Standing)> {
    let unit = |text: &str| UnitId::from(text);
    let nobody = || actor(Vec::new());
    let by_unit = |role: UnitRole| (actor(vec![role]), standing(&[]));
    let by_staff = |role: StaffRole| (nobody(), standing(&[role]));
    let admin = Actor {
        admin: true,
        ..nobody()
    };
    let adviser = Standing {
        learners: BTreeSet::from([PersonKey::from("p7")]),
        ..standing(&[StaffRole::Adviser])
    };
    let learner = Standing {
        enrolled: true,
        ..standing(&[])
    };
    vec![
        (admin, standing(&[])),
        by_unit(UnitRole::Organiser {
            unit: unit("u-moet"),
        }),
        by_unit(UnitRole::Organiser { unit: unit(OTHER) }),
        by_unit(UnitRole::Contact { unit: unit(HOST) }),
        by_unit(UnitRole::Contact { unit: unit(OTHER) }),
        by_unit(UnitRole::Inspector {
            unit: unit("u-moet"),
        }),
        by_unit(UnitRole::Inspector { unit: unit(OTHER) }),
        by_staff(StaffRole::Organiser),
        by_staff(StaffRole::Chair),
        by_staff(StaffRole::Trainer),
        (nobody(), adviser),
        by_staff(StaffRole::Adviser),
        by_staff(StaffRole::Technician),
        by_staff(StaffRole::ContentAuthor),
        by_staff(StaffRole::Secretary),
        by_staff(StaffRole::Observer),
        (nobody(), learner),
        (nobody(), standing(&[])),
    ]
}

fn letter(grant: &Grant) -> &'static str {
    assert_eq!(
        grant.any(),
        grant.all || !grant.units.is_empty() || !grant.people.is_empty()
    );
    if grant.all {
        "+"
    } else if !grant.units.is_empty() {
        "u"
    } else if grant.people.contains(&PersonKey::from("p1")) {
        "o"
    } else if !grant.people.is_empty() {
        "l"
    } else {
        "."
    }
}

#[test]
fn each_cell_of_the_matrix() {
    let rows: Vec<(&str, &str)> = MATRIX
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(name, _)| !name.is_empty())
        .collect();
    assert_eq!(rows.len(), Right::ALL.len());
    for (right, (name, row)) in Right::ALL.into_iter().zip(rows) {
        assert_eq!(name, format!("{right:?}"));
        let got: Vec<&str> = columns()
            .iter()
            .map(|(actor, standing)| letter(&grant(actor, standing, right)))
            .collect();
        let expected: Vec<&str> = row.split_whitespace().collect();
        assert_eq!(got, expected, "{right:?}");
    }
}

#[test]
fn a_grant_by_units_names_the_own_units_and_nothing_else() {
    let contact = actor(vec![
        UnitRole::Contact {
            unit: UnitId::from(OTHER),
        },
        UnitRole::Inspector {
            unit: UnitId::from("u-sgd-46"),
        },
    ]);
    let seen = grant(&contact, &standing(&[]), Right::SeeAttendance);
    assert_eq!(
        seen.units,
        BTreeSet::from([UnitId::from(OTHER), UnitId::from("u-sgd-46")])
    );
    let ticks = grant(&contact, &standing(&[]), Right::TickHall);
    assert_eq!(ticks.units, BTreeSet::from([UnitId::from(OTHER)]));
}

#[test]
fn several_roles_add_up_and_an_administrator_who_teaches_sees_attendance_as_a_trainer() {
    let admin = Actor {
        admin: true,
        ..actor(Vec::new())
    };
    assert!(!grant(&admin, &standing(&[]), Right::SeeAttendance).any());
    assert!(
        grant(
            &admin,
            &standing(&[StaffRole::Trainer]),
            Right::SeeAttendance
        )
        .all
    );
    let both = Standing {
        learners: BTreeSet::from([PersonKey::from("p7")]),
        enrolled: true,
        ..standing(&[StaffRole::Adviser])
    };
    let seen = grant(&actor(Vec::new()), &both, Right::SeeAttendance);
    assert_eq!(
        seen.people,
        BTreeSet::from([PersonKey::from("p1"), PersonKey::from("p7")])
    );
    assert!(!seen.all);
}

#[test]
fn a_unit_is_reported_on_by_who_may_export_all_its_classes() {
    let line = BTreeSet::from([UnitId::from("u-moet"), UnitId::from(HOST)]);
    let unit = |id: &str| UnitId::from(id);
    for (role, may) in [
        (UnitRole::Organiser { unit: unit(HOST) }, true),
        (
            UnitRole::Organiser {
                unit: unit("u-moet"),
            },
            true,
        ),
        (UnitRole::Organiser { unit: unit(OTHER) }, false),
        (UnitRole::Inspector { unit: unit(HOST) }, true),
        (UnitRole::Inspector { unit: unit(OTHER) }, false),
        (UnitRole::Contact { unit: unit(HOST) }, false),
    ] {
        let who = actor(vec![role]);
        assert_eq!(may_report(&who, &line), may, "{who:?}");
        // Nobody reports on what he may not export class by class.
        let all = grant(&who, &standing(&[]), Right::Export).all;
        assert_eq!(may, all, "{who:?}");
    }
    let admin = Actor {
        admin: true,
        ..actor(Vec::new())
    };
    assert!(!may_report(&admin, &line));
}
