//! Sessions. Only the SHA-256 of a token is stored.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use crate::error::Result;

/// SHA-256 of a session's token.
pub type TokenHash = [u8; 32];

/// A session that stands.
#[derive(Debug)]
pub struct SessionRow {
    /// Whose.
    pub account_id: Uuid,
    /// Token that writes must send along.
    pub csrf_token: String,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it ends unless used.
    pub expires_at: DateTime<Utc>,
}

/// The session of a token, if it stands at `now`.
pub async fn find(
    db: &mut PgConnection,
    token: &TokenHash,
    now: DateTime<Utc>,
) -> Result<Option<SessionRow>> {
    let row = sqlx::query(
        "SELECT account_id, csrf_token, created_at, expires_at FROM sessions
          WHERE token_hash = $1 AND revoked_at IS NULL AND expires_at > $2",
    )
    .bind(token.as_slice())
    .bind(now)
    .fetch_optional(db)
    .await?;
    row.map(|r| {
        Ok(SessionRow {
            account_id: r.try_get("account_id")?,
            csrf_token: r.try_get("csrf_token")?,
            created_at: r.try_get("created_at")?,
            expires_at: r.try_get("expires_at")?,
        })
    })
    .transpose()
}

/// Opens a session.
pub async fn open(
    db: &mut PgConnection,
    token: &TokenHash,
    csrf_token: &str,
    account: Uuid,
    (now, expires_at): (DateTime<Utc>, DateTime<Utc>),
    address: &str,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO sessions (token_hash, csrf_token, account_id, created_at, expires_at, address)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(token.as_slice())
    .bind(csrf_token)
    .bind(account)
    .bind(now)
    .bind(expires_at)
    .bind(address)
    .execute(db)
    .await?;
    Ok(())
}

/// Moves a session's end.
pub async fn extend(db: &mut PgConnection, token: &TokenHash, expires_at: DateTime<Utc>) -> Result<()> {
    sqlx::query("UPDATE sessions SET expires_at = $2 WHERE token_hash = $1 AND revoked_at IS NULL")
        .bind(token.as_slice())
        .bind(expires_at)
        .execute(db)
        .await?;
    Ok(())
}

/// Ends a session. True when it stood.
pub async fn revoke(db: &mut PgConnection, token: &TokenHash, now: DateTime<Utc>) -> Result<bool> {
    let done =
        sqlx::query("UPDATE sessions SET revoked_at = $2 WHERE token_hash = $1 AND revoked_at IS NULL")
            .bind(token.as_slice())
            .bind(now)
            .execute(db)
            .await?;
    Ok(done.rows_affected() > 0)
}

/// Ends every session of an account.
pub async fn revoke_all(db: &mut PgConnection, account: Uuid, now: DateTime<Utc>) -> Result<u64> {
    let done =
        sqlx::query("UPDATE sessions SET revoked_at = $2 WHERE account_id = $1 AND revoked_at IS NULL")
            .bind(account)
            .bind(now)
            .execute(db)
            .await?;
    Ok(done.rows_affected())
}
