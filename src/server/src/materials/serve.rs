//! Pages and files for whoever has the key. Names in the address are compared
//! with the few there can be, never made into a path unseen.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Path, Query, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    HeaderName,
};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream::{self, Stream};
use lophoc_protocol::ErrorCode;
use lophoc_protocol::limits::MAX_PAGES;
use lophoc_records::MaterialKind;
use serde::Deserialize;
use tokio::io::AsyncReadExt as _;
use tokio::time::Instant;

use crate::app::App;
use crate::http::api::{limit, stored};
use crate::http::error::ApiError;

/// Length of a key.
const KEY: usize = 24;
/// A file is read in pieces of this size.
const PIECE: usize = 64 * 1024;
/// A paced page is sent in pieces of this size, bytes.
const SMALL_PIECE: usize = 700;
/// Slowest and fastest pace that can be asked for, kbit/s. The slowest still brings
/// the largest small page within 20 s.
const SLOWEST: u16 = 16;
const FASTEST: u16 = 1_000;
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
    Query(asked): Query<Asked>,
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
    let length = bytes.len();
    let body = match asked.kbps {
        Some(kbps) => Body::from_stream(paced(bytes.into(), kbps)),
        None => Body::from(bytes),
    };
    let kind = [
        (CONTENT_TYPE, kind.to_owned()),
        (CONTENT_LENGTH, length.to_string()),
    ];
    Ok((FIXED, kind, body).into_response())
}

/// How somebody wants a page.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    /// No faster than so many kbit/s.
    kbps: Option<u16>,
}

/// The bytes in small pieces, so that on a weak link speech comes in between: sent
/// at once they fill every queue on the way, and sound waits behind them for
/// seconds.
fn paced(bytes: Bytes, kbps: u16) -> impl Stream<Item = Result<Bytes, Infallible>> {
    stream::unfold((bytes, Instant::now()), move |(mut rest, due)| async move {
        if rest.is_empty() {
            return None;
        }
        tokio::time::sleep_until(due).await;
        let piece = rest.split_to(rest.len().min(SMALL_PIECE));
        let due = due + takes(piece.len(), kbps);
        Some((Ok(piece), (rest, due)))
    })
}

/// How long so many bytes take.
fn takes(bytes: usize, kbps: u16) -> Duration {
    let kbps = u64::from(kbps.clamp(SLOWEST, FASTEST));
    Duration::from_micros(bytes as u64 * 8_000 / kbps)
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
pub(crate) fn attachment(name: &str) -> String {
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
    use futures_util::StreamExt as _;

    use super::*;

    #[tokio::test]
    async fn a_paced_page_takes_its_time_and_is_whole() {
        let page: Vec<u8> = (0..14_000u32).map(|n| n as u8).collect();
        let began = Instant::now();
        let pieces: Vec<Bytes> = paced(page.clone().into(), 1_000)
            .map(|piece| piece.unwrap_or_default())
            .collect()
            .await;
        assert_eq!(pieces.concat(), page);
        assert!(pieces.iter().all(|piece| piece.len() <= SMALL_PIECE));
        // 112,000 bits, the last piece not waited for.
        assert!(began.elapsed() >= Duration::from_millis(106));
    }

    #[test]
    fn a_pace_has_bounds() {
        assert_eq!(takes(700, 28), Duration::from_millis(200));
        assert_eq!(takes(700, 0), takes(700, SLOWEST));
        assert_eq!(takes(700, u16::MAX), takes(700, FASTEST));
    }

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
