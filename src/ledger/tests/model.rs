//! Attendance against an independent model: a second at a time, in bits; and
//! what must hold of any log.
// Helpers outside of a test function fail the test all the same.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic)]

mod common;

use common::*;
use lophoc_ledger::{
    Change, Event, EventKind, Expected, PersonKey, Report, Stamp, Status, attendance,
};
use proptest::prelude::*;

/// People with connections; the first stands for a hall as well.
const PEOPLE: usize = 4;

/// What may happen next.
#[derive(Debug, Clone)]
enum Step {
    Join(usize, u8),
    Rename(usize),
    Leave(usize),
    /// Last heard this many seconds before.
    Lapse(usize, u64),
    Return(usize),
    Seen(usize),
    Start,
    Break(bool),
    End,
    /// The wall clock jumps.
    Clock(i64),
    /// The server dies and is back so many seconds later.
    Crash(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..PEOPLE;
    prop_oneof![
        6 => (who.clone(), 0..2u8).prop_map(|(who, device)| Step::Join(who, device)),
        1 => who.clone().prop_map(Step::Rename),
        3 => who.clone().prop_map(Step::Leave),
        3 => (who.clone(), 0..40u64).prop_map(|(who, ago)| Step::Lapse(who, ago)),
        4 => who.clone().prop_map(Step::Return),
        5 => who.prop_map(Step::Seen),
        3 => Just(Step::Start),
        2 => any::<bool>().prop_map(Step::Break),
        1 => Just(Step::End),
        1 => (-600..600i64).prop_map(Step::Clock),
        1 => (0..300u64).prop_map(Step::Crash),
    ]
}

fn script() -> impl Strategy<Value = Vec<(u64, Step)>> {
    // Often no time at all passes between two steps.
    let pause = prop_oneof![2 => Just(0u64), 3 => 1..90u64, 1 => 90..900u64];
    prop::collection::vec((pause, step()), 0..60)
}

#[derive(Debug, Clone)]
struct Settings {
    grace_s: u64,
    late_s: u64,
    early_s: u64,
    count_outages: bool,
    /// Ticks behind the first connection: from, and until, a second.
    hall: Vec<(Option<u64>, Option<u64>)>,
    /// Whether the room still runs when asked.
    runs: bool,
}

fn settings() -> impl Strategy<Value = Settings> {
    let tick = (prop::option::of(0..3_000u64), prop::option::of(0..3_000u64));
    (
        prop_oneof![Just(0u64), Just(60), 1..600u64],
        0..900u64,
        0..900u64,
        any::<bool>(),
        prop::collection::vec(tick, 0..3),
        any::<bool>(),
    )
        .prop_map(
            |(grace_s, late_s, early_s, count_outages, hall, runs)| Settings {
                grace_s,
                late_s,
                early_s,
                count_outages,
                hall,
                runs,
            },
        )
}

fn name(who: usize) -> String {
    format!("p{who}")
}

/// One bit a second; beyond the end all is 0.
#[derive(Default, Clone)]
struct Bits(Vec<bool>);

impl Bits {
    fn fill(&mut self, from: u64, to: u64) {
        if self.0.len() < to as usize {
            self.0.resize(to as usize, false);
        }
        for bit in &mut self.0[(from as usize).min(to as usize)..to as usize] {
            *bit = true;
        }
    }

    fn get(&self, at: usize) -> bool {
        self.0.get(at).copied().unwrap_or(false)
    }
}

/// The truth, second by second from `WALL` on.
#[derive(Default)]
struct Truth {
    lesson: Bits,
    pause: Bits,
    outage: Bits,
    people: [Bits; PEOPLE],
    open: [bool; PEOPLE],
    first: Option<u64>,
    last: Option<u64>,
    ended: bool,
    running: bool,
}

#[derive(Clone, Copy)]
struct In {
    from: u64,
    /// Latest proof of life.
    alive: u64,
}

impl In {
    /// The end of a stay that a run took with it, whose own last sign is `last`:
    /// the person's next sign was due within five seconds.
    fn with_run(&self, last: u64) -> u64 {
        if last.saturating_sub(self.alive) <= 5 {
            self.alive.max(last)
        } else {
            self.alive
        }
    }
}

/// Plays a script into a log and keeps the truth beside it. `line` is the
/// session's own time, seconds; `wall` is what the wall clock is ahead of it.
fn play(script: &[(u64, Step)], settings: &Settings) -> (Log, Truth, Option<Stamp>) {
    let mut log = Log::new();
    let mut truth = Truth::default();
    let (mut line, mut run_line, mut wall) = (0u64, 0u64, 0i64);
    let mut last = 0u64;
    let mut inside: [Option<In>; PEOPLE] = [None; PEOPLE];
    let mut joined = [false; PEOPLE];
    let (mut lesson, mut started, mut pause, mut last_end) = (None, false, None, None);
    log.at(0, opened());
    for (wait, step) in script {
        line += wait;
        let mono = (line - run_line) * SEC;
        let mut wrote = true;
        match step {
            Step::Join(who, device) => {
                log.at(mono, join_as(&name(*who), "learner", &format!("d{device}")));
                joined[*who] = true;
                let from = inside[*who].map_or(line, |inside| inside.from);
                inside[*who] = Some(In { from, alive: line });
            }
            Step::Rename(who) => {
                wrote = inside[*who].is_some();
                if let Some(inside) = &mut inside[*who] {
                    inside.alive = line;
                    let EventKind::Join { person, role, .. } =
                        join_as(&name(*who), "learner", "d0")
                    else {
                        unreachable!()
                    };
                    let kind = EventKind::Join {
                        person,
                        name: format!("tên {line}"),
                        unit: None,
                        role,
                        device: "d0".to_owned(),
                    };
                    log.at(mono, kind);
                }
            }
            Step::Leave(who) => {
                log.at(mono, leave(&name(*who)));
                if let Some(inside) = inside[*who].take() {
                    truth.people[*who].fill(inside.from, line);
                }
            }
            Step::Lapse(who, ago) => {
                wrote = inside[*who].is_some();
                if let Some(inside) = inside[*who].take() {
                    let heard = line.saturating_sub(*ago).max(inside.alive);
                    let heard_at = log.stamp((heard - run_line) * SEC);
                    log.at(mono, lapse(&name(*who), heard_at));
                    truth.people[*who].fill(inside.from, heard);
                }
            }
            Step::Return(who) => {
                wrote = joined[*who] && inside[*who].is_none();
                if wrote {
                    log.at(mono, back(&name(*who)));
                    inside[*who] = Some(In {
                        from: line,
                        alive: line,
                    });
                }
            }
            Step::Seen(who) => {
                wrote = inside[*who].is_some();
                if let Some(inside) = &mut inside[*who] {
                    inside.alive = line;
                    log.seen(mono, &name(*who));
                }
            }
            Step::Start => {
                log.at(mono, start());
                started = true;
                truth.ended = false;
                if lesson.is_none() {
                    lesson = Some(line);
                    if let Some(from) = pause.take() {
                        truth.pause.fill(from, line);
                    }
                    truth.first.get_or_insert(line);
                }
            }
            Step::Break(on) => {
                log.at(mono, common::pause(*on));
                match (on, pause) {
                    (true, None) => pause = Some(line),
                    (false, Some(from)) => {
                        truth.pause.fill(from, line);
                        pause = None;
                    }
                    _ => {}
                }
            }
            Step::End => {
                log.at(mono, end());
                truth.ended = true;
                last_end = Some(line);
                if let Some(from) = lesson.take() {
                    truth.lesson.fill(from, line);
                    truth.last = Some(line);
                }
                if let Some(from) = pause.take() {
                    truth.pause.fill(from, line);
                }
                for (inside, bits) in inside.iter_mut().zip(&mut truth.people) {
                    if let Some(inside) = inside.take() {
                        bits.fill(inside.from, line);
                    }
                }
            }
            Step::Clock(by) => {
                wrote = false;
                wall += by;
                log.wall_ms = log.wall_ms.saturating_add_signed(by * SEC as i64);
            }
            Step::Crash(down) => {
                for (inside, bits) in inside.iter_mut().zip(&mut truth.people) {
                    if let Some(inside) = inside.take() {
                        bits.fill(inside.from, inside.with_run(last));
                    }
                }
                let wall_now = line as i64 + wall + *down as i64;
                let next = wall_now.max(last as i64) as u64;
                truth.outage.fill(last, next);
                log.restart(WALL.saturating_add_signed(wall_now * SEC as i64));
                (line, run_line) = (next, next);
                wall = wall_now - next as i64;
                log.at(0, EventKind::Reopened {});
            }
        }
        if wrote {
            last = line;
        }
    }
    let now = settings.runs.then(|| {
        line += 1;
        log.stamp((line - run_line) * SEC)
    });
    let known = if settings.runs { line } else { last };
    if !started && truth.ended {
        lesson = Some(0);
        truth.first = Some(0);
        if let Some(to) = last_end {
            truth.lesson.fill(0, to);
            truth.last = Some(to);
            lesson = None;
        }
    }
    if let Some(from) = lesson {
        truth.lesson.fill(from, known);
        truth.running = settings.runs;
        truth.last = Some(known);
    }
    if let Some(from) = pause {
        truth.pause.fill(from, known);
    }
    for (who, inside) in inside.iter().enumerate() {
        if let Some(inside) = inside {
            let to = if settings.runs {
                line
            } else {
                inside.with_run(last)
            };
            truth.people[who].fill(inside.from, to);
            truth.open[who] = settings.runs;
        }
    }
    for who in 0..PEOPLE {
        log.expect(&[&name(who)]);
    }
    for (index, (from, until)) in settings.hall.iter().enumerate() {
        let who = format!("h{index}");
        log.expect(&[&who]);
        log.mark(&who, Some("p0"), true, from.map(|from| from * SEC));
        if let Some(until) = until {
            log.mark(&who, Some("p0"), false, Some(until * SEC));
        }
    }
    log.rules.grace_ms = settings.grace_s * SEC;
    log.rules.late_ms = settings.late_s * SEC;
    log.rules.early_ms = settings.early_s * SEC;
    log.rules.count_outages = settings.count_outages;
    (log, truth, now)
}

/// The model's row: present, gaps, entries, first in, last out, late, early.
#[derive(Debug, PartialEq)]
struct Told {
    present_s: u64,
    gaps: u32,
    entries: u32,
    first_in: Option<u64>,
    last_out: Option<u64>,
    late: bool,
    early: bool,
}

impl Truth {
    fn len(&self) -> usize {
        let people = self.people.iter().map(|bits| bits.0.len());
        let rest = [&self.lesson, &self.pause, &self.outage].map(|bits| bits.0.len());
        people.chain(rest).max().unwrap_or(0) + 1
    }

    fn counted(&self, settings: &Settings) -> Vec<bool> {
        (0..self.len())
            .map(|at| {
                self.lesson.get(at)
                    && !self.pause.get(at)
                    && (settings.count_outages || !self.outage.get(at))
            })
            .collect()
    }

    fn tell(&self, bits: &Bits, open: bool, settings: &Settings) -> Told {
        let counted = self.counted(settings);
        let seconds: Vec<bool> = (0..self.len())
            .filter(|at| counted[*at])
            .map(|at| bits.get(at))
            .collect();
        // Runs of absence between presences.
        let (mut present_s, mut gaps, mut run, mut was_in) = (0u64, 0u32, 0u64, false);
        for second in seconds {
            if second {
                if was_in && run > 0 {
                    gaps += 1;
                    if run < settings.grace_s {
                        present_s += run;
                    }
                }
                (run, was_in) = (0, true);
                present_s += 1;
            } else {
                run += 1;
            }
        }
        // Stretches of presence that have a second of the lesson.
        let mut stretches: Vec<(u64, u64)> = Vec::new();
        let mut at = 0;
        while at < self.len() {
            if !bits.get(at) {
                at += 1;
                continue;
            }
            let from = at;
            while bits.get(at) {
                at += 1;
            }
            if (from..at).any(|at| self.lesson.get(at)) {
                stretches.push((from as u64, at as u64));
            }
        }
        let up = |from: u64, to: u64| {
            (from..to)
                .filter(|at| {
                    settings.count_outages
                        || !self.outage.get(*at as usize)
                        || !self.lesson.get(*at as usize)
                })
                .count() as u64
        };
        let first_in = stretches.first().map(|(from, _)| *from);
        let last_out = stretches.last().map(|(_, to)| *to);
        let is_present = present_s > 0 || (open && self.running);
        Told {
            present_s,
            gaps,
            entries: stretches.len() as u32,
            first_in,
            last_out: last_out.filter(|_| !open),
            late: is_present
                && first_in.is_some_and(|at| up(self.first.unwrap(), at) > settings.late_s),
            early: is_present
                && !open
                && !self.running
                && last_out.is_some_and(|at| up(at, self.last.unwrap()) > settings.early_s),
        }
    }
}

fn told(report: &Report, who: &str) -> Told {
    let row = row(report, who);
    let seconds = |ms: u64| (ms - WALL) / SEC;
    Told {
        present_s: row.auto.present_ms / SEC,
        gaps: row.gaps,
        entries: row.entries,
        first_in: row.first_in_ms.map(seconds),
        last_out: row.last_out_ms.map(seconds),
        late: row.auto.late,
        early: row.auto.early,
    }
}

/// The sum of the report is what its rows say.
fn consistent(report: &Report) -> Result<(), TestCaseError> {
    let totals = report.totals;
    prop_assert_eq!(
        totals.present,
        totals.online + totals.at_site + totals.in_person
    );
    prop_assert_eq!(
        totals.expected,
        totals.present + totals.excused + totals.absent + totals.not_taken
    );
    prop_assert!(totals.late <= totals.present && totals.early <= totals.present);
    let lens = report.window.counted.iter().map(|span| span.len_ms());
    prop_assert_eq!(report.window.counted_ms, lens.sum::<u64>());
    for pair in report.window.counted.windows(2) {
        prop_assert!(pair[0].to_ms < pair[1].from_ms);
    }
    for row in &report.rows {
        for outcome in [row.auto, row.stands] {
            prop_assert!(outcome.present_ms <= report.window.counted_ms);
            prop_assert!(outcome.permille <= 1_000);
            prop_assert!(outcome.status.is_present() || !(outcome.late || outcome.enough));
        }
        prop_assert!(row.checks.0 <= row.checks.1);
        for pair in row.intervals.windows(2) {
            prop_assert!(pair[0].from_ms <= pair[1].from_ms);
        }
        for interval in &row.intervals {
            prop_assert!(interval.from_ms <= interval.to_ms);
            prop_assert_eq!(interval.open, interval.end.is_none());
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn attendance_is_that_of_the_model_by_seconds(script in script(), settings in settings()) {
        let (log, truth, now) = play(&script, &settings);
        let report = attendance(&log.input(now));
        let counted = truth.counted(&settings).into_iter().filter(|bit| *bit).count();
        prop_assert_eq!(report.window.counted_ms / SEC, counted as u64);
        prop_assert_eq!(report.window.from_ms.map(|ms| (ms - WALL) / SEC), truth.first);
        let to = truth.last.filter(|_| !truth.running);
        prop_assert_eq!(report.window.to_ms.map(|ms| (ms - WALL) / SEC), to);
        prop_assert_eq!(report.ended, truth.ended);
        for who in 0..PEOPLE {
            let model = truth.tell(&truth.people[who], truth.open[who], &settings);
            // A stay of no length at the very end of a running lesson is here
            // without a second of the model.
            if truth.open[who] && model.entries == 0 { continue; }
            prop_assert_eq!(told(&report, &name(who)), model, "{}", name(who));
        }
        for (index, (from, until)) in settings.hall.iter().enumerate() {
            let mut bits = Bits::default();
            for at in 0..truth.len() as u64 {
                let ticked = from.is_none_or(|from| from <= at) && until.is_none_or(|until| at < until);
                if ticked && truth.people[0].get(at as usize) {
                    bits.fill(at, at + 1);
                }
            }
            let end = truth.people[0].0.len() as u64;
            let open = truth.open[0]
                && until.is_none_or(|until| until > end)
                && from.is_none_or(|from| from <= end);
            let model = truth.tell(&bits, open, &settings);
            if open && (model.entries == 0 || from == &Some(end)) { continue; }
            prop_assert_eq!(told(&report, &format!("h{index}")), model, "h{}", index);
        }
        consistent(&report)?;
    }

    #[test]
    fn order_of_reading_and_repeats_change_no_report(
        script in script(),
        settings in settings(),
        seed: u64,
        repeats in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
    ) {
        let (mut log, _, now) = play(&script, &settings);
        log.adjust("p1", Change::Late { to: true })
            .adjust("p1", Change::Clear)
            .adjust("p1", Change::Present { to_ms: 5 * MIN })
            .adjust("p2", Change::Status { to: Status::Excused });
        let once = attendance(&log.input(now));
        let mix = |seq: u64| seq.wrapping_mul(seed | 1).rotate_left(17);
        let mut other = log.clone();
        let more: Vec<Event> =
            repeats.iter().map(|index| index.get(&log.events).clone()).collect();
        other.events.extend(more);
        other.events.sort_by_key(|event| mix(event.seq));
        other.presence.extend(log.presence.clone());
        other.presence.reverse();
        other.hall.extend(log.hall.clone());
        other.hall.sort_by_key(|mark| mix(mark.seq));
        other.adjustments.extend(log.adjustments.clone());
        other.adjustments.sort_by_key(|adjustment| mix(adjustment.no));
        other.expected.reverse();
        prop_assert_eq!(attendance(&other.input(now)), once);
    }

    #[test]
    fn another_device_never_lowers_presence(
        script in script(),
        settings in settings(),
        who in 0..PEOPLE,
        at: prop::sample::Index,
    ) {
        let (log, _, now) = play(&script, &settings);
        let before = attendance(&log.input(now));
        // Another device comes in right after any event.
        let mut more = log.clone();
        let after = at.index(log.events.len());
        let at = log.events[after].at;
        let kind = join_as(&name(who), "learner", "d9");
        more.events.insert(after + 1, Event { at, kind, ..log.events[after].clone() });
        for (event, seq) in more.events.iter_mut().zip(1..) {
            event.seq = seq;
        }
        let with = attendance(&more.input(now));
        prop_assert_eq!(&with.window, &before.window);
        let present = |report: &Report| row(report, &name(who)).auto.present_ms;
        prop_assert!(present(&with) >= present(&before));
    }

    #[test]
    fn a_tick_never_lowers_presence_and_the_union_is_no_less_than_its_parts(
        script in script(),
        settings in settings(),
        who in 1..PEOPLE,
        from in prop::option::of(0..3_000u64),
    ) {
        let (log, _, now) = play(&script, &settings);
        let own = attendance(&log.input(now));
        let mut both = log.clone();
        both.mark(&name(who), Some("p0"), true, from.map(|from| from * SEC));
        let mut hall = both.clone();
        hall.events.retain(|event| event.kind.person() != Some(&PersonKey(name(who))));
        let report = attendance(&both.input(now));
        consistent(&report)?;
        let present = |report: &Report| row(report, &name(who)).auto.present_ms;
        prop_assert!(present(&report) >= present(&own));
        let (from_ms, to_ms) = (report.window.from_ms, report.window.to_ms);
        let hall = attendance(&hall.input(now));
        // Without his events a run may be known by fewer stamps.
        if (hall.window.from_ms, hall.window.to_ms) == (from_ms, to_ms)
            && hall.window.counted == report.window.counted
        {
            prop_assert!(present(&report) >= present(&hall));
        }
    }

    #[test]
    fn more_grace_never_lowers_presence(script in script(), settings in settings()) {
        let (mut log, _, now) = play(&script, &settings);
        let mut last = [0u64; PEOPLE];
        for grace_ms in [0, 1_000, 60_000, 600_000, u64::MAX] {
            log.rules.grace_ms = grace_ms;
            let report = attendance(&log.input(now));
            for (who, last) in last.iter_mut().enumerate() {
                let present = row(&report, &name(who)).auto.present_ms;
                prop_assert!(present >= *last);
                *last = present;
            }
        }
    }

    #[test]
    fn hostile_stamps_and_marks_do_no_harm(
        stamps in prop::collection::vec((any::<u64>(), any::<u64>(), 0..3u64, 0..9u8), 0..25),
        marks in prop::collection::vec((any::<bool>(), any::<bool>(), prop::option::of(any::<u64>())), 0..8),
        rules in (any::<u64>(), any::<u64>(), any::<u64>(), any::<u16>(), any::<bool>()),
        to_ms: u64,
        runs: bool,
    ) {
        let mut log = Log::new();
        (log.rules.grace_ms, log.rules.late_ms, log.rules.early_ms) = (rules.0, rules.1, rules.2);
        (log.rules.session_permille, log.rules.count_outages) = (rules.3, rules.4);
        let mut now = None;
        for (wall_ms, mono_ms, boot, what) in stamps {
            let at = Stamp { wall_ms, mono_ms, boot };
            let turned = Stamp { wall_ms: mono_ms, mono_ms: wall_ms, boot: 9 - boot };
            let kind = match what {
                0 => join("p0"),
                1 => leave("p0"),
                2 => lapse("p0", turned),
                3 => back("p0"),
                4 => end(),
                5 => start(),
                6 => pause(mono_ms % 2 == 0),
                7 => EventKind::Talk { person: PersonKey::from("p0"), from: turned, to: at },
                _ => { log.seen(0, "p0"); log.presence.last_mut().unwrap().at = at; continue; }
            };
            log.at(0, kind);
            log.events.last_mut().unwrap().at = at;
            now = runs.then_some(at);
        }
        for (on, at_site, at_ms) in marks {
            log.mark("p1", at_site.then_some("p0"), on, None);
            log.hall.last_mut().unwrap().at_ms = at_ms;
        }
        log.expected.push(Expected { in_person: true, ..expected("p2") });
        log.adjust("p2", Change::Present { to_ms });
        let report = attendance(&log.input(now));
        for row in &report.rows {
            prop_assert!(row.stands.present_ms <= report.window.counted_ms);
            prop_assert!(row.auto.present_ms <= report.window.counted_ms);
        }
        let _ = lophoc_ledger::activity(&log.input(now), Some(to_ms));
    }
}
