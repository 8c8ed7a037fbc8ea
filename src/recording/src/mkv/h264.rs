//! H.264: Annex B taken apart, avcC put together, the size in an SPS.

/// The units of an Annex B stream, without start codes and trailing zeros.
pub fn units(stream: &[u8]) -> Vec<&[u8]> {
    let mut units = Vec::new();
    let mut begin: Option<usize> = None;
    let mut at = 0_usize;
    while let Some(window) = stream.get(at..at + 3) {
        if window == [0, 0, 1] {
            if let Some(begin) = begin {
                push(&mut units, stream.get(begin..at));
            }
            begin = Some(at + 3);
            at += 3;
        } else {
            at += 1;
        }
    }
    if let Some(begin) = begin {
        push(&mut units, stream.get(begin..));
    }
    units
}

fn push<'a>(units: &mut Vec<&'a [u8]>, unit: Option<&'a [u8]>) {
    let Some(unit) = unit else { return };
    let len = unit
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |at| at + 1);
    if let Some(unit) = unit.get(..len)
        && !unit.is_empty()
    {
        units.push(unit);
    }
}

/// A frame as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Units with their lengths on four bytes, parameter sets left out.
    pub frame: Vec<u8>,
    /// avcC of the parameter sets in it, when it has both.
    pub config: Option<Vec<u8>>,
    /// Size of the picture by its SPS, pixels.
    pub size: Option<(u32, u32)>,
    /// Whether an IDR picture is in it.
    pub idr: bool,
}

/// A frame in Annex B form made into what is stored. `None`: no picture in it.
pub fn access(stream: &[u8]) -> Option<Access> {
    let (mut sps, mut pps): (Vec<&[u8]>, Vec<&[u8]>) = (Vec::new(), Vec::new());
    let mut frame = Vec::with_capacity(stream.len() + 16);
    let (mut idr, mut picture) = (false, false);
    for unit in units(stream) {
        match unit.first().map(|head| head & 0x1F) {
            Some(7) => once(&mut sps, unit),
            Some(8) => once(&mut pps, unit),
            // Delimiters and filler say nothing here.
            Some(9 | 12) | None => {}
            Some(kind) => {
                idr |= kind == 5;
                picture |= matches!(kind, 1..=5);
                frame.extend(u32::try_from(unit.len()).ok()?.to_be_bytes());
                frame.extend_from_slice(unit);
            }
        }
    }
    let size = sps.first().and_then(|sps| size(sps));
    picture.then(|| Access {
        frame,
        config: avcc(&sps, &pps),
        size,
        idr,
    })
}

fn once<'a>(sets: &mut Vec<&'a [u8]>, unit: &'a [u8]) {
    if !sets.contains(&unit) && sets.len() < 16 {
        sets.push(unit);
    }
}

/// avcC (ISO/IEC 14496-15 section 5.3.3.1).
fn avcc(sps: &[&[u8]], pps: &[&[u8]]) -> Option<Vec<u8>> {
    let [_, profile, compatible, level, ..] = **sps.first()? else {
        return None;
    };
    pps.first()?;
    let mut out = vec![1, profile, compatible, level, 0xFF];
    out.push(0xE0 | u8::try_from(sps.len()).ok()?);
    for set in sps {
        out.extend(u16::try_from(set.len()).ok()?.to_be_bytes());
        out.extend_from_slice(set);
    }
    out.push(u8::try_from(pps.len()).ok()?);
    for set in pps {
        out.extend(u16::try_from(set.len()).ok()?.to_be_bytes());
        out.extend_from_slice(set);
    }
    // High profiles: what was chosen is the default of eight bits, 4:2:0.
    if matches!(profile, 100 | 110 | 122 | 144) {
        out.extend([0xFD, 0xF8, 0xF8, 0]);
    }
    Some(out)
}

/// Bits of a unit without its emulation prevention bytes.
struct Bits {
    bytes: Vec<u8>,
    at: usize,
}

impl Bits {
    fn new(unit: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(unit.len());
        let mut zeros = 0;
        for byte in unit {
            if zeros >= 2 && *byte == 3 {
                zeros = 0;
                continue;
            }
            zeros = if *byte == 0 { zeros + 1 } else { 0 };
            bytes.push(*byte);
        }
        Self { bytes, at: 0 }
    }

    fn bit(&mut self) -> Option<u32> {
        let byte = self.bytes.get(self.at / 8)?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Some(u32::from(bit))
    }

    fn take(&mut self, count: u32) -> Option<u32> {
        (0..count).try_fold(0_u32, |value, _| Some(value << 1 | self.bit()?))
    }

    /// Exp-Golomb, unsigned.
    fn ue(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while self.bit()? == 0 {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        (1_u32 << zeros)
            .checked_add(self.take(zeros)?)?
            .checked_sub(1)
    }

    fn scaling(&mut self, len: u32) -> Option<()> {
        let (mut last, mut next) = (8_i64, 8_i64);
        for _ in 0..len {
            if next != 0 {
                let code = i64::from(self.ue()?);
                let delta = if code % 2 == 0 {
                    -(code / 2)
                } else {
                    (code + 1) / 2
                };
                next = (last + delta).rem_euclid(256);
            }
            if next != 0 {
                last = next;
            }
        }
        Some(())
    }
}

/// Width and height of an SPS (ITU-T H.264 section 7.3.2.1.1), pixels.
pub fn size(sps: &[u8]) -> Option<(u32, u32)> {
    let mut bits = Bits::new(sps.get(1..)?);
    let profile = bits.take(8)?;
    bits.take(16)?;
    bits.ue()?;
    let mut chroma = 1;
    if matches!(
        profile,
        100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 | 139 | 134 | 135
    ) {
        chroma = bits.ue()?;
        if chroma == 3 {
            bits.bit()?;
        }
        bits.ue()?;
        bits.ue()?;
        bits.bit()?;
        if bits.bit()? == 1 {
            for list in 0..if chroma == 3 { 12 } else { 8 } {
                if bits.bit()? == 1 {
                    bits.scaling(if list < 6 { 16 } else { 64 })?;
                }
            }
        }
    }
    bits.ue()?;
    match bits.ue()? {
        0 => {
            bits.ue()?;
        }
        1 => {
            bits.bit()?;
            bits.ue()?;
            bits.ue()?;
            for _ in 0..bits.ue()?.min(255) {
                bits.ue()?;
            }
        }
        _ => {}
    }
    bits.ue()?;
    bits.bit()?;
    let width = bits.ue()?.checked_add(1)?.checked_mul(16)?;
    let units = bits.ue()?.checked_add(1)?.checked_mul(16)?;
    let frames_only = bits.bit()?;
    let height = units.checked_mul(2 - frames_only)?;
    if frames_only == 0 {
        bits.bit()?;
    }
    bits.bit()?;
    let (mut across, mut down) = (0, 0);
    if bits.bit()? == 1 {
        let x = if matches!(chroma, 1 | 2) { 2 } else { 1 };
        let y = if chroma == 1 { 2 } else { 1 } * (2 - frames_only);
        across = bits.ue()?.checked_add(bits.ue()?)?.checked_mul(x)?;
        down = bits.ue()?.checked_add(bits.ue()?)?.checked_mul(y)?;
    }
    let (width, height) = (width.checked_sub(across)?, height.checked_sub(down)?);
    (width > 0 && height > 0 && width <= 16_384 && height <= 16_384).then_some((width, height))
}
