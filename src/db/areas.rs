//! Areas: outline boxes, seats, and the facts of villages.

use std::collections::HashMap;

use chrono::NaiveDate;
use sqlx::{PgPool, Row};

use crate::error::Result;

/// West, south, east, north in degrees.
pub type Bbox = [f64; 4];

/// Where an area lies.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ground {
    /// Box of its outline, or of what lies in it when no outline is known.
    pub bbox: Option<Bbox>,
    /// Seat, or a point inside.
    pub center: Option<[f64; 2]>,
}

/// Five decimals are a metre: a center needs no more.
pub(super) fn rounded(degrees: f64) -> f64 {
    (degrees * 1e5).round() / 1e5
}

/// Boxes and centers of areas, by feature id.
pub async fn grounds(pool: &PgPool, fids: &[i64]) -> Result<HashMap<i64, Ground>> {
    // The box of an outline is read from its header; an area without one is as large as the
    // natural villages and seats in it.
    let rows = sqlx::query(
        "SELECT a.fid,
                coalesce(ST_XMin(b.box), ST_X(a.seat) - 0.01) AS w, coalesce(ST_YMin(b.box), ST_Y(a.seat) - 0.01) AS s,
                coalesce(ST_XMax(b.box), ST_X(a.seat) + 0.01) AS e, coalesce(ST_YMax(b.box), ST_Y(a.seat) + 0.01) AS n,
                coalesce(ST_X(a.seat), (ST_XMin(b.box) + ST_XMax(b.box)) / 2) AS x,
                coalesce(ST_Y(a.seat), (ST_YMin(b.box) + ST_YMax(b.box)) / 2) AS y
           FROM areas a
           LEFT JOIN LATERAL (
             SELECT CASE WHEN a.geom IS NOT NULL THEN a.geom::box2d ELSE (
               SELECT ST_Extent(coalesce(v.geom, below.seat)) FROM areas below
                 LEFT JOIN natural_villages v ON v.village_id = below.id
                WHERE below.path ~>=~ a.path AND below.path ~<~ (left(a.path, -1) || '0')
             )::box2d END AS box
           ) b ON true
          WHERE a.fid = ANY($1)",
    )
    .bind(fids)
    .fetch_all(pool)
    .await?;
    let mut grounds = HashMap::with_capacity(rows.len());
    for row in rows {
        let side = |name| row.try_get::<Option<f64>, _>(name).map(|v| v.map(rounded));
        let bbox = match (side("w")?, side("s")?, side("e")?, side("n")?) {
            (Some(w), Some(s), Some(e), Some(n)) => Some([w, s, e, n]),
            _ => None,
        };
        let center = side("x")?.zip(side("y")?).map(|(x, y)| [x, y]);
        grounds.insert(row.try_get("fid")?, Ground { bbox, center });
    }
    Ok(grounds)
}

/// What is known of an administrative village on a day.
#[derive(Debug, Clone)]
pub struct VillageFacts {
    /// 相对贫困村
    pub poor: bool,
    /// 革命老区
    pub old_revolutionary: bool,
    /// 帮扶单位
    pub helper_unit: Option<String>,
    /// Households; unknown is not 0.
    pub households: Option<i32>,
    /// People; unknown is not 0.
    pub people: Option<i32>,
    /// Since when it is true.
    pub effective_on: NaiveDate,
    /// Where it comes from.
    pub source: String,
}

/// The facts of a village on a day.
pub async fn village_facts(pool: &PgPool, fid: i64, day: NaiveDate) -> Result<Option<VillageFacts>> {
    let row = sqlx::query(
        "SELECT f.poor, f.old_revolutionary, f.helper_unit, f.households, f.people, f.effective_on, f.source
           FROM village_facts f JOIN areas a ON a.id = f.area_id
          WHERE a.fid = $1 AND f.effective_on <= $2 AND f.voided_at IS NULL
          ORDER BY f.effective_on DESC, f.recorded_at DESC LIMIT 1",
    )
    .bind(fid)
    .bind(day)
    .fetch_optional(pool)
    .await?;
    row.map(|r| {
        Ok(VillageFacts {
            poor: r.try_get("poor")?,
            old_revolutionary: r.try_get("old_revolutionary")?,
            helper_unit: r.try_get("helper_unit")?,
            households: r.try_get("households")?,
            people: r.try_get("people")?,
            effective_on: r.try_get("effective_on")?,
            source: r.try_get("source")?,
        })
    })
    .transpose()
}
