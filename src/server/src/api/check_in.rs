//! Checking in with a phone that scanned the code on a hall's screen. No
//! sign-in is needed; nobody learns anything of anybody but himself.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::header::{COOKIE, HOST, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use lophoc_classes::{CheckInOffer, Day, SessionPhase};
use lophoc_ledger::{HallHow, PersonKey, SessionKey};
use lophoc_records::{CheckIn, NewHallMark};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::attendance_facts::{Gathered, PersonFacts};
use super::error::{ApiFault, Refusal};
use super::extract::{Ask, At, Body, Caller};
use super::hall::{HERE_NAME, changed};
use super::text::clean;
use super::{Routes, person_signed_in};
use crate::app::App;
use crate::auth::{Code, LinkClaims, mark_of_phone};
use crate::clock::wall_ms;
use crate::serve::configured_url;

/// Cookie with the ticket of a scan.
const TICKET: &str = "lophoc_check";
/// Seconds it lasts.
const TICKET_SECONDS: u32 = 300;
/// Length of the key a phone keeps, characters.
const DEVICE: std::ops::RangeInclusive<usize> = 8..=128;
/// Longest identifier or name typed, characters.
const TYPED: usize = 200;
/// Longest link, characters.
const LINK: usize = 4_096;

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .routes(routes!(offer))
        .routes(routes!(check_in))
}

/// Address people reach the server by: the configured one, else the one this
/// call was made to.
pub(super) fn base_url(app: &App, headers: &HeaderMap) -> String {
    if app.config.server.public_url.is_empty() {
        let host = headers
            .get(HOST)
            .and_then(|host| host.to_str().ok())
            .filter(|host| {
                host.len() <= 255
                    && host
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b))
            });
        if let Some(host) = host {
            let scheme = match app.config.tls.mode {
                crate::config::TlsMode::Off => "http",
                _ => "https",
            };
            return format!("{scheme}://{host}");
        }
    }
    configured_url(&app.config)
}

/// The phone that asks.
#[derive(Debug, Deserialize, IntoParams)]
struct Phone {
    /// Key the phone keeps, 8 to 128 characters.
    #[serde(default)]
    device: Option<String>,
}

/// What a code stands for. The answer sets a ticket: whoever scanned in time
/// has five minutes to say who he is.
#[utoipa::path(get, path = "/check-in/{code}", tag = "check-in",
    params(("code" = String, Path, description = "Code scanned"), Phone),
    responses((status = 200, body = CheckInOffer),
        (status = 404, body = Refusal, description = "no such code"),
        (status = 409, body = Refusal, description = "refused: the session is over"),
        (status = 410, body = Refusal, description = "refused: the code is too old, scan again")))]
async fn offer(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    At(text): At<String>,
    Ask(phone): Ask<Phone>,
) -> Result<Response, ApiFault> {
    scans(&app, caller)?;
    let now = wall_ms();
    let code = fresh(&app, &headers, caller, &text, now)?;
    open(&app, &code.session).await?;
    let gathered = app.gathered(&code.session).await?;
    let site = site_name(&gathered, code.site.as_ref())?;
    let mut known = None;
    if let Some(device) = phone.device.filter(|device| DEVICE.contains(&device.len())) {
        let device = mark_of_phone(&app.keys, &device);
        let person = app.store.person_of_phone(&code.session, &device).await?;
        known = person.and_then(|person| Some(gathered.facts.people.get(&person)?.name.clone()));
    }
    let answer = Json(CheckInOffer {
        title: gathered.session.form.title.clone(),
        class: gathered.class.plan.title.clone(),
        host: gathered.class.host_name.clone(),
        site,
        known,
    });
    if !code.is_fresh(now) {
        // His ticket holds for its own five minutes: it buys no further one.
        return Ok(answer.into_response());
    }
    let ticket = code.ticket(&app.keys, now)?;
    let cookie = format!(
        "{TICKET}={ticket}; Path=/api/v1/check-in; Max-Age={TICKET_SECONDS}; HttpOnly; SameSite=Strict"
    );
    let cookie = HeaderValue::try_from(cookie).map_err(|_| ApiFault::internal())?;
    Ok(([(SET_COOKIE, cookie)], answer).into_response())
}

/// Who holds the phone: one of identifier, name with day of birth, personal
/// link; nothing for somebody who is signed in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CheckInRequest {
    /// Mã định danh of the sector, or a local number.
    #[serde(default)]
    identifier: Option<String>,
    /// Họ và tên.
    #[serde(default)]
    name: Option<String>,
    /// Ngày sinh, YYYY-MM-DD.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    born: Option<Day>,
    /// Personal join link.
    #[serde(default)]
    link: Option<String>,
    /// Key the phone keeps, 8 to 128 characters.
    device: String,
}

/// Who was ticked in.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CheckedIn {
    /// Name.
    name: String,
    /// Unit.
    unit: String,
    /// When, ms.
    at: u64,
}

/// Tick oneself in. A phone ticks in one person per session.
#[utoipa::path(post, path = "/check-in/{code}", tag = "check-in",
    params(("code" = String, Path, description = "Code scanned")), request_body = CheckInRequest,
    responses((status = 200, body = CheckedIn), (status = 400, body = Refusal),
        (status = 404, body = Refusal, description = "no such code, or nobody, or not exactly one person, of the roster"),
        (status = 409, body = Refusal, description = "conflict: this phone ticked in somebody else; refused: the session is over"),
        (status = 410, body = Refusal, description = "refused: the code is too old, scan again"),
        (status = 429, body = Refusal)))]
async fn check_in(
    State(app): State<Arc<App>>,
    caller: Caller,
    ConnectInfo(socket): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    At(text): At<String>,
    Body(request): Body<CheckInRequest>,
) -> Result<Json<CheckedIn>, ApiFault> {
    scans(&app, caller)?;
    if !DEVICE.contains(&request.device.len()) {
        return Err(ApiFault::field("device", "badValue"));
    }
    let device = mark_of_phone(&app.keys, &request.device);
    let mono = app.clock.now().mono_ms;
    if !app.attendance.scan_device.count(device.clone(), mono) {
        return Err(ApiFault::rate_limited(None));
    }
    let now = wall_ms();
    let code = fresh(&app, &headers, caller, &text, now)?;
    open(&app, &code.session).await?;
    let gathered = app.gathered(&code.session).await?;
    site_name(&gathered, code.site.as_ref())?;
    let person = who(&app, &gathered, &headers, socket, &request).await?;
    let listed = person.as_ref().and_then(|person| listed(&gathered, person));
    let (Some(person), Some(facts)) = (&person, listed) else {
        if !app.attendance.scan_wrong.take(caller.address, mono) {
            return Err(ApiFault::rate_limited(None));
        }
        return Err(ApiFault::not_found());
    };
    let window = &gathered.facts.report.window;
    let late_ms = gathered.facts.report.rules.late_ms;
    let in_time = window
        .from_ms
        .is_none_or(|from| now <= from.saturating_add(late_ms));
    let mark = NewHallMark {
        person: person.clone(),
        site: code.site.clone(),
        on: true,
        how: HallHow::Qr,
        by: person.clone(),
        // In time: as long as the site is connected.
        at_ms: (!in_time).then_some(now),
        made_ms: now,
    };
    let mark = match app.store.check_in(&code.session, &device, &mark).await? {
        CheckIn::Marked(mark) => {
            changed(&app, &gathered).await?;
            mark
        }
        CheckIn::Already(mark) => mark,
        CheckIn::OtherPerson => {
            tracing::info!(session = %code.session, %person, "a phone tried to tick in a second person");
            return Err(ApiFault::conflict());
        }
    };
    Ok(Json(CheckedIn {
        name: facts.name.clone(),
        unit: facts.unit_name.clone(),
        at: mark.made_ms,
    }))
}

fn scans(app: &App, caller: Caller) -> Result<(), ApiFault> {
    let mono = app.clock.now().mono_ms;
    if app.attendance.scan_address.take(caller.address, mono) {
        Ok(())
    } else {
        app.metrics.limited.inc();
        Err(ApiFault::rate_limited(None))
    }
}

/// The code, when it is fresh or the phone scanned it while it was.
fn fresh(
    app: &App,
    headers: &HeaderMap,
    caller: Caller,
    text: &str,
    now_ms: u64,
) -> Result<Code, ApiFault> {
    let Ok(code) = Code::open(&app.keys, text) else {
        let mono = app.clock.now().mono_ms;
        if !app.attendance.scan_wrong.take(caller.address, mono) {
            return Err(ApiFault::rate_limited(None));
        }
        return Err(ApiFault::not_found());
    };
    let in_time = code.is_fresh(now_ms)
        || ticket(headers).is_some_and(|ticket| code.admits(&app.keys, ticket, now_ms));
    if in_time {
        Ok(code)
    } else {
        Err(ApiFault::new(StatusCode::GONE, "refused"))
    }
}

fn ticket(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == TICKET)
        .map(|(_, ticket)| ticket)
}

/// Nobody comes into a hall of a session that is over: by what is written down
/// now, not by the desk computed a moment ago.
async fn open(app: &App, session: &SessionKey) -> Result<(), ApiFault> {
    let session = app.store.lesson(session).await?;
    match session.ok_or_else(ApiFault::not_found)?.phase {
        SessionPhase::Scheduled
        | SessionPhase::Rehearsal
        | SessionPhase::Running
        | SessionPhase::Break => Ok(()),
        SessionPhase::Ended
        | SessionPhase::Frozen
        | SessionPhase::Exported
        | SessionPhase::Cancelled => Err(ApiFault::refused(None)),
    }
}

fn site_name(gathered: &Gathered, site: Option<&PersonKey>) -> Result<String, ApiFault> {
    match site {
        None => Ok(HERE_NAME.to_owned()),
        Some(site) => gathered
            .facts
            .people
            .get(site)
            .filter(|facts| facts.site)
            .map(|facts| facts.name.clone())
            .ok_or_else(ApiFault::not_found),
    }
}

/// The person of the roster, no site.
fn listed<'a>(gathered: &'a Gathered, person: &PersonKey) -> Option<&'a PersonFacts> {
    gathered
        .facts
        .people
        .get(person)
        .filter(|facts| !facts.site)
}

/// Who the phone says it is.
async fn who(
    app: &App,
    gathered: &Gathered,
    headers: &HeaderMap,
    socket: SocketAddr,
    request: &CheckInRequest,
) -> Result<Option<PersonKey>, ApiFault> {
    let class = &gathered.class.id;
    if let Some(link) = &request.link {
        if link.len() > LINK {
            return Err(ApiFault::field("link", "tooLong"));
        }
        let token = link
            .rsplit_once("/j/")
            .map_or(link.as_str(), |(_, token)| token);
        let claims = LinkClaims::open(&app.keys, token.trim(), wall_ms())
            .map_err(|_| ApiFault::field("link", "badValue"))?;
        return Ok(claims.named.map(|named| PersonKey(named.person.0)));
    }
    if let Some(identifier) = &request.identifier {
        let typed = clean(identifier).replace(' ', "");
        return match typed.chars().count() {
            0 => Err(ApiFault::field("identifier", "required")),
            n if n > TYPED => Err(ApiFault::field("identifier", "tooLong")),
            _ => Ok(app.store.listed_by_identifier(class, &typed).await?),
        };
    }
    if let Some(name) = &request.name {
        let born = request
            .born
            .ok_or_else(|| ApiFault::field("born", "required"))?;
        let typed = clean(name);
        return match typed.chars().count() {
            0 => Err(ApiFault::field("name", "required")),
            n if n > TYPED => Err(ApiFault::field("name", "tooLong")),
            _ => Ok(app.store.listed_by_name(class, &typed, born).await?),
        };
    }
    match person_signed_in(app, headers, socket).await? {
        Some(signed) => Ok(Some(signed.person().clone())),
        None => Err(ApiFault::field("identifier", "required")),
    }
}
