//! A network on virtual time: links with a rate, a queue, delay, jitter and loss,
//! all from a seed, and a call over them. Times are µs since the beginning.

pub mod call;

use std::collections::VecDeque;

/// Bytes of IP and UDP around each datagram.
pub const OVERHEAD: u64 = 28;

/// Small and the same everywhere (SplitMix64).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.roll() % end.max(1)
    }

    /// True so many times out of 10,000.
    pub fn one_in(&mut self, per_ten_thousand: u64) -> bool {
        self.below(10_000) < per_ten_thousand
    }
}

/// What a link loses, in 1/10,000.
#[derive(Debug, Clone, Copy)]
pub enum Loss {
    None,
    Random(u64),
    /// Gilbert: everything while it is bad; how often it turns bad and good again.
    Burst {
        bad: u64,
        good: u64,
    },
}

#[derive(Debug, Clone, Copy)]
pub struct Path {
    /// Bit/s; 0 lets nothing through.
    pub rate: u64,
    /// Longest queue, ms at the rate it begins with.
    pub queue_ms: u64,
    /// One way, ms.
    pub delay_ms: i64,
    /// Added at random up to this, ms; packets stay in order.
    pub jitter_ms: u64,
    pub loss: Loss,
}

pub struct Link {
    path: Path,
    queue: u64,
    dice: Dice,
    busy_until: i64,
    last: i64,
    bad: bool,
}

/// When a packet arrives, and how long it stood in the queue, µs.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    pub at: i64,
    pub queued: i64,
}

impl Link {
    pub fn new(path: Path, seed: u64) -> Self {
        Self {
            path,
            queue: path.rate * path.queue_ms / 8_000,
            dice: Dice::new(seed),
            busy_until: 0,
            last: 0,
            bad: false,
        }
    }

    pub fn rate(&self) -> u64 {
        self.path.rate
    }

    /// Another rate from now on, for what stands in the queue as well.
    pub fn change(&mut self, now: i64, rate: u64) {
        let waits = (self.busy_until - now).max(0) as u64;
        if let Some(waits) = (waits * self.path.rate).checked_div(rate) {
            self.busy_until = now + waits as i64;
        }
        self.path.rate = rate;
    }

    /// A datagram leaves; `None` when it is lost.
    pub fn send(&mut self, now: i64, bytes: usize) -> Option<Arrival> {
        let bytes = bytes as u64 + OVERHEAD;
        if self.path.rate == 0 {
            return None;
        }
        let waits = (self.busy_until - now).max(0);
        let standing = waits as u64 * self.path.rate / 8_000_000;
        if standing + bytes > self.queue.max(3_000) {
            return None;
        }
        let takes = (bytes * 8_000_000 / self.path.rate) as i64;
        self.busy_until = now + waits + takes;
        // Lost behind the queue, as on the air.
        if self.loses() {
            return None;
        }
        let jitter = self.dice.below(self.path.jitter_ms * 1_000 + 1) as i64;
        let at = self.busy_until + self.path.delay_ms * 1_000 + jitter;
        self.last = self.last.max(at);
        Some(Arrival {
            at: self.last,
            queued: waits,
        })
    }

    fn loses(&mut self) -> bool {
        match self.path.loss {
            Loss::None => false,
            Loss::Random(part) => self.dice.one_in(part),
            Loss::Burst { bad, good } => {
                let turns = if self.bad { good } else { bad };
                if self.dice.one_in(turns) {
                    self.bad = !self.bad;
                }
                self.bad
            }
        }
    }
}

/// A download beside the call, as TCP does it: more until something is lost, then
/// less.
pub struct Download {
    /// Packets that may be under way.
    window: f64,
    /// Beyond it growth is slow.
    calm: f64,
    /// When each is told of, and whether it arrived.
    under_way: VecDeque<(i64, bool)>,
    /// What was lost before this was lost together.
    halved_until: i64,
    pub bytes: u64,
}

impl Download {
    const PACKET: usize = 1_472;

    pub fn new() -> Self {
        Self {
            window: 10.0,
            calm: 1e9,
            under_way: VecDeque::new(),
            halved_until: 0,
            bytes: 0,
        }
    }

    /// One millisecond.
    pub fn tick(&mut self, now: i64, link: &mut Link) {
        let back = link.path.delay_ms * 1_000;
        while let Some((at, arrived)) = self.under_way.front().copied()
            && at <= now
        {
            self.under_way.pop_front();
            if arrived {
                self.bytes += Self::PACKET as u64 + OVERHEAD;
                self.window += if self.window < self.calm {
                    1.0
                } else {
                    1.0 / self.window
                };
            } else if now >= self.halved_until {
                self.window = (self.window * 0.7).max(2.0);
                self.calm = self.window;
                self.halved_until = now + 2 * back + (link.busy_until - now).max(0);
            }
        }
        while (self.under_way.len() as f64) < self.window {
            let told = link
                .send(now, Self::PACKET)
                .map(|arrival| arrival.at + back);
            let at = told.unwrap_or(link.busy_until.max(now) + 2 * back);
            self.under_way.push_back((at, told.is_some()));
        }
    }
}
