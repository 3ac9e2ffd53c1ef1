//! Filling: what goes into which cell, and what is said about it before anybody downloads it.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::fields::{FieldInfo, Unit};
use super::grid::{At, Grid, cell_name, parse_column, parse_ref};
use super::mapping::{Column, Mapping, Reading, RowFill, Words, chinese_date};
use super::patch::{self, Content};
use super::{Limits, Workbook, recalc};
use crate::error::Result;

/// Cells that a summary shows at most.
const SHOWN_CELLS: usize = 5_000;
/// Entries of a list in a summary at most.
const LISTED: usize = 500;

/// What is known for a cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// In the catalogue's base unit: yuan, kilometres, percent, pieces.
    Number(Decimal),
    /// A sum in which so many projects or villages are missing because they have not reported.
    Partial(Decimal, u32),
    /// Words.
    Text(String),
    /// A day.
    Date(NaiveDate),
    /// Nothing, and why.
    Missing(Missing),
}

/// Why a cell stays empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// 未填报
    NotReported,
    /// 无任务: a share of nothing.
    NoTask,
    /// Not on record.
    NotKnown,
    /// The reading has no such figure.
    NotInReading,
}

/// Gives the value of a row and a column.
pub trait Source {
    /// The value of a field in a row, in a reading.
    fn value(&self, row: &RowFill, field: &str, reading: Reading) -> Value;
    /// Whether the row's area or project is there on the day.
    fn knows(&self, row: &RowFill) -> bool;
    /// Name of the row's area or project.
    fn name(&self, row: &RowFill) -> String;
}

/// A cell that was left empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EmptyCell {
    /// Such as "D7".
    pub cell: String,
    /// Name of its row.
    pub row: String,
    /// Name of its field.
    pub field: String,
    /// The same in English.
    pub field_en: String,
    /// Why.
    pub reason: Missing,
}

/// A sum that is not of all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PartialCell {
    /// Such as "D7".
    pub cell: String,
    /// Name of its row.
    pub row: String,
    /// Name of its field.
    pub field: String,
    /// The same in English.
    pub field_en: String,
    /// How many have not reported.
    pub missing: u32,
}

/// A row that was not filled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SkippedRow {
    /// Number of the row.
    pub row: u32,
    /// What stands in it.
    pub text: String,
    /// left_alone, or not_found: nothing stands behind the code on the day.
    pub reason: String,
}

/// A cell that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Written {
    /// Such as "D7".
    pub cell: String,
    /// What stands there now.
    pub text: String,
}

/// What was done, to be read before the copy is downloaded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Summary {
    /// Rows with figures.
    pub rows_filled: u32,
    /// Cells with figures or words.
    pub cells_filled: u32,
    /// Rows that hold sums.
    pub sum_rows: u32,
    /// Formulas that stayed.
    pub formulas_kept: u32,
    /// Cells left empty, each with its reason; the first 500.
    pub empty: Vec<EmptyCell>,
    /// How many were left empty.
    pub empty_count: u32,
    /// Sums of which a part has not been reported; the first 500.
    pub partial: Vec<PartialCell>,
    /// Rows not filled; the first 500.
    pub skipped: Vec<SkippedRow>,
    /// What was written; the first 5000 cells.
    pub cells: Vec<Written>,
    /// Results of the formulas that are simple enough to be computed here.
    pub results: Vec<Written>,
}

/// Fills a workbook.
///
/// # Errors
/// Those of reading the workbook.
pub fn fill(
    bytes: &[u8],
    limits: &Limits,
    mapping: &Mapping,
    fields: &[FieldInfo],
    words: &Words,
    source: &dyn Source,
) -> Result<(Vec<u8>, Summary)> {
    let mut book = Workbook::open(bytes, limits)?;
    let grid = Grid::read(&mut book, &mapping.sheet)?;
    let (cells, mut summary) = plan(&grid, mapping, fields, words, source, book.since_1904);
    let results = recalc::results(&grid, &cells);
    for (at, value) in results.iter().take(SHOWN_CELLS) {
        let text = value.round_dp(4).normalize().to_string();
        summary.results.push(Written { cell: cell_name(*at), text });
    }
    let path = book.path_of(&mapping.sheet)?;
    let mut parts = BTreeMap::new();
    for sheet in book.sheet_paths() {
        let xml = book.part(&sheet)?;
        let none = (BTreeMap::new(), BTreeMap::new());
        let (own, sums) = if sheet == path { (&cells, &results) } else { (&none.0, &none.1) };
        let patched = patch::cells(&xml, own, sums, &grid, &book.limits, book.deadline)?;
        if patched != xml {
            parts.insert(sheet, patched);
        }
    }
    let main = book.main_path().to_owned();
    let xml = book.part(&main)?;
    parts.insert(main, patch::recalculated(&xml, &book.limits, book.deadline)?);
    Ok((book.with_parts(&parts)?, summary))
}

struct Plan<'a> {
    grid: &'a Grid,
    since_1904: bool,
    cells: BTreeMap<At, Content>,
    summary: Summary,
}

fn plan(
    grid: &Grid,
    mapping: &Mapping,
    fields: &[FieldInfo],
    words: &Words,
    source: &dyn Source,
    since_1904: bool,
) -> (BTreeMap<At, Content>, Summary) {
    let mut plan = Plan { grid, since_1904, cells: BTreeMap::new(), summary: Summary::default() };
    let columns: Vec<(u32, &Column, &FieldInfo)> = mapping
        .columns
        .iter()
        .filter_map(|c| Some((parse_column(&c.column)?, c, fields.iter().find(|f| f.field == c.field)?)))
        .collect();
    let key = mapping.key_column.as_deref().and_then(parse_column);
    // Values as written, by place, for the sums.
    let mut numbers: HashMap<At, Decimal> = HashMap::new();
    for row in &mapping.rows {
        let shown = key.map(|k| grid.shown((row.row, k)).trim().to_owned()).unwrap_or_default();
        match &row.fill {
            RowFill::Leave => {
                plan.skip(row.row, shown, "left_alone");
                continue;
            }
            RowFill::Sum { .. } => continue,
            fill if !source.knows(fill) => {
                plan.skip(row.row, shown, "not_found");
                continue;
            }
            _ => plan.summary.rows_filled += 1,
        }
        for (number, column, info) in &columns {
            let value = source.value(&row.fill, &column.field, column.reading.unwrap_or(words.reading));
            let at = (row.row, *number);
            if let Some(written) = plan.put(at, value, column.unit, &source.name(&row.fill), info) {
                numbers.insert(at, written);
            }
        }
    }
    for row in &mapping.rows {
        let RowFill::Sum { rows } = &row.fill else { continue };
        plan.summary.sum_rows += 1;
        let name = key.map(|k| grid.shown((row.row, k)).trim().to_owned()).unwrap_or_default();
        for (number, column, info) in &columns {
            let parts: Vec<Decimal> =
                rows.iter().filter_map(|r| numbers.get(&(*r, *number)).copied()).collect();
            let value = match (info.additive, parts.is_empty()) {
                (false, _) => Value::Missing(Missing::NoTask),
                (true, true) => Value::Missing(Missing::NotReported),
                (true, false) => Value::Number(parts.iter().sum()),
            };
            // The parts stand in the column's unit already.
            let own = match value {
                Value::Number(n) => Value::Number(n / scale(column.unit)),
                other => other,
            };
            plan.put((row.row, *number), own, column.unit, &name, info);
        }
    }
    for single in &mapping.cells {
        let Some(at) = parse_ref(&single.cell).map(|at| grid.anchor(at)) else { continue };
        if grid.is_formula(at) {
            continue;
        }
        let only_date = single.text.trim() == "{date}" && grid.is_date(at);
        let content = if only_date {
            Content::Number(plan.serial(words.at))
        } else {
            Content::Text(words.fill(&single.text))
        };
        let text = if only_date { chinese_date(words.at) } else { words.fill(&single.text) };
        plan.write(at, content, text);
    }
    plan.summary.formulas_kept =
        grid.cells.values().filter(|c| c.formula.is_some()).count().try_into().unwrap_or(u32::MAX);
    (plan.cells, plan.summary)
}

impl Plan<'_> {
    fn skip(&mut self, row: u32, text: String, reason: &str) {
        if self.summary.skipped.len() < LISTED {
            self.summary.skipped.push(SkippedRow { row, text, reason: reason.to_owned() });
        }
    }

    fn write(&mut self, at: At, content: Content, text: String) {
        self.summary.cells_filled += 1;
        if self.summary.cells.len() < SHOWN_CELLS {
            self.summary.cells.push(Written { cell: cell_name(at), text });
        }
        self.cells.insert(at, content);
    }

    /// Writes a value into a cell that may be written. Gives back the number as it stands there.
    fn put(&mut self, at: At, value: Value, unit: Unit, row: &str, info: &FieldInfo) -> Option<Decimal> {
        // Below the corner of a merge nothing shows; a formula is the form's own.
        if self.grid.anchor(at) != at || self.grid.is_formula(at) {
            return None;
        }
        if let Value::Partial(_, missing) = value
            && self.summary.partial.len() < LISTED
        {
            self.summary.partial.push(PartialCell {
                cell: cell_name(at),
                row: row.to_owned(),
                field: info.name_zh.clone(),
                field_en: info.name_en.clone(),
                missing,
            });
        }
        match value {
            Value::Number(number) | Value::Partial(number, _) => {
                let written = (number * scale(unit)).round_dp(places(unit));
                self.write(at, Content::Number(written), shown(written, unit));
                return Some(written);
            }
            Value::Text(text) => self.write(at, Content::Text(text.clone()), text),
            Value::Date(day) if self.grid.is_date(at) => {
                let serial = self.serial(day);
                self.write(at, Content::Number(serial), day.to_string());
            }
            Value::Date(day) => self.write(at, Content::Text(day.to_string()), day.to_string()),
            Value::Missing(reason) => {
                self.summary.empty_count += 1;
                if self.summary.empty.len() < LISTED {
                    self.summary.empty.push(EmptyCell {
                        cell: cell_name(at),
                        row: row.to_owned(),
                        field: info.name_zh.clone(),
                        field_en: info.name_en.clone(),
                        reason,
                    });
                }
                // What an older copy held there would pass for a figure of this date.
                self.cells.insert(at, Content::Empty);
            }
        }
        None
    }

    /// A day as Excel counts it.
    fn serial(&self, day: NaiveDate) -> Decimal {
        let start = if self.since_1904 { (1904, 1, 1) } else { (1899, 12, 30) };
        let start = NaiveDate::from_ymd_opt(start.0, start.1, start.2).unwrap_or_default();
        Decimal::from((day - start).num_days())
    }
}

/// What a number of the base unit is multiplied with.
fn scale(unit: Unit) -> Decimal {
    match unit {
        Unit::M => Decimal::from(1000),
        Unit::WanYuan => Decimal::new(1, 4),
        Unit::YiYuan => Decimal::new(1, 8),
        Unit::Fraction => Decimal::new(1, 2),
        _ => Decimal::ONE,
    }
}

/// Decimals that are kept.
fn places(unit: Unit) -> u32 {
    match unit {
        Unit::Count | Unit::Text | Unit::Date => 0,
        Unit::M => 0,
        Unit::Km => 3,
        Unit::Yuan => 2,
        Unit::WanYuan => 6,
        Unit::YiYuan => 8,
        Unit::Percent => 2,
        Unit::Fraction => 6,
    }
}

fn shown(number: Decimal, unit: Unit) -> String {
    match unit {
        Unit::Fraction => format!("{}%", (number * Decimal::from(100)).round_dp(2).normalize()),
        _ => number.normalize().to_string(),
    }
}
