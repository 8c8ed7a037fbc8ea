//! Translation of names. Pure functions.

use lophoc_media::overload::Stage;
use lophoc_media::types::{
    Allow, Binding, Kind, Mode, PeerId, Rung, RungReason, SlotRef, SlotState, Slots, TrackKey,
    ViewSpec, Wish, WishSource,
};
use lophoc_protocol::media::{
    self as wire, AudioBind, BindReason, BindState, Mids, OnRung, Overload, Rid, SlotSource,
    VideoBind, View, ViewMode,
};
use lophoc_protocol::{MediaKind, Profile, ServerMessage, SlotCounts, SlotId, TrackId};
use lophoc_room::Allow4;
use lophoc_transport::MidMap;

/// Most wishes of a view that are looked at: every slot of the largest profile.
const MAX_WISHES: usize = 64;
/// Longest name of an m-line, bytes.
const MAX_MID: usize = 16;
/// Bits of q, h and f.
const ALL_LAYERS: u8 = 0b111;
/// Most pinned audio tracks.
const MAX_PINS: usize = 2;

/// Kind in the words of the media plane.
fn kind_of(kind: MediaKind) -> Kind {
    match kind {
        MediaKind::Mic => Kind::Mic,
        MediaKind::Camera => Kind::Camera,
        MediaKind::Screen => Kind::Screen,
        MediaKind::ScreenAudio => Kind::ScreenAudio,
    }
}

/// Kind in the words of the protocol.
fn media_kind(kind: Kind) -> MediaKind {
    match kind {
        Kind::Mic => MediaKind::Mic,
        Kind::Camera => MediaKind::Camera,
        Kind::Screen => MediaKind::Screen,
        Kind::ScreenAudio => MediaKind::ScreenAudio,
    }
}

/// The sending m-lines of a profile.
pub fn sends_of(profile: Profile) -> Vec<Kind> {
    profile.sends().iter().copied().map(kind_of).collect()
}

/// The slots of an offer, or `None` when they are more than the profile has.
pub fn slots_of(profile: Profile, wanted: SlotCounts) -> Option<Slots> {
    let most = profile.max_slots();
    (wanted.a <= most.a && wanted.v <= most.v && wanted.s <= most.s).then_some(Slots {
        audio: wanted.a,
        video: wanted.v,
        screen: wanted.s,
    })
}

/// Cuts a view to what can be acted upon, before it is queued or kept.
pub fn bound_view(view: &mut View) {
    view.slots.retain(|wish| wish.mid.as_str().len() <= MAX_MID);
    view.slots.truncate(MAX_WISHES);
    view.slots.shrink_to_fit();
    view.audio.pin.truncate(MAX_PINS);
    view.audio.pin.shrink_to_fit();
}

/// Sending rights in the words of the media plane.
pub fn allow_of(allow: Allow4) -> Allow {
    Allow {
        mic: allow.mic,
        camera: allow.camera,
        screen: allow.screen,
        screen_audio: allow.screen_audio,
    }
}

fn track_key(track: TrackId) -> TrackKey {
    TrackKey {
        peer: PeerId(track.peer),
        kind: kind_of(track.kind),
    }
}

fn track_id(track: TrackKey) -> TrackId {
    TrackId {
        peer: track.peer.0,
        kind: media_kind(track.kind),
    }
}

/// What is given up, for people.
pub fn overload_of(stage: Stage) -> Option<Overload> {
    match stage {
        Stage::None => None,
        Stage::Thumbnails => Some(Overload::Thumbnails),
        Stage::Layers => Some(Overload::Layers),
        Stage::ScreenRate => Some(Overload::Screen),
        Stage::Video => Some(Overload::Video),
    }
}

/// Layers of a publisher's pictures that somebody watches, a bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watched {
    camera: u8,
    screen: u8,
}

impl Default for Watched {
    /// Everything: what a publisher sends until told.
    fn default() -> Self {
        Self {
            camera: ALL_LAYERS,
            screen: ALL_LAYERS,
        }
    }
}

impl Watched {
    /// What the media plane says of a track. Sound has no layers.
    pub fn set(&mut self, kind: Kind, layers: u8) {
        match kind {
            Kind::Camera => self.camera = layers & ALL_LAYERS,
            Kind::Screen => self.screen = layers & ALL_LAYERS,
            Kind::Mic | Kind::ScreenAudio => {}
        }
    }

    /// For the client.
    pub fn message(self) -> ServerMessage {
        ServerMessage::Layers {
            camera: rids_of(self.camera),
            screen: rids_of(self.screen),
        }
    }
}

/// Rids of layers; absent = all of them.
fn rids_of(layers: u8) -> Option<Vec<Rid>> {
    let rids = [Rid::Q, Rid::H, Rid::F].into_iter().zip(0u8..);
    (layers != ALL_LAYERS).then(|| {
        rids.filter(|(_, layer)| layers >> layer & 1 == 1)
            .map(|(rid, _)| rid)
            .collect()
    })
}

/// The m-lines of one connection by use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MidTable {
    map: MidMap,
}

impl MidTable {
    /// From the answer's map.
    pub fn new(map: MidMap) -> Self {
        Self { map }
    }

    /// For the client.
    pub fn mids(&self) -> Mids {
        let send = |kind: Kind| {
            self.map
                .sends
                .iter()
                .find(|(of, _)| *of == kind)
                .map(|(_, mid)| SlotId(mid.clone()))
        };
        let ids = |list: &[String]| list.iter().cloned().map(SlotId).collect();
        Mids {
            mic: send(Kind::Mic),
            camera: send(Kind::Camera),
            screen: send(Kind::Screen),
            screen_audio: send(Kind::ScreenAudio),
            a: ids(&self.map.audio),
            v: ids(&self.map.video),
            s: ids(&self.map.screen),
        }
    }

    fn slot(&self, mid: &SlotId) -> Option<SlotRef> {
        let find = |list: &[String], slot: fn(u8) -> SlotRef| {
            let index = list
                .iter()
                .position(|candidate| candidate == mid.as_str())?;
            u8::try_from(index).ok().map(slot)
        };
        find(&self.map.video, SlotRef::Video).or_else(|| find(&self.map.screen, SlotRef::Screen))
    }

    /// A view in the words of the media plane. Wishes for unknown m-lines are
    /// left out: they may belong to an answer that is still under way.
    pub fn view(&self, view: &View) -> ViewSpec {
        let wishes = view.slots.iter().take(MAX_WISHES).filter_map(|wish| {
            let source = match &wish.src {
                None => None,
                Some(SlotSource::K(track)) => Some(WishSource::Track(track_key(*track))),
                Some(SlotSource::Speaker(n)) => Some(WishSource::Speaker(*n)),
            };
            Some(Wish {
                slot: self.slot(&wish.mid)?,
                source,
                height: wish.h,
                priority: wish.prio,
            })
        });
        ViewSpec {
            rev: view.rev,
            wishes: wishes.collect(),
            pins: view
                .audio
                .pin
                .iter()
                .take(MAX_PINS)
                .map(|track| track_key(*track))
                .collect(),
            mode: match view.mode {
                ViewMode::Normal => Mode::Normal,
                ViewMode::Save => Mode::Save,
                ViewMode::Audio | ViewMode::Hidden => Mode::AudioOnly,
            },
        }
    }

    /// What is in the slots, for the client.
    pub fn bind(&self, binding: &Binding) -> ServerMessage {
        let pictures = self
            .map
            .video
            .iter()
            .zip(&binding.video)
            .chain(self.map.screen.iter().zip(&binding.screen));
        let v = pictures
            .map(|(mid, (track, state))| picture(mid, *track, *state))
            .collect();
        let a = self
            .map
            .audio
            .iter()
            .zip(&binding.audio)
            .map(|(mid, track)| AudioBind {
                mid: SlotId(mid.clone()),
                k: track.map(track_id),
            })
            .collect();
        ServerMessage::Bind {
            rev: binding.rev,
            v: Some(v),
            a: Some(a),
        }
    }
}

/// The rung of a receiver in the words of the protocol; absent on the highest.
pub fn rung_of(rung: Rung, reason: Option<RungReason>) -> Option<OnRung> {
    let at = match rung {
        Rung::Sound => wire::Rung::Sound,
        Rung::Camera => wire::Rung::Camera,
        Rung::Screen => wire::Rung::Screen,
        Rung::Full => return None,
    };
    let why = match reason? {
        RungReason::Chosen => wire::RungReason::Chosen,
        RungReason::Link => wire::RungReason::Link,
    };
    Some(OnRung { at, why })
}

fn picture(mid: &str, track: Option<TrackKey>, state: SlotState) -> VideoBind {
    let (st, why, live) = match state {
        SlotState::Off => (BindState::Off, None, None),
        SlotState::Wait => (BindState::Wait, None, None),
        SlotState::Live { layer, rtp_ts } => (BindState::Live, None, Some((layer.0, rtp_ts))),
        SlotState::PausedBandwidth => (BindState::Paused, Some(BindReason::Bw), None),
        SlotState::PausedMuted => (BindState::Paused, Some(BindReason::Muted), None),
        SlotState::PausedLimit => (BindState::Paused, Some(BindReason::Limit), None),
    };
    VideoBind {
        mid: SlotId(mid.to_owned()),
        k: track.map(track_id),
        st,
        why,
        lay: live.map(|(layer, _)| layer),
        rtp_ts: live.map(|(_, rtp_ts)| rtp_ts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lophoc_media::types::Layer;
    use lophoc_protocol::media::{AudioWish, SlotWish};

    fn table() -> MidTable {
        MidTable::new(MidMap {
            sends: vec![(Kind::Mic, "0".into()), (Kind::Camera, "1".into())],
            audio: vec!["2".into()],
            video: vec!["3".into(), "4".into()],
            screen: vec!["5".into()],
        })
    }

    #[test]
    fn wishes_find_their_slots_and_unknown_lines_are_left_out() {
        let camera = TrackId {
            peer: 7,
            kind: MediaKind::Camera,
        };
        let wish = |mid: &str, src| SlotWish {
            mid: mid.into(),
            src,
            h: 360,
            prio: 9,
        };
        let view = View {
            rev: 3,
            slots: vec![
                wish("4", Some(SlotSource::K(camera))),
                wish("5", None),
                wish("2", None),
                wish("nonsense", Some(SlotSource::Speaker(0))),
            ],
            audio: AudioWish {
                pin: vec![camera; 5],
            },
            mode: ViewMode::Hidden,
        };
        let spec = table().view(&view);
        assert_eq!(
            (spec.rev, spec.mode, spec.pins.len()),
            (3, Mode::AudioOnly, 2)
        );
        let slots: Vec<_> = spec.wishes.iter().map(|wish| wish.slot).collect();
        assert_eq!(slots, [SlotRef::Video(1), SlotRef::Screen(0)]);
    }

    #[test]
    fn a_view_of_any_size_is_kept_small() {
        let wish = |mid: String| SlotWish {
            mid: SlotId(mid),
            src: None,
            h: 0,
            prio: 0,
        };
        let mut slots = vec![wish("9".repeat(100_000))];
        slots.extend((0..10_000).map(|n| wish(n.to_string())));
        let mut view = View {
            slots,
            ..View::default()
        };
        bound_view(&mut view);
        assert_eq!(view.slots.len(), MAX_WISHES);
        assert_eq!(view.slots[0].mid.as_str(), "0");
        assert!(view.slots.capacity() < 1_000);
    }

    #[test]
    fn a_binding_names_every_line_with_its_track_and_state() {
        let track = TrackKey {
            peer: PeerId(7),
            kind: Kind::Camera,
        };
        let binding = Binding {
            rev: 4,
            audio: vec![Some(TrackKey {
                peer: PeerId(8),
                kind: Kind::Mic,
            })],
            video: vec![
                (
                    Some(track),
                    SlotState::Live {
                        layer: Layer(2),
                        rtp_ts: 99,
                    },
                ),
                (None, SlotState::Off),
            ],
            screen: vec![(Some(track), SlotState::PausedBandwidth)],
        };
        let ServerMessage::Bind {
            rev,
            v: Some(v),
            a: Some(a),
        } = table().bind(&binding)
        else {
            panic!("no bind")
        };
        assert_eq!((rev, v.len(), a.len()), (4, 3, 1));
        assert_eq!(
            (v[0].mid.as_str(), v[0].lay, v[0].rtp_ts),
            ("3", Some(2), Some(99))
        );
        assert_eq!((v[1].st, v[1].k), (BindState::Off, None));
        assert_eq!(
            (v[2].mid.as_str(), v[2].st, v[2].why),
            ("5", BindState::Paused, Some(BindReason::Bw))
        );
        assert_eq!(a[0].k.map(|k| k.to_string()).as_deref(), Some("k8m"));
    }

    #[test]
    fn more_slots_than_the_profile_has_are_refused() {
        assert!(slots_of(Profile::Viewer, SlotCounts { a: 3, v: 2, s: 1 }).is_some());
        assert!(slots_of(Profile::Viewer, SlotCounts { a: 3, v: 9, s: 1 }).is_none());
    }
}
