//! Signing in and out: cookies, limits, revocation, requests from elsewhere.

use reqwest::Client;
use serde_json::{Value, json};

use crate::people::{PASSWORD, Person, World, new_key, read, road_report};

async fn try_sign_in(world: &World, client: &Client, login: &str, password: &str) -> reqwest::Response {
    client
        .post(format!("{}/api/v1/session", world.server.base))
        .json(&json!({ "login": login, "password": password }))
        .send()
        .await
        .unwrap()
}

async fn signed_in_as(person: &Person) -> Value {
    person.get("/api/v1/session").await.json()["account"]["login"].clone()
}

#[tokio::test]
async fn a_session_opens_shows_who_it_is_and_ends() {
    let world = World::start().await;
    assert_eq!(world.server.json("/api/v1/session").await, json!({ "account": null, "csrf_token": null }));

    let client = world.server.another_client();
    let answer = try_sign_in(&world, &client, " Road.Wuhua ", PASSWORD).await;
    assert_eq!(answer.status(), 200);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    for part in ["cuntong_session=", "HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "plain HTTP cannot keep a Secure cookie: {cookie}");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let session: Value = answer.json().await.unwrap();
    assert_eq!(session["account"]["login"], "road.wuhua");
    let grant = &session["account"]["grants"][0];
    assert_eq!(
        *grant,
        json!({ "role": "clerk", "area": { "code": "441424", "name": "五华县", "level": "county" },
                "sectors": ["road"], "capabilities": ["export_figures", "report_progress"] })
    );

    // The token is not in the database, its hash is.
    let token = cookie.split(['=', ';']).nth(1).unwrap();
    let known: bool =
        world.value("SELECT EXISTS (SELECT 1 FROM sessions WHERE length(token_hash) = 32)").await;
    assert!(known);
    let leaked: i64 = sqlx::query_scalar("SELECT count(*) FROM sessions s WHERE position($1 in s::text) > 0")
        .bind(token)
        .fetch_one(&mut world.db.owner().await)
        .await
        .unwrap();
    assert_eq!(leaked, 0);

    let person = world.sign_in("road.wuhua").await;
    assert_eq!(signed_in_as(&person).await, "road.wuhua");
    let end = person
        .client
        .post(format!("{}/api/v1/session/end", person.base))
        .header("X-CSRF-Token", &person.csrf);
    let old_cookie = world.value::<i64>("SELECT count(*) FROM sessions WHERE revoked_at IS NULL").await;
    assert_eq!(end.send().await.unwrap().status(), 204);
    assert_eq!(
        world.value::<i64>("SELECT count(*) FROM sessions WHERE revoked_at IS NULL").await,
        old_cookie - 1
    );
    assert_eq!(signed_in_as(&person).await, Value::Null);
}

#[tokio::test]
async fn a_revoked_or_disabled_session_writes_nothing_from_that_moment() {
    let world = World::start().await;
    let person = world.sign_in("road.wuhua").await;
    let other = world.sign_in("review.wuhua").await;
    assert_eq!(other.get("/api/v1/reports/pending").await.status, 200);
    let mut owner = world.db.owner().await;

    sqlx::query("UPDATE sessions SET revoked_at = now() WHERE account_id = (SELECT id FROM accounts WHERE login = 'road.wuhua')")
        .execute(&mut owner)
        .await
        .unwrap();
    person
        .report(world.road, 1, &road_report("2020-10-20", 1.0, 0.0))
        .await
        .is_problem(401, "sign_in_required");

    sqlx::query("UPDATE accounts SET disabled_at = now() WHERE login = 'review.wuhua'")
        .execute(&mut owner)
        .await
        .unwrap();
    other.get("/api/v1/reports/pending").await.is_problem(401, "sign_in_required");
    let client = world.server.another_client();
    assert_eq!(try_sign_in(&world, &client, "review.wuhua", PASSWORD).await.status(), 401);

    sqlx::query("UPDATE sessions SET expires_at = now() - interval '1 s'").execute(&mut owner).await.unwrap();
    let expired = world.sign_in("water.wuhua").await;
    sqlx::query("UPDATE sessions SET expires_at = now() - interval '1 s'").execute(&mut owner).await.unwrap();
    assert_eq!(signed_in_as(&expired).await, Value::Null);
}

#[tokio::test]
async fn use_moves_the_end_of_a_session_but_not_without_limit() {
    let world = World::start().await;
    let person = world.sign_in("road.wuhua").await;
    let mut owner = world.db.owner().await;
    sqlx::query("UPDATE sessions SET expires_at = now() + interval '1 h'").execute(&mut owner).await.unwrap();
    assert_eq!(signed_in_as(&person).await, "road.wuhua");
    let moved: bool = world.value("SELECT expires_at > now() + interval '11 h' FROM sessions").await;
    assert!(moved, "a session in use goes on");

    sqlx::query("UPDATE sessions SET created_at = now() - interval '7 d' + interval '2 h', expires_at = now() + interval '1 h'")
        .execute(&mut owner)
        .await
        .unwrap();
    assert_eq!(signed_in_as(&person).await, "road.wuhua");
    let bounded: bool = world.value("SELECT expires_at <= created_at + interval '7 d' FROM sessions").await;
    assert!(bounded, "but ends seven days after it began");
}

#[tokio::test]
async fn failed_tries_are_limited_by_account_and_told_apart_from_nothing() {
    let world = World::start_with(&["--sign-in-limit-account", "5", "--sign-in-limit-address", "30"]).await;
    let client = world.server.another_client();

    // Unknown and known answer alike, and after the limit alike.
    for login in ["road.wuhua", "nobody.here"] {
        for _ in 0..5 {
            let answer = read(try_sign_in(&world, &client, login, "wrong password").await).await;
            answer.is_problem(401, "sign_in_failed");
        }
        read(try_sign_in(&world, &client, login, PASSWORD).await).await.is_problem(429, "too_many_attempts");
    }
    // Others at the same address still come in: a bureau shares one.
    assert_eq!(try_sign_in(&world, &client, "water.wuhua", PASSWORD).await.status(), 200);

    // A success takes the account's failures back.
    for _ in 0..4 {
        try_sign_in(&world, &client, "review.wuhua", "wrong password").await;
    }
    assert_eq!(try_sign_in(&world, &client, "review.wuhua", PASSWORD).await.status(), 200);
    for _ in 0..4 {
        let answer = try_sign_in(&world, &client, "review.wuhua", "wrong password").await;
        assert_eq!(answer.status(), 401);
    }

    // Time heals.
    sqlx::query("UPDATE sign_in_failures SET at = at - interval '16 min'")
        .execute(&mut world.db.owner().await)
        .await
        .unwrap();
    assert_eq!(try_sign_in(&world, &client, "road.wuhua", PASSWORD).await.status(), 200);
}

#[tokio::test]
async fn tries_made_at_one_moment_do_not_slip_under_the_limits() {
    let world = World::start_with(&["--sign-in-limit-account", "5", "--sign-in-limit-address", "12"]).await;
    let client = world.server.another_client();
    let many = |login: fn(usize) -> String, tries: usize| {
        let (world, client) = (&world, &client);
        async move {
            let all = (0..tries).map(|n| async move {
                try_sign_in(world, client, &login(n), "wrong password").await.status().as_u16()
            });
            let statuses = futures::future::join_all(all).await;
            statuses.iter().filter(|s| **s == 401).count()
        }
    };
    assert_eq!(many(|_| "road.wuhua".into(), 20).await, 5, "by account");
    // Seven tries are left for the address. Guessing one password for many names is bounded, too;
    // names tried at the same instant may pass together, by no more than run at once.
    let by_address = many(|n| format!("name{n}"), 40).await;
    assert!((7..=24).contains(&by_address), "by address: {by_address}");
    read(try_sign_in(&world, &client, "water.wuhua", PASSWORD).await)
        .await
        .is_problem(429, "too_many_attempts");
}

#[tokio::test]
async fn requests_from_elsewhere_change_nothing() {
    let world = World::start().await;
    let person = world.sign_in("road.wuhua").await;
    let path = format!("/api/v1/projects/{}/reports", world.road);
    let body = road_report("2020-10-20", 1.0, 0.0);
    let request = || person.write(&path, 1, &new_key(), &body);

    let foreign: &[(&str, &str)] = &[
        ("Origin", "https://evil.example"),
        ("Origin", "null"),
        ("Origin", "https://127.0.0.1"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
    ];
    for (name, value) in foreign {
        let answer = read(request().header(*name, *value).send().await.unwrap()).await;
        answer.is_problem(403, "foreign_origin");
        let sign_in = person
            .client
            .post(format!("{}/api/v1/session", person.base))
            .header(*name, *value)
            .json(&json!({ "login": "water.wuhua", "password": PASSWORD }));
        read(sign_in.send().await.unwrap()).await.is_problem(403, "foreign_origin");
    }
    // Another session's token, an empty one, none.
    let other = world.sign_in("water.wuhua").await;
    for token in [Some(other.csrf.as_str()), Some(""), None] {
        let mut plain = person
            .client
            .post(format!("{}{path}", person.base))
            .header("Idempotency-Key", new_key())
            .header("If-Match", "\"v1\"")
            .json(&body);
        if let Some(token) = token {
            plain = plain.header("X-CSRF-Token", token);
        }
        read(plain.send().await.unwrap()).await.is_problem(403, "foreign_origin");
    }
    // What a form of another site can send is not read at all.
    let form = person
        .client
        .post(format!("{}{path}", person.base))
        .header("X-CSRF-Token", &person.csrf)
        .header("Idempotency-Key", new_key())
        .header("If-Match", "\"v1\"")
        .header("Content-Type", "text/plain")
        .body(body.to_string());
    assert_eq!(form.send().await.unwrap().status(), 400);
    assert_eq!(world.value::<i64>("SELECT count(*) FROM progress_reports").await, 0);

    // Our own page.
    let own = request().header("Origin", &person.base).header("Sec-Fetch-Site", "same-origin");
    read(own.send().await.unwrap()).await.is(201);
}

#[tokio::test]
async fn behind_a_proxy_the_public_url_is_our_origin_and_the_cookie_is_secure() {
    let world = World::start_with(&["--public-url", "https://cuntong.example"]).await;
    let client = world.server.another_client();
    let answer = client
        .post(format!("{}/api/v1/session", world.server.base))
        .header("Origin", "https://cuntong.example")
        .json(&json!({ "login": "road.wuhua", "password": PASSWORD }))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.headers()["set-cookie"].to_str().unwrap().contains("; Secure"));
}
