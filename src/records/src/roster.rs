//! The roster (danh sách người học): rows, versions, what each version changed.

use std::collections::{BTreeMap, BTreeSet};

use lophoc_classes::{
    Class, ClassId, ClassState, Grant, Page, RosterChange, RosterRow, RosterState, RosterVersion,
    StepRefused, UnitId,
};
use lophoc_ledger::{NameOrder, PersonKey, name_key_in};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection};

use crate::class_steps::count;
use crate::classes::{of_name, pattern, require};
use crate::error::StoreError;
use crate::people;
use crate::store::{Store, from_db, to_db};

/// Rows of one roster, withdrawn ones included. Overflow: further people are
/// refused as too many.
pub const MAX_ROSTER: u32 = 20_000;

/// How a version of a roster came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RosterHow {
    /// From a file.
    Import,
    /// Row by row.
    Manual,
    /// By a step of the class.
    State,
}

impl RosterHow {
    fn as_str(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Manual => "manual",
            Self::State => "state",
        }
    }
}

/// Who changes a roster, how and when.
#[derive(Debug, Clone, Copy)]
pub struct RosterAuthor<'a> {
    /// Who.
    pub by: &'a PersonKey,
    /// How.
    pub how: RosterHow,
    /// When, ms.
    pub now_ms: u64,
}

/// One change of a version of the roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RosterLine {
    /// Version.
    pub version: u32,
    /// Whose row.
    pub person: PersonKey,
    /// State from then on.
    pub state: RosterState,
    /// A site from then on.
    pub site: bool,
    /// Note from then on.
    pub note: String,
}

/// How many stand on a roster.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// All, sites included.
    pub(crate) people: u32,
    /// Sites among them.
    pub(crate) sites: u32,
}

/// What stands in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stands {
    state: RosterState,
    site: bool,
    note: String,
}

impl Store {
    /// Adds and changes rows: all of them in one version, or none. Whoever comes
    /// to a list after the class was opened is `added`; a row keeps its kind when it is
    /// only edited. The last change of a person counts. Nothing changed: no
    /// version, `None`.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] for `person`; [`StoreError::TooMany`];
    /// [`StoreError::Protected`] for anything after the class has finished while
    /// its six months stand; [`StoreError::Refused`] for a class that is over.
    pub async fn change_roster(
        &self,
        class: &ClassId,
        changes: &[RosterChange],
        author: RosterAuthor<'_>,
    ) -> Result<Option<RosterVersion>, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let made = change(&mut transaction, class, changes, author).await?;
        transaction.commit().await?;
        Ok(made)
    }

    /// Rows that `grant` reaches and whose name holds `q` (marks do not matter)
    /// or whose identifier is `q` (no personal number: what is asked for stands in
    /// addresses), by given name, `n` from `from` on. Identifiers
    /// in full.
    pub async fn roster_page(
        &self,
        class: &ClassId,
        grant: &Grant,
        q: &str,
        from: u32,
        n: u32,
    ) -> Result<Page<RosterRow>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let mut query: QueryBuilder<'_, Sqlite> = QueryBuilder::new("");
        push_subtree(&mut query, grant.units.iter());
        query.push(
            "SELECT r.person, r.state, r.site, r.note, p.name, p.sort, \
             (SELECT count(*) FROM account a WHERE a.person = r.person) AS accounts \
             FROM roster r JOIN person p ON p.id = r.person WHERE r.class = ",
        );
        query.push_bind(class.as_str());
        push_reach(&mut query, grant);
        let q = q.trim();
        if !q.is_empty() {
            query.push(" AND (p.folded LIKE ").push_bind(pattern(q));
            query.push(" ESCAPE '\\' OR EXISTS (SELECT 1 FROM identifier i WHERE i.person = p.id AND i.kind <> 'personal' AND i.value = ");
            query.push_bind(q).push("))");
        }
        let rows = query.build().fetch_all(&mut *transaction).await?;
        let mut sorted = Vec::with_capacity(rows.len());
        for row in &rows {
            let name: String = row.try_get("name")?;
            let sort: Option<String> = row.try_get("sort")?;
            let person: String = row.try_get("person")?;
            let key = name_key_in(NameOrder::GivenThenRest, &name, sort.as_deref());
            sorted.push((key, person, row));
        }
        sorted.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        let page: Vec<(PersonKey, &SqliteRow)> = sorted
            .into_iter()
            .skip(usize::try_from(from).unwrap_or(usize::MAX))
            .take(usize::try_from(n).unwrap_or(usize::MAX))
            .map(|(_, person, row)| (PersonKey(person), row))
            .collect();
        let keys: Vec<PersonKey> = page.iter().map(|(person, _)| person.clone()).collect();
        let mut known = people::by_ids(&mut transaction, &keys).await?;
        let mut items = Vec::with_capacity(page.len());
        for (person, row) in page {
            let Stands { state, site, note } = stands_of_row(row)?;
            let accounts: i64 = row.try_get("accounts")?;
            let person = known
                .remove(&person)
                .ok_or_else(|| StoreError::Damaged(format!("person {person} of a roster")))?;
            items.push(RosterRow {
                person,
                state,
                site,
                account: accounts > 0,
                note,
            });
        }
        Ok(Page {
            items,
            total: count(rows.len()),
        })
    }

    /// The versions of a roster, oldest first.
    pub async fn roster_versions(&self, class: &ClassId) -> Result<Vec<RosterVersion>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        versions(&mut connection, class).await
    }

    /// Everything the versions of a roster changed, in order. The roster of
    /// version n: of each person the latest line up to n.
    pub async fn roster_lines(&self, class: &ClassId) -> Result<Vec<RosterLine>, StoreError> {
        let rows = sqlx::query(
            "SELECT version, person, state, site, note FROM roster_line WHERE class = $1 \
             ORDER BY version, person",
        )
        .bind(class.as_str())
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                let Stands { state, site, note } = stands_of_row(row)?;
                Ok(RosterLine {
                    version: number(row, "version")?,
                    person: PersonKey(row.try_get("person")?),
                    state,
                    site,
                    note,
                })
            })
            .collect()
    }

    /// Whether anybody of these units, or of units below them, stands on the
    /// roster.
    pub async fn units_take_part(
        &self,
        class: &ClassId,
        units: &BTreeSet<UnitId>,
    ) -> Result<bool, StoreError> {
        if units.is_empty() {
            return Ok(false);
        }
        let mut query: QueryBuilder<'_, Sqlite> = QueryBuilder::new("");
        push_subtree(&mut query, units.iter());
        query.push(
            "SELECT count(*) FROM roster r JOIN person p ON p.id = r.person \
             WHERE r.state <> 'withdrawn' AND p.unit IN (SELECT id FROM subtree) AND r.class = ",
        );
        query.push_bind(class.as_str());
        let rows: i64 = query.build_query_scalar().fetch_one(&self.pool).await?;
        Ok(rows > 0)
    }
}

/// As [`Store::change_roster`], within a transaction of the caller's.
pub(crate) async fn change(
    connection: &mut SqliteConnection,
    class: &ClassId,
    changes: &[RosterChange],
    author: RosterAuthor<'_>,
) -> Result<Option<RosterVersion>, StoreError> {
    let known = require(connection, class).await?;
    may_change(&known)?;
    let before = standing(connection, class).await?;
    // A class without a list has nothing that could be added to: the first list
    // is the official one, also when the class is open already.
    let running = !matches!(
        known.state,
        ClassState::Draft | ClassState::Submitted | ClassState::Approved | ClassState::Preparing
    );
    let opened = running && !before.is_empty();
    // The last change of a person counts.
    let wanted: BTreeMap<&PersonKey, &RosterChange> = changes
        .iter()
        .map(|change| (&change.person, change))
        .collect();
    let mut lines = Vec::new();
    for (person, change) in wanted {
        let old = before.get(person);
        if old.is_none() && change.state == RosterState::Withdrawn {
            continue;
        }
        let new = Stands {
            state: match state_after(old, change.state, opened) {
                RosterState::Planned if running => RosterState::Official,
                state => state,
            },
            site: change.site,
            note: change.note.clone(),
        };
        if old != Some(&new) {
            lines.push((person, old, new));
        }
    }
    if lines.is_empty() {
        return Ok(None);
    }
    let news = lines.iter().filter(|(_, old, _)| old.is_none());
    if before.len() + news.count() > usize::try_from(MAX_ROSTER).unwrap_or(usize::MAX) {
        return Err(StoreError::TooMany("roster"));
    }
    let is_out = |stands: Option<&Stands>| {
        stands.is_none_or(|stands| stands.state == RosterState::Withdrawn)
    };
    let tally = |wanted: &dyn Fn(bool, bool) -> bool| {
        let fits = |line: &&(&PersonKey, Option<&Stands>, Stands)| {
            wanted(is_out(line.1), line.2.state == RosterState::Withdrawn)
        };
        count(lines.iter().filter(fits).count())
    };
    let version = RosterVersion {
        no: next_version(connection, class).await?,
        made_ms: author.now_ms,
        by: author.by.0.clone(),
        how: author.how.as_str().to_owned(),
        added: tally(&|was_out, is_out| was_out && !is_out),
        withdrawn: tally(&|was_out, is_out| !was_out && is_out),
        changed: tally(&|was_out, is_out| was_out == is_out),
    };
    write(connection, class, &version, &lines).await?;
    let name: Option<String> = sqlx::query_scalar("SELECT name FROM person WHERE id = $1")
        .bind(author.by.as_str())
        .fetch_optional(connection)
        .await?;
    Ok(Some(RosterVersion {
        by: name.unwrap_or_default(),
        ..version
    }))
}

/// A row's state after a change. Whoever comes after the opening, or comes back,
/// is an addition; who stood there before the opening stays what he was.
fn state_after(old: Option<&Stands>, wanted: RosterState, opened: bool) -> RosterState {
    let newcomer = old.is_none_or(|old| old.state == RosterState::Withdrawn);
    match wanted {
        RosterState::Withdrawn => RosterState::Withdrawn,
        _ if newcomer && opened => RosterState::Added,
        RosterState::Added => match old {
            Some(old) if !newcomer => old.state,
            _ => RosterState::Official,
        },
        RosterState::Planned if opened => old.map_or(RosterState::Added, |old| old.state),
        wanted => wanted,
    }
}

/// From the end of a class on its roster is evidence.
fn may_change(class: &Class) -> Result<(), StoreError> {
    if class.state.before_end() || class.state == ClassState::Postponed {
        return Ok(());
    }
    match class.open_until {
        Some(until)
            if !matches!(
                class.state,
                ClassState::Archived | ClassState::Destroyed | ClassState::Cancelled
            ) =>
        {
            Err(StoreError::Protected(until))
        }
        _ => Err(StoreError::Refused(StepRefused::WrongState)),
    }
}

/// At the opening: who was planned is official.
pub(crate) async fn confirm(
    connection: &mut SqliteConnection,
    class: &ClassId,
    by: &PersonKey,
    now_ms: u64,
) -> Result<(), StoreError> {
    let before = standing(connection, class).await?;
    let lines: Vec<(&PersonKey, Option<&Stands>, Stands)> = before
        .iter()
        .filter(|(_, old)| old.state == RosterState::Planned)
        .map(|(person, old)| {
            let new = Stands {
                state: RosterState::Official,
                ..old.clone()
            };
            (person, Some(old), new)
        })
        .collect();
    if lines.is_empty() {
        return Ok(());
    }
    let version = RosterVersion {
        no: next_version(connection, class).await?,
        made_ms: now_ms,
        by: by.0.clone(),
        how: RosterHow::State.as_str().to_owned(),
        added: 0,
        changed: count(lines.len()),
        withdrawn: 0,
    };
    write(connection, class, &version, &lines).await
}

/// How many stand.
pub(crate) async fn counts(
    connection: &mut SqliteConnection,
    class: &ClassId,
) -> Result<Counts, StoreError> {
    let row = sqlx::query(
        "SELECT count(*) AS people, coalesce(sum(CASE WHEN site THEN 1 ELSE 0 END), 0) AS sites \
         FROM roster WHERE class = $1 AND state <> 'withdrawn'",
    )
    .bind(class.as_str())
    .fetch_one(connection)
    .await?;
    Ok(Counts {
        people: number(&row, "people")?,
        sites: number(&row, "sites")?,
    })
}

/// Who stands without a sector or personal identifier; sites have none.
pub(crate) async fn nameless(
    connection: &mut SqliteConnection,
    class: &ClassId,
) -> Result<Vec<PersonKey>, StoreError> {
    let people: Vec<String> = sqlx::query_scalar(
        "SELECT r.person FROM roster r WHERE r.class = $1 AND r.state <> 'withdrawn' \
         AND NOT r.site AND NOT EXISTS (SELECT 1 FROM identifier i WHERE i.person = r.person \
         AND i.kind IN ('sector', 'personal')) ORDER BY r.person",
    )
    .bind(class.as_str())
    .fetch_all(connection)
    .await?;
    Ok(people.into_iter().map(PersonKey).collect())
}

/// `WITH RECURSIVE subtree (id)`: units and all below them, by either parent.
/// Nothing when there are none.
pub(crate) fn push_subtree<'a>(
    query: &mut QueryBuilder<'a, Sqlite>,
    units: impl ExactSizeIterator<Item = &'a UnitId>,
) {
    if units.len() == 0 {
        return;
    }
    query.push("WITH RECURSIVE subtree (id) AS (SELECT id FROM unit WHERE id IN (");
    let mut list = query.separated(", ");
    for unit in units {
        list.push_bind(unit.as_str());
    }
    query.push(
        ") UNION SELECT below.id FROM subtree JOIN unit below \
         ON below.parent_admin = subtree.id OR below.parent_professional = subtree.id \
         OR below.merged_into = subtree.id) ",
    );
}

/// Cuts rows of `roster r` and `person p` to those a grant reaches; after
/// [`push_subtree`] of its units.
pub(crate) fn push_reach<'a>(query: &mut QueryBuilder<'a, Sqlite>, grant: &'a Grant) {
    if grant.all {
        return;
    }
    query.push(" AND (1 = 0");
    if !grant.units.is_empty() {
        query.push(" OR p.unit IN (SELECT id FROM subtree)");
    }
    if !grant.people.is_empty() {
        query.push(" OR r.person IN (");
        let mut list = query.separated(", ");
        for person in &grant.people {
            list.push_bind(person.as_str());
        }
        query.push(")");
    }
    query.push(")");
}

async fn standing(
    connection: &mut SqliteConnection,
    class: &ClassId,
) -> Result<BTreeMap<PersonKey, Stands>, StoreError> {
    let rows = sqlx::query("SELECT person, state, site, note FROM roster WHERE class = $1")
        .bind(class.as_str())
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| Ok((PersonKey(row.try_get("person")?), stands_of_row(row)?)))
        .collect()
}

fn stands_of_row(row: &SqliteRow) -> Result<Stands, StoreError> {
    Ok(Stands {
        state: of_name(row.try_get("state")?)?,
        site: row.try_get("site")?,
        note: row.try_get("note")?,
    })
}

async fn next_version(
    connection: &mut SqliteConnection,
    class: &ClassId,
) -> Result<u32, StoreError> {
    let last: i64 =
        sqlx::query_scalar("SELECT coalesce(max(no), 0) FROM roster_version WHERE class = $1")
            .bind(class.as_str())
            .fetch_one(connection)
            .await?;
    u32::try_from(last.saturating_add(1)).map_err(|_| StoreError::TooMany("versions"))
}

async fn write(
    connection: &mut SqliteConnection,
    class: &ClassId,
    version: &RosterVersion,
    lines: &[(&PersonKey, Option<&Stands>, Stands)],
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO roster_version (class, no, made_ms, made_by, how, added, changed, withdrawn) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(class.as_str())
    .bind(i64::from(version.no))
    .bind(to_db(version.made_ms)?)
    .bind(&version.by)
    .bind(&version.how)
    .bind(i64::from(version.added))
    .bind(i64::from(version.changed))
    .bind(i64::from(version.withdrawn))
    .execute(&mut *connection)
    .await?;
    for (person, _, new) in lines {
        let state = state_name(new.state);
        let done = sqlx::query(
            "INSERT INTO roster (class, person, state, site, note) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (class, person) DO UPDATE SET state = excluded.state, \
             site = excluded.site, note = excluded.note",
        )
        .bind(class.as_str())
        .bind(person.as_str())
        .bind(state)
        .bind(new.site)
        .bind(&new.note)
        .execute(&mut *connection)
        .await;
        match done {
            Ok(_) => {}
            Err(error)
                if error
                    .as_database_error()
                    .is_some_and(|inner| inner.is_foreign_key_violation()) =>
            {
                return Err(StoreError::Unknown("person"));
            }
            Err(error) => return Err(error.into()),
        }
        sqlx::query(
            "INSERT INTO roster_line (class, version, person, state, site, note) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(class.as_str())
        .bind(i64::from(version.no))
        .bind(person.as_str())
        .bind(state)
        .bind(new.site)
        .bind(&new.note)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

fn state_name(state: RosterState) -> &'static str {
    match state {
        RosterState::Planned => "planned",
        RosterState::Official => "official",
        RosterState::Added => "added",
        RosterState::Withdrawn => "withdrawn",
    }
}

async fn versions(
    connection: &mut SqliteConnection,
    class: &ClassId,
) -> Result<Vec<RosterVersion>, StoreError> {
    let rows = sqlx::query(
        "SELECT v.no, v.made_ms, coalesce(p.name, '') AS name, v.how, v.added, v.changed, \
         v.withdrawn FROM roster_version v LEFT JOIN person p ON p.id = v.made_by \
         WHERE v.class = $1 ORDER BY v.no",
    )
    .bind(class.as_str())
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let made: i64 = row.try_get("made_ms")?;
            Ok(RosterVersion {
                no: number(row, "no")?,
                made_ms: from_db(made)?,
                by: row.try_get("name")?,
                how: row.try_get("how")?,
                added: number(row, "added")?,
                changed: number(row, "changed")?,
                withdrawn: number(row, "withdrawn")?,
            })
        })
        .collect()
}

fn number(row: &SqliteRow, column: &str) -> Result<u32, StoreError> {
    let number: i64 = row.try_get(column)?;
    u32::try_from(number).map_err(|_| StoreError::Damaged(format!("{column} {number}")))
}
