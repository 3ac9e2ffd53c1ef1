//! What makes a reviewer look twice at a report (DOMAIN: 数字脱贫). Hints, not verdicts: they
//! never stop an approval. Only what the data can tell; the limits are the province's settings.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// Limits of the flags (settings `review_…`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// A growth above this many percentage points since the last approved report
    /// (`review_jump_pp`).
    pub jump_pp: f64,
    /// Recorded more than this many days after the day it speaks of (`review_backdated_days`).
    pub backdated_days: i64,
    /// Share of the investment and percentage further apart than this (`review_money_apart_pp`).
    pub money_apart_pp: f64,
}

impl Default for Limits {
    /// The usual limits, for a programme that has not decided its own.
    fn default() -> Self {
        Self { jump_pp: 20.0, backdated_days: 10, money_apart_pp: 30.0 }
    }
}

/// Figures of a report that flags are raised on.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// The day they speak of.
    pub effective_on: NaiveDate,
    /// 形象进度
    pub percent: f64,
    /// Cumulative investment done, yuan.
    pub invested: Option<f64>,
    /// Cumulative payment, yuan.
    pub paid: Option<f64>,
    /// Item and cumulative quantity.
    pub items: Vec<(String, f64)>,
}

/// What the report is held against.
#[derive(Debug, Clone, PartialEq)]
pub struct Context {
    /// The last approved report before it.
    pub before: Option<Figures>,
    /// Business date of the recording.
    pub recorded_on: NaiveDate,
    /// Item and planned quantity.
    pub planned: Vec<(String, f64)>,
    /// Planned investment, yuan.
    pub total: Option<f64>,
}

/// One thing worth a look.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "flag", rename_all = "snake_case")]
pub enum Flag {
    /// Grew fast since the last approved report.
    Jump {
        /// Percentage points.
        points: f64,
        /// Days between the two days spoken of.
        days: i64,
    },
    /// A cumulative quantity is less than what was approved.
    Decrease {
        /// Which.
        item: String,
        /// Approved before.
        was: f64,
        /// Reported now.
        now: f64,
    },
    /// Speaks of a day long before it was recorded.
    Backdated {
        /// Days between.
        days: i64,
    },
    /// A quantity above its plan.
    OverPlan {
        /// Which.
        item: String,
        /// Planned.
        planned: f64,
        /// Reported now.
        now: f64,
    },
    /// Investment and percentage are far apart.
    MoneyApart {
        /// Share of the investment done, in percent.
        invested_percent: f64,
        /// Points between the two.
        points: f64,
    },
    /// More was paid than built.
    PaidAhead {
        /// Payment minus investment done, yuan.
        yuan: f64,
    },
}

/// The flags of a report, the gravest first.
pub fn flags(report: &Figures, context: &Context, limits: &Limits) -> Vec<Flag> {
    let mut found = Vec::new();
    let tenth = |value: f64| (value * 10.0).round() / 10.0;
    if let Some(before) = &context.before {
        for (item, now) in &report.items {
            let was = before.items.iter().find(|(i, _)| i == item).map_or(0.0, |(_, done)| *done);
            if *now < was {
                found.push(Flag::Decrease { item: item.clone(), was, now: *now });
            }
        }
    }
    for (item, now) in &report.items {
        let planned = context.planned.iter().find(|(i, _)| i == item).map(|(_, planned)| *planned);
        if let Some(planned) = planned.filter(|planned| now > planned) {
            found.push(Flag::OverPlan { item: item.clone(), planned, now: *now });
        }
    }
    let points = report.percent - context.before.as_ref().map_or(0.0, |b| b.percent);
    if points > limits.jump_pp {
        let days =
            context.before.as_ref().map_or(0, |b| (report.effective_on - b.effective_on).num_days().max(0));
        found.push(Flag::Jump { points: tenth(points), days });
    }
    if let (Some(paid), Some(invested)) = (report.paid, report.invested)
        && paid > invested
    {
        found.push(Flag::PaidAhead { yuan: paid - invested });
    }
    if let (Some(total), Some(invested)) = (context.total.filter(|t| *t > 0.0), report.invested) {
        let share = invested / total * 100.0;
        let apart = (share - report.percent).abs();
        if apart > limits.money_apart_pp {
            found.push(Flag::MoneyApart { invested_percent: tenth(share), points: tenth(apart) });
        }
    }
    let days = (context.recorded_on - report.effective_on).num_days();
    if days > limits.backdated_days {
        found.push(Flag::Backdated { days });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(day: &str, percent: f64, surface: f64) -> Figures {
        Figures {
            effective_on: day.parse().unwrap(),
            percent,
            invested: Some(percent * 10_000.0),
            paid: Some(0.0),
            items: vec![("surface_km".into(), surface)],
        }
    }

    fn context(before: Option<Figures>) -> Context {
        Context {
            before,
            recorded_on: "2020-10-31".parse().unwrap(),
            planned: vec![("surface_km".into(), 1.2)],
            total: Some(1_000_000.0),
        }
    }

    #[test]
    fn a_usual_report_raises_nothing() {
        let before = figures("2020-09-28", 50.0, 0.6);
        let report = figures("2020-10-31", 70.0, 0.84);
        assert_eq!(flags(&report, &context(Some(before)), &Limits::default()), []);
    }

    #[test]
    fn each_rule_raises_its_flag_above_its_limit_only() {
        let limits = Limits::default();
        let raised = |report: &Figures, before: Option<Figures>| flags(report, &context(before), &limits);
        let before = || Some(figures("2020-09-28", 50.0, 0.6));
        assert_eq!(
            raised(&figures("2020-10-31", 70.5, 0.9), before()),
            [Flag::Jump { points: 20.5, days: 33 }]
        );
        assert_eq!(
            raised(&figures("2020-10-31", 45.0, 0.5), before()),
            [Flag::Decrease { item: "surface_km".into(), was: 0.6, now: 0.5 }]
        );
        assert_eq!(
            raised(&figures("2020-10-20", 55.0, 0.65), before()),
            [Flag::Backdated { days: 11 }],
            "ten days are still in time"
        );
        assert_eq!(raised(&figures("2020-10-21", 55.0, 0.65), before()), []);
        assert_eq!(
            raised(&figures("2020-10-31", 60.0, 1.3), before()),
            [Flag::OverPlan { item: "surface_km".into(), planned: 1.2, now: 1.3 }]
        );
        let rich = Figures { invested: Some(950_000.0), ..figures("2020-10-31", 60.0, 0.7) };
        assert_eq!(raised(&rich, before()), [Flag::MoneyApart { invested_percent: 95.0, points: 35.0 }]);
        let paid = Figures { paid: Some(700_000.0), ..figures("2020-10-31", 60.0, 0.7) };
        assert_eq!(raised(&paid, before()), [Flag::PaidAhead { yuan: 100_000.0 }]);
    }

    #[test]
    fn the_first_report_of_all_is_held_against_nothing() {
        assert_eq!(
            flags(&figures("2020-10-31", 35.0, 0.4), &context(None), &Limits::default()),
            [Flag::Jump { points: 35.0, days: 0 }]
        );
    }
}
