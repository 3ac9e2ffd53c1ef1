//! What serves each natural village, and since when: road, bus, water, power, broadband, clean village.

use super::calendar::{Day, FIRST_DATE, day, moment};
use super::county::County;
use super::dice::Dice;
use super::fates::{Fate, Fates};
use super::project::Project;

/// A service that a natural village has.
#[derive(Debug, Clone)]
pub struct Service {
    /// Index of the natural village.
    pub natural_village: usize,
    /// Word of `service_states`.
    pub kind: &'static str,
    /// Since.
    pub effective_on: Day,
    /// Known since, milliseconds.
    pub recorded_at: i64,
    /// Water: households connected.
    pub households: Option<i64>,
    /// Water: index of the scheme.
    pub scheme: Option<usize>,
    /// Project and report (indexes) that brought it.
    pub by: Option<(usize, usize)>,
    /// Approved, milliseconds.
    pub approved_at: Option<i64>,
    /// Where we know it from.
    pub source: &'static str,
}

/// Service states that follow from projects' reports.
pub fn from_projects(projects: &[Project], out: &mut Vec<Service>) {
    for (p, project) in projects.iter().enumerate() {
        let service = match (project.plan.sector, project.plan.kind) {
            ("road", "harden") => "road",
            ("water", _) => "water",
            ("clean_village", _) => "clean_village",
            ("power", "broadband") => "broadband",
            _ => continue,
        };
        for served in &project.plan.served {
            // The first report that says so and was not returned.
            let Some((r, report)) = project
                .reports
                .iter()
                .enumerate()
                .find(|(_, r)| r.work + 1e-9 >= served.at && r.review_state != "returned")
            else {
                continue;
            };
            out.push(Service {
                natural_village: served.natural_village,
                kind: service,
                effective_on: report.effective_on,
                recorded_at: report.recorded_at,
                households: (service == "water").then_some(served.households),
                scheme: project.plan.scheme.filter(|_| service == "water"),
                by: Some((p, r)),
                approved_at: report.review.filter(|_| report.review_state == "approved").map(|(_, at, _)| at),
                source: "进度填报",
            });
        }
    }
}

/// Service states from before the plan, and those that no project of ours brings.
pub fn standing(
    county: &County,
    fates: &Fates,
    water: &[(usize, Day, usize)],
    dice: &mut Dice,
    out: &mut Vec<Service>,
) {
    let census = moment(day(2018, 1, 8), 10 * 60);
    let mut add = |natural_village, service, effective_on: Day, households, scheme| {
        let recorded_at = census.max(moment(effective_on + 3, 10 * 60 + 30));
        out.push(Service {
            natural_village,
            kind: service,
            effective_on,
            recorded_at,
            households,
            scheme,
            by: None,
            approved_at: Some(recorded_at + 5 * 86_400_000),
            source: if effective_on < FIRST_DATE { "2017年底普查" } else { "行业台账" },
        });
    };
    for (i, _) in county.naturals.iter().enumerate() {
        if let Fate::Before(since) = fates.of[i] {
            add(i, "road", since, None, None);
        }
        add(i, "power", day(2009, 1, 1) + dice.whole(0, 2_500) as Day, None, None);
    }
    for (n, since, scheme) in water {
        add(*n, "water", *since, Some(county.naturals[*n].households), Some(*scheme));
    }
    for (_, members) in county.by_village() {
        let bus = if dice.chance(0.7) {
            day(2013, 6, 1) + dice.whole(0, 1_600) as Day
        } else {
            FIRST_DATE + 30 + dice.whole(0, 660) as Day
        };
        let has_bus = dice.chance(0.996);
        let broadband = FIRST_DATE - 900 + dice.whole(0, 1_700) as Day;
        for n in members {
            if has_bus {
                add(n, "bus", bus, None, None);
            }
            if !county.by_project.contains(&(n, "broadband")) && dice.chance(0.97) {
                add(n, "broadband", broadband, None, None);
            }
        }
    }
}
