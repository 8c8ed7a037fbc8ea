//! Names and values shared by all of the media plane.

use std::sync::Arc;

/// Number of a room in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomKey(pub u64);

/// Part of a room: those who hear and see each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Part {
    /// Room.
    pub room: RoomKey,
    /// Breakout group, from 1; 0 = those who are in none.
    pub group: u8,
}

/// Number of a media peer: one person in one room. Stable across reconnects of
/// that person; the running connection is told apart by [`Epoch`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeerId(pub u64);

/// Number of a connection of a peer, grows with each new peer connection. Late
/// messages about an older connection are told by it and ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Epoch(pub u32);

/// Time of a connection in one part of its room: grows with each connection and
/// with each change of the part. What is said of an older one, or was sent in it,
/// is told by it and ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Stint {
    /// Connection.
    pub epoch: Epoch,
    /// How often it changed the part before.
    pub moves: u32,
}

/// Number of a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShardId(pub u16);

/// What a track carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Microphone.
    Mic,
    /// Camera.
    Camera,
    /// Shared screen.
    Screen,
    /// Sound of the shared screen.
    ScreenAudio,
}

impl Kind {
    /// Microphone or screen sound.
    pub fn is_audio(self) -> bool {
        matches!(self, Self::Mic | Self::ScreenAudio)
    }
}

/// A source track.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrackKey {
    /// Publisher.
    pub peer: PeerId,
    /// What.
    pub kind: Kind,
}

/// Simulcast layer of a source track, 0 the smallest (rids q, h, f = 0, 1, 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Layer(pub u8);

/// Most layers of a track.
pub const MAX_LAYERS: usize = 3;

/// Codec of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// Opus, 48 kHz.
    Opus,
    /// VP8, 90 kHz.
    Vp8,
    /// H.264 packetization mode 1, 90 kHz.
    H264,
}

impl Codec {
    /// RTP clock, ticks per second.
    pub fn clock_rate(self) -> u32 {
        match self {
            Self::Opus => 48_000,
            Self::Vp8 | Self::H264 => 90_000,
        }
    }
}

/// A packet of a source, parsed once and never changed afterwards. What a
/// receiver gets under other numbers is a value of its own ([`Forward`]).
#[derive(Debug, Clone)]
pub struct SourcePacket {
    /// Codec.
    pub codec: Codec,
    /// Layer.
    pub layer: Layer,
    /// Extended sequence number of the source stream.
    pub seq: u64,
    /// RTP timestamp of the source stream.
    pub ts: u32,
    /// RTP marker: last packet of a video frame.
    pub marker: bool,
    /// Audio level, −dBov (0 loudest … 127 silence), RFC 6464.
    pub level: Option<u8>,
    /// abs-capture-time, NTP 32.32 of the publisher's clock.
    pub capture_ntp: Option<u64>,
    /// RTP payload. The counter never crosses a shard: relays copy the bytes.
    pub payload: Arc<[u8]>,
}

/// VP8 descriptor fields a receiver gets instead of the source's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vp8Numbers {
    /// 15-bit picture id.
    pub picture_id: u16,
    /// TL0PICIDX.
    pub tl0: u8,
}

/// Index of a receiving slot in its group, in the order of the m-lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SlotRef {
    /// Audio slot.
    Audio(u8),
    /// Video slot.
    Video(u8),
    /// Screen slot.
    Screen(u8),
}

/// One packet for one receiver: a reference to the payload and the numbers it
/// is to be sent under.
#[derive(Debug, Clone)]
pub struct Forward {
    /// Slot, which decides the SSRC.
    pub slot: SlotRef,
    /// Codec, which decides the payload type.
    pub codec: Codec,
    /// Extended sequence number of the slot; starts below 65,536 and only grows.
    pub seq: u64,
    /// RTP timestamp of the slot.
    pub ts: u32,
    /// RTP marker.
    pub marker: bool,
    /// Audio level to send on.
    pub level: Option<u8>,
    /// Capture time to send on.
    pub capture_ntp: Option<u64>,
    /// Rewritten VP8 fields.
    pub vp8: Option<Vp8Numbers>,
    /// It was sent before under the same numbers and is asked for again.
    pub resend: bool,
    /// The payload is RFC 2198: older frames before its own ([`crate::red`]).
    pub red: bool,
    /// Payload, shared with the source packet.
    pub payload: Arc<[u8]>,
}

/// Receiving slots of a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Slots {
    /// Audio.
    pub audio: u8,
    /// Video.
    pub video: u8,
    /// Screen.
    pub screen: u8,
}

/// What a peer may send; everything else of it is dropped and counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Allow {
    /// Microphone.
    pub mic: bool,
    /// Camera.
    pub camera: bool,
    /// Screen.
    pub screen: bool,
    /// Screen sound.
    pub screen_audio: bool,
}

impl Allow {
    /// Whether `kind` may be sent.
    pub fn allows(self, kind: Kind) -> bool {
        match kind {
            Kind::Mic => self.mic,
            Kind::Camera => self.camera,
            Kind::Screen => self.screen,
            Kind::ScreenAudio => self.screen_audio,
        }
    }
}

/// Where a video slot takes its picture from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WishSource {
    /// This track.
    Track(TrackKey),
    /// The n-th most recent speaker with a camera, never the receiver itself.
    Speaker(u8),
}

/// Wish for one video or screen slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// Slot.
    pub slot: SlotRef,
    /// Source; none empties the slot.
    pub source: Option<WishSource>,
    /// Wanted height, pixels, rounded up to a layer; 0 pauses.
    pub height: u16,
    /// Larger is served first.
    pub priority: u8,
}

/// How much a receiver wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Everything.
    #[default]
    Normal,
    /// The lowest rung: one voice at a time, no picture.
    Save,
    /// No video.
    AudioOnly,
}

impl Mode {
    /// The highest rung the receiver itself wants.
    pub fn ceiling(self) -> Rung {
        match self {
            Self::Save => Rung::Sound,
            Self::Normal | Self::AudioOnly => Rung::Full,
        }
    }
}

/// A rung of the ladder for weak links: how much a receiver is sent at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Rung {
    /// One voice at a time; slides come as pages, not as video.
    Sound,
    /// And one small camera.
    Camera,
    /// And the shared screen.
    Screen,
    /// Everything the estimate allows.
    #[default]
    Full,
}

impl Rung {
    /// From the lowest to the highest.
    pub const ALL: [Self; 4] = [Self::Sound, Self::Camera, Self::Screen, Self::Full];
}

/// Why somebody is not on the highest rung.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RungReason {
    /// The receiver wishes it so.
    Chosen,
    /// The link bears no more.
    Link,
}

/// The whole wish of a receiver.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ViewSpec {
    /// Revision, echoed in the binding.
    pub rev: u32,
    /// Wishes; a slot not named is empty.
    pub wishes: Vec<Wish>,
    /// Audio tracks heard before the loudest are chosen; at most 2 count.
    pub pins: Vec<TrackKey>,
    /// How much.
    pub mode: Mode,
}

/// State of a video or screen slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotState {
    /// Nothing in it.
    Off,
    /// Waits for the first keyframe.
    Wait,
    /// Packets flow at this layer; `rtp_ts` is the receiver's timestamp of the
    /// first frame of the present source.
    Live {
        /// Layer.
        layer: Layer,
        /// First timestamp.
        rtp_ts: u32,
    },
    /// Held back for bandwidth.
    PausedBandwidth,
    /// The publisher does not send.
    PausedMuted,
    /// Held back by overload or by the receiver's mode.
    PausedLimit,
}

/// What is in the slots of a receiver. Index = slot index of its group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Binding {
    /// Revision of the view it follows from.
    pub rev: u32,
    /// Audio slots.
    pub audio: Vec<Option<TrackKey>>,
    /// Video slots.
    pub video: Vec<(Option<TrackKey>, SlotState)>,
    /// Screen slots.
    pub screen: Vec<(Option<TrackKey>, SlotState)>,
}
