//! How many of what, where: the counts that the demo province must come to.
//!
//! Poor villages by city from the domain handbook (§2); natural villages that count, and how many
//! of them no hardened road reaches, as the pictures of the page show them on 2020-09-30.

use std::collections::{BTreeMap, BTreeSet};

use super::codes::Codes;
use super::dice::Dice;

/// Natural villages of the poor villages.
pub const POOR_NATURAL_VILLAGES: usize = 18_996;
/// Natural villages of the whole province.
pub const NATURAL_VILLAGES: usize = 154_000;

/// Counts of one city: (code, poor villages, natural villages that count, of these not reached).
/// 潮州 reports nothing, so its last number stands for nothing.
const CITIES: [(&str, usize, usize, usize); 15] = [
    ("440200", 278, 1_890, 151),
    ("440500", 50, 327, 9),
    ("440700", 30, 200, 2),
    ("440800", 218, 1_423, 46),
    ("440900", 180, 1_285, 75),
    ("441200", 104, 684, 47),
    ("441300", 49, 322, 2),
    ("441400", 349, 2_300, 221),
    ("441500", 142, 946, 171),
    ("441600", 255, 1_751, 215),
    ("441700", 100, 658, 16),
    ("441800", 261, 1_792, 267),
    ("445100", 33, 218, 18),
    ("445200", 127, 841, 85),
    ("445300", 101, 666, 31),
];
/// The city that has not reported (未填报).
pub const SILENT_CITY: &str = "445100";
/// The county where most demo accounts live, with the counts of its picture:
/// poor villages, natural villages, of these counted, of these not reached by approved reports.
const SHOWN: (&str, usize, usize, usize, usize) = ("441424", 82, 675, 541, 57);

/// What one county must come to.
#[derive(Debug, Clone, Default)]
pub struct Quota {
    /// Codes of its poor villages.
    pub poor: BTreeSet<String>,
    /// Natural villages of the poor villages.
    pub natural: usize,
    /// Of these, in the denominator (20 households and more).
    pub counted: usize,
    /// Of the counted, not reached by an approved report.
    pub unreached: usize,
    /// Natural villages of the other villages (province scale).
    pub natural_others: usize,
    /// Does anybody report here?
    pub silent: bool,
}

/// Splits a total by weights: every part gets at least `least`, at most its cap, and the sum is
/// exact (largest remainders; what a cap refuses goes to the next).
pub fn share(total: usize, weights: &[f64], least: usize, caps: &[usize]) -> Vec<usize> {
    let sum: f64 = weights.iter().sum();
    let spare = total.saturating_sub(least * weights.len()) as f64;
    let exact: Vec<f64> = weights.iter().map(|w| if sum > 0.0 { spare * w / sum } else { 0.0 }).collect();
    let mut parts: Vec<usize> =
        exact.iter().zip(caps).map(|(e, cap)| (least + e.floor() as usize).min(*cap)).collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|a, b| (exact[*b].fract()).total_cmp(&exact[*a].fract()).then(a.cmp(b)));
    let mut missing = total.saturating_sub(parts.iter().sum());
    while missing > 0 {
        let before = missing;
        for &i in &order {
            if missing > 0 && parts[i] < caps[i] && weights[i] > 0.0 {
                parts[i] += 1;
                missing -= 1;
            }
        }
        if missing == before {
            break;
        }
    }
    parts
}

/// The quota of every county.
pub fn allot(codes: &Codes, seed: u64) -> BTreeMap<String, Quota> {
    let mut quotas: BTreeMap<String, Quota> =
        codes.counties.iter().map(|c| (c.code.clone(), Quota::default())).collect();
    let counted: Vec<f64> = CITIES.iter().map(|c| c.2 as f64).collect();
    let small_total = POOR_NATURAL_VILLAGES - CITIES.iter().map(|c| c.2).sum::<usize>();
    let small = share(small_total, &counted, 0, &[usize::MAX; 15]);
    for (city, small) in CITIES.iter().zip(small) {
        let mut dice = Dice::new(seed, city.0, "quota");
        let (mut poor_left, mut natural_left, mut counted_left, mut unreached_left) =
            (city.1, city.2 + small, city.2, city.3);
        let mut counties: Vec<(&str, usize, f64)> = codes
            .counties
            .iter()
            .filter(|c| c.parent == city.0)
            .map(|c| {
                let villages = codes.villages.get(&c.code).map_or(0, Vec::len);
                // City districts are better off than counties.
                let weight = villages as f64 * if c.name.ends_with('区') { 0.35 } else { 1.0 };
                (c.code.as_str(), villages, weight * dice.between(0.8, 1.2))
            })
            .filter(|c| c.1 >= 12)
            .collect();
        if let Some(at) = counties.iter().position(|c| c.0 == SHOWN.0) {
            counties.remove(at);
            if let Some(q) = quotas.get_mut(SHOWN.0) {
                (q.natural, q.counted, q.unreached) = (SHOWN.2, SHOWN.3, SHOWN.4);
                q.poor = choose_poor(codes, SHOWN.0, SHOWN.1, &mut dice);
            }
            poor_left -= SHOWN.1;
            natural_left -= SHOWN.2;
            counted_left -= SHOWN.3;
            unreached_left -= SHOWN.4;
        }
        let caps: Vec<usize> = counties.iter().map(|c| c.1 * 6 / 10).collect();
        let weights: Vec<f64> = counties.iter().map(|c| c.2).collect();
        let poor = share(poor_left, &weights, 0, &caps);
        let poor_weights: Vec<f64> = poor.iter().map(|p| *p as f64 * dice.between(0.94, 1.06)).collect();
        let open = vec![usize::MAX; counties.len()];
        let counted = share(counted_left, &poor_weights, 0, &open);
        let small = share(natural_left - counted_left, &poor_weights, 0, &open);
        let tilt: Vec<f64> = counted.iter().map(|c| *c as f64 * dice.between(0.5, 1.5)).collect();
        let unreached =
            share(unreached_left, &tilt, 0, &counted.iter().map(|c| c * 4 / 10).collect::<Vec<_>>());
        for (i, county) in counties.iter().enumerate() {
            if let Some(q) = quotas.get_mut(county.0) {
                q.poor = choose_poor(codes, county.0, poor[i], &mut dice);
                (q.counted, q.natural, q.unreached) = (counted[i], counted[i] + small[i], unreached[i]);
            }
        }
    }
    let others: Vec<f64> = quotas
        .iter()
        .map(|(code, q)| (codes.villages.get(code).map_or(0, Vec::len) - q.poor.len()) as f64)
        .collect();
    let natural =
        share(NATURAL_VILLAGES - POOR_NATURAL_VILLAGES, &others, 0, &vec![usize::MAX; others.len()]);
    let silent: BTreeSet<&str> =
        codes.counties.iter().filter(|c| c.parent == SILENT_CITY).map(|c| c.code.as_str()).collect();
    for ((code, quota), natural) in quotas.iter_mut().zip(natural) {
        quota.natural_others = natural;
        quota.silent = silent.contains(code.as_str());
    }
    quotas
}

/// Poor villages come in clusters: some towns have many, some none.
fn choose_poor(codes: &Codes, county: &str, count: usize, dice: &mut Dice) -> BTreeSet<String> {
    let Some(villages) = codes.villages.get(county) else { return BTreeSet::new() };
    let mut hardship: BTreeMap<&str, f64> = BTreeMap::new();
    let mut scored: Vec<(f64, &str)> = villages
        .iter()
        .map(|v| {
            // 转水镇, whose account the demo offers, has enough to look at.
            let shown = if v.parent == "441424103" { 0.3 } else { 0.0 };
            let town = *hardship.entry(&v.parent).or_insert_with(|| shown + dice.unit() * 0.45);
            (town + dice.unit(), v.code.as_str())
        })
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    // The first village of the code list that the accounts of 转水镇 look at is always in.
    if let Some(at) = scored.iter().position(|s| s.1 == "441424103200") {
        let first = scored.remove(at);
        scored.insert(0, first);
    }
    scored.into_iter().take(count).map(|s| s.1.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const POOR_VILLAGES: usize = 2_277;

    #[test]
    fn the_counts_come_out_exactly() {
        let codes = Codes::load().unwrap();
        let quotas = allot(&codes, 2020);
        assert_eq!(quotas.values().map(|q| q.poor.len()).sum::<usize>(), POOR_VILLAGES);
        assert_eq!(quotas.values().map(|q| q.natural).sum::<usize>(), POOR_NATURAL_VILLAGES);
        assert_eq!(quotas.values().filter(|q| !q.silent).map(|q| q.counted).sum::<usize>(), 15_085);
        assert_eq!(quotas.values().filter(|q| !q.silent).map(|q| q.unreached).sum::<usize>(), 1_338);
        assert_eq!(quotas.values().map(|q| q.natural_others + q.natural).sum::<usize>(), NATURAL_VILLAGES);
        for (code, q) in &quotas {
            assert!(
                q.counted >= q.poor.len() && q.natural >= q.counted,
                "{code} {} {} {}",
                q.poor.len(),
                q.natural,
                q.counted
            );
            assert!(q.natural_others == 0 || codes.villages[code].len() > q.poor.len());
        }
    }
}
