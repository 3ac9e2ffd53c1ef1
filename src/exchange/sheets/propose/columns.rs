//! Which field a heading means.

use super::super::fields::{FieldInfo, RowKind, SERVICES, Unit};
use super::super::grid::{Grid, column_name};
use super::super::mapping::{Column, Reading};
use super::super::names::plain;
use super::ColumnNote;
use crate::domain::sector::Sector;

pub(super) struct Read {
    pub mapped: Vec<Column>,
    pub notes: Vec<ColumnNote>,
}

pub(super) fn read(
    grid: &Grid,
    header: &[u32],
    data: &[u32],
    key: Option<u32>,
    kind: RowKind,
    fields: &[FieldInfo],
    own_sector: Option<Sector>,
) -> Read {
    let mut read = Read { mapped: Vec::new(), notes: Vec::new() };
    let Some(&top) = header.first() else { return read };
    // What the title says holds for columns that do not say otherwise.
    let title: String = (1..top)
        .flat_map(|row| (1..=grid.size.1).map(move |c| (row, c)))
        .map(|at| grid.text(at))
        .collect::<Vec<_>>()
        .join(" ");
    let sector = sector_of(&title).or(own_sector);
    let money = unit_of(&plain(&title)).filter(|u| u.choices().contains(&Unit::Yuan));
    for column in 1..=grid.size.1 {
        let path = heading(grid, header, column);
        let formula = !data.is_empty() && data.iter().all(|row| grid.is_formula((*row, column)));
        let mut state = "unknown";
        if Some(column) == key {
            state = "names";
        } else if formula {
            state = "formula";
        } else if let Some(found) = meaning(&path, kind, sector, fields) {
            let unit = unit_of(&plain(&path.join(" ")))
                .or(money)
                .filter(|u| found.units.contains(u))
                .or_else(|| found.units.first().copied())
                .unwrap_or(Unit::Count);
            let reading = reading_of(&path.concat()).filter(|_| found.by_reading);
            read.mapped.push(Column {
                column: column_name(column),
                field: found.field.clone(),
                unit,
                reading,
            });
            state = "mapped";
        }
        if state != "unknown" || !path.is_empty() {
            read.notes.push(ColumnNote { column: column_name(column), heading: path.join(" / "), state });
        }
    }
    read
}

/// Headings over a column, merged ones once.
fn heading(grid: &Grid, header: &[u32], column: u32) -> Vec<String> {
    let mut path: Vec<String> = Vec::new();
    for row in header {
        let text = grid.shown((*row, column)).split_whitespace().collect::<String>();
        if !text.is_empty() && path.last() != Some(&text) {
            path.push(text);
        }
    }
    path
}

/// A unit that a text names.
fn unit_of(text: &str) -> Option<Unit> {
    let has = |w: &str| text.contains(w);
    if has("亿元") {
        Some(Unit::YiYuan)
    } else if has("万元") {
        Some(Unit::WanYuan)
    } else if has("(元)") || has("单位:元") || has("/元") {
        Some(Unit::Yuan)
    } else if has("公里") || has("千米") || has("km") || has("KM") {
        Some(Unit::Km)
    } else if has("(米)") || has("(m)") || has("/米") {
        Some(Unit::M)
    } else if has("%") {
        Some(Unit::Percent)
    } else {
        None
    }
}

fn reading_of(text: &str) -> Option<Reading> {
    if ["审核数", "核算数", "核定数", "审定"].iter().any(|w| text.contains(w)) {
        Some(Reading::Approved)
    } else if text.contains("上报数") {
        Some(Reading::Reported)
    } else {
        None
    }
}

fn sector_of(text: &str) -> Option<Sector> {
    let words: &[(Sector, &[&str])] = &[
        (Sector::Road, &["公路", "道路", "硬化", "四好农村路", "路面", "村道"]),
        (Sector::Water, &["供水", "饮水", "自来水", "通水", "管网"]),
        (Sector::Relocation, &["搬迁", "安置"]),
        (Sector::Housing, &["危房", "住房"]),
        (Sector::Power, &["电网", "电力", "宽带", "通信"]),
        (Sector::CleanVillage, &["整洁", "人居环境"]),
    ];
    words.iter().find(|(_, list)| list.iter().any(|w| text.contains(w))).map(|(s, _)| *s)
}

/// The field that headings mean. The lowest heading weighs most; those above it give the sector and
/// what is counted.
fn meaning<'f>(
    path: &[String],
    kind: RowKind,
    sheet_sector: Option<Sector>,
    fields: &'f [FieldInfo],
) -> Option<&'f FieldInfo> {
    let text = plain(&path.join(""));
    let last = plain(path.last()?);
    if ["序号", "编号", "备注", "说明", "联系", "签字", "盖章", "电话"].iter().any(|w| last.contains(w))
    {
        return None;
    }
    let sector = sector_of(&text).or(sheet_sector);
    let all = sector.map_or("all", Sector::as_str);
    let has = |w: &str| text.contains(w);
    let any = |list: &[&str]| list.iter().any(|w| text.contains(w));
    let field = if kind == RowKind::Project { project_field(&text, sector) } else { None };
    let rate = any(&["率", "占比", "比例", "%", "百分比"]);
    let field = field.or_else(|| {
        Some(if any(&["投资", "资金", "支付", "拨付", "万元", "金额"]) && !has("项目数") {
            let money = if kind == RowKind::Project { "all" } else { all };
            if rate {
                let paid = any(&["支付", "拨付"]);
                return (kind == RowKind::Area)
                    .then(|| format!("rate.{all}.{}", if paid { "paid_rate" } else { "invested_rate" }));
            }
            let what = if any(&["支付", "拨付", "支出"]) {
                "paid"
            } else if any(&["下达", "到位", "安排"]) {
                "allocated"
            } else if any(&["完成", "累计"]) {
                "invested"
            } else {
                "planned"
            };
            format!("money.{money}.{what}")
        } else if let Some(item) = quantity(&text, sector) {
            item
        } else if kind == RowKind::Project {
            return None;
        } else if has("自然村") || any(&["通硬化路", "通路", "集中供水", "通客车", "动力电"])
        {
            coverage(&text, rate)
        } else if any(&["完工率", "完成率"]) {
            format!("rate.{all}.done_rate")
        } else if any(&["项目", "任务", "完工", "在建", "开工", "滞后"]) {
            let what = if any(&["未验收"]) {
                "completed"
            } else if has("未开工") {
                "not_started"
            } else if has("在建") {
                "under_way"
            } else if has("滞后") {
                "late"
            } else if has("开工") {
                "started"
            } else if any(&["完工", "完成", "竣工", "验收"]) {
                "done"
            } else {
                "total"
            };
            format!("projects.{all}.{what}")
        } else if has("贫困村") {
            "villages.poor".to_owned()
        } else if has("行政村") || has("建制村") {
            "villages.total".to_owned()
        } else if any(&["人口", "人数"]) {
            "people".to_owned()
        } else if any(&["户数", "农户", "总户"]) {
            "households".to_owned()
        } else if any(&["区划代码", "行政区划", "编码", "代码"]) {
            "code".to_owned()
        } else {
            return None;
        })
    })?;
    fields.iter().find(|f| f.field == field && f.rows.contains(&kind))
}

fn coverage(text: &str, rate: bool) -> String {
    let has = |w: &str| text.contains(w);
    let service = SERVICES
        .iter()
        .find(|(word, ..)| match *word {
            "road" => has("硬化") || has("通路") || has("公路"),
            "water" => has("供水") || has("通水") || has("自来水"),
            "bus" => has("客车") || has("班车"),
            "power" => has("动力电") || has("农网") || has("通电"),
            "broadband" => has("宽带") || has("光纤"),
            _ => has("整洁"),
        })
        .map(|s| s.0);
    match service {
        Some(service) if rate => format!("served_rate.{service}"),
        Some(service) if has("未通") || has("未集中") || has("未达") => format!("unserved.{service}"),
        // "其中：通硬化路" and the like; a plain total names no service below the heading.
        Some(service) => format!("served.{service}"),
        None if has("20户") || has("考核") => "natural_villages.counted".to_owned(),
        None => "natural_villages.total".to_owned(),
    }
}

/// A quantity in which a sector reports.
fn quantity(text: &str, sector: Option<Sector>) -> Option<String> {
    let has = |w: &str| text.contains(w);
    let side = if ["计划", "任务", "设计", "应"].iter().any(|w| has(w)) && !has("完成") {
        "planned"
    } else {
        "done"
    };
    let length = has("公里") || has("里程") || has("千米") || has("(米)") || has("km") || has("长度");
    let item = match sector? {
        Sector::Road if length && has("路基") => "road.roadbed_km",
        Sector::Road if length => "road.surface_km",
        Sector::Water if length || has("管网") => "water.pipe_km",
        Sector::Water if has("通水户") || (has("户") && has("通水")) => "water.households_connected",
        Sector::Relocation if has("安置房") || has("套") => "relocation.homes_built",
        Sector::Relocation if has("入住") || has("搬迁户") => "relocation.households_moved",
        Sector::Housing if has("户") && has("竣工") => "housing.homes_completed",
        Sector::Housing if has("户") && has("开工") => "housing.homes_started",
        Sector::Power if length || has("线路") => "power.line_km",
        _ => return None,
    };
    Some(format!("quantity.{item}.{side}"))
}

fn project_field(text: &str, _: Option<Sector>) -> Option<String> {
    let has = |w: &str| text.contains(w);
    let word = if has("项目名称") {
        return Some("name".to_owned());
    } else if has("项目编码") || has("项目代码") {
        return Some("code".to_owned());
    } else if has("形象进度") || (has("进度") && !has("资金")) {
        "percent"
    } else if has("状态") || has("建设情况") || has("进展情况") {
        "status"
    } else if has("预警") {
        "light"
    } else if has("责任单位") || has("建设单位") || has("实施单位") {
        "unit"
    } else if has("批复") || has("文号") {
        "approval_no"
    } else if has("所在") || has("建设地点") || has("乡镇") {
        "place"
    } else if has("受益自然村") {
        "natural_villages"
    } else if has("开工") && (has("日期") || has("时间")) {
        if has("计划") { "planned_start_on" } else { "started_on" }
    } else if (has("完工") || has("竣工")) && (has("日期") || has("时间")) {
        if has("计划") { "planned_finish_on" } else { "completed_on" }
    } else if has("验收") && (has("日期") || has("时间")) {
        "accepted_on"
    } else {
        return None;
    };
    Some(format!("project.{word}"))
}
