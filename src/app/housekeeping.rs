//! 定期清理: what is kept for a time only goes when its time is over.

use std::time::Duration;

use sqlx::PgPool;

use crate::clock::Clock;
use crate::db::idempotency;

/// Time between two rounds. Several nodes may clean at once: they delete the same rows.
const EVERY: Duration = Duration::from_secs(3600);

/// Deletes stored answers after 90 days, sessions a month after their end and old failed
/// sign-ins, every hour for as long as the program runs.
pub async fn run(pool: PgPool, clock: Clock) {
    let mut rounds = tokio::time::interval(EVERY);
    loop {
        rounds.tick().await;
        let now = clock.now();
        let cleaned = crate::db::write(&pool, None, move |tx| {
            Box::pin(async move { idempotency::purge(tx, now).await })
        });
        match cleaned.await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "deleted what had to be kept no longer"),
            // The next round tries again.
            Err(error) => tracing::warn!(%error, "cleaning failed"),
        }
    }
}
