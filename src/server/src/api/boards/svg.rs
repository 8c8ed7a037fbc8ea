//! A board as an SVG file, by the rules of the browser client
//! (`core/board/draw.ts`): a test of each side reads `tests/board-vectors.json`.

use std::fmt::Write as _;

use lophoc_protocol::board::{Figure, FigureKind, Ink};
use lophoc_protocol::limits::POINT_MAX;

/// Width of every board, units.
pub const WIDE: u32 = 1_600;
/// Height of a blank one.
pub const BLANK_HIGH: u32 = 900;
/// Height of a line of text, times its size.
const LEADING: f64 = 1.3;
/// Width of a letter on average, times its size.
const LETTER: f64 = 0.54;
/// Fewest letters of a line before it is broken.
const LEAST: usize = 6;

#[derive(Clone, Copy)]
struct Place {
    x: f64,
    y: f64,
}

/// Figures as a file: on white paper, or as a layer one sees through.
pub fn svg<'a>(figures: impl Iterator<Item = &'a Figure>, high: u32, paper: bool) -> String {
    let mut text = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {high}" width="{WIDE}" height="{high}">"#
    );
    // Writing into a String cannot fail, here and below.
    if paper {
        let _ = write!(
            text,
            r##"<rect width="{WIDE}" height="{high}" fill="#fff"/>"##
        );
    }
    for figure in figures {
        put(&mut text, figure, f64::from(high));
    }
    text.push_str("</svg>\n");
    text
}

fn put(text: &mut String, figure: &Figure, high: f64) {
    let ink = colour(figure.ink);
    if figure.kind != FigureKind::Text {
        let _ = write!(
            text,
            r#"<path d="{}" fill="none" stroke="{ink}" stroke-width="{}" stroke-linecap="round" stroke-linejoin="round" opacity="{}"/>"#,
            path(figure, high),
            line_width(figure),
            if figure.kind == FigureKind::Marker {
                "0.35"
            } else {
                "1"
            }
        );
        return;
    }
    let size = text_size(figure);
    let at = places(figure, high)
        .next()
        .unwrap_or(Place { x: 0.0, y: 0.0 });
    let _ = write!(
        text,
        r#"<text fill="{ink}" font-size="{size}" font-weight="600" font-family="sans-serif" xml:space="preserve">"#
    );
    let mut before = 0.0;
    for line in lines(figure, at.x) {
        let y = at.y + size + before * size * LEADING;
        let _ = write!(text, r#"<tspan x="{}" y="{}">"#, tenth(at.x), tenth(y));
        escape(text, &line);
        text.push_str("</tspan>");
        before += 1.0;
    }
    text.push_str("</text>");
}

fn colour(ink: Ink) -> &'static str {
    match ink {
        Ink::Black => "#1a1a1a",
        Ink::Red => "#c62828",
        Ink::Blue => "#1558b0",
        Ink::Green => "#1b7a3d",
        Ink::Orange => "#b45309",
        Ink::Purple => "#7b1fa2",
    }
}

fn line_width(figure: &Figure) -> f64 {
    let line = match figure.w {
        2 => 6.0,
        3 => 12.0,
        _ => 3.0,
    };
    if figure.kind == FigureKind::Marker {
        line * 5.0
    } else {
        line
    }
}

fn text_size(figure: &Figure) -> f64 {
    match figure.w {
        2 => 44.0,
        3 => 72.0,
        _ => 28.0,
    }
}

/// The points of a figure, kept on the board.
fn places(figure: &Figure, high: f64) -> impl Iterator<Item = Place> {
    let of = |place: u16| f64::from(place.min(POINT_MAX)) / f64::from(POINT_MAX);
    figure.p.as_chunks::<2>().0.iter().map(move |[x, y]| Place {
        x: of(*x) * f64::from(WIDE),
        y: of(*y) * high,
    })
}

/// To a tenth, half upwards, without a negative zero.
fn tenth(value: f64) -> f64 {
    (value * 10.0 + 0.5).floor() / 10.0 + 0.0
}

fn xy(at: Place) -> String {
    format!("{} {}", tenth(at.x), tenth(at.y))
}

/// The outline of a figure; empty for what has too few points.
fn path(figure: &Figure, high: f64) -> String {
    let points: Vec<Place> = places(figure, high).collect();
    match (figure.kind, points.as_slice()) {
        (FigureKind::Pen | FigureKind::Marker, points) => stroke(points),
        (FigureKind::Line, [a, b, ..]) => format!("M{}L{}", xy(*a), xy(*b)),
        (FigureKind::Arrow, [a, b, ..]) => {
            let turn = (b.y - a.y).atan2(b.x - a.x);
            let long = 12.0 + line_width(figure) * 3.0;
            let side = |by: f64| {
                xy(Place {
                    x: b.x - long * (turn + by).cos(),
                    y: b.y - long * (turn + by).sin(),
                })
            };
            let (from, to) = (xy(*a), xy(*b));
            format!("M{from}L{to}M{}L{to}L{}", side(0.45), side(-0.45))
        }
        (FigureKind::Rect, [a, b, ..]) => {
            format!("M{}H{}V{}H{}Z", xy(*a), tenth(b.x), tenth(b.y), tenth(a.x))
        }
        (FigureKind::Ellipse, [a, b, ..]) => {
            let (rx, ry) = (
                tenth((b.x - a.x).abs() / 2.0),
                tenth((b.y - a.y).abs() / 2.0),
            );
            let (left, y) = (tenth(a.x.min(b.x)), tenth((a.y + b.y) / 2.0));
            let across = tenth(rx * 2.0);
            let back = tenth(-rx * 2.0);
            format!("M{left} {y}a{rx} {ry} 0 1 0 {across} 0a{rx} {ry} 0 1 0 {back} 0Z")
        }
        _ => String::new(),
    }
}

/// A stroke, smooth through the middles between its points.
fn stroke(points: &[Place]) -> String {
    match points {
        [] => String::new(),
        [only] => format!("M{}l.1 0", xy(*only)),
        [first, last] => format!("M{}L{}", xy(*first), xy(*last)),
        [first, rest @ ..] => {
            let mut path = format!("M{}", xy(*first));
            let turns = rest.len().saturating_sub(1);
            for (n, (at, next)) in rest.iter().zip(rest.iter().skip(1)).enumerate() {
                let end = if n + 1 == turns {
                    *next
                } else {
                    Place {
                        x: (at.x + next.x) / 2.0,
                        y: (at.y + next.y) / 2.0,
                    }
                };
                let _ = write!(path, "Q{} {}", xy(*at), xy(end));
            }
            path
        }
    }
}

/// Length as the client counts it: in units of UTF-16.
fn len(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// The lines of a text that begins at `x`, broken where the board ends.
fn lines(figure: &Figure, x: f64) -> Vec<String> {
    let room = (f64::from(WIDE) - x) / (text_size(figure) * LETTER);
    // Never negative, never more than the widest board holds.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let most = (room.floor().max(0.0) as usize).max(LEAST);
    let mut all = Vec::new();
    for line in figure.text.split('\n') {
        let mut now = String::new();
        for word in line.split(' ') {
            if !now.is_empty() && len(&now) + 1 + len(word) <= most {
                now.push(' ');
                now.push_str(word);
                continue;
            }
            if !now.is_empty() {
                all.push(std::mem::take(&mut now));
            }
            for letter in word.chars() {
                if len(&now) + letter.len_utf16() > most {
                    all.push(std::mem::take(&mut now));
                }
                now.push(letter);
            }
        }
        all.push(now);
    }
    all
}

/// Text as XML holds it, without what XML cannot hold.
fn escape(out: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '&' | '<' | '>' | '"' | '\'' => {
                let _ = write!(out, "&#{};", u32::from(letter));
            }
            '\t' | '\n' | '\r' => out.push(letter),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            letter => out.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Vector {
        high: u32,
        figs: Vec<Figure>,
        svg: String,
    }

    #[test]
    fn a_board_looks_as_in_the_browser() {
        let vectors = include_str!("../../../tests/board-vectors.json");
        let vectors: Vec<Vector> = serde_json::from_str(vectors).unwrap();
        assert!(!vectors.is_empty());
        for Vector {
            high,
            figs,
            svg: wanted,
        } in vectors
        {
            assert_eq!(svg(figs.iter(), high, true), wanted);
        }
    }

    #[test]
    fn a_layer_has_no_paper() {
        assert_eq!(
            svg(std::iter::empty(), 1_200, false),
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1600 1200\" width=\"1600\" height=\"1200\"></svg>\n"
        );
    }

    fn figure() -> impl Strategy<Value = Figure> {
        let kind = prop::sample::select(vec![
            FigureKind::Pen,
            FigureKind::Marker,
            FigureKind::Line,
            FigureKind::Arrow,
            FigureKind::Rect,
            FigureKind::Ellipse,
            FigureKind::Text,
        ]);
        let p = prop::collection::vec(any::<u16>(), 0..9);
        (
            kind,
            any::<u8>(),
            p,
            "\\PC{0,60}|[\\x00-\\x40\u{fffe} ]{0,60}",
        )
            .prop_map(|(kind, w, p, text)| Figure {
                kind,
                ink: Ink::Red,
                w,
                p,
                text,
            })
    }

    proptest! {
        /// Whatever the ledger holds: XML with nothing of the text in its marks.
        #[test]
        fn any_figure_is_sound(figs in prop::collection::vec(figure(), 0..4), high in 1u32..20_000) {
            let text = svg(figs.iter(), high, true);
            let mut open = 0;
            for part in text.split('<').skip(1) {
                let (tag, words) = part.split_once('>').expect("a mark ends");
                let name: String = tag.chars().take_while(char::is_ascii_alphabetic).collect();
                if tag.starts_with('/') {
                    open -= 1;
                } else {
                    prop_assert!(["svg", "rect", "path", "text", "tspan"].contains(&name.as_str()), "{tag}");
                    prop_assert!(!tag.contains("NaN") && !tag.contains("inf"), "{tag}");
                    prop_assert_eq!(tag.matches('"').count() % 2, 0);
                    open += i32::from(!tag.ends_with('/'));
                }
                let bad = words.chars().any(|c| (c < ' ' && !"\t\n\r".contains(c)) || "\u{fffe}>\"'".contains(c));
                prop_assert!(!bad, "{words:?}");
            }
            prop_assert_eq!(open, 0);
        }
    }
}
