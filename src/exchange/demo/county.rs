//! One county of the demo province, made whole from the seed and the real codes alone.

use std::collections::BTreeSet;

use super::calendar::{BUSINESS_DATE, Day};
use super::codes::{Codes, Place};
use super::dice::Dice;
use super::fates::{self, Fates};
use super::ground::Ground;
use super::places::{self, NaturalVillage, Setting, Village};
use super::planted::{self, Planted};
use super::project::{Outcome, Plan, Project};
use super::quota::Quota;
use super::roads::Network;
use super::seats::{self, KnownSeat, Seat};
use super::sectors::{self, Scheme};
use super::services::{self, Service};
use super::story::{self, Scene};
use super::works::{self, Surface};
use crate::error::Result;

/// A county with everything in it.
pub struct County {
    /// 6 digits.
    pub code: String,
    /// 五华县.
    pub name: String,
    /// 6 digits.
    pub city: String,
    /// Its ground.
    pub ground: Ground,
    /// Towns in code order.
    pub towns: Vec<Place>,
    /// Their seats.
    pub seats: Vec<Seat>,
    /// Villages in code order, those that are not listed included.
    pub villages: Vec<Village>,
    /// Natural villages, village by village.
    pub naturals: Vec<NaturalVillage>,
    /// Roads.
    pub network: Network,
    /// Surface of each segment before any project.
    pub surfaces: Vec<Surface>,
    /// Surfaces that projects made: segment and surface.
    pub hardened: Vec<(usize, Surface)>,
    /// Water schemes.
    pub schemes: Vec<Scheme>,
    /// Projects.
    pub projects: Vec<Project>,
    /// Services of natural villages.
    pub services: Vec<Service>,
    /// Wrong reports put in on purpose.
    pub planted: Vec<Planted>,
    /// Natural villages whose service a project brings.
    pub by_project: BTreeSet<(usize, &'static str)>,
}

/// What all counties are made from.
pub struct Sources {
    /// Codes and outlines.
    pub codes: Codes,
    /// Seats of GeoNames.
    pub seats: Vec<KnownSeat>,
}

impl Sources {
    /// Reads what is embedded.
    pub fn load() -> Result<Self> {
        Ok(Self { codes: Codes::load()?, seats: seats::known() })
    }
}

impl County {
    /// Makes a county. With `everything`, all its villages; else the poor ones alone.
    pub fn make(
        sources: &Sources,
        county: &Place,
        quota: &Quota,
        everything: bool,
        seed: u64,
    ) -> Result<Self> {
        let code = county.code.as_str();
        let dice = |purpose: &str| Dice::new(seed, code, purpose);
        let outline = sources.codes.outline(code)?;
        let ground = Ground::new(outline, &mut dice("ground"));
        let towns = sources.codes.towns.get(code).cloned().unwrap_or_default();
        let seats = seats::place(&towns, outline, &ground, &sources.seats, &mut dice("seats"));
        let wanted: Vec<Place> = sources.codes.villages.get(code).into_iter().flatten().cloned().collect();
        let quota = if everything { quota.clone() } else { Quota { natural_others: 0, ..quota.clone() } };
        let mut villages = if towns.is_empty() {
            Vec::new()
        } else {
            places::villages(
                &wanted,
                &Setting { name: &county.name, towns: &towns, seats: &seats, ground: &ground },
                &quota,
                everything,
                &mut dice("villages"),
            )
        };
        let town_names: Vec<String> = towns.iter().map(|t| t.name.clone()).collect();
        let province = sources.codes.outline("440000")?;
        let on_land = |p| {
            let [lon, lat] = ground.degrees(p);
            province.contains(lon, lat)
        };
        let mut network = Network::between_seats(&seats, &town_names, &on_land, &mut dice("county roads"));
        network.join_villages(&mut villages, &town_names, &seats, &mut dice("town roads"));
        let mut crowd = network.crowd(200.0);
        let mut naturals = places::natural_villages(
            &villages,
            &county.parent,
            &quota,
            &ground,
            &mut crowd,
            &mut dice("natural villages"),
        );
        network.join_natural_villages(&villages, &mut naturals, &mut dice("village roads"));
        let mut made = Self {
            code: county.code.clone(),
            name: county.name.clone(),
            city: county.parent.clone(),
            ground,
            towns,
            seats,
            villages,
            naturals,
            network,
            surfaces: Vec::new(),
            hardened: Vec::new(),
            schemes: Vec::new(),
            projects: Vec::new(),
            services: Vec::new(),
            planted: Vec::new(),
            by_project: BTreeSet::new(),
        };
        let fates = fates::decide(&made.naturals, &quota, code == "441424", &mut dice("fates"));
        made.work(&fates, &quota, seed);
        Ok(made)
    }

    fn work(&mut self, fates: &Fates, quota: &Quota, seed: u64) {
        let code = self.code.clone();
        let dice = |purpose: &str| Dice::new(seed, &code, purpose);
        let works = works::plan(self, fates, &mut dice("road works"));
        let water = sectors::water(self, &mut dice("water"));
        let others = sectors::others(self, &mut dice("other sectors"));
        self.surfaces = works.before;
        self.schemes = water.schemes;
        let mut plans: Vec<Plan> = works.plans;
        plans.extend(water.plans);
        plans.extend(others);
        let mut story_dice = dice("stories");
        self.projects = plans
            .into_iter()
            .enumerate()
            .map(|(i, mut plan)| {
                if quota.silent {
                    silence(&mut plan, &mut story_dice);
                }
                let scene = Scene { county: &self.code, county_name: &self.name, serial: i + 1 };
                story::tell(plan, &scene, &mut story_dice)
            })
            .collect();
        for project in &self.projects {
            if project.plan.kind == "broadband" {
                self.by_project.extend(project.plan.served.iter().map(|s| (s.natural_village, "broadband")));
            }
        }
        self.planted = planted::plant(self, quota, &mut dice("planted"));
        self.harden();
        if !quota.silent {
            let mut found = Vec::new();
            services::from_projects(&self.projects, &mut found);
            services::standing(self, fates, &water.before, &mut dice("services"), &mut found);
            self.services = found;
        }
    }

    /// Acceptance makes the surface.
    fn harden(&mut self) {
        for (p, project) in self.projects.iter().enumerate() {
            let Some(accepted) = project.accepted else { continue };
            let details = &project.plan.details;
            let surface = if details["surface"] == "asphalt" { "asphalt" } else { "concrete" };
            let width_dm = (details["width_m"].as_f64().unwrap_or(3.5) * 10.0).round() as i64;
            for s in &project.plan.segments {
                let made = Surface {
                    since: accepted,
                    material: surface,
                    width_dm,
                    bed_dm: width_dm + 10,
                    grade: "四级",
                    project: Some(p),
                };
                self.hardened.push((*s, made));
            }
        }
    }

    /// Indexes of the natural villages of each listed village, in village order.
    pub fn by_village(&self) -> Vec<(usize, Vec<usize>)> {
        let mut out: Vec<(usize, Vec<usize>)> = (0..self.villages.len()).map(|v| (v, Vec::new())).collect();
        for (i, n) in self.naturals.iter().enumerate() {
            out[n.village].1.push(i);
        }
        out.retain(|(v, _)| self.villages[*v].listed);
        out
    }

    /// Name of a town.
    pub fn town_name(&self, town: usize) -> &str {
        self.towns.get(town).map_or("", |t| t.name.as_str())
    }

    /// Route number of a link: Y419.
    pub fn route(&self, link: usize) -> String {
        let link = &self.network.links[link];
        format!("{}{:03}", link.class, link.serial)
    }
}

/// Where nobody reports, projects are only known to have begun, or not even that.
fn silence(plan: &mut Plan, dice: &mut Dice) {
    if plan.outcome.built() || plan.outcome.under_way() {
        plan.outcome = Outcome::NeverReported;
        plan.start = BUSINESS_DATE - dice.whole(60, 400) as Day;
    }
}
