//! Workbooks are made here, changed, and read again: by our reader, and by calamine as a second one.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};

use calamine::{Data, DataType, Reader, Xlsx};
use rust_decimal::Decimal;
use rust_xlsxwriter::{Color, ExcelDateTime, Format, Formula, Workbook as Made};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use super::fields::{Unit, catalogue};
use super::fill::{Missing, Source, Value, fill};
use super::grid::{Grid, parse_ref};
use super::mapping::{Mapping, Reading, RowFill, Words};
use super::names::{Directory, KnownArea, KnownProject};
use super::propose::propose;
use super::{LIMITS, Limits, Workbook};
use crate::db::settings::QuantityItem;
use crate::domain::permit::Place;
use crate::domain::sector::Sector;
use crate::error::{Error, Result};

/// A form as counties get it: title, labels, two rows of headings, towns, 合计 by formula, a second
/// sheet that adds up.
fn form() -> Vec<u8> {
    let mut book = Made::new();
    let sheet = book.add_worksheet().set_name("附表1").unwrap();
    let head = Format::new().set_bold().set_border(rust_xlsxwriter::FormatBorder::Thin);
    let cell = Format::new().set_background_color(Color::Yellow).set_num_format("0.00");
    sheet.merge_range(0, 0, 0, 6, "农村公路硬化建设进展情况表", &head).unwrap();
    sheet
        .merge_range(1, 0, 1, 6, "填报单位（盖章）：          填表人：        截止日期：   年  月  日", &head)
        .unwrap();
    sheet.merge_range(2, 0, 3, 0, "序号", &head).unwrap();
    sheet.merge_range(2, 1, 3, 1, "乡镇", &head).unwrap();
    sheet.merge_range(2, 2, 2, 3, "自然村（20户以上）", &head).unwrap();
    sheet.write_with_format(3, 2, "总数", &head).unwrap();
    sheet.write_with_format(3, 3, "通硬化路", &head).unwrap();
    sheet.merge_range(2, 4, 3, 4, "已完成里程（米）", &head).unwrap();
    sheet.merge_range(2, 5, 3, 5, "完成投资（元）", &head).unwrap();
    sheet.merge_range(2, 6, 3, 6, "通达率", &head).unwrap();
    for (i, town) in ["转水镇", "水寨", "棉洋缜"].iter().enumerate() {
        let row = 4 + i as u32;
        sheet.write_with_format(row, 0, i as u32 + 1, &head).unwrap();
        sheet.write_with_format(row, 1, *town, &head).unwrap();
        for column in 2..6 {
            sheet.write_blank(row, column, &cell).unwrap();
        }
        let rate = Formula::new(format!("=D{0}/C{0}", row + 1)).set_result("0.5");
        sheet.write_formula(row, 6, rate).unwrap();
    }
    sheet.merge_range(7, 0, 7, 1, "合计", &head).unwrap();
    for (column, letter) in [(2, 'C'), (3, 'D'), (4, 'E'), (5, 'F')] {
        let sum = Formula::new(format!("=SUM({letter}5:{letter}7)")).set_result("7");
        sheet.write_formula_with_format(7, column, sum, &head).unwrap();
    }
    sheet.write(8, 1, "审核人：").unwrap();
    sheet.write(9, 1, "注：自然村指二十户以上的自然村，数据以县级审核为准。").unwrap();
    sheet.set_column_width(1, 22.5).unwrap();
    sheet.set_landscape().set_paper_size(9).set_footer("&P");
    let other = book.add_worksheet().set_name("汇总").unwrap();
    other.write_formula(0, 0, Formula::new("=附表1!C8*2").set_result("14")).unwrap();
    other.write(1, 0, "不动").unwrap();
    // As Excel writes it.
    repacked(&book.save_to_buffer().unwrap(), "xl/workbook.xml", |xml| {
        xml.replace(" fullCalcOnLoad=\"1\"", "")
    })
}

fn place(code: &str, name: &str, level: &str, path: &str) -> Place {
    Place { code: code.into(), name: name.into(), level: level.into(), path: path.into() }
}

fn directory() -> Directory {
    let area = |code: &str, name: &str, level: &str, path: &str, own| KnownArea {
        place: place(code, name, level, path),
        short_name: name.into(),
        successors: None,
        own,
    };
    let mut gone = area("441424999", "横流渡镇", "town", "/1/2/9/", false);
    gone.successors = Some(vec!["441424100".into()]);
    Directory::new(
        vec![
            area("441424", "五华县", "county", "/1/2/", true),
            area("441424101", "转水镇", "town", "/1/2/3/", true),
            area("441424100", "水寨镇", "town", "/1/2/4/", true),
            area("441424116", "棉洋镇", "town", "/1/2/5/", true),
            area("441424101201", "转水村民委员会", "village", "/1/2/3/6/", true),
            area("441481", "兴宁市", "county", "/1/7/", false),
            gone,
        ],
        vec![KnownProject {
            code: "P1".into(), name: "转水镇路面硬化".into(), path: "/1/2/3/".into()
        }],
    )
}

fn items() -> Vec<QuantityItem> {
    vec![QuantityItem {
        sector: "road".into(),
        item: "surface_km".into(),
        name_zh: "路面".into(),
        name_en: "Surface".into(),
        unit_zh: "公里".into(),
        unit_en: "km".into(),
        decimals: 3,
        weight: 0.65,
    }]
}

/// Answers from a table; nothing is known of 棉洋镇.
struct Table;

impl Source for Table {
    fn value(&self, row: &RowFill, field: &str, _: Reading) -> Value {
        let RowFill::Area { code } = row else { return Value::Missing(Missing::NotKnown) };
        let factor = Decimal::from(if code.ends_with("101") { 1 } else { 2 });
        match (code.as_str(), field) {
            ("441424116", _) => Value::Missing(Missing::NotReported),
            (_, "natural_villages.counted") => Value::Number(factor * Decimal::from(40)),
            (_, "served.road") => Value::Number(factor * Decimal::from(30)),
            (_, "quantity.road.surface_km.done") => Value::Number(factor * Decimal::new(1_2345, 3)),
            (_, "money.road.invested") => Value::Partial(factor * Decimal::new(1_000_050, 2), 1),
            _ => Value::Missing(Missing::NotKnown),
        }
    }
    fn knows(&self, _: &RowFill) -> bool {
        true
    }
    fn name(&self, _: &RowFill) -> String {
        "镇".into()
    }
}

/// Nobody has reported anything.
struct Nothing;
impl Source for Nothing {
    fn value(&self, _: &RowFill, _: &str, _: Reading) -> Value {
        Value::Missing(Missing::NotReported)
    }
    fn knows(&self, _: &RowFill) -> bool {
        true
    }
    fn name(&self, _: &RowFill) -> String {
        String::new()
    }
}

fn words() -> Words {
    Words {
        at: "2020-09-30".parse().unwrap(),
        unit: "县交通运输局".into(),
        person: "李敏".into(),
        reading: Reading::Reported,
        area: "五华县".into(),
    }
}

fn read(bytes: &[u8], sheet: &str) -> Grid {
    Grid::read(&mut Workbook::open(bytes, &LIMITS).unwrap(), sheet).unwrap()
}

fn confirmed() -> Mapping {
    let mut mapping =
        propose(&read(&form(), "附表1"), &directory(), &catalogue(&items()), Some(Sector::Road), None)
            .mapping;
    let row = mapping.rows.iter_mut().find(|r| r.row == 7).unwrap();
    row.fill = RowFill::Area { code: "441424116".into() };
    mapping
}

/// The package with a part changed, or added when it was not there.
fn repacked(bytes: &[u8], path: &str, change: impl Fn(String) -> String) -> Vec<u8> {
    let mut from = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut to = ZipWriter::new(Cursor::new(Vec::new()));
    let mut found = false;
    for i in 0..from.len() {
        let mut part = from.by_index(i).unwrap();
        if part.name() == path {
            found = true;
            let mut text = String::new();
            part.read_to_string(&mut text).unwrap();
            to.start_file(path, SimpleFileOptions::default()).unwrap();
            to.write_all(change(text).as_bytes()).unwrap();
        } else {
            to.raw_copy_file(part).unwrap();
        }
    }
    if !found {
        to.start_file(path, SimpleFileOptions::default()).unwrap();
        to.write_all(change(String::new()).as_bytes()).unwrap();
    }
    to.finish().unwrap().into_inner()
}

fn parts(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut zip = ZipArchive::new(Cursor::new(bytes)).unwrap();
    (0..zip.len())
        .map(|i| {
            let mut part = zip.by_index(i).unwrap();
            let mut all = Vec::new();
            part.read_to_end(&mut all).unwrap();
            (part.name().to_owned(), all)
        })
        .collect()
}

#[test]
fn a_form_is_read_as_people_see_it() {
    let proposal =
        propose(&read(&form(), "附表1"), &directory(), &catalogue(&items()), Some(Sector::Road), None);
    let mapping = &proposal.mapping;
    assert_eq!(
        (mapping.header_rows.as_slice(), mapping.key_column.as_deref()),
        ([3, 4].as_slice(), Some("B"))
    );
    let columns: Vec<(&str, &str, Unit)> =
        mapping.columns.iter().map(|c| (c.column.as_str(), c.field.as_str(), c.unit)).collect();
    assert_eq!(
        columns,
        [
            ("C", "natural_villages.counted", Unit::Count),
            ("D", "served.road", Unit::Count),
            ("E", "quantity.road.surface_km.done", Unit::M),
            ("F", "money.road.invested", Unit::Yuan),
        ]
    );
    let rows: Vec<(u32, &str)> = proposal.rows.iter().map(|r| (r.row, r.state)).collect();
    assert_eq!(rows, [(5, "matched"), (6, "likely"), (7, "unknown"), (8, "formula_total")]);
    assert_eq!(
        proposal.rows[2].suggestions[0].name, "棉洋镇",
        "a wrong character is named with what it may be"
    );
    let states: Vec<(&str, &str)> = proposal.columns.iter().map(|c| (c.column.as_str(), c.state)).collect();
    assert!(states.contains(&("G", "formula")) && states.contains(&("A", "unknown")), "{states:?}");
    assert_eq!(mapping.cells.len(), 1);
    assert_eq!(mapping.cells[0].text, "填报单位（盖章）：{unit}    填表人：{person}    截止日期：{date}");
}

#[test]
fn old_names_other_areas_and_projects_are_told_apart() {
    let mut book = Made::new();
    let sheet = book.add_worksheet();
    for (i, name) in ["县（市、区）", "五华县", "兴宁市", "横流渡镇", "合计"].iter().enumerate()
    {
        sheet.write(i as u32, 0, *name).unwrap();
        sheet.write(i as u32, 1, if i == 0 { "行政村数" } else { "" }).unwrap();
    }
    let bytes = book.save_to_buffer().unwrap();
    let proposal = propose(&read(&bytes, "Sheet1"), &directory(), &catalogue(&items()), None, None);
    let states: Vec<&str> = proposal.rows.iter().map(|r| r.state).collect();
    assert_eq!(states, ["matched", "outside", "likely", "total"]);
    assert_eq!(proposal.mapping.rows[1].fill, RowFill::Leave);
    assert_eq!(proposal.mapping.rows[2].fill, RowFill::Area { code: "441424100".into() });
    assert_eq!(proposal.mapping.columns[0].field, "villages.total");
}

#[test]
fn filling_changes_the_named_cells_and_nothing_else() {
    let before = form();
    let mapping = confirmed();
    mapping.check(&catalogue(&items()), &read(&before, "附表1")).unwrap();
    let (after, summary) = fill(&before, &LIMITS, &mapping, &catalogue(&items()), &words(), &Table).unwrap();

    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(after.clone())).unwrap();
    let range = book.worksheet_range("附表1").unwrap();
    let number = |row, column| range.get_value((row, column)).and_then(DataType::as_f64);
    assert_eq!((number(4, 2), number(5, 2)), (Some(40.0), Some(80.0)));
    assert_eq!((number(4, 4), number(5, 4)), (Some(12345.0), Some(24690.0)), "kilometres in metres");
    assert_eq!(number(4, 5), Some(10000.5));
    assert!(matches!(range.get_value((6, 3)), None | Some(Data::Empty)), "未填报 is not 0");
    let label = range.get_value((1, 0)).unwrap().to_string();
    assert_eq!(label, "填报单位（盖章）：县交通运输局    填表人：李敏    截止日期：2020年9月30日");
    let formulas = book.worksheet_formula("附表1").unwrap();
    assert_eq!(formulas.get_value((7, 2)).map(String::as_str), Some("SUM(C5:C7)"));
    assert_eq!(formulas.get_value((5, 6)).map(String::as_str), Some("D6/C6"));

    assert_eq!((summary.rows_filled, summary.empty_count, summary.formulas_kept), (3, 4, 7));
    assert_eq!(summary.partial.len(), 2);
    // 合计 is there for viewers that do not compute, and a share of nothing is left to Excel.
    assert_eq!((number(7, 2), number(7, 4), number(4, 6)), (Some(120.0), Some(37035.0), Some(0.75)));
    let results: Vec<&str> = summary.results.iter().map(|r| r.cell.as_str()).collect();
    assert_eq!(results, ["G5", "G6", "C8", "D8", "E8", "F8"]);
    let (old, new) = (parts(&before), parts(&after));
    assert_eq!(old.keys().collect::<Vec<_>>(), new.keys().collect::<Vec<_>>());
    let changed: Vec<&str> = old.iter().filter(|(k, v)| new[*k] != **v).map(|(k, _)| k.as_str()).collect();
    assert_eq!(changed, ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml"]);
    let text =
        |parts: &BTreeMap<String, Vec<u8>>, name: &str| String::from_utf8(parts[name].clone()).unwrap();
    assert!(text(&new, "xl/workbook.xml").contains("fullCalcOnLoad=\"1\""));
    // The other sheet lost the stored result of its formula, which would be wrong now, and nothing else.
    assert_eq!(
        text(&new, "xl/worksheets/sheet2.xml"),
        text(&old, "xl/worksheets/sheet2.xml").replace("</f><v>14</v>", "</f>")
    );
    let (was, is) = (text(&old, "xl/worksheets/sheet1.xml"), text(&new, "xl/worksheets/sheet1.xml"));
    for kept in ["<cols>", "<mergeCells", "<pageSetup", "<headerFooter>", "<sheetViews>"] {
        let piece = |xml: &str| xml[xml.find(kept).unwrap()..].chars().take(160).collect::<String>();
        assert_eq!(piece(&was), piece(&is), "{kept}");
    }
    let style = |grid: &Grid, name: &str| grid.cells[&parse_ref(name).unwrap()].style;
    let (was, is) = (read(&before, "附表1"), read(&after, "附表1"));
    for name in ["C5", "F6", "D7", "A2"] {
        assert_eq!(style(&was, name), style(&is, name), "{name} keeps its look");
    }
}

#[test]
fn a_second_date_takes_the_figures_of_the_first_away() {
    let mapping = confirmed();
    let (first, _) = fill(&form(), &LIMITS, &mapping, &catalogue(&items()), &words(), &Table).unwrap();
    let (second, summary) =
        fill(&first, &LIMITS, &mapping, &catalogue(&items()), &words(), &Nothing).unwrap();
    assert_eq!(read(&second, "附表1").text((5, 3)), "");
    assert_eq!(summary.empty_count, 12);
}

#[test]
fn sums_are_written_only_where_a_person_asked_for_them() {
    let mut book = Made::new();
    let sheet = book.add_worksheet();
    for (i, name) in ["乡镇", "转水镇", "水寨镇", "合计"].iter().enumerate() {
        sheet.write(i as u32, 0, *name).unwrap();
    }
    sheet.write(0, 1, "20户以上自然村总数").unwrap();
    sheet.write(0, 2, "完成投资（万元）").unwrap();
    let bytes = book.save_to_buffer().unwrap();
    let fields = catalogue(&items());
    let mut mapping =
        propose(&read(&bytes, "Sheet1"), &directory(), &fields, Some(Sector::Road), None).mapping;
    let (plain, _) = fill(&bytes, &LIMITS, &mapping, &fields, &words(), &Table).unwrap();
    assert_eq!(read(&plain, "Sheet1").text((4, 2)), "");
    mapping.rows[2].fill = RowFill::Sum { rows: vec![2, 3] };
    mapping.check(&fields, &read(&bytes, "Sheet1")).unwrap();
    let (summed, summary) = fill(&bytes, &LIMITS, &mapping, &fields, &words(), &Table).unwrap();
    let grid = read(&summed, "Sheet1");
    assert_eq!((grid.text((4, 2)), grid.text((4, 3)), summary.sum_rows), ("120", "3.00015", 1));
}

#[test]
fn shared_formulas_inline_strings_and_dates_are_understood() {
    let mut book = Made::new();
    let sheet = book.add_worksheet();
    sheet.write(0, 0, "乡镇").unwrap();
    sheet.write(1, 0, "转水镇").unwrap();
    sheet.write(2, 0, "水寨镇").unwrap();
    sheet.write(0, 1, "20户以上自然村总数").unwrap();
    sheet.write(3, 0, "截止日期").unwrap();
    let date = Format::new().set_num_format("yyyy\"年\"m\"月\"d\"日\"");
    sheet.write_datetime_with_format(3, 1, ExcelDateTime::from_ymd(2019, 1, 1).unwrap(), &date).unwrap();
    let bytes = repacked(&book.save_to_buffer().unwrap(), "xl/worksheets/sheet1.xml", |xml| {
        let shared = "<c r=\"C2\"><f t=\"shared\" ref=\"C2:C3\" si=\"0\">B2*2</f><v>1</v></c></row>";
        let child = "<c r=\"C3\" t=\"str\"><f t=\"shared\" si=\"0\"/><v>1</v></c></row>";
        let mut rows = xml.split("</row>").map(str::to_owned).collect::<Vec<_>>();
        rows[1] = format!("{}{shared}", rows[1].replace("<c r=\"A2\" t=\"s\"><v>1</v></c>", "<c r=\"A2\" t=\"inlineStr\"><is><r><t>转水</t></r><r><t>镇</t></r><rPh sb=\"0\" eb=\"1\"><t>zhuan</t></rPh></is></c>"));
        rows[2] = format!("{}{child}", rows[2]);
        format!("{}</row>{}{}{}", rows[0], rows[1], rows[2], rows[3..].join("</row>"))
    });
    let grid = read(&bytes, "Sheet1");
    assert_eq!(grid.text((2, 1)), "转水镇");
    assert!(grid.is_formula((3, 3)) && grid.is_date((4, 2)));
    let fields = catalogue(&items());
    let mut mapping = propose(&grid, &directory(), &fields, Some(Sector::Road), None).mapping;
    mapping.cells = vec![super::mapping::Single { cell: "B4".into(), text: "{date}".into() }];
    mapping.columns.push(super::mapping::Column {
        column: "C".into(),
        field: "served.road".into(),
        unit: Unit::Count,
        reading: None,
    });
    let (after, _) = fill(&bytes, &LIMITS, &mapping, &fields, &words(), &Table).unwrap();
    let xml = String::from_utf8(parts(&after)["xl/worksheets/sheet1.xml"].clone()).unwrap();
    assert!(xml.contains("<f t=\"shared\" ref=\"C2:C3\" si=\"0\">B2*2</f><v>80</v></c>"), "{xml}");
    assert!(xml.contains("<f t=\"shared\" si=\"0\"/></c>"), "{xml}");
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(after)).unwrap();
    let range = book.worksheet_range("Sheet1").unwrap();
    assert!(
        matches!(range.get_value((3, 1)), Some(Data::DateTime(day)) if (day.as_f64() - 44104.0).abs() < 1e-9)
    );
}

#[test]
fn a_workbook_without_calculation_settings_is_told_to_compute_too() {
    let bare = repacked(&form(), "xl/workbook.xml", |xml| {
        let from = xml.find("<calcPr").unwrap();
        let to = from + xml[from..].find("/>").unwrap() + 2;
        format!("{}{}", &xml[..from], &xml[to..])
    });
    let (after, _) = fill(&bare, &LIMITS, &confirmed(), &catalogue(&items()), &words(), &Table).unwrap();
    let xml = String::from_utf8(parts(&after)["xl/workbook.xml"].clone()).unwrap();
    assert!(
        xml.contains("</sheets><calcPr fullCalcOnLoad=\"1\"/>")
            || xml.contains("</definedNames><calcPr fullCalcOnLoad=\"1\"/>"),
        "{xml}"
    );
}

#[test]
fn rows_and_cells_that_the_file_does_not_have_are_added_in_their_place() {
    let bytes = repacked(&form(), "xl/worksheets/sheet1.xml", |xml| {
        let from = xml.find("<row r=\"6\"").unwrap();
        let to = from + xml[from..].find("</row>").unwrap() + 6;
        let xml = format!("{}{}", &xml[..from], &xml[to..]);
        let from = xml.find("<c r=\"D5\"").unwrap();
        let to = from + xml[from..].find("/>").unwrap() + 2;
        format!("{}{}", &xml[..from], &xml[to..])
    });
    let (after, _) = fill(&bytes, &LIMITS, &confirmed(), &catalogue(&items()), &words(), &Table).unwrap();
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(after)).unwrap();
    let range = book.worksheet_range("附表1").unwrap();
    let number = |row, column| range.get_value((row, column)).and_then(DataType::as_f64);
    assert_eq!(
        (number(4, 3), number(5, 2), number(5, 3), number(4, 2)),
        (Some(30.0), Some(80.0), Some(60.0), Some(40.0))
    );
}

#[test]
fn what_begins_like_a_formula_is_written_as_words() {
    let mapping = confirmed();
    let words = Words { unit: "=cmd|' /C calc'!A0 <&>\u{1}".into(), ..words() };
    let (after, _) = fill(&form(), &LIMITS, &mapping, &catalogue(&items()), &words, &Table).unwrap();
    let grid = read(&after, "附表1");
    assert!(grid.text((2, 1)).contains("=cmd|' /C calc'!A0 <&>") && !grid.is_formula((2, 1)));
}

fn reason(result: Result<Workbook<'_>>) -> String {
    match result {
        Err(Error::Problem(p)) => {
            p.extra.as_ref().and_then(|e| e["reason"].as_str()).unwrap_or(p.code.as_str()).to_owned()
        }
        Err(other) => other.to_string(),
        Ok(_) => "opened".to_owned(),
    }
}

#[test]
fn hostile_and_foreign_files_are_refused_with_a_reason() {
    let fine = form();
    let open = |bytes: &[u8]| reason(Workbook::open(bytes, &LIMITS).map(|_| unreachable!("opened")));
    assert_eq!(open(&[0xD0, 0xCF, 0x11, 0xE0, 0, 0]), "not_xlsx");
    let mut sealed = vec![0xD0, 0xCF, 0x11, 0xE0];
    sealed.extend("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes));
    assert_eq!(open(&sealed), "encrypted");
    assert_eq!(open(b"<html><table>"), "not_xlsx");
    assert_eq!(open(b"a,b\n1,2"), "not_xlsx");
    assert_eq!(open(&vec![0; LIMITS.file + 1]), "too_large");
    assert_eq!(open(&fine[..fine.len() / 2]), "unreadable_file");
    for (path, why) in [
        ("xl/vbaProject.bin", "macros"),
        ("xl/externalLinks/externalLink1.xml", "external_links"),
        ("xl/connections.xml", "external_links"),
        ("xl/embeddings/oleObject1.bin", "embedded"),
    ] {
        assert_eq!(open(&repacked(&fine, path, |_| "x".into())), why, "{path}");
    }
    let types = repacked(&fine, "[Content_Types].xml", |t| {
        t.replace("spreadsheetml.sheet.main+xml", "ms-excel.sheet.macroEnabled.main+xml")
    });
    assert_eq!(open(&types), "macros");
    // Four megabytes of blanks pack into four kilobytes.
    assert_eq!(open(&repacked(&fine, "xl/media/a.xml", |_| " ".repeat(4 << 20))), "too_large");
    let dtd = repacked(&fine, "xl/workbook.xml", |t| {
        t.replacen("<workbook", "<!DOCTYPE x [<!ENTITY a \"aaaa\">]><workbook", 1)
    });
    assert_eq!(open(&dtd), "doctype");
    let deep = repacked(&fine, "xl/workbook.xml", |t| {
        t.replacen("<sheets>", &format!("{}<sheets>", "<a>".repeat(60)), 1)
    });
    assert_eq!(open(&deep), "too_deep");
}

#[test]
fn sheets_have_limits_too() {
    let sheet = |change: &dyn Fn(String) -> String| {
        let bytes = repacked(&form(), "xl/worksheets/sheet1.xml", change);
        let mut book = Workbook::open(&bytes, &LIMITS).unwrap();
        match Grid::read(&mut book, "附表1") {
            Err(Error::Problem(p)) => p.extra.map_or(p.code.as_str().to_owned(), |e| e["reason"].to_string()),
            Err(other) => other.to_string(),
            Ok(_) => "read".into(),
        }
    };
    let far = |xml: String| {
        xml.replacen("</sheetData>", "<row r=\"900000\"><c r=\"A900000\"><v>1</v></c></row></sheetData>", 1)
    };
    assert_eq!(sheet(&far), "\"too_large\"");
    let out = |xml: String| xml.replacen("SUM(C5:C7)", "WEBSERVICE(\"http://x\")", 1);
    assert_eq!(sheet(&out), "\"external_links\"");
    let entity = |xml: String| xml.replacen("SUM(C5:C7)", "&lol;", 1);
    assert_eq!(sheet(&entity), "unreadable_file");
    let broken = |xml: String| xml.replacen("</row>", "</raw>", 1);
    assert_eq!(sheet(&broken), "unreadable_file");
    let hurried = Limits { time: std::time::Duration::ZERO, ..LIMITS };
    assert_eq!(reason(Workbook::open(&form(), &hurried).map(|_| unreachable!("opened"))), "too_slow");
}
