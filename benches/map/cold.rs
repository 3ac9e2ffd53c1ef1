//! Cold tiles, thinning off on both sides: the Atlas against ST_AsMVT over the same rows.

use std::time::{Duration, Instant};

use cuntong::map::schema::Layer;
use cuntong::map::timeline::day_of;
use sqlx::Executor;
use tiles::{Options, Scope, TileId};

use super::{Bench, ms, quantile};

/// The rows that both sides draw, as PostgreSQL likes them best: one state per row, geometry
/// already in 3857, a packed index, everything in memory after the first touch.
const ROWS: &str = "
  DROP SCHEMA IF EXISTS bench CASCADE;
  CREATE SCHEMA bench;
  CREATE UNLOGGED TABLE bench.road AS
    SELECT s.fid, ST_Transform(s.geom, 3857) AS geom, t.road_class AS class,
           left(t.route_code, -6) AS route, t.route_name AS name, t.surface,
           t.surface_width_m::float8 AS width, CASE WHEN t.hardened THEN 'done' ELSE 'gap' END AS status,
           round((s.length_m / 1000)::numeric, 2)::float8 AS km, left(a.code, 6) AS county
      FROM road_segments s JOIN areas a ON a.id = s.area_id
      LEFT JOIN LATERAL (SELECT * FROM road_segment_states t WHERE t.segment_id = s.id AND t.voided_at IS NULL
                          ORDER BY effective_on DESC, recorded_at DESC LIMIT 1) t ON true
     ORDER BY ST_GeoHash(ST_StartPoint(s.geom));
  CREATE INDEX ON bench.road USING gist (geom);
  CREATE UNLOGGED TABLE bench.natural_village AS
    SELECT v.fid, ST_Transform(v.geom, 3857) AS geom, v.code, v.name, a.code AS village, left(a.code, 6) AS county,
           left(a.code, 4) AS city, 1 AS counted, 1 AS reached, 1 AS reached_ok, 'done' AS status, 'done' AS status_ok,
           1 AS water, 1 AS water_ok, f.households, f.people
      FROM natural_villages v JOIN areas a ON a.id = v.village_id
      LEFT JOIN LATERAL (SELECT households, people FROM natural_village_facts f WHERE f.natural_village_id = v.id
                          ORDER BY effective_on DESC LIMIT 1) f ON true
     ORDER BY ST_GeoHash(v.geom);
  CREATE INDEX ON bench.natural_village USING gist (geom);
  ANALYZE bench.road; ANALYZE bench.natural_village;";

const TILE: &str = "
  WITH bounds AS (SELECT ST_TileEnvelope($1, $2, $3) AS env,
                         ST_Expand(ST_TileEnvelope($1, $2, $3), 40075016.685578488 / (1 << $1) * 64 / 4096) AS wide),
       road AS (SELECT ST_AsMVT(t, 'road', 4096, 'geom', 'fid') AS mvt, count(t.geom) AS n FROM (
         SELECT ST_AsMVTGeom(r.geom, env, 4096, 64, true) AS geom, fid, class, route, name, surface, width, status, km, county
           FROM bench.road r, bounds WHERE r.geom && wide) t WHERE t.geom IS NOT NULL),
       village AS (SELECT ST_AsMVT(t, 'natural_village', 4096, 'geom', 'fid') AS mvt, count(t.geom) AS n FROM (
         SELECT ST_AsMVTGeom(v.geom, env, 4096, 64, true) AS geom, fid, code, name, village, county, city, counted,
                reached, reached_ok, status, status_ok, water, water_ok, households, people
           FROM bench.natural_village v, bounds WHERE v.geom && wide) t WHERE t.geom IS NOT NULL)
  SELECT road.mvt || village.mvt, road.n + village.n FROM road, village";

pub async fn run(bench: &Bench) -> anyhow::Result<()> {
    let mut owner = bench.database.connect_owner().await?;
    owner.execute(ROWS).await?;
    let day = day_of(bench.clock.business_date());
    let snapshot = std::sync::Arc::clone(&bench.map.published().snapshot);
    let layers = [Layer::Road.index(), Layer::NaturalVillage.index()];
    println!(
        "\nCold tiles, roads and natural villages, thinning off on both sides, not compressed (median ms)"
    );
    println!("zoom tiles   ST_AsMVT      Atlas   times  features SQL = Atlas   bytes SQL / Atlas");
    for z in 6..=14_u8 {
        let tiles = bench.tiles(z, if z <= 8 { 12 } else { 40 });
        let (mut sql, mut atlas) = (Vec::new(), Vec::new());
        let (mut sql_features, mut our_features, mut sql_bytes, mut our_bytes) = (0_i64, 0_i64, 0, 0);
        for &tile in &tiles {
            let (bytes, features) = by_sql(&mut owner, tile).await?; // the first touch warms the pages
            let begun = Instant::now();
            by_sql(&mut owner, tile).await?;
            sql.push(begun.elapsed());
            sql_features += features;
            sql_bytes += bytes;
            let begun = Instant::now();
            let encoded = tiles::encode_tile(&snapshot, &layers, tile, &Options::exact(day, Scope::STAFF));
            atlas.push(begun.elapsed());
            our_features += encoded.features.iter().map(|n| i64::from(*n)).sum::<i64>();
            our_bytes += encoded.bytes.len();
        }
        sql.sort();
        atlas.sort();
        let (s, a): (Duration, Duration) = (quantile(&sql, 0.5), quantile(&atlas, 0.5));
        println!(
            "{z:>4} {:>5} {:>10.2} {:>10.3} {:>7.1}  {sql_features:>10} {} {our_features:<10} {:>7} / {} KB",
            tiles.len(),
            ms(s),
            ms(a),
            s.as_secs_f64() / a.as_secs_f64().max(1e-9),
            if sql_features == our_features { "=" } else { "≠" },
            sql_bytes / 1024,
            our_bytes / 1024,
        );
    }
    owner.execute("DROP SCHEMA bench CASCADE").await?;
    Ok(())
}

async fn by_sql(owner: &mut sqlx::PgConnection, tile: TileId) -> anyhow::Result<(usize, i64)> {
    let (bytes, features): (Vec<u8>, i64) = sqlx::query_as(TILE)
        .bind(i32::from(tile.z()))
        .bind(tile.x() as i32)
        .bind(tile.y() as i32)
        .fetch_one(owner)
        .await?;
    Ok((bytes.len(), features))
}
