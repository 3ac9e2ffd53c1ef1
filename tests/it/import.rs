//! Bringing in another programme: what is taken, what is refused and why, and that a bad file does
//! no harm.

use std::path::{Path, PathBuf};

use cuntong::exchange::import::mapping::Mapping;
use cuntong::exchange::import::{ImportOptions, ImportReport, run};
use encoding_rs::GB18030;

use crate::harness::{Db, PROGRAM, Scratch, Server};
use crate::shapefile::{Shape, Shapefile, WGS84, XIAN80};

const MAPPING: &str = r#"
[programme]
name = "试点"
business_date = "2020-10-31"
first_date = "2018-01-01"
document_no = "试"
document_title = "试点方案"
attribution = ["县局"]
counted = { name = "natural_village_20", households_at_least = 20 }
[province]
code = "44"
name = "试点省"
[[layer]]
file = "counties.zip"
target = "area"
level = "county"
source = "县局"
fields = { code = "{CODE}", name = "{NAME}" }
[[layer]]
file = "villages.zip"
target = "natural_village"
source = "县局"
fields = { code = "{CODE}", name = "{NAME}", area = "{AREA}", households = "{HH}" }
"#;

fn square(x: f64, y: f64) -> Shape {
    Shape::Polygon(vec![[x, y], [x, y + 1.0], [x + 1.0, y + 1.0], [x + 1.0, y], [x, y]])
}

fn cells(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|t| GB18030.encode(t).0.into_owned()).collect()
}

fn counties(folder: &Path, prj: Option<&str>) {
    Shapefile {
        kind: 5,
        prj,
        cpg: None,
        fields: &["CODE", "NAME"],
        rows: vec![
            (cells(&["C1", "甲县"]), square(113.0, 23.0)),
            (cells(&["C2", "乙县"]), square(114.0, 23.0)),
        ],
    }
    .write(folder, "counties");
}

fn villages(folder: &Path, rows: Vec<(Vec<Vec<u8>>, Shape)>) {
    Shapefile { kind: 1, prj: Some(WGS84), cpg: None, fields: &["CODE", "NAME", "AREA", "HH"], rows }
        .write(folder, "villages");
}

async fn import(
    db: &Db,
    folder: &Path,
    mapping: &str,
    dry_run: bool,
) -> cuntong::error::Result<ImportReport> {
    let options = ImportOptions {
        mapping: Mapping::parse(mapping)?,
        folder: folder.to_owned(),
        dry_run,
        reader: Some(PathBuf::from(PROGRAM)),
    };
    run(&mut db.owner().await, &options, |_, _, _| {}).await
}

async fn count(db: &Db, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&mut db.owner().await).await.unwrap()
}

#[tokio::test]
async fn names_that_gb2312_cannot_hold_arrive_whole_and_every_refusal_has_a_reason() {
    let (db, scratch) = (Db::fresh().await, Scratch::new("import"));
    counties(&scratch.0, Some(WGS84));
    villages(
        &scratch.0,
        vec![
            (cells(&["V1", "滘塱埗湴蓢", "C1", "25"]), Shape::Point(113.5, 23.5)),
            (cells(&["V2", "㘵背", "C1", "19"]), Shape::Point(113.6, 23.5)),
            (cells(&["V3", "", "C1", "30"]), Shape::Point(113.6, 23.6)),
            (cells(&["V4", "无处", "C1", "30"]), Shape::Null),
            (cells(&["V5", "无县", "C9", "30"]), Shape::Point(113.6, 23.7)),
            (cells(&["V6", "远方", "C1", "30"]), Shape::Point(100.0, 30.0)),
            (cells(&["V7", "走错", "C1", "30"]), Shape::Point(114.5, 23.5)),
            (cells(&["V1", "重号", "C1", "30"]), Shape::Point(113.7, 23.5)),
        ],
    );
    let report = import(&db, &scratch.0, MAPPING, false).await.unwrap();
    let layer = &report.layers[1];
    assert_eq!((layer.read, layer.written, layer.refused), (8, 3, 5), "{report:?}");
    assert_eq!(layer.read, layer.written + layer.refused + layer.joined);
    let reasons: Vec<_> = layer.reasons.keys().map(String::as_str).collect();
    assert_eq!(
        reasons,
        [
            "flagged/lies_in_other_area",
            "refused/area_unknown",
            "refused/code_repeated",
            "refused/geometry_missing",
            "refused/name_missing",
            "refused/outside_province",
        ]
    );
    let names: Vec<String> = sqlx::query_scalar("SELECT name FROM natural_villages ORDER BY code")
        .fetch_all(&mut db.owner().await)
        .await
        .unwrap();
    assert_eq!(names, ["滘塱埗湴蓢", "㘵背", "走错"]);
    // 19 households are not 20.
    assert_eq!(count(&db, "denominator_members").await, 2);

    let mut csv = Vec::new();
    report.write_csv(&mut csv).unwrap();
    let csv = String::from_utf8(csv).unwrap();
    assert!(csv.contains("villages.zip,3,refused,name_missing"), "{csv}");
}

#[tokio::test]
async fn a_dry_run_reports_the_same_and_writes_nothing() {
    let (db, scratch) = (Db::fresh().await, Scratch::new("import"));
    counties(&scratch.0, Some(WGS84));
    villages(&scratch.0, vec![(cells(&["V1", "村", "C1", "25"]), Shape::Point(113.5, 23.5))]);
    let report = import(&db, &scratch.0, MAPPING, true).await.unwrap();
    assert_eq!(report.layers[1].written, 1);
    assert_eq!(count(&db, "areas").await, 0);
    assert_eq!(count(&db, "settings WHERE key = 'programme'").await, 0);
}

#[tokio::test]
async fn coordinates_that_cannot_be_trusted_are_refused_and_nothing_is_half_written() {
    let (db, scratch) = (Db::fresh().await, Scratch::new("import"));
    villages(&scratch.0, vec![(cells(&["V1", "村", "C1", "25"]), Shape::Point(113.5, 23.5))]);

    counties(&scratch.0, Some(XIAN80));
    let error = import(&db, &scratch.0, MAPPING, false).await.unwrap_err().to_string();
    assert!(error.contains("西安80"), "{error}");

    counties(&scratch.0, None);
    let error = import(&db, &scratch.0, MAPPING, false).await.unwrap_err().to_string();
    assert!(error.contains("epsg"), "{error}");
    assert_eq!(count(&db, "areas").await, 0);

    // The second file is broken: the first one's rows must not stay either.
    counties(&scratch.0, Some(WGS84));
    std::fs::write(scratch.0.join("villages.zip"), b"PK not a zip").unwrap();
    let error = import(&db, &scratch.0, MAPPING, false).await.unwrap_err().to_string();
    assert!(error.contains("villages.zip"), "{error}");
    assert_eq!(count(&db, "areas").await, 0);
}

#[tokio::test]
async fn a_file_that_points_elsewhere_is_not_followed() {
    use std::io::Write;
    let (db, scratch) = (Db::fresh().await, Scratch::new("import"));
    counties(&scratch.0, Some(WGS84));
    // A VRT that calls itself a Shapefile and names another file as its source.
    let vrt = format!(
        "<OGRVRTDataSource><OGRVRTLayer name='counties'><SrcDataSource>{}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>",
        scratch.0.join("counties.zip").display()
    );
    let mut zip = zip::ZipWriter::new(std::fs::File::create(scratch.0.join("villages.zip")).unwrap());
    for name in ["villages.shp", "villages.dbf"] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(vrt.as_bytes()).unwrap();
    }
    zip.finish().unwrap();
    let error = import(&db, &scratch.0, MAPPING, false).await.unwrap_err();
    assert_eq!(error.code().as_str(), "unreadable_file", "{error}");
    assert_eq!(count(&db, "areas").await, 0);
}

#[tokio::test]
async fn a_database_that_holds_a_programme_is_left_alone() {
    let (db, scratch) = (Db::fresh().await, Scratch::new("import"));
    counties(&scratch.0, Some(WGS84));
    villages(&scratch.0, vec![(cells(&["V1", "村", "C1", "25"]), Shape::Point(113.5, 23.5))]);
    import(&db, &scratch.0, MAPPING, false).await.unwrap();
    let error = import(&db, &scratch.0, MAPPING, false).await.unwrap_err().to_string();
    assert!(error.contains("空的数据目录"), "{error}");
    assert_eq!(count(&db, "natural_villages").await, 1);
}

/// The real programme of another country. Its files are not part of the repository.
#[tokio::test]
async fn pmgsy_haryana_with_all_its_dirt() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("../shared/data/pmgsy-haryana");
    if !folder.exists() {
        println!(
            "SKIPPED: {} is not there; the PMGSY files are not part of the repository",
            folder.display()
        );
        return;
    }
    let db = Db::fresh().await;
    let mapping = std::fs::read_to_string(root.join("docs/examples/pmgsy-haryana.toml")).unwrap();
    let report = import(&db, &folder, &mapping, false).await.unwrap();
    let counts: Vec<_> = report.layers.iter().map(|l| (l.read, l.written, l.refused, l.joined)).collect();
    assert_eq!(counts, [(126, 126, 0, 0), (7044, 7021, 23, 0), (247, 203, 0, 44)]);
    assert_eq!(report.layers[0].reasons["mended/parent_from_neighbour"], 2);
    assert_eq!(report.layers[1].reasons["flagged/outside_all_areas"], 3);
    assert_eq!(report.layers[2].reasons["flagged/length_differs"], 132);

    // Map, search, cards, ledger and figures work on it as on Guangdong.
    let server = Server::start(&db).await;
    let programme = server.json("/api/v1/programme").await;
    assert_eq!(programme["province"]["code"], "IN-HR");
    assert_eq!(programme["business_date"], "2022-03-12");
    let figures = server.json("/api/v1/areas/IN-HR/figures").await;
    assert_eq!(figures["natural_villages"]["total"], 7021);
    let counted = count(&db, "denominator_members").await;
    assert_eq!(figures["road"]["total"], counted);
    assert_eq!(figures["projects"]["road"]["not_started"], 203);
    let found = server.json("/api/v1/search?q=shahpur&limit=20").await;
    assert!(found["items"].as_array().unwrap().len() >= 15, "{found}");
    let ledger = server.json("/api/v1/projects?area=IN-HR&sector=road").await;
    assert_eq!(ledger["total"], 203);
    let tile = server.get("/tiles/area,natural_village,road_project/7/90/53").await;
    assert_eq!(tile.status(), 200);
    assert!(tile.bytes().await.unwrap().len() > 1000);
}
