//! Writing: the head of a file and its clusters.

use super::ebml::{UNKNOWN, id, put, put_float, put_id, put_size, put_text, put_uint, put_with};
use crate::media::Codec;

/// How far Opus sounds behind its timestamps: 6.5 ms (312 samples), milliseconds.
pub const OPUS_DELAY_MS: f64 = 6.5;
const OPUS_DELAY_NS: u64 = 6_500_000;
const OPUS_PRE_SKIP: u16 = 312;
/// An Opus decoder needs this much before a place to be right there.
const OPUS_PRE_ROLL_NS: u64 = 80_000_000;

/// What stands in the head of a file about its track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackHead {
    /// Codec.
    pub codec: Codec,
    /// Pixels; sound: 0.
    pub width: u32,
    /// Pixels; sound: 0.
    pub height: u32,
    /// Codec private data: [`opus_head`], avcC; VP8: none.
    pub private: Vec<u8>,
}

/// Private data of Opus (RFC 7845 section 5.1).
pub fn opus_head(channels: u8) -> Vec<u8> {
    let mut head = b"OpusHead\x01".to_vec();
    head.push(channels);
    head.extend(OPUS_PRE_SKIP.to_le_bytes());
    head.extend(48_000_u32.to_le_bytes());
    head.extend([0, 0, 0]);
    head
}

impl TrackHead {
    /// Sound of a browser: always two channels, whatever is in the packets.
    pub fn opus() -> Self {
        Self {
            codec: Codec::Opus,
            width: 0,
            height: 0,
            private: opus_head(2),
        }
    }

    /// A VP8 picture.
    pub fn vp8(width: u32, height: u32) -> Self {
        Self {
            codec: Codec::Vp8,
            width,
            height,
            private: Vec::new(),
        }
    }

    /// An H.264 picture with its avcC.
    pub fn h264(width: u32, height: u32, avcc: Vec<u8>) -> Self {
        Self {
            codec: Codec::H264,
            width,
            height,
            private: avcc,
        }
    }

    /// The EBML head.
    pub fn ebml(codec: Codec) -> Vec<u8> {
        let mut out = Vec::new();
        put_with(&mut out, id::EBML, |out| {
            put_uint(out, id::EBML_VERSION, 1);
            put_uint(out, id::EBML_READ_VERSION, 1);
            put_uint(out, id::EBML_MAX_ID, 4);
            put_uint(out, id::EBML_MAX_SIZE, 8);
            let webm = codec != Codec::H264;
            put_text(out, id::DOC_TYPE, if webm { "webm" } else { "matroska" });
            put_uint(out, id::DOC_TYPE_VERSION, 4);
            put_uint(out, id::DOC_TYPE_READ_VERSION, 2);
        });
        out
    }

    /// Info, with a duration where one is known.
    pub fn info(duration_ms: Option<u64>) -> Vec<u8> {
        let mut out = Vec::new();
        put_with(&mut out, id::INFO, |out| {
            put_uint(out, id::TIMESTAMP_SCALE, 1_000_000);
            if let Some(ms) = duration_ms {
                #[allow(clippy::cast_precision_loss)] // milliseconds of a day
                put_float(out, id::DURATION, ms as f64);
            }
            put_text(out, id::MUXING_APP, "lophoc");
            put_text(out, id::WRITING_APP, "lophoc");
        });
        out
    }

    /// Tracks: this one, with number 1.
    pub fn tracks(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_with(&mut out, id::TRACKS, |out| {
            put_with(out, id::TRACK_ENTRY, |out| self.entry(out));
        });
        out
    }

    fn entry(&self, out: &mut Vec<u8>) {
        let (name, kind) = match self.codec {
            Codec::Vp8 => ("V_VP8", 1),
            Codec::H264 => ("V_MPEG4/ISO/AVC", 1),
            Codec::Opus => ("A_OPUS", 2),
        };
        put_uint(out, id::TRACK_NUMBER, 1);
        put_uint(out, id::TRACK_UID, 1);
        put_uint(out, id::TRACK_TYPE, kind);
        put_uint(out, id::FLAG_LACING, 0);
        put_text(out, id::CODEC_ID, name);
        if !self.private.is_empty() {
            put(out, id::CODEC_PRIVATE, &self.private);
        }
        if self.codec == Codec::Opus {
            put_uint(out, id::CODEC_DELAY, OPUS_DELAY_NS);
            put_uint(out, id::SEEK_PRE_ROLL, OPUS_PRE_ROLL_NS);
            put_with(out, id::AUDIO, |out| {
                put_float(out, id::SAMPLING_FREQUENCY, 48_000.0);
                put_uint(out, id::CHANNELS, 2);
            });
        } else {
            put_with(out, id::VIDEO, |out| {
                put_uint(out, id::PIXEL_WIDTH, u64::from(self.width.max(1)));
                put_uint(out, id::PIXEL_HEIGHT, u64::from(self.height.max(1)));
            });
        }
    }

    /// Everything before the first cluster: a segment of unknown size, no duration.
    pub fn file_head(&self) -> Vec<u8> {
        let mut out = Self::ebml(self.codec);
        put_id(&mut out, id::SEGMENT);
        out.extend(UNKNOWN);
        out.extend(Self::info(None));
        out.extend(self.tracks());
        out
    }
}

/// A cluster that is being filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    time_ms: u64,
    last_ms: u64,
    body: Vec<u8>,
}

impl Cluster {
    /// Begins at this time of the file.
    pub fn new(time_ms: u64) -> Self {
        let mut body = Vec::new();
        put_uint(&mut body, id::TIMESTAMP, time_ms);
        Self {
            time_ms,
            last_ms: time_ms,
            body,
        }
    }

    /// Where it begins.
    pub fn time_ms(&self) -> u64 {
        self.time_ms
    }

    /// Time of the latest frame in it.
    pub fn last_ms(&self) -> u64 {
        self.last_ms
    }

    /// Bytes so far.
    pub fn len(&self) -> usize {
        self.body.len()
    }

    /// Whether it has no frame.
    pub fn is_empty(&self) -> bool {
        self.body.len() <= 10
    }

    /// Whether a frame of this time can be in it: not before it, not more than
    /// 32 s after.
    pub fn takes(&self, time_ms: u64) -> bool {
        time_ms
            .checked_sub(self.time_ms)
            .is_some_and(|relative| i16::try_from(relative).is_ok())
    }

    /// Appends a frame; `false` when it cannot be in this cluster.
    pub fn push(&mut self, time_ms: u64, keyframe: bool, frame: &[u8]) -> bool {
        let Some(relative) = time_ms
            .checked_sub(self.time_ms)
            .and_then(|relative| i16::try_from(relative).ok())
        else {
            return false;
        };
        let head = block_head(relative, keyframe, frame.len());
        self.body.extend(head);
        self.body.extend_from_slice(frame);
        self.last_ms = self.last_ms.max(time_ms);
        true
    }

    /// As it is appended to the file.
    pub fn finish(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.body.len() + 12);
        put(&mut out, id::CLUSTER, &self.body);
        out
    }

    /// A cluster of one frame of `len` bytes that is elsewhere: what stands before it.
    pub fn around(time_ms: u64, keyframe: bool, len: usize) -> Vec<u8> {
        let mut body = Vec::new();
        put_uint(&mut body, id::TIMESTAMP, time_ms);
        body.extend(block_head(0, keyframe, len));
        let mut out = Vec::new();
        put_id(&mut out, id::CLUSTER);
        put_size(&mut out, (body.len() + len) as u64);
        out.extend(body);
        out
    }
}

/// Head of a simple block of track 1 without lacing.
fn block_head(relative_ms: i16, keyframe: bool, len: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(13);
    put_id(&mut out, id::SIMPLE_BLOCK);
    put_size(&mut out, len as u64 + 4);
    out.push(0x81);
    out.extend(relative_ms.to_be_bytes());
    out.push(if keyframe { 0x80 } else { 0 });
    out
}
