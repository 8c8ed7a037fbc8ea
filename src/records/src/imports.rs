//! Import of rosters: what a file is compared with, and its writing: people,
//! identifiers, the roster's new version and accounts in one transaction, or
//! nothing at all.

use std::collections::{BTreeMap, BTreeSet};

use lophoc_classes::import::{ImportWrite, KnownPeople, OnRoster, Wanted, fill};
use lophoc_classes::{
    ClassId, Grant, IdentifierKind, PersonForm, RosterChange, RosterState, RosterVersion, UnitId,
};
use lophoc_ledger::{PersonKey, match_name};
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection};

use crate::error::StoreError;
use crate::people;
use crate::roster::{self, RosterAuthor, RosterHow};
use crate::store::{Store, to_db};

/// Values asked for by one statement.
const CHUNK: usize = 200;

/// What a file is compared with.
#[derive(Debug, Clone)]
pub struct ImportFacts {
    /// People and the roster.
    pub known: KnownPeople,
    /// Version of the roster that was read, 0 before the first.
    pub version: u32,
    /// Who of the known people has an account.
    pub with_account: BTreeSet<PersonKey>,
}

/// Accounts to be made with an import.
pub struct ImportAccounts<'a> {
    /// Hashes of first passwords, one for each account that may be needed.
    pub secrets: Vec<String>,
    /// People of the file who are on the roster already and unchanged.
    pub also: Vec<PersonKey>,
    /// Login to begin with, for a person; a number is put behind it when it is
    /// taken.
    pub login: &'a (dyn Fn(&PersonForm) -> String + Sync),
}

/// An import that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The roster's new version; absent when no row changed.
    pub version: Option<RosterVersion>,
    /// Accounts made: who, login, place of the secret.
    pub accounts: Vec<(PersonKey, String, usize)>,
}

/// What an import writes and on what ground.
pub struct ImportOrder<'a> {
    /// The class.
    pub class: &'a ClassId,
    /// Version of the roster the decision was made on.
    pub seen: u32,
    /// The writes.
    pub writes: &'a [ImportWrite],
    /// The rows are sites.
    pub sites: bool,
    /// Accounts to be made.
    pub accounts: Option<ImportAccounts<'a>>,
    /// Who.
    pub by: &'a PersonKey,
    /// When, ms.
    pub now_ms: u64,
}

impl Store {
    /// What a file is compared with: everybody on the roster, everybody `wanted`
    /// asks for, units that stand on `on` (`YYYY-MM-DD`); for an importer whose
    /// right goes as far as `grant`.
    ///
    /// # Errors
    /// [`StoreError::UnknownClass`].
    pub async fn import_facts(
        &self,
        class: &ClassId,
        wanted: &Wanted,
        grant: &Grant,
        on: &str,
    ) -> Result<ImportFacts, StoreError> {
        let mut read = self.pool.begin().await?;
        let host: Option<Option<String>> =
            sqlx::query_scalar("SELECT host FROM class WHERE id = $1")
                .bind(class.as_str())
                .fetch_optional(&mut *read)
                .await?;
        let host = host.ok_or_else(|| StoreError::UnknownClass(class.0.clone()))?;
        let roster = rows(&mut read, class).await?;
        let mut ids: BTreeSet<PersonKey> = roster.keys().cloned().collect();
        by_identifier(&mut read, wanted, &mut ids).await?;
        by_name_and_day(&mut read, wanted, &mut ids).await?;
        let ids: Vec<PersonKey> = ids.into_iter().collect();
        let people = people::by_ids(&mut read, &ids).await?;
        let with_account = with_account(&mut read, &ids).await?;
        let known = KnownPeople {
            people: people.into_values().collect(),
            roster,
            units: units(&mut read, wanted, on).await?,
            local_issuer: host.unwrap_or_default(),
            only_units: match grant.all {
                true => None,
                false => Some(subtree(&mut read, &grant.units).await?),
            },
            only_people: grant.people.clone(),
        };
        let version = latest(&mut read, class).await?;
        Ok(ImportFacts {
            known,
            version,
            with_account,
        })
    }

    /// Writes an import: all of it or nothing.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when the roster has another version than the one
    /// seen; [`StoreError::Taken`] `identifiers` when somebody got one of them
    /// in the meantime; those of [`Store::change_roster`].
    pub async fn apply_import(&self, order: &ImportOrder<'_>) -> Result<Imported, StoreError> {
        let mut change = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        if latest(&mut change, order.class).await? != order.seen {
            return Err(StoreError::Stale);
        }
        let before = rows(&mut change, order.class).await?;
        let mut changes = Vec::with_capacity(order.writes.len());
        let mut touched = Vec::new();
        for write in order.writes {
            let row = write_one(&mut change, write, &before, order).await?;
            if row.state != RosterState::Withdrawn {
                touched.push(row.person.clone());
            }
            changes.push(row);
        }
        let author = RosterAuthor {
            by: order.by,
            how: RosterHow::Import,
            now_ms: order.now_ms,
        };
        let version = roster::change(&mut change, order.class, &changes, author).await?;
        let accounts = match &order.accounts {
            Some(wanted) => {
                touched.extend(wanted.also.iter().cloned());
                add_accounts(&mut change, wanted, &touched, order).await?
            }
            None => Vec::new(),
        };
        change.commit().await?;
        Ok(Imported { version, accounts })
    }
}

/// Writes the person and gives the row of the roster that goes with him.
async fn write_one(
    change: &mut SqliteConnection,
    write: &ImportWrite,
    before: &BTreeMap<PersonKey, OnRoster>,
    order: &ImportOrder<'_>,
) -> Result<RosterChange, StoreError> {
    match write {
        ImportWrite::New { form, note } => {
            let person = people::insert_person(change, form, order.now_ms).await?;
            log(change, order, "person", &person).await?;
            Ok(RosterChange {
                person,
                // The roster makes an addition of whoever comes after the opening.
                state: RosterState::Planned,
                site: order.sites,
                note: note.clone(),
            })
        }
        ImportWrite::Known { person, form, note } => {
            let mut now = people::by_ids(change, std::slice::from_ref(person)).await?;
            let known = now.remove(person).ok_or(StoreError::Stale)?;
            let mut filled = known.form.clone();
            fill(&mut filled, form);
            if filled != known.form {
                people::update_person(change, person, &filled).await?;
                log(change, order, "person", person).await?;
            }
            let row = before.get(person);
            let state = row.map_or(RosterState::Planned, |row| match row.state {
                RosterState::Withdrawn => RosterState::Planned,
                state => state,
            });
            let old_note = row.map_or("", |row| row.note.as_str());
            Ok(RosterChange {
                person: person.clone(),
                state,
                site: order.sites || row.is_some_and(|row| row.site),
                note: if note.is_empty() { old_note } else { note }.to_owned(),
            })
        }
        ImportWrite::Withdraw { person } => {
            let row = before.get(person).ok_or(StoreError::Stale)?;
            Ok(RosterChange {
                person: person.clone(),
                state: RosterState::Withdrawn,
                site: row.site,
                note: row.note.clone(),
            })
        }
    }
}

async fn add_accounts(
    change: &mut SqliteConnection,
    wanted: &ImportAccounts<'_>,
    touched: &[PersonKey],
    order: &ImportOrder<'_>,
) -> Result<Vec<(PersonKey, String, usize)>, StoreError> {
    let had = with_account(change, touched).await?;
    let known = people::by_ids(change, touched).await?;
    let mut made = Vec::new();
    let mut secrets = wanted.secrets.iter().enumerate();
    for (person, data) in &known {
        if had.contains(person) {
            continue;
        }
        // Accounts taken away in the meantime: decide anew.
        let (place, secret) = secrets.next().ok_or(StoreError::Stale)?;
        let login = free_login(change, &(wanted.login)(&data.form)).await?;
        sqlx::query(
            "INSERT INTO account (person, login, secret, state, must_change, admin, fails, created_ms) \
             VALUES ($1, $2, $3, 'new', 1, 0, 0, $4)",
        )
        .bind(person.as_str())
        .bind(&login)
        .bind(secret)
        .bind(to_db(order.now_ms)?)
        .execute(&mut *change)
        .await?;
        log(change, order, "account", person).await?;
        made.push((person.clone(), login, place));
    }
    Ok(made)
}

async fn free_login(change: &mut SqliteConnection, base: &str) -> Result<String, StoreError> {
    for number in 1..10_000_u32 {
        let login = match number {
            1 => base.to_owned(),
            number => format!("{base}{number}"),
        };
        let taken: Option<i64> = sqlx::query_scalar("SELECT 1 FROM account WHERE login = $1")
            .bind(&login)
            .fetch_optional(&mut *change)
            .await?;
        if taken.is_none() {
            return Ok(login);
        }
    }
    Err(StoreError::Taken("login"))
}

async fn log(
    change: &mut SqliteConnection,
    order: &ImportOrder<'_>,
    what: &str,
    about: &PersonKey,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO people_log (at_ms, made_by, what, about) VALUES ($1, $2, $3, $4)")
        .bind(to_db(order.now_ms)?)
        .bind(order.by.as_str())
        .bind(what)
        .bind(about.as_str())
        .execute(change)
        .await?;
    Ok(())
}

async fn rows(
    connection: &mut SqliteConnection,
    class: &ClassId,
) -> Result<BTreeMap<PersonKey, OnRoster>, StoreError> {
    let rows = sqlx::query("SELECT person, state, site, note FROM roster WHERE class = $1")
        .bind(class.as_str())
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            let state: String = row.try_get("state")?;
            let on_roster = OnRoster {
                state: crate::classes::of_name(state)?,
                site: row.try_get("site")?,
                note: row.try_get("note")?,
            };
            Ok((PersonKey(row.try_get("person")?), on_roster))
        })
        .collect()
}

async fn latest(connection: &mut SqliteConnection, class: &ClassId) -> Result<u32, StoreError> {
    let last: i64 =
        sqlx::query_scalar("SELECT coalesce(max(no), 0) FROM roster_version WHERE class = $1")
            .bind(class.as_str())
            .fetch_one(connection)
            .await?;
    u32::try_from(last).map_err(|_| StoreError::Damaged(format!("roster version {last}")))
}

async fn by_identifier(
    connection: &mut SqliteConnection,
    wanted: &Wanted,
    ids: &mut BTreeSet<PersonKey>,
) -> Result<(), StoreError> {
    for (kind, name) in [
        (IdentifierKind::Sector, "sector"),
        (IdentifierKind::Personal, "personal"),
        (IdentifierKind::Local, "local"),
    ] {
        let values = wanted.identifiers.iter();
        let values: Vec<&String> = values
            .filter(|(of, _)| *of == kind)
            .map(|(_, value)| value)
            .collect();
        for chunk in values.chunks(CHUNK) {
            let mut query: QueryBuilder<'_, Sqlite> =
                QueryBuilder::new("SELECT person FROM identifier WHERE kind = ");
            query.push_bind(name).push(" AND value IN (");
            let mut list = query.separated(", ");
            for value in chunk {
                list.push_bind(value.as_str());
            }
            query.push(")");
            let found: Vec<String> = query
                .build_query_scalar()
                .fetch_all(&mut *connection)
                .await?;
            ids.extend(found.into_iter().map(PersonKey));
        }
    }
    Ok(())
}

async fn by_name_and_day(
    connection: &mut SqliteConnection,
    wanted: &Wanted,
    ids: &mut BTreeSet<PersonKey>,
) -> Result<(), StoreError> {
    let pairs: Vec<(&String, String)> = wanted
        .names
        .iter()
        .map(|(name, born)| (name, born.to_string()))
        .collect();
    for chunk in pairs.chunks(CHUNK) {
        let mut query: QueryBuilder<'_, Sqlite> = QueryBuilder::new("SELECT id FROM person WHERE ");
        let mut list = query.separated(" OR ");
        for (name, born) in chunk {
            list.push("(folded = ");
            list.push_bind_unseparated(name.as_str());
            list.push_unseparated(" AND born = ");
            list.push_bind_unseparated(born.as_str());
            list.push_unseparated(")");
        }
        let found: Vec<String> = query
            .build_query_scalar()
            .fetch_all(&mut *connection)
            .await?;
        ids.extend(found.into_iter().map(PersonKey));
    }
    Ok(())
}

/// Units that stand on a day by name; names of several are left out.
async fn units(
    connection: &mut SqliteConnection,
    wanted: &Wanted,
    on: &str,
) -> Result<BTreeMap<String, UnitId>, StoreError> {
    let names: Vec<&String> = wanted.units.iter().collect();
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for chunk in names.chunks(CHUNK) {
        let mut query: QueryBuilder<'_, Sqlite> = QueryBuilder::new(
            "SELECT id, name FROM unit WHERE (valid_from IS NULL OR valid_from <= ",
        );
        query
            .push_bind(on)
            .push(") AND (valid_to IS NULL OR valid_to >= ");
        query.push_bind(on).push(") AND folded IN (");
        let mut list = query.separated(", ");
        for name in chunk {
            list.push_bind(name.as_str());
        }
        query.push(")");
        for row in query.build().fetch_all(&mut *connection).await? {
            let name: String = row.try_get("name")?;
            let id: String = row.try_get("id")?;
            found.entry(match_name(&name)).or_default().insert(id);
        }
    }
    Ok(found
        .into_iter()
        .filter(|(_, ids)| ids.len() == 1)
        .filter_map(|(name, ids)| Some((name, UnitId(ids.into_iter().next()?))))
        .collect())
}

async fn subtree(
    connection: &mut SqliteConnection,
    units: &BTreeSet<UnitId>,
) -> Result<BTreeSet<UnitId>, StoreError> {
    if units.is_empty() {
        return Ok(BTreeSet::new());
    }
    let mut query: QueryBuilder<'_, Sqlite> = QueryBuilder::new("");
    roster::push_subtree(&mut query, units.iter());
    query.push("SELECT id FROM subtree");
    let ids: Vec<String> = query.build_query_scalar().fetch_all(connection).await?;
    Ok(ids.into_iter().map(UnitId).collect())
}

async fn with_account(
    connection: &mut SqliteConnection,
    people: &[PersonKey],
) -> Result<BTreeSet<PersonKey>, StoreError> {
    let mut with = BTreeSet::new();
    for chunk in people.chunks(CHUNK) {
        let mut query: QueryBuilder<'_, Sqlite> =
            QueryBuilder::new("SELECT person FROM account WHERE person IN (");
        let mut list = query.separated(", ");
        for person in chunk {
            list.push_bind(person.as_str());
        }
        query.push(")");
        let found: Vec<String> = query
            .build_query_scalar()
            .fetch_all(&mut *connection)
            .await?;
        with.extend(found.into_iter().map(PersonKey));
    }
    Ok(with)
}
