//! How the cells of a form are filled: what a person confirmed once.

use std::collections::HashSet;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::fields::{FieldInfo, RowKind, Unit};
use super::grid::{Grid, parse_column};
use crate::error::{Error, FieldError, Result};

/// 上报数 or 审核数.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// 上报数
    Reported,
    /// 审核数
    Approved,
}

impl Reading {
    /// The word of the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Approved => "approved",
        }
    }
    /// As officials say it.
    pub fn name_zh(self) -> &'static str {
        match self {
            Self::Reported => "上报数",
            Self::Approved => "审核数",
        }
    }
}

/// How a form is filled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Name of the sheet.
    pub sheet: String,
    /// Rows of the heading, as Excel numbers them.
    pub header_rows: Vec<u32>,
    /// Column that names the rows, such as "B"; none when rows stand in an order of their own.
    pub key_column: Option<String>,
    /// What the rows name.
    pub rows_are: RowKind,
    /// Columns that are filled.
    pub columns: Vec<Column>,
    /// Rows that are filled, and those that are left alone on purpose.
    pub rows: Vec<Row>,
    /// Single cells with words: date, unit, person.
    #[serde(default)]
    pub cells: Vec<Single>,
}

/// A column that is filled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Letters of the column.
    pub column: String,
    /// Word of the catalogue.
    pub field: String,
    /// Unit in which it is written.
    pub unit: Unit,
    /// Always this reading; the one chosen when filling when left out.
    #[serde(default)]
    pub reading: Option<Reading>,
}

/// A row and what fills it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Number of the row.
    pub row: u32,
    /// What fills it.
    pub fill: RowFill,
}

/// What fills a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum RowFill {
    /// Figures of an area.
    Area {
        /// Its code.
        code: String,
    },
    /// Figures of a project.
    Project {
        /// Its number in the project library.
        code: String,
    },
    /// Sums of other rows.
    Sum {
        /// Numbers of these rows.
        rows: Vec<u32>,
    },
    /// Stays as it is.
    Leave,
}

/// A single cell with words in which {date}, {unit}, {person}, {reading} and {area} are filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Single {
    /// Column letters and row, such as "A2".
    pub cell: String,
    /// The words. Only "{date}" in a cell that shows dates becomes a date of Excel.
    pub text: String,
}

/// What single cells speak of.
#[derive(Debug, Clone)]
pub struct Words {
    /// 截止日期
    pub at: NaiveDate,
    /// 填报单位
    pub unit: String,
    /// 填报人
    pub person: String,
    /// 口径
    pub reading: Reading,
    /// Name of the form's area.
    pub area: String,
}

impl Words {
    /// The text with its places filled in.
    pub fn fill(&self, text: &str) -> String {
        text.replace("{date}", &chinese_date(self.at))
            .replace("{unit}", &self.unit)
            .replace("{person}", &self.person)
            .replace("{reading}", self.reading.name_zh())
            .replace("{area}", &self.area)
    }
}

/// 2020年10月31日
pub fn chinese_date(day: NaiveDate) -> String {
    day.format("%Y年%-m月%-d日").to_string()
}

impl Mapping {
    /// Checks it against the catalogue and the sheet.
    ///
    /// # Errors
    /// `invalid`, naming each place that does not fit.
    pub fn check(&self, fields: &[FieldInfo], grid: &Grid) -> Result<()> {
        let mut errors = Vec::new();
        let mut wrong = |field: String, zh: String, en: String| {
            errors.push(FieldError { field, message: zh, message_en: en });
        };
        if self.columns.is_empty() {
            wrong(
                "columns".into(),
                "还没有对应任何列，请至少给一列选定指标。".into(),
                "Map at least one column.".into(),
            );
        }
        let (mut seen, key) = (HashSet::new(), self.key_column.as_deref());
        for column in &self.columns {
            let name = format!("columns.{}", column.column);
            let Some(number) = parse_column(&column.column).filter(|c| *c <= 256) else {
                wrong(name, format!("没有“{}”这一列。", column.column), "No such column.".into());
                continue;
            };
            if !seen.insert(number) {
                wrong(name.clone(), format!("{} 列对应了两次。", column.column), "Mapped twice.".into());
            }
            if key.and_then(parse_column) == Some(number) {
                wrong(
                    name.clone(),
                    format!("{} 列已用作行名称，不能再填数。", column.column),
                    "It names the rows.".into(),
                );
            }
            match fields.iter().find(|f| f.field == column.field) {
                Some(info) if !info.rows.contains(&self.rows_are) => {
                    let what = if self.rows_are == RowKind::Area {
                        "按区划填的行"
                    } else {
                        "按项目填的行"
                    };
                    wrong(
                        name,
                        format!("{}没有“{}”。", what, info.name_zh),
                        "These rows do not have this field.".into(),
                    );
                }
                Some(info) if !info.units.contains(&column.unit) => {
                    wrong(name, format!("“{}”不能用这个单位。", info.name_zh), "It has no such unit.".into());
                }
                Some(_) => {}
                None => wrong(name, format!("没有“{}”这个指标。", column.field), "No such field.".into()),
            }
        }
        let mut rows = HashSet::new();
        for row in &self.rows {
            let name = format!("rows.{}", row.row);
            if row.row == 0 || row.row > 5_000 || !rows.insert(row.row) {
                wrong(
                    name.clone(),
                    format!("第 {} 行不存在或重复。", row.row),
                    "No such row, or twice.".into(),
                );
            }
            let fits = match &row.fill {
                RowFill::Area { .. } => self.rows_are == RowKind::Area,
                RowFill::Project { .. } => self.rows_are == RowKind::Project,
                RowFill::Sum { rows } => {
                    !rows.is_empty()
                        && rows.iter().all(|n| {
                            self.rows.iter().any(|r| {
                                r.row == *n
                                    && matches!(r.fill, RowFill::Area { .. } | RowFill::Project { .. })
                            })
                        })
                }
                RowFill::Leave => true,
            };
            if !fits {
                wrong(
                    name,
                    format!("第 {} 行的对应方式不成立，请重新选择。", row.row),
                    "The row's filling does not fit.".into(),
                );
            }
        }
        if !self.rows.iter().any(|r| !matches!(r.fill, RowFill::Leave)) {
            wrong("rows".into(), "没有一行对应到您辖区内的区划或项目。".into(), "No row is mapped.".into());
        }
        for single in &self.cells {
            let at = super::grid::parse_ref(&single.cell).filter(|at| at.0 <= 5_000 && at.1 <= 256);
            let name = format!("cells.{}", single.cell);
            match at {
                None => wrong(name, format!("没有单元格 {}。", single.cell), "No such cell.".into()),
                Some(at) if grid.is_formula(grid.anchor(at)) => {
                    wrong(name, format!("{} 是公式，不能覆盖。", single.cell), "It is a formula.".into());
                }
                Some(_) if single.text.chars().count() > 300 => {
                    wrong(name, "文字最多 300 字。".into(), "At most 300 characters.".into());
                }
                Some(_) => {}
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(Error::invalid(errors)) }
    }
}
