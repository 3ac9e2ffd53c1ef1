//! The audit chain as it is stored.

use futures::{Stream, TryStreamExt};
use sqlx::{PgConnection, Row};

use crate::domain::audit_chain::{Entry, Head};
use crate::error::{Error, Result};

/// Every entry, chain by chain in order of seq. Streamed: memory does not grow with the chain.
pub fn entries(db: &mut PgConnection) -> impl Stream<Item = Result<Entry>> + '_ {
    sqlx::query(
        "SELECT chain, seq, to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') AS recorded_at,
                body, prev_hash, hash
           FROM audit_entries ORDER BY chain, seq",
    )
    .fetch(db)
    .map_err(Error::from)
    .and_then(|r| async move {
        Ok(Entry {
            chain: r.try_get("chain")?,
            seq: r.try_get("seq")?,
            recorded_at: r.try_get("recorded_at")?,
            body: r.try_get("body")?,
            prev_hash: r.try_get("prev_hash")?,
            hash: r.try_get("hash")?,
        })
    })
}

/// The heads of all chains.
pub async fn heads(db: &mut PgConnection) -> Result<Vec<Head>> {
    let rows = sqlx::query("SELECT chain, seq, hash FROM audit_heads ORDER BY chain").fetch_all(db).await?;
    rows.into_iter()
        .map(|r| Ok(Head { chain: r.try_get("chain")?, seq: r.try_get("seq")?, hash: r.try_get("hash")? }))
        .collect()
}

/// Appends to the audit chain of a county ('system' for account matters).
pub async fn append(db: &mut PgConnection, chain: &str, body: &serde_json::Value) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT append_audit($1, $2)")
        .bind(chain)
        .bind(body.to_string())
        .fetch_one(db)
        .await?)
}
