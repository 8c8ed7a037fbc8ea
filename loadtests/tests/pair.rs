//! Clients against a bare engine: what they send must be understood by it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // helpers of tests

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use loadtests::learner::{Depth, Learner, PayloadTypes, Received};
use loadtests::pattern::{BrowserPattern, StampClock};
use loadtests::peer::{Offered, payload_type};
use loadtests::publisher::{FrameSource, Outlet, Pace, Publisher, Vp8Numbers};
use loadtests::reactor::{Client, Reactor, Role};
use lophoc_protocol::{MediaKind, Profile, SlotCounts};
use str0m::change::SdpOffer;
use str0m::format::Codec;
use str0m::media::{KeyframeRequestKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::rtcp::{ReceptionReport, ReportList, Rtcp};
use str0m::rtp::{RawPacket, RtpWrite};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig};
use tokio::sync::oneshot;

const SLOTS: SlotCounts = SlotCounts { a: 1, v: 1, s: 0 };

/// What the bare engine saw.
#[derive(Debug, Default)]
struct Seen {
    twcc: usize,
    reports: Vec<(u32, u8)>,
    packets: usize,
    keyframes: usize,
}

/// The other side of one connection, on a thread of its own.
struct Bare {
    rtc: Rtc,
    socket: UdpSocket,
    local: SocketAddr,
    seen: Seen,
}

impl Bare {
    fn new(offer: &str) -> (Self, String) {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let local = socket.local_addr().unwrap();
        let mut rtc = RtcConfig::new()
            .set_rtp_mode(true)
            .enable_raw_packets(true)
            .build(Instant::now());
        rtc.add_local_candidate(Candidate::host(local, "udp").unwrap());
        let offer = SdpOffer::from_sdp_string(offer).unwrap();
        let answer = rtc.sdp_api().accept_offer(offer).unwrap().to_sdp_string();
        (
            Self {
                rtc,
                socket,
                local,
                seen: Seen::default(),
            },
            answer,
        )
    }

    fn reports(&mut self, blocks: &ReportList<ReceptionReport>) {
        let blocks = blocks
            .iter()
            .map(|block| (*block.ssrc, block.fraction_lost));
        self.seen.reports.extend(blocks);
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::RawPacket(raw) => match *raw {
                RawPacket::RtcpRx(Rtcp::Twcc(_)) => self.seen.twcc += 1,
                RawPacket::RtcpRx(Rtcp::ReceiverReport(report)) => self.reports(&report.reports),
                // The engine packs its reception reports into sender reports.
                RawPacket::RtcpRx(Rtcp::SenderReport(report)) => self.reports(&report.reports),
                _ => {}
            },
            Event::RtpPacket(packet) => {
                self.seen.packets += 1;
                if let Ok(vp8) = str0m::rtp::Vp8Descriptor::parse(&packet.payload) {
                    self.seen.keyframes += usize::from(vp8.starts_keyframe(&packet.payload));
                }
            }
            _ => {}
        }
    }

    /// Drives the engine until `end`; `step` runs each round once connected.
    fn run(mut self, end: Duration, mut step: impl FnMut(&mut Rtc, Instant)) -> Seen {
        let began = Instant::now();
        let mut bytes = vec![0; 2_000];
        while began.elapsed() < end {
            let next = loop {
                match self.rtc.poll_output().unwrap() {
                    Output::Timeout(next) => break next,
                    Output::Transmit(out) => {
                        self.socket.send_to(&out.contents, out.destination).unwrap();
                    }
                    Output::Event(event) => self.event(event),
                }
            };
            let wait = next.saturating_duration_since(Instant::now());
            let wait = wait.clamp(Duration::from_millis(1), Duration::from_millis(5));
            self.socket.set_read_timeout(Some(wait)).unwrap();
            if let Ok((length, from)) = self.socket.recv_from(&mut bytes) {
                let receive =
                    Receive::new(Protocol::Udp, from, self.local, &bytes[..length]).unwrap();
                self.rtc
                    .handle_input(Input::Receive(Instant::now(), receive))
                    .unwrap();
            } else {
                let now = Instant::now();
                if self.rtc.is_connected() {
                    step(&mut self.rtc, now);
                }
                self.rtc.handle_input(Input::Timeout(now)).unwrap();
            }
        }
        self.seen
    }
}

/// Streams frames of the pattern into the client's video slot.
fn stream_video(mid: Mid, clock: StampClock) -> impl FnMut(&mut Rtc, Instant) {
    let mut pattern = BrowserPattern::default();
    let mut next = None;
    let (mut frames, mut seq) = (0, 0u64);
    move |rtc, now| {
        if next.is_some_and(|next| now < next) {
            return;
        }
        next = Some(now + pattern.interval());
        let pt = payload_type(rtc, Codec::Vp8).unwrap();
        let frame = pattern.frame(frames == 0, Vp8Numbers::new(frames));
        frames += 1;
        for mut packet in frame.packets {
            clock.write(now, packet.stamp_at.unwrap(), &mut packet.payload);
            seq += 1;
            let write = RtpWrite::new(pt, seq.into(), frames as u32 * 3_000, now, packet.payload);
            rtc.direct_api()
                .stream_tx_by_mid(mid, None)
                .unwrap()
                .write_rtp(write);
            rtc.handle_input(Input::Timeout(now)).unwrap();
            // The packet leaves with the next poll of the caller.
        }
    }
}

/// A learner of the given depth receives two seconds of video.
async fn receive(depth: Depth) -> (Received, Seen) {
    let clock = StampClock::default();
    let reactor = Reactor::start("test", clock.origin()).unwrap();
    let offered = Offered::new(IpAddr::from([127, 0, 0, 1]), Profile::Viewer, SLOTS).unwrap();
    let (bare, answer) = Bare::new(&offered.sdp);
    let mut peer = offered.answer(&answer).unwrap();
    let types = PayloadTypes {
        video: payload_type(&mut peer.rtc, Codec::Vp8).unwrap(),
        audio: payload_type(&mut peer.rtc, Codec::Opus).unwrap(),
    };
    let (tell_connected, connected) = oneshot::channel();
    let (tell_video, first_video) = oneshot::channel();
    let learner = Learner::new(depth, types, clock, peer.transport_id, tell_video);
    // Two sending lines, one audio slot, then the video slot.
    let slot: Mid = answer
        .lines()
        .filter_map(|line| line.strip_prefix("a=mid:"))
        .nth(3)
        .unwrap()
        .into();
    let (tell_seen, seen) = mpsc::channel();
    let engine = std::thread::spawn(move || {
        let seen = bare.run(Duration::from_millis(2_500), stream_video(slot, clock));
        tell_seen.send(seen).unwrap();
    });
    reactor
        .add(Client::new(
            peer,
            Role::Learner(Box::new(learner)),
            tell_connected,
        ))
        .unwrap();
    connected.await.unwrap();
    first_video.await.unwrap();
    engine.join().unwrap();
    let received = reactor
        .visit(|clients| match &mut clients.first_mut().unwrap().role {
            Role::Learner(learner) => learner.take(),
            Role::Publisher(_) => unreachable!("a learner was added"),
        })
        .await
        .unwrap();
    (received, seen.recv().unwrap())
}

#[tokio::test]
async fn a_full_learner_decrypts_counts_and_reports() {
    let (received, seen) = receive(Depth::Full).await;
    assert!(received.video > 200, "{received:?}");
    assert_eq!(received.lost, 0);
    assert_eq!(received.video_latency.percentiles().count, received.video);
    assert!(seen.twcc > 10 && !seen.reports.is_empty(), "{seen:?}");
}

#[tokio::test]
async fn a_light_learner_counts_and_its_own_feedback_is_accepted() {
    let (received, seen) = receive(Depth::Light).await;
    assert!(received.video > 200, "{received:?}");
    assert_eq!(received.lost, 0);
    assert_eq!(received.video_latency.percentiles().count, 0);
    assert!(received.bytes > received.video * 900);
    assert!(seen.twcc > 10, "{seen:?}");
    let about_loss: Vec<u8> = seen.reports.iter().map(|(_, lost)| *lost).collect();
    assert!(
        !about_loss.is_empty() && about_loss.iter().all(|lost| *lost == 0),
        "{seen:?}"
    );
}

#[tokio::test]
async fn a_publisher_sends_the_pattern_and_a_keyframe_when_asked() {
    let clock = StampClock::default();
    let reactor = Reactor::start("test", clock.origin()).unwrap();
    let offered = Offered::new(IpAddr::from([127, 0, 0, 1]), Profile::Viewer, SLOTS).unwrap();
    let (bare, answer) = Bare::new(&offered.sdp);
    let mut peer = offered.answer(&answer).unwrap();
    let (_, mid) = *peer
        .sends
        .iter()
        .find(|(kind, _)| *kind == MediaKind::Camera)
        .unwrap();
    let pt = payload_type(&mut peer.rtc, Codec::Vp8).unwrap();
    let publisher = Publisher::new(clock, Pace::Browser)
        .with_video(Outlet::new(mid, pt), Box::new(BrowserPattern::default()));
    let (tell, connected) = oneshot::channel();
    let (tell_seen, seen) = mpsc::channel();
    let engine = std::thread::spawn(move || {
        let mut ask = None;
        let seen = bare.run(Duration::from_millis(2_500), |rtc, now| {
            let ask_at = *ask.get_or_insert(now + Duration::from_secs(1));
            if now >= ask_at {
                ask = Some(now + Duration::from_secs(60));
                let mut api = rtc.direct_api();
                let stream = api.stream_rx_by_mid(mid, None).unwrap();
                stream.request_keyframe(KeyframeRequestKind::Pli);
            }
        });
        tell_seen.send(seen).unwrap();
    });
    reactor
        .add(Client::new(
            peer,
            Role::Publisher(Box::new(publisher)),
            tell,
        ))
        .unwrap();
    connected.await.unwrap();
    engine.join().unwrap();
    let seen = seen.recv().unwrap();
    let sent = reactor
        .visit(|clients| match &clients.first().unwrap().role {
            Role::Publisher(publisher) => (publisher.sent, publisher.asked),
            Role::Learner(_) => unreachable!("a publisher was added"),
        })
        .await
        .unwrap();
    assert!(sent.1 >= 1, "{sent:?}");
    assert!(sent.0.keyframes >= 2, "{sent:?}");
    assert!(seen.keyframes >= 2 && seen.packets > 200, "{seen:?}");
}
