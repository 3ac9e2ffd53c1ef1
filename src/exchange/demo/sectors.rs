//! Projects of the other sectors: water with its schemes, relocation, housing, power, clean villages.

use serde_json::json;

use super::calendar::{BUSINESS_DATE, Day, day};
use super::county::County;
use super::dice::Dice;
use super::fates::finishing_day;
use super::ground::Point;
use super::project::{Outcome, Plan, Served, Shape, Within};
use super::works::{items, late_outcome};

/// A water scheme.
#[derive(Debug, Clone)]
pub struct Scheme {
    /// Name.
    pub name: String,
    /// Word of `water_schemes`.
    pub kind: &'static str,
    /// Place.
    pub at: Point,
    /// Index of its village.
    pub village: usize,
    /// Design capacity in tenths of a cubic metre per day.
    pub m3_per_day_dm: i64,
    /// Design people.
    pub people: i64,
    /// It stands since.
    pub since: Day,
}

/// Which natural villages have central water, since when, by which scheme.
pub struct Water {
    /// Schemes.
    pub schemes: Vec<Scheme>,
    /// Served before the plan: natural village, day, scheme.
    pub before: Vec<(usize, Day, usize)>,
    /// Plans.
    pub plans: Vec<Plan>,
}

/// Water of a county: one scheme per village, old or by a project.
pub fn water(county: &County, dice: &mut Dice) -> Water {
    let mut out = Water { schemes: Vec::new(), before: Vec::new(), plans: Vec::new() };
    for (index, members) in county.by_village() {
        let v = &county.villages[index];
        let people: i64 = members.iter().map(|n| county.naturals[*n].people).sum();
        let kind = match dice.index(100) {
            0..=17 => "network_extension",
            18..=25 => "large",
            26..=96 => "small_central",
            _ => "dispersed",
        };
        let (angle, far) = (dice.between(0.0, std::f64::consts::TAU), dice.between(250.0, 900.0));
        let spot = Point { x: v.at.x + far * angle.cos(), y: v.at.y + far * angle.sin() };
        let by_project = dice.chance(0.72);
        let finish = finishing_day(dice);
        let outcome = late_outcome(finish, dice);
        let word = match kind {
            "network_extension" => "管网延伸供水工程",
            "large" => "规模化供水工程",
            "small_central" => "集中供水工程",
            _ => "分散供水工程",
        };
        let scheme = out.schemes.len();
        let old = day(2011, 1, 1) + dice.whole(0, 2_300) as Day;
        out.schemes.push(Scheme {
            name: format!("{}{word}", v.short_name),
            kind,
            at: if county.ground.holds(spot) { spot } else { v.at },
            village: index,
            m3_per_day_dm: (people.max(20) * dice.whole(8, 14) / 10).max(10),
            people: people.max(20),
            since: if by_project { finish - 150 } else { old },
        });
        let mut to_serve = Vec::new();
        for n in &members {
            let served_before = if by_project { dice.chance(0.35) } else { dice.chance(0.97) };
            if kind == "dispersed" {
                continue;
            }
            if served_before {
                out.before.push((*n, (old + dice.whole(0, 500) as Day).min(day(2017, 12, 20)), scheme));
            } else if by_project && dice.chance(0.97) {
                to_serve.push(*n);
            }
        }
        if to_serve.is_empty() {
            continue;
        }
        let many = to_serve.len();
        // Villages get water one by one in the second half of the work.
        let served: Vec<Served> = to_serve
            .iter()
            .enumerate()
            .map(|(k, n)| Served {
                natural_village: *n,
                households: (county.naturals[*n].households * dice.whole(82, 100) / 100).max(1),
                at: 0.45 + 0.55 * (k + 1) as f64 / many as f64,
            })
            .collect();
        let households: i64 = served.iter().map(|s| s.households).sum();
        let km = (many as f64 * dice.between(0.7, 1.6) * 100.0).round() / 100.0;
        let kind_word = if kind == "network_extension" { "extension" } else { "new" };
        out.plans.push(Plan {
            sector: "water",
            kind: kind_word,
            name: format!("{}{}{word}", county.town_name(v.town), v.short_name),
            within: Within::Village(index),
            shape: Shape::Point(out.schemes[scheme].at),
            items: items(
                "water",
                &[
                    ("pipe_km", km),
                    ("villages_connected", many as f64),
                    ("households_connected", households as f64),
                ],
            ),
            total_yuan: ((km * dice.between(90_000.0, 160_000.0) + households as f64 * 1_500.0) / 1_000.0)
                .round() as i64
                * 1_000,
            stated_km: None,
            details: json!({ "scheme_type": kind, "people": people }),
            segments: Vec::new(),
            served,
            scheme: Some(scheme),
            start: start_of(outcome, finish, dice),
            finish,
            outcome,
        });
    }
    out
}

fn start_of(outcome: Outcome, finish: Day, dice: &mut Dice) -> Day {
    if outcome == Outcome::NeverReported {
        BUSINESS_DATE - dice.whole(8, 40) as Day
    } else {
        finish - dice.whole(90, 240) as Day
    }
}

/// Relocation, housing, power and network, clean villages.
pub fn others(county: &County, dice: &mut Dice) -> Vec<Plan> {
    let mut plans = Vec::new();
    let villages = county.by_village();
    for (index, members) in villages {
        let v = &county.villages[index];
        let place = format!("{}{}", county.town_name(v.town), v.short_name);
        let households: i64 = members.iter().map(|n| county.naturals[*n].households).sum();
        let mut add = |plan: PlanSketch, dice: &mut Dice| {
            let mut finish = finishing_day(dice);
            // Dilapidated homes were to be done by the end of 2018, and nearly all were.
            if plan.sector == "housing" && dice.chance(0.85) {
                finish = finish.min(day(2018, 12, 20) - dice.whole(0, 120) as Day);
            }
            let outcome = late_outcome(finish, dice);
            plans.push(Plan {
                sector: plan.sector,
                kind: plan.kind,
                name: plan.name,
                within: plan.within,
                shape: plan.shape,
                items: plan.items,
                total_yuan: plan.total_yuan / 1_000 * 1_000,
                stated_km: None,
                details: plan.details,
                segments: Vec::new(),
                served: plan.served,
                scheme: None,
                start: start_of(outcome, finish, dice),
                finish,
                outcome,
            });
        };
        if dice.chance(0.075) && !members.is_empty() {
            let from = members[members.len() - 1];
            let homes = dice.whole(8, 46);
            let seat = county.seats[v.town].at;
            let (angle, far) = (dice.between(0.0, std::f64::consts::TAU), dice.between(300.0, 1_200.0));
            let to = Point { x: seat.x + far * angle.cos(), y: seat.y + far * angle.sin() };
            let to = if county.ground.holds(to) { to } else { seat };
            let sketch = PlanSketch {
                sector: "relocation",
                kind: "concentrated",
                name: format!("{place}{}搬迁安置工程", county.naturals[from].name),
                within: Within::Town(v.town),
                shape: Shape::Line(vec![county.naturals[from].at, to]),
                items: items(
                    "relocation",
                    &[("homes_built", homes as f64), ("households_moved", homes as f64)],
                ),
                total_yuan: homes * dice.whole(110_000, 165_000),
                details: json!({ "origin": county.naturals[from].name, "destination": format!("{}安置点", county.town_name(v.town)), "willing_households": homes }),
                served: vec![Served { natural_village: from, households: homes, at: 1.0 }],
            };
            add(sketch, dice);
        }
        if dice.chance(0.5) {
            let homes = dice.whole(2, 14);
            let grade_d = homes * dice.whole(40, 80) / 100;
            let sketch = PlanSketch {
                sector: "housing",
                kind: "rebuild",
                name: format!("{place}危房改造"),
                within: Within::Village(index),
                shape: Shape::Point(v.at),
                items: items(
                    "housing",
                    &[("homes_started", homes as f64), ("homes_completed", homes as f64)],
                ),
                total_yuan: grade_d * 40_000 + (homes - grade_d) * 15_000,
                details: json!({ "grade_c": homes - grade_d, "grade_d": grade_d }),
                served: Vec::new(),
            };
            add(sketch, dice);
        }
        if dice.chance(0.7) {
            let km = dice.between(0.8, 4.5);
            let grid = dice.chance(0.55);
            let kind = if grid { "grid" } else { "broadband" };
            let served = if grid { Vec::new() } else { serve_all(county, &members) };
            let sketch = PlanSketch {
                sector: "power",
                kind,
                name: format!("{place}{}", if grid { "农网改造升级工程" } else { "光纤入户工程" }),
                within: Within::Village(index),
                shape: Shape::Point(v.at),
                items: items(
                    "power",
                    &[
                        ("line_km", (km * 100.0).round() / 100.0),
                        ("households_connected", households.max(1) as f64),
                    ],
                ),
                total_yuan: (km * dice.between(110_000.0, 190_000.0)) as i64,
                details: json!({ "voltage_kv": if grid { json!(10) } else { json!(null) } }),
                served,
            };
            add(sketch, dice);
        }
        let passed = dice.chance(0.96);
        if passed && !members.is_empty() {
            let checks = 12 * members.len() as i64;
            let sketch = PlanSketch {
                sector: "clean_village",
                kind: "standard",
                name: format!("{place}整洁村创建"),
                within: Within::Village(index),
                shape: Shape::Point(v.at),
                items: items("clean_village", &[("items_passed", checks as f64)]),
                total_yuan: members.len() as i64 * dice.whole(120_000, 260_000),
                details: json!({ "checklist": "三清三拆三整治", "items_per_village": 12 }),
                served: serve_all(county, &members),
            };
            add(sketch, dice);
        }
    }
    plans
}

fn serve_all(county: &County, members: &[usize]) -> Vec<Served> {
    members
        .iter()
        .map(|n| Served { natural_village: *n, households: county.naturals[*n].households, at: 1.0 })
        .collect()
}

struct PlanSketch {
    sector: &'static str,
    kind: &'static str,
    name: String,
    within: Within,
    shape: Shape,
    items: Vec<(&'static str, i64, i64)>,
    total_yuan: i64,
    details: serde_json::Value,
    served: Vec<Served>,
}
