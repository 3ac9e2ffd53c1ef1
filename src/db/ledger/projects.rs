//! Lists of projects: filter, judge, count, sort and page.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{Project, Snapshot, Standing};
use crate::domain::lights::{Lag, Light, LightReason, Status, Thresholds, lag_at, light_at};
use crate::domain::plan::Percent;
use crate::domain::sector::Sector;

/// What a list is asked for.
#[derive(Debug, Clone)]
pub struct Filter<'a> {
    /// Path of the area; its subtree counts.
    pub path: Option<&'a str>,
    /// One of these sectors.
    pub sectors: &'a [Sector],
    /// One of these.
    pub statuses: &'a [Status],
    /// One of these.
    pub lights: &'a [Light],
    /// Year of the plan.
    pub year: Option<i16>,
    /// Part of the name, or beginning of the code; lower case.
    pub text: Option<&'a str>,
    /// The state as of this day; the present when `None`.
    pub at: Option<NaiveDate>,
    /// The day that lights are judged on.
    pub day: NaiveDate,
    /// What the public may see: published projects, approved values, no lights.
    pub public: bool,
}

/// Orders of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// By code.
    Code,
    /// By name.
    Name,
    /// By percentage.
    Percent,
    /// The worst first: late, warn, none, ok, todo, done; within a light the greatest lag first.
    Light,
    /// By lag in percentage points, the greatest last.
    Lag,
    /// By planned finish.
    PlannedFinishOn,
}

impl Sort {
    /// The order of a word of the API, and whether it is reversed (`-light`).
    pub fn parse(word: &str) -> Option<(Self, bool)> {
        let (name, reversed) = word.strip_prefix('-').map_or((word, false), |rest| (rest, true));
        let sort = match name {
            "code" => Self::Code,
            "name" => Self::Name,
            "percent" => Self::Percent,
            "light" => Self::Light,
            "lag" | "lag_pp" => Self::Lag,
            "planned_finish_on" => Self::PlannedFinishOn,
            _ => return None,
        };
        Some((sort, reversed))
    }
}

/// A project with what was judged of it.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The project.
    pub project: Arc<Project>,
    /// Where it stands.
    pub standing: Standing,
    /// Its light; none for a cancelled project.
    pub light: Option<Light>,
    /// The rule that decided.
    pub reason: LightReason,
    /// How far it is behind, where that has a sense.
    pub lag: Option<Lag>,
    /// What the plan asks for on the day.
    pub planned: Percent,
}

impl Judged {
    /// Judges a project where it stands.
    pub fn new(project: &Arc<Project>, standing: Standing, limits: &Thresholds, day: NaiveDate) -> Self {
        let (light, reason) = light_at(&project.plan, &standing.progress, limits, day);
        let lag = lag_at(&project.plan, &standing.progress, day);
        let planned = project.plan.percent_on(day);
        Self { project: Arc::clone(project), standing, light, reason, lag, planned }
    }
}

/// How many of the filtered projects have each word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// By status.
    pub status: BTreeMap<&'static str, u64>,
    /// By light.
    pub light: BTreeMap<&'static str, u64>,
    /// By sector.
    pub sector: BTreeMap<&'static str, u64>,
}

/// Place of a row in an order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SortKey {
    /// Of numbers, days and lights.
    Number(i64),
    /// Of codes and names.
    Text(String),
}

/// Which page of which order.
#[derive(Debug, Clone)]
pub struct Page<'a> {
    /// Order.
    pub sort: Sort,
    /// From the end.
    pub reversed: bool,
    /// After this row (its key and its code).
    pub after: Option<(SortKey, &'a str)>,
    /// At most so many.
    pub limit: usize,
}

/// A page of a list, and what is true of the whole list.
#[derive(Debug)]
pub struct Found {
    /// The rows of the page.
    pub rows: Vec<Judged>,
    /// Key of the last row, when more follow.
    pub next: Option<SortKey>,
    /// Number of rows of the whole list.
    pub total: u64,
    /// Counts over the whole list.
    pub counts: Counts,
}

/// A row before it is judged in full.
struct Slim<'a> {
    project: &'a Arc<Project>,
    standing: Standing,
    light: Option<Light>,
}

impl Snapshot {
    /// A page of the projects that pass the filter. Each of the counts leaves its own filter out,
    /// so that a rail can show how many there would be with another choice; `total` obeys all.
    pub fn list(&self, filter: &Filter<'_>, limits: &Thresholds, page: &Page<'_>) -> Found {
        let mut counts = Counts::default();
        let mut slim = Vec::new();
        for project in &self.projects {
            let Some(row) = judge(project, filter, limits) else { continue };
            let status = row.standing.progress.status;
            let (by_sector, by_status, by_light) = (
                filter.sectors.is_empty() || filter.sectors.contains(&project.sector),
                filter.statuses.is_empty() || filter.statuses.contains(&status),
                filter.lights.is_empty() || row.light.is_some_and(|l| filter.lights.contains(&l)),
            );
            if by_sector && by_light {
                *counts.status.entry(status.as_str()).or_default() += 1;
            }
            if by_sector
                && by_status
                && let Some(light) = row.light
            {
                *counts.light.entry(light.as_str()).or_default() += 1;
            }
            if by_status && by_light {
                *counts.sector.entry(project.sector.as_str()).or_default() += 1;
            }
            if by_sector && by_status && by_light {
                slim.push(row);
            }
        }
        let total = slim.len() as u64;
        let (rows, next) = page_of(slim, filter, limits, page);
        Found { rows, next, total, counts }
    }
}

/// The row of a project, unless the place, year, text or audience leave it out.
fn judge<'a>(project: &'a Arc<Project>, filter: &Filter<'_>, limits: &Thresholds) -> Option<Slim<'a>> {
    let fits = filter.path.is_none_or(|path| project.path.starts_with(path))
        && filter.year.is_none_or(|year| project.plan_year == year)
        && (project.published || !filter.public)
        && filter.text.is_none_or(|text| holds(project, text));
    if !fits {
        return None;
    }
    let standing = project.standing(filter.at, filter.public)?;
    let light =
        if filter.public { None } else { light_at(&project.plan, &standing.progress, limits, filter.day).0 };
    Some(Slim { project, standing, light })
}

fn holds(project: &Project, text: &str) -> bool {
    project.name.contains(text)
        || [&project.code].into_iter().chain(&project.routes).any(|code| begins(code, text))
        || project.name.bytes().any(|b| b.is_ascii_uppercase()) && project.name.to_lowercase().contains(text)
}

fn begins(code: &str, text: &str) -> bool {
    code.get(..text.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(text))
}

fn page_of(
    slim: Vec<Slim<'_>>,
    filter: &Filter<'_>,
    limits: &Thresholds,
    page: &Page<'_>,
) -> (Vec<Judged>, Option<SortKey>) {
    let directed = |order: Ordering| if page.reversed { order.reverse() } else { order };
    let compare = |a: &(SortKey, Slim<'_>), b: &(SortKey, Slim<'_>)| {
        directed(a.0.cmp(&b.0).then_with(|| a.1.project.code.cmp(&b.1.project.code)))
    };
    let mut rows: Vec<(SortKey, Slim<'_>)> = slim
        .into_iter()
        .map(|row| (key(&row, page.sort, filter.day), row))
        .filter(|(key, row)| {
            page.after.as_ref().is_none_or(|(last, code)| {
                directed(key.cmp(last).then_with(|| row.project.code.as_str().cmp(code))) == Ordering::Greater
            })
        })
        .collect();
    let more = rows.len() > page.limit;
    if more {
        // Only the page is sorted, not the whole list.
        rows.select_nth_unstable_by(page.limit, compare);
        rows.truncate(page.limit);
    }
    rows.sort_unstable_by(compare);
    let next = if more { rows.last().map(|(key, _)| key.clone()) } else { None };
    let rows = rows.iter().map(|(_, r)| Judged::new(r.project, r.standing, limits, filter.day)).collect();
    (rows, next)
}

fn key(row: &Slim<'_>, sort: Sort, day: NaiveDate) -> SortKey {
    let points = || {
        lag_at(&row.project.plan, &row.standing.progress, day)
            .map_or(0, |lag| i64::from(lag.points.hundredths()))
    };
    match sort {
        // The code is the second key of every order.
        Sort::Code => SortKey::Number(0),
        Sort::Name => SortKey::Text(row.project.name.clone()),
        Sort::Percent => SortKey::Number(i64::from(row.standing.progress.percent.hundredths())),
        Sort::PlannedFinishOn => {
            SortKey::Number((row.project.plan.planned_finish - NaiveDate::default()).num_days())
        }
        Sort::Lag => SortKey::Number(points()),
        Sort::Light => {
            let rank = match row.light {
                Some(Light::Late) => 0,
                Some(Light::Warn) => 1,
                Some(Light::None) => 2,
                Some(Light::Ok) => 3,
                Some(Light::Todo) => 4,
                Some(Light::Done) => 5,
                None => 6,
            };
            SortKey::Number(rank * 1_000_000 - points())
        }
    }
}
