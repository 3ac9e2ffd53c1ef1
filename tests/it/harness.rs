//! What the integration tests stand on: one private cluster per test run, a fresh database per
//! test, the real binary on a free port.
//!
//! ```ignore
//! let db = Db::fresh().await;            // migrated, empty
//! let db = Db::with_demo().await;        // migrated, demo province "poor"
//! let server = Server::start(&db).await; // ready
//! let answer = server.get("/api/v1/programme").await;
//! ```
#![allow(dead_code)] // each test file uses a part of it

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use cuntong::cli::demo::{self, Scale};
use cuntong::config::{CommonOptions, Config, ServeOptions};
use cuntong::db::Database;
use cuntong::db::cluster::{APP_ROLE, Cluster, OWNER_ROLE};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, PgConnection, PgPool};

/// The binary under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_cuntong");

/// The cluster of this test run. Started by the first test that asks, stopped when the process ends.
pub fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let home = run_dir();
        // Durability is the subject of tests with clusters of their own; here a commit may be cheap
        // as long as the settings that the program asserts stay as they are.
        let settings = [
            ("max_connections", "300"),
            ("max_wal_size", "4GB"),
            ("wal_level", "minimal"),
            ("max_wal_senders", "0"),
        ];
        let cluster = Cluster::open_with(&home, None, &settings).expect("the cluster of the tests starts");
        extern "C" fn stop() {
            let home = run_dir();
            if let Ok(pid) = std::fs::read_to_string(home.join("pg/postmaster.pid"))
                && let Some(Ok(pid)) = pid.lines().next().map(str::parse::<i32>)
            {
                // Immediate shutdown: nothing in this cluster is worth a checkpoint.
                kill(pid, rustix::process::Signal::QUIT);
                wait_until(Duration::from_secs(10), || !Path::new(&format!("/proc/{pid}")).exists());
            }
            let _ = std::fs::remove_dir_all(home);
        }
        // SAFETY: `stop` is a plain function that may run at exit; it touches no statics of others.
        unsafe { libc::atexit(stop) };
        cluster
    })
}

/// A directory of this test run, in memory when there is room, where the cluster's user can enter.
pub fn run_dir() -> PathBuf {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    DIR.get_or_init(|| {
        let base = scratch_base();
        remove_leftovers(&base);
        let dir = base.join(format!("cuntong-test-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a directory for the tests");
        dir
    })
    .clone()
}

fn scratch_base() -> PathBuf {
    let shm = Path::new("/dev/shm");
    let room = rustix::fs::statvfs(shm).map_or(0, |s| s.f_bavail * s.f_frsize);
    // The demo template and a dozen copies of it fit into this.
    if room > 6 << 30 { shm.to_owned() } else { std::env::temp_dir() }
}

/// What a killed test run left behind: its postmaster and its directory.
fn remove_leftovers(base: &Path) {
    for entry in std::fs::read_dir(base).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(pid) = name.strip_prefix("cuntong-test-").and_then(|pid| pid.parse::<i32>().ok()) else {
            continue;
        };
        if Path::new(&format!("/proc/{pid}")).exists() {
            continue;
        }
        let pgdata = entry.path().join("pg");
        if let Ok(text) = std::fs::read_to_string(pgdata.join("postmaster.pid"))
            && let Some(Ok(postmaster)) = text.lines().next().map(str::parse::<i32>)
            && std::fs::read_link(format!("/proc/{postmaster}/cwd")).is_ok_and(|cwd| cwd == pgdata)
        {
            kill(postmaster, rustix::process::Signal::QUIT);
            wait_until(Duration::from_secs(10), || !Path::new(&format!("/proc/{postmaster}")).exists());
        }
        let _ = std::fs::remove_dir_all(entry.path());
    }
}

/// A new empty directory that goes away with the value; the cluster's user can enter it.
pub struct Scratch(pub PathBuf);

impl Scratch {
    /// Makes it.
    pub fn new(name: &str) -> Self {
        let dir = run_dir().join(format!("{name}-{}", uuid::Uuid::now_v7().simple()));
        std::fs::create_dir_all(&dir).expect("a scratch directory");
        Self(dir)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A database of one test. Dropped with the value.
pub struct Db {
    /// Its name in the cluster of the tests.
    pub name: String,
}

impl Db {
    /// Migrated and empty.
    pub async fn fresh() -> Self {
        Self::copy_of(template("template_empty", None).await).await
    }

    /// Migrated, with the demo province at scale `poor`.
    pub async fn with_demo() -> Self {
        Self::copy_of(template("template_demo", Some(Scale::Poor)).await).await
    }

    /// An embedded data directory with the demo province: a copy of the template, which is much
    /// quicker than making it a second time.
    pub async fn demo_as_embedded(home: &Path) {
        let template = template("template_demo", Some(Scale::Poor)).await;
        Server::start_embedded(home, &[]).await.stop();
        let home = home.to_owned();
        let copied = tokio::task::spawn_blocking(move || {
            let embedded = Cluster::open(&home, None).expect("the new cluster starts");
            let bin = |name: &str| embedded.binaries().program(name);
            let sql = |statement: &str| {
                let done = Command::new(bin("psql"))
                    .args([
                        "-X",
                        "-q",
                        "-v",
                        "ON_ERROR_STOP=1",
                        "-U",
                        OWNER_ROLE,
                        "-d",
                        "postgres",
                        "-c",
                        statement,
                        "-h",
                    ])
                    .arg(embedded.socket_dir())
                    .status();
                assert!(done.expect("psql").success(), "{statement}");
            };
            sql("DROP DATABASE cuntong");
            sql("CREATE DATABASE cuntong TEMPLATE template0");
            let mut dump = Command::new(bin("pg_dump"))
                .args(["-U", OWNER_ROLE, "-d", template, "-h"])
                .arg(cluster().socket_dir())
                .stdout(Stdio::piped())
                .spawn()
                .expect("pg_dump");
            let restored = Command::new(bin("psql"))
                .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-U", OWNER_ROLE, "-d", "cuntong", "-h"])
                .arg(embedded.socket_dir())
                .stdin(dump.stdout.take().expect("a pipe"))
                .stdout(Stdio::null())
                .status();
            assert!(dump.wait().expect("pg_dump").success() && restored.expect("psql").success());
            embedded.close().expect("the new cluster stops");
        });
        copied.await.expect("the copy");
    }

    async fn copy_of(template: &str) -> Self {
        let name = format!("t_{}", uuid::Uuid::now_v7().simple());
        // A template may have no other user at that moment, and a copy of its files is much faster
        // than writing them to the log.
        let _one_at_a_time = copying().lock().await;
        let statement = format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy");
        maintenance().await.execute(AssertSqlSafe(statement)).await.expect("a copy of the template");
        Self { name }
    }

    /// Options to connect as the owner of the tables.
    pub fn owner_options(&self) -> PgConnectOptions {
        cluster().options(OWNER_ROLE, &self.name)
    }

    /// A connection as the owner of the tables.
    pub async fn owner(&self) -> PgConnection {
        self.owner_options().connect().await.expect("the owner can connect")
    }

    /// The pool that the program uses, as `cuntong_app`.
    pub fn pool(&self) -> PgPool {
        cuntong::db::pool::build(cluster().options(APP_ROLE, &self.name), 8)
    }

    /// Address for `DATABASE_URL`, as a role.
    pub fn url(&self, role: &str) -> String {
        format!("postgres://{role}@localhost:5432/{}?host={}", self.name, cluster().socket_dir().display())
    }
}

impl Drop for Db {
    fn drop(&mut self) {
        let name = self.name.clone();
        // Off this thread: a runtime cannot be entered from within another.
        let dropping = std::thread::spawn(move || {
            runtime().block_on(async move {
                let statement = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                let _ = maintenance().await.execute(AssertSqlSafe(statement)).await;
            });
        });
        let _ = dropping.join();
    }
}

fn copying() -> &'static tokio::sync::Mutex<()> {
    static COPYING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    &COPYING
}

async fn maintenance() -> PgConnection {
    let cluster = tokio::task::spawn_blocking(cluster).await.expect("the cluster of the tests");
    cluster.options(OWNER_ROLE, "postgres").connect().await.expect("the cluster of the tests answers")
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Makes a template once per test run, whichever tests ask for it first.
async fn template(name: &'static str, demo: Option<Scale>) -> &'static str {
    static MADE: tokio::sync::Mutex<Vec<&str>> = tokio::sync::Mutex::const_new(Vec::new());
    let mut made = MADE.lock().await;
    if !made.contains(&name) {
        let statement = format!("CREATE DATABASE {name} TEMPLATE template0");
        maintenance().await.execute(AssertSqlSafe(statement)).await.expect("a template");
        let db = Db { name: name.to_owned() };
        let database = Database::open(&config_for(&db)).await.expect("the template opens");
        database.migrate_or_refuse(true).await.expect("migrations apply");
        if let Some(scale) = demo {
            demo::load(&database, scale).await.expect("the demo province loads");
        }
        database.close().await.expect("the template closes");
        std::mem::forget(db);
        made.push(name);
    }
    name
}

/// Configuration that works as the owner on a database of the tests.
pub fn config_for(db: &Db) -> Config {
    let common = CommonOptions {
        data_dir: Some(run_dir()),
        database_url: Some(db.url(OWNER_ROLE).parse().expect("a secret")),
        ..Default::default()
    };
    Config::load(common, ServeOptions::default()).expect("a configuration")
}

/// A running `cuntong serve`. Killed when dropped, unless stopped before.
pub struct Server {
    /// `http://127.0.0.1:PORT`
    pub base: String,
    /// Keeps cookies.
    pub client: reqwest::Client,
    child: Option<Child>,
    output: Arc<Mutex<String>>,
    arguments: Vec<String>,
}

impl Server {
    /// Serves a database of the tests, and waits until it is ready.
    pub async fn start(db: &Db) -> Self {
        Self::start_with(db, &[]).await
    }

    /// As [`Server::start`], with further arguments.
    pub async fn start_with(db: &Db, arguments: &[&str]) -> Self {
        let url = db.url(APP_ROLE);
        let owner = db.url(OWNER_ROLE);
        let mut all = vec!["--database-url", &url, "--owner-database-url", &owner];
        all.extend(arguments);
        let mut server = Self::spawn(&all);
        server.wait_ready().await;
        server
    }

    /// Serves from an embedded cluster in a directory, and waits until it is ready.
    pub async fn start_embedded(data_dir: &Path, arguments: &[&str]) -> Self {
        let dir = data_dir.display().to_string();
        let mut all = vec!["--data-dir", &dir];
        all.extend(arguments);
        let mut server = Self::spawn(&all);
        server.wait_ready().await;
        server
    }

    /// Starts the binary and does not wait.
    pub fn spawn(arguments: &[&str]) -> Self {
        let address = format!("127.0.0.1:{}", free_port());
        let mut all = vec!["serve".to_owned(), "--listen".to_owned(), address.clone()];
        all.extend(arguments.iter().map(ToString::to_string));
        let mut server = Self {
            base: format!("http://{address}"),
            client: client_builder().build().expect("a client"),
            child: None,
            output: Arc::default(),
            arguments: all,
        };
        server.respawn();
        server
    }

    /// Starts it again on the same port with the same arguments, after it was killed or stopped.
    pub fn respawn(&mut self) {
        let mut command = program();
        command.args(&self.arguments);
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        follow(child.stdout.take().expect("stdout"), &self.output);
        follow(child.stderr.take().expect("stderr"), &self.output);
        self.child = Some(child);
    }

    /// Waits for /readyz; fails with what the program printed when it ends before.
    pub async fn wait_ready(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(120);
        loop {
            let answer = self.client.get(format!("{}/readyz", self.base)).send().await;
            if answer.is_ok_and(|a| a.status() == 200) {
                return;
            }
            if let Some(status) = self.child.as_mut().and_then(|c| c.try_wait().expect("a child")) {
                panic!("the program ended with {status}:\n{}", self.output());
            }
            assert!(Instant::now() < deadline, "not ready in time:\n{}", self.output());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// GET of a path.
    pub async fn get(&self, path: &str) -> reqwest::Response {
        self.client.get(format!("{}{path}", self.base)).send().await.expect("an answer")
    }

    /// GET of a path as JSON; fails unless 200.
    pub async fn json(&self, path: &str) -> serde_json::Value {
        let answer = self.get(path).await;
        let status = answer.status();
        let text = answer.text().await.expect("a body");
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_str(&text).expect("JSON")
    }

    /// A further client with cookies of its own: another browser.
    pub fn another_client(&self) -> reqwest::Client {
        client_builder().build().expect("a client")
    }

    /// What the program has printed so far.
    pub fn output(&self) -> String {
        self.output.lock().expect("output").clone()
    }

    /// Process id.
    pub fn pid(&self) -> i32 {
        self.child.as_ref().map_or(0, |c| c.id().cast_signed())
    }

    /// Ends it without a warning, as a crash does.
    pub fn kill9(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("kill");
            child.wait().expect("wait");
        }
    }

    /// SIGTERM, and waits for the orderly end. Returns whether it ended well.
    pub fn stop(&mut self) -> bool {
        let Some(mut child) = self.child.take() else { return true };
        kill(child.id().cast_signed(), rustix::process::Signal::TERM);
        child.wait().expect("wait").success()
    }

    /// Waits for the program to end by itself.
    pub fn wait_end(&mut self, limit: Duration) -> Option<std::process::ExitStatus> {
        let deadline = Instant::now() + limit;
        while Instant::now() < deadline {
            if let Some(status) = self.child.as_mut()?.try_wait().expect("a child") {
                self.child = None;
                // The last lines may still be under way.
                std::thread::sleep(Duration::from_millis(50));
                return Some(status);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        None
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill9();
    }
}

/// The postmaster of an embedded data directory, if one runs.
pub fn postmaster(data_dir: &Path) -> Option<i32> {
    let text = std::fs::read_to_string(data_dir.join("pg/postmaster.pid")).ok()?;
    let pid: i32 = text.lines().next()?.trim().parse().ok()?;
    Path::new(&format!("/proc/{pid}")).exists().then_some(pid)
}

/// Kills PostgreSQL and all its processes at once, as a power cut would.
pub fn kill9_postgres(data_dir: &Path) {
    let Some(postmaster) = postmaster(data_dir) else { return };
    // The children first are found by their parent, then all are killed in one go.
    let children =
        std::fs::read_to_string(format!("/proc/{postmaster}/task/{postmaster}/children")).unwrap_or_default();
    kill(postmaster, rustix::process::Signal::KILL);
    for child in children.split_whitespace().filter_map(|pid| pid.parse().ok()) {
        kill(child, rustix::process::Signal::KILL);
    }
}

/// Stops an embedded cluster that a killed program left, at the end of a test.
pub fn stop_orphan(data_dir: &Path) {
    if let Some(pid) = postmaster(data_dir) {
        kill(pid, rustix::process::Signal::QUIT);
        wait_until(Duration::from_secs(10), || postmaster(data_dir).is_none());
    }
}

/// Sends a signal to one process.
pub fn kill(pid: i32, signal: rustix::process::Signal) {
    if let Some(pid) = rustix::process::Pid::from_raw(pid) {
        let _ = rustix::process::kill_process(pid, signal);
    }
}

/// Waits for a condition. True when it came true in time.
pub fn wait_until(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    while Instant::now() < deadline {
        if condition() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    condition()
}

/// The program without the settings of whoever runs the tests.
pub fn program() -> Command {
    let mut command = Command::new(PROGRAM);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("CUNTONG_") || name.starts_with("PG") || name == "DATABASE_URL" {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null());
    command
}

/// A client that keeps cookies and trusts nothing in the environment.
pub fn client_builder() -> reqwest::ClientBuilder {
    // reqwest leaves the choice of a cryptography provider to the program.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().cookie_store(true).no_proxy().timeout(Duration::from_secs(60))
}

/// A port that nobody listens on at this moment.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port()
}

fn follow(stream: impl std::io::Read + Send + 'static, output: &Arc<Mutex<String>>) {
    let output = Arc::clone(output);
    std::thread::spawn(move || {
        use std::io::BufRead;
        for line in std::io::BufReader::new(stream).lines().map_while(Result::ok) {
            if std::env::var_os("CUNTONG_TEST_VERBOSE").is_some() {
                eprintln!("  | {line}");
            }
            let mut output = output.lock().expect("output");
            output.push_str(&line);
            output.push('\n');
        }
    });
}
