//! Road segments and their states, as [`super::source`] reads everything else.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use anyhow::Context;
use sqlx::PgConnection;
use tiles::Geometry;
use uuid::Uuid;

use super::copy::for_each_row;
use super::source::Which;
use super::timeline::{Day, OPEN};
use super::wkb;
use crate::error::Result;

/// A row of `road_segments`.
pub(super) struct SegmentRow {
    pub id: Uuid,
    pub fid: u64,
    pub area_id: Uuid,
    pub geometry: Geometry,
    pub length_m: f64,
    pub valid_from: Day,
    pub valid_to: Day,
}

pub(super) async fn segments(c: &mut PgConnection, which: Which<'_>) -> Result<Vec<SegmentRow>> {
    let mut rows = Vec::new();
    let query = format!(
        "SELECT id, fid, area_id, geom, length_m, valid_from, valid_to FROM road_segments WHERE {}",
        which.of("id")
    );
    for_each_row(c, &query, |r| {
        rows.push(SegmentRow {
            id: r.uuid()?,
            fid: r.i64()? as u64,
            area_id: r.uuid()?,
            geometry: wkb::geometry(r.bytes()?.context("geometry is null")?)?,
            length_m: r.f64_or_null()?.unwrap_or_default(),
            valid_from: r.day()?,
            valid_to: r.day_or_null()?.unwrap_or(OPEN),
        });
        Ok(())
    })
    .await?;
    Ok(rows)
}

/// A standing row of `road_segment_states`.
#[derive(Clone)]
pub(super) struct SegmentState {
    pub effective_on: Day,
    pub recorded_at: i64,
    pub class: Arc<str>,
    /// Y419, without the county.
    pub route: Option<Arc<str>>,
    pub name: Option<Arc<str>>,
    pub surface: Arc<str>,
    pub hardened: bool,
    pub width_m: Option<f64>,
}

/// Keeps one copy of a text that occurs often.
#[derive(Default)]
struct Words(HashSet<Arc<str>>);

impl Words {
    fn get(&mut self, word: &str) -> Arc<str> {
        if let Some(known) = self.0.get(word) {
            return Arc::clone(known);
        }
        let new: Arc<str> = word.into();
        self.0.insert(Arc::clone(&new));
        new
    }
}

pub(super) async fn segment_states(
    c: &mut PgConnection,
    which: Which<'_>,
) -> Result<HashMap<Uuid, Vec<SegmentState>>> {
    let mut map: HashMap<Uuid, Vec<SegmentState>> = HashMap::new();
    let mut words = Words::default();
    let query = format!(
        "SELECT segment_id, effective_on, (extract(epoch FROM recorded_at) * 1000000)::int8, road_class, \
         route_code, route_name, surface, hardened, surface_width_m::float8 \
         FROM road_segment_states WHERE voided_at IS NULL AND {}",
        which.of("segment_id")
    );
    for_each_row(c, &query, |r| {
        map.entry(r.uuid()?).or_default().push(SegmentState {
            effective_on: r.day()?,
            recorded_at: r.i64()?,
            class: words.get(r.text()?),
            // The last six characters name the county.
            route: r
                .text_or_null()?
                .map(|code| words.get(code.get(..code.len().saturating_sub(6)).unwrap_or(code))),
            name: r.text_or_null()?.map(|name| words.get(name)),
            surface: words.get(r.text()?),
            hardened: r.bool()?,
            width_m: r.f64_or_null()?,
        });
        Ok(())
    })
    .await?;
    for states in map.values_mut() {
        states.sort_by_key(|s| (s.effective_on, s.recorded_at));
    }
    Ok(map)
}
