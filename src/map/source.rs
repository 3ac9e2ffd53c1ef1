//! What the map reads from PostGIS: one query per table, for everything or for some ids, so that a
//! load and an update cannot differ.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;
use std::sync::Arc;

use anyhow::Context;
use chrono::NaiveDate;
use sqlx::PgConnection;
use tiles::{Geometry, WorldPoint};
use uuid::Uuid;

use super::copy::for_each_row;
use super::timeline::{Day, OPEN, Service, ServiceRow, date_of};
use super::wkb;
use crate::domain::lights::Status as ProjectStatus;
use crate::domain::plan::{Percent, Plan};
use crate::domain::sector::Sector;
use crate::error::Result;

/// Which rows.
#[derive(Debug, Clone, Copy)]
pub(super) enum Which<'a> {
    All,
    /// Rows whose key is one of these. Uuids are written into the text of the query: COPY takes
    /// no parameters, and a uuid cannot carry SQL.
    Only(&'a [Uuid]),
}

impl Which<'_> {
    pub fn of(self, column: &str) -> String {
        match self {
            Self::All => "true".to_owned(),
            Self::Only([]) => "false".to_owned(),
            Self::Only(ids) => {
                let mut text = format!("{column} IN (");
                for (i, id) in ids.iter().enumerate() {
                    let comma = if i == 0 { "" } else { "," };
                    let _ = write!(text, "{comma}'{id}'");
                }
                text.push(')');
                text
            }
        }
    }
}

/// A row of `areas`, current ones alone.
pub(super) struct AreaRow {
    pub id: Uuid,
    pub fid: u64,
    pub code: Arc<str>,
    pub level: String,
    pub parent_id: Option<Uuid>,
    pub name: Arc<str>,
    pub short_name: Arc<str>,
    pub seat: Option<WorldPoint>,
    pub geometry: Option<Geometry>,
}

pub(super) async fn areas(c: &mut PgConnection) -> Result<Vec<AreaRow>> {
    let mut rows = Vec::new();
    let query = "SELECT id, fid, code, level, parent_id, name, short_name, seat, geom FROM areas WHERE valid_to IS NULL";
    for_each_row(c, query, |r| {
        rows.push(AreaRow {
            id: r.uuid()?,
            fid: r.i64()? as u64,
            code: r.text()?.into(),
            level: r.text()?.to_owned(),
            parent_id: r.uuid_or_null()?,
            name: r.text()?.into(),
            short_name: r.text()?.into(),
            seat: r.bytes()?.map(wkb::point).transpose()?,
            geometry: r.bytes()?.map(wkb::geometry).transpose()?,
        });
        Ok(())
    })
    .await?;
    Ok(rows)
}

/// Areas (villages) that the programme calls relatively poor, by the newest standing fact.
pub(super) async fn poor_villages(c: &mut PgConnection) -> Result<HashSet<Uuid>> {
    let mut poor = HashSet::new();
    let query = "SELECT DISTINCT ON (area_id) area_id, poor FROM village_facts WHERE voided_at IS NULL \
                 ORDER BY area_id, effective_on DESC, recorded_at DESC";
    for_each_row(c, query, |r| {
        let id = r.uuid()?;
        if r.bool()? {
            poor.insert(id);
        }
        Ok(())
    })
    .await?;
    Ok(poor)
}

/// The coarse status of each state.
pub(super) async fn statuses(c: &mut PgConnection) -> Result<HashMap<String, ProjectStatus>> {
    let mut map = HashMap::new();
    for_each_row(c, "SELECT state, status FROM project_states", |r| {
        let state = r.text()?.to_owned();
        let status = r.text()?;
        map.insert(state, ProjectStatus::parse(status).with_context(|| format!("unknown status {status}"))?);
        Ok(())
    })
    .await?;
    Ok(map)
}

/// A row of `projects`.
pub(super) struct ProjectRow {
    pub id: Uuid,
    pub fid: u64,
    pub code: Arc<str>,
    pub name: Arc<str>,
    pub sector: Sector,
    pub kind: Arc<str>,
    pub area_id: Uuid,
    pub geometry: Geometry,
    pub planned_start: NaiveDate,
    pub planned_finish: NaiveDate,
    pub published: bool,
    pub version: i32,
    /// What stands while no revision does: state and percentage of the row itself.
    pub first: Revision,
}

pub(super) async fn projects(
    c: &mut PgConnection,
    which: Which<'_>,
    statuses: &HashMap<String, ProjectStatus>,
) -> Result<Vec<ProjectRow>> {
    let mut rows = Vec::new();
    let query = format!(
        "SELECT id, fid, code, name, sector, kind, area_id, geom, planned_start_on, planned_finish_on, \
         published, version, state, (percent * 100)::int4, coalesce(approved_on, planned_start_on) \
         FROM projects WHERE {}",
        which.of("id")
    );
    for_each_row(c, &query, |r| {
        let mut row = ProjectRow {
            id: r.uuid()?,
            fid: r.i64()? as u64,
            code: r.text()?.into(),
            name: r.text()?.into(),
            sector: Sector::parse(r.text()?).context("unknown sector")?,
            kind: r.text()?.into(),
            area_id: r.uuid()?,
            geometry: wkb::geometry(r.bytes()?.context("geometry is null")?)?,
            planned_start: date_of(r.day()?),
            planned_finish: date_of(r.day()?),
            published: r.bool()?,
            version: r.i32()?,
            first: Revision {
                version: 0,
                effective_on: 0,
                status: ProjectStatus::NotStarted,
                percent: Percent::ZERO,
                is_report: false,
                approved: false,
            },
        };
        let state = r.text()?;
        row.first.status = *statuses.get(state).with_context(|| format!("unknown state {state}"))?;
        row.first.percent = Percent::from_hundredths(r.i32()?);
        row.first.effective_on = r.day()?;
        rows.push(row);
        Ok(())
    })
    .await?;
    Ok(rows)
}

/// A standing row of `project_revisions`.
#[derive(Clone, Copy)]
pub(super) struct Revision {
    pub version: i32,
    pub effective_on: Day,
    pub status: ProjectStatus,
    pub percent: Percent,
    pub is_report: bool,
    pub approved: bool,
}

pub(super) async fn revisions(
    c: &mut PgConnection,
    which: Which<'_>,
    statuses: &HashMap<String, ProjectStatus>,
) -> Result<HashMap<Uuid, Vec<Revision>>> {
    let mut map: HashMap<Uuid, Vec<Revision>> = HashMap::new();
    let query = format!(
        "SELECT project_id, version, effective_on, state, (percent * 100)::int4, report_id IS NOT NULL, \
         approved_at IS NOT NULL FROM project_revisions WHERE voided_at IS NULL AND {}",
        which.of("project_id")
    );
    for_each_row(c, &query, |r| {
        let project = r.uuid()?;
        let (version, effective_on, state) = (r.i32()?, r.day()?, r.text()?);
        let status = *statuses.get(state).with_context(|| format!("unknown state {state}"))?;
        let percent = Percent::from_hundredths(r.i32()?);
        map.entry(project).or_default().push(Revision {
            version,
            effective_on,
            status,
            percent,
            is_report: r.bool()?,
            approved: r.bool()?,
        });
        Ok(())
    })
    .await?;
    Ok(map)
}

/// The points of each project's newest plan.
pub(super) async fn milestones(
    c: &mut PgConnection,
    which: Which<'_>,
) -> Result<HashMap<Uuid, Vec<(NaiveDate, Percent)>>> {
    type Newest = (i32, Vec<(NaiveDate, Percent)>);
    let mut map: HashMap<Uuid, Newest> = HashMap::new();
    let query = format!(
        "SELECT project_id, plan_version::int4, planned_on, (planned_percent * 100)::int4 \
         FROM project_milestones WHERE {}",
        which.of("project_id")
    );
    for_each_row(c, &query, |r| {
        let project = r.uuid()?;
        let plan_version = r.i32()?;
        let point = (date_of(r.day()?), Percent::from_hundredths(r.i32()?));
        let newest = map.entry(project).or_insert_with(|| (plan_version, Vec::new()));
        if plan_version > newest.0 {
            *newest = (plan_version, Vec::new());
        }
        if plan_version == newest.0 {
            newest.1.push(point);
        }
        Ok(())
    })
    .await?;
    Ok(map.into_iter().map(|(id, (_, points))| (id, points)).collect())
}

/// The plan of a project from its row and milestones.
pub(super) fn plan(row: &ProjectRow, milestones: Option<Vec<(NaiveDate, Percent)>>) -> Plan {
    Plan::new(row.planned_start, row.planned_finish, milestones.unwrap_or_default())
}

/// Links between a thing and the projects that concern it.
pub(super) type Links = HashMap<Uuid, Vec<Uuid>>;

async fn links(c: &mut PgConnection, query: &str) -> Result<Links> {
    let mut map = Links::new();
    for_each_row(c, query, |r| {
        let thing = r.uuid()?;
        map.entry(thing).or_default().push(r.uuid()?);
        Ok(())
    })
    .await?;
    Ok(map)
}

/// Natural village → projects.
pub(super) async fn village_links(c: &mut PgConnection, which: Which<'_>) -> Result<Links> {
    let filter = which.of("natural_village_id");
    links(c, &format!("SELECT natural_village_id, project_id FROM project_natural_villages WHERE {filter}"))
        .await
}
/// Road segment → projects.
pub(super) async fn segment_links(c: &mut PgConnection, which: Which<'_>) -> Result<Links> {
    let filter = which.of("segment_id");
    links(c, &format!("SELECT segment_id, project_id FROM project_segments WHERE {filter}")).await
}
/// Water scheme → projects.
pub(super) async fn scheme_links(c: &mut PgConnection, which: Which<'_>) -> Result<Links> {
    let filter = which.of("scheme_id");
    links(c, &format!("SELECT scheme_id, project_id FROM project_water_schemes WHERE {filter}")).await
}

/// What each of some projects concerns: natural villages, segments, schemes.
pub(super) async fn things_of_projects(c: &mut PgConnection, projects: &[Uuid]) -> Result<[Links; 3]> {
    let filter = Which::Only(projects).of("project_id");
    let of = |column: &str, table: &str| format!("SELECT project_id, {column} FROM {table} WHERE {filter}");
    Ok([
        links(c, &of("natural_village_id", "project_natural_villages")).await?,
        links(c, &of("segment_id", "project_segments")).await?,
        links(c, &of("scheme_id", "project_water_schemes")).await?,
    ])
}

/// A row of `natural_villages` with its newest facts.
pub(super) struct VillageRow {
    pub id: Uuid,
    pub fid: u64,
    pub code: Arc<str>,
    pub name: Arc<str>,
    pub village_id: Uuid,
    pub place: WorldPoint,
    pub valid_from: Day,
    pub valid_to: Day,
    pub households: Option<i32>,
    pub people: Option<i32>,
    pub counted: bool,
}

pub(super) async fn natural_villages(c: &mut PgConnection, which: Which<'_>) -> Result<Vec<VillageRow>> {
    let mut facts: HashMap<Uuid, (Option<i32>, Option<i32>)> = HashMap::new();
    let query = format!(
        "SELECT DISTINCT ON (natural_village_id) natural_village_id, households, people \
         FROM natural_village_facts WHERE voided_at IS NULL AND {} \
         ORDER BY natural_village_id, effective_on DESC, recorded_at DESC",
        which.of("natural_village_id")
    );
    for_each_row(c, &query, |r| {
        facts.insert(r.uuid()?, (r.i32_or_null()?, r.i32_or_null()?));
        Ok(())
    })
    .await?;
    let mut counted: HashSet<Uuid> = HashSet::new();
    let query = format!(
        "SELECT natural_village_id FROM denominator_members m JOIN denominators d ON d.id = m.denominator_id \
         WHERE d.name = coalesce((SELECT value ->> 'denominator' FROM settings WHERE key = 'programme' \
         ORDER BY effective_on DESC, recorded_at DESC LIMIT 1), 'natural_village_20') AND {}",
        which.of("natural_village_id")
    );
    for_each_row(c, &query, |r| {
        counted.insert(r.uuid()?);
        Ok(())
    })
    .await?;
    let mut rows = Vec::new();
    let query = format!(
        "SELECT id, fid, code, name, village_id, geom, valid_from, valid_to FROM natural_villages WHERE {}",
        which.of("id")
    );
    for_each_row(c, &query, |r| {
        let id = r.uuid()?;
        let (households, people) = facts.get(&id).copied().unwrap_or_default();
        rows.push(VillageRow {
            id,
            fid: r.i64()? as u64,
            code: r.text()?.into(),
            name: r.text()?.into(),
            village_id: r.uuid()?,
            place: wkb::point(r.bytes()?.context("geometry is null")?)?,
            valid_from: r.day()?,
            valid_to: r.day_or_null()?.unwrap_or(OPEN),
            households,
            people,
            counted: counted.contains(&id),
        });
        Ok(())
    })
    .await?;
    Ok(rows)
}

/// Standing service states by natural village.
pub(super) async fn service_rows(
    c: &mut PgConnection,
    which: Which<'_>,
) -> Result<HashMap<Uuid, Vec<ServiceRow>>> {
    let mut map: HashMap<Uuid, Vec<ServiceRow>> = HashMap::new();
    let query = format!(
        "SELECT natural_village_id, service, effective_on, (extract(epoch FROM recorded_at) * 1000000)::int8, \
         served, approved_at IS NOT NULL FROM service_states WHERE voided_at IS NULL AND {}",
        which.of("natural_village_id")
    );
    for_each_row(c, &query, |r| {
        map.entry(r.uuid()?).or_default().push(ServiceRow {
            service: Service::parse(r.text()?).context("unknown service")?,
            effective_on: r.day()?,
            recorded_at: r.i64()?,
            served: r.bool()?,
            approved: r.bool()?,
        });
        Ok(())
    })
    .await?;
    Ok(map)
}

/// A row of `water_schemes`.
pub(super) struct SchemeRow {
    pub id: Uuid,
    pub fid: u64,
    pub area_id: Uuid,
    pub name: Arc<str>,
    pub kind: Arc<str>,
    pub people: Option<i32>,
    pub place: WorldPoint,
    pub valid_from: Day,
    pub valid_to: Day,
}

pub(super) async fn schemes(c: &mut PgConnection, which: Which<'_>) -> Result<Vec<SchemeRow>> {
    let mut rows = Vec::new();
    let query = format!(
        "SELECT id, fid, area_id, name, scheme_type, design_people, geom, valid_from, valid_to \
         FROM water_schemes WHERE {}",
        which.of("id")
    );
    for_each_row(c, &query, |r| {
        rows.push(SchemeRow {
            id: r.uuid()?,
            fid: r.i64()? as u64,
            area_id: r.uuid()?,
            name: r.text()?.into(),
            kind: r.text()?.into(),
            people: r.i32_or_null()?,
            place: wkb::point(r.bytes()?.context("geometry is null")?)?,
            valid_from: r.day()?,
            valid_to: r.day_or_null()?.unwrap_or(OPEN),
        });
        Ok(())
    })
    .await?;
    Ok(rows)
}

/// Cheap sums that tell whether the map still equals the tables: see [`super::tally::Tally`].
pub(super) const TALLY: &str = "SELECT \
    (SELECT count(*) FROM projects)::int8, \
    (SELECT coalesce(sum(version::int8 * (fid % 8191 + 1)), 0) FROM projects)::int8, \
    (SELECT count(*) FROM natural_villages)::int8, \
    (SELECT count(*) FROM service_states WHERE voided_at IS NULL)::int8, \
    (SELECT count(*) FROM service_states WHERE voided_at IS NULL AND approved_at IS NOT NULL)::int8, \
    (SELECT count(*) FROM project_revisions WHERE voided_at IS NULL)::int8, \
    (SELECT count(*) FROM project_revisions WHERE voided_at IS NULL AND approved_at IS NOT NULL)::int8, \
    (SELECT count(*) FROM road_segments)::int8, \
    (SELECT count(*) FROM water_schemes)::int8";
