//! The mapping file: which file feeds what, and which field means what. TOML, one per source.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Deserialize;

use crate::error::{Code, Error, Result};

/// A whole mapping file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The programme that the database will hold.
    pub programme: Programme,
    /// The area above all others.
    pub province: Province,
    /// Layers, loaded in the order given: outlines before what lies in them.
    #[serde(rename = "layer")]
    pub layers: Vec<Layer>,
}

/// What is known of the programme as a whole.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Programme {
    /// Name on screens.
    pub name: String,
    /// The day the data speak of; "today" for every rule.
    pub business_date: NaiveDate,
    /// First day of the time bar.
    pub first_date: NaiveDate,
    /// Document that founds the programme, kept with every setting made from this file.
    pub document_no: String,
    /// Title of that document.
    pub document_title: String,
    /// Attribution that the licence of the data asks for.
    pub attribution: Vec<String>,
    /// Which natural villages count (the denominator).
    pub counted: Counted,
}

/// The rule of the denominator list.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counted {
    /// Name of the list.
    pub name: String,
    /// Counted from this many people on.
    pub people_at_least: Option<i32>,
    /// Counted from this many households on.
    pub households_at_least: Option<i32>,
}

/// The top area.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Province {
    /// Code, free text.
    pub code: String,
    /// Name.
    pub name: String,
}

/// One file and what becomes of its rows.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// File name below the folder given on the command line.
    pub file: String,
    /// Layer inside the file, when it holds several.
    pub layer: Option<String>,
    /// What a row is.
    pub target: Target,
    /// Where the data come from; stored with every fact.
    pub source: String,
    /// Coordinate system as EPSG code, only when the file states none.
    pub epsg: Option<i32>,
    /// Character set, only when the file states none and guessing fails.
    pub encoding: Option<String>,
    /// Target column → template. `{FIELD}` is replaced by the field's value; other text stands as it is.
    pub fields: BTreeMap<String, String>,
    /// Outlines only: the level of a row (`city`, `county`, `town`, `village`).
    pub level: Option<String>,
    /// Outlines only: the level of the parents, made from the children where it is not the province.
    pub parent_level: Option<String>,
    /// Projects only: the sector.
    pub sector: Option<String>,
    /// Projects only: the state they are in.
    pub state: Option<String>,
    /// Rows that lie outside their stated area by more than this are refused; nearer ones are flagged.
    #[serde(default = "default_tolerance")]
    pub tolerance_m: f64,
}

fn default_tolerance() -> f64 {
    2000.0
}

/// What the rows of a layer become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Outlines of one level of areas.
    Area,
    /// Natural villages (habitations) with people.
    NaturalVillage,
    /// Projects with their lines.
    Project,
}

impl Target {
    /// Columns that a mapping of this target must and may fill.
    pub fn columns(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Self::Area => (&["code", "name"], &["parent", "parent_name"]),
            Self::NaturalVillage => (&["code", "name", "area"], &["people", "households", "counted_on"]),
            Self::Project => (
                &["code", "name", "area", "plan_year", "planned_start_on", "planned_finish_on"],
                &["stated_length_km", "approval_no", "kind", "contractor", "total_investment_yuan"],
            ),
        }
    }
}

impl Mapping {
    /// Parses and checks a mapping.
    ///
    /// # Errors
    /// [`Code::Invalid`] naming the line or the column at fault.
    pub fn parse(text: &str) -> Result<Self> {
        let mapping: Self = toml::from_str(text).map_err(|e| {
            Error::problem(
                Code::Invalid,
                format!("映射文件有误：{e}"),
                format!("The mapping file is wrong: {e}"),
            )
        })?;
        for layer in &mapping.layers {
            layer.check()?;
        }
        Ok(mapping)
    }
}

impl Layer {
    fn check(&self) -> Result<()> {
        let wrong = |zh: String, en: String| {
            Err(Error::problem(
                Code::Invalid,
                format!("映射 {}：{zh}", self.file),
                format!("Mapping {}: {en}", self.file),
            ))
        };
        let (needed, optional) = self.target.columns();
        for column in needed {
            if !self.fields.contains_key(*column) {
                return wrong(format!("缺少列 {column}"), format!("column {column} is missing"));
            }
        }
        for column in self.fields.keys() {
            if !needed.contains(&column.as_str()) && !optional.contains(&column.as_str()) {
                return wrong(
                    format!("不认识的列 {column}；可用：{}", [needed, optional].concat().join("、")),
                    format!("unknown column {column}; known: {}", [needed, optional].concat().join(", ")),
                );
            }
        }
        match self.target {
            Target::Area if self.level.is_none() => wrong("缺少 level".into(), "level is missing".into()),
            Target::Area if self.fields.contains_key("parent") != self.parent_level.is_some() => wrong(
                "parent 与 parent_level 要同时给出".into(),
                "parent and parent_level go together".into(),
            ),
            Target::Project if self.sector.is_none() || self.state.is_none() => {
                wrong("缺少 sector 或 state".into(), "sector or state is missing".into())
            }
            _ => Ok(()),
        }
    }
}

/// A template, resolved against the fields of one layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Field(usize),
}

impl Template {
    /// Resolves `{FIELD}` to column numbers.
    ///
    /// # Errors
    /// [`Code::Invalid`] when the file has no such field; the message lists those it has.
    pub fn resolve(text: &str, fields: &[&str]) -> Result<Self> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            let Some(close) = rest[open..].find('}') else { break };
            if open > 0 {
                parts.push(Part::Text(rest[..open].to_owned()));
            }
            let name = &rest[open + 1..open + close];
            let Some(index) = fields.iter().position(|f| f.eq_ignore_ascii_case(name)) else {
                return Err(Error::problem(
                    Code::Invalid,
                    format!("文件里没有字段 {name}；有：{}", fields.join("、")),
                    format!("The file has no field {name}; it has: {}", fields.join(", ")),
                ));
            };
            parts.push(Part::Field(index));
            rest = &rest[open + close + 1..];
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self { parts })
    }

    /// The value for one row; `None` when any field in it is empty, so that "Block {ID}" without an
    /// ID is missing and not "Block ".
    pub fn fill(&self, values: &[Option<String>]) -> Option<String> {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Field(index) => out.push_str(values.get(*index)?.as_deref()?),
            }
        }
        Some(out)
    }

    /// The field, when the template is nothing but one field.
    pub fn single_field(&self) -> Option<usize> {
        match self.parts.as_slice() {
            [Part::Field(index)] => Some(*index),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_with_an_empty_field_is_empty() {
        let t = Template::resolve("Block {id}", &["ID", "NAME"]).unwrap();
        assert_eq!(t.fill(&[Some("7".into()), None]).as_deref(), Some("Block 7"));
        assert_eq!(t.fill(&[None, Some("x".into())]), None);
    }

    #[test]
    fn an_unknown_field_is_named_with_those_that_exist() {
        let error = Template::resolve("{NOPE}", &["ID"]).unwrap_err().to_string();
        assert!(error.contains("NOPE") && error.contains("ID"), "{error}");
    }

    #[test]
    fn an_unknown_column_is_refused() {
        let text = r#"
            [programme]
            name = "x"
            business_date = "2022-01-01"
            first_date = "2020-01-01"
            document_no = "1"
            document_title = "t"
            attribution = []
            counted = { name = "n", people_at_least = 1 }
            [province]
            code = "p"
            name = "P"
            [[layer]]
            file = "a.zip"
            target = "area"
            level = "county"
            source = "s"
            fields = { code = "{A}", name = "{B}", colour = "{C}" }
        "#;
        let error = Mapping::parse(text).unwrap_err().to_string();
        assert!(error.contains("colour"), "{error}");
    }
}
