//! `/api/v1/projects` and `/api/v1/projects/{id}`.

use std::collections::HashMap;

use serde_json::Value;

use crate::harness::{Db, Server};
use crate::reads::{Reader, number, text, world};

fn sum(counts: &Value) -> u64 {
    counts.as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum()
}

#[tokio::test]
async fn totals_equal_sql_for_every_filter() {
    let world = world().await;
    let staff = Reader::signed_in(&world.server, "guihua.gd").await;
    let cases = [
        ("", "SELECT count(*) FROM projects"),
        ("sector=road", "SELECT count(*) FROM projects WHERE sector = 'road'"),
        ("sector=water,housing", "SELECT count(*) FROM projects WHERE sector IN ('water', 'housing')"),
        ("year=2019", "SELECT count(*) FROM projects WHERE plan_year = 2019"),
        (
            "status=under_way,completed",
            "SELECT count(*) FROM projects p JOIN project_states s USING (state) WHERE s.status IN ('under_way', 'completed')",
        ),
        (
            "area=441424&sector=water",
            "SELECT count(*) FROM projects p JOIN areas a ON a.id = p.area_id JOIN areas c ON c.code = '441424'
              WHERE a.path LIKE c.path || '%' AND p.sector = 'water'",
        ),
        ("light=done", "SELECT count(*) FROM projects p JOIN project_states s USING (state) WHERE s.status = 'done'"),
        (
            "light=none",
            "SELECT count(*) FROM projects p JOIN project_states s USING (state)
              WHERE s.status = 'under_way' AND last_reported_on IS NULL AND planned_finish_on >= '2020-10-31'
                AND coalesce(started_on, planned_start_on) >= date '2020-10-31' - 45",
        ),
        (
            "at=2019-06-30&status=done",
            "SELECT count(*) FROM projects p JOIN LATERAL (
               SELECT state FROM project_revisions r WHERE r.project_id = p.id AND r.voided_at IS NULL
                  AND r.effective_on <= '2019-06-30' ORDER BY effective_on DESC, version DESC LIMIT 1) r ON true
              JOIN project_states s ON s.state = r.state WHERE s.status = 'done'",
        ),
    ];
    for (query, sql) in cases {
        let page = staff.json(&format!("/api/v1/projects?limit=1&{query}")).await;
        assert_eq!(page["total"], number(&world.db, sql).await, "{query}");
    }
    let name = text(&world.db, "SELECT name FROM projects ORDER BY md5(code) LIMIT 1").await;
    let part: String = name.chars().take(3).collect();
    let encoded: String = part.bytes().map(|b| format!("%{b:02X}")).collect();
    let found = staff.json(&format!("/api/v1/projects?q={encoded}&limit=1")).await["total"].as_u64().unwrap();
    let mut owner = world.db.owner().await;
    let sql: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM projects WHERE name ILIKE '%' || $1 || '%' OR code ILIKE $1 || '%'",
    )
    .bind(&part)
    .fetch_one(&mut owner)
    .await
    .unwrap();
    assert_eq!(found, sql as u64, "{part}");
}

#[tokio::test]
async fn counts_are_what_another_choice_would_give() {
    let world = world().await;
    let staff = Reader::signed_in(&world.server, "guihua.gd").await;
    let all = staff.json("/api/v1/projects?limit=1&area=441400").await;
    let total = all["total"].as_u64().unwrap();
    assert_eq!(sum(&all["counts"]["status"]), total);
    assert_eq!(sum(&all["counts"]["sector"]), total);
    let cancelled = all["counts"]["status"]["cancelled"].as_u64().unwrap_or(0);
    assert_eq!(sum(&all["counts"]["light"]) + cancelled, total);
    let late = staff.json("/api/v1/projects?limit=1&light=late").await;
    assert_eq!(late["counts"]["light"], staff.json("/api/v1/projects?limit=1").await["counts"]["light"]);
    for (light, n) in late["counts"]["light"].as_object().unwrap() {
        assert_eq!(
            staff.json(&format!("/api/v1/projects?limit=1&light={light}")).await["total"],
            *n,
            "{light}"
        );
    }
}

#[tokio::test]
async fn pages_hold_every_project_once_in_order() {
    let world = world().await;
    let staff = Reader::signed_in(&world.server, "guihua.gd").await;
    let rank: HashMap<&str, usize> =
        ["late", "warn", "none", "ok", "todo", "done"].into_iter().enumerate().map(|(i, l)| (l, i)).collect();
    for sort in
        ["code", "-code", "name", "percent", "-percent", "light", "-light", "lag", "planned_finish_on"]
    {
        let (all, total) = staff.all(&format!("/api/v1/projects?area=441424&sort={sort}")).await;
        assert_eq!(all.len() as u64, total, "{sort}");
        let reversed = sort.starts_with('-');
        let key = |p: &Value| -> f64 {
            match sort.trim_start_matches('-') {
                "percent" => p["percent"].as_f64().unwrap(),
                "light" => p["light"].as_str().map_or(6, |l| rank[l]) as f64,
                _ => 0.0,
            }
        };
        let keys: Vec<f64> = all.iter().map(key).collect();
        assert!(keys.windows(2).all(|w| if reversed { w[0] >= w[1] } else { w[0] <= w[1] }), "{sort}");
        if sort == "code" {
            assert!(all.iter().map(|p| p["code"].as_str().unwrap()).collect::<Vec<_>>().is_sorted());
        }
    }
    let first = staff.json("/api/v1/projects?area=441424&limit=2").await;
    let cursor = first["next_cursor"].as_str().unwrap();
    assert_eq!(staff.problem(&format!("/api/v1/projects?area=441481&limit=2&cursor={cursor}")).await.0, 400);
    let tampered = format!("{}A", &cursor[..cursor.len() - 1]);
    assert_eq!(
        staff.problem(&format!("/api/v1/projects?area=441424&limit=2&cursor={tampered}B")).await.0,
        400
    );
}

#[tokio::test]
async fn wrong_requests_are_problems() {
    let world = world().await;
    let staff = Reader::signed_in(&world.server, "guihua.gd").await;
    for (query, status) in [
        ("area=999999", 404),
        ("sector=roads", 400),
        ("status=finished", 400),
        ("light=red", 400),
        ("year=abc", 400),
        ("sort=colour", 400),
        ("at=2020-13-01", 400),
        ("at=2999-01-01", 400),
        ("limit=0", 400),
        ("cursor=AAAA", 400),
    ] {
        assert_eq!(staff.problem(&format!("/api/v1/projects?{query}")).await.0, status, "{query}");
    }
    assert_eq!(staff.problem("/api/v1/projects/nonsense").await.0, 404);
    let public = Reader::public(&world.server);
    assert_eq!(public.problem("/api/v1/projects?light=late").await.0, 400);
    assert_eq!(public.problem("/api/v1/projects?sort=light").await.0, 400);
}

#[tokio::test]
async fn the_detail_fits_its_row_and_its_reader() {
    let world = world().await;
    let clerk = Reader::signed_in(&world.server, "jiaotong.wuhua").await;
    let (late, _) = clerk.all("/api/v1/projects?area=441424&sector=road&light=late,warn").await;
    assert!(!late.is_empty());
    for row in late.iter().take(10) {
        let path = format!("/api/v1/projects/{}", row["id"].as_str().unwrap());
        let (status, headers, body) = clerk.get(&path).await;
        assert_eq!(status, 200, "{body}");
        let detail: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(headers["etag"], format!("\"v{}\"", row["version"]));
        for field in
            ["code", "light", "percent", "planned_percent", "lag_pp", "lag_days", "center", "bbox", "unit"]
        {
            assert_eq!(detail[field], row[field], "{field}");
        }
        let reason = &detail["light_reason"];
        assert!(reason["zh"].as_str().is_some_and(|r| !r.is_empty()) && reason["en"].is_string(), "{reason}");
        if reason["threshold"].is_number() {
            assert!(reason["document_no"].is_string(), "{reason}");
        }
        let items = detail["quantities"].as_array().unwrap();
        let part: f64 = items
            .iter()
            .map(|q| {
                q["weight"].as_f64().unwrap()
                    * (q["done"].as_f64().unwrap() / q["planned"].as_f64().unwrap()).min(1.0)
            })
            .sum();
        let weights: f64 = items.iter().map(|q| q["weight"].as_f64().unwrap()).sum();
        if detail["last_report"].is_object() {
            let derived = 100.0 * part / weights;
            assert!(
                (derived - detail["percent"].as_f64().unwrap()).abs() < 0.1,
                "{derived} against {}",
                detail["percent"]
            );
        }
        assert!(detail["geometry"]["type"].is_string());
        assert_eq!(detail["permissions"]["report"], detail["permissions"]["reason"].is_null());
    }
    let elsewhere = clerk.json("/api/v1/projects?area=441481&sector=road&status=under_way&limit=1").await;
    let id = elsewhere["items"][0]["id"].as_str().unwrap();
    let detail = clerk.json(&format!("/api/v1/projects/{id}")).await;
    assert_eq!(detail["permissions"]["report"], false);
    let why = detail["permissions"]["reason"].as_str().unwrap();
    assert!(why.contains("五华县"), "{why}");
    let water = clerk.json("/api/v1/projects?area=441424&sector=water&status=under_way&limit=1").await;
    let detail = clerk.json(&format!("/api/v1/projects/{}", water["items"][0]["id"].as_str().unwrap())).await;
    assert!(
        detail["permissions"]["reason"].as_str().unwrap().contains("农村供水"),
        "{}",
        detail["permissions"]
    );
}

#[tokio::test]
async fn the_public_sees_what_is_published_and_approved_and_nothing_else() {
    const CANARY: &str = "金丝雀";
    let db = Db::with_demo().await;
    let mut owner = db.owner().await;
    sqlx::raw_sql(
        "UPDATE projects SET responsible = '金丝雀负责人', contractor = '金丝雀公司', details = '{\"x\": \"金丝雀\"}'
          WHERE area_id IN (SELECT a.id FROM areas a JOIN areas c ON a.path LIKE c.path || '%' WHERE c.code = '441424');
         INSERT INTO progress_reports (id, project_id, effective_on, recorded_by, percent, note)
           SELECT gen_random_uuid(), p.id, '2020-10-30', (SELECT id FROM accounts LIMIT 1), 99, '金丝雀备注'
             FROM projects p WHERE responsible = '金丝雀负责人';
         INSERT INTO project_revisions (project_id, version, effective_on, state, percent, invested_yuan, paid_yuan, report_id, reason)
           SELECT p.id, p.version + 1, '2020-10-30', 'under_way', 98.76, 0, 0,
                  (SELECT id FROM progress_reports r WHERE r.project_id = p.id AND note = '金丝雀备注' LIMIT 1), '金丝雀理由'
             FROM projects p WHERE responsible = '金丝雀负责人';
         UPDATE projects SET published = false, name = '金丝雀未公开'
          WHERE id = (SELECT id FROM projects WHERE responsible = '金丝雀负责人' AND sector = 'road' ORDER BY code LIMIT 1);
         SELECT append_change('bulk', NULL, NULL, '{}');",
    )
    .execute(&mut owner)
    .await
    .unwrap();
    let hidden: String = sqlx::query_scalar("SELECT id::text FROM projects WHERE NOT published")
        .fetch_one(&mut owner)
        .await
        .unwrap();
    let server = Server::start(&db).await;
    let public = Reader::public(&server);
    let (all, _) = public.all("/api/v1/projects?area=441424").await;
    assert!(all.len() > 10);
    for row in &all {
        for field in ["light", "lag_pp", "lag_days", "planned_percent"] {
            assert!(row[field].is_null(), "{field}: {row}");
        }
        assert_eq!(row["pending_review"], false);
        assert_ne!(row["percent"], 98.76, "a report that waits is not public");
        assert!(!row.to_string().contains(CANARY), "{row}");
    }
    let mut sectors = std::collections::HashSet::new();
    for row in all.iter().filter(|r| sectors.insert((r["sector"].to_string(), r["status"].to_string()))) {
        let (status, _, body) =
            public.get(&format!("/api/v1/projects/{}", row["id"].as_str().unwrap())).await;
        assert_eq!(status, 200);
        assert!(!body.contains(CANARY), "{body}");
        let detail: Value = serde_json::from_str(&body).unwrap();
        for empty in ["reports", "funds", "segments"] {
            assert_eq!(detail[empty].as_array().unwrap().len(), 0, "{empty}");
        }
        for null in ["responsible", "contractor", "light_reason", "geometry", "last_report", "invested_yuan"]
        {
            assert!(detail[null].is_null(), "{null}: {body}");
        }
        assert_eq!(detail["permissions"]["report"], false);
    }
    assert_eq!(public.problem(&format!("/api/v1/projects/{hidden}")).await.0, 404);
    let found = public.json("/api/v1/search?q=%E9%87%91%E4%B8%9D%E9%9B%80").await;
    assert_eq!(found["items"].as_array().unwrap().len(), 0, "{found}");
    // The same is there for those who are signed in: the canaries sing.
    let staff = Reader::signed_in(&server, "guihua.gd").await;
    let (_, _, body) = staff.get(&format!("/api/v1/projects/{hidden}")).await;
    assert!(body.contains("金丝雀负责人") && body.contains("金丝雀备注"), "{body}");
}

#[tokio::test]
async fn a_commit_is_in_the_next_list() {
    let db = Db::with_demo().await;
    let server = Server::start(&db).await;
    let staff = Reader::signed_in(&server, "guihua.gd").await;
    let before = staff.json("/api/v1/projects?status=done&limit=1").await["total"].as_u64().unwrap();
    let mut owner = db.owner().await;
    sqlx::raw_sql(
        "WITH one AS (UPDATE projects SET state = 'accepted', percent = 100, version = version + 1
                       WHERE id = (SELECT id FROM projects WHERE state = 'completed' LIMIT 1) RETURNING id, area_id)
         SELECT append_change('project', id, area_id, '{}') FROM one;",
    )
    .execute(&mut owner)
    .await
    .unwrap();
    assert_eq!(staff.json("/api/v1/projects?status=done&limit=1").await["total"], before + 1);
}
