//! Every statement of the store's is one PostgreSQL has as well and means the same
//! by. Statements that stand whole in the sources are read from there; what is put
//! together from pieces is recorded while the store runs it, and a piece of SQL in
//! the sources that is found in neither fails the test. The migrations are SQLite's
//! own and no part of this.
//!
//! `LOPHOC_PSQL="psql -h … -U … -d …"` has them prepared by a PostgreSQL as well, on
//! temporary tables with the columns and keys of the migrations.
// Helpers outside of a test function fail the test all the same.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod flows;
mod postgres;
mod recorder;
mod rules;
mod sources;
#[allow(dead_code, reason = "the plays of class records use all of it")]
#[path = "../plan/world.rs"]
mod world;

use std::collections::BTreeSet;
use std::path::Path;

use lophoc_records::Store;
use sqlx::{Connection as _, SqliteConnection};

use crate::world::World;

/// What only SQLite has: how a change takes the place of the one writer, and the
/// copy and check of the file that is its database.
const OF_SQLITE: [&str; 3] = [
    "BEGIN IMMEDIATE",
    "VACUUM INTO $1",
    "PRAGMA integrity_check(1)",
];

/// How sqlx opens a database of SQLite.
const OPENING: &str = "PRAGMA page_size = ";

#[tokio::test]
async fn every_statement_is_one_that_postgresql_has_and_means_the_same_by() {
    let texts = sources::texts();
    assert!(texts.len() > 300, "{} pieces of SQL", texts.len());
    let whole: BTreeSet<String> = texts
        .iter()
        .filter(|text| !text.text.contains('{') && rules::parses(&text.text))
        .map(|text| text.text.clone())
        .collect();
    assert!(whole.len() > 200, "{} whole statements", whole.len());

    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let mut database = made(&folder.path().join("lophoc.db")).await;
    let schema = schema(&mut database).await;
    assert!(schema["session"]["starts_ms"].nullable && !schema["session"]["id"].nullable);
    assert!(schema["roster"]["site"].truth && !schema["account"]["admin"].truth);
    recorder::begin();
    flows::run(&world).await;
    let ran = recorder::end();
    let own = |text: &str| OF_SQLITE.contains(&text) || text.starts_with(OPENING);

    let mut wrong = Vec::new();
    for text in whole.iter().chain(&ran) {
        if let Err(why) = rules::check(text, &schema)
            && !own(text)
        {
            wrong.push(format!("{why}: {text}"));
        }
    }
    // What is neither a whole statement nor part of one that ran was not looked at.
    for text in &texts {
        let known = |piece: &str| {
            OF_SQLITE.contains(&piece) || whole.iter().chain(&ran).any(|one| one.contains(piece))
        };
        for piece in sources::pieces(&text.text) {
            if !known(&piece) {
                let at = &text.at;
                wrong.push(format!("{at}: no play of this test runs: {piece}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    // Where a PostgreSQL is at hand it is asked itself.
    if let Ok(psql) = std::env::var("LOPHOC_PSQL") {
        // What is a part of one that ran is no statement by itself.
        let part = |text: &str| ran.iter().any(|one| one != text && one.contains(text));
        let all: BTreeSet<&String> = whole.iter().chain(&ran).collect();
        let all = all.into_iter().filter(|text| !part(text) && !own(text));
        postgres::prepare(&psql, &mut database, all).await;
    }
}

/// A database as the migrations make it.
async fn made(path: &Path) -> SqliteConnection {
    Store::open(path).await.unwrap().close().await;
    let url = format!("sqlite:{}", path.display());
    SqliteConnection::connect(&url).await.unwrap()
}

async fn schema(database: &mut SqliteConnection) -> rules::Schema {
    let columns: Vec<(String, String, bool, bool)> = sqlx::query_as(
        "SELECT m.name, c.name, c.\"notnull\" = 0 AND c.pk = 0, c.type = 'BOOLEAN' \
         FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'",
    )
    .fetch_all(database)
    .await
    .unwrap();
    let mut schema = rules::Schema::new();
    for (table, column, nullable, truth) in columns {
        let of = schema.entry(table).or_default();
        of.insert(column, rules::Column { nullable, truth });
    }
    schema
}
