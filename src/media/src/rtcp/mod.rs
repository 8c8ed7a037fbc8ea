//! RTCP (RFC 3550, 4585, 5104, transport-wide congestion control feedback, REMB):
//! a decrypted compound read item by item, and what a sender writes.
//!
//! Nothing is allocated and every length is checked. The work one compound costs
//! is bounded by its own length and by [`MAX_STATUSES`]: a few bytes of
//! transport-wide feedback can speak of thousands of packets.

mod twcc;
mod write;

#[cfg(test)]
mod tests;

use crate::bytes::Reader;

pub use twcc::{Statuses, TwccFeedback};
pub use write::{
    write_fir, write_nack, write_pli, write_receiver_report, write_remb, write_sdes_cname,
    write_sender_report, write_twcc,
};

/// Packets that all transport-wide feedback of one compound may speak of; what
/// goes beyond is refused. Browsers report each 50 to 250 ms.
pub const MAX_STATUSES: u32 = 16_384;

pub(crate) const SENDER_REPORT: u8 = 200;
pub(crate) const RECEIVER_REPORT: u8 = 201;
pub(crate) const DESCRIPTION: u8 = 202;
const BYE: u8 = 203;
pub(crate) const TRANSPORT_FEEDBACK: u8 = 205;
pub(crate) const PAYLOAD_FEEDBACK: u8 = 206;
pub(crate) const FORMAT_NACK: u8 = 1;
pub(crate) const FORMAT_TWCC: u8 = 15;
pub(crate) const FORMAT_PLI: u8 = 1;
pub(crate) const FORMAT_FIR: u8 = 4;
pub(crate) const FORMAT_APPLICATION: u8 = 15;
pub(crate) const REMB_NAME: [u8; 4] = *b"REMB";
const BLOCK: usize = 24;
const FIR_ENTRY: usize = 8;

/// What is wrong with a compound. After [`RtcpError::Malformed`] and
/// [`RtcpError::TooMuch`] the packets behind the bad one are still read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RtcpError {
    /// A header or the length it names goes beyond the end.
    #[error("cut off")]
    Cut,
    /// Not version 2.
    #[error("version {0}")]
    Version(u8),
    /// What its type and format ask for is not inside.
    #[error("malformed packet of type {0}")]
    Malformed(u8),
    /// Transport-wide feedback beyond [`MAX_STATUSES`].
    #[error("feedback of too many packets")]
    TooMuch,
}

/// One thing a compound says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item<'a> {
    /// A sender's clock and counts.
    SenderReport(SenderReport<'a>),
    /// How a receiver hears.
    ReceiverReport {
        /// Of the receiver.
        ssrc: u32,
        /// One for each stream it hears.
        blocks: Blocks<'a>,
    },
    /// Packets to be sent again.
    Nack {
        /// Who asks.
        sender: u32,
        /// Of which stream.
        media: u32,
        /// Their sequence numbers.
        lost: Lost<'a>,
    },
    /// When packets arrived, by transport-wide number.
    Twcc(TwccFeedback<'a>),
    /// A picture was lost.
    Pli {
        /// Of which stream.
        media: u32,
    },
    /// A keyframe is asked for; one item for each entry.
    Fir {
        /// Of which stream.
        media: u32,
        /// Number of the request: the same one twice is one request.
        seq: u8,
    },
    /// The receiver's own estimate of the way to it.
    Remb {
        /// Bit/s.
        bits_per_second: u64,
    },
    /// Streams end.
    Bye,
    /// Anything else.
    Other {
        /// RTCP packet type.
        packet_type: u8,
    },
}

/// A sender report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderReport<'a> {
    /// Of the sender.
    pub ssrc: u32,
    /// Wall clock, 32.32 fixed point seconds since 1900.
    pub ntp: u64,
    /// The same moment on the clock of the stream.
    pub rtp: u32,
    /// Packets sent so far, modulo 2³².
    pub packets: u32,
    /// Bytes of payload sent so far, modulo 2³².
    pub octets: u32,
    blocks: Blocks<'a>,
}

impl<'a> SenderReport<'a> {
    /// How the sender hears others.
    pub fn blocks(&self) -> Blocks<'a> {
        self.blocks
    }
}

/// How one stream arrived (RFC 3550 section 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReportBlock {
    /// Of the stream.
    pub ssrc: u32,
    /// Part lost since the last report, in 1/256.
    pub fraction_lost: u8,
    /// Lost since the beginning, 24 bits; below zero with duplicates.
    pub lost: i32,
    /// Extended highest sequence number.
    pub highest: u32,
    /// In units of the stream's clock.
    pub jitter: u32,
    /// Middle 32 bits of the NTP time of the last sender report, 0 without one.
    pub lsr: u32,
    /// Since that report arrived, 1/65536 s.
    pub dlsr: u32,
}

/// Report blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blocks<'a> {
    rest: &'a [u8],
}

impl Iterator for Blocks<'_> {
    type Item = ReportBlock;

    fn next(&mut self) -> Option<ReportBlock> {
        let mut reader = Reader::new(self.rest);
        let ssrc = reader.u32()?;
        let [fraction_lost, high, middle, low] = reader.array()?;
        let block = ReportBlock {
            ssrc,
            fraction_lost,
            // Shifted down from the top for the sign.
            lost: i32::from_be_bytes([high, middle, low, 0]) >> 8,
            highest: reader.u32()?,
            jitter: reader.u32()?,
            lsr: reader.u32()?,
            dlsr: reader.u32()?,
        };
        self.rest = reader.rest();
        Some(block)
    }
}

/// Sequence numbers of a NACK, in the order they stand there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lost<'a> {
    rest: &'a [u8],
    first: u16,
    /// Bit `i`: `first + 1 + i` is lost as well.
    bits: u16,
}

impl Iterator for Lost<'_> {
    type Item = u16;

    fn next(&mut self) -> Option<u16> {
        if self.bits != 0 {
            let bit = self.bits.trailing_zeros();
            self.bits &= self.bits - 1;
            let after = u16::try_from(bit + 1).unwrap_or_default();
            return Some(self.first.wrapping_add(after));
        }
        let mut reader = Reader::new(self.rest);
        let (first, bits) = (reader.u16()?, reader.u16()?);
        self.rest = reader.rest();
        self.first = first;
        self.bits = bits;
        Some(first)
    }
}

/// Reads a decrypted compound, reduced-size ones (RFC 5506) included.
pub fn items(compound: &[u8]) -> Items<'_> {
    Items {
        rest: compound,
        fir: &[],
        statuses: MAX_STATUSES,
    }
}

/// Items of a compound; see [`items`].
#[derive(Debug, Clone)]
pub struct Items<'a> {
    rest: &'a [u8],
    /// Entries of a FIR not given out yet.
    fir: &'a [u8],
    /// Packets that transport-wide feedback may still speak of.
    statuses: u32,
}

impl<'a> Iterator for Items<'a> {
    type Item = Result<Item<'a>, RtcpError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(entry) = self.fir_entry() {
            return Some(Ok(entry));
        }
        if self.rest.is_empty() {
            return None;
        }
        let packet = self.packet();
        if let Err(RtcpError::Cut | RtcpError::Version(_)) = packet {
            self.rest = &[];
        }
        Some(packet.and_then(|packet| self.read(&packet)))
    }
}

/// One packet of a compound, its padding taken off.
struct Packet<'a> {
    /// Five bits: how many blocks, or the format.
    count: u8,
    packet_type: u8,
    body: &'a [u8],
}

impl<'a> Items<'a> {
    fn packet(&mut self) -> Result<Packet<'a>, RtcpError> {
        let mut reader = Reader::new(self.rest);
        let [first, packet_type] = reader.array().ok_or(RtcpError::Cut)?;
        if first >> 6 != 2 {
            return Err(RtcpError::Version(first >> 6));
        }
        let words = reader.u16().ok_or(RtcpError::Cut)?;
        let mut body = reader.take(usize::from(words) * 4).ok_or(RtcpError::Cut)?;
        self.rest = reader.rest();
        if first & 0x20 != 0 {
            let padding = usize::from(body.last().copied().unwrap_or(0));
            body = body
                .len()
                .checked_sub(padding)
                .filter(|_| padding > 0)
                .and_then(|left| body.get(..left))
                .ok_or(RtcpError::Malformed(packet_type))?;
        }
        Ok(Packet {
            count: first & 0x1F,
            packet_type,
            body,
        })
    }

    fn read(&mut self, packet: &Packet<'a>) -> Result<Item<'a>, RtcpError> {
        let malformed = RtcpError::Malformed(packet.packet_type);
        match (packet.packet_type, packet.count) {
            (SENDER_REPORT, _) => sender_report(packet).ok_or(malformed),
            (RECEIVER_REPORT, _) => receiver_report(packet).ok_or(malformed),
            (TRANSPORT_FEEDBACK, FORMAT_NACK) => nack(packet.body).ok_or(malformed),
            (TRANSPORT_FEEDBACK, FORMAT_TWCC) => {
                let feedback = TwccFeedback::parse(packet.body).ok_or(malformed)?;
                self.statuses = self
                    .statuses
                    .checked_sub(u32::from(feedback.count))
                    .ok_or(RtcpError::TooMuch)?;
                Ok(Item::Twcc(feedback))
            }
            (PAYLOAD_FEEDBACK, FORMAT_PLI) => pli(packet.body).ok_or(malformed),
            (PAYLOAD_FEEDBACK, FORMAT_FIR) => {
                let mut reader = Reader::new(packet.body);
                // The header's media SSRC is unused here; each entry names its own.
                reader.array::<8>().ok_or(malformed)?;
                self.fir = reader.rest();
                self.fir_entry().ok_or(malformed)
            }
            (PAYLOAD_FEEDBACK, FORMAT_APPLICATION) => application(packet.body).ok_or(malformed),
            (BYE, _) => Ok(Item::Bye),
            (packet_type, _) => Ok(Item::Other { packet_type }),
        }
    }

    fn fir_entry(&mut self) -> Option<Item<'a>> {
        let (entry, rest) = self.fir.split_first_chunk::<FIR_ENTRY>()?;
        self.fir = rest;
        let [a, b, c, d, seq, ..] = *entry;
        Some(Item::Fir {
            media: u32::from_be_bytes([a, b, c, d]),
            seq,
        })
    }
}

fn blocks<'a>(reader: &mut Reader<'a>, count: u8) -> Option<Blocks<'a>> {
    let rest = reader.take(usize::from(count) * BLOCK)?;
    Some(Blocks { rest })
}

fn sender_report<'a>(packet: &Packet<'a>) -> Option<Item<'a>> {
    let mut reader = Reader::new(packet.body);
    Some(Item::SenderReport(SenderReport {
        ssrc: reader.u32()?,
        ntp: u64::from_be_bytes(reader.array()?),
        rtp: reader.u32()?,
        packets: reader.u32()?,
        octets: reader.u32()?,
        blocks: blocks(&mut reader, packet.count)?,
    }))
}

fn receiver_report<'a>(packet: &Packet<'a>) -> Option<Item<'a>> {
    let mut reader = Reader::new(packet.body);
    Some(Item::ReceiverReport {
        ssrc: reader.u32()?,
        blocks: blocks(&mut reader, packet.count)?,
    })
}

fn nack(body: &[u8]) -> Option<Item<'_>> {
    let mut reader = Reader::new(body);
    let (sender, media) = (reader.u32()?, reader.u32()?);
    let rest = reader.rest();
    (rest.len() >= 4).then_some(Item::Nack {
        sender,
        media,
        lost: Lost {
            rest,
            first: 0,
            bits: 0,
        },
    })
}

fn pli(body: &[u8]) -> Option<Item<'_>> {
    let mut reader = Reader::new(body);
    reader.u32()?;
    Some(Item::Pli {
        media: reader.u32()?,
    })
}

/// Application layer feedback: REMB, or something nobody here knows.
fn application(body: &[u8]) -> Option<Item<'_>> {
    let mut reader = Reader::new(body);
    reader.array::<8>()?;
    if reader.array::<4>() != Some(REMB_NAME) {
        return Some(Item::Other {
            packet_type: PAYLOAD_FEEDBACK,
        });
    }
    let [count, high, middle, low] = reader.array()?;
    reader.take(usize::from(count) * 4)?;
    let mantissa = u64::from(u32::from_be_bytes([0, high & 0x03, middle, low]));
    let exponent = u32::from(high >> 2);
    let bits_per_second = if mantissa.leading_zeros() >= exponent {
        mantissa << exponent
    } else if mantissa == 0 {
        0
    } else {
        u64::MAX
    };
    Some(Item::Remb { bits_per_second })
}
