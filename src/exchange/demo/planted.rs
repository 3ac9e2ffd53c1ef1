//! Wrong reports put in on purpose, in the ways of the fraud tests of the domain handbook (§6).
//!
//! They are listed by `cuntong demo planted`; nothing else in the program reads the list.

use super::calendar::{BUSINESS_DATE, moment};
use super::county::County;
use super::dice::Dice;
use super::project::{Outcome, Project};
use super::quota::Quota;
use super::story;

/// One wrong report.
#[derive(Debug, Clone)]
pub struct Planted {
    /// Which test should find it.
    pub kind: &'static str,
    /// Code of the project.
    pub project: String,
    /// Code of the natural village, where it is about one.
    pub natural_village: String,
    /// What is wrong.
    pub what: String,
}

/// The kinds, in the order in which counties get them.
pub const KINDS: [&str; 6] = [
    "jump_near_deadline",
    "ledger_km_off",
    "cost_per_km_outlier",
    "back_dated_edit",
    "cumulative_falls",
    "reached_behind_gap",
];

/// Plants one or two wrongs in a county, all kinds in the county of the demo accounts.
pub fn plant(county: &mut County, quota: &Quota, dice: &mut Dice) -> Vec<Planted> {
    let mut out = Vec::new();
    if quota.silent || quota.poor.len() < 10 {
        return out;
    }
    let kinds: Vec<&str> = if county.code == "441424" {
        KINDS.to_vec()
    } else {
        vec![KINDS[dice.index(6)], KINDS[dice.index(6)]]
    };
    let mut used: Vec<usize> = Vec::new();
    for kind in kinds {
        let mut candidates: Vec<usize> = (0..county.projects.len())
            .filter(|p| {
                let project = &county.projects[*p];
                !used.contains(p)
                    && project.plan.sector == "road"
                    && project.plan.kind == "harden"
                    && match kind {
                        "jump_near_deadline" | "cumulative_falls" => {
                            project.plan.outcome == Outcome::Accepted
                                && project.reports.len() >= 4
                                && project.reports.iter().all(|r| r.review_state == "approved")
                        }
                        "back_dated_edit" => {
                            project.plan.outcome == Outcome::OnPlan
                                && project.reports.len() >= 3
                                && project.reports.iter().all(|r| r.review_state == "approved")
                        }
                        "reached_behind_gap" => {
                            project.plan.outcome == Outcome::Accepted
                                && project.plan.segments.len() >= 2
                                && project.plan.served.len() == 1
                        }
                        _ => {
                            project.plan.outcome == Outcome::Accepted
                                && project.plan.stated_km.is_some_and(|km| km > 0.3)
                        }
                    }
            })
            .collect();
        dice.shuffle(&mut candidates);
        let Some(&p) = candidates.first() else { continue };
        used.push(p);
        let mut natural_village = String::new();
        let project = &mut county.projects[p];
        let what = match kind {
            "jump_near_deadline" => jump(project, dice.between(0.12, 0.34)),
            "ledger_km_off" => {
                let km = project.plan.stated_km.unwrap_or(0.0);
                let stated = (km * dice.between(1.18, 1.4) * 100.0).round() / 100.0;
                project.plan.stated_km = Some(stated);
                format!("台账 {stated} 公里，图上 {km} 公里")
            }
            "cost_per_km_outlier" => dear(project, dice),
            "back_dated_edit" => back_date(project),
            "cumulative_falls" => fall(project),
            _ => {
                let served = project.plan.served[0].natural_village;
                natural_village.clone_from(&county.naturals[served].code);
                // One segment stays as it was: the project never built it, the report says it did.
                let left = project.plan.segments.remove(0);
                let metres = county.network.segments[left].length;
                format!("上报已通，仍有 {metres:.0} 米未硬化")
            }
        };
        out.push(Planted { kind, project: project.code.clone(), natural_village, what });
    }
    out
}

/// Everything before the last report looks slow; the last one, before the deadline, says 100 %.
fn jump(project: &mut Project, before_last: f64) -> String {
    let last = project.reports.len() - 1;
    let mut before = 0;
    for r in 0..last {
        let work = before_last * (r + 1) as f64 / last as f64;
        before = set_work(project, r, work);
    }
    project.planned_finish = project.plan.finish + 2;
    if let Some(m) = project.milestones.last_mut() {
        m.1 = project.planned_finish;
    }
    format!("到期前 2 天由 {:.1}% 跳到 100%", before as f64 / 100.0)
}

/// A report whose cumulative quantities are below those of the one before it.
fn fall(project: &mut Project) -> String {
    let r = project.reports.len() / 2;
    let work = project.reports[r - 1].work * 0.7;
    let was = project.reports[r - 1].percent;
    let now = set_work(project, r, work);
    format!("累计由 {:.2}% 降到 {:.2}%", was as f64 / 100.0, now as f64 / 100.0)
}

/// Rewrites the quantities of one report and its revision. Money stays: it never falls.
fn set_work(project: &mut Project, report: usize, work: f64) -> i64 {
    let done = story::quantities(&project.plan, work);
    let percent = story::percent(&project.plan, &done);
    let r = &mut project.reports[report];
    (r.work, r.percent, r.done) = (work, percent, done);
    if let Some(revision) = project.revisions.iter_mut().find(|v| v.report == Some(report)) {
        revision.percent = percent;
    }
    percent
}

/// Three times the usual cost of a kilometre.
fn dear(project: &mut Project, dice: &mut Dice) -> String {
    let factor = dice.whole(3, 4);
    let plan = &mut project.plan;
    plan.total_yuan *= factor;
    for f in &mut project.funds {
        (f.allocated, f.paid) = (f.allocated * factor, f.paid * factor);
    }
    for r in &mut project.reports {
        (r.invested, r.paid) = (r.invested * factor, r.paid * factor);
    }
    for r in &mut project.revisions {
        (r.invested, r.paid) = (r.invested * factor, r.paid * factor);
    }
    let per_km = plan.total_yuan as f64 / plan.stated_km.unwrap_or(1.0).max(0.01) / 10_000.0;
    format!("每公里 {per_km:.0} 万元")
}

/// The newest report speaks of a day long before the one before it.
fn back_date(project: &mut Project) -> String {
    let last = project.reports.len() - 1;
    let day = project.reports[last - 1].effective_on - 40;
    let recorded = moment(BUSINESS_DATE - 1, 22 * 60 + 40);
    let r = &mut project.reports[last];
    let was = r.effective_on;
    r.effective_on = day.max(project.started.unwrap_or(day));
    r.recorded_at = recorded;
    r.review_state = "submitted";
    r.review = None;
    let day = r.effective_on;
    if let Some(v) = project.revisions.iter_mut().find(|v| v.report == Some(last)) {
        (v.effective_on, v.recorded_at, v.approved_at) = (day, recorded, None);
    }
    format!("2020-10-30 深夜补填，截至日期提前 {} 天", was - day)
}
