//! Snapshots, changes and packing.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use tiles::{
    Atlas, Change, ColumnType, Error, Feature, Geometry, ID_LIMIT, LayerSchema, Options, Rect, Scope, TileId,
    Value, Version, encode_tile,
};

use crate::read;
use crate::world::{DAY, Dice, atlas, road, roads, tiles_at, village, villages};

fn random_changes(d: &mut Dice, n: u64) -> Vec<Change> {
    (0..n)
        .map(|_| {
            let id = d.roll(1500);
            match d.roll(5) {
                0 => Change::Remove { layer: 0, id },
                1 => Change::Remove { layer: 1, id },
                2 | 3 => Change::Upsert { layer: 0, feature: village(d, id) },
                _ => Change::Upsert { layer: 1, feature: road(d, id) },
            }
        })
        .collect()
}

fn all_tiles() -> Vec<TileId> {
    [0, 4, 6, 8, 9, 10].into_iter().flat_map(tiles_at).collect()
}

fn bytes(atlas: &Atlas, t: TileId) -> Vec<u8> {
    encode_tile(&atlas.snapshot(), &[0, 1], t, &Options::new(DAY, Scope::STAFF)).bytes
}

#[test]
fn changed_packed_and_rebuilt_are_the_same_bytes() {
    let changed = atlas(1000, 400);
    let mut d = Dice(77);
    for round in 0..3 {
        changed.apply(random_changes(&mut d, 200), 10 + round).unwrap();
    }
    let before: BTreeMap<TileId, Vec<u8>> =
        all_tiles().into_iter().map(|t| (t, bytes(&changed, t))).collect();

    let rebuilt = Atlas::new(vec![villages(), roads()]).unwrap();
    let now = changed.snapshot();
    let mut loads = Vec::new();
    for layer in [0, 1] {
        let mut load = rebuilt.load(layer).unwrap();
        let mut ids = Vec::new();
        now.each_alive(layer, DAY, Scope::ALL, |f| ids.push(f.id));
        // In another order than it was.
        ids.sort_unstable_by_key(|id| id.wrapping_mul(0x9E37_79B9));
        for id in ids {
            load.push(&now.get(layer, id).unwrap()).unwrap();
        }
        loads.push(load);
    }
    rebuilt.install(loads, 12).unwrap();

    assert_eq!(changed.compact(1), Ok(2));
    assert_eq!(changed.snapshot().seq(), 12);
    assert_eq!(changed.snapshot().stats(0).unwrap().delta, 0);
    for (t, want) in before {
        assert_eq!(bytes(&changed, t), want, "packed, {t:?}");
        assert_eq!(bytes(&rebuilt, t), want, "rebuilt, {t:?}");
    }
}

#[test]
fn untouched_tiles_keep_their_bytes() {
    let atlas = atlas(800, 300);
    let mut d = Dice(5);
    let mut seen = [0, 0];
    for seq in 2..30 {
        let before: Vec<_> = all_tiles().into_iter().map(|t| (t, bytes(&atlas, t))).collect();
        let touches = atlas.apply(random_changes(&mut d, 1), seq).unwrap();
        for (t, old) in before {
            let touched = touches.iter().any(|touch| touch.touches(t, 64));
            let same = bytes(&atlas, t) == old;
            assert!(touched || same, "{t:?} changed unheard: {touches:?}");
            seen[usize::from(touched)] += 1;
        }
    }
    assert!(seen[0] > 4 * seen[1], "nearly all tiles should be left alone: {seen:?}");
}

#[test]
fn a_snapshot_stays_as_it_was() {
    let atlas = atlas(300, 100);
    let old = atlas.snapshot();
    let tile = tiles_at(6)[0];
    let options = Options::new(DAY, Scope::PUBLIC);
    let want = encode_tile(&old, &[0, 1], tile, &options);
    let stop = AtomicBool::new(false);
    std::thread::scope(|s| {
        s.spawn(|| {
            let mut d = Dice(3);
            for seq in 2..200 {
                atlas.apply(random_changes(&mut d, 5), seq).unwrap();
                if seq % 40 == 0 {
                    atlas.compact(1).unwrap();
                }
            }
            stop.store(true, Ordering::Release);
        });
        s.spawn(|| {
            let mut last = 0;
            while !stop.load(Ordering::Acquire) {
                assert_eq!(encode_tile(&old, &[0, 1], tile, &options), want);
                let seq = atlas.snapshot().seq();
                assert!(seq >= last);
                last = seq;
            }
        });
    });
    assert_eq!(atlas.snapshot().seq(), 199);
    assert_eq!(encode_tile(&old, &[0, 1], tile, &options), want);
}

#[test]
fn layers_change_together() {
    // Feature 1 of layer 0 and feature 1 of layer 1 always carry the same number.
    let schema = |n| LayerSchema::new(n).column("n", ColumnType::Int);
    let atlas = Atlas::new(vec![schema("a"), schema("b")]).unwrap();
    let feature =
        |n: i64| Feature::new(1, Geometry::point([7, 7]), vec![Version::always(vec![Some(n.into())])]);
    let set = |n: i64| (0..2).map(|layer| Change::Upsert { layer, feature: feature(n) }).collect();
    atlas.apply(set(0), 0).unwrap();
    std::thread::scope(|s| {
        s.spawn(|| {
            for n in 1..500 {
                atlas.apply(set(n), n as u64).unwrap();
            }
        });
        s.spawn(|| {
            for _ in 0..2000 {
                let now = atlas.snapshot();
                let n = |l| now.get(l, 1).unwrap().versions[0].values[0].clone();
                assert_eq!(n(0), n(1));
                assert_eq!(n(0), Some(Value::Int(now.seq() as i64)));
            }
        });
    });
}

#[test]
fn packing_loses_no_change_made_meanwhile() {
    let atlas = atlas(2000, 0);
    let options = Options::exact(DAY, Scope::STAFF);
    let tile = TileId::new(0, 0, 0).unwrap();
    std::thread::scope(|s| {
        s.spawn(|| {
            for id in 0..400 {
                atlas.apply(vec![Change::Remove { layer: 0, id }], id).unwrap();
            }
        });
        s.spawn(|| {
            for _ in 0..40 {
                atlas.compact(1).unwrap();
            }
        });
    });
    let left = encode_tile(&atlas.snapshot(), &[0], tile, &options);
    assert_eq!(left.features, [1600]);
    assert_eq!(atlas.snapshot().stats(0).unwrap().features, 1600);
}

#[test]
fn refused_changes_change_nothing() {
    let atlas = atlas(10, 0);
    let good = || village(&mut Dice(4), 3);
    let bad = |f: Feature| vec![Change::Remove { layer: 0, id: 1 }, Change::Upsert { layer: 0, feature: f }];
    let with = |values| Feature { versions: vec![Version::always(values)], ..good() };
    let twice = Feature { versions: [good().versions, good().versions].concat(), ..good() };
    let cases = [
        (bad(Feature { id: ID_LIMIT, ..good() }), Error::IdTooLarge(ID_LIMIT)),
        (bad(with(vec![None; 5])), Error::TooManyValues(3, 5)),
        (bad(with(vec![Some(true.into())])), Error::WrongType(3, 0)),
        (bad(twice), Error::OverlappingVersions(3)),
        (vec![Change::Remove { layer: 9, id: 1 }], Error::NoSuchLayer(9)),
        (vec![Change::SetVersions { layer: 0, id: 77, versions: vec![] }], Error::NoSuchFeature(77)),
    ];
    for (changes, error) in cases {
        assert_eq!(atlas.apply(changes, 9), Err(error));
        assert!(atlas.snapshot().get(0, 1).is_some());
        assert_eq!(atlas.snapshot().seq(), 1);
    }
    let mut load = atlas.load(0).unwrap();
    load.push(&good()).unwrap();
    load.push(&good()).unwrap();
    assert_eq!(atlas.install(vec![load], 9), Err(Error::DuplicateId(3)));
    assert_eq!(Geometry::points(vec![]), Err(Error::EmptyGeometry));
}

#[test]
fn one_version_per_day_and_reader() {
    let schema =
        LayerSchema::new("l").public().public_column("s", ColumnType::Str).column("note", ColumnType::Str);
    let atlas = Atlas::new(vec![schema]).unwrap();
    let v = |from_day, to_day, scope, s: &str| Version {
        from_day,
        to_day,
        scope,
        ..Version::always(vec![Some(s.into()), Some("secret".into())])
    };
    let versions = vec![
        v(10, 20, Scope::ALL, "a"),
        v(20, i32::MAX, Scope::PUBLIC, "masked"),
        v(20, i32::MAX, Scope::STAFF, "true"),
    ];
    atlas
        .apply(
            vec![Change::Upsert {
                layer: 0,
                feature: Feature::new(ID_LIMIT - 1, Geometry::point([9, 9]), versions),
            }],
            1,
        )
        .unwrap();
    let now = atlas.snapshot();
    let tile = TileId::new(3, 0, 0).unwrap();
    let see = |day, scope| {
        let got = read::only(&encode_tile(&now, &[0], tile, &Options::exact(day, scope)).bytes);
        got.first().map(|f| {
            assert_eq!(f.id, Some(ID_LIMIT - 1));
            (f.str("s").unwrap().to_owned(), f.str("note").is_some())
        })
    };
    assert_eq!(see(9, Scope::STAFF), None);
    assert_eq!(see(10, Scope::PUBLIC), Some(("a".into(), false)));
    assert_eq!(see(19, Scope::STAFF), Some(("a".into(), true)));
    assert_eq!(see(20, Scope::PUBLIC), Some(("masked".into(), false)));
    assert_eq!(see(i32::MAX - 1, Scope::STAFF), Some(("true".into(), true)));
}

#[test]
fn closed_layers_are_empty_for_the_public() {
    let atlas = Atlas::new(vec![LayerSchema::new("waterworks")]).unwrap();
    let f = Feature::new(1, Geometry::point([9, 9]), vec![Version::always(vec![])]);
    atlas.apply(vec![Change::Upsert { layer: 0, feature: f }], 1).unwrap();
    let tile = TileId::at(5, Rect::point([9, 9]).min).unwrap();
    for options in [Options::new(0, Scope::PUBLIC), Options::exact(0, Scope::PUBLIC)] {
        assert!(encode_tile(&atlas.snapshot(), &[0], tile, &options).bytes.is_empty());
    }
    assert_eq!(encode_tile(&atlas.snapshot(), &[0], tile, &Options::new(0, Scope::STAFF)).features, [1]);
}
