#![no_main]
//! The primary block lies at the end of the RED payload.

use libfuzzer_sys::fuzz_target;
use lophoc_media::red::primary;

fuzz_target!(|data: &[u8]| {
    if let Some(found) = primary(data) {
        assert!(data.ends_with(found.payload));
        assert!(found.payload_type < 128);
    }
});
