//! What the benchmarks of the send path share: the mix of a lecture, real
//! receivers on loopback, the clock, rows that take turns, the table.
//!
//! **The mix** is a tenth of a second of `loadtests lecture --pace burst`: three
//! frames of seven packets and five packets of sound, each event to all receivers
//! before the next one. **The receivers** are sockets with UDP_GRO that another
//! thread drains; only the processor time of the thread that sends is counted,
//! which on loopback includes the kernel's receive half up to the socket.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a measurement stops where something is wrong; not every one uses all of this"
)]

pub mod bare;
pub mod sys;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use sys::{Drain, thread_time};

/// Packets of a frame.
pub const FRAME_PACKETS: usize = 7;
/// RTP payload of the larger packets of a frame, bytes; the smaller have one less.
pub const LARGE: usize = 1_111;
/// RTP payload of the last packet of a frame.
pub const LAST: usize = 100;
/// RTP payloads of sound, in turn.
pub const SOUND: [usize; 5] = [80, 90, 100, 110, 120];
/// Frames and packets of sound of a round, by when they come, ms.
const ROUND: [(u64, bool); 8] = [
    (0, true),
    (10, false),
    (30, false),
    (33, true),
    (50, false),
    (66, true),
    (70, false),
    (90, false),
];
/// Length of a round.
const ROUND_TIME: Duration = Duration::from_millis(100);
/// Packets each receiver gets in a round.
pub const ROUND_PACKETS: usize = 3 * FRAME_PACKETS + SOUND.len();
/// Packets that may wait in all receivers' sockets before the sender waits.
const MAX_WAITING: u64 = 16_384;

/// One packet of an event.
#[derive(Debug, Clone)]
pub struct Payload {
    /// RTP payload.
    pub bytes: Arc<[u8]>,
    /// Last packet of a frame, or of sound.
    pub marker: bool,
}

/// What arrives at once and goes to all receivers.
#[derive(Debug, Clone)]
pub struct Event {
    /// When, from the beginning of all.
    pub at: Duration,
    /// A frame, else a packet of sound.
    pub video: bool,
    /// Number among the events of its sort.
    pub number: u64,
    /// Its packets.
    pub packets: Vec<Payload>,
}

/// How the sizes within a frame differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sizes {
    /// All but the last are equal: one run.
    Equal,
    /// Some of one byte less come first, as Chromium makes them; how many moves
    /// from frame to frame: two runs, unless somebody evens them out.
    Browser,
}

/// Makes the events of the mix, one after the other, without end.
#[derive(Debug, Clone)]
pub struct Mix {
    sizes: Sizes,
    next: usize,
    round: u32,
    frames: u64,
    sounds: u64,
}

impl Mix {
    /// From the beginning.
    pub fn new(sizes: Sizes) -> Self {
        Self {
            sizes,
            next: 0,
            round: 0,
            frames: 0,
            sounds: 0,
        }
    }

    /// The events of the next round.
    pub fn round(&mut self) -> Vec<Event> {
        (0..ROUND.len()).map(|_| self.event()).collect()
    }

    fn event(&mut self) -> Event {
        let (ms, video) = ROUND[self.next];
        let at = ROUND_TIME * self.round + Duration::from_millis(ms);
        self.next += 1;
        if self.next == ROUND.len() {
            self.next = 0;
            self.round += 1;
        }
        let number = if video { self.frames } else { self.sounds };
        let sizes: Vec<usize> = if video {
            let smaller = match self.sizes {
                Sizes::Equal => 0,
                Sizes::Browser => self.frames as usize % FRAME_PACKETS,
            };
            self.frames += 1;
            (0..FRAME_PACKETS)
                .map(|index| match index {
                    index if index + 1 == FRAME_PACKETS => LAST,
                    index if index < smaller => LARGE - 1,
                    _ => LARGE,
                })
                .collect()
        } else {
            self.sounds += 1;
            vec![SOUND[number as usize % SOUND.len()]]
        };
        let last = sizes.len() - 1;
        let packets = sizes.into_iter().enumerate().map(|(index, size)| Payload {
            bytes: payload(video, index == 0, number, size),
            marker: index == last,
        });
        Event {
            at,
            video,
            number,
            packets: packets.collect(),
        }
    }
}

/// A payload other code takes for VP8 (descriptor with picture id, TL0PICIDX and
/// TID) or Opus.
fn payload(video: bool, first: bool, number: u64, size: usize) -> Arc<[u8]> {
    let mut bytes = vec![number as u8; size];
    let head: &[u8] = if video {
        let [high, low] = ((number & 0x7fff) as u16).to_be_bytes();
        let start = u8::from(first) << 4;
        // The first frame is a keyframe: frame tag, start code, 1280×720.
        let inverse_key = u8::from(number != 0);
        let head = [
            0x80 | start,
            0xe0,
            0x80 | high,
            low,
            low,
            0,
            inverse_key | 0x10,
            0,
            0,
        ];
        let key = [0x9d, 0x01, 0x2a, 0x00, 0x05, 0xd0, 0x02];
        &[&head[..], &key[..]].concat()
    } else {
        &[15 << 3]
    };
    bytes[..head.len()].copy_from_slice(head);
    bytes.into()
}

/// Something that sends the mix.
pub trait Subject {
    /// Sends an event to all receivers. What it hands to the kernel need not have
    /// left when it returns, but after [`Self::flush`].
    fn send(&mut self, event: &Event);

    /// Hands everything to the kernel.
    fn flush(&mut self);

    /// What was handed to the kernel so far.
    fn sent(&self) -> Sent;
}

/// Handed to the kernel.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sent {
    /// Datagrams.
    pub packets: u64,
    /// Messages.
    pub messages: u64,
}

/// A row of the table.
pub struct Row {
    /// What stands in front.
    pub name: &'static str,
    /// Its receivers; none when nothing is sent.
    pub drain: Option<Drain>,
    /// Its mix.
    pub mix: Mix,
    /// What sends.
    pub subject: Box<dyn Subject>,
}

/// Result of a row.
#[derive(Debug, Clone, Copy)]
pub struct Figure {
    /// Processor time per packet and receiver, ns: the median.
    pub median: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// Datagrams per message.
    pub run: f64,
    /// Datagrams that reached the receivers / those sent.
    pub arrived: f64,
}

/// What the command line asks for.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Numbers of receivers.
    pub receivers: Vec<usize>,
    /// Rounds of a turn.
    pub rounds: usize,
    /// Turns of each row.
    pub repeats: usize,
    /// One JSON object instead of the table.
    pub json: bool,
}

impl Settings {
    /// Reads `--n 50,500 --rounds 20 --repeats 5 --json`; what cargo adds is
    /// skipped.
    pub fn read() -> Self {
        let mut settings = Self {
            receivers: vec![50, 200, 500],
            rounds: 20,
            repeats: 5,
            json: false,
        };
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            let mut value = || args.next().expect("a value behind the option");
            match arg.as_str() {
                "--n" => {
                    let list = value();
                    let numbers = list.split(',').map(|n| n.parse().expect("a number"));
                    settings.receivers = numbers.collect();
                }
                "--rounds" => settings.rounds = value().parse().expect("a number"),
                "--repeats" => settings.repeats = value().parse().expect("a number"),
                "--json" => settings.json = true,
                _ => {}
            }
        }
        settings
    }
}

/// Plays a row for some rounds; processor time per packet and receiver, ns.
fn turn(row: &mut Row, rounds: usize, receivers: usize) -> f64 {
    let mut spent = Duration::ZERO;
    for _ in 0..rounds {
        // Making the payloads is the publisher's work.
        let events = row.mix.round();
        let begin = thread_time();
        for event in &events {
            row.subject.send(event);
            row.subject.flush();
        }
        spent += thread_time() - begin;
        if let Some(drain) = &row.drain {
            drain.wait(row.subject.sent().packets, MAX_WAITING);
        }
    }
    spent.as_nanos() as f64 / (rounds * ROUND_PACKETS * receivers) as f64
}

/// Lets the rows take turns: one round each to warm up, then `repeats` turns.
pub fn compare(rows: &mut [Row], receivers: usize, settings: &Settings) -> Vec<Figure> {
    let mut times = vec![Vec::new(); rows.len()];
    for row in rows.iter_mut() {
        turn(row, 1, receivers);
    }
    for _ in 0..settings.repeats {
        for (row, times) in rows.iter_mut().zip(&mut times) {
            times.push(turn(row, settings.rounds, receivers));
        }
    }
    rows.iter()
        .zip(times)
        .map(|(row, mut times)| {
            times.sort_by(f64::total_cmp);
            let sent = row.subject.sent();
            let arrived = row.drain.as_ref().map_or(1.0, |drain| {
                drain.wait(sent.packets, 0);
                drain.received() as f64 / sent.packets.max(1) as f64
            });
            Figure {
                median: times[times.len() / 2],
                min: times[0],
                max: times[times.len() - 1],
                run: sent.packets as f64 / sent.messages.max(1) as f64,
                arrived,
            }
        })
        .collect()
}

/// Results by number of receivers.
#[derive(Debug, Default)]
pub struct Table(BTreeMap<usize, Vec<(&'static str, Figure)>>);

impl Table {
    /// Enters the figures of rows.
    pub fn enter(&mut self, receivers: usize, rows: &[Row], figures: Vec<Figure>) {
        let named = rows.iter().map(|row| row.name).zip(figures);
        self.0.insert(receivers, named.collect());
    }

    /// Prints it; ratios are to the row named `base`.
    pub fn print(&self, base: &str, settings: &Settings) {
        if settings.json {
            println!("{}", self.json());
            return;
        }
        println!(
            "processor time per packet and receiver, ns; {} rounds of {ROUND_PACKETS} packets, \
             median of {} turns (smallest to largest)",
            settings.rounds, settings.repeats
        );
        println!(
            "{:>9}  {:<34} {:>7} {:>17} {:>12} {:>6} {:>6} {:>8}",
            "receivers", "row", "ns", "from to", "per CPU s", "ratio", "run", "arrived"
        );
        for (receivers, rows) in &self.0 {
            let of_base = rows.iter().find(|(name, _)| *name == base);
            for (name, figure) in rows {
                let ratio = of_base.map_or(0.0, |(_, base)| figure.median / base.median);
                println!(
                    "{receivers:>9}  {name:<34} {:>7.0} {:>17} {:>12.0} {ratio:>6.2} {:>6.2} {:>8.4}",
                    figure.median,
                    format!("{:.0} – {:.0}", figure.min, figure.max),
                    1e9 / figure.median,
                    figure.run,
                    figure.arrived
                );
            }
        }
    }

    fn json(&self) -> String {
        let sets: Vec<String> = self
            .0
            .iter()
            .map(|(receivers, rows)| {
                let rows: Vec<String> = rows
                    .iter()
                    .map(|(name, f)| {
                        format!(
                            "\"{name}\":{{\"ns\":{:.1},\"min\":{:.1},\"max\":{:.1},\
                             \"run\":{:.2},\"arrived\":{:.4}}}",
                            f.median, f.min, f.max, f.run, f.arrived
                        )
                    })
                    .collect();
                format!("\"{receivers}\":{{{}}}", rows.join(","))
            })
            .collect();
        format!("{{{}}}", sets.join(","))
    }
}

/// Addresses of a set of receivers.
pub fn addresses(drain: &Drain) -> Vec<SocketAddr> {
    drain.addresses().to_vec()
}
