//! Points that share a cell of the global grid, counted as one.

use std::sync::Arc;

use super::frame::Frame;
use super::sheet::Sheet;
use crate::feature::Class;
use crate::grid::{EXTENT_LOG2, MAX_ZOOM};
use crate::intern::QuickMap;
use crate::store::Alive;
use crate::value::Value;

/// Which cell: its size, its place, the number of its group, and whether what it holds is kept.
type CellKey = (u32, u32, u32, u32, bool);

/// One cell's features so far.
struct Cell<'a> {
    sum: [u64; 2],
    count: u64,
    first: Alive<'a>,
}

/// The cells of one rule.
#[derive(Default)]
pub(crate) struct Clusters<'a> {
    cells: QuickMap<CellKey, Cell<'a>>,
    groups: QuickMap<Option<&'a [u8]>, u32>,
}

/// How a rule clusters on one tile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CellSize {
    /// Base-2 logarithm of a cell's side in world units.
    pub log2: u32,
    /// The same within the tile itself, when the tile has to be thinned further. Cells around it
    /// keep their size: there the neighbours' points must come out alike.
    pub own_log2: u32,
}

impl CellSize {
    /// Cells `levels` doublings larger within the tile.
    pub fn new(log2: u32, levels: u32, z: u8) -> Self {
        let tile = EXTENT_LOG2 + u32::from(MAX_ZOOM - z);
        Self { log2, own_log2: (log2 + levels).min(tile).max(log2) }
    }
}

impl<'a> Clusters<'a> {
    /// Takes a feature; `group` is the column that keeps clusters apart.
    pub fn add(&mut self, a: &Alive<'a>, group: Option<usize>, size: CellSize, f: &Frame) {
        let value = group.and_then(|c| a.bytes(c));
        let next = self.groups.len() as u32;
        let group = *self.groups.entry(value).or_insert(next);
        let owned = f.tile.rect().contains(&crate::Rect::point(a.anchor));
        let log2 = if owned { size.own_log2 } else { size.log2 };
        let [x, y] = a.anchor.map(|v| (u64::from(v) >> log2) as u32);
        let key = (log2, y, x, group, a.class == Class::Keep);
        let cell = self.cells.entry(key).or_insert(Cell { sum: [0; 2], count: 0, first: *a });
        cell.sum = [cell.sum[0] + u64::from(a.anchor[0]), cell.sum[1] + u64::from(a.anchor[1])];
        cell.count += 1;
    }

    /// Writes the points that lie on the tile. Alone in its cell, a feature keeps id and columns.
    pub fn write(
        self,
        group: Option<usize>,
        columns: &[usize],
        names: &[Arc<str>],
        f: &Frame,
        out: &mut Sheet,
    ) {
        let count_key: Arc<str> = "count".into();
        let mut cells: Vec<(CellKey, Cell<'a>)> = self.cells.into_iter().collect();
        cells.sort_unstable_by_key(|c| c.0);
        for (_, cell) in cells {
            let Some(at) = f.cell(cell.sum.map(|s| (s / cell.count) as u32)) else { continue };
            let id = if cell.count == 1 {
                out.push_columns(&cell.first, columns, names);
                Some(cell.first.id)
            } else {
                out.push_columns(&cell.first, group.as_slice(), names);
                None
            };
            out.push_made(&count_key, &Value::UInt(cell.count));
            out.end_point(id, at);
        }
    }
}
