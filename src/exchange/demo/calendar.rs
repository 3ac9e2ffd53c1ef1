//! The days of the demo province. It lives on the business date and never looks at a clock.

use chrono::{Datelike, Days, NaiveDate};

/// Days since 1970-01-01: all arithmetic of the generator is on whole days.
pub type Day = i32;

/// The day of a date that exists; day 0 for one that does not.
pub const fn day(year: i32, month: u32, day: u32) -> Day {
    match NaiveDate::from_ymd_opt(year, month, day) {
        Some(date) => date.to_epoch_days(),
        None => 0,
    }
}

/// Today, in the demo province.
pub const BUSINESS_DATE: Day = day(2020, 10, 31);
/// First day of the three-year plan: where the time bar starts.
pub const FIRST_DATE: Day = day(2018, 1, 1);
/// Day on which the list of natural villages was fixed.
pub const CENSUS: Day = day(2017, 12, 31);
/// First report day of the month that is still being reviewed.
pub const PENDING_FROM: Day = day(2020, 10, 15);

/// The calendar date of a day.
pub fn date(day: Day) -> NaiveDate {
    let epoch = NaiveDate::default();
    if day >= 0 {
        epoch.checked_add_days(Days::new(day as u64)).unwrap_or(epoch)
    } else {
        epoch.checked_sub_days(Days::new(u64::from(day.unsigned_abs()))).unwrap_or(epoch)
    }
}

/// A moment in milliseconds since 1970, from a day and minutes after midnight in Shanghai.
pub fn moment(day: Day, minutes: i64) -> i64 {
    (i64::from(day) * 1440 + minutes - 8 * 60) * 60_000
}

/// Calendar year of a day.
pub fn year(day: Day) -> i32 {
    date(day).year()
}

/// The days on which monthly figures are due between two days: the 25th to 28th of each month.
pub fn report_days(from: Day, to: Day, offset: u32) -> Vec<Day> {
    let first = date(from);
    let (mut y, mut m) = (first.year(), first.month());
    let mut days = Vec::new();
    loop {
        let due = day(y, m, 25 + offset % 4);
        if due > to {
            return days;
        }
        if due > from {
            days.push(due);
        }
        (y, m) = if m == 12 { (y + 1, 1) } else { (y, m + 1) };
    }
}
