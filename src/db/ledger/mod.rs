//! The ledger (台账) in memory: areas, names of natural villages and what lists of projects filter,
//! sort and count by, as of a sequence of the change feed.
//!
//! A light depends on the day and on the plan's curve, so that a list of 100,000 projects sorted
//! by light, with counts, would compute all of them in SQL for each request. Here they are slim
//! rows; a request asks the feed for the newest sequence (one index look-up), takes in what
//! changed, and so never answers from before a commit that it could have seen.

mod load;
mod projects;
mod search;
mod todo;

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use chrono::NaiveDate;
use sqlx::PgPool;
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::domain::lifecycle::State;
use crate::domain::lights::{Progress, Status};
use crate::domain::permit::Place;
use crate::domain::plan::{Percent, Plan};
use crate::domain::reporting::Known;
use crate::domain::sector::Sector;
use crate::error::{Error, Result};

pub use projects::{Counts, Filter, Found, Judged, Page, Sort, SortKey};
pub use search::{Hit, HitKind};
pub use todo::{Ask as TodoAsk, Counts as TodoCounts, Found as TodoFound, Group, Key as TodoKey, Task};

/// An area, as lists and paths need it.
#[derive(Debug, Clone)]
pub struct Area {
    /// Identity.
    pub id: Uuid,
    /// Feature id in tiles.
    pub fid: i64,
    /// Official code.
    pub code: String,
    /// province, city, county, town or village.
    pub level: String,
    /// Official name.
    pub name: String,
    /// Name as people say it.
    pub short_name: String,
    /// Chain of feature ids from the top.
    pub path: String,
    /// A relatively poor village.
    pub poor: bool,
    /// Day after its last, when it was abolished.
    pub valid_to: Option<NaiveDate>,
}

impl Area {
    /// Rank of the level from the top, province first.
    pub fn rank(&self) -> u8 {
        match self.level.as_str() {
            "province" => 0,
            "city" => 1,
            "county" => 2,
            "town" => 3,
            _ => 4,
        }
    }
}

impl From<&Area> for Place {
    fn from(area: &Area) -> Self {
        Self {
            code: area.code.clone(),
            name: area.name.clone(),
            level: area.level.clone(),
            path: area.path.clone(),
        }
    }
}

/// A natural village, as search needs it.
#[derive(Debug, Clone)]
pub struct VillageName {
    /// Identity.
    pub id: Uuid,
    /// Code of ours.
    pub code: String,
    /// Name.
    pub name: String,
    /// Feature id of its administrative village.
    pub village: i64,
}

/// A state that a project was in.
#[derive(Debug, Clone, Copy)]
pub struct Revision {
    /// True from this day.
    pub effective_on: NaiveDate,
    /// Order of recording.
    pub version: i32,
    /// State.
    pub state: State,
    /// Cumulative percentage.
    pub percent: Percent,
    /// It came with a report, whose day it is.
    pub reported: bool,
    /// It counts as 审核数: approved, or not a matter of a report.
    pub approved: bool,
}

/// The newest report of a project came back (退回修改) and nothing was reported since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Returned {
    /// The report.
    pub report: Uuid,
    /// Day of the return.
    pub on: NaiveDate,
    /// The day by which it is to be corrected, when that was told at the return.
    pub mend_by: Option<NaiveDate>,
}

/// A project, as lists need it.
#[derive(Debug, Clone)]
pub struct Project {
    /// Identity.
    pub id: Uuid,
    /// Code in the project library.
    pub code: String,
    /// Name.
    pub name: String,
    /// Sector.
    pub sector: Sector,
    /// Path of its area.
    pub path: String,
    /// Year of the plan.
    pub plan_year: i16,
    /// Plan and curve.
    pub plan: Plan,
    /// Present state.
    pub state: State,
    /// Present percentage.
    pub percent: Percent,
    /// Start of work.
    pub started_on: Option<NaiveDate>,
    /// Day of the newest report.
    pub last_reported_on: Option<NaiveDate>,
    /// Shown to the public.
    pub published: bool,
    /// A report waits for review.
    pub pending_review: bool,
    /// The report that is to be corrected.
    pub returned: Option<Returned>,
    /// Codes of the routes that it builds: Y419441424.
    pub routes: Vec<String>,
    /// Standing revisions by day, then version.
    pub history: Vec<Revision>,
}

/// Where a project stands on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// State.
    pub state: State,
    /// Coarse word, percentage and dates.
    pub progress: Progress,
}

impl Project {
    /// What the next report depends on.
    pub fn known(&self) -> Known {
        Known {
            state: self.state,
            last_reported_on: self.last_reported_on,
            started_on: self.started_on,
            planned_start: self.plan.planned_start,
        }
    }

    /// Where it stands on `at` (today when `None`), in the reported reading, or in the approved
    /// one. `None` when it was not yet in the library.
    pub fn standing(&self, at: Option<NaiveDate>, approved_only: bool) -> Option<Standing> {
        let counts =
            |r: &&Revision| at.is_none_or(|day| r.effective_on <= day) && (r.approved || !approved_only);
        let (state, percent, last_reported_on) = if at.is_none() && !approved_only || self.history.is_empty()
        {
            (self.state, self.percent, self.last_reported_on)
        } else {
            // The present is what was recorded last; a past day is told by the days that are spoken of.
            let order = |r: &&Revision| {
                if at.is_none() { (NaiveDate::MAX, r.version) } else { (r.effective_on, r.version) }
            };
            let newest = self.history.iter().filter(counts).max_by_key(order);
            let reported = self.history.iter().filter(counts).filter(|r| r.reported).max_by_key(order);
            match newest {
                Some(newest) => (newest.state, newest.percent, reported.map(|r| r.effective_on)),
                // Published but nothing approved yet: the public knows of the plan, not more.
                None if at.is_none() => (State::PlanIssued, Percent::ZERO, None),
                None => return None,
            }
        };
        let status = Status::parse(state.status()).unwrap_or(Status::NotStarted);
        let started_on = self.started_on.filter(|&day| at.is_none_or(|at| day <= at));
        Some(Standing { state, progress: Progress { status, percent, started_on, last_reported_on } })
    }
}

/// All of it, as of one sequence of the feed.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Sequence that it is at least as new as.
    pub seq: i64,
    areas: Arc<HashMap<i64, Area>>,
    by_code: Arc<HashMap<String, i64>>,
    villages: Arc<Vec<VillageName>>,
    projects: Vec<Arc<Project>>,
    index: Arc<HashMap<Uuid, usize>>,
}

impl Snapshot {
    /// An area by its feature id.
    pub fn area(&self, fid: i64) -> Option<&Area> {
        self.areas.get(&fid)
    }

    /// All areas, in no order; those that were abolished, too.
    pub fn areas(&self) -> impl Iterator<Item = &Area> {
        self.areas.values()
    }

    /// An area by its code: the one that stands, or else the last that had it.
    ///
    /// # Errors
    /// `not_found` when no area has the code.
    pub fn area_by_code(&self, code: &str) -> Result<&Area> {
        self.by_code
            .get(code)
            .and_then(|fid| self.area(*fid))
            .ok_or_else(|| Error::not_found(&format!("区域 {code} "), &format!("area {code}")))
    }

    /// Areas from the top down to the one that `path` ends with.
    pub fn chain<'a>(&'a self, path: &'a str) -> impl Iterator<Item = &'a Area> {
        path.split('/').filter_map(|fid| fid.parse().ok()).filter_map(|fid| self.area(fid))
    }

    /// The area of a level on a path.
    pub fn on_path<'a>(&'a self, path: &'a str, level: &str) -> Option<&'a Area> {
        self.chain(path).find(|a| a.level == level)
    }

    /// "梅州市 › 五华县 › 转水镇": the areas of a path below the province.
    pub fn place(&self, path: &str) -> String {
        let names: Vec<&str> =
            self.chain(path).filter(|a| a.level != "province").map(|a| a.name.as_str()).collect();
        names.join(" › ")
    }

    /// The areas at the top.
    pub fn provinces(&self) -> impl Iterator<Item = &Area> {
        self.areas.values().filter(|a| a.level == "province" && a.valid_to.is_none())
    }

    /// Number of areas directly below one.
    pub fn children_count(&self, area: &Area) -> usize {
        let depth = area.path.matches('/').count() + 1;
        self.areas
            .values()
            .filter(|a| {
                a.valid_to.is_none() && a.path.starts_with(&area.path) && a.path.matches('/').count() == depth
            })
            .count()
    }

    /// A project by its identity.
    pub fn project(&self, id: Uuid) -> Option<&Arc<Project>> {
        self.index.get(&id).and_then(|&i| self.projects.get(i))
    }

    /// All projects, in no order.
    pub fn projects(&self) -> &[Arc<Project>] {
        &self.projects
    }
}

/// The ledger of this node.
#[derive(Debug, Default)]
pub struct Ledger {
    current: ArcSwapOption<Snapshot>,
    loading: Mutex<()>,
}

impl Ledger {
    /// The ledger as of the newest commit. The first call loads it.
    pub async fn snapshot(&self, pool: &PgPool) -> Result<Arc<Snapshot>> {
        let newest = load::newest_sequence(pool).await?;
        if let Some(snapshot) = self.fresh(newest) {
            return Ok(snapshot);
        }
        let _one_at_a_time = self.loading.lock().await;
        if let Some(snapshot) = self.fresh(newest) {
            return Ok(snapshot);
        }
        let next = match self.current.load_full() {
            Some(old) => load::advance(pool, &old).await?,
            None => load::everything(pool).await?,
        };
        let next = Arc::new(next);
        self.current.store(Some(Arc::clone(&next)));
        Ok(next)
    }

    fn fresh(&self, seq: i64) -> Option<Arc<Snapshot>> {
        self.current.load_full().filter(|s| s.seq >= seq)
    }
}
