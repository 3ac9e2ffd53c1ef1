//! Fills the Atlas and the figures from one snapshot of the database, over two connections.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use chrono::NaiveDate;
use serde_json::Value as Json;
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Row};
use tiles::{Atlas, Geometry, LayerLoad};
use uuid::Uuid;

use super::areas::{AreaTree, Level};
use super::features;
use super::figures::{AreaFigures, Event, Figures, condense};
use super::roads::{self, SegmentRow, SegmentState};
use super::schema::{Layer, schemas};
use super::source::{self, AreaRow, Links, ProjectRow, Revision, SchemeRow, VillageRow, Which};
use super::timeline::{ServiceRow, village_steps};
use super::world::{ProjectRec, VillageRec, World};
use crate::domain::lights::{Status as ProjectStatus, Thresholds};
use crate::domain::plan::Percent;
use crate::domain::sector::Sector;
use crate::error::Result;

/// What a load brought besides the Atlas itself.
pub(super) struct Loaded {
    pub world: World,
    pub figures: Figures,
    pub seq: u64,
}

/// How a consistent read begins.
pub(super) const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

struct FirstHalf {
    areas: Vec<AreaRow>,
    poor: HashSet<Uuid>,
    statuses: HashMap<String, ProjectStatus>,
    limits: Thresholds,
    projects: Vec<ProjectRow>,
    revisions: HashMap<Uuid, Vec<Revision>>,
    milestones: HashMap<Uuid, Vec<(NaiveDate, Percent)>>,
    services: HashMap<Uuid, Vec<ServiceRow>>,
    village_links: Links,
}

struct SecondHalf {
    villages: Vec<VillageRow>,
    segments: Vec<SegmentRow>,
    states: HashMap<Uuid, Vec<SegmentState>>,
    segment_links: Links,
    schemes: Vec<SchemeRow>,
    scheme_links: Links,
}

/// Loads everything and installs it in the Atlas. Readers keep what they had until the end.
pub(super) async fn load(pool: &PgPool, atlas: &Arc<Atlas>, today: NaiveDate) -> Result<Loaded> {
    let started = Instant::now();
    let mut first = pool.begin_with(BEGIN).await?;
    sqlx::query("SET LOCAL statement_timeout = 0").execute(&mut *first).await?;
    let row = sqlx::query("SELECT pg_export_snapshot(), (SELECT coalesce(max(seq), 0) FROM change_feed)")
        .fetch_one(&mut *first)
        .await?;
    let (snapshot, seq): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
    let mut second = pool.begin_with(BEGIN).await?;
    // The name of a snapshot is PostgreSQL's own word: hexadecimal digits and dashes.
    sqlx::query(AssertSqlSafe(format!("SET TRANSACTION SNAPSHOT '{snapshot}'")))
        .execute(&mut *second)
        .await?;
    sqlx::query("SET LOCAL statement_timeout = 0").execute(&mut *second).await?;

    let first = tokio::spawn(async move {
        let half = read_first(&mut first, today).await?;
        first.rollback().await?;
        Ok::<_, crate::error::Error>(half)
    });
    let second = tokio::spawn(async move {
        let half = read_second(&mut second).await?;
        second.rollback().await?;
        Ok::<_, crate::error::Error>(half)
    });
    let (first, second) = tokio::join!(first, second);
    let first = first.context("load was interrupted")??;
    let second = second.context("load was interrupted")??;
    let read = started.elapsed();
    let atlas = Arc::clone(atlas);
    let seq = seq as u64;
    let loaded = tokio::task::spawn_blocking(move || build(&atlas, first, second, seq))
        .await
        .context("load was interrupted")??;
    trim_heap();
    tracing::info!(
        seq,
        projects = loaded.world.projects.len(),
        natural_villages = loaded.world.villages.len(),
        road_segments = loaded.world.segments,
        read_ms = read.as_millis() as u64,
        total_ms = started.elapsed().as_millis() as u64,
        "map loaded"
    );
    Ok(loaded)
}

/// Gives the memory of the rows that were read back to the system: the load needs several times
/// what the Atlas keeps.
fn trim_heap() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: malloc_trim only looks at the allocator's own free lists and may be called any time.
    #[allow(unsafe_code)]
    unsafe {
        libc::malloc_trim(0);
    }
}

async fn read_first(c: &mut PgConnection, today: NaiveDate) -> Result<FirstHalf> {
    let statuses = source::statuses(c).await?;
    Ok(FirstHalf {
        areas: source::areas(c).await?,
        poor: source::poor_villages(c).await?,
        limits: thresholds(c, today).await?,
        projects: source::projects(c, Which::All, &statuses).await?,
        revisions: source::revisions(c, Which::All, &statuses).await?,
        milestones: source::milestones(c, Which::All).await?,
        services: source::service_rows(c, Which::All).await?,
        village_links: source::village_links(c, Which::All).await?,
        statuses,
    })
}

async fn read_second(c: &mut PgConnection) -> Result<SecondHalf> {
    Ok(SecondHalf {
        villages: source::natural_villages(c, Which::All).await?,
        segments: roads::segments(c, Which::All).await?,
        states: roads::segment_states(c, Which::All).await?,
        segment_links: source::segment_links(c, Which::All).await?,
        schemes: source::schemes(c, Which::All).await?,
        scheme_links: source::scheme_links(c, Which::All).await?,
    })
}

/// The limits of lights that hold on a day.
async fn thresholds(c: &mut PgConnection, today: NaiveDate) -> Result<Thresholds> {
    let mut limits = Thresholds::default();
    let rows: Vec<(String, Json)> = sqlx::query_as(
        "SELECT DISTINCT ON (key) key, value FROM settings WHERE effective_on <= $1 \
         ORDER BY key, effective_on DESC, recorded_at DESC",
    )
    .bind(today)
    .fetch_all(c)
    .await?;
    for (key, value) in rows {
        let Some(number) = value.as_f64() else { continue };
        match key.as_str() {
            "lag_warn_pp" => limits.lag_warn = Percent::from(number),
            "lag_late_pp" => limits.lag_late = Percent::from(number),
            "start_late_days" => limits.start_late_days = number as u32,
            "no_update_days" => limits.no_update_days = number as u32,
            _ => {}
        }
    }
    Ok(limits)
}

type Loads = BTreeMap<Layer, LayerLoad>;

fn take(loads: &mut Loads, layer: Layer) -> anyhow::Result<LayerLoad> {
    loads.remove(&layer).with_context(|| format!("layer {} is filled twice", layer.name()))
}

fn build(atlas: &Atlas, first: FirstHalf, second: SecondHalf, seq: u64) -> Result<Loaded> {
    let areas = Arc::new(tree(first.areas, &first.poor)?);
    let mut schemas = schemas(&areas).into_iter();
    let mut loads: Loads = BTreeMap::new();
    for layer in Layer::ALL {
        let schema = schemas.next().context("a layer without schema")?;
        loads.insert(layer, atlas.load_with(layer.index(), schema).context("map layers")?);
    }
    let mut world = World {
        areas: Arc::clone(&areas),
        statuses: first.statuses,
        limits: first.limits,
        segments: second.segments.len() as u64,
        schemes: second.schemes.len() as u64,
        ..World::default()
    };
    let mut events: Vec<Vec<Event>> = vec![Vec::new(); areas.all().len()];

    push_projects(&mut world, first.projects, first.revisions, first.milestones, &mut loads, &mut events)?;
    let mut road_load = take(&mut loads, Layer::Road)?;
    let mut scheme_load = take(&mut loads, Layer::WaterScheme)?;
    let mut village_load = take(&mut loads, Layer::NaturalVillage)?;
    // Roads are most of the work; natural villages are read beside them.
    let SecondHalf { villages, segments, states, segment_links, schemes, scheme_links } = second;
    let mut recs = HashMap::with_capacity(villages.len());
    let (road_load, scheme_load) = std::thread::scope(|scope| -> Result<_> {
        let (world, areas) = (&world, &areas);
        let roads = scope.spawn(move || -> Result<(LayerLoad, LayerLoad)> {
            for row in segments {
                let projects = world.steps_of(&segment_links, row.id, None);
                let states = states.get(&row.id).map_or(&[][..], Vec::as_slice);
                let area = areas.number_of(row.area_id);
                road_load
                    .push(&features::segment(row, area, areas, states, &projects))
                    .context("road segments")?;
            }
            for row in &schemes {
                let projects = world.steps_of(&scheme_links, row.id, None);
                let area = areas.number_of(row.area_id);
                scheme_load.push(&features::scheme(row, area, areas, &projects)).context("water schemes")?;
            }
            Ok((road_load, scheme_load))
        });
        let mut services = first.services;
        for row in villages {
            let Some(area) = areas.number_of(row.village_id) else {
                tracing::warn!(code = %row.code, "natural village lies in no current area and is left out of the map");
                continue;
            };
            let rows = services.remove(&row.id).unwrap_or_default();
            let rec = village_rec(world, &row, area, rows, &first.village_links);
            village_load
                .push(&features::village(&row, area, areas, &rec.steps))
                .context("natural villages")?;
            rec.events(1, &mut events[area as usize]);
            recs.insert(row.id, rec);
        }
        roads.join().map_err(|_| anyhow::anyhow!("loading the roads was interrupted"))?
    })?;
    world.villages = recs;

    let figures = sum_up(&areas, events);
    let mut area_load = take(&mut loads, Layer::Area)?;
    let mut admin_load = take(&mut loads, Layer::Village)?;
    for number in 0..areas.all().len() as u32 {
        let own = figures.area(number);
        if let Some(f) = features::area(number, &areas, own) {
            area_load.push(&f).context("areas")?;
        }
        if areas.get(number).level == Level::Village
            && let Some(f) = features::admin_village(number, &areas, own)
        {
            admin_load.push(&f).context("villages")?;
        }
    }
    let mut loads: Vec<LayerLoad> = loads.into_values().collect();
    loads.extend([area_load, admin_load, village_load, road_load, scheme_load]);
    atlas.install(loads, seq).context("map layers")?;
    Ok(Loaded { world, figures, seq })
}

/// The tree, with borders that neighbours share simplified alike.
fn tree(rows: Vec<AreaRow>, poor: &HashSet<Uuid>) -> anyhow::Result<AreaTree> {
    let mut tree = AreaTree::new(rows, poor)?;
    for level in [Level::Province, Level::City, Level::County, Level::Town, Level::Village] {
        let of_level = |&n: &u32| tree.get(n).level == level && tree.get(n).geometry.is_some();
        let numbers: Vec<u32> = (0..tree.all().len() as u32).filter(of_level).collect();
        let mut outlines: Vec<Geometry> = numbers
            .iter()
            .filter_map(|&n| tree.get_mut(n).geometry.take())
            .map(|g| Arc::try_unwrap(g).unwrap_or_else(|g| (*g).clone()))
            .collect();
        tiles::shared::rank_shared(&mut outlines);
        for (n, outline) in numbers.into_iter().zip(outlines) {
            tree.get_mut(n).geometry = Some(Arc::new(outline));
        }
    }
    Ok(tree)
}

fn push_projects(
    world: &mut World,
    rows: Vec<ProjectRow>,
    mut revisions: HashMap<Uuid, Vec<Revision>>,
    mut milestones: HashMap<Uuid, Vec<(NaiveDate, Percent)>>,
    loads: &mut Loads,
    events: &mut [Vec<Event>],
) -> Result<()> {
    for row in rows {
        let own = revisions.remove(&row.id).unwrap_or_default();
        let plan = milestones.remove(&row.id);
        let Some((rec, feature)) = project(world, row, own, plan) else { continue };
        let load = loads.get_mut(&Layer::of_sector(rec.1.sector)).context("a sector without layer")?;
        load.push(&feature).context("projects")?;
        rec.1.events(1, &mut events[rec.1.area as usize]);
        world.projects.insert(rec.0, rec.1);
    }
    Ok(())
}

/// A project's record and feature; `None` when its area is no more.
pub(super) fn project(
    world: &World,
    row: ProjectRow,
    mut revisions: Vec<Revision>,
    milestones: Option<Vec<(NaiveDate, Percent)>>,
) -> Option<((Uuid, ProjectRec), tiles::Feature)> {
    let Some(area) = world.areas.number_of(row.area_id) else {
        tracing::warn!(code = %row.code, "project lies in no current area and is left out of the map");
        return None;
    };
    let counts = [revisions.len() as u32, revisions.iter().filter(|r| r.approved).count() as u32];
    if revisions.is_empty() {
        revisions.push(row.first);
    }
    let (mut steps, reports) =
        features::project_steps(&source::plan(&row, milestones), revisions, &world.limits);
    if !row.published {
        // Not even through a village that it serves may the public learn of it.
        for step in &mut steps {
            step.1.status_ok = None;
        }
    }
    let versions = features::project_versions(&row, area, &world.areas, &steps);
    let rec = ProjectRec {
        area,
        sector: row.sector,
        bounds: row.geometry.bounds(),
        published: row.published,
        version: row.version,
        fid: row.fid,
        revisions: counts,
        steps: steps.into(),
        reports: reports.into(),
    };
    Some(((row.id, rec), tiles::Feature::new(row.fid, row.geometry, versions)))
}

/// A natural village's record.
pub(super) fn village_rec(
    world: &World,
    row: &VillageRow,
    area: u32,
    mut services: Vec<ServiceRow>,
    links: &Links,
) -> VillageRec {
    let projects = world.steps_of(links, row.id, Some(Sector::Road));
    let counts = [services.len() as u32, services.iter().filter(|s| s.approved).count() as u32];
    VillageRec {
        area,
        place: row.place,
        counted: row.counted,
        ends: row.valid_to,
        services: counts,
        steps: village_steps(row.valid_from, &mut services, &projects).into(),
    }
}

/// Sums events from the leaves up. Children come after their parents in the tree.
fn sum_up(areas: &AreaTree, mut events: Vec<Vec<Event>>) -> Figures {
    let n = areas.all().len();
    let mut figures = vec![AreaFigures::default(); n];
    let mut villages = vec![(0_u32, 0_u32); n];
    for i in (0..n).rev() {
        let area = areas.get(i as u32);
        let mut own = std::mem::take(&mut events[i]);
        condense(&mut own);
        if area.level == Level::Village {
            villages[i] = (1, u32::from(area.poor));
        }
        figures[i] = AreaFigures::from_events(&own);
        (figures[i].villages, figures[i].poor_villages) = villages[i];
        if let Some(p) = area.parent {
            let p = p as usize;
            villages[p] = (villages[p].0 + villages[i].0, villages[p].1 + villages[i].1);
            if events[p].is_empty() {
                events[p] = own;
            } else {
                events[p].extend_from_slice(&own);
                // Keeps a province's list from holding every village's events at once.
                if events[p].len() > 1 << 18 {
                    condense(&mut events[p]);
                }
            }
        }
    }
    Figures::new(figures)
}
