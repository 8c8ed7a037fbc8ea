//! What loss says of the way.
//!
//! Radio links lose a part of everything without being full: sending less makes
//! nothing better there. So loss is weighed against what the way loses anyway, a
//! floor that is learned: slowly while the rate is left alone, and at once when
//! sending less did not help.

/// Packets and time one look takes at least.
const LOOK_PACKETS: u32 = 50;
const LOOK: i64 = 500_000;
/// Looks with fewer packets take this long, and this many.
const LONG_LOOK: i64 = 2_000_000;
const FEW_PACKETS: u32 = 10;
/// Loss above the floor that is congestion.
const CONGESTION: f32 = 0.10;
/// Loss above the floor at which nothing is added any more.
const DOUBT: f32 = 0.04;
/// Loss that is congestion whatever the floor, and the highest floor.
const HEAVY: f32 = 0.30;
/// Part of the way to the present loss that the floor takes with each look.
const FLOOR_UP: f32 = 0.03;
const FLOOR_DOWN: f32 = 0.3;
/// The rate must have come down to this part before sending less can be judged.
const LESS: f64 = 0.8;
/// Loss that is still this part of what it was, was none of ours.
const STILL: f32 = 0.7;
/// Where the rate cannot come down any more, it is judged after this, µs.
const STUCK: i64 = 2_500_000;

/// What a look found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Verdict {
    /// No more than the way loses anyway.
    Fine,
    /// A little more: nothing to be added.
    Doubt,
    /// So much more that the way is full.
    Congested(f32),
    /// The way loses that much anyway; what was taken away may come back.
    Learned,
}

#[derive(Debug, Clone, Copy)]
struct Episode {
    began: i64,
    /// Bit/s sent when it began.
    sent: u64,
    loss: f32,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Loss {
    received: u32,
    lost: u32,
    began: Option<i64>,
    smoothed: Option<f32>,
    floor: f32,
    episode: Option<Episode>,
}

impl Loss {
    /// Part lost of late, 0..=1.
    pub fn part(&self) -> Option<f32> {
        self.smoothed
    }

    /// Part the way loses whatever is sent.
    pub fn floor(&self) -> f32 {
        self.floor
    }

    /// More packets are known of; `late`: told as lost before.
    pub fn add(&mut self, received: u32, late: u32, lost: u32) {
        self.received = self.received.saturating_add(received);
        self.lost = self.lost.saturating_add(lost).saturating_sub(late);
    }

    /// What is not judged yet is forgotten: it tells of an outage.
    pub fn forget(&mut self) {
        self.received = 0;
        self.lost = 0;
        self.began = None;
    }

    /// Looks at what came together, when that is enough. `sent`: bit/s sent of
    /// late; `least`: the estimate is as low as loss may take it.
    pub fn look(&mut self, now: i64, sent: u64, least: bool) -> Option<Verdict> {
        let began = *self.began.get_or_insert(now);
        let packets = self.received.saturating_add(self.lost);
        let passed = now - began;
        let enough = (passed >= LOOK && packets >= LOOK_PACKETS)
            || (passed >= LONG_LOOK && packets >= FEW_PACKETS);
        if !enough {
            return None;
        }
        let part = self.lost as f32 / packets as f32;
        self.forget();
        Some(self.weigh(now, part, sent, least))
    }

    /// A part lost that somebody else counted, 0..=1.
    pub fn weigh(&mut self, now: i64, part: f32, sent: u64, least: bool) -> Verdict {
        let loss = self
            .smoothed
            .map_or(part, |before| before + (part - before) * 0.5);
        self.smoothed = Some(loss);
        if let Some(episode) = self.episode {
            if self.is_ours(now, &episode, loss, sent, least) {
                self.episode = None;
            } else if loss <= HEAVY && self.may_judge(now, &episode, sent, least) {
                self.floor = loss;
                self.episode = None;
                return Verdict::Learned;
            }
        }
        let step = if loss < self.floor {
            FLOOR_DOWN
        } else {
            FLOOR_UP
        };
        if self.episode.is_none() {
            self.floor = (self.floor + (loss - self.floor) * step).min(HEAVY);
        }
        let excess = loss - self.floor;
        if excess > CONGESTION || loss > HEAVY {
            self.episode.get_or_insert(Episode {
                began: now,
                sent,
                loss,
            });
            Verdict::Congested(excess)
        } else if excess > DOUBT {
            Verdict::Doubt
        } else {
            Verdict::Fine
        }
    }

    fn may_judge(&self, now: i64, episode: &Episode, sent: u64, least: bool) -> bool {
        (sent as f64) < episode.sent as f64 * LESS || (least && now - episode.began > STUCK)
    }

    /// Less is sent and less is lost: it was congestion.
    fn is_ours(&self, now: i64, episode: &Episode, loss: f32, sent: u64, least: bool) -> bool {
        self.may_judge(now, episode, sent, least) && loss < episode.loss * STILL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    #[test]
    fn a_twentieth_is_no_congestion_and_becomes_the_floor() {
        let mut loss = Loss::default();
        for n in 0..200 {
            let verdict = loss.weigh(n * SECOND, 0.05, 1_000_000, false);
            assert!(!matches!(verdict, Verdict::Congested(_)));
        }
        assert!((0.04..=0.05).contains(&loss.floor()));
        assert_eq!(loss.weigh(0, 0.05, 1_000_000, false), Verdict::Fine);
        assert!(matches!(
            loss.weigh(0, 0.4, 1_000_000, false),
            Verdict::Congested(_)
        ));
    }

    #[test]
    fn where_sending_less_does_not_help_the_loss_is_the_ways_own() {
        let mut loss = Loss::default();
        let first = loss.weigh(0, 0.15, 1_000_000, false);
        assert!(matches!(first, Verdict::Congested(_)));
        let again = loss.weigh(SECOND, 0.15, 900_000, false);
        assert!(matches!(again, Verdict::Congested(_)), "not judged yet");
        let judged = loss.weigh(2 * SECOND, 0.15, 500_000, false);
        assert_eq!(judged, Verdict::Learned);
        let after = loss.weigh(3 * SECOND, 0.15, 900_000, false);
        assert_eq!(after, Verdict::Fine);
    }

    #[test]
    fn where_sending_less_helps_it_was_congestion() {
        let mut loss = Loss::default();
        loss.weigh(0, 0.25, 1_000_000, false);
        for n in 1..6 {
            loss.weigh(n * SECOND, 0.0, 500_000, false);
        }
        assert!(loss.floor() < 0.02);
        assert!(matches!(
            loss.weigh(7 * SECOND, 0.5, 1_000_000, false),
            Verdict::Congested(_)
        ));
    }

    #[test]
    fn heavy_loss_is_never_the_ways_own() {
        let mut loss = Loss::default();
        for n in 0..100 {
            let verdict = loss.weigh(n * SECOND, 0.6, 1_000_000 >> (n / 3).min(15), n > 20);
            assert!(matches!(verdict, Verdict::Congested(_)), "{n}");
        }
        assert!(loss.floor() <= HEAVY);
    }

    #[test]
    fn a_look_waits_for_enough_packets() {
        let mut loss = Loss::default();
        assert_eq!(loss.look(0, 0, false), None);
        loss.add(49, 0, 0);
        assert_eq!(loss.look(SECOND, 0, false), None);
        loss.add(1, 0, 0);
        assert_eq!(loss.look(SECOND, 0, false), Some(Verdict::Fine));
        assert_eq!(loss.part(), Some(0.0));
    }
}
