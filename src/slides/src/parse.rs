//! What the tools say, read without believing it.

use serde::Serialize;

use crate::limits::{MAX_PAGES, MAX_WORD, MAX_WORDS};

/// A page of a PDF as it is seen, points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PageSize {
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
}

/// Number of pages in the output of `pdfinfo`.
pub fn page_count(said: &str) -> Option<u32> {
    let line = said.lines().find_map(|line| line.strip_prefix("Pages:"))?;
    line.trim().parse().ok()
}

/// Sizes of pages 1 to `pages` in the output of `pdfinfo -f 1 -l …`; `None` when
/// one is missing or no size.
pub fn page_sizes(said: &str, pages: u16) -> Option<Vec<PageSize>> {
    let pages = pages.min(MAX_PAGES);
    let mut sizes: Vec<Option<PageSize>> = vec![None; usize::from(pages)];
    for line in said.lines() {
        let Some(rest) = line.strip_prefix("Page ") else {
            continue;
        };
        let mut words = rest.split_whitespace();
        let Some(page) = words.next().and_then(|word| word.parse::<usize>().ok()) else {
            continue;
        };
        let slot = page.checked_sub(1).and_then(|at| sizes.get_mut(at));
        let Some(slot) = slot else { continue };
        match (words.next(), words.next()) {
            (Some("size:"), Some(width)) => {
                let height = words.nth(1).and_then(length);
                *slot = length(width)
                    .zip(height)
                    .map(|(width, height)| PageSize { width, height });
            }
            (Some("rot:"), Some("90" | "270")) => {
                if let Some(size) = slot {
                    std::mem::swap(&mut size.width, &mut size.height);
                }
            }
            _ => {}
        }
    }
    sizes.into_iter().collect()
}

fn length(word: &str) -> Option<f32> {
    let length: f32 = word.parse().ok()?;
    (length.is_finite() && length > 0.0 && length < 1e6).then_some(length)
}

/// The text layer of a page: its size and its words in reading order with left,
/// top, right and bottom in the same units.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct PageText {
    /// Width.
    pub w: f32,
    /// Height.
    pub h: f32,
    /// Words.
    pub words: Vec<Word>,
}

/// Text, left, top, right, bottom.
pub type Word = (String, f32, f32, f32, f32);

/// The pages in the output of `pdftotext -bbox`.
pub fn page_texts(said: &str) -> Vec<PageText> {
    let mut pages: Vec<PageText> = Vec::new();
    for line in said.lines() {
        let line = line.trim_start();
        if let Some(tag) = line.strip_prefix("<page ") {
            if pages.len() >= usize::from(MAX_PAGES) {
                break;
            }
            let of = |name| attribute(tag, name).unwrap_or(0.0);
            pages.push(PageText {
                w: of("width"),
                h: of("height"),
                words: Vec::new(),
            });
        } else if let Some(tag) = line.strip_prefix("<word ")
            && let Some(page) = pages.last_mut().filter(|page| page.words.len() < MAX_WORDS)
            && let Some(word) = word(tag)
        {
            match page.words.last_mut() {
                Some(last) if goes_on(last, &word) => {
                    last.0.extend(word.0.chars().take(MAX_WORD));
                    last.0 = last.0.chars().take(MAX_WORD).collect();
                    last.2 = last.2.min(word.2);
                    last.3 = last.3.max(word.3);
                    last.4 = last.4.max(word.4);
                }
                _ => page.words.push(word),
            }
        }
    }
    pages
}

/// Whether `next` is a part of the word before it: letters that another font had
/// to lend, as ừ in a font without it, come as words of their own.
fn goes_on(last: &Word, next: &Word) -> bool {
    let height = (last.4 - last.2).max(next.4 - next.2);
    let gap = next.1 - last.3;
    let beside = next.4.min(last.4) - next.2.max(last.2) > height * 0.5;
    beside && gap < height * 0.04 && gap > height * -0.25
}

fn word(tag: &str) -> Option<Word> {
    let (attributes, rest) = tag.split_once('>')?;
    let text = unescape(rest.strip_suffix("</word>")?);
    let of = |name| attribute(attributes, name);
    let text: String = text
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX_WORD)
        .collect();
    (!text.is_empty()).then_some(())?;
    Some((text, of("xMin")?, of("yMin")?, of("xMax")?, of("yMax")?))
}

/// A number among the attributes of a tag, to two places.
fn attribute(tag: &str, name: &str) -> Option<f32> {
    let (_, rest) = tag.split_once(name)?;
    let (number, _) = rest.strip_prefix("=\"")?.split_once('"')?;
    let number: f32 = number.parse().ok()?;
    (number.is_finite() && number.abs() < 1e6).then(|| (number * 100.0).round() / 100.0)
}

/// The five entities `pdftotext` writes.
fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}

/// The page number in the name of a file `pdftoppm` wrote: `p-007.ppm`.
pub fn rendered_page(name: &str) -> Option<u16> {
    name.strip_prefix("p-")?.strip_suffix(".ppm")?.parse().ok()
}
