//! 套表: workbooks that a superior sends, filled with the programme's figures.
//!
//! A workbook is a stranger's file. Only the parts that are needed are unpacked, each within
//! [`Limits`]; nothing in it is run, followed or expanded. Filling changes the cells that are named
//! and nothing else: every other part of the package is copied as it is packed (docs/decisions/0004).

pub mod fields;
pub mod fill;
pub mod grid;
pub mod mapping;
pub mod names;
mod package;
mod patch;
pub mod propose;
mod recalc;
#[cfg(test)]
mod tests;
mod xml;

use std::time::{Duration, Instant};

pub use grid::{Grid, SheetName};
pub use package::Workbook;

use crate::error::{Code, Error, Problem};

/// What a workbook may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of the file.
    pub file: usize,
    /// Parts in the package.
    pub parts: usize,
    /// Bytes of one part when unpacked.
    pub part: u64,
    /// Bytes of all parts when unpacked, as the package states them.
    pub unpacked: u64,
    /// How many times larger than packed a part over 1 MiB may become.
    pub ratio: u64,
    /// Depth of elements.
    pub depth: usize,
    /// Cells of a sheet that hold something or are styled.
    pub cells: usize,
    /// Rows of a sheet.
    pub rows: u32,
    /// Columns of a sheet.
    pub columns: u32,
    /// Time for all of it.
    pub time: Duration,
}

/// Limits of this program: forms of a province are far below them.
pub const LIMITS: Limits = Limits {
    file: 1_000_000,
    parts: 400,
    part: 16 << 20,
    unpacked: 48 << 20,
    ratio: 300,
    depth: 48,
    cells: 60_000,
    rows: 5_000,
    columns: 256,
    time: Duration::from_secs(5),
};

/// A moment after which work on a workbook stops.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self(Instant::now() + limits.time)
    }
    pub(crate) fn check(self) -> Result<(), Error> {
        if Instant::now() < self.0 {
            return Ok(());
        }
        Err(refused(
            "too_slow",
            "这个文件处理时间过长，已停止。请删去表中不用的内容后另存再传。",
            "The file takes too long to read. Remove what is not needed, save and send it again.",
        ))
    }
}

/// [`Code::FileRefused`] with its `reason`.
pub(crate) fn refused(reason: &str, zh: impl Into<String>, en: impl Into<String>) -> Error {
    Problem {
        code: Code::FileRefused,
        title: Code::FileRefused.title().to_owned(),
        detail: zh.into(),
        detail_en: en.into(),
        errors: Vec::new(),
        extra: Some(serde_json::json!({ "reason": reason })),
    }
    .into()
}

/// [`Code::UnreadableFile`]: it is no workbook, or a broken one.
pub(crate) fn unreadable(what: impl std::fmt::Display) -> Error {
    Error::problem(
        Code::UnreadableFile,
        format!("这个 .xlsx 文件已损坏或不完整（{what}）。请用 Excel 或 WPS 打开，另存为 .xlsx 后再传。"),
        format!(
            "This .xlsx file is broken ({what}). Open it in Excel or WPS, save it as .xlsx and send it again."
        ),
    )
}
