//! House rules (nội quy) of a class, and who accepted them.

use lophoc_classes::ClassId;
use lophoc_ledger::PersonKey;
use sqlx::{Row as _, SqliteConnection};

use crate::error::StoreError;
use crate::store::{Store, to_db};

/// House rules as they stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HouseRules {
    /// Counts up with every change, from 1.
    pub version: u32,
    /// Text; never empty.
    pub text: String,
}

async fn last(
    connection: &mut SqliteConnection,
    class: &ClassId,
) -> Result<Option<HouseRules>, StoreError> {
    let row = sqlx::query(
        "SELECT version, text FROM class_rules WHERE class = $1 ORDER BY version DESC LIMIT 1",
    )
    .bind(class.as_str())
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let version: i64 = row.try_get("version")?;
    Ok(Some(HouseRules {
        version: u32::try_from(version)
            .map_err(|_| StoreError::Damaged(format!("version {version} of house rules")))?,
        text: row.try_get("text")?,
    }))
}

impl Store {
    /// The house rules of a class, when it has some.
    pub async fn house_rules(&self, class: &ClassId) -> Result<Option<HouseRules>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let rules = last(&mut connection, class).await?;
        Ok(rules.filter(|rules| !rules.text.is_empty()))
    }

    /// Sets the house rules; an empty text takes them away. Other words are
    /// another version, which everybody accepts anew.
    pub async fn set_house_rules(
        &self,
        class: &ClassId,
        text: &str,
        by: &PersonKey,
        now_ms: u64,
    ) -> Result<Option<HouseRules>, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let before = last(&mut transaction, class).await?;
        let same = match &before {
            Some(before) => before.text == text,
            None => text.is_empty(),
        };
        let stands = if same {
            before
        } else {
            let version = before.map_or(0, |before| before.version).saturating_add(1);
            sqlx::query(
                "INSERT INTO class_rules (class, version, text, made_by, made_ms) \
                 VALUES ($1, $2, $3, $4, $5)",
            )
            .bind(class.as_str())
            .bind(i64::from(version))
            .bind(text)
            .bind(by.as_str())
            .bind(to_db(now_ms)?)
            .execute(&mut *transaction)
            .await?;
            Some(HouseRules {
                version,
                text: text.to_owned(),
            })
        };
        transaction.commit().await?;
        Ok(stands.filter(|rules| !rules.text.is_empty()))
    }

    /// Whether somebody accepted this version of the house rules.
    pub async fn has_accepted_rules(
        &self,
        class: &ClassId,
        version: u32,
        person: &PersonKey,
    ) -> Result<bool, StoreError> {
        let found: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM rules_accepted WHERE class = $1 AND version = $2 AND person = $3",
        )
        .bind(class.as_str())
        .bind(i64::from(version))
        .bind(person.as_str())
        .fetch_one(&self.pool)
        .await?;
        Ok(found > 0)
    }

    /// Somebody accepts this version; the first time stands.
    pub async fn accept_rules(
        &self,
        class: &ClassId,
        version: u32,
        person: &PersonKey,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO rules_accepted (class, version, person, at_ms) VALUES ($1, $2, $3, $4) \
             ON CONFLICT DO NOTHING",
        )
        .bind(class.as_str())
        .bind(i64::from(version))
        .bind(person.as_str())
        .bind(to_db(now_ms)?)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
