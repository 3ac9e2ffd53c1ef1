//! The Atlas: per layer a packed base that never changes and a small delta over it, read through
//! snapshots.

mod atlas;
mod base;
mod delta;
mod snapshot;
mod touch;

pub use atlas::{Atlas, LayerLoad};
pub use snapshot::{FeatureState, LayerStats, Snapshot};
pub use touch::Touch;
pub(crate) use touch::cell_log2;

pub(crate) use base::{Base, NONE};
pub(crate) use delta::DeltaValue;
pub(crate) use snapshot::{Alive, LayerSnapshot, Values};

use crate::feature::{Class, Version};
use crate::schema::Scope;

/// A version without its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct VersionRec {
    pub from_day: i32,
    pub to_day: i32,
    pub scope: u8,
    pub keep: bool,
}

impl VersionRec {
    pub fn of(v: &Version) -> Self {
        let keep = v.class == Class::Keep;
        Self { from_day: v.from_day, to_day: v.to_day, scope: v.scope.0, keep }
    }

    #[inline]
    pub fn holds(&self, day: i32, scope: Scope) -> bool {
        self.from_day <= day && day < self.to_day && self.scope & scope.0 != 0
    }

    pub fn class(&self) -> Class {
        if self.keep { Class::Keep } else { Class::Recede }
    }
}
