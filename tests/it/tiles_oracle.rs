//! The oracle: with thinning off the Atlas shows what PostGIS's own ST_AsMVT shows, on any tile
//! and date; and the figures equal an independent count in SQL.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;
use cuntong::clock::Clock;
use cuntong::map::LiveMap;
use cuntong::map::schema::Layer;
use cuntong::map::timeline::day_of;
use cuntong::telemetry::Metrics;
use rand::{Rng, SeedableRng};
use sqlx::{AssertSqlSafe, PgPool, Row};
use tiles::{Options, Scope, TileId};

use crate::harness::Db;
use crate::mvt::{self, Feature};

fn today() -> NaiveDate {
    "2020-10-31".parse().unwrap()
}

async fn demo() -> (Db, PgPool, Arc<LiveMap>) {
    let db = Db::with_demo().await;
    let pool = db.pool();
    let map = LiveMap::start(pool.clone(), Clock::new(Some(today())), Arc::new(Metrics::default()), 64 << 20)
        .await
        .expect("the map loads");
    (db, pool, map)
}

/// Table, geometry and condition of a layer on a date (`$5`), written from the data model and not
/// from the program.
fn source(layer: Layer) -> (&'static str, &'static str, String) {
    let alive = "s.valid_from <= $5 AND (s.valid_to IS NULL OR s.valid_to > $5)";
    let project = |sector: &str| {
        format!(
            "s.sector = '{sector}' AND EXISTS (SELECT 1 FROM project_revisions r WHERE r.project_id = s.id \
             AND r.voided_at IS NULL AND r.effective_on <= $5)"
        )
    };
    match layer {
        Layer::Village => ("areas", "s.seat", "s.level = 'village' AND s.valid_to IS NULL".into()),
        Layer::NaturalVillage => ("natural_villages", "s.geom", alive.into()),
        Layer::Road => ("road_segments", "s.geom", alive.into()),
        Layer::WaterScheme => ("water_schemes", "s.geom", alive.into()),
        Layer::Area => ("areas", "s.geom", "s.geom IS NOT NULL AND s.valid_to IS NULL".into()),
        Layer::RoadProject => ("projects", "s.geom", project("road")),
        Layer::WaterProject => ("projects", "s.geom", project("water")),
        Layer::RelocationProject => ("projects", "s.geom", project("relocation")),
        Layer::HousingProject => ("projects", "s.geom", project("housing")),
        Layer::PowerProject => ("projects", "s.geom", project("power")),
        Layer::CleanVillageProject => ("projects", "s.geom", project("clean_village")),
    }
}

/// The tile in units of 1/4096 of its side, or `fine` times finer.
async fn by_postgis(pool: &PgPool, layer: Layer, tile: TileId, day: NaiveDate, fine: i32) -> Vec<Feature> {
    let (table, geom, condition) = source(layer);
    let query = format!(
        "SELECT ST_AsMVT(t, 'x', 4096 * $6, 'geom', 'fid') FROM (
           SELECT s.fid, ST_AsMVTGeom(ST_Transform({geom}, 3857), ST_TileEnvelope($1, $2, $3), 4096 * $6, $4 * $6, true) AS geom
             FROM {table} s
            WHERE {condition} AND {geom} && ST_Transform(ST_Expand(ST_TileEnvelope($1, $2, $3),
                    40075016.7 / (1 << $1) * 0.02), 4490)) t
          WHERE t.geom IS NOT NULL"
    );
    let bytes: Vec<u8> = sqlx::query_scalar(AssertSqlSafe(query))
        .bind(i32::from(tile.z()))
        .bind(tile.x() as i32)
        .bind(tile.y() as i32)
        .bind(64_i32)
        .bind(day)
        .bind(fine)
        .fetch_one(pool)
        .await
        .unwrap();
    mvt::decode(&bytes).remove("x").unwrap_or_default()
}

fn by_atlas(map: &LiveMap, layer: Layer, tile: TileId, day: NaiveDate) -> Vec<Feature> {
    let published = map.published();
    let options = Options::exact(day_of(day), Scope::STAFF);
    let encoded = tiles::encode_tile(&published.snapshot, &[layer.index()], tile, &options);
    mvt::decode(&encoded.bytes).remove(layer.name()).unwrap_or_default()
}

/// Whether a feature covers no more than two units, or shows along the edge of the drawn square only.
fn negligible(f: &Feature) -> bool {
    let all = || f.parts.iter().flatten();
    let side = |v: fn(&(i64, i64)) -> i64| all().map(v).max().unwrap_or(0) - all().map(v).min().unwrap_or(0);
    side(|p| p.0).max(side(|p| p.1)) <= 2
        || all().all(|&(x, y)| !INNER.contains(&(x as f64)) || !INNER.contains(&(y as f64)))
}

/// PostGIS is asked for geometry this much finer than a tile unit: the truth, nearly unrounded.
const FINE: i32 = 16;

type Shape = Vec<Vec<(f64, f64)>>;

fn shape(f: &Feature, fine: i32) -> Shape {
    let unit = |v: i64| v as f64 / f64::from(fine);
    f.parts.iter().map(|part| part.iter().map(|&(x, y)| (unit(x), unit(y))).collect()).collect()
}

/// Least and greatest coordinate of the drawn square, less what rounding may move its edge: a line
/// that runs nearly along the edge meets it many units earlier or later when its ends are rounded.
const INNER: std::ops::RangeInclusive<f64> = -62.0..=4158.0;

/// How far the vertices of `a` within the drawn square lie from the lines (or points) of `b`, along
/// the worse axis.
fn distance(a: &Shape, b: &Shape, kind: u64) -> f64 {
    let off = |p: (f64, f64), s: (f64, f64), e: (f64, f64)| {
        let ((px, py), (dx, dy)) = ((p.0 - s.0, p.1 - s.1), (e.0 - s.0, e.1 - s.1));
        let len = dx * dx + dy * dy;
        let t = if len > 0.0 { ((px * dx + py * dy) / len).clamp(0.0, 1.0) } else { 0.0 };
        (px - t * dx).abs().max((py - t * dy).abs())
    };
    let nearest = |p: (f64, f64)| {
        let mut nearest = f64::MAX;
        for part in b {
            for (i, &s) in part.iter().enumerate() {
                let e = match part.get(i + 1) {
                    _ if kind == 1 => s,
                    Some(&e) => e,
                    None if kind == 3 => part[0],
                    None => s,
                };
                nearest = nearest.min(off(p, s, e));
            }
        }
        nearest
    };
    let within = |p: &&(f64, f64)| INNER.contains(&p.0) && INNER.contains(&p.1);
    a.iter().flatten().filter(within).map(|&p| nearest(p)).fold(0.0, f64::max)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_atlas_shows_what_postgis_shows() {
    let (_db, pool, map) = demo().await;
    let places: Vec<(f64, f64)> =
        sqlx::query_as("SELECT ST_X(geom), ST_Y(geom) FROM natural_villages ORDER BY fid")
            .fetch_all(&pool)
            .await
            .unwrap();
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(4490);
    let (mut features, mut tiles_seen) = (0, 0);
    for round in 0..220 {
        let layer = Layer::ALL[round % Layer::ALL.len()];
        let (lon, lat) = places[rng.random_range(0..places.len())];
        let z = rng.random_range(7..=16);
        let tile = TileId::at(z, tiles::lonlat_to_world(lon, lat).unwrap()).unwrap();
        let day =
            NaiveDate::from_ymd_opt(rng.random_range(2017..=2020), rng.random_range(1..=10), 28).unwrap();
        let theirs = by_postgis(&pool, layer, tile, day, 1).await;
        let truth = by_postgis(&pool, layer, tile, day, FINE).await;
        let mut ours = by_atlas(&map, layer, tile, day);
        if layer == Layer::Area {
            // Labels and towns without outline are points, which PostGIS was not asked for.
            ours.retain(|f| f.kind == 3);
        }
        let index = |list: Vec<Feature>| -> BTreeMap<u64, Feature> {
            list.into_iter().map(|f| (f.id.expect("an id"), f)).collect()
        };
        let place = format!("{} {z}/{}/{} on {day}", layer.name(), tile.x(), tile.y());
        let (theirs, ours, truth) = (index(theirs), index(ours), index(truth));
        tiles_seen += 1;
        for (id, their) in &theirs {
            let Some(our) = ours.get(id) else {
                // At the buffer's edge a feature may fall on either side.
                assert!(negligible(their), "{place}: {id} is missing: {their:?}");
                continue;
            };
            features += 1;
            assert_eq!(our.kind, their.kind, "{place}: {id}");
            let Some(truth) = truth.get(id) else { continue };
            // Half a unit by rounding, half by leaving out vertices that cannot be told apart.
            let (drawn, truth) = (shape(our, 1), shape(truth, FINE));
            let worst = distance(&drawn, &truth, our.kind).max(distance(&truth, &drawn, our.kind));
            assert!(worst <= 1.1, "{place}: {id} lies {worst} units off\n{drawn:?}\n{truth:?}");
        }
        for (id, our) in &ours {
            assert!(theirs.contains_key(id) || negligible(our), "{place}: {id} is too much: {our:?}");
        }
    }
    assert!(features > 3_000, "the places are not empty: {features} features in {tiles_seen} tiles");
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_equal_sql() {
    let (_db, pool, map) = demo().await;
    let areas: Vec<(String, String)> = sqlx::query_as(
        "SELECT code, path FROM areas WHERE valid_to IS NULL AND level <> 'village' ORDER BY code",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(20_201_031);
    for round in 0..40 {
        let (code, path) =
            if round < 2 { areas[0].clone() } else { areas[rng.random_range(0..areas.len())].clone() };
        let day = NaiveDate::from_ymd_opt(
            rng.random_range(2017..=2020),
            rng.random_range(1..=10),
            rng.random_range(1..=28),
        )
        .unwrap();
        let row = sqlx::query(
            "WITH counted AS (
               SELECT v.id FROM natural_villages v
                 JOIN areas a ON a.id = v.village_id AND a.path LIKE $1 || '%'
                 JOIN denominator_members m ON m.natural_village_id = v.id
                 JOIN denominators d ON d.id = m.denominator_id AND d.name = 'natural_village_20'
                WHERE v.valid_from <= $2 AND (v.valid_to IS NULL OR v.valid_to > $2)),
             standing AS (
               SELECT c.id, service, ok,
                      (SELECT served FROM service_states s
                        WHERE s.natural_village_id = c.id AND s.service = k.service AND s.voided_at IS NULL
                          AND s.effective_on <= $2 AND (NOT ok OR s.approved_at IS NOT NULL)
                        ORDER BY s.effective_on DESC, s.recorded_at DESC LIMIT 1) AS served
                 FROM counted c, (VALUES ('road'), ('water')) k(service), (VALUES (false), (true)) o(ok))
             SELECT (SELECT count(*) FROM counted)::int4,
                    count(*) FILTER (WHERE served AND service = 'road' AND NOT ok)::int4,
                    count(*) FILTER (WHERE served AND service = 'road' AND ok)::int4,
                    count(*) FILTER (WHERE served AND service = 'water' AND NOT ok)::int4,
                    count(*) FILTER (WHERE served AND service = 'water' AND ok)::int4
               FROM standing",
        )
        .bind(&path)
        .bind(day)
        .fetch_one(&pool)
        .await
        .unwrap();
        let sql: Vec<i32> = (0..5).map(|i| row.get(i)).collect();
        let projects: Vec<(String, i32)> = sqlx::query_as(
            "SELECT p.sector || ' ' || s.status, count(*)::int4
               FROM projects p JOIN areas a ON a.id = p.area_id AND a.path LIKE $1 || '%'
               JOIN LATERAL (SELECT r.state FROM project_revisions r
                              WHERE r.project_id = p.id AND r.voided_at IS NULL AND r.effective_on <= $2
                              ORDER BY r.effective_on DESC, r.version DESC LIMIT 1) r ON true
               JOIN project_states s ON s.state = r.state
              GROUP BY 1",
        )
        .bind(&path)
        .bind(day)
        .fetch_all(&pool)
        .await
        .unwrap();
        let published = map.published();
        let number = published.areas.by_code(&code).expect("the area is known");
        let view = cuntong::http::figures::view(&published, number, day_of(day), false);
        let view = serde_json::to_value(&view).unwrap();
        let n = |path: &str| view.pointer(path).and_then(serde_json::Value::as_i64).unwrap_or(-1) as i32;
        let ours = [
            n("/road/total"),
            n("/road/reported"),
            n("/road/approved"),
            n("/water/reported"),
            n("/water/approved"),
        ];
        assert_eq!(ours[..], sql[..], "{code} on {day}");
        for (key, count) in projects {
            let (sector, status) = key.split_once(' ').unwrap();
            assert_eq!(n(&format!("/projects/{sector}/{status}")), count, "{code} on {day}: {key}");
        }
        let by_status: i32 = ["done", "under_way", "not_started", "gap"]
            .iter()
            .map(|s| n(&format!("/natural_villages/by_status/{s}")))
            .sum();
        assert_eq!(by_status, sql[0], "{code} on {day}: every counted village has one status");
        let lights: i32 = ["done", "late", "warn", "ok", "todo", "none"]
            .iter()
            .map(|l| n(&format!("/projects/road/lights/{l}")))
            .sum();
        assert_eq!(lights, n("/projects/road/total") - n("/projects/road/cancelled"), "{code} on {day}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_on_thinned_tiles_equal_sql() {
    let (_db, pool, map) = demo().await;
    let published = map.published();
    let day = day_of(today());
    let total: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM denominator_members m JOIN denominators d ON d.id = m.denominator_id WHERE d.name = 'natural_village_20'",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    for z in [4, 6, 7, 9] {
        let area = tiles::TileRange::covering(
            tiles::Rect::around(&[
                tiles::lonlat_to_world(109.4, 25.7).unwrap(),
                tiles::lonlat_to_world(117.5, 20.0).unwrap(),
            ]),
            z,
        );
        let mut shown = 0.0;
        for tile in area.iter() {
            let encoded = tiles::encode_tile(
                &published.snapshot,
                &[Layer::NaturalVillage.index()],
                tile,
                &Options::new(day, Scope::STAFF),
            );
            assert!(encoded.bytes.len() <= 500_000);
            for f in mvt::decode(&encoded.bytes).remove("natural_village").unwrap_or_default() {
                let (x, y) = f.parts[0][0];
                if (0..4096).contains(&x) && (0..4096).contains(&y) {
                    shown += f.number("count").unwrap_or(1.0);
                }
            }
        }
        assert_eq!(shown as i64, total, "z{z}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tiles_and_figures_say_the_same_of_an_area() {
    let (_db, _pool, map) = demo().await;
    let published = map.published();
    let world = tiles::Rect::around(&[
        tiles::lonlat_to_world(109.4, 25.7).unwrap(),
        tiles::lonlat_to_world(117.5, 20.0).unwrap(),
    ]);
    let mut words = BTreeMap::new();
    for date in ["2017-12-31", "2018-07-01", "2019-04-15", "2020-01-01", "2020-10-31"] {
        let day = day_of(date.parse().unwrap());
        for z in [6, 9] {
            for tile in tiles::TileRange::covering(world, z).iter() {
                let options = Options::exact(day, Scope::STAFF);
                let encoded = tiles::encode_tile(&published.snapshot, &[Layer::Area.index()], tile, &options);
                for f in mvt::decode(&encoded.bytes).remove("area").unwrap_or_default() {
                    let (Some(code), Some(status)) = (f.text("code"), f.text("status")) else { continue };
                    let number = published.areas.by_code(code).expect("the area is known");
                    let figures = published.reporting(number, day).as_str();
                    assert_eq!(figures, status, "{code} on {date} at z{z}");
                    *words.entry(status.to_owned()).or_insert(0) += 1;
                }
            }
        }
    }
    assert!(words["ok"] > 100 && words["not_reported"] > 10, "{words:?}");
}
