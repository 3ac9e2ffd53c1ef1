//! Why a light is as it is, in words with the limit and the document that sets it.

use serde::Serialize;
use utoipa::ToSchema;

use crate::db::settings::Settings;
use crate::domain::lights::LightReason;

/// The rule that decided a light.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ReasonWords {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
    /// The limit that was passed or kept: percentage points or days; null where the rule has none.
    pub threshold: Option<f64>,
    /// Document that sets the limit.
    pub document_no: Option<String>,
}

/// The reason in words.
pub fn reason(reason: &LightReason, settings: &Settings) -> ReasonWords {
    let words = |zh: String, en: String, limit: Option<(f64, &str)>| ReasonWords {
        zh,
        en,
        threshold: limit.map(|(value, _)| value),
        document_no: limit.and_then(|(_, key)| settings.get(key)).map(|s| s.document_no.clone()),
    };
    match *reason {
        LightReason::Accepted => words("已通过验收".into(), "Accepted".into(), None),
        LightReason::AwaitsAcceptance => {
            words("已完工，待验收".into(), "Completed, waits for acceptance".into(), None)
        }
        LightReason::Cancelled => words("已取消出库".into(), "Cancelled".into(), None),
        LightReason::PastDue { days } => words(
            format!("超过计划完工日期 {days} 天"),
            format!("{} past the planned finish", days_en(days)),
            None,
        ),
        LightReason::Lag { lag, days, limit } => {
            let late = limit == settings.thresholds().lag_late;
            let (line_zh, line_en, key) = if late {
                ("红线", "red line", "lag_late_pp")
            } else {
                ("预警线", "warning line", "lag_warn_pp")
            };
            words(
                format!("滞后 {days} 天，比计划少完成 {lag} 个百分点（{line_zh} {limit}）"),
                format!("{} behind, {lag} pp less than planned ({line_en} {limit} pp)", days_en(days)),
                Some((limit.value(), key)),
            )
        }
        LightReason::StartLate { days, limit } => words(
            format!("应开工未开工，已超过 {days} 天（红线 {limit} 天）"),
            format!("Start is {} late (red line {})", days_en(days), days_en(limit.into())),
            Some((limit.into(), "start_late_days")),
        ),
        LightReason::NoUpdate { days, limit } => words(
            format!("已 {days} 天没有填报（红线 {limit} 天）"),
            format!("No report for {} (red line {})", days_en(days), days_en(limit.into())),
            Some((limit.into(), "no_update_days")),
        ),
        LightReason::NeverReported => {
            words("在建，尚未填报".into(), "Under way, never reported".into(), None)
        }
        LightReason::WithinPlan { lag, limit } if lag.hundredths() > 0 => words(
            format!("比计划少完成 {lag} 个百分点，未超过预警线 {limit}"),
            format!("{lag} pp less than planned, within the warning line of {limit} pp"),
            Some((limit.value(), "lag_warn_pp")),
        ),
        LightReason::WithinPlan { limit, .. } => {
            words("符合计划进度".into(), "As planned or ahead".into(), Some((limit.value(), "lag_warn_pp")))
        }
        LightReason::NotDueYet { days: 0 } => words("计划今天开工".into(), "Due to start today".into(), None),
        LightReason::NotDueYet { days } => words(
            format!("未到计划开工日期，还有 {days} 天"),
            format!("Due to start in {}", days_en(days)),
            None,
        ),
    }
}

fn days_en(days: i64) -> String {
    if days == 1 { "1 day".into() } else { format!("{days} days") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::plan::Percent;

    #[test]
    fn a_lag_names_days_points_and_line() {
        let settings = Settings::default();
        let limit = settings.thresholds().lag_late;
        let words = reason(&LightReason::Lag { lag: Percent::from(17.5), days: 23, limit }, &settings);
        assert_eq!(words.zh, "滞后 23 天，比计划少完成 17.5 个百分点（红线 15）");
        assert_eq!(words.threshold, Some(15.0));
    }
}
