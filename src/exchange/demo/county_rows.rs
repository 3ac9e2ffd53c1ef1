//! The rows of one county.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::accounts::Book;
use super::calendar::{CENSUS, day, moment, year};
use super::county::County;
use super::dice::Dice;
use super::framework::{Areas, Copy, KNOWN_SINCE};
use super::ground::Point;
use super::names;
use super::project::{Project, Shape, Within};
use super::rows::Sheet;
use super::sheets::Sheets;
use super::works::Surface;

/// What all counties share.
pub struct Shared<'a> {
    /// Which copy.
    pub copy: Copy,
    /// Ids of areas down to towns.
    pub areas: &'a Areas,
    /// Ids of units.
    pub units: &'a BTreeMap<(String, &'static str), Uuid>,
    /// Accounts.
    pub book: &'a Book,
    /// The denominator.
    pub denominator: Uuid,
    /// Seed.
    pub seed: u64,
}

struct Ids {
    villages: Vec<Uuid>,
    towns: Vec<Uuid>,
    naturals: Vec<Uuid>,
    segments: Vec<Uuid>,
    schemes: Vec<Uuid>,
}

/// Writes a county.
pub fn write(county: &County, shared: &Shared, sheets: &mut Sheets) {
    let mut dice = Dice::new(shared.seed, &county.code, "ids");
    let copy = shared.copy;
    let census = moment(CENSUS, 600);
    let mut ids = |n: usize| -> Vec<Uuid> { (0..n).map(|_| copy.id(dice.uuid(census))).collect() };
    let ids = Ids {
        villages: ids(county.villages.len()),
        towns: county
            .towns
            .iter()
            .map(|t| shared.areas.get(&copy.code(&t.code)).copied().unwrap_or_default())
            .collect(),
        naturals: ids(county.naturals.len()),
        segments: ids(county.network.segments.len()),
        schemes: ids(county.schemes.len()),
    };
    let area = shared
        .areas
        .get(&copy.code(&county.code))
        .or_else(|| shared.areas.get(&copy.code(&county.city)))
        .copied()
        .unwrap_or_default();
    let mut writer = Writer { county, shared, ids, area, dice };
    writer.villages(sheets);
    writer.naturals(sheets);
    writer.roads(sheets);
    writer.schemes(sheets);
    writer.projects(sheets);
    writer.services(sheets);
}

struct Writer<'a> {
    county: &'a County,
    shared: &'a Shared<'a>,
    ids: Ids,
    area: Uuid,
    dice: Dice,
}

impl Writer<'_> {
    fn place(&self, p: Point) -> [f64; 2] {
        self.shared.copy.shift(self.county.ground.degrees(p))
    }

    fn line(&self, line: &[Point]) -> Vec<[f64; 2]> {
        line.iter().map(|p| self.place(*p)).collect()
    }

    fn id(&mut self, at: i64) -> Uuid {
        self.shared.copy.id(self.dice.uuid(at))
    }

    fn node(&self, node: usize) -> i64 {
        self.shared.copy.code(&self.county.code).parse::<i64>().unwrap_or(0) * 1_000_000 + node as i64 + 1
    }

    fn villages(&mut self, sheets: &mut Sheets) {
        let county = self.county;
        let census = moment(CENSUS, 600);
        let old_areas =
            matches!(county.city.as_str(), "441400" | "441600" | "441500" | "440200" | "441300" | "445200");
        for (i, v) in county.villages.iter().enumerate().filter(|(_, v)| v.listed) {
            let members: Vec<_> = county.naturals.iter().filter(|n| n.village == i).collect();
            let fid = sheets.next_area();
            let seat = self.place(v.at);
            let sheet = &mut sheets.villages;
            sheet
                .uuid(self.ids.villages[i])
                .plain(fid)
                .text(&self.shared.copy.code(&v.code))
                .plain("village");
            sheet.uuid(self.ids.towns[v.town]).text(&v.name).text(&v.short_name).day(KNOWN_SINCE).null();
            sheet.point(seat).plain("synthetic").moment(census).end();
            let id = self.id(census);
            let old = old_areas && self.dice.chance(0.55);
            let helper = v.poor.then(|| names::helper_unit(&county.city, &mut self.dice));
            let sheet = &mut sheets.village_facts;
            sheet.uuid(id).uuid(self.ids.villages[i]).day(CENSUS).moment(census).plain(v.poor).plain(old);
            sheet.text_or_null(helper.as_deref());
            sheet
                .plain(members.iter().map(|n| n.households).sum::<i64>())
                .plain(members.iter().map(|n| n.people).sum::<i64>());
            sheet.text("2017年底普查（演示）").end();
        }
    }

    fn naturals(&mut self, sheets: &mut Sheets) {
        let census = moment(CENSUS, 600);
        for (i, n) in self.county.naturals.iter().enumerate() {
            let fid = sheets.next_natural_village();
            let id = self.ids.naturals[i];
            let (at, access) = (self.place(n.at), self.place(self.county.network.nodes[n.node]));
            let sheet = &mut sheets.natural_villages;
            sheet
                .uuid(id)
                .plain(fid)
                .text(&self.shared.copy.code(&n.code))
                .uuid(self.ids.villages[n.village])
                .text(&n.name);
            sheet.point(at).point(access).plain(self.node(n.node)).day(KNOWN_SINCE).moment(census).end();
            let fact = self.id(census);
            let sheet = &mut sheets.natural_village_facts;
            sheet.uuid(fact).uuid(id).day(CENSUS).moment(census).plain(n.households).plain(n.people);
            sheet.text("2017年底普查（演示）").end();
            if n.counted {
                sheets.denominator_members.uuid(self.shared.denominator).uuid(id).end();
            }
        }
    }

    fn roads(&mut self, sheets: &mut Sheets) {
        let county = self.county;
        let census = moment(CENSUS, 600);
        let known = day(2016, 1, 1);
        for (i, segment) in county.network.segments.iter().enumerate() {
            let fid = sheets.next_segment();
            let line = self.line(&segment.points);
            let (from, to) = (self.node(segment.from), self.node(segment.to));
            let sheet = &mut sheets.road_segments;
            sheet.uuid(self.ids.segments[i]).plain(fid).uuid(self.area).plain(from).plain(to).line(&line);
            sheet.day(known).moment(census).end();
            self.surface(i, &county.surfaces[i], census, sheets);
        }
        for (i, surface) in &county.hardened {
            self.surface(*i, surface, moment(surface.since + 2, 650), sheets);
        }
    }

    fn surface(&mut self, i: usize, surface: &Surface, recorded: i64, sheets: &mut Sheets) {
        let county = self.county;
        let segment = &county.network.segments[i];
        let link = &county.network.links[segment.link];
        let id = self.id(recorded);
        let sheet = &mut sheets.road_segment_states;
        sheet.uuid(id).uuid(self.ids.segments[i]).day(surface.since).moment(recorded).plain(link.class);
        sheet
            .text(&format!("{}{}", county.route(segment.link), self.shared.copy.code(&county.code)))
            .text(&link.name);
        sheet
            .plain(segment.stake.round() as i64)
            .plain(surface.material)
            .fixed(surface.width_dm, 1)
            .fixed(surface.bed_dm, 1);
        sheet.text(surface.grade);
        let keeper = match link.class {
            'X' => format!("{}地方公路管理站", county.name),
            'Y' => link.village.map_or_else(String::new, |v| {
                format!("{}人民政府", county.town_name(county.villages[v].town))
            }),
            _ => link.natural_village.map_or_else(String::new, |n| {
                format!("{}村民委员会", county.villages[county.naturals[n].village].short_name)
            }),
        };
        sheet.text(&keeper);
        match surface.project {
            Some(p) => sheet.uuid(self.shared.copy.id(county.projects[p].id)).text("交工验收"),
            None => sheet.null().text("2017年底普查（演示）"),
        };
        sheet.end();
    }

    fn schemes(&mut self, sheets: &mut Sheets) {
        for (i, scheme) in self.county.schemes.iter().enumerate() {
            let fid = sheets.next_scheme();
            let at = self.place(scheme.at);
            let village = &self.county.villages[scheme.village];
            let sheet = &mut sheets.water_schemes;
            sheet
                .uuid(self.ids.schemes[i])
                .plain(fid)
                .uuid(self.ids.villages[scheme.village])
                .text(&scheme.name);
            sheet.plain(scheme.kind).point(at).fixed(scheme.m3_per_day_dm, 1).plain(scheme.people);
            sheet.text(&format!("{}村民委员会", village.short_name)).day(scheme.since);
            sheet.moment(moment(scheme.since.max(CENSUS), 600)).end();
        }
    }

    fn projects(&mut self, sheets: &mut Sheets) {
        for p in &self.county.projects {
            self.project(p, sheets);
            self.record(p, sheets);
            self.links(p, sheets);
        }
    }

    fn project(&mut self, p: &Project, sheets: &mut Sheets) {
        let county = self.county;
        let copy = self.shared.copy;
        let fid = sheets.next_project();
        let plan = &p.plan;
        let area = match plan.within {
            Within::Village(v) => self.ids.villages[v],
            Within::Town(t) => self.ids.towns[t],
        };
        let unit = self.shared.units.get(&(county.code.clone(), plan.sector)).copied();
        let code = format!("{}{}", copy.code(&county.code), p.code.get(6..).unwrap_or(""));
        let shape = match &plan.shape {
            Shape::Point(at) => vec![vec![self.place(*at)]],
            Shape::Line(line) => vec![self.line(line)],
            Shape::Lines(lines) => lines.iter().map(|l| self.line(l)).collect(),
        };
        let Some(now) = p.standing() else { return };
        let last_report =
            p.reports.iter().rev().find(|r| r.review_state != "returned").map(|r| r.effective_on);
        let sheet = &mut sheets.projects;
        sheet
            .uuid(copy.id(p.id))
            .plain(fid)
            .text(&code)
            .text(&plan.name)
            .plain(plan.sector)
            .plain(plan.kind)
            .uuid(area);
        sheet.plain_or_null(unit.map(Uuid::hyphenated));
        sheet.text(responsible(plan.sector)).text_or_null(p.contractor.as_deref());
        match &plan.shape {
            Shape::Point(_) => sheet.point(shape[0][0]),
            Shape::Line(_) => sheet.line(&shape[0]),
            Shape::Lines(_) => sheet.lines(&shape),
        };
        sheet
            .plain(year(p.planned_start))
            .text(&p.approval_no)
            .day(p.approved_on)
            .day(p.planned_start)
            .day(p.planned_finish);
        sheet.plain(plan.total_yuan).plain_or_null(plan.stated_km).text(&plan.details.to_string());
        sheet.plain(now.state).fixed(now.percent, 2).plain(now.invested).plain(now.paid);
        sheet
            .day_or_null(p.started)
            .day_or_null(p.completed)
            .day_or_null(p.accepted)
            .day_or_null(last_report);
        sheet.plain(p.version);
        let (first, last) = (p.revisions.first(), p.revisions.last());
        sheet.moment(first.map_or(0, |r| r.recorded_at));
        let changed = last.map_or(0, |r| r.voided.map_or(r.recorded_at, |(at, _)| at));
        sheet.moment(changed).end();
        for (item, planned, _) in &plan.items {
            sheets
                .project_quantities
                .uuid(copy.id(p.id))
                .plain(plan.sector)
                .plain(item)
                .fixed(*planned, 3)
                .end();
        }
        for (i, (word, on, percent)) in p.milestones.iter().enumerate() {
            let sheet = &mut sheets.project_milestones;
            sheet.uuid(copy.id(p.id)).plain(1).plain(i + 1).text(word).day(*on).fixed(*percent, 2);
            sheet.moment(first.map_or(0, |r| r.recorded_at)).end();
        }
    }

    fn record(&mut self, p: &Project, sheets: &mut Sheets) {
        let copy = self.shared.copy;
        let (id, sector) = (copy.id(p.id), p.plan.sector);
        let clerk = self.shared.book.clerk(&self.county.code, sector);
        let reviewer = self.shared.book.reviewer(&self.county.code);
        for r in &p.reports {
            let report = copy.id(r.id);
            let sheet = &mut sheets.progress_reports;
            sheet
                .uuid(report)
                .uuid(id)
                .day(r.effective_on)
                .moment(r.recorded_at)
                .uuid(clerk)
                .fixed(r.percent, 2);
            sheet.plain(r.invested).plain(r.paid).text(r.note).plain(r.review_state).end();
            for ((item, _, _), done) in p.plan.items.iter().zip(&r.done) {
                sheets.progress_report_items.uuid(report).plain(item).fixed(*done, 3).end();
            }
            if let Some((review, at, reason)) = r.review {
                let outcome = if r.review_state == "returned" { "returned" } else { "approved" };
                let sheet = &mut sheets.report_reviews;
                sheet
                    .uuid(copy.id(review))
                    .uuid(report)
                    .plain(outcome)
                    .text(reason)
                    .moment(at)
                    .uuid(reviewer)
                    .end();
            }
        }
        for r in &p.revisions {
            let sheet = &mut sheets.project_revisions;
            sheet.uuid(id).plain(r.version).day(r.effective_on).moment(r.recorded_at);
            sheet.uuid(if r.by_reviewer { reviewer } else { clerk });
            sheet.plain(r.state).fixed(r.percent, 2).plain(r.invested).plain(r.paid);
            sheet.plain_or_null(r.report.map(|i| copy.id(p.reports[i].id).hyphenated())).text(r.reason);
            sheet.moment_or_null(r.approved_at).plain_or_null(r.approved_at.map(|_| reviewer.hyphenated()));
            match r.voided {
                Some((at, why)) => sheet.moment(at).uuid(reviewer).text(why),
                None => sheet.null().null().null(),
            };
            sheet.end();
        }
        for f in &p.funds {
            let sheet = &mut sheets.project_funds;
            sheet
                .uuid(copy.id(f.id))
                .uuid(id)
                .plain(f.source)
                .day(f.effective_on)
                .moment(moment(f.effective_on, 640));
            sheet.plain(f.allocated).plain(f.paid).text(&f.document_no).end();
        }
    }

    fn links(&mut self, p: &Project, sheets: &mut Sheets) {
        let id = self.shared.copy.id(p.id);
        for s in &p.plan.segments {
            sheets.project_segments.uuid(id).uuid(self.ids.segments[*s]).end();
        }
        for s in &p.plan.served {
            sheets
                .project_natural_villages
                .uuid(id)
                .uuid(self.ids.naturals[s.natural_village])
                .plain(s.households)
                .end();
        }
        if let Some(s) = p.plan.scheme {
            sheets.project_water_schemes.uuid(id).uuid(self.ids.schemes[s]).end();
        }
    }

    fn services(&mut self, sheets: &mut Sheets) {
        let county = self.county;
        let copy = self.shared.copy;
        let reviewer = self.shared.book.reviewer(&county.code);
        for s in &county.services {
            let id = self.id(s.recorded_at);
            let sheet: &mut Sheet = &mut sheets.service_states;
            sheet
                .uuid(id)
                .uuid(self.ids.naturals[s.natural_village])
                .plain(s.kind)
                .day(s.effective_on)
                .moment(s.recorded_at);
            match s.by {
                Some((p, _)) => {
                    sheet.uuid(self.shared.book.clerk(&county.code, county.projects[p].plan.sector))
                }
                None => sheet.uuid(reviewer),
            };
            sheet.plain("t").plain_or_null(s.households);
            sheet.plain_or_null(s.scheme.map(|i| self.ids.schemes[i].hyphenated()));
            match s.by {
                Some((p, r)) => {
                    sheet.uuid(copy.id(county.projects[p].id)).uuid(copy.id(county.projects[p].reports[r].id))
                }
                None => sheet.null().null(),
            };
            sheet
                .text(s.source)
                .moment_or_null(s.approved_at)
                .plain_or_null(s.approved_at.map(|_| reviewer.hyphenated()));
            sheet.end();
        }
    }
}

fn responsible(sector: &str) -> &'static str {
    match sector {
        "road" => "地方公路股",
        "water" => "农村水利股",
        "relocation" => "以工代赈办",
        "housing" => "村镇建设股",
        "power" => "农电管理部",
        _ => "乡村建设股",
    }
}
