//! Marks at sites → the time of each person there.

use std::collections::{BTreeMap, HashMap};

use super::types::{HallMark, Interval, IntervalKind, Span};
use crate::event::PersonKey;

/// Ends of the hall's own: ticked out, not disconnected.
const LEFT: &str = "left";

/// A stretch in which a connection, or the trainer's hall, was there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lap {
    pub(crate) from_ms: u64,
    pub(crate) to_ms: u64,
    /// Goes on.
    pub(crate) open: bool,
    /// How it ended.
    pub(crate) end: Option<String>,
}

/// Intervals in order → stretches; those that overlap or touch are one, so a
/// change of device is no gap.
pub(crate) fn laps<'a>(intervals: impl IntoIterator<Item = &'a Interval>) -> Vec<Lap> {
    let mut laps: Vec<Lap> = Vec::new();
    for interval in intervals {
        match laps.last_mut() {
            Some(last) if interval.from_ms <= last.to_ms => {
                if interval.to_ms >= last.to_ms {
                    last.to_ms = interval.to_ms;
                    last.end.clone_from(&interval.end);
                }
                last.open |= interval.open;
            }
            _ => laps.push(Lap {
                from_ms: interval.from_ms,
                to_ms: interval.to_ms,
                open: interval.open,
                end: interval.end.clone(),
            }),
        }
    }
    laps
}

/// One stay of a person in one hall, as ticked.
#[derive(Debug, Clone, Copy)]
struct Tick {
    from_ms: u64,
    /// Absent: to the end.
    to_ms: Option<u64>,
    /// Assumed of the roster, not ticked.
    assumed: bool,
}

/// Ticks of one person, by hall; `None` is the trainer's.
#[derive(Default)]
pub(crate) struct Ticks<'a> {
    halls: BTreeMap<Option<&'a PersonKey>, Vec<Tick>>,
}

impl<'a> Ticks<'a> {
    /// Is in the trainer's hall for the whole time, until a mark says
    /// otherwise.
    fn assume(&mut self) {
        self.halls.entry(None).or_default().push(Tick {
            from_ms: 0,
            to_ms: None,
            assumed: true,
        });
    }

    /// The next mark, in order of `seq`.
    fn mark(&mut self, mark: &'a HallMark) {
        let ticks = self.halls.entry(mark.site.as_ref()).or_default();
        let last = ticks.last_mut();
        match (mark.on, mark.at_ms, last) {
            (true, at_ms, Some(last)) if last.to_ms.is_none() => {
                let at_ms = at_ms.unwrap_or(0);
                last.from_ms = if last.assumed {
                    at_ms
                } else {
                    last.from_ms.min(at_ms)
                };
                last.assumed = false;
            }
            (true, at_ms, _) => ticks.push(Tick {
                from_ms: at_ms.unwrap_or(0),
                to_ms: None,
                assumed: false,
            }),
            // Of somebody who is out already, a later mark corrects when.
            (false, Some(at_ms), Some(last)) => last.to_ms = Some(at_ms),
            (false, None, Some(_)) => {
                ticks.pop();
            }
            (false, _, None) => {}
        }
    }

    /// Some tick was not taken back.
    pub(crate) fn any(&self) -> bool {
        self.halls.values().any(|ticks| !ticks.is_empty())
    }

    /// Intervals in the halls: the stretches of each hall cut by the ticks.
    pub(crate) fn intervals(
        &self,
        trainers: &[Lap],
        sites: &HashMap<&PersonKey, Vec<Lap>>,
    ) -> Vec<Interval> {
        let mut intervals = Vec::new();
        for (&site, ticks) in &self.halls {
            let laps = match site {
                None => trainers,
                Some(site) => sites.get(site).map_or(&[][..], Vec::as_slice),
            };
            for tick in ticks {
                cut(laps, *tick, site, &mut intervals);
            }
        }
        intervals
    }
}

fn cut(laps: &[Lap], tick: Tick, site: Option<&PersonKey>, into: &mut Vec<Interval>) {
    for lap in laps {
        let from_ms = lap.from_ms.max(tick.from_ms);
        let (to_ms, cut) = match tick.to_ms {
            Some(to_ms) if to_ms < lap.to_ms => (to_ms, true),
            _ => (lap.to_ms, false),
        };
        let open = lap.open && tick.to_ms.is_none_or(|to_ms| to_ms > lap.to_ms);
        if to_ms < from_ms || (to_ms == from_ms && !open) {
            continue;
        }
        let end = if cut || (lap.open && !open) {
            Some(LEFT.to_owned())
        } else {
            lap.end.clone()
        };
        into.push(Interval {
            from_ms,
            to_ms,
            open,
            kind: IntervalKind::Hall,
            device: None,
            site: site.cloned(),
            end,
        });
    }
}

/// The marks by person, order and repeats do not matter; `assumed` are in the
/// trainer's hall without a mark.
pub(crate) fn ticks<'a>(
    marks: &'a [HallMark],
    assumed: impl Iterator<Item = &'a PersonKey>,
) -> HashMap<&'a PersonKey, Ticks<'a>> {
    let mut ordered: Vec<&HallMark> = marks.iter().collect();
    ordered.sort_by_key(|mark| mark.seq);
    ordered.dedup_by_key(|mark| mark.seq);
    let mut people: HashMap<&PersonKey, Ticks<'_>> = HashMap::new();
    for person in assumed {
        let ticks = people.entry(person).or_default();
        if !ticks.any() {
            ticks.assume();
        }
    }
    for mark in ordered {
        people.entry(&mark.person).or_default().mark(mark);
    }
    people
}

/// The trainer's hall: its time is the session's.
pub(crate) fn trainers_hall(lessons: &[Span], running: bool) -> Vec<Lap> {
    let last = lessons.len().saturating_sub(1);
    lessons
        .iter()
        .enumerate()
        .map(|(index, span)| {
            let open = running && index == last;
            Lap {
                from_ms: span.from_ms,
                to_ms: span.to_ms,
                open,
                end: (!open).then(|| "ended".to_owned()),
            }
        })
        .collect()
}
