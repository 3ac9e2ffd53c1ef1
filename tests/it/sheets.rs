//! 套表 over HTTP: upload, proposal, mapping, filling; and who may do that with what.

use std::collections::HashMap;
use std::io::Cursor;

use calamine::{DataType, Reader, Xlsx};
use rust_xlsxwriter::{Formula, Workbook};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use crate::harness::{Db, Server};
use crate::people::{Answer, Person, World, new_key, read};

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

async fn sign_in(server: &Server, login: &str) -> Person {
    let client = server.another_client();
    let answer = client
        .post(format!("{}/api/v1/session", server.base))
        .json(&json!({ "login": login, "password": "cuntong-2020" }))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200, "{login} signs in");
    let session: Value = answer.json().await.unwrap();
    let csrf = session["csrf_token"].as_str().unwrap().to_owned();
    Person { client, base: server.base.clone(), csrf }
}

async fn upload(person: &Person, key: &str, bytes: Vec<u8>) -> Answer {
    let request = person
        .client
        .post(format!("{}/api/v1/sheet-files?name=%E9%99%84%E8%A1%A8.xlsx", person.base))
        .header("X-CSRF-Token", &person.csrf)
        .header("Idempotency-Key", key)
        .header("Content-Type", XLSX)
        .body(bytes);
    read(request.send().await.unwrap()).await
}

async fn post(person: &Person, path: &str, version: i32, body: &Value) -> Answer {
    read(person.write(path, version, &new_key(), body).send().await.unwrap()).await
}

async fn bytes(person: &Person, path: &str) -> (reqwest::header::HeaderMap, Vec<u8>) {
    let answer = person.client.get(format!("{}{path}", person.base)).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    (answer.headers().clone(), answer.bytes().await.unwrap().to_vec())
}

/// A form with a row for each name.
fn form(names: &[&str], headings: &[&str]) -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("附表").unwrap();
    sheet.write(0, 0, "填报单位（盖章）：      填表人：     截止日期：  年  月  日").unwrap();
    sheet.write(1, 0, "乡镇").unwrap();
    for (i, heading) in headings.iter().enumerate() {
        sheet.write(1, 1 + i as u16, *heading).unwrap();
    }
    for (i, name) in names.iter().enumerate() {
        sheet.write(2 + i as u32, 0, *name).unwrap();
    }
    let end = 2 + names.len() as u32;
    sheet.write(end, 0, "合计").unwrap();
    for column in 1..=headings.len() as u16 {
        let letter = char::from(b'A' + column as u8);
        sheet.write_formula(end, column, Formula::new(format!("=SUM({letter}3:{letter}{end})"))).unwrap();
    }
    book.save_to_buffer().unwrap()
}

#[tokio::test]
async fn a_filled_form_says_what_the_figures_say_on_every_date() {
    let db = Db::with_demo().await;
    let server = Server::start(&db).await;
    let clerk = sign_in(&server, "jiaotong.wuhua").await;
    let figures = clerk.get("/api/v1/areas/441424/figures").await.is(200);
    let names: Vec<&str> =
        figures["children"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
    assert!(names.len() > 5);
    let headings = [
        "自然村总数（20户以上）",
        "通硬化路自然村数",
        "集中供水自然村数",
        "完工项目数",
        "已完成路面里程（公里）",
        "完成投资（万元）",
    ];
    let file = upload(&clerk, &new_key(), form(&names, &headings)).await.is(201);
    assert_eq!(
        (file["file_name"].as_str(), file["sheets"][0]["name"].as_str()),
        (Some("附表.xlsx"), Some("附表"))
    );

    let view = clerk.get(&format!("/api/v1/sheet-files/{}", file["id"].as_str().unwrap())).await.is(200);
    let mapping = &view["proposal"]["mapping"];
    let states: Vec<&str> =
        view["proposal"]["rows"].as_array().unwrap().iter().map(|r| r["state"].as_str().unwrap()).collect();
    assert!(states[..names.len()].iter().all(|s| *s == "matched"), "{states:?}");
    assert_eq!(states.last(), Some(&"formula_total"));
    let fields: Vec<&str> =
        mapping["columns"].as_array().unwrap().iter().map(|c| c["field"].as_str().unwrap()).collect();
    assert_eq!(
        fields,
        [
            "natural_villages.counted",
            "served.road",
            "served.water",
            "projects.road.done",
            "quantity.road.surface_km.done",
            "money.road.invested"
        ]
    );

    let body = json!({ "name": "农村公路月报", "file_id": file["id"], "mapping": mapping });
    let key = new_key();
    let saved = read(clerk.write("/api/v1/sheets", 0, &key, &body).send().await.unwrap()).await;
    let again = read(clerk.write("/api/v1/sheets", 0, &key, &body).send().await.unwrap()).await;
    assert_eq!((saved.status.as_u16(), &saved.text), (201, &again.text), "a repeated save saves once");
    let sheet = saved.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(
        post(&clerk, "/api/v1/sheets", 0, &body).await.is_problem(422, "invalid")["errors"][0]["field"],
        "name"
    );

    let mut sums = HashMap::new();
    for (at, reading) in [("2020-10-31", "reported"), ("2020-10-31", "approved"), ("2019-09-30", "reported")]
    {
        let made = post(
            &clerk,
            &format!("/api/v1/sheets/{sheet}/fills"),
            0,
            &json!({ "at": at, "reading": reading }),
        )
        .await
        .is(201);
        assert_eq!(made["summary"]["rows_filled"], names.len());
        let path = format!("/api/v1/sheet-fills/{}/file", made["id"].as_str().unwrap());
        let (headers, content) = bytes(&clerk, &path).await;
        assert_eq!(headers["content-type"], XLSX);
        assert!(headers["content-disposition"].to_str().unwrap().contains("filename*=UTF-8''"));
        let mut book: Xlsx<_> = Xlsx::new(Cursor::new(content)).unwrap();
        let range = book.worksheet_range("附表").unwrap();
        let number =
            |row: usize, column: u32| range.get_value((2 + row as u32, column)).and_then(DataType::as_f64);
        let empty: Vec<&str> = made["summary"]["empty"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| e["cell"].as_str().unwrap())
            .collect();
        for (i, child) in figures["children"].as_array().unwrap().iter().enumerate() {
            let code = child["code"].as_str().unwrap();
            let shown = clerk.get(&format!("/api/v1/areas/{code}/figures?at={at}")).await.is(200);
            let expected = [
                &shown["road"]["total"],
                &shown["road"][reading],
                &shown["water"][reading],
                if reading == "reported" { &shown["projects"]["road"]["done"] } else { &Value::Null },
            ];
            for (column, expected) in (1..).zip(expected) {
                if let Some(expected) = expected.as_f64() {
                    assert_eq!(number(i, column), Some(expected), "{code} column {column} at {at} {reading}");
                }
            }
            // Kilometres: the sum over the town's projects as their own pages give it, today.
            if at == "2020-10-31" && reading == "reported" && i < 3 {
                let list =
                    clerk.get(&format!("/api/v1/projects?area={code}&sector=road&limit=200")).await.is(200);
                let mut km = 0.0;
                for project in list["items"].as_array().unwrap().iter().filter(|p| p["status"] != "cancelled")
                {
                    let detail = clerk
                        .get(&format!("/api/v1/projects/{}", project["id"].as_str().unwrap()))
                        .await
                        .is(200);
                    km += detail["quantities"]
                        .as_array()
                        .unwrap()
                        .iter()
                        .find(|q| q["item"] == "surface_km")
                        .map_or(0.0, |q| q["done"].as_f64().unwrap());
                }
                let cell = format!("F{}", 3 + i);
                assert!(
                    (number(i, 5).unwrap_or(0.0) - km).abs() < 1e-6 || empty.contains(&cell.as_str()),
                    "{code}: {km}"
                );
            }
        }
        let formulas = book.worksheet_formula("附表").unwrap();
        let total = formulas.get_value((2 + names.len() as u32, 2)).cloned();
        assert_eq!(total, Some(format!("SUM(C3:C{})", 2 + names.len())));
        let label = range.get_value((0, 0)).unwrap().to_string();
        let day: chrono::NaiveDate = at.parse().unwrap();
        assert!(
            label.contains("填表人：李敏")
                && label.contains(&day.format("截止日期：%Y年%-m月%-d日").to_string()),
            "{label}"
        );
        let sum: f64 = (0..names.len()).filter_map(|i| number(i, 2)).sum();
        sums.insert((at, reading), sum);
    }
    assert!(sums[&("2020-10-31", "reported")] > sums[&("2019-09-30", "reported")], "{sums:?}");

    // Versions: the next needs the one that was seen; those before stay.
    let mut changed = mapping.clone();
    changed["columns"].as_array_mut().unwrap().truncate(2);
    let next = json!({ "file_id": file["id"], "mapping": changed });
    let path = format!("/api/v1/sheets/{sheet}/versions");
    assert_eq!(post(&clerk, &path, 1, &next).await.is(201)["version"], 2);
    post(&clerk, &path, 1, &next).await.is_problem(412, "stale_version");
    let one = clerk.get(&format!("/api/v1/sheets/{sheet}")).await.is(200);
    assert_eq!(
        (one["mapping"]["columns"].as_array().unwrap().len(), one["fills"].as_array().unwrap().len()),
        (2, 3)
    );
    let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM sheet_versions")
        .fetch_one(&mut db.owner().await)
        .await
        .unwrap();
    assert_eq!(kept, 2);
    let told: i64 = sqlx::query_scalar("SELECT count(*) FROM audit_entries WHERE chain = '441424' AND body LIKE '%\"action\":\"fill_sheet\"%'")
        .fetch_one(&mut db.owner().await)
        .await
        .unwrap();
    assert_eq!(told, 3);

    // A colleague of the same county may use it; the county next door does not see it; a future day
    // is nobody's.
    let colleague = sign_in(&server, "shuiwu.wuhua").await;
    let fill = json!({ "at": "2020-10-31", "reading": "reported" });
    post(&colleague, &format!("/api/v1/sheets/{sheet}/fills"), 0, &fill).await.is(201);
    let future = json!({ "at": "2020-11-01", "reading": "reported" });
    post(&colleague, &format!("/api/v1/sheets/{sheet}/fills"), 0, &future).await.is_problem(400, "bad_date");
    let neighbour = sign_in(&server, "jiaotong.xingning").await;
    assert_eq!(neighbour.get("/api/v1/sheets").await.is(200)["items"].as_array().unwrap().len(), 0);
    post(&neighbour, &format!("/api/v1/sheets/{sheet}/fills"), 0, &fill).await.is_problem(404, "not_found");
    let fill_id = one["fills"][0]["id"].as_str().unwrap();
    neighbour.get(&format!("/api/v1/sheet-fills/{fill_id}/file")).await.is_problem(404, "not_found");
    let city = sign_in(&server, "fupin.meizhou").await;
    assert_eq!(city.get("/api/v1/sheets").await.is(200)["items"][0]["name"], "农村公路月报");
}

#[tokio::test]
async fn nobody_takes_figures_out_of_areas_not_ones_own() {
    let world = World::start().await;
    let clerk = world.sign_in("road.wuhua").await;
    let file = upload(&clerk, &new_key(), form(&["转水镇", "兴宁市"], &["行政村数"])).await.is(201);
    let id = file["id"].as_str().unwrap();
    let view = clerk.get(&format!("/api/v1/sheet-files/{id}")).await.is(200);
    assert_eq!(view["proposal"]["rows"][1]["state"], "outside");
    let mut mapping = view["proposal"]["mapping"].clone();
    assert_eq!(mapping["rows"][1]["fill"]["kind"], "leave");
    mapping["rows"][1]["fill"] = json!({ "kind": "area", "code": "441481" });
    let body = json!({ "name": "表", "file_id": id, "mapping": mapping });
    let problem = post(&clerk, "/api/v1/sheets", 0, &body).await;
    assert!(problem.is_problem(403, "outside_area")["detail"].as_str().unwrap().contains("兴宁市"));
    // Nor by the code of a project.
    let mut by_project = mapping.clone();
    by_project["rows_are"] = json!("project");
    by_project["columns"] = json!([{ "column": "B", "field": "money.all.invested", "unit": "yuan" }]);
    by_project["rows"] = json!([{ "row": 3, "fill": { "kind": "project", "code": "P3" } }]);
    let body = json!({ "name": "表", "file_id": id, "mapping": by_project });
    post(&clerk, "/api/v1/sheets", 0, &body).await.is_problem(403, "outside_area");

    // A city's officer may not put a neighbour county's rows into a form that 五华县 reads.
    let city = world.sign_in("office.meizhou").await;
    let body = json!({ "name": "表", "file_id": id, "mapping": mapping });
    post(&city, "/api/v1/sheets", 0, &body).await.is_problem(403, "outside_area");

    for login in ["admin.gd", "auditor.gd"] {
        let person = world.sign_in(login).await;
        upload(&person, &new_key(), form(&["转水镇"], &["行政村数"])).await.is_problem(403, "role_missing");
        person.get("/api/v1/sheets").await.is_problem(403, "role_missing");
        person.get(&format!("/api/v1/sheet-files/{id}")).await.is_problem(403, "role_missing");
    }
    for path in ["/api/v1/sheets", "/api/v1/sheet-fields", &format!("/api/v1/sheet-files/{id}")] {
        assert_eq!(world.server.get(path).await.status(), 401, "{path}");
    }
    let stranger = Person {
        client: world.server.another_client(),
        base: world.server.base.clone(),
        csrf: String::new(),
    };
    upload(&stranger, &new_key(), vec![]).await.is_problem(401, "sign_in_required");
    let forged = Person { client: clerk.client.clone(), base: clerk.base.clone(), csrf: "x".into() };
    upload(&forged, &new_key(), form(&["转水镇"], &["行政村数"])).await.is_problem(403, "foreign_origin");
    let count: i64 = world.value("SELECT count(*) FROM sheets").await;
    assert_eq!(count, 0);
}

#[tokio::test]
async fn refusals_say_what_to_do_and_keys_keep_uploads_single() {
    let world = World::start().await;
    let clerk = world.sign_in("road.wuhua").await;
    let problem =
        upload(&clerk, &new_key(), vec![0xD0, 0xCF, 0x11, 0xE0, 1, 2]).await.is_problem(422, "file_refused");
    assert_eq!(problem["reason"], "not_xlsx");
    assert!(problem["detail"].as_str().unwrap().contains("另存为"));
    upload(&clerk, &new_key(), b"PK\x03\x04 broken".to_vec()).await.is_problem(422, "unreadable_file");
    let key = new_key();
    let fine = form(&["转水镇"], &["行政村数"]);
    let first = upload(&clerk, &key, fine.clone()).await;
    assert_eq!(first.is(201), upload(&clerk, &key, fine).await.is(201));
    upload(&clerk, &key, form(&["转水镇"], &["人口"])).await.is_problem(422, "idempotency_key_reused");
    let count: i64 = world.value("SELECT count(*) FROM sheet_files").await;
    assert_eq!(count, 1);

    // A mapping that does not fit is refused by place.
    let id = first.json()["id"].clone();
    let view = clerk.get(&format!("/api/v1/sheet-files/{}", id.as_str().unwrap())).await.is(200);
    let mut mapping = view["proposal"]["mapping"].clone();
    mapping["columns"][0]["field"] = json!("no.such");
    let problem =
        post(&clerk, "/api/v1/sheets", 0, &json!({ "name": "表", "file_id": id, "mapping": mapping })).await;
    assert_eq!(problem.is_problem(422, "invalid")["errors"][0]["field"], "columns.B");
}

#[tokio::test]
async fn the_database_refuses_alone() {
    let world = World::start().await;
    let clerk = world.sign_in("road.wuhua").await;
    let file = upload(&clerk, &new_key(), form(&["转水镇"], &["行政村数"])).await.is(201);
    let pool = world.db.pool();
    for (login, seen) in
        [("road.wuhua", 1_i64), ("office.meizhou", 1), ("road.xingning", 0), ("admin.gd", 0), ("", 0)]
    {
        let mut tx = pool.begin().await.unwrap();
        let id: Option<uuid::Uuid> = sqlx::query_scalar("SELECT id FROM accounts WHERE login = $1")
            .bind(login)
            .fetch_optional(&mut *tx)
            .await
            .unwrap();
        let name = id.map(|i| i.to_string()).unwrap_or_default();
        sqlx::query("SELECT set_config('cuntong.account', $1, true)")
            .bind(&name)
            .execute(&mut *tx)
            .await
            .unwrap();
        let count: i64 =
            sqlx::query_scalar("SELECT count(*) FROM sheet_files").fetch_one(&mut *tx).await.unwrap();
        assert_eq!(count, seen, "{login}");
        let insert = format!(
            "INSERT INTO sheets (id, area_id, name, recorded_by) SELECT gen_random_uuid(), id, 'x{login}', '{}' FROM areas WHERE code = '441424'",
            id.unwrap_or_default()
        );
        let done = sqlx::query(AssertSqlSafe(insert)).execute(&mut *tx).await;
        assert_eq!(done.is_ok(), seen == 1, "{login}");
    }
    let mut owner = world.db.owner().await;
    let rewritten = sqlx::query("UPDATE sheet_files SET file_name = 'x'").execute(&mut owner).await;
    assert!(rewritten.is_err(), "nothing is overwritten");
    assert!(file["id"].is_string());
}
