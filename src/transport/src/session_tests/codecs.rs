//! A publisher's session, a core and receivers' sessions in a row, for what
//! depends on the codec.

use lophoc_media::core::{CoreConfig, Output, PeerSpec, ShardCore};
use str0m::format::Codec as EngineCodec;

use super::*;

const STEP: Duration = Duration::from_millis(20);

/// A class on one shard: peer 1 publishes, those after watch.
struct Class {
    core: ShardCore,
    now: Instant,
    publisher: Pair,
    receivers: Vec<Pair>,
}

impl Class {
    fn new() -> Self {
        let mut publisher = Pair::connected();
        publisher.outlet.events.clear();
        let now = publisher.now;
        let mut class = Self {
            core: ShardCore::new(CoreConfig::new(ShardId(0), 1), now),
            now,
            publisher,
            receivers: Vec::new(),
        };
        class.add(1);
        class
    }

    fn add(&mut self, peer: u64) {
        let allow = Allow {
            mic: true,
            camera: true,
            ..Allow::default()
        };
        let spec = PeerSpec {
            room: RoomKey(1),
            group: 0,
            peer: PeerId(peer),
            epoch: Epoch(1),
            slots: SLOTS,
            allow,
            red: true,
        };
        self.core.add_peer(self.now, spec);
    }

    fn join(&mut self) {
        self.receivers.push(Pair::connected());
        let peer = 1 + self.receivers.len() as u64;
        self.add(peer);
        let source = TrackKey {
            peer: PeerId(1),
            kind: Kind::Camera,
        };
        let wish = Wish {
            slot: SlotRef::Video(0),
            source: Some(WishSource::Track(source)),
            height: 720,
            priority: 1,
        };
        let view = ViewSpec {
            rev: 1,
            wishes: vec![wish],
            ..ViewSpec::default()
        };
        self.core.set_view(self.now, PeerId(peer), view);
        self.step();
    }

    /// Twenty milliseconds in which what was written travels to the receivers.
    fn step(&mut self) {
        self.publisher.client.tick(self.publisher.now);
        self.publisher.run(STEP);
        self.now += STEP;
        for event in std::mem::take(&mut self.publisher.outlet.events) {
            if let SessionEvent::Rtp { kind, packet } = event {
                self.core.ingest(self.now, PeerId(1), kind, packet);
            }
        }
        self.core.tick(self.now);
        while let Some(output) = self.core.poll_output() {
            match output {
                Output::RequestKeyframe { kind, layer, .. } => {
                    self.publisher.session.request_keyframe(kind, layer);
                }
                Output::Wanted {
                    peer,
                    bits_per_second,
                    gently,
                } if peer.0 > 1 => {
                    let pair = &mut self.receivers[peer.0 as usize - 2];
                    pair.session.set_wanted(bits_per_second, gently);
                }
                _ => {}
            }
        }
        while let Some(peer) = self.core.next_dirty() {
            let mut pending = Vec::new();
            self.core.drain_pending(peer, &mut pending);
            if peer.0 > 1 {
                self.receivers[peer.0 as usize - 2].visit(pending);
            }
        }
        for pair in &mut self.receivers {
            pair.run(STEP);
        }
    }
}

/// RFC 2198 with one older copy.
fn red(opus: u8, older: &[u8], primary: &[u8]) -> Vec<u8> {
    let mut payload = vec![0x80 | opus, 0x0f, 0x00, older.len() as u8, opus];
    payload.extend(older);
    payload.extend(primary);
    payload
}

#[test]
fn of_a_publisher_with_redundancy_the_receiver_gets_the_primary_opus() {
    let mut class = Class::new();
    class.join();
    let (opus, around) = class.publisher.client.payload_types(EngineCodec::Opus);
    let around = around.unwrap();
    for n in 0..100u8 {
        let payload = red(*opus, &[n.wrapping_sub(1); 60], &[n; 70]);
        let ts = u32::from(n) * 960;
        let client = &mut class.publisher.client;
        client.write_as(Kind::Mic, None, around, ts, false, payload);
        class.step();
    }
    let got = class.receivers[0].client.on_slot(0);
    assert!(got.len() > 80, "{}", got.len());
    let whole = |p: &crate::test_client::Received| {
        p.codec == EngineCodec::Opus && p.payload == vec![p.payload[0]; 70]
    };
    assert!(got.iter().all(whole), "{:?}", got[0]);
    assert!(got.windows(2).all(|w| w[1].seq == w[0].seq + 1));
    assert_eq!(class.publisher.session.counters.refused, 0);
}

/// A frame of three packets: parameters and the beginning of a slice when it is a
/// keyframe, then the rest of the slice (FU-A, RFC 6184 §5.8).
fn h264(n: u8, key: bool) -> Vec<Vec<u8>> {
    let (indicator, slice) = if key { (0x7c, 5) } else { (0x5c, 1) };
    let part = |flags: u8| {
        let mut packet = vec![indicator, flags | slice];
        packet.resize(700, n);
        packet
    };
    let mut packets = vec![part(0x80), part(0), part(0x40)];
    if key {
        // STAP-A of SPS (baseline 3.1, 640 × 360) and PPS.
        let sps = [0x67, 0x42, 0xc0, 0x1f, 0x95, 0xa0, 0x28, 0x0b, 0xfe, 0x54];
        let pps = [0x68, 0xce, 0x3c, 0x80];
        let mut aggregate = vec![0x78, 0, sps.len() as u8];
        aggregate.extend(sps);
        aggregate.extend([0, pps.len() as u8]);
        aggregate.extend(pps);
        packets.insert(0, aggregate);
    }
    packets
}

#[test]
fn h264_goes_through_and_a_late_joiner_gets_the_keyframe_replayed() {
    let mut class = Class::new();
    class.join();
    let pt = class.publisher.client.payload_types(EngineCodec::H264).0;
    let mut sent: Vec<Vec<u8>> = Vec::new();
    for n in 0..40u8 {
        if n == 20 {
            class.join();
        }
        let packets = h264(n, n == 0);
        let last = packets.len() - 1;
        for (index, payload) in packets.into_iter().enumerate() {
            sent.push(payload.clone());
            let ts = u32::from(n) * 3_000;
            let client = &mut class.publisher.client;
            client.write_as(Kind::Camera, None, pt, ts, index == last, payload);
        }
        class.step();
    }
    // No keyframe but the first was sent, none was asked for.
    assert_eq!(class.publisher.client.keyframe_requests, 0);
    for pair in &class.receivers {
        let got = pair.client.on_slot(2);
        assert!(got.iter().all(|p| p.codec == EngineCodec::H264));
        let payloads: Vec<&Vec<u8>> = got.iter().map(|p| &p.payload).collect();
        assert_eq!(payloads.len(), sent.len());
        assert!(payloads.into_iter().eq(sent.iter()));
        assert!(got.windows(2).all(|w| w[1].seq == w[0].seq + 1));
        assert_eq!(got.iter().filter(|p| p.marker).count(), 40);
    }
}
