//! Road works: hardening to natural villages, widening, bridges, upgrades; and what each segment's
//! surface was and became.

use std::collections::BTreeMap;

use serde_json::json;

use super::calendar::{BUSINESS_DATE, Day, day};
use super::county::County;
use super::dice::Dice;
use super::fates::{Fate, Fates, finishing_day};
use super::ground::Point;
use super::project::{Outcome, Plan, Served, Shape, Within};

/// Surface and widths of a segment from a day on.
#[derive(Debug, Clone)]
pub struct Surface {
    /// Day.
    pub since: Day,
    /// Word of `road_segment_states`.
    pub material: &'static str,
    /// 路面宽度, tenths of a metre.
    pub width_dm: i64,
    /// 路基宽度, tenths of a metre.
    pub bed_dm: i64,
    /// 技术等级.
    pub grade: &'static str,
    /// Project that made it so.
    pub project: Option<usize>,
}

/// What is planned for road works: plans, and the surface each leaves behind when accepted.
pub struct RoadWorks {
    /// Plans, in a stable order.
    pub plans: Vec<Plan>,
    /// Surface before any project, by segment.
    pub before: Vec<Surface>,
    /// The plan that serves a natural village.
    pub serving: BTreeMap<usize, usize>,
}

/// Plans the road works of a county.
pub fn plan(county: &County, fates: &Fates, dice: &mut Dice) -> RoadWorks {
    let mut works =
        RoadWorks { plans: Vec::new(), before: surfaces(county, fates, dice), serving: BTreeMap::new() };
    let mut from = 0;
    while from < county.naturals.len() {
        let village = county.naturals[from].village;
        let to = county.naturals[from..]
            .iter()
            .position(|n| n.village != village)
            .map_or(county.naturals.len(), |p| from + p);
        harden_village(county, fates, village, from..to, &mut works, dice);
        from = to;
    }
    improve(county, &mut works, dice);
    works
}

fn surfaces(county: &County, fates: &Fates, dice: &mut Dice) -> Vec<Surface> {
    let mut out: Vec<Surface> = Vec::with_capacity(county.network.segments.len());
    for link in &county.network.links {
        let (surface, width_dm, bed_dm, grade, since) = match link.class {
            'X' => {
                let width = [60, 60, 65, 70][dice.index(4)];
                let since = day(2006, 1, 1) + dice.whole(0, 2_500) as Day;
                (["asphalt", "concrete"][dice.index(2)], width, width + 15, "三级", since)
            }
            'Y' => {
                let width = [35, 40, 45, 50, 60][dice.index(5)];
                (
                    ["concrete", "concrete", "asphalt"][dice.index(3)],
                    width,
                    width + 10,
                    "四级",
                    day(2008, 1, 1) + dice.whole(0, 2_400) as Day,
                )
            }
            _ => {
                let since = match link.natural_village.map(|n| fates.of[n]) {
                    Some(Fate::Before(d)) => d,
                    _ => day(2010, 1, 1) + dice.whole(0, 1_800) as Day,
                };
                (
                    ["concrete", "concrete", "concrete", "block", "simple"][dice.index(5)],
                    [30, 35, 35, 35, 40, 45][dice.index(6)],
                    45,
                    "四级",
                    since,
                )
            }
        };
        for _ in &link.segments {
            out.push(Surface { since, material: surface, width_dm, bed_dm, grade, project: None });
        }
    }
    // Earth where no hardened road has come before the plan.
    for (i, n) in county.naturals.iter().enumerate() {
        for s in unhardened(county, fates, i, dice) {
            let old = &mut out[s];
            old.material = if dice.chance(0.6) { "earth" } else { "gravel" };
            (old.width_dm, old.bed_dm, old.grade) = (30, 40, "等外");
            old.since = day(1998, 1, 1) + (n.households * 37 % 3_000) as Day;
        }
    }
    out
}

/// Segments of a natural village's own road that were not hardened before the plan. A gap is one
/// segment: the only one between the village and the hardened network.
fn unhardened(county: &County, fates: &Fates, natural: usize, dice: &mut Dice) -> Vec<usize> {
    let link = &county.network.links[county.naturals[natural].link];
    let hangs_on_it = county.naturals.iter().any(|n| n.behind == Some(natural));
    match fates.of[natural] {
        Fate::Before(_) | Fate::Beyond(_) => Vec::new(),
        Fate::Wave(_) => link.segments.clone(),
        Fate::Gap => {
            // Before the first junction, so that whatever hangs on the road is cut off too.
            let at = if hangs_on_it { 0 } else { dice.index(link.segments.len()) };
            vec![link.segments[at]]
        }
        _ if hangs_on_it => vec![link.segments[0]],
        _ => link.segments.clone(),
    }
}

fn harden_village(
    county: &County,
    fates: &Fates,
    village: usize,
    naturals: std::ops::Range<usize>,
    works: &mut RoadWorks,
    dice: &mut Dice,
) {
    let mut groups: BTreeMap<(u8, usize), Vec<usize>> = BTreeMap::new();
    for i in naturals {
        match fates.of[i] {
            Fate::Wave(w) => groups.entry((w, 0)).or_default().push(i),
            Fate::Pending => groups.entry((10, i)).or_default().push(i),
            Fate::UnderWay => groups.entry((11, i)).or_default().push(i),
            Fate::NotStarted => groups.entry((12, i)).or_default().push(i),
            Fate::Beyond(root) => {
                let word = match fates.of[root] {
                    Fate::UnderWay => 11,
                    Fate::NotStarted => 12,
                    _ => continue,
                };
                groups.entry((word, root)).or_default().push(i);
            }
            Fate::Before(_) | Fate::Gap => {}
        }
    }
    for ((word, _), members) in groups {
        let length = dice.whole(80, 190) as Day;
        let (outcome, finish) = match word {
            10 => (Outcome::Pending, BUSINESS_DATE - dice.whole(2, 16) as Day),
            11 => (open_outcome(dice), 0),
            12 => (waiting_outcome(dice), 0),
            wave => {
                let finish = fates.waves.get(&(village, wave)).copied().unwrap_or(day(2019, 6, 30));
                let accepted = finish < BUSINESS_DATE - 90 || dice.chance(0.3);
                (
                    if accepted && finish < BUSINESS_DATE - 30 {
                        Outcome::Accepted
                    } else {
                        Outcome::Completed
                    },
                    finish,
                )
            }
        };
        let start = match outcome {
            Outcome::NeverReported => BUSINESS_DATE - dice.whole(8, 40) as Day,
            _ => finish - length,
        };
        let segments: Vec<usize> = members
            .iter()
            .flat_map(|n| county.network.links[county.naturals[*n].link].segments.clone())
            .filter(|s| matches!(works.before[*s].material, "earth" | "gravel"))
            .collect();
        let first = &county.naturals[members[0]];
        let v = &county.villages[village];
        let more = if members.len() > 1 { format!("等{}个", members.len()) } else { String::new() };
        let name =
            format!("{}{}{}{more}自然村路面硬化工程", county.town_name(v.town), v.short_name, first.name);
        let served = members
            .iter()
            .map(|n| Served { natural_village: *n, households: county.naturals[*n].households, at: 1.0 })
            .collect();
        let per_km = dice.between(420_000.0, 780_000.0);
        for n in &members {
            works.serving.insert(*n, works.plans.len());
        }
        let surface = if dice.chance(0.93) { "concrete" } else { "asphalt" };
        let mut plan = road_plan(county, segments, per_km, Within::Village(village), name, "harden");
        plan.details = json!({ "surface": surface, "width_m": if dice.chance(0.8) { 3.5 } else { 4.5 }, "grade": "四级" });
        (plan.served, plan.outcome, plan.start, plan.finish) = (served, outcome, start, finish);
        works.plans.push(plan);
    }
}

/// Widening, bridges and upgrades: progress, but no natural village more.
fn improve(county: &County, works: &mut RoadWorks, dice: &mut Dice) {
    let links: Vec<usize> = (0..county.network.links.len())
        .filter(|l| county.network.links[*l].class == 'Y' && county.network.links[*l].length > 700.0)
        .collect();
    // Some long roads have had two projects in three years.
    let links: Vec<usize> = links
        .into_iter()
        .flat_map(|l| {
            let n = if dice.chance(0.22) { 2 } else { usize::from(dice.chance(0.92)) };
            std::iter::repeat_n(l, n)
        })
        .collect();
    for l in links {
        let link = &county.network.links[l];
        let Some(village) = link.village.filter(|v| county.villages[*v].listed) else { continue };
        let v = &county.villages[village];
        let town = county.town_name(v.town);
        let route = county.route(l);
        let finish = finishing_day(dice);
        let outcome = any_outcome(finish, dice);
        let start = if outcome == Outcome::NeverReported {
            BUSINESS_DATE - dice.whole(8, 40) as Day
        } else {
            finish - dice.whole(90, 220) as Day
        };
        let (first, last) = stretch(link.segments.len(), dice);
        let segments = link.segments[first..=last].to_vec();
        let within = Within::Village(village);
        let mut plan = match dice.index(10) {
            0..=4 if works.before[segments[0]].width_dm < 60 => {
                let name = format!("{town}{route}{}段窄基路面拓宽工程", v.short_name);
                let mut p =
                    road_plan(county, segments, dice.between(450_000.0, 800_000.0), within, name, "widen");
                p.details = json!({ "surface": "concrete", "width_m": 6.0, "grade": "四级" });
                p
            }
            5 | 6 => {
                let s = &county.network.segments[segments[0]];
                let at = s.points[s.points.len() / 2];
                let metres = dice.whole(12, 48);
                let name = format!("{town}{route}{}桥危桥改造工程", v.short_name.trim_end_matches('村'));
                let mut p = road_plan(county, vec![segments[0]], 1.0, within, name, "bridge");
                p.shape = Shape::Point(at);
                p.segments = Vec::new();
                p.stated_km = None;
                p.items = items(
                    "road",
                    &[("roadbed_km", metres as f64 / 1_000.0), ("surface_km", metres as f64 / 1_000.0)],
                );
                p.total_yuan = metres * dice.whole(28_000, 46_000);
                p.details = json!({ "bridge_class": dice.whole(4, 5), "bridge_length_m": metres });
                p
            }
            _ => {
                let kind = ["upgrade", "tourism", "industry"][dice.index(3)];
                let word = match kind {
                    "tourism" => "旅游路改建工程",
                    "industry" => "产业路改建工程",
                    _ => "提档升级工程",
                };
                let name = format!("{town}{route}{}段{word}", v.short_name);
                let mut p =
                    road_plan(county, segments, dice.between(500_000.0, 950_000.0), within, name, kind);
                p.details = json!({ "surface": "asphalt", "width_m": 6.0, "grade": "四级" });
                p
            }
        };
        (plan.outcome, plan.start, plan.finish) = (outcome, start, finish);
        works.plans.push(plan);
    }
}

fn stretch(len: usize, dice: &mut Dice) -> (usize, usize) {
    let first = dice.index(len);
    (first, (first + dice.index(5)).min(len - 1))
}

/// Outcome of a project that somebody works on.
pub fn open_outcome(dice: &mut Dice) -> Outcome {
    match dice.index(100) {
        0..=49 => Outcome::OnPlan,
        50..=69 => Outcome::Behind,
        70..=81 => Outcome::Late,
        82..=86 => Outcome::Stale,
        _ => Outcome::NeverReported,
    }
}

/// Outcome of a project that has not begun.
pub fn waiting_outcome(dice: &mut Dice) -> Outcome {
    match dice.index(100) {
        0..=74 => Outcome::Waiting,
        75..=91 => Outcome::StartDue,
        _ => Outcome::StartLate,
    }
}

/// Outcome of a project that would end on this day if all went well: most are done.
pub fn any_outcome(finish: Day, dice: &mut Dice) -> Outcome {
    match dice.index(100) {
        0..=71 if finish < BUSINESS_DATE - 60 => Outcome::Accepted,
        0..=75 => Outcome::Completed,
        76..=91 => open_outcome(dice),
        92..=98 => waiting_outcome(dice),
        _ => Outcome::Cancelled,
    }
}

/// The same where the programme is nearly through.
pub fn late_outcome(finish: Day, dice: &mut Dice) -> Outcome {
    let mut outcome = any_outcome(finish, dice);
    for _ in 0..2 {
        if !outcome.built() && dice.chance(0.6) {
            outcome = any_outcome(finish, dice);
        }
    }
    outcome
}

/// Planned quantities in thousandths with their weights (those of `quantity_items`).
pub fn items(sector: &str, amounts: &[(&'static str, f64)]) -> Vec<(&'static str, i64, i64)> {
    let weight = |item: &str| match (sector, item) {
        ("road", "roadbed_km") => 3_500,
        ("road", _) => 6_500,
        ("water", "pipe_km") | ("power", _) => 5_000,
        ("water", "villages_connected") | ("housing", "homes_started") => 3_000,
        ("water", _) => 2_000,
        ("relocation", "homes_built") => 6_000,
        ("relocation", _) => 4_000,
        ("housing", _) => 7_000,
        _ => 10_000,
    };
    amounts
        .iter()
        .map(|(item, amount)| (*item, ((amount * 1_000.0).round() as i64).max(1), weight(item)))
        .collect()
}

fn road_plan(
    county: &County,
    segments: Vec<usize>,
    per_km: f64,
    within: Within,
    name: String,
    kind: &'static str,
) -> Plan {
    let metres: f64 = segments.iter().map(|s| county.network.segments[*s].length).sum();
    let km = (metres / 10.0).round().max(1.0) / 100.0;
    Plan {
        sector: "road",
        kind,
        name,
        within,
        shape: lines(county, &segments),
        items: items("road", &[("roadbed_km", km), ("surface_km", km)]),
        total_yuan: ((km * per_km / 1_000.0).round() as i64).max(1) * 1_000,
        stated_km: Some(km),
        details: json!({}),
        segments,
        served: Vec::new(),
        scheme: None,
        start: 0,
        finish: 0,
        outcome: Outcome::Waiting,
    }
}

/// The segments as lines; neighbours are joined.
fn lines(county: &County, segments: &[usize]) -> Shape {
    let mut out: Vec<Vec<Point>> = Vec::new();
    let mut end = None;
    for s in segments {
        let segment = &county.network.segments[*s];
        match out.last_mut() {
            Some(line) if end == Some(segment.from) => line.extend(&segment.points[1..]),
            _ => out.push(segment.points.clone()),
        }
        end = Some(segment.to);
    }
    if out.len() == 1 { Shape::Line(out.remove(0)) } else { Shape::Lines(out) }
}
