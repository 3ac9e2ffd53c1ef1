//! A layer of a tile as it will be written, whatever the format: flat arrays.

use std::collections::HashMap;
use std::sync::Arc;

use super::repair::Place;
use crate::geometry::Kind;
use crate::store::{Alive, DeltaValue, NONE, Values};

/// One feature; each `…_to` says where it stops in the sheet's arrays.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub id: Option<u64>,
    pub kind: Kind,
    pub tags_to: u32,
    pub coords_to: u32,
    pub parts_to: u32,
}

/// A layer ready to be written.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    pub keys: Vec<Arc<str>>,
    value_bytes: Vec<u8>,
    value_ends: Vec<u32>,
    pub rows: Vec<Row>,
    /// Key and value numbers, in turn.
    pub tags: Vec<u32>,
    pub coords: Vec<Place>,
    /// Ends of parts in `coords`.
    pub ends: Vec<u32>,
    pub outer: Vec<bool>,
    // How values of the store were numbered.
    from_base: NumberMap,
    from_delta: HashMap<Arc<[u8]>, u32>,
    made: HashMap<Vec<u8>, u32>,
    /// By column: the key's number plus one, and the last value looked up.
    columns: Vec<(u32, u32, u32)>,
}

/// A row's slices.
pub(crate) struct RowView<'a> {
    pub id: Option<u64>,
    pub kind: Kind,
    pub tags: &'a [u32],
    pub coords: &'a [Place],
    /// Ends of parts, counted from the start of the sheet.
    pub ends: &'a [u32],
    /// Whether each part begins a polygon.
    pub outer: &'a [bool],
    /// Where `coords` starts in the sheet.
    pub coords_from: u32,
}

impl Sheet {
    pub fn new(columns: usize) -> Self {
        Self { columns: vec![(0, NONE, NONE); columns], ..Self::default() }
    }

    pub fn values(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        (0..self.value_ends.len()).map(|i| self.value(i as u32))
    }

    pub fn value(&self, i: u32) -> &[u8] {
        let i = i as usize;
        let from = if i == 0 { 0 } else { self.value_ends[i - 1] as usize };
        &self.value_bytes[from..self.value_ends[i] as usize]
    }

    pub fn rows(&self) -> impl Iterator<Item = RowView<'_>> {
        let (mut t, mut c, mut p) = (0, 0, 0);
        self.rows.iter().map(move |r| {
            let (tags, coords, parts) =
                (t..r.tags_to as usize, c..r.coords_to as usize, p..r.parts_to as usize);
            let coords_from = c as u32;
            (t, c, p) = (tags.end, coords.end, parts.end);
            RowView {
                id: r.id,
                kind: r.kind,
                tags: &self.tags[tags],
                coords: &self.coords[coords],
                ends: &self.ends[parts.clone()],
                outer: &self.outer[parts],
                coords_from,
            }
        })
    }

    /// Ends the part whose coordinates were pushed since the last one.
    pub fn end_part(&mut self, outer: bool) {
        self.ends.push(self.coords.len() as u32);
        self.outer.push(outer);
    }

    /// True when coordinates were pushed since the last row.
    pub fn has_shape(&self) -> bool {
        self.coords.len() > self.rows.last().map_or(0, |r| r.coords_to as usize)
    }

    /// Ends the row whose coordinates, parts and tags were pushed since the last one.
    pub fn end_row(&mut self, id: Option<u64>, kind: Kind) {
        self.rows.push(Row {
            id,
            kind,
            tags_to: self.tags.len() as u32,
            coords_to: self.coords.len() as u32,
            parts_to: self.ends.len() as u32,
        });
    }

    /// A row of one point; tags must have been pushed.
    pub fn end_point(&mut self, id: Option<u64>, at: Place) {
        self.coords.push(at);
        self.end_part(true);
        self.end_row(id, Kind::Point);
    }

    /// Pushes the values of some columns as tags; absent ones are left out.
    pub fn push_columns(&mut self, a: &Alive<'_>, columns: &[usize], names: &[Arc<str>]) {
        for c in columns {
            let value = match a.values {
                Values::Base(v) if v[*c] == NONE => continue,
                Values::Base(v) => self.base_value(*c, v[*c], a),
                Values::Delta(v) => match &v[*c] {
                    DeltaValue::Absent => continue,
                    DeltaValue::Base(n) => self.base_value(*c, *n, a),
                    DeltaValue::Own(b) => {
                        if let Some(n) = self.from_delta.get(b) {
                            *n
                        } else {
                            let n = self.add_value(b);
                            self.from_delta.insert(Arc::clone(b), n);
                            n
                        }
                    }
                },
            };
            if self.columns[*c].0 == 0 {
                self.columns[*c].0 = self.key(&names[*c]) + 1;
            }
            self.tags.extend_from_slice(&[self.columns[*c].0 - 1, value]);
        }
    }

    /// Pushes a property that is not a column's.
    pub fn push_made(&mut self, key: &Arc<str>, value: &crate::Value) {
        let (key, bytes) = (self.key(key), value.to_bytes());
        let number = if let Some(n) = self.made.get(&bytes) {
            *n
        } else {
            let n = self.add_value(&bytes);
            self.made.insert(bytes, n);
            n
        };
        self.tags.extend_from_slice(&[key, number]);
    }

    #[inline]
    fn base_value(&mut self, column: usize, number: u32, a: &Alive<'_>) -> u32 {
        let (_, last, at) = self.columns[column];
        if last == number {
            return at;
        }
        let next = self.value_ends.len() as u32;
        let at = self.from_base.get_or_insert(number, next);
        if at == next {
            let bytes = a.base_bytes(number);
            self.add_value(bytes);
        }
        self.columns[column].1 = number;
        self.columns[column].2 = at;
        at
    }

    fn add_value(&mut self, bytes: &[u8]) -> u32 {
        self.value_bytes.extend_from_slice(bytes);
        self.value_ends.push(self.value_bytes.len() as u32);
        self.value_ends.len() as u32 - 1
    }

    fn key(&mut self, name: &Arc<str>) -> u32 {
        let at = self.keys.iter().position(|k| k == name).unwrap_or_else(|| {
            self.keys.push(Arc::clone(name));
            self.keys.len() - 1
        });
        at as u32
    }
}

/// A hash map from numbers to numbers, for the innermost loop.
#[derive(Debug, Default)]
struct NumberMap {
    /// Key and value; a key of [`NONE`] is free. Its length is a power of two or zero.
    slots: Vec<(u32, u32)>,
    used: usize,
}

impl NumberMap {
    #[inline]
    fn get_or_insert(&mut self, key: u32, value: u32) -> u32 {
        if self.used * 2 >= self.slots.len() {
            self.grow();
        }
        let at = self.slot(key);
        if self.slots[at].0 == NONE {
            self.slots[at] = (key, value);
            self.used += 1;
        }
        self.slots[at].1
    }

    #[inline]
    fn slot(&self, key: u32) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = (key.wrapping_mul(0x9E37_79B1) >> 7) as usize & mask;
        while self.slots[at].0 != key && self.slots[at].0 != NONE {
            at = (at + 1) & mask;
        }
        at
    }

    fn grow(&mut self) {
        let old = std::mem::take(&mut self.slots);
        self.slots = vec![(NONE, 0); (old.len() * 2).max(64)];
        for (k, v) in old.into_iter().filter(|s| s.0 != NONE) {
            let at = self.slot(k);
            self.slots[at] = (k, v);
        }
    }
}
