//! Who is told of finished recordings by HTTP, and what waits to be told.

use lophoc_classes::{UnitId, Webhook};
use lophoc_ledger::PersonKey;
use sqlx::{Row as _, SqliteConnection};

use crate::classes::fresh_id;
use crate::error::StoreError;
use crate::store::{Store, from_db, to_db};

/// Webhooks of an installation. Overflow: refused.
pub const MAX_WEBHOOKS: i64 = 50;
/// Messages that wait for one of them. Overflow: the oldest are given up.
const WAITING: i64 = 1_000;

/// A message that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueHook {
    /// Id of the message: the same at each try.
    pub id: String,
    /// The webhook.
    pub webhook: String,
    /// Where to.
    pub url: String,
    /// Secret, `whsec_…`.
    pub secret: String,
    /// JSON.
    pub body: String,
    /// Tries before this one.
    pub tries: u32,
}

/// How a try ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookEnd {
    /// Taken.
    Taken,
    /// Once more at this time, ms: why.
    Again(u64, String),
    /// Given up: why.
    GivenUp(String),
}

/// Writes the message for every webhook that concerns this recording's class.
pub(crate) async fn queue(
    connection: &mut SqliteConnection,
    recording: &str,
    body: &str,
    now_ms: u64,
) -> Result<(), StoreError> {
    let hooks: Vec<String> = sqlx::query_scalar(
        "WITH RECURSIVE above (id) AS (SELECT c.host FROM recording r JOIN class c ON c.id = r.class \
         WHERE r.id = $1 AND c.host IS NOT NULL \
         UNION SELECT p.id FROM above a JOIN unit u ON u.id = a.id \
         JOIN unit p ON p.id IN (u.parent_admin, u.parent_professional, u.merged_into)) \
         SELECT id FROM webhook WHERE unit IS NULL OR unit IN (SELECT id FROM above)",
    )
    .bind(recording)
    .fetch_all(&mut *connection)
    .await?;
    for hook in hooks {
        sqlx::query(
            "INSERT INTO webhook_message (id, webhook, body, made_ms, due_ms) \
             VALUES ($1, $2, $3, $4, $4)",
        )
        .bind(fresh_id('m')?)
        .bind(&hook)
        .bind(body)
        .bind(to_db(now_ms)?)
        .execute(&mut *connection)
        .await?;
        sqlx::query(
            "DELETE FROM webhook_message WHERE webhook = $1 AND id NOT IN \
             (SELECT id FROM webhook_message WHERE webhook = $1 ORDER BY made_ms DESC LIMIT $2)",
        )
        .bind(&hook)
        .bind(WAITING)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

impl Store {
    /// A new webhook with its secret.
    ///
    /// # Errors
    /// [`StoreError::TooMany`], [`StoreError::Unknown`] for the unit.
    pub async fn add_webhook(
        &self,
        url: &str,
        unit: Option<&UnitId>,
        secret: &str,
        by: &PersonKey,
        now_ms: u64,
    ) -> Result<Webhook, StoreError> {
        let mut change = self.change().await?;
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM webhook")
            .fetch_one(&mut *change)
            .await?;
        if count >= MAX_WEBHOOKS {
            return Err(StoreError::TooMany("url"));
        }
        if let Some(unit) = unit {
            let known: i64 = sqlx::query_scalar("SELECT count(*) FROM unit WHERE id = $1")
                .bind(unit.as_str())
                .fetch_one(&mut *change)
                .await?;
            if known == 0 {
                return Err(StoreError::Unknown("unit"));
            }
        }
        let id = fresh_id('h')?;
        sqlx::query(
            "INSERT INTO webhook (id, url, unit, secret, made_by, made_ms) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(&id)
        .bind(url)
        .bind(unit.map(UnitId::as_str))
        .bind(secret)
        .bind(by.as_str())
        .bind(to_db(now_ms)?)
        .execute(&mut *change)
        .await?;
        change.commit().await?;
        Ok(Webhook {
            id,
            url: url.to_owned(),
            unit: unit.cloned(),
            secret: Some(secret.to_owned()),
            made_ms: now_ms,
            delivered_ms: None,
            failed: None,
            waiting: 0,
        })
    }

    /// All webhooks without their secrets.
    pub async fn webhooks(&self) -> Result<Vec<Webhook>, StoreError> {
        let rows = sqlx::query(
            "SELECT w.id, w.url, w.unit, w.made_ms, w.delivered_ms, w.failed, \
             (SELECT count(*) FROM webhook_message m WHERE m.webhook = w.id) AS waiting \
             FROM webhook w ORDER BY w.made_ms, w.id",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Webhook {
                    id: row.try_get("id")?,
                    url: row.try_get("url")?,
                    unit: row.try_get::<Option<String>, _>("unit")?.map(UnitId),
                    secret: None,
                    made_ms: from_db(row.try_get("made_ms")?)?,
                    delivered_ms: row
                        .try_get::<Option<i64>, _>("delivered_ms")?
                        .map(from_db)
                        .transpose()?,
                    failed: row.try_get("failed")?,
                    waiting: u32::try_from(row.try_get::<i64, _>("waiting")?).unwrap_or(u32::MAX),
                })
            })
            .collect()
    }

    /// Takes a webhook away with what waits for it. `false`: there was none.
    pub async fn remove_webhook(&self, id: &str) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM webhook WHERE id = $1")
            .bind(id)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// The message that is due for longest.
    pub async fn due_hooks(&self, now_ms: u64, most: u32) -> Result<Vec<DueHook>, StoreError> {
        let rows = sqlx::query(
            "SELECT m.id, m.webhook, w.url, w.secret, m.body, m.tries FROM webhook_message m \
             JOIN webhook w ON w.id = m.webhook WHERE m.due_ms <= $1 ORDER BY m.due_ms LIMIT $2",
        )
        .bind(to_db(now_ms)?)
        .bind(i64::from(most))
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(DueHook {
                    id: row.try_get("id")?,
                    webhook: row.try_get("webhook")?,
                    url: row.try_get("url")?,
                    secret: row.try_get("secret")?,
                    body: row.try_get("body")?,
                    tries: u32::try_from(row.try_get::<i64, _>("tries")?).unwrap_or(u32::MAX),
                })
            })
            .collect()
    }

    /// When the next message is due, ms.
    pub async fn next_hook_ms(&self) -> Result<Option<u64>, StoreError> {
        let next: Option<i64> = sqlx::query_scalar("SELECT min(due_ms) FROM webhook_message")
            .fetch_one(&self.pool)
            .await?;
        next.map(from_db).transpose()
    }

    /// What became of a message.
    pub async fn hook_done(
        &self,
        hook: &DueHook,
        end: &HookEnd,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        let mut change = self.change().await?;
        let failed = match end {
            HookEnd::Taken => None,
            HookEnd::Again(_, why) | HookEnd::GivenUp(why) => Some(why.as_str()),
        };
        match end {
            HookEnd::Again(at, _) => {
                sqlx::query(
                    "UPDATE webhook_message SET due_ms = $2, tries = tries + 1 WHERE id = $1",
                )
                .bind(&hook.id)
                .bind(to_db(*at)?)
                .execute(&mut *change)
                .await?;
            }
            HookEnd::Taken | HookEnd::GivenUp(_) => {
                sqlx::query("DELETE FROM webhook_message WHERE id = $1")
                    .bind(&hook.id)
                    .execute(&mut *change)
                    .await?;
            }
        }
        let delivered = failed.is_none().then(|| to_db(now_ms)).transpose()?;
        sqlx::query(
            "UPDATE webhook SET failed = $2, delivered_ms = coalesce($3, delivered_ms) WHERE id = $1",
        )
        .bind(&hook.webhook)
        .bind(failed)
        .bind(delivered)
        .execute(&mut *change)
        .await?;
        change.commit().await?;
        Ok(())
    }
}
