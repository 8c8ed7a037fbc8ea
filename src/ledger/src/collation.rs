//! Vietnamese order of names: by given name, with the letters and tones in the
//! order of the Unicode locale data for Vietnamese (CLDR `vi`).

use std::sync::LazyLock;

use icu_collator::options::{CollatorOptions, Strength};
use icu_collator::{Collator, CollatorBorrowed};
use icu_locale_core::locale;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use unicode_normalization::UnicodeNormalization;
use utoipa::ToSchema;

use crate::names::{fold_name, is_tone};

/// What a list of names is sorted by.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, TS, ToSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum NameOrder {
    /// Tên, then họ và tên đệm as one text, as a spreadsheet of two columns
    /// sorts. The usual order.
    #[default]
    GivenThenRest,
    /// Tên, then chữ lót, then họ.
    GivenMiddleSurname,
}

/// Sort key of a person's name: given name (last word), then the words before
/// it in their order, then the spelling itself. Large and small letters are
/// told apart by the spelling only.
///
/// Keys of different versions of this program do not compare: never store one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NameKey {
    given: Vec<u8>,
    /// The rest, or the words between.
    then: Vec<u8>,
    /// The surname when it comes by itself.
    last: Vec<u8>,
    spelling: String,
}

/// The sort key of `name` in the usual order; composed and decomposed spellings
/// sort alike.
pub fn name_key(name: &str) -> NameKey {
    name_key_in(NameOrder::GivenThenRest, name, None)
}

/// The sort key of `name` in an order. `sort` stands in place of the given name
/// where the last word is none (names of minorities with the clan last).
pub fn name_key_in(order: NameOrder, name: &str, sort: Option<&str>) -> NameKey {
    let name = name.trim();
    let sort = sort.map(str::trim).filter(|sort| !sort.is_empty());
    let (rest, given) = match sort {
        Some(sort) => (name, sort),
        None => name.rsplit_once(char::is_whitespace).unwrap_or(("", name)),
    };
    let rest = rest.trim_end();
    let (then, last) = match (order, sort) {
        (NameOrder::GivenMiddleSurname, None) => match rest.split_once(char::is_whitespace) {
            Some((surname, middle)) => (middle.trim_start(), surname),
            None => ("", rest),
        },
        _ => (rest, ""),
    };
    NameKey {
        given: text_key(given),
        then: text_key(then),
        last: text_key(last),
        spelling: name.to_owned(),
    }
}

/// Built once; the data is compiled in, so it is always there.
static COLLATOR: LazyLock<Option<CollatorBorrowed<'static>>> = LazyLock::new(|| {
    let mut options = CollatorOptions::default();
    options.strength = Some(Strength::Tertiary);
    Collator::try_new(locale!("vi").into(), options).ok()
});

/// Sort key of a text that is not a name, a unit for example.
pub(crate) fn text_key(text: &str) -> Vec<u8> {
    if text.is_empty() {
        return Vec::new();
    }
    let text = letters_first(&text.to_lowercase());
    let mut key = Vec::with_capacity(text.len() * 3);
    match &*COLLATOR {
        Some(collator) => {
            let Ok(()) = collator.write_sort_key_to(&text, &mut key);
        }
        None => key.extend(fold_name(&text).into_bytes()),
    }
    key
}

/// Decomposed, with the marks that make another letter before the tone: some
/// keyboards send them the other way round, which Unicode takes for another
/// text.
fn letters_first(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut tones: Vec<char> = Vec::new();
    for c in text.nfd() {
        if is_tone(c) {
            tones.push(c);
            continue;
        }
        // Breve, circumflex, horn.
        if !matches!(c, '\u{306}' | '\u{302}' | '\u{31b}') {
            out.extend(tones.drain(..));
        }
        out.push(c);
    }
    out.extend(tones);
    out
}
