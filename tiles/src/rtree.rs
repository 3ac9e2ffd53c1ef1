//! A packed R-tree: built once over rectangles that are already in Hilbert order.

use crate::grid::Rect;

const FAN: usize = 16;

/// Rectangles by position, with the rectangles around each sixteen, and so on up.
#[derive(Debug, Default)]
pub(crate) struct RTree {
    /// Level 0 is the rectangles themselves.
    levels: Vec<Vec<Rect>>,
}

impl RTree {
    /// Takes rectangles whose neighbours in the list are neighbours in the world.
    pub fn new(leaves: Vec<Rect>) -> Self {
        let mut levels = vec![leaves];
        while levels[levels.len() - 1].len() > FAN {
            let below = &levels[levels.len() - 1];
            let around = |c: &[Rect]| c.iter().fold(Rect::EMPTY, |a, b| a.union(*b));
            levels.push(below.chunks(FAN).map(around).collect());
        }
        Self { levels }
    }

    /// The rectangle at a position.
    #[inline]
    pub fn rect(&self, i: u32) -> Rect {
        self.levels[0][i as usize]
    }

    /// Calls `found` with the position of each rectangle that shares a unit with `q`, ascending.
    pub fn query(&self, q: &Rect, found: &mut impl FnMut(u32)) {
        let top = self.levels.len() - 1;
        self.visit(top, 0, self.levels[top].len(), q, found);
    }

    fn visit(&self, level: usize, from: usize, to: usize, q: &Rect, found: &mut impl FnMut(u32)) {
        for (i, r) in self.levels[level][from..to].iter().enumerate() {
            if !r.intersects(q) {
                continue;
            }
            let i = from + i;
            if level == 0 {
                found(i as u32);
            } else if q.contains(r) {
                let width = FAN.pow(level as u32);
                for k in i * width..((i + 1) * width).min(self.levels[0].len()) {
                    found(k as u32);
                }
            } else {
                let end = ((i + 1) * FAN).min(self.levels[level - 1].len());
                self.visit(level - 1, i * FAN, end, q, found);
            }
        }
    }

    /// Bytes it takes in memory.
    pub fn memory(&self) -> usize {
        self.levels.iter().map(|l| l.capacity() * size_of::<Rect>()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_a_scan_finds_in_order() {
        for n in [0_u32, 1, 16, 17, 300, 5000] {
            let rects: Vec<Rect> = (0..n)
                .map(|i| {
                    let (x, y) = (i.wrapping_mul(2_654_435_761) % 1000, i.wrapping_mul(40_503) % 1000);
                    Rect { min: [x, y], max: [x + i % 9, y + i % 5] }
                })
                .collect();
            let tree = RTree::new(rects.clone());
            for q in [[0, 0, 1100, 1100], [100, 100, 300, 300], [5, 5, 5, 5], [2000, 0, 3000, 9]] {
                let q = Rect { min: [q[0], q[1]], max: [q[2], q[3]] };
                let mut got = Vec::new();
                tree.query(&q, &mut |i| got.push(i));
                let want: Vec<u32> = (0..n).filter(|i| rects[*i as usize].intersects(&q)).collect();
                assert_eq!(got, want);
            }
        }
    }
}
