//! Attendance of a class: the summary over its sessions, and the log of who
//! looked.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use lophoc_classes::{
    AccessLine, Class, ClassId, Grant, Right, SessionPhase, SummaryLine, SummaryPage,
};
use lophoc_documents::vi;
use lophoc_ledger::{ClassPart, ClassSummary, NameOrder, Report, SessionKey, class_summary};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::routes;

use super::attendance_access::Asked;
use super::attendance_facts::{Facts, Gathered};
use super::error::{ApiFault, Refusal};
use super::extract::{Ask, At};
use super::{Routes, Signed};
use crate::app::App;

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .routes(routes!(summary))
        .routes(routes!(access))
}

/// The sessions of a class with what stands in them, in order, cancelled ones
/// left out.
pub(super) async fn gathered_class(
    app: &App,
    class: &ClassId,
) -> Result<Vec<Arc<Gathered>>, ApiFault> {
    let mut all = Vec::new();
    for session in app.store.lessons(class).await? {
        if session.phase != SessionPhase::Cancelled {
            all.push(app.gathered(&session.id).await?);
        }
    }
    Ok(all)
}

/// The reports of sessions, cut to a grant.
pub(super) fn reports(
    sessions: &[Arc<Gathered>],
    grant: &Grant,
) -> Vec<(SessionKey, bool, Report)> {
    sessions
        .iter()
        .map(|one| {
            let Facts { report, .. } = one.cut(grant);
            (one.session.id.clone(), one.session.form.counts, report)
        })
        .collect()
}

/// The summary of reports.
pub(super) fn summarise(class: &Class, reports: &[(SessionKey, bool, Report)]) -> ClassSummary {
    let parts: Vec<ClassPart<'_>> = reports
        .iter()
        .map(|(session, counts, report)| ClassPart {
            session,
            counts: *counts,
            report,
        })
        .collect();
    class_summary(&parts, &class.plan.rules, NameOrder::default())
}

/// Attendance of a class over its sessions, of the people the asker may see.
#[utoipa::path(get, path = "/classes/{id}/summary", tag = "attendance",
    security(("cookie" = []), ("token" = [])),
    params(("id" = String, Path, description = "Class")),
    responses((status = 200, body = SummaryPage), (status = 403, body = Refusal), (status = 404, body = Refusal)))]
async fn summary(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<ClassId>,
) -> Result<Json<SummaryPage>, ApiFault> {
    let (asked, class) = Asked::class(&app, signed, &id).await?;
    let grant = asked.need(Right::SeeAttendance)?;
    let _place = app.attendance.heavy().await?;
    let sessions = gathered_class(&app, &id).await?;
    asked.log(&app, "view", &grant).await?;
    let page = tokio::task::spawn_blocking(move || {
        let reports = reports(&sessions, &grant);
        let summary = summarise(&class, &reports);
        let rows = summary.rows.iter().map(line).collect();
        let units = summary
            .units
            .iter()
            .map(|unit| lophoc_ledger::UnitTotals {
                unit: unit.unit.clone(),
                totals: unit.turns,
            })
            .collect::<Vec<_>>();
        SummaryPage {
            sessions: sessions.iter().map(|one| one.session.clone()).collect(),
            rows,
            units: super::attendance::lines(&units),
            class,
        }
    })
    .await
    .map_err(|_| ApiFault::internal())?;
    Ok(Json(page))
}

fn line(row: &lophoc_ledger::ClassRow) -> SummaryLine {
    SummaryLine {
        person: row.person.clone(),
        name: row.name.clone(),
        unit: row.unit.clone().unwrap_or_default(),
        marks: row
            .cells
            .iter()
            .map(|cell| cell.mark.letter().to_owned())
            .collect(),
        minutes: row
            .cells
            .iter()
            .map(|cell| u32::try_from(vi::minutes(cell.present_ms)).unwrap_or(u32::MAX))
            .collect(),
        attended: row.attended,
        sessions_permille: row.sessions_permille,
        minutes_permille: row.minutes_permille,
        eligible: row.eligible,
    }
}

/// Which lines of the log.
#[derive(Debug, Deserialize, IntoParams)]
struct From {
    /// First line, from the latest on.
    #[serde(default)]
    from: u32,
}

/// Who looked at, changed or took out the attendance of a class, latest first,
/// 500 lines at most.
#[utoipa::path(get, path = "/classes/{id}/access", tag = "attendance",
    security(("cookie" = []), ("token" = [])),
    params(("id" = String, Path, description = "Class"), From),
    responses((status = 200, body = Vec<AccessLine>), (status = 403, body = Refusal), (status = 404, body = Refusal)))]
async fn access(
    State(app): State<Arc<App>>,
    signed: Signed,
    At(id): At<ClassId>,
    Ask(ask): Ask<From>,
) -> Result<Json<Vec<AccessLine>>, ApiFault> {
    let (asked, _) = Asked::class(&app, signed, &id).await?;
    asked.need_all(Right::SeeAccessLog)?;
    Ok(Json(
        app.store.access_lines(&id, u64::from(ask.from)).await?,
    ))
}
