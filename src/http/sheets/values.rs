//! Where the figures of a form come from: the live map, as the map and its drawer show them, and
//! the ledger, both on the day asked for.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::super::AppState;
use crate::db;
use crate::db::ledger::{Project, Snapshot};
use crate::db::settings;
use crate::db::sheets::{self, ProjectOnDay};
use crate::domain::lights::{Light, Status, Thresholds, light_at};
use crate::domain::permit::{AreaPermit, ExportFigures};
use crate::domain::sector::Sector;
use crate::error::Result;
use crate::exchange::sheets::fill::{Missing, Source, Value};
use crate::exchange::sheets::mapping::{Mapping, Reading, RowFill};
use crate::map::Published;
use crate::map::figures::{AreaFigures, Metric, Reporting};
use crate::map::timeline::{self, Day, Reach, Service, day_of};

/// Figures of one form on one day.
pub(super) struct Figures {
    published: Arc<Published>,
    ledger: Arc<Snapshot>,
    day: Day,
    /// As the ledger wants it: none is the present.
    at: Option<NaiveDate>,
    date: NaiveDate,
    limits: Thresholds,
    states: HashMap<String, String>,
    by_reading: HashMap<Reading, HashMap<Uuid, ProjectOnDay>>,
    people: Vec<(String, Option<i32>, Option<i32>)>,
    /// Projects of each area of a row, by its code.
    below: HashMap<String, Vec<Arc<Project>>>,
    by_code: HashMap<String, Arc<Project>>,
}

impl Figures {
    /// Reads what the rows of a mapping need. The permit is for all of their areas.
    pub(super) async fn read(
        state: &AppState,
        permit: &AreaPermit<ExportFigures>,
        mapping: &Mapping,
        date: NaiveDate,
        reading: Reading,
    ) -> Result<Self> {
        let today = state.clock.business_date();
        let ledger = state.ledger.snapshot(&state.pool).await?;
        // Figures of the map that know at least what the ledger knows.
        state.map.wait_for(ledger.seq.max(0).cast_unsigned(), std::time::Duration::from_secs(2)).await?;
        let published = state.map.published();
        let limits = settings::on(&state.pool, date).await?.thresholds();
        let states = settings::project_states(&state.pool).await?;
        let mut paths: Vec<(Option<String>, String)> = Vec::new();
        let mut by_code = HashMap::new();
        for row in &mapping.rows {
            match &row.fill {
                RowFill::Area { code } => {
                    if let Ok(area) = ledger.area_by_code(code) {
                        paths.push((Some(code.clone()), area.path.clone()));
                    }
                }
                RowFill::Project { code } => {
                    if let Some(project) = ledger.projects().iter().find(|p| p.code == *code) {
                        paths.push((None, project.path.clone()));
                        by_code.insert(code.clone(), Arc::clone(project));
                    }
                }
                RowFill::Sum { .. } | RowFill::Leave => {}
            }
        }
        let mut below = HashMap::new();
        for (code, path) in &paths {
            let Some(code) = code else { continue };
            let inside = ledger.projects().iter().filter(|p| p.path.starts_with(path)).cloned().collect();
            below.insert(code.clone(), inside);
        }
        let mut readings = vec![reading];
        readings.extend(mapping.columns.iter().filter_map(|c| c.reading));
        readings.sort_unstable();
        readings.dedup();
        let mut tops: Vec<String> = paths.into_iter().map(|p| p.1).collect();
        tops.sort_unstable();
        tops.dedup_by(|later, first| later.starts_with(first.as_str()));
        let is_today = date == today;
        let (by_reading, people) = db::write(&state.pool, Some(permit.account()), move |tx| {
            let (tops, readings) = (tops.clone(), readings.clone());
            Box::pin(async move {
                let mut by_reading = HashMap::new();
                for reading in readings {
                    let approved = reading == Reading::Approved;
                    let found = sheets::projects_on(tx, &tops, date, is_today, approved).await?;
                    by_reading.insert(reading, found);
                }
                Ok((by_reading, sheets::village_people(tx, &tops, date).await?))
            })
        })
        .await?;
        Ok(Self {
            published,
            ledger,
            day: day_of(date),
            at: (date != today).then_some(date),
            date,
            limits,
            states: states.into_iter().map(|(word, _, zh, _)| (word, zh)).collect(),
            by_reading,
            people,
            below,
            by_code,
        })
    }

    /// The change of the feed that the figures contain.
    pub(super) fn seq(&self) -> i64 {
        self.published.seq.cast_signed()
    }

    fn area_value(&self, code: &str, field: &str, reading: Reading) -> Value {
        let Some(number) = self.published.areas.by_code(code) else {
            return Value::Missing(Missing::NotKnown);
        };
        let (area, figures) = (self.published.areas.get(number), self.published.area(number));
        let count = |metric| Value::Number(figures.at(metric, self.day).into());
        // 未填报 is not 0: where nobody has reported for a quarter, the map is hatched.
        let silent = self.published.reporting(number, self.day) == Reporting::NotReported;
        let of = timeline_reading(reading);
        let mut words = field.split('.');
        let (head, second, third) = (words.next().unwrap_or_default(), words.next(), words.next());
        match (head, second.unwrap_or_default(), third.unwrap_or_default()) {
            ("name", ..) => Value::Text(area.name.to_string()),
            ("code", ..) => Value::Text(area.code.to_string()),
            ("villages", "total", _) => Value::Number(figures.villages.into()),
            ("villages", _, _) => Value::Number(figures.poor_villages.into()),
            ("natural_villages", "total", _) => count(Metric::NATURAL_VILLAGES),
            ("natural_villages", _, _) => count(Metric::COUNTED),
            ("households" | "people", ..) => self.people_of(code, head == "people"),
            ("served" | "unserved" | "served_rate" | "reach", ..) if silent => {
                Value::Missing(Missing::NotReported)
            }
            ("served" | "unserved" | "served_rate", service, _) => {
                let Some(service) = Service::parse(service) else { return Value::Missing(Missing::NotKnown) };
                let total = figures.at(Metric::COUNTED, self.day);
                let served = figures.at(Metric::served(service, of), self.day);
                match head {
                    "served" => Value::Number(served.into()),
                    "unserved" => Value::Number((total - served).into()),
                    _ => share(served.into(), total.into()),
                }
            }
            ("reach", word, _) => match Reach::parse(word) {
                Some(reach) => count(Metric::reach(reach, of)),
                None => Value::Missing(Missing::NotKnown),
            },
            ("projects", sector, what) => {
                if silent && what != "total" {
                    return Value::Missing(Missing::NotReported);
                }
                self.project_count(figures, sector, what, reading)
            }
            ("rate", sector, "done_rate") if !silent => {
                let number = |what| match self.project_count(figures, sector, what, reading) {
                    Value::Number(n) => n,
                    _ => Decimal::ZERO,
                };
                share(number("done"), number("total"))
            }
            ("rate", _, "done_rate") => Value::Missing(Missing::NotReported),
            ("rate", sector, what) => {
                let part = if what == "paid_rate" { "paid" } else { "invested" };
                match (self.money(code, sector, part, reading), self.money(code, sector, "planned", reading))
                {
                    (
                        Value::Number(part) | Value::Partial(part, _),
                        Value::Number(all) | Value::Partial(all, _),
                    ) => share(part, all),
                    (Value::Missing(why), _) | (_, Value::Missing(why)) => Value::Missing(why),
                    _ => Value::Missing(Missing::NotKnown),
                }
            }
            ("money", sector, what) => self.money(code, sector, what, reading),
            ("quantity", sector, item) => {
                let done = words.next() == Some("done");
                let sector = Sector::parse(sector);
                self.sum(code, reading, |project, day| {
                    if Some(project.sector) != sector || !day.planned.contains_key(item) {
                        return None;
                    }
                    Some(if done {
                        day.done.as_ref().map(|d| d.get(item).copied().unwrap_or_default())
                    } else {
                        day.planned.get(item).copied()
                    })
                })
            }
            _ => Value::Missing(Missing::NotKnown),
        }
    }

    fn project_count(&self, figures: &AreaFigures, sector: &str, what: &str, reading: Reading) -> Value {
        let sectors: Vec<Sector> = match Sector::parse(sector) {
            Some(one) => vec![one],
            None => Sector::ALL.to_vec(),
        };
        let of = timeline_reading(reading);
        let mut sum = 0;
        for sector in sectors {
            let count = |status| figures.at(Metric::status(sector, status, of), self.day);
            sum += match what {
                "total" => figures.statuses(sector, of, self.day).iter().sum(),
                "done" => count(Status::Done),
                "completed" => count(Status::Completed),
                "under_way" => count(Status::UnderWay),
                "not_started" => count(Status::NotStarted),
                "started" => count(Status::UnderWay) + count(Status::Completed) + count(Status::Done),
                "late" if reading == Reading::Reported => {
                    figures.at(Metric::light(sector, Light::Late), self.day)
                }
                _ => return Value::Missing(Missing::NotInReading),
            };
        }
        Value::Number(sum.into())
    }

    fn money(&self, code: &str, sector: &str, what: &str, reading: Reading) -> Value {
        let sector = Sector::parse(sector);
        self.sum(code, reading, |project, day| {
            if sector.is_some_and(|s| s != project.sector) {
                return None;
            }
            Some(match what {
                "planned" => day.planned_yuan,
                "invested" => day.invested_yuan,
                "paid" => day.paid_yuan,
                _ => day.allocated_yuan,
            })
        })
    }

    /// Sum over the projects of an area. `part` is none for a project that is no matter of the
    /// column, and `Some(None)` where the figure is not known.
    fn sum(
        &self,
        code: &str,
        reading: Reading,
        part: impl Fn(&Project, &ProjectOnDay) -> Option<Option<Decimal>>,
    ) -> Value {
        let (mut sum, mut known, mut unknown) = (Decimal::ZERO, 0_u32, 0_u32);
        for project in self.below.get(code).into_iter().flatten() {
            let Some(standing) = project.standing(self.at, reading == Reading::Approved) else { continue };
            if standing.progress.status == Status::Cancelled {
                continue;
            }
            let Some(day) = self.by_reading.get(&reading).and_then(|m| m.get(&project.id)) else { continue };
            match part(project, day) {
                None => {}
                Some(Some(value)) => {
                    sum += value;
                    known += 1;
                }
                // Nothing can be done or paid yet.
                Some(None) if standing.progress.status == Status::NotStarted => known += 1,
                Some(None) => unknown += 1,
            }
        }
        match (known, unknown) {
            (_, 0) => Value::Number(sum),
            (0, _) => Value::Missing(Missing::NotReported),
            (_, unknown) => Value::Partial(sum, unknown),
        }
    }

    fn people_of(&self, code: &str, people: bool) -> Value {
        let Ok(area) = self.ledger.area_by_code(code) else { return Value::Missing(Missing::NotKnown) };
        let (mut sum, mut known, mut unknown) = (0_i64, 0_u32, 0_u32);
        for (path, households, persons) in &self.people {
            if path.starts_with(&area.path) {
                match if people { persons } else { households } {
                    Some(n) => {
                        sum += i64::from(*n);
                        known += 1;
                    }
                    None => unknown += 1,
                }
            }
        }
        match (known, unknown) {
            (0, _) => Value::Missing(Missing::NotKnown),
            (_, 0) => Value::Number(sum.into()),
            (_, unknown) => Value::Partial(sum.into(), unknown),
        }
    }

    fn project_value(&self, code: &str, field: &str, reading: Reading) -> Value {
        let unknown = Value::Missing(Missing::NotKnown);
        let Some(project) = self.by_code.get(code) else { return unknown };
        let Some(standing) = project.standing(self.at, reading == Reading::Approved) else {
            return Value::Missing(Missing::NotReported);
        };
        let fallback = ProjectOnDay::default();
        let day = self.by_reading.get(&reading).and_then(|m| m.get(&project.id)).unwrap_or(&fallback);
        let text = |t: Option<String>| {
            t.filter(|t| !t.is_empty()).map_or(Value::Missing(Missing::NotKnown), Value::Text)
        };
        let date = |d: Option<NaiveDate>| d.map_or(Value::Missing(Missing::NotKnown), Value::Date);
        let progress = &standing.progress;
        let begun = progress.status != Status::NotStarted;
        let reported = |v: Option<Decimal>| match v {
            Some(v) => Value::Number(v),
            None if begun => Value::Missing(Missing::NotReported),
            None => Value::Number(Decimal::ZERO),
        };
        let words: Vec<&str> = field.split('.').collect();
        match words.as_slice() {
            ["name"] => Value::Text(project.name.clone()),
            ["code"] => Value::Text(project.code.clone()),
            ["money", _, "planned"] => day.planned_yuan.map_or(unknown, Value::Number),
            ["money", _, "allocated"] => day.allocated_yuan.map_or(unknown, Value::Number),
            ["money", _, "invested"] => reported(day.invested_yuan),
            ["money", _, _] => reported(day.paid_yuan),
            ["quantity", sector, item, side] => {
                if Sector::parse(sector) != Some(project.sector) || !day.planned.contains_key(*item) {
                    return Value::Missing(Missing::NoTask);
                }
                if *side == "planned" {
                    return day.planned.get(*item).copied().map_or(unknown, Value::Number);
                }
                reported(day.done.as_ref().map(|d| d.get(*item).copied().unwrap_or_default()))
            }
            ["project", word] => match *word {
                "sector" => Value::Text(project.sector.name_zh().to_owned()),
                "place" => Value::Text(self.ledger.place(&project.path).replace(" › ", "")),
                "unit" => text(day.unit.clone()),
                "status" => text(self.states.get(standing.state.as_str()).cloned()),
                "percent"
                    if begun && progress.last_reported_on.is_none() && progress.percent.value() == 0.0 =>
                {
                    Value::Missing(Missing::NotReported)
                }
                "percent" => Value::Number(Decimal::new(i64::from(progress.percent.hundredths()), 2)),
                "light" if reading == Reading::Approved => Value::Missing(Missing::NotInReading),
                "light" => match light_at(&project.plan, progress, &self.limits, self.date).0 {
                    Some(Light::None) => Value::Missing(Missing::NotReported),
                    light => text(light.map(light_zh).map(str::to_owned)),
                },
                "approval_no" => text(day.approval_no.clone()),
                "planned_start_on" => Value::Date(project.plan.planned_start),
                "planned_finish_on" => Value::Date(project.plan.planned_finish),
                "started_on" => date(day.started_on),
                "completed_on" => date(day.completed_on),
                "accepted_on" => date(day.accepted_on),
                "last_reported_on" => {
                    progress.last_reported_on.map_or(Value::Missing(Missing::NotReported), Value::Date)
                }
                _ => Value::Number(day.natural_villages.into()),
            },
            _ => unknown,
        }
    }
}

impl Source for Figures {
    fn value(&self, row: &RowFill, field: &str, reading: Reading) -> Value {
        match row {
            RowFill::Area { code } => self.area_value(code, field, reading),
            RowFill::Project { code } => self.project_value(code, field, reading),
            RowFill::Sum { .. } | RowFill::Leave => Value::Missing(Missing::NotKnown),
        }
    }

    fn knows(&self, row: &RowFill) -> bool {
        match row {
            RowFill::Area { code } => self.published.areas.by_code(code).is_some(),
            RowFill::Project { code } => self.by_code.contains_key(code),
            RowFill::Sum { .. } | RowFill::Leave => false,
        }
    }

    fn name(&self, row: &RowFill) -> String {
        match row {
            RowFill::Area { code } => {
                self.ledger.area_by_code(code).map(|a| a.name.clone()).unwrap_or_default()
            }
            RowFill::Project { code } => self.by_code.get(code).map(|p| p.name.clone()).unwrap_or_default(),
            RowFill::Sum { .. } | RowFill::Leave => String::new(),
        }
    }
}

fn timeline_reading(reading: Reading) -> timeline::Reading {
    match reading {
        Reading::Reported => timeline::Reading::Reported,
        Reading::Approved => timeline::Reading::Approved,
    }
}

/// A percentage; of nothing there is none.
fn share(part: Decimal, all: Decimal) -> Value {
    if all.is_zero() {
        return Value::Missing(Missing::NoTask);
    }
    Value::Number(part * Decimal::from(100) / all)
}

fn light_zh(light: Light) -> &'static str {
    match light {
        Light::Done => "完工",
        Light::Late => "滞后",
        Light::Warn => "预警",
        Light::Ok => "正常",
        Light::Todo => "未开工",
        Light::None => "未填报",
    }
}
