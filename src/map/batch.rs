//! What some rows of the feed changed, read in one go as it stands at the newest of them.

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;
use sqlx::PgConnection;
use uuid::Uuid;

use super::roads;
use super::source::{self, Which};
use super::timeline::ServiceRow;
use crate::db::feed::FeedRow;
use crate::domain::lights::Status as ProjectStatus;
use crate::domain::plan::Percent;
use crate::error::Result;

/// What some changes changed, as it stands now.
#[derive(Default)]
pub(super) struct Batch {
    pub projects: Vec<Uuid>,
    pub villages: Vec<Uuid>,
    pub segments: Vec<Uuid>,
    pub schemes: Vec<Uuid>,
    pub project_rows: Vec<source::ProjectRow>,
    pub revisions: HashMap<Uuid, Vec<source::Revision>>,
    pub milestones: HashMap<Uuid, Vec<(NaiveDate, Percent)>>,
    pub villages_of: source::Links,
    pub segments_of: source::Links,
    pub village_rows: Vec<source::VillageRow>,
    pub services: HashMap<Uuid, Vec<ServiceRow>>,
    pub village_links: source::Links,
    pub segment_rows: Vec<roads::SegmentRow>,
    pub states: HashMap<Uuid, Vec<roads::SegmentState>>,
    pub segment_links: source::Links,
    pub scheme_rows: Vec<source::SchemeRow>,
    pub scheme_links: source::Links,
}

impl Batch {
    /// Reads what the changes changed, as it stands at the newest of them.
    pub async fn read(
        tx: &mut PgConnection,
        rows: &[FeedRow],
        statuses: &HashMap<String, ProjectStatus>,
    ) -> Result<Self> {
        let ids = |kind: &str| -> Vec<Uuid> {
            let set: BTreeSet<Uuid> =
                rows.iter().filter(|r| r.kind == kind).filter_map(|r| r.entity_id).collect();
            set.into_iter().collect()
        };
        let mut b = Self { projects: ids("project"), ..Self::default() };
        let mut villages: BTreeSet<Uuid> = ids("natural_village").into_iter().collect();
        let mut segments: BTreeSet<Uuid> = ids("road_segment").into_iter().collect();
        let mut schemes: BTreeSet<Uuid> = ids("water_scheme").into_iter().collect();
        if !b.projects.is_empty() {
            let which = Which::Only(&b.projects);
            b.project_rows = source::projects(tx, which, statuses).await?;
            b.revisions = source::revisions(tx, which, statuses).await?;
            b.milestones = source::milestones(tx, which).await?;
            let [v, s, w] = source::things_of_projects(tx, &b.projects).await?;
            villages.extend(v.values().flatten());
            segments.extend(s.values().flatten());
            schemes.extend(w.values().flatten());
            b.villages_of = v;
            b.segments_of = s;
        }
        b.villages = villages.into_iter().collect();
        b.segments = segments.into_iter().collect();
        b.schemes = schemes.into_iter().collect();
        if !b.villages.is_empty() {
            let which = Which::Only(&b.villages);
            b.village_rows = source::natural_villages(tx, which).await?;
            b.services = source::service_rows(tx, which).await?;
            b.village_links = source::village_links(tx, which).await?;
        }
        if !b.segments.is_empty() {
            let which = Which::Only(&b.segments);
            b.segment_rows = roads::segments(tx, which).await?;
            b.states = roads::segment_states(tx, which).await?;
            b.segment_links = source::segment_links(tx, which).await?;
        }
        if !b.schemes.is_empty() {
            let which = Which::Only(&b.schemes);
            b.scheme_rows = source::schemes(tx, which).await?;
            b.scheme_links = source::scheme_links(tx, which).await?;
        }
        Ok(b)
    }
}
