//! CSV: bytes to text, delimiter, cells.

use super::grid::{Cell, Grid, Value};
use super::{MAX_CELL, MAX_COLUMNS, MAX_ROWS, Refused};

/// Reads comma-, semicolon- or tab-separated text.
pub(super) fn read(bytes: &[u8]) -> Result<Grid, Refused> {
    let (text, encoding) = decode(bytes)?;
    if text.trim_start().starts_with("<") {
        return Err(Refused::Html);
    }
    // What Excel writes to tell itself the delimiter.
    let (told, text) = match text.strip_prefix("sep=") {
        Some(rest) => {
            let mut chars = rest.chars();
            let told = chars.next().filter(char::is_ascii).map(|c| c as u32 as u8);
            (told, chars.as_str().trim_start_matches(['\r', '\n']))
        }
        None => (None, text.as_str()),
    };
    let delimiter = told.unwrap_or_else(|| delimiter(text));
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let skipped = u32::from(told.is_some());
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|_| Refused::Broken)?;
        let line = record.position().map_or(0, csv::Position::line);
        let line = u32::try_from(line)
            .unwrap_or(u32::MAX)
            .saturating_add(skipped);
        let cells: Vec<Cell> = record.iter().map(cell).collect();
        if cells.iter().all(Cell::is_empty) {
            continue;
        }
        if cells.iter().rposition(|cell| !cell.is_empty()) >= Some(MAX_COLUMNS) {
            return Err(Refused::TooManyColumns);
        }
        if rows.len() >= MAX_ROWS {
            return Err(Refused::TooManyRows);
        }
        rows.push((line, cells));
    }
    Ok(Grid {
        encoding: encoding.to_owned(),
        rows,
    })
}

fn cell(text: &str) -> Cell {
    let text = text.trim();
    // `="00123"`: text that Excel shall not take for a number.
    let bare = text
        .strip_prefix("=\"")
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or(text);
    let value = if bare.is_empty() {
        Value::Empty
    } else if bare.chars().nth(MAX_CELL).is_some() {
        Value::TooLong
    } else {
        Value::Text(bare.to_owned())
    };
    Cell {
        value,
        formula: false,
    }
}

/// The text and the name of its encoding. Bytes that are no Unicode become
/// Western letters, for the search for old codes.
fn decode(bytes: &[u8]) -> Result<(String, &'static str), Refused> {
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest).ok_or(Refused::Encoding),
        [0xff, 0xfe, rest @ ..] => utf16(rest, encoding_rs::UTF_16LE),
        [0xfe, 0xff, rest @ ..] => utf16(rest, encoding_rs::UTF_16BE),
        _ => {
            let zeros = |from: usize| {
                let sample = bytes.iter().take(1_000).skip(from).step_by(2);
                let count = sample.clone().count();
                count > 4 && sample.filter(|byte| **byte == 0).count() * 2 > count
            };
            if zeros(1) {
                return utf16(bytes, encoding_rs::UTF_16LE);
            }
            if zeros(0) {
                return utf16(bytes, encoding_rs::UTF_16BE);
            }
            if bytes.contains(&0) {
                return Err(Refused::NotATable);
            }
            if let Some(found) = utf8(bytes) {
                return Ok(found);
            }
            // Vietnamese Windows: Unicode letters, tones as marks behind them.
            let (text, _) = encoding_rs::WINDOWS_1258.decode_without_bom_handling(bytes);
            let marks = text.chars().filter(|c| ('\u{300}'..='\u{323}').contains(c));
            let modern = text.chars().filter(|c| matches!(c, 'ă' | 'đ' | 'ơ' | 'ư'));
            let vietnamese = marks.count() > 0 && modern.count() > 0;
            if vietnamese && is_vietnamese(&text) {
                return Ok((text.into_owned(), "windows1258"));
            }
            let text = bytes.iter().map(|byte| char::from(*byte)).collect();
            Ok((text, "8bit"))
        }
    }
}

/// Most marked words are syllables.
fn is_vietnamese(text: &str) -> bool {
    use unicode_normalization::UnicodeNormalization;
    let words = text
        .split(|c: char| c.is_whitespace() || c.is_ascii_punctuation())
        .filter(|word| !word.is_ascii())
        .take(1_000);
    let (mut all, mut fitting) = (0, 0);
    for word in words {
        all += 1;
        let word: String = word.nfc().collect();
        fitting += usize::from(super::syllable::is_syllable(&word));
    }
    fitting * 10 >= all * 7
}

fn utf8(bytes: &[u8]) -> Option<(String, &'static str)> {
    let text = std::str::from_utf8(bytes).ok()?;
    (!text.contains('\0')).then(|| (text.to_owned(), "utf8"))
}

fn utf16(
    bytes: &[u8],
    encoding: &'static encoding_rs::Encoding,
) -> Result<(String, &'static str), Refused> {
    let text = encoding
        .decode_without_bom_handling_and_without_replacement(bytes)
        .ok_or(Refused::Encoding)?;
    if text.contains('\0') {
        return Err(Refused::NotATable);
    }
    Ok((text.into_owned(), "utf16"))
}

/// The delimiter that stands most evenly in the first lines, outside quotes.
fn delimiter(text: &str) -> u8 {
    let mut best = (0, b',');
    for candidate in [b'\t', b';', b','] {
        let mut quoted = false;
        let mut counts: Vec<usize> = vec![0];
        for byte in text.bytes().take(32_768) {
            match byte {
                b'"' => quoted = !quoted,
                b'\n' if !quoted => {
                    if counts.len() >= 40 {
                        break;
                    }
                    counts.push(0);
                }
                byte if byte == candidate && !quoted => {
                    if let Some(last) = counts.last_mut() {
                        *last += 1;
                    }
                }
                _ => {}
            }
        }
        // How many lines have the commonest number of it, weighed by that.
        let score = counts
            .iter()
            .filter(|count| **count > 0)
            .map(|count| counts.iter().filter(|other| *other == count).count() * 8 + count.min(&7))
            .max()
            .unwrap_or(0);
        if score > best.0 {
            best = (score, candidate);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(bytes: &[u8]) -> (String, Vec<Vec<String>>) {
        let grid = read(bytes).unwrap();
        let rows = grid.rows.iter().map(|(_, cells)| {
            let cells = cells.iter().map(|cell| cell.text().unwrap_or_default());
            cells.collect()
        });
        (grid.encoding.clone(), rows.collect())
    }

    #[test]
    fn delimiters_encodings_and_quotes() {
        let expected = vec![
            vec![
                "STT".to_owned(),
                "Họ và tên".to_owned(),
                "Ghi chú".to_owned(),
            ],
            vec![
                "1".to_owned(),
                "Nguyễn Văn An".to_owned(),
                "a,b;c".to_owned(),
            ],
        ];
        for delimiter in [",", ";", "\t"] {
            let text = ["STT", "Họ và tên", "Ghi chú"].join(delimiter)
                + "\r\n"
                + &["1", "Nguyễn Văn An", "\"a,b;c\""].join(delimiter)
                + "\r\n";
            assert_eq!(
                texts(text.as_bytes()),
                ("utf8".to_owned(), expected.clone())
            );
            let bom = [&[0xef, 0xbb, 0xbf], text.as_bytes()].concat();
            assert_eq!(texts(&bom), ("utf8".to_owned(), expected.clone()));
            let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
            for (bytes, bom) in [(&little, [0xff, 0xfe]), (&big, [0xfe, 0xff])] {
                let with = [&bom[..], bytes].concat();
                assert_eq!(texts(&with), ("utf16".to_owned(), expected.clone()));
            }
            assert_eq!(texts(&little), ("utf16".to_owned(), expected.clone()));
            let told = format!("sep={delimiter}\r\n{text}");
            let grid = read(told.as_bytes()).unwrap();
            assert_eq!((grid.rows.len(), grid.rows[0].0), (2, 2));
        }
    }

    #[test]
    fn quoted_numbers_of_excel_keep_their_zeros() {
        let (_, rows) = texts(b"Ma;Ten\n=\"00123\";An\n\"=\"\"0456\"\"\";Ba\n");
        assert_eq!(
            (rows[1][0].as_str(), rows[2][0].as_str()),
            ("00123", "0456")
        );
    }

    #[test]
    fn vietnamese_windows_and_files_that_are_no_table() {
        let (text, _, lost) = encoding_rs::WINDOWS_1258.encode("Ho\u{323}, Tên đêm\u{323} ơn");
        assert!(!lost);
        assert_eq!(decode(&text).unwrap().1, "windows1258");
        assert!(matches!(read(b"<html><table>"), Err(Refused::Html)));
        assert!(matches!(read(b"a,b\0c"), Err(Refused::NotATable)));
        assert!(matches!(
            read(&[0xef, 0xbb, 0xbf, 0xff]),
            Err(Refused::Encoding)
        ));
        let wide = vec!["x"; MAX_COLUMNS + 1].join(",");
        assert!(matches!(
            read(wide.as_bytes()),
            Err(Refused::TooManyColumns)
        ));
    }
}
