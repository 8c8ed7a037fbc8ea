//! The ledger of a class session: what happened, in order, and what follows
//! from it about who was present when.
//!
//! This crate holds the **event types** that go to the durable log, and **pure
//! functions** over them. The same events give the same results for ever, in
//! whatever order or however often they are handed in, so attendance can be
//! computed again years later and compared.
//!
//! - [`stays`]: who was in the room from when to when. A stay is a fact.
//! - [`attendance`]: facts, ticks in halls, [rules](Rules) and corrections → a
//!   [`Report`]. Lengths are counted on the axis of the counted time: lessons
//!   minus announced breaks minus outages of the server.
//! - [`class_summary`], [`by_unit`]: reports → the summary of a class, of units.
//! - [`activity`]: what those who teach did, how learners took part, who had the
//!   floor when.
//! - [`captions`], [`webvtt`]: what was typed while others spoke, also as a file.
//! - [`polls`]: polls, quizzes and votes with their results.
//! - [`plan_versus_actual`]: planned sessions beside what became of them.
//! - [`name_key`], [`fold_name`], [`match_name`]: names in order, in search, in
//!   comparison.
//!
//! It never stores anything, never reads a clock, never asks a network.
//!
//! Event kinds are append-only: a kind or field, once released, keeps its name
//! and meaning. A log written by a newer version still loads; kinds this
//! version does not know are kept as they were read ([`EventKind::Unknown`]).

mod attendance;
mod captions;
mod collation;
mod consents;
mod csv;
mod event;
mod names;
mod polls;
mod recordings;
mod stays;
mod timeline;

pub use attendance::{
    Activity, Adjustment, Change, ClassBy, ClassCell, ClassPart, ClassRow, ClassSession,
    ClassSummary, ClassUnit, Expected, FloorTurn, HallHow, HallMark, Input, Interval, IntervalKind,
    Mark, Outcome, PersonActivity, PlanReport, PlanRow, PlanRules, PlanState, PlanTotals, Planned,
    Report, Row, Rules, Span, Status, Totals, UnitTotals, Window, activity, attendance, by_unit,
    class_summary, is_staff, permille, plan_versus_actual, sort_rows, totals,
};
pub use captions::{CaptionLine, captions, webvtt};
pub use collation::{NameKey, NameOrder, name_key, name_key_in};
pub use consents::{Consent, RecordingConsent, recording_consents};
pub use csv::{CsvOptions, INDOCHINA_OFFSET_MIN, stays_csv};
pub use event::{
    Event, EventKind, LastSeen, LeaveReason, MediaName, PersonKey, SessionKey, Stamp, WaitOutcome,
};
pub use names::{fold_name, match_name};
pub use polls::{PollAnswer, PollAsked, PollChosen, PollRecord, PollSums, polls};
pub use recordings::{RecordingSpan, recordings};
pub use stays::{Stay, StayEnd, stays};
