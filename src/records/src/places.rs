//! The role in which somebody comes into the room of a session: from the staff
//! list, else from the roster.

use std::collections::{BTreeMap, BTreeSet};

use lophoc_classes::{ClassState, StaffRole};
use lophoc_ledger::{PersonKey, SessionKey};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite};

use crate::classes::read as read_class;
use crate::error::StoreError;
use crate::staff::{UNIT_NAME, standing_entries, stands_in};
use crate::store::Store;

/// How somebody comes into the room of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Role, the protocol's name: `organiser`, `chair`, `trainer`, `adviser`,
    /// `technician`, `secretary`, `inspector`, `learner`, `guest`.
    pub role: &'static str,
    /// The connection stands for a hall (điểm cầu): its name.
    pub site: Option<String>,
    /// Full name.
    pub name: String,
    /// Unit, when known.
    pub unit: Option<String>,
}

/// Strongest first: whoever has several roles comes in as the first of them. A
/// content author comes in as a guest does.
const ROOM_ROLES: [(StaffRole, &str); 7] = [
    (StaffRole::Organiser, "organiser"),
    (StaffRole::Chair, "chair"),
    (StaffRole::Trainer, "trainer"),
    (StaffRole::Adviser, "adviser"),
    (StaffRole::Technician, "technician"),
    (StaffRole::Secretary, "secretary"),
    (StaffRole::Observer, "inspector"),
];

impl Store {
    /// How a person comes into the room of a session; `None`: neither staff nor
    /// on the roster, or the class was put off, cancelled or put away.
    ///
    /// # Errors
    /// The database's.
    pub async fn place_in(
        &self,
        session: &SessionKey,
        person: &PersonKey,
    ) -> Result<Option<Place>, StoreError> {
        Ok(self.places(session, Some(person)).await?.remove(person))
    }

    /// How everybody of the staff and roster comes into the room of a session.
    /// Nobody does when the class was put off, cancelled or put away.
    ///
    /// # Errors
    /// The database's.
    pub async fn places_in(
        &self,
        session: &SessionKey,
    ) -> Result<BTreeMap<PersonKey, Place>, StoreError> {
        self.places(session, None).await
    }

    async fn places(
        &self,
        session: &SessionKey,
        only: Option<&PersonKey>,
    ) -> Result<BTreeMap<PersonKey, Place>, StoreError> {
        let mut places = BTreeMap::new();
        let Some(known) = self.session(session).await? else {
            return Ok(places);
        };
        let mut transaction = self.pool.begin().await?;
        let class = read_class(&mut transaction, &known.class).await?;
        let closed = class.is_none_or(|class| {
            matches!(
                class.state,
                ClassState::Postponed
                    | ClassState::Cancelled
                    | ClassState::Archived
                    | ClassState::Destroyed
            )
        });
        if closed {
            return Ok(places);
        }
        let all = standing_entries(&mut transaction, &known.class).await?;
        let mut roles: BTreeMap<&PersonKey, BTreeSet<StaffRole>> = BTreeMap::new();
        for entry in all.iter().filter(|entry| stands_in(entry, session, &all)) {
            roles.entry(&entry.person).or_default().insert(entry.role);
        }
        let mut query: QueryBuilder<'_, Sqlite> = QueryBuilder::new(format!(
            "SELECT p.id, p.name, {UNIT_NAME} AS unit_name, r.site FROM person p \
             LEFT JOIN unit u ON u.id = p.unit \
             LEFT JOIN roster r ON r.person = p.id AND r.state <> 'withdrawn' AND r.class = "
        ));
        query.push_bind(known.class.as_str());
        query.push(" WHERE (r.person IS NOT NULL OR EXISTS (SELECT 1 FROM staff s WHERE s.person = p.id AND s.ended_ms IS NULL AND s.class = ");
        query.push_bind(known.class.as_str()).push("))");
        if let Some(person) = only {
            query.push(" AND p.id = ").push_bind(person.as_str());
        }
        let rows = query.build().fetch_all(&mut *transaction).await?;
        for row in &rows {
            let person = PersonKey(row.try_get("id")?);
            if let Some(place) = place_of_row(row, roles.get(&person))? {
                places.insert(person, place);
            }
        }
        Ok(places)
    }
}

fn place_of_row(
    row: &SqliteRow,
    roles: Option<&BTreeSet<StaffRole>>,
) -> Result<Option<Place>, StoreError> {
    let name: String = row.try_get("name")?;
    let unit: String = row.try_get("unit_name")?;
    // Absent: not on the roster.
    let site: Option<bool> = row.try_get("site")?;
    let has = |role: StaffRole| roles.is_some_and(|roles| roles.contains(&role));
    let staff = ROOM_ROLES.into_iter().find(|(role, _)| has(*role));
    let role = match (staff, site) {
        (Some((_, role)), _) => role,
        (None, Some(_)) => "learner",
        (None, None) if has(StaffRole::ContentAuthor) => "guest",
        (None, None) => return Ok(None),
    };
    Ok(Some(Place {
        role,
        site: site.filter(|site| *site).map(|_| name.clone()),
        unit: Some(unit).filter(|unit| !unit.is_empty()),
        name,
    }))
}
