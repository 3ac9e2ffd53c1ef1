//! `/api/v1/sheets`: 套表, forms of superiors that are filled with the programme's figures.

mod read;
mod values;
mod write;

use std::sync::LazyLock;

use serde::Serialize;
use tokio::sync::Semaphore;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::AppState;
use crate::app::sheets::Home;
use crate::db::ledger::{self, Snapshot};
use crate::domain::permit::{Account, AreaPermit, ExportFigures, Place, authorise_areas, places_for};
use crate::error::{Error, Result};
use crate::exchange::sheets::mapping::{Mapping, RowFill};

/// Routes of this resource.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(read::fields))
        .routes(routes!(write::upload))
        .routes(routes!(read::file))
        .routes(routes!(read::list, write::create))
        .routes(routes!(read::one))
        .routes(routes!(write::add_version))
        .routes(routes!(write::fill))
        .routes(routes!(read::download))
}

/// The type of a workbook.
pub(super) const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// A workbook that was kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewFile {
    /// Identity.
    id: uuid::Uuid,
    /// Name as uploaded.
    file_name: String,
    /// Its sheets.
    sheets: Vec<crate::exchange::sheets::SheetName>,
}

/// Workbooks that are read at the same time: each may take some tens of megabytes.
static AT_ONCE: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(2));

/// Does work on a workbook away from the threads that answer requests.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let _turn = AT_ONCE.acquire().await.map_err(anyhow::Error::from)?;
    tokio::task::spawn_blocking(work).await.map_err(anyhow::Error::from)?
}

fn place_of(area: &ledger::Area) -> Place {
    Place {
        code: area.code.clone(),
        name: area.name.clone(),
        level: area.level.clone(),
        path: area.path.clone(),
    }
}

/// The area in which an account keeps a new form: the one asked for, or the first it works in.
fn home_of(
    ledger: &Snapshot,
    account: &Account,
    asked: Option<&str>,
) -> Result<(Home, AreaPermit<ExportFigures>)> {
    let code = match asked.filter(|c| !c.is_empty()) {
        Some(code) => code.to_owned(),
        None => places_for::<ExportFigures>(account).next().map(|p| p.code.clone()).unwrap_or_default(),
    };
    if code.is_empty() {
        authorise_areas::<ExportFigures>(account, [])?;
    }
    let area = ledger.area_by_code(&code)?;
    let permit = authorise_areas::<ExportFigures>(account, [&place_of(area)])?;
    Ok((home(ledger, area), permit))
}

fn home(ledger: &Snapshot, area: &ledger::Area) -> Home {
    let chain =
        ledger.on_path(&area.path, "county").or_else(|| ledger.on_path(&area.path, "city")).unwrap_or(area);
    Home { area: area.id, code: area.code.clone(), name: area.name.clone(), chain: chain.code.clone() }
}

/// Checks every row against the account's areas and against the form's own area: whoever may use the
/// form may read its filled copies.
fn permit_rows(
    ledger: &Snapshot,
    account: &Account,
    mapping: &Mapping,
    home_code: &str,
) -> Result<AreaPermit<ExportFigures>> {
    let home = place_of(ledger.area_by_code(home_code)?);
    let mut places = vec![home.clone()];
    for row in &mapping.rows {
        match &row.fill {
            RowFill::Area { code } => places.push(place_of(ledger.area_by_code(code)?)),
            RowFill::Project { code } => {
                let project = ledger.projects().iter().find(|p| p.code == *code).ok_or_else(|| {
                    Error::not_found(&format!("第 {} 行的项目 {code} ", row.row), &format!("project {code}"))
                })?;
                let area = ledger.chain(&project.path).last();
                places.extend(area.map(place_of));
            }
            RowFill::Sum { .. } | RowFill::Leave => {}
        }
    }
    let permit = authorise_areas::<ExportFigures>(account, &places)?;
    if let Some(outside) = places.iter().find(|p| !home.holds(p)) {
        return Err(Error::problem(
            crate::error::Code::OutsideArea,
            format!("这张套表属于{}，{}不在其中；请以上级辖区另存一张。", home.name, outside.name),
            format!("This form belongs to {}; {} lies outside.", home.name, outside.name),
        ));
    }
    Ok(permit)
}
