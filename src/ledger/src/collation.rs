//! Vietnamese order of names: by given name, with the letters and tones in the
//! order of the Unicode locale data for Vietnamese.

/// The five letters with tones, per vowel: ngang, huyền, hỏi, ngã, sắc, nặng.
const VOWELS: [[char; 6]; 12] = [
    ['a', 'à', 'ả', 'ã', 'á', 'ạ'],
    ['ă', 'ằ', 'ẳ', 'ẵ', 'ắ', 'ặ'],
    ['â', 'ầ', 'ẩ', 'ẫ', 'ấ', 'ậ'],
    ['e', 'è', 'ẻ', 'ẽ', 'é', 'ẹ'],
    ['ê', 'ề', 'ể', 'ễ', 'ế', 'ệ'],
    ['i', 'ì', 'ỉ', 'ĩ', 'í', 'ị'],
    ['o', 'ò', 'ỏ', 'õ', 'ó', 'ọ'],
    ['ô', 'ồ', 'ổ', 'ỗ', 'ố', 'ộ'],
    ['ơ', 'ờ', 'ở', 'ỡ', 'ớ', 'ợ'],
    ['u', 'ù', 'ủ', 'ũ', 'ú', 'ụ'],
    ['ư', 'ừ', 'ử', 'ữ', 'ứ', 'ự'],
    ['y', 'ỳ', 'ỷ', 'ỹ', 'ý', 'ỵ'],
];

/// Letters in order, with the foreign ones in their places.
const ALPHABET: &str = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz";

/// Sort key of a text: letters first, tones decide between equal letters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct TextKey {
    letters: Vec<u32>,
    tones: Vec<u8>,
}

/// Sort key of a person's name: given name (last word), then the words before
/// it, then the spelling itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NameKey {
    given: TextKey,
    before: TextKey,
    spelling: String,
}

/// The sort key of `name`; composed and decomposed spellings sort alike.
pub fn name_key(name: &str) -> NameKey {
    let name = name.trim();
    let (before, given) = name.rsplit_once(char::is_whitespace).unwrap_or(("", name));
    NameKey {
        given: text_key(given),
        before: text_key(before),
        spelling: name.to_owned(),
    }
}

fn text_key(text: &str) -> TextKey {
    let mut letters: Vec<char> = Vec::with_capacity(text.len());
    let mut tones: Vec<u8> = Vec::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        if let Some(tone) = tone_mark(c) {
            if let Some(last) = tones.last_mut() {
                *last = tone;
            }
            continue;
        }
        if let Some(last) = letters.last_mut()
            && let Some(letter) = with_mark(*last, c)
        {
            *last = letter;
            continue;
        }
        let (letter, tone) = split_tone(c);
        letters.push(letter);
        tones.push(tone);
    }
    TextKey {
        letters: letters.into_iter().map(rank).collect(),
        tones,
    }
}

/// Order of a combining tone mark.
fn tone_mark(c: char) -> Option<u8> {
    match c {
        '\u{300}' => Some(1),
        '\u{309}' => Some(2),
        '\u{303}' => Some(3),
        '\u{301}' => Some(4),
        '\u{323}' => Some(5),
        _ => None,
    }
}

/// A letter under a combining mark that makes another letter of it.
fn with_mark(letter: char, mark: char) -> Option<char> {
    match (letter, mark) {
        ('a', '\u{306}') => Some('ă'),
        ('a', '\u{302}') => Some('â'),
        ('e', '\u{302}') => Some('ê'),
        ('o', '\u{302}') => Some('ô'),
        ('o', '\u{31b}') => Some('ơ'),
        ('u', '\u{31b}') => Some('ư'),
        _ => None,
    }
}

fn split_tone(c: char) -> (char, u8) {
    for row in &VOWELS {
        if let Some(tone) = row.iter().position(|&v| v == c) {
            let letter = row.first().copied().unwrap_or(c);
            return (letter, u8::try_from(tone).unwrap_or(0));
        }
    }
    (c, 0)
}

/// Blanks before marks before digits before letters before everything else.
fn rank(c: char) -> u32 {
    if c.is_whitespace() {
        return 0;
    }
    if let Some(at) = ALPHABET.chars().position(|letter| letter == c) {
        return 0x200 + u32::try_from(at).unwrap_or(0);
    }
    if c.is_ascii() {
        return if c.is_ascii_digit() {
            0x100 + u32::from(c)
        } else {
            1 + u32::from(c)
        };
    }
    0x1000 + u32::from(c)
}
