//! From commit to the fresh tile and to the browsers, under 50 updates/s and 200 watchers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::warm::{Plain, cookie};
use super::{Bench, ms, quantile};

const WATCHERS: usize = 200;
const UPDATES_PER_SECOND: u32 = 50;
const UPDATES: u32 = 1000;

/// One update as the reports path leaves it: the project, its history, the feed.
const UPDATE: &str = "
  WITH p AS (
    UPDATE projects SET percent = least(99, percent + 0.01), version = version + 1, updated_at = now()
     WHERE id = (SELECT id FROM projects WHERE sector = 'road' AND state = 'under_way' ORDER BY md5(id::text || $1) LIMIT 1)
    RETURNING *),
  r AS (
    INSERT INTO project_revisions (project_id, version, effective_on, state, percent, invested_yuan, paid_yuan, reason)
    SELECT id, version, $2, state, percent, invested_yuan, paid_yuan, 'bench' FROM p RETURNING 1)
  SELECT append_change('project', p.id, p.area_id, '{}'), ST_X(ST_PointOnSurface(p.geom)), ST_Y(ST_PointOnSurface(p.geom))
    FROM p, r";

pub async fn run(bench: &Bench) -> anyhow::Result<()> {
    let (address, _serving) = bench.serve(cuntong::http::router(bench.state())).await?;
    let cookie = cookie(address).await?;
    let committed: Arc<Mutex<HashMap<u64, Instant>>> = Arc::default();
    let (heard, mut hearing) = mpsc::unbounded_channel::<(u64, Instant)>();
    for _ in 0..WATCHERS {
        let mut stream = TcpStream::connect(address).await?;
        let ask = format!("GET /api/v1/events HTTP/1.1\r\nhost: {address}\r\ncookie: {cookie}\r\n\r\n");
        stream.write_all(ask.as_bytes()).await?;
        let heard = heard.clone();
        tokio::spawn(async move {
            let (mut text, mut piece) = (String::new(), vec![0; 16 * 1024]);
            while let Ok(n @ 1..) = stream.read(&mut piece).await {
                let now = Instant::now();
                text.push_str(&String::from_utf8_lossy(&piece[..n]));
                while let Some(end) = text.find("\n\n") {
                    let event: String = text.drain(..end + 2).collect();
                    if let Some(seq) =
                        event.lines().find_map(|l| l.strip_prefix("id:")).and_then(|v| v.trim().parse().ok())
                    {
                        let _ = heard.send((seq, now));
                    }
                }
            }
        });
    }
    drop(heard);
    tokio::time::sleep(Duration::from_millis(500)).await;

    let mut fresh = Vec::new();
    let (to_read, mut reading) = mpsc::unbounded_channel::<(u64, Instant, f64, f64)>();
    let reader = tokio::spawn(async move {
        let mut connection = Plain::open(address).await?;
        while let Some((seq, committed, lon, lat)) = reading.recv().await {
            let Some(tile) = tiles::lonlat_to_world(lon, lat).and_then(|p| tiles::TileId::at(12, p)) else {
                continue;
            };
            let ask = format!(
                "GET /tiles/road,road_project/12/{}/{}?min_seq={seq} HTTP/1.1\r\nhost: {address}\r\naccept-encoding: br\r\ncookie: {cookie}\r\n\r\n",
                tile.x(),
                tile.y()
            );
            let (status, _) = connection.ask(ask.as_bytes()).await?;
            anyhow::ensure!(status == 200, "status {status}");
            fresh.push(committed.elapsed());
        }
        anyhow::Ok(fresh)
    });
    let mut owner = bench.database.connect_owner().await?;
    let mut every = tokio::time::interval(Duration::from_secs(1) / UPDATES_PER_SECOND);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
    let begun = Instant::now();
    let today = bench.clock.business_date();
    for n in 0..UPDATES {
        every.tick().await;
        let (seq, lon, lat): (i64, f64, f64) =
            sqlx::query_as(UPDATE).bind(n.to_string()).bind(today).fetch_one(&mut owner).await?;
        let now = Instant::now();
        if let Ok(mut map) = committed.lock() {
            map.insert(seq as u64, now);
        }
        let _ = to_read.send((seq as u64, now, lon, lat));
    }
    let rate = f64::from(UPDATES) / begun.elapsed().as_secs_f64();
    drop(to_read);
    let mut fresh = reader.await??;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut told = Vec::new();
    if let Ok(committed) = committed.lock() {
        while let Ok((seq, at)) = hearing.try_recv() {
            // Told before the commit was answered to the writer counts as at once.
            told.extend(committed.get(&seq).map(|c| at.saturating_duration_since(*c)));
        }
    }
    fresh.sort();
    told.sort();
    println!(
        "\n{UPDATES} updates at {rate:.0}/s, {WATCHERS} watchers (goal: p99 < 1 s)\n\
         commit to fresh tile in hand:  p50 {:.1} ms, p99 {:.1} ms\n\
         commit to browser told:        p50 {:.1} ms, p99 {:.1} ms ({} of {} tellings heard)",
        ms(quantile(&fresh, 0.5)),
        ms(quantile(&fresh, 0.99)),
        ms(quantile(&told, 0.5)),
        ms(quantile(&told, 0.99)),
        told.len(),
        WATCHERS * UPDATES as usize
    );
    Ok(())
}
