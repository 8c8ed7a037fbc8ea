//! The pieces of SQL in the sources of the crate.

use std::collections::BTreeMap;
use std::path::Path;

/// A string of the sources that holds SQL.
pub struct Text {
    /// File and line.
    pub at: String,
    /// With constants put in; other places that are filled are left as `{…}`.
    pub text: String,
}

struct Literal {
    file: String,
    line: usize,
    text: String,
    /// The constant it is the value of.
    name: Option<String>,
}

/// A string with one of these is taken for SQL.
const WORDS: [&str; 21] = [
    "SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "FROM", "WHERE", "JOIN", "AND", "OR", "ORDER",
    "LIMIT", "OFFSET", "IN", "UNION", "BEGIN", "COMMIT", "ROLLBACK", "VACUUM", "PRAGMA", "LIKE",
];

/// All of them.
pub fn texts() -> Vec<Text> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut literals = Vec::new();
    for path in files {
        assert!(path.is_file(), "{} is not looked into", path.display());
        let source = std::fs::read_to_string(&path).unwrap();
        let source = source.split("#[cfg(test)]\nmod ").next().unwrap();
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        read(&file, source, &mut literals);
    }
    let constants = Constants::of(&literals);
    literals
        .iter()
        .filter(|literal| is_sql(&literal.text))
        .map(|literal| Text {
            at: format!("{}:{}", literal.file, literal.line),
            text: constants.put_in(&literal.file, &literal.text),
        })
        .collect()
}

/// What stands between places that are filled.
pub fn pieces(text: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        pieces.push(before.trim().to_owned());
        rest = after.split_once('}').map_or("", |(_, after)| after);
    }
    pieces.push(rest.trim().to_owned());
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

fn is_sql(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .any(|word| WORDS.contains(&word))
}

struct Constants<'a> {
    of_file: BTreeMap<(&'a str, &'a str), &'a str>,
    of_any: BTreeMap<&'a str, Vec<&'a str>>,
}

impl<'a> Constants<'a> {
    fn of(literals: &'a [Literal]) -> Self {
        let mut constants = Self {
            of_file: BTreeMap::new(),
            of_any: BTreeMap::new(),
        };
        for literal in literals {
            if let Some(name) = &literal.name {
                let (file, text) = (literal.file.as_str(), literal.text.as_str());
                constants.of_file.insert((file, name), text);
                constants.of_any.entry(name).or_default().push(text);
            }
        }
        constants
    }

    /// The constant of the same file, else the only one of the name.
    fn find(&self, file: &str, name: &str) -> Option<&'a str> {
        let own = self.of_file.get(&(file, name)).copied();
        own.or_else(|| match self.of_any.get(name)?.as_slice() {
            [one] => Some(*one),
            _ => None,
        })
    }

    fn put_in(&self, file: &str, text: &str) -> String {
        let mut done = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            done.push_str(before);
            match self.find(file, name) {
                Some(value) => done.push_str(value),
                None => done.push_str(&format!("{{{name}}}")),
            }
            rest = after;
        }
        done + rest
    }
}

/// The string literals of a source; comments are none.
fn read(file: &str, source: &str, literals: &mut Vec<Literal>) {
    let mut rest = source;
    let line_of = |rest: &str| {
        let read = &source[..source.len() - rest.len()];
        read.matches('\n').count() + 1
    };
    while let Some(c) = rest.chars().next() {
        if rest.starts_with("//") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if c == '\'' {
            rest = after_quote(rest);
        } else if c == '"' {
            let before = &source[..source.len() - rest.len()];
            assert!(
                !before.ends_with("r") || before.ends_with("or") || before.ends_with("#r"),
                "{file}: a raw string is not understood"
            );
            let line = line_of(rest);
            let (text, after) = string(&rest[1..]);
            literals.push(Literal {
                file: file.to_owned(),
                line,
                text,
                name: constant(before),
            });
            rest = after;
        } else {
            rest = &rest[c.len_utf8()..];
        }
    }
}

/// Behind a character or the quote of a lifetime.
fn after_quote(rest: &str) -> &str {
    let inner = &rest[1..];
    let mut chars = inner.char_indices();
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some((at, escaped))) => {
            let behind = &inner[at + escaped.len_utf8()..];
            behind.split_once('\'').map_or("", |(_, after)| after)
        }
        (Some(_), Some((at, '\''))) => &inner[at + 1..],
        _ => inner,
    }
}

/// The text of a literal, from behind its first quote, and what comes after it.
fn string(rest: &str) -> (String, &str) {
    let mut text = String::new();
    let mut chars = rest.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (text, &rest[at + 1..]),
            '\\' => match chars.next() {
                Some((at, '\n')) => {
                    let behind = rest[at..].trim_start();
                    let (more, after) = string(behind);
                    return (text + &more, after);
                }
                Some((_, 'n')) => text.push('\n'),
                Some((_, other)) => text.push(other),
                None => break,
            },
            c => text.push(c),
        }
    }
    panic!("a string without an end: {text}");
}

/// `NAME` of `const NAME: &str =`.
fn constant(before: &str) -> Option<String> {
    let before = before.trim_end().strip_suffix('=')?.trim_end();
    let before = before.strip_suffix("&str")?.trim_end().strip_suffix(':')?;
    let (before, name) = before.rsplit_once(' ')?;
    before.ends_with("const").then(|| name.to_owned())
}
