//! Whether a file is an export of ours, and whether it still stands. Open to
//! everybody who holds a file; tells no personal data.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{DefaultBodyLimit, Request, State};
use lophoc_classes::{UnitId, Verdict, VerdictKind};
use lophoc_documents::verify::{self as check, Record, Refused};
use lophoc_documents::{Export, MAX_LINE};
use lophoc_records::StoredExport;
use utoipa_axum::routes;

use super::error::{ApiFault, Refusal};
use super::exports::{Source, Wanted, document};
use super::extract::{At, Caller, raw};
use super::{Routes, report};
use crate::app::App;

/// Largest file, bytes.
pub const MAX_FILE: usize = 16 * 1024 * 1024;
/// Time for a file to come: a sheet has some hundred KB.
const READ_WITHIN: Duration = Duration::from_secs(120);
/// Most differences told.
const DIFFERENCES: usize = 20;

/// The routes.
pub fn routes() -> Routes {
    let files = Routes::new()
        .routes(routes!(verify_file))
        .layer(DefaultBodyLimit::max(MAX_FILE));
    Routes::new().routes(routes!(verify_id)).merge(files)
}

/// Whether a file is a genuine export, and current. The body is the file.
#[utoipa::path(post, path = "/verify", tag = "verify",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = Verdict), (status = 413, body = Refusal), (status = 429, body = Refusal)))]
async fn verify_file(
    State(app): State<Arc<App>>,
    caller: Caller,
    request: Request,
) -> Result<Json<Verdict>, ApiFault> {
    limit(&app, caller)?;
    let _sheet = app.attendance.sheet()?;
    let read = tokio::time::timeout(READ_WITHIN, raw(request, &app));
    let bytes = read.await.map_err(|_| ApiFault::bad())??;
    let _place = app.attendance.heavy().await?;
    judge(Source::App(&app), bytes.to_vec()).await.map(Json)
}

/// Whether there is such an export, and whether it still stands.
#[utoipa::path(get, path = "/verify/{id}", tag = "verify",
    params(("id" = String, Path, description = "Id printed on the sheet")),
    responses((status = 200, body = Verdict), (status = 429, body = Refusal)))]
async fn verify_id(
    State(app): State<Arc<App>>,
    caller: Caller,
    At(id): At<String>,
) -> Result<Json<Verdict>, ApiFault> {
    limit(&app, caller)?;
    if id.len() > 64 {
        return Ok(Json(unknown()));
    }
    match app.store.export(&id).await? {
        None => Ok(Json(unknown())),
        Some(stored) => {
            let _place = app.attendance.heavy().await?;
            let source = Source::App(&app);
            verdict(source, &stored, VerdictKind::Genuine, Vec::new())
                .await
                .map(Json)
        }
    }
}

fn limit(app: &App, caller: Caller) -> Result<(), ApiFault> {
    let mono = app.clock.now().mono_ms;
    if app.attendance.verify_rate.take(caller.address, mono) {
        Ok(())
    } else {
        app.metrics.limited.inc();
        Err(ApiFault::rate_limited(None))
    }
}

fn unknown() -> Verdict {
    Verdict {
        kind: VerdictKind::Unknown,
        current: false,
        made_ms: None,
        title: String::new(),
        host: String::new(),
        version: 0,
        latest: 0,
        id: String::new(),
        differences: Vec::new(),
    }
}

/// Judges a file by the records.
///
/// # Errors
/// `tooLarge`, the store's. A file that cannot be read is unknown.
pub async fn judge(source: Source<'_>, bytes: Vec<u8>) -> Result<Verdict, ApiFault> {
    let (found, bytes) = tokio::task::spawn_blocking(move || (check::inspect(&bytes), bytes))
        .await
        .map_err(|_| ApiFault::internal())?;
    let found = match found {
        Ok(found) => found,
        Err(Refused::TooLarge) => return Err(ApiFault::too_large()),
        Err(Refused::Unreadable) => return Ok(unknown()),
    };
    let store = source.store();
    let mut stored = store.export_of_file(&found.file_sha256).await?;
    if stored.is_none()
        && let Some(id) = &found.export_id
    {
        stored = store.export(id).await?;
    }
    let Some(stored) = stored else {
        return Ok(unknown());
    };
    let canonical = store
        .export_data(&stored.record.data_sha256)
        .await?
        .ok_or_else(ApiFault::internal)?;
    let record = stored.record.clone();
    let outcome = tokio::task::spawn_blocking(move || {
        check::judge(
            &bytes,
            &Record {
                id: &record.id,
                file_sha256: &record.file_sha256,
                file_len: record.file_len,
                data_sha256: &record.data_sha256,
                canonical: &canonical,
            },
        )
    })
    .await
    .map_err(|_| ApiFault::internal())?;
    let (kind, differences) = match outcome {
        Ok(check::Verdict::GenuineUnchanged) => (VerdictKind::Genuine, Vec::new()),
        Ok(check::Verdict::GenuineSigned) => (VerdictKind::Signed, Vec::new()),
        Ok(check::Verdict::SameDataResaved { .. }) => (VerdictKind::Resaved, Vec::new()),
        Ok(check::Verdict::Altered { differences }) => (VerdictKind::Altered, differences),
        Ok(check::Verdict::Unknown) => return Ok(unknown()),
        Err(Refused::TooLarge) => return Err(ApiFault::too_large()),
        Err(Refused::Unreadable) => return Ok(unknown()),
    };
    verdict(source, &stored, kind, differences).await
}

async fn verdict(
    source: Source<'_>,
    stored: &StoredExport,
    kind: VerdictKind,
    differences: Vec<String>,
) -> Result<Verdict, ApiFault> {
    let store = source.store();
    if let Some(unit) = &stored.record.unit {
        let current = kind != VerdictKind::Altered && report::is_current(source, stored).await?;
        let name = store
            .unit(&UnitId(unit.clone()))
            .await?
            .map(|unit| unit.name);
        return Ok(Verdict {
            current,
            kind,
            made_ms: Some(stored.record.made_ms),
            title: report::TITLE.to_owned(),
            host: name.unwrap_or_default(),
            version: 0,
            latest: 0,
            id: stored.record.id.clone(),
            differences: told(source, differences),
        });
    }
    let wanted = Wanted::again(stored)?;
    let class = store
        .class(&wanted.class)
        .await?
        .ok_or_else(ApiFault::internal)?;
    let mut title = class.plan.title.clone();
    let mut latest = 0;
    if let Some(session) = &wanted.session {
        latest = store.latest_version(session).await?.0;
        if let Some(session) = store.lesson(session).await? {
            title.push_str(&format!(" – Buổi {}: {}", session.no, session.form.title));
        }
    }
    let stands = is_current(source, stored, &wanted, latest).await?;
    let record = &stored.record;
    Ok(Verdict {
        current: stands && kind != VerdictKind::Altered,
        kind,
        made_ms: Some(record.made_ms),
        title,
        host: class.host_name,
        version: record.version,
        latest,
        id: record.id.clone(),
        differences: told(source, differences),
    })
}

/// What is told of differences. Anybody may ask, and an id alone is enough for
/// it: an empty file of that id must not bring out the rows of the sheet. The
/// command line tells all.
fn told(source: Source<'_>, mut differences: Vec<String>) -> Vec<String> {
    differences.truncate(DIFFERENCES);
    let open = matches!(source, Source::App(_));
    for text in &mut differences {
        let told = match open {
            true => without_original(text),
            false => text.as_str(),
        };
        *text = lophoc_documents::clean(told, MAX_LINE);
    }
    let mut told = std::collections::BTreeSet::new();
    differences.retain(|text| told.insert(text.clone()));
    differences
}

/// A difference without what the sheet itself says there.
fn without_original(text: &str) -> &str {
    let text = text
        .split_once(", bản gốc “")
        .map_or(text, |(kept, _)| kept);
    let line = " dòng";
    match text.find(&format!("{line}: “")) {
        Some(at) => text.get(..at + line.len()).unwrap_or_default(),
        None => text,
    }
}

/// No version was frozen since, and the same export would say the same now.
async fn is_current(
    source: Source<'_>,
    stored: &StoredExport,
    wanted: &Wanted,
    latest: u32,
) -> Result<bool, ApiFault> {
    if wanted.version != latest {
        return Ok(false);
    }
    if let Some(session) = &wanted.session
        && latest > 0
    {
        let version = source.store().version(session, latest).await?;
        let gathered = source.gathered(session).await?;
        return Ok(version.is_some_and(|version| version.stands == gathered.stands));
    }
    let export = Export {
        id: stored.record.id.clone(),
        made_ms: stored.record.made_ms,
        version: None,
        check_at: None,
    };
    let document = document(source, wanted, export).await?;
    let sealed = tokio::task::spawn_blocking(move || document.seal())
        .await
        .map_err(|_| ApiFault::internal())?
        .map_err(|_| ApiFault::internal())?;
    Ok(sealed.data_sha256() == stored.record.data_sha256)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_do_not_tell_the_original() {
        for (text, told) in [
            (
                "Ô C5 (Họ và tên): “”, bản gốc “Nguyễn Văn An”",
                "Ô C5 (Họ và tên): “”",
            ),
            (
                "Thiếu hoặc đã sửa dòng: “Có mặt 12”",
                "Thiếu hoặc đã sửa dòng",
            ),
            (
                "Bảng “A” có 1 dòng, bản gốc có 2 dòng",
                "Bảng “A” có 1 dòng, bản gốc có 2 dòng",
            ),
            ("Khác phần mở đầu", "Khác phần mở đầu"),
        ] {
            assert_eq!(without_original(text), told);
        }
    }
}
