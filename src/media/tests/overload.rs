//! A shard with too much to do, on virtual time: what it gives up, in which order,
//! and that sound stays.

mod support;

use lophoc_media::overload::Stage;
use lophoc_media::types::*;
use support::*;

fn set(world: &mut World, stage: Stage) {
    for core in &mut world.cores {
        core.set_overload(world.now, stage);
    }
    world.settle();
}

/// Three people with cameras and microphones, one of them with a screen; a fourth
/// sees two large, one as a thumbnail, and the screen.
fn lesson(shards: u16) -> World {
    let mut world = World::new(shards);
    for peer in 1..=4 {
        world.join(peer, SEAT);
    }
    for peer in 1..=3 {
        world.publish_camera(peer, 3);
        world.publish_mic(peer, 20 + peer as u8);
    }
    world.encoders.push(Encoder::video(screen(1), 0));
    world.encoders.push(Encoder::video(screen(1), 2));
    for peer in 1..=4 {
        world.estimate(peer, 50_000_000);
    }
    world.watch(
        4,
        &[
            (camera(1), 720),
            (camera(2), 720),
            (camera(3), 180),
            (screen(1), 1080),
        ],
    );
    world.run(3_000);
    world
}

/// Layers of the three cameras and the screen now.
fn shown(world: &World) -> [Option<u8>; 4] {
    let binding = world.bindings.get(&PeerId(4));
    let screen = binding.and_then(|binding| binding.screen.first());
    let of = |state| match state {
        SlotState::Live { layer, .. } => Some(layer.0),
        _ => None,
    };
    [
        of(world.video(4, 0).1),
        of(world.video(4, 1).1),
        of(world.video(4, 2).1),
        screen.and_then(|(_, state)| of(*state)),
    ]
}

#[test]
fn pictures_go_in_order_and_come_back_and_sound_stays() {
    for shards in [1, 3] {
        let mut world = lesson(shards);
        assert_eq!(shown(&world), [Some(2), Some(2), Some(0), Some(2)]);
        let heard = world.heard(4);
        assert_eq!(heard.len(), 3);
        for (stage, expected) in [
            (Stage::Thumbnails, [Some(2), Some(2), None, Some(2)]),
            (Stage::Layers, [Some(1), Some(1), None, Some(2)]),
            (Stage::ScreenRate, [Some(0), None, None, Some(0)]),
            (Stage::Video, [None, None, None, Some(0)]),
            (Stage::ScreenRate, [Some(0), None, None, Some(0)]),
            (Stage::None, [Some(2), Some(2), Some(0), Some(2)]),
        ] {
            let sound = |world: &World| -> usize {
                (0..5)
                    .map(|at| world.got(4, SlotRef::Audio(at)).len())
                    .sum()
            };
            let before = sound(&world);
            set(&mut world, stage);
            assert_eq!(world.heard(4), heard, "at once");
            world.run(5_000);
            assert_eq!(shown(&world), expected, "{stage:?}");
            assert_eq!(world.heard(4), heard);
            // Three voices, fifty packets a second each.
            assert!(sound(&world) - before >= 740, "{stage:?}");
        }
        world.check_streams();
    }
}

#[test]
fn the_receiver_is_told_that_the_server_holds_it_back() {
    let mut world = lesson(1);
    set(&mut world, Stage::Video);
    for slot in 0..3 {
        assert_eq!(world.video(4, slot).1, SlotState::PausedLimit);
    }
    set(&mut world, Stage::None);
    world.run(1_000);
    assert!(matches!(world.video(4, 0).1, SlotState::Live { .. }));
}

#[test]
fn publishers_may_rest_and_nobody_looks_for_more() {
    let mut world = lesson(3);
    assert!(world.wanted_rate[&PeerId(4)] > 3_000_000);
    set(&mut world, Stage::Video);
    world.run(5_000);
    for peer in 1..=3 {
        assert_eq!(world.wanted[&camera(peer)], 0);
    }
    assert_eq!(world.wanted[&screen(1)], 1);
    assert!(world.wanted_rate[&PeerId(4)] < 1_000_000);
    // Whoever comes now gets the same.
    world.join(5, SEAT);
    world.watch(5, &[(camera(1), 720), (screen(1), 1080)]);
    world.run(1_000);
    assert_eq!(world.video(5, 0).1, SlotState::PausedLimit);
    assert!(world.heard(5).len() == 3);
}
