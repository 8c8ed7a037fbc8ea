//! Errors of the HTTP interface: a code of the protocol and a fitting status.
//! What went wrong inside is logged, never told.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use lophoc_protocol::ErrorCode;
use serde::Serialize;

use crate::auth::TokenError;

/// A refused call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApiError(pub ErrorCode);

#[derive(Serialize)]
struct Body {
    code: ErrorCode,
}

impl ApiError {
    fn status(self) -> StatusCode {
        match self.0 {
            ErrorCode::BadRequest => StatusCode::BAD_REQUEST,
            ErrorCode::Forbidden | ErrorCode::Banned | ErrorCode::Removed | ErrorCode::Denied => {
                StatusCode::FORBIDDEN
            }
            ErrorCode::NotFound => StatusCode::NOT_FOUND,
            ErrorCode::Locked => StatusCode::LOCKED,
            ErrorCode::Expired | ErrorCode::Ended => StatusCode::GONE,
            ErrorCode::TooEarly => StatusCode::TOO_EARLY,
            ErrorCode::TakenOver | ErrorCode::Elsewhere | ErrorCode::Conflict => {
                StatusCode::CONFLICT
            }
            ErrorCode::RateLimited | ErrorCode::SlowMode => StatusCode::TOO_MANY_REQUESTS,
            ErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            ErrorCode::Full
            | ErrorCode::ServerFull
            | ErrorCode::NoRecorder
            | ErrorCode::NoSpace
            | ErrorCode::Busy => StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.status(), Json(Body { code: self.0 })).into_response()
    }
}

impl From<ErrorCode> for ApiError {
    fn from(code: ErrorCode) -> Self {
        Self(code)
    }
}

impl From<TokenError> for ApiError {
    fn from(error: TokenError) -> Self {
        Self(code_of(error))
    }
}

/// The protocol's code for a refused link or token.
pub fn code_of(error: TokenError) -> ErrorCode {
    match error {
        TokenError::Invalid => ErrorCode::Forbidden,
        TokenError::Expired => ErrorCode::Expired,
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Self(ErrorCode::TooLarge),
            _ => Self(ErrorCode::BadRequest),
        }
    }
}
