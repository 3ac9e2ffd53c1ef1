//! `/api/v1/areas/{code}/figures`: coverage and progress of an area on a date.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use chrono::{Datelike, Months, NaiveDate};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::AppState;
use super::tiles::{parse_day, scope_of};
use crate::domain::lights::{Light, Status};
use crate::domain::sector::Sector;
use crate::error::{Error, Result};
use crate::map::Published;
use crate::map::areas::Area;
use crate::map::cache::Scope;
use crate::map::figures::{AreaFigures, Metric};
use crate::map::timeline::{Day, Reach, Reading, Service, date_of, day_of};

/// Months that the series goes back at most.
const MONTHS: u32 = 120;

/// Routes of this resource.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(figures))
}

/// Counts of one indicator: how many of how many. Rates are computed from them; a total of 0
/// means 无任务.
#[derive(Debug, Serialize, ToSchema)]
pub struct Figure {
    /// Counted natural villages.
    total: i32,
    /// 上报数. The public is given the approved figure here as well.
    reported: i32,
    /// 审核数
    approved: i32,
    /// A quarter earlier; null before the records begin.
    previous: Option<Previous>,
}

/// The same a quarter earlier.
#[derive(Debug, Serialize, ToSchema)]
pub struct Previous {
    at: NaiveDate,
    reported: i32,
    approved: i32,
}

/// An area by its code.
#[derive(Debug, Serialize, ToSchema)]
pub struct AreaRef {
    code: String,
    name: String,
    level: &'static str,
}

/// Natural villages by how far the road has come.
#[derive(Debug, Serialize, ToSchema)]
pub struct NaturalVillages {
    /// All.
    total: i32,
    /// Those of the denominator list.
    counted: i32,
    /// Counted ones by status, 上报数.
    by_status: BTreeMap<&'static str, i32>,
    /// Counted ones by status, 审核数.
    by_status_ok: BTreeMap<&'static str, i32>,
    /// Those that no figure counts.
    uncounted: i32,
}

/// Administrative villages.
#[derive(Debug, Serialize, ToSchema)]
pub struct Villages {
    total: u32,
    /// 相对贫困村
    poor: u32,
}

/// Projects of a sector.
#[derive(Debug, Serialize, ToSchema)]
pub struct Projects {
    total: i32,
    /// 完工: accepted.
    done: i32,
    /// 完工未验收
    completed: i32,
    under_way: i32,
    not_started: i32,
    cancelled: i32,
    /// By 预警等级; all zero for the public.
    lights: BTreeMap<&'static str, i32>,
}

/// An area right below.
#[derive(Debug, Serialize, ToSchema)]
pub struct Child {
    code: String,
    name: String,
    level: &'static str,
    fid: u64,
    /// Longitude, latitude.
    center: Option<[f64; 2]>,
    /// ok, no_task (无任务), not_reported (未填报)
    status: &'static str,
    road: Figure,
    water: Figure,
    /// Projects with a red light.
    late: i32,
    /// Administrative villages.
    villages: u32,
}

/// Counted natural villages reached by the end of a month.
#[derive(Debug, Serialize, ToSchema)]
pub struct Month {
    date: NaiveDate,
    reported: i32,
    approved: i32,
}

/// Everything that is counted in an area.
#[derive(Debug, Serialize, ToSchema)]
pub struct AreaFiguresView {
    area: AreaRef,
    at: NaiveDate,
    /// The change of the feed that these figures contain.
    seq: u64,
    /// 数据截至: the last day that a report speaks of.
    data_as_of: NaiveDate,
    road: Figure,
    water: Figure,
    natural_villages: NaturalVillages,
    villages: Villages,
    projects: BTreeMap<&'static str, Projects>,
    services: BTreeMap<&'static str, Figure>,
    children: Vec<Child>,
    series: Vec<Month>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct FigureParams {
    /// The day to speak of, YYYY-MM-DD; the business date when left out.
    at: Option<String>,
}

/// Coverage and progress of an area, its children, and its months.
#[utoipa::path(
    get, path = "/api/v1/areas/{code}/figures", tag = "areas",
    params(("code" = String, Path, description = "Official code"), FigureParams),
    responses((status = 200, body = AreaFiguresView), (status = 404, description = "not_found")),
)]
async fn figures(
    State(state): State<AppState>,
    Path(code): Path<String>,
    Query(params): Query<FigureParams>,
    headers: HeaderMap,
) -> Result<Response> {
    let day = parse_day(&state, params.at.as_deref())?;
    let public = scope_of(&state, &headers).await == Scope::Public;
    let published = state.map.published();
    let number = published.areas.by_code(&code).ok_or_else(|| Error::not_found("这个区划", "area"))?;
    let body = view(&published, number, day, public);
    let cache = [(header::CACHE_CONTROL, "private, no-cache"), (header::VARY, "Cookie")];
    Ok((cache, Json(body)).into_response())
}

/// The figures of an area; the public gets the approved reading in both places.
pub fn view(published: &Published, number: u32, day: Day, public: bool) -> AreaFiguresView {
    let area = published.areas.get(number);
    let own = published.area(number);
    let reading = if public { Reading::Approved } else { Reading::Reported };
    let figure = |of: &AreaFigures, service| figure_of(of, service, day, reading);
    let by_status =
        |reading| Reach::ALL.iter().map(|&r| (r.as_str(), own.at(Metric::reach(r, reading), day))).collect();
    let (total, counted) = (own.at(Metric::NATURAL_VILLAGES, day), own.at(Metric::COUNTED, day));
    let children = published.areas.children(number).iter().map(|&n| {
        let (child, counts) = (published.areas.get(n), published.area(n));
        let late = |s: &Sector| if public { 0 } else { counts.at(Metric::light(*s, Light::Late), day) };
        Child {
            code: child.code.to_string(),
            name: child.short_name.to_string(),
            level: child.level.as_str(),
            fid: child.fid,
            center: child.center(),
            status: published.reporting(n, day).as_str(),
            road: figure(counts, Service::Road),
            water: figure(counts, Service::Water),
            late: Sector::ALL.iter().map(late).sum(),
            villages: counts.villages,
        }
    });
    AreaFiguresView {
        area: reference(area),
        at: date_of(day),
        seq: published.seq,
        data_as_of: own
            .days(Metric::REPORTS)
            .filter(|d| *d <= day)
            .max()
            .map_or_else(|| date_of(day), date_of),
        road: figure(own, Service::Road),
        water: figure(own, Service::Water),
        natural_villages: NaturalVillages {
            total,
            counted,
            by_status: by_status(reading),
            by_status_ok: by_status(Reading::Approved),
            uncounted: total - counted,
        },
        villages: Villages { total: own.villages, poor: own.poor_villages },
        projects: Sector::ALL.iter().map(|&s| (s.as_str(), projects(own, s, day, public))).collect(),
        services: [Service::Bus, Service::Power, Service::Broadband, Service::CleanVillage]
            .map(|s| (s.as_str(), figure(own, s)))
            .into(),
        children: children.collect(),
        series: series(own, day, reading),
    }
}

fn reference(area: &Area) -> AreaRef {
    AreaRef { code: area.code.to_string(), name: area.short_name.to_string(), level: area.level.as_str() }
}

fn figure_of(of: &AreaFigures, service: Service, day: Day, reading: Reading) -> Figure {
    let count = |reading, day| of.at(Metric::served(service, reading), day);
    let earlier = date_of(day).checked_sub_months(Months::new(3)).map(day_of);
    let previous = earlier.filter(|d| of.at(Metric::COUNTED, *d) > 0).map(|d| Previous {
        at: date_of(d),
        reported: count(reading, d),
        approved: count(Reading::Approved, d),
    });
    Figure {
        total: of.at(Metric::COUNTED, day),
        reported: count(reading, day),
        approved: count(Reading::Approved, day),
        previous,
    }
}

fn projects(of: &AreaFigures, sector: Sector, day: Day, public: bool) -> Projects {
    let reading = if public { Reading::Approved } else { Reading::Reported };
    let count = |status| of.at(Metric::status(sector, status, reading), day);
    let light = |l: Light| if public { 0 } else { of.at(Metric::light(sector, l), day) };
    Projects {
        total: of.statuses(sector, reading, day).iter().sum(),
        done: count(Status::Done),
        completed: count(Status::Completed),
        under_way: count(Status::UnderWay),
        not_started: count(Status::NotStarted),
        cancelled: count(Status::Cancelled),
        lights: Light::ALL.into_iter().map(|l| (l.as_str(), light(l))).collect(),
    }
}

/// Month ends since work was first reported, and the day itself.
fn series(of: &AreaFigures, day: Day, reading: Reading) -> Vec<Month> {
    let road = |reading| Metric::served(Service::Road, reading);
    let Some(first) = of.days(Metric::REPORTS).next().or_else(|| of.days(road(Reading::Reported)).next())
    else {
        return Vec::new();
    };
    let end = date_of(day);
    let earliest = end.checked_sub_months(Months::new(MONTHS)).unwrap_or(end).max(date_of(first));
    let mut dates = Vec::new();
    let mut month = earliest.with_day(1);
    while let Some(start) = month {
        month = start.checked_add_months(Months::new(1));
        match month.and_then(|next| next.pred_opt()) {
            Some(last) if last < end => dates.push(last),
            _ => break,
        }
    }
    if date_of(first) <= end {
        dates.push(end);
    }
    let at = |date: &NaiveDate, reading| of.at(road(reading), day_of(*date));
    dates
        .iter()
        .map(|d| Month { date: *d, reported: at(d, reading), approved: at(d, Reading::Approved) })
        .collect()
}
