//! Reviewing: the queue, approving, returning, and what each does to the two readings.

use serde_json::{Value, json};

use crate::people::{Person, TODAY, World, road_report};

async fn report(clerk: &Person, world: &World, version: i32, day: &str, bed: f64, surface: f64) -> String {
    let written = clerk.report(world.road, version, &road_report(day, bed, surface)).await.is(201);
    written["report"]["id"].as_str().unwrap().to_owned()
}

async fn queue(person: &Person, query: &str) -> Vec<String> {
    let page = person.get(&format!("/api/v1/reports/pending{query}")).await.is(200);
    page["items"].as_array().unwrap().iter().map(|r| r["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_approved_report_counts_as_approved() {
    let world = World::start().await;
    let clerk = world.sign_in("road.wuhua").await;
    let reviewer = world.sign_in("review.wuhua").await;
    let id = report(&clerk, &world, 1, TODAY, 2.4, 2.4).await;

    let page = reviewer.get("/api/v1/reports/pending").await.is(200);
    assert_eq!(page["next_cursor"], Value::Null);
    let waiting = &page["items"][0];
    assert_eq!(waiting["id"], id.as_str());
    assert_eq!(waiting["project"]["code"], "P1");
    assert_eq!(waiting["project"]["version"], 2);
    assert_eq!(waiting["project"]["area"]["code"], "441424101201");
    assert_eq!(
        world.value::<i64>("SELECT count(*) FROM service_states WHERE approved_at IS NOT NULL").await,
        0
    );

    let answer = reviewer.review(&id, 2, "approved", "现场核实").await;
    let reviewed = answer.is(200);
    assert_eq!(answer.etag.as_deref(), Some("\"v3\""));
    assert_eq!(reviewed["report"]["review_state"], "approved");
    assert_eq!(reviewed["report"]["reviews"][0]["reason"], "现场核实");
    assert_eq!(reviewed["project"]["version"], 3);
    assert_eq!(reviewed["seq"], 2);
    assert_eq!(
        world.value::<i64>("SELECT count(*) FROM service_states WHERE approved_at IS NOT NULL").await,
        2
    );
    assert_eq!(
        world.value::<i64>("SELECT count(*) FROM project_revisions WHERE approved_at IS NOT NULL").await,
        1
    );
    assert!(queue(&reviewer, "").await.is_empty());

    reviewer.review(&id, 3, "returned", "后悔").await.is_problem(409, "already_reviewed");
    assert_eq!(
        world.value::<String>("SELECT body::json ->> 'action' FROM audit_entries WHERE seq = 2").await,
        "review_report"
    );
}

#[tokio::test]
async fn a_returned_report_is_voided_and_the_project_falls_back() {
    let world = World::start().await;
    let clerk = world.sign_in("road.wuhua").await;
    let reviewer = world.sign_in("review.wuhua").await;
    let first = report(&clerk, &world, 1, "2020-10-20", 2.4, 1.2).await;
    let second = report(&clerk, &world, 2, TODAY, 2.4, 2.4).await;

    reviewer.review(&second, 3, "returned", "").await.is_problem(422, "invalid");
    let returned = reviewer.review(&second, 3, "returned", "照片看不出已完工").await.is(200);
    assert_eq!(returned["report"]["review_state"], "returned");
    assert_eq!(returned["project"]["state"], "under_way");
    assert_eq!(returned["project"]["percent"], 67.5);
    assert_eq!(returned["project"]["version"], 4);
    assert_eq!(world.value::<i64>("SELECT count(*) FROM service_states WHERE voided_at IS NULL").await, 0);
    assert_eq!(
        world.value::<String>("SELECT DISTINCT void_reason FROM service_states").await,
        "照片看不出已完工"
    );
    let present: (String, Option<String>, Option<String>) = sqlx::query_as(
        "SELECT state, completed_on::text, last_reported_on::text FROM projects WHERE code = 'P1'",
    )
    .fetch_one(&mut world.db.owner().await)
    .await
    .unwrap();
    assert_eq!(present, ("under_way".into(), None, Some("2020-10-20".into())));

    // Approving what it fell back to approves its repetition, too.
    reviewer.review(&first, 4, "approved", "").await.is(200);
    let versions: Vec<(i32, bool, bool)> = sqlx::query_as(
        "SELECT version, approved_at IS NOT NULL, voided_at IS NOT NULL FROM project_revisions
          WHERE project_id = $1 ORDER BY version",
    )
    .bind(world.road)
    .fetch_all(&mut world.db.owner().await)
    .await
    .unwrap();
    assert_eq!(versions, [(1, false, false), (2, true, false), (3, false, true), (4, true, false)]);

    // Reported again, from the figures that stand; a date before the returned one is right again.
    let again = clerk.report(world.road, 5, &road_report("2020-10-25", 2.4, 1.8)).await.is(201);
    assert_eq!(again["report"]["previous_percent"], 67.5);
    // Whoever still looks at the returned version is told.
    let stale = clerk
        .report(world.road, 3, &road_report("2020-10-25", 2.4, 1.8))
        .await
        .is_problem(412, "stale_version");
    assert!(
        stale["changed"]
            .as_array()
            .unwrap()
            .contains(&json!({ "field": "state", "was": "completed", "now": "under_way" }))
    );
}

#[tokio::test]
async fn returning_the_first_report_of_all_goes_back_to_the_beginning() {
    let world = World::start().await;
    let clerk = world.sign_in("road.wuhua").await;
    let reviewer = world.sign_in("review.wuhua").await;
    let id = report(&clerk, &world, 1, TODAY, 1.2, 0.0).await;
    let returned = reviewer.review(&id, 2, "returned", "不属实").await.is(200);
    assert_eq!(returned["project"]["state"], "tendered");
    assert_eq!(returned["project"]["percent"], 0.0);
    let dates: (Option<String>, Option<String>) =
        sqlx::query_as("SELECT started_on::text, last_reported_on::text FROM projects WHERE code = 'P1'")
            .fetch_one(&mut world.db.owner().await)
            .await
            .unwrap();
    assert_eq!(dates, (None, None));
    report(&clerk, &world, 3, TODAY, 1.0, 0.0).await;
}

#[tokio::test]
async fn an_earlier_report_can_be_returned_while_a_later_one_stands() {
    let world = World::start().await;
    let clerk = world.sign_in("road.wuhua").await;
    let reviewer = world.sign_in("review.wuhua").await;
    let first = report(&clerk, &world, 1, "2020-10-20", 1.2, 0.0).await;
    report(&clerk, &world, 2, TODAY, 2.4, 0.0).await;
    let returned = reviewer.review(&first, 3, "returned", "日期不对").await.is(200);
    assert_eq!(returned["project"]["percent"], 35.0);
    assert_eq!(returned["project"]["version"], 4);
}

#[tokio::test]
async fn nobody_reviews_a_report_of_his_own() {
    let world = World::start().await;
    let both = world.sign_in("both.wuhua").await;
    let other = world.sign_in("review.wuhua").await;
    let id = report(&both, &world, 1, TODAY, 1.2, 0.0).await;
    assert!(queue(&both, "").await.is_empty());
    assert_eq!(queue(&other, "").await, [id.clone()]);
    both.review(&id, 2, "approved", "").await.is_problem(403, "own_report");
    other.review(&id, 1, "approved", "").await.is_problem(412, "stale_version");
    other.review(&id, 2, "approved", "").await.is(200);
}

#[tokio::test]
async fn the_queue_holds_what_one_may_review_page_by_page() {
    let world = World::start().await;
    let clerk = world.sign_in("road.wuhua").await;
    let elsewhere = world.sign_in("road.xingning").await;
    let mut ids = Vec::new();
    for (n, bed) in [0.5, 1.0, 1.5, 2.0, 2.4].into_iter().enumerate() {
        ids.push(report(&clerk, &world, n as i32 + 1, TODAY, bed, 0.0).await);
    }
    let there = elsewhere.report(world.xingning_road, 1, &road_report(TODAY, 1.0, 0.0)).await.is(201);
    let there = there["report"]["id"].as_str().unwrap().to_owned();

    let city = world.sign_in("office.meizhou").await;
    assert_eq!(queue(&city, "").await.len(), 6);
    assert_eq!(queue(&city, "?area=441481").await, [there]);
    assert_eq!(queue(&city, "?area=441424").await, ids);
    city.get("/api/v1/reports/pending?area=999999").await.is_problem(404, "not_found");
    assert_eq!(queue(&world.sign_in("review.wuhua").await, "").await, ids);
    assert!(queue(&world.sign_in("review.water").await, "").await.is_empty(), "another sector");
    clerk.get("/api/v1/reports/pending").await.is_problem(403, "role_missing");

    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = city.get(&format!("/api/v1/reports/pending?limit=4&area=441424{cursor}")).await.is(200);
        seen.extend(page["items"].as_array().unwrap().iter().map(|r| r["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, ids);
    city.get("/api/v1/reports/pending?cursor=nonsense").await.is_problem(400, "bad_request");
    let nobody = world.server.get("/api/v1/reports/pending").await;
    assert_eq!(nobody.status(), 401);
}
