//! The media plane over loopback sockets with str0m clients, with one shard and
//! with three.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "in tests a failing unwrap is a failing test"
)]

use std::net::UdpSocket;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use lophoc_media::types::*;
use lophoc_transport::*;
use str0m::format::Codec as EngineCodec;

mod common;
use common::{NetClient, run_until, vp8};

const LIMIT: Duration = Duration::from_secs(20);
const VIEWER: Slots = Slots {
    audio: 2,
    video: 2,
    screen: 1,
};
const ALL: Allow = Allow {
    mic: true,
    camera: true,
    screen: true,
    screen_audio: true,
};
const SENDS: [Kind; 2] = [Kind::Mic, Kind::Camera];
const ROOM: RoomKey = RoomKey(7);

struct World {
    plane: MediaPlane,
    events: Receiver<MediaEvent>,
    seen: Vec<MediaEvent>,
}

impl World {
    fn new(shards: usize) -> Self {
        Self::with(shards, 64)
    }

    fn with(shards: usize, max_peers: usize) -> Self {
        Self::start(MediaConfig {
            shards,
            max_peers,
            ..Self::config()
        })
    }

    fn config() -> MediaConfig {
        MediaConfig {
            listen: vec!["127.0.0.1:0".parse().unwrap()],
            announce: vec!["127.0.0.1".parse().unwrap()],
            initial_estimate_bps: 5_000_000,
            ..MediaConfig::default()
        }
    }

    fn start(config: MediaConfig) -> Self {
        let (sender, events) = channel();
        let plane = MediaPlane::start(config, move |event| {
            let _ = sender.send(event);
        })
        .unwrap();
        Self {
            plane,
            events,
            seen: Vec::new(),
        }
    }

    fn spec<'a>(peer: u64, offer: &'a str) -> ConnectSpec<'a> {
        ConnectSpec {
            room: ROOM,
            group: 0,
            peer: PeerId(peer),
            sends: SENDS.to_vec(),
            slots: VIEWER,
            allow: ALL,
            offer,
        }
    }

    fn join(&self, peer: u64) -> NetClient {
        let (mut client, offer) = NetClient::new(&SENDS, VIEWER);
        let connected = self.plane.connect(Self::spec(peer, &offer)).unwrap();
        assert_eq!(connected.mids.sends.len(), 2);
        assert_eq!(connected.mids.video.len(), 2);
        client.client.accept(&connected.answer_sdp);
        client
    }

    fn watch(&self, peer: u64, publisher: u64) {
        let wish = Wish {
            slot: SlotRef::Video(0),
            source: Some(WishSource::Track(TrackKey {
                peer: PeerId(publisher),
                kind: Kind::Camera,
            })),
            height: 720,
            priority: 200,
        };
        let view = ViewSpec {
            rev: 1,
            wishes: vec![wish],
            ..ViewSpec::default()
        };
        self.plane.set_view(PeerId(peer), view);
    }

    fn has(&mut self, wanted: impl Fn(&MediaEvent) -> bool) -> bool {
        self.seen.extend(self.events.try_iter());
        self.seen.iter().any(wanted)
    }

    fn wait(&mut self, wanted: impl Fn(&MediaEvent) -> bool) -> bool {
        let start = Instant::now();
        while start.elapsed() < LIMIT {
            if self.has(&wanted) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        false
    }

    /// Statistics are at most a second old.
    fn wait_stats(&self, good: impl Fn(&MediaStats) -> bool) -> bool {
        let start = Instant::now();
        while start.elapsed() < LIMIT {
            if good(&self.plane.stats()) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        false
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.plane.shutdown();
    }
}

/// Publishes 30 frames and 50 sounds a second; answers keyframe requests.
struct Publisher {
    start: Instant,
    frames: u64,
    sounds: u64,
    answered: usize,
}

impl Publisher {
    fn new() -> Self {
        Self {
            start: Instant::now(),
            frames: 0,
            sounds: 0,
            answered: 0,
        }
    }

    fn step(&mut self, net: &mut NetClient) {
        let ms = self.start.elapsed().as_millis() as u64;
        let client = &mut net.client;
        let mut wrote = false;
        while self.frames * 33 < ms {
            let key = self.frames == 0 || client.keyframe_requests > self.answered;
            self.answered = client.keyframe_requests;
            let ts = self.frames as u32 * 3_000;
            for n in 0..4 {
                let payload = vp8(self.frames as u16, n == 0, key, 1_000);
                client.write(Kind::Camera, ts, n == 3, payload);
            }
            self.frames += 1;
            wrote = true;
        }
        while self.sounds * 20 < ms {
            client.write(Kind::Mic, self.sounds as u32 * 960, false, vec![3; 80]);
            self.sounds += 1;
            wrote = true;
        }
        if wrote {
            client.tick(Instant::now());
        }
    }
}

fn connect_all(clients: &mut [&mut NetClient]) {
    assert!(
        run_until(clients, LIMIT, |c| c.iter().all(|c| c.client.connected)),
        "not all connected"
    );
}

fn class_of_three(shards: usize) {
    let mut world = World::new(shards);
    let (mut teacher, mut a, mut b) = (world.join(1), world.join(2), world.join(3));
    world.watch(2, 1);
    world.watch(3, 1);
    connect_all(&mut [&mut teacher, &mut a, &mut b]);
    for peer in 1..=3 {
        assert!(world.wait(|e| matches!(e, MediaEvent::Connected { peer: p, .. } if p.0 == peer)));
    }
    let mut publisher = Publisher::new();
    let full =
        |net: &NetClient| net.client.on_slot(2).len() > 120 && net.client.on_slot(0).len() > 50;
    let done = run_until(&mut [&mut teacher, &mut a, &mut b], LIMIT, |c| {
        publisher.step(c[0]);
        full(c[1]) && full(c[2])
    });
    assert!(done, "{:#?}", world.plane.stats());
    for net in [&a, &b] {
        let video = net.client.on_slot(2);
        assert!(
            video
                .iter()
                .all(|p| p.codec == EngineCodec::Vp8 && p.has_mid)
        );
        // Nothing before the first keyframe, nothing missing after it.
        assert_eq!(video[0].payload[6] & 1, 0, "first packet is of a keyframe");
        assert!(video.windows(2).all(|w| w[1].seq == w[0].seq + 1));
        assert!(video[0].seq < 65_536);
        assert!(video.iter().all(|p| p.ssrc == video[0].ssrc));
        let audio = net.client.on_slot(0);
        assert!(audio.iter().all(|p| p.codec == EngineCodec::Opus));
        assert!(
            audio
                .iter()
                .all(|p| p.payload == vec![3; 80] && p.level == Some(-20))
        );
    }
    // A learner who comes late sees a picture.
    let mut late = world.join(4);
    world.watch(4, 1);
    let done = run_until(&mut [&mut teacher, &mut a, &mut b, &mut late], LIMIT, |c| {
        publisher.step(c[0]);
        full(c[3])
    });
    assert!(done, "late joiner: {:#?}", world.plane.stats());
    assert_eq!(late.client.on_slot(2)[0].payload[6] & 1, 0);

    assert!(world.has(|e| matches!(
        e,
        MediaEvent::Binding {
            peer: PeerId(2),
            ..
        }
    )));
    assert!(world.has(|e| matches!(e, MediaEvent::Levels { room: ROOM, .. })));
    assert!(world.wait_stats(|s| s.rtp_forwarded > 300 && s.peers == 4 && s.panics == 0));
    let stats = world.plane.stats();
    assert_eq!(stats.shards, shards);
    assert!(!stats.gso || stats.mean_run() > 1.1, "{stats:#?}");
    assert_eq!(stats.drops.relay_control_lost, 0);
}

#[test]
fn a_teacher_is_seen_and_heard_by_learners_on_one_shard() {
    class_of_three(1);
}

#[test]
fn a_teacher_is_seen_and_heard_by_learners_on_three_shards() {
    class_of_three(3);
}

#[test]
fn a_group_hears_and_sees_itself_alone_on_the_connection_it_had() {
    let world = World::new(3);
    let (mut teacher, mut learner) = (world.join(1), world.join(2));
    world.watch(2, 1);
    connect_all(&mut [&mut teacher, &mut learner]);
    let mut publisher = Publisher::new();
    let got = |net: &NetClient| (net.client.on_slot(2).len(), net.client.on_slot(0).len());
    let flows = |publisher: &mut Publisher, c: &mut [&mut NetClient], within: Duration| {
        let (video, audio) = got(c[1]);
        run_until(c, within, |c| {
            publisher.step(c[0]);
            let now = got(c[1]);
            now.0 > video + 40 && now.1 > audio + 20
        })
    };
    assert!(flows(
        &mut publisher,
        &mut [&mut teacher, &mut learner],
        LIMIT
    ));
    world.plane.set_group(PeerId(2), 1);
    let quiet = Duration::from_millis(500);
    // What was under way arrives; then nothing does.
    run_until(&mut [&mut teacher, &mut learner], quiet, |c| {
        publisher.step(c[0]);
        false
    });
    let before = got(&learner);
    run_until(&mut [&mut teacher, &mut learner], 2 * quiet, |c| {
        publisher.step(c[0]);
        false
    });
    assert_eq!(got(&learner), before);
    // Back within two seconds, under the same numbers.
    world.plane.set_group(PeerId(2), 0);
    let within = Duration::from_secs(2);
    assert!(flows(
        &mut publisher,
        &mut [&mut teacher, &mut learner],
        within
    ));
    let video = learner.client.on_slot(2);
    assert!(video.iter().all(|p| p.ssrc == video[0].ssrc));
    assert!(video.windows(2).all(|w| w[1].seq == w[0].seq + 1));
    assert_eq!(video[before.0].payload[6] & 1, 0, "begins with a keyframe");
    // A new connection begins in the group it is told.
    let (mut other, offer) = NetClient::new(&SENDS, VIEWER);
    let spec = ConnectSpec {
        group: 1,
        ..World::spec(3, &offer)
    };
    other
        .client
        .accept(&world.plane.connect(spec).unwrap().answer_sdp);
    world.watch(3, 1);
    run_until(&mut [&mut teacher, &mut other], 2 * quiet, |c| {
        publisher.step(c[0]);
        false
    });
    assert!(other.client.connected);
    assert_eq!(got(&other), (0, 0));
}

fn change_of_network(shards: usize) {
    let mut world = World::new(shards);
    let (mut teacher, mut a) = (world.join(1), world.join(2));
    world.watch(2, 1);
    connect_all(&mut [&mut teacher, &mut a]);
    let mut publisher = Publisher::new();
    assert!(run_until(&mut [&mut teacher, &mut a], LIMIT, |c| {
        publisher.step(c[0]);
        c[1].client.on_slot(2).len() > 40
    }));
    // The kernel spreads the new ports over the shards: sooner or later one lands
    // away from home.
    for moved in 1.. {
        a.rebind();
        let offer = a.client.restart();
        let (sender, reply) = channel();
        world.plane.restart(PeerId(2), offer, move |result| {
            let _ = sender.send(result);
        });
        let connected = reply.recv_timeout(LIMIT).unwrap().unwrap();
        a.client.accept(&connected.answer_sdp);
        let before = a.client.on_slot(2).len();
        let done = run_until(&mut [&mut teacher, &mut a], LIMIT, |c| {
            publisher.step(c[0]);
            c[1].client.on_slot(2).len() > before + 80
        });
        assert!(done, "after the move: {:#?}", world.plane.stats());
        if moved >= 2 && (shards == 1 || world.plane.stats().handed_over > 0) {
            break;
        }
        assert!(moved < 20, "nothing was ever handed over");
    }
    assert!(!world.has(|e| matches!(e, MediaEvent::Disconnected { .. })));
}

#[test]
fn a_learner_who_changes_networks_goes_on_with_one_shard() {
    change_of_network(1);
}

#[test]
fn a_learner_who_changes_networks_goes_on_with_three_shards() {
    change_of_network(3);
}

#[test]
fn a_new_connection_of_a_peer_takes_the_place_of_the_old() {
    let mut world = World::new(3);
    let (mut teacher, mut a) = (world.join(1), world.join(2));
    connect_all(&mut [&mut teacher, &mut a]);
    let mut again = world.join(2);
    world.watch(2, 1);
    connect_all(&mut [&mut again]);
    assert!(world.wait(|e| matches!(
        e,
        MediaEvent::Disconnected {
            peer: PeerId(2),
            reason: DisconnectReason::Replaced,
            ..
        }
    )));
    let mut publisher = Publisher::new();
    assert!(run_until(&mut [&mut teacher, &mut again], LIMIT, |c| {
        publisher.step(c[0]);
        c[1].client.on_slot(2).len() > 40
    }));
    assert!(world.wait_stats(|s| s.peers == 2));
}

#[test]
fn what_is_not_allowed_does_not_arrive_and_stops_at_once() {
    let mut world = World::new(1);
    let (mut teacher, mut a) = (world.join(1), world.join(2));
    world.watch(2, 1);
    connect_all(&mut [&mut teacher, &mut a]);
    let mut publisher = Publisher::new();
    assert!(run_until(&mut [&mut teacher, &mut a], LIMIT, |c| {
        publisher.step(c[0]);
        c[1].client.on_slot(2).len() > 40
    }));
    let only_mic = Allow {
        mic: true,
        ..Allow::default()
    };
    world.plane.set_allow(PeerId(1), only_mic);
    assert!(world.wait(|e| matches!(
        e,
        MediaEvent::TrackLive {
            kind: Kind::Camera,
            live: false,
            ..
        }
    )));
    a.step();
    let (video, audio) = (a.client.on_slot(2).len(), a.client.on_slot(0).len());
    assert!(run_until(&mut [&mut teacher, &mut a], LIMIT, |c| {
        publisher.step(c[0]);
        c[1].client.on_slot(0).len() > audio + 30
    }));
    assert!(a.client.on_slot(2).len() <= video + 4);
}

#[test]
fn a_client_that_falls_silent_is_given_up() {
    let mut world = World::start(MediaConfig {
        silence_limit: Duration::from_secs(1),
        ..World::config()
    });
    let mut a = world.join(1);
    connect_all(&mut [&mut a]);
    assert!(world.wait(|e| matches!(
        e,
        MediaEvent::Disconnected {
            peer: PeerId(1),
            reason: DisconnectReason::TimedOut,
            ..
        }
    )));
    assert!(world.wait_stats(|s| s.peers == 0));
}

#[test]
fn shutting_down_says_goodbye_to_everyone() {
    let mut world = World::new(3);
    let (mut a, mut b) = (world.join(1), world.join(2));
    let pending = world.join(3);
    connect_all(&mut [&mut a, &mut b]);
    world.plane.shutdown();
    for peer in 1..=3 {
        assert!(world.has(|e| matches!(
            e,
            MediaEvent::Disconnected { peer: p, reason: DisconnectReason::Shutdown, .. } if p.0 == peer
        )));
    }
    assert!(run_until(&mut [&mut a, &mut b], LIMIT, |c| c
        .iter()
        .all(|c| c.client.closed)));
    drop(pending);
    let (_, offer) = NetClient::new(&SENDS, VIEWER);
    assert_eq!(
        world.plane.connect(World::spec(4, &offer)),
        Err(ConnectError::Stopped)
    );
}

#[test]
fn a_class_meets_over_ipv6() {
    if UdpSocket::bind("[::1]:0").is_err() {
        return; // no IPv6 on this machine
    }
    let world = World::start(MediaConfig {
        listen: vec!["[::1]:0".parse().unwrap()],
        announce: vec!["::1".parse().unwrap()],
        shards: 1,
        ..World::config()
    });
    let join = |peer| {
        let (mut client, offer) = NetClient::on("[::1]:0", &SENDS, VIEWER);
        let connected = world.plane.connect(World::spec(peer, &offer)).unwrap();
        client.client.accept(&connected.answer_sdp);
        client
    };
    let (mut teacher, mut a) = (join(1), join(2));
    world.watch(2, 1);
    connect_all(&mut [&mut teacher, &mut a]);
    let mut publisher = Publisher::new();
    assert!(run_until(&mut [&mut teacher, &mut a], LIMIT, |c| {
        publisher.step(c[0]);
        c[1].client.on_slot(2).len() > 40
    }));
}

#[test]
fn disconnecting_says_goodbye_and_frees_the_place() {
    let mut world = World::with(1, 1);
    let mut a = world.join(1);
    connect_all(&mut [&mut a]);
    let (_, offer) = NetClient::new(&SENDS, VIEWER);
    let refused = world.plane.connect(World::spec(2, &offer));
    assert_eq!(refused, Err(ConnectError::Full));
    world.plane.disconnect(PeerId(1));
    assert!(world.wait(|e| matches!(
        e,
        MediaEvent::Disconnected {
            peer: PeerId(1),
            reason: DisconnectReason::Requested,
            ..
        }
    )));
    assert!(run_until(&mut [&mut a], LIMIT, |c| c[0].client.closed));
    assert!(world.plane.connect(World::spec(2, &offer)).is_ok());
    // A peer that never sends a packet can be taken back too.
    world.plane.disconnect(PeerId(2));
    assert!(world.plane.connect(World::spec(3, &offer)).is_ok());
}

#[test]
fn bad_offers_are_refused_with_a_reason() {
    let world = World::new(1);
    let (_, offer) = NetClient::new(&SENDS, VIEWER);
    let error = |offer: &str| world.plane.connect(World::spec(9, offer)).unwrap_err();
    assert!(matches!(error("hello"), ConnectError::Malformed(_)));
    let big = "x".repeat(MAX_OFFER_BYTES + 1);
    assert_eq!(error(&big), ConnectError::TooLarge);
    let sendrecv = offer.replace("a=recvonly", "a=sendrecv");
    assert!(matches!(error(&sendrecv), ConnectError::MediaLine { .. }));
    assert_eq!(world.plane.stats().pending_peers, 0);
    let (sender, reply) = channel();
    world.plane.restart(PeerId(9), offer, move |result| {
        let _ = sender.send(result);
    });
    assert_eq!(reply.recv().unwrap(), Err(ConnectError::UnknownPeer));
}

#[test]
fn floods_of_foreign_datagrams_are_counted_and_hurt_nobody() {
    let world = World::new(1);
    let (mut teacher, mut a) = (world.join(1), world.join(2));
    world.watch(2, 1);
    connect_all(&mut [&mut teacher, &mut a]);
    let server = format!("127.0.0.1:{}", world.plane.port());
    let attacker = UdpSocket::bind("127.0.0.1:0").unwrap();
    // A STUN request as short as can be that still names somebody.
    let mut stun = vec![0, 1, 0, 36, 0x21, 0x12, 0xa4, 0x42];
    stun.extend([7; 12]);
    stun.extend(*b"\x00\x06\x00\x06who:me\x00\x00");
    stun.extend([0, 8, 0, 20]);
    stun.extend([0; 20]);
    let mut rtp = vec![0x80, 96];
    rtp.extend([1; 60]);
    let mut publisher = Publisher::new();
    let mut sent = 0;
    let done = run_until(&mut [&mut teacher, &mut a], LIMIT, |c| {
        for datagram in [
            stun.as_slice(),
            &rtp,
            b"\x16\xfe\xfd aaaaaaaaaaaaaaaa",
            b"hello",
        ] {
            attacker.send_to(datagram, &server).unwrap();
            sent += 1;
        }
        publisher.step(c[0]);
        c[1].client.on_slot(2).len() > 100 && sent > 400
    });
    assert!(done);
    assert!(world.wait_stats(|s| {
        s.drops.unknown_ufrag >= 50
            && s.drops.unknown_address >= 100
            && s.drops.unknown_datagram >= 50
    }));
    assert_eq!(world.plane.stats().peers, 2);
}

#[test]
fn rtp_of_a_connected_client_on_an_unknown_ssrc_is_dropped() {
    let world = World::new(1);
    let (mut teacher, mut a) = (world.join(1), world.join(2));
    world.watch(2, 1);
    connect_all(&mut [&mut teacher, &mut a]);
    let server: std::net::SocketAddr = format!("127.0.0.1:{}", world.plane.port()).parse().unwrap();
    let mut publisher = Publisher::new();
    let done = run_until(&mut [&mut teacher, &mut a], LIMIT, |c| {
        let mut stray = vec![0x80, 96, 0, 1, 0, 0, 0, 0, 0xde, 0xad, 0xbe, 0xef];
        stray.extend([5; 100]);
        c[0].client.out.push((server, stray));
        publisher.step(c[0]);
        c[1].client.on_slot(2).len() > 100
    });
    assert!(done);
}
