//! Whether a word is a Vietnamese syllable: how text in an unknown code is told
//! from text in another.

use unicode_normalization::UnicodeNormalization;

/// First consonants, longest first.
const ONSETS: [&str; 28] = [
    "ngh", "ch", "gh", "gi", "kh", "ng", "nh", "ph", "qu", "th", "tr", "b", "c", "d", "đ", "g",
    "h", "k", "l", "m", "n", "p", "r", "s", "t", "v", "x", "",
];

/// What may follow them, without tones.
const RHYMES: &str = " a ac ach ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc âm ân âng \
    âp ât âu ây e ec em en eng eo ep et ê êch êm ên ênh êp êt êu i ia ich iêc iêm iên iêng iêp \
    iêt iêu im in inh ip it iu o oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn \
    oăng oăt oc oe oen oeo oet oi om on ong ooc oong op ot ô ôc ôi ôm ôn ông ôp ôt ơ ơi ơm ơn ơp \
    ơt u ua uân uâng uât uâu uây uc uê uêch uên uênh ui um un ung uôc uôi uôm uôn uông uôp uôt uơ \
    up ut uy uya uych uyên uyêt uynh uyp uyt uyu ư ưa ưc ưi ưm ưn ưng ươc ươi ươm ươn ương ươp \
    ươt ươu ưt ưu y yêm yên yêng yêt yêu ";

/// Whether the word, in Unicode, is a Vietnamese syllable written as names and
/// sentences are: small, capital, or with a capital first letter.
pub(super) fn is_syllable(word: &str) -> bool {
    let mut letters = word.chars();
    let Some(first) = letters.next() else {
        return false;
    };
    let rest = letters.as_str();
    let small = |text: &str| text.chars().all(|c| !c.is_uppercase());
    let capital = |text: &str| text.chars().all(|c| !c.is_lowercase());
    if !(small(rest) || (first.is_uppercase() && capital(rest))) {
        return false;
    }
    let mut tones = String::new();
    let mut plain = String::new();
    for c in word.nfd().flat_map(char::to_lowercase) {
        match c {
            '\u{300}' | '\u{301}' | '\u{303}' | '\u{309}' | '\u{323}' => tones.push(c),
            _ => plain.push(c),
        }
    }
    let plain: String = plain.nfc().collect();
    let stopped = ["c", "ch", "p", "t"].iter().any(|end| plain.ends_with(end));
    let tone_fits = match tones.as_str() {
        "" => true,
        // Closed syllables have sắc or nặng only.
        "\u{301}" | "\u{323}" => true,
        "\u{300}" | "\u{303}" | "\u{309}" => !stopped,
        _ => false,
    };
    tone_fits
        && ONSETS.iter().any(|onset| {
            plain.strip_prefix(onset).is_some_and(|rhyme| {
                !rhyme.is_empty() && !rhyme.contains(' ') && RHYMES.contains(&format!(" {rhyme} "))
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syllables_of_names_and_headings_are_known_and_mojibake_is_not() {
        for word in "Nguyễn Thị Hằng TRẦN ĐÌNH Đức Quốc Quyền Quý Giang gì Ngọc Ánh Thúy Thuý Hoà \
                     Hòa Yến Ý Nghĩa khuya Trường Đơn vị Ngày sinh Giới tính chức vụ Phượng"
            .split_whitespace()
        {
            assert!(is_syllable(word), "{word}");
        }
        for word in "NguyÔn TrÇn §Æng Nguyeãn Traàn Ñaëng Hoµng Lª ThÞ Thò® ® 2026 Pháp1 hàc nGuyễn"
            .split_whitespace()
        {
            assert!(!is_syllable(word), "{word}");
        }
    }
}
