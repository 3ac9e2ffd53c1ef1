//! A reader of Mapbox Vector Tiles that shares no code with the program.

use std::collections::BTreeMap;

/// A property.
#[derive(Debug, Clone, PartialEq)]
pub enum Prop {
    Text(String),
    Number(f64),
    Bool(bool),
}

/// A feature.
#[derive(Debug, Clone)]
pub struct Feature {
    pub id: Option<u64>,
    /// 1 points, 2 lines, 3 polygons.
    pub kind: u64,
    /// Lines, rings, or one list of points.
    pub parts: Vec<Vec<(i64, i64)>>,
    pub props: BTreeMap<String, Prop>,
}

impl Feature {
    /// Text of a property.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.props.get(key) {
            Some(Prop::Text(t)) => Some(t),
            _ => None,
        }
    }
    /// Number of a property.
    pub fn number(&self, key: &str) -> Option<f64> {
        match self.props.get(key) {
            Some(Prop::Number(n)) => Some(*n),
            _ => None,
        }
    }
}

/// Layers by name.
pub type Tile = BTreeMap<String, Vec<Feature>>;

struct Reader<'a>(&'a [u8]);

enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    F64(f64),
    F32(f32),
}

impl<'a> Reader<'a> {
    fn varint(&mut self) -> u64 {
        let (mut value, mut shift) = (0_u64, 0);
        loop {
            let (byte, rest) = self.0.split_first().expect("a varint ends");
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return value;
            }
            shift += 7;
        }
    }

    fn field(&mut self) -> Option<(u64, Field<'a>)> {
        if self.0.is_empty() {
            return None;
        }
        let tag = self.varint();
        let mut take = |n: usize| {
            let (head, rest) = self.0.split_at(n);
            self.0 = rest;
            head
        };
        let field = match tag & 7 {
            1 => Field::F64(f64::from_le_bytes(take(8).try_into().unwrap())),
            5 => Field::F32(f32::from_le_bytes(take(4).try_into().unwrap())),
            0 => Field::Number(self.varint()),
            2 => {
                let n = self.varint() as usize;
                let (head, rest) = self.0.split_at(n);
                self.0 = rest;
                Field::Bytes(head)
            }
            other => panic!("wire type {other}"),
        };
        Some((tag >> 3, field))
    }
}

fn packed(bytes: &[u8]) -> Vec<u64> {
    let mut r = Reader(bytes);
    let mut out = Vec::new();
    while !r.0.is_empty() {
        out.push(r.varint());
    }
    out
}

fn zigzag(n: u64) -> i64 {
    (n >> 1) as i64 ^ -((n & 1) as i64)
}

fn value(bytes: &[u8]) -> Prop {
    match Reader(bytes).field().expect("a value") {
        (1, Field::Bytes(b)) => Prop::Text(String::from_utf8(b.to_vec()).unwrap()),
        (2, Field::F32(f)) => Prop::Number(f64::from(f)),
        (3, Field::F64(f)) => Prop::Number(f),
        (4 | 5, Field::Number(n)) => Prop::Number(n as f64),
        (6, Field::Number(n)) => Prop::Number(zigzag(n) as f64),
        (7, Field::Number(n)) => Prop::Bool(n != 0),
        (n, _) => panic!("value field {n}"),
    }
}

fn geometry(commands: &[u64]) -> Vec<Vec<(i64, i64)>> {
    let mut parts: Vec<Vec<(i64, i64)>> = Vec::new();
    let (mut x, mut y, mut i) = (0, 0, 0);
    while i < commands.len() {
        let (id, count) = (commands[i] & 7, commands[i] >> 3);
        i += 1;
        if id == 7 {
            continue;
        }
        for _ in 0..count {
            x += zigzag(commands[i]);
            y += zigzag(commands[i + 1]);
            i += 2;
            if id == 1 && (count == 1 || parts.is_empty()) {
                parts.push(Vec::new());
            }
            parts.last_mut().expect("a part").push((x, y));
        }
    }
    parts
}

/// Reads a tile.
pub fn decode(bytes: &[u8]) -> Tile {
    let mut tile = Tile::new();
    let mut r = Reader(bytes);
    while let Some((3, Field::Bytes(layer))) = r.field() {
        let (mut name, mut keys, mut values, mut raw) = (String::new(), Vec::new(), Vec::new(), Vec::new());
        let mut l = Reader(layer);
        while let Some((n, f)) = l.field() {
            match (n, f) {
                (1, Field::Bytes(b)) => name = String::from_utf8(b.to_vec()).unwrap(),
                (2, Field::Bytes(b)) => raw.push(b),
                (3, Field::Bytes(b)) => keys.push(String::from_utf8(b.to_vec()).unwrap()),
                (4, Field::Bytes(b)) => values.push(value(b)),
                (5, Field::Number(extent)) => assert_eq!(extent % 4096, 0),
                (15, Field::Number(version)) => assert_eq!(version, 2),
                (n, _) => panic!("layer field {n}"),
            }
        }
        let features = raw.into_iter().map(|bytes| {
            let mut feature = Feature { id: None, kind: 0, parts: Vec::new(), props: BTreeMap::new() };
            let mut r = Reader(bytes);
            while let Some((n, f)) = r.field() {
                match (n, f) {
                    (1, Field::Number(id)) => feature.id = Some(id),
                    (2, Field::Bytes(b)) => {
                        for tag in packed(b).chunks_exact(2) {
                            feature
                                .props
                                .insert(keys[tag[0] as usize].clone(), values[tag[1] as usize].clone());
                        }
                    }
                    (3, Field::Number(kind)) => feature.kind = kind,
                    (4, Field::Bytes(b)) => feature.parts = geometry(&packed(b)),
                    (n, _) => panic!("feature field {n}"),
                }
            }
            feature
        });
        let features = features.collect();
        assert!(tile.insert(name, features).is_none(), "a layer comes once");
    }
    tile
}
