//! Natural villages with what serves them, as of a day and in both readings.

use std::collections::HashMap;

use chrono::NaiveDate;
use serde::Deserialize;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{PgPool, Row};
use uuid::Uuid;

use super::areas::rounded;
use crate::error::Result;

/// A service that a natural village has, or has lost, from a day on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct ServiceState {
    /// It has it.
    pub served: bool,
    /// From this day.
    pub on: NaiveDate,
}

/// A natural village as of a day.
#[derive(Debug, Clone)]
pub struct NaturalVillage {
    /// Identity.
    pub id: Uuid,
    /// Feature id in tiles.
    pub fid: i64,
    /// Code of ours.
    pub code: String,
    /// Name.
    pub name: String,
    /// Code of its administrative village.
    pub village_code: String,
    /// Name of its administrative village.
    pub village_name: String,
    /// Households; unknown is not 0.
    pub households: Option<i32>,
    /// People; unknown is not 0.
    pub people: Option<i32>,
    /// Member of the denominator list.
    pub counted: bool,
    /// Longitude, latitude.
    pub center: [f64; 2],
    /// Newest standing state of each service (上报数).
    pub reported: HashMap<String, ServiceState>,
    /// Newest approved state of each service (审核数).
    pub approved: HashMap<String, ServiceState>,
    /// Projects of any sector that serve it.
    pub projects: Vec<Uuid>,
}

/// A natural village, as filters need it.
#[derive(Debug, Clone)]
pub struct Slim {
    /// Identity.
    pub id: Uuid,
    /// Code of ours.
    pub code: String,
    /// Member of the denominator list.
    pub counted: bool,
    /// Reached by a hardened road.
    pub reached: bool,
    /// Projects of any sector that serve it.
    pub projects: Vec<Uuid>,
}

/// All natural villages in the subtree of `path` as of `day`, in code order, slim. `denominator`
/// names the list whose members count.
pub async fn below(
    pool: &PgPool,
    path: &str,
    denominator: &str,
    day: NaiveDate,
    approved_only: bool,
) -> Result<Vec<Slim>> {
    // Sub-selects by index for each village: joins would hash whole tables for one town's list.
    let rows = sqlx::query(
        "SELECT v.id, v.code,
                EXISTS (SELECT 1 FROM denominators d JOIN denominator_members m ON m.denominator_id = d.id
                         WHERE d.name = $3 AND m.natural_village_id = v.id) AS counted,
                coalesce((SELECT s.served FROM service_states s
                           WHERE s.natural_village_id = v.id AND s.service = 'road' AND s.effective_on <= $2
                             AND s.voided_at IS NULL AND (s.approved_at IS NOT NULL OR NOT $4)
                           ORDER BY s.effective_on DESC, s.recorded_at DESC LIMIT 1), false) AS reached,
                ARRAY(SELECT l.project_id FROM project_natural_villages l WHERE l.natural_village_id = v.id) AS projects
           FROM areas a JOIN natural_villages v ON v.village_id = a.id
          WHERE a.path ~>=~ $1 AND a.path ~<~ (left($1, -1) || '0')
            AND v.valid_from <= $2 AND (v.valid_to IS NULL OR v.valid_to > $2)
          ORDER BY v.code",
    )
    .bind(path)
    .bind(day)
    .bind(denominator)
    .bind(approved_only)
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|r| {
            Ok(Slim {
                id: r.try_get("id")?,
                code: r.try_get("code")?,
                counted: r.try_get("counted")?,
                reached: r.try_get("reached")?,
                projects: r.try_get("projects")?,
            })
        })
        .collect()
}

/// Natural villages with all their services as of `day`, in code order.
pub async fn find(
    pool: &PgPool,
    ids: &[Uuid],
    denominator: &str,
    day: NaiveDate,
) -> Result<Vec<NaturalVillage>> {
    macro_rules! states {
        ($and:literal) => {
            concat!(
                "(SELECT jsonb_object_agg(service, jsonb_build_object('served', served, 'on', effective_on))
                    FROM (SELECT DISTINCT ON (s.service) s.service, s.served, s.effective_on FROM service_states s
                           WHERE s.natural_village_id = v.id AND s.effective_on <= $2 AND s.voided_at IS NULL ",
                $and,
                " ORDER BY s.service, s.effective_on DESC, s.recorded_at DESC) s)"
            )
        };
    }
    let rows = sqlx::query(concat!(
        "SELECT v.id, v.fid, v.code, v.name, a.code AS village_code, a.short_name AS village_name,
                ST_X(v.geom) AS x, ST_Y(v.geom) AS y, f.households, f.people,
                EXISTS (SELECT 1 FROM denominators d JOIN denominator_members m ON m.denominator_id = d.id
                         WHERE d.name = $3 AND m.natural_village_id = v.id) AS counted, ",
        states!(""),
        " AS reported, ",
        states!("AND s.approved_at IS NOT NULL"),
        " AS approved,
                ARRAY(SELECT l.project_id FROM project_natural_villages l WHERE l.natural_village_id = v.id
                       ORDER BY l.project_id) AS projects
           FROM natural_villages v JOIN areas a ON a.id = v.village_id
           LEFT JOIN LATERAL (
             SELECT households, people FROM natural_village_facts f
              WHERE f.natural_village_id = v.id AND f.effective_on <= $2 AND f.voided_at IS NULL
              ORDER BY f.effective_on DESC, f.recorded_at DESC LIMIT 1) f ON true
          WHERE v.id = ANY($1) AND v.valid_from <= $2 AND (v.valid_to IS NULL OR v.valid_to > $2)
          ORDER BY v.code"
    ))
    .bind(ids)
    .bind(day)
    .bind(denominator)
    .fetch_all(pool)
    .await?;
    rows.iter().map(natural_village).collect()
}

fn natural_village(r: &PgRow) -> Result<NaturalVillage> {
    type States = Option<Json<HashMap<String, ServiceState>>>;
    let states = |name| r.try_get::<States, _>(name).map(|s| s.map(|Json(s)| s).unwrap_or_default());
    Ok(NaturalVillage {
        id: r.try_get("id")?,
        fid: r.try_get("fid")?,
        code: r.try_get("code")?,
        name: r.try_get("name")?,
        village_code: r.try_get("village_code")?,
        village_name: r.try_get("village_name")?,
        households: r.try_get("households")?,
        people: r.try_get("people")?,
        counted: r.try_get("counted")?,
        center: [rounded(r.try_get("x")?), rounded(r.try_get("y")?)],
        reported: states("reported")?,
        approved: states("approved")?,
        projects: r.try_get("projects")?,
    })
}

/// Length in km of what is not hardened on the way to each of these natural villages: the
/// segments of its road projects that are not, or else, when it has none, the segments that
/// begin or end at its access node. A village without either has no entry.
///
/// The definition is simple on purpose; the road network itself answers where the gap is once the
/// preferred route (优选通达路线) is kept.
pub async fn gaps_km(pool: &PgPool, ids: &[Uuid], day: NaiveDate) -> Result<HashMap<Uuid, f64>> {
    let rows = sqlx::query(
        "WITH asked AS (SELECT v.id, v.access_node FROM natural_villages v WHERE v.id = ANY($1)),
         own AS (
           SELECT DISTINCT asked.id, l.segment_id
             FROM asked JOIN project_natural_villages n ON n.natural_village_id = asked.id
             JOIN projects p ON p.id = n.project_id AND p.sector = 'road' AND p.state <> 'cancelled'
             JOIN project_segments l ON l.project_id = p.id),
         near AS (
           SELECT asked.id, g.id AS segment_id FROM asked JOIN road_segments g ON g.from_node = asked.access_node
            WHERE NOT EXISTS (SELECT 1 FROM own WHERE own.id = asked.id)
           UNION
           SELECT asked.id, g.id FROM asked JOIN road_segments g ON g.to_node = asked.access_node
            WHERE NOT EXISTS (SELECT 1 FROM own WHERE own.id = asked.id))
         SELECT w.id, sum(g.length_m) / 1000 AS km
           FROM (SELECT id, segment_id FROM own UNION ALL SELECT id, segment_id FROM near) w
           JOIN road_segments g ON g.id = w.segment_id
           LEFT JOIN LATERAL (
             SELECT hardened FROM road_segment_states s
              WHERE s.segment_id = g.id AND s.effective_on <= $2 AND s.voided_at IS NULL
              ORDER BY s.effective_on DESC, s.recorded_at DESC LIMIT 1) s ON true
          WHERE s.hardened IS NOT TRUE AND (g.valid_to IS NULL OR g.valid_to > $2)
          GROUP BY w.id",
    )
    .bind(ids)
    .bind(day)
    .fetch_all(pool)
    .await?;
    let mut gaps = HashMap::with_capacity(rows.len());
    for row in rows {
        let km: f64 = row.try_get("km")?;
        gaps.insert(row.try_get("id")?, (km * 100.0).round() / 100.0);
    }
    Ok(gaps)
}
