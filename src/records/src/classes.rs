//! Classes (lớp), their sessions (buổi học), the room of each session.

use lophoc_ledger::SessionKey;
use serde::{Deserialize, Serialize};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::error::StoreError;
use crate::store::{Store, from_db, random, to_db};

/// Id of a class.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClassId(pub String);

impl ClassId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for ClassId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A class: what sessions belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class {
    /// Id.
    pub id: ClassId,
    /// Title.
    pub title: String,
    /// Đơn vị chủ trì (Thông tư 21/2017/TT-BGDĐT, Điều 2.5).
    pub host_unit: String,
}

/// A class to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewClass {
    /// Title.
    pub title: String,
    /// Host unit.
    pub host_unit: String,
}

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

/// Where a session is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SessionState {
    /// Lên lịch.
    Scheduled,
    /// Đang diễn ra; also across a restart of the server.
    Open,
    /// Kết thúc, for good.
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

/// A session of a class, with its room.
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

/// The class that a fresh installation shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demo {
    /// The class.
    pub class: Class,
    /// Its current session.
    pub session: Session,
}

const SESSION_COLUMNS: &str = "id, class, room, title, mode, starts_ms, ends_ms, state";

const DEMO_TITLE: &str = "Bồi dưỡng giáo viên: Lớp học trực tuyến đầu tiên";
const DEMO_HOST: &str = "Sở GDĐT (lớp mẫu)";
const DEMO_SESSION: &str = "Buổi 1: Làm quen với phòng học trực tuyến";

impl Store {
    /// Creates a class.
    pub async fn create_class(&self, new: NewClass) -> Result<Class, StoreError> {
        let class = Class {
            id: ClassId(fresh_id('l')?),
            title: new.title,
            host_unit: new.host_unit,
        };
        sqlx::query("INSERT INTO class (id, title, host_unit, created_ms) VALUES ($1, $2, $3, $4)")
            .bind(class.id.as_str())
            .bind(&class.title)
            .bind(&class.host_unit)
            .bind(to_db(wall_ms())?)
            .execute(&self.pool)
            .await?;
        Ok(class)
    }

    /// Creates a session of a class, scheduled, with a room of its own.
    ///
    /// # Errors
    /// [`StoreError::UnknownClass`].
    pub async fn create_session(&self, new: NewSession) -> Result<Session, StoreError> {
        if self.class(&new.class).await?.is_none() {
            return Err(StoreError::UnknownClass(new.class.0));
        }
        let session = Session {
            id: SessionKey(fresh_id('b')?),
            class: new.class,
            room: fresh_id('r')?,
            title: new.title,
            mode: new.mode,
            starts_ms: new.starts_ms,
            ends_ms: new.ends_ms,
            state: SessionState::Scheduled,
        };
        sqlx::query(
            "INSERT INTO session (id, class, room, title, mode, starts_ms, ends_ms, state, created_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(session.id.as_str())
        .bind(session.class.as_str())
        .bind(&session.room)
        .bind(&session.title)
        .bind(session.mode.as_str())
        .bind(session.starts_ms.map(to_db).transpose()?)
        .bind(session.ends_ms.map(to_db).transpose()?)
        .bind(session.state.as_str())
        .bind(to_db(wall_ms())?)
        .execute(&self.pool)
        .await?;
        Ok(session)
    }

    /// A class.
    pub async fn class(&self, id: &ClassId) -> Result<Option<Class>, StoreError> {
        let row = sqlx::query("SELECT id, title, host_unit FROM class WHERE id = $1")
            .bind(id.as_str())
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(class_of_row).transpose()
    }

    /// All classes, oldest first.
    pub async fn classes(&self) -> Result<Vec<Class>, StoreError> {
        let rows = sqlx::query("SELECT id, title, host_unit FROM class ORDER BY created_ms, id")
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(class_of_row).collect()
    }

    /// A session.
    pub async fn session(&self, id: &SessionKey) -> Result<Option<Session>, StoreError> {
        self.one_session("id", id.as_str()).await
    }

    /// The session a room belongs to.
    pub async fn session_of_room(&self, room: &str) -> Result<Option<Session>, StoreError> {
        self.one_session("room", room).await
    }

    /// The sessions of a class, in planned order.
    pub async fn sessions_of_class(&self, class: &ClassId) -> Result<Vec<Session>, StoreError> {
        self.sessions_where("class", class.as_str()).await
    }

    /// The sessions that are going on; after a start of the server, those whose
    /// rooms are to be rebuilt.
    pub async fn open_sessions(&self) -> Result<Vec<Session>, StoreError> {
        self.sessions_where("state", SessionState::Open.as_str())
            .await
    }

    /// Moves a session on in its life. To the state it has: nothing happens.
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

    /// The class of a fresh installation, created at the first call. Once its
    /// session has ended, the next call gives it a new one.
    pub async fn ensure_demo(&self) -> Result<Demo, StoreError> {
        let known: Option<String> =
            sqlx::query_scalar("SELECT value FROM setting WHERE name = 'demo'")
                .fetch_optional(&self.pool)
                .await?;
        let class = match known {
            Some(id) => self.class(&ClassId(id)).await?,
            None => None,
        };
        let class = match class {
            Some(class) => class,
            None => {
                let class = self
                    .create_class(NewClass {
                        title: DEMO_TITLE.to_owned(),
                        host_unit: DEMO_HOST.to_owned(),
                    })
                    .await?;
                sqlx::query(
                    "INSERT INTO setting (name, value) VALUES ('demo', $1) \
                     ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                )
                .bind(class.id.as_str())
                .execute(&self.pool)
                .await?;
                class
            }
        };
        let sessions = self.sessions_of_class(&class.id).await?;
        let current = sessions
            .into_iter()
            .find(|session| session.state != SessionState::Ended);
        let session = match current {
            Some(session) => session,
            None => {
                self.create_session(NewSession {
                    class: class.id.clone(),
                    title: DEMO_SESSION.to_owned(),
                    mode: SessionMode::Discussion,
                    starts_ms: None,
                    ends_ms: None,
                })
                .await?
            }
        };
        Ok(Demo { class, session })
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
        let text = format!(
            "SELECT {SESSION_COLUMNS} FROM session WHERE {column} = $1 \
             ORDER BY coalesce(starts_ms, created_ms), created_ms, id"
        );
        let rows = sqlx::query(&text).bind(value).fetch_all(&self.pool).await?;
        rows.iter().map(session_of_row).collect()
    }
}

fn class_of_row(row: &SqliteRow) -> Result<Class, StoreError> {
    Ok(Class {
        id: ClassId(row.try_get("id")?),
        title: row.try_get("title")?,
        host_unit: row.try_get("host_unit")?,
    })
}

fn session_of_row(row: &SqliteRow) -> Result<Session, StoreError> {
    let mode: String = row.try_get("mode")?;
    let state: String = row.try_get("state")?;
    let starts: Option<i64> = row.try_get("starts_ms")?;
    let ends: Option<i64> = row.try_get("ends_ms")?;
    Ok(Session {
        id: SessionKey(row.try_get("id")?),
        class: ClassId(row.try_get("class")?),
        room: row.try_get("room")?,
        title: row.try_get("title")?,
        mode: SessionMode::from_name(&mode)
            .ok_or_else(|| StoreError::Damaged(format!("session mode {mode}")))?,
        starts_ms: starts.map(from_db).transpose()?,
        ends_ms: ends.map(from_db).transpose()?,
        state: SessionState::from_name(&state)
            .ok_or_else(|| StoreError::Damaged(format!("session state {state}")))?,
    })
}

/// A random id: a letter for the sort, then 16 characters of 5 bits that can be
/// read aloud (no 0, 1, l, o).
pub(crate) fn fresh_id(sort: char) -> Result<String, StoreError> {
    const SIGNS: [char; 32] = [
        'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'm', 'n', 'p', 'q', 'r', 's', 't',
        'u', 'v', 'w', 'x', 'y', 'z', '2', '3', '4', '5', '6', '7', '8', '9',
    ];
    let signs = random::<16>()?.map(|byte| SIGNS.get(usize::from(byte % 32)).copied());
    Ok(std::iter::once(sort)
        .chain(signs.into_iter().flatten())
        .collect())
}

fn wall_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}
