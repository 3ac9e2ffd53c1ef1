//! At every zoom the counts shown add up to what is alive.

use std::collections::BTreeSet;

use tiles::{Change, Class, Options, Scope, Version, encode_tile};

use crate::read;
use crate::world::{BOTH, DAY, Dice, atlas, tiles_at, village};

/// Sum of the counts that tiles own, and the kept features shown one by one.
fn shown(atlas: &tiles::Atlas, z: u8, options: &Options) -> (u64, BTreeSet<u64>) {
    let now = atlas.snapshot();
    let (mut sum, mut ids) = (0, BTreeSet::new());
    for t in tiles_at(z) {
        for f in read::only(&encode_tile(&now, &[0], t, options).bytes).iter().filter(|f| f.owned()) {
            sum += f.props.get("count").map_or(1, |_| f.count());
            if let Some(id) = f.id {
                assert!(ids.insert(id), "{id} is owned twice at z{z}");
            }
        }
    }
    (sum, ids)
}

fn alive(atlas: &tiles::Atlas, day: i32, scope: Scope) -> (u64, BTreeSet<u64>) {
    let (mut n, mut kept) = (0, BTreeSet::new());
    atlas.snapshot().each_alive(0, day, scope, |f| {
        n += 1;
        if f.class == Class::Keep {
            kept.insert(f.id);
        }
    });
    (n, kept)
}

#[test]
fn counts_are_kept_at_every_zoom() {
    let atlas = atlas(3000, 0);
    for z in 0..=12 {
        for scope in BOTH {
            let (n, kept) = alive(&atlas, DAY, scope);
            assert_eq!(n, 3000);
            let (sum, ids) = shown(&atlas, z, &Options::new(DAY, scope));
            assert_eq!(sum, n, "z{z}");
            if z >= 7 {
                assert!(kept.is_subset(&ids), "z{z} lost what must be kept");
            }
        }
    }
}

#[test]
fn counts_are_kept_by_day_and_scope_after_changes() {
    let atlas = atlas(1000, 0);
    let mut d = Dice(9);
    let mut changes = Vec::new();
    for i in 0..400 {
        let id = d.roll(1200);
        changes.push(match i % 4 {
            0 => Change::Remove { layer: 0, id },
            1 => {
                let mut f = village(&mut d, id);
                f.versions[0].scope = Scope::STAFF;
                Change::Upsert { layer: 0, feature: f }
            }
            _ => {
                let mut f = village(&mut d, id);
                let v = f.versions.remove(0);
                f.versions = vec![
                    Version { to_day: DAY, ..v.clone() },
                    Version { from_day: DAY, to_day: DAY + 10, class: Class::Keep, ..v },
                ];
                Change::Upsert { layer: 0, feature: f }
            }
        });
    }
    atlas.apply(changes, 2).unwrap();
    let mut totals = BTreeSet::new();
    for packed in [false, true] {
        if packed {
            assert_eq!(atlas.compact(1), Ok(1));
        }
        for day in [DAY - 1, DAY, DAY + 10] {
            for scope in BOTH {
                let (n, _) = alive(&atlas, day, scope);
                totals.insert(n);
                for z in [0, 5, 7, 9, 12] {
                    assert_eq!(shown(&atlas, z, &Options::new(day, scope)).0, n, "z{z} day {day} {scope:?}");
                }
            }
        }
    }
    assert!(totals.len() >= 3, "the days and scopes must differ for this to mean anything: {totals:?}");
}

#[test]
fn counts_and_kept_features_survive_the_size_limit() {
    let atlas = atlas(3000, 0);
    let (n, kept) = alive(&atlas, DAY, Scope::PUBLIC);
    for (z, max_bytes) in [(7, 6_000), (8, 3_000), (9, 1_000), (12, 60)] {
        let options = Options { max_bytes, ..Options::new(DAY, Scope::PUBLIC) };
        let now = atlas.snapshot();
        let thinned = tiles_at(z).into_iter().any(|t| encode_tile(&now, &[0], t, &options).level > 0);
        assert!(thinned || z == 12, "the limit must bite at z{z}");
        let (sum, ids) = shown(&atlas, z, &options);
        assert_eq!(sum, n, "z{z}");
        if z < 9 {
            assert!(kept.is_subset(&ids), "z{z}");
        }
    }
}

#[test]
fn neighbours_show_the_same_clusters_in_their_buffers() {
    let atlas = atlas(4000, 0);
    let now = atlas.snapshot();
    let options = Options::new(DAY, Scope::PUBLIC);
    let (mut compared, z) = (0, 8);
    let all: Vec<_> = tiles_at(z)
        .into_iter()
        .map(|t| (t, read::only(&encode_tile(&now, &[0], t, &options).bytes)))
        .collect();
    for (t, features) in &all {
        for (o, others) in &all {
            if t.y() != o.y() || t.x() + 1 != o.x() {
                continue;
            }
            // Places of the tile as its eastern neighbour counts them.
            let mut west: Vec<_> =
                features.iter().filter(|f| (4032..=4160).contains(&f.parts[0][0][0])).cloned().collect();
            for f in &mut west {
                f.parts[0][0][0] -= 4096;
            }
            let mut east: Vec<_> =
                others.iter().filter(|f| (-64..=64).contains(&f.parts[0][0][0])).cloned().collect();
            let key = |f: &read::Feature| (f.parts.clone(), f.id, format!("{:?}", f.props));
            west.sort_by_key(key);
            east.sort_by_key(key);
            compared += west.len();
            assert_eq!(west, east);
        }
    }
    assert!(compared > 20, "{compared}");
}
