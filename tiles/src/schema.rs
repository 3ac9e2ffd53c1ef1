//! What a layer holds and what it shows at each zoom, declared as data.

use std::collections::BTreeMap;
use std::ops::{BitOr, RangeInclusive};
use std::sync::Arc;

use crate::error::Error;
use crate::grid::WorldPoint;
use crate::value::{ColumnType, Value};

/// A set of readers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scope(pub u8);

impl Scope {
    /// Anybody.
    pub const PUBLIC: Self = Self(1);
    /// People signed in.
    pub const STAFF: Self = Self(2);
    /// Both.
    pub const ALL: Self = Self(3);

    /// True when the two sets share a reader.
    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl BitOr for Scope {
    type Output = Self;
    fn bitor(self, o: Self) -> Self {
        Self(self.0 | o.0)
    }
}

/// A property that the features of a layer may have.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its key in the tile.
    pub name: Arc<str>,
    /// The type of its values.
    pub ty: ColumnType,
    /// Who is shown it.
    pub scope: Scope,
}

/// A condition on one column: its value is one of these. `None` stands for an absent value. It is
/// judged by the true value, also for readers who may not see the column.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    /// Index of the column.
    pub column: usize,
    /// The values that pass.
    pub any_of: Vec<Option<Value>>,
}

/// Where an aggregate stands, and what else is said of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Anchor {
    /// Place of its point.
    pub at: WorldPoint,
    /// Further properties, such as the name of the area.
    pub props: Vec<(Arc<str>, Value)>,
}

/// The points of an aggregating rule, by the value of its column.
#[derive(Debug, Clone, PartialEq)]
pub struct Anchors {
    /// Encoded value → anchor.
    pub(crate) by_value: BTreeMap<Vec<u8>, Anchor>,
    /// Where features stand whose value is absent or unknown, so that none goes uncounted.
    pub(crate) fallback: WorldPoint,
}

impl Anchors {
    /// Anchors for the given values; features of any other value are counted at `fallback`.
    pub fn new(anchors: impl IntoIterator<Item = (Value, Anchor)>, fallback: WorldPoint) -> Self {
        Self { by_value: anchors.into_iter().map(|(v, a)| (v.to_bytes(), a)).collect(), fallback }
    }
}

/// How the features of a rule are drawn.
#[derive(Debug, Clone, PartialEq)]
pub enum Mode {
    /// Not at all.
    Hidden,
    /// As they are, simplified. The limits bind [`Class::Recede`](crate::Class::Recede) alone.
    Geometry {
        /// Features whose bounds are shorter than this (longer side, CSS px) are left out.
        min_length_px: f32,
        /// Polygon rings smaller than this (square CSS px) are left out.
        min_area_px: f32,
        /// How far a drawn line may lie from the true one, CSS px.
        tolerance_px: f32,
    },
    /// Each as a point: a point itself, the feature's anchor otherwise.
    Points,
    /// As points; those that recede and share a cell and the value of `group` become one, with
    /// `count`. Every feature of this mode has `count`.
    ClusterPoints {
        /// Side of the cells, CSS px; taken down to a power of two from 1 to 512, so that cells
        /// never straddle tiles.
        cell_px: u32,
        /// Column whose values are kept apart; clusters carry it.
        group: Option<usize>,
    },
    /// One point for each value of `column`, at its anchor, with `count` and, for each value `v` of
    /// `count_by`, `n_v` (`n_none` where it is absent). Counts everything, kept or receding.
    AggregateBy {
        /// Column that groups; the point carries its value.
        column: usize,
        /// Column whose values are counted apart.
        count_by: Option<usize>,
        /// Where the points stand.
        anchors: Arc<Anchors>,
    },
    /// Lines whose values in `by` are equal are joined end to end and become one feature without
    /// id. Those of [`Class::Keep`](crate::Class::Keep) stay by themselves.
    MergeLines {
        /// Columns that keep lines apart; the joined lines carry them.
        by: Vec<usize>,
        /// Joined lines shorter than this are left out, CSS px.
        min_length_px: f32,
        /// How far a drawn line may lie from the true one, CSS px.
        tolerance_px: f32,
    },
}

impl Mode {
    /// Geometry at the full resolution of the tile, nothing left out.
    pub const EXACT: Self = Self::Geometry { min_length_px: 0.0, min_area_px: 0.0, tolerance_px: 0.0625 };
}

/// What some features show over some zooms. A feature follows the first rule of its layer that
/// holds for the zoom and whose filters it passes; with none, it is hidden.
#[derive(Debug, Clone, PartialEq)]
pub struct ZoomRule {
    /// Zooms of tiles (not of the view) at which it holds.
    pub zooms: RangeInclusive<u8>,
    /// All must pass.
    pub filters: Vec<Filter>,
    /// How they are drawn.
    pub mode: Mode,
    /// Columns carried; `None` for all.
    pub columns: Option<Vec<usize>>,
    /// Adds, for each feature drawn as geometry, a point at its anchor with the same id and
    /// properties, in the one tile that holds it (and in buffers).
    pub labels: bool,
}

impl ZoomRule {
    /// A rule for all features and all columns, without labels.
    pub fn new(zooms: RangeInclusive<u8>, mode: Mode) -> Self {
        Self { zooms, filters: Vec::new(), mode, columns: None, labels: false }
    }

    /// Only features whose `column` has one of the values.
    #[must_use]
    pub fn only<V: Into<Value>>(mut self, column: usize, any_of: impl IntoIterator<Item = V>) -> Self {
        self.filters.push(Filter { column, any_of: any_of.into_iter().map(|v| Some(v.into())).collect() });
        self
    }

    /// Carries these columns and no other.
    #[must_use]
    pub fn carrying(mut self, columns: impl IntoIterator<Item = usize>) -> Self {
        self.columns = Some(columns.into_iter().collect());
        self
    }

    /// With label points.
    #[must_use]
    pub fn with_labels(mut self) -> Self {
        self.labels = true;
        self
    }

    fn columns_named(&self) -> impl Iterator<Item = usize> {
        let mode = match &self.mode {
            Mode::ClusterPoints { group, .. } => group.iter().copied().collect(),
            Mode::AggregateBy { column, count_by, .. } => std::iter::once(*column).chain(*count_by).collect(),
            Mode::MergeLines { by, .. } => by.clone(),
            Mode::Hidden | Mode::Geometry { .. } | Mode::Points => Vec::new(),
        };
        let filters = self.filters.iter().map(|f| f.column);
        filters.chain(mode).chain(self.columns.iter().flatten().copied())
    }
}

/// A layer: its name in the tile, its columns, its rules. Layers and columns are for staff alone
/// until opened.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerSchema {
    /// Name in the tile.
    pub name: Arc<str>,
    /// Properties, in the order of [`Version::values`](crate::Version::values).
    pub columns: Vec<Column>,
    /// What it shows; earlier rules win.
    pub rules: Vec<ZoomRule>,
    /// Who is shown it.
    pub scope: Scope,
}

impl LayerSchema {
    /// A layer without columns that shows everything as it is at every zoom, to staff.
    pub fn new(name: &str) -> Self {
        let rules = vec![ZoomRule::new(0..=crate::MAX_ZOOM, Mode::EXACT)];
        Self { name: name.into(), columns: Vec::new(), rules, scope: Scope::STAFF }
    }

    /// Adds a column that only staff see.
    #[must_use]
    pub fn column(mut self, name: &str, ty: ColumnType) -> Self {
        self.columns.push(Column { name: name.into(), ty, scope: Scope::STAFF });
        self
    }

    /// Adds a column that everyone sees.
    #[must_use]
    pub fn public_column(mut self, name: &str, ty: ColumnType) -> Self {
        self.columns.push(Column { name: name.into(), ty, scope: Scope::ALL });
        self
    }

    /// Shows the layer to everyone.
    #[must_use]
    pub fn public(mut self) -> Self {
        self.scope = Scope::ALL;
        self
    }

    /// Replaces the rules.
    #[must_use]
    pub fn rules(mut self, rules: Vec<ZoomRule>) -> Self {
        self.rules = rules;
        self
    }

    /// Index of a column.
    pub fn column_index(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| &*c.name == name)
    }

    /// # Errors
    /// [`Error::NoSuchColumn`] when a rule names a column beyond the last.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let beyond = self.rules.iter().flat_map(ZoomRule::columns_named).find(|c| *c >= self.columns.len());
        beyond.map_or(Ok(()), |c| Err(Error::NoSuchColumn(self.name.to_string(), c.to_string())))
    }
}
