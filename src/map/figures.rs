//! Coverage and progress of every area on any date: step series in memory, summed up the chain.

use std::sync::Arc;

use super::timeline::{Day, OPEN, ProjectState, Reach, Reading, Service, Steps, VillageState};
use crate::domain::lights::{Light, Status as ProjectStatus};
use crate::domain::sector::Sector;

/// What is counted. Small numbers, so that an area keeps only the series that it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Metric(u16);

impl Metric {
    /// Natural villages.
    pub const NATURAL_VILLAGES: Self = Self(0);
    /// Natural villages of the denominator list.
    pub const COUNTED: Self = Self(1);
    /// Progress reports.
    pub const REPORTS: Self = Self(2);

    /// Counted natural villages that have a service.
    pub fn served(service: Service, reading: Reading) -> Self {
        Self(8 + 8 * reading as u16 + service as u16)
    }
    /// Counted natural villages by how far the road has come; [`Reach::Done`] equals
    /// [`Metric::served`] of the road.
    pub fn reach(reach: Reach, reading: Reading) -> Self {
        Self(24 + 8 * reading as u16 + reach as u16)
    }
    /// Projects by status. The approved reading counts published projects alone: it is what the
    /// public sees.
    pub fn status(sector: Sector, status: ProjectStatus, reading: Reading) -> Self {
        Self(64 + 32 * sector as u16 + 8 * reading as u16 + status as u16)
    }
    /// Projects by 预警等级, as reported.
    pub fn light(sector: Sector, light: Light) -> Self {
        Self(64 + 32 * sector as u16 + 16 + light as u16)
    }
}

/// A change of a count on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Event {
    /// What changes.
    pub metric: Metric,
    /// From this day.
    pub day: Day,
    /// By how much.
    pub delta: i32,
}

/// Events of a natural village's history, each turned by `sign` (−1 takes it out again).
pub fn village_events(
    steps: &Steps<VillageState>,
    ends: Day,
    counted: bool,
    sign: i32,
    out: &mut Vec<Event>,
) {
    let Some(&(first, _)) = steps.first() else { return };
    let mut put = |metric, day, delta: i32| out.push(Event { metric, day, delta: delta * sign });
    put(Metric::NATURAL_VILLAGES, first, 1);
    if ends != OPEN {
        put(Metric::NATURAL_VILLAGES, ends, -1);
    }
    if !counted {
        return;
    }
    put(Metric::COUNTED, first, 1);
    if ends != OPEN {
        put(Metric::COUNTED, ends, -1);
    }
    let mut was: Option<VillageState> = None;
    let end = (ends != OPEN).then_some((ends, None));
    for (day, state) in steps.iter().map(|&(d, s)| (d, Some(s))).filter(|s| s.0 < ends).chain(end) {
        for reading in [Reading::Reported, Reading::Approved] {
            for &service in Service::ALL {
                let (before, now) = (
                    was.is_some_and(|s| s.has(service, reading)),
                    state.is_some_and(|s| s.has(service, reading)),
                );
                if before != now {
                    put(Metric::served(service, reading), day, if now { 1 } else { -1 });
                }
            }
            let (before, now) = (was.map(|s| s.reach(reading)), state.map(|s| s.reach(reading)));
            if before != now {
                if let Some(reach) = before {
                    put(Metric::reach(reach, reading), day, -1);
                }
                if let Some(reach) = now {
                    put(Metric::reach(reach, reading), day, 1);
                }
            }
        }
        was = state;
    }
}

/// Events of a project's history, each turned by `sign`.
pub fn project_events(
    sector: Sector,
    steps: &Steps<ProjectState>,
    reports: &[Day],
    published: bool,
    sign: i32,
    out: &mut Vec<Event>,
) {
    let mut put = |metric, day, delta: i32| out.push(Event { metric, day, delta: delta * sign });
    let mut was: Option<ProjectState> = None;
    for &(day, state) in steps {
        for reading in [Reading::Reported, Reading::Approved] {
            if reading == Reading::Approved && !published {
                continue;
            }
            let (before, now) = (was.and_then(|s| s.status(reading)), state.status(reading));
            if before != now {
                if let Some(status) = before {
                    put(Metric::status(sector, status, reading), day, -1);
                }
                if let Some(status) = now {
                    put(Metric::status(sector, status, reading), day, 1);
                }
            }
        }
        let before = was.and_then(|s| s.light);
        if before != state.light {
            if let Some(light) = before {
                put(Metric::light(sector, light), day, -1);
            }
            if let Some(light) = state.light {
                put(Metric::light(sector, light), day, 1);
            }
        }
        was = Some(state);
    }
    for &day in reports {
        put(Metric::REPORTS, day, 1);
    }
}

/// Sorts and sums events of one metric and day.
pub fn condense(events: &mut Vec<Event>) {
    events.sort_unstable_by_key(|e| (e.metric, e.day));
    events.dedup_by(|later, kept| {
        let same = (later.metric, later.day) == (kept.metric, kept.day);
        if same {
            kept.delta += later.delta;
        }
        same
    });
    events.retain(|e| e.delta != 0);
}

/// Counts of one area and everything below it, on any day.
#[derive(Debug, Clone, Default)]
pub struct AreaFigures {
    /// Sorted by metric; each a cumulated count from a day on.
    series: Vec<(Metric, Vec<(Day, i32)>)>,
    /// Administrative villages.
    pub villages: u32,
    /// Of these, the relatively poor ones.
    pub poor_villages: u32,
}

impl AreaFigures {
    /// From condensed events.
    pub fn from_events(events: &[Event]) -> Self {
        let mut series: Vec<(Metric, Vec<(Day, i32)>)> = Vec::new();
        for group in events.chunk_by(|a, b| a.metric == b.metric) {
            let mut sum = 0;
            let steps = group.iter().map(|e| {
                sum += e.delta;
                (e.day, sum)
            });
            series.push((group[0].metric, steps.collect()));
        }
        Self { series, ..Self::default() }
    }

    /// The count on a day.
    pub fn at(&self, metric: Metric, day: Day) -> i32 {
        let Ok(i) = self.series.binary_search_by_key(&metric, |s| s.0) else { return 0 };
        let steps = &self.series[i].1;
        let next = steps.partition_point(|s| s.0 <= day);
        next.checked_sub(1).map_or(0, |i| steps[i].1)
    }

    /// The days on which a count changes.
    pub fn days(&self, metric: Metric) -> impl Iterator<Item = Day> + '_ {
        let i = self.series.binary_search_by_key(&metric, |s| s.0).ok();
        i.into_iter().flat_map(|i| self.series[i].1.iter().map(|s| s.0))
    }

    /// Adds events to the counts.
    pub fn add(&mut self, events: &[Event]) {
        for e in events {
            let i = match self.series.binary_search_by_key(&e.metric, |s| s.0) {
                Ok(i) => i,
                Err(i) => {
                    self.series.insert(i, (e.metric, Vec::new()));
                    i
                }
            };
            let steps = &mut self.series[i].1;
            let from = match steps.binary_search_by_key(&e.day, |s| s.0) {
                Ok(i) => i,
                Err(i) => {
                    let before = i.checked_sub(1).map_or(0, |i| steps[i].1);
                    steps.insert(i, (e.day, before));
                    i
                }
            };
            for step in &mut steps[from..] {
                step.1 += e.delta;
            }
            // A day on which nothing changes any more is no step.
            let before = from.checked_sub(1).map_or(0, |i| steps[i].1);
            if steps[from].1 == before {
                steps.remove(from);
            }
        }
    }

    /// All projects of a sector on a day, by status in [`ProjectStatus::ALL`]'s order.
    pub fn statuses(&self, sector: Sector, reading: Reading, day: Day) -> [i32; 5] {
        ProjectStatus::ALL.map(|s| self.at(Metric::status(sector, s, reading), day))
    }

    /// All projects of a sector on a day, by light in [`Light::ALL`]'s order.
    pub fn lights(&self, sector: Sector, day: Day) -> [i32; 6] {
        Light::ALL.map(|l| self.at(Metric::light(sector, l), day))
    }

    /// What an area says of itself on a day.
    pub fn reporting(&self, day: Day, quarter_before: Day) -> Reporting {
        if self.at(Metric::COUNTED, day) == 0 {
            return Reporting::NoTask;
        }
        let under_way: i32 = Sector::ALL
            .iter()
            .map(|&s| self.at(Metric::status(s, ProjectStatus::UnderWay, Reading::Reported), day))
            .sum();
        if under_way > 0 && self.at(Metric::REPORTS, day) == self.at(Metric::REPORTS, quarter_before - 1) {
            return Reporting::NotReported;
        }
        Reporting::Reported
    }
}

/// Whether an area's rate means something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reporting {
    /// It does.
    Reported,
    /// 无任务: nothing to do there.
    NoTask,
    /// 未填报: work goes on there, and nobody has reported since the quarter before began.
    NotReported,
}

impl Reporting {
    /// The word of API and tiles. Style and page say "ok" for areas that report.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reported => "ok",
            Self::NoTask => "no_task",
            Self::NotReported => "not_reported",
        }
    }
}

/// The figures of all areas at one moment of the feed. Cloning copies pointers only.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    areas: Vec<Arc<AreaFigures>>,
}

impl Figures {
    /// One per area, in the order of the area tree.
    pub fn new(areas: Vec<AreaFigures>) -> Self {
        Self { areas: areas.into_iter().map(Arc::new).collect() }
    }
    /// The figures of an area by its number in the tree.
    pub fn area(&self, area: u32) -> &Arc<AreaFigures> {
        &self.areas[area as usize]
    }
    /// Adds events to an area. Readers that hold an earlier clone do not see it.
    pub fn add(&mut self, area: u32, events: &[Event]) {
        Arc::make_mut(&mut self.areas[area as usize]).add(events);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::timeline::{ServiceRow, village_steps};
    use proptest::prelude::*;

    fn row(day: Day, service: Service, served: bool, approved: bool) -> ServiceRow {
        ServiceRow { service, effective_on: day, recorded_at: i64::from(day), served, approved }
    }

    #[test]
    fn a_village_is_counted_from_its_days_and_can_be_taken_out_again() {
        let mut rows = [row(10, Service::Road, true, true), row(20, Service::Water, true, false)];
        let steps = village_steps(0, &mut rows, &[]);
        let mut events = Vec::new();
        village_events(&steps, OPEN, true, 1, &mut events);
        condense(&mut events);
        let mut f = AreaFigures::from_events(&events);
        let road = Metric::served(Service::Road, Reading::Approved);
        assert_eq!((f.at(road, 9), f.at(road, 10)), (0, 1));
        assert_eq!(f.at(Metric::served(Service::Water, Reading::Approved), 99), 0);
        assert_eq!(f.at(Metric::reach(Reach::Gap, Reading::Reported), 9), 1);
        assert_eq!(f.at(Metric::reach(Reach::Gap, Reading::Reported), 10), 0);
        let mut out = Vec::new();
        village_events(&steps, OPEN, true, -1, &mut out);
        f.add(&out);
        assert!(f.series.iter().all(|s| s.1.is_empty()));
    }

    proptest! {
        #[test]
        fn adding_one_by_one_equals_building_at_once(
            events in prop::collection::vec((0_u16..4, -20..20_i32, -3..4_i32), 0..60)
        ) {
            let events: Vec<Event> =
                events.into_iter().map(|(m, day, delta)| Event { metric: Metric(m), day, delta }).collect();
            let mut added = AreaFigures::default();
            added.add(&events);
            let mut condensed = events.clone();
            condense(&mut condensed);
            let built = AreaFigures::from_events(&condensed);
            for m in 0..4 {
                for day in -25..25 {
                    let sum: i32 =
                        events.iter().filter(|e| e.metric.0 == m && e.day <= day).map(|e| e.delta).sum();
                    prop_assert_eq!(added.at(Metric(m), day), sum);
                    prop_assert_eq!(built.at(Metric(m), day), sum);
                }
            }
        }
    }
}
