//! 我的待办: what is due, returned and late, by when, and who may ask.

use serde_json::{Value, json};

use crate::people::{Person, TODAY, World, new_key, read, road_report};

async fn list(person: &Person, query: &str) -> Value {
    person.get(&format!("/api/v1/todo{query}")).await.is(200)
}

/// Group and code of each row.
fn rows(page: &Value) -> Vec<(String, String)> {
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (text(&item["group"]), text(&item["project"]["code"])))
        .collect()
}

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

/// A decision of the province.
async fn decide(world: &World, key: &str, value: Value) {
    sqlx::query(
        "INSERT INTO settings (key, value, effective_on, document_no, document_title)
         VALUES ($1, $2, '2020-01-01', '粤交规〔2020〕1号', '关于进度填报的通知')",
    )
    .bind(key)
    .bind(value)
    .execute(&mut world.db.owner().await)
    .await
    .unwrap();
}

#[tokio::test]
async fn a_report_is_due_until_it_is_sent() {
    let world = World::start().await;
    decide(&world, "reporting", json!({ "cycle": "month", "due_days": 5, "mend_days": 2 })).await;
    let clerk = world.sign_in("road.wuhua").await;
    let page = list(&clerk, "").await;
    // Planned for March, and nothing was ever reported: March is owed.
    assert_eq!(rows(&page), pairs(&[("due", "P1")]));
    let item = &page["items"][0];
    assert_eq!((item["due_on"].as_str(), item["days_left"].as_i64()), (Some("2020-04-05"), Some(-209)));
    assert_eq!(item["quantities"][1]["name_zh"], "路面");
    assert_eq!(item["project"]["version"], 1);
    assert_eq!(page["business_date"], TODAY);
    assert_eq!(page["reporting"]["period_due_on"], "2020-11-05");
    assert_eq!(page["reporting"]["document_no"], "粤交规〔2020〕1号");
    assert_eq!(
        page["counts"],
        json!({ "returned": 0, "due": 1, "overdue": 1, "late": 1, "waiting": 0, "reporting": 1, "reported": 0 })
    );

    // A report about September leaves October owed.
    clerk.report(world.road, 1, &road_report("2020-09-28", 2.4, 1.9)).await.is(201);
    let page = list(&clerk, "").await;
    assert_eq!(page["items"][0]["due_on"], "2020-11-05");
    assert_eq!(page["items"][0]["days_left"], 5);
    assert_eq!(page["counts"]["overdue"], 0);
    assert_eq!(page["items"][0]["quantities"][1]["done"], 1.9);

    clerk.report(world.road, 2, &road_report(TODAY, 2.4, 2.3)).await.is(201);
    let page = list(&clerk, "").await;
    assert_eq!(rows(&page), []);
    assert_eq!(page["counts"]["reported"], 1);
    assert_eq!(rows(&list(&clerk, "?group=waiting").await), pairs(&[("waiting", "P1")]));
}

#[tokio::test]
async fn a_returned_report_comes_first_with_reason_name_and_deadline() {
    let world = World::start().await;
    decide(&world, "reporting", json!({ "cycle": "month", "due_days": 5, "mend_days": 2 })).await;
    let clerk = world.sign_in("road.wuhua").await;
    let reviewer = world.sign_in("review.wuhua").await;
    let written = clerk.report(world.road, 1, &road_report(TODAY, 2.4, 2.0)).await.is(201);
    let id = written["report"]["id"].as_str().unwrap().to_owned();
    let returned = reviewer.review(&id, 2, "returned", "桩号不对").await.is(200);
    assert_eq!(returned["report"]["reviews"][0]["mend_by"], "2020-11-02");

    let page = list(&clerk, "").await;
    assert_eq!(rows(&page), pairs(&[("returned", "P1")]));
    let item = &page["items"][0];
    assert_eq!((item["due_on"].as_str(), item["days_left"].as_i64()), (Some("2020-11-02"), Some(2)));
    assert_eq!(item["returned"]["reason"], "桩号不对");
    assert_eq!(item["returned"]["returned_by"]["display_name"], "review.wuhua");
    assert_eq!(item["returned"]["report_id"], id.as_str());
    assert_eq!((page["counts"]["returned"].as_u64(), page["counts"]["due"].as_u64()), (Some(1), Some(0)));

    // A later decision does not move a deadline that was told.
    decide(&world, "reporting", json!({ "cycle": "month", "due_days": 5, "mend_days": 30 })).await;
    assert_eq!(list(&clerk, "").await["items"][0]["due_on"], "2020-11-02");
}

#[tokio::test]
async fn a_correction_is_a_new_record_that_names_the_returned_one() {
    let world = World::start().await;
    let clerk = world.sign_in("road.wuhua").await;
    let reviewer = world.sign_in("review.wuhua").await;
    let sent = |answer: Value| answer["report"]["id"].as_str().unwrap().to_owned();
    let first = sent(clerk.report(world.road, 1, &road_report(TODAY, 2.4, 2.0)).await.is(201));

    let correcting = |report: &str, surface: f64| {
        let mut body = road_report(TODAY, 2.4, surface);
        body["corrects"] = json!(report);
        body
    };
    // Not yet returned; not of this project.
    let problem = clerk.report(world.road, 2, &correcting(&first, 2.1)).await.is_problem(422, "invalid");
    assert_eq!(problem["errors"][0]["field"], "corrects");
    reviewer.review(&first, 2, "returned", "路面大于实测").await.is(200);
    let town = world.sign_in("both.wuhua").await;
    let water =
        json!({ "effective_on": TODAY, "items": [{ "item": "pipe_km", "done": 1 }], "corrects": first });
    town.report(world.water, 1, &water).await.is_problem(422, "invalid");

    let second = clerk.report(world.road, 3, &correcting(&first, 1.8)).await.is(201);
    assert_eq!(second["report"]["corrects"], first.as_str());
    let second = sent(second);
    assert_eq!(rows(&list(&clerk, "").await), []);
    // Corrected once; what was returned stays word for word.
    clerk.report(world.road, 4, &correcting(&first, 1.9)).await.is_problem(422, "invalid");
    let detail = clerk.get(&format!("/api/v1/projects/{}", world.road)).await.is(200);
    let reports = detail["reports"].as_array().unwrap();
    assert_eq!(reports.len(), 2);
    assert_eq!(
        (reports[1]["id"].as_str(), reports[1]["corrected_by"].as_str()),
        (Some(first.as_str()), Some(second.as_str()))
    );
    assert_eq!(reports[1]["items"][1]["done"], 2.0);
    assert_eq!(reports[1]["review_state"], "returned");

    // Returned again, and corrected by somebody whose program does not know of chains.
    reviewer.review(&second, 4, "returned", "还是不对").await.is(200);
    let third = clerk.report(world.road, 5, &road_report(TODAY, 2.4, 1.7)).await.is(201);
    assert_eq!(third["report"]["corrects"], second.as_str());
    let audit: String = world.value("SELECT body FROM audit_entries ORDER BY seq DESC LIMIT 1").await;
    assert_eq!(serde_json::from_str::<Value>(&audit).unwrap()["report"]["corrects"], second.as_str());
    // A usual report corrects nothing.
    let usual = clerk.report(world.road, 6, &road_report(TODAY, 2.4, 1.75)).await.is(201);
    assert_eq!(usual["report"]["corrects"], Value::Null);
}

#[tokio::test]
async fn the_database_lets_a_correction_name_only_a_returned_report_of_its_project() {
    let world = World::start().await;
    let clerk = world.sign_in("road.wuhua").await;
    let written = clerk.report(world.road, 1, &road_report(TODAY, 2.4, 2.0)).await.is(201);
    let standing = written["report"]["id"].as_str().unwrap().parse::<uuid::Uuid>().unwrap();
    let account: uuid::Uuid = world.value("SELECT id FROM accounts WHERE login = 'road.wuhua'").await;
    let mut tx = world.db.pool().begin().await.unwrap();
    sqlx::query("SELECT set_config('cuntong.account', $1, true)")
        .bind(account.to_string())
        .execute(&mut *tx)
        .await
        .unwrap();
    let refused = sqlx::query(
        "INSERT INTO progress_reports (id, project_id, effective_on, recorded_by, percent, corrects_id)
         VALUES (gen_random_uuid(), $1, '2020-10-20', $2, 10, $3)",
    )
    .bind(world.road)
    .bind(account)
    .bind(standing)
    .execute(&mut *tx)
    .await;
    let code = refused
        .err()
        .and_then(|e| e.as_database_error().and_then(|d| d.code().map(std::borrow::Cow::into_owned)));
    assert_eq!(code.as_deref(), Some("42501"));
}

/// Role × own or other area × own or other sector: what the list answers.
#[tokio::test]
async fn the_list_holds_what_one_may_report_and_nothing_else() {
    let world = World::start().await;
    let codes = |page: &Value| rows(page).into_iter().map(|(_, code)| code).collect::<Vec<_>>();
    for (login, expected) in [
        ("road.wuhua", &["P1"][..]),
        ("water.wuhua", &["P2"]),
        ("town.zhuanshui", &["P1", "P2"]),
        ("both.wuhua", &["P1", "P2"]),
        ("road.xingning", &["P3"]),
        ("road.dongguan", &["P4"]),
    ] {
        let mut seen = codes(&list(&world.sign_in(login).await, "").await);
        seen.sort();
        assert_eq!(seen, expected, "{login}");
    }
    let clerk = world.sign_in("road.wuhua").await;
    let refused: &[(&str, u16, &str)] = &[
        ("?area=441424", 200, ""),
        ("?area=4414", 200, ""),
        ("?area=441424101&sector=road", 200, ""),
        ("?area=441481", 403, "outside_area"),
        ("?area=4419", 403, "outside_area"),
        ("?sector=water", 403, "outside_sector"),
        ("?area=441481&sector=water", 403, "outside_area"),
        ("?area=999999", 404, "not_found"),
        ("?sector=ships", 400, "bad_request"),
        ("?group=none", 400, "bad_request"),
        ("?cursor=nonsense", 400, "bad_request"),
    ];
    for (query, status, code) in refused {
        let answer = clerk.get(&format!("/api/v1/todo{query}")).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (*status, *code),
            "{query}: {}",
            answer.text
        );
    }
    let reason = clerk.get("/api/v1/todo?area=441481").await.is_problem(403, "outside_area");
    let reason = reason["detail"].as_str().unwrap().to_owned();
    assert!(reason.contains("五华县") && reason.contains("兴宁市"), "{reason}");
    for login in [
        "review.wuhua",
        "office.meizhou",
        "planner.gd",
        "leader.gd",
        "inspector.gd",
        "auditor.gd",
        "admin.gd",
    ] {
        let problem = world.sign_in(login).await.get("/api/v1/todo").await.is_problem(403, "role_missing");
        assert!(problem["detail"].as_str().unwrap().contains("填报进度"), "{login}");
    }
    assert_eq!(world.server.get("/api/v1/todo").await.status(), 401);
}

#[tokio::test]
async fn the_list_comes_page_by_page() {
    let world = World::start().await;
    let both = world.sign_in("both.wuhua").await;
    let mut seen = Vec::new();
    let mut cursor = String::new();
    for _ in 0..5 {
        let page = list(&both, &format!("?limit=1{cursor}")).await;
        assert_eq!(page["total"], 2);
        seen.extend(rows(&page));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, rows(&list(&both, "").await));
    assert_eq!(seen.len(), 2);
    // A cursor of one list opens no other.
    both.get(&format!("/api/v1/todo?group=late&limit=1{cursor}")).await.is_problem(400, "bad_request");
}

/// Reports of three projects of two counties, and who made them.
async fn three_reports(world: &World) -> Vec<String> {
    let mut made = Vec::new();
    let both = world.sign_in("both.wuhua").await;
    let elsewhere = world.sign_in("road.xingning").await;
    let water = json!({ "effective_on": TODAY, "items": [{ "item": "pipe_km", "done": 4.0 }], "paid_yuan": "900000",
                        "invested_yuan": "800000" });
    for answer in [
        both.report(world.road, 1, &road_report(TODAY, 2.4, 1.2)).await,
        both.report(world.water, 1, &water).await,
        elsewhere.report(world.xingning_road, 1, &road_report("2020-10-10", 1.0, 0.2)).await,
    ] {
        made.push(answer.is(201)["report"]["id"].as_str().unwrap().to_owned());
    }
    made
}

async fn batch(person: &Person, key: &str, body: &Value) -> crate::people::Answer {
    read(person.write("/api/v1/reports/review", 0, key, body).send().await.unwrap()).await
}

fn outcomes(answer: &Value) -> Vec<String> {
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    answer["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| if r["outcome"] == "refused" { text(&r["problem"]["code"]) } else { text(&r["outcome"]) })
        .collect()
}

#[tokio::test]
async fn several_reports_are_reviewed_at_once_and_each_says_what_became_of_it() {
    let world = World::start().await;
    let ids = three_reports(&world).await;
    let reviewer = world.sign_in("review.wuhua").await;
    let row = |id: &str, version: i32| json!({ "id": id, "version": version });
    let unknown = uuid::Uuid::now_v7().to_string();
    let rows = [row(&ids[0], 2), row(&ids[1], 1), row(&ids[2], 2), row(&unknown, 1)];
    let body = json!({ "outcome": "approved", "reports": rows });
    let key = new_key();
    let answer = batch(&reviewer, &key, &body).await;
    let done = answer.is(200);
    // In the order of the request: done, stale, another county, unknown.
    assert_eq!(outcomes(&done), ["approved", "stale_version", "outside_area", "not_found"]);
    assert_eq!((done["done"].as_u64(), done["refused"].as_u64()), (Some(1), Some(3)));
    assert_eq!(done["results"][0]["report"]["review_state"], "approved");
    assert_eq!(done["results"][0]["project"]["version"], 3);
    assert!(done["results"][2]["problem"]["detail"].as_str().unwrap().contains("兴宁市"));
    assert_eq!(world.value::<i64>("SELECT count(*) FROM report_reviews").await, 1);
    assert_eq!(
        world
            .value::<i64>(
                "SELECT count(*) FROM audit_entries WHERE body::json ->> 'action' = 'review_report'"
            )
            .await,
        1
    );

    // The same request again: the same answer, byte for byte, and nothing is written twice.
    assert_eq!(batch(&reviewer, &key, &body).await.text, answer.text);
    assert_eq!(world.value::<i64>("SELECT count(*) FROM report_reviews").await, 1);
    let other = json!({ "outcome": "returned", "reason": "x", "reports": [row(&ids[0], 2)] });
    batch(&reviewer, &key, &other).await.is_problem(422, "idempotency_key_reused");
    // As a new request the row says that it is done already.
    let again =
        batch(&reviewer, &new_key(), &json!({ "outcome": "approved", "reports": [row(&ids[0], 3)] })).await;
    assert_eq!(outcomes(&again.is(200)), ["already_reviewed"]);
}

#[tokio::test]
async fn an_answer_lost_half_way_is_made_whole_by_the_same_request() {
    let world = World::start().await;
    let ids = three_reports(&world).await;
    let reviewer = world.sign_in("review.wuhua").await;
    let body = json!({ "outcome": "approved", "reports": [
        { "id": ids[0], "version": 2 }, { "id": ids[1], "version": 2 } ] });
    let key = new_key();
    let first = batch(&reviewer, &key, &body).await;
    assert_eq!(outcomes(&first.is(200)), ["approved", "approved"]);
    // As if the program had died before it stored the answer as a whole, and before the second row.
    sqlx::raw_sql("DELETE FROM idempotency_keys WHERE operation = 'POST /api/v1/reports/review'")
        .execute(&mut world.db.owner().await)
        .await
        .unwrap();
    let second = batch(&reviewer, &key, &body).await;
    assert_eq!(second.text, first.text);
    assert_eq!(world.value::<i64>("SELECT count(*) FROM report_reviews").await, 2);
}

#[tokio::test]
async fn two_reports_of_one_project_do_not_make_each_other_stale() {
    let world = World::start().await;
    let clerk = world.sign_in("road.wuhua").await;
    let reviewer = world.sign_in("review.wuhua").await;
    let mut rows = Vec::new();
    for (n, bed) in [0.5, 1.0, 1.5].into_iter().enumerate() {
        let made = clerk.report(world.road, n as i32 + 1, &road_report(TODAY, bed, 0.0)).await.is(201);
        rows.push(json!({ "id": made["report"]["id"], "version": 4 }));
    }
    let page = reviewer.get("/api/v1/reports/pending").await.is(200);
    for item in page["items"].as_array().unwrap() {
        assert_eq!(item["quantities"].as_array().unwrap().len(), 2, "each quantity once");
    }
    let answer =
        batch(&reviewer, &new_key(), &json!({ "outcome": "approved", "reports": rows })).await.is(200);
    assert_eq!(outcomes(&answer), ["approved", "approved", "approved"]);
    assert_eq!(answer["results"][2]["project"]["version"], 7);
}

#[tokio::test]
async fn a_batch_that_is_wrong_as_a_whole_writes_nothing() {
    let world = World::start().await;
    let ids = three_reports(&world).await;
    let reviewer = world.sign_in("review.wuhua").await;
    let row = json!({ "id": ids[0], "version": 2 });
    let many: Vec<Value> =
        (0..101).map(|n| json!({ "id": uuid::Uuid::from_u128(n), "version": 1 })).collect();
    for (body, field) in [
        (json!({ "outcome": "approved", "reports": [] }), "reports"),
        (json!({ "outcome": "approved", "reports": many }), "reports"),
        (json!({ "outcome": "approved", "reports": [row, row] }), "reports.1.id"),
        (json!({ "outcome": "returned", "reports": [row] }), "reason"),
        (json!({ "outcome": "returned", "reason": " ", "reports": [row] }), "reason"),
    ] {
        let problem = batch(&reviewer, &new_key(), &body).await.is_problem(422, "invalid");
        assert_eq!(problem["errors"][0]["field"], field);
    }
    let one = json!({ "outcome": "approved", "reports": [row] });
    for login in ["road.wuhua", "town.zhuanshui", "leader.gd", "planner.gd", "admin.gd"] {
        batch(&world.sign_in(login).await, &new_key(), &one).await.is_problem(403, "role_missing");
    }
    // A reviewer of another sector or county, and the reporter herself, are refused row by row.
    for (login, code) in [
        ("review.water", "outside_sector"),
        ("review.xingning", "outside_area"),
        ("both.wuhua", "own_report"),
    ] {
        let answer = batch(&world.sign_in(login).await, &new_key(), &one).await.is(200);
        assert_eq!(outcomes(&answer), [code], "{login}");
    }
    assert_eq!(world.value::<i64>("SELECT count(*) FROM report_reviews").await, 0);
    let returned = json!({ "outcome": "returned", "reason": "请补照片", "reports": [row] });
    let answer = batch(&reviewer, &new_key(), &returned).await.is(200);
    assert_eq!(outcomes(&answer), ["returned"]);
}

#[tokio::test]
async fn the_queue_shows_what_changed_since_the_last_approval_and_what_is_worth_a_look() {
    let world = World::start().await;
    decide(&world, "review_jump_pp", json!(25)).await;
    let clerk = world.sign_in("road.wuhua").await;
    let reviewer = world.sign_in("review.wuhua").await;
    let waiting = async || reviewer.get("/api/v1/reports/pending").await.is(200);
    let mut first = road_report("2020-09-28", 1.2, 0.0);
    first["invested_yuan"] = json!("200000");
    let made = clerk.report(world.road, 1, &first).await.is(201);
    let page = waiting().await;
    assert_eq!(page["total"], 1);
    let item = &page["items"][0];
    assert_eq!(item["approved"], Value::Null);
    assert_eq!(item["flags"], json!([{ "flag": "backdated", "days": 33 }]));
    reviewer.review(made["report"]["id"].as_str().unwrap(), 2, "approved", "").await.is(200);

    let mut second = road_report(TODAY, 2.4, 1.2);
    second["invested_yuan"] = json!("300000");
    second["paid_yuan"] = json!("350000");
    clerk.report(world.road, 3, &second).await.is(201);
    let page = waiting().await;
    let item = &page["items"][0];
    assert_eq!(item["approved"]["percent"], 17.5);
    assert_eq!(item["approved"]["effective_on"], "2020-09-28");
    assert_eq!(item["approved"]["invested_yuan"], "200000.00");
    assert_eq!(item["approved"]["items"][0], json!({ "item": "roadbed_km", "done": 1.2 }));
    assert_eq!(item["quantities"][0]["planned"], 2.4);
    assert_eq!(item["project"]["total_investment_yuan"], "1200000.00");
    assert_eq!(
        item["flags"],
        json!([
            { "flag": "jump", "points": 50.0, "days": 33 },
            { "flag": "paid_ahead", "yuan": 50000.0 },
            { "flag": "money_apart", "invested_percent": 25.0, "points": 42.5 },
        ])
    );
}

#[tokio::test]
async fn the_queue_is_for_those_who_review_there() {
    let world = World::start().await;
    three_reports(&world).await;
    let queue = async |login: &str, query: &str| {
        world.sign_in(login).await.get(&format!("/api/v1/reports/pending{query}")).await
    };
    for (login, total) in
        [("review.wuhua", 2), ("review.water", 1), ("review.xingning", 1), ("office.meizhou", 3)]
    {
        assert_eq!(queue(login, "").await.is(200)["total"], total, "{login}");
    }
    assert_eq!(queue("office.meizhou", "?sector=water").await.is(200)["total"], 1);
    queue("review.wuhua", "?area=441481").await.is_problem(403, "outside_area");
    queue("review.water", "?sector=road").await.is_problem(403, "outside_sector");
    for login in ["road.wuhua", "leader.gd", "planner.gd", "inspector.gd", "auditor.gd", "admin.gd"] {
        let problem = queue(login, "").await.is_problem(403, "role_missing");
        assert!(problem["detail"].as_str().unwrap().contains("审核填报"), "{login}");
    }
}
