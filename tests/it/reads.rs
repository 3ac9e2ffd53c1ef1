//! What the tests of reading share: the demo province, served once per test run.

use std::collections::HashSet;

use serde_json::Value;
use sqlx::{Connection, PgConnection};
use tokio::sync::OnceCell;

use crate::harness::{self, Db, Server};

/// The demo province and who reads it.
pub struct World {
    pub db: Db,
    pub server: Server,
}

static WORLD: OnceCell<World> = OnceCell::const_new();
static SERVER_PID: std::sync::atomic::AtomicI32 = std::sync::atomic::AtomicI32::new(0);

/// The demo province, served. Nobody writes in it.
pub async fn world() -> &'static World {
    WORLD
        .get_or_init(|| async {
            let db = Db::with_demo().await;
            let server = Server::start(&db).await;
            SERVER_PID.store(server.pid(), std::sync::atomic::Ordering::SeqCst);
            extern "C" fn stop() {
                let pid = SERVER_PID.load(std::sync::atomic::Ordering::SeqCst);
                harness::kill(pid, rustix::process::Signal::KILL);
            }
            // SAFETY: a plain function; a static is not dropped at exit, so its server is ended here.
            unsafe { libc::atexit(stop) };
            World { db, server }
        })
        .await
}

/// A browser with a session, or without.
pub struct Reader {
    client: reqwest::Client,
    base: String,
}

impl Reader {
    /// Nobody.
    pub fn public(server: &Server) -> Self {
        Self { client: server.another_client(), base: server.base.clone() }
    }

    /// Somebody of the demo province.
    pub async fn signed_in(server: &Server, login: &str) -> Self {
        let reader = Self::public(server);
        let answer = reader
            .client
            .post(format!("{}/api/v1/session", reader.base))
            .json(&serde_json::json!({ "login": login, "password": "cuntong-2020" }))
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.status(), 200, "{login} signs in: {}", answer.text().await.unwrap());
        reader
    }

    /// Status, headers and body.
    pub async fn get(&self, path: &str) -> (u16, reqwest::header::HeaderMap, String) {
        let answer = self.client.get(format!("{}{path}", self.base)).send().await.expect("an answer");
        (answer.status().as_u16(), answer.headers().clone(), answer.text().await.expect("a body"))
    }

    /// JSON of a 200.
    pub async fn json(&self, path: &str) -> Value {
        let (status, _, text) = self.get(path).await;
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_str(&text).expect("JSON")
    }

    /// The problem that is answered, with its status and Chinese words.
    pub async fn problem(&self, path: &str) -> (u16, Value) {
        let (status, headers, text) = self.get(path).await;
        assert_eq!(headers["content-type"], "application/problem+json", "{path}: {text}");
        let problem: Value = serde_json::from_str(&text).expect("JSON");
        for member in ["title", "detail"] {
            let said = problem[member].as_str().unwrap_or_default();
            assert!(said.chars().any(|c| c >= '\u{4e00}'), "{member} of {path} is not Chinese: {text}");
        }
        assert_eq!(problem["status"], status);
        (status, problem)
    }

    /// Every item of all pages of a list, and its total. Fails on duplicates.
    pub async fn all(&self, path: &str) -> (Vec<Value>, u64) {
        let (mut items, mut seen) = (Vec::new(), HashSet::new());
        let mut cursor = String::new();
        loop {
            let joint = if path.contains('?') { '&' } else { '?' };
            let page = self.json(&format!("{path}{joint}limit=200&cursor={cursor}")).await;
            for item in page["items"].as_array().expect("items") {
                let id = item.get("id").or(item.get("version")).expect("an identity").to_string();
                assert!(seen.insert(id), "twice in {path}: {item}");
                items.push(item.clone());
            }
            match page["next_cursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => return (items, page["total"].as_u64().expect("a total")),
            }
        }
    }
}

/// One number from SQL.
pub async fn number(db: &Db, sql: &'static str) -> u64 {
    let mut owner = db.owner().await;
    let n: i64 = sqlx::query_scalar(sql).fetch_one(&mut owner).await.expect(sql);
    owner.close().await.expect("closed");
    n as u64
}

/// One text from SQL.
pub async fn text(db: &Db, sql: &'static str) -> String {
    let mut owner: PgConnection = db.owner().await;
    let text = sqlx::query_scalar(sql).fetch_one(&mut owner).await.expect(sql);
    owner.close().await.expect("closed");
    text
}
