//! All tables that the demo fills, in the order in which they are copied.

use super::rows::Sheet;

macro_rules! sheets {
    ($($name:ident = $target:literal;)*) => {
        /// One sheet per table.
        pub struct Sheets {
            $(#[doc = concat!("Rows of `", stringify!($name), "`.")] pub $name: Sheet,)*
            fids: Fids,
        }
        impl Sheets {
            /// Empty sheets.
            pub fn new() -> Self {
                Self { $($name: Sheet::new($target),)* fids: Fids::default() }
            }
            /// All sheets with the names of their tables, parents before children.
            pub fn all(&mut self) -> Vec<(&'static str, &mut Sheet)> {
                vec![$((table_of($target), &mut self.$name),)*]
            }
        }
    };
}

sheets! {
    settings = "settings (key, value, effective_on, document_no, document_title, section, recorded_at)";
    targets = "targets (id, metric, scope, area_id, value, unit, due_on, document_no, section, recorded_at)";
    provinces = "areas (id, fid, code, level, parent_id, name, short_name, valid_from, geom, seat, geom_source, recorded_at)";
    units = "units (id, name, area_id, sector, valid_from)";
    accounts = "accounts (id, login, display_name, unit_name, password_hash, disabled_at, recorded_at)";
    account_roles = "account_roles (account_id, role, area_id, sectors, recorded_at)";
    villages = "areas (id, fid, code, level, parent_id, name, short_name, valid_from, geom, seat, geom_source, recorded_at)";
    village_facts = "village_facts (id, area_id, effective_on, recorded_at, poor, old_revolutionary, helper_unit, households, people, source)";
    natural_villages = "natural_villages (id, fid, code, village_id, name, geom, access_point, access_node, valid_from, recorded_at)";
    natural_village_facts = "natural_village_facts (id, natural_village_id, effective_on, recorded_at, households, people, source)";
    denominator_members = "denominator_members (denominator_id, natural_village_id)";
    road_segments = "road_segments (id, fid, area_id, from_node, to_node, geom, valid_from, recorded_at)";
    road_segment_states = "road_segment_states (id, segment_id, effective_on, recorded_at, road_class, route_code, route_name, start_stake_m, surface, surface_width_m, bed_width_m, technical_grade, maintenance_unit, project_id, source)";
    water_schemes = "water_schemes (id, fid, area_id, name, scheme_type, geom, design_m3_per_day, design_people, upkeep_unit, valid_from, recorded_at)";
    projects = "projects (id, fid, code, name, sector, kind, area_id, unit_id, responsible, contractor, geom, plan_year, approval_no, approved_on, planned_start_on, planned_finish_on, total_investment_yuan, stated_length_km, details, state, percent, invested_yuan, paid_yuan, started_on, completed_on, accepted_on, last_reported_on, version, recorded_at, updated_at)";
    project_quantities = "project_quantities (project_id, sector, item, planned)";
    project_milestones = "project_milestones (project_id, plan_version, ordinal, milestone, planned_on, planned_percent, recorded_at)";
    progress_reports = "progress_reports (id, project_id, effective_on, recorded_at, recorded_by, percent, invested_yuan, paid_yuan, note, review_state)";
    progress_report_items = "progress_report_items (report_id, item, done)";
    report_reviews = "report_reviews (id, report_id, outcome, reason, recorded_at, recorded_by)";
    project_revisions = "project_revisions (project_id, version, effective_on, recorded_at, recorded_by, state, percent, invested_yuan, paid_yuan, report_id, reason, approved_at, approved_by, voided_at, voided_by, void_reason)";
    project_funds = "project_funds (id, project_id, source, effective_on, recorded_at, allocated_yuan, paid_yuan, document_no)";
    project_segments = "project_segments (project_id, segment_id)";
    project_natural_villages = "project_natural_villages (project_id, natural_village_id, households_planned)";
    project_water_schemes = "project_water_schemes (project_id, scheme_id)";
    service_states = "service_states (id, natural_village_id, service, effective_on, recorded_at, recorded_by, served, households_connected, water_scheme_id, project_id, report_id, source, approved_at, approved_by)";
}

/// Feature ids given so far.
#[derive(Debug, Clone, Copy, Default)]
struct Fids {
    area: i64,
    natural_village: i64,
    segment: i64,
    scheme: i64,
    project: i64,
}

impl Default for Sheets {
    fn default() -> Self {
        Self::new()
    }
}

impl Sheets {
    /// Sheet for the areas above the villages.
    pub fn areas(&mut self) -> &mut Sheet {
        &mut self.provinces
    }
    /// Next feature id of an area.
    pub fn next_area(&mut self) -> i64 {
        self.fids.area += 1;
        self.fids.area
    }
    /// Next feature id of a natural village.
    pub fn next_natural_village(&mut self) -> i64 {
        self.fids.natural_village += 1;
        self.fids.natural_village
    }
    /// Next feature id of a segment.
    pub fn next_segment(&mut self) -> i64 {
        self.fids.segment += 1;
        self.fids.segment
    }
    /// Next feature id of a water scheme.
    pub fn next_scheme(&mut self) -> i64 {
        self.fids.scheme += 1;
        self.fids.scheme
    }
    /// Next feature id of a project.
    pub fn next_project(&mut self) -> i64 {
        self.fids.project += 1;
        self.fids.project
    }
}

fn table_of(target: &'static str) -> &'static str {
    target.split(' ').next().unwrap_or(target)
}
