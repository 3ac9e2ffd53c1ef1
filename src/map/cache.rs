//! Finished tiles, compressed, by everything that their bytes depend on.
//!
//! The version of the tile is part of the key, so an entry of an older version can never be
//! answered again: it is only memory until the cache needs the room. What races with a change is
//! refused (see [`TileCache::keep`]).

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tiles::TileId;

use super::encoding::Encoding;
use super::timeline::Day;

/// The two formats of a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Mapbox Vector Tile 2.1.
    Mvt,
    /// MapLibre Tile.
    Mlt,
}

/// Who asks. Part of every key: a tile made for staff is never given to the public.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Anybody: approved figures, published projects, an allow-list of layers and columns.
    Public,
    /// People signed in.
    Staff,
}

impl Scope {
    pub(super) fn tiles(self) -> tiles::Scope {
        match self {
            Self::Public => tiles::Scope::PUBLIC,
            Self::Staff => tiles::Scope::STAFF,
        }
    }
}

/// Everything that the bytes of a tile depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    /// Layers as bits.
    pub layers: u16,
    /// Which tile.
    pub tile: TileId,
    /// The day that it speaks of.
    pub day: Day,
    /// For whom.
    pub scope: Scope,
    /// As what.
    pub format: Format,
    /// Compressed how.
    pub encoding: Encoding,
    /// Last change of the tile in these layers.
    pub version: u64,
    /// Load of the map that it was drawn from, where a repair has to be told from what it mended.
    pub epoch: u32,
}

#[derive(Debug, Clone)]
struct Weigh;

impl Weighter<Key, Bytes> for Weigh {
    fn weight(&self, _: &Key, bytes: &Bytes) -> u64 {
        // Entry, key and allocation; an empty tile is not free.
        bytes.len() as u64 + 160
    }
}

/// The cache of one node.
pub struct TileCache {
    entries: Cache<Key, Bytes, Weigh>,
    refused: AtomicU64,
}

impl std::fmt::Debug for TileCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TileCache").field("entries", &self.entries.len()).finish_non_exhaustive()
    }
}

impl TileCache {
    /// A cache of at most `bytes`.
    pub fn new(bytes: usize) -> Self {
        // An average tile compresses to about 6 KB.
        let entries = Cache::with_weighter((bytes / 6000).max(64), bytes as u64, Weigh);
        Self { entries, refused: AtomicU64::new(0) }
    }

    /// The tile, if it is there.
    #[inline]
    pub fn get(&self, key: &Key) -> Option<Bytes> {
        self.entries.get(key)
    }

    /// The tile, made by `make` if it is not there. Of several that ask at once one makes it and
    /// the others wait. It is kept only if `still` holds afterwards: the version that it was made
    /// for is still the tile's.
    ///
    /// # Errors
    /// Whatever `make` says.
    pub async fn keep<E>(
        &self,
        key: &Key,
        make: impl Future<Output = Result<Bytes, E>>,
        still: impl FnOnce() -> bool,
    ) -> Result<Bytes, E> {
        match self.entries.get_value_or_guard_async(key).await {
            Ok(bytes) => Ok(bytes),
            Err(guard) => {
                let bytes = make.await?;
                if still() {
                    let _ = guard.insert(bytes.clone());
                } else {
                    self.refused.fetch_add(1, Ordering::Relaxed);
                }
                Ok(bytes)
            }
        }
    }

    /// Memory of the entries, bytes.
    pub fn weight(&self) -> u64 {
        self.entries.weight()
    }

    /// Tiles that were not kept because a change came while they were made.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}
