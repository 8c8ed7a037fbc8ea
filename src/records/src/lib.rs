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
mod copy;
mod courses;
mod error;
mod exports;
mod hall;
mod imports;
mod incidents;
mod ledger;
mod materials;
mod notices;
mod people;
mod places;
mod preflight;
mod recording;
mod recording_consent;
mod recording_films;
mod recording_jobs;
mod recording_keep;
mod recordings;
mod roster;
mod rules;
mod session_phase;
mod sessions;
mod staff;
mod store;
mod units;
mod webhooks;

pub use accounts::{
    AccountToAdd, KnownAccount, SIGN_IN_IDLE_MS, SIGN_IN_LIFE_MS, SIGN_IN_LOG_KEPT_MS, SignInLine,
    SignInOutcome,
};
pub use attendance::{AttendanceInput, Author, NewCorrection, NewVersion, StoredVersion};
pub use attendance_roster::Listed;
pub use class_list::{ClassFilter, MAX_CALENDAR, MAX_OWN, OwnClass, next_session};
pub use class_steps::ClassDetails;
pub use classes::{ClassLogLine, Demo, NewClass};
pub use copy::{check_database, copy_database};
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
pub use notices::{DueMail, LastNotice, NewNotice, Sent};
pub use people::PersonQuery;
pub use places::Place;
pub use preflight::{NewPreflight, PREFLIGHTS_KEPT};
pub use recording::{RecordingAccepted, RecordingNotice, RecordingPlan, RecordingSetting};
pub use recording_jobs::{JobEnd, RecordingJob, RecordingStage};
pub use recording_keep::{MAX_CAPTIONS, StoredObject, Watched};
pub use recordings::{
    MAX_RECORDINGS, NewRecording, Recording, RecordingAuthor, RecordingFacts, RecordingFilter,
};
pub use roster::{MAX_ROSTER, RosterAuthor, RosterHow, RosterLine};
pub use rules::HouseRules;
pub use sessions::{MAX_SESSIONS, NewSession, PlannedTime, Session, SessionMode, SessionState};
pub use staff::MAX_STAFF;
pub use store::{Store, StoreOptions};
pub use units::UnitQuery;
pub use webhooks::{DueHook, HookEnd, MAX_WEBHOOKS};
