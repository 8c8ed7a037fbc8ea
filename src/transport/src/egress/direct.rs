//! Our own way out of a connection: headers, sealing, resending, reports, pacing.
//!
//! One [`Direct`] belongs to one connection and holds what differs between
//! receivers: keys, numbers, the estimate. What is the same for all of a source,
//! payloads above all, is in the media core and shared by reference.

mod warm;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use lophoc_media::rate::{Controller, RateConfig, Sent};
use lophoc_media::red;
use lophoc_media::rtcp::{self, Item};
use lophoc_media::types::{Codec, Forward, SlotRef, Slots};
use lophoc_media::vp8;
use str0m::net::Protocol;

use super::header::{self, Head};
use super::resends::Resends;
use super::stream::{OutStream, PayloadType};
use super::{Egress, reports};
use crate::session::{Session, SessionCounters, SessionError, SessionEvent, Sink};
use crate::srtp::{Caught, Index, Opener, Sealer, SrtpError};

/// Reports about what was sent, at most this often.
const REPORT_EVERY: Duration = Duration::from_secs(1);
/// What did not fit into a report follows after this.
const REPORT_REST: Duration = Duration::from_millis(50);
/// Video packets that wait for their turn at most; then the queue is given up and
/// a keyframe asked for.
const MAX_QUEUE: usize = 512;
/// Room kept in an empty queue.
const USUAL_QUEUE: usize = 32;
/// Video that has waited this long is no use any more.
const MAX_WAIT: Duration = Duration::from_secs(1);
/// Most packets sent again for one report.
const RESENDS_PER_REPORT: usize = 128;
/// Reports taken from a client in a second; browsers send some dozens. What is
/// above it is dropped before it is opened.
const REPORTS_PER_SECOND: u32 = 256;
/// Longest report; more than a path carries in one piece.
const MAX_REPORT: usize = 1_500;
/// Missing packets looked at for one report.
const NUMBERS_PER_REPORT: usize = 512;
/// A keyframe of a slot is asked for at most this often.
const KEYFRAME_EVERY: Duration = Duration::from_millis(100);
/// Longest time before the same packet is sent again.
const MOST_AGAIN: Duration = Duration::from_millis(500);
/// Least time before the same packet is sent again.
const LEAST_AGAIN: Duration = Duration::from_millis(20);
/// Payload of one packet of padding: the count is a byte.
const PADDING: usize = 255;
/// Most packets of padding at once.
const MAX_PADDINGS: usize = 24;
/// Bytes of RFC 4588 before the payload.
const OSN: usize = 2;
/// Length of the largest report written at once.
const REPORT_BYTES: usize = 1_100;

/// Where the connection's packets go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) protocol: Protocol,
    pub(crate) source: SocketAddr,
    pub(crate) destination: SocketAddr,
}

/// Times of the wall for headers and reports.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WallClock {
    /// A moment,
    at: Instant,
    /// and what it was in NTP, 32.32.
    ntp: u64,
}

impl WallClock {
    pub(crate) fn new(at: Instant, ntp: u64) -> Self {
        Self { at, ntp }
    }

    fn ntp(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.at);
        let fraction = (u64::from(since.subsec_nanos()) << 32) / 1_000_000_000;
        self.ntp
            .wrapping_add(since.as_secs() << 32)
            .wrapping_add(fraction)
    }

    /// 6 bits of seconds, 18 of their fraction.
    fn send_time(&self, now: Instant) -> u32 {
        ((self.ntp(now) >> 14) & 0x00ff_ffff) as u32
    }
}

/// The way out of one connection.
pub(crate) struct Direct {
    sealer: Option<Sealer>,
    opener: Option<Opener>,
    /// Audio slots, then video, then screen.
    streams: Vec<OutStream>,
    slots: Slots,
    pub(crate) rate: Controller,
    clock: WallClock,
    name: String,
    /// Video that waits for its turn, with the time it began to.
    queue: VecDeque<(Instant, Forward)>,
    resends: Resends,
    /// Packets of a frame that are a byte shorter than others are filled up, so that
    /// all leave as one message.
    pub(crate) even: bool,
    /// Pictures are wanted; if not, none is sent again.
    pictures: bool,
    report_at: Instant,
    /// Reports heard since a moment.
    heard: (Instant, u32),
    /// Slots a keyframe was asked of since a moment, a bit each.
    asked: (Instant, u64),
    /// Stream the next reports begin with.
    report_from: usize,
    /// Some stream sent something since its last report.
    unreported: bool,
    /// What a report opened to, what is being written, lengths of a visit's video:
    /// kept for their memory.
    opened: Vec<u8>,
    writing: Vec<u8>,
    lengths: Vec<usize>,
}

/// One packet about to be written.
struct Writing<'a> {
    now: Instant,
    path: &'a Path,
    forward: &'a Forward,
    /// Bytes it takes without padding.
    length: usize,
    /// Bytes of padding, to be as long as its neighbours.
    padding: u8,
}

impl Direct {
    pub(crate) fn new(now: Instant, slots: Slots, rate: &RateConfig, clock: WallClock) -> Self {
        Self {
            sealer: None,
            opener: None,
            streams: Vec::new(),
            slots,
            rate: Controller::new(now, rate),
            clock,
            name: String::new(),
            queue: VecDeque::new(),
            resends: Resends::default(),
            even: true,
            pictures: true,
            report_at: now,
            heard: (now, 0),
            asked: (now, 0),
            report_from: 0,
            unreported: false,
            opened: Vec::new(),
            writing: Vec::new(),
            lengths: Vec::new(),
        }
    }

    /// The keys of the handshake. A connection has one; a second would begin all
    /// numbers anew under other keys, which no browser does and we refuse.
    pub(crate) fn set_keys(&mut self, keys: &Caught) -> Result<(), SrtpError> {
        if self.sealer.is_some() {
            return Err(SrtpError::Keys);
        }
        self.opener = Some(Opener::new(keys)?);
        self.sealer = Some(Sealer::new(keys)?);
        Ok(())
    }

    /// What the m-lines agreed on, in the order of the slots. `false` when two
    /// streams share an SSRC.
    pub(crate) fn set_streams(&mut self, streams: Vec<OutStream>, name: String) -> bool {
        let ssrcs = |s: &OutStream| std::iter::once(s.ssrc).chain(s.resend_ssrc);
        let mut all: Vec<u32> = streams.iter().flat_map(ssrcs).collect();
        all.sort_unstable();
        let unique = all.windows(2).all(|pair| pair.first() != pair.last());
        let same = self.streams.is_empty()
            || self
                .streams
                .iter()
                .map(|s| s.ssrc)
                .eq(streams.iter().map(|s| s.ssrc));
        if !unique || !same {
            return false;
        }
        self.name = name;
        if self.streams.is_empty() {
            self.streams = streams;
        } else {
            for (old, fresh) in self.streams.iter_mut().zip(streams) {
                old.renegotiated(fresh);
            }
        }
        true
    }

    /// Whether every audio slot agreed on RFC 2198.
    pub(crate) fn takes_red(&self) -> bool {
        let audio = usize::from(self.slots.audio);
        let mut slots = self.streams.iter().take(audio);
        audio > 0 && slots.all(|stream| stream.red.is_some() && stream.opus.is_some())
    }

    fn place(&self, slot: SlotRef) -> usize {
        let (audio, video) = (usize::from(self.slots.audio), usize::from(self.slots.video));
        match slot {
            SlotRef::Audio(at) => usize::from(at),
            SlotRef::Video(at) => audio + usize::from(at),
            SlotRef::Screen(at) => audio + video + usize::from(at),
        }
    }

    /// The slot of a stream, by its own or its resending SSRC.
    fn slot_of(&self, ssrc: u32) -> Option<SlotRef> {
        let at = self
            .streams
            .iter()
            .position(|s| s.ssrc == ssrc || s.resend_ssrc == Some(ssrc))?;
        let (audio, video) = (usize::from(self.slots.audio), usize::from(self.slots.video));
        let index = |base: usize| u8::try_from(at - base).ok();
        if at < audio {
            index(0).map(SlotRef::Audio)
        } else if at < audio + video {
            index(audio).map(SlotRef::Video)
        } else {
            index(audio + video).map(SlotRef::Screen)
        }
    }

    /// When something is to be done without anything coming: a turn of waiting
    /// video, a report, the estimator's own times.
    pub(crate) fn deadline(&self, now: Instant) -> Option<Instant> {
        self.sealer.as_ref()?;
        let queue = (!self.queue.is_empty()).then(|| self.rate.next_send(now));
        let report = self.unreported.then_some(self.report_at);
        [queue, report, self.rate.next_deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Sends what a visit brought.
    pub(crate) fn send(
        &mut self,
        now: Instant,
        path: &Path,
        pending: &mut Vec<Forward>,
        counters: &mut SessionCounters,
        sink: &mut impl Sink,
    ) {
        let voices = pending
            .iter()
            .take_while(|f| f.codec == Codec::Opus)
            .count();
        let (audio, video) = pending.split_at(voices);
        let mut lengths = std::mem::take(&mut self.lengths);
        lengths.clear();
        lengths.extend(video.iter().map(|forward| self.len_of(forward)));
        // Sound rides as the last, shorter segment of a run that ends with a whole
        // one; otherwise it is a message of its own, and goes before the pictures.
        let rides = self.queue.is_empty() && ends_whole(&lengths);
        if !rides {
            self.send_audio(now, path, audio, counters, sink);
        }
        let mut waits = !self.queue.is_empty();
        let mut rest = lengths.as_slice();
        for frame in video.chunk_by(|a, b| (a.slot, a.ts) == (b.slot, b.ts)) {
            let (of_frame, after) = rest.split_at(frame.len().min(rest.len()));
            rest = after;
            let longest = of_frame.iter().copied().max().unwrap_or(0);
            for (forward, length) in frame.iter().zip(of_frame) {
                let sizes = (*length, longest);
                waits |= !self.try_video(now, path, forward, sizes, waits, counters, sink);
            }
        }
        self.lengths = lengths;
        if rides {
            self.send_audio(now, path, audio, counters, sink);
        }
        pending.clear();
        if waits {
            self.flush_queue(now, path, counters, sink);
        }
    }

    fn send_audio(
        &mut self,
        now: Instant,
        path: &Path,
        audio: &[Forward],
        counters: &mut SessionCounters,
        sink: &mut impl Sink,
    ) {
        for forward in audio {
            let writing = Writing {
                now,
                path,
                forward,
                length: self.len_of(forward),
                padding: 0,
            };
            self.write(&writing, counters, sink);
            self.rate.book(now, writing.length);
        }
    }

    /// Sends a video packet, or puts it behind those that wait; tells whether it
    /// has left.
    #[allow(clippy::too_many_arguments, reason = "one packet's whole way")]
    fn try_video(
        &mut self,
        now: Instant,
        path: &Path,
        forward: &Forward,
        (length, longest): (usize, usize),
        waits: bool,
        counters: &mut SessionCounters,
        sink: &mut impl Sink,
    ) -> bool {
        if waits || !self.rate.may_send(now, length) {
            if self.queue.len() >= MAX_QUEUE {
                self.give_up_queue(counters, sink);
            }
            self.queue.push_back((now, forward.clone()));
            return false;
        }
        let writing = Writing {
            now,
            path,
            forward,
            length,
            // Neighbours of one length leave as one message. Chromium's packets of a
            // frame differ by a byte.
            padding: u8::from(self.even && length + 1 == longest && !forward.resend),
        };
        self.write(&writing, counters, sink);
        true
    }

    /// Lets waiting video go as far as its turn has come.
    fn flush_queue(
        &mut self,
        now: Instant,
        path: &Path,
        counters: &mut SessionCounters,
        sink: &mut impl Sink,
    ) {
        while let Some((since, forward)) = self.queue.front() {
            let length = self.len_of(forward);
            if now.saturating_duration_since(*since) > MAX_WAIT {
                self.give_up_queue(counters, sink);
                return;
            }
            if !self.rate.may_send(now, length) {
                return;
            }
            let Some((_, forward)) = self.queue.pop_front() else {
                return;
            };
            let writing = Writing {
                now,
                path,
                forward: &forward,
                length,
                padding: 0,
            };
            self.write(&writing, counters, sink);
        }
        // A burst for who has just come is over.
        if self.queue.capacity() > USUAL_QUEUE {
            self.queue.shrink_to(0);
            self.lengths.shrink_to(USUAL_QUEUE);
        }
    }

    /// The path bears too little for what waits: it is given up, and what follows
    /// begins with keyframes.
    fn give_up_queue(&mut self, counters: &mut SessionCounters, sink: &mut impl Sink) {
        let mut asked = [false; 64];
        counters.paced_out += self.queue.len() as u64;
        for (_, forward) in std::mem::take(&mut self.queue) {
            let place = self.place(forward.slot);
            if let Some(asked) = asked.get_mut(place)
                && !std::mem::replace(asked, true)
            {
                sink.event(SessionEvent::KeyframeWanted(forward.slot));
            }
        }
    }

    /// What the receiver's video would take, bit/s; `gently`: it is not known
    /// whether the path bears anything but sound.
    pub(crate) fn set_wanted(&mut self, now: Instant, video: u64, gently: bool) {
        self.rate.set_wanted(now, video, gently);
        self.pictures = video > 0;
        if !self.pictures {
            self.queue.clear();
        }
    }

    /// Bytes a packet takes on the wire, without padding; 0 when it cannot be sent.
    fn len_of(&self, forward: &Forward) -> usize {
        let (Some(stream), Some(sealer)) =
            (self.streams.get(self.place(forward.slot)), &self.sealer)
        else {
            return 0;
        };
        let header = stream.header(forward.level.is_some(), forward.capture_ntp.is_some());
        let payload = match forward.vp8 {
            Some(_) => vp8::renumbered_len(&forward.payload),
            None => forward.payload.len(),
        };
        let osn = if forward.resend { OSN } else { 0 };
        header + osn + payload + sealer.rtp_overhead()
    }

    /// Writes and seals one packet in the place it is sent from.
    fn write(
        &mut self,
        packet: &Writing<'_>,
        counters: &mut SessionCounters,
        sink: &mut impl Sink,
    ) {
        let Writing { now, forward, .. } = *packet;
        let length = packet.length + usize::from(packet.padding);
        let send_time = self.clock.send_time(now);
        let place = self.place(forward.slot);
        let (Some(stream), Some(sealer)) = (self.streams.get_mut(place), &self.sealer) else {
            counters.no_codec += 1;
            return;
        };
        let Some(numbering) = number(stream, forward) else {
            counters.no_codec += 1;
            return;
        };
        let Numbering {
            payload_type,
            ssrc,
            index,
        } = numbering;
        let what = match forward.codec {
            _ if forward.resend => Sent::Resend,
            Codec::Opus => Sent::Audio,
            Codec::Vp8 | Codec::H264 => Sent::Video,
        };
        let transport = stream
            .ids
            .transport
            .map(|_| self.rate.sent(now, what, length));
        let head = Head {
            payload_type,
            marker: forward.marker,
            padded: packet.padding > 0,
            seq: index.seq(),
            ts: forward.ts,
            ssrc,
            ids: &stream.ids,
            tag: &stream.tag,
            transport,
            send_time,
            level: forward.level,
            capture: forward.capture_ntp,
        };
        let opus = stream.opus.map_or(0, |opus| opus.plain);
        let osn = stream.sent_as(forward.seq).unwrap_or(0);
        let fill = |out: &mut [u8]| {
            let body = Body {
                forward,
                padding: packet.padding,
                opus,
                osn,
            };
            body.fill(out, &head, sealer, index)
        };
        let vital = forward.codec == Codec::Opus;
        if sink.packet(packet.path, length, vital, fill) {
            counters.rtp_out += 1;
            if forward.resend {
                counters.resent += 1;
            } else {
                stream.sent(now, forward.codec, forward.ts, forward.payload.len());
                self.unreported = true;
            }
        }
    }

    /// What came from the client: opens a report and acts on it. Tells whether the
    /// engine should see it too.
    pub(crate) fn report(
        &mut self,
        now: Instant,
        packet: &[u8],
        counters: &mut SessionCounters,
        sink: &mut impl Sink,
    ) -> bool {
        let Some(opener) = &mut self.opener else {
            return true;
        };
        if now.saturating_duration_since(self.heard.0) >= Duration::from_secs(1) {
            self.heard = (now, 0);
        }
        self.heard.1 += 1;
        if self.heard.1 > REPORTS_PER_SECOND || packet.len() > MAX_REPORT {
            counters.refused += 1;
            return false;
        }
        let mut opened = std::mem::take(&mut self.opened);
        let result = opener.open(packet, &mut opened);
        match result {
            Ok(()) => self.act(now, &opened, sink),
            Err(_) => counters.refused += 1,
        }
        let concerns = result.is_ok() && reports::concerns_engine(&opened);
        self.opened = opened;
        concerns
    }

    /// Acts on a report that was opened.
    pub(crate) fn act(&mut self, now: Instant, compound: &[u8], sink: &mut impl Sink) {
        let (mut resends, mut looked) = (0, 0);
        let (mut lost, mut blocks, mut rtt) = (0u32, 0u32, None);
        for item in rtcp::items(compound) {
            let Ok(item) = item else {
                break;
            };
            match item {
                Item::Twcc(feedback) => self.rate.on_feedback(now, &feedback),
                Item::Nack { media, lost, .. } => {
                    let stream = self.streams.iter().position(|s| s.ssrc == media);
                    let slot = self.slot_of(media).filter(|_| self.pictures);
                    let (Some(stream), Some(slot)) = (stream, slot) else {
                        continue;
                    };
                    // The client says itself how long its way is.
                    let rtt = self.rate.rtt().unwrap_or_default();
                    let again = rtt.clamp(LEAST_AGAIN, MOST_AGAIN);
                    let rate = self.rate.estimate();
                    for seq in lost {
                        if resends >= RESENDS_PER_REPORT || looked >= NUMBERS_PER_REPORT {
                            break;
                        }
                        looked += 1;
                        if self.resends.allow(now, media, seq, again, rate) {
                            resends += 1;
                            let seq = self.streams.get(stream).map_or(seq, |s| s.number_of(seq));
                            sink.event(SessionEvent::Missed { slot, seq });
                        }
                    }
                }
                Item::Pli { media } | Item::Fir { media, .. } => {
                    if let Some(slot) = self.slot_of(media).filter(|slot| self.may_ask(now, *slot))
                    {
                        sink.event(SessionEvent::KeyframeWanted(slot));
                    }
                }
                Item::Remb { bits_per_second } => self.rate.on_remb(now, bits_per_second),
                Item::SenderReport(report) => {
                    for block in report.blocks() {
                        self.weigh(now, &block, &mut lost, &mut blocks, &mut rtt);
                    }
                }
                Item::ReceiverReport { blocks: list, .. } => {
                    for block in list {
                        self.weigh(now, &block, &mut lost, &mut blocks, &mut rtt);
                    }
                }
                Item::Bye | Item::Other { .. } => {}
            }
        }
        if blocks > 0 {
            let fraction = lost as f32 / blocks as f32 / 256.0;
            self.rate.on_report(now, fraction, rtt);
            let permille = (fraction * 1_000.0).round();
            sink.event(SessionEvent::Loss(permille as u16));
        }
        if let Some(bits) = self.rate.take_estimate() {
            sink.event(SessionEvent::Estimate(bits));
        }
    }

    /// Whether a wish for a keyframe goes on: one of a slot in a while, however
    /// often a report says it.
    fn may_ask(&mut self, now: Instant, slot: SlotRef) -> bool {
        if now.saturating_duration_since(self.asked.0) >= KEYFRAME_EVERY {
            self.asked = (now, 0);
        }
        let place = u32::try_from(self.place(slot)).unwrap_or(u32::MAX);
        let bit = 1u64.checked_shl(place).unwrap_or(0);
        let fresh = self.asked.1 & bit == 0;
        self.asked.1 |= bit;
        fresh
    }

    /// A block about one of our streams.
    fn weigh(
        &self,
        now: Instant,
        block: &rtcp::ReportBlock,
        lost: &mut u32,
        blocks: &mut u32,
        rtt: &mut Option<Duration>,
    ) {
        if !self.streams.iter().any(|s| s.ssrc == block.ssrc) {
            return;
        }
        *lost += u32::from(block.fraction_lost);
        *blocks += 1;
        if block.lsr != 0 {
            // The middle of NTP: 16 bits of seconds, 16 of their fraction.
            let middle = (self.clock.ntp(now) >> 16) as u32;
            let passed = middle.wrapping_sub(block.lsr).wrapping_sub(block.dlsr);
            if passed < 60 << 16 {
                *rtt = Some(Duration::from_micros(
                    u64::from(passed) * 1_000_000 / 65_536,
                ));
            }
        }
    }

    /// Time has passed: waiting video, probes, reports.
    pub(crate) fn on_time(
        &mut self,
        now: Instant,
        path: &Path,
        counters: &mut SessionCounters,
        sink: &mut impl Sink,
    ) {
        self.rate.on_time(now);
        self.pad(now, path, counters, sink);
        self.flush_queue(now, path, counters, sink);
        if now >= self.report_at {
            self.write_reports(now, path, sink);
        }
        if let Some(bits) = self.rate.take_estimate() {
            sink.event(SessionEvent::Estimate(bits));
        }
    }

    /// Padding for a probe, on a stream for packets sent again.
    fn pad(
        &mut self,
        now: Instant,
        path: &Path,
        counters: &mut SessionCounters,
        sink: &mut impl Sink,
    ) {
        let mut wanted = self.rate.padding(now);
        let send_time = self.clock.send_time(now);
        let Some(sealer) = &self.sealer else { return };
        let stream = self.streams.iter_mut().find_map(|stream| {
            let usual = stream.vp8.or(stream.h264).and_then(|pt| pt.resend);
            let payload_type = stream.pad_type.or(usual)?;
            let ssrc = stream.resend_ssrc?;
            stream.ids.transport?;
            Some((stream, payload_type, ssrc))
        });
        let Some((stream, payload_type, ssrc)) = stream else {
            return;
        };
        for _ in 0..MAX_PADDINGS {
            if wanted == 0 {
                return;
            }
            let Some(index) = stream.resend_indices.give_next() else {
                return;
            };
            let header = header::len(&stream.ids, &stream.tag, true, false, false);
            let length = header + PADDING + sealer.rtp_overhead();
            let transport = Some(self.rate.sent(now, Sent::Padding, length));
            let head = Head {
                payload_type,
                marker: false,
                padded: true,
                seq: index.seq(),
                ts: stream.last.map_or(0, |(ts, _)| ts),
                ssrc,
                ids: &stream.ids,
                tag: &stream.tag,
                transport,
                send_time,
                level: None,
                capture: None,
            };
            let left = sink.packet(path, length, false, |out| {
                let Some(at) = head.write(out) else {
                    return false;
                };
                let end = at + PADDING;
                if let Some(padding) = out.get_mut(at..end) {
                    padding.fill(0);
                    if let (Some(last), Ok(count)) = (padding.last_mut(), u8::try_from(PADDING)) {
                        *last = count;
                    }
                }
                sealer.seal_rtp(out, at, ssrc, index).is_ok()
            });
            counters.padding_out += u64::from(left);
            wanted = wanted.saturating_sub(length);
        }
    }

    /// Reports and names of the streams that sent something.
    fn write_reports(&mut self, now: Instant, path: &Path, sink: &mut impl Sink) {
        self.report_at = now + REPORT_EVERY;
        let ntp = self.clock.ntp(now);
        let mut out = std::mem::take(&mut self.writing);
        out.clear();
        self.unreported = false;
        let count = self.streams.len();
        let from = self.report_from;
        for at in (0..count).map(|n| (from + n) % count.max(1)) {
            let Some(stream) = self.streams.get_mut(at) else {
                continue;
            };
            let Some(ts) = stream.timestamp(now).filter(|_| stream.unreported) else {
                continue;
            };
            if out.len() > REPORT_BYTES {
                // The rest follows, beginning here.
                self.unreported = true;
                self.report_from = at;
                self.report_at = now + REPORT_REST;
                break;
            }
            stream.unreported = false;
            rtcp::write_sender_report(
                &mut out,
                stream.ssrc,
                ntp,
                ts,
                stream.packets,
                stream.octets,
            );
            rtcp::write_sdes_cname(&mut out, stream.ssrc, &self.name);
        }
        self.writing = out;
        self.seal_report(path, sink);
    }

    /// What of a report of the engine goes on, sealed.
    pub(crate) fn pass_on(&mut self, path: &Path, quiet: &[u8], sink: &mut impl Sink) {
        let Some(sealer) = &self.sealer else { return };
        let plain = quiet.len().saturating_sub(sealer.quiet_trailer());
        let mut out = std::mem::take(&mut self.writing);
        reports::filter(quiet.get(..plain).unwrap_or_default(), &mut out);
        self.writing = out;
        self.seal_report(path, sink);
    }

    fn seal_report(&mut self, path: &Path, sink: &mut impl Sink) {
        if self.writing.is_empty() {
            return;
        }
        let Some(sealer) = &mut self.sealer else {
            return;
        };
        if sealer.seal_rtcp(&mut self.writing).is_ok() {
            let bytes = &self.writing;
            sink.packet(path, bytes.len(), true, |out| {
                out.copy_from_slice(bytes);
                true
            });
        }
    }
}

/// Whether the last of the pictures is as long as the one before it.
fn ends_whole(lengths: &[usize]) -> bool {
    match lengths {
        [] => false,
        [_] => true,
        [.., before, last] => last.abs_diff(*before) <= 1,
    }
}

/// Under what a packet goes out.
struct Numbering {
    payload_type: u8,
    ssrc: u32,
    index: Index,
}

/// Gives a packet its number; `None` when there is no codec for it, or the number
/// was used.
fn number(stream: &mut OutStream, forward: &Forward) -> Option<Numbering> {
    let PayloadType { plain, resend } = stream.payload_type(forward.codec, forward.red)?;
    if forward.resend {
        return Some(Numbering {
            payload_type: resend?,
            ssrc: stream.resend_ssrc?,
            index: stream.resend_indices.give_next()?,
        });
    }
    if resend.is_some() {
        stream.pad_type = resend;
    }
    Some(Numbering {
        payload_type: plain,
        ssrc: stream.ssrc,
        index: stream.index(forward.seq)?,
    })
}

/// What stands behind the header.
struct Body<'a> {
    forward: &'a Forward,
    padding: u8,
    /// The receiver's number of Opus, for the blocks of RFC 2198.
    opus: u8,
    /// What a packet sent again was sent under.
    osn: u16,
}

impl Body<'_> {
    /// Writes a packet into its place and seals it.
    fn fill(&self, out: &mut [u8], head: &Head<'_>, sealer: &Sealer, index: Index) -> bool {
        let Self {
            forward,
            padding,
            opus,
            osn,
        } = *self;
        let Some(header) = head.write(out) else {
            return false;
        };
        let mut at = header;
        if forward.resend {
            // The number it was sent under first, RFC 4588 §4.
            let Some(place) = out.get_mut(at..at + OSN) else {
                return false;
            };
            place.copy_from_slice(&osn.to_be_bytes());
            at += OSN;
        }
        let Some(body) = out.get_mut(at..) else {
            return false;
        };
        let written = match forward.vp8 {
            Some(numbers) => vp8::renumber(&forward.payload, numbers, body),
            None => body.get_mut(..forward.payload.len()).map(|place| {
                place.copy_from_slice(&forward.payload);
                forward.payload.len()
            }),
        };
        let Some(written) = written else {
            return false;
        };
        if forward.red
            && let Some(blocks) = body.get_mut(..written)
        {
            red::set_type(blocks, opus);
        }
        // What is not written here holds another receiver's packet.
        if at + written + usize::from(padding) + sealer.rtp_overhead() != out.len() {
            return false;
        }
        if let Some(place) = out.get_mut(at + written..at + written + usize::from(padding)) {
            place.fill(0);
            if let Some(last) = place.last_mut() {
                *last = padding;
            }
        }
        sealer.seal_rtp(out, header, head.ssrc, index).is_ok()
    }
}

/// Through [`Direct`].
#[derive(Debug, Default)]
pub(crate) struct DirectEgress;

impl Egress for DirectEgress {
    fn visit(
        &mut self,
        now: Instant,
        session: &mut Session,
        pending: &mut Vec<Forward>,
        sink: &mut impl Sink,
    ) -> Result<(), SessionError> {
        session.send_direct(now, pending, sink);
        Ok(())
    }
}
