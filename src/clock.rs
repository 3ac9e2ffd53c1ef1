//! Time as the program sees it. The business date is injected, so that the demo province lives
//! on 2020-10-31 and tests are not at the mercy of the calendar.

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};

/// Source of "now" and of "today" (业务日期, Asia/Shanghai).
#[derive(Debug, Clone, Default)]
pub struct Clock {
    fixed_business_date: Option<NaiveDate>,
}

impl Clock {
    /// A clock whose business date is fixed when given, and follows the wall clock otherwise.
    pub fn new(fixed_business_date: Option<NaiveDate>) -> Self {
        Self { fixed_business_date }
    }

    /// The instant of recording. Always the real time: only "today" can be fixed.
    pub fn now(&self) -> DateTime<Utc> {
        #[allow(clippy::disallowed_methods)] // the one place that reads the wall clock
        Utc::now()
    }

    /// The date that rules mean by "today", in China's time zone (UTC+8, no summer time).
    pub fn business_date(&self) -> NaiveDate {
        self.fixed_business_date.unwrap_or_else(|| {
            let china = FixedOffset::east_opt(8 * 3600)
                .unwrap_or_else(|| unreachable!("eight hours are a valid offset"));
            self.now().with_timezone(&china).date_naive()
        })
    }
}
