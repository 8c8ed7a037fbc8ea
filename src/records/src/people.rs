//! People and their identifiers; the log of what was done to them.

use std::collections::{BTreeMap, BTreeSet};

use lophoc_classes::{Gender, Identifier, IdentifierKind, Person, PersonForm, UnitId};
use lophoc_ledger::{PersonKey, fold_name};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use unicode_normalization::UnicodeNormalization as _;

use crate::accounts::{exists, like};
use crate::classes::fresh_id;
use crate::error::StoreError;
use crate::store::{Store, fields_from_db, fields_to_db, to_db};
use crate::units::{day_of, is_below, name_of, of_name};

const COLUMNS: &str = "person.id, person.name, person.sort, person.born, person.gender, \
     person.position, person.unit, person.unit_text, person.phone, person.email, person.pupil, \
     person.guardian, person.degree, person.custom, \
     CASE WHEN person.unit_text <> '' THEN person.unit_text ELSE coalesce(unit.name, '') END AS unit_name";
const JOINED: &str = "person LEFT JOIN unit ON unit.id = person.unit";

/// Which people are looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PersonQuery {
    /// In the name, whatever its diacritics; or a whole sector or local
    /// identifier. Never a personal number: what is asked for stands in
    /// addresses.
    pub text: String,
    /// Of these units or below; absent: of any.
    pub under: Option<Vec<UnitId>>,
    /// And of this unit or below.
    pub within: Option<UnitId>,
}

impl Store {
    /// Stores a new person under a new id, for life.
    ///
    /// # Errors
    /// [`StoreError::Taken`] `identifiers`; [`StoreError::Unknown`] `unit`.
    pub async fn add_person(
        &self,
        form: &PersonForm,
        now_ms: u64,
    ) -> Result<PersonKey, StoreError> {
        let mut change = self.change().await?;
        let id = insert_person(&mut change, form, now_ms).await?;
        change.commit().await?;
        Ok(id)
    }

    /// Changes a person. Identifiers of the sector that stand are never changed
    /// or taken away.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] `person` or `unit`; [`StoreError::Taken`]
    /// `identifiers`, also for a sector identifier that is missing.
    pub async fn update_person(&self, id: &PersonKey, form: &PersonForm) -> Result<(), StoreError> {
        let mut change = self.change().await?;
        update_person(&mut change, id, form).await?;
        Ok(change.commit().await?)
    }

    /// A person, identifiers in full.
    pub async fn person(&self, id: &PersonKey) -> Result<Option<Person>, StoreError> {
        let row = sqlx::query(&format!(
            "SELECT {COLUMNS} FROM {JOINED} WHERE person.id = $1"
        ))
        .bind(id.as_str())
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let mut person = person_of_row(&row)?;
        let mut connection = self.pool.acquire().await?;
        person.form.identifiers = identifiers(&mut connection, id).await?;
        Ok(Some(person))
    }

    /// Whose identifier this is.
    pub async fn person_of_identifier(
        &self,
        identifier: &Identifier,
    ) -> Result<Option<PersonKey>, StoreError> {
        let id: Option<String> = sqlx::query_scalar(
            "SELECT person FROM identifier WHERE kind = $1 AND issuer = $2 AND value = $3",
        )
        .bind(kind_name(identifier.kind))
        .bind(&identifier.issuer)
        .bind(&identifier.value)
        .fetch_optional(&self.pool)
        .await?;
        Ok(id.map(PersonKey))
    }

    /// People who fit, by name, from the `from`th on, `count` at most; and how
    /// many there are.
    pub async fn people(
        &self,
        query: &PersonQuery,
        from: u32,
        count: u32,
    ) -> Result<(Vec<Person>, u32), StoreError> {
        let under: &[UnitId] = query.under.as_deref().unwrap_or_default();
        let mut condition = String::from(
            "(person.folded LIKE $1 ESCAPE '!' OR person.id IN (SELECT person FROM identifier \
             WHERE value = $2 AND kind <> 'personal'))",
        );
        if query.under.is_some() {
            condition.push_str(" AND ");
            condition.push_str(&is_below("person.unit", 5, under.len()));
        }
        if query.within.is_some() {
            condition.push_str(" AND ");
            condition.push_str(&is_below("person.unit", 5 + under.len(), 1));
        }
        // The count has the same placeholders, so that both bind alike.
        let counting =
            format!("SELECT count(*) FROM {JOINED} WHERE {condition} AND $3 = $3 AND $4 = $4");
        let listing = format!(
            "SELECT {COLUMNS} FROM {JOINED} WHERE {condition} \
             ORDER BY person.folded, person.id LIMIT $3 OFFSET $4"
        );
        let pattern = like(&fold_name(&query.text));
        let mut total = sqlx::query_scalar::<_, i64>(&counting)
            .bind(&pattern)
            .bind(query.text.trim())
            .bind(i64::from(count))
            .bind(i64::from(from));
        let mut rows = sqlx::query(&listing)
            .bind(&pattern)
            .bind(query.text.trim())
            .bind(i64::from(count))
            .bind(i64::from(from));
        for unit in under.iter().chain(&query.within) {
            total = total.bind(unit.as_str());
            rows = rows.bind(unit.as_str());
        }
        let total = total.fetch_one(&self.pool).await?;
        let rows = rows.fetch_all(&self.pool).await?;
        let mut people = Vec::with_capacity(rows.len());
        let mut connection = self.pool.acquire().await?;
        for row in &rows {
            let mut person = person_of_row(row)?;
            person.form.identifiers = identifiers(&mut connection, &person.id).await?;
            people.push(person);
        }
        Ok((people, u32::try_from(total).unwrap_or(u32::MAX)))
    }

    /// Notes what was done to a unit, a person or an account, and by whom.
    /// `what` is a word like `person`, `account`, `reset`, `state`, `roles`.
    pub async fn log_change(
        &self,
        by: &PersonKey,
        what: &str,
        about: &str,
        at_ms: u64,
    ) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO people_log (at_ms, made_by, what, about) VALUES ($1, $2, $3, $4)")
            .bind(to_db(at_ms)?)
            .bind(by.as_str())
            .bind(what)
            .bind(about)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

/// As [`Store::add_person`], inside a change.
pub(crate) async fn insert_person(
    change: &mut sqlx::SqliteConnection,
    form: &PersonForm,
    now_ms: u64,
) -> Result<PersonKey, StoreError> {
    let id = PersonKey(fresh_id('p')?);
    sqlx::query("INSERT INTO person (id, name, folded, position, unit_text, phone, email, pupil, guardian, degree, created_ms) \
         VALUES ($1, '', '', '', '', '', '', 0, '', '', $2)")
        .bind(id.as_str())
        .bind(to_db(now_ms)?)
        .execute(&mut *change)
        .await?;
    update_person(change, &id, form).await?;
    Ok(id)
}

/// As [`Store::update_person`], inside a change.
pub(crate) async fn update_person(
    change: &mut sqlx::SqliteConnection,
    id: &PersonKey,
    form: &PersonForm,
) -> Result<(), StoreError> {
    if let Some(unit) = &form.unit {
        exists(change, "unit", unit.as_str(), "unit").await?;
    }
    let name: String = form.name.nfc().collect();
    let done = sqlx::query(
        "UPDATE person SET name = $1, sort = $2, folded = $3, born = $4, gender = $5, \
         position = $6, unit = $7, unit_text = $8, phone = $9, email = $10, pupil = $11, \
         guardian = $12, degree = $13, custom = $14 WHERE id = $15",
    )
    .bind(&name)
    .bind(&form.sort)
    .bind(fold_name(&name))
    .bind(form.born.map(|day| day.to_string()))
    .bind(form.gender.map(|gender| name_of(&gender)).transpose()?)
    .bind(&form.position)
    .bind(form.unit.as_ref().map(UnitId::as_str))
    .bind(&form.unit_text)
    .bind(&form.phone)
    .bind(&form.email)
    .bind(i64::from(form.pupil))
    .bind(&form.guardian)
    .bind(&form.degree)
    .bind(fields_to_db(&form.custom)?)
    .bind(id.as_str())
    .execute(&mut *change)
    .await?;
    if done.rows_affected() == 0 {
        return Err(StoreError::Unknown("person"));
    }
    let known = identifiers(change, id).await?;
    let kept = |old: &&Identifier| form.identifiers.contains(*old);
    let sector = |identifier: &&Identifier| identifier.kind == IdentifierKind::Sector;
    if !known.iter().filter(sector).all(|old| kept(&old)) {
        return Err(StoreError::Taken("identifiers"));
    }
    for gone in known.iter().filter(|old| !kept(old)) {
        sqlx::query("DELETE FROM identifier WHERE kind = $1 AND issuer = $2 AND value = $3")
            .bind(kind_name(gone.kind))
            .bind(&gone.issuer)
            .bind(&gone.value)
            .execute(&mut *change)
            .await?;
    }
    let new: BTreeSet<_> = form
        .identifiers
        .iter()
        .filter(|new| !known.contains(*new))
        .map(|new| (kind_name(new.kind), &new.issuer, &new.value))
        .collect();
    for (kind, issuer, value) in new {
        let added = sqlx::query(
            "INSERT INTO identifier (kind, issuer, value, person) VALUES ($1, $2, $3, $4) \
             ON CONFLICT DO NOTHING",
        )
        .bind(kind)
        .bind(issuer)
        .bind(value)
        .bind(id.as_str())
        .execute(&mut *change)
        .await?;
        if added.rows_affected() == 0 {
            return Err(StoreError::Taken("identifiers"));
        }
    }
    Ok(())
}

/// The identifiers of a person, in matching order.
pub(crate) async fn identifiers(
    connection: &mut sqlx::SqliteConnection,
    person: &PersonKey,
) -> Result<Vec<Identifier>, StoreError> {
    let rows = sqlx::query("SELECT kind, issuer, value FROM identifier WHERE person = $1")
        .bind(person.as_str())
        .fetch_all(connection)
        .await?;
    let mut identifiers = rows
        .iter()
        .map(|row| {
            let kind: String = row.try_get("kind")?;
            Ok(Identifier {
                kind: of_name(&kind)
                    .ok_or_else(|| StoreError::Damaged(format!("identifier {kind}")))?,
                issuer: row.try_get("issuer")?,
                value: row.try_get("value")?,
            })
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    identifiers.sort_by(|a, b| (a.kind, &a.issuer, &a.value).cmp(&(b.kind, &b.issuer, &b.value)));
    Ok(identifiers)
}

/// These people with their identifiers, in full; unknown ones are left out.
pub(crate) async fn by_ids(
    connection: &mut sqlx::SqliteConnection,
    ids: &[PersonKey],
) -> Result<BTreeMap<PersonKey, Person>, StoreError> {
    let mut people = BTreeMap::new();
    for chunk in ids.chunks(200) {
        let mut query: sqlx::QueryBuilder<'_, sqlx::Sqlite> = sqlx::QueryBuilder::new(format!(
            "SELECT {COLUMNS} FROM {JOINED} WHERE person.id IN ("
        ));
        let mut list = query.separated(", ");
        for id in chunk {
            list.push_bind(id.as_str());
        }
        query.push(")");
        let rows = query.build().fetch_all(&mut *connection).await?;
        for row in &rows {
            let mut person = person_of_row(row)?;
            person.form.identifiers = identifiers(&mut *connection, &person.id).await?;
            people.insert(person.id.clone(), person);
        }
    }
    Ok(people)
}

/// A person without identifiers.
fn person_of_row(row: &SqliteRow) -> Result<Person, StoreError> {
    let unit: Option<String> = row.try_get("unit")?;
    let gender: Option<String> = row.try_get("gender")?;
    let pupil: i64 = row.try_get("pupil")?;
    Ok(Person {
        id: PersonKey(row.try_get("id")?),
        form: PersonForm {
            name: row.try_get("name")?,
            sort: row.try_get("sort")?,
            born: day_of(row, "born")?,
            gender: gender.as_deref().and_then(of_name::<Gender>),
            position: row.try_get("position")?,
            unit: unit.map(UnitId),
            unit_text: row.try_get("unit_text")?,
            phone: row.try_get("phone")?,
            email: row.try_get("email")?,
            pupil: pupil != 0,
            guardian: row.try_get("guardian")?,
            degree: row.try_get("degree")?,
            identifiers: Vec::new(),
            custom: fields_from_db(row.try_get("custom")?)?,
        },
        unit_name: row.try_get("unit_name")?,
    })
}

fn kind_name(kind: IdentifierKind) -> &'static str {
    match kind {
        IdentifierKind::Sector => "sector",
        IdentifierKind::Personal => "personal",
        IdentifierKind::Local => "local",
    }
}
