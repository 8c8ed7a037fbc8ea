//! PDF files: the id, and signatures added behind the file.

use super::{Record, Verdict, altered};
use crate::model::sha256_hex;
use crate::pdf::ID_KEYWORD;

/// Most objects looked at in what was added.
const MAX_OBJECTS: usize = 500;
/// Longest object or trailer looked at, bytes.
const MAX_OBJECT: usize = 512 * 1024;
/// Most trailers looked at.
const MAX_TRAILERS: usize = 50;

/// The id among the key words.
pub fn export_id(bytes: &[u8]) -> Option<String> {
    super::after(bytes, ID_KEYWORD)
}

/// The verdict on a file that begins with the exported one; `None` when it does
/// not.
pub fn signed(bytes: &[u8], record: &Record<'_>) -> Option<Verdict> {
    let len = usize::try_from(record.file_len).ok()?;
    let (ours, added) = bytes.split_at_checked(len)?;
    if len == 0 || added.is_empty() || sha256_hex(ours) != record.file_sha256 {
        return None;
    }
    Some(match harmless(ours, added) {
        Ok(()) => Verdict::GenuineSigned,
        Err(reason) => altered(reason),
    })
}

/// What was added must be a signature, and must not put other content on our
/// pages. A file may hide what it adds in many ways; whatever cannot be read
/// plainly is therefore not passed.
fn harmless(ours: &[u8], added: &[u8]) -> Result<(), &'static str> {
    const CHANGED: &str = "Phần thêm vào sau tệp gốc đã thay nội dung các trang";
    const UNREADABLE: &str = "Phần thêm vào sau tệp gốc không kiểm tra được";
    if !holds(added, b"/ByteRange") || !holds(added, b"startxref") {
        return Err("Phần thêm vào sau tệp gốc không phải là chữ ký số");
    }
    if holds(added, b"/ObjStm") {
        return Err("Phần thêm vào sau tệp gốc ở dạng nén, không kiểm tra được");
    }
    let kept = objects(ours, usize::MAX);
    let new = objects(added, MAX_OBJECTS);
    if new.len() >= MAX_OBJECTS || new.iter().any(|(number, _)| number.is_none()) {
        return Err(UNREADABLE);
    }
    if new.iter().any(|(_, body)| hidden_names(dictionary(body))) {
        return Err(UNREADABLE);
    }
    // The file must still begin at our catalogue.
    let root = value(ours, b"/Root");
    let roots = values(added, b"/Root");
    if root.is_none() || roots.is_empty() || roots.iter().any(|other| Some(other) != root.as_ref())
    {
        return Err(CHANGED);
    }
    let trailers = added
        .windows(7)
        .enumerate()
        .filter(|(_, window)| *window == b"trailer");
    for (index, (at, _)) in trailers.enumerate() {
        let rest = added.get(at..).unwrap_or_default();
        let rest = rest.get(..MAX_OBJECT).unwrap_or(rest);
        let trailer = until(rest, b"startxref");
        if index >= MAX_TRAILERS || trailer.len() == rest.len() || hidden_names(trailer) {
            return Err(UNREADABLE);
        }
    }
    for (number, body) in &new {
        let Some((_, old)) = kept.iter().rev().find(|(kept, _)| kept == number) else {
            continue;
        };
        let (old, body) = (dictionary(old), dictionary(body));
        // The catalogue names its form, a page its annotations; what they show
        // must stay. Times of change may be noted in the information.
        let same = |key: &[u8]| values(old, key) == values(body, key);
        let kind = value(old, b"/Type");
        let fine = match kind.as_deref() {
            Some(b"/Page") => [
                b"/Contents".as_slice(),
                b"/Resources",
                b"/Parent",
                b"/MediaBox",
                b"/Rotate",
                b"/CropBox",
            ]
            .iter()
            .all(|key| same(key)),
            Some(b"/Catalog") => same(b"/Pages"),
            Some(b"/Metadata") => true,
            _ => holds(old, b"/CreationDate") && holds(body, b"/CreationDate"),
        };
        if !fine {
            return Err(CHANGED);
        }
    }
    Ok(())
}

fn until<'a>(bytes: &'a [u8], end: &[u8]) -> &'a [u8] {
    bytes
        .windows(end.len())
        .position(|window| window == end)
        .and_then(|at| bytes.get(..at))
        .unwrap_or(bytes)
}

/// An object without the bytes of its stream.
fn dictionary(object: &[u8]) -> &[u8] {
    until(object, b"stream")
}

/// Whether a name is written with codes for its letters, as no signing program
/// does: `/Cont#65nts`.
fn hidden_names(bytes: &[u8]) -> bool {
    let mut in_name = false;
    for byte in bytes {
        match byte {
            b'/' => in_name = true,
            b'#' if in_name => return true,
            byte if byte.is_ascii_whitespace() || b"<>[]()%{}".contains(byte) => in_name = false,
            _ => {}
        }
    }
    false
}

fn holds(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

/// Objects, as `12 0 obj … endobj`, in the order of the file; no number where
/// it cannot be read.
fn objects(bytes: &[u8], limit: usize) -> Vec<(Option<u64>, &[u8])> {
    let mut found = Vec::new();
    let mut at = 0;
    while found.len() < limit {
        let Some(next) = bytes
            .get(at..)
            .and_then(|rest| rest.windows(3).position(|window| window == b"obj"))
        else {
            break;
        };
        let start = at + next;
        at = start + 3;
        let before = start.checked_sub(1).and_then(|place| bytes.get(place));
        let behind = bytes.get(at).copied().unwrap_or(b' ');
        if before.is_some_and(u8::is_ascii_alphabetic) || behind.is_ascii_alphanumeric() {
            continue; // endobj, or part of a word
        }
        let (Some(head), Some(rest)) = (bytes.get(..start), bytes.get(at..)) else {
            break;
        };
        let near = rest.get(..MAX_OBJECT).unwrap_or(rest);
        let body = until(near, b"endobj");
        // One whose end is out of sight must show at least where its stream
        // begins, or something could stand behind what is looked at.
        let whole = body.len() < near.len() || dictionary(body).len() < body.len();
        found.push((number_before(head).filter(|_| whole), body));
    }
    found
}

/// `12` of `… 12 0`.
fn number_before(bytes: &[u8]) -> Option<u64> {
    let mut words = bytes
        .rsplit(|b| b.is_ascii_whitespace())
        .filter(|word| !word.is_empty());
    let generation = words.next()?;
    let number = words.next()?;
    if number.len() > 12 || !generation.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(number).ok()?.parse().ok()
}

/// What follows a key, the first time it stands there.
fn value(object: &[u8], key: &[u8]) -> Option<Vec<u8>> {
    values(object, key).into_iter().next()
}

/// What follows a key wherever it stands, up to the next key, blanks made equal.
fn values(bytes: &[u8], key: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = bytes
        .get(at..)
        .and_then(|rest| rest.windows(key.len()).position(|window| window == key))
    {
        at += next + key.len();
        let rest = bytes.get(at..).unwrap_or_default();
        if !rest.first().is_some_and(u8::is_ascii_alphanumeric) && found.len() < MAX_OBJECTS {
            found.push(first_value(rest));
        }
    }
    found
}

fn first_value(rest: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut depth = 0_i32;
    for byte in rest.iter().take(10_000) {
        match byte {
            b'[' | b'<' | b'(' => depth += 1,
            b']' | b'>' | b')' => depth -= 1,
            b'/' if depth == 0 && !out.is_empty() => break,
            _ => {}
        }
        if depth < 0 {
            break;
        }
        if byte.is_ascii_whitespace() {
            if !out.is_empty() && out.last() != Some(&b' ') {
                out.push(b' ');
            }
        } else {
            out.push(*byte);
        }
    }
    while out.last() == Some(&b' ') {
        out.pop();
    }
    out
}
