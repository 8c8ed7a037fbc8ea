//! Cost of the visit path, for `benches/visits.rs`: receivers with real
//! connections, a sink in place of the socket.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement stops where something is wrong, and prints"
)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lophoc_media::types::*;

use crate::api::ConnectSpec;
use crate::egress::{Egress, EngineEgress};
use crate::registry::Registry;
use crate::session::{Session, SessionEvent, SessionFactory, Sink, Way};
use crate::test_client::{Client, vp8};

const SERVER: &str = "127.0.0.1:5000";
const CLIENT: &str = "127.0.0.1:6000";
const FRAME: Duration = Duration::from_millis(33);
const PACKETS: u64 = 7;
const FRAMES: u64 = 30;
const SLOTS: Slots = Slots {
    audio: 3,
    video: 2,
    screen: 1,
};

/// Keeps datagrams during the handshake, afterwards only counts them.
#[derive(Default)]
struct Outlet {
    kept: Option<Vec<Vec<u8>>>,
    count: u64,
}

impl Sink for Outlet {
    fn transmit(&mut self, _: SocketAddr, _: SocketAddr, bytes: &[u8]) {
        self.count += 1;
        if let Some(kept) = &mut self.kept {
            kept.push(bytes.to_vec());
        }
    }
    fn stream(&mut self, _: SocketAddr, _: SocketAddr, _: bool, _: &[u8]) {}
    fn event(&mut self, _: SessionEvent) {}
}

fn connected(
    factory: &SessionFactory,
    registry: &Registry,
    start: Instant,
    peer: u64,
) -> Box<Session> {
    let (server, address) = (SERVER.parse().unwrap(), CLIENT.parse().unwrap());
    let sends = [Kind::Mic, Kind::Camera];
    let (mut client, offer) = Client::new(start, address, &sends, SLOTS);
    let spec = ConnectSpec {
        room: RoomKey(1),
        group: 0,
        peer: PeerId(peer),
        sends: sends.to_vec(),
        slots: SLOTS,
        allow: Allow::default(),
        offer: &offer,
    };
    let place = registry.reserve().unwrap();
    let (session, answer) = factory.accept(start, &spec, Epoch(1), place).unwrap();
    let mut session = Box::new(session);
    client.accept(&answer);
    let mut outlet = Outlet {
        kept: Some(Vec::new()),
        count: 0,
    };
    for step in 0..2_000 {
        let now = start + Duration::from_millis(step);
        client.tick(now);
        session.timeout(now, &mut outlet).unwrap();
        for (_, bytes) in std::mem::take(&mut client.out) {
            session
                .receive(now, Way::Udp, address, server, &bytes, &mut outlet)
                .unwrap();
        }
        for bytes in outlet.kept.iter_mut().flat_map(std::mem::take) {
            client.handle(now, server, &bytes);
        }
    }
    assert!(session.connected && client.connected);
    session
}

fn frame(number: u64) -> Vec<Forward> {
    let packet = |n| Forward {
        slot: SlotRef::Video(0),
        codec: Codec::Vp8,
        seq: 100 + number * PACKETS + n,
        ts: u32::try_from(number * 3_000).unwrap(),
        marker: n + 1 == PACKETS,
        level: None,
        capture_ntp: None,
        vp8: Some(Vp8Numbers {
            picture_id: 77,
            tl0: 5,
        }),
        payload: Arc::from(vp8(1, n == 0, number == 0, 1_110)),
    };
    (0..PACKETS).map(packet).collect()
}

/// Microseconds per packet and receiver, and packets that left of those given.
fn run(
    sessions: &mut [Box<Session>],
    start: Instant,
    numbers: std::ops::Range<u64>,
    whole: bool,
) -> (f64, f64) {
    let mut outlet = Outlet::default();
    let mut spent = Duration::ZERO;
    let frames = numbers.end - numbers.start;
    for number in numbers {
        let now = start + FRAME * u32::try_from(number).unwrap();
        let packets = frame(number);
        let size = if whole { packets.len() } else { 1 };
        let begin = Instant::now();
        for part in packets.chunks(size) {
            for session in sessions.iter_mut() {
                let mut pending = part.to_vec();
                EngineEgress
                    .visit(now, session, &mut pending, &mut outlet)
                    .unwrap();
            }
        }
        spent += begin.elapsed();
    }
    let given = (frames * PACKETS) as f64 * sessions.len() as f64;
    (
        spent.as_secs_f64() * 1e6 / given,
        outlet.count as f64 / given,
    )
}

/// Prints one line per number of receivers.
pub fn visits(receivers: &[usize]) {
    println!("µs per packet and receiver; frames of {PACKETS} packets, through str0m");
    println!(
        "{:>9} {:>12} {:>12} {:>7} {:>9}",
        "receivers", "per frame", "per packet", "ratio", "left"
    );
    for count in receivers {
        let start = Instant::now();
        // Far above the rate sent: the pacer must hold nothing back.
        let factory =
            SessionFactory::new(vec![SERVER.parse().unwrap()], false, 50_000_000).unwrap();
        let registry = Registry::new(*count);
        let mut sessions: Vec<_> = (0..*count as u64)
            .map(|peer| connected(&factory, &registry, start, peer))
            .collect();
        let after = start + Duration::from_secs(2);
        let (frame, left) = run(&mut sessions, after, 0..FRAMES, true);
        let (packet, _) = run(&mut sessions, after, FRAMES..2 * FRAMES, false);
        println!(
            "{count:>9} {frame:>12.2} {packet:>12.2} {:>7.2} {left:>9.3}",
            packet / frame
        );
    }
}
