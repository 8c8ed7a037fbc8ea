//! Checks of sites (điểm cầu) before a session.

use std::collections::BTreeMap;

use lophoc_classes::{CheckReport, Preflight};
use lophoc_ledger::{PersonKey, SessionKey};
use sqlx::Row as _;

use crate::error::StoreError;
use crate::store::{Store, from_db, to_db};

/// Checks kept of a site in a session. Overflow: the oldest goes.
pub const PREFLIGHTS_KEPT: u32 = 20;

/// What a site sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPreflight {
    /// Session.
    pub session: SessionKey,
    /// Site.
    pub site: PersonKey,
    /// What was found.
    pub report: CheckReport,
    /// Who can be asked.
    pub contact: String,
    /// Note.
    pub note: String,
}

impl Store {
    /// Keeps a check; it is durable when this returns.
    ///
    /// # Errors
    /// The database's.
    pub async fn add_preflight(&self, new: &NewPreflight, now_ms: u64) -> Result<(), StoreError> {
        let report = serde_json::to_string(&new.report)
            .map_err(|error| StoreError::Damaged(format!("a check cannot be written: {error}")))?;
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query(
            "INSERT INTO preflight (session, site, at_ms, report, contact, note) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(new.session.as_str())
        .bind(new.site.as_str())
        .bind(to_db(now_ms)?)
        .bind(report)
        .bind(&new.contact)
        .bind(&new.note)
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "DELETE FROM preflight WHERE session = $1 AND site = $2 AND id NOT IN \
             (SELECT id FROM preflight WHERE session = $1 AND site = $2 ORDER BY id DESC LIMIT $3)",
        )
        .bind(new.session.as_str())
        .bind(new.site.as_str())
        .bind(i64::from(PREFLIGHTS_KEPT))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The newest check of each site of a session.
    ///
    /// # Errors
    /// The database's.
    pub async fn preflights(
        &self,
        session: &SessionKey,
    ) -> Result<BTreeMap<PersonKey, Preflight>, StoreError> {
        let rows = sqlx::query(
            "SELECT site, at_ms, report, contact, note FROM preflight WHERE id IN \
             (SELECT max(id) FROM preflight WHERE session = $1 GROUP BY site)",
        )
        .bind(session.as_str())
        .fetch_all(&self.pool)
        .await?;
        let mut found = BTreeMap::new();
        for row in &rows {
            let report: String = row.try_get("report")?;
            let report: CheckReport = serde_json::from_str(&report)
                .map_err(|error| StoreError::Damaged(format!("a check of a site: {error}")))?;
            let preflight = Preflight {
                at_ms: from_db(row.try_get("at_ms")?)?,
                verdict: report.verdict(),
                faults: report.faults(),
                report,
                contact: row.try_get("contact")?,
                note: row.try_get("note")?,
            };
            found.insert(PersonKey(row.try_get("site")?), preflight);
        }
        Ok(found)
    }

    /// How many checks are kept of a site in a session.
    ///
    /// # Errors
    /// The database's.
    pub async fn preflight_count(
        &self,
        session: &SessionKey,
        site: &PersonKey,
    ) -> Result<u64, StoreError> {
        let count: i64 =
            sqlx::query_scalar("SELECT count(*) FROM preflight WHERE session = $1 AND site = $2")
                .bind(session.as_str())
                .bind(site.as_str())
                .fetch_one(&self.pool)
                .await?;
        from_db(count)
    }
}
