use proptest::prelude::*;

use super::*;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}
fn pc(percent: f64) -> Percent {
    Percent::from(percent)
}
/// 100 days from 0 to 100 %: one point a day.
fn plan() -> Plan {
    Plan::new(day("2020-01-01"), day("2020-04-10"), [])
}
fn under_way(percent: f64, last: &str) -> Progress {
    Progress {
        status: Status::UnderWay,
        percent: pc(percent),
        started_on: Some(day("2020-01-01")),
        last_reported_on: Some(day(last)),
    }
}
fn not_started() -> Progress {
    Progress { status: Status::NotStarted, percent: Percent::ZERO, started_on: None, last_reported_on: None }
}
fn light(progress: &Progress, on: &str) -> Light {
    light_at(&plan(), progress, &Thresholds::default(), day(on)).0.unwrap()
}

#[test]
fn lag_of_exactly_the_limit_is_within_it() {
    // Planned 2020-02-20: 50 %.
    assert_eq!(light(&under_way(45.0, "2020-02-20"), "2020-02-20"), Light::Ok);
    assert_eq!(light(&under_way(44.99, "2020-02-20"), "2020-02-20"), Light::Warn);
    assert_eq!(light(&under_way(35.0, "2020-02-20"), "2020-02-20"), Light::Warn);
    assert_eq!(light(&under_way(34.99, "2020-02-20"), "2020-02-20"), Light::Late);
}

#[test]
fn lag_is_told_in_points_and_days() {
    let lag = lag_at(&plan(), &under_way(40.0, "2020-02-20"), day("2020-02-20")).unwrap();
    assert_eq!((lag.planned, lag.points, lag.days), (pc(50.0), pc(10.0), 10));
    let ahead = lag_at(&plan(), &under_way(60.0, "2020-02-20"), day("2020-02-20")).unwrap();
    assert_eq!((ahead.points, ahead.days), (pc(-10.0), 0));
    let (_, why) =
        light_at(&plan(), &under_way(40.0, "2020-02-20"), &Thresholds::default(), day("2020-02-20"));
    assert_eq!(why, LightReason::Lag { lag: pc(10.0), days: 10, limit: pc(5.0) });
}

#[test]
fn a_start_is_late_from_the_day_after_and_red_after_thirty() {
    // A plan whose curve does not interfere: the first 90 days prepare.
    let plan = Plan::new(
        day("2020-01-01"),
        day("2020-12-31"),
        [(day("2020-01-01"), pc(0.0)), (day("2020-06-30"), pc(0.0))],
    );
    let light = |on: &str| light_at(&plan, &not_started(), &Thresholds::default(), day(on)).0.unwrap();
    assert_eq!(light("2019-12-31"), Light::Todo);
    assert_eq!(light("2020-01-01"), Light::Todo);
    assert_eq!(light("2020-01-02"), Light::Warn);
    assert_eq!(light("2020-01-31"), Light::Warn);
    assert_eq!(light("2020-02-01"), Light::Late);
}

#[test]
fn silence_is_late_after_forty_five_days() {
    let ahead = under_way(99.0, "2020-01-10");
    assert_eq!(light(&ahead, "2020-02-24"), Light::Ok);
    assert_eq!(light(&ahead, "2020-02-25"), Light::Late);
    let never = Progress { last_reported_on: None, ..under_way(0.0, "2020-01-01") };
    assert_eq!(light(&never, "2020-02-15"), Light::None);
    assert_eq!(light(&never, "2020-02-16"), Light::Late);
}

#[test]
fn the_due_day_is_in_time() {
    let nearly = under_way(99.0, "2020-04-01");
    assert_eq!(light(&nearly, "2020-04-10"), Light::Ok);
    assert_eq!(light(&nearly, "2020-04-11"), Light::Late);
    let finished = Progress { status: Status::Completed, percent: Percent::FULL, ..nearly };
    assert_eq!(light(&finished, "2020-05-01"), Light::Ok);
    let accepted = Progress { status: Status::Done, ..finished };
    assert_eq!(light(&accepted, "2025-01-01"), Light::Done);
    let cancelled = Progress { status: Status::Cancelled, ..finished };
    assert_eq!(light_at(&plan(), &cancelled, &Thresholds::default(), day("2025-01-01")).0, None);
}

#[test]
fn limits_are_the_provinces() {
    let strict = Thresholds { lag_warn: pc(1.0), lag_late: pc(2.0), ..Thresholds::default() };
    let (light, _) = light_at(&plan(), &under_way(47.0, "2020-02-20"), &strict, day("2020-02-20"));
    assert_eq!(light, Some(Light::Late));
}

fn date() -> impl Strategy<Value = NaiveDate> {
    (0u64..900).prop_map(|n| day("2018-06-01") + Days::new(n))
}
fn percent() -> impl Strategy<Value = Percent> {
    prop_oneof![Just(Percent::ZERO), Just(Percent::FULL), (0..=10_000).prop_map(Percent::from_hundredths)]
}
/// Any plan, well written (rising) or not.
fn any_plan() -> impl Strategy<Value = Plan> {
    (date(), 0u64..500, prop::collection::vec((date(), percent()), 0..6), any::<bool>()).prop_map(
        |(start, length, mut points, rising)| {
            if rising {
                let (mut days, mut percents): (Vec<_>, Vec<_>) = points.iter().copied().unzip();
                days.sort_unstable();
                percents.sort_unstable();
                points = days.into_iter().zip(percents).collect();
            }
            Plan::new(start, start + Days::new(length), points)
        },
    )
}
fn any_progress() -> impl Strategy<Value = Progress> {
    (0..5usize, percent(), prop::option::of(date()), prop::option::of(date())).prop_map(
        |(status, percent, started_on, last_reported_on)| Progress {
            status: Status::ALL[status],
            percent,
            started_on,
            last_reported_on,
        },
    )
}
fn any_limits() -> impl Strategy<Value = Thresholds> {
    (0..3000, 0..4000, 0u32..60, 0u32..90).prop_map(|(warn, more, start_late_days, no_update_days)| {
        Thresholds {
            lag_warn: Percent::from_hundredths(warn),
            lag_late: Percent::from_hundredths(warn + more),
            start_late_days,
            no_update_days,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn timeline_is_the_light_of_every_day(
        plan in any_plan(),
        mut history in prop::collection::vec((date(), any_progress()), 0..6),
        limits in any_limits(),
    ) {
        history.sort_by_key(|&(from, _)| from);
        let lights = timeline(&plan, &history, &limits);
        prop_assert!(lights.windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 != w[1].1));
        for n in 0..1800 {
            let today = day("2018-05-01") + Days::new(n);
            let expected = history.iter().rev().find(|&&(from, _)| from <= today)
                .and_then(|(_, progress)| light_at(&plan, progress, &limits, today).0);
            prop_assert_eq!(light_on(&lights, today), expected, "on {}", today);
        }
    }

    #[test]
    fn lag_days_are_the_days_since_the_plan_stood_there(
        plan in any_plan(), percent in percent(), today in date(),
    ) {
        let last = plan.last_day_at(percent, today);
        let begin = plan.points()[0].0.min(today);
        let mut expected = today;
        while expected >= begin && plan.percent_on(expected) > percent {
            expected = expected.pred_opt().unwrap();
        }
        prop_assert_eq!(last, expected);
    }

    #[test]
    fn a_rising_plan_never_falls(plan in any_plan(), today in date()) {
        let rising = plan.points().windows(2).all(|w| w[0].1 <= w[1].1);
        if rising {
            prop_assert!(plan.percent_on(today) <= plan.percent_on(today.succ_opt().unwrap()));
        }
    }
}
