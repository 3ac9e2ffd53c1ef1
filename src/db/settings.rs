//! What the province decides: names, limits and targets, each with its document.

use std::collections::HashMap;

use chrono::NaiveDate;
use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::{PgExecutor, PgPool, Row};
use uuid::Uuid;

use crate::domain::flags;
use crate::domain::lights::Thresholds;
use crate::domain::plan::Percent;
use crate::domain::reporting::{Cycle, Rule};
use crate::error::Result;

/// No term of a setting is longer: a slip of the keyboard does not move deadlines out of sight.
const LONGEST_TERM_DAYS: u32 = 366;

/// One decision: a value and the document that says so.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The value.
    pub value: Value,
    /// Number of the document.
    pub document_no: String,
    /// Day from which it counts.
    pub effective_on: NaiveDate,
}

/// The settings that count on a day.
///
/// Keys: `programme` (an object: name, name_en, province_code, locale_default, business_date,
/// first_date, denominator, demo, map_approval_no, attribution), `lag_warn_pp`, `lag_late_pp`,
/// `start_late_days`, `no_update_days`, `reporting` (an object: cycle, due_days, mend_days; before it
/// `report_due_day`), `review_jump_pp`, `review_backdated_days`, `review_money_apart_pp`,
/// `choropleth`, `red_line`.
#[derive(Debug, Clone, Default)]
pub struct Settings(HashMap<String, Setting>);

impl Settings {
    /// A setting by its key.
    pub fn get(&self, key: &str) -> Option<&Setting> {
        self.0.get(key)
    }

    /// A number, when it is set and is one.
    pub fn number(&self, key: &str) -> Option<f64> {
        self.get(key)?.value.as_f64()
    }

    /// A member of the setting `programme`.
    pub fn programme(&self, member: &str) -> Option<&Value> {
        self.get("programme")?.value.get(member).filter(|v| !v.is_null())
    }

    /// A demo province, whose accounts may be shown.
    pub fn is_demo(&self) -> bool {
        self.programme("demo").and_then(Value::as_bool).unwrap_or(false)
    }

    /// Name of the denominator list whose members count.
    pub fn denominator(&self) -> &str {
        self.programme("denominator").and_then(Value::as_str).unwrap_or("natural_village_20")
    }

    /// Limits of the lights; the usual ones where the province has decided nothing.
    pub fn thresholds(&self) -> Thresholds {
        let usual = Thresholds::default();
        let points = |key, usual| self.number(key).map_or(usual, Percent::from);
        let days = |key, usual| self.number(key).map_or(usual, |n| n as u32);
        Thresholds {
            lag_warn: points("lag_warn_pp", usual.lag_warn),
            lag_late: points("lag_late_pp", usual.lag_late),
            start_late_days: days("start_late_days", usual.start_late_days),
            no_update_days: days("no_update_days", usual.no_update_days),
        }
    }

    /// The decision on reporting periods, with its document: `reporting`, or the older
    /// `report_due_day` (每月 5 日前), which says the same of months.
    pub fn reporting_decision(&self) -> Option<&Setting> {
        self.get("reporting").or_else(|| self.get("report_due_day"))
    }

    /// In which periods is reported, and by when; the usual rule where nothing is decided.
    pub fn reporting(&self) -> Rule {
        let usual = Rule::default();
        let days = |n: f64| (n as u32).min(LONGEST_TERM_DAYS);
        let Some(decided) = self.get("reporting").map(|s| &s.value) else {
            return Rule { due_days: self.number("report_due_day").map_or(usual.due_days, days), ..usual };
        };
        let number = |member, usual| decided.get(member).and_then(Value::as_f64).map_or(usual, days);
        Rule {
            cycle: decided.get("cycle").and_then(Value::as_str).and_then(Cycle::parse).unwrap_or(usual.cycle),
            due_days: number("due_days", usual.due_days),
            mend_days: number("mend_days", usual.mend_days),
        }
    }

    /// From where on a report is worth a second look; the usual limits where nothing is decided.
    pub fn review_limits(&self) -> flags::Limits {
        let usual = flags::Limits::default();
        flags::Limits {
            jump_pp: self.number("review_jump_pp").unwrap_or(usual.jump_pp),
            backdated_days: self.number("review_backdated_days").map_or(usual.backdated_days, |n| n as i64),
            money_apart_pp: self.number("review_money_apart_pp").unwrap_or(usual.money_apart_pp),
        }
    }
}

/// The settings that count on `day`: of each key the newest that is in force.
pub async fn on(db: impl PgExecutor<'_>, day: NaiveDate) -> Result<Settings> {
    let rows = sqlx::query(
        "SELECT DISTINCT ON (key) key, value, document_no, effective_on FROM settings
          WHERE effective_on <= $1 ORDER BY key, effective_on DESC, recorded_at DESC",
    )
    .bind(day)
    .fetch_all(db)
    .await?;
    let mut all = HashMap::with_capacity(rows.len());
    for row in rows {
        let setting = Setting {
            value: row.try_get("value")?,
            document_no: row.try_get("document_no")?,
            effective_on: row.try_get("effective_on")?,
        };
        all.insert(row.try_get("key")?, setting);
    }
    Ok(Settings(all))
}

/// A goal of the policy.
#[derive(Debug, Clone)]
pub struct Target {
    /// What is measured.
    pub metric: String,
    /// Of which set.
    pub scope: String,
    /// Where; everywhere when `None`.
    pub area_id: Option<Uuid>,
    /// How much.
    pub value: f64,
    /// In what unit.
    pub unit: String,
    /// By when.
    pub due_on: NaiveDate,
    /// Document.
    pub document_no: String,
    /// Section in it.
    pub section: String,
}

/// All targets, the nearest first.
pub async fn targets(pool: &PgPool) -> Result<Vec<Target>> {
    let rows = sqlx::query(
        "SELECT metric, scope, area_id, value::float8 AS value, unit, due_on, document_no, section
           FROM targets ORDER BY due_on, metric, scope, id",
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|r| {
            Ok(Target {
                metric: r.try_get("metric")?,
                scope: r.try_get("scope")?,
                area_id: r.try_get("area_id")?,
                value: r.try_get("value")?,
                unit: r.try_get("unit")?,
                due_on: r.try_get("due_on")?,
                document_no: r.try_get("document_no")?,
                section: r.try_get("section")?,
            })
        })
        .collect()
}

/// A quantity in which a sector reports.
#[derive(Debug, Clone)]
pub struct QuantityItem {
    /// Sector.
    pub sector: String,
    /// Word of the item.
    pub item: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// Chinese unit.
    pub unit_zh: String,
    /// English unit.
    pub unit_en: String,
    /// Digits after the point.
    pub decimals: i16,
    /// Share in the percentage, 0 to 1.
    pub weight: f64,
}

/// All quantity items, by sector and in their order.
pub async fn quantity_items(pool: &PgPool) -> Result<Vec<QuantityItem>> {
    let rows = sqlx::query(
        "SELECT sector, item, name_zh, name_en, unit_zh, unit_en, decimals, weight::float8 AS weight
           FROM quantity_items ORDER BY sector, ordinal",
    )
    .fetch_all(pool)
    .await?;
    rows.iter().map(quantity_item).collect()
}

/// The item of a row with the columns of `quantity_items`, the weight as float8.
pub(super) fn quantity_item(row: &PgRow) -> Result<QuantityItem> {
    Ok(QuantityItem {
        sector: row.try_get("sector")?,
        item: row.try_get("item")?,
        name_zh: row.try_get("name_zh")?,
        name_en: row.try_get("name_en")?,
        unit_zh: row.try_get("unit_zh")?,
        unit_en: row.try_get("unit_en")?,
        decimals: row.try_get("decimals")?,
        weight: row.try_get("weight")?,
    })
}

/// States of the lifecycle in their order: word, status, Chinese and English name.
pub async fn project_states(pool: &PgPool) -> Result<Vec<(String, String, String, String)>> {
    Ok(sqlx::query_as("SELECT state, status, name_zh, name_en FROM project_states ORDER BY ordinal")
        .fetch_all(pool)
        .await?)
}

/// Accounts that a demo province offers to whoever tries it: login, name, unit and role.
pub async fn accounts_on_offer(pool: &PgPool) -> Result<Vec<(String, String, String, String)>> {
    Ok(sqlx::query_as(
        "SELECT a.login, a.display_name, a.unit_name, min(r.role)
           FROM accounts a JOIN account_roles r ON r.account_id = a.id AND r.revoked_at IS NULL
          WHERE a.disabled_at IS NULL
          GROUP BY a.id ORDER BY min(a.recorded_at), array_position(
            ARRAY['clerk','reviewer','town','poverty_office','planner','leader','inspector','auditor','administrator'],
            min(r.role)), a.login
          LIMIT 20",
    )
    .fetch_all(pool)
    .await?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn decided(rows: &[(&str, Value)]) -> Settings {
        let setting = |value: &Value| Setting {
            value: value.clone(),
            document_no: "某文".into(),
            effective_on: NaiveDate::default(),
        };
        Settings(rows.iter().map(|(key, value)| ((*key).to_owned(), setting(value))).collect())
    }

    #[test]
    fn the_reporting_rule_is_what_was_decided() {
        assert_eq!(Settings::default().reporting(), Rule::default());
        assert_eq!(decided(&[("report_due_day", json!(8))]).reporting().due_days, 8);
        let all = decided(&[
            ("report_due_day", json!(8)),
            ("reporting", json!({ "cycle": "quarter", "due_days": 10, "mend_days": 2 })),
        ]);
        assert_eq!(all.reporting(), Rule { cycle: Cycle::Quarter, due_days: 10, mend_days: 2 });
        let odd = decided(&[("reporting", json!({ "cycle": "yearly", "due_days": 1e9 }))]);
        assert_eq!(odd.reporting(), Rule { due_days: LONGEST_TERM_DAYS, ..Rule::default() });
    }
}
