//! What a statement may be made of so that SQLite and PostgreSQL do the same.

use std::collections::BTreeMap;

use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer, Whitespace};

/// Functions both have, with the same meaning for what they are given here.
const FUNCTIONS: [&str; 7] = ["count", "coalesce", "max", "min", "sum", "lower", "upper"];
/// Columns without capitals: SQLite's LIKE takes `A` for `a`, PostgreSQL's does not.
const SMALL: [&str; 3] = ["folded", "search", "login"];
/// Words of SQLite that PostgreSQL reads otherwise or not at all.
const FOREIGN: [&str; 12] = [
    "ROWID",
    "OID",
    "GLOB",
    "REGEXP",
    "MATCH",
    "COLLATE",
    "AUTOINCREMENT",
    "REPLACE",
    "IGNORE",
    "INDEXED",
    "PRAGMA",
    "ISNULL",
];

/// Whether it is one whole statement of PostgreSQL's.
pub fn parses(text: &str) -> bool {
    parse(text).is_ok()
}

fn parse(text: &str) -> Result<(), String> {
    match Parser::parse_sql(&PostgreSqlDialect {}, text) {
        Ok(statements) if statements.len() == 1 => Ok(()),
        Ok(statements) => Err(format!("{} statements", statements.len())),
        Err(error) => Err(error.to_string()),
    }
}

/// A column of a table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Column {
    /// It may hold nothing.
    pub nullable: bool,
    /// It is declared as a truth, which in PostgreSQL is no number.
    pub truth: bool,
}

/// The columns of a table.
pub type Columns = BTreeMap<String, Column>;

/// The tables.
pub type Schema = BTreeMap<String, Columns>;

/// Tells why a statement is none for both.
pub fn check(text: &str, schema: &Schema) -> Result<(), String> {
    parse(text)?;
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, text)
        .tokenize()
        .map_err(|error| error.to_string())?;
    let closely: Vec<&Token> = tokens.iter().collect();
    for pair in closely.windows(2) {
        // `count(`, not `IN (`: what stands right before the bracket is called.
        if let [Token::Word(word), Token::LParen] = pair
            && !FUNCTIONS.contains(&word.value.to_lowercase().as_str())
        {
            return Err(format!("the function {}", word.value));
        }
    }
    let tokens: Vec<Token> = tokens
        .into_iter()
        .filter(|token| {
            !matches!(
                token,
                Token::Whitespace(Whitespace::Space | Whitespace::Newline)
            )
        })
        .collect();
    let tables = tables(&tokens, schema);
    for (at, token) in tokens.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| tokens.get(at));
        let after = |far: usize| tokens.get(at + far);
        match token {
            Token::Word(word) if word.quote_style.is_some() => {
                return Err(format!("the quoted {word}, which may be a text in SQLite"));
            }
            Token::Word(word) => {
                let name = word.value.to_uppercase();
                if FOREIGN.contains(&name.as_str()) {
                    return Err(format!("the word {name}"));
                }
                if name == "OR" && is(before, &["INSERT", "UPDATE"]) {
                    return Err(format!("{name} behind INSERT or UPDATE"));
                }
                if name == "IS"
                    && !is(after(1), &["NULL", "DISTINCT"])
                    && !(is(after(1), &["NOT"]) && is(after(2), &["NULL", "DISTINCT"]))
                {
                    return Err("IS between values".to_owned());
                }
                // PostgreSQL negates no number.
                if name == "NOT"
                    && matches!(after(1), Some(Token::Word(_)))
                    && !is(
                        after(1),
                        &[
                            "NULL", "IN", "EXISTS", "LIKE", "DISTINCT", "BETWEEN", "NOTHING",
                        ],
                    )
                    && !is_truth(&tokens[at + 1..], &tables)
                {
                    return Err("NOT before what is no truth".to_owned());
                }
                if name == "LIKE" && !tells_no_capitals(&tokens[..at]) {
                    return Err("LIKE of what may have capitals".to_owned());
                }
                if matches!(name.as_str(), "MAX" | "MIN")
                    && after(1) == Some(&Token::LParen)
                    && arguments(&tokens[at + 2..]) != 1
                {
                    return Err(format!("{name} of several values"));
                }
                if name == "SUM" && !is(after(2), &["CASE"]) && compares(&tokens[at + 2..]) {
                    return Err("the sum of truths".to_owned());
                }
                if name == "ORDER" && is(after(1), &["BY"]) {
                    no_order_by_nothing(&tokens[at + 2..], &tables)?;
                }
            }
            Token::Eq | Token::Neq
                if matches!(after(1), Some(Token::Number(..)))
                    && is_truth(with_its_table(&tokens[..at]), &tables) =>
            {
                return Err("a truth compared with a number".to_owned());
            }
            Token::DoubleEq => return Err("==".to_owned()),
            Token::Placeholder(name) if !name.starts_with('$') => {
                return Err(format!("the placeholder {name}"));
            }
            Token::Question => return Err("the placeholder ?".to_owned()),
            Token::DoubleQuotedString(text) => return Err(format!("the text \"{text}\"")),
            _ => {}
        }
    }
    Ok(())
}

fn is(token: Option<&Token>, words: &[&str]) -> bool {
    matches!(token, Some(Token::Word(word)) if words.contains(&word.value.to_uppercase().as_str()))
}

/// Whether what LIKE looks at, before it, has no capitals.
fn tells_no_capitals(before: &[Token]) -> bool {
    match before {
        [.., Token::Word(word)] => SMALL.contains(&word.value.as_str()),
        [
            ..,
            Token::Word(lower),
            Token::LParen,
            Token::Word(_),
            Token::Period,
            Token::Word(_),
            Token::RParen,
        ] => lower.value == "lower",
        _ => false,
    }
}

/// The column before a sign, with the table it is said to be of.
fn with_its_table(before: &[Token]) -> &[Token] {
    match before {
        [.., Token::Word(_), Token::Period, Token::Word(_)] => &before[before.len() - 3..],
        [.., Token::Word(_)] => &before[before.len() - 1..],
        _ => &[],
    }
}

/// Whether the argument, from behind the bracket on, is a comparison.
fn compares(tokens: &[Token]) -> bool {
    let until = tokens.iter().position(|token| *token == Token::RParen);
    tokens[..until.unwrap_or(tokens.len())].contains(&Token::Eq)
}

/// Number of arguments, from behind the bracket on.
fn arguments(tokens: &[Token]) -> usize {
    let mut depth = 0;
    let mut count = 1;
    for token in tokens {
        match token {
            Token::LParen => depth += 1,
            Token::RParen if depth == 0 => break,
            Token::RParen => depth -= 1,
            Token::Comma if depth == 0 => count += 1,
            _ => {}
        }
    }
    count
}

/// The tables of a statement, with the names they have in it.
fn tables<'a>(tokens: &'a [Token], schema: &'a Schema) -> Vec<(&'a str, &'a Columns)> {
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let Some(Token::Word(table)) = tokens.get(at + 1) else {
            continue;
        };
        let Some(columns) = schema.get(&table.value) else {
            continue;
        };
        if is(Some(token), &["FROM", "JOIN", "UPDATE", "INTO"]) {
            let as_ = usize::from(is(tokens.get(at + 2), &["AS"]));
            let name = match tokens.get(at + 2 + as_) {
                Some(Token::Word(alias)) if alias.keyword == Keyword::NoKeyword => &alias.value,
                _ => &table.value,
            };
            found.push((name.as_str(), columns));
        }
    }
    found
}

/// What a column of a statement may be: of the table it is said to be of, or of any.
fn columns<'a>(
    tables: &'a [(&'a str, &'a Columns)],
    of: Option<&'a str>,
    column: &'a str,
) -> impl Iterator<Item = Column> + 'a {
    let known = tables.iter().any(|(name, _)| Some(*name) == of);
    tables
        .iter()
        .filter(move |(name, _)| !known || Some(*name) == of)
        .filter_map(move |(_, columns)| columns.get(column).copied())
}

/// Whether what is named from here on is declared as a truth.
fn is_truth(tokens: &[Token], tables: &[(&str, &Columns)]) -> bool {
    match tokens {
        [Token::Word(of), Token::Period, Token::Word(column), ..] => {
            columns(tables, Some(&of.value), &column.value).any(|column| column.truth)
        }
        [Token::Word(column), ..] => {
            columns(tables, None, &column.value).any(|column| column.truth)
        }
        _ => false,
    }
}

/// Nothing comes first in SQLite and last in PostgreSQL.
fn no_order_by_nothing(tokens: &[Token], tables: &[(&str, &Columns)]) -> Result<(), String> {
    let mut depth = 0;
    let mut item: Vec<&Token> = Vec::new();
    let may_be =
        |of: Option<&str>, column: &str| columns(tables, of, column).any(|column| column.nullable);
    let fits = |item: &[&Token]| match item {
        [Token::Word(of), Token::Period, Token::Word(column), ..] => {
            !may_be(Some(&of.value), &column.value)
        }
        [Token::Word(column)] => !may_be(None, &column.value),
        [Token::Word(column), way] if is(Some(way), &["ASC", "DESC"]) => {
            !may_be(None, &column.value)
        }
        _ => true,
    };
    let end = Token::RParen;
    for token in tokens.iter().chain([&end]) {
        let over = depth == 0 && (*token == Token::RParen || is(Some(token), &["LIMIT"]));
        if over || depth == 0 && *token == Token::Comma {
            if !fits(&item) {
                return Err(format!("the order by {item:?}, which may be nothing"));
            }
            item.clear();
        } else {
            item.push(token);
        }
        match token {
            _ if over => break,
            Token::LParen => depth += 1,
            Token::RParen => depth -= 1,
            _ => {}
        }
    }
    Ok(())
}

#[test]
fn what_only_sqlite_understands_so_is_refused() {
    let column = |name: &str, nullable, truth| (name.to_owned(), Column { nullable, truth });
    let schema = Schema::from([
        (
            "a".to_owned(),
            Columns::from([
                column("b", false, false),
                column("ended_ms", true, false),
                column("site", false, true),
                column("own", false, false),
            ]),
        ),
        (
            "d".to_owned(),
            Columns::from([column("ended_ms", false, false)]),
        ),
    ]);
    let wrong = |text: &str| check(text, &schema).is_err();
    for text in [
        "INSERT OR IGNORE INTO a (b) VALUES ($1)",
        "INSERT OR REPLACE INTO a (b) VALUES ($1)",
        "REPLACE INTO a (b) VALUES ($1)",
        "SELECT rowid FROM a",
        "SELECT datetime('now') FROM a",
        "SELECT strftime('%s', b) FROM a",
        "SELECT json_extract(b, '$.c') FROM a",
        "SELECT ifnull(b, 0) FROM a",
        "SELECT b FROM a WHERE b GLOB 'x*'",
        "SELECT b FROM a WHERE b IS $1",
        "SELECT b FROM a WHERE b IS NOT $1",
        "SELECT b FROM a WHERE b = $1 COLLATE NOCASE",
        "SELECT b FROM a WHERE title LIKE $1",
        "SELECT b FROM a WHERE c.title LIKE lower($1)",
        "SELECT b FROM a WHERE NOT own",
        "SELECT b FROM a WHERE NOT a.own AND b = 1",
        "SELECT b FROM a WHERE site = 1",
        "SELECT b FROM a x WHERE x.site <> 0",
        "SELECT sum(b = 'x') FROM a",
        "SELECT \"b\" FROM a",
        "SELECT b FROM a WHERE b = ?",
        "SELECT b FROM a WHERE b = ?1",
        "SELECT b FROM a WHERE b == $1",
        "SELECT max(b, 0) FROM a",
        "SELECT `b` FROM a",
        "SELECT b FROM a LIMIT 1, 2",
        "SELECT b FROM a ORDER BY c, ended_ms LIMIT 1",
        "SELECT b FROM a ORDER BY a.ended_ms DESC",
        "SELECT b FROM (SELECT b FROM a ORDER BY ended_ms) x",
        "SELECT x.b FROM a AS x JOIN d y ON x.b = y.b ORDER BY y.ended_ms, x.ended_ms DESC",
        "SELECT MAX(b, 0) FROM a",
        "SELECT b FROM a; SELECT b FROM a",
        "PRAGMA journal_mode",
        "BEGIN IMMEDIATE",
        "VACUUM INTO $1",
    ] {
        assert!(wrong(text), "{text}");
    }
    for text in [
        "SELECT count(*) FROM a WHERE b IS NOT NULL AND c IS NULL AND NOT EXISTS (SELECT 1 FROM d)",
        "SELECT b FROM a WHERE folded LIKE $1 ESCAPE '!' OR lower(c.title) LIKE lower($1)",
        "SELECT max(coalesce(b, 0)) FROM a ORDER BY coalesce(ended_ms, 0), c",
        "SELECT x.b FROM a x JOIN d ON x.b = d.b ORDER BY d.ended_ms",
        "SELECT b FROM a ORDER BY b DESC LIMIT (SELECT ended_ms FROM c)",
        "INSERT INTO a (b) VALUES ($1) ON CONFLICT (b) DO UPDATE SET b = excluded.b RETURNING b",
        "SELECT b FROM a WHERE b = 'NOT own ?' AND own = 1 AND NOT site",
        "SELECT sum(CASE WHEN b = 'x' THEN 1 ELSE 0 END) FROM a x WHERE NOT x.site",
    ] {
        assert_eq!(check(text, &schema), Ok(()), "{text}");
    }
}
