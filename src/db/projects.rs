//! Projects as people read them: rows of a page, and everything about one.

use std::collections::HashMap;

use chrono::NaiveDate;
use serde_json::Value;
use sqlx::{PgConnection, PgPool, Row};
use uuid::Uuid;

use super::areas::{Ground, rounded};
use crate::error::Result;

/// Sectors whose places are not public: intakes and waterworks, homes and their destinations.
/// Such a project is shown to the public where its area is.
macro_rules! ground_columns {
    () => {
        "CASE WHEN $2 AND p.sector NOT IN ('road', 'clean_village') THEN a.seat ELSE ST_PointOnSurface(p.geom) END AS mid,
         CASE WHEN $2 AND p.sector NOT IN ('road', 'clean_village') THEN a.seat::box2d ELSE p.geom::box2d END AS box"
    };
}

/// What a page shows of a project beside the ledger's slim row.
#[derive(Debug, Clone)]
pub struct RowRest {
    /// Feature id in tiles.
    pub fid: i64,
    /// new, upgrade, …
    pub kind: String,
    /// Unit responsible.
    pub unit: Option<String>,
    /// Yuan; null is not stated.
    pub total_investment_yuan: Option<String>,
    /// Version for If-Match.
    pub version: i32,
    /// Where it lies.
    pub ground: Ground,
}

/// The rest of the rows of a page.
pub async fn rest_of_rows(pool: &PgPool, ids: &[Uuid], public: bool) -> Result<HashMap<Uuid, RowRest>> {
    let rows = sqlx::query(concat!(
        "SELECT id, fid, kind, unit, total_investment_yuan, version, ST_X(mid) AS x, ST_Y(mid) AS y,
                ST_XMin(box) AS w, ST_YMin(box) AS s, ST_XMax(box) AS e, ST_YMax(box) AS n
           FROM (SELECT p.id, p.fid, p.kind, u.name AS unit, p.total_investment_yuan::text, p.version, ",
        ground_columns!(),
        " FROM projects p JOIN areas a ON a.id = p.area_id LEFT JOIN units u ON u.id = p.unit_id
          WHERE p.id = ANY($1) OFFSET 0) rows"
    ))
    .bind(ids)
    .bind(public)
    .fetch_all(pool)
    .await?;
    let mut rest = HashMap::with_capacity(rows.len());
    for row in rows {
        let one = RowRest {
            fid: row.try_get("fid")?,
            kind: row.try_get("kind")?,
            unit: row.try_get("unit")?,
            total_investment_yuan: row.try_get("total_investment_yuan")?,
            version: row.try_get("version")?,
            ground: ground(&row)?,
        };
        rest.insert(row.try_get("id")?, one);
    }
    Ok(rest)
}

/// Where projects lie.
pub async fn grounds(pool: &PgPool, ids: &[Uuid], public: bool) -> Result<Vec<(Uuid, Ground)>> {
    let rest = rest_of_rows(pool, ids, public).await?;
    Ok(rest.into_iter().map(|(id, r)| (id, r.ground)).collect())
}

fn ground(row: &sqlx::postgres::PgRow) -> Result<Ground> {
    let side = |name| row.try_get::<Option<f64>, _>(name).map(|v| v.map(rounded));
    let bbox = match (side("w")?, side("s")?, side("e")?, side("n")?) {
        (Some(w), Some(s), Some(e), Some(n)) => Some([w, s, e, n]),
        _ => None,
    };
    Ok(Ground { bbox, center: side("x")?.zip(side("y")?).map(|(x, y)| [x, y]) })
}

/// What only the detail of a project shows.
#[derive(Debug, Clone)]
pub struct Detail {
    /// Post or officer responsible.
    pub responsible: Option<String>,
    /// Contractor.
    pub contractor: Option<String>,
    /// Number of the approval.
    pub approval_no: Option<String>,
    /// Date of the approval.
    pub approved_on: Option<NaiveDate>,
    /// Length that the document states.
    pub stated_length_km: Option<f64>,
    /// Length of the drawn line on the ellipsoid; none for points.
    pub drawn_length_km: Option<f64>,
    /// Yuan.
    pub invested_yuan: String,
    /// Yuan.
    pub paid_yuan: String,
    /// Completed on.
    pub completed_on: Option<NaiveDate>,
    /// Accepted on.
    pub accepted_on: Option<NaiveDate>,
    /// Fields of one sector.
    pub details: Value,
    /// GeoJSON geometry, six decimals.
    pub geometry: Option<Value>,
}

/// The detail of a project.
pub async fn detail(db: &mut PgConnection, id: Uuid) -> Result<Option<Detail>> {
    let row = sqlx::query(
        "SELECT responsible, contractor, approval_no, approved_on, stated_length_km::float8 AS stated,
                CASE WHEN GeometryType(geom) LIKE '%LINESTRING' THEN ST_Length(geom::geography) / 1000 END AS drawn,
                invested_yuan::text, paid_yuan::text, completed_on, accepted_on, details,
                ST_AsGeoJSON(geom, 6, 0)::jsonb AS geometry
           FROM projects WHERE id = $1",
    )
    .bind(id)
    .fetch_optional(db)
    .await?;
    row.map(|r| {
        let drawn: Option<f64> = r.try_get("drawn")?;
        Ok(Detail {
            responsible: r.try_get("responsible")?,
            contractor: r.try_get("contractor")?,
            approval_no: r.try_get("approval_no")?,
            approved_on: r.try_get("approved_on")?,
            stated_length_km: r.try_get("stated")?,
            drawn_length_km: drawn.map(|km| (km * 1000.0).round() / 1000.0),
            invested_yuan: r.try_get("invested_yuan")?,
            paid_yuan: r.try_get("paid_yuan")?,
            completed_on: r.try_get("completed_on")?,
            accepted_on: r.try_get("accepted_on")?,
            details: r.try_get("details")?,
            geometry: r.try_get("geometry")?,
        })
    })
    .transpose()
}

/// A quantity of a project: planned, and done by the newest standing report.
#[derive(Debug, Clone)]
pub struct QuantityDone {
    /// The item, as the sector lists it.
    pub item: super::settings::QuantityItem,
    /// Planned.
    pub planned: f64,
    /// Done, cumulative.
    pub done: f64,
}

/// Quantities of a project by its newest standing report, in the reported or only in the approved
/// reading.
pub async fn quantities(db: &mut PgConnection, id: Uuid, approved_only: bool) -> Result<Vec<QuantityDone>> {
    let rows = sqlx::query(
        "SELECT i.sector, i.item, i.name_zh, i.name_en, i.unit_zh, i.unit_en, i.decimals, i.weight::float8 AS weight,
                q.planned::float8 AS planned, coalesce(d.done, 0)::float8 AS done
           FROM project_quantities q
           JOIN quantity_items i ON i.sector = q.sector AND i.item = q.item
           LEFT JOIN progress_report_items d ON d.item = q.item AND d.report_id = (
             SELECT r.id FROM progress_reports r
              WHERE r.project_id = q.project_id AND r.voided_at IS NULL AND r.review_state <> 'returned'
                AND (r.review_state = 'approved' OR NOT $2)
              ORDER BY r.recorded_at DESC LIMIT 1)
          WHERE q.project_id = $1 ORDER BY i.ordinal",
    )
    .bind(id)
    .bind(approved_only)
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|r| {
            Ok(QuantityDone {
                item: super::settings::quantity_item(&r)?,
                planned: r.try_get("planned")?,
                done: r.try_get("done")?,
            })
        })
        .collect()
}

/// A point of the plan.
#[derive(Debug, Clone)]
pub struct Milestone {
    /// Name.
    pub milestone: String,
    /// Planned day.
    pub planned_on: NaiveDate,
    /// Planned cumulative percentage.
    pub planned_percent: f64,
}

/// Milestones of the newest plan.
pub async fn milestones(db: &mut PgConnection, id: Uuid) -> Result<Vec<Milestone>> {
    let rows = sqlx::query(
        "SELECT milestone, planned_on, planned_percent::float8 AS planned_percent FROM project_milestones
          WHERE project_id = $1
            AND plan_version = (SELECT max(plan_version) FROM project_milestones WHERE project_id = $1)
          ORDER BY ordinal",
    )
    .bind(id)
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|r| {
            Ok(Milestone {
                milestone: r.try_get("milestone")?,
                planned_on: r.try_get("planned_on")?,
                planned_percent: r.try_get("planned_percent")?,
            })
        })
        .collect()
}

/// Money from one source.
#[derive(Debug, Clone)]
pub struct Fund {
    /// central, province, city, county, pairing, social or own
    pub source: String,
    /// Yuan.
    pub allocated_yuan: String,
    /// Yuan.
    pub paid_yuan: String,
    /// Document that allocates it.
    pub document_no: String,
}

/// Funds of a project, and the sum allocated.
pub async fn funds(db: &mut PgConnection, id: Uuid) -> Result<(Vec<Fund>, Option<String>)> {
    let rows = sqlx::query(
        "SELECT source, allocated_yuan::text, paid_yuan::text, document_no,
                (sum(allocated_yuan) OVER ())::text AS total
           FROM project_funds WHERE project_id = $1 AND voided_at IS NULL ORDER BY effective_on, source",
    )
    .bind(id)
    .fetch_all(db)
    .await?;
    let total = rows.first().map(|r| r.try_get("total")).transpose()?;
    let funds = rows
        .into_iter()
        .map(|r| {
            Ok(Fund {
                source: r.try_get("source")?,
                allocated_yuan: r.try_get("allocated_yuan")?,
                paid_yuan: r.try_get("paid_yuan")?,
                document_no: r.try_get("document_no")?,
            })
        })
        .collect::<Result<_>>()?;
    Ok((funds, total))
}

/// A natural village that a project serves.
#[derive(Debug, Clone)]
pub struct Served {
    /// Identity.
    pub id: Uuid,
    /// Feature id in tiles.
    pub fid: i64,
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Households.
    pub households: Option<i32>,
    /// People.
    pub people: Option<i32>,
    /// Since when it has the project's service; `None`: it has not.
    pub since: Option<NaiveDate>,
    /// Longitude, latitude.
    pub center: [f64; 2],
}

/// Natural villages that a project serves, with the service of its sector as of a day.
pub async fn served(
    db: &mut PgConnection,
    id: Uuid,
    service: &str,
    day: NaiveDate,
    approved_only: bool,
) -> Result<Vec<Served>> {
    let rows = sqlx::query(
        "SELECT v.id, v.fid, v.code, v.name, f.households, f.people, ST_X(v.geom) AS x, ST_Y(v.geom) AS y,
                CASE WHEN s.served THEN s.effective_on END AS since
           FROM project_natural_villages l JOIN natural_villages v ON v.id = l.natural_village_id
           LEFT JOIN LATERAL (
             SELECT households, people FROM natural_village_facts f
              WHERE f.natural_village_id = v.id AND f.effective_on <= $3 AND f.voided_at IS NULL
              ORDER BY f.effective_on DESC, f.recorded_at DESC LIMIT 1) f ON true
           LEFT JOIN LATERAL (
             SELECT served, effective_on FROM service_states s
              WHERE s.natural_village_id = v.id AND s.service = $2 AND s.effective_on <= $3
                AND s.voided_at IS NULL AND (s.approved_at IS NOT NULL OR NOT $4)
              ORDER BY s.effective_on DESC, s.recorded_at DESC LIMIT 1) s ON true
          WHERE l.project_id = $1 ORDER BY v.code",
    )
    .bind(id)
    .bind(service)
    .bind(day)
    .bind(approved_only)
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|r| {
            Ok(Served {
                id: r.try_get("id")?,
                fid: r.try_get("fid")?,
                code: r.try_get("code")?,
                name: r.try_get("name")?,
                households: r.try_get("households")?,
                people: r.try_get("people")?,
                since: r.try_get("since")?,
                center: [rounded(r.try_get("x")?), rounded(r.try_get("y")?)],
            })
        })
        .collect()
}

/// A road segment that a project builds.
#[derive(Debug, Clone)]
pub struct Segment {
    /// Feature id in tiles.
    pub fid: i64,
    /// Y419, when it has a number.
    pub route: Option<String>,
    /// asphalt, concrete, simple, block, gravel or earth
    pub surface: Option<String>,
    /// Length on the ellipsoid.
    pub km: f64,
    /// Node at its beginning.
    pub from_node: i64,
    /// Node at its end.
    pub to_node: i64,
    /// 已硬化
    pub hardened: bool,
}

/// Segments of a project with their surface as of a day.
pub async fn segments(db: &mut PgConnection, id: Uuid, day: NaiveDate) -> Result<Vec<Segment>> {
    let rows = sqlx::query(
        "SELECT g.fid, s.route_code, s.surface, g.length_m, g.from_node, g.to_node, coalesce(s.hardened, false) AS hardened
           FROM project_segments l JOIN road_segments g ON g.id = l.segment_id
           LEFT JOIN LATERAL (
             SELECT route_code, surface, hardened FROM road_segment_states s
              WHERE s.segment_id = g.id AND s.effective_on <= $2 AND s.voided_at IS NULL
              ORDER BY s.effective_on DESC, s.recorded_at DESC LIMIT 1) s ON true
          WHERE l.project_id = $1 ORDER BY g.fid",
    )
    .bind(id)
    .bind(day)
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|r| {
            let code: Option<String> = r.try_get("route_code")?;
            let metres: f64 = r.try_get("length_m")?;
            Ok(Segment {
                fid: r.try_get("fid")?,
                route: code.map(short_route),
                surface: r.try_get("surface")?,
                km: metres.round() / 1000.0,
                from_node: r.try_get("from_node")?,
                to_node: r.try_get("to_node")?,
                hardened: r.try_get("hardened")?,
            })
        })
        .collect()
}

/// Y419441424 → Y419: the county's six digits are not said.
fn short_route(code: String) -> String {
    match code.len().checked_sub(6) {
        Some(end) if end >= 4 => code.get(..end).map_or(code.clone(), str::to_owned),
        _ => code,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_named_without_its_county() {
        assert_eq!(short_route("C123440224".into()), "C123");
        assert_eq!(short_route("YA12B440224".into()), "YA12B");
        assert_eq!(short_route("G4".into()), "G4");
    }
}
