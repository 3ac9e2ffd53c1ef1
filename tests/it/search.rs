//! `/api/v1/search`.

use std::collections::HashSet;
use std::time::Instant;

use crate::harness::{Db, Server};
use crate::reads::{Reader, text, world};

#[tokio::test]
async fn thirty_of_one_name_are_told_apart_by_place_and_poor_ones_come_first() {
    let db = Db::fresh().await;
    let mut owner = db.owner().await;
    sqlx::raw_sql(
        "INSERT INTO areas (id, fid, code, level, parent_id, name, short_name, valid_from, path, seat) VALUES
           ('00000000-0000-7000-8000-000000000001', 1, '440000', 'province', NULL, '广东省', '广东', '2000-01-01', '', 'SRID=4490;POINT(113 23)'),
           ('00000000-0000-7000-8000-000000000002', 2, '441400', 'city', '00000000-0000-7000-8000-000000000001', '梅州市', '梅州', '2000-01-01', '', 'SRID=4490;POINT(116 24)'),
           ('00000000-0000-7000-8000-000000000003', 3, '441424', 'county', '00000000-0000-7000-8000-000000000002', '五华县', '五华', '2000-01-01', '', 'SRID=4490;POINT(115.7 24)');
         INSERT INTO areas (id, fid, code, level, parent_id, name, short_name, valid_from, path, seat)
           SELECT gen_random_uuid(), 100 + n, '441424' || 100 + n, 'town', '00000000-0000-7000-8000-000000000003',
                  '第' || n || '镇', '第' || n, '2000-01-01', '', 'SRID=4490;POINT(115.7 24)' FROM generate_series(1, 30) n;
         INSERT INTO areas (id, fid, code, level, parent_id, name, short_name, valid_from, path, seat)
           SELECT gen_random_uuid(), 200 + t.fid, t.code || '200', 'village', t.id, '新村村民委员会', '新村', '2000-01-01', '', t.seat
             FROM areas t WHERE t.level = 'town';
         INSERT INTO areas (id, fid, code, level, parent_id, name, short_name, valid_from, path, seat)
           SELECT gen_random_uuid(), 600 + t.fid, t.code || '300', 'village', t.id, '大新村村民委员会', '大新村', '2000-01-01', '', t.seat
             FROM areas t WHERE t.level = 'town' AND t.fid = 105;
         INSERT INTO areas (id, fid, code, level, parent_id, name, short_name, valid_from, path, seat)
           SELECT gen_random_uuid(), 601 + t.fid, t.code || '400', 'village', t.id, '新村坝村民委员会', '新村坝', '2000-01-01', '', t.seat
             FROM areas t WHERE t.level = 'town' AND t.fid = 105;
         INSERT INTO village_facts (id, area_id, effective_on, poor, source)
           SELECT gen_random_uuid(), id, '2016-01-01', fid = 327, 'x' FROM areas WHERE level = 'village';
         INSERT INTO natural_villages (id, code, village_id, name, geom, valid_from)
           SELECT gen_random_uuid(), code || '001', id, '新村', 'SRID=4490;POINT(115.7 24)', '2000-01-01' FROM areas WHERE fid = 301;",
    )
    .execute(&mut owner)
    .await
    .unwrap();
    let server = Server::start(&db).await;
    let found = Reader::public(&server).json("/api/v1/search?q=%E6%96%B0%E6%9D%91&limit=40").await;
    let items = found["items"].as_array().unwrap();
    assert_eq!((items.len(), &found["more"]), (33, &serde_json::Value::Bool(false)));
    assert_eq!(items[0]["place"], "梅州市 › 五华县 › 第27镇", "the poor village comes first");
    let exact: Vec<_> = items[..30].iter().collect();
    assert!(exact.iter().all(|i| i["kind"] == "area" && i["name"] == "新村村民委员会"));
    assert_eq!(exact.iter().map(|i| i["place"].as_str().unwrap()).collect::<HashSet<_>>().len(), 30);
    assert_eq!(
        (items[30]["kind"].as_str(), items[30]["name"].as_str()),
        (Some("natural_village"), Some("新村"))
    );
    assert_eq!(items[31]["name"], "新村坝村民委员会", "a beginning comes before a part");
    assert_eq!(items[32]["name"], "大新村村民委员会");
    let first = Reader::public(&server).json("/api/v1/search?q=%E6%96%B0%E6%9D%91&limit=5").await;
    assert_eq!(
        (first["items"].as_array().unwrap().len(), &first["more"]),
        (5, &serde_json::Value::Bool(true))
    );
    assert_eq!(first["items"].as_array().unwrap()[..], items[..5]);
}

#[tokio::test]
async fn finds_by_name_short_name_and_code() {
    let world = world().await;
    let staff = Reader::signed_in(&world.server, "guihua.gd").await;
    for q in ["五华县", "五华", "441424", " 五华 "] {
        let found = staff.json(&format!("/api/v1/search?q={}", encode(q))).await;
        assert_eq!(found["items"][0]["code"], "441424", "{q}: {found}");
        assert_eq!(found["items"][0]["place"], "梅州市");
        assert_eq!(found["items"][0]["bbox"].as_array().unwrap().len(), 4);
    }
    let code = text(&world.db, "SELECT code FROM projects ORDER BY code LIMIT 1").await;
    let found = staff.json(&format!("/api/v1/search?q={}", encode(&code))).await;
    assert_eq!(
        (found["items"][0]["kind"].as_str(), &found["items"][0]["code"]),
        (Some("project"), &code.into())
    );
    let route = text(
        &world.db,
        "SELECT s.route_code FROM project_segments l JOIN road_segment_states s USING (segment_id)
          WHERE s.route_code LIKE 'Y%' ORDER BY 1 LIMIT 1",
    )
    .await;
    let found = staff.json(&format!("/api/v1/search?q={}", encode(&route.to_lowercase()))).await;
    assert_eq!(found["items"][0]["kind"], "project", "{route}: {found}");
    for q in ["", "   ", "%", "_", "查无此村名"] {
        let found = staff.json(&format!("/api/v1/search?q={}", encode(q))).await;
        assert_eq!(found["items"].as_array().unwrap().len(), 0, "{q}: {found}");
    }
    assert_eq!(staff.problem(&format!("/api/v1/search?q={}", encode(&"村".repeat(200)))).await.0, 400);
    // Not a measurement: only that nothing scans for seconds.
    let begun = Instant::now();
    staff.json(&format!("/api/v1/search?q={}&limit=10", encode("村"))).await;
    assert!(begun.elapsed().as_millis() < 1_000);
}

fn encode(text: &str) -> String {
    text.bytes().map(|b| format!("%{b:02X}")).collect()
}
