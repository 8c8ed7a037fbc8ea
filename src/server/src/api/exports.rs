//! Exports: what can be taken out, taking it out, and what was.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use lophoc_classes::{
    Class, ClassId, ExportFormat, ExportKind, ExportList, ExportQuery, ExportRecord, Grant, Right,
    Session, UnitId,
};
use lophoc_documents::csv::{CsvOptions, Delimiter};
use lophoc_documents::{Document, Export, Sealed, csv, html, json, pdf, sha256_hex, xlsx};
use lophoc_ledger::{PersonKey, SessionKey};
use lophoc_records::{Store, StoredExport};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa_axum::routes;

use super::attendance_access::Asked;
use super::attendance_facts::{ClassFacts, Facts, Gathered, cut, gather, reach};
use super::check_in::base_url;
use super::error::{ApiFault, Refusal};
use super::extract::{Ask, At};
use super::sheets::{self, ClassSource};
use super::{Routes, Signed, bundle, verify};
use crate::app::App;
use crate::clock::wall_ms;
use crate::random;

/// Kinds a session has.
const OF_SESSION: [ExportKind; 7] = [
    ExportKind::Session,
    ExportKind::UnitSummary,
    ExportKind::Sites,
    ExportKind::Delegates,
    ExportKind::TrainerActivity,
    ExportKind::Polls,
    ExportKind::Incidents,
];
/// Kinds a class has.
const OF_CLASS: [ExportKind; 4] = [
    ExportKind::ClassSummary,
    ExportKind::UnitSummary,
    ExportKind::PlanActual,
    ExportKind::TrainerActivity,
];
pub const FORMATS: [ExportFormat; 5] = [
    ExportFormat::Xlsx,
    ExportFormat::Csv,
    ExportFormat::Pdf,
    ExportFormat::Html,
    ExportFormat::Json,
];
/// Longest name of a file, characters.
const FILE_NAME: usize = 120;
/// The page to print: its own style, nothing from anywhere.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; \
                           base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .routes(routes!(list_of_session))
        .routes(routes!(list_of_class))
        .routes(routes!(export_session))
        .routes(routes!(export_class))
        .merge(bundle::routes())
        .merge(verify::routes())
}

/// Whose rows an export holds, as it is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Extent {
    all: bool,
    units: BTreeSet<UnitId>,
    people: BTreeSet<PersonKey>,
}

impl Extent {
    fn of(grant: &Grant) -> Self {
        Self {
            all: grant.all,
            units: grant.units.clone(),
            people: grant.people.clone(),
        }
    }

    fn grant(self) -> Grant {
        Grant {
            all: self.all,
            units: self.units,
            people: self.people,
        }
    }
}

/// What an export is made from.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Class.
    pub class: ClassId,
    /// Session; absent: the class as a whole.
    pub session: Option<SessionKey>,
    /// Kind.
    pub kind: ExportKind,
    /// Frozen version; 0: what stands now.
    pub version: u32,
    /// Whose rows.
    pub grant: Grant,
    /// Choices.
    pub query: ExportQuery,
}

impl Wanted {
    /// What a kept export was made from.
    pub fn again(stored: &StoredExport) -> Result<Self, ApiFault> {
        let broken = |_| ApiFault::internal();
        let extent: Extent = serde_json::from_str(&stored.extent).map_err(broken)?;
        Ok(Self {
            class: ClassId(stored.record.class.clone().ok_or_else(ApiFault::internal)?),
            session: stored.record.session.clone().map(SessionKey),
            kind: stored.record.kind,
            version: stored.record.version,
            grant: extent.grant(),
            query: serde_json::from_str(&stored.query).map_err(broken)?,
        })
    }
}

/// Where attendance comes from: a running server, or its records alone.
#[derive(Clone, Copy)]
pub enum Source<'a> {
    /// The server: what it computed a moment ago, its rooms' clocks.
    App(&'a App),
    /// The records.
    Records(&'a Store),
}

impl Source<'_> {
    /// The records.
    pub fn store(&self) -> &Store {
        match self {
            Self::App(app) => &app.store,
            Self::Records(store) => store,
        }
    }

    /// Attendance of a session.
    pub async fn gathered(&self, session: &SessionKey) -> Result<Arc<Gathered>, ApiFault> {
        match self {
            Self::App(app) => app.gathered(session).await,
            Self::Records(store) => Ok(Arc::new(gather(store, session, None).await?)),
        }
    }
}

/// Builds the document. Its data depend on `wanted` and the records alone.
pub async fn document(
    source: Source<'_>,
    wanted: &Wanted,
    export: Export,
) -> Result<Document, ApiFault> {
    let Some(session) = &wanted.session else {
        let class = class_source(source, &wanted.class, &wanted.grant).await?;
        let kind = wanted.kind;
        return tokio::task::spawn_blocking(move || sheets::of_class(&class, kind, export))
            .await
            .map_err(|_| ApiFault::internal())?
            .ok_or_else(ApiFault::not_found);
    };
    let facts = match wanted.version {
        0 => source.gathered(session).await?.cut(&wanted.grant),
        no => frozen(source.store(), session, no, &wanted.grant).await?,
    };
    let (kind, query) = (wanted.kind, wanted.query.clone());
    tokio::task::spawn_blocking(move || sheets::of_session(&facts, kind, &query, export))
        .await
        .map_err(|_| ApiFault::internal())?
        .ok_or_else(ApiFault::not_found)
}

/// The facts of a frozen version, cut to a grant.
pub async fn frozen(
    store: &Store,
    session: &SessionKey,
    no: u32,
    grant: &Grant,
) -> Result<Facts, ApiFault> {
    let version = store
        .version(session, no)
        .await?
        .ok_or_else(ApiFault::not_found)?;
    let facts: Facts = serde_json::from_str(&version.body).map_err(|error| {
        tracing::error!(%error, %session, no, "a frozen version cannot be read");
        ApiFault::internal()
    })?;
    if grant.all {
        return Ok(facts);
    }
    let units: BTreeSet<UnitId> = facts
        .people
        .values()
        .filter_map(|one| one.unit.clone())
        .collect();
    let lines = store.unit_lines(&units).await?;
    let visible: HashSet<PersonKey> = facts
        .report
        .rows
        .iter()
        .map(|row| &row.person)
        .chain(facts.people.keys())
        .filter(|person| reach(&facts.people, &lines, grant, person))
        .cloned()
        .collect();
    Ok(cut(&facts, |person| visible.contains(person)))
}

async fn class_source(
    source: Source<'_>,
    id: &ClassId,
    grant: &Grant,
) -> Result<ClassSource, ApiFault> {
    let store = source.store();
    let class = store.class(id).await?.ok_or_else(ApiFault::not_found)?;
    let (parent_unit, place) = match &class.plan.host {
        Some(host) => store.letterhead(host).await?,
        None => (None, None),
    };
    let mut sessions = Vec::new();
    for session in store.lessons(id).await? {
        let gathered = source.gathered(&session.id).await?;
        let times = store.planned_times(&session.id).await?;
        sessions.push((session, gathered.cut(grant), times));
    }
    Ok(ClassSource {
        facts: ClassFacts::new(&class, parent_unit, place),
        class,
        sessions,
        now_ms: wall_ms(),
    })
}

/// Who may take out what: the rows his right to export reaches.
fn may_export(asked: &Asked, kind: ExportKind) -> Result<Grant, ApiFault> {
    let grant = asked.need(Right::Export)?;
    match kind {
        // Names nobody but staff.
        ExportKind::PlanActual => asked.need(Right::SeeClass).map(|_| everybody()),
        ExportKind::TrainerActivity => asked.need_all(Right::SeeActivity),
        // Sums are of everybody.
        ExportKind::Polls => asked.need_all(Right::SeeAttendance).map(|_| everybody()),
        // Names sites and staff.
        ExportKind::Incidents => asked.need_all(Right::Export).map(|_| everybody()),
        _ => asked.need(Right::SeeAttendance).map(|_| grant),
    }
}

fn everybody() -> Grant {
    Grant {
        all: true,
        ..Grant::default()
    }
}

fn offers(asked: &Asked, kinds: &[ExportKind]) -> Vec<(ExportKind, Vec<ExportFormat>)> {
    kinds
        .iter()
        .filter(|kind| may_export(asked, **kind).is_ok())
        .map(|kind| (*kind, FORMATS.to_vec()))
        .collect()
}

/// What was exported of a session, and what the asker may export.
#[utoipa::path(get, path = "/sessions/{id}/exports", tag = "exports",
    security(("cookie" = []), ("token" = [])),
    params(("id" = String, Path, description = "Session")),
    responses((status = 200, body = ExportList), (status = 403, body = Refusal), (status = 404, body = Refusal)))]
async fn list_of_session(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<SessionKey>,
) -> Result<Json<ExportList>, ApiFault> {
    let (asked, _) = Asked::session(&app, signed, &id).await?;
    asked.need(Right::Export)?;
    let exports = records(app.store.exports_of_session(&id).await?, &asked);
    Ok(Json(ExportList {
        exports,
        offers: offers(&asked, &OF_SESSION),
    }))
}

/// What was exported of a class, and what the asker may export.
#[utoipa::path(get, path = "/classes/{id}/exports", tag = "exports",
    security(("cookie" = []), ("token" = [])),
    params(("id" = String, Path, description = "Class")),
    responses((status = 200, body = ExportList), (status = 403, body = Refusal), (status = 404, body = Refusal)))]
async fn list_of_class(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<ClassId>,
) -> Result<Json<ExportList>, ApiFault> {
    let (asked, _) = Asked::class(&app, signed, &id).await?;
    asked.need(Right::Export)?;
    let exports = records(app.store.exports_of_class(&id).await?, &asked);
    Ok(Json(ExportList {
        exports,
        offers: offers(&asked, &OF_CLASS),
    }))
}

/// All of them for who may export everything, else the own ones.
fn records(stored: Vec<StoredExport>, asked: &Asked) -> Vec<ExportRecord> {
    let all = asked.grant(Right::Export).all;
    stored
        .into_iter()
        .filter(|one| all || one.by == *asked.signed.person())
        .map(|one| one.record)
        .collect()
}

/// Take a sheet of a session out as a file. `file` is kind and format:
/// `session.xlsx`, `sites.pdf`, `polls.csv`, …
#[utoipa::path(get, path = "/sessions/{id}/exports/{file}", tag = "exports",
    security(("cookie" = []), ("token" = [])),
    params(("id" = String, Path, description = "Session"),
        ("file" = String, Path, description = "{kind}.{format}"),
        ("version" = Option<u32>, Query, description = "Frozen version; absent: what stands now"),
        ("delimiter" = Option<String>, Query, description = "CSV: comma, semicolon, tab"),
        ("asText" = Option<bool>, Query, description = "CSV: identifiers as =\"…\""),
        ("splitName" = Option<bool>, Query, description = "Two columns for the name"),
        ("lang" = Option<String>, Query, description = "vi")),
    responses((status = 200, content_type = "application/octet-stream", description = "The file"),
        (status = 400, body = Refusal), (status = 403, body = Refusal), (status = 404, body = Refusal),
        (status = 413, body = Refusal), (status = 429, body = Refusal), (status = 503, body = Refusal)))]
async fn export_session(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    signed: Signed,
    At((id, file)): At<(SessionKey, String)>,
    Ask(query): Ask<ExportQuery>,
) -> Result<Response, ApiFault> {
    let (kind, format) = parse(&file, &OF_SESSION)?;
    let (asked, session) = Asked::session(&app, signed, &id).await?;
    let grant = may_export(&asked, kind)?;
    let class = app
        .store
        .class(&session.class)
        .await?
        .ok_or_else(ApiFault::not_found)?;
    let version = query.version.unwrap_or_default();
    let wanted = Wanted {
        class: class.id.clone(),
        session: Some(id),
        kind,
        version,
        grant,
        query: checked(query)?,
    };
    send(
        &app,
        &headers,
        &asked,
        (&class, Some(&session)),
        wanted,
        format,
    )
    .await
}

/// Take a sheet of a class out as a file.
#[utoipa::path(get, path = "/classes/{id}/exports/{file}", tag = "exports",
    security(("cookie" = []), ("token" = [])),
    params(("id" = String, Path, description = "Class"),
        ("file" = String, Path, description = "{kind}.{format}"),
        ("delimiter" = Option<String>, Query, description = "CSV: comma, semicolon, tab"),
        ("asText" = Option<bool>, Query, description = "CSV: identifiers as =\"…\""),
        ("lang" = Option<String>, Query, description = "vi")),
    responses((status = 200, content_type = "application/octet-stream", description = "The file"),
        (status = 400, body = Refusal), (status = 403, body = Refusal), (status = 404, body = Refusal),
        (status = 413, body = Refusal), (status = 429, body = Refusal), (status = 503, body = Refusal)))]
async fn export_class(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    signed: Signed,
    At((id, file)): At<(ClassId, String)>,
    Ask(query): Ask<ExportQuery>,
) -> Result<Response, ApiFault> {
    let (kind, format) = parse(&file, &OF_CLASS)?;
    let (asked, class) = Asked::class(&app, signed, &id).await?;
    let grant = may_export(&asked, kind)?;
    if query.version.is_some_and(|version| version > 0) {
        // Versions are of sessions.
        return Err(ApiFault::field("version", "badValue"));
    }
    let wanted = Wanted {
        class: id,
        session: None,
        kind,
        version: 0,
        grant,
        query: checked(query)?,
    };
    send(&app, &headers, &asked, (&class, None), wanted, format).await
}

/// `session.xlsx` as kind and format.
pub fn parse(file: &str, kinds: &[ExportKind]) -> Result<(ExportKind, ExportFormat), ApiFault> {
    let (kind, format) = file.rsplit_once('.').ok_or_else(ApiFault::not_found)?;
    let kind: ExportKind = word(kind)?;
    if !kinds.contains(&kind) {
        return Err(ApiFault::not_found());
    }
    Ok((kind, word(format)?))
}

fn word<T: DeserializeOwned>(text: &str) -> Result<T, ApiFault> {
    serde_json::from_value(serde_json::Value::String(text.to_owned()))
        .map_err(|_| ApiFault::not_found())
}

/// The choices in the form they are kept, without the version.
fn checked(query: ExportQuery) -> Result<ExportQuery, ApiFault> {
    if query.lang.as_deref().is_some_and(|lang| lang != "vi") {
        return Err(ApiFault::field("lang", "badValue"));
    }
    csv_options(query.delimiter.as_deref(), query.as_text)?;
    Ok(ExportQuery {
        version: None,
        lang: None,
        ..query
    })
}

/// The choices for CSV.
pub fn csv_options(delimiter: Option<&str>, as_text: Option<bool>) -> Result<CsvOptions, ApiFault> {
    let delimiter = match delimiter {
        None | Some("comma") => Delimiter::Comma,
        Some("semicolon") => Delimiter::Semicolon,
        Some("tab") => Delimiter::Tab,
        Some(_) => return Err(ApiFault::field("delimiter", "badValue")),
    };
    Ok(CsvOptions {
        delimiter,
        identifiers_as_text: as_text.unwrap_or(true),
        with_id: true,
    })
}

/// An export that is about to be made.
pub fn new_export(app: &App, headers: &HeaderMap, version: u32) -> Result<Export, ApiFault> {
    let id = random::spoken::<16>()?;
    Ok(Export {
        check_at: Some(format!("{}/verify/{id}", base_url(app, headers))),
        id,
        made_ms: wall_ms(),
        version: (version > 0).then_some(version),
    })
}

/// The sealed document, its file, and the hash of the file.
pub async fn drawn(
    document: Document,
    format: ExportFormat,
    options: CsvOptions,
) -> Result<(Sealed, Vec<u8>, String), ApiFault> {
    tokio::task::spawn_blocking(move || {
        let sealed = document.seal().map_err(|_| ApiFault::too_large())?;
        let bytes = write(&sealed, format, options)?;
        let hash = sha256_hex(&bytes);
        Ok((sealed, bytes, hash))
    })
    .await
    .map_err(|_| ApiFault::internal())?
}

/// Makes the file, writes down that it was made, and sends it.
async fn send(
    app: &App,
    headers: &HeaderMap,
    asked: &Asked,
    (class, session): (&Class, Option<&Session>),
    wanted: Wanted,
    format: ExportFormat,
) -> Result<Response, ApiFault> {
    let mono = app.clock.now().mono_ms;
    if !app
        .attendance
        .export_rate
        .count(asked.signed.person().clone(), mono)
    {
        return Err(ApiFault::rate_limited(None));
    }
    let _place = app.attendance.heavy().await?;
    let export = new_export(app, headers, wanted.version)?;
    let (id, made_ms) = (export.id.clone(), export.made_ms);
    let document = document(Source::App(app), &wanted, export).await?;
    let options = csv_options(wanted.query.delimiter.as_deref(), wanted.query.as_text)?;
    let (sealed, bytes, file_sha256) = drawn(document, format, options).await?;
    let stored = StoredExport {
        record: ExportRecord {
            id,
            kind: wanted.kind,
            format,
            class: Some(class.id.0.clone()),
            unit: None,
            session: session.map(|session| session.id.0.clone()),
            version: wanted.version,
            data_sha256: sealed.data_sha256().to_owned(),
            file_sha256,
            file_len: bytes.len() as u64,
            by: asked.signed.name(),
            made_ms,
        },
        by: asked.signed.person().clone(),
        query: serde_json::to_string(&wanted.query).map_err(|_| ApiFault::internal())?,
        extent: serde_json::to_string(&Extent::of(&wanted.grant))
            .map_err(|_| ApiFault::internal())?,
    };
    // Before a byte leaves: an export nobody can verify must not exist.
    app.store.add_export(&stored, sealed.canonical()).await?;
    asked.log(app, "export", &wanted.grant).await?;
    let name = file_name(class, session, wanted.kind, wanted.version);
    Ok(file_response(bytes, format, &name))
}

/// The file in a format.
pub fn write(
    sheet: &Sealed,
    format: ExportFormat,
    options: CsvOptions,
) -> Result<Vec<u8>, ApiFault> {
    let failed = |error: &dyn std::fmt::Display| {
        tracing::error!(%error, ?format, "an export was not written");
        ApiFault::internal()
    };
    match format {
        ExportFormat::Xlsx => xlsx::write(sheet).map_err(|error| failed(&error)),
        ExportFormat::Csv => csv::write(sheet, options).map_err(|error| failed(&error)),
        ExportFormat::Pdf => pdf::write(sheet).map_err(|error| match error {
            // Paper has its bounds; the other formats have wider ones.
            pdf::WriteError::TooManyRows => ApiFault::too_large(),
            error => failed(&error),
        }),
        ExportFormat::Html => Ok(html::write(sheet).into_bytes()),
        ExportFormat::Json => json::write(sheet, None).map_err(|error| failed(&error)),
    }
}

fn file_name(class: &Class, session: Option<&Session>, kind: ExportKind, version: u32) -> String {
    let what = match kind {
        ExportKind::Session => "Danh sách điểm danh",
        ExportKind::ClassSummary => "Bảng tổng hợp chuyên cần",
        ExportKind::UnitSummary => "Tổng hợp theo đơn vị",
        ExportKind::Sites => "Thành phần tham dự theo điểm cầu",
        ExportKind::Delegates => "Danh sách đại biểu",
        ExportKind::PlanActual => "Kế hoạch - thực hiện",
        ExportKind::TrainerActivity => "Hoạt động của người dạy",
        ExportKind::Polls => "Kết quả thăm dò, biểu quyết",
        ExportKind::Incidents => "Nhật ký sự cố kỹ thuật",
        ExportKind::Aggregate => "Báo cáo tập huấn qua mạng",
    };
    let class = if class.plan.code.is_empty() {
        &class.plan.title
    } else {
        &class.plan.code
    };
    let session = session.map(|session| format!(" - Buổi {}", session.no));
    let version = match version {
        0 => String::new(),
        no => format!(" - Bản chốt {no}"),
    };
    format!("{what} - {class}{}{version}", session.unwrap_or_default())
}

/// A file to be kept, or a page to be printed.
pub fn file_response(bytes: Vec<u8>, format: ExportFormat, name: &str) -> Response {
    let (kind, end) = match format {
        ExportFormat::Xlsx => (
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "xlsx",
        ),
        ExportFormat::Csv => ("text/csv; charset=utf-8", "csv"),
        ExportFormat::Pdf => ("application/pdf", "pdf"),
        ExportFormat::Html => ("text/html; charset=utf-8", "html"),
        ExportFormat::Json => ("application/json", "json"),
    };
    let way = if format == ExportFormat::Html {
        "inline"
    } else {
        "attachment"
    };
    let mut response = (
        [
            (CONTENT_TYPE, HeaderValue::from_static(kind)),
            (CONTENT_DISPOSITION, disposition(way, name, end)),
        ],
        bytes,
    )
        .into_response();
    if format == ExportFormat::Html {
        response.headers_mut().insert(
            CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(PAGE_POLICY),
        );
    }
    response.headers_mut().insert(
        HeaderName::from_static("x-robots-tag"),
        HeaderValue::from_static("noindex"),
    );
    response
}

/// A name for old programs in plain letters, and the full one (RFC 6266).
pub fn disposition(way: &str, name: &str, end: &str) -> HeaderValue {
    let name: String = name
        .chars()
        .map(|c| match c {
            '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => '-',
            c if c.is_control() => '-',
            c => c,
        })
        .take(FILE_NAME)
        .collect();
    let plain: String = lophoc_ledger::fold_name(&name)
        .chars()
        .map(|c| match c {
            c if c.is_ascii_alphanumeric() => c,
            _ => '-',
        })
        .collect();
    let plain = plain
        .split('-')
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join("-");
    let full: String = format!("{name}.{end}")
        .bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect();
    let text = format!("{way}; filename=\"{plain}.{end}\"; filename*=UTF-8''{full}");
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("attachment"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_are_safe_in_both_spellings() {
        let header = disposition(
            "attachment",
            "Danh sách: \"điểm danh\"\r\nX: y/../z",
            "xlsx",
        );
        let text = header.to_str().unwrap();
        assert!(
            text.starts_with("attachment; filename=\"danh-sach-diem-danh-x-y-z.xlsx\";"),
            "{text}"
        );
        assert!(
            text.contains("filename*=UTF-8''Danh%20s%C3%A1ch-"),
            "{text}"
        );
        assert!(!text.contains('\r') && !text.contains('/'));
    }

    #[test]
    fn only_kinds_and_formats_there_are_have_an_address() {
        assert_eq!(
            parse("session.xlsx", &OF_SESSION),
            Ok((ExportKind::Session, ExportFormat::Xlsx))
        );
        for file in [
            "session",
            "session.exe",
            "../x.pdf",
            "classSummary.pdf",
            ".",
            "",
        ] {
            assert_eq!(
                parse(file, &OF_SESSION),
                Err(ApiFault::not_found()),
                "{file}"
            );
        }
    }
}
