//! A project as the ledger knows it, and the table rows it becomes.

use serde_json::Value;
use uuid::Uuid;

use super::calendar::Day;
use super::ground::Point;

/// How far a project has come on the business date, and how its record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Completed and accepted (交工验收); some are handed over.
    Accepted,
    /// Completed, the report approved, not accepted yet.
    Completed,
    /// Completed by a report that waits for its review.
    Pending,
    /// Under way, within 5 points of the plan.
    OnPlan,
    /// Under way, 5 to 15 points behind.
    Behind,
    /// Under way, more than 15 points behind or past due.
    Late,
    /// Under way, no update for more than 45 days.
    Stale,
    /// Started, and nothing was ever reported.
    NeverReported,
    /// Not started, and not due yet.
    Waiting,
    /// Not started, up to 30 days late.
    StartDue,
    /// Not started, more than 30 days late.
    StartLate,
    /// Taken out of the library.
    Cancelled,
}

impl Outcome {
    /// Has it built all of it?
    pub fn built(self) -> bool {
        matches!(self, Self::Accepted | Self::Completed | Self::Pending)
    }
    /// Has work begun and not ended?
    pub fn under_way(self) -> bool {
        matches!(self, Self::OnPlan | Self::Behind | Self::Late | Self::Stale | Self::NeverReported)
    }
}

/// Where a project is drawn.
#[derive(Debug, Clone)]
pub enum Shape {
    /// One place.
    Point(Point),
    /// One line.
    Line(Vec<Point>),
    /// Several lines.
    Lines(Vec<Vec<Point>>),
}

/// The area that holds the whole project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Within {
    /// A village, by index.
    Village(usize),
    /// A town, by index.
    Town(usize),
}

/// A natural village that a project serves, and how far along (0 to 1) that happens.
#[derive(Debug, Clone)]
pub struct Served {
    /// Index of the natural village.
    pub natural_village: usize,
    /// Households planned.
    pub households: i64,
    /// Work done when it is served.
    pub at: f64,
}

/// What a project is, before its story is told.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Sector.
    pub sector: &'static str,
    /// A word of the sector's own list.
    pub kind: &'static str,
    /// Name.
    pub name: String,
    /// Smallest area around it.
    pub within: Within,
    /// Place.
    pub shape: Shape,
    /// Planned quantities in thousandths, with their weight in ten-thousandths.
    pub items: Vec<(&'static str, i64, i64)>,
    /// Whole yuan.
    pub total_yuan: i64,
    /// Length that the document states.
    pub stated_km: Option<f64>,
    /// Fields of the sector.
    pub details: Value,
    /// Road segments it works on.
    pub segments: Vec<usize>,
    /// Natural villages it serves.
    pub served: Vec<Served>,
    /// Water scheme.
    pub scheme: Option<usize>,
    /// First day of work (actual, or planned when there was none).
    pub start: Day,
    /// Last day of work for what is built; ignored otherwise.
    pub finish: Day,
    /// How it stands.
    pub outcome: Outcome,
}

/// A state on both time axes.
#[derive(Debug, Clone)]
pub struct Revision {
    /// From 1.
    pub version: i32,
    /// True from.
    pub effective_on: Day,
    /// Known since, milliseconds.
    pub recorded_at: i64,
    /// Written by the reviewer rather than the clerk.
    pub by_reviewer: bool,
    /// Word of `project_states`.
    pub state: &'static str,
    /// Percent in hundredths.
    pub percent: i64,
    /// Whole yuan.
    pub invested: i64,
    /// Whole yuan.
    pub paid: i64,
    /// Index of its report.
    pub report: Option<usize>,
    /// Why.
    pub reason: &'static str,
    /// Approved, milliseconds.
    pub approved_at: Option<i64>,
    /// Voided by a returned report: when and why.
    pub voided: Option<(i64, &'static str)>,
}

/// A progress report with cumulative quantities.
#[derive(Debug, Clone)]
pub struct Report {
    /// Id.
    pub id: Uuid,
    /// 截至.
    pub effective_on: Day,
    /// Milliseconds.
    pub recorded_at: i64,
    /// Hundredths.
    pub percent: i64,
    /// Whole yuan.
    pub invested: i64,
    /// Whole yuan.
    pub paid: i64,
    /// Quantities done, in thousandths, in the order of the plan's items.
    pub done: Vec<i64>,
    /// Note.
    pub note: &'static str,
    /// submitted, approved or returned.
    pub review_state: &'static str,
    /// Review: id, milliseconds, reason when returned.
    pub review: Option<(Uuid, i64, &'static str)>,
    /// Work done, 0 to 1.
    pub work: f64,
}

/// Money from one source.
#[derive(Debug, Clone)]
pub struct Fund {
    /// Id.
    pub id: Uuid,
    /// Word of `project_funds`.
    pub source: &'static str,
    /// Day of the document.
    pub effective_on: Day,
    /// Whole yuan.
    pub allocated: i64,
    /// Whole yuan.
    pub paid: i64,
    /// Document.
    pub document_no: String,
}

/// A project with its whole story.
#[derive(Debug, Clone)]
pub struct Project {
    /// Id.
    pub id: Uuid,
    /// What it is.
    pub plan: Plan,
    /// Number in the project library.
    pub code: String,
    /// 批复文号.
    pub approval_no: String,
    /// 批复 date.
    pub approved_on: Day,
    /// Plan.
    pub planned_start: Day,
    /// Plan.
    pub planned_finish: Day,
    /// Plan curve: milestone, day, percent in hundredths.
    pub milestones: Vec<(&'static str, Day, i64)>,
    /// Builder, once there is a contract.
    pub contractor: Option<String>,
    /// States, oldest first.
    pub revisions: Vec<Revision>,
    /// Reports, oldest first.
    pub reports: Vec<Report>,
    /// Money.
    pub funds: Vec<Fund>,
    /// Start of work.
    pub started: Option<Day>,
    /// Reported complete.
    pub completed: Option<Day>,
    /// Accepted.
    pub accepted: Option<Day>,
    /// Raised by every change.
    pub version: i32,
}

impl Project {
    /// The newest standing revision: what the project row shows.
    pub fn standing(&self) -> Option<&Revision> {
        self.revisions.iter().rev().find(|r| r.voided.is_none())
    }
}
