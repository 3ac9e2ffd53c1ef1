//! `/api/openapi.json` and the page that reads it. The page needs nothing from elsewhere and no
//! inline script.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};

use super::AppState;

/// The description of the API and its page.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/openapi.json", get(|| async { Json(super::openapi()) }))
        .route("/api/docs", get(|| file("text/html; charset=utf-8", include_str!("docs/index.html"))))
        .route("/api/docs.js", get(|| file("text/javascript; charset=utf-8", include_str!("docs/docs.js"))))
        .route("/api/docs.css", get(|| file("text/css; charset=utf-8", include_str!("docs/docs.css"))))
        .route("/api/errors.json", get(|| async { Json(errors()) }))
}

async fn file(kind: &'static str, text: &'static str) -> Response {
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
