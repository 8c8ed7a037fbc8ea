//! The ladder for weak links: how much a receiver is sent at all.
//!
//! sound → and one small camera → and the screen → everything. What exactly is
//! sent on a rung is [`crate::allocate`]'s affair; the ladder says what may be.
//! It goes down within half a second of an estimate that does not bear the rung,
//! as far as it must, and up one rung at a time and slowly, so that a link at the
//! edge of a rung gets one steady picture of the room instead of a flickering one.
//!
//! On the lowest rung nothing but sound flows, and of sound alone no estimator
//! learns anything. So the way up is *tried*: for a few seconds the estimator may
//! look for room (with probes of some milliseconds; nothing of a picture is sent
//! yet). Where it finds none, the next trial waits twice as long.

use std::time::{Duration, Instant};

use crate::allocate::Demand;
use crate::types::{Rung, RungReason};

/// An estimate that does not bear the rung is believed after this.
pub const DOWN_AFTER: Duration = Duration::from_millis(500);
/// An estimate that bears the next rung is believed after this.
pub const UP_AFTER: Duration = Duration::from_secs(4);
/// After a fall no rung is climbed for this long.
pub const HOLD: Duration = Duration::from_secs(10);
/// Longest trial on the way up from the lowest rung.
pub const TRIAL: Duration = Duration::from_secs(6);
/// A trial whose estimate is below [`HOPEFUL`] after this is over: on a link that
/// bears speech and little more even the estimator's padding is heard.
const TRIAL_DOUBT: Duration = Duration::from_millis(1_500);
/// An estimate that may become one for the next rung, bit/s.
const HOPEFUL: u64 = 90_000;
/// An estimate has to bear the next rung for this long in a trial.
const TRIAL_PROOF: Duration = Duration::from_secs(2);
/// From a fall to the lowest rung to the first trial; doubles with each that fails.
pub const FIRST_WAIT: Duration = Duration::from_secs(8);
/// Longest wait for a trial.
pub const LONGEST_WAIT: Duration = Duration::from_secs(240);
/// A rung kept for this long makes the failed trials forgotten.
const PROVEN: Duration = Duration::from_secs(60);
/// Loss of a link of which nothing else is known that tells of congestion, per
/// mille. Radio links lose a twentieth without being full.
const LOSSY: u16 = 120;
/// So many lossy reports in a row are believed.
const LOSSY_REPORTS: u8 = 2;
/// What an estimate must be to climb to a rung, bit/s.
const ENTER: [u64; 4] = [0, 180_000, 260_000, 350_000];
/// What an estimate must be to stay on a rung, bit/s.
const STAY: [u64; 4] = [0, 130_000, 200_000, 250_000];

fn of(table: &[u64; 4], rung: Rung) -> u64 {
    let [sound, camera, screen, full] = *table;
    match rung {
        Rung::Sound => sound,
        Rung::Camera => camera,
        Rung::Screen => screen,
        Rung::Full => full,
    }
}

/// The highest rung that an estimate bears, for somebody who is on it already.
pub fn borne(estimate: u64) -> Rung {
    Rung::ALL
        .into_iter()
        .rev()
        .find(|rung| estimate >= of(&STAY, *rung))
        .unwrap_or(Rung::Sound)
}

/// Where a receiver stands.
#[derive(Debug, Clone)]
pub struct Ladder {
    link: Rung,
    /// Latest estimate; absent while the estimator rests.
    estimate: Option<u64>,
    low_since: Option<Instant>,
    good_since: Option<Instant>,
    /// When the rung changed last.
    changed: Option<Instant>,
    held_until: Option<Instant>,
    trial: Option<Instant>,
    next_trial: Option<Instant>,
    wait: Duration,
    lossy: u8,
}

impl Default for Ladder {
    fn default() -> Self {
        Self {
            link: Rung::Full,
            estimate: None,
            low_since: None,
            good_since: None,
            changed: None,
            held_until: None,
            trial: None,
            next_trial: None,
            wait: FIRST_WAIT,
            lossy: 0,
        }
    }
}

impl Ladder {
    /// The rung to be on below a ceiling of the receiver's own.
    pub fn rung(&self, ceiling: Rung) -> Rung {
        self.link.min(ceiling)
    }

    /// Why the rung is not the highest.
    pub fn reason(&self, ceiling: Rung) -> Option<RungReason> {
        match self.rung(ceiling) {
            Rung::Full => None,
            rung if rung == ceiling => Some(RungReason::Chosen),
            _ => Some(RungReason::Link),
        }
    }

    /// The estimator may look for room although nothing is sent.
    pub fn is_trying(&self) -> bool {
        self.trial.is_some()
    }

    /// A new estimate, bit/s.
    pub fn on_estimate(&mut self, now: Instant, estimate: u64) {
        self.estimate = Some(estimate);
        self.lossy = 0;
        self.weigh(now);
    }

    /// The estimator rests: nothing is known of the link.
    pub fn on_rest(&mut self) {
        self.estimate = None;
        self.low_since = None;
        self.good_since = None;
    }

    /// Loss towards the receiver, as it reports it. It counts while there is no
    /// estimate, which sees more.
    pub fn on_loss(&mut self, now: Instant, permille: u16) {
        if self.estimate.is_some() || permille < LOSSY {
            self.lossy = 0;
            return;
        }
        self.lossy = self.lossy.saturating_add(1);
        if self.lossy >= LOSSY_REPORTS {
            self.lossy = 0;
            self.fall(now, Rung::Sound);
        }
    }

    fn weigh(&mut self, now: Instant) {
        let Some(estimate) = self.estimate else {
            return;
        };
        if borne(estimate) < self.link {
            self.low_since.get_or_insert(now);
        } else {
            self.low_since = None;
        }
        match self.next() {
            Some(next) if estimate >= of(&ENTER, next) => {
                self.good_since.get_or_insert(now);
            }
            _ => self.good_since = None,
        }
    }

    fn next(&self) -> Option<Rung> {
        Rung::ALL.into_iter().find(|rung| *rung > self.link)
    }

    /// Time passes; call at least each half second. `wants`: there is a picture
    /// that a higher rung would show, so that an estimate can be had.
    pub fn look(&mut self, now: Instant, wants: bool) {
        let since = |at: Option<Instant>| at.map(|at| now.saturating_duration_since(at));
        if since(self.low_since).is_some_and(|low| low >= DOWN_AFTER) {
            let to = self.estimate.map_or(self.link, borne);
            self.fall(now, to);
            return;
        }
        if self.link != Rung::Sound && since(self.changed).is_some_and(|kept| kept >= PROVEN) {
            self.wait = FIRST_WAIT;
        }
        let held = self.held_until.is_some_and(|until| now < until);
        if self.link == Rung::Sound {
            self.look_up(now, wants, held);
            return;
        }
        let good = match self.estimate {
            Some(_) => since(self.good_since),
            // Nothing to see, so nothing to prove.
            None => since(self.changed),
        };
        if !held && good.is_some_and(|good| good >= UP_AFTER) {
            self.climb(now);
        }
    }

    /// The way up from the lowest rung. A trial may begin while the rung is held;
    /// what it proves is used when the rung is free.
    fn look_up(&mut self, now: Instant, wants: bool, held: bool) {
        match self.trial {
            Some(began) => {
                let proof = self
                    .good_since
                    .map(|good| now.saturating_duration_since(good));
                if !wants || proof.is_some_and(|good| good >= TRIAL_PROOF) {
                    if !held {
                        self.climb(now);
                    }
                } else if now.saturating_duration_since(began) >= self.patience() {
                    self.wait = (self.wait * 2).min(LONGEST_WAIT);
                    self.fall(now, Rung::Sound);
                }
            }
            None if self.next_trial.is_none_or(|at| now >= at) => {
                self.on_rest();
                if wants || held {
                    self.trial = Some(now);
                } else {
                    self.climb(now);
                }
            }
            None => {}
        }
    }

    /// How long the trial may last as it goes.
    fn patience(&self) -> Duration {
        match self.estimate {
            Some(estimate) if estimate >= HOPEFUL => TRIAL,
            _ => TRIAL_DOUBT,
        }
    }

    fn climb(&mut self, now: Instant) {
        if let Some(next) = self.next() {
            self.link = next;
            self.changed = Some(now);
            self.trial = None;
            self.good_since = None;
            self.weigh(now);
        }
    }

    fn fall(&mut self, now: Instant, to: Rung) {
        let again = self.changed.is_some() && self.link != Rung::Sound && to == Rung::Sound;
        if again && self.next_trial.is_some() {
            // It climbed for nothing.
            self.wait = (self.wait * 2).min(LONGEST_WAIT);
        }
        self.link = to;
        self.changed = Some(now);
        self.held_until = Some(now + HOLD);
        self.next_trial = (to == Rung::Sound)
            .then(|| now + self.wait)
            .or(self.next_trial);
        self.trial = None;
        self.low_since = None;
        self.good_since = None;
    }
}

/// The camera the receiver put first of those that send.
pub(crate) fn first_camera(demands: &[Demand]) -> Option<usize> {
    let sends = |demand: &Demand| demand.layers.iter().any(|layer| layer.live);
    demands
        .iter()
        .enumerate()
        .filter(|(_, demand)| !demand.screen && demand.height > 0 && sends(demand))
        .max_by_key(|(index, demand)| (demand.priority, std::cmp::Reverse(*index)))
        .map(|(index, _)| index)
}

/// Takes from the demands what the rung does not allow: they then ask for
/// nothing. The one small camera is the one the receiver put first of those
/// that send.
pub fn restrict(rung: Rung, demands: &mut [Demand]) {
    if rung == Rung::Full {
        return;
    }
    let first = first_camera(demands);
    for (index, demand) in demands.iter_mut().enumerate() {
        demand.height = match rung {
            Rung::Sound => 0,
            Rung::Screen if demand.screen => demand.height,
            Rung::Camera | Rung::Screen if Some(index) == first => demand.height.min(1),
            Rung::Camera | Rung::Screen | Rung::Full => 0,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::LayerInfo;
    use proptest::prelude::*;

    const STEP: Duration = Duration::from_millis(500);

    /// A link of `kbps` for `seconds`, looked at each half second; the rungs seen.
    fn live(ladder: &mut Ladder, now: &mut Instant, kbps: u64, seconds: u64) -> Vec<Rung> {
        let mut seen = Vec::new();
        for _ in 0..seconds * 2 {
            *now += STEP;
            // On the lowest rung there is an estimate in a trial only.
            if ladder.link != Rung::Sound || ladder.is_trying() {
                ladder.on_estimate(*now, kbps * 1_000);
            } else {
                ladder.on_rest();
            }
            ladder.look(*now, true);
            seen.push(ladder.link);
        }
        seen
    }

    #[test]
    fn a_good_link_stays_on_top() {
        let (mut ladder, mut now) = (Ladder::default(), Instant::now());
        let seen = live(&mut ladder, &mut now, 1_000, 600);
        assert!(seen.iter().all(|rung| *rung == Rung::Full));
        assert_eq!(ladder.reason(Rung::Full), None);
    }

    #[test]
    fn a_weak_link_falls_within_a_second_as_far_as_it_must() {
        for (kbps, to) in [(60, Rung::Sound), (150, Rung::Camera), (220, Rung::Screen)] {
            let (mut ladder, mut now) = (Ladder::default(), Instant::now());
            let seen = live(&mut ladder, &mut now, kbps, 2);
            assert_eq!(seen[2], to, "{kbps}");
            assert_eq!(ladder.reason(Rung::Full), Some(RungReason::Link));
        }
    }

    #[test]
    fn a_short_dip_changes_nothing() {
        let (mut ladder, now) = (Ladder::default(), Instant::now());
        ladder.on_estimate(now, 50_000);
        ladder.look(now + STEP - Duration::from_millis(1), true);
        ladder.on_estimate(now + STEP, 900_000);
        ladder.look(now + 3 * STEP, true);
        assert_eq!(ladder.link, Rung::Full);
    }

    #[test]
    fn a_link_that_recovers_climbs_rung_by_rung() {
        let (mut ladder, mut now) = (Ladder::default(), Instant::now());
        live(&mut ladder, &mut now, 60, 3);
        let seen = live(&mut ladder, &mut now, 2_000, 60);
        let mut order = seen.clone();
        order.dedup();
        assert_eq!(order, Rung::ALL);
        let first = seen.iter().position(|rung| *rung == Rung::Camera);
        assert!(first.is_some_and(|at| at as u64 >= 2 * FIRST_WAIT.as_secs() - 6));
    }

    #[test]
    fn trials_of_a_hopeless_link_become_rare_and_show_nothing() {
        let (mut ladder, mut now) = (Ladder::default(), Instant::now());
        let (mut trials, mut before) = (0, false);
        for _ in 0..2 * 600 {
            live(&mut ladder, &mut now, 60, 1);
            let trying = ladder.is_trying();
            trials += usize::from(trying && !before);
            before = trying;
        }
        assert_eq!(ladder.link, Rung::Sound);
        assert!((5..=14).contains(&trials), "{trials}");
    }

    #[test]
    fn without_an_estimate_heavy_loss_leads_down_and_quiet_leads_up() {
        let (mut ladder, mut now) = (Ladder::default(), Instant::now());
        ladder.on_loss(now, 50);
        ladder.on_loss(now, 300);
        assert_eq!(ladder.link, Rung::Full);
        ladder.on_loss(now, 300);
        assert_eq!(ladder.link, Rung::Sound);
        for _ in 0..120 {
            now += STEP;
            ladder.look(now, false);
        }
        assert_eq!(ladder.link, Rung::Full);
    }

    #[test]
    fn an_own_ceiling_is_told_as_chosen() {
        let (mut ladder, mut now) = (Ladder::default(), Instant::now());
        assert_eq!(ladder.rung(Rung::Sound), Rung::Sound);
        assert_eq!(ladder.reason(Rung::Sound), Some(RungReason::Chosen));
        live(&mut ladder, &mut now, 60, 2);
        assert_eq!(ladder.reason(Rung::Sound), Some(RungReason::Chosen));
        assert_eq!(ladder.reason(Rung::Full), Some(RungReason::Link));
    }

    fn demand(screen: bool, priority: u8, live: bool) -> Demand {
        let layer = LayerInfo {
            live,
            height: 180,
            bits_per_second: 120_000,
        };
        Demand {
            screen,
            height: 720,
            priority,
            layers: [layer; 3],
            held: None,
            may_rise: true,
        }
    }

    #[test]
    fn each_rung_adds_what_its_name_says() {
        let all = [
            demand(false, 9, false),
            demand(false, 5, true),
            demand(false, 5, true),
            demand(true, 0, true),
        ];
        let left = |rung| {
            let mut demands = all;
            restrict(rung, &mut demands);
            demands.map(|demand| demand.height)
        };
        assert_eq!(left(Rung::Sound), [0, 0, 0, 0]);
        assert_eq!(left(Rung::Camera), [0, 1, 0, 0]);
        assert_eq!(left(Rung::Screen), [0, 1, 0, 720]);
        assert_eq!(left(Rung::Full), [720, 720, 720, 720]);
    }

    proptest! {
        #[test]
        fn more_bandwidth_never_bears_less(a in 0u64..1_000_000, b in 0u64..1_000_000) {
            prop_assert!(borne(a.min(b)) <= borne(a.max(b)));
            let after = |estimate| {
                let (mut ladder, mut now) = (Ladder::default(), Instant::now());
                live(&mut ladder, &mut now, estimate / 1_000, 300);
                // In the middle of a trial the rung is the same as before it.
                ladder.link
            };
            prop_assert!(after(a.min(b)) <= after(a.max(b)));
        }

        #[test]
        fn whatever_the_estimates_it_never_flaps(
            estimates in proptest::collection::vec((0u64..600, any::<bool>()), 1..400),
        ) {
            let (mut ladder, mut now) = (Ladder::default(), Instant::now());
            let (mut rung, mut fell, mut rose) = (Rung::Full, None, None);
            for (kbps, wants) in estimates {
                now += STEP;
                ladder.on_estimate(now, kbps * 1_000);
                ladder.look(now, wants);
                let step = ladder.link;
                if step > rung {
                    let by = Rung::ALL.iter().filter(|r| **r > rung && **r <= step).count();
                    prop_assert_eq!(by, 1, "one rung at a time");
                    prop_assert!(fell.is_none_or(|at| now - at >= HOLD));
                    prop_assert!(rose.is_none_or(|at| now - at >= UP_AFTER));
                    rose = Some(now);
                } else if step < rung {
                    fell = Some(now);
                }
                rung = step;
            }
        }
    }
}
