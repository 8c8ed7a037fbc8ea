//! What a receiver missed comes again, under the numbers it had, out of one ring per
//! source layer.

#![allow(clippy::indexing_slicing, clippy::unwrap_used)] // tests, which may panic

mod support;

use lophoc_media::core::DropReason;
use lophoc_media::types::*;
use support::*;

/// What comes for a receiver that misses these numbers.
fn again(world: &mut World, peer: u64, slot: SlotRef, seqs: &[u64]) -> Vec<Forward> {
    let shard = world.shard_of(peer);
    let core = &mut world.cores[shard];
    for seq in seqs {
        core.resend(world.now, PeerId(peer), slot, (*seq & 0xffff) as u16);
    }
    let mut all = Vec::new();
    while let Some(dirty) = core.next_dirty() {
        assert_eq!(dirty, PeerId(peer));
        core.drain_pending(dirty, &mut all);
    }
    all
}

fn same(forward: &Forward, got: &Got) -> bool {
    forward.resend
        && (forward.seq, forward.ts, forward.marker) == (got.seq, got.ts, got.marker)
        && forward.vp8 == got.vp8
        && *forward.payload == got.payload[..]
}

fn class(shards: u16) -> World {
    let mut world = World::new(shards);
    for peer in 1..=4 {
        world.join(peer, SEAT);
    }
    world.publish_camera(1, 3);
    world.publish_camera(2, 3);
    for peer in [3, 4] {
        world.watch(peer, &[(camera(1), 720)]);
        world.estimate(peer, 5_000_000);
    }
    world.run(4_000);
    world
}

#[test]
fn what_was_missed_comes_again_under_the_numbers_it_had() {
    for shards in [1, 3] {
        let mut world = class(shards);
        let slot = SlotRef::Video(0);
        let newest: Vec<Got> = world.got(3, slot).iter().rev().take(60).cloned().collect();
        let seqs: Vec<u64> = newest.iter().map(|got| got.seq).collect();
        let back = again(&mut world, 3, slot, &seqs);
        assert_eq!(back.len(), newest.len());
        for got in &newest {
            assert_eq!(back.iter().filter(|f| same(f, got)).count(), 1);
        }
    }
}

#[test]
fn after_a_switch_the_packets_before_it_are_still_those_of_the_source_before() {
    let mut world = class(1);
    let slot = SlotRef::Video(0);
    // To another source, and to a smaller layer of it.
    world.watch(3, &[(camera(2), 720)]);
    world.run(600);
    world.watch(3, &[(camera(2), 180)]);
    world.run(300);
    let since = world.now - std::time::Duration::from_millis(1_200) - world.start;
    let late: Vec<Got> = world
        .got(3, slot)
        .iter()
        .filter(|got| got.at >= since)
        .cloned()
        .collect();
    let sources: std::collections::BTreeSet<_> = late
        .iter()
        .map(|got| (got.name().0, got.name().1))
        .collect();
    assert!(sources.len() >= 3, "{sources:?}");
    let seqs: Vec<u64> = late.iter().map(|got| got.seq).collect();
    let back = again(&mut world, 3, slot, &seqs);
    assert!(back.iter().all(|f| late.iter().any(|got| same(f, got))));
    // A slot that turns to a source is sent its last keyframe first, which may be
    // older than what is kept.
    let one_frame = 10;
    assert!(back.len() + one_frame >= late.len());
    let of_each = |source| {
        back.iter()
            .any(|f| late.iter().any(|g| same(f, g) && g.name().0 == source))
    };
    assert!(of_each(1) && of_each(2));
}

#[test]
fn what_was_never_sent_or_is_too_old_does_not_come() {
    let mut world = class(1);
    let slot = SlotRef::Video(0);
    let got = world.got(3, slot);
    let (first, last) = (got[0].seq, got[got.len() - 1].seq);
    let asked = [first, last + 1, last + 30_000];
    assert!(again(&mut world, 3, slot, &asked).is_empty());
    assert!(again(&mut world, 3, SlotRef::Video(1), &[last]).is_empty());
    assert!(again(&mut world, 3, SlotRef::Audio(0), &[last]).is_empty());
    assert!(world.dropped(DropReason::NotKept) >= 5);
    // A second and a half later nothing of it is of use any more.
    world.camera_on(1, false);
    world.run(1_600);
    assert!(again(&mut world, 3, slot, &[last]).is_empty());
}
