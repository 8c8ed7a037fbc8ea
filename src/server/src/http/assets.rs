//! The browser client, built into the binary.

use std::sync::OnceLock;

use axum::body::Body;
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use dashmap::DashMap;
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::{EmbeddedFile, RustEmbed};

/// Folder of hashed files: the name changes with the content.
const HASHED: &str = "assets/";

#[derive(RustEmbed)]
#[folder = "../../web-client/dist"]
#[allow_missing = true]
struct Client;

/// Compressed copies, made at the first request; as many as there are files.
fn compressed() -> &'static DashMap<String, Bytes> {
    static COPIES: OnceLock<DashMap<String, Bytes>> = OnceLock::new();
    COPIES.get_or_init(DashMap::new)
}

/// Whether a client was built into this binary.
pub fn built() -> bool {
    Client::get("index.html").is_some()
}

/// A file of the client, or its page for the addresses the client handles itself.
pub async fn serve(uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    if let Some(file) = Client::get(path).filter(|_| !path.is_empty()) {
        return answer(path, file, &headers);
    }
    let known = is_page(path);
    // Somebody who mistyped an address is told so by the client, in words.
    let part = path.starts_with(HASHED) || path.starts_with("api/");
    if !known && (part || !wants_page(&headers)) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let mut response = match Client::get("index.html") {
        Some(file) => answer("index.html", file, &headers),
        None => unbuilt(),
    };
    if !known {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    response
}

/// A person looks at an address, no program fetches a part.
fn wants_page(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains("text/html"))
}

/// First parts of the addresses that are pages of the client, as its router has them.
const PAGES: [&str; 17] = [
    "account",
    "accounts",
    "calendar",
    "check",
    "classes",
    "dev",
    "j",
    "my",
    "people",
    "preflight",
    "r",
    "recordings",
    "reports",
    "sessions",
    "sign-in",
    "units",
    "verify",
];

/// Addresses that are pages of the client: `/`, `/j/<link>`, `/classes/…`.
fn is_page(path: &str) -> bool {
    let first = path.split('/').next().unwrap_or_default();
    path.is_empty() || path == "index.html" || PAGES.contains(&first)
}

fn answer(path: &str, file: EmbeddedFile, headers: &HeaderMap) -> Response {
    let kind = file.metadata.mimetype();
    let shrinks = kind.starts_with("text/")
        || kind.contains("javascript")
        || kind.contains("json")
        || kind.contains("svg")
        || kind == "application/wasm";
    let mut response = if shrinks && wants_gzip(headers) {
        let body = zipped(path, &file);
        (
            [(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"))],
            Body::from(body),
        )
            .into_response()
    } else {
        Body::from(file.data.into_owned()).into_response()
    };
    let caching = if path.starts_with(HASHED) {
        "public, max-age=31536000, immutable"
    } else {
        "no-store"
    };
    let out = response.headers_mut();
    if let Ok(kind) = HeaderValue::from_str(&with_charset(kind)) {
        out.insert(header::CONTENT_TYPE, kind);
    }
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    response
}

fn with_charset(kind: &str) -> String {
    if kind.starts_with("text/") {
        format!("{kind}; charset=utf-8")
    } else {
        kind.to_owned()
    }
}

fn wants_gzip(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| {
            value
                .split(',')
                .any(|coding| coding.trim().split(';').next() == Some("gzip"))
        })
}

fn zipped(path: &str, file: &EmbeddedFile) -> Bytes {
    use std::io::Write as _;
    // In debug builds files come from the disk and change: the hash tells.
    let key = format!("{path}:{:x?}", file.metadata.sha256_hash());
    if let Some(copy) = compressed().get(&key) {
        return copy.clone();
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let packed: Bytes = match encoder
        .write_all(&file.data)
        .and_then(|()| encoder.finish())
    {
        Ok(packed) => packed.into(),
        Err(_) => return Bytes::new(),
    };
    if !cfg!(debug_assertions) {
        compressed().insert(key, packed.clone());
    }
    packed
}

fn unbuilt() -> Response {
    let page = include_str!("unbuilt.html");
    (
        StatusCode::SERVICE_UNAVAILABLE,
        [(header::CONTENT_TYPE, "text/html; charset=utf-8")],
        page,
    )
        .into_response()
}
