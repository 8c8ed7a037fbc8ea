//! A bad network in user space: a relay for UDP and TCP with a rate, a queue,
//! delay, jitter and loss, the same for the same seed.
//!
//! Both ways share one model ([`Pipe`], sans-IO): a serial link of `kbit` with a
//! drop-tail queue, then a way of `rtt / 2` with jitter, on which packets are lost
//! in bursts (Gilbert's model). Nothing overtakes: what makes a real way slower for
//! one packet holds up those behind it, and a browser that sees order change asks
//! for a third of a picture again that it already has. TCP is relayed by bytes, so its losses are played:
//! a segment that is lost costs another round trip and its place on the link, and
//! the window shrinks as a sender's would.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::sleep_until;

use crate::error::{LoadError, Result};

/// Clients of one relay; more are dropped.
const MAX_CLIENTS: usize = 256;
/// Packets or segments on their way for one client; more are dropped.
const ON_THE_WAY: usize = 4_096;
/// Bytes of a TCP segment.
const SEGMENT: usize = 1_200;
/// Headers of a UDP datagram and of a TCP segment over IPv4, bytes.
const UDP_HEADER: usize = 28;
const TCP_HEADER: usize = 52;
/// First and smallest window of TCP, segments.
const WINDOW: (f64, f64) = (10.0, 2.0);
/// Largest window, segments.
const MAX_WINDOW: f64 = 64.0;

/// How bad one direction is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Badness {
    /// Rate, kbit/s; 0 = without limit.
    pub kbit: u32,
    /// Lost packets, percent.
    pub loss: f64,
    /// Packets lost in a row on average, from 1.
    pub burst: f64,
    /// Time of one way.
    pub delay: Duration,
    /// Up to this much more.
    pub jitter: Duration,
    /// Longest wait in the queue; what would wait longer is dropped.
    pub queue: Duration,
}

/// Small and good enough for dice (splitmix64).
#[derive(Debug, Clone)]
struct Dice(u64);

impl Dice {
    /// From 0 up to, but without, 1.
    fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// What went through a direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Passed {
    /// Packets offered.
    pub offered: u64,
    /// Lost on the way.
    pub lost: u64,
    /// Dropped before a full queue.
    pub full: u64,
    /// Bytes that passed, headers included.
    pub bytes: u64,
}

/// One direction of the link.
#[derive(Debug, Clone)]
pub struct Pipe {
    bad: Badness,
    dice: Dice,
    free: Option<Instant>,
    /// When the last packet comes out.
    last: Option<Instant>,
    losing: bool,
    passed: Passed,
}

impl Pipe {
    /// An empty link.
    pub fn new(bad: Badness, seed: u64) -> Self {
        Self {
            bad,
            dice: Dice(seed),
            free: None,
            last: None,
            losing: false,
            passed: Passed::default(),
        }
    }

    /// What went through.
    pub fn passed(&self) -> Passed {
        self.passed
    }

    /// The link is like this from now on; what is under way is not touched.
    pub fn become_so(&mut self, bad: Badness) {
        self.bad = bad;
    }

    /// A packet of `bytes` comes to the link. When it comes out; `None`: never.
    pub fn offer(&mut self, now: Instant, bytes: usize) -> Option<Instant> {
        self.passed.offered += 1;
        let free = self.free.map_or(now, |free| free.max(now));
        if free.saturating_duration_since(now) > self.bad.queue && self.bad.kbit > 0 {
            self.passed.full += 1;
            return None;
        }
        let out = match self.bad.kbit {
            0 => now,
            kbit => free + Duration::from_micros(bytes as u64 * 8_000 / u64::from(kbit)),
        };
        self.free = Some(out);
        if self.is_lost() {
            self.passed.lost += 1;
            return None;
        }
        self.passed.bytes += bytes as u64;
        let at = out + self.bad.delay + self.bad.jitter.mul_f64(self.dice.roll());
        let at = self.last.map_or(at, |last| last.max(at));
        self.last = Some(at);
        Some(at)
    }

    /// Gilbert's model: while it loses it loses all.
    fn is_lost(&mut self) -> bool {
        let loss = (self.bad.loss / 100.0).clamp(0.0, 0.95);
        let stays = 1.0 - 1.0 / self.bad.burst.max(1.0);
        let begins = loss / (1.0 - loss) * (1.0 - stays);
        let chance = if self.losing { stays } else { begins };
        self.losing = self.dice.roll() < chance;
        self.losing
    }
}

/// A bad link in both directions.
#[derive(Debug, Clone)]
pub struct Impaired {
    up: Arc<Mutex<Pipe>>,
    down: Arc<Mutex<Pipe>>,
    rtt: Duration,
}

type Way = Arc<Mutex<Pipe>>;

fn offer(way: &Way, bytes: usize) -> Option<Instant> {
    way.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .offer(Instant::now(), bytes)
}

impl Impaired {
    /// A link that is so bad towards the server (`up`) and from it (`down`).
    pub fn new(up: Badness, down: Badness, seed: u64) -> Self {
        Self {
            rtt: up.delay + down.delay,
            up: Arc::new(Mutex::new(Pipe::new(up, seed))),
            down: Arc::new(Mutex::new(Pipe::new(down, seed ^ 0x5EED))),
        }
    }

    /// The link becomes better or worse. The round-trip time of connections that
    /// are relayed already stays.
    pub fn become_so(&self, up: Badness, down: Badness) {
        for (way, bad) in [(&self.up, up), (&self.down, down)] {
            way.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .become_so(bad);
        }
    }

    /// What went through, up and down.
    pub fn passed(&self) -> (Passed, Passed) {
        let of = |way: &Way| way.lock().unwrap_or_else(PoisonError::into_inner).passed();
        (of(&self.up), of(&self.down))
    }

    /// Relays datagrams that come to `socket` to `to`, until it is dropped.
    pub async fn relay_udp(&self, socket: UdpSocket, to: SocketAddr) -> Result<()> {
        let socket = Arc::new(socket);
        let mut clients: HashMap<SocketAddr, mpsc::Sender<Late>> = HashMap::new();
        let mut tasks = JoinSet::new();
        let mut buffer = vec![0; 2_048];
        loop {
            // A port that was refused shows up here; it is no matter.
            let Ok((len, from)) = socket.recv_from(&mut buffer).await else {
                continue;
            };
            if !clients.contains_key(&from) {
                if clients.len() >= MAX_CLIENTS {
                    continue;
                }
                let any: SocketAddr = if to.is_ipv4() {
                    ([0, 0, 0, 0], 0).into()
                } else {
                    ([0u16; 8], 0).into()
                };
                let far = UdpSocket::bind(any).await.map_err(LoadError::io("relay"))?;
                far.connect(to).await.map_err(LoadError::io("relay"))?;
                let far = Arc::new(far);
                let (send, late) = mpsc::channel(ON_THE_WAY);
                clients.insert(from, send);
                let out = Arc::clone(&far);
                tasks.spawn(deliver(late, move |bytes| {
                    let _ = out.try_send(&bytes);
                }));
                let (back, late) = mpsc::channel(ON_THE_WAY);
                let near = Arc::clone(&socket);
                tasks.spawn(deliver(late, move |bytes| {
                    let _ = near.try_send_to(&bytes, from);
                }));
                let down = Arc::clone(&self.down);
                tasks.spawn(async move {
                    let mut buffer = vec![0; 2_048];
                    loop {
                        let Ok(len) = far.recv(&mut buffer).await else {
                            continue;
                        };
                        let bytes = buffer.get(..len).unwrap_or_default();
                        pass(&down, bytes, &back);
                    }
                });
            }
            if let (Some(send), Some(bytes)) = (clients.get(&from), buffer.get(..len)) {
                pass(&self.up, bytes, send);
            }
        }
    }

    /// Relays connections that come to `listener` to `to`, until it is dropped.
    pub async fn relay_tcp(&self, listener: TcpListener, to: SocketAddr) -> Result<()> {
        let mut tasks = JoinSet::new();
        loop {
            while tasks.try_join_next().is_some() {}
            let (near, _) = listener.accept().await.map_err(LoadError::io("relay"))?;
            if tasks.len() >= MAX_CLIENTS {
                continue;
            }
            let (up, down, rtt) = (Arc::clone(&self.up), Arc::clone(&self.down), self.rtt);
            tasks.spawn(async move {
                // The handshake.
                tokio::time::sleep(rtt).await;
                let Ok(far) = TcpStream::connect(to).await else {
                    return;
                };
                let _ = (near.set_nodelay(true), far.set_nodelay(true));
                let (near_in, near_out) = near.into_split();
                let (far_in, far_out) = far.into_split();
                tokio::join!(
                    stream(near_in, far_out, up, rtt),
                    stream(far_in, near_out, down, rtt)
                );
            });
        }
    }
}

/// A datagram and when it arrives.
type Late = (Instant, Vec<u8>);

fn pass(way: &Way, bytes: &[u8], to: &mpsc::Sender<Late>) {
    if let Some(at) = offer(way, bytes.len() + UDP_HEADER) {
        // More than can be on the way is lost.
        let _ = to.try_send((at, bytes.to_vec()));
    }
}

/// Puts out what arrives when it arrives, the earlier first.
async fn deliver(mut late: mpsc::Receiver<Late>, put: impl Fn(Vec<u8>)) {
    let mut waiting: Vec<Late> = Vec::new();
    loop {
        let next = waiting.iter().map(|(at, _)| *at).min();
        let arrived = async {
            match next {
                Some(at) => sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            one = late.recv() => match one {
                Some(one) => waiting.push(one),
                None => return,
            },
            () = arrived => {
                let now = Instant::now();
                waiting.sort_by_key(|(at, _)| *at);
                let due = waiting.partition_point(|(at, _)| *at <= now);
                for (_, bytes) in waiting.drain(..due) {
                    put(bytes);
                }
            }
        }
    }
}

/// One direction of a TCP connection: segments in order, as many on the way as the
/// window allows.
async fn stream(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    way: Way,
    rtt: Duration,
) {
    let window = Arc::new(Mutex::new(WINDOW.0));
    let (send, mut segments) = mpsc::channel::<tokio::task::JoinHandle<Vec<u8>>>(ON_THE_WAY);
    let room = Arc::new(tokio::sync::Notify::new());
    let flying = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let reader = {
        let (window, room, flying) = (window, Arc::clone(&room), Arc::clone(&flying));
        async move {
            let mut buffer = vec![0; SEGMENT];
            loop {
                let Ok(len @ 1..) = from.read(&mut buffer).await else {
                    return;
                };
                let most = || *window.lock().unwrap_or_else(PoisonError::into_inner) as usize;
                while flying.load(std::sync::atomic::Ordering::Relaxed) >= most() {
                    room.notified().await;
                }
                flying.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                let bytes = buffer.get(..len).unwrap_or_default().to_vec();
                let (way, window) = (Arc::clone(&way), Arc::clone(&window));
                let segment = tokio::spawn(async move {
                    loop {
                        let came = offer(&way, bytes.len() + TCP_HEADER);
                        {
                            let mut window = window.lock().unwrap_or_else(PoisonError::into_inner);
                            *window = match came {
                                Some(_) => (*window + 1.0 / *window).min(MAX_WINDOW),
                                None => (*window / 2.0).max(WINDOW.1),
                            };
                        }
                        match came {
                            Some(at) => {
                                sleep_until(at.into()).await;
                                return bytes;
                            }
                            None => tokio::time::sleep(rtt.max(Duration::from_millis(20))).await,
                        }
                    }
                });
                if send.send(segment).await.is_err() {
                    return;
                }
            }
        }
    };
    let writer = async move {
        while let Some(segment) = segments.recv().await {
            let Ok(bytes) = segment.await else { return };
            flying.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
            room.notify_one();
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
        // The end of the one is the end of the other.
        let _ = to.shutdown().await;
    };
    tokio::join!(reader, writer);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WEAK: Badness = Badness {
        kbit: 64,
        loss: 5.0,
        burst: 1.0,
        delay: Duration::from_millis(150),
        jitter: Duration::ZERO,
        queue: Duration::from_millis(500),
    };

    /// Offers `packets` of `bytes`, `every` apart; when each came.
    fn play(
        bad: Badness,
        seed: u64,
        packets: u32,
        bytes: usize,
        every: Duration,
    ) -> (Vec<Option<Duration>>, Passed) {
        let start = Instant::now();
        let mut pipe = Pipe::new(bad, seed);
        let came = (0..packets)
            .map(|n| {
                let now = start + every * n;
                pipe.offer(now, bytes).map(|at| at - now)
            })
            .collect();
        (came, pipe.passed())
    }

    #[test]
    fn the_rate_is_kept_and_the_queue_is_bounded() {
        let bad = Badness { loss: 0.0, ..WEAK };
        // 100 kbit/s into 64.
        let (came, passed) = play(bad, 1, 1_000, 125, Duration::from_millis(10));
        let kbit = passed.bytes as f64 * 8.0 / 10_000.0;
        assert!((60.0..70.0).contains(&kbit), "{kbit}");
        assert!(passed.full > 300);
        let longest = came.iter().flatten().max().copied().unwrap_or_default();
        assert!(
            longest < Duration::from_millis(150 + 500 + 32),
            "{longest:?}"
        );
    }

    #[test]
    fn as_many_are_lost_as_asked_for_alone_or_in_bursts() {
        for burst in [1.0, 4.0] {
            let bad = Badness {
                kbit: 0,
                burst,
                ..WEAK
            };
            let (came, passed) = play(bad, 7, 200_000, 100, Duration::from_millis(20));
            let share = passed.lost as f64 / passed.offered as f64 * 100.0;
            assert!((4.5..5.5).contains(&share), "{share}");
            let runs = came
                .windows(2)
                .filter(|two| two[0].is_some() && two[1].is_none())
                .count();
            let mean = passed.lost as f64 / runs as f64;
            assert!((mean - burst).abs() < 0.2, "{mean}");
        }
    }

    proptest! {
        #[test]
        fn nothing_overtakes(seed in any::<u64>(), jitter in 0u64..50) {
            let bad = Badness { kbit: 0, jitter: Duration::from_millis(jitter), ..WEAK };
            let every = Duration::from_micros(100);
            let (came, _) = play(bad, seed, 200, 1_200, every);
            let out: Vec<_> = (0u32..).zip(&came).filter_map(|(n, came)| Some(every * n + (*came)?)).collect();
            prop_assert!(out.is_sorted());
        }

        #[test]
        fn the_same_seed_gives_the_same_link(seed in any::<u64>(), bytes in 1usize..1_500) {
            let every = Duration::from_millis(20);
            prop_assert_eq!(play(WEAK, seed, 50, bytes, every), play(WEAK, seed, 50, bytes, every));
        }
    }
}
