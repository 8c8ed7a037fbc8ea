//! Who should be in a session, and what a sheet shows of them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use lophoc_classes::{ClassId, Day, RosterState, UnitId};
use lophoc_ledger::{Expected, PersonKey, SessionKey, match_name};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite};

use crate::attendance::AttendanceInput;
use crate::error::StoreError;
use crate::store::{Store, fields_from_db, from_db};

/// A person of a roster, as sheets and halls need him.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Who.
    pub person: PersonKey,
    /// Name.
    pub name: String,
    /// Explicit key to sort by.
    pub sort: Option<String>,
    /// Day of birth.
    pub born: Option<Day>,
    /// Post.
    pub position: String,
    /// Unit in the tree.
    pub unit: Option<UnitId>,
    /// Unit to show.
    pub unit_name: String,
    /// Phone.
    pub phone: String,
    /// Key identifier: of the sector, else a local one, else the personal
    /// number masked.
    pub identifier: String,
    /// Is a site (điểm cầu).
    pub site: bool,
    /// State of the row.
    pub state: RosterState,
    /// Own fields: name and value.
    pub custom: Vec<(String, String)>,
}

/// A line of the roster at some version.
struct Line {
    made_ms: u64,
    state: RosterState,
    site: bool,
}

/// Most people one query names; SQLite takes some thousand parameters.
const CHUNK: usize = 500;

impl Store {
    /// Everything the attendance of a session follows from, and the people who
    /// should be there.
    ///
    /// # Errors
    /// [`StoreError::UnknownSession`].
    pub async fn attendance_input(
        &self,
        session: &SessionKey,
    ) -> Result<(AttendanceInput, Vec<Listed>), StoreError> {
        let unknown = || StoreError::UnknownSession(session.clone());
        let known = self.session(session).await?.ok_or_else(unknown)?;
        let class = self.class(&known.class).await?.ok_or_else(unknown)?;
        let events = self.events(session).await?;
        let ended_ms = events
            .iter()
            .rev()
            .find(|event| matches!(event.kind, lophoc_ledger::EventKind::Ended { .. }))
            .map(|event| event.at.wall_ms);
        let seen: HashSet<&PersonKey> = events
            .iter()
            .filter_map(|event| match &event.kind {
                lophoc_ledger::EventKind::Join { person, .. } => Some(person),
                _ => None,
            })
            .collect();
        let people = self.roster_at(&class.id, ended_ms, &seen).await?;
        let excuses: HashMap<PersonKey, String> = self
            .excuses(session)
            .await?
            .into_iter()
            .map(|excuse| (excuse.person, excuse.reason))
            .collect();
        let expected = people
            .iter()
            .map(|listed| Expected {
                person: listed.person.clone(),
                name: listed.name.clone(),
                sort: listed.sort.clone(),
                unit: Some(listed.unit_name.clone()).filter(|unit| !unit.is_empty()),
                excused: excuses.get(&listed.person).cloned(),
                // Whoever sits in the trainer's hall is ticked in there: to be
                // on the list of a class held in person proves nothing.
                in_person: false,
                is_site: listed.site,
            })
            .collect();
        let input = AttendanceInput {
            presence: self.presence(session).await?,
            hall: self.hall_marks(session).await?,
            adjustments: self.adjustments(session).await?,
            rules: class.plan.rules,
            expected,
            events,
        };
        Ok((input, people))
    }

    /// The roster of a class as it stands.
    pub async fn listed(&self, class: &ClassId) -> Result<Vec<Listed>, StoreError> {
        self.roster_at(class, None, &HashSet::new()).await
    }

    /// The roster a session is counted by: as it stood when the session ended;
    /// as it stands before that, or when there was none then. Who was put on it
    /// later is on the sheet of the session only when he was in.
    async fn roster_at(
        &self,
        class: &ClassId,
        ended_ms: Option<u64>,
        seen: &HashSet<&PersonKey>,
    ) -> Result<Vec<Listed>, StoreError> {
        let rows = sqlx::query(
            "SELECT line.person, line.state, line.site, version.made_ms FROM roster_line AS line \
             JOIN roster_version AS version \
             ON version.class = line.class AND version.no = line.version \
             WHERE line.class = $1 ORDER BY line.version",
        )
        .bind(class.as_str())
        .fetch_all(&self.pool)
        .await?;
        let mut lines: BTreeMap<String, Vec<Line>> = BTreeMap::new();
        let mut first = u64::MAX;
        for row in &rows {
            let line = Line {
                made_ms: from_db(row.try_get("made_ms")?)?,
                state: state_of(row.try_get("state")?)?,
                site: row.try_get("site")?,
            };
            first = first.min(line.made_ms);
            lines.entry(row.try_get("person")?).or_default().push(line);
        }
        let end = ended_ms.filter(|end| first <= *end).unwrap_or(u64::MAX);
        let mut standing: BTreeMap<String, (RosterState, bool)> = BTreeMap::new();
        for (person, lines) in lines {
            let then = lines.iter().rev().find(|line| line.made_ms <= end);
            let was_in = seen.contains(&PersonKey(person.clone()));
            let line = match then {
                Some(line) if line.state != RosterState::Withdrawn => Some(line),
                // Was not on it then, came all the same, and was put on it since.
                _ if was_in => lines.last(),
                _ => None,
            };
            if let Some(line) = line.filter(|line| line.state != RosterState::Withdrawn) {
                standing.insert(person, (line.state, line.site));
            }
        }
        self.describe(standing).await
    }

    async fn describe(
        &self,
        standing: BTreeMap<String, (RosterState, bool)>,
    ) -> Result<Vec<Listed>, StoreError> {
        let ids: Vec<&String> = standing.keys().collect();
        let mut listed = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(CHUNK) {
            let mut query: QueryBuilder<'_, Sqlite> = QueryBuilder::new(
                "SELECT person.id, person.name, person.sort, person.born, person.position, \
                 person.unit, person.unit_text, person.phone, person.custom, unit.name AS unit_name, \
                 (SELECT min(value) FROM identifier WHERE person = person.id AND kind = 'sector') \
                 AS sector, \
                 (SELECT min(value) FROM identifier WHERE person = person.id AND kind = 'local') \
                 AS local, \
                 (SELECT min(value) FROM identifier WHERE person = person.id AND kind = 'personal') \
                 AS personal \
                 FROM person LEFT JOIN unit ON unit.id = person.unit WHERE person.id IN (",
            );
            let mut list = query.separated(", ");
            for id in chunk {
                list.push_bind(id.as_str());
            }
            list.push_unseparated(")");
            for row in query.build().fetch_all(&self.pool).await? {
                let id: String = row.try_get("id")?;
                if let Some((state, site)) = standing.get(&id) {
                    listed.push(listed_of_row(&row, id, *state, *site)?);
                }
            }
        }
        listed.sort_by(|a, b| a.person.cmp(&b.person));
        Ok(listed)
    }

    /// The one person of a class's roster with this identifier of the sector or
    /// of a school, as somebody types it. `None`: nobody, or several.
    pub async fn listed_by_identifier(
        &self,
        class: &ClassId,
        typed: &str,
    ) -> Result<Option<PersonKey>, StoreError> {
        let found: Vec<String> = sqlx::query_scalar(
            "SELECT DISTINCT identifier.person FROM identifier \
             JOIN roster ON roster.person = identifier.person \
             WHERE roster.class = $1 AND roster.state <> 'withdrawn' AND NOT roster.site \
             AND identifier.kind IN ('sector', 'local') \
             AND upper(identifier.value) = upper($2) LIMIT 2",
        )
        .bind(class.as_str())
        .bind(typed)
        .fetch_all(&self.pool)
        .await?;
        Ok(only(found.into_iter().map(PersonKey)))
    }

    /// The one person of a class's roster with this name, compared as names
    /// are, and day of birth. `None`: nobody, or several.
    pub async fn listed_by_name(
        &self,
        class: &ClassId,
        name: &str,
        born: Day,
    ) -> Result<Option<PersonKey>, StoreError> {
        let rows = sqlx::query(
            "SELECT person.id, person.name FROM person JOIN roster ON roster.person = person.id \
             WHERE roster.class = $1 AND roster.state <> 'withdrawn' AND NOT roster.site \
             AND person.born = $2",
        )
        .bind(class.as_str())
        .bind(born.to_string())
        .fetch_all(&self.pool)
        .await?;
        let wanted = match_name(name);
        let mut found = Vec::new();
        for row in &rows {
            let name: String = row.try_get("name")?;
            if match_name(&name) == wanted {
                found.push(PersonKey(row.try_get("id")?));
            }
        }
        Ok(only(found))
    }

    /// Of each of these units: itself and all above it, by either parent and
    /// through mergers.
    pub async fn unit_lines(
        &self,
        units: &BTreeSet<UnitId>,
    ) -> Result<HashMap<UnitId, HashSet<UnitId>>, StoreError> {
        let mut lines: HashMap<UnitId, HashSet<UnitId>> = HashMap::new();
        let ids: Vec<&UnitId> = units.iter().collect();
        for chunk in ids.chunks(CHUNK) {
            let mut query: QueryBuilder<'_, Sqlite> = QueryBuilder::new(
                "WITH RECURSIVE up (start, id) AS (SELECT id, id FROM unit WHERE id IN (",
            );
            let mut list = query.separated(", ");
            for id in chunk {
                list.push_bind(id.as_str());
            }
            list.push_unseparated(
                ") UNION SELECT up.start, edge.parent FROM up JOIN (\
                 SELECT id, parent_admin AS parent FROM unit \
                 UNION ALL SELECT id, parent_professional FROM unit \
                 UNION ALL SELECT id, merged_into FROM unit) AS edge \
                 ON edge.id = up.id WHERE edge.parent IS NOT NULL) SELECT start, id FROM up",
            );
            for row in query.build().fetch_all(&self.pool).await? {
                let start = UnitId(row.try_get("start")?);
                let above = UnitId(row.try_get("id")?);
                lines.entry(start).or_default().insert(above);
            }
        }
        Ok(lines)
    }

    /// How a unit signs: the unit above it (cơ quan chủ quản), and its place.
    pub async fn letterhead(
        &self,
        unit: &UnitId,
    ) -> Result<(Option<String>, Option<String>), StoreError> {
        let row = sqlx::query(
            "SELECT unit.place, above.name FROM unit LEFT JOIN unit AS above \
             ON above.id = coalesce(unit.parent_admin, unit.parent_professional) \
             WHERE unit.id = $1",
        )
        .bind(unit.as_str())
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else {
            return Ok((None, None));
        };
        let place: String = row.try_get("place")?;
        Ok((
            row.try_get("name")?,
            Some(place).filter(|place| !place.is_empty()),
        ))
    }
}

/// The only one; `None` for none or several.
fn only<T>(found: impl IntoIterator<Item = T>) -> Option<T> {
    let mut found = found.into_iter();
    let one = found.next()?;
    found.next().is_none().then_some(one)
}

fn state_of(name: String) -> Result<RosterState, StoreError> {
    serde_json::from_value(serde_json::Value::String(name.clone()))
        .map_err(|_| StoreError::Damaged(format!("state of a roster {name}")))
}

fn listed_of_row(
    row: &SqliteRow,
    id: String,
    state: RosterState,
    site: bool,
) -> Result<Listed, StoreError> {
    let text: String = row.try_get("unit_text")?;
    let name: Option<String> = row.try_get("unit_name")?;
    let unit: Option<String> = row.try_get("unit")?;
    let born: Option<String> = row.try_get("born")?;
    let sector: Option<String> = row.try_get("sector")?;
    let local: Option<String> = row.try_get("local")?;
    let personal: Option<String> = row.try_get("personal")?;
    Ok(Listed {
        name: row.try_get("name")?,
        sort: row.try_get("sort")?,
        // Days come from our own writing; one that can not be read must not
        // hide a whole roster.
        born: born.and_then(|born| born.parse().ok()),
        position: row.try_get("position")?,
        unit: unit.map(UnitId),
        unit_name: if text.is_empty() {
            name.unwrap_or_default()
        } else {
            text
        },
        phone: row.try_get("phone")?,
        identifier: sector
            .or(local)
            .or_else(|| personal.map(|number| masked(&number)))
            .unwrap_or_default(),
        site,
        state,
        custom: fields_from_db(row.try_get("custom")?)?,
        person: PersonKey(id),
    })
}

/// `0012******34`: personal numbers are never shown in full.
fn masked(number: &str) -> String {
    let signs: Vec<char> = number.chars().collect();
    let shown = |at: usize| at < 4 || at + 2 >= signs.len();
    signs
        .iter()
        .enumerate()
        .map(|(at, sign)| if shown(at) { *sign } else { '*' })
        .collect()
}
