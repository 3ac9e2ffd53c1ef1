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
use super::ask;
use super::auth::{self, Body, IdempotencyKey, IfMatch, Session, WriteSession};
use super::reports::{Written, WrittenProject, parse_id, written};
use crate::app;
use crate::app::review_many::{Many, review_many};
use crate::app::review_report::{Command, Outcome, review_report};
use crate::db::idempotency::Repeatable;
use crate::db::reports::{Report, ReportItem};
use crate::db::review_queue::{self, PendingReport, QueueAsk, QueuePosition};
use crate::db::settings;
use crate::db::todo::{self, QuantityLine};
use crate::domain::flags::{self, Figures, Flag};
use crate::domain::permit::ReviewReport;
use crate::domain::scope::scope;
use crate::domain::sector::Sector;
use crate::error::Result;

/// Routes of this resource.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(pending)).routes(routes!(review)).routes(routes!(review_batch))
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

impl From<NewOutcome> for Outcome {
    fn from(outcome: NewOutcome) -> Self {
        match outcome {
            NewOutcome::Approved => Self::Approved,
            NewOutcome::Returned => Self::Returned,
        }
    }
}

/// Which part of the queue.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct QueueQuery {
    /// Code of an area: reports of its projects only.
    area: Option<String>,
    /// One sector.
    sector: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Rows of a page, 1 to 200; 50 when left out.
    limit: Option<i64>,
}

/// A page of the queue, oldest report first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Queue {
    items: Vec<QueueItem>,
    /// Null on the last page.
    next_cursor: Option<String>,
    /// Reports of the whole queue.
    total: i64,
}

/// A report that waits: what it says, what counts so far, and what is worth a second look.
#[derive(Debug, Serialize, ToSchema)]
pub struct QueueItem {
    #[serde(flatten)]
    waiting: PendingReport,
    /// Quantities of the project: planned, and done as the newest standing report says.
    quantities: Vec<QuantityLine>,
    /// Hints, not verdicts: they stop no approval.
    #[schema(value_type = Vec<FlagView>)]
    flags: Vec<Flag>,
}

/// A hint, with the measures that it has: jump (points, days), decrease (item, was, now),
/// backdated (days), over_plan (item, planned, now), money_apart (invested_percent, points),
/// paid_ahead (yuan).
#[derive(Debug, Serialize, ToSchema)]
#[allow(dead_code)] // describes Flag, which the domain keeps free of HTTP
pub struct FlagView {
    /// jump, decrease, backdated, over_plan, money_apart or paid_ahead
    flag: String,
    /// Percentage points.
    points: Option<f64>,
    /// Days.
    days: Option<i64>,
    /// Word of a quantity.
    item: Option<String>,
    /// Quantity approved before.
    was: Option<f64>,
    /// Quantity reported now.
    now: Option<f64>,
    /// Quantity planned.
    planned: Option<f64>,
    /// Share of the investment done.
    invested_percent: Option<f64>,
    /// Yuan.
    yuan: Option<f64>,
}

/// Reports that wait for the asker's review
///
/// In the areas and sectors where the account may review; its own reports are left out. Each with
/// the last approved report of its project and with flags (limits: settings `review_…`).
#[allow(unused_qualifications)] // in the code that the macro writes
#[utoipa::path(get, path = "/api/v1/reports/pending", tag = "reports", params(QueueQuery),
    responses((status = 200, body = Queue), (status = 400, description = "bad_request"),
        (status = 401, description = "sign_in_required"),
        (status = 403, description = "role_missing, outside_area, outside_sector"),
        (status = 404, description = "not_found: no such area")))]
async fn pending(
    State(state): State<AppState>,
    session: Session,
    query: Query<QueueQuery>,
) -> Result<Json<Queue>> {
    let Query(query) = query;
    let after = query.cursor.as_deref().map(position).transpose()?;
    let limit = query.limit.unwrap_or(50).clamp(1, 200);
    let (area, sector) =
        ask::place_and_sector(&state, query.area.as_deref(), query.sector.as_deref()).await?;
    scope::<ReviewReport>(&session.account, area.as_ref(), sector)?;
    let ask = QueueAsk {
        reviewer: session.account.id,
        area: area.as_ref().map(|a| a.code.as_str()),
        sector: sector.map(Sector::as_str),
    };
    let limits = settings::on(&state.pool, state.clock.business_date()).await?.review_limits();
    let mut db = state.pool.acquire().await?;
    let total = review_queue::count(&mut db, ask).await?;
    let mut waiting = review_queue::pending(&mut db, ask, after, limit + 1).await?;
    let more = waiting.len() as i64 > limit;
    waiting.truncate(limit as usize);
    let next_cursor = waiting.last().filter(|_| more).map(|last| {
        auth::encode_cursor(&format!("{}|{}", last.report.recorded_at.timestamp_micros(), last.report.id))
    });
    let ids: Vec<Uuid> = waiting.iter().map(|w| w.project.id).collect();
    let quantities = todo::quantities(&mut db, &ids).await?;
    let items = waiting
        .into_iter()
        .map(|waiting| {
            let quantities = quantities.get(&waiting.project.id).cloned().unwrap_or_default();
            let flags = raised(&waiting, &quantities, &limits);
            QueueItem { waiting, quantities, flags }
        })
        .collect();
    Ok(Json(Queue { items, next_cursor, total }))
}

/// The flags of a report that waits.
fn raised(waiting: &PendingReport, quantities: &[QuantityLine], limits: &flags::Limits) -> Vec<Flag> {
    let pairs = |items: &[ReportItem]| items.iter().map(|i| (i.item.clone(), i.done)).collect();
    let yuan = |text: &Option<String>| review_queue::yuan(text.as_deref());
    let report = &waiting.report;
    let now = Figures {
        effective_on: report.effective_on,
        percent: report.percent,
        invested: yuan(&report.invested_yuan),
        paid: yuan(&report.paid_yuan),
        items: pairs(&report.items),
    };
    let before = waiting.approved.as_ref().map(|b| Figures {
        effective_on: b.effective_on,
        percent: b.percent,
        invested: yuan(&b.invested_yuan),
        paid: yuan(&b.paid_yuan),
        items: pairs(&b.items),
    });
    let context = flags::Context {
        before,
        recorded_on: waiting.recorded_on,
        planned: quantities.iter().map(|q| (q.item.clone(), q.planned)).collect(),
        total: yuan(&waiting.project.total_investment_yuan),
    };
    flags::flags(&now, &context, limits)
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
        outcome: body.value.outcome.into(),
        reason: body.value.reason,
    };
    Ok(written(review_report(&state.pool, command).await?))
}

/// What a reviewer says about several reports.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReviews {
    /// approved (审核通过) or returned (退回修改): the same for all
    outcome: NewOutcome,
    /// Why; needed to return. At most 2000 characters.
    #[serde(default)]
    reason: String,
    /// 1 to 100 reports, each once.
    reports: Vec<ReviewedRow>,
}

/// A report with what the reviewer saw of it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewedRow {
    /// The report.
    id: Uuid,
    /// Version of its project, as the queue showed it: what If-Match is for one report.
    version: i32,
}

/// What became of each report, in the order of the request.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReviewResults {
    results: Vec<ReviewResult>,
    /// Reports that were reviewed.
    done: usize,
    /// Reports that were not.
    refused: usize,
}

/// What became of one report.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReviewResult {
    /// The report.
    id: Uuid,
    /// approved, returned or refused
    outcome: String,
    /// The report after its review; left out when refused.
    report: Option<Report>,
    /// Its project after the review; left out when refused.
    project: Option<WrittenProject>,
    /// Sequence of the change; left out when refused.
    seq: Option<i64>,
    /// Why it was refused: code, title, detail, as a refusal of one report would say. Only then.
    #[schema(value_type = Option<Object>)]
    problem: Option<serde_json::Value>,
}

/// Approve or return several reports
///
/// Each is reviewed by the same rules as alone and says what became of it; one that is refused
/// holds up no other. The whole request is known again by its key.
#[utoipa::path(post, path = "/api/v1/reports/review", tag = "reports", request_body = NewReviews,
    params(("Idempotency-Key" = String, Header, description = "8 to 128 characters, new for each new request"),
        ("X-CSRF-Token" = String, Header, description = "csrf_token of the session")),
    responses((status = 200, body = ReviewResults), (status = 401, description = "sign_in_required"),
        (status = 403, description = "role_missing, foreign_origin"),
        (status = 422, description = "invalid, idempotency_key_reused: nothing was written")))]
async fn review_batch(
    State(state): State<AppState>,
    WriteSession(session): WriteSession,
    IdempotencyKey(key): IdempotencyKey,
    body: Body<NewReviews>,
) -> Result<Response> {
    // Whoever may review nowhere is told so once, not once a row.
    scope::<ReviewReport>(&session.account, None, None)?;
    let many = Many {
        repeatable: Repeatable {
            account: session.account.id,
            key,
            operation: "POST /api/v1/reports/review".into(),
            body_sha256: body.sha256,
        },
        account: session.account,
        clock: state.clock.clone(),
        outcome: body.value.outcome.into(),
        reason: body.value.reason,
        reports: body.value.reports.into_iter().map(|row| (row.id, row.version)).collect(),
    };
    Ok(written(review_many(&state.pool, many).await?))
}
