//! What attendance is computed from, and what comes out.
//!
//! Times are milliseconds since the Unix epoch, UTC, on the session's one time
//! line; lengths are milliseconds; shares are per mille, rounded half up
//! (932 = `93,2%`).

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::event::{Event, LastSeen, PersonKey, Stamp};

/// Counting rules of a class, fields of its approved plan. Printed on the sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Rules {
    /// A gap shorter than this is bridged and counted as one gap. Default 60 s.
    pub grace_ms: u64,
    /// First arrival later than the beginning plus this is *đi muộn*. Default 10 min.
    /// Time in which the server was down does not make anybody late or early,
    /// unless `count_outages`.
    pub late_ms: u64,
    /// Last departure earlier than the end minus this is *về sớm*, once there is
    /// an end. Default 10 min.
    pub early_ms: u64,
    /// Share of the counted window from which a session counts as attended.
    /// Default 800. No national rule fixes it: it is the plan's.
    pub session_permille: u16,
    /// Share from which the class counts as attended. Default 800.
    pub class_permille: u16,
    /// What `class_permille` is a share of.
    pub class_by: ClassBy,
    /// Time in which the server was down stays in the counted window. Default no.
    pub count_outages: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            grace_ms: 60_000,
            late_ms: 600_000,
            early_ms: 600_000,
            session_permille: 800,
            class_permille: 800,
            class_by: ClassBy::Minutes,
            count_outages: false,
        }
    }
}

/// What a share of the class is taken of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum ClassBy {
    /// Of the counted minutes of all sessions that count.
    Minutes,
    /// Of the number of sessions that count.
    Sessions,
}

/// Somebody who should be there: a row of the roster that stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Expected {
    /// Who.
    pub person: PersonKey,
    /// Full name in the roster.
    pub name: String,
    /// Explicit key to sort by in place of the given name.
    pub sort: Option<String>,
    /// Unit.
    pub unit: Option<String>,
    /// Reason of an absence that was excused beforehand (vắng có phép).
    pub excused: Option<String>,
    /// Attends in the same hall as the trainer (có mặt trực tiếp): present for
    /// the whole window unless a mark there says otherwise. An absence excused
    /// beforehand takes this back.
    pub in_person: bool,
    /// Is a site (điểm cầu), a connection and not a person: has a row, counts
    /// in no sum.
    #[serde(default)]
    pub is_site: bool,
}

/// How somebody was ticked in at a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum HallHow {
    /// By the site's contact, from the list of the unit.
    Contact,
    /// By scanning the code on the hall screen.
    Qr,
    /// From the signed paper list.
    Paper,
}

/// One tick, in or out, of one person at a site (điểm cầu). Append-only.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HallMark {
    /// Order of the marks of a session.
    pub seq: u64,
    /// Who sits there.
    pub person: PersonKey,
    /// The connection of the site: the person key it joins with. Absent: the
    /// hall where the trainer is, whose time is the session's.
    pub site: Option<PersonKey>,
    /// In, or out.
    pub on: bool,
    /// How.
    pub how: HallHow,
    /// By whom; the person himself for a scan.
    pub by: PersonKey,
    /// Present from, or until, then. Absent with `on`: as long as the site is
    /// connected. Absent without `on`: the in-mark was a mistake and is void.
    pub at_ms: Option<u64>,
    /// When the mark was made.
    pub made_ms: u64,
}

/// State of a person in a session, as the sheet names it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS, ToSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    /// Chưa điểm danh: the session has not begun, or is not over and the person
    /// has not come yet; also somebody not on the roster who was only there
    /// outside of the counted window.
    NotTaken,
    /// Có mặt trực tuyến.
    Online,
    /// Có mặt tại điểm cầu: behind the connection of a site.
    AtSite,
    /// Có mặt trực tiếp: in the hall of the trainer.
    InPerson,
    /// Vắng có phép (P).
    Excused,
    /// Vắng không phép (K).
    Absent,
}

impl Status {
    /// One of the three presences.
    pub fn is_present(self) -> bool {
        matches!(self, Self::Online | Self::AtSite | Self::InPerson)
    }
}

/// What a correction sets. Automatic values stay beside it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(
    tag = "field",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Change {
    /// The status; minutes stay as they are unless changed as well.
    Status {
        /// New status.
        to: Status,
    },
    /// Time present; at most the counted window. Share and `enough` follow.
    Present {
        /// New length, ms.
        to_ms: u64,
    },
    /// Late or not.
    Late {
        /// New value.
        to: bool,
    },
    /// Left early or not.
    Early {
        /// New value.
        to: bool,
    },
    /// Takes back all earlier corrections of this person in this session.
    Clear,
}

/// A correction (điều chỉnh). Append-only; later ones win.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Adjustment {
    /// Number in the session, from 1.
    pub no: u64,
    /// Whose row.
    pub person: PersonKey,
    /// What.
    #[serde(flatten)]
    pub change: Change,
    /// What stood there before, as the sheet showed it.
    pub was: String,
    /// Why. Never empty.
    pub reason: String,
    /// Reference to a proof (a document number, a file).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub evidence: Option<String>,
    /// By whom.
    pub by: PersonKey,
    /// Name of who did it, for the sheet.
    pub by_name: String,
    /// When.
    pub made_ms: u64,
}

/// Everything a session's attendance follows from.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The session's log; order and repeats do not matter.
    pub events: &'a [Event],
    /// Last-seen marks of every run of the server.
    pub presence: &'a [LastSeen],
    /// Clocks of the server when the session's room runs in it now.
    pub now: Option<Stamp>,
    /// Ticks at sites.
    pub hall: &'a [HallMark],
    /// Who should be there.
    pub expected: &'a [Expected],
    /// Corrections.
    pub adjustments: &'a [Adjustment],
    /// Rules.
    pub rules: &'a Rules,
}

/// A stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Span {
    /// Beginning.
    pub from_ms: u64,
    /// End.
    pub to_ms: u64,
}

/// The time that counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Window {
    /// Actual beginning; absent before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub from_ms: Option<u64>,
    /// Actual end; absent while it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub to_ms: Option<u64>,
    /// What counts: the windows minus breaks and, by rule, outages.
    pub counted: Vec<Span>,
    /// Announced breaks.
    pub breaks: Vec<Span>,
    /// Times inside the windows in which the server was down.
    pub outages: Vec<Span>,
    /// Length of `counted`.
    pub counted_ms: u64,
}

/// What presence an interval is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS, ToSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum IntervalKind {
    /// Own connection.
    Online,
    /// At a site, or in the trainer's hall.
    Hall,
}

/// One interval of presence as it was, before grace and window.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Interval {
    /// Beginning.
    pub from_ms: u64,
    /// End; while it goes on, now.
    pub to_ms: u64,
    /// Goes on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub open: bool,
    /// What.
    pub kind: IntervalKind,
    /// Device of the connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub device: Option<String>,
    /// Person key of the site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub site: Option<PersonKey>,
    /// Why it ended: `left`, `network`, `removed`, `ended`, `serverStopped`,
    /// `takenOver`, `lapse`, `other`; absent while it goes on. Of a tick, `left`
    /// is ticked out, else how the connection of the site ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub end: Option<String>,
}

/// The part of a row that rules and people decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// Status.
    pub status: Status,
    /// Time present in the counted window, grace bridged.
    pub present_ms: u64,
    /// `present_ms` of the counted window, rounded half up.
    pub permille: u16,
    /// Đi muộn (M); never of somebody absent.
    pub late: bool,
    /// Về sớm (S); never of somebody absent or while the session goes on.
    pub early: bool,
    /// Is present and reaches the session's threshold with the share as shown.
    pub enough: bool,
}

/// One person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// Who.
    pub person: PersonKey,
    /// Name: the roster's, else as at the last join.
    pub name: String,
    /// Explicit key to sort by in place of the given name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub sort: Option<String>,
    /// Unit: the roster's, else as declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub unit: Option<String>,
    /// Role at the last join, the protocol's name; `learner` when never in. Staff
    /// ([`is_staff`](crate::is_staff)) are in no sum.
    pub role: String,
    /// Is on the roster.
    pub expected: bool,
    /// Is a site, not a person: on the roster as one, or not on the roster and
    /// joined as one or others are ticked in behind its connection.
    pub is_site: bool,
    /// Intervals, in order, those of the rehearsal included.
    pub intervals: Vec<Interval>,
    /// Times came in, of what touches the window. A change of device or name is
    /// no entry.
    pub entries: u32,
    /// Gaps inside the counted window, bridged ones included. A gap that spans
    /// only a break or an outage is none.
    pub gaps: u32,
    /// Beginning of the first interval that touches the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub first_in_ms: Option<u64>,
    /// End of the last one; absent while in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub last_out_ms: Option<u64>,
    /// Is in now.
    pub here: bool,
    /// Site where seen, the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub site: Option<PersonKey>,
    /// Reason of an excused absence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub excused: Option<String>,
    /// Presence checks answered, of those asked while in on an own connection. One
    /// answered after a drop counts as asked.
    pub checks: (u32, u32),
    /// What the server computed.
    pub auto: Outcome,
    /// What stands: `auto` with the corrections.
    pub stands: Outcome,
    /// Numbers of the corrections that hold: of each field the last one.
    pub adjusted: Vec<u64>,
}

/// Sums over the expected people, by what stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Triệu tập.
    pub expected: u32,
    /// Có mặt.
    pub present: u32,
    /// … trực tuyến.
    pub online: u32,
    /// … tại điểm cầu.
    pub at_site: u32,
    /// … trực tiếp.
    pub in_person: u32,
    /// Vắng có phép.
    pub excused: u32,
    /// Vắng không phép.
    pub absent: u32,
    /// Not taken yet.
    pub not_taken: u32,
    /// Late ones among the present.
    pub late: u32,
    /// Early leavers among the present.
    pub early: u32,
    /// Mean share of the expected, per mille, absent ones as 0.
    pub mean_permille: u16,
    /// People present who are not on the roster, staff left out.
    pub guests: u32,
}

/// Attendance of one session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The window.
    pub window: Window,
    /// The rules used.
    pub rules: Rules,
    /// One row per expected person and per person who was in, staff included
    /// (`role` tells); expected first, each part in Vietnamese order of names.
    pub rows: Vec<Row>,
    /// Sums.
    pub totals: Totals,
    /// Is final: the session ended.
    pub ended: bool,
}
