//! Technical duty and incidents of sessions. Nothing written is ever changed.

use lophoc_classes::{
    DutyEntry, Incident, IncidentEntry, IncidentKind, IncidentSeverity, IncidentState,
    MAX_INCIDENT_ENTRIES, MAX_INCIDENTS, NewIncident, NewIncidentEntry,
};
use lophoc_ledger::{PersonKey, SessionKey};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::{Row as _, SqliteConnection};

use crate::attendance::Author;
use crate::error::StoreError;
use crate::store::{Store, from_db, to_db};

/// Incidents of a session the server writes down by itself, at most: a site whose link
/// comes and goes all day must leave room for what people write. Overflow: they are
/// not written.
const MAX_OWN: usize = MAX_INCIDENTS as usize / 2;

/// A name of the shapes as text.
fn name_of(value: &impl Serialize) -> Result<String, StoreError> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => Ok(name),
        _ => Err(StoreError::Damaged("a name of an incident".to_owned())),
    }
}

fn named<T: DeserializeOwned>(name: &str) -> Result<T, StoreError> {
    serde_json::from_value(serde_json::Value::String(name.to_owned()))
        .map_err(|error| StoreError::Damaged(format!("{name} of an incident: {error}")))
}

/// One row to be written.
struct Row<'a> {
    no: u32,
    state: Option<IncidentState>,
    /// Kind, severity, site and subject, of a first entry.
    head: Option<(
        IncidentKind,
        IncidentSeverity,
        Option<&'a PersonKey>,
        &'a str,
    )>,
    text: &'a str,
    author: Option<&'a Author>,
    at_ms: u64,
}

async fn write(
    connection: &mut SqliteConnection,
    session: &SessionKey,
    row: Row<'_>,
) -> Result<(), StoreError> {
    let (kind, severity, site, subject) = match row.head {
        Some((kind, severity, site, subject)) => {
            (name_of(&kind)?, name_of(&severity)?, site, subject)
        }
        None => (String::new(), String::new(), None, ""),
    };
    let state = row.state.as_ref().map(name_of).transpose()?;
    sqlx::query(
        "INSERT INTO incident_entry \
         (session, no, state, kind, severity, site, subject, text, made_by, by_name, at_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(session.as_str())
    .bind(i64::from(row.no))
    .bind(state)
    .bind(kind)
    .bind(severity)
    .bind(site.map(PersonKey::as_str))
    .bind(subject)
    .bind(row.text)
    .bind(row.author.map(|author| author.by.as_str()))
    .bind(row.author.map_or("", |author| author.name.as_str()))
    .bind(to_db(row.at_ms)?)
    .execute(connection)
    .await?;
    Ok(())
}

async fn read(
    connection: &mut SqliteConnection,
    session: &SessionKey,
) -> Result<Vec<Incident>, StoreError> {
    let rows = sqlx::query(
        "SELECT no, state, kind, severity, site, subject, text, made_by, by_name, at_ms \
         FROM incident_entry WHERE session = $1 ORDER BY no, seq",
    )
    .bind(session.as_str())
    .fetch_all(connection)
    .await?;
    let mut list: Vec<Incident> = Vec::new();
    for row in &rows {
        let no: i64 = row.try_get("no")?;
        let no = u32::try_from(no)
            .map_err(|_| StoreError::Damaged(format!("number {no} of an incident")))?;
        let state: Option<String> = row.try_get("state")?;
        let state: Option<IncidentState> = state.as_deref().map(named).transpose()?;
        let entry = IncidentEntry {
            at_ms: from_db(row.try_get("at_ms")?)?,
            state,
            text: row.try_get("text")?,
            by: row.try_get::<Option<String>, _>("made_by")?.map(PersonKey),
            by_name: row.try_get("by_name")?,
        };
        if let Some(known) = list.last_mut().filter(|known| known.no == no) {
            known.state = state.unwrap_or(known.state);
            known.entries.push(entry);
            continue;
        }
        let kind: String = row.try_get("kind")?;
        let severity: String = row.try_get("severity")?;
        list.push(Incident {
            no,
            kind: named(&kind)?,
            severity: named(&severity)?,
            site: row.try_get::<Option<String>, _>("site")?.map(PersonKey),
            subject: row.try_get("subject")?,
            state: state.unwrap_or(IncidentState::Open),
            entries: vec![entry],
        });
    }
    Ok(list)
}

/// The server wrote it down by itself.
fn is_own(one: &Incident) -> bool {
    one.entries.first().is_some_and(|entry| entry.by.is_none())
}

/// The lost link of a site the server wrote down and that is not solved yet.
fn lost(list: &[Incident], site: &PersonKey) -> Option<u32> {
    list.iter()
        .rev()
        .find(|one| {
            one.kind == IncidentKind::Link
                && one.site.as_ref() == Some(site)
                && one.state != IncidentState::Solved
                && is_own(one)
        })
        .map(|one| one.no)
}

fn next_no(list: &[Incident]) -> Result<u32, StoreError> {
    let no = list.last().map_or(0, |one| one.no).saturating_add(1);
    if no > MAX_INCIDENTS {
        return Err(StoreError::TooMany("incidents"));
    }
    Ok(no)
}

impl Store {
    /// The duty roster of a session and its version; 0 = none was written.
    ///
    /// # Errors
    /// The database's.
    pub async fn duty(&self, session: &SessionKey) -> Result<(u32, Vec<DutyEntry>), StoreError> {
        let row = sqlx::query(
            "SELECT version, list FROM duty WHERE session = $1 ORDER BY version DESC LIMIT 1",
        )
        .bind(session.as_str())
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else {
            return Ok((0, Vec::new()));
        };
        let version: i64 = row.try_get("version")?;
        let list: String = row.try_get("list")?;
        let damaged = |what: String| StoreError::Damaged(format!("a duty roster: {what}"));
        Ok((
            u32::try_from(version).map_err(|_| damaged(format!("version {version}")))?,
            serde_json::from_str(&list).map_err(|error| damaged(error.to_string()))?,
        ))
    }

    /// Writes the duty roster that follows version `before`.
    ///
    /// # Errors
    /// [`StoreError::Stale`]: somebody else wrote in the meantime. The database's.
    pub async fn set_duty(
        &self,
        session: &SessionKey,
        before: u32,
        list: &[DutyEntry],
        author: &Author,
    ) -> Result<u32, StoreError> {
        let text = serde_json::to_string(list)
            .map_err(|error| StoreError::Damaged(format!("a duty roster: {error}")))?;
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let last: Option<i64> =
            sqlx::query_scalar("SELECT max(version) FROM duty WHERE session = $1")
                .bind(session.as_str())
                .fetch_one(&mut *transaction)
                .await?;
        if last.unwrap_or(0) != i64::from(before) {
            return Err(StoreError::Stale);
        }
        let version = before.saturating_add(1);
        sqlx::query(
            "INSERT INTO duty (session, version, list, made_by, by_name, made_ms) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(session.as_str())
        .bind(i64::from(version))
        .bind(text)
        .bind(author.by.as_str())
        .bind(&author.name)
        .bind(to_db(author.at_ms)?)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(version)
    }

    /// The incidents of a session, oldest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn incidents(&self, session: &SessionKey) -> Result<Vec<Incident>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        read(&mut connection, session).await
    }

    /// Writes an incident down; its number.
    ///
    /// # Errors
    /// [`StoreError::TooMany`]; the database's.
    pub async fn add_incident(
        &self,
        session: &SessionKey,
        new: &NewIncident,
        author: &Author,
    ) -> Result<u32, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let no = next_no(&read(&mut transaction, session).await?)?;
        let head = (new.kind, new.severity, new.site.as_ref(), &*new.subject);
        let row = Row {
            no,
            state: Some(IncidentState::Open),
            head: Some(head),
            text: &new.text,
            author: Some(author),
            at_ms: author.at_ms,
        };
        write(&mut transaction, session, row).await?;
        transaction.commit().await?;
        Ok(no)
    }

    /// Adds to an incident.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] incident; [`StoreError::TooMany`]; the database's.
    pub async fn add_incident_entry(
        &self,
        session: &SessionKey,
        no: u32,
        new: &NewIncidentEntry,
        author: &Author,
    ) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let list = read(&mut transaction, session).await?;
        let known = list
            .iter()
            .find(|one| one.no == no)
            .ok_or(StoreError::Unknown("incident"))?;
        if known.entries.len() >= MAX_INCIDENT_ENTRIES {
            return Err(StoreError::TooMany("entries"));
        }
        let row = Row {
            no,
            state: new.state,
            head: None,
            text: &new.text,
            author: Some(author),
            at_ms: author.at_ms,
        };
        write(&mut transaction, session, row).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Writes down that the link of a site is lost since then, unless that stands
    /// there already, or no more of that is written.
    ///
    /// # Errors
    /// The database's.
    pub async fn note_site_lost(
        &self,
        session: &SessionKey,
        site: &PersonKey,
        name: &str,
        text: &str,
        at_ms: u64,
    ) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let list = read(&mut transaction, session).await?;
        let own = list.iter().filter(|one| is_own(one)).count();
        let no = next_no(&list).ok().filter(|_| own < MAX_OWN);
        if let (None, Some(no)) = (lost(&list, site), no) {
            let head = (
                IncidentKind::Link,
                IncidentSeverity::Medium,
                Some(site),
                name,
            );
            let row = Row {
                no,
                state: Some(IncidentState::Open),
                head: Some(head),
                text,
                author: None,
                at_ms,
            };
            write(&mut transaction, session, row).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Writes down that the site is back, where its loss stands there.
    ///
    /// # Errors
    /// The database's.
    pub async fn note_site_back(
        &self,
        session: &SessionKey,
        site: &PersonKey,
        text: &str,
        at_ms: u64,
    ) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let list = read(&mut transaction, session).await?;
        if let Some(no) = lost(&list, site) {
            let row = Row {
                no,
                state: Some(IncidentState::Solved),
                head: None,
                text,
                author: None,
                at_ms,
            };
            write(&mut transaction, session, row).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}
