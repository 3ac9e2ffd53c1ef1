//! From features to the rows of a tile.

mod aggregate;
mod clip;
mod cluster;
mod frame;
mod layer;
mod merge;
mod repair;
mod rules;
mod shape;
mod sheet;

pub(crate) use aggregate::AggregateCache;
pub(crate) use frame::Frame;
pub(crate) use layer::{MAX_LEVEL, draw_layer};
pub(crate) use repair::Place;
pub(crate) use sheet::{RowView, Sheet};
