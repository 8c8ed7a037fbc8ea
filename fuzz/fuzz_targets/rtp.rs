#![no_main]
//! The RTP view never panics and never claims more than there is.

use libfuzzer_sys::fuzz_target;
use lophoc_media::rtp::RtpView;

fuzz_target!(|data: &[u8]| {
    if let Some(view) = RtpView::parse(data) {
        assert!(12 + view.payload.len() + usize::from(view.padding) <= data.len());
        let extensions: usize = view.extensions().map(|(_, value)| value.len()).sum();
        assert!(extensions <= data.len());
        let _ = view.audio_level(1);
    }
});
