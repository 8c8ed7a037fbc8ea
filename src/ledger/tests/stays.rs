//! Events → stays: cases by hand, then against an independent model.
// Helpers outside of a test function fail the test all the same.
#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

use lophoc_ledger::{
    Event, EventKind, LastSeen, LeaveReason, PersonKey, SessionKey, Stamp, Stay, StayEnd, stays,
};
use proptest::prelude::*;

const WALL: u64 = 1_788_654_600_000;

/// A log being written: one wall clock per run, a monotonic clock that starts
/// at zero in each.
struct Log {
    events: Vec<Event>,
    presence: Vec<LastSeen>,
    /// Wall clock at the start of the run.
    wall_ms: u64,
    boot: u64,
}

impl Log {
    fn new() -> Self {
        Self {
            events: Vec::new(),
            presence: Vec::new(),
            wall_ms: WALL,
            boot: 1,
        }
    }

    fn stamp(&self, mono_ms: u64) -> Stamp {
        Stamp {
            wall_ms: self.wall_ms + mono_ms,
            mono_ms,
            boot: self.boot,
        }
    }

    fn at(&mut self, mono_ms: u64, kind: EventKind) -> &mut Self {
        let seq = self.events.len() as u64 + 1;
        let at = self.stamp(mono_ms);
        self.events.push(Event {
            session: SessionKey::from("b1"),
            seq,
            at,
            kind,
        });
        self
    }

    fn seen(&mut self, mono_ms: u64, who: &str) -> &mut Self {
        let at = self.stamp(mono_ms);
        self.presence.push(LastSeen {
            person: PersonKey::from(who),
            at,
        });
        self
    }

    fn restart(&mut self, wall_ms: u64) -> &mut Self {
        self.boot += 1;
        self.wall_ms = wall_ms;
        self
    }

    /// Spans as (who, from, to, end), times relative to `WALL`.
    fn spans(&self, now: Option<Stamp>) -> Vec<(String, u64, Option<u64>, Option<StayEnd>)> {
        stays(&self.events, &self.presence, now)
            .into_iter()
            .map(|stay| {
                (
                    stay.person.0,
                    stay.from_ms - WALL,
                    stay.to_ms.map(|to| to - WALL),
                    stay.end,
                )
            })
            .collect()
    }
}

fn join(who: &str) -> EventKind {
    join_on(who, "d1")
}

fn join_on(who: &str, device: &str) -> EventKind {
    EventKind::Join {
        person: PersonKey::from(who),
        name: format!("Nguyễn Văn {who}"),
        unit: Some("Trường A".to_owned()),
        role: "learner".to_owned(),
        device: device.to_owned(),
    }
}

fn leave(who: &str) -> EventKind {
    EventKind::Leave {
        person: PersonKey::from(who),
        reason: LeaveReason::Left,
    }
}

fn lapse(who: &str, last_heard: Stamp) -> EventKind {
    EventKind::Lapse {
        person: PersonKey::from(who),
        last_heard,
    }
}

fn back(who: &str) -> EventKind {
    EventKind::Return {
        person: PersonKey::from(who),
    }
}

fn out(reason: LeaveReason) -> Option<StayEnd> {
    Some(StayEnd::Leave(reason))
}

fn span(
    who: &str,
    from: u64,
    to: u64,
    end: Option<StayEnd>,
) -> (String, u64, Option<u64>, Option<StayEnd>) {
    (who.to_owned(), from, Some(to), end)
}

#[test]
fn a_join_and_a_leave_are_one_stay_with_the_identity_of_the_join() {
    let mut log = Log::new();
    log.at(1_000, join("An")).at(61_000, leave("An"));
    let stays = stays(&log.events, &[], None);
    assert_eq!(
        stays,
        [Stay {
            person: PersonKey::from("An"),
            name: "Nguyễn Văn An".to_owned(),
            unit: Some("Trường A".to_owned()),
            role: "learner".to_owned(),
            device: "d1".to_owned(),
            from_ms: WALL + 1_000,
            to_ms: Some(WALL + 61_000),
            proven_ms: WALL + 61_000,
            end: out(LeaveReason::Left),
        }]
    );
    assert_eq!(stays[0].duration_ms(), 60_000);
}

#[test]
fn a_lapse_ends_the_stay_at_the_last_frame_heard_and_a_return_begins_another() {
    let mut log = Log::new();
    log.at(0, join("An"));
    let heard = log.stamp(20_000);
    log.at(45_000, lapse("An", heard))
        .at(50_000, back("An"))
        .at(70_000, leave("An"));
    assert_eq!(
        log.spans(None),
        [
            span("An", 0, 20_000, Some(StayEnd::Lapse)),
            span("An", 50_000, 70_000, out(LeaveReason::Left)),
        ]
    );
}

#[test]
fn a_leave_after_a_lapse_moves_nothing() {
    let mut log = Log::new();
    log.at(0, join("An"));
    let heard = log.stamp(20_000);
    let gone = EventKind::Leave {
        person: PersonKey::from("An"),
        reason: LeaveReason::Network,
    };
    log.at(45_000, lapse("An", heard)).at(110_000, gone);
    assert_eq!(
        log.spans(None),
        [span("An", 0, 20_000, Some(StayEnd::Lapse))]
    );
}

#[test]
fn a_takeover_on_another_device_leaves_no_hole() {
    let mut log = Log::new();
    log.at(0, join("An"))
        .at(10_000, join_on("An", "d2"))
        .at(30_000, leave("An"));
    assert_eq!(
        log.spans(None),
        [
            span("An", 0, 10_000, out(LeaveReason::TakenOver)),
            span("An", 10_000, 30_000, out(LeaveReason::Left)),
        ]
    );
}

#[test]
fn joining_again_on_the_same_device_goes_on_with_the_stay() {
    let mut log = Log::new();
    log.at(0, join("An"))
        .at(10_000, join("An"))
        .at(30_000, leave("An"));
    assert_eq!(
        log.spans(None),
        [span("An", 0, 30_000, out(LeaveReason::Left))]
    );
}

#[test]
fn a_return_of_somebody_who_is_in_is_a_sign_of_life() {
    let mut log = Log::new();
    log.at(0, join("An")).at(20_000, back("An"));
    assert_eq!(
        log.spans(None),
        [span("An", 0, 20_000, out(LeaveReason::ServerStopped))]
    );
}

#[test]
fn removal_and_the_end_of_the_session_end_stays() {
    let mut log = Log::new();
    let removed = EventKind::Removed {
        person: PersonKey::from("An"),
        by: PersonKey::from("Thầy"),
        barred: true,
    };
    log.at(0, join("An")).at(0, join("Bình")).at(5_000, removed);
    log.at(9_000, EventKind::Ended { by: None });
    assert_eq!(
        log.spans(None),
        [
            span("An", 0, 5_000, out(LeaveReason::Removed)),
            span("Bình", 0, 9_000, out(LeaveReason::Ended)),
        ]
    );
}

#[test]
fn while_the_room_runs_a_stay_is_open_and_proven_until_now() {
    let mut log = Log::new();
    log.at(2_000, join("An"));
    let stays = stays(&log.events, &[], Some(log.stamp(12_000)));
    assert_eq!((stays[0].to_ms, stays[0].end), (None, None));
    assert_eq!(stays[0].duration_ms(), 10_000);
}

#[test]
fn equal_time_stamps_are_taken_in_the_order_of_the_log() {
    let mut log = Log::new();
    log.at(7, join("An"))
        .at(7, leave("An"))
        .at(7, join("An"))
        .at(7, leave("An"));
    let stay = span("An", 7, 7, out(LeaveReason::Left));
    assert_eq!(log.spans(None), [stay.clone(), stay]);
}

#[test]
fn a_wall_clock_set_back_or_forth_in_a_run_changes_no_length() {
    for step in [-3_600_000_i64, 3_600_000] {
        let mut log = Log::new();
        log.at(0, join("An"));
        log.wall_ms = log.wall_ms.checked_add_signed(step).unwrap();
        let heard = log.stamp(1_800_000);
        log.at(1_805_000, lapse("An", heard))
            .at(1_900_000, back("An"));
        log.at(2_000_000, leave("An"));
        assert_eq!(
            log.spans(None),
            [
                span("An", 0, 1_800_000, Some(StayEnd::Lapse)),
                span("An", 1_900_000, 2_000_000, out(LeaveReason::Left)),
            ]
        );
    }
}

#[test]
fn a_clock_set_back_between_two_runs_lets_no_stays_overlap() {
    let mut log = Log::new();
    log.at(0, join("An")).seen(600_000, "An");
    log.restart(WALL - 3_600_000);
    log.at(0, EventKind::Reopened {})
        .at(10_000, join("An"))
        .at(70_000, leave("An"));
    assert_eq!(
        log.spans(None),
        [
            span("An", 0, 600_000, out(LeaveReason::ServerStopped)),
            span("An", 610_000, 670_000, out(LeaveReason::Left)),
        ]
    );
}

#[test]
fn a_stay_over_midnight_is_one_stay() {
    let mut log = Log::new();
    // WALL is 07:30 in Hà Nội.
    let midnight = 59_400_000;
    log.at(midnight - 1, join("An"))
        .at(midnight + 1, leave("An"));
    assert_eq!(
        log.spans(None),
        [span(
            "An",
            midnight - 1,
            midnight + 1,
            out(LeaveReason::Left)
        )]
    );
}

#[test]
fn after_a_crash_open_stays_end_when_last_seen_whatever_is_written_later() {
    type Ending = (&'static str, fn(Stamp) -> Vec<EventKind>);
    let endings: [Ending; 5] = [
        ("nothing", |_| vec![]),
        ("a lapse", |seen| vec![lapse("An", seen)]),
        ("a return", |_| vec![back("An"), leave("An")]),
        ("a join", |_| vec![join("An"), leave("An")]),
        ("the end", |_| vec![EventKind::Ended { by: None }]),
    ];
    for (name, ending) in endings {
        let mut log = Log::new();
        log.at(0, join("An")).seen(42_000, "An");
        let seen = log.presence[0].at;
        log.restart(WALL + 300_000).at(0, EventKind::Reopened {});
        for kind in ending(seen) {
            log.at(5_000, kind);
        }
        let spans = log.spans(None);
        assert_eq!(
            spans[0],
            span("An", 0, 42_000, out(LeaveReason::ServerStopped)),
            "{name}"
        );
        if let Some(second) = spans.get(1) {
            assert_eq!(second.1, 305_000, "{name}");
        }
        assert_eq!(
            log.spans(Some(log.stamp(9_000))),
            spans,
            "{name}: not open in the new run"
        );
    }
}

#[test]
fn who_was_heard_shortly_before_the_server_died_was_there_when_it_died() {
    let mut log = Log::new();
    log.at(0, join("An"))
        .at(0, join("Bình"))
        .at(0, join("Chi"))
        .seen(57_000, "An")
        .seen(54_999, "Bình")
        .seen(60_000, "Chi");
    assert_eq!(
        log.spans(None),
        [
            // Silent for longer than a sound link ever is.
            span("Bình", 0, 54_999, out(LeaveReason::ServerStopped)),
            span("An", 0, 60_000, out(LeaveReason::ServerStopped)),
            span("Chi", 0, 60_000, out(LeaveReason::ServerStopped)),
        ]
    );
}

#[test]
fn after_a_crash_without_a_mark_a_stay_lasts_to_the_last_thing_the_person_did() {
    let mut log = Log::new();
    let chat = EventKind::Chat {
        person: PersonKey::from("An"),
        id: "c1".to_owned(),
        cid: "u1".to_owned(),
        text: "em chào thầy".to_owned(),
        to: None,
    };
    log.at(0, join("An"))
        .at(3_000, chat)
        .at(9_000, join("Bình"));
    assert_eq!(
        log.spans(None),
        [
            span("An", 0, 3_000, out(LeaveReason::ServerStopped)),
            span("Bình", 9_000, 9_000, out(LeaveReason::ServerStopped)),
        ]
    );
}

#[test]
fn kinds_of_a_newer_version_change_no_stay() {
    let raw = serde_json::json!({"e": "stretched", "person": "An"});
    let mut log = Log::new();
    log.at(0, join("An"))
        .at(1_000, EventKind::Unknown(raw))
        .at(2_000, leave("An"));
    assert_eq!(
        log.spans(None),
        [span("An", 0, 2_000, out(LeaveReason::Left))]
    );
}

/// What may happen next; times are steps from the step before.
#[derive(Debug, Clone)]
enum Step {
    Join(usize, u8),
    Leave(usize),
    /// Last heard this long before.
    Lapse(usize, u64),
    Return(usize),
    Seen(usize),
    Chat(usize),
    End,
    /// The wall clock jumps.
    Clock(i64),
    /// The server dies; the next run's clock starts this far on.
    Crash(i64),
}

const PEOPLE: usize = 4;

fn step() -> impl Strategy<Value = Step> {
    let who = 0..PEOPLE;
    prop_oneof![
        4 => (who.clone(), 0..2u8).prop_map(|(who, device)| Step::Join(who, device)),
        3 => who.clone().prop_map(Step::Leave),
        3 => (who.clone(), 0..30_000u64).prop_map(|(who, ago)| Step::Lapse(who, ago)),
        3 => who.clone().prop_map(Step::Return),
        4 => who.clone().prop_map(Step::Seen),
        2 => who.prop_map(Step::Chat),
        1 => Just(Step::End),
        1 => (-7_200_000..7_200_000i64).prop_map(Step::Clock),
        1 => (-7_200_000..7_200_000i64).prop_map(Step::Crash),
    ]
}

fn script() -> impl Strategy<Value = Vec<(u64, Step)>> {
    // Often no time at all passes between two steps.
    let pause = prop_oneof![Just(0u64), 1..60_000u64];
    prop::collection::vec((pause, step()), 0..60)
}

fn name(who: usize) -> String {
    format!("p{who}")
}

/// Plays a script into a log and counts, independently, the milliseconds each
/// person was in: on the monotonic clocks alone.
fn play(script: &[(u64, Step)]) -> (Log, [u64; PEOPLE], Stamp) {
    #[derive(Clone, Copy)]
    struct In {
        from: u64,
        /// Latest proof of life.
        alive: u64,
    }
    let mut log = Log::new();
    let mut mono = 0u64;
    let mut inside: [Option<In>; PEOPLE] = [None; PEOPLE];
    let mut joined = [false; PEOPLE];
    let mut total = [0u64; PEOPLE];
    for (pause, step) in script {
        mono += pause;
        match step {
            Step::Join(who, device) => {
                log.at(mono, join_on(&name(*who), &format!("d{device}")));
                joined[*who] = true;
                let from = inside[*who].map_or(mono, |inside| inside.from);
                inside[*who] = Some(In { from, alive: mono });
            }
            Step::Leave(who) => {
                log.at(mono, leave(&name(*who)));
                if let Some(inside) = inside[*who].take() {
                    total[*who] += mono - inside.from;
                }
            }
            Step::Lapse(who, ago) => {
                // The room only writes a lapse of somebody who is in, and never
                // heard him before what is known of him.
                if let Some(inside) = inside[*who].take() {
                    let heard = mono.saturating_sub(*ago).max(inside.alive);
                    let heard_at = log.stamp(heard);
                    log.at(mono, lapse(&name(*who), heard_at));
                    total[*who] += heard - inside.from;
                }
            }
            Step::Return(who) => {
                if joined[*who] && inside[*who].is_none() {
                    log.at(mono, back(&name(*who)));
                    inside[*who] = Some(In {
                        from: mono,
                        alive: mono,
                    });
                }
            }
            Step::Seen(who) => {
                if let Some(inside) = &mut inside[*who] {
                    inside.alive = mono;
                    log.seen(mono, &name(*who));
                }
            }
            Step::Chat(who) => {
                if let Some(inside) = &mut inside[*who] {
                    inside.alive = mono;
                    let person = PersonKey(name(*who));
                    let (id, cid) = (format!("c{mono}"), format!("u{mono}"));
                    log.at(
                        mono,
                        EventKind::Chat {
                            person,
                            id,
                            cid,
                            text: "a".to_owned(),
                            to: None,
                        },
                    );
                }
            }
            Step::End => {
                log.at(mono, EventKind::Ended { by: None });
                for (inside, total) in inside.iter_mut().zip(&mut total) {
                    if let Some(inside) = inside.take() {
                        *total += mono - inside.from;
                    }
                }
            }
            Step::Clock(by) => log.wall_ms = log.wall_ms.saturating_add_signed(*by),
            Step::Crash(by) => {
                let boot = log.stamp(mono).boot;
                let signs = log.events.iter().map(|event| event.at);
                let signs = signs.chain(log.presence.iter().map(|seen| seen.at));
                let last = signs
                    .filter(|at| at.boot == boot)
                    .map(|at| at.mono_ms)
                    .max();
                for (inside, total) in inside.iter_mut().zip(&mut total) {
                    if let Some(inside) = inside.take() {
                        // The next sign of life was due within five seconds.
                        let due = last.filter(|last| last - inside.alive <= 5_000);
                        *total += due.unwrap_or(inside.alive) - inside.from;
                    }
                }
                let wall_ms = log.wall_ms.saturating_add(mono).saturating_add_signed(*by);
                log.restart(wall_ms);
                mono = 0;
                log.at(0, EventKind::Reopened {});
            }
        }
    }
    mono += 1_000;
    for (inside, total) in inside.iter().zip(&mut total) {
        if let Some(inside) = inside {
            *total += mono - inside.from;
        }
    }
    let now = log.stamp(mono);
    (log, total, now)
}

proptest! {
    #[test]
    fn the_time_present_is_that_of_the_monotonic_clock_whatever_the_wall_clock_does(
        script in script(),
    ) {
        let (log, total, now) = play(&script);
        let stays = stays(&log.events, &log.presence, Some(now));
        for (who, total) in total.iter().enumerate() {
            let person = PersonKey(name(who));
            let sum: u64 = stays
                .iter()
                .filter(|stay| stay.person == person)
                .map(Stay::duration_ms)
                .sum();
            prop_assert_eq!(sum, *total, "{}", person);
        }
    }

    #[test]
    fn the_stays_of_one_person_never_overlap_and_never_run_backwards(script in script()) {
        let (log, _, now) = play(&script);
        for now in [Some(now), None] {
            let stays = stays(&log.events, &log.presence, now);
            for who in 0..PEOPLE {
                let person = PersonKey(name(who));
                let own: Vec<&Stay> = stays.iter().filter(|stay| stay.person == person).collect();
                for stay in &own {
                    prop_assert!(stay.from_ms <= stay.proven_ms);
                }
                for pair in own.windows(2) {
                    prop_assert!(pair[0].proven_ms <= pair[1].from_ms);
                    prop_assert!(pair[0].to_ms.is_some(), "only the last stay is open");
                }
            }
        }
    }

    #[test]
    fn order_of_reading_and_repeats_do_not_matter(
        script in script(),
        seed: u64,
        repeats in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
    ) {
        let (log, _, now) = play(&script);
        let once = stays(&log.events, &log.presence, Some(now));
        let mut events = log.events.clone();
        if !events.is_empty() {
            events.extend(repeats.iter().map(|index| log.events[index.index(log.events.len())].clone()));
        }
        events.sort_by_key(|event| event.seq.wrapping_mul(seed | 1).rotate_left(17));
        let mut presence = log.presence.clone();
        presence.reverse();
        prop_assert_eq!(stays(&events, &presence, Some(now)), once);
    }

    #[test]
    fn when_the_room_is_gone_nobody_is_in_and_nobody_gained(script in script()) {
        let (log, _, now) = play(&script);
        let live = stays(&log.events, &log.presence, Some(now));
        let gone = stays(&log.events, &log.presence, None);
        prop_assert_eq!(live.len(), gone.len());
        prop_assert!(gone.iter().all(|stay| stay.to_ms.is_some() && stay.end.is_some()));
        let sum = |stays: &[Stay]| stays.iter().map(Stay::duration_ms).sum::<u64>();
        prop_assert!(sum(&gone) <= sum(&live));
    }

    #[test]
    fn hostile_stamps_do_no_harm(
        stamps in prop::collection::vec((any::<u64>(), any::<u64>(), 0..3u64, 0..6u8), 0..20),
    ) {
        let mut events = Vec::new();
        let mut presence = Vec::new();
        for (index, (wall_ms, mono_ms, boot, what)) in stamps.into_iter().enumerate() {
            let at = Stamp { wall_ms, mono_ms, boot };
            let kind = match what {
                0 => join("p0"),
                1 => leave("p0"),
                2 => lapse("p0", Stamp { wall_ms: mono_ms, mono_ms: wall_ms, boot: 9 - boot }),
                3 => back("p0"),
                4 => EventKind::Ended { by: None },
                _ => {
                    presence.push(LastSeen { person: PersonKey::from("p0"), at });
                    continue;
                }
            };
            events.push(Event { session: SessionKey::from("b1"), seq: index as u64, at, kind });
        }
        for stay in stays(&events, &presence, None) {
            prop_assert!(stay.from_ms <= stay.proven_ms);
        }
    }
}
