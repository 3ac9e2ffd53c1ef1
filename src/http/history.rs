//! `/api/v1/projects/{id}/history`: every state that a project was in, and who said so.

use axum::Json;
use axum::extract::{Path, State};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::AppState;
use super::ask::{self, Params};
use super::auth::Session;
use crate::db::history;
use crate::db::reports::Person;
use crate::error::{Error, Result};

/// Routes of this resource.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(get_history))
}

/// A state that a project was in.
#[derive(Debug, Serialize, ToSchema)]
pub struct HistoryRow {
    /// Version of the project.
    pub version: i32,
    /// True from this day.
    pub effective_on: NaiveDate,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// By whom; null for what was loaded.
    pub recorded_by: Option<Person>,
    /// State.
    pub state: String,
    /// Cumulative percentage.
    pub percent: f64,
    /// Yuan.
    pub invested_yuan: String,
    /// Yuan.
    pub paid_yuan: String,
    /// Why, where a reason was given.
    pub reason: String,
    /// The report that brought it.
    pub report_id: Option<uuid::Uuid>,
    /// When it was approved.
    pub approved_at: Option<DateTime<Utc>>,
    /// When it was declared void: it holds no more.
    pub voided_at: Option<DateTime<Utc>>,
    /// Why it was declared void.
    pub void_reason: Option<String>,
}

/// A page of the history.
#[derive(Debug, Serialize, ToSchema)]
pub struct HistoryPage {
    /// Newest first.
    pub items: Vec<HistoryRow>,
    /// Cursor of the next page; null on the last.
    pub next_cursor: Option<String>,
    /// Rows of the whole history.
    pub total: i64,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct HistoryQuery {
    /// Cursor of the page before.
    cursor: Option<String>,
    /// Rows of a page, 1 to 200; 50 when left out.
    limit: Option<String>,
}

/// Every state of a project, voided ones too. For those who are signed in.
#[utoipa::path(
    get, path = "/api/v1/projects/{id}/history", tag = "projects",
    params(("id" = String, Path, description = "Identity of the project"), HistoryQuery),
    responses(
        (status = 200, body = HistoryPage),
        (status = 401, description = "sign_in_required"),
        (status = 404, description = "not_found"),
    ),
)]
async fn get_history(
    State(state): State<AppState>,
    _session: Session,
    Path(id): Path<String>,
    Params(query): Params<HistoryQuery>,
) -> Result<Json<HistoryPage>> {
    let id = ask::id(&id, "项目", "project")?;
    let limit = ask::limit(query.limit.as_deref(), 50)?;
    let list = format!("history|{id}");
    let below: Option<i32> = ask::position(&list, query.cursor.as_deref())?;
    let total = history::count(&state.pool, id).await?;
    if total == 0 && state.ledger.snapshot(&state.pool).await?.project(id).is_none() {
        return Err(Error::not_found("项目", "project"));
    }
    let mut rows = history::of_project(&state.pool, id, below, limit as i64 + 1).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next_cursor = match rows.last() {
        Some(last) if more => Some(ask::cursor(&list, &last.version)?),
        _ => None,
    };
    let items = rows
        .into_iter()
        .map(|r| {
            let (voided_at, void_reason) = r.voided.unzip();
            HistoryRow {
                version: r.version,
                effective_on: r.effective_on,
                recorded_at: r.recorded_at,
                recorded_by: r
                    .recorded_by
                    .map(|(display_name, unit_name)| Person { display_name, unit_name }),
                state: r.state,
                percent: r.percent,
                invested_yuan: r.invested_yuan,
                paid_yuan: r.paid_yuan,
                reason: r.reason,
                report_id: r.report_id,
                approved_at: r.approved_at,
                voided_at,
                void_reason,
            }
        })
        .collect();
    Ok(Json(HistoryPage { items, next_cursor, total }))
}
