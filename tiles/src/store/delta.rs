//! What changed since the base was packed. Small, and copied on every change.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Base, VersionRec};
use crate::feature::{Feature, Version, sort_key};
use crate::geometry::Geometry;
use crate::grid::{Rect, WorldPoint};

/// A value of a changed feature.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum DeltaValue {
    Absent,
    /// Number in the base's interner.
    Base(u32),
    /// Encoded, and not in the base.
    Own(Arc<[u8]>),
}

/// A feature as a change left it.
#[derive(Debug)]
pub(crate) struct DeltaFeature {
    pub id: u64,
    pub key: (u32, u64),
    pub rect: Rect,
    pub anchor: WorldPoint,
    pub geometry: Arc<Geometry>,
    recs: Vec<VersionRec>,
    values: Vec<DeltaValue>,
    columns: usize,
}

impl DeltaFeature {
    pub fn new(f: &Feature, base: &Base, columns: usize) -> Self {
        let rect = f.rect();
        let mut new = Self {
            id: f.id,
            key: sort_key(&rect, f.id),
            rect,
            anchor: f.anchor_or_own(),
            geometry: Arc::clone(&f.geometry),
            recs: Vec::new(),
            values: Vec::new(),
            columns,
        };
        new.set_versions(&f.versions, base);
        new
    }

    fn set_versions(&mut self, versions: &[Version], base: &Base) {
        self.recs = versions.iter().map(VersionRec::of).collect();
        self.values.clear();
        for (i, v) in versions.iter().enumerate() {
            let resolve = |v: &Option<crate::Value>| {
                v.as_ref().map_or(DeltaValue::Absent, |v| Self::resolve(v.to_bytes(), base))
            };
            self.values.extend(v.values.iter().map(resolve));
            self.values.resize((i + 1) * self.columns, DeltaValue::Absent);
        }
    }

    fn resolve(bytes: Vec<u8>, base: &Base) -> DeltaValue {
        base.interner.find(&bytes).map_or_else(|| DeltaValue::Own(bytes.into()), DeltaValue::Base)
    }

    /// The same feature over another base.
    pub fn moved(&self, from: &Base, to: &Base) -> Self {
        let values = self.values.iter().map(|v| match v {
            DeltaValue::Absent => DeltaValue::Absent,
            DeltaValue::Base(n) => Self::resolve(from.interner.get(*n).to_vec(), to),
            DeltaValue::Own(b) => Self::resolve(b.to_vec(), to),
        });
        Self {
            values: values.collect(),
            recs: self.recs.clone(),
            geometry: Arc::clone(&self.geometry),
            ..*self
        }
    }

    pub fn versions(&self) -> impl Iterator<Item = (VersionRec, &[DeltaValue])> {
        let values = |i: usize| &self.values[i * self.columns..(i + 1) * self.columns];
        self.recs.iter().enumerate().map(move |(i, r)| (*r, values(i)))
    }

    pub fn memory(&self) -> usize {
        size_of::<Self>()
            + self.geometry.memory()
            + self.recs.len() * 12
            + self.values.len() * size_of::<DeltaValue>()
    }
}

/// One id that differs from the base.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub id: u64,
    /// Bounds of the feature; empty where it was removed.
    pub rect: Rect,
    /// `None` where it was removed.
    pub feature: Option<Arc<DeltaFeature>>,
}

/// All that differs from the base.
#[derive(Debug, Default)]
pub(crate) struct Delta {
    /// By id.
    pub entries: Vec<Entry>,
    /// Positions in the base that no longer count, ascending.
    pub hidden: Vec<u32>,
    /// Entries with a feature.
    pub alive: usize,
}

impl Delta {
    pub fn find(&self, id: u64) -> Option<&Entry> {
        self.entries.binary_search_by_key(&id, |e| e.id).ok().map(|i| &self.entries[i])
    }

    /// This delta with some entries replaced or added.
    pub fn with(&self, changed: BTreeMap<u64, Option<Arc<DeltaFeature>>>, base: &Base) -> Self {
        let mut new = changed.into_iter().map(|(id, feature)| Entry {
            id,
            rect: feature.as_ref().map_or(Rect::EMPTY, |f| f.rect),
            feature,
        });
        let mut old = self.entries.iter();
        let (mut a, mut b) = (old.next(), new.next());
        let mut entries = Vec::with_capacity(self.entries.len() + 1);
        loop {
            match (a, b.take()) {
                (None, None) => break,
                (Some(o), None) => {
                    entries.push(o.clone());
                    a = old.next();
                }
                (Some(o), Some(n)) if o.id < n.id => {
                    entries.push(o.clone());
                    a = old.next();
                    b = Some(n);
                }
                (o, Some(n)) => {
                    if o.is_some_and(|o| o.id == n.id) {
                        a = old.next();
                    }
                    entries.push(n);
                    b = new.next();
                }
            }
        }
        Self::of(entries, base)
    }

    /// What is left of this delta over a base that was packed from `base` and `packed`.
    pub fn after_packing(&self, packed: &Self, base: &Base, new_base: &Base) -> Self {
        let same = |a: &Entry, b: &Entry| match (&a.feature, &b.feature) {
            (None, None) => true,
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            _ => false,
        };
        let left = self.entries.iter().filter(|e| !packed.find(e.id).is_some_and(|p| same(p, e)));
        let moved = left.map(|e| Entry {
            feature: e.feature.as_ref().map(|f| Arc::new(f.moved(base, new_base))),
            ..e.clone()
        });
        Self::of(moved.collect(), new_base)
    }

    fn of(entries: Vec<Entry>, base: &Base) -> Self {
        let mut hidden: Vec<u32> = entries.iter().filter_map(|e| base.find(e.id)).collect();
        hidden.sort_unstable();
        let alive = entries.iter().filter(|e| e.feature.is_some()).count();
        Self { entries, hidden, alive }
    }

    pub fn memory(&self) -> usize {
        let features = self.entries.iter().filter_map(|e| e.feature.as_ref()).map(|f| f.memory());
        self.entries.capacity() * size_of::<Entry>() + self.hidden.capacity() * 4 + features.sum::<usize>()
    }
}
