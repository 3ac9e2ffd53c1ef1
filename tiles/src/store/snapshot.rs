//! A state of the Atlas that never changes.

use std::sync::Arc;

use super::base::Base;
use super::delta::{Delta, DeltaFeature, DeltaValue, Entry};
use super::{NONE, VersionRec};
use crate::draw::AggregateCache;
use crate::feature::{Class, Feature, Version};
use crate::geometry::GeomView;
use crate::grid::{Rect, WorldPoint};
use crate::schema::{LayerSchema, Scope};
use crate::value::Value;

/// A state of all layers. Holding one costs nothing but its memory and blocks nobody.
#[derive(Debug, Clone)]
pub struct Snapshot {
    pub(crate) layers: Vec<Arc<LayerSnapshot>>,
    pub(crate) seq: u64,
}

/// Size of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerStats {
    /// Features, of whatever day and scope.
    pub features: usize,
    /// Entries of the delta: features changed or removed since the base was packed.
    pub delta: usize,
    /// Bytes in memory, values included.
    pub bytes: usize,
}

/// A feature on one day, for some readers.
#[derive(Debug, Clone, Copy)]
pub struct FeatureState<'a> {
    /// Its id.
    pub id: u64,
    /// Whether it may be thinned.
    pub class: Class,
    /// Where its point stands.
    pub anchor: WorldPoint,
    /// A value for each column of the layer, whoever may see it.
    pub values: &'a [Option<Value>],
}

impl Snapshot {
    /// The number that came with the last change.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Index of the layer of that name.
    pub fn layer(&self, name: &str) -> Option<u16> {
        self.layers.iter().position(|l| &*l.schema.name == name).map(|i| i as u16)
    }

    /// What a layer was declared to be.
    pub fn schema(&self, layer: u16) -> Option<&LayerSchema> {
        self.at(layer).map(|l| &*l.schema)
    }

    /// How many layers there are.
    pub fn layer_count(&self) -> u16 {
        self.layers.len() as u16
    }

    /// A feature with all of its versions.
    pub fn get(&self, layer: u16, id: u64) -> Option<Feature> {
        self.at(layer)?.get(id)
    }

    /// Size of a layer; `None` when there is no such layer.
    pub fn stats(&self, layer: u16) -> Option<LayerStats> {
        self.at(layer).map(|l| LayerStats {
            features: l.len(),
            delta: l.delta.entries.len(),
            bytes: l.base.memory() + l.delta.memory(),
        })
    }

    /// Calls `f` with the state of each feature of the layer on `day` for `scope`, in the layer's
    /// own order: for checksums and counts.
    pub fn each_alive(&self, layer: u16, day: i32, scope: Scope, mut f: impl FnMut(&FeatureState<'_>)) {
        let Some(l) = self.at(layer) else { return };
        let mut values = Vec::new();
        l.visit(&Rect::WORLD, day, scope, &mut |a| {
            values.clear();
            values.extend((0..l.schema.columns.len()).map(|c| a.bytes(c).and_then(Value::decode)));
            f(&FeatureState { id: a.id, class: a.class, anchor: a.anchor, values: &values });
        });
    }

    pub(crate) fn at(&self, layer: u16) -> Option<&Arc<LayerSnapshot>> {
        self.layers.get(usize::from(layer))
    }
}

/// A state of one layer.
#[derive(Debug)]
pub(crate) struct LayerSnapshot {
    pub schema: Arc<LayerSchema>,
    pub base: Arc<Base>,
    pub delta: Arc<Delta>,
    pub aggregates: AggregateCache,
}

/// The values of the version that holds, one per column.
#[derive(Clone, Copy)]
pub(crate) enum Values<'a> {
    Base(&'a [u32]),
    Delta(&'a [DeltaValue]),
}

/// A feature on the day and for the readers that were asked for.
#[derive(Clone, Copy)]
pub(crate) struct Alive<'a> {
    pub id: u64,
    pub rect: Rect,
    pub anchor: WorldPoint,
    pub class: Class,
    pub values: Values<'a>,
    base: &'a Base,
    source: Source<'a>,
}

#[derive(Clone, Copy)]
enum Source<'a> {
    Base(u32),
    Delta(&'a DeltaFeature),
}

impl<'a> Alive<'a> {
    #[inline]
    pub fn geometry(&self) -> GeomView<'a> {
        match self.source {
            Source::Base(i) => self.base.geometry(i),
            Source::Delta(f) => f.geometry.view(),
        }
    }

    /// The encoded value of a number in the base.
    #[inline]
    pub fn base_bytes(&self, number: u32) -> &'a [u8] {
        self.base.interner.get(number)
    }

    /// The encoded value of a column.
    #[inline]
    pub fn bytes(&self, column: usize) -> Option<&'a [u8]> {
        match self.values {
            Values::Base(v) => (v[column] != NONE).then(|| self.base.interner.get(v[column])),
            Values::Delta(v) => match &v[column] {
                DeltaValue::Absent => None,
                DeltaValue::Base(n) => Some(self.base.interner.get(*n)),
                DeltaValue::Own(b) => Some(b),
            },
        }
    }
}

impl LayerSnapshot {
    pub fn new(schema: Arc<LayerSchema>, base: Arc<Base>, delta: Arc<Delta>) -> Self {
        Self { schema, base, delta, aggregates: AggregateCache::default() }
    }

    pub fn len(&self) -> usize {
        self.base.len() - self.delta.hidden.len() + self.delta.alive
    }

    /// Calls `f` with each feature alive whose bounds meet `q`, in the layer's own order.
    pub fn visit<'a>(&'a self, q: &Rect, day: i32, scope: Scope, f: &mut impl FnMut(&Alive<'a>)) {
        let base: &'a Base = &self.base;
        let mut changed: Vec<&'a DeltaFeature> = self
            .delta
            .entries
            .iter()
            .filter(|e| e.rect.intersects(q))
            .filter_map(|e| e.feature.as_deref())
            .collect();
        changed.sort_unstable_by_key(|f| f.key);
        let mut changed = changed.into_iter().peekable();
        let mut hidden = self.delta.hidden.iter().copied().peekable();
        base.tree.query(q, &mut |i| {
            while hidden.next_if(|h| *h < i).is_some() {}
            if hidden.peek() == Some(&i) {
                return;
            }
            let at = i as usize;
            while let Some(d) = changed.next_if(|d| d.key < (base.keys[at], base.ids[at])) {
                Self::changed(base, d, day, scope, f);
            }
            for (rec, values) in base.versions(i) {
                if rec.holds(day, scope) {
                    f(&Alive {
                        id: base.ids[at],
                        rect: base.tree.rect(i),
                        anchor: base.anchors[at],
                        class: rec.class(),
                        values: Values::Base(values),
                        base,
                        source: Source::Base(i),
                    });
                    break;
                }
            }
        });
        for d in changed {
            Self::changed(base, d, day, scope, f);
        }
    }

    fn changed<'a>(
        base: &'a Base,
        d: &'a DeltaFeature,
        day: i32,
        scope: Scope,
        f: &mut impl FnMut(&Alive<'a>),
    ) {
        if let Some((rec, values)) = d.versions().find(|(r, _)| r.holds(day, scope)) {
            f(&Alive {
                id: d.id,
                rect: d.rect,
                anchor: d.anchor,
                class: rec.class(),
                values: Values::Delta(values),
                base,
                source: Source::Delta(d),
            });
        }
    }

    pub fn get(&self, id: u64) -> Option<Feature> {
        if let Some(Entry { feature, .. }) = self.delta.find(id) {
            let d = feature.as_deref()?;
            let values = |v: &DeltaValue| match v {
                DeltaValue::Absent => None,
                DeltaValue::Base(n) => Value::decode(self.base.interner.get(*n)),
                DeltaValue::Own(b) => Value::decode(b),
            };
            let versions = d.versions().map(|(r, v)| version(r, v.iter().map(values).collect()));
            let (geometry, anchor) = (Arc::clone(&d.geometry), Some(d.anchor));
            return Some(Feature { id, geometry, anchor, versions: versions.collect() });
        }
        let i = self.base.find(id)?;
        let values = |n: &u32| if *n == NONE { None } else { Value::decode(self.base.interner.get(*n)) };
        let versions = self.base.versions(i).map(|(r, v)| version(r, v.iter().map(values).collect()));
        let (geometry, anchor) = (self.base.geometry(i).to_geometry(), Some(self.base.anchors[i as usize]));
        Some(Feature { id, geometry, anchor, versions: versions.collect() })
    }
}

fn version(r: VersionRec, values: Vec<Option<Value>>) -> Version {
    Version { from_day: r.from_day, to_day: r.to_day, scope: Scope(r.scope), class: r.class(), values }
}
