//! Tests of the controller as a whole. What a file of tests may do begins behind
//! this attribute for the rules of the tree, too.
#[cfg(test)]
use super::*;
use crate::rtcp::{Item, items, write_twcc};
use proptest::prelude::*;

const CONFIG: RateConfig = RateConfig {
    initial: 300_000,
    least: 30_000,
    most: 5_000_000,
};
const MS: Duration = Duration::from_millis(1);

/// A way that only delays: everything sent is told of each 50 ms.
struct Way {
    rate: Controller,
    now: Instant,
    start: Instant,
    untold: Vec<(u16, i64)>,
    padding: usize,
}

impl Way {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            rate: Controller::new(now, &CONFIG),
            now,
            start: now,
            untold: Vec::new(),
            padding: 0,
        }
    }

    fn send(&mut self, what: Sent, bytes: usize) {
        let seq = self.rate.sent(self.now, what, bytes);
        let us = (self.now - self.start).as_micros() as i64;
        self.untold.push((seq, us / 250 + 4_000));
    }

    fn tell(&mut self) {
        let Some((base, _)) = self.untold.first().copied() else {
            return;
        };
        let arrivals: Vec<_> = self.untold.drain(..).map(|(_, at)| Some(at)).collect();
        let mut out = Vec::new();
        write_twcc(&mut out, (1, 2), 0, base, &arrivals);
        for item in items(&out) {
            if let Ok(Item::Twcc(feedback)) = item {
                self.rate.on_feedback(self.now, &feedback);
            }
        }
    }

    /// Sound each 20 ms and what is asked for as padding; feedback when `told`.
    fn run(&mut self, ms: u32, told: bool) {
        for n in 0..ms {
            self.now += MS;
            if n % 20 == 0 {
                self.send(Sent::Audio, 120);
            }
            if self.rate.next_deadline().is_some_and(|due| due <= self.now) {
                self.rate.on_time(self.now);
                let bytes = self.rate.padding(self.now);
                self.padding += bytes;
                for portion in (0..bytes).step_by(240) {
                    self.send(Sent::Padding, (bytes - portion).min(240));
                }
            }
            if n % 50 == 49 {
                if told {
                    self.tell();
                } else {
                    self.untold.clear();
                }
            }
        }
    }
}

#[test]
fn where_nothing_is_wanted_nothing_is_looked_for() {
    let mut way = Way::new();
    way.run(30_000, true);
    assert_eq!(way.padding, 0);
    assert_eq!(way.rate.estimate(), CONFIG.initial);
    assert_eq!(way.rate.take_estimate(), None);
}

#[test]
fn a_free_way_is_found_within_two_seconds_up_to_what_is_wanted() {
    let mut way = Way::new();
    way.rate.set_wanted(way.now, 1_600_000, false);
    way.run(2_000, true);
    let estimate = way.rate.estimate();
    assert!((1_900_000..2_600_000).contains(&estimate), "{estimate}");
    assert_eq!(way.rate.take_estimate(), Some(estimate));
    assert_eq!(way.rate.take_estimate(), None);
    let padding = way.padding;
    way.run(60_000, true);
    assert_eq!(way.padding, padding, "found: nothing more is looked for");
    assert_eq!(
        way.rate.estimate(),
        estimate,
        "and it holds beside sound alone"
    );
    way.rate.set_wanted(way.now, 0, false);
    way.run(20_000, true);
    assert_eq!(way.rate.estimate(), estimate, "kept while it rests");
}

#[test]
fn gently_begins_from_below() {
    let mut way = Way::new();
    way.rate.set_wanted(way.now, 1_600_000, true);
    assert!(way.rate.estimate() <= GENTLE_START);
    way.run(1_500, true);
    let estimate = way.rate.estimate();
    assert!(
        (180_000..=GENTLE_LOOKED_FOR).contains(&estimate),
        "{estimate}"
    );
}

#[test]
fn feedback_that_stays_away_halves_the_estimate_and_its_return_brings_it_back() {
    let mut way = Way::new();
    way.rate.set_wanted(way.now, 1_600_000, false);
    way.run(3_000, true);
    let before = way.rate.estimate();
    way.run(2_500, false);
    assert!(way.rate.estimate() <= before / 4, "{}", way.rate.estimate());
    way.run(20_000, false);
    assert_eq!(way.rate.estimate(), CONFIG.least);
    way.run(8_000, true);
    assert!(way.rate.estimate() > before / 2, "{}", way.rate.estimate());
}

#[test]
fn remb_counts_until_transport_wide_feedback_is_seen() {
    let mut way = Way::new();
    way.rate.on_remb(way.now + MS, 900_000);
    assert_eq!(way.rate.estimate(), 900_000);
    way.rate.on_remb(way.now + MS, u64::MAX);
    assert_eq!(way.rate.estimate(), CONFIG.most);
    way.rate.on_remb(way.now + MS, 0);
    assert_eq!(way.rate.estimate(), CONFIG.least);
    way.run(1_000, true);
    let estimate = way.rate.estimate();
    way.rate.on_remb(way.now, 4_000_000);
    assert_eq!(way.rate.estimate(), estimate);
}

/// What a receiver, or whoever forges for it, may answer with.
#[derive(Debug, Clone)]
enum Answer {
    /// About the packets sent since the last answer: which came, and with what steps
    /// of the time in units of 250 µs.
    Told(Vec<(bool, i64)>),
    /// About any packets.
    Forged(u16, Vec<(bool, i64)>),
    /// The last answer once more.
    Replayed,
    Remb(u64),
    Report(f32, u16),
    Silence,
}

fn answer() -> impl Strategy<Value = Answer> {
    let steps = || proptest::collection::vec((any::<bool>(), -400i64..4_000), 1..60);
    prop_oneof![
        4 => steps().prop_map(Answer::Told),
        2 => (any::<u16>(), steps()).prop_map(|(base, steps)| Answer::Forged(base, steps)),
        1 => Just(Answer::Replayed),
        1 => any::<u64>().prop_map(Answer::Remb),
        1 => (-1.0f32..2.0, any::<u16>()).prop_map(|(loss, rtt)| Answer::Report(loss, rtt)),
        1 => Just(Answer::Silence),
    ]
}

fn feed(rate: &mut Controller, now: Instant, compound: &[u8]) {
    for item in items(compound).flatten() {
        if let Item::Twcc(feedback) = item {
            rate.on_feedback(now, &feedback);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn whatever_is_answered_bounds_hold_and_time_goes_on(
        least in prop_oneof![Just(0u64), Just(30_000)],
        steps in proptest::collection::vec(
            (answer(), 0u16..300, 0u64..3_000, 0u64..4, any::<bool>()), 1..60),
    ) {
        let config = RateConfig { least, ..CONFIG };
        let start = Instant::now();
        let (mut rate, mut now) = (Controller::new(start, &config), start);
        let (mut untold, mut last) = (0u16, Vec::new());
        let (mut next, mut padding) = (0u16, 0usize);
        for (answer, packets, passed, wanted, obeys) in steps {
            rate.set_wanted(now, wanted * 800_000, wanted == 1);
            for _ in 0..packets {
                next = rate.sent(now, Sent::Video, 1_200).wrapping_add(1);
                untold = untold.saturating_add(1);
                rate.may_send(now, 1_200);
            }
            // Everything that is due until then is done, by one who sends the
            // padding asked for or by one who does not.
            let until = now + Duration::from_millis(passed);
            let mut rounds = 0;
            while let Some(due) = rate.next_deadline().filter(|due| *due <= until) {
                now = now.max(due);
                rate.on_time(now);
                let bytes = rate.padding(now);
                padding += bytes;
                if obeys && bytes > 0 {
                    next = rate.sent(now, Sent::Padding, bytes).wrapping_add(1);
                }
                prop_assert!(rate.next_deadline().is_none_or(|due| due > now), "it spins");
                rounds += 1;
                prop_assert!(rounds < 1_000);
            }
            now = until;
            let mut out = Vec::new();
            let mut write = |base: u16, raw: Vec<(bool, i64)>| {
                let mut time = (now - start).as_millis() as i64 * 4;
                let arrivals: Vec<_> = raw
                    .into_iter()
                    .map(|(came, step)| {
                        time += step;
                        came.then_some(time)
                    })
                    .collect();
                write_twcc(&mut out, (1, 2), 0, base, &arrivals);
            };
            match answer {
                Answer::Told(raw) => write(next.wrapping_sub(std::mem::take(&mut untold)), raw),
                Answer::Forged(base, raw) => write(base, raw),
                Answer::Replayed => out.clone_from(&last),
                Answer::Remb(bits) => rate.on_remb(now, bits),
                Answer::Report(loss, rtt) => {
                    let rtt = Duration::from_millis(u64::from(rtt));
                    rate.on_report(now, loss, (rtt > Duration::ZERO).then_some(rtt));
                }
                Answer::Silence => {}
            }
            feed(&mut rate, now, &out);
            feed(&mut rate, now, &out);
            last = out;
            prop_assert!((config.least..=config.most).contains(&rate.estimate()));
            prop_assert!(rate.history.memory() <= 16 * 1_024);
            prop_assert!(rate.next_send(now) <= now + Duration::from_secs(10));
            prop_assert!(rate.loss().is_none_or(|loss| (0.0..=1.0).contains(&loss)));
        }
        // A twentieth of the time at the highest rate, what was saved up, and the
        // portions at the end of a burst.
        let looked_for = (1_600_000 + AUDIO_RATE) * 3;
        let seconds = (now - start).as_secs_f64();
        let most = (seconds / 20.0 + 0.5) * looked_for as f64 / 8.0 + seconds * 1_200.0;
        prop_assert!((padding as f64) < most, "{padding} of {most}");
    }
}
