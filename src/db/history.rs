//! Every state that a project was in.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{PgPool, Row};
use uuid::Uuid;

use crate::error::Result;

/// A revision with the person who recorded it.
#[derive(Debug, Clone)]
pub struct Revision {
    /// Version of the project.
    pub version: i32,
    /// True from this day.
    pub effective_on: NaiveDate,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// Name and unit of the person.
    pub recorded_by: Option<(String, String)>,
    /// State.
    pub state: String,
    /// Cumulative percentage.
    pub percent: f64,
    /// Yuan.
    pub invested_yuan: String,
    /// Yuan.
    pub paid_yuan: String,
    /// Why, where a reason was given.
    pub reason: String,
    /// The report that brought it.
    pub report_id: Option<Uuid>,
    /// When it was approved.
    pub approved_at: Option<DateTime<Utc>>,
    /// When and why it was declared void.
    pub voided: Option<(DateTime<Utc>, String)>,
}

/// Revisions of a project, newest first, from below a version on; voided ones too, for the
/// history shows what was said, not only what holds.
pub async fn of_project(pool: &PgPool, id: Uuid, below: Option<i32>, limit: i64) -> Result<Vec<Revision>> {
    let rows = sqlx::query(
        "SELECT r.version, r.effective_on, r.recorded_at, a.display_name, a.unit_name, r.state,
                r.percent::float8 AS percent, r.invested_yuan::text, r.paid_yuan::text, r.reason, r.report_id,
                r.approved_at, r.voided_at, r.void_reason
           FROM project_revisions r LEFT JOIN accounts a ON a.id = r.recorded_by
          WHERE r.project_id = $1 AND r.version < $2 ORDER BY r.version DESC LIMIT $3",
    )
    .bind(id)
    .bind(below.unwrap_or(i32::MAX))
    .bind(limit)
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|r| {
            let name: Option<String> = r.try_get("display_name")?;
            let voided_at: Option<DateTime<Utc>> = r.try_get("voided_at")?;
            Ok(Revision {
                version: r.try_get("version")?,
                effective_on: r.try_get("effective_on")?,
                recorded_at: r.try_get("recorded_at")?,
                recorded_by: name.zip(r.try_get("unit_name")?),
                state: r.try_get("state")?,
                percent: r.try_get("percent")?,
                invested_yuan: r.try_get("invested_yuan")?,
                paid_yuan: r.try_get("paid_yuan")?,
                reason: r.try_get("reason")?,
                report_id: r.try_get("report_id")?,
                approved_at: r.try_get("approved_at")?,
                voided: voided_at.zip(r.try_get("void_reason")?),
            })
        })
        .collect()
}

/// How many revisions a project has.
pub async fn count(pool: &PgPool, id: Uuid) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT count(*) FROM project_revisions WHERE project_id = $1")
        .bind(id)
        .fetch_one(pool)
        .await?)
}
