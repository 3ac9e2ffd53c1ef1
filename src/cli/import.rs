//! `cuntong import`: another programme's Shapefiles into an empty database.

use std::fs::File;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use sqlx::PgConnection;

use crate::error::{Error, Result};
use crate::exchange::gdal::{ReadArguments, read_layer_in_child};
use crate::exchange::import::mapping::Mapping;
use crate::exchange::import::{ImportOptions, ImportReport, run};

/// Arguments of `cuntong import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// 映射文件（TOML）：哪个文件、哪个字段，是什么。Mapping file: which file and field means what.
    #[arg(long, value_name = "FILE")]
    pub mapping: PathBuf,
    /// 数据文件所在文件夹。Folder that holds the files named in the mapping.
    #[arg(long = "from", value_name = "FOLDER")]
    pub folder: PathBuf,
    /// 逐行问题清单（CSV，可用 Excel 打开）。Where to write the list of rows refused, mended or flagged.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// 只检查，不写入。Check and report only; write nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// Runs the import as the owner of the tables and prints its report.
///
/// # Errors
/// As [`run`]; nothing is written then.
pub async fn import(owner: &mut PgConnection, args: &ImportArgs) -> Result<()> {
    let text = std::fs::read_to_string(&args.mapping)
        .with_context(|| format!("读不到映射文件 cannot read the mapping {}", args.mapping.display()))?;
    let options = ImportOptions {
        mapping: Mapping::parse(&text)?,
        folder: args.folder.clone(),
        dry_run: args.dry_run,
        reader: None,
    };
    let bar = ProgressBar::new(0).with_style(
        ProgressStyle::with_template("{msg:20} {bar:30} {pos}/{len}").map_err(anyhow::Error::from)?,
    );
    let report = run(owner, &options, |file, done, total| {
        bar.set_message(file.to_owned());
        bar.set_length(total);
        bar.set_position(done);
    })
    .await?;
    bar.finish_and_clear();
    if let Some(path) = &args.report {
        let file = File::create(path)
            .with_context(|| format!("写不了问题清单 cannot write the list {}", path.display()))?;
        report.write_csv(file)?;
    }
    print(&report, args);
    Ok(())
}

#[allow(clippy::print_stdout)] // the answer of a command goes to standard output
fn print(report: &ImportReport, args: &ImportArgs) {
    for layer in &report.layers {
        println!(
            "{}：读入 {} 行 = 写入 {} + 拒绝 {} + 并入他行 {}；其中修补 {}、待核对 {}",
            layer.file, layer.read, layer.written, layer.refused, layer.joined, layer.mended, layer.flagged
        );
        println!(
            "  rows in {} = written {} + refused {} + joined {}; mended {}, flagged {}",
            layer.read, layer.written, layer.refused, layer.joined, layer.mended, layer.flagged
        );
        for (reason, rows) in &layer.reasons {
            println!("    {rows:>6}  {reason}");
        }
    }
    match (&args.report, args.dry_run) {
        (_, true) => println!("只检查，未写入。Checked only; nothing was written."),
        (Some(path), _) => println!("逐行清单 list of rows: {}", path.display()),
        (None, _) => {
            println!("用 --report 文件.csv 可得逐行清单。Give --report FILE.csv for the list of rows.");
        }
    }
}

/// Body of the hidden command that reads a layer inside the sandbox.
///
/// # Errors
/// The sandbox cannot be had, or the file cannot be read.
pub fn read_layer(arguments: &str) -> Result<()> {
    let arguments: ReadArguments = serde_json::from_str(arguments).map_err(anyhow::Error::from)?;
    read_layer_in_child(&arguments).map_err(Error::from)
}
