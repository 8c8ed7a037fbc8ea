#![no_main]
//! No datagram panics the demultiplexer, and only its first two bytes matter.

use libfuzzer_sys::fuzz_target;
use lophoc_media::classify::classify;

fuzz_target!(|data: &[u8]| {
    assert_eq!(classify(data), classify(data.get(..2).unwrap_or(data)));
});
