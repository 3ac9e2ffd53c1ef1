//! Made-up layers and features, the same on every run.

use tiles::{
    Anchor, Anchors, Atlas, Class, ColumnType, Feature, Geometry, LayerSchema, Mode, Scope, TileId, Version,
    ZoomRule, lonlat_to_world,
};

/// A small generator of numbers that look like chance.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % below
    }

    pub fn unit(&mut self) -> f64 {
        self.roll(1 << 30) as f64 / f64::from(1 << 30)
    }
}

/// Somewhere in a province.
pub fn somewhere(d: &mut Dice) -> [u32; 2] {
    lonlat_to_world(110.0 + 6.0 * d.unit(), 21.0 + 4.0 * d.unit()).unwrap()
}

/// A winding line of `n` places that begins at `p`.
pub fn winding(d: &mut Dice, p: [u32; 2], n: u64, stride: u64) -> Vec<[u32; 2]> {
    let mut at = p;
    (0..n)
        .map(|_| {
            for v in &mut at {
                *v = v.wrapping_add(d.roll(stride) as u32).wrapping_sub(stride as u32 / 3);
            }
            at
        })
        .collect()
}

pub const STATUS: [&str; 3] = ["done", "under_way", "gap"];
pub const AREAS: [&str; 4] = ["4401", "4402", "4403", "4404"];

/// Where the areas' aggregates stand: spread over the province, the fallback at its middle.
pub fn anchors() -> Anchors {
    let at = |i: usize| lonlat_to_world(110.5 + 1.5 * i as f64, 21.5 + i as f64).unwrap();
    let anchor = |i: usize| Anchor { at: at(i), props: vec![("name".into(), format!("市{i}").into())] };
    Anchors::new((0..3).map(|i| (AREAS[i].into(), anchor(i))), lonlat_to_world(113.0, 23.0).unwrap())
}

/// Villages: points with a name, a status, an area and a note for staff.
pub fn villages() -> LayerSchema {
    LayerSchema::new("natural_village")
        .public()
        .public_column("name", ColumnType::Str)
        .public_column("status", ColumnType::Str)
        .public_column("area", ColumnType::Str)
        .column("households", ColumnType::UInt)
        .rules(vec![
            ZoomRule::new(
                0..=6,
                Mode::AggregateBy { column: 2, count_by: Some(1), anchors: anchors().into() },
            ),
            ZoomRule::new(7..=11, Mode::ClusterPoints { cell_px: 32, group: Some(1) }).carrying([0, 1]),
            ZoomRule::new(12..=20, Mode::Points),
        ])
}

/// Village number `i`; one in ten is kept.
pub fn village(d: &mut Dice, i: u64) -> Feature {
    let status = STATUS[d.roll(3) as usize];
    let area = AREAS[d.roll(4) as usize];
    let values = vec![
        Some(format!("村{}", i % 400).into()),
        Some(status.into()),
        (d.roll(50) > 0).then(|| area.into()),
        Some(d.roll(90).into()),
    ];
    let class = if d.roll(10) == 0 { Class::Keep } else { Class::Recede };
    let version = Version { class, ..Version::always(values) };
    Feature::new(i, Geometry::point(somewhere(d)), vec![version])
}

/// Roads: lines with a class and a status.
pub fn roads() -> LayerSchema {
    LayerSchema::new("road")
        .public()
        .public_column("class", ColumnType::Str)
        .public_column("status", ColumnType::Str)
        .public_column("km", ColumnType::Double)
        .rules(vec![
            ZoomRule::new(0..=8, Mode::MergeLines { by: vec![0], min_length_px: 0.0, tolerance_px: 0.25 }),
            ZoomRule::new(
                9..=11,
                Mode::Geometry { min_length_px: 1.0, min_area_px: 0.0, tolerance_px: 0.125 },
            ),
            ZoomRule::new(12..=20, Mode::EXACT),
        ])
}

pub fn road(d: &mut Dice, i: u64) -> Feature {
    let values = vec![
        Some(["X", "Y", "C"][d.roll(3) as usize].into()),
        Some(STATUS[d.roll(3) as usize].into()),
        Some((d.roll(100) as f64 / 8.0).into()),
    ];
    let class = if d.roll(20) == 0 { Class::Keep } else { Class::Recede };
    let (p, n) = (somewhere(d), 2 + d.roll(30));
    let line = winding(d, p, n, 4000);
    let geometry =
        Geometry::lines(&[line]).unwrap_or_else(|_| Geometry::lines(&[[p, p.map(|v| v + 9)]]).unwrap());
    Feature::new(i, geometry, vec![Version { class, ..Version::always(values) }])
}

/// An Atlas of villages (layer 0) and roads (layer 1).
pub fn atlas(n_villages: u64, n_roads: u64) -> Atlas {
    let mut d = Dice(1);
    let atlas = Atlas::new(vec![villages(), roads()]).unwrap();
    let (mut v, mut r) = (atlas.load(0).unwrap(), atlas.load(1).unwrap());
    for i in 0..n_villages {
        v.push(&village(&mut d, i)).unwrap();
    }
    for i in 0..n_roads {
        r.push(&road(&mut d, i)).unwrap();
    }
    atlas.install(vec![v, r], 1).unwrap();
    atlas
}

/// Tiles of a zoom that can see any of it.
pub fn tiles_at(z: u8) -> Vec<TileId> {
    let (nw, se) = (lonlat_to_world(109.9, 25.2).unwrap(), lonlat_to_world(116.2, 20.8).unwrap());
    tiles::TileRange::covering(tiles::Rect { min: nw, max: se }, z).iter().collect()
}

pub const DAY: i32 = 18_000;
pub const BOTH: [Scope; 2] = [Scope::PUBLIC, Scope::STAFF];
