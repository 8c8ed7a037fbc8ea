//! Sans-IO class records: what a class hangs from (units, people, courses,
//! classes, sessions, staff, rosters), their life cycles and rights, and the
//! reading of rosters from files. Also the shapes of `/api/v1`, from which the
//! browser client's types are made.
//!
//! It never stores, never asks a network or a clock, never makes up an id.

mod account;
mod boards;
mod class;
mod day;
pub mod demo;
mod export;
mod hall;
pub mod import;
mod incident;
mod lifecycle;
mod notice;
mod person;
mod preflight;
mod readiness;
mod recording_made;
mod recordings;
mod report;
mod rest;
mod rights;
mod roster;
mod staff;
mod unit;
mod units;

pub use account::{
    Account, AccountState, ApiToken, NewAccount, NewApiToken, Printed, Scope, SignIn, SignedIn,
};
pub use boards::{BoardShape, SessionBoard, SessionBoards};
pub use class::{
    Class, ClassForm, ClassKind, ClassState, ClassStep, Course, CourseForm, GuestPolicy,
    MAX_PERSON_COLUMNS, MAX_SHEET_FIELDS, Plan, Readiness, Session, SessionForm, SessionPhase,
    StepRefused,
};
pub use day::{BadDay, Day};
pub use export::{ExportFormat, ExportKind, ExportRecord, Frozen, Verdict, VerdictKind};
pub use hall::{CheckInOffer, HallPerson, HallTick, Site};
pub use incident::{
    ConsolePage, DutyEntry, Incident, IncidentEntry, IncidentKind, IncidentSeverity, IncidentState,
    MAX_DUTY, MAX_INCIDENT_ENTRIES, MAX_INCIDENTS, NewIncident, NewIncidentEntry, RecorderAlarm,
    RecorderLine, RecorderState, RecorderTrouble, SiteAct, SiteActForm, SiteLine, SiteLinkState,
};
pub use lifecycle::{OPEN_MONTHS, SessionStep, StepFacts, is_protected, open_until};
pub use notice::{NoticeKind, NoticeLine, NoticePage, Undelivered};
pub use person::{Gender, Identifier, IdentifierKind, Person, PersonForm};
pub use preflight::{
    CheckPart, CheckReport, CheckVerdict, DeviceCheck, MAX_RTT_MS, Preflight, PreflightForm,
    PreflightLink, SitePreflight, WayCheck, WayState,
};
pub use readiness::{ReadyFacts, readiness};
pub use recording_made::*;
pub use recordings::*;
pub use report::{ReportLine, ReportPage, ReportPeople, ReportPreset, ReportQuery};
pub use rest::*;
pub use rights::{Actor, Grant, Right, Standing, UnitRole, grant, may_report};
pub use roster::{Delegate, Excuse, RosterRow, RosterState, RosterVersion};
pub use staff::{StaffMember, StaffRole};
pub use unit::{DataCheck, Unit, UnitId, UnitKind, level_of};
pub use units::{
    BadUnits, MAX_UNITS, check_units, read_units, shipped as shipped_units, successor,
};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord,
            serde::Serialize, serde::Deserialize, ts_rs::TS, utoipa::ToSchema,
        )]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}
pub(crate) use id;

id!(
    /// Id of a class (lớp).
    ClassId
);
id!(
    /// Id of a course (khóa).
    CourseId
);
