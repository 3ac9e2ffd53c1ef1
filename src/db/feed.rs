//! The change feed: what was committed, in commit order, without gaps.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::Result;

/// Channel of the doorbell. It only says "look"; what changed is read from the table.
pub const CHANNEL: &str = "cuntong_feed";

/// A committed change.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct FeedRow {
    /// Place in the commit order, from 1, without gaps.
    pub seq: i64,
    /// Time of the transaction that made the change.
    pub recorded_at: DateTime<Utc>,
    /// 'project', 'natural_village', 'road_segment', 'water_scheme', 'area', 'bulk'.
    pub kind: String,
    /// What changed.
    pub entity_id: Option<Uuid>,
    /// The area that it belongs to.
    pub area_id: Option<Uuid>,
    /// Whatever the writer wanted to say.
    pub payload: Value,
}

/// Changes after `after`, oldest first, at most `limit`.
pub async fn since(connection: &mut PgConnection, after: i64, limit: i64) -> Result<Vec<FeedRow>> {
    let rows = sqlx::query_as(
        "SELECT seq, recorded_at, kind, entity_id, area_id, payload FROM change_feed \
         WHERE seq > $1 ORDER BY seq LIMIT $2",
    )
    .bind(after)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    Ok(rows)
}

/// The newest sequence; 0 before the first change.
pub async fn newest(connection: &mut PgConnection) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT coalesce(max(seq), 0) FROM change_feed").fetch_one(connection).await?)
}
