//! One connection: a str0m `Rtc` in RTP mode and what we know about it. Reads no
//! clock and touches no socket: datagrams and time go in, datagrams and
//! [`SessionEvent`]s come out through a [`Sink`].

mod factory;
mod media;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use lophoc_media::classify::{Datagram, classify};
use lophoc_media::core::Listed;
use lophoc_media::types::{
    Allow, Codec, Epoch, Forward, Kind, Layer, PeerId, RoomKey, SlotRef, Slots, SourcePacket,
    ViewSpec,
};
use str0m::bwe::{Bitrate, BweKind};
use str0m::media::{KeyframeRequestKind, Mid, Pt};
use str0m::net::{Protocol, Receive};
use str0m::rtp::Ssrc;
use str0m::{Candidate, CandidateKind, Event, IceConnectionState, Input, Output, Rtc};

use crate::api::{MidMap, PeerQuality};
use crate::egress::direct::Path;
use crate::egress::{Direct, NOBODY};
use crate::registry::Place;
use crate::srtp::{self, SrtpError};
use crate::tcp::links::LinkId;

pub(crate) use factory::SessionFactory;

/// Deadlines this close are due already: str0m's pacer asks for the clock again
/// a microsecond after each packet, and a frame must leave in one visit.
const INLINE: Duration = Duration::from_micros(200);
/// Most clock inputs of one visit; the rest waits for the timer.
const MAX_INLINE: usize = 256;
/// Most outputs of one visit; the rest waits for the timer.
const MAX_OUTPUTS: usize = 2_048;
/// What is kept of a video slot to be sent again: packets, their age, and which
/// share of what is sent may be sent again (the engine's own figures).
const RESEND_PACKETS: usize = 1_024;
const RESEND_AGE: Duration = Duration::from_secs(3);
const RESEND_SHARE: f32 = 0.15;
/// Errors str0m may report on received datagrams before we give up on it.
const MAX_REFUSED: u32 = 64;
/// Audio of all slots, bit/s.
const AUDIO_RATE: u64 = 160_000;
/// Room looked for while any video flows, bit/s: what it takes to begin with
/// something larger. Probes last 15 ms, one each 5 s.
const LEAST_DESIRED: u64 = 1_000_000;
/// Estimation begins anew at most this often, so that views that change quickly
/// do not become a flood of probes.
const BEGIN_GAP: Duration = Duration::from_secs(3);
/// Least estimate to begin with when video comes back, bit/s.
const MIN_RESTART: u64 = 300_000;
/// Estimate to begin with where the link may not even bear a small camera, bit/s.
/// The engine fills the line with padding up to its estimate: below what speech and
/// a page take it adds nothing but probes of some packets.
const GENTLE_START: u64 = 40_000;
/// Room looked for there: a small camera and what comes with it, bit/s.
const GENTLE_DESIRED: u64 = 400_000;
/// Candidates taken from a client after its offer.
const MAX_CANDIDATES: u32 = 32;

/// Receives what a session puts out.
pub(crate) trait Sink {
    /// A datagram to send from an announced address.
    fn transmit(&mut self, source: SocketAddr, destination: SocketAddr, bytes: &[u8]);
    /// A datagram to send on a path, `len` bytes that `fill` writes in the place
    /// they are sent from; `vital`: all but video. Nothing is sent where `fill`
    /// says so, or where there is no place; tells whether it is.
    fn packet(
        &mut self,
        path: &Path,
        len: usize,
        vital: bool,
        fill: impl FnOnce(&mut [u8]) -> bool,
    ) -> bool;
    /// A packet for the TCP connection between an announced address and the
    /// client's. `vital`: all but video.
    fn stream(&mut self, source: SocketAddr, destination: SocketAddr, vital: bool, bytes: &[u8]);
    /// Something to act upon.
    fn event(&mut self, event: SessionEvent);
}

/// How a packet came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// As a datagram.
    Udp,
    /// On a TCP connection.
    Tcp,
}

/// What happened in a session.
#[derive(Debug, Clone)]
pub(crate) enum SessionEvent {
    /// DTLS is done.
    Connected,
    /// The client closed DTLS.
    Closed,
    /// str0m gave up.
    Failed,
    /// A packet of the publisher.
    Rtp { kind: Kind, packet: SourcePacket },
    /// The client's decoder wants a keyframe.
    KeyframeWanted(SlotRef),
    /// The client misses a packet of a slot.
    Missed { slot: SlotRef, seq: u16 },
    /// Bandwidth towards the client, bits per second.
    Estimate(u64),
    /// Loss towards the client by its last report, per mille.
    Loss(u16),
}

/// A session is beyond repair.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SessionError {
    /// The engine gave up.
    #[error("session failed: {0}")]
    Engine(#[from] str0m::RtcError),
    /// There is no sealing with the agreed keys.
    #[error("session failed: {0}")]
    Srtp(#[from] SrtpError),
}

/// What a payload type carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Carries {
    Plain(Codec),
    /// RFC 2198 around Opus.
    Red,
}

/// A receiving slot of the client: where its packets go out.
#[derive(Debug, Clone)]
struct OutSlot {
    mid: Mid,
    ssrc: Ssrc,
    opus: Option<Pt>,
    vp8: Option<Pt>,
    h264: Option<Pt>,
}

/// Counters of one session, moved to the shard's when asked for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SessionCounters {
    pub(crate) rtp_in: u64,
    pub(crate) rtp_out: u64,
    pub(crate) unknown_ssrc: u64,
    pub(crate) oversize: u64,
    pub(crate) no_codec: u64,
    pub(crate) receiver_silent: u64,
    pub(crate) refused: u64,
    /// Sent again.
    pub(crate) resent: u64,
    /// Packets of padding.
    pub(crate) padding_out: u64,
    /// Video that waited too long for its turn.
    pub(crate) paced_out: u64,
}

/// Last statistics of the connection.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Report {
    /// Loss towards the client, 0 to 1.
    pub(crate) loss: Option<f32>,
    pub(crate) rtt: Option<Duration>,
    /// Bits per second.
    pub(crate) estimate: u64,
}

fn per_mille(part: f32) -> u16 {
    (part.clamp(0.0, 1.0) * 1_000.0).round() as u16
}

impl Report {
    /// For a desk.
    pub(crate) fn quality(&self) -> PeerQuality {
        PeerQuality {
            loss_permille: self.loss.map(per_mille),
            rtt_ms: self
                .rtt
                .map(|rtt| u32::try_from(rtt.as_millis()).unwrap_or(u32::MAX)),
            kbps: u32::try_from(self.estimate / 1_000).unwrap_or(u32::MAX),
        }
    }
}

/// One connection.
pub(crate) struct Session {
    pub(crate) room: RoomKey,
    /// Breakout group, 0 = none.
    pub(crate) group: u8,
    pub(crate) peer: PeerId,
    pub(crate) epoch: Epoch,
    pub(crate) slots: Slots,
    /// Latest wishes of the control plane.
    pub(crate) allow: Allow,
    /// Whose tracks it may be sent.
    pub(crate) listed: Listed,
    pub(crate) view: ViewSpec,
    /// ICE user name and password of our side.
    pub(crate) ufrag: String,
    password: String,
    /// Addresses of the client proved by STUN, oldest first.
    pub(crate) addresses: Vec<SocketAddr>,
    /// TCP connections of the client in its shard, oldest first.
    pub(crate) streams: Vec<LinkId>,
    /// When something authentic was heard last.
    pub(crate) last_heard: Instant,
    pub(crate) connected: bool,
    /// When the clock is wanted next.
    pub(crate) deadline: Instant,
    /// When str0m wants it next.
    engine_at: Instant,
    /// Armed entry of the shard's timer heap.
    pub(crate) armed: Option<Instant>,
    pub(crate) counters: SessionCounters,
    pub(crate) report: Report,
    rtc: Rtc,
    /// Our own way out; without it packets leave through str0m.
    direct: Option<Box<Direct>>,
    /// Where packets go, as str0m chose last.
    path: Option<Path>,
    /// Latest time given to str0m; never goes back.
    clock: Instant,
    /// ICE has a working pair; without it nothing is sent to the client.
    reachable: bool,
    saw_twcc: bool,
    /// No video is wanted; the estimate to go on with when there is.
    resting: Option<u64>,
    /// What was asked of the estimator last, bit/s.
    desired: u64,
    /// When estimation began anew last.
    began_anew: Option<Instant>,
    refused: u32,
    candidates: u32,
    mids: MidMap,
    sends: Vec<(Mid, Kind)>,
    payload_types: Vec<(Pt, Carries)>,
    streams_in: Vec<(Ssrc, Option<(Kind, Layer)>)>,
    audio: Vec<OutSlot>,
    video: Vec<OutSlot>,
    screen: Vec<OutSlot>,
    _place: Place,
}

impl Session {
    /// Names of the m-lines.
    pub(crate) fn mids(&self) -> &MidMap {
        &self.mids
    }

    /// Whether a STUN request was made with our password.
    pub(crate) fn verifies(&self, request: &crate::stun::BindingRequest<'_>) -> bool {
        request.local_ufrag == self.ufrag && request.verify(&self.password)
    }

    /// A candidate found after the offer. Names (mDNS) and TCP are of no use to
    /// us: the client's own checks reach us and reveal its address.
    pub(crate) fn add_candidate(&mut self, text: &str) {
        #[cfg(test)]
        assert_ne!(text, "panic in the session", "provoked by a test");
        if self.candidates >= MAX_CANDIDATES || text.len() > 512 {
            return;
        }
        let text = text.strip_prefix("a=").unwrap_or(text);
        if let Ok(candidate) = Candidate::from_sdp_string(text)
            && candidate.proto() == Protocol::Udp
        {
            self.candidates += 1;
            self.rtc.add_remote_candidate(candidate);
            self.engine_at = self.clock;
        }
    }

    /// A TCP connection of the client ended: its address is worth nothing any
    /// more, so that another pair takes over at once and not after its checks
    /// have failed for a while.
    pub(crate) fn lost_stream(&mut self, remote: SocketAddr) {
        let kind = CandidateKind::PeerReflexive;
        let lost = Candidate::from_parts(
            String::new(),
            1,
            Protocol::Tcp,
            1,
            remote,
            kind,
            None,
            None,
            None,
        );
        self.rtc.direct_api().invalidate_candidate(&lost);
        self.ask_for_path();
        self.engine_at = self.clock;
    }

    /// Gives a packet of the client to str0m and drains it.
    pub(crate) fn receive(
        &mut self,
        now: Instant,
        way: Way,
        source: SocketAddr,
        destination: SocketAddr,
        bytes: &[u8],
        sink: &mut impl Sink,
    ) -> Result<(), SessionError> {
        self.advance(now);
        let class = classify(bytes);
        if class == Datagram::Rtcp
            && let Some(direct) = &mut self.direct
        {
            let refused = self.counters.refused;
            let concerns = direct.report(self.clock, bytes, &mut self.counters, sink);
            if self.counters.refused == refused {
                self.last_heard = self.clock;
            }
            self.report.loss = direct.rate.loss().or(self.report.loss);
            self.report.rtt = direct.rate.rtt().or(self.report.rtt);
            self.report.estimate = direct.rate.estimate();
            if !concerns || self.streams_in.is_empty() {
                self.rearm();
                return Ok(());
            }
        }
        let protocol = match way {
            Way::Udp => Protocol::Udp,
            Way::Tcp => Protocol::Tcp,
        };
        let Ok(receive) = Receive::new(protocol, source, destination, bytes) else {
            self.counters.refused += 1;
            return Ok(());
        };
        self.engine(|session| {
            if let Err(error) = session
                .rtc
                .handle_input(Input::Receive(session.clock, receive))
            {
                // Anyone who can forge the source address can send a broken record.
                session.counters.refused += 1;
                session.refused += 1;
                if session.refused > MAX_REFUSED || !session.rtc.is_alive() {
                    return Err(error.into());
                }
            }
            if class == Datagram::Stun {
                session.ask_for_path();
            }
            session.drain(sink)
        })
    }

    /// Gives the clock to whoever wants it.
    pub(crate) fn timeout(
        &mut self,
        now: Instant,
        sink: &mut impl Sink,
    ) -> Result<(), SessionError> {
        self.advance(now);
        if self.direct.is_none() || self.engine_at <= self.clock {
            self.engine(|session| {
                session.rtc.handle_input(Input::Timeout(session.clock))?;
                session.drain(sink)
            })?;
        }
        if let (Some(direct), Some(path)) = (&mut self.direct, &self.path)
            && self.connected
            && self.reachable
        {
            direct.on_time(self.clock, path, &mut self.counters, sink);
            self.report.estimate = direct.rate.estimate();
        }
        self.rearm();
        Ok(())
    }

    /// Runs engine code; keys that pass in it become those of the way out.
    fn engine(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<(), SessionError>,
    ) -> Result<(), SessionError> {
        let (result, keys) = srtp::catch(|| work(self));
        if let (Some(direct), Some(keys)) = (&mut self.direct, keys) {
            direct.set_keys(&keys)?;
        }
        self.rearm();
        result
    }

    fn rearm(&mut self) {
        let own = match &self.direct {
            Some(direct) if self.path.is_some() && self.can_send() => direct.deadline(self.clock),
            _ => None,
        };
        self.deadline = own.map_or(self.engine_at, |own| own.min(self.engine_at));
    }

    /// Whether packets of a frame are made equally long, to be measured.
    #[cfg(any(test, feature = "measure"))]
    pub(crate) fn even(&mut self, even: bool) {
        if let Some(direct) = &mut self.direct {
            direct.even = even;
        }
    }

    /// Our own way out, for tests.
    #[cfg(test)]
    pub(crate) fn direct(&mut self) -> &mut Direct {
        self.direct
            .as_mut()
            .expect("a session with our own way out")
    }

    /// Whether packets leave by our own way.
    pub(crate) fn is_direct(&self) -> bool {
        self.direct.is_some()
    }

    /// Whether redundant sound can be sent (RFC 2198).
    pub(crate) fn takes_red(&self) -> bool {
        self.direct
            .as_ref()
            .is_some_and(|direct| direct.takes_red())
    }

    /// Reads what a visit reads, so that it is in the processor's cache; `depth` 0 is
    /// the session itself, 1 and 2 what it points at. The sum means nothing.
    pub(crate) fn warm(&self, depth: u8) -> u64 {
        match depth {
            0 => {
                u64::from(self.can_send())
                    ^ self.counters.rtp_out
                    ^ u64::from(self.path.is_some())
                    ^ u64::from(self.direct.is_some())
                    ^ u64::from(self.deadline == self.engine_at)
                    ^ u64::from(self.armed == Some(self.clock))
            }
            _ => self
                .direct
                .as_ref()
                .map_or(0, |direct| direct.warm(depth > 1)),
        }
    }

    /// Sends what a visit brought by our own way.
    pub(crate) fn send_direct(
        &mut self,
        now: Instant,
        pending: &mut Vec<Forward>,
        sink: &mut impl Sink,
    ) {
        self.advance(now);
        if let (Some(direct), Some(path)) = (&mut self.direct, &self.path) {
            direct.send(self.clock, path, pending, &mut self.counters, sink);
        }
        pending.clear();
        self.rearm();
    }

    /// The engine alone knows which pair of addresses was agreed on, and tells it by
    /// sending. It is asked for a report that goes nowhere.
    fn ask_for_path(&mut self) {
        if self.direct.is_some() && self.connected {
            self.rtc
                .direct_api()
                .send_pli_feedback(1.into(), NOBODY.into());
        }
    }

    /// Says goodbye: RTCP BYE and DTLS close_notify.
    pub(crate) fn close(&mut self, now: Instant, sink: &mut impl Sink) {
        self.advance(now);
        if self.rtc.close().is_ok() {
            let _ = self.engine(|session| session.drain(sink));
        }
    }

    /// Asks the client's encoder for a keyframe on one layer.
    pub(crate) fn request_keyframe(&mut self, kind: Kind, layer: Layer) {
        let Some((ssrc, _)) = self
            .streams_in
            .iter()
            .rev()
            .find(|(_, of)| *of == Some((kind, layer)))
        else {
            return;
        };
        let ssrc = *ssrc;
        if let Some(stream) = self.rtc.direct_api().stream_rx(&ssrc) {
            stream.request_keyframe(KeyframeRequestKind::Pli);
        }
        // Feedback goes out with the next clock input.
        self.engine_at = self.clock;
    }

    /// Tells the estimator what the receiver's video would take at best, so that
    /// it looks for room up to there and not beyond. When there is no video the
    /// estimator rests: str0m fills a positive estimate with 50 kbit/s of padding
    /// at least, whatever is asked of it, and an estimate of zero with none.
    ///
    /// str0m caps probes at twice what is wanted and takes their rate for its
    /// estimate, which so falls beside a small picture on the best of paths, and
    /// rises by later probes only seconds apart. When much more is wanted than
    /// estimated, estimation therefore begins anew from where it was: the first
    /// probes of a beginning leave at once, and look as far as is wanted.
    ///
    /// `gently`: whether the link bears anything but sound is to be found out
    /// from below.
    pub(crate) fn set_wanted(&mut self, video: u64, gently: bool) {
        if let Some(direct) = &mut self.direct {
            direct.set_wanted(self.clock, video, gently);
            self.rearm();
            return;
        }
        match (video, self.resting) {
            (0, None) => {
                self.resting = Some(self.report.estimate.max(MIN_RESTART));
                self.desired = 0;
                self.rtc.bwe().set_bitrate(Bitrate::ZERO, Bitrate::ZERO);
                self.rtc.bwe().reset(Bitrate::ZERO);
                self.forget_pictures();
            }
            (0, Some(_)) => {}
            (_, _) if gently => {
                self.resting = None;
                self.began_anew = Some(self.clock);
                self.desired = GENTLE_DESIRED;
                self.rtc.bwe().reset(Bitrate::from(GENTLE_START));
                self.rtc
                    .bwe()
                    .set_bitrate(Bitrate::ZERO, Bitrate::from(GENTLE_DESIRED));
            }
            (_, resting) => {
                // Audio, and a fifth for retransmission and the estimator's caution.
                let desired = video.saturating_add(AUDIO_RATE).saturating_mul(6) / 5;
                let rises = desired > self.desired.saturating_mul(5) / 4;
                let estimate = resting.unwrap_or(self.report.estimate);
                let recent = self
                    .began_anew
                    .is_some_and(|at| self.clock < at + BEGIN_GAP);
                if resting.is_some() || (rises && !recent && estimate < desired) {
                    self.resting = None;
                    self.began_anew = Some(self.clock);
                    self.rtc.bwe().reset(Bitrate::from(estimate));
                }
                self.desired = desired;
                let desired = Bitrate::from(desired.max(LEAST_DESIRED));
                self.rtc.bwe().set_bitrate(Bitrate::ZERO, desired);
            }
        }
        self.engine_at = self.clock;
    }

    /// Nothing of the pictures sent so far is sent again. The engine ages what it
    /// keeps for that only when it sends something new: a receiver that fell to the
    /// lowest rung would be sent the pictures it missed on a link that bears none.
    fn forget_pictures(&mut self) {
        let mut api = self.rtc.direct_api();
        for slot in self.video.iter().chain(&self.screen) {
            if let Some(stream) = api.stream_tx(&slot.ssrc) {
                stream.set_rtx_cache(RESEND_PACKETS, RESEND_AGE, Some(RESEND_SHARE));
            }
        }
    }

    fn advance(&mut self, now: Instant) {
        // Inline deadlines may have run ahead of the real clock.
        self.clock = self.clock.max(now);
    }

    /// Takes everything str0m has to say. Deadlines within [`INLINE`] count as
    /// due; what exceeds the budgets waits for the timer.
    fn drain(&mut self, sink: &mut impl Sink) -> Result<(), SessionError> {
        let inline_until = self.clock + INLINE;
        let mut inline = 0;
        for _ in 0..MAX_OUTPUTS {
            match self.rtc.poll_output()? {
                Output::Timeout(at) => {
                    self.engine_at = at;
                    if at > inline_until || inline >= MAX_INLINE {
                        return Ok(());
                    }
                    inline += 1;
                    self.clock = self.clock.max(at);
                    self.rtc.handle_input(Input::Timeout(self.clock))?;
                }
                Output::Transmit(t) if self.direct.is_some() => {
                    let path = Path {
                        protocol: t.proto,
                        source: t.source,
                        destination: t.destination,
                    };
                    self.pass_on(path, &t.contents, sink);
                }
                // No picture is wanted, and still the engine pads at its last rate
                // until the next feedback: on a weak link that is heard for seconds.
                Output::Transmit(t) if self.resting.is_some() && self.is_video(&t.contents) => {}
                Output::Transmit(t) if t.proto == Protocol::Udp => {
                    sink.transmit(t.source, t.destination, &t.contents);
                }
                Output::Transmit(t) => {
                    let vital = !self.is_video(&t.contents);
                    sink.stream(t.source, t.destination, vital, &t.contents);
                }
                Output::Event(event) => self.on_event(event, sink),
            }
        }
        self.engine_at = self.clock;
        Ok(())
    }

    /// A packet of the engine for the client, where the engine seals nothing.
    fn pass_on(&mut self, path: Path, packet: &[u8], sink: &mut impl Sink) {
        let class = classify(packet);
        if matches!(class, Datagram::Rtcp | Datagram::Dtls) {
            // Checks go to every address, these to the one agreed on.
            self.path = Some(path);
        }
        match class {
            Datagram::Rtcp => {
                if let Some(direct) = &mut self.direct {
                    direct.pass_on(&path, packet, sink);
                }
            }
            // It has nothing to send, and could not seal it.
            Datagram::Rtp => self.counters.refused += 1,
            _ if path.protocol == Protocol::Udp => {
                sink.transmit(path.source, path.destination, packet);
            }
            _ => sink.stream(path.source, path.destination, true, packet),
        }
    }

    /// Whether a packet to the client is video: media of any payload type but
    /// that of sound.
    fn is_video(&self, packet: &[u8]) -> bool {
        let sound = |wanted: u8| {
            self.payload_types.iter().any(|(pt, carries)| {
                **pt == wanted && matches!(carries, Carries::Plain(Codec::Opus) | Carries::Red)
            })
        };
        classify(packet) == Datagram::Rtp
            && packet.get(1).is_some_and(|second| !sound(second & 0x7f))
    }

    fn on_event(&mut self, event: Event, sink: &mut impl Sink) {
        match event {
            Event::RtpPacket(packet) => self.on_rtp(packet, sink),
            Event::Connected => {
                self.connected = true;
                self.ask_for_path();
                sink.event(SessionEvent::Connected);
            }
            Event::IceConnectionStateChange(state) => {
                self.reachable = !matches!(state, IceConnectionState::Disconnected);
                self.ask_for_path();
            }
            Event::KeyframeRequest(request) => {
                if let Some(slot) = self.slot_of(request.mid) {
                    sink.event(SessionEvent::KeyframeWanted(slot));
                }
            }
            Event::EgressBitrateEstimate(kind) => self.on_estimate(&kind, sink),
            Event::PeerStats(stats) => {
                self.report.loss = stats.egress_loss_fraction.or(self.report.loss);
                let pair = stats
                    .selected_candidate_pair
                    .and_then(|p| p.current_round_trip_time);
                self.report.rtt = stats.rtt.or(pair).or(self.report.rtt);
                if let Some(loss) = stats.egress_loss_fraction {
                    sink.event(SessionEvent::Loss(per_mille(loss)));
                }
            }
            Event::Closed => sink.event(SessionEvent::Closed),
            _ => {}
        }
    }

    fn on_estimate(&mut self, kind: &BweKind, sink: &mut impl Sink) {
        let estimate = match kind {
            BweKind::Twcc { estimate, .. } => {
                self.saw_twcc = true;
                estimate
            }
            // Only for clients without transport-wide feedback.
            BweKind::Remb { estimate, .. } if !self.saw_twcc => estimate,
            _ => return,
        };
        if self.resting.is_some() {
            // Feedback on audio alone says nothing about room for video.
            if estimate.as_u64() > 0 && self.saw_twcc {
                self.rtc.bwe().reset(Bitrate::ZERO);
            }
            return;
        }
        self.report.estimate = estimate.as_u64();
        sink.event(SessionEvent::Estimate(self.report.estimate));
    }
}
