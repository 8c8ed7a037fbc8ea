//! Sums of what stands: of a session, by unit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use super::rows::{is_staff, permille};
use super::types::{Outcome, Row, Status, Totals};
use crate::collation::text_key;

/// Sums being made.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    totals: Totals,
    shares: u64,
}

impl Tally {
    /// Adds one expected person.
    pub(crate) fn expected(&mut self, stands: &Outcome) {
        let totals = &mut self.totals;
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
            self.shares += u64::from(stands.permille);
        }
    }

    /// Adds a row as what it is: staff and sites are in no sum.
    fn row(&mut self, row: &Row) {
        if row.is_learner() {
            self.expected(&row.stands);
        } else if row.is_guest() {
            self.totals.guests += u32::from(row.stands.status.is_present());
        }
    }

    /// Adds other sums.
    pub(crate) fn add(&mut self, other: &Self) {
        let (sum, more) = (&mut self.totals, &other.totals);
        sum.expected += more.expected;
        sum.present += more.present;
        sum.online += more.online;
        sum.at_site += more.at_site;
        sum.in_person += more.in_person;
        sum.excused += more.excused;
        sum.absent += more.absent;
        sum.not_taken += more.not_taken;
        sum.late += more.late;
        sum.early += more.early;
        sum.guests += more.guests;
        self.shares += other.shares;
    }

    pub(crate) fn totals(mut self) -> Totals {
        self.totals.mean_permille = permille(self.shares, u64::from(self.totals.expected) * 1_000);
        self.totals
    }
}

impl Row {
    /// Counts as expected: on the roster, a person, no staff.
    pub fn is_learner(&self) -> bool {
        self.expected && !self.is_site && !is_staff(&self.role)
    }

    /// Counts as a guest when present: not on the roster, a person, no staff.
    pub fn is_guest(&self) -> bool {
        !self.expected && !self.is_site && !is_staff(&self.role)
    }
}

impl Totals {
    /// Tỷ lệ có mặt: present of expected, per mille, rounded half up.
    pub fn present_permille(&self) -> u16 {
        permille(u64::from(self.present), u64::from(self.expected))
    }
}

/// The sums of rows, by what stands.
pub fn totals(rows: &[Row]) -> Totals {
    let mut tally = Tally::default();
    for row in rows {
        tally.row(row);
    }
    tally.totals()
}

/// Sums of one unit (tổng hợp theo đơn vị).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnitTotals {
    /// The unit as the rows name it; absent: of no unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub unit: Option<String>,
    /// Its sums.
    pub totals: Totals,
}

/// Something by unit, in Vietnamese order of the units' names, what has no unit
/// last.
pub(crate) struct ByUnit<T>(BTreeMap<(bool, Vec<u8>, String), T>);

impl<T: Default> ByUnit<T> {
    pub(crate) fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// The entry of a unit.
    pub(crate) fn entry(&mut self, unit: Option<&str>) -> &mut T {
        let unit = unit.map(str::trim).unwrap_or_default();
        let key = (unit.is_empty(), text_key(unit), unit.to_owned());
        self.0.entry(key).or_default()
    }

    pub(crate) fn into_entries(self) -> impl Iterator<Item = (Option<String>, T)> {
        self.0
            .into_iter()
            .map(|((_, _, unit), entry)| ((!unit.is_empty()).then_some(unit), entry))
    }
}

/// The sums of rows by unit, units without anybody who counts left out.
pub fn by_unit(rows: &[Row]) -> Vec<UnitTotals> {
    let mut units: ByUnit<Tally> = ByUnit::new();
    for row in rows.iter().filter(|row| row.is_learner() || row.is_guest()) {
        units.entry(row.unit.as_deref()).row(row);
    }
    units
        .into_entries()
        .map(|(unit, tally)| UnitTotals {
            unit,
            totals: tally.totals(),
        })
        .filter(|unit| unit.totals.expected > 0 || unit.totals.guests > 0)
        .collect()
}
