//! 待审核: the reports that wait for a reviewer, each beside the last approved report of its
//! project.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Serialize;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{PgConnection, Row};
use utoipa::ToSchema;
use uuid::Uuid;

use super::reports::{Report, ReportItem, number, report, report_columns};
use crate::error::Result;

/// A report that waits for review, with its project.
#[derive(Debug, Serialize, ToSchema)]
pub struct PendingReport {
    /// The report.
    #[serde(flatten)]
    pub report: Report,
    /// Its project.
    pub project: PendingProject,
    /// What counts as 审核数 so far; null when nothing of this project was ever approved.
    pub approved: Option<ApprovedReport>,
    /// Business date of the recording.
    pub recorded_on: NaiveDate,
}

/// The last approved report before one that waits.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ApprovedReport {
    /// Identity.
    pub id: Uuid,
    /// The day that it speaks of.
    pub effective_on: NaiveDate,
    /// 形象进度
    pub percent: f64,
    /// Cumulative investment done, yuan.
    pub invested_yuan: Option<String>,
    /// Cumulative payment, yuan.
    pub paid_yuan: Option<String>,
    /// Quantities.
    pub items: Vec<ReportItem>,
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
    /// Planned investment, yuan; null is not stated.
    pub total_investment_yuan: Option<String>,
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

/// Which part of the queue.
#[derive(Debug, Clone, Copy)]
pub struct QueueAsk<'a> {
    /// Who reviews: in her areas and sectors, never her own reports.
    pub reviewer: Uuid,
    /// Code of an area.
    pub area: Option<&'a str>,
    /// Word of a sector.
    pub sector: Option<&'a str>,
}

/// The reports of a queue: `r` with its project `p` and area `a`. The grants are asked first, so
/// that a county's queue does not walk through the province's.
macro_rules! queue {
    ($columns:expr, $rest:expr) => {
        concat!(
            "WITH own AS MATERIALIZED (
               SELECT granted.path, g.sectors
                 FROM account_roles g
                 JOIN accounts who ON who.id = g.account_id AND who.disabled_at IS NULL
                 JOIN role_capabilities c ON c.role = g.role AND c.capability = 'review_report'
                 JOIN areas granted ON granted.id = g.area_id
                WHERE g.account_id = $1 AND g.revoked_at IS NULL)
             SELECT ",
            $columns,
            " FROM progress_reports r
              JOIN projects p ON p.id = r.project_id
              JOIN areas a ON a.id = p.area_id
              JOIN project_states s ON s.state = p.state
             WHERE r.review_state = 'submitted' AND r.voided_at IS NULL AND r.recorded_by <> $1
               AND EXISTS (SELECT 1 FROM own
                            WHERE starts_with(a.path, own.path)
                              AND (own.sectors IS NULL OR p.sector = ANY (own.sectors)))
               AND ($2::text IS NULL OR EXISTS (SELECT 1 FROM areas w
                            WHERE w.code = $2 AND w.valid_to IS NULL AND starts_with(a.path, w.path)))
               AND ($3::text IS NULL OR p.sector = $3) ",
            $rest
        )
    };
}

/// Reports that the account may review and has not made itself, oldest first.
pub async fn pending(
    db: &mut PgConnection,
    ask: QueueAsk<'_>,
    after: Option<QueuePosition>,
    limit: i64,
) -> Result<Vec<PendingReport>> {
    let rows = sqlx::query(queue!(
        concat!(
            report_columns!(),
            ", coalesce(r.recorded_on, (r.recorded_at AT TIME ZONE 'Asia/Shanghai')::date) AS recorded_on,
             p.code AS project_code, p.name AS project_name, p.sector, p.state, s.status, p.version,
             p.percent AS project_percent, p.total_investment_yuan, a.code AS area_code, a.name AS area_name,
             (SELECT json_build_object('id', b.id, 'effective_on', b.effective_on, 'percent', b.percent,
                       'invested_yuan', b.invested_yuan::text, 'paid_yuan', b.paid_yuan::text,
                       'items', coalesce((SELECT json_agg(json_build_object('item', i.item, 'done', i.done) ORDER BY i.item)
                                            FROM progress_report_items i WHERE i.report_id = b.id), '[]'))
                FROM progress_reports b
               WHERE b.project_id = r.project_id AND b.review_state = 'approved' AND b.voided_at IS NULL
                 AND b.recorded_at < r.recorded_at
               ORDER BY b.recorded_at DESC LIMIT 1) AS approved"
        ),
        " AND ($4::timestamptz IS NULL OR (r.recorded_at, r.id) > ($4, $5::uuid))
         ORDER BY r.recorded_at, r.id LIMIT $6"
    ))
    .bind(ask.reviewer)
    .bind(ask.area)
    .bind(ask.sector)
    .bind(after.map(|p| p.recorded_at))
    .bind(after.map(|p| p.id))
    .bind(limit)
    .fetch_all(db)
    .await?;
    rows.iter().map(waiting).collect()
}

/// How many reports wait, over all pages.
pub async fn count(db: &mut PgConnection, ask: QueueAsk<'_>) -> Result<i64> {
    Ok(sqlx::query_scalar(queue!("count(*)", ""))
        .bind(ask.reviewer)
        .bind(ask.area)
        .bind(ask.sector)
        .fetch_one(db)
        .await?)
}

#[derive(serde::Deserialize)]
struct ApprovedRow {
    id: Uuid,
    effective_on: NaiveDate,
    percent: f64,
    invested_yuan: Option<String>,
    paid_yuan: Option<String>,
    items: Vec<ReportItem>,
}

fn waiting(row: &PgRow) -> Result<PendingReport> {
    let approved: Option<Json<ApprovedRow>> = row.try_get("approved")?;
    Ok(PendingReport {
        report: report(row)?,
        project: PendingProject {
            id: row.try_get("project_id")?,
            code: row.try_get("project_code")?,
            name: row.try_get("project_name")?,
            sector: row.try_get("sector")?,
            state: row.try_get("state")?,
            status: row.try_get("status")?,
            percent: number(row.try_get("project_percent")?),
            total_investment_yuan: row
                .try_get::<Option<Decimal>, _>("total_investment_yuan")?
                .map(|yuan| format!("{yuan:.2}")),
            version: row.try_get("version")?,
            area: PendingArea { code: row.try_get("area_code")?, name: row.try_get("area_name")? },
        },
        approved: approved.map(|Json(b)| ApprovedReport {
            id: b.id,
            effective_on: b.effective_on,
            percent: b.percent,
            invested_yuan: b.invested_yuan,
            paid_yuan: b.paid_yuan,
            items: b.items,
        }),
        recorded_on: row.try_get("recorded_on")?,
    })
}

/// Yuan as a number, for comparisons that may be off by a cent.
pub fn yuan(text: Option<&str>) -> Option<f64> {
    text?.parse::<Decimal>().ok()?.to_f64()
}
