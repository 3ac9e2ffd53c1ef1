//! Follows the change feed: reads what was committed, changes the Atlas and the figures in one
//! step, and tells the browsers afterwards.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use sqlx::postgres::PgListener;
use sqlx::{PgPool, Row};
use tiles::{Change as AtlasChange, Rect};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::areas::Level;
use super::batch::Batch;
use super::events::{Change, Told};
use super::figures::{Event, Metric, Reporting, condense};
use super::load::{self, Loaded};
use super::schema::Layer;
use super::source;
use super::timeline::{Reading, Service};
use super::world::World;
use super::{LiveMap, Published, bbox, features};
use crate::clock::Clock;
use crate::db::feed::{self, FeedRow};
use crate::error::Result;

/// How often the feed is read though no doorbell rang: a lost notification costs this much.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How often the map is held against the tables.
const CHECK_EVERY: Duration = Duration::from_secs(300);
/// More changes than this at once are loaded anew rather than followed.
const MOST_CHANGES: usize = 5_000;
/// Past changes that a fresh node can tell a returning browser.
const REMEMBERED: i64 = 2_000;
/// A delta of this many features is packed into the base while nothing else goes on.
const PACK_AT: usize = 4_000;

struct Follower {
    map: Weak<LiveMap>,
    pool: PgPool,
    clock: Clock,
    world: World,
    /// Everything up to here is in the map.
    seq: u64,
    since_pack: usize,
}

/// Fills the ring of events and starts following. Ends when the map is dropped or the pool closed.
pub(super) async fn spawn(
    map: &Arc<LiveMap>,
    pool: PgPool,
    clock: Clock,
    world: World,
) -> anyhow::Result<()> {
    let seq = map.published.load().seq;
    let mut follower =
        Follower { map: Arc::downgrade(map), pool: pool.clone(), clock, world, seq, since_pack: 0 };
    follower.refill_events(map).await?;
    map.metrics.atlas_at(seq as i64);
    // One ring waiting is enough: whoever wakes reads everything.
    let (bell, rung) = mpsc::channel(1);
    let alive = Arc::downgrade(map);
    tokio::spawn(listen(pool, bell, alive));
    tokio::spawn(async move { follower.run(rung).await });
    Ok(())
}

/// Rings whenever the database does, and once after every reconnection.
async fn listen(pool: PgPool, bell: mpsc::Sender<()>, map: Weak<LiveMap>) {
    let mut pause = Duration::from_millis(100);
    while map.strong_count() > 0 && !pool.is_closed() {
        let heard = async {
            let mut listener = PgListener::connect_with(&pool).await?;
            listener.listen(feed::CHANNEL).await?;
            let _ = bell.try_send(());
            loop {
                // `None` is a lost connection, which sqlx has already replaced.
                let _ = listener.try_recv().await?;
                if matches!(bell.try_send(()), Err(mpsc::error::TrySendError::Closed(()))) {
                    return Ok::<_, sqlx::Error>(());
                }
                pause = Duration::from_millis(100);
            }
        };
        if let Err(error) = heard.await {
            tracing::warn!(%error, "not listening to the change feed; it is read by the clock meanwhile");
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}

impl Follower {
    async fn run(&mut self, mut rung: mpsc::Receiver<()>) {
        let mut checked = Instant::now();
        let mut failures = 0_u32;
        loop {
            let _ = tokio::time::timeout(LOOK_EVERY, rung.recv()).await;
            let Some(map) = self.map.upgrade() else { return };
            if self.pool.is_closed() {
                return;
            }
            match self.catch_up(&map).await {
                Ok(()) => failures = 0,
                Err(error) => {
                    failures += 1;
                    tracing::warn!(%error, failures, "the map could not follow the feed");
                    // The database may be away; if it is not, what was read does not fit.
                    if failures.is_multiple_of(3)
                        && let Err(error) = self.reload(&map, false).await
                    {
                        tracing::error!(%error, "the map could not be loaded anew");
                    }
                    tokio::time::sleep(Duration::from_millis(200 * u64::from(failures.min(20)))).await;
                }
            }
            if checked.elapsed() > CHECK_EVERY {
                checked = Instant::now();
                if let Err(error) = self.check(&map).await {
                    tracing::warn!(%error, "the map could not be held against the tables");
                }
            }
            self.pack(&map).await;
        }
    }

    /// Reads the feed until nothing is left.
    async fn catch_up(&mut self, map: &Arc<LiveMap>) -> Result<()> {
        loop {
            let begun = Instant::now();
            let mut tx = self.pool.begin_with(load::BEGIN).await?;
            let rows = feed::since(&mut tx, self.seq as i64, MOST_CHANGES as i64 + 1).await?;
            let Some(oldest) = rows.first() else {
                tx.rollback().await?;
                map.metrics.feed_lag(Duration::ZERO);
                return Ok(());
            };
            let lag = self.clock.now() - oldest.recorded_at;
            map.metrics.feed_lag(lag.to_std().unwrap_or_default());
            let gapless = rows.iter().zip(self.seq + 1..).all(|(row, seq)| row.seq as u64 == seq);
            let known = rows.iter().all(|r| {
                r.entity_id.is_some()
                    && matches!(
                        r.kind.as_str(),
                        "project" | "natural_village" | "road_segment" | "water_scheme"
                    )
            });
            if !gapless || !known || rows.len() > MOST_CHANGES {
                tx.rollback().await?;
                if !gapless {
                    tracing::warn!(seq = self.seq, "the feed has a gap; loading the map anew");
                }
                self.reload(map, false).await?;
                continue;
            }
            let batch = Batch::read(&mut tx, &rows, &self.world.statuses).await?;
            tx.rollback().await?;
            if let Err(error) = self.apply(map, batch, &rows) {
                tracing::warn!(%error, "a change does not fit the map; loading it anew");
                self.reload(map, false).await?;
                continue;
            }
            for row in &rows {
                map.metrics.change_told((self.clock.now() - row.recorded_at).to_std().unwrap_or_default());
            }
            tracing::debug!(
                seq = self.seq,
                changes = rows.len(),
                took_us = begun.elapsed().as_micros() as u64,
                "followed"
            );
        }
    }

    /// Loads everything anew. Readers keep what they have until it is there.
    async fn reload(&mut self, map: &Arc<LiveMap>, mending: bool) -> Result<()> {
        let before = self.seq;
        let Loaded { world, figures, seq } =
            load::load(&self.pool, &map.atlas, self.clock.business_date()).await?;
        let epoch = map.published.load().epoch;
        let published = Published {
            seq,
            snapshot: map.atlas.snapshot(),
            figures,
            areas: Arc::clone(&world.areas),
            epoch: if mending { epoch + 1 + rand::random::<u32>() % 1_000_000 } else { epoch },
        };
        self.world = world;
        self.seq = seq;
        map.versions.bump_all(seq);
        map.published.store(Arc::new(published));
        map.seq.send_replace(seq);
        map.metrics.atlas_at(seq as i64);
        // Everything may be different, and browsers that listen hear one change that says so.
        let all = Change {
            seq,
            kind: "bulk".into(),
            project_id: None,
            natural_village_ids: Vec::new(),
            layers: Layer::ALL.map(Layer::name).to_vec(),
            areas: Vec::new(),
            bbox: None,
        };
        if seq > before || mending {
            map.events.restart(before, before, Vec::new());
            map.events.tell(Told::new(&all, true));
        }
        Ok(())
    }

    /// Lets a returning browser hear what a fresh node has not seen happen.
    async fn refill_events(&mut self, map: &Arc<LiveMap>) -> Result<()> {
        let mut c = self.pool.acquire().await?;
        let floor = (self.seq as i64 - REMEMBERED).max(0);
        let rows = feed::since(&mut c, floor, REMEMBERED).await?;
        let mut kept = Vec::with_capacity(rows.len());
        for row in rows.iter().filter(|r| r.seq as u64 <= self.seq) {
            let project =
                row.entity_id.filter(|_| row.kind == "project").and_then(|id| self.world.projects.get(&id));
            let told = match project {
                Some(p) => {
                    let mut layers = vec![Layer::of_sector(p.sector).name()];
                    layers.extend(["natural_village", "road", "area", "village"]);
                    let change = Change {
                        seq: row.seq as u64,
                        kind: row.kind.clone(),
                        project_id: row.entity_id,
                        natural_village_ids: Vec::new(),
                        layers,
                        areas: self.codes(p.area),
                        bbox: bbox(p.bounds),
                    };
                    Told::new(&change, p.published)
                }
                None => Told::new(
                    &Change {
                        seq: row.seq as u64,
                        kind: row.kind.clone(),
                        project_id: None,
                        natural_village_ids: Vec::new(),
                        layers: Layer::ALL.map(Layer::name).to_vec(),
                        areas: Vec::new(),
                        bbox: None,
                    },
                    true,
                ),
            };
            kept.push(told);
        }
        map.events.restart(floor as u64, self.seq, kept);
        Ok(())
    }

    fn codes(&self, area: u32) -> Vec<String> {
        self.world.areas.chain(area).map(|n| self.world.areas.get(n).code.to_string()).collect()
    }

    /// Makes the changes visible, all at once, and tells of them.
    ///
    /// # Errors
    /// When something does not fit. The world may be half changed then: load anew.
    fn apply(&mut self, map: &Arc<LiveMap>, mut b: Batch, rows: &[FeedRow]) -> anyhow::Result<()> {
        let seq = rows.last().map_or(self.seq, |r| r.seq as u64);
        let world = &mut self.world;
        let mut changes: Vec<AtlasChange> = Vec::new();
        let mut events: HashMap<u32, Vec<Event>> = HashMap::new();
        // Where a project was and is.
        let mut places: HashMap<Uuid, Rect> = HashMap::new();
        let areas = Arc::clone(&world.areas);

        let mut gone: HashSet<Uuid> = b.projects.iter().copied().collect();
        for row in b.project_rows {
            let revisions = b.revisions.remove(&row.id).unwrap_or_default();
            let milestones = b.milestones.remove(&row.id);
            let Some(((id, rec), feature)) = load::project(world, row, revisions, milestones) else {
                continue;
            };
            gone.remove(&id);
            rec.events(1, events.entry(rec.area).or_default());
            let mut place = rec.bounds;
            let layer = Layer::of_sector(rec.sector).index();
            if let Some(old) = world.projects.insert(id, rec) {
                old.events(-1, events.entry(old.area).or_default());
                place = place.union(old.bounds);
                if Layer::of_sector(old.sector).index() != layer {
                    changes.push(AtlasChange::Remove {
                        layer: Layer::of_sector(old.sector).index(),
                        id: old.fid,
                    });
                }
            }
            places.insert(id, place);
            changes.push(AtlasChange::Upsert { layer, feature });
        }
        if let Some(id) = gone.iter().next() {
            bail!("project {id} is in the feed and not in its table");
        }

        let mut village_areas: HashMap<Uuid, u32> = HashMap::new();
        for row in &b.village_rows {
            let area =
                areas.number_of(row.village_id).context("a natural village lies in no current area")?;
            let rows = b.services.remove(&row.id).unwrap_or_default();
            let rec = load::village_rec(world, row, area, rows, &b.village_links);
            rec.events(1, events.entry(area).or_default());
            changes.push(AtlasChange::Upsert {
                layer: Layer::NaturalVillage.index(),
                feature: features::village(row, area, &areas, &rec.steps),
            });
            village_areas.insert(row.id, area);
            if let Some(old) = world.villages.insert(row.id, rec) {
                old.events(-1, events.entry(old.area).or_default());
            }
        }
        for row in b.segment_rows {
            let projects = world.steps_of(&b.segment_links, row.id, None);
            let states = b.states.get(&row.id).map_or(&[][..], Vec::as_slice);
            let area = areas.number_of(row.area_id);
            let id = row.id;
            let feature = features::segment(row, area, &areas, states, &projects);
            places.insert(id, feature.geometry.bounds());
            changes.push(AtlasChange::Upsert { layer: Layer::Road.index(), feature });
        }
        for row in &b.scheme_rows {
            let projects = world.steps_of(&b.scheme_links, row.id, None);
            let feature = features::scheme(row, areas.number_of(row.area_id), &areas, &projects);
            changes.push(AtlasChange::Upsert { layer: Layer::WaterScheme.index(), feature });
        }

        let before = map.published.load_full();
        let mut figures = before.figures.clone();
        let mut dirty: BTreeSet<u32> = BTreeSet::new();
        for (area, mut own) in events {
            condense(&mut own);
            if own.is_empty() {
                continue;
            }
            let coverage = own.iter().any(|e| shows_on_areas(e.metric));
            for n in areas.chain(area) {
                let silent = matches!(areas.get(n).level, Level::City | Level::County)
                    && own.iter().any(|e| before.reporting(n, e.day) == Reporting::NotReported);
                figures.add(n, &own);
                if coverage || silent {
                    dirty.insert(n);
                }
            }
        }
        for &n in &dirty {
            let own = figures.area(n);
            let area = areas.get(n);
            if before.snapshot.get(Layer::Area.index(), area.fid).is_some() {
                let versions = features::area_versions(n, &areas, own);
                changes.push(AtlasChange::SetVersions { layer: Layer::Area.index(), id: area.fid, versions });
            }
            if area.level == Level::Village && area.place.is_some() {
                let versions = features::admin_village_versions(n, &areas, own);
                changes.push(AtlasChange::SetVersions {
                    layer: Layer::Village.index(),
                    id: area.fid,
                    versions,
                });
            }
        }
        self.since_pack += changes.len();

        let touches = map.atlas.apply(changes, seq).context("map layers")?;
        // Versions before the snapshot, the number after it, the browsers last.
        for touch in &touches {
            map.versions.bump(touch, seq);
        }
        let touched: BTreeSet<u16> = touches.iter().map(|t| t.layer).collect();
        map.published.store(Arc::new(Published {
            seq,
            snapshot: map.atlas.snapshot(),
            figures,
            areas: Arc::clone(&areas),
            epoch: before.epoch,
        }));
        map.seq.send_replace(seq);
        self.seq = seq;
        map.metrics.atlas_at(seq as i64);
        for row in rows {
            let (change, published) =
                self.describe(row, &b.villages_of, &b.segments_of, &places, &touched, &dirty);
            map.events.tell(Told::new(&change, published));
        }
        Ok(())
    }

    /// What browsers are told of a row of the feed.
    fn describe(
        &self,
        row: &FeedRow,
        villages_of: &source::Links,
        segments_of: &source::Links,
        places: &HashMap<Uuid, Rect>,
        touched: &BTreeSet<u16>,
        dirty: &BTreeSet<u32>,
    ) -> (Change, bool) {
        let id = row.entity_id.unwrap_or_default();
        let mut rect = places.get(&id).copied().unwrap_or(Rect::EMPTY);
        let mut layers = Vec::new();
        let mut area = row.area_id.and_then(|a| self.world.areas.number_of(a));
        let mut published = true;
        let mut villages = Vec::new();
        match row.kind.as_str() {
            "project" => {
                if let Some(p) = self.world.projects.get(&id) {
                    layers.push(Layer::of_sector(p.sector));
                    area = Some(p.area);
                    published = p.published;
                }
                villages = villages_of.get(&id).cloned().unwrap_or_default();
                for segment in segments_of.get(&id).into_iter().flatten() {
                    rect = rect.union(places.get(segment).copied().unwrap_or(Rect::EMPTY));
                }
                layers.extend([Layer::NaturalVillage, Layer::Road, Layer::WaterScheme]);
            }
            "natural_village" => {
                villages.push(id);
                layers.push(Layer::NaturalVillage);
            }
            "road_segment" => layers.push(Layer::Road),
            _ => layers.push(Layer::WaterScheme),
        }
        let mut concerned: BTreeSet<u32> = area.into_iter().collect();
        for v in villages.iter().filter_map(|v| self.world.villages.get(v)) {
            rect = rect.union(Rect::point(v.place));
            concerned.insert(v.area);
        }
        let mut codes = Vec::new();
        let mut seen = HashSet::new();
        for n in concerned.iter().flat_map(|&a| self.world.areas.chain(a)) {
            if seen.insert(n) {
                codes.push(self.world.areas.get(n).code.to_string());
            }
        }
        if seen.iter().any(|n| dirty.contains(n)) {
            layers.extend([Layer::Area, Layer::Village]);
        }
        // The project's own layer is always named; the others if their tiles really changed.
        let own = layers.first().copied();
        layers.retain(|l| Some(*l) == own || touched.contains(&l.index()));
        layers.sort_unstable();
        let change = Change {
            seq: row.seq as u64,
            kind: row.kind.clone(),
            project_id: (row.kind == "project").then_some(id),
            natural_village_ids: villages,
            layers: layers.into_iter().map(Layer::name).collect(),
            areas: codes,
            bbox: bbox(rect),
        };
        (change, published)
    }

    /// Holds the map against the tables and loads it anew when they differ.
    async fn check(&mut self, map: &Arc<LiveMap>) -> Result<()> {
        let mut tx = self.pool.begin_with(load::BEGIN).await?;
        let newest = feed::newest(&mut tx).await? as u64;
        if newest != self.seq {
            tx.rollback().await?;
            return Ok(()); // Something is on its way; next time.
        }
        let row = sqlx::query(source::TALLY).fetch_one(&mut *tx).await?;
        tx.rollback().await?;
        let ours = self.world.tally();
        let mut theirs = [0_i64; 9];
        for (i, sum) in theirs.iter_mut().enumerate() {
            *sum = row.try_get(i)?;
        }
        if ours != theirs {
            tracing::error!(
                ?ours,
                ?theirs,
                seq = self.seq,
                "the map differs from the tables; loading it anew"
            );
            self.reload(map, true).await?;
        }
        Ok(())
    }

    /// Packs a large delta. What it shows does not change.
    async fn pack(&mut self, map: &Arc<LiveMap>) {
        if self.since_pack < PACK_AT {
            return;
        }
        self.since_pack = 0;
        let atlas = Arc::clone(&map.atlas);
        match tokio::task::spawn_blocking(move || atlas.compact(PACK_AT / 4)).await {
            Ok(Ok(_)) => {
                let now = map.published.load_full();
                map.published.store(Arc::new(Published { snapshot: map.atlas.snapshot(), ..(*now).clone() }));
            }
            Ok(Err(error)) => tracing::warn!(%error, "the map could not be packed"),
            Err(error) => tracing::warn!(%error, "the map could not be packed"),
        }
    }
}

/// Counts that the tiles of areas and villages show.
fn shows_on_areas(metric: Metric) -> bool {
    let shown = [Service::Road, Service::Water]
        .into_iter()
        .flat_map(|s| [Reading::Reported, Reading::Approved].map(|r| Metric::served(s, r)));
    metric == Metric::COUNTED || shown.into_iter().any(|m| m == metric)
}
