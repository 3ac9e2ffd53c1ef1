//! A sheet as people see it: cells, merges, widths.

use std::collections::{BTreeMap, HashSet};

use quick_xml::events::Event;
use serde::Serialize;
use utoipa::ToSchema;

use super::package::Workbook;
use super::xml::{Walker, attribute, local, number};
use super::{refused, unreadable};
use crate::error::Result;

/// A sheet of a workbook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SheetName {
    /// As on its tab.
    pub name: String,
    /// Not shown in Excel.
    pub hidden: bool,
}

/// A place: row and column from 1.
pub type At = (u32, u32);

/// A rectangle of cells, both corners inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Area {
    /// First row.
    pub top: u32,
    /// First column.
    pub left: u32,
    /// Last row.
    pub bottom: u32,
    /// Last column.
    pub right: u32,
}

impl Area {
    /// Is the cell inside?
    pub fn holds(&self, (row, column): At) -> bool {
        (self.top..=self.bottom).contains(&row) && (self.left..=self.right).contains(&column)
    }

    fn parse(text: &str) -> Option<Self> {
        let (a, b) = text.split_once(':').unwrap_or((text, text));
        let ((top, left), (bottom, right)) = (parse_ref(a)?, parse_ref(b)?);
        (top <= bottom && left <= right).then_some(Self { top, left, bottom, right })
    }
}

/// A cell that holds something or has a look of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cell {
    /// What it shows; for numbers as stored.
    pub text: String,
    /// It holds a formula, which is never overwritten.
    pub formula: Option<String>,
    /// It holds a number, not words that look like one.
    pub number: bool,
    /// Number of its style.
    pub style: u32,
}

/// A sheet.
#[derive(Debug, Clone, Default)]
pub struct Grid {
    /// Name on its tab.
    pub name: String,
    /// Last row and column with a cell or merge.
    pub size: At,
    /// Cells by place.
    pub cells: BTreeMap<At, Cell>,
    /// Merged cells.
    pub merges: Vec<Area>,
    /// Cells whose value a formula in another cell gives.
    pub arrays: Vec<Area>,
    /// Widths of columns in characters: first, last, width, style.
    pub columns: Vec<(u32, u32, f64, u32)>,
    /// Styles that show a date.
    pub date_styles: HashSet<u32>,
}

impl Grid {
    /// Reads a sheet by its name.
    ///
    /// # Errors
    /// `not_found`, `file_refused`, `unreadable_file`.
    pub fn read(book: &mut Workbook<'_>, sheet: &str) -> Result<Self> {
        let path = book.path_of(sheet)?;
        let strings = shared_strings(book)?;
        let date_styles = date_styles(book)?;
        let text = book.part(&path)?;
        let mut grid = Self { name: sheet.to_owned(), date_styles, ..Self::default() };
        grid.read_cells(&text, &strings, book)?;
        Ok(grid)
    }

    /// What a cell shows; "" when there is nothing.
    pub fn text(&self, at: At) -> &str {
        self.cells.get(&at).map_or("", |c| c.text.as_str())
    }

    /// What the merged cell shows that covers a place.
    pub fn shown(&self, at: At) -> &str {
        self.text(self.anchor(at))
    }

    /// The cell that holds the value of a place: the corner of the merge that covers it, or itself.
    pub fn anchor(&self, at: At) -> At {
        self.merges.iter().find(|m| m.holds(at)).map_or(at, |m| (m.top, m.left))
    }

    /// A formula gives the value of the place.
    pub fn is_formula(&self, at: At) -> bool {
        self.cells.get(&at).is_some_and(|c| c.formula.is_some()) || self.arrays.iter().any(|a| a.holds(at))
    }

    /// The place shows a date.
    pub fn is_date(&self, at: At) -> bool {
        self.cells.get(&at).is_some_and(|c| self.date_styles.contains(&c.style))
    }

    fn read_cells(&mut self, text: &str, strings: &[String], book: &Workbook<'_>) -> Result<()> {
        let mut walker = Walker::new(text, &book.limits, book.deadline);
        let (mut row, mut column) = (0, 0);
        while let Some((event, _)) = walker.next()? {
            let (e, empty) = match &event {
                Event::Start(e) => (e, false),
                Event::Empty(e) => (e, true),
                _ => continue,
            };
            match local(e) {
                "row" => {
                    row = number(e, "r")?.unwrap_or(row + 1);
                    column = 0;
                }
                "c" => {
                    let at = match attribute(e, "r")? {
                        Some(name) => parse_ref(&name).ok_or_else(|| unreadable(format!("cell {name}")))?,
                        None => (row, column + 1),
                    };
                    column = at.1;
                    let style = number(e, "s")?.unwrap_or_default();
                    let kind = attribute(e, "t")?.unwrap_or_default();
                    let mut cell = Cell { style, ..Cell::default() };
                    if !empty {
                        self.read_cell(&mut walker, &mut cell, &kind, strings)?;
                    }
                    // Far corners are styled by whole rows and columns; what says nothing there is dropped.
                    let near = at.0 <= book.limits.rows && at.1 <= book.limits.columns;
                    let says = !cell.text.is_empty() || cell.formula.is_some();
                    if says {
                        self.grow(at);
                    }
                    if near {
                        self.cells.insert(at, cell);
                    }
                    if self.cells.len() > book.limits.cells || (says && !near) {
                        return Err(too_many(&book.limits));
                    }
                }
                "mergeCell" => {
                    if let Some(area) = attribute(e, "ref")?.as_deref().and_then(Area::parse) {
                        if self.merges.len() >= 5_000 {
                            return Err(too_many(&book.limits));
                        }
                        if area.bottom <= book.limits.rows && area.right <= book.limits.columns {
                            self.grow((area.bottom, area.right));
                        }
                        self.merges.push(area);
                    }
                }
                "col" => {
                    let first = number(e, "min")?.unwrap_or(1);
                    let last = number(e, "max")?.unwrap_or(first);
                    let width = number::<f64>(e, "width")?.filter(|w| w.is_finite()).unwrap_or(8.43);
                    self.columns.push((first, last, width, number(e, "style")?.unwrap_or_default()));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The inside of a `c` element, up to its end.
    fn read_cell(
        &mut self,
        walker: &mut Walker<'_>,
        cell: &mut Cell,
        kind: &str,
        strings: &[String],
    ) -> Result<()> {
        while let Some((event, _)) = walker.next()? {
            match &event {
                Event::End(e) if e.local_name().into_inner() == "c" => return Ok(()),
                Event::Empty(e) if local(e) == "f" => cell.formula = Some(String::new()),
                Event::Start(e) if local(e) == "f" => {
                    let spread = attribute(e, "t")?.is_some_and(|t| t == "array" || t == "dataTable");
                    let covered = attribute(e, "ref")?.as_deref().and_then(Area::parse).filter(|_| spread);
                    self.arrays.extend(covered);
                    let formula = walker.text_until_end()?;
                    refuse_formula(&formula)?;
                    cell.formula = Some(formula);
                }
                Event::Start(e) if local(e) == "v" => {
                    let value = walker.text_until_end()?;
                    cell.number = matches!(kind, "" | "n");
                    cell.text = match kind {
                        "s" => value
                            .trim()
                            .parse()
                            .ok()
                            .and_then(|i: usize| strings.get(i))
                            .cloned()
                            .unwrap_or_default(),
                        "b" => if value.trim() == "1" { "TRUE" } else { "FALSE" }.to_owned(),
                        _ => value,
                    };
                }
                Event::Start(e) if local(e) == "is" => cell.text = walker.text_until_end()?,
                _ => {}
            }
        }
        Err(unreadable("unclosed cell"))
    }

    fn grow(&mut self, at: At) {
        self.size = (self.size.0.max(at.0), self.size.1.max(at.1));
    }
}

/// Functions that reach out of the workbook when Excel computes it anew.
fn refuse_formula(formula: &str) -> Result<()> {
    let upper = formula.to_ascii_uppercase();
    for name in ["WEBSERVICE(", "RTD(", "CALL(", "REGISTER.ID(", "DDE(", "[1]", "FILTERXML("] {
        if upper.contains(name) {
            return Err(refused(
                "external_links",
                format!(
                    "公式中用到了连接外部的函数（{}）。请改成数值后另存上传。",
                    name.trim_end_matches('(')
                ),
                format!(
                    "A formula reaches outside the workbook ({name}). Replace it by its value and save again."
                ),
            ));
        }
    }
    Ok(())
}

fn too_many(limits: &super::Limits) -> crate::error::Error {
    refused(
        "too_large",
        format!(
            "工作表超过 {} 行、{} 列或 {} 个单元格。请删去空白的格式行列后另存再传。",
            limits.rows, limits.columns, limits.cells
        ),
        format!(
            "The sheet has more than {} rows, {} columns or {} cells.",
            limits.rows, limits.columns, limits.cells
        ),
    )
}

fn shared_strings(book: &mut Workbook<'_>) -> Result<Vec<String>> {
    let Some(path) = book.shared_strings.clone() else { return Ok(Vec::new()) };
    let text = book.part(&path)?;
    let mut strings = Vec::new();
    let mut walker = Walker::new(&text, &book.limits, book.deadline);
    while let Some((event, _)) = walker.next()? {
        match &event {
            Event::Start(e) if local(e) == "si" => strings.push(walker.text_until_end()?),
            Event::Empty(e) if local(e) == "si" => strings.push(String::new()),
            _ => {}
        }
    }
    Ok(strings)
}

/// Numbers of the cell styles that show dates: built-in formats, or codes with year, month and day.
fn date_styles(book: &mut Workbook<'_>) -> Result<HashSet<u32>> {
    let Some(path) = book.styles.clone() else { return Ok(HashSet::new()) };
    let text = book.part(&path)?;
    let mut dates: HashSet<u32> = (14..=17).chain([22]).chain(27..=36).chain(50..=58).collect();
    let (mut styles, mut inside, mut next) = (HashSet::new(), false, 0);
    let mut walker = Walker::new(&text, &book.limits, book.deadline);
    while let Some((event, _)) = walker.next()? {
        match &event {
            Event::Start(e) | Event::Empty(e) => match local(e) {
                "numFmt" => {
                    let code = attribute(e, "formatCode")?.unwrap_or_default().to_ascii_lowercase();
                    if let Some(id) = number(e, "numFmtId")? {
                        if code.contains('y') && code.contains('m') {
                            dates.insert(id);
                        } else {
                            dates.remove(&id);
                        }
                    }
                }
                "cellXfs" => inside = true,
                "xf" if inside => {
                    if number(e, "numFmtId")?.is_some_and(|id: u32| dates.contains(&id)) {
                        styles.insert(next);
                    }
                    next += 1;
                }
                _ => {}
            },
            Event::End(e) if e.local_name().into_inner() == "cellXfs" => inside = false,
            _ => {}
        }
    }
    Ok(styles)
}

/// "B12" as row 12, column 2; dollar signs are let pass.
pub fn parse_ref(name: &str) -> Option<At> {
    let name = name.replace('$', "");
    let digits = name.find(|c: char| c.is_ascii_digit())?;
    let column = parse_column(&name[..digits])?;
    let row: u32 = name[digits..].parse().ok()?;
    (1..=1_048_576).contains(&row).then_some((row, column))
}

/// "B" as 2.
pub fn parse_column(letters: &str) -> Option<u32> {
    if letters.is_empty() || letters.len() > 3 {
        return None;
    }
    let column = letters.bytes().try_fold(0, |sum, b| {
        b.is_ascii_alphabetic().then(|| sum * 26 + u32::from(b.to_ascii_uppercase() - b'A') + 1)
    })?;
    (column <= 16_384).then_some(column)
}

/// 2 as "B".
pub fn column_name(mut column: u32) -> String {
    let mut name = Vec::new();
    while column > 0 {
        column -= 1;
        name.push(char::from(b'A' + (column % 26) as u8));
        column /= 26;
    }
    name.iter().rev().collect()
}

/// (12, 2) as "B12".
pub fn cell_name((row, column): At) -> String {
    format!("{}{row}", column_name(column))
}
