//! `cuntong import`: another programme's files into a database of its own, in one transaction, with a
//! report of every row that was refused, mended or flagged, and why.

mod apply;
pub mod mapping;
mod report;
mod source;
mod stage;

pub use report::{ImportReport, LayerReport};

use std::path::PathBuf;

use sqlx::{Connection, PgConnection};

use crate::error::{Code, Error, Result};
use mapping::{Mapping, Target};

/// What to import and how.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// The parsed mapping.
    pub mapping: Mapping,
    /// Folder that holds the mapping's files.
    pub folder: PathBuf,
    /// Check and report everything, write nothing.
    pub dry_run: bool,
    /// Program that holds the sandboxed reader; the running one when absent.
    pub reader: Option<PathBuf>,
}

/// Reads all layers in the sandbox, checks and writes them. `owner` must own the tables.
///
/// # Errors
/// The database already holds a programme; a file cannot be read or trusted; the mapping does not fit
/// a file. Nothing is written then. Bad rows are no error: they stand in the report.
pub async fn run(
    owner: &mut PgConnection,
    options: &ImportOptions,
    mut progress: impl FnMut(&str, u64, u64),
) -> Result<ImportReport> {
    let mut tx = owner.begin().await?;
    let (occupied,): (bool,) =
        sqlx::query_as("SELECT EXISTS (SELECT 1 FROM areas)").fetch_one(&mut *tx).await?;
    if occupied {
        return Err(Error::problem(
            Code::Invalid,
            "这个数据库里已经有一个项目。请为导入另建一个空的数据目录或数据库（--data-dir 或 DATABASE_URL）。",
            "This database already holds a programme. Give the import an empty data directory or database of its own (--data-dir or DATABASE_URL).",
        ));
    }
    stage::prepare(&mut tx).await?;
    apply::found_programme(&mut tx, &options.mapping).await?;

    let mut outlines_open = true;
    for (index, layer) in options.mapping.layers.iter().enumerate() {
        let number = i32::try_from(index).map_err(anyhow::Error::from)?;
        if outlines_open && layer.target != Target::Area {
            apply::close_outlines(&mut tx, layer.tolerance_m).await?;
            outlines_open = false;
        }
        stage::read(&mut tx, number, layer, options, &mut progress).await?;
        match layer.target {
            Target::Area => apply::areas(&mut tx, number, layer).await?,
            Target::NaturalVillage => {
                apply::natural_villages(&mut tx, number, layer, &options.mapping.programme).await?;
            }
            Target::Project => apply::projects(&mut tx, number, layer, &options.mapping.programme).await?,
        }
    }
    if outlines_open {
        apply::close_outlines(&mut tx, 2000.0).await?;
    }
    let report = report::collect(&mut tx, &options.mapping).await?;
    if options.dry_run {
        tx.rollback().await?;
    } else {
        apply::seal(&mut tx, &options.mapping, &report).await?;
        tx.commit().await?;
        // Statistics for the planner; outside the transaction, and its failure costs nothing but speed.
        sqlx::query("ANALYZE").execute(owner).await?;
    }
    Ok(report)
}
