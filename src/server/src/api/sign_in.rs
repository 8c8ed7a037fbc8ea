//! Signing in and out, the own password.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use lophoc_classes::{Account, AccountState, SignIn, SignedIn, UnitRole};
use lophoc_ledger::PersonKey;
use lophoc_records::{KnownAccount, SIGN_IN_LIFE_MS, SignInLine, SignInOutcome};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::Routes;
use super::actor::{COOKIE_NAME, How, SignedFresh, cookie, own_page};
use super::error::{ApiFault, Refusal};
use super::extract::{Body, Caller};
use crate::app::App;
use crate::auth::{FREE_PER_ACCOUNT, LONGEST, allowed, cookie_secret, hash_of, wait_ms};
use crate::clock::wall_ms;
use crate::config::TlsMode;
use crate::http::limit::network_of;

/// Time zone everything is shown in.
const ZONE: &str = "Asia/Ho_Chi_Minh";
/// Longest login, characters.
pub const LOGIN: usize = 64;

pub fn routes() -> Routes {
    Routes::new()
        .routes(routes!(sign_in))
        .routes(routes!(sign_out))
        .routes(routes!(me))
        .routes(routes!(password))
}

/// Sign in. The answer sets the cookie.
#[utoipa::path(post, path = "/sign-in", tag = "sign-in", request_body = SignIn, responses(
    (status = 200, body = SignedIn),
    (status = 401, body = Refusal, description = "wrongPassword"),
    (status = 423, body = Refusal, description = "accountLocked"),
    (status = 429, body = Refusal, description = "rateLimited")))]
async fn sign_in(
    State(app): State<Arc<App>>,
    caller: Caller,
    ConnectInfo(socket): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Body(asked): Body<SignIn>,
) -> Result<Response, ApiFault> {
    // Otherwise another site could sign a browser in as somebody else.
    if !own_page(&app, &headers) {
        return Err(ApiFault::forbidden());
    }
    let now = wall_ms();
    let network = network_of(caller.address);
    if let Err(rest) = app.address_waits.attempt(&network, now) {
        app.metrics.limited.inc();
        return Err(ApiFault::rate_limited(Some(rest)));
    }
    let login = asked.login.trim().to_lowercase();
    if login.chars().count() > LOGIN || asked.password.chars().count() > LONGEST {
        return Err(ApiFault::wrong_password());
    }
    let known = app.store.account_of_login(&login).await?;
    let person = known.as_ref().map(|known| known.account.person.clone());
    if let Err(rest) = may_try(&app, known.as_ref(), &login, now).await? {
        log(&app, person, caller, SignInOutcome::Locked, now).await?;
        return Err(ApiFault::account_locked(Some(rest)));
    }
    let secret = known.as_ref().map(|known| known.secret.clone());
    let good = app.passwords.verify(secret, asked.password).await?;
    let Some(known) = known.filter(|_| good) else {
        log(&app, person, caller, SignInOutcome::Wrong, now).await?;
        return Err(ApiFault::wrong_password());
    };
    // Told to him alone who knows the password.
    if matches!(
        known.account.state,
        AccountState::Locked | AccountState::Retired
    ) {
        log(&app, person, caller, SignInOutcome::Locked, now).await?;
        return Err(ApiFault::account_locked(None));
    }
    app.address_waits.succeeded(&network);
    // A browser has one sign-in: what it had before ends.
    if let Some(old) = cookie(&headers).and_then(hash_of) {
        app.store.end_sign_in(&old).await?;
    }
    let secret = cookie_secret()?;
    let hash = hash_of(&secret).ok_or_else(ApiFault::internal)?;
    let who = known.account.person.clone();
    app.store.begin_sign_in(&hash, &who, now).await?;
    log(&app, Some(who.clone()), caller, SignInOutcome::Ok, now).await?;
    tracing::info!(person = %who, "signed in");
    let known = app
        .store
        .account(&who)
        .await?
        .ok_or_else(ApiFault::sign_in)?;
    let answer = Json(signed_in(&app, known).await?);
    let set = set_cookie(
        &secret,
        SIGN_IN_LIFE_MS / 1000,
        secure(&app, socket, &headers),
    )?;
    Ok(([(SET_COOKIE, set)], answer).into_response())
}

/// Whether a password may be tried now; else the rest of the wait, ms. Counts
/// the attempt. Logins nobody has wait like others, so that nobody learns which
/// there are.
async fn may_try(
    app: &App,
    known: Option<&KnownAccount>,
    login: &str,
    now: u64,
) -> Result<Result<(), u64>, ApiFault> {
    let Some(known) = known else {
        return Ok(app.login_waits.attempt(&login.to_owned(), now));
    };
    let wait = |attempts| wait_ms(attempts, FREE_PER_ACCOUNT);
    let person = &known.account.person;
    Ok(app.store.try_password(person, now, wait).await?)
}

async fn log(
    app: &App,
    person: Option<PersonKey>,
    caller: Caller,
    outcome: SignInOutcome,
    at_ms: u64,
) -> Result<(), ApiFault> {
    let line = SignInLine {
        at_ms,
        person,
        address: caller.address.to_string(),
        port: caller.port,
        outcome: outcome.as_str().to_owned(),
    };
    Ok(app.store.log_sign_in(&line).await?)
}

/// Sign this browser out.
#[utoipa::path(post, path = "/sign-out", tag = "sign-in", security(("cookie" = [])), responses((status = 204)))]
async fn sign_out(
    State(app): State<Arc<App>>,
    ConnectInfo(socket): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    SignedFresh(signed): SignedFresh,
) -> Result<Response, ApiFault> {
    let How::Cookie { hash } = &signed.how else {
        return Err(ApiFault::forbidden());
    };
    app.store.end_sign_in(hash).await?;
    let person = Some(signed.actor.person.clone());
    log(&app, person, signed.caller, SignInOutcome::Out, wall_ms()).await?;
    let set = set_cookie("", 0, secure(&app, socket, &headers))?;
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, set)]).into_response())
}

/// Who is signed in.
#[utoipa::path(get, path = "/me", tag = "sign-in", security(("cookie" = []), ("token" = [])), responses(
    (status = 200, body = SignedIn), (status = 401, body = Refusal, description = "signIn")))]
async fn me(
    State(app): State<Arc<App>>,
    SignedFresh(signed): SignedFresh,
) -> Result<Json<SignedIn>, ApiFault> {
    let known = signed.account.ok_or_else(ApiFault::sign_in)?;
    Ok(Json(signed_in(&app, known).await?))
}

/// The own password to change.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PasswordChange {
    /// The password so far.
    old: String,
    /// The one to be.
    new: String,
}

/// Change the own password. All other browsers are signed out.
#[utoipa::path(post, path = "/me/password", tag = "sign-in", security(("cookie" = [])), request_body = PasswordChange, responses(
    (status = 200, body = SignedIn),
    (status = 400, body = Refusal, description = "field new: tooShort, tooLong, badValue"),
    (status = 401, body = Refusal, description = "wrongPassword"),
    (status = 423, body = Refusal, description = "accountLocked")))]
async fn password(
    State(app): State<Arc<App>>,
    SignedFresh(signed): SignedFresh,
    Body(change): Body<PasswordChange>,
) -> Result<Json<SignedIn>, ApiFault> {
    let How::Cookie { hash } = &signed.how else {
        return Err(ApiFault::forbidden());
    };
    let known = signed.account.ok_or_else(ApiFault::sign_in)?;
    let account = &known.account;
    if change.old.chars().count() > LONGEST {
        return Err(ApiFault::wrong_password());
    }
    allowed(&change.new, &account.login, &account.name)?;
    if change.new == change.old {
        return Err(ApiFault::field("new", "badValue"));
    }
    let now = wall_ms();
    if let Err(rest) = may_try(&app, Some(&known), &account.login, now).await? {
        return Err(ApiFault::account_locked(Some(rest)));
    }
    let secret = Some(known.secret.clone());
    if !app.passwords.verify(secret, change.old).await? {
        log(
            &app,
            Some(account.person.clone()),
            signed.caller,
            SignInOutcome::Wrong,
            now,
        )
        .await?;
        return Err(ApiFault::wrong_password());
    }
    let made = app.passwords.hash(vec![change.new]).await?;
    let made = made.first().ok_or_else(ApiFault::internal)?;
    app.store
        .set_password(&account.person, made, false, Some(hash))
        .await?;
    tracing::info!(person = %account.person, "password changed");
    let known = app
        .store
        .account(&account.person)
        .await?
        .ok_or_else(ApiFault::sign_in)?;
    Ok(Json(signed_in(&app, known).await?))
}

async fn signed_in(app: &App, known: KnownAccount) -> Result<SignedIn, ApiFault> {
    let Account {
        person,
        admin,
        units,
        ..
    } = &known.account;
    let hosts = units
        .iter()
        .filter_map(|role| match role {
            UnitRole::Organiser { unit } => Some(unit.clone()),
            UnitRole::Contact { .. } | UnitRole::Inspector { .. } => None,
        })
        .collect();
    let organises = *admin || !units.is_empty() || app.store.is_staff(person).await?;
    Ok(SignedIn {
        must_change: known.must_change,
        organises,
        hosts,
        zone: ZONE.to_owned(),
        account: known.account,
    })
}

/// Whether the browser came by HTTPS, here or at a trusted proxy.
pub(super) fn secure(app: &App, socket: SocketAddr, headers: &HeaderMap) -> bool {
    let server = &app.config.server;
    let proxied = server.trusted_proxies.contains(&socket.ip().to_canonical())
        && headers
            .get("x-forwarded-proto")
            .is_some_and(|value| value == "https");
    app.config.tls.mode != TlsMode::Off || proxied || server.public_url.starts_with("https://")
}

fn set_cookie(secret: &str, seconds: u64, secure: bool) -> Result<HeaderValue, ApiFault> {
    let secure = if secure { "; Secure" } else { "" };
    let text = format!(
        "{COOKIE_NAME}={secret}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
    );
    HeaderValue::try_from(text).map_err(|_| ApiFault::internal())
}
