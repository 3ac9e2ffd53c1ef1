//! The packed part of a layer: flat arrays in Hilbert order.

use std::collections::HashMap;

use super::VersionRec;
use super::delta::{DeltaFeature, DeltaValue};
use crate::error::Error;
use crate::feature::{Feature, sort_key};
use crate::geometry::{GeomView, Kind};
use crate::grid::{Rect, WorldPoint};
use crate::intern::Interner;
use crate::rtree::RTree;
use crate::schema::LayerSchema;

/// The number of an absent value.
pub(crate) const NONE: u32 = u32::MAX;

/// Features of a layer, packed. Every `…_to` array holds where feature (or version) `i` stops.
#[derive(Debug, Default)]
pub(crate) struct Base {
    pub ids: Vec<u64>,
    pub keys: Vec<u32>,
    pub tree: RTree,
    pub anchors: Vec<WorldPoint>,
    kinds: Vec<Kind>,
    coords_to: Vec<u32>,
    coords: Vec<WorldPoint>,
    ranks: Vec<u8>,
    parts_to: Vec<u32>,
    ends: Vec<u32>,
    outer: Vec<bool>,
    versions_to: Vec<u32>,
    versions: Vec<VersionRec>,
    /// Values of version `v` begin at `v * columns`.
    values: Vec<u32>,
    columns: usize,
    pub interner: Interner,
    /// Positions in the order of ids.
    by_id: Vec<u32>,
}

fn span(to: &[u32], i: usize) -> std::ops::Range<usize> {
    let from = if i == 0 { 0 } else { to[i - 1] as usize };
    from..to[i] as usize
}

impl Base {
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    pub fn find(&self, id: u64) -> Option<u32> {
        let at = self.by_id.binary_search_by_key(&id, |i| self.ids[*i as usize]).ok()?;
        Some(self.by_id[at])
    }

    #[inline]
    pub fn geometry(&self, i: u32) -> GeomView<'_> {
        let i = i as usize;
        let (c, p) = (span(&self.coords_to, i), span(&self.parts_to, i));
        GeomView {
            kind: self.kinds[i],
            coords: &self.coords[c.clone()],
            ranks: &self.ranks[c],
            ends: &self.ends[p.clone()],
            outer: &self.outer[p],
        }
    }

    #[inline]
    pub fn versions(&self, i: u32) -> impl Iterator<Item = (VersionRec, &[u32])> {
        span(&self.versions_to, i as usize).map(|v| (self.versions[v], self.values_of(v)))
    }

    #[inline]
    fn values_of(&self, v: usize) -> &[u32] {
        &self.values[v * self.columns..(v + 1) * self.columns]
    }

    pub fn memory(&self) -> usize {
        let words = self.keys.capacity()
            + self.coords_to.capacity()
            + self.parts_to.capacity()
            + self.ends.capacity()
            + self.versions_to.capacity()
            + self.values.capacity()
            + self.by_id.capacity();
        self.ids.capacity() * 8
            + words * 4
            + (self.coords.capacity() + self.anchors.capacity()) * 8
            + self.ranks.capacity()
            + self.outer.capacity()
            + self.kinds.capacity()
            + self.versions.capacity() * size_of::<VersionRec>()
            + self.tree.memory()
            + self.interner.memory()
    }
}

/// Gathers features in any order, then packs them.
#[derive(Debug)]
pub(crate) struct BaseBuilder {
    raw: Base,
    rects: Vec<Rect>,
}

impl BaseBuilder {
    pub fn new(columns: usize) -> Self {
        Self { raw: Base { columns, ..Base::default() }, rects: Vec::new() }
    }

    /// # Errors
    /// When the feature does not fit the layer, or the layer is full.
    pub fn push(&mut self, f: &Feature, schema: &LayerSchema) -> Result<(), Error> {
        f.check(schema)?;
        let columns = self.raw.columns;
        let mut bytes = Vec::new();
        for v in &f.versions {
            let values = &mut self.raw.values;
            for value in &v.values {
                values.push(match value {
                    None => NONE,
                    Some(value) => {
                        bytes.clear();
                        value.encode(&mut bytes);
                        self.raw.interner.intern(&bytes).ok_or(Error::TooLarge)?
                    }
                });
            }
            values.resize((self.raw.versions.len() + 1) * columns, NONE);
            self.raw.versions.push(VersionRec::of(v));
        }
        self.push_shape(f.id, f.rect(), f.anchor_or_own(), f.geometry.view())
    }

    fn push_shape(&mut self, id: u64, rect: Rect, anchor: WorldPoint, g: GeomView<'_>) -> Result<(), Error> {
        let raw = &mut self.raw;
        raw.ids.push(id);
        raw.anchors.push(anchor);
        raw.kinds.push(g.kind);
        raw.coords.extend_from_slice(g.coords);
        raw.ranks.extend_from_slice(g.ranks);
        raw.ends.extend_from_slice(g.ends);
        raw.outer.extend_from_slice(g.outer);
        let to = |n: usize| u32::try_from(n).map_err(|_| Error::TooLarge);
        raw.coords_to.push(to(raw.coords.len())?);
        raw.parts_to.push(to(raw.ends.len())?);
        raw.versions_to.push(to(raw.versions.len())?);
        self.rects.push(rect);
        Ok(())
    }

    /// Copies features of another base, and those of a delta, without decoding their values.
    ///
    /// # Errors
    /// When the layer is full.
    pub fn push_base(&mut self, base: &Base, keep: impl Fn(u32) -> bool) -> Result<(), Error> {
        let mut renumbered: HashMap<u32, u32> = HashMap::new();
        for i in (0..base.len() as u32).filter(|i| keep(*i)) {
            for (rec, values) in base.versions(i) {
                self.raw.versions.push(rec);
                for v in values {
                    let new = match renumbered.get(v) {
                        _ if *v == NONE => NONE,
                        Some(n) => *n,
                        None => {
                            let n = self.raw.interner.intern(base.interner.get(*v)).ok_or(Error::TooLarge)?;
                            renumbered.insert(*v, n);
                            n
                        }
                    };
                    self.raw.values.push(new);
                }
            }
            let at = i as usize;
            self.push_shape(base.ids[at], base.tree.rect(i), base.anchors[at], base.geometry(i))?;
        }
        Ok(())
    }

    /// # Errors
    /// When the layer is full.
    pub fn push_delta(&mut self, f: &DeltaFeature, base: &Base) -> Result<(), Error> {
        for (rec, values) in f.versions() {
            self.raw.versions.push(rec);
            for v in values {
                let bytes = match v {
                    DeltaValue::Absent => None,
                    DeltaValue::Base(n) => Some(base.interner.get(*n)),
                    DeltaValue::Own(b) => Some(&**b),
                };
                let number = bytes.map_or(Some(NONE), |b| self.raw.interner.intern(b));
                self.raw.values.push(number.ok_or(Error::TooLarge)?);
            }
        }
        self.push_shape(f.id, f.rect, f.anchor, f.geometry.view())
    }

    /// # Errors
    /// [`Error::DuplicateId`].
    pub fn finish(self) -> Result<Base, Error> {
        let Self { mut raw, rects } = self;
        let n = raw.ids.len();
        let numbered = rects.iter().zip(&raw.ids).zip(0..);
        let mut order: Vec<(u32, u64, u32)> = numbered
            .map(|((rect, id), i)| {
                let (key, id) = sort_key(rect, *id);
                (key, id, i)
            })
            .collect();
        order.sort_unstable();
        let mut by_id: Vec<u32> = (0..n as u32).collect();
        by_id.sort_unstable_by_key(|i| order[*i as usize].1);
        if let Some(w) = by_id.windows(2).find(|w| order[w[0] as usize].1 == order[w[1] as usize].1) {
            return Err(Error::DuplicateId(order[w[0] as usize].1));
        }
        let mut out = Base { columns: raw.columns, ..Base::default() };
        out.interner = std::mem::take(&mut raw.interner);
        out.interner.shrink();
        out.coords.reserve_exact(raw.coords.len());
        out.ranks.reserve_exact(raw.ranks.len());
        out.ends.reserve_exact(raw.ends.len());
        out.outer.reserve_exact(raw.outer.len());
        out.versions.reserve_exact(raw.versions.len());
        out.values.reserve_exact(raw.values.len());
        for list in [&mut out.coords_to, &mut out.parts_to, &mut out.versions_to] {
            list.reserve_exact(n);
        }
        for (_, _, i) in &order {
            let g = raw.geometry(*i);
            out.coords.extend_from_slice(g.coords);
            out.ranks.extend_from_slice(g.ranks);
            out.ends.extend_from_slice(g.ends);
            out.outer.extend_from_slice(g.outer);
            for (rec, values) in raw.versions(*i) {
                out.versions.push(rec);
                out.values.extend_from_slice(values);
            }
            out.coords_to.push(out.coords.len() as u32);
            out.parts_to.push(out.ends.len() as u32);
            out.versions_to.push(out.versions.len() as u32);
        }
        let at = |o: &(u32, u64, u32)| o.2 as usize;
        out.ids = order.iter().map(|o| o.1).collect();
        out.keys = order.iter().map(|o| o.0).collect();
        out.anchors = order.iter().map(|o| raw.anchors[at(o)]).collect();
        out.kinds = order.iter().map(|o| raw.kinds[at(o)]).collect();
        out.tree = RTree::new(order.iter().map(|o| rects[at(o)]).collect());
        out.by_id = by_id;
        Ok(out)
    }
}
