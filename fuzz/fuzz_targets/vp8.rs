#![no_main]
//! The VP8 descriptor never panics and lies within the payload.

use libfuzzer_sys::fuzz_target;
use lophoc_media::vp8::Vp8View;

fuzz_target!(|data: &[u8]| {
    if let Some(view) = Vp8View::parse(data) {
        assert!(view.descriptor_len < data.len());
        assert!(
            view.picture_id
                .is_none_or(|id| u32::from(id.value()) < 1 << id.bits())
        );
    }
});
