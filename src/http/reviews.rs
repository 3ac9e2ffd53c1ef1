//! `/api/v1/reports`: the reviewer's queue, and reviewing.
#![allow(unused_qualifications)] // the OpenAPI macro writes paths in full

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use chrono::DateTime;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::AppState;
use super::auth::{self, Body, IdempotencyKey, IfMatch, Session, WriteSession};
use super::reports::{Written, parse_id, written};
use crate::app;
use crate::app::review_report::{Command, Outcome, review_report};
use crate::db::idempotency::Repeatable;
use crate::db::reports::{self, PendingReport, QueuePosition};
use crate::error::Result;

/// Routes of this resource.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(pending)).routes(routes!(review))
}

/// What a reviewer says.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReview {
    /// approved (审核通过) or returned (退回修改)
    outcome: NewOutcome,
    /// Why; needed to return. At most 2000 characters.
    #[serde(default)]
    reason: String,
}

/// approved or returned
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum NewOutcome {
    Approved,
    Returned,
}

/// Which part of the queue.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct QueueQuery {
    /// Code of an area: reports of its projects only.
    area: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Rows of a page, 1 to 200; 50 when left out.
    limit: Option<i64>,
}

/// A page of the queue, oldest report first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Queue {
    items: Vec<PendingReport>,
    /// Null on the last page.
    next_cursor: Option<String>,
}

/// Reports that wait for the asker's review
///
/// In the areas and sectors where the account may review; its own reports are left out.
#[allow(unused_qualifications)] // in the code that the macro writes
#[utoipa::path(get, path = "/api/v1/reports/pending", tag = "reports", params(QueueQuery),
    responses((status = 200, body = Queue), (status = 401, description = "sign_in_required")))]
async fn pending(
    State(state): State<AppState>,
    session: Session,
    query: Query<QueueQuery>,
) -> Result<Json<Queue>> {
    let Query(query) = query;
    let after = query.cursor.as_deref().map(position).transpose()?;
    let limit = query.limit.unwrap_or(50).clamp(1, 200);
    let mut db = state.pool.acquire().await?;
    let mut items =
        reports::pending(&mut db, session.account.id, query.area.as_deref(), after, limit + 1).await?;
    let more = items.len() as i64 > limit;
    items.truncate(limit as usize);
    let next_cursor = items.last().filter(|_| more).map(|last| {
        auth::encode_cursor(&format!("{}|{}", last.report.recorded_at.timestamp_micros(), last.report.id))
    });
    Ok(Json(Queue { items, next_cursor }))
}

fn position(cursor: &str) -> Result<QueuePosition> {
    let text = auth::decode_cursor(cursor)?;
    text.split_once('|')
        .and_then(|(micros, id)| {
            Some(QueuePosition {
                recorded_at: DateTime::from_timestamp_micros(micros.parse().ok()?)?,
                id: Uuid::parse_str(id).ok()?,
            })
        })
        .ok_or_else(auth::bad_cursor)
}

/// Approve or return a report
///
/// Approved: what the report set counts as 审核数. Returned: it is voided with the reason and the
/// project falls back. Nobody reviews a report of one's own.
#[utoipa::path(post, path = "/api/v1/reports/{id}/review", tag = "reports", request_body = NewReview,
    params(("id" = Uuid, Path, description = "Report"),
        ("If-Match" = String, Header, description = "Version of the report's project, \"v7\""),
        ("Idempotency-Key" = String, Header, description = "8 to 128 characters, new for each new review"),
        ("X-CSRF-Token" = String, Header, description = "csrf_token of the session")),
    responses((status = 200, body = Written, headers(("ETag" = String, description = "New version"))),
        (status = 401, description = "sign_in_required"),
        (status = 403, description = "own_report, outside_area, outside_sector, role_missing, foreign_origin"),
        (status = 404, description = "not_found"),
        (status = 409, description = "already_reviewed, transition_refused"),
        (status = 412, description = "stale_version, with current and changed"),
        (status = 422, description = "invalid, idempotency_key_reused"),
        (status = 428, description = "if_match_required")))]
async fn review(
    State(state): State<AppState>,
    Path(id): Path<String>,
    WriteSession(session): WriteSession,
    IfMatch(expected_version): IfMatch,
    IdempotencyKey(key): IdempotencyKey,
    body: Body<NewReview>,
) -> Result<Response> {
    let report = parse_id(&id, "填报", "report")?;
    let command = Command {
        request: app::Request {
            repeatable: Repeatable {
                account: session.account.id,
                key,
                operation: format!("POST /api/v1/reports/{report}/review"),
                body_sha256: body.sha256,
            },
            account: session.account,
            expected_version,
            clock: state.clock.clone(),
        },
        report,
        outcome: match body.value.outcome {
            NewOutcome::Approved => Outcome::Approved,
            NewOutcome::Returned => Outcome::Returned,
        },
        reason: body.value.reason,
    };
    Ok(written(review_report(&state.pool, command).await?))
}
