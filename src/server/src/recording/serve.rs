//! Bytes of recordings for whoever has a signed address, as long as he may have
//! them. Names in the address are compared with what there is, never made into a
//! path unseen.

use std::fs::File;
use std::net::SocketAddr;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Path, Query, State};
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, IF_RANGE, RANGE,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use futures_util::stream;
use lophoc_classes::{RecordingFilm, RecordingState};
use lophoc_recording::scan::Index;
use lophoc_recording::served::{ByteRange, Piece, VirtualFile, file_cuts};
use lophoc_recording::{RecordingId, Span};
use lophoc_records::{MaterialKind, StoreError, StoredObject};
use serde::Deserialize;

use super::access::{may_download, may_watch};
use super::cues;
use super::files::{OUT, SOUND, plain_file};
use super::films;
use super::keep::KeepError;
use super::show::{Whole, shows_page, title_of, typed_captions, whole};
use super::stills::is_still;
use crate::app::App;
use crate::auth::{MediaAddress, ROOM_WATCH, RoomWatchClaims, Viewer};
use crate::clock::wall_ms;
use crate::http::client_address;

/// A file is read and sent in pieces of this size.
const PIECE: u64 = 256 * 1024;
/// After so many bytes it is looked whether they may still be had.
const LOOK_EVERY: u64 = 4 * 1024 * 1024;
/// Longest name of a file, bytes.
const MAX_NAME: usize = 120;

/// The route.
pub fn router() -> Router<Arc<App>> {
    Router::new().route("/media/recordings/{id}/{file}", get(bytes_of))
}

/// What stands behind the address.
#[derive(Debug, Deserialize)]
struct Signed {
    e: u64,
    v: String,
    s: String,
    /// As a file to keep.
    #[serde(default)]
    download: bool,
}

const VIDEO: &str = "video/mp4";
const FORBIDDEN: StatusCode = StatusCode::FORBIDDEN;
const NOTHING: StatusCode = StatusCode::NOT_FOUND;

fn failed(error: &KeepError) -> StatusCode {
    tracing::warn!(%error, "bytes of a recording cannot be served");
    StatusCode::SERVICE_UNAVAILABLE
}

/// What is behind a name.
enum Found {
    /// A file of media as it is shown.
    Media { file: String, shown: VirtualFile },
    /// Another file of the disk, from beginning to end.
    Plain(PathBuf, &'static str),
    /// The film, here or in the storage.
    Film(RecordingFilm),
    /// A text.
    Text(String),
}

async fn bytes_of(
    State(app): State<Arc<App>>,
    ConnectInfo(socket): ConnectInfo<SocketAddr>,
    method: Method,
    headers: HeaderMap,
    Path((id, file)): Path<(String, String)>,
    Query(signed): Query<Signed>,
) -> Result<Response, StatusCode> {
    let Some(id) = RecordingId::new(&id).filter(|_| file.len() <= MAX_NAME) else {
        return Err(FORBIDDEN);
    };
    let viewer = Viewer::read(&signed.v).ok_or(FORBIDDEN)?;
    let address = client_address(socket, &headers, &app.config.server.trusted_proxies);
    if !app.keep.rate.take(address, app.clock.now().mono_ms) {
        app.metrics.limited.inc();
        return Err(StatusCode::TOO_MANY_REQUESTS);
    }
    let recording = app
        .store
        .recording(id.as_str())
        .await
        .map_err(|error| failed(&error.into()))?
        .ok_or(FORBIDDEN)?;
    let now = wall_ms();
    let address = MediaAddress {
        recording: id.as_str(),
        file: &file,
        viewer: &signed.v,
        expires_ms: signed.e,
        withdrawn: recording.withdrawn,
    };
    if !address.is_signed(&app.keys, &signed.s, now) {
        return Err(FORBIDDEN);
    }
    allowed(&app, socket, &headers, &viewer, &recording, now).await?;
    if signed.download
        && !may_download(&app, &viewer, &recording, now)
            .await
            .map_err(|error| failed(&error.into()))?
    {
        return Err(FORBIDDEN);
    }
    let title = title_of(&recording).to_owned();
    let withdrawn = recording.withdrawn;
    let whole = whole(&app, recording)
        .await
        .map_err(|error| failed(&error))?;
    // Others are left out since the address was made.
    if whole.recording.withdrawn != withdrawn {
        return Err(FORBIDDEN);
    }
    let watch = Watch::of(&app, &whole.recording, viewer);
    let found = find(&app, &id, whole, &file)
        .await
        .map_err(|error| failed(&error))?
        .ok_or(NOTHING)?;
    let tag = format!("\"{}\"", signed.s);
    if headers
        .get(IF_NONE_MATCH)
        .is_some_and(|known| known == tag.as_str())
        && !signed.download
    {
        return Ok((StatusCode::NOT_MODIFIED, [(ETAG, tag)]).into_response());
    }
    let wanted = Wanted {
        range: range_of(&headers, &tag),
        head_only: method == Method::HEAD,
        tag,
    };
    let mut response = match found {
        Found::Media { file, shown } => media(&app, &id, file, shown, &wanted, watch).await,
        Found::Plain(path, kind) => plain(path, kind, &wanted, watch).await,
        Found::Film(film) => {
            let source = Source::Remote(Arc::clone(&app), id.clone(), films::object(&film.file));
            Ok(from_end_to_end(source, film.bytes, VIDEO, &wanted, watch))
        }
        Found::Text(text) => Ok(whole_text(text)),
    }
    .map_err(|error| failed(&error))?;
    let out = response.headers_mut();
    // Whether he may is asked each time: no browser keeps it for whoever is next.
    out.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    out.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("sandbox; default-src 'none'"),
    );
    if signed.download {
        let ending = file.rsplit('.').next().unwrap_or_default();
        let name = crate::materials::attachment(&format!("{title}.{ending}"));
        if let Ok(value) = HeaderValue::from_str(&name) {
            out.insert(CONTENT_DISPOSITION, value);
        }
    }
    Ok(response)
}

/// Whether he may have bytes now: the signature alone is not enough, a right may
/// have ended since. The address of somebody signed in is good with his cookie.
async fn allowed(
    app: &Arc<App>,
    socket: SocketAddr,
    headers: &HeaderMap,
    viewer: &Viewer,
    recording: &lophoc_records::Recording,
    now: u64,
) -> Result<(), StatusCode> {
    if let Viewer::Person(person) = viewer {
        let signed = crate::api::person_with_cookie(app, headers, socket)
            .await
            .map_err(|_| FORBIDDEN)?;
        if signed.as_ref() != Some(person) {
            return Err(FORBIDDEN);
        }
    }
    if let Viewer::Room(person) = viewer {
        let text = crate::api::cookie_named(headers, ROOM_WATCH).ok_or(FORBIDDEN)?;
        if !RoomWatchClaims::holds(&app.keys, text, &recording.id, person, now) {
            return Err(FORBIDDEN);
        }
    }
    match still_may(app, viewer, recording, now).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(FORBIDDEN),
        Err(error) => Err(failed(&error.into())),
    }
}

/// Whether a viewer has the right now; what was found a moment ago counts.
async fn still_may(
    app: &App,
    viewer: &Viewer,
    recording: &lophoc_records::Recording,
    now: u64,
) -> Result<bool, StoreError> {
    let mono = app.clock.now().mono_ms;
    let (id, withdrawn) = (&recording.id, recording.withdrawn);
    let passed = match viewer {
        // Its end is looked at each time.
        Viewer::Link(until) if *until <= now => return Ok(false),
        _ => app.keep.is_trusted(id, viewer, withdrawn, mono),
    };
    if passed {
        return Ok(true);
    }
    let may = may_watch(app, viewer, recording, now).await?;
    if may {
        app.keep.trust(id, viewer, withdrawn, mono);
    }
    Ok(may)
}

async fn find(
    app: &Arc<App>,
    id: &RecordingId,
    whole: Whole,
    name: &str,
) -> Result<Option<Found>, KeepError> {
    if name == whole.film() {
        let here = app.keep.files.of(id).join(OUT).join(name);
        return Ok(match tokio::fs::try_exists(&here).await? {
            true => Some(Found::Plain(here, VIDEO)),
            false => films::there(app, &whole).await?.map(Found::Film),
        });
    }
    if is_still(&whole.mark(), name) {
        let here = app.keep.files.of(id).join(OUT).join(name);
        return Ok(Some(Found::Plain(here, "image/webp")));
    }
    if let Some(lang) = name
        .strip_prefix("captions.")
        .and_then(|rest| rest.strip_suffix(".vtt"))
    {
        let text = app
            .store
            .recording_caption(&whole.recording.id, lang)
            .await?;
        let cuts = whole.cuts.spans();
        return Ok(text.map(|text| Found::Text(cues::without(&text, &cuts))));
    }
    if let Some(lang) = name
        .strip_prefix("typed.")
        .and_then(|rest| rest.strip_suffix(".vtt"))
    {
        return Ok(typed_captions(app, &whole, lang).await?.map(Found::Text));
    }
    if let Some(rest) = name.strip_prefix("page.") {
        return page(app, &whole, rest).await;
    }
    let Some((clusters, file)) = name.split_once('.') else {
        return Ok(None);
    };
    let Ok(clusters) = clusters.parse::<usize>() else {
        return Ok(None);
    };
    // The files there are, with their places in time; nothing else is opened.
    let start = if file == SOUND {
        Some(0)
    } else {
        whole
            .timeline
            .iter()
            .flat_map(|timeline| timeline.segments.values())
            .filter(|segment| {
                segment.opened.track.is_picture()
                    && !whole.unrecorded().contains(&segment.opened.person)
            })
            .find(|segment| segment.opened.file == file)
            .map(|segment| segment.opened.start_ms)
    };
    let Some(start) = start else { return Ok(None) };
    let spans = file_cuts(&whole.cuts, start);
    let (app, id, file) = (Arc::clone(app), id.clone(), file.to_owned());
    let task = move || -> Result<Option<Found>, KeepError> {
        if file == SOUND && !whole.has_its_sound(&app, &id)? {
            return Ok(None);
        }
        let Some(index) = app.keep.files.readable_index(&id, &file)? else {
            return Ok(None);
        };
        Ok(first(&index, clusters, &spans).map(|shown| Found::Media { file, shown }))
    };
    tokio::task::spawn_blocking(task).await?
}

/// The first so many clusters of a file without what is cut.
fn first(index: &Index, clusters: usize, cuts: &[Span]) -> Option<VirtualFile> {
    let next = match index.clusters.get(clusters) {
        None => return VirtualFile::new(index, cuts),
        Some(next) => next,
    };
    let mut part = index.clone();
    part.clusters.truncate(clusters);
    part.bytes = next.offset;
    part.end_ms = next.time_ms;
    VirtualFile::new(&part, cuts)
}

/// A page that was shown: `<deck>.<page>.<l or s>.webp`.
async fn page(app: &Arc<App>, whole: &Whole, rest: &str) -> Result<Option<Found>, KeepError> {
    let mut parts = rest.rsplitn(4, '.');
    let (Some("webp"), Some(size), Some(page), Some(deck)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Ok(None);
    };
    let (Ok(page), true) = (page.parse::<u16>(), matches!(size, "l" | "s")) else {
        return Ok(None);
    };
    if !shows_page(app, whole, deck, page).await? {
        return Ok(None);
    }
    let materials = app.store.materials(&whole.recording.session).await?;
    let key = materials
        .into_iter()
        .find(|one| one.id == deck && one.kind == MaterialKind::Deck)
        .map(|one| one.key);
    Ok(key.map(|key| Found::Plain(app.materials.page_of(&key, page, size == "s"), "image/webp")))
}

fn whole_text(text: String) -> Response {
    ([(CONTENT_TYPE, "text/vtt; charset=utf-8")], text).into_response()
}

/// What of it is asked for.
struct Wanted {
    range: Option<Asked>,
    head_only: bool,
    tag: String,
}

/// A range as it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// From there to there, the last byte included.
    From(u64, Option<u64>),
    /// So many at the end.
    Last(u64),
}

/// One range; several, or something that is none, count as the whole, and so does a
/// range of another version.
fn range_of(headers: &HeaderMap, tag: &str) -> Option<Asked> {
    if let Some(version) = headers.get(IF_RANGE)
        && version.as_bytes() != tag.as_bytes()
    {
        return None;
    }
    let text = headers.get(RANGE)?.to_str().ok()?;
    let (from, to) = text.strip_prefix("bytes=")?.split_once('-')?;
    match (from.trim(), to.trim()) {
        ("", last) => last.parse().ok().map(Asked::Last),
        (from, "") => from.parse().ok().map(|from| Asked::From(from, None)),
        (from, to) => Some(Asked::From(from.parse().ok()?, Some(to.parse().ok()?))),
    }
}

/// First byte and the one after the last; `Err`: none of it is there.
fn within(asked: Option<Asked>, total: u64) -> Result<(u64, u64), ()> {
    match asked {
        None => Ok((0, total)),
        Some(Asked::Last(count)) if count > 0 && total > 0 => {
            Ok((total.saturating_sub(count), total))
        }
        Some(Asked::From(from, to)) if from < total && to.is_none_or(|to| to >= from) => {
            Ok((from, to.map_or(total, |to| to.saturating_add(1).min(total))))
        }
        Some(_) => Err(()),
    }
}

fn headed(kind: &str, wanted: &Wanted, (from, to): (u64, u64), total: u64, body: Body) -> Response {
    let status = match wanted.range {
        Some(_) => StatusCode::PARTIAL_CONTENT,
        None => StatusCode::OK,
    };
    let body = if wanted.head_only {
        Body::empty()
    } else {
        body
    };
    let mut response = (status, body).into_response();
    let mut put = |name, text: &str| {
        if let Ok(value) = HeaderValue::from_str(text) {
            response.headers_mut().insert(name, value);
        }
    };
    put(CONTENT_TYPE, kind);
    put(ACCEPT_RANGES, "bytes");
    put(ETAG, &wanted.tag);
    put(CONTENT_LENGTH, &(to - from).to_string());
    if wanted.range.is_some() {
        let last = to.saturating_sub(1);
        put(CONTENT_RANGE, &format!("bytes {from}-{last}/{total}"));
    }
    response
}

fn outside(total: u64) -> Response {
    let mut response = StatusCode::RANGE_NOT_SATISFIABLE.into_response();
    if let Ok(value) = HeaderValue::from_str(&format!("bytes */{total}")) {
        response.headers_mut().insert(CONTENT_RANGE, value);
    }
    response
}

/// Looks again while bytes flow: what was withdrawn meanwhile ends, and so does the
/// right of a viewer.
struct Watch {
    app: Arc<App>,
    recording: String,
    withdrawn: u32,
    viewer: Viewer,
    /// Bytes between two looks.
    every: u64,
    /// Bytes until the next look.
    left: u64,
}

impl Watch {
    fn of(app: &Arc<App>, recording: &lophoc_records::Recording, viewer: Viewer) -> Self {
        let every = match recording.state {
            // The right ends with leaving the room.
            RecordingState::Recording => PIECE,
            _ => LOOK_EVERY,
        };
        Self {
            app: Arc::clone(app),
            recording: recording.id.clone(),
            withdrawn: recording.withdrawn,
            viewer,
            every,
            left: every,
        }
    }

    /// # Errors
    /// It was withdrawn, or the viewer may not have it any more.
    async fn pass(&mut self, bytes: u64) -> std::io::Result<()> {
        if let Some(left) = self.left.checked_sub(bytes) {
            self.left = left;
            return Ok(());
        }
        self.left = self.every;
        let now = self.app.store.recording(&self.recording).await;
        let now = now.map_err(std::io::Error::other)?;
        let there = now.filter(|one| one.withdrawn == self.withdrawn && one.state.is_there());
        let may = match there {
            Some(one) => still_may(&self.app, &self.viewer, &one, wall_ms())
                .await
                .map_err(std::io::Error::other)?,
            None => false,
        };
        match may {
            true => Ok(()),
            false => Err(std::io::ErrorKind::PermissionDenied.into()),
        }
    }
}

/// A part of an answer.
enum Part {
    Bytes(Bytes),
    File(ByteRange),
}

async fn media(
    app: &Arc<App>,
    id: &RecordingId,
    file: String,
    shown: VirtualFile,
    wanted: &Wanted,
    watch: Watch,
) -> Result<Response, KeepError> {
    let Ok((from, to)) = within(wanted.range, shown.total) else {
        return Ok(outside(shown.total));
    };
    let mut parts = Vec::new();
    for piece in shown.read(from, to) {
        match piece {
            Piece::Head(bytes) => parts.push(Part::Bytes(Bytes::copy_from_slice(bytes))),
            Piece::File(range) => {
                let mut at = range.offset;
                let end = range.offset.saturating_add(range.len);
                while at < end {
                    let len = PIECE.min(end - at);
                    parts.push(Part::File(ByteRange { offset: at, len }));
                    at += len;
                }
            }
        }
    }
    let path = app.keep.files.of(id).join(&file);
    let source = match tokio::task::spawn_blocking(move || File::open(path)).await? {
        Ok(file) => Source::Local(Arc::new(file)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && app.keep.remote.is_some() => {
            // Somebody is left out since: what lies there still holds him.
            let objects = app.store.recording_objects(id.as_str()).await?;
            let holds =
                |object: &&StoredObject| object.file == file && object.verified_ms.is_some();
            if file == SOUND && !objects.iter().any(|object| holds(&object)) {
                return Err(error.into());
            }
            Source::Remote(Arc::clone(app), id.clone(), file)
        }
        Err(error) => return Err(error.into()),
    };
    let body = stream::unfold(
        (parts.into_iter(), source, watch),
        |(mut parts, source, mut watch)| async move {
            let bytes = match parts.next()? {
                Part::Bytes(bytes) => Ok(bytes),
                Part::File(range) => match watch.pass(range.len).await {
                    Ok(()) => source.read(range).await,
                    Err(error) => Err(error),
                },
            };
            // After a failure nothing follows: the length tells that it is not whole.
            if bytes.is_err() {
                parts = Vec::new().into_iter();
            }
            Some((bytes, (parts, source, watch)))
        },
    );
    Ok(headed(
        shown.mime(),
        wanted,
        (from, to),
        shown.total,
        Body::from_stream(body),
    ))
}

/// Where original bytes come from.
enum Source {
    Local(Arc<File>),
    Remote(Arc<App>, RecordingId, String),
}

impl Source {
    async fn read(&self, range: ByteRange) -> std::io::Result<Bytes> {
        match self {
            Self::Local(file) => {
                let file = Arc::clone(file);
                let read = move || {
                    let mut bytes = vec![0; usize::try_from(range.len).unwrap_or(0)];
                    file.read_exact_at(&mut bytes, range.offset)?;
                    Ok(Bytes::from(bytes))
                };
                tokio::task::spawn_blocking(read)
                    .await
                    .unwrap_or_else(|_| Err(std::io::ErrorKind::Interrupted.into()))
            }
            Self::Remote(app, id, name) => match &app.keep.remote {
                Some(remote) => remote
                    .read(id, name, range.offset, range.len)
                    .await
                    .map_err(std::io::Error::other),
                None => Err(std::io::ErrorKind::NotFound.into()),
            },
        }
    }
}

async fn plain(
    path: PathBuf,
    kind: &str,
    wanted: &Wanted,
    watch: Watch,
) -> Result<Response, KeepError> {
    let opened = tokio::task::spawn_blocking(move || {
        let file = plain_file(&path)?;
        let len = file.metadata()?.len();
        Ok::<_, std::io::Error>((file, len))
    })
    .await?;
    let (file, total) = match opened {
        Ok(opened) => opened,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(NOTHING.into_response());
        }
        Err(error) => return Err(error.into()),
    };
    let source = Source::Local(Arc::new(file));
    Ok(from_end_to_end(source, total, kind, wanted, watch))
}

/// A file as it is, from its beginning to its end.
fn from_end_to_end(
    source: Source,
    total: u64,
    kind: &str,
    wanted: &Wanted,
    watch: Watch,
) -> Response {
    let Ok((from, to)) = within(wanted.range, total) else {
        return outside(total);
    };
    let body = stream::unfold(
        (from, source, watch),
        move |(at, source, mut watch)| async move {
            if at >= to {
                return None;
            }
            let len = PIECE.min(to - at);
            let bytes = match watch.pass(len).await {
                Ok(()) => source.read(ByteRange { offset: at, len }).await,
                Err(error) => Err(error),
            };
            let next = if bytes.is_ok() { at + len } else { to };
            Some((bytes, (next, source, watch)))
        },
    );
    headed(kind, wanted, (from, to), total, Body::from_stream(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> Option<Asked> {
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, HeaderValue::from_str(text).unwrap());
        range_of(&headers, "\"a\"")
    }

    #[test]
    fn ranges_are_read_and_kept_within_the_file() {
        assert_eq!(within(asked("bytes=0-99"), 1_000), Ok((0, 100)));
        assert_eq!(within(asked("bytes=900-"), 1_000), Ok((900, 1_000)));
        assert_eq!(within(asked("bytes=-100"), 1_000), Ok((900, 1_000)));
        assert_eq!(within(asked("bytes=0-9999"), 1_000), Ok((0, 1_000)));
        assert_eq!(within(asked("bytes=-9999"), 1_000), Ok((0, 1_000)));
        assert_eq!(within(asked("bytes=1000-"), 1_000), Err(()));
        assert_eq!(within(asked("bytes=9-8"), 1_000), Err(()));
        assert_eq!(within(asked("bytes=-0"), 1_000), Err(()));
        for whole in ["bytes=0-1,3-4", "bytes=x-", "lines=1-2", "bytes=--"] {
            assert_eq!(within(asked(whole), 1_000), Ok((0, 1_000)), "{whole}");
        }
    }

    #[test]
    fn a_range_of_another_version_is_the_whole() {
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, HeaderValue::from_static("bytes=5-"));
        headers.insert(IF_RANGE, HeaderValue::from_static("\"b\""));
        assert_eq!(range_of(&headers, "\"a\""), None);
        assert_eq!(range_of(&headers, "\"b\""), Some(Asked::From(5, None)));
    }
}
