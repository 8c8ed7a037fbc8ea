//! Media by TCP over loopback: str0m clients that know no UDP, and strangers who
//! mean no good.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use lophoc_media::framing::header;
use lophoc_media::types::*;
use socket2::SockRef;

use crate::api::{ConnectSpec, MediaConfig, MediaEvent, StartError};
use crate::plane::MediaPlane;
use crate::stats::MediaStats;
use crate::tcp::MAX_LINKS_OF_PEER;
use crate::tcp::acceptor::{MAX_STRANGERS_OF_SOURCE, PATIENCE};
use crate::test_client::{Client, NetClient, TcpClient, vp8};

const LIMIT: Duration = Duration::from_secs(30);
const SENDS: [Kind; 2] = [Kind::Mic, Kind::Camera];
const SLOTS: Slots = Slots {
    audio: 1,
    video: 1,
    screen: 0,
};
const SOUND: usize = 0;
const PICTURE: usize = 1;

/// Somebody in the class, by either way.
enum Person {
    Udp(NetClient),
    Tcp(TcpClient),
}

impl Person {
    fn client(&self) -> &Client {
        match self {
            Self::Udp(net) => &net.client,
            Self::Tcp(net) => &net.client,
        }
    }

    fn step(&mut self) -> &mut Client {
        match self {
            Self::Udp(net) => {
                net.step();
                &mut net.client
            }
            Self::Tcp(net) => {
                net.step();
                &mut net.client
            }
        }
    }

    fn tcp(&mut self) -> &mut TcpClient {
        match self {
            Self::Tcp(net) => net,
            Self::Udp(_) => panic!("comes by UDP"),
        }
    }

    fn got(&self, slot: usize) -> usize {
        self.client().on_slot(slot).len()
    }
}

/// A class whose first person teaches.
struct Class {
    plane: MediaPlane,
    events: Receiver<MediaEvent>,
    people: Vec<Person>,
    answers: Vec<String>,
    start: Instant,
    frames: u64,
    sounds: u64,
}

fn config() -> MediaConfig {
    MediaConfig {
        listen: vec!["127.0.0.1:0".parse().unwrap()],
        announce: vec!["127.0.0.1".parse().unwrap()],
        initial_estimate_bps: 5_000_000,
        shards: 1,
        max_peers: 64,
        ..MediaConfig::default()
    }
}

impl Class {
    fn new(config: MediaConfig) -> Self {
        let (sender, events) = channel();
        let plane = MediaPlane::start(config, move |event| {
            let _ = sender.send(event);
        });
        Self {
            plane: plane.unwrap(),
            events,
            people: Vec::new(),
            answers: Vec::new(),
            start: Instant::now(),
            frames: 0,
            sounds: 0,
        }
    }

    fn server(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.plane.port()))
    }

    /// Joins and waits until media may flow; gives the number of the person.
    fn join(&mut self, tcp: bool) -> usize {
        let (mut person, offer) = if tcp {
            let (net, offer) = TcpClient::new(self.server(), &SENDS, SLOTS);
            (Person::Tcp(net), offer)
        } else {
            let (net, offer) = NetClient::new(&SENDS, SLOTS);
            (Person::Udp(net), offer)
        };
        let peer = PeerId(self.people.len() as u64 + 1);
        let spec = ConnectSpec {
            room: RoomKey(1),
            group: 0,
            peer,
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
        let answer = self.plane.connect(spec).unwrap().answer_sdp;
        match &mut person {
            Person::Udp(net) => net.client.accept(&answer),
            Person::Tcp(net) => net.client.accept(&answer),
        }
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
        self.plane.set_view(peer, view);
        self.people.push(person);
        self.answers.push(answer);
        let index = self.people.len() - 1;
        self.until(|class| class.people[index].client().connected);
        index
    }

    fn until(&mut self, done: impl Fn(&Self) -> bool) {
        let begin = Instant::now();
        while !done(self) {
            assert!(begin.elapsed() < LIMIT, "{:#?}", self.plane.stats());
            self.step();
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn until_stats(&mut self, done: impl Fn(&MediaStats) -> bool) {
        self.until(|class| done(&class.plane.stats()));
    }

    fn step(&mut self) {
        let ms = self.start.elapsed().as_millis() as u64;
        for (index, person) in self.people.iter_mut().enumerate() {
            let client = person.step();
            if index > 0 || !client.connected {
                continue;
            }
            if self.frames * 40 < ms {
                let ts = self.frames as u32 * 3_600;
                for n in 0..4 {
                    // Each a keyframe: joins are not what is tested here.
                    let payload = vp8(self.frames as u16, n == 0, true, 1_000);
                    client.write(Kind::Camera, ts, n == 3, payload);
                }
                self.frames = ms / 40 + 1;
            }
            if self.sounds * 20 < ms {
                client.write(Kind::Mic, self.sounds as u32 * 960, false, vec![3; 80]);
                self.sounds = ms / 20 + 1;
            }
            client.tick(Instant::now());
        }
        while self.events.try_recv().is_ok() {}
    }

    /// Waits until a person got so much more of both.
    fn watches(&mut self, index: usize) {
        let (sound, picture) = (
            self.people[index].got(SOUND),
            self.people[index].got(PICTURE),
        );
        self.until(|class| {
            class.people[index].got(SOUND) > sound + 20
                && class.people[index].got(PICTURE) > picture + 60
        });
    }

    fn knock(&self) -> TcpStream {
        let stream = TcpStream::connect(self.server()).unwrap();
        stream.set_nonblocking(true).unwrap();
        stream
    }
}

impl Drop for Class {
    fn drop(&mut self) {
        self.plane.shutdown();
    }
}

fn ended(stream: &TcpStream) -> bool {
    let mut stream = stream;
    match stream.read(&mut [0; 64]) {
        Ok(count) => count == 0,
        Err(e) => e.kind() != ErrorKind::WouldBlock,
    }
}

fn meets_by_tcp(shards: usize) {
    let mut class = Class::new(MediaConfig { shards, ..config() });
    let teacher = class.join(true);
    let learners = [class.join(true), class.join(false), class.join(true)];
    for learner in learners {
        class.watches(learner);
        let person = &class.people[learner];
        let video = person.client().on_slot(PICTURE);
        assert!(video.windows(2).all(|w| w[1].seq == w[0].seq + 1));
        let sound = person.client().on_slot(SOUND);
        assert!(sound.iter().all(|p| p.payload == vec![3; 80]));
    }
    assert!(class.people[teacher].client().connected);
    class.until_stats(|s| s.tcp.open == 3 && s.tcp.packets_in > 100 && s.peers == 4);
    let stats = class.plane.stats();
    assert_eq!(stats.tcp.accepted, 3);
    assert_eq!((stats.panics, stats.drops.tcp_full), (0, 0), "{stats:#?}");
    assert!(stats.tcp.packets_out > 100 && stats.tcp.bytes_out > 100_000);
    // Goodbye reaches them, and nothing stays open.
    class.plane.disconnect(PeerId(2));
    class.until(|class| class.people[1].client().closed);
    class.until_stats(|s| s.tcp.open == 2);
}

#[test]
fn teacher_and_learners_meet_by_tcp_beside_udp() {
    meets_by_tcp(1);
}

#[test]
fn teacher_and_learners_on_three_shards_meet_by_tcp() {
    meets_by_tcp(3);
}

#[test]
fn the_answer_offers_tcp_below_udp_unless_it_is_turned_off() {
    for tcp in [true, false] {
        let class = Class::new(MediaConfig { tcp, ..config() });
        let (_, offer) = NetClient::new(&SENDS, SLOTS);
        let spec = ConnectSpec {
            room: RoomKey(1),
            group: 0,
            peer: PeerId(1),
            sends: SENDS.to_vec(),
            slots: SLOTS,
            allow: Allow::default(),
            offer: &offer,
        };
        let answer = class.plane.connect(spec).unwrap().answer_sdp;
        let priority = |proto: &str| {
            answer.lines().find_map(|line| {
                let words: Vec<&str> = line.strip_prefix("a=candidate:")?.split(' ').collect();
                (words[2] == proto).then(|| words[3].parse::<u32>().unwrap())
            })
        };
        let (udp, passive) = (priority("udp").unwrap(), priority("tcp"));
        assert_eq!(passive.is_some(), tcp);
        assert!(passive.is_none_or(|p| p < udp));
        assert_eq!(answer.contains(" typ host tcptype passive"), tcp);
        assert_eq!(TcpStream::connect(class.server()).is_ok(), tcp);
    }
}

#[test]
fn a_port_that_is_taken_for_tcp_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let listen = vec![address];
    let start = |tcp| {
        let listen = listen.clone();
        MediaPlane::start(
            MediaConfig {
                listen,
                tcp,
                ..config()
            },
            |_| {},
        )
    };
    match start(true).err() {
        Some(StartError::Stream { address: named, .. }) => assert_eq!(named, address),
        other => panic!("{other:?}"),
    }
    start(false).unwrap().shutdown();
}

#[test]
fn garbage_and_checks_for_nobody_are_sent_away() {
    let mut class = Class::new(config());
    let http = class.knock();
    (&http).write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let tls = class.knock();
    (&tls).write_all(&[0x16, 3, 1, 0, 200, 1]).unwrap();
    let media = class.knock();
    (&media).write_all(&[0, 20, 0x80, 0x60]).unwrap();
    let nobody = class.knock();
    let request = crate::stun::tests::request("nobody:me", "secret");
    let mut frame = header(request.len()).unwrap().to_vec();
    frame.extend(&request);
    (&nobody).write_all(&frame).unwrap();
    let all = [http, tls, media, nobody];
    class.until(|_| all.iter().all(ended));
    class.until_stats(|s| s.tcp.garbage == 3 && s.tcp.unknown == 1 && s.tcp.open == 0);
}

#[test]
fn a_check_with_a_wrong_password_gets_nowhere() {
    let mut class = Class::new(config());
    let (_, offer) = NetClient::new(&SENDS, SLOTS);
    let spec = |peer| ConnectSpec {
        room: RoomKey(1),
        group: 0,
        peer: PeerId(peer),
        sends: SENDS.to_vec(),
        slots: SLOTS,
        allow: Allow::default(),
        offer: &offer,
    };
    let answer = class.plane.connect(spec(9)).unwrap().answer_sdp;
    let ufrag = answer.lines().find_map(|l| l.strip_prefix("a=ice-ufrag:"));
    let request = crate::stun::tests::request(&format!("{}:me", ufrag.unwrap()), "guessed");
    let mut frame = header(request.len()).unwrap().to_vec();
    frame.extend(&request);
    let guess = class.knock();
    (&guess).write_all(&frame).unwrap();
    class.until(|_| ended(&guess));
    class.until_stats(|s| s.tcp.unknown == 1 && s.pending_peers == 1 && s.peers == 0);
}

#[test]
fn who_says_one_byte_and_then_nothing_is_not_waited_for() {
    let mut class = Class::new(config());
    let begin = Instant::now();
    let slow = class.knock();
    (&slow).write_all(&[0]).unwrap();
    let mute = class.knock();
    class.until(|_| ended(&slow) && ended(&mute));
    assert!(begin.elapsed() >= PATIENCE);
    class.until_stats(|s| s.tcp.silent == 2 && s.tcp.waiting == 0 && s.tcp.open == 0);
}

#[test]
fn a_crowd_that_says_nothing_keeps_nobody_out() {
    let mut class = Class::new(config());
    let crowd: Vec<TcpStream> = (0..MAX_STRANGERS_OF_SOURCE + 20)
        .map(|_| class.knock())
        .collect();
    class.until_stats(|s| s.tcp.crowded >= 20);
    class.join(true);
    let learner = class.join(true);
    class.watches(learner);
    assert!(crowd.iter().filter(|s| ended(s)).count() >= 20);
    assert!(class.plane.stats().tcp.waiting <= MAX_STRANGERS_OF_SOURCE as u64);
}

#[test]
fn more_connections_than_the_server_holds_are_refused() {
    let mut class = Class::new(MediaConfig {
        max_peers: 1,
        ..config()
    });
    let held = [class.knock(), class.knock()];
    class.until_stats(|s| s.tcp.waiting == 2);
    let third = class.knock();
    class.until(|_| ended(&third));
    assert_eq!(class.plane.stats().tcp.full, 1);
    assert!(held.iter().all(|s| !ended(s)));
}

#[test]
fn a_peer_holds_a_bounded_number_of_connections_and_keeps_the_one_it_uses() {
    let mut class = Class::new(config());
    class.join(false);
    let learner = class.join(true);
    let answer = class.answers[learner].clone();
    let word = |name: &str| answer.lines().find_map(|l| l.strip_prefix(name)).unwrap();
    let user = format!("{}:me", word("a=ice-ufrag:"));
    let request = crate::stun::tests::request(&user, word("a=ice-pwd:"));
    let mut frame = header(request.len()).unwrap().to_vec();
    frame.extend(&request);
    let more: Vec<TcpStream> = (0..MAX_LINKS_OF_PEER + 4)
        .map(|_| {
            let stream = class.knock();
            (&stream).write_all(&frame).unwrap();
            stream
        })
        .collect();
    class.until_stats(|s| s.tcp.open == MAX_LINKS_OF_PEER as u64 && s.tcp.waiting == 0);
    class.until(|_| more.iter().filter(|s| ended(s)).count() == 5);
    class.watches(learner);
}

/// Comes back by a new connection, as a browser does: an ICE restart.
fn comes_back(class: &mut Class, index: usize) {
    class.people[index].tcp().redial();
    let offer = class.people[index].tcp().client.restart();
    let (sender, answers) = channel();
    class
        .plane
        .restart(PeerId(index as u64 + 1), offer, move |answer| {
            let _ = sender.send(answer);
        });
    let answer = answers.recv_timeout(LIMIT).unwrap().unwrap().answer_sdp;
    class.people[index].tcp().client.accept(&answer);
    class.watches(index);
}

#[test]
fn a_frame_longer_than_any_ends_the_connection_and_not_the_peer() {
    let mut class = Class::new(config());
    class.join(false);
    let (learner, other) = (class.join(true), class.join(true));
    class.watches(learner);
    let wrong = &class.people[learner].tcp().stream;
    (&*wrong).write_all(&[0xff, 0xff, 1, 2, 3]).unwrap();
    class.until_stats(|s| s.tcp.too_long == 1 && s.tcp.open == 1 && s.peers == 3);
    class.watches(other);
    comes_back(&mut class, learner);
    assert_eq!(class.plane.stats().peers, 3);
}

#[test]
fn a_connection_reset_in_the_middle_of_a_frame_is_forgotten_and_its_peer_comes_back() {
    let mut class = Class::new(config());
    class.join(false);
    let (learner, other) = (class.join(true), class.join(true));
    class.watches(learner);
    {
        let cut = &class.people[learner].tcp().stream;
        (&*cut).write_all(&[0, 200, 0x80, 1]).unwrap();
        SockRef::from(cut).set_linger(Some(Duration::ZERO)).unwrap();
    }
    comes_back(&mut class, learner);
    class.watches(other);
    class.until_stats(|s| s.tcp.open == 2 && s.peers == 3 && s.panics == 0);
}

#[test]
fn a_learner_who_reads_nothing_loses_video_first_and_harms_nobody() {
    let mut class = Class::new(config());
    class.join(false);
    let (slow, other) = (class.join(true), class.join(true));
    class.watches(slow);
    let deaf = class.people[slow].tcp();
    SockRef::from(&deaf.stream)
        .set_recv_buffer_size(8 << 10)
        .unwrap();
    deaf.deaf = true;
    class.until_stats(|s| s.drops.tcp_video > 50);
    class.watches(other);
    let seen = class.people[other].client().on_slot(PICTURE);
    assert!(seen.windows(2).all(|w| w[1].seq == w[0].seq + 1));
    assert_eq!(class.plane.stats().drops.tcp_full, 0, "sound was kept");
    // It reads again: the stream was never broken, so it goes on.
    class.people[slow].tcp().deaf = false;
    class.watches(slow);
    class.watches(other);
}
