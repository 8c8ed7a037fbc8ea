//! Units: the tree with two parents, its dates, the list the server ships with.

use std::collections::BTreeSet;

use lophoc_classes::{DataCheck, Day, Unit, UnitId, UnitKind};
use lophoc_ledger::fold_name;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::accounts::{exists, like};
use crate::error::StoreError;
use crate::store::Store;

/// Longest way from a unit to a root that is followed.
const MAX_DEPTH: usize = 32;

const COLUMNS: &str = "id, kind, name, short, parent_admin, parent_professional, sector_code, \
     area_code, place, valid_from, valid_to, merged_into, leader, contact, name_check, code_check";

/// Which units are looked for. Everything absent fits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnitQuery {
    /// In the name, whatever its diacritics; or a code.
    pub text: String,
    /// By either parent.
    pub parent: Option<UnitId>,
    /// Sort.
    pub kind: Option<UnitKind>,
    /// Valid on that day.
    pub on: Option<Day>,
}

impl Store {
    /// Takes over the units the server ships with. What this installation
    /// entered or changed stays; the same list again changes nothing.
    pub async fn load_units(&self, units: &[Unit]) -> Result<(), StoreError> {
        let text = serde_json::to_vec(units).map_err(damaged)?;
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &text);
        let hash: String = hash.as_ref().iter().map(|b| format!("{b:02x}")).collect();
        let mut change = self.change().await?;
        let known: Option<String> =
            sqlx::query_scalar("SELECT value FROM setting WHERE name = 'units'")
                .fetch_optional(&mut *change)
                .await?;
        if known.as_ref() == Some(&hash) {
            return Ok(());
        }
        for unit in units {
            write(&mut change, unit, false).await?;
        }
        sqlx::query(
            "INSERT INTO setting (name, value) VALUES ('units', $1) \
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )
        .bind(hash)
        .execute(&mut *change)
        .await?;
        Ok(change.commit().await?)
    }

    /// Stores a unit of this installation, new or changed.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] `parentAdmin`, `parentProfessional` or
    /// `mergedInto`, also when the unit would come to stand above itself.
    pub async fn save_unit(&self, unit: &Unit) -> Result<(), StoreError> {
        let mut change = self.change().await?;
        for (above, field) in [
            (&unit.parent_admin, "parentAdmin"),
            (&unit.parent_professional, "parentProfessional"),
            (&unit.merged_into, "mergedInto"),
        ] {
            let Some(above) = above else { continue };
            exists(&mut change, "unit", above.as_str(), field).await?;
            if reach(&mut change, above, UP).await?.contains(&unit.id) {
                return Err(StoreError::Unknown(field));
            }
        }
        write(&mut change, unit, true).await?;
        Ok(change.commit().await?)
    }

    /// A unit.
    pub async fn unit(&self, id: &UnitId) -> Result<Option<Unit>, StoreError> {
        let row = sqlx::query(&format!("SELECT {COLUMNS} FROM unit WHERE id = $1"))
            .bind(id.as_str())
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(unit_of_row).transpose()
    }

    /// Units that fit, by name, from the `from`th on, `count` at most; and how
    /// many there are.
    pub async fn units(
        &self,
        query: &UnitQuery,
        from: u32,
        count: u32,
    ) -> Result<(Vec<Unit>, u32), StoreError> {
        let condition = "(folded LIKE $1 ESCAPE '!' OR sector_code = $2 OR area_code = $2 OR short = $2) \
             AND ($3 = '' OR parent_admin = $3 OR parent_professional = $3) \
             AND ($4 = '' OR kind = $4) \
             AND ($5 = '' OR ((valid_from IS NULL OR valid_from <= $5) AND (valid_to IS NULL OR valid_to >= $5)))";
        let pattern = like(&fold_name(&query.text));
        let kind = query.kind.map(|kind| name_of(&kind)).transpose()?;
        let on = query.on.map(|day| day.to_string());
        let parent = query.parent.as_ref().map_or("", UnitId::as_str);
        let total: i64 =
            sqlx::query_scalar(&format!("SELECT count(*) FROM unit WHERE {condition}"))
                .bind(&pattern)
                .bind(query.text.trim())
                .bind(parent)
                .bind(kind.clone().unwrap_or_default())
                .bind(on.clone().unwrap_or_default())
                .fetch_one(&self.pool)
                .await?;
        let rows = sqlx::query(&format!(
            "SELECT {COLUMNS} FROM unit WHERE {condition} ORDER BY folded, id LIMIT $6 OFFSET $7"
        ))
        .bind(&pattern)
        .bind(query.text.trim())
        .bind(parent)
        .bind(kind.unwrap_or_default())
        .bind(on.unwrap_or_default())
        .bind(i64::from(count))
        .bind(i64::from(from))
        .fetch_all(&self.pool)
        .await?;
        let units = rows.iter().map(unit_of_row).collect::<Result<_, _>>()?;
        Ok((units, u32::try_from(total).unwrap_or(u32::MAX)))
    }

    /// The unit and everything below it by either parent that is valid on the
    /// day; units merged into one of them count as below it.
    pub async fn units_below(
        &self,
        id: &UnitId,
        on: Option<Day>,
    ) -> Result<BTreeSet<UnitId>, StoreError> {
        let text = format!(
            "{} SELECT id FROM below",
            below(
                "$1",
                "WHERE unit.merged_into = below.id OR $2 = '' \
                 OR ((unit.valid_from IS NULL OR unit.valid_from <= $2) \
                 AND (unit.valid_to IS NULL OR unit.valid_to >= $2))"
            )
        );
        let rows: Vec<String> = sqlx::query_scalar(&text)
            .bind(id.as_str())
            .bind(on.map(|day| day.to_string()).unwrap_or_default())
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.into_iter().map(UnitId).collect())
    }

    /// The unit and everything above it, by either parent and through mergers.
    pub async fn line_above(&self, id: &UnitId) -> Result<BTreeSet<UnitId>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        reach(&mut connection, id, UP).await
    }

    /// Names from the root to the unit, by the administrative parent, else the
    /// professional one. Empty for an unknown unit.
    pub async fn unit_path(&self, id: &UnitId) -> Result<Vec<String>, StoreError> {
        let mut names = Vec::new();
        let mut next = Some(id.clone());
        while let Some(id) = next.take().filter(|_| names.len() < MAX_DEPTH) {
            if let Some(unit) = self.unit(&id).await? {
                names.push(unit.name);
                next = unit.parent_admin.or(unit.parent_professional);
            }
        }
        names.reverse();
        Ok(names)
    }
}

pub(crate) const UP: &str = "WITH RECURSIVE line (id) AS (SELECT id FROM unit WHERE id = $1 UNION \
     SELECT above.id FROM unit JOIN line ON unit.id = line.id \
     JOIN unit AS above ON above.id = unit.parent_admin \
     OR above.id = unit.parent_professional OR above.id = unit.merged_into) \
     SELECT id FROM line";

/// The common table `below`: the units whose ids the placeholders hold and all
/// below them. Both arguments are our own words, never input.
fn below(placeholders: &str, condition: &str) -> String {
    format!(
        "WITH RECURSIVE below (id) AS (SELECT id FROM unit WHERE id IN ({placeholders}) UNION \
         SELECT unit.id FROM unit JOIN below ON unit.parent_admin = below.id \
         OR unit.parent_professional = below.id OR unit.merged_into = below.id {condition})"
    )
}

/// A condition: `column` is one of `roots` or a unit below, on any day. The
/// roots are to be bound from placeholder `first` on.
pub(crate) fn is_below(column: &'static str, first: usize, roots: usize) -> String {
    let placeholders: Vec<String> = (first..first + roots).map(|n| format!("${n}")).collect();
    if placeholders.is_empty() {
        return "1 = 0".to_owned();
    }
    format!(
        "{column} IN ({} SELECT id FROM below)",
        below(&placeholders.join(", "), "")
    )
}

/// `text` is one of this module's own statements.
pub(crate) async fn reach(
    connection: &mut sqlx::SqliteConnection,
    id: &UnitId,
    text: &'static str,
) -> Result<BTreeSet<UnitId>, StoreError> {
    let rows: Vec<String> = sqlx::query_scalar(text)
        .bind(id.as_str())
        .fetch_all(connection)
        .await?;
    Ok(rows.into_iter().map(UnitId).collect())
}

/// Writes a unit; one the installation owns gives way to its own changes only.
async fn write(
    change: &mut sqlx::SqliteConnection,
    unit: &Unit,
    own: bool,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO unit (id, kind, name, folded, short, parent_admin, parent_professional, \
         sector_code, area_code, place, valid_from, valid_to, merged_into, leader, contact, \
         name_check, code_check, own) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) \
         ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, name = excluded.name, \
         folded = excluded.folded, short = excluded.short, parent_admin = excluded.parent_admin, \
         parent_professional = excluded.parent_professional, sector_code = excluded.sector_code, \
         area_code = excluded.area_code, place = excluded.place, valid_from = excluded.valid_from, \
         valid_to = excluded.valid_to, merged_into = excluded.merged_into, \
         leader = excluded.leader, contact = excluded.contact, \
         name_check = excluded.name_check, code_check = excluded.code_check, own = excluded.own \
         WHERE unit.own = 0 OR excluded.own = 1",
    )
    .bind(unit.id.as_str())
    .bind(name_of(&unit.kind)?)
    .bind(&unit.name)
    .bind(fold_name(&unit.name))
    .bind(&unit.short)
    .bind(unit.parent_admin.as_ref().map(UnitId::as_str))
    .bind(unit.parent_professional.as_ref().map(UnitId::as_str))
    .bind(&unit.sector_code)
    .bind(&unit.area_code)
    .bind(&unit.place)
    .bind(unit.valid_from.map(|day| day.to_string()))
    .bind(unit.valid_to.map(|day| day.to_string()))
    .bind(unit.merged_into.as_ref().map(UnitId::as_str))
    .bind(&unit.leader)
    .bind(&unit.contact)
    .bind(name_of(&unit.name_check)?)
    .bind(name_of(&unit.code_check)?)
    .bind(i64::from(own))
    .execute(change)
    .await?;
    Ok(())
}

fn unit_of_row(row: &SqliteRow) -> Result<Unit, StoreError> {
    let id = |column| -> Result<Option<UnitId>, StoreError> {
        let text: Option<String> = row.try_get(column)?;
        Ok(text.map(UnitId))
    };
    let kind: String = row.try_get("kind")?;
    let (name_check, code_check): (String, String) =
        (row.try_get("name_check")?, row.try_get("code_check")?);
    Ok(Unit {
        id: UnitId(row.try_get("id")?),
        // Sorts come and go with reforms: an unknown one is kept as other.
        kind: of_name(&kind).unwrap_or(UnitKind::Other),
        name: row.try_get("name")?,
        short: row.try_get("short")?,
        parent_admin: id("parent_admin")?,
        parent_professional: id("parent_professional")?,
        sector_code: row.try_get("sector_code")?,
        area_code: row.try_get("area_code")?,
        place: row.try_get("place")?,
        valid_from: day_of(row, "valid_from")?,
        valid_to: day_of(row, "valid_to")?,
        merged_into: id("merged_into")?,
        leader: row.try_get("leader")?,
        contact: row.try_get("contact")?,
        name_check: of_name(&name_check).unwrap_or(DataCheck::Unverified),
        code_check: of_name(&code_check).unwrap_or(DataCheck::Unverified),
    })
}

pub(crate) fn day_of(row: &SqliteRow, column: &str) -> Result<Option<Day>, StoreError> {
    let text: Option<String> = row.try_get(column)?;
    text.map(|text| text.parse::<Day>())
        .transpose()
        .map_err(|_| StoreError::Damaged(format!("day in {column}")))
}

/// The name of a variant, as in JSON.
pub(crate) fn name_of(value: &impl Serialize) -> Result<String, StoreError> {
    match serde_json::to_value(value).map_err(damaged)? {
        serde_json::Value::String(name) => Ok(name),
        _ => Err(StoreError::Damaged("a variant without a name".to_owned())),
    }
}

/// The variant of a name, as in JSON.
pub(crate) fn of_name<T: DeserializeOwned>(name: &str) -> Option<T> {
    let text: serde::de::value::StrDeserializer<'_, serde::de::value::Error> =
        serde::de::IntoDeserializer::into_deserializer(name);
    T::deserialize(text).ok()
}

fn damaged(error: serde_json::Error) -> StoreError {
    StoreError::Damaged(error.to_string())
}
