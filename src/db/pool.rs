//! Connections, and the one way to write.
//!
//! Invariants:
//! - A connection never returns to the pool inside a transaction (see [`build`]).
//! - A write runs to its end once begun: [`write`] spawns it, so that a browser which hangs up
//!   cancels only the waiting for the answer.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, Executor, PgConnection, PgPool};
use uuid::Uuid;

use crate::error::{Error, Result};

/// Tries of one write before a serialization failure or a deadlock is given to the caller.
const TRIES: u32 = 5;

/// A future that is sent between threads and borrows for `'t`.
pub type BoxFuture<'t, T> = Pin<Box<dyn Future<Output = T> + Send + 't>>;

/// A pool of at most `size` connections.
///
/// sqlx can hand back a connection inside a transaction when a request is cancelled while
/// `begin()` is under way; the next user's work would then be part of a transaction that nobody
/// commits. So every connection that comes back is rolled back first.
pub fn build(options: PgConnectOptions, size: u32) -> PgPool {
    PgPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(Duration::from_secs(10))
        // A restarted server leaves dead connections behind; better found here than by a person.
        .test_before_acquire(true)
        .after_release(|conn, _| {
            Box::pin(async move {
                // BEGIN makes ROLLBACK silent when there is nothing to roll back. In a failed
                // transaction it is refused, and the connection is closed instead of kept.
                Ok(conn.execute("BEGIN; ROLLBACK").await.is_ok())
            })
        })
        .connect_lazy_with(options.application_name("cuntong"))
}

/// Runs one write of an account: a transaction that names the account to the policies of the
/// database, in a task of its own that a closed connection does not cancel. Serialization
/// failures and deadlocks are tried again, so `work` may run several times.
///
/// `account` is `None` for what nobody signed in does (signing in).
///
/// ```ignore
/// let seq = db::write(&state.pool, Some(account.id), move |tx| Box::pin(async move {
///     app::report_progress::run(tx, &command).await
/// })).await?;
/// ```
///
/// # Errors
/// Whatever `work` says; nothing was written then. An error of the commit itself leaves it open
/// whether it was written: the idempotency key tells.
pub async fn write<T, F>(pool: &PgPool, account: Option<Uuid>, work: F) -> Result<T>
where
    T: Send + 'static,
    F: for<'t> Fn(&'t mut PgConnection) -> BoxFuture<'t, Result<T>> + Send + Sync + 'static,
{
    let pool = pool.clone();
    let span = tracing::Span::current();
    let task = tokio::spawn(tracing::Instrument::instrument(
        async move {
            let mut tried = 1;
            loop {
                match attempt(&pool, account, &work).await {
                    Err(error) if tried < TRIES && is_transient(&error) => {
                        tracing::info!(%error, tried, "the write is tried again");
                        // Writers that met once should not meet again at the same instant.
                        let jitter = rand::random_range(0..10 * (1 << tried));
                        tokio::time::sleep(Duration::from_millis(jitter)).await;
                        tried += 1;
                    }
                    done => return done,
                }
            }
        },
        span,
    ));
    task.await.map_err(|panic| Error::Internal(anyhow::anyhow!("a write panicked: {panic}")))?
}

async fn attempt<T, F>(pool: &PgPool, account: Option<Uuid>, work: &F) -> Result<T>
where
    F: for<'t> Fn(&'t mut PgConnection) -> BoxFuture<'t, Result<T>>,
{
    let mut conn = pool.acquire().await?;
    let mut tx = conn.begin().await?;
    sqlx::query("SELECT set_config('cuntong.account', $1, true)")
        .bind(account.map(|id| id.to_string()).unwrap_or_default())
        .execute(&mut *tx)
        .await?;
    let done = work(&mut tx).await?;
    tx.commit().await?;
    Ok(done)
}

/// Whether the database asks us to try again: serialization failure, deadlock.
fn is_transient(error: &Error) -> bool {
    match error {
        Error::Database(sqlx::Error::Database(db)) => {
            matches!(db.code().as_deref(), Some("40001" | "40P01"))
        }
        _ => false,
    }
}
