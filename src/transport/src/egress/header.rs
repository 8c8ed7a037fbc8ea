//! The header of an outgoing packet with its extensions (RFC 3550 §5.1, RFC 8285
//! in the form of one byte).

/// Bytes of the fixed part.
const FIXED: usize = 12;
/// Largest id the one-byte form can carry.
const MAX_ID: u8 = 14;
/// Largest header written: fixed part, extension header, transport-wide number,
/// send time, tag of 16 bytes, level, capture time, filled up to a word.
#[cfg(test)]
pub(crate) const MAX_HEADER: usize = FIXED + 4 + 3 + 4 + 17 + 2 + 9 + 3;

/// Ids one m-line agreed on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ExtensionIds {
    /// `urn:ietf:params:rtp-hdrext:sdes:mid`.
    pub(crate) mid: Option<u8>,
    /// Transport-wide sequence number.
    pub(crate) transport: Option<u8>,
    /// Absolute send time.
    pub(crate) send_time: Option<u8>,
    /// Audio level, RFC 6464.
    pub(crate) level: Option<u8>,
    /// Absolute capture time.
    pub(crate) capture: Option<u8>,
}

impl ExtensionIds {
    /// An id that can be written.
    pub(crate) fn usable(id: Option<u8>) -> Option<u8> {
        id.filter(|id| (1..=MAX_ID).contains(id))
    }
}

/// The tag of an m-line, as it is written.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tag {
    bytes: [u8; 16],
    len: u8,
}

impl Tag {
    /// At most 16 bytes; a longer one is cut (offers with such are refused).
    pub(crate) fn new(text: &str) -> Self {
        let mut tag = Self::default();
        for (to, from) in tag.bytes.iter_mut().zip(text.as_bytes()) {
            *to = *from;
            tag.len += 1;
        }
        tag
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

/// Everything of a header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head<'a> {
    pub(crate) payload_type: u8,
    pub(crate) marker: bool,
    /// Padding follows the payload.
    pub(crate) padded: bool,
    pub(crate) seq: u16,
    pub(crate) ts: u32,
    pub(crate) ssrc: u32,
    pub(crate) ids: &'a ExtensionIds,
    pub(crate) tag: &'a Tag,
    /// Written where its id was agreed on.
    pub(crate) transport: Option<u16>,
    /// 24 bits: seconds with 18 bits of fraction.
    pub(crate) send_time: u32,
    /// −dBov.
    pub(crate) level: Option<u8>,
    /// NTP 32.32.
    pub(crate) capture: Option<u64>,
}

impl Head<'_> {
    /// Bytes it takes.
    pub(crate) fn len(&self) -> usize {
        len(
            self.ids,
            self.tag,
            self.transport.is_some(),
            self.level.is_some(),
            self.capture.is_some(),
        )
    }

    /// Writes it to the start of `out`; `None` when that is too short.
    pub(crate) fn write(&self, out: &mut [u8]) -> Option<usize> {
        let length = self.len();
        let out = out.get_mut(..length)?;
        let (fixed, block) = out.split_first_chunk_mut::<FIXED>()?;
        let extended = !block.is_empty();
        fixed[0] = 0x80 | u8::from(self.padded) << 5 | u8::from(extended) << 4;
        fixed[1] = u8::from(self.marker) << 7 | self.payload_type & 0x7f;
        fixed[2..4].copy_from_slice(&self.seq.to_be_bytes());
        fixed[4..8].copy_from_slice(&self.ts.to_be_bytes());
        fixed[8..].copy_from_slice(&self.ssrc.to_be_bytes());
        if !extended {
            return Some(length);
        }
        let (start, items) = block.split_first_chunk_mut::<4>()?;
        start[..2].copy_from_slice(&[0xbe, 0xde]);
        let words = u16::try_from(items.len() / 4).ok()?;
        start[2..].copy_from_slice(&words.to_be_bytes());
        let mut items = Items { rest: items };
        if let (Some(id), Some(number)) = (self.ids.transport, self.transport) {
            items.put(id, &number.to_be_bytes())?;
        }
        if let Some(id) = self.ids.send_time {
            let [_, a, b, c] = self.send_time.to_be_bytes();
            items.put(id, &[a, b, c])?;
        }
        if let Some(id) = self.ids.mid {
            items.put(id, self.tag.bytes())?;
        }
        if let (Some(id), Some(level)) = (self.ids.level, self.level) {
            // The first bit: there is a voice in it.
            items.put(id, &[u8::from(level < 127) << 7 | level & 0x7f])?;
        }
        if let (Some(id), Some(capture)) = (self.ids.capture, self.capture) {
            items.put(id, &capture.to_be_bytes())?;
        }
        items.rest.fill(0);
        Some(length)
    }
}

/// Bytes of a header.
pub(crate) fn len(
    ids: &ExtensionIds,
    tag: &Tag,
    transport: bool,
    level: bool,
    capture: bool,
) -> usize {
    let item = |there: bool, bytes: usize| if there { 1 + bytes } else { 0 };
    let items = item(ids.transport.is_some() && transport, 2)
        + item(ids.send_time.is_some(), 3)
        + item(ids.mid.is_some() && tag.len > 0, usize::from(tag.len))
        + item(ids.level.is_some() && level, 1)
        + item(ids.capture.is_some() && capture, 8);
    if items == 0 {
        FIXED
    } else {
        FIXED + 4 + items.next_multiple_of(4)
    }
}

/// Writes extension after extension.
struct Items<'a> {
    rest: &'a mut [u8],
}

impl Items<'_> {
    fn put(&mut self, id: u8, value: &[u8]) -> Option<()> {
        if value.is_empty() {
            return Some(());
        }
        let rest = std::mem::take(&mut self.rest);
        let (first, rest) = rest.split_first_mut()?;
        *first = id << 4 | u8::try_from(value.len() - 1).ok()? & 0x0f;
        let (place, rest) = rest.split_at_mut_checked(value.len())?;
        place.copy_from_slice(value);
        self.rest = rest;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use lophoc_media::rtp::RtpView;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_header_reads_back_as_it_was_written(
            mid in "[a-z0-9]{0,16}",
            seq: u16, ts: u32, ssrc: u32,
            transport in proptest::option::of(any::<u16>()),
            level in proptest::option::of(0u8..128),
            capture in proptest::option::of(any::<u64>()),
            marker: bool, padded: bool,
        ) {
            let ids = ExtensionIds {
                mid: Some(4), transport: Some(3), send_time: Some(2), level: Some(1), capture: Some(5),
            };
            let tag = Tag::new(&mid);
            let head = Head {
                payload_type: 96, marker, padded, seq, ts, ssrc,
                ids: &ids, tag: &tag, transport, send_time: 0x0012_3456, level, capture,
            };
            let mut out = [0xAA; MAX_HEADER + 1];
            let length = head.write(&mut out).unwrap();
            prop_assert!(length <= MAX_HEADER);
            prop_assert_eq!(length % 4, 0);
            // A payload, and a padding of one byte where it is announced.
            out[length] = 1;
            let view = RtpView::parse(&out[..=length]).unwrap();
            prop_assert_eq!((view.seq, view.ts, view.ssrc), (seq, ts, ssrc));
            prop_assert_eq!((view.marker, view.payload_type), (marker, 96));
            prop_assert_eq!(view.padding, u8::from(padded));
            let found: std::collections::HashMap<u8, Vec<u8>> =
                view.extensions().map(|(id, value)| (id, value.to_vec())).collect();
            prop_assert_eq!(found.get(&3).cloned(), transport.map(|n| n.to_be_bytes().to_vec()));
            prop_assert_eq!(found.get(&2).cloned(), Some(vec![0x12, 0x34, 0x56]));
            prop_assert_eq!(found.get(&4).cloned(), (!mid.is_empty()).then(|| mid.into_bytes()));
            prop_assert_eq!(found.get(&1).map(|v| v[0] & 0x7f), level);
            prop_assert_eq!(found.get(&5).cloned(), capture.map(|n| n.to_be_bytes().to_vec()));
        }
    }
}
