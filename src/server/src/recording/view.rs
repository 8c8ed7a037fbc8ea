//! What a recording takes, in the words of the media plane, and what comes of it, in
//! the words of the recorder. Pure functions.

use std::collections::HashMap;

use lophoc_ledger::PersonKey;
use lophoc_media::types::{
    Binding, Kind, Mode, PeerId, SlotRef, SlotState, Slots, TrackKey, ViewSpec, Wish, WishSource,
};
use lophoc_recording::control::SlotCounts;
use lophoc_recording::{Slot, Source, TrackKind};
use lophoc_room::RecordWho;

/// Slots of the connection of a recording: the loudest voices and the sounds of
/// screens, the presenter and the promoted, one screen.
pub(super) const SLOTS: Slots = Slots {
    audio: 6,
    video: 3,
    screen: 1,
};
/// The same for the recorder.
pub(super) const COUNTS: SlotCounts = SlotCounts {
    audio: SLOTS.audio,
    video: SLOTS.video,
    screen: SLOTS.screen,
};
/// Height of the presenter's picture, pixels.
const PRESENTER: u16 = 720;
/// Height of a promoted person's.
const PROMOTED: u16 = 360;
/// Height of a screen.
const SCREEN: u16 = 1080;

fn track(peer: u64, kind: Kind) -> TrackKey {
    TrackKey {
        peer: PeerId(peer),
        kind,
    }
}

/// What is looked at.
pub(super) fn view_of(who: &RecordWho, rev: u32) -> ViewSpec {
    let wish = |slot, key, height, priority| Wish {
        slot,
        source: Some(WishSource::Track(key)),
        height,
        priority,
    };
    let camera = |peer: u64| track(peer, Kind::Camera);
    let presenter = who
        .presenter
        .map(|peer| wish(SlotRef::Video(0), camera(peer), PRESENTER, 2));
    let promoted = (1..SLOTS.video)
        .zip(&who.promoted)
        .map(|(slot, peer)| wish(SlotRef::Video(slot), camera(*peer), PROMOTED, 1));
    let screen = who
        .screen
        .map(|peer| wish(SlotRef::Screen(0), track(peer, Kind::Screen), SCREEN, 3));
    ViewSpec {
        rev,
        wishes: presenter
            .into_iter()
            .chain(promoted)
            .chain(screen)
            .collect(),
        pins: who
            .presenter
            .map(|peer| track(peer, Kind::Mic))
            .into_iter()
            .collect(),
        mode: Mode::Normal,
    }
}

/// Whose media is in the slots. Slots in which nothing can come are empty: what
/// comes later is another file.
pub(super) fn sources_of(
    binding: &Binding,
    people: &HashMap<u64, PersonKey>,
    who: &RecordWho,
) -> Vec<(Slot, Source)> {
    let sends = |state: SlotState| !matches!(state, SlotState::Off | SlotState::PausedMuted);
    let pictures = binding.video.iter().chain(&binding.screen);
    let all = (binding.audio.iter().copied())
        .chain(pictures.map(|(key, state)| key.filter(|_| sends(*state))));
    (0u32..)
        .zip(all)
        .filter_map(|(slot, key)| {
            let key = key?;
            let source = Source {
                person: people.get(&key.peer.0)?.clone(),
                kind: match key.kind {
                    Kind::Mic => TrackKind::Voice,
                    Kind::Camera => TrackKind::Camera,
                    Kind::Screen => TrackKind::Screen,
                    Kind::ScreenAudio => TrackKind::ScreenSound,
                },
                publication: key.peer.0,
                presenter: who.presenter == Some(key.peer.0),
            };
            Some((Slot(slot), source))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use lophoc_media::types::Layer;
    use lophoc_room::Taken;

    fn who() -> RecordWho {
        let taken = |peer: u64| Taken {
            peer,
            person: PersonKey(format!("p{peer}")),
        };
        RecordWho {
            may: vec![taken(1), taken(2), taken(3)],
            presenter: Some(1),
            promoted: vec![2, 3, 4, 5],
            screen: Some(1),
        }
    }

    #[test]
    fn the_presenter_is_large_the_promoted_small_and_there_are_no_more_than_slots() {
        let view = view_of(&who(), 4);
        let told: Vec<_> = view
            .wishes
            .iter()
            .map(|wish| (wish.slot, wish.height))
            .collect();
        assert_eq!(
            told,
            [
                (SlotRef::Video(0), 720),
                (SlotRef::Video(1), 360),
                (SlotRef::Video(2), 360),
                (SlotRef::Screen(0), 1080),
            ]
        );
        assert_eq!(view.pins, [track(1, Kind::Mic)]);
    }

    #[test]
    fn slots_are_numbered_through_and_what_sends_nothing_is_empty() {
        let who = who();
        let people: HashMap<u64, PersonKey> = who
            .may
            .iter()
            .map(|taken| (taken.peer, taken.person.clone()))
            .collect();
        let live = SlotState::Live {
            layer: Layer(2),
            rtp_ts: 7,
        };
        let binding = Binding {
            rev: 4,
            audio: vec![
                None,
                Some(track(2, Kind::Mic)),
                Some(track(1, Kind::ScreenAudio)),
            ],
            video: vec![
                (Some(track(1, Kind::Camera)), live),
                (Some(track(2, Kind::Camera)), SlotState::PausedMuted),
                (Some(track(9, Kind::Camera)), live),
            ],
            screen: vec![(Some(track(1, Kind::Screen)), SlotState::Wait)],
        };
        let sources = sources_of(&binding, &people, &who);
        let told: Vec<_> = sources
            .iter()
            .map(|(slot, source)| {
                (
                    slot.0,
                    source.person.0.as_str(),
                    source.kind,
                    source.presenter,
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                (1, "p2", TrackKind::Voice, false),
                (2, "p1", TrackKind::ScreenSound, true),
                (3, "p1", TrackKind::Camera, true),
                (6, "p1", TrackKind::Screen, true),
            ]
        );
    }
}
