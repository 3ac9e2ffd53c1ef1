//! `/healthz` (alive), `/readyz` (able to serve) and `/metrics`.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use sqlx::Row;

use super::AppState;

/// The process lives. Asks nobody, so that a slow database does not get the program killed.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// The database answers and the map is loaded.
pub async fn readyz(State(state): State<AppState>) -> Response {
    let ask =
        sqlx::query_scalar::<_, i64>("SELECT coalesce(max(seq), 0) FROM change_feed").fetch_one(&state.pool);
    let (status, body) = match tokio::time::timeout(Duration::from_secs(3), ask).await {
        Ok(Ok(feed_seq)) => {
            let atlas_seq = state.map.seq();
            (
                StatusCode::OK,
                json!({"ready": true, "database": "ok", "feed_seq": feed_seq, "atlas_seq": atlas_seq,
                       "behind": (feed_seq - atlas_seq).max(0)}),
            )
        }
        Ok(Err(error)) => {
            tracing::warn!(%error, "not ready: the database does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, json!({"ready": false, "database": "error"}))
        }
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, json!({"ready": false, "database": "timeout"})),
    };
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

/// Counters in the text format of Prometheus.
pub async fn metrics(State(state): State<AppState>) -> impl IntoResponse {
    state.metrics.pool(state.pool.size(), state.pool.num_idle());
    // Sessions of our role only: that is what this role may see.
    let ask = sqlx::query(
        "SELECT count(*) AS waiting,
                coalesce(max(extract(epoch FROM clock_timestamp() - state_change)), 0)::float8 AS longest
           FROM pg_stat_activity
          WHERE wait_event_type = 'Lock' AND datname = current_database() AND usename = current_user",
    )
    .fetch_one(&state.pool);
    if let Ok(Ok(row)) = tokio::time::timeout(Duration::from_secs(1), ask).await {
        let longest: f64 = row.try_get("longest").unwrap_or_default();
        state.metrics.locks(
            row.try_get("waiting").unwrap_or_default(),
            Duration::try_from_secs_f64(longest.max(0.0)).unwrap_or_default(),
        );
    }
    (
        [(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")],
        state.metrics.encode(),
    )
}
