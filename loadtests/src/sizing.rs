//! What a class needs of line, processor and memory, from the bit rates of the
//! client and two measured figures: the sizing table of docs/CAPACITY.md.

use std::fmt;

/// Bytes around the payload of a media packet: IP and UDP, RTP with its
/// extensions, the tag of the cipher.
const OVERHEAD: f64 = 28.0 + 28.0 + 16.0;
/// How full the media threads may be.
const FULL: f64 = 0.70;
/// Memory of a server without anybody in it, and what the system wants, MiB.
const EMPTY: f64 = 64.0 + 960.0;

/// A stream towards one receiver.
struct Stream {
    /// Payload, kbit/s.
    kbit: f64,
    /// Packets per second.
    packets: f64,
}

/// Voice: Opus at 32 kbit/s.
const VOICE: Stream = Stream {
    kbit: 32.0,
    packets: 50.0,
};
/// The small layer of a camera: 15 frames per second, one packet and sometimes two.
const SMALL: Stream = Stream {
    kbit: 120.0,
    packets: 17.0,
};
/// The middle layer: 30 frames per second of two packets.
const MIDDLE: Stream = Stream {
    kbit: 400.0,
    packets: 62.0,
};
/// The large layer, 720 lines: full packets.
const LARGE: Stream = Stream {
    kbit: 1_200.0,
    packets: 145.0,
};
/// A shared screen in motion.
const SCREEN: Stream = Stream {
    kbit: 2_500.0,
    packets: 300.0,
};

/// What a person sees and hears.
struct Sight {
    name: &'static str,
    streams: &'static [(&'static Stream, u32)],
}

const SIGHTS: [Sight; 4] = [
    Sight {
        name: "voice and slides (data saving)",
        streams: &[(&VOICE, 1)],
    },
    Sight {
        name: "trainer large, voice",
        streams: &[(&LARGE, 1), (&VOICE, 1)],
    },
    Sight {
        name: "trainer and eight people small, three voices",
        streams: &[(&MIDDLE, 1), (&SMALL, 8), (&VOICE, 3)],
    },
    Sight {
        name: "trainer small, shared screen, voice",
        streams: &[(&SMALL, 1), (&SCREEN, 1), (&VOICE, 1)],
    },
];

const SIZES: [u32; 6] = [30, 100, 200, 500, 1_000, 3_000];

impl Sight {
    fn packets(&self) -> f64 {
        let each = self.streams.iter();
        each.map(|(stream, count)| stream.packets * f64::from(*count))
            .sum()
    }

    /// On the line, Mbit/s.
    fn mbit(&self) -> f64 {
        let each = self.streams.iter();
        each.map(|(stream, count)| {
            let kbit = stream.kbit + stream.packets * OVERHEAD * 8.0 / 1_000.0;
            kbit * f64::from(*count) / 1_000.0
        })
        .sum()
    }
}

/// The table.
#[derive(Debug, Clone, Copy)]
pub struct Sizing {
    /// Forwarded packets per CPU second, under load and paced as browsers do; none
    /// when not measured.
    pub per_cpu_second: Option<f64>,
    /// Memory of a learner, KiB; none when not measured.
    pub learner_kib: Option<f64>,
}

const MISSING: &str = "(to be measured)";

impl Sizing {
    /// Cores for `people` with `packets` per second each: what forwards, and one for
    /// everything else.
    fn cores(&self, people: u32, packets: f64) -> Option<u32> {
        let rate = self.per_cpu_second.filter(|rate| *rate > 0.0)?;
        let busy = f64::from(people) * packets / (rate * FULL);
        Some(busy.ceil().max(1.0) as u32 + 1)
    }

    /// GiB, rounded up to halves.
    fn memory(&self, people: u32) -> Option<f64> {
        let kib = self.learner_kib?;
        let mib = EMPTY + f64::from(people) * kib / 1_024.0;
        Some((mib / 512.0).ceil() / 2.0)
    }
}

impl fmt::Display for Sizing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| what everybody sees and hears | people | Mbit/s from the server | cores | memory, GiB |"
        )?;
        writeln!(f, "| --- | --- | --- | --- | --- |")?;
        for sight in &SIGHTS {
            for people in SIZES {
                let or = |known: Option<String>| known.unwrap_or_else(|| MISSING.to_owned());
                writeln!(
                    f,
                    "| {} | {people} | {:.0} | {} | {} |",
                    sight.name,
                    (sight.mbit() * f64::from(people)).ceil(),
                    or(self
                        .cores(people, sight.packets())
                        .map(|cores| cores.to_string())),
                    or(self.memory(people).map(|gib| format!("{gib:.1}"))),
                )?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_measured_says_so() {
        let text = Sizing {
            per_cpu_second: None,
            learner_kib: None,
        }
        .to_string();
        assert_eq!(
            text.matches(MISSING).count(),
            2 * SIGHTS.len() * SIZES.len()
        );
    }

    #[test]
    fn a_lecture_of_a_thousand() {
        let sizing = Sizing {
            per_cpu_second: Some(300_000.0),
            learner_kib: Some(200.0),
        };
        // 195 packets and 1.35 Mbit/s each.
        assert_eq!(sizing.cores(1_000, SIGHTS[1].packets()), Some(2));
        assert_eq!(sizing.cores(3_000, SIGHTS[1].packets()), Some(4));
        assert!(
            (1.34..1.37).contains(&SIGHTS[1].mbit()),
            "{}",
            SIGHTS[1].mbit()
        );
        assert_eq!(sizing.memory(1_000), Some(1.5));
        assert!(!sizing.to_string().contains(MISSING));
    }
}
