//! How much each vertex matters, computed once, so that simplifying at a zoom is a filter.

use crate::grid::WorldPoint;

/// The rank of a vertex that is never left out: the ends of a line, the corners where borders meet.
pub const KEEP: u8 = 255;

/// A distance in world units as a rank: eight steps to each doubling, from half a unit up.
///
/// A vertex whose rank is below `rank_of(tolerance)` lies closer than `tolerance` to the line that
/// is drawn without it.
pub fn rank_of(distance: f64) -> u8 {
    if distance < 0.5 {
        return 0;
    }
    ((distance.log2() + 1.0) * 8.0).floor().clamp(0.0, 254.0) as u8
}

/// Ranks the vertices of an open line by Douglas and Peucker's rule; both ends get [`KEEP`].
///
/// The ranks do not depend on the direction only if the caller gives equal lines in equal
/// direction; see [`crate::shared`].
pub(crate) fn rank_line(line: &[WorldPoint], ranks: &mut [u8]) {
    debug_assert_eq!(line.len(), ranks.len());
    let Some(last) = line.len().checked_sub(1) else { return };
    ranks[0] = KEEP;
    ranks[last] = KEEP;
    // (first, last, rank of the vertex that made this stretch): a vertex may not outrank the one
    // that it was found under, or a filter by rank would keep it with neighbours it was not measured by.
    let mut todo = vec![(0, last, KEEP - 1)];
    while let Some((a, b, cap)) = todo.pop() {
        if b - a < 2 {
            continue;
        }
        let (mut far, mut at) = (-1.0, a + 1);
        for i in a + 1..b {
            let d = distance2(line[i], line[a], line[b]);
            if d > far {
                (far, at) = (d, i);
            }
        }
        let rank = rank_of(far.sqrt()).min(cap);
        ranks[at] = rank;
        if rank == 0 {
            // All between lie within half a unit as well, and stay at the zero they were given.
            ranks[a + 1..b].fill(0);
            continue;
        }
        todo.push((a, at, rank));
        todo.push((at, b, rank));
    }
}

/// Ranks the vertices of a ring (first vertex not repeated), independent of where it starts and
/// which way it runs. Its two furthest-apart corners get [`KEEP`].
pub(crate) fn rank_ring(ring: &[WorldPoint], ranks: &mut [u8]) {
    let n = ring.len();
    if n < 4 {
        ranks.fill(KEEP);
        return;
    }
    let start =
        (0..n).min_by_key(|i| (ring[*i], ring[(*i + 1) % n].min(ring[(*i + n - 1) % n]))).unwrap_or(0);
    let forward = ring[(start + 1) % n] <= ring[(start + n - 1) % n];
    let at = |k: usize| if forward { (start + k) % n } else { (start + n - k) % n };
    let line: Vec<WorldPoint> = (0..=n).map(|k| ring[at(k % n)]).collect();
    let far = (1..n)
        .fold(1, |best, k| if apart2(line[k], line[0]) > apart2(line[best], line[0]) { k } else { best });
    let mut out = vec![0; n + 1];
    rank_line(&line[..=far], &mut out[..=far]);
    rank_line(&line[far..], &mut out[far..]);
    for k in 0..n {
        ranks[at(k)] = out[k];
    }
}

fn apart2(a: WorldPoint, b: WorldPoint) -> u128 {
    let d = |i: usize| u128::from(a[i].abs_diff(b[i]));
    d(0) * d(0) + d(1) * d(1)
}

/// Squared distance of `p` from the stretch `a`–`b`.
fn distance2(p: WorldPoint, a: WorldPoint, b: WorldPoint) -> f64 {
    let from_a = |q: WorldPoint| [0, 1].map(|i| f64::from(q[i]) - f64::from(a[i]));
    let (to_b, to_p) = (from_a(b), from_a(p));
    let len2 = to_b[0] * to_b[0] + to_b[1] * to_b[1];
    let along = to_p[0] * to_b[0] + to_p[1] * to_b[1];
    let share = if len2 > 0.0 { (along / len2).clamp(0.0, 1.0) } else { 0.0 };
    let off = [0, 1].map(|i| to_p[i] - share * to_b[i]);
    off[0] * off[0] + off[1] * off[1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_steps_of_an_eighth_of_a_doubling() {
        assert_eq!(rank_of(0.0), 0);
        assert_eq!(rank_of(0.5), 0);
        assert_eq!(rank_of(1.0), 8);
        assert_eq!(rank_of(2.0), 16);
        assert_eq!(rank_of(f64::from(u32::MAX)), 254);
    }

    #[test]
    fn ring_ranks_ignore_start_and_direction() {
        let ring: Vec<WorldPoint> = (0..40_u32)
            .map(|i| {
                let a = f64::from(i) * 0.157;
                let r = 10_000.0 + f64::from((i * 7919) % 97) * 30.0;
                [(50_000.0 + r * a.cos()) as u32, (50_000.0 + r * a.sin()) as u32]
            })
            .collect();
        let ranked = |r: &[WorldPoint]| {
            let mut out = vec![0; r.len()];
            rank_ring(r, &mut out);
            let mut pairs: Vec<_> = r.iter().copied().zip(out).collect();
            pairs.sort_unstable();
            pairs
        };
        let want = ranked(&ring);
        for turn in [1, 7, 23] {
            let mut r = ring.clone();
            r.rotate_left(turn);
            assert_eq!(ranked(&r), want);
            r.reverse();
            assert_eq!(ranked(&r), want);
        }
    }
}
