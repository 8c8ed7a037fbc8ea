//! H.264 payloads of packetization mode 1 (RFC 6184 section 5): single NAL
//! units, STAP-A and FU-A. Only what the forwarding decision needs.

use crate::bytes::Reader;

const SLICE_IDR: u8 = 5;
const SPS: u8 = 7;
const STAP_A: u8 = 24;
const FU_A: u8 = 28;
/// More NAL units than an encoder puts into one aggregation packet.
const MAX_AGGREGATED: usize = 32;

/// What a packet holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct H264View {
    /// A sequence parameter set is inside.
    pub sps: bool,
    /// An IDR slice begins here.
    pub idr_start: bool,
    /// Height of the picture told by the parameter set, pixels.
    pub height: Option<u16>,
}

impl H264View {
    /// `None` when the payload is cut off or of a type mode 1 does not have.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(payload);
        let head = reader.u8()?;
        let mut view = Self::default();
        match head & 0x1F {
            1..=23 => view.add(payload),
            STAP_A => {
                for _ in 0..MAX_AGGREGATED {
                    if reader.rest().is_empty() {
                        break;
                    }
                    let length = usize::from(reader.u16()?);
                    view.add(reader.take(length).filter(|nal| !nal.is_empty())?);
                }
            }
            FU_A => {
                let fu = reader.u8()?;
                let start = fu & 0x80 != 0;
                view.idr_start = start && fu & 0x1F == SLICE_IDR;
                view.sps = start && fu & 0x1F == SPS;
            }
            _ => return None,
        }
        Some(view)
    }

    /// The packet may begin a keyframe: an IDR slice or the parameters before it.
    pub fn begins_keyframe(&self) -> bool {
        self.sps || self.idr_start
    }

    fn add(&mut self, nal: &[u8]) {
        match nal.first().map(|head| head & 0x1F) {
            Some(SPS) => {
                self.sps = true;
                self.height = self.height.or_else(|| sps_height(nal));
            }
            Some(SLICE_IDR) => self.idr_start = true,
            _ => {}
        }
    }
}

/// Bits of a NAL unit, emulation prevention bytes left out.
struct Bits<'a> {
    bytes: &'a [u8],
    byte: usize,
    bit: u32,
    zeros: u32,
}

impl Bits<'_> {
    fn bit(&mut self) -> Option<u32> {
        let current = *self.bytes.get(self.byte)?;
        let value = (u32::from(current) >> (7 - self.bit)) & 1;
        self.bit += 1;
        if self.bit == 8 {
            self.bit = 0;
            self.byte += 1;
            self.zeros = if current == 0 { self.zeros + 1 } else { 0 };
            if self.zeros >= 2 && self.bytes.get(self.byte) == Some(&3) {
                self.byte += 1;
                self.zeros = 0;
            }
        }
        Some(value)
    }

    fn bits(&mut self, count: u32) -> Option<u32> {
        (0..count).try_fold(0u32, |value, _| Some(value << 1 | self.bit()?))
    }

    /// Exp-Golomb, at most 16 leading zeros: nothing we read is larger.
    fn unsigned(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while self.bit()? == 0 {
            zeros += 1;
            if zeros > 16 {
                return None;
            }
        }
        Some((1 << zeros) - 1 + self.bits(zeros)?)
    }
}

/// Height of a progressive or interlaced picture after cropping (ITU-T H.264
/// section 7.3.2.1.1). `None` for anything unusual; the caller then guesses.
fn sps_height(nal: &[u8]) -> Option<u16> {
    let mut bits = Bits {
        bytes: nal.get(1..)?,
        byte: 0,
        bit: 0,
        zeros: 0,
    };
    let profile = bits.bits(8)?;
    bits.bits(16)?; // constraint flags, level
    bits.unsigned()?; // seq_parameter_set_id
    let mut chroma = 1;
    if matches!(profile, 100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128) {
        chroma = bits.unsigned()?;
        if chroma == 3 {
            bits.bit()?;
        }
        bits.unsigned()?; // bit depths
        bits.unsigned()?;
        bits.bit()?;
        if bits.bit()? == 1 {
            return None; // scaling matrices
        }
    }
    bits.unsigned()?; // log2_max_frame_num
    match bits.unsigned()? {
        0 => {
            bits.unsigned()?;
        }
        1 => return None,
        _ => {}
    }
    bits.unsigned()?; // max_num_ref_frames
    bits.bit()?;
    bits.unsigned()?; // width
    let map_units = bits.unsigned()?.checked_add(1)?;
    let frame_only = bits.bit()?;
    if frame_only == 0 {
        bits.bit()?;
    }
    bits.bit()?; // direct_8x8_inference
    let mut height = map_units.checked_mul(16 * (2 - frame_only))?;
    if bits.bit()? == 1 {
        bits.unsigned()?;
        bits.unsigned()?;
        let crop = bits.unsigned()?.checked_add(bits.unsigned()?)?;
        let unit = if chroma == 1 { 2 } else { 1 } * (2 - frame_only);
        height = height.checked_sub(crop.checked_mul(unit)?)?;
    }
    u16::try_from(height).ok().filter(|height| *height > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Baseline profile, 640×360: 23 map units, 4 rows of cropping units.
    fn sps_640x360() -> Vec<u8> {
        let mut bits = String::new();
        let push = |bits: &mut String, value: u32| {
            let width = 32 - (value + 1).leading_zeros();
            bits.push_str(&"0".repeat(width as usize - 1));
            bits.push_str(&format!("{:b}", value + 1));
        };
        bits.push_str("01000010"); // profile 66
        bits.push_str("1110000000011110"); // constraints, level 3.0
        push(&mut bits, 0);
        push(&mut bits, 0);
        push(&mut bits, 2); // pic_order_cnt_type 2
        push(&mut bits, 1);
        bits.push('0');
        push(&mut bits, 39);
        push(&mut bits, 22);
        bits.push_str("11"); // frame_mbs_only, direct_8x8
        bits.push('1');
        push(&mut bits, 0);
        push(&mut bits, 0);
        push(&mut bits, 0);
        push(&mut bits, 4);
        bits.push_str("01");
        while !bits.len().is_multiple_of(8) {
            bits.push('0');
        }
        let body = bits.as_bytes().chunks(8).map(|byte| {
            byte.iter()
                .fold(0u8, |value, bit| value << 1 | (bit - b'0'))
        });
        std::iter::once(0x67).chain(body).collect()
    }

    #[test]
    fn a_parameter_set_tells_the_height_and_begins_a_keyframe() {
        let view = H264View::parse(&sps_640x360()).unwrap();
        assert!(view.begins_keyframe());
        assert_eq!(view.height, Some(360));
    }

    #[test]
    fn an_aggregation_packet_is_searched_to_its_end() {
        let sps = sps_640x360();
        let mut stap = vec![0x78, 0, 2, 0x06, 0];
        stap.extend((sps.len() as u16).to_be_bytes());
        stap.extend(&sps);
        assert_eq!(H264View::parse(&stap).unwrap().height, Some(360));
        stap.pop();
        assert_eq!(H264View::parse(&stap), None);
    }

    #[test]
    fn only_the_first_fragment_of_an_idr_slice_begins_a_keyframe() {
        let begins = |fu: u8| H264View::parse(&[0x7C, fu, 0]).unwrap().begins_keyframe();
        assert!(begins(0x80 | SLICE_IDR));
        assert!(!begins(SLICE_IDR));
        assert!(!begins(0x80 | 1));
    }

    #[test]
    fn an_ordinary_slice_is_no_keyframe_and_a_foreign_type_is_refused() {
        assert!(!H264View::parse(&[0x41, 1, 2]).unwrap().begins_keyframe());
        assert!(H264View::parse(&[0x65, 1, 2]).unwrap().begins_keyframe());
        assert_eq!(H264View::parse(&[]), None);
        assert_eq!(H264View::parse(&[0x1E, 0, 0]), None);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..96), head in prop::sample::select(vec![0x67u8, 0x78, 0x7C, 0x65, 0])) {
            let _ = H264View::parse(&bytes);
            let mut with_head = vec![head];
            with_head.extend(bytes);
            let _ = H264View::parse(&with_head);
        }
    }
}
