//! Vietnamese text in the codes from before Unicode: TCVN3 (fonts `.VnTime`,
//! one byte per letter) and VNI (fonts `VNI-Times`, vowel and mark). In files of
//! today it appears as Western letters: `NguyÔn`, `Nguyeãn`.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;

use super::syllable::is_syllable;

/// How the letters of a text are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Coding {
    /// Unicode as it should be.
    Unicode,
    /// TCVN3, also called ABC.
    Tcvn3,
    /// VNI.
    Vni,
}

/// Letters of TCVN3 by their place in Windows-1252.
const TCVN3: [(char, char); 74] = [
    ('µ', 'à'),
    ('¶', 'ả'),
    ('·', 'ã'),
    ('¸', 'á'),
    ('¹', 'ạ'),
    ('¨', 'ă'),
    ('»', 'ằ'),
    ('¼', 'ẳ'),
    ('½', 'ẵ'),
    ('¾', 'ắ'),
    ('Æ', 'ặ'),
    ('©', 'â'),
    ('Ç', 'ầ'),
    ('È', 'ẩ'),
    ('É', 'ẫ'),
    ('Ê', 'ấ'),
    ('Ë', 'ậ'),
    ('®', 'đ'),
    ('Ì', 'è'),
    ('Î', 'ẻ'),
    ('Ï', 'ẽ'),
    ('Ð', 'é'),
    ('Ñ', 'ẹ'),
    ('ª', 'ê'),
    ('Ò', 'ề'),
    ('Ó', 'ể'),
    ('Ô', 'ễ'),
    ('Õ', 'ế'),
    ('Ö', 'ệ'),
    ('×', 'ì'),
    ('Ø', 'ỉ'),
    ('Ü', 'ĩ'),
    ('Ý', 'í'),
    ('Þ', 'ị'),
    ('ß', 'ò'),
    ('á', 'ỏ'),
    ('â', 'õ'),
    ('ã', 'ó'),
    ('ä', 'ọ'),
    ('«', 'ô'),
    ('å', 'ồ'),
    ('æ', 'ổ'),
    ('ç', 'ỗ'),
    ('è', 'ố'),
    ('é', 'ộ'),
    ('¬', 'ơ'),
    ('ê', 'ờ'),
    ('ë', 'ở'),
    ('ì', 'ỡ'),
    ('í', 'ớ'),
    ('î', 'ợ'),
    ('ï', 'ù'),
    ('ñ', 'ủ'),
    ('ò', 'ũ'),
    ('ó', 'ú'),
    ('ô', 'ụ'),
    ('\u{ad}', 'ư'),
    ('õ', 'ừ'),
    ('ö', 'ử'),
    ('÷', 'ữ'),
    ('ø', 'ứ'),
    ('ù', 'ự'),
    ('ú', 'ỳ'),
    ('û', 'ỷ'),
    ('ü', 'ỹ'),
    ('ý', 'ý'),
    ('þ', 'ỵ'),
    ('¡', 'Ă'),
    ('¢', 'Â'),
    ('£', 'Ê'),
    ('¤', 'Ô'),
    ('¥', 'Ơ'),
    ('¦', 'Ư'),
    ('§', 'Đ'),
];

/// Marks of VNI that follow a vowel: the accents they stand for, combining.
const VNI_MARKS: [(char, &str); 17] = [
    ('ù', "\u{301}"),
    ('ø', "\u{300}"),
    ('û', "\u{309}"),
    ('õ', "\u{303}"),
    ('ï', "\u{323}"),
    ('â', "\u{302}"),
    ('á', "\u{302}\u{301}"),
    ('à', "\u{302}\u{300}"),
    ('å', "\u{302}\u{309}"),
    ('ã', "\u{302}\u{303}"),
    ('ä', "\u{302}\u{323}"),
    ('ê', "\u{306}"),
    ('é', "\u{306}\u{301}"),
    ('è', "\u{306}\u{300}"),
    ('ú', "\u{306}\u{309}"),
    ('ü', "\u{306}\u{303}"),
    ('ë', "\u{306}\u{323}"),
];

/// Letters of VNI that stand alone.
const VNI_LETTERS: [(char, char); 9] = [
    ('í', 'í'),
    ('ì', 'ì'),
    ('æ', 'ỉ'),
    ('ó', 'ĩ'),
    ('ò', 'ị'),
    ('ô', 'ơ'),
    ('ö', 'ư'),
    ('î', 'ỵ'),
    ('ñ', 'đ'),
];

/// The text in Unicode, composed. What the code does not have stays.
pub fn convert(text: &str, from: Coding) -> String {
    match from {
        Coding::Unicode => text.nfc().collect(),
        Coding::Tcvn3 => in_words(text, tcvn3_word),
        Coding::Vni => in_words(text, vni_word),
    }
}

fn in_words(text: &str, word: impl Fn(&str) -> String) -> String {
    text.split_inclusive(char::is_whitespace)
        .map(|part| {
            let bare = part.trim_end_matches(char::is_whitespace);
            let space = part.get(bare.len()..).unwrap_or_default();
            word(bare) + space
        })
        .collect()
}

fn tcvn3_word(word: &str) -> String {
    let letters = word.chars().map(|c| {
        let found = TCVN3.iter().find(|(from, _)| *from == c);
        found.map_or(c, |(_, to)| *to)
    });
    let text: String = letters.collect();
    // Capitals with a tone have no place in TCVN3: they are small letters in a
    // font of capitals (.VnTimeH), beside capitals of ASCII.
    let ascii = |test: fn(&char) -> bool| word.chars().filter(char::is_ascii).any(|c| test(&c));
    let capitals = word.chars().filter(char::is_ascii_uppercase).count();
    if capitals >= 2 && !ascii(char::is_ascii_lowercase) {
        return text.to_uppercase();
    }
    text
}

fn vni_word(word: &str) -> String {
    let mut out = String::with_capacity(word.len() * 2);
    let mut letters = word.chars().peekable();
    while let Some(c) = letters.next() {
        let (letter, marked) = vni_letter(c);
        out.push(letter);
        if !marked {
            continue;
        }
        let mark = letters
            .peek()
            .and_then(|mark| vni_mark(letter, *mark))
            .unwrap_or_default();
        if !mark.is_empty() {
            letters.next();
            out.push_str(mark);
        }
    }
    out.nfc().collect()
}

/// The letter, and whether a mark may follow it.
fn vni_letter(c: char) -> (char, bool) {
    let small = lower(c);
    let letter = VNI_LETTERS
        .iter()
        .find(|(from, _)| *from == small)
        .map_or(small, |(_, to)| *to);
    let marked = matches!(letter, 'a' | 'e' | 'o' | 'u' | 'y' | 'ơ' | 'ư');
    let letter = if c.is_uppercase() {
        letter.to_uppercase().next().unwrap_or(letter)
    } else {
        letter
    };
    (letter, marked)
}

fn vni_mark(vowel: char, mark: char) -> Option<&'static str> {
    let mark = lower(mark);
    let (_, accents) = VNI_MARKS.iter().find(|(from, _)| *from == mark)?;
    let fits = match accents.chars().next()? {
        '\u{302}' => matches!(lower(vowel), 'a' | 'e' | 'o'),
        '\u{306}' => lower(vowel) == 'a',
        _ => true,
    };
    fits.then_some(accents)
}

fn lower(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

/// What is known about the code of some texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guess {
    /// No letter beyond ASCII: nothing to tell, nothing to convert.
    Plain,
    /// This one.
    Coded(Coding),
    /// No code makes Vietnamese of it.
    Unsure,
}

/// Words looked at, at most.
const SAMPLE: usize = 4_000;

/// Finds the code of texts that were written with one program: the one in which
/// nearly all words with marks are Vietnamese syllables.
pub fn guess<'a>(texts: impl IntoIterator<Item = &'a str>) -> Guess {
    let mut words: BTreeSet<&str> = BTreeSet::new();
    for text in texts {
        let parts = text.split(|c: char| c.is_whitespace() || c.is_ascii_punctuation());
        words.extend(parts.filter(|part| !part.is_ascii()));
        if words.len() > SAMPLE {
            break;
        }
    }
    if words.is_empty() {
        return Guess::Plain;
    }
    // Letters that only Unicode has.
    let modern = |c: char| matches!(c, '\u{102}'..='\u{1b0}' | '\u{300}'..='\u{323}' | '\u{1ea0}'..='\u{1eff}');
    if words.iter().any(|word| word.contains(modern)) {
        return Guess::Coded(Coding::Unicode);
    }
    let count = |coding: Coding| {
        let fitting = words
            .iter()
            .filter(|word| is_syllable(&convert(word, coding)));
        fitting.count()
    };
    let unicode = count(Coding::Unicode);
    let (tcvn3, vni) = (count(Coding::Tcvn3), count(Coding::Vni));
    let all = words.len();
    let (best, coding) = [(tcvn3, Coding::Tcvn3), (vni, Coding::Vni)]
        .into_iter()
        .max_by_key(|(fits, _)| *fits)
        .unwrap_or((0, Coding::Tcvn3));
    if unicode >= best {
        // Few marked words, all of them Western ones: a name like André.
        return if unicode * 2 >= all || all < 3 && unmixed(&words) {
            Guess::Coded(Coding::Unicode)
        } else {
            Guess::Unsure
        };
    }
    if best * 10 >= all * 7 && tcvn3 != vni {
        Guess::Coded(coding)
    } else {
        Guess::Unsure
    }
}

/// Letters only: no © or § as in mojibake.
fn unmixed(words: &BTreeSet<&str>) -> bool {
    let mut letters = words.iter().flat_map(|word| word.chars());
    letters.all(|c| c.is_alphanumeric() && c != 'ª' && c != 'µ')
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [(&str, &str, &str); 12] = [
        ("Nguyễn Thị Hằng", "NguyÔn ThÞ H»ng", "Nguyeãn Thò Haèng"),
        ("Trần Đình Đức", "TrÇn §×nh §øc", "Traàn Ñình Ñöùc"),
        ("Đặng Thị Ái", "§Æng ThÞ ¸i", "Ñaëng Thò AÙi"),
        (
            "Bùi Thị Ngọc Ánh",
            "Bïi ThÞ Ngäc ¸nh",
            "Buøi Thò Ngoïc AÙnh",
        ),
        ("Phạm Văn Dũng", "Ph¹m V¨n Dòng", "Phaïm Vaên Duõng"),
        ("Lê Thị Ân", "Lª ThÞ ¢n", "Leâ Thò AÂn"),
        ("Hồ Thị Hả", "Hå ThÞ H¶", "Hoà Thò Haû"),
        ("Vũ Thị Thuỷ", "Vò ThÞ Thuû", "Vuõ Thò Thuyû"),
        ("Ngô Thị Phượng", "Ng« ThÞ Ph\u{ad}îng", "Ngoâ Thò Phöôïng"),
        ("Đỗ Văn Lưỡng", "§ç V¨n L\u{ad}ìng", "Ñoã Vaên Löôõng"),
        (
            "Trường THCS Kỳ Mỹ",
            "Tr\u{ad}êng THCS Kú Mü",
            "Tröôøng THCS Kyø Myõ",
        ),
        ("Hiệu trưởng", "HiÖu tr\u{ad}ëng", "Hieäu tröôûng"),
    ];

    #[test]
    fn names_in_both_codes_are_detected_and_become_unicode() {
        let found = guess(NAMES.iter().map(|(_, tcvn3, _)| *tcvn3));
        assert_eq!(found, Guess::Coded(Coding::Tcvn3));
        let found = guess(NAMES.iter().map(|(_, _, vni)| *vni));
        assert_eq!(found, Guess::Coded(Coding::Vni));
        let found = guess(NAMES.iter().map(|(unicode, ..)| *unicode));
        assert_eq!(found, Guess::Coded(Coding::Unicode));
        for (unicode, tcvn3, vni) in NAMES {
            // ¸ is small: a capital with a tone has no place in TCVN3.
            let expected = unicode.replace('Á', "á");
            assert_eq!(convert(tcvn3, Coding::Tcvn3), expected);
            assert_eq!(convert(vni, Coding::Vni), unicode);
            assert_eq!(convert(unicode, Coding::Unicode), unicode);
        }
    }

    #[test]
    fn capitals_of_a_font_of_capitals_become_capitals() {
        assert_eq!(convert("NGUYÔN V¡N AN", Coding::Tcvn3), "NGUYỄN VĂN AN");
        assert_eq!(convert("TRÇN THÞ LAN", Coding::Tcvn3), "TRẦN THỊ LAN");
        assert_eq!(convert("NGUYEÃN THÒ ÑAËNG", Coding::Vni), "NGUYỄN THỊ ĐẶNG");
        assert_eq!(convert("", Coding::Vni), "");
    }

    #[test]
    fn every_letter_of_both_tables_is_reached_once() {
        let from: BTreeSet<char> = TCVN3.iter().map(|(from, _)| *from).collect();
        let to: BTreeSet<char> = TCVN3.iter().map(|(_, to)| *to).collect();
        assert_eq!((from.len(), to.len()), (TCVN3.len(), TCVN3.len()));
        // 67 small letters beyond ASCII, and 7 capitals.
        assert_eq!(to.iter().filter(|c| c.is_lowercase()).count(), 67);
        let mut vni = BTreeSet::new();
        for vowel in ["a", "e", "o", "u", "y", "ô", "ö"] {
            for (mark, _) in VNI_MARKS {
                let letter = convert(&format!("{vowel}{mark}"), Coding::Vni);
                if letter.chars().count() == 1 {
                    assert!(vni.insert(letter), "{vowel}{mark}");
                }
            }
        }
        for (letter, _) in VNI_LETTERS {
            vni.insert(convert(&letter.to_string(), Coding::Vni));
        }
        let small: BTreeSet<String> = to
            .iter()
            .filter(|c| c.is_lowercase())
            .map(|c| c.to_string())
            .collect();
        assert_eq!(small.difference(&vni).collect::<Vec<_>>(), [""; 0]);
    }

    #[test]
    fn what_is_no_vietnamese_in_any_code_is_unsure_and_a_few_western_names_are_not() {
        assert_eq!(guess(["An", "B", "12"]), Guess::Plain);
        assert_eq!(guess(["Lê Tú"]), Guess::Coded(Coding::Unicode));
        assert_eq!(guess(["José García"]), Guess::Coded(Coding::Unicode));
        assert_eq!(guess(["¿¿×÷ §§®® ¶¶¶ ÿÿ ÐÐÞ ¥¥«"]), Guess::Unsure);
    }
}
