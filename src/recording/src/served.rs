//! What is served of a file: a head that knows length and places (so players can
//! seek at once), then the original clusters as they lie in the file, without
//! those that were cut. Nothing is copied; a file that still grows can be served
//! as far as it is.

use crate::edit::{self, CutWhy, Cuts};
use crate::media::Codec;
use crate::mkv::ebml::{id, put, put_id, put_size_on, put_uint, put_uint_on, put_with};
use crate::mkv::{Cluster, TrackHead};
use crate::scan::{ClusterAt, Index};
use crate::time::Span;

/// Places of sound stand this far apart in the list of places, milliseconds.
const SOUND_CUE_MS: u64 = 5_000;
/// Bytes of one entry of the list of places.
const CUE: u64 = 23;
/// How long a file of one picture says it lasts, milliseconds.
const STILL_MS: u64 = 40;
/// A packet of 20 ms of silence.
const SILENCE: [u8; 3] = [0xF8, 0xFF, 0xFE];

/// Bytes of the original file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteRange {
    /// Where they begin in the file.
    pub offset: u64,
    /// How many.
    pub len: u64,
}

/// A part of what answers a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'a> {
    /// These bytes.
    Head(&'a [u8]),
    /// Bytes of the original file.
    File(ByteRange),
}

/// A file as it is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VirtualFile {
    /// What comes first.
    pub head: Vec<u8>,
    /// What follows: parts of the original file, in this order.
    pub ranges: Vec<ByteRange>,
    /// Length of it all.
    pub total: u64,
    /// Codec, which says the media type ([`Codec::mime`]).
    pub codec: Codec,
    /// Time of the file at which what is shown ends, milliseconds.
    pub end_ms: u64,
    /// Time of the file at which what is shown begins, milliseconds: later than 0
    /// where the beginning was cut. Up to there it shows the picture it begins with,
    /// or is silent, so that times in it mean the same everywhere.
    pub begin_ms: u64,
}

impl VirtualFile {
    /// Without the clusters that have a part in `cuts`, which are times of the file
    /// ([`file_cuts`]). A picture goes on with the first that stands alone. `None`:
    /// nothing is left.
    pub fn new(index: &Index, cuts: &[Span]) -> Option<Self> {
        let cuts = edit::merged(cuts.iter().copied(), u64::MAX);
        let (mut kept, mut broken) = (Vec::new(), true);
        let mut cut = cuts.iter().peekable();
        for (number, cluster) in index.clusters.iter().enumerate() {
            let span = index.cluster_span(number)?;
            while cut.next_if(|cut| cut.to_ms <= span.from_ms).is_some() {}
            if cut.peek().is_some_and(|cut| cut.meets(span)) {
                broken = true;
            } else if !broken || cluster.keyframe {
                broken = false;
                kept.push((cluster, span));
            }
        }
        let (first, _) = *kept.first()?;
        let end_ms = kept.last()?.1.to_ms;
        // Players differ about files that do not begin at zero.
        let begin_ms = first.time_ms;
        let (lead, mut ranges) = if begin_ms < 1_000 {
            (Vec::new(), Vec::new())
        } else if index.codec == Codec::Opus {
            let mut lead = Cluster::new(0);
            lead.push(0, true, &SILENCE);
            (lead.finish(), Vec::new())
        } else {
            let len = usize::try_from(first.frame_len).ok()?;
            let frame = ByteRange {
                offset: first.frame,
                len: first.frame_len,
            };
            (Cluster::around(0, true, len), vec![frame])
        };
        let lead_len = lead.len() as u64 + ranges.iter().map(|range| range.len).sum::<u64>();
        let mut places: Vec<(u64, u64)> = Vec::new();
        if lead_len > 0 {
            places.push((0, 0));
        }
        let mut at = lead_len;
        for (cluster, _) in &kept {
            let due = index.codec != Codec::Opus
                || places
                    .last()
                    .is_none_or(|(time, _)| cluster.time_ms >= time + SOUND_CUE_MS);
            if cluster.keyframe && due {
                places.push((cluster.time_ms, at));
            }
            at += cluster.len;
            match ranges.last_mut() {
                Some(last) if last.offset + last.len == cluster.offset => last.len += cluster.len,
                _ => ranges.push(ByteRange {
                    offset: cluster.offset,
                    len: cluster.len,
                }),
            }
        }
        let head = head(index, &places, end_ms, at, &lead);
        let total = head.len() as u64 + ranges.iter().map(|range| range.len).sum::<u64>();
        Some(Self {
            head,
            ranges,
            total,
            codec: index.codec,
            end_ms,
            begin_ms,
        })
    }

    /// A file of one picture: the one a cluster begins with, which stands alone.
    /// `None`: it does not.
    pub fn still(index: &Index, cluster: &ClusterAt) -> Option<Self> {
        if !cluster.keyframe || index.codec == Codec::Opus {
            return None;
        }
        let lead = Cluster::around(0, true, usize::try_from(cluster.frame_len).ok()?);
        let body = (lead.len() as u64).checked_add(cluster.frame_len)?;
        let head = head(index, &[(0, 0)], STILL_MS, body, &lead);
        let total = (head.len() as u64).checked_add(cluster.frame_len)?;
        Some(Self {
            head,
            ranges: vec![ByteRange {
                offset: cluster.frame,
                len: cluster.frame_len,
            }],
            total,
            codec: index.codec,
            end_ms: STILL_MS,
            begin_ms: 0,
        })
    }

    /// Media type.
    pub fn mime(&self) -> &'static str {
        self.codec.mime()
    }

    /// What to send for the bytes from `from` up to, but without, `to`.
    pub fn read(&self, from: u64, to: u64) -> Vec<Piece<'_>> {
        let to = to.min(self.total);
        let mut pieces = Vec::new();
        let mut at = self.head.len() as u64;
        if from < at {
            let begin = usize::try_from(from).unwrap_or(usize::MAX);
            let end = usize::try_from(to.min(at)).unwrap_or(usize::MAX);
            if let Some(bytes) = self.head.get(begin..end).filter(|bytes| !bytes.is_empty()) {
                pieces.push(Piece::Head(bytes));
            }
        }
        for range in &self.ranges {
            let (begin, end) = (from.max(at), to.min(at + range.len));
            if begin < end {
                pieces.push(Piece::File(ByteRange {
                    offset: range.offset + (begin - at),
                    len: end - begin,
                }));
            }
            at += range.len;
        }
        pieces
    }
}

/// What somebody cut, in recording time, as times of a file that begins at
/// `start_ms`. Pauses are not among them: nothing was taken then, and the frame
/// before one must not go with it.
pub fn file_cuts(cuts: &Cuts, start_ms: u64) -> Vec<Span> {
    cuts.list()
        .iter()
        .filter(|cut| cut.why != CutWhy::Pause && cut.span.to_ms > start_ms)
        .map(|cut| {
            Span::new(
                cut.span.from_ms.saturating_sub(start_ms),
                cut.span.to_ms.saturating_sub(start_ms),
            )
        })
        .collect()
}

/// EBML head, segment of known size, list of places, then what leads. `places`: time
/// and place after the head without the lead. `body`: bytes after the head, the lead
/// included.
fn head(index: &Index, places: &[(u64, u64)], end_ms: u64, body: u64, lead: &[u8]) -> Vec<u8> {
    let info = TrackHead::info(Some(end_ms));
    // Of the same length whatever stands in it.
    let seek_len = seek_head(0, 0, 0).len() as u64;
    let tracks_at = seek_len + info.len() as u64;
    let cues_at = tracks_at + index.tracks.len() as u64;
    // Its size stands on four bytes, so that places are known before it is written.
    let cues_len = 8 + places.len() as u64 * CUE;
    let first = cues_at + cues_len;
    let mut out = TrackHead::ebml(index.codec);
    put_id(&mut out, id::SEGMENT);
    put_size_on(&mut out, first + body, 8);
    out.extend(seek_head(seek_len, tracks_at, cues_at));
    out.extend(info);
    out.extend_from_slice(&index.tracks);
    put_id(&mut out, id::CUES);
    put_size_on(&mut out, cues_len - 8, 4);
    for (time, at) in places {
        put_with(&mut out, id::CUE_POINT, |out| {
            put_uint_on(out, id::CUE_TIME, *time, 4);
            put_with(out, id::CUE_TRACK_POSITIONS, |out| {
                put_uint(out, id::CUE_TRACK, 1);
                put_uint_on(out, id::CUE_CLUSTER_POSITION, first + at, 8);
            });
        });
    }
    out.extend_from_slice(lead);
    out
}

/// Where the elements stand, from the beginning of the segment's body.
fn seek_head(info: u64, tracks: u64, cues: u64) -> Vec<u8> {
    let mut out = Vec::new();
    put_with(&mut out, id::SEEK_HEAD, |out| {
        for (element, at) in [(id::INFO, info), (id::TRACKS, tracks), (id::CUES, cues)] {
            put_with(out, id::SEEK, |out| {
                let mut name = Vec::new();
                put_id(&mut name, element);
                put(out, id::SEEK_ID, &name);
                put_uint_on(out, id::SEEK_POSITION, at, 8);
            });
        }
    });
    out
}
