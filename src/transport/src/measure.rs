//! What a packet costs per receiver, for `benches/` and for the count of
//! allocations: a forwarding core, receivers with real connections, real sockets.
#![allow(
    clippy::unwrap_used,
    reason = "a measurement stops where something is wrong"
)]

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use lophoc_media::core::{CoreConfig, Output, PeerSpec, ShardCore};
use lophoc_media::idmap::IdMap;
use lophoc_media::types::*;
use str0m::net::Protocol;

use crate::api::ConnectSpec;
use crate::batch::SendBatch;
use crate::egress::direct::Path;
use crate::egress::{AnyEgress, Egress, EgressKind, WallClock};
use crate::registry::Registry;
use crate::session::{Session, SessionEvent, SessionFactory, Sink, Way};
use crate::test_client::Client;
use crate::udp::{self, Sockets};

const SLOTS: Slots = Slots {
    audio: 3,
    video: 2,
    screen: 1,
};
const SENDS: [Kind; 2] = [Kind::Mic, Kind::Camera];
const TEACHER: PeerId = PeerId(u64::MAX);
const ROOM: RoomKey = RoomKey(1);
/// All have connected by then.
const HANDSHAKE: Duration = Duration::from_secs(4);

/// Collects what leaves.
struct Outlet<'a> {
    batch: &'a mut SendBatch,
    /// Instead of the batch, during handshakes.
    kept: Option<&'a mut Vec<Vec<u8>>>,
}

impl Sink for Outlet<'_> {
    fn transmit(&mut self, _: SocketAddr, destination: SocketAddr, bytes: &[u8]) {
        match &mut self.kept {
            Some(kept) => kept.push(bytes.to_vec()),
            None => self.batch.push(destination, None, bytes),
        }
    }

    fn packet(
        &mut self,
        path: &Path,
        len: usize,
        _vital: bool,
        fill: impl FnOnce(&mut [u8]) -> bool,
    ) -> bool {
        debug_assert_eq!(path.protocol, Protocol::Udp);
        match &mut self.kept {
            Some(kept) => {
                let mut bytes = vec![0; len];
                let filled = fill(&mut bytes);
                kept.push(bytes);
                filled
            }
            None => self
                .batch
                .push_with(path.destination, None::<IpAddr>, len, fill),
        }
    }

    fn stream(&mut self, _: SocketAddr, _: SocketAddr, _: bool, _: &[u8]) {}
    fn event(&mut self, _: SessionEvent) {}
}

/// A teacher's camera and microphone, and everybody who watches.
pub struct Lecture {
    core: ShardCore,
    sessions: IdMap<PeerId, Box<Session>>,
    batch: SendBatch,
    sockets: Sockets,
    pending: Vec<Forward>,
    now: Instant,
    begin: Instant,
    /// Numbers of the camera and of the microphone.
    seqs: [u64; 2],
}

impl Lecture {
    /// One receiver for each address, connected, with the teacher's camera in view.
    pub fn new(egress: EgressKind, clients: &[SocketAddr]) -> Self {
        let start = Instant::now();
        let listen = "127.0.0.1:0".parse().unwrap();
        let (port, mut sockets) = udp::open(&[listen], 1, 4 << 20).unwrap();
        let server = SocketAddr::from(([127, 0, 0, 1], port));
        // Far above the rate sent: the pacer must hold nothing back.
        let clock = WallClock::new(start, 3_900_000_000 << 32);
        let factory = SessionFactory::new(vec![server], false, 50_000_000, egress, clock).unwrap();
        let registry = Registry::new(clients.len());
        let mut lecture = Self {
            core: ShardCore::new(CoreConfig::new(ShardId(0), 1), start),
            sessions: IdMap::default(),
            batch: SendBatch::new(true),
            sockets: sockets.pop().unwrap(),
            pending: Vec::new(),
            now: start + HANDSHAKE,
            begin: start + HANDSHAKE,
            seqs: [100, 100],
        };
        for (peer, client) in clients.iter().enumerate() {
            let peer = PeerId(peer as u64);
            let session = connected(&factory, &registry, start, (server, *client), peer);
            lecture.sessions.insert(peer, session);
            lecture.add(peer);
        }
        lecture.add(TEACHER);
        lecture
    }

    fn add(&mut self, peer: PeerId) {
        let allow = Allow {
            mic: true,
            camera: true,
            screen: false,
            screen_audio: false,
        };
        let spec = PeerSpec {
            room: ROOM,
            group: 0,
            peer,
            epoch: Epoch(1),
            slots: SLOTS,
            allow,
            red: true,
        };
        self.core.add_peer(self.now, spec);
        self.core.set_estimate(self.now, peer, 50_000_000);
        let source = WishSource::Track(TrackKey {
            peer: TEACHER,
            kind: Kind::Camera,
        });
        let view = ViewSpec {
            rev: 1,
            wishes: vec![Wish {
                slot: SlotRef::Video(0),
                source: (peer != TEACHER).then_some(source),
                height: 720,
                priority: 1,
            }],
            ..ViewSpec::default()
        };
        self.core.set_view(self.now, peer, view);
    }

    /// Packets of one stream that came at once, `at` after the beginning: payloads,
    /// and whether each ends a frame. They are gathered until [`Lecture::flush`].
    pub fn event(
        &mut self,
        at: Duration,
        video: bool,
        packets: impl IntoIterator<Item = (Arc<[u8]>, bool)>,
    ) {
        self.now = self.begin + at;
        if self.core.next_deadline() <= self.now {
            self.core.tick(self.now);
        }
        let (kind, codec, ticks) = match video {
            true => (Kind::Camera, Codec::Vp8, 90_000),
            false => (Kind::Mic, Codec::Opus, 48_000),
        };
        let ts = (at.as_micros() * ticks / 1_000_000) as u32;
        for (payload, marker) in packets {
            let [picture, sound] = &mut self.seqs;
            let seq = if video { picture } else { sound };
            *seq += 1;
            let packet = SourcePacket {
                codec,
                layer: Layer(0),
                seq: *seq,
                ts,
                marker,
                level: (!video).then_some(30),
                capture_ntp: None,
                payload,
            };
            self.core.ingest(self.now, TEACHER, kind, packet);
        }
    }

    /// Whether packets of a frame are made equally long.
    pub fn even(&mut self, even: bool) {
        for session in self.sessions.values_mut() {
            session.even(even);
        }
    }

    /// Sends what has gathered to everybody.
    pub fn flush(&mut self) {
        while let Some(output) = self.core.poll_output() {
            drop::<Output>(output);
        }
        while let Some(peer) = self.core.next_dirty() {
            self.core.drain_pending(peer, &mut self.pending);
            if let Some(session) = self.sessions.get_mut(&peer) {
                let mut outlet = Outlet {
                    batch: &mut self.batch,
                    kept: None,
                };
                AnyEgress
                    .visit(self.now, session, &mut self.pending, &mut outlet)
                    .unwrap();
            }
            self.pending.clear();
            if self.batch.wants_flush() {
                self.batch.flush(&self.sockets);
            }
        }
        self.batch.flush(&self.sockets);
    }

    /// Datagrams that left, and messages handed to the kernel.
    pub fn sent(&self) -> (u64, u64) {
        (self.batch.counters.datagrams, self.batch.counters.messages)
    }
}

fn connected(
    factory: &SessionFactory,
    registry: &Registry,
    start: Instant,
    (server, address): (SocketAddr, SocketAddr),
    peer: PeerId,
) -> Box<Session> {
    let (mut client, offer) = Client::new(start, address, &SENDS, SLOTS);
    let spec = ConnectSpec {
        room: ROOM,
        group: 0,
        peer,
        sends: SENDS.to_vec(),
        slots: SLOTS,
        allow: Allow::default(),
        offer: &offer,
    };
    let place = registry.reserve().unwrap();
    let (session, answer) = factory.accept(start, &spec, Epoch(1), place).unwrap();
    let mut session = Box::new(session);
    client.accept(&answer);
    let (mut batch, mut kept) = (SendBatch::new(false), Vec::new());
    for step in 0..1_000 {
        let now = start + Duration::from_millis(2 * step);
        client.tick(now);
        let mut outlet = Outlet {
            batch: &mut batch,
            kept: Some(&mut kept),
        };
        session.timeout(now, &mut outlet).unwrap();
        for (_, bytes) in std::mem::take(&mut client.out) {
            session
                .receive(now, Way::Udp, address, server, &bytes, &mut outlet)
                .unwrap();
        }
        for bytes in kept.drain(..) {
            client.handle(now, server, &bytes);
        }
    }
    assert!(session.connected && client.connected);
    session
}
