//! 预警等级: how a project stands against its plan on a day, and on which days that changes.
//!
//! Where rules overlap the order is done, late (red), warn (yellow), ok (green), todo (not
//! started). The limits are the province's settings ([`Thresholds`]), not constants. A limit is
//! passed when it is exceeded: a lag of exactly 5 pp is still green, the due day is still in time.

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};

use super::plan::{Percent, Plan};

/// The coarse word for a project's state (table `project_states`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// In the library, approved, planned or contracted.
    NotStarted,
    /// Being built, or suspended.
    UnderWay,
    /// 完工未验收: finished and not yet accepted. Counted apart, not as done.
    Completed,
    /// Accepted (交工验收, or 合同工程完工验收 for water).
    Done,
    /// Taken out of the library.
    Cancelled,
}

impl Status {
    /// All, in the order of the lifecycle.
    pub const ALL: [Self; 5] =
        [Self::NotStarted, Self::UnderWay, Self::Completed, Self::Done, Self::Cancelled];

    /// The word of the API and of the tiles.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotStarted => "not_started",
            Self::UnderWay => "under_way",
            Self::Completed => "completed",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status that a word names.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == word)
    }
}

/// 预警等级, in the order in which rules win. A cancelled project has none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Light {
    /// ✓ accepted.
    Done,
    /// ■ 滞后, red.
    Late,
    /// ▲ 预警, yellow.
    Warn,
    /// ● 正常, green.
    Ok,
    /// ○ 未开工, and not yet due to start.
    Todo,
    /// ▨ 未填报: under way, but nothing was ever reported. Not the same as 0 %.
    None,
}

impl Light {
    /// All, in order.
    pub const ALL: [Self; 6] = [Self::Done, Self::Late, Self::Warn, Self::Ok, Self::Todo, Self::None];

    /// The word of the API and of the tiles.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Late => "late",
            Self::Warn => "warn",
            Self::Ok => "ok",
            Self::Todo => "todo",
            Self::None => "none",
        }
    }

    /// The light that a word names.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|l| l.as_str() == word)
    }
}

/// Limits that the province decides (table `settings`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    /// A lag above this many percentage points is yellow (`lag_warn_pp`).
    pub lag_warn: Percent,
    /// A lag above this many percentage points is red (`lag_late_pp`).
    pub lag_late: Percent,
    /// A start more than this many days late is red, any later start yellow (`start_late_days`).
    pub start_late_days: u32,
    /// More days than this without a report while under way are red (`no_update_days`).
    pub no_update_days: u32,
}

impl Default for Thresholds {
    /// The usual limits, for a programme that has not decided its own.
    fn default() -> Self {
        Self {
            lag_warn: Percent::from_hundredths(500),
            lag_late: Percent::from_hundredths(1500),
            start_late_days: 30,
            no_update_days: 45,
        }
    }
}

/// What is known of a project's progress on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Where it stands in its lifecycle.
    pub status: Status,
    /// Reported cumulative percentage (形象进度). Means nothing while nothing was reported.
    pub percent: Percent,
    /// Day on which work began, when known.
    pub started_on: Option<NaiveDate>,
    /// Day that the newest report speaks of (截至); `None`: never reported.
    pub last_reported_on: Option<NaiveDate>,
}

/// Why a light is as it is: the rule that decided, with its measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LightReason {
    /// Accepted.
    Accepted,
    /// Finished, waits for acceptance.
    AwaitsAcceptance,
    /// Taken out of the library.
    Cancelled,
    /// The planned finish has passed.
    PastDue {
        /// Days since the planned finish.
        days: i64,
    },
    /// Behind the plan by more than a limit.
    Lag {
        /// Planned minus reported, in percentage points.
        lag: Percent,
        /// Days since the plan asked for no more than was reached.
        days: i64,
        /// The limit that is exceeded.
        limit: Percent,
    },
    /// Not started although the planned start has passed.
    StartLate {
        /// Days since the planned start.
        days: i64,
        /// The limit between yellow and red.
        limit: u32,
    },
    /// Under way without a report for too long.
    NoUpdate {
        /// Days since the last report, or since the start when nothing was ever reported.
        days: i64,
        /// The limit that is exceeded.
        limit: u32,
    },
    /// Under way, never reported, and not long enough to be late for that.
    NeverReported,
    /// Behind by no more than the limit, or ahead.
    WithinPlan {
        /// Planned minus reported, in percentage points; negative when ahead.
        lag: Percent,
        /// The limit of green.
        limit: Percent,
    },
    /// Not started and not yet due to start.
    NotDueYet {
        /// Days until the planned start.
        days: i64,
    },
}

impl LightReason {
    /// The word of the rule that decided, and its days where it counts days.
    pub const fn rule(&self) -> (&'static str, Option<i64>) {
        match *self {
            Self::Accepted => ("accepted", None),
            Self::AwaitsAcceptance => ("awaits_acceptance", None),
            Self::Cancelled => ("cancelled", None),
            Self::PastDue { days } => ("past_due", Some(days)),
            Self::Lag { days, .. } => ("lag", Some(days)),
            Self::StartLate { days, .. } => ("start_late", Some(days)),
            Self::NoUpdate { days, .. } => ("no_update", Some(days)),
            Self::NeverReported => ("never_reported", None),
            Self::WithinPlan { .. } => ("within_plan", None),
            Self::NotDueYet { days } => ("not_due_yet", Some(days)),
        }
    }
}

/// How far a project is behind its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lag {
    /// Planned percentage of the day.
    pub planned: Percent,
    /// Planned minus reported, in percentage points; negative when ahead.
    pub points: Percent,
    /// Days since the plan asked for no more than was reached; 0 when not behind.
    pub days: i64,
}

/// How far a project is behind its plan on a day. `None` where the question has no sense: it is
/// finished or cancelled, or under way without ever having reported.
pub fn lag_at(plan: &Plan, progress: &Progress, day: NaiveDate) -> Option<Lag> {
    let percent = match progress.status {
        Status::NotStarted => progress.percent,
        Status::UnderWay if progress.last_reported_on.is_some() => progress.percent,
        _ => return None,
    };
    let planned = plan.percent_on(day);
    let points = planned - percent;
    let days = if points > Percent::ZERO { (day - plan.last_day_at(percent, day)).num_days() } else { 0 };
    Some(Lag { planned, points, days })
}

/// The light of a project on a day, and the rule that decided. `None` for a cancelled project.
pub fn light_at(
    plan: &Plan,
    progress: &Progress,
    limits: &Thresholds,
    day: NaiveDate,
) -> (Option<Light>, LightReason) {
    match progress.status {
        Status::Done => return (Some(Light::Done), LightReason::Accepted),
        Status::Completed => return (Some(Light::Ok), LightReason::AwaitsAcceptance),
        Status::Cancelled => return (None, LightReason::Cancelled),
        Status::NotStarted | Status::UnderWay => {}
    }
    let since = |earlier: NaiveDate| (day - earlier).num_days();
    let lag = || {
        lag_at(plan, progress, day).unwrap_or(Lag { planned: Percent::ZERO, points: Percent::ZERO, days: 0 })
    };
    // The percentages alone decide; the days of a lag are worked out only for the answer.
    let points = match lag_points(plan, progress, day) {
        Some(points) => points,
        None => Percent::ZERO,
    };
    let (start_late, silent) = match progress.status {
        Status::NotStarted => (since(plan.planned_start), 0),
        _ => (0, since(silent_since(plan, progress))),
    };

    let overdue = since(plan.planned_finish);
    if overdue > 0 {
        return (Some(Light::Late), LightReason::PastDue { days: overdue });
    }
    if points > limits.lag_late {
        let Lag { points: lag, days, .. } = lag();
        return (Some(Light::Late), LightReason::Lag { lag, days, limit: limits.lag_late });
    }
    if start_late > i64::from(limits.start_late_days) {
        let limit = limits.start_late_days;
        return (Some(Light::Late), LightReason::StartLate { days: start_late, limit });
    }
    if silent > i64::from(limits.no_update_days) {
        let limit = limits.no_update_days;
        return (Some(Light::Late), LightReason::NoUpdate { days: silent, limit });
    }
    if points > limits.lag_warn {
        let Lag { points: lag, days, .. } = lag();
        return (Some(Light::Warn), LightReason::Lag { lag, days, limit: limits.lag_warn });
    }
    if start_late > 0 {
        let limit = limits.start_late_days;
        return (Some(Light::Warn), LightReason::StartLate { days: start_late, limit });
    }
    match progress.status {
        Status::NotStarted => (Some(Light::Todo), LightReason::NotDueYet { days: -start_late }),
        _ if progress.last_reported_on.is_none() => (Some(Light::None), LightReason::NeverReported),
        _ => (Some(Light::Ok), LightReason::WithinPlan { lag: points, limit: limits.lag_warn }),
    }
}

/// The points of [`lag_at`] without its days.
fn lag_points(plan: &Plan, progress: &Progress, day: NaiveDate) -> Option<Percent> {
    let known = progress.status == Status::NotStarted || progress.last_reported_on.is_some();
    known.then(|| plan.percent_on(day) - progress.percent)
}

/// Day from which the silence of a project under way is counted.
fn silent_since(plan: &Plan, progress: &Progress) -> NaiveDate {
    progress.last_reported_on.or(progress.started_on).unwrap_or(plan.planned_start)
}

/// Every day on which the light changes, by time or by what was reported: the first day on which
/// each light holds. `history` is what was true from which day on, in order of days (of two
/// entries for one day the later counts); before its first day nothing is known.
///
/// Exact, and without walking the days: a light can change only where the history does, the day
/// after a date of the plan, the day after a limit in days, or where the curve crosses a limit.
pub fn timeline(
    plan: &Plan,
    history: &[(NaiveDate, Progress)],
    limits: &Thresholds,
) -> Vec<(NaiveDate, Option<Light>)> {
    let mut lights: Vec<(NaiveDate, Option<Light>)> = Vec::new();
    let mut days = Vec::new();
    for (i, &(from, ref progress)) in history.iter().enumerate() {
        let until = history.get(i + 1).map(|&(next, _)| next);
        if until.is_some_and(|next| next <= from) {
            continue;
        }
        days.clear();
        days.push(from);
        candidate_days(plan, progress, limits, &mut days);
        days.retain(|&day| day >= from && until.is_none_or(|next| day < next));
        days.sort_unstable();
        for &day in &days {
            let light = light_at(plan, progress, limits, day).0;
            if lights.last().is_none_or(|&(_, was)| was != light) {
                lights.push((day, light));
            }
        }
    }
    lights
}

/// The days on which the light of an unchanging progress can change.
fn candidate_days(plan: &Plan, progress: &Progress, limits: &Thresholds, days: &mut Vec<NaiveDate>) {
    let mut after = |day: NaiveDate, limit: u32| {
        days.extend(day.checked_add_days(Days::new(u64::from(limit) + 1)));
    };
    match progress.status {
        Status::NotStarted => {
            after(plan.planned_start, 0);
            after(plan.planned_start, limits.start_late_days);
        }
        Status::UnderWay => after(silent_since(plan, progress), limits.no_update_days),
        Status::Completed | Status::Done | Status::Cancelled => return,
    }
    after(plan.planned_finish, 0);
    for limit in [limits.lag_warn, limits.lag_late] {
        days.extend(plan.crossings(progress.percent + limit));
    }
}

/// The light on a day, from [`timeline`]: `None` before anything is known, or when cancelled.
pub fn light_on(timeline: &[(NaiveDate, Option<Light>)], day: NaiveDate) -> Option<Light> {
    let next = timeline.partition_point(|&(from, _)| from <= day);
    next.checked_sub(1).and_then(|i| timeline.get(i)).and_then(|&(_, light)| light)
}

#[cfg(test)]
#[path = "lights_tests.rs"]
mod tests;
