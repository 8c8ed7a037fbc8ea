//! That sessions are recorded: the setting of classes and sessions, and who
//! accepted it before coming in.

use lophoc_classes::{ClassId, ClassKind, Plan};
use lophoc_ledger::{PersonKey, SessionKey};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use crate::error::StoreError;
use crate::store::{Store, from_db, to_db};

/// What people are told about a recording.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordingNotice {
    /// Who records and answers for it; never empty.
    pub who: String,
    /// What for.
    pub why: String,
    /// How long it is kept, who may see it, how to object.
    pub keep: String,
}

/// How a session is recorded, and what people are told about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordingPlan {
    /// What people are told.
    pub notice: RecordingNotice,
    /// The server records; otherwise something outside of the room does.
    pub server: bool,
    /// It begins with the lesson.
    pub auto: bool,
    /// Of the server: takes only those who present, and what they show.
    pub presenters: bool,
    /// Of the server: people are asked, and who refuses attends unrecorded.
    pub asks: bool,
    /// Of the server: learners who are in the room watch what is recorded so far.
    pub from_start: bool,
}

/// The setting of a class or session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordingSetting {
    /// It is recorded.
    On(RecordingPlan),
    /// It is not.
    Off,
    /// Of a session: as its class says.
    AsClass,
}

/// Somebody accepted a notice.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordingAccepted {
    /// Who.
    pub person: PersonKey,
    /// What he was told.
    pub notice: RecordingNotice,
    /// When, ms since the epoch.
    pub at_ms: u64,
}

fn plan(row: &SqliteRow) -> Result<RecordingPlan, StoreError> {
    let is = |column, value: &str| Ok::<_, StoreError>(row.try_get::<String, _>(column)? == value);
    let server = is("source", "server")?;
    // The sort of class may be another than when it was set: what it demands today
    // counts wherever the plan is read.
    let class: Plan = serde_json::from_str(row.try_get("plan")?)
        .map_err(|error| StoreError::Damaged(format!("plan of a class: {error}")))?;
    let asked = server && class.kind != ClassKind::Public;
    Ok(RecordingPlan {
        notice: notice(row)?,
        server,
        auto: row.try_get("auto")?,
        presenters: is("whom", "presenters")?,
        asks: asked || is("ask", "consent")?,
        from_start: server && row.try_get("from_start")?,
    })
}

fn notice(row: &SqliteRow) -> Result<RecordingNotice, StoreError> {
    Ok(RecordingNotice {
        who: row.try_get("who")?,
        why: row.try_get("why")?,
        keep: row.try_get("keep")?,
    })
}

async fn last(
    connection: &mut SqliteConnection,
    class: &ClassId,
    session: Option<&SessionKey>,
) -> Result<Option<RecordingSetting>, StoreError> {
    let row = sqlx::query(
        "SELECT n.state, n.who, n.why, n.keep, n.source, n.auto, n.whom, n.ask, n.from_start, c.plan \
         FROM recording_notice n JOIN class c ON c.id = n.class \
         WHERE n.class = $1 AND coalesce(n.session, '') = $2 ORDER BY n.no DESC LIMIT 1",
    )
    .bind(class.as_str())
    .bind(session.map_or("", SessionKey::as_str))
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let state: String = row.try_get("state")?;
    Ok(Some(match state.as_str() {
        "on" => RecordingSetting::On(plan(&row)?),
        "class" => RecordingSetting::AsClass,
        _ => RecordingSetting::Off,
    }))
}

impl Store {
    /// The setting of a class, or of one of its sessions alone.
    pub async fn recording_setting(
        &self,
        class: &ClassId,
        session: Option<&SessionKey>,
    ) -> Result<RecordingSetting, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let setting = last(&mut connection, class, session).await?;
        Ok(setting.unwrap_or(match session {
            Some(_) => RecordingSetting::AsClass,
            None => RecordingSetting::Off,
        }))
    }

    /// What people of a session are told: by its own setting, else by that of its
    /// class. Absent: it is not recorded.
    pub async fn recording_plan(
        &self,
        class: &ClassId,
        session: &SessionKey,
    ) -> Result<Option<RecordingPlan>, StoreError> {
        let setting = match self.recording_setting(class, Some(session)).await? {
            RecordingSetting::AsClass => self.recording_setting(class, None).await?,
            own => own,
        };
        Ok(match setting {
            RecordingSetting::On(plan) => Some(plan),
            RecordingSetting::Off | RecordingSetting::AsClass => None,
        })
    }

    /// Sets it. The settings before it stay in the records.
    pub async fn set_recording(
        &self,
        class: &ClassId,
        session: Option<&SessionKey>,
        setting: &RecordingSetting,
        by: &PersonKey,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let before = last(&mut transaction, class, session).await?;
        if before.as_ref() != Some(setting) {
            let none = RecordingPlan::default();
            let (state, plan) = match setting {
                RecordingSetting::On(plan) => ("on", plan),
                RecordingSetting::Off => ("off", &none),
                RecordingSetting::AsClass => ("class", &none),
            };
            let notice = &plan.notice;
            sqlx::query(
                "INSERT INTO recording_notice (class, session, state, who, why, keep, made_by, made_ms, \
                 source, auto, whom, ask, from_start) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            )
            .bind(class.as_str())
            .bind(session.map(SessionKey::as_str))
            .bind(state)
            .bind(&notice.who)
            .bind(&notice.why)
            .bind(&notice.keep)
            .bind(by.as_str())
            .bind(to_db(now_ms)?)
            .bind(if plan.server { "server" } else { "external" })
            .bind(plan.auto)
            .bind(if plan.presenters { "presenters" } else { "all" })
            .bind(if plan.asks { "consent" } else { "notice" })
            .bind(plan.from_start)
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Whether somebody accepted these `words` (their hash) in this class.
    pub async fn has_accepted_recording(
        &self,
        class: &ClassId,
        words: &str,
        person: &PersonKey,
    ) -> Result<bool, StoreError> {
        let found: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM recording_accepted WHERE class = $1 AND words = $2 AND person = $3",
        )
        .bind(class.as_str())
        .bind(words)
        .bind(person.as_str())
        .fetch_one(&self.pool)
        .await?;
        Ok(found > 0)
    }

    /// Somebody accepts these words; the first time stands.
    pub async fn accept_recording(
        &self,
        class: &ClassId,
        words: &str,
        notice: &RecordingNotice,
        person: &PersonKey,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO recording_accepted (class, words, person, who, why, keep, at_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        )
        .bind(class.as_str())
        .bind(words)
        .bind(person.as_str())
        .bind(&notice.who)
        .bind(&notice.why)
        .bind(&notice.keep)
        .bind(to_db(now_ms)?)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// What somebody answered last in a session to the words of a recording: the
    /// words (their hash), and whether he accepted them.
    pub async fn recording_choice(
        &self,
        session: &SessionKey,
        person: &PersonKey,
    ) -> Result<Option<(String, bool)>, StoreError> {
        let row = sqlx::query(
            "SELECT words, accepted FROM recording_choice WHERE session = $1 AND person = $2",
        )
        .bind(session.as_str())
        .bind(person.as_str())
        .fetch_optional(&self.pool)
        .await?;
        row.map(|row| Ok((row.try_get("words")?, row.try_get("accepted")?)))
            .transpose()
    }

    /// Notes an answer; the latest stands.
    pub async fn set_recording_choice(
        &self,
        session: &SessionKey,
        person: &PersonKey,
        words: &str,
        accepted: bool,
        at_ms: u64,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO recording_choice (session, person, words, accepted, at_ms) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (session, person) DO UPDATE SET \
             words = excluded.words, accepted = excluded.accepted, at_ms = excluded.at_ms \
             WHERE excluded.at_ms >= recording_choice.at_ms",
        )
        .bind(session.as_str())
        .bind(person.as_str())
        .bind(words)
        .bind(accepted)
        .bind(to_db(at_ms)?)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Who accepted what in a class, in order of time.
    pub async fn recording_accepted(
        &self,
        class: &ClassId,
    ) -> Result<Vec<RecordingAccepted>, StoreError> {
        let rows = sqlx::query(
            "SELECT person, who, why, keep, at_ms FROM recording_accepted \
             WHERE class = $1 ORDER BY at_ms, person, words",
        )
        .bind(class.as_str())
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(RecordingAccepted {
                    person: PersonKey(row.try_get("person")?),
                    notice: notice(row)?,
                    at_ms: from_db(row.try_get("at_ms")?)?,
                })
            })
            .collect()
    }
}
