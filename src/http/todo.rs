//! `/api/v1/todo`: 我的待办, what a clerk has to do.

use axum::Json;
use axum::extract::State;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::AppState;
use super::ask::{self, Params};
use super::auth::Session;
use super::programme::Reporting;
use super::projects::words::{self, ReasonWords};
use super::projects::{self, ProjectRow};
use crate::db::ledger::{Group, TodoAsk, TodoKey};
use crate::db::settings;
use crate::db::todo::{self, QuantityLine, ReturnNote};
use crate::domain::permit::ReportProgress;
use crate::domain::scope::scope;
use crate::error::Result;

/// Routes of this resource.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(get_todo))
}

/// One thing to do: a project and why it is on the list.
#[derive(Debug, Serialize, ToSchema)]
pub struct TodoItem {
    /// returned (退回修改), due (本期未报), late (滞后) or waiting (待审核)
    group: &'static str,
    /// The day by which it is to be done; the day itself is still in time.
    due_on: Option<NaiveDate>,
    /// Days until then by the business date; negative when overdue.
    days_left: Option<i64>,
    /// First day of the period that the next report is for.
    period_first: Option<NaiveDate>,
    /// Last day of it.
    period_last: Option<NaiveDate>,
    /// The project.
    project: ProjectRow,
    /// The rule that decided its light: past_due, lag, start_late, no_update, never_reported,
    /// within_plan or not_due_yet.
    light_rule: &'static str,
    /// Days that the rule counts, where it does.
    light_days: Option<i64>,
    /// The same in words, with threshold and document.
    light_reason: ReasonWords,
    /// Its quantities: planned, and done as the newest standing report says.
    quantities: Vec<QuantityLine>,
    /// Why its newest report came back, in the group returned.
    returned: Option<ReturnNote>,
}

/// How many projects each group has, in the whole scope whatever group is asked for. A project may
/// belong to several; the list shows it once, in the first.
#[derive(Debug, Serialize, ToSchema)]
pub struct TodoCounts {
    /// To be corrected.
    returned: u64,
    /// Without a report in a period that has begun.
    due: u64,
    /// Of these, past the deadline.
    overdue: u64,
    /// Red light.
    late: u64,
    /// Reported, not yet reviewed.
    waiting: u64,
    /// Projects that report at present.
    reporting: u64,
    /// Of these, with a report for the present period.
    reported: u64,
}

/// A page of the list: returned, then due, then late; the most urgent first.
#[derive(Debug, Serialize, ToSchema)]
pub struct TodoPage {
    /// The business date that deadlines are counted from.
    business_date: NaiveDate,
    /// When is reported.
    reporting: Reporting,
    /// Counts of all groups.
    counts: TodoCounts,
    /// Rows.
    items: Vec<TodoItem>,
    /// Cursor of the next page; null on the last.
    next_cursor: Option<String>,
    /// Rows of the whole list.
    total: u64,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct TodoQuery {
    /// returned, due, late or waiting. Left out: what is to be done of the first three.
    group: Option<String>,
    /// Code of an area within the asker's.
    area: Option<String>,
    /// One of the asker's sectors.
    sector: Option<String>,
    /// Cursor of the page before.
    cursor: Option<String>,
    /// Rows of a page, 1 to 200; 50 when left out.
    limit: Option<String>,
}

/// What the asker has to do
///
/// For accounts with the capability `report_progress`: projects of their areas and sectors whose
/// report was returned, is missing in a period that has begun, or whose light is red.
#[utoipa::path(
    get, path = "/api/v1/todo", tag = "reports", params(TodoQuery),
    responses(
        (status = 200, body = TodoPage),
        (status = 400, description = "bad_request"),
        (status = 401, description = "sign_in_required"),
        (status = 403, description = "role_missing, outside_area, outside_sector"),
        (status = 404, description = "not_found: no such area"),
    ),
)]
async fn get_todo(
    State(state): State<AppState>,
    session: Session,
    Params(query): Params<TodoQuery>,
) -> Result<Json<TodoPage>> {
    let today = state.clock.business_date();
    let limit = ask::limit(query.limit.as_deref(), 50)?;
    let group = match ask::words("group", query.group.as_deref(), Group::parse)?.as_slice() {
        [] => None,
        [one] => Some(*one),
        _ => return Err(ask::bad_request("参数 group 只能有一个。", "Parameter group takes one group.")),
    };
    let (area, sector) =
        ask::place_and_sector(&state, query.area.as_deref(), query.sector.as_deref()).await?;
    let scope = scope::<ReportProgress>(&session.account, area.as_ref(), sector)?;
    // The cursor fits only the list that it came from.
    let list = format!("todo|{}|{group:?}|{:?}|{sector:?}", session.account.id, query.area);
    let after: Option<TodoKey> = ask::position(&list, query.cursor.as_deref())?;

    let settings = settings::on(&state.pool, today).await?;
    let (rule, limits) = (settings.reporting(), settings.thresholds());
    let ledger = state.ledger.snapshot(&state.pool).await?;
    let found = ledger.todo(
        |project| scope.holds(&project.path, project.sector),
        &TodoAsk { rule: &rule, limits: &limits, today, group, after, limit },
    );
    let next_cursor = found.next.as_ref().map(|key| ask::cursor(&list, key)).transpose()?;

    let judged: Vec<_> = found.rows.iter().map(|task| task.judged.clone()).collect();
    let ids: Vec<Uuid> = judged.iter().map(|j| j.project.id).collect();
    let reports: Vec<Uuid> =
        judged.iter().filter_map(|j| j.project.returned).map(|returned| returned.report).collect();
    let mut db = state.pool.acquire().await?;
    let mut quantities = todo::quantities(&mut db, &ids).await?;
    let mut returns = todo::returns(&mut db, &reports).await?;
    drop(db);
    let rows = projects::rows(&state, &ledger, &judged, false).await?;
    let items = rows
        .into_iter()
        .filter_map(|row| {
            // A project that went away between the two looks is left out of both.
            let task = found.rows.iter().find(|task| task.judged.project.id == row.id)?;
            let reason = &task.judged.reason;
            let (light_rule, light_days) = reason.rule();
            Some(TodoItem {
                light_rule,
                light_days,
                light_reason: words::reason(reason, &settings),
                group: task.group.as_str(),
                due_on: task.due_on,
                days_left: task.due_on.map(|day| (day - today).num_days()),
                period_first: task.period.map(|p| p.first),
                period_last: task.period.map(|p| p.last),
                quantities: quantities.remove(&row.id).unwrap_or_default(),
                returned: returns.remove(&row.id),
                project: row,
            })
        })
        .collect();
    let counts = found.counts;
    Ok(Json(TodoPage {
        business_date: today,
        reporting: Reporting::of(&settings, today),
        counts: TodoCounts {
            returned: counts.returned,
            due: counts.due,
            overdue: counts.overdue,
            late: counts.late,
            waiting: counts.waiting,
            reporting: counts.reporting,
            reported: counts.reported,
        },
        items,
        next_cursor,
        total: found.total,
    }))
}
