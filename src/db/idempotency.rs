//! Answers to writes, kept so that a repeated key gets the same answer and no second write.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use crate::error::{Code, Error, Result};

/// Days that answers are kept.
pub const KEPT_DAYS: i64 = 90;

/// The answer to a write, as it went out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// ETag, with its quotes.
    pub etag: Option<String>,
    /// JSON text.
    pub body: String,
    /// It was given before and comes from the store.
    pub repeated: bool,
}

/// A write that can be repeated without harm: the key its sender chose, and what was sent.
#[derive(Debug, Clone)]
pub struct Repeatable {
    /// Who sent it: keys of two accounts never meet.
    pub account: Uuid,
    /// 8 to 128 characters, chosen by the sender.
    pub key: String,
    /// Method and path.
    pub operation: String,
    /// SHA-256 of the body in canonical form.
    pub body_sha256: [u8; 32],
}

/// The stored answer of a key, if it was used before. Waits for a write of the same key that is
/// under way; holds the key until the transaction ends. Call it first in the transaction.
///
/// # Errors
/// [`Code::IdempotencyKeyReused`] when the key was used for something else.
pub async fn claim(db: &mut PgConnection, request: &Repeatable) -> Result<Option<Answer>> {
    // A statement of its own: the next one must see what the holder before us committed.
    sqlx::query("SELECT pg_advisory_xact_lock(4491, hashtext($1 || $2))")
        .bind(request.account.to_string())
        .bind(&request.key)
        .execute(&mut *db)
        .await?;
    let row = sqlx::query(
        "SELECT operation, body_sha256, status, headers, body FROM idempotency_keys WHERE account_id = $1 AND key = $2",
    )
    .bind(request.account)
    .bind(&request.key)
    .fetch_optional(db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let operation: String = row.try_get("operation")?;
    let body_sha256: Vec<u8> = row.try_get("body_sha256")?;
    if operation != request.operation || body_sha256 != request.body_sha256 {
        return Err(Error::problem(
            Code::IdempotencyKeyReused,
            "这个幂等键已经用于另一次提交；每次新的提交请换一个新键。",
            "This Idempotency-Key was used for another request; choose a new one for each new request.",
        ));
    }
    let headers: serde_json::Value = row.try_get("headers")?;
    Ok(Some(Answer {
        status: row.try_get::<i16, _>("status")?.unsigned_abs(),
        etag: headers.get("etag").and_then(|v| v.as_str()).map(str::to_owned),
        body: row.try_get("body")?,
        repeated: true,
    }))
}

/// What [`seal`] appends to the change feed.
#[derive(Debug)]
pub struct Change<'a> {
    /// Kind in the feed: 'project', …
    pub kind: &'a str,
    /// What changed.
    pub entity: Uuid,
    /// Where.
    pub area: Uuid,
    /// What else its readers need.
    pub payload: serde_json::Value,
}

/// Appends the change to the feed and stores the answer, in one statement: the feed's lock is
/// held from here to the commit, so nothing else may come after it but the commit.
///
/// `body` is a JSON object; the change's sequence is added to it as `seq`.
pub async fn seal(
    db: &mut PgConnection,
    request: &Repeatable,
    change: Change<'_>,
    (status, etag, body): (u16, String, &serde_json::Value),
) -> Result<Answer> {
    let mut head = serde_json::to_string(body).map_err(anyhow::Error::from)?;
    head.truncate(head.trim_end().len().saturating_sub(1));
    head.push_str(r#","seq":"#);
    let body: String = sqlx::query_scalar(
        "INSERT INTO idempotency_keys (account_id, key, operation, body_sha256, status, headers, body)
         VALUES ($1, $2, $3, $4, $5, $6, $7 || append_change($8, $9, $10, $11)::text || '}')
         RETURNING body",
    )
    .bind(request.account)
    .bind(&request.key)
    .bind(&request.operation)
    .bind(request.body_sha256.as_slice())
    .bind(status.cast_signed())
    .bind(serde_json::json!({ "etag": etag }))
    .bind(head)
    .bind(change.kind)
    .bind(change.entity)
    .bind(change.area)
    .bind(change.payload)
    .fetch_one(db)
    .await?;
    Ok(Answer { status, etag: Some(etag), body, repeated: false })
}

/// Stores the answer to a write without a change of its own in the feed: one that shows on no map
/// or list, or a batch whose parts have their own. Returns the stored one when a repetition was
/// faster.
pub async fn keep(
    db: &mut PgConnection,
    request: &Repeatable,
    (status, etag, body): (u16, Option<String>, &serde_json::Value),
) -> Result<Answer> {
    if let Some(answer) = claim(db, request).await? {
        return Ok(answer);
    }
    let body = serde_json::to_string(body).map_err(anyhow::Error::from)?;
    sqlx::query(
        "INSERT INTO idempotency_keys (account_id, key, operation, body_sha256, status, headers, body)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(request.account)
    .bind(&request.key)
    .bind(&request.operation)
    .bind(request.body_sha256.as_slice())
    .bind(status.cast_signed())
    .bind(serde_json::json!({ "etag": etag }))
    .bind(&body)
    .execute(db)
    .await?;
    Ok(Answer { status, etag, body, repeated: false })
}

/// Deletes answers older than [`KEPT_DAYS`], expired sessions and old failed sign-ins. Returns
/// the number of rows.
pub async fn purge(db: &mut PgConnection, now: DateTime<Utc>) -> Result<u64> {
    let mut rows = 0;
    for (sql, days) in [
        ("DELETE FROM idempotency_keys WHERE recorded_at < $1", KEPT_DAYS),
        ("DELETE FROM sessions WHERE expires_at < $1", 30),
        ("DELETE FROM sign_in_failures WHERE at < $1", 1),
    ] {
        rows += sqlx::query(sql)
            .bind(now - chrono::Duration::days(days))
            .execute(&mut *db)
            .await?
            .rows_affected();
    }
    Ok(rows)
}
