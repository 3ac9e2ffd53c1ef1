//! `/api/v1/areas/{code}/natural-villages` and `/api/v1/natural-villages/{id}`.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::AppState;
use super::ask::{self, Named, Params, Viewer};
use super::projects::{self as project_rows, ProjectRow};
use crate::db::ledger::{Judged, Snapshot};
use crate::db::natural_villages::{self, NaturalVillage, ServiceState};
use crate::db::settings;
use crate::domain::lights::{Light, Status, Thresholds};
use crate::domain::sector::Sector;
use crate::error::{Error, Result};

/// Routes of this resource.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list_natural_villages)).routes(routes!(get_natural_village))
}

/// Services beside road and water.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Services {
    /// 通客车
    pub bus: bool,
    /// 通电（农网改造）
    pub power: bool,
    /// 通宽带
    pub broadband: bool,
    /// 干净整洁村
    pub clean_village: bool,
}

/// The road project of a natural village.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RoadProject {
    /// Identity.
    pub id: Uuid,
    /// Name.
    pub name: String,
    /// State of the lifecycle.
    pub state: &'static str,
    /// Its light; null for the public and for a cancelled project.
    pub light: Option<&'static str>,
}

/// A natural village (自然村) as of a day.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct NaturalVillageItem {
    /// Identity.
    pub id: Uuid,
    /// Feature id in tiles.
    pub fid: i64,
    /// Code of ours.
    pub code: String,
    /// Name.
    pub name: String,
    /// Its administrative village.
    pub village: Named,
    /// Households; null is not known.
    pub households: Option<i32>,
    /// People; null is not known.
    pub people: Option<i32>,
    /// It counts in the denominator.
    pub counted: bool,
    /// done, under_way, not_started or gap (not reached and no project): hardened road, 上报数.
    pub status: &'static str,
    /// The same, 审核数.
    pub status_ok: &'static str,
    /// Since when it is reached by a hardened road.
    pub reached_on: Option<NaiveDate>,
    /// Central water, 上报数.
    pub water: bool,
    /// Central water, 审核数.
    pub water_ok: bool,
    /// Other services.
    pub services: Services,
    /// What is not hardened on the way, where it is not reached: of its road project's segments, or
    /// of the segments at its access node; null where neither is known.
    pub gap_km: Option<f64>,
    /// Longitude, latitude.
    pub center: [f64; 2],
    /// Its road project.
    pub project: Option<RoadProject>,
}

/// A page of natural villages.
#[derive(Debug, Serialize, ToSchema)]
pub struct NaturalVillagePage {
    /// In code order.
    pub items: Vec<NaturalVillageItem>,
    /// Cursor of the next page; null on the last.
    pub next_cursor: Option<String>,
    /// Rows of the whole list.
    pub total: usize,
}

/// A service with its date.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServiceLine {
    /// road, bus, water, power, broadband or clean_village
    pub service: String,
    /// It has it; false is that it lapsed.
    pub served: bool,
    /// Since this day.
    pub effective_on: NaiveDate,
    /// The same is approved.
    pub approved: bool,
}

/// A natural village with dates and projects.
#[derive(Debug, Serialize, ToSchema)]
pub struct NaturalVillageDetail {
    /// As in the list.
    #[serde(flatten)]
    pub item: NaturalVillageItem,
    /// Services with dates.
    pub service_states: Vec<ServiceLine>,
    /// Projects of any sector that serve it.
    pub projects: Vec<ProjectRow>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// The state of this day, YYYY-MM-DD.
    at: Option<String>,
    /// done, under_way, not_started, gap; separated by commas.
    status: Option<String>,
    /// true: only those that count; false: only the others.
    counted: Option<String>,
    /// Cursor of the page before.
    cursor: Option<String>,
    /// Rows of a page, 1 to 200; 100 when left out.
    limit: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct DetailQuery {
    /// The state of this day, YYYY-MM-DD.
    at: Option<String>,
}

const STATUSES: [&str; 4] = ["done", "under_way", "not_started", "gap"];

/// Natural villages of an area, in code order.
#[utoipa::path(
    get, path = "/api/v1/areas/{code}/natural-villages", tag = "natural villages",
    params(("code" = String, Path, description = "Official code of the area"), ListQuery),
    responses(
        (status = 200, body = NaturalVillagePage),
        (status = 400, description = "bad_request, bad_date"),
        (status = 404, description = "not_found"),
    ),
)]
async fn list_natural_villages(
    State(state): State<AppState>,
    viewer: Viewer,
    Path(code): Path<String>,
    Params(query): Params<ListQuery>,
) -> Result<Json<NaturalVillagePage>> {
    let context = Context::new(&state, &viewer, query.at.as_deref()).await?;
    let limit = ask::limit(query.limit.as_deref(), 100)?;
    let statuses = ask::words("status", query.status.as_deref(), |w| STATUSES.into_iter().find(|s| *s == w))?;
    let counted = match query.counted.as_deref() {
        None | Some("") => None,
        Some("true" | "1") => Some(true),
        Some("false" | "0") => Some(false),
        Some(_) => {
            return Err(ask::bad_request(
                "参数 counted 应为 true 或 false。",
                "Parameter counted must be true or false.",
            ));
        }
    };
    let list =
        format!("natural_villages|{code}|{}|{:?}|{statuses:?}|{counted:?}", context.public, context.at);
    let after: Option<String> = ask::position(&list, query.cursor.as_deref())?;
    let area = context.ledger.area_by_code(&code)?;
    let found =
        natural_villages::below(&state.pool, &area.path, &context.denominator, context.day, context.public)
            .await?;
    let mut rows: Vec<_> = found
        .into_iter()
        .filter(|v| counted.is_none_or(|c| v.counted == c))
        .filter(|v| statuses.is_empty() || statuses.contains(&context.status(&v.projects, v.reached)))
        .collect();
    let total = rows.len();
    rows.retain(|v| after.as_ref().is_none_or(|last| v.code > *last));
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next_cursor = match rows.last() {
        Some(last) if more => Some(ask::cursor(&list, &last.code)?),
        _ => None,
    };
    let ids: Vec<Uuid> = rows.iter().map(|v| v.id).collect();
    let missing: Vec<Uuid> = rows.iter().filter(|v| !v.reached).map(|v| v.id).collect();
    let gaps = natural_villages::gaps_km(&state.pool, &missing, context.day).await?;
    let page = natural_villages::find(&state.pool, &ids, &context.denominator, context.day).await?;
    let items = page.iter().map(|v| context.item(v, gaps.get(&v.id).copied())).collect();
    Ok(Json(NaturalVillagePage { items, next_cursor, total }))
}

/// One natural village, with the dates of its services and its projects.
#[utoipa::path(
    get, path = "/api/v1/natural-villages/{id}", tag = "natural villages",
    params(("id" = String, Path, description = "Identity of the natural village"), DetailQuery),
    responses((status = 200, body = NaturalVillageDetail), (status = 404, description = "not_found")),
)]
async fn get_natural_village(
    State(state): State<AppState>,
    viewer: Viewer,
    Path(id): Path<String>,
    Params(query): Params<DetailQuery>,
) -> Result<Json<NaturalVillageDetail>> {
    let id = ask::id(&id, "自然村", "natural village")?;
    let context = Context::new(&state, &viewer, query.at.as_deref()).await?;
    let found = natural_villages::find(&state.pool, &[id], &context.denominator, context.day).await?;
    let village = found.first().ok_or_else(|| Error::not_found("自然村", "natural village"))?;
    let gap = if has(context.reading(village), "road") {
        None
    } else {
        natural_villages::gaps_km(&state.pool, &[id], context.day).await?.remove(&id)
    };
    let judged: Vec<Judged> = village.projects.iter().filter_map(|id| context.judge(*id)).collect();
    let mut service_states: Vec<ServiceLine> = context
        .reading(village)
        .iter()
        .map(|(service, s)| ServiceLine {
            service: service.clone(),
            served: s.served,
            effective_on: s.on,
            approved: village.approved.get(service) == Some(s),
        })
        .collect();
    service_states.sort_by(|a, b| a.service.cmp(&b.service));
    Ok(Json(NaturalVillageDetail {
        item: context.item(village, gap),
        service_states,
        projects: project_rows::rows(&state, &context.ledger, &judged, context.public).await?,
    }))
}

fn has(states: &HashMap<String, ServiceState>, service: &str) -> bool {
    states.get(service).is_some_and(|s| s.served)
}

/// What every natural village of one request is judged by.
struct Context {
    ledger: Arc<Snapshot>,
    denominator: String,
    limits: Thresholds,
    at: Option<NaiveDate>,
    day: NaiveDate,
    public: bool,
}

impl Context {
    async fn new(state: &AppState, viewer: &Viewer, at: Option<&str>) -> Result<Self> {
        let today = state.clock.business_date();
        let at = ask::at(at, today)?;
        let day = at.unwrap_or(today);
        let settings = settings::on(&state.pool, day).await?;
        Ok(Self {
            ledger: state.ledger.snapshot(&state.pool).await?,
            denominator: settings.denominator().to_owned(),
            limits: settings.thresholds(),
            at,
            day,
            public: viewer.is_public(),
        })
    }

    /// What the one who asks may see: the public only what is approved.
    fn reading<'a>(&self, village: &'a NaturalVillage) -> &'a HashMap<String, ServiceState> {
        if self.public { &village.approved } else { &village.reported }
    }

    /// A project with its light, unless it is not for this reader or was not there yet.
    fn judge(&self, id: Uuid) -> Option<Judged> {
        let project = self.ledger.project(id).filter(|p| p.published || !self.public)?;
        let standing = project.standing(self.at, self.public)?;
        Some(Judged::new(project, standing, &self.limits, self.day))
    }

    /// Those of its projects that build roads and are not cancelled.
    fn roads<'a>(&'a self, projects: &'a [Uuid]) -> impl Iterator<Item = Judged> + 'a {
        projects
            .iter()
            .filter_map(|id| self.judge(*id))
            .filter(|j| j.project.sector == Sector::Road && j.standing.progress.status != Status::Cancelled)
    }

    /// Status of the road topic.
    fn status(&self, projects: &[Uuid], reached: bool) -> &'static str {
        if reached {
            return "done";
        }
        // Finished but not counted as reached (not approved, or lapsed) is not without a project.
        let best = self.roads(projects).map(|j| j.standing.progress.status).max();
        match best {
            None => "gap",
            Some(Status::NotStarted) => "not_started",
            Some(_) => "under_way",
        }
    }

    fn item(&self, v: &NaturalVillage, gap_km: Option<f64>) -> NaturalVillageItem {
        let reading = self.reading(v);
        // The one that will reach it, or else the one that did.
        let project = self.roads(&v.projects).min_by_key(|j| match j.standing.progress.status {
            Status::UnderWay => 0,
            Status::NotStarted => 1,
            Status::Completed => 2,
            _ => 3,
        });
        NaturalVillageItem {
            id: v.id,
            fid: v.fid,
            code: v.code.clone(),
            name: v.name.clone(),
            village: Named { code: v.village_code.clone(), name: v.village_name.clone() },
            households: v.households,
            people: v.people,
            counted: v.counted,
            status: self.status(&v.projects, has(reading, "road")),
            status_ok: self.status(&v.projects, has(&v.approved, "road")),
            reached_on: reading.get("road").filter(|s| s.served).map(|s| s.on),
            water: has(reading, "water"),
            water_ok: has(&v.approved, "water"),
            services: Services {
                bus: has(reading, "bus"),
                power: has(reading, "power"),
                broadband: has(reading, "broadband"),
                clean_village: has(reading, "clean_village"),
            },
            gap_km,
            center: v.center,
            project: project.map(|j| RoadProject {
                id: j.project.id,
                name: j.project.name.clone(),
                state: j.standing.state.as_str(),
                light: j.light.filter(|_| !self.public).map(Light::as_str),
            }),
        }
    }
}
