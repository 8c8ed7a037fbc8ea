//! Corrections over automatic values, and the sums of what stands.

use super::rows::{is_staff, permille};
use super::types::{Adjustment, Change, Outcome, Row, Rules, Status, Totals};

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

/// The sums, by what stands.
pub(crate) fn totals(rows: &[Row]) -> Totals {
    let mut totals = Totals::default();
    let mut shares = 0u64;
    for row in rows {
        let stands = row.stands;
        if row.is_site || is_staff(&row.role) {
            continue;
        }
        if !row.expected {
            totals.guests += u32::from(stands.status.is_present());
            continue;
        }
        totals.expected += 1;
        let sum = match stands.status {
            Status::NotTaken => &mut totals.not_taken,
            Status::Online => &mut totals.online,
            Status::AtSite => &mut totals.at_site,
            Status::InPerson => &mut totals.in_person,
            Status::Excused => &mut totals.excused,
            Status::Absent => &mut totals.absent,
        };
        *sum += 1;
        if stands.status.is_present() {
            totals.present += 1;
            totals.late += u32::from(stands.late);
            totals.early += u32::from(stands.early);
            shares += u64::from(stands.permille);
        }
    }
    totals.mean_permille = permille(shares, u64::from(totals.expected) * 1_000);
    totals
}
