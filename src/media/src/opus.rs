//! Opus packets (RFC 6716 section 3): the frames inside, and several packets
//! made into one.
//!
//! Fifty packets a second carry more headers than speech when the speech is small.
//! Frames of neighbouring packets go into one packet unchanged; no decoder hears a
//! difference, and nothing is encoded anew.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use crate::bytes::Reader;
use crate::types::SourcePacket;

/// Longest sound of one packet, ticks of 48 kHz: 120 ms.
const MAX_TICKS: u32 = 5_760;
/// Longest frame, bytes.
const MAX_FRAME: usize = 1_275;
/// Most frames of a packet.
const MAX_FRAMES: usize = 48;
/// Sound of one bundle, ticks: 60 ms. Longer ones save little and lose more at once.
pub const BUNDLE: u32 = 2_880;
/// Largest bundle, bytes of payload; what would be larger becomes two.
const MAX_BUNDLE: usize = 1_200;

/// A parsed packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpusView {
    /// Configuration and channels: the upper six bits of the first byte. Frames of
    /// one packet share it.
    pub config: u8,
    /// Sound of each frame, ticks of 48 kHz.
    pub frame_ticks: u32,
    /// Where in the payload each frame lies; an empty one was not sent (DTX).
    pub frames: Vec<Range<usize>>,
}

impl OpusView {
    /// `None` when the bytes are no Opus packet.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(payload);
        let toc = reader.u8()?;
        let frame_ticks = frame_ticks(toc);
        let at = |reader: &Reader<'_>| payload.len() - reader.rest().len();
        let mut frames = Vec::with_capacity(3);
        match toc & 0x03 {
            0 => frames.push(1..payload.len()),
            1 => {
                let half = reader.rest().len() / 2;
                if half * 2 != reader.rest().len() {
                    return None;
                }
                frames.push(1..1 + half);
                frames.push(1 + half..payload.len());
            }
            2 => {
                let first = length(&mut reader)?;
                let begin = at(&reader);
                reader.take(first)?;
                frames.push(begin..begin + first);
                frames.push(begin + first..payload.len());
            }
            _ => {
                let head = reader.u8()?;
                let count = usize::from(head & 0x3F);
                if count == 0 || count > MAX_FRAMES {
                    return None;
                }
                let padding = match head & 0x40 {
                    0 => 0,
                    _ => padding(&mut reader)?,
                };
                let mut lengths = Vec::with_capacity(count);
                if head & 0x80 != 0 {
                    for _ in 1..count {
                        lengths.push(length(&mut reader)?);
                    }
                }
                let end = payload.len().checked_sub(padding)?;
                let mut begin = at(&reader);
                let room = end.checked_sub(begin)?;
                if head & 0x80 != 0 {
                    lengths.push(room.checked_sub(lengths.iter().sum())?);
                } else if room.is_multiple_of(count) {
                    lengths = vec![room / count; count];
                } else {
                    return None;
                }
                for length in lengths {
                    frames.push(begin..begin + length);
                    begin += length;
                }
            }
        }
        let ticks = frame_ticks.checked_mul(u32::try_from(frames.len()).ok()?)?;
        let sound = ticks <= MAX_TICKS && frames.iter().all(|frame| frame.len() <= MAX_FRAME);
        sound.then_some(Self {
            config: toc & 0xFC,
            frame_ticks,
            frames,
        })
    }

    /// Sound of the whole packet, ticks of 48 kHz.
    pub fn ticks(&self) -> u32 {
        self.frame_ticks * self.frames.len() as u32
    }
}

/// Sound of one frame by the first byte, ticks of 48 kHz.
fn frame_ticks(toc: u8) -> u32 {
    let config = toc >> 3;
    let size = usize::from(config & 0x03);
    let of = |table: [u32; 4]| table.get(size).copied().unwrap_or(960);
    match config {
        0..12 => of([480, 960, 1_920, 2_880]),
        12..16 => of([480, 960, 480, 960]),
        _ => of([120, 240, 480, 960]),
    }
}

/// Length of a frame, one or two bytes (3.2.1).
fn length(reader: &mut Reader<'_>) -> Option<usize> {
    let first = usize::from(reader.u8()?);
    if first < 252 {
        return Some(first);
    }
    Some(usize::from(reader.u8()?) * 4 + first)
}

fn put_length(out: &mut Vec<u8>, length: usize) {
    // At most 1,275, so that both parts fit a byte.
    let short = length.min(252 + length % 4);
    out.push(short as u8);
    if short >= 252 {
        out.push(((length - short) / 4) as u8);
    }
}

/// Bytes of padding behind the frames (3.2.5).
fn padding(reader: &mut Reader<'_>) -> Option<usize> {
    let mut sum = 0usize;
    loop {
        match reader.u8()? {
            255 => sum = sum.checked_add(254)?,
            last => return sum.checked_add(usize::from(last)),
        }
    }
}

/// A packet of several frames (code 3) or of one (code 0).
fn pack(config: u8, lengths: &[usize], frames: &[u8]) -> Arc<[u8]> {
    let mut out = Vec::with_capacity(frames.len() + 2 * lengths.len() + 2);
    match lengths.split_last() {
        Some((_, [])) | None => out.push(config & 0xFC),
        Some((last, others)) => {
            let even = others.iter().all(|length| length == last);
            out.push(config | 0x03);
            out.push(if even { 0 } else { 0x80 } | (lengths.len() as u8 & 0x3F));
            if !even {
                for length in others {
                    put_length(&mut out, *length);
                }
            }
        }
    }
    out.extend_from_slice(frames);
    out.into()
}

/// What a packet did to the bundles of its track.
#[derive(Debug, Default)]
pub struct Packed {
    /// A bundle that ended before this packet.
    pub before: Option<SourcePacket>,
    /// The bundle that this packet completed.
    pub after: Option<SourcePacket>,
    /// This packet is the first of its stretch of sound: whoever hears single
    /// packets may turn to bundles here, or back, and miss nothing.
    pub begins: bool,
}

/// Makes bundles of one track's packets.
///
/// Where a bundle begins depends on the timestamps alone, so that every shard makes
/// the same ones, whenever it began.
#[derive(Debug, Default)]
pub struct Packer {
    open: Option<Open>,
    /// Next sequence number of a bundle.
    bundle: u64,
    /// Sequence number and timestamp the source's next packet should have.
    next: Option<(u64, u32)>,
}

/// A bundle that is being filled.
#[derive(Debug)]
struct Open {
    /// Numbers and marks of the first packet; the payload is not its own.
    first: SourcePacket,
    since: Instant,
    config: u8,
    lengths: Vec<usize>,
    bytes: Vec<u8>,
}

impl Packer {
    /// Since when a bundle waits to become full.
    pub fn since(&self) -> Option<Instant> {
        self.open.as_ref().map(|open| open.since)
    }

    /// The numbers of the source begin anew. What was open is lost.
    pub fn restart(&mut self) {
        self.open = None;
        self.next = None;
    }

    /// A packet of the track, in the order it came. One that comes too late to be
    /// in order is left out.
    pub fn push(&mut self, now: Instant, packet: &SourcePacket) -> Packed {
        let view = OpusView::parse(&packet.payload);
        let ticks = view.as_ref().map_or(960, OpusView::ticks);
        let (follows, late) = match self.next {
            None => (true, false),
            Some((seq, ts)) => (packet.seq == seq && packet.ts == ts, packet.seq < seq),
        };
        if late {
            return Packed::default();
        }
        let lost = self.next.is_some_and(|(seq, _)| packet.seq > seq);
        self.next = Some((packet.seq + 1, packet.ts.wrapping_add(ticks)));
        let mut packed = Packed {
            begins: part(packet.ts.wrapping_sub(ticks)) != part(packet.ts),
            ..Packed::default()
        };
        let fits = |open: &Open, view: &OpusView| {
            let frames = (open.lengths.len() + view.frames.len()) as u32;
            open.config == view.config
                && frames.saturating_mul(view.frame_ticks) <= MAX_TICKS
                && open.bytes.len() + packet.payload.len() <= MAX_BUNDLE
                && open.lengths.len() + view.frames.len() <= MAX_FRAMES
        };
        let goes_on = follows
            && !packed.begins
            && self
                .open
                .as_ref()
                .zip(view.as_ref())
                .is_some_and(|(open, view)| fits(open, view));
        if !goes_on {
            packed.before = self.close();
        }
        // What the source lost is a hole in the bundles, too.
        self.bundle += u64::from(lost);
        let Some(view) = view else {
            // Not for us to understand: it goes as it is.
            packed.after = Some(SourcePacket {
                seq: self.number(),
                ..packet.clone()
            });
            return packed;
        };
        let open = self.open.get_or_insert_with(|| Open {
            first: packet.clone(),
            since: now,
            config: view.config,
            lengths: Vec::with_capacity(4),
            bytes: Vec::with_capacity(256),
        });
        // The loudest of the frames stands for all.
        open.first.level = match (open.first.level, packet.level) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        for frame in &view.frames {
            open.lengths.push(frame.len());
            let frame = packet.payload.get(frame.clone());
            open.bytes.extend_from_slice(frame.unwrap_or_default());
        }
        if part(packet.ts.wrapping_add(ticks)) != part(packet.ts) {
            packed.after = self.close();
        }
        packed
    }

    /// Ends the open bundle as it is.
    pub fn close(&mut self) -> Option<SourcePacket> {
        let open = self.open.take()?;
        Some(SourcePacket {
            seq: self.number(),
            // No picture is there to be in time with, and it is nine bytes.
            capture_ntp: None,
            payload: pack(open.config, &open.lengths, &open.bytes),
            ..open.first
        })
    }

    fn number(&mut self) -> u64 {
        let number = self.bundle;
        self.bundle += 1;
        number
    }
}

/// Which stretch of sound a timestamp lies in.
fn part(ts: u32) -> u32 {
    ts / BUNDLE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Codec, Layer};
    use proptest::prelude::*;

    /// SILK wideband, 20 ms, one channel.
    const WIDE: u8 = 9 << 3;

    fn packet(seq: u64, payload: &[u8]) -> SourcePacket {
        SourcePacket {
            codec: Codec::Opus,
            layer: Layer(0),
            seq,
            ts: (seq as u32).wrapping_mul(960),
            marker: false,
            level: Some(60 - (seq % 3) as u8),
            capture_ntp: Some(seq),
            payload: payload.into(),
        }
    }

    fn contents(payload: &[u8]) -> Vec<&[u8]> {
        let view = OpusView::parse(payload).unwrap();
        view.frames.iter().map(|f| &payload[f.clone()]).collect()
    }

    #[test]
    fn three_packets_become_one_with_their_frames() {
        let now = Instant::now();
        let mut packer = Packer::default();
        let mut bundles = Vec::new();
        for seq in 0..9 {
            let packed = packer.push(now, &packet(seq, &[WIDE, seq as u8, 7]));
            assert_eq!(packed.begins, seq % 3 == 0);
            assert!(packed.before.is_none());
            bundles.extend(packed.after);
        }
        assert_eq!(bundles.iter().map(|b| b.seq).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(bundles[1].ts, 3 * 960);
        assert_eq!(bundles[1].level, Some(58), "the loudest");
        assert_eq!(contents(&bundles[1].payload), [[3, 7], [4, 7], [5, 7]]);
        let view = OpusView::parse(&bundles[1].payload).unwrap();
        assert_eq!((view.config, view.ticks()), (WIDE, BUNDLE));
    }

    #[test]
    fn a_lost_packet_ends_its_bundle_and_leaves_a_hole() {
        let now = Instant::now();
        let mut packer = Packer::default();
        packer.push(now, &packet(0, &[WIDE, 0]));
        let packed = packer.push(now, &packet(2, &[WIDE, 2]));
        let short = packed.before.unwrap();
        assert_eq!((short.seq, contents(&short.payload)), (0, vec![&[0][..]]));
        let rest = packed.after.unwrap();
        assert_eq!((rest.seq, contents(&rest.payload)), (2, vec![&[2][..]]));
        let late = packer.push(now, &packet(1, &[WIDE, 1]));
        assert!(late.before.is_none() && late.after.is_none() && !late.begins);
    }

    #[test]
    fn another_configuration_and_what_is_no_opus_go_by_themselves() {
        let now = Instant::now();
        let mut packer = Packer::default();
        packer.push(now, &packet(0, &[WIDE, 0]));
        let packed = packer.push(now, &packet(1, &[WIDE | 4, 1]));
        assert_eq!(packed.before.unwrap().payload[..], [WIDE, 0]);
        let packed = packer.push(now, &packet(2, &[]));
        assert_eq!(packed.before.unwrap().payload[..], [WIDE | 4, 1]);
        assert!(packed.after.unwrap().payload.is_empty());
    }

    #[test]
    fn a_pause_of_the_source_ends_the_bundle() {
        let now = Instant::now();
        let mut packer = Packer::default();
        packer.push(now, &packet(0, &[WIDE, 0]));
        assert_eq!(packer.since(), Some(now));
        assert_eq!(packer.close().unwrap().payload[..], [WIDE, 0]);
        let mut next = packet(1, &[WIDE, 1]);
        next.ts = 960 * 40;
        assert!(packer.push(now, &next).before.is_none());
        packer.restart();
        assert!(packer.since().is_none());
        // Numbers of a new stream are not late.
        assert!(packer.push(now, &packet(0, &[WIDE, 0])).begins);
    }

    #[test]
    fn no_bundle_is_longer_than_a_packet_may_be() {
        let now = Instant::now();
        let mut packer = Packer::default();
        packer.push(now, &packet(0, &[WIDE, 0]));
        // Six frames of 20 ms in one packet, within the same stretch.
        let packed = packer.push(now, &packet(1, &[WIDE | 3, 6, 1, 2, 3, 4, 5, 6]));
        for bundle in [packed.before.unwrap(), packed.after.unwrap()] {
            assert!(OpusView::parse(&bundle.payload).is_some());
        }
    }

    #[test]
    fn durations_follow_the_first_byte() {
        for (toc, ticks) in [(0, 480), (3 << 3, 2_880), (13 << 3, 960), (16 << 3, 120)] {
            assert_eq!(OpusView::parse(&[toc, 1]).unwrap().ticks(), ticks);
        }
    }

    #[test]
    fn cut_packets_are_refused() {
        for bytes in [
            &[][..],
            &[WIDE | 1, 1],
            &[WIDE | 2],
            &[WIDE | 2, 5, 1],
            &[WIDE | 3],
            &[WIDE | 3, 0],
            &[WIDE | 3, 0x82, 9, 1],
            &[WIDE | 3, 3, 1, 1],
            &[WIDE | 3, 0x41, 200, 1],
            &[WIDE | 3, 7, 1, 1, 1, 1, 1, 1, 1],
        ] {
            assert_eq!(OpusView::parse(bytes), None, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            if let Some(view) = OpusView::parse(&bytes) {
                prop_assert!(view.ticks() <= MAX_TICKS);
                for frame in view.frames {
                    prop_assert!(bytes.get(frame).is_some());
                }
            }
        }

        #[test]
        fn frames_come_out_as_they_went_in(
            frames in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..600), 1..7),
        ) {
            let lengths: Vec<usize> = frames.iter().map(Vec::len).collect();
            let packed = pack(WIDE, &lengths, &frames.concat());
            prop_assert_eq!(contents(&packed), frames);
        }

        /// Whatever is lost or sent otherwise: each frame that came is in exactly
        /// one bundle, in order, at its own time.
        #[test]
        fn every_frame_is_bundled_once(
            packets in proptest::collection::vec((0u64..3, 0u8..3, 0usize..400), 1..200),
            from in any::<u16>(),
        ) {
            let now = Instant::now();
            let mut packer = Packer::default();
            let (mut seq, mut sent, mut bundles) = (u64::from(from), Vec::new(), Vec::new());
            for (step, config, size) in packets {
                seq += step;
                let fresh = sent.last().is_none_or(|(last, _)| seq > *last);
                let mut payload = vec![seq as u8; size];
                payload.insert(0, WIDE & !0x18 | config << 5 | 0x08);
                let packed = packer.push(now, &packet(seq, &payload));
                if fresh {
                    sent.push((seq, payload));
                }
                bundles.extend(packed.before);
                bundles.extend(packed.after);
            }
            bundles.extend(packer.close());
            let mut last = None;
            let mut came = Vec::new();
            for bundle in &bundles {
                prop_assert!(last.is_none_or(|last| bundle.seq > last));
                last = Some(bundle.seq);
                let view = OpusView::parse(&bundle.payload).unwrap();
                for (n, frame) in view.frames.iter().enumerate() {
                    let ts = bundle.ts.wrapping_add(n as u32 * view.frame_ticks);
                    came.push((ts, bundle.payload[frame.clone()].to_vec()));
                }
            }
            let whole: Vec<_> = sent
                .into_iter()
                .map(|(seq, payload)| ((seq as u32).wrapping_mul(960), payload[1..].to_vec()))
                .collect();
            prop_assert_eq!(came, whole);
        }
    }
}
