//! Which natural villages a hardened road reaches, since when, and what stands between it and the others.

use std::collections::BTreeMap;

use super::calendar::{BUSINESS_DATE, Day, FIRST_DATE, day};
use super::dice::Dice;
use super::places::NaturalVillage;
use super::quota::Quota;

/// How a natural village stands with the road.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Reached before the three-year plan, on this day.
    Before(Day),
    /// Reached by the project of this wave in its village.
    Wave(u8),
    /// Complete by a report that waits for review.
    Pending,
    /// A project works on it.
    UnderWay,
    /// A project is planned.
    NotStarted,
    /// Nothing is planned: one gap remains.
    Gap,
    /// Beyond another natural village whose road is not done.
    Beyond(usize),
}

/// The fates of a county's natural villages and the finishing days of each village's waves.
#[derive(Debug)]
pub struct Fates {
    /// By natural village.
    pub of: Vec<Fate>,
    /// By (village, wave).
    pub waves: BTreeMap<(usize, u8), Day>,
}

/// Decides. Of the counted natural villages exactly `quota.unreached` are not reached.
pub fn decide(naturals: &[NaturalVillage], quota: &Quota, shown: bool, dice: &mut Dice) -> Fates {
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); naturals.len()];
    for (i, n) in naturals.iter().enumerate() {
        if let Some(parent) = n.behind {
            children[parent].push(i);
        }
    }
    let mut of: Vec<Option<Fate>> = vec![None; naturals.len()];
    unreached_that_count(naturals, &children, quota, shown, &mut of, dice);
    unreached_that_do_not(naturals, &children, &mut of, dice);
    let waves = reached(naturals, &mut of, dice);
    Fates { of: of.into_iter().map(|f| f.unwrap_or(Fate::Gap)).collect(), waves }
}

/// Everything that hangs on a natural village's road, itself included.
fn subtree(root: usize, children: &[Vec<usize>]) -> Vec<usize> {
    let mut all = vec![root];
    let mut next = 0;
    while next < all.len() {
        all.extend(&children[all[next]]);
        next += 1;
    }
    all
}

fn unreached_that_count(
    naturals: &[NaturalVillage],
    children: &[Vec<usize>],
    quota: &Quota,
    shown: bool,
    of: &mut [Option<Fate>],
    dice: &mut Dice,
) {
    let part = |share: f64| (quota.unreached as f64 * share).round() as usize;
    // The county of the pictures has their very numbers.
    let (mut pending, mut under_way, mut not_started) =
        if shown { (6, 14, 11) } else { (part(0.11), part(0.25), part(0.19)) };
    let mut left = quota.unreached;
    let mut order: Vec<usize> = (0..naturals.len()).filter(|i| naturals[*i].counted).collect();
    dice.shuffle(&mut order);
    // First a few roads that several villages hang on, then ends of roads, then whatever is left.
    for most in [3, 1, 2, 6] {
        for &root in &order {
            let whole = subtree(root, children);
            let counted = whole.iter().filter(|i| naturals[**i].counted).count();
            if left == 0
                || counted > left
                || whole.len() > most
                || whole.iter().any(|i| of[*i].is_some())
                || (most == 3 && (whole.len() == 1 || !dice.chance(0.06)))
            {
                continue;
            }
            let fate = [
                (&mut under_way, Fate::UnderWay),
                (&mut not_started, Fate::NotStarted),
                (&mut pending, Fate::Pending),
            ]
            .into_iter()
            .find(|(room, fate)| **room >= counted && (*fate != Fate::Pending || whole.len() == 1))
            .map_or(Fate::Gap, |(room, fate)| {
                *room -= counted;
                fate
            });
            for i in &whole {
                of[*i] = Some(if *i == root { fate } else { Fate::Beyond(root) });
            }
            left -= counted;
        }
    }
}

fn unreached_that_do_not(
    naturals: &[NaturalVillage],
    children: &[Vec<usize>],
    of: &mut [Option<Fate>],
    dice: &mut Dice,
) {
    for i in 0..naturals.len() {
        let small = naturals[i].households < 20;
        if of[i].is_none()
            && !naturals[i].counted
            && children[i].is_empty()
            && dice.chance(if small { 0.3 } else { 0.05 })
        {
            of[i] = Some(match dice.index(10) {
                0 => Fate::UnderWay,
                1 => Fate::NotStarted,
                _ => Fate::Gap,
            });
        }
    }
}

/// Days for the reached: a road behind another's is never older than that one.
fn reached(
    naturals: &[NaturalVillage],
    of: &mut [Option<Fate>],
    dice: &mut Dice,
) -> BTreeMap<(usize, u8), Day> {
    let mut waves = BTreeMap::new();
    let mut from = 0;
    while from < naturals.len() {
        let village = naturals[from].village;
        let to =
            naturals[from..].iter().position(|n| n.village != village).map_or(naturals.len(), |p| from + p);
        let mut days: Vec<Day> = (0..2).map(|_| finishing_day(dice)).collect();
        days.sort_unstable();
        let mut wave_days = vec![days[0]];
        if days[1] - days[0] > 60 {
            wave_days.push(days[1]);
        }
        // Old roads are older the nearer they are to the village.
        let early = day(2012, 3, 1) + dice.whole(0, 900) as Day;
        for i in from..to {
            settle(i, naturals, of, &wave_days, early, dice);
        }
        for (w, day) in wave_days.iter().enumerate() {
            waves.insert((village, w as u8), *day);
        }
        from = to;
    }
    waves
}

fn settle(
    i: usize,
    naturals: &[NaturalVillage],
    of: &mut [Option<Fate>],
    waves: &[Day],
    early: Day,
    dice: &mut Dice,
) -> Fate {
    if let Some(fate) = of[i] {
        return fate;
    }
    let parent = naturals[i].behind.map(|p| settle(p, naturals, of, waves, early, dice));
    let own = if dice.chance(0.6) { None } else { Some(dice.index(waves.len()) as u8) };
    let fate = match (parent, own) {
        (Some(Fate::Wave(p)), Some(w)) => Fate::Wave(p.max(w)),
        (Some(Fate::Wave(p)), None) => Fate::Wave(p),
        (_, Some(w)) => Fate::Wave(w),
        (parent, None) => {
            let floor = match parent {
                Some(Fate::Before(d)) => d,
                _ => early,
            };
            Fate::Before((floor + dice.whole(30, 500) as Day).min(FIRST_DATE - 2))
        }
    };
    of[i] = Some(fate);
    fate
}

/// When a road of the three years was finished: slow at first, most in 2019, slow at the end.
pub fn finishing_day(dice: &mut Dice) -> Day {
    let first = FIRST_DATE + 95;
    let last = BUSINESS_DATE - 32;
    first + (f64::from(last - first) * f64::midpoint(dice.unit(), dice.unit())) as Day
}
