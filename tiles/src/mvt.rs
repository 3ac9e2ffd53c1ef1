//! Mapbox Vector Tile 2.1, written by hand.

use crate::draw::{Place, RowView, Sheet};
use crate::geometry::Kind;
use crate::grid::EXTENT;
use crate::pb::{varint, varint_len, zigzag32};

/// Appends a layer to a tile; nothing when it has no rows.
pub(crate) fn write_layer(name: &str, sheet: &Sheet, tile: &mut Vec<u8>) {
    if sheet.rows.is_empty() {
        return;
    }
    let mut body = Vec::with_capacity(sheet.coords.len() * 4 + sheet.tags.len() * 2 + sheet.rows.len() * 16);
    field(&mut body, 0x0A, name.as_bytes());
    let mut packed = Vec::new();
    for row in sheet.rows() {
        packed.clear();
        for t in row.tags {
            varint(&mut packed, u64::from(*t));
        }
        let tags = packed.len();
        commands(&row, &mut packed);
        let shape = packed.len() - tags;
        let sized = |n: usize| 1 + varint_len(n as u64) + n;
        let id = row.id.map_or(0, |id| 1 + varint_len(id));
        body.push(0x12);
        varint(&mut body, (id + if tags > 0 { sized(tags) } else { 0 } + 2 + sized(shape)) as u64);
        if let Some(id) = row.id {
            body.push(0x08);
            varint(&mut body, id);
        }
        if tags > 0 {
            field(&mut body, 0x12, &packed[..tags]);
        }
        let kind = match row.kind {
            Kind::Point => 1,
            Kind::Line => 2,
            Kind::Polygon => 3,
        };
        body.extend_from_slice(&[0x18, kind]);
        field(&mut body, 0x22, &packed[tags..]);
    }
    for key in &sheet.keys {
        field(&mut body, 0x1A, key.as_bytes());
    }
    for value in sheet.values() {
        field(&mut body, 0x22, value);
    }
    body.push(0x28);
    varint(&mut body, u64::from(EXTENT));
    body.extend_from_slice(&[0x78, 2]);
    tile.reserve(body.len() + varint_len(body.len() as u64) + 1);
    field(tile, 0x1A, &body);
}

fn field(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    out.push(tag);
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

const MOVE_TO: u64 = 1;
const LINE_TO: u64 = 2;
const CLOSE: u8 = 15;

fn commands(row: &RowView<'_>, out: &mut Vec<u8>) {
    let mut at = [0, 0];
    if row.kind == Kind::Point {
        varint(out, (row.coords.len() as u64) << 3 | MOVE_TO);
        for p in row.coords {
            step(*p, &mut at, out);
        }
        return;
    }
    let mut from = 0;
    for end in row.ends {
        let to = (*end - row.coords_from) as usize;
        let part = &row.coords[from..to];
        from = to;
        varint(out, 1 << 3 | MOVE_TO);
        step(part[0], &mut at, out);
        varint(out, (part.len() as u64 - 1) << 3 | LINE_TO);
        for p in &part[1..] {
            step(*p, &mut at, out);
        }
        if row.kind == Kind::Polygon {
            out.push(CLOSE);
        }
    }
}

#[inline]
fn step(p: Place, at: &mut Place, out: &mut Vec<u8>) {
    varint(out, u64::from(zigzag32(p[0] - at[0])));
    varint(out, u64::from(zigzag32(p[1] - at[1])));
    *at = p;
}
