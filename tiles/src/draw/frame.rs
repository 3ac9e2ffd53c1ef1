//! From world units to the units of one tile.

use crate::grid::{EXTENT, Rect, TileId, WorldPoint};

/// A tile as something to draw on: where it lies, how fine it is, where drawing is cut off.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    pub tile: TileId,
    origin: [i64; 2],
    /// Base-2 logarithm of world units to a tile unit.
    pub shift: u32,
    half: i64,
    /// Least and greatest tile coordinate drawn, both inclusive.
    pub lo: i64,
    pub hi: i64,
    pub buffer: u32,
}

impl Frame {
    pub fn new(tile: TileId, buffer: u32) -> Self {
        let shift = tile.unit_log2();
        Self {
            tile,
            origin: tile.origin().map(i64::from),
            shift,
            half: (1_i64 << shift) >> 1,
            lo: -i64::from(buffer),
            hi: i64::from(EXTENT + buffer),
            buffer,
        }
    }

    /// World units that may matter to the tile: the buffer, and one unit of rounding.
    pub fn query(&self) -> Rect {
        self.tile.buffered(self.buffer + 1)
    }

    /// The nearest place on the tile's grid.
    #[inline]
    pub fn snap(&self, p: WorldPoint) -> [i64; 2] {
        [
            (i64::from(p[0]) - self.origin[0] + self.half) >> self.shift,
            (i64::from(p[1]) - self.origin[1] + self.half) >> self.shift,
        ]
    }

    /// The tile unit that a point lies in. Rounding down keeps a point in the tile that owns it.
    #[inline]
    pub fn cell(&self, p: WorldPoint) -> Option<[i32; 2]> {
        let q = [
            (i64::from(p[0]) - self.origin[0]) >> self.shift,
            (i64::from(p[1]) - self.origin[1]) >> self.shift,
        ];
        self.sees(q).then_some(q.map(|v| v as i32))
    }

    #[inline]
    pub fn sees(&self, q: [i64; 2]) -> bool {
        (self.lo..=self.hi).contains(&q[0]) && (self.lo..=self.hi).contains(&q[1])
    }

    /// True when everything in `r` is drawn without being cut.
    pub fn sees_all(&self, r: &Rect) -> bool {
        self.sees(self.snap(r.min)) && self.sees(self.snap(r.max))
    }

    /// Longer side of a rectangle in tile units.
    pub fn longer_side(&self, r: &Rect) -> f64 {
        let side = (r.max[0] - r.min[0]).max(r.max[1] - r.min[1]);
        f64::from(side) / (1_u64 << self.shift) as f64
    }

    /// A distance in tile units as world units.
    pub fn world(&self, units: f64) -> f64 {
        units * (1_u64 << self.shift) as f64
    }
}
