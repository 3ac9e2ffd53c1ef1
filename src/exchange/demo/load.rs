//! Loads the demo province: makes it county by county and copies each before the next is made.

use std::io::IsTerminal;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use uuid::Uuid;

use super::accounts::{self, Book};
use super::calendar::{CENSUS, day, moment};
use super::county::{County, Sources};
use super::county_rows::{self, Shared};
use super::dice::Dice;
use super::framework::{self, Copy};
use super::planted::Planted;
use super::quota;
use super::sheets::Sheets;
use crate::error::{Code, Error, Result};

/// How much of the province.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Scale {
    /// The 2,277 relatively poor villages and what belongs to them.
    Poor,
    /// All 19,318 villages.
    Province,
    /// Ten copies of the province, for measurements only.
    Nation,
}

impl Scale {
    /// The word of the command line and of the setting `demo_scale`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Poor => "poor",
            Self::Province => "province",
            Self::Nation => "nation",
        }
    }
}

/// What to load.
#[derive(Debug, Clone, Copy)]
pub struct DemoOptions {
    /// How much.
    pub scale: Scale,
    /// The same seed gives the same province, to the last byte.
    pub seed: u64,
    /// Show what is going on, on the standard error.
    pub progress: bool,
}

/// The seed of the demo that the documentation shows.
pub const DEFAULT_SEED: u64 = 2020;

impl Default for DemoOptions {
    fn default() -> Self {
        Self { scale: Scale::Poor, seed: DEFAULT_SEED, progress: true }
    }
}

/// What was loaded.
#[derive(Debug, Clone)]
pub struct DemoSummary {
    /// Scale.
    pub scale: Scale,
    /// Rows and SHA-256 of each table's text, in the order of loading.
    pub tables: Vec<(&'static str, u64, String)>,
    /// Seconds it took.
    pub seconds: f64,
}

/// Is a demo province in this database? Everything is loaded in one transaction: it is there whole
/// or not at all.
pub async fn is_loaded(connection: &mut PgConnection) -> Result<bool> {
    let loaded: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM settings WHERE key = 'demo_scale')")
        .fetch_one(connection)
        .await?;
    Ok(loaded)
}

/// Loads the demo province as the owner of the tables.
///
/// # Errors
/// Refuses a database that holds areas already; anything else is the database's own error.
pub async fn load(owner: &mut PgConnection, options: &DemoOptions) -> Result<DemoSummary> {
    let begun = Instant::now();
    let mut tx = owner.begin().await?;
    // Two starts at once: the second waits here, and then finds the database taken.
    sqlx::query("LOCK TABLE areas IN SHARE ROW EXCLUSIVE MODE").execute(&mut *tx).await?;
    let taken: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM areas)").fetch_one(&mut *tx).await?;
    if taken {
        return Err(Error::problem(
            Code::Invalid,
            "数据库里已有行政区划：演示省只能装入空库。",
            "The database holds areas already: the demo province goes into an empty database only.",
        ));
    }
    let sources = Sources::load()?;
    let quotas = quota::allot(&sources.codes, options.seed);
    let copies: u8 = if options.scale == Scale::Nation { 10 } else { 1 };
    let everything = options.scale != Scale::Poor;
    let counties = &sources.codes.counties;
    let progress = Progress::new(options.progress, counties.len() as u64 * u64::from(copies), options.scale);
    let book = Book::new(counties, options.seed);
    let hash = accounts::password_hash(options.seed)?;
    let denominator = denominator(&mut tx, options.seed).await?;
    let mut sheets = Sheets::new();
    framework::settings(options.scale, options.seed, &mut sheets.settings);
    framework::targets(options.seed, &mut sheets.targets);
    for number in 0..copies {
        let copy = Copy { number };
        let areas = framework::areas(&sources, copy, options.seed, &mut sheets)?;
        let units = framework::units(counties, &areas, copy, options.seed, &mut sheets.units);
        if number == 0 {
            framework::accounts(&book, &areas, &hash, &mut sheets);
        }
        flush(&mut tx, &mut sheets).await?;
        extent(&mut tx).await?;
        let shared =
            Shared { copy, areas: &areas, units: &units, book: &book, denominator, seed: options.seed };
        for county in counties {
            let Some(quota) = quotas.get(&county.code) else { continue };
            let made = County::make(&sources, county, quota, everything, options.seed)?;
            county_rows::write(&made, &shared, &mut sheets);
            progress.county(&county.name, &mut sheets);
            flush(&mut tx, &mut sheets).await?;
            audit_root(&mut tx, &copy.code(&county.code), &made, options).await?;
        }
    }
    finish(&mut tx, options).await?;
    tx.commit().await?;
    progress.say("统计 Analysing …");
    // By name: a plain ANALYZE warns about every catalogue that is not ours.
    let names: Vec<&str> = sheets.all().iter().map(|(name, _)| *name).collect();
    sqlx::query(AssertSqlSafe(format!("ANALYZE {}", names.join(", ")))).execute(&mut *owner).await?;
    let tables = sheets.all().into_iter().map(|(name, s)| (name, s.rows, s.checksum())).collect();
    let summary = DemoSummary { scale: options.scale, tables, seconds: begun.elapsed().as_secs_f64() };
    progress.done(&summary);
    Ok(summary)
}

/// Makes the province without a database: rows, checksums and planted wrongs.
pub fn rehearse(options: &DemoOptions) -> Result<(DemoSummary, Vec<Planted>)> {
    let begun = Instant::now();
    let sources = Sources::load()?;
    let quotas = quota::allot(&sources.codes, options.seed);
    let book = Book::new(&sources.codes.counties, options.seed);
    let mut sheets = Sheets::new();
    let mut planted = Vec::new();
    let copy = Copy { number: 0 };
    let areas = framework::areas(&sources, copy, options.seed, &mut sheets)?;
    let units = framework::units(&sources.codes.counties, &areas, copy, options.seed, &mut sheets.units);
    let shared = Shared {
        copy,
        areas: &areas,
        units: &units,
        book: &book,
        denominator: Uuid::nil(),
        seed: options.seed,
    };
    for county in &sources.codes.counties {
        let Some(quota) = quotas.get(&county.code) else { continue };
        let made = County::make(&sources, county, quota, options.scale != Scale::Poor, options.seed)?;
        county_rows::write(&made, &shared, &mut sheets);
        for (_, sheet) in sheets.all() {
            sheet.take();
        }
        planted.extend(made.planted);
    }
    let tables = sheets.all().into_iter().map(|(name, s)| (name, s.rows, s.checksum())).collect();
    Ok((DemoSummary { scale: options.scale, tables, seconds: begun.elapsed().as_secs_f64() }, planted))
}

async fn flush(connection: &mut PgConnection, sheets: &mut Sheets) -> Result<()> {
    for (_, sheet) in sheets.all() {
        if sheet.text.is_empty() {
            continue;
        }
        let text = sheet.take();
        let mut copy = connection.copy_in_raw(&format!("COPY {} FROM STDIN", sheet.target)).await?;
        for chunk in text.as_bytes().chunks(1 << 20) {
            copy.send(chunk).await?;
        }
        copy.finish().await?;
    }
    Ok(())
}

async fn denominator(connection: &mut PgConnection, seed: u64) -> Result<Uuid> {
    let id = Dice::new(seed, "440000", "denominator").uuid(moment(CENSUS, 600));
    sqlx::query(
        "INSERT INTO denominators (id, name, document_no, section, effective_on, recorded_at)
         VALUES ($1, 'natural_village_20', '三年行动方案（2018—2020年）', '十四、加快实施交通扶贫', '2017-12-31', '2017-12-31 10:00+08')",
    )
    .bind(id)
    .execute(connection)
    .await?;
    Ok(id)
}

/// The ground that map data must lie in: the outlines, coarser, with 6 km of coast and neighbours.
async fn extent(connection: &mut PgConnection) -> Result<()> {
    sqlx::query("DELETE FROM programme_extent").execute(&mut *connection).await?;
    sqlx::query(
        "INSERT INTO programme_extent (geom)
         SELECT ST_Multi(ST_Union(ST_Buffer(ST_SimplifyPreserveTopology(geom, 0.01), 0.07, 2)))
           FROM areas WHERE level = 'province'",
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// One entry per county in the audit chain: what came in with the demo.
async fn audit_root(
    connection: &mut PgConnection,
    chain: &str,
    made: &County,
    options: &DemoOptions,
) -> Result<()> {
    let body = serde_json::json!({
        "time": "2020-10-31T18:00:00+08:00", "account": null, "action": "load_demo",
        "scale": options.scale.word(), "seed": options.seed,
        "villages": made.villages.iter().filter(|v| v.listed).count(), "natural_villages": made.naturals.len(),
        "road_segments": made.network.segments.len(), "projects": made.projects.len(),
    });
    sqlx::query("SELECT append_audit($1, $2)").bind(chain).bind(body.to_string()).execute(connection).await?;
    Ok(())
}

/// Identity columns go on behind what was given, and the feed tells every node to load anew.
async fn finish(connection: &mut PgConnection, options: &DemoOptions) -> Result<()> {
    for statement in [
        "SELECT setval(pg_get_serial_sequence('areas', 'fid'), coalesce((SELECT max(fid) FROM areas), 1))",
        "SELECT setval(pg_get_serial_sequence('natural_villages', 'fid'), coalesce((SELECT max(fid) FROM natural_villages), 1))",
        "SELECT setval(pg_get_serial_sequence('road_segments', 'fid'), coalesce((SELECT max(fid) FROM road_segments), 1))",
        "SELECT setval(pg_get_serial_sequence('water_schemes', 'fid'), coalesce((SELECT max(fid) FROM water_schemes), 1))",
        "SELECT setval(pg_get_serial_sequence('projects', 'fid'), coalesce((SELECT max(fid) FROM projects), 1))",
    ] {
        sqlx::query(statement).execute(&mut *connection).await?;
    }
    sqlx::query("SELECT append_change('bulk', NULL, NULL, $1)")
        .bind(serde_json::json!({ "demo": options.scale.word(), "as_of": super::calendar::date(day(2020, 10, 31)) }))
        .execute(connection)
        .await?;
    Ok(())
}

/// Progress with counts: a bar on a terminal, plain lines elsewhere.
struct Progress {
    bar: Option<ProgressBar>,
    plain: bool,
    total: u64,
    done: std::cell::Cell<u64>,
}

impl Progress {
    fn new(wanted: bool, total: u64, scale: Scale) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = (wanted && terminal).then(|| {
            let bar = ProgressBar::new(total);
            if let Ok(style) = ProgressStyle::with_template("{bar:30.cyan} {pos}/{len} 县 {elapsed} {msg}") {
                bar.set_style(style);
            }
            bar
        });
        let progress = Self { bar, plain: wanted && !terminal, total, done: std::cell::Cell::new(0) };
        progress.say(&format!("装入演示省 Loading the demo province ({})", scale.word()));
        progress
    }

    fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None if self.plain => eprintln!("{text}"),
            None => {}
        }
    }

    fn county(&self, name: &str, sheets: &mut Sheets) {
        let done = self.done.get() + 1;
        self.done.set(done);
        let counts = format!(
            "{name}  村 {} 自然村 {} 路段 {} 项目 {} 填报 {}",
            sheets.villages.rows,
            sheets.natural_villages.rows,
            sheets.road_segments.rows,
            sheets.projects.rows,
            sheets.progress_reports.rows
        );
        match &self.bar {
            Some(bar) => {
                bar.set_position(done);
                bar.set_message(counts);
            }
            None if self.plain && (done.is_multiple_of(20) || done == self.total) => {
                eprintln!("{done}/{} 县 {counts}", self.total);
            }
            None => {}
        }
    }

    fn done(&self, summary: &DemoSummary) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        let rows: u64 = summary.tables.iter().map(|t| t.1).sum();
        if self.bar.is_some() || self.plain {
            eprintln!("演示省已就绪 Demo province ready: {rows} 行 rows, {:.0} 秒 s", summary.seconds);
        }
    }
}
