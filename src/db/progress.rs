//! The rows that reporting and reviewing write. A write takes the permit of its operation.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::settings;
use crate::domain::lights::Thresholds;
use crate::domain::permit::{Permit, Place, ReportProgress, ReviewReport};
use crate::domain::plan::{Percent, Plan};
use crate::domain::progress::{Accepted, Quantity};
use crate::error::Result;

/// Where a project stands and whose it is: what a permit is decided on.
#[derive(Debug, Clone)]
pub struct ProjectPlace {
    /// Area of the project.
    pub area_id: Uuid,
    /// The same as a place.
    pub place: Place,
    /// Word of the sector.
    pub sector: String,
    /// Chain of the audit: code of the county, or of the city where there are no counties (东莞).
    pub chain: String,
    /// Number in the project library.
    pub code: String,
    /// Name of the project.
    pub name: String,
}

/// The place of a project.
pub async fn place_of(db: &mut PgConnection, project: Uuid) -> Result<Option<ProjectPlace>> {
    let row = sqlx::query(
        "WITH RECURSIVE up AS (
           SELECT a.id, a.parent_id, a.level, a.code, 0 AS depth
             FROM projects p JOIN areas a ON a.id = p.area_id WHERE p.id = $1
           UNION ALL
           SELECT a.id, a.parent_id, a.level, a.code, up.depth + 1 FROM up JOIN areas a ON a.id = up.parent_id)
         SELECT p.code AS project_code, p.name AS project_name, p.sector, p.area_id, a.code, a.name, a.level, a.path,
                coalesce((SELECT code FROM up WHERE level IN ('county', 'city') ORDER BY depth LIMIT 1), a.code)
                  AS chain
           FROM projects p JOIN areas a ON a.id = p.area_id WHERE p.id = $1",
    )
    .bind(project)
    .fetch_optional(db)
    .await?;
    row.map(|r| {
        Ok(ProjectPlace {
            area_id: r.try_get("area_id")?,
            place: Place {
                code: r.try_get("code")?,
                name: r.try_get("name")?,
                level: r.try_get("level")?,
                path: r.try_get("path")?,
            },
            sector: r.try_get("sector")?,
            chain: r.try_get("chain")?,
            code: r.try_get("project_code")?,
            name: r.try_get("project_name")?,
        })
    })
    .transpose()
}

/// The present of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    /// Word of the state.
    pub state: String,
    /// 形象进度
    pub percent: Decimal,
    /// Cumulative investment done, yuan.
    pub invested_yuan: Decimal,
    /// Cumulative payment, yuan.
    pub paid_yuan: Decimal,
    /// First day of work.
    pub started_on: Option<NaiveDate>,
    /// Day of completion.
    pub completed_on: Option<NaiveDate>,
    /// Day the last standing report speaks of.
    pub last_reported_on: Option<NaiveDate>,
    /// Value of If-Match.
    pub version: i32,
    /// Investment in the plan, yuan.
    pub total_investment_yuan: Option<Decimal>,
    /// Day of approval.
    pub approved_on: Option<NaiveDate>,
    /// Planned first day.
    pub planned_start_on: NaiveDate,
}

/// Locks a project's row until the transaction ends. `None` also where a policy of the database
/// lets the account of this transaction not write to it.
pub async fn lock_project(db: &mut PgConnection, project: Uuid) -> Result<Option<Present>> {
    let row = sqlx::query(
        "SELECT state, percent, invested_yuan, paid_yuan, started_on, completed_on, last_reported_on, version,
                total_investment_yuan, approved_on, planned_start_on
           FROM projects WHERE id = $1 FOR UPDATE",
    )
    .bind(project)
    .fetch_optional(db)
    .await?;
    row.map(|r| {
        Ok(Present {
            state: r.try_get("state")?,
            percent: r.try_get("percent")?,
            invested_yuan: r.try_get("invested_yuan")?,
            paid_yuan: r.try_get("paid_yuan")?,
            started_on: r.try_get("started_on")?,
            completed_on: r.try_get("completed_on")?,
            last_reported_on: r.try_get("last_reported_on")?,
            version: r.try_get("version")?,
            total_investment_yuan: r.try_get("total_investment_yuan")?,
            approved_on: r.try_get("approved_on")?,
            planned_start_on: r.try_get("planned_start_on")?,
        })
    })
    .transpose()
}

/// A project's quantities: planned, and done as the standing reports say.
pub async fn quantities(db: &mut PgConnection, project: Uuid) -> Result<Vec<Quantity>> {
    let rows = sqlx::query(
        "SELECT q.item, i.name_zh, i.name_en, i.unit_zh, i.unit_en, i.decimals, i.weight, q.planned,
                coalesce((SELECT d.done FROM progress_reports r JOIN progress_report_items d ON d.report_id = r.id
                           WHERE r.project_id = q.project_id AND d.item = q.item
                             AND r.voided_at IS NULL AND r.review_state <> 'returned'
                           ORDER BY r.effective_on DESC, r.recorded_at DESC LIMIT 1), 0) AS done
           FROM project_quantities q
           JOIN quantity_items i ON i.sector = q.sector AND i.item = q.item
          WHERE q.project_id = $1
          ORDER BY i.ordinal",
    )
    .bind(project)
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|r| {
            Ok(Quantity {
                item: r.try_get("item")?,
                name_zh: r.try_get("name_zh")?,
                name_en: r.try_get("name_en")?,
                unit_zh: r.try_get("unit_zh")?,
                unit_en: r.try_get("unit_en")?,
                decimals: r.try_get::<i16, _>("decimals")?.unsigned_abs().into(),
                weight: r.try_get("weight")?,
                planned: r.try_get("planned")?,
                done: r.try_get("done")?,
            })
        })
        .collect()
}

/// One state a project was in.
#[derive(Debug, Clone)]
pub struct Revision {
    /// Version of the project that it made.
    pub version: i32,
    /// From when it was true.
    pub effective_on: NaiveDate,
    /// Word of the state.
    pub state: String,
    /// 形象进度
    pub percent: Decimal,
    /// Cumulative investment done, yuan.
    pub invested_yuan: Decimal,
    /// Cumulative payment, yuan.
    pub paid_yuan: Decimal,
    /// The report that made it.
    pub report_id: Option<Uuid>,
    /// Why it was made, where no report says it.
    pub reason: String,
    /// When and by whom its report was approved.
    pub approved: Option<(DateTime<Utc>, Option<Uuid>)>,
}

fn revision(r: &PgRow) -> Result<Revision> {
    let approved_by: Option<Uuid> = r.try_get("approved_by")?;
    Ok(Revision {
        version: r.try_get("version")?,
        effective_on: r.try_get("effective_on")?,
        state: r.try_get("state")?,
        percent: r.try_get("percent")?,
        invested_yuan: r.try_get("invested_yuan")?,
        paid_yuan: r.try_get("paid_yuan")?,
        report_id: r.try_get("report_id")?,
        reason: r.try_get("reason")?,
        approved: r.try_get::<Option<DateTime<Utc>>, _>("approved_at")?.map(|at| (at, approved_by)),
    })
}

/// What a client saw that names `version`: the newest revision up to it, voided since or not.
pub async fn revision_at(db: &mut PgConnection, project: Uuid, version: i32) -> Result<Option<Revision>> {
    let row = sqlx::query(
        "SELECT * FROM project_revisions WHERE project_id = $1 AND version <= $2 ORDER BY version DESC LIMIT 1",
    )
    .bind(project)
    .bind(version)
    .fetch_optional(db)
    .await?;
    row.as_ref().map(revision).transpose()
}

/// The newest revision that is not voided.
pub async fn standing_revision(db: &mut PgConnection, project: Uuid) -> Result<Option<Revision>> {
    let row = sqlx::query(
        "SELECT * FROM project_revisions WHERE project_id = $1 AND voided_at IS NULL ORDER BY version DESC LIMIT 1",
    )
    .bind(project)
    .fetch_optional(db)
    .await?;
    row.as_ref().map(revision).transpose()
}

/// Records a state of a project.
pub async fn insert_revision(
    db: &mut PgConnection,
    project: Uuid,
    by: Uuid,
    now: DateTime<Utc>,
    revision: &Revision,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO project_revisions (project_id, version, effective_on, recorded_at, recorded_by, state, percent,
           invested_yuan, paid_yuan, report_id, reason, approved_at, approved_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(project)
    .bind(revision.version)
    .bind(revision.effective_on)
    .bind(now)
    .bind(by)
    .bind(&revision.state)
    .bind(revision.percent)
    .bind(revision.invested_yuan)
    .bind(revision.paid_yuan)
    .bind(revision.report_id)
    .bind(&revision.reason)
    .bind(revision.approved.map(|a| a.0))
    .bind(revision.approved.and_then(|a| a.1))
    .execute(db)
    .await?;
    Ok(())
}

/// A report to be recorded.
#[derive(Debug, Clone, Copy)]
pub struct NewReport {
    /// Its identity.
    pub id: Uuid,
    /// The day that it speaks of.
    pub effective_on: NaiveDate,
    /// Time of recording.
    pub now: DateTime<Utc>,
    /// Business date of the recording.
    pub recorded_on: NaiveDate,
    /// The returned report that it corrects.
    pub corrects: Option<Uuid>,
}

/// The report of a project that is to be corrected: its newest, when that came back.
pub async fn to_correct(db: &mut PgConnection, project: Uuid) -> Result<Option<Uuid>> {
    let newest: Option<(Uuid, String)> = sqlx::query_as(
        "SELECT id, review_state FROM progress_reports WHERE project_id = $1 AND voided_at IS NULL
          ORDER BY recorded_at DESC, id DESC LIMIT 1",
    )
    .bind(project)
    .fetch_optional(db)
    .await?;
    Ok(newest.filter(|(_, state)| state == "returned").map(|(id, _)| id))
}

/// Is it a returned report of this project that nothing corrects yet?
pub async fn may_be_corrected(db: &mut PgConnection, project: Uuid, report: Uuid) -> Result<bool> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM progress_reports r
                         WHERE r.id = $1 AND r.project_id = $2 AND r.review_state = 'returned' AND r.voided_at IS NULL
                           AND NOT EXISTS (SELECT 1 FROM progress_reports c
                                            WHERE c.corrects_id = r.id AND c.voided_at IS NULL))",
    )
    .bind(report)
    .bind(project)
    .fetch_one(db)
    .await?)
}

/// Records a report and its quantities.
pub async fn insert_report(
    db: &mut PgConnection,
    permit: &Permit<ReportProgress>,
    report: NewReport,
    accepted: &Accepted,
) -> Result<()> {
    let NewReport { id, effective_on, now, recorded_on, corrects } = report;
    sqlx::query(
        "INSERT INTO progress_reports (id, project_id, effective_on, recorded_at, recorded_by, percent, invested_yuan,
           paid_yuan, note, recorded_on, corrects_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(id)
    .bind(permit.project())
    .bind(effective_on)
    .bind(now)
    .bind(permit.account())
    .bind(accepted.percent)
    .bind(accepted.invested_yuan)
    .bind(accepted.paid_yuan)
    .bind(&accepted.note)
    .bind(recorded_on)
    .bind(corrects)
    .execute(&mut *db)
    .await?;
    let (items, done): (Vec<&str>, Vec<Decimal>) =
        accepted.items.iter().map(|(i, d)| (i.as_str(), *d)).unzip();
    sqlx::query(
        "INSERT INTO progress_report_items (report_id, item, done)
         SELECT $1, * FROM unnest($2::text[], $3::numeric[])",
    )
    .bind(id)
    .bind(items)
    .bind(done)
    .execute(db)
    .await?;
    Ok(())
}

/// Every natural village that the project serves has the service from `effective_on` on, as
/// reported. Returns the number of villages.
pub async fn insert_services(
    db: &mut PgConnection,
    permit: &Permit<ReportProgress>,
    report: Uuid,
    service: &str,
    (effective_on, now): (NaiveDate, DateTime<Utc>),
) -> Result<u64> {
    let villages: Vec<Uuid> = sqlx::query_scalar(
        "SELECT natural_village_id FROM project_natural_villages WHERE project_id = $1 ORDER BY 1",
    )
    .bind(permit.project())
    .fetch_all(&mut *db)
    .await?;
    let ids: Vec<Uuid> = villages.iter().map(|_| Uuid::now_v7()).collect();
    let done = sqlx::query(
        "INSERT INTO service_states (id, natural_village_id, service, effective_on, recorded_at, recorded_by, served,
           households_connected, project_id, report_id, source)
         SELECT v.id, v.village, $3, $4, $5, $6, true,
                CASE WHEN $3 = 'water' THEN l.households_planned END, $7, $8, '进度填报'
           FROM unnest($1::uuid[], $2::uuid[]) AS v (id, village)
           JOIN project_natural_villages l ON l.project_id = $7 AND l.natural_village_id = v.village",
    )
    .bind(ids)
    .bind(villages)
    .bind(service)
    .bind(effective_on)
    .bind(now)
    .bind(permit.account())
    .bind(permit.project())
    .bind(report)
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// Writes the present of a project and raises its version. True when a row was written.
pub async fn update_project(
    db: &mut PgConnection,
    project: Uuid,
    present: &Present,
    now: DateTime<Utc>,
) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE projects SET state = $2, percent = $3, invested_yuan = $4, paid_yuan = $5, started_on = $6,
                completed_on = $7, last_reported_on = $8, version = $9, updated_at = $10
          WHERE id = $1 AND version = $9 - 1",
    )
    .bind(project)
    .bind(&present.state)
    .bind(present.percent)
    .bind(present.invested_yuan)
    .bind(present.paid_yuan)
    .bind(present.started_on)
    .bind(present.completed_on)
    .bind(present.last_reported_on)
    .bind(present.version)
    .bind(now)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What the change feed tells of a project: what the map loads again with it.
pub async fn change_payload(db: &mut PgConnection, project: Uuid) -> Result<serde_json::Value> {
    Ok(sqlx::query_scalar(
        "SELECT jsonb_build_object(
           'natural_village_ids', coalesce((SELECT jsonb_agg(natural_village_id ORDER BY natural_village_id)
              FROM project_natural_villages WHERE project_id = $1), '[]'),
           'segment_ids', coalesce((SELECT jsonb_agg(segment_id ORDER BY segment_id)
              FROM project_segments WHERE project_id = $1), '[]'))",
    )
    .bind(project)
    .fetch_one(db)
    .await?)
}

/// A report as a review needs it.
#[derive(Debug)]
pub struct Reviewable {
    /// Of which project.
    pub project_id: Uuid,
    /// Who reported.
    pub recorded_by: Uuid,
    /// submitted, approved or returned
    pub review_state: String,
    /// 形象进度 of the report.
    pub percent: Decimal,
}

/// A report that stands or was returned; `None` when voided or unknown.
pub async fn reviewable(db: &mut PgConnection, report: Uuid) -> Result<Option<Reviewable>> {
    let row = sqlx::query(
        "SELECT project_id, recorded_by, review_state, percent FROM progress_reports WHERE id = $1 AND voided_at IS NULL",
    )
    .bind(report)
    .fetch_optional(db)
    .await?;
    row.map(|r| {
        Ok(Reviewable {
            project_id: r.try_get("project_id")?,
            recorded_by: r.try_get("recorded_by")?,
            review_state: r.try_get("review_state")?,
            percent: r.try_get("percent")?,
        })
    })
    .transpose()
}

/// Records a review and the report's new state. `mend_by`: the day by which a returned report is
/// to be corrected.
pub async fn insert_review(
    db: &mut PgConnection,
    permit: &Permit<ReviewReport>,
    report: Uuid,
    (outcome, reason, mend_by): (&str, &str, Option<NaiveDate>),
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO report_reviews (id, report_id, outcome, reason, recorded_at, recorded_by, mend_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(Uuid::now_v7())
    .bind(report)
    .bind(outcome)
    .bind(reason)
    .bind(now)
    .bind(permit.account())
    .bind(mend_by)
    .execute(&mut *db)
    .await?;
    sqlx::query("UPDATE progress_reports SET review_state = $2 WHERE id = $1")
        .bind(report)
        .bind(outcome)
        .execute(db)
        .await?;
    Ok(())
}

/// What a report has set is approved: its revisions and service states.
pub async fn approve_effects(
    db: &mut PgConnection,
    permit: &Permit<ReviewReport>,
    report: Uuid,
    now: DateTime<Utc>,
) -> Result<()> {
    for sql in [
        "UPDATE project_revisions SET approved_at = $2, approved_by = $3
          WHERE report_id = $1 AND project_id = $4 AND voided_at IS NULL AND approved_at IS NULL",
        "UPDATE service_states SET approved_at = $2, approved_by = $3
          WHERE report_id = $1 AND project_id = $4 AND voided_at IS NULL AND approved_at IS NULL",
    ] {
        sqlx::query(sql)
            .bind(report)
            .bind(now)
            .bind(permit.account())
            .bind(permit.project())
            .execute(&mut *db)
            .await?;
    }
    Ok(())
}

/// What a report has set is voided with the reason: its revisions and service states.
pub async fn void_effects(
    db: &mut PgConnection,
    permit: &Permit<ReviewReport>,
    report: Uuid,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    for sql in [
        "UPDATE project_revisions SET voided_at = $2, voided_by = $3, void_reason = $5
          WHERE report_id = $1 AND project_id = $4 AND voided_at IS NULL",
        "UPDATE service_states SET voided_at = $2, voided_by = $3, void_reason = $5
          WHERE report_id = $1 AND project_id = $4 AND voided_at IS NULL",
    ] {
        sqlx::query(sql)
            .bind(report)
            .bind(now)
            .bind(permit.account())
            .bind(permit.project())
            .bind(reason)
            .execute(&mut *db)
            .await?;
    }
    Ok(())
}

/// The day the newest standing report of a project speaks of.
pub async fn last_effective_on(db: &mut PgConnection, project: Uuid) -> Result<Option<NaiveDate>> {
    Ok(sqlx::query_scalar(
        "SELECT max(effective_on) FROM progress_reports
          WHERE project_id = $1 AND voided_at IS NULL AND review_state <> 'returned'",
    )
    .bind(project)
    .fetch_one(db)
    .await?)
}

/// A project's plan curve and the limits of the lights that hold today.
pub async fn plan_and_limits(
    db: &mut PgConnection,
    project: Uuid,
    today: NaiveDate,
) -> Result<(Plan, Thresholds)> {
    let row = sqlx::query("SELECT planned_start_on, planned_finish_on FROM projects WHERE id = $1")
        .bind(project)
        .fetch_one(&mut *db)
        .await?;
    let milestones: Vec<(NaiveDate, f64)> = sqlx::query_as(
        "SELECT planned_on, planned_percent::float8 FROM project_milestones
          WHERE project_id = $1
            AND plan_version = (SELECT max(plan_version) FROM project_milestones WHERE project_id = $1)",
    )
    .bind(project)
    .fetch_all(&mut *db)
    .await?;
    let limits = settings::on(db, today).await?.thresholds();
    let plan = Plan::new(
        row.try_get("planned_start_on")?,
        row.try_get("planned_finish_on")?,
        milestones.into_iter().map(|(day, percent)| (day, Percent::from(percent))),
    );
    Ok((plan, limits))
}
