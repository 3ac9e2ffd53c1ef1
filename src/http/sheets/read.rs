//! Reading forms: the catalogue, an uploaded workbook with a proposal, forms and filled copies.

use std::collections::HashMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::super::AppState;
use super::super::ask::{self, Params};
use super::super::auth::Session;
use super::{XLSX, apart, place_of};
use crate::db;
use crate::db::ledger::Snapshot;
use crate::db::settings;
use crate::db::sheets::{self, FillRow, SheetRow, StoredFile};
use crate::domain::permit::{Account, ExportFigures, Place, authorise_areas, places_for};
use crate::error::{Error, Result};
use crate::exchange::sheets::fields::{FieldInfo, RowKind, catalogue};
use crate::exchange::sheets::grid::{Area, Grid, cell_name, parse_column};
use crate::exchange::sheets::mapping::Mapping;
use crate::exchange::sheets::names::{Directory, KnownArea, KnownProject};
use crate::exchange::sheets::propose::{Proposal, propose};
use crate::exchange::sheets::{LIMITS, SheetName, Workbook};

/// Areas offered for correction at most.
const OFFERED: usize = 3_000;

/// What a column can be filled with.
pub(super) async fn known_fields(state: &AppState) -> Result<Vec<FieldInfo>> {
    Ok(catalogue(&settings::quantity_items(&state.pool).await?))
}

/// Fields that a column of a form can be filled with.
#[utoipa::path(get, path = "/api/v1/sheet-fields", tag = "sheets",
    responses((status = 200, body = [FieldInfo]), (status = 401, description = "sign_in_required"),
        (status = 403, description = "role_missing")))]
pub async fn fields(State(state): State<AppState>, session: Session) -> Result<Json<Vec<FieldInfo>>> {
    authorise_areas::<ExportFigures>(&session.account, [])?;
    Ok(Json(known_fields(&state).await?))
}

/// Which sheet of an uploaded workbook.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FileQuery {
    /// Name of the sheet; the first that is not hidden when left out.
    sheet: Option<String>,
    /// Letters of the column that names the rows, where a person knows better.
    key: Option<String>,
    /// What it names: area or project.
    rows_are: Option<RowKind>,
}

/// An uploaded workbook, one of its sheets as a table, and what is proposed for it.
#[derive(Debug, Serialize, ToSchema)]
pub struct FileView {
    id: Uuid,
    file_name: String,
    area: ask::Named,
    sheets: Vec<SheetName>,
    grid: GridView,
    proposal: Proposal,
    /// Areas that rows may be given: one's own alone, from the top down.
    areas: Vec<AreaChoice>,
}

/// An area that a row may be given.
#[derive(Debug, Serialize, ToSchema)]
pub struct AreaChoice {
    code: String,
    name: String,
    /// province, city, county, town or village
    level: String,
    /// Code of the area above, if one's own.
    parent: Option<String>,
}

/// A sheet as a table.
#[derive(Debug, Serialize, ToSchema)]
pub struct GridView {
    /// Name of the sheet.
    name: String,
    rows: u32,
    columns: u32,
    /// Cells with content, by name.
    cells: HashMap<String, CellView>,
    merges: Vec<Area>,
    /// Width of each column in characters.
    widths: Vec<f64>,
}

/// A cell with content.
#[derive(Debug, Serialize, ToSchema)]
pub struct CellView {
    text: String,
    /// Its formula without "="; it stays as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    formula: Option<String>,
}

fn grid_view(grid: &Grid) -> GridView {
    let (rows, columns) = grid.size;
    let width =
        |c: u32| grid.columns.iter().find(|w| (w.0..=w.1).contains(&c)).map_or(9.0, |w| w.2.clamp(2.0, 60.0));
    GridView {
        name: grid.name.clone(),
        rows,
        columns,
        cells: grid
            .cells
            .iter()
            .filter(|(_, c)| !c.text.is_empty() || c.formula.is_some())
            .map(|(at, c)| (cell_name(*at), CellView { text: c.text.clone(), formula: c.formula.clone() }))
            .collect(),
        merges: grid.merges.clone(),
        widths: (1..=columns).map(width).collect(),
    }
}

/// An uploaded workbook as a table, with a proposal
///
/// Headings and names of rows are read; what is not clear is named with suggestions. Areas outside
/// the account's own are recognised and left empty.
#[utoipa::path(get, path = "/api/v1/sheet-files/{id}", tag = "sheets",
    params(("id" = Uuid, Path, description = "Uploaded workbook"), FileQuery),
    responses((status = 200, body = FileView), (status = 401, description = "sign_in_required"),
        (status = 403, description = "role_missing"), (status = 404, description = "not_found")))]
pub async fn file(
    State(state): State<AppState>,
    Path(id): Path<String>,
    session: Session,
    Params(query): Params<FileQuery>,
) -> Result<Json<FileView>> {
    authorise_areas::<ExportFigures>(&session.account, [])?;
    let file = stored_file(&state, &session.account, ask::id(&id, "工作簿", "workbook")?).await?;
    let fields = known_fields(&state).await?;
    let ledger = state.ledger.snapshot(&state.pool).await?;
    let account = session.account.clone();
    let successors = db::write(&state.pool, Some(account.id), |tx| Box::pin(sheets::successors(tx))).await?;
    let home = place_of(ledger.area_by_code(&file.area_code)?);
    let directory = directory(&ledger, &account, &home, &successors);
    let sectors: Vec<_> =
        account.grants.iter().filter_map(|g| g.sectors.as_deref()).flatten().copied().collect();
    let own_sector = match sectors.as_slice() {
        [one] => Some(*one),
        _ => None,
    };
    let (names, grid, proposal, areas) = {
        let (content, wanted) = (file.content, query.sheet);
        let rows_are = query.rows_are.unwrap_or(RowKind::Area);
        let chosen = query.key.as_deref().and_then(parse_column).map(|key| (key, rows_are));
        apart(move || {
            let mut book = Workbook::open(&content, &LIMITS)?;
            let names: Vec<SheetName> = book.sheets().cloned().collect();
            let first = names.iter().find(|s| !s.hidden).or(names.first()).map(|s| s.name.clone());
            let grid = Grid::read(&mut book, &wanted.or(first).unwrap_or_default())?;
            let proposal = propose(&grid, &directory, &fields, own_sector, chosen);
            let areas = offered(&directory);
            Ok((names, grid_view(&grid), proposal, areas))
        })
        .await?
    };
    Ok(Json(FileView {
        id: file.id,
        file_name: file.file_name,
        area: ask::Named { code: home.code, name: home.name },
        sheets: names,
        grid,
        proposal,
        areas,
    }))
}

/// One's own areas, from the top down.
fn offered(directory: &Directory) -> Vec<AreaChoice> {
    let mut own: Vec<&KnownArea> =
        directory.areas.iter().filter(|a| a.own && a.successors.is_none()).collect();
    own.sort_by_key(|a| (a.place.path.matches('/').count(), a.place.code.clone()));
    let codes: HashMap<&str, &str> =
        own.iter().map(|a| (a.place.path.as_str(), a.place.code.as_str())).collect();
    let above = |path: &str| path.trim_end_matches('/').rfind('/').and_then(|end| codes.get(&path[..=end]));
    own.iter()
        .take(OFFERED)
        .map(|a| AreaChoice {
            code: a.place.code.clone(),
            name: a.place.name.clone(),
            level: a.place.level.clone(),
            parent: above(&a.place.path).map(ToString::to_string),
        })
        .collect()
}

fn directory(
    ledger: &Snapshot,
    account: &Account,
    home: &Place,
    successors: &HashMap<Uuid, Vec<String>>,
) -> Directory {
    let own: Vec<&Place> = places_for::<ExportFigures>(account).collect();
    let is_own = |place: &Place| home.holds(place) && own.iter().any(|o| o.holds(place));
    let areas = ledger
        .areas()
        .map(|a| {
            let place = place_of(a);
            let gone = a.valid_to.is_some();
            KnownArea {
                own: !gone && is_own(&place),
                short_name: a.short_name.clone(),
                successors: gone.then(|| successors.get(&a.id).cloned().unwrap_or_default()),
                place,
            }
        })
        .collect();
    let projects = ledger
        .projects()
        .iter()
        .filter(|p| p.path.starts_with(&home.path) && own.iter().any(|o| p.path.starts_with(&o.path)))
        .map(|p| KnownProject { code: p.code.clone(), name: p.name.clone(), path: p.path.clone() })
        .collect();
    Directory::new(areas, projects)
}

/// An uploaded workbook that the account may see.
pub(super) async fn stored_file(state: &AppState, account: &Account, id: Uuid) -> Result<StoredFile> {
    db::write(&state.pool, Some(account.id), move |tx| Box::pin(async move { sheets::file(tx, id).await }))
        .await?
        .ok_or_else(|| Error::not_found("工作簿", "workbook"))
}

/// A form that the account may use.
pub(super) async fn stored_sheet(state: &AppState, account: &Account, id: Uuid) -> Result<SheetRow> {
    db::write(&state.pool, Some(account.id), move |tx| Box::pin(async move { sheets::sheet(tx, id).await }))
        .await?
        .ok_or_else(|| Error::not_found("套表", "form"))
}

/// Forms.
#[derive(Debug, Serialize, ToSchema)]
pub struct SheetList {
    items: Vec<SheetRow>,
}

/// Forms of one's area and below, the last used first.
#[utoipa::path(get, path = "/api/v1/sheets", tag = "sheets",
    responses((status = 200, body = SheetList), (status = 401, description = "sign_in_required"),
        (status = 403, description = "role_missing")))]
pub async fn list(State(state): State<AppState>, session: Session) -> Result<Json<SheetList>> {
    authorise_areas::<ExportFigures>(&session.account, [])?;
    let items = db::write(&state.pool, Some(session.account.id), |tx| Box::pin(sheets::list(tx))).await?;
    Ok(Json(SheetList { items }))
}

/// A form with its mapping and its filled copies.
#[derive(Debug, Serialize, ToSchema)]
pub struct SheetView {
    #[serde(flatten)]
    sheet: SheetRow,
    mapping: Mapping,
    fills: Vec<FillRow>,
}

/// A form with its newest mapping and its filled copies.
#[utoipa::path(get, path = "/api/v1/sheets/{id}", tag = "sheets",
    params(("id" = Uuid, Path, description = "Form")),
    responses((status = 200, body = SheetView, headers(("ETag" = String, description = "Version"))),
        (status = 401, description = "sign_in_required"), (status = 403, description = "role_missing"),
        (status = 404, description = "not_found")))]
pub async fn one(
    State(state): State<AppState>,
    Path(id): Path<String>,
    session: Session,
) -> Result<Response> {
    authorise_areas::<ExportFigures>(&session.account, [])?;
    let id = ask::id(&id, "套表", "form")?;
    let sheet = stored_sheet(&state, &session.account, id).await?;
    let version = sheet.version;
    let (mapping, fills) = db::write(&state.pool, Some(session.account.id), move |tx| {
        Box::pin(async move { Ok((sheets::version(tx, id, version).await?, sheets::fills(tx, id).await?)) })
    })
    .await?;
    let (_, mapping) = mapping.ok_or_else(|| Error::not_found("套表", "form"))?;
    let mapping = serde_json::from_value(mapping).map_err(anyhow::Error::from)?;
    let tag =
        [(header::ETAG, crate::app::etag(version)), (header::CACHE_CONTROL, "private, no-cache".to_owned())];
    Ok((tag, Json(SheetView { sheet, mapping, fills })).into_response())
}

/// A filled copy, exactly as it was made.
#[utoipa::path(get, path = "/api/v1/sheet-fills/{id}/file", tag = "sheets",
    params(("id" = Uuid, Path, description = "Filled copy")),
    responses((status = 200, description = "The workbook", content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (status = 401, description = "sign_in_required"), (status = 403, description = "role_missing"),
        (status = 404, description = "not_found")))]
pub async fn download(
    State(state): State<AppState>,
    Path(id): Path<String>,
    session: Session,
) -> Result<Response> {
    authorise_areas::<ExportFigures>(&session.account, [])?;
    let id = ask::id(&id, "填好的表", "filled copy")?;
    let found = db::write(&state.pool, Some(session.account.id), move |tx| {
        Box::pin(async move { sheets::fill_content(tx, id).await })
    })
    .await?;
    let (name, content) = found.ok_or_else(|| Error::not_found("填好的表", "filled copy"))?;
    let mut response = content.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(XLSX));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    let quoted: String = name.bytes().map(|b| format!("%{b:02X}")).collect();
    let disposition = format!("attachment; filename=\"sheet.xlsx\"; filename*=UTF-8''{quoted}");
    headers.insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::from_str(&disposition).map_err(anyhow::Error::from)?,
    );
    Ok(response)
}
