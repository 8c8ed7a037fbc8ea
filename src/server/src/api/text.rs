//! Texts that people enter: composed, trimmed, bounded.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization as _;

use super::error::ApiFault;

/// Own fields of a class, session or person. Overflow: refused.
const OWN: usize = 30;
/// Their names, characters.
const OWN_NAME: usize = 100;
/// Their values, characters.
const OWN_VALUE: usize = 1_000;

/// Gathers what is wrong with the fields of a form.
#[derive(Debug, Default)]
pub struct Fields(BTreeMap<String, String>);

impl Fields {
    /// Notes a wrong field; the first fault of a field stands.
    pub fn wrong(&mut self, field: &str, code: &str) {
        self.0
            .entry(field.to_owned())
            .or_insert_with(|| code.to_owned());
    }

    /// Brings a text into the form it is stored in (NFC, single spaces, no
    /// control characters) and holds it to `max` characters.
    pub fn text(&mut self, field: &str, text: &mut String, max: usize) {
        *text = clean(text);
        if text.chars().count() > max {
            self.wrong(field, "tooLong");
        }
    }

    /// As [`text`](Self::text), and it must not be empty.
    pub fn required(&mut self, field: &str, text: &mut String, max: usize) {
        self.text(field, text, max);
        if text.is_empty() {
            self.wrong(field, "required");
        }
    }

    /// Own fields: name and value each.
    pub fn own(&mut self, field: &str, own: &mut [(String, String)]) {
        if own.len() > OWN {
            return self.wrong(field, "tooLong");
        }
        for (no, (label, value)) in own.iter_mut().enumerate() {
            self.required(&format!("{field}[{no}][0]"), label, OWN_NAME);
            self.text(&format!("{field}[{no}][1]"), value, OWN_VALUE);
        }
    }

    /// The names of own fields that stand on the sheets, `max` at most: only what
    /// is there, once, in the order of the fields.
    pub fn own_on_sheets(
        &mut self,
        field: &str,
        own: &[(String, String)],
        names: &mut Vec<String>,
        max: usize,
    ) {
        if names.len() > max {
            self.wrong(field, "tooLong");
        }
        let mut chosen: Vec<String> = Vec::new();
        for (label, _) in own {
            if names.contains(label) && !chosen.contains(label) {
                chosen.push(label.clone());
            }
        }
        *names = chosen;
    }

    /// Names of own fields of others, `max` at most, each once.
    pub fn own_names(&mut self, field: &str, names: &mut Vec<String>, max: usize) {
        if names.len() > max {
            return self.wrong(field, "tooLong");
        }
        let mut kept: Vec<String> = Vec::new();
        for mut name in std::mem::take(names) {
            self.text(field, &mut name, OWN_NAME);
            if !name.is_empty() && !kept.contains(&name) {
                kept.push(name);
            }
        }
        *names = kept;
    }

    /// The refusal, when something was wrong.
    pub fn done(self) -> Result<(), ApiFault> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(ApiFault::fields(self.0))
        }
    }
}

/// NFC, without control and invisible direction characters, single spaces.
pub fn clean(text: &str) -> String {
    let kept: String = text
        .nfc()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !c.is_control() && !is_direction(*c))
        .collect();
    kept.split(' ')
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Characters that turn the order of those behind them, and the byte order mark.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_composed_trimmed_and_free_of_tricks() {
        assert_eq!(clean("  Nguye\u{302}\u{303}n\t\u{202e}An\n"), "Nguyễn An");
        let mut fields = Fields::default();
        let mut long = "ă".repeat(6);
        fields.text("a", &mut long, 6);
        fields.required("b", &mut "\u{200b}".to_owned(), 5);
        fields.text("c", &mut "abc".to_owned(), 2);
        assert_eq!(
            fields.done(),
            Err(ApiFault::fields(
                [
                    ("b".to_owned(), "required".to_owned()),
                    ("c".to_owned(), "tooLong".to_owned())
                ]
                .into()
            ))
        );
    }
}
