//! What handlers take from a request: bodies, queries, path parts, the address.
//! Each refuses in the shape of `/api/v1`.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

use super::error::ApiFault;
use crate::app::App;
use crate::http::client_address;

/// A JSON body. Wrong fields are named in the refusal. Nesting is bounded by
/// the parser, the size by the limit of the route.
#[derive(Debug, Clone)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Body<T> {
    type Rejection = ApiFault;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, ApiFault> {
        if !is_json(request.headers()) {
            return Err(ApiFault::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "badRequest",
            ));
        }
        let bytes = raw(request, app).await?;
        parse(&bytes).map(Self)
    }
}

/// The bytes of a body within the limit of the route.
pub async fn raw(request: Request, app: &Arc<App>) -> Result<Bytes, ApiFault> {
    Bytes::from_request(request, app)
        .await
        .map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => ApiFault::too_large(),
            _ => ApiFault::bad(),
        })
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiFault> {
    // The NUL character is in no text of ours and databases stumble over it.
    if bytes.windows(6).any(|window| window == b"\\u0000") {
        return Err(ApiFault::bad());
    }
    let mut from = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut from).map_err(|error| wrong_field(&error))?;
    from.end().map_err(|_| ApiFault::bad())?;
    Ok(value)
}

/// The field the parser stumbled over.
fn wrong_field(error: &serde_path_to_error::Error<serde_json::Error>) -> ApiFault {
    if !error.inner().is_data() {
        return ApiFault::bad();
    }
    let path = error.path().to_string();
    let path = if path == "." { String::new() } else { path };
    let told = error.inner().to_string();
    let missing = told
        .strip_prefix("missing field `")
        .and_then(|rest| rest.split('`').next());
    match missing {
        Some(name) if path.is_empty() => ApiFault::field(name, "required"),
        Some(name) => ApiFault::field(format!("{path}.{name}"), "required"),
        None if path.is_empty() => ApiFault::bad(),
        None => ApiFault::field(path, "badValue"),
    }
}

/// The query of an address.
#[derive(Debug, Clone)]
pub struct Ask<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<Arc<App>> for Ask<T> {
    type Rejection = ApiFault;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiFault> {
        Query::<T>::from_request_parts(parts, app)
            .await
            .map(|Query(query)| Self(query))
            .map_err(|_| ApiFault::bad())
    }
}

/// The variable parts of the path. What is no text is an id nobody has.
#[derive(Debug, Clone)]
pub struct At<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<App>> for At<T> {
    type Rejection = ApiFault;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiFault> {
        Path::<T>::from_request_parts(parts, app)
            .await
            .map(|Path(path)| Self(path))
            .map_err(|_| ApiFault::not_found())
    }
}

/// Where the call comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// The client's address, past trusted proxies.
    pub address: IpAddr,
    /// Its port; 0 behind a proxy, which alone knows it.
    pub port: u16,
}

impl Caller {
    /// From the socket and what trusted proxies told.
    pub fn of(app: &App, socket: SocketAddr, headers: &HeaderMap) -> Self {
        let address = client_address(socket, headers, &app.config.server.trusted_proxies);
        let direct = socket.ip().to_canonical() == address;
        Self {
            address,
            port: if direct { socket.port() } else { 0 },
        }
    }
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = ApiFault;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiFault> {
        let ConnectInfo(socket) = ConnectInfo::<SocketAddr>::from_request_parts(parts, app)
            .await
            .map_err(|_| ApiFault::internal())?;
        Ok(Self::of(app, socket, &parts.headers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lophoc_classes::{NewApiToken, SignIn};

    fn fault<T: DeserializeOwned + std::fmt::Debug>(text: &[u8]) -> ApiFault {
        parse::<T>(text).unwrap_err()
    }

    #[test]
    fn wrong_fields_are_named() {
        assert_eq!(
            fault::<SignIn>(br#"{"login":"a"}"#),
            ApiFault::field("password", "required")
        );
        assert_eq!(
            fault::<SignIn>(br#"{"login":1,"password":""}"#),
            ApiFault::field("login", "badValue")
        );
        assert_eq!(
            fault::<NewApiToken>(br#"{"label":"x","scopes":["peopleRead","none"],"days":1}"#),
            ApiFault::field("scopes[1]", "badValue")
        );
    }

    #[test]
    fn bodies_that_are_no_json_are_refused_as_a_whole() {
        let deep = "[".repeat(100_000);
        for text in [
            b"".as_slice(),
            b"{",
            b"{\"login\":\"\xff\",\"password\":\"\"}",
            b"{\"login\":\"a\\u0000\",\"password\":\"\"}",
            b"{\"login\":\"a\0\",\"password\":\"\"}",
            b"{\"login\":\"a\",\"password\":\"\"} {}",
        ] {
            assert_eq!(fault::<SignIn>(text), ApiFault::bad());
        }
        let mut nested = b"{\"login\":".to_vec();
        nested.extend_from_slice(deep.as_bytes());
        assert_eq!(
            fault::<serde_json::Value>(deep.as_bytes()).code(),
            "badRequest"
        );
        assert_eq!(fault::<SignIn>(&nested).code(), "badRequest");
    }
}
