//! Panics inside a shard: what is lost, and what goes on.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use lophoc_media::types::*;

use crate::api::{ConnectSpec, DisconnectReason, MediaConfig, MediaEvent};
use crate::plane::MediaPlane;

use crate::test_client::{NetClient, run_until, vp8};

const LIMIT: Duration = Duration::from_secs(20);
const SHARDS: usize = 3;
const SENDS: [Kind; 2] = [Kind::Mic, Kind::Camera];
const SLOTS: Slots = Slots {
    audio: 1,
    video: 1,
    screen: 0,
};

struct Class {
    plane: MediaPlane,
    events: Receiver<MediaEvent>,
    seen: Vec<MediaEvent>,
    clients: HashMap<u64, NetClient>,
    frames: u64,
    start: Instant,
}

impl Class {
    fn new() -> Self {
        let (sender, events) = channel();
        let config = MediaConfig {
            listen: vec!["127.0.0.1:0".parse().unwrap()],
            announce: vec!["127.0.0.1".parse().unwrap()],
            initial_estimate_bps: 5_000_000,
            shards: SHARDS,
            max_peers: 64,
            ..MediaConfig::default()
        };
        let plane = MediaPlane::start(config, move |event| {
            let _ = sender.send(event);
        });
        Self {
            plane: plane.unwrap(),
            events,
            seen: Vec::new(),
            clients: HashMap::new(),
            frames: 0,
            start: Instant::now(),
        }
    }

    /// A peer with a view of the teacher, who is peer 1.
    fn join(&mut self, peer: u64) {
        let (mut client, offer) = NetClient::new(&SENDS, SLOTS);
        let spec = ConnectSpec {
            room: RoomKey(1),
            group: 0,
            peer: PeerId(peer),
            sends: SENDS.to_vec(),
            slots: SLOTS,
            allow: Allow {
                mic: true,
                camera: true,
                screen: false,
                screen_audio: false,
            },
            offer: &offer,
        };
        let connected = self.plane.connect(spec).unwrap();
        client.client.accept(&connected.answer_sdp);
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
        self.plane.set_view(PeerId(peer), view);
        self.clients.insert(peer, client);
        assert!(self.until(|class| class.clients[&peer].client.connected));
    }

    /// Lets the teacher teach until something is so.
    fn until(&mut self, done: impl Fn(&Self) -> bool) -> bool {
        let begin = Instant::now();
        while begin.elapsed() < LIMIT {
            self.step();
            if done(self) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        false
    }

    fn step(&mut self) {
        let ms = self.start.elapsed().as_millis() as u64;
        if self.frames * 40 < ms
            && let Some(teacher) = self.clients.get_mut(&1)
            && teacher.client.connected
            && !teacher.client.closed
        {
            // Each a keyframe: joins are not what is tested here.
            let payload = vp8(self.frames as u16, true, true, 600);
            let ts = self.frames as u32 * 3_600;
            teacher.client.write(Kind::Camera, ts, true, payload);
            teacher.client.tick(Instant::now());
            self.frames = ms / 40 + 1;
        }
        for client in self.clients.values_mut() {
            client.step();
        }
        self.seen.extend(self.events.try_iter());
    }

    fn pictures(&self, peer: u64) -> usize {
        self.clients[&peer].client.on_slot(1).len()
    }

    fn sees_more(&mut self, peer: u64) -> bool {
        let before = self.pictures(peer);
        self.until(|class| class.pictures(peer) > before + 10)
    }

    fn failed(&self, peer: u64) -> bool {
        self.seen.iter().any(|event| {
            matches!(event, MediaEvent::Disconnected { peer: p, reason: DisconnectReason::Failed, .. } if p.0 == peer)
        })
    }
}

impl Drop for Class {
    fn drop(&mut self) {
        self.plane.shutdown();
    }
}

#[test]
fn a_panic_in_one_session_ends_that_session_alone() {
    let mut class = Class::new();
    (1..=4).for_each(|peer| class.join(peer));
    assert!((2..=4).all(|peer| class.sees_more(peer)));
    class
        .plane
        .add_candidate(PeerId(3), "panic in the session".into());
    assert!(class.until(|class| class.failed(3)));
    assert!(class.sees_more(2) && class.sees_more(4));
    class.join(3);
    assert!(class.sees_more(3));
    assert!(!class.failed(1) && !class.failed(2) && !class.failed(4));
}

#[test]
fn a_shard_that_panics_loses_its_own_peers_takes_new_ones_and_the_others_go_on() {
    let mut class = Class::new();
    (1..=9).for_each(|peer| class.join(peer));
    assert!((2..=9).all(|peer| class.sees_more(peer)));
    class
        .plane
        .add_candidate(PeerId(9), "panic in the shard".into());
    assert!(class.until(|class| class.failed(9)));
    class.until(|class| class.frames % 10 == 0);
    let lost: Vec<u64> = (1..=9).filter(|peer| class.failed(*peer)).collect();
    // They come back as their clients do when told; the same shard takes new
    // peers, whichever the kernel gives it.
    for peer in &lost {
        class.clients.remove(peer);
        class.join(*peer);
    }
    (20..29).for_each(|peer| class.join(peer));
    let all: Vec<u64> = (2..=9).chain(20..29).collect();
    assert!(all.into_iter().all(|peer| class.sees_more(peer)));
    let panics = |class: &Class| class.plane.stats().panics;
    assert!(
        class.until(|class| panics(class) == 1),
        "{}",
        panics(&class)
    );
    let peers = |class: &Class| class.plane.stats().peers;
    assert!(class.until(|class| peers(class) == 18), "{}", peers(&class));
}

#[test]
fn a_shard_alone_begins_anew_after_a_panic() {
    let mut class = Class::new();
    class.join(1);
    class
        .plane
        .add_candidate(PeerId(1), "panic in the shard".into());
    assert!(class.until(|class| class.failed(1)));
    (1..=3).for_each(|peer| class.join(peer));
    assert!(class.sees_more(2) && class.sees_more(3));
    let mut alone = class.clients.remove(&2).unwrap();
    assert!(run_until(&mut [&mut alone], LIMIT, |clients| !clients[0]
        .client
        .closed));
}
