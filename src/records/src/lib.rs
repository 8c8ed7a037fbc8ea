//! Records of an installation: classes, their sessions, the ledger of every
//! session, on SQLite (write-ahead log, every commit reaches the disk before it
//! is acknowledged).
//!
//! [`Store`] holds what changes seldom: classes, sessions, the signing secret,
//! the count of server runs. [`LedgerWriter`] is the one way into the ledger:
//! it gathers the appends of all rooms into shared transactions, keeps each
//! session's log in order and without holes, and answers each append only after
//! its commit.
//!
//! This crate never decides who may do what, never interprets events, never
//! changes or deletes one, and never makes a room wait: appends are answered
//! through a channel, and a failing disk is an error in that channel.

mod accounts;
mod attendance;
mod attendance_roster;
mod class_list;
mod class_steps;
mod classes;
mod courses;
mod error;
mod exports;
mod hall;
mod imports;
mod ledger;
mod materials;
mod people;
mod places;
mod preflight;
mod roster;
mod rules;
mod session_phase;
mod sessions;
mod staff;
mod store;
mod units;

pub use accounts::{
    AccountToAdd, KnownAccount, SIGN_IN_IDLE_MS, SIGN_IN_LIFE_MS, SIGN_IN_LOG_KEPT_MS, SignInLine,
    SignInOutcome,
};
pub use attendance::{AttendanceInput, Author, NewCorrection, NewVersion, StoredVersion};
pub use attendance_roster::Listed;
pub use class_list::{ClassFilter, MAX_CALENDAR, MAX_OWN, OwnClass, next_session};
pub use class_steps::ClassDetails;
pub use classes::{ClassLogLine, Demo, NewClass};
pub use error::StoreError;
pub use exports::{Access, StoredExport};
pub use hall::{CheckIn, HallCounts, NewHallMark, last_marks};
pub use imports::{ImportAccounts, ImportFacts, ImportOrder, Imported};
pub use ledger::{
    BACKLOG_EVENTS, BATCH_EVENTS, LedgerWriter, QUEUE_JOBS, RETRY_EVERY, SESSIONS_CACHED,
};
pub use lophoc_classes::{Class, ClassId};
pub use materials::{
    HandInBytes, Material, MaterialKind, MaterialLabels, MaterialState, MaterialsWaiting,
};
pub use people::PersonQuery;
pub use places::Place;
pub use preflight::{NewPreflight, PREFLIGHTS_KEPT};
pub use roster::{MAX_ROSTER, RosterAuthor, RosterHow, RosterLine};
pub use rules::HouseRules;
pub use sessions::{MAX_SESSIONS, NewSession, PlannedTime, Session, SessionMode, SessionState};
pub use staff::MAX_STAFF;
pub use store::{Store, StoreOptions};
pub use units::UnitQuery;
