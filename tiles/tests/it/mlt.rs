//! MLT says what MVT says, read back by MapLibre's own decoder.

use std::collections::BTreeMap;

use mlt_core::geo_types::{Geometry, LineString, Polygon};
use mlt_core::{Decoder, Layer, Parser, PropValue};
use tiles::{
    Atlas, Geometry as Geo, LayerSchema, Options, Scope, TileId, Value, Version, encode_tile, encode_tile_mlt,
};

use crate::read::{self, Feature};
use crate::world::{DAY, atlas, tiles_at};

fn read_mlt(bytes: &[u8]) -> Vec<(String, Vec<Feature>)> {
    let mut decoder = Decoder::default();
    let layers = Parser::default().parse_layers(bytes).unwrap();
    let mut out = Vec::new();
    for layer in layers {
        let Layer::Tag01(layer) = layer else { panic!("unknown layer") };
        let layer = layer.decode_all(&mut decoder).unwrap().into_tile(&mut decoder).unwrap();
        assert_eq!(layer.extent().get(), 4096);
        let names = layer.property_names().to_vec();
        let features = layer.features().iter().map(|f| {
            let props: BTreeMap<String, Value> = names
                .iter()
                .zip(f.properties())
                .filter_map(|(k, v)| value(v).map(|v| (k.clone(), v)))
                .collect();
            let (kind, parts) = parts(f.geometry());
            Feature { id: f.id(), kind, props, parts }
        });
        out.push((layer.name().to_owned(), features.collect()));
    }
    out
}

/// Numbers may come back narrower than they went in.
fn value(v: &PropValue) -> Option<Value> {
    match v {
        PropValue::Bool(v) => v.map(Value::Bool),
        PropValue::I8(v) => v.map(|v| Value::Int(v.into())),
        PropValue::U8(v) => v.map(|v| Value::UInt(v.into())),
        PropValue::I32(v) => v.map(|v| Value::Int(v.into())),
        PropValue::U32(v) => v.map(|v| Value::UInt(v.into())),
        PropValue::I64(v) => v.map(Value::Int),
        PropValue::U64(v) => v.map(Value::UInt),
        PropValue::F32(v) => v.map(|v| Value::Double(v.into())),
        PropValue::F64(v) => v.map(Value::Double),
        PropValue::Str(v) => v.as_deref().map(Value::from),
    }
}

fn parts(g: &Geometry<i32>) -> (u64, Vec<Vec<[i32; 2]>>) {
    let line = |l: &LineString<i32>| l.0.iter().map(|c| [c.x, c.y]).collect::<Vec<_>>();
    let ring = |l: &LineString<i32>| {
        let mut r: Vec<[i32; 2]> = line(l);
        r.pop();
        r
    };
    let rings =
        |p: &Polygon<i32>| std::iter::once(p.exterior()).chain(p.interiors()).map(ring).collect::<Vec<_>>();
    match g {
        Geometry::Point(p) => (1, vec![vec![[p.x(), p.y()]]]),
        Geometry::MultiPoint(m) => (1, m.0.iter().map(|p| vec![[p.x(), p.y()]]).collect()),
        Geometry::LineString(l) => (2, vec![line(l)]),
        Geometry::MultiLineString(m) => (2, m.0.iter().map(line).collect()),
        Geometry::Polygon(p) => (3, rings(p)),
        Geometry::MultiPolygon(m) => (3, m.0.iter().flat_map(rings).collect()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn mlt_and_mvt_show_the_same() {
    let atlas = atlas(1500, 800);
    let now = atlas.snapshot();
    let mut features = 0;
    for z in [0, 5, 7, 9, 12, 14] {
        for t in tiles_at(z).into_iter().step_by(5).take(30) {
            for options in [Options::new(DAY, Scope::STAFF), Options::exact(DAY, Scope::PUBLIC)] {
                let mvt = encode_tile(&now, &[0, 1], t, &options);
                let mlt = encode_tile_mlt(&now, &[0, 1], t, &options).unwrap();
                assert_eq!(mlt, encode_tile_mlt(&now, &[0, 1], t, &options).unwrap(), "not the same twice");
                assert_eq!(mvt.features, mlt.features);
                let got = read_mlt(&mlt.bytes);
                let want = read::tile(&mvt.bytes);
                assert_eq!(got.len(), want.len());
                for ((name, mut features_got), want) in got.into_iter().zip(want) {
                    assert_eq!(name, want.name);
                    for (a, b) in features_got.iter_mut().zip(&want.features) {
                        // A whole number may lose its sign's type on the way.
                        for (k, v) in &mut a.props {
                            if let (Value::UInt(n), Some(Value::Int(_))) = (&*v, b.props.get(k)) {
                                *v = Value::Int(*n as i64);
                            }
                        }
                    }
                    features += features_got.len();
                    assert_eq!(features_got, want.features, "{t:?}");
                }
            }
        }
    }
    assert!(features > 3000);
}

#[test]
fn polygons_keep_their_holes_and_parts() {
    let square = |x: u32, y: u32, side: u32| {
        vec![[x, y], [x + side, y], [x + side, y + side], [x, y + side]]
            .into_iter()
            .map(|p: [u32; 2]| p.map(|v| v << 8))
            .collect::<Vec<_>>()
    };
    let one =
        Geo::polygons(&[vec![square(0, 0, 900), square(100, 100, 300), square(500, 500, 200)]]).unwrap();
    let two =
        Geo::polygons(&[vec![square(2000, 0, 900), square(2100, 100, 300)], vec![square(3000, 9, 500)]])
            .unwrap();
    let atlas = Atlas::new(vec![LayerSchema::new("area")]).unwrap();
    let mut load = atlas.load(0).unwrap();
    for (id, g) in [one, two].into_iter().enumerate() {
        load.push(&tiles::Feature::new(id as u64, g, vec![Version::always(vec![])])).unwrap();
    }
    atlas.install(vec![load], 1).unwrap();
    for (z, parts) in [(12, 6), (13, 4), (14, 3)] {
        let t = TileId::new(z, 0, 0).unwrap();
        let options = Options::new(0, Scope::STAFF);
        let mvt = encode_tile(&atlas.snapshot(), &[0], t, &options);
        let mlt = encode_tile_mlt(&atlas.snapshot(), &[0], t, &options).unwrap();
        let want = read::only(&mvt.bytes);
        assert_eq!(want.iter().map(|f| f.parts.len()).sum::<usize>(), parts, "z{z}");
        assert_eq!(read_mlt(&mlt.bytes)[0].1, want);
    }
}
