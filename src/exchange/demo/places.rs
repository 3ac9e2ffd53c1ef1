//! Where villages and natural villages stand: around their seat, inside their county, in valleys.

use std::collections::BTreeMap;

use super::codes::{Place, short_village_name};
use super::dice::Dice;
use super::ground::{Crowd, Ground, Point};
use super::names;
use super::quota::{Quota, share};
use super::seats::Seat;

/// An administrative village.
#[derive(Debug, Clone)]
pub struct Village {
    /// 12 digits.
    pub code: String,
    /// Full name of the code list.
    pub name: String,
    /// As people say it.
    pub short_name: String,
    /// Index of its town in the county.
    pub town: usize,
    /// 相对贫困村.
    pub poor: bool,
    /// Of this scale: the others only stand where a road leads.
    pub listed: bool,
    /// Not listed, but its road is drawn, so that the network looks like one.
    pub on_a_road: bool,
    /// Seat of the village committee.
    pub at: Point,
    /// Node of the road network at the seat.
    pub node: usize,
}

/// A natural village.
#[derive(Debug, Clone)]
pub struct NaturalVillage {
    /// Village code and serial.
    pub code: String,
    /// Name.
    pub name: String,
    /// Index of its village.
    pub village: usize,
    /// Middle of the settlement.
    pub at: Point,
    /// Households.
    pub households: i64,
    /// People.
    pub people: i64,
    /// In the denominator.
    pub counted: bool,
    /// Node of the road network at its access point (通达点).
    pub node: usize,
    /// Index of the link that ends at it.
    pub link: usize,
    /// The natural village whose link its own link leaves from.
    pub behind: Option<usize>,
}

/// The county that villages are placed in.
pub struct Setting<'a> {
    /// 五华县.
    pub name: &'a str,
    /// Its towns.
    pub towns: &'a [Place],
    /// Their seats.
    pub seats: &'a [Seat],
    /// Its ground.
    pub ground: &'a Ground,
}

/// Places the villages, all of them at every scale, so that they stand at the same place.
pub fn villages(
    wanted: &[Place],
    county: &Setting,
    quota: &Quota,
    everything: bool,
    dice: &mut Dice,
) -> Vec<Village> {
    let Setting { name: county_name, towns, seats, ground } = *county;
    let index: BTreeMap<&str, usize> = towns.iter().enumerate().map(|(i, t)| (t.code.as_str(), i)).collect();
    // Every town draws from the ground that is nearest to its seat.
    let mut per_town: BTreeMap<usize, usize> = BTreeMap::new();
    for v in wanted {
        *per_town.entry(index.get(v.parent.as_str()).copied().unwrap_or(0)).or_default() += 1;
    }
    let mut pools: Vec<Vec<Point>> = vec![Vec::new(); towns.len()];
    for _ in 0..(400 + 60 * wanted.len()).min(12_000) {
        let p = ground.random_point(dice);
        let nearest = seats
            .iter()
            .enumerate()
            .filter(|(i, _)| per_town.contains_key(i))
            .min_by(|a, b| a.1.at.to(p).total_cmp(&b.1.at.to(p)))
            .map_or(0, |(i, _)| i);
        pools[nearest].push(p);
    }
    let mut crowd = Crowd::new(1_200.0);
    for seat in seats {
        crowd.add(seat.at);
    }
    let mut out = Vec::with_capacity(wanted.len());
    for v in wanted {
        let town = index.get(v.parent.as_str()).copied().unwrap_or(0);
        let seat = seats[town].at;
        let mut at = None;
        for distance in [1_100.0, 800.0, 500.0, 250.0] {
            // Nearer to the seat is likelier, but not much.
            let mut best: Option<(f64, usize)> = None;
            for _ in 0..8 {
                let i = dice.index(pools[town].len());
                let Some(p) = pools[town].get(i) else { break };
                let score = p.to(seat) * dice.between(0.4, 1.0);
                if p.to(seat) < 22_000.0 && crowd.clear(*p, distance) && best.is_none_or(|(b, _)| score < b) {
                    best = Some((score, i));
                }
            }
            if let Some((_, i)) = best {
                at = Some(pools[town].swap_remove(i));
                break;
            }
        }
        // A town without ground of its own (sub-districts beside each other): near the seat.
        let at = at.or_else(|| near(seat, 400.0, 5_000.0, ground, &crowd, 300.0, dice)).unwrap_or(seat);
        crowd.add(at);
        out.push(Village {
            code: v.code.clone(),
            name: v.name.clone(),
            short_name: short_village_name(&v.name, county_name, &towns[town].name),
            town,
            poor: quota.poor.contains(&v.code),
            listed: everything || quota.poor.contains(&v.code),
            on_a_road: dice.chance(0.3),
            at,
            node: 0,
        });
    }
    out
}

/// A free place around another, inside the county.
fn near(
    centre: Point,
    from: f64,
    to: f64,
    ground: &Ground,
    crowd: &Crowd,
    distance: f64,
    dice: &mut Dice,
) -> Option<Point> {
    let mut fallback = None;
    for _ in 0..60 {
        let angle = dice.between(0.0, std::f64::consts::TAU);
        // Density falls with the distance.
        let far = from + (to - from) * dice.unit() * dice.unit().sqrt();
        let p = Point { x: centre.x + far * angle.cos(), y: centre.y + far * angle.sin() };
        if ground.holds(p) && crowd.clear(p, distance) {
            if ground.valley(p) + 0.25 > dice.unit() {
                return Some(p);
            }
            fallback = Some(p);
        }
    }
    fallback
}

/// Places the natural villages around their villages, away from the road nodes in `crowd`.
/// They come ordered by village; links and nodes are filled in by the road network.
pub fn natural_villages(
    villages: &[Village],
    city: &str,
    quota: &Quota,
    ground: &Ground,
    crowd: &mut Crowd,
    dice: &mut Dice,
) -> Vec<NaturalVillage> {
    let mut counts = vec![0_usize; villages.len()];
    let mut counted = vec![0_usize; villages.len()];
    for poor in [true, false] {
        let these: Vec<usize> =
            (0..villages.len()).filter(|i| villages[*i].poor == poor && villages[*i].listed).collect();
        let weights: Vec<f64> = these.iter().map(|_| (0.45 * dice.bell()).exp()).collect();
        let (total, least) = if poor { (quota.natural, 3) } else { (quota.natural_others, 2) };
        let caps = vec![40; these.len()];
        let parts = share(total, &weights, least.min(total / these.len().max(1)), &caps);
        let sizes: Vec<f64> = parts.iter().map(|p| *p as f64).collect();
        let big = if poor { share(quota.counted, &sizes, 1, &parts) } else { vec![0; parts.len()] };
        for ((i, n), c) in these.iter().zip(parts).zip(big) {
            (counts[*i], counted[*i]) = (n, c);
        }
    }
    let mut out = Vec::with_capacity(counts.iter().sum());
    for (index, village) in villages.iter().enumerate() {
        let mut names_taken = Vec::new();
        let mut order: Vec<usize> = (0..counts[index]).collect();
        dice.shuffle(&mut order);
        let reach = 650.0 + 240.0 * (counts[index] as f64).sqrt() * dice.between(0.8, 1.6);
        for (serial, rank) in order.into_iter().enumerate() {
            let mut at = None;
            for (distance, stretch) in [(190.0, 1.0), (150.0, 1.5), (110.0, 2.2), (70.0, 3.0)] {
                at = near(village.at, 220.0, reach * stretch, ground, crowd, distance, dice);
                if at.is_some() {
                    break;
                }
            }
            let at = at.unwrap_or(village.at);
            crowd.add(at);
            let is_counted = village.poor && rank < counted[index];
            let small = if village.poor { !is_counted } else { dice.chance(0.2) };
            let households =
                if small { dice.whole(4, 19) } else { 20 + (dice.unit() * dice.unit() * 110.0) as i64 };
            let name = names::natural_village(city, &names_taken, dice);
            names_taken.push(name.clone());
            out.push(NaturalVillage {
                code: format!("{}{:03}", village.code, serial + 1),
                name,
                village: index,
                at,
                households,
                people: (households as f64 * dice.between(3.6, 5.0)) as i64,
                counted: is_counted,
                node: 0,
                link: 0,
                behind: None,
            });
        }
    }
    out
}
