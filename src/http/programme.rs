//! `/api/v1/programme`: what this province decided, and what its words mean.

use axum::Json;
use axum::extract::State;
use chrono::NaiveDate;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::AppState;
use crate::db::areas;
use crate::db::settings::{self, QuantityItem, Settings};
use crate::domain::sector::Sector;
use crate::error::{Error, Result};

/// Routes of this resource.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(get_programme))
}

/// The province.
#[derive(Debug, Serialize, ToSchema)]
pub struct Province {
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
    /// West, south, east, north.
    pub bbox: Option<[f64; 4]>,
    /// Seat, or middle.
    pub center: Option<[f64; 2]>,
}

/// A quantity in which a sector reports.
#[derive(Debug, Serialize, ToSchema)]
pub struct Item {
    /// Word of the item.
    pub item: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// Chinese unit.
    pub unit_zh: String,
    /// English unit.
    pub unit_en: String,
    /// Digits after the point.
    pub decimals: i16,
    /// Share in the percentage, 0 to 1.
    pub weight: f64,
}

/// A sector.
#[derive(Debug, Serialize, ToSchema)]
pub struct SectorWords {
    /// Word of the API.
    pub sector: &'static str,
    /// Chinese name.
    pub name_zh: &'static str,
    /// English name.
    pub name_en: &'static str,
    /// What it reports in.
    pub items: Vec<Item>,
}

/// A state of the lifecycle.
#[derive(Debug, Serialize, ToSchema)]
pub struct StateWords {
    /// Word of the API.
    pub state: String,
    /// not_started, under_way, completed, done or cancelled
    pub status: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
}

/// Limits of the lights and of the map's classes.
#[derive(Debug, Serialize, ToSchema)]
pub struct Limits {
    /// Yellow above this lag, percentage points.
    pub lag_warn_pp: f64,
    /// Red above this lag, percentage points.
    pub lag_late_pp: f64,
    /// Red when the start is more than this many days late.
    pub start_late_days: u32,
    /// Red without a report for more than this many days.
    pub no_update_days: u32,
    /// Breaks of the choropleth, percent.
    pub choropleth: Vec<f64>,
    /// Below this rate an area is marked, percent.
    pub red_line: f64,
}

/// A goal of the policy.
#[derive(Debug, Serialize, ToSchema)]
pub struct TargetLine {
    /// What is measured.
    pub metric: String,
    /// Of which set.
    pub scope: String,
    /// How much.
    pub value: f64,
    /// In what unit.
    pub unit: String,
    /// By when.
    pub due_on: NaiveDate,
    /// Document.
    pub document_no: String,
    /// Section in it.
    pub section: String,
}

/// An account of a demo province.
#[derive(Debug, Serialize, ToSchema)]
pub struct DemoAccount {
    /// Name to sign in with.
    pub login: String,
    /// Its password, no secret in a demo.
    pub password: &'static str,
    /// Name to show.
    pub display_name: String,
    /// Unit.
    pub unit_name: String,
    /// clerk, reviewer, …
    pub role: String,
}

/// When is reported, as the province decided it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Reporting {
    /// ten_days (旬报), month (月报) or quarter (季报)
    pub cycle: &'static str,
    /// A period's report is due this many days after its last day.
    pub due_days: u32,
    /// A returned report is to be corrected within this many days.
    pub mend_days: u32,
    /// First day of the period that holds today.
    pub period_first: NaiveDate,
    /// Last day of it.
    pub period_last: NaiveDate,
    /// Day by which its report is due.
    pub period_due_on: NaiveDate,
    /// The document that says so; null where the usual rule holds.
    pub document_no: Option<String>,
    /// Day from which it counts.
    pub effective_on: Option<NaiveDate>,
}

impl Reporting {
    /// The rule that counts, with its document.
    pub(super) fn of(settings: &Settings, today: NaiveDate) -> Self {
        let rule = settings.reporting();
        let period = rule.period_of(today);
        let decision = settings.reporting_decision();
        Self {
            cycle: rule.cycle.as_str(),
            due_days: rule.due_days,
            mend_days: rule.mend_days,
            period_first: period.first,
            period_last: period.last,
            period_due_on: period.due_on,
            document_no: decision.map(|d| d.document_no.clone()),
            effective_on: decision.map(|d| d.effective_on),
        }
    }
}

/// What this province decided, and what its words mean.
#[derive(Debug, Serialize, ToSchema)]
pub struct Programme {
    /// Name.
    pub name: String,
    /// English name.
    pub name_en: Option<String>,
    /// zh or en
    pub locale_default: String,
    /// The province.
    pub province: Province,
    /// The date that the program takes as today.
    pub business_date: NaiveDate,
    /// First date of the time bar.
    pub first_date: NaiveDate,
    /// Newest sequence of the change feed.
    pub seq: i64,
    /// Sectors.
    pub sectors: Vec<SectorWords>,
    /// States of the lifecycle.
    pub states: Vec<StateWords>,
    /// Limits.
    pub thresholds: Limits,
    /// When is reported.
    pub reporting: Reporting,
    /// Goals.
    pub targets: Vec<TargetLine>,
    /// 审图号
    pub map_approval_no: Option<String>,
    /// Sources of the map, to be shown on it.
    pub attribution: Vec<String>,
    /// Only in a demo province.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub demo_accounts: Option<Vec<DemoAccount>>,
    /// Version of the program.
    pub version: &'static str,
}

/// Password of every demo account. It is printed at start, and such a province says that it is one.
const DEMO_PASSWORD: &str = "cuntong-2020";

/// What this province decided, and what its words mean.
#[utoipa::path(get, path = "/api/v1/programme", tag = "programme", responses((status = 200, body = Programme)))]
async fn get_programme(State(state): State<AppState>) -> Result<Json<Programme>> {
    let today = state.clock.business_date();
    let settings = settings::on(&state.pool, today).await?;
    let ledger = state.ledger.snapshot(&state.pool).await?;
    let code = settings.programme("province_code").and_then(Value::as_str);
    let province = match code.and_then(|code| ledger.area_by_code(code).ok()) {
        Some(area) => area,
        None => ledger.provinces().min_by(|a, b| a.code.cmp(&b.code)).ok_or_else(|| {
            Error::not_found("省级区域（尚未导入数据）", "province: nothing has been loaded yet")
        })?,
    };
    let ground =
        areas::grounds(&state.pool, &[province.fid]).await?.remove(&province.fid).unwrap_or_default();
    let items = settings::quantity_items(&state.pool).await?;
    let text = |member| settings.programme(member).and_then(Value::as_str).map(str::to_owned);
    let states = settings::project_states(&state.pool).await?;
    let demo_accounts = if settings.is_demo() { Some(demo_accounts(&state).await?) } else { None };
    Ok(Json(Programme {
        name: text("name").unwrap_or_else(|| province.name.clone()),
        name_en: text("name_en"),
        locale_default: text("locale_default").unwrap_or_else(|| "zh".into()),
        province: Province {
            code: province.code.clone(),
            name: province.name.clone(),
            bbox: ground.bbox,
            center: ground.center,
        },
        business_date: today,
        first_date: text("first_date").and_then(|d| d.parse().ok()).unwrap_or(today),
        seq: ledger.seq,
        sectors: Sector::ALL.into_iter().map(|s| sector_words(s, &items)).collect(),
        states: states
            .into_iter()
            .map(|(state, status, name_zh, name_en)| StateWords { state, status, name_zh, name_en })
            .collect(),
        thresholds: limits(&settings),
        reporting: Reporting::of(&settings, today),
        targets: settings::targets(&state.pool)
            .await?
            .into_iter()
            .map(|t| TargetLine {
                metric: t.metric,
                scope: t.scope,
                value: t.value,
                unit: t.unit,
                due_on: t.due_on,
                document_no: t.document_no,
                section: t.section,
            })
            .collect(),
        map_approval_no: text("map_approval_no"),
        attribution: settings
            .programme("attribution")
            .and_then(Value::as_array)
            .map(|lines| lines.iter().filter_map(Value::as_str).map(str::to_owned).collect())
            .unwrap_or_default(),
        demo_accounts,
        version: env!("CARGO_PKG_VERSION"),
    }))
}

fn sector_words(sector: Sector, items: &[QuantityItem]) -> SectorWords {
    SectorWords {
        sector: sector.as_str(),
        name_zh: sector.name_zh(),
        name_en: sector.name_en(),
        items: items
            .iter()
            .filter(|i| i.sector == sector.as_str())
            .map(|i| Item {
                item: i.item.clone(),
                name_zh: i.name_zh.clone(),
                name_en: i.name_en.clone(),
                unit_zh: i.unit_zh.clone(),
                unit_en: i.unit_en.clone(),
                decimals: i.decimals,
                weight: i.weight,
            })
            .collect(),
    }
}

fn limits(settings: &Settings) -> Limits {
    let lights = settings.thresholds();
    Limits {
        lag_warn_pp: lights.lag_warn.value(),
        lag_late_pp: lights.lag_late.value(),
        start_late_days: lights.start_late_days,
        no_update_days: lights.no_update_days,
        choropleth: settings
            .get("choropleth")
            .and_then(|s| s.value.as_array())
            .map_or_else(|| vec![85.0, 90.0, 95.0, 98.0], |a| a.iter().filter_map(Value::as_f64).collect()),
        red_line: settings.number("red_line").unwrap_or(87.0),
    }
}

async fn demo_accounts(state: &AppState) -> Result<Vec<DemoAccount>> {
    Ok(settings::accounts_on_offer(&state.pool)
        .await?
        .into_iter()
        .map(|(login, display_name, unit_name, role)| DemoAccount {
            login,
            password: DEMO_PASSWORD,
            display_name,
            unit_name,
            role,
        })
        .collect())
}
