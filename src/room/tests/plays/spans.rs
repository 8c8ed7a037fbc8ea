//! Spans of tracks and speech in the ledger.

use super::*;

fn spans(play: &Play, of: &str) -> Vec<(u64, bool)> {
    play.ledger
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::Track { person, kind, on } if kind == of && person.as_str() == "p1" => {
                Some((event.at.mono_ms - START.mono_ms, *on))
            }
            _ => None,
        })
        .collect()
}

fn talks(play: &Play) -> Vec<(u64, u64)> {
    play.ledger
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::Talk { from, to, .. } => {
                Some((from.mono_ms - START.mono_ms, to.mono_ms - START.mono_ms))
            }
            _ => None,
        })
        .collect()
}

fn publish(play: &mut Play, link: LinkId, kind: MediaKind, st: TrackState) {
    play.ok(link, M::Pub { kind, st });
}

fn speak(play: &mut Play, for_ms: u64, level: u8) {
    let peer = play.peer("p1");
    for _ in 0..for_ms / 200 {
        let levels = vec![(peer, level)];
        play.apply(Command::MediaLevels { levels });
        play.wait(200);
    }
}

#[test]
fn a_track_is_written_when_it_goes_live_and_when_it_stops() {
    let mut play = Play::new(RoomMode::Discussion);
    let link = play.join("p1", Role::Learner);
    publish(&mut play, link, MIC, LIVE);
    play.wait(3_000);
    publish(&mut play, link, MIC, TrackState::Muted);
    publish(&mut play, link, MediaKind::Camera, LIVE);
    play.wait(2_000);
    play.ok(link, M::Leave);
    assert_eq!(spans(&play, "mic"), [(0, true), (3_000, false)]);
    assert_eq!(spans(&play, "camera"), [(3_000, true), (5_000, false)]);
    let kinds = play.kinds(play.ledger.len() - 2);
    assert_eq!(kinds, ["track", "leave"], "a leave ends what is live");
}

#[test]
fn flaps_within_a_second_are_no_events() {
    let mut play = Play::new(RoomMode::Discussion);
    let link = play.join("p1", Role::Learner);
    for _ in 0..4 {
        publish(&mut play, link, MIC, LIVE);
        play.wait(100);
        publish(&mut play, link, MIC, TrackState::Muted);
        play.wait(100);
    }
    play.wait(2_000);
    let seen = spans(&play, "mic");
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert!(seen[0].1 && !seen[1].1);
    // Ended live, it is written as live.
    publish(&mut play, link, MIC, LIVE);
    play.wait(200);
    publish(&mut play, link, MIC, TrackState::Muted);
    play.wait(200);
    publish(&mut play, link, MIC, LIVE);
    play.wait(2_000);
    assert!(spans(&play, "mic").last().unwrap().1);
    assert_eq!(spans(&play, "mic").len(), 3);
}

#[test]
fn whoever_switches_for_an_hour_writes_few_events_and_the_last_one_is_true() {
    let mut play = Play::new(RoomMode::Discussion);
    let link = play.join("p1", Role::Learner);
    for n in 0..600u64 {
        let st = if n % 2 == 0 { LIVE } else { TrackState::Muted };
        publish(&mut play, link, MIC, st);
        play.wait(1_100);
    }
    let bound = 20 + 600 * 11 / 10 / 5 + 2;
    assert!(
        spans(&play, "mic").len() <= bound,
        "{}",
        spans(&play, "mic").len()
    );
    play.wait(10_000);
    assert!(!spans(&play, "mic").last().unwrap().1);
}

#[test]
fn a_screen_takes_its_sound_along() {
    let mut play = Play::new(RoomMode::Discussion);
    let link = play.join("p1", Role::Trainer);
    publish(&mut play, link, MediaKind::Screen, LIVE);
    publish(&mut play, link, MediaKind::ScreenAudio, LIVE);
    play.wait(2_000);
    publish(&mut play, link, MediaKind::Screen, TrackState::Off);
    for kind in ["screen", "screenAudio"] {
        assert_eq!(spans(&play, kind), [(0, true), (2_000, false)], "{kind}");
    }
}

#[test]
fn speech_is_written_with_its_pauses_inside_and_coughs_left_out() {
    let mut play = Play::new(RoomMode::Discussion);
    let link = play.join("p1", Role::Learner);
    publish(&mut play, link, MIC, LIVE);
    speak(&mut play, 3_000, 30);
    play.wait(1_500);
    speak(&mut play, 2_000, 45);
    assert!(talks(&play).is_empty(), "it is not over");
    play.wait(4_000);
    assert_eq!(talks(&play), [(0, 6_300)]);
    speak(&mut play, 600, 30);
    play.wait(4_000);
    // Noise below speech.
    speak(&mut play, 5_000, 60);
    play.wait(4_000);
    assert_eq!(talks(&play).len(), 1);
}

#[test]
fn speech_ends_with_the_microphone_the_link_and_the_session() {
    let mut play = Play::new(RoomMode::Discussion);
    let link = play.join("p1", Role::Learner);
    publish(&mut play, link, MIC, LIVE);
    speak(&mut play, 2_000, 30);
    publish(&mut play, link, MIC, TrackState::Muted);
    assert_eq!(talks(&play).len(), 1);
    play.wait(3_000);
    publish(&mut play, link, MIC, LIVE);
    speak(&mut play, 2_000, 30);
    play.drop_link(link, false);
    assert_eq!(talks(&play).len(), 2);
    assert_eq!(play.kinds(play.ledger.len() - 2), ["talk", "lapse"]);
    let link = play.resume(link);
    publish(&mut play, link, MIC, LIVE);
    speak(&mut play, 2_000, 30);
    play.apply(Command::End);
    let kinds = play.kinds(play.ledger.len() - 3);
    assert_eq!(kinds, ["talk", "track", "ended"]);
}

#[test]
fn a_lecture_is_written_minute_by_minute_without_gaps() {
    let mut play = Play::new(RoomMode::Discussion);
    let link = play.join("p1", Role::Trainer);
    publish(&mut play, link, MIC, LIVE);
    speak(&mut play, 200_000, 30);
    assert_eq!(
        talks(&play).len(),
        3,
        "a killed server loses a minute at most"
    );
    play.wait(3_000);
    let pieces = talks(&play);
    assert!(
        pieces.windows(2).all(|two| two[0].1 == two[1].0),
        "{pieces:?}"
    );
    assert_eq!((pieces[0].0, pieces.last().unwrap().1), (0, 199_800));
}

#[test]
fn what_others_stop_is_no_sign_of_life() {
    let mut play = Play::new(RoomMode::Discussion);
    let trainer = play.join("pt", Role::Trainer);
    let link = play.join("p1", Role::Learner);
    publish(&mut play, link, MIC, LIVE);
    let heard = play.now.wall_ms;
    play.wait_hearing(8_000, &[trainer]);
    play.ok(
        trainer,
        M::ModMute {
            who: id("p1"),
            kind: MIC,
        },
    );
    play.wait_hearing(LINK_TIMEOUT_MS + 2_000, &[trainer]);
    let stay = stays(&play.ledger, &[], None)
        .into_iter()
        .find(|stay| stay.person.as_str() == "p1")
        .unwrap();
    assert_eq!(stay.to_ms, Some(heard));
}
