//! Ground: outlines, metres around a county, and the valleys that villages and roads follow.

use super::dice::Dice;

/// Metres east and north of a county's origin.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Point {
    /// East.
    pub x: f64,
    /// North.
    pub y: f64,
}

impl Point {
    /// Distance in metres.
    pub fn to(self, other: Self) -> f64 {
        (self.x - other.x).hypot(self.y - other.y)
    }
    /// The point at `t` of the way to another.
    pub fn toward(self, other: Self, t: f64) -> Self {
        Self { x: self.x + (other.x - self.x) * t, y: self.y + (other.y - self.y) * t }
    }
}

/// A multipolygon in degrees: polygons of rings of [lon, lat].
#[derive(Debug, Clone)]
pub struct Outline {
    /// Polygons; the first ring of each is its shell.
    pub polygons: Vec<Vec<Vec<[f64; 2]>>>,
}

impl Outline {
    /// From GeoJSON coordinates of a MultiPolygon.
    pub fn new(polygons: Vec<Vec<Vec<[f64; 2]>>>) -> Self {
        Self { polygons }
    }

    /// Bounds: west, south, east, north in degrees.
    pub fn bounds(&self) -> [f64; 4] {
        let mut b = [f64::MAX, f64::MAX, f64::MIN, f64::MIN];
        for [x, y] in self.polygons.iter().flatten().flatten() {
            b = [b[0].min(*x), b[1].min(*y), b[2].max(*x), b[3].max(*y)];
        }
        b
    }

    /// Is the place inside? Even-odd rule over all rings.
    pub fn contains(&self, lon: f64, lat: f64) -> bool {
        let mut inside = false;
        for ring in self.polygons.iter().flatten() {
            for pair in ring.windows(2) {
                let ([x1, y1], [x2, y2]) = (pair[0], pair[1]);
                if (y1 > lat) != (y2 > lat) && lon < (x2 - x1) * (lat - y1) / (y2 - y1) + x1 {
                    inside = !inside;
                }
            }
        }
        inside
    }

    /// A place for the label: far from every border, found by a grid that is refined twice.
    pub fn label_point(&self) -> [f64; 2] {
        let b = self.bounds();
        let mut centre = [f64::midpoint(b[0], b[2]), f64::midpoint(b[1], b[3])];
        let mut half = [(b[2] - b[0]) / 2.0, (b[3] - b[1]) / 2.0];
        let mut best = -1.0;
        for _ in 0..3 {
            let from = centre;
            for i in -12..=12 {
                for j in -12..=12 {
                    let (lon, lat) =
                        (from[0] + half[0] * f64::from(i) / 12.0, from[1] + half[1] * f64::from(j) / 12.0);
                    if self.contains(lon, lat) {
                        let d = self.border_distance(lon, lat);
                        if d > best {
                            best = d;
                            centre = [lon, lat];
                        }
                    }
                }
            }
            half = [half[0] / 8.0, half[1] / 8.0];
        }
        centre
    }

    fn border_distance(&self, lon: f64, lat: f64) -> f64 {
        let mut least = f64::MAX;
        for ring in self.polygons.iter().flatten() {
            for pair in ring.windows(2) {
                let ([x1, y1], [x2, y2]) = (pair[0], pair[1]);
                let (dx, dy) = (x2 - x1, y2 - y1);
                let length = dx * dx + dy * dy;
                let t = if length > 0.0 {
                    (((lon - x1) * dx + (lat - y1) * dy) / length).clamp(0.0, 1.0)
                } else {
                    0.0
                };
                least = least.min((x1 + t * dx - lon).hypot(y1 + t * dy - lat));
            }
        }
        least
    }
}

/// A county's ground: its outline, a flat metre grid around its middle, and its valleys.
pub struct Ground {
    outline: Outline,
    origin: [f64; 2],
    metres: [f64; 2],
    waves: Vec<[f64; 3]>,
}

impl Ground {
    /// The ground of one county. The dice make its valleys.
    pub fn new(outline: &Outline, dice: &mut Dice) -> Self {
        let b = outline.bounds();
        let origin = [f64::midpoint(b[0], b[2]), f64::midpoint(b[1], b[3])];
        let lat = origin[1].to_radians();
        // Lengths of a degree on the ellipsoid; 1 m right in 10 km is enough for a demo.
        let metres =
            [111_412.84 * lat.cos() - 93.5 * (3.0 * lat).cos(), 111_132.92 - 559.82 * (2.0 * lat).cos()];
        let waves = (0..9)
            .map(|i| {
                let length = 3_000.0 * 1.45_f64.powi(i);
                let angle = dice.between(0.0, std::f64::consts::TAU);
                let k = std::f64::consts::TAU / length;
                [k * angle.cos(), k * angle.sin(), dice.between(0.0, std::f64::consts::TAU)]
            })
            .collect();
        Self { outline: outline.clone(), origin, metres, waves }
    }

    /// Degrees of a point, rounded to 1e-7 (about 1 cm).
    pub fn degrees(&self, p: Point) -> [f64; 2] {
        let round = |v: f64| (v * 1e7).round() / 1e7;
        [round(self.origin[0] + p.x / self.metres[0]), round(self.origin[1] + p.y / self.metres[1])]
    }

    /// Metres of a place in degrees.
    pub fn point(&self, lon: f64, lat: f64) -> Point {
        Point { x: (lon - self.origin[0]) * self.metres[0], y: (lat - self.origin[1]) * self.metres[1] }
    }

    /// Is the point inside the county?
    pub fn holds(&self, p: Point) -> bool {
        let [lon, lat] = self.degrees(p);
        self.outline.contains(lon, lat)
    }

    /// How valley-like the ground is, 0 (ridge) to 1 (valley floor). Valleys are the zero lines of
    /// a smooth field: they wind and branch as real ones do.
    pub fn valley(&self, p: Point) -> f64 {
        let mut sum = 0.0;
        for (i, [kx, ky, phase]) in self.waves.iter().enumerate() {
            sum += (kx * p.x + ky * p.y + phase).sin() * (0.4 + i as f64 * 0.12);
        }
        (-(sum * sum) / 0.9).exp()
    }

    /// A random point of the county, valleys preferred.
    pub fn random_point(&self, dice: &mut Dice) -> Point {
        let b = self.outline.bounds();
        let mut last = Point::default();
        for _ in 0..4000 {
            let (lon, lat) = (dice.between(b[0], b[2]), dice.between(b[1], b[3]));
            if !self.outline.contains(lon, lat) {
                continue;
            }
            last = self.point(lon, lat);
            if self.valley(last) + 0.03 > dice.unit() {
                break;
            }
        }
        last
    }
}

/// Points that must keep their distance, in cells of a fixed size.
pub struct Crowd {
    cell: f64,
    cells: std::collections::BTreeMap<(i32, i32), Vec<Point>>,
}

impl Crowd {
    /// Cells of this many metres: at least the distances asked for.
    pub fn new(cell: f64) -> Self {
        Self { cell, cells: std::collections::BTreeMap::new() }
    }

    fn key(&self, p: Point) -> (i32, i32) {
        ((p.x / self.cell).floor() as i32, (p.y / self.cell).floor() as i32)
    }

    /// Adds a point.
    pub fn add(&mut self, p: Point) {
        let key = self.key(p);
        self.cells.entry(key).or_default().push(p);
    }

    /// Is nobody nearer than this? The distance is at most the cell size.
    pub fn clear(&self, p: Point, distance: f64) -> bool {
        let (cx, cy) = self.key(p);
        (cx - 1..=cx + 1).all(|x| {
            (cy - 1..=cy + 1)
                .all(|y| self.cells.get(&(x, y)).is_none_or(|c| c.iter().all(|q| q.to(p) >= distance)))
        })
    }
}
