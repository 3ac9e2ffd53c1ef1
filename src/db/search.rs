//! Where the things that a search found lie.

use std::collections::HashMap;

use sqlx::{PgPool, Row};
use uuid::Uuid;

use super::areas::{self, Ground};
use super::ledger::{Hit, HitKind};
use crate::error::Result;

/// Half the width of the view of a single point, in degrees: about 500 m.
const AROUND: f64 = 0.005;

/// Centers and boxes of hits. The public does not learn where a waterworks or a home lies: such a
/// project is where its area is.
pub async fn grounds(pool: &PgPool, hits: &[Hit], public: bool) -> Result<HashMap<Uuid, Ground>> {
    let ids = |kind| hits.iter().filter(|h| h.kind == kind).map(|h| h.id).collect::<Vec<Uuid>>();
    let mut grounds = HashMap::with_capacity(hits.len());

    let of_areas = ids(HitKind::Area);
    if !of_areas.is_empty() {
        let rows = sqlx::query("SELECT id, fid FROM areas WHERE id = ANY($1)")
            .bind(&of_areas)
            .fetch_all(pool)
            .await?;
        let mut fids = HashMap::new();
        for row in rows {
            fids.insert(row.try_get::<i64, _>("fid")?, row.try_get::<Uuid, _>("id")?);
        }
        let keys: Vec<i64> = fids.keys().copied().collect();
        for (fid, ground) in areas::grounds(pool, &keys).await? {
            if let Some(&id) = fids.get(&fid) {
                grounds.insert(id, ground);
            }
        }
    }

    let of_villages = ids(HitKind::NaturalVillage);
    if !of_villages.is_empty() {
        let rows = sqlx::query(
            "SELECT id, ST_X(geom) AS x, ST_Y(geom) AS y FROM natural_villages WHERE id = ANY($1)",
        )
        .bind(&of_villages)
        .fetch_all(pool)
        .await?;
        for row in rows {
            grounds.insert(row.try_get("id")?, around(row.try_get("x")?, row.try_get("y")?));
        }
    }

    let of_projects = ids(HitKind::Project);
    if !of_projects.is_empty() {
        let rows = super::projects::grounds(pool, &of_projects, public).await?;
        grounds.extend(rows);
    }
    Ok(grounds)
}

/// The view around a point.
pub(super) fn around(x: f64, y: f64) -> Ground {
    let r = areas::rounded;
    Ground {
        bbox: Some([r(x - AROUND), r(y - AROUND), r(x + AROUND), r(y + AROUND)]),
        center: Some([r(x), r(y)]),
    }
}
