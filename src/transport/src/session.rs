//! One connection: a str0m `Rtc` in RTP mode and what we know about it. Reads no
//! clock and touches no socket: datagrams and time go in, datagrams and
//! [`SessionEvent`]s come out through a [`Sink`].

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use lophoc_media::types::{
    Allow, Codec, Epoch, Forward, Kind, Layer, Mode, PeerId, RoomKey, SlotRef, Slots, SourcePacket,
    ViewSpec,
};
use str0m::bwe::{Bitrate, BweKind};
use str0m::change::SdpOffer;
use str0m::config::{CryptoProvider, DtlsCert};
use str0m::format::Codec as EngineCodec;
use str0m::media::{KeyframeRequestKind, Mid, Pt, Rid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{AbsCaptureTime, Extension, ExtensionMap, RtpPacket, Ssrc};
use str0m::{Candidate, Event, IceConnectionState, Input, Output, Rtc, RtcConfig};

use crate::api::{ConnectError, ConnectSpec, MidMap};
use crate::offer;
use crate::registry::Place;

/// Deadlines this close are due already: str0m's pacer asks for the clock again
/// a microsecond after each packet, and a frame must leave in one visit.
const INLINE: Duration = Duration::from_micros(200);
/// Most clock inputs of one visit; the rest waits for the timer.
const MAX_INLINE: usize = 256;
/// Most outputs of one visit; the rest waits for the timer.
const MAX_OUTPUTS: usize = 2_048;
/// Largest RTP payload forwarded, bytes. With header, extensions, tag and IPv6 it
/// still fits an Ethernet frame; browsers stay below 1,200.
const MAX_PAYLOAD: usize = 1_350;
/// Streams a client may send at once; the table starts anew when full.
const MAX_STREAMS_IN: usize = 32;
/// Packets kept per video slot to answer NACKs.
const RTX_PACKETS: usize = 256;
/// Interval of str0m's statistics; each walks all streams of the connection.
const STATS_INTERVAL: Duration = Duration::from_secs(5);
/// Errors str0m may report on received datagrams before we give up on it.
const MAX_REFUSED: u32 = 64;
/// Candidates taken from a client after its offer.
const MAX_CANDIDATES: u32 = 32;
/// Seconds from 1900 (NTP) to 1970.
const NTP_UNIX_OFFSET: u64 = 2_208_988_800;

/// What all connections of a process share.
pub(crate) struct SessionFactory {
    provider: Arc<CryptoProvider>,
    certificate: DtlsCert,
    candidates: Vec<SocketAddr>,
    initial_estimate: u64,
}

/// Receives what a session puts out.
pub(crate) trait Sink {
    /// A datagram to send from an announced address.
    fn transmit(&mut self, source: SocketAddr, destination: SocketAddr, bytes: &[u8]);
    /// Something to act upon.
    fn event(&mut self, event: SessionEvent);
}

/// What happened in a session.
#[derive(Debug, Clone)]
pub(crate) enum SessionEvent {
    /// DTLS is done.
    Connected,
    /// The client closed DTLS, or str0m gave up.
    Closed,
    /// A packet of the publisher.
    Rtp { kind: Kind, packet: SourcePacket },
    /// The client's decoder wants a keyframe.
    KeyframeWanted(SlotRef),
    /// Bandwidth towards the client, bits per second.
    Estimate(u64),
}

/// A session is beyond repair.
#[derive(Debug, thiserror::Error)]
#[error("session failed: {0}")]
pub(crate) struct SessionError(#[from] str0m::RtcError);

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

/// One connection.
pub(crate) struct Session {
    pub(crate) room: RoomKey,
    pub(crate) peer: PeerId,
    pub(crate) epoch: Epoch,
    pub(crate) slots: Slots,
    /// Latest wishes of the control plane.
    pub(crate) allow: Allow,
    pub(crate) view: ViewSpec,
    /// ICE user name and password of our side.
    pub(crate) ufrag: String,
    password: String,
    /// Addresses of the client proved by STUN, oldest first.
    pub(crate) addresses: Vec<SocketAddr>,
    /// When something authentic was heard last.
    pub(crate) last_heard: Instant,
    pub(crate) connected: bool,
    /// When str0m wants the clock next.
    pub(crate) deadline: Instant,
    /// Armed entry of the shard's timer heap.
    pub(crate) armed: Option<Instant>,
    pub(crate) counters: SessionCounters,
    pub(crate) report: Report,
    rtc: Rtc,
    /// Latest time given to str0m; never goes back.
    clock: Instant,
    /// ICE has a working pair; without it nothing is sent to the client.
    reachable: bool,
    saw_twcc: bool,
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

impl SessionFactory {
    /// Makes the process's certificate.
    ///
    /// # Errors
    /// The cryptographic back end cannot make one.
    pub(crate) fn new(candidates: Vec<SocketAddr>, initial_estimate: u64) -> Result<Self, String> {
        let provider = str0m::crypto::from_feature_flags();
        let certificate = provider
            .dtls_provider
            .generate_certificate()
            .ok_or("the cryptographic library makes no certificates")?;
        Ok(Self {
            provider: Arc::new(provider),
            certificate,
            candidates,
            initial_estimate,
        })
    }

    fn config(&self) -> RtcConfig {
        let mut extensions = ExtensionMap::empty();
        extensions.set(1, Extension::AudioLevel);
        extensions.set(2, Extension::AbsoluteSendTime);
        extensions.set(3, Extension::TransportSequenceNumber);
        extensions.set(4, Extension::RtpMid);
        extensions.set(5, Extension::AbsoluteCaptureTime);
        extensions.set(10, Extension::RtpStreamId);
        extensions.set(11, Extension::RepairedRtpStreamId);
        // No video orientation: it is not forwarded, so browsers must turn the
        // picture themselves, which they do where it is not negotiated.
        let mut config = RtcConfig::new()
            .set_crypto_provider(self.provider.clone())
            .set_dtls_cert(self.certificate.clone())
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_opus(true, true)
            .enable_vp8(true)
            .set_extension_map(extensions)
            .set_send_buffer_video(RTX_PACKETS)
            .set_send_buffer_audio(1)
            .set_stats_interval(Some(STATS_INTERVAL))
            .enable_bwe(Some(Bitrate::from(self.initial_estimate)));
        // Constrained baseline 3.1, packetization mode 1.
        config
            .codec_config()
            .add_h264(108.into(), Some(109.into()), true, 0x42_e01f);
        config
    }

    /// Builds a session and the SDP answer from an offer.
    ///
    /// # Errors
    /// The offer is refused. A panic of the engine on a hostile offer becomes
    /// [`ConnectError::Internal`].
    pub(crate) fn accept(
        &self,
        now: Instant,
        spec: &ConnectSpec<'_>,
        epoch: Epoch,
        place: Place,
    ) -> Result<(Session, String), ConnectError> {
        let mids = offer::check(spec.offer, &spec.sends, spec.slots)?;
        let (rtc, answer) = contained(|| {
            let mut rtc = self.config().build(now);
            for address in &self.candidates {
                if let Ok(candidate) = Candidate::host(*address, "udp") {
                    rtc.add_local_candidate(candidate);
                }
            }
            let answer = accept_offer(&mut rtc, spec.offer)?;
            Ok((rtc, answer))
        })?;
        let mut session = Session {
            room: spec.room,
            peer: spec.peer,
            epoch,
            slots: spec.slots,
            allow: spec.allow,
            view: ViewSpec::default(),
            ufrag: String::new(),
            password: String::new(),
            addresses: Vec::new(),
            last_heard: now,
            connected: false,
            deadline: now,
            armed: None,
            counters: SessionCounters::default(),
            report: Report {
                estimate: self.initial_estimate,
                ..Report::default()
            },
            rtc,
            clock: now,
            reachable: true,
            saw_twcc: false,
            refused: 0,
            candidates: 0,
            sends: mids
                .sends
                .iter()
                .map(|(kind, mid)| (Mid::from(mid.as_str()), *kind))
                .collect(),
            mids,
            payload_types: Vec::new(),
            streams_in: Vec::new(),
            audio: Vec::new(),
            video: Vec::new(),
            screen: Vec::new(),
            _place: place,
        };
        session.read_credentials();
        session.read_negotiated()?;
        Ok((session, answer))
    }
}

fn accept_offer(rtc: &mut Rtc, offer: &str) -> Result<String, ConnectError> {
    let malformed = |e: &dyn std::fmt::Display| ConnectError::Malformed(short(e.to_string()));
    let offer = SdpOffer::from_sdp_string(offer).map_err(|e| malformed(&e))?;
    let answer = rtc
        .sdp_api()
        .accept_offer(offer)
        .map_err(|e| malformed(&e))?;
    Ok(answer.to_sdp_string())
}

/// Error texts may quote the offer; what goes into logs and replies is bounded.
fn short(mut text: String) -> String {
    let end = text.char_indices().nth(160).map_or(text.len(), |(i, _)| i);
    text.truncate(end);
    text
}

/// Runs engine code that handles a client's bytes: a panic costs this
/// connection, nothing else.
pub(crate) fn contained<T>(
    work: impl FnOnce() -> Result<T, ConnectError>,
) -> Result<T, ConnectError> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work))
        .unwrap_or(Err(ConnectError::Internal))
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

    fn read_credentials(&mut self) {
        let credentials = self.rtc.direct_api().local_ice_credentials();
        self.ufrag = credentials.ufrag;
        self.password = credentials.pass;
    }

    /// Looks up payload types and SSRCs the answer settled.
    fn read_negotiated(&mut self) -> Result<(), ConnectError> {
        self.payload_types.clear();
        for params in self.rtc.codec_config().params() {
            let Some(codec) = known(params.spec().codec) else {
                continue;
            };
            self.payload_types
                .push((params.pt(), Carries::Plain(codec)));
            if let Some(red) = params.red() {
                self.payload_types.push((red, Carries::Red));
            }
        }
        let mids = std::mem::take(&mut self.mids);
        for (index, (_, mid)) in mids.sends.iter().enumerate() {
            let negotiated = self.rtc.media(mid.as_str().into());
            if !negotiated.is_some_and(|m| !m.remote_pts().is_empty()) {
                return Err(ConnectError::NoCodec { index });
            }
        }
        let mut index = mids.sends.len();
        let mut slots = |list: &[String]| {
            list.iter()
                .map(|mid| {
                    let slot = self.out_slot(mid).ok_or(ConnectError::NoCodec { index });
                    index += 1;
                    slot
                })
                .collect::<Result<Vec<_>, _>>()
        };
        let (audio, video, screen) = (
            slots(&mids.audio)?,
            slots(&mids.video)?,
            slots(&mids.screen)?,
        );
        (self.audio, self.video, self.screen) = (audio, video, screen);
        self.mids = mids;
        Ok(())
    }

    fn out_slot(&mut self, mid: &str) -> Option<OutSlot> {
        let mid = Mid::from(mid);
        let offered = self.rtc.media(mid)?.remote_pts().to_vec();
        let find = |wanted| {
            self.payload_types
                .iter()
                .find(|(pt, carries)| *carries == Carries::Plain(wanted) && offered.contains(pt))
                .map(|(pt, _)| *pt)
        };
        let (opus, vp8, h264) = (find(Codec::Opus), find(Codec::Vp8), find(Codec::H264));
        opus.or(vp8).or(h264)?;
        let mut api = self.rtc.direct_api();
        let stream = api.stream_tx_by_mid(mid, None)?;
        Some(OutSlot {
            mid,
            ssrc: stream.ssrc(),
            opus,
            vp8,
            h264,
        })
    }

    /// Accepts a new offer with the same m-lines: an ICE restart when its
    /// credentials are new. Our own then change too.
    pub(crate) fn restart(&mut self, offer: &str) -> Result<String, ConnectError> {
        let sends: Vec<Kind> = self.mids.sends.iter().map(|(kind, _)| *kind).collect();
        if offer::check(offer, &sends, self.slots)? != self.mids {
            return Err(ConnectError::Malformed(
                "a new offer must keep the tags of the media lines".into(),
            ));
        }
        let answer = contained(|| accept_offer(&mut self.rtc, offer))?;
        self.read_credentials();
        self.read_negotiated()?;
        self.reachable = true;
        Ok(answer)
    }

    /// A candidate found after the offer. Names (mDNS) and TCP are of no use to
    /// us: the client's own checks reach us and reveal its address.
    pub(crate) fn add_candidate(&mut self, text: &str) {
        if self.candidates >= MAX_CANDIDATES || text.len() > 512 {
            return;
        }
        let text = text.strip_prefix("a=").unwrap_or(text);
        if let Ok(candidate) = Candidate::from_sdp_string(text) {
            self.candidates += 1;
            self.rtc.add_remote_candidate(candidate);
        }
    }

    /// Gives a datagram of the client to str0m and drains it.
    pub(crate) fn receive(
        &mut self,
        now: Instant,
        source: SocketAddr,
        destination: SocketAddr,
        bytes: &[u8],
        sink: &mut impl Sink,
    ) -> Result<(), SessionError> {
        self.advance(now);
        let Ok(receive) = Receive::new(Protocol::Udp, source, destination, bytes) else {
            self.counters.refused += 1;
            return Ok(());
        };
        if let Err(error) = self.rtc.handle_input(Input::Receive(self.clock, receive)) {
            // Anyone who can forge the source address can send a broken record.
            self.counters.refused += 1;
            self.refused += 1;
            if self.refused > MAX_REFUSED || !self.rtc.is_alive() {
                return Err(error.into());
            }
        }
        self.drain(sink)
    }

    /// Gives the clock to str0m and drains it.
    pub(crate) fn timeout(
        &mut self,
        now: Instant,
        sink: &mut impl Sink,
    ) -> Result<(), SessionError> {
        self.advance(now);
        self.rtc.handle_input(Input::Timeout(self.clock))?;
        self.drain(sink)
    }

    /// Says goodbye: RTCP BYE and DTLS close_notify.
    pub(crate) fn close(&mut self, now: Instant, sink: &mut impl Sink) {
        self.advance(now);
        if self.rtc.close().is_ok() {
            let _ = self.drain(sink);
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
        self.deadline = self.clock;
    }

    /// Tells the estimator what the view is worth, so that it looks for room up
    /// to there and not beyond.
    pub(crate) fn set_desired(&mut self, view: &ViewSpec) {
        let desired = Bitrate::from(desired_rate(view));
        self.rtc.bwe().set_bitrate(Bitrate::ZERO, desired);
        self.deadline = self.clock;
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
                    self.deadline = at;
                    if at > inline_until || inline >= MAX_INLINE {
                        return Ok(());
                    }
                    inline += 1;
                    self.clock = self.clock.max(at);
                    self.rtc.handle_input(Input::Timeout(self.clock))?;
                }
                Output::Transmit(t) => sink.transmit(t.source, t.destination, &t.contents),
                Output::Event(event) => self.on_event(event, sink),
            }
        }
        self.deadline = self.clock;
        Ok(())
    }

    fn on_event(&mut self, event: Event, sink: &mut impl Sink) {
        match event {
            Event::RtpPacket(packet) => self.on_rtp(packet, sink),
            Event::Connected => {
                self.connected = true;
                sink.event(SessionEvent::Connected);
            }
            Event::IceConnectionStateChange(state) => {
                self.reachable = !matches!(state, IceConnectionState::Disconnected);
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
        self.report.estimate = estimate.as_u64();
        sink.event(SessionEvent::Estimate(self.report.estimate));
    }

    fn slot_of(&self, mid: Mid) -> Option<SlotRef> {
        let find = |list: &[OutSlot]| {
            let index = list.iter().position(|s| s.mid == mid)?;
            u8::try_from(index).ok()
        };
        find(&self.video)
            .map(SlotRef::Video)
            .or_else(|| find(&self.screen).map(SlotRef::Screen))
            .or_else(|| find(&self.audio).map(SlotRef::Audio))
    }

    fn on_rtp(&mut self, packet: RtpPacket, sink: &mut impl Sink) {
        self.last_heard = self.clock;
        let Some((kind, layer)) = self.stream_in(packet.header.ssrc) else {
            self.counters.unknown_ssrc += 1;
            return;
        };
        let carries = self
            .payload_types
            .iter()
            .find(|(pt, _)| *pt == packet.header.payload_type)
            .map(|(_, carries)| *carries);
        let (codec, payload) = match carries {
            Some(Carries::Plain(codec)) => (codec, packet.payload),
            Some(Carries::Red) => match lophoc_media::red::primary(&packet.payload) {
                Some(primary) => (Codec::Opus, Arc::from(primary.payload)),
                None => return self.counters.refused += 1,
            },
            None => return self.counters.unknown_ssrc += 1,
        };
        if (codec == Codec::Opus) != kind.is_audio() {
            self.counters.unknown_ssrc += 1;
            return;
        }
        if payload.len() > MAX_PAYLOAD {
            self.counters.oversize += 1;
            return;
        }
        if payload.is_empty() {
            return; // padding of a bandwidth probe
        }
        self.counters.rtp_in += 1;
        let extensions = &packet.header.ext_vals;
        let packet = SourcePacket {
            codec,
            layer,
            seq: *packet.seq_no,
            ts: packet.header.timestamp,
            marker: packet.header.marker,
            level: extensions.audio_level.map(|v| v.unsigned_abs().min(127)),
            capture_ntp: extensions
                .abs_capture_time
                .and_then(|t| to_ntp(t.capture_time)),
            payload,
        };
        sink.event(SessionEvent::Rtp { kind, packet });
    }

    /// What a stream of the client carries, remembered per SSRC.
    fn stream_in(&mut self, ssrc: Ssrc) -> Option<(Kind, Layer)> {
        if let Some((_, of)) = self.streams_in.iter().find(|(known, _)| *known == ssrc) {
            return *of;
        }
        let (mid, rid) = {
            let mut api = self.rtc.direct_api();
            let stream = api.stream_rx(&ssrc)?;
            (stream.mid(), stream.rid())
        };
        let kind = self.sends.iter().find(|(m, _)| *m == mid).map(|(_, k)| *k);
        let of = kind.zip(layer_of(rid));
        if self.streams_in.len() >= MAX_STREAMS_IN {
            self.streams_in.clear();
        }
        self.streams_in.push((ssrc, of));
        of
    }
}

/// Simulcast rids are q, h, f from small to large; a stream without is single.
fn layer_of(rid: Option<Rid>) -> Option<Layer> {
    match rid.as_deref() {
        None | Some("q") => Some(Layer(0)),
        Some("h") => Some(Layer(1)),
        Some("f") => Some(Layer(2)),
        Some(_) => None,
    }
}

fn known(codec: EngineCodec) -> Option<Codec> {
    match codec {
        EngineCodec::Opus => Some(Codec::Opus),
        EngineCodec::Vp8 => Some(Codec::Vp8),
        EngineCodec::H264 => Some(Codec::H264),
        _ => None,
    }
}

/// NTP 32.32 of a point in time.
fn to_ntp(time: SystemTime) -> Option<u64> {
    let since = time.duration_since(UNIX_EPOCH).ok()?;
    let seconds = since.as_secs().checked_add(NTP_UNIX_OFFSET)? & 0xffff_ffff;
    let fraction = (u64::from(since.subsec_nanos()) << 32) / 1_000_000_000;
    Some(seconds << 32 | fraction)
}

/// The point in time of NTP 32.32, in the era that began in 1900.
fn from_ntp(ntp: u64) -> Option<SystemTime> {
    let seconds = (ntp >> 32).checked_sub(NTP_UNIX_OFFSET)?;
    let nanos = ((ntp & 0xffff_ffff) * 1_000_000_000).div_ceil(1 << 32);
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds) + Duration::from_nanos(nanos))
}

/// What a view would take at best, bits per second: the rates browsers use for
/// our layers (web client: q ≤ 120, h ≤ 400, f ≤ 1,200 kbit/s) and audio, with a
/// fifth on top for retransmission and the estimator's own caution.
fn desired_rate(view: &ViewSpec) -> u64 {
    const AUDIO: u64 = 160_000;
    let video: u64 = match view.mode {
        Mode::AudioOnly => 0,
        Mode::Normal | Mode::Save => view
            .wishes
            .iter()
            .filter(|wish| wish.source.is_some())
            .map(|wish| match (wish.height, view.mode) {
                (0, _) => 0,
                (_, Mode::Save) | (1..=180, _) => 150_000,
                (181..=360, _) => 500_000,
                (361..=720, _) => 1_700_000,
                _ => 2_500_000,
            })
            .sum(),
    };
    (AUDIO + video) * 6 / 5
}

impl Session {
    /// The slot's place, if it exists.
    fn place(&self, slot: SlotRef) -> Option<&OutSlot> {
        match slot {
            SlotRef::Audio(i) => self.audio.get(usize::from(i)),
            SlotRef::Video(i) => self.video.get(usize::from(i)),
            SlotRef::Screen(i) => self.screen.get(usize::from(i)),
        }
    }

    /// Whether media may be sent now.
    pub(crate) fn can_send(&self) -> bool {
        self.connected && self.reachable
    }

    /// Puts one packet into str0m's queue of its slot; it leaves with the next
    /// clock input.
    pub(crate) fn enqueue(&mut self, forward: Forward) {
        let Some(slot) = self.place(forward.slot) else {
            self.counters.no_codec += 1;
            return;
        };
        let pt = match forward.codec {
            Codec::Opus => slot.opus,
            Codec::Vp8 => slot.vp8,
            Codec::H264 => slot.h264,
        };
        let (Some(pt), mid, ssrc) = (pt, slot.mid, slot.ssrc) else {
            self.counters.no_codec += 1;
            return;
        };
        let clock = self.clock;
        let mut api = self.rtc.direct_api();
        let Some(stream) = api.stream_tx(&ssrc) else {
            self.counters.no_codec += 1;
            return;
        };
        stream.write_rtp(to_write(forward, pt, mid, clock));
        self.counters.rtp_out += 1;
    }
}

fn to_write(forward: Forward, pt: Pt, mid: Mid, clock: Instant) -> str0m::rtp::RtpWrite {
    let mut extensions = str0m::rtp::ExtensionValues::default();
    // Stamped on every packet: a browser that lost its binding of SSRC to m-line
    // (Chromium 148 and later) finds it again. Retransmissions inherit it.
    extensions.mid = Some(mid);
    if let Some(level) = forward.level {
        extensions.audio_level = i8::try_from(level).ok().map(|v| -v);
        extensions.voice_activity = Some(level < 127);
    }
    if let Some(capture_time) = forward.capture_ntp.and_then(from_ntp) {
        extensions.abs_capture_time = Some(AbsCaptureTime {
            capture_time,
            clock_offset: None,
        });
    }
    let patch = forward.vp8.and_then(|numbers| {
        let descriptor = str0m::rtp::Vp8Descriptor::parse(&forward.payload).ok()?;
        let both = descriptor
            .patch()
            .picture_id(numbers.picture_id)
            .tl0_pic_idx(numbers.tl0)
            .build();
        both.or_else(|_| descriptor.patch().picture_id(numbers.picture_id).build())
            .ok()
    });
    let write =
        str0m::rtp::RtpWrite::new(pt, forward.seq.into(), forward.ts, clock, forward.payload)
            .marker(forward.marker)
            .ext_vals(extensions)
            .nackable(forward.codec != Codec::Opus);
    match patch {
        Some(patch) => write.vp8_patch(patch),
        None => write,
    }
}
