//! What the forwarding decision needs to know about a packet, parsed once.

use crate::h264::H264View;
use crate::types::{Codec, SourcePacket};
use crate::vp8::Vp8View;

/// Picture numbers of a VP8 packet as the source sent them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Picture {
    /// Picture id.
    pub id: u16,
    /// Width of its counter, bits: 7 or 15.
    pub bits: u32,
    /// TL0PICIDX; 0 when not sent.
    pub tl0: u8,
}

/// Facts of one packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Meta {
    /// A decoder can begin here.
    pub begins_keyframe: bool,
    /// Height told by a keyframe, pixels.
    pub height: Option<u16>,
    /// VP8 picture numbers.
    pub picture: Option<Picture>,
}

impl Meta {
    /// Parses the payload; a malformed one has no facts and is forwarded as it
    /// is, never as a keyframe.
    pub fn of(packet: &SourcePacket) -> Self {
        match packet.codec {
            // Every Opus packet can be decoded alone.
            Codec::Opus => Self {
                begins_keyframe: true,
                ..Self::default()
            },
            Codec::Vp8 => Vp8View::parse(&packet.payload).map_or(Self::default(), |view| Self {
                begins_keyframe: view.begins_keyframe(),
                height: view.keyframe.map(|(_, height)| height),
                picture: view.picture_id.map(|id| Picture {
                    id: id.value(),
                    bits: id.bits(),
                    tl0: view.tl0.unwrap_or(0),
                }),
            }),
            Codec::H264 => H264View::parse(&packet.payload).map_or(Self::default(), |view| Self {
                begins_keyframe: view.begins_keyframe(),
                height: view.height,
                picture: None,
            }),
        }
    }
}
