//! A small world of two counties for the tests of people and writes, and people who act in it.

use cuntong::app::passwords;
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::PgConnection;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::harness::{Db, Server};

/// Password of everybody.
pub const PASSWORD: &str = "cuntong-2020";
/// "Today".
pub const TODAY: &str = "2020-10-31";

/// A database with two counties and a city without counties, and a server on it.
pub struct World {
    /// The server. Dropped before the database.
    pub server: Server,
    /// The database.
    pub db: Db,
    /// Road of 2.4 km to two natural villages in 五华县, contract awarded.
    pub road: Uuid,
    /// Water scheme in 五华县, under way.
    pub water: Uuid,
    /// Road in 兴宁市.
    pub xingning_road: Uuid,
    /// Road in a town of 东莞市, which has no counties.
    pub dongguan_road: Uuid,
    /// Natural villages that [`World::road`] serves.
    pub natural_villages: [Uuid; 2],
}

impl World {
    /// Makes it and serves it.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// The same with further arguments for the server.
    pub async fn start_with(arguments: &[&str]) -> Self {
        let db = Db::fresh().await;
        let mut owner = db.owner().await;
        populate(&mut owner).await;
        let project = |n: u128| Uuid::from_u128(0x9000 + n);
        let server = Server::start_with(&db, &[&["--business-date", TODAY], arguments].concat()).await;
        Self {
            server,
            db,
            road: project(1),
            water: project(2),
            xingning_road: project(3),
            dongguan_road: project(4),
            natural_villages: [Uuid::from_u128(0x7001), Uuid::from_u128(0x7002)],
        }
    }

    /// Somebody signs in with a browser of her own.
    pub async fn sign_in(&self, login: &str) -> Person {
        let client = self.server.another_client();
        let answer = client
            .post(format!("{}/api/v1/session", self.server.base))
            .json(&json!({ "login": login, "password": PASSWORD }))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200, "{login} signs in");
        let session: Value = answer.json().await.unwrap();
        Person {
            client,
            base: self.server.base.clone(),
            csrf: session["csrf_token"].as_str().unwrap().to_owned(),
        }
    }

    /// One value, asked for as the owner of the tables.
    pub async fn value<T>(&self, sql: &'static str) -> T
    where
        T: Send + Unpin + for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
    {
        sqlx::query_scalar(sql).fetch_one(&mut self.db.owner().await).await.unwrap()
    }
}

/// Somebody with a session.
pub struct Person {
    /// Her browser.
    pub client: reqwest::Client,
    /// Address of the server.
    pub base: String,
    /// Token for writes.
    pub csrf: String,
}

/// An answer, read to its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// ETag.
    pub etag: Option<String>,
    /// Body, byte for byte.
    pub text: String,
}

impl Answer {
    /// Body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }
    /// Code of a problem.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
    /// Fails unless it is a problem with this status and code.
    #[track_caller]
    pub fn is_problem(&self, status: u16, code: &str) -> Value {
        assert_eq!((self.status.as_u16(), self.code().as_str()), (status, code), "{}", self.text);
        self.json()
    }
    /// Fails unless it has this status.
    #[track_caller]
    pub fn is(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self.json()
    }
}

/// Reads an answer to its end.
pub async fn read(answer: reqwest::Response) -> Answer {
    let etag = answer.headers().get("etag").map(|v| v.to_str().unwrap().to_owned());
    Answer { status: answer.status(), etag, text: answer.text().await.unwrap() }
}

/// A key that nobody used.
pub fn new_key() -> String {
    Uuid::now_v7().to_string()
}

/// A report of road quantities.
pub fn road_report(day: &str, bed: f64, surface: f64) -> Value {
    json!({ "effective_on": day, "items": [
        { "item": "roadbed_km", "done": bed }, { "item": "surface_km", "done": surface } ] })
}

impl Person {
    /// GET as JSON.
    pub async fn get(&self, path: &str) -> Answer {
        read(self.client.get(format!("{}{path}", self.base)).send().await.unwrap()).await
    }

    /// A write with all its headers.
    pub fn write(&self, path: &str, version: i32, key: &str, body: &Value) -> reqwest::RequestBuilder {
        self.client
            .post(format!("{}{path}", self.base))
            .header("X-CSRF-Token", &self.csrf)
            .header("Idempotency-Key", key)
            .header("If-Match", format!("\"v{version}\""))
            .json(body)
    }

    /// Reports progress.
    pub async fn report_with(&self, project: Uuid, version: i32, key: &str, body: &Value) -> Answer {
        let path = format!("/api/v1/projects/{project}/reports");
        read(self.write(&path, version, key, body).send().await.unwrap()).await
    }

    /// Reports progress under a new key.
    pub async fn report(&self, project: Uuid, version: i32, body: &Value) -> Answer {
        self.report_with(project, version, &new_key(), body).await
    }

    /// Reviews a report under a new key.
    pub async fn review(&self, report: &str, version: i32, outcome: &str, reason: &str) -> Answer {
        let path = format!("/api/v1/reports/{report}/review");
        let body = json!({ "outcome": outcome, "reason": reason });
        read(self.write(&path, version, &new_key(), &body).send().await.unwrap()).await
    }
}

/// Hashing takes a while: once per test run.
async fn password_hash() -> &'static str {
    static HASH: OnceCell<String> = OnceCell::const_new();
    HASH.get_or_init(|| async { passwords::hash(PASSWORD).unwrap() }).await
}

/// `(id, code, level, parent, name)`
const AREAS: &[(u128, &str, &str, Option<u128>, &str)] = &[
    (1, "44", "province", None, "广东省"),
    (2, "4414", "city", Some(1), "梅州市"),
    (3, "441424", "county", Some(2), "五华县"),
    (4, "441481", "county", Some(2), "兴宁市"),
    (5, "441424101", "town", Some(3), "转水镇"),
    (6, "441424101201", "village", Some(5), "矮车村民委员会"),
    (7, "4419", "city", Some(1), "东莞市"),
    (8, "441900101", "town", Some(7), "石碣镇"),
];

/// `(login, role, area, sectors)`
const ACCOUNTS: &[(&str, &str, u128, Option<&[&str]>)] = &[
    ("road.wuhua", "clerk", 3, Some(&["road"])),
    ("water.wuhua", "clerk", 3, Some(&["water"])),
    ("town.zhuanshui", "town", 5, None),
    ("review.wuhua", "reviewer", 3, None),
    ("review.water", "reviewer", 3, Some(&["water"])),
    ("road.xingning", "clerk", 4, Some(&["road"])),
    ("review.xingning", "reviewer", 4, None),
    ("office.meizhou", "poverty_office", 2, None),
    ("road.dongguan", "clerk", 7, Some(&["road"])),
    ("planner.gd", "planner", 1, None),
    ("leader.gd", "leader", 1, None),
    ("inspector.gd", "inspector", 1, None),
    ("auditor.gd", "auditor", 1, None),
    ("admin.gd", "administrator", 1, None),
    // Reports and reviews: must not do both with one report.
    ("both.wuhua", "clerk", 3, None),
];

async fn populate(db: &mut PgConnection) {
    for (id, code, level, parent, name) in AREAS {
        sqlx::query(
            "INSERT INTO areas (id, code, level, parent_id, path, name, short_name, valid_from)
             VALUES ($1, $2, $3, $4, '', $5, $5, '2015-01-01')",
        )
        .bind(Uuid::from_u128(*id))
        .bind(code)
        .bind(level)
        .bind(parent.map(Uuid::from_u128))
        .bind(name)
        .execute(&mut *db)
        .await
        .unwrap();
    }
    for (n, (login, role, area, sectors)) in ACCOUNTS.iter().enumerate() {
        let id = Uuid::from_u128(0x100 + n as u128);
        sqlx::query("INSERT INTO accounts (id, login, display_name, unit_name, password_hash) VALUES ($1, $2, $2, '某局', $3)")
            .bind(id)
            .bind(login)
            .bind(password_hash().await)
            .execute(&mut *db)
            .await
            .unwrap();
        let mut roles = vec![*role];
        if *login == "both.wuhua" {
            roles.push("reviewer");
        }
        for role in roles {
            sqlx::query(
                "INSERT INTO account_roles (account_id, role, area_id, sectors) VALUES ($1, $2, $3, $4)",
            )
            .bind(id)
            .bind(role)
            .bind(Uuid::from_u128(*area))
            .bind(sectors.map(<[&str]>::to_vec))
            .execute(&mut *db)
            .await
            .unwrap();
        }
    }
    for (n, name) in [(1_u128, "上围"), (2, "下围")] {
        sqlx::query(
            "INSERT INTO natural_villages (id, code, village_id, name, geom, valid_from)
             VALUES ($1, $2, $3, $4, ST_SetSRID(ST_MakePoint(115.7, 23.9), 4490), '2015-01-01')",
        )
        .bind(Uuid::from_u128(0x7000 + n))
        .bind(format!("44142410120100{n}"))
        .bind(Uuid::from_u128(6))
        .bind(name)
        .execute(&mut *db)
        .await
        .unwrap();
    }
    let projects: &[(u128, &str, u128, &str, &[(&str, f64)])] = &[
        (1, "road", 6, "tendered", &[("roadbed_km", 2.4), ("surface_km", 2.4)]),
        (
            2,
            "water",
            6,
            "under_way",
            &[("pipe_km", 10.0), ("villages_connected", 2.0), ("households_connected", 80.0)],
        ),
        (3, "road", 4, "under_way", &[("roadbed_km", 5.0), ("surface_km", 5.0)]),
        (4, "road", 8, "under_way", &[("roadbed_km", 1.0), ("surface_km", 1.0)]),
    ];
    for (n, sector, area, state, quantities) in projects {
        let id = Uuid::from_u128(0x9000 + n);
        sqlx::query(
            "INSERT INTO projects (id, code, name, sector, area_id, geom, plan_year, planned_start_on, planned_finish_on,
               total_investment_yuan, state, approved_on)
             VALUES ($1, $2, $3, $4, $5, ST_SetSRID(ST_MakePoint(115.7, 23.9), 4490), 2020, '2020-03-01', '2020-12-31',
               1200000, $6, '2020-02-01')",
        )
        .bind(id)
        .bind(format!("P{n}"))
        .bind(format!("{sector} {n}"))
        .bind(sector)
        .bind(Uuid::from_u128(*area))
        .bind(state)
        .execute(&mut *db)
        .await
        .unwrap();
        for (item, planned) in *quantities {
            sqlx::query("INSERT INTO project_quantities (project_id, sector, item, planned) VALUES ($1, $2, $3, $4::float8::numeric)")
                .bind(id)
                .bind(sector)
                .bind(item)
                .bind(planned)
                .execute(&mut *db)
                .await
                .unwrap();
        }
    }
    sqlx::query(
        "INSERT INTO project_natural_villages (project_id, natural_village_id, households_planned)
         SELECT p.id, v.id, 40 FROM projects p, natural_villages v WHERE p.code IN ('P1', 'P2')",
    )
    .execute(&mut *db)
    .await
    .unwrap();
}
