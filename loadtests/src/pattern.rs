//! Media without an encoder: packets in the sizes a browser sends, with the
//! time of sending inside.

use std::time::{Duration, Instant};

use lophoc_media::opus::OpusView;

use crate::publisher::{Frame, FrameSource, Packet, Vp8Numbers};

/// Frames per second.
pub const FRAME_RATE: u32 = 30;
/// Packets of an ordinary frame.
pub const FRAME_PACKETS: usize = 7;
/// Packets of a keyframe.
const KEYFRAME_PACKETS: usize = 21;
/// RTP payload of the smaller packets of a frame, bytes; the larger have one more.
const SIZE: usize = 1_110;
/// RTP payload of the last packet of a frame, bytes.
const LAST_SIZE: usize = 100;
/// Opus payload, bytes.
const AUDIO_SIZE: usize = 80;
/// Where the stamp of a video packet stands: behind the 6-byte descriptor and
/// the 10 bytes of a keyframe header.
const VIDEO_STAMP: usize = 16;
/// Where the stamp of an audio packet stands: behind the TOC byte.
const AUDIO_STAMP: usize = 1;
/// Opens a stamp.
const MAGIC: [u8; 4] = *b"LPHC";
/// Opus TOC: hybrid, full band, 20 ms, mono, one frame (RFC 6716 section 3.1).
const OPUS_TOC: u8 = 15 << 3;

/// The process's clock for stamps.
#[derive(Debug, Clone, Copy)]
pub struct StampClock(Instant);

impl Default for StampClock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl StampClock {
    /// The moment the clock counts from.
    pub fn origin(&self) -> Instant {
        self.0
    }

    /// Writes `now` at `at`, if the payload is long enough.
    pub fn write(&self, now: Instant, at: usize, payload: &mut [u8]) {
        let nanos = now.saturating_duration_since(self.0).as_nanos() as u64;
        if let Some(stamp) = payload
            .get_mut(at..)
            .and_then(|rest| rest.first_chunk_mut::<12>())
        {
            let (magic, time) = stamp.split_at_mut(4);
            magic.copy_from_slice(&MAGIC);
            time.copy_from_slice(&nanos.to_be_bytes());
        }
    }

    fn read_at(&self, at: usize, payload: &[u8]) -> Option<Instant> {
        let stamp = payload.get(at..)?.first_chunk::<12>()?;
        let (magic, time) = stamp.split_first_chunk::<4>()?;
        if *magic != MAGIC {
            return None;
        }
        let nanos = u64::from_be_bytes(*time.first_chunk()?);
        self.0.checked_add(Duration::from_nanos(nanos))
    }

    /// When the video packet was sent.
    pub fn read_video(&self, payload: &[u8]) -> Option<Instant> {
        self.read_at(VIDEO_STAMP, payload)
    }

    /// When the audio packet was sent.
    ///
    /// Speech may come in bundles: one stamp for each frame.
    pub fn read_audio(&self, payload: &[u8]) -> Vec<Instant> {
        let frames = OpusView::parse(payload).map_or_else(Vec::new, |view| view.frames);
        frames
            .into_iter()
            .filter_map(|frame| self.read_at(AUDIO_STAMP - 1, payload.get(frame)?))
            .collect()
    }
}

/// Chromium's pattern: n packets of S bytes, then m of S + 1, the last short;
/// 1.6 Mbit/s at 30 frames per second.
#[derive(Debug, Default)]
pub struct BrowserPattern {
    frames: usize,
}

impl FrameSource for BrowserPattern {
    fn interval(&self) -> Duration {
        Duration::from_secs(1) / FRAME_RATE
    }

    fn frame(&mut self, key: bool, numbers: Vp8Numbers) -> Frame {
        let count = if key { KEYFRAME_PACKETS } else { FRAME_PACKETS };
        // The split between the two sizes moves from frame to frame.
        let smaller = self.frames % count;
        self.frames += 1;
        let packets = (0..count)
            .map(|index| {
                let size = match index {
                    last if last + 1 == count => LAST_SIZE,
                    index if index < smaller => SIZE,
                    _ => SIZE + 1,
                };
                let mut payload = Vec::with_capacity(size);
                payload.extend_from_slice(&numbers.descriptor(index == 0));
                if index == 0 {
                    payload.extend_from_slice(&vp8_header(key));
                }
                payload.resize(size, index as u8);
                Packet {
                    payload,
                    stamp_at: Some(VIDEO_STAMP),
                }
            })
            .collect();
        Frame { packets, key }
    }
}

/// Whether a packet is one of [`BrowserPattern`] as it was published, but for the
/// numbers of the descriptor and the stamp.
pub fn video_is_whole(payload: &[u8]) -> bool {
    let size = matches!(payload.len(), LAST_SIZE | SIZE) || payload.len() == SIZE + 1;
    let body = payload.get(VIDEO_STAMP + 12..).unwrap_or_default();
    let index = body.first().copied().unwrap_or(u8::MAX);
    size && usize::from(index) < KEYFRAME_PACKETS && body.iter().all(|byte| *byte == index)
}

/// First bytes of a VP8 frame, RFC 6386 section 9.1: the frame tag and, in a
/// keyframe, start code and 1280×720.
fn vp8_header(key: bool) -> Vec<u8> {
    let inverse_key = u8::from(!key);
    let shown = 1 << 4;
    let mut header = vec![inverse_key | shown, 0, 0];
    if key {
        header.extend_from_slice(&[0x9d, 0x01, 0x2a]);
        header.extend_from_slice(&1280u16.to_le_bytes());
        header.extend_from_slice(&720u16.to_le_bytes());
    }
    header
}

/// An Opus packet of the usual size; it carries a stamp, not sound.
pub fn audio_packet() -> Packet {
    let mut payload = vec![0; AUDIO_SIZE];
    if let Some(toc) = payload.first_mut() {
        *toc = OPUS_TOC;
    }
    Packet {
        payload,
        stamp_at: Some(AUDIO_STAMP),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_of_frames_is_1_6_megabits_in_210_packets() {
        let mut source = BrowserPattern::default();
        let frames: Vec<Frame> = (0..30)
            .map(|n| source.frame(false, Vp8Numbers::new(n)))
            .collect();
        let packets: Vec<&Packet> = frames.iter().flat_map(|f| &f.packets).collect();
        assert_eq!(packets.len(), 210);
        let bits: usize = packets.iter().map(|p| p.payload.len() * 8).sum();
        assert!((1_590_000..1_650_000).contains(&bits), "{bits}");
        // Smaller first, one byte larger later, the last short.
        for frame in &frames {
            let sizes: Vec<usize> = frame.packets.iter().map(|p| p.payload.len()).collect();
            let (last, rest) = sizes.split_last().unwrap();
            assert!(rest.is_sorted() && rest.iter().all(|s| *s == SIZE || *s == SIZE + 1));
            assert_eq!(*last, LAST_SIZE);
        }
    }

    #[test]
    fn a_changed_packet_is_told_from_a_whole_one() {
        let mut source = BrowserPattern::default();
        for key in [true, false] {
            for packet in source.frame(key, Vp8Numbers::new(5)).packets {
                let mut payload = packet.payload;
                StampClock::default().write(Instant::now(), VIDEO_STAMP, &mut payload);
                assert!(video_is_whole(&payload));
                let last = payload.len() - 1;
                payload[last] ^= 1;
                assert!(!video_is_whole(&payload));
                assert!(!video_is_whole(&payload[..50]));
            }
        }
    }

    #[test]
    fn keyframes_are_larger_and_recognised_by_an_independent_parser() {
        let mut source = BrowserPattern::default();
        for key in [true, false] {
            let frame = source.frame(key, Vp8Numbers::new(5));
            let first = &frame.packets[0].payload;
            let descriptor = str0m::rtp::Vp8Descriptor::parse(first).unwrap();
            assert_eq!(descriptor.starts_keyframe(first), key);
            assert_eq!(frame.packets.len(), if key { 21 } else { 7 });
        }
    }

    #[test]
    fn stamps_come_back_and_foreign_payloads_have_none() {
        let clock = StampClock::default();
        let now = clock.origin() + Duration::from_millis(1_234);
        let mut payload = vec![0; 100];
        clock.write(now, VIDEO_STAMP, &mut payload);
        assert_eq!(clock.read_video(&payload), Some(now));
        assert_eq!(clock.read_audio(&payload), Vec::<Instant>::new());
        let mut audio = audio_packet().payload;
        clock.write(now, AUDIO_STAMP, &mut audio);
        assert_eq!(clock.read_audio(&audio), [now]);
        clock.write(now, VIDEO_STAMP, &mut [0; 20]);
        assert_eq!(clock.read_video(&[0; 20]), None);
    }
}
