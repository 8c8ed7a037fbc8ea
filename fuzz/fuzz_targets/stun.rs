#![no_main]
//! The look into an unauthenticated STUN message never panics and never finds
//! a ufrag that is not there.

use libfuzzer_sys::fuzz_target;
use lophoc_media::stun::peek;

fuzz_target!(|data: &[u8]| {
    if let Some(found) = peek(data)
        && let Some(ufrag) = found.local_ufrag
    {
        assert!(!ufrag.is_empty());
        assert!(
            data.windows(ufrag.len())
                .any(|window| window == ufrag.as_bytes())
        );
    }
});
