//! `/api/v1/search`: areas, natural villages and projects by name or code.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::AppState;
use super::ask::{self, Params, Viewer};
use crate::db::ledger::HitKind;
use crate::db::search;
use crate::error::Result;

/// Routes of this resource.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(get_search))
}

/// One thing found.
#[derive(Debug, Serialize, ToSchema)]
pub struct SearchItem {
    /// area, natural_village or project
    pub kind: &'static str,
    /// Code.
    pub code: String,
    /// Identity.
    pub id: uuid::Uuid,
    /// Name.
    pub name: String,
    /// Level of an area; null for others.
    pub level: Option<String>,
    /// Sector of a project; null for others.
    pub sector: Option<String>,
    /// Areas that it lies in: "梅州市 › 五华县 › 转水镇". Tells 30 villages of one name apart.
    pub place: String,
    /// Middle or seat.
    pub center: Option<[f64; 2]>,
    /// West, south, east, north.
    pub bbox: Option<[f64; 4]>,
}

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
pub struct SearchResult {
    /// The best first.
    pub items: Vec<SearchItem>,
    /// There are more than `limit`.
    pub more: bool,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct SearchQuery {
    /// Part of a name, or the beginning of a code.
    q: Option<String>,
    /// At most so many, 1 to 200.
    limit: Option<String>,
}

/// Areas, natural villages and projects by name or code.
#[utoipa::path(
    get, path = "/api/v1/search", tag = "search", params(SearchQuery),
    responses((status = 200, body = SearchResult), (status = 400, description = "bad_request")),
)]
async fn get_search(
    State(state): State<AppState>,
    viewer: Viewer,
    Params(query): Params<SearchQuery>,
) -> Result<Json<SearchResult>> {
    let limit = ask::limit(query.limit.as_deref(), 10)?;
    let typed = query.q.unwrap_or_default();
    if typed.chars().count() > 100 {
        return Err(ask::bad_request("搜索内容不要超过 100 字。", "Search for at most 100 characters."));
    }
    let ledger = state.ledger.snapshot(&state.pool).await?;
    let (hits, more) = ledger.search(&typed, limit, viewer.is_public());
    let grounds = search::grounds(&state.pool, &hits, viewer.is_public()).await?;
    let items = hits
        .into_iter()
        .map(|hit| {
            let ground = grounds.get(&hit.id).copied().unwrap_or_default();
            let (kind, level, sector) = match hit.kind {
                HitKind::Area => ("area", Some(hit.level), None),
                HitKind::NaturalVillage => ("natural_village", None, None),
                HitKind::Project => ("project", None, Some(hit.level)),
            };
            SearchItem {
                kind,
                code: hit.code,
                id: hit.id,
                name: hit.name,
                level,
                sector,
                place: hit.place,
                center: ground.center,
                bbox: ground.bbox,
            }
        })
        .collect();
    Ok(Json(SearchResult { items, more }))
}
