//! `/api/v1/projects/{id}/reports`: reporting progress.

use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::AppState;
use super::auth::{Body, IdempotencyKey, IfMatch, WriteSession};
use crate::app;
use crate::app::report_progress::{Command, correct_report};
use crate::db::idempotency::{Answer, Repeatable};
use crate::db::reports::Report;
use crate::domain::progress::Draft;
use crate::error::{Error, FieldError, Result};

/// Routes of this resource.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(report))
}

/// What a clerk reports: cumulative figures as of a day.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReport {
    /// The day the figures speak of (截至), not after today.
    effective_on: NaiveDate,
    /// Quantities done so far; an item left out stays as it was.
    items: Vec<NewItem>,
    /// Cumulative investment done, yuan, as a decimal string.
    #[serde(default)]
    #[schema(example = "812300.00")]
    invested_yuan: Option<String>,
    /// Cumulative payment, yuan, as a decimal string.
    #[serde(default)]
    paid_yuan: Option<String>,
    /// Needed where a quantity exceeds its plan. At most 2000 characters.
    #[serde(default)]
    note: Option<String>,
    /// The returned report that this one corrects. Left out, it is the project's newest report
    /// when that was returned.
    #[serde(default)]
    corrects: Option<Uuid>,
}

/// One quantity.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewItem {
    /// Word of the item, as the sector lists it.
    item: String,
    /// Done so far, in the item's unit: a number or a decimal string.
    #[schema(value_type = f64)]
    done: Number,
}

/// A number as people's programs write it: 1.2 or "1.2".
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Number {
    Json(serde_json::Number),
    Text(String),
}

impl Number {
    fn decimal(&self) -> Option<Decimal> {
        let text = match self {
            Self::Json(number) => number.to_string(),
            Self::Text(text) => text.trim().to_owned(),
        };
        text.parse().ok().or_else(|| Decimal::from_scientific(&text).ok())
    }
}

/// The answer to a write: the report, where its project stands now, and the change's sequence.
#[derive(Debug, Serialize, ToSchema)]
pub struct Written {
    report: Report,
    project: WrittenProject,
    /// Sequence of the change: tiles asked for with `min_seq` of it show the change.
    seq: i64,
}

/// A project after a write.
#[derive(Debug, Serialize, ToSchema)]
pub struct WrittenProject {
    id: Uuid,
    /// For the next If-Match.
    version: i32,
    state: String,
    status: String,
    percent: f64,
    /// 预警等级; null when cancelled.
    light: Option<String>,
}

impl NewReport {
    /// What the domain checks.
    ///
    /// # Errors
    /// `invalid` naming every figure that is no number.
    fn draft(&self) -> Result<Draft> {
        let mut errors = Vec::new();
        let mut no_number = |field: String| {
            errors.push(FieldError {
                field,
                message: "不是有效的数字。".into(),
                message_en: "Not a number.".into(),
            });
        };
        let mut items = Vec::new();
        for NewItem { item, done } in &self.items {
            match done.decimal() {
                Some(done) => items.push((item.clone(), done)),
                None => no_number(format!("items.{item}")),
            }
        }
        let mut money = |field: &str, text: &Option<String>| {
            let text = text.as_deref().map(str::trim).filter(|t| !t.is_empty())?;
            let parsed = text.parse::<Decimal>().ok();
            if parsed.is_none() {
                no_number(field.to_owned());
            }
            parsed
        };
        let invested_yuan = money("invested_yuan", &self.invested_yuan);
        let paid_yuan = money("paid_yuan", &self.paid_yuan);
        if !errors.is_empty() {
            return Err(Error::invalid(errors));
        }
        Ok(Draft {
            effective_on: self.effective_on,
            items,
            invested_yuan,
            paid_yuan,
            note: self.note.clone().unwrap_or_default(),
        })
    }
}

/// Report progress
///
/// Cumulative quantities as of a day; the percentage follows. Open to accounts with the
/// capability `report_progress` in the project's area and sector. A returned report is corrected
/// by a new one that names it in `corrects`; the returned one stays as it was.
#[utoipa::path(post, path = "/api/v1/projects/{id}/reports", tag = "reports", request_body = NewReport,
    params(("id" = Uuid, Path, description = "Project"),
        ("If-Match" = String, Header, description = "Version of the project, \"v7\""),
        ("Idempotency-Key" = String, Header, description = "8 to 128 characters, new for each new report"),
        ("X-CSRF-Token" = String, Header, description = "csrf_token of the session")),
    responses((status = 201, body = Written, headers(("ETag" = String, description = "New version"))),
        (status = 401, description = "sign_in_required"),
        (status = 403, description = "outside_area, outside_sector, role_missing, foreign_origin"),
        (status = 404, description = "not_found"), (status = 409, description = "transition_refused"),
        (status = 412, description = "stale_version, with current and changed"),
        (status = 422, description = "invalid, cumulative_falls, report_back_dated, idempotency_key_reused"),
        (status = 428, description = "if_match_required")))]
async fn report(
    State(state): State<AppState>,
    Path(id): Path<String>,
    WriteSession(session): WriteSession,
    IfMatch(expected_version): IfMatch,
    IdempotencyKey(key): IdempotencyKey,
    body: Body<NewReport>,
) -> Result<Response> {
    let project = parse_id(&id, "项目", "project")?;
    let draft = body.value.draft()?;
    let corrects = body.value.corrects;
    let command = Command {
        request: app::Request {
            repeatable: Repeatable {
                account: session.account.id,
                key,
                operation: format!("POST /api/v1/projects/{project}/reports"),
                body_sha256: body.sha256,
            },
            account: session.account,
            expected_version,
            clock: state.clock.clone(),
        },
        project,
        draft,
    };
    Ok(written(correct_report(&state.pool, command, corrects).await?))
}

/// An id of the path; one that is no UUID names nothing.
pub(super) fn parse_id(id: &str, what: &str, what_en: &str) -> Result<Uuid> {
    Uuid::parse_str(id).map_err(|_| Error::not_found(what, what_en))
}

/// The answer of a write as it goes out, the first time and every time it is repeated.
pub(super) fn written(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = (status, answer.body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(etag) = answer.etag.and_then(|tag| HeaderValue::from_str(&tag).ok()) {
        headers.insert(header::ETAG, etag);
    }
    if answer.repeated {
        headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
    }
    response
}
