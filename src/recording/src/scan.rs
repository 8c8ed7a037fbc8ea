//! What a file holds, however it ends: its head and its whole clusters.
//!
//! Only beginnings are read; a recording of three hours is known after some ten
//! thousand short reads. The bytes may be anything: a file cut in the middle, or
//! no file of ours.

use serde::{Deserialize, Serialize};

use crate::limits;
use crate::media::Codec;
use crate::mkv::ebml::{Element, children, id, uint};

/// Where bytes come from: a file, a memory, a store.
pub trait ReadAt {
    /// Reads from a place as much as there is, up to the length of `buffer`.
    ///
    /// # Errors
    /// Those of the source.
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> std::io::Result<usize>;
}

impl ReadAt for &[u8] {
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = self.get(from..).unwrap_or_default();
        let len = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..len), rest.get(..len)) {
            to.copy_from_slice(from);
        }
        Ok(len)
    }
}

/// Why a file cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// Reading failed.
    #[error("reading failed: {0}")]
    Read(#[from] std::io::Error),
    /// Its head is not whole or not one of a recording.
    #[error("no head of a recording")]
    Head,
}

/// A whole cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterAt {
    /// Where it begins.
    pub offset: u64,
    /// Its length, its own head included.
    pub len: u64,
    /// Time of the file it begins at, milliseconds.
    pub time_ms: u64,
    /// Whether its first frame stands alone; always so for sound.
    pub keyframe: bool,
    /// Where the bytes of its first frame are.
    pub frame: u64,
    /// How many they are.
    pub frame_len: u64,
}

/// A frame in a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameAt {
    /// Time of the file, milliseconds.
    pub time_ms: u64,
    /// Whether it stands alone.
    pub keyframe: bool,
    /// Where its bytes are, from the beginning of the cluster.
    pub offset: usize,
    /// How many they are.
    pub len: usize,
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// Its codec.
    pub codec: Codec,
    /// The Tracks element, as it is.
    pub tracks: Vec<u8>,
    /// Length of everything before the first cluster.
    pub head: u64,
    /// Whole clusters in order.
    pub clusters: Vec<ClusterAt>,
    /// Where the last whole cluster ends: what follows is of no use.
    pub bytes: u64,
    /// When the last frame ends, time of the file, milliseconds.
    pub end_ms: u64,
}

impl Index {
    /// Of a file of `len` bytes, whose clusters from the offset `doubtful` on are
    /// read as a whole (what was written after the last sync).
    ///
    /// # Errors
    /// [`ScanError`].
    pub fn read(file: &mut impl ReadAt, len: u64, doubtful: u64) -> Result<Self, ScanError> {
        let mut index = read_head(file, len)?;
        index.go_on(file, len, doubtful)?;
        Ok(index)
    }

    /// Takes in what was appended since.
    ///
    /// # Errors
    /// [`ScanError::Read`].
    pub fn go_on(
        &mut self,
        file: &mut impl ReadAt,
        len: u64,
        doubtful: u64,
    ) -> Result<(), ScanError> {
        let mut at = self.bytes;
        while self.clusters.len() < limits::MAX_CLUSTERS {
            let mut begin = [0_u8; 64];
            let got = read_full(file, at, &mut begin)?;
            let Some(element) = begin.get(..got).and_then(Element::parse) else {
                break;
            };
            let Some(end) = element.len().and_then(|len| at.checked_add(len)) else {
                break;
            };
            if end > len {
                break;
            }
            if matches!(element.id, id::CUES | id::VOID | id::TAGS) {
                at = end;
                continue;
            }
            let cluster = cluster_at(&begin, got, at, &element);
            let Some(mut cluster) = cluster else { break };
            if self.codec == Codec::Opus {
                cluster.keyframe = true;
            }
            let earlier = self.clusters.last().map_or(0, |last| last.time_ms);
            if cluster.time_ms < earlier || cluster.time_ms > limits::RECORDING_MS * 4 {
                break;
            }
            if at >= doubtful && frames_of(file, &cluster)?.is_none() {
                break;
            }
            self.clusters.push(cluster);
            at = end;
            self.bytes = end;
        }
        // Where the sound or picture ends stands in the last cluster.
        while let Some(last) = self.clusters.last().copied() {
            if let Some(frames) = frames_of(file, &last)? {
                self.end_ms = end_of(&frames, self.codec, last.time_ms);
                break;
            }
            self.clusters.pop();
            self.bytes = last.offset;
        }
        if self.clusters.is_empty() {
            self.bytes = self.head;
            self.end_ms = 0;
        }
        Ok(())
    }

    /// From when to when a cluster lasts: up to the next one.
    pub fn cluster_span(&self, number: usize) -> Option<crate::time::Span> {
        let cluster = self.clusters.get(number)?;
        let to = self
            .clusters
            .get(number + 1)
            .map_or(self.end_ms, |next| next.time_ms);
        Some(crate::time::Span::new(
            cluster.time_ms,
            to.max(cluster.time_ms + 1),
        ))
    }
}

/// Bytes of a whole cluster.
///
/// # Errors
/// Those of the source.
pub fn cluster_bytes(file: &mut impl ReadAt, cluster: &ClusterAt) -> std::io::Result<Vec<u8>> {
    let len = usize::try_from(cluster.len.min(limits::MAX_CLUSTER)).unwrap_or(0);
    let mut bytes = vec![0; len];
    let got = read_full(file, cluster.offset, &mut bytes)?;
    bytes.truncate(got);
    Ok(bytes)
}

/// The frames of a cluster, given its bytes. `None` when it is damaged.
pub fn frames(cluster: &[u8]) -> Option<Vec<FrameAt>> {
    let element = Element::parse(cluster)?;
    let body = cluster.get(element.head..)?;
    if element.id != id::CLUSTER || element.size? != body.len() as u64 {
        return None;
    }
    let (mut time, mut frames, mut read) = (None, Vec::new(), 0_usize);
    for (kind, begin, bytes) in children(body) {
        read = begin + bytes.len();
        match kind {
            id::TIMESTAMP => time = uint(bytes),
            id::SIMPLE_BLOCK => {
                let [0x81, high, low, flags, ..] = *bytes else {
                    return None;
                };
                let relative = i64::from(i16::from_be_bytes([high, low]));
                frames.push(FrameAt {
                    time_ms: time?.checked_add_signed(relative)?,
                    keyframe: flags & 0x80 != 0,
                    offset: element.head + begin + 4,
                    len: bytes.len() - 4,
                });
            }
            _ => {}
        }
    }
    (read == body.len() && !frames.is_empty()).then_some(frames)
}

fn frames_of(file: &mut impl ReadAt, cluster: &ClusterAt) -> std::io::Result<Option<Vec<FrameAt>>> {
    Ok(frames(&cluster_bytes(file, cluster)?))
}

/// When the last frame ends: sound after 20 ms, a picture after as long as the one
/// before it.
fn end_of(frames: &[FrameAt], codec: Codec, begin: u64) -> u64 {
    let mut times = frames.iter().rev().map(|frame| frame.time_ms);
    let last = times.next().unwrap_or(begin);
    let lasts = match (codec, times.next()) {
        (Codec::Opus, _) => 20,
        (_, Some(before)) => last.saturating_sub(before).clamp(1, 1_000),
        (_, None) => 40,
    };
    last.saturating_add(lasts)
}

fn read_full(file: &mut impl ReadAt, offset: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut got = 0;
    while let Some(rest) = buffer.get_mut(got..).filter(|rest| !rest.is_empty()) {
        match file.read_at(offset.saturating_add(got as u64), rest) {
            Ok(0) => break,
            Ok(more) => got += more.min(rest.len()),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}

/// The cluster whose beginning these bytes are; `None` when it is none.
fn cluster_at(begin: &[u8], got: usize, at: u64, element: &Element) -> Option<ClusterAt> {
    let begin = begin.get(..got)?;
    let len = element.len()?;
    if element.id != id::CLUSTER || len > limits::MAX_CLUSTER {
        return None;
    }
    let time = Element::parse(begin.get(element.head..)?)?;
    let value = element.head + time.head;
    let value_len = usize::try_from(time.size?).ok()?;
    let block_at = value.checked_add(value_len)?;
    let time_ms = uint(begin.get(value..block_at)?)?;
    let block = Element::parse(begin.get(block_at..)?)?;
    if time.id != id::TIMESTAMP || block.id != id::SIMPLE_BLOCK {
        return None;
    }
    let flags_at = block_at + block.head;
    let [0x81, _, _, flags] = *begin.get(flags_at..flags_at + 4)? else {
        return None;
    };
    let frame = at + flags_at as u64 + 4;
    let frame_len = block.size?.checked_sub(4)?;
    if frame.checked_add(frame_len)? > at + len {
        return None;
    }
    Some(ClusterAt {
        offset: at,
        len,
        time_ms,
        keyframe: flags & 0x80 != 0,
        frame,
        frame_len,
    })
}

/// Everything before the first cluster.
fn read_head(file: &mut impl ReadAt, len: u64) -> Result<Index, ScanError> {
    let most = usize::try_from(len.min(limits::MAX_HEAD)).unwrap_or(0);
    let mut bytes = vec![0; most];
    let got = read_full(file, 0, &mut bytes)?;
    let bytes = bytes.get(..got).unwrap_or_default();
    parse_head(bytes).ok_or(ScanError::Head)
}

fn parse_head(bytes: &[u8]) -> Option<Index> {
    let ebml = Element::parse(bytes)?;
    if ebml.id != id::EBML {
        return None;
    }
    let segment_at = usize::try_from(ebml.len()?).ok()?;
    let segment = Element::parse(bytes.get(segment_at..)?)?;
    if segment.id != id::SEGMENT {
        return None;
    }
    let mut at = segment_at.checked_add(segment.head)?;
    let mut found: Option<(Codec, Vec<u8>)> = None;
    // A head without a cluster is whole as well.
    while let Some(element) = bytes.get(at..).and_then(Element::parse) {
        if element.id == id::CLUSTER {
            break;
        }
        let end = at.checked_add(usize::try_from(element.len()?).ok()?)?;
        let Some(whole) = bytes.get(at..end) else {
            break;
        };
        if element.id == id::TRACKS {
            found = Some((codec(whole.get(element.head..)?)?, whole.to_vec()));
        }
        at = end;
    }
    let (codec, tracks) = found?;
    Some(Index {
        codec,
        tracks,
        head: at as u64,
        clusters: Vec::new(),
        bytes: at as u64,
        end_ms: 0,
    })
}

/// The codec of the only track.
fn codec(tracks: &[u8]) -> Option<Codec> {
    let (_, _, entry) = children(tracks).find(|(kind, _, _)| *kind == id::TRACK_ENTRY)?;
    let (_, _, name) = children(entry).find(|(kind, _, _)| *kind == id::CODEC_ID)?;
    match name {
        b"V_VP8" => Some(Codec::Vp8),
        b"V_MPEG4/ISO/AVC" => Some(Codec::H264),
        b"A_OPUS" => Some(Codec::Opus),
        _ => None,
    }
}
