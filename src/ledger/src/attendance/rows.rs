//! One person's intervals → one row.

use super::hall::{Lap, laps};
use super::types::{Expected, Interval, IntervalKind, Outcome, Row, Rules, Status};
use super::window::Counted;
use crate::collation::{NameOrder, name_key_in};
use crate::event::PersonKey;
use crate::stays::Identity;

/// Roles of those who run a session: never learners, never guests. A role of a
/// newer version is none of them.
pub fn is_staff(role: &str) -> bool {
    matches!(
        role,
        "organiser"
            | "chair"
            | "trainer"
            | "adviser"
            | "technician"
            | "contentAuthor"
            | "secretary"
            | "inspector"
            | "observer"
    )
}

/// `part` of `whole`, per mille, rounded half up, 1000 at most; 0 of nothing.
pub fn permille(part: u64, whole: u64) -> u16 {
    let (part, whole) = (u128::from(part), u128::from(whole));
    match (part * 2_000 + whole).checked_div(whole * 2) {
        Some(share) => u16::try_from(share.min(1_000)).unwrap_or(1_000),
        None => 0,
    }
}

/// Sorts rows as a report does, in an order of names: the expected first, each
/// part by name, namesakes by their keys.
pub fn sort_rows(rows: &mut [Row], order: NameOrder) {
    rows.sort_by_cached_key(|row| {
        let key = name_key_in(order, &row.name, row.sort.as_deref());
        (!row.expected, key, row.person.clone())
    });
}

/// What is known of a person before the rules.
#[derive(Default)]
pub(crate) struct Draft<'a> {
    pub(crate) expected: Option<&'a Expected>,
    pub(crate) joined: Option<Identity<'a>>,
    /// Own connections, in order.
    pub(crate) own: Vec<Interval>,
    /// In halls, any order.
    pub(crate) hall: Vec<Interval>,
    /// The log calls it a site, or others are ticked in behind it.
    pub(crate) is_site: bool,
    /// Checks answered, of those asked.
    pub(crate) checks: (u32, u32),
}

/// Presence on the axis of the counted time.
#[derive(Default)]
struct Presence {
    /// Time present, bridged gaps included.
    present_ms: u64,
    gaps: u32,
}

fn presence(laps: &[Lap], counted: &Counted, grace_ms: u64) -> Presence {
    let mut presence = Presence::default();
    let mut until: Option<u64> = None;
    for lap in laps {
        let (from, to) = (counted.axis.at(lap.from_ms), counted.axis.at(lap.to_ms));
        if to <= from {
            continue;
        }
        if let Some(until) = until {
            let gap = from.saturating_sub(until);
            presence.gaps = presence.gaps.saturating_add(u32::from(gap > 0));
            if gap < grace_ms {
                presence.present_ms += gap;
            }
        }
        presence.present_ms += to - from;
        until = Some(to);
    }
    presence
}

/// Counted time of the intervals that `pick` takes, as one set.
fn measure(
    intervals: &[Interval],
    counted: &Counted,
    pick: impl Fn(&Interval) -> bool,
) -> (u64, bool) {
    let laps = laps(intervals.iter().filter(|interval| pick(interval)));
    let ms = laps
        .iter()
        .map(|lap| counted.axis.between(lap.from_ms, lap.to_ms))
        .sum();
    (ms, laps.iter().any(|lap| lap.open))
}

fn is_own(interval: &Interval) -> bool {
    interval.kind == IntervalKind::Online
}

fn is_at_site(interval: &Interval) -> bool {
    interval.kind == IntervalKind::Hall && interval.site.is_some()
}

fn is_in_person(interval: &Interval) -> bool {
    interval.kind == IntervalKind::Hall && interval.site.is_none()
}

/// Which presence it was: the one with the most counted time; an own
/// connection before a tick, the trainer's hall before a site. `None`: none.
fn presence_status(intervals: &[Interval], counted: &Counted) -> Option<Status> {
    counted.window.from_ms?;
    let (own, own_open) = measure(intervals, counted, is_own);
    let (site, site_open) = measure(intervals, counted, is_at_site);
    let (hall, hall_open) = measure(intervals, counted, is_in_person);
    if own.max(site).max(hall) == 0 {
        // Here, but not for a moment that counts: came in a break, or right now.
        return if !counted.running {
            None
        } else if own_open {
            Some(Status::Online)
        } else if hall_open {
            Some(Status::InPerson)
        } else {
            site_open.then_some(Status::AtSite)
        };
    }
    Some(if own >= site.max(hall) {
        Status::Online
    } else if hall >= site {
        Status::InPerson
    } else {
        Status::AtSite
    })
}

impl Draft<'_> {
    /// The row, with what stands as the automatic values.
    pub(crate) fn row(self, person: PersonKey, counted: &Counted, rules: &Rules) -> Row {
        let mut intervals = self.own;
        if !self.hall.is_empty() {
            intervals.extend(self.hall);
            intervals.sort_by(|a, b| {
                (a.from_ms, a.to_ms, a.kind, &a.site).cmp(&(b.from_ms, b.to_ms, b.kind, &b.site))
            });
        }
        let all = laps(&intervals);
        let here = all.iter().any(|lap| lap.open);
        let touching = |lap: &&Lap| {
            counted.lesson_axis.between(lap.from_ms, lap.to_ms) > 0 || (lap.open && counted.running)
        };
        let first_in_ms = all.iter().find(touching).map(|lap| lap.from_ms);
        let last_out_ms = all.iter().rfind(touching).map(|lap| lap.to_ms);
        let entries = all.iter().filter(touching).count();
        let site = intervals.iter().find_map(|interval| interval.site.clone());

        let presence = presence(&all, counted, rules.grace_ms);
        let excused = self.expected.and_then(|expected| expected.excused.clone());
        let status = presence_status(&intervals, counted).unwrap_or(match self.expected {
            Some(_) if counted.ended && excused.is_some() => Status::Excused,
            Some(_) if counted.ended => Status::Absent,
            _ => Status::NotTaken,
        });
        let is_present = status.is_present();
        let permille = permille(presence.present_ms, counted.axis.len_ms());
        let auto = Outcome {
            status,
            present_ms: presence.present_ms,
            permille,
            late: is_present
                && first_in_ms.is_some_and(|at| counted.after_start_ms(at) > rules.late_ms),
            early: is_present
                && !here
                && last_out_ms.is_some_and(|at| counted.before_end_ms(at) > rules.early_ms),
            enough: is_present && permille >= rules.session_permille,
        };
        let name = match (self.expected, self.joined) {
            (Some(expected), _) => expected.name.clone(),
            (None, Some(joined)) => joined.name.to_owned(),
            (None, None) => person.0.clone(),
        };
        let unit = self
            .expected
            .and_then(|expected| expected.unit.clone())
            .or_else(|| {
                self.joined
                    .and_then(|joined| joined.unit.map(str::to_owned))
            });
        Row {
            name,
            sort: self.expected.and_then(|expected| expected.sort.clone()),
            unit,
            role: self
                .joined
                .map_or("learner", |joined| joined.role)
                .to_owned(),
            expected: self.expected.is_some(),
            is_site: self
                .expected
                .map_or(self.is_site, |expected| expected.is_site),
            intervals,
            entries: u32::try_from(entries).unwrap_or(u32::MAX),
            gaps: presence.gaps,
            first_in_ms,
            last_out_ms: last_out_ms.filter(|_| !here),
            here,
            site,
            excused,
            checks: self.checks,
            auto,
            stands: auto,
            adjusted: Vec::new(),
            person,
        }
    }
}
