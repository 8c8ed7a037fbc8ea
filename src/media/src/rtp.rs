//! A view of an RTP packet (RFC 3550 section 5.1) and its header extensions
//! (RFC 8285, one-byte and two-byte form). Borrows, copies nothing.

use crate::bytes::Reader;

/// A packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RtpView<'a> {
    /// Last packet of a video frame; first of a talk spurt.
    pub marker: bool,
    /// Payload type.
    pub payload_type: u8,
    /// Sequence number as on the wire.
    pub seq: u16,
    /// Timestamp.
    pub ts: u32,
    /// Stream.
    pub ssrc: u32,
    /// Payload without padding.
    pub payload: &'a [u8],
    /// Bytes of padding after it.
    pub padding: u8,
    extensions: Extensions<'a>,
}

/// Header extensions still to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extensions<'a> {
    form: Form,
    rest: &'a [u8],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    OneByte,
    TwoByte,
    Other,
}

impl<'a> RtpView<'a> {
    /// `None` when it is no RTP packet of version 2 or is cut off.
    pub fn parse(packet: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(packet);
        let first = reader.u8()?;
        if first >> 6 != 2 {
            return None;
        }
        let second = reader.u8()?;
        let seq = reader.u16()?;
        let ts = reader.u32()?;
        let ssrc = reader.u32()?;
        reader.take(usize::from(first & 0x0F) * 4)?;
        let extensions = if first & 0x10 != 0 {
            Extensions::parse(&mut reader)?
        } else {
            Extensions {
                form: Form::Other,
                rest: &[],
            }
        };
        let body = reader.rest();
        let padding = if first & 0x20 != 0 {
            body.last().copied().filter(|count| *count > 0)?
        } else {
            0
        };
        let payload = body.get(..body.len().checked_sub(usize::from(padding))?)?;
        Some(Self {
            marker: second & 0x80 != 0,
            payload_type: second & 0x7F,
            seq,
            ts,
            ssrc,
            payload,
            padding,
            extensions,
        })
    }

    /// Header extensions.
    pub fn extensions(&self) -> Extensions<'a> {
        self.extensions
    }

    /// First header extension under this negotiated id.
    pub fn extension(&self, id: u8) -> Option<&'a [u8]> {
        self.extensions
            .into_iter()
            .find_map(|(found, value)| (found == id).then_some(value))
    }

    /// Level in −dBov and voice flag of the extension `id` (RFC 6464).
    pub fn audio_level(&self, id: u8) -> Option<(u8, bool)> {
        let byte = *self.extension(id)?.first()?;
        Some((byte & 0x7F, byte & 0x80 != 0))
    }
}

impl<'a> Extensions<'a> {
    fn parse(reader: &mut Reader<'a>) -> Option<Self> {
        let profile = reader.u16()?;
        let words = usize::from(reader.u16()?);
        let rest = reader.take(words * 4)?;
        let form = match profile {
            0xBEDE => Form::OneByte,
            profile if profile & 0xFFF0 == 0x1000 => Form::TwoByte,
            _ => Form::Other,
        };
        Some(Self { form, rest })
    }
}

/// Yields id and value; ends at the first element that is cut off.
impl<'a> Iterator for Extensions<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let mut reader = Reader::new(self.rest);
        let found = loop {
            let head = match self.form {
                Form::Other => break None,
                _ => reader.u8(),
            };
            match (self.form, head) {
                (_, None) => break None,
                (_, Some(0)) => {} // padding byte
                (Form::OneByte, Some(head)) => {
                    // Id 15 ends the block, RFC 8285 section 4.2.
                    if head >> 4 == 15 {
                        break None;
                    }
                    let value = reader.take(usize::from(head & 0x0F) + 1);
                    break value.map(|value| (head >> 4, value));
                }
                (_, Some(id)) => {
                    let length = reader.u8().map(usize::from);
                    let value = length.and_then(|length| reader.take(length));
                    break value.map(|value| (id, value));
                }
            }
        };
        self.rest = if found.is_some() { reader.rest() } else { &[] };
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn packet(flags: u8, extension: Option<(u16, &[u8])>, payload: &[u8]) -> Vec<u8> {
        let mut out = vec![0x80 | flags, 0x80 | 96, 0x12, 0x34, 0, 0, 0, 9, 0, 0, 0, 7];
        if let Some((profile, body)) = extension {
            out[0] |= 0x10;
            out.extend(profile.to_be_bytes());
            out.extend(((body.len() / 4) as u16).to_be_bytes());
            out.extend(body);
        }
        out.extend(payload);
        out
    }

    #[test]
    fn the_fixed_header_is_read() {
        let bytes = packet(0, None, b"media");
        let view = RtpView::parse(&bytes).unwrap();
        assert!(view.marker);
        assert_eq!(
            (view.payload_type, view.seq, view.ts, view.ssrc),
            (96, 0x1234, 9, 7)
        );
        assert_eq!(view.payload, b"media");
        assert_eq!(view.extensions().count(), 0);
    }

    #[test]
    fn one_byte_extensions_skip_padding_and_end_at_id_15() {
        let body = [0x10, 0xAA, 0, 0x31, 1, 2, 0xF0, 0x50];
        let bytes = packet(0, Some((0xBEDE, &body)), b"x");
        let view = RtpView::parse(&bytes).unwrap();
        assert_eq!(view.extension(1), Some(&[0xAA][..]));
        assert_eq!(view.extension(3), Some(&[1, 2][..]));
        assert_eq!(view.extensions().count(), 2);
        assert_eq!(view.audio_level(1), Some((0x2A, true)));
    }

    #[test]
    fn two_byte_extensions_may_be_empty_and_long() {
        let body = [20, 0, 0, 17, 3, 1, 2, 3];
        let bytes = packet(0, Some((0x1000, &body)), b"x");
        let view = RtpView::parse(&bytes).unwrap();
        assert_eq!(view.extension(20), Some(&[][..]));
        assert_eq!(view.extension(17), Some(&[1, 2, 3][..]));
    }

    #[test]
    fn padding_is_cut_and_a_lie_about_it_refused() {
        let bytes = packet(0x20, None, &[1, 2, 3, 0, 2]);
        assert_eq!(RtpView::parse(&bytes).unwrap().payload, [1, 2, 3]);
        assert_eq!(RtpView::parse(&packet(0x20, None, &[1, 9])), None);
        assert_eq!(RtpView::parse(&packet(0x20, None, &[1, 0])), None);
        assert_eq!(RtpView::parse(&packet(0x20, None, &[])), None);
    }

    #[test]
    fn a_packet_of_another_version_or_cut_in_its_header_is_refused() {
        let good = packet(0x02, Some((0xBEDE, &[0x10, 1, 0, 0])), &[0; 12]);
        assert_eq!(RtpView::parse(&good[..12]), None);
        let mut other = good;
        other[0] = 0x40;
        assert_eq!(RtpView::parse(&other), None);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..128), two in any::<bool>()) {
            if let Some(first) = bytes.first_mut() {
                *first = 0x80 | (*first & 0x3F);
            }
            if two && bytes.len() > 14 {
                bytes[0] = 0x90;
                bytes[12] = 0x10;
                bytes[13] = 0;
            }
            if let Some(view) = RtpView::parse(&bytes) {
                prop_assert!(view.payload.len() + usize::from(view.padding) + 12 <= bytes.len());
                prop_assert!(view.extensions().count() <= bytes.len());
            }
        }
    }
}
