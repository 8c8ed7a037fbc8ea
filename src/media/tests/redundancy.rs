//! Sound with the frames before it, for receivers that lose some.

#![allow(clippy::indexing_slicing, clippy::unwrap_used)] // tests, which may panic

mod support;

use lophoc_media::red;
use support::*;

fn class() -> World {
    let mut world = World::new(1);
    for peer in 1..=3 {
        world.join(peer, SEAT);
    }
    world.publish_mic(1, 30);
    world.run(2_000);
    world
}

fn lossy(world: &mut World, peer: u64, permille: u16) {
    let shard = world.shard_of(peer);
    world.cores[shard].set_loss(world.now, lophoc_media::types::PeerId(peer), permille);
}

/// Packets of sound the peer got within the next so many ms, and how many of them
/// carried older frames.
fn heard(world: &mut World, peer: u64, millis: u64) -> (usize, usize) {
    let before = world.sounds_sent(peer);
    world.run(millis);
    let after = world.sounds_sent(peer);
    (after.0 - before.0, after.1 - before.1)
}

#[test]
fn who_loses_packets_gets_redundancy_and_nobody_else_does() {
    let mut world = class();
    assert_eq!(heard(&mut world, 2, 1_000).1, 0);
    lossy(&mut world, 2, 50);
    let (all, redundant) = heard(&mut world, 2, 1_000);
    assert!(all >= 49 && redundant == all, "{redundant} of {all}");
    assert_eq!(heard(&mut world, 3, 500).1, 0);
    // It ends when the link was clean for a while.
    for _ in 0..32 {
        lossy(&mut world, 2, 0);
        world.run(1_000);
    }
    assert_eq!(heard(&mut world, 2, 1_000).1, 0);
}

#[test]
fn nothing_is_repeated_of_who_was_heard_before_in_a_slot() {
    let mut world = class();
    lossy(&mut world, 2, 100);
    world.run(500);
    // One voice goes, another comes into its slot.
    world.leave(1);
    world.publish_mic(3, 20);
    world.run(1_500);
    for (payload, is_red) in world.reds(2) {
        if *is_red {
            let primary = red::primary(payload).unwrap();
            let whose = |bytes: &[u8]| bytes[1..3].to_vec();
            let own = whose(primary.payload);
            // Blocks of nine bytes, all alike but for the number of the packet.
            let blocks = &payload[4 * primary.redundant + 1..];
            assert!(
                blocks
                    .chunks(primary.payload.len())
                    .all(|block| whose(block) == own)
            );
        }
    }
    assert!(world.reds(2).iter().any(|(_, is_red)| *is_red));
}
