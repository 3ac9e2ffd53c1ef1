//! A reader of MVT, to look at what was written.

use std::collections::BTreeMap;

use tiles::Value;

/// A layer as read.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    pub name: String,
    pub features: Vec<Feature>,
}

/// A feature as read; `kind` is 1 for points, 2 for lines, 3 for polygons.
#[derive(Debug, Clone, PartialEq)]
pub struct Feature {
    pub id: Option<u64>,
    pub kind: u64,
    pub props: BTreeMap<String, Value>,
    /// Points, lines or rings (not closed).
    pub parts: Vec<Vec<[i32; 2]>>,
}

impl Feature {
    pub fn str(&self, key: &str) -> Option<&str> {
        match self.props.get(key) {
            Some(Value::Str(s)) => Some(s),
            _ => None,
        }
    }

    pub fn count(&self) -> u64 {
        match self.props.get("count") {
            Some(Value::UInt(n)) => *n,
            _ => panic!("no count in {self:?}"),
        }
    }

    /// True when its (first) place is the tile's own, not its neighbour's.
    pub fn owned(&self) -> bool {
        self.parts[0][0].iter().all(|v| (0..4096).contains(v))
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn varint(&mut self) -> u64 {
        let mut v = 0;
        for shift in (0..).step_by(7) {
            let b = self.0[0];
            self.0 = &self.0[1..];
            v |= u64::from(b & 0x7F) << shift;
            if b < 0x80 {
                break;
            }
        }
        v
    }

    fn bytes(&mut self) -> &'a [u8] {
        let n = self.varint() as usize;
        let (head, rest) = self.0.split_at(n);
        self.0 = rest;
        head
    }

    /// Field number and payload; numbers come as their varint's bytes would.
    fn fields(mut self, mut each: impl FnMut(u64, Field<'a>)) {
        while !self.0.is_empty() {
            let tag = self.varint();
            let field = match tag & 7 {
                0 => Field::Number(self.varint()),
                1 => {
                    let (head, rest) = self.0.split_at(8);
                    self.0 = rest;
                    Field::Bytes(head)
                }
                2 => Field::Bytes(self.bytes()),
                other => panic!("wire type {other}"),
            };
            each(tag >> 3, field);
        }
    }

    fn all(mut self) -> Vec<u64> {
        let mut out = Vec::new();
        while !self.0.is_empty() {
            out.push(self.varint());
        }
        out
    }
}

enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Field<'a> {
    fn bytes(self) -> &'a [u8] {
        let Field::Bytes(b) = self else { panic!("a number") };
        b
    }

    fn number(self) -> u64 {
        let Field::Number(n) = self else { panic!("bytes") };
        n
    }
}

/// Reads a tile; panics on anything the specification does not allow.
pub fn tile(bytes: &[u8]) -> Vec<Layer> {
    let mut layers = Vec::new();
    Reader(bytes).fields(|n, f| {
        assert_eq!(n, 3);
        layers.push(layer(f.bytes()));
    });
    layers
}

/// The one layer of a tile, or an empty list.
pub fn only(bytes: &[u8]) -> Vec<Feature> {
    let mut layers = tile(bytes);
    assert!(layers.len() < 2);
    layers.pop().map(|l| l.features).unwrap_or_default()
}

fn layer(bytes: &[u8]) -> Layer {
    let (mut name, mut raw, mut keys, mut values) = (String::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut extent, mut version) = (0, 0);
    Reader(bytes).fields(|n, f| match n {
        1 => name = String::from_utf8(f.bytes().to_vec()).unwrap(),
        2 => raw.push(f.bytes()),
        3 => keys.push(String::from_utf8(f.bytes().to_vec()).unwrap()),
        4 => values.push(value(f.bytes())),
        5 => extent = f.number(),
        15 => version = f.number(),
        other => panic!("layer field {other}"),
    });
    assert_eq!((extent, version), (4096, 2));
    assert!(!name.is_empty() && !raw.is_empty());
    let mut distinct = keys.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), keys.len(), "keys are written once");
    let features = raw.into_iter().map(|r| feature(r, &keys, &values)).collect();
    Layer { name, features }
}

fn value(bytes: &[u8]) -> Value {
    let mut out = None;
    Reader(bytes).fields(|n, f| {
        out = Some(match n {
            1 => Value::from(std::str::from_utf8(f.bytes()).unwrap()),
            3 => Value::Double(f64::from_le_bytes(f.bytes().try_into().unwrap())),
            5 => Value::UInt(f.number()),
            6 => {
                let v = f.number();
                Value::Int((v >> 1) as i64 ^ -((v & 1) as i64))
            }
            7 => Value::Bool(f.number() != 0),
            other => panic!("value field {other}"),
        });
    });
    out.unwrap()
}

fn feature(bytes: &[u8], keys: &[String], values: &[Value]) -> Feature {
    let mut out = Feature { id: None, kind: 0, props: BTreeMap::new(), parts: Vec::new() };
    let mut commands = Vec::new();
    Reader(bytes).fields(|n, f| match n {
        1 => out.id = Some(f.number()),
        2 => {
            for t in Reader(f.bytes()).all().chunks(2) {
                let before = out.props.insert(keys[t[0] as usize].clone(), values[t[1] as usize].clone());
                assert!(before.is_none(), "a key twice");
            }
        }
        3 => out.kind = f.number(),
        4 => commands = Reader(f.bytes()).all(),
        other => panic!("feature field {other}"),
    });
    let mut c = commands.into_iter();
    let mut at = [0_i32, 0];
    while let Some(head) = c.next() {
        let (command, n) = (head & 7, head >> 3);
        assert!(n > 0);
        if command == 7 {
            assert!(out.kind == 3 && n == 1);
            continue;
        }
        assert!(command == 1 || command == 2);
        for _ in 0..n {
            for v in &mut at {
                let d = c.next().unwrap() as u32;
                *v += (d >> 1) as i32 ^ -((d & 1) as i32);
            }
            if command == 1 {
                out.parts.push(Vec::new());
            }
            out.parts.last_mut().unwrap().push(at);
        }
    }
    let least = [0, 1, 2, 3][out.kind as usize];
    assert!(!out.parts.is_empty() && out.parts.iter().all(|p| p.len() >= least), "{out:?}");
    out
}
