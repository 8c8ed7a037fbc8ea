//! Reading the file: unknown keys are refused with their line and the nearest
//! key that exists.

use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table};

use super::{Config, check, env};

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Read {
        /// File.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A key or section that does not exist.
    #[error("{file}:{line}: unknown {what} `{key}`{}", hint.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
    Unknown {
        /// File.
        file: String,
        /// Line, from 1.
        line: usize,
        /// `key` or `section`.
        what: &'static str,
        /// As written.
        key: String,
        /// The nearest that exists.
        hint: Option<String>,
    },
    /// Not TOML, or a value of the wrong type.
    #[error("{file}:{line}: {message}")]
    Value {
        /// File.
        file: String,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// An environment variable of the wrong type.
    #[error("environment variable {name}: expected {expected}")]
    Variable {
        /// Name.
        name: String,
        /// What is expected.
        expected: &'static str,
    },
    /// Values that do not go together.
    #[error("configuration: {0}")]
    Rule(String),
}

/// A configuration and what to warn of.
#[derive(Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// Environment variables with our prefix that name no key.
    pub unknown_variables: Vec<String>,
}

/// Reads the file (defaults when `None`) and applies `variables`.
pub fn load(path: Option<&Path>, variables: &[(String, String)]) -> Result<Loaded, ConfigError> {
    let (text, name) = match path {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
                path: path.to_owned(),
                source,
            })?;
            (text, path.display().to_string())
        }
        None => (String::new(), "defaults".to_owned()),
    };
    load_text(&text, &name, variables)
}

/// As [`load`], from a text; `name` stands in messages.
pub fn load_text(
    text: &str,
    name: &str,
    variables: &[(String, String)],
) -> Result<Loaded, ConfigError> {
    let schema = schema();
    refuse_unknown(text, name, &schema)?;
    // Once alone, so that a wrong value is told with its line …
    toml::from_str::<Config>(text).map_err(|error| at_line(text, name, &error))?;
    // … and once with the overrides.
    let mut table: Table = toml::from_str(text).map_err(|error| at_line(text, name, &error))?;
    let unknown_variables = env::apply(&mut table, &schema, variables)?;
    let config: Config = table
        .try_into()
        .map_err(|error: toml::de::Error| ConfigError::Rule(first_line(&error)))?;
    match check::problems(&config).into_iter().next() {
        Some(problem) => Err(ConfigError::Rule(problem)),
        None => Ok(Loaded {
            config,
            unknown_variables,
        }),
    }
}

/// The default configuration as a table: which keys there are.
pub(super) fn schema() -> Table {
    Table::try_from(Config::default()).unwrap_or_default()
}

fn refuse_unknown(text: &str, name: &str, schema: &Table) -> Result<(), ConfigError> {
    let parsed = DeTable::parse(text).map_err(|error| at_line(text, name, &error))?;
    for (section, value) in parsed.get_ref().iter() {
        let Some(known) = schema
            .get(section.get_ref().as_ref())
            .and_then(|keys| keys.as_table())
        else {
            return Err(unknown(text, name, "section", section, schema.keys()));
        };
        let DeValue::Table(keys) = value.get_ref() else {
            continue;
        };
        for (key, _) in keys.iter() {
            if !known.contains_key(key.get_ref().as_ref()) {
                return Err(unknown(text, name, "key", key, known.keys()));
            }
        }
    }
    Ok(())
}

fn unknown<'k, S: AsRef<str>>(
    text: &str,
    name: &str,
    what: &'static str,
    key: &Spanned<S>,
    known: impl Iterator<Item = &'k String>,
) -> ConfigError {
    let written = key.get_ref().as_ref();
    ConfigError::Unknown {
        file: name.to_owned(),
        line: line_of(text, key.span().start),
        what,
        key: written.to_owned(),
        hint: nearest(written, known),
    }
}

fn at_line(text: &str, name: &str, error: &toml::de::Error) -> ConfigError {
    let start = error.span().map_or(0, |span| span.start);
    ConfigError::Value {
        file: name.to_owned(),
        line: line_of(text, start),
        message: first_line(error),
    }
}

fn first_line(error: &toml::de::Error) -> String {
    error
        .message()
        .lines()
        .next()
        .unwrap_or("not valid")
        .to_owned()
}

fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// The known word with the fewest edits, when they are few enough to be a slip.
fn nearest<'k>(written: &str, known: impl Iterator<Item = &'k String>) -> Option<String> {
    known
        .map(|word| (edits(written, word), word))
        .min()
        .filter(|(distance, word)| {
            *distance <= (word.chars().count().max(written.chars().count()) / 2).max(2)
        })
        .map(|(_, word)| word.clone())
}

/// Levenshtein distance.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut next = Vec::with_capacity(row.len());
        let mut left = i + 1;
        next.push(left);
        for ((to, diagonal), above) in b.iter().zip(&row).zip(row.iter().skip(1)) {
            left = (left + 1)
                .min(above + 1)
                .min(diagonal + usize::from(from != *to));
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}
