//! Import of rosters from files: a job per file, in memory only. A job reads the
//! file and compares it with the records on a thread of its own; nothing is
//! written until its maker applies it, and then all of it in one transaction. A
//! restart of the server forgets jobs; the file is sent again.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::IntoResponse;
use lophoc_classes::import::{
    ImportWrite, MAX_BYTES, Prepared, Stage, decide, preview, read_roster, template_file,
};
use lophoc_classes::{
    ClassId, Day, Grant, ImportAction, ImportApply, ImportJob, ImportPhase, Printed,
};
use lophoc_ledger::PersonKey;
use lophoc_records::{ImportAccounts, ImportOrder, Imported};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::accounts::login_base;
use super::classes::need_roster;
use super::error::{ApiFault, Refusal};
use super::extract::{Ask, At, Body, raw};
use super::{Routes, Signed};
use crate::app::App;
use crate::auth::generate;
use crate::clock::wall_ms;
use crate::http::limit::Rate;
use crate::random;

/// A job is forgotten after so long without a call, ms.
const LIFE_MS: u64 = 30 * 60 * 1_000;
/// Jobs of one person; a further one forgets the oldest.
const PER_PERSON: usize = 3;
/// Jobs in all; beyond it the server is busy.
const IN_ALL: usize = 32;
/// Files read at a time: each keeps a core and some memory busy.
const READERS: usize = 2;
/// How long a file waits for its turn.
const TURN: Duration = Duration::from_secs(120);
/// Accounts made by one import: each costs a password computation.
const ACCOUNTS: usize = 2_000;
/// Longest file name kept, characters.
const NAME: usize = 200;
/// Body of the answers to a preview, bytes.
const ANSWERS: usize = 1024 * 1024;
/// Vietnam is so far east of UTC, minutes; it has no summer time.
const ZONE_MIN: i32 = 7 * 60;

pub fn routes() -> Routes {
    let files = Routes::new()
        .routes(routes!(start))
        .layer(DefaultBodyLimit::max(MAX_BYTES));
    let answers = Routes::new()
        .routes(routes!(apply))
        .layer(DefaultBodyLimit::max(ANSWERS));
    Routes::new()
        .routes(routes!(template))
        .routes(routes!(one, forget))
        .merge(files)
        .merge(answers)
}

/// The jobs of this run of the server.
pub struct Imports {
    jobs: Mutex<HashMap<String, Arc<Job>>>,
    readers: Arc<Semaphore>,
    rate: Rate<PersonKey>,
}

impl Default for Imports {
    fn default() -> Self {
        Self {
            jobs: Mutex::default(),
            readers: Arc::new(Semaphore::new(READERS)),
            rate: Rate::new(12, 12),
        }
    }
}

struct Job {
    id: String,
    by: PersonKey,
    class: ClassId,
    grant: Grant,
    /// By the clock that is never set.
    made_ms: u64,
    stopped: AtomicBool,
    done: AtomicU32,
    total: AtomicU32,
    state: Mutex<JobState>,
}

struct JobState {
    phase: ImportPhase,
    failure: Option<String>,
    ready: Option<Arc<Ready>>,
    used_ms: u64,
}

/// What a decision is made on.
struct Ready {
    prepared: Prepared,
    version: u32,
    with_account: BTreeSet<PersonKey>,
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Imports {
    /// Takes a new job in; forgets old ones.
    fn add(&self, job: Arc<Job>, now_ms: u64) -> Result<(), ApiFault> {
        let mut jobs = lock(&self.jobs);
        jobs.retain(|_, job| {
            let state = lock(&job.state);
            let stays = state.phase == ImportPhase::Applying
                || now_ms.saturating_sub(state.used_ms) < LIFE_MS;
            if !stays {
                job.stopped.store(true, Ordering::Relaxed);
            }
            stays
        });
        let mut own: Vec<(u64, String)> = jobs
            .values()
            .filter(|other| other.by == job.by)
            .filter(|other| lock(&other.state).phase != ImportPhase::Applying)
            .map(|other| (other.made_ms, other.id.clone()))
            .collect();
        own.sort();
        while own.len() >= PER_PERSON {
            let (_, oldest) = own.remove(0);
            if let Some(job) = jobs.remove(&oldest) {
                job.stopped.store(true, Ordering::Relaxed);
            }
        }
        if jobs.len() >= IN_ALL {
            return Err(ApiFault::busy());
        }
        jobs.insert(job.id.clone(), job);
        Ok(())
    }

    /// A job of the asker's own; others' are not told of.
    fn find(&self, id: &str, by: &PersonKey, now_ms: u64) -> Result<Arc<Job>, ApiFault> {
        let jobs = lock(&self.jobs);
        let job = jobs.get(id).filter(|job| job.by == *by);
        let job = job.cloned().ok_or_else(ApiFault::not_found)?;
        drop(jobs);
        let mut state = lock(&job.state);
        if now_ms.saturating_sub(state.used_ms) >= LIFE_MS && state.phase != ImportPhase::Applying {
            state.phase = ImportPhase::Dropped;
            state.ready = None;
        }
        state.used_ms = now_ms;
        drop(state);
        Ok(job)
    }
}

impl Job {
    fn shown(&self) -> ImportJob {
        let state = lock(&self.state);
        ImportJob {
            id: self.id.clone(),
            phase: state.phase,
            done: self.done.load(Ordering::Relaxed),
            total: self.total.load(Ordering::Relaxed),
            failure: state.failure.clone(),
            preview: state
                .ready
                .as_ref()
                .map(|ready| ready.prepared.preview.clone()),
        }
    }

    fn set(&self, phase: ImportPhase) {
        lock(&self.state).phase = phase;
    }

    fn fail(&self, why: String) {
        let mut state = lock(&self.state);
        state.phase = ImportPhase::Failed;
        state.failure = Some(why);
    }

    /// Notes how far the work is; whether to go on.
    fn progress(&self, stage: Stage, done: u32, total: u32) -> bool {
        let phase = match stage {
            Stage::Reading => ImportPhase::Reading,
            Stage::Matching => ImportPhase::Matching,
        };
        self.set(phase);
        self.done.store(done, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
        !self.stopped.load(Ordering::Relaxed)
    }
}

/// The workbook to fill in.
#[utoipa::path(get, path = "/imports/template.xlsx", tag = "imports", security(("cookie" = []), ("token" = [])), responses(
    (status = 200, description = "XLSX", content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", body = Vec<u8>)))]
async fn template(_signed: Signed) -> Result<impl IntoResponse, ApiFault> {
    let bytes = tokio::task::spawn_blocking(template_file).await;
    let bytes = bytes.ok().and_then(Result::ok);
    let bytes = bytes.ok_or_else(|| {
        tracing::error!("the template of rosters could not be written");
        ApiFault::internal()
    })?;
    Ok((
        [
            (
                CONTENT_TYPE,
                HeaderValue::from_static(
                    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                ),
            ),
            (
                CONTENT_DISPOSITION,
                HeaderValue::from_static("attachment; filename=\"mau-danh-sach-nguoi-hoc.xlsx\""),
            ),
        ],
        bytes,
    ))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct File {
    /// Name of the file.
    file: String,
}

/// Sends a file: XLSX or CSV. It is read in the background; the job is polled
/// until it is `ready` or `failed`. Nothing is changed yet.
#[utoipa::path(post, path = "/classes/{id}/imports", tag = "imports", params(("id" = String, Path), File),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    security(("cookie" = []), ("token" = [])), responses(
    (status = 202, body = ImportJob), (status = 403, body = Refusal), (status = 404, body = Refusal),
    (status = 413, body = Refusal), (status = 429, body = Refusal), (status = 503, body = Refusal)))]
async fn start(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(class): At<ClassId>,
    Ask(File { file }): Ask<File>,
    request: Request,
) -> Result<(StatusCode, Json<ImportJob>), ApiFault> {
    let grant = need_roster(&app, signed.clone(), &class).await?;
    let now_ms = app.clock.now().mono_ms;
    if !app.imports.rate.count(signed.person().clone(), now_ms) {
        app.metrics.limited.inc();
        return Err(ApiFault::rate_limited(None));
    }
    let bytes = raw(request, &app).await?;
    let name: String = file
        .chars()
        .filter(|c| !c.is_control())
        .take(NAME)
        .collect();
    let job = Arc::new(Job {
        id: random::id("i")?,
        by: signed.person().clone(),
        class,
        grant,
        made_ms: now_ms,
        stopped: AtomicBool::new(false),
        done: AtomicU32::new(0),
        total: AtomicU32::new(0),
        state: Mutex::new(JobState {
            phase: ImportPhase::Reading,
            failure: None,
            ready: None,
            used_ms: now_ms,
        }),
    });
    app.imports.add(Arc::clone(&job), now_ms)?;
    tracing::info!(job = %job.id, class = %job.class, by = %job.by, bytes = bytes.len(), "import begins");
    let worker = Arc::clone(&job);
    let shared = Arc::clone(&app);
    tokio::spawn(async move {
        match prepare(&shared, &worker, bytes.into(), name).await {
            Ok(ready) => {
                let mut state = lock(&worker.state);
                state.phase = ImportPhase::Ready;
                state.ready = Some(Arc::new(ready));
            }
            Err(why) => worker.fail(why),
        }
    });
    Ok((StatusCode::ACCEPTED, Json(job.shown())))
}

const TROUBLE: &str = "Máy chủ đang bận hoặc gặp lỗi; hãy thử lại.";

/// Reads and compares. Errors are texts for the maker of the job.
async fn prepare(
    app: &Arc<App>,
    job: &Arc<Job>,
    bytes: Vec<u8>,
    name: String,
) -> Result<Ready, String> {
    let readers = Arc::clone(&app.imports.readers);
    let turn = tokio::time::timeout(TURN, readers.acquire_owned()).await;
    let turn = turn.ok().and_then(Result::ok).ok_or(TROUBLE)?;
    let trouble = |error: &dyn std::fmt::Display| {
        tracing::error!(job = %job.id, %error, "an import failed");
        TROUBLE.to_owned()
    };
    let today = Day::of_ms(wall_ms(), ZONE_MIN).map_err(|error| trouble(&error))?;
    let worker = Arc::clone(job);
    let sheet = tokio::task::spawn_blocking(move || {
        read_roster(&bytes, &name, today, &mut |stage, done, total| {
            worker.progress(stage, done, total)
        })
    });
    let sheet = sheet.await.map_err(|error| trouble(&error))?;
    let sheet = sheet.map_err(|refused| refused.to_string())?;
    let facts = app
        .store
        .import_facts(&job.class, &sheet.wanted(), &job.grant, &today.to_string())
        .await
        .map_err(|error| trouble(&error))?;
    let worker = Arc::clone(job);
    let known = facts.known;
    let prepared = tokio::task::spawn_blocking(move || {
        preview(&sheet, &known, &mut |stage, done, total| {
            worker.progress(stage, done, total)
        })
    });
    let prepared = prepared.await.map_err(|error| trouble(&error))?;
    let prepared = prepared.map_err(|refused| refused.to_string())?;
    drop(turn);
    Ok(Ready {
        prepared,
        version: facts.version,
        with_account: facts.with_account,
    })
}

/// How far an own import is.
#[utoipa::path(get, path = "/imports/{id}", tag = "imports", params(("id" = String, Path)),
    security(("cookie" = []), ("token" = [])), responses(
    (status = 200, body = ImportJob), (status = 404, body = Refusal)))]
async fn one(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<String>,
) -> Result<Json<ImportJob>, ApiFault> {
    let now_ms = app.clock.now().mono_ms;
    Ok(Json(
        app.imports.find(&id, signed.person(), now_ms)?.shown(),
    ))
}

/// Gives an own import up. One that is being written goes on.
#[utoipa::path(delete, path = "/imports/{id}", tag = "imports", params(("id" = String, Path)),
    security(("cookie" = []), ("token" = [])), responses(
    (status = 204), (status = 404, body = Refusal), (status = 409, body = Refusal)))]
async fn forget(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<String>,
) -> Result<StatusCode, ApiFault> {
    let now_ms = app.clock.now().mono_ms;
    let job = app.imports.find(&id, signed.person(), now_ms)?;
    if lock(&job.state).phase == ImportPhase::Applying {
        return Err(ApiFault::refused(None));
    }
    job.stopped.store(true, Ordering::Relaxed);
    lock(&app.imports.jobs).remove(&job.id);
    Ok(StatusCode::NO_CONTENT)
}

/// An import that was written.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Applied {
    /// The job.
    job: ImportJob,
    /// Accounts made; first passwords are in this answer only.
    accounts: Vec<Printed>,
}

/// Writes an own import: people, identifiers, the roster's new version, accounts;
/// all of it or nothing.
#[utoipa::path(post, path = "/imports/{id}/apply", tag = "imports", params(("id" = String, Path)), request_body = ImportApply,
    security(("cookie" = []), ("token" = [])), responses(
    (status = 200, body = Applied), (status = 400, body = Refusal, description = "field skipBad: rows are bad; accounts: too many"),
    (status = 403, body = Refusal), (status = 404, body = Refusal),
    (status = 409, body = Refusal, description = "conflict: the roster or the asker's rights changed, send the file again; refused: not ready, or the class has ended; protected")))]
async fn apply(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<String>,
    Body(answers): Body<ImportApply>,
) -> Result<Json<Applied>, ApiFault> {
    let now_ms = app.clock.now().mono_ms;
    let job = app.imports.find(&id, signed.person(), now_ms)?;
    if need_roster(&app, signed, &job.class).await? != job.grant {
        return Err(ApiFault::conflict());
    }
    let ready = {
        let mut state = lock(&job.state);
        if state.phase != ImportPhase::Ready {
            return Err(ApiFault::refused(None));
        }
        let ready = state.ready.clone().ok_or_else(ApiFault::internal)?;
        state.phase = ImportPhase::Applying;
        ready
    };
    // Whoever goes away meanwhile finds the job done or as it was.
    let worker = Arc::clone(&job);
    let written = tokio::spawn(async move {
        let outcome = write(&app, &worker, &ready, &answers).await;
        let mut state = lock(&worker.state);
        match &outcome {
            Ok(_) => {
                state.phase = ImportPhase::Applied;
                state.ready = None;
            }
            // The preview is no longer true.
            Err(fault) if matches!(fault.code(), "conflict") => {
                state.phase = ImportPhase::Dropped;
                state.ready = None;
            }
            Err(_) => state.phase = ImportPhase::Ready,
        }
        outcome
    });
    let accounts = written.await.map_err(|error| {
        tracing::error!(job = %job.id, %error, "writing an import failed");
        job.set(ImportPhase::Dropped);
        ApiFault::internal()
    })??;
    Ok(Json(Applied {
        job: job.shown(),
        accounts,
    }))
}

async fn write(
    app: &App,
    job: &Job,
    ready: &Ready,
    answers: &ImportApply,
) -> Result<Vec<Printed>, ApiFault> {
    let writes =
        decide(&ready.prepared, answers).ok_or_else(|| ApiFault::field("skipBad", "required"))?;
    let mut passwords = Vec::new();
    let mut also = Vec::new();
    if answers.accounts {
        let rows = ready.prepared.preview.rows.iter();
        let same = rows.filter(|row| row.action == ImportAction::Same);
        also.extend(same.filter_map(|row| row.person.clone()));
        let lacks = |person: &PersonKey| !ready.with_account.contains(person);
        let new = writes.iter().filter(|write| match write {
            ImportWrite::New { .. } => true,
            ImportWrite::Known { person, .. } => lacks(person) && !also.contains(person),
            ImportWrite::Withdraw { .. } => false,
        });
        let needed = new.count() + also.iter().filter(|person| lacks(person)).count();
        if needed > ACCOUNTS {
            return Err(ApiFault::field("accounts", "tooLong"));
        }
        for _ in 0..needed {
            passwords.push(generate()?);
        }
    }
    let accounts = match answers.accounts {
        false => None,
        true => Some(ImportAccounts {
            secrets: app.passwords.hash(passwords.clone()).await?,
            also,
            login: &login_base,
        }),
    };
    let order = ImportOrder {
        class: &job.class,
        seen: ready.version,
        writes: &writes,
        sites: answers.sites,
        accounts,
        by: &job.by,
        now_ms: wall_ms(),
    };
    let Imported { version, accounts } = match app.store.apply_import(&order).await {
        // Somebody got one of the identifiers since: look again.
        Err(lophoc_records::StoreError::Taken("identifiers")) => return Err(ApiFault::conflict()),
        other => other?,
    };
    tracing::info!(job = %job.id, class = %job.class, by = %job.by, writes = writes.len(),
        accounts = accounts.len(), version = version.map_or(0, |version| version.no), "import written");
    let mut printed = Vec::with_capacity(accounts.len());
    for (person, login, place) in accounts {
        let known = app
            .store
            .person(&person)
            .await?
            .ok_or_else(ApiFault::internal)?;
        printed.push(Printed {
            person,
            name: known.form.name,
            unit: known.unit_name,
            login,
            password: passwords.get(place).cloned().unwrap_or_default(),
        });
    }
    Ok(printed)
}
