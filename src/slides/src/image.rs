//! Pictures by their headers: kind, size, which way is up. Nothing is decoded.

use std::io::{Read, Seek};

use crate::limits::{MAX_PIXELS, MAX_SIDE};
use crate::plan::Fault;
use crate::zip::{read_at, u16_at, u32_at};

/// Bytes of a JPEG looked at for its size: previews and profiles come first.
const JPEG_REACH: u64 = 1024 * 1024;

/// How a picture is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// PNG, or WebP without movement: encoded as it is.
    Plain,
    /// GIF: its first frame is taken.
    Gif,
    /// WebP that moves: its first frame is taken.
    Moving,
    /// JPEG, put on a page of a PDF, which turns it the right way.
    Jpeg(Jpeg),
}

/// What the page of a JPEG needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Jpeg {
    /// Colour components: 1, 3 or 4.
    pub components: u8,
    /// Written by a program of Adobe: four components are upside down.
    pub adobe: bool,
    /// Orientation of EXIF, 1 to 8.
    pub turn: u8,
}

/// A picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Picture {
    /// How it is stored.
    pub format: Format,
    /// Width as stored, pixels.
    pub width: u32,
    /// Height as stored, pixels.
    pub height: u32,
}

impl Picture {
    /// Width and height as seen.
    pub fn seen(&self) -> (u32, u32) {
        match self.format {
            Format::Jpeg(jpeg) if jpeg.turn >= 5 => (self.height, self.width),
            _ => (self.width, self.height),
        }
    }
}

/// The picture a file of `len` bytes is; `None` when it is none.
///
/// # Errors
/// Damaged, or larger than allowed.
pub fn picture(file: &mut (impl Read + Seek), len: u64) -> Result<Option<Picture>, Fault> {
    let head = read_at(file, 0, len.min(64)).map_err(|_| Fault::Broken)?;
    let found = if head.starts_with(b"\x89PNG\r\n\x1a\n") {
        png(&head)
    } else if head.starts_with(b"GIF87a") || head.starts_with(b"GIF89a") {
        gif(&head)
    } else if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
        webp(&head)
    } else if head.starts_with(b"\xff\xd8\xff") {
        let bytes = read_at(file, 0, len.min(JPEG_REACH)).map_err(|_| Fault::Broken)?;
        jpeg(&bytes)
    } else {
        return Ok(None);
    };
    let picture = found.ok_or(Fault::Broken)?;
    let (width, height) = (picture.width, picture.height);
    if width == 0 || height == 0 {
        return Err(Fault::Broken);
    }
    let most = u64::from(width).saturating_mul(u64::from(height));
    if width > MAX_SIDE || height > MAX_SIDE || most > MAX_PIXELS {
        return Err(Fault::TooLarge);
    }
    Ok(Some(picture))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    u32_at(bytes, at).map(u32::swap_bytes)
}

fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    u16_at(bytes, at).map(u16::swap_bytes)
}

fn png(head: &[u8]) -> Option<Picture> {
    (head.get(12..16)? == b"IHDR").then_some(Picture {
        format: Format::Plain,
        width: be32(head, 16)?,
        height: be32(head, 20)?,
    })
}

fn gif(head: &[u8]) -> Option<Picture> {
    Some(Picture {
        format: Format::Gif,
        width: u16_at(head, 6)?.into(),
        height: u16_at(head, 8)?.into(),
    })
}

/// Size of a WebP file by its first bytes; also that of pages made here.
pub fn webp(head: &[u8]) -> Option<Picture> {
    let plain = |width: u32, height: u32| Picture {
        format: Format::Plain,
        width,
        height,
    };
    match head.get(12..16)? {
        b"VP8 " => Some(plain(
            u32::from(u16_at(head, 26)? & 0x3fff),
            u32::from(u16_at(head, 28)? & 0x3fff),
        )),
        b"VP8L" => {
            let bits = u32_at(head, 21)?;
            Some(plain((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
        }
        b"VP8X" => {
            let three = |at: usize| Some(u32_at(head, at)? & 0x00ff_ffff);
            let mut picture = plain(three(24)? + 1, three(27)? + 1);
            if head.get(20)? & 0x02 != 0 {
                picture.format = Format::Moving;
            }
            Some(picture)
        }
        _ => None,
    }
}

fn jpeg(bytes: &[u8]) -> Option<Picture> {
    let (mut adobe, mut turn) = (false, 1);
    let mut at = 2usize;
    loop {
        while bytes.get(at)? == &0xff && bytes.get(at + 1)? == &0xff {
            at += 1;
        }
        if *bytes.get(at)? != 0xff {
            return None;
        }
        let mark = *bytes.get(at + 1)?;
        // Marks without a length.
        if matches!(mark, 0x01 | 0xd0..=0xd8) {
            at += 2;
            continue;
        }
        let len = usize::from(be16(bytes, at + 2)?);
        if len < 2 {
            return None;
        }
        let body = at + 4;
        match mark {
            // Every coding a frame can begin with, but not tables (c4, cc) and
            // not the extension c8.
            0xc0..=0xcf if !matches!(mark, 0xc4 | 0xc8 | 0xcc) => {
                let components = *bytes.get(body + 5)?;
                return matches!(components, 1 | 3 | 4).then_some(Picture {
                    format: Format::Jpeg(Jpeg {
                        components,
                        adobe,
                        turn,
                    }),
                    width: be16(bytes, body + 3)?.into(),
                    height: be16(bytes, body + 1)?.into(),
                });
            }
            0xe1 => {
                let part = bytes
                    .get(body..body.saturating_add(len - 2))
                    .unwrap_or_default();
                if let Some(found) = part.strip_prefix(b"Exif\0\0").and_then(orientation) {
                    turn = found;
                }
            }
            0xee => adobe |= bytes.get(body..)?.starts_with(b"Adobe"),
            // The picture itself, before its size was told.
            0xd9 | 0xda => return None,
            _ => {}
        }
        at = at.checked_add(2)?.checked_add(len)?;
    }
}

/// The orientation in a TIFF block, 1 to 8.
fn orientation(tiff: &[u8]) -> Option<u8> {
    let little = match tiff.get(..4)? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let short = |at: usize| {
        if little {
            u16_at(tiff, at)
        } else {
            be16(tiff, at)
        }
    };
    let long = |at: usize| {
        if little {
            u32_at(tiff, at)
        } else {
            be32(tiff, at)
        }
    };
    let first = usize::try_from(long(4)?).ok()?;
    let entries = usize::from(short(first)?);
    for n in 0..entries {
        let at = first.checked_add(2 + n * 12)?;
        if short(at)? == 0x0112 {
            let turn = u8::try_from(short(at.checked_add(8)?)?).ok()?;
            return (1..=8).contains(&turn).then_some(turn);
        }
    }
    None
}

/// A PDF of one page that shows a JPEG the right way up: what stands before its
/// bytes and what stands after them. `len` is the length of the JPEG.
pub fn page_of_jpeg(picture: &Picture, jpeg: &Jpeg, len: u64) -> (Vec<u8>, Vec<u8>) {
    let (width, height) = picture.seen();
    let colours = match jpeg.components {
        1 => "/DeviceGray",
        4 => "/DeviceCMYK",
        _ => "/DeviceRGB",
    };
    let decode = if jpeg.components == 4 && jpeg.adobe {
        " /Decode [1 0 1 0 1 0 1 0]"
    } else {
        ""
    };
    // The unit square of the picture onto the page, by orientation.
    let (w, h) = (i64::from(width), i64::from(height));
    let [a, b, c, d, e, f] = match jpeg.turn {
        2 => [-w, 0, 0, h, w, 0],
        3 => [-w, 0, 0, -h, w, h],
        4 => [w, 0, 0, -h, 0, h],
        5 => [0, -h, -w, 0, w, h],
        6 => [0, -h, w, 0, 0, h],
        7 => [0, h, w, 0, 0, 0],
        8 => [0, h, -w, 0, w, 0],
        _ => [w, 0, 0, h, 0, 0],
    };
    let drawing = format!("q {a} {b} {c} {d} {e} {f} cm /I Do Q");
    let mut before = b"%PDF-1.4\n".to_vec();
    let mut starts = Vec::new();
    for object in [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {w} {h}] /Contents 4 0 R \
             /Resources << /XObject << /I 5 0 R >> >> >>"
        ),
        format!(
            "<< /Length {} >>\nstream\n{drawing}\nendstream",
            drawing.len()
        ),
    ] {
        starts.push(before.len());
        before.extend(format!("{} 0 obj\n{object}\nendobj\n", starts.len()).bytes());
    }
    starts.push(before.len());
    before.extend(
        format!(
            "5 0 obj\n<< /Type /XObject /Subtype /Image /Width {} /Height {} /ColorSpace {colours} \
             /BitsPerComponent 8 /Filter /DCTDecode{decode} /Length {len} >>\nstream\n",
            picture.width, picture.height
        )
        .bytes(),
    );
    let mut after = b"\nendstream\nendobj\n".to_vec();
    let table = u64::try_from(before.len() + after.len())
        .unwrap_or(u64::MAX)
        .saturating_add(len);
    after.extend(b"xref\n0 6\n0000000000 65535 f \n");
    for start in starts {
        after.extend(format!("{start:010} 00000 n \n").bytes());
    }
    after
        .extend(format!("trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n").bytes());
    (before, after)
}
