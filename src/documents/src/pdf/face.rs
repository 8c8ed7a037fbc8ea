//! The four faces of the embedded font: widths of letters, breaking of lines.

use std::collections::HashMap;

use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider as _};

static REGULAR: &[u8] = include_bytes!("../../fonts/Tinos-Regular.ttf");
static BOLD: &[u8] = include_bytes!("../../fonts/Tinos-Bold.ttf");
static ITALIC: &[u8] = include_bytes!("../../fonts/Tinos-Italic.ttf");
static BOLD_ITALIC: &[u8] = include_bytes!("../../fonts/Tinos-BoldItalic.ttf");

/// A face.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Face {
    /// Upright.
    Regular,
    /// Bold.
    Bold,
    /// Italic.
    Italic,
    /// Bold italic.
    BoldItalic,
}

/// A letter of a face.
#[derive(Debug, Clone, Copy)]
pub struct Letter {
    /// Number of its drawing in the font.
    pub glyph: u32,
    /// Width, parts of the size.
    pub advance: f32,
}

struct Loaded {
    drawn: krilla::text::Font,
    bytes: &'static [u8],
    letters: HashMap<char, Letter>,
}

/// The faces, with what was already looked up.
pub struct Faces([Loaded; 4]);

impl Faces {
    /// Reads the embedded fonts; `None` when one is broken, which a test rules
    /// out.
    pub fn load() -> Option<Self> {
        let load = |bytes: &'static [u8]| {
            Some(Loaded {
                drawn: krilla::text::Font::new(bytes.into(), 0)?,
                bytes,
                letters: HashMap::new(),
            })
        };
        let mut faces = Self([
            load(REGULAR)?,
            load(BOLD)?,
            load(ITALIC)?,
            load(BOLD_ITALIC)?,
        ]);
        for face in &mut faces.0 {
            face.fill()?;
        }
        Some(faces)
    }

    fn of(&self, face: Face) -> &Loaded {
        let [regular, bold, italic, both] = &self.0;
        match face {
            Face::Regular => regular,
            Face::Bold => bold,
            Face::Italic => italic,
            Face::BoldItalic => both,
        }
    }

    /// The face as the writer of the file wants it.
    pub fn drawn(&self, face: Face) -> krilla::text::Font {
        self.of(face).drawn.clone()
    }

    /// A letter; one the font lacks is drawn as its empty box.
    pub fn letter(&self, face: Face, c: char) -> Letter {
        let loaded = self.of(face);
        loaded
            .letters
            .get(&c)
            .or_else(|| loaded.letters.get(&'\0'))
            .copied()
            .unwrap_or(Letter {
                glyph: 0,
                advance: 0.6,
            })
    }

    /// Width of a text, parts of the size.
    pub fn width(&self, face: Face, text: &str) -> f32 {
        text.chars().map(|c| self.letter(face, c).advance).sum()
    }

    /// A text in lines no wider than `width` (parts of the size): broken
    /// between words, behind marks, and inside a word only when it is too long
    /// for a line of its own.
    pub fn wrap(&self, face: Face, text: &str, width: f32) -> Vec<String> {
        let mut lines = Vec::new();
        let mut line = String::new();
        let mut used = 0.0_f32;
        let blank = self.letter(face, ' ').advance;
        // Sums of fractions may differ in the last digits.
        let width = width + 0.001;
        for word in text.split(' ') {
            let wide = self.width(face, word);
            if !line.is_empty() && used + blank + wide <= width {
                line.push(' ');
                line.push_str(word);
                used += blank + wide;
                continue;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            if wide <= width {
                line.push_str(word);
                used = wide;
                continue;
            }
            (line, used) = self.broken(face, word, width, &mut lines);
        }
        if !line.is_empty() || lines.is_empty() {
            lines.push(line);
        }
        lines
    }

    /// Breaks a word; full lines go to `lines`, the rest comes back.
    fn broken(&self, face: Face, word: &str, width: f32, lines: &mut Vec<String>) -> (String, f32) {
        let mut line = String::new();
        let mut used = 0.0_f32;
        // Where a mark allows a break: length of the text before it.
        let mut mark: Option<usize> = None;
        for c in word.chars() {
            let advance = self.letter(face, c).advance;
            while !line.is_empty() && used + advance > width {
                let rest = match mark.take() {
                    Some(at) if at < line.len() => line.split_off(at),
                    _ => String::new(),
                };
                lines.push(std::mem::replace(&mut line, rest));
                used = self.width(face, &line);
            }
            line.push(c);
            used += advance;
            if matches!(c, '-' | '/' | '.' | '@' | '_' | ',' | ';' | ':' | '–') {
                mark = Some(line.len());
            }
        }
        (line, used)
    }
}

impl Loaded {
    /// Looks up every letter of the font once.
    fn fill(&mut self) -> Option<()> {
        let font = FontRef::from_index(self.bytes, 0).ok()?;
        let metrics = font.glyph_metrics(Size::unscaled(), LocationRef::default());
        let em = f32::from(font.head_units());
        let letter = |glyph: skrifa::GlyphId| Letter {
            glyph: glyph.to_u32(),
            advance: metrics.advance_width(glyph).unwrap_or(0.0) / em,
        };
        for (code, glyph) in font.charmap().mappings() {
            if let Some(c) = char::from_u32(code) {
                self.letters.insert(c, letter(glyph));
            }
        }
        self.letters.insert('\0', letter(skrifa::GlyphId::new(0)));
        Some(())
    }
}

trait Units {
    fn head_units(&self) -> u16;
}

impl Units for FontRef<'_> {
    fn head_units(&self) -> u16 {
        self.metrics(Size::unscaled(), LocationRef::default())
            .units_per_em
            .max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_vietnamese_letter_is_in_every_face() {
        let faces = Faces::load().unwrap();
        let letters = "aàảãáạăằẳẵắặâầẩẫấậbcdđeèẻẽéẹêềểễếệghiìỉĩíịklmnoòỏõóọôồổỗốộơờởỡớợ\
                       pqrstuùủũúụưừửữứựvxyỳỷỹýỵ0123456789.,:;%/–-…·()*\"'&@→";
        for face in [Face::Regular, Face::Bold, Face::Italic, Face::BoldItalic] {
            for c in letters.chars().chain(letters.to_uppercase().chars()) {
                assert!(faces.letter(face, c).glyph != 0, "{c} {face:?}");
            }
        }
    }

    #[test]
    fn lines_keep_all_text_and_their_width() {
        let faces = Faces::load().unwrap();
        for width in [1.0_f32, 3.0, 8.0, 200.0] {
            for text in [
                "Nguyễn Thị Ánh Tuyết",
                "mot.dia.chi.rat.dai@truong-trung-hoc-co-so.edu.vn",
                "",
                "WWWWWWWWWWWWWWWWWWWWWW a b",
            ] {
                let lines = faces.wrap(Face::Regular, text, width);
                assert_eq!(lines.concat().replace(' ', ""), text.replace(' ', ""));
                for line in &lines {
                    let wide = faces.width(Face::Regular, line);
                    assert!(wide <= width + 0.01 || line.chars().count() == 1, "{line}");
                }
            }
        }
    }
}
