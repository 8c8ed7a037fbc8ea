//! The description of the interface, made from the routes.

use std::sync::OnceLock;

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder};
use utoipa_axum::routes;

use super::actor::COOKIE_NAME;
use super::{Routes, described};

static TEXT: OnceLock<String> = OnceLock::new();

pub fn routes() -> Routes {
    Routes::new().routes(routes!(openapi))
}

/// The frame the slices' descriptions are put in.
pub fn frame() -> OpenApi {
    let components = ComponentsBuilder::new()
        .security_scheme(
            "cookie",
            SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(
                COOKIE_NAME,
                "A browser that signed in; unsafe methods also need the header X-Lophoc: 1.",
            ))),
        )
        .security_scheme(
            "token",
            SecurityScheme::Http(
                HttpBuilder::new()
                    .scheme(HttpAuthScheme::Bearer)
                    .description(Some(
                        "A token of the API (lpt_…), or in a room the room's token.",
                    ))
                    .build(),
            ),
        )
        .build();
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Lophoc")
                .version("1")
                .description(Some("Records of classes, people and attendance."))
                .build(),
        )
        .components(Some(components))
        .build()
}

/// The whole description.
pub fn document() -> OpenApi {
    described().into_openapi()
}

/// This description.
#[utoipa::path(get, path = "/openapi.json", tag = "about", responses((status = 200, description = "OpenAPI 3.1 document")))]
async fn openapi() -> impl IntoResponse {
    let text = TEXT.get_or_init(|| document().to_json().unwrap_or_else(|_| "{}".to_owned()));
    ([(CONTENT_TYPE, "application/json")], text.as_str())
}
