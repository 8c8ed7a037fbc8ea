//! Events → attendance: presence as a union of intervals inside the counted
//! window, late and early, shares, corrections.

mod activity;
mod adjust;
mod class;
mod hall;
mod plan;
mod rows;
mod spans;
mod totals;
mod types;
mod window;

use std::collections::HashMap;

pub use activity::{Activity, FloorTurn, PersonActivity, activity};
pub use class::{
    ClassCell, ClassPart, ClassRow, ClassSession, ClassSummary, ClassUnit, Mark, class_summary,
};
pub use plan::{
    PlanReport, PlanRow, PlanRules, PlanState, PlanTotals, Planned, plan_versus_actual,
};
pub use rows::{is_staff, permille, sort_rows};
pub use totals::{UnitTotals, by_unit, totals};
pub use types::{
    Adjustment, Change, ClassBy, Expected, HallHow, HallMark, Input, Interval, IntervalKind,
    Outcome, Report, Row, Rules, Span, Status, Totals, Window,
};

use crate::collation::NameOrder;
use crate::event::{Event, EventKind, LeaveReason, PersonKey};
use crate::stays::{RawStay, StayEnd, members};
use crate::timeline::{TimeLine, ordered};
use hall::{Lap, laps, ticks, trainers_hall};
use rows::Draft;
use window::Counted;

/// The attendance of one session: presence of each person as the union of the
/// stretches of all his connections and ticks in the counted window, gaps
/// shorter than the grace bridged; then what rules and corrections make of it.
///
/// The same input gives the same report for ever; the order of events, marks,
/// ticks and corrections does not matter, nor do repeats. Lengths are counted on
/// the axis of the counted time: what lies in a break or an outage is neither
/// presence nor absence, so a gap is as long as the counted time in it.
pub fn attendance(input: &Input<'_>) -> Report {
    let ordered = ordered(input.events);
    let line = TimeLine::new(&ordered, input.presence, input.now);
    let counted = Counted::read(&ordered, &line, input.now, input.rules);

    let mut drafts: HashMap<&PersonKey, Draft<'_>> = HashMap::new();
    for member in members(&line, &ordered, input.presence, input.now) {
        // Of others there is a mark or a word, no presence.
        if !member.stays.is_empty() {
            let draft = drafts.entry(member.person).or_default();
            draft.joined = member.joined;
            draft.own = member.stays.iter().map(interval).collect();
        }
    }
    for event in &ordered {
        if let EventKind::Site { person, .. } = &event.kind
            && let Some(draft) = drafts.get_mut(person)
        {
            draft.is_site = true;
        }
    }
    checks(&ordered, &line, &mut drafts);
    for expected in input.expected {
        let draft = drafts.entry(&expected.person).or_default();
        draft.expected.get_or_insert(expected);
    }
    halls(input, &counted, &mut drafts);
    let corrections = corrections(input.adjustments);
    for &person in corrections.keys() {
        drafts.entry(person).or_default();
    }

    let counted_ms = counted.window.counted_ms;
    let mut rows: Vec<Row> = drafts
        .into_iter()
        .map(|(person, draft)| {
            let mut row = draft.row(person.clone(), &counted, input.rules);
            if let Some(corrections) = corrections.get(&row.person) {
                let corrections = corrections.iter().copied();
                adjust::adjust(&mut row, corrections, counted_ms, input.rules);
            }
            row
        })
        .collect();
    sort_rows(&mut rows, NameOrder::default());
    Report {
        totals: totals(&rows),
        rows,
        rules: *input.rules,
        ended: counted.ended,
        window: counted.window,
    }
}

fn interval(stay: &RawStay<'_>) -> Interval {
    Interval {
        from_ms: stay.from_ms,
        to_ms: stay.proven_ms,
        open: stay.to_ms.is_none(),
        kind: IntervalKind::Online,
        device: Some(stay.identity.device.to_owned()),
        site: None,
        end: stay.end.map(|end| end_name(end).to_owned()),
    }
}

fn end_name(end: StayEnd) -> &'static str {
    match end {
        StayEnd::Lapse => "lapse",
        StayEnd::Leave(reason) => match reason {
            LeaveReason::Left => "left",
            LeaveReason::Network => "network",
            LeaveReason::Removed => "removed",
            LeaveReason::Ended => "ended",
            LeaveReason::ServerStopped => "serverStopped",
            LeaveReason::TakenOver => "takenOver",
            LeaveReason::Other => "other",
        },
    }
}

/// Presence checks: asked while in on an own connection, answered. An answer
/// after a drop counts as asked, too.
fn checks(ordered: &[&Event], line: &TimeLine, drafts: &mut HashMap<&PersonKey, Draft<'_>>) {
    let mut asked: HashMap<&str, u64> = HashMap::new();
    let mut answered: Vec<(&PersonKey, &str)> = Vec::new();
    for event in ordered {
        match &event.kind {
            EventKind::CheckAsked { id, .. } => {
                asked.entry(id).or_insert_with(|| line.time(event.at));
            }
            EventKind::CheckAnswered { person, id } => answered.push((person, id)),
            _ => {}
        }
    }
    if asked.is_empty() {
        return;
    }
    let mut times: Vec<u64> = asked.values().copied().collect();
    times.sort_unstable();
    answered.sort_unstable();
    answered.dedup();
    let mut answers: HashMap<&PersonKey, Vec<u64>> = HashMap::new();
    for (person, id) in answered {
        if let Some(&time) = asked.get(id) {
            answers.entry(person).or_default().push(time);
        }
    }
    for (person, draft) in drafts {
        let laps = laps(&draft.own);
        // While in: of each lap both ends.
        let while_in: usize = laps
            .iter()
            .map(|lap| {
                let before = times.partition_point(|&time| time < lap.from_ms);
                let until = times.partition_point(|&time| time <= lap.to_ms);
                until.saturating_sub(before)
            })
            .sum();
        let answers = answers.get(person).map_or(&[][..], Vec::as_slice);
        let while_out = answers
            .iter()
            .filter(|&&time| {
                let begun = laps.partition_point(|lap| lap.from_ms <= time);
                let lap = begun.checked_sub(1).and_then(|at| laps.get(at));
                lap.is_none_or(|lap| lap.to_ms < time)
            })
            .count();
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        draft.checks = (number(answers.len()), number(while_in + while_out));
    }
}

/// Adds the intervals of those who sit in halls.
fn halls<'a>(input: &Input<'a>, counted: &Counted, drafts: &mut HashMap<&'a PersonKey, Draft<'a>>) {
    let assumed = input
        .expected
        .iter()
        .filter(|expected| expected.in_person && expected.excused.is_none())
        .map(|expected| &expected.person);
    let ticks = ticks(input.hall, assumed);
    let mut sites: HashMap<&PersonKey, Vec<Lap>> = HashMap::new();
    for site in input.hall.iter().filter_map(|mark| mark.site.as_ref()) {
        if let Some(draft) = drafts.get_mut(site) {
            draft.is_site = true;
            sites.entry(site).or_insert_with(|| laps(&draft.own));
        }
    }
    let trainers = trainers_hall(&counted.lessons, counted.running);
    for (person, ticks) in ticks {
        if ticks.any() {
            let intervals = ticks.intervals(&trainers, &sites);
            drafts.entry(person).or_default().hall = intervals;
        }
    }
}

/// The corrections by person, in order of their numbers.
fn corrections(adjustments: &[Adjustment]) -> HashMap<&PersonKey, Vec<&Adjustment>> {
    let mut ordered: Vec<&Adjustment> = adjustments.iter().collect();
    ordered.sort_by_key(|adjustment| adjustment.no);
    ordered.dedup_by_key(|adjustment| adjustment.no);
    let mut people: HashMap<&PersonKey, Vec<&Adjustment>> = HashMap::new();
    for adjustment in ordered {
        people
            .entry(&adjustment.person)
            .or_default()
            .push(adjustment);
    }
    people
}
