//! EBML elements (RFC 8794): ids, sizes, values.

/// Ids of Matroska (RFC 9559).
#[allow(missing_docs)] // the names are those of the standard
pub mod id {
    pub const EBML: u32 = 0x1A45_DFA3;
    pub const EBML_VERSION: u32 = 0x4286;
    pub const EBML_READ_VERSION: u32 = 0x42F7;
    pub const EBML_MAX_ID: u32 = 0x42F2;
    pub const EBML_MAX_SIZE: u32 = 0x42F3;
    pub const DOC_TYPE: u32 = 0x4282;
    pub const DOC_TYPE_VERSION: u32 = 0x4287;
    pub const DOC_TYPE_READ_VERSION: u32 = 0x4285;
    pub const SEGMENT: u32 = 0x1853_8067;
    pub const SEEK_HEAD: u32 = 0x114D_9B74;
    pub const SEEK: u32 = 0x4DBB;
    pub const SEEK_ID: u32 = 0x53AB;
    pub const SEEK_POSITION: u32 = 0x53AC;
    pub const INFO: u32 = 0x1549_A966;
    pub const TIMESTAMP_SCALE: u32 = 0x2A_D7B1;
    pub const DURATION: u32 = 0x4489;
    pub const MUXING_APP: u32 = 0x4D80;
    pub const WRITING_APP: u32 = 0x5741;
    pub const TRACKS: u32 = 0x1654_AE6B;
    pub const TRACK_ENTRY: u32 = 0xAE;
    pub const TRACK_NUMBER: u32 = 0xD7;
    pub const TRACK_UID: u32 = 0x73C5;
    pub const TRACK_TYPE: u32 = 0x83;
    pub const FLAG_LACING: u32 = 0x9C;
    pub const CODEC_ID: u32 = 0x86;
    pub const CODEC_PRIVATE: u32 = 0x63A2;
    pub const CODEC_DELAY: u32 = 0x56AA;
    pub const SEEK_PRE_ROLL: u32 = 0x56BB;
    pub const VIDEO: u32 = 0xE0;
    pub const PIXEL_WIDTH: u32 = 0xB0;
    pub const PIXEL_HEIGHT: u32 = 0xBA;
    pub const AUDIO: u32 = 0xE1;
    pub const SAMPLING_FREQUENCY: u32 = 0xB5;
    pub const CHANNELS: u32 = 0x9F;
    pub const CLUSTER: u32 = 0x1F43_B675;
    pub const TIMESTAMP: u32 = 0xE7;
    pub const SIMPLE_BLOCK: u32 = 0xA3;
    pub const CUES: u32 = 0x1C53_BB6B;
    pub const CUE_POINT: u32 = 0xBB;
    pub const CUE_TIME: u32 = 0xB3;
    pub const CUE_TRACK_POSITIONS: u32 = 0xB7;
    pub const CUE_TRACK: u32 = 0xF7;
    pub const CUE_CLUSTER_POSITION: u32 = 0xF1;
    pub const VOID: u32 = 0xEC;
    pub const TAGS: u32 = 0x1254_C367;
}

/// The size of an element of unknown size, on eight bytes.
pub const UNKNOWN: [u8; 8] = [0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF];

/// Appends an id.
pub fn put_id(out: &mut Vec<u8>, id: u32) {
    let skip = (id.leading_zeros() / 8) as usize;
    out.extend(id.to_be_bytes().into_iter().skip(skip.min(3)));
}

/// Appends a size on as few bytes as it needs.
pub fn put_size(out: &mut Vec<u8>, size: u64) {
    let mut len = 1_u32;
    // All ones would mean an unknown size.
    while len < 8 && size >= (1 << (7 * len)) - 1 {
        len += 1;
    }
    put_size_on(out, size, len);
}

/// Appends a size on this many bytes, 1 to 8.
pub fn put_size_on(out: &mut Vec<u8>, size: u64, len: u32) {
    let marked = size | 1 << (7 * len);
    out.extend(marked.to_be_bytes().into_iter().skip(8 - len as usize));
}

/// Appends an element.
pub fn put(out: &mut Vec<u8>, id: u32, body: &[u8]) {
    put_id(out, id);
    put_size(out, body.len() as u64);
    out.extend_from_slice(body);
}

/// Appends an unsigned number on as few bytes as it needs.
pub fn put_uint(out: &mut Vec<u8>, id: u32, value: u64) {
    let skip = ((value.leading_zeros() / 8) as usize).min(7);
    let bytes = value.to_be_bytes();
    put(out, id, bytes.get(skip..).unwrap_or_default());
}

/// Appends an unsigned number on `len` bytes.
pub fn put_uint_on(out: &mut Vec<u8>, id: u32, value: u64, len: usize) {
    let bytes = value.to_be_bytes();
    put(out, id, bytes.get(8 - len.min(8)..).unwrap_or_default());
}

/// Appends a text.
pub fn put_text(out: &mut Vec<u8>, id: u32, text: &str) {
    put(out, id, text.as_bytes());
}

/// Appends a float of eight bytes.
pub fn put_float(out: &mut Vec<u8>, id: u32, value: f64) {
    put(out, id, &value.to_be_bytes());
}

/// Appends what `fill` writes as an element.
pub fn put_with(out: &mut Vec<u8>, id: u32, fill: impl FnOnce(&mut Vec<u8>)) {
    let mut body = Vec::new();
    fill(&mut body);
    put(out, id, &body);
}

/// Id, size and length of an element's beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Element {
    /// Its id, marker included.
    pub id: u32,
    /// Length of the body; `None`: unknown.
    pub size: Option<u64>,
    /// Length of id and size.
    pub head: usize,
}

impl Element {
    /// The element `bytes` begin with.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let first = *bytes.first()?;
        let id_len = first.leading_zeros() as usize + 1;
        if id_len > 4 {
            return None;
        }
        let id = bytes
            .get(..id_len)?
            .iter()
            .fold(0_u32, |id, byte| id << 8 | u32::from(*byte));
        let (size, size_len) = vint(bytes.get(id_len..)?)?;
        let unknown = size == (1 << (7 * size_len)) - 1;
        Some(Self {
            id,
            size: (!unknown).then_some(size),
            head: id_len + size_len,
        })
    }

    /// Length of all of it, when known.
    pub fn len(&self) -> Option<u64> {
        self.size?.checked_add(self.head as u64)
    }

    /// Whether its body is empty.
    pub fn is_empty(&self) -> bool {
        self.size == Some(0)
    }
}

/// A number of variable length without its marker, and its length in bytes.
pub fn vint(bytes: &[u8]) -> Option<(u64, usize)> {
    let first = *bytes.first()?;
    let len = first.leading_zeros() as usize + 1;
    if len > 8 {
        return None;
    }
    let value = bytes
        .get(..len)?
        .iter()
        .fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
    Some((value & ((1 << (7 * len)) - 1), len))
}

/// An unsigned number of at most eight bytes.
pub fn uint(bytes: &[u8]) -> Option<u64> {
    (bytes.len() <= 8).then(|| {
        bytes
            .iter()
            .fold(0_u64, |value, byte| value << 8 | u64::from(*byte))
    })
}

/// The elements `bytes` are made of: what each is, where its body begins, its body.
/// Ends at the first that is not whole.
pub fn children(bytes: &[u8]) -> impl Iterator<Item = (u32, usize, &[u8])> {
    let mut at = 0_usize;
    std::iter::from_fn(move || {
        let element = Element::parse(bytes.get(at..)?)?;
        let begin = at.checked_add(element.head)?;
        let end = begin.checked_add(usize::try_from(element.size?).ok()?)?;
        let body = bytes.get(begin..end)?;
        at = end;
        Some((element.id, begin, body))
    })
}
