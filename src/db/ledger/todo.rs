//! 我的待办: what a clerk has to do, judged from the ledger in memory. One pass over the projects
//! of her scope; nothing is asked of the database but what the rows of a page show.

use std::sync::Arc;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{Judged, Project, Snapshot};
use crate::domain::lights::{Light, Thresholds, lag_at, light_at};
use crate::domain::reporting::{Period, Rule};

/// Why a project is on the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// 退回修改: the newest report came back.
    Returned,
    /// 本期未报: a period that has begun has no report.
    Due,
    /// 滞后: the light is red.
    Late,
    /// 待审核: reported, and not yet reviewed. Nothing to do but wait.
    Waiting,
}

impl Group {
    /// All, in the order of the list.
    pub const ALL: [Self; 4] = [Self::Returned, Self::Due, Self::Late, Self::Waiting];

    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Returned => "returned",
            Self::Due => "due",
            Self::Late => "late",
            Self::Waiting => "waiting",
        }
    }

    /// The group that a word names.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|g| g.as_str() == word)
    }
}

/// How many projects each group has, over the whole scope. A project counts in every group that
/// it belongs to; the list without a filter shows it once, in the first of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// To be corrected.
    pub returned: u64,
    /// Without a report in a period that has begun; those to be corrected are not counted again.
    pub due: u64,
    /// Of these, past the deadline.
    pub overdue: u64,
    /// Red light.
    pub late: u64,
    /// Reported, not yet reviewed.
    pub waiting: u64,
    /// Projects that report at all at present.
    pub reporting: u64,
    /// Of these, with a report for the present period.
    pub reported: u64,
}

/// Place of a row in the list: group, urgency, code.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key(u8, i64, i64, String);

/// What the list is asked for.
#[derive(Debug)]
pub struct Ask<'a> {
    /// In which periods is reported.
    pub rule: &'a Rule,
    /// Limits of the lights.
    pub limits: &'a Thresholds,
    /// Business date.
    pub today: NaiveDate,
    /// One group, or what is to be done of all (without those that only wait).
    pub group: Option<Group>,
    /// After this row.
    pub after: Option<Key>,
    /// At most so many.
    pub limit: usize,
}

/// A row of the list.
#[derive(Debug)]
pub struct Task {
    /// The group that it is shown in.
    pub group: Group,
    /// The day by which it is to be done; the day itself is still in time.
    pub due_on: Option<NaiveDate>,
    /// The period that is owed.
    pub period: Option<Period>,
    /// The project with its light.
    pub judged: Judged,
}

/// A page of the list, and what is true of all of it.
#[derive(Debug)]
pub struct Found {
    /// The rows of the page.
    pub rows: Vec<Task>,
    /// Key of the last row, when more follow.
    pub next: Option<Key>,
    /// Rows of the whole list.
    pub total: u64,
    /// Over the whole scope, whatever group is asked for.
    pub counts: Counts,
}

/// A row before it is judged in full.
struct Slim<'a> {
    project: &'a Arc<Project>,
    group: Group,
    due_on: Option<NaiveDate>,
    period: Option<Period>,
}

/// What a project asks for.
struct Demand {
    light: Option<Light>,
    mend_by: Option<NaiveDate>,
    owed: Option<Period>,
    next: Option<Period>,
}

impl Snapshot {
    /// A page of what is to be done with the projects that `holds` lets through.
    pub fn todo(&self, holds: impl Fn(&Project) -> bool, ask: &Ask<'_>) -> Found {
        let mut counts = Counts::default();
        let mut slim: Vec<(Key, Slim<'_>)> = Vec::new();
        for project in self.projects.iter().filter(|p| holds(p)) {
            let Some(demand) = demand(project, ask) else {
                if project.pending_review {
                    counts.waiting += 1;
                    if ask.group == Some(Group::Waiting) {
                        slim.push(row(project, Group::Waiting, None, None, ask));
                    }
                }
                continue;
            };
            count(&mut counts, project, &demand, ask.today);
            if let Some(group) = group_of(project, &demand, ask.group) {
                let (due_on, period) = match group {
                    Group::Returned => (demand.mend_by, demand.owed),
                    Group::Due => (demand.owed.map(|p| p.due_on), demand.owed),
                    Group::Late | Group::Waiting => (demand.next.map(|p| p.due_on), demand.next),
                };
                slim.push(row(project, group, due_on, period, ask));
            }
        }
        let total = slim.len() as u64;
        let (rows, next) = page(slim, ask);
        Found { rows, next, total, counts }
    }
}

/// What is asked of a project; `None` where its state takes no report.
fn demand(project: &Project, ask: &Ask<'_>) -> Option<Demand> {
    project.state.after_report(false, false).ok()?;
    let progress = project.standing(None, false)?.progress;
    let next = ask.rule.next(&project.known(), ask.today);
    let mend_by = project.returned.map(|r| r.mend_by.unwrap_or_else(|| ask.rule.mend_by(r.on)));
    Some(Demand {
        light: light_at(&project.plan, &progress, ask.limits, ask.today).0,
        mend_by,
        owed: next.filter(|period| period.first <= ask.today),
        next,
    })
}

fn count(counts: &mut Counts, project: &Project, demand: &Demand, today: NaiveDate) {
    counts.reporting += u64::from(demand.next.is_some());
    counts.reported += u64::from(demand.next.is_some() && demand.owed.is_none());
    counts.late += u64::from(demand.light == Some(Light::Late));
    counts.waiting += u64::from(project.pending_review);
    if demand.mend_by.is_some() {
        counts.returned += 1;
    } else if let Some(owed) = demand.owed {
        counts.due += 1;
        counts.overdue += u64::from(owed.due_on < today);
    }
}

fn group_of(project: &Project, demand: &Demand, asked: Option<Group>) -> Option<Group> {
    let is = |group| match group {
        Group::Returned => demand.mend_by.is_some(),
        Group::Due => demand.mend_by.is_none() && demand.owed.is_some(),
        Group::Late => demand.light == Some(Light::Late),
        Group::Waiting => project.pending_review,
    };
    match asked {
        Some(group) => is(group).then_some(group),
        None => [Group::Returned, Group::Due, Group::Late].into_iter().find(|group| is(*group)),
    }
}

fn row<'a>(
    project: &'a Arc<Project>,
    group: Group,
    due_on: Option<NaiveDate>,
    period: Option<Period>,
    ask: &Ask<'_>,
) -> (Key, Slim<'a>) {
    let days = due_on.map_or(i64::MAX, |day| (day - ask.today).num_days());
    let progress = project.standing(None, false).map(|s| s.progress);
    let points = progress
        .and_then(|progress| lag_at(&project.plan, &progress, ask.today))
        .map_or(0, |lag| i64::from(lag.points.hundredths()));
    // Among equal deadlines, and where there is none to keep, the greatest lag comes first.
    let key = match group {
        Group::Returned | Group::Due => Key(group as u8, days, -points, project.code.clone()),
        Group::Late | Group::Waiting => Key(group as u8, -points, days, project.code.clone()),
    };
    (key, Slim { project, group, due_on, period })
}

fn page(slim: Vec<(Key, Slim<'_>)>, ask: &Ask<'_>) -> (Vec<Task>, Option<Key>) {
    let mut rows: Vec<(Key, Slim<'_>)> =
        slim.into_iter().filter(|(key, _)| ask.after.as_ref().is_none_or(|after| key > after)).collect();
    let more = rows.len() > ask.limit;
    if more {
        // Only the page is sorted, not the whole list.
        rows.select_nth_unstable_by(ask.limit, |a, b| a.0.cmp(&b.0));
        rows.truncate(ask.limit);
    }
    rows.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    let next = rows.last().filter(|_| more).map(|(key, _)| key.clone());
    let tasks = rows
        .into_iter()
        .filter_map(|(_, slim)| {
            let standing = slim.project.standing(None, false)?;
            let judged = Judged::new(slim.project, standing, ask.limits, ask.today);
            Some(Task { group: slim.group, due_on: slim.due_on, period: slim.period, judged })
        })
        .collect();
    (tasks, next)
}
