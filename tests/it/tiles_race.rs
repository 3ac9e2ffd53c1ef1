//! A change is in the tiles of every node before any browser is told of it, and a reader that
//! races with it never leaves an old tile behind: two nodes, one database, many readers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::harness::Server;
use crate::mvt;
use crate::people::{PASSWORD, TODAY, World, road_report};

const ROUNDS: u64 = 40;

async fn sign_in(server: &Server, login: &str) -> reqwest::Client {
    let client = server.another_client();
    let answer = client
        .post(format!("{}/api/v1/session", server.base))
        .json(&serde_json::json!({ "login": login, "password": PASSWORD }))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    client
}

fn percent(body: &[u8]) -> f64 {
    mvt::decode(body)["road_project"]
        .iter()
        .find(|p| p.text("code") == Some("P1"))
        .and_then(|p| p.number("percent"))
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_node_shows_an_old_tile_after_the_change_is_told() {
    let world = World::start().await;
    let second = Server::start_with(&world.db, &["--business-date", TODAY]).await;
    let clerk = world.sign_in("road.wuhua").await;
    let place = tiles::lonlat_to_world(115.7, 23.9).unwrap();
    let tile = tiles::TileId::at(13, place).unwrap();
    let path = format!("/tiles/natural_village,road_project/13/{}/{}", tile.x(), tile.y());

    // What every reader must at least see: raised when a node's own stream tells of a change.
    let told: Arc<[AtomicU64; 2]> = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
    let stop = Arc::new(AtomicBool::new(false));
    let mut tasks = Vec::new();
    let reads = Arc::new(AtomicU64::new(0));
    for (node, base) in [world.server.base.clone(), second.base.clone()].into_iter().enumerate() {
        let server = if node == 0 { &world.server } else { &second };
        let client = sign_in(server, "leader.gd").await;
        let mut stream = client.get(format!("{base}/api/v1/events")).send().await.unwrap();
        let (told_here, stopped) = (Arc::clone(&told), Arc::clone(&stop));
        tasks.push(tokio::spawn(async move {
            let mut text = String::new();
            while !stopped.load(Ordering::Relaxed) {
                let Ok(piece) = tokio::time::timeout(Duration::from_millis(200), stream.chunk()).await else {
                    continue;
                };
                text.push_str(std::str::from_utf8(&piece.unwrap().expect("the stream goes on")).unwrap());
                while let Some(end) = text.find("\n\n") {
                    let event: String = text.drain(..end + 2).collect();
                    if let Some(id) = event.lines().find_map(|l| l.strip_prefix("id:")) {
                        told_here[node].fetch_max(id.trim().parse().unwrap(), Ordering::SeqCst);
                    }
                }
            }
        }));
        for _ in 0..6 {
            let client = client.clone();
            let (url, told, stop, reads) =
                (format!("{base}{path}"), Arc::clone(&told), Arc::clone(&stop), Arc::clone(&reads));
            tasks.push(tokio::spawn(async move {
                let mut seen = 0;
                while !stop.load(Ordering::Relaxed) {
                    // Told by this node: without min_seq. By the other: with it.
                    let here = told[node].load(Ordering::SeqCst);
                    let there = told[1 - node].load(Ordering::SeqCst);
                    let (at_least, url) = if there > here {
                        (there, format!("{url}?min_seq={there}"))
                    } else {
                        (here, url.clone())
                    };
                    let answer = client.get(url).send().await.unwrap();
                    assert_eq!(answer.status(), 200);
                    // Change n reports n/100 of the quantities.
                    let shown = percent(&answer.bytes().await.unwrap()).round() as u64;
                    assert!(shown >= at_least, "node {node} shows {shown} after {at_least} was told");
                    assert!(shown >= seen, "node {node} went back from {seen} to {shown}");
                    seen = shown;
                    reads.fetch_add(1, Ordering::Relaxed);
                }
            }));
        }
    }

    for n in 1..=ROUNDS {
        // Both quantities at n percent of 2.4 km make n percent.
        let km = (2.4 * n as f64 * 10.0).round() / 1000.0;
        let answer = clerk.report(world.road, n as i32, &road_report(TODAY, km, km)).await.is(201);
        assert_eq!(answer["seq"].as_u64(), Some(n));
    }
    for (node, server) in [&world.server, &second].into_iter().enumerate() {
        let client = sign_in(server, "leader.gd").await;
        let answer = client.get(format!("{}{path}?min_seq={ROUNDS}", server.base)).send().await.unwrap();
        assert_eq!(percent(&answer.bytes().await.unwrap()).round() as u64, ROUNDS);
        let ready: Value =
            client.get(format!("{}/readyz", server.base)).send().await.unwrap().json().await.unwrap();
        assert_eq!(ready["atlas_seq"].as_u64(), Some(ROUNDS), "node {node}");
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    stop.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await.unwrap();
    }
    assert!(reads.load(Ordering::Relaxed) > 100, "readers raced: {reads:?}");
}
