//! `make bench`: what the live map costs, at the scale of the province.
//!
//! Environment: `CUNTONG_BENCH_DATA` (data directory of the embedded database, kept between runs;
//! default `target/bench-data` or `/var/lib/cuntong-bench` as root), `DATABASE_URL` instead of it,
//! `CUNTONG_BENCH_SCALE` (`province`, `poor`): a database that holds a demo province is measured
//! as it is. `CUNTONG_BENCH_ONLY` names the sections to run, with commas: cold, served, warm, fresh.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::items_after_statements,
    clippy::type_complexity,
    clippy::unused_self
)]

#[path = "map/cold.rs"]
mod cold;
#[path = "map/fresh.rs"]
mod fresh;
#[path = "map/served.rs"]
mod served;
#[path = "map/warm.rs"]
mod warm;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use arc_swap::ArcSwap;
use axum::Router;
use cuntong::cli::demo::{self, Scale};
use cuntong::clock::Clock;
use cuntong::config::{CommonOptions, Config, ServeOptions};
use cuntong::db::Database;
use cuntong::http::{AppState, server};
use cuntong::map::LiveMap;
use cuntong::telemetry::Metrics;
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// What every section works with.
struct Bench {
    database: Database,
    pool: PgPool,
    map: Arc<LiveMap>,
    clock: Clock,
    metrics: Arc<Metrics>,
    config: Arc<Config>,
    /// Places where something is: longitude, latitude.
    places: Vec<(f64, f64)>,
}

fn main() -> anyhow::Result<()> {
    // `cargo test --benches` runs this too; it has nothing to test.
    if std::env::args().any(|a| a == "--test") {
        return Ok(());
    }
    tokio::runtime::Runtime::new()?.block_on(run())
}

async fn run() -> anyhow::Result<()> {
    let data_dir = std::env::var_os("CUNTONG_BENCH_DATA").map_or_else(default_dir, PathBuf::from);
    let database_url = std::env::var("DATABASE_URL").ok().map(|u| u.parse()).transpose()?;
    let common = CommonOptions { data_dir: Some(data_dir), database_url, ..Default::default() };
    let config = Arc::new(Config::load(common, ServeOptions::default())?);
    let database = Database::open(&config).await?;
    database.migrate_or_refuse(true).await?;
    let scale = match std::env::var("CUNTONG_BENCH_SCALE").as_deref() {
        Ok("poor") => Scale::Poor,
        Ok("nation") => Scale::Nation,
        _ => Scale::Province,
    };
    demo::load(&database, scale).await?;
    let pool = database.pool(16);
    let outcome = measure(database, pool.clone(), config).await;
    pool.close().await;
    outcome
}

fn default_dir() -> PathBuf {
    if rustix::process::geteuid().is_root() {
        "/var/lib/cuntong-bench".into()
    } else {
        "target/bench-data".into()
    }
}

async fn measure(database: Database, pool: PgPool, config: Arc<Config>) -> anyhow::Result<()> {
    let today = sqlx::query_scalar::<_, String>(
        "SELECT value ->> 'business_date' FROM settings WHERE key = 'programme' ORDER BY effective_on DESC, recorded_at DESC LIMIT 1",
    )
    .fetch_one(&pool)
    .await
    .context("the demo province's date")?;
    let clock = Clock::new(Some(today.parse()?));
    let counts: (i64, i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM road_segments), (SELECT count(*) FROM natural_villages), (SELECT count(*) FROM projects)",
    )
    .fetch_one(&pool)
    .await?;
    println!(
        "\n{} road segments, {} natural villages, {} projects; business date {today}",
        counts.0, counts.1, counts.2
    );

    let before = rss_mb();
    let metrics = Arc::new(Metrics::default());
    let begun = Instant::now();
    let map = LiveMap::start(pool.clone(), clock.clone(), Arc::clone(&metrics), 512 << 20).await?;
    println!(
        "Atlas loaded in {:.1} s; memory {:.0} MB, of which {:.0} MB by the load (goals: < 15 s, < 600 MB)",
        begun.elapsed().as_secs_f64(),
        rss_mb(),
        rss_mb() - before
    );
    let places = sqlx::query_as(
        "SELECT ST_X(p), ST_Y(p) FROM (SELECT ST_StartPoint(geom) AS p FROM road_segments ORDER BY md5(fid::text) LIMIT 20000) s",
    )
    .fetch_all(&pool)
    .await?;
    let bench = Bench { database, pool, map, clock, metrics, config, places };

    let only = std::env::var("CUNTONG_BENCH_ONLY").unwrap_or_default();
    let wanted = |name: &str| only.is_empty() || only.split(',').any(|o| o == name);
    if wanted("cold") {
        cold::run(&bench).await?;
    }
    if wanted("served") {
        served::run(&bench)?;
    }
    if wanted("warm") {
        warm::run(&bench).await?;
    }
    if wanted("fresh") {
        fresh::run(&bench).await?;
    }
    println!("\nmemory at the end {:.0} MB", rss_mb());
    bench.pool.close().await;
    bench.database.close().await
}

/// Memory of this process that is its own, MB. The database's is not in it.
fn rss_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("RssAnon:")).unwrap_or("0");
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or(0.0) / 1024.0
}

/// The value below which a share of the sorted values lies.
fn quantile(sorted: &[Duration], share: f64) -> Duration {
    sorted.get(((sorted.len() as f64 - 1.0) * share).round() as usize).copied().unwrap_or_default()
}

fn ms(d: Duration) -> f64 {
    d.as_secs_f64() * 1000.0
}

impl Bench {
    /// Different tiles of a zoom, where something is.
    fn tiles(&self, z: u8, most: usize) -> Vec<tiles::TileId> {
        let mut seen = std::collections::HashSet::new();
        let places = self.places.iter().filter_map(|&(lon, lat)| tiles::lonlat_to_world(lon, lat));
        places.filter_map(|p| tiles::TileId::at(z, p)).filter(|t| seen.insert(*t)).take(most).collect()
    }

    fn state(&self) -> AppState {
        AppState {
            config: Arc::clone(&self.config),
            pool: self.pool.clone(),
            map: Arc::clone(&self.map),
            clock: self.clock.clone(),
            metrics: Arc::clone(&self.metrics),
            ledger: Arc::default(),
            sessions: Arc::default(),
        }
    }

    /// Serves a router as `cuntong serve` does. Ends when the token is dropped.
    async fn serve(
        &self,
        app: Router,
    ) -> anyhow::Result<(std::net::SocketAddr, tokio_util::sync::DropGuard)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let limits = server::Limits {
            max_connections: 1000,
            header_read_timeout: Duration::from_secs(30),
            drain: Duration::from_millis(100),
        };
        let app = Arc::new(ArcSwap::from_pointee(app));
        tokio::spawn(server::serve(listener, None, app, limits, Arc::clone(&self.metrics), stop.clone()));
        Ok((address, stop.drop_guard()))
    }
}
