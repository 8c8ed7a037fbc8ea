//! Building a session from an offer, and renewing it by another.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lophoc_media::core::Listed;
use lophoc_media::rate::RateConfig;
use lophoc_media::types::{Codec, Epoch, Kind, ViewSpec};
use str0m::bwe::Bitrate;
use str0m::change::SdpOffer;
use str0m::config::{CryptoProvider, DtlsCert};
use str0m::format::{Codec as EngineCodec, PayloadParams};
use str0m::media::{Mid, Pt};
use str0m::net::TcpType;
use str0m::rtp::{Extension, ExtensionMap};
use str0m::{Candidate, Rtc, RtcConfig};

use super::{Carries, OutSlot, Report, Session, SessionCounters};
use crate::api::{ConnectError, ConnectSpec};
use crate::egress::{Direct, EgressKind, ExtensionIds, OutStream, PayloadType, Tag, WallClock};
use crate::offer;
use crate::registry::Place;
use crate::srtp;

/// Packets kept per video slot to answer NACKs.
const RTX_PACKETS: usize = 256;
/// Interval of str0m's statistics; each walks all streams of the connection.
const STATS_INTERVAL: Duration = Duration::from_secs(5);
/// Interval of the engine's reports to publishers where it reports nothing else;
/// each walks all streams of the connection.
const REPORT_INTERVAL: Duration = Duration::from_secs(3);
/// What is never thought less of a path, bit/s.
const LEAST_ESTIMATE: u64 = 10_000;
/// What is never thought more of a path, bit/s.
const MOST_ESTIMATE: u64 = 100_000_000;
/// Length of the name under which all streams of a connection are reported.
const NAME: usize = 16;

/// What all connections of a process share.
pub(crate) struct SessionFactory {
    provider: Arc<CryptoProvider>,
    certificate: DtlsCert,
    candidates: Vec<SocketAddr>,
    /// Whether each candidate is offered for TCP too.
    tcp: bool,
    initial_estimate: u64,
    egress: EgressKind,
    clock: WallClock,
}

impl SessionFactory {
    /// Makes the process's certificate.
    ///
    /// # Errors
    /// The cryptographic back end cannot make one.
    pub(crate) fn new(
        candidates: Vec<SocketAddr>,
        tcp: bool,
        initial_estimate: u64,
        egress: EgressKind,
        clock: WallClock,
    ) -> Result<Self, String> {
        let provider = match egress {
            EgressKind::Direct => srtp::provider(),
            EgressKind::Engine => str0m::crypto::from_feature_flags(),
        };
        let certificate = provider
            .dtls_provider
            .generate_certificate()
            .ok_or("the cryptographic library makes no certificates")?;
        Ok(Self {
            provider: Arc::new(provider),
            certificate,
            candidates,
            tcp,
            initial_estimate,
            egress,
            clock,
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
            .set_send_buffer_audio(1);
        config = match self.egress {
            EgressKind::Direct => config
                .set_rtcp_report_interval_audio(REPORT_INTERVAL)
                .set_rtcp_report_interval_video(REPORT_INTERVAL),
            EgressKind::Engine => config
                .set_stats_interval(Some(STATS_INTERVAL))
                .enable_bwe(Some(Bitrate::from(self.initial_estimate))),
        };
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
            // After UDP and of lower priority: the way for who has no other.
            for address in self.candidates.iter().filter(|_| self.tcp) {
                let passive = Candidate::builder().tcp().host(*address);
                if let Ok(candidate) = passive.tcptype(TcpType::Passive).build() {
                    rtc.add_local_candidate(candidate);
                }
            }
            let answer = accept_offer(&mut rtc, spec.offer)?;
            Ok((rtc, answer))
        })?;
        let mut session = Session {
            room: spec.room,
            group: spec.group,
            peer: spec.peer,
            epoch,
            slots: spec.slots,
            allow: spec.allow,
            listed: Listed::All,
            view: ViewSpec::default(),
            ufrag: String::new(),
            password: String::new(),
            addresses: Vec::new(),
            streams: Vec::new(),
            last_heard: now,
            connected: false,
            deadline: now,
            engine_at: now,
            armed: None,
            counters: SessionCounters::default(),
            report: Report {
                estimate: self.initial_estimate,
                ..Report::default()
            },
            rtc,
            direct: None,
            path: None,
            clock: now,
            reachable: true,
            saw_twcc: false,
            resting: None,
            desired: 0,
            began_anew: None,
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
        if self.egress == EgressKind::Direct {
            let rate = RateConfig {
                initial: self.initial_estimate,
                least: LEAST_ESTIMATE,
                most: MOST_ESTIMATE,
            };
            session.direct = Some(Box::new(Direct::new(now, spec.slots, &rate, self.clock)));
        }
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
fn contained<T>(work: impl FnOnce() -> Result<T, ConnectError>) -> Result<T, ConnectError> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work))
        .unwrap_or(Err(ConnectError::Internal))
}

impl Session {
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
            if negotiated.is_none_or(|m| m.remote_pts().is_empty()) {
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
        self.read_streams()
    }

    /// The same for our own way out.
    fn read_streams(&mut self) -> Result<(), ConnectError> {
        if self.direct.is_none() {
            return Ok(());
        }
        let slots: Vec<OutSlot> = [&self.audio, &self.video, &self.screen]
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        let streams = slots.iter().map(|slot| self.out_stream(slot)).collect();
        let name: String = self.ufrag.chars().take(NAME).collect();
        let fits = self
            .direct
            .as_mut()
            .is_none_or(|direct| direct.set_streams(streams, name));
        fits.then_some(()).ok_or(ConnectError::Internal)
    }

    fn out_stream(&mut self, slot: &OutSlot) -> OutStream {
        let resend = |rtc: &Rtc, plain: Option<Pt>| {
            let plain = plain?;
            let params = rtc.codec_config().params().iter();
            let resend = params
                .filter(|p| p.pt() == plain)
                .find_map(PayloadParams::resend);
            Some(PayloadType {
                plain: *plain,
                resend: resend.map(|pt| *pt),
            })
        };
        let ids = self.rtc.media(slot.mid).map(|media| {
            let map = media.remote_extmap();
            let id = |extension| ExtensionIds::usable(map.id_of(extension));
            ExtensionIds {
                mid: id(Extension::RtpMid),
                transport: id(Extension::TransportSequenceNumber),
                send_time: id(Extension::AbsoluteSendTime),
                level: id(Extension::AudioLevel),
                capture: id(Extension::AbsoluteCaptureTime),
            }
        });
        let resend_ssrc = self
            .rtc
            .direct_api()
            .stream_tx(&slot.ssrc)
            .and_then(|stream| stream.rtx());
        // Kept only where the client offered it too.
        let params = self.rtc.codec_config().params().iter();
        let red = params
            .filter(|params| Some(params.pt()) == slot.opus)
            .find_map(PayloadParams::red);
        OutStream {
            ssrc: *slot.ssrc,
            resend_ssrc: resend_ssrc.map(|ssrc| *ssrc),
            tag: Tag::new(&slot.mid),
            ids: ids.unwrap_or_default(),
            opus: resend(&self.rtc, slot.opus),
            red: red.map(|pt| PayloadType {
                plain: *pt,
                resend: None,
            }),
            vp8: resend(&self.rtc, slot.vp8),
            h264: resend(&self.rtc, slot.h264),
            ..OutStream::default()
        }
        .measure()
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
        self.engine_at = self.clock;
        self.reachable = true;
        Ok(answer)
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
