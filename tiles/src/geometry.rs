//! Shapes on the world grid, kept flat.

use std::sync::Arc;

use crate::error::Error;
use crate::grid::{Rect, WorldPoint};
use crate::rank::{KEEP, rank_line, rank_ring};

/// What a geometry is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// One or more points.
    Point,
    /// One or more lines.
    Line,
    /// One or more polygons, each an outer ring with any number of holes.
    Polygon,
}

/// A shape on the world grid with the rank of every vertex.
///
/// Coordinates are flat; `ends[i]` is where part `i` (a line or a ring) stops in `coords`. Rings do
/// not repeat their first vertex. A polygon begins at each ring whose `outer` is true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Geometry {
    pub(crate) kind: Kind,
    pub(crate) coords: Vec<WorldPoint>,
    pub(crate) ranks: Vec<u8>,
    pub(crate) ends: Vec<u32>,
    pub(crate) outer: Vec<bool>,
}

impl Geometry {
    /// A single point.
    pub fn point(p: WorldPoint) -> Self {
        Self { kind: Kind::Point, coords: vec![p], ranks: vec![KEEP], ends: vec![1], outer: vec![true] }
    }

    /// Several points in one feature.
    ///
    /// # Errors
    /// [`Error::EmptyGeometry`] for none.
    pub fn points(points: Vec<WorldPoint>) -> Result<Self, Error> {
        if points.is_empty() {
            return Err(Error::EmptyGeometry);
        }
        let n = points.len();
        Ok(Self {
            kind: Kind::Point,
            ranks: vec![KEEP; n],
            ends: vec![n as u32],
            outer: vec![true],
            coords: points,
        })
    }

    /// One or more lines; vertices are ranked here. Repeated vertices and lines of a single place
    /// are left out.
    ///
    /// # Errors
    /// [`Error::EmptyGeometry`] when no line is left.
    pub fn lines<L: AsRef<[WorldPoint]>>(lines: &[L]) -> Result<Self, Error> {
        let mut g = Self::empty(Kind::Line);
        for line in lines {
            let from = g.coords.len();
            g.coords.extend_from_slice(line.as_ref());
            g.dedup_from(from);
            if g.coords.len() - from < 2 {
                g.coords.truncate(from);
                continue;
            }
            g.close_part(true);
            rank_line(&g.coords[from..], &mut g.ranks[from..]);
        }
        g.shrunk()
    }

    /// One or more polygons, each a list of rings with the outer first; closed or not, in either
    /// direction. Vertices are ranked ring by ring: for areas that share borders, pass the result
    /// to [`crate::shared::rank_shared`].
    ///
    /// # Errors
    /// [`Error::EmptyGeometry`] when no ring of three different vertices is left.
    pub fn polygons<P: AsRef<[R]>, R: AsRef<[WorldPoint]>>(polygons: &[P]) -> Result<Self, Error> {
        let mut g = Self::empty(Kind::Polygon);
        for polygon in polygons {
            for (i, ring) in polygon.as_ref().iter().enumerate() {
                let from = g.coords.len();
                g.coords.extend_from_slice(ring.as_ref());
                g.dedup_from(from);
                while g.coords.len() > from + 1 && g.coords.last() == g.coords.get(from) {
                    g.coords.pop();
                }
                if g.coords.len() - from < 3 {
                    g.coords.truncate(from);
                    if i == 0 {
                        // Holes of an outer ring that is none have nothing to lie in.
                        break;
                    }
                    continue;
                }
                g.close_part(i == 0);
                rank_ring(&g.coords[from..], &mut g.ranks[from..]);
            }
        }
        g.shrunk()
    }

    /// What it is made of.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The smallest rectangle around it.
    pub fn bounds(&self) -> Rect {
        Rect::around(&self.coords)
    }

    /// Each part (all points; a line; a ring without its first vertex repeated), and whether it
    /// begins a polygon.
    pub fn parts(&self) -> impl Iterator<Item = (&[WorldPoint], bool)> {
        let mut from = 0;
        self.ends.iter().zip(&self.outer).map(move |(end, outer)| {
            let part = &self.coords[from..*end as usize];
            from = *end as usize;
            (part, *outer)
        })
    }

    /// A place to stand for the whole: the first point, the middle of the longest line (along its
    /// length), or a place inside the largest outer ring.
    pub fn anchor(&self) -> WorldPoint {
        let part = match self.kind {
            Kind::Point => return self.coords[0],
            Kind::Line => self.parts().max_by(|a, b| length(a.0).total_cmp(&length(b.0))),
            Kind::Polygon => {
                self.parts().filter(|p| p.1).max_by(|a, b| area(a.0).abs().total_cmp(&area(b.0).abs()))
            }
        };
        let Some((part, _)) = part else { return self.coords[0] };
        if self.kind == Kind::Line { midpoint(part) } else { inside(part) }
    }

    /// Bytes it takes in memory.
    pub fn memory(&self) -> usize {
        size_of::<Self>() + self.coords.len() * 9 + self.ends.len() * 5
    }

    pub(crate) fn view(&self) -> GeomView<'_> {
        GeomView {
            kind: self.kind,
            coords: &self.coords,
            ranks: &self.ranks,
            ends: &self.ends,
            outer: &self.outer,
        }
    }

    fn empty(kind: Kind) -> Self {
        Self { kind, coords: Vec::new(), ranks: Vec::new(), ends: Vec::new(), outer: Vec::new() }
    }

    fn close_part(&mut self, outer: bool) {
        self.ranks.resize(self.coords.len(), 0);
        self.ends.push(self.coords.len() as u32);
        self.outer.push(outer);
    }

    /// Drops vertices equal to the one before them, from index `from` on.
    fn dedup_from(&mut self, from: usize) {
        let mut to = from;
        for i in from..self.coords.len() {
            if to == from || self.coords[to - 1] != self.coords[i] {
                self.coords[to] = self.coords[i];
                to += 1;
            }
        }
        self.coords.truncate(to);
    }

    fn shrunk(mut self) -> Result<Self, Error> {
        if self.ends.is_empty() {
            return Err(Error::EmptyGeometry);
        }
        self.coords.shrink_to_fit();
        self.ranks.shrink_to_fit();
        Ok(self)
    }
}

/// A geometry wherever it is kept; `ends` count from the first of `coords`.
#[derive(Clone, Copy)]
pub(crate) struct GeomView<'a> {
    pub kind: Kind,
    pub coords: &'a [WorldPoint],
    pub ranks: &'a [u8],
    pub ends: &'a [u32],
    pub outer: &'a [bool],
}

impl GeomView<'_> {
    pub fn to_geometry(self) -> Arc<Geometry> {
        Arc::new(Geometry {
            kind: self.kind,
            coords: self.coords.to_vec(),
            ranks: self.ranks.to_vec(),
            ends: self.ends.to_vec(),
            outer: self.outer.to_vec(),
        })
    }
}

fn length(line: &[WorldPoint]) -> f64 {
    line.windows(2).map(|w| step(w[0], w[1])).sum()
}

fn step(a: WorldPoint, b: WorldPoint) -> f64 {
    (f64::from(a[0]) - f64::from(b[0])).hypot(f64::from(a[1]) - f64::from(b[1]))
}

/// Twice-signed area over two of a ring, in square units; positive when clockwise on the screen.
pub(crate) fn area(ring: &[WorldPoint]) -> f64 {
    let Some(o) = ring.first() else { return 0.0 };
    let v = |p: &WorldPoint, i: usize| f64::from(p[i]) - f64::from(o[i]);
    ring.windows(2).map(|w| v(&w[0], 0) * v(&w[1], 1) - v(&w[1], 0) * v(&w[0], 1)).sum::<f64>() / 2.0
}

fn midpoint(line: &[WorldPoint]) -> WorldPoint {
    let mut left = length(line) / 2.0;
    for w in line.windows(2) {
        let d = step(w[0], w[1]);
        if d >= left && d > 0.0 {
            let t = left / d;
            let at = |i: usize| (f64::from(w[0][i]) * (1.0 - t) + f64::from(w[1][i]) * t) as u32;
            return [at(0), at(1)];
        }
        left -= d;
    }
    line[0]
}

/// The middle of the widest stretch of a ring on the horizontal through the middle of its bounds.
fn inside(ring: &[WorldPoint]) -> WorldPoint {
    let b = Rect::around(ring);
    let y = f64::from(b.min[1]) / 2.0 + f64::from(b.max[1]) / 2.0 + 0.25;
    let mut cuts: Vec<f64> = Vec::new();
    for (i, a) in ring.iter().enumerate() {
        let c = ring[(i + 1) % ring.len()];
        let (ay, cy) = (f64::from(a[1]), f64::from(c[1]));
        if (ay > y) != (cy > y) {
            cuts.push(f64::from(a[0]) + (y - ay) / (cy - ay) * (f64::from(c[0]) - f64::from(a[0])));
        }
    }
    cuts.sort_by(f64::total_cmp);
    let widest = cuts.chunks_exact(2).max_by(|a, b| (a[1] - a[0]).total_cmp(&(b[1] - b[0])));
    widest.map_or(ring[0], |w| [w[0].midpoint(w[1]) as u32, y as u32])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degenerate_parts_are_left_out() {
        let g = Geometry::lines(&[vec![[5, 5], [5, 5]], vec![[0, 0], [0, 0], [9, 9]]]).unwrap();
        assert_eq!(g.parts().count(), 1);
        assert_eq!(g.coords, [[0, 0], [9, 9]]);
        assert_eq!(Geometry::lines(&[vec![[5, 5], [5, 5]]]), Err(Error::EmptyGeometry));
        let square = vec![[0, 0], [9, 0], [9, 9], [0, 9], [0, 0]];
        let g = Geometry::polygons(&[vec![square, vec![[3, 3], [4, 3], [3, 3]]]]).unwrap();
        assert_eq!(g.ends, [4]);
    }

    #[test]
    fn anchors_lie_on_the_shape() {
        let g = Geometry::lines(&[vec![[0, 0], [100, 0], [100, 100]]]).unwrap();
        assert_eq!(g.anchor(), [100, 0]);
        // A U: the middle of its bounds is outside.
        let u = vec![[0, 0], [30, 0], [30, 90], [60, 90], [60, 0], [100, 0], [100, 100], [0, 100]];
        let [x, y] = Geometry::polygons(&[vec![u]]).unwrap().anchor();
        assert_eq!(y, 50);
        assert!((60..100).contains(&x), "{x}");
    }
}
