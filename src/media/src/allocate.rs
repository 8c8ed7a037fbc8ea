//! Which layer each slot of a receiver gets: a pure function of the estimate
//! and the demands.
//!
//! 1. Audio is reserved before anything else.
//! 2. In the order screens, then larger priority, then slot: each demand gets
//!    its lowest live layer if that fits.
//! 3. In the same order, those of equal rank in turns: one layer up at a time,
//!    as far as the wanted height and the rest of the budget allow.
//!
//! A layer already sent is kept as long as it fits; a higher one must fit with
//! a margin, so that an estimate that trembles switches nothing.
//!
//! An estimate knows only what was sent: while little flows it stays far below
//! what the path carries. So when the caller dares ([`crate::trial`]), the first
//! screen whose lowest layer does not fit is sent all the same, and every camera
//! gives way to it.

use std::cmp::Reverse;

use crate::relay::{LayerInfo, Layers};
use crate::types::{Layer, MAX_LAYERS};

/// Reserved for each audio slot, bit/s: Opus with in-band FEC and packet headers.
pub const AUDIO_RESERVE: u64 = 48_000;
/// Part of the estimate that may be planned, percent.
const PLANNED: u64 = 95;
/// What a higher layer must leave free of its own cost, percent.
const RISE_MARGIN: u64 = 15;
/// A screen is tried up to this many times the budget; beyond, it is hopeless.
const REACH: u64 = 4;
/// A screen shown at most this high is a thumbnail, pixels.
const SCREEN_THUMBNAIL: u16 = 240;
/// Heights assumed until a keyframe tells, pixels.
const USUAL_HEIGHTS: [u16; MAX_LAYERS] = [180, 360, 720];
/// Bit rates assumed until measured, bit/s.
const USUAL_RATES: [u64; MAX_LAYERS] = [150_000, 500_000, 1_600_000];
/// Bit rate assumed of a single-layer source, by height: 720 lines.
const BITS_PER_LINE: u64 = 1_600_000 / 720;

/// What one slot wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    /// A shared screen goes before cameras.
    pub screen: bool,
    /// Wanted height, pixels; 0 wants nothing.
    pub height: u16,
    /// Larger goes first.
    pub priority: u8,
    /// What the source offers.
    pub layers: Layers,
    /// Layer given before.
    pub held: Option<Layer>,
    /// Whether a higher layer than `held` may be given already.
    pub may_rise: bool,
}

/// What one slot gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Grant {
    /// Live layer to send.
    pub layer: Option<Layer>,
    /// Layer the source does not send but should, because it is wanted and
    /// would fit.
    pub wake: Option<Layer>,
    /// Less than wanted was given for bandwidth, or more than fits; ask again later.
    pub limited: bool,
    /// Given although it does not fit.
    pub tried: bool,
}

/// Height of a layer: told by a keyframe, else assumed.
pub fn height_of(layers: &Layers, layer: usize) -> u16 {
    let told = layers.get(layer).map_or(0, |info| info.height);
    if told > 0 {
        return told;
    }
    USUAL_HEIGHTS.get(layer).copied().unwrap_or(0)
}

/// The layer a height asks for: the lowest at least that high, else the highest.
pub fn layer_for(layers: &Layers, height: u16) -> usize {
    (0..MAX_LAYERS)
        .find(|layer| height_of(layers, *layer) >= height)
        .unwrap_or(MAX_LAYERS - 1)
}

/// The layer a demand asks for. The small layer of a screen is meant for weak
/// links: few frames, and text too coarse to read even where it is shown no
/// larger than the layer is high. So all but a thumbnail asks for the largest.
fn wanted_layer(demand: &Demand) -> usize {
    if !demand.screen || demand.height <= SCREEN_THUMBNAIL {
        return layer_for(&demand.layers, demand.height);
    }
    let known = |info: &LayerInfo| info.live || info.height > 0 || info.bits_per_second > 0;
    demand.layers.iter().rposition(known).unwrap_or(0)
}

fn rate_of(layers: &Layers, layer: usize) -> u64 {
    let Some(info) = layers.get(layer) else {
        return 0;
    };
    let others = layers.iter().enumerate().any(|(other, info)| {
        other != layer && (info.live || info.height > 0 || info.bits_per_second > 0)
    });
    match (info.bits_per_second, info.height) {
        (0, 0) => USUAL_RATES.get(layer).copied().unwrap_or(0),
        // One layer of several has a usual rate.
        (0, _) if others => USUAL_RATES.get(layer).copied().unwrap_or(0),
        (0, height) => u64::from(height) * BITS_PER_LINE,
        (rate, _) => u64::from(rate),
    }
}

/// What the demands would take were the path without limit, bit/s; 0 when no
/// source sends what somebody wants. Where nothing larger was measured, the rates
/// browsers use for such heights count, since a still screen may move at any time.
pub fn wanted(demands: &[Demand]) -> u64 {
    let of = |demand: &Demand| {
        if demand.height == 0 || !(0..MAX_LAYERS).any(|layer| is_live(demand, layer)) {
            return 0;
        }
        let usual = match demand.height {
            0..=180 => 150_000,
            181..=360 => 500_000,
            361..=720 => 1_700_000,
            _ => 2_500_000,
        };
        // Of a screen, whatever its size, the largest layer is wanted.
        let usual = if demand.screen && demand.height > SCREEN_THUMBNAIL {
            2_500_000
        } else {
            usual
        };
        let layer = wanted_layer(demand);
        rate_of(&demand.layers, layer).max(usual)
    };
    demands.iter().map(of).fold(0, u64::saturating_add)
}

/// What the layers given cost, bit/s.
pub fn cost(demands: &[Demand], grants: &[Grant]) -> u64 {
    let of = |(demand, grant): (&Demand, &Grant)| {
        let layer = grant.layer.map(|layer| usize::from(layer.0));
        layer.map_or(0, |layer| rate_of(&demand.layers, layer))
    };
    demands
        .iter()
        .zip(grants)
        .map(of)
        .fold(0, u64::saturating_add)
}

/// Writes one grant per demand into `grants` (cleared first) and returns how much
/// of the estimate they use up, bit/s. `audio` counts the audio slots in use;
/// `daring` allows one screen more than fits.
pub fn allocate(
    estimate: u64,
    audio: usize,
    daring: bool,
    demands: &[Demand],
    grants: &mut Vec<Grant>,
) -> u64 {
    grants.clear();
    grants.resize(demands.len(), Grant::default());
    let reserved = AUDIO_RESERVE.saturating_mul(audio as u64);
    let budget = (estimate / 100 * PLANNED).saturating_sub(reserved);
    let mut plan = Plan {
        free: budget,
        reach: if daring {
            budget.saturating_mul(REACH)
        } else {
            0
        },
        promised: 0,
    };
    let mut order: Vec<(usize, &Demand)> = demands.iter().enumerate().collect();
    order.sort_by_key(|(index, demand)| (Reverse(rank(demand)), *index));

    for (index, demand) in &order {
        if let Some(grant) = grants.get_mut(*index) {
            plan.give_lowest(demand, grant);
        }
    }
    for equals in order.chunk_by(|(_, a), (_, b)| rank(a) == rank(b)) {
        for _ in 1..MAX_LAYERS {
            for (index, demand) in equals {
                if let Some(grant) = grants.get_mut(*index) {
                    plan.raise(demand, grant);
                }
            }
        }
    }
    for (index, demand) in &order {
        if let Some(grant) = grants.get_mut(*index) {
            plan.wake(demand, grant);
        }
    }
    budget - plan.free
}

fn rank(demand: &Demand) -> (bool, u8) {
    (demand.screen, demand.priority)
}

struct Plan {
    free: u64,
    /// Largest rate a screen that does not fit may have.
    reach: u64,
    /// Part of `free` that layers still asleep will take.
    promised: u64,
}

impl Plan {
    fn give_lowest(&mut self, demand: &Demand, grant: &mut Grant) {
        let mut live = (0..MAX_LAYERS).filter(|layer| is_live(demand, *layer));
        let Some(lowest) = live.next().filter(|_| demand.height > 0) else {
            return;
        };
        self.take(demand, grant, lowest, 0);
        if grant.layer.is_none() && demand.screen {
            self.try_all_the_same(demand, grant, lowest);
        }
    }

    fn try_all_the_same(&mut self, demand: &Demand, grant: &mut Grant, layer: usize) {
        let rises = demand.held.is_none_or(|held| usize::from(held.0) < layer);
        if rate_of(&demand.layers, layer) > self.reach || (rises && !demand.may_rise) {
            return;
        }
        self.free = 0;
        self.reach = 0;
        grant.tried = true;
        grant.layer = u8::try_from(layer).ok().map(Layer);
    }

    fn raise(&mut self, demand: &Demand, grant: &mut Grant) {
        let Some(Layer(now)) = grant.layer else {
            return;
        };
        let now = usize::from(now);
        let wanted = wanted_layer(demand);
        let next = (now + 1..=wanted).find(|layer| is_live(demand, *layer));
        if let Some(next) = next {
            self.take(demand, grant, next, rate_of(&demand.layers, now));
        }
    }

    /// Gives `layer` for its cost less what is already `paid`, if it fits.
    fn take(&mut self, demand: &Demand, grant: &mut Grant, layer: usize, paid: u64) {
        let rate = rate_of(&demand.layers, layer);
        let rises = demand.held.is_none_or(|held| usize::from(held.0) < layer);
        let margin = if rises { rate / 100 * RISE_MARGIN } else { 0 };
        let cost = rate.saturating_sub(paid);
        let allowed = !rises || demand.may_rise;
        if !allowed || cost.saturating_add(margin) > self.free {
            grant.limited = true;
            return;
        }
        self.free -= cost;
        grant.layer = u8::try_from(layer).ok().map(Layer);
    }

    /// Asks for a layer the source could send but does not, because nobody watched
    /// it: the highest above what is given that would fit.
    fn wake(&mut self, demand: &Demand, grant: &mut Grant) {
        let wanted = wanted_layer(demand);
        if demand.height == 0 {
            return;
        }
        let now = grant.layer.map(|layer| usize::from(layer.0));
        if now.is_none() && !grant.limited {
            // Nothing of the source lives: whatever comes is better.
            grant.wake = u8::try_from(wanted).ok().map(Layer);
            return;
        }
        let have = now.map_or(0, |now| rate_of(&demand.layers, now));
        // What is given is larger than wanted where the smaller ones sleep.
        let above = now.filter(|now| *now <= wanted).map_or(0, |now| now + 1);
        for layer in (above..=wanted).rev() {
            if is_live(demand, layer) {
                continue;
            }
            let rate = rate_of(&demand.layers, layer);
            let cost = rate.saturating_sub(have);
            let needs = cost.saturating_add(rate / 100 * RISE_MARGIN);
            if demand.may_rise && needs <= self.free.saturating_sub(self.promised) {
                self.promised = self.promised.saturating_add(cost);
                grant.wake = u8::try_from(layer).ok().map(Layer);
                return;
            }
            // It may fit later, and then nothing else would say so.
            grant.limited = true;
        }
    }
}

fn is_live(demand: &Demand, layer: usize) -> bool {
    demand.layers.get(layer).is_some_and(|info| info.live)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn info(live: bool, height: u16, bits_per_second: u32) -> LayerInfo {
        LayerInfo {
            live,
            height,
            bits_per_second,
        }
    }

    fn camera(height: u16, priority: u8) -> Demand {
        Demand {
            screen: false,
            height,
            priority,
            layers: [
                info(true, 180, 150_000),
                info(true, 360, 500_000),
                info(true, 720, 1_600_000),
            ],
            held: None,
            may_rise: true,
        }
    }

    fn granted(estimate: u64, demands: &[Demand]) -> Vec<Option<u8>> {
        let mut grants = Vec::new();
        allocate(estimate, 0, false, demands, &mut grants);
        grants
            .iter()
            .map(|grant| grant.layer.map(|layer| layer.0))
            .collect()
    }

    #[test]
    fn a_height_is_rounded_up_to_a_layer() {
        let plenty = 100_000_000;
        let layers = [1, 180, 181, 360, 361, 720, 1080]
            .map(|height| granted(plenty, &[camera(height, 0)])[0]);
        assert_eq!(layers, [0, 0, 1, 1, 2, 2, 2].map(Some));
    }

    #[test]
    fn heights_told_by_keyframes_replace_the_usual_ones() {
        let mut demand = camera(720, 0);
        demand.layers[0].height = 720;
        assert_eq!(granted(100_000_000, &[demand]), [Some(0)]);
        demand.layers[0].height = 0;
        demand.layers[2].height = 0;
        assert_eq!(granted(100_000_000, &[demand]), [Some(2)]);
    }

    #[test]
    fn no_height_gets_nothing_and_wakes_nobody() {
        let mut grants = Vec::new();
        allocate(10_000_000, 0, false, &[camera(0, 0)], &mut grants);
        assert_eq!(grants, [Grant::default()]);
    }

    #[test]
    fn the_screen_is_served_before_thumbnails() {
        let screen = Demand {
            screen: true,
            layers: [
                info(true, 1080, 1_000_000),
                info(false, 0, 0),
                info(false, 0, 0),
            ],
            ..camera(1080, 0)
        };
        assert_eq!(
            granted(1_220_000, &[camera(180, 9), screen]),
            [None, Some(0)]
        );
        assert_eq!(
            granted(1_500_000, &[camera(180, 9), screen]),
            [Some(0), Some(0)]
        );
    }

    #[test]
    fn the_larger_priority_rises_first_and_equals_take_turns() {
        assert_eq!(
            granted(2_200_000, &[camera(720, 0), camera(720, 5)]),
            [Some(0), Some(2)]
        );
        assert_eq!(
            granted(1_300_000, &[camera(720, 1), camera(720, 1)]),
            [Some(1), Some(1)]
        );
    }

    #[test]
    fn a_layer_that_fits_is_kept_but_a_higher_one_needs_a_margin() {
        let mut demand = camera(720, 0);
        let just_enough = 1_700_000;
        assert_eq!(granted(just_enough, &[demand]), [Some(1)]);
        demand.held = Some(Layer(2));
        assert_eq!(granted(just_enough, &[demand]), [Some(2)]);
        demand.held = Some(Layer(1));
        demand.may_rise = false;
        assert_eq!(granted(100_000_000, &[demand]), [Some(1)]);
    }

    #[test]
    fn a_layer_that_sleeps_is_woken_when_it_would_fit() {
        let mut demand = camera(720, 0);
        demand.layers[2].live = false;
        let mut grants = Vec::new();
        allocate(5_000_000, 0, false, &[demand], &mut grants);
        assert_eq!(grants[0].layer, Some(Layer(1)));
        assert_eq!(grants[0].wake, Some(Layer(2)));
        allocate(800_000, 0, false, &[demand], &mut grants);
        assert_eq!(grants[0].wake, None);
        assert!(grants[0].limited, "looked at again when there is more room");
    }

    #[test]
    fn where_the_wanted_layer_does_not_fit_the_one_below_is_woken() {
        let mut demand = camera(720, 0);
        demand.layers[1].live = false;
        let mut grants = Vec::new();
        for live in [true, false] {
            demand.layers[2].live = live;
            allocate(900_000, 0, false, &[demand], &mut grants);
            assert_eq!(grants[0].layer, Some(Layer(0)));
            assert_eq!(grants[0].wake, Some(Layer(1)));
        }
        demand.may_rise = false;
        demand.held = Some(Layer(0));
        allocate(900_000, 0, false, &[demand], &mut grants);
        assert_eq!(grants[0].wake, None);
    }

    #[test]
    fn a_smaller_layer_is_woken_where_only_a_larger_one_lives() {
        let mut demand = camera(180, 0);
        demand.layers[0].live = false;
        demand.layers[1].live = false;
        let mut grants = Vec::new();
        allocate(5_000_000, 0, false, &[demand], &mut grants);
        assert_eq!(
            (grants[0].layer, grants[0].wake),
            (Some(Layer(2)), Some(Layer(0)))
        );
        demand.height = 720;
        allocate(300_000, 0, false, &[demand], &mut grants);
        assert_eq!((grants[0].layer, grants[0].wake), (None, Some(Layer(0))));
    }

    #[test]
    fn room_that_is_promised_is_not_promised_twice() {
        let mut demand = camera(360, 0);
        demand.layers[1].live = false;
        let mut grants = Vec::new();
        allocate(1_000_000, 0, false, &[demand, demand], &mut grants);
        let woken: Vec<_> = grants.iter().map(|grant| grant.wake).collect();
        assert_eq!(woken, [Some(Layer(1)), None]);
    }

    #[test]
    fn from_an_estimate_of_zero_the_picture_comes_back() {
        let mut demand = camera(720, 0);
        assert_eq!(granted(0, &[demand]), [None]);
        demand.held = None;
        assert_eq!(granted(250_000, &[demand]), [Some(0)]);
    }

    fn single_screen(bits_per_second: u32) -> Demand {
        Demand {
            screen: true,
            layers: [
                info(true, 1080, bits_per_second),
                LayerInfo::default(),
                LayerInfo::default(),
            ],
            ..camera(1080, 0)
        }
    }

    #[test]
    fn a_screen_that_does_not_fit_is_tried_and_cameras_give_way() {
        let demands = [camera(360, 9), single_screen(2_000_000)];
        let mut grants = Vec::new();
        allocate(1_000_000, 1, true, &demands, &mut grants);
        assert_eq!(grants[0].layer, None);
        assert_eq!((grants[1].layer, grants[1].tried), (Some(Layer(0)), true));
        allocate(1_000_000, 1, false, &demands, &mut grants);
        assert_eq!((grants[0].layer, grants[1].layer), (Some(Layer(1)), None));
        allocate(300_000, 1, true, &demands, &mut grants);
        assert_eq!(grants[1].layer, None, "hopeless");
    }

    #[test]
    fn a_screen_of_two_layers_begins_small_and_rises_before_any_camera() {
        let screen = Demand {
            layers: [
                info(true, 540, 0),
                LayerInfo::default(),
                info(true, 1080, 2_000_000),
            ],
            ..single_screen(0)
        };
        let of = |estimate| granted(estimate, &[camera(720, 9), screen]);
        assert_eq!(of(400_000), [Some(0), Some(0)]);
        assert_eq!(of(2_700_000), [Some(0), Some(2)]);
        assert_eq!(of(6_000_000), [Some(2), Some(2)]);
        let mut shown = screen;
        shown.height = 540;
        assert_eq!(granted(9_000_000, &[shown]), [Some(2)], "readable");
        shown.height = 180;
        assert_eq!(granted(9_000_000, &[shown]), [Some(0)]);
    }

    #[test]
    fn what_is_wanted_counts_sources_that_send_and_heights_asked_for() {
        assert_eq!(wanted(&[]), 0);
        assert_eq!(wanted(&[camera(0, 0)]), 0);
        let mut silent = camera(720, 0);
        silent.layers = Default::default();
        assert_eq!(wanted(&[silent]), 0);
        assert_eq!(wanted(&[camera(180, 0), camera(360, 0)]), 650_000);
        assert_eq!(wanted(&[single_screen(40_000)]), 2_500_000);
        assert_eq!(wanted(&[single_screen(4_000_000)]), 4_000_000);
    }

    fn demands() -> impl Strategy<Value = Vec<Demand>> {
        let layer = (any::<bool>(), 0u16..1_200, 0u32..3_000_000)
            .prop_map(|(live, height, rate)| info(live, height, rate));
        let demand = (
            any::<bool>(),
            0u16..1_200,
            0u8..4,
            [layer.clone(), layer.clone(), layer],
            proptest::option::of(0u8..3),
            any::<bool>(),
        )
            .prop_map(
                |(screen, height, priority, layers, held, may_rise)| Demand {
                    screen,
                    height,
                    priority,
                    layers,
                    held: held.map(Layer),
                    may_rise,
                },
            );
        proptest::collection::vec(demand, 0..12)
    }

    proptest! {
        #[test]
        fn the_budget_holds_and_only_live_layers_are_given(estimate in 0u64..20_000_000, audio in 0usize..6, daring in any::<bool>(), demands in demands()) {
            let mut grants = Vec::new();
            let cost = allocate(estimate, audio, daring, &demands, &mut grants);
            let tried: Vec<_> = demands.iter().zip(&grants).filter(|(_, grant)| grant.tried).collect();
            prop_assert!(tried.len() <= usize::from(daring));
            prop_assert!(tried.iter().all(|(demand, grant)| demand.screen && grant.limited && grant.layer.is_some()));
            if tried.is_empty() {
                let sum: u64 = demands.iter().zip(&grants)
                    .filter_map(|(demand, grant)| Some(rate_of(&demand.layers, usize::from(grant.layer?.0))))
                    .sum();
                prop_assert!(sum <= estimate.max(cost));
            } else {
                let camera = |(demand, grant): (&Demand, &Grant)| !demand.screen && grant.layer.is_some_and(|l| rate_of(&demand.layers, usize::from(l.0)) > 0);
                prop_assert!(!demands.iter().zip(&grants).any(camera), "a camera kept what a screen lacks");
            }
            prop_assert!(cost == 0 || cost + AUDIO_RESERVE * audio as u64 <= estimate);
            prop_assert_eq!(grants.len(), demands.len());
            for (demand, grant) in demands.iter().zip(&grants) {
                if let Some(Layer(layer)) = grant.layer {
                    prop_assert!(demand.height > 0);
                    prop_assert!(demand.layers[usize::from(layer)].live);
                }
                if let Some(Layer(layer)) = grant.wake {
                    prop_assert!(!demand.layers[usize::from(layer)].live);
                }
            }
        }

        #[test]
        fn allocating_again_with_what_was_given_changes_nothing(estimate in 0u64..20_000_000, daring in any::<bool>(), mut demands in demands()) {
            let mut grants = Vec::new();
            for demand in &mut demands {
                demand.may_rise = false;
            }
            allocate(estimate, 2, daring, &demands, &mut grants);
            let first = grants.clone();
            for (demand, grant) in demands.iter_mut().zip(&first) {
                demand.held = grant.layer;
            }
            allocate(estimate, 2, daring, &demands, &mut grants);
            let layers = |grants: &[Grant]| grants.iter().map(|g| g.layer).collect::<Vec<_>>();
            prop_assert_eq!(layers(&first), layers(&grants));
        }

        #[test]
        fn more_bandwidth_never_takes_from_the_first_in_order(estimate in 0u64..10_000_000, more in 0u64..10_000_000, demands in demands()) {
            let best = |estimate| {
                let mut grants = Vec::new();
                allocate(estimate, 0, false, &demands[..demands.len().min(1)], &mut grants);
                grants.first().and_then(|grant| grant.layer)
            };
            prop_assert!(best(estimate) <= best(estimate + more));
        }
    }
}
