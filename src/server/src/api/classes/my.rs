//! *Lớp của tôi*: the asker's own classes with his own times, nothing of others.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use lophoc_classes::{ClassState, MyClass, MyPage, MyRow, MySession, Session, SessionPhase};
use lophoc_ledger::{Rules, permille};
use lophoc_records::OwnClass;
use utoipa_axum::routes;

use super::super::attendance::own_row;
use super::super::check_in::base_url;
use super::super::error::{ApiFault, Refusal};
use super::super::{Routes, Signed};
use super::links::Maker;
use crate::app::App;
use crate::clock::wall_ms;

const MINUTE_MS: u64 = 60 * 1000;
/// One can come in so long before the planned beginning, at least.
const EARLY_MS: u64 = 60 * MINUTE_MS;
/// Sessions whose attendance is worked out in one answer, latest first.
const ROWS: usize = 60;

pub fn routes() -> Routes {
    Routes::new().routes(routes!(page))
}

/// Own classes, those with a session soonest first.
#[utoipa::path(get, path = "/my", tag = "my", security(("cookie" = []), ("token" = [])),
    responses((status = 200, body = MyPage), (status = 401, body = Refusal)))]
async fn page(
    State(app): State<Arc<App>>,
    signed: Signed,
    headers: HeaderMap,
) -> Result<Json<MyPage>, ApiFault> {
    let now = wall_ms();
    let base = base_url(&app, &headers);
    let own = app.store.own_classes(signed.person()).await?;
    let mut begun: Vec<&Session> = own
        .iter()
        .flat_map(|one| &one.sessions)
        .filter(|session| session.began_ms.is_some())
        .collect();
    begun.sort_by_key(|session| std::cmp::Reverse(session.began_ms));
    let latest: Vec<&Session> = begun.into_iter().take(ROWS).collect();
    let mut classes = Vec::with_capacity(own.len());
    for one in &own {
        let mut sessions = Vec::with_capacity(one.sessions.len());
        for session in &one.sessions {
            let counted = latest.iter().any(|known| known.id == session.id);
            let mine = if counted {
                own_row(&app, &session.id, signed.person()).await?
            } else {
                None
            };
            sessions.push(MySession {
                url: url(&app, &signed, one, session, &base, now).await?,
                session: session.clone(),
                mine,
            });
        }
        classes.push(my_class(one, sessions));
    }
    classes.sort_by_key(|class| {
        let next = class
            .sessions
            .iter()
            .filter(|one| coming(&one.session))
            .map(|one| one.session.form.starts_ms.unwrap_or(now))
            .min();
        next.unwrap_or(u64::MAX)
    });
    Ok(Json(MyPage { classes }))
}

fn coming(session: &Session) -> bool {
    !session.phase.is_held() && session.phase != SessionPhase::Cancelled
}

/// Own link while one can come in.
async fn url(
    app: &App,
    signed: &Signed,
    own: &OwnClass,
    session: &Session,
    base: &str,
    now: u64,
) -> Result<Option<String>, ApiFault> {
    let early = EARLY_MS.max(u64::from(session.form.rehearsal_min) * MINUTE_MS);
    let open = session
        .form
        .starts_ms
        .is_none_or(|starts| starts <= now.saturating_add(early));
    let closed = !own.class.state.before_end() || own.class.state == ClassState::Draft;
    if closed || !coming(session) || !(open || session.phase.is_live()) {
        return Ok(None);
    }
    let Some(place) = app.store.place_in(&session.id, signed.person()).await? else {
        return Ok(None);
    };
    let link = Maker::new(app, session, base.to_owned()).personal(signed.person(), &place)?;
    Ok(link.map(|link| link.url))
}

fn my_class(own: &OwnClass, sessions: Vec<MySession>) -> MyClass {
    let rules = &own.class.plan.rules;
    let rows: Vec<&MyRow> = sessions
        .iter()
        .filter(|one| one.session.form.counts && one.session.phase.is_held())
        .filter_map(|one| one.mine.as_ref())
        .collect();
    let attended = rows.iter().filter(|row| attended(row, rules)).count();
    let minutes: u64 = rows.iter().map(|row| row.present_ms).sum();
    let counted: u64 = rows.iter().map(|row| row.window.counted_ms).sum();
    let class = &own.class;
    MyClass {
        id: class.id.clone(),
        title: class.plan.title.clone(),
        host: class.host_name.clone(),
        roles: own.roles.clone(),
        open_until: class.open_until,
        sessions_permille: permille(
            u64::try_from(attended).unwrap_or(0),
            u64::try_from(rows.len()).unwrap_or(0),
        ),
        minutes_permille: permille(minutes, counted),
        sessions,
    }
}

fn attended(row: &MyRow, rules: &Rules) -> bool {
    row.status.is_present() && row.permille >= rules.session_permille
}
