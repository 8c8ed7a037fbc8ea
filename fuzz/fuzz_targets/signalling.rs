#![no_main]
//! A client frame is read or refused, and what was read can be written and read again.

use libfuzzer_sys::fuzz_target;
use lophoc_protocol::ClientFrame;

fuzz_target!(|data: &[u8]| {
    if let Ok(frame) = serde_json::from_slice::<ClientFrame>(data) {
        let text = serde_json::to_string(&frame).expect("a frame can be written");
        serde_json::from_str::<ClientFrame>(&text).expect("and read again");
    }
});
