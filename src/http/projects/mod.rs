//! `/api/v1/projects`: the ledger (台账) and one project.

mod detail;
pub mod words;

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::AppState;
use super::ask::{self, Named, Params, Viewer};
use crate::db::ledger::{Filter, Judged, Page, Snapshot, Sort, SortKey};
use crate::db::projects::{self, RowRest};
use crate::db::settings;
use crate::domain::lights::{Light, Status};
use crate::domain::sector::Sector;
use crate::error::Result;

/// Routes of this resource.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list_projects)).routes(routes!(detail::get_project))
}

/// A row of the ledger. Fields that the public does not see are null for it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ProjectRow {
    /// Identity.
    pub id: Uuid,
    /// Feature id in tiles.
    pub fid: i64,
    /// Number in the project library (项目库).
    pub code: String,
    /// Name.
    pub name: String,
    /// road, water, relocation, housing, power or clean_village
    pub sector: &'static str,
    /// new, upgrade, …
    pub kind: String,
    /// The smallest area that holds it.
    pub area: Named,
    /// Its county; its city where there are no counties.
    pub county: Named,
    /// Unit responsible.
    pub unit: Option<String>,
    /// State of the lifecycle.
    pub state: &'static str,
    /// not_started, under_way, completed, done or cancelled
    pub status: &'static str,
    /// done, late, warn, ok, todo or none (under way, never reported); null when cancelled.
    pub light: Option<&'static str>,
    /// 形象进度, cumulative.
    pub percent: f64,
    /// What the plan asks for on the day.
    pub planned_percent: Option<f64>,
    /// Planned minus reported in percentage points; negative when ahead; null where nothing was
    /// reported, or the work is finished.
    pub lag_pp: Option<f64>,
    /// Days since the plan asked for no more than was reached.
    pub lag_days: Option<i64>,
    /// 计划开工
    pub planned_start_on: NaiveDate,
    /// 计划完工
    pub planned_finish_on: NaiveDate,
    /// The day the newest report speaks of.
    pub last_reported_on: Option<NaiveDate>,
    /// Yuan; null is not stated.
    pub total_investment_yuan: Option<String>,
    /// A report waits for review.
    pub pending_review: bool,
    /// A point on it.
    pub center: Option<[f64; 2]>,
    /// West, south, east, north.
    pub bbox: Option<[f64; 4]>,
    /// Value of If-Match.
    pub version: i32,
}

/// How many projects there would be with another choice: each of the three leaves its own filter
/// out and obeys all others.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProjectCounts {
    /// By status.
    pub status: BTreeMap<&'static str, u64>,
    /// By light.
    pub light: BTreeMap<&'static str, u64>,
    /// By sector.
    pub sector: BTreeMap<&'static str, u64>,
}

/// A page of the ledger.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProjectPage {
    /// Rows.
    pub items: Vec<ProjectRow>,
    /// Cursor of the next page; null on the last.
    pub next_cursor: Option<String>,
    /// Rows of the whole list.
    pub total: u64,
    /// For the filters.
    pub counts: ProjectCounts,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Code of an area; everything below it counts.
    area: Option<String>,
    /// Sectors, separated by commas.
    sector: Option<String>,
    /// not_started, under_way, completed, done, cancelled; separated by commas.
    status: Option<String>,
    /// done, late, warn, ok, todo, none; separated by commas. Staff only.
    light: Option<String>,
    /// Year of the plan.
    year: Option<String>,
    /// Part of the name, or the beginning of the project's code or of a route's.
    q: Option<String>,
    /// code, name, percent, light (the worst first), lag, planned_finish_on; reversed with `-`.
    sort: Option<String>,
    /// The state of this day, YYYY-MM-DD.
    at: Option<String>,
    /// Cursor of the page before.
    cursor: Option<String>,
    /// Rows of a page, 1 to 200; 50 when left out.
    limit: Option<String>,
}

/// Projects, filtered, sorted, counted and paged.
#[utoipa::path(
    get, path = "/api/v1/projects", tag = "projects", params(ListQuery),
    responses(
        (status = 200, body = ProjectPage),
        (status = 400, description = "bad_request, bad_date"),
        (status = 404, description = "not_found: no such area"),
    ),
)]
async fn list_projects(
    State(state): State<AppState>,
    viewer: Viewer,
    Params(query): Params<ListQuery>,
) -> Result<Json<ProjectPage>> {
    let today = state.clock.business_date();
    let at = ask::at(query.at.as_deref(), today)?;
    let limit = ask::limit(query.limit.as_deref(), 50)?;
    let sectors = ask::words("sector", query.sector.as_deref(), Sector::parse)?;
    let statuses = ask::words("status", query.status.as_deref(), Status::parse)?;
    let lights = ask::words("light", query.light.as_deref(), Light::parse)?;
    let (sort, reversed) = sort(query.sort.as_deref())?;
    let year = year(query.year.as_deref())?;
    let text = query.q.as_deref().map(str::trim).filter(|t| !t.is_empty()).map(str::to_lowercase);
    let public = viewer.is_public();
    if public && (!lights.is_empty() || matches!(sort, Sort::Light | Sort::Lag)) {
        return Err(ask::bad_request("预警等级须登录后查看。", "Lights are for those who are signed in."));
    }

    // The cursor fits only the list that it came from.
    let list = format!(
        "projects|{public}|{:?}|{sectors:?}|{statuses:?}|{lights:?}|{year:?}|{text:?}|{sort:?}|{reversed}|{at:?}",
        query.area,
    );
    let after = ask::position::<(SortKey, String)>(&list, query.cursor.as_deref())?;

    let ledger = state.ledger.snapshot(&state.pool).await?;
    let path = match query.area.as_deref().filter(|a| !a.is_empty()) {
        Some(code) => Some(ledger.area_by_code(code)?.path.clone()),
        None => None,
    };
    let limits = settings::on(&state.pool, at.unwrap_or(today)).await?.thresholds();
    let filter = Filter {
        path: path.as_deref(),
        sectors: &sectors,
        statuses: &statuses,
        lights: &lights,
        year,
        text: text.as_deref(),
        at,
        day: at.unwrap_or(today),
        public,
    };
    let page =
        Page { sort, reversed, after: after.as_ref().map(|(k, code)| (k.clone(), code.as_str())), limit };
    let found = ledger.list(&filter, &limits, &page);
    let next_cursor = match (found.next, found.rows.last()) {
        (Some(key), Some(last)) => Some(ask::cursor(&list, &(key, &last.project.code))?),
        _ => None,
    };
    Ok(Json(ProjectPage {
        items: rows(&state, &ledger, &found.rows, public).await?,
        next_cursor,
        total: found.total,
        counts: ProjectCounts {
            status: found.counts.status,
            light: found.counts.light,
            sector: found.counts.sector,
        },
    }))
}

fn sort(word: Option<&str>) -> Result<(Sort, bool)> {
    let Some(word) = word.filter(|w| !w.is_empty()) else { return Ok((Sort::Code, false)) };
    Sort::parse(word).ok_or_else(|| {
        ask::bad_request(
            &format!("不能按“{word}”排序。可用：code、name、percent、light、lag、planned_finish_on。"),
            &format!("Cannot sort by '{word}'."),
        )
    })
}

fn year(text: Option<&str>) -> Result<Option<i16>> {
    let Some(text) = text.filter(|t| !t.is_empty()) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| {
        ask::bad_request("参数 year 应为年份，如 2019。", "Parameter year must be a year such as 2019.")
    })
}

/// Rows of judged projects, in their order.
pub(super) async fn rows(
    state: &AppState,
    ledger: &Snapshot,
    judged: &[Judged],
    public: bool,
) -> Result<Vec<ProjectRow>> {
    let ids: Vec<Uuid> = judged.iter().map(|j| j.project.id).collect();
    let mut rest = projects::rest_of_rows(&state.pool, &ids, public).await?;
    // One that was taken out between the two looks is left out of the page.
    Ok(judged
        .iter()
        .filter_map(|j| rest.remove(&j.project.id).map(|rest| row(ledger, j, rest, public)))
        .collect())
}

/// A row. What the public sees is an allow-list: everything else is set for staff alone.
pub(super) fn row(ledger: &Snapshot, judged: &Judged, rest: RowRest, public: bool) -> ProjectRow {
    let project = &judged.project;
    let nowhere = Named { code: String::new(), name: String::new() };
    let area = ledger.chain(&project.path).last();
    let county =
        ledger.on_path(&project.path, "county").or_else(|| ledger.on_path(&project.path, "city")).or(area);
    let staff = !public;
    ProjectRow {
        id: project.id,
        fid: rest.fid,
        code: project.code.clone(),
        name: project.name.clone(),
        sector: project.sector.as_str(),
        kind: rest.kind,
        area: area.map_or_else(|| nowhere.clone(), Named::from),
        county: county.map_or(nowhere, Named::from),
        unit: rest.unit,
        state: judged.standing.state.as_str(),
        status: judged.standing.progress.status.as_str(),
        light: judged.light.filter(|_| staff).map(Light::as_str),
        percent: judged.standing.progress.percent.value(),
        planned_percent: staff.then(|| judged.planned.value()),
        lag_pp: judged.lag.filter(|_| staff).map(|lag| lag.points.value()),
        lag_days: judged.lag.filter(|_| staff).map(|lag| lag.days),
        planned_start_on: project.plan.planned_start,
        planned_finish_on: project.plan.planned_finish,
        last_reported_on: judged.standing.progress.last_reported_on,
        total_investment_yuan: rest.total_investment_yuan,
        pending_review: staff && project.pending_review,
        center: rest.ground.center,
        bbox: rest.ground.bbox,
        version: rest.version,
    }
}
