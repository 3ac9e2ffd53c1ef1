//! Proposes how a form is filled, from its headings and the names of its rows. A person confirms.

mod columns;
mod singles;

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use utoipa::ToSchema;

use super::fields::{FieldInfo, RowKind};
use super::grid::{Grid, column_name};
use super::mapping::{Mapping, Row, RowFill};
use super::names::{Directory, Fit, KnownArea, is_total, plain};
use crate::domain::sector::Sector;

/// A proposal, and what a person should look at.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Proposal {
    /// Ready to be saved when nothing has to be corrected.
    pub mapping: Mapping,
    /// What was made of each row below the heading.
    pub rows: Vec<RowNote>,
    /// What was made of each column.
    pub columns: Vec<ColumnNote>,
}

/// What was made of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RowNote {
    /// Number of the row.
    pub row: u32,
    /// What stands in its naming column.
    pub text: String,
    /// matched, likely (by a short or old name), total, formula_total, outside (not of one's own
    /// area), ambiguous, unknown
    pub state: &'static str,
    /// Areas it may mean, where it was not clear.
    pub suggestions: Vec<Suggestion>,
}

/// An area or project that a row may mean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Suggestion {
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
}

/// What was made of a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ColumnNote {
    /// Letters.
    pub column: String,
    /// Its headings from above, joined by " / ".
    pub heading: String,
    /// names, mapped, formula (left alone), unknown
    pub state: &'static str,
}

/// Proposes a mapping of a sheet. `chosen` is the column that a person said names the rows.
pub fn propose(
    grid: &Grid,
    directory: &Directory,
    fields: &[FieldInfo],
    own_sector: Option<Sector>,
    chosen: Option<(u32, RowKind)>,
) -> Proposal {
    let found = chosen.or_else(|| key_column(grid, directory));
    let (key, kind) = found.map_or((None, RowKind::Area), |(k, kind)| (Some(k), kind));
    let rows = key.map(|k| read_rows(grid, directory, k, kind)).unwrap_or_default();
    let is_data = |r: &&RowNote| matches!(r.state, "matched" | "likely" | "outside" | "ambiguous");
    let first = rows.iter().find(|(note, _)| is_data(&note)).map_or(0, |(note, _)| note.row);
    // Above the first named row a total may stand; the heading ends above it.
    let rows: Vec<(RowNote, RowFill)> = rows
        .into_iter()
        .filter(|(n, _)| n.row >= first || (n.state.ends_with("total") && n.row + 3 >= first))
        .collect();
    let body = rows.first().map_or(0, |(n, _)| n.row);
    let header_rows = header(grid, body, key);
    let data: Vec<u32> = rows.iter().filter(|(n, _)| is_data(&n)).map(|(n, _)| n.row).collect();
    let read = columns::read(grid, &header_rows, &data, key, kind, fields, own_sector);
    let rows = with_sums(grid, rows, &read.mapped);
    Proposal {
        mapping: Mapping {
            sheet: grid.name.clone(),
            key_column: key.map(column_name),
            rows_are: kind,
            columns: read.mapped,
            rows: rows.iter().map(|(n, fill)| Row { row: n.row, fill: fill.clone() }).collect(),
            cells: singles::read(grid, header_rows.first().copied().unwrap_or(body), &data),
            header_rows,
        },
        rows: rows.into_iter().map(|(n, _)| n).collect(),
        columns: read.notes,
    }
}

/// The column in which most cells name areas or projects.
fn key_column(grid: &Grid, directory: &Directory) -> Option<(u32, RowKind)> {
    let mut score: BTreeMap<(u32, RowKind), u32> = BTreeMap::new();
    for ((_, column), cell) in &grid.cells {
        // Sentences are no names; numbers are no codes unless long.
        let name = plain(&cell.text);
        if cell.formula.is_some() || name.chars().count() > 40 {
            continue;
        }
        if !directory.areas_named(&name).is_empty() {
            *score.entry((*column, RowKind::Area)).or_default() += 2;
        }
        if !directory.projects_named(&name).is_empty() {
            // A village of the same name as a project is rarer than the reverse.
            *score.entry((*column, RowKind::Project)).or_default() += 3;
        }
    }
    // Of equals the rightmost: towns stand left of their villages.
    score
        .into_iter()
        .max_by_key(|((column, kind), n)| (*n, *kind == RowKind::Project, *column))
        .map(|(k, _)| k)
}

fn read_rows(grid: &Grid, directory: &Directory, key: u32, kind: RowKind) -> Vec<(RowNote, RowFill)> {
    let level = usual_level(grid, directory, key);
    let mut rows = Vec::new();
    for row in 1..=grid.size.0 {
        let at = (row, key);
        if grid.anchor(at).0 != row {
            continue;
        }
        // A total is often written across the numbering and the naming column.
        let text = grid.shown(at).trim().to_owned();
        let total = is_total(&text) || (1..key).any(|c| is_total(grid.text((row, c))));
        let mut note = RowNote { row, text, state: "unknown", suggestions: Vec::new() };
        let mut fill = RowFill::Leave;
        if total {
            if note.text.is_empty() {
                (1..key)
                    .map(|c| grid.text((row, c)))
                    .find(|t| is_total(t))
                    .unwrap_or_default()
                    .clone_into(&mut note.text);
            }
            note.state = "total";
        } else if note.text.is_empty() {
            continue;
        } else if kind == RowKind::Project {
            match directory.projects_named(&note.text).as_slice() {
                [one] => {
                    note.state = "matched";
                    fill = RowFill::Project { code: one.code.clone() };
                }
                [] => {}
                several => {
                    note.state = "ambiguous";
                    note.suggestions = several
                        .iter()
                        .take(8)
                        .map(|p| Suggestion { code: p.code.clone(), name: p.name.clone() })
                        .collect();
                }
            }
        } else {
            fill = read_area(grid, directory, at, level.as_deref(), &mut note);
        }
        // Signatures and remarks below the table name nothing.
        let remark = note.text.contains([':', '：'])
            || note.text.starts_with(['注', '说'])
            || (kind == RowKind::Area && note.text.chars().count() > 20);
        if note.state != "unknown" || !remark {
            rows.push((note, fill));
        }
    }
    rows
}

/// The level that most names of a column have.
fn usual_level(grid: &Grid, directory: &Directory, key: u32) -> Option<String> {
    let mut levels: HashMap<&str, u32> = HashMap::new();
    for ((_, column), cell) in &grid.cells {
        if *column != key {
            continue;
        }
        let found = directory.areas_named(&cell.text);
        let mut seen: Vec<&str> = found.iter().map(|(a, _)| a.place.level.as_str()).collect();
        seen.sort_unstable();
        seen.dedup();
        for level in seen {
            *levels.entry(level).or_default() += 1;
        }
    }
    levels.into_iter().max_by_key(|(level, n)| (*n, *level)).map(|(level, _)| level.to_owned())
}

fn read_area(
    grid: &Grid,
    directory: &Directory,
    at: (u32, u32),
    level: Option<&str>,
    note: &mut RowNote,
) -> RowFill {
    let mut found = directory.areas_named(&note.text);
    // Names repeat: the level of the other rows, then a name further left or one's own area decide.
    let prefer = |found: &mut Vec<(&KnownArea, Fit)>, keep: &dyn Fn(&KnownArea) -> bool| {
        if found.len() > 1 && found.iter().any(|(a, _)| keep(a)) {
            found.retain(|(a, _)| keep(a));
        }
    };
    prefer(&mut found, &|a| Some(a.place.level.as_str()) == level);
    if found.len() > 1 {
        let above = holders(grid, directory, at);
        prefer(&mut found, &|a| above.iter().any(|h| a.place.path.starts_with(h) && a.place.path != *h));
    }
    prefer(&mut found, &|a| a.own);
    match found.as_slice() {
        [(area, fit)] if area.own => {
            note.state = if *fit == Fit::Exact { "matched" } else { "likely" };
            if *fit == Fit::Likely {
                note.suggestions = vec![suggestion(area)];
            }
            RowFill::Area { code: area.place.code.clone() }
        }
        [(area, _)] => {
            note.state = "outside";
            note.suggestions = vec![suggestion(area)];
            RowFill::Leave
        }
        [] => {
            note.suggestions = directory.suggestions(&note.text, 5).into_iter().map(suggestion).collect();
            RowFill::Leave
        }
        several => {
            note.state = "ambiguous";
            note.suggestions = several.iter().take(8).map(|(a, _)| suggestion(a)).collect();
            RowFill::Leave
        }
    }
}

fn suggestion(area: &KnownArea) -> Suggestion {
    Suggestion { code: area.place.code.clone(), name: area.place.name.clone() }
}

/// Paths of the areas that cells left of a row's name mean: merged, or the last one above.
fn holders(grid: &Grid, directory: &Directory, (row, key): (u32, u32)) -> Vec<String> {
    let mut paths = Vec::new();
    for column in (1..key).rev() {
        let text = (row.saturating_sub(400)..=row)
            .rev()
            .map(|r| grid.shown((r, column)))
            .find(|t| !t.trim().is_empty())
            .unwrap_or_default();
        paths.extend(directory.areas_named(text).into_iter().map(|(a, _)| a.place.path.clone()));
    }
    paths
}

/// Rows of the heading: from the first row above the body that has more than one heading.
fn header(grid: &Grid, body: u32, key: Option<u32>) -> Vec<u32> {
    let Some(key) = key else { return Vec::new() };
    let headings = |row: u32| {
        (1..=grid.size.1)
            .filter(|c| grid.anchor((row, *c)).1 == *c)
            .filter(|c| {
                let text = grid.shown((row, *c)).trim();
                !text.is_empty() && text.parse::<f64>().is_err()
            })
            .count()
    };
    let mut rows: Vec<u32> = Vec::new();
    for row in (1..body).rev() {
        let labelled = !grid.shown((row, key)).trim().is_empty() || headings(row) >= 2;
        if headings(row) >= 2 && labelled && !singles::is_line_of_labels(grid, row) {
            rows.push(row);
        } else if !rows.is_empty() || row + 3 < body {
            break;
        }
    }
    rows.reverse();
    rows
}

/// Total rows: those with formulas are left alone; the others may be summed, which a person decides.
fn with_sums(
    grid: &Grid,
    mut rows: Vec<(RowNote, RowFill)>,
    columns: &[super::mapping::Column],
) -> Vec<(RowNote, RowFill)> {
    for (note, _) in rows.iter_mut().filter(|(n, _)| n.state == "total") {
        let by_formula = columns
            .iter()
            .filter_map(|c| super::grid::parse_column(&c.column))
            .any(|c| grid.is_formula((note.row, c)));
        if by_formula {
            note.state = "formula_total";
        }
    }
    rows
}
