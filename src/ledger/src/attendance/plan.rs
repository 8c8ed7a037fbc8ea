//! Plan versus actual (TT 21/2017 Điều 3.1): sessions held, cut short, moved or
//! not held.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use super::types::Window;
use crate::event::SessionKey;

/// A session as it was planned. Times are ms since the epoch, UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Planned {
    /// Which.
    pub session: SessionKey,
    /// Planned beginning of the approved plan; absent: not in the plan.
    pub from_ms: Option<u64>,
    /// Planned end of the approved plan.
    pub to_ms: Option<u64>,
    /// Beginning it was moved to later on; absent: never moved.
    pub moved_to_ms: Option<u64>,
    /// Was cancelled.
    pub cancelled: bool,
}

/// From which difference on a session is told apart from its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PlanRules {
    /// Shorter than planned by more than this: cut short. Default 10 min.
    pub short_ms: u64,
    /// Begun earlier or later than planned by more than this: moved. Default 60 min.
    pub moved_ms: u64,
}

impl Default for PlanRules {
    fn default() -> Self {
        Self {
            short_ms: 600_000,
            moved_ms: 3_600_000,
        }
    }
}

/// What became of a planned session.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS, ToSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum PlanState {
    /// Chưa đến giờ: still to come, at the planned time or another.
    Upcoming,
    /// Đang diễn ra.
    Running,
    /// Đã tổ chức: held as planned.
    Held,
    /// Rút ngắn: held, shorter than planned.
    CutShort,
    /// Dời lịch: held in full at another time.
    Moved,
    /// Dời lịch và rút ngắn.
    MovedCutShort,
    /// Ngoài kế hoạch: held without a planned time.
    Unplanned,
    /// Không tổ chức: its time is over and it never began.
    NotHeld,
    /// Hủy.
    Cancelled,
}

impl PlanState {
    /// Took place, whole or in part.
    pub fn is_held(self) -> bool {
        matches!(
            self,
            Self::Held | Self::CutShort | Self::Moved | Self::MovedCutShort | Self::Unplanned
        )
    }
}

/// One session, plan beside actual.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlanRow {
    /// The plan.
    pub planned: Planned,
    /// Planned length, ms.
    pub planned_ms: Option<u64>,
    /// Actual beginning.
    pub from_ms: Option<u64>,
    /// Actual end.
    pub to_ms: Option<u64>,
    /// Actual length from beginning to end, ms; up to now while it runs.
    pub actual_ms: u64,
    /// … without breaks and outages.
    pub counted_ms: u64,
    /// Actual length minus planned one, ms; absent before the end or without a plan.
    pub difference_ms: Option<i64>,
    /// Actual beginning minus planned one (the new one of a moved session), ms.
    pub start_ms: Option<i64>,
    /// What became of it.
    pub state: PlanState,
}

/// Sums of plan and actual.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlanTotals {
    /// Sessions in the plan.
    pub planned: u32,
    /// Held, whole or in part, unplanned ones included.
    pub held: u32,
    /// … of them cut short.
    pub cut_short: u32,
    /// … of them at another time.
    pub moved: u32,
    /// Not held or cancelled.
    pub not_held: u32,
    /// Planned length, ms.
    pub planned_ms: u64,
    /// Actual length, ms.
    pub actual_ms: u64,
    /// Actual minus planned, ms.
    pub difference_ms: i64,
}

/// Plan versus actual of a class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlanReport {
    /// Sessions, as handed in.
    pub rows: Vec<PlanRow>,
    /// Sums.
    pub totals: PlanTotals,
}

/// `a - b` with a sign.
pub(crate) fn signed(a: u64, b: u64) -> i64 {
    i64::try_from(i128::from(a) - i128::from(b)).unwrap_or(if a > b { i64::MAX } else { i64::MIN })
}

/// Sets plans beside what became of them: the window of each session's report,
/// absent where there is no log. `now_ms` tells what is still to come.
pub fn plan_versus_actual(
    sessions: &[(Planned, Option<&Window>)],
    rules: &PlanRules,
    now_ms: u64,
) -> PlanReport {
    let rows: Vec<PlanRow> = sessions
        .iter()
        .map(|(planned, window)| row(planned, *window, rules, now_ms))
        .collect();
    let mut totals = PlanTotals::default();
    for row in &rows {
        totals.planned += u32::from(row.planned.from_ms.is_some());
        totals.held += u32::from(row.state.is_held());
        let (short, moved) = (PlanState::CutShort, PlanState::Moved);
        let both = PlanState::MovedCutShort;
        totals.cut_short += u32::from(row.state == short || row.state == both);
        totals.moved += u32::from(row.state == moved || row.state == both);
        totals.not_held += u32::from(matches!(
            row.state,
            PlanState::NotHeld | PlanState::Cancelled
        ));
        totals.planned_ms = totals
            .planned_ms
            .saturating_add(row.planned_ms.unwrap_or(0));
        totals.actual_ms = totals.actual_ms.saturating_add(row.actual_ms);
    }
    totals.difference_ms = signed(totals.actual_ms, totals.planned_ms);
    PlanReport { rows, totals }
}

fn row(planned: &Planned, window: Option<&Window>, rules: &PlanRules, now_ms: u64) -> PlanRow {
    let planned_ms = match (planned.from_ms, planned.to_ms) {
        (Some(from_ms), Some(to_ms)) => Some(to_ms.saturating_sub(from_ms)),
        _ => None,
    };
    let from_ms = window.and_then(|window| window.from_ms);
    let to_ms = window.and_then(|window| window.to_ms);
    let actual_ms = from_ms.map_or(0, |from_ms| to_ms.unwrap_or(now_ms).saturating_sub(from_ms));
    let expected_ms = planned.moved_to_ms.or(planned.from_ms);
    let difference_ms = match (to_ms, planned_ms) {
        (Some(_), Some(planned_ms)) => Some(signed(actual_ms, planned_ms)),
        _ => None,
    };
    let start_ms = match (from_ms, expected_ms) {
        (Some(from_ms), Some(expected_ms)) => Some(signed(from_ms, expected_ms)),
        _ => None,
    };
    let off = |from_ms: u64| {
        planned
            .from_ms
            .is_some_and(|at| from_ms.abs_diff(at) > rules.moved_ms)
    };
    let state = match (from_ms, to_ms) {
        (Some(_), None) => PlanState::Running,
        (Some(_), Some(_)) if planned.from_ms.is_none() => PlanState::Unplanned,
        (Some(from_ms), Some(_)) => {
            let short =
                difference_ms.is_some_and(|by| by < 0 && by.unsigned_abs() > rules.short_ms);
            match (off(from_ms), short) {
                (false, false) => PlanState::Held,
                (false, true) => PlanState::CutShort,
                (true, false) => PlanState::Moved,
                (true, true) => PlanState::MovedCutShort,
            }
        }
        (None, _) if planned.cancelled => PlanState::Cancelled,
        (None, _) => {
            let ends_ms = expected_ms
                .map(|from_ms| from_ms.saturating_add(planned_ms.unwrap_or(rules.moved_ms)));
            match ends_ms {
                Some(ends_ms) if ends_ms < now_ms => PlanState::NotHeld,
                _ => PlanState::Upcoming,
            }
        }
    };
    PlanRow {
        planned: planned.clone(),
        planned_ms,
        from_ms,
        to_ms,
        actual_ms,
        counted_ms: window.map_or(0, |window| window.counted_ms),
        difference_ms,
        start_ms,
        state,
    }
}
