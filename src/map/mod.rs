//! The live map: the Atlas loaded from PostGIS, kept true by the change feed, and its tile cache.

/// The map of this node.
#[derive(Debug)]
pub struct LiveMap {}
