//! Notices of a session by e-mail: what would be sent, sending it, what became
//! of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use lophoc_classes::{Class, ClassState, NoticeKind, NoticePage, Right, Session, SessionPhase};
use lophoc_documents::sha256_hex;
use lophoc_ledger::{PersonKey, SessionKey, name_key};
use lophoc_records::{Author, NewNotice, Place};
use utoipa_axum::routes;

use super::super::check_in::base_url;
use super::super::error::{ApiFault, Refusal};
use super::super::extract::At;
use super::super::{Routes, Signed};
use super::links::guests_come;
use super::{Here, LEARNER, Maker};
use crate::app::App;
use crate::clock::wall_ms;
use crate::mail::{Words, address};

/// Names of people without an address that are told.
const NAMES: usize = 100;

pub fn routes() -> Routes {
    Routes::new().routes(routes!(look, send))
}

/// A notice as it would be sent now.
struct Ready {
    /// Absent: there is nothing to tell.
    notice: Option<NewNotice>,
    /// Who has no mail of it yet, with the address.
    fresh: Vec<(PersonKey, String)>,
    /// People of the roster with an address.
    with: usize,
    /// … and the names of those without.
    without: Vec<String>,
}

fn is_cancelled(class: &Class, session: &Session) -> bool {
    session.phase == SessionPhase::Cancelled
        || matches!(class.state, ClassState::Cancelled | ClassState::Postponed)
}

/// What a notice tells, as a digest: another one is a change.
fn told(class: &Class, session: &Session, cancelled: bool) -> String {
    let form = &session.form;
    let text = format!(
        "{}\n{}\n{}\n{}\n{:?}\n{:?}\n{cancelled}",
        class.plan.title, class.host_name, form.title, form.place, form.starts_ms, form.ends_ms
    );
    sha256_hex(text.as_bytes())
}

async fn ready(app: &App, here: &Here, session: &Session, base: String) -> Result<Ready, ApiFault> {
    let mut places: Vec<(PersonKey, Place)> = app
        .store
        .places_in(&session.id)
        .await?
        .into_iter()
        .filter(|(_, place)| place.role == LEARNER)
        .collect();
    places.sort_by_cached_key(|(person, place)| (name_key(&place.name), person.clone()));
    let known = app.store.addresses(&session.id).await?;
    let mut reached: BTreeMap<PersonKey, String> = BTreeMap::new();
    let mut without = Vec::new();
    for (person, place) in places {
        match known.get(&person).and_then(|text| address(text)) {
            Some(address) => {
                reached.insert(person, address.to_string());
            }
            None => without.push(place.name),
        }
    }
    let with = reached.len();
    let nothing = |with, without| Ready {
        notice: None,
        fresh: Vec::new(),
        with,
        without,
    };
    if session.phase.is_held() {
        return Ok(nothing(with, without));
    }
    let cancelled = is_cancelled(&here.class, session);
    let last = app.store.last_notice(&session.id).await?;
    if cancelled {
        // Whoever was invited hears of it, wherever he is now.
        reached = app
            .store
            .notified(&session.id, None)
            .await?
            .into_iter()
            .collect();
        if reached.is_empty() {
            return Ok(nothing(with, without));
        }
    }
    let told = told(&here.class, session, cancelled);
    let notice = match &last {
        Some(last) if last.told == told => NewNotice {
            sequence: last.sequence,
            what: last.what,
            told,
            base,
        },
        last => {
            let rev = u32::try_from(here.class.rev).unwrap_or(u32::MAX);
            NewNotice {
                sequence: last
                    .as_ref()
                    .map_or(0, |last| last.sequence.saturating_add(1))
                    .max(rev),
                what: match last {
                    _ if cancelled => NoticeKind::Cancel,
                    Some(_) => NoticeKind::Update,
                    None => NoticeKind::Invite,
                },
                told,
                base,
            }
        }
    };
    let have: BTreeSet<PersonKey> = app
        .store
        .notified(&session.id, Some(notice.sequence))
        .await?
        .into_iter()
        .map(|(person, _)| person)
        .collect();
    let fresh = reached
        .into_iter()
        .filter(|(person, _)| !have.contains(person))
        .collect();
    Ok(Ready {
        notice: Some(notice),
        fresh,
        with,
        without,
    })
}

/// The words to be copied: with the link for guests where they may come, else
/// with the page that shows everybody his own.
fn words(
    app: &App,
    here: &Here,
    session: &Session,
    notice: Option<&NewNotice>,
) -> Result<String, ApiFault> {
    let Some(notice) = notice else {
        return Ok(String::new());
    };
    let url = match notice.what {
        NoticeKind::Cancel => String::new(),
        _ if guests_come(&here.class) => Maker::new(app, session, notice.base.clone()).guest()?.url,
        _ => format!("{}/my", notice.base),
    };
    let words = Words {
        class: &here.class,
        session,
        what: notice.what,
        name: "",
        url: &url,
        own: false,
    };
    Ok(words.text())
}

async fn page(
    app: &App,
    here: &Here,
    session: &Session,
    ready: Ready,
) -> Result<NoticePage, ApiFault> {
    let text = words(app, here, session, ready.notice.as_ref())?;
    let session = &session.id;
    let notices = app.store.notices(session).await?;
    let undelivered = match notices.first() {
        Some(last) => app.store.undelivered(session, last.sequence).await?,
        None => Vec::new(),
    };
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Ok(NoticePage {
        enabled: !app.config.mail.host.is_empty(),
        what: ready.notice.map(|notice| notice.what),
        text,
        fresh: count(ready.fresh.len()),
        with: count(ready.with),
        without: count(ready.without.len()),
        without_names: ready.without.into_iter().take(NAMES).collect(),
        notices,
        undelivered,
    })
}

/// What would be sent to the roster now, and what became of what was sent. For
/// whoever plans the class.
#[utoipa::path(get, path = "/sessions/{id}/notices", tag = "links", params(("id" = String, Path)),
    security(("cookie" = []), ("token" = [])),
    responses((status = 200, body = NoticePage), (status = 403, body = Refusal), (status = 404, body = Refusal)))]
async fn look(
    State(app): State<Arc<App>>,
    signed: Signed,
    headers: HeaderMap,
    At(id): At<SessionKey>,
) -> Result<Json<NoticePage>, ApiFault> {
    let (here, session) = Here::session(&app, signed, &id).await?;
    here.need_all(Right::ManageClass)?;
    let ready = ready(&app, &here, &session, base_url(&app, &headers)).await?;
    page(&app, &here, &session, ready).await.map(Json)
}

/// Send the notice to everybody of the roster who has an address and no mail of
/// it yet: an invitation, a change when what was told is no longer true, or the
/// cancellation. What failed before is tried anew.
#[utoipa::path(post, path = "/sessions/{id}/notices", tag = "links", params(("id" = String, Path)),
    security(("cookie" = []), ("token" = [])),
    responses((status = 200, body = NoticePage), (status = 403, body = Refusal), (status = 404, body = Refusal),
        (status = 409, body = Refusal, description = "refused: no mail server, or nothing to tell")))]
async fn send(
    State(app): State<Arc<App>>,
    signed: Signed,
    headers: HeaderMap,
    At(id): At<SessionKey>,
) -> Result<Json<NoticePage>, ApiFault> {
    let (here, session) = Here::session(&app, signed, &id).await?;
    here.need_all(Right::ManageClass)?;
    let base = base_url(&app, &headers);
    let now = ready(&app, &here, &session, base.clone()).await?;
    let (Some(notice), false) = (&now.notice, app.config.mail.host.is_empty()) else {
        return Err(ApiFault::refused(None));
    };
    if !now.fresh.is_empty() {
        let author = Author {
            by: here.signed.person().clone(),
            name: here.signed.name(),
            at_ms: wall_ms(),
        };
        let queued = app
            .store
            .add_notice(&id, notice, &now.fresh, &author)
            .await?;
        tracing::info!(session = %id, by = %author.by, queued, "a notice was queued");
        app.mail.wake.notify_one();
    }
    let after = ready(&app, &here, &session, base).await?;
    page(&app, &here, &session, after).await.map(Json)
}
