//! What was exported, and who looked at attendance.

use lophoc_classes::{AccessLine, ClassId, ExportRecord, UnitId};
use lophoc_ledger::{PersonKey, SessionKey};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::error::StoreError;
use crate::store::{Store, from_db, to_db};

/// Most records of a list.
const LIST: i64 = 500;

/// An export with what proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredExport {
    /// What the lists show.
    pub record: ExportRecord,
    /// Who made it.
    pub by: PersonKey,
    /// Choices it was made with, JSON; with them the same export can be made anew.
    pub query: String,
    /// Whose rows it holds, JSON: what the maker may see.
    pub extent: String,
}

/// Somebody who did something with attendance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access<'a> {
    /// When, ms.
    pub at_ms: u64,
    /// Who.
    pub by: &'a PersonKey,
    /// His name.
    pub by_name: &'a str,
    /// `view`, `desk`, `export`, `bundle`, `adjust`, `freeze`, `api`, …
    pub what: &'a str,
    /// `all`, `unit`, `learners`, `own`.
    pub extent: &'a str,
    /// Class.
    pub class: &'a ClassId,
    /// Session.
    pub session: Option<&'a SessionKey>,
}

const COLUMNS: &str = "id, kind, format, class, unit, session, version, query, extent, data_sha256, \
                       file_sha256, file_len, made_by, by_name, made_ms";

impl Store {
    /// Writes down an export before it is sent. `data` is the form of its data
    /// that was hashed; it is kept once for all exports of the same data.
    pub async fn add_export(&self, export: &StoredExport, data: &str) -> Result<(), StoreError> {
        let record = &export.record;
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query(
            "INSERT INTO export_data (sha256, body) VALUES ($1, $2) ON CONFLICT (sha256) DO NOTHING",
        )
        .bind(&record.data_sha256)
        .bind(data)
        .execute(&mut *transaction)
        .await?;
        let text = format!(
            "INSERT INTO export ({COLUMNS}) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
        );
        sqlx::query(&text)
            .bind(&record.id)
            .bind(word(&record.kind)?)
            .bind(word(&record.format)?)
            .bind(&record.class)
            .bind(&record.unit)
            .bind(&record.session)
            .bind(i64::from(record.version))
            .bind(&export.query)
            .bind(&export.extent)
            .bind(&record.data_sha256)
            .bind(&record.file_sha256)
            .bind(to_db(record.file_len)?)
            .bind(export.by.as_str())
            .bind(&record.by)
            .bind(to_db(record.made_ms)?)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// An export.
    pub async fn export(&self, id: &str) -> Result<Option<StoredExport>, StoreError> {
        self.one_export("id = $1", id).await
    }

    /// The export that gave exactly this file; the latest, when several did.
    pub async fn export_of_file(&self, sha256: &str) -> Result<Option<StoredExport>, StoreError> {
        self.one_export("file_sha256 = $1", sha256).await
    }

    /// The latest export of exactly these data.
    pub async fn export_of_data(&self, sha256: &str) -> Result<Option<StoredExport>, StoreError> {
        self.one_export("data_sha256 = $1", sha256).await
    }

    /// The data of an export, in the form that was hashed.
    pub async fn export_data(&self, sha256: &str) -> Result<Option<String>, StoreError> {
        let text = sqlx::query_scalar("SELECT body FROM export_data WHERE sha256 = $1")
            .bind(sha256)
            .fetch_optional(&self.pool)
            .await?;
        Ok(text)
    }

    /// Exports of a session, latest first, 500 at most.
    pub async fn exports_of_session(
        &self,
        session: &SessionKey,
    ) -> Result<Vec<StoredExport>, StoreError> {
        self.exports_where("session = $1", session.as_str(), LIST)
            .await
    }

    /// Exports of a class as a whole, latest first, 500 at most.
    pub async fn exports_of_class(&self, class: &ClassId) -> Result<Vec<StoredExport>, StoreError> {
        self.exports_where("class = $1 AND session IS NULL", class.as_str(), LIST)
            .await
    }

    /// Reports on the classes of a unit, latest first, 500 at most.
    pub async fn exports_of_unit(&self, unit: &UnitId) -> Result<Vec<StoredExport>, StoreError> {
        self.exports_where("unit = $1", unit.as_str(), LIST).await
    }

    /// Whether a frozen version was exported.
    pub async fn was_exported(
        &self,
        session: &SessionKey,
        version: u32,
    ) -> Result<bool, StoreError> {
        let found: i64 =
            sqlx::query_scalar("SELECT count(*) FROM export WHERE session = $1 AND version = $2")
                .bind(session.as_str())
                .bind(i64::from(version))
                .fetch_one(&self.pool)
                .await?;
        Ok(found > 0)
    }

    async fn one_export(
        &self,
        condition: &'static str,
        value: &str,
    ) -> Result<Option<StoredExport>, StoreError> {
        Ok(self
            .exports_where(condition, value, 1)
            .await?
            .into_iter()
            .next())
    }

    /// `condition` is one of this module's own, never input.
    async fn exports_where(
        &self,
        condition: &'static str,
        value: &str,
        most: i64,
    ) -> Result<Vec<StoredExport>, StoreError> {
        let text = format!(
            "SELECT {COLUMNS} FROM export WHERE {condition} ORDER BY made_ms DESC, id LIMIT $2"
        );
        let rows = sqlx::query(&text)
            .bind(value)
            .bind(most)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(export_of_row).collect()
    }

    /// Writes down who did what with attendance.
    pub async fn log_access(&self, access: Access<'_>) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO access_log (at_ms, made_by, by_name, what, extent, class, session) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(to_db(access.at_ms)?)
        .bind(access.by.as_str())
        .bind(access.by_name)
        .bind(access.what)
        .bind(access.extent)
        .bind(access.class.as_str())
        .bind(access.session.map(SessionKey::as_str))
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Writes down that the numbers of classes went into a report, in the log of
    /// each of them: all lines or none.
    pub async fn log_report(
        &self,
        at_ms: u64,
        by: &PersonKey,
        by_name: &str,
        classes: &[ClassId],
    ) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        for class in classes {
            sqlx::query(
                "INSERT INTO access_log (at_ms, made_by, by_name, what, extent, class) \
                 VALUES ($1, $2, $3, 'report', 'all', $4)",
            )
            .bind(to_db(at_ms)?)
            .bind(by.as_str())
            .bind(by_name)
            .bind(class.as_str())
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Who looked at attendance of a class, latest first, 500 at most, lines
    /// `from` on.
    pub async fn access_lines(
        &self,
        class: &ClassId,
        from: u64,
    ) -> Result<Vec<AccessLine>, StoreError> {
        let rows = sqlx::query(
            "SELECT at_ms, by_name, what, extent, class, session FROM access_log \
             WHERE class = $1 ORDER BY id DESC LIMIT $2 OFFSET $3",
        )
        .bind(class.as_str())
        .bind(LIST)
        .bind(to_db(from)?)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                let session: Option<String> = row.try_get("session")?;
                Ok(AccessLine {
                    at_ms: from_db(row.try_get("at_ms")?)?,
                    by: row.try_get("by_name")?,
                    what: row.try_get("what")?,
                    extent: row.try_get("extent")?,
                    class: ClassId(row.try_get("class")?),
                    session: session.map(SessionKey),
                })
            })
            .collect()
    }
}

fn export_of_row(row: &SqliteRow) -> Result<StoredExport, StoreError> {
    let version: i64 = row.try_get("version")?;
    Ok(StoredExport {
        record: ExportRecord {
            id: row.try_get("id")?,
            kind: of_word(row.try_get("kind")?)?,
            format: of_word(row.try_get("format")?)?,
            class: row.try_get("class")?,
            unit: row.try_get("unit")?,
            session: row.try_get("session")?,
            version: u32::try_from(version)
                .map_err(|_| StoreError::Damaged(format!("version {version}")))?,
            data_sha256: row.try_get("data_sha256")?,
            file_sha256: row.try_get("file_sha256")?,
            file_len: from_db(row.try_get("file_len")?)?,
            by: row.try_get("by_name")?,
            made_ms: from_db(row.try_get("made_ms")?)?,
        },
        by: PersonKey(row.try_get("made_by")?),
        query: row.try_get("query")?,
        extent: row.try_get("extent")?,
    })
}

/// The name a value without fields has in JSON.
fn word(value: &impl Serialize) -> Result<String, StoreError> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        _ => Err(StoreError::Damaged("a name that is no word".to_owned())),
    }
}

fn of_word<T: DeserializeOwned>(word: String) -> Result<T, StoreError> {
    serde_json::from_value(serde_json::Value::String(word.clone()))
        .map_err(|_| StoreError::Damaged(format!("unknown word {word}")))
}
