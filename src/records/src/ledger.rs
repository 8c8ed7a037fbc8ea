//! The way into the ledger and out of it.
//!
//! One task owns one connection and writes for all rooms. What waits while a
//! commit runs goes into the next transaction together, so the cost of a flush
//! to disk is shared and an append is answered after at most two of them.
//!
//! When a commit fails, its appends are answered with the error and the task
//! **keeps the events** ([`BACKLOG_EVENTS`] of them) and writes them before any
//! later one as soon as storage works again: the rooms have gone on, their log
//! must follow without a hole.

use std::collections::HashMap;
use std::time::Duration;

use lophoc_ledger::{Event, EventKind, LastSeen, PersonKey, SessionKey, Stamp};
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{Connection as _, QueryBuilder, Row as _, Sqlite, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use crate::error::StoreError;
use crate::store::{Store, from_db, to_db};

/// Appends and sweeps that may wait for the writer. Overflow: [`append`] fails
/// as busy, [`append_waiting`] waits.
///
/// [`append`]: LedgerWriter::append
/// [`append_waiting`]: LedgerWriter::append_waiting
pub const QUEUE_JOBS: usize = 4_096;
/// A transaction takes no further job once it holds this many rows.
pub const BATCH_EVENTS: usize = 2_000;
/// Events kept while storage fails. Overflow: further appends are refused as
/// busy and not kept.
pub const BACKLOG_EVENTS: usize = 20_000;
/// Sessions whose next number is remembered. Overflow: all are forgotten and
/// read again.
pub const SESSIONS_CACHED: usize = 4_096;
/// While storage fails, it is tried again this often.
pub const RETRY_EVERY: Duration = Duration::from_millis(500);
/// Rows of one INSERT statement.
const STATEMENT_ROWS: usize = 200;

type Answer = oneshot::Sender<Result<(), StoreError>>;

struct Append {
    events: Vec<Event>,
    answer: Answer,
}

struct Sweep {
    session: SessionKey,
    seen: Vec<LastSeen>,
    answer: Answer,
}

enum Job {
    Append(Append),
    Sweep(Sweep),
    Close(oneshot::Sender<()>),
}

impl Job {
    fn refuse(self, error: StoreError) {
        match self {
            // Nobody may be waiting any more.
            Self::Append(Append { answer, .. }) | Self::Sweep(Sweep { answer, .. }) => {
                let _ = answer.send(Err(error));
            }
            Self::Close(answer) => {
                let _ = answer.send(());
            }
        }
    }
}

/// Handle of the writer task. Cheap to clone.
#[derive(Debug, Clone)]
pub struct LedgerWriter {
    jobs: mpsc::Sender<Job>,
}

impl LedgerWriter {
    pub(crate) fn start(connect: SqliteConnectOptions) -> Self {
        let (jobs, queue) = mpsc::channel(QUEUE_JOBS);
        tokio::spawn(Writer::new(connect).run(queue));
        Self { jobs }
    }

    /// Appends consecutive events of one session. Returns at once; the channel
    /// answers `Ok` when all of them are on disk. Appends of a session are
    /// written in the order of the calls; events that are in the log already
    /// are accepted and not written twice; an empty append answers when all
    /// before it were tried.
    ///
    /// # Errors
    /// In the channel:
    /// - [`StoreError::Full`], [`Io`](StoreError::Io),
    ///   [`Database`](StoreError::Database): not on disk; kept and written
    ///   before anything later of that session when storage works again.
    ///   Appending the same events again is harmless and tells when they are.
    /// - [`StoreError::Busy`]: too much waits, or another process holds the
    ///   database; perhaps not kept, append again.
    /// - [`StoreError::Gap`], [`Conflict`](StoreError::Conflict),
    ///   [`MixedSessions`](StoreError::MixedSessions),
    ///   [`UnknownSession`](StoreError::UnknownSession): refused, not kept.
    /// - A closed channel, or [`StoreError::Stopped`]: the store was closed.
    pub fn append(&self, events: Vec<Event>) -> oneshot::Receiver<Result<(), StoreError>> {
        let (answer, wait) = oneshot::channel();
        self.offer(Job::Append(Append { events, answer }));
        wait
    }

    /// As [`append`](Self::append), but waits while the queue is full instead
    /// of failing: for a caller that may stop reading its own input meanwhile.
    pub async fn append_waiting(
        &self,
        events: Vec<Event>,
    ) -> oneshot::Receiver<Result<(), StoreError>> {
        let (answer, wait) = oneshot::channel();
        let job = Job::Append(Append { events, answer });
        if let Err(mpsc::error::SendError(job)) = self.jobs.send(job).await {
            job.refuse(StoreError::Stopped);
        }
        wait
    }

    /// Persists last-seen marks of a session; a mark never goes back. Shares
    /// the transaction of the appends around it. Failing loses nothing but
    /// precision: the next sweep brings newer marks.
    pub async fn sweep(&self, session: &SessionKey, seen: Vec<LastSeen>) -> Result<(), StoreError> {
        let (answer, wait) = oneshot::channel();
        self.offer(Job::Sweep(Sweep {
            session: session.clone(),
            seen,
            answer,
        }));
        wait.await.unwrap_or(Err(StoreError::Stopped))
    }

    pub(crate) async fn close(&self) {
        let (answer, wait) = oneshot::channel();
        if self.jobs.send(Job::Close(answer)).await.is_ok() {
            // An error here means that the writer is gone, which is the wish.
            let _ = wait.await;
        }
    }

    fn offer(&self, job: Job) {
        match self.jobs.try_send(job) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(job)) => job.refuse(StoreError::Busy),
            Err(mpsc::error::TrySendError::Closed(job)) => job.refuse(StoreError::Stopped),
        }
    }
}

/// What goes into one transaction.
#[derive(Default)]
struct Batch {
    appends: Vec<Append>,
    sweeps: Vec<Sweep>,
    closing: Option<oneshot::Sender<()>>,
    rows: usize,
}

impl Batch {
    fn push(&mut self, job: Job) {
        match job {
            Job::Append(append) => {
                self.rows += append.events.len();
                self.appends.push(append);
            }
            Job::Sweep(sweep) => {
                self.rows += sweep.seen.len();
                self.sweeps.push(sweep);
            }
            Job::Close(answer) => self.closing = Some(answer),
        }
    }

    fn takes_more(&self) -> bool {
        self.rows < BATCH_EVENTS && self.closing.is_none()
    }
}

/// New events of one session, consecutive from `durable` on.
struct Planned<'a> {
    durable: u64,
    events: Vec<&'a Event>,
}

impl Planned<'_> {
    fn next(&self) -> u64 {
        self.durable
            .saturating_add(u64::try_from(self.events.len()).unwrap_or(u64::MAX))
    }
}

/// The plan of a transaction and the appends that do not take part in it.
struct Plan<'a> {
    sessions: HashMap<&'a SessionKey, Planned<'a>>,
    /// In order of arrival, `None` = takes part.
    refused: Vec<Option<StoreError>>,
    sweeps_refused: Vec<Option<StoreError>>,
}

struct Writer {
    connect: SqliteConnectOptions,
    connection: Option<SqliteConnection>,
    /// Number of the next event on disk; absent session = not read yet.
    next: HashMap<SessionKey, u64>,
    backlog: Vec<Vec<Event>>,
    backlog_events: usize,
}

impl Writer {
    fn new(connect: SqliteConnectOptions) -> Self {
        Self {
            connect,
            connection: None,
            next: HashMap::new(),
            backlog: Vec::new(),
            backlog_events: 0,
        }
    }

    async fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        loop {
            let mut batch = Batch::default();
            if self.backlog.is_empty() {
                match queue.recv().await {
                    Some(job) => batch.push(job),
                    None => break,
                }
            } else {
                match tokio::time::timeout(RETRY_EVERY, queue.recv()).await {
                    Ok(Some(job)) => batch.push(job),
                    Ok(None) => {
                        // Nobody can append any more: one last try.
                        self.flush(batch).await;
                        break;
                    }
                    Err(_) => {}
                }
            }
            while batch.takes_more() {
                match queue.try_recv() {
                    Ok(job) => batch.push(job),
                    Err(_) => break,
                }
            }
            let closing = batch.closing.take();
            self.flush(batch).await;
            if let Some(answer) = closing {
                queue.close();
                while let Ok(job) = queue.try_recv() {
                    job.refuse(StoreError::Stopped);
                }
                if let Some(connection) = self.connection.take()
                    && let Err(error) = connection.close().await
                {
                    tracing::warn!(%error, "closing the ledger's connection failed");
                }
                let _ = answer.send(());
                break;
            }
        }
        if self.backlog_events > 0 {
            tracing::error!(
                events = self.backlog_events,
                "ledger stopped with unwritten events"
            );
        }
    }

    /// Tries one transaction and answers everybody in it.
    async fn flush(&mut self, batch: Batch) {
        let Batch {
            appends, sweeps, ..
        } = batch;
        let backlog = std::mem::take(&mut self.backlog);
        match self.write(&backlog, &appends, &sweeps).await {
            Ok((refused, sweeps_refused)) => {
                if self.backlog_events > 0 {
                    tracing::info!(events = self.backlog_events, "ledger caught up");
                    self.backlog_events = 0;
                }
                for (append, refused) in appends.into_iter().zip(refused) {
                    let _ = append.answer.send(refused.map_or(Ok(()), Err));
                }
                for (sweep, refused) in sweeps.into_iter().zip(sweeps_refused) {
                    let _ = sweep.answer.send(refused.map_or(Ok(()), Err));
                }
            }
            Err(error) => {
                tracing::warn!(%error, "writing the ledger failed");
                // What the connection holds open is rolled back with it, and
                // whether a failed commit reached the disk is read from disk.
                self.connection = None;
                self.next.clear();
                self.backlog = backlog;
                for Append { events, answer } in appends {
                    let kept = self.keep(events);
                    let _ = answer.send(Err(if kept {
                        error.clone()
                    } else {
                        StoreError::Busy
                    }));
                }
                for sweep in sweeps {
                    let _ = sweep.answer.send(Err(error.clone()));
                }
            }
        }
    }

    /// Takes events of a failed append into the backlog, unless it is full.
    fn keep(&mut self, mut events: Vec<Event>) -> bool {
        // A caller that appends again what is kept already must not fill it.
        events.retain(|event| {
            let same = |kept: &Event| kept.session == event.session && kept.seq == event.seq;
            !self.backlog.iter().any(|append| append.iter().any(same))
        });
        if self.backlog_events + events.len() > BACKLOG_EVENTS {
            return false;
        }
        if !events.is_empty() {
            self.backlog_events += events.len();
            self.backlog.push(events);
        }
        true
    }

    /// Writes what takes part in one transaction and returns the refusals.
    /// `Err`: nothing was written.
    async fn write(
        &mut self,
        backlog: &[Vec<Event>],
        appends: &[Append],
        sweeps: &[Sweep],
    ) -> Result<(Vec<Option<StoreError>>, Vec<Option<StoreError>>), StoreError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => SqliteConnection::connect_with(&self.connect).await?,
        };
        if self.next.len() > SESSIONS_CACHED {
            self.next.clear();
        }
        let plan = plan(&mut connection, &mut self.next, backlog, appends, sweeps).await?;
        let sweeps = sweeps.iter().zip(&plan.sweeps_refused);
        let seen: Vec<(&SessionKey, &LastSeen)> = sweeps
            .filter(|(_, refused)| refused.is_none())
            .flat_map(|(sweep, _)| sweep.seen.iter().map(|seen| (&sweep.session, seen)))
            .collect();
        if !seen.is_empty()
            || plan
                .sessions
                .values()
                .any(|planned| !planned.events.is_empty())
        {
            commit(&mut connection, &plan, &seen).await?;
        }
        for (session, planned) in &plan.sessions {
            self.next.insert((*session).clone(), planned.next());
        }
        self.connection = Some(connection);
        Ok((plan.refused, plan.sweeps_refused))
    }
}

/// Decides which events are new and who is refused; reads, but writes nothing.
async fn plan<'a>(
    connection: &mut SqliteConnection,
    next: &mut HashMap<SessionKey, u64>,
    backlog: &'a [Vec<Event>],
    appends: &'a [Append],
    sweeps: &[Sweep],
) -> Result<Plan<'a>, StoreError> {
    let mut sessions: HashMap<&SessionKey, Planned<'_>> = HashMap::new();
    for events in backlog {
        if let Err(error) = plan_append(connection, next, &mut sessions, events).await? {
            tracing::error!(%error, "a kept append does not fit the ledger any more");
        }
    }
    let mut refused = Vec::with_capacity(appends.len());
    for append in appends {
        refused.push(
            plan_append(connection, next, &mut sessions, &append.events)
                .await?
                .err(),
        );
    }
    let mut sweeps_refused = Vec::with_capacity(sweeps.len());
    for sweep in sweeps {
        let known = next_on_disk(connection, next, &sweep.session)
            .await?
            .is_some();
        let refusal = || StoreError::UnknownSession(sweep.session.clone());
        sweeps_refused.push((!known).then(refusal));
    }
    Ok(Plan {
        sessions,
        refused,
        sweeps_refused,
    })
}

/// The outer error is storage's, the inner one the append's own.
async fn plan_append<'a>(
    connection: &mut SqliteConnection,
    next: &mut HashMap<SessionKey, u64>,
    sessions: &mut HashMap<&'a SessionKey, Planned<'a>>,
    events: &'a [Event],
) -> Result<Result<(), StoreError>, StoreError> {
    let Some(first) = events.first() else {
        return Ok(Ok(()));
    };
    let session = &first.session;
    if events.iter().any(|event| event.session != *session) {
        return Ok(Err(StoreError::MixedSessions));
    }
    let Some(durable) = next_on_disk(connection, next, session).await? else {
        return Ok(Err(StoreError::UnknownSession(session.clone())));
    };
    let planned = sessions.entry(session).or_insert_with(|| Planned {
        durable,
        events: Vec::new(),
    });
    let from = planned.next().min(first.seq).max(1);
    for (expected, event) in (from..).zip(events) {
        if event.seq != expected {
            let (session, got) = (session.clone(), event.seq);
            return Ok(Err(StoreError::Gap {
                session,
                expected,
                got,
            }));
        }
        // What can not be stored must not stop the appends it travels with.
        if let Err(error) = EventRow::new(event) {
            return Ok(Err(error));
        }
    }
    // Repeats must be what they repeat: on disk, or earlier in this plan.
    let conflict = |seq: u64| StoreError::Conflict {
        session: session.clone(),
        seq,
    };
    for event in events
        .iter()
        .take_while(|event| event.seq < planned.durable)
    {
        if read_event(connection, session, event.seq).await?.as_ref() != Some(event) {
            return Ok(Err(conflict(event.seq)));
        }
    }
    for event in events.iter().filter(|event| event.seq >= planned.durable) {
        let at = usize::try_from(event.seq - planned.durable).unwrap_or(usize::MAX);
        match planned.events.get(at) {
            Some(earlier) if *earlier != event => return Ok(Err(conflict(event.seq))),
            Some(_) => {}
            None => planned.events.push(event),
        }
    }
    Ok(Ok(()))
}

/// Number of the next event of a session on disk; `None`: no such session.
async fn next_on_disk(
    connection: &mut SqliteConnection,
    next: &mut HashMap<SessionKey, u64>,
    session: &SessionKey,
) -> Result<Option<u64>, StoreError> {
    if let Some(next) = next.get(session) {
        return Ok(Some(*next));
    }
    let last: Option<i64> = sqlx::query_scalar(
        "SELECT coalesce((SELECT max(seq) FROM event WHERE session = $1), 0) \
         FROM session WHERE id = $1",
    )
    .bind(session.as_str())
    .fetch_optional(connection)
    .await?;
    let Some(last) = last else {
        return Ok(None);
    };
    let number = from_db(last)? + 1;
    next.insert(session.clone(), number);
    Ok(Some(number))
}

async fn commit(
    connection: &mut SqliteConnection,
    plan: &Plan<'_>,
    seen: &[(&SessionKey, &LastSeen)],
) -> Result<(), StoreError> {
    sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut *connection)
        .await?;
    let rows: Vec<EventRow<'_>> = plan
        .sessions
        .values()
        .flat_map(|planned| planned.events.iter())
        .map(|event| EventRow::new(event))
        .collect::<Result<_, _>>()?;
    for chunk in rows.chunks(STATEMENT_ROWS) {
        let mut insert: QueryBuilder<'_, Sqlite> = QueryBuilder::new(
            "INSERT INTO event (session, seq, boot, wall_ms, mono_ms, kind, body) ",
        );
        insert.push_values(chunk, |mut values, row| {
            values
                .push_bind(row.session)
                .push_bind(row.seq)
                .push_bind(row.boot)
                .push_bind(row.wall_ms)
                .push_bind(row.mono_ms)
                .push_bind(row.kind)
                .push_bind(row.body.as_str());
        });
        insert
            .build()
            .persistent(false)
            .execute(&mut *connection)
            .await?;
    }
    let marks: Vec<SeenRow<'_>> = seen
        .iter()
        .map(|(session, seen)| SeenRow::new(session, seen))
        .collect::<Result<_, _>>()?;
    for chunk in marks.chunks(STATEMENT_ROWS) {
        let mut upsert: QueryBuilder<'_, Sqlite> =
            QueryBuilder::new("INSERT INTO last_seen (session, person, boot, wall_ms, mono_ms) ");
        upsert.push_values(chunk, |mut values, row| {
            values
                .push_bind(row.session)
                .push_bind(row.person)
                .push_bind(row.boot)
                .push_bind(row.wall_ms)
                .push_bind(row.mono_ms);
        });
        upsert.push(
            " ON CONFLICT (session, person, boot) DO UPDATE \
             SET wall_ms = excluded.wall_ms, mono_ms = excluded.mono_ms \
             WHERE excluded.mono_ms > last_seen.mono_ms",
        );
        upsert
            .build()
            .persistent(false)
            .execute(&mut *connection)
            .await?;
    }
    sqlx::query("COMMIT").execute(&mut *connection).await?;
    Ok(())
}

struct EventRow<'a> {
    session: &'a str,
    seq: i64,
    boot: i64,
    wall_ms: i64,
    mono_ms: i64,
    kind: &'a str,
    body: String,
}

impl<'a> EventRow<'a> {
    fn new(event: &'a Event) -> Result<Self, StoreError> {
        let body = serde_json::to_string(&event.kind)
            .map_err(|error| StoreError::Damaged(error.to_string()))?;
        Ok(Self {
            session: event.session.as_str(),
            seq: to_db(event.seq)?,
            boot: to_db(event.at.boot)?,
            wall_ms: to_db(event.at.wall_ms)?,
            mono_ms: to_db(event.at.mono_ms)?,
            kind: event.kind.name(),
            body,
        })
    }
}

struct SeenRow<'a> {
    session: &'a str,
    person: &'a str,
    boot: i64,
    wall_ms: i64,
    mono_ms: i64,
}

impl<'a> SeenRow<'a> {
    fn new(session: &'a SessionKey, seen: &'a LastSeen) -> Result<Self, StoreError> {
        Ok(Self {
            session: session.as_str(),
            person: seen.person.as_str(),
            boot: to_db(seen.at.boot)?,
            wall_ms: to_db(seen.at.wall_ms)?,
            mono_ms: to_db(seen.at.mono_ms)?,
        })
    }
}

pub(crate) const EVENT_COLUMNS: &str = "seq, boot, wall_ms, mono_ms, body";

async fn read_event(
    connection: &mut SqliteConnection,
    session: &SessionKey,
    seq: u64,
) -> Result<Option<Event>, StoreError> {
    let text = format!("SELECT {EVENT_COLUMNS} FROM event WHERE session = $1 AND seq = $2");
    let row = sqlx::query(&text)
        .bind(session.as_str())
        .bind(to_db(seq)?)
        .fetch_optional(connection)
        .await?;
    row.as_ref()
        .map(|row| event_of_row(session, row))
        .transpose()
}

pub(crate) fn event_of_row(session: &SessionKey, row: &SqliteRow) -> Result<Event, StoreError> {
    let seq = from_db(row.try_get("seq")?)?;
    let body: String = row.try_get("body")?;
    let kind: EventKind = serde_json::from_str(&body)
        .map_err(|error| StoreError::Damaged(format!("event {seq} of {session}: {error}")))?;
    Ok(Event {
        session: session.clone(),
        seq,
        at: stamp_of_row(row)?,
        kind,
    })
}

fn stamp_of_row(row: &SqliteRow) -> Result<Stamp, StoreError> {
    Ok(Stamp {
        wall_ms: from_db(row.try_get("wall_ms")?)?,
        mono_ms: from_db(row.try_get("mono_ms")?)?,
        boot: from_db(row.try_get("boot")?)?,
    })
}

impl Store {
    /// The log of a session, in order.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when an event can not be read; never leaves one
    /// out.
    pub async fn events(&self, session: &SessionKey) -> Result<Vec<Event>, StoreError> {
        let text = format!("SELECT {EVENT_COLUMNS} FROM event WHERE session = $1 ORDER BY seq");
        let rows = sqlx::query(&text)
            .bind(session.as_str())
            .fetch_all(&self.pool)
            .await?;
        let mut events = Vec::with_capacity(rows.len());
        for row in &rows {
            events.push(event_of_row(session, row)?);
        }
        Ok(events)
    }

    /// The last-seen marks of a session, of every run of the server, in order
    /// of runs.
    pub async fn presence(&self, session: &SessionKey) -> Result<Vec<LastSeen>, StoreError> {
        let rows = sqlx::query(
            "SELECT person, boot, wall_ms, mono_ms FROM last_seen WHERE session = $1 \
             ORDER BY boot, person",
        )
        .bind(session.as_str())
        .fetch_all(&self.pool)
        .await?;
        let mut presence = Vec::with_capacity(rows.len());
        for row in &rows {
            let person = PersonKey(row.try_get("person")?);
            presence.push(LastSeen {
                person,
                at: stamp_of_row(row)?,
            });
        }
        Ok(presence)
    }
}
