//! A receiver with sound and three cameras: the server's side with rate control,
//! ladder and allocation as in the product, the receiver's side with feedback each
//! 50 ms and NACKs, both over RTCP as it goes over the wire.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use lophoc_media::allocate::{self, Demand, Grant};
use lophoc_media::ladder::{self, Ladder};
use lophoc_media::rate::{Controller, RateConfig, Sent};
use lophoc_media::relay::LayerInfo;
use lophoc_media::rtcp::{Item, items, write_nack, write_twcc};
use lophoc_media::trial::Trial;
use lophoc_media::types::{Layer, Rung};

use super::{Dice, Link, OVERHEAD};

const RATES: [u64; 3] = [150_000, 500_000, 1_600_000];
const HEIGHTS: [u16; 3] = [180, 360, 720];
/// Longest piece of a frame, bytes of datagram.
const PIECE: usize = 1_150;
/// What padding is sent in, bytes of datagram.
const PADDING: usize = 280;
const FEEDBACK: i64 = 50_000;
const NACK: i64 = 20_000;
/// A picture repaired later than this is of no use, µs.
const REPAIR: i64 = 1_000_000;
/// A packet is asked for again after this, µs, and at most so often.
const ASK_AGAIN: i64 = 100_000;
const ASKS: u32 = 8;
/// What waits for the pacer longer than this is given up, µs.
const STALE: i64 = 500_000;
/// After a layer was taken for bandwidth, µs.
const RISE_HOLD: i64 = 2_000_000;

#[derive(Debug, Clone, Copy)]
pub struct Sound {
    pub each_ms: i64,
    pub bytes: usize,
    /// Frames of before that each packet carries again.
    pub older: u64,
}

#[derive(Debug, Clone, Copy)]
struct Packet {
    what: What,
    bytes: usize,
    born: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Audio(u64),
    Video(usize, u64, bool),
    Padding,
}

#[derive(Default)]
struct Camera {
    layer: Option<usize>,
    /// Layer planned before.
    held: Option<usize>,
    rise_at: i64,
    next_frame: i64,
    next_key: i64,
    /// Bytes and birth of each packet, by number.
    sent: Vec<(usize, i64)>,
    resent: BTreeMap<u64, i64>,
    // The receiver's side.
    highest: Option<u64>,
    missing: BTreeMap<u64, (i64, u32)>,
    came: BTreeMap<u64, i64>,
}

/// What came of a call while it was measured.
#[derive(Default)]
pub struct Figures {
    pub estimates: Vec<(i64, u64)>,
    pub queued: Vec<i64>,
    pub audio_sent: u64,
    pub audio_came: u64,
    pub video_sent: u64,
    pub video_came: u64,
    /// Bytes on the wire that arrived.
    pub bytes: u64,
    pub padding: u64,
    /// When each packet was queued for longer than 300 ms, last.
    pub late_until: i64,
    /// Longest time of sound in the server's hands, µs.
    pub rungs: Vec<Rung>,
}

pub struct Call {
    base: Instant,
    pub rate: Controller,
    ladder: Ladder,
    trial: Trial,
    pub estimate: u64,
    wanted: (u64, bool),
    plan: bool,
    planned: u64,
    limited: bool,
    sound: Sound,
    cameras: [Camera; 3],
    heights: [u16; 3],
    pending: VecDeque<Packet>,
    dice: Dice,
    next_sound: i64,
    sounds: u64,
    numbers: u64,
    /// Towards the receiver: arrival, transport-wide number, packet.
    down: VecDeque<(i64, u64, Packet)>,
    /// Towards the server.
    up: VecDeque<(i64, Vec<u8>)>,
    // The receiver's side.
    heard: BTreeSet<u64>,
    first_frame: u64,
    came: BTreeMap<u64, i64>,
    next_told: u64,
    told: u8,
    next_feedback: i64,
    next_nack: i64,
    next_report: i64,
    latency: i64,
    pub figures: Figures,
    /// From when on it is measured, µs.
    pub from: i64,
    /// One camera that takes whatever the estimate allows, in place of three.
    elastic: bool,
}

/// What the camera that takes everything would take at best, bit/s.
const ELASTIC: u64 = 2_500_000;

impl Call {
    pub fn new(config: &RateConfig, sound: Sound, elastic: bool, seed: u64, from: i64) -> Self {
        let base = Instant::now();
        let mut dice = Dice::new(seed);
        Self {
            base,
            rate: Controller::new(base, config),
            ladder: Ladder::default(),
            trial: Trial::default(),
            estimate: config.initial,
            wanted: (0, false),
            plan: true,
            planned: 0,
            limited: false,
            sound,
            cameras: Default::default(),
            heights: [720, 180, 180],
            pending: VecDeque::new(),
            next_sound: dice.below(20_000) as i64,
            next_feedback: dice.below(50_000) as i64,
            next_nack: 0,
            next_report: 1_000_000,
            dice,
            sounds: 0,
            numbers: 0,
            down: VecDeque::new(),
            up: VecDeque::new(),
            heard: BTreeSet::new(),
            first_frame: 0,
            came: BTreeMap::new(),
            next_told: 0,
            told: 0,
            latency: 0,
            figures: Figures::default(),
            from,
            elastic,
        }
    }

    fn at(&self, now: i64) -> Instant {
        self.base + Duration::from_micros(now as u64)
    }

    /// What the receiver's cameras would take at best, with sound, bit/s.
    pub fn at_best(&self) -> u64 {
        let sound = self.sound.bytes as u64 * 8_000 / self.sound.each_ms as u64;
        if self.elastic {
            return ELASTIC + sound;
        }
        let cameras: u64 = self
            .heights
            .iter()
            .map(|height| RATES[HEIGHTS.iter().position(|h| h == height).unwrap()])
            .sum();
        cameras + sound
    }

    /// One millisecond.
    pub fn tick(&mut self, now: i64, down: &mut Link, up: &mut Link) {
        self.hear(now);
        self.receive(now, up);
        self.send(now, down);
        if now >= self.from && now % 100_000 == 0 {
            self.figures.estimates.push((now, self.rate.estimate()));
            self.figures.rungs.push(self.ladder.rung(Rung::Full));
        }
    }

    // ---- the server

    fn hear(&mut self, now: i64) {
        while let Some((at, _)) = self.up.front()
            && *at <= now
        {
            let (_, bytes) = self.up.pop_front().unwrap();
            for item in items(&bytes) {
                match item.unwrap() {
                    Item::Twcc(feedback) => self.rate.on_feedback(self.at(now), &feedback),
                    Item::Nack { media, lost, .. } => {
                        lost.for_each(|seq| self.resend(now, media as usize, seq));
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
    }

    fn resend(&mut self, now: i64, camera: usize, seq: u16) {
        let cam = &mut self.cameras[camera];
        let end = cam.sent.len() as u64;
        let id = end - u64::from((end as u16).wrapping_sub(seq));
        let (bytes, born) = cam.sent[id as usize];
        let again = cam.resent.get(&id).is_none_or(|at| now - at > 50_000);
        if now - born > REPAIR || !again {
            return;
        }
        cam.resent.insert(id, now);
        self.pending.push_front(Packet {
            what: What::Video(camera, id, true),
            bytes,
            born,
        });
    }

    fn send(&mut self, now: i64, down: &mut Link) {
        if now >= self.next_sound {
            self.next_sound += self.sound.each_ms * 1_000;
            let packet = Packet {
                what: What::Audio(self.sounds),
                bytes: self.sound.bytes,
                born: now,
            };
            self.sounds += 1;
            self.rate.book(self.at(now), packet.bytes);
            self.put(now, packet, down);
            if now >= self.from {
                self.figures.audio_sent += 1;
            } else {
                self.first_frame = self.sounds;
            }
        }
        self.steer(now);
        self.draw(now);
        // On the lowest rung no picture is sent again either, as in the product.
        let sound_only = !self.elastic && self.ladder.rung(Rung::Full) == Rung::Sound;
        self.pending.retain(|packet| {
            let longest = match packet.what {
                What::Video(_, _, true) => REPAIR,
                _ => STALE,
            };
            now - packet.born < longest && !sound_only
        });
        while let Some(packet) = self.pending.front().copied() {
            let at = self.at(now);
            if !self.rate.may_send(at, packet.bytes) {
                let next = self.rate.next_send(at);
                assert!(next > at && next < at + Duration::from_secs(10));
                break;
            }
            self.pending.pop_front();
            self.put(now, packet, down);
        }
        if self
            .rate
            .next_deadline()
            .is_some_and(|due| due <= self.at(now))
        {
            self.rate.on_time(self.at(now));
            let mut bytes = self.rate.padding(self.at(now));
            while bytes > 0 {
                let piece = bytes.min(PADDING);
                bytes -= piece;
                self.figures.padding += piece as u64;
                let packet = Packet {
                    what: What::Padding,
                    bytes: piece,
                    born: now,
                };
                self.put(now, packet, down);
            }
        }
    }

    fn put(&mut self, now: i64, packet: Packet, down: &mut Link) {
        let what = match packet.what {
            What::Audio(_) => Sent::Audio,
            What::Video(_, _, false) => Sent::Video,
            What::Video(_, _, true) => Sent::Resend,
            What::Padding => Sent::Padding,
        };
        let seq = self.rate.sent(self.at(now), what, packet.bytes);
        assert_eq!(seq, self.numbers as u16);
        if let Some(arrival) = down.send(now, packet.bytes) {
            if now >= self.from {
                self.figures.queued.push(arrival.queued);
                if arrival.queued > 300_000 {
                    self.figures.late_until = now;
                }
            }
            self.down.push_back((arrival.at, self.numbers, packet));
        }
        self.numbers += 1;
    }

    /// Estimate, ladder and allocation, as the core does it.
    fn steer(&mut self, now: i64) {
        let at = self.at(now);
        if self.elastic {
            self.estimate = self.rate.take_estimate().unwrap_or(self.estimate);
            if self.wanted.0 == 0 {
                self.wanted = (ELASTIC, false);
                self.rate.set_wanted(at, ELASTIC, false);
                self.cameras[0].layer = Some(2);
            }
            return;
        }
        if self.wanted.0 > 0
            && let Some(estimate) = self.rate.take_estimate()
        {
            self.estimate = estimate;
            self.trial.on_estimate(at, estimate);
            self.ladder.on_estimate(at, estimate);
            self.plan |= estimate < self.planned;
        }
        if now % 500_000 == 0 {
            if self.wanted.0 == 0 {
                self.ladder.on_rest();
            }
            let before = (self.ladder.rung(Rung::Full), self.ladder.is_trying());
            self.ladder.look(at, true);
            self.plan |= before != (self.ladder.rung(Rung::Full), self.ladder.is_trying());
            self.plan |= self.limited;
        }
        if std::mem::take(&mut self.plan) {
            self.allocate(now);
        }
    }

    fn allocate(&mut self, now: i64) {
        let at = self.at(now);
        let (rung, trying) = (self.ladder.rung(Rung::Full), self.ladder.is_trying());
        let layers = [0, 1, 2].map(|layer| LayerInfo {
            live: true,
            height: HEIGHTS[layer],
            bits_per_second: RATES[layer] as u32,
        });
        let mut demands: Vec<Demand> = (0..3)
            .map(|index| Demand {
                screen: false,
                height: self.heights[index],
                priority: u8::from(index == 0),
                layers,
                held: self.cameras[index].held.map(|layer| Layer(layer as u8)),
                may_rise: now >= self.cameras[index].rise_at,
            })
            .collect();
        let wanted = match rung {
            Rung::Sound if !trying => 0,
            _ => allocate::wanted(&demands),
        };
        ladder::restrict(rung, &mut demands);
        let mut grants: Vec<Grant> = Vec::new();
        let daring = self.trial.dares(at, self.estimate);
        let cost = allocate::allocate(self.estimate, 1, daring, &demands, &mut grants);
        self.planned = cost + allocate::AUDIO_RESERVE;
        self.limited = grants.iter().any(|grant| grant.limited);
        let tried = grants.iter().any(|grant| grant.tried);
        self.trial.planned(at, self.estimate, tried);
        if self.wanted != (wanted, trying) {
            self.wanted = (wanted, trying);
            self.rate.set_wanted(at, wanted, trying);
        }
        for (camera, grant) in self.cameras.iter_mut().zip(&grants) {
            let layer = grant.layer.map(|layer| usize::from(layer.0));
            if layer < camera.held {
                camera.rise_at = now + RISE_HOLD;
            }
            camera.held = layer;
            if layer != camera.layer {
                camera.layer = layer;
                camera.next_key = now;
                camera.next_frame = camera.next_frame.max(now);
            }
        }
    }

    /// Frames that are due.
    fn draw(&mut self, now: i64) {
        for index in 0..self.cameras.len() {
            let camera = &mut self.cameras[index];
            let Some(layer) = camera.layer.filter(|_| now >= camera.next_frame) else {
                continue;
            };
            let fps = if layer == 0 { 15 } else { 30 };
            camera.next_frame = now + 1_000_000 / fps;
            let rate = if self.elastic {
                let sound = (self.sound.bytes as i64 * 8_000 / self.sound.each_ms) as u64;
                (self.estimate * 95 / 100)
                    .saturating_sub(sound)
                    .min(ELASTIC)
            } else {
                RATES[layer]
            };
            let mut bytes = rate / 8 / fps as u64 * (70 + self.dice.below(61)) / 100;
            if now >= camera.next_key {
                camera.next_key = now + 20_000_000;
                bytes *= 4;
            }
            let mut bytes = bytes as usize;
            while bytes > 0 {
                let piece = bytes.min(PIECE);
                bytes -= piece;
                let id = camera.sent.len() as u64;
                camera.sent.push((piece, now));
                if now >= self.from {
                    self.figures.video_sent += 1;
                }
                self.pending.push_back(Packet {
                    what: What::Video(index, id, false),
                    bytes: piece,
                    born: now,
                });
            }
        }
    }

    // ---- the receiver

    fn receive(&mut self, now: i64, up: &mut Link) {
        while let Some((at, ..)) = self.down.front()
            && *at <= now
        {
            let (at, number, packet) = self.down.pop_front().unwrap();
            self.came.insert(number, at);
            self.latency = at - packet.born.min(at);
            if packet.born >= self.from {
                self.figures.bytes += packet.bytes as u64 + OVERHEAD;
            }
            match packet.what {
                What::Audio(id) => {
                    for frame in id.saturating_sub(self.sound.older)..=id {
                        let new = self.heard.insert(frame);
                        self.figures.audio_came += u64::from(new && frame >= self.first_frame);
                    }
                }
                What::Video(camera, id, _) => self.see(at, camera, id, packet.born),
                _ => {}
            }
        }
        if now >= self.next_feedback {
            self.next_feedback += FEEDBACK;
            self.tell(now, up);
        }
        if now >= self.next_nack {
            self.next_nack += NACK;
            self.ask(now, up);
        }
        if now >= self.next_report {
            self.next_report += 1_000_000;
            let rtt = Duration::from_micros(self.latency as u64 * 2);
            self.rate.on_report(self.at(now), 0.0, Some(rtt));
        }
    }

    fn see(&mut self, at: i64, camera: usize, id: u64, born: i64) {
        let measured = born >= self.from;
        let camera = &mut self.cameras[camera];
        let first = camera.highest.map_or(0, |highest| highest + 1);
        for missing in first..id {
            camera.missing.insert(missing, (at, 0));
        }
        camera.highest = camera.highest.max(Some(id));
        camera.missing.remove(&id);
        if camera.came.insert(id, at).is_none() && measured && at - born <= REPAIR {
            self.figures.video_came += 1;
        }
    }

    fn tell(&mut self, now: i64, up: &mut Link) {
        let Some((last, _)) = self.came.last_key_value() else {
            return;
        };
        let last = *last;
        while self.next_told <= last {
            let arrivals: Vec<Option<i64>> = (self.next_told..=last)
                .map(|number| self.came.get(&number).map(|at| at / 250))
                .collect();
            let mut bytes = Vec::new();
            let count = write_twcc(
                &mut bytes,
                (1, 2),
                self.told,
                self.next_told as u16,
                &arrivals,
            );
            assert!(count > 0);
            self.told = self.told.wrapping_add(1);
            self.next_told += u64::from(count);
            self.post(now, bytes, up);
        }
        self.came.clear();
    }

    fn ask(&mut self, now: i64, up: &mut Link) {
        for index in 0..self.cameras.len() {
            let camera = &mut self.cameras[index];
            camera
                .missing
                .retain(|_, (since, asks)| *asks < ASKS && now - *since < 2 * REPAIR);
            let mut due = Vec::new();
            for (id, (since, asks)) in &mut camera.missing {
                if now >= *since {
                    *since = now + ASK_AGAIN;
                    *asks += 1;
                    due.push(*id as u16);
                }
            }
            if !due.is_empty() {
                let mut bytes = Vec::new();
                write_nack(&mut bytes, 9, index as u32, due);
                self.post(now, bytes, up);
            }
        }
    }

    fn post(&mut self, now: i64, bytes: Vec<u8>, up: &mut Link) {
        if let Some(arrival) = up.send(now, bytes.len() + 14) {
            self.up.push_back((arrival.at, bytes));
        }
    }
}
