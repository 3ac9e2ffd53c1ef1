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
    /// The day by which a returned report is to be corrected, as told at the return.
    pub mend_by: Option<NaiveDate>,
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
    /// The returned report that this one corrects.
    pub corrects: Option<Uuid>,
    /// The report that corrects this returned one.
    pub corrected_by: Option<Uuid>,
}

/// Columns of [`Report`]; `progress_reports r` is in FROM.
macro_rules! report_columns {
    () => {
        "r.id, r.project_id, r.effective_on, r.recorded_at, r.percent, r.invested_yuan, r.paid_yuan, r.note,
         r.review_state, r.corrects_id,
         (SELECT c.id FROM progress_reports c WHERE c.corrects_id = r.id AND c.voided_at IS NULL) AS corrected_by,
         (SELECT json_build_object('display_name', a.display_name, 'unit_name', a.unit_name)
            FROM accounts a WHERE a.id = r.recorded_by) AS recorded_by,
         (SELECT b.percent FROM progress_reports b
           WHERE b.project_id = r.project_id AND b.voided_at IS NULL AND b.review_state <> 'returned'
             AND b.recorded_at < r.recorded_at
           ORDER BY b.recorded_at DESC LIMIT 1) AS previous_percent,
         coalesce((SELECT json_agg(json_build_object('item', i.item, 'done', i.done) ORDER BY i.item)
            FROM progress_report_items i WHERE i.report_id = r.id), '[]') AS items,
         coalesce((SELECT json_agg(json_build_object('outcome', v.outcome, 'reason', v.reason,
                     'recorded_at', v.recorded_at, 'mend_by', v.mend_by, 'display_name', a.display_name, 'unit_name', a.unit_name)
                     ORDER BY v.recorded_at DESC)
            FROM report_reviews v LEFT JOIN accounts a ON a.id = v.recorded_by
           WHERE v.report_id = r.id), '[]') AS reviews"
    };
}

pub(super) use report_columns;

#[derive(serde::Deserialize)]
struct ReviewRow {
    outcome: String,
    reason: String,
    recorded_at: DateTime<Utc>,
    mend_by: Option<NaiveDate>,
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

pub(super) fn number(value: Decimal) -> f64 {
    value.to_f64().unwrap_or_default()
}

pub(super) fn report(row: &PgRow) -> Result<Report> {
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
                mend_by: v.mend_by,
            })
            .collect(),
        corrects: row.try_get("corrects_id")?,
        corrected_by: row.try_get("corrected_by")?,
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
