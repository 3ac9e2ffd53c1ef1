//! Reporting progress: the path from a clerk's figures to project, history, services and feed.

use serde_json::{Value, json};

use crate::people::{TODAY, World, new_key, read, road_report};

#[tokio::test]
async fn a_clerk_reports_and_everything_follows() {
    let world = World::start().await;
    let clerk = world.sign_in("road.wuhua").await;

    let mut body = road_report("2020-10-20", 2.4, 1.2);
    body["note"] = json!(" 路基完成 ");
    body["invested_yuan"] = json!("812300.00");
    let answer = clerk.report(world.road, 1, &body).await;
    let written = answer.is(201);
    assert_eq!(answer.etag.as_deref(), Some("\"v2\""));
    assert_eq!(
        written["project"],
        json!({ "id": world.road, "version": 2, "state": "under_way", "status": "under_way", "percent": 67.5,
                "light": "warn" })
    );
    assert_eq!(written["seq"], 1);
    let report = &written["report"];
    assert_eq!(report["percent"], 67.5);
    assert_eq!(report["previous_percent"], Value::Null);
    assert_eq!(report["effective_on"], "2020-10-20");
    assert_eq!(report["note"], "路基完成");
    assert_eq!(report["invested_yuan"], "812300.00");
    assert_eq!(report["review_state"], "submitted");
    assert_eq!(report["recorded_by"]["display_name"], "road.wuhua");
    assert_eq!(report["items"][1], json!({ "item": "surface_km", "done": 1.2 }));

    // The second report completes it: the natural villages have their road from that day on.
    let answer = clerk.report(world.road, 2, &road_report(TODAY, 2.4, 2.4)).await;
    let written = answer.is(201);
    assert_eq!(written["project"]["state"], "completed");
    assert_eq!(written["project"]["percent"], 100.0);
    assert_eq!(written["report"]["previous_percent"], 67.5);
    let services: Vec<(String, String, bool, bool)> = sqlx::query_as(
        "SELECT natural_village_id::text, service || ' ' || effective_on, served, approved_at IS NOT NULL
           FROM service_states ORDER BY 1",
    )
    .fetch_all(&mut world.db.owner().await)
    .await
    .unwrap();
    let expected: Vec<_> = world
        .natural_villages
        .iter()
        .map(|v| (v.to_string(), format!("road {TODAY}"), true, false))
        .collect();
    assert_eq!(services, expected);

    // History: where it began, and both reports.
    let history: Vec<(i32, String, String, f64)> = sqlx::query_as(
        "SELECT version, state, effective_on::text, percent::float8 FROM project_revisions WHERE project_id = $1 ORDER BY 1",
    )
    .bind(world.road)
    .fetch_all(&mut world.db.owner().await)
    .await
    .unwrap();
    assert_eq!(
        history,
        [
            (1, "tendered".into(), "2020-02-01".into(), 0.0),
            (2, "under_way".into(), "2020-10-20".into(), 67.5),
            (3, "completed".into(), TODAY.into(), 100.0)
        ]
    );
    let dates: (String, String, String) = sqlx::query_as(
        "SELECT started_on::text, completed_on::text, last_reported_on::text FROM projects WHERE id = $1",
    )
    .bind(world.road)
    .fetch_one(&mut world.db.owner().await)
    .await
    .unwrap();
    assert_eq!(dates, ("2020-10-20".into(), TODAY.into(), TODAY.into()));

    // Feed and audit.
    let feed: Vec<(i64, String, Value)> =
        sqlx::query_as("SELECT seq, kind, payload FROM change_feed ORDER BY seq")
            .fetch_all(&mut world.db.owner().await)
            .await
            .unwrap();
    assert_eq!(feed.len(), 2);
    assert_eq!(feed[1].0, 2);
    assert_eq!(feed[1].2["natural_village_ids"], json!(world.natural_villages));
    let audit: (String, i64, String) =
        sqlx::query_as("SELECT chain, seq, body FROM audit_entries ORDER BY seq DESC LIMIT 1")
            .fetch_one(&mut world.db.owner().await)
            .await
            .unwrap();
    assert_eq!((audit.0.as_str(), audit.1), ("441424", 2));
    let entry: Value = serde_json::from_str(&audit.2).unwrap();
    assert_eq!(entry["action"], "report_progress");
    assert_eq!(entry["account"]["login"], "road.wuhua");
    assert_eq!(entry["entity"]["code"], "P1");
    assert_eq!(entry["old"]["state"], "under_way");
    assert_eq!(entry["new"]["state"], "completed");

    // Complete: nothing more to report.
    clerk.report(world.road, 3, &road_report(TODAY, 2.4, 2.4)).await.is_problem(409, "transition_refused");
}

#[tokio::test]
async fn a_city_without_counties_keeps_its_own_chain() {
    let world = World::start().await;
    let clerk = world.sign_in("road.dongguan").await;
    clerk.report(world.dongguan_road, 1, &road_report(TODAY, 0.5, 0.0)).await.is(201);
    assert_eq!(world.value::<String>("SELECT chain FROM audit_entries").await, "4419");
}

#[tokio::test]
async fn a_stale_version_is_refused_with_what_changed() {
    let world = World::start().await;
    let clerk = world.sign_in("road.wuhua").await;
    let town = world.sign_in("town.zhuanshui").await;
    clerk.report(world.road, 1, &road_report("2020-10-20", 1.2, 0.0)).await.is(201);

    let problem = town
        .report(world.road, 1, &road_report("2020-10-21", 2.0, 0.0))
        .await
        .is_problem(412, "stale_version");
    assert_eq!(problem["current"]["version"], 2);
    assert_eq!(problem["current"]["percent"], 17.5);
    assert_eq!(
        problem["changed"],
        json!([
            { "field": "version", "was": 1, "now": 2 },
            { "field": "state", "was": "tendered", "now": "under_way" },
            { "field": "percent", "was": 0.0, "now": 17.5 },
        ])
    );
    // A version that is still to come is as stale as one that has passed.
    town.report(world.road, 9, &road_report("2020-10-21", 2.0, 0.0)).await.is_problem(412, "stale_version");
    town.report(world.road, 2, &road_report("2020-10-21", 2.0, 0.0)).await.is(201);
    assert_eq!(world.value::<i64>("SELECT count(*) FROM progress_reports").await, 2);
}

#[tokio::test]
async fn the_headers_of_a_write_are_needed() {
    let world = World::start().await;
    let clerk = world.sign_in("road.wuhua").await;
    let url = format!("{}/api/v1/projects/{}/reports", world.server.base, world.road);
    let body = road_report(TODAY, 1.0, 0.0);
    let post = |headers: &[(&str, &str)]| {
        let mut request = clerk.client.post(&url).header("X-CSRF-Token", &clerk.csrf).json(&body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        async move { read(request.send().await.unwrap()).await }
    };
    let key = ("Idempotency-Key", "12345678");
    post(&[key]).await.is_problem(428, "if_match_required");
    for wrong in ["v1", "1", "\"1\"", "W/\"v1\"", "*", "\"v\""] {
        post(&[key, ("If-Match", wrong)]).await.is_problem(400, "bad_request");
    }
    let matched = ("If-Match", "\"v1\"");
    post(&[matched]).await.is_problem(400, "idempotency_key_required");
    post(&[matched, ("Idempotency-Key", "short")]).await.is_problem(400, "idempotency_key_required");
    let long = "k".repeat(129);
    post(&[matched, ("Idempotency-Key", &long)]).await.is_problem(400, "idempotency_key_required");

    let nobody = world.server.another_client().post(&url).json(&body);
    read(nobody.send().await.unwrap()).await.is_problem(401, "sign_in_required");
    assert_eq!(world.value::<i64>("SELECT count(*) FROM progress_reports").await, 0);
    post(&[matched, key]).await.is(201);

    let missing = format!("/api/v1/projects/{}/reports", uuid::Uuid::now_v7());
    read(clerk.write(&missing, 1, &new_key(), &body).send().await.unwrap())
        .await
        .is_problem(404, "not_found");
    read(clerk.write("/api/v1/projects/P1/reports", 1, &new_key(), &body).send().await.unwrap())
        .await
        .is_problem(404, "not_found");
}

#[tokio::test]
async fn a_repeated_key_gets_the_same_answer_and_makes_one_report() {
    let world = World::start().await;
    let clerk = world.sign_in("road.wuhua").await;
    let (key, body) = (new_key(), road_report("2020-10-20", 1.2, 0.6));
    let first = clerk.report_with(world.road, 1, &key, &body).await;
    first.is(201);
    // Again with the version of then, which is stale now; members in another order; a new session.
    let reordered: Value = serde_json::from_str(
        r#"{ "items": [ {"done": 1.2, "item": "roadbed_km"}, {"done": 0.6, "item": "surface_km"} ],  "effective_on": "2020-10-20" }"#,
    )
    .unwrap();
    assert_eq!(clerk.report_with(world.road, 1, &key, &reordered).await, first);
    let again = world.sign_in("road.wuhua").await;
    assert_eq!(again.report_with(world.road, 1, &key, &body).await, first, "byte for byte");
    assert_eq!(world.value::<i64>("SELECT count(*) FROM progress_reports").await, 1);
    assert_eq!(world.value::<i64>("SELECT count(*) FROM change_feed").await, 1);
    assert_eq!(world.value::<i64>("SELECT count(*) FROM audit_entries").await, 1);

    // The same key for something else.
    let other = road_report("2020-10-20", 1.3, 0.6);
    clerk.report_with(world.road, 2, &key, &other).await.is_problem(422, "idempotency_key_reused");
    clerk.report_with(world.xingning_road, 1, &key, &body).await.is_problem(422, "idempotency_key_reused");
    // Somebody else's key of the same letters is another key.
    let town = world.sign_in("town.zhuanshui").await;
    town.report_with(world.road, 2, &key, &road_report("2020-10-21", 1.4, 0.6)).await.is(201);
}

#[tokio::test]
async fn a_refused_write_leaves_its_key_free() {
    let world = World::start().await;
    let clerk = world.sign_in("road.wuhua").await;
    let key = new_key();
    clerk
        .report_with(world.road, 7, &key, &road_report(TODAY, 1.0, 0.0))
        .await
        .is_problem(412, "stale_version");
    clerk.report_with(world.road, 1, &key, &road_report(TODAY, 1.0, 0.0)).await.is(201);
}

#[tokio::test]
async fn twenty_duplicates_at_once_make_one_report_and_get_one_answer() {
    let world = World::start().await;
    let clerk = world.sign_in("road.wuhua").await;
    let (key, body) = (new_key(), road_report("2020-10-20", 1.2, 0.6));
    let all = (0..20).map(|_| clerk.report_with(world.road, 1, &key, &body));
    let answers = futures::future::join_all(all).await;
    answers[0].is(201);
    for answer in &answers {
        assert_eq!(*answer, answers[0]);
    }
    assert_eq!(world.value::<i64>("SELECT count(*) FROM progress_reports").await, 1);
    assert_eq!(world.value::<i32>("SELECT version FROM projects WHERE code = 'P1'").await, 2);

    // Different keys at once: one is first, the others see a stale version.
    let all = (0..20).map(|_| clerk.report(world.road, 2, &body));
    let answers = futures::future::join_all(all).await;
    assert_eq!(answers.iter().filter(|a| a.status == 201).count(), 1);
    assert_eq!(answers.iter().filter(|a| a.code() == "stale_version").count(), 19);
    assert_eq!(world.value::<i64>("SELECT count(*) FROM progress_reports").await, 2);
}

#[tokio::test]
async fn fields_that_do_not_fit_are_named_all_at_once() {
    let world = World::start().await;
    let clerk = world.sign_in("road.wuhua").await;
    clerk.report(world.road, 1, &road_report("2020-10-20", 1.2, 0.6)).await.is(201);

    let bad = json!({ "effective_on": "2020-11-01", "paid_yuan": "-1", "items": [
        { "item": "roadbed_km", "done": 2.6 }, { "item": "surface_km", "done": -1 }, { "item": "homes_built", "done": 1 } ] });
    let problem = clerk.report(world.road, 2, &bad).await.is_problem(422, "invalid");
    let fields: Vec<&str> =
        problem["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect();
    assert_eq!(
        fields,
        ["effective_on", "items.roadbed_km", "items.surface_km", "items.homes_built", "paid_yuan"]
    );
    assert!(problem["errors"][0]["message"].as_str().unwrap().contains("截至日期不能晚于今天"));

    let falling = clerk.report(world.road, 2, &road_report("2020-10-25", 1.1, 0.6)).await;
    let problem = falling.is_problem(422, "cumulative_falls");
    assert!(problem["errors"][0]["message"].as_str().unwrap().contains("1.2 公里"), "{problem}");
    clerk
        .report(world.road, 2, &road_report("2020-10-19", 1.3, 0.6))
        .await
        .is_problem(422, "report_back_dated");
    let words = json!({ "effective_on": TODAY, "items": [{ "item": "roadbed_km", "done": "一公里" }] });
    clerk.report(world.road, 2, &words).await.is_problem(422, "invalid");
    let typo = json!({ "effective_on": TODAY, "itmes": [] });
    clerk.report(world.road, 2, &typo).await.is_problem(400, "bad_request");

    // More than planned with a reason; a decimal string is as good as a number.
    let more = json!({ "effective_on": TODAY, "items": [{ "item": "roadbed_km", "done": "2.600" }], "note": "增加错车道" });
    clerk.report(world.road, 2, &more).await.is(201);
    assert_eq!(world.value::<i64>("SELECT count(*) FROM progress_reports").await, 2);
}

#[tokio::test]
async fn answers_are_kept_ninety_days() {
    let world = World::start().await;
    let clerk = world.sign_in("road.wuhua").await;
    for (version, bed) in [(1, 0.5), (2, 1.0)] {
        clerk.report(world.road, version, &road_report(TODAY, bed, 0.0)).await.is(201);
    }
    sqlx::query(
        "UPDATE idempotency_keys SET recorded_at = now() - CASE body::json -> 'project' ->> 'version'
           WHEN '2' THEN interval '91 d' ELSE interval '89 d' END",
    )
    .execute(&mut world.db.owner().await)
    .await
    .unwrap();
    let mut db = world.db.pool().acquire().await.unwrap();
    cuntong::db::idempotency::purge(&mut db, cuntong::clock::Clock::default().now()).await.unwrap();
    let kept = world.value::<String>(
        "SELECT string_agg(body::json -> 'project' ->> 'version', ',') FROM idempotency_keys",
    );
    assert_eq!(kept.await, "3");
    assert_eq!(world.value::<i64>("SELECT count(*) FROM sessions").await, 1, "a session that stands stays");
}
