//! A publishing client: frames and sound at their times, paced onto the
//! connection, a keyframe when asked.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use str0m::Rtc;
use str0m::media::{Mid, Pt};
use str0m::rtp::{ExtensionValues, RtpWrite};

use crate::pattern::StampClock;

/// Interval of Opus packets.
const AUDIO_EVERY: Duration = Duration::from_millis(20);
/// Ticks of the Opus clock in a packet.
const AUDIO_TICKS: u32 = 960;
/// Packets of one step of the browser's pacer.
const PACER_PACKETS: usize = 2;
/// Step of the browser's pacer.
const PACER_EVERY: Duration = Duration::from_millis(5);
/// A publisher that is later than this skips what it missed.
const MAX_LATENESS: Duration = Duration::from_millis(500);

/// How a frame is put on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Pace {
    /// All packets of a frame at once.
    Burst,
    /// Two packets every 5 ms, as browsers do.
    #[default]
    Browser,
}

/// A packet to send.
#[derive(Debug, Clone)]
pub struct Packet {
    /// RTP payload.
    pub payload: Vec<u8>,
    /// Where to write the time of sending.
    pub stamp_at: Option<usize>,
}

/// A video frame.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Packets.
    pub packets: Vec<Packet>,
    /// Whether it is a keyframe.
    pub key: bool,
}

/// Running numbers of the VP8 payload descriptor.
#[derive(Debug, Clone, Copy)]
pub struct Vp8Numbers {
    picture: u16,
}

impl Vp8Numbers {
    /// Numbers of the n-th frame.
    pub fn new(n: u64) -> Self {
        Self {
            picture: (n & 0x7fff) as u16,
        }
    }

    /// Descriptor with a 15-bit picture id, TL0PICIDX and TID/KEYIDX, as
    /// Chromium writes it (RFC 7741 section 4.2).
    pub fn descriptor(self, first: bool) -> [u8; 6] {
        let start = u8::from(first) << 4;
        let [high, low] = self.picture.to_be_bytes();
        [0x80 | start, 0xe0, 0x80 | high, low, low, 0]
    }
}

/// Where frames come from.
pub trait FrameSource: Send {
    /// Time between frames.
    fn interval(&self) -> Duration;
    /// The next frame; `key` asks for a keyframe.
    fn frame(&mut self, key: bool, numbers: Vp8Numbers) -> Frame;
}

/// Where Opus packets come from, with their level in −dBov.
pub trait AudioSource: Send {
    /// The next packet.
    fn packet(&mut self) -> (Packet, u8);
}

/// One outgoing stream.
#[derive(Debug)]
pub struct Outlet {
    /// m-line.
    pub mid: Mid,
    /// Payload type.
    pub pt: Pt,
    seq: u64,
}

impl Outlet {
    /// A stream that starts with sequence number 1.
    pub fn new(mid: Mid, pt: Pt) -> Self {
        Self { mid, pt, seq: 0 }
    }
}

/// What was sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Sent {
    /// Video packets.
    pub video: u64,
    /// Audio packets.
    pub audio: u64,
    /// Frames.
    pub frames: u64,
    /// Keyframes among them.
    pub keyframes: u64,
}

impl Sent {
    /// Adds another publisher's.
    pub fn add(&mut self, other: &Self) {
        self.video += other.video;
        self.audio += other.audio;
        self.frames += other.frames;
        self.keyframes += other.keyframes;
    }

    /// What was sent since `before`.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        Self {
            video: self.video - before.video,
            audio: self.audio - before.audio,
            frames: self.frames - before.frames,
            keyframes: self.keyframes - before.keyframes,
        }
    }
}

struct Video {
    out: Outlet,
    source: Box<dyn FrameSource>,
    frames: u64,
    next: Option<Instant>,
    first: Option<Instant>,
    key_wanted: bool,
    queue: VecDeque<Queued>,
    release: Option<Instant>,
}

struct Queued {
    packet: Packet,
    ts: u32,
    marker: bool,
}

struct Audio {
    out: Outlet,
    source: Box<dyn AudioSource>,
    next: Option<Instant>,
    ts: u32,
}

/// The publishing side of a client.
pub struct Publisher {
    clock: StampClock,
    pace: Pace,
    video: Option<Video>,
    audio: Option<Audio>,
    /// Counters since the start.
    pub sent: Sent,
    /// Keyframe requests received.
    pub asked: u64,
}

impl Publisher {
    /// A publisher that sends nothing yet.
    pub fn new(clock: StampClock, pace: Pace) -> Self {
        Self {
            clock,
            pace,
            video: None,
            audio: None,
            sent: Sent::default(),
            asked: 0,
        }
    }

    /// Adds the camera.
    pub fn with_video(mut self, out: Outlet, source: Box<dyn FrameSource>) -> Self {
        self.video = Some(Video {
            out,
            source,
            frames: 0,
            next: None,
            first: None,
            key_wanted: true,
            queue: VecDeque::new(),
            release: None,
        });
        self
    }

    /// Adds the microphone.
    pub fn with_audio(mut self, out: Outlet, source: Box<dyn AudioSource>) -> Self {
        self.audio = Some(Audio {
            out,
            source,
            next: None,
            ts: 0,
        });
        self
    }

    /// Begins to send.
    pub fn start(&mut self, now: Instant) {
        if let Some(video) = &mut self.video {
            video.next = Some(now);
            video.first = Some(now);
        }
        if let Some(audio) = &mut self.audio {
            audio.next = Some(now);
        }
    }

    /// The receiver asks for a keyframe.
    pub fn ask_keyframe(&mut self) {
        self.asked += 1;
        if let Some(video) = &mut self.video {
            video.key_wanted = true;
        }
    }

    /// When [`Self::run`] wants to be called.
    pub fn next(&self) -> Option<Instant> {
        let video = self.video.as_ref();
        [
            video.and_then(|v| v.next),
            video.and_then(|v| v.release),
            self.audio.as_ref().and_then(|a| a.next),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Writes what is due. The caller drives the engine afterwards. True when
    /// something was written.
    pub fn run(&mut self, now: Instant, rtc: &mut Rtc) -> bool {
        let before = self.sent;
        if let Some(audio) = &mut self.audio {
            while let Some(due) = audio.next.filter(|due| *due <= now) {
                if now - due > MAX_LATENESS {
                    audio.next = Some(now);
                    continue;
                }
                audio.next = Some(due + AUDIO_EVERY);
                audio.ts = audio.ts.wrapping_add(AUDIO_TICKS);
                let (packet, level) = audio.source.packet();
                let ext = ExtensionValues {
                    audio_level: Some(-i8::try_from(level.min(127)).unwrap_or(127)),
                    voice_activity: Some(level < 60),
                    ..ExtensionValues::default()
                };
                write(
                    rtc,
                    &mut audio.out,
                    &self.clock,
                    now,
                    packet,
                    audio.ts,
                    true,
                    ext,
                );
                self.sent.audio += 1;
            }
        }
        if let Some(video) = &mut self.video {
            while let Some(due) = video.next.filter(|due| *due <= now) {
                if now - due > MAX_LATENESS {
                    video.next = Some(now);
                    continue;
                }
                video.next = Some(due + video.source.interval());
                let key = std::mem::take(&mut video.key_wanted);
                let frame = video.source.frame(key, Vp8Numbers::new(video.frames));
                video.frames += 1;
                let since = due.saturating_duration_since(video.first.unwrap_or(due));
                let ts = (since.as_micros() as u64 * 9 / 100) as u32;
                let last = frame.packets.len().saturating_sub(1);
                for (index, packet) in frame.packets.into_iter().enumerate() {
                    video.queue.push_back(Queued {
                        packet,
                        ts,
                        marker: index == last,
                    });
                }
                self.sent.frames += 1;
                self.sent.keyframes += u64::from(frame.key);
                if video.release.is_none() {
                    video.release = Some(now);
                }
            }
            while let Some(due) = video.release.filter(|due| *due <= now) {
                let count = match self.pace {
                    Pace::Burst => video.queue.len(),
                    Pace::Browser => PACER_PACKETS.min(video.queue.len()),
                };
                for queued in video.queue.drain(..count) {
                    let ext = ExtensionValues::default();
                    let Queued { packet, ts, marker } = queued;
                    write(
                        rtc,
                        &mut video.out,
                        &self.clock,
                        now,
                        packet,
                        ts,
                        marker,
                        ext,
                    );
                    self.sent.video += 1;
                }
                video.release = (!video.queue.is_empty()).then_some(due + PACER_EVERY);
            }
        }
        self.sent != before
    }
}

#[allow(clippy::too_many_arguments)]
fn write(
    rtc: &mut Rtc,
    out: &mut Outlet,
    clock: &StampClock,
    now: Instant,
    mut packet: Packet,
    ts: u32,
    marker: bool,
    ext: ExtensionValues,
) {
    if let Some(at) = packet.stamp_at {
        clock.write(now, at, &mut packet.payload);
    }
    out.seq += 1;
    let mut api = rtc.direct_api();
    if let Some(stream) = api.stream_tx_by_mid(out.mid, None) {
        let write = RtpWrite::new(out.pt, out.seq.into(), ts, now, packet.payload)
            .marker(marker)
            .ext_vals(ext)
            .nackable(true);
        stream.write_rtp(write);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_descriptor_is_read_back_by_an_independent_parser() {
        let mut payload = Vp8Numbers::new(300).descriptor(true).to_vec();
        payload.extend_from_slice(&[0x10, 0, 0]);
        let parsed = str0m::rtp::Vp8Descriptor::parse(&payload).unwrap();
        assert!(parsed.starts_keyframe(&payload));
        assert!(
            parsed
                .patch()
                .picture_id(301)
                .tl0_pic_idx(45)
                .build()
                .is_ok()
        );
    }
}
