#![no_main]
//! A decrypted RTCP compound: no bytes make the reader panic, give out more than
//! they hold, or cost without bound; and no feedback takes a controller out of its
//! limits, whatever was sent before.

use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use lophoc_media::rate::{Controller, RateConfig, Sent};
use lophoc_media::rtcp::{Item, MAX_STATUSES, items};

const CONFIG: RateConfig = RateConfig {
    initial: 300_000,
    least: 30_000,
    most: 5_000_000,
};

fuzz_target!(|data: &[u8]| {
    let start = Instant::now();
    let mut rate = Controller::new(start, &CONFIG);
    rate.set_wanted(start, 2_000_000, false);
    for n in 0..50 {
        rate.sent(start + Duration::from_millis(n * 20), Sent::Video, 1_200);
    }
    let now = start + Duration::from_millis(1_100);
    let (mut found, mut statuses) = (0, 0);
    for item in items(data) {
        found += 1;
        match item {
            Ok(Item::Twcc(feedback)) => {
                let read = feedback.statuses().count();
                assert_eq!(read, usize::from(feedback.count));
                statuses += read;
                rate.on_feedback(now, &feedback);
            }
            Ok(Item::Nack { lost, .. }) => assert!(lost.count() <= data.len() / 4 * 17),
            Ok(Item::ReceiverReport { blocks, .. }) => assert!(blocks.count() < 32),
            Ok(Item::SenderReport(report)) => assert!(report.blocks().count() < 32),
            Ok(Item::Remb { bits_per_second }) => rate.on_remb(now, bits_per_second),
            _ => {}
        }
        assert!((CONFIG.least..=CONFIG.most).contains(&rate.estimate()));
    }
    assert!(found <= data.len() / 4 + 1);
    assert!(statuses <= MAX_STATUSES as usize);
});
