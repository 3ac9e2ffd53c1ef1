//! From records and their histories to features of the Atlas.

use std::sync::Arc;

use chrono::{Datelike, NaiveDate};
use tiles::{Class, Feature, Geometry, Scope, Value, Version};

use super::areas::{AreaTree, Level};
use super::figures::{AreaFigures, Metric, Reporting};
use super::roads::{SegmentRow, SegmentState};
use super::source::{ProjectRow, Revision, SchemeRow, VillageRow};
use super::timeline::{
    Day, OPEN, ProjectState, Reach, Reading, Service, Steps, VillageState, at, date_of, day_of, push_step,
    segment_reach,
};
use crate::domain::lights::{self, Light, Progress, Status as ProjectStatus, Thresholds};
use crate::domain::plan::{Percent, Plan};
use crate::domain::sector::Sector;

/// What one kind of reader is shown from a day on.
type Shown = Option<(Class, Vec<Option<Value>>)>;

/// What staff and the public are shown from a day on.
#[derive(PartialEq)]
struct Moment {
    staff: Shown,
    public: Shown,
}

/// Versions for the time from each moment to the next, equal neighbours melted, equal readings
/// stored once.
fn versions(moments: Vec<(Day, Moment)>, ends: Day) -> Vec<Version> {
    let mut melted: Vec<(Day, Moment)> = Vec::with_capacity(moments.len());
    for (day, moment) in moments {
        if day < ends && melted.last().is_none_or(|(_, last)| *last != moment) {
            melted.push((day, moment));
        }
    }
    let ends: Vec<Day> = melted.iter().skip(1).map(|m| m.0).chain([ends]).collect();
    let mut out = Vec::with_capacity(melted.len());
    for ((from_day, Moment { staff, public }), to_day) in melted.into_iter().zip(ends) {
        let mut put = |scope, shown: Shown| {
            if let Some((class, values)) = shown {
                out.push(Version { from_day, to_day, scope, class, values });
            }
        };
        if staff == public {
            put(Scope::ALL, staff);
        } else {
            put(Scope::STAFF, staff);
            put(Scope::PUBLIC, public);
        }
    }
    out
}

#[expect(clippy::unnecessary_wraps)] // one shape with the columns that can be absent
fn text(word: &str) -> Option<Value> {
    Some(Value::from(word))
}
#[expect(clippy::unnecessary_wraps)]
fn shared(word: &Arc<str>) -> Option<Value> {
    Some(Value::Str(Arc::clone(word)))
}
fn maybe(word: Option<&Arc<str>>) -> Option<Value> {
    word.and_then(shared)
}
#[expect(clippy::unnecessary_wraps)]
fn count(n: i32) -> Option<Value> {
    Some(Value::UInt(n.max(0) as u64))
}
#[expect(clippy::unnecessary_wraps)]
fn flag(b: bool) -> Option<Value> {
    Some(Value::UInt(u64::from(b)))
}
fn rate(done: i32, total: i32) -> Option<Value> {
    (total > 0).then(|| Value::Double((f64::from(done) * 1000.0 / f64::from(total)).round() / 10.0))
}

/// The public's readings: the approved figure takes both places.
fn readings(public: bool) -> [Reading; 2] {
    if public { [Reading::Approved; 2] } else { [Reading::Reported, Reading::Approved] }
}

/// A natural village.
pub(super) fn village(row: &VillageRow, area: u32, areas: &AreaTree, steps: &Steps<VillageState>) -> Feature {
    Feature::new(row.fid, Geometry::point(row.place), village_versions(row, area, areas, steps))
}

/// What a natural village shows over time.
pub(super) fn village_versions(
    row: &VillageRow,
    area: u32,
    areas: &AreaTree,
    steps: &Steps<VillageState>,
) -> Vec<Version> {
    let village = shared(&areas.get(area).code);
    let county = areas.code_above(area, Level::County);
    let city = areas.code_above(area, Level::City);
    let shown = |s: &VillageState, public: bool| -> Shown {
        let [plain, ok] = readings(public);
        let has = |service, reading| flag(s.has(service, reading));
        let class = if row.counted && !s.has(Service::Road, plain) { Class::Keep } else { Class::Recede };
        Some((
            class,
            vec![
                shared(&row.code),
                shared(&row.name),
                village.clone(),
                maybe(county.as_ref()),
                maybe(city.as_ref()),
                flag(row.counted),
                has(Service::Road, plain),
                has(Service::Road, ok),
                text(s.reach(plain).as_str()),
                text(s.reach(ok).as_str()),
                has(Service::Water, plain),
                has(Service::Water, ok),
                row.households.and_then(count),
                row.people.and_then(count),
            ],
        ))
    };
    let moments = steps.iter().map(|(d, s)| (*d, Moment { staff: shown(s, false), public: shown(s, true) }));
    versions(moments.collect(), row.valid_to)
}

/// The history of a project, and the days that its reports speak of.
pub(super) fn project_steps(
    plan: &Plan,
    mut revisions: Vec<Revision>,
    limits: &Thresholds,
) -> (Vec<(Day, ProjectState)>, Vec<Day>) {
    revisions.sort_by_key(|r| (r.effective_on, r.version));
    let mut history: Vec<(NaiveDate, Progress)> = Vec::with_capacity(revisions.len());
    let (mut started_on, mut last_reported_on) = (None, None);
    for r in &revisions {
        let day = date_of(r.effective_on);
        if started_on.is_none() && r.status == ProjectStatus::UnderWay {
            started_on = Some(day);
        }
        if r.is_report {
            last_reported_on = Some(day);
        }
        history.push((day, Progress { status: r.status, percent: r.percent, started_on, last_reported_on }));
    }
    let lights: Vec<(Day, Option<Light>)> =
        lights::timeline(plan, &history, limits).into_iter().map(|(d, l)| (day_of(d), l)).collect();
    let mut days: Vec<Day> =
        revisions.iter().map(|r| r.effective_on).chain(lights.iter().map(|l| l.0)).collect();
    days.sort_unstable();
    days.dedup();
    let mut steps = Vec::with_capacity(days.len());
    let mut next = revisions.iter().peekable();
    let (mut newest, mut approved): (Option<&Revision>, Option<&Revision>) = (None, None);
    for day in days {
        while let Some(r) = next.next_if(|r| r.effective_on <= day) {
            newest = Some(r);
            // What changes without a report (a plan issued, an acceptance) is an act of office.
            if r.approved || !r.is_report {
                approved = Some(r);
            }
        }
        let Some(r) = newest else { continue };
        let state = ProjectState {
            status: r.status,
            status_ok: approved.map(|a| a.status),
            light: at(&lights, day).flatten(),
            percent: r.percent.hundredths(),
            percent_ok: approved.map_or(0, |a| a.percent.hundredths()),
        };
        push_step(&mut steps, day, state);
    }
    let reports = revisions.iter().filter(|r| r.is_report).map(|r| r.effective_on).collect();
    (steps, reports)
}

/// What a project shows over time.
pub(super) fn project_versions(
    row: &ProjectRow,
    area: u32,
    areas: &AreaTree,
    steps: &Steps<ProjectState>,
) -> Vec<Version> {
    let county = areas.code_above(area, Level::County);
    let city = areas.code_above(area, Level::City);
    let values = |status: ProjectStatus, light: Option<Light>, percent: i32| {
        vec![
            shared(&row.code),
            shared(&row.name),
            text(status.as_str()),
            light.and_then(|l| text(l.as_str())),
            Some(Value::Double(Percent::from_hundredths(percent).value())),
            shared(&row.kind),
            maybe(county.as_ref()),
            maybe(city.as_ref()),
        ]
    };
    let moments = steps.iter().map(|(day, s)| {
        let class =
            if matches!(s.light, Some(Light::Late | Light::Warn)) { Class::Keep } else { Class::Recede };
        let staff = Some((class, values(s.status, s.light, s.percent)));
        let public = s
            .status_ok
            .filter(|_| row.published)
            .map(|status| (Class::Recede, values(status, None, s.percent_ok)));
        (*day, Moment { staff, public })
    });
    versions(moments.collect(), OPEN)
}

/// A road segment with everything it shows over time.
pub(super) fn segment(
    row: SegmentRow,
    area: Option<u32>,
    areas: &AreaTree,
    states: &[SegmentState],
    projects: &[&Steps<ProjectState>],
) -> Feature {
    let county = area.and_then(|a| areas.code_above(a, Level::County));
    let mut days: Vec<Day> = states.iter().map(|s| s.effective_on).collect();
    days.extend(projects.iter().flat_map(|p| p.iter().map(|s| s.0)));
    days.push(row.valid_from);
    days.retain(|d| *d >= row.valid_from);
    days.sort_unstable();
    days.dedup();
    let km = Some(Value::Double((row.length_m / 10.0).round() / 100.0));
    let mut moments = Vec::with_capacity(days.len());
    let mut was: Option<(usize, [Reach; 2])> = None;
    for day in days {
        let standing = states.partition_point(|s| s.effective_on <= day);
        let state = standing.checked_sub(1).map(|i| &states[i]);
        let reach = [Reading::Reported, Reading::Approved]
            .map(|r| segment_reach(state.map(|s| s.hardened), projects, day, r));
        // Most days of a project change nothing on the road.
        if was == Some((standing, reach)) {
            continue;
        }
        was = Some((standing, reach));
        let shown = |reach: Reach| -> Shown {
            let class = if reach == Reach::Gap { Class::Keep } else { Class::Recede };
            Some((
                class,
                vec![
                    state.and_then(|s| shared(&s.class)),
                    state.and_then(|s| maybe(s.route.as_ref())),
                    state.and_then(|s| maybe(s.name.as_ref())),
                    state.and_then(|s| shared(&s.surface)),
                    state.and_then(|s| s.width_m.map(Value::Double)),
                    text(reach.as_str()),
                    km.clone(),
                    maybe(county.as_ref()),
                ],
            ))
        };
        moments.push((day, Moment { staff: shown(reach[0]), public: shown(reach[1]) }));
    }
    Feature::new(row.fid, row.geometry, versions(moments, row.valid_to))
}

/// Waterworks. A scheme that no project builds stands since its first day.
pub(super) fn scheme(
    row: &SchemeRow,
    area: Option<u32>,
    areas: &AreaTree,
    projects: &[&Steps<ProjectState>],
) -> Feature {
    let county = area.and_then(|a| areas.code_above(a, Level::County));
    let mut days: Vec<Day> = projects.iter().flat_map(|p| p.iter().map(|s| s.0)).collect();
    days.push(row.valid_from);
    days.retain(|d| *d >= row.valid_from);
    days.sort_unstable();
    days.dedup();
    let status = |day| {
        let seen: Vec<ProjectStatus> = projects.iter().filter_map(|p| at(p, day)).map(|s| s.status).collect();
        if seen.iter().any(|s| matches!(s, ProjectStatus::UnderWay | ProjectStatus::Completed)) {
            Reach::UnderWay
        } else if seen.contains(&ProjectStatus::NotStarted) {
            Reach::NotStarted
        } else {
            Reach::Done
        }
    };
    let moments = days.into_iter().map(|day| {
        let values = vec![
            shared(&row.name),
            shared(&row.kind),
            row.people.and_then(count),
            text(status(day).as_str()),
            maybe(county.as_ref()),
        ];
        (day, Moment { staff: Some((Class::Recede, values)), public: None })
    });
    Feature::new(row.fid, Geometry::point(row.place), versions(moments.collect(), row.valid_to))
}

/// First day of the quarter before the one that holds a day.
pub(super) fn quarter_before(day: Day) -> Day {
    let date = date_of(day);
    let (mut year, mut quarter) = (date.year(), date.month0() / 3);
    if quarter == 0 {
        (year, quarter) = (year - 1, 4);
    }
    NaiveDate::from_ymd_opt(year, (quarter - 1) * 3 + 1, 1).map_or(day, day_of)
}

fn quarter_starts(from: Day, until: Day) -> impl Iterator<Item = Day> {
    let first = date_of(from);
    let mut month = first.year() * 12 + first.month0() as i32 / 3 * 3;
    std::iter::from_fn(move || {
        month += 3;
        let date = NaiveDate::from_ymd_opt(month.div_euclid(12), month.rem_euclid(12) as u32 + 1, 1)?;
        (day_of(date) <= until).then(|| day_of(date))
    })
}

/// What an area says of itself on a day. Towns and villages have too few projects for silence to
/// mean anything.
pub(super) fn reporting(level: Level, figures: &AreaFigures, day: Day) -> Reporting {
    match (figures.reporting(day, quarter_before(day)), level) {
        (Reporting::NotReported, Level::Province | Level::Town | Level::Village) => Reporting::Reported,
        (word, _) => word,
    }
}

fn day_list(figures: &AreaFigures, services: &[Service]) -> Vec<Day> {
    let mut days: Vec<Day> = figures.days(Metric::COUNTED).collect();
    for &service in services {
        for reading in [Reading::Reported, Reading::Approved] {
            days.extend(figures.days(Metric::served(service, reading)));
        }
    }
    days.push(Day::MIN);
    days
}

/// The days on which what an area says of itself changes: a project may start, a report come in, or
/// a quarter begin by which a report is missed.
fn reporting_days(level: Level, figures: &AreaFigures) -> Vec<Day> {
    if !matches!(level, Level::City | Level::County) {
        return Vec::new();
    }
    let under_way = |s| Metric::status(s, ProjectStatus::UnderWay, Reading::Reported);
    let mut days: Vec<Day> = Sector::ALL.into_iter().flat_map(|s| figures.days(under_way(s))).collect();
    days.extend(figures.days(Metric::REPORTS));
    let (Some(first), Some(last)) = (days.iter().min().copied(), days.iter().max().copied()) else {
        return days;
    };
    // Two quarters after the last of them nothing changes any more.
    days.extend(quarter_starts(first, last + 200));
    days.sort_unstable();
    let mut before = None;
    days.retain(|&day| {
        let now = Some(reporting(level, figures, day));
        let changed = now != before;
        before = now;
        changed
    });
    days
}

/// What an area shows over time.
pub(super) fn area_versions(number: u32, areas: &AreaTree, figures: &AreaFigures) -> Vec<Version> {
    let area = areas.get(number);
    let parent = area.parent.map(|p| Arc::clone(&areas.get(p).code));
    let (city, county) = (areas.code_above(number, Level::City), areas.code_above(number, Level::County));
    let mut days = day_list(figures, &[Service::Road, Service::Water]);
    days.extend(reporting_days(area.level, figures));
    days.sort_unstable();
    days.dedup();
    let mut moments = Vec::with_capacity(days.len());
    for day in days {
        let counted = figures.at(Metric::COUNTED, day);
        let status = reporting(area.level, figures, day);
        let shown = |public| -> Shown {
            let [plain, ok] = readings(public);
            let done = |service, reading| figures.at(Metric::served(service, reading), day);
            let (road, road_ok) = (done(Service::Road, plain), done(Service::Road, ok));
            let (water, water_ok) = (done(Service::Water, plain), done(Service::Water, ok));
            Some((
                Class::Recede,
                vec![
                    text(area.level.as_str()),
                    shared(&area.code),
                    shared(&area.short_name),
                    maybe(parent.as_ref()),
                    maybe(city.as_ref()),
                    maybe(county.as_ref()),
                    text(status.as_str()),
                    rate(road, counted),
                    rate(road_ok, counted),
                    count(road),
                    count(road_ok),
                    count(counted),
                    rate(water, counted),
                    rate(water_ok, counted),
                    count(water),
                    count(water_ok),
                ],
            ))
        };
        moments.push((day, Moment { staff: shown(false), public: shown(true) }));
    }
    versions(moments, OPEN)
}

/// An area as it stands on the map; `None` when nobody knows where it is.
pub(super) fn area(number: u32, areas: &AreaTree, figures: &AreaFigures) -> Option<Feature> {
    let area = areas.get(number);
    if area.level == Level::Village && area.geometry.is_none() {
        return None;
    }
    let geometry = match &area.geometry {
        Some(g) => Arc::clone(g),
        None => Arc::new(Geometry::point(area.place?)),
    };
    let mut feature = Feature::new(area.fid, geometry, area_versions(number, areas, figures));
    feature.anchor = area.place;
    Some(feature)
}

/// What an administrative village shows over time.
pub(super) fn admin_village_versions(number: u32, areas: &AreaTree, figures: &AreaFigures) -> Vec<Version> {
    let area = areas.get(number);
    let above = |level| areas.code_above(number, level);
    let (town, county, city) = (above(Level::Town), above(Level::County), above(Level::City));
    let mut days = day_list(figures, &[Service::Road]);
    days.sort_unstable();
    days.dedup();
    let moments = days.into_iter().map(|day| {
        let shown = |public| -> Shown {
            let [plain, ok] = readings(public);
            let done = |reading| count(figures.at(Metric::served(Service::Road, reading), day));
            Some((
                Class::Recede,
                vec![
                    shared(&area.code),
                    shared(&area.short_name),
                    flag(area.poor),
                    maybe(town.as_ref()),
                    maybe(county.as_ref()),
                    maybe(city.as_ref()),
                    count(figures.at(Metric::COUNTED, day)),
                    done(plain),
                    done(ok),
                ],
            ))
        };
        (day, Moment { staff: shown(false), public: shown(true) })
    });
    versions(moments.collect(), OPEN)
}

/// An administrative village; `None` when nobody knows where it is.
pub(super) fn admin_village(number: u32, areas: &AreaTree, figures: &AreaFigures) -> Option<Feature> {
    let area = areas.get(number);
    let place = area.place?;
    Some(Feature::new(area.fid, Geometry::point(place), admin_village_versions(number, areas, figures)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        day_of(text.parse().unwrap())
    }

    #[test]
    fn quarters() {
        assert_eq!(quarter_before(day("2020-10-31")), day("2020-07-01"));
        assert_eq!(quarter_before(day("2020-01-01")), day("2019-10-01"));
        let starts: Vec<_> = quarter_starts(day("2019-11-05"), day("2020-07-01")).collect();
        assert_eq!(starts, [day("2020-01-01"), day("2020-04-01"), day("2020-07-01")]);
    }

    #[test]
    fn equal_readings_are_kept_once_and_equal_neighbours_melt() {
        let shown = |n: u64| Some((Class::Recede, vec![Some(Value::UInt(n))]));
        let v = versions(
            vec![
                (1, Moment { staff: shown(0), public: shown(0) }),
                (5, Moment { staff: shown(0), public: shown(0) }),
                (7, Moment { staff: shown(1), public: shown(0) }),
                (9, Moment { staff: shown(1), public: None }),
            ],
            20,
        );
        let seen: Vec<_> = v.iter().map(|v| (v.from_day, v.to_day, v.scope.0)).collect();
        assert_eq!(seen, [(1, 7, 3), (7, 9, 2), (7, 9, 1), (9, 20, 2)]);
    }

    #[test]
    fn a_project_shows_what_was_reported_and_when_it_fell_behind() {
        let plan = Plan::new("2020-01-01".parse().unwrap(), "2020-04-10".parse().unwrap(), []);
        let rev = |version, on, status, percent: f64, is_report, approved| Revision {
            version,
            effective_on: day(on),
            status,
            percent: Percent::from(percent),
            is_report,
            approved,
        };
        let (steps, reports) = project_steps(
            &plan,
            vec![
                rev(2, "2020-01-01", ProjectStatus::UnderWay, 0.0, true, true),
                rev(1, "2019-12-01", ProjectStatus::NotStarted, 0.0, false, false),
                rev(3, "2020-01-11", ProjectStatus::UnderWay, 10.0, true, false),
            ],
            &Thresholds::default(),
        );
        assert_eq!(reports.len(), 2);
        let on = |d: &str| at(&steps, day(d)).unwrap();
        assert_eq!(on("2019-12-31").status_ok, Some(ProjectStatus::NotStarted));
        assert_eq!((on("2020-01-11").percent, on("2020-01-11").percent_ok), (1000, 0));
        assert_eq!(on("2020-01-15").light, Some(Light::Ok));
        assert_eq!(on("2020-01-20").light, Some(Light::Warn));
        assert_eq!(on("2020-04-11").light, Some(Light::Late));
    }
}
