//! `POST /api/decks` and `/api/files`: a file is streamed to disk, looked at,
//! written down, and told to its room. Acknowledged means on disk.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use aws_lc_rs::digest::{Context, SHA256};
use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt as _;
use lophoc_ledger::PersonKey;
use lophoc_protocol::ErrorCode;
use lophoc_protocol::limits::MAX_LABEL;
use lophoc_protocol::slides::{DeckFault, FileWay};
use lophoc_records::{Material, MaterialKind, MaterialLabels, MaterialState, StoreError};
use lophoc_room::Command;
use lophoc_room::text::{BadText, clean_label};
use lophoc_slides::{Fault, sniff};
use serde::Deserialize;
use serde_json::json;
use tokio::fs;
use tokio::io::AsyncWriteExt as _;

use super::under_way::{Place, patience};
use super::{WAITING, WAITING_EACH, deck_of, fault_of, file_of};
use crate::app::App;
use crate::auth::TokenClaims;
use crate::clock::wall_ms;
use crate::http::api::{bearer, limit, stored};
use crate::http::error::ApiError;
use crate::random;
use crate::room::Bring;

const MEGA: u64 = 1024 * 1024;
/// Of what a session may have, so many quarters are for files handed in; the rest
/// stays for slides and files handed out. Overflow: refused as full.
const HAND_IN_QUARTERS: u64 = 3;
/// All a person hands in, in times of the largest file handed in; what was taken
/// back counts, since its bytes stay. Overflow: refused as full.
const HAND_IN_TIMES: u64 = 5;

/// What is told of a deck beside its bytes.
#[derive(Debug, Deserialize)]
pub(super) struct NewDeck {
    name: String,
    #[serde(default)]
    licence: String,
    #[serde(default)]
    owner: String,
}

/// What is told of a file.
#[derive(Debug, Deserialize)]
pub(super) struct NewFile {
    way: FileWay,
    name: String,
}

/// Why a file was not taken.
#[derive(Debug)]
pub(super) enum Refused {
    /// As every call.
    Code(ErrorCode),
    /// It cannot become slides.
    Fault(DeckFault),
}

impl From<ErrorCode> for Refused {
    fn from(code: ErrorCode) -> Self {
        Self::Code(code)
    }
}

impl From<ApiError> for Refused {
    fn from(error: ApiError) -> Self {
        Self::Code(error.0)
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Code(stored(error).0)
    }
}

impl From<std::io::Error> for Refused {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind as E;
        if matches!(error.kind(), E::StorageFull | E::QuotaExceeded) {
            return Self::Code(ErrorCode::Full);
        }
        tracing::error!(%error, "a file could not be kept");
        Self::Code(ErrorCode::Internal)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::Code(code) => ApiError(code).into_response(),
            Self::Fault(why) => {
                let body = json!({"code": ErrorCode::BadRequest, "why": why});
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, Json(body)).into_response()
            }
        }
    }
}

/// Slides.
pub(super) async fn deck(
    State(app): State<Arc<App>>,
    ConnectInfo(socket): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    told: Result<Query<NewDeck>, QueryRejection>,
    body: Body,
) -> Result<Response, Refused> {
    limit(&app, socket, &headers)?;
    let Query(told) = told.map_err(|_| ErrorCode::BadRequest)?;
    let labels = MaterialLabels {
        review: "draft".to_owned(),
        licence: label(&told.licence)?,
        owner: label(&told.owner)?,
    };
    let order = Order {
        bring: Bring::Deck,
        kind: MaterialKind::Deck,
        name: &told.name,
        labels,
        most: u64::from(app.config.uploads.deck_mb) * MEGA,
    };
    let (status, material) = order.carry_out(&app, &headers, body).await?;
    Ok((status, Json(json!({"deck": deck_of(&material)}))).into_response())
}

/// A file handed out or in.
pub(super) async fn file(
    State(app): State<Arc<App>>,
    ConnectInfo(socket): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    told: Result<Query<NewFile>, QueryRejection>,
    body: Body,
) -> Result<Response, Refused> {
    limit(&app, socket, &headers)?;
    let Query(told) = told.map_err(|_| ErrorCode::BadRequest)?;
    let uploads = &app.config.uploads;
    let (kind, most_mb) = match told.way {
        FileWay::Out => (MaterialKind::Out, uploads.hand_out_mb),
        FileWay::In => (MaterialKind::In, uploads.hand_in_mb),
    };
    let order = Order {
        bring: Bring::File(told.way),
        kind,
        name: &told.name,
        labels: MaterialLabels {
            review: "draft".to_owned(),
            licence: None,
            owner: None,
        },
        most: u64::from(most_mb) * MEGA,
    };
    let (status, material) = order.carry_out(&app, &headers, body).await?;
    Ok((status, Json(json!({"file": file_of(&material)}))).into_response())
}

/// Licence or owner; empty is none.
fn label(text: &str) -> Result<Option<String>, ErrorCode> {
    match clean_label(text, MAX_LABEL) {
        Ok(text) => Ok(Some(text)),
        Err(BadText::Empty) => Ok(None),
        Err(BadText::TooLong) => Err(ErrorCode::TooLarge),
        Err(BadText::Control) => Err(ErrorCode::BadRequest),
    }
}

/// A file name without folders.
fn file_name(text: &str) -> Result<String, ErrorCode> {
    let last = text.rsplit(['/', '\\']).next().unwrap_or_default();
    clean_label(last, MAX_LABEL).map_err(|why| match why {
        BadText::TooLong => ErrorCode::TooLarge,
        BadText::Empty | BadText::Control => ErrorCode::BadRequest,
    })
}

/// Bytes on the disk under a name of their own; removed when they are not kept.
#[derive(Debug)]
struct Draft {
    path: PathBuf,
    bytes: u64,
    sha256: String,
    kept: bool,
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.kept {
            // The start of the server clears what is left.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

struct Order<'a> {
    bring: Bring,
    kind: MaterialKind,
    name: &'a str,
    labels: MaterialLabels,
    most: u64,
}

impl Order<'_> {
    async fn carry_out(
        self,
        app: &Arc<App>,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<(StatusCode, Material), Refused> {
        let claims = bearer(app, headers)?;
        let name = file_name(self.name)?;
        if app.is_draining() {
            return Err(ErrorCode::Busy.into());
        }
        app.rooms
            .may_bring(claims.room.as_str(), claims.person.clone(), self.bring)
            .await?;
        if self.kind == MaterialKind::Deck {
            let waits = app.store.materials_waiting(&claims.session).await?;
            if waits.all >= WAITING || waits.own >= WAITING_EACH {
                return Err(ErrorCode::Busy.into());
            }
        }
        let materials = &app.materials;
        if !materials
            .rate
            .count(claims.person.clone(), app.clock.now().mono_ms)
        {
            app.metrics.limited.inc();
            return Err(ErrorCode::RateLimited.into());
        }
        let place = materials
            .under_way
            .take(&claims.person, &claims.session)
            .ok_or(ErrorCode::Busy)?;
        let most = self.room_for(app, headers, &claims, &place).await?;
        let draft = receive(&materials.tmp(), body, most)
            .await
            .map_err(|why| match why {
                // What is left of the session, not what a file may have.
                Refused::Code(ErrorCode::TooLarge) if most < self.most => ErrorCode::Full.into(),
                other => other,
            })?;
        if self.kind == MaterialKind::Deck {
            look(app, &draft).await?;
        }
        let id = random::id(if self.kind == MaterialKind::Deck {
            "d"
        } else {
            "f"
        });
        let key = random::key();
        let material = Material {
            id: id.map_err(|_| ErrorCode::Internal)?,
            session: claims.session.clone(),
            kind: self.kind,
            name,
            bytes: draft.bytes,
            sha256: draft.sha256.clone(),
            key: key.map_err(|_| ErrorCode::Internal)?,
            state: match self.kind {
                MaterialKind::Deck => MaterialState::Queued,
                MaterialKind::Out | MaterialKind::In => MaterialState::Ready,
            },
            pages: 0,
            width: 0,
            height: 0,
            labels: self.labels,
            by: PersonKey(claims.person.0.clone()),
            by_name: claims.name.clone(),
            made_ms: wall_ms(),
            dropped_ms: None,
        };
        let (app, bring) = (Arc::clone(app), self.bring);
        // Goes on when the client goes: what came whole reaches its room.
        let settled = tokio::spawn(async move {
            let _place = place;
            settle(&app, &claims, bring, draft, material).await
        });
        settled
            .await
            .unwrap_or(Err(Refused::Code(ErrorCode::Internal)))
    }

    /// Bytes the file may have: by its kind, and by what the session, the person
    /// and the disk have left. They are this upload's until its place is given
    /// back.
    async fn room_for(
        &self,
        app: &App,
        headers: &HeaderMap,
        claims: &TokenClaims,
        place: &Place,
    ) -> Result<u64, Refused> {
        let told = headers
            .get(CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if told.is_some_and(|told| told > self.most) {
            return Err(ErrorCode::TooLarge.into());
        }
        let uploads = &app.config.uploads;
        let hand_in = self.kind == MaterialKind::In;
        // Asked for before the records are read: another file is in one of the two.
        let others = place.reserve(hand_in, told.unwrap_or(self.most));
        let taken = app.store.material_bytes(&claims.session).await?;
        let session = u64::from(uploads.session_mb).saturating_mul(MEGA);
        let mut left = session.saturating_sub(taken.saturating_add(others.session));
        if hand_in {
            let by = PersonKey(claims.person.0.clone());
            let taken = app.store.hand_in_bytes(&claims.session, &by).await?;
            let all = (session / 4).saturating_mul(HAND_IN_QUARTERS);
            let own = u64::from(uploads.hand_in_mb)
                .saturating_mul(MEGA)
                .saturating_mul(HAND_IN_TIMES);
            left = left
                .min(all.saturating_sub(taken.all.saturating_add(others.hand_ins)))
                .min(own.saturating_sub(taken.own.saturating_add(others.own_hand_ins)));
        }
        fs::create_dir_all(app.materials.tmp()).await?;
        let disk = rustix::fs::statvfs(&app.materials.folder).map_err(std::io::Error::from)?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        let kept = u64::from(uploads.keep_free_mb).saturating_mul(MEGA);
        left = left.min(free.saturating_sub(kept.saturating_add(others.all)));
        if left == 0 || told.is_some_and(|told| told > left) {
            return Err(ErrorCode::Full.into());
        }
        let most = self.most.min(left);
        place.reserve(hand_in, told.unwrap_or(most));
        Ok(most)
    }
}

/// Streams the body to a file of its own, at most `most` bytes of it.
async fn receive(folder: &Path, body: Body, most: u64) -> Result<Draft, Refused> {
    let mut draft = Draft {
        path: folder.join(random::key().map_err(|_| ErrorCode::Internal)?),
        bytes: 0,
        sha256: String::new(),
        kept: false,
    };
    let mut file = fs::File::create_new(&draft.path).await?;
    let mut hash = Context::new(&SHA256);
    let mut body = body.into_data_stream();
    let began = Instant::now();
    loop {
        let patience = patience(draft.bytes, began.elapsed()).ok_or(ErrorCode::Conflict)?;
        let next = tokio::time::timeout(patience, body.next())
            .await
            .map_err(|_| ErrorCode::Conflict)?;
        let Some(chunk) = next else { break };
        // The client went away in the middle.
        let chunk = chunk.map_err(|_| ErrorCode::Conflict)?;
        draft.bytes = draft
            .bytes
            .saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        if draft.bytes > most {
            return Err(ErrorCode::TooLarge.into());
        }
        hash.update(&chunk);
        file.write_all(&chunk).await?;
    }
    if draft.bytes == 0 {
        return Err(ErrorCode::BadRequest.into());
    }
    file.sync_all().await?;
    draft.sha256 = hash
        .finish()
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok(draft)
}

/// Whether it can become slides, by what can be seen at once.
async fn look(app: &Arc<App>, draft: &Draft) -> Result<(), Refused> {
    let (app, path, bytes) = (Arc::clone(app), draft.path.clone(), draft.bytes);
    let seen = tokio::task::spawn_blocking(move || {
        let mut file = std::fs::File::open(path).map_err(|_| Fault::Internal)?;
        let kind = sniff(&mut file, bytes)?;
        app.materials.tools().can(kind)
    });
    match seen.await.unwrap_or(Err(Fault::Internal)) {
        Ok(()) => Ok(()),
        Err(Fault::Internal | Fault::Stopped) => Err(ErrorCode::Internal.into()),
        Err(fault) => Err(Refused::Fault(fault_of(fault))),
    }
}

/// Moves the bytes to their place, so that they are there after a cut of power.
async fn keep(mut draft: Draft, folder: &Path) -> Result<(), Refused> {
    fs::create_dir(folder).await?;
    fs::rename(&draft.path, folder.join("file")).await?;
    draft.kept = true;
    fs::File::open(folder).await?.sync_all().await?;
    if let Some(parent) = folder.parent() {
        fs::File::open(parent).await?.sync_all().await?;
    }
    Ok(())
}

/// Puts a file that came whole to its place and into its room.
async fn settle(
    app: &Arc<App>,
    claims: &TokenClaims,
    bring: Bring,
    draft: Draft,
    material: Material,
) -> Result<(StatusCode, Material), Refused> {
    // Sent again because the answer was lost, or because it was `busy`: then its
    // room may not have heard of it. What it knows it ignores.
    if let Some(known) = app.store.same_material(&material).await? {
        tell(app, claims, bring, &known).await?;
        return Ok((StatusCode::OK, known));
    }
    let folder = app.materials.of_key(&material.key);
    keep(draft, &folder).await?;
    if let Err(error) = app.store.add_material(&material).await {
        forget(app, &material, &folder).await;
        return Err(error.into());
    }
    match tell(app, claims, bring, &material).await {
        Ok(()) => {
            if bring == Bring::Deck {
                app.materials.wake.notify_one();
            }
            Ok((StatusCode::CREATED, material))
        }
        // Handed over, and not known to be kept: people may have it on their
        // screens, and the ledger may write it yet. The same file sent again, or
        // the next loading of the room, makes it whole.
        Err(ErrorCode::Busy) => Err(ErrorCode::Busy.into()),
        // Refused by the room: nobody heard of it.
        Err(code) => {
            forget(app, &material, &folder).await;
            Err(code.into())
        }
    }
}

async fn tell(
    app: &Arc<App>,
    claims: &TokenClaims,
    bring: Bring,
    material: &Material,
) -> Result<(), ErrorCode> {
    let command = match file_of(material) {
        Some(file) => Command::File(Box::new(file)),
        None => Command::Deck(Box::new(deck_of(material))),
    };
    app.rooms
        .bring(claims.room.as_str(), claims.person.clone(), bring, command)
        .await
}

/// Takes back what nobody heard of. A row that cannot be taken away keeps its
/// bytes; bytes without a row go at a start of the server.
async fn forget(app: &App, material: &Material, folder: &Path) {
    match app.store.remove_material(&material.id).await {
        Ok(()) => {
            let _ = fs::remove_dir_all(folder).await;
        }
        Err(error) => {
            tracing::warn!(material = %material.id, %error, "a file that was refused is still written down");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_has_no_folders_and_nothing_that_deceives() {
        for (given, kept) in [
            ("../../etc/Bài 1.pptx", "Bài 1.pptx"),
            ("C:\\Bài\\a.pdf", "a.pdf"),
            ("\u{202e}fdp.exe", "fdp.exe"),
        ] {
            assert_eq!(file_name(given).as_deref(), Ok(kept));
        }
        assert_eq!(file_name("a/"), Err(ErrorCode::BadRequest));
        assert_eq!(file_name("a\r\nb"), Ok("a b".to_owned()));
        assert_eq!(file_name("a\u{0}"), Err(ErrorCode::BadRequest));
        assert_eq!(file_name(&"a".repeat(121)), Err(ErrorCode::TooLarge));
    }
}
