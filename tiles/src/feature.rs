//! Features and their versions, as callers hand them in.

use std::sync::Arc;

use crate::error::Error;
use crate::geometry::Geometry;
use crate::grid::{Rect, WorldPoint, hilbert};
use crate::schema::{LayerSchema, Scope};
use crate::value::Value;

/// Feature ids stay below this, so that JavaScript holds them exactly.
pub const ID_LIMIT: u64 = 1 << 53;

/// Whether a feature may be thinned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Never: what lags or is missing. It may be simplified, and counted in an aggregate.
    Keep,
    /// It may, where the map gets crowded.
    Recede,
}

/// The state of a feature over some days, for some readers.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// First day, in days of any count the caller keeps to; `i32::MIN` for always.
    pub from_day: i32,
    /// First day it holds no more; `i32::MAX` for open.
    pub to_day: i32,
    /// Who is shown it.
    pub scope: Scope,
    /// Whether it may be thinned.
    pub class: Class,
    /// One value per column, in their order; missing ones at the end count as absent.
    pub values: Vec<Option<Value>>,
}

impl Version {
    /// A version that holds for all days and all readers, and recedes.
    pub fn always(values: Vec<Option<Value>>) -> Self {
        Self { from_day: i32::MIN, to_day: i32::MAX, scope: Scope::ALL, class: Class::Recede, values }
    }

    /// True when it holds on `day` for some of `scope`.
    pub fn holds(&self, day: i32, scope: Scope) -> bool {
        self.from_day <= day && day < self.to_day && self.scope.meets(scope)
    }
}

/// A thing on the map.
#[derive(Debug, Clone, PartialEq)]
pub struct Feature {
    /// Its id in tiles, below [`ID_LIMIT`].
    pub id: u64,
    /// Its shape; the same at all times.
    pub geometry: Arc<Geometry>,
    /// Where its label or its point stands, if not at [`Geometry::anchor`].
    pub anchor: Option<WorldPoint>,
    /// Its states; for one reader at most one holds on a day.
    pub versions: Vec<Version>,
}

impl Feature {
    /// A feature whose anchor follows from its shape.
    pub fn new(id: u64, geometry: impl Into<Arc<Geometry>>, versions: Vec<Version>) -> Self {
        Self { id, geometry: geometry.into(), anchor: None, versions }
    }

    /// # Errors
    /// When it does not fit the layer.
    pub(crate) fn check(&self, schema: &LayerSchema) -> Result<(), Error> {
        if self.id >= ID_LIMIT {
            return Err(Error::IdTooLarge(self.id));
        }
        for (i, v) in self.versions.iter().enumerate() {
            if v.values.len() > schema.columns.len() {
                return Err(Error::TooManyValues(self.id, v.values.len()));
            }
            for (c, value) in v.values.iter().enumerate() {
                if value.as_ref().is_some_and(|v| v.column_type() != schema.columns[c].ty) {
                    return Err(Error::WrongType(self.id, c));
                }
            }
            let meets =
                |o: &Version| o.from_day < v.to_day && v.from_day < o.to_day && o.scope.meets(v.scope);
            if self.versions[..i].iter().any(meets) {
                return Err(Error::OverlappingVersions(self.id));
            }
        }
        Ok(())
    }

    pub(crate) fn anchor_or_own(&self) -> WorldPoint {
        self.anchor.unwrap_or_else(|| self.geometry.anchor())
    }

    /// Bounds of shape and anchor.
    pub(crate) fn rect(&self) -> Rect {
        self.geometry.bounds().union(Rect::point(self.anchor_or_own()))
    }
}

/// Where a feature stands in the order in which layers are kept and written: along the Hilbert
/// curve, then by id. It depends on nothing but the feature, so that a tile's bytes do not tell
/// whether a feature came with the load or with a change.
pub(crate) fn sort_key(rect: &Rect, id: u64) -> (u32, u64) {
    let mid = |i: usize| rect.min[i].midpoint(rect.max[i]);
    (hilbert([mid(0), mid(1)]), id)
}

/// One change of one layer.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Adds the feature or replaces the one of its id.
    Upsert {
        /// Index of the layer.
        layer: u16,
        /// Its new state.
        feature: Feature,
    },
    /// Replaces the versions of a feature and leaves its shape: the way of a status update.
    SetVersions {
        /// Index of the layer.
        layer: u16,
        /// The feature.
        id: u64,
        /// All of its versions.
        versions: Vec<Version>,
    },
    /// Takes the feature away; nothing happens when there is none.
    Remove {
        /// Index of the layer.
        layer: u16,
        /// The feature.
        id: u64,
    },
}

impl Change {
    /// Index of the layer that changes.
    pub fn layer(&self) -> u16 {
        match self {
            Self::Upsert { layer, .. } | Self::SetVersions { layer, .. } | Self::Remove { layer, .. } => {
                *layer
            }
        }
    }

    /// Id of the feature that changes.
    pub fn id(&self) -> u64 {
        match self {
            Self::Upsert { feature, .. } => feature.id,
            Self::SetVersions { id, .. } | Self::Remove { id, .. } => *id,
        }
    }
}
