//! The VP8 payload descriptor (RFC 7741 section 4.2) and what a keyframe's
//! header tells (RFC 6386 section 9.1).

use crate::bytes::Reader;
use crate::types::Vp8Numbers;

/// Picture id as sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureId {
    /// 7 bits.
    Short(u8),
    /// 15 bits.
    Long(u16),
}

impl PictureId {
    /// Value.
    pub fn value(self) -> u16 {
        match self {
            Self::Short(id) => u16::from(id),
            Self::Long(id) => id,
        }
    }

    /// Width of the counter, bits.
    pub fn bits(self) -> u32 {
        match self {
            Self::Short(_) => 7,
            Self::Long(_) => 15,
        }
    }
}

/// Payload descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vp8View {
    /// Picture id.
    pub picture_id: Option<PictureId>,
    /// TL0PICIDX.
    pub tl0: Option<u8>,
    /// Temporal layer and its Y (layer sync) bit.
    pub tid: Option<(u8, bool)>,
    /// KEYIDX.
    pub key_idx: Option<u8>,
    /// S: this packet begins a partition.
    pub start: bool,
    /// PID: number of the partition.
    pub partition: u8,
    /// Width and height, when this packet begins a keyframe and its header is
    /// whole and valid.
    pub keyframe: Option<(u16, u16)>,
    /// Length of the descriptor, bytes.
    pub descriptor_len: usize,
}

impl Vp8View {
    /// `None` when the descriptor is cut off or nothing follows it.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(payload);
        let first = reader.u8()?;
        let extended = if first & 0x80 != 0 { reader.u8()? } else { 0 };
        let picture_id = match extended & 0x80 != 0 {
            true => Some(read_picture_id(&mut reader)?),
            false => None,
        };
        let tl0 = match extended & 0x40 != 0 {
            true => Some(reader.u8()?),
            false => None,
        };
        let layers = match extended & 0x30 != 0 {
            true => reader.u8()?,
            false => 0,
        };
        let start = first & 0x10 != 0;
        let partition = first & 0x07;
        let frame = reader.rest();
        if frame.is_empty() {
            return None;
        }
        Some(Self {
            picture_id,
            tl0,
            tid: (extended & 0x20 != 0).then_some((layers >> 6, layers & 0x20 != 0)),
            key_idx: (extended & 0x10 != 0).then_some(layers & 0x1F),
            start,
            partition,
            keyframe: (start && partition == 0)
                .then(|| keyframe_size(frame))
                .flatten(),
            descriptor_len: payload.len() - frame.len(),
        })
    }

    /// This packet begins a keyframe.
    pub fn begins_keyframe(&self) -> bool {
        self.keyframe.is_some()
    }
}

/// Bytes a payload takes with a picture id of 15 bits.
pub fn renumbered_len(payload: &[u8]) -> usize {
    let short = match payload {
        [first, extended, id, ..] => first & extended & 0x80 != 0 && id & 0x80 == 0,
        _ => false,
    };
    payload.len() + usize::from(short)
}

/// Copies a payload with other picture numbers to the start of `out` and tells how
/// many bytes it has there ([`renumbered_len`]). The id is written with 15 bits;
/// a payload without one is copied as it is. `None` when `out` is too short.
pub fn renumber(payload: &[u8], numbers: Vp8Numbers, out: &mut [u8]) -> Option<usize> {
    let length = renumbered_len(payload);
    let out = out.get_mut(..length)?;
    let (Some(&[first, extended, id]), true) = (payload.first_chunk::<3>(), length >= 4) else {
        out.copy_from_slice(payload);
        return Some(length);
    };
    if first & extended & 0x80 == 0 {
        out.copy_from_slice(payload);
        return Some(length);
    }
    let rest = payload.get(if id & 0x80 == 0 { 3 } else { 4 }..)?;
    let (head, tail) = out.split_first_chunk_mut::<4>()?;
    let [high, low] = (numbers.picture_id | 0x8000).to_be_bytes();
    *head = [first, extended, high, low];
    tail.copy_from_slice(rest);
    if extended & 0x40 != 0
        && let Some(tl0) = tail.first_mut()
    {
        *tl0 = numbers.tl0;
    }
    Some(length)
}

fn read_picture_id(reader: &mut Reader<'_>) -> Option<PictureId> {
    let high = reader.u8()?;
    if high & 0x80 == 0 {
        return Some(PictureId::Short(high));
    }
    let low = reader.u8()?;
    Some(PictureId::Long(u16::from_be_bytes([high & 0x7F, low])))
}

/// Width and height from the uncompressed data chunk of a keyframe.
fn keyframe_size(frame: &[u8]) -> Option<(u16, u16)> {
    let mut reader = Reader::new(frame);
    let [tag, _, _] = reader.array::<3>()?;
    let key = tag & 0x01 == 0;
    if !key || reader.array::<3>()? != [0x9D, 0x01, 0x2A] {
        return None;
    }
    let size = |[low, high]: [u8; 2]| u16::from_le_bytes([low, high]) & 0x3FFF;
    let (width, height) = (size(reader.array()?), size(reader.array()?));
    (width > 0 && height > 0).then_some((width, height))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY_640X360: [u8; 10] = [0x10, 0, 0, 0x9D, 0x01, 0x2A, 0x80, 0x02, 0x68, 0x01];

    #[test]
    fn a_long_picture_id_and_all_fields_are_read() {
        let mut payload = vec![0x90, 0xF0, 0x92, 0x34, 0x56, 0x60 | 0x0B];
        payload.extend(KEY_640X360);
        let view = Vp8View::parse(&payload).unwrap();
        assert_eq!(view.picture_id, Some(PictureId::Long(0x1234)));
        assert_eq!(view.tl0, Some(0x56));
        assert_eq!(view.tid, Some((1, true)));
        assert_eq!(view.key_idx, Some(0x0B));
        assert_eq!(view.keyframe, Some((640, 360)));
        assert_eq!(view.descriptor_len, 6);
    }

    #[test]
    fn a_short_picture_id_is_one_byte() {
        let view = Vp8View::parse(&[0x80, 0x80, 0x55, 0xFF]).unwrap();
        assert_eq!(view.picture_id, Some(PictureId::Short(0x55)));
        assert_eq!(view.descriptor_len, 3);
        assert!(!view.begins_keyframe());
    }

    #[test]
    fn a_keyframe_begins_only_at_the_start_of_partition_zero() {
        let with = |first: u8| {
            let mut payload = vec![first];
            payload.extend(KEY_640X360);
            Vp8View::parse(&payload).unwrap().begins_keyframe()
        };
        assert!(with(0x10));
        assert!(!with(0x00));
        assert!(!with(0x11));
    }

    #[test]
    fn an_interframe_and_a_wrong_start_code_are_no_keyframes() {
        let mut inter = vec![0x10];
        inter.extend(KEY_640X360);
        inter[1] |= 1;
        assert!(!Vp8View::parse(&inter).unwrap().begins_keyframe());
        let mut wrong = vec![0x10];
        wrong.extend(KEY_640X360);
        wrong[4] = 0;
        assert!(!Vp8View::parse(&wrong).unwrap().begins_keyframe());
    }

    #[test]
    fn every_cut_of_a_descriptor_is_refused() {
        let payload = [0x90, 0xF0, 0x92, 0x34, 0x56, 0x6B];
        for end in 0..=payload.len() {
            assert_eq!(Vp8View::parse(&payload[..end]), None);
        }
    }

    proptest! {
        #[test]
        fn a_renumbered_payload_differs_in_its_numbers_alone(
            bytes in proptest::collection::vec(any::<u8>(), 0..40),
            picture_id in 0u16..1 << 15,
            tl0: u8,
        ) {
            let mut out = [0; 64];
            let numbers = Vp8Numbers { picture_id, tl0 };
            let length = renumber(&bytes, numbers, &mut out).unwrap();
            prop_assert_eq!(length, renumbered_len(&bytes));
            prop_assert_eq!(renumber(&bytes, numbers, &mut out[..length]), Some(length));
            if let Some(before) = Vp8View::parse(&bytes) {
                let after = Vp8View::parse(&out[..length]).unwrap();
                prop_assert_eq!(after.picture_id.map(PictureId::value), before.picture_id.map(|_| picture_id));
                let changes = before.picture_id.is_some();
                let expected = before.tl0.map(|old| if changes { tl0 } else { old });
                prop_assert_eq!(after.tl0, expected);
                prop_assert_eq!((after.tid, after.key_idx, after.keyframe), (before.tid, before.key_idx, before.keyframe));
                prop_assert_eq!(&out[after.descriptor_len..length], &bytes[before.descriptor_len..]);
            }
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..32)) {
            if let Some(view) = Vp8View::parse(&bytes) {
                prop_assert!(view.descriptor_len < bytes.len());
                prop_assert!(view.picture_id.is_none_or(|id| u32::from(id.value()) < 1 << id.bits()));
            }
        }
    }
}
