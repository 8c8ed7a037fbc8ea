//! Pages and files for whoever has the key. Names in the address are compared
//! with the few there can be, never made into a path unseen.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    HeaderName,
};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use lophoc_protocol::ErrorCode;
use lophoc_protocol::limits::MAX_PAGES;
use lophoc_records::MaterialKind;
use tokio::io::AsyncReadExt as _;

use crate::app::App;
use crate::http::api::{limit, stored};
use crate::http::error::ApiError;

/// Length of a key.
const KEY: usize = 24;
/// A file is read in pieces of this size.
const PIECE: usize = 64 * 1024;
/// What is served never changes, belongs to one person's browser, and can do
/// nothing there.
const FIXED: [(HeaderName, HeaderValue); 2] = [
    (
        CACHE_CONTROL,
        HeaderValue::from_static("private, max-age=31536000, immutable"),
    ),
    (
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("sandbox; default-src 'none'"),
    ),
];

const NOTHING: ApiError = ApiError(ErrorCode::NotFound);

/// Whether this can be the key of a material: no path is made of anything else.
pub(super) fn is_key(text: &str) -> bool {
    text.len() == KEY
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// A variant of a page, or its words; of a deck that was taken out of its room no
/// more.
pub(super) async fn page(
    State(app): State<Arc<App>>,
    Path((key, page, name)): Path<(String, u16, String)>,
) -> Result<Response, ApiError> {
    let (name, kind) = match name.as_str() {
        "s.webp" => ("s.webp", "image/webp"),
        "l.webp" => ("l.webp", "image/webp"),
        "text.json" => ("text.json", "application/json"),
        _ => return Err(NOTHING),
    };
    if !is_key(&key) || !(1..=MAX_PAGES).contains(&page) {
        return Err(NOTHING);
    }
    let path = app
        .materials
        .of_key(&key)
        .join("pages")
        .join(page.to_string())
        .join(name);
    // Bounded by what a page may have.
    let bytes = tokio::fs::read(path).await.map_err(|_| NOTHING)?;
    // Only now: nobody asks the records with keys that were guessed.
    let now = app.clock.now().mono_ms;
    let shows = app.materials.shows(&app.store, &key, now).await;
    if !shows.map_err(stored)? {
        return Err(NOTHING);
    }
    Ok((FIXED, [(CONTENT_TYPE, kind)], bytes).into_response())
}

/// A file handed out or in, always as a download.
pub(super) async fn file(
    State(app): State<Arc<App>>,
    ConnectInfo(socket): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Path(key): Path<String>,
) -> Result<Response, ApiError> {
    limit(&app, socket, &headers)?;
    if !is_key(&key) {
        return Err(NOTHING);
    }
    let material = app.store.material_of_key(&key).await.map_err(stored)?;
    let material = material
        .filter(|material| material.kind != MaterialKind::Deck && material.dropped_ms.is_none())
        .ok_or(NOTHING)?;
    let path = app.materials.of_key(&key).join("file");
    let file = tokio::fs::File::open(path).await.map_err(|_| NOTHING)?;
    let pieces = stream::try_unfold(file, |mut file| async move {
        let mut piece = vec![0; PIECE];
        let read = file.read(&mut piece).await?;
        piece.truncate(read);
        let more = (read > 0).then(|| (Bytes::from(piece), file));
        Ok::<_, std::io::Error>(more)
    });
    Ok((
        FIXED,
        [
            (CONTENT_TYPE, "application/octet-stream".to_owned()),
            (CONTENT_DISPOSITION, attachment(&material.name)),
            (CONTENT_LENGTH, material.bytes.to_string()),
        ],
        Body::from_stream(pieces),
    )
        .into_response())
}

/// `attachment` with the name in both spellings (RFC 6266, RFC 5987).
fn attachment(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| match c {
            '"' | '\\' => '_',
            c if c.is_ascii_graphic() || c == ' ' => c,
            _ => '_',
        })
        .collect();
    let mut coded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            coded.push(char::from(byte));
        } else {
            coded.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{coded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_as_they_were_and_break_no_header() {
        assert_eq!(
            attachment("Phiếu học.docx"),
            "attachment; filename=\"Phi_u h_c.docx\"; filename*=UTF-8''Phi%E1%BA%BFu%20h%E1%BB%8Dc.docx"
        );
        let bad = attachment("a\"; x=\"\\\r\n.html");
        assert!(
            !bad.contains(['\r', '\n', '\\']) && bad.matches('"').count() == 2,
            "{bad}"
        );
    }

    #[test]
    fn only_keys_are_keys() {
        assert!(is_key("AZaz09-_AZaz09-_AZaz09-_"));
        for wrong in [
            "",
            "..",
            "../../../../../etc/passw",
            "AZaz09-_AZaz09-_AZaz09-_x",
            "é2345678901234567890123",
        ] {
            assert!(!is_key(wrong), "{wrong}");
        }
    }
}
