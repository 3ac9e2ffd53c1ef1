//! Unthinned tiles against a slow reading of the same data.

use geo::{BoundingRect, Distance, Euclidean, Intersects, LineString, Rect, coord};
use tiles::{Options, Scope, TileId, encode_tile};

use crate::read;
use crate::world::{DAY, atlas, tiles_at};

/// The feature in tile units, unrounded.
fn in_tile(now: &tiles::Snapshot, id: u64, t: TileId) -> LineString<f64> {
    let g = now.get(1, id).unwrap().geometry;
    let o = t.origin().map(f64::from);
    let unit = f64::from(1 << (20 - t.z()));
    let (part, _) = g.parts().next().unwrap();
    part.iter()
        .map(|p| coord! { x: (f64::from(p[0]) - o[0]) / unit, y: (f64::from(p[1]) - o[1]) / unit })
        .collect()
}

#[test]
fn shows_every_line_and_no_other_within_a_unit() {
    let atlas = atlas(0, 1500);
    let now = atlas.snapshot();
    let mut ids = Vec::new();
    now.each_alive(1, DAY, Scope::STAFF, |f| ids.push(f.id));
    let boxed = |by: f64| {
        Rect::new(coord! { x: -64.0 - by, y: -64.0 - by }, coord! { x: 4160.0 + by, y: 4160.0 + by })
    };
    for z in [5, 8, 10, 12] {
        for t in tiles_at(z).into_iter().step_by(7).take(40) {
            let got = read::only(&encode_tile(&now, &[1], t, &Options::exact(DAY, Scope::STAFF)).bytes);
            for id in &ids {
                let line = in_tile(&now, *id, t);
                let shown = got.iter().find(|f| f.id == Some(*id));
                let b = line.bounding_rect().unwrap();
                let big = b.width().max(b.height());
                if shown.is_none() {
                    let inside = line.intersects(&boxed(-2.0));
                    assert!(!inside || big < 2.0, "z{z} {t:?} lacks {id} of {big}");
                    continue;
                }
                assert!(line.intersects(&boxed(2.0)), "z{z} {t:?} invents {id}");
                for p in shown.unwrap().parts.iter().flatten() {
                    assert!(p.iter().all(|v| (-64..=4160).contains(v)));
                    let p = geo::Point::new(f64::from(p[0]), f64::from(p[1]));
                    // Half a unit of rounding on each axis, and once more where it was cut.
                    let d = Euclidean.distance(&p, &line);
                    assert!(d < 1.5, "z{z} {id}: {d}");
                }
                // And the other way: no vertex of the true line far from the drawn one.
                let drawn: Vec<LineString<f64>> = shown
                    .unwrap()
                    .parts
                    .iter()
                    .map(|l| l.iter().map(|p| (f64::from(p[0]), f64::from(p[1]))).collect())
                    .collect();
                for p in line.points().filter(|p| boxed(0.0).intersects(p)) {
                    let d = drawn.iter().map(|l| Euclidean.distance(&p, l)).fold(f64::MAX, f64::min);
                    assert!(d < 1.5, "z{z} {id}: a vertex is {d} away");
                }
            }
        }
    }
}

#[test]
fn shows_every_point_in_its_own_unit() {
    let atlas = atlas(1500, 0);
    let now = atlas.snapshot();
    for z in [0, 6, 11, 16, 20] {
        let mut want = std::collections::BTreeSet::new();
        let t = TileId::at(z, now.get(0, 7).unwrap().anchor.unwrap()).unwrap();
        let near = t.buffered(64);
        now.each_alive(0, DAY, Scope::STAFF, |f| {
            if near.contains(&tiles::Rect::point(f.anchor)) {
                want.insert(f.id);
            }
        });
        let got = read::only(&encode_tile(&now, &[0], t, &Options::exact(DAY, Scope::STAFF)).bytes);
        let ids: std::collections::BTreeSet<_> = got.iter().filter_map(|f| f.id).collect();
        assert!(want.is_subset(&ids));
        // A place on the far edge of the buffer is drawn too.
        assert!(ids.len() - want.len() <= 2);
        for f in got.iter().filter(|f| f.owned()) {
            let p = now.get(0, f.id.unwrap()).unwrap().anchor.unwrap();
            let unit = 20 - u32::from(z);
            let cell = [0, 1].map(|i| ((p[i] - t.origin()[i]) >> unit) as i32);
            assert_eq!(f.parts, [[cell]]);
        }
    }
}
