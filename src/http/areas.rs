//! `/api/v1/areas/{code}`: an area, its ancestors, and what is known of a village.

use axum::Json;
use axum::extract::{Path, State};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::AppState;
use super::ask::{self, Params};
use crate::db::areas;
use crate::error::Result;

/// Routes of this resource.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(get_area))
}

/// An area above another.
#[derive(Debug, Serialize, ToSchema)]
pub struct Ancestor {
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
    /// province, city, county or town
    pub level: String,
    /// West, south, east, north.
    pub bbox: Option<[f64; 4]>,
}

/// What is known of an administrative village (行政村).
#[derive(Debug, Serialize, ToSchema)]
pub struct Village {
    /// 相对贫困村
    pub poor: bool,
    /// 革命老区
    pub old_revolutionary: bool,
    /// 帮扶单位
    pub helper_unit: Option<String>,
    /// Households; null is not known.
    pub households: Option<i32>,
    /// People; null is not known.
    pub people: Option<i32>,
    /// Since when it is true.
    pub effective_on: NaiveDate,
    /// Where it comes from.
    pub source: String,
}

/// An area from province to administrative village.
#[derive(Debug, Serialize, ToSchema)]
pub struct AreaDetail {
    /// Official code.
    pub code: String,
    /// Feature id in tiles.
    pub fid: i64,
    /// Official name.
    pub name: String,
    /// Name as people say it.
    pub short_name: String,
    /// province, city, county, town or village
    pub level: String,
    /// Box of the outline, or of what lies in it.
    pub bbox: Option<[f64; 4]>,
    /// Seat, or middle.
    pub center: Option<[f64; 2]>,
    /// Areas above it, the province first.
    pub ancestors: Vec<Ancestor>,
    /// Areas directly below it.
    pub children_count: usize,
    /// Facts of an administrative village; null for other levels.
    pub village: Option<Village>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct AreaQuery {
    /// The day to speak of, YYYY-MM-DD; the business date when left out.
    at: Option<String>,
}

/// An area with its ancestors and, for a village, its facts.
#[utoipa::path(
    get, path = "/api/v1/areas/{code}", tag = "areas",
    params(("code" = String, Path, description = "Official code, 6, 9 or 12 digits"), AreaQuery),
    responses((status = 200, body = AreaDetail), (status = 404, description = "not_found")),
)]
async fn get_area(
    State(state): State<AppState>,
    Path(code): Path<String>,
    Params(query): Params<AreaQuery>,
) -> Result<Json<AreaDetail>> {
    let today = state.clock.business_date();
    let day = ask::at(query.at.as_deref(), today)?.unwrap_or(today);
    let ledger = state.ledger.snapshot(&state.pool).await?;
    let area = ledger.area_by_code(&code)?;
    let chain: Vec<_> = ledger.chain(&area.path).collect();
    let fids: Vec<i64> = chain.iter().map(|a| a.fid).collect();
    let grounds = areas::grounds(&state.pool, &fids).await?;
    let ground = |fid: i64| grounds.get(&fid).copied().unwrap_or_default();
    let facts =
        if area.level == "village" { areas::village_facts(&state.pool, area.fid, day).await? } else { None };
    Ok(Json(AreaDetail {
        code: area.code.clone(),
        fid: area.fid,
        name: area.name.clone(),
        short_name: area.short_name.clone(),
        level: area.level.clone(),
        bbox: ground(area.fid).bbox,
        center: ground(area.fid).center,
        ancestors: chain
            .iter()
            .filter(|a| a.fid != area.fid)
            .map(|a| Ancestor {
                code: a.code.clone(),
                name: a.name.clone(),
                level: a.level.clone(),
                bbox: ground(a.fid).bbox,
            })
            .collect(),
        children_count: ledger.children_count(area),
        village: facts.map(|f| Village {
            poor: f.poor,
            old_revolutionary: f.old_revolutionary,
            helper_unit: f.helper_unit,
            households: f.households,
            people: f.people,
            effective_on: f.effective_on,
            source: f.source,
        }),
    }))
}
