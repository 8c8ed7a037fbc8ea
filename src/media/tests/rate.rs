//! Rate control over links of all kinds, on virtual time from a seed. What comes
//! out is kept in `docs/SCOREBOARD.md`: a change that moves a figure shows there.
//! `UPDATE_SCOREBOARD=1 cargo test --workspace --test rate` writes it anew.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic)] // helpers of tests, which may panic

mod network;

use std::path::PathBuf;

use lophoc_media::rate::RateConfig;
use lophoc_media::types::Rung;
use network::call::{Call, Sound};
use network::{Download, Link, Loss, Path};

const SECOND: i64 = 1_000_000;
const CONFIG: RateConfig = RateConfig {
    initial: 1_000_000,
    least: 30_000,
    most: 20_000_000,
};
/// Sound as it is mostly sent, and in bundles on the lowest rung.
const SOUND: Sound = Sound {
    each_ms: 20,
    bytes: 110,
    older: 0,
};
/// With redundancy (RFC 2198): each packet carries the two frames before it again.
const DOUBLED: Sound = Sound {
    each_ms: 20,
    bytes: 260,
    older: 2,
};
const BUNDLES: Sound = Sound {
    each_ms: 60,
    bytes: 170,
    older: 0,
};

/// A link, what happens to it, and what is measured.
#[derive(Clone, Copy)]
struct Scenario {
    name: &'static str,
    down: Path,
    /// Loss towards the server as well.
    up: Path,
    config: RateConfig,
    sound: Sound,
    /// One camera that takes whatever the estimate allows.
    elastic: bool,
    calls: usize,
    seconds: i64,
    /// A download beside it, from here to there, s.
    download: Option<(i64, i64)>,
    /// Measured from here on, s.
    from: i64,
    /// At a second, another rate; the last one is the one reacted to.
    steps: &'static [(i64, u64)],
    seed: u64,
}

const fn path(kbps: u64, queue_ms: u64, delay_ms: i64, loss: Loss) -> Path {
    Path {
        rate: kbps * 1_000,
        queue_ms,
        delay_ms,
        jitter_ms: 2,
        loss,
    }
}

fn scenario(name: &'static str, down: Path) -> Scenario {
    Scenario {
        name,
        up: Path {
            rate: 2_000_000,
            queue_ms: 200,
            jitter_ms: 2,
            ..down
        },
        down,
        config: CONFIG,
        sound: SOUND,
        elastic: false,
        calls: 1,
        seconds: 120,
        from: 20,
        steps: &[],
        download: None,
        seed: 1,
    }
}

fn elastic(name: &'static str, down: Path) -> Scenario {
    Scenario {
        elastic: true,
        ..scenario(name, down)
    }
}

fn scenario_of_two(down: Path, elastic: bool) -> Scenario {
    Scenario {
        calls: 2,
        elastic,
        ..scenario("two share 2 Mbit/s", down)
    }
}

/// One line of the scoreboard.
#[derive(Debug, Clone, Copy)]
struct Score {
    name: &'static str,
    elastic: bool,
    /// Mean of the estimates, kbit/s.
    estimate: u64,
    /// Of what the link carries, or of what is wanted where that is less, percent.
    used: u64,
    /// Time in the queue, ms.
    p50: i64,
    p95: i64,
    /// Lost for good, in 1/1,000.
    audio_lost: u64,
    video_lost: u64,
    /// Bytes of padding of all bytes, in 1/1,000.
    padding: u64,
    /// From the last change of the link until the estimate followed, ms.
    reaction: Option<i64>,
    /// Larger over smaller mean estimate, percent.
    fairness: Option<u64>,
    /// Part of the time on the lowest rung, percent.
    sound_only: u64,
    /// From the last change until nothing stood in the queue for 300 ms any more, ms.
    drained: i64,
}

fn play(scenario: &Scenario) -> Score {
    let mut down = Link::new(scenario.down, scenario.seed);
    let mut ups: Vec<Link> = (0..scenario.calls)
        .map(|n| Link::new(scenario.up, scenario.seed + 100 + n as u64))
        .collect();
    let mut calls: Vec<Call> = (0..scenario.calls)
        .map(|n| {
            let seed = scenario.seed + 200 + n as u64;
            Call::new(
                &scenario.config,
                scenario.sound,
                scenario.elastic,
                seed,
                scenario.from * SECOND,
            )
        })
        .collect();
    let mut download = Download::new();
    let (mut carried, mut wanted) = (0u64, 0u64);
    for ms in 0..scenario.seconds * 1_000 {
        let now = ms * 1_000;
        for (at, rate) in scenario.steps {
            if now == at * SECOND {
                down.change(now, *rate);
            }
        }
        if let Some((begin, end)) = scenario.download
            && (begin * 1_000..end * 1_000).contains(&ms)
        {
            download.tick(now, &mut down);
        }
        let count = calls.len();
        for n in 0..count {
            let n = (n + ms as usize) % count;
            calls[n].tick(now, &mut down, &mut ups[n]);
        }
        if now >= scenario.from * SECOND {
            let best: u64 = calls.iter().map(Call::at_best).sum();
            wanted += best.min(down.rate()) / 1_000;
        }
    }
    let mean = |call: &Call| {
        let sum: u64 = call.figures.estimates.iter().map(|(_, rate)| rate).sum();
        sum / call.figures.estimates.len() as u64
    };
    let means: Vec<u64> = calls.iter().map(mean).collect();
    let mut queued: Vec<i64> = Vec::new();
    let sum = |of: fn(&Call) -> u64| calls.iter().map(of).sum::<u64>();
    for call in &calls {
        queued.extend(&call.figures.queued);
        carried += call.figures.bytes * 8;
    }
    queued.sort_unstable();
    let part = |whole: u64, came: u64| (whole - came.min(whole)) * 1_000 / whole.max(1);
    let at = |percent: usize| queued[(queued.len() - 1) * percent / 100] / 1_000;
    let changed = scenario.steps.last().map(|(at, _)| at * SECOND);
    let follows = |estimate: u64, rate: u64| {
        let aim = rate.min(calls[0].at_best());
        if scenario.steps.len() % 2 == 1 {
            estimate <= rate
        } else {
            estimate >= aim * 8 / 10
        }
    };
    let reaction = changed.map(|changed| {
        let found = calls[0]
            .figures
            .estimates
            .iter()
            .find(|(at, estimate)| *at > changed && follows(*estimate, down.rate()));
        found.map_or(999_999, |(at, _)| (at - changed) / 1_000)
    });
    let rungs = &calls[0].figures.rungs;
    let sound_only = rungs.iter().filter(|rung| **rung == Rung::Sound).count();
    Score {
        name: scenario.name,
        elastic: scenario.elastic,
        estimate: means.iter().sum::<u64>() / means.len() as u64 / 1_000,
        used: carried / (wanted / 100).max(1),
        p50: at(50),
        p95: at(95),
        audio_lost: part(
            sum(|call| call.figures.audio_sent),
            sum(|call| call.figures.audio_came),
        ),
        video_lost: part(
            sum(|call| call.figures.video_sent),
            sum(|call| call.figures.video_came),
        ),
        padding: sum(|call| call.figures.padding) * 1_000 / (carried / 8).max(1),
        reaction,
        fairness: (means.len() > 1)
            .then(|| means.iter().max().unwrap() * 100 / (*means.iter().min().unwrap()).max(1)),
        sound_only: sound_only as u64 * 100 / rungs.len() as u64,
        drained: calls[0]
            .figures
            .late_until
            .saturating_sub(changed.unwrap_or(0))
            .max(0)
            / 1_000,
    }
}

fn scenarios() -> Vec<Scenario> {
    let random = |percent: u64| Loss::Random(percent * 100);
    vec![
        scenario("10 Mbit/s, 40 ms", path(10_000, 300, 20, Loss::None)),
        scenario("5 % loss", path(5_000, 300, 30, random(5))),
        scenario("15 % loss", path(5_000, 300, 30, random(15))),
        scenario(
            "5 % loss in bursts of 4",
            path(
                5_000,
                300,
                30,
                Loss::Burst {
                    bad: 132,
                    good: 2_500,
                },
            ),
        ),
        Scenario {
            sound: DOUBLED,
            ..scenario(
                "10 % loss, sound with two older frames",
                path(5_000, 300, 30, random(10)),
            )
        },
        Scenario {
            sound: DOUBLED,
            ..scenario(
                "10 % loss in bursts of 2, sound with two older frames",
                path(
                    5_000,
                    300,
                    30,
                    Loss::Burst {
                        bad: 556,
                        good: 5_000,
                    },
                ),
            )
        },
        scenario("1 Mbit/s, 80 ms", path(1_000, 400, 40, Loss::None)),
        scenario("300 kbit/s, 150 ms", path(300, 500, 75, Loss::None)),
        Scenario {
            sound: BUNDLES,
            seconds: 240,
            ..scenario("64 kbit/s, 300 ms, 5 % loss", path(64, 600, 150, random(5)))
        },
        scenario("2 Mbit/s, 400 ms", path(2_000, 400, 200, Loss::None)),
        Scenario {
            down: Path {
                jitter_ms: 30,
                ..path(3_000, 400, 40, random(1))
            },
            ..scenario(
                "3 Mbit/s, jitter of 30 ms, 1 % loss",
                path(3_000, 400, 40, random(1)),
            )
        },
        Scenario {
            steps: &[(60, 400_000)],
            ..scenario(
                "3 Mbit/s, from 60 s on 400 kbit/s",
                path(3_000, 1_000, 40, Loss::None),
            )
        },
        Scenario {
            steps: &[(30, 400_000), (60, 3_000_000)],
            ..scenario(
                "400 kbit/s, from 60 s on 3 Mbit/s",
                path(3_000, 1_000, 40, Loss::None),
            )
        },
        Scenario {
            steps: &[(40, 0), (60, 3_000_000)],
            config: RateConfig { least: 0, ..CONFIG },
            ..scenario(
                "nothing for 20 s, then 3 Mbit/s",
                path(3_000, 400, 40, Loss::None),
            )
        },
        scenario_of_two(path(2_000, 400, 40, Loss::None), false),
        Scenario {
            steps: &[(40, 0), (60, 3_000_000)],
            config: RateConfig { least: 0, ..CONFIG },
            ..elastic(
                "nothing for 20 s, then 3 Mbit/s",
                path(3_000, 400, 40, Loss::None),
            )
        },
        elastic("300 kbit/s, 150 ms", path(300, 500, 75, Loss::None)),
        elastic("1 Mbit/s, 5 % loss", path(1_000, 300, 40, random(5))),
        elastic("1 Mbit/s, queue of 2 s", path(1_000, 2_000, 40, Loss::None)),
        elastic("1 Mbit/s, queue of 50 ms", path(1_000, 50, 40, Loss::None)),
        elastic("2 Mbit/s, 400 ms", path(2_000, 400, 200, Loss::None)),
        Scenario {
            steps: &[(60, 400_000)],
            ..elastic(
                "2 Mbit/s, queue of 2 s, from 60 s on 400 kbit/s",
                path(2_000, 2_000, 40, Loss::None),
            )
        },
        Scenario {
            steps: &[(30, 400_000), (60, 2_000_000)],
            ..elastic(
                "400 kbit/s, from 60 s on 2 Mbit/s",
                path(2_000, 1_000, 40, Loss::None),
            )
        },
        scenario_of_two(path(2_000, 400, 40, Loss::None), true),
        Scenario {
            download: Some((30, 100)),
            ..elastic(
                "5 Mbit/s, beside a download from 30 to 100 s",
                path(5_000, 200, 30, Loss::None),
            )
        },
        Scenario {
            download: Some((30, 100)),
            ..scenario(
                "5 Mbit/s, beside a download from 30 to 100 s",
                path(5_000, 200, 30, Loss::None),
            )
        },
        Scenario {
            download: Some((30, 100)),
            ..scenario(
                "3 Mbit/s, queue of 1 s, beside a download from 30 to 100 s",
                path(3_000, 1_000, 30, Loss::None),
            )
        },
    ]
}

fn optional<T: std::fmt::Display>(value: Option<T>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| value.to_string())
}

fn tenths(value: u64) -> String {
    format!("{}.{}", value / 10, value % 10)
}

fn scoreboard(scores: &[Score]) -> String {
    let mut out = "\
# Scoreboard of rate control

Written by `UPDATE_SCOREBOARD=1 cargo test --workspace --test rate` and compared exactly
by the same test without it: links on virtual time, from a seed (`src/media/tests/rate.rs`).
A receiver hears one voice and wants one camera at 720 lines and two at 180 (1.6 Mbit/s and
twice 150 kbit/s at best); feedback each 50 ms over a link that loses as much; NACK and
resending; the ladder and the allocation are the product's. *Whatever fits*: one camera that
takes all of the estimate up to 2.5 Mbit/s in place of three, for how a link is filled. Two
minutes (four at 64 kbit/s), measured from 20 s on. Sound is not sent again; two older frames
in each packet are a model of redundant audio. A download is one TCP connection as greedy as
they are, and the queue is mostly its. After *nothing for 20 s* the ladder waits for half a
minute from its fall before it tries a picture again.

| link | pictures | mean estimate, kbit/s | used, % | queue p50 / p95, ms | sound lost, % | pictures lost after repair, % | padding, % | on sound alone, % | follows after, ms | larger / smaller, % |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
"
    .to_owned();
    for score in scores {
        out += &format!(
            "| {} | {} | {} | {} | {} / {} | {} | {} | {} | {} | {} | {} |\n",
            score.name,
            if score.elastic {
                "whatever fits"
            } else {
                "layers"
            },
            score.estimate,
            score.used,
            score.p50,
            score.p95,
            tenths(score.audio_lost),
            tenths(score.video_lost),
            tenths(score.padding),
            score.sound_only,
            optional(score.reaction),
            optional(score.fairness),
        );
    }
    out
}

#[test]
fn the_scoreboard_is_what_it_was() {
    let scores: Vec<Score> = scenarios().iter().map(play).collect();
    let now = scoreboard(&scores);
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/SCOREBOARD.md");
    if std::env::var_os("UPDATE_SCOREBOARD").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        now,
        "figures moved: look at them, then UPDATE_SCOREBOARD=1"
    );
}

/// Plays every scenario of a name with seeds that the scoreboard does not use.
fn each(name: &str, elastic: bool, check: impl Fn(&Score)) {
    let found: Vec<Scenario> = scenarios()
        .into_iter()
        .filter(|scenario| scenario.name == name && scenario.elastic == elastic)
        .collect();
    assert_eq!(found.len(), 1, "{name}");
    for seed in [2_000, 3_000, 4_000] {
        let score = play(&Scenario { seed, ..found[0] });
        println!("{score:?}");
        assert!(score.padding <= 20, "padding is short");
        check(&score);
    }
}

#[test]
fn loss_without_delay_costs_no_rate() {
    // 1,994 kbit/s are wanted.
    for name in ["5 % loss", "5 % loss in bursts of 4", "15 % loss"] {
        each(name, false, |score| {
            assert!(score.estimate >= 2_000);
            assert!(score.used >= 80);
            assert!(score.p95 <= 100);
            assert!(score.video_lost <= 10, "after repair");
        });
    }
    each("1 Mbit/s, 5 % loss", true, |score| {
        assert!(score.used >= 65)
    });
}

#[test]
fn a_narrow_link_is_used_and_not_filled() {
    each("300 kbit/s, 150 ms", true, |score| {
        assert!(score.used >= 70);
        assert!(score.p95 <= 200);
        assert!(score.audio_lost <= 3);
    });
    each("300 kbit/s, 150 ms", false, |score| {
        assert!(score.estimate >= 200);
        assert!(score.p95 <= 200);
        assert!(score.sound_only <= 10);
    });
}

#[test]
fn speech_on_64_kbits_is_not_harmed_by_looking_for_more() {
    each("64 kbit/s, 300 ms, 5 % loss", false, |score| {
        assert_eq!(score.sound_only, 100);
        assert!(score.audio_lost <= 65, "what the link loses, and no more");
        assert!(score.p95 <= 60);
    });
}

#[test]
fn a_long_way_is_no_full_one() {
    for elastic in [false, true] {
        each("2 Mbit/s, 400 ms", elastic, |score| {
            assert!(score.estimate >= 1_400);
            assert!(score.p95 <= 150);
        });
    }
}

#[test]
fn a_large_queue_is_not_filled_and_a_small_one_does_not_overflow() {
    each("1 Mbit/s, queue of 2 s", true, |score| {
        assert!(score.used >= 75);
        assert!(score.p95 <= 300);
    });
    each("1 Mbit/s, queue of 50 ms", true, |score| {
        assert!(score.used >= 75);
        assert!(score.video_lost <= 30);
    });
}

#[test]
fn a_step_down_is_followed_within_two_seconds_and_the_queue_goes() {
    each("3 Mbit/s, from 60 s on 400 kbit/s", false, |score| {
        assert!(score.reaction.unwrap() <= 2_000);
        assert!(score.drained <= 8_000);
        assert!(score.sound_only <= 15);
    });
    each(
        "2 Mbit/s, queue of 2 s, from 60 s on 400 kbit/s",
        true,
        |score| {
            assert!(score.reaction.unwrap() <= 2_000);
            assert!(score.drained <= 12_000);
        },
    );
}

#[test]
fn a_step_up_is_found() {
    each("400 kbit/s, from 60 s on 2 Mbit/s", true, |score| {
        assert!(score.reaction.unwrap() <= 15_000);
    });
    each("400 kbit/s, from 60 s on 3 Mbit/s", false, |score| {
        assert!(score.reaction.unwrap() <= 25_000);
    });
}

#[test]
fn an_estimate_of_zero_recovers() {
    each("nothing for 20 s, then 3 Mbit/s", true, |score| {
        assert!(score.reaction.unwrap() <= 5_000);
    });
    // The ladder waits half a minute before it tries again.
    each("nothing for 20 s, then 3 Mbit/s", false, |score| {
        assert!(score.reaction.unwrap() <= 40_000);
    });
}

#[test]
fn two_receivers_share_a_link() {
    for elastic in [false, true] {
        each("two share 2 Mbit/s", elastic, |score| {
            assert!(score.fairness.unwrap() <= 250);
            assert!(score.used >= 70);
            assert!(score.p95 <= 250);
            assert!(score.audio_lost <= 3);
        });
    }
}

#[test]
fn older_frames_beside_the_new_one_repair_sound() {
    for name in [
        "10 % loss, sound with two older frames",
        "10 % loss in bursts of 2, sound with two older frames",
    ] {
        each(name, false, |score| {
            assert!(score.audio_lost < 10, "less than a hundredth");
            assert!(score.used >= 90);
        });
    }
}

#[test]
fn a_download_beside_it_takes_a_share_and_not_the_room() {
    for elastic in [false, true] {
        each(
            "5 Mbit/s, beside a download from 30 to 100 s",
            elastic,
            |score| {
                assert!(score.estimate >= 600);
                assert!(score.sound_only <= 15);
                assert!(score.audio_lost <= 10);
            },
        );
    }
    let name = "3 Mbit/s, queue of 1 s, beside a download from 30 to 100 s";
    each(name, false, |score| assert!(score.sound_only <= 30));
}
