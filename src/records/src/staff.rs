//! Staff of a class and of its sessions, and what somebody is to a class: the
//! basis of every right and of the role in the room.

use std::collections::{BTreeMap, BTreeSet};

use lophoc_classes::{
    ClassId, ClassState, NewStaff, StaffMember, StaffRole, Standing, StepRefused, UnitId,
};
use lophoc_ledger::{PersonKey, SessionKey};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection};

use crate::classes::require;
use crate::error::StoreError;
use crate::store::{Store, from_db, to_db};

/// Entries of the staff list of one class that stand. Overflow: a further one
/// is refused as too many.
pub const MAX_STAFF: u32 = 500;
/// Ids in one statement.
const CHUNK: usize = 200;

/// An entry that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: i64,
    pub(crate) class: ClassId,
    pub(crate) session: Option<SessionKey>,
    pub(crate) person: PersonKey,
    pub(crate) name: String,
    pub(crate) role: StaffRole,
    pub(crate) instead_of: Option<PersonKey>,
}

/// Name of a person's unit, tables `p` (person) and `u` (unit) joined.
pub(crate) const UNIT_NAME: &str =
    "CASE WHEN p.unit_text <> '' THEN p.unit_text ELSE coalesce(u.name, '') END";

impl Store {
    /// What a person is to a class. Who is on the staff of single sessions only
    /// has the roles of [`standing_in`](Self::standing_in) there, and sees the
    /// class.
    ///
    /// # Errors
    /// [`StoreError::UnknownClass`].
    pub async fn standing(
        &self,
        person: &PersonKey,
        class: &ClassId,
    ) -> Result<Standing, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let known = require(&mut connection, class).await?;
        let own = entries_of(&mut connection, class, person).await?;
        let roles = own.iter().filter(|entry| entry.session.is_none());
        let mut standing = standing_of(&mut connection, roles).await?;
        standing.some_session = own.iter().any(|entry| entry.session.is_some());
        standing.enrolled = enrolled(&mut connection, class, person).await?;
        standing.host_line = match &known.plan.host {
            Some(host) => line_of(&mut connection, host).await?,
            None => BTreeSet::new(),
        };
        Ok(standing)
    }

    /// What a person is to a class in one of its sessions: class staff that
    /// nobody stands in for there, and the staff of the session.
    ///
    /// # Errors
    /// [`StoreError::UnknownSession`].
    pub async fn standing_in(
        &self,
        person: &PersonKey,
        session: &SessionKey,
    ) -> Result<Standing, StoreError> {
        let known = self
            .session(session)
            .await?
            .ok_or_else(|| StoreError::UnknownSession(session.clone()))?;
        let mut standing = self.standing(person, &known.class).await?;
        let mut connection = self.pool.acquire().await?;
        let all = standing_entries(&mut connection, &known.class).await?;
        let own = all
            .iter()
            .filter(|entry| entry.person == *person && stands_in(entry, session, &all));
        let here = standing_of(&mut connection, own).await?;
        standing.staff = here.staff;
        standing.learners = here.learners;
        Ok(standing)
    }

    /// What a person who asks for a class hosted by `host` would be to it;
    /// before there is one.
    pub async fn standing_to_host(&self, host: &UnitId) -> Result<Standing, StoreError> {
        let mut connection = self.pool.acquire().await?;
        Ok(Standing {
            host_line: line_of(&mut connection, host).await?,
            ..Standing::default()
        })
    }

    /// The staff list of a class with its sessions, ended entries too, in the
    /// order they were made.
    pub async fn staff(&self, class: &ClassId) -> Result<Vec<StaffMember>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        read(&mut connection, class).await
    }

    /// Names somebody. With `instead_of` this is a substitution (thay người dạy):
    /// for the whole class it ends the other's entry, for one session the other
    /// steps back there only. Both names stay.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] for `person`, `session`, `insteadOf`, `learners`;
    /// [`StoreError::Taken`] when the person has this role here already;
    /// [`StoreError::TooMany`]; [`StoreError::Refused`] for a class that is over.
    pub async fn add_staff(
        &self,
        class: &ClassId,
        new: &NewStaff,
        by: &PersonKey,
        now_ms: u64,
    ) -> Result<StaffMember, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        alive(&mut transaction, class).await?;
        let known: Option<String> = sqlx::query_scalar("SELECT id FROM person WHERE id = $1")
            .bind(new.person.as_str())
            .fetch_optional(&mut *transaction)
            .await?;
        if known.is_none() {
            return Err(StoreError::Unknown("person"));
        }
        if let Some(session) = &new.session {
            let of: Option<String> = sqlx::query_scalar("SELECT class FROM session WHERE id = $1")
                .bind(session.as_str())
                .fetch_optional(&mut *transaction)
                .await?;
            if of.as_deref() != Some(class.as_str()) {
                return Err(StoreError::Unknown("session"));
            }
        }
        let all = standing_entries(&mut transaction, class).await?;
        if all.len() >= usize::try_from(MAX_STAFF).unwrap_or(usize::MAX) {
            return Err(StoreError::TooMany("staff"));
        }
        let same = |entry: &&Entry, person: &PersonKey, session: &Option<SessionKey>| {
            entry.person == *person && entry.role == new.role && entry.session == *session
        };
        if all
            .iter()
            .any(|entry| same(&entry, &new.person, &new.session))
        {
            return Err(StoreError::Taken("person"));
        }
        if let Some(other) = &new.instead_of {
            let ended = all.iter().find(|entry| same(entry, other, &new.session));
            let steps_back = || all.iter().any(|entry| same(&entry, other, &None));
            match ended {
                _ if *other == new.person => return Err(StoreError::Unknown("insteadOf")),
                Some(entry) => end(&mut transaction, entry.id, by, now_ms).await?,
                None if new.session.is_some() && steps_back() => {}
                None => return Err(StoreError::Unknown("insteadOf")),
            }
        }
        let id: i64 = sqlx::query_scalar(
            "INSERT INTO staff (class, session, person, role, instead_of, made_by, made_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
        )
        .bind(class.as_str())
        .bind(new.session.as_ref().map(SessionKey::as_str))
        .bind(new.person.as_str())
        .bind(new.role.as_str())
        .bind(new.instead_of.as_ref().map(PersonKey::as_str))
        .bind(by.as_str())
        .bind(to_db(now_ms)?)
        .fetch_one(&mut *transaction)
        .await?;
        if new.role == StaffRole::Adviser {
            add_learners(&mut transaction, class, id, &new.learners).await?;
        } else if !new.learners.is_empty() {
            return Err(StoreError::Unknown("learners"));
        }
        let list = read(&mut transaction, class).await?;
        let made = list
            .into_iter()
            .find(|entry| to_db(entry.id).ok() == Some(id));
        let made = made.ok_or_else(|| StoreError::Damaged("a staff entry".to_owned()))?;
        transaction.commit().await?;
        Ok(made)
    }

    /// Ends an entry of the staff list. Ended already: nothing happens.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] for `entry` when the class has no such entry;
    /// [`StoreError::Refused`] for a class that is over.
    pub async fn end_staff(
        &self,
        class: &ClassId,
        entry: u64,
        by: &PersonKey,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        let entry = to_db(entry).map_err(|_| StoreError::Unknown("entry"))?;
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        alive(&mut transaction, class).await?;
        let known: Option<i64> =
            sqlx::query_scalar("SELECT id FROM staff WHERE id = $1 AND class = $2")
                .bind(entry)
                .bind(class.as_str())
                .fetch_optional(&mut *transaction)
                .await?;
        if known.is_none() {
            return Err(StoreError::Unknown("entry"));
        }
        end(&mut transaction, entry, by, now_ms).await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// The staff list of a class that was put away says who was there, for good.
async fn alive(connection: &mut SqliteConnection, class: &ClassId) -> Result<(), StoreError> {
    match require(connection, class).await?.state {
        ClassState::Archived | ClassState::Destroyed | ClassState::Cancelled => {
            Err(StoreError::Refused(StepRefused::WrongState))
        }
        _ => Ok(()),
    }
}

async fn end(
    connection: &mut SqliteConnection,
    entry: i64,
    by: &PersonKey,
    now_ms: u64,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE staff SET ended_ms = $2, ended_by = $3 WHERE id = $1 AND ended_ms IS NULL")
        .bind(entry)
        .bind(to_db(now_ms)?)
        .bind(by.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

async fn add_learners(
    connection: &mut SqliteConnection,
    class: &ClassId,
    staff: i64,
    learners: &[PersonKey],
) -> Result<(), StoreError> {
    let learners: BTreeSet<&PersonKey> = learners.iter().collect();
    for learner in learners {
        if !enrolled(connection, class, learner).await? {
            return Err(StoreError::Unknown("learners"));
        }
        sqlx::query("INSERT INTO staff_learner (staff, person) VALUES ($1, $2)")
            .bind(staff)
            .bind(learner.as_str())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn enrolled(
    connection: &mut SqliteConnection,
    class: &ClassId,
    person: &PersonKey,
) -> Result<bool, StoreError> {
    let rows: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM roster WHERE class = $1 AND person = $2 AND state <> 'withdrawn'",
    )
    .bind(class.as_str())
    .bind(person.as_str())
    .fetch_one(connection)
    .await?;
    Ok(rows > 0)
}

/// A unit and all above it, by either parent and through mergers.
async fn line_of(
    connection: &mut SqliteConnection,
    unit: &UnitId,
) -> Result<BTreeSet<UnitId>, StoreError> {
    crate::units::reach(connection, unit, crate::units::UP).await
}

/// Whether an entry holds in a session: its own, or the class's unless somebody
/// stands in there.
pub(crate) fn stands_in(entry: &Entry, session: &SessionKey, all: &[Entry]) -> bool {
    match &entry.session {
        Some(own) => own == session,
        None => !all.iter().any(|other| {
            other.class == entry.class
                && other.session.as_ref() == Some(session)
                && other.role == entry.role
                && other.instead_of.as_ref() == Some(&entry.person)
        }),
    }
}

/// Roles and own learners of one person's entries.
async fn standing_of<'a>(
    connection: &mut SqliteConnection,
    entries: impl Iterator<Item = &'a Entry>,
) -> Result<Standing, StoreError> {
    let mut standing = Standing::default();
    let mut of_all = false;
    for entry in entries {
        if !standing.staff.contains(&entry.role) {
            standing.staff.push(entry.role);
        }
        if entry.role == StaffRole::Adviser {
            let own: Vec<String> =
                sqlx::query_scalar("SELECT person FROM staff_learner WHERE staff = $1")
                    .bind(entry.id)
                    .fetch_all(&mut *connection)
                    .await?;
            of_all |= own.is_empty();
            standing.learners.extend(own.into_iter().map(PersonKey));
        }
    }
    // One entry without a list is for everybody.
    if of_all {
        standing.learners.clear();
    }
    standing.staff.sort();
    Ok(standing)
}

const ENTRY: &str = "SELECT s.id, s.class, s.session, s.person, s.role, s.instead_of, p.name \
     FROM staff s JOIN person p ON p.id = s.person WHERE s.ended_ms IS NULL AND ";

async fn entries_of(
    connection: &mut SqliteConnection,
    class: &ClassId,
    person: &PersonKey,
) -> Result<Vec<Entry>, StoreError> {
    let text = format!("{ENTRY} s.class = $1 AND s.person = $2 ORDER BY s.id");
    let rows = sqlx::query(&text)
        .bind(class.as_str())
        .bind(person.as_str())
        .fetch_all(connection)
        .await?;
    rows.iter().map(entry_of_row).collect()
}

/// The entries of a class and its sessions that stand.
pub(crate) async fn standing_entries(
    connection: &mut SqliteConnection,
    class: &ClassId,
) -> Result<Vec<Entry>, StoreError> {
    let text = format!("{ENTRY} s.class = $1 ORDER BY s.id");
    let rows = sqlx::query(&text)
        .bind(class.as_str())
        .fetch_all(connection)
        .await?;
    rows.iter().map(entry_of_row).collect()
}

/// The trainers of classes and their sessions that stand.
pub(crate) async fn trainers(
    connection: &mut SqliteConnection,
    classes: &BTreeSet<ClassId>,
) -> Result<Vec<Entry>, StoreError> {
    let mut entries = Vec::new();
    let classes: Vec<&ClassId> = classes.iter().collect();
    for chunk in classes.chunks(CHUNK) {
        let mut query: QueryBuilder<'_, Sqlite> = QueryBuilder::new(ENTRY);
        query.push(" s.role = 'trainer' AND s.class IN (");
        let mut list = query.separated(", ");
        for class in chunk {
            list.push_bind(class.as_str());
        }
        query.push(") ORDER BY s.id");
        let rows = query.build().fetch_all(&mut *connection).await?;
        for row in &rows {
            entries.push(entry_of_row(row)?);
        }
    }
    Ok(entries)
}

/// Names of those with a role in a session: its own staff, else the class's.
pub(crate) fn names_in(
    entries: &[Entry],
    class: &ClassId,
    session: &SessionKey,
    role: StaffRole,
) -> Vec<String> {
    let of = |own: bool| -> Vec<String> {
        entries
            .iter()
            .filter(|entry| entry.class == *class && entry.role == role)
            .filter(|entry| entry.session.is_some() == own && stands_in(entry, session, entries))
            .map(|entry| entry.name.clone())
            .collect()
    };
    let own = of(true);
    if own.is_empty() { of(false) } else { own }
}

/// The whole list, ended entries too.
pub(crate) async fn read(
    connection: &mut SqliteConnection,
    class: &ClassId,
) -> Result<Vec<StaffMember>, StoreError> {
    let text = format!(
        "SELECT s.id, s.session, s.person, s.role, s.instead_of, s.ended_ms, p.name, \
         {UNIT_NAME} AS unit_name FROM staff s JOIN person p ON p.id = s.person \
         LEFT JOIN unit u ON u.id = p.unit WHERE s.class = $1 ORDER BY s.id"
    );
    let rows = sqlx::query(&text)
        .bind(class.as_str())
        .fetch_all(&mut *connection)
        .await?;
    let learners = sqlx::query(
        "SELECT l.staff, l.person FROM staff_learner l JOIN staff s ON s.id = l.staff \
         WHERE s.class = $1 ORDER BY l.staff, l.person",
    )
    .bind(class.as_str())
    .fetch_all(connection)
    .await?;
    let mut own: BTreeMap<i64, Vec<PersonKey>> = BTreeMap::new();
    for row in &learners {
        let person = PersonKey(row.try_get("person")?);
        own.entry(row.try_get("staff")?).or_default().push(person);
    }
    rows.iter()
        .map(|row| {
            let id: i64 = row.try_get("id")?;
            let session: Option<String> = row.try_get("session")?;
            let instead: Option<String> = row.try_get("instead_of")?;
            let ended: Option<i64> = row.try_get("ended_ms")?;
            Ok(StaffMember {
                id: from_db(id)?,
                person: PersonKey(row.try_get("person")?),
                name: row.try_get("name")?,
                unit: row.try_get("unit_name")?,
                role: role_of(row)?,
                session: session.map(SessionKey),
                instead_of: instead.map(PersonKey),
                learners: own.remove(&id).unwrap_or_default(),
                ended_ms: ended.map(from_db).transpose()?,
            })
        })
        .collect()
}

fn role_of(row: &SqliteRow) -> Result<StaffRole, StoreError> {
    let role: String = row.try_get("role")?;
    StaffRole::from_name(&role).ok_or_else(|| StoreError::Damaged(format!("staff role {role}")))
}

fn entry_of_row(row: &SqliteRow) -> Result<Entry, StoreError> {
    let session: Option<String> = row.try_get("session")?;
    let instead: Option<String> = row.try_get("instead_of")?;
    Ok(Entry {
        id: row.try_get("id")?,
        class: ClassId(row.try_get("class")?),
        session: session.map(SessionKey),
        person: PersonKey(row.try_get("person")?),
        name: row.try_get("name")?,
        role: role_of(row)?,
        instead_of: instead.map(PersonKey),
    })
}
