//! What can be wrong with what a caller hands in.

use std::fmt;

/// Why features or changes were refused. A refused change leaves the Atlas as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// A geometry without a point, a line of two places or a ring of three.
    EmptyGeometry,
    /// A feature id at or above 2^53, which JavaScript cannot hold.
    IdTooLarge(u64),
    /// The same id twice in one load.
    DuplicateId(u64),
    /// No layer has this index.
    NoSuchLayer(u16),
    /// No feature has this id in the layer.
    NoSuchFeature(u64),
    /// More values than the layer has columns; holds feature and count.
    TooManyValues(u64, usize),
    /// A value of another type than its column; holds feature and column.
    WrongType(u64, usize),
    /// Two versions of a feature are alive on the same day for the same readers.
    OverlappingVersions(u64),
    /// A rule names a column that the layer does not have; holds layer and column.
    NoSuchColumn(String, String),
    /// More coordinates, versions or values than 2^32 in one layer.
    TooLarge,
    /// The other encoder refused the tile; holds its words.
    Encode(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyGeometry => write!(f, "the geometry is empty"),
            Self::IdTooLarge(id) => write!(f, "feature id {id} is not below 2^53"),
            Self::DuplicateId(id) => write!(f, "feature id {id} is given twice"),
            Self::NoSuchLayer(l) => write!(f, "there is no layer {l}"),
            Self::NoSuchFeature(id) => write!(f, "there is no feature {id}"),
            Self::TooManyValues(id, n) => write!(f, "feature {id} has {n} values, more than columns"),
            Self::WrongType(id, c) => write!(f, "feature {id}: value {c} is not of its column's type"),
            Self::OverlappingVersions(id) => write!(f, "feature {id}: two versions hold on one day"),
            Self::NoSuchColumn(l, c) => write!(f, "layer {l} has no column {c}"),
            Self::TooLarge => write!(f, "the layer is too large"),
            Self::Encode(e) => write!(f, "cannot encode the tile: {e}"),
        }
    }
}

impl std::error::Error for Error {}
