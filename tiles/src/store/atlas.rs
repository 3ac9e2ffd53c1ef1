//! The one place where snapshots are made.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;

use super::base::{Base, BaseBuilder};
use super::delta::{Delta, DeltaFeature};
use super::snapshot::{LayerSnapshot, Snapshot};
use super::touch::{Touch, Touches, touch_feature};
use crate::error::Error;
use crate::feature::{Change, Feature};
use crate::schema::LayerSchema;

/// The feature store. Readers take a [`Snapshot`] and are never blocked; writers queue.
#[derive(Debug)]
pub struct Atlas {
    now: ArcSwap<Snapshot>,
    /// Held by whoever makes the next snapshot.
    writer: Mutex<()>,
}

/// A layer being filled: features go in one by one and are packed at once by [`Atlas::install`].
#[derive(Debug)]
pub struct LayerLoad {
    layer: u16,
    schema: Arc<LayerSchema>,
    builder: BaseBuilder,
}

impl LayerLoad {
    /// Takes a feature.
    ///
    /// # Errors
    /// When it does not fit the layer's schema. A load that refused a feature must be thrown away.
    pub fn push(&mut self, feature: &Feature) -> Result<(), Error> {
        self.builder.push(feature, &self.schema)
    }
}

impl Atlas {
    /// An Atlas of empty layers; a layer's index is its place in the list.
    ///
    /// # Errors
    /// [`Error::NoSuchColumn`] when a rule names a column that its layer lacks.
    pub fn new(schemas: Vec<LayerSchema>) -> Result<Self, Error> {
        for s in &schemas {
            s.check()?;
        }
        let empty = |s: LayerSchema| {
            // Packing nothing cannot fail; an empty base is the same.
            let base = BaseBuilder::new(s.columns.len()).finish().unwrap_or_default();
            Arc::new(LayerSnapshot::new(Arc::new(s), Arc::new(base), Arc::default()))
        };
        let layers = schemas.into_iter().map(empty).collect();
        Ok(Self { now: ArcSwap::from_pointee(Snapshot { layers, seq: 0 }), writer: Mutex::new(()) })
    }

    /// The state now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.now.load_full()
    }

    /// Begins to fill a layer; nobody sees it before [`Atlas::install`].
    ///
    /// # Errors
    /// [`Error::NoSuchLayer`].
    pub fn load(&self, layer: u16) -> Result<LayerLoad, Error> {
        let now = self.now.load();
        let schema = Arc::clone(&now.at(layer).ok_or(Error::NoSuchLayer(layer))?.schema);
        Ok(LayerLoad { layer, builder: BaseBuilder::new(schema.columns.len()), schema })
    }

    /// Begins to fill a layer under a new schema (new anchors, another rule), which is installed
    /// with it.
    ///
    /// # Errors
    /// [`Error::NoSuchLayer`], [`Error::NoSuchColumn`].
    pub fn load_with(&self, layer: u16, schema: LayerSchema) -> Result<LayerLoad, Error> {
        self.now.load().at(layer).ok_or(Error::NoSuchLayer(layer))?;
        schema.check()?;
        Ok(LayerLoad { layer, builder: BaseBuilder::new(schema.columns.len()), schema: Arc::new(schema) })
    }

    /// Packs the loads and puts them in place of their layers, all at once. Takes about a second
    /// for a million features: keep it off threads that answer requests.
    ///
    /// # Errors
    /// [`Error::DuplicateId`]; nothing has changed then.
    pub fn install(&self, loads: Vec<LayerLoad>, seq: u64) -> Result<(), Error> {
        let mut packed = Vec::new();
        for LayerLoad { layer, schema, builder } in loads {
            packed.push((layer, schema, Arc::new(builder.finish()?)));
        }
        let _writing = self.lock();
        let mut next = (**self.now.load()).clone();
        next.seq = seq;
        for (layer, schema, base) in packed {
            next.layers[usize::from(layer)] = Arc::new(LayerSnapshot::new(schema, base, Arc::default()));
        }
        self.now.store(Arc::new(next));
        Ok(())
    }

    /// Makes the changes, in their order, visible all at once under the number `seq`, and says
    /// which places of which layers they touch, before and after.
    ///
    /// # Errors
    /// When a change names a layer or feature that is not there or does not fit the schema;
    /// nothing has changed then.
    pub fn apply(&self, changes: Vec<Change>, seq: u64) -> Result<Vec<Touch>, Error> {
        let _writing = self.lock();
        let now = self.now.load_full();
        let mut pending: HashMap<u16, BTreeMap<u64, Option<Feature>>> = HashMap::new();
        let mut touches = Touches::default();
        for change in changes {
            let (layer, id) = (change.layer(), change.id());
            let old = now.at(layer).ok_or(Error::NoSuchLayer(layer))?;
            let changed = pending.entry(layer).or_default();
            let before = changed.get(&id).cloned().unwrap_or_else(|| old.get(id));
            let after = match change {
                Change::Remove { .. } => None,
                Change::Upsert { feature, .. } => Some(feature),
                Change::SetVersions { versions, .. } => {
                    let before = before.clone().ok_or(Error::NoSuchFeature(id))?;
                    Some(Feature { versions, ..before })
                }
            };
            if let Some(f) = &after {
                f.check(&old.schema)?;
            }
            if before == after {
                continue;
            }
            for f in [&before, &after].into_iter().flatten() {
                touch_feature(layer, &old.schema, f, &mut touches);
            }
            changed.insert(id, after);
        }
        let mut next = (*now).clone();
        next.seq = seq;
        for (layer, changed) in pending {
            let slot = &mut next.layers[usize::from(layer)];
            let columns = slot.schema.columns.len();
            let pack = |f: &Feature| Arc::new(DeltaFeature::new(f, &slot.base, columns));
            let changed = changed.into_iter().map(|(id, f)| (id, f.as_ref().map(pack))).collect();
            let delta = slot.delta.with(changed, &slot.base);
            *slot = Arc::new(LayerSnapshot::new(
                Arc::clone(&slot.schema),
                Arc::clone(&slot.base),
                Arc::new(delta),
            ));
        }
        self.now.store(Arc::new(next));
        Ok(touches.list)
    }

    /// Packs each layer whose delta has at least `min_delta` entries into a new base, without
    /// holding up readers or writers while it packs. What it shows does not change, so neither
    /// does the sequence. Returns how many layers were packed.
    ///
    /// # Errors
    /// [`Error::TooLarge`].
    pub fn compact(&self, min_delta: usize) -> Result<usize, Error> {
        let then = self.now.load_full();
        let mut packed = 0;
        for (i, layer) in then.layers.iter().enumerate() {
            if layer.delta.entries.len() < min_delta.max(1) {
                continue;
            }
            let new = Arc::new(pack(layer)?);
            let _writing = self.lock();
            let mut next = (**self.now.load()).clone();
            let slot = &mut next.layers[i];
            if !Arc::ptr_eq(&slot.base, &layer.base) {
                // Somebody installed or packed the layer meanwhile.
                continue;
            }
            let delta = slot.delta.after_packing(&layer.delta, &layer.base, &new);
            *slot = Arc::new(LayerSnapshot::new(Arc::clone(&slot.schema), new, Arc::new(delta)));
            self.now.store(Arc::new(next));
            packed += 1;
        }
        Ok(packed)
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        // The mutex guards no data: a writer that panicked left the last good snapshot in place.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn pack(layer: &LayerSnapshot) -> Result<Base, Error> {
    let mut b = BaseBuilder::new(layer.schema.columns.len());
    let Delta { entries, hidden, .. } = &*layer.delta;
    b.push_base(&layer.base, |i| hidden.binary_search(&i).is_err())?;
    for f in entries.iter().filter_map(|e| e.feature.as_ref()) {
        b.push_delta(f, &layer.base)?;
    }
    b.finish()
}
