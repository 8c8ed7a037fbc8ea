//! The size in a VP8 keyframe (RFC 6386 section 9.1).

/// Width and height, pixels; `None` when this is no keyframe.
pub fn size(frame: &[u8]) -> Option<(u32, u32)> {
    let [tag, _, _, 0x9D, 0x01, 0x2A, w0, w1, h0, h1, ..] = *frame else {
        return None;
    };
    if tag & 1 != 0 {
        return None;
    }
    let side = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3FFF);
    let (width, height) = (side(w0, w1), side(h0, h1));
    (width > 0 && height > 0).then_some((width, height))
}
