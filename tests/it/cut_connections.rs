//! Connections cut in the middle of a write: what was acknowledged is there, nothing is there
//! twice, and no connection to the database is left inside a transaction.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::people::{PASSWORD, TODAY, World, road_report};

/// Projects, each reported on by one connection.
const PROJECTS: i32 = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_acknowledged_is_lost_and_nothing_is_written_twice() {
    let world = World::start().await;
    sqlx::query(
        "INSERT INTO projects (id, code, name, sector, area_id, geom, plan_year, planned_start_on, planned_finish_on,
           total_investment_yuan, state)
         SELECT gen_random_uuid(), 'Q' || n, 'Q' || n, 'road', area_id, geom, plan_year, planned_start_on,
                planned_finish_on, total_investment_yuan, 'under_way'
           FROM projects, generate_series(1, $1) n WHERE code = 'P1'",
    )
    .bind(PROJECTS)
    .execute(&mut world.db.owner().await)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO project_quantities (project_id, sector, item, planned)
         SELECT id, 'road', 'roadbed_km', 2.4 FROM projects WHERE code LIKE 'Q%'",
    )
    .execute(&mut world.db.owner().await)
    .await
    .unwrap();
    let projects: Vec<Uuid> =
        sqlx::query_scalar("SELECT id FROM projects WHERE code LIKE 'Q%' ORDER BY code")
            .fetch_all(&mut world.db.owner().await)
            .await
            .unwrap();
    let clerk = world.sign_in("road.wuhua").await;
    let (cookie, csrf) = raw_session(&world).await;
    let host = world.server.base.trim_start_matches("http://").to_owned();

    let mut body = road_report(TODAY, 1.0, 0.0);
    body["items"].as_array_mut().unwrap().truncate(1);
    let mut cuts = Vec::new();
    for (n, project) in projects.iter().copied().enumerate() {
        let (host, cookie, csrf, text) = (host.clone(), cookie.clone(), csrf.clone(), body.to_string());
        cuts.push(async move {
            let request = format!(
                "POST /api/v1/projects/{project}/reports HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\
                 X-CSRF-Token: {csrf}\r\nIdempotency-Key: {project}\r\nIf-Match: \"v1\"\r\n\
                 Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
                text.len()
            );
            let mut stream = TcpStream::connect(&host).await.unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            // Cut at every moment of the write: at once, later, or not at all.
            match n % 10 {
                9 => {
                    let mut answer = String::new();
                    stream.read_to_string(&mut answer).await.unwrap();
                    answer.starts_with("HTTP/1.1 201").then_some(project)
                }
                step => {
                    tokio::time::sleep(Duration::from_millis(step as u64 * 4)).await;
                    stream.set_zero_linger().unwrap();
                    drop(stream);
                    None
                }
            }
        });
    }
    let mut acknowledged = Vec::new();
    // As many at once as an office has people.
    use futures::StreamExt;
    let mut running = futures::stream::iter(cuts).buffer_unordered(25);
    while let Some(outcome) = running.next().await {
        acknowledged.extend(outcome);
    }
    assert_eq!(acknowledged.len(), PROJECTS as usize / 10, "whoever waits is answered");

    // Writes under way end by themselves.
    let mut busy = i64::MAX;
    for _ in 0..100 {
        busy = world
            .value::<i64>("SELECT count(*) FROM pg_stat_activity WHERE usename = 'cuntong_app' AND datname = current_database() AND state <> 'idle'")
            .await;
        if busy == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(busy, 0, "no connection is left in a transaction");

    let reported: Vec<Uuid> = sqlx::query_scalar("SELECT project_id FROM progress_reports")
        .fetch_all(&mut world.db.owner().await)
        .await
        .unwrap();
    for project in &acknowledged {
        assert!(reported.contains(project), "{project} was acknowledged and is not there");
    }
    assert!(reported.len() > acknowledged.len(), "some cut connections had been heard");
    println!("{} of {PROJECTS} were written, {} acknowledged", reported.len(), acknowledged.len());

    // Everybody sends again with the same key: one report each, whatever had happened.
    for project in &projects {
        clerk.report_with(*project, 1, &project.to_string(), &body).await.is(201);
    }
    let consistent: (i64, i64, i64, i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM progress_reports),
                (SELECT count(DISTINCT project_id) FROM progress_reports),
                (SELECT count(*) FROM projects WHERE code LIKE 'Q%' AND version = 2),
                (SELECT count(*) FROM change_feed), (SELECT max(seq) FROM change_feed)",
    )
    .fetch_one(&mut world.db.owner().await)
    .await
    .unwrap();
    let all = i64::from(PROJECTS);
    assert_eq!(consistent, (all, all, all, all, all), "reports, projects, versions, feed, and no gap in it");
}

async fn raw_session(world: &World) -> (String, String) {
    let answer = world
        .server
        .another_client()
        .post(format!("{}/api/v1/session", world.server.base))
        .json(&serde_json::json!({ "login": "road.wuhua", "password": PASSWORD }))
        .send()
        .await
        .unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let session: Value = answer.json().await.unwrap();
    (cookie, session["csrf_token"].as_str().unwrap().to_owned())
}
