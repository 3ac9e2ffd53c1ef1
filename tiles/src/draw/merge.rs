//! Joining lines of equal properties end to end.

use super::repair::Place;
use crate::intern::QuickMap;

/// Lines of one group, in tile units.
#[derive(Debug, Default)]
pub(crate) struct Bundle {
    coords: Vec<Place>,
    ends: Vec<u32>,
}

impl Bundle {
    pub fn push(&mut self, line: &[Place]) {
        self.coords.extend_from_slice(line);
        self.ends.push(self.coords.len() as u32);
    }

    fn line(&self, i: usize) -> &[Place] {
        let from = if i == 0 { 0 } else { self.ends[i - 1] as usize };
        &self.coords[from..self.ends[i] as usize]
    }

    /// Calls `out` with each joined line. Lines are joined where exactly two ends meet.
    pub fn join(&self, mut out: impl FnMut(&[Place])) {
        // Line ends by place: line * 2, plus one for its far end.
        let mut meeting: QuickMap<Place, (u32, [u32; 2])> = QuickMap::default();
        meeting.reserve(self.ends.len());
        for i in 0..self.ends.len() {
            let l = self.line(i);
            for (side, p) in [l[0], l[l.len() - 1]].into_iter().enumerate() {
                let (n, at) = meeting.entry(p).or_default();
                if let Some(slot) = at.get_mut(*n as usize) {
                    *slot = (2 * i + side) as u32;
                }
                *n += 1;
            }
        }
        // The line end that meets this one, if exactly one does.
        let partner = |end: u32| {
            let l = self.line(end as usize / 2);
            let p = if end & 1 == 0 { l[0] } else { l[l.len() - 1] };
            let (n, at) = meeting[&p];
            (n == 2).then(|| if at[0] == end { at[1] } else { at[0] })
        };
        let mut used = vec![false; self.ends.len()];
        let mut joined: Vec<Place> = Vec::new();
        // Chains start at free ends; what is left then is rings.
        for rings in [false, true] {
            for start in 0..self.ends.len() as u32 * 2 {
                if used[start as usize / 2] || (!rings && partner(start).is_some()) {
                    continue;
                }
                joined.clear();
                let mut end = start;
                loop {
                    let l = end as usize / 2;
                    used[l] = true;
                    let skip = usize::from(!joined.is_empty());
                    if end & 1 == 0 {
                        joined.extend(self.line(l).iter().skip(skip));
                    } else {
                        joined.extend(self.line(l).iter().rev().skip(skip));
                    }
                    match partner(end ^ 1) {
                        Some(next) if !used[next as usize / 2] => end = next,
                        _ => break,
                    }
                }
                out(&joined);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(lines: &[&[Place]]) -> Vec<Vec<Place>> {
        let mut b = Bundle::default();
        for l in lines {
            b.push(l);
        }
        let mut out = Vec::new();
        b.join(|l| out.push(l.to_vec()));
        out
    }

    #[test]
    fn joins_whatever_the_direction() {
        let got = joined(&[&[[1, 0], [2, 0]], &[[1, 0], [0, 0]], &[[3, 0], [2, 0]]]);
        assert_eq!(got, [vec![[0, 0], [1, 0], [2, 0], [3, 0]]]);
    }

    #[test]
    fn stops_where_three_meet() {
        let got = joined(&[&[[0, 0], [5, 5]], &[[9, 0], [5, 5]], &[[5, 9], [5, 5]]]);
        assert_eq!(got.len(), 3);
    }

    #[test]
    fn rings_close_once() {
        let got = joined(&[&[[0, 0], [5, 0]], &[[5, 0], [5, 5], [0, 0]], &[[20, 0], [21, 1], [20, 0]]]);
        assert_eq!(got.len(), 2);
        assert_eq!(got[0], [[0, 0], [5, 0], [5, 5], [0, 0]]);
        assert_eq!(got[1].len(), 3);
    }
}
