//! The plan of a project: its dates and its curve (计划形象进度).

use std::fmt;

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};

/// A percentage in hundredths of a percent, as the database keeps it (`numeric(5,2)`), so that a
/// threshold is met or not met and never "almost": 5.00 pp is not above 5 pp.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "f64", into = "f64")]
pub struct Percent(i32);

impl Percent {
    /// Nothing is done.
    pub const ZERO: Self = Self(0);
    /// Everything is done.
    pub const FULL: Self = Self(10_000);

    /// From hundredths of a percent: 1,250 is 12.5 %.
    pub const fn from_hundredths(hundredths: i32) -> Self {
        Self(hundredths)
    }

    /// In hundredths of a percent.
    pub const fn hundredths(self) -> i32 {
        self.0
    }

    /// In percent.
    pub fn value(self) -> f64 {
        f64::from(self.0) / 100.0
    }
}

impl From<f64> for Percent {
    /// Rounds to the nearest hundredth of a percent; what is not a number counts as zero.
    fn from(percent: f64) -> Self {
        Self((percent * 100.0).round() as i32)
    }
}

impl From<Percent> for f64 {
    fn from(percent: Percent) -> Self {
        percent.value()
    }
}

impl std::ops::Sub for Percent {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl std::ops::Add for Percent {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl fmt::Display for Percent {
    /// "12.5", "7", "0.25": no trailing zeros, no unit.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, rest) = (self.0.abs() / 100, self.0.abs() % 100);
        match rest {
            0 => write!(f, "{sign}{whole}"),
            r if r % 10 == 0 => write!(f, "{sign}{whole}.{}", r / 10),
            r => write!(f, "{sign}{whole}.{r:02}"),
        }
    }
}

/// What was planned: start, finish, and the cumulative percentage in between.
///
/// The curve is straight between its points, 0 % before the first and level after the last.
/// A project without milestones is planned evenly from start to finish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Day on which work should start (计划开工).
    pub planned_start: NaiveDate,
    /// Day on which work should be finished (计划完工). The day itself is still in time.
    pub planned_finish: NaiveDate,
    points: Vec<(NaiveDate, Percent)>,
}

impl Plan {
    /// Builds the curve from milestones in any order. It always begins at 0 % (at the planned start
    /// when no milestone says otherwise) and reaches 100 % at the planned finish at the latest,
    /// unless the milestones run past it. Of two points on one day the higher counts.
    pub fn new(
        planned_start: NaiveDate,
        planned_finish: NaiveDate,
        milestones: impl IntoIterator<Item = (NaiveDate, Percent)>,
    ) -> Self {
        let mut points: Vec<_> = milestones.into_iter().collect();
        points.sort_unstable();
        points.dedup_by(|later, earlier| {
            let same_day = later.0 == earlier.0;
            if same_day {
                earlier.1 = later.1;
            }
            same_day
        });
        if points.first().is_none_or(|&(day, percent)| percent > Percent::ZERO && planned_start < day) {
            points.insert(0, (planned_start, Percent::ZERO));
        }
        if points.last().is_none_or(|&(day, percent)| percent < Percent::FULL && planned_finish >= day) {
            points.push((planned_finish, Percent::FULL));
        }
        Self { planned_start, planned_finish, points }
    }

    /// Points of the curve, by day.
    pub fn points(&self) -> &[(NaiveDate, Percent)] {
        &self.points
    }

    /// Planned cumulative percentage at the end of a day, rounded to a hundredth of a percent.
    pub fn percent_on(&self, day: NaiveDate) -> Percent {
        let next = self.points.partition_point(|&(d, _)| d <= day);
        let Some(&(from, low)) = next.checked_sub(1).and_then(|i| self.points.get(i)) else {
            return Percent::ZERO;
        };
        let Some(&(to, high)) = self.points.get(next) else { return low };
        let (run, done) = ((to - from).num_days(), (day - from).num_days());
        let rise = i64::from(high.0 - low.0);
        // Half a hundredth rounds up; `rise` may be negative in a plan that someone wrote badly.
        Percent(low.0 + (2 * rise * done + run).div_euclid(2 * run) as i32)
    }

    /// The latest day, up to and including `until`, on which the plan asked for no more than
    /// `percent`; the day before the plan begins when there was none.
    pub fn last_day_at(&self, percent: Percent, until: NaiveDate) -> NaiveDate {
        if self.percent_on(until) <= percent {
            return until;
        }
        let begin = self.points.first().map_or(self.planned_start, |&(day, _)| day);
        // Backwards over the pieces: the first whose lower end is at or below the percentage
        // holds the day, and within a piece the curve is monotone.
        let pieces = self.points.iter().rev().filter(|&&(day, _)| day <= until);
        let mut upper = until;
        for &(day, _) in pieces {
            if self.percent_on(day) <= percent {
                let (mut low, mut high) = (day, upper);
                while (high - low).num_days() > 1 {
                    let middle = low + Days::new(((high - low).num_days() / 2) as u64);
                    if self.percent_on(middle) <= percent {
                        low = middle;
                    } else {
                        high = middle;
                    }
                }
                return low;
            }
            upper = day;
        }
        begin.pred_opt().unwrap_or(begin)
    }

    /// First days on which the curve has risen above a percentage or fallen back to it.
    pub(super) fn crossings(&self, percent: Percent) -> Vec<NaiveDate> {
        let above = |day: NaiveDate| self.percent_on(day) > percent;
        let mut days = Vec::new();
        if let Some(&(first, _)) = self.points.first()
            && above(first)
        {
            days.push(first);
        }
        for piece in self.points.windows(2) {
            let (mut low, mut high) = (piece[0].0, piece[1].0);
            let (was, becomes) = (above(low), above(high));
            if was == becomes {
                continue;
            }
            while (high - low).num_days() > 1 {
                let middle = low + Days::new(((high - low).num_days() / 2) as u64);
                if above(middle) == was {
                    low = middle;
                } else {
                    high = middle;
                }
            }
            days.push(high);
        }
        days
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }
    fn pc(percent: f64) -> Percent {
        Percent::from(percent)
    }

    #[test]
    fn straight_between_milestones() {
        let plan = Plan::new(
            day("2020-01-01"),
            day("2020-12-31"),
            [(day("2020-03-01"), pc(20.0)), (day("2020-03-31"), pc(50.0))],
        );
        assert_eq!(plan.percent_on(day("2019-12-31")), Percent::ZERO);
        assert_eq!(plan.percent_on(day("2020-01-01")), Percent::ZERO);
        assert_eq!(plan.percent_on(day("2020-01-31")), pc(10.0));
        assert_eq!(plan.percent_on(day("2020-03-01")), pc(20.0));
        assert_eq!(plan.percent_on(day("2020-03-11")), pc(30.0));
        assert_eq!(plan.percent_on(day("2020-12-31")), Percent::FULL);
        assert_eq!(plan.percent_on(day("2025-01-01")), Percent::FULL);
    }

    #[test]
    fn without_milestones_even() {
        let plan = Plan::new(day("2020-01-01"), day("2020-01-11"), []);
        assert_eq!(plan.percent_on(day("2020-01-06")), pc(50.0));
        let at_once = Plan::new(day("2020-01-01"), day("2020-01-01"), []);
        assert_eq!(at_once.percent_on(day("2019-12-31")), Percent::ZERO);
        assert_eq!(at_once.percent_on(day("2020-01-01")), Percent::FULL);
    }

    #[test]
    fn days_since_the_plan_stood_there() {
        let plan = Plan::new(day("2020-01-01"), day("2020-01-11"), []);
        assert_eq!(plan.last_day_at(pc(50.0), day("2020-01-09")), day("2020-01-06"));
        assert_eq!(plan.last_day_at(pc(55.0), day("2020-01-09")), day("2020-01-06"));
        assert_eq!(plan.last_day_at(pc(90.0), day("2020-01-09")), day("2020-01-09"));
        assert_eq!(plan.last_day_at(Percent::ZERO, day("2021-01-01")), day("2020-01-01"));
    }

    #[test]
    fn words() {
        assert_eq!(pc(12.5).to_string(), "12.5");
        assert_eq!(pc(-0.25).to_string(), "-0.25");
        assert_eq!(pc(7.0).to_string(), "7");
        assert_eq!(pc(7.05).to_string(), "7.05");
    }
}
