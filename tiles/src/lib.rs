//! Tile grid, feature store, clipping, simplification and tile encoding.
