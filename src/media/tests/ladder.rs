//! The ladder for weak links: what a receiver gets on each rung, in virtual time.
#![allow(clippy::indexing_slicing, clippy::unwrap_used)] // helpers of tests, which may panic

mod support;

use std::time::Duration;

use lophoc_media::types::*;
use support::*;

const LEARNER: u64 = 9;

/// A trainer who talks, shows camera and screen, and two learners who talk less
/// loud and show their cameras; one more learner watches them all.
fn lesson(shards: u16) -> World {
    let mut world = World::new(shards);
    for peer in 1..=3 {
        world.join(peer, SEAT);
        world.publish_camera(peer, 3);
    }
    for (peer, level) in [(1, 20), (2, 32), (3, 44)] {
        world.publish_mic(peer, level);
    }
    for layer in [0, 2] {
        world.encoders.push(Encoder::video(screen(1), layer));
    }
    world.join(LEARNER, SEAT);
    let wish = |slot, source, height, priority| Wish {
        slot,
        source: Some(WishSource::Track(source)),
        height,
        priority,
    };
    world.view(
        LEARNER,
        view(
            Mode::Normal,
            vec![
                wish(SlotRef::Video(0), camera(2), 360, 5),
                wish(SlotRef::Video(1), camera(1), 720, 9),
                wish(SlotRef::Video(2), camera(3), 360, 4),
                wish(SlotRef::Screen(0), screen(1), 720, 9),
            ],
        ),
    );
    world
}

fn view(mode: Mode, wishes: Vec<Wish>) -> ViewSpec {
    ViewSpec {
        rev: 1,
        wishes,
        mode,
        ..ViewSpec::default()
    }
}

/// Seconds with an estimate twice a second.
fn live(world: &mut World, kbps: u64, seconds: u64) {
    for _ in 0..seconds * 2 {
        // Without anything wanted the estimator rests and says nothing.
        if world
            .wanted_rate
            .get(&PeerId(LEARNER))
            .is_some_and(|rate| *rate > 0)
        {
            world.estimate(LEARNER, kbps * 1_000);
        }
        world.run(500);
    }
}

/// Layers of the cameras and the screen that came just now, and who is heard.
fn now(world: &World) -> (Vec<Option<u8>>, bool, Vec<u64>) {
    let cameras = (0..3)
        .map(|slot| world.layer_now(LEARNER, slot, 200))
        .collect();
    let screen = world
        .got(LEARNER, SlotRef::Screen(0))
        .last()
        .is_some_and(|got| world.now - world.start < got.at + Duration::from_millis(400));
    let heard = world.heard(LEARNER).into_iter().collect();
    (cameras, screen, heard)
}

fn rungs(world: &World) -> Vec<(Rung, Option<RungReason>)> {
    let own = world
        .rungs
        .iter()
        .filter(|(peer, ..)| *peer == PeerId(LEARNER));
    own.map(|(_, rung, reason)| (*rung, *reason)).collect()
}

fn on_one_and_three(play: impl Fn(World)) {
    play(lesson(1));
    play(lesson(3));
}

#[test]
fn each_rung_gives_what_its_name_says_and_sound_outlives_everything() {
    on_one_and_three(|mut world| {
        live(&mut world, 10_000, 4);
        let (cameras, screen, heard) = now(&world);
        assert!(cameras.iter().all(Option::is_some), "{cameras:?}");
        assert!(screen);
        assert_eq!(heard, [1, 2, 3]);
        assert_eq!(rungs(&world), []);

        live(&mut world, 60, 4);
        let (cameras, screen, heard) = now(&world);
        assert_eq!(cameras, [None, None, None]);
        assert!(!screen);
        assert_eq!(heard, [1], "the loudest alone");
        let link = Some(RungReason::Link);
        assert_eq!(rungs(&world), [(Rung::Sound, link)]);
        assert_eq!(world.video(LEARNER, 1).1, SlotState::PausedBandwidth);
        assert_eq!(
            world.wanted_rate[&PeerId(LEARNER)],
            0,
            "nothing is looked for"
        );

        // Who speaks louder now is heard in the one slot.
        world.encoder(mic(1), 0).level = 90;
        world.run(1_500);
        assert_eq!(now(&world).2, [2]);
        world.check_streams();
    });
}

#[test]
fn a_link_that_recovers_is_given_everything_again() {
    on_one_and_three(|mut world| {
        live(&mut world, 10_000, 3);
        live(&mut world, 60, 4);
        live(&mut world, 10_000, 60);
        let (cameras, screen, heard) = now(&world);
        assert!(cameras.iter().all(Option::is_some), "{cameras:?}");
        assert!(screen);
        assert_eq!(heard, [1, 2, 3]);
        let order: Vec<Rung> = rungs(&world).iter().map(|(rung, _)| *rung).collect();
        assert_eq!(order, Rung::ALL);
        world.check_streams();
    });
}

#[test]
fn whoever_saves_data_gets_one_voice_until_the_switch_goes_back() {
    on_one_and_three(|mut world| {
        live(&mut world, 10_000, 3);
        let wishes = vec![Wish {
            slot: SlotRef::Video(1),
            source: Some(WishSource::Track(camera(1))),
            height: 720,
            priority: 9,
        }];
        world.view(LEARNER, view(Mode::Save, wishes.clone()));
        world.run(500);
        let (cameras, _, heard) = now(&world);
        assert_eq!((cameras, heard), (vec![None, None, None], vec![1]));
        assert_eq!(world.video(LEARNER, 1).1, SlotState::PausedLimit);
        world.view(LEARNER, view(Mode::Normal, wishes));
        live(&mut world, 10_000, 3);
        let (cameras, _, heard) = now(&world);
        assert!(cameras[1].is_some());
        assert_eq!(heard, [1, 2, 3]);
        assert_eq!(
            rungs(&world),
            [(Rung::Sound, Some(RungReason::Chosen)), (Rung::Full, None)]
        );
        world.check_streams();
    });
}

#[test]
fn one_small_camera_comes_before_the_screen() {
    on_one_and_three(|mut world| {
        live(&mut world, 10_000, 3);
        live(&mut world, 60, 3);
        for encoder in &mut world.encoders {
            // So small that all would fit: it is the rung that holds them back.
            encoder.size = 60;
        }
        live(&mut world, 190, 40);
        let (cameras, screen, heard) = now(&world);
        assert_eq!(cameras, [None, Some(0), None], "the one put first, small");
        assert!(!screen);
        assert_eq!(heard, [1, 2, 3]);
        assert_eq!(
            rungs(&world).last(),
            Some(&(Rung::Camera, Some(RungReason::Link)))
        );
        live(&mut world, 300, 20);
        let (cameras, screen, _) = now(&world);
        assert_eq!(cameras, [None, Some(0), None]);
        assert!(screen);
        world.check_streams();
    });
}

/// Every frame of the trainer's voice, from the first to the last, once and at its
/// own time; how many packets came in each second.
fn voice(world: &World) -> Vec<usize> {
    let got = world.got(LEARNER, SlotRef::Audio(0));
    let sounds: Vec<_> = got.iter().flat_map(Got::sounds).collect();
    for two in sounds.windows(2) {
        let ((ts, (peer, _, name)), (next_ts, (next_peer, _, next))) = (two[0], two[1]);
        assert_eq!((peer, next_peer), (1, 1));
        assert_eq!(next, name + 1, "nothing is missing, nothing comes twice");
        assert_eq!(next_ts.wrapping_sub(ts), 960, "after frame {name}");
    }
    let seconds = (world.now - world.start).as_secs() as usize + 1;
    let mut packets = vec![0; seconds];
    for packet in got {
        packets[packet.at.as_secs() as usize] += 1;
    }
    packets
}

#[test]
fn on_the_lowest_rung_speech_comes_in_bundles_and_not_a_frame_is_lost_on_the_way() {
    on_one_and_three(|mut world| {
        world
            .encoders
            .retain(|encoder| encoder.track == mic(1) || encoder.track == camera(1));
        live(&mut world, 10_000, 5);
        live(&mut world, 60, 10);
        live(&mut world, 10_000, 60);
        let packets = voice(&world);
        assert_eq!(packets[3], 50);
        assert!((16..=17).contains(&packets[12]), "{}", packets[12]);
        assert_eq!(packets[70], 50, "and single packets again");
        world.check_streams();
    });
}

#[test]
fn who_comes_back_to_bundles_others_have_hears_no_frame_twice() {
    on_one_and_three(|mut world| {
        world.encoders.retain(|encoder| encoder.track == mic(1));
        // Somebody else has bundles all the time.
        world.view(2, view(Mode::Save, Vec::new()));
        world.run(2_000);
        for turn in 0..20 {
            let mode = [Mode::Save, Mode::Normal][turn % 2];
            world.view(LEARNER, view(mode, Vec::new()));
            // Turned at every place of a bundle.
            world.run(300 + 20 * turn as u64);
        }
        voice(&world);
        world.check_streams();
    });
}

#[test]
fn the_next_voice_begins_after_the_last_frame_of_a_bundle() {
    for shards in [1, 3] {
        let mut world = World::new(shards);
        let voices = [mic(1), mic(2)];
        for peer in [1, 2] {
            world.join(peer, SEAT);
            world.publish_mic(peer, 15);
        }
        world.join(LEARNER, Slots { audio: 1, ..SEAT });
        world.view(LEARNER, view(Mode::Save, Vec::new()));
        world.run(2_000);
        for turn in 0..12 {
            world.encoder(voices[turn % 2], 0).level = 90;
            world.encoder(voices[(turn + 1) % 2], 0).level = 15;
            world.run(2_500 + 20 * turn as u64);
        }
        let got = world.got(LEARNER, SlotRef::Audio(0));
        let sounds: Vec<_> = got.iter().flat_map(Got::sounds).collect();
        let mut switches = 0;
        for two in sounds.windows(2) {
            let ((ts, (peer, ..)), (next_ts, (next_peer, ..))) = (two[0], two[1]);
            switches += usize::from(peer != next_peer);
            let step = next_ts.wrapping_sub(ts);
            assert!((960..1 << 31).contains(&step), "{peer} {next_peer}: {step}");
        }
        assert!(switches >= 6, "{switches}");
        world.check_streams();
    }
}

#[test]
fn a_voice_that_falls_silent_is_heard_to_its_last_frame() {
    on_one_and_three(|mut world| {
        world.encoders.retain(|encoder| encoder.track == mic(1));
        world.view(LEARNER, view(Mode::Save, Vec::new()));
        world.run(2_000);
        for _ in 0..7 {
            world.run(20);
            world.encoder(mic(1), 0).on = false;
            world.run(400);
            let sent = world.encoder(mic(1), 0).seq;
            let last = world
                .got(LEARNER, SlotRef::Audio(0))
                .last()
                .cloned()
                .unwrap();
            assert_eq!(last.sounds().last().unwrap().1.2, sent & 0xFF_FFFF_FFFF);
            world.encoder(mic(1), 0).on = true;
            world.run(600);
        }
        world.check_streams();
    });
}
