#![no_main]
//! H.264 payloads never panic; a height is never zero.

use libfuzzer_sys::fuzz_target;
use lophoc_media::h264::H264View;

fuzz_target!(|data: &[u8]| {
    if let Some(view) = H264View::parse(data) {
        assert!(view.height != Some(0));
        assert!(view.height.is_none() || view.sps);
    }
});
