//! Properties of the made province, without a database.

use std::collections::{BTreeMap, BTreeSet};

use super::calendar::{BUSINESS_DATE, moment};
use super::codes::short_village_name;
use super::county::{County, Sources};
use super::load::{DemoOptions, Scale, rehearse};
use super::planted::KINDS;
use super::project::Project;
use super::{quota, story};

const SEED: u64 = 2020;

fn county(code: &str, everything: bool) -> County {
    let sources = Sources::load().unwrap();
    let quotas = quota::allot(&sources.codes, SEED);
    let place = sources.codes.counties.iter().find(|c| c.code == code).unwrap();
    County::make(&sources, place, &quotas[code], everything, SEED).unwrap()
}

#[test]
fn names_lose_their_office() {
    assert_eq!(short_village_name("梅花村委会", "五华县", "转水镇"), "梅花村");
    assert_eq!(short_village_name("东源县曾田镇梅花村民委员会", "东源县", "曾田镇"), "梅花村");
    assert_eq!(short_village_name("源城区埔前镇上村村村民委员会", "源城区", "埔前镇"), "上村");
    assert_eq!(short_village_name("枫林塘村委会", "五华县", "转水镇"), "枫林塘村");
    assert_eq!(short_village_name("渔委会", "五华县", "转水镇"), "渔委会村");
}

#[test]
fn the_county_of_the_pictures_has_their_numbers() {
    let c = county("441424", false);
    assert_eq!(c.villages.iter().filter(|v| v.listed).count(), 82);
    assert_eq!(c.naturals.len(), 675);
    assert_eq!(c.naturals.iter().filter(|n| n.counted).count(), 541);
    assert!(c.towns.iter().any(|t| t.name == "转水镇"));
    let roads: BTreeMap<usize, bool> = c
        .services
        .iter()
        .filter(|s| s.kind == "road")
        .map(|s| (s.natural_village, s.approved_at.is_some()))
        .collect();
    let counted = |approved: bool| {
        roads.iter().filter(|(n, ok)| c.naturals[**n].counted && (**ok || !approved)).count()
    };
    assert_eq!((counted(false), counted(true)), (490, 484));
    let sectors: BTreeSet<&str> = c.projects.iter().map(|p| p.plan.sector).collect();
    assert_eq!(sectors.len(), 6);
}

#[test]
fn everything_stands_inside_its_county() {
    for code in ["441424", "440523", "441900"] {
        let c = county(code, true);
        for v in &c.villages {
            assert!(c.ground.holds(v.at), "{} of {code}", v.name);
        }
        for n in &c.naturals {
            assert!(c.ground.holds(n.at), "{} of {code}", n.code);
        }
    }
}

/// Nodes that can be reached from the county seat over segments that pass.
fn reachable(c: &County, passes: impl Fn(usize) -> bool) -> Vec<bool> {
    let mut neighbours: Vec<Vec<usize>> = vec![Vec::new(); c.network.nodes.len()];
    for (i, s) in c.network.segments.iter().enumerate() {
        assert_eq!(s.points.first(), Some(&c.network.nodes[s.from]), "segments start at their node");
        assert_eq!(s.points.last(), Some(&c.network.nodes[s.to]), "segments end at their node");
        if passes(i) {
            neighbours[s.from].push(s.to);
            neighbours[s.to].push(s.from);
        }
    }
    let mut seen = vec![false; c.network.nodes.len()];
    let mut open = vec![c.network.seats[0]];
    seen[open[0]] = true;
    while let Some(node) = open.pop() {
        for &next in &neighbours[node] {
            if !seen[next] {
                seen[next] = true;
                open.push(next);
            }
        }
    }
    seen
}

#[test]
fn every_natural_village_hangs_on_the_network_and_reached_means_hardened() {
    for (code, everything) in [("441424", false), ("441802", true), ("441523", false)] {
        let c = county(code, everything);
        let all = reachable(&c, |_| true);
        assert!(c.naturals.iter().all(|n| all[n.node]), "{code} is one network");

        let hard: BTreeSet<usize> = c.hardened.iter().map(|(s, _)| *s).collect();
        let is_hard = |s: usize| hard.contains(&s) || !matches!(c.surfaces[s].material, "earth" | "gravel");
        let hardened = reachable(&c, is_hard);
        let served: BTreeMap<usize, &super::services::Service> =
            c.services.iter().filter(|s| s.kind == "road").map(|s| (s.natural_village, s)).collect();
        let planted: BTreeSet<&str> = c
            .planted
            .iter()
            .filter(|p| p.kind == "reached_behind_gap")
            .map(|p| p.natural_village.as_str())
            .collect();
        for (i, n) in c.naturals.iter().enumerate() {
            match served.get(&i) {
                None => assert!(!hardened[n.node], "{} is reached by road and not by report", n.code),
                Some(s) => {
                    let waits = s.by.is_some_and(|(p, _)| c.projects[p].accepted.is_none());
                    let wrong = planted.contains(n.code.as_str()) || behind_planted(&c, i, &planted);
                    let behind_waiting = behind_unaccepted(&c, i, &served);
                    assert!(
                        hardened[n.node] || waits || wrong || behind_waiting,
                        "{} is reported without a road",
                        n.code
                    );
                }
            }
        }
        assert!(!planted.is_empty() || code != "441424");
    }
}

fn ancestors(c: &County, mut i: usize) -> Vec<usize> {
    let mut out = Vec::new();
    while let Some(parent) = c.naturals[i].behind {
        out.push(parent);
        i = parent;
    }
    out
}

fn behind_planted(c: &County, i: usize, planted: &BTreeSet<&str>) -> bool {
    ancestors(c, i).iter().any(|a| planted.contains(c.naturals[*a].code.as_str()))
}

fn behind_unaccepted(c: &County, i: usize, served: &BTreeMap<usize, &super::services::Service>) -> bool {
    ancestors(c, i)
        .iter()
        .any(|a| served.get(a).and_then(|s| s.by).is_some_and(|(p, _)| c.projects[p].accepted.is_none()))
}

#[test]
fn a_gap_without_a_project_is_one_segment() {
    let c = county("441424", false);
    let with_project: BTreeSet<usize> =
        c.projects.iter().flat_map(|p| p.plan.segments.iter().copied()).collect();
    let mut gaps = 0;
    for n in &c.naturals {
        let link = &c.network.links[n.link];
        let open: Vec<usize> = link
            .segments
            .iter()
            .copied()
            .filter(|s| matches!(c.surfaces[*s].material, "earth" | "gravel") && !with_project.contains(s))
            .collect();
        assert!(open.len() <= 1, "{} has {} gaps", n.code, open.len());
        gaps += open.len();
    }
    assert!(gaps >= 20, "{gaps}");
}

fn check_story(p: &Project) {
    let today = moment(BUSINESS_DATE, 24 * 60);
    assert!(p.planned_start <= p.planned_finish, "{}", p.code);
    assert!(p.approved_on <= BUSINESS_DATE, "{}", p.code);
    let mut before = (0, i64::MIN);
    for r in &p.revisions {
        assert!(r.version > before.0 && r.recorded_at >= before.1, "{} v{}", p.code, r.version);
        assert!(r.recorded_at <= today && r.effective_on <= BUSINESS_DATE, "{} v{}", p.code, r.version);
        assert!(
            r.approved_at.is_none_or(|at| at >= r.recorded_at && at <= today),
            "{} v{}",
            p.code,
            r.version
        );
        assert!(
            r.paid <= r.invested && r.invested <= p.plan.total_yuan,
            "{} v{} {} {}",
            p.code,
            r.version,
            r.paid,
            r.invested
        );
        before = (r.version, r.recorded_at);
    }
    for r in &p.reports {
        assert_eq!(r.percent, story::percent(&p.plan, &r.done), "{}", p.code);
        assert!(r.done.iter().zip(&p.plan.items).all(|(d, (_, planned, _))| d <= planned), "{}", p.code);
    }
    let now = p.standing().unwrap();
    let allocated: i64 = p.funds.iter().map(|f| f.allocated).sum();
    let paid: i64 = p.funds.iter().map(|f| f.paid).sum();
    assert_eq!(paid, now.paid, "{}", p.code);
    assert!(paid <= allocated && allocated <= p.plan.total_yuan, "{} {paid} {allocated}", p.code);
    assert!(p.funds.iter().all(|f| f.paid <= f.allocated), "{}", p.code);
    if let Some(accepted) = p.accepted {
        assert!(p.completed.is_some_and(|c| c <= accepted) && accepted <= BUSINESS_DATE, "{}", p.code);
        assert_eq!(now.percent, 10_000, "{}", p.code);
    }
    if let Some(completed) = p.completed {
        assert!(p.started.is_some_and(|s| s <= completed), "{}", p.code);
    }
}

#[test]
fn every_story_adds_up() {
    for code in ["441424", "441523", "445122"] {
        let c = county(code, false);
        for p in &c.projects {
            check_story(p);
        }
        let planted: BTreeSet<&str> = c.planted.iter().map(|p| p.project.as_str()).collect();
        for p in c.projects.iter().filter(|p| !planted.contains(p.code.as_str())) {
            let standing: Vec<_> = p.reports.iter().filter(|r| r.review_state != "returned").collect();
            assert!(
                standing.windows(2).all(|w| w[0].effective_on <= w[1].effective_on
                    && w[0].done.iter().zip(&w[1].done).all(|(a, b)| a <= b)),
                "{}",
                p.code
            );
        }
    }
}

#[test]
fn the_county_of_the_demo_accounts_has_every_planted_kind() {
    let c = county("441424", false);
    let kinds: BTreeSet<&str> = c.planted.iter().map(|p| p.kind).collect();
    assert_eq!(kinds, KINDS.into_iter().collect());
}

#[test]
fn where_nobody_reports_there_are_no_reports_and_no_services() {
    let c = county("445122", false);
    assert!(!c.naturals.is_empty() && c.services.is_empty());
    assert!(c.projects.iter().all(|p| p.reports.is_empty()));
}

#[test]
fn another_seed_makes_another_county_with_the_same_counts() {
    let sources = Sources::load().unwrap();
    let place = sources.codes.counties.iter().find(|c| c.code == "441424").unwrap();
    let quotas = quota::allot(&sources.codes, SEED + 1);
    let other = County::make(&sources, place, &quotas["441424"], false, SEED + 1).unwrap();
    let c = county("441424", false);
    assert_eq!(other.naturals.len(), c.naturals.len());
    assert_ne!(other.naturals[0].at, c.naturals[0].at);
}

#[test]
fn one_seed_makes_one_province_with_exact_counts() {
    let options = DemoOptions { scale: Scale::Poor, seed: SEED, progress: false };
    let (first, planted) = rehearse(&options).unwrap();
    let rows: BTreeMap<&str, u64> =
        first.tables.iter().filter(|t| t.0 != "areas").map(|t| (t.0, t.1)).collect();
    assert_eq!(rows["village_facts"], 2_277);
    assert_eq!(rows["natural_villages"], 18_996);
    assert_eq!(rows["denominator_members"], 15_303);
    let (second, _) = rehearse(&options).unwrap();
    assert_eq!(first.tables, second.tables);
    let listed = include_str!("../../../demo/PLANTED.csv");
    let written: Vec<String> = planted
        .iter()
        .map(|p| format!("{},{},{},{}", p.kind, p.project, p.natural_village, p.what))
        .collect();
    assert_eq!(
        listed.lines().skip(1).collect::<Vec<_>>(),
        written,
        "run: cuntong demo planted > demo/PLANTED.csv"
    );
}
