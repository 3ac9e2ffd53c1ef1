//! The world grid and the tiles that lie on it.
//!
//! The world is the square of EPSG:3857 cut into 2^32 × 2^32 units; x grows east, y grows *south*.
//! A tile of zoom `z` is `2^(32-z)` units wide and is drawn on [`EXTENT`] units of its own, so that
//! from world to tile is a shift, and zoom 20 shows world units one to one.

use std::f64::consts::PI;

/// Units along a side of a tile, in tile space.
pub const EXTENT: u32 = 4096;
/// Base-2 logarithm of [`EXTENT`].
pub const EXTENT_LOG2: u32 = 12;
/// The deepest zoom: there a tile unit is a world unit.
pub const MAX_ZOOM: u8 = 20;
/// Tile units to one CSS pixel: a tile is drawn 512 px wide.
pub const UNITS_PER_PX: u32 = EXTENT / 512;
/// Latitude at which the square of EPSG:3857 ends, in degrees.
pub const MAX_LAT: f64 = 85.051_128_779_806_59;

const WORLD: f64 = 4_294_967_296.0;

/// A place on the world grid, in world units.
pub type WorldPoint = [u32; 2];

/// Projects a place in degrees onto the grid, rounding down to its unit.
///
/// Returns `None` for values that are not finite, a longitude beyond ±180 or a latitude beyond
/// [`MAX_LAT`]. Longitude 180 and the southern edge belong to the last unit.
pub fn lonlat_to_world(lon: f64, lat: f64) -> Option<WorldPoint> {
    if !(lon.is_finite() && lat.is_finite()) || lon.abs() > 180.0 || lat.abs() > MAX_LAT {
        return None;
    }
    let x = (lon + 180.0) / 360.0;
    let y = 0.5 - lat.to_radians().sin().atanh() / (2.0 * PI);
    // A float-to-integer cast saturates, so the far edges land in the last unit.
    Some([(x * WORLD).floor() as u32, (y * WORLD).floor() as u32])
}

/// The place in degrees (longitude, latitude) of the middle of a world unit.
pub fn world_to_lonlat(p: WorldPoint) -> (f64, f64) {
    let x = (p[0] as f64 + 0.5) / WORLD;
    let y = (p[1] as f64 + 0.5) / WORLD;
    (x * 360.0 - 180.0, (2.0 * PI * (0.5 - y)).tanh().asin().to_degrees())
}

/// A rectangle of world units; both corners belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rect {
    /// North-west corner.
    pub min: WorldPoint,
    /// South-east corner, inclusive.
    pub max: WorldPoint,
}

impl Rect {
    /// The whole world.
    pub const WORLD: Self = Self { min: [0, 0], max: [u32::MAX, u32::MAX] };
    /// Holds nothing and is neutral in [`Rect::union`].
    pub const EMPTY: Self = Self { min: [u32::MAX, u32::MAX], max: [0, 0] };

    /// The rectangle of one unit.
    pub fn point(p: WorldPoint) -> Self {
        Self { min: p, max: p }
    }

    /// The smallest rectangle around all points; [`Rect::EMPTY`] for none.
    pub fn around(points: &[WorldPoint]) -> Self {
        points.iter().fold(Self::EMPTY, |r, p| r.union(Self::point(*p)))
    }

    /// True when no unit belongs to it.
    pub fn is_empty(&self) -> bool {
        self.min[0] > self.max[0] || self.min[1] > self.max[1]
    }

    /// The smallest rectangle around both.
    #[must_use]
    pub fn union(self, o: Self) -> Self {
        Self {
            min: [self.min[0].min(o.min[0]), self.min[1].min(o.min[1])],
            max: [self.max[0].max(o.max[0]), self.max[1].max(o.max[1])],
        }
    }

    /// True when the two share a unit.
    pub fn intersects(&self, o: &Self) -> bool {
        self.min[0] <= o.max[0]
            && o.min[0] <= self.max[0]
            && self.min[1] <= o.max[1]
            && o.min[1] <= self.max[1]
    }

    /// True when `o` lies wholly inside.
    pub fn contains(&self, o: &Self) -> bool {
        self.min[0] <= o.min[0]
            && self.min[1] <= o.min[1]
            && self.max[0] >= o.max[0]
            && self.max[1] >= o.max[1]
    }

    /// Grown by `by` world units on each side, within the world.
    #[must_use]
    pub fn grown(self, by: u64) -> Self {
        let by = u32::try_from(by).unwrap_or(u32::MAX);
        Self { min: self.min.map(|v| v.saturating_sub(by)), max: self.max.map(|v| v.saturating_add(by)) }
    }

    /// Grown outwards to whole cells of `2^log2` units (`log2` up to 32).
    #[must_use]
    pub fn grown_to_cells(self, log2: u32) -> Self {
        let mask = ((1_u64 << log2.min(32)) - 1) as u32;
        Self { min: self.min.map(|v| v & !mask), max: self.max.map(|v| v | mask) }
    }
}

/// The address of a tile; always one that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TileId {
    z: u8,
    x: u32,
    y: u32,
}

impl TileId {
    /// `None` when `z` is over [`MAX_ZOOM`] or `x` or `y` lies outside the zoom's square.
    pub fn new(z: u8, x: u32, y: u32) -> Option<Self> {
        (z <= MAX_ZOOM && x >> z == 0 && y >> z == 0).then_some(Self { z, x, y })
    }

    /// The tile of zoom `z` that holds `p`; `None` when `z` is over [`MAX_ZOOM`].
    pub fn at(z: u8, p: WorldPoint) -> Option<Self> {
        let [x, y] = p.map(|v| (u64::from(v) >> (32 - z.min(32))) as u32);
        Self::new(z, x, y)
    }

    /// Zoom.
    pub fn z(self) -> u8 {
        self.z
    }

    /// Column, from the west.
    pub fn x(self) -> u32 {
        self.x
    }

    /// Row, from the north.
    pub fn y(self) -> u32 {
        self.y
    }

    /// Base-2 logarithm of the world units to one tile unit.
    pub fn unit_log2(self) -> u32 {
        u32::from(MAX_ZOOM - self.z)
    }

    /// World place of the north-west corner. (Its unit is the first of the tile.)
    pub fn origin(self) -> WorldPoint {
        let log2 = 32 - u32::from(self.z);
        [self.x, self.y].map(|v| (u64::from(v) << log2) as u32)
    }

    /// The units of the tile itself.
    pub fn rect(self) -> Rect {
        let last = ((1_u64 << (32 - u32::from(self.z))) - 1) as u32;
        let min = self.origin();
        Rect { min, max: min.map(|v| v + last) }
    }

    /// The tile grown by `buffer` tile units on each side.
    pub fn buffered(self, buffer: u32) -> Rect {
        self.rect().grown(u64::from(buffer) << self.unit_log2())
    }
}

/// All tiles of one zoom in a block of columns and rows (inclusive).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TileRange {
    /// Zoom.
    pub z: u8,
    /// First and last column.
    pub x: [u32; 2],
    /// First and last row.
    pub y: [u32; 2],
}

impl TileRange {
    /// The tiles of zoom `z` (at most [`MAX_ZOOM`]) that share a unit with `rect`.
    pub fn covering(rect: Rect, z: u8) -> Self {
        let z = z.min(MAX_ZOOM);
        let cut = |v: u32| (u64::from(v) >> (32 - z)) as u32;
        Self { z, x: [cut(rect.min[0]), cut(rect.max[0])], y: [cut(rect.min[1]), cut(rect.max[1])] }
    }

    /// True when `t` is one of them.
    pub fn contains(&self, t: TileId) -> bool {
        t.z == self.z && (self.x[0]..=self.x[1]).contains(&t.x) && (self.y[0]..=self.y[1]).contains(&t.y)
    }

    /// How many tiles.
    pub fn count(&self) -> u64 {
        u64::from(self.x[1] - self.x[0] + 1) * u64::from(self.y[1] - self.y[0] + 1)
    }

    /// Each of them, row by row.
    pub fn iter(&self) -> impl Iterator<Item = TileId> + use<> {
        let Self { z, x, y } = *self;
        (y[0]..=y[1]).flat_map(move |y| (x[0]..=x[1]).map(move |x| TileId { z, x, y }))
    }
}

/// Position of a place on a Hilbert curve of 2^16 × 2^16 cells.
///
/// Neighbours on the curve are neighbours on the map; features are stored and written in this order.
pub(crate) fn hilbert(p: WorldPoint) -> u32 {
    let [mut x, mut y] = p.map(|v| v >> 16);
    let mut position = 0_u32;
    for bit in (0..16).rev() {
        let side = 1_u32 << bit;
        let east = u32::from(x & side != 0);
        let south = u32::from(y & side != 0);
        position += side * side * ((3 * east) ^ south);
        if south == 0 {
            if east == 1 {
                x = 0xFFFF - x;
                y = 0xFFFF - y;
            }
            std::mem::swap(&mut x, &mut y);
        }
    }
    position
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_of_the_world() {
        assert_eq!(lonlat_to_world(-180.0, MAX_LAT).map(|p| p[0]), Some(0));
        assert_eq!(lonlat_to_world(180.0, -MAX_LAT).map(|p| p[0]), Some(u32::MAX));
        assert_eq!(lonlat_to_world(0.0, 0.0), Some([1 << 31, 1 << 31]));
        assert_eq!(lonlat_to_world(0.0, 85.06), None);
        assert_eq!(lonlat_to_world(180.01, 0.0), None);
        assert_eq!(lonlat_to_world(f64::NAN, 0.0), None);
    }

    #[test]
    fn projects_there_and_back_within_a_unit() {
        for (lon, lat) in [(113.264, 23.129), (-70.5, -33.4), (179.9, 84.0), (-179.9, -84.0)] {
            let p = lonlat_to_world(lon, lat).unwrap();
            let (a, b) = world_to_lonlat(p);
            assert!((a - lon).abs() < 1e-7 && (b - lat).abs() < 1e-7, "{a} {b}");
            assert_eq!(lonlat_to_world(a, b), Some(p));
        }
    }

    #[test]
    fn only_tiles_that_exist() {
        assert!(TileId::new(21, 0, 0).is_none());
        assert!(TileId::new(0, 1, 0).is_none());
        assert!(TileId::new(20, (1 << 20) - 1, 0).is_some());
        assert_eq!(TileId::new(0, 0, 0).unwrap().rect(), Rect::WORLD);
        let t = TileId::new(20, (1 << 20) - 1, 5).unwrap();
        assert_eq!(t.rect().max[0], u32::MAX);
        assert_eq!(TileId::at(20, t.rect().min), Some(t));
        assert_eq!(TileId::at(0, [u32::MAX; 2]), TileId::new(0, 0, 0));
    }

    #[test]
    fn hilbert_visits_every_cell_and_steps_to_neighbours() {
        // The curve over 2^16 cells a side, restricted to its first 4096 positions, is a 64-square.
        let mut at = std::collections::HashMap::new();
        for x in 0..64_u32 {
            for y in 0..64_u32 {
                assert!(at.insert(hilbert([x << 16, y << 16]), (x as i32, y as i32)).is_none());
            }
        }
        for d in 1..4096 {
            let (a, b) = (at[&(d - 1)], at[&d]);
            assert_eq!((a.0 - b.0).abs() + (a.1 - b.1).abs(), 1);
        }
    }
}
