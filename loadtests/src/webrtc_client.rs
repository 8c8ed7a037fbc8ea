//! The same client made with the `webrtc` crate: an implementation independent
//! of the server's engine.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lophoc_protocol::{MediaKind, Profile, SlotCounts};
use rtc::peer_connection::configuration::media_engine::{
    MIME_TYPE_OPUS, MIME_TYPE_RTX, MIME_TYPE_VP8,
};
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtp::extension::HeaderExtension;
use rtc::rtp::extension::audio_level_extension::AudioLevelExtension;
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters,
    RTCRtpEncodingParameters, RTCRtpHeaderExtensionCapability, RtpCodecKind,
};
use tokio::sync::watch;
use webrtc::media_stream::MediaStreamTrack;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::{
    MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler,
    RTCConfigurationBuilder, RTCIceGatheringState, RTCPeerConnectionState, RTCSessionDescription,
    Registry, register_default_interceptors,
};
use webrtc::rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit};

use crate::error::{LoadError, Result};
use crate::feedback::Reception;
use crate::learner::{CONNECT_TIMEOUT, Received};
use crate::pattern::StampClock;

/// Payload type of VP8.
pub const VIDEO_PT: u8 = 96;
/// Payload type of Opus.
pub const AUDIO_PT: u8 = 111;
/// Payload type of retransmissions.
const RTX_PT: u8 = 97;
/// Most streams counted.
const MAX_STREAMS: usize = 64;

fn failed(why: impl std::fmt::Display) -> LoadError {
    LoadError::Media(why.to_string())
}

#[derive(Default)]
struct Counts {
    received: Received,
    streams: BTreeMap<u32, (Reception, u64)>,
    lost_before: u64,
}

/// What the event handler writes.
struct Shared {
    clock: StampClock,
    counts: Mutex<Counts>,
    is_connected: AtomicBool,
    gathered: watch::Sender<bool>,
    connected: watch::Sender<Option<Instant>>,
    first_video: watch::Sender<Option<Instant>>,
}

impl Shared {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, packet: &rtc::rtp::Packet) {
        let now = Instant::now();
        let header = &packet.header;
        let mut counts = self.counts();
        let counts = &mut *counts;
        match header.payload_type {
            VIDEO_PT => {
                counts.received.video += 1;
                self.first_video.send_if_modified(|first| {
                    let new = first.is_none();
                    first.get_or_insert(now);
                    new
                });
                if let Some(sent) = self.clock.read_video(&packet.payload) {
                    counts
                        .received
                        .video_latency
                        .record(now.saturating_duration_since(sent));
                }
            }
            AUDIO_PT => {
                counts.received.audio += 1;
                for sent in self.clock.read_audio(&packet.payload) {
                    counts
                        .received
                        .audio_latency
                        .record(now.saturating_duration_since(sent));
                }
            }
            _ => {
                counts.received.other += 1;
                return;
            }
        }
        if let Some((stream, packets)) = counts.streams.get_mut(&header.ssrc) {
            stream.note(header.sequence_number);
            *packets += 1;
        } else if counts.streams.len() < MAX_STREAMS {
            counts
                .streams
                .insert(header.ssrc, (Reception::new(header.sequence_number), 1));
        }
    }
}

struct Handler(Arc<Shared>);

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            self.0.gathered.send_replace(true);
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        let up = state == RTCPeerConnectionState::Connected;
        self.0.is_connected.store(up, Ordering::Relaxed);
        if up {
            self.0.connected.send_if_modified(|at| {
                let new = at.is_none();
                at.get_or_insert_with(Instant::now);
                new
            });
        }
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let shared = Arc::clone(&self.0);
        tokio::spawn(async move {
            // Ends by itself when the track does.
            while let Some(event) = track.poll().await {
                match event {
                    TrackRemoteEvent::OnRtpPacket(packet) => shared.note(&packet),
                    TrackRemoteEvent::OnOpen(_) => {
                        // As a browser: the first picture must be whole.
                        if track.kind().await == RtpCodecKind::Video
                            && let Some(&media_ssrc) = track.ssrcs().await.first()
                        {
                            let pli = PictureLossIndication {
                                sender_ssrc: 0,
                                media_ssrc,
                            };
                            // The track may be gone again.
                            let _ = track.write_rtcp(vec![Box::new(pli)]).await;
                        }
                    }
                    _ => {}
                }
            }
        });
    }
}

fn codec(mime: &str, rate: u32, channels: u16, fmtp: &str) -> RTCRtpCodec {
    let feedback = |typ: &str, parameter: &str| RTCPFeedback {
        typ: typ.to_owned(),
        parameter: parameter.to_owned(),
    };
    let rtcp_feedback = if mime == MIME_TYPE_VP8 {
        vec![
            feedback("ccm", "fir"),
            feedback("nack", ""),
            feedback("nack", "pli"),
        ]
    } else {
        Vec::new()
    };
    RTCRtpCodec {
        mime_type: mime.to_owned(),
        clock_rate: rate,
        channels,
        sdp_fmtp_line: fmtp.to_owned(),
        rtcp_feedback,
    }
}

fn media_engine() -> webrtc::error::Result<MediaEngine> {
    let mut engine = MediaEngine::default();
    let codecs = [
        (
            codec(MIME_TYPE_OPUS, 48_000, 2, "minptime=10;useinbandfec=1"),
            AUDIO_PT,
            RtpCodecKind::Audio,
        ),
        (
            codec(MIME_TYPE_VP8, 90_000, 0, ""),
            VIDEO_PT,
            RtpCodecKind::Video,
        ),
        (
            codec(MIME_TYPE_RTX, 90_000, 0, "apt=96"),
            RTX_PT,
            RtpCodecKind::Video,
        ),
    ];
    for (rtp_codec, payload_type, kind) in codecs {
        engine.register_codec(
            RTCRtpCodecParameters {
                rtp_codec,
                payload_type,
            },
            kind,
        )?;
    }
    for uri in [
        "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
        "urn:ietf:params:rtp-hdrext:sdes:mid",
    ] {
        engine.register_header_extension(
            RTCRtpHeaderExtensionCapability {
                uri: uri.to_owned(),
            },
            RtpCodecKind::Audio,
            None,
        )?;
    }
    Ok(engine)
}

/// A client of the `webrtc` crate, with the m-lines of a profile.
pub struct WebrtcClient {
    connection: Arc<dyn PeerConnection>,
    shared: Arc<Shared>,
    /// Sending tracks with their SSRC.
    sends: Vec<(MediaKind, u32, Arc<TrackLocalStaticRTP>)>,
}

/// The client as learners of a lecture use it.
pub type WebrtcLearner = WebrtcClient;

impl WebrtcClient {
    /// Makes the connection of a viewer and its offer.
    pub async fn offer(ip: IpAddr, slots: SlotCounts, clock: StampClock) -> Result<(Self, String)> {
        Self::offer_as(ip, Profile::Viewer, slots, clock).await
    }

    /// Makes the connection of a profile and its offer, candidates included.
    pub async fn offer_as(
        ip: IpAddr,
        profile: Profile,
        slots: SlotCounts,
        clock: StampClock,
    ) -> Result<(Self, String)> {
        Self::offer_lines(ip, profile.sends(), slots, clock).await
    }

    /// Makes a connection that sends on these m-lines, and its offer, candidates
    /// included.
    pub async fn offer_lines(
        ip: IpAddr,
        kinds: &[MediaKind],
        slots: SlotCounts,
        clock: StampClock,
    ) -> Result<(Self, String)> {
        let (gathered, mut until_gathered) = watch::channel(false);
        let shared = Arc::new(Shared {
            clock,
            counts: Mutex::default(),
            is_connected: AtomicBool::new(false),
            gathered,
            connected: watch::channel(None).0,
            first_video: watch::channel(None).0,
        });
        let mut engine = media_engine().map_err(failed)?;
        let registry =
            register_default_interceptors(Registry::new(), &mut engine).map_err(failed)?;
        let connection = PeerConnectionBuilder::new()
            .with_configuration(RTCConfigurationBuilder::new().build())
            .with_media_engine(engine)
            .with_interceptor_registry(registry)
            .with_handler(Arc::new(Handler(Arc::clone(&shared))))
            .with_udp_addrs(vec![std::net::SocketAddr::from((ip, 0))])
            .build()
            .await
            .map_err(failed)?;
        let connection: Arc<dyn PeerConnection> = Arc::new(connection);
        let mut sends = Vec::new();
        for (index, &kind) in kinds.iter().enumerate() {
            let (line, rtp_codec) = if kind.is_audio() {
                (
                    RtpCodecKind::Audio,
                    codec(MIME_TYPE_OPUS, 48_000, 2, "minptime=10;useinbandfec=1"),
                )
            } else {
                (RtpCodecKind::Video, codec(MIME_TYPE_VP8, 90_000, 0, ""))
            };
            // Unique in this connection, which is what an SSRC has to be.
            let ssrc = 1_000 + index as u32;
            let track = Arc::new(TrackLocalStaticRTP::new(MediaStreamTrack::new(
                "lophoc-load".to_owned(),
                format!("{kind:?}"),
                format!("{kind:?}"),
                line,
                vec![RTCRtpEncodingParameters {
                    rtp_coding_parameters: RTCRtpCodingParameters {
                        ssrc: Some(ssrc),
                        ..RTCRtpCodingParameters::default()
                    },
                    codec: rtp_codec,
                    ..RTCRtpEncodingParameters::default()
                }],
            )));
            let init = RTCRtpTransceiverInit {
                direction: RTCRtpTransceiverDirection::Sendonly,
                ..RTCRtpTransceiverInit::default()
            };
            let local: Arc<dyn TrackLocal> = Arc::<TrackLocalStaticRTP>::clone(&track);
            connection
                .add_transceiver_from_track(local, Some(init))
                .await
                .map_err(failed)?;
            sends.push((kind, ssrc, track));
        }
        let groups = [
            (slots.a, RtpCodecKind::Audio),
            (slots.v, RtpCodecKind::Video),
            (slots.s, RtpCodecKind::Video),
        ];
        for (count, line) in groups {
            for _ in 0..count {
                let init = RTCRtpTransceiverInit {
                    direction: RTCRtpTransceiverDirection::Recvonly,
                    ..RTCRtpTransceiverInit::default()
                };
                connection
                    .add_transceiver_from_kind(line, Some(init))
                    .await
                    .map_err(failed)?;
            }
        }
        let offer = connection.create_offer(None).await.map_err(failed)?;
        connection
            .set_local_description(offer)
            .await
            .map_err(failed)?;
        tokio::time::timeout(CONNECT_TIMEOUT, until_gathered.wait_for(|done| *done))
            .await
            .map_err(|_| LoadError::Timeout("candidates"))?
            .map_err(failed)?;
        let offer = connection.local_description().await;
        let offer = offer.ok_or_else(|| failed("no local description"))?.sdp;
        Ok((
            Self {
                connection,
                shared,
                sends,
            },
            offer,
        ))
    }

    /// Takes the server's answer.
    pub async fn answer(&self, sdp: &str) -> Result<()> {
        let answer = RTCSessionDescription::answer(sdp.to_owned()).map_err(failed)?;
        self.connection
            .set_remote_description(answer)
            .await
            .map_err(failed)
    }

    async fn moment(
        &self,
        of: &watch::Sender<Option<Instant>>,
        what: &'static str,
    ) -> Result<Instant> {
        let mut at = of.subscribe();
        let found = tokio::time::timeout(CONNECT_TIMEOUT, at.wait_for(Option::is_some))
            .await
            .map_err(|_| LoadError::Timeout(what))?
            .map_err(failed)?;
        found.ok_or(LoadError::Timeout(what))
    }

    /// When ICE and DTLS came up.
    pub async fn connected(&self) -> Result<Instant> {
        self.moment(&self.shared.connected, "a learner's media connection")
            .await
    }

    /// When the first video packet came.
    pub async fn first_video(&self) -> Result<Instant> {
        self.moment(&self.shared.first_video, "a learner's first video packet")
            .await
    }

    /// Whether the connection is up now.
    pub fn is_connected(&self) -> bool {
        self.shared.is_connected.load(Ordering::Relaxed)
    }

    /// Takes the counters; they start anew.
    pub fn take(&self) -> Received {
        let mut counts = self.shared.counts();
        let lost: u64 = counts
            .streams
            .values()
            .map(|(stream, _)| stream.lost())
            .sum();
        let mut received = std::mem::take(&mut counts.received);
        received.lost = lost.saturating_sub(counts.lost_before);
        counts.lost_before = lost;
        received
    }

    /// Packets received so far by SSRC.
    pub fn packets_by_ssrc(&self) -> BTreeMap<u32, u64> {
        self.shared
            .counts()
            .streams
            .iter()
            .map(|(ssrc, (_, packets))| (*ssrc, *packets))
            .collect()
    }

    /// Sends one packet of an own track. `level` is the loudness in −dBov.
    pub async fn send(
        &self,
        kind: MediaKind,
        seq: u16,
        ts: u32,
        marker: bool,
        level: Option<u8>,
        payload: Vec<u8>,
    ) -> Result<()> {
        let (_, ssrc, track) = self
            .sends
            .iter()
            .find(|(sent, _, _)| *sent == kind)
            .ok_or_else(|| failed(format!("no m-line for {kind:?}")))?;
        let packet = rtc::rtp::Packet {
            header: rtc::rtp::Header {
                version: 2,
                marker,
                payload_type: if kind.is_audio() { AUDIO_PT } else { VIDEO_PT },
                sequence_number: seq,
                timestamp: ts,
                ssrc: *ssrc,
                ..rtc::rtp::Header::default()
            },
            payload: payload.into(),
        };
        match level {
            Some(level) => {
                let level = AudioLevelExtension {
                    level,
                    voice: level < 60,
                };
                let extensions = [HeaderExtension::AudioLevel(level)];
                track.write_rtp_with_extensions(packet, &extensions).await
            }
            None => track.write_rtp(packet).await,
        }
        .map_err(failed)
    }

    /// Closes the connection.
    pub async fn close(&self) {
        // The run is over; a driver that is gone already is closed.
        let _ = tokio::time::timeout(Duration::from_secs(5), self.connection.close()).await;
    }
}

/// The mid each SSRC of a description belongs to.
pub fn mids_by_ssrc(sdp: &str) -> BTreeMap<u32, String> {
    let mut mids = BTreeMap::new();
    for section in sdp.split("\nm=").skip(1) {
        let Some(mid) = section.lines().find_map(|line| line.strip_prefix("a=mid:")) else {
            continue;
        };
        for line in section.lines() {
            let ssrc = line
                .strip_prefix("a=ssrc:")
                .and_then(|rest| rest.split(' ').next());
            if let Some(ssrc) = ssrc.and_then(|text| text.parse().ok()) {
                mids.insert(ssrc, mid.to_owned());
            }
        }
    }
    mids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ssrcs_are_found_under_their_mid() {
        let sdp = "v=0\r\nm=audio 9 x 111\r\na=mid:0\r\na=ssrc:5 cname:a\r\nm=video 9 x 96\r\n\
                   a=mid:1\r\na=ssrc-group:FID 7 8\r\na=ssrc:7 cname:b\r\na=ssrc:8 cname:b\r\n";
        let mids = mids_by_ssrc(sdp);
        assert_eq!(
            mids,
            [(5, "0".into()), (7, "1".into()), (8, "1".into())].into()
        );
    }

    #[tokio::test]
    async fn the_offer_has_the_lines_of_the_profile_in_order() {
        let slots = SlotCounts { a: 3, v: 2, s: 1 };
        let clock = StampClock::default();
        let (client, offer) = WebrtcClient::offer(IpAddr::from([127, 0, 0, 1]), slots, clock)
            .await
            .unwrap();
        let kinds: Vec<&str> = offer
            .split("\nm=")
            .skip(1)
            .map(|part| part.split(' ').next().unwrap())
            .collect();
        let mut wanted = vec!["audio", "video"];
        wanted.extend(["audio"; 3]);
        wanted.extend(["video"; 3]);
        assert_eq!(kinds, wanted);
        assert_eq!(offer.matches("a=sendonly").count(), 2);
        assert!(offer.contains("a=candidate:"));
        client.close().await;
    }
}
