//! A feature's shape on one tile: simplified, snapped, cut and valid.

use super::clip::{self, Wide};
use super::frame::Frame;
use super::repair::{Place, Rings};
use super::sheet::Sheet;
use crate::geometry::{GeomView, Kind};
use crate::rank::rank_of;

/// How fine a shape is drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Detail {
    /// Vertices of a lower rank are left out.
    pub rank: u8,
    /// Twice the least area of a ring in square tile units; smaller rings are left out.
    pub area2: i64,
    /// Draw at least a speck of what lies on the tile.
    pub speck: bool,
}

impl Detail {
    /// Vertices within `tolerance` (tile units) are left out, and nothing else.
    pub fn new(frame: &Frame, tolerance: f64) -> Self {
        Self { rank: rank_of(frame.world(tolerance)), area2: 0, speck: false }
    }
}

/// Draws shapes; keeps its working memory from one to the next.
#[derive(Debug, Default)]
pub(crate) struct Pen {
    wide: Vec<Wide>,
    scratch: Vec<Wide>,
    rings: Rings,
}

impl Pen {
    /// Pushes the shape to the sheet, without ending the row. Nothing is pushed when nothing of it
    /// is on the tile. `whole` says that all of it lies within the drawn square.
    pub fn draw(&mut self, g: &GeomView<'_>, whole: bool, f: &Frame, d: &Detail, out: &mut Sheet) {
        match g.kind {
            Kind::Point => {
                let from = out.coords.len();
                out.coords.extend(g.coords.iter().filter_map(|p| f.cell(*p)));
                if out.coords.len() > from {
                    out.end_part(true);
                }
            }
            Kind::Line => self.lines(g, whole, f, d, out),
            Kind::Polygon => self.polygons(g, whole, f, d, out),
        }
    }

    fn lines(&mut self, g: &GeomView<'_>, whole: bool, f: &Frame, d: &Detail, out: &mut Sheet) {
        let mut from = 0;
        for end in g.ends {
            let to = *end as usize;
            if whole {
                let start = out.coords.len();
                let mut add = |p: [u32; 2]| {
                    let q = f.snap(p).map(|v| v as i32);
                    if out.coords.len() == start || out.coords[out.coords.len() - 1] != q {
                        out.coords.push(q);
                    }
                };
                let (coords, ranks) = (&g.coords[from..to], &g.ranks[from..to]);
                // At low zooms most lines are drawn from end to end; the test runs over many
                // vertices at once.
                if ranks[1..ranks.len() - 1].iter().fold(0, |m: u8, r| m.max(*r)) < d.rank {
                    add(coords[0]);
                    add(coords[coords.len() - 1]);
                } else {
                    coords.iter().zip(ranks).filter(|c| *c.1 >= d.rank).for_each(|c| add(*c.0));
                }
                if out.coords.len() - start > 1 {
                    out.end_part(true);
                } else {
                    out.coords.truncate(start);
                }
            } else {
                self.take(g, from, to, f, d);
                clip::line(&self.wide, f.lo, f.hi, &mut self.scratch, |part| {
                    out.coords.extend(part.iter().map(|p| p.map(|v| v as i32)));
                    out.end_part(true);
                });
            }
            from = to;
        }
        if d.speck && !out.has_shape() {
            // Too short to show: a stroke of one unit, which a round cap makes a dot.
            if let Some([x, y]) = f.cell(g.coords[0]) {
                out.coords.extend([[x, y], [x + 1, y]]);
                out.end_part(true);
            }
        }
    }

    /// Snapped vertices of a part that are not left out, without repeats.
    fn take(&mut self, g: &GeomView<'_>, from: usize, to: usize, f: &Frame, d: &Detail) {
        self.wide.clear();
        for (p, rank) in g.coords[from..to].iter().zip(&g.ranks[from..to]) {
            if *rank >= d.rank {
                let q = f.snap(*p);
                if self.wide.last() != Some(&q) {
                    self.wide.push(q);
                }
            }
        }
    }

    fn polygons(&mut self, g: &GeomView<'_>, whole: bool, f: &Frame, d: &Detail, out: &mut Sheet) {
        self.rings.clear();
        let (mut from, mut skip, mut holes) = (0, false, false);
        for (end, outer) in g.ends.iter().zip(g.outer) {
            let (start, to) = (from, *end as usize);
            from = to;
            holes |= !outer;
            if !*outer && skip {
                continue;
            }
            self.take(g, start, to, f, d);
            while self.wide.len() > 1 && self.wide.first() == self.wide.last() {
                self.wide.pop();
            }
            // Measured before it is cut, so that a ring is there on all tiles or on none.
            let small = self.wide.len() < 3 || (d.area2 > 0 && wide_area2(&self.wide) < i128::from(d.area2));
            if !small && !whole {
                clip::ring(&mut self.wide, f.lo, f.hi, &mut self.scratch);
            }
            let drawn = !small
                && self.wide.len() > 2
                && self.rings.push(self.wide.iter().map(|p| p.map(|v| v as i32)), *outer);
            if *outer {
                skip = !drawn;
            }
        }
        self.rings.repair(holes);
        if d.speck && self.rings.ends.is_empty() {
            self.speck(g, whole, f);
        }
        let base = out.coords.len() as u32;
        out.coords.extend_from_slice(&self.rings.coords);
        out.ends.extend(self.rings.ends.iter().map(|e| e + base));
        out.outer.extend_from_slice(&self.rings.outer);
    }

    /// A square of one unit for a polygon too small to show.
    fn speck(&mut self, g: &GeomView<'_>, whole: bool, f: &Frame) {
        let all: Vec<Wide> = g.coords.iter().map(|p| f.snap(*p)).collect();
        let side = |i: usize| {
            let (lo, hi) = all.iter().fold((i64::MAX, i64::MIN), |(a, b), p| (a.min(p[i]), b.max(p[i])));
            hi - lo
        };
        if !whole && side(0) > 2 && side(1) > 2 {
            // It may not be small, but elsewhere.
            return;
        }
        if let Some([x, y]) = f.cell(g.coords[0]) {
            let square: [Place; 4] = [[x, y], [x + 1, y], [x + 1, y + 1], [x, y + 1]];
            self.rings.push(square.into_iter(), true);
        }
    }
}

fn wide_area2(ring: &[Wide]) -> i128 {
    let Some(o) = ring.first() else { return 0 };
    let d = |p: &Wide, i: usize| i128::from(p[i] - o[i]);
    ring.windows(2).map(|w| d(&w[0], 0) * d(&w[1], 1) - d(&w[1], 0) * d(&w[0], 1)).sum::<i128>().abs()
}
