//! Who may write what, where: by the program's permits and by the database's policies, each
//! sufficient alone.

use cuntong::db::accounts;
use cuntong::db::progress::place_of;
use cuntong::domain::permit::{ReportProgress, ReviewReport, authorise};
use cuntong::domain::sector::Sector;
use serde_json::json;
use sqlx::{AssertSqlSafe, PgPool, Postgres, Transaction};
use uuid::Uuid;

use crate::people::{World, read, road_report};

/// What reporting progress answers: role × own or other area × own or other sector. A permitted
/// request is then refused for its version, so that nothing changes.
const REPORTING: &[(&str, [&str; 4])] = &[
    // login              road 五华           water 五华          road 兴宁        road 东莞
    ("road.wuhua", ["stale_version", "outside_sector", "outside_area", "outside_area"]),
    ("water.wuhua", ["outside_sector", "stale_version", "outside_area", "outside_area"]),
    ("town.zhuanshui", ["stale_version", "stale_version", "outside_area", "outside_area"]),
    ("both.wuhua", ["stale_version", "stale_version", "outside_area", "outside_area"]),
    ("road.xingning", ["outside_area", "outside_area", "stale_version", "outside_area"]),
    ("road.dongguan", ["outside_area", "outside_area", "outside_area", "stale_version"]),
    ("review.wuhua", ["role_missing"; 4]),
    ("office.meizhou", ["role_missing"; 4]),
    ("planner.gd", ["role_missing"; 4]),
    ("leader.gd", ["role_missing"; 4]),
    ("inspector.gd", ["role_missing"; 4]),
    ("auditor.gd", ["role_missing"; 4]),
    ("admin.gd", ["role_missing"; 4]),
];

/// The same for reviewing a report of each project.
const REVIEWING: &[(&str, [&str; 4])] = &[
    ("review.wuhua", ["stale_version", "stale_version", "outside_area", "outside_area"]),
    ("review.water", ["outside_sector", "stale_version", "outside_area", "outside_area"]),
    ("review.xingning", ["outside_area", "outside_area", "stale_version", "outside_area"]),
    ("office.meizhou", ["stale_version", "stale_version", "stale_version", "outside_area"]),
    ("road.wuhua", ["role_missing"; 4]),
    ("town.zhuanshui", ["role_missing"; 4]),
    ("planner.gd", ["role_missing"; 4]),
    ("leader.gd", ["role_missing"; 4]),
    ("admin.gd", ["role_missing"; 4]),
];

fn projects(world: &World) -> [Uuid; 4] {
    [world.road, world.water, world.xingning_road, world.dongguan_road]
}

/// A report of each project, written by nobody in the tables above.
async fn reports(world: &World) -> [Uuid; 4] {
    let mut made = Vec::new();
    for project in projects(world) {
        let id = Uuid::now_v7();
        sqlx::query(
            "INSERT INTO progress_reports (id, project_id, effective_on, recorded_by, percent)
             VALUES ($1, $2, '2020-10-01', $3, 1)",
        )
        .bind(id)
        .bind(project)
        .bind(Uuid::from_u128(0xFFFF))
        .execute(&mut world.db.owner().await)
        .await
        .unwrap();
        made.push(id);
    }
    made.try_into().unwrap()
}

async fn drive_both_tables(world: &World) {
    let reports = reports(world).await;
    for (login, expected) in REPORTING {
        let person = world.sign_in(login).await;
        for (project, code) in projects(world).into_iter().zip(expected) {
            let answer = person.report(project, 99, &road_report("2020-10-20", 1.0, 0.0)).await;
            assert_eq!(answer.code(), *code, "{login} reports on {project}: {}", answer.text);
        }
    }
    for (login, expected) in REVIEWING {
        let person = world.sign_in(login).await;
        for (report, code) in reports.into_iter().zip(expected) {
            let answer = person.review(&report.to_string(), 99, "approved", "").await;
            assert_eq!(answer.code(), *code, "{login} reviews {report}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn every_role_area_and_sector_gets_the_answer_of_the_table() {
    let world = World::start().await;
    drive_both_tables(&world).await;
    let clerk = world.sign_in("road.wuhua").await;
    let problem = clerk.report(world.xingning_road, 1, &road_report("2020-10-20", 1.0, 0.0)).await;
    let problem = problem.is_problem(403, "outside_area");
    let reason = problem["detail"].as_str().unwrap();
    assert!(reason.contains("五华县") && reason.contains("兴宁市"), "{reason}");
}

#[tokio::test]
async fn the_program_refuses_without_the_policies() {
    let world = World::start().await;
    for table in [
        "projects",
        "progress_reports",
        "progress_report_items",
        "report_reviews",
        "project_revisions",
        "service_states",
    ] {
        let statement = format!("ALTER TABLE {table} DISABLE ROW LEVEL SECURITY");
        sqlx::query(AssertSqlSafe(statement)).execute(&mut world.db.owner().await).await.unwrap();
    }
    drive_both_tables(&world).await;
}

#[tokio::test]
async fn permits_and_policies_agree_on_everybody_and_everything() {
    let world = World::start().await;
    let pool = world.db.pool();
    let logins: Vec<(Uuid, String)> =
        sqlx::query_as("SELECT id, login FROM accounts").fetch_all(&pool).await.unwrap();
    assert!(logins.len() > 12);
    let (mut allowed, mut refused) = (0, 0);
    for (id, login) in logins {
        let mut tx = acting_as(&pool, Some(id)).await;
        let account = accounts::account(&mut tx, id).await.unwrap().unwrap();
        for project in projects(&world) {
            let place = place_of(&mut tx, project).await.unwrap().unwrap();
            let sector = Sector::parse(&place.sector).unwrap();
            let permits = [
                (
                    "report_progress",
                    authorise::<ReportProgress>(&account, project, &place.place, sector).is_ok(),
                ),
                ("review_report", authorise::<ReviewReport>(&account, project, &place.place, sector).is_ok()),
            ];
            for (capability, permit) in permits {
                let policy: bool = sqlx::query_scalar("SELECT may_project($1, $2)")
                    .bind(capability)
                    .bind(project)
                    .fetch_one(&mut *tx)
                    .await
                    .unwrap();
                assert_eq!(permit, policy, "{login} {capability} {project}");
                if permit { allowed += 1 } else { refused += 1 }
            }
        }
    }
    assert!(allowed >= 12 && refused >= 60, "{allowed} allowed, {refused} refused");
}

/// A transaction of the program's role that names an account to the policies.
async fn acting_as(pool: &PgPool, account: Option<Uuid>) -> Transaction<'static, Postgres> {
    let mut tx = pool.begin().await.unwrap();
    sqlx::query("SELECT set_config('cuntong.account', $1, true)")
        .bind(account.map(|id| id.to_string()).unwrap_or_default())
        .execute(&mut *tx)
        .await
        .unwrap();
    tx
}

/// SQLSTATE of a statement by an account, or "done" with the number of rows.
async fn outcome(pool: &PgPool, account: Option<Uuid>, statement: String) -> String {
    let mut tx = acting_as(pool, account).await;
    match sqlx::query(AssertSqlSafe(statement)).execute(&mut *tx).await {
        Ok(done) => format!("done {}", done.rows_affected()),
        Err(error) => error
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code)
            .unwrap_or_default()
            .into_owned(),
    }
}

#[tokio::test]
async fn the_policies_refuse_without_the_program() {
    let world = World::start().await;
    let pool = world.db.pool();
    let id = |login: &'static str| {
        let pool = pool.clone();
        async move {
            sqlx::query_scalar::<_, Uuid>("SELECT id FROM accounts WHERE login = $1")
                .bind(login)
                .fetch_one(&pool)
                .await
                .unwrap()
        }
    };
    let (clerk, reviewer, both) = (id("road.wuhua").await, id("review.wuhua").await, id("both.wuhua").await);
    let (own, other) = (world.road, world.xingning_road);
    let report = |project: Uuid, by: Uuid| {
        format!(
            "INSERT INTO progress_reports (id, project_id, effective_on, recorded_by, percent)
             VALUES ('{}', '{project}', '2020-10-20', '{by}', 10)",
            Uuid::now_v7()
        )
    };
    let revision = |project: Uuid, by: Uuid| {
        format!(
            "INSERT INTO project_revisions (project_id, version, effective_on, recorded_by, state, percent, invested_yuan, paid_yuan)
             VALUES ('{project}', 2, '2020-10-20', '{by}', 'under_way', 10, 0, 0)"
        )
    };
    let service = |project: &str, village: Uuid, by: Uuid| {
        format!(
            "INSERT INTO service_states (id, natural_village_id, service, effective_on, recorded_by, served, project_id, source)
             VALUES ('{}', '{village}', 'road', '2020-10-20', '{by}', true, {project}, 'x')",
            Uuid::now_v7()
        )
    };
    let percent = |project: Uuid| format!("UPDATE projects SET percent = 99 WHERE id = '{project}'");
    let village = world.natural_villages[0];
    let quoted = |project: Uuid| format!("'{project}'");

    let table = [
        ("own project", Some(clerk), report(own, clerk), "done 1"),
        ("another county's project", Some(clerk), report(other, clerk), "42501"),
        ("another sector's project", Some(clerk), report(world.water, clerk), "42501"),
        ("in somebody else's name", Some(clerk), report(own, reviewer), "42501"),
        ("without a name", None, report(own, clerk), "42501"),
        ("a reviewer reports", Some(reviewer), report(own, reviewer), "42501"),
        ("history of own project", Some(clerk), revision(own, clerk), "done 1"),
        ("history of another county", Some(clerk), revision(other, clerk), "42501"),
        ("service by own project", Some(clerk), service(&quoted(own), village, clerk), "done 1"),
        ("service by another's project", Some(clerk), service(&quoted(world.water), village, clerk), "42501"),
        ("service by no project", Some(clerk), service("NULL", village, clerk), "42501"),
        ("present of own project", Some(clerk), percent(own), "done 1"),
        ("present of another county", Some(clerk), percent(other), "done 0"),
        ("present without a name", None, percent(own), "done 0"),
        (
            "plan of own project",
            Some(clerk),
            format!("UPDATE projects SET name = 'x' WHERE id = '{own}'"),
            "42501",
        ),
        (
            "a role for oneself",
            Some(clerk),
            format!(
                "INSERT INTO account_roles (account_id, role, area_id) VALUES ('{clerk}', 'planner', '{}')",
                Uuid::from_u128(1)
            ),
            "42501",
        ),
        ("somebody's password", Some(clerk), "UPDATE accounts SET password_hash = 'x'".into(), "42501"),
        ("the audit", Some(clerk), "UPDATE audit_entries SET body = 'x'".into(), "42501"),
        ("the audit's heads", Some(clerk), "DELETE FROM audit_heads".into(), "42501"),
        ("the feed", Some(clerk), "DELETE FROM change_feed".into(), "42501"),
        ("policies", Some(clerk), "ALTER TABLE projects DISABLE ROW LEVEL SECURITY".into(), "42501"),
    ];
    for (what, account, statement, expected) in table {
        assert_eq!(outcome(&pool, account, statement).await, expected, "{what}");
    }

    // Reviews: not by a clerk, not elsewhere, not of one's own report.
    let mine = Uuid::now_v7();
    sqlx::query("INSERT INTO progress_reports (id, project_id, effective_on, recorded_by, percent) VALUES ($1, $2, '2020-10-20', $3, 10)")
        .bind(mine)
        .bind(own)
        .bind(both)
        .execute(&mut world.db.owner().await)
        .await
        .unwrap();
    let review = |by: Uuid| {
        format!(
            "INSERT INTO report_reviews (id, report_id, outcome, recorded_by) VALUES ('{}', '{mine}', 'approved', '{by}')",
            Uuid::now_v7()
        )
    };
    let elsewhere = id("review.xingning").await;
    for (account, expected) in [(reviewer, "done 1"), (both, "42501"), (clerk, "42501"), (elsewhere, "42501")]
    {
        assert_eq!(outcome(&pool, Some(account), review(account)).await, expected);
    }
    let approve = format!("UPDATE progress_reports SET review_state = 'approved' WHERE id = '{mine}'");
    assert_eq!(outcome(&pool, Some(reviewer), approve.clone()).await, "done 1");
    assert_eq!(outcome(&pool, Some(elsewhere), approve).await, "done 0");

    // A disabled account, a revoked role.
    sqlx::query("UPDATE accounts SET disabled_at = now() WHERE id = $1")
        .bind(clerk)
        .execute(&mut world.db.owner().await)
        .await
        .unwrap();
    assert_eq!(outcome(&pool, Some(clerk), report(own, clerk)).await, "42501");
    sqlx::query("UPDATE account_roles SET revoked_at = now() WHERE account_id = $1 AND role = 'clerk'")
        .bind(both)
        .execute(&mut world.db.owner().await)
        .await
        .unwrap();
    assert_eq!(outcome(&pool, Some(both), report(own, both)).await, "42501");
}

#[tokio::test]
async fn a_refusal_of_the_database_is_a_problem_not_a_crash() {
    // As if the program's own permit had let it pass: the grants in the database stop it.
    let world = World::start().await;
    let clerk = world.sign_in("road.wuhua").await;
    sqlx::query("UPDATE role_capabilities SET capability = 'report_progress' WHERE role = 'leader'")
        .execute(&mut world.db.owner().await)
        .await
        .unwrap();
    sqlx::query("CREATE OR REPLACE FUNCTION may(capability text, in_area uuid, in_sector text) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT false'")
        .execute(&mut world.db.owner().await)
        .await
        .unwrap();
    let answer = clerk.report(world.road, 1, &road_report("2020-10-20", 1.0, 0.0)).await;
    answer.is_problem(403, "outside_area");
    let reading = clerk.get("/api/v1/session").await;
    assert_eq!(reading.status, 200);
    let body = json!({ "outcome": "approved" });
    let review = clerk.write(&format!("/api/v1/reports/{}/review", Uuid::now_v7()), 1, "12345678", &body);
    read(review.send().await.unwrap()).await.is_problem(404, "not_found");
}
