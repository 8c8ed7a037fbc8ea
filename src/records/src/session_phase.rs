//! Sessions as the pages show them: with number, phase and trainers. The phase
//! is stored nowhere; it follows from the ledger, from the frozen versions of
//! the attendance and from the exports, so a crash leaves nothing to repair.

use std::collections::{BTreeMap, BTreeSet};

use lophoc_classes as classes;
use lophoc_classes::{ClassId, SessionForm, SessionPhase, StaffRole};
use lophoc_ledger::{EventKind, SessionKey};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection};

use crate::error::StoreError;
use crate::sessions::{ORDER, SessionState, room_session};
use crate::staff;
use crate::store::{fields_from_db, from_db};

/// Ids in one statement.
const CHUNK: usize = 200;

/// Which sessions.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Of<'a> {
    /// This one.
    Id(&'a SessionKey),
    /// Those of a class.
    Class(&'a ClassId),
    /// Those of classes.
    Classes(&'a [ClassId]),
}

/// Sessions with phase and trainers, class by class, in order.
pub(crate) async fn read(
    connection: &mut SqliteConnection,
    of: Of<'_>,
) -> Result<Vec<classes::Session>, StoreError> {
    let mut rows = Vec::new();
    match of {
        Of::Id(id) => rows_where(connection, "id", &[id.as_str()], &mut rows).await?,
        Of::Class(id) => rows_where(connection, "class", &[id.as_str()], &mut rows).await?,
        Of::Classes(ids) => {
            for chunk in ids.chunks(CHUNK) {
                let ids: Vec<&str> = chunk.iter().map(ClassId::as_str).collect();
                rows_where(connection, "class", &ids, &mut rows).await?;
            }
        }
    }
    let sessions: Vec<SessionKey> = rows.iter().map(|row| row.session.id.clone()).collect();
    let mut marks = marks_of(connection, &sessions).await?;
    let classes: BTreeSet<ClassId> = rows.iter().map(|row| row.session.class.clone()).collect();
    let trainers = staff::trainers(connection, &classes).await?;
    Ok(rows
        .into_iter()
        .map(|mut row| {
            let marks = marks.remove(&row.session.id).unwrap_or_default();
            row.session.phase = row.phase(&marks);
            row.session.began_ms = marks.began_ms;
            let over = row.session.phase.is_held();
            row.session.ended_ms = marks.ended_ms.filter(|_| over);
            row.session.trainers = staff::names_in(
                &trainers,
                &row.session.class,
                &row.session.id,
                StaffRole::Trainer,
            );
            row.session
        })
        .collect())
}

/// A session without what follows from its log.
struct Found {
    session: classes::Session,
    state: SessionState,
    cancelled: bool,
    exported: bool,
}

impl Found {
    fn phase(&self, marks: &Marks) -> SessionPhase {
        if self.cancelled {
            SessionPhase::Cancelled
        } else if self.state == SessionState::Ended || marks.over {
            match (self.session.frozen, self.exported) {
                (0, _) => SessionPhase::Ended,
                (_, false) => SessionPhase::Frozen,
                (_, true) => SessionPhase::Exported,
            }
        } else if marks.began_ms.is_some() {
            if marks.pause {
                SessionPhase::Break
            } else {
                SessionPhase::Running
            }
        } else if self.state == SessionState::Open {
            SessionPhase::Rehearsal
        } else {
            SessionPhase::Scheduled
        }
    }
}

/// `column` is one of this module's own words, never input.
async fn rows_where(
    connection: &mut SqliteConnection,
    column: &'static str,
    values: &[&str],
    found: &mut Vec<Found>,
) -> Result<(), StoreError> {
    if values.is_empty() {
        return Ok(());
    }
    let mut query: QueryBuilder<'_, Sqlite> = QueryBuilder::new(
        "SELECT s.id, s.class, s.room, s.title, s.mode, s.starts_ms, s.ends_ms, s.state, \
         s.rehearsal_min, s.waiting, s.counts, s.place, s.custom, s.on_sheets, \
         s.cancelled_ms, \
         (SELECT count(*) FROM session o WHERE o.class = s.class AND \
         (coalesce(o.starts_ms, o.created_ms), o.created_ms, o.id) <= \
         (coalesce(s.starts_ms, s.created_ms), s.created_ms, s.id)) AS no, \
         (SELECT coalesce(max(v.no), 0) FROM attendance_version v WHERE v.session = s.id) \
         AS frozen, \
         (SELECT count(*) FROM export x WHERE x.session = s.id AND x.version > 0 AND x.version = \
         (SELECT max(v.no) FROM attendance_version v WHERE v.session = s.id)) AS exports \
         FROM session s WHERE s.",
    );
    query.push(column).push(" IN (");
    let mut list = query.separated(", ");
    for value in values {
        list.push_bind(*value);
    }
    query.push(format!(") ORDER BY s.class, {ORDER}"));
    let rows = query.build().fetch_all(connection).await?;
    for row in &rows {
        found.push(found_of_row(row)?);
    }
    Ok(())
}

fn found_of_row(row: &SqliteRow) -> Result<Found, StoreError> {
    let room = room_session(row)?;
    let cancelled: Option<i64> = row.try_get("cancelled_ms")?;
    let exports: i64 = row.try_get("exports")?;
    let number = |column: &str| -> Result<u32, StoreError> {
        let number: i64 = row.try_get(column)?;
        u32::try_from(number).map_err(|_| StoreError::Damaged(format!("{column} {number}")))
    };
    Ok(Found {
        state: room.state,
        cancelled: cancelled.is_some(),
        exported: exports > 0,
        session: classes::Session {
            id: room.id,
            class: room.class,
            room: room.room,
            no: number("no")?,
            form: SessionForm {
                title: room.title,
                starts_ms: room.starts_ms,
                ends_ms: room.ends_ms,
                mode: room.mode.as_str().to_owned(),
                rehearsal_min: room.rehearsal_min,
                waiting: room.waiting,
                counts: row.try_get("counts")?,
                place: row.try_get("place")?,
                custom: fields_from_db(row.try_get("custom")?)?,
                on_sheets: fields_from_db(row.try_get("on_sheets")?)?,
            },
            phase: SessionPhase::Scheduled,
            began_ms: None,
            ended_ms: None,
            frozen: number("frozen")?,
            trainers: Vec::new(),
        },
    })
}

/// What the ledger tells of the course of a lesson.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Marks {
    /// First beginning of the lesson.
    began_ms: Option<u64>,
    /// Latest end.
    ended_ms: Option<u64>,
    /// Ended, and not begun again.
    over: bool,
    /// In a break.
    pause: bool,
}

impl Marks {
    fn take(&mut self, kind: &EventKind, wall_ms: u64) {
        match kind {
            EventKind::Started { .. } => {
                self.began_ms = self.began_ms.or(Some(wall_ms));
                self.over = false;
                self.pause = false;
            }
            EventKind::Break { on, .. } => self.pause = *on,
            EventKind::Ended { .. } => {
                self.ended_ms = Some(wall_ms);
                self.over = true;
                self.pause = false;
            }
            _ => {}
        }
    }
}

async fn marks_of(
    connection: &mut SqliteConnection,
    sessions: &[SessionKey],
) -> Result<BTreeMap<SessionKey, Marks>, StoreError> {
    let mut marks: BTreeMap<SessionKey, Marks> = BTreeMap::new();
    for chunk in sessions.chunks(CHUNK) {
        let mut query: QueryBuilder<'_, Sqlite> = QueryBuilder::new(
            "SELECT e.session, e.wall_ms, e.body FROM event e \
             WHERE e.kind IN ('started', 'break', 'ended') AND e.session IN (",
        );
        let mut list = query.separated(", ");
        for session in chunk {
            list.push_bind(session.as_str());
        }
        query.push(") ORDER BY e.session, e.seq");
        let rows = query.build().fetch_all(&mut *connection).await?;
        for row in &rows {
            let session = SessionKey(row.try_get("session")?);
            let body: String = row.try_get("body")?;
            let kind: EventKind = serde_json::from_str(&body)
                .map_err(|error| StoreError::Damaged(format!("event of {session}: {error}")))?;
            let wall_ms = from_db(row.try_get("wall_ms")?)?;
            marks.entry(session).or_default().take(&kind, wall_ms);
        }
    }
    Ok(marks)
}
