//! A receiver with a list, a recording, gets what is of the people on it and
//! nothing else, whatever it wishes for and whoever speaks. The stage looks at
//! every packet (see `support`).

#![allow(clippy::indexing_slicing)] // helpers of tests, which may panic

mod support;

use std::time::Duration;

use lophoc_media::types::*;
use proptest::prelude::*;
use support::*;

const PEOPLE: u64 = 6;
const RECORDING: u64 = 40;

fn class(shards: u16) -> World {
    let mut world = World::new(shards);
    for peer in 1..=PEOPLE {
        world.join(peer, SEAT);
        world.publish_camera(peer, 3);
        world.publish_mic(peer, 20 + peer as u8 * 5);
    }
    world.encoders.push(Encoder::video(screen(2), 2));
    let key = TrackKey {
        peer: PeerId(2),
        kind: Kind::ScreenAudio,
    };
    world.encoders.push(Encoder::audio(key, 50));
    world
}

/// Everything it could ask for: tracks, the speaker, the screen, pins.
fn greedy(world: &mut World, tracks: &[u64]) {
    let mut wishes: Vec<Wish> = (0u8..)
        .zip(tracks)
        .map(|(at, peer)| Wish {
            slot: SlotRef::Video(at),
            source: Some(WishSource::Track(camera(*peer))),
            height: 720,
            priority: 1,
        })
        .collect();
    wishes.push(Wish {
        slot: SlotRef::Video(3),
        source: Some(WishSource::Speaker(0)),
        height: 180,
        priority: 0,
    });
    wishes.push(Wish {
        slot: SlotRef::Screen(0),
        source: Some(WishSource::Track(screen(2))),
        height: 720,
        priority: 2,
    });
    let view = ViewSpec {
        rev: 5,
        wishes,
        pins: tracks.iter().map(|peer| mic(*peer)).take(2).collect(),
        ..ViewSpec::default()
    };
    world.view(RECORDING, view);
}

#[test]
fn nobody_is_recorded_who_is_not_on_the_list_from_the_first_moment_to_the_last() {
    let mut world = class(1);
    world.run(500);
    world.join_listed(RECORDING, SEAT, &[]);
    greedy(&mut world, &[1, 2, 3]);
    world.run(2_000);
    let silent = |world: &World| world.received.keys().all(|(peer, _)| peer.0 != RECORDING);
    assert!(silent(&world));
    assert!(world.heard(RECORDING).is_empty());

    world.list(RECORDING, &[1, 4]);
    world.run(2_000);
    assert_eq!(world.heard(RECORDING), [1, 4].into());
    assert_eq!(world.video(RECORDING, 0).0, Some(camera(1)));
    assert_eq!(world.video(RECORDING, 1).0, None);
    assert_eq!(world.bindings[&PeerId(RECORDING)].screen[0].0, None);

    // Consent taken back ends it with the next packet; the stage would see one.
    world.list(RECORDING, &[4]);
    world.run(2_000);
    assert_eq!(world.heard(RECORDING), [4].into());
    assert_eq!(world.video(RECORDING, 0), (None, SlotState::Off));
    let before = world.got(RECORDING, SlotRef::Video(0)).len();
    world.run(1_000);
    assert_eq!(world.got(RECORDING, SlotRef::Video(0)).len(), before);

    world.list(RECORDING, &[1, 2, 3, 4, 5, 6]);
    world.run(2_000);
    assert_eq!(world.video(RECORDING, 0).0, Some(camera(1)));
    assert!(
        world.heard(RECORDING).contains(&2),
        "and the sound of the screen"
    );
    assert_eq!(
        world.bindings[&PeerId(RECORDING)].screen[0].0,
        Some(screen(2))
    );
    world.check_streams();
}

#[test]
fn a_picture_lost_before_is_not_sent_again_to_a_recording_that_may_not_have_it_any_more() {
    let mut world = class(1);
    world.join_listed(RECORDING, SEAT, &[1]);
    greedy(&mut world, &[1]);
    world.run(2_000);
    let last = world.got(RECORDING, SlotRef::Video(0)).last().unwrap().seq as u16;
    world.list(RECORDING, &[]);
    let before = world.got(RECORDING, SlotRef::Video(0)).len();
    world.cores[0].resend(world.now, PeerId(RECORDING), SlotRef::Video(0), last);
    world.settle();
    assert_eq!(world.got(RECORDING, SlotRef::Video(0)).len(), before);
}

/// Who is on the list, who is wished for, how long, who speaks, how loud.
type Step = (Vec<u64>, Vec<u64>, u64, u64, u8);

fn lists() -> impl Strategy<Value = Vec<Step>> {
    let people = || proptest::collection::vec(1..=PEOPLE, 0..=PEOPLE as usize);
    let wished = proptest::collection::vec(1..=PEOPLE, 0..=3);
    let step = (people(), wished, 0u64..600, 1..=PEOPLE, 5u8..=100);
    proptest::collection::vec(step, 1..25)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_wished_for_only_the_listed_come(
        steps in lists(),
        shards in 1u16..=3,
        lag in 0u64..60,
        lost in 0u64..20,
    ) {
        let mut world = class(shards);
        world.between = (Duration::from_millis(lag), lost);
        world.join_listed(RECORDING, SEAT, &[]);
        for (list, wished, millis, who, level) in steps {
            world.list(RECORDING, &list);
            greedy(&mut world, &wished);
            world.encoder(mic(who), 0).level = level;
            world.run(millis);
        }
    }

    /// A list that names everybody changes nothing.
    #[test]
    fn a_list_of_all_is_like_none(steps in lists(), shards in 1u16..=2) {
        let everybody: Vec<u64> = (1..=PEOPLE).collect();
        let play = |listed: bool| {
            let mut world = class(shards);
            if listed {
                world.join_listed(RECORDING, SEAT, &everybody);
            } else {
                world.join(RECORDING, SEAT);
            }
            for (_, wished, millis, who, level) in &steps {
                greedy(&mut world, wished);
                world.encoder(mic(*who), 0).level = *level;
                world.run(*millis);
            }
            world
        };
        let (with, without) = (play(true), play(false));
        prop_assert_eq!(&with.received, &without.received);
        prop_assert_eq!(&with.bindings, &without.bindings);
        with.check_streams();
    }
}
