//! `cuntong serve`: the service.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use arc_swap::ArcSwap;
use axum::Router;
use axum::http::{StatusCode, header};
use axum::routing::get;
use chrono::NaiveDate;
use clap::Args;
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::demo::{self, Scale};
use crate::clock::Clock;
use crate::config::{Config, ServeOptions};
use crate::db::{Database, cluster};
use crate::exchange::demo::DEMO_PASSWORD;
use crate::http::{AppState, middleware, router, server, static_files, tls};
use crate::map::LiveMap;
use crate::telemetry::Metrics;

/// 启动服务。没有 DATABASE_URL 时，在数据目录中运行内置的 PostgreSQL。
///
/// Serves the page, the API and the map. Without DATABASE_URL it keeps a PostgreSQL of its own in
/// the data directory, on a Unix socket only. Ctrl-C or SIGTERM stops everything it started.
#[derive(Debug, Args)]
pub struct Serve {
    /// 数据库为空时装入演示省份。 Load the demo province when the database is empty
    #[arg(long, value_enum, value_name = "SCALE")]
    demo: Option<Scale>,
    /// 外部数据库结构落后时先升级（内置数据库总会升级）。
    /// Bring an external database's schema forward first (the embedded one always is)
    #[arg(long)]
    migrate: bool,
    #[command(flatten)]
    pub(super) options: ServeOptions,
}

impl Serve {
    /// Serves until Ctrl-C or SIGTERM.
    pub async fn run(self, config: Config) -> anyhow::Result<()> {
        raise_file_limit();
        let _lock = match config.database_url {
            None => Some(cluster::ServeLock::take(&config.data_dir)?),
            Some(_) => None,
        };
        let acceptor = config.tls.as_ref().map(tls::acceptor).transpose()?;
        // Before the database: an address in use is said at once, not after a minute.
        let listener = TcpListener::bind(config.listen).await.with_context(|| {
            format!(
                "不能监听 {0}：端口可能被占用，请换 --listen。\nCannot listen on {0}; try another --listen",
                config.listen
            )
        })?;
        let address = listener.local_addr()?;
        let metrics = Arc::new(Metrics::default());
        let app = Arc::new(ArcSwap::from_pointee(starting()));
        let stop = CancellationToken::new();
        let limits = server::Limits {
            max_connections: config.max_connections,
            header_read_timeout: config.header_read_timeout,
            drain: Duration::from_secs(5),
        };
        let serving = tokio::spawn(server::serve(
            listener,
            acceptor,
            Arc::clone(&app),
            limits,
            Arc::clone(&metrics),
            stop.clone(),
        ));

        let scheme = if config.tls.is_some() { "https" } else { "http" };
        let url = config.public_url.clone().unwrap_or_else(|| format!("{scheme}://{address}"));
        let config = Arc::new(config);
        let mut database = None;
        let prepared = tokio::select! {
            prepared = self.prepare(&config, &metrics, &mut database) => prepared.map(Some),
            outcome = end_asked_for() => outcome.map(|()| None),
        };
        let mut pool = None;
        let outcome = match prepared {
            Ok(Some(state)) => {
                pool = Some(state.pool.clone());
                greet(&state.pool, &url).await;
                app.store(Arc::new(router(state)));
                std::thread::spawn(static_files::warm);
                std::thread::spawn(crate::http::tiles::warm);
                let outcome = end_asked_for().await;
                tracing::info!("stopping");
                outcome
            }
            // Asked to end while still starting.
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        stop.cancel();
        let _ = serving.await;
        // Streams of events end with the application's own state.
        app.store(Arc::new(Router::new()));
        if let Some(pool) = pool {
            // Waits for writes under way: they run on in tasks of their own.
            let _ = tokio::time::timeout(Duration::from_secs(20), pool.close()).await;
        }
        if let Some(database) = database {
            let closed = database.close().await;
            outcome.and(closed)
        } else {
            outcome
        }
    }

    async fn prepare(
        &self,
        config: &Arc<Config>,
        metrics: &Arc<Metrics>,
        database: &mut Option<Database>,
    ) -> anyhow::Result<AppState> {
        let begun = Instant::now();
        let database = database.insert(Database::open(config).await?);
        database.keep_alive();
        database.migrate_or_refuse(database.is_embedded() || self.migrate).await?;
        if let Some(scale) = self.demo {
            demo::load(database, scale).await?;
        }
        database.require_app_role().await?;
        let pool = database.pool(config.pool_size);
        let business_date = match config.business_date {
            Some(date) => Some(date),
            None => business_date_of(&pool).await?,
        };
        let clock = Clock::new(business_date);
        let map =
            LiveMap::start(pool.clone(), clock.clone(), Arc::clone(metrics), config.tile_cache_bytes).await?;
        tokio::spawn(crate::app::housekeeping::run(pool.clone(), clock.clone()));
        tracing::info!(seconds = begun.elapsed().as_secs_f64(), "ready");
        Ok(AppState {
            config: Arc::clone(config),
            pool,
            map,
            clock,
            metrics: Arc::clone(metrics),
            ledger: Arc::default(),
            sessions: Arc::default(),
        })
    }
}

/// A programme may live on a date of its own (the demo province, an import of what was published
/// then), which it brings along in its setting.
async fn business_date_of(pool: &PgPool) -> anyhow::Result<Option<NaiveDate>> {
    let date: Option<Option<String>> = sqlx::query_scalar(
        "SELECT value ->> 'business_date' FROM settings WHERE key = 'programme' ORDER BY effective_on DESC, recorded_at DESC LIMIT 1",
    )
    .fetch_optional(pool)
    .await?;
    date.flatten()
        .map(|text| text.parse().with_context(|| format!("settings.programme.business_date: {text}")))
        .transpose()
}

/// Prints where the page is, and who can sign in to a demo.
async fn greet(pool: &PgPool, url: &str) {
    println!("\n村通已就绪 Cuntong is ready:  {url}");
    let accounts: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT a.login, a.display_name, a.unit_name FROM accounts a
          WHERE a.disabled_at IS NULL AND EXISTS (SELECT 1 FROM settings WHERE key = 'demo_scale')
          ORDER BY a.recorded_at, a.login LIMIT 20",
    )
    .fetch_all(pool)
    .await
    .unwrap_or_default();
    if !accounts.is_empty() {
        println!("\n演示账号 Demo accounts（密码 password: {DEMO_PASSWORD}）");
        for (login, name, unit) in accounts {
            println!("  {login:<20} {name}  {unit}");
        }
    }
    println!("\nCtrl-C 停止 stops everything.\n");
}

/// What is answered until the map is loaded.
fn starting() -> Router {
    let wait = || async {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            [
                (header::CONTENT_TYPE, "text/html; charset=utf-8"),
                (header::RETRY_AFTER, "2"),
                (header::CACHE_CONTROL, "no-store"),
                (header::REFRESH, "2"),
                (header::CONTENT_SECURITY_POLICY, middleware::CONTENT_SECURITY_POLICY),
            ],
            "<!doctype html><html lang=\"zh\"><meta charset=\"utf-8\"><title>村通</title>\
             <p>村通正在启动，请稍候……</p><p>Cuntong is starting, one moment please…</p></html>",
        )
    };
    Router::new().route("/healthz", get(|| async { "ok\n" })).fallback(wait)
}

/// Ends when a person or the system asks the program to.
async fn end_asked_for() -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hang_up.recv() => {}
    }
    Ok(())
}

/// One file descriptor per connection: take as many as the system lets us have.
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if limit.current < limit.maximum {
        let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    }
}
