//! Transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01):
//! which packets arrived, and when.

use crate::bytes::Reader;

/// A feedback whose chunks and times were found to be all there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TwccFeedback<'a> {
    /// Who reports.
    pub sender: u32,
    /// A stream of those the report is about.
    pub media: u32,
    /// Number of the first packet it speaks of.
    pub base: u16,
    /// How many packets it speaks of, at least one.
    pub count: u16,
    /// Where times begin, 24 bits, units of 64 ms on the receiver's clock.
    pub reference_time: i32,
    /// Goes up by one with each feedback, modulo 256.
    pub feedback_count: u8,
    chunks: &'a [u8],
    deltas: &'a [u8],
}

/// Units of arrival times in one unit of the reference time.
pub(super) const UNITS_PER_REFERENCE: i64 = 256;

impl<'a> TwccFeedback<'a> {
    /// `None` when something is missing or of a reserved form.
    pub(super) fn parse(body: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(body);
        let (sender, media) = (reader.u32()?, reader.u32()?);
        let (base, count) = (reader.u16()?, reader.u16()?);
        let [high, middle, low, feedback_count] = reader.array()?;
        let start = reader.rest();
        let (mut left, mut times) = (usize::from(count), 0);
        while left > 0 {
            let chunk = Chunk::read(reader.u16()?);
            let (taken, bytes) = chunk.cost(left)?;
            left -= taken;
            times += bytes;
        }
        let deltas = reader.rest();
        let chunks = start.get(..start.len().checked_sub(deltas.len())?)?;
        (count > 0).then_some(Self {
            sender,
            media,
            base,
            count,
            reference_time: i32::from_be_bytes([high, middle, low, 0]) >> 8,
            feedback_count,
            chunks,
            deltas: deltas.get(..times)?,
        })
    }

    /// Each packet it speaks of with the time it arrived at, in units of 250 µs
    /// on the receiver's clock (which begins anew after 2²⁴ × 64 ms), or `None`
    /// for one that did not.
    pub fn statuses(&self) -> Statuses<'a> {
        Statuses {
            chunks: Reader::new(self.chunks),
            deltas: Reader::new(self.deltas),
            chunk: Chunk::Run { symbol: 0, left: 0 },
            seq: self.base,
            left: self.count,
            time: i64::from(self.reference_time) * UNITS_PER_REFERENCE,
        }
    }
}

/// A status chunk, as far as it is not read yet.
#[derive(Debug, Clone, Copy)]
enum Chunk {
    /// The same symbol so many times.
    Run { symbol: u8, left: u16 },
    /// Symbols of `width` bits from the top of `bits`.
    Vector { bits: u16, width: u8, left: u8 },
}

const SMALL: u8 = 1;
const LARGE: u8 = 2;

/// Bytes a symbol takes among the times; `None` for the reserved one.
fn bytes_of(symbol: u8) -> Option<usize> {
    match symbol {
        0 => Some(0),
        SMALL => Some(1),
        LARGE => Some(2),
        _ => None,
    }
}

impl Chunk {
    fn read(word: u16) -> Self {
        let symbol = u8::try_from(word >> 13 & 0x03).unwrap_or_default();
        match word >> 14 {
            0b11 => Self::Vector {
                bits: word << 2,
                width: 2,
                left: 7,
            },
            0b10 => Self::Vector {
                bits: word << 2,
                width: 1,
                left: 14,
            },
            _ => Self::Run {
                symbol,
                left: word & 0x1FFF,
            },
        }
    }

    fn next(&mut self) -> Option<u8> {
        match self {
            Self::Run { symbol, left } => {
                *left = left.checked_sub(1)?;
                Some(*symbol)
            }
            Self::Vector { bits, width, left } => {
                *left = left.checked_sub(1)?;
                let symbol = *bits >> (16 - u32::from(*width));
                *bits <<= u32::from(*width);
                u8::try_from(symbol).ok()
            }
        }
    }

    /// How many of `most` packets it speaks of and the bytes their times take.
    fn cost(mut self, most: usize) -> Option<(usize, usize)> {
        if let Self::Run { symbol, left } = self {
            let taken = usize::from(left).min(most);
            return Some((taken, bytes_of(symbol)? * taken));
        }
        let (mut taken, mut bytes) = (0, 0);
        while taken < most
            && let Some(symbol) = self.next()
        {
            bytes += bytes_of(symbol)?;
            taken += 1;
        }
        Some((taken, bytes))
    }
}

/// See [`TwccFeedback::statuses`].
#[derive(Debug, Clone)]
pub struct Statuses<'a> {
    chunks: Reader<'a>,
    deltas: Reader<'a>,
    chunk: Chunk,
    seq: u16,
    left: u16,
    time: i64,
}

impl Iterator for Statuses<'_> {
    type Item = (u16, Option<i64>);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let symbol = loop {
            match self.chunk.next() {
                Some(symbol) => break symbol,
                None => self.chunk = Chunk::read(self.chunks.u16()?),
            }
        };
        let delta = match symbol {
            SMALL => Some(i64::from(self.deltas.u8()?)),
            LARGE => Some(i64::from(i16::from_be_bytes(self.deltas.array()?))),
            _ => None,
        };
        let seq = self.seq;
        self.seq = seq.wrapping_add(1);
        let arrival = delta.map(|delta| {
            self.time = self.time.saturating_add(delta);
            self.time
        });
        Some((seq, arrival))
    }
}
