//! Brings the schema forward. Runs apart from `serve`; see migrations/README.md.

use anyhow::{Context, bail};
use sqlx::PgConnection;
use sqlx::migrate::{Migrate, MigrateError, Migrator};

use super::requirements;

/// The migrations that this program was built with.
pub static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// What a database has of our migrations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Versions that this program has and the database lacks.
    pub missing: Vec<i64>,
    /// Versions that the database has and this program does not know: a newer program was here.
    pub unknown: Vec<i64>,
}

/// Compares the database with this program. Reads only.
pub async fn standing(conn: &mut PgConnection) -> anyhow::Result<Standing> {
    // The catalogue tells it even to a role that may not look into the schema (to_regclass would
    // fail), so that the requirements can say in words what is missing.
    let migrated: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                         WHERE n.nspname = 'public' AND c.relname = '_sqlx_migrations')",
    )
    .fetch_one(&mut *conn)
    .await?;
    let applied: Vec<i64> = if migrated {
        sqlx::query_scalar("SELECT version FROM public._sqlx_migrations WHERE success ORDER BY version")
            .fetch_all(conn)
            .await?
    } else {
        Vec::new()
    };
    let known: Vec<i64> = MIGRATIONS.iter().map(|m| m.version).collect();
    Ok(Standing {
        missing: known.iter().copied().filter(|v| !applied.contains(v)).collect(),
        unknown: applied.into_iter().filter(|v| !known.contains(v)).collect(),
    })
}

/// Applies what is missing, as the owner of the tables. Returns how many migrations ran.
///
/// A database that a newer program has already migrated is fine: versions N and N+1 work side by
/// side on it.
pub async fn run(conn: &mut PgConnection) -> anyhow::Result<usize> {
    let before = standing(conn).await?.missing.len();
    if before > 0 {
        requirements::check_owner(conn).await?;
    }
    // Held by whoever migrates; a second one waits here instead of failing half-way.
    conn.lock().await.context("waiting for another migration")?;
    let mut migrator = Migrator::with_migrations(MIGRATIONS.iter().cloned().collect());
    migrator.set_ignore_missing(true).set_locking(false);
    let outcome = migrator.run_direct(None, conn, false).await;
    conn.unlock().await?;
    match outcome {
        Ok(()) => {
            requirements::lend_app_role(conn).await?;
            Ok(before)
        }
        Err(MigrateError::VersionMismatch(version)) => bail!(
            "数据库的迁移 {version} 与本程序的不同：它由另一个版本建立。\n\
             Migration {version} of the database differs from this program's: another build made it"
        ),
        Err(MigrateError::ExecuteMigration(error, version)) => {
            Err(error).with_context(|| format!("迁移 {version} 失败。\nMigration {version} failed"))
        }
        Err(error) => Err(error.into()),
    }
}
