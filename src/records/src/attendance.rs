//! What people decide about attendance: corrections, excuses, substitutes,
//! frozen versions. Attendance itself is computed, never stored.

use lophoc_classes::{Delegate, Excuse, Frozen};
use lophoc_ledger::{
    Adjustment, Change, Event, Expected, HallMark, Input, LastSeen, PersonKey, Rules, SessionKey,
    Stamp,
};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::error::StoreError;
use crate::store::{Store, from_db, to_db};

/// Everything a session's attendance follows from, read at one time.
#[derive(Debug, Clone)]
pub struct AttendanceInput {
    /// The log.
    pub events: Vec<Event>,
    /// Last-seen marks.
    pub presence: Vec<LastSeen>,
    /// Ticks at sites.
    pub hall: Vec<HallMark>,
    /// The roster that stands, with excuses.
    pub expected: Vec<Expected>,
    /// Corrections.
    pub adjustments: Vec<Adjustment>,
    /// Rules of the class.
    pub rules: Rules,
}

impl AttendanceInput {
    /// As the ledger takes it. `now`: the clocks of the server while the
    /// session's room runs in it.
    pub fn input(&self, now: Option<Stamp>) -> Input<'_> {
        Input {
            events: &self.events,
            presence: &self.presence,
            now,
            hall: &self.hall,
            expected: &self.expected,
            adjustments: &self.adjustments,
            rules: &self.rules,
        }
    }
}

/// Who writes something, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// Who.
    pub by: PersonKey,
    /// Name, for the sheet.
    pub name: String,
    /// When, ms.
    pub at_ms: u64,
}

/// A correction to be written; its number is given by the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCorrection {
    /// Whose row.
    pub person: PersonKey,
    /// What stood there.
    pub was: String,
}

/// A version to be frozen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewVersion {
    /// The canonical JSON that was hashed.
    pub body: String,
    /// Hash of what stands in it, without what changes by itself; tells
    /// whether a correction came since.
    pub stands: String,
    /// SHA-256 of `body`, hex.
    pub sha256: String,
    /// Why.
    pub reason: String,
}

/// A frozen version with its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredVersion {
    /// What the lists show.
    pub frozen: Frozen,
    /// The canonical JSON that was hashed.
    pub body: String,
    /// Hash of what stands in it.
    pub stands: String,
}

impl Store {
    /// All corrections of a session, oldest first.
    pub async fn adjustments(&self, session: &SessionKey) -> Result<Vec<Adjustment>, StoreError> {
        let rows = sqlx::query(
            "SELECT no, person, change, was, reason, evidence, made_by, by_name, made_ms \
             FROM adjustment WHERE session = $1 ORDER BY no",
        )
        .bind(session.as_str())
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(adjustment_of_row).collect()
    }

    /// Writes the same correction of many people: all of them or none.
    pub async fn add_adjustments(
        &self,
        session: &SessionKey,
        change: &Change,
        people: &[NewCorrection],
        reason: &str,
        evidence: Option<&str>,
        author: &Author,
    ) -> Result<(), StoreError> {
        let change = serde_json::to_string(change)
            .map_err(|error| StoreError::Damaged(error.to_string()))?;
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        for correction in people {
            sqlx::query(
                "INSERT INTO adjustment (session, no, person, change, was, reason, evidence, \
                 made_by, by_name, made_ms) \
                 SELECT $1, coalesce(max(no), 0) + 1, $2, $3, $4, $5, $6, $7, $8, $9 \
                 FROM adjustment WHERE session = $1",
            )
            .bind(session.as_str())
            .bind(correction.person.as_str())
            .bind(&change)
            .bind(&correction.was)
            .bind(reason)
            .bind(evidence)
            .bind(author.by.as_str())
            .bind(&author.name)
            .bind(to_db(author.at_ms)?)
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// The excuses that stand, in the order they were first made.
    pub async fn excuses(&self, session: &SessionKey) -> Result<Vec<Excuse>, StoreError> {
        let rows = sqlx::query(
            "SELECT person, reason FROM excuse AS one WHERE session = $1 AND no = \
             (SELECT max(no) FROM excuse WHERE session = $1 AND person = one.person) \
             AND reason <> '' ORDER BY no",
        )
        .bind(session.as_str())
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Excuse {
                    person: PersonKey(row.try_get("person")?),
                    reason: row.try_get("reason")?,
                })
            })
            .collect()
    }

    /// Writes excuses, or takes them back: all of them or none. Earlier ones stay.
    pub async fn add_excuses(
        &self,
        session: &SessionKey,
        excuses: &[Excuse],
        author: &Author,
    ) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        for excuse in excuses {
            sqlx::query(
                "INSERT INTO excuse (session, no, person, reason, made_by, made_ms) \
                 SELECT $1, coalesce(max(no), 0) + 1, $2, $3, $4, $5 \
                 FROM excuse WHERE session = $1",
            )
            .bind(session.as_str())
            .bind(excuse.person.as_str())
            .bind(&excuse.reason)
            .bind(author.by.as_str())
            .bind(to_db(author.at_ms)?)
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// The substitutes that stand.
    pub async fn delegates(&self, session: &SessionKey) -> Result<Vec<Delegate>, StoreError> {
        let rows = sqlx::query(
            "SELECT invited, name, position, reference FROM delegate AS one \
             WHERE session = $1 AND no = \
             (SELECT max(no) FROM delegate WHERE session = $1 AND invited = one.invited) \
             AND name <> '' ORDER BY no",
        )
        .bind(session.as_str())
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Delegate {
                    invited: PersonKey(row.try_get("invited")?),
                    name: row.try_get("name")?,
                    position: row.try_get("position")?,
                    reference: row.try_get("reference")?,
                })
            })
            .collect()
    }

    /// Writes substitutions, or takes them back: all of them or none. Earlier
    /// ones stay.
    pub async fn add_delegates(
        &self,
        session: &SessionKey,
        delegates: &[Delegate],
        author: &Author,
    ) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        for delegate in delegates {
            sqlx::query(
                "INSERT INTO delegate (session, no, invited, name, position, reference, made_by, \
                 made_ms) SELECT $1, coalesce(max(no), 0) + 1, $2, $3, $4, $5, $6, $7 \
                 FROM delegate WHERE session = $1",
            )
            .bind(session.as_str())
            .bind(delegate.invited.as_str())
            .bind(&delegate.name)
            .bind(&delegate.position)
            .bind(&delegate.reference)
            .bind(author.by.as_str())
            .bind(to_db(author.at_ms)?)
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// The frozen versions of a session, oldest first, without their data.
    pub async fn versions(&self, session: &SessionKey) -> Result<Vec<Frozen>, StoreError> {
        let rows = sqlx::query(
            "SELECT no, made_ms, by_name, reason, sha256 FROM attendance_version \
             WHERE session = $1 ORDER BY no",
        )
        .bind(session.as_str())
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(frozen_of_row).collect()
    }

    /// A frozen version with its data.
    pub async fn version(
        &self,
        session: &SessionKey,
        no: u32,
    ) -> Result<Option<StoredVersion>, StoreError> {
        let row = sqlx::query(
            "SELECT no, made_ms, by_name, reason, sha256, body, stands FROM attendance_version \
             WHERE session = $1 AND no = $2",
        )
        .bind(session.as_str())
        .bind(i64::from(no))
        .fetch_optional(&self.pool)
        .await?;
        row.map(|row| {
            Ok(StoredVersion {
                frozen: frozen_of_row(&row)?,
                body: row.try_get("body")?,
                stands: row.try_get("stands")?,
            })
        })
        .transpose()
    }

    /// Number of the latest frozen version, 0 without one, and the hash of what
    /// stands in it.
    pub async fn latest_version(&self, session: &SessionKey) -> Result<(u32, String), StoreError> {
        let row = sqlx::query(
            "SELECT no, stands FROM attendance_version WHERE session = $1 \
             ORDER BY no DESC LIMIT 1",
        )
        .bind(session.as_str())
        .fetch_optional(&self.pool)
        .await?;
        match row {
            Some(row) => Ok((number(row.try_get("no")?)?, row.try_get("stands")?)),
            None => Ok((0, String::new())),
        }
    }

    /// Freezes a version, numbered `after + 1`. `None`: another version came
    /// meanwhile, nothing was written.
    pub async fn add_version(
        &self,
        session: &SessionKey,
        after: u32,
        version: &NewVersion,
        author: &Author,
    ) -> Result<Option<Frozen>, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let last: i64 = sqlx::query_scalar(
            "SELECT coalesce(max(no), 0) FROM attendance_version WHERE session = $1",
        )
        .bind(session.as_str())
        .fetch_one(&mut *transaction)
        .await?;
        if last != i64::from(after) {
            return Ok(None);
        }
        let no = after.saturating_add(1);
        sqlx::query(
            "INSERT INTO attendance_version (session, no, body, stands, sha256, reason, made_by, \
             by_name, made_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(session.as_str())
        .bind(i64::from(no))
        .bind(&version.body)
        .bind(&version.stands)
        .bind(&version.sha256)
        .bind(&version.reason)
        .bind(author.by.as_str())
        .bind(&author.name)
        .bind(to_db(author.at_ms)?)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(Some(Frozen {
            no,
            made_ms: author.at_ms,
            by: author.name.clone(),
            reason: version.reason.clone(),
            sha256: version.sha256.clone(),
        }))
    }
}

fn number(number: i64) -> Result<u32, StoreError> {
    u32::try_from(number).map_err(|_| StoreError::Damaged(format!("version {number}")))
}

fn frozen_of_row(row: &SqliteRow) -> Result<Frozen, StoreError> {
    Ok(Frozen {
        no: number(row.try_get("no")?)?,
        made_ms: from_db(row.try_get("made_ms")?)?,
        by: row.try_get("by_name")?,
        reason: row.try_get("reason")?,
        sha256: row.try_get("sha256")?,
    })
}

fn adjustment_of_row(row: &SqliteRow) -> Result<Adjustment, StoreError> {
    let change: String = row.try_get("change")?;
    let no = from_db(row.try_get("no")?)?;
    Ok(Adjustment {
        no,
        person: PersonKey(row.try_get("person")?),
        change: serde_json::from_str(&change)
            .map_err(|error| StoreError::Damaged(format!("correction {no}: {error}")))?,
        was: row.try_get("was")?,
        reason: row.try_get("reason")?,
        evidence: row.try_get("evidence")?,
        by: PersonKey(row.try_get("made_by")?),
        by_name: row.try_get("by_name")?,
        made_ms: from_db(row.try_get("made_ms")?)?,
    })
}
