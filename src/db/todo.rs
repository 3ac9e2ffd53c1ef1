//! What the rows of 我的待办 and of 待审核 show beyond the ledger: quantities and returns, for the
//! projects of one page.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use sqlx::{PgConnection, Row};
use utoipa::ToSchema;
use uuid::Uuid;

use super::reports::Person;
use crate::error::Result;

/// A quantity of a project: planned, and done as the newest standing report says.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct QuantityLine {
    /// Word of the item.
    pub item: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// Chinese unit.
    pub unit_zh: String,
    /// English unit.
    pub unit_en: String,
    /// Digits after the point.
    pub decimals: i16,
    /// Planned.
    pub planned: f64,
    /// Done so far, as reported.
    pub done: f64,
}

/// Quantities of some projects, each in the order of its sector.
pub async fn quantities(db: &mut PgConnection, ids: &[Uuid]) -> Result<HashMap<Uuid, Vec<QuantityLine>>> {
    // The newest standing report is looked up once a project, not once a quantity.
    let rows = sqlx::query(
        "SELECT q.project_id, q.item, i.name_zh, i.name_en, i.unit_zh, i.unit_en, i.decimals,
                q.planned::float8 AS planned, coalesce(d.done, 0)::float8 AS done
           FROM (SELECT DISTINCT id FROM unnest($1::uuid[]) AS given (id)) AS asked
           JOIN project_quantities q ON q.project_id = asked.id
           JOIN quantity_items i ON i.sector = q.sector AND i.item = q.item
           LEFT JOIN LATERAL (
             SELECT r.id FROM progress_reports r
              WHERE r.project_id = asked.id AND r.voided_at IS NULL AND r.review_state <> 'returned'
              ORDER BY r.recorded_at DESC LIMIT 1) newest ON true
           LEFT JOIN progress_report_items d ON d.report_id = newest.id AND d.item = q.item
          ORDER BY q.project_id, i.ordinal",
    )
    .bind(ids)
    .fetch_all(db)
    .await?;
    let mut all: HashMap<Uuid, Vec<QuantityLine>> = HashMap::with_capacity(ids.len());
    for row in rows {
        let line = QuantityLine {
            item: row.try_get("item")?,
            name_zh: row.try_get("name_zh")?,
            name_en: row.try_get("name_en")?,
            unit_zh: row.try_get("unit_zh")?,
            unit_en: row.try_get("unit_en")?,
            decimals: row.try_get("decimals")?,
            planned: row.try_get("planned")?,
            done: row.try_get("done")?,
        };
        all.entry(row.try_get("project_id")?).or_default().push(line);
    }
    Ok(all)
}

/// Why a report came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReturnNote {
    /// The report that is to be corrected: what the correction names in `corrects`.
    pub report_id: Uuid,
    /// The day that it speaks of.
    pub effective_on: NaiveDate,
    /// The reviewer's reason.
    pub reason: String,
    /// When it was returned.
    pub returned_at: DateTime<Utc>,
    /// By whom.
    pub returned_by: Person,
}

/// The newest return of some reports, by project.
pub async fn returns(db: &mut PgConnection, reports: &[Uuid]) -> Result<HashMap<Uuid, ReturnNote>> {
    let rows = sqlx::query(
        "SELECT DISTINCT ON (r.id) r.project_id, r.id, r.effective_on, v.reason, v.recorded_at,
                coalesce(a.display_name, '') AS display_name, coalesce(a.unit_name, '') AS unit_name
           FROM progress_reports r
           JOIN report_reviews v ON v.report_id = r.id AND v.outcome = 'returned'
           LEFT JOIN accounts a ON a.id = v.recorded_by
          WHERE r.id = ANY($1) ORDER BY r.id, v.recorded_at DESC",
    )
    .bind(reports)
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            let note = ReturnNote {
                report_id: row.try_get("id")?,
                effective_on: row.try_get("effective_on")?,
                reason: row.try_get("reason")?,
                returned_at: row.try_get("recorded_at")?,
                returned_by: Person {
                    display_name: row.try_get("display_name")?,
                    unit_name: row.try_get("unit_name")?,
                },
            };
            Ok((row.try_get("project_id")?, note))
        })
        .collect()
}
