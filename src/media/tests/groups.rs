//! Breakout groups: parts of a room that hear and see themselves alone. The stage
//! checks of every packet that sender and receiver are in the same part.
#![allow(clippy::indexing_slicing, clippy::unwrap_used)] // helpers of tests, which may panic

mod support;

use lophoc_media::core::{CoreConfig, DropReason, ShardCore};
use lophoc_media::types::*;
use support::*;

/// Four people who all send sound and picture and look at each other.
fn class(shards: u16) -> World {
    let mut world = World::new(shards);
    for peer in 1..=4 {
        world.join(peer, SEAT);
        world.publish_camera(peer, 3);
        world.publish_mic(peer, 30);
    }
    for peer in 1..=4 {
        let others: Vec<_> = (1..=4)
            .filter(|other| *other != peer)
            .map(|other| (camera(other), 360))
            .collect();
        world.watch(peer, &others);
    }
    world.run(2_000);
    world
}

/// Whose pictures came in the last 100 ms.
fn seen(world: &World, peer: u64) -> Vec<u64> {
    (0..3)
        .filter(|slot| world.layer_now(peer, *slot, 100).is_some())
        .map(|slot| world.video(peer, slot).0.unwrap().peer.0)
        .collect()
}

fn on_one_and_three(play: impl Fn(World)) {
    play(class(1));
    play(class(3));
}

#[test]
fn groups_hear_and_see_themselves_alone_and_come_back_within_two_seconds() {
    on_one_and_three(|mut world| {
        assert_eq!(seen(&world, 1), [2, 3, 4]);
        let live = world.live.len();
        for peer in 1..=4 {
            world.group(peer, 1 + u8::from(peer > 2));
        }
        world.run(1_000);
        for (peer, other) in [(1, 2), (2, 1), (3, 4), (4, 3)] {
            assert_eq!(world.heard(peer), [other].into());
            assert_eq!(seen(&world, peer), [other]);
        }
        for peer in 1..=4 {
            world.group(peer, 0);
        }
        world.run(1_000);
        for peer in 1..=4 {
            let others = || (1..=4).filter(|other| *other != peer);
            assert_eq!(world.heard(peer), others().collect());
            assert_eq!(seen(&world, peer), others().collect::<Vec<_>>());
        }
        assert_eq!(world.live.len(), live, "no track ended");
        world.check_streams();
    });
}

#[test]
fn a_view_or_pin_of_another_group_gives_nothing() {
    on_one_and_three(|mut world| {
        world.group(1, 1);
        world.run(500);
        let before = world.got(1, SlotRef::Video(0)).len();
        world.view(
            1,
            ViewSpec {
                rev: 50,
                wishes: vec![
                    Wish {
                        slot: SlotRef::Video(0),
                        source: Some(WishSource::Track(camera(2))),
                        height: 720,
                        priority: 9,
                    },
                    Wish {
                        slot: SlotRef::Video(1),
                        source: Some(WishSource::Speaker(0)),
                        height: 720,
                        priority: 8,
                    },
                ],
                pins: vec![mic(2)],
                ..ViewSpec::default()
            },
        );
        world.run(3_000);
        assert_eq!(world.got(1, SlotRef::Video(0)).len(), before);
        assert_eq!(
            world.video(1, 0),
            (Some(camera(2)), SlotState::PausedMuted),
            "as if it did not send"
        );
        assert_eq!(world.video(1, 1), (None, SlotState::Off));
        assert_eq!(world.heard(1), [].into());
        // The wish is still there when the other comes.
        world.group(2, 1);
        world.run(1_000);
        assert!(matches!(world.video(1, 0).1, SlotState::Live { .. }));
        assert_eq!(world.video(1, 1).0, Some(camera(2)));
        assert_eq!(world.heard(1), [2].into());
        world.check_streams();
    });
}

#[test]
fn a_picture_from_before_the_move_is_not_shown_after_it() {
    on_one_and_three(|mut world| {
        world.group(2, 1);
        // The encoder does not answer: nothing but what was kept could be shown.
        world.camera_on(1, false);
        let before = world.got(2, SlotRef::Video(0)).len();
        world.group(1, 1);
        world.run(500);
        assert_eq!(world.got(2, SlotRef::Video(0)).len(), before);
        world.camera_on(1, true);
        world.run(500);
        assert!(world.got(2, SlotRef::Video(0))[before].begins_keyframe());
    });
}

#[test]
fn who_comes_back_on_another_connection_is_in_the_group_he_is_told_to_be_in() {
    let mut world = class(3);
    world.group(1, 2);
    world.group(2, 2);
    world.run(500);
    world.join_as(1, 2, SEAT, Some(2));
    world.run(1_000);
    assert_eq!(world.heard(1), [2].into());
    assert_eq!(world.heard(2), [1].into());
    assert_eq!(world.heard(3), [4].into());
}

#[test]
fn a_word_about_a_group_one_has_left_changes_nothing() {
    let mut world = class(3);
    world.group(1, 1);
    world.group(1, 0);
    world.run(1_000);
    for shard in 0..3 {
        for moves in 0..2 {
            let stint = Stint {
                epoch: Epoch(1),
                moves,
            };
            if shard != 1 {
                let tracks = vec![camera(1), mic(1)];
                let msg = lophoc_media::core::RelayMsg::TrackDown { tracks, stint };
                world.relay(shard, 1, msg);
            }
        }
    }
    world.run(200);
    assert_eq!(seen(&world, 2), [1, 3, 4]);
    assert!(world.dropped(DropReason::StaleEpoch) >= 4);
}

#[test]
fn the_levels_of_a_group_name_its_people_only() {
    on_one_and_three(|mut world| {
        for peer in 1..=4 {
            world.group(peer, 1 + u8::from(peer > 2));
        }
        world.run(1_000);
        world.levels.clear();
        world.run(1_000);
        assert!(!world.levels.is_empty());
        for levels in &world.levels {
            let of = |range: std::ops::RangeInclusive<u64>| {
                levels.iter().any(|(peer, _)| range.contains(&peer.0))
            };
            assert!(!(of(1..=2) && of(3..=4)), "{levels:?}");
        }
    });
}

#[test]
fn where_there_is_no_place_for_another_part_the_peer_is_with_nobody() {
    let mut config = CoreConfig::new(ShardId(0), 1);
    config.max_rooms = 1;
    let mut world = World::new(1);
    world.cores[0] = ShardCore::new(config, world.start);
    for peer in 1..=2 {
        world.join(peer, SEAT);
        world.publish_mic(peer, 20);
    }
    world.run(500);
    let before = world.got(1, SlotRef::Audio(0)).len();
    world.group(1, 1);
    world.run(500);
    assert_eq!(world.got(1, SlotRef::Audio(0)).len(), before);
    assert_eq!(world.heard(2), [].into());
    assert_eq!(world.dropped(DropReason::RoomsFull), 1);
}

#[test]
fn parts_nobody_is_in_are_given_back() {
    on_one_and_three(|mut world| {
        for round in 1..=20 {
            for peer in 1..=4 {
                world.group(peer, (round + peer as u8) % 5);
            }
            world.run(50);
        }
        for peer in 1..=4 {
            world.group(peer, 0);
        }
        world.run(1_000);
        let rooms: usize = world.stats().iter().map(|stats| stats.rooms).sum();
        assert_eq!(rooms, world.cores.len());
        for peer in 1..=4 {
            world.leave(peer);
        }
        assert!(world.stats().iter().all(|s| s.rooms == 0 && s.tracks == 0));
    });
}
