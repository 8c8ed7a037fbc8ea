//! Rate control towards one receiver: how much the way to it carries, and when
//! what may leave leaves.
//!
//! The base is Google congestion control (draft-ietf-rmcat-gcc-02) over
//! transport-wide feedback: the gaps between packets tell of queues that fill
//! (`delay.rs`), loss beyond what the way loses anyway tells of queues that are
//! full (`loss.rs`); the estimate then falls towards what arrives, and grows
//! slowly while nothing tells of either. A conference server mostly sends far
//! less than the way carries, so the estimate does not follow what is sent: it
//! holds, and short bursts of padding look for room (`probe.rs`) as far as the
//! receiver's pictures would use it. What leaves is spread by a bucket that sound
//! does not wait at (`pacer.rs`).

mod course;
mod delay;
mod history;
mod loss;
mod meter;
mod pacer;
mod probe;

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use crate::rtcp::TwccFeedback;
use course::{Rates, Standing};
use delay::{Delay, Usage};
use history::History;
use loss::{Loss, Verdict};
use meter::{Meter, SHORT, USUAL};
use pacer::Pacer;
use probe::Probe;

/// Sound of all slots, bit/s: looked for beside what pictures take.
const AUDIO_RATE: u64 = 160_000;
/// Room looked for while any picture is wanted, bit/s: enough to begin with
/// something larger.
const LEAST_LOOKED_FOR: u64 = 1_000_000;
/// Estimate to begin with where the link may not even bear a small camera, bit/s.
const GENTLE_START: u64 = 40_000;
/// Room looked for there, bit/s.
const GENTLE_LOOKED_FOR: u64 = 400_000;
/// First burst there, times the estimate.
const GENTLE_TIMES: u64 = 2;
/// Looking for room begins anew at most this often, µs.
const BEGIN_GAP: i64 = 3_000_000;
/// Delay in queues at which nothing is added, µs.
const FILLING: i64 = 100_000;
/// Between two falls for the same reason at least, µs.
const FALL_GAP: (i64, i64) = (100_000, 500_000);
/// Feedback is away when nothing of what was sent was told of for this long, µs.
const SILENCE: (i64, i64) = (800_000, 3_000_000);
/// While it is away the estimate is halved this often, µs.
const HALVING: i64 = 1_000_000;
/// Packets that must have left for feedback to be missed.
const UNTOLD: u32 = 4;
/// An estimate of which nothing was learned for this long is aged, µs.
const FRESH: i64 = 60_000_000;
/// Each so many µs a tenth of what lies above the first estimate goes.
const AGING: i64 = 10_000_000;
/// A change worth telling, percent.
const TOLD: u64 = 3;
/// What a packet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// Sound; it never waits.
    Audio,
    /// Pictures.
    Video,
    /// Something sent again.
    Resend,
    /// Nothing but weight.
    Padding,
}

/// Bounds of the estimate, bit/s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateConfig {
    /// What it begins with.
    pub initial: u64,
    /// It is never lower.
    pub least: u64,
    /// It is never higher.
    pub most: u64,
}

/// Rate control towards one receiver.
///
/// What each packet touches stands first and together: with hundreds of receivers
/// every line of it comes from memory.
#[derive(Debug, Clone)]
#[repr(C)]
pub struct Controller {
    start: Instant,
    pacer: Pacer,
    history: History,
    /// First packet since the last feedback, and how many.
    untold: Option<(i64, u32)>,
    probe: Probe,
    /// As far back as queues are long.
    sent: Meter<64>,
    estimate: u64,
    told: u64,
    config: RateConfig,
    delay: Delay,
    loss: Loss,
    arrived: Meter<8>,
    arrivals: Arrivals,
    /// Rate at which the way was full, bit/s.
    limit: Option<u64>,
    grown: i64,
    fell: Option<i64>,
    raised: Option<i64>,
    standing: Option<Standing>,
    doubtful: bool,
    /// The rate a queue drains at, until it is gone.
    draining: Option<u64>,
    /// What was sent when a queue began to be given way to, bit/s.
    yielded: Option<u64>,
    /// Since when there is no queue.
    clear: Option<i64>,
    wanted: u64,
    gently: bool,
    began: Option<i64>,
    feedback: Option<i64>,
    /// When the estimate is halved for want of feedback.
    halving: Option<i64>,
    outage: bool,
    /// Since when nothing is wanted, or it was aged last, µs.
    rests: i64,
    /// Known by the receiver's own estimates.
    remb: bool,
    report_rtt: Option<Duration>,
    feedback_rtt: Option<i64>,
    report_loss: Option<f32>,
}

/// The receiver's clock, made to go on where its 24 bits end.
#[derive(Debug, Clone, Copy, Default)]
struct Arrivals {
    last: Option<i64>,
}

impl Arrivals {
    /// What the receiver's time begins anew after, in units of 250 µs.
    const AROUND: i64 = 1 << 32;
    /// A step by more is another clock, or a pause after which nothing of before
    /// counts, in units of 250 µs.
    const STEP: i64 = 20_000;

    /// µs on a clock that never begins anew, of a time in units of 250 µs; and
    /// whether it is another clock now.
    fn unwrap(&mut self, units: i64) -> (i64, bool) {
        let last = *self.last.get_or_insert(units);
        let half = Self::AROUND / 2;
        let step = (units - last + half).rem_euclid(Self::AROUND) - half;
        let at = last.saturating_add(step);
        if step.abs() > Self::STEP {
            self.last = Some(units);
            return (units.saturating_mul(250), true);
        }
        self.last = Some(last.max(at));
        (at.saturating_mul(250), false)
    }
}

impl Controller {
    /// A receiver of which nothing is known.
    pub fn new(now: Instant, config: &RateConfig) -> Self {
        let most = config.most.max(config.least);
        let estimate = config.initial.clamp(config.least, most);
        Self {
            start: now,
            config: RateConfig { most, ..*config },
            estimate,
            told: estimate,
            history: History::new(),
            delay: Delay::new(),
            loss: Loss::default(),
            probe: Probe::new(),
            pacer: Pacer::new(estimate),
            sent: Meter::new(),
            arrived: Meter::new(),
            arrivals: Arrivals::default(),
            limit: None,
            grown: 0,
            fell: None,
            raised: None,
            standing: None,
            doubtful: false,
            draining: None,
            yielded: None,
            clear: None,
            wanted: 0,
            gently: false,
            began: None,
            feedback: None,
            untold: None,
            halving: None,
            outage: false,
            rests: 0,
            remb: false,
            report_rtt: None,
            feedback_rtt: None,
            report_loss: None,
        }
    }

    /// µs since the beginning.
    fn us(&self, now: Instant) -> i64 {
        let passed = now.saturating_duration_since(self.start).as_micros();
        i64::try_from(passed)
            .unwrap_or(i64::MAX / 4)
            .min(i64::MAX / 4)
    }

    fn instant(&self, us: i64) -> Instant {
        self.start + Duration::from_micros(u64::try_from(us).unwrap_or(0))
    }

    /// Number for the next packet with the transport-wide extension, which is
    /// remembered. `bytes`: the whole datagram without UDP and IP.
    pub fn sent(&mut self, now: Instant, what: Sent, bytes: usize) -> u16 {
        let at = self.us(now);
        let id = self.probe.id();
        if id != 0 {
            self.probe.on_sent(at, bytes);
        }
        self.sent.add(at, u32::try_from(bytes).unwrap_or(u32::MAX));
        match &mut self.untold {
            Some((_, packets)) => *packets = packets.saturating_add(1),
            None => self.untold = Some((at, 1)),
        }
        self.history.push(wrapped(at), bytes, what, id)
    }

    /// The receiver told when packets arrived.
    pub fn on_feedback(&mut self, now: Instant, feedback: &TwccFeedback<'_>) {
        let at = self.us(now);
        let (mut received, mut late, mut lost) = (0u32, 0u32, 0u32);
        let (mut newest, mut last_arrival) = (None::<i64>, None::<i64>);
        for (seq, arrival) in feedback.statuses() {
            let Some(units) = arrival else {
                if let Some(known) = self.history.lost(seq) {
                    lost += 1;
                    self.told_of_probe(known.probe, None, known.bytes);
                }
                continue;
            };
            let Some(known) = self.history.received(seq) else {
                continue;
            };
            let (arrival, another) = self.arrivals.unwrap(units);
            if another {
                self.arrived.reset();
                self.delay.begin_anew();
            }
            let sent = at - i64::from(wrapped(at).wrapping_sub(known.at));
            received += 1;
            late += u32::from(known.was_lost);
            self.told_of_probe(known.probe, Some(arrival), known.bytes);
            self.arrived.add(arrival, u32::from(known.bytes));
            self.delay.on_packet(sent, arrival);
            newest = newest.max(Some(sent));
            last_arrival = last_arrival.max(Some(arrival));
        }
        if received == 0 && lost == 0 {
            // Nothing that was asked for: forged, or told before.
            return;
        }
        let back = std::mem::take(&mut self.outage);
        if self.feedback.is_none() && self.remb {
            let most = self.looked_for(self.wanted, self.gently);
            self.probe.set_most(at, most, self.gently);
        }
        self.feedback = Some(at);
        self.untold = None;
        self.halving = None;
        if let Some(newest) = newest {
            self.learn_rtt(at - newest);
        }
        if back {
            self.loss.forget();
            self.begin(at, None);
        } else {
            self.loss.add(received, late, lost);
        }
        if let (Some(newest), Some(last_arrival)) = (newest, last_arrival) {
            let rates = Rates {
                // What was sent in the time that arrived since.
                sent: self.sent.rate(newest, USUAL),
                arrived: self.arrived.rate(last_arrival, USUAL),
                lately: self.arrived.rate(last_arrival, SHORT),
            };
            self.weigh(at, &rates);
        }
        self.look_at_probe(at);
    }

    fn told_of_probe(&mut self, id: u8, arrival: Option<i64>, bytes: u16) {
        if id != 0 {
            self.probe.on_told(id, arrival, bytes);
        }
    }

    fn learn_rtt(&mut self, rtt: i64) {
        let smoothed = match self.feedback_rtt {
            // Shorter at once, longer slowly: feedback waits for others.
            Some(before) if rtt > before => before + (rtt - before) / 8,
            _ => rtt,
        };
        self.feedback_rtt = Some(smoothed);
    }

    fn rtt_us(&self) -> i64 {
        let told = self
            .report_rtt
            .and_then(|rtt| i64::try_from(rtt.as_micros()).ok());
        told.or(self.feedback_rtt).unwrap_or(100_000)
    }

    fn set(&mut self, estimate: u64) {
        self.estimate = estimate.clamp(self.config.least, self.config.most);
        self.pacer.set(self.estimate);
    }

    /// From receiver reports: the part lost, 0..=1, and the round trip.
    pub fn on_report(&mut self, now: Instant, fraction_lost: f32, rtt: Option<Duration>) {
        let at = self.us(now);
        if let Some(rtt) = rtt {
            self.report_rtt = Some(match self.report_rtt {
                Some(before) => (before * 7 + rtt) / 8,
                None => rtt,
            });
        }
        if self.feedback.is_some() || !fraction_lost.is_finite() {
            return;
        }
        // Without transport-wide feedback this is all there is.
        let part = fraction_lost.clamp(0.0, 1.0);
        self.report_loss = Some(part);
        let sent = self.sent.rate(at, USUAL).unwrap_or(0);
        let least = self.estimate <= self.config.least;
        if let Verdict::Congested(excess) = self.loss.weigh(at, part, sent, least) {
            self.fall_by_loss(at, excess, sent);
        }
    }

    /// The receiver's own estimate; it counts while no transport-wide feedback was
    /// ever seen.
    pub fn on_remb(&mut self, now: Instant, bits_per_second: u64) {
        if self.feedback.is_some() {
            return;
        }
        let at = self.us(now);
        self.remb = true;
        self.rests = at;
        // Nobody answers bursts there.
        self.probe.set_most(at, 0, true);
        self.set(bits_per_second);
    }

    /// What the receiver's pictures would take at best, bit/s. With 0 nothing is
    /// looked for, and the last estimate is kept, and aged. `gently`: whether the
    /// link bears anything but sound is to be found out from below.
    pub fn set_wanted(&mut self, now: Instant, video_bits_per_second: u64, gently: bool) {
        let at = self.us(now);
        let (before, was_gentle) = (self.wanted, self.gently);
        self.wanted = video_bits_per_second;
        self.gently = gently && video_bits_per_second > 0;
        if before > 0 && self.wanted == 0 {
            self.rests = at;
        }
        let most = self.looked_for(self.wanted, self.gently);
        if self.feedback.is_none() && self.remb {
            return;
        }
        let rises = most / 5 * 4 > self.looked_for(before, was_gentle);
        self.probe.set_most(at, most, self.gently);
        if most == 0 {
            return;
        }
        if self.gently && !was_gentle {
            self.set(self.estimate.min(GENTLE_START));
            self.begin(at, Some(GENTLE_TIMES));
        } else if !self.gently && (before == 0 || was_gentle || rises) {
            let recent = self.began.is_some_and(|began| at - began < BEGIN_GAP);
            if before == 0 || !recent {
                self.begin(at, None);
            }
        }
    }

    /// Room looked for, bit/s.
    fn looked_for(&self, video: u64, gently: bool) -> u64 {
        let room = match (video, gently) {
            (0, _) => 0,
            (_, true) => GENTLE_LOOKED_FOR,
            // What the allocation wants to see free before a picture grows, and a rate
            // that was underrated: a keyframe more in a second is that much.
            (video, false) => {
                let video = video.saturating_mul(13) / 10;
                (video.saturating_add(AUDIO_RATE).saturating_mul(11) / 10).max(LEAST_LOOKED_FOR)
            }
        };
        room.min(self.config.most)
    }

    fn begin(&mut self, at: i64, times: Option<u64>) {
        self.began = Some(at);
        self.probe.begin(at, self.estimate.max(GENTLE_START), times);
    }

    /// Bit/s.
    pub fn estimate(&self) -> u64 {
        self.estimate
    }

    /// The estimate, when it changed enough to be told: any fall, or growth of 3 %.
    pub fn take_estimate(&mut self) -> Option<u64> {
        let grown = self
            .told
            .saturating_add(self.told * TOLD / 100)
            .max(self.told + 1);
        if self.estimate >= self.told && self.estimate < grown {
            return None;
        }
        self.told = self.estimate;
        Some(self.estimate)
    }

    /// Part lost of late, 0..=1.
    pub fn loss(&self) -> Option<f32> {
        self.loss.part().or(self.report_loss)
    }

    /// Round trip: by receiver reports, else by feedback, which adds some.
    pub fn rtt(&self) -> Option<Duration> {
        let feedback = || {
            u64::try_from(self.feedback_rtt?)
                .ok()
                .map(Duration::from_micros)
        };
        self.report_rtt.or_else(feedback)
    }

    /// Whether so many bytes of pictures, or of something sent again, may leave
    /// now; books them when they may. Sound never asks, nor does what
    /// [`Self::padding`] asked for.
    pub fn may_send(&mut self, now: Instant, bytes: usize) -> bool {
        let at = self.us(now);
        self.pacer.may_send(at, bytes)
    }

    /// Reads what sending a packet reads, so that it is in the processor's cache.
    /// The sum means nothing.
    pub fn warm(&self) -> u64 {
        u64::from(self.untold.is_some())
            ^ self.estimate
            ^ self.wanted
            ^ self.pacer.warm()
            ^ u64::from(self.probe.id())
            ^ self.sent.warm()
            ^ self.history.warm()
            ^ u64::from(self.halving.is_some())
            ^ u64::from(self.feedback.is_some())
    }

    /// When [`Self::may_send`] will say yes after a no.
    pub fn next_send(&self, now: Instant) -> Instant {
        now + Duration::from_micros(self.pacer.wait(self.us(now)))
    }

    /// Books sound and whatever else leaves without asking, so that pictures give way.
    pub fn book(&mut self, now: Instant, bytes: usize) {
        let at = self.us(now);
        self.pacer.book(at, bytes);
    }

    /// Bytes of padding, or of something sent again, that should leave now to look
    /// for room; 0 = none. They go through [`Self::sent`] as [`Sent::Padding`].
    pub fn padding(&mut self, now: Instant) -> usize {
        let at = self.us(now);
        let calm = self.calm();
        let bytes = self.probe.padding(at, self.estimate, calm);
        usize::try_from(bytes).unwrap_or(0)
    }

    /// From when on a burst may begin: not while something tells of a full way.
    fn calm(&self) -> Option<i64> {
        let full = self.delay.usage() == Usage::Over || self.delay.queue() >= FILLING;
        (!full && !self.outage).then(|| self.fell.map_or(0, |fell| fell + FALL_GAP.1))
    }

    /// When [`Self::on_time`] and [`Self::padding`] are due next.
    pub fn next_deadline(&self) -> Option<Instant> {
        [
            self.probe.due(self.estimate, self.calm()),
            self.silence(),
            self.aging(),
        ]
        .into_iter()
        .flatten()
        .min()
        .map(|at| self.instant(at))
    }

    /// When feedback that stays away takes the estimate down.
    fn silence(&self) -> Option<i64> {
        self.feedback?;
        let (since, packets) = self.untold?;
        if packets < UNTOLD || self.estimate <= self.config.least {
            return None;
        }
        let patience = (self.rtt_us() * 2 + 500_000).clamp(SILENCE.0, SILENCE.1);
        Some(self.halving.unwrap_or(since + patience))
    }

    /// When an estimate of which nothing is learned is aged.
    fn aging(&self) -> Option<i64> {
        (self.wanted == 0 && self.estimate > self.config.initial).then_some(self.rests + FRESH)
    }

    /// Time passed.
    pub fn on_time(&mut self, now: Instant) {
        let at = self.us(now);
        self.look_at_probe(at);
        if self.silence().is_some_and(|due| due <= at) {
            self.outage = true;
            self.halving = Some(at + HALVING);
            self.fall(at, self.estimate / 2);
        }
        if self.aging().is_some_and(|due| due <= at) {
            let above = self.estimate.saturating_sub(self.config.initial);
            self.set(self.config.initial + above * 9 / 10);
            self.rests = at - FRESH + AGING;
        }
    }
}

/// Of µs, what fits 32 bits: for spans below an hour.
fn wrapped(us: i64) -> u32 {
    (us & i64::from(u32::MAX)) as u32
}
