//! A consistent copy of a database that is in use, and whether one is whole.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use crate::error::StoreError;

/// How long a copy waits for a writer.
const WAIT: Duration = Duration::from_secs(30);

/// Copies the database as it is at one moment, also while a server writes to it.
///
/// # Errors
/// The database's; `Io` when the target is there already.
pub async fn copy_database(from: &Path, to: &Path) -> Result<(), StoreError> {
    let target = to
        .to_str()
        .ok_or_else(|| StoreError::Io("the target is no text".to_owned()))?;
    if to.exists() {
        return Err(StoreError::Io(format!("{target} is there already")));
    }
    let mut connection = SqliteConnectOptions::new()
        .filename(from)
        .create_if_missing(false)
        .busy_timeout(WAIT)
        .connect()
        .await?;
    sqlx::query("VACUUM INTO $1")
        .bind(target)
        .execute(&mut connection)
        .await?;
    connection.close().await?;
    Ok(())
}

/// Whether a database is whole.
///
/// # Errors
/// [`StoreError::Damaged`], the database's.
pub async fn check_database(path: &Path) -> Result<(), StoreError> {
    let mut connection = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .busy_timeout(WAIT)
        .connect()
        .await?;
    let told: String = sqlx::query_scalar("PRAGMA integrity_check(1)")
        .fetch_one(&mut connection)
        .await?;
    connection.close().await?;
    match told.as_str() {
        "ok" => Ok(()),
        _ => Err(StoreError::Damaged(told)),
    }
}
