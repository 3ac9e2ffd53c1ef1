//! Cutting lines and rings at the edge of the drawn square.

/// A place in tile units, before it is known to be near the tile.
pub(crate) type Wide = [i64; 2];

/// The part of `a`–`b` within `lo..=hi` on both axes; `None` when nothing or a single place is left.
pub(crate) fn segment(a: Wide, b: Wide, lo: i64, hi: i64) -> Option<(Wide, Wide)> {
    let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
    for i in 0..2 {
        let run = (b[i] - a[i]) as f64;
        for (limit, sign) in [(lo, 1.0), (hi, -1.0)] {
            // Inside where depth + t * gain >= 0.
            let (depth, gain) = (sign * (a[i] - limit) as f64, sign * run);
            if gain == 0.0 {
                if depth < 0.0 {
                    return None;
                }
            } else if gain > 0.0 {
                enter = enter.max(-depth / gain);
            } else {
                leave = leave.min(-depth / gain);
            }
        }
    }
    if enter > leave {
        return None;
    }
    let at = |t: f64| {
        if t <= 0.0 {
            return a;
        }
        if t >= 1.0 {
            return b;
        }
        [0, 1].map(|i| (a[i] + ((b[i] - a[i]) as f64 * t).round() as i64).clamp(lo, hi))
    };
    let cut = (at(enter), at(leave));
    (cut.0 != cut.1).then_some(cut)
}

/// Cuts a line into its parts within the square; `part` gets each, with at least two places.
pub(crate) fn line(line: &[Wide], lo: i64, hi: i64, scratch: &mut Vec<Wide>, mut part: impl FnMut(&[Wide])) {
    scratch.clear();
    for w in line.windows(2) {
        let Some((p, q)) = segment(w[0], w[1], lo, hi) else {
            if scratch.len() > 1 {
                part(scratch);
            }
            scratch.clear();
            continue;
        };
        if scratch.last() != Some(&p) {
            if scratch.len() > 1 {
                part(scratch);
            }
            scratch.clear();
            scratch.push(p);
        }
        scratch.push(q);
        if q != w[1] {
            part(scratch);
            scratch.clear();
        }
    }
    if scratch.len() > 1 {
        part(scratch);
    }
}

/// Cuts a ring (first place not repeated) at the four edges, one after the other. What comes out
/// may run to and fro along an edge; [`super::repair`] sees to that.
pub(crate) fn ring(ring: &mut Vec<Wide>, lo: i64, hi: i64, scratch: &mut Vec<Wide>) {
    for (axis, limit, keep_above) in [(0, lo, true), (0, hi, false), (1, lo, true), (1, hi, false)] {
        let inside = |p: &Wide| if keep_above { p[axis] >= limit } else { p[axis] <= limit };
        if ring.iter().all(inside) {
            continue;
        }
        scratch.clear();
        let Some(mut before) = ring.last().copied() else { return };
        for p in ring.iter().copied() {
            match (inside(&before), inside(&p)) {
                (true, true) => scratch.push(p),
                (true, false) => scratch.push(crossing(before, p, axis, limit)),
                (false, true) => {
                    scratch.push(crossing(before, p, axis, limit));
                    scratch.push(p);
                }
                (false, false) => {}
            }
            before = p;
        }
        std::mem::swap(ring, scratch);
        ring.dedup();
        while ring.len() > 1 && ring.first() == ring.last() {
            ring.pop();
        }
    }
}

/// Where `a`–`b` meets the edge. It comes out the same for `b`–`a`, so that two areas cut their
/// common border at one place.
fn crossing(a: Wide, b: Wide, axis: usize, limit: i64) -> Wide {
    let (a, b) = if a <= b { (a, b) } else { (b, a) };
    let other = 1 - axis;
    let run = i128::from(b[axis] - a[axis]);
    let (run, step) = (run.abs(), i128::from(limit - a[axis]) * run.signum());
    let rise = step * i128::from(b[other] - a[other]);
    let mut p = [limit; 2];
    // Nearest whole unit, halves upwards.
    p[other] = a[other] + (2 * rise + run).div_euclid(2 * run) as i64;
    p
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_through_the_square_is_cut_at_both_edges() {
        let mut parts = Vec::new();
        let l = [[-100, 50], [200, 50], [200, 60], [-100, 60]];
        line(&l, 0, 100, &mut Vec::new(), |p| parts.push(p.to_vec()));
        assert_eq!(parts, [vec![[0, 50], [100, 50]], vec![[100, 60], [0, 60]]]);
    }

    #[test]
    fn touching_a_corner_leaves_nothing() {
        assert_eq!(segment([-10, 10], [10, -10], 0, 100), None);
        assert_eq!(segment([-10, 0], [0, 0], 0, 100), None);
        assert_eq!(segment([-10, 5], [0, 5], 0, 100), None);
        assert_eq!(segment([-10, 5], [1, 5], 0, 100), Some(([0, 5], [1, 5])));
    }

    #[test]
    fn a_ring_around_the_square_becomes_the_square() {
        let mut r = vec![[-50, -50], [150, -50], [150, 150], [-50, 150]];
        ring(&mut r, 0, 100, &mut Vec::new());
        r.sort_unstable();
        assert_eq!(r, [[0, 0], [0, 100], [100, 0], [100, 100]]);
        let mut r = vec![[-50, -50], [-20, -50], [-20, 50]];
        ring(&mut r, 0, 100, &mut Vec::new());
        assert!(r.is_empty());
    }

    #[test]
    fn crossings_do_not_depend_on_direction() {
        for (a, b) in [([-7, 3], [11, 20]), ([-5, 100], [9, -31]), ([-1, 0], [1, 1])] {
            assert_eq!(crossing(a, b, 0, 0), crossing(b, a, 0, 0));
        }
    }
}
