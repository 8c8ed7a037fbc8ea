//! PDF laid out by Nghị định 30/2020/NĐ-CP: paper, margins, head of the
//! document, page numbers, places to sign. Fonts are embedded, text can be
//! extracted in composed form (NFC), and the structure of the document is
//! tagged for programs that read aloud. The same document gives the same bytes.

mod face;
mod fit;
mod page;
mod paint;
mod table;

use crate::model::{Place, Sealed, Signature};
use crate::parts;
use face::{Face, Faces};
use page::{LEFT, NodeId, Pages, Piece, Role};
use table::{ASCENT, LEADING, Laid};

/// In front of the id of the export among the key words of the file.
pub const ID_KEYWORD: &str = "lophoc-export:";

/// Most rows of all printed tables together.
pub const MAX_ROWS: usize = 20_000;

/// A file that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// An embedded font is broken.
    #[error("an embedded font cannot be read")]
    Font,
    /// The page has no size.
    #[error("a page without size")]
    Page,
    /// More rows than a printed document may have; other formats take them.
    #[error("at most {MAX_ROWS} rows can be printed")]
    TooManyRows,
    /// The writer refused.
    #[error("cannot write PDF: {0}")]
    Pdf(String),
}

/// Room for signature and seal, points (25 mm).
const SIGN_ROOM: f32 = 71.0;
/// Size of sentences, points.
const BODY: f32 = 13.0;
/// Size of the small print, points.
const SMALL: f32 = 9.0;

/// The document as PDF.
///
/// # Errors
/// [`WriteError::TooManyRows`]; the others are not met for a sealed document.
pub fn write(sheet: &Sealed) -> Result<Vec<u8>, WriteError> {
    let rows: usize = sheet.data().printed().map(|table| table.rows.len()).sum();
    if rows > MAX_ROWS {
        return Err(WriteError::TooManyRows);
    }
    let faces = Faces::load().ok_or(WriteError::Font)?;
    let pages = lay_out(sheet, &faces);
    paint::paint(sheet, &faces, &pages)
}

/// Layout of the tables of a document for a page to print: size of the letters
/// in points and share of each column, so that paper looks the same from both.
/// Nothing when a font is broken.
pub(crate) fn layout(sheet: &Sealed) -> Vec<(f32, Vec<f32>)> {
    let Some(faces) = Faces::load() else {
        return Vec::new();
    };
    let width = Pages::new(sheet.is_landscape()).width();
    let mut largest = 12.0;
    sheet
        .data()
        .printed()
        .map(|table| {
            let fit = fit::fit(&faces, table, width, largest, sheet.data().offset_min);
            largest = (fit.size + 1.5).min(largest);
            let shares = fit.widths.iter().map(|part| part / width).collect();
            (fit.size, shares)
        })
        .collect()
}

/// A paragraph.
#[derive(Clone)]
struct Text {
    lines: Vec<String>,
    face: Face,
    size: f32,
    centred: bool,
    /// Room above, points.
    above: f32,
    role: Role,
}

impl Text {
    fn height(&self) -> f32 {
        self.lines
            .iter()
            .fold(self.above, |sum, _| sum + LEADING * self.size)
    }

    fn draw(&self, pages: &mut Pages, faces: &Faces) {
        let node = pages.node(self.role, None);
        if !pages.fresh() {
            pages.y += self.above;
        }
        let width = pages.width();
        for line in &self.lines {
            pages.need(LEADING * self.size);
            let x = if self.centred {
                LEFT + (width - faces.width(self.face, line) * self.size) / 2.0
            } else {
                LEFT
            };
            piece(pages, x, line, self.face, self.size, Some(node));
            pages.y += LEADING * self.size;
        }
    }
}

/// A line whose top is where the pages are.
fn piece(pages: &mut Pages, x: f32, text: &str, face: Face, size: f32, node: Option<NodeId>) {
    let y = pages.y + ASCENT * size;
    pages.put(Piece {
        x,
        y,
        face,
        size,
        text: text.to_owned(),
        node,
    });
}

/// Lines of a centred text: broken between its parts (`·`) where these fit,
/// else into lines of about the same length, no more than are needed.
fn balanced(faces: &Faces, face: Face, text: &str, width: f32) -> Vec<String> {
    let parts: Vec<&str> = text.split(" · ").collect();
    if parts.len() > 1 && parts.iter().all(|part| faces.width(face, part) <= width) {
        let mut lines: Vec<String> = Vec::new();
        for part in parts {
            match lines.last_mut() {
                Some(line) if faces.width(face, &format!("{line} · {part}")) <= width => {
                    line.push_str(" · ");
                    line.push_str(part);
                }
                _ => lines.push(part.to_owned()),
            }
        }
        return lines;
    }
    let lines = faces.wrap(face, text, width);
    let count = lines.len();
    if count < 2 {
        return lines;
    }
    let part = faces.width(face, text) / f32::from(u16::try_from(count).unwrap_or(u16::MAX));
    [1.05_f32, 1.15, 1.3]
        .into_iter()
        .map(|more| faces.wrap(face, text, (part * more).min(width)))
        .find(|other| other.len() == count)
        .unwrap_or(lines)
}

fn lay_out(sheet: &Sealed, faces: &Faces) -> Pages {
    let mut pages = Pages::new(sheet.is_landscape());
    let data = sheet.data();
    let width = pages.width();
    let limit = pages.height();
    let text = |text: &str, face, size: f32, centred, above, role| Text {
        lines: if centred {
            balanced(faces, face, text, width / size)
        } else {
            faces.wrap(face, text, width / size)
        },
        face,
        size,
        centred,
        above,
        role,
    };
    head(&mut pages, faces, sheet);
    text(&data.title, Face::Bold, 14.0, true, 12.0, Role::Title).draw(&mut pages, faces);
    for (index, line) in data.subtitle.iter().enumerate() {
        let face = if index == 0 {
            Face::Bold
        } else {
            Face::Regular
        };
        text(line, face, BODY, true, 2.0, Role::Paragraph).draw(&mut pages, faces);
    }
    pages.y += 8.0;
    let lay = |table, largest| Laid::new(faces, table, (width, limit), largest, data.offset_min);
    let mut size = 12.0;
    let foot: Vec<Text> = data
        .foot
        .iter()
        .map(|line| text(line, Face::Regular, BODY, false, 6.0, Role::Paragraph))
        .collect();
    let end = End::new(sheet, faces, width);
    let annexes: Vec<_> = data
        .tables
        .iter()
        .filter(|table| table.place == Place::Annex)
        .collect();
    let foot_height: f32 = foot.iter().map(Text::height).sum();
    if let Some(main) = data.main() {
        let tail = if annexes.is_empty() {
            foot_height + end.height()
        } else {
            foot_height
        };
        let laid = lay(main, size);
        size = laid.size() + 1.5;
        laid.draw(&mut pages, faces, tail);
    }
    for line in &foot {
        line.draw(&mut pages, faces);
    }
    for (index, annex) in annexes.iter().enumerate() {
        let name = text(&annex.name, Face::Bold, BODY, false, 10.0, Role::Heading);
        let tail = if index + 1 == annexes.len() {
            end.height()
        } else {
            0.0
        };
        let laid = lay(annex, size);
        // The name stays with the heading and a row.
        let above = name.height() + 3.0;
        let start = laid.start(limit - above, tail);
        pages.need(above + start);
        name.draw(&mut pages, faces);
        pages.y += 3.0;
        laid.draw(&mut pages, faces, tail);
    }
    end.draw(&mut pages, faces);
    pages
}

/// Names of the units left, of the state right, place and day below.
fn head(pages: &mut Pages, faces: &Faces, sheet: &Sealed) {
    let width = pages.width();
    let size = 12.0;
    let nation = faces.width(Face::Bold, parts::NATION) * size + 4.0;
    let right = nation.max(width * 0.5);
    let left = width - right - 8.0;
    let (left_middle, right_middle) = (LEFT + left / 2.0, LEFT + width - right / 2.0);
    let top = pages.y;
    let centred = |pages: &mut Pages, middle: f32, text: &str, face, size: f32| {
        let node = pages.node(Role::Paragraph, None);
        let wide = faces.width(face, text) * size;
        piece(pages, middle - wide / 2.0, text, face, size, Some(node));
        pages.y += LEADING * size;
        wide
    };
    let column = |pages: &mut Pages, text: &str, face| {
        for line in faces.wrap(face, text, left / size) {
            centred(pages, left_middle, &line, face, size);
        }
    };
    let unit = sheet.data().unit.to_uppercase();
    if let Some(parent) = sheet.document().head.parent_unit.as_deref() {
        column(pages, &parent.to_uppercase(), Face::Regular);
    }
    column(pages, &unit, Face::Bold);
    let y = pages.y + 2.0;
    let half = left.min(faces.width(Face::Bold, &unit) * size) * 0.2;
    pages.rule((left_middle - half, y), (left_middle + half, y));
    pages.y += 8.0;
    if let Some(number) = parts::number(sheet) {
        for line in faces.wrap(Face::Regular, &number, left / BODY) {
            centred(pages, left_middle, &line, Face::Regular, BODY);
        }
    }
    let left_end = pages.y;
    pages.y = top;
    centred(pages, right_middle, parts::NATION, Face::Bold, size);
    let wide = centred(pages, right_middle, parts::MOTTO, Face::Bold, BODY);
    let y = pages.y + 2.0;
    pages.rule(
        (right_middle - wide / 2.0, y),
        (right_middle + wide / 2.0, y),
    );
    pages.y += 8.0;
    let day = parts::place_and_day(sheet);
    for line in faces.wrap(Face::Italic, &day, right / BODY) {
        centred(pages, right_middle, &line, Face::Italic, BODY);
    }
    pages.y = pages.y.max(left_end);
}

/// What stands at the end: places to sign, recipients, rules, small print.
struct End<'a> {
    signatures: &'a [Signature],
    below: Vec<Text>,
}

impl<'a> End<'a> {
    fn new(sheet: &'a Sealed, faces: &Faces, width: f32) -> Self {
        let mut below = Vec::new();
        let mut line = |line: &str, face, size: f32, above| {
            below.push(Text {
                lines: faces.wrap(face, line, width / size),
                face,
                size,
                centred: false,
                above,
                role: Role::Paragraph,
            });
        };
        let recipients = &sheet.document().recipients;
        if !recipients.is_empty() {
            line(parts::RECIPIENTS, Face::BoldItalic, 12.0, 8.0);
            for recipient in recipients {
                line(recipient, Face::Regular, 11.0, 0.0);
            }
        }
        let rules = &sheet.data().rules;
        if !rules.is_empty() {
            let rules = format!("{} {}", parts::RULES, rules.join(" "));
            line(&rules, Face::Regular, SMALL, 8.0);
        }
        for (index, text) in parts::small_print(sheet).iter().enumerate() {
            let above = if index == 0 { 4.0 } else { 0.0 };
            line(text, Face::Regular, SMALL, above);
        }
        Self {
            signatures: &sheet.document().signatures,
            below,
        }
    }

    fn sign_height(&self) -> f32 {
        if self.signatures.is_empty() {
            0.0
        } else {
            // Two lines may be needed for the post.
            12.0 + LEADING * BODY * 4.0 + SIGN_ROOM
        }
    }

    fn height(&self) -> f32 {
        self.sign_height() + self.below.iter().map(Text::height).sum::<f32>()
    }

    fn draw(&self, pages: &mut Pages, faces: &Faces) {
        self.draw_signatures(pages, faces);
        for text in &self.below {
            text.draw(pages, faces);
        }
    }

    fn draw_signatures(&self, pages: &mut Pages, faces: &Faces) {
        if self.signatures.is_empty() {
            return;
        }
        pages.need(self.sign_height());
        let top = pages.y + 12.0;
        let count = f32::from(u8::try_from(self.signatures.len()).unwrap_or(1));
        let share = pages.width() / count;
        let mut middle = LEFT + share / 2.0;
        let inner = (share - 8.0) / BODY;
        for signature in self.signatures {
            pages.y = top;
            let node = pages.node(Role::Paragraph, None);
            let put = |pages: &mut Pages, text: &str, face, most: usize| {
                for line in faces.wrap(face, text, inner).iter().take(most) {
                    let x = middle - faces.width(face, line) * BODY / 2.0;
                    piece(pages, x, line, face, BODY, Some(node));
                    pages.y += LEADING * BODY;
                }
            };
            put(pages, &signature.title, Face::Bold, 2);
            put(pages, &signature.note, Face::Italic, 1);
            pages.y = top + LEADING * BODY * 3.0 + SIGN_ROOM;
            if let Some(name) = &signature.name {
                put(pages, name, Face::Bold, 1);
            }
            middle += share;
        }
        pages.y = top + LEADING * BODY * 4.0 + SIGN_ROOM;
    }
}
