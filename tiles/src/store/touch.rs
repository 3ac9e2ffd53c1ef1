//! Which tiles a change may alter.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use crate::feature::Feature;
use crate::grid::{EXTENT, MAX_ZOOM, Rect, TileId, TileRange};
use crate::schema::{LayerSchema, Mode};

/// A part of a layer that a change may have altered, over some zooms. Tiles outside all touches of
/// a change are, byte for byte, what they were.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Touch {
    /// Index of the layer.
    pub layer: u16,
    /// Zooms concerned.
    pub zooms: RangeInclusive<u8>,
    /// The place, in world units, without the buffer of tiles.
    pub rect: Rect,
    /// Cells of a clustering rule, CSS px: the place reaches to their edges.
    pub cell_px: Option<u32>,
}

impl Touch {
    /// The tiles of zoom `z` concerned, those that see the place in their buffer of `buffer` tile
    /// units included; `None` for a zoom that is not concerned.
    pub fn tiles(&self, z: u8, buffer: u32) -> Option<TileRange> {
        if z > MAX_ZOOM || !self.zooms.contains(&z) {
            return None;
        }
        let unit = u32::from(MAX_ZOOM - z);
        let rect = self.cell_px.map_or(self.rect, |px| self.rect.grown_to_cells(cell_log2(px, z)));
        // One unit more: places are rounded to units before they are compared with the buffer.
        Some(TileRange::covering(rect.grown(u64::from(buffer + 1) << unit), z))
    }

    /// True when the tile is concerned.
    pub fn touches(&self, tile: TileId, buffer: u32) -> bool {
        self.tiles(tile.z(), buffer).is_some_and(|r| r.contains(tile))
    }
}

/// Base-2 logarithm of the world units of a cluster cell's side at a zoom.
pub(crate) fn cell_log2(cell_px: u32, z: u8) -> u32 {
    let px = cell_px.clamp(1, 512).ilog2();
    px + (EXTENT / 512).ilog2() + u32::from(MAX_ZOOM - z)
}

/// Touches without repeats, in the order in which they were found.
#[derive(Debug, Default)]
pub(crate) struct Touches {
    seen: HashSet<Touch>,
    pub list: Vec<Touch>,
}

/// Adds what is touched where `f` appears or disappears.
pub(crate) fn touch_feature(layer: u16, schema: &LayerSchema, f: &Feature, out: &mut Touches) {
    let mut add = |t: Touch| {
        if out.seen.insert(t.clone()) {
            out.list.push(t);
        }
    };
    add(Touch { layer, zooms: 0..=MAX_ZOOM, rect: f.rect(), cell_px: None });
    for rule in &schema.rules {
        let zooms = rule.zooms.clone();
        match &rule.mode {
            Mode::ClusterPoints { cell_px, .. } => {
                let rect = Rect::point(f.anchor_or_own());
                add(Touch { layer, zooms, rect, cell_px: Some(*cell_px) });
            }
            Mode::AggregateBy { column, anchors, .. } => {
                for v in &f.versions {
                    let value = v.values.get(*column).and_then(Option::as_ref);
                    let anchor = value.and_then(|v| anchors.by_value.get(&v.to_bytes()));
                    let rect = Rect::point(anchor.map_or(anchors.fallback, |a| a.at));
                    add(Touch { layer, zooms: zooms.clone(), rect, cell_px: None });
                    // Readers who may not see the column find everything at the fallback.
                    if schema.columns.get(*column).is_some_and(|c| c.scope != crate::Scope::ALL) {
                        let rect = Rect::point(anchors.fallback);
                        add(Touch { layer, zooms: zooms.clone(), rect, cell_px: None });
                    }
                }
            }
            _ => {}
        }
    }
}
