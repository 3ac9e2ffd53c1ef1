//! The rules of a layer that hold on one tile, made ready.

use crate::schema::{LayerSchema, Mode, Scope, ZoomRule};
use crate::store::{Alive, DeltaValue, LayerSnapshot, NONE, Values};

/// A filter with its values looked up in the base.
struct Ready {
    column: usize,
    absent: bool,
    numbers: Vec<u32>,
    bytes: Vec<Vec<u8>>,
}

impl Ready {
    fn passes(&self, a: &Alive<'_>) -> bool {
        match a.values {
            Values::Base(v) if v[self.column] == NONE => self.absent,
            Values::Base(v) => self.numbers.contains(&v[self.column]),
            Values::Delta(v) => match &v[self.column] {
                DeltaValue::Absent => self.absent,
                DeltaValue::Base(n) => self.numbers.contains(n),
                DeltaValue::Own(b) => self.bytes.iter().any(|o| **o == **b),
            },
        }
    }
}

/// A rule that holds.
pub(crate) struct Active<'a> {
    /// Its place among the layer's rules.
    pub index: usize,
    pub rule: &'a ZoomRule,
    filters: Vec<Ready>,
    /// Columns that it carries and the readers may see.
    pub columns: Vec<usize>,
}

/// The rules that hold, in order.
pub(crate) struct Rules<'a> {
    pub active: Vec<Active<'a>>,
    schema: &'a LayerSchema,
    scope: Scope,
}

impl<'a> Rules<'a> {
    /// The layer's own rules at a zoom.
    pub fn at(layer: &'a LayerSnapshot, z: u8, scope: Scope) -> Self {
        let schema = &*layer.schema;
        let held = schema.rules.iter().enumerate().filter(|(_, r)| r.zooms.contains(&z));
        let active = held.map(|(index, rule)| Self::ready(layer, index, rule, scope)).collect();
        Self { active, schema, scope }
    }

    /// One rule for all.
    pub fn only(layer: &'a LayerSnapshot, rule: &'a ZoomRule, scope: Scope) -> Self {
        Self { active: vec![Self::ready(layer, 0, rule, scope)], schema: &layer.schema, scope }
    }

    fn ready(layer: &'a LayerSnapshot, index: usize, rule: &'a ZoomRule, scope: Scope) -> Active<'a> {
        let filters = rule.filters.iter().map(|f| {
            let bytes: Vec<Vec<u8>> = f.any_of.iter().flatten().map(crate::Value::to_bytes).collect();
            Ready {
                column: f.column,
                absent: f.any_of.contains(&None),
                numbers: bytes.iter().filter_map(|b| layer.base.interner.find(b)).collect(),
                bytes,
            }
        });
        let carried = |c: &usize| rule.columns.as_ref().is_none_or(|own| own.contains(c));
        let shown = |c: &usize| layer.schema.columns[*c].scope.meets(scope);
        let columns = (0..layer.schema.columns.len()).filter(carried).filter(shown).collect();
        Active { index, rule, filters: filters.collect(), columns }
    }

    /// The rule that a feature follows, as a place in `active`.
    #[inline]
    pub fn of(&self, a: &Alive<'_>) -> Option<usize> {
        self.active.iter().position(|r| r.filters.iter().all(|f| f.passes(a)))
    }

    /// The column, if the readers may see it.
    pub fn visible(&self, column: Option<usize>) -> Option<usize> {
        column.filter(|c| self.schema.columns[*c].scope.meets(self.scope))
    }

    /// True when no feature is drawn under any of them.
    pub fn hide_all(&self) -> bool {
        self.active.iter().all(|a| a.rule.mode == Mode::Hidden)
    }

    /// True when features have to be visited tile by tile.
    pub fn need_visit(&self) -> bool {
        !self.active.iter().all(|a| matches!(a.rule.mode, Mode::Hidden | Mode::AggregateBy { .. }))
    }
}
