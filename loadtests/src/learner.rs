//! What a receiving client counts.

use std::time::{Duration, Instant};

use str0m::media::Pt;
use tokio::sync::oneshot;

use crate::feedback::{LightFeedback, Reception, RtpView, Scratch, Stream};
use crate::histogram::Histogram;
use crate::pattern::{StampClock, video_is_whole};

/// Most streams of one client that are counted: the slots of the largest profile.
const MAX_STREAMS: usize = 64;

/// Packets of sound kept: an hour and more. Overflow: the newest are left out.
const MAX_VOICE: usize = 200_000;

/// How much of the media a client processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Everything is decrypted by the engine, which writes all feedback.
    Full,
    /// Clear RTP headers only; own receiver reports and transport-wide feedback.
    Light,
}

/// Payload types that tell the sorts of packets apart.
#[derive(Debug, Clone, Copy)]
pub struct PayloadTypes {
    /// VP8.
    pub video: Pt,
    /// Opus.
    pub audio: Pt,
}

/// Counters of a receiving client.
#[derive(Debug, Clone, Default)]
pub struct Received {
    /// Video packets.
    pub video: u64,
    /// Audio packets.
    pub audio: u64,
    /// RTP of other payload types: retransmissions and padding.
    pub other: u64,
    /// RTP bytes of video and audio, headers included; light clients only.
    pub bytes: u64,
    /// Sequence numbers that never came, over all streams.
    pub lost: u64,
    /// Packets that came again under their number.
    pub repeated: u64,
    /// Packets whose contents are not what was published; full clients only.
    pub corrupt: u64,
    /// Packets of transport-wide feedback written; light clients only.
    pub feedback: u64,
    /// Send to decrypted, video; full clients only.
    pub video_latency: Histogram,
    /// Send to decrypted, audio; full clients only.
    pub audio_latency: Histogram,
}

impl Received {
    /// Adds another client's.
    pub fn merge(&mut self, other: &Self) {
        self.video += other.video;
        self.audio += other.audio;
        self.other += other.other;
        self.bytes += other.bytes;
        self.lost += other.lost;
        self.repeated += other.repeated;
        self.corrupt += other.corrupt;
        self.feedback += other.feedback;
        self.video_latency.merge(&other.video_latency);
        self.audio_latency.merge(&other.audio_latency);
    }
}

/// The receiving side of a client.
pub struct Learner {
    /// How much it processes.
    pub depth: Depth,
    types: PayloadTypes,
    clock: StampClock,
    streams: Vec<Stream>,
    /// Place of the stream of the last packet.
    last: usize,
    transport_id: Option<u8>,
    /// Set once a light client's keys are known.
    pub feedback: Option<LightFeedback>,
    counts: Received,
    before: Totals,
    first_video: Option<oneshot::Sender<Instant>>,
    /// When each frame of sound was sent and came; up to [`MAX_VOICE`], and only
    /// when asked for.
    voice: Option<Vec<(Instant, Instant)>>,
}

impl Learner {
    /// Keeps when each frame of sound was sent and came.
    #[must_use]
    pub fn keeping_voice(mut self) -> Self {
        self.voice = Some(Vec::new());
        self
    }

    /// Takes what was kept.
    pub fn take_voice(&mut self) -> Vec<(Instant, Instant)> {
        self.voice.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// A client that has received nothing. `first_video` is told when the first
    /// video packet comes.
    pub fn new(
        depth: Depth,
        types: PayloadTypes,
        clock: StampClock,
        transport_id: Option<u8>,
        first_video: oneshot::Sender<Instant>,
    ) -> Self {
        Self {
            depth,
            types,
            clock,
            streams: Vec::new(),
            last: 0,
            transport_id,
            feedback: None,
            counts: Received::default(),
            before: Totals::default(),
            first_video: Some(first_video),
            voice: None,
        }
    }

    fn note(&mut self, pt: Pt, ssrc: u32, seq: u16, now: Instant) -> bool {
        if pt == self.types.video {
            self.counts.video += 1;
            if let Some(told) = self.first_video.take() {
                // Nobody may be waiting any more.
                let _ = told.send(now);
            }
        } else if pt == self.types.audio {
            self.counts.audio += 1;
        } else {
            self.counts.other += 1;
            return false;
        }
        if let Some(stream) = self.streams.get_mut(self.last)
            && stream.ssrc == ssrc
        {
            stream.reception.note(seq);
        } else if let Some(at) = self.streams.iter().position(|s| s.ssrc == ssrc) {
            self.last = at;
            if let Some(stream) = self.streams.get_mut(at) {
                stream.reception.note(seq);
            }
        } else if self.streams.len() < MAX_STREAMS {
            let reception = Reception::new(seq);
            self.streams.push(Stream { ssrc, reception });
        }
        true
    }

    /// A packet the engine decrypted.
    pub fn decrypted(&mut self, packet: &str0m::rtp::RtpPacket, now: Instant) {
        let header = &packet.header;
        let counted = self.note(
            header.payload_type,
            *header.ssrc,
            header.sequence_number,
            now,
        );
        if !counted {
            return;
        }
        if header.payload_type == self.types.video {
            self.counts.corrupt += u64::from(!video_is_whole(&packet.payload));
            if let Some(sent) = self.clock.read_video(&packet.payload) {
                self.counts
                    .video_latency
                    .record(now.saturating_duration_since(sent));
            }
        } else {
            for sent in self.clock.read_audio(&packet.payload) {
                if let Some(voice) = self.voice.as_mut().filter(|v| v.len() < MAX_VOICE) {
                    voice.push((sent, now));
                }
                self.counts
                    .audio_latency
                    .record(now.saturating_duration_since(sent));
            }
        }
    }

    /// A sealed packet as a light client sees it.
    pub fn sealed(&mut self, datagram: &[u8], now: Instant) {
        let Some(view) = RtpView::parse(datagram, self.transport_id) else {
            return;
        };
        if self.note(view.pt.into(), view.ssrc, view.seq, now) {
            self.counts.bytes += datagram.len() as u64;
        }
        if let Some(feedback) = &mut self.feedback {
            feedback.note(&view, now);
        }
    }

    /// Sealed RTCP as a light client sees it.
    pub fn sealed_reports(&mut self, datagram: &[u8], now: Instant, scratch: &mut Scratch) {
        if let Some(feedback) = &mut self.feedback {
            feedback.reports(datagram, now, &mut self.streams, scratch);
        }
    }

    /// Feedback of a light client that is due goes to `scratch.sealed`. False when
    /// there is none.
    pub fn feedback_due(&mut self, now: Instant, scratch: &mut Scratch) -> bool {
        match &mut self.feedback {
            Some(feedback) => feedback.due(now, &mut self.streams, scratch),
            None => false,
        }
    }

    /// When feedback is due next.
    pub fn next(&self) -> Option<Instant> {
        self.feedback.as_ref().map(LightFeedback::next)
    }

    /// Takes the counters; they start anew.
    pub fn take(&mut self) -> Received {
        let mut totals = Totals::default();
        for stream in &self.streams {
            totals.lost += stream.reception.lost();
            totals.repeated += stream.reception.repeated;
        }
        totals.feedback = self.feedback.as_ref().map_or(0, |f| f.written);
        let before = std::mem::replace(&mut self.before, totals.clone());
        let mut counts = std::mem::take(&mut self.counts);
        counts.lost = totals.lost.saturating_sub(before.lost);
        counts.repeated = totals.repeated - before.repeated;
        counts.feedback = totals.feedback - before.feedback;
        counts
    }
}

/// What is counted from the start and told as growth.
#[derive(Debug, Clone, Default)]
struct Totals {
    lost: u64,
    repeated: u64,
    feedback: u64,
}

/// Longest wait for the connection of a client.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
