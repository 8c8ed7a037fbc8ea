//! Sessions (buổi học) of a class: what was planned, the room of each, and the
//! phase, which follows from the ledger.

use lophoc_classes as classes;
use lophoc_classes::{ClassId, ClassState, SessionForm, SessionPhase, StepRefused};
use lophoc_ledger::{PersonKey, SessionKey};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use crate::classes::{fresh_id, require, still_used, unprotected, wall_ms};
use crate::error::StoreError;
use crate::session_phase::{Of, read};
use crate::store::{Store, fields_to_db, from_db, to_db};

/// Sessions of one class. Overflow: a further one is refused as too many.
pub const MAX_SESSIONS: u32 = 500;

/// How the room of a session treats speaking; text as in the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SessionMode {
    /// Thảo luận.
    Discussion,
    /// Đào tạo.
    Training,
    /// Hội nghị truyền hình.
    Conference,
}

impl SessionMode {
    /// The name stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Discussion => "discussion",
            Self::Training => "training",
            Self::Conference => "conference",
        }
    }

    /// The mode of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Discussion, Self::Training, Self::Conference]
            .into_iter()
            .find(|mode| mode.as_str() == name)
    }
}

/// Where the room of a session is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SessionState {
    /// Lên lịch: never opened.
    Scheduled,
    /// Opened; also across a restart of the server.
    Open,
    /// Kết thúc or cancelled, for good.
    Ended,
}

impl SessionState {
    /// The name stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Open => "open",
            Self::Ended => "ended",
        }
    }

    /// The state of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Scheduled, Self::Open, Self::Ended]
            .into_iter()
            .find(|state| state.as_str() == name)
    }
}

/// A session as its room needs it. With phase and names: [`Store::lesson`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Id.
    pub id: SessionKey,
    /// Class it belongs to.
    pub class: ClassId,
    /// Id of its room, unique in the installation.
    pub room: String,
    /// Title.
    pub title: String,
    /// Mode its room begins in.
    pub mode: SessionMode,
    /// Planned beginning, milliseconds since the epoch, UTC.
    pub starts_ms: Option<u64>,
    /// Planned end, milliseconds since the epoch, UTC.
    pub ends_ms: Option<u64>,
    /// State.
    pub state: SessionState,
    /// The room opens so many minutes before (thời gian kết nối thử).
    pub rehearsal_min: u16,
    /// Learners and guests wait until they are let in.
    pub waiting: bool,
}

/// A session to be created; its id and room are made up by the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSession {
    /// Class it belongs to.
    pub class: ClassId,
    /// Title.
    pub title: String,
    /// Mode its room begins in.
    pub mode: SessionMode,
    /// Planned beginning, milliseconds since the epoch, UTC.
    pub starts_ms: Option<u64>,
    /// Planned end, milliseconds since the epoch, UTC.
    pub ends_ms: Option<u64>,
}

/// A planned time a session has or had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedTime {
    /// Planned beginning, ms.
    pub starts_ms: Option<u64>,
    /// Planned end, ms.
    pub ends_ms: Option<u64>,
    /// Who planned it so; empty: the command line.
    pub by: String,
    /// When, ms.
    pub made_ms: u64,
}

const ROOM_COLUMNS: &str =
    "id, class, room, title, mode, starts_ms, ends_ms, state, rehearsal_min, waiting";

/// Sessions of a class in order: planned beginning, else when they were made.
pub(crate) const ORDER: &str = "coalesce(s.starts_ms, s.created_ms), s.created_ms, s.id";

impl Store {
    /// Creates a session of a class, scheduled, with a room of its own.
    ///
    /// # Errors
    /// [`StoreError::UnknownClass`].
    pub async fn create_session(&self, new: NewSession) -> Result<Session, StoreError> {
        let form = SessionForm {
            title: new.title,
            starts_ms: new.starts_ms,
            ends_ms: new.ends_ms,
            mode: new.mode.as_str().to_owned(),
            rehearsal_min: 0,
            waiting: false,
            counts: true,
            place: String::new(),
            custom: Vec::new(),
            on_sheets: Vec::new(),
        };
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        require(&mut transaction, &new.class).await?;
        let id = insert(&mut transaction, &new.class, &form, "", wall_ms()).await?;
        transaction.commit().await?;
        self.session(&id)
            .await?
            .ok_or(StoreError::UnknownSession(id))
    }

    /// Adds a session to a class that has not come to its end.
    ///
    /// # Errors
    /// [`StoreError::UnknownClass`], [`StoreError::Refused`],
    /// [`StoreError::TooMany`], [`StoreError::Unknown`] for `mode`.
    pub async fn add_session(
        &self,
        class: &ClassId,
        form: &SessionForm,
        by: &PersonKey,
        now_ms: u64,
    ) -> Result<classes::Session, StoreError> {
        mode_of(form)?;
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let known = require(&mut transaction, class).await?;
        if !known.state.before_end() && known.state != ClassState::Postponed {
            return Err(StoreError::Refused(StepRefused::WrongState));
        }
        let sessions: i64 = sqlx::query_scalar("SELECT count(*) FROM session WHERE class = $1")
            .bind(class.as_str())
            .fetch_one(&mut *transaction)
            .await?;
        if sessions >= i64::from(MAX_SESSIONS) {
            return Err(StoreError::TooMany("sessions"));
        }
        let id = insert(&mut transaction, class, form, by.as_str(), now_ms).await?;
        let made = one(&mut transaction, &id).await?;
        transaction.commit().await?;
        Ok(made)
    }

    /// Changes what is planned of a session. Once its room is open, the mode is
    /// the room's and the beginning stays; once it was held, its planned times
    /// stay, and once its attendance is frozen, so does whether it counts.
    ///
    /// # Errors
    /// [`StoreError::UnknownSession`]; [`StoreError::Refused`] for what must
    /// stay and for anything of a cancelled session; [`StoreError::Unknown`].
    pub async fn change_session(
        &self,
        id: &SessionKey,
        form: &SessionForm,
        by: &PersonKey,
        now_ms: u64,
    ) -> Result<classes::Session, StoreError> {
        mode_of(form)?;
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let known = one(&mut transaction, id).await?;
        let old = &known.form;
        let moved = old.starts_ms != form.starts_ms || old.ends_ms != form.ends_ms;
        let opening = old.starts_ms != form.starts_ms || old.mode != form.mode;
        let phase = known.phase;
        let frozen = matches!(phase, SessionPhase::Frozen | SessionPhase::Exported);
        if phase == SessionPhase::Cancelled
            || phase.is_held() && (moved || old.mode != form.mode)
            || matches!(phase, SessionPhase::Running | SessionPhase::Break) && opening
            || frozen && old.counts != form.counts
        {
            return Err(StoreError::Refused(StepRefused::WrongState));
        }
        sqlx::query(
            "UPDATE session SET title = $2, mode = $3, starts_ms = $4, ends_ms = $5, \
             rehearsal_min = $6, waiting = $7, counts = $8, place = $9, custom = $10, \
             on_sheets = $11 WHERE id = $1",
        )
        .bind(id.as_str())
        .bind(&form.title)
        .bind(&form.mode)
        .bind(form.starts_ms.map(to_db).transpose()?)
        .bind(form.ends_ms.map(to_db).transpose()?)
        .bind(i64::from(form.rehearsal_min))
        .bind(form.waiting)
        .bind(form.counts)
        .bind(&form.place)
        .bind(fields_to_db(&form.custom)?)
        .bind(fields_to_db(&form.on_sheets)?)
        .execute(&mut *transaction)
        .await?;
        if moved {
            note_time(&mut transaction, id, form, by.as_str(), now_ms).await?;
        }
        let changed = one(&mut transaction, id).await?;
        transaction.commit().await?;
        Ok(changed)
    }

    /// Deletes a session that was never opened.
    ///
    /// # Errors
    /// [`StoreError::UnknownSession`]; [`StoreError::Protected`] while the class
    /// is kept open; [`StoreError::Refused`] when it was opened or something
    /// hangs from it.
    pub async fn delete_session(&self, id: &SessionKey, now_ms: u64) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let known = one(&mut transaction, id).await?;
        unprotected(&require(&mut transaction, &known.class).await?, now_ms)?;
        let events: i64 = sqlx::query_scalar("SELECT count(*) FROM event WHERE session = $1")
            .bind(id.as_str())
            .fetch_one(&mut *transaction)
            .await?;
        if known.phase != SessionPhase::Scheduled || events > 0 {
            return Err(StoreError::Refused(StepRefused::WrongState));
        }
        for statement in [
            "DELETE FROM staff_learner WHERE staff IN (SELECT id FROM staff WHERE session = $1)",
            "DELETE FROM staff WHERE session = $1",
            "DELETE FROM preflight WHERE session = $1",
            "DELETE FROM session_plan WHERE session = $1",
            "DELETE FROM session WHERE id = $1",
        ] {
            sqlx::query(statement)
                .bind(id.as_str())
                .execute(&mut *transaction)
                .await
                .map_err(still_used)?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Cancels a session that has not begun; nobody comes in any more.
    ///
    /// # Errors
    /// [`StoreError::UnknownSession`]; [`StoreError::Refused`] once it has begun.
    pub async fn cancel_session(
        &self,
        id: &SessionKey,
        reason: &str,
        now_ms: u64,
    ) -> Result<classes::Session, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let known = one(&mut transaction, id).await?;
        known
            .phase
            .step(classes::SessionStep::Cancel)
            .map_err(StoreError::Refused)?;
        cancel(&mut transaction, id, reason, now_ms).await?;
        let cancelled = one(&mut transaction, id).await?;
        transaction.commit().await?;
        Ok(cancelled)
    }

    /// A session as the pages show it.
    pub async fn lesson(&self, id: &SessionKey) -> Result<Option<classes::Session>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        Ok(read(&mut transaction, Of::Id(id)).await?.into_iter().next())
    }

    /// The sessions of a class as the pages show them, in order.
    pub async fn lessons(&self, class: &ClassId) -> Result<Vec<classes::Session>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        read(&mut transaction, Of::Class(class)).await
    }

    /// Every time that was planned for a session, first to last.
    pub async fn planned_times(&self, id: &SessionKey) -> Result<Vec<PlannedTime>, StoreError> {
        let rows = sqlx::query(
            "SELECT starts_ms, ends_ms, made_by, made_ms FROM session_plan WHERE session = $1 \
             ORDER BY no",
        )
        .bind(id.as_str())
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(PlannedTime {
                    starts_ms: moment(row, "starts_ms")?,
                    ends_ms: moment(row, "ends_ms")?,
                    by: row.try_get("made_by")?,
                    made_ms: from_db(row.try_get("made_ms")?)?,
                })
            })
            .collect()
    }

    /// A session, for its room.
    pub async fn session(&self, id: &SessionKey) -> Result<Option<Session>, StoreError> {
        self.one_session("id", id.as_str()).await
    }

    /// The session a room belongs to.
    pub async fn session_of_room(&self, room: &str) -> Result<Option<Session>, StoreError> {
        self.one_session("room", room).await
    }

    /// The sessions of a class, for their rooms, in planned order.
    pub async fn sessions_of_class(&self, class: &ClassId) -> Result<Vec<Session>, StoreError> {
        self.sessions_where("class", class.as_str()).await
    }

    /// The sessions that are going on; after a start of the server, those whose
    /// rooms are to be rebuilt.
    pub async fn open_sessions(&self) -> Result<Vec<Session>, StoreError> {
        self.sessions_where("state", SessionState::Open.as_str())
            .await
    }

    /// Moves the room of a session on in its life. To the state it has: nothing
    /// happens.
    ///
    /// # Errors
    /// [`StoreError::UnknownSession`]; [`StoreError::SessionEnded`] for any way
    /// back from ended.
    pub async fn set_session_state(
        &self,
        id: &SessionKey,
        state: SessionState,
    ) -> Result<(), StoreError> {
        let changed = sqlx::query(
            "UPDATE session SET state = $1 WHERE id = $2 AND (state <> 'ended' OR state = $1)",
        )
        .bind(state.as_str())
        .bind(id.as_str())
        .execute(&self.pool)
        .await?
        .rows_affected();
        if changed > 0 {
            return Ok(());
        }
        match self.session(id).await? {
            Some(_) => Err(StoreError::SessionEnded(id.clone())),
            None => Err(StoreError::UnknownSession(id.clone())),
        }
    }

    /// `column` is one of this module's own words, never input.
    async fn one_session(
        &self,
        column: &'static str,
        value: &str,
    ) -> Result<Option<Session>, StoreError> {
        Ok(self.sessions_where(column, value).await?.into_iter().next())
    }

    async fn sessions_where(
        &self,
        column: &'static str,
        value: &str,
    ) -> Result<Vec<Session>, StoreError> {
        let text =
            format!("SELECT {ROOM_COLUMNS} FROM session s WHERE {column} = $1 ORDER BY {ORDER}");
        let rows = sqlx::query(&text).bind(value).fetch_all(&self.pool).await?;
        rows.iter().map(room_session).collect()
    }
}

fn mode_of(form: &SessionForm) -> Result<SessionMode, StoreError> {
    SessionMode::from_name(&form.mode).ok_or(StoreError::Unknown("mode"))
}

async fn insert(
    connection: &mut SqliteConnection,
    class: &ClassId,
    form: &SessionForm,
    by: &str,
    now_ms: u64,
) -> Result<SessionKey, StoreError> {
    let id = SessionKey(fresh_id('b')?);
    sqlx::query(
        "INSERT INTO session (id, class, room, title, mode, starts_ms, ends_ms, state, \
         created_ms, rehearsal_min, waiting, counts, place, custom, on_sheets) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'scheduled', $8, $9, $10, $11, $12, $13, $14)",
    )
    .bind(id.as_str())
    .bind(class.as_str())
    .bind(fresh_id('r')?)
    .bind(&form.title)
    .bind(&form.mode)
    .bind(form.starts_ms.map(to_db).transpose()?)
    .bind(form.ends_ms.map(to_db).transpose()?)
    .bind(to_db(now_ms)?)
    .bind(i64::from(form.rehearsal_min))
    .bind(form.waiting)
    .bind(form.counts)
    .bind(&form.place)
    .bind(fields_to_db(&form.custom)?)
    .bind(fields_to_db(&form.on_sheets)?)
    .execute(&mut *connection)
    .await?;
    note_time(connection, &id, form, by, now_ms).await?;
    Ok(id)
}

async fn note_time(
    connection: &mut SqliteConnection,
    id: &SessionKey,
    form: &SessionForm,
    by: &str,
    now_ms: u64,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO session_plan (session, no, starts_ms, ends_ms, made_by, made_ms) \
         SELECT $1, coalesce(max(no), 0) + 1, $2, $3, $4, $5 FROM session_plan WHERE session = $1",
    )
    .bind(id.as_str())
    .bind(form.starts_ms.map(to_db).transpose()?)
    .bind(form.ends_ms.map(to_db).transpose()?)
    .bind(by)
    .bind(to_db(now_ms)?)
    .execute(connection)
    .await?;
    Ok(())
}

async fn cancel(
    connection: &mut SqliteConnection,
    id: &SessionKey,
    reason: &str,
    now_ms: u64,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE session SET state = 'ended', cancelled_ms = $2, cancel_reason = $3 WHERE id = $1",
    )
    .bind(id.as_str())
    .bind(to_db(now_ms)?)
    .bind(reason.trim())
    .execute(connection)
    .await?;
    Ok(())
}

/// Cancels what has not begun of a class.
pub(crate) async fn cancel_all(
    connection: &mut SqliteConnection,
    class: &ClassId,
    reason: &str,
    now_ms: u64,
) -> Result<(), StoreError> {
    let all = read(connection, Of::Class(class)).await?;
    for session in all {
        if session.phase.step(classes::SessionStep::Cancel).is_ok() {
            cancel(connection, &session.id, reason, now_ms).await?;
        }
    }
    Ok(())
}

pub(crate) async fn one(
    connection: &mut SqliteConnection,
    id: &SessionKey,
) -> Result<classes::Session, StoreError> {
    let found = read(connection, Of::Id(id)).await?.into_iter().next();
    found.ok_or_else(|| StoreError::UnknownSession(id.clone()))
}

pub(crate) fn moment(row: &SqliteRow, column: &str) -> Result<Option<u64>, StoreError> {
    let moment: Option<i64> = row.try_get(column)?;
    moment.map(from_db).transpose()
}

pub(crate) fn room_session(row: &SqliteRow) -> Result<Session, StoreError> {
    let mode: String = row.try_get("mode")?;
    let state: String = row.try_get("state")?;
    let rehearsal: i64 = row.try_get("rehearsal_min")?;
    Ok(Session {
        id: SessionKey(row.try_get("id")?),
        class: ClassId(row.try_get("class")?),
        room: row.try_get("room")?,
        title: row.try_get("title")?,
        mode: SessionMode::from_name(&mode)
            .ok_or_else(|| StoreError::Damaged(format!("session mode {mode}")))?,
        starts_ms: moment(row, "starts_ms")?,
        ends_ms: moment(row, "ends_ms")?,
        state: SessionState::from_name(&state)
            .ok_or_else(|| StoreError::Damaged(format!("session state {state}")))?,
        rehearsal_min: u16::try_from(rehearsal)
            .map_err(|_| StoreError::Damaged(format!("rehearsal of {rehearsal} minutes")))?,
        waiting: row.try_get("waiting")?,
    })
}
