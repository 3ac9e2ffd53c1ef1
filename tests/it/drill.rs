//! Durability: an acknowledged report is there after kill -9 of the program and of PostgreSQL, is
//! there once, and connections cut in mid-write leave nothing half done.
//!
//! `CUNTONG_DRILL=1000` (`make drill`) runs each part at full length.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use crate::harness::{Db, PROGRAM, Scratch, Server, client_builder, kill9_postgres, postmaster, wait_until};

const WORKERS: usize = 8;

fn reports() -> usize {
    std::env::var("CUNTONG_DRILL").ok().and_then(|n| n.parse().ok()).unwrap_or(80)
}

/// A project with work left, and what a clerk would send.
#[derive(Clone)]
struct Target {
    id: String,
    version: i64,
    items: Value,
}

/// Somebody signed in, with cookies of their own.
#[derive(Clone)]
struct Clerk {
    client: reqwest::Client,
    csrf: String,
    cookie: String,
}

async fn sign_in(server: &Server) -> Clerk {
    let client = client_builder().timeout(Duration::from_secs(20)).build().unwrap();
    let answer = client
        .post(format!("{}/api/v1/session", server.base))
        .json(&json!({ "login": "jiaotong.wuhua", "password": "cuntong-2020" }))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let session: Value = answer.json().await.unwrap();
    Clerk { client, csrf: session["csrf_token"].as_str().unwrap().to_owned(), cookie }
}

async fn targets(server: &Server, clerk: &Clerk, wanted: usize) -> Vec<Target> {
    let get = |path: String| {
        let request = clerk.client.get(format!("{}{path}", server.base)).header("cookie", &clerk.cookie);
        async move { request.send().await.unwrap().json::<Value>().await.unwrap() }
    };
    let list = get("/api/v1/projects?area=441424&sector=road&status=under_way&limit=100".into()).await;
    let mut found = Vec::new();
    for row in list["items"].as_array().expect("projects") {
        let project = get(format!("/api/v1/projects/{}", row["id"].as_str().unwrap())).await;
        let quantities = project["quantities"].as_array().cloned().unwrap_or_default();
        let percent = project["percent"].as_f64().unwrap_or(100.0);
        if quantities.is_empty() || percent >= 100.0 || project["permissions"]["report"] != true {
            continue;
        }
        let items = quantities.iter().map(|q| json!({ "item": q["item"], "done": q["done"] })).collect();
        found.push(Target {
            id: project["id"].as_str().unwrap().to_owned(),
            version: project["version"].as_i64().unwrap(),
            items,
        });
        if found.len() == wanted {
            break;
        }
    }
    assert!(found.len() >= wanted.min(4), "too few projects to report on: {}", found.len());
    found
}

fn body(target: &Target) -> Value {
    json!({ "effective_on": "2020-10-31", "items": target.items })
}

/// Reports until acknowledged, with the same key through every crash. Returns the report's id.
async fn report(base: &str, clerk: &Clerk, target: &mut Target) -> String {
    let key = Uuid::now_v7().to_string();
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        assert!(Instant::now() < deadline, "a report was not acknowledged within two minutes");
        let answer = clerk
            .client
            .post(format!("{base}/api/v1/projects/{}/reports", target.id))
            .header("x-csrf-token", &clerk.csrf)
            .header("idempotency-key", &key)
            .header("if-match", format!("\"v{}\"", target.version))
            .json(&body(target))
            .send()
            .await;
        // Cut off, restarting, or the database is away: ask again, as the page does.
        let Ok(answer) = answer else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let status = answer.status();
        let Ok(said) = answer.json::<Value>().await else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        if status == 201 {
            target.version = said["project"]["version"].as_i64().unwrap();
            return said["report"]["id"].as_str().unwrap().to_owned();
        }
        assert!(status.is_server_error(), "{status}: {said}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Reports with several clerks at once while `strike` hits `strikes` times.
async fn report_under_fire(
    server: &mut Server,
    strikes: usize,
    mut strike: impl AsyncFnMut(&mut Server),
) -> Vec<String> {
    let clerk = sign_in(server).await;
    let targets = targets(server, &clerk, WORKERS).await;
    let total = reports();
    let (left, done) = (Arc::new(AtomicUsize::new(total)), Arc::new(AtomicUsize::new(0)));
    let workers: Vec<_> = targets
        .into_iter()
        .map(|mut target| {
            let (base, clerk, left, done) = (server.base.clone(), clerk.clone(), left.clone(), done.clone());
            tokio::spawn(async move {
                let mut acknowledged = Vec::new();
                while left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok() {
                    acknowledged.push(report(&base, &clerk, &mut target).await);
                    done.fetch_add(1, Ordering::SeqCst);
                }
                acknowledged
            })
        })
        .collect();
    for number in 1..=strikes {
        // In the thick of it: after an even share of the reports.
        while done.load(Ordering::SeqCst) < total * number / (strikes + 1) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        strike(server).await;
    }
    let mut acknowledged = Vec::new();
    for worker in workers {
        acknowledged.extend(worker.await.unwrap());
    }
    assert_eq!(acknowledged.len(), total);
    acknowledged
}

async fn owner(home: &Scratch) -> PgConnection {
    let socket = std::fs::read_to_string(home.0.join("socket-dir")).unwrap();
    PgConnectOptions::new_without_pgpass()
        .socket(socket.trim())
        .username("cuntong_owner")
        .database("cuntong")
        .connect()
        .await
        .unwrap()
}

/// Every acknowledged report is there, no key made two, and nothing that hangs together is torn.
async fn require_whole(home: &Scratch, acknowledged: &[String]) {
    let mut db = owner(home).await;
    let ids: Vec<Uuid> = acknowledged.iter().map(|id| id.parse().unwrap()).collect();
    let mut distinct = ids.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), ids.len(), "two keys were answered with one report");
    let found: i64 = sqlx::query_scalar("SELECT count(*) FROM progress_reports WHERE id = ANY ($1)")
        .bind(&ids)
        .fetch_one(&mut db)
        .await
        .unwrap();
    assert_eq!(found as usize, ids.len(), "acknowledged reports are missing");
    let (keys, reports): (i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM idempotency_keys WHERE status = 201),
                (SELECT count(*) FROM progress_reports r JOIN accounts a ON a.id = r.recorded_by
                  WHERE r.recorded_at > now() - interval '1 hour' AND a.login = 'jiaotong.wuhua'
                    AND r.recorded_at >= (SELECT min(recorded_at) FROM idempotency_keys))",
    )
    .fetch_one(&mut db)
    .await
    .unwrap();
    assert_eq!(keys, reports, "a key made two reports, or a report lost its key");
    let (rows, last): (i64, i64) = sqlx::query_as("SELECT count(*), coalesce(max(seq), 0) FROM change_feed")
        .fetch_one(&mut db)
        .await
        .unwrap();
    let first: i64 =
        sqlx::query_scalar("SELECT coalesce(min(seq), 1) FROM change_feed").fetch_one(&mut db).await.unwrap();
    assert_eq!(rows, last - first + 1, "the feed has a gap");
    let broken: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM audit_heads h
          WHERE h.hash IS DISTINCT FROM (SELECT e.hash FROM audit_entries e WHERE e.chain = h.chain AND e.seq = h.seq)
            AND h.seq > 0",
    )
    .fetch_one(&mut db)
    .await
    .unwrap();
    assert_eq!(broken, 0, "an audit head does not fit its chain");
}

/// One province for all parts: making it takes longer than the drill.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn drill_acknowledged_reports_survive_kills_and_cut_connections() {
    let home = Scratch::new("drill");
    Db::demo_as_embedded(&home.0).await;
    let mut server = Server::start_embedded(&home.0, &[]).await;
    let strikes = if reports() >= 1000 { 10 } else { 2 };

    let begun = Instant::now();
    let acknowledged = report_under_fire(&mut server, strikes, async |server| {
        server.kill9();
        server.respawn();
    })
    .await;
    require_whole(&home, &acknowledged).await;
    println!(
        "program killed {strikes} times during {} reports: all there, {:.1} s",
        acknowledged.len(),
        begun.elapsed().as_secs_f64()
    );

    let begun = Instant::now();
    let acknowledged = report_under_fire(&mut server, strikes, async |_| {
        let before = postmaster(&home.0);
        kill9_postgres(&home.0);
        // The program starts it again by itself.
        let again = || postmaster(&home.0).is_some_and(|pid| Some(pid) != before);
        assert!(wait_until(Duration::from_secs(60), again), "PostgreSQL was not started again");
    })
    .await;
    server.wait_ready().await;
    require_whole(&home, &acknowledged).await;
    println!(
        "PostgreSQL killed {strikes} times during {} reports: all there, {:.1} s",
        acknowledged.len(),
        begun.elapsed().as_secs_f64()
    );

    cut_connections(&home, &server).await;
    assert!(server.stop(), "{PROGRAM}: {}", server.output());
}

/// Connections that end in the middle of a write.
async fn cut_connections(home: &Scratch, server: &Server) {
    let begun = Instant::now();
    let clerk = sign_in(server).await;
    let address = server.base.rsplit("//").next().unwrap().to_owned();
    let total = reports();
    let mut cut = 0;
    while cut < total {
        // Fresh versions each round: a write that was carried out in spite of the cut moved them.
        let round = targets(server, &clerk, 40).await;
        let sent = round.into_iter().take(total - cut).map(|target| {
            let (address, clerk) = (address.clone(), clerk.clone());
            tokio::spawn(async move { cut_one(&address, &clerk, &target).await })
        });
        let sent: Vec<_> = sent.collect();
        cut += sent.len();
        for one in sent {
            one.await.unwrap();
        }
    }
    let mut db = owner(home).await;
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let states: Vec<(String, i64)> = sqlx::query_as(
            "SELECT state, count(*) FROM pg_stat_activity WHERE usename = 'cuntong_app' AND state IS NOT NULL GROUP BY state",
        )
        .fetch_all(&mut db)
        .await
        .unwrap();
        let states: BTreeMap<_, _> = states.into_iter().collect();
        if states.keys().all(|state| !state.starts_with("idle in transaction")) {
            break;
        }
        assert!(Instant::now() < deadline, "connections stay in a transaction: {states:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    // What the pool hands out now is whole: these reports are acknowledged and there.
    let mut acknowledged = Vec::new();
    for mut target in targets(server, &clerk, 20).await {
        acknowledged.push(report(&server.base, &clerk, &mut target).await);
    }
    require_whole(home, &acknowledged).await;
    println!("{cut} connections cut in mid-write: nothing lost, {:.1} s", begun.elapsed().as_secs_f64());
}

async fn cut_one(address: &str, clerk: &Clerk, target: &Target) {
    let body = body(target).to_string();
    let request = format!(
        "POST /api/v1/projects/{}/reports HTTP/1.1\r\nHost: {address}\r\nCookie: {}\r\nX-CSRF-Token: {}\r\n\
         Idempotency-Key: {}\r\nIf-Match: \"v{}\"\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        target.id,
        clerk.cookie,
        clerk.csrf,
        Uuid::now_v7(),
        target.version,
        body.len(),
    );
    let Ok(mut stream) = tokio::net::TcpStream::connect(address).await else { return };
    // Closing sends a reset instead of waiting: the harshest way to go.
    let _ = stream.set_zero_linger();
    let _ = stream.write_all(request.as_bytes()).await;
    // Anywhere from before the first statement to after the commit.
    tokio::time::sleep(Duration::from_micros(rand::random_range(0..12_000))).await;
}
