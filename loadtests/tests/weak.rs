//! A learner behind 64 kbit/s, 5 % loss and 300 ms, against the server's program.
//! The bars are generous: it is the shape that is tested, not this machine. Of the
//! sound no more may have to be concealed than the link loses and what a busy machine adds.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::Duration;

use loadtests::impair::Badness;
use loadtests::server::Build;
use loadtests::weak::Weak;
use lophoc_protocol::media::{Rung, RungReason};

const LINK: Badness = Badness {
    kbit: 64,
    loss: 5.0,
    burst: 1.0,
    delay: Duration::from_millis(150),
    jitter: Duration::from_millis(10),
    queue: Duration::from_millis(600),
};

fn lesson(saver: bool) -> Weak {
    Weak {
        down: LINK,
        up: Badness { kbit: 128, ..LINK },
        seed: 1,
        seconds: 70,
        saver,
        build: Build::own(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_weak_link_is_found_and_pages_come_through_it() {
    let report = lesson(false).run().await.unwrap();
    print!("{report}");
    let (at, on) = report.rungs.first().unwrap();
    let on = on.unwrap();
    assert_eq!((on.at, on.why), (Rung::Sound, RungReason::Link));
    assert!(*at < 45.0, "found weak after {at} s");
    assert!(report.speech.iter().any(|(_, kbps)| *kbps == Some(16)));
    assert_eq!(report.settled_video, 0, "no picture on this link");
    assert!(report.full > 0, "sound goes through the link, too");
    assert!(!report.pages.is_empty());
    assert!(report.slowest_page() < 40.0, "{} s", report.slowest_page());
    assert!(report.usually_concealed() < 35.0, "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_saves_data_never_gets_a_picture() {
    let report = lesson(true).run().await.unwrap();
    print!("{report}");
    let (_, on) = report.rungs.first().unwrap();
    assert_eq!(on.unwrap().why, RungReason::Chosen);
    assert_eq!(report.settled_video, 0);
    assert!(report.sound_sent > 1_000);
    assert!(report.usually_concealed() < 25.0, "{report}");
    assert!(!report.pages.is_empty());
    assert!(report.slowest_page() < 35.0, "{} s", report.slowest_page());
}
