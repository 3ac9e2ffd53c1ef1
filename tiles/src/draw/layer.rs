//! One layer on one tile, drawn by its rules.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::aggregate::{CountKey, count};
use super::cluster::{CellSize, Clusters};
use super::frame::Frame;
use super::merge::Bundle;
use super::repair::Place;
use super::rules::{Active, Rules};
use super::shape::{Detail, Pen};
use super::sheet::Sheet;
use crate::encode::Options;
use crate::feature::Class;
use crate::geometry::Kind;
use crate::grid::{Rect, UNITS_PER_PX};
use crate::intern::QuickMap;
use crate::schema::{Anchors, Mode, ZoomRule};
use crate::store::{Alive, LayerSnapshot, cell_log2};
use crate::value::Value;

/// The last step of thinning: by then everything that recedes is aggregated or gone, and what is
/// kept is drawn as coarsely as it can be.
pub(crate) const MAX_LEVEL: u32 = 16;
/// From this step on, receding geometry is gone, and kept features are drawn coarser.
const COARSE: u32 = 9;

/// Counts by encoded value.
type Parts<'v> = BTreeMap<&'v Option<Vec<u8>>, u64>;

/// What a rule gathers before it can write.
enum Gathered<'a> {
    Nothing,
    Cells(Clusters<'a>),
    Lines(Vec<(Alive<'a>, Bundle)>, QuickMap<Vec<Option<&'a [u8]>>, usize>),
}

/// Draws a layer. `level` is how many steps it is thinned beyond what its rules say.
pub(crate) fn draw_layer(layer: &LayerSnapshot, frame: &Frame, options: &Options, level: u32) -> Sheet {
    let columns = layer.schema.columns.len();
    let exact = ZoomRule::new(0..=crate::MAX_ZOOM, Mode::EXACT);
    if !layer.schema.scope.meets(options.scope) {
        return Sheet::new(columns);
    }
    let rules = if options.thinning {
        Rules::at(layer, frame.tile.z(), options.scope)
    } else {
        Rules::only(layer, &exact, options.scope)
    };
    if rules.hide_all() {
        return Sheet::new(columns);
    }
    let names: Vec<Arc<str>> = layer.schema.columns.iter().map(|c| Arc::clone(&c.name)).collect();
    let mut d = Drawing {
        frame,
        options,
        level,
        names: &names,
        rules: &rules,
        out: Sheet::new(columns),
        pen: Pen::default(),
        line: Sheet::new(0),
        fineness: (0.0, Detail::new(frame, 0.0)),
    };
    if rules.need_visit() {
        let mut gathered: Vec<Gathered<'_>> = rules.active.iter().map(|_| Gathered::Nothing).collect();
        let area = d.area();
        layer.visit(&area, options.day, options.scope, &mut |a| {
            if let Some(r) = rules.of(a) {
                d.feature(a, &rules.active[r], &mut gathered[r]);
            }
        });
        for (rule, g) in rules.active.iter().zip(gathered) {
            d.write_gathered(rule, g);
        }
    }
    for (i, rule) in rules.active.iter().enumerate() {
        if let Mode::AggregateBy { column, count_by, anchors } = &rule.rule.mode {
            d.aggregates(layer, i, *column, *count_by, anchors);
        }
    }
    d.out
}

struct Drawing<'d> {
    frame: &'d Frame,
    options: &'d Options,
    level: u32,
    names: &'d [Arc<str>],
    rules: &'d Rules<'d>,
    out: Sheet,
    pen: Pen,
    /// Where lines to be joined are drawn first.
    line: Sheet,
    /// The last tolerance asked for, and what it means: features mostly ask for the same.
    fineness: (f64, Detail),
}

impl Drawing<'_> {
    /// Everything that any rule needs to see.
    fn area(&self) -> Rect {
        let q = self.frame.query();
        let cells = self.rules.active.iter().filter_map(|r| match &r.rule.mode {
            Mode::ClusterPoints { cell_px, .. } => Some(cell_log2(*cell_px, self.frame.tile.z())),
            _ => None,
        });
        cells.fold(q, |r, log2| r.union(q.grown_to_cells(log2)))
    }

    fn feature<'a>(&mut self, a: &Alive<'a>, rule: &Active<'_>, gathered: &mut Gathered<'a>) {
        match &rule.rule.mode {
            Mode::Hidden | Mode::AggregateBy { .. } => {}
            Mode::Points => self.points(a, rule, gathered),
            Mode::ClusterPoints { cell_px, group } => self.clustered(a, rule, *cell_px, *group, gathered),
            Mode::Geometry { min_length_px, min_area_px, tolerance_px } => {
                if a.geometry().kind == Kind::Point && self.level > 0 {
                    self.points(a, rule, gathered);
                    return;
                }
                self.geometry(a, rule, [*min_length_px, *min_area_px, *tolerance_px]);
            }
            Mode::MergeLines { by, tolerance_px, .. } => {
                if a.class == Class::Keep || a.geometry().kind != Kind::Line {
                    self.geometry(a, rule, [0.0, 0.0, *tolerance_px]);
                } else if self.level < COARSE {
                    self.gather_line(a, by, *tolerance_px, gathered);
                }
            }
        }
    }

    /// Steps by which what recedes, or what is kept, is drawn coarser.
    fn coarser(&self, class: Class) -> u32 {
        match class {
            Class::Recede => self.level,
            Class::Keep => self.level.saturating_sub(COARSE),
        }
    }

    fn detail(&mut self, tolerance: f64) -> Detail {
        if self.fineness.0.to_bits() != tolerance.to_bits() {
            self.fineness = (tolerance, Detail::new(self.frame, tolerance));
        }
        self.fineness.1
    }

    fn geometry(&mut self, a: &Alive<'_>, rule: &Active<'_>, [length, area, tolerance]: [f32; 3]) {
        let f = self.frame;
        let steps = f64::from(1_u32 << self.coarser(a.class));
        let px = f64::from(UNITS_PER_PX);
        // Below half a unit nothing can be told apart.
        let tolerance = (f64::from(tolerance) * px * steps).max(0.5);
        let mut detail = self.detail(tolerance);
        let is_point = a.geometry().kind == Kind::Point;
        if a.class == Class::Recede && !is_point {
            if self.level >= COARSE {
                return;
            }
            let least = if self.level > 0 { length.max(1.0) } else { length };
            let least = (f64::from(least) * px * steps).max(if self.options.thinning { 0.0 } else { 0.5 });
            if f.longer_side(&a.rect) < least {
                return;
            }
            let area = f64::from(area) * px * px * steps;
            detail.area2 = (area * 2.0) as i64;
        } else if self.options.thinning {
            detail.speck = true;
        } else if !is_point && f.longer_side(&a.rect) < 0.5 {
            return;
        }
        let g = a.geometry();
        self.pen.draw(&g, f.sees_all(&a.rect), f, &detail, &mut self.out);
        if self.out.has_shape() {
            self.out.push_columns(a, &rule.columns, self.names);
            self.out.end_row(Some(a.id), g.kind);
        }
        if rule.rule.labels
            && let Some(at) = f.cell(a.anchor)
        {
            self.out.push_columns(a, &rule.columns, self.names);
            self.out.end_point(Some(a.id), at);
        }
    }

    fn points<'a>(&mut self, a: &Alive<'a>, rule: &Active<'_>, gathered: &mut Gathered<'a>) {
        let steps = self.coarser(a.class);
        if steps > 0 && self.owns(a) {
            self.cell(a, None, FIRST_CELL_PX, steps, gathered);
        } else if let Some(at) = self.frame.cell(a.anchor) {
            self.out.push_columns(a, &rule.columns, self.names);
            self.out.end_point(Some(a.id), at);
        }
    }

    fn clustered<'a>(
        &mut self,
        a: &Alive<'a>,
        rule: &Active<'_>,
        cell_px: u32,
        group: Option<usize>,
        gathered: &mut Gathered<'a>,
    ) {
        let steps = self.coarser(a.class);
        if a.class == Class::Recede || (steps > 0 && self.owns(a)) {
            self.cell(a, self.rules.visible(group), cell_px, steps, gathered);
        } else if let Some(at) = self.frame.cell(a.anchor) {
            self.out.push_columns(a, &rule.columns, self.names);
            self.out.push_made(&"count".into(), &Value::UInt(1));
            self.out.end_point(Some(a.id), at);
        }
    }

    /// Further thinning stops at the edge of the tile: what lies beyond is there to agree with the
    /// neighbours, who may not have been thinned.
    fn owns(&self, a: &Alive<'_>) -> bool {
        self.frame.tile.rect().contains(&Rect::point(a.anchor))
    }

    fn cell<'a>(
        &self,
        a: &Alive<'a>,
        group: Option<usize>,
        px: u32,
        steps: u32,
        gathered: &mut Gathered<'a>,
    ) {
        let z = self.frame.tile.z();
        let size = CellSize::new(cell_log2(px, z), steps, z);
        if !matches!(gathered, Gathered::Cells(_)) {
            *gathered = Gathered::Cells(Clusters::default());
        }
        if let Gathered::Cells(c) = gathered {
            c.add(a, group, size, self.frame);
        }
    }

    fn gather_line<'a>(&mut self, a: &Alive<'a>, by: &[usize], tolerance: f32, gathered: &mut Gathered<'a>) {
        let steps = f64::from(1_u32 << self.level);
        let tolerance = (f64::from(tolerance) * f64::from(UNITS_PER_PX) * steps).max(0.5);
        let detail = self.detail(tolerance);
        self.line.coords.clear();
        self.line.ends.clear();
        self.line.outer.clear();
        self.pen.draw(&a.geometry(), self.frame.sees_all(&a.rect), self.frame, &detail, &mut self.line);
        if self.line.ends.is_empty() {
            return;
        }
        let key: Vec<Option<&'a [u8]>> =
            by.iter().map(|c| self.rules.visible(Some(*c)).and_then(|c| a.bytes(c))).collect();
        if !matches!(gathered, Gathered::Lines(..)) {
            *gathered = Gathered::Lines(Vec::new(), QuickMap::default());
        }
        if let Gathered::Lines(bundles, at) = gathered {
            let i = *at.entry(key).or_insert_with(|| {
                bundles.push((*a, Bundle::default()));
                bundles.len() - 1
            });
            let mut from = 0;
            for to in &self.line.ends {
                bundles[i].1.push(&self.line.coords[from..*to as usize]);
                from = *to as usize;
            }
        }
    }

    fn write_gathered(&mut self, rule: &Active<'_>, gathered: Gathered<'_>) {
        match (gathered, &rule.rule.mode) {
            (Gathered::Cells(c), Mode::ClusterPoints { group, .. }) => {
                let group = self.rules.visible(*group);
                c.write(group, &rule.columns, self.names, self.frame, &mut self.out);
            }
            (Gathered::Cells(c), _) => c.write(None, &rule.columns, self.names, self.frame, &mut self.out),
            (Gathered::Lines(bundles, _), Mode::MergeLines { by, min_length_px, .. }) => {
                let least = if self.level > 0 { min_length_px.max(1.0) } else { *min_length_px };
                let least = f64::from(least) * f64::from(UNITS_PER_PX) * f64::from(1_u32 << self.level);
                let shown: Vec<usize> = by.iter().filter_map(|c| self.rules.visible(Some(*c))).collect();
                for (first, bundle) in bundles {
                    let (out, frame) = (&mut self.out, self.frame);
                    bundle.join(|line| {
                        if long_enough(line, least, frame) {
                            out.coords.extend_from_slice(line);
                            out.end_part(true);
                        }
                    });
                    if out.has_shape() {
                        out.push_columns(&first, &shown, self.names);
                        out.end_row(None, Kind::Line);
                    }
                }
            }
            _ => {}
        }
    }

    fn aggregates(
        &mut self,
        layer: &LayerSnapshot,
        mine: usize,
        column: usize,
        by: Option<usize>,
        anchors: &Anchors,
    ) {
        let (column, by) = (self.rules.visible(Some(column)), self.rules.visible(by));
        let Options { day, scope, .. } = *self.options;
        let key = CountKey {
            rule: self.rules.active[mine].index,
            active: self.rules.active.iter().map(|r| r.index).collect(),
            day,
            scope,
        };
        let groups = layer.aggregates.get(&key, || count(layer, self.rules, mine, [column, by], day, scope));
        // Values without an anchor of their own are counted together, and carry no value.
        let mut unknown: Option<(u64, Parts<'_>)> = None;
        for (value, group) in &*groups {
            match value.as_ref().and_then(|v| anchors.by_value.get_key_value(v)) {
                None => {
                    let (n, parts) = unknown.get_or_insert_with(Default::default);
                    *n += group.count;
                    for (v, k) in &group.by {
                        *parts.entry(v).or_default() += k;
                    }
                }
                Some((bytes, anchor)) => {
                    let Some(at) = self.frame.cell(anchor.at) else { continue };
                    if let (Some(c), Some(v)) = (column, Value::decode(bytes)) {
                        self.out.push_made(&self.names[c], &v);
                    }
                    for (k, v) in &anchor.props {
                        self.out.push_made(k, v);
                    }
                    self.counts(group.count, by.is_some(), group.by.iter().map(|(v, n)| (v, *n)));
                    self.out.end_point(None, at);
                }
            }
        }
        if let (Some((n, parts)), Some(at)) = (unknown, self.frame.cell(anchors.fallback)) {
            self.counts(n, by.is_some(), parts.into_iter());
            self.out.end_point(None, at);
        }
    }

    fn counts<'v>(&mut self, all: u64, parts: bool, each: impl Iterator<Item = (&'v Option<Vec<u8>>, u64)>) {
        self.out.push_made(&"count".into(), &Value::UInt(all));
        for (value, n) in each.filter(|_| parts) {
            let value = value.as_ref().and_then(|v| Value::decode(v));
            let name = value.map_or_else(|| "none".to_owned(), |v| v.label());
            self.out.push_made(&format!("n_{name}").into(), &Value::UInt(n));
        }
    }
}

/// Cells of points that were to be drawn one by one, before the first doubling.
const FIRST_CELL_PX: u32 = 4;

/// Lines that reach the edge of the drawn square go on beyond it and count as long.
fn long_enough(line: &[Place], least: f64, f: &Frame) -> bool {
    let edge = |p: &Place| p.iter().any(|v| i64::from(*v) <= f.lo || i64::from(*v) >= f.hi);
    let side = |i: usize| {
        let (lo, hi) = line.iter().fold((i32::MAX, i32::MIN), |(a, b), p| (a.min(p[i]), b.max(p[i])));
        hi - lo
    };
    f64::from(side(0).max(side(1))) >= least
        || line.first().is_some_and(edge)
        || line.last().is_some_and(edge)
}
