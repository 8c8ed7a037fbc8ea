//! Small plays on virtual time, each on one shard and on three.

mod support;

use lophoc_media::core::{DropReason, RelayMsg};
use lophoc_media::types::*;
use support::*;

fn on_one_and_three(play: impl Fn(World)) {
    play(World::new(1));
    play(World::new(3));
}

const FIRST: Stint = Stint {
    epoch: Epoch(1),
    moves: 0,
};

fn video(slot: u8) -> SlotRef {
    SlotRef::Video(slot)
}

#[test]
fn a_learner_sees_the_trainer_from_a_keyframe_on_and_hears_him() {
    on_one_and_three(|mut world| {
        world.join(1, SEAT);
        world.join(2, SEAT);
        world.publish_camera(1, 3);
        world.publish_mic(1, 30);
        world.watch(2, &[(camera(1), 720)]);
        world.run(2_000);
        assert!(world.got(2, video(0)).len() > 100);
        assert!(world.got(2, SlotRef::Audio(0)).len() > 80);
        assert!(matches!(
            world.video(2, 0),
            (Some(_), SlotState::Live { .. })
        ));
        assert_eq!(world.heard(2), [1].into());
        assert_eq!(world.heard(1), [].into(), "never oneself");
        assert_eq!(world.got(1, SlotRef::Audio(0)), []);
        world.check_streams();
    });
}

#[test]
fn a_late_joiner_gets_the_cached_keyframe_without_a_new_one() {
    on_one_and_three(|mut world| {
        world.join(1, SEAT);
        world.publish_camera(1, 1);
        world.run(1_000);
        let before = world.encoder(camera(1), 0).keyframes;
        world.join(2, SEAT);
        world.watch(2, &[(camera(1), 180)]);
        let at_once = world.got(2, video(0)).len();
        assert!(at_once > 20, "{at_once}");
        world.run(1_000);
        assert_eq!(world.encoder(camera(1), 0).keyframes, before);
        assert_eq!(world.requests, []);
        world.check_streams();
    });
}

#[test]
fn after_a_long_time_the_joiner_gets_a_still_picture_and_then_a_keyframe() {
    on_one_and_three(|mut world| {
        world.join(1, SEAT);
        world.encoders.push(Encoder::video(screen(1), 2));
        world.encoder(screen(1), 2).packets = 8;
        world.run(8_000);
        let before = world.encoder(screen(1), 2).keyframes;
        world.join(2, SEAT);
        world.watch(2, &[(screen(1), 720)]);
        let still = world.got(2, SlotRef::Screen(0)).len();
        assert_eq!(still, 16, "the frame of the keyframe alone");
        world.run(500);
        assert_eq!(world.encoder(screen(1), 2).keyframes, before + 1);
        assert!(world.got(2, SlotRef::Screen(0))[still].begins_keyframe());
        assert!(world.got(2, SlotRef::Screen(0)).len() > still + 30);
    });
}

#[test]
fn a_crowd_that_joins_at_once_asks_for_one_keyframe() {
    on_one_and_three(|mut world| {
        world.join(1, SEAT);
        world.publish_camera(1, 1);
        world.encoder(camera(1), 0).packets = 10;
        world.run(3_000);
        for peer in 2..60 {
            world.join(peer, SEAT);
            world.watch(peer, &[(camera(1), 180)]);
        }
        world.run(400);
        assert_eq!(world.requests.len(), 1);
        for peer in 2..60 {
            assert!(world.got(peer, video(0)).len() > 50, "{peer}");
        }
    });
}

#[test]
fn decoders_in_trouble_cannot_get_round_the_throttle() {
    on_one_and_three(|mut world| {
        world.join(1, SEAT);
        world.publish_camera(1, 1);
        for peer in 2..12 {
            world.join(peer, SEAT);
            world.watch(peer, &[(camera(1), 180)]);
        }
        world.run(1_000);
        for _ in 0..200 {
            for peer in 2..12 {
                let shard = world.shard_of(peer);
                world.cores[shard].keyframe_request(world.now, PeerId(peer), video(0));
            }
            world.settle();
            world.run(50);
        }
        // Ten seconds: at 0.5, 0.75, 1.1, 1.7, then every 2 s.
        assert!(
            (5..=10).contains(&world.requests.len()),
            "{:?}",
            world.requests
        );
        let gaps = world.requests.windows(2).map(|pair| pair[1].0 - pair[0].0);
        assert!(gaps.min().unwrap().as_millis() >= 500);
    });
}

#[test]
fn a_lost_keyframe_request_is_repeated_while_somebody_waits() {
    on_one_and_three(|mut world| {
        world.join(1, SEAT);
        world.publish_camera(1, 1);
        world.encoder(camera(1), 0).key_next = false;
        world.join(2, SEAT);
        world.watch(2, &[(camera(1), 180)]);
        // The encoder never hears of the first requests.
        for _ in 0..50 {
            world.run(40);
            world.encoder(camera(1), 0).key_next = false;
        }
        assert!(world.requests.len() >= 3, "{:?}", world.requests);
        assert_eq!(world.video(2, 0).1, SlotState::Wait);
        world.run(3_000);
        assert!(matches!(world.video(2, 0).1, SlotState::Live { .. }));
    });
}

#[test]
fn the_wanted_height_and_the_estimate_choose_the_layer() {
    on_one_and_three(|mut world| {
        world.join(1, SEAT);
        world.join(2, SEAT);
        world.publish_camera(1, 3);
        world.watch(2, &[(camera(1), 300)]);
        world.run(2_000);
        assert_eq!(
            world.layer_now(2, 0, 100),
            Some(1),
            "300 lines round up to 360"
        );
        world.watch(2, &[(camera(1), 720)]);
        world.run(1_000);
        assert_eq!(world.layer_now(2, 0, 100), Some(2));
        world.estimate(2, 150_000);
        world.run(1_000);
        assert_eq!(world.layer_now(2, 0, 100), Some(0));
        world.estimate(2, 5_000_000);
        world.run(500);
        assert_eq!(
            world.layer_now(2, 0, 100),
            Some(0),
            "no rise right after a fall"
        );
        world.run(20_000);
        assert_eq!(world.layer_now(2, 0, 100), Some(2));
        world.check_streams();
    });
}

#[test]
fn an_estimate_of_zero_pauses_the_picture_but_not_the_sound_and_it_comes_back() {
    on_one_and_three(|mut world| {
        world.join(1, SEAT);
        world.join(2, SEAT);
        world.publish_camera(1, 2);
        world.publish_mic(1, 30);
        world.watch(2, &[(camera(1), 360)]);
        world.run(2_000);
        world.estimate(2, 0);
        // On the lowest rung they come in bundles.
        let frames = |world: &World| {
            let got = world.got(2, SlotRef::Audio(0));
            got.iter().map(|got| got.sounds().len()).sum::<usize>()
        };
        let (pictures, sounds) = (world.got(2, video(0)).len(), frames(&world));
        world.run(2_000);
        assert_eq!(world.video(2, 0).1, SlotState::PausedBandwidth);
        assert_eq!(world.got(2, video(0)).len(), pictures);
        assert!(frames(&world) >= sounds + 97);
        for _ in 0..120 {
            // An estimator that rests has none.
            if world.wanted_rate[&PeerId(2)] > 0 {
                world.estimate(2, 3_000_000);
            }
            world.run(500);
        }
        assert_eq!(world.layer_now(2, 0, 100), Some(1));
        world.check_streams();
    });
}

#[test]
fn when_a_layer_dies_the_picture_goes_on_in_a_lower_one() {
    on_one_and_three(|mut world| {
        world.join(1, SEAT);
        world.join(2, SEAT);
        world.publish_camera(1, 3);
        world.watch(2, &[(camera(1), 720)]);
        world.run(2_000);
        assert_eq!(world.layer_now(2, 0, 100), Some(2));
        world.encoder(camera(1), 2).on = false;
        world.run(1_500);
        assert_eq!(world.layer_now(2, 0, 100), Some(1));
        world.encoder(camera(1), 2).on = true;
        world.run(5_000);
        assert_eq!(world.layer_now(2, 0, 100), Some(2));
        world.check_streams();
    });
}

#[test]
fn the_lowest_live_layer_is_shown_until_the_larger_one_comes() {
    on_one_and_three(|mut world| {
        world.join(1, SEAT);
        world.join(2, SEAT);
        world.publish_camera(1, 1);
        world.watch(2, &[(camera(1), 720)]);
        world.run(4_000);
        assert_eq!(world.layer_now(2, 0, 100), Some(0));
        assert_eq!(
            world.wanted[&camera(1)],
            0b101,
            "the publisher is asked for the large one"
        );
        world.encoders.push(Encoder::video(camera(1), 2));
        world.run(1_000);
        assert_eq!(world.layer_now(2, 0, 100), Some(2));
    });
}

#[test]
fn layers_nobody_watches_are_given_up_and_woken_again() {
    on_one_and_three(|mut world| {
        world.obey_wants = true;
        world.join(1, SEAT);
        world.join(2, SEAT);
        world.publish_camera(1, 3);
        world.watch(2, &[(camera(1), 720)]);
        world.run(4_000);
        assert_eq!(world.wanted[&camera(1)], 0b100);
        world.watch(2, &[(camera(1), 180)]);
        world.run(5_000);
        assert_eq!(world.wanted[&camera(1)], 0b001);
        assert_eq!(world.layer_now(2, 0, 100), Some(0));
        world.watch(2, &[(camera(1), 720)]);
        world.run(5_000);
        assert_eq!(world.layer_now(2, 0, 100), Some(2));
        world.watch(2, &[]);
        world.run(4_000);
        assert_eq!(world.wanted[&camera(1)], 0);
        world.check_streams();
    });
}

#[test]
fn a_camera_that_stops_is_told_and_comes_back_with_a_keyframe() {
    on_one_and_three(|mut world| {
        world.join(1, SEAT);
        world.join(2, SEAT);
        world.publish_camera(1, 1);
        world.watch(2, &[(camera(1), 180)]);
        world.run(1_000);
        world.camera_on(1, false);
        world.run(2_500);
        assert_eq!(world.video(2, 0), (Some(camera(1)), SlotState::PausedMuted));
        assert_eq!(world.live.last(), Some(&(PeerId(1), Kind::Camera, false)));
        let before = world.got(2, video(0)).len();
        world.camera_on(1, true);
        world.run(1_000);
        assert!(matches!(world.video(2, 0).1, SlotState::Live { .. }));
        assert!(world.got(2, video(0))[before].begins_keyframe());
        world.check_streams();
    });
}

#[test]
fn a_right_taken_away_ends_the_track_at_once() {
    on_one_and_three(|mut world| {
        world.join(1, SEAT);
        world.join(2, SEAT);
        world.publish_camera(1, 1);
        world.publish_mic(1, 20);
        world.watch(2, &[(camera(1), 180)]);
        world.run(1_000);
        world.allow(
            1,
            Allow {
                camera: true,
                ..Allow::default()
            },
        );
        assert_eq!(world.heard(2), [].into());
        let sounds = world.got(2, SlotRef::Audio(0)).len();
        world.run(500);
        assert_eq!(world.got(2, SlotRef::Audio(0)).len(), sounds);
        assert!(world.dropped(DropReason::NotAllowed) >= 24);
        world.allow(1, ALL);
        world.run(500);
        assert_eq!(world.heard(2), [1].into());
        world.check_streams();
    });
}

#[test]
fn a_silent_microphone_keeps_its_slot() {
    on_one_and_three(|mut world| {
        world.join(1, SEAT);
        world.join(2, SEAT);
        world.join(3, SEAT);
        world.publish_mic(1, 20);
        world.publish_mic(2, 127);
        world.run(1_000);
        let slots = world.bindings[&PeerId(3)].audio.clone();
        world.encoder(mic(1), 0).on = false;
        world.run(10_000);
        assert_eq!(world.bindings[&PeerId(3)].audio, slots);
    });
}

#[test]
fn the_loudest_are_heard_and_who_goes_on_speaking_keeps_the_slot() {
    on_one_and_three(|mut world| {
        for peer in 1..=12 {
            world.join(peer, SEAT);
            world.publish_mic(peer, 80);
        }
        for (peer, level) in [(3, 20), (7, 25), (11, 30)] {
            world.encoder(mic(peer), 0).level = level;
        }
        world.run(2_000);
        assert_eq!(world.heard(1), [3, 7, 11].into());
        let of_seven = |world: &World| {
            world.bindings[&PeerId(1)]
                .audio
                .iter()
                .position(|track| *track == Some(mic(7)))
        };
        let slot = of_seven(&world);
        world.encoder(mic(3), 0).level = 127;
        world.encoder(mic(5), 0).level = 15;
        world.run(4_000);
        assert_eq!(world.heard(1), [5, 7, 11].into());
        assert_eq!(of_seven(&world), slot);
        assert_eq!(world.heard(5).len(), 3, "he hears three others");
        assert!(!world.heard(5).contains(&5));
        world.check_streams();
    });
}

#[test]
fn pins_and_screen_sound_come_before_the_loudest() {
    on_one_and_three(|mut world| {
        for peer in 1..=8 {
            world.join(peer, SEAT);
            world.publish_mic(peer, 20 + peer as u8);
        }
        let sound = TrackKey {
            peer: PeerId(8),
            kind: Kind::ScreenAudio,
        };
        world.encoders.push(Encoder::audio(sound, 90));
        world.encoder(mic(6), 0).level = 110;
        world.view(
            1,
            ViewSpec {
                rev: 9,
                pins: vec![mic(6)],
                ..ViewSpec::default()
            },
        );
        world.run(2_000);
        let audio = &world.bindings[&PeerId(1)].audio;
        assert!(
            audio.contains(&Some(sound)) && audio.contains(&Some(mic(6))),
            "{audio:?}"
        );
        assert!(audio.contains(&Some(mic(2))));
        world.check_streams();
    });
}

#[test]
fn the_speaker_slot_follows_the_voice_and_never_shows_oneself() {
    on_one_and_three(|mut world| {
        for peer in 1..=4 {
            world.join(peer, SEAT);
            world.publish_camera(peer, 1);
            world.publish_mic(peer, 90);
            let wish = Wish {
                slot: video(0),
                source: Some(WishSource::Speaker(0)),
                height: 180,
                priority: 0,
            };
            world.view(
                peer,
                ViewSpec {
                    rev: 1,
                    wishes: vec![wish],
                    ..ViewSpec::default()
                },
            );
        }
        world.run(500);
        assert_eq!(
            world.video(2, 0).0,
            Some(camera(1)),
            "faces before anybody spoke"
        );
        world.encoder(mic(3), 0).level = 20;
        world.run(1_000);
        assert_eq!(world.video(2, 0).0, Some(camera(3)));
        assert_eq!(world.video(3, 0).0, Some(camera(1)));
        world.encoder(mic(3), 0).level = 90;
        world.encoder(mic(4), 0).level = 20;
        world.run(2_000);
        assert_eq!(world.video(2, 0).0, Some(camera(4)));
        assert_eq!(world.video(4, 0).0, Some(camera(3)));
        world.check_streams();
    });
}

#[test]
fn levels_are_told_at_most_five_times_a_second_and_end_with_silence() {
    let mut world = World::new(1);
    world.join(1, SEAT);
    world.publish_mic(1, 20);
    world.run(2_000);
    assert!(
        (8..=10).contains(&world.levels.len()),
        "{}",
        world.levels.len()
    );
    world.encoder(mic(1), 0).level = 127;
    world.run(5_000);
    assert_eq!(world.levels.last(), Some(&vec![]));
    let count = world.levels.len();
    world.run(1_000);
    assert_eq!(world.levels.len(), count);
}

#[test]
fn a_mode_without_video_pauses_it() {
    on_one_and_three(|mut world| {
        world.join(1, SEAT);
        world.join(2, SEAT);
        world.publish_camera(1, 3);
        let wish = Wish {
            slot: video(0),
            source: Some(WishSource::Track(camera(1))),
            height: 720,
            priority: 0,
        };
        let view = |mode| ViewSpec {
            rev: 4,
            wishes: vec![wish],
            mode,
            ..ViewSpec::default()
        };
        world.view(2, view(Mode::Normal));
        world.run(1_000);
        assert!(world.layer_now(2, 0, 100).is_some());
        world.view(2, view(Mode::AudioOnly));
        world.run(200);
        assert_eq!(world.video(2, 0).1, SlotState::PausedLimit);
        assert_eq!(world.layer_now(2, 0, 100), None);
    });
}

#[test]
fn a_track_of_another_room_is_never_shown() {
    on_one_and_three(|mut world| {
        world.join(1, SEAT);
        world.publish_camera(1, 1);
        world.publish_mic(1, 10);
        let shard = 0;
        world.home.insert(PeerId(9), shard);
        let spec = lophoc_media::core::PeerSpec {
            room: RoomKey(2),
            group: 0,
            peer: PeerId(9),
            epoch: Epoch(1),
            slots: SEAT,
            allow: ALL,
            red: true,
        };
        world.cores[shard].add_peer(world.now, spec);
        world.view(
            9,
            ViewSpec {
                rev: 1,
                pins: vec![mic(1)],
                ..ViewSpec::default()
            },
        );
        world.watch(9, &[(camera(1), 180)]);
        world.run(2_000);
        assert_eq!(world.got(9, video(0)), []);
        assert_eq!(world.got(9, SlotRef::Audio(0)), []);
    });
}

#[test]
fn a_person_who_comes_back_on_another_shard_is_seen_again() {
    let mut world = World::new(3);
    world.join_as(1, 1, SEAT, Some(0));
    world.join_as(2, 1, SEAT, Some(1));
    world.publish_camera(1, 1);
    world.publish_mic(1, 20);
    world.watch(2, &[(camera(1), 180)]);
    world.run(1_000);
    let before = world.got(2, video(0)).len();
    // The old connection lingers on shard 0 while the new one is on shard 2.
    world.join_as(1, 2, SEAT, Some(2));
    world.encoders.clear();
    world.publish_camera(1, 1);
    world.publish_mic(1, 20);
    world.encoder(camera(1), 0).seq = 5;
    world.run(1_000);
    assert!(world.got(2, video(0)).len() > before + 20);
    assert!(world.got(2, video(0))[before].begins_keyframe());
    // Late words of and about the old connection change nothing.
    world.cores[0].remove_peer(world.now, PeerId(1), Epoch(1));
    world.settle();
    world.relay(
        1,
        0,
        RelayMsg::TrackDown {
            tracks: vec![camera(1)],
            stint: FIRST,
        },
    );
    let count = world.got(2, video(0)).len();
    world.run(1_000);
    assert!(world.got(2, video(0)).len() >= count + 24);
    assert_eq!(world.heard(2), [1].into());
    world.check_streams();
}

#[test]
fn a_reconnect_on_the_same_shard_replaces_the_connection() {
    let mut world = World::new(1);
    world.join(1, SEAT);
    world.join(2, SEAT);
    world.publish_camera(1, 1);
    world.watch(2, &[(camera(1), 180)]);
    world.run(1_000);
    world.join_as(1, 2, SEAT, None);
    world.cores[0].remove_peer(world.now, PeerId(1), Epoch(1));
    world.run(100);
    world.encoder(camera(1), 0).key_next = true;
    world.run(1_000);
    assert!(matches!(world.video(2, 0).1, SlotState::Live { .. }));
    assert_eq!(world.stats()[0].peers, 2);
    world.check_streams();
}

#[test]
fn packets_are_copied_once_per_shard_whatever_the_number_of_receivers() {
    let mut world = World::new(2);
    world.placing = |peer, _| usize::from(peer.0 != 1);
    world.join(1, SEAT);
    world.publish_camera(1, 1);
    for peer in 2..42 {
        world.join(peer, SEAT);
        world.watch(peer, &[(camera(1), 180)]);
    }
    world.run(4_000);
    let stats = world.stats();
    assert!(stats[0].relay_packets_out <= stats[0].packets_in + 10);
    assert!(stats[1].packets_out >= 39 * stats[0].packets_in);
}

#[test]
fn nothing_is_relayed_to_a_shard_without_receivers() {
    let mut world = World::new(3);
    world.placing = |peer, _| usize::from(peer.0 > 2);
    world.join(1, SEAT);
    world.join(2, SEAT);
    world.publish_camera(1, 3);
    world.publish_mic(1, 20);
    world.watch(2, &[(camera(1), 720)]);
    world.run(2_000);
    assert_eq!(world.media_between_shards(), 0);
    world.join(3, SEAT);
    world.run(1_000);
    assert_eq!(world.heard(3), [1].into());
    world.leave(3);
    let before = world.media_between_shards();
    world.run(1_000);
    assert_eq!(world.media_between_shards(), before);
}

#[test]
fn lost_messages_between_shards_heal_by_themselves() {
    let mut world = World::new(2);
    world.join_as(1, 1, SEAT, Some(0));
    world.join_as(2, 1, SEAT, Some(1));
    world.publish_camera(1, 1);
    world.publish_mic(1, 20);
    world.watch(2, &[(camera(1), 180)]);
    world.run(1_000);
    // Shard 1 forgets the track, shard 0 what it told: as if both words were lost.
    world.relay(
        1,
        0,
        RelayMsg::TrackDown {
            tracks: vec![camera(1)],
            stint: FIRST,
        },
    );
    world.run(500);
    assert_eq!(world.video(2, 0).1, SlotState::PausedMuted);
    world.run(12_000);
    assert!(
        matches!(world.video(2, 0).1, SlotState::Live { .. }),
        "{:?}",
        world.video(2, 0)
    );
    assert!(world.layer_now(2, 0, 100).is_some());
}

#[test]
fn a_receiver_never_visited_holds_no_more_than_its_bounds() {
    let mut config = lophoc_media::core::CoreConfig::new(ShardId(0), 1);
    config.max_pending_video = 50;
    config.max_pending_audio = 10;
    let mut world = World::new(1);
    world.cores[0] = lophoc_media::core::ShardCore::new(config, world.start);
    world.join(1, SEAT);
    world.join(2, SEAT);
    world.publish_camera(1, 1);
    world.publish_mic(1, 20);
    world.watch(2, &[(camera(1), 180)]);
    world.run(1_000);
    let (mut video_encoder, mut audio_encoder) =
        (Encoder::video(camera(1), 0), Encoder::audio(mic(1), 20));
    let (seq, picture) = (
        world.encoder(camera(1), 0).seq,
        world.encoder(camera(1), 0).picture,
    );
    (video_encoder.seq, video_encoder.picture) = (seq, picture);
    audio_encoder.seq = world.encoder(mic(1), 0).seq;
    for _ in 0..200 {
        for packet in video_encoder.frame() {
            world.cores[0].ingest(world.now, PeerId(1), Kind::Camera, packet);
        }
        for packet in audio_encoder.frame() {
            world.cores[0].ingest(world.now, PeerId(1), Kind::Mic, packet);
        }
    }
    assert_eq!(world.stats()[0].pending, 60);
    assert!(world.dropped(DropReason::PendingVideoFull) >= 150);
    assert_eq!(world.dropped(DropReason::PendingAudioFull), 190);
}

#[test]
fn a_frame_waits_for_its_marker_and_sound_for_nothing() {
    let mut world = World::new(1);
    world.join(1, SEAT);
    world.join(2, SEAT);
    world.publish_camera(1, 2);
    world.publish_mic(1, 20);
    world.watch(2, &[(camera(1), 360)]);
    world.run(1_000);
    let now = world.now;
    let frame = world.encoder(camera(1), 1).frame();
    for (index, packet) in frame.iter().enumerate() {
        world.cores[0].ingest(now, PeerId(1), Kind::Camera, packet.clone());
        let last = index + 1 == frame.len();
        let wait = std::time::Duration::from_millis(if last { 0 } else { 2 });
        assert_eq!(world.cores[0].flush_by(), Some(now + wait));
    }
    world.settle();
    for packet in world.encoder(mic(1), 0).frame() {
        world.cores[0].ingest(now, PeerId(1), Kind::Mic, packet);
    }
    assert_eq!(world.cores[0].flush_by(), Some(now));
}

#[test]
fn packets_that_overtook_their_keyframe_follow_it() {
    on_one_and_three(|mut world| {
        world.join(1, SEAT);
        world.join(2, SEAT);
        world.publish_camera(1, 2);
        world.encoder(camera(1), 1).key_next = false;
        world.encoder(camera(1), 0).on = false;
        world.watch(2, &[(camera(1), 360)]);
        // The requests for a keyframe are answered late, by a shuffled frame.
        world.run(40);
        let encoder = world.encoder(camera(1), 1);
        encoder.on = false;
        encoder.key_next = true;
        let mut frame = encoder.frame();
        frame.swap(0, 2);
        for packet in frame {
            world.push(camera(1), packet);
        }
        let got = world.got(2, video(0));
        let mut seqs: Vec<_> = got.iter().map(|packet| packet.seq).collect();
        assert!(got.iter().any(|packet| packet.begins_keyframe()));
        seqs.sort_unstable();
        assert_eq!(seqs.len(), 6);
        assert!(seqs.windows(2).all(|pair| pair[1] == pair[0] + 1));
    });
}

#[test]
fn everything_is_given_back_when_all_have_left() {
    on_one_and_three(|mut world| {
        for peer in 1..=20 {
            world.join(peer, SEAT);
            world.publish_camera(peer, 2);
            world.publish_mic(peer, 10 + peer as u8);
            world.watch(
                peer,
                &[
                    (camera(peer % 20 + 1), 360),
                    (camera((peer + 6) % 20 + 1), 180),
                ],
            );
        }
        world.run(2_000);
        for peer in 1..=20 {
            world.leave(peer);
        }
        world.run(6_000);
        for stats in world.stats() {
            let sizes = (
                stats.peers,
                stats.rooms,
                stats.tracks,
                stats.subscriptions,
                stats.cache_bytes,
            );
            assert_eq!(sizes, (0, 0, 0, 0, 0));
            assert_eq!(
                (stats.pending, stats.outputs, stats.relay_pending),
                (0, 0, 0)
            );
        }
        world.check_streams();
    });
}

fn share(world: &mut World, layers: &[(u8, u16, usize)]) {
    for (layer, height, packets) in layers {
        let mut encoder = Encoder::video(screen(1), *layer);
        encoder.height = *height;
        encoder.packets = *packets;
        encoder.size = 1_180;
        world.encoders.push(encoder);
    }
}

fn screen_state(world: &World, peer: u64) -> SlotState {
    let binding = world.bindings.get(&PeerId(peer));
    let slot = binding.and_then(|binding| binding.screen.first());
    slot.map_or(SlotState::Off, |(_, state)| *state)
}

/// Packets of the screen slot of the last `millis`, and the layer of the last one.
fn screen_now(world: &World, peer: u64, millis: u64) -> (usize, Option<u8>) {
    let since = world.now - world.start - std::time::Duration::from_millis(millis);
    let recent: Vec<_> = world
        .got(peer, SlotRef::Screen(0))
        .iter()
        .filter(|got| got.at >= since)
        .collect();
    (recent.len(), recent.last().map(|got| got.name().1))
}

#[test]
fn a_new_screen_is_shown_at_once_beside_a_camera_though_the_estimate_is_small() {
    on_one_and_three(|mut world| {
        world.join(1, SEAT);
        world.join(2, SEAT);
        world.publish_camera(1, 2);
        world.estimate(2, 1_000_000);
        world.watch(2, &[(camera(1), 360), (screen(1), 1080)]);
        world.run(8_000);
        let before = world.wanted_rate[&PeerId(2)];
        assert!(before < 1_000_000, "{before}");
        // 1.9 Mbit/s in one layer.
        share(&mut world, &[(0, 1080, 8)]);
        world.run(3_000);
        assert!(matches!(screen_state(&world, 2), SlotState::Live { .. }));
        assert!(screen_now(&world, 2, 1_000).0 >= 190);
        assert_eq!(world.video(2, 0).1, SlotState::PausedBandwidth);
        assert!(world.wanted_rate[&PeerId(2)] >= 2_500_000);
        // The path bears it: the estimate follows and the camera comes back.
        world.estimate(2, 4_000_000);
        world.run(5_000);
        assert!(screen_now(&world, 2, 1_000).0 >= 190);
        assert_eq!(world.layer_now(2, 0, 100), Some(1));
        world.check_streams();
    });
}

#[test]
fn a_screen_the_path_does_not_bear_gives_the_camera_its_place_back() {
    on_one_and_three(|mut world| {
        world.join(1, SEAT);
        world.join(2, SEAT);
        world.publish_camera(1, 1);
        world.estimate(2, 1_000_000);
        world.watch(2, &[(camera(1), 180), (screen(1), 1080)]);
        world.run(2_000);
        share(&mut world, &[(0, 1080, 8)]);
        world.run(2_000);
        world.estimate(2, 700_000);
        assert_eq!(screen_state(&world, 2), SlotState::PausedBandwidth);
        world.run(4_000);
        assert_eq!(world.layer_now(2, 0, 100), Some(0));
        let before = world.got(2, SlotRef::Screen(0)).len();
        // It is tried again, less and less often.
        world.run(60_000);
        let tried = (world.got(2, SlotRef::Screen(0)).len() - before) / 200;
        assert!((4..=20).contains(&tried), "{tried} s of 60");
        world.check_streams();
    });
}

#[test]
fn a_screen_of_two_layers_begins_small_rises_and_survives_the_death_of_the_large_one() {
    on_one_and_three(|mut world| {
        world.join(1, SEAT);
        world.join(2, SEAT);
        world.estimate(2, 1_000_000);
        world.watch(2, &[(screen(1), 1080)]);
        share(&mut world, &[(0, 540, 1), (2, 1080, 8)]);
        world.run(3_000);
        assert_eq!(screen_now(&world, 2, 200).1, Some(0));
        world.estimate(2, 4_000_000);
        world.run(1_000);
        assert_eq!(screen_now(&world, 2, 200).1, Some(2));
        world.encoder(screen(1), 2).on = false;
        world.run(1_600);
        assert_eq!(
            screen_now(&world, 2, 200).1,
            Some(0),
            "{:?}",
            screen_state(&world, 2)
        );
        world.encoder(screen(1), 2).on = true;
        world.encoder(screen(1), 2).key_next = true;
        world.run(4_000);
        assert_eq!(screen_now(&world, 2, 200).1, Some(2));
        world.estimate(2, 600_000);
        world.run(1_000);
        assert_eq!(screen_now(&world, 2, 200).1, Some(0));
        world.check_streams();
    });
}

#[test]
fn when_the_first_packet_of_a_keyframe_is_lost_another_keyframe_is_asked_for() {
    on_one_and_three(|mut world| {
        world.join(1, SEAT);
        world.join(2, SEAT);
        world.watch(2, &[(camera(1), 180)]);
        let mut encoder = Encoder::video(camera(1), 0);
        encoder.packets = 3;
        for _ in 0..3 {
            // Every keyframe comes without its beginning.
            encoder.key_next = true;
            for packet in encoder.frame().into_iter().skip(1) {
                world.push(camera(1), packet);
            }
            for _ in 0..20 {
                world.run(40);
                for packet in encoder.frame() {
                    world.push(camera(1), packet);
                }
            }
        }
        assert!(world.requests.len() >= 3, "{:?}", world.requests);
        assert!(world.got(2, video(0)).is_empty());
        encoder.key_next = true;
        for packet in encoder.frame() {
            world.push(camera(1), packet);
        }
        world.run(100);
        assert!(matches!(world.video(2, 0).1, SlotState::Live { .. }));
    });
}

#[test]
fn a_screen_shared_again_under_other_numbers_is_shown_in_the_same_slot() {
    on_one_and_three(|mut world| {
        world.join(1, SEAT);
        world.join(2, SEAT);
        world.watch(2, &[(screen(1), 1080)]);
        share(&mut world, &[(0, 720, 2)]);
        world.run(2_000);
        world.encoders.clear();
        world.run(7_000);
        assert_eq!(screen_state(&world, 2), SlotState::PausedMuted);
        assert_eq!(world.wanted_rate[&PeerId(2)], 0);
        share(&mut world, &[(0, 720, 2)]);
        let again = world.encoder(screen(1), 0);
        again.seq += 60_000;
        again.ts = again.ts.wrapping_add(1 << 31);
        world.run(1_000);
        assert!(matches!(screen_state(&world, 2), SlotState::Live { .. }));
        assert!(screen_now(&world, 2, 200).0 > 5);
        assert!(world.wanted_rate[&PeerId(2)] > 0);
        world.check_streams();
    });
}
