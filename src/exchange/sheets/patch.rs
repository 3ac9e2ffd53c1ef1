//! Changes cells in the XML of a sheet and leaves every other byte as it is.

use std::collections::BTreeMap;
use std::ops::Range;

use quick_xml::events::{BytesStart, Event};
use rust_decimal::Decimal;

use super::grid::{At, Grid, cell_name, parse_ref};
use super::xml::{Walker, attribute, escaped, local, number};
use super::{Deadline, Limits, unreadable};
use crate::error::Result;

/// What a cell becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A number.
    Number(Decimal),
    /// Words; never a formula, whatever they begin with.
    Text(String),
    /// Nothing; its look stays.
    Empty,
}

/// A sheet with some cells changed. A cell that holds a formula keeps it; its stored result becomes
/// the one in `results`, or is dropped.
pub(super) fn cells(
    xml: &str,
    wanted: &BTreeMap<At, Content>,
    results: &BTreeMap<At, Decimal>,
    grid: &Grid,
    limits: &Limits,
    deadline: Deadline,
) -> Result<String> {
    let mut out = Out { xml, out: String::with_capacity(xml.len() + wanted.len() * 48), copied: 0 };
    let mut left: BTreeMap<At, &Content> = wanted.iter().map(|(at, c)| (*at, c)).collect();
    let mut walker = Walker::new(xml, limits, deadline);
    let (mut row, mut column, mut prefix) = (0_u32, 0_u32, String::new());
    // The open row of the file: where its start tag stands.
    let mut tag: Option<Range<usize>> = None;
    while let Some((event, span)) = walker.next()? {
        match &event {
            Event::Start(e) | Event::Empty(e) if local(e) == "row" => {
                prefix = prefix_of(e);
                row = number(e, "r")?.unwrap_or(row + 1);
                column = 0;
                let before: Vec<At> = left.range(..(row, 0)).map(|(at, _)| *at).collect();
                let rows = new_rows(&before, &mut left, grid, &prefix);
                out.insert(span.start, &rows);
                let grows = wider(row, &left, e)?;
                if let Event::Empty(_) = event {
                    if left.range((row, 0)..(row + 1, 0)).next().is_some() {
                        let cells = new_cells(row, 0..u32::MAX, &mut left, grid, &prefix);
                        let open = without_spans(&xml[span.clone()], true);
                        out.replace(span, &format!("{open}{cells}</{prefix}row>"));
                    }
                } else {
                    if grows {
                        let open = without_spans(&xml[span.clone()], false);
                        out.replace(span.clone(), &open);
                    }
                    tag = Some(span);
                }
            }
            Event::Start(e) | Event::Empty(e) if local(e) == "c" => {
                prefix = prefix_of(e);
                let at = match attribute(e, "r")? {
                    Some(name) => parse_ref(&name).ok_or_else(|| unreadable(format!("cell {name}")))?,
                    None => (row, column + 1),
                };
                let cells = new_cells(row, column + 1..at.1, &mut left, grid, &prefix);
                out.insert(span.start, &cells);
                column = at.1;
                let style = attribute(e, "s")?;
                if let Event::Empty(_) = event {
                    if let Some(content) = left.remove(&at) {
                        out.replace(span, &element(at, style.as_deref(), content, &prefix));
                    }
                    continue;
                }
                let inside = read_cell(&mut walker, span)?;
                let content = left.remove(&at);
                if inside.formula {
                    out.result(&inside, results.get(&at), &prefix);
                } else if let Some(content) = content {
                    out.replace(inside.whole, &element(at, style.as_deref(), content, &prefix));
                }
            }
            Event::End(e) if e.local_name().into_inner() == "row" && tag.is_some() => {
                tag = None;
                let cells = new_cells(row, column + 1..u32::MAX, &mut left, grid, &prefix);
                out.insert(span.start, &cells);
            }
            Event::End(e) if e.local_name().into_inner() == "sheetData" => {
                let all: Vec<At> = left.keys().copied().collect();
                let rows = new_rows(&all, &mut left, grid, &prefix);
                out.insert(span.start, &rows);
            }
            Event::Empty(e) if local(e) == "sheetData" && !left.is_empty() => {
                let prefix = prefix_of(e);
                let all: Vec<At> = left.keys().copied().collect();
                let rows = new_rows(&all, &mut left, grid, &prefix);
                out.replace(span, &format!("<{prefix}sheetData>{rows}</{prefix}sheetData>"));
            }
            _ => {}
        }
    }
    Ok(out.finish())
}

/// The workbook part, told to compute everything anew when it is opened.
pub(super) fn recalculated(xml: &str, limits: &Limits, deadline: Deadline) -> Result<String> {
    let mut out = Out { xml, out: String::with_capacity(xml.len() + 64), copied: 0 };
    let mut walker = Walker::new(xml, limits, deadline);
    // calcPr stands after these.
    let (mut after, mut prefix, mut done) = (None, String::new(), false);
    while let Some((event, span)) = walker.next()? {
        match &event {
            Event::Start(e) | Event::Empty(e) if local(e) == "calcPr" => {
                let tag = without_attribute(&xml[span.clone()], "fullCalcOnLoad");
                let end = if matches!(event, Event::Empty(_)) { "/>" } else { ">" };
                let open = tag.trim_end_matches(end).trim_end().to_owned();
                out.replace(span, &format!("{open} fullCalcOnLoad=\"1\"{end}"));
                done = true;
            }
            Event::Empty(e) if matches!(local(e), "sheets" | "functionGroups" | "definedNames") => {
                (after, prefix) = (Some(span.end), prefix_of(e));
            }
            Event::End(e)
                if matches!(e.local_name().into_inner(), "sheets" | "functionGroups" | "definedNames") =>
            {
                let name = e.name().into_inner();
                prefix = name.rsplit_once(':').map(|(p, _)| format!("{p}:")).unwrap_or_default();
                after = Some(span.end);
            }
            _ => {}
        }
    }
    if done {
        return Ok(out.finish());
    }
    let at = after.ok_or_else(|| unreadable("no list of sheets"))?;
    Ok(format!("{}<{prefix}calcPr fullCalcOnLoad=\"1\"/>{}", &xml[..at], &xml[at..]))
}

/// Copies, with gaps.
struct Out<'a> {
    xml: &'a str,
    out: String,
    copied: usize,
}

impl Out<'_> {
    fn insert(&mut self, at: usize, text: &str) {
        if !text.is_empty() {
            self.replace(at..at, text);
        }
    }
    fn replace(&mut self, span: Range<usize>, text: &str) {
        self.out.push_str(&self.xml[self.copied..span.start]);
        self.out.push_str(text);
        self.copied = span.end;
    }
    /// The stored result of a formula; the type of a cell that held words or an error goes with it.
    fn result(&mut self, inside: &Inside, result: Option<&Decimal>, prefix: &str) {
        let text = result.map(|r| {
            let r = r.round_sf(15).unwrap_or(*r).normalize();
            format!("<{prefix}v>{r}</{prefix}v>")
        });
        if result.is_some() {
            let tag = &self.xml[inside.open.clone()];
            let plain = without_attribute(tag, "t");
            if plain != *tag {
                self.replace(inside.open.clone(), &plain);
            }
        }
        match (&inside.value, text) {
            (Some(value), text) => self.replace(value.clone(), &text.unwrap_or_default()),
            (None, Some(text)) => self.insert(inside.formula_end, &text),
            (None, None) => {}
        }
    }
    fn finish(mut self) -> String {
        self.out.push_str(&self.xml[self.copied..]);
        self.out
    }
}

struct Inside {
    open: Range<usize>,
    whole: Range<usize>,
    formula: bool,
    formula_end: usize,
    value: Option<Range<usize>>,
}

fn read_cell(walker: &mut Walker<'_>, open: Range<usize>) -> Result<Inside> {
    let mut inside = Inside { open: open.clone(), whole: open, formula: false, formula_end: 0, value: None };
    let mut begun = None;
    while let Some((event, span)) = walker.next()? {
        match &event {
            Event::Start(e) | Event::Empty(e) if local(e) == "f" => {
                inside.formula = true;
                inside.formula_end = span.end;
            }
            Event::Start(e) if local(e) == "v" => begun = Some(span.start),
            Event::Empty(e) if local(e) == "v" => inside.value = Some(span),
            Event::End(e) => match e.local_name().into_inner() {
                "f" => inside.formula_end = span.end,
                "v" => inside.value = begun.map(|from| from..span.end),
                "c" => {
                    inside.whole.end = span.end;
                    return Ok(inside);
                }
                _ => {}
            },
            _ => {}
        }
    }
    Err(unreadable("unclosed cell"))
}

fn prefix_of(e: &BytesStart<'_>) -> String {
    e.name().into_inner().rsplit_once(':').map(|(p, _)| format!("{p}:")).unwrap_or_default()
}

/// Cells of a row that the file does not have, in some columns.
fn new_cells(
    row: u32,
    columns: Range<u32>,
    left: &mut BTreeMap<At, &Content>,
    grid: &Grid,
    prefix: &str,
) -> String {
    if columns.start >= columns.end {
        return String::new();
    }
    let new: Vec<At> = left.range((row, columns.start)..(row, columns.end)).map(|(at, _)| *at).collect();
    let mut out = String::new();
    for at in new {
        let Some(content) = left.remove(&at) else { continue };
        let style =
            grid.columns.iter().find(|c| (c.0..=c.1).contains(&at.1)).map(|c| c.3).filter(|s| *s != 0);
        if *content != Content::Empty {
            out.push_str(&element(at, style.map(|s| s.to_string()).as_deref(), content, prefix));
        }
    }
    out
}

/// Rows that the file does not have.
fn new_rows(all: &[At], left: &mut BTreeMap<At, &Content>, grid: &Grid, prefix: &str) -> String {
    let mut rows: Vec<u32> = all.iter().map(|at| at.0).collect();
    rows.dedup();
    let mut out = String::new();
    for row in rows {
        let cells = new_cells(row, 0..u32::MAX, left, grid, prefix);
        if !cells.is_empty() {
            out.push_str(&format!("<{prefix}row r=\"{row}\">{cells}</{prefix}row>"));
        }
    }
    out
}

/// Whether a row gets cells outside the columns that its start tag states.
fn wider(row: u32, left: &BTreeMap<At, &Content>, e: &BytesStart<'_>) -> Result<bool> {
    let Some(spans) = attribute(e, "spans")? else { return Ok(false) };
    let (from, to) = spans.split_once(':').unwrap_or((&spans, &spans));
    let (from, to) = (from.parse().unwrap_or(1_u32), to.parse().unwrap_or(u32::MAX));
    Ok(left.range((row, 0)..(row + 1, 0)).any(|(at, _)| at.1 < from || at.1 > to))
}

/// The start tag without the hint that says which columns it has.
fn without_spans(tag: &str, was_empty: bool) -> String {
    let tag = without_attribute(tag, "spans");
    if was_empty { format!("{}>", tag.trim_end_matches("/>").trim_end()) } else { tag }
}

fn without_attribute(tag: &str, name: &str) -> String {
    let Some(from) = tag.find(&format!(" {name}=")) else { return tag.to_owned() };
    let rest = &tag[from + name.len() + 2..];
    let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) else { return tag.to_owned() };
    let Some(end) = rest[1..].find(quote) else { return tag.to_owned() };
    format!("{}{}", &tag[..from], &rest[end + 2..])
}

fn element(at: At, style: Option<&str>, content: &Content, prefix: &str) -> String {
    let name = cell_name(at);
    let style = style.map(|s| format!(" s=\"{}\"", escaped(s))).unwrap_or_default();
    match content {
        Content::Empty => format!("<{prefix}c r=\"{name}\"{style}/>"),
        Content::Number(value) => {
            format!("<{prefix}c r=\"{name}\"{style}><{prefix}v>{}</{prefix}v></{prefix}c>", value.normalize())
        }
        Content::Text(text) => format!(
            "<{prefix}c r=\"{name}\"{style} t=\"inlineStr\"><{prefix}is><{prefix}t xml:space=\"preserve\">{}</{prefix}t></{prefix}is></{prefix}c>",
            escaped(text)
        ),
    }
}
