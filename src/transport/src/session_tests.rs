//! A session against a str0m client on virtual time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lophoc_media::types::*;

use crate::api::{ConnectError, ConnectSpec};
use crate::egress::direct::Path;
use crate::egress::{AnyEgress, Egress, EgressKind, WallClock};
use crate::registry::{Found, Registry};
use crate::session::{Session, SessionEvent, SessionFactory, Sink, Way};
use crate::stun::BindingRequest;
use crate::test_client::{Client, vp8};

mod codecs;
mod direct;

const SERVER: &str = "127.0.0.1:5000";
const CLIENT: &str = "127.0.0.1:6000";
const SLOTS: Slots = Slots {
    audio: 2,
    video: 2,
    screen: 1,
};
const SENDS: [Kind; 2] = [Kind::Mic, Kind::Camera];
/// Time of the wall at the start of a test.
const NTP: u64 = 3_900_000_000 << 32;

#[derive(Default)]
struct Outlet {
    datagrams: Vec<Vec<u8>>,
    events: Vec<SessionEvent>,
}

impl Sink for Outlet {
    fn transmit(&mut self, source: SocketAddr, _destination: SocketAddr, bytes: &[u8]) {
        assert_eq!(source, SERVER.parse().unwrap());
        self.datagrams.push(bytes.to_vec());
    }
    fn packet(
        &mut self,
        path: &Path,
        len: usize,
        _vital: bool,
        fill: impl FnOnce(&mut [u8]) -> bool,
    ) -> bool {
        let mut bytes = vec![0xAA; len];
        assert!(fill(&mut bytes), "a packet of {len} bytes was given up");
        self.transmit(path.source, path.destination, &bytes);
        true
    }
    fn stream(&mut self, _: SocketAddr, _: SocketAddr, _: bool, _: &[u8]) {
        panic!("these clients come by UDP alone");
    }
    fn event(&mut self, event: SessionEvent) {
        self.events.push(event);
    }
}

/// Client and session with nothing but a virtual clock between them.
struct Pair {
    now: Instant,
    client: Client,
    session: Session,
    outlet: Outlet,
    /// Every datagram the session put out.
    sent: Vec<Vec<u8>>,
}

fn accept(now: Instant, offer: &str, slots: Slots) -> Result<(Session, String), ConnectError> {
    accept_by(EgressKind::Direct, now, offer, slots)
}

fn accept_by(
    egress: EgressKind,
    now: Instant,
    offer: &str,
    slots: Slots,
) -> Result<(Session, String), ConnectError> {
    let registry = Registry::new(8);
    let spec = ConnectSpec {
        room: RoomKey(1),
        group: 0,
        peer: PeerId(1),
        sends: SENDS.to_vec(),
        slots,
        allow: Allow::default(),
        offer,
    };
    // Above the rate of the tests' frames: the pacer lets 1.1 times the estimate out.
    let factory = SessionFactory::new(
        vec![SERVER.parse().unwrap()],
        true,
        2_500_000,
        egress,
        WallClock::new(now, NTP),
    )
    .unwrap();
    factory.accept(now, &spec, Epoch(1), registry.reserve().unwrap())
}

impl Pair {
    fn connected() -> Self {
        Self::with_layers(&[])
    }

    fn with_layers(rids: &[&str]) -> Self {
        Self::of(EgressKind::Direct, rids)
    }

    fn of(egress: EgressKind, rids: &[&str]) -> Self {
        let now = Instant::now();
        let address = CLIENT.parse().unwrap();
        let (mut client, offer) = Client::build(now, address, &SENDS, SLOTS, rids);
        let (session, answer) = accept_by(egress, now, &offer, SLOTS).unwrap();
        client.accept(&answer);
        let mut pair = Self {
            now,
            client,
            session,
            outlet: Outlet::default(),
            sent: Vec::new(),
        };
        pair.run(Duration::from_secs(3));
        assert!(pair.client.connected && pair.session.connected);
        pair
    }

    /// Lets both sides talk for a while.
    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.exchange();
            let next = self.client.deadline.min(self.session.deadline);
            self.now = next.max(self.now + Duration::from_millis(1)).min(end);
            if self.client.deadline <= self.now {
                self.client.tick(self.now);
            }
            if self.session.deadline <= self.now {
                self.session.timeout(self.now, &mut self.outlet).unwrap();
            }
        }
        self.exchange();
    }

    fn exchange(&mut self) {
        self.client.drain();
        for _ in 0..100 {
            let up = std::mem::take(&mut self.client.out);
            let down = std::mem::take(&mut self.outlet.datagrams);
            if up.is_empty() && down.is_empty() {
                return;
            }
            let (client, server) = (CLIENT.parse().unwrap(), SERVER.parse().unwrap());
            for (_, bytes) in up {
                let out = &mut self.outlet;
                self.session
                    .receive(self.now, Way::Udp, client, server, &bytes, out)
                    .unwrap();
            }
            for bytes in down {
                self.client.handle(self.now, server, &bytes);
                self.sent.push(bytes);
            }
        }
    }

    /// Source packets of a kind that came out of the session.
    fn taken(&self, wanted: Kind) -> Vec<SourcePacket> {
        let is = |e: &SessionEvent| match e {
            SessionEvent::Rtp { kind, packet } if *kind == wanted => Some(packet.clone()),
            _ => None,
        };
        self.outlet.events.iter().filter_map(is).collect()
    }

    fn visit(&mut self, mut packets: Vec<Forward>) {
        AnyEgress
            .visit(self.now, &mut self.session, &mut packets, &mut self.outlet)
            .unwrap();
        assert!(packets.is_empty());
    }
}

fn frame(start: u64, packets: u64, key: bool) -> Vec<Forward> {
    (0..packets)
        .map(|n| Forward {
            slot: SlotRef::Video(0),
            codec: Codec::Vp8,
            seq: start + n,
            ts: start as u32 * 3_000,
            marker: n + 1 == packets,
            level: None,
            capture_ntp: None,
            resend: false,
            red: false,
            vp8: Some(Vp8Numbers {
                picture_id: 77,
                tl0: 5,
            }),
            payload: Arc::from(vp8(1, n == 0, key, 1_100)),
        })
        .collect()
}

fn rtp(datagrams: &[Vec<u8>]) -> usize {
    let is = |d: &&Vec<u8>| d[0] & 0xc0 == 0x80 && !(192..224).contains(&d[1]) && d.len() > 1_000;
    datagrams.iter().filter(is).count()
}

#[test]
fn a_whole_frame_leaves_in_one_visit_with_the_estimator_on() {
    let mut pair = Pair::connected();
    for n in 0..30u64 {
        pair.visit(frame(10 + n * 7, 7, n == 0));
        // Several writes, one drain: all seven are out before time moves on.
        assert_eq!(rtp(&pair.outlet.datagrams), 7, "frame {n}");
        pair.run(Duration::from_millis(33));
    }
    assert_eq!(pair.client.on_slot(2).len(), 210);
}

#[test]
fn numbers_tags_and_extensions_arrive_as_the_core_gave_them() {
    let mut pair = Pair::connected();
    let ntp = 3_900_000_000u64 << 32;
    let mut audio = frame(100, 1, false);
    audio[0] = Forward {
        slot: SlotRef::Audio(1),
        codec: Codec::Opus,
        level: Some(33),
        capture_ntp: Some(ntp),
        resend: false,
        red: false,
        vp8: None,
        payload: Arc::from([1u8, 2, 3].as_slice()),
        ..audio[0].clone()
    };
    pair.visit(audio);
    pair.visit(frame(200, 3, true));
    pair.run(Duration::from_millis(50));
    let heard = &pair.client.on_slot(1)[0];
    assert_eq!((heard.seq, heard.level), (100, Some(-33)));
    assert!(heard.has_mid && heard.has_capture_time);
    assert_eq!(heard.payload, [1, 2, 3]);
    let seen = pair.client.on_slot(2);
    assert_eq!(
        seen.iter().map(|p| p.seq).collect::<Vec<_>>(),
        [200, 201, 202]
    );
    assert!(seen.iter().all(|p| p.has_mid));
    assert!(seen[2].marker);
    // Picture id and TL0PICIDX were rewritten.
    assert_eq!(seen[0].payload[2..5], [0x80, 77, 5]);
}

#[test]
fn every_packet_carries_its_tag_even_after_the_client_reported() {
    let mut pair = Pair::connected();
    for n in 0..100u64 {
        pair.visit(frame(10 + n, 1, n == 0));
        pair.run(Duration::from_millis(50));
    }
    let seen = pair.client.on_slot(2);
    assert_eq!(seen.len(), 100);
    assert!(seen.iter().all(|p| p.has_mid));
}

#[test]
fn a_lost_packet_is_sent_again() {
    let mut pair = Pair::connected();
    let mut kept = Vec::new();
    for n in 0..40u64 {
        let packets = frame(10 + n, 1, n == 0);
        kept.extend(packets.iter().cloned());
        pair.visit(packets);
        if n == 20 {
            pair.outlet.datagrams.retain(|d| d.len() < 1_000);
        }
        pair.run(Duration::from_millis(20));
        // The core's part: it keeps what was sent.
        for event in std::mem::take(&mut pair.outlet.events) {
            if let SessionEvent::Missed { slot, seq } = event {
                let mut found = kept
                    .iter()
                    .filter(|f| f.slot == slot && f.seq == u64::from(seq));
                let again = found.next().cloned().unwrap();
                pair.visit(vec![Forward {
                    resend: true,
                    ..again
                }]);
            }
        }
    }
    pair.run(Duration::from_millis(500));
    assert_eq!(pair.session.counters.resent, 1);
    let mut seqs: Vec<_> = pair.client.on_slot(2).iter().map(|p| p.seq).collect();
    seqs.sort_unstable();
    assert_eq!(seqs, (10..50).collect::<Vec<_>>());
}

#[test]
fn a_publishers_packets_come_in_with_their_kind_level_and_layer() {
    let mut pair = Pair::connected();
    for n in 0..10u16 {
        let ts = u32::from(n) * 960;
        pair.client.write(Kind::Mic, ts, false, vec![9; 50]);
        let video = vp8(n, true, n == 0, 900);
        pair.client.write(Kind::Camera, ts, true, video);
        pair.client.tick(pair.now);
        pair.run(Duration::from_millis(20));
    }
    let (mic, camera) = (pair.taken(Kind::Mic), pair.taken(Kind::Camera));
    assert_eq!((mic.len(), camera.len()), (10, 10));
    assert!(
        mic.iter()
            .all(|p| p.codec == Codec::Opus && p.level == Some(20))
    );
    assert!(
        camera
            .iter()
            .all(|p| p.codec == Codec::Vp8 && p.layer == Layer(0) && p.marker)
    );
    assert_eq!(pair.session.counters.unknown_ssrc, 0);
}

#[test]
fn simulcast_layers_are_told_apart_and_asked_one_by_one() {
    let mut pair = Pair::with_layers(&["q", "h", "f"]);
    for n in 0..10u16 {
        for (layer, rid) in ["q", "h", "f"].into_iter().enumerate() {
            let payload = vp8(n, true, n == 0, 300 * (layer + 1));
            let ts = u32::from(n) * 3_000;
            let client = &mut pair.client;
            client.write_layer(Kind::Camera, Some(rid), ts, true, payload);
        }
        pair.client.tick(pair.now);
        pair.run(Duration::from_millis(33));
    }
    let camera = pair.taken(Kind::Camera);
    for layer in 0..3u8 {
        let of_layer: Vec<_> = camera.iter().filter(|p| p.layer == Layer(layer)).collect();
        assert_eq!(of_layer.len(), 10);
        let size = 300 * (usize::from(layer) + 1);
        assert!(of_layer.iter().all(|p| p.payload.len() == size));
    }
    pair.session.request_keyframe(Kind::Camera, Layer(1));
    pair.run(Duration::from_millis(100));
    assert_eq!(pair.client.keyframe_requests, 1);
}

#[test]
fn keyframe_wishes_travel_both_ways() {
    let mut pair = Pair::connected();
    pair.visit(frame(10, 1, true));
    pair.run(Duration::from_millis(20));
    let slot = pair.client.slots[2];
    pair.client.ask_keyframe(slot);
    pair.client
        .write(Kind::Camera, 0, true, vp8(0, true, true, 900));
    pair.client.tick(pair.now);
    pair.run(Duration::from_millis(200));
    let wanted = |e: &SessionEvent| matches!(e, SessionEvent::KeyframeWanted(SlotRef::Video(0)));
    assert!(pair.outlet.events.iter().any(wanted));
    pair.session.request_keyframe(Kind::Camera, Layer(0));
    pair.run(Duration::from_millis(200));
    assert_eq!(pair.client.keyframe_requests, 1);
}

#[test]
fn the_estimate_rises_to_what_the_view_wants_when_the_path_allows() {
    let mut pair = Pair::connected();
    pair.session.set_wanted(3_400_000, false);
    for n in 0..300u64 {
        pair.visit(frame(10 + n * 5, 5, n == 0));
        pair.run(Duration::from_millis(33));
    }
    let last = pair.outlet.events.iter().rev().find_map(|e| match e {
        SessionEvent::Estimate(bits) => Some(*bits),
        _ => None,
    });
    assert!(last.unwrap() > 3_500_000, "{last:?}");
}

/// Datagrams of RTP larger than audio, padding among them, and what they weigh.
fn padding(pair: &Pair, from: usize) -> usize {
    let is = |d: &&Vec<u8>| d[0] & 0xc0 == 0x80 && !(192..224).contains(&(d[1] & 0x7f | 0x80));
    pair.sent[from..].iter().filter(is).count()
}

#[test]
fn without_video_no_padding_is_sent_and_with_it_the_estimate_comes_back() {
    let mut pair = Pair::connected();
    pair.session.set_wanted(1_700_000, false);
    for n in 0..90u64 {
        pair.visit(frame(10 + n * 3, 3, n == 0));
        pair.run(Duration::from_millis(33));
    }
    let flowing = pair.session.report.estimate;
    pair.session.set_wanted(0, false);
    let from = pair.sent.len();
    for n in 0..250u64 {
        let sound = Forward {
            slot: SlotRef::Audio(0),
            codec: Codec::Opus,
            seq: 100 + n,
            ts: n as u32 * 960,
            marker: false,
            level: Some(30),
            capture_ntp: None,
            resend: false,
            red: false,
            vp8: None,
            payload: Arc::from(vec![7u8; 80]),
        };
        pair.visit(vec![sound]);
        pair.run(Duration::from_millis(20));
    }
    let count = padding(&pair, from);
    assert_eq!(count, 250, "the sound alone, from the first moment on");
    assert_eq!(pair.session.report.estimate, flowing, "kept while it rests");
    pair.session.set_wanted(2_500_000, false);
    for n in 100..190u64 {
        pair.visit(frame(10 + n * 3, 3, n == 100));
        pair.run(Duration::from_millis(33));
    }
    assert!(
        pair.session.report.estimate > 2_500_000,
        "{:?}",
        pair.session.report
    );
}

#[test]
fn a_screen_beside_one_small_camera_finds_its_room_within_a_second() {
    let mut pair = Pair::connected();
    pair.session.set_wanted(150_000, false);
    for n in 0..200u64 {
        pair.visit(frame(10 + n, 1, n == 0));
        pair.run(Duration::from_millis(33));
    }
    let before = pair.session.report.estimate;
    pair.session.set_wanted(4_000_000, false);
    for n in 200..230u64 {
        pair.visit(frame(10 + n, 1, n == 0));
        pair.run(Duration::from_millis(33));
    }
    let after = pair.session.report.estimate;
    assert!(after > 4_000_000, "{before} became {after}");
}

#[test]
fn a_restart_changes_our_credentials_and_keeps_the_tags() {
    let mut pair = Pair::connected();
    let (ufrag, mids) = (pair.session.ufrag.clone(), pair.session.mids().clone());
    let offer = pair.client.restart();
    let answer = pair.session.restart(&offer).unwrap();
    pair.client.accept(&answer);
    assert_ne!(pair.session.ufrag, ufrag);
    assert_eq!(*pair.session.mids(), mids);
    pair.run(Duration::from_secs(1));
    pair.visit(frame(10, 3, true));
    pair.run(Duration::from_millis(50));
    assert_eq!(pair.client.on_slot(2).len(), 3);
}

#[test]
fn offers_that_are_not_sdp_or_lack_parts_are_refused_without_a_panic() {
    let now = Instant::now();
    let (_, good) = Client::new(now, CLIENT.parse().unwrap(), &SENDS, SLOTS);
    for without in [
        "a=fingerprint",
        "a=ice-ufrag",
        "a=ice-pwd",
        "a=rtpmap",
        "m=",
        "v=0",
    ] {
        let cut: String = good
            .lines()
            .filter(|line| !line.starts_with(without))
            .map(|line| format!("{line}\r\n"))
            .collect();
        assert!(accept(now, &cut, SLOTS).is_err(), "without {without}");
    }
    for at in (0..good.len()).step_by(97) {
        let _ = accept(now, &good[..at], SLOTS);
        let mut bent = good.clone().into_bytes();
        bent[at] = b'9';
        let _ = accept(now, &String::from_utf8_lossy(&bent), SLOTS);
    }
}

#[test]
fn an_offer_of_foreign_codecs_names_the_line() {
    let now = Instant::now();
    let (_, good) = Client::new(now, CLIENT.parse().unwrap(), &SENDS, SLOTS);
    let strange = good.replace("opus/48000", "speex/16000");
    assert_eq!(
        accept(now, &strange, SLOTS).map(|_| ()).unwrap_err(),
        ConnectError::NoCodec { index: 0 }
    );
}

/// A line of an SDP text, without its name.
fn attribute<'a>(sdp: &'a str, name: &str) -> &'a str {
    sdp.lines()
        .find_map(|line| line.strip_prefix(name))
        .unwrap()
}

/// A pending session in a registry, and a STUN request that proves its password.
fn pending(registry: &Registry, now: Instant, peer: u64) -> Vec<u8> {
    let (_, offer) = Client::new(now, CLIENT.parse().unwrap(), &SENDS, SLOTS);
    let spec = ConnectSpec {
        room: RoomKey(1),
        group: 0,
        peer: PeerId(peer),
        sends: SENDS.to_vec(),
        slots: SLOTS,
        allow: Allow::default(),
        offer: &offer,
    };
    let factory = SessionFactory::new(
        vec![SERVER.parse().unwrap()],
        true,
        1_000_000,
        EgressKind::Direct,
        WallClock::new(now, NTP),
    )
    .unwrap();
    let (place, epoch) = (registry.reserve().unwrap(), registry.next_epoch());
    let (session, answer) = factory.accept(now, &spec, epoch, place).unwrap();
    registry.insert(now, Box::new(session));
    let username = format!("{}:client", attribute(&answer, "a=ice-ufrag:"));
    crate::stun::tests::request(&username, attribute(&answer, "a=ice-pwd:"))
}

#[test]
fn a_pending_peer_is_adopted_by_the_shard_of_its_first_authentic_request() {
    let (registry, now) = (Registry::new(8), Instant::now());
    let bytes = pending(&registry, now, 1);
    let request = BindingRequest::peek(&bytes).unwrap();
    let mut forged = bytes.clone();
    *forged.last_mut().unwrap() ^= 1;
    let forged = BindingRequest::peek(&forged).unwrap();
    assert!(matches!(
        registry.find(ShardId(1), &forged),
        Found::BadIntegrity
    ));
    assert_eq!(registry.pending(), 1);
    assert!(matches!(
        registry.find(ShardId(2), &request),
        Found::Adopted(_)
    ));
    assert!(matches!(
        registry.find(ShardId(1), &request),
        Found::Elsewhere(ShardId(2))
    ));
    assert_eq!(registry.pending(), 0);
    registry.remove(PeerId(1), Epoch(1));
    assert!(matches!(
        registry.find(ShardId(1), &request),
        Found::Unknown
    ));
}

#[test]
fn a_peer_that_never_sends_is_forgotten_and_its_place_is_free_again() {
    let (registry, now) = (Registry::new(1), Instant::now());
    let bytes = pending(&registry, now, 1);
    assert!(registry.reserve().is_none());
    assert!(
        registry
            .expire(now + Duration::from_secs(29), false)
            .is_empty()
    );
    let gone = registry.expire(now + Duration::from_secs(31), false);
    assert_eq!(gone, [(PeerId(1), Epoch(1))]);
    assert!(registry.reserve().is_some());
    let request = BindingRequest::peek(&bytes).unwrap();
    assert!(matches!(
        registry.find(ShardId(0), &request),
        Found::Unknown
    ));
}

#[test]
fn a_newer_connection_of_a_peer_takes_over_its_name() {
    let (registry, now) = (Registry::new(8), Instant::now());
    let old = pending(&registry, now, 1);
    let new = pending(&registry, now, 1);
    let (old, new) = (
        BindingRequest::peek(&old).unwrap(),
        BindingRequest::peek(&new).unwrap(),
    );
    assert!(matches!(registry.find(ShardId(0), &old), Found::Unknown));
    assert!(matches!(registry.find(ShardId(0), &new), Found::Adopted(_)));
    // A late farewell of the old connection does not touch the new one.
    registry.remove(PeerId(1), Epoch(1));
    assert!(matches!(
        registry.find(ShardId(1), &new),
        Found::Elsewhere(ShardId(0))
    ));
}
