//! Encoded VP8 from an IVF file, cut into RTP packets.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{LoadError, Result};
use crate::publisher::{Frame, FrameSource, Packet, Vp8Numbers};

/// Length of the IVF file header, bytes.
const FILE_HEADER: usize = 32;
/// Length of an IVF frame header, bytes.
const FRAME_HEADER: usize = 12;
/// Largest RTP payload, bytes.
const MAX_PAYLOAD: usize = 1_110;
/// Largest file taken, bytes.
const MAX_FILE: u64 = 64 << 20;
/// Slowest and fastest frame rates taken.
const RATES: std::ops::RangeInclusive<u32> = 1..=120;

/// A clip in memory, shared by the bots that play it.
#[derive(Debug, PartialEq, Eq)]
pub struct Clip {
    frames: Vec<Vec<u8>>,
    interval: Duration,
}

/// True when a VP8 frame is a keyframe (RFC 6386 section 9.1).
fn is_key(frame: &[u8]) -> bool {
    frame.len() >= 10
        && frame.first().is_some_and(|first| first & 1 == 0)
        && frame.get(3..6) == Some(&[0x9d, 0x01, 0x2a])
}

impl Clip {
    /// Reads a file.
    pub fn open(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let length = std::fs::metadata(path)
            .map_err(LoadError::io(name.clone()))?
            .len();
        if length > MAX_FILE {
            return Err(LoadError::BadFile {
                file: name,
                why: "too large".to_owned(),
            });
        }
        let bytes = std::fs::read(path).map_err(LoadError::io(name.clone()))?;
        Self::parse(&bytes).map_err(|why| LoadError::BadFile {
            file: name,
            why: why.to_owned(),
        })
    }

    /// Reads the bytes of a file.
    pub fn parse(bytes: &[u8]) -> std::result::Result<Self, &'static str> {
        let header: &[u8; FILE_HEADER] = bytes.first_chunk().ok_or("shorter than an IVF header")?;
        let word = |at: usize| -> u32 {
            header
                .get(at..)
                .and_then(<[u8]>::first_chunk)
                .map_or(0, |four| u32::from_le_bytes(*four))
        };
        if !header.starts_with(b"DKIF") {
            return Err("not an IVF file");
        }
        if header.get(8..12) != Some(b"VP80") {
            return Err("not VP8");
        }
        let (rate, scale) = (word(16), word(20));
        if scale == 0 || !RATES.contains(&(rate / scale)) {
            return Err("no usable frame rate");
        }
        let interval = Duration::from_secs(u64::from(scale)) / rate;
        let mut rest = bytes.get(FILE_HEADER..).unwrap_or_default();
        let mut frames = Vec::new();
        while let Some((head, body)) = rest.split_first_chunk::<FRAME_HEADER>() {
            let [a, b, c, d, ..] = *head;
            let length = u32::from_le_bytes([a, b, c, d]) as usize;
            let (frame, next) = body.split_at_checked(length).ok_or("cut off in a frame")?;
            if frame.is_empty() {
                return Err("an empty frame");
            }
            frames.push(frame.to_vec());
            rest = next;
        }
        if !frames.first().is_some_and(|first| is_key(first)) {
            return Err("does not begin with a keyframe");
        }
        Ok(Self { frames, interval })
    }

    /// Number of frames.
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether there are no frames; a parsed clip has at least one.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }
}

/// Plays a clip in a loop. A wanted keyframe is the next one of the file.
#[derive(Debug)]
pub struct ClipLoop {
    clip: Arc<Clip>,
    next: usize,
}

impl ClipLoop {
    /// Starts at the beginning.
    pub fn new(clip: Arc<Clip>) -> Self {
        Self { clip, next: 0 }
    }

    fn seek_key(&mut self) {
        let frames = &self.clip.frames;
        let ahead = frames
            .iter()
            .skip(self.next)
            .position(|frame| is_key(frame));
        self.next = ahead.map_or(0, |ahead| self.next + ahead);
    }
}

impl FrameSource for ClipLoop {
    fn interval(&self) -> Duration {
        self.clip.interval
    }

    fn frame(&mut self, key: bool, numbers: Vp8Numbers) -> Frame {
        if key {
            self.seek_key();
        }
        let frame = self
            .clip
            .frames
            .get(self.next)
            .map(Vec::as_slice)
            .unwrap_or_default();
        self.next = (self.next + 1) % self.clip.frames.len().max(1);
        let room = MAX_PAYLOAD - numbers.descriptor(true).len();
        // Equal parts, as an encoder's packetizer makes them.
        let count = frame.len().div_ceil(room).max(1);
        let size = frame.len().div_ceil(count).max(1);
        let packets = frame
            .chunks(size)
            .enumerate()
            .map(|(index, part)| {
                let mut payload = numbers.descriptor(index == 0).to_vec();
                payload.extend_from_slice(part);
                Packet {
                    payload,
                    stamp_at: None,
                }
            })
            .collect();
        Frame {
            packets,
            key: is_key(frame),
        }
    }
}

/// Opus packets of 20 ms from a file: each a length (big endian, two bytes) and
/// the packet.
pub fn read_opus(bytes: &[u8]) -> std::result::Result<Vec<Vec<u8>>, &'static str> {
    let mut rest = bytes;
    let mut packets = Vec::new();
    while let Some((head, body)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*head));
        let (packet, next) = body.split_at_checked(length).ok_or("cut off in a packet")?;
        if packet.is_empty() || packet.len() > MAX_PAYLOAD {
            return Err("a packet of impossible size");
        }
        packets.push(packet.to_vec());
        rest = next;
    }
    if packets.is_empty() || !rest.is_empty() {
        return Err("no packets, or rubbish behind them");
    }
    Ok(packets)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(key: bool, size: usize) -> Vec<u8> {
        let mut frame = vec![u8::from(!key) | 0x10, 0, 0, 0x9d, 0x01, 0x2a, 64, 1, 180, 0];
        frame.resize(size, 7);
        frame
    }

    fn file(frames: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = b"DKIF\0\0\x20\0VP80".to_vec();
        bytes.extend_from_slice(&[64, 1, 180, 0]);
        for word in [15u32, 1, frames.len() as u32, 0] {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        for frame in frames {
            bytes.extend_from_slice(&(frame.len() as u32).to_le_bytes());
            bytes.extend_from_slice(&[0; 8]);
            bytes.extend_from_slice(frame);
        }
        bytes
    }

    #[test]
    fn a_clip_loops_and_jumps_to_a_keyframe_when_asked() {
        let frames = [
            frame(true, 3_000),
            frame(false, 50),
            frame(false, 60),
            frame(true, 900),
            frame(false, 70),
        ];
        let clip = Arc::new(Clip::parse(&file(&frames)).unwrap());
        assert_eq!(
            (clip.len(), clip.interval),
            (5, Duration::from_secs(1) / 15)
        );
        let mut player = ClipLoop::new(clip);
        let first = player.frame(false, Vp8Numbers::new(1));
        assert!(first.key);
        assert_eq!(first.packets.len(), 3);
        let whole: Vec<u8> = first
            .packets
            .iter()
            .flat_map(|p| p.payload[6..].to_vec())
            .collect();
        assert_eq!(whole, frames[0]);
        assert!(!player.frame(false, Vp8Numbers::new(2)).key);
        let asked = player.frame(true, Vp8Numbers::new(3));
        assert!(asked.key);
        assert_eq!(asked.packets[0].payload.len(), 6 + 900);
        assert!(!player.frame(false, Vp8Numbers::new(4)).key);
        assert!(
            player.frame(false, Vp8Numbers::new(5)).key,
            "the loop begins anew"
        );
    }

    #[test]
    fn broken_files_are_refused() {
        let good = file(&[frame(true, 100)]);
        assert!(Clip::parse(&good).is_ok());
        assert!(Clip::parse(&good[..good.len() - 1]).is_err());
        assert!(Clip::parse(&good[..31]).is_err());
        assert!(Clip::parse(&file(&[frame(false, 100)])).is_err());
        assert!(Clip::parse(&file(&[])).is_err());
        assert!(read_opus(&[0, 2, 1]).is_err());
        assert!(read_opus(&[]).is_err());
        assert_eq!(
            read_opus(&[0, 2, 1, 2, 0, 1, 9]).unwrap(),
            [vec![1, 2], vec![9]]
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed_without_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..200), magic: bool) {
            if magic {
                for (to, from) in bytes.iter_mut().zip(b"DKIF\0\0\x20\0VP80") {
                    *to = *from;
                }
            }
            let _ = Clip::parse(&bytes);
            let _ = read_opus(&bytes);
        }
    }
}
