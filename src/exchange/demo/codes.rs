//! The real codes, names and outlines that ship in the binary: cities, counties, towns, villages.

use std::collections::BTreeMap;

use anyhow::{Context, anyhow};
use serde::Deserialize;

use super::ground::Outline;
use crate::error::Result;

const CITIES: &str = include_str!("../../../demo/admin-codes-2023/cities.csv");
const COUNTIES: &str = include_str!("../../../demo/admin-codes-2023/areas.csv");
const TOWNS: &str = include_str!("../../../demo/admin-codes-2023/streets.csv");
const VILLAGES: &str = include_str!("../../../demo/admin-codes-2023/villages.csv");
const OUTLINES: [&str; 3] = [
    include_str!("../../../demo/boundaries/gd_province.geojson"),
    include_str!("../../../demo/boundaries/gd_city.geojson"),
    include_str!("../../../demo/boundaries/gd_district.geojson"),
];

/// Cities that have no county level: their towns stand directly below the city.
pub const WITHOUT_COUNTIES: [&str; 2] = ["441900", "442000"];

/// A place of the code list.
#[derive(Debug, Clone)]
pub struct Place {
    /// 6, 9 or 12 digits.
    pub code: String,
    /// Full name as the list has it.
    pub name: String,
    /// Code of the place it belongs to.
    pub parent: String,
}

/// Everything real that the province is built from, in code order.
#[derive(Debug)]
pub struct Codes {
    /// 21 cities.
    pub cities: Vec<Place>,
    /// 124 counties, 441900 and 442000 among them.
    pub counties: Vec<Place>,
    /// Towns by county.
    pub towns: BTreeMap<String, Vec<Place>>,
    /// 村委会 by county; `parent` is the town.
    pub villages: BTreeMap<String, Vec<Place>>,
    outlines: BTreeMap<String, Outline>,
}

impl Codes {
    /// Reads what is embedded.
    pub fn load() -> Result<Self> {
        let mut codes = Self {
            cities: rows(CITIES)?
                .into_iter()
                .map(|r| Place { code: format!("{}00", r[0]), name: r[1].clone(), parent: "440000".into() })
                .collect(),
            counties: rows(COUNTIES)?
                .into_iter()
                .map(|r| Place { code: r[0].clone(), name: r[1].clone(), parent: format!("{}00", r[2]) })
                .collect(),
            towns: BTreeMap::new(),
            villages: BTreeMap::new(),
            outlines: BTreeMap::new(),
        };
        for r in rows(VILLAGES)? {
            // The last three digits 2xx and 3xx are 村委会; 0xx and 1xx are urban 居委会.
            if matches!(r[0].as_bytes().get(9), Some(b'2' | b'3')) {
                let place = Place { code: r[0].clone(), name: r[1].clone(), parent: r[2].clone() };
                codes.villages.entry(r[5].clone()).or_default().push(place);
            }
        }
        for r in rows(TOWNS)? {
            let county = &r[2];
            let has_villages = codes.villages.get(county).is_some_and(|v| v.iter().any(|x| x.parent == r[0]));
            // Prisons, bonded zones, reservoirs and farms stand in the list as towns. Only those
            // that villages belong to are places of the programme.
            if has_villages || ["镇", "乡", "街道"].iter().any(|s| r[1].ends_with(s)) {
                let place = Place { code: r[0].clone(), name: r[1].clone(), parent: county.clone() };
                codes.towns.entry(county.clone()).or_default().push(place);
            }
        }
        for text in OUTLINES {
            let collection: Collection = serde_json::from_str(text).context("demo outlines")?;
            for feature in collection.features {
                let code = feature.properties.gb.trim_start_matches("156").to_owned();
                codes.outlines.insert(code, Outline::new(feature.geometry.coordinates));
            }
        }
        Ok(codes)
    }

    /// Outline of a province, city or county.
    pub fn outline(&self, code: &str) -> Result<&Outline> {
        Ok(self.outlines.get(code).ok_or_else(|| anyhow!("no outline of {code}"))?)
    }
}

/// 梅花村 for 梅花村民委员会, 梅花村委会 and 东源县曾田镇梅花村民委员会.
pub fn short_village_name(name: &str, county: &str, town: &str) -> String {
    let mut rest = name;
    for prefix in [county, town] {
        rest = rest.strip_prefix(prefix).filter(|r| r.chars().count() > 3).unwrap_or(rest);
    }
    let mut short = rest;
    for suffix in
        ["村村民委员会", "村民委员会", "村委会", "村居民委员会", "居民委员会", "民委会", "渔委会", "委员会"]
    {
        if let Some(stem) = rest.strip_suffix(suffix).filter(|s| !s.is_empty()) {
            short = stem;
            break;
        }
    }
    if short.ends_with('村') { short.to_owned() } else { format!("{short}村") }
}

fn rows(text: &str) -> Result<Vec<Vec<String>>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let mut rows = Vec::new();
    for record in reader.records() {
        rows.push(record.context("demo codes")?.iter().map(str::to_owned).collect());
    }
    Ok(rows)
}

#[derive(Deserialize)]
struct Collection {
    features: Vec<Feature>,
}
#[derive(Deserialize)]
struct Feature {
    properties: Properties,
    geometry: Geometry,
}
#[derive(Deserialize)]
struct Properties {
    gb: String,
}
#[derive(Deserialize)]
struct Geometry {
    coordinates: Vec<Vec<Vec<[f64; 2]>>>,
}
