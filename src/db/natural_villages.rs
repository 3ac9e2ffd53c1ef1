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

/// Which natural villages.
#[derive(Debug, Clone)]
pub enum Which<'a> {
    /// All in the subtree of an area, by its path.
    Below(&'a str),
    /// One.
    One(Uuid),
}

/// Natural villages with their services as of `day`, in code order. `denominator` names the list
/// whose members count.
pub async fn find(
    pool: &PgPool,
    which: &Which<'_>,
    denominator: &str,
    day: NaiveDate,
) -> Result<Vec<NaturalVillage>> {
    macro_rules! select {
        ($where:literal) => {
            sqlx::query(concat!(
                "WITH v AS MATERIALIZED (
                   SELECT v.id, v.fid, v.code, v.name, v.geom, a.code AS village_code, a.short_name AS village_name
                     FROM natural_villages v JOIN areas a ON a.id = v.village_id
                    WHERE v.valid_from <= $2 AND (v.valid_to IS NULL OR v.valid_to > $2) AND ",
                $where,
                "), newest AS (
                   SELECT natural_village_id AS id,
                          jsonb_object_agg(service, jsonb_build_object('served', served, 'on', effective_on)) AS states
                     FROM (SELECT DISTINCT ON (s.natural_village_id, s.service)
                                  s.natural_village_id, s.service, s.served, s.effective_on
                             FROM v JOIN service_states s ON s.natural_village_id = v.id
                            WHERE s.effective_on <= $2 AND s.voided_at IS NULL
                            ORDER BY s.natural_village_id, s.service, s.effective_on DESC, s.recorded_at DESC) s
                    GROUP BY 1
                 ), approved AS (
                   SELECT natural_village_id AS id,
                          jsonb_object_agg(service, jsonb_build_object('served', served, 'on', effective_on)) AS states
                     FROM (SELECT DISTINCT ON (s.natural_village_id, s.service)
                                  s.natural_village_id, s.service, s.served, s.effective_on
                             FROM v JOIN service_states s ON s.natural_village_id = v.id
                            WHERE s.effective_on <= $2 AND s.voided_at IS NULL AND s.approved_at IS NOT NULL
                            ORDER BY s.natural_village_id, s.service, s.effective_on DESC, s.recorded_at DESC) s
                    GROUP BY 1
                 ), facts AS (
                   SELECT DISTINCT ON (f.natural_village_id) f.natural_village_id AS id, f.households, f.people
                     FROM v JOIN natural_village_facts f ON f.natural_village_id = v.id
                    WHERE f.effective_on <= $2 AND f.voided_at IS NULL
                    ORDER BY f.natural_village_id, f.effective_on DESC, f.recorded_at DESC
                 ), serving AS (
                   SELECT l.natural_village_id AS id, array_agg(l.project_id ORDER BY l.project_id) AS projects
                     FROM v JOIN project_natural_villages l ON l.natural_village_id = v.id GROUP BY 1
                 ), counted AS (
                   SELECT m.natural_village_id AS id
                     FROM denominators d JOIN denominator_members m ON m.denominator_id = d.id
                     JOIN v ON v.id = m.natural_village_id WHERE d.name = $3)
                 SELECT v.id, v.fid, v.code, v.name, v.village_code, v.village_name, ST_X(v.geom) AS x, ST_Y(v.geom) AS y,
                        facts.households, facts.people, counted.id IS NOT NULL AS counted,
                        newest.states AS reported, approved.states AS approved, serving.projects
                   FROM v LEFT JOIN newest USING (id) LEFT JOIN approved USING (id) LEFT JOIN facts USING (id)
                   LEFT JOIN serving USING (id) LEFT JOIN counted USING (id)
                  ORDER BY v.code"
            ))
        };
    }
    let query = match which {
        Which::Below(path) => {
            select!("a.path ~>=~ $1 AND a.path ~<~ (left($1, -1) || '0')").bind(*path)
        }
        Which::One(id) => select!("v.id = $1").bind(*id),
    };
    let rows = query.bind(day).bind(denominator).fetch_all(pool).await?;
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
        projects: r.try_get::<Option<Vec<Uuid>>, _>("projects")?.unwrap_or_default(),
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
