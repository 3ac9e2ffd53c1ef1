//! What was true on which day: pure functions from recorded rows to steps in time.

use chrono::{Days, NaiveDate};

use crate::domain::lights::{Light, Status as ProjectStatus};

/// A day as PostgreSQL counts it: days since 2000-01-01.
pub type Day = i32;

/// Never ends.
pub const OPEN: Day = i32::MAX;

fn epoch() -> NaiveDate {
    NaiveDate::from_ymd_opt(2000, 1, 1).unwrap_or_else(|| unreachable!("a valid date"))
}

/// The number of a date.
pub fn day_of(date: NaiveDate) -> Day {
    (date - epoch()).num_days() as Day
}

/// The date of a number; far numbers become the far ends of the calendar.
pub fn date_of(day: Day) -> NaiveDate {
    if day >= 0 {
        epoch().checked_add_days(Days::new(day as u64)).unwrap_or(NaiveDate::MAX)
    } else {
        epoch().checked_sub_days(Days::new(u64::from(day.unsigned_abs()))).unwrap_or(NaiveDate::MIN)
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$d:meta])* $variant:ident $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[$d])* $variant),* }
        impl $name {
            /// All of them, in their order.
            pub const ALL: &[Self] = &[$(Self::$variant),*];
            /// The word in API, tiles and database.
            pub fn as_str(self) -> &'static str { match self { $(Self::$variant => $word),* } }
            /// The value of a word.
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

words! {
    /// How far the road has come to a natural village, or a road segment to being hardened.
    Reach {
        /// Reached; hardened.
        Done "done",
        /// A project is at work, or has finished and is not yet taken over.
        UnderWay "under_way",
        /// A project is planned.
        NotStarted "not_started",
        /// Neither reached nor planned.
        Gap "gap",
    }
}
words! {
    /// What serves a natural village.
    Service {
        /// 通硬化路
        Road "road",
        /// 集中供水
        Water "water",
        /// 通客车
        Bus "bus",
        /// 动力电
        Power "power",
        /// 宽带
        Broadband "broadband",
        /// 干净整洁村
        CleanVillage "clean_village",
    }
}
/// Which of two figures: 上报数 or 审核数.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Reading {
    /// Everything that stands.
    Reported,
    /// What has passed review.
    Approved,
}

/// What is true of a natural village on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct VillageState {
    /// Services as bits (`1 << Service`), by [`Reading`].
    pub served: [u8; 2],
    /// [`Reach`] by road, as its number, by [`Reading`].
    pub reach: [u8; 2],
}

impl VillageState {
    /// Whether a service is there.
    pub fn has(&self, service: Service, reading: Reading) -> bool {
        self.served[reading as usize] & (1 << service as u8) != 0
    }
    /// How far the road has come.
    pub fn reach(&self, reading: Reading) -> Reach {
        Reach::ALL[usize::from(self.reach[reading as usize])]
    }
}

/// A row of `service_states` that stands.
#[derive(Debug, Clone, Copy)]
pub struct ServiceRow {
    /// What is served.
    pub service: Service,
    /// True from this day.
    pub effective_on: Day,
    /// Microseconds; the later record of one day wins.
    pub recorded_at: i64,
    /// Begins, or lapses.
    pub served: bool,
    /// Has passed review.
    pub approved: bool,
}

/// What is true of a project on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProjectState {
    /// Status as reported.
    pub status: ProjectStatus,
    /// Status by approved revisions alone; `None` before the first.
    pub status_ok: Option<ProjectStatus>,
    /// 预警等级, by what is reported; a cancelled project has none.
    pub light: Option<Light>,
    /// Progress in hundredths of a percent, as reported.
    pub percent: i32,
    /// The same by approved revisions alone.
    pub percent_ok: i32,
}

impl ProjectState {
    /// Status in a reading; `None` where the reading knows nothing of the project yet.
    pub fn status(&self, reading: Reading) -> Option<ProjectStatus> {
        match reading {
            Reading::Reported => Some(self.status),
            Reading::Approved => self.status_ok,
        }
    }
}

/// Value from a day on, sorted by day.
pub type Steps<T> = [(Day, T)];

/// The value on a day; `None` before the first step.
pub fn at<T: Copy>(steps: &Steps<T>, day: Day) -> Option<T> {
    let i = steps.partition_point(|s| s.0 <= day);
    i.checked_sub(1).map(|i| steps[i].1)
}

/// Keeps, of rows in any order, the last of each day (by `order`), and of equal neighbours the first.
pub fn steps_of<T: Copy + PartialEq>(mut rows: Vec<(Day, i64, T)>) -> Vec<(Day, T)> {
    rows.sort_by_key(|r| (r.0, r.1));
    let mut steps: Vec<(Day, T)> = Vec::with_capacity(rows.len());
    for (day, _, value) in rows {
        push_step(&mut steps, day, value);
    }
    steps
}

/// Appends a step on or after the last one.
pub fn push_step<T: Copy + PartialEq>(steps: &mut Vec<(Day, T)>, day: Day, value: T) {
    if let Some(last) = steps.last_mut()
        && last.0 == day
    {
        last.1 = value;
        let n = steps.len();
        if n > 1 && steps[n - 2].1 == value {
            steps.pop();
        }
        return;
    }
    if steps.last().is_none_or(|last| last.1 != value) {
        steps.push((day, value));
    }
}

/// How far the road has come when it has not arrived: what the projects that serve it do.
/// A finished project whose village is not yet recorded as reached counts as at work, since it
/// waits for review; a cancelled one does not count.
pub fn reach_by_projects(projects: &[&Steps<ProjectState>], day: Day, reading: Reading) -> Reach {
    let mut best = Reach::Gap;
    for steps in projects {
        match at(steps, day).and_then(|s| s.status(reading)) {
            Some(ProjectStatus::UnderWay | ProjectStatus::Completed | ProjectStatus::Done) => {
                return Reach::UnderWay;
            }
            Some(ProjectStatus::NotStarted) => best = Reach::NotStarted,
            Some(ProjectStatus::Cancelled) | None => {}
        }
    }
    best
}

/// The history of a natural village from the day it exists.
pub fn village_steps(
    valid_from: Day,
    rows: &mut [ServiceRow],
    road_projects: &[&Steps<ProjectState>],
) -> Vec<(Day, VillageState)> {
    rows.sort_by_key(|r| (r.effective_on, r.recorded_at));
    let mut days: Vec<Day> = rows.iter().map(|r| r.effective_on).collect();
    days.extend(road_projects.iter().flat_map(|p| p.iter().map(|s| s.0)));
    days.push(valid_from);
    days.sort_unstable();
    days.dedup();
    let mut served = [0_u8; 2];
    let mut next = rows.iter().peekable();
    let mut steps = Vec::new();
    for day in days {
        while let Some(row) = next.next_if(|r| r.effective_on <= day) {
            for reading in [Reading::Reported, Reading::Approved] {
                if reading == Reading::Approved && !row.approved {
                    continue;
                }
                let bit = 1 << row.service as u8;
                let bits = &mut served[reading as usize];
                *bits = if row.served { *bits | bit } else { *bits & !bit };
            }
        }
        if day < valid_from {
            continue;
        }
        let reach = [Reading::Reported, Reading::Approved].map(|reading| {
            if served[reading as usize] & (1 << Service::Road as u8) != 0 {
                Reach::Done as u8
            } else {
                reach_by_projects(road_projects, day, reading) as u8
            }
        });
        push_step(&mut steps, day, VillageState { served, reach });
    }
    steps
}

/// The history of a road segment: hardened or not from its states, else what projects do with it.
/// Segment states carry no review of their own; the reading matters for the projects alone.
pub fn segment_reach(
    hardened: Option<bool>,
    projects: &[&Steps<ProjectState>],
    day: Day,
    reading: Reading,
) -> Reach {
    if hardened == Some(true) { Reach::Done } else { reach_by_projects(projects, day, reading) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(steps: &[(Day, ProjectStatus, bool)]) -> Vec<(Day, ProjectState)> {
        let mut ok = None;
        steps
            .iter()
            .map(|&(day, status, approved)| {
                if approved {
                    ok = Some(status);
                }
                (
                    day,
                    ProjectState { status, status_ok: ok, light: Some(Light::Ok), percent: 0, percent_ok: 0 },
                )
            })
            .collect()
    }
    fn road(day: Day, recorded_at: i64, served: bool, approved: bool) -> ServiceRow {
        ServiceRow { service: Service::Road, effective_on: day, recorded_at, served, approved }
    }

    #[test]
    fn days_and_dates() {
        let d: NaiveDate = "2020-10-31".parse().unwrap();
        assert_eq!(date_of(day_of(d)), d);
        assert_eq!(day_of("1999-12-31".parse().unwrap()), -1);
        assert_eq!(date_of(-1), "1999-12-31".parse().unwrap());
    }

    #[test]
    fn a_village_goes_from_gap_to_done_in_both_readings() {
        use ProjectStatus::*;
        let p = project(&[(10, NotStarted, true), (20, UnderWay, true), (30, Completed, false)]);
        let mut rows = [road(30, 1, true, false)];
        let steps = village_steps(0, &mut rows, &[&p]);
        let seen: Vec<_> =
            steps.iter().map(|(d, s)| (*d, s.reach(Reading::Reported), s.reach(Reading::Approved))).collect();
        assert_eq!(
            seen,
            [
                (0, Reach::Gap, Reach::Gap),
                (10, Reach::NotStarted, Reach::NotStarted),
                (20, Reach::UnderWay, Reach::UnderWay),
                (30, Reach::Done, Reach::UnderWay)
            ]
        );
        assert!(at(&steps, -1).is_none());
    }

    #[test]
    fn a_service_lapses_and_returns_and_the_later_record_of_a_day_wins() {
        let mut rows = [
            road(20, 2, false, true),
            road(10, 1, true, true),
            road(20, 3, true, true),
            road(40, 4, false, true),
        ];
        let steps = village_steps(5, &mut rows, &[]);
        let has = |d| at(&steps, d).map(|s| s.has(Service::Road, Reading::Approved));
        assert_eq!(
            [has(4), has(5), has(10), has(20), has(39), has(40)],
            [None, Some(false), Some(true), Some(true), Some(true), Some(false)]
        );
        assert_eq!(steps.len(), 3);
    }

    #[test]
    fn what_was_true_before_the_village_existed_holds_on_its_first_day() {
        let mut rows = [road(1, 1, true, true)];
        assert_eq!(village_steps(5, &mut rows, &[])[0].0, 5);
        assert!(village_steps(5, &mut rows, &[])[0].1.has(Service::Road, Reading::Reported));
    }

    #[test]
    fn equal_neighbours_melt() {
        assert_eq!(steps_of(vec![(3, 0, 1), (1, 0, 1), (2, 1, 1), (2, 0, 7), (4, 0, 2)]), [(1, 1), (4, 2)]);
    }
}
