//! Borders that areas share, simplified once.
//!
//! Two areas that lie side by side keep the same vertices along their common border only if both
//! rank them alike. Ring by ring they would not: each ring is ranked from corners of its own. So
//! all rings of a level (all counties, say) are looked at together: where three borders meet, or a
//! border begins to be shared, a ring is cut; the arcs between such corners are ranked each by
//! itself, in a direction that follows from their coordinates. Equal arcs get equal ranks.

use std::collections::HashMap;

use crate::geometry::{Geometry, Kind};
use crate::grid::WorldPoint;
use crate::rank::{KEEP, rank_line, rank_ring};

/// Ranks the vertices of all polygons of one level so that neighbours never part, whatever the
/// zoom. Shared borders must have equal vertices in both areas; other geometries are left alone.
///
/// Call it for each level (towns, counties, cities) by itself: a corner of three towns on the
/// border of a city need not stay in the city's outline at low zooms.
pub fn rank_shared<'a>(level: impl IntoIterator<Item = &'a mut Geometry>) {
    let mut level: Vec<&mut Geometry> = level.into_iter().filter(|g| g.kind == Kind::Polygon).collect();
    let mut around: HashMap<WorldPoint, Around> = HashMap::new();
    for g in &level {
        for (ring, _) in g.parts() {
            let n = ring.len();
            for (i, p) in ring.iter().enumerate() {
                around.entry(*p).or_default().add(ring[(i + n - 1) % n], ring[(i + 1) % n]);
            }
        }
    }
    let corner = |p: &WorldPoint| around.get(p).is_some_and(|a| a.corner);
    for g in &mut level {
        let mut from = 0;
        for i in 0..g.ends.len() {
            let to = g.ends[i] as usize;
            rank_arcs(&g.coords[from..to], &mut g.ranks[from..to], corner);
            from = to;
        }
    }
}

/// What lies next to a place on the rings that pass it.
#[derive(Default)]
struct Around {
    next: Option<[WorldPoint; 2]>,
    /// Rings come or go here by more than two ways.
    corner: bool,
}

impl Around {
    fn add(&mut self, a: WorldPoint, b: WorldPoint) {
        let pair = if a <= b { [a, b] } else { [b, a] };
        match self.next {
            None => self.next = Some(pair),
            Some(known) => self.corner |= known != pair,
        }
    }
}

fn rank_arcs(ring: &[WorldPoint], ranks: &mut [u8], corner: impl Fn(&WorldPoint) -> bool) {
    let n = ring.len();
    let corners: Vec<usize> = (0..n).filter(|i| corner(&ring[*i])).collect();
    let Some(first) = corners.first() else {
        rank_ring(ring, ranks);
        return;
    };
    let mut arc: Vec<WorldPoint> = Vec::new();
    let mut out: Vec<u8> = Vec::new();
    for (k, start) in corners.iter().enumerate() {
        let end = corners.get(k + 1).copied().unwrap_or(first + n);
        arc.clear();
        arc.extend((*start..=end).map(|i| ring[i % n]));
        let closed = arc.first() == arc.last();
        // The direction is the one whose coordinates come first; both rings find the same.
        let turned = arc.iter().rev().lt(arc.iter());
        if turned {
            arc.reverse();
        }
        out.clear();
        out.resize(arc.len(), 0);
        if closed {
            // One corner only: the arc is a ring that hangs on it. It is cut where it is furthest.
            let far = furthest(&arc);
            rank_line(&arc[..=far], &mut out[..=far]);
            rank_line(&arc[far..], &mut out[far..]);
        } else {
            rank_line(&arc, &mut out);
        }
        if turned {
            out.reverse();
        }
        for (i, rank) in (*start..=end).zip(&out) {
            ranks[i % n] = *rank;
        }
    }
    for c in corners {
        ranks[c] = KEEP;
    }
}

fn furthest(arc: &[WorldPoint]) -> usize {
    let from = |p: &WorldPoint| {
        let d = |i: usize| u128::from(p[i].abs_diff(arc[0][i]));
        d(0) * d(0) + d(1) * d(1)
    };
    (1..arc.len() - 1).fold(1, |best, i| if from(&arc[i]) > from(&arc[best]) { i } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two squares side by side with a wavy common border; `b` is given turned and the other way.
    fn pair() -> [Geometry; 2] {
        let border: Vec<WorldPoint> =
            (0..=64_u32).map(|i| [50_000 + (i * 7919 % 613), 10_000 + i * 700]).collect();
        let mut a = border.clone();
        a.extend([[10_000, 54_800], [10_000, 10_000]]);
        let mut b = border;
        b.extend([[90_000, 54_800], [90_000, 10_000]]);
        b.reverse();
        b.rotate_left(23);
        [a, b].map(|r| Geometry::polygons(&[vec![r]]).unwrap())
    }

    #[test]
    fn a_shared_border_has_one_rank_per_vertex() {
        let [mut a, mut b] = pair();
        rank_shared([&mut a, &mut b]);
        let ranks = |g: &Geometry| -> HashMap<WorldPoint, u8> {
            g.coords.iter().copied().zip(g.ranks.iter().copied()).collect()
        };
        let (of_a, of_b) = (ranks(&a), ranks(&b));
        let shared: Vec<_> = of_a.keys().filter(|p| of_b.contains_key(*p)).collect();
        assert_eq!(shared.len(), 65);
        for p in shared {
            assert_eq!(of_a[p], of_b[p], "at {p:?}");
        }
        assert_eq!(of_a[&[50_000, 10_000]], KEEP);
        assert!(of_a.values().filter(|r| **r == KEEP).count() <= 4);
    }

    #[test]
    fn an_enclave_matches_its_hole() {
        let hole: Vec<WorldPoint> = (0..30_u32)
            .map(|i| {
                let a = f64::from(i) / 30.0 * std::f64::consts::TAU;
                [
                    (5000.0 + 900.0 * a.cos() + f64::from(i % 4) * 40.0) as u32,
                    (5000.0 + 900.0 * a.sin()) as u32,
                ]
            })
            .collect();
        let outer = vec![[0, 0], [10_000, 0], [10_000, 10_000], [0, 10_000]];
        let mut turned = hole.clone();
        turned.reverse();
        turned.rotate_left(11);
        let mut land = Geometry::polygons(&[vec![outer, hole]]).unwrap();
        let mut enclave = Geometry::polygons(&[vec![turned]]).unwrap();
        rank_shared([&mut land, &mut enclave]);
        let want: HashMap<_, _> = enclave.coords.iter().zip(&enclave.ranks).collect();
        for (p, r) in land.coords[4..].iter().zip(&land.ranks[4..]) {
            assert_eq!(want[p], r);
        }
    }
}
