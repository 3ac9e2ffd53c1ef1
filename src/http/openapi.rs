//! `/api/openapi.json` and the page that reads it. The page needs nothing from elsewhere and no
//! inline script.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};

use utoipa::openapi::{InfoBuilder, LicenseBuilder, OpenApi};

use super::AppState;

/// The description of the API and its page.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/openapi.json", get(|| async { Json(super::openapi()) }))
        .route("/api/docs", get(async || file("text/html; charset=utf-8", include_str!("docs/index.html"))))
        .route(
            "/api/docs.js",
            get(async || file("text/javascript; charset=utf-8", include_str!("docs/docs.js"))),
        )
        .route("/api/docs.css", get(async || file("text/css; charset=utf-8", include_str!("docs/docs.css"))))
        .route("/api/errors.json", get(|| async { Json(errors()) }))
}

/// Puts our own name over what the routes describe.
pub fn described(mut api: OpenApi) -> OpenApi {
    api.info = InfoBuilder::new()
        .title("村通 Cuntong")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "计划、跟踪、核实全省村级基础设施。错误按 RFC 9457 返回，代码见 /api/docs#errors。\n\n\
             Plans, tracks and verifies village infrastructure of a province. Errors follow RFC 9457.",
        ))
        .license(Some(
            LicenseBuilder::new().name("MIT OR Apache-2.0").identifier(Some("MIT OR Apache-2.0")).build(),
        ))
        .build();
    api
}

fn file(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")], text).into_response()
}

/// The registry of error codes.
fn errors() -> Vec<serde_json::Value> {
    crate::error::Code::ALL
        .iter()
        .map(|code| {
            serde_json::json!({ "code": code.as_str(), "status": code.status().as_u16(), "title": code.title() })
        })
        .collect()
}
