//! Tile grid, feature store, clipping, simplification and tile encoding.
//!
//! No database, no HTTP, no async: the caller brings features in and takes bytes out.
//!
//! # From features to bytes
//! ```
//! use tiles::*;
//! # fn main() -> Result<(), Error> {
//! // 1. Declare layers. Layers and columns are for staff alone unless opened.
//! let road = LayerSchema::new("road")
//!     .public()
//!     .public_column("class", ColumnType::Str) // column 0
//!     .column("unit", ColumnType::Str) // column 1, staff only
//!     .rules(vec![
//!         // Earlier rules win; what passes none is hidden.
//!         ZoomRule::new(0..=8, Mode::MergeLines { by: vec![0], min_length_px: 1.0, tolerance_px: 0.25 })
//!             .only(0, ["X", "Y"]),
//!         ZoomRule::new(9..=20, Mode::EXACT),
//!     ]);
//! let atlas = Atlas::new(vec![road])?;
//!
//! // 2. Fill them: features one by one, all layers visible at once.
//! let at = |lon, lat| lonlat_to_world(lon, lat).unwrap_or_default();
//! let line = Geometry::lines(&[[at(113.1, 24.8), at(113.2, 24.9)]])?;
//! let version = Version::always(vec![Some("X".into()), None]);
//! let mut load = atlas.load(0)?;
//! load.push(&Feature::new(7, line, vec![version.clone()]))?;
//! atlas.install(vec![load], 100)?; // 100: the feed's sequence
//!
//! // 3. Change them. All changes of one call are seen at once, under one sequence.
//! let late = Version { class: Class::Keep, ..version };
//! let touched = atlas.apply(vec![Change::SetVersions { layer: 0, id: 7, versions: vec![late] }], 101)?;
//! let tile = TileId::at(9, at(113.15, 24.85)).unwrap();
//! assert!(touched.iter().any(|t| t.touches(tile, 64)));
//! for t in &touched {
//!     // Or tile by tile: the few tiles of a zoom whose bytes may differ now.
//!     assert!(t.tiles(9, 64).is_some_and(|r| r.count() < 9));
//! }
//!
//! // 4. Draw tiles from a snapshot, which no later change alters.
//! let now = atlas.snapshot();
//! let out = encode_tile(&now, &[0], tile, &Options::new(18_000, Scope::PUBLIC));
//! assert_eq!((now.seq(), out.features[0]), (101, 1));
//!
//! // 5. Once in a while, off the threads that serve: pack what changed.
//! atlas.compact(4096)?;
//! # Ok(()) }
//! ```
//!
//! # What to know
//! - **Units.** The world is 2^32 units a side ([`grid`]); a tile has 4096 units of its own and is
//!   drawn 512 px wide, so a CSS px is 8 tile units. Zooms in rules are those of tiles: MapLibre
//!   asks for tiles of the view's zoom, rounded down.
//! - **Days** are whole numbers of the caller's choosing (days since 1970, say). A [`Version`] holds
//!   from a day up to, and not including, another.
//! - **Scope** is checked at three places: the layer, the version, the column. All must allow.
//! - **Rules** ([`ZoomRule`], [`Mode`]): a feature follows the first that matches. [`Class::Keep`]
//!   features are never left out: a line or area too small to show becomes a speck.
//! - **Counts**: in modes `ClusterPoints` and `AggregateBy` every point has `count`, and the counts
//!   of the points a tile owns (coordinates in `0..4096`) add up, over a zoom's tiles, to the
//!   number of features alive.
//! - **Areas**: call [`shared::rank_shared`] on all geometries of a level before they are pushed;
//!   rules [`with_labels`](ZoomRule::with_labels) add a point per area at [`Feature::anchor`].
//! - **Size**: a thinned tile over [`Options::max_bytes`] is drawn again, coarser step by step.
//! - **Order and bytes** depend on the features alone, not on how they got there.

mod draw;
mod encode;
mod error;
mod feature;
mod geometry;
pub mod grid;
mod intern;
mod mlt;
mod mvt;
mod pb;
mod rank;
mod rtree;
mod schema;
pub mod shared;
mod store;
mod value;

pub use encode::{EncodedTile, Options, encode_tile};
pub use error::Error;
pub use feature::{Change, Class, Feature, ID_LIMIT, Version};
pub use geometry::{Geometry, Kind};
pub use grid::{EXTENT, MAX_ZOOM, Rect, TileId, TileRange, WorldPoint, lonlat_to_world, world_to_lonlat};
pub use mlt::encode_tile_mlt;
pub use schema::{Anchor, Anchors, Column, Filter, LayerSchema, Mode, Scope, ZoomRule};
pub use store::{Atlas, FeatureState, LayerLoad, LayerStats, Snapshot, Touch};
pub use value::{ColumnType, Value};
