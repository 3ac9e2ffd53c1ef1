//! The size limit and the edges of the world.

use tiles::{Change, Class, Feature, Geometry, Options, Scope, TileId, Version, encode_tile};

use crate::read;
use crate::world::{DAY, atlas, tiles_at};

#[test]
fn no_tile_is_over_its_limit_and_nothing_kept_is_lost() {
    let atlas = atlas(2000, 3000);
    let now = atlas.snapshot();
    let mut kept = 0;
    now.each_alive(1, DAY, Scope::STAFF, |f| kept += usize::from(f.class == Class::Keep));
    let options = Options { max_bytes: 6_000, ..Options::new(DAY, Scope::STAFF) };
    let mut thinned = 0;
    for z in 0..=12 {
        let mut ids = std::collections::BTreeSet::new();
        for t in tiles_at(z).into_iter().take(400) {
            let tile = encode_tile(&now, &[0, 1], t, &options);
            assert!(tile.bytes.len() <= options.max_bytes && !tile.over_limit, "{t:?} {}", tile.bytes.len());
            thinned += u32::from(tile.level > 0);
            for l in read::tile(&tile.bytes).into_iter().filter(|l| l.name == "road") {
                ids.extend(l.features.iter().filter_map(|f| f.id));
            }
        }
        if z < 9 {
            assert_eq!(ids.len(), kept, "z{z}");
        }
    }
    assert!(thinned > 5);
}

#[test]
fn the_far_corners_have_tiles() {
    let atlas = atlas(0, 0);
    let m = u32::MAX;
    let corners = [[0, 0], [m, 0], [0, m], [m, m]];
    let version = || vec![Version::always(vec![])];
    let mut changes = Vec::new();
    for (i, p) in corners.into_iter().enumerate() {
        let feature = Feature::new(i as u64, Geometry::point(p), version());
        changes.push(Change::Upsert { layer: 0, feature });
    }
    let across = Geometry::lines(&[[[0, 0], [m, m]]]).unwrap();
    changes.push(Change::Upsert { layer: 1, feature: Feature::new(9, across, version()) });
    atlas.apply(changes, 2).unwrap();
    let now = atlas.snapshot();
    for z in 0..=20 {
        for p in corners {
            let t = TileId::at(z, p).unwrap();
            let got = read::tile(&encode_tile(&now, &[0, 1], t, &Options::exact(0, Scope::STAFF)).bytes);
            assert_eq!(got[0].features.iter().filter(|f| f.owned()).count(), if z == 0 { 4 } else { 1 });
            // The line from corner to corner; at zoom 1 the other two see it in their buffers.
            assert_eq!(got.len(), if z <= 1 || p[0] == p[1] { 2 } else { 1 }, "{t:?}");
        }
    }
}

#[test]
fn zoom_20_shows_world_units() {
    let atlas = atlas(0, 0);
    let line =
        vec![[4_000_000_000, 2_000_000_000], [4_000_000_001, 2_000_000_003], [4_000_000_900, 2_000_000_001]];
    let f =
        Feature::new(1, Geometry::lines(std::slice::from_ref(&line)).unwrap(), vec![Version::always(vec![])]);
    atlas.apply(vec![Change::Upsert { layer: 1, feature: f }], 1).unwrap();
    let t = TileId::at(20, line[0]).unwrap();
    let got = read::only(&encode_tile(&atlas.snapshot(), &[1], t, &Options::new(0, Scope::STAFF)).bytes);
    let o = t.origin();
    let want: Vec<_> = line.iter().map(|p| [(p[0] - o[0]) as i32, (p[1] - o[1]) as i32]).collect();
    assert_eq!(got[0].parts, [want]);
}

#[test]
fn what_is_kept_shows_as_a_speck() {
    let atlas = atlas(0, 0);
    let at = [3_000_000_000, 1_900_000_000];
    let line = Geometry::lines(&[[at, at.map(|v| v + 50)]]).unwrap();
    let v = |class| vec![Version { class, ..Version::always(vec![]) }];
    let change = |id, class| Change::Upsert { layer: 1, feature: Feature::new(id, line.clone(), v(class)) };
    atlas.apply(vec![change(1, Class::Keep), change(2, Class::Recede)], 1).unwrap();
    for z in 0..=14 {
        let t = TileId::at(z, at).unwrap();
        let got = read::only(&encode_tile(&atlas.snapshot(), &[1], t, &Options::new(0, Scope::STAFF)).bytes);
        assert!(got.iter().any(|f| f.id == Some(1)), "z{z}");
        let exact = encode_tile(&atlas.snapshot(), &[1], t, &Options::exact(0, Scope::STAFF));
        assert!(z > 12 || exact.features == [0], "z{z}");
    }
}
