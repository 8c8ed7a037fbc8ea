//! Ticks at sites (điểm cầu) and the phones they were made with.

use lophoc_ledger::{HallHow, HallMark, PersonKey, SessionKey};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::error::StoreError;
use crate::store::{Store, from_db, to_db};

/// A tick to be written; its number is given by the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewHallMark {
    /// Who sits there.
    pub person: PersonKey,
    /// Site; absent: the trainer's hall.
    pub site: Option<PersonKey>,
    /// In, or out.
    pub on: bool,
    /// How.
    pub how: HallHow,
    /// By whom.
    pub by: PersonKey,
    /// From, or until, then, ms.
    pub at_ms: Option<u64>,
    /// When it is made, ms.
    pub made_ms: u64,
}

/// What became of a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckIn {
    /// Ticked in.
    Marked(HallMark),
    /// Was ticked in at this site already; nothing was written.
    Already(HallMark),
    /// The phone ticked somebody else in before; written down.
    OtherPerson,
}

/// People ticked in at each site (`None`: the trainer's hall), by the last
/// tick of each; a tick out with a time still to come is not looked at.
pub type HallCounts = Vec<(Option<PersonKey>, u32)>;

/// The last tick of everybody, from all ticks of a session in their order.
pub fn last_marks(marks: &[HallMark]) -> std::collections::HashMap<&PersonKey, &HallMark> {
    marks.iter().map(|mark| (&mark.person, mark)).collect()
}

const COLUMNS: &str = "seq, person, site, present, how, made_by, at_ms, made_ms";

impl Store {
    /// All ticks of a session, in order.
    pub async fn hall_marks(&self, session: &SessionKey) -> Result<Vec<HallMark>, StoreError> {
        let text = format!("SELECT {COLUMNS} FROM hall_mark WHERE session = $1 ORDER BY seq");
        let rows = sqlx::query(&text)
            .bind(session.as_str())
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(mark_of_row).collect()
    }

    /// Writes ticks in one transaction and gives them with their numbers.
    pub async fn add_hall_marks(
        &self,
        session: &SessionKey,
        marks: &[NewHallMark],
    ) -> Result<Vec<HallMark>, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let mut written = Vec::with_capacity(marks.len());
        for mark in marks {
            written.push(insert_mark(&mut transaction, session, mark).await?);
        }
        transaction.commit().await?;
        Ok(written)
    }

    /// Ticks a person in whose phone scanned the code. A phone ticks one person
    /// per session: another one is refused, and the attempt is written down.
    pub async fn check_in(
        &self,
        session: &SessionKey,
        device: &str,
        mark: &NewHallMark,
    ) -> Result<CheckIn, StoreError> {
        let made_ms = to_db(mark.made_ms)?;
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query(
            "INSERT INTO check_in_device (session, device, person, made_ms) \
             VALUES ($1, $2, $3, $4) ON CONFLICT (session, device) DO NOTHING",
        )
        .bind(session.as_str())
        .bind(device)
        .bind(mark.person.as_str())
        .bind(made_ms)
        .execute(&mut *transaction)
        .await?;
        let owner: String = sqlx::query_scalar(
            "SELECT person FROM check_in_device WHERE session = $1 AND device = $2",
        )
        .bind(session.as_str())
        .bind(device)
        .fetch_one(&mut *transaction)
        .await?;
        if owner != mark.person.as_str() {
            // The first attempt of this phone for this person is kept; repeats
            // must not fill the disk.
            sqlx::query(
                "INSERT INTO check_in_refused (session, device, person, site, made_ms) \
                 VALUES ($1, $2, $3, $4, $5) ON CONFLICT (session, device, person) DO NOTHING",
            )
            .bind(session.as_str())
            .bind(device)
            .bind(mark.person.as_str())
            .bind(mark.site.as_ref().map(PersonKey::as_str))
            .bind(made_ms)
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
            return Ok(CheckIn::OtherPerson);
        }
        let text = format!(
            "SELECT {COLUMNS} FROM hall_mark WHERE session = $1 AND person = $2 \
             ORDER BY seq DESC LIMIT 1"
        );
        let last = sqlx::query(&text)
            .bind(session.as_str())
            .bind(mark.person.as_str())
            .fetch_optional(&mut *transaction)
            .await?;
        let last = last.as_ref().map(mark_of_row).transpose()?;
        if let Some(last) = last.filter(|last| last.on && last.site == mark.site) {
            transaction.commit().await?;
            return Ok(CheckIn::Already(last));
        }
        let mark = insert_mark(&mut transaction, session, mark).await?;
        transaction.commit().await?;
        Ok(CheckIn::Marked(mark))
    }

    /// The person a phone ticked in before in this session.
    pub async fn person_of_phone(
        &self,
        session: &SessionKey,
        device: &str,
    ) -> Result<Option<PersonKey>, StoreError> {
        let person: Option<String> = sqlx::query_scalar(
            "SELECT person FROM check_in_device WHERE session = $1 AND device = $2",
        )
        .bind(session.as_str())
        .bind(device)
        .fetch_optional(&self.pool)
        .await?;
        Ok(person.map(PersonKey))
    }

    /// Scans refused because the phone had ticked in somebody else: the person
    /// asked for, and when.
    pub async fn refused_check_ins(
        &self,
        session: &SessionKey,
    ) -> Result<Vec<(PersonKey, u64)>, StoreError> {
        let rows = sqlx::query(
            "SELECT person, made_ms FROM check_in_refused WHERE session = $1 \
             ORDER BY made_ms, person",
        )
        .bind(session.as_str())
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok((
                    PersonKey(row.try_get("person")?),
                    from_db(row.try_get("made_ms")?)?,
                ))
            })
            .collect()
    }

    /// People ticked in now at each site of a session, for the room's counters.
    pub async fn hall_counts(&self, session: &SessionKey) -> Result<HallCounts, StoreError> {
        let marks = self.hall_marks(session).await?;
        let mut counts: std::collections::BTreeMap<Option<PersonKey>, u32> =
            std::collections::BTreeMap::new();
        for mark in last_marks(&marks).into_values() {
            // A site whose last person went is told as 0.
            *counts.entry(mark.site.clone()).or_default() += u32::from(mark.on);
        }
        Ok(counts.into_iter().collect())
    }
}

async fn insert_mark(
    connection: &mut sqlx::SqliteConnection,
    session: &SessionKey,
    mark: &NewHallMark,
) -> Result<HallMark, StoreError> {
    let seq: i64 = sqlx::query_scalar(
        "INSERT INTO hall_mark (session, seq, person, site, present, how, made_by, at_ms, made_ms) \
         SELECT $1, coalesce(max(seq), 0) + 1, $2, $3, $4, $5, $6, $7, $8 \
         FROM hall_mark WHERE session = $1 RETURNING seq",
    )
    .bind(session.as_str())
    .bind(mark.person.as_str())
    .bind(mark.site.as_ref().map(PersonKey::as_str))
    .bind(mark.on)
    .bind(how_name(mark.how))
    .bind(mark.by.as_str())
    .bind(mark.at_ms.map(to_db).transpose()?)
    .bind(to_db(mark.made_ms)?)
    .fetch_one(connection)
    .await?;
    Ok(HallMark {
        seq: from_db(seq)?,
        person: mark.person.clone(),
        site: mark.site.clone(),
        on: mark.on,
        how: mark.how,
        by: mark.by.clone(),
        at_ms: mark.at_ms,
        made_ms: mark.made_ms,
    })
}

fn how_name(how: HallHow) -> &'static str {
    match how {
        HallHow::Contact => "contact",
        HallHow::Qr => "qr",
        HallHow::Paper => "paper",
    }
}

fn mark_of_row(row: &SqliteRow) -> Result<HallMark, StoreError> {
    let how: String = row.try_get("how")?;
    let site: Option<String> = row.try_get("site")?;
    let at_ms: Option<i64> = row.try_get("at_ms")?;
    Ok(HallMark {
        seq: from_db(row.try_get("seq")?)?,
        person: PersonKey(row.try_get("person")?),
        site: site.map(PersonKey),
        on: row.try_get("present")?,
        how: match how.as_str() {
            "contact" => HallHow::Contact,
            "qr" => HallHow::Qr,
            "paper" => HallHow::Paper,
            other => return Err(StoreError::Damaged(format!("tick made by {other}"))),
        },
        by: PersonKey(row.try_get("made_by")?),
        at_ms: at_ms.map(from_db).transpose()?,
        made_ms: from_db(row.try_get("made_ms")?)?,
    })
}
