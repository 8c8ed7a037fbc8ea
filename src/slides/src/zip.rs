//! The directory of a ZIP archive, read without unpacking anything and without
//! believing it: counts and sizes are bounded before they are used.

use std::io::{Read, Seek, SeekFrom};

use crate::limits::{MAX_DIRECTORY, MAX_ENTRIES, MAX_UNPACKED};

/// Why an archive is not looked into further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadZip {
    /// No directory where one must be.
    Broken,
    /// More than anybody's slides hold.
    TooHard,
}

const END: [u8; 4] = *b"PK\x05\x06";
const ENTRY: [u8; 4] = *b"PK\x01\x02";
/// Length of the record at the end, and the most it can be from the end.
const END_LEN: u64 = 22;
const END_REACH: u64 = END_LEN + 65_535;

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let two = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes(two.try_into().ok()?))
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(four.try_into().ok()?))
}

/// Names of the entries.
pub(crate) fn names(file: &mut (impl Read + Seek), len: u64) -> Result<Vec<String>, BadZip> {
    let reach = len.min(END_REACH);
    let tail = read_at(file, len.saturating_sub(reach), reach)?;
    let at = (0..tail.len().saturating_sub(21))
        .rev()
        .find(|at| tail.get(*at..at.saturating_add(4)) == Some(&END[..]))
        .ok_or(BadZip::Broken)?;
    let count = u16_at(&tail, at + 10).ok_or(BadZip::Broken)?;
    let size = u64::from(u32_at(&tail, at + 12).ok_or(BadZip::Broken)?);
    let start = u64::from(u32_at(&tail, at + 16).ok_or(BadZip::Broken)?);
    // 0xffff and 0xffffffff mean ZIP64, which no slides of allowed size need.
    if u32::from(count) > MAX_ENTRIES || size > MAX_DIRECTORY {
        return Err(BadZip::TooHard);
    }
    if start.checked_add(size).is_none_or(|end| end > len) {
        return Err(BadZip::Broken);
    }
    let directory = read_at(file, start, size)?;
    entries(&directory, count)
}

fn entries(directory: &[u8], count: u16) -> Result<Vec<String>, BadZip> {
    let mut names = Vec::new();
    let mut unpacked = 0u64;
    let mut rest = directory;
    for _ in 0..count {
        let head = rest.get(..46).ok_or(BadZip::Broken)?;
        if head.get(..4) != Some(&ENTRY[..]) {
            return Err(BadZip::Broken);
        }
        let whole = u64::from(u32_at(head, 24).ok_or(BadZip::Broken)?);
        unpacked = unpacked.saturating_add(whole);
        if unpacked > MAX_UNPACKED {
            return Err(BadZip::TooHard);
        }
        let lens = [28, 30, 32].map(|at| usize::from(u16_at(head, at).unwrap_or(0)));
        let name = rest.get(46..46 + lens[0]).ok_or(BadZip::Broken)?;
        names.push(String::from_utf8_lossy(name).into_owned());
        rest = rest
            .get(46 + lens.iter().sum::<usize>()..)
            .ok_or(BadZip::Broken)?;
    }
    // Who reads the directory to its end finds more than was counted here.
    if !rest.is_empty() {
        return Err(BadZip::Broken);
    }
    Ok(names)
}

/// Exactly `len` bytes from `start`; the caller bounds `len`.
pub(crate) fn read_at(
    file: &mut (impl Read + Seek),
    start: u64,
    len: u64,
) -> Result<Vec<u8>, BadZip> {
    file.seek(SeekFrom::Start(start))
        .map_err(|_| BadZip::Broken)?;
    let mut bytes = Vec::new();
    let read = file
        .take(len)
        .read_to_end(&mut bytes)
        .map_err(|_| BadZip::Broken)?;
    if u64::try_from(read) == Ok(len) {
        Ok(bytes)
    } else {
        Err(BadZip::Broken)
    }
}
