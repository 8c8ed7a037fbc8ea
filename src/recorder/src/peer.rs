//! The connection of one recording to the media plane: a WebRTC engine in frame
//! mode, which puts packets in order, asks for lost ones, takes redundant sound
//! apart and hands out whole frames. Touches no socket and reads no clock.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use lophoc_recording::control::SlotCounts;
use lophoc_recording::{Codec, Frame, Slot};
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::format::Codec as EngineCodec;
use str0m::media::{Direction, KeyframeRequestKind, MediaData, MediaKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, IceConnectionState, Input, Output, Rtc, RtcConfig, RtcError};

use crate::clock;

/// Packets a picture may be put in order over: the largest keyframe of a screen.
const REORDER_VIDEO: usize = 600;
/// How long a frame of sound may wait for one before it.
pub const REORDER_SOUND: Duration = Duration::from_millis(200);
/// Most outputs of one visit; the rest waits for the next.
const MAX_OUTPUTS: usize = 4_096;

/// The engine gave up, or does not like what it is told.
#[derive(Debug, thiserror::Error)]
#[error("media connection: {0}")]
pub struct PeerError(String);

fn broken(why: impl std::fmt::Display) -> PeerError {
    PeerError(why.to_string())
}

/// What the engine has to say.
#[derive(Debug)]
pub enum PeerEvent {
    /// To be sent.
    Send(SocketAddr, Vec<u8>),
    /// Media can come.
    Connected,
    /// Nothing comes any more.
    Lost,
    /// A frame.
    Frame(Slot, Frame),
}

/// The connection.
pub struct Peer {
    rtc: Rtc,
    pending: Option<SdpPendingOffer>,
    /// Line of each slot, in order.
    mids: Vec<Mid>,
    local: SocketAddr,
    /// When the engine wants the clock.
    pub deadline: Instant,
}

impl Peer {
    /// A connection and its offer.
    pub fn offer(
        now: Instant,
        local: SocketAddr,
        slots: SlotCounts,
    ) -> Result<(Self, String), PeerError> {
        let mut config = RtcConfig::new()
            .clear_codecs()
            .enable_opus(true, true)
            .enable_vp8(true)
            .set_reordering_size_video(REORDER_VIDEO)
            .set_reordering_timeout_audio(Some(REORDER_SOUND));
        // Constrained baseline 3.1, packetization mode 1, as the media plane has it.
        config
            .codec_config()
            .add_h264(108.into(), Some(109.into()), true, 0x42_e01f);
        let mut rtc = config.build(now);
        rtc.add_local_candidate(Candidate::host(local, "udp").map_err(broken)?);
        let mut api = rtc.sdp_api();
        let lines = [
            (slots.audio, MediaKind::Audio),
            (slots.video, MediaKind::Video),
            (slots.screen, MediaKind::Video),
        ];
        let mut mids = Vec::new();
        for (count, kind) in lines {
            for _ in 0..count {
                mids.push(api.add_media(kind, Direction::RecvOnly, None, None, None));
            }
        }
        let (offer, pending) = api.apply().ok_or_else(|| broken("nothing to offer"))?;
        let peer = Self {
            rtc,
            pending: Some(pending),
            mids,
            local,
            deadline: now,
        };
        Ok((peer, offer.to_sdp_string()))
    }

    /// Takes the answer. Of its addresses only `remote` counts: the one by which
    /// the media plane is reached on this machine.
    pub fn answer(&mut self, now: Instant, sdp: &str, remote: SocketAddr) -> Result<(), PeerError> {
        let Some(pending) = self.pending.take() else {
            return Err(broken("no offer waits"));
        };
        let sdp: String = sdp
            .split_inclusive('\n')
            .filter(|line| !line.starts_with("a=candidate:"))
            .collect();
        let answer = SdpAnswer::from_sdp_string(&sdp).map_err(broken)?;
        let accepted = self.rtc.sdp_api().accept_answer(pending, answer);
        accepted.map_err(broken)?;
        let candidate = Candidate::host(remote, "udp").map_err(broken)?;
        self.rtc.add_remote_candidate(candidate);
        self.deadline = now;
        Ok(())
    }

    /// A datagram.
    pub fn receive(
        &mut self,
        now: Instant,
        from: SocketAddr,
        bytes: &[u8],
    ) -> Result<(), PeerError> {
        let Ok(receive) = Receive::new(Protocol::Udp, from, self.local, bytes) else {
            // No packet of any protocol known here.
            return Ok(());
        };
        let input = Input::Receive(now, receive);
        if !self.rtc.accepts(&input) {
            return Ok(());
        }
        self.rtc.handle_input(input).map_err(broken)
    }

    /// Gives the engine the clock and takes what it has to say.
    pub fn poll(
        &mut self,
        now: Instant,
        now_ns: u64,
        mut each: impl FnMut(PeerEvent),
    ) -> Result<(), PeerError> {
        if self.pending.is_some() {
            // Nothing happens before the answer.
            self.deadline = now + Duration::from_secs(1);
            return Ok(());
        }
        self.rtc.handle_input(Input::Timeout(now)).map_err(broken)?;
        for _ in 0..MAX_OUTPUTS {
            let output = match self.rtc.poll_output() {
                // What somebody sent is no frame: it is left out, and all others go on.
                Err(RtcError::Packet(mid, _, error)) => {
                    tracing::debug!(%mid, %error, "a packet is no part of a frame");
                    continue;
                }
                output => output.map_err(broken)?,
            };
            match output {
                Output::Timeout(at) => {
                    self.deadline = at;
                    return Ok(());
                }
                Output::Transmit(send) => {
                    each(PeerEvent::Send(send.destination, send.contents.to_vec()));
                }
                Output::Event(Event::MediaData(data)) => {
                    if let Some((slot, frame)) = self.frame(data, now, now_ns) {
                        each(PeerEvent::Frame(slot, frame));
                    }
                }
                Output::Event(Event::Connected) => each(PeerEvent::Connected),
                Output::Event(Event::IceConnectionStateChange(
                    IceConnectionState::Disconnected,
                )) => each(PeerEvent::Lost),
                Output::Event(_) => {}
            }
        }
        self.deadline = now;
        Ok(())
    }

    /// Whether the engine still runs.
    pub fn is_alive(&self) -> bool {
        self.rtc.is_alive()
    }

    /// Asks whoever is in the slot for a keyframe.
    pub fn ask_keyframe(&mut self, now: Instant, slot: Slot) {
        let mid = usize::try_from(slot.0)
            .ok()
            .and_then(|at| self.mids.get(at));
        if let Some(mut writer) = mid.and_then(|mid| self.rtc.writer(*mid)) {
            // Nothing has come yet: the media plane asks for the first one by itself.
            let _ = writer.request_keyframe(None, KeyframeRequestKind::Pli);
            self.deadline = now;
        }
    }

    /// Says goodbye, so that the media plane frees the place at once.
    pub fn close(&mut self, now: Instant, now_ns: u64, mut send: impl FnMut(SocketAddr, Vec<u8>)) {
        if self.rtc.close().is_ok() {
            // What it says is all that counts; it is over either way.
            let _ = self.poll(now, now_ns, |event| {
                if let PeerEvent::Send(to, bytes) = event {
                    send(to, bytes);
                }
            });
        }
        self.rtc.disconnect();
    }

    fn frame(&self, data: MediaData, now: Instant, now_ns: u64) -> Option<(Slot, Frame)> {
        let slot = self.mids.iter().position(|mid| *mid == data.mid)?;
        let codec = match data.params.spec().codec {
            EngineCodec::Opus => Codec::Opus,
            EngineCodec::Vp8 => Codec::Vp8,
            EngineCodec::H264 => Codec::H264,
            _ => return None,
        };
        let frame = Frame {
            codec,
            rtp: data.time.numer(),
            arrival_ns: clock::boot_ns_at(data.network_time, now, now_ns),
            keyframe: data.is_keyframe(),
            contiguous: data.contiguous,
            talkspurt: data.audio_start_of_talk_spurt,
            bytes: data.data.to_vec(),
        };
        Some((Slot(u32::try_from(slot).ok()?), frame))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use std::collections::VecDeque;
    use std::net::Ipv4Addr;

    use str0m::media::Pt;
    use str0m::rtp::{ExtensionValues, RtpWrite};

    use super::*;

    const SLOTS: SlotCounts = SlotCounts {
        audio: 1,
        video: 1,
        screen: 0,
    };
    const MS: Duration = Duration::from_millis(1);
    /// One way, milliseconds.
    const WAY: u32 = 10;

    /// The media plane's side: an engine in RTP mode that answers.
    struct Sender {
        rtc: Rtc,
        address: SocketAddr,
        mids: Vec<Mid>,
        opus: Pt,
        red: Pt,
        vp8: Pt,
    }

    fn sender(now: Instant, offer: &str) -> (Sender, String) {
        let address = SocketAddr::from((Ipv4Addr::new(10, 0, 0, 1), 1_000));
        let mut rtc = RtcConfig::new()
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_opus(true, true)
            .enable_vp8(true)
            .build(now);
        rtc.add_local_candidate(Candidate::host(address, "udp").unwrap());
        let offer = str0m::change::SdpOffer::from_sdp_string(offer).unwrap();
        let answer = rtc.sdp_api().accept_offer(offer).unwrap();
        let text = answer.to_sdp_string();
        let mids = text
            .lines()
            .filter_map(|line| line.strip_prefix("a=mid:"))
            .map(Mid::from)
            .collect();
        let pt = |codec| {
            let of = |params: &str0m::format::PayloadParams| params.spec().codec == codec;
            rtc.codec_config().find(of).unwrap().pt()
        };
        let (opus, vp8) = (pt(EngineCodec::Opus), pt(EngineCodec::Vp8));
        let opus_params = rtc
            .codec_config()
            .find(|params| params.spec().codec == EngineCodec::Opus);
        let red = opus_params.unwrap().red();
        let sender = Sender {
            rtc,
            address,
            mids,
            opus,
            red: red.unwrap(),
            vp8,
        };
        (sender, text)
    }

    impl Sender {
        fn write(
            &mut self,
            line: usize,
            seq: u64,
            ts: u32,
            pt: Pt,
            now: Instant,
            payload: Vec<u8>,
        ) {
            let mut api = self.rtc.direct_api();
            let stream = api.stream_tx_by_mid(self.mids[line], None).unwrap();
            let write = RtpWrite::new(pt, seq.into(), ts, now, payload)
                .marker(true)
                .ext_vals(ExtensionValues::default())
                .nackable(line == 1);
            stream.write_rtp(write);
        }
    }

    /// A frame of VP8 in one packet: descriptor with picture id, a key or other frame.
    fn vp8(n: u64) -> Vec<u8> {
        let [high, low] = ((n & 0x7fff) as u16).to_be_bytes();
        let mut payload = vec![0x90, 0x80, 0x80 | high, low];
        if n == 0 {
            payload.extend([0x10, 0, 0, 0x9d, 0x01, 0x2a, 64, 0, 64, 0]);
        } else {
            payload.extend([0x11, 0, 0]);
        }
        payload.extend(n.to_be_bytes());
        payload
    }

    fn opus(n: u64) -> Vec<u8> {
        [&[0x78][..], &n.to_be_bytes()].concat()
    }

    /// Sound with the two frames before it (RFC 2198, 3).
    fn redundant(n: u64, pt: Pt) -> Vec<u8> {
        let older: Vec<u64> = (1..=2).rev().filter(|back| *back <= n).collect();
        let mut payload = Vec::new();
        for back in &older {
            let head = (*back as u32 * 960) << 10 | opus(n - back).len() as u32;
            payload.push(0x80 | *pt);
            payload.extend(&head.to_be_bytes()[1..]);
        }
        payload.push(*pt);
        for back in older {
            payload.extend(opus(n - back));
        }
        payload.extend(opus(n));
        payload
    }

    /// A world with two engines and a way between them that loses packets.
    /// `bad`: each 25th picture is none.
    fn play(loss_permille: u64, seconds: u64, bad: bool) -> (usize, usize, usize) {
        let start = Instant::now();
        let local = SocketAddr::from((Ipv4Addr::new(10, 0, 0, 2), 2_000));
        let (mut peer, offer) = Peer::offer(start, local, SLOTS).unwrap();
        let (mut sender, answer) = sender(start, &offer);
        peer.answer(start, &answer, sender.address).unwrap();
        let mut under_way: VecDeque<(Instant, bool, Vec<u8>)> = VecDeque::new();
        let (mut sounds, mut pictures, mut keys) = (0, 0, 0);
        let (mut connected, mut seed) = (None::<Instant>, 7_u64);
        let (mut audio, mut video) = (0_u64, 0_u64);
        for step in 0..(seconds * 1_000 + 3_000) {
            let now = start + MS * u32::try_from(step).unwrap();
            while under_way.front().is_some_and(|(at, ..)| *at <= now) {
                let (_, to_peer, bytes) = under_way.pop_front().unwrap();
                if to_peer {
                    peer.receive(now, sender.address, &bytes).unwrap();
                } else {
                    let receive =
                        Receive::new(Protocol::Udp, local, sender.address, &bytes).unwrap();
                    sender
                        .rtc
                        .handle_input(Input::Receive(now, receive))
                        .unwrap();
                }
            }
            let since = connected.map(|at| now.saturating_duration_since(at));
            if let Some(since) = since.filter(|since| since.as_secs() < seconds) {
                if since.as_millis() >= u128::from(audio) * 20 {
                    let (red, payload) = (sender.red, redundant(audio, sender.opus));
                    sender.write(0, audio, audio as u32 * 960, red, now, payload);
                    audio += 1;
                }
                if since.as_millis() >= u128::from(video) * 40 {
                    // A descriptor and nothing after it.
                    let payload = match bad && video % 25 == 10 {
                        true => vec![0x10],
                        false => vp8(video),
                    };
                    sender.write(1, video, video as u32 * 3_600, sender.vp8, now, payload);
                    video += 1;
                }
            }
            sender.rtc.handle_input(Input::Timeout(now)).unwrap();
            loop {
                match sender.rtc.poll_output().unwrap() {
                    Output::Timeout(_) => break,
                    Output::Transmit(send) => {
                        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                        // Of a stream's first packet nobody knows that it is missing.
                        let known = connected.is_some_and(|at| now > at + MS * 500);
                        let lost = known && (seed >> 33) % 1_000 < loss_permille;
                        if !lost {
                            under_way.push_back((now + MS * WAY, true, send.contents.to_vec()));
                        }
                    }
                    Output::Event(Event::Connected) => connected = Some(now),
                    Output::Event(_) => {}
                }
            }
            peer.poll(now, 1, |event| match event {
                PeerEvent::Send(_, bytes) => under_way.push_back((now + MS * WAY, false, bytes)),
                PeerEvent::Frame(Slot(0), frame) => {
                    assert_eq!(frame.codec, Codec::Opus);
                    sounds += 1;
                }
                PeerEvent::Frame(slot, frame) => {
                    assert_eq!((slot, frame.codec), (Slot(1), Codec::Vp8));
                    pictures += 1;
                    keys += usize::from(frame.keyframe);
                }
                PeerEvent::Connected | PeerEvent::Lost => {}
            })
            .unwrap();
        }
        assert_eq!(keys, 1);
        (sounds, pictures, usize::try_from(audio).unwrap())
    }

    #[test]
    fn every_frame_comes_whole_from_a_sender_of_packets() {
        let (sounds, pictures, sent) = play(0, 10, false);
        assert_eq!((sounds, pictures), (sent, sent / 2));
    }

    #[test]
    fn a_picture_that_is_none_costs_nothing_else() {
        let (sounds, pictures, sent) = play(0, 10, true);
        assert_eq!(sounds, sent);
        assert!(
            pictures * 100 >= sent / 2 * 90,
            "{pictures} of {}",
            sent / 2
        );
    }

    #[test]
    fn lost_packets_are_asked_for_and_redundancy_makes_up_for_sound() {
        let (sounds, pictures, sent) = play(50, 20, false);
        assert!(
            pictures * 100 >= sent / 2 * 99,
            "{pictures} of {}",
            sent / 2
        );
        assert!(sounds * 1_000 >= sent * 990, "{sounds} of {sent}");
    }

    #[test]
    fn what_is_no_packet_of_ours_harms_nothing() {
        let start = Instant::now();
        let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 2_000));
        let (mut peer, _) = Peer::offer(start, local, SLOTS).unwrap();
        for bytes in [
            &[][..],
            &[0],
            &[0x80; 30],
            &[0xff; 1_500],
            b"GET / HTTP/1.1",
        ] {
            let _ = peer.receive(start, local, bytes);
        }
        assert!(peer.answer(start, "v=0\r\n", local).is_err());
        assert!(peer.answer(start, "", local).is_err());
    }
}
