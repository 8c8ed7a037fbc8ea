//! What a TCP connection has still to send. The kernel holds little, so a slow
//! line shows here first: packets wait a moment, then video is left out, and only
//! a connection that takes nothing any more loses sound too. Packets that have
//! begun to leave are always finished, or the stream would be broken.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use lophoc_media::framing::{self, HEADER};

/// Above this many waiting bytes video is dropped.
pub(crate) const VIDEO_MARK: usize = 64 << 10;
/// Above this many waiting bytes everything is dropped.
pub(crate) const MAX_WAITING: usize = 96 << 10;
/// What has waited this long is late: no video joins it, and sound that comes
/// drives the video before it out.
pub(crate) const LATE: Duration = Duration::from_millis(400);

#[derive(Debug, Clone, Copy)]
struct Frame {
    /// With its header.
    len: usize,
    vital: bool,
    since: Instant,
}

/// What became of packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Lost {
    /// Packets of video, the new one among them if it was one.
    pub(crate) video: u64,
    /// 1 when the new packet was not video.
    pub(crate) vital: u64,
}

/// Bounded queue of framed packets.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    bytes: Vec<u8>,
    /// Where the first waiting byte is.
    at: usize,
    /// How much of the first frame has left.
    begun: usize,
    frames: VecDeque<Frame>,
}

impl Outbox {
    /// Queues a packet, or drops it. `vital` is all but video: checks, handshake,
    /// reports, sound.
    pub(crate) fn push(&mut self, now: Instant, vital: bool, packet: &[u8]) -> Lost {
        let mut lost = Lost::default();
        let Some(header) = framing::header(packet.len()) else {
            return Self::refuse(lost, vital);
        };
        let len = HEADER + packet.len();
        let late = self
            .frames
            .front()
            .is_some_and(|f| now.saturating_duration_since(f.since) > LATE);
        if vital {
            if late || self.len() + len > MAX_WAITING {
                lost.video += self.drop_video();
            }
            if self.len() + len > MAX_WAITING {
                return Self::refuse(lost, vital);
            }
        } else if late || self.len() + len > VIDEO_MARK {
            return Self::refuse(lost, vital);
        }
        if self.at > MAX_WAITING {
            self.bytes.drain(..self.at);
            self.at = 0;
        }
        self.bytes.extend_from_slice(&header);
        self.bytes.extend_from_slice(packet);
        self.frames.push_back(Frame {
            len,
            vital,
            since: now,
        });
        lost
    }

    fn refuse(mut lost: Lost, vital: bool) -> Lost {
        if vital {
            lost.vital += 1;
        } else {
            lost.video += 1;
        }
        lost
    }

    /// What may be written now.
    pub(crate) fn waiting(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Bytes waiting.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// So many bytes were taken by the socket. Tells how many packets are whole
    /// on their way with them.
    pub(crate) fn wrote(&mut self, bytes: usize) -> u64 {
        self.at = (self.at + bytes).min(self.bytes.len());
        self.begun += bytes;
        let mut whole = 0;
        while let Some(first) = self.frames.front().copied()
            && first.len <= self.begun
        {
            self.begun -= first.len;
            self.frames.pop_front();
            whole += 1;
        }
        if self.is_empty() {
            self.bytes.clear();
            self.at = 0;
        }
        whole
    }

    /// Takes out all video that has not begun to leave.
    fn drop_video(&mut self) -> u64 {
        let (mut kept, mut frames) = (Vec::with_capacity(MAX_WAITING), VecDeque::new());
        let (mut at, mut begun, mut dropped) = (self.at, self.begun, 0);
        for frame in self.frames.drain(..) {
            let left = frame.len - begun;
            if frame.vital || begun > 0 {
                kept.extend_from_slice(self.bytes.get(at..at + left).unwrap_or_default());
                frames.push_back(frame);
            } else {
                dropped += 1;
            }
            at += left;
            begun = 0;
        }
        self.bytes = kept;
        self.frames = frames;
        self.at = 0;
        dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lophoc_media::framing::Deframer;
    use proptest::prelude::*;

    fn video(n: u8) -> Vec<u8> {
        vec![n; 1_200]
    }

    #[test]
    fn video_is_dropped_before_sound_and_neither_without_bound() {
        let (mut outbox, now) = (Outbox::default(), Instant::now());
        let mut lost = Lost::default();
        for n in 0..200 {
            lost.video += outbox.push(now, false, &video(n)).video;
        }
        assert!(lost.video > 100 && outbox.len() <= VIDEO_MARK);
        let before = outbox.len();
        assert_eq!(outbox.push(now, true, &[1; 100]), Lost::default());
        assert_eq!(outbox.len(), before + 102);
        let mut vital = 0;
        for _ in 0..2_000 {
            let lost = outbox.push(now, true, &[2; 100]);
            vital += lost.vital;
            assert!(outbox.len() <= MAX_WAITING);
        }
        assert!(vital > 0);
    }

    #[test]
    fn late_video_gives_way_to_sound_but_a_begun_packet_is_finished() {
        let (mut outbox, start) = (Outbox::default(), Instant::now());
        for n in 0..10 {
            outbox.push(start, false, &video(n));
        }
        assert_eq!(outbox.wrote(1_202 + 7), 1);
        let later = start + LATE + Duration::from_millis(1);
        assert_eq!(outbox.push(later, false, &video(99)).video, 1);
        let lost = outbox.push(later, true, b"sound");
        assert_eq!(lost, Lost { video: 8, vital: 0 });
        let mut stream = framing::header(1_200).unwrap().to_vec();
        stream.extend(video(1).get(..5).unwrap());
        stream.extend(outbox.waiting());
        let mut packets = Vec::new();
        let mut deframer = Deframer::default();
        deframer
            .push(&stream, |p| packets.push(p.to_vec()))
            .unwrap();
        assert_eq!(packets, [video(1), b"sound".to_vec()]);
        assert_eq!(deframer.kept(), 0);
    }

    #[test]
    fn a_packet_above_the_frame_bound_is_not_queued() {
        let mut outbox = Outbox::default();
        let lost = outbox.push(Instant::now(), true, &[0; 1_501]);
        assert_eq!((lost.vital, outbox.is_empty()), (1, true));
    }

    proptest! {
        #[test]
        fn whatever_the_socket_takes_the_stream_stays_whole_and_in_order(
            steps in proptest::collection::vec(
                (any::<bool>(), 1usize..1_400, 0u64..300, 0usize..4_000), 1..300),
        ) {
            let (mut outbox, mut now) = (Outbox::default(), Instant::now());
            let (mut stream, mut vital_in, mut whole, mut lost_vital) = (vec![], 0u64, 0, 0);
            for (n, (vital, size, wait, taken)) in steps.iter().enumerate() {
                now += Duration::from_millis(*wait);
                let mut packet = vec![u8::from(*vital); *size + 4];
                packet[..4].copy_from_slice(&(n as u32).to_be_bytes());
                let lost = outbox.push(now, *vital, &packet);
                vital_in += u64::from(*vital);
                lost_vital += lost.vital;
                prop_assert!(outbox.len() <= MAX_WAITING);
                let taken = (*taken).min(outbox.len());
                stream.extend_from_slice(&outbox.waiting()[..taken]);
                whole += outbox.wrote(taken);
            }
            stream.extend_from_slice(outbox.waiting());
            whole += outbox.wrote(outbox.len());
            prop_assert!(outbox.is_empty() && outbox.frames.is_empty());
            let (mut numbers, mut vital_out) = (vec![], 0);
            let mut deframer = Deframer::default();
            deframer.push(&stream, |p| {
                numbers.push(u32::from_be_bytes(p[..4].try_into().unwrap()));
                vital_out += u64::from(p[4] == 1);
            }).unwrap();
            prop_assert_eq!(deframer.kept(), 0);
            prop_assert_eq!(numbers.len() as u64, whole);
            prop_assert!(numbers.windows(2).all(|w| w[0] < w[1]));
            prop_assert_eq!(vital_out + lost_vital, vital_in);
        }
    }
}
