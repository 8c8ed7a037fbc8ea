//! `/api/link` and `/api/join`: what a link or the own account leads to, and
//! coming in. Name, unit and role of a person in the records come from the
//! records, at the moment of the join.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode};
use lophoc_classes::{Class, ClassState, GuestPolicy, SessionPhase, UnitRole};
use lophoc_documents::sha256_hex;
use lophoc_ledger::{PersonKey, SessionKey, recordings};
use lophoc_protocol::media::IceServer;
use lophoc_protocol::recording::{RecordConsent, RecordWhom, RecordedBy, Recording};
use lophoc_protocol::{ErrorCode, PersonId, Role, RoomMode};
use lophoc_records::{HouseRules, RecordingNotice, RecordingPlan, Session, SessionState};
use lophoc_room::text::{clean_name, clean_unit};
use serde::de::IntoDeserializer;
use serde::de::value::{Error as NameError, StrDeserializer};
use serde::{Deserialize, Serialize};

use super::api::{limit, stored};
use super::error::ApiError;
use crate::api::{ApiFault, Signed, person_signed_in, plan_of};
use crate::app::App;
use crate::auth::{
    AnswerClaims, LinkClaims, NoticeClaims, TOKEN_LIFE_MS, TokenClaims, ice_servers_before,
    person_of_device,
};
use crate::clock::wall_ms;
use crate::room::mode_of;

/// Key a browser keeps, characters.
const DEVICE_LENGTH: std::ops::RangeInclusive<usize> = 8..=128;
/// Characters of the hash that names a notice.
const WORDS_HASH: usize = 32;
/// Staff may come in this long before the planned beginning even when nothing
/// is planned for trying out, ms: somebody has to set the room up.
const STAFF_EARLY_MS: u64 = 60 * 60 * 1000;

/// `POST /api/link`: a link, or a session for somebody who is signed in.
#[derive(Debug, Deserialize)]
pub struct LinkRequest {
    #[serde(default)]
    link: Option<String>,
    #[serde(default)]
    session: Option<SessionKey>,
}

/// Where a link leads.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkAnswer {
    room: String,
    session: SessionKey,
    title: String,
    host: String,
    mode: RoomMode,
    role: Role,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    site: Option<String>,
    /// The unit must be given.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    unit_required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    starts_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<u64>,
    /// House rules to accept; absent where there are none or they are accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    rules: Option<RulesAnswer>,
    /// Notice of the recording to accept; absent where nothing is recorded or it is
    /// accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    recording: Option<RecordingAnswer>,
    state: Gate,
}

/// House rules of the class.
#[derive(Debug, Serialize)]
struct RulesAnswer {
    /// Told back by `join` when they are accepted.
    version: u32,
    text: String,
}

/// That the session is recorded.
#[derive(Debug, Serialize)]
struct RecordingAnswer {
    /// Told back by `join` when it is accepted.
    words: String,
    /// Who records and answers for it.
    who: String,
    /// What for.
    why: String,
    /// How long it is kept, who may see it, how to object.
    keep: String,
    /// What makes it.
    by: RecordedBy,
    /// Whom it takes.
    whom: RecordWhom,
    /// Whether one may attend unrecorded instead.
    ask: RecordConsent,
}

/// Whether one can come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Gate {
    Open,
    Early,
    Ended,
    Locked,
    Full,
}

/// Who comes, as far as it is settled before a name is given.
#[derive(Debug)]
struct Comer {
    session: Session,
    class: Class,
    role: Role,
    /// Known person, or the one of a personal link. Absent: an open link.
    known: Option<Known>,
    /// Id of an open link.
    lid: String,
    site: Option<String>,
    waits: bool,
}

#[derive(Debug)]
struct Known {
    person: PersonId,
    name: String,
    unit: Option<String>,
}

/// What a link leads to, before anybody gives a name.
pub async fn link(
    State(app): State<Arc<App>>,
    ConnectInfo(socket): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Result<Json<LinkRequest>, JsonRejection>,
) -> Result<Json<LinkAnswer>, ApiError> {
    limit(&app, socket, &headers)?;
    let Json(request) = body?;
    let comer = comer(&app, &headers, socket, request.link, request.session).await?;
    let state = gate(&app, &comer).await;
    let person = comer.known.as_ref().map(|known| known.person.clone());
    let rules = rules_for(&app, &comer.class, person.as_ref()).await?;
    let recording = recording_for(&app, &comer, person.as_ref()).await?;
    let unit_required = comer.known.is_none() && comer.role == Role::Guest;
    let (name, unit) = comer
        .known
        .map_or((None, None), |known| (Some(known.name), known.unit));
    let session = comer.session;
    Ok(Json(LinkAnswer {
        room: session.room,
        session: session.id,
        title: session.title,
        host: comer.class.host_name,
        mode: mode_of(session.mode),
        role: comer.role,
        name,
        unit,
        site: comer.site,
        unit_required,
        starts_at: session.starts_ms,
        ends_at: session.ends_ms,
        rules: rules.map(|rules| RulesAnswer {
            version: rules.version,
            text: rules.text,
        }),
        recording: recording.map(|plan| {
            let words = plan_hash(&plan);
            let plan = plan_of(plan);
            RecordingAnswer {
                words,
                who: plan.words.who,
                why: plan.words.why,
                keep: plan.words.keep,
                by: plan.by,
                whom: plan.whom,
                ask: plan.ask,
            }
        }),
        state,
    }))
}

/// The house rules somebody has not accepted yet.
async fn rules_for(
    app: &App,
    class: &Class,
    person: Option<&PersonId>,
) -> Result<Option<HouseRules>, ApiError> {
    let rules = app.store.house_rules(&class.id).await.map_err(stored)?;
    let (Some(rules), Some(person)) = (&rules, person) else {
        return Ok(rules);
    };
    let key = PersonKey(person.0.clone());
    let accepted = app
        .store
        .has_accepted_rules(&class.id, rules.version, &key)
        .await
        .map_err(stored)?;
    Ok(Some(rules.clone()).filter(|_| !accepted))
}

/// Hash of what a notice says: other words are accepted anew.
pub(crate) fn words_hash(notice: &RecordingNotice) -> String {
    let RecordingNotice { who, why, keep } = notice;
    let hash = sha256_hex(format!("{who}\0{why}\0{keep}").as_bytes());
    hash.chars().take(WORDS_HASH).collect()
}

/// The same of a plan: who accepts being recorded accepts whom it takes as well.
pub(crate) fn plan_hash(plan: &RecordingPlan) -> String {
    if !plan.asks {
        return words_hash(&plan.notice);
    }
    let RecordingNotice { who, why, keep } = &plan.notice;
    let whom = if plan.presenters { "presenters" } else { "all" };
    let hash = sha256_hex(format!("{who}\0{why}\0{keep}\0server\0{whom}").as_bytes());
    hash.chars().take(WORDS_HASH).collect()
}

/// What people of this session are told about a recording: what the room says once
/// the lesson has begun, else the setting.
async fn recording_now(app: &App, session: &Session) -> Result<Option<RecordingPlan>, ApiError> {
    let status = app.rooms.status(session.room.as_str()).await;
    if let Some(now) = status.as_ref().and_then(|status| status.recording.clone()) {
        return Ok(Some(plan_told(now)));
    }
    let begun = match &status {
        Some(status) => status.begun,
        None => has_begun(app, &session.id).await,
    };
    if status.is_none() && begun {
        // The room is loaded again by the first who comes: the ledger knows.
        let events = app.store.events(&session.id).await.map_err(stored)?;
        let last = recordings(&events, &[]).pop();
        return Ok(last
            .filter(|span| span.to_ms.is_none())
            .map(|span| RecordingPlan {
                notice: RecordingNotice {
                    who: span.who,
                    why: span.why,
                    keep: span.keep,
                },
                server: span.source == "server",
                auto: true,
                presenters: span.whom == "presenters",
                asks: span.ask == "consent",
                from_start: false,
            }));
    }
    if begun {
        return Ok(None);
    }
    let plan = app.store.recording_plan(&session.class, &session.id);
    // One that somebody begins by hand is told when it begins.
    Ok(plan.await.map_err(stored)?.filter(|plan| plan.auto))
}

/// A recording that goes on, as a plan.
pub(crate) fn plan_told(now: Recording) -> RecordingPlan {
    let Recording { who, why, keep, .. } = now;
    RecordingPlan {
        notice: RecordingNotice { who, why, keep },
        server: now.by == RecordedBy::Server,
        auto: true,
        presenters: now.whom == RecordWhom::Presenters,
        asks: now.ask == RecordConsent::Consent,
        from_start: now.from_start,
    }
}

/// The notice of a recording somebody has not accepted yet, nor, where he is asked,
/// refused in this session.
async fn recording_for(
    app: &App,
    comer: &Comer,
    person: Option<&PersonId>,
) -> Result<Option<RecordingPlan>, ApiError> {
    let plan = recording_now(app, &comer.session).await?;
    let (Some(plan), Some(person)) = (&plan, person) else {
        return Ok(plan);
    };
    let key = PersonKey(person.0.clone());
    let words = plan_hash(plan);
    let answered = if plan.asks {
        let choice = app.store.recording_choice(&comer.session.id, &key).await;
        choice
            .map_err(stored)?
            .is_some_and(|(answered, _)| answered == words)
    } else {
        app.store
            .has_accepted_recording(&comer.class.id, &words, &key)
            .await
            .map_err(stored)?
    };
    Ok(Some(plan.clone()).filter(|_| !answered))
}

/// `POST /api/join`: with a link, or with a session and the cookie of the
/// account.
#[derive(Debug, Deserialize)]
pub struct JoinRequest {
    #[serde(default)]
    link: Option<String>,
    #[serde(default)]
    session: Option<SessionKey>,
    #[serde(default)]
    name: String,
    #[serde(default)]
    unit: Option<String>,
    device: String,
    /// Version of the house rules that were accepted.
    #[serde(default)]
    rules: Option<u32>,
    /// Words of the notice of the recording that was accepted, or, where it asks,
    /// answered.
    #[serde(default)]
    recording: Option<String>,
    /// Of a recording that asks: attends unrecorded.
    #[serde(default)]
    unrecorded: bool,
}

/// What the browser shows at the websocket.
#[derive(Debug, Serialize)]
pub struct JoinAnswer {
    token: String,
    person: PersonId,
    name: String,
    role: Role,
    /// Relays for the first peer connection, for some minutes; `welcome` has others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ice: Vec<IceServer>,
}

/// Gives a session token for a link and a name, or for an account.
pub async fn join(
    State(app): State<Arc<App>>,
    ConnectInfo(socket): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Result<Json<JoinRequest>, JsonRejection>,
) -> Result<Json<JoinAnswer>, ApiError> {
    limit(&app, socket, &headers)?;
    let Json(request) = body?;
    if app.is_draining() {
        return Err(ApiError(ErrorCode::Busy));
    }
    let mut comer = comer(&app, &headers, socket, request.link, request.session).await?;
    match gate(&app, &comer).await {
        Gate::Early => return Err(ApiError(ErrorCode::TooEarly)),
        Gate::Ended => return Err(ApiError(ErrorCode::Ended)),
        // A person who is in already may come back to a locked or full room:
        // the room decides when he is at the websocket.
        Gate::Open | Gate::Locked | Gate::Full => {}
    }
    if !DEVICE_LENGTH.contains(&request.device.len()) {
        return Err(ApiError(ErrorCode::BadRequest));
    }
    let (person, device) = person_of_device(&app.keys, &comer.lid, &request.device);
    let in_records = comer.known.is_some();
    let known = match comer.known.take() {
        Some(known) => known,
        None => {
            let name = clean_name(&request.name).map_err(|_| ApiError(ErrorCode::BadRequest))?;
            let unit = clean_unit(request.unit.as_deref().unwrap_or_default())
                .map_err(|_| ApiError(ErrorCode::BadRequest))?;
            // A guest says where he comes from.
            if comer.role == Role::Guest && unit.is_none() {
                return Err(ApiError(ErrorCode::BadRequest));
            }
            Known { person, name, unit }
        }
    };
    // Accepted before there is a token: nobody is in who did not.
    let (mut accepted, mut shown) = (None, None);
    let plan = recording_for(&app, &comer, Some(&known.person)).await?;
    if let Some(plan) = plan {
        let words = plan_hash(&plan);
        if request.recording.as_deref() != Some(words.as_str())
            || (request.unrecorded && !plan.asks)
        {
            return Err(ApiError(ErrorCode::Conflict));
        }
        // An answer counts when he comes in: the room writes it down.
        let answer = plan.asks.then(|| AnswerClaims {
            presenters: plan.presenters,
            accepted: !request.unrecorded,
            at_ms: wall_ms(),
        });
        if in_records && answer.is_none() {
            let key = PersonKey(known.person.0.clone());
            app.store
                .accept_recording(&comer.class.id, &words, &plan.notice, &key, wall_ms())
                .await
                .map_err(stored)?;
        } else {
            let RecordingNotice { who, why, keep } = plan.notice;
            shown = Some(NoticeClaims {
                who,
                why,
                keep,
                answer,
            });
        }
    }
    if let Some(rules) = rules_for(&app, &comer.class, Some(&known.person)).await? {
        if request.rules != Some(rules.version) {
            return Err(ApiError(ErrorCode::Conflict));
        }
        if in_records {
            let key = PersonKey(known.person.0.clone());
            app.store
                .accept_rules(&comer.class.id, rules.version, &key, wall_ms())
                .await
                .map_err(stored)?;
        } else {
            // Whoever has an open link makes as many people as he likes: noted is
            // who comes in.
            accepted = Some(rules.version);
        }
    }
    let token = TokenClaims {
        room: comer.session.room.as_str().into(),
        session: comer.session.id,
        person: known.person,
        name: known.name,
        unit: known.unit,
        role: comer.role,
        site: comer.site,
        waits: comer.waits,
        rules: accepted,
        recording: shown,
        device,
        exp: wall_ms().saturating_add(TOKEN_LIFE_MS),
    };
    let text = token.seal(&app.keys)?;
    Ok(Json(JoinAnswer {
        token: text,
        person: token.person,
        name: token.name,
        role: token.role,
        ice: ice_servers_before(&app.config.turn, wall_ms()),
    }))
}

async fn comer(
    app: &App,
    headers: &HeaderMap,
    socket: SocketAddr,
    link: Option<String>,
    session: Option<SessionKey>,
) -> Result<Comer, ApiError> {
    match (link, session) {
        (Some(link), None) => {
            let claims = LinkClaims::open(&app.keys, token_of(&link), wall_ms())?;
            by_link(app, claims).await
        }
        (None, Some(session)) => {
            let signed = person_signed_in(app, headers, socket)
                .await
                .map_err(|fault| told(&fault))?
                .ok_or(ApiError(ErrorCode::Forbidden))?;
            by_account(app, &signed, &session).await
        }
        _ => Err(ApiError(ErrorCode::BadRequest)),
    }
}

/// A refusal of `/api/v1` in the words of the room.
fn told(fault: &ApiFault) -> ApiError {
    ApiError(match fault.status() {
        StatusCode::INTERNAL_SERVER_ERROR => ErrorCode::Internal,
        StatusCode::SERVICE_UNAVAILABLE => ErrorCode::Busy,
        StatusCode::TOO_MANY_REQUESTS => ErrorCode::RateLimited,
        _ => ErrorCode::Forbidden,
    })
}

async fn by_link(app: &App, claims: LinkClaims) -> Result<Comer, ApiError> {
    let session = app
        .store
        .session_of_room(claims.room.as_str())
        .await
        .map_err(stored)?
        .ok_or(ApiError(ErrorCode::NotFound))?;
    let class = class_of(app, &session).await?;
    let mut comer = Comer {
        session,
        class,
        role: claims.role,
        known: None,
        lid: claims.lid,
        site: claims.site,
        waits: false,
    };
    match claims.named {
        Some(named) => {
            let key = PersonKey(named.person.0.clone());
            if let Some(place) = place(app, &comer.session, &key).await? {
                return Ok(comer.placed(named.person, place));
            }
            // The records know him and have no place for him here: withdrawn,
            // replaced, or never of this class.
            if app.store.person(&key).await.map_err(stored)?.is_some() {
                return Err(ApiError(ErrorCode::Forbidden));
            }
            comer.known = Some(Known {
                person: named.person,
                name: named.name,
                unit: named.unit,
            });
        }
        None if comer.role == Role::Guest => match comer.class.plan.guests {
            GuestPolicy::Nobody => return Err(ApiError(ErrorCode::Forbidden)),
            GuestPolicy::Wait => comer.waits = true,
            GuestPolicy::Free => {}
        },
        None => {}
    }
    Ok(comer)
}

async fn by_account(app: &App, signed: &Signed, id: &SessionKey) -> Result<Comer, ApiError> {
    let session = app
        .store
        .session(id)
        .await
        .map_err(stored)?
        .ok_or(ApiError(ErrorCode::NotFound))?;
    let class = class_of(app, &session).await?;
    let person = signed.person();
    let comer = Comer {
        role: Role::Guest,
        known: None,
        lid: String::new(),
        site: None,
        waits: false,
        session,
        class,
    };
    if let Some(place) = place(app, &comer.session, person).await? {
        return Ok(comer.placed(PersonId(person.0.clone()), place));
    }
    // Organisers and inspectors of the host come in without an entry in the
    // staff list; the others have no place.
    let closed = matches!(
        comer.class.state,
        ClassState::Postponed
            | ClassState::Cancelled
            | ClassState::Archived
            | ClassState::Destroyed
    );
    let standing = app.store.standing_in(person, id).await.map_err(stored)?;
    let role = signed
        .actor
        .units
        .iter()
        .fold(None, |best, role| match role {
            UnitRole::Organiser { unit } if standing.host_line.contains(unit) => {
                Some(Role::Organiser)
            }
            UnitRole::Inspector { unit } if standing.host_line.contains(unit) => {
                best.or(Some(Role::Inspector))
            }
            _ => best,
        });
    let (Some(role), Some(account), false) = (role, &signed.account, closed) else {
        return Err(ApiError(ErrorCode::Forbidden));
    };
    let unit = Some(account.account.unit.clone()).filter(|unit| !unit.is_empty());
    Ok(Comer {
        role,
        known: Some(Known {
            person: PersonId(person.0.clone()),
            name: account.account.name.clone(),
            unit,
        }),
        ..comer
    })
}

/// A person's place by the records, its role as the protocol has it.
struct Seat {
    role: Role,
    name: String,
    unit: Option<String>,
    site: Option<String>,
}

async fn place(app: &App, session: &Session, person: &PersonKey) -> Result<Option<Seat>, ApiError> {
    let place = app
        .store
        .place_in(&session.id, person)
        .await
        .map_err(stored)?;
    let Some(place) = place else { return Ok(None) };
    let name: StrDeserializer<'_, NameError> = place.role.into_deserializer();
    let Ok(role) = Role::deserialize(name) else {
        tracing::error!(role = place.role, "the records name a role no room has");
        return Err(ApiError(ErrorCode::Internal));
    };
    Ok(Some(Seat {
        role,
        name: place.name,
        unit: place.unit,
        site: place.site,
    }))
}

impl Comer {
    fn placed(self, person: PersonId, seat: Seat) -> Self {
        Self {
            role: seat.role,
            site: seat.site,
            known: Some(Known {
                person,
                name: seat.name,
                unit: seat.unit,
            }),
            ..self
        }
    }
}

async fn class_of(app: &App, session: &Session) -> Result<Class, ApiError> {
    app.store
        .class(&session.class)
        .await
        .map_err(stored)?
        .ok_or(ApiError(ErrorCode::NotFound))
}

/// People paste the whole address as well.
fn token_of(link: &str) -> &str {
    link.rsplit_once("/j/")
        .map_or(link, |(_, token)| token)
        .trim()
}

async fn gate(app: &App, comer: &Comer) -> Gate {
    let session = &comer.session;
    if session.state == SessionState::Ended {
        return Gate::Ended;
    }
    let rehearsal = u64::from(session.rehearsal_min).saturating_mul(60_000);
    let early = match comer.role {
        Role::Learner | Role::Guest => rehearsal,
        _ => rehearsal.max(STAFF_EARLY_MS),
    };
    let too_early = session
        .starts_ms
        .is_some_and(|starts| wall_ms().saturating_add(early) < starts);
    if too_early && !has_begun(app, &session.id).await {
        return Gate::Early;
    }
    match app.rooms.status(session.room.as_str()).await {
        Some(status) if status.ended => Gate::Ended,
        Some(status) if status.locked => Gate::Locked,
        Some(status) if status.full => Gate::Full,
        _ => Gate::Open,
    }
}

/// Whether the lesson was begun before its time.
async fn has_begun(app: &App, session: &SessionKey) -> bool {
    let lesson = app.store.lesson(session).await.ok().flatten();
    lesson.is_some_and(|lesson| matches!(lesson.phase, SessionPhase::Running | SessionPhase::Break))
}
