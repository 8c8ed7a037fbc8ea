//! The steps in the life of a class, each in one transaction with its reason
//! and its line in the log. Which are allowed stands in `lophoc_classes`.

use lophoc_classes::{
    Class, ClassId, ClassStep, Day, Readiness, ReadyFacts, Session, SessionPhase, StaffRole,
    StepFacts, StepRefused, StepRequest, open_until, readiness,
};
use lophoc_ledger::{INDOCHINA_OFFSET_MIN, PersonKey};
use sqlx::SqliteConnection;

use crate::classes::{ClassLog, log, require, state_of, today, update};
use crate::error::StoreError;
use crate::recording_keep::delete_with_class;
use crate::roster::{self, Counts};
use crate::session_phase::{self, Of};
use crate::sessions;
use crate::staff;
use crate::store::{Store, from_db};

/// What a class page needs beside the class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassDetails {
    /// Sessions in order.
    pub sessions: Vec<Session>,
    /// People on the roster that stand, sites included.
    pub people: u32,
    /// Sites among them.
    pub sites: u32,
    /// Steps that would succeed now, a document given where one is needed.
    pub steps: Vec<ClassStep>,
    /// Readiness check.
    pub readiness: Vec<Readiness>,
}

impl Store {
    /// Takes a step. `today` comes from `now_ms`.
    ///
    /// # Errors
    /// [`StoreError::Refused`] with the reason; [`StoreError::Protected`] while
    /// the six months stand; [`StoreError::UnknownClass`].
    pub async fn step_class(
        &self,
        id: &ClassId,
        request: &StepRequest,
        by: &PersonKey,
        now_ms: u64,
    ) -> Result<Class, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let mut class = require(&mut transaction, id).await?;
        note_running(&mut transaction, &class).await?;
        let all = session_phase::read(&mut transaction, Of::Class(id)).await?;
        let mut facts = facts(&mut transaction, &class, &all, now_ms).await?;
        facts.document = !request.document.trim().is_empty();
        let was = class.state;
        class.state = match (was.step(request.step, &facts), class.open_until) {
            (Ok(next), _) => next,
            (Err(StepRefused::Protected), Some(until)) => return Err(StoreError::Protected(until)),
            (Err(why), _) => return Err(StoreError::Refused(why)),
        };
        match request.step {
            ClassStep::Open => {
                roster::confirm(&mut transaction, id, by, now_ms).await?;
            }
            ClassStep::Finish => class.open_until = Some(protected_until(&class, &all, now_ms)?),
            ClassStep::Cancel => {
                sessions::cancel_all(&mut transaction, id, &request.reason, now_ms).await?;
            }
            ClassStep::Destroy => {
                let document = request.document.trim();
                delete_with_class(&mut transaction, id, document, by, now_ms).await?;
            }
            _ => {}
        }
        class.rev += 1;
        update(&mut transaction, &class).await?;
        log(
            &mut transaction,
            id,
            &ClassLog {
                at_ms: now_ms,
                by: by.as_str(),
                what: &step_name(request.step)?,
                was: was.as_str(),
                becomes: class.state.as_str(),
                document: request.document.trim(),
                reason: request.reason.trim(),
            },
        )
        .await?;
        transaction.commit().await?;
        Ok(class)
    }

    /// What a class page shows beside the class.
    pub async fn class_details(
        &self,
        class: &Class,
        now_ms: u64,
    ) -> Result<ClassDetails, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let all = session_phase::read(&mut transaction, Of::Class(&class.id)).await?;
        let mut facts = facts(&mut transaction, class, &all, now_ms).await?;
        facts.document = true;
        let counts = roster::counts(&mut transaction, &class.id).await?;
        let staff = staff::read(&mut transaction, &class.id).await?;
        let nameless = roster::nameless(&mut transaction, &class.id).await?;
        let planned = all
            .iter()
            .filter(|one| one.phase != SessionPhase::Cancelled);
        let untimed =
            planned.filter(|one| one.form.starts_ms.is_none() || one.form.ends_ms.is_none());
        let readiness = readiness(&ReadyFacts {
            plan: &class.plan,
            staff: &staff,
            sessions: facts.sessions,
            untimed: count(untimed.count()),
            people: facts.people,
            nameless: &nameless,
            announced: announced(&mut transaction, &class.id).await?,
        });
        Ok(ClassDetails {
            people: counts.people,
            sites: counts.sites,
            steps: class.state.steps_now(&facts),
            readiness,
            sessions: all,
        })
    }
}

/// An open class whose first lesson has begun is running. Written down with the
/// time of that beginning before any other step, so that the log has no hole.
async fn note_running(connection: &mut SqliteConnection, class: &Class) -> Result<(), StoreError> {
    let written: String = sqlx::query_scalar("SELECT state FROM class WHERE id = $1")
        .bind(class.id.as_str())
        .fetch_one(&mut *connection)
        .await?;
    let written = state_of(&written)?;
    if written == class.state {
        return Ok(());
    }
    let began: Option<i64> = sqlx::query_scalar(
        "SELECT min(e.wall_ms) FROM session s JOIN event e ON e.session = s.id \
         WHERE s.class = $1 AND e.kind IN ('started', 'break', 'ended') AND e.kind = 'started'",
    )
    .bind(class.id.as_str())
    .fetch_one(&mut *connection)
    .await?;
    sqlx::query("UPDATE class SET state = $1 WHERE id = $2")
        .bind(class.state.as_str())
        .bind(class.id.as_str())
        .execute(&mut *connection)
        .await?;
    log(
        connection,
        &class.id,
        &ClassLog {
            at_ms: began.map(from_db).transpose()?.unwrap_or(0),
            by: "",
            what: "run",
            was: written.as_str(),
            becomes: class.state.as_str(),
            document: "",
            reason: "",
        },
    )
    .await
}

async fn facts(
    connection: &mut SqliteConnection,
    class: &Class,
    all: &[Session],
    now_ms: u64,
) -> Result<StepFacts, StoreError> {
    let staff = staff::standing_entries(connection, &class.id).await?;
    let teaches = |role: StaffRole| {
        role == StaffRole::Trainer || !class.plan.kind.is_taught() && role == StaffRole::Chair
    };
    let Counts { people, .. } = roster::counts(connection, &class.id).await?;
    let of =
        |wanted: &dyn Fn(&Session) -> bool| count(all.iter().filter(|one| wanted(one)).count());
    let held_open = |one: &Session| !one.phase.is_held() && one.phase != SessionPhase::Cancelled;
    Ok(StepFacts {
        plan_numbered: !class.plan.plan_no.is_empty() && class.plan.plan_day.is_some(),
        trainers: count(staff.iter().filter(|entry| teaches(entry.role)).count()),
        sessions: of(&|one| one.phase != SessionPhase::Cancelled),
        live: of(&|one| one.phase.is_live()),
        unended: of(&held_open),
        unfrozen: of(&|one| one.phase == SessionPhase::Ended && one.form.counts),
        people,
        open_until: class.open_until,
        today: today(now_ms),
        document: false,
    })
}

/// "Tối thiểu 6 tháng" from the later of today and the last day with a session
/// (TT21 Điều 10.8); never earlier than what was promised before.
fn protected_until(class: &Class, all: &[Session], now_ms: u64) -> Result<Day, StoreError> {
    let today =
        today(now_ms).ok_or_else(|| StoreError::Damaged("the clock of the server".to_owned()))?;
    let last = all
        .iter()
        .filter(|one| one.phase != SessionPhase::Cancelled)
        .filter_map(|one| one.ended_ms.max(one.form.ends_ms))
        .filter_map(|ms| Day::of_ms(ms, INDOCHINA_OFFSET_MIN).ok())
        .max();
    let until = open_until(last.map_or(today, |last| last.max(today)));
    Ok(class
        .open_until
        .map_or(until, |promised| promised.max(until)))
}

/// Notices have gone out: the class has passed that step.
async fn announced(connection: &mut SqliteConnection, class: &ClassId) -> Result<bool, StoreError> {
    let steps: i64 =
        sqlx::query_scalar("SELECT count(*) FROM class_log WHERE class = $1 AND what = 'announce'")
            .bind(class.as_str())
            .fetch_one(connection)
            .await?;
    Ok(steps > 0)
}

fn step_name(step: ClassStep) -> Result<String, StoreError> {
    match serde_json::to_value(step) {
        Ok(serde_json::Value::String(name)) => Ok(name),
        _ => Err(StoreError::Damaged("name of a step".to_owned())),
    }
}

pub(crate) fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
