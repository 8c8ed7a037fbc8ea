//! One shard and three shards give every receiver the same: payloads, sequence
//! numbers, timestamps, picture numbers, slot by slot, at the same time.
//!
//! The relay in memory takes no time, so nothing has to be argued away: not
//! even switches may differ. They do not, because
//! - the ranking of speakers works on scores exchanged before it (20 ms),
//! - a layer demanded of another shard comes with the cache of that shard,
//! - the throttle that counts is the publisher's in both cases.

#![allow(clippy::indexing_slicing)] // helpers of tests, which may panic

mod support;

use lophoc_media::types::*;
use proptest::prelude::*;
use support::*;

const PEOPLE: u64 = 9;

#[derive(Debug, Clone)]
enum Step {
    Run(u64),
    Watch {
        who: u64,
        tracks: Vec<(u64, u16)>,
        screen: bool,
    },
    FollowSpeakers {
        who: u64,
        height: u16,
    },
    Pin {
        who: u64,
        whom: u64,
    },
    Estimate {
        who: u64,
        bits: u64,
    },
    Level {
        who: u64,
        level: u8,
    },
    Camera {
        who: u64,
        on: bool,
    },
    Layer {
        who: u64,
        layer: u8,
        on: bool,
    },
    Allow {
        who: u64,
        camera: bool,
        mic: bool,
    },
    Trouble {
        who: u64,
        slot: u8,
    },
    Group {
        who: u64,
        group: u8,
    },
    Late {
        who: u64,
    },
    Leave {
        who: u64,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = 1..=PEOPLE;
    let height = prop::sample::select(vec![0u16, 90, 180, 360, 720]);
    let step = prop_oneof![
        6 => (20u64..3_000).prop_map(Step::Run),
        3 => (who.clone(), proptest::collection::vec((who.clone(), height.clone()), 0..4), any::<bool>())
            .prop_map(|(who, tracks, screen)| Step::Watch { who, tracks, screen }),
        1 => (who.clone(), height).prop_map(|(who, height)| Step::FollowSpeakers { who, height }),
        1 => (who.clone(), who.clone()).prop_map(|(who, whom)| Step::Pin { who, whom }),
        2 => (who.clone(), 0u64..3_000_000).prop_map(|(who, bits)| Step::Estimate { who, bits }),
        2 => (who.clone(), 5u8..=127).prop_map(|(who, level)| Step::Level { who, level }),
        1 => (who.clone(), any::<bool>()).prop_map(|(who, on)| Step::Camera { who, on }),
        1 => (who.clone(), 0u8..3, any::<bool>()).prop_map(|(who, layer, on)| Step::Layer { who, layer, on }),
        1 => (who.clone(), any::<bool>(), any::<bool>())
            .prop_map(|(who, camera, mic)| Step::Allow { who, camera, mic }),
        1 => (who.clone(), 0u8..4).prop_map(|(who, slot)| Step::Trouble { who, slot }),
        2 => (who.clone(), 0u8..3).prop_map(|(who, group)| Step::Group { who, group }),
        1 => who.clone().prop_map(|who| Step::Late { who: who + PEOPLE }),
        1 => who.prop_map(|who| Step::Leave { who }),
    ];
    proptest::collection::vec(step, 5..40)
}

fn play(shards: u16, steps: &[Step]) -> World {
    play_in(World::new(shards), steps)
}

fn play_in(mut world: World, steps: &[Step]) -> World {
    for peer in 1..=PEOPLE {
        world.join(peer, SEAT);
        if peer % 2 == 1 {
            world.publish_camera(peer, 3);
        }
        world.publish_mic(peer, 30 + peer as u8 * 9);
    }
    world.encoders.push(Encoder::video(screen(2), 2));
    world.encoders.push(Encoder::audio(
        TrackKey {
            peer: PeerId(2),
            kind: Kind::ScreenAudio,
        },
        50,
    ));
    for step in steps {
        act(&mut world, step);
    }
    world.run(1_500);
    world
}

fn act(world: &mut World, step: &Step) {
    let here = |world: &World, who: u64| world.home.contains_key(&PeerId(who));
    match step {
        Step::Run(millis) => world.run(*millis),
        Step::Late { who } => {
            if !here(world, *who) {
                world.join(*who, SEAT);
                world.watch(*who, &[(camera(1), 360), (screen(2), 720)]);
            }
        }
        Step::Watch { who, .. }
        | Step::FollowSpeakers { who, .. }
        | Step::Pin { who, .. }
        | Step::Estimate { who, .. }
        | Step::Level { who, .. }
        | Step::Camera { who, .. }
        | Step::Layer { who, .. }
        | Step::Allow { who, .. }
        | Step::Trouble { who, .. }
        | Step::Group { who, .. }
        | Step::Leave { who }
            if !here(world, *who) => {}
        Step::Watch {
            who,
            tracks,
            screen: with_screen,
        } => {
            let mut tracks: Vec<_> = tracks
                .iter()
                .map(|(peer, height)| (camera(*peer), *height))
                .collect();
            if *with_screen {
                tracks.push((screen(2), 720));
            }
            world.watch(*who, &tracks);
        }
        Step::FollowSpeakers { who, height } => {
            let wishes = (0..2)
                .map(|nth| Wish {
                    slot: SlotRef::Video(nth),
                    source: Some(WishSource::Speaker(nth)),
                    height: *height,
                    priority: 2 - nth,
                })
                .collect();
            world.view(
                *who,
                ViewSpec {
                    rev: 77,
                    wishes,
                    ..ViewSpec::default()
                },
            );
        }
        Step::Pin { who, whom } => {
            world.view(
                *who,
                ViewSpec {
                    rev: 78,
                    pins: vec![mic(*whom)],
                    ..ViewSpec::default()
                },
            );
        }
        Step::Estimate { who, bits } => world.estimate(*who, *bits),
        Step::Level { who, level } => world.encoder(mic(*who), 0).level = *level,
        Step::Camera { who, on } => world.camera_on(*who, *on),
        Step::Layer { who, layer, on } => {
            for encoder in &mut world.encoders {
                if encoder.track == camera(*who) && encoder.layer == Layer(*layer) {
                    encoder.on = *on;
                }
            }
        }
        Step::Allow { who, camera, mic } => {
            world.allow(
                *who,
                Allow {
                    camera: *camera,
                    mic: *mic,
                    ..ALL
                },
            );
        }
        Step::Trouble { who, slot } => {
            let shard = world.shard_of(*who);
            world.cores[shard].keyframe_request(world.now, PeerId(*who), SlotRef::Video(*slot));
            world.settle();
        }
        Step::Group { who, group } => world.group(*who, *group),
        Step::Leave { who } => {
            world.leave(*who);
            world.home.remove(&PeerId(*who));
        }
    }
}

/// Where two received streams first differ, told shortly.
fn difference(one: &World, three: &World) -> Option<String> {
    let keys: std::collections::BTreeSet<_> =
        one.received.keys().chain(three.received.keys()).collect();
    for (peer, slot) in keys {
        let (a, b) = (one.got(peer.0, *slot), three.got(peer.0, *slot));
        let at = a.iter().zip(b).position(|(a, b)| a != b);
        let at = at.or((a.len() != b.len()).then(|| a.len().min(b.len())));
        if let Some(at) = at {
            let tell = |got: Option<&Got>| {
                got.map(|got| {
                    format!(
                        "{:?} seq {} ts {} {:?}",
                        got.at,
                        got.seq,
                        got.ts,
                        got.name()
                    )
                })
            };
            return Some(format!(
                "{peer:?} {slot:?} packet {at}: one {:?}, three {:?}",
                tell(a.get(at)),
                tell(b.get(at)),
            ));
        }
    }
    None
}

#[test]
fn a_class_with_everything_in_it_is_the_same_on_one_and_three_shards() {
    let watch = |who, tracks: &[(u64, u16)], screen| Step::Watch {
        who,
        tracks: tracks.to_vec(),
        screen,
    };
    let steps = [
        watch(2, &[(1, 720), (3, 180), (5, 180)], true),
        watch(4, &[(1, 360), (7, 180)], true),
        watch(6, &[(1, 720)], false),
        Step::FollowSpeakers {
            who: 8,
            height: 360,
        },
        Step::Run(3_000),
        Step::Late { who: 11 },
        Step::Late { who: 12 },
        Step::Run(700),
        Step::Level { who: 5, level: 10 },
        Step::Run(2_000),
        Step::Estimate {
            who: 2,
            bits: 300_000,
        },
        Step::Run(2_000),
        Step::Estimate {
            who: 2,
            bits: 2_500_000,
        },
        Step::Camera { who: 1, on: false },
        Step::Run(3_000),
        Step::Camera { who: 1, on: true },
        Step::Trouble { who: 6, slot: 0 },
        Step::Trouble { who: 4, slot: 0 },
        Step::Run(1_000),
        Step::Layer {
            who: 1,
            layer: 2,
            on: false,
        },
        Step::Run(4_000),
        Step::Layer {
            who: 1,
            layer: 2,
            on: true,
        },
        Step::Allow {
            who: 5,
            camera: true,
            mic: false,
        },
        Step::Run(4_000),
        watch(4, &[(7, 720), (1, 180)], false),
        Step::Leave { who: 3 },
        Step::Run(2_000),
    ];
    let (one, three) = (play(1, &steps), play(3, &steps));
    assert_eq!(difference(&one, &three), None);
    one.check_streams();
    assert!(one.received.values().map(Vec::len).sum::<usize>() > 10_000);
    assert_eq!(one.bindings, three.bindings);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    /// The stage looks at every packet (see `support`): whoever gets one is in the
    /// group it was sent in, also while words between shards are late or lost.
    #[test]
    fn nobody_gets_a_packet_of_another_group(
        steps in steps(),
        moves in proptest::collection::vec((1..=PEOPLE, 0u8..3, 0u64..400), 10..60),
        lag in 0u64..60,
        lost in 0u64..30,
    ) {
        let mut world = World::new(3);
        world.between = (std::time::Duration::from_millis(lag), lost);
        let mut world = play_in(world, &steps);
        for (who, group, millis) in moves {
            act(&mut world, &Step::Group { who, group });
            world.run(millis);
        }
        // Messages that got through heal what is broken: groups are not silent.
        world.between = (std::time::Duration::ZERO, 0);
        let here: Vec<u64> = (1..=PEOPLE)
            .filter(|who| world.home.contains_key(&PeerId(*who)))
            .collect();
        world.run(25_000);
        for who in &here {
            let loud = world.encoder(mic(*who), 0);
            (loud.on, loud.level) = (true, 20);
            world.allow(*who, ALL);
        }
        world.run(2_000);
        let place = |who: &u64| world.groups.get(&PeerId(*who)).copied().unwrap_or(0);
        for who in &here {
            let others = here.iter().filter(|other| *other != who && place(other) == place(who));
            // The second person sends the sound of a screen too.
            let sounds: usize = others.map(|other| if *other == 2 { 2 } else { 1 }).sum();
            let slots = world.bindings[&PeerId(*who)].audio.iter().flatten().count();
            // Whom an estimate sent to the lowest rung hears one voice.
            let weak = world.rung(*who) == Rung::Sound;
            let most = if weak { 1 } else { usize::from(SEAT.audio) };
            prop_assert_eq!(slots, sounds.min(most), "{}", who);
            let heard = world.heard(*who);
            prop_assert!(heard.iter().all(|other| place(other) == place(who)), "{}", who);
        }
    }

    #[test]
    fn any_class_is_the_same_on_one_and_three_shards(steps in steps()) {
        let (one, three) = (play(1, &steps), play(3, &steps));
        prop_assert_eq!(difference(&one, &three), None);
        one.check_streams();
        for (peer, binding) in &one.bindings {
            prop_assert_eq!(Some(binding), three.bindings.get(peer), "{:?}", peer);
        }
        for (track, layers) in &one.wanted {
            prop_assert_eq!(Some(layers), three.wanted.get(track), "{:?}", track);
        }
    }
}
