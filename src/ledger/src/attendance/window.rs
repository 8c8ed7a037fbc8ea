//! The time that counts: begun and ended lessons, minus breaks and outages.

use super::spans::{Axis, difference, intersection, union};
use super::types::{Rules, Span, Window};
use crate::event::{Event, EventKind, Stamp};
use crate::timeline::TimeLine;

/// The window of a session and what is looked up in it.
pub(crate) struct Counted {
    /// As the report shows it.
    pub(crate) window: Window,
    /// The lessons with their breaks: from each beginning to its end.
    pub(crate) lessons: Vec<Span>,
    /// The axis of the counted time.
    pub(crate) axis: Axis,
    /// The axis of the lessons.
    pub(crate) lesson_axis: Axis,
    /// The axis of the outages that do not count.
    outage_axis: Axis,
    /// The session ended and was not begun again.
    pub(crate) ended: bool,
    /// A lesson goes on in a room that runs.
    pub(crate) running: bool,
}

impl Counted {
    /// Reads the window of the log; `ordered` and `line` of the same events.
    pub(crate) fn read(
        ordered: &[&Event],
        line: &TimeLine,
        now: Option<Stamp>,
        rules: &Rules,
    ) -> Self {
        let mut marks = Marks::default();
        for event in ordered {
            marks.event(&event.kind, line.time(event.at));
        }
        let first_ms = ordered.first().map(|event| line.time(event.at));
        let last_ms = now.map(|now| line.time(now)).or_else(|| line.last_ms());
        marks.finish(first_ms, last_ms, now.is_some());

        let from_ms = marks.windows.iter().map(|span| span.from_ms).min();
        let to_ms = marks.windows.iter().map(|span| span.to_ms).max();
        let lessons = union(marks.windows);
        let breaks = intersection(&union(marks.breaks), &lessons);
        let down = line
            .between_runs()
            .map(|(from_ms, to_ms)| Span { from_ms, to_ms });
        let outages = intersection(&union(down.collect()), &lessons);
        let uncounted: &[Span] = if rules.count_outages { &[] } else { &outages };
        let counted = difference(&difference(&lessons, &breaks), uncounted);
        let axis = Axis::new(&counted);
        Self {
            axis,
            lesson_axis: Axis::new(&lessons),
            outage_axis: Axis::new(uncounted),
            ended: marks.ended,
            running: marks.running,
            window: Window {
                from_ms,
                to_ms: to_ms.filter(|_| !marks.running),
                counted_ms: counted.iter().map(|span| span.len_ms()).sum(),
                counted,
                breaks,
                outages,
            },
            lessons,
        }
    }

    /// Lies in a lesson, breaks included.
    pub(crate) fn in_lesson(&self, time_ms: u64) -> bool {
        let begun = self.lessons.partition_point(|span| span.from_ms <= time_ms);
        begun
            .checked_sub(1)
            .and_then(|at| self.lessons.get(at))
            .is_some_and(|span| time_ms <= span.to_ms)
    }

    /// How long after the beginning, not counting the time in which nobody
    /// could have come in.
    pub(crate) fn after_start_ms(&self, time_ms: u64) -> u64 {
        self.window.from_ms.map_or(0, |from_ms| {
            time_ms
                .saturating_sub(from_ms)
                .saturating_sub(self.outage_axis.between(from_ms, time_ms))
        })
    }

    /// How long before the end, by the same measure; 0 while there is none.
    pub(crate) fn before_end_ms(&self, time_ms: u64) -> u64 {
        self.window.to_ms.map_or(0, |to_ms| {
            to_ms
                .saturating_sub(time_ms)
                .saturating_sub(self.outage_axis.between(time_ms, to_ms))
        })
    }
}

/// What the log says about beginnings, ends and breaks.
#[derive(Default)]
struct Marks {
    opened_ms: Option<u64>,
    ended_ms: Option<u64>,
    started: bool,
    lesson_ms: Option<u64>,
    break_ms: Option<u64>,
    windows: Vec<Span>,
    breaks: Vec<Span>,
    ended: bool,
    running: bool,
}

impl Marks {
    fn event(&mut self, kind: &EventKind, time_ms: u64) {
        match kind {
            EventKind::Opened { .. } => {
                self.opened_ms.get_or_insert(time_ms);
            }
            EventKind::Started { .. } => {
                self.ended = false;
                self.started = true;
                if self.lesson_ms.is_none() {
                    self.end_break(time_ms);
                    self.lesson_ms = Some(time_ms);
                }
            }
            EventKind::Ended { .. } => {
                self.ended = true;
                self.ended_ms = Some(time_ms);
                self.end_break(time_ms);
                self.end_lesson(time_ms);
            }
            EventKind::Break { on: true, .. } => {
                self.break_ms.get_or_insert(time_ms);
            }
            EventKind::Break { on: false, .. } => self.end_break(time_ms),
            _ => {}
        }
    }

    fn end_break(&mut self, to_ms: u64) {
        if let Some(from_ms) = self.break_ms.take() {
            self.breaks.push(Span { from_ms, to_ms });
        }
    }

    fn end_lesson(&mut self, to_ms: u64) {
        if let Some(from_ms) = self.lesson_ms.take() {
            let to_ms = to_ms.max(from_ms);
            self.windows.push(Span { from_ms, to_ms });
        }
    }

    /// Ends what did not end at the last moment known.
    fn finish(&mut self, first_ms: Option<u64>, last_ms: Option<u64>, runs: bool) {
        if !self.started {
            // What has neither begun nor ended is a rehearsal. A log that ended
            // without a beginning is of a version that wrote none.
            if !self.ended {
                return;
            }
            self.lesson_ms = self.opened_ms.or(first_ms);
            if let Some(ended_ms) = self.ended_ms {
                self.end_lesson(ended_ms);
            }
        }
        if let Some(last_ms) = last_ms {
            self.running = runs && self.lesson_ms.is_some();
            self.end_break(last_ms);
            self.end_lesson(last_ms);
        }
    }
}
