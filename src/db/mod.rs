//! The database: pool, migrator, embedded cluster; one file of queries per table; change feed.

pub mod accounts;
pub mod areas;
pub mod audit;
pub mod cluster;
pub mod feed;
pub mod history;
pub mod idempotency;
pub mod ledger;
pub mod migrator;
pub mod natural_villages;
pub mod pool;
pub mod progress;
pub mod projects;
pub mod reports;
mod requirements;
pub mod review_queue;
pub mod search;
pub mod sessions;
pub mod settings;
pub mod sheets;
pub mod todo;

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection, PgPool};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::config::Config;
use cluster::{APP_ROLE, Cluster, DATABASE, OWNER_ROLE, Opened};
pub use pool::{BoxFuture, write};

/// The database that this process works with: a server of one's own, or the embedded cluster.
#[derive(Debug)]
pub struct Database {
    /// As configured, before the role is changed.
    login: PgConnectOptions,
    app: PgConnectOptions,
    owner: PgConnectOptions,
    embedded: Option<Embedded>,
}

#[derive(Debug)]
struct Embedded {
    cluster: Arc<Cluster>,
    /// Stops the watch over the postmaster when the database is closed or dropped.
    watch: Option<DropGuard>,
}

impl Database {
    /// Opens the database that the configuration names: checks an external server, or makes,
    /// starts or adopts the embedded one.
    pub async fn open(config: &Config) -> anyhow::Result<Self> {
        match &config.database_url {
            Some(url) => {
                let owner = config.owner_database_url.as_ref().unwrap_or(url);
                Self::open_external(url.reveal(), owner.reveal()).await
            }
            None => Self::open_embedded(config.data_dir.clone(), config.postgres_bin.clone()).await,
        }
    }

    async fn open_external(url: &str, owner_url: &str) -> anyhow::Result<Self> {
        let parse = |url: &str, name: &str| {
            // The URL may hold a password, so only the reason is shown.
            PgConnectOptions::from_str(url).map_err(|error| {
                anyhow::anyhow!(
                    "{name} 不是有效的 PostgreSQL 地址。\n{name} is not a PostgreSQL address: {error}"
                )
            })
        };
        let login = parse(url, "DATABASE_URL")?;
        let owner = parse(owner_url, "CUNTONG_OWNER_DATABASE_URL")?;
        let mut conn = requirements::connect(&login).await?;
        let app = requirements::app_role(&mut conn, login.clone()).await?;
        requirements::check_server(&mut conn).await?;
        conn.close().await?;
        Ok(Self { login, app, owner, embedded: None })
    }

    async fn open_embedded(home: PathBuf, postgres_bin: Option<PathBuf>) -> anyhow::Result<Self> {
        let cluster =
            tokio::task::spawn_blocking(move || Cluster::open(&home, postgres_bin.as_deref())).await??;
        match cluster.opened {
            Opened::Created => tracing::info!("made the embedded database"),
            Opened::Started => tracing::info!("started the embedded database"),
            Opened::Adopted => tracing::info!(
                pid = cluster.postmaster_pid(),
                "the embedded database was already running; it is used on"
            ),
        }
        create_database(&cluster.options(OWNER_ROLE, "postgres")).await?;
        let mut conn = requirements::connect(&cluster.owner_options()).await?;
        requirements::check_server(&mut conn).await?;
        conn.close().await?;
        Ok(Self {
            login: cluster.app_options(),
            app: cluster.app_options(),
            owner: cluster.owner_options(),
            embedded: Some(Embedded { cluster: Arc::new(cluster), watch: None }),
        })
    }

    /// Whether the database is the embedded one.
    pub fn is_embedded(&self) -> bool {
        self.embedded.is_some()
    }

    /// A connection as the owner of the tables: for migrations, imports and demo data.
    pub async fn connect_owner(&self) -> anyhow::Result<PgConnection> {
        requirements::connect(&self.owner).await
    }

    /// A pool of connections as the role `cuntong_app`.
    pub fn pool(&self, size: u32) -> PgPool {
        pool::build(self.app.clone(), size)
    }

    /// Brings the schema forward, or refuses to go on with one that is behind.
    pub async fn migrate_or_refuse(&self, may_migrate: bool) -> anyhow::Result<()> {
        let mut owner = self.connect_owner().await?;
        let missing = migrator::standing(&mut owner).await?.missing.len();
        if missing > 0 {
            if !may_migrate {
                bail!(
                    "数据库结构落后 {missing} 个版本。请先备份，再执行 cuntong migrate（或加 --migrate 启动）。\n\
                     The schema lacks {missing} migrations. Make a backup, then run cuntong migrate, or start with --migrate."
                );
            }
            let ran = migrator::run(&mut owner).await?;
            tracing::info!(ran, "brought the schema forward");
        }
        owner.close().await?;
        Ok(())
    }

    /// Fails with an explanation when the configured user may not work as `cuntong_app`.
    pub async fn require_app_role(&self) -> anyhow::Result<()> {
        let mut conn = requirements::connect(&self.login).await?;
        requirements::require_app_role(&mut conn).await?;
        conn.close().await?;
        Ok(())
    }

    /// Watches over the embedded postmaster from now on: one that was lost is started again, and
    /// the pool finds it by itself.
    pub fn keep_alive(&mut self) {
        let Some(embedded) = &mut self.embedded else { return };
        let stop = CancellationToken::new();
        let cluster = Arc::downgrade(&embedded.cluster);
        embedded.watch = Some(stop.clone().drop_guard());
        tokio::spawn(async move {
            let mut every = tokio::time::interval(Duration::from_millis(500));
            loop {
                tokio::select! {
                    () = stop.cancelled() => return,
                    _ = every.tick() => {}
                }
                let Some(cluster) = cluster.upgrade() else { return };
                if cluster.is_alive() {
                    continue;
                }
                tracing::error!("the embedded database was lost; starting it again");
                let outcome = tokio::task::spawn_blocking(move || cluster.ensure_running()).await;
                match outcome {
                    Ok(Ok(_)) => tracing::info!("the embedded database is back"),
                    Ok(Err(error)) => tracing::error!("{error:#}"),
                    Err(error) => tracing::error!("{error}"),
                }
            }
        });
    }

    /// Leaves the database. An embedded one is stopped, unless another command still uses it.
    pub async fn close(self) -> anyhow::Result<()> {
        let Some(Embedded { cluster, watch }) = self.embedded else { return Ok(()) };
        drop(watch);
        let mut cluster = cluster;
        // The watch may be holding it for an instant.
        let cluster = loop {
            match Arc::try_unwrap(cluster) {
                Ok(cluster) => break cluster,
                Err(shared) => {
                    cluster = shared;
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        };
        tokio::task::spawn_blocking(move || cluster.close()).await?
    }
}

/// Makes the embedded database if it is not there yet.
async fn create_database(maintenance: &PgConnectOptions) -> anyhow::Result<()> {
    let mut conn = maintenance.connect().await.context("postgres")?;
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)")
        .bind(DATABASE)
        .fetch_one(&mut conn)
        .await?;
    if !exists {
        sqlx::query("CREATE DATABASE cuntong").execute(&mut conn).await?;
    }
    conn.close().await?;
    Ok(())
}

/// Name of the role that the program works as, for messages.
pub const fn app_role() -> &'static str {
    APP_ROLE
}
