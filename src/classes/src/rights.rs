//! Who may do what with records: one table (domain: 2.4). Rights in a room are
//! another table, of the crate `room`.

use std::collections::BTreeSet;

use lophoc_ledger::PersonKey;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::staff::StaffRole;
use crate::unit::UnitId;

/// Something with records that needs a right.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS, ToSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum Right {
    /// Create classes, change plans, take steps of the life cycle.
    ManageClass,
    /// See the class page: plan, sessions, staff.
    SeeClass,
    /// See the roster with contact data.
    SeeRoster,
    /// Change the roster, import, make accounts for it.
    ManageRoster,
    /// Name staff.
    ManageStaff,
    /// See attendance with names.
    SeeAttendance,
    /// See numbers only.
    SeeCounts,
    /// Correct attendance, excuse, tick people in anywhere.
    CorrectAttendance,
    /// Tick people in at a site.
    TickHall,
    /// Freeze the attendance of a session (chốt điểm danh); needed for everybody.
    Freeze,
    /// Export lists.
    Export,
    /// See trainer activity.
    SeeActivity,
    /// See the log of access to attendance.
    SeeAccessLog,
    /// Manage units, people and accounts.
    ManagePeople,
    /// See the technicians' console, keep the duty roster and the incident log.
    KeepIncidents,
    /// Watch released recordings, whatever their audience.
    WatchRecordings,
    /// Watch recordings before their release, release and hide them, set who may
    /// watch.
    ReviewRecordings,
    /// Trim recordings, cut spans out of them; watch them before their release.
    EditRecordings,
    /// Ask for the disposal of recordings, agree to one.
    DisposeRecordings,
}

/// A person's role in a unit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(
    tag = "role",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum UnitRole {
    /// Ban tổ chức of every class the unit (or one below it) hosts.
    Organiser {
        /// Unit.
        unit: UnitId,
    },
    /// Đầu mối: own people, own halls, attendance of the own subtree.
    Contact {
        /// Unit.
        unit: UnitId,
    },
    /// Thanh tra, giám sát of the subtree: reads, never changes.
    Inspector {
        /// Unit.
        unit: UnitId,
    },
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Who.
    pub person: PersonKey,
    /// Quản trị hệ thống. Never sees attendance by that alone.
    pub admin: bool,
    /// Roles in units.
    pub units: Vec<UnitRole>,
}

/// What the asker is to the class in question.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// Roles on the class's staff list that stand.
    pub staff: Vec<StaffRole>,
    /// As an adviser: own learners; empty with `Adviser` in `staff`: all.
    pub learners: BTreeSet<PersonKey>,
    /// Is on the roster.
    pub enrolled: bool,
    /// Is on the staff of a session, whatever of the class.
    pub some_session: bool,
    /// The host unit and all units above it, by either parent.
    pub host_line: BTreeSet<UnitId>,
}

/// How far a right goes: the union of its parts. Empty = no right.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grant {
    /// Everybody of the class.
    pub all: bool,
    /// People of these units and of the units below them.
    pub units: BTreeSet<UnitId>,
    /// These people.
    pub people: BTreeSet<PersonKey>,
}

impl Right {
    /// All rights.
    pub const ALL: [Self; 19] = [
        Self::ManageClass,
        Self::SeeClass,
        Self::SeeRoster,
        Self::ManageRoster,
        Self::ManageStaff,
        Self::SeeAttendance,
        Self::SeeCounts,
        Self::CorrectAttendance,
        Self::TickHall,
        Self::Freeze,
        Self::Export,
        Self::SeeActivity,
        Self::SeeAccessLog,
        Self::ManagePeople,
        Self::KeepIncidents,
        Self::WatchRecordings,
        Self::ReviewRecordings,
        Self::EditRecordings,
        Self::DisposeRecordings,
    ];
}

impl Grant {
    /// Whether there is any right at all.
    pub fn any(&self) -> bool {
        self.all || !self.units.is_empty() || !self.people.is_empty()
    }
}

/// What `actor` may do with a class he stands to as `standing` says.
pub fn grant(actor: &Actor, standing: &Standing, right: Right) -> Grant {
    let mut grant = Grant::default();
    if actor.admin && by_admin(right) {
        grant.all = true;
    }
    for role in &actor.units {
        match role {
            UnitRole::Organiser { unit } if standing.host_line.contains(unit) => {
                grant.all |= by_staff(StaffRole::Organiser, right);
            }
            UnitRole::Inspector { unit } if standing.host_line.contains(unit) => {
                grant.all |= by_inspector(right);
            }
            UnitRole::Inspector { unit }
                if by_inspector(right) && right != Right::WatchRecordings =>
            {
                grant.units.insert(unit.clone());
            }
            // What the own unit, or one below it, hosts is its own class.
            UnitRole::Contact { unit }
                if standing.host_line.contains(unit) && by_contact_of_host(right) =>
            {
                grant.all = true;
            }
            UnitRole::Contact { unit } if by_contact(right) => {
                grant.units.insert(unit.clone());
            }
            UnitRole::Organiser { .. } | UnitRole::Inspector { .. } | UnitRole::Contact { .. } => {}
        }
    }
    for role in &standing.staff {
        if *role == StaffRole::Adviser && of_own_learners(right) && !standing.learners.is_empty() {
            grant.people.extend(standing.learners.iter().cloned());
        } else {
            grant.all |= by_staff(*role, right);
        }
    }
    // Who works in a session alone sees the class around it.
    grant.all |= standing.some_session && right == Right::SeeClass;
    if standing.enrolled {
        match right {
            // Everybody enrolled sees the plan of the class and what was released.
            Right::SeeClass | Right::WatchRecordings => grant.all = true,
            Right::SeeAttendance => {
                grant.people.insert(actor.person.clone());
            }
            _ => {}
        }
    }
    grant
}

/// Whether `actor` may take out the sums of all classes that a unit and the
/// units below it host. `line`: the unit and all above it. Who may export
/// everybody of each of these classes by his role in a unit, and nobody else:
/// the contact of a unit does not speak for people of other units.
pub fn may_report(actor: &Actor, line: &BTreeSet<UnitId>) -> bool {
    actor.units.iter().any(|role| match role {
        UnitRole::Organiser { unit } | UnitRole::Inspector { unit } => line.contains(unit),
        UnitRole::Contact { .. } => false,
    })
}

/// An administrator runs the system; attendance is none of his business.
fn by_admin(right: Right) -> bool {
    matches!(
        right,
        Right::ManageClass
            | Right::SeeClass
            | Right::SeeRoster
            | Right::ManageRoster
            | Right::ManageStaff
            | Right::ManagePeople
            | Right::SeeAccessLog
            // Without seeing what is in them.
            | Right::DisposeRecordings
    )
}

fn by_inspector(right: Right) -> bool {
    matches!(
        right,
        Right::SeeClass
            | Right::SeeRoster
            | Right::SeeAttendance
            | Right::SeeCounts
            | Right::Export
            | Right::SeeActivity
            | Right::SeeAccessLog
            | Right::WatchRecordings
    )
}

/// Creates and leads classes of the own unit; what concerns people stays
/// within the own subtree all the same.
fn by_contact_of_host(right: Right) -> bool {
    matches!(
        right,
        Right::ManageClass
            | Right::SeeClass
            | Right::SeeRoster
            | Right::ManageRoster
            | Right::WatchRecordings
            | Right::ReviewRecordings
            | Right::EditRecordings
    )
}

fn by_contact(right: Right) -> bool {
    matches!(
        right,
        Right::SeeClass
            | Right::SeeRoster
            | Right::ManageRoster
            | Right::SeeAttendance
            | Right::SeeCounts
            | Right::TickHall
            | Right::Export
    )
}

/// Rights an adviser with a list of learners has for these alone.
fn of_own_learners(right: Right) -> bool {
    matches!(
        right,
        Right::SeeRoster | Right::ManageRoster | Right::SeeAttendance | Right::TickHall
    )
}

fn by_staff(role: StaffRole, right: Right) -> bool {
    match role {
        StaffRole::Organiser => !matches!(right, Right::ManagePeople),
        StaffRole::Chair if matches!(right, Right::KeepIncidents | Right::ReviewRecordings) => true,
        StaffRole::Chair | StaffRole::Trainer => matches!(
            right,
            Right::WatchRecordings
                | Right::EditRecordings
                | Right::SeeClass
                | Right::SeeRoster
                | Right::SeeAttendance
                | Right::SeeCounts
                | Right::TickHall
                | Right::SeeActivity
        ),
        StaffRole::Adviser => matches!(
            right,
            Right::WatchRecordings
                | Right::SeeClass
                | Right::SeeRoster
                | Right::ManageRoster
                | Right::SeeAttendance
                | Right::SeeCounts
                | Right::TickHall
        ),
        // Imports lists and makes accounts for the organisers; of attendance he
        // sees numbers only.
        StaffRole::Technician => matches!(
            right,
            Right::WatchRecordings
                | Right::SeeClass
                | Right::SeeRoster
                | Right::ManageRoster
                | Right::SeeCounts
                | Right::KeepIncidents
        ),
        // Trims what others release (TT21 Điều 8.3); of people he sees nothing.
        StaffRole::ContentAuthor => matches!(
            right,
            Right::SeeClass | Right::WatchRecordings | Right::EditRecordings
        ),
        StaffRole::Secretary => matches!(
            right,
            Right::WatchRecordings
                | Right::SeeClass
                | Right::SeeRoster
                | Right::SeeAttendance
                | Right::SeeCounts
                | Right::TickHall
                | Right::Freeze
                | Right::Export
        ),
        StaffRole::Observer => matches!(
            right,
            Right::WatchRecordings
                | Right::SeeClass
                | Right::SeeRoster
                | Right::SeeAttendance
                | Right::SeeCounts
                | Right::Export
                | Right::SeeActivity
                | Right::SeeAccessLog
        ),
    }
}
