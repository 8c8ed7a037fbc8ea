//! The list of classes, the calendar and somebody's own classes, each cut to
//! what the asker may see.

use std::collections::{BTreeMap, BTreeSet};

use lophoc_classes::{
    Actor, Class, ClassId, ClassLine, ClassState, Grant, Page, Session, SessionPhase, StaffRole,
    UnitId, UnitRole,
};
use lophoc_ledger::PersonKey;
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection};

use crate::class_steps::count;
use crate::classes::{CLASS_COLUMNS, class_of_row, pattern};
use crate::error::StoreError;
use crate::roster::{push_reach, push_subtree};
use crate::session_phase::{self, Of};
use crate::store::{Store, to_db};

/// Entries of one answer of the calendar. Overflow: the later ones are left out.
pub const MAX_CALENDAR: u32 = 2_000;
/// Own classes in one answer. Overflow: the oldest are left out.
pub const MAX_OWN: u32 = 200;

/// Which classes, within what the asker may see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClassFilter {
    /// Only in this state.
    pub state: Option<ClassState>,
    /// Title, code or host holds this; marks do not matter.
    pub q: String,
    /// First entry.
    pub from: u32,
    /// Number of entries.
    pub n: u32,
}

/// A class somebody takes part in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnClass {
    /// The class.
    pub class: Class,
    /// `learner` and names of staff roles.
    pub roles: Vec<String>,
    /// Its sessions, in order.
    pub sessions: Vec<Session>,
}

/// Units whose subtree the asker sees: as host, and as home of people.
struct Reach<'a> {
    hosts: BTreeSet<&'a UnitId>,
    homes: BTreeSet<&'a UnitId>,
}

impl<'a> Reach<'a> {
    fn of(actor: &'a Actor) -> Self {
        let mut reach = Self {
            hosts: BTreeSet::new(),
            homes: BTreeSet::new(),
        };
        for role in &actor.units {
            match role {
                UnitRole::Organiser { unit } => {
                    reach.hosts.insert(unit);
                }
                UnitRole::Inspector { unit } | UnitRole::Contact { unit } => {
                    reach.hosts.insert(unit);
                    reach.homes.insert(unit);
                }
            }
        }
        reach
    }
}

impl Store {
    /// Classes the asker may see, those with the latest beginning first.
    pub async fn class_lines(
        &self,
        actor: &Actor,
        filter: &ClassFilter,
        now_ms: u64,
    ) -> Result<Page<ClassLine>, StoreError> {
        let reach = Reach::of(actor);
        let mut transaction = self.pool.begin().await?;
        let mut query = seen(
            actor,
            &reach,
            "SELECT count(*) AS total FROM seen c WHERE 1 = 1",
        );
        push_filter(&mut query, filter);
        let total: i64 = query
            .build_query_scalar()
            .fetch_one(&mut *transaction)
            .await?;
        let mut query = seen(actor, &reach, "SELECT * FROM seen c WHERE 1 = 1");
        push_filter(&mut query, filter);
        query.push(" ORDER BY coalesce(c.from_day, '') DESC, c.created_ms DESC, c.id LIMIT ");
        query.push_bind(i64::from(filter.n)).push(" OFFSET ");
        query.push_bind(i64::from(filter.from));
        let rows = query.build().fetch_all(&mut *transaction).await?;
        let classes: Vec<Class> = rows.iter().map(class_of_row).collect::<Result<_, _>>()?;
        let ids: Vec<ClassId> = classes.iter().map(|class| class.id.clone()).collect();
        let mut sessions =
            by_class(session_phase::read(&mut transaction, Of::Classes(&ids)).await?);
        let mut items = Vec::with_capacity(classes.len());
        for class in classes {
            let own = sessions.remove(&class.id).unwrap_or_default();
            let planned = own
                .iter()
                .filter(|one| one.phase != SessionPhase::Cancelled);
            items.push(ClassLine {
                people: crate::roster::counts(&mut transaction, &class.id)
                    .await?
                    .people,
                sessions: count(planned.count()),
                next: next_session(&own, now_ms).cloned(),
                class,
            });
        }
        Ok(Page {
            items,
            total: u32::try_from(total).unwrap_or(u32::MAX),
        })
    }

    /// Sessions that begin from `from_ms` until before `to_ms`, of classes the
    /// asker may see, in order.
    pub async fn calendar(
        &self,
        actor: &Actor,
        from_ms: u64,
        to_ms: u64,
    ) -> Result<Vec<(ClassId, String, Session)>, StoreError> {
        let reach = Reach::of(actor);
        let mut transaction = self.pool.begin().await?;
        let mut query = seen(
            actor,
            &reach,
            "SELECT DISTINCT c.id, c.title FROM seen c JOIN session s ON s.class = c.id \
             WHERE s.starts_ms >= ",
        );
        query.push_bind(to_db(from_ms)?).push(" AND s.starts_ms < ");
        query.push_bind(to_db(to_ms)?).push(" LIMIT ");
        query.push_bind(i64::from(MAX_CALENDAR));
        let rows = query.build().fetch_all(&mut *transaction).await?;
        let mut titles: BTreeMap<ClassId, String> = BTreeMap::new();
        for row in &rows {
            titles.insert(ClassId(row.try_get("id")?), row.try_get("title")?);
        }
        let ids: Vec<ClassId> = titles.keys().cloned().collect();
        let mut all = session_phase::read(&mut transaction, Of::Classes(&ids)).await?;
        all.retain(|one| {
            one.form
                .starts_ms
                .is_some_and(|starts| (from_ms..to_ms).contains(&starts))
        });
        all.sort_by(|a, b| (a.form.starts_ms, &a.id).cmp(&(b.form.starts_ms, &b.id)));
        all.truncate(usize::try_from(MAX_CALENDAR).unwrap_or(usize::MAX));
        Ok(all
            .into_iter()
            .map(|session| {
                let title = titles.get(&session.class).cloned().unwrap_or_default();
                (session.class.clone(), title, session)
            })
            .collect())
    }

    /// Whether a grant reaches every one of these people.
    ///
    /// # Errors
    /// The database's.
    pub async fn reaches(&self, grant: &Grant, people: &[PersonKey]) -> Result<bool, StoreError> {
        if grant.all {
            return Ok(true);
        }
        let others: BTreeSet<&PersonKey> = people
            .iter()
            .filter(|person| !grant.people.contains(person))
            .collect();
        if others.is_empty() || grant.units.is_empty() {
            return Ok(others.is_empty());
        }
        let others: Vec<&PersonKey> = others.into_iter().collect();
        for chunk in others.chunks(200) {
            let mut query: QueryBuilder<'_, Sqlite> = QueryBuilder::new("");
            push_subtree(&mut query, grant.units.iter());
            query.push(
                "SELECT count(*) FROM person p WHERE p.unit IN (SELECT id FROM subtree) \
                 AND p.id IN (",
            );
            let mut list = query.separated(", ");
            for person in chunk {
                list.push_bind(person.as_str());
            }
            query.push(")");
            let within: i64 = query.build_query_scalar().fetch_one(&self.pool).await?;
            if usize::try_from(within).ok() != Some(chunk.len()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Who of a roster a grant reaches.
    ///
    /// # Errors
    /// The database's.
    pub async fn reached(
        &self,
        grant: &Grant,
        class: &ClassId,
    ) -> Result<BTreeSet<PersonKey>, StoreError> {
        let mut query: QueryBuilder<'_, Sqlite> = QueryBuilder::new("");
        push_subtree(&mut query, grant.units.iter());
        query.push(
            "SELECT r.person FROM roster r JOIN person p ON p.id = r.person \
             WHERE r.state <> 'withdrawn' AND r.class = ",
        );
        query.push_bind(class.as_str());
        push_reach(&mut query, grant);
        let people: Vec<String> = query.build_query_scalar().fetch_all(&self.pool).await?;
        Ok(people.into_iter().map(PersonKey).collect())
    }

    /// The classes somebody is on the roster or staff of. A learner's class
    /// shows from its opening on; a cancelled one does not.
    pub async fn own_classes(&self, person: &PersonKey) -> Result<Vec<OwnClass>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let text = format!(
            "SELECT * FROM (SELECT {CLASS_COLUMNS}, \
             EXISTS (SELECT 1 FROM roster r WHERE r.class = c.id AND r.person = $1 \
             AND r.state <> 'withdrawn') AS enrolled, \
             EXISTS (SELECT 1 FROM staff f WHERE f.class = c.id AND f.person = $1 \
             AND f.ended_ms IS NULL) AS works FROM class c) mine \
             WHERE mine.works OR mine.enrolled AND mine.state NOT IN \
             ('draft', 'submitted', 'approved', 'preparing', 'cancelled', 'destroyed') \
             ORDER BY mine.created_ms DESC, mine.id LIMIT $2"
        );
        let rows = sqlx::query(&text)
            .bind(person.as_str())
            .bind(i64::from(MAX_OWN))
            .fetch_all(&mut *transaction)
            .await?;
        let mut own = Vec::with_capacity(rows.len());
        for row in &rows {
            let enrolled: bool = row.try_get("enrolled")?;
            own.push((class_of_row(row)?, enrolled));
        }
        let ids: Vec<ClassId> = own.iter().map(|(class, _)| class.id.clone()).collect();
        let mut sessions =
            by_class(session_phase::read(&mut transaction, Of::Classes(&ids)).await?);
        let mut roles = roles_of(&mut transaction, person).await?;
        Ok(own
            .into_iter()
            .map(|(class, enrolled)| {
                let staff = roles.remove(&class.id).unwrap_or_default();
                let learner = enrolled.then(|| "learner".to_owned());
                OwnClass {
                    roles: learner
                        .into_iter()
                        .chain(staff.iter().map(|role| role.as_str().to_owned()))
                        .collect(),
                    sessions: sessions.remove(&class.id).unwrap_or_default(),
                    class,
                }
            })
            .collect())
    }
}

/// The session that runs now, else the one that comes next, else one without a
/// planned time that was not held.
pub fn next_session(sessions: &[Session], now_ms: u64) -> Option<&Session> {
    let open = |one: &&Session| !one.phase.is_held() && one.phase != SessionPhase::Cancelled;
    let live = |one: &&Session| matches!(one.phase, SessionPhase::Running | SessionPhase::Break);
    let coming = |one: &&Session| {
        let until = one.form.ends_ms.or(one.form.starts_ms);
        open(one) && until.is_some_and(|until| until >= now_ms)
    };
    let untimed = |one: &&Session| open(one) && one.form.starts_ms.is_none();
    sessions
        .iter()
        .find(live)
        .or_else(|| {
            let all = sessions.iter().filter(coming);
            all.min_by_key(|one| one.form.starts_ms)
        })
        .or_else(|| sessions.iter().find(untimed))
}

fn by_class(sessions: Vec<Session>) -> BTreeMap<ClassId, Vec<Session>> {
    let mut map: BTreeMap<ClassId, Vec<Session>> = BTreeMap::new();
    for session in sessions {
        map.entry(session.class.clone()).or_default().push(session);
    }
    map
}

async fn roles_of(
    connection: &mut SqliteConnection,
    person: &PersonKey,
) -> Result<BTreeMap<ClassId, BTreeSet<StaffRole>>, StoreError> {
    let rows = sqlx::query(
        "SELECT class, role FROM staff WHERE person = $1 AND ended_ms IS NULL ORDER BY id",
    )
    .bind(person.as_str())
    .fetch_all(connection)
    .await?;
    let mut roles: BTreeMap<ClassId, BTreeSet<StaffRole>> = BTreeMap::new();
    for row in &rows {
        let name: String = row.try_get("role")?;
        let role = StaffRole::from_name(&name)
            .ok_or_else(|| StoreError::Damaged(format!("staff role {name}")))?;
        roles
            .entry(ClassId(row.try_get("class")?))
            .or_default()
            .insert(role);
    }
    Ok(roles)
}

/// As [`seen`], for other lists.
pub(crate) fn seen_classes<'a>(actor: &'a Actor, tail: &str) -> QueryBuilder<'a, Sqlite> {
    seen(actor, &Reach::of(actor), tail)
}

/// `tail` over the table `seen`: the classes that `SeeClass` of the table of
/// rights reaches for the asker, told in SQL. The test of rights holds the two
/// against each other.
fn seen<'a>(actor: &'a Actor, reach: &Reach<'a>, tail: &str) -> QueryBuilder<'a, Sqlite> {
    let mut query: QueryBuilder<'a, Sqlite> = QueryBuilder::new("WITH RECURSIVE ");
    push_tree(&mut query, "hosts", &reach.hosts);
    query.push(", ");
    push_tree(&mut query, "homes", &reach.homes);
    query.push(format!(
        ", seen AS (SELECT {CLASS_COLUMNS}, c.search FROM class c WHERE "
    ));
    if actor.admin {
        query.push("1 = 1");
    } else {
        query.push(
            "c.host IN (SELECT id FROM hosts) \
             OR EXISTS (SELECT 1 FROM staff f WHERE f.class = c.id AND f.ended_ms IS NULL \
             AND f.person = ",
        );
        query.push_bind(actor.person.as_str());
        query.push(
            ") OR EXISTS (SELECT 1 FROM roster r WHERE r.class = c.id \
             AND r.state <> 'withdrawn' AND r.person = ",
        );
        query.push_bind(actor.person.as_str());
        query.push(
            ") OR EXISTS (SELECT 1 FROM roster r JOIN person p ON p.id = r.person \
             WHERE r.class = c.id AND r.state <> 'withdrawn' \
             AND p.unit IN (SELECT id FROM homes))",
        );
    }
    query.push(") ").push(tail);
    query
}

/// `name (id)`: units and all below them, by either parent.
fn push_tree<'a>(query: &mut QueryBuilder<'a, Sqlite>, name: &str, units: &BTreeSet<&'a UnitId>) {
    query.push(format!("{name} (id) AS (SELECT id FROM unit WHERE "));
    if units.is_empty() {
        query.push("1 = 0");
    } else {
        query.push("id IN (");
        let mut list = query.separated(", ");
        for unit in units {
            list.push_bind(unit.as_str());
        }
        query.push(")");
    }
    query.push(format!(
        " UNION SELECT below.id FROM {name} JOIN unit below \
         ON below.parent_admin = {name}.id OR below.parent_professional = {name}.id)"
    ));
}

fn push_filter<'a>(query: &mut QueryBuilder<'a, Sqlite>, filter: &ClassFilter) {
    if let Some(state) = filter.state {
        query.push(" AND c.state = ").push_bind(state.as_str());
    }
    if !filter.q.trim().is_empty() {
        // Classes from before have nothing folded; their title is compared as it is.
        query
            .push(" AND (c.search LIKE ")
            .push_bind(pattern(&filter.q));
        query.push(" ESCAPE '\\' OR c.search = '' AND lower(c.title) LIKE lower(");
        query.push_bind(format!(
            "%{}%",
            filter.q.trim().replace(['%', '_', '\\'], "")
        ));
        query.push("))");
    }
}
