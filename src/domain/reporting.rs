//! 填报周期: in which periods a bureau reports, by when, and which period a project still owes.
//!
//! The cycle and its days are the province's setting `reporting`, not constants.

use chrono::{Datelike, Days, Months, NaiveDate};
use serde::{Deserialize, Serialize};

use super::lifecycle::State;

/// How often a project is reported on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cycle {
    /// 旬报: the first, second and last third of a month.
    TenDays,
    /// 月报
    Month,
    /// 季报
    Quarter,
}

impl Cycle {
    /// All cycles.
    pub const ALL: [Self; 3] = [Self::TenDays, Self::Month, Self::Quarter];

    /// The word of the API and of the setting.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TenDays => "ten_days",
            Self::Month => "month",
            Self::Quarter => "quarter",
        }
    }

    /// The cycle that a word names.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.as_str() == word)
    }

    /// First and last day of the period that holds `day`.
    fn around(self, day: NaiveDate) -> (NaiveDate, NaiveDate) {
        let on = |from: NaiveDate, d: u32| from.with_day(d).unwrap_or(from);
        let month_end = |first: NaiveDate, months: u32| before(later(first, months));
        match self {
            Self::TenDays => match day.day() {
                1..=10 => (on(day, 1), on(day, 10)),
                11..=20 => (on(day, 11), on(day, 20)),
                _ => (on(day, 21), month_end(on(day, 1), 1)),
            },
            Self::Month => (on(day, 1), month_end(on(day, 1), 1)),
            Self::Quarter => {
                let first = on(day, 1).with_month0(day.month0() / 3 * 3).unwrap_or(day);
                (first, month_end(first, 3))
            }
        }
    }
}

fn later(day: NaiveDate, months: u32) -> NaiveDate {
    day.checked_add_months(Months::new(months)).unwrap_or(NaiveDate::MAX)
}

fn before(day: NaiveDate) -> NaiveDate {
    day.pred_opt().unwrap_or(NaiveDate::MIN)
}

/// What the province decided about reporting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// How often.
    pub cycle: Cycle,
    /// A period's report is due this many days after its last day.
    pub due_days: u32,
    /// A returned report is to be corrected within this many days of its return.
    pub mend_days: u32,
}

impl Default for Rule {
    /// The usual rule, for a programme that has not decided its own: 每月 5 日前报上月进度.
    fn default() -> Self {
        Self { cycle: Cycle::Month, due_days: 5, mend_days: 3 }
    }
}

/// A period of reporting (填报期).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// First day.
    pub first: NaiveDate,
    /// Last day.
    pub last: NaiveDate,
    /// Day by which its report is due; the day itself is still in time.
    pub due_on: NaiveDate,
}

/// What is known of a project when its next report is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// Where it stands in its lifecycle.
    pub state: State,
    /// The day its newest standing report speaks of.
    pub last_reported_on: Option<NaiveDate>,
    /// First day of work, when known.
    pub started_on: Option<NaiveDate>,
    /// Planned first day of work.
    pub planned_start: NaiveDate,
}

impl Rule {
    /// The period that holds `day`.
    pub fn period_of(&self, day: NaiveDate) -> Period {
        let (first, last) = self.cycle.around(day);
        Period { first, last, due_on: plus(last, self.due_days) }
    }

    /// The day by which a report returned on `day` is to be corrected.
    pub fn mend_by(&self, day: NaiveDate) -> NaiveDate {
        plus(day, self.mend_days)
    }

    /// The first period that has no report yet; it may lie in the future. `None` when nothing is
    /// to be reported: the state takes no report, or work has neither begun nor should have.
    pub fn next(&self, project: &Known, today: NaiveDate) -> Option<Period> {
        project.state.after_report(false, false).ok()?;
        if !project.state.started() && project.planned_start > today {
            return None;
        }
        Some(match project.last_reported_on {
            Some(day) => {
                let last = self.period_of(day).last;
                self.period_of(last.succ_opt().unwrap_or(last))
            }
            None => self.period_of(project.started_on.unwrap_or(project.planned_start)),
        })
    }

    /// The period that is owed today: [`Rule::next`], once it has begun.
    pub fn owed(&self, project: &Known, today: NaiveDate) -> Option<Period> {
        self.next(project, today).filter(|period| period.first <= today)
    }
}

fn plus(day: NaiveDate, days: u32) -> NaiveDate {
    day.checked_add_days(Days::new(days.into())).unwrap_or(NaiveDate::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn rule(cycle: Cycle) -> Rule {
        Rule { cycle, due_days: 5, mend_days: 3 }
    }

    fn known(state: State, last: Option<&str>) -> Known {
        Known { state, last_reported_on: last.map(day), started_on: None, planned_start: day("2020-09-20") }
    }

    #[test]
    fn periods_end_where_the_calendar_says() {
        let of = |cycle, d: &str| {
            let p = rule(cycle).period_of(day(d));
            (p.first.to_string(), p.last.to_string(), p.due_on.to_string())
        };
        let text = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
        assert_eq!(of(Cycle::Month, "2020-10-31"), text("2020-10-01", "2020-10-31", "2020-11-05"));
        assert_eq!(of(Cycle::Month, "2020-02-29"), text("2020-02-01", "2020-02-29", "2020-03-05"));
        assert_eq!(of(Cycle::Quarter, "2020-11-30"), text("2020-10-01", "2020-12-31", "2021-01-05"));
        assert_eq!(of(Cycle::TenDays, "2020-02-21"), text("2020-02-21", "2020-02-29", "2020-03-05"));
        assert_eq!(of(Cycle::TenDays, "2020-10-10"), text("2020-10-01", "2020-10-10", "2020-10-15"));
        // A day that the first month of the quarter does not have.
        assert_eq!(of(Cycle::Quarter, "2020-12-31"), text("2020-10-01", "2020-12-31", "2021-01-05"));
    }

    #[test]
    fn a_project_owes_the_first_period_without_a_report() {
        let today = day("2020-10-31");
        let owed = |k: &Known| rule(Cycle::Month).owed(k, today).map(|p| p.due_on.to_string());
        assert_eq!(owed(&known(State::UnderWay, Some("2020-09-28"))), Some("2020-11-05".into()));
        assert_eq!(owed(&known(State::UnderWay, Some("2020-07-31"))), Some("2020-09-05".into()));
        assert_eq!(owed(&known(State::UnderWay, Some("2020-10-01"))), None, "this month is reported");
        assert_eq!(owed(&known(State::UnderWay, None)), Some("2020-10-05".into()), "never reported");
        assert_eq!(owed(&known(State::Tendered, None)), Some("2020-10-05".into()), "should have started");
        assert_eq!(owed(&known(State::Completed, Some("2020-08-31"))), None, "takes no report");
        let later = Known { planned_start: day("2020-11-20"), ..known(State::Tendered, None) };
        assert_eq!(owed(&later), None, "not due to start");
    }

    #[test]
    fn what_is_reported_is_owed_again_in_the_next_period() {
        let next = rule(Cycle::Month).next(&known(State::UnderWay, Some("2020-10-31")), day("2020-10-31"));
        assert_eq!(next.map(|p| p.due_on), Some(day("2020-12-05")));
    }
}
