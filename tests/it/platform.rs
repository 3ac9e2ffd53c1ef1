//! Starting, stopping and being killed; limits of the server; configuration and its documentation.

use std::time::{Duration, Instant};

use cuntong::db::cluster::{APP_ROLE, OWNER_ROLE};
use sqlx::Executor;

use crate::harness::{Db, Scratch, Server, kill9_postgres, postmaster, program, stop_orphan, wait_until};

#[tokio::test]
async fn an_embedded_database_is_made_adopted_after_a_kill_and_stopped_in_order() {
    let home = Scratch::new("embedded");
    let mut server = Server::start_embedded(&home.0, &[]).await;
    let first = postmaster(&home.0).expect("a postmaster");
    remember(&home, "one").await;

    // Killed: PostgreSQL lives on, and the next start works with it.
    server.kill9();
    assert_eq!(postmaster(&home.0), Some(first), "the postmaster outlives the program");
    let mut server = Server::start_embedded(&home.0, &[]).await;
    assert_eq!(postmaster(&home.0), Some(first), "it is adopted, not started twice");
    assert!(server.output().contains("already running"), "{}", server.output());

    // A second one on the same directory says so and leaves everything alone.
    let mut second = Server::spawn(&["--data-dir", &home.0.display().to_string()]);
    let status = second.wait_end(Duration::from_secs(20)).expect("the second ends");
    assert!(!status.success());
    assert!(second.output().contains(&format!("{}", server.pid())), "{}", second.output());
    assert_eq!(server.get("/readyz").await.status(), 200);

    // PostgreSQL killed: it is started again, and what was committed is there.
    kill9_postgres(&home.0);
    assert!(wait_until(Duration::from_secs(30), || postmaster(&home.0).is_some_and(|pid| pid != first)));
    server.wait_ready().await;
    assert_eq!(remembered(&home).await, ["one"]);

    // Orderly end: our postmaster is gone, the one of the tests is not.
    let ours = crate::harness::cluster().postmaster_pid();
    assert!(server.stop(), "{}", server.output());
    assert_eq!(postmaster(&home.0), None);
    assert!(std::path::Path::new(&format!("/proc/{ours}")).exists());

    // Second start with everything there.
    let begun = Instant::now();
    let mut server = Server::start_embedded(&home.0, &[]).await;
    assert!(begun.elapsed() < Duration::from_secs(10), "second start took {:?}", begun.elapsed());
    assert_eq!(remembered(&home).await, ["one"]);
    assert!(server.stop());
}

#[tokio::test]
async fn a_stale_pid_file_of_another_process_does_not_stop_the_start() {
    let home = Scratch::new("stale");
    let mut server = Server::start_embedded(&home.0, &[]).await;
    server.kill9();
    kill9_postgres(&home.0);
    // The number now belongs to somebody else: this very test.
    let pid_file = home.0.join("pg/postmaster.pid");
    wait_until(Duration::from_secs(5), || postmaster(&home.0).is_none());
    let text = std::fs::read_to_string(&pid_file).unwrap();
    let rest = text.split_once('\n').unwrap().1;
    std::fs::write(&pid_file, format!("{}\n{rest}", std::process::id())).unwrap();
    let mut server = Server::start_embedded(&home.0, &[]).await;
    assert!(server.stop());
}

#[tokio::test]
async fn the_socket_moves_when_its_path_would_be_too_long() {
    let home = Scratch::new(&"long".repeat(20));
    let mut server = Server::start_embedded(&home.0, &[]).await;
    let recorded = std::fs::read_to_string(home.0.join("socket-dir")).unwrap();
    assert!(!recorded.starts_with(&home.0.display().to_string()), "{recorded}");
    assert!(server.stop());
    let _ = std::fs::remove_dir(recorded.trim());
}

#[tokio::test]
async fn sigterm_lets_another_command_keep_the_database() {
    let home = Scratch::new("shared");
    let mut server = Server::start_embedded(&home.0, &[]).await;
    // The same process of the tests joins the cluster, as `cuntong import` would.
    let dir = home.0.clone();
    let joined = tokio::task::spawn_blocking(move || cuntong::db::cluster::Cluster::open(&dir, None))
        .await
        .unwrap()
        .unwrap();
    assert!(server.stop());
    assert!(postmaster(&home.0).is_some(), "still in use by the other command");
    tokio::task::spawn_blocking(move || joined.close()).await.unwrap().unwrap();
    assert_eq!(postmaster(&home.0), None, "the last one stops it");
}

#[tokio::test]
async fn an_external_database_that_is_behind_is_refused_and_migrated_on_demand() {
    let db = Db::fresh().await;
    db.owner().await.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await.unwrap();
    let url = db.url(OWNER_ROLE);
    let mut refused = Server::spawn(&["--database-url", &url]);
    assert!(!refused.wait_end(Duration::from_secs(20)).expect("it ends").success());
    assert!(refused.output().contains("cuntong migrate"), "{}", refused.output());

    let done = program().args(["migrate", "--database-url", &url]).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let mut server = Server::spawn(&["--database-url", &url]);
    server.wait_ready().await;
    assert!(server.output().contains(APP_ROLE), "the owner is lent only: {}", server.output());
}

#[tokio::test]
async fn an_owner_without_rights_is_told_what_to_ask_for_and_then_gets_along_without_being_superuser() {
    let db = Db::fresh().await;
    let role = format!("owner_{}", &db.name[20..]);
    let mut admin = db.owner().await;
    let prepare = format!(
        "DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE ROLE {role} LOGIN; ALTER DATABASE {} OWNER TO {role}",
        db.name
    );
    admin.execute(sqlx::AssertSqlSafe(prepare)).await.unwrap();
    let url = db.url(&role);
    let refused = program().args(["migrate", "--database-url", &url]).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success());
    assert!(said.contains("CREATE EXTENSION postgis") && said.contains("ALTER SCHEMA public"), "{said}");

    let mend = format!(
        "ALTER SCHEMA public OWNER TO {role}; CREATE EXTENSION postgis; ALTER ROLE {role} CREATEROLE"
    );
    admin.execute(sqlx::AssertSqlSafe(mend)).await.unwrap();
    let done = program().args(["migrate", "--database-url", &url]).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let mut server = Server::spawn(&["--database-url", &url]);
    server.wait_ready().await;
    assert!(server.stop());
    let tidy = format!(
        "REASSIGN OWNED BY {role} TO cuntong_owner; DROP OWNED BY {role}; ALTER DATABASE {} OWNER TO cuntong_owner; DROP ROLE {role}",
        db.name
    );
    admin.execute(sqlx::AssertSqlSafe(tidy)).await.unwrap();
}

#[tokio::test]
async fn settings_that_would_lose_reports_are_refused_and_named() {
    let db = Db::fresh().await;
    let statement = format!("ALTER DATABASE {} SET synchronous_commit = off", db.name);
    db.owner().await.execute(sqlx::AssertSqlSafe(statement)).await.unwrap();
    let mut server = Server::spawn(&["--database-url", &db.url(APP_ROLE)]);
    assert!(!server.wait_end(Duration::from_secs(20)).expect("it ends").success());
    assert!(server.output().contains("synchronous_commit"), "{}", server.output());
}

#[tokio::test]
async fn a_database_that_does_not_answer_is_named_without_its_password() {
    let mut server = Server::spawn(&["--database-url", "postgres://someone:geheim@127.0.0.1:1/none"]);
    assert!(!server.wait_end(Duration::from_secs(20)).expect("it ends").success());
    assert!(
        server.output().contains("127.0.0.1:1") && !server.output().contains("geheim"),
        "{}",
        server.output()
    );
}

async fn remember(home: &Scratch, word: &str) {
    let mut owner = embedded_owner(home).await;
    owner.execute("CREATE TABLE IF NOT EXISTS remembered (word text)").await.unwrap();
    sqlx::query("INSERT INTO remembered VALUES ($1)").bind(word).execute(&mut owner).await.unwrap();
}

async fn remembered(home: &Scratch) -> Vec<String> {
    sqlx::query_scalar("SELECT word FROM remembered")
        .fetch_all(&mut embedded_owner(home).await)
        .await
        .unwrap()
}

async fn embedded_owner(home: &Scratch) -> sqlx::PgConnection {
    use sqlx::ConnectOptions;
    let socket = std::fs::read_to_string(home.0.join("socket-dir")).unwrap();
    sqlx::postgres::PgConnectOptions::new_without_pgpass()
        .socket(socket.trim())
        .username(OWNER_ROLE)
        .database("cuntong")
        .connect()
        .await
        .unwrap()
}

#[tokio::test]
async fn an_orphan_is_stopped_by_the_next_command() {
    let home = Scratch::new("orphan");
    let mut server = Server::start_embedded(&home.0, &[]).await;
    server.kill9();
    let done = program().args(["migrate", "--data-dir"]).arg(&home.0).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(postmaster(&home.0), None);
    stop_orphan(&home.0);
}
