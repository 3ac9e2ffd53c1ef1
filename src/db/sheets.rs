//! 套表: forms, their versions and filled copies, and what projects sum up to on a day.
//!
//! All tables here are under row-level policies for reading, too, so every function wants a
//! transaction that names the account (`db::write`).

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value;
use sqlx::{PgConnection, Row};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::reports::Person;
use crate::error::Result;

/// An uploaded workbook.
#[derive(Debug, Clone)]
pub struct StoredFile {
    /// Identity.
    pub id: Uuid,
    /// Whose form it becomes: code of the area.
    pub area_code: String,
    /// The area's id.
    pub area_id: Uuid,
    /// Name as uploaded.
    pub file_name: String,
    /// The bytes.
    pub content: Vec<u8>,
}

/// Stores an uploaded workbook.
pub async fn insert_file(
    db: &mut PgConnection,
    id: Uuid,
    area: Uuid,
    file_name: &str,
    content: &[u8],
    by: Uuid,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO sheet_files (id, area_id, file_name, sha256, content, recorded_by, recorded_at)
         VALUES ($1, $2, $3, sha256($4), $4, $5, $6)",
    )
    .bind(id)
    .bind(area)
    .bind(file_name)
    .bind(content)
    .bind(by)
    .bind(now)
    .execute(db)
    .await?;
    Ok(())
}

/// An uploaded workbook, if the account may see it.
pub async fn file(db: &mut PgConnection, id: Uuid) -> Result<Option<StoredFile>> {
    let row = sqlx::query(
        "SELECT f.id, f.area_id, a.code, f.file_name, f.content
           FROM sheet_files f JOIN areas a ON a.id = f.area_id WHERE f.id = $1",
    )
    .bind(id)
    .fetch_optional(db)
    .await?;
    row.map(|r| {
        Ok(StoredFile {
            id: r.try_get("id")?,
            area_code: r.try_get("code")?,
            area_id: r.try_get("area_id")?,
            file_name: r.try_get("file_name")?,
            content: r.try_get("content")?,
        })
    })
    .transpose()
}

/// A form as lists show it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SheetRow {
    /// Identity.
    pub id: Uuid,
    /// Name.
    pub name: String,
    /// Code of its area.
    pub area_code: String,
    /// Name of its area.
    pub area_name: String,
    /// Newest version: the value of If-Match.
    pub version: i32,
    /// Workbook of the newest version.
    pub file_id: Uuid,
    /// Its name as uploaded.
    pub file_name: String,
    /// Who made the newest version.
    pub recorded_by: Person,
    /// When.
    pub recorded_at: DateTime<Utc>,
    /// When it was last filled, and for which date.
    pub last_filled_at: Option<DateTime<Utc>>,
    /// 截止日期 of the last filled copy.
    pub last_filled_for: Option<NaiveDate>,
    #[serde(skip)]
    #[schema(ignore)]
    area_id: Uuid,
}

impl SheetRow {
    /// The area's id.
    pub fn area_id(&self) -> Uuid {
        self.area_id
    }
}

macro_rules! sheet_columns {
    ($rest:literal) => {
        concat!(
            "SELECT s.id, s.name, s.area_id, a.code AS area_code, a.name AS area_name, v.version, v.file_id, f.file_name,
                    coalesce(w.display_name, '') AS display_name, coalesce(w.unit_name, '') AS unit_name, v.recorded_at,
                    l.recorded_at AS last_filled_at, l.at AS last_filled_for
               FROM sheets s
               JOIN areas a ON a.id = s.area_id
               JOIN LATERAL (SELECT * FROM sheet_versions WHERE sheet_id = s.id ORDER BY version DESC LIMIT 1) v ON true
               JOIN sheet_files f ON f.id = v.file_id
               LEFT JOIN accounts w ON w.id = v.recorded_by
               LEFT JOIN LATERAL (SELECT recorded_at, at FROM sheet_fills WHERE sheet_id = s.id
                                   ORDER BY recorded_at DESC LIMIT 1) l ON true ",
            $rest
        )
    };
}

fn sheet_row(r: &sqlx::postgres::PgRow) -> Result<SheetRow> {
    Ok(SheetRow {
        id: r.try_get("id")?,
        name: r.try_get("name")?,
        area_code: r.try_get("area_code")?,
        area_name: r.try_get("area_name")?,
        version: r.try_get("version")?,
        file_id: r.try_get("file_id")?,
        file_name: r.try_get("file_name")?,
        recorded_by: Person { display_name: r.try_get("display_name")?, unit_name: r.try_get("unit_name")? },
        recorded_at: r.try_get("recorded_at")?,
        last_filled_at: r.try_get("last_filled_at")?,
        last_filled_for: r.try_get("last_filled_for")?,
        area_id: r.try_get("area_id")?,
    })
}

/// Forms that the account may use, the last used first; at most 200.
pub async fn list(db: &mut PgConnection) -> Result<Vec<SheetRow>> {
    let rows =
        sqlx::query(sheet_columns!("ORDER BY coalesce(l.recorded_at, v.recorded_at) DESC, s.id LIMIT 200"))
            .fetch_all(db)
            .await?;
    rows.iter().map(sheet_row).collect()
}

/// One form, if the account may use it.
pub async fn sheet(db: &mut PgConnection, id: Uuid) -> Result<Option<SheetRow>> {
    let row = sqlx::query(sheet_columns!("WHERE s.id = $1")).bind(id).fetch_optional(db).await?;
    row.as_ref().map(sheet_row).transpose()
}

/// Waits for others who make versions of a form; holds it until the transaction ends.
pub async fn lock(db: &mut PgConnection, id: Uuid) -> Result<()> {
    sqlx::query("SELECT pg_advisory_xact_lock(4492, hashtext($1))").bind(id.to_string()).execute(db).await?;
    Ok(())
}

/// Makes a form.
pub async fn insert_sheet(
    db: &mut PgConnection,
    id: Uuid,
    area: Uuid,
    name: &str,
    by: Uuid,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO sheets (id, area_id, name, recorded_by, recorded_at) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(id)
    .bind(area)
    .bind(name)
    .bind(by)
    .bind(now)
    .execute(db)
    .await?;
    Ok(())
}

/// Adds a version to a form.
pub async fn insert_version(
    db: &mut PgConnection,
    sheet: Uuid,
    version: i32,
    file: Uuid,
    mapping: &Value,
    by: Uuid,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO sheet_versions (sheet_id, version, file_id, mapping, recorded_by, recorded_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(sheet)
    .bind(version)
    .bind(file)
    .bind(mapping)
    .bind(by)
    .bind(now)
    .execute(db)
    .await?;
    Ok(())
}

/// Mapping of a version and the id of its workbook.
pub async fn version(db: &mut PgConnection, sheet: Uuid, version: i32) -> Result<Option<(Uuid, Value)>> {
    let row = sqlx::query("SELECT file_id, mapping FROM sheet_versions WHERE sheet_id = $1 AND version = $2")
        .bind(sheet)
        .bind(version)
        .fetch_optional(db)
        .await?;
    row.map(|r| Ok((r.try_get("file_id")?, r.try_get("mapping")?))).transpose()
}

/// A filled copy.
#[derive(Debug, Clone)]
pub struct NewFill {
    /// Identity.
    pub id: Uuid,
    /// Form.
    pub sheet: Uuid,
    /// Its version.
    pub version: i32,
    /// 截止日期
    pub at: NaiveDate,
    /// 口径
    pub reading: &'static str,
    /// Change of the feed that the figures contain.
    pub seq: i64,
    /// Name for the download.
    pub file_name: String,
    /// What was done.
    pub summary: Value,
    /// The workbook.
    pub content: Vec<u8>,
}

/// Keeps a filled copy.
pub async fn insert_fill(db: &mut PgConnection, fill: &NewFill, by: Uuid, now: DateTime<Utc>) -> Result<()> {
    sqlx::query(
        "INSERT INTO sheet_fills (id, sheet_id, version, at, reading, seq, file_name, summary, sha256, content, recorded_by, recorded_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, sha256($9), $9, $10, $11)",
    )
    .bind(fill.id)
    .bind(fill.sheet)
    .bind(fill.version)
    .bind(fill.at)
    .bind(fill.reading)
    .bind(fill.seq)
    .bind(&fill.file_name)
    .bind(&fill.summary)
    .bind(&fill.content)
    .bind(by)
    .bind(now)
    .execute(db)
    .await?;
    Ok(())
}

/// Name and bytes of a filled copy, if the account may read it.
pub async fn fill_content(db: &mut PgConnection, id: Uuid) -> Result<Option<(String, Vec<u8>)>> {
    let row = sqlx::query("SELECT file_name, content FROM sheet_fills WHERE id = $1")
        .bind(id)
        .fetch_optional(db)
        .await?;
    row.map(|r| Ok((r.try_get("file_name")?, r.try_get("content")?))).transpose()
}

/// A filled copy as lists show it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FillRow {
    /// Identity.
    pub id: Uuid,
    /// Version of the form.
    pub version: i32,
    /// 截止日期
    pub at: NaiveDate,
    /// 口径
    pub reading: String,
    /// Name of the download.
    pub file_name: String,
    /// Who.
    pub recorded_by: Person,
    /// When.
    pub recorded_at: DateTime<Utc>,
}

/// Filled copies of a form, newest first; at most 50.
pub async fn fills(db: &mut PgConnection, sheet: Uuid) -> Result<Vec<FillRow>> {
    let rows = sqlx::query(
        "SELECT f.id, f.version, f.at, f.reading, f.file_name, f.recorded_at,
                coalesce(a.display_name, '') AS display_name, coalesce(a.unit_name, '') AS unit_name
           FROM sheet_fills f LEFT JOIN accounts a ON a.id = f.recorded_by
          WHERE f.sheet_id = $1 ORDER BY f.recorded_at DESC LIMIT 50",
    )
    .bind(sheet)
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|r| {
            Ok(FillRow {
                id: r.try_get("id")?,
                version: r.try_get("version")?,
                at: r.try_get("at")?,
                reading: r.try_get("reading")?,
                file_name: r.try_get("file_name")?,
                recorded_by: Person {
                    display_name: r.try_get("display_name")?,
                    unit_name: r.try_get("unit_name")?,
                },
                recorded_at: r.try_get("recorded_at")?,
            })
        })
        .collect()
}

/// Codes of the areas that stand where an abolished one stood, by the abolished one's id.
pub async fn successors(db: &mut PgConnection) -> Result<HashMap<Uuid, Vec<String>>> {
    let rows = sqlx::query(
        "SELECT s.predecessor_id, a.code FROM area_successors s JOIN areas a ON a.id = s.successor_id
          WHERE a.valid_to IS NULL ORDER BY a.code",
    )
    .fetch_all(db)
    .await?;
    let mut found: HashMap<Uuid, Vec<String>> = HashMap::new();
    for r in rows {
        found.entry(r.try_get("predecessor_id")?).or_default().push(r.try_get("code")?);
    }
    Ok(found)
}

/// What is known of a project on a day, beside what the ledger has.
#[derive(Debug, Clone, Default)]
pub struct ProjectOnDay {
    /// Total investment of the plan, yuan.
    pub planned_yuan: Option<Decimal>,
    /// Done and paid so far, yuan, by the standing state of the day; none before anything was reported.
    pub invested_yuan: Option<Decimal>,
    /// Paid so far, yuan.
    pub paid_yuan: Option<Decimal>,
    /// Allocated so far, yuan; none when no allocation is on record.
    pub allocated_yuan: Option<Decimal>,
    /// Unit responsible.
    pub unit: Option<String>,
    /// Number of the approval.
    pub approval_no: Option<String>,
    /// Started, completed, accepted; as of the day.
    pub started_on: Option<NaiveDate>,
    /// Completed.
    pub completed_on: Option<NaiveDate>,
    /// Accepted.
    pub accepted_on: Option<NaiveDate>,
    /// Natural villages that it serves.
    pub natural_villages: i64,
    /// Planned quantities by item.
    pub planned: HashMap<String, Decimal>,
    /// Quantities done by the newest standing report of the day; none without a report.
    pub done: Option<HashMap<String, Decimal>>,
}

/// Projects below some paths on a day, in a reading.
///
/// The state of a past day is told by the days that are spoken of, the present by what was recorded
/// last: as in the ledger.
pub async fn projects_on(
    db: &mut PgConnection,
    paths: &[String],
    day: NaiveDate,
    is_today: bool,
    approved_only: bool,
) -> Result<HashMap<Uuid, ProjectOnDay>> {
    let below: Vec<String> = paths.iter().map(|p| format!("{p}%")).collect();
    let mut found: HashMap<Uuid, ProjectOnDay> = HashMap::new();
    let rows = sqlx::query(
        "SELECT p.id, p.total_investment_yuan, u.name AS unit, p.approval_no, p.started_on, p.completed_on, p.accepted_on,
                r.id IS NOT NULL AS reported, v.invested_yuan, v.paid_yuan,
                (SELECT count(*) FROM project_natural_villages n WHERE n.project_id = p.id) AS villages,
                (SELECT sum(f.allocated_yuan) FROM project_funds f
                  WHERE f.project_id = p.id AND f.voided_at IS NULL AND f.effective_on <= $2) AS allocated,
                (SELECT jsonb_object_agg(q.item, q.planned::text) FROM project_quantities q WHERE q.project_id = p.id) AS planned,
                (SELECT jsonb_object_agg(i.item, i.done::text) FROM progress_report_items i WHERE i.report_id = r.id) AS done
           FROM projects p
           JOIN areas a ON a.id = p.area_id
           LEFT JOIN units u ON u.id = p.unit_id
           LEFT JOIN LATERAL (
             SELECT s.invested_yuan, s.paid_yuan FROM project_revisions s
              WHERE s.project_id = p.id AND s.voided_at IS NULL AND s.effective_on <= $2
                AND (NOT $4 OR s.approved_at IS NOT NULL OR s.report_id IS NULL)
              ORDER BY CASE WHEN $3 THEN NULL ELSE s.effective_on END DESC, s.version DESC LIMIT 1) v ON true
           LEFT JOIN LATERAL (
             SELECT g.id FROM progress_reports g
              WHERE g.project_id = p.id AND g.voided_at IS NULL AND g.review_state <> 'returned' AND g.effective_on <= $2
                AND (NOT $4 OR g.review_state = 'approved')
              ORDER BY CASE WHEN $3 THEN NULL ELSE g.effective_on END DESC, g.recorded_at DESC LIMIT 1) r ON true
          WHERE a.path LIKE ANY ($1)",
    )
    .bind(&below)
    .bind(day)
    .bind(is_today)
    .bind(approved_only)
    .fetch_all(db)
    .await?;
    for r in rows {
        let reported: bool = r.try_get("reported")?;
        let until = |d: Option<NaiveDate>| d.filter(|d| *d <= day);
        let invested: Option<Decimal> = r.try_get("invested_yuan")?;
        let paid: Option<Decimal> = r.try_get("paid_yuan")?;
        // A project that stands as finished may never have had a report of ours: its sums are known.
        let known = |v: Option<Decimal>| v.filter(|v| reported || !v.is_zero());
        found.insert(
            r.try_get("id")?,
            ProjectOnDay {
                planned_yuan: r.try_get("total_investment_yuan")?,
                invested_yuan: known(invested),
                paid_yuan: known(paid),
                allocated_yuan: r.try_get("allocated")?,
                unit: r.try_get("unit")?,
                approval_no: r.try_get("approval_no")?,
                started_on: until(r.try_get("started_on")?),
                completed_on: until(r.try_get("completed_on")?),
                accepted_on: until(r.try_get("accepted_on")?),
                natural_villages: r.try_get("villages")?,
                planned: quantities(r.try_get("planned")?).unwrap_or_default(),
                done: if reported { Some(quantities(r.try_get("done")?).unwrap_or_default()) } else { None },
            },
        );
    }
    Ok(found)
}

fn quantities(object: Option<Value>) -> Option<HashMap<String, Decimal>> {
    let Some(Value::Object(object)) = object else { return None };
    Some(object.into_iter().filter_map(|(k, v)| Some((k, v.as_str()?.parse().ok()?))).collect())
}

/// Households and people of the villages below some paths on a day: path of the village, households,
/// people.
pub async fn village_people(
    db: &mut PgConnection,
    paths: &[String],
    day: NaiveDate,
) -> Result<Vec<(String, Option<i32>, Option<i32>)>> {
    let below: Vec<String> = paths.iter().map(|p| format!("{p}%")).collect();
    let rows = sqlx::query(
        "SELECT DISTINCT ON (f.area_id) a.path, f.households, f.people
           FROM village_facts f JOIN areas a ON a.id = f.area_id
          WHERE a.path LIKE ANY ($1) AND f.effective_on <= $2 AND f.voided_at IS NULL
          ORDER BY f.area_id, f.effective_on DESC, f.recorded_at DESC",
    )
    .bind(&below)
    .bind(day)
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|r| Ok((r.try_get("path")?, r.try_get("households")?, r.try_get("people")?)))
        .collect()
}
