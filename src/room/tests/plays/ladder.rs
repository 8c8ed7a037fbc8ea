//! Who gets less than everything, and what those who speak do for them.

use super::*;
use lophoc_protocol::media::{OnRung, Rung, RungReason};
use lophoc_room::bounds::{SPEECH_HOLD_MS, SPEECH_KBPS};

const SOUND: OnRung = OnRung {
    at: Rung::Sound,
    why: RungReason::Link,
};

fn rungs(play: &mut Play, person: &str, on: Option<OnRung>) {
    let peer = play.peer(person);
    play.apply(Command::Rungs {
        list: vec![(peer, on)],
    });
    play.wait(200);
}

fn speech(play: &Play, link: LinkId) -> Option<u16> {
    play.client(link).room.clone().unwrap().speech_kbps
}

#[test]
fn everybody_sees_who_is_on_which_rung() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    play.join("p2", Role::Learner);
    for on in [
        Some(SOUND),
        Some(OnRung {
            at: Rung::Screen,
            why: RungReason::Link,
        }),
        None,
    ] {
        rungs(&mut play, "p2", on);
        assert_eq!(play.client(trainer).people[&id("p2")].rung, on);
        let seen = play.room.snapshot().people;
        assert_eq!(seen[1].rung, on, "as does the desk");
    }
    let unknown = vec![(4_711, Some(SOUND))];
    play.apply(Command::Rungs { list: unknown });
}

#[test]
fn speech_is_small_while_somebody_needs_it_and_for_a_while_after() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    play.join("p3", Role::Learner);
    assert_eq!(speech(&play, trainer), None);
    rungs(&mut play, "p2", Some(SOUND));
    assert_eq!(speech(&play, trainer), Some(SPEECH_KBPS));
    let late = play.join("p4", Role::Trainer);
    assert_eq!(speech(&play, late), Some(SPEECH_KBPS), "told to newcomers");

    // A camera more needs no small speech, but it does not grow at once.
    let camera = OnRung {
        at: Rung::Camera,
        ..SOUND
    };
    rungs(&mut play, "p2", Some(camera));
    assert_eq!(speech(&play, trainer), Some(SPEECH_KBPS));
    rungs(&mut play, "p3", Some(SOUND));
    play.wait_hearing(2 * SPEECH_HOLD_MS, &[trainer, learner]);
    assert_eq!(speech(&play, trainer), Some(SPEECH_KBPS));
    rungs(&mut play, "p3", None);
    play.wait_hearing(SPEECH_HOLD_MS + 1_500, &[trainer, learner]);
    assert_eq!(speech(&play, trainer), None);
}

#[test]
fn whoever_leaves_needs_nothing_any_more() {
    let mut play = Play::new(RoomMode::Training);
    let trainer = play.join("p1", Role::Trainer);
    let learner = play.join("p2", Role::Learner);
    rungs(&mut play, "p2", Some(SOUND));
    play.ok(learner, M::Leave);
    play.wait_hearing(SPEECH_HOLD_MS + 1_500, &[trainer]);
    assert_eq!(speech(&play, trainer), None);
}
