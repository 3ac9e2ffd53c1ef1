//! MapLibre Tile, through MapLibre's own library.

use mlt_core::encoder::EncoderConfig;
use mlt_core::geo_types::{
    Coord, Geometry, LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon,
};
use mlt_core::{PropKind, PropValue, TileLayer};

use crate::draw::{Place, RowView, Sheet};
use crate::encode::{EncodedTile, Options, write_layers};
use crate::error::Error;
use crate::geometry::Kind;
use crate::grid::{EXTENT, TileId};
use crate::store::Snapshot;
use crate::value::{ColumnType, Value};

/// Like [`encode_tile`](crate::encode_tile), as MLT. The size limit is measured on the MLT bytes,
/// so a tile that MVT has to thin may show more here; otherwise both show the same.
///
/// # Errors
/// [`Error::Encode`] when a property has values of two types, which MLT cannot hold: a column that
/// has the name of one that a rule makes up, such as `count`.
pub fn encode_tile_mlt(
    snapshot: &Snapshot,
    layers: &[u16],
    tile: TileId,
    options: &Options,
) -> Result<EncodedTile, Error> {
    write_layers(snapshot, layers, tile, options, |name, sheet| {
        write_layer(name, sheet).map_err(|e| Error::Encode(e.to_string()))
    })
}

fn write_layer(name: &str, sheet: &Sheet) -> Result<Vec<u8>, mlt_core::MltError> {
    if sheet.rows.is_empty() {
        return Ok(Vec::new());
    }
    let values: Vec<Option<Value>> = sheet.values().map(Value::decode).collect();
    // A key exists because a row has it, so each gets the type of its first value.
    let mut kinds = vec![None; sheet.keys.len()];
    for tag in sheet.tags.chunks_exact(2) {
        let kind = &mut kinds[tag[0] as usize];
        *kind = kind.or(values[tag[1] as usize].as_ref().map(|v| kind_of(v.column_type())));
    }
    let mut layer = TileLayer::builder(name, EXTENT)?;
    let mut keys = Vec::with_capacity(kinds.len());
    for (key, kind) in sheet.keys.iter().zip(kinds) {
        keys.push(layer.add_property(&**key, kind.unwrap_or(PropKind::Str))?);
    }
    for row in sheet.rows() {
        let mut feature = layer.feature(geometry(&row));
        feature.id(row.id);
        for tag in row.tags.chunks_exact(2) {
            if let Some(v) = &values[tag[1] as usize] {
                feature.property(keys[tag[0] as usize], property(v))?;
            }
        }
        feature.finish()?;
    }
    // Rows are in Hilbert order already: trying other orders only costs time.
    let config = EncoderConfig::default()
        .with_spatial_hilbert_sort(false)
        .with_spatial_morton_sort(false)
        .with_id_sort(false);
    layer.finish().encode(config)
}

fn kind_of(ty: ColumnType) -> PropKind {
    match ty {
        ColumnType::Str => PropKind::Str,
        ColumnType::Int => PropKind::I64,
        ColumnType::UInt => PropKind::U64,
        ColumnType::Bool => PropKind::Bool,
        ColumnType::Double => PropKind::F64,
    }
}

fn property(v: &Value) -> PropValue {
    match v {
        Value::Str(v) => PropValue::Str(Some(v.to_string())),
        Value::Int(v) => PropValue::I64(Some(*v)),
        Value::UInt(v) => PropValue::U64(Some(*v)),
        Value::Bool(v) => PropValue::Bool(Some(*v)),
        Value::Double(v) => PropValue::F64(Some(*v)),
    }
}

fn geometry(row: &RowView<'_>) -> Geometry<i32> {
    let coord = |p: &Place| Coord { x: p[0], y: p[1] };
    if row.kind == Kind::Point {
        let mut points: Vec<Point<i32>> = row.coords.iter().map(|p| Point(coord(p))).collect();
        return match points.pop() {
            Some(only) if points.is_empty() => only.into(),
            last => MultiPoint(points.into_iter().chain(last).collect()).into(),
        };
    }
    let mut lines: Vec<(LineString<i32>, bool)> = Vec::with_capacity(row.ends.len());
    let mut from = 0;
    for (end, outer) in row.ends.iter().zip(row.outer) {
        let to = (*end - row.coords_from) as usize;
        let part = &row.coords[from..to];
        // Rings are closed here, unlike in the sheet.
        let close = if row.kind == Kind::Polygon { part.first() } else { None };
        lines.push((LineString(part.iter().chain(close).map(coord).collect()), *outer));
        from = to;
    }
    if row.kind == Kind::Line {
        return match (lines.len(), lines.pop()) {
            (1, Some((line, _))) => line.into(),
            (_, last) => MultiLineString(lines.into_iter().chain(last).map(|l| l.0).collect()).into(),
        };
    }
    let mut polygons: Vec<Polygon<i32>> = Vec::new();
    for (ring, outer) in lines {
        match polygons.last_mut() {
            Some(p) if !outer => p.interiors_push(ring),
            _ => polygons.push(Polygon::new(ring, Vec::new())),
        }
    }
    match polygons.pop() {
        Some(only) if polygons.is_empty() => only.into(),
        last => MultiPolygon(polygons.into_iter().chain(last).collect()).into(),
    }
}
