//! Names as people search and type them.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// One of the five tone marks, decomposed: huyền, sắc, ngã, hỏi, nặng.
pub(crate) fn is_tone(c: char) -> bool {
    matches!(c, '\u{300}' | '\u{301}' | '\u{303}' | '\u{309}' | '\u{323}')
}

/// The words of a text, composed, apostrophes of all shapes as one.
fn words(text: &str) -> Vec<String> {
    let text: String = text.nfc().collect();
    text.split(|c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}' || c == '\u{200b}')
        .filter(|word| !word.is_empty())
        .map(|word| word.replace(['’', '‘', 'ʼ', '`', '´', '′'], "'"))
        .collect()
}

/// A name for search: no marks, đ as d, small letters, single spaces.
/// `fold_name("Nguyễn Thị Hằng") == "nguyen thi hang"`.
pub fn fold_name(name: &str) -> String {
    let words: Vec<String> = words(name)
        .iter()
        .map(|word| -> String {
            word.nfd()
                .filter(|c| !is_combining_mark(*c))
                .flat_map(char::to_lowercase)
                .map(|c| if c == 'đ' { 'd' } else { c })
                .collect()
        })
        // Of a word that is nothing but marks nothing is left.
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ")
}

/// A name for comparison: composed (NFC), small letters, single spaces, and the
/// tone of each word on its last vowel, so that both styles of placing it are
/// equal (*Hoà* and *Hòa*, *Thuý* and *Thúy*). Equal results mean the same
/// spelling by ear and eye, never the same person. Not for display.
pub fn match_name(name: &str) -> String {
    let words: Vec<String> = words(name).iter().map(|word| settle_tone(word)).collect();
    words.join(" ")
}

/// The word with its tone on the last vowel. A syllable has one tone; whatever
/// has more is no Vietnamese syllable and stays as it is.
fn settle_tone(word: &str) -> String {
    let letters: Vec<char> = word.to_lowercase().nfd().collect();
    let mut tones = letters.iter().copied().filter(|c| is_tone(*c));
    let (Some(tone), None) = (tones.next(), tones.next()) else {
        return letters.into_iter().nfc().collect();
    };
    let mut out: Vec<char> = letters.into_iter().filter(|c| !is_tone(*c)).collect();
    let vowel = out
        .iter()
        .rposition(|c| matches!(c, 'a' | 'e' | 'i' | 'o' | 'u' | 'y'));
    match vowel {
        Some(vowel) => {
            // After the marks that make another letter of the vowel.
            let marks = out
                .iter()
                .skip(vowel + 1)
                .take_while(|c| is_combining_mark(**c))
                .count();
            out.insert(vowel + 1 + marks, tone);
        }
        None => out.push(tone),
    }
    out.into_iter().nfc().collect()
}
