//! A PostgreSQL prepares the statements.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use sqlx::SqliteConnection;

/// Fails with what it says of those it does not take.
pub async fn prepare<'a>(
    psql: &str,
    database: &mut SqliteConnection,
    statements: impl Iterator<Item = &'a String>,
) {
    let mut lines = tables(database).await;
    for (text, no) in statements.zip(1..) {
        if text != "COMMIT" {
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            lines.push(format!("PREPARE s{no} AS {text};"));
        }
    }
    println!("{} lines for {psql}", lines.len());
    let mut words = psql.split_whitespace();
    let mut child = Command::new(words.next().unwrap())
        .args(words)
        .args(["-q", "-X"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let script = lines.join("\n");
    let writing = std::thread::spawn(move || input.write_all(script.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writing.join().unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}");
}

/// Tables with the columns, and the keys that ON CONFLICT names.
async fn tables(database: &mut SqliteConnection) -> Vec<String> {
    let columns: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT m.name, c.name, c.type FROM sqlite_master m JOIN pragma_table_info(m.name) c \
         WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' ORDER BY m.name, c.cid",
    )
    .fetch_all(&mut *database)
    .await
    .unwrap();
    let mut of: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (table, column, kind) in columns {
        let kind = match kind.as_str() {
            "INTEGER" => "BIGINT",
            "BLOB" => "BYTEA",
            kind => kind,
        };
        let column = format!("{column} {kind}");
        of.entry(table).or_default().push(column);
    }
    // Keys of tables, and the numbers of rows, which are keys without an index.
    let keys: Vec<(String, String)> = sqlx::query_as(
        "SELECT m.name, (SELECT group_concat(c.name, ', ') FROM pragma_index_info(i.name) c) \
         FROM sqlite_master m JOIN pragma_index_list(m.name) i \
         WHERE m.type = 'table' AND i.\"unique\" = 1 AND i.partial = 0 \
         UNION SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c \
         WHERE m.type = 'table' AND c.pk = 1 AND c.type = 'INTEGER'",
    )
    .fetch_all(&mut *database)
    .await
    .unwrap();
    let partial: Vec<String> = sqlx::query_scalar(
        "SELECT x.sql FROM sqlite_master m JOIN pragma_index_list(m.name) i \
         JOIN sqlite_master x ON x.name = i.name WHERE i.partial = 1 AND i.\"unique\" = 1",
    )
    .fetch_all(&mut *database)
    .await
    .unwrap();
    let mut lines: Vec<String> = of
        .iter()
        .map(|(table, columns)| format!("CREATE TEMP TABLE {table} ({});", columns.join(", ")))
        .collect();
    for (table, columns) in keys.iter().filter(|(table, _)| of.contains_key(table)) {
        lines.push(format!("CREATE UNIQUE INDEX ON {table} ({columns});"));
    }
    for text in partial {
        lines.push(format!("{};", text.replace('\n', " ")));
    }
    lines
}
