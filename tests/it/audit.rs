//! The audit chain: verified in the database and offline, broken in every way, signed.

use std::io::Write;
use std::process::Stdio;

use cuntong::db::cluster::OWNER_ROLE;
use sqlx::AssertSqlSafe;

use crate::harness::{Scratch, program};
use crate::people::{TODAY, World, road_report};

struct Ran {
    success: bool,
    text: String,
}

/// Runs a command of the program as the owner of the world's tables.
async fn run(world: &World, arguments: &[&str], input: &str) -> Ran {
    let url = world.db.url(OWNER_ROLE);
    let mut child = program()
        .args(arguments)
        .args(["--database-url", &url])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let out = tokio::task::spawn_blocking(move || child.wait_with_output()).await.unwrap().unwrap();
    let text = String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned();
    Ran { success: out.status.success(), text }
}

/// Three entries in 五华县, one in 兴宁市.
async fn history(world: &World) {
    let clerk = world.sign_in("road.wuhua").await;
    for (version, bed) in [(1, 0.5), (2, 1.0), (3, 1.5)] {
        clerk.report(world.road, version, &road_report(TODAY, bed, 0.0)).await.is(201);
    }
    let other = world.sign_in("road.xingning").await;
    other.report(world.xingning_road, 1, &road_report(TODAY, 1.0, 0.0)).await.is(201);
}

async fn tamper(world: &World, statement: &str) {
    let mut owner = world.db.owner().await;
    for sql in [
        "ALTER TABLE audit_entries DISABLE TRIGGER audit_entries_kept",
        statement,
        "ALTER TABLE audit_entries ENABLE TRIGGER audit_entries_kept",
    ] {
        sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&mut owner).await.unwrap();
    }
}

#[tokio::test]
async fn a_broken_row_is_named_in_the_database_and_offline() {
    let world = World::start().await;
    history(&world).await;
    let scratch = Scratch::new("audit");
    let path = |name: &str| scratch.0.join(name).display().to_string();

    let whole = run(&world, &["audit", "verify"], "").await;
    assert!(whole.success && whole.text.contains("2 chains, 4 entries"), "{}", whole.text);
    let export = path("chain.ndjson");
    assert!(run(&world, &["audit", "export", "--out", &export], "").await.success);
    let offline = |file: String| async move {
        let out = program().args(["audit", "verify", "--file", &file]).output().unwrap();
        Ran { success: out.status.success(), text: String::from_utf8_lossy(&out.stdout).into_owned() }
    };
    assert!(offline(export.clone()).await.text.contains("2 chains, 4 entries"));

    // The database itself keeps people from it.
    let refused =
        sqlx::query("UPDATE audit_entries SET body = 'x'").execute(&mut world.db.owner().await).await;
    assert!(refused.unwrap_err().to_string().contains("never changed"));

    tamper(
        &world,
        "UPDATE audit_entries SET body = replace(body, '0.5', '0.6') WHERE chain = '441424' AND seq = 1",
    )
    .await;
    let broken = run(&world, &["audit", "verify"], "").await;
    assert!(!broken.success);
    assert!(broken.text.contains("chain=441424 seq=1 recorded_at=20"), "{}", broken.text);
    assert!(
        broken.text.contains("内容与哈希值不符") && broken.text.contains("1 chains are broken"),
        "{}",
        broken.text
    );

    // Repaired with a hash of its own: its successor gives it away.
    tamper(
        &world,
        "UPDATE audit_entries SET hash = sha256(prev_hash || int8send(seq) || convert_to(chain, 'UTF8') || '\\x00'::bytea
           || convert_to(body, 'UTF8')) WHERE chain = '441424' AND seq = 1",
    )
    .await;
    let broken = run(&world, &["audit", "verify"], "").await;
    assert!(broken.text.contains("chain=441424 seq=2"), "{}", broken.text);

    // Offline, the export of before is still whole; changed by an editor it is not.
    let text = std::fs::read_to_string(&export).unwrap();
    let changed = path("changed.ndjson");
    std::fs::write(&changed, text.replacen("road.xingning", "road.wuhua00", 1)).unwrap();
    let broken = offline(changed).await;
    assert!(!broken.success && broken.text.contains("chain=441481 seq=1"), "{}", broken.text);
    let cut = path("cut.ndjson");
    let lines: Vec<&str> =
        text.lines().filter(|l| !l.contains(r#""seq":3"#) || l.contains(r#""head""#)).collect();
    std::fs::write(&cut, lines.join("\n")).unwrap();
    let broken = offline(cut).await;
    assert!(!broken.success && broken.text.contains("chain=441424 seq=3"), "{}", broken.text);
}

#[tokio::test]
async fn a_cut_off_tail_and_a_rewritten_chain_show() {
    let world = World::start().await;
    history(&world).await;
    let scratch = Scratch::new("checkpoint");
    let path = |name: &str| scratch.0.join(name).display().to_string();
    let (key, public, checkpoint) = (path("key"), path("key.pub"), path("checkpoint.json"));

    let missing = run(&world, &["audit", "checkpoint", "--key", &key], "").await;
    assert!(!missing.success && missing.text.contains("--create-key"), "{}", missing.text);
    let signed =
        run(&world, &["audit", "checkpoint", "--key", &key, "--create-key", "--out", &checkpoint], "").await;
    assert!(signed.success, "{}", signed.text);
    let with_checkpoint = ["audit", "verify", "--checkpoint", &checkpoint, "--public-key", &public];
    assert!(run(&world, &with_checkpoint, "").await.success);

    // The chain goes on: the checkpoint is still in it.
    let clerk = world.sign_in("road.wuhua").await;
    clerk.report(world.road, 4, &road_report(TODAY, 2.0, 0.0)).await.is(201);
    assert!(run(&world, &with_checkpoint, "").await.success);

    // A checkpoint that was changed, or of another key.
    let text = std::fs::read_to_string(&checkpoint).unwrap();
    let forged = path("forged.json");
    std::fs::write(&forged, text.replacen("\"seq\": 3", "\"seq\": 2", 1)).unwrap();
    let refused =
        run(&world, &["audit", "verify", "--checkpoint", &forged, "--public-key", &public], "").await;
    assert!(!refused.success && refused.text.contains("签名不符"), "{}", refused.text);

    // Tail cut off, head left.
    tamper(&world, "DELETE FROM audit_entries WHERE chain = '441424' AND seq = 4").await;
    let broken = run(&world, &["audit", "verify"], "").await;
    assert!(!broken.success && broken.text.contains("chain=441424 seq=4"), "{}", broken.text);
    assert!(
        run(&world, &["audit", "checkpoint", "--key", &key], "").await.text.contains("nothing was signed")
    );

    // Tail and head cut off together, further than the checkpoint: the chain alone looks whole.
    tamper(&world, "DELETE FROM audit_entries WHERE chain = '441424' AND seq > 2").await;
    tamper(
        &world,
        "UPDATE audit_heads h SET seq = 2, hash = e.hash FROM audit_entries e
          WHERE h.chain = '441424' AND e.chain = h.chain AND e.seq = 2",
    )
    .await;
    assert!(run(&world, &["audit", "verify"], "").await.success);
    let broken = run(&world, &with_checkpoint, "").await;
    assert!(!broken.success && broken.text.contains("chain=441424 seq=3"), "{}", broken.text);
}

#[tokio::test]
async fn accounts_are_made_and_ended_from_the_command_line() {
    let world = World::start().await;
    let add = [
        "user",
        "add",
        "new.clerk",
        "--name",
        "李敏",
        "--unit",
        "五华县交通运输局",
        "--role",
        "clerk",
        "--area",
        "441424",
        "--sectors",
        "road",
        "--password-stdin",
    ];
    let weak = run(&world, &add, "short\n").await;
    assert!(!weak.success && weak.text.contains("密码至少"), "{}", weak.text);
    let added = run(&world, &add, "cuntong-2020\n").await;
    assert!(added.success, "{}", added.text);
    assert!(!run(&world, &add, "cuntong-2020\n").await.success, "the login is taken");
    let clerk = world.sign_in("new.clerk").await;
    clerk.report(world.road, 1, &road_report(TODAY, 0.5, 0.0)).await.is(201);
    clerk.report(world.water, 1, &road_report(TODAY, 0.5, 0.0)).await.is_problem(403, "outside_sector");

    // Grants work with the next request, in the same session.
    let grant = ["user", "grant", "new.clerk", "--role", "clerk", "--area", "441424", "--sectors", "water"];
    assert!(run(&world, &grant, "").await.success);
    clerk.report(world.water, 9, &road_report(TODAY, 0.5, 0.0)).await.is_problem(412, "stale_version");
    assert!(
        run(&world, &["user", "revoke", "new.clerk", "--role", "clerk", "--area", "441424"], "")
            .await
            .success
    );
    clerk.report(world.road, 2, &road_report(TODAY, 0.6, 0.0)).await.is_problem(403, "role_missing");

    let set = run(&world, &["user", "set-password", "new.clerk"], "").await;
    assert!(set.success && set.text.contains("shown this once"), "{}", set.text);
    clerk.report(world.road, 2, &road_report(TODAY, 0.6, 0.0)).await.is_problem(401, "sign_in_required");
    assert!(run(&world, &["user", "disable", "road.wuhua"], "").await.success);
    let listed = run(&world, &["user", "list"], "").await.text;
    assert!(listed.contains("new.clerk  李敏") && listed.contains("停用"), "{listed}");

    // Everything is in the chain of the system, passwords are not.
    let bodies: Vec<String> =
        sqlx::query_scalar("SELECT body FROM audit_entries WHERE chain = 'system' ORDER BY seq")
            .fetch_all(&mut world.db.owner().await)
            .await
            .unwrap();
    assert_eq!(bodies.len(), 5);
    assert!(bodies.iter().all(|b| !b.contains("cuntong-2020") && !b.contains("argon2")));
    assert!(run(&world, &["audit", "verify"], "").await.success);
}
