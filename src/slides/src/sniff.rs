//! What a file is, told by its content. Its name says nothing.

use std::io::{Read, Seek};

use crate::image::{self, Picture};
use crate::plan::Fault;
use crate::zip::{self, BadZip, read_at, u16_at, u32_at};

/// What can become slides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// PDF.
    Pdf,
    /// An office file, with the ending its program knows it by.
    Office(&'static str),
    /// A picture.
    Picture(Picture),
}

/// First bytes that are looked at.
const HEAD: u64 = 4_096;
/// A PDF may have something before its mark, this much by its readers' custom.
const PDF_WITHIN: usize = 1_024;
const OLE: [u8; 8] = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
/// Sectors of an OLE directory that are looked at.
const OLE_SECTORS: usize = 256;

/// Looks at a file of `len` bytes.
///
/// # Errors
/// Why it cannot become slides.
pub fn sniff(file: &mut (impl Read + Seek), len: u64) -> Result<Kind, Fault> {
    let head = read_at(file, 0, len.min(HEAD)).map_err(|_| Fault::Broken)?;
    if head
        .get(..head.len().min(PDF_WITHIN))
        .is_some_and(|start| start.windows(5).any(|five| five == b"%PDF-"))
    {
        return Ok(Kind::Pdf);
    }
    if head.starts_with(b"PK\x03\x04") {
        return archive(file, len, &head);
    }
    if head.starts_with(&OLE) {
        return ole(file, len, &head);
    }
    match image::picture(file, len)? {
        Some(picture) => Ok(Kind::Picture(picture)),
        None => Err(Fault::Unsupported),
    }
}

fn archive(file: &mut (impl Read + Seek), len: u64, head: &[u8]) -> Result<Kind, Fault> {
    let names = zip::names(file, len).map_err(|bad| match bad {
        BadZip::Broken => Fault::Broken,
        BadZip::TooHard => Fault::TooHard,
    })?;
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    if has("[Content_Types].xml") {
        if has("ppt/presentation.xml") {
            return Ok(Kind::Office("pptx"));
        }
        if has("word/document.xml") {
            return Ok(Kind::Office("docx"));
        }
    }
    // The first entry of an OpenDocument file is its type, not packed.
    let told = head.get(30..).unwrap_or_default();
    let odf = |what: &str| {
        told.starts_with(format!("mimetypeapplication/vnd.oasis.opendocument.{what}").as_bytes())
    };
    if odf("presentation") {
        return Ok(Kind::Office("odp"));
    }
    if odf("text") {
        return Ok(Kind::Office("odt"));
    }
    Err(Fault::Unsupported)
}

/// The old binary formats, and the new ones under a password.
fn ole(file: &mut (impl Read + Seek), len: u64, head: &[u8]) -> Result<Kind, Fault> {
    let names = ole_names(file, len, head).ok_or(Fault::Broken)?;
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    if has("EncryptedPackage") {
        Err(Fault::Encrypted)
    } else if has("PowerPoint Document") {
        Ok(Kind::Office("ppt"))
    } else if has("WordDocument") {
        Ok(Kind::Office("doc"))
    } else {
        Err(Fault::Unsupported)
    }
}

/// Names in the directory of an OLE file, following its chain of sectors.
fn ole_names(file: &mut (impl Read + Seek), len: u64, head: &[u8]) -> Option<Vec<String>> {
    let shift = u32::from(u16_at(head, 30)?);
    if !(9..=12).contains(&shift) {
        return None;
    }
    let size = 1u64 << shift;
    let offset = |sector: u32| (u64::from(sector) + 1) << shift;
    let mut sector = u32_at(head, 48)?;
    let mut names = Vec::new();
    for _ in 0..OLE_SECTORS {
        if offset(sector).checked_add(size)? > len {
            break;
        }
        let bytes = read_at(file, offset(sector), size).ok()?;
        for entry in bytes.chunks_exact(128) {
            // The length counts bytes with the zero at the end.
            let chars = usize::from(u16_at(entry, 64)?.min(64) / 2).saturating_sub(1);
            let units: Vec<u16> = (0..chars).filter_map(|at| u16_at(entry, at * 2)).collect();
            names.push(String::from_utf16_lossy(&units));
        }
        let per = u32::try_from(size / 4).ok()?;
        let fat = usize::try_from(sector / per).ok()?;
        let Some(fat) = (fat < 109).then(|| u32_at(head, 76 + fat * 4)).flatten() else {
            break;
        };
        let at = offset(fat) + u64::from(sector % per) * 4;
        let Some(next) = read_at(file, at, 4)
            .ok()
            .and_then(|four| u32_at(&four, 0))
            .filter(|next| *next < 0xffff_fffa)
        else {
            break;
        };
        sector = next;
    }
    Some(names)
}
