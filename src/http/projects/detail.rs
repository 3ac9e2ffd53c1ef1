//! `/api/v1/projects/{id}`: everything about one project, for whoever asks.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::words::{self, ReasonWords};
use super::{ProjectRow, row};
use crate::db::ledger::{Judged, Project, Snapshot};
use crate::db::reports::{self, Report};
use crate::db::{projects, settings};
use crate::domain::lights::Status;
use crate::domain::permit::{Account, Place, ReportProgress, ReviewReport, authorise};
use crate::error::{Error, Result};
use crate::http::AppState;
use crate::http::ask::{self, Viewer};

/// Reports that the detail shows.
const REPORTS: i64 = 20;

/// A quantity, planned and done.
#[derive(Debug, Serialize, ToSchema)]
pub struct Quantity {
    /// Word of the item.
    pub item: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// Chinese unit.
    pub unit_zh: String,
    /// English unit.
    pub unit_en: String,
    /// Digits after the point.
    pub decimals: i16,
    /// Share in the percentage, 0 to 1.
    pub weight: f64,
    /// Planned.
    pub planned: f64,
    /// Done, cumulative.
    pub done: f64,
}

/// A point of the plan curve.
#[derive(Debug, Serialize, ToSchema)]
pub struct MilestonePoint {
    /// Name.
    pub milestone: String,
    /// Planned day.
    pub planned_on: NaiveDate,
    /// Planned cumulative percentage.
    pub planned_percent: f64,
}

/// Money from one source.
#[derive(Debug, Serialize, ToSchema)]
pub struct FundLine {
    /// central, province, city, county, pairing, social or own
    pub source: String,
    /// Yuan.
    pub allocated_yuan: String,
    /// Yuan.
    pub paid_yuan: String,
    /// Document that allocates it.
    pub document_no: String,
}

/// A natural village that the project serves.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServedVillage {
    /// Identity.
    pub id: uuid::Uuid,
    /// Feature id in tiles.
    pub fid: i64,
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Households; null is not known.
    pub households: Option<i32>,
    /// People; null is not known.
    pub people: Option<i32>,
    /// done, under_way or not_started: the service of the project's sector.
    pub status: &'static str,
    /// Since when it has the service.
    pub reached_on: Option<NaiveDate>,
    /// Longitude, latitude.
    pub center: [f64; 2],
}

/// A road segment of the project.
#[derive(Debug, Serialize, ToSchema)]
pub struct SegmentLine {
    /// Feature id in tiles.
    pub fid: i64,
    /// Y419
    pub route: Option<String>,
    /// asphalt, concrete, simple, block, gravel or earth
    pub surface: Option<String>,
    /// Length.
    pub km: f64,
    /// Node at its beginning.
    pub from_node: String,
    /// Node at its end.
    pub to_node: String,
    /// 已硬化
    pub hardened: bool,
}

/// What the one who asks may do, and why not.
#[derive(Debug, Serialize, ToSchema)]
pub struct Permissions {
    /// May report progress.
    pub report: bool,
    /// May review the report that waits.
    pub review: bool,
    /// Why not to report, Chinese; null when one may.
    pub reason: Option<String>,
    /// The same in English.
    pub reason_en: Option<String>,
}

/// Everything about a project. For the public every field that is not on its allow-list is null
/// or empty.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProjectDetail {
    /// The row of the ledger.
    #[serde(flatten)]
    pub row: ProjectRow,
    /// Post or officer responsible.
    pub responsible: Option<String>,
    /// Contractor.
    pub contractor: Option<String>,
    /// Number of the approval.
    pub approval_no: Option<String>,
    /// Date of the approval.
    pub approved_on: Option<NaiveDate>,
    /// Year of the plan.
    pub plan_year: i16,
    /// Length that the document states.
    pub stated_length_km: Option<f64>,
    /// Length of what is drawn.
    pub drawn_length_km: Option<f64>,
    /// Invested, yuan.
    pub invested_yuan: Option<String>,
    /// Paid, yuan.
    pub paid_yuan: Option<String>,
    /// Allocated, yuan, from all sources.
    pub allocated_yuan: Option<String>,
    /// Start of work.
    pub started_on: Option<NaiveDate>,
    /// All planned work done.
    pub completed_on: Option<NaiveDate>,
    /// 交工验收 / 合同工程完工验收
    pub accepted_on: Option<NaiveDate>,
    /// Why the light is as it is.
    pub light_reason: Option<ReasonWords>,
    /// In the clerk's quantities.
    pub quantities: Vec<Quantity>,
    /// The plan.
    pub milestones: Vec<MilestonePoint>,
    /// By source.
    pub funds: Vec<FundLine>,
    /// Whom it serves.
    pub natural_villages: Vec<ServedVillage>,
    /// What it builds.
    pub segments: Vec<SegmentLine>,
    /// The newest standing report.
    pub last_report: Option<Report>,
    /// The newest 20, also those that were returned.
    pub reports: Vec<Report>,
    /// What the one who asks may do.
    pub permissions: Permissions,
    /// Fields of one sector.
    pub details: Value,
    /// The day by which the next report is due.
    pub next_due_on: Option<NaiveDate>,
    /// GeoJSON geometry.
    pub geometry: Option<Value>,
}

/// One project.
#[utoipa::path(
    get, path = "/api/v1/projects/{id}", tag = "projects",
    params(("id" = String, Path, description = "Identity of the project")),
    responses(
        (status = 200, body = ProjectDetail, headers(("ETag" = String, description = "\"v{version}\", the value of If-Match"))),
        (status = 404, description = "not_found"),
    ),
)]
pub(super) async fn get_project(
    State(state): State<AppState>,
    viewer: Viewer,
    Path(id): Path<String>,
) -> Result<Response> {
    let missing = || Error::not_found("项目", "project");
    let id = ask::id(&id, "项目", "project")?;
    let public = viewer.is_public();
    let today = state.clock.business_date();
    let ledger = state.ledger.snapshot(&state.pool).await?;
    // An unpublished project is not there for the public, not even as a refusal.
    let project = ledger.project(id).filter(|p| p.published || !public).ok_or_else(missing)?;
    let standing = project.standing(None, public).ok_or_else(missing)?;
    let settings = settings::on(&state.pool, today).await?;
    let judged = Judged::new(project, standing, &settings.thresholds(), today);

    let rest = projects::rest_of_rows(&state.pool, &[id], public).await?.remove(&id).ok_or_else(missing)?;
    let mut db = state.pool.acquire().await?;
    let detail = projects::detail(&mut db, id).await?.ok_or_else(missing)?;
    let quantities = projects::quantities(&mut db, id, public).await?;
    let milestones = projects::milestones(&mut db, id).await?;
    let served =
        projects::served(&mut db, id, project.sector.service().unwrap_or("road"), today, public).await?;
    let waiting = match standing.progress.status {
        Status::UnderWay | Status::Completed => "under_way",
        _ => "not_started",
    };
    let version = rest.version;
    let mut body = ProjectDetail {
        row: row(&ledger, &judged, rest, public),
        responsible: None,
        contractor: None,
        approval_no: detail.approval_no,
        approved_on: detail.approved_on,
        plan_year: project.plan_year,
        stated_length_km: detail.stated_length_km,
        drawn_length_km: None,
        invested_yuan: None,
        paid_yuan: None,
        allocated_yuan: None,
        started_on: standing.progress.started_on,
        completed_on: detail.completed_on.filter(|_| standing.state.finished()),
        accepted_on: detail.accepted_on.filter(|_| standing.progress.status == Status::Done),
        light_reason: None,
        quantities: quantities.into_iter().map(quantity).collect(),
        milestones: milestones
            .into_iter()
            .map(|m| MilestonePoint {
                milestone: m.milestone,
                planned_on: m.planned_on,
                planned_percent: m.planned_percent,
            })
            .collect(),
        funds: Vec::new(),
        natural_villages: served
            .into_iter()
            .map(|v| ServedVillage {
                id: v.id,
                fid: v.fid,
                code: v.code,
                name: v.name,
                households: v.households,
                people: v.people,
                status: if v.since.is_some() { "done" } else { waiting },
                reached_on: v.since,
                center: v.center,
            })
            .collect(),
        segments: Vec::new(),
        last_report: None,
        reports: Vec::new(),
        permissions: Permissions {
            report: false,
            review: false,
            reason: Some("登录后才能填报。".into()),
            reason_en: Some("Sign in to report.".into()),
        },
        details: Value::Object(serde_json::Map::new()),
        next_due_on: None,
        geometry: None,
    };
    if let Some(account) = &viewer.0 {
        let (funds, allocated) = projects::funds(&mut db, id).await?;
        let segments = projects::segments(&mut db, id, today).await?;
        let reports = reports::of_project(&mut db, id, REPORTS).await?;
        body.responsible = detail.responsible;
        body.contractor = detail.contractor;
        body.drawn_length_km = detail.drawn_length_km;
        body.invested_yuan = Some(detail.invested_yuan);
        body.paid_yuan = Some(detail.paid_yuan);
        body.allocated_yuan = allocated;
        body.light_reason = Some(words::reason(&judged.reason, &settings));
        body.funds = funds
            .into_iter()
            .map(|f| FundLine {
                source: f.source,
                allocated_yuan: f.allocated_yuan,
                paid_yuan: f.paid_yuan,
                document_no: f.document_no,
            })
            .collect();
        body.segments = segments
            .into_iter()
            .map(|s| SegmentLine {
                fid: s.fid,
                route: s.route,
                surface: s.surface,
                km: s.km,
                from_node: s.from_node.to_string(),
                to_node: s.to_node.to_string(),
                hardened: s.hardened,
            })
            .collect();
        body.last_report = reports.iter().find(|r| r.review_state != "returned").cloned();
        body.reports = reports;
        body.permissions = permissions(account, &ledger, project, body.reports.first());
        body.details = detail.details;
        body.next_due_on = settings.reporting().next(&project.known(), today).map(|period| period.due_on);
        body.geometry = detail.geometry;
    }
    let etag = format!("\"v{version}\"");
    Ok(([(header::ETAG, etag)], Json(body)).into_response())
}

fn quantity(q: projects::QuantityDone) -> Quantity {
    Quantity {
        item: q.item.item,
        name_zh: q.item.name_zh,
        name_en: q.item.name_en,
        unit_zh: q.item.unit_zh,
        unit_en: q.item.unit_en,
        decimals: q.item.decimals,
        weight: q.item.weight,
        planned: q.planned,
        done: q.done,
    }
}

/// The same decisions that a write would meet, so that a button is never offered in vain.
fn permissions(
    account: &Account,
    ledger: &Snapshot,
    project: &Project,
    newest: Option<&Report>,
) -> Permissions {
    let area = ledger.chain(&project.path).last();
    let place = Place {
        code: area.map(|a| a.code.clone()).unwrap_or_default(),
        name: area.map(|a| a.name.clone()).unwrap_or_default(),
        level: area.map(|a| a.level.clone()).unwrap_or_default(),
        path: project.path.clone(),
    };
    let refusal = authorise::<ReportProgress>(account, project.id, &place, project.sector)
        .map_err(|d| (d.zh, d.en))
        .and_then(|_| project.state.after_report(false, false).map_err(|r| (r.zh, r.en)))
        .err();
    let waits = newest.is_some_and(|r| r.review_state == "submitted");
    let review = waits && authorise::<ReviewReport>(account, project.id, &place, project.sector).is_ok();
    let (reason, reason_en) = refusal.map_or((None, None), |(zh, en)| (Some(zh), Some(en)));
    Permissions { report: reason.is_none(), review, reason, reason_en }
}
