//! Tiles, from a snapshot to bytes.

use crate::draw::{Frame, MAX_LEVEL, Sheet, draw_layer};
use crate::grid::TileId;
use crate::mvt;
use crate::schema::Scope;
use crate::store::Snapshot;

/// What is asked of a tile besides its place and layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The day that it speaks of.
    pub day: i32,
    /// For whom.
    pub scope: Scope,
    /// True to follow the layers' rules and the size limit; false to show everything as it is.
    pub thinning: bool,
    /// Tile units drawn around the tile.
    pub buffer: u32,
    /// Bytes that a thinned tile should not exceed.
    pub max_bytes: usize,
}

impl Options {
    /// The usual tile: thinned, 64 units of buffer, at most 500,000 bytes.
    pub fn new(day: i32, scope: Scope) -> Self {
        Self { day, scope, thinning: true, buffer: 64, max_bytes: 500_000 }
    }

    /// Everything as it is, whatever the size: what `ST_AsMVT` would show.
    pub fn exact(day: i32, scope: Scope) -> Self {
        Self { thinning: false, ..Self::new(day, scope) }
    }
}

/// A finished tile, not compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedTile {
    /// The tile; empty when no layer shows anything.
    pub bytes: Vec<u8>,
    /// Features written, for each layer asked for.
    pub features: Vec<u32>,
    /// Steps by which the most thinned layer went beyond its rules to meet the size limit.
    pub level: u32,
    /// True when even the last step did not meet the limit: too much that may not be thinned.
    pub over_limit: bool,
}

/// Draws and encodes the layers (by index, in this order; unknown ones are passed over) on a tile as
/// MVT. Equal snapshots, whether changed step by step or loaded anew, give equal bytes.
pub fn encode_tile(snapshot: &Snapshot, layers: &[u16], tile: TileId, options: &Options) -> EncodedTile {
    let written = write_layers(snapshot, layers, tile, options, |name, sheet| {
        let mut bytes = Vec::new();
        mvt::write_layer(name, sheet, &mut bytes);
        Ok::<_, std::convert::Infallible>(bytes)
    });
    match written {
        Ok(tile) => tile,
        Err(never) => match never {},
    }
}

/// A layer of the tile under way.
struct Written {
    layer: u16,
    level: u32,
    bytes: Vec<u8>,
    features: u32,
}

/// Draws each layer, then thins the largest again and again until the whole is small enough.
pub(crate) fn write_layers<E>(
    snapshot: &Snapshot,
    layers: &[u16],
    tile: TileId,
    options: &Options,
    write: impl Fn(&str, &Sheet) -> Result<Vec<u8>, E>,
) -> Result<EncodedTile, E> {
    let frame = Frame::new(tile, options.buffer);
    let draw = |layer: u16, level: u32| {
        let Some(l) = snapshot.at(layer) else {
            return Ok(Written { layer, level, bytes: Vec::new(), features: 0 });
        };
        let sheet = draw_layer(l, &frame, options, level);
        let bytes = write(&l.schema.name, &sheet)?;
        Ok(Written { layer, level, bytes, features: sheet.rows.len() as u32 })
    };
    let mut all = Vec::with_capacity(layers.len());
    for layer in layers {
        all.push(draw(*layer, 0)?);
    }
    let total = |all: &[Written]| all.iter().map(|w| w.bytes.len()).sum::<usize>();
    while options.thinning && total(&all) > options.max_bytes {
        let over = total(&all);
        let thinnable = all.iter_mut().filter(|w| w.level < MAX_LEVEL && !w.bytes.is_empty());
        let Some(largest) = thinnable.max_by_key(|w| w.bytes.len()) else { break };
        // Far too much is thinned in longer strides: each step draws the layer again.
        let stride = if over > options.max_bytes * 4 { 2 } else { 1 };
        *largest = draw(largest.layer, (largest.level + stride).min(MAX_LEVEL))?;
    }
    let size = total(&all);
    let mut bytes = Vec::with_capacity(size);
    for w in &all {
        bytes.extend_from_slice(&w.bytes);
    }
    Ok(EncodedTile {
        bytes,
        features: all.iter().map(|w| w.features).collect(),
        level: all.iter().map(|w| w.level).max().unwrap_or(0),
        over_limit: options.thinning && size > options.max_bytes,
    })
}
