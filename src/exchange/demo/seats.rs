//! Seats of towns: real where GeoNames knows them, placed sensibly elsewhere.

use std::collections::BTreeMap;

use super::codes::Place;
use super::dice::Dice;
use super::ground::{Ground, Outline, Point};

const GEONAMES: &str = include_str!("../../../demo/geonames/cities500_CN30.tsv");

/// A point of GeoNames with its Chinese names, without 镇, 乡, 街道.
pub struct KnownSeat {
    names: Vec<String>,
    lon: f64,
    lat: f64,
}

/// Where a town's seat is, and how we know.
#[derive(Debug, Clone)]
pub struct Seat {
    /// The place.
    pub at: Point,
    /// From GeoNames, not made up.
    pub real: bool,
}

/// The seats that GeoNames knows in the province.
pub fn known() -> Vec<KnownSeat> {
    let mut seats: Vec<KnownSeat> = Vec::new();
    for line in GEONAMES.lines() {
        let field: Vec<&str> = line.split('\t').collect();
        let (Some(names), Some(Ok(lat)), Some(Ok(lon))) =
            (field.get(3), field.get(4).map(|v| v.parse::<f64>()), field.get(5).map(|v| v.parse::<f64>()))
        else {
            continue;
        };
        let names: Vec<String> =
            names.split(',').filter(|n| !n.is_ascii()).map(|n| stem(n).to_owned()).collect();
        // Two places stand twice with one coordinate: neither is to be trusted.
        if let Some(twin) =
            seats.iter_mut().find(|s| (s.lon - lon).abs() < 1e-9 && (s.lat - lat).abs() < 1e-9)
        {
            twin.names.clear();
        } else {
            seats.push(KnownSeat { names, lon, lat });
        }
    }
    seats
}

/// Name without its kind: 转水 for 转水镇, 黄洞 for 黄洞瑶族乡.
fn stem(name: &str) -> &str {
    for suffix in ["瑶族乡", "壮族瑶族乡", "街道办事处", "街道", "镇", "乡"] {
        if let Some(s) = name.strip_suffix(suffix).filter(|s| s.chars().count() > 1) {
            return s;
        }
    }
    name
}

/// Seats of one county's towns, in the order of the towns. The first town in code order holds the
/// county seat, which is true of nearly all counties.
pub fn place(
    towns: &[Place],
    outline: &Outline,
    ground: &Ground,
    known: &[KnownSeat],
    dice: &mut Dice,
) -> Vec<Seat> {
    let inside: Vec<&KnownSeat> = known.iter().filter(|s| outline.contains(s.lon, s.lat)).collect();
    let mut by_name: BTreeMap<&str, Vec<Point>> = BTreeMap::new();
    for seat in &inside {
        for name in &seat.names {
            by_name.entry(name).or_default().push(ground.point(seat.lon, seat.lat));
        }
    }
    let mut seats: Vec<Option<Seat>> = towns
        .iter()
        .map(|t| by_name.get(stem(&t.name)).and_then(|p| p.first()).map(|p| Seat { at: *p, real: true }))
        .collect();
    let mut taken: Vec<Point> = Vec::new();
    for seat in &mut seats {
        match seat {
            Some(s) if taken.iter().any(|t| t.to(s.at) < 200.0) => *seat = None,
            Some(s) => taken.push(s.at),
            None => {}
        }
    }
    // Urban sub-districts crowd around the county seat, towns keep far from each other.
    let centre = seats.iter().flatten().next().map(|s| s.at);
    for (town, seat) in towns.iter().zip(&mut seats) {
        if seat.is_some() {
            continue;
        }
        let urban = town.name.ends_with("街道");
        let mut best: Option<(f64, Point)> = None;
        for _ in 0..40 {
            let candidate = match centre {
                Some(c) if urban => {
                    let (angle, far) =
                        (dice.between(0.0, std::f64::consts::TAU), dice.between(900.0, 4_500.0));
                    Point { x: c.x + far * angle.cos(), y: c.y + far * angle.sin() }
                }
                _ => ground.random_point(dice),
            };
            if !ground.holds(candidate) {
                continue;
            }
            let clearance = taken.iter().map(|t| t.to(candidate)).fold(25_000.0, f64::min);
            let score = if urban { clearance.min(1_800.0) } else { clearance };
            if best.is_none_or(|(b, _)| score > b) {
                best = Some((score, candidate));
            }
        }
        let at = best.map_or_else(|| ground.random_point(dice), |(_, p)| p);
        taken.push(at);
        *seat = Some(Seat { at, real: false });
    }
    seats.into_iter().flatten().collect()
}
