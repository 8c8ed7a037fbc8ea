//! What is written: each function puts one packet behind what is in `out` already
//! and allocates only where its capacity does not do.

use super::twcc::UNITS_PER_REFERENCE;
use super::{
    DESCRIPTION, FORMAT_APPLICATION, FORMAT_FIR, FORMAT_NACK, FORMAT_PLI, FORMAT_TWCC,
    PAYLOAD_FEEDBACK, RECEIVER_REPORT, REMB_NAME, ReportBlock, SENDER_REPORT, TRANSPORT_FEEDBACK,
};

const CNAME: u8 = 1;
/// What five bits can count.
const MAX_COUNT: usize = 31;
/// Longest run of one status chunk.
const MAX_RUN: usize = 0x1FFF;
/// Symbols of a status chunk with one bit for each; runs as long are shorter.
const NARROW: usize = 14;
/// Symbols of a status chunk with two bits for each.
const WIDE: usize = 7;

/// Writes the header, what `body` writes, and the length over both.
fn packet(out: &mut Vec<u8>, count: u8, packet_type: u8, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0x80 | count & 0x1F, packet_type, 0, 0]);
    body(out);
    while !(out.len() - start).is_multiple_of(4) {
        out.push(0);
    }
    let words = u16::try_from((out.len() - start) / 4 - 1).unwrap_or(u16::MAX);
    if let Some(length) = out.get_mut(start + 2..start + 4) {
        length.copy_from_slice(&words.to_be_bytes());
    }
}

fn number(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_be_bytes());
}

/// A sender report without report blocks. `ntp` is the wall clock in 32.32 fixed
/// point seconds since 1900, `rtp` the same moment on the stream's clock; packets
/// and bytes of payload sent so far count modulo 2³².
pub fn write_sender_report(
    out: &mut Vec<u8>,
    ssrc: u32,
    ntp: u64,
    rtp: u32,
    packets: u32,
    octets: u32,
) {
    packet(out, 0, SENDER_REPORT, |out| {
        number(out, ssrc);
        out.extend_from_slice(&ntp.to_be_bytes());
        number(out, rtp);
        number(out, packets);
        number(out, octets);
    });
}

/// A receiver report; of more than 31 blocks the first ones are written.
pub fn write_receiver_report(out: &mut Vec<u8>, ssrc: u32, blocks: &[ReportBlock]) {
    let blocks = blocks.get(..MAX_COUNT).unwrap_or(blocks);
    let count = u8::try_from(blocks.len()).unwrap_or_default();
    packet(out, count, RECEIVER_REPORT, |out| {
        number(out, ssrc);
        for block in blocks {
            number(out, block.ssrc);
            let [_, lost @ ..] = block.lost.to_be_bytes();
            out.push(block.fraction_lost);
            out.extend_from_slice(&lost);
            number(out, block.highest);
            number(out, block.jitter);
            number(out, block.lsr);
            number(out, block.dlsr);
        }
    });
}

/// The canonical name of a stream; of a longer one its first 255 bytes.
pub fn write_sdes_cname(out: &mut Vec<u8>, ssrc: u32, cname: &str) {
    let name = cname.as_bytes();
    let name = name.get(..usize::from(u8::MAX)).unwrap_or(name);
    packet(out, 1, DESCRIPTION, |out| {
        number(out, ssrc);
        out.push(CNAME);
        out.push(u8::try_from(name.len()).unwrap_or_default());
        out.extend_from_slice(name);
        // The list ends with a zero, whatever the alignment.
        out.push(0);
    });
}

/// Asks for packets again; numbers in ascending order take the least room.
pub fn write_nack(out: &mut Vec<u8>, sender: u32, media: u32, lost: impl IntoIterator<Item = u16>) {
    packet(out, FORMAT_NACK, TRANSPORT_FEEDBACK, |out| {
        number(out, sender);
        number(out, media);
        let mut entry: Option<(u16, u16)> = None;
        for seq in lost {
            if let Some((first, bits)) = &mut entry {
                match seq.wrapping_sub(*first) {
                    0 => continue,
                    after @ 1..=16 => {
                        *bits |= 1 << (after - 1);
                        continue;
                    }
                    _ => {}
                }
            }
            write_entry(out, entry.replace((seq, 0)));
        }
        write_entry(out, entry);
    });
}

fn write_entry(out: &mut Vec<u8>, entry: Option<(u16, u16)>) {
    if let Some((first, bits)) = entry {
        out.extend_from_slice(&first.to_be_bytes());
        out.extend_from_slice(&bits.to_be_bytes());
    }
}

/// A picture was lost.
pub fn write_pli(out: &mut Vec<u8>, sender: u32, media: u32) {
    packet(out, FORMAT_PLI, PAYLOAD_FEEDBACK, |out| {
        number(out, sender);
        number(out, media);
    });
}

/// A keyframe is wanted of each stream, with the number of the request.
pub fn write_fir(out: &mut Vec<u8>, sender: u32, entries: &[(u32, u8)]) {
    packet(out, FORMAT_FIR, PAYLOAD_FEEDBACK, |out| {
        number(out, sender);
        number(out, 0);
        for (media, seq) in entries {
            number(out, *media);
            out.extend_from_slice(&[*seq, 0, 0, 0]);
        }
    });
}

/// The receiver's own estimate, rounded down to 18 bits of precision; at most 255
/// streams are named.
pub fn write_remb(out: &mut Vec<u8>, sender: u32, bits_per_second: u64, streams: &[u32]) {
    let streams = streams.get(..usize::from(u8::MAX)).unwrap_or(streams);
    let exponent = (u64::BITS - bits_per_second.leading_zeros()).saturating_sub(18);
    let [.., high, middle, low] = (bits_per_second >> exponent).to_be_bytes();
    let exponent = u8::try_from(exponent).unwrap_or_default();
    packet(out, FORMAT_APPLICATION, PAYLOAD_FEEDBACK, |out| {
        number(out, sender);
        number(out, 0);
        out.extend_from_slice(&REMB_NAME);
        out.push(u8::try_from(streams.len()).unwrap_or_default());
        out.extend_from_slice(&[exponent << 2 | high & 0x03, middle, low]);
        for ssrc in streams {
            number(out, *ssrc);
        }
    });
}

/// What a packet is among the chunks, and what its time is written as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    Missing,
    Small(u8),
    Large(i16),
}

impl Status {
    fn symbol(self) -> u16 {
        match self {
            Self::Missing => 0,
            Self::Small(_) => 1,
            Self::Large(_) => 2,
        }
    }
}

/// Turns times of arrival into steps from one to the next; ends before one that
/// is too far from the last.
#[derive(Clone)]
struct Steps<'a> {
    arrivals: std::slice::Iter<'a, Option<i64>>,
    time: i64,
}

impl Iterator for Steps<'_> {
    type Item = Status;

    fn next(&mut self) -> Option<Status> {
        let Some(arrival) = self.arrivals.next()? else {
            return Some(Status::Missing);
        };
        let step = arrival.checked_sub(self.time)?;
        self.time = *arrival;
        u8::try_from(step)
            .map(Status::Small)
            .or_else(|_| i16::try_from(step).map(Status::Large))
            .ok()
    }
}

/// Transport-wide feedback of the packets from `base` on: when each arrived, in
/// units of 250 µs on the receiver's clock. Returns how many packets it speaks
/// of: less than given when there is a jump too large for one feedback (the rest
/// makes another one), and none at all, with nothing written, without an arrival.
pub fn write_twcc(
    out: &mut Vec<u8>,
    (sender, media): (u32, u32),
    feedback_count: u8,
    base: u16,
    arrivals: &[Option<i64>],
) -> u16 {
    let arrivals = arrivals.get(..usize::from(u16::MAX)).unwrap_or(arrivals);
    let Some(first) = arrivals.iter().find_map(|arrival| *arrival) else {
        return 0;
    };
    let reference = first.div_euclid(UNITS_PER_REFERENCE);
    let steps = Steps {
        arrivals: arrivals.iter(),
        time: reference * UNITS_PER_REFERENCE,
    };
    let spoken_of = steps.clone().count();
    let steps = Steps {
        arrivals: arrivals.get(..spoken_of).unwrap_or_default().iter(),
        ..steps
    };
    let count = u16::try_from(spoken_of).unwrap_or(u16::MAX);
    packet(out, FORMAT_TWCC, TRANSPORT_FEEDBACK, |out| {
        number(out, sender);
        number(out, media);
        out.extend_from_slice(&base.to_be_bytes());
        out.extend_from_slice(&count.to_be_bytes());
        let [.., high, middle, low] = reference.to_be_bytes();
        out.extend_from_slice(&[high, middle, low, feedback_count]);
        write_chunks(out, steps.clone());
        for step in steps {
            match step {
                Status::Missing => {}
                Status::Small(step) => out.push(step),
                Status::Large(step) => out.extend_from_slice(&step.to_be_bytes()),
            }
        }
    });
    count
}

fn write_chunks(out: &mut Vec<u8>, mut steps: Steps<'_>) {
    while let Some(first) = steps.clone().next() {
        let symbol = first.symbol();
        let run = steps
            .clone()
            .take(MAX_RUN)
            .take_while(|step| step.symbol() == symbol)
            .count();
        let (chunk, taken) = if run >= NARROW {
            let length = u16::try_from(run).unwrap_or_default();
            (symbol << 13 | length, run)
        } else if steps.clone().take(NARROW).all(|step| step.symbol() < 2) {
            (0b10 << 14 | vector(steps.clone(), NARROW, 1), NARROW)
        } else {
            (0b11 << 14 | vector(steps.clone(), WIDE, 2), WIDE)
        };
        out.extend_from_slice(&chunk.to_be_bytes());
        // As many as it speaks of, or all there are.
        steps.by_ref().take(taken).for_each(drop);
    }
}

/// Symbols side by side from the top of 14 bits; what is missing is zero.
fn vector(steps: Steps<'_>, symbols: usize, width: u32) -> u16 {
    steps
        .map(Status::symbol)
        .chain(std::iter::repeat(0))
        .take(symbols)
        .fold(0, |bits, symbol| bits << width | symbol)
}
