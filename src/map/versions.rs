//! Which change last touched a tile. A change costs a few entries per zoom, however many tiles lie
//! below it; a lookup costs one look per zoom.

use std::collections::HashMap;
use std::sync::RwLock;
use std::sync::atomic::{AtomicU64, Ordering};

use tiles::{TileId, Touch};

/// Deepest zoom with entries of its own; a deeper tile asks its ancestor here.
const DEEPEST: u8 = 14;
/// A change is written down at the deepest zoom at which it touches no more tiles than this.
const MAX_TILES: u64 = 6;
/// Buffer of tiles, in tile units.
const BUFFER: u32 = 64;
/// With more entries than this everything is forgotten: all tiles get a new version once.
const MAX_ENTRIES: usize = 2_000_000;

#[derive(Debug, Clone, Copy, Default)]
struct Marks {
    /// Last change anywhere inside the tile.
    within: u64,
    /// Last change that covers the whole tile, as far as is written down.
    cover: u64,
}

/// The sequence of the last change of every tile of one layer.
#[derive(Debug, Default)]
struct LayerVersions {
    marks: RwLock<HashMap<(u8, u32, u32), Marks>>,
}

/// The sequence of the last change of every tile, layer by layer.
#[derive(Debug)]
pub struct TileVersions {
    base: AtomicU64,
    layers: Vec<LayerVersions>,
}

impl TileVersions {
    /// Everything was last changed at `base`.
    pub fn new(layers: usize, base: u64) -> Self {
        Self { base: AtomicU64::new(base), layers: (0..layers).map(|_| LayerVersions::default()).collect() }
    }

    /// The last change of a tile in one layer.
    pub fn of(&self, layer: usize, tile: TileId) -> u64 {
        let (mut z, mut x, mut y) = (tile.z(), tile.x(), tile.y());
        if z > DEEPEST {
            (x, y) = (x >> (z - DEEPEST), y >> (z - DEEPEST));
            z = DEEPEST;
        }
        let marks = self.layers[layer].marks.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut last = self.base.load(Ordering::Acquire);
        if marks.is_empty() {
            return last;
        }
        last = last.max(marks.get(&(z, x, y)).map_or(0, |m| m.within.max(m.cover)));
        while z > 0 {
            (z, x, y) = (z - 1, x >> 1, y >> 1);
            last = last.max(marks.get(&(z, x, y)).map_or(0, |m| m.cover));
        }
        last
    }

    /// Notes that `seq` changed what a touch says.
    pub fn bump(&self, touch: &Touch, seq: u64) {
        let Some(layer) = self.layers.get(usize::from(touch.layer)) else { return };
        let mut marks = layer.marks.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (first, last) = (*touch.zooms.start(), *touch.zooms.end());
        let few = |z: u8| touch.tiles(z, BUFFER).filter(|r| r.count() <= MAX_TILES);
        let deepest = (first..=last.min(DEEPEST)).rev().find_map(|z| few(z).map(|r| (z, r)));
        // A touch of shallow zooms alone may name many tiles at every one of them (a cluster's
        // cell never does, but a rule could): then everything below zoom 0's tile is meant.
        let (deepest, cover) = match deepest {
            Some((z, range)) => (z, range.iter().collect::<Vec<_>>()),
            None => (0, TileId::new(0, 0, 0).into_iter().collect()),
        };
        for tile in cover {
            let mark = marks.entry((tile.z(), tile.x(), tile.y())).or_default();
            // Deeper zooms are covered only where the touch reaches them.
            if last > deepest {
                mark.cover = mark.cover.max(seq);
            }
            mark.within = mark.within.max(seq);
        }
        // A shallower zoom may touch a few tiles more than a deeper one, as its buffer is wider on
        // the ground; never many, so none is left out.
        for z in first..deepest {
            for tile in touch.tiles(z, BUFFER).into_iter().flat_map(|r| r.iter()) {
                let mark = marks.entry((z, tile.x(), tile.y())).or_default();
                mark.within = mark.within.max(seq);
            }
        }
        if marks.len() > MAX_ENTRIES {
            // Base first: a reader that misses the entries must not fall back behind them.
            self.base.fetch_max(seq, Ordering::AcqRel);
            marks.clear();
        }
    }

    /// Notes that `seq` changed everything.
    pub fn bump_all(&self, seq: u64) {
        self.base.fetch_max(seq, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tiles::Rect;

    fn touch(layer: u16, rect: Rect, zooms: std::ops::RangeInclusive<u8>) -> Touch {
        Touch { layer, zooms, rect, cell_px: None }
    }

    #[test]
    fn only_tiles_near_the_change_are_touched() {
        let v = TileVersions::new(2, 7);
        let p = tiles::lonlat_to_world(115.5, 23.8).unwrap();
        v.bump(&touch(1, Rect::point(p), 0..=20), 9);
        for z in 0..=20 {
            let tile = TileId::at(z, p).unwrap();
            assert_eq!((v.of(0, tile), v.of(1, tile)), (7, 9), "z{z}");
        }
        let far = TileId::at(9, tiles::lonlat_to_world(111.0, 21.5).unwrap()).unwrap();
        assert_eq!(v.of(1, far), 7);
    }

    #[test]
    fn a_touch_of_some_zooms_leaves_the_others_alone() {
        let v = TileVersions::new(1, 7);
        let p = tiles::lonlat_to_world(115.5, 23.8).unwrap();
        v.bump(&touch(0, Rect::point(p), 3..=5), 9);
        let of = |z| v.of(0, TileId::at(z, p).unwrap());
        assert_eq!([of(2), of(3), of(5), of(6), of(14)], [7, 9, 9, 7, 7]);
    }

    #[test]
    fn a_zoom_that_touches_more_tiles_than_the_next_is_not_left_out() {
        // Just right of a tile's edge: the buffer of z9 reaches over it (8 tiles), that of z10 does not (6).
        let a = tiles::lonlat_to_world(112.509_903, 27.295).unwrap();
        let b = tiles::lonlat_to_world(112.509_903, 25.585_452).unwrap();
        let t = touch(0, Rect::around(&[a, b]), 0..=20);
        let v = TileVersions::new(1, 1);
        v.bump(&t, 5);
        for z in 0..=12 {
            assert!(t.tiles(z, 64).unwrap().iter().all(|tile| v.of(0, tile) == 5), "z{z}");
        }
    }

    proptest! {
        #[test]
        fn every_tile_that_a_touch_names_is_bumped(
            lon in 109.0..118.0, lat in 20.0..26.0, w in 0.0..3.0, h in 0.0..2.0,
            z in 0_u8..=20, fx in 0.0..1.0, fy in 0.0..1.0
        ) {
            let a = tiles::lonlat_to_world(lon, lat + h).unwrap();
            let b = tiles::lonlat_to_world(lon + w, lat).unwrap();
            let t = touch(0, Rect::around(&[a, b]), 0..=20);
            let v = TileVersions::new(1, 1);
            v.bump(&t, 5);
            let inside = tiles::lonlat_to_world(lon + w * fx, lat + h * fy).unwrap();
            let tile = TileId::at(z, inside).unwrap();
            prop_assert!(t.touches(tile, 64));
            prop_assert_eq!(v.of(0, tile), 5);
            for near in t.tiles(z.min(9), 64).unwrap().iter().take(500) {
                prop_assert_eq!(v.of(0, near), 5);
            }
        }
    }
}
