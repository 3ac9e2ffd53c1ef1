//! Filling the ledger from PostgreSQL: all of it, or what the feed says has changed.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::NaiveDate;
use futures::TryStreamExt;
use sqlx::{PgPool, Row};
use uuid::Uuid;

use super::{Area, Project, Returned, Revision, Snapshot, VillageName};
use crate::domain::lifecycle::State;
use crate::domain::plan::{Percent, Plan};
use crate::domain::sector::Sector;
use crate::error::{Error, Result};

/// Above this many changed projects a full load is cheaper.
const MOST_SINGLE_CHANGES: usize = 5_000;

/// Newest committed sequence of the feed.
pub(super) async fn newest_sequence(pool: &PgPool) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT coalesce(max(seq), 0) FROM change_feed").fetch_one(pool).await?)
}

/// Loads everything. The sequence is read first: what is loaded may be newer, never older.
pub(super) async fn everything(pool: &PgPool) -> Result<Snapshot> {
    let seq = newest_sequence(pool).await?;
    let areas = areas(pool).await?;
    let by_code = by_code(&areas);
    let villages = villages(pool).await?;
    let projects = projects(pool, None).await?;
    let index = projects.iter().enumerate().map(|(i, p)| (p.id, i)).collect();
    Ok(Snapshot {
        seq,
        areas: Arc::new(areas),
        by_code: Arc::new(by_code),
        villages: Arc::new(villages),
        projects: projects.into_iter().map(Arc::new).collect(),
        index: Arc::new(index),
    })
}

/// The next snapshot after `old`.
pub(super) async fn advance(pool: &PgPool, old: &Snapshot) -> Result<Snapshot> {
    let rows = sqlx::query("SELECT seq, kind, entity_id FROM change_feed WHERE seq > $1 ORDER BY seq")
        .bind(old.seq)
        .fetch_all(pool)
        .await?;
    let mut seq = old.seq;
    let mut changed = HashSet::new();
    let mut all = rows.is_empty();
    for row in &rows {
        seq = row.try_get("seq")?;
        match (row.try_get::<String, _>("kind")?.as_str(), row.try_get::<Option<Uuid>, _>("entity_id")?) {
            ("project", Some(id)) => {
                changed.insert(id);
            }
            // Surfaces and waterworks are not in the ledger.
            ("road_segment" | "water_scheme", _) => {}
            // New areas, new natural villages, imports: rare, and they change paths.
            _ => all = true,
        }
    }
    if all || changed.len() > MOST_SINGLE_CHANGES {
        return everything(pool).await;
    }
    let mut next = Snapshot { seq, ..old.clone() };
    let ids: Vec<Uuid> = changed.into_iter().collect();
    for project in projects(pool, Some(&ids)).await? {
        let project = Arc::new(project);
        if let Some(place) = next.index.get(&project.id).and_then(|&i| next.projects.get_mut(i)) {
            *place = project;
        } else {
            Arc::make_mut(&mut next.index).insert(project.id, next.projects.len());
            next.projects.push(project);
        }
    }
    Ok(next)
}

async fn areas(pool: &PgPool) -> Result<HashMap<i64, Area>> {
    let mut rows = sqlx::query(
        "SELECT a.id, a.fid, a.code, a.level, a.name, a.short_name, a.path, a.valid_to,
                coalesce(f.poor, false) AS poor
           FROM areas a
           LEFT JOIN (SELECT DISTINCT ON (area_id) area_id, poor FROM village_facts WHERE voided_at IS NULL
                       ORDER BY area_id, effective_on DESC, recorded_at DESC) f ON f.area_id = a.id",
    )
    .fetch(pool);
    let mut areas = HashMap::new();
    while let Some(r) = rows.try_next().await? {
        let area = Area {
            id: r.try_get("id")?,
            fid: r.try_get("fid")?,
            code: r.try_get("code")?,
            level: r.try_get("level")?,
            name: r.try_get("name")?,
            short_name: r.try_get("short_name")?,
            path: r.try_get("path")?,
            poor: r.try_get("poor")?,
            valid_to: r.try_get("valid_to")?,
        };
        areas.insert(area.fid, area);
    }
    Ok(areas)
}

/// Of several areas with one code the standing one counts, then the last to go.
fn by_code(areas: &HashMap<i64, Area>) -> HashMap<String, i64> {
    let later =
        |a: &Area, b: &Area| a.valid_to.unwrap_or(NaiveDate::MAX) > b.valid_to.unwrap_or(NaiveDate::MAX);
    let mut codes: HashMap<String, i64> = HashMap::with_capacity(areas.len());
    for area in areas.values() {
        let known = codes.get(&area.code).and_then(|fid| areas.get(fid));
        if known.is_none_or(|known| later(area, known)) {
            codes.insert(area.code.clone(), area.fid);
        }
    }
    codes
}

async fn villages(pool: &PgPool) -> Result<Vec<VillageName>> {
    let mut rows = sqlx::query(
        "SELECT n.id, n.code, n.name, a.fid AS village
           FROM natural_villages n JOIN areas a ON a.id = n.village_id WHERE n.valid_to IS NULL",
    )
    .fetch(pool);
    let mut villages = Vec::new();
    while let Some(r) = rows.try_next().await? {
        villages.push(VillageName {
            id: r.try_get("id")?,
            code: r.try_get("code")?,
            name: r.try_get("name")?,
            village: r.try_get("village")?,
        });
    }
    Ok(villages)
}

/// Slim rows of all projects, or of some.
async fn projects(pool: &PgPool, ids: Option<&[Uuid]>) -> Result<Vec<Project>> {
    // One statement for all and one for some: a condition on a null parameter would hide the index.
    macro_rules! select {
        ($from:literal, $by:literal, $rest:literal) => {
            match ids {
                None => sqlx::query(concat!($from, $rest)),
                Some(ids) => sqlx::query(concat!($from, " AND ", $by, " = ANY($1)", $rest)).bind(ids),
            }
        };
    }
    let mut plans: HashMap<Uuid, Vec<(NaiveDate, Percent)>> = HashMap::new();
    let mut rows = select!(
        "SELECT m.project_id, m.planned_on, (m.planned_percent * 100)::int4 AS hundredths
           FROM project_milestones m
          WHERE NOT EXISTS (SELECT 1 FROM project_milestones later
                             WHERE later.project_id = m.project_id AND later.plan_version > m.plan_version)",
        "m.project_id",
        " "
    )
    .fetch(pool);
    while let Some(r) = rows.try_next().await? {
        let point = (r.try_get("planned_on")?, Percent::from_hundredths(r.try_get("hundredths")?));
        plans.entry(r.try_get("project_id")?).or_default().push(point);
    }
    drop(rows);

    let mut histories: HashMap<Uuid, Vec<Revision>> = HashMap::new();
    let mut rows = select!(
        "SELECT project_id, version, effective_on, state, (percent * 100)::int4 AS hundredths,
                report_id IS NOT NULL AS reported, approved_at IS NOT NULL OR report_id IS NULL AS approved
           FROM project_revisions WHERE voided_at IS NULL",
        "project_id",
        " "
    )
    .fetch(pool);
    while let Some(r) = rows.try_next().await? {
        let revision = Revision {
            effective_on: r.try_get("effective_on")?,
            version: r.try_get("version")?,
            state: state(r.try_get("state")?)?,
            percent: Percent::from_hundredths(r.try_get("hundredths")?),
            reported: r.try_get("reported")?,
            approved: r.try_get("approved")?,
        };
        histories.entry(r.try_get("project_id")?).or_default().push(revision);
    }
    drop(rows);

    let mut routes: HashMap<Uuid, Vec<String>> = HashMap::new();
    let mut rows = select!(
        "SELECT DISTINCT l.project_id, s.route_code
           FROM project_segments l JOIN road_segment_states s ON s.segment_id = l.segment_id
          WHERE s.voided_at IS NULL AND s.route_code IS NOT NULL",
        "l.project_id",
        " ORDER BY 1, 2"
    )
    .fetch(pool);
    while let Some(r) = rows.try_next().await? {
        routes.entry(r.try_get("project_id")?).or_default().push(r.try_get("route_code")?);
    }
    drop(rows);

    let mut pending: HashSet<Uuid> = HashSet::new();
    let mut rows = select!(
        "SELECT DISTINCT project_id FROM progress_reports WHERE review_state = 'submitted' AND voided_at IS NULL",
        "project_id",
        " "
    )
    .fetch(pool);
    while let Some(r) = rows.try_next().await? {
        pending.insert(r.try_get("project_id")?);
    }
    drop(rows);

    let mut returned: HashMap<Uuid, Returned> = HashMap::new();
    let mut rows = select!(
        "SELECT r.project_id, r.id, v.mend_by,
                (coalesce(v.recorded_at, r.recorded_at) AT TIME ZONE 'Asia/Shanghai')::date AS returned_on
           FROM progress_reports r
           LEFT JOIN LATERAL (SELECT mend_by, recorded_at FROM report_reviews
                               WHERE report_id = r.id AND outcome = 'returned'
                               ORDER BY recorded_at DESC LIMIT 1) v ON true
          WHERE r.review_state = 'returned' AND r.voided_at IS NULL
            AND NOT EXISTS (SELECT 1 FROM progress_reports later
                             WHERE later.project_id = r.project_id AND later.voided_at IS NULL
                               AND (later.recorded_at, later.id) > (r.recorded_at, r.id))",
        "r.project_id",
        " "
    )
    .fetch(pool);
    while let Some(r) = rows.try_next().await? {
        let one = Returned {
            report: r.try_get("id")?,
            on: r.try_get("returned_on")?,
            mend_by: r.try_get("mend_by")?,
        };
        returned.insert(r.try_get("project_id")?, one);
    }
    drop(rows);

    let mut rows = select!(
        "SELECT p.id, p.code, p.name, p.sector, a.path, p.plan_year, p.planned_start_on, p.planned_finish_on,
                p.state, (p.percent * 100)::int4 AS hundredths, p.started_on, p.last_reported_on, p.published
           FROM projects p JOIN areas a ON a.id = p.area_id WHERE true",
        "p.id",
        " "
    )
    .fetch(pool);
    let mut projects = Vec::new();
    while let Some(r) = rows.try_next().await? {
        let id = r.try_get("id")?;
        let sector: &str = r.try_get("sector")?;
        let mut history = histories.remove(&id).unwrap_or_default();
        history.sort_unstable_by_key(|h| (h.effective_on, h.version));
        history.shrink_to_fit();
        projects.push(Project {
            id,
            code: r.try_get("code")?,
            name: r.try_get("name")?,
            sector: Sector::parse(sector).ok_or_else(|| unknown("sector", sector))?,
            path: r.try_get("path")?,
            plan_year: r.try_get("plan_year")?,
            plan: Plan::new(
                r.try_get("planned_start_on")?,
                r.try_get("planned_finish_on")?,
                plans.remove(&id).unwrap_or_default(),
            ),
            state: state(r.try_get("state")?)?,
            percent: Percent::from_hundredths(r.try_get("hundredths")?),
            started_on: r.try_get("started_on")?,
            last_reported_on: r.try_get("last_reported_on")?,
            published: r.try_get("published")?,
            pending_review: pending.contains(&id),
            returned: returned.remove(&id),
            routes: routes.remove(&id).unwrap_or_default(),
            history,
        });
    }
    Ok(projects)
}

fn state(word: &str) -> Result<State> {
    State::parse(word).ok_or_else(|| unknown("state", word))
}

fn unknown(what: &str, word: &str) -> Error {
    Error::Internal(anyhow::anyhow!("the database holds a {what} that this program does not know: {word}"))
}
