//! `/api/v1`: records over HTTP. One file per slice; every slice says what it
//! needs and refuses in the same shape ([`ApiFault`]). The description at
//! `/api/v1/openapi.json` is made from the same routes.
//!
//! Who asks is settled by the extractors of [`actor`]; what he may do by
//! [`classes`] and `attendance_access`, from the table in `lophoc_classes`.

mod accounts;
mod actor;
mod attendance;
mod attendance_access;
mod attendance_class;
mod attendance_facts;
mod attendance_state;
mod boards;
mod bundle;
mod captions;
mod check;
mod check_in;
mod classes;
mod console;
mod desk;
mod error;
mod exports;
mod extract;
mod hall;
mod imports;
mod openapi;
mod people;
mod recordings;
mod report;
mod sheets;
mod sign_in;
mod text;
mod tokens;
mod units;
mod verify;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use utoipa_axum::router::OpenApiRouter;

pub use accounts::checked_login;
pub use actor::{
    How, Signed, SignedInRoom, cookie_named, need_admin, person_signed_in, person_with_cookie,
};
pub use attendance_state::AttendanceState;
pub use check::CheckState;
pub(crate) use classes::{Maker, ics, least_ask, plan_of};
pub use error::ApiFault;
pub use exports::Source;
pub use extract::Caller;
pub use imports::Imports;
pub use openapi::document;
pub use people::mask;
pub use verify::{MAX_FILE, judge};

use crate::app::App;

/// Routes of a slice, with their descriptions.
pub type Routes = OpenApiRouter<Arc<App>>;

/// Largest body of a call whose route sets no limit of its own, bytes. A route
/// sets one by `.layer(DefaultBodyLimit::max(…))` on its slice or method router.
pub const MAX_BODY: usize = 64 * 1024;

/// Entries of one page of a list.
pub const PAGE: u32 = 50;

/// All routes below `/api/v1`.
pub fn router(app: &Arc<App>) -> Router<Arc<App>> {
    let (routes, _) = described().split_for_parts();
    routes
        .route("/api/v1/{*rest}", any(nothing_here))
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(Arc::clone(app), guard))
}

/// All slices with their description.
fn described() -> Routes {
    let slices = Routes::new()
        .merge(openapi::routes())
        .merge(sign_in::routes())
        .merge(accounts::routes())
        .merge(tokens::routes())
        .merge(people::routes())
        .merge(units::routes())
        .merge(classes::routes())
        .merge(imports::routes())
        .merge(attendance::routes())
        .merge(exports::routes())
        .merge(boards::routes())
        .merge(captions::routes())
        .merge(report::routes())
        .merge(check_in::routes())
        .merge(check::routes())
        .merge(console::routes())
        .merge(recordings::routes());
    Routes::with_openapi(openapi::frame()).nest("/api/v1", slices)
}

/// Calls of one address within its rate, and no page of another site.
async fn guard(
    State(app): State<Arc<App>>,
    caller: Caller,
    request: Request,
    next: Next,
) -> Response {
    // By the clock that is never set: a step back must not lock anybody out.
    if !app.api_rate.take(caller.address, app.clock.now().mono_ms) {
        app.metrics.limited.inc();
        return ApiFault::rate_limited(None).into_response();
    }
    next.run(request).await
}

async fn nothing_here() -> ApiFault {
    ApiFault::not_found()
}

async fn wrong_method() -> ApiFault {
    ApiFault::new(StatusCode::METHOD_NOT_ALLOWED, "badRequest")
}
