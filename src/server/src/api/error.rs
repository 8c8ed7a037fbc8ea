//! Errors of `/api/v1`: a status and an [`ErrorBody`]. What went wrong inside
//! goes to the log, never to the caller.

use std::collections::BTreeMap;

use axum::Json;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use lophoc_classes::{Day, ErrorBody, StepRefused};
use lophoc_records::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::{PasswordError, TokenError};
use crate::random::NoRandomness;

/// A refused call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiFault {
    status: StatusCode,
    body: Box<ErrorBody>,
}

/// The body of every refusal.
#[derive(Debug, Serialize, ToSchema)]
pub struct Refusal {
    /// What went wrong.
    pub error: ErrorBody,
}

impl ApiFault {
    /// A refusal with nothing but a code of [`ErrorBody::code`].
    pub fn new(status: StatusCode, code: &'static str) -> Self {
        Self {
            status,
            body: Box::new(ErrorBody {
                code: code.to_owned(),
                fields: BTreeMap::new(),
                step: None,
                until: None,
                after_ms: None,
            }),
        }
    }

    /// The call makes no sense.
    pub fn bad() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "badRequest")
    }

    /// One field is wrong: `required`, `tooLong`, `badValue`, `taken`, `unknown`.
    pub fn field(name: impl Into<String>, code: &str) -> Self {
        Self::fields([(name.into(), code.to_owned())].into())
    }

    /// Fields are wrong: name → code.
    pub fn fields(fields: BTreeMap<String, String>) -> Self {
        let mut fault = Self::bad();
        fault.body.fields = fields;
        fault
    }

    /// Nobody is signed in, or no longer.
    pub fn sign_in() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "signIn")
    }

    /// Login or password is wrong; which one is not told.
    pub fn wrong_password() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "wrongPassword")
    }

    /// The account is locked by somebody, or, with a time, by wrong passwords.
    pub fn account_locked(after_ms: Option<u64>) -> Self {
        Self::new(StatusCode::LOCKED, "accountLocked").after(after_ms)
    }

    /// The first password must be changed before anything else.
    pub fn must_change() -> Self {
        Self::new(StatusCode::FORBIDDEN, "mustChange")
    }

    /// The asker may not.
    pub fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden")
    }

    /// There is no such thing.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "notFound")
    }

    /// Somebody else changed it in the meantime: load anew.
    pub fn conflict() -> Self {
        Self::new(StatusCode::CONFLICT, "conflict")
    }

    /// The state does not allow it.
    pub fn refused(step: Option<StepRefused>) -> Self {
        let mut fault = Self::new(StatusCode::CONFLICT, "refused");
        fault.body.step = step;
        fault
    }

    /// Kept by law until a day.
    pub fn protected(until: Option<Day>) -> Self {
        let mut fault = Self::new(StatusCode::CONFLICT, "protected");
        fault.body.until = until;
        fault
    }

    /// The body is larger than this call takes.
    pub fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "tooLarge")
    }

    /// Too many calls.
    pub fn rate_limited(after_ms: Option<u64>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "rateLimited").after(after_ms)
    }

    /// The server has too much to do; the same call may succeed later.
    pub fn busy() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy")
    }

    /// A fault of the server.
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal")
    }

    /// The code.
    pub fn code(&self) -> &str {
        &self.body.code
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    fn after(mut self, after_ms: Option<u64>) -> Self {
        self.body.after_ms = after_ms;
        self
    }
}

impl IntoResponse for ApiFault {
    fn into_response(self) -> Response {
        let wait = self.body.after_ms;
        let mut response = (self.status, Json(Refusal { error: *self.body })).into_response();
        if let Some(ms) = wait {
            let seconds = HeaderValue::from(ms.div_ceil(1_000));
            response.headers_mut().insert(RETRY_AFTER, seconds);
        }
        response
    }
}

impl From<StoreError> for ApiFault {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Taken(field) => {
                let mut fault = Self::field(field, "taken");
                fault.status = StatusCode::CONFLICT;
                fault
            }
            StoreError::Unknown(field) => Self::field(field, "unknown"),
            StoreError::Stale => Self::conflict(),
            StoreError::Refused(why) => Self::refused(Some(why)),
            StoreError::Protected(until) => Self::protected(Some(until)),
            StoreError::TooMany(field) => Self::field(field, "tooLong"),
            StoreError::UnknownClass(_) | StoreError::UnknownSession(_) => Self::not_found(),
            StoreError::SessionEnded(_) => Self::refused(None),
            StoreError::Busy | StoreError::Full | StoreError::Stopped => {
                tracing::warn!(%error, "the store refused a call");
                Self::busy()
            }
            error => {
                tracing::error!(%error, "the store failed a call");
                Self::internal()
            }
        }
    }
}

impl From<NoRandomness> for ApiFault {
    fn from(error: NoRandomness) -> Self {
        tracing::error!(%error, "a call failed");
        Self::internal()
    }
}

impl From<TokenError> for ApiFault {
    /// A room token that is no good: come into the room again.
    fn from(_: TokenError) -> Self {
        Self::sign_in()
    }
}

impl From<PasswordError> for ApiFault {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Weak(code) => Self::field("new", code),
            PasswordError::Busy => Self::busy(),
            PasswordError::Failed => {
                tracing::error!(%error, "a call failed");
                Self::internal()
            }
        }
    }
}
