//! Classes (lớp): their plans, what was done to them, the class of a fresh
//! installation. Lists are in [`crate::class_list`], the steps of a life in
//! [`crate::class_steps`].

use lophoc_classes::{
    Class, ClassId, ClassState, CourseId, Day, GuestPolicy, Plan, StepRefused, UnitId,
};
use lophoc_ledger::{PersonKey, fold_name};
use serde::Deserialize;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use crate::error::StoreError;
use crate::sessions::{NewSession, Session, SessionMode, SessionState};
use crate::store::{Store, from_db, random, to_db};

/// A class made on the command line: open at once, without a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewClass {
    /// Title.
    pub title: String,
    /// Name of the host unit (đơn vị chủ trì).
    pub host_unit: String,
}

/// The class that a fresh installation shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demo {
    /// The class.
    pub class: Class,
    /// Its current session.
    pub session: Session,
}

/// A line of the log of a class. Only grows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassLogLine {
    /// When, ms.
    pub at_ms: u64,
    /// Who; empty: the server or the command line.
    pub by: String,
    /// `create`, `plan`, `delete`, or the name of a step.
    pub what: String,
    /// State before; empty with `create`.
    pub was: String,
    /// State after; empty with `delete`.
    pub becomes: String,
    /// Number of a document.
    pub document: String,
    /// Reason.
    pub reason: String,
}

/// To be written to the log of a class.
pub(crate) struct ClassLog<'a> {
    pub(crate) at_ms: u64,
    pub(crate) by: &'a str,
    pub(crate) what: &'a str,
    pub(crate) was: &'a str,
    pub(crate) becomes: &'a str,
    pub(crate) document: &'a str,
    pub(crate) reason: &'a str,
}

/// Columns of a class, its table named `c`. An open class whose first lesson
/// has begun is running, whether somebody noted it or not: that follows from
/// the ledger and so nothing can disagree after a crash.
pub(crate) const CLASS_COLUMNS: &str = "c.id, c.title, c.host_unit, c.code, c.course, c.host, \
     c.from_day, c.to_day, c.open_until, c.plan, c.created_ms, c.rev, c.state AS written, \
     CASE WHEN c.state IN ('open', 'announced') AND EXISTS (SELECT 1 FROM session b \
     JOIN event e ON e.session = b.id WHERE b.class = c.id \
     AND e.kind IN ('started', 'break', 'ended') AND e.kind = 'started') \
     THEN 'running' ELSE c.state END AS state";

const DEMO_TITLE: &str = "Bồi dưỡng giáo viên: Lớp học trực tuyến đầu tiên";
const DEMO_HOST: &str = "Sở GDĐT (lớp mẫu)";
const DEMO_SESSION: &str = "Buổi 2: Thực hành trong phòng học trực tuyến";

impl Store {
    /// Creates a class that is open at once, for the command line.
    pub async fn create_class(&self, new: NewClass) -> Result<Class, StoreError> {
        let class = Class {
            id: ClassId(fresh_id('l')?),
            plan: Plan {
                title: new.title,
                // Whoever makes links by hand hands them to those he wants in.
                guests: GuestPolicy::Free,
                ..Plan::default()
            },
            host_name: new.host_unit,
            state: ClassState::Open,
            open_until: None,
            created_ms: wall_ms(),
            rev: 1,
        };
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        insert(&mut transaction, &class, "").await?;
        transaction.commit().await?;
        Ok(class)
    }

    /// Creates a class as a draft. `plan.host` must be given.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] for `host` or `course`, [`StoreError::Taken`] for
    /// `code`.
    pub async fn create_planned(
        &self,
        plan: Plan,
        by: &PersonKey,
        now_ms: u64,
    ) -> Result<Class, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let host_name = check_plan(&mut transaction, &plan, None).await?;
        let class = Class {
            id: ClassId(fresh_id('l')?),
            plan,
            host_name,
            state: ClassState::Draft,
            open_until: None,
            created_ms: now_ms,
            rev: 1,
        };
        insert(&mut transaction, &class, by.as_str()).await?;
        transaction.commit().await?;
        Ok(class)
    }

    /// Changes the plan of a class. `rev` is the revision the caller saw.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when somebody else changed it;
    /// [`StoreError::Refused`] when it is archived, destroyed or cancelled, or
    /// when number and day of an approved plan are taken away;
    /// as [`create_planned`](Self::create_planned).
    pub async fn change_plan(
        &self,
        id: &ClassId,
        plan: Plan,
        rev: u64,
        by: &PersonKey,
        now_ms: u64,
    ) -> Result<Class, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let mut class = require(&mut transaction, id).await?;
        if class.rev != rev {
            return Err(StoreError::Stale);
        }
        if matches!(
            class.state,
            ClassState::Archived | ClassState::Destroyed | ClassState::Cancelled
        ) {
            return Err(StoreError::Refused(StepRefused::WrongState));
        }
        let numbered = |plan: &Plan| !plan.plan_no.is_empty() && plan.plan_day.is_some();
        let approved = !matches!(
            class.state,
            ClassState::Draft | ClassState::Submitted | ClassState::Postponed
        );
        if approved && numbered(&class.plan) && !numbered(&plan) {
            return Err(StoreError::Refused(StepRefused::NoPlan));
        }
        let host_name = check_plan(&mut transaction, &plan, Some(id)).await?;
        // The name of the host stays as it was when the host was set.
        if plan.host != class.plan.host || class.plan.host.is_none() && plan.host.is_some() {
            class.host_name = host_name;
        }
        class.plan = plan;
        class.rev += 1;
        update(&mut transaction, &class).await?;
        let state = class.state.as_str();
        log(
            &mut transaction,
            id,
            &ClassLog {
                at_ms: now_ms,
                by: by.as_str(),
                what: "plan",
                was: state,
                becomes: state,
                document: "",
                reason: "",
            },
        )
        .await?;
        transaction.commit().await?;
        Ok(class)
    }

    /// Throws a draft away, with its sessions, staff and roster. The log keeps
    /// that it was there.
    ///
    /// # Errors
    /// [`StoreError::Protected`] while the six months stand (TT21 Điều 10.8);
    /// [`StoreError::Refused`] when it is no draft or anything of it has a log.
    pub async fn delete_class(
        &self,
        id: &ClassId,
        by: &PersonKey,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let class = require(&mut transaction, id).await?;
        unprotected(&class, now_ms)?;
        if class.state != ClassState::Draft {
            return Err(StoreError::Refused(StepRefused::WrongState));
        }
        let logged: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM session s WHERE s.class = $1 AND (s.state <> 'scheduled' \
             OR EXISTS (SELECT 1 FROM event e WHERE e.session = s.id))",
        )
        .bind(id.as_str())
        .fetch_one(&mut *transaction)
        .await?;
        if logged > 0 {
            return Err(StoreError::Refused(StepRefused::SessionOpen));
        }
        for statement in [
            "DELETE FROM rules_accepted WHERE class = $1",
            "DELETE FROM class_rules WHERE class = $1",
            "DELETE FROM staff_learner WHERE staff IN (SELECT id FROM staff WHERE class = $1)",
            "DELETE FROM staff WHERE class = $1",
            "DELETE FROM roster_line WHERE class = $1",
            "DELETE FROM roster_version WHERE class = $1",
            "DELETE FROM roster WHERE class = $1",
            "DELETE FROM preflight WHERE session IN (SELECT id FROM session WHERE class = $1)",
            "DELETE FROM session_plan WHERE session IN (SELECT id FROM session WHERE class = $1)",
            "DELETE FROM session WHERE class = $1",
            "DELETE FROM class WHERE id = $1",
        ] {
            sqlx::query(statement)
                .bind(id.as_str())
                .execute(&mut *transaction)
                .await
                .map_err(still_used)?;
        }
        log(
            &mut transaction,
            id,
            &ClassLog {
                at_ms: now_ms,
                by: by.as_str(),
                what: "delete",
                was: class.state.as_str(),
                becomes: "",
                document: "",
                reason: &class.plan.title,
            },
        )
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// A class.
    pub async fn class(&self, id: &ClassId) -> Result<Option<Class>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        read(&mut connection, id).await
    }

    /// All classes, oldest first.
    pub async fn classes(&self) -> Result<Vec<Class>, StoreError> {
        let text = format!("SELECT {CLASS_COLUMNS} FROM class c ORDER BY c.created_ms, c.id");
        let rows = sqlx::query(&text).fetch_all(&self.pool).await?;
        rows.iter().map(class_of_row).collect()
    }

    /// Classes hosted by a unit or by one below it, on any day and through
    /// mergers, oldest first, `most` at most; of these classes, those that have
    /// a session.
    pub async fn classes_hosted(&self, unit: &UnitId, most: u32) -> Result<Vec<Class>, StoreError> {
        let text = format!(
            "SELECT {CLASS_COLUMNS} FROM class c WHERE {} \
             AND EXISTS (SELECT 1 FROM session s WHERE s.class = c.id) \
             ORDER BY c.created_ms, c.id LIMIT $2",
            crate::units::is_below("c.host", 1, 1)
        );
        let rows = sqlx::query(&text)
            .bind(unit.as_str())
            .bind(i64::from(most))
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(class_of_row).collect()
    }

    /// What was done to a class, oldest first; also of one that was deleted.
    pub async fn class_log(&self, id: &ClassId) -> Result<Vec<ClassLogLine>, StoreError> {
        let rows = sqlx::query(
            "SELECT at_ms, made_by, what, was, becomes, document, reason FROM class_log \
             WHERE class = $1 ORDER BY no",
        )
        .bind(id.as_str())
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(ClassLogLine {
                    at_ms: from_db(row.try_get("at_ms")?)?,
                    by: row.try_get("made_by")?,
                    what: row.try_get("what")?,
                    was: row.try_get("was")?,
                    becomes: row.try_get("becomes")?,
                    document: row.try_get("document")?,
                    reason: row.try_get("reason")?,
                })
            })
            .collect()
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
}

/// A class within a transaction.
pub(crate) async fn read(
    connection: &mut SqliteConnection,
    id: &ClassId,
) -> Result<Option<Class>, StoreError> {
    let text = format!("SELECT {CLASS_COLUMNS} FROM class c WHERE c.id = $1");
    let row = sqlx::query(&text)
        .bind(id.as_str())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(class_of_row).transpose()
}

/// As [`read`]; there must be one.
pub(crate) async fn require(
    connection: &mut SqliteConnection,
    id: &ClassId,
) -> Result<Class, StoreError> {
    read(connection, id)
        .await?
        .ok_or_else(|| StoreError::UnknownClass(id.0.clone()))
}

/// Refuses what TT21 Điều 10.8 forbids: deleting what belongs to a class while
/// it is kept open, its last day included.
pub(crate) fn unprotected(class: &Class, now_ms: u64) -> Result<(), StoreError> {
    match class.open_until {
        Some(until) if lophoc_classes::is_protected(Some(until), today(now_ms)) => {
            Err(StoreError::Protected(until))
        }
        _ => Ok(()),
    }
}

/// The day of a moment where the installation stands.
pub(crate) fn today(now_ms: u64) -> Option<Day> {
    Day::of_ms(now_ms, lophoc_ledger::INDOCHINA_OFFSET_MIN).ok()
}

pub(crate) async fn log(
    connection: &mut SqliteConnection,
    class: &ClassId,
    line: &ClassLog<'_>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO class_log (class, no, at_ms, made_by, what, was, becomes, document, reason) \
         SELECT $1, coalesce(max(no), 0) + 1, $2, $3, $4, $5, $6, $7, $8 FROM class_log \
         WHERE class = $1",
    )
    .bind(class.as_str())
    .bind(to_db(line.at_ms)?)
    .bind(line.by)
    .bind(line.what)
    .bind(line.was)
    .bind(line.becomes)
    .bind(line.document)
    .bind(line.reason)
    .execute(connection)
    .await?;
    Ok(())
}

async fn insert(
    connection: &mut SqliteConnection,
    class: &Class,
    by: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO class (id, title, host_unit, created_ms, code, code_key, course, host, \
         state, from_day, to_day, open_until, plan, search, rev) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
    )
    .bind(class.id.as_str())
    .bind(&class.plan.title)
    .bind(&class.host_name)
    .bind(to_db(class.created_ms)?)
    .bind(&class.plan.code)
    .bind(fold_name(&class.plan.code))
    .bind(class.plan.course.as_ref().map(CourseId::as_str))
    .bind(class.plan.host.as_ref().map(UnitId::as_str))
    .bind(class.state.as_str())
    .bind(class.plan.from.map(String::from))
    .bind(class.plan.to.map(String::from))
    .bind(class.open_until.map(String::from))
    .bind(plan_text(&class.plan)?)
    .bind(search_text(class))
    .bind(to_db(class.rev)?)
    .execute(&mut *connection)
    .await?;
    let state = class.state.as_str();
    log(
        connection,
        &class.id,
        &ClassLog {
            at_ms: class.created_ms,
            by,
            what: "create",
            was: "",
            becomes: state,
            document: "",
            reason: "",
        },
    )
    .await
}

/// Writes everything of a class but its creation.
pub(crate) async fn update(
    connection: &mut SqliteConnection,
    class: &Class,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE class SET title = $2, host_unit = $3, code = $4, code_key = $5, course = $6, \
         host = $7, state = $8, from_day = $9, to_day = $10, open_until = $11, plan = $12, \
         search = $13, rev = $14 WHERE id = $1",
    )
    .bind(class.id.as_str())
    .bind(&class.plan.title)
    .bind(&class.host_name)
    .bind(&class.plan.code)
    .bind(fold_name(&class.plan.code))
    .bind(class.plan.course.as_ref().map(CourseId::as_str))
    .bind(class.plan.host.as_ref().map(UnitId::as_str))
    .bind(class.state.as_str())
    .bind(class.plan.from.map(String::from))
    .bind(class.plan.to.map(String::from))
    .bind(class.open_until.map(String::from))
    .bind(plan_text(&class.plan)?)
    .bind(search_text(class))
    .bind(to_db(class.rev)?)
    .execute(connection)
    .await?;
    Ok(())
}

/// Whether what the plan names exists and its code is free; gives the name of
/// the host.
async fn check_plan(
    connection: &mut SqliteConnection,
    plan: &Plan,
    own: Option<&ClassId>,
) -> Result<String, StoreError> {
    let host = plan.host.as_ref().ok_or(StoreError::Unknown("host"))?;
    let name: Option<String> = sqlx::query_scalar("SELECT name FROM unit WHERE id = $1")
        .bind(host.as_str())
        .fetch_optional(&mut *connection)
        .await?;
    let name = name.ok_or(StoreError::Unknown("host"))?;
    if let Some(course) = &plan.course {
        let known: Option<String> = sqlx::query_scalar("SELECT id FROM course WHERE id = $1")
            .bind(course.as_str())
            .fetch_optional(&mut *connection)
            .await?;
        if known.is_none() {
            return Err(StoreError::Unknown("course"));
        }
    }
    let key = fold_name(&plan.code);
    if !key.is_empty() {
        let holder: Option<String> = sqlx::query_scalar("SELECT id FROM class WHERE code_key = $1")
            .bind(&key)
            .fetch_optional(connection)
            .await?;
        if holder.is_some_and(|holder| own.is_none_or(|own| own.as_str() != holder)) {
            return Err(StoreError::Taken("code"));
        }
    }
    Ok(name)
}

/// What still hangs from a row (an excuse, an export) is a reason not to delete it.
pub(crate) fn still_used(error: sqlx::Error) -> StoreError {
    let used = error.as_database_error().is_some_and(|inner| {
        inner.is_foreign_key_violation() || inner.message().contains("append-only")
    });
    if used {
        StoreError::Refused(StepRefused::WrongState)
    } else {
        error.into()
    }
}

fn plan_text(plan: &Plan) -> Result<String, StoreError> {
    serde_json::to_string(plan).map_err(|error| StoreError::Damaged(error.to_string()))
}

fn search_text(class: &Class) -> String {
    fold_name(&format!(
        "{} {} {}",
        class.plan.title, class.plan.code, class.host_name
    ))
}

pub(crate) fn class_of_row(row: &SqliteRow) -> Result<Class, StoreError> {
    let plan: String = row.try_get("plan")?;
    let plan: Plan = serde_json::from_str(&plan)
        .map_err(|error| StoreError::Damaged(format!("plan of a class: {error}")))?;
    let course: Option<String> = row.try_get("course")?;
    let host: Option<String> = row.try_get("host")?;
    Ok(Class {
        id: ClassId(row.try_get("id")?),
        plan: Plan {
            title: row.try_get("title")?,
            code: row.try_get("code")?,
            course: course.map(CourseId),
            host: host.map(UnitId),
            from: day_of(row.try_get("from_day")?)?,
            to: day_of(row.try_get("to_day")?)?,
            ..plan
        },
        host_name: row.try_get("host_unit")?,
        state: state_of(row.try_get("state")?)?,
        open_until: day_of(row.try_get("open_until")?)?,
        created_ms: from_db(row.try_get("created_ms")?)?,
        rev: from_db(row.try_get("rev")?)?,
    })
}

pub(crate) fn state_of(name: &str) -> Result<ClassState, StoreError> {
    ClassState::from_name(name).ok_or_else(|| StoreError::Damaged(format!("class state {name}")))
}

pub(crate) fn day_of(text: Option<String>) -> Result<Option<Day>, StoreError> {
    text.map(|text| {
        text.parse()
            .map_err(|_| StoreError::Damaged(format!("day {text}")))
    })
    .transpose()
}

/// The value of an enum by its name in JSON.
pub(crate) fn of_name<T: for<'a> Deserialize<'a>>(name: String) -> Result<T, StoreError> {
    serde_json::from_value(serde_json::Value::String(name))
        .map_err(|error| StoreError::Damaged(error.to_string()))
}

/// A pattern that finds a text anywhere, its own wildcards taken literally
/// (`ESCAPE '\'`). Folded like the columns it is held against.
pub(crate) fn pattern(text: &str) -> String {
    let folded = fold_name(text);
    let mut pattern = String::with_capacity(folded.len() + 2);
    pattern.push('%');
    for c in folded.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
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

pub(crate) fn wall_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}
