//! What a shard gives up when it has more to do than it can.
//!
//! thumbnails → no large cameras → few frames of a screen → no cameras; sound
//! never. It goes down quickly, since a shard that falls behind harms everybody
//! on it, and up slowly and one stage at a time. Where going up turned out to be
//! too early the next try waits twice as long.
//!
//! The stage is laid over what [`crate::allocate`] gave: it takes away and gives
//! nothing to anybody else, since what is short is the server, not the links.

use std::time::{Duration, Instant};

use crate::allocate::{Demand, Grant};
use crate::ladder;
use crate::types::{Layer, MAX_LAYERS};

/// A shard this busy is overloaded unless it is told otherwise, per mille of wall time.
pub const HIGH: u16 = 850;
/// So many sends the kernel refused tell the same as that, per mille.
const BLOCKED: u16 = 20;
/// How often the load is told.
pub const INTERVAL: Duration = Duration::from_secs(1);
/// Load is too high for this long before more is given up.
pub const DOWN_AFTER: Duration = Duration::from_secs(2);
/// Load is low for this long before something comes back; doubles when it flaps.
pub const UP_AFTER: Duration = Duration::from_secs(10);
/// Longest wait before something comes back.
pub const LONGEST_WAIT: Duration = Duration::from_secs(160);
/// Overloaded again within this time: what came back came too early.
const FLAP: Duration = Duration::from_secs(60);
/// Everything given for this long makes earlier tries forgotten.
const PROVEN: Duration = Duration::from_secs(180);
/// For this long, before newcomers are refused.
const FULL_AFTER: Duration = Duration::from_secs(5);
/// A camera shown at most this high is a thumbnail, pixels.
const THUMBNAIL: u16 = 180;
/// A camera shown at most this high is small, pixels.
const SMALL: u16 = 360;

/// How much is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Stage {
    /// Nothing.
    #[default]
    None,
    /// Thumbnails but the first; small cameras come in the smallest layer.
    Thumbnails,
    /// And no camera comes in a layer above the middle one.
    Layers,
    /// And of a screen comes the layer of few frames, of cameras the first one, small.
    ScreenRate,
    /// And no camera at all: the screen is the last picture.
    Video,
}

impl Stage {
    /// From nothing given up to the most.
    pub const ALL: [Self; 5] = [
        Self::None,
        Self::Thumbnails,
        Self::Layers,
        Self::ScreenRate,
        Self::Video,
    ];

    /// 0 = nothing is given up.
    pub fn number(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Thumbnails => 1,
            Self::Layers => 2,
            Self::ScreenRate => 3,
            Self::Video => 4,
        }
    }

    /// The stage of a number; more than there are is the last one.
    pub fn from_number(number: u8) -> Self {
        Self::ALL
            .into_iter()
            .find(|stage| stage.number() == number)
            .unwrap_or(Self::Video)
    }

    fn down(self) -> Self {
        Self::from_number(self.number().saturating_add(1))
    }

    fn up(self) -> Self {
        Self::from_number(self.number().saturating_sub(1))
    }
}

/// Load of a shard in the last [`INTERVAL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Load {
    /// Part of the wall time it did not wait, per mille.
    pub busy: u16,
    /// Part of its sends that the kernel had no room for, per mille.
    pub blocked: u16,
}

/// Shares of its time by which a shard is judged, per mille.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Marks {
    /// This busy it is overloaded.
    high: u16,
    /// At most this busy it has room.
    low: u16,
    /// This busy with nothing left to give up it is full.
    full: u16,
}

impl Marks {
    /// From the first of them; the others keep their distance to it.
    fn of(high: u16) -> Self {
        let high = high.clamp(1, 940);
        Self {
            high,
            low: high - high.div_ceil(4).min(high),
            full: high + high.div_ceil(18),
        }
    }
}

/// Where a shard stands.
#[derive(Debug, Clone)]
pub struct Overload {
    marks: Marks,
    stage: Stage,
    high_since: Option<Instant>,
    low_since: Option<Instant>,
    full_since: Option<Instant>,
    /// When something came back last.
    eased: Option<Instant>,
    /// When the stage changed last.
    changed: Option<Instant>,
    wait: Duration,
}

impl Default for Overload {
    fn default() -> Self {
        Self::new(HIGH)
    }
}

impl Overload {
    /// At ease; from `high` on a shard is overloaded, per mille of its time.
    pub fn new(high: u16) -> Self {
        Self {
            marks: Marks::of(high),
            stage: Stage::None,
            high_since: None,
            low_since: None,
            full_since: None,
            eased: None,
            changed: None,
            wait: UP_AFTER,
        }
    }

    /// The stage now.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// Newcomers had better be refused: nothing is left to give up.
    pub fn is_full(&self, now: Instant) -> bool {
        self.full_since
            .is_some_and(|since| now.saturating_duration_since(since) >= FULL_AFTER)
    }

    /// The load of the last [`INTERVAL`]. Returns the stage when it changed.
    pub fn on_load(&mut self, now: Instant, load: Load) -> Option<Stage> {
        let began = now.checked_sub(INTERVAL).unwrap_or(now);
        let blocked = load.blocked >= BLOCKED;
        let since = |at: Option<Instant>| at.map(|at| now.saturating_duration_since(at));
        if self.stage == Stage::Video && (load.busy >= self.marks.full || blocked) {
            self.full_since.get_or_insert(began);
        } else {
            self.full_since = None;
        }
        let before = self.stage;
        if load.busy >= self.marks.high || blocked {
            self.low_since = None;
            let high = *self.high_since.get_or_insert(began);
            if now.saturating_duration_since(high) >= DOWN_AFTER {
                self.stage = before.down();
                // What that brings is seen first.
                self.high_since = None;
                if since(self.eased.take()).is_some_and(|ago| ago <= FLAP) {
                    self.wait = (self.wait * 2).min(LONGEST_WAIT);
                }
            }
        } else if load.busy <= self.marks.low {
            self.high_since = None;
            let low = *self.low_since.get_or_insert(began);
            if before != Stage::None && now.saturating_duration_since(low) >= self.wait {
                self.stage = before.up();
                self.low_since = None;
                self.eased = Some(now);
            }
        } else {
            self.high_since = None;
            self.low_since = None;
        }
        if self.stage == Stage::None && since(self.changed).is_some_and(|kept| kept >= PROVEN) {
            self.wait = UP_AFTER;
        }
        (self.stage != before).then(|| {
            self.changed = Some(now);
            self.stage
        })
    }
}

/// The highest layer a demand may be given; absent = nothing.
fn ceiling(stage: Stage, demand: &Demand, first: bool) -> Option<usize> {
    let all = Some(MAX_LAYERS - 1);
    match (stage, demand.screen) {
        (Stage::None, _) => all,
        (Stage::Thumbnails | Stage::Layers, true) => all,
        (Stage::ScreenRate | Stage::Video, true) => Some(0),
        (Stage::Video, false) => None,
        (Stage::ScreenRate, false) => first.then_some(0),
        (_, false) if !first && demand.height <= THUMBNAIL => None,
        (_, false) if !first && demand.height <= SMALL => Some(0),
        (Stage::Thumbnails, false) => all,
        (Stage::Layers, false) => Some(1),
    }
}

/// Takes from the grants what the stage gives up. Whoever gets nothing for it asks
/// for nothing: its demand has no height afterwards.
pub fn restrain(stage: Stage, demands: &mut [Demand], grants: &mut [Grant]) {
    if stage == Stage::None {
        return;
    }
    let first = ladder::first_camera(demands);
    for (index, (demand, grant)) in demands.iter_mut().zip(grants).enumerate() {
        let Some(ceiling) = ceiling(stage, demand, Some(index) == first) else {
            demand.height = 0;
            *grant = Grant::default();
            continue;
        };
        let above = |layer: Layer| usize::from(layer.0) > ceiling;
        if grant.layer.is_some_and(above) {
            let live = |layer: &usize| demand.layers.get(*layer).is_some_and(|info| info.live);
            let lower = (0..=ceiling).rev().find(live);
            grant.layer = lower.and_then(|layer| u8::try_from(layer).ok()).map(Layer);
            if grant.layer.is_none() {
                // The smaller ones sleep.
                grant.wake = u8::try_from(ceiling).ok().map(Layer);
            }
        }
        if grant.wake.is_some_and(above) {
            let none = grant.layer.is_none();
            grant.wake = u8::try_from(ceiling).ok().map(Layer).filter(|_| none);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::allocate::allocate;
    use crate::relay::LayerInfo;
    use proptest::prelude::*;

    const STEP: Duration = INTERVAL;

    /// A shard this busy for `seconds`; the stages come to.
    fn live(overload: &mut Overload, now: &mut Instant, busy: u16, seconds: u64) -> Vec<u8> {
        let mut seen = Vec::new();
        for _ in 0..seconds {
            *now += STEP;
            let load = Load { busy, blocked: 0 };
            seen.extend(overload.on_load(*now, load).map(Stage::number));
        }
        seen
    }

    #[test]
    fn at_ease_nothing_is_given_up() {
        let (mut overload, mut now) = (Overload::default(), Instant::now());
        assert!(live(&mut overload, &mut now, 840, 600).is_empty());
        assert!(!overload.is_full(now));
    }

    #[test]
    fn one_stage_goes_each_two_seconds_and_comes_back_each_ten() {
        let (mut overload, mut now) = (Overload::default(), Instant::now());
        assert_eq!(live(&mut overload, &mut now, 900, 1), [0u8; 0]);
        assert_eq!(live(&mut overload, &mut now, 900, 7), [1, 2, 3, 4]);
        assert_eq!(live(&mut overload, &mut now, 600, 9), [0u8; 0]);
        assert_eq!(live(&mut overload, &mut now, 600, 1), [3]);
        assert_eq!(live(&mut overload, &mut now, 600, 30), [2, 1, 0]);
    }

    #[test]
    fn a_second_of_work_is_no_overload_and_a_pause_of_one_no_ease() {
        let (mut overload, mut now) = (Overload::default(), Instant::now());
        for _ in 0..20 {
            assert!(live(&mut overload, &mut now, 990, 1).is_empty());
            assert!(live(&mut overload, &mut now, 500, 1).is_empty());
        }
        live(&mut overload, &mut now, 990, 2);
        for _ in 0..20 {
            assert!(live(&mut overload, &mut now, 500, 9).is_empty());
            assert!(live(&mut overload, &mut now, 700, 1).is_empty());
        }
    }

    #[test]
    fn what_came_back_too_early_waits_twice_as_long_the_next_time() {
        let (mut overload, mut now) = (Overload::default(), Instant::now());
        live(&mut overload, &mut now, 900, 2);
        for wait in [10, 20, 40, 80, 160, 160] {
            assert!(live(&mut overload, &mut now, 500, wait - 1).is_empty());
            assert_eq!(live(&mut overload, &mut now, 500, 1), [0], "{wait}");
            assert_eq!(live(&mut overload, &mut now, 900, 2), [1]);
        }
        live(&mut overload, &mut now, 500, 400);
        live(&mut overload, &mut now, 900, 2);
        assert_eq!(live(&mut overload, &mut now, 500, 10), [0], "forgotten");
    }

    #[test]
    fn a_machine_with_other_work_is_overloaded_sooner() {
        let (mut overload, mut now) = (Overload::new(400), Instant::now());
        assert!(live(&mut overload, &mut now, 390, 60).is_empty());
        assert_eq!(live(&mut overload, &mut now, 410, 8), [1, 2, 3, 4]);
        assert!(!overload.is_full(now));
        live(&mut overload, &mut now, 430, 6);
        assert!(overload.is_full(now));
        assert_eq!(live(&mut overload, &mut now, 300, 10), [3]);
        for high in 0..=u16::MAX {
            let marks = Marks::of(high);
            assert!(marks.low < marks.high && marks.high < marks.full && marks.full <= 1_000);
        }
    }

    #[test]
    fn sends_the_kernel_refuses_count_as_load() {
        let (mut overload, mut now) = (Overload::default(), Instant::now());
        let load = Load {
            busy: 100,
            blocked: 30,
        };
        for _ in 0..8 {
            now += STEP;
            overload.on_load(now, load);
        }
        assert_eq!(overload.stage(), Stage::Video);
    }

    #[test]
    fn it_is_full_when_nothing_is_left_to_give_up() {
        let (mut overload, mut now) = (Overload::default(), Instant::now());
        live(&mut overload, &mut now, 990, 8);
        assert_eq!(overload.stage(), Stage::Video);
        assert!(!overload.is_full(now));
        live(&mut overload, &mut now, 990, 5);
        assert!(overload.is_full(now));
        live(&mut overload, &mut now, 860, 1);
        assert!(!overload.is_full(now), "busy, and still with a little room");
    }

    #[test]
    fn numbers_name_stages() {
        for stage in Stage::ALL {
            assert_eq!(Stage::from_number(stage.number()), stage);
        }
        assert_eq!(Stage::from_number(99), Stage::Video);
    }

    fn camera(height: u16, priority: u8) -> Demand {
        let info = |height, bits_per_second| LayerInfo {
            live: true,
            height,
            bits_per_second,
        };
        Demand {
            screen: false,
            height,
            priority,
            layers: [info(180, 150_000), info(360, 500_000), info(720, 1_600_000)],
            held: None,
            may_rise: true,
        }
    }

    fn given(stage: Stage, demands: &[Demand]) -> Vec<Option<u8>> {
        let (mut demands, mut grants) = (demands.to_vec(), Vec::new());
        allocate(100_000_000, 0, false, &demands, &mut grants);
        restrain(stage, &mut demands, &mut grants);
        let layer = |grant: &Grant| grant.layer.map(|layer| layer.0);
        grants.iter().map(layer).collect()
    }

    #[test]
    fn the_first_camera_and_the_screen_go_last() {
        let screen = Demand {
            screen: true,
            ..camera(1080, 255)
        };
        let demands = [
            camera(180, 1),
            camera(720, 9),
            camera(300, 1),
            camera(720, 1),
            screen,
        ];
        let of = |stage| given(stage, &demands);
        assert_eq!(of(Stage::None), [0, 2, 1, 2, 2].map(Some));
        assert_eq!(
            of(Stage::Thumbnails),
            [None, Some(2), Some(0), Some(2), Some(2)]
        );
        assert_eq!(
            of(Stage::Layers),
            [None, Some(1), Some(0), Some(1), Some(2)]
        );
        assert_eq!(of(Stage::ScreenRate), [None, Some(0), None, None, Some(0)]);
        assert_eq!(of(Stage::Video), [None, None, None, None, Some(0)]);
    }

    #[test]
    fn a_smaller_layer_that_sleeps_is_woken_and_a_larger_one_is_not() {
        let mut demand = camera(720, 0);
        demand.layers[0].live = false;
        demand.layers[1].live = false;
        let (mut demands, mut grants) = (vec![demand], Vec::new());
        allocate(100_000_000, 0, false, &demands, &mut grants);
        restrain(Stage::Layers, &mut demands, &mut grants);
        assert_eq!((grants[0].layer, grants[0].wake), (None, Some(Layer(1))));
        let mut demand = camera(720, 0);
        demand.layers[2].live = false;
        let (mut demands, mut grants) = (vec![demand], Vec::new());
        allocate(100_000_000, 0, false, &demands, &mut grants);
        assert_eq!(grants[0].wake, Some(Layer(2)));
        restrain(Stage::Layers, &mut demands, &mut grants);
        assert_eq!((grants[0].layer, grants[0].wake), (Some(Layer(1)), None));
    }

    prop_compose! {
        fn any_demand()(
            screen in any::<bool>(),
            height in 0u16..1_200,
            priority in 0u8..3,
            live in prop::array::uniform3(any::<bool>()),
        ) -> Demand {
            let mut demand = Demand { screen, ..camera(height, priority) };
            for (info, live) in demand.layers.iter_mut().zip(live) {
                info.live = live;
            }
            demand
        }
    }

    proptest! {
        #[test]
        fn a_later_stage_never_gives_more(
            demands in prop::collection::vec(any_demand(), 0..12),
            estimate in 0u64..20_000_000,
        ) {
            let mut before: Option<Vec<Grant>> = None;
            for stage in Stage::ALL {
                let (mut asked, mut grants) = (demands.clone(), Vec::new());
                allocate(estimate, 3, false, &asked, &mut grants);
                restrain(stage, &mut asked, &mut grants);
                for (demand, grant) in asked.iter().zip(&grants) {
                    let live = grant.layer.is_none_or(|l| demand.layers[usize::from(l.0)].live);
                    prop_assert!(live);
                    prop_assert!(demand.height > 0 || grant.layer.is_none());
                }
                for (earlier, later) in before.iter().flatten().zip(&grants) {
                    prop_assert!(later.layer <= earlier.layer);
                }
                before = Some(grants);
            }
        }

        #[test]
        fn the_stage_moves_one_at_a_time(loads in prop::collection::vec(0u16..1_000, 0..300)) {
            let (mut overload, mut now) = (Overload::default(), Instant::now());
            for busy in loads {
                now += INTERVAL;
                let before = overload.stage().number();
                let told = overload.on_load(now, Load { busy, blocked: 0 });
                prop_assert!(overload.stage().number().abs_diff(before) <= 1);
                prop_assert_eq!(told.is_some(), overload.stage().number() != before);
            }
        }
    }
}
