//! Progress reports as people read them. What reporting and reviewing write is in
//! [`progress`](super::progress).
//!
//! A report stands when it is neither voided nor returned.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Serialize;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{PgConnection, Row};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::Result;

/// Who recorded something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Person {
    /// Name to show.
    pub display_name: String,
    /// Unit (单位).
    pub unit_name: String,
}

/// One quantity of a report: cumulative.
#[derive(Debug, Clone, PartialEq, Serialize, serde::Deserialize, ToSchema)]
pub struct ReportItem {
    /// Word of the item, as the sector lists it.
    pub item: String,
    /// Done so far, in the item's unit.
    pub done: f64,
}

/// What a reviewer said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Review {
    /// approved or returned
    pub outcome: String,
    /// Why; always given when returned.
    pub reason: String,
    /// When.
    pub recorded_at: DateTime<Utc>,
    /// By whom.
    pub recorded_by: Person,
}

/// A progress report as the API shows it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Report {
    /// Identity.
    pub id: Uuid,
    /// The day the figures speak of (截至).
    pub effective_on: NaiveDate,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// By whom.
    pub recorded_by: Person,
    /// 形象进度 after this report.
    pub percent: f64,
    /// 形象进度 of the report before; null for the first.
    pub previous_percent: Option<f64>,
    /// Cumulative investment done, yuan.
    pub invested_yuan: Option<String>,
    /// Cumulative payment, yuan.
    pub paid_yuan: Option<String>,
    /// Quantities.
    pub items: Vec<ReportItem>,
    /// Free words.
    pub note: String,
    /// submitted, approved or returned
    pub review_state: String,
    /// Reviews, newest first.
    pub reviews: Vec<Review>,
}

/// Columns of [`Report`]; `progress_reports r` is in FROM.
macro_rules! report_columns {
    () => {
        "r.id, r.project_id, r.effective_on, r.recorded_at, r.percent, r.invested_yuan, r.paid_yuan, r.note,
         r.review_state,
         (SELECT json_build_object('display_name', a.display_name, 'unit_name', a.unit_name)
            FROM accounts a WHERE a.id = r.recorded_by) AS recorded_by,
         (SELECT b.percent FROM progress_reports b
           WHERE b.project_id = r.project_id AND b.voided_at IS NULL AND b.review_state <> 'returned'
             AND b.recorded_at < r.recorded_at
           ORDER BY b.recorded_at DESC LIMIT 1) AS previous_percent,
         coalesce((SELECT json_agg(json_build_object('item', i.item, 'done', i.done) ORDER BY i.item)
            FROM progress_report_items i WHERE i.report_id = r.id), '[]') AS items,
         coalesce((SELECT json_agg(json_build_object('outcome', v.outcome, 'reason', v.reason,
                     'recorded_at', v.recorded_at, 'display_name', a.display_name, 'unit_name', a.unit_name)
                     ORDER BY v.recorded_at DESC)
            FROM report_reviews v LEFT JOIN accounts a ON a.id = v.recorded_by
           WHERE v.report_id = r.id), '[]') AS reviews"
    };
}

#[derive(serde::Deserialize)]
struct ReviewRow {
    outcome: String,
    reason: String,
    recorded_at: DateTime<Utc>,
    display_name: Option<String>,
    unit_name: Option<String>,
}

#[derive(serde::Deserialize)]
struct PersonRow {
    display_name: String,
    unit_name: String,
}

fn yuan(value: Option<Decimal>) -> Option<String> {
    value.map(|v| format!("{v:.2}"))
}

fn number(value: Decimal) -> f64 {
    value.to_f64().unwrap_or_default()
}

fn report(row: &PgRow) -> Result<Report> {
    let by: Option<Json<PersonRow>> = row.try_get("recorded_by")?;
    let items: Json<Vec<ReportItem>> = row.try_get("items")?;
    let reviews: Json<Vec<ReviewRow>> = row.try_get("reviews")?;
    Ok(Report {
        id: row.try_get("id")?,
        effective_on: row.try_get("effective_on")?,
        recorded_at: row.try_get("recorded_at")?,
        recorded_by: by.map_or_else(
            || Person { display_name: String::new(), unit_name: String::new() },
            |Json(p)| Person { display_name: p.display_name, unit_name: p.unit_name },
        ),
        percent: number(row.try_get("percent")?),
        previous_percent: row.try_get::<Option<Decimal>, _>("previous_percent")?.map(number),
        invested_yuan: yuan(row.try_get("invested_yuan")?),
        paid_yuan: yuan(row.try_get("paid_yuan")?),
        items: items.0,
        note: row.try_get("note")?,
        review_state: row.try_get("review_state")?,
        reviews: reviews
            .0
            .into_iter()
            .map(|v| Review {
                outcome: v.outcome,
                reason: v.reason,
                recorded_at: v.recorded_at,
                recorded_by: Person {
                    display_name: v.display_name.unwrap_or_default(),
                    unit_name: v.unit_name.unwrap_or_default(),
                },
            })
            .collect(),
    })
}

/// Reports of a project, newest first, voided ones left out.
pub async fn of_project(db: &mut PgConnection, project: Uuid, limit: i64) -> Result<Vec<Report>> {
    let rows = sqlx::query(concat!(
        "SELECT ",
        report_columns!(),
        " FROM progress_reports r WHERE r.project_id = $1 AND r.voided_at IS NULL
          ORDER BY r.recorded_at DESC, r.id DESC LIMIT $2"
    ))
    .bind(project)
    .bind(limit)
    .fetch_all(db)
    .await?;
    rows.iter().map(report).collect()
}

/// One report.
pub async fn one(db: &mut PgConnection, id: Uuid) -> Result<Option<Report>> {
    let row = sqlx::query(concat!(
        "SELECT ",
        report_columns!(),
        " FROM progress_reports r WHERE r.id = $1 AND r.voided_at IS NULL"
    ))
    .bind(id)
    .fetch_optional(db)
    .await?;
    row.as_ref().map(report).transpose()
}

/// A report that waits for review, with its project.
#[derive(Debug, Serialize, ToSchema)]
pub struct PendingReport {
    /// The report.
    #[serde(flatten)]
    pub report: Report,
    /// Its project.
    pub project: PendingProject,
}

/// The project of a report that waits.
#[derive(Debug, Serialize, ToSchema)]
pub struct PendingProject {
    /// Identity.
    pub id: Uuid,
    /// Number in the project library.
    pub code: String,
    /// Name.
    pub name: String,
    /// Word of the sector.
    pub sector: String,
    /// Word of the state.
    pub state: String,
    /// Coarse word of maps and figures.
    pub status: String,
    /// 形象进度 at present.
    pub percent: f64,
    /// Value of If-Match.
    pub version: i32,
    /// Its area.
    pub area: PendingArea,
}

/// The area of a project whose report waits.
#[derive(Debug, Serialize, ToSchema)]
pub struct PendingArea {
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
}

/// Where a page of the queue begins: after this report.
#[derive(Debug, Clone, Copy)]
pub struct QueuePosition {
    /// Time of recording.
    pub recorded_at: DateTime<Utc>,
    /// Its id.
    pub id: Uuid,
}

/// Reports that the account may review and has not made itself, oldest first.
pub async fn pending(
    db: &mut PgConnection,
    reviewer: Uuid,
    area: Option<&str>,
    after: Option<QueuePosition>,
    limit: i64,
) -> Result<Vec<PendingReport>> {
    let rows = sqlx::query(concat!(
        "SELECT ",
        report_columns!(),
        ", p.code AS project_code, p.name AS project_name, p.sector, p.state, s.status, p.version,
           p.percent AS project_percent, a.code AS area_code, a.name AS area_name
          FROM progress_reports r
          JOIN projects p ON p.id = r.project_id
          JOIN project_states s ON s.state = p.state
          JOIN areas a ON a.id = p.area_id
         WHERE r.review_state = 'submitted' AND r.voided_at IS NULL AND r.recorded_by <> $1
           AND EXISTS (SELECT 1 FROM account_roles g
                         JOIN role_capabilities c ON c.role = g.role AND c.capability = 'review_report'
                         JOIN areas granted ON granted.id = g.area_id
                        WHERE g.account_id = $1 AND g.revoked_at IS NULL
                          AND a.path LIKE granted.path || '%'
                          AND (g.sectors IS NULL OR p.sector = ANY (g.sectors)))
           AND ($2::text IS NULL OR EXISTS (SELECT 1 FROM areas w
                        WHERE w.code = $2 AND w.valid_to IS NULL AND a.path LIKE w.path || '%'))
           AND ($3::timestamptz IS NULL OR (r.recorded_at, r.id) > ($3, $4::uuid))
         ORDER BY r.recorded_at, r.id LIMIT $5"
    ))
    .bind(reviewer)
    .bind(area)
    .bind(after.map(|p| p.recorded_at))
    .bind(after.map(|p| p.id))
    .bind(limit)
    .fetch_all(db)
    .await?;
    rows.iter()
        .map(|r| {
            Ok(PendingReport {
                report: report(r)?,
                project: PendingProject {
                    id: r.try_get("project_id")?,
                    code: r.try_get("project_code")?,
                    name: r.try_get("project_name")?,
                    sector: r.try_get("sector")?,
                    state: r.try_get("state")?,
                    status: r.try_get("status")?,
                    percent: number(r.try_get("project_percent")?),
                    version: r.try_get("version")?,
                    area: PendingArea { code: r.try_get("area_code")?, name: r.try_get("area_name")? },
                },
            })
        })
        .collect()
}
