//! Time of a track → recording time.
//!
//! A device counts RTP time by its own clock, which runs up to 100 parts in a
//! million too fast or too slow: a third of a second in an hour. What arrives is
//! late by the way it took, which varies, but never early. So the least delay of
//! the last half minute is the measure, and the place of a track follows it, slowly
//! enough that nobody hears or sees it.

use std::collections::VecDeque;

use crate::media::Codec;

/// The least delay is that of this long, nanoseconds.
const WINDOW_NS: i64 = 30_000_000_000;
/// One entry of the window, nanoseconds.
const BUCKET_NS: i64 = 1_000_000_000;
/// While a track is younger than this, its place is followed fast, nanoseconds.
const YOUNG_NS: i64 = 10_000_000_000;
/// Nanoseconds the place of young sound moves in a millisecond: 1 %.
const YOUNG_SOUND: i64 = 10_000;
/// The same of a young picture: a quarter. Its first frame is a whole picture, the
/// largest of all, and so later than any other; nobody sees a few pictures stand a
/// little shorter, but lips beside the sound.
const YOUNG_PICTURE: i64 = 250_000;
/// Nanoseconds an older track's place moves in a millisecond: 1000 ppm.
const RATE: i64 = 1_000;
/// Nothing arrives this much earlier than it was made, nanoseconds: the clock of
/// the source was set.
const EARLY_NS: i64 = 500_000_000;
/// Nothing is this late for so long, nanoseconds: the clock of the source stood
/// still.
const LATE_NS: i64 = 3_000_000_000;
/// For how long, nanoseconds.
const LATE_FOR_NS: i64 = 4_000_000_000;

/// The clock of one publication.
#[derive(Debug, Clone)]
pub struct TrackClock {
    rate: i128,
    young_rate: i64,
    state: Option<State>,
}

#[derive(Debug, Clone)]
struct State {
    first_rtp: u64,
    /// When the first frame arrived, recording time, nanoseconds.
    first_ns: i64,
    /// When the latest arrived.
    last_ns: i64,
    /// The time of the source then, since its first frame.
    last_source_ns: i64,
    /// Recording time minus time of the source, as it is applied.
    offset_ns: i64,
    /// Least delays, oldest first, each less than those after it.
    least: VecDeque<(i64, i64)>,
    late_since: Option<i64>,
}

/// Where a frame belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// At this recording time, nanoseconds.
    At(i64),
    /// At this recording time, and its source began to count anew.
    Jumped(i64),
}

impl Place {
    /// The recording time, nanoseconds.
    pub fn ns(self) -> i64 {
        match self {
            Self::At(ns) | Self::Jumped(ns) => ns,
        }
    }
}

impl TrackClock {
    /// Of a track of this codec.
    pub fn new(codec: Codec) -> Self {
        Self {
            rate: i128::from(codec.clock_rate()),
            young_rate: match codec {
                Codec::Opus => YOUNG_SOUND,
                Codec::Vp8 | Codec::H264 => YOUNG_PICTURE,
            },
            state: None,
        }
    }

    /// Where a frame belongs that has this RTP time and arrived at this recording
    /// time, nanoseconds.
    pub fn place(&mut self, rtp: u64, arrived_ns: i64) -> Place {
        // Differences of such times never overflow.
        let arrived_ns = arrived_ns.clamp(-(i64::MAX / 8), i64::MAX / 8);
        let Some(state) = &mut self.state else {
            self.state = Some(State::new(rtp, arrived_ns));
            return Place::At(arrived_ns);
        };
        let ticks = i128::from(rtp) - i128::from(state.first_rtp);
        let most = i128::from(i64::MAX / 8);
        let source = (ticks * 1_000_000_000 / self.rate).clamp(-most, most);
        let source = i64::try_from(source).unwrap_or(0);
        let delay = arrived_ns.saturating_sub(source);
        let off = delay.saturating_sub(state.offset_ns);
        if off > LATE_NS {
            let since = *state.late_since.get_or_insert(arrived_ns);
            if arrived_ns - since > LATE_FOR_NS {
                self.state = Some(State::new(rtp, arrived_ns));
                return Place::Jumped(arrived_ns);
            }
        } else {
            state.late_since = None;
        }
        if off < -EARLY_NS {
            self.state = Some(State::new(rtp, arrived_ns));
            return Place::Jumped(arrived_ns);
        }
        state.learn(arrived_ns, delay);
        state.follow(arrived_ns, source, self.young_rate);
        Place::At(source.saturating_add(state.offset_ns))
    }
}

impl State {
    fn new(rtp: u64, arrived_ns: i64) -> Self {
        Self {
            first_rtp: rtp,
            first_ns: arrived_ns,
            last_ns: arrived_ns,
            last_source_ns: 0,
            offset_ns: arrived_ns,
            least: VecDeque::from([(arrived_ns, arrived_ns)]),
            late_since: None,
        }
    }

    fn learn(&mut self, arrived_ns: i64, delay: i64) {
        while self
            .least
            .front()
            .is_some_and(|(at, _)| arrived_ns - at > WINDOW_NS)
        {
            self.least.pop_front();
        }
        while self.least.back().is_some_and(|(_, least)| *least >= delay) {
            self.least.pop_back();
        }
        // Later ones of the same second matter only when they are less.
        let same = |(at, _): &(i64, i64)| arrived_ns - at < BUCKET_NS;
        if !self.least.back().is_some_and(same) {
            self.least.push_back((arrived_ns, delay));
        }
    }

    fn follow(&mut self, arrived_ns: i64, source_ns: i64, young_rate: i64) {
        // By what the source went on too: after a stall a frame moves no further
        // than its own length lets it, so places never go back.
        let passed_ns = (arrived_ns - self.last_ns)
            .min(source_ns - self.last_source_ns)
            .clamp(0, 1_000_000_000);
        self.last_ns = arrived_ns;
        self.last_source_ns = source_ns;
        let young = arrived_ns - self.first_ns < YOUNG_NS;
        let most = passed_ns * if young { young_rate } else { RATE } / 1_000_000;
        let least = self
            .least
            .front()
            .map_or(self.offset_ns, |(_, least)| *least);
        self.offset_ns += (least - self.offset_ns).clamp(-most, most);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A source that counts `ppm` too fast, whose frames arrive after 20 ms and a
    /// jitter; what its frames at each minute are off by, milliseconds.
    fn drift(ppm: i64, codec: Codec, every_ms: i64, jitter: &[i64], minutes: i64) -> Vec<f64> {
        let mut clock = TrackClock::new(codec);
        let rate = codec.clock_rate();
        let (mut off, mut minute) = (Vec::new(), 0);
        let mut last = i64::MIN;
        for number in 0..minutes * 60_000 / every_ms {
            let true_ns = number * every_ms * 1_000_000;
            let source_ns = true_ns + true_ns / 1_000_000 * ppm;
            let rtp = u64::try_from(i128::from(source_ns) * i128::from(rate) / 1_000_000_000);
            let jitter = jitter[usize::try_from(number).unwrap() % jitter.len()];
            let arrived = true_ns + 20_000_000 + jitter * 1_000_000;
            let placed = clock.place(rtp.unwrap() + 77, arrived);
            assert!(matches!(placed, Place::At(_)), "{number}");
            assert!(placed.ns() >= last, "time goes on");
            last = placed.ns();
            if true_ns / 60_000_000_000 >= minute {
                minute += 1;
                off.push((placed.ns() - true_ns) as f64 / 1e6 - 20.0);
            }
        }
        off
    }

    #[test]
    fn sound_and_picture_stay_together_for_three_hours() {
        let jitter = [3, 0, 14, 7, 1, 22, 0, 9, 35, 2, 5];
        for (sound, picture) in [(100, -100), (-100, 100), (100, 100), (0, 0)] {
            let sound = drift(sound, Codec::Opus, 20, &jitter, 180);
            let picture = drift(picture, Codec::Vp8, 40, &[9, 0, 31, 4], 180);
            for (minute, (a, b)) in sound.iter().zip(&picture).enumerate() {
                assert!((a - b).abs() <= 40.0, "minute {minute}: {a} {b}");
                assert!(a.abs() <= 40.0, "minute {minute}: {a}");
            }
            let (a, b) = (sound.last().unwrap(), picture.last().unwrap());
            assert!((a - b).abs() <= 10.0, "{a} {b}");
        }
    }

    #[test]
    fn a_source_that_counts_anew_is_noticed() {
        let mut clock = TrackClock::new(Codec::Opus);
        let second = 1_000_000_000;
        clock.place(0, 0);
        assert_eq!(clock.place(48_000, second), Place::At(second));
        // Set ahead by ten seconds.
        assert_eq!(
            clock.place(12 * 48_000, 2 * second),
            Place::Jumped(2 * second)
        );
        assert_eq!(clock.place(13 * 48_000, 3 * second), Place::At(3 * second));
        // It stood still for ten seconds.
        let placed: Vec<Place> = (14..30)
            .map(|at| clock.place(at * 48_000, (at as i64) * second))
            .collect();
        assert!(matches!(
            placed.last(),
            Some(Place::Jumped(_)) | Some(Place::At(_))
        ));
        assert!(
            placed
                .iter()
                .filter(|place| matches!(place, Place::Jumped(_)))
                .count()
                == 1
        );
    }

    #[test]
    fn a_late_first_picture_is_in_its_place_soon() {
        let mut clock = TrackClock::new(Codec::Vp8);
        let (mut last, mut off) = (-1, Vec::new());
        for number in 0..30_u64 {
            let made = i64::try_from(number).unwrap() * 33_333_333;
            // The first is 60 ms on its way, with those after it behind it.
            let arrived = (made + 5_000_000).max(60_000_000);
            let place = clock.place(number * 3_000, arrived).ns();
            assert!(place > last, "{number}: {place} after {last}");
            last = place;
            off.push((place - made) / 1_000_000);
        }
        assert_eq!(off.first(), Some(&60));
        assert!(off[9] <= 12, "after 300 ms: {off:?}");
        assert_eq!(off.last(), Some(&5));
    }

    #[test]
    fn places_of_a_young_picture_do_not_go_back_after_a_stall() {
        let mut clock = TrackClock::new(Codec::Vp8);
        let frames = [
            (0, 200),
            (33, 200),
            (66, 200),
            (100, 105),
            (133, 900),
            (166, 901),
        ];
        let places: Vec<i64> = frames
            .iter()
            .map(|(made, at)| clock.place(made * 90, *at * 1_000_000).ns())
            .collect();
        assert!(
            places.windows(2).all(|pair| pair[0] < pair[1]),
            "{places:?}"
        );
    }

    proptest! {
        #[test]
        fn any_skew_and_jitter_is_followed(
            ppm in -100_i64..=100,
            jitter in proptest::collection::vec(0_i64..60, 5..40),
            every in 10_i64..60,
        ) {
            // Now and then something comes through without delay.
            let mut jitter = jitter;
            jitter.push(0);
            for (minute, off) in drift(ppm, Codec::Vp8, every, &jitter, 12).iter().enumerate() {
                // The first frame of all may have been late by the whole jitter.
                let most = if minute == 0 { 60.0 } else { 15.0 };
                prop_assert!(off.abs() <= most, "minute {} off {}", minute, off);
            }
        }

        #[test]
        fn anything_may_come(frames in proptest::collection::vec((any::<u64>(), 0..i64::MAX / 4), 0..200)) {
            let mut clock = TrackClock::new(Codec::Vp8);
            for (rtp, at) in frames {
                clock.place(rtp, at);
            }
        }
    }
}
