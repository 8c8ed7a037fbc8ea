//! PDF files: the id, and signatures added behind the file.

use std::collections::HashMap;

use super::{Record, Verdict, altered};
use crate::model::sha256_hex;
use crate::pdf::ID_KEYWORD;

/// Most objects looked at in what was added.
const MAX_OBJECTS: usize = 2_000;

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
/// pages.
fn harmless(ours: &[u8], added: &[u8]) -> Result<(), &'static str> {
    if !holds(added, b"/ByteRange") || !holds(added, b"startxref") {
        return Err("Phần thêm vào sau tệp gốc không phải là chữ ký số");
    }
    if holds(added, b"/ObjStm") {
        return Err("Phần thêm vào sau tệp gốc ở dạng nén, không kiểm tra được");
    }
    let kept = objects(ours, usize::MAX);
    let new = objects(added, MAX_OBJECTS);
    if new.len() >= MAX_OBJECTS {
        return Err("Phần thêm vào sau tệp gốc quá lớn");
    }
    for (number, body) in &new {
        let Some(old) = kept.get(number) else {
            continue;
        };
        // The catalogue names its form, a page its annotations; what they show
        // must stay. Times of change may be noted in the information.
        let same = |key: &[u8]| value(old, key) == value(body, key);
        let kind = value(old, b"/Type");
        let fine = match kind.as_deref() {
            Some(b"/Page") => [
                b"/Contents".as_slice(),
                b"/Resources",
                b"/Parent",
                b"/MediaBox",
                b"/Rotate",
            ]
            .iter()
            .all(|key| same(key)),
            Some(b"/Catalog") => same(b"/Pages"),
            Some(b"/Metadata") => true,
            _ => holds(old, b"/CreationDate") && holds(body, b"/CreationDate"),
        };
        if !fine {
            return Err("Phần thêm vào sau tệp gốc đã thay nội dung các trang");
        }
    }
    Ok(())
}

fn holds(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

/// Objects by number, as `12 0 obj … endobj`; the last one of a number counts.
fn objects(bytes: &[u8], limit: usize) -> HashMap<u64, &[u8]> {
    let mut found = HashMap::new();
    let mut at = 0;
    while found.len() < limit {
        let Some(next) = bytes
            .get(at..)
            .and_then(|rest| rest.windows(4).position(|window| window == b" obj"))
        else {
            break;
        };
        let start = at + next;
        at = start + 4;
        let Some(number) = bytes.get(..start).and_then(number_before) else {
            continue;
        };
        let Some(body) = bytes.get(at..) else { break };
        let end = body
            .windows(6)
            .position(|window| window == b"endobj")
            .unwrap_or(body.len());
        if let Some(body) = body.get(..end) {
            found.insert(number, body);
        }
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

/// What follows a key, up to the next key, blanks made equal.
fn value(object: &[u8], key: &[u8]) -> Option<Vec<u8>> {
    let dictionary = object
        .windows(6)
        .position(|window| window == b"stream")
        .map_or(object, |at| object.get(..at).unwrap_or(object));
    let mut at = 0;
    loop {
        let next = dictionary
            .get(at..)?
            .windows(key.len())
            .position(|window| window == key)?;
        let end = at + next + key.len();
        let follows = dictionary.get(end).copied().unwrap_or(b' ');
        at = end;
        if !follows.is_ascii_alphanumeric() {
            break;
        }
    }
    let rest = dictionary.get(at..)?;
    let mut out = Vec::new();
    let mut depth = 0_i32;
    for (index, byte) in rest.iter().enumerate() {
        match byte {
            b'[' | b'<' | b'(' => depth += 1,
            b']' | b'>' | b')' => depth -= 1,
            b'/' if depth == 0 && !out.is_empty() => break,
            _ => {}
        }
        if depth < 0 || index > 100_000 {
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
    Some(out)
}
