//! Opening the database, the signing secret, the count of runs.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::time::{Duration, Instant};

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Connection as _};

use crate::error::StoreError;
use crate::ledger::LedgerWriter;

/// Connections for everything but the ledger; more requests wait their turn,
/// for [`WAIT`] at most, then fail as busy.
const CONNECTIONS: u32 = 4;
/// How long a statement waits for another writer, and a request for a
/// connection.
const WAIT: Duration = Duration::from_secs(5);
/// How long closing waits for connections that are still in use after the pool
/// took itself for closed, and how often it looks.
const CLOSE_WITHIN: Duration = Duration::from_secs(10);
const CLOSE_AGAIN: Duration = Duration::from_millis(2);
const PAGE_BYTES: u64 = 4_096;

/// How to open a store.
#[derive(Debug, Clone, Copy, Default)]
pub struct StoreOptions {
    /// Largest size of the database file, bytes; beyond it writes fail as
    /// [`StoreError::Full`] and reads go on. Absent: as the disk allows.
    pub max_bytes: Option<u64>,
}

/// The records of one installation. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) pool: SqlitePool,
    ledger: LedgerWriter,
}

impl Store {
    /// Opens or creates the database at `path`, its folder too, brings the
    /// schema up to date and starts the ledger's writer task. Needs a tokio
    /// runtime.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_with(path, StoreOptions::default()).await
    }

    /// As [`open`](Self::open), with options.
    pub async fn open_with(path: &Path, options: StoreOptions) -> Result<Self, StoreError> {
        prepare_file(path).map_err(|error| StoreError::Io(error.to_string()))?;
        let mut connect = SqliteConnectOptions::from_str("sqlite:")?
            .filename(path)
            .create_if_missing(true)
            .page_size(u32::try_from(PAGE_BYTES).unwrap_or(4_096))
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(WAIT);
        if let Some(max_bytes) = options.max_bytes {
            connect = connect.pragma(
                "max_page_count",
                (max_bytes / PAGE_BYTES).max(1).to_string(),
            );
        }
        let pool = SqlitePoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(WAIT)
            .connect_with(connect.clone())
            .await?;
        sqlx::migrate!("migrations/sqlite").run(&pool).await?;
        let ledger = LedgerWriter::start(connect);
        Ok(Self { pool, ledger })
    }

    /// The way into the ledger.
    pub fn ledger(&self) -> LedgerWriter {
        self.ledger.clone()
    }

    /// Writes what was appended so far, then stops the ledger and closes the
    /// database, which is one file then unless another process has it open.
    /// Later appends fail as stopped.
    pub async fn close(&self) {
        self.ledger.close().await;
        self.close_pool().await;
        // The last connection takes the log over into the database. Of several
        // that close at the same moment each sees another one and leaves it: a
        // connection that comes back now is closed beside those that were idle.
        let connect = self.pool.connect_options();
        if log_of(connect.get_filename()).exists()
            && let Err(error) = take_log_over(&connect).await
        {
            tracing::warn!(%error, "the log stays beside the database, for the next start");
        }
    }

    /// Closes the pool until no connection is left. Once is not enough (sqlx
    /// 0.8): a connection that was on its way back meanwhile may be put to the
    /// idle ones after the last look at those, where nobody closes it as long as
    /// there is a handle of the pool.
    async fn close_pool(&self) {
        self.pool.close().await;
        let begun = Instant::now();
        while self.pool.size() > 0 {
            if begun.elapsed() > CLOSE_WITHIN {
                // Whoever still uses one must not hold up the end for good.
                let connections = self.pool.size();
                tracing::warn!(connections, "connections of the database stay in use");
                break;
            }
            tokio::time::sleep(CLOSE_AGAIN).await;
            self.pool.close().await;
        }
    }

    /// Begins a change that reads before it writes. It takes the place of the
    /// one writer at once: a transaction that only becomes a writer later fails
    /// when another one wrote in between, and the ledger always writes.
    pub(crate) async fn change(
        &self,
    ) -> Result<sqlx::Transaction<'static, sqlx::Sqlite>, StoreError> {
        Ok(self.pool.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// Whether the database answers; for readiness checks.
    pub async fn check(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    /// The key that signs join links and tokens: random, created once, the
    /// same for the life of the database.
    pub async fn secret(&self) -> Result<[u8; 32], StoreError> {
        let fresh = hex(&random::<32>()?);
        sqlx::query(
            "INSERT INTO setting (name, value) VALUES ('secret', $1) ON CONFLICT (name) DO NOTHING",
        )
        .bind(fresh)
        .execute(&self.pool)
        .await?;
        let text: String = sqlx::query_scalar("SELECT value FROM setting WHERE name = 'secret'")
            .fetch_one(&self.pool)
            .await?;
        unhex(&text).ok_or_else(|| StoreError::Damaged("the signing secret".to_owned()))
    }

    /// Begins a new run of the server and gives its number: 1, then one more
    /// at every start.
    pub async fn next_boot(&self) -> Result<u64, StoreError> {
        let boot: i64 = sqlx::query_scalar(
            "INSERT INTO counter (name, value) VALUES ('boot', 1) \
             ON CONFLICT (name) DO UPDATE SET value = counter.value + 1 RETURNING value",
        )
        .fetch_one(&self.pool)
        .await?;
        from_db(boot)
    }
}

fn log_of(path: &Path) -> PathBuf {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    PathBuf::from(log)
}

/// Opening reads the file, so that closing finds the log and, being alone, takes
/// it over. No checkpoint by hand: beside another process, which goes on using
/// the log, it would wait for that one's readers and hold up its writers.
async fn take_log_over(connect: &SqliteConnectOptions) -> Result<(), sqlx::Error> {
    connect.connect().await?.close().await
}

/// Creates folder and file, readable by the owner alone: the database holds the
/// signing secret and names.
fn prepare_file(path: &Path) -> std::io::Result<()> {
    let mut folder = std::fs::DirBuilder::new();
    folder.recursive(true);
    let mut file = std::fs::OpenOptions::new();
    file.append(true).create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
        folder.mode(0o700);
        file.mode(0o600);
    }
    if let Some(parent) = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        folder.create(parent)?;
    }
    file.open(path)?;
    Ok(())
}

pub(crate) fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| StoreError::NoRandomness)?;
    Ok(bytes)
}

/// A number for the database, whose integers have a sign.
pub(crate) fn to_db(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::Damaged(format!("number {number} too large")))
}

pub(crate) fn from_db(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| StoreError::Damaged(format!("negative number {number}")))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()))
        .collect();
    let bytes: Vec<u8> = digits?
        .chunks_exact(2)
        .map(|pair| pair.iter().fold(0u8, |byte, digit| byte << 4 | digit))
        .collect();
    bytes.try_into().ok()
}

/// Own fields, or names of some, as they are stored.
pub(crate) fn fields_to_db<T: serde::Serialize>(fields: &[T]) -> Result<String, StoreError> {
    serde_json::to_string(fields).map_err(|error| StoreError::Damaged(error.to_string()))
}

/// As [`fields_to_db`], back.
pub(crate) fn fields_from_db<T: serde::de::DeserializeOwned>(
    text: &str,
) -> Result<Vec<T>, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::Damaged("own fields".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_text_gives_the_same_bytes_and_bad_text_none() {
        let bytes: [u8; 32] = std::array::from_fn(|i| (i * 37 % 256) as u8);
        assert_eq!(unhex(&hex(&bytes)), Some(bytes));
        assert_eq!(unhex("ab"), None);
        assert_eq!(unhex(&"g".repeat(64)), None);
    }
}
