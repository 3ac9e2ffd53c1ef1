//! The HTTP server itself: time limits, connection cap, TLS, ids, headers, the page.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Db, Scratch, Server, client_builder, program};

fn address(server: &Server) -> String {
    server.base.rsplit("//").next().unwrap().to_owned()
}

/// Time until the peer closes the connection.
async fn time_until_closed(mut stream: TcpStream) -> Duration {
    let begun = Instant::now();
    let mut sink = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut sink)).await;
    begun.elapsed()
}

#[tokio::test]
async fn a_head_that_does_not_arrive_in_time_costs_the_connection() {
    let db = Db::fresh().await;
    let server = Server::start_with(&db, &["--header-read-timeout", "1"]).await;
    for said in [
        &b""[..],
        // Half of HTTP/2's greeting: the protocol is not known yet.
        b"PRI * HT",
        b"GET / HTTP/1.1\r\nHost: x\r\n",
    ] {
        let mut stream = TcpStream::connect(address(&server)).await.unwrap();
        stream.write_all(said).await.unwrap();
        let took = time_until_closed(stream).await;
        assert!(took < Duration::from_secs(5), "{:?}: open for {took:?}", String::from_utf8_lossy(said));
    }
    // A slow reader of a real answer is none of its business.
    assert_eq!(server.get("/healthz").await.status(), 200);
    let metrics = server.get("/metrics").await.text().await.unwrap();
    assert!(metrics.contains("cuntong_http_connections_dropped_total"), "{metrics}");
}

#[tokio::test]
async fn connections_above_the_cap_wait_their_turn() {
    let db = Db::fresh().await;
    let server = Server::start_with(&db, &["--max-connections", "4", "--header-read-timeout", "2"]).await;
    let mut idle = Vec::new();
    for _ in 0..8 {
        idle.push(TcpStream::connect(address(&server)).await.unwrap());
    }
    // Idle ones are shown the door after two seconds; then this one is answered.
    let begun = Instant::now();
    let answer = server.another_client().get(format!("{}/healthz", server.base)).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(begun.elapsed() > Duration::from_millis(800), "it had to wait: {:?}", begun.elapsed());
}

#[tokio::test]
async fn https_speaks_http2_with_a_certificate_of_the_local_authority() {
    let db = Db::fresh().await;
    let dir = Scratch::new("tls");
    let out = dir.0.display().to_string();
    for _ in 0..2 {
        // The second time keeps the authority.
        let made = program()
            .args(["tls", "make-local", "--host", "localhost", "--host", "127.0.0.1", "--out", &out])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
    let (cert, key) = (format!("{out}/server.crt"), format!("{out}/server.key"));
    let plain = Db::fresh().await;
    drop(plain);
    let mut server = Server::spawn(&[
        "--database-url",
        &db.url("cuntong_app"),
        "--owner-database-url",
        &db.url("cuntong_owner"),
        "--tls-cert",
        &cert,
        "--tls-key",
        &key,
    ]);
    server.base = server.base.replace("http://", "https://");
    let authority = reqwest::Certificate::from_pem(&std::fs::read(format!("{out}/ca.crt")).unwrap()).unwrap();
    server.client = client_builder().add_root_certificate(authority).build().unwrap();
    server.wait_ready().await;
    let answer = server.get("/healthz").await;
    assert_eq!(answer.version(), reqwest::Version::HTTP_2);
    // Whoever does not know the authority does not get in.
    let stranger = client_builder().build().unwrap();
    assert!(stranger.get(format!("{}/healthz", server.base)).send().await.is_err());
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&key).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600, "the key is private");
}

#[tokio::test]
async fn every_answer_has_an_id_and_the_guards_of_the_page() {
    let db = Db::fresh().await;
    let server = Server::start(&db).await;
    let answer = server
        .client
        .get(format!("{}/api/v1/nothing", server.base))
        .header("x-request-id", "gateway-0042")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 404);
    let header =
        |name: &str| answer.headers().get(name).map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default();
    assert_eq!(header("x-request-id"), "gateway-0042");
    assert_eq!(header("content-type"), "application/problem+json");
    assert!(header("content-security-policy").contains("frame-ancestors 'none'"));
    assert_eq!(header("x-content-type-options"), "nosniff");
    let problem: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(problem["request_id"], "gateway-0042");
    assert_eq!(problem["code"], "not_found");

    // The page answers any other address; a script that is not there does not become HTML.
    let page = server.get("/somewhere/in/the/page").await;
    assert_eq!(page.status(), 200);
    assert!(page.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    assert_eq!(server.get("/assets/gone-1234.js").await.status(), 404);
    let posted = server.client.post(format!("{}/somewhere", server.base)).send().await.unwrap();
    assert_eq!(posted.status(), 405);
}

#[tokio::test]
async fn a_body_above_the_limit_is_refused() {
    let db = Db::fresh().await;
    let server = Server::start_with(&db, &["--body-limit", "4"]).await;
    let answer = server
        .client
        .post(format!("{}/api/v1/session", server.base))
        .header("content-type", "application/json")
        .body(format!("{{\"login\":\"{}\",\"password\":\"x\"}}", "a".repeat(10_000)))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 413);
}

#[tokio::test]
async fn metrics_and_readiness_tell_the_state() {
    let db = Db::fresh().await;
    let server = Server::start(&db).await;
    let ready = server.json("/readyz").await;
    assert_eq!(ready["ready"], true);
    assert_eq!(ready["behind"], 0);
    server.json("/api/v1/session").await;
    let text = server.get("/metrics").await.text().await.unwrap();
    for name in [
        "cuntong_http_requests_total",
        "cuntong_http_request_duration_seconds_bucket",
        "cuntong_http_connections",
        "cuntong_atlas_seq",
        "cuntong_feed_lag_seconds",
        "cuntong_tile_cache_bytes",
        "cuntong_pool_connections",
        "cuntong_lock_wait_seconds",
    ] {
        assert!(text.contains(name), "{name} is missing:\n{text}");
    }
    assert!(text.contains("route=\"/api/v1/session\""), "{text}");
    assert!(text.ends_with("# EOF\n"));
}
