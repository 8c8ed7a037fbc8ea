//! Names and messages as people type them, made safe to show to others.

use lophoc_protocol::limits::{MAX_CHAT, MAX_NAME, MAX_UNIT};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Most combining marks on one letter; Vietnamese needs two.
const MAX_MARKS: usize = 4;

/// The text cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadText {
    /// Nothing is left of it that can be seen.
    #[error("the text is empty")]
    Empty,
    /// Longer than allowed.
    #[error("the text is too long")]
    TooLong,
    /// Holds control characters.
    #[error("the text holds control characters")]
    Control,
}

/// Characters that turn the direction of what follows; they can make a name
/// read as another.
pub(crate) fn is_bidi(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Characters nobody sees: they would make two people of one name.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{00ad}' | '\u{034f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
            | '\u{200b}'..='\u{200d}' | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{2064}'
            | '\u{206a}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
    )
}

/// A display name: NFC, single spaces, no control, direction or invisible
/// characters, at least one letter or digit, at most [`MAX_NAME`] characters.
/// Spaces of all sorts (a name pasted from a sheet) become plain ones.
///
/// # Errors
/// [`BadText`] when no name is left.
pub fn clean_name(text: &str) -> Result<String, BadText> {
    clean_line(text, MAX_NAME)
}

/// A unit: as [`clean_name`], at most [`MAX_UNIT`] characters; `None` when empty.
///
/// # Errors
/// [`BadText`] when it is too long or holds control characters.
pub fn clean_unit(text: &str) -> Result<Option<String>, BadText> {
    match clean_line(text, MAX_UNIT) {
        Ok(unit) => Ok(Some(unit)),
        Err(BadText::Empty) => Ok(None),
        Err(other) => Err(other),
    }
}

/// A short text of one line, as [`clean_name`], at most `most` characters.
///
/// # Errors
/// [`BadText`] when nothing is left or it is too long.
pub fn clean_label(text: &str, most: usize) -> Result<String, BadText> {
    clean_line(text, most)
}

fn clean_line(text: &str, most: usize) -> Result<String, BadText> {
    // No honest text shrinks eightfold, and work must stay bounded.
    if text.len() > most * 32 {
        return Err(BadText::TooLong);
    }
    let mut line = String::with_capacity(text.len());
    let mut marks = 0;
    for c in text.nfc() {
        if c.is_whitespace() {
            if !line.is_empty() && !line.ends_with(' ') {
                line.push(' ');
            }
            continue;
        }
        if c.is_control() {
            return Err(BadText::Control);
        }
        if is_bidi(c) || is_invisible(c) {
            continue;
        }
        marks = if is_combining_mark(c) { marks + 1 } else { 0 };
        if marks <= MAX_MARKS {
            line.push(c);
        }
    }
    // Removing an invisible character may bring letter and mark together.
    let line: String = line.trim_end().nfc().collect();
    if !line.chars().any(char::is_alphanumeric) {
        return Err(BadText::Empty);
    }
    if line.chars().count() > most {
        return Err(BadText::TooLong);
    }
    Ok(line)
}

/// A chat message: as [`clean_text`], at most [`MAX_CHAT`] characters.
///
/// # Errors
/// [`BadText`] when nothing is left or it is too long.
pub fn clean_chat(text: &str) -> Result<String, BadText> {
    clean_text(text, MAX_CHAT)
}

/// A text of several lines: NFC, newlines kept, other control characters and
/// direction characters removed, at most `most` characters.
///
/// # Errors
/// [`BadText`] when nothing is left or it is too long.
pub fn clean_text(text: &str, most: usize) -> Result<String, BadText> {
    if text.len() > most * 32 {
        return Err(BadText::TooLong);
    }
    let mut message = String::with_capacity(text.len());
    let mut marks = 0;
    for c in text.nfc() {
        let c = match c {
            '\t' | '\u{2028}' | '\u{2029}' => ' ',
            other => other,
        };
        if (c.is_control() && c != '\n') || is_bidi(c) {
            continue;
        }
        marks = if is_combining_mark(c) { marks + 1 } else { 0 };
        if marks <= MAX_MARKS {
            message.push(c);
        }
    }
    let message: String = message.trim().nfc().collect();
    if message
        .chars()
        .all(|c| c.is_whitespace() || is_invisible(c))
    {
        return Err(BadText::Empty);
    }
    if message.chars().count() > most {
        return Err(BadText::TooLong);
    }
    Ok(message)
}

/// The text without marks and capitals, for search: `Nguyễn Thị Hằng` and
/// `nguyen thi hang` become the same. Đ has no decomposition and is mapped.
pub fn fold(text: &str) -> String {
    text.nfd()
        .filter(|c| !is_combining_mark(*c))
        .map(|c| match c {
            'đ' | 'Đ' => 'd',
            other => other,
        })
        .flat_map(char::to_lowercase)
        .collect()
}

/// Length of the text as a JSON string, bytes, without its quotes.
pub(crate) fn json_len(text: &str) -> usize {
    text.len()
        + text
            .bytes()
            .filter(|b| matches!(b, b'"' | b'\\' | b'\n'))
            .count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decomposed_names_are_composed_and_spaces_are_single() {
        assert_eq!(
            clean_name("  Nguye\u{302}\u{303}n\u{a0}\tThi\u{323}  Ha\u{306}\u{300}ng \n")
                .as_deref(),
            Ok("Nguyễn Thị Hằng")
        );
    }

    #[test]
    fn names_of_minorities_pass_as_they_are() {
        for name in ["H'Hen Niê", "Y Moan Êban", "Ama H’Nhan", "An", "Lò Thị Ó 2"] {
            assert_eq!(clean_name(name).as_deref(), Ok(name));
        }
    }

    #[test]
    fn direction_and_invisible_characters_leave_a_name() {
        assert_eq!(
            clean_name("\u{202e}nA\u{200b} \u{2066}Lê").as_deref(),
            Ok("nA Lê")
        );
    }

    #[test]
    fn a_name_nobody_can_read_is_refused() {
        assert_eq!(clean_name("\u{200b}\u{3164} \u{ad}"), Err(BadText::Empty));
        assert_eq!(clean_name("..."), Err(BadText::Empty));
        assert_eq!(clean_name(""), Err(BadText::Empty));
        assert_eq!(clean_name("A\u{0}B"), Err(BadText::Control));
        assert_eq!(clean_name("A\u{1b}[31m"), Err(BadText::Control));
        assert_eq!(
            clean_name(&"á".repeat(MAX_NAME)).map(|n| n.chars().count()),
            Ok(MAX_NAME)
        );
        assert_eq!(clean_name(&"á".repeat(MAX_NAME + 1)), Err(BadText::TooLong));
    }

    #[test]
    fn piles_of_marks_are_cut() {
        let name = format!("A{}", "\u{363}".repeat(60));
        assert_eq!(
            clean_name(&name).map(|n| n.chars().count()),
            Ok(1 + MAX_MARKS)
        );
    }

    #[test]
    fn a_unit_may_be_empty() {
        assert_eq!(clean_unit("   "), Ok(None));
        assert_eq!(clean_unit(" Sở  GDĐT "), Ok(Some("Sở GDĐT".into())));
    }

    #[test]
    fn chat_keeps_lines_and_drops_controls() {
        assert_eq!(
            clean_chat("a\r\nb\u{7}\u{202e}c\td \n").as_deref(),
            Ok("a\nbc d")
        );
        assert_eq!(clean_chat(" \n \u{200b}"), Err(BadText::Empty));
        assert_eq!(clean_chat(&"x".repeat(MAX_CHAT + 1)), Err(BadText::TooLong));
    }

    #[test]
    fn search_ignores_marks_and_case() {
        assert_eq!(fold("Nguyễn Thị HẰNG"), "nguyen thi hang");
        assert_eq!(fold("Trần Đình Đức"), "tran dinh duc");
        assert_eq!(fold("Hoà"), fold("Hòa"));
    }

    proptest! {
        #[test]
        fn cleaning_is_stable_and_bounded(text in "\\PC{0,120}|[a\u{301}\u{302}\u{323}\u{200b}\u{202e} đ]{0,60}|.{0,60}") {
            if let Ok(name) = clean_name(&text) {
                prop_assert_eq!(clean_name(&name), Ok(name.clone()));
                prop_assert!(name.chars().count() <= MAX_NAME);
                prop_assert!(!name.chars().any(|c| c.is_control() || is_bidi(c)));
            }
            if let Ok(chat) = clean_chat(&text) {
                prop_assert_eq!(clean_chat(&chat), Ok(chat.clone()));
                prop_assert!(!chat.chars().any(|c| (c.is_control() && c != '\n') || is_bidi(c)));
            }
            let folded = fold(&text);
            prop_assert_eq!(fold(&folded), folded);
        }

        #[test]
        fn the_json_length_is_the_length_of_the_json(text in "\\PC{0,60}|[\"\\\\\n a]{0,30}") {
            if let Ok(text) = clean_chat(&text) {
                let json = serde_json::to_string(&text).unwrap();
                prop_assert_eq!(json_len(&text) + 2, json.len());
            }
        }
    }
}
