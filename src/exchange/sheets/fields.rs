//! The catalogue: what a column can be filled with, in the words of the field.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::settings::QuantityItem;
use crate::domain::sector::Sector;

/// What the rows of a form name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowKind {
    /// Areas: 市, 县, 镇, 村.
    Area,
    /// Projects.
    Project,
}

/// What a number is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// 个, 户, 人, 套: no unit to choose.
    Count,
    /// 公里
    Km,
    /// 米
    M,
    /// 元
    Yuan,
    /// 万元
    WanYuan,
    /// 亿元
    YiYuan,
    /// %: 98.5
    Percent,
    /// A share of one: 0.985, for cells that show a percentage.
    Fraction,
    /// Words.
    Text,
    /// A date.
    Date,
}

impl Unit {
    /// Units in which the same thing can be written, its own first.
    pub fn choices(self) -> &'static [Self] {
        match self {
            Self::Km | Self::M => &[Self::Km, Self::M],
            Self::Yuan | Self::WanYuan | Self::YiYuan => &[Self::WanYuan, Self::Yuan, Self::YiYuan],
            Self::Percent | Self::Fraction => &[Self::Percent, Self::Fraction],
            Self::Count => &[Self::Count],
            Self::Text => &[Self::Text],
            Self::Date => &[Self::Date],
        }
    }
}

/// Services of natural villages: word, short name, name in English.
pub const SERVICES: [(&str, &str, &str); 6] = [
    ("road", "通硬化路", "hardened road"),
    ("water", "集中供水", "central water"),
    ("bus", "通客车", "bus"),
    ("power", "通动力电", "power"),
    ("broadband", "通宽带", "broadband"),
    ("clean_village", "干净整洁达标", "clean village"),
];

/// Projects that a column counts.
pub const COUNTS: [(&str, &str, &str); 7] = [
    ("total", "项目数", "projects"),
    ("done", "完工（已验收）项目数", "projects done (accepted)"),
    ("completed", "完工未验收项目数", "projects completed, not accepted"),
    ("under_way", "在建项目数", "projects under way"),
    ("not_started", "未开工项目数", "projects not started"),
    ("started", "已开工项目数", "projects started (under way, completed or done)"),
    ("late", "滞后项目数", "projects that lag"),
];

/// Sums of money.
pub const MONEY: [(&str, &str, &str); 4] = [
    ("planned", "计划总投资", "planned investment"),
    ("invested", "完成投资", "investment done"),
    ("paid", "已支付资金", "paid"),
    ("allocated", "下达资金", "allocated"),
];

/// What is known of one project: word, names, unit.
pub const PROJECT: [(&str, &str, &str, Unit); 14] = [
    ("sector", "行业", "sector", Unit::Text),
    ("place", "所在区划", "area", Unit::Text),
    ("unit", "责任单位", "unit responsible", Unit::Text),
    ("status", "项目状态", "state", Unit::Text),
    ("percent", "形象进度", "progress", Unit::Percent),
    ("light", "预警等级", "light", Unit::Text),
    ("approval_no", "批复文号", "approval number", Unit::Text),
    ("planned_start_on", "计划开工日期", "planned start", Unit::Date),
    ("planned_finish_on", "计划完工日期", "planned finish", Unit::Date),
    ("started_on", "实际开工日期", "started on", Unit::Date),
    ("completed_on", "完工日期", "completed on", Unit::Date),
    ("accepted_on", "验收日期", "accepted on", Unit::Date),
    ("last_reported_on", "最近填报截至", "last report as of", Unit::Date),
    ("natural_villages", "受益自然村数", "natural villages served", Unit::Count),
];

/// An entry of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldInfo {
    /// Word of the API.
    pub field: String,
    /// Rows that have it.
    pub rows: Vec<RowKind>,
    /// Heading in a list of choices.
    pub group_zh: String,
    /// The same in English.
    pub group_en: String,
    /// Name.
    pub name_zh: String,
    /// The same in English.
    pub name_en: String,
    /// Units that it can be written in; the first is the usual one.
    pub units: Vec<Unit>,
    /// It differs between 上报数 and 审核数.
    pub by_reading: bool,
    /// Adding it up makes sense.
    pub additive: bool,
}

const AREA: &[RowKind] = &[RowKind::Area];
const ONE: &[RowKind] = &[RowKind::Project];
const BOTH: &[RowKind] = &[RowKind::Area, RowKind::Project];

struct Builder(Vec<FieldInfo>);

impl Builder {
    fn add(
        &mut self,
        rows: &[RowKind],
        group: (&str, &str),
        field: String,
        (zh, en): (String, String),
        unit: Unit,
        by_reading: bool,
    ) {
        self.0.push(FieldInfo {
            field,
            rows: rows.to_vec(),
            group_zh: group.0.to_owned(),
            group_en: group.1.to_owned(),
            name_zh: zh,
            name_en: en,
            units: unit.choices().to_vec(),
            by_reading,
            additive: matches!(unit, Unit::Count | Unit::Km | Unit::WanYuan),
        });
    }
}

/// Everything that a column can be filled with.
pub fn catalogue(items: &[QuantityItem]) -> Vec<FieldInfo> {
    let mut list = Builder(Vec::new());
    let own = |zh: &str, en: &str| (zh.to_owned(), en.to_owned());
    let basic = ("基本情况", "Basics");
    list.add(BOTH, basic, "name".into(), own("名称", "name"), Unit::Text, false);
    list.add(BOTH, basic, "code".into(), own("编码", "code"), Unit::Text, false);
    for (field, zh, en) in [
        ("villages.total", "行政村数", "administrative villages"),
        ("villages.poor", "相对贫困村数", "poor villages"),
        ("households", "户数", "households"),
        ("people", "人口", "people"),
        ("natural_villages.total", "自然村总数", "natural villages"),
        ("natural_villages.counted", "自然村总数（20户以上，列入考核）", "natural villages that count"),
    ] {
        list.add(AREA, basic, field.into(), own(zh, en), Unit::Count, false);
    }
    let cover = ("覆盖情况（20户以上自然村）", "Coverage (natural villages that count)");
    for (word, zh, en) in SERVICES {
        let say =
            |what: &str, en_what: &str| (format!("{zh}{what}"), format!("natural villages, {en}: {en_what}"));
        list.add(AREA, cover, format!("served.{word}"), say("自然村数", "served"), Unit::Count, true);
        let un = (format!("未{zh}自然村数"), format!("natural villages without {en}"));
        list.add(AREA, cover, format!("unserved.{word}"), un, Unit::Count, true);
        list.add(AREA, cover, format!("served_rate.{word}"), say("自然村占比", "share"), Unit::Percent, true);
    }
    for (word, zh, en) in [
        ("under_way", "未通硬化路自然村中在建", "not reached, under way"),
        ("not_started", "未通硬化路自然村中未开工", "not reached, not started"),
        ("gap", "未通硬化路自然村中无项目", "not reached, no project"),
    ] {
        list.add(AREA, cover, format!("reach.{word}"), own(zh, en), Unit::Count, true);
    }
    let one = ("项目", "Project");
    for (word, zh, en, unit) in PROJECT {
        list.add(
            ONE,
            one,
            format!("project.{word}"),
            own(zh, en),
            unit,
            matches!(word, "status" | "percent"),
        );
    }
    for item in items {
        let Some(sector) = Sector::parse(&item.sector) else { continue };
        let group = (sector.name_zh(), sector.name_en());
        for (side, zh, en) in [("done", "已完成", "done"), ("planned", "计划", "planned")] {
            let unit = if item.unit_en == "km" { Unit::Km } else { Unit::Count };
            let name = match unit {
                Unit::Km => format!("{}{zh}{}", item.name_zh, item.unit_zh),
                _ => format!("{}{zh}（{}）", item.name_zh, item.unit_zh),
            };
            list.add(
                BOTH,
                group,
                format!("quantity.{}.{}.{side}", sector.as_str(), item.item),
                (name, format!("{}, {en} ({})", item.name_en, item.unit_en)),
                unit,
                side == "done",
            );
        }
    }
    for (sector, group) in Sector::ALL
        .iter()
        .map(|s| (s.as_str(), (s.name_zh(), s.name_en())))
        .chain([("all", ("全部行业", "all sectors"))])
    {
        for (word, zh, en) in COUNTS {
            let name = (format!("{}{zh}", short(sector)), format!("{}: {en}", group.1));
            list.add(AREA, group, format!("projects.{sector}.{word}"), name, Unit::Count, word != "late");
        }
        for (word, zh, en) in MONEY {
            let rows = if sector == "all" { BOTH } else { AREA };
            let name = (format!("{}{zh}", short(sector)), format!("{}: {en}", group.1));
            let by_reading = matches!(word, "invested" | "paid");
            list.add(rows, group, format!("money.{sector}.{word}"), name, Unit::WanYuan, by_reading);
        }
        for (word, zh, en) in [
            ("done_rate", "完工率", "share of projects done"),
            ("invested_rate", "投资完成率", "share of investment done"),
            ("paid_rate", "资金支付率", "share paid"),
        ] {
            let name = (format!("{}{zh}", short(sector)), format!("{}: {en}", group.1));
            list.add(AREA, group, format!("rate.{sector}.{word}"), name, Unit::Percent, true);
        }
    }
    list.0
}

/// The word before "项目数" in a name.
fn short(sector: &str) -> &'static str {
    match sector {
        "road" => "公路",
        "water" => "供水",
        "relocation" => "搬迁",
        "housing" => "危房改造",
        "power" => "电网通信",
        "clean_village" => "整洁村",
        _ => "",
    }
}
