//! The live map: the Atlas loaded from PostGIS, kept true by the change feed, and its tile cache.
//!
//! Invariants:
//! - What readers see ([`Published`]) is one moment of the feed: Atlas, figures and areas together.
//! - A change is visible in this order: it bumps the versions of the tiles it touches, it is
//!   published, [`LiveMap::seq`] moves on, browsers are told. So whoever hears of change N, or asks
//!   with `min_seq=N`, gets a tile made of N or later, from any node.
//! - A tile of version v made from a published moment s ≥ v, where v is still the tile's last
//!   change, equals the tile at every moment from v to s: its ETag names one content for good.

pub mod areas;
mod batch;
pub mod cache;
mod copy;
pub mod encoding;
pub mod events;
mod features;
pub mod figures;
mod follow;
mod load;
mod roads;
pub mod schema;
mod source;
pub mod timeline;
mod versions;
mod wkb;
mod world;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use arc_swap::ArcSwap;
use bytes::Bytes;
use sqlx::PgPool;
use tiles::{Atlas, Options, Snapshot, TileId};
use tokio::sync::{Semaphore, watch};

use crate::clock::Clock;
use crate::error::{Code, Error, Result};
use crate::telemetry::Metrics;
use areas::{AreaTree, Level};
use cache::{Format, Key, Scope, TileCache};
use encoding::Encoding;
use events::Events;
use figures::{AreaFigures, Figures, Reporting};
use schema::Layer;
use timeline::Day;
use versions::TileVersions;

/// One moment of the feed, as readers see it.
#[derive(Debug, Clone)]
pub struct Published {
    /// Everything up to this change is in it, and nothing after.
    pub seq: u64,
    /// What tiles are drawn from.
    pub snapshot: Arc<Snapshot>,
    /// Coverage and progress by area and date.
    pub figures: Figures,
    /// The areas.
    pub areas: Arc<AreaTree>,
    /// Raised when the map was mended without a change in the feed.
    epoch: u32,
}

impl Published {
    /// Whether an area has a task and reports.
    pub fn reporting(&self, area: u32, day: Day) -> Reporting {
        features::reporting(self.areas.get(area).level, self.figures.area(area), day)
    }

    /// Figures of an area.
    pub fn area(&self, area: u32) -> &AreaFigures {
        self.figures.area(area)
    }
}

/// A tile that somebody asks for.
#[derive(Debug, Clone, Copy)]
pub struct TileQuery {
    /// Layers as bits; see [`layer_bits`].
    pub layers: u16,
    /// Which tile.
    pub tile: TileId,
    /// The day that it shall speak of.
    pub day: Day,
    /// For whom.
    pub scope: Scope,
    /// As what.
    pub format: Format,
    /// Compressed how.
    pub encoding: Encoding,
}

/// The bits of some layers.
pub fn layer_bits(layers: impl IntoIterator<Item = Layer>) -> u16 {
    layers.into_iter().fold(0, |bits, l| bits | 1 << l.index())
}

fn layers_of(bits: u16) -> impl Iterator<Item = Layer> {
    Layer::ALL.into_iter().filter(move |l| bits & (1 << l.index()) != 0)
}

/// The map of this node.
#[derive(Debug)]
pub struct LiveMap {
    published: ArcSwap<Published>,
    atlas: Arc<Atlas>,
    versions: TileVersions,
    cache: TileCache,
    /// Few builds at a time: more would only take turns on the same cores.
    builds: Semaphore,
    seq: watch::Sender<u64>,
    events: Events,
    metrics: Arc<Metrics>,
}

impl LiveMap {
    /// Loads the map from the database and follows the change feed from then on, until the last
    /// handle is dropped or the pool is closed.
    pub async fn start(
        pool: PgPool,
        clock: Clock,
        metrics: Arc<Metrics>,
        cache_bytes: usize,
    ) -> anyhow::Result<Arc<Self>> {
        let atlas = Arc::new(Atlas::new(schema::schemas(&AreaTree::default())).context("map layers")?);
        let loaded = load::load(&pool, &atlas, clock.business_date()).await?;
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let published = Published {
            seq: loaded.seq,
            snapshot: atlas.snapshot(),
            figures: loaded.figures,
            areas: Arc::clone(&loaded.world.areas),
            epoch: 0,
        };
        let map = Arc::new(Self {
            published: ArcSwap::from_pointee(published),
            versions: TileVersions::new(Layer::ALL.len(), loaded.seq),
            atlas,
            cache: TileCache::new(cache_bytes),
            builds: Semaphore::new(cores),
            seq: watch::Sender::new(loaded.seq),
            events: Events::default(),
            metrics,
        });
        follow::spawn(&map, pool, clock, loaded.world).await?;
        Ok(map)
    }

    /// The change up to which this map shows everything.
    pub fn seq(&self) -> i64 {
        *self.seq.borrow() as i64
    }

    /// What readers see now.
    pub fn published(&self) -> Arc<Published> {
        self.published.load_full()
    }

    /// The stream of changes.
    pub fn events(&self) -> &Events {
        &self.events
    }

    /// Waits until this node shows change `seq`.
    ///
    /// # Errors
    /// [`Code::NotCaughtUp`] after `patience`.
    pub async fn wait_for(&self, seq: u64, patience: Duration) -> Result<()> {
        let mut watched = self.seq.subscribe();
        if *watched.borrow_and_update() >= seq {
            return Ok(());
        }
        match tokio::time::timeout(patience, watched.wait_for(|s| *s >= seq)).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(Error::problem(
                Code::NotCaughtUp,
                format!("本节点还没有更新到第 {seq} 号变更，请稍候再取。"),
                format!("This node does not yet show change {seq}; ask again in a moment."),
            )),
        }
    }

    /// The published moment together with the version of a tile in it. The two fit: see the
    /// invariants of this module.
    fn moment(&self, layers: u16, tile: TileId) -> (Arc<Published>, u64) {
        loop {
            let published = self.published.load_full();
            let version =
                layers_of(layers).map(|l| self.versions.of(usize::from(l.index()), tile)).max().unwrap_or(0);
            if version <= published.seq {
                return (published, version);
            }
            // A change has bumped its tiles and is published within microseconds.
            std::thread::yield_now();
        }
    }

    /// The key of a tile as it stands now: what its ETag is made of.
    pub fn key(&self, query: &TileQuery) -> Key {
        let (published, version) = self.moment(query.layers, query.tile);
        key(query, version, published.epoch)
    }

    /// The tile of a key, from the cache or made now. Empty bytes when nothing is there. The
    /// answer says by which key it goes: the tile may have changed since the key was asked for.
    ///
    /// # Errors
    /// When encoding fails, which is our fault.
    pub async fn tile(self: &Arc<Self>, query: TileQuery) -> Result<(Key, Bytes)> {
        let (published, version) = self.moment(query.layers, query.tile);
        let key = key(&query, version, published.epoch);
        if let Some(bytes) = self.cache.get(&key) {
            self.metrics.tile("hit");
            return Ok((key, bytes));
        }
        self.metrics.tile("miss");
        let map = Arc::clone(self);
        let make = async move {
            let _permit = map.builds.acquire().await.context("tile builds have ended")?;
            let task = tokio::task::spawn_blocking(move || build(&published.snapshot, &query));
            task.await.context("tile build was interrupted")?
        };
        let still = || self.moment(query.layers, query.tile).1 == version;
        let bytes = self.cache.keep(&key, make, still).await.map_err(Error::Internal)?;
        self.metrics.tile_cache_bytes(self.cache.weight());
        Ok((key, bytes))
    }

    /// Bounds of everything, as west, south, east, north.
    pub fn bounds(&self) -> [f64; 4] {
        let published = self.published.load();
        let provinces = published.areas.all().iter().filter(|a| a.level == Level::Province);
        let rect = provinces.fold(tiles::Rect::EMPTY, |r, a| r.union(a.bounds()));
        bbox(rect).unwrap_or([-180.0, -85.0, 180.0, 85.0])
    }
}

fn key(query: &TileQuery, version: u64, epoch: u32) -> Key {
    let &TileQuery { layers, tile, day, scope, format, encoding } = query;
    Key { layers, tile, day, scope, format, encoding, version, epoch }
}

/// Draws, encodes and compresses a tile.
fn build(snapshot: &Snapshot, query: &TileQuery) -> anyhow::Result<Bytes> {
    let layers: Vec<u16> = layers_of(query.layers).map(Layer::index).collect();
    let options = Options::new(query.day, query.scope.tiles());
    let plain = match query.format {
        Format::Mvt => tiles::encode_tile(snapshot, &layers, query.tile, &options),
        Format::Mlt => tiles::encode_tile_mlt(snapshot, &layers, query.tile, &options).context("MLT")?,
    };
    if plain.over_limit {
        tracing::warn!(tile = ?query.tile, bytes = plain.bytes.len(), "a tile stayed over the limit");
    }
    if plain.bytes.is_empty() {
        return Ok(Bytes::new());
    }
    Ok(Bytes::from(query.encoding.encode(&plain.bytes)?))
}

/// A world rectangle as west, south, east, north in degrees.
pub(crate) fn bbox(rect: tiles::Rect) -> Option<[f64; 4]> {
    if rect.is_empty() {
        return None;
    }
    let (west, north) = tiles::world_to_lonlat(rect.min);
    let (east, south) = tiles::world_to_lonlat(rect.max);
    Some([west, south, east, north].map(|d| (d * 1e6).round() / 1e6))
}
