//! Environment overrides: `LOPHOC_<SECTION>_<KEY>`.

use toml::{Table, Value};

use super::ENV_PREFIX;
use super::load::ConfigError;

/// Puts the variables that name a key into `table`. `schema` is the default
/// configuration: it tells which keys there are and of which type.
///
/// Variables with the prefix that name no key are returned, for a warning.
pub(super) fn apply(
    table: &mut Table,
    schema: &Table,
    variables: &[(String, String)],
) -> Result<Vec<String>, ConfigError> {
    let mut unknown = Vec::new();
    for (name, text) in variables {
        let Some(rest) = name.strip_prefix(ENV_PREFIX) else {
            continue;
        };
        let Some((section, key, default)) = find(schema, rest) else {
            unknown.push(name.clone());
            continue;
        };
        let value = parse(text, default).ok_or_else(|| ConfigError::Variable {
            name: name.clone(),
            expected: expected(default),
        })?;
        let entry = table
            .entry(section.to_owned())
            .or_insert_with(|| Value::Table(Table::new()));
        if let Value::Table(keys) = entry {
            keys.insert(key.to_owned(), value);
        }
    }
    Ok(unknown)
}

fn find<'s>(schema: &'s Table, name: &str) -> Option<(&'s str, &'s str, &'s Value)> {
    schema.iter().find_map(|(section, keys)| {
        let key = name
            .strip_prefix(&section.to_uppercase())?
            .strip_prefix('_')?;
        let (key, default) = keys
            .as_table()?
            .iter()
            .find(|(candidate, _)| candidate.to_uppercase() == key)?;
        Some((section.as_str(), key.as_str(), default))
    })
}

fn parse(text: &str, like: &Value) -> Option<Value> {
    let text = text.trim();
    match like {
        Value::Boolean(_) => text.parse().ok().map(Value::Boolean),
        Value::Integer(_) => text.parse().ok().map(Value::Integer),
        Value::Array(_) => Some(Value::Array(
            text.split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .map(|part| Value::String(part.to_owned()))
                .collect(),
        )),
        _ => Some(Value::String(text.to_owned())),
    }
}

fn expected(like: &Value) -> &'static str {
    match like {
        Value::Boolean(_) => "true or false",
        Value::Integer(_) => "a whole number",
        Value::Array(_) => "a list separated by commas",
        _ => "a text",
    }
}
