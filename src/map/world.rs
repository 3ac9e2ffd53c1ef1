//! What the node remembers of each project and natural village between updates, so that a change
//! can be told from what it replaces. Only the follower touches it.

use std::collections::HashMap;
use std::sync::Arc;

use tiles::{Rect, WorldPoint};
use uuid::Uuid;

use super::areas::AreaTree;
use super::figures::{Event, project_events, village_events};
use super::source::Links;
use super::timeline::{Day, ProjectState, Steps, VillageState};
use crate::domain::lights::{Status as ProjectStatus, Thresholds};
use crate::domain::sector::Sector;

/// A project.
#[derive(Debug, Clone)]
pub(super) struct ProjectRec {
    pub area: u32,
    pub sector: Sector,
    pub bounds: Rect,
    pub published: bool,
    pub version: i32,
    pub fid: u64,
    /// Standing revisions, and how many of them are approved: for the checksum.
    pub revisions: [u32; 2],
    pub steps: Box<[(Day, ProjectState)]>,
    pub reports: Box<[Day]>,
}

impl ProjectRec {
    pub fn events(&self, sign: i32, out: &mut Vec<Event>) {
        project_events(self.sector, &self.steps, &self.reports, self.published, sign, out);
    }
}

/// A natural village.
#[derive(Debug, Clone)]
pub(super) struct VillageRec {
    pub area: u32,
    pub place: WorldPoint,
    pub counted: bool,
    pub ends: Day,
    /// Standing service states, and how many of them are approved: for the checksum.
    pub services: [u32; 2],
    pub steps: Box<[(Day, VillageState)]>,
}

impl VillageRec {
    pub fn events(&self, sign: i32, out: &mut Vec<Event>) {
        village_events(&self.steps, self.ends, self.counted, sign, out);
    }
}

/// All of them, at one moment of the feed.
#[derive(Debug, Default)]
pub(super) struct World {
    pub areas: Arc<AreaTree>,
    pub statuses: HashMap<String, ProjectStatus>,
    pub limits: Thresholds,
    pub projects: HashMap<Uuid, ProjectRec>,
    pub villages: HashMap<Uuid, VillageRec>,
    pub segments: u64,
    pub schemes: u64,
}

impl World {
    /// Histories of the projects of a sector (or of any) that concern a thing.
    pub fn steps_of<'w>(
        &'w self,
        links: &Links,
        thing: Uuid,
        sector: Option<Sector>,
    ) -> Vec<&'w Steps<ProjectState>> {
        let projects = links.get(&thing).into_iter().flatten().filter_map(|id| self.projects.get(id));
        projects.filter(|p| sector.is_none_or(|s| s == p.sector)).map(|p| &*p.steps).collect()
    }

    /// The sums that `source::TALLY` asks the database for.
    pub fn tally(&self) -> [i64; 9] {
        let sum = |f: &dyn Fn(&ProjectRec) -> i64| self.projects.values().map(f).sum::<i64>();
        let villages = |i: usize| self.villages.values().map(|v| i64::from(v.services[i])).sum::<i64>();
        [
            self.projects.len() as i64,
            sum(&|p| i64::from(p.version) * (p.fid % 8191 + 1) as i64),
            self.villages.len() as i64,
            villages(0),
            villages(1),
            sum(&|p| i64::from(p.revisions[0])),
            sum(&|p| i64::from(p.revisions[1])),
            self.segments as i64,
            self.schemes as i64,
        ]
    }
}
