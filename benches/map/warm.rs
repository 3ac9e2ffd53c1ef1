//! Warm tiles over HTTP, session checked each time, against a constant body.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Bench;

const CONNECTIONS: usize = 16;
const SECONDS: u64 = 6;
const LAYERS: &str = "area,natural_village,road,road_project";

/// A connection that asks and reads whole answers: as little client as can be.
pub struct Plain {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
}

impl Plain {
    pub async fn open(address: std::net::SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; 1 << 20], filled: 0 })
    }

    /// Sends a request and reads the answer: its status and the length of its body.
    pub async fn ask(&mut self, request: &[u8]) -> anyhow::Result<(u16, usize)> {
        self.stream.write_all(request).await?;
        loop {
            if let Some(end) = self.buffer[..self.filled].windows(4).position(|w| w == b"\r\n\r\n") {
                let head = std::str::from_utf8(&self.buffer[..end])?.to_ascii_lowercase();
                let status: u16 = head.get(9..12).context("a status")?.parse()?;
                let length = head.lines().find_map(|l| l.strip_prefix("content-length:"));
                let length: usize = length.map_or(Ok(0), |l| l.trim().parse())?;
                while self.filled < end + 4 + length {
                    self.more().await?;
                }
                self.buffer.copy_within(end + 4 + length..self.filled, 0);
                self.filled -= end + 4 + length;
                return Ok((status, length));
            }
            self.more().await?;
        }
    }

    async fn more(&mut self) -> anyhow::Result<()> {
        if self.filled == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let n = self.stream.read(&mut self.buffer[self.filled..]).await?;
        if n == 0 {
            bail!("the server hung up");
        }
        self.filled += n;
        Ok(())
    }
}

/// Signs in and returns the cookie.
pub async fn cookie(address: std::net::SocketAddr) -> anyhow::Result<String> {
    let body = r#"{"login":"lingdao.gd","password":"cuntong-2020"}"#;
    let mut stream = TcpStream::connect(address).await?;
    let request = format!(
        "POST /api/v1/session HTTP/1.1\r\nhost: {address}\r\norigin: http://{address}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer);
    let line = answer.lines().find(|l| l.to_ascii_lowercase().starts_with("set-cookie:"));
    let value = line.and_then(|l| l.split_once(':')).and_then(|(_, v)| v.split(';').next());
    Ok(value.with_context(|| format!("no session: {answer}"))?.trim().to_owned())
}

async fn hammer(address: std::net::SocketAddr, requests: Arc<Vec<Vec<u8>>>) -> anyhow::Result<(f64, f64)> {
    let (count, bytes) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let begun = Instant::now();
    let until = begun + Duration::from_secs(SECONDS);
    let mut tasks = Vec::new();
    for c in 0..CONNECTIONS {
        let (requests, count, bytes) = (Arc::clone(&requests), Arc::clone(&count), Arc::clone(&bytes));
        tasks.push(tokio::spawn(async move {
            let mut connection = Plain::open(address).await?;
            let mut i = c * requests.len() / CONNECTIONS;
            while Instant::now() < until {
                let (status, length) = connection.ask(&requests[i % requests.len()]).await?;
                if status != 200 {
                    bail!("status {status}");
                }
                count.fetch_add(1, Ordering::Relaxed);
                bytes.fetch_add(length as u64, Ordering::Relaxed);
                i += 1;
            }
            anyhow::Ok(())
        }));
    }
    for task in tasks {
        task.await??;
    }
    let n = count.load(Ordering::Relaxed) as f64;
    Ok((n / begun.elapsed().as_secs_f64(), bytes.load(Ordering::Relaxed) as f64 / n.max(1.0)))
}

pub async fn run(bench: &Bench) -> anyhow::Result<()> {
    let (address, _serving) = bench.serve(cuntong::http::router(bench.state())).await?;
    let cookie = cookie(address).await?;
    let mut requests = Vec::new();
    let mut connection = Plain::open(address).await?;
    for z in [9, 10, 11, 12, 13] {
        for tile in bench.tiles(z, 1200) {
            let path = format!("/tiles/{LAYERS}/{}/{}/{}", tile.z(), tile.x(), tile.y());
            let request = format!(
                "GET {path} HTTP/1.1\r\nhost: {address}\r\naccept-encoding: gzip, deflate, br, zstd\r\ncookie: {cookie}\r\n\r\n"
            );
            // The first time makes it; only tiles that show something count.
            if connection.ask(request.as_bytes()).await?.0 == 200 {
                requests.push(request.into_bytes());
            }
            if requests.len() >= 3000 {
                break;
            }
        }
    }
    let tiles = requests.len();
    // Neighbouring requests should not be neighbouring tiles.
    let requests: Vec<Vec<u8>> = (0..tiles).map(|i| requests[i * 7919 % tiles].clone()).collect();
    let requests = Arc::new(requests);
    hammer(address, Arc::clone(&requests)).await?;
    let (rate, size) = hammer(address, Arc::clone(&requests)).await?;

    let body = Bytes::from(vec![b'x'; size as usize]);
    let app = Router::new().route(
        "/constant",
        get(move || {
            let body = body.clone();
            async move { body }
        }),
    );
    let (constant, _serving_too) = bench.serve(app).await?;
    let ask = format!(
        "GET /constant HTTP/1.1\r\nhost: {constant}\r\naccept-encoding: br\r\ncookie: {cookie}\r\n\r\n"
    );
    let ask = Arc::new(vec![ask.into_bytes()]);
    hammer(constant, Arc::clone(&ask)).await?;
    let (baseline, _) = hammer(constant, ask).await?;
    println!(
        "\nWarm tiles over HTTP, br, {CONNECTIONS} connections, {tiles} different staff tiles of four layers, session checked:\n\
         {rate:.0} tiles/s of {size:.0} bytes; a constant body of that size, without anything around it: {baseline:.0}/s; {:.0} % (goal: 80 %)",
        rate / baseline * 100.0
    );
    Ok(())
}
