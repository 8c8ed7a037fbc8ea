//! Corrections over automatic values.

use super::rows::permille;
use super::types::{Adjustment, Change, Outcome, Row, Rules, Status};

/// What the corrections of one person set, each with its number.
#[derive(Default)]
struct Set {
    status: Option<(u64, Status)>,
    present_ms: Option<(u64, u64)>,
    late: Option<(u64, bool)>,
    early: Option<(u64, bool)>,
}

/// Sets what stands in `row` from its automatic values and `corrections`, in
/// order of their numbers.
pub(crate) fn adjust<'a>(
    row: &mut Row,
    corrections: impl IntoIterator<Item = &'a Adjustment>,
    counted_ms: u64,
    rules: &Rules,
) {
    let mut set = Set::default();
    for correction in corrections {
        let no = correction.no;
        match &correction.change {
            Change::Status { to } => set.status = Some((no, *to)),
            Change::Present { to_ms } => set.present_ms = Some((no, *to_ms)),
            Change::Late { to } => set.late = Some((no, *to)),
            Change::Early { to } => set.early = Some((no, *to)),
            Change::Clear => set = Set::default(),
        }
    }
    let auto = row.auto;
    let status = set.status.map_or(auto.status, |(_, to)| to);
    let present_ms = set
        .present_ms
        .map_or(auto.present_ms, |(_, to_ms)| to_ms.min(counted_ms));
    let share = permille(present_ms, counted_ms);
    let is_present = status.is_present();
    row.stands = Outcome {
        status,
        present_ms,
        permille: share,
        late: is_present && set.late.map_or(auto.late, |(_, to)| to),
        early: is_present && set.early.map_or(auto.early, |(_, to)| to),
        enough: is_present && share >= rules.session_permille,
    };
    row.adjusted = [
        set.status.map(|(no, _)| no),
        set.present_ms.map(|(no, _)| no),
        set.late.map(|(no, _)| no),
        set.early.map(|(no, _)| no),
    ]
    .into_iter()
    .flatten()
    .collect();
    row.adjusted.sort_unstable();
}
