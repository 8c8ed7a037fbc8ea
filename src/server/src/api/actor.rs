//! Who asks: the cookie of a browser, a token of the API, or in a room its
//! token.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{FromRequestParts, MatchedPath};
use axum::http::header::{AUTHORIZATION, COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use lophoc_classes::{AccountState, Actor, Scope, StaffRole, UnitRole};
use lophoc_ledger::{PersonKey, SessionKey};
use lophoc_protocol::Role;
use lophoc_records::KnownAccount;

use super::error::ApiFault;
use super::extract::Caller;
use crate::app::App;
use crate::auth::{API_TOKEN, TokenClaims, hash_of};
use crate::clock::wall_ms;
use crate::http::origin_allowed;

/// Name of the cookie.
pub const COOKIE_NAME: &str = "lophoc";
/// Header that pages of other sites cannot send without asking first.
const MARK: &str = "x-lophoc";

/// What the asker showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// The cookie with this hash.
    Cookie {
        /// Hash of its secret.
        hash: String,
    },
    /// A token of the API; [`scope_of`] was checked.
    Token {
        /// Its id.
        id: String,
        /// What it is good for.
        scopes: Vec<Scope>,
    },
    /// The token of a room, for the records of this session alone.
    Room {
        /// The session.
        session: SessionKey,
        /// Role in the room, given by the server at the join.
        role: Role,
        /// Name in the room: of the records, or as a guest gave it.
        name: String,
    },
}

/// Somebody signed in, with a password of his own, within his rate.
#[derive(Debug, Clone)]
pub struct Signed {
    /// Who, with what he may beyond classes.
    pub actor: Actor,
    /// The account; absent for somebody in a room who has none.
    pub account: Option<KnownAccount>,
    /// What was shown.
    pub how: How,
    /// Where from.
    pub caller: Caller,
}

/// As [`Signed`], and the first password may still have to be changed.
#[derive(Debug, Clone)]
pub struct SignedFresh(pub Signed);

/// As [`Signed`], and the token of a room is good as well (® in the list of
/// calls). Rights must be asked for where such a token is held to its session:
/// `attendance_access`.
#[derive(Debug, Clone)]
pub struct SignedInRoom(pub Signed);

impl FromRequestParts<Arc<App>> for Signed {
    type Rejection = ApiFault;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiFault> {
        let signed = who(parts, app).await?;
        if matches!(signed.how, How::Room { .. }) {
            return Err(ApiFault::sign_in());
        }
        signed.settled()
    }
}

impl FromRequestParts<Arc<App>> for SignedFresh {
    type Rejection = ApiFault;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiFault> {
        let signed = who(parts, app).await?;
        match signed.how {
            How::Room { .. } => Err(ApiFault::sign_in()),
            How::Token { .. } => signed.settled().map(Self),
            How::Cookie { .. } => Ok(Self(signed)),
        }
    }
}

impl FromRequestParts<Arc<App>> for SignedInRoom {
    type Rejection = ApiFault;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiFault> {
        who(parts, app).await?.settled().map(Self)
    }
}

impl Signed {
    /// The person.
    pub fn person(&self) -> &PersonKey {
        &self.actor.person
    }

    /// Name for records: of the account, else the one in the room, else the id.
    pub fn name(&self) -> String {
        match (&self.account, &self.how) {
            (Some(known), _) => known.account.name.clone(),
            (None, How::Room { name, .. }) => name.clone(),
            (None, _) => self.actor.person.0.clone(),
        }
    }

    fn settled(self) -> Result<Self, ApiFault> {
        // In a room the person came in by a link; his password is not at stake.
        let fresh = self.account.as_ref().is_some_and(|known| known.must_change);
        if fresh && !matches!(self.how, How::Room { .. }) {
            return Err(ApiFault::must_change());
        }
        Ok(self)
    }

    fn of_account(known: KnownAccount, how: How, caller: Caller) -> Self {
        Self {
            actor: Actor {
                person: known.account.person.clone(),
                admin: known.account.admin,
                units: known.account.units.clone(),
            },
            account: Some(known),
            how,
            caller,
        }
    }
}

async fn who(parts: &mut Parts, app: &Arc<App>) -> Result<Signed, ApiFault> {
    let caller = Caller::from_request_parts(parts, app).await?;
    let now = wall_ms();
    let signed = match bearer(&parts.headers) {
        Some(token) if token.starts_with(API_TOKEN) => {
            by_api_token(app, token, parts, caller, now).await?
        }
        Some(token) => in_room(app, token, caller, now).await?,
        None => {
            let safe = is_safe(&parts.method);
            if !safe && !own_page(app, &parts.headers) {
                return Err(ApiFault::forbidden());
            }
            by_cookie(app, &parts.headers, caller, now)
                .await?
                .ok_or_else(ApiFault::sign_in)?
        }
    };
    let mono = app.clock.now().mono_ms;
    if !app.actor_rate.count(signed.actor.person.clone(), mono) {
        app.metrics.limited.inc();
        return Err(ApiFault::rate_limited(None));
    }
    Ok(signed)
}

async fn by_api_token(
    app: &App,
    token: &str,
    parts: &Parts,
    caller: Caller,
    now: u64,
) -> Result<Signed, ApiFault> {
    let hash = hash_of(token).ok_or_else(ApiFault::sign_in)?;
    let (id, known, scopes) = app
        .store
        .api_token(&hash, now)
        .await?
        .ok_or_else(ApiFault::sign_in)?;
    let path = parts
        .extensions
        .get::<MatchedPath>()
        .map_or("", MatchedPath::as_str);
    match scope_of(&parts.method, path) {
        Needs::Any => {}
        Needs::Scope(scope) if scopes.contains(&scope) => {}
        Needs::Scope(_) | Needs::Person => return Err(ApiFault::forbidden()),
    }
    Ok(Signed::of_account(known, How::Token { id, scopes }, caller))
}

async fn in_room(app: &App, token: &str, caller: Caller, now: u64) -> Result<Signed, ApiFault> {
    let claims = TokenClaims::open(&app.keys, token, now)?;
    let person = PersonKey(claims.person.0);
    let account = app.store.account(&person).await?;
    let mut units = match &account {
        Some(known)
            if matches!(
                known.account.state,
                AccountState::New | AccountState::Active
            ) =>
        {
            known.account.units.clone()
        }
        _ => Vec::new(),
    };
    // A learner's link needs no password, and contacts and advisers hand it out:
    // it must not carry the powers of its owner's account.
    if matches!(claims.role, Role::Learner | Role::Guest) {
        units.retain(|role| matches!(role, UnitRole::Contact { .. }));
    }
    Ok(Signed {
        actor: Actor {
            person,
            // A system is not administered from a room.
            admin: false,
            units,
        },
        account,
        how: How::Room {
            session: claims.session,
            role: claims.role,
            name: claims.name,
        },
        caller,
    })
}

async fn by_cookie(
    app: &App,
    headers: &HeaderMap,
    caller: Caller,
    now: u64,
) -> Result<Option<Signed>, ApiFault> {
    let Some(hash) = cookie(headers).and_then(hash_of) else {
        return Ok(None);
    };
    let known = app.store.signed_in(&hash, now).await?;
    Ok(known.map(|known| Signed::of_account(known, How::Cookie { hash }, caller)))
}

/// Who is signed in with a browser, for calls that are no part of `/api/v1`.
/// The call itself needs the mark of our own pages.
///
/// # Errors
/// `forbidden` without the mark, `mustChange`, the store's.
pub async fn person_signed_in(
    app: &App,
    headers: &HeaderMap,
    socket: SocketAddr,
) -> Result<Option<Signed>, ApiFault> {
    let caller = Caller::of(app, socket, headers);
    match by_cookie(app, headers, caller, wall_ms()).await? {
        None => Ok(None),
        Some(_) if !own_page(app, headers) => Err(ApiFault::forbidden()),
        Some(signed) => signed.settled().map(Some),
    }
}

/// Whose cookie came along, for what a page loads by address (media): no mark can
/// come with that.
///
/// # Errors
/// The store's.
pub async fn person_with_cookie(
    app: &App,
    headers: &HeaderMap,
    socket: SocketAddr,
) -> Result<Option<PersonKey>, ApiFault> {
    let caller = Caller::of(app, socket, headers);
    let signed = by_cookie(app, headers, caller, wall_ms()).await?;
    Ok(signed.map(|signed| signed.actor.person))
}

/// Whether one of our own pages made the call: it sends a header that other
/// sites cannot, and an origin that is ours.
pub fn own_page(app: &App, headers: &HeaderMap) -> bool {
    headers.get(MARK).is_some_and(|value| value == "1")
        && origin_allowed(headers, &app.config.server.public_url, &[])
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(AUTHORIZATION)?
        .to_str()
        .ok()?
        .strip_prefix("Bearer ")
}

/// The secret in the cookie.
pub fn cookie(headers: &HeaderMap) -> Option<&str> {
    cookie_named(headers, COOKIE_NAME)
}

/// What a cookie of that name says.
pub fn cookie_named<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == wanted)
        .map(|(_, secret)| secret)
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// What a call asks of an API token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Any token.
    Any,
    /// This scope.
    Scope(Scope),
    /// No token will do: a person must be there.
    Person,
}

/// What a call asks of an API token, by the first words of its route. A route
/// nobody thought of asks for a person.
pub fn scope_of(method: &Method, path: &str) -> Needs {
    let words: Vec<&str> = path
        .strip_prefix("/api/v1/")
        .unwrap_or_default()
        .split('/')
        .filter(|word| !word.starts_with('{'))
        .collect();
    let pick = |read, write| Needs::Scope(if is_safe(method) { read } else { write });
    match words.as_slice() {
        ["me"] => Needs::Any,
        ["units", "report" | "exports", ..] => pick(Scope::AttendanceRead, Scope::AttendanceWrite),
        ["people" | "units", ..] => pick(Scope::PeopleRead, Scope::PeopleWrite),
        ["classes", "summary" | "exports" | "access", ..]
        | [
            "sessions",
            "attendance" | "desk" | "adjustments" | "excuses" | "delegates" | "freeze" | "sites"
            | "exports" | "bundle.zip" | "boards" | "captions.vtt",
            ..,
        ] => pick(Scope::AttendanceRead, Scope::AttendanceWrite),
        // Links are keys to the rooms in other people's names.
        ["classes", "links", ..] | ["sessions", "links" | "preflight" | "notices", ..] => {
            Needs::Scope(Scope::ClassesWrite)
        }
        [
            "classes" | "courses" | "sessions" | "calendar" | "imports",
            ..,
        ] => pick(Scope::ClassesRead, Scope::ClassesWrite),
        // Of recordings a program reads; what is done with them a person does. Who
        // watched is told of people; what was said in the room has a scope of its own.
        ["recordings", "watchers"] if is_safe(method) => Needs::Scope(Scope::AttendanceRead),
        ["recordings", "playback"] if is_safe(method) => Needs::Scope(Scope::RecordingsRead),
        ["recordings", ..] if is_safe(method) => Needs::Scope(Scope::ClassesRead),
        ["my"] => pick(Scope::ClassesRead, Scope::ClassesWrite),
        _ => Needs::Person,
    }
}

/// The staff role somebody in a room has there.
pub(super) fn staff_role(role: Role) -> Option<StaffRole> {
    match role {
        Role::Organiser => Some(StaffRole::Organiser),
        Role::Chair => Some(StaffRole::Chair),
        Role::Trainer => Some(StaffRole::Trainer),
        Role::Adviser => Some(StaffRole::Adviser),
        Role::Technician => Some(StaffRole::Technician),
        Role::Secretary => Some(StaffRole::Secretary),
        Role::Inspector => Some(StaffRole::Observer),
        Role::Learner | Role::Guest => None,
    }
}

/// # Errors
/// `forbidden` for everybody but administrators.
pub fn need_admin(signed: &Signed) -> Result<(), ApiFault> {
    if signed.actor.admin {
        Ok(())
    } else {
        Err(ApiFault::forbidden())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn scopes_follow_the_routes_and_unknown_routes_ask_for_a_person() {
        let read = |path| scope_of(&Method::GET, path);
        let write = |path| scope_of(&Method::POST, path);
        assert_eq!(read("/api/v1/me"), Needs::Any);
        assert_eq!(
            read("/api/v1/classes/{id}"),
            Needs::Scope(Scope::ClassesRead)
        );
        assert_eq!(
            read("/api/v1/classes/{id}/summary"),
            Needs::Scope(Scope::AttendanceRead)
        );
        assert_eq!(
            read("/api/v1/classes/{id}/links"),
            Needs::Scope(Scope::ClassesWrite)
        );
        assert_eq!(
            write("/api/v1/sessions/{id}/freeze"),
            Needs::Scope(Scope::AttendanceWrite)
        );
        assert_eq!(
            write("/api/v1/sessions/{id}/sites/{site}/ticks"),
            Needs::Scope(Scope::AttendanceWrite)
        );
        assert_eq!(
            read("/api/v1/units/{id}/report"),
            Needs::Scope(Scope::AttendanceRead)
        );
        assert_eq!(read("/api/v1/units/{id}"), Needs::Scope(Scope::PeopleRead));
        for (path, scope) in [
            ("/api/v1/recordings", Scope::ClassesRead),
            ("/api/v1/recordings/{id}", Scope::ClassesRead),
            ("/api/v1/recordings/{id}/playback", Scope::RecordingsRead),
            ("/api/v1/recordings/{id}/watchers", Scope::AttendanceRead),
        ] {
            assert_eq!(read(path), Needs::Scope(scope), "{path}");
            assert_eq!(write(path), Needs::Person, "{path}");
        }
        assert_eq!(write("/api/v1/people"), Needs::Scope(Scope::PeopleWrite));
        for path in [
            "/api/v1/accounts",
            "/api/v1/tokens",
            "/api/v1/me/password",
            "/api/v1/new-thing",
            "/elsewhere",
        ] {
            assert_eq!(read(path), Needs::Person, "{path}");
        }
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("xlophoc=no; a=b"));
        assert_eq!(cookie(&headers), None);
        headers.append(COOKIE, HeaderValue::from_static("c=d; lophoc=secret; e=f"));
        assert_eq!(cookie(&headers), Some("secret"));
    }
}
