//! One file per thing a user does that writes.

pub mod audit;
pub mod housekeeping;
pub mod manage_accounts;
pub mod passwords;
pub mod report_progress;
pub mod review_many;
pub mod review_report;
pub mod sheets;
pub mod sign_in;

use std::sync::Arc;

use rust_decimal::prelude::ToPrimitive;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::clock::Clock;
use crate::db::idempotency::Repeatable;
use crate::db::progress::{self, Present, ProjectPlace};
use crate::domain::lifecycle::State;
use crate::domain::lights::{Light, Status};
use crate::domain::permit::{Account, Denial, DenialKind};
use crate::domain::progress::{Fault, FaultKind};
use crate::domain::sector::Sector;
use crate::error::{Code, Error, FieldError, Problem, Result};

/// A write by somebody signed in, as every operation needs it.
#[derive(Debug, Clone)]
pub struct Request {
    /// Who.
    pub account: Arc<Account>,
    /// Its key, operation and body.
    pub repeatable: Repeatable,
    /// The version that the sender saw.
    pub expected_version: i32,
    /// Today and now.
    pub clock: Clock,
}

impl From<Denial> for Error {
    fn from(denial: Denial) -> Self {
        let code = match denial.kind {
            DenialKind::RoleMissing => Code::RoleMissing,
            DenialKind::OutsideArea => Code::OutsideArea,
            DenialKind::OutsideSector => Code::OutsideSector,
        };
        Self::problem(code, denial.zh, denial.en)
    }
}

/// Faults become one problem: the code of their rule when all break the same, `invalid` otherwise.
fn refuse(faults: Vec<Fault>) -> Error {
    let code = match faults.first().map(|f| f.kind) {
        Some(kind) if faults.iter().all(|f| f.kind == kind) => match kind {
            FaultKind::Invalid => Code::Invalid,
            FaultKind::CumulativeFalls => Code::CumulativeFalls,
            FaultKind::BackDated => Code::ReportBackDated,
        },
        _ => Code::Invalid,
    };
    let errors =
        faults.into_iter().map(|f| FieldError { field: f.field, message: f.zh, message_en: f.en }).collect();
    match Error::invalid(errors) {
        Error::Problem(mut problem) => {
            problem.code = code;
            code.title().clone_into(&mut problem.title);
            Error::Problem(problem)
        }
        other => other,
    }
}

fn sector_of(place: &ProjectPlace) -> Result<Sector> {
    Sector::parse(&place.sector)
        .ok_or_else(|| Error::Internal(anyhow::anyhow!("unknown sector {}", place.sector)))
}

fn state_of(present: &Present) -> Result<State> {
    State::parse(&present.state)
        .ok_or_else(|| Error::Internal(anyhow::anyhow!("unknown state {}", present.state)))
}

/// Locks the project, or says what the database's policy means by showing no row.
async fn lock(db: &mut sqlx::PgConnection, project: Uuid) -> Result<Present> {
    progress::lock_project(db, project).await?.ok_or_else(|| {
        Error::problem(
            Code::OutsideArea,
            "数据库的权限策略拒绝了这次写入：不在您的辖区或行业内。",
            "The database policy refused this write: outside your areas or sectors.",
        )
    })
}

/// Refuses a version that is not the present one, and says what changed since.
async fn require_version(
    db: &mut sqlx::PgConnection,
    project: Uuid,
    present: &Present,
    expected: i32,
) -> Result<()> {
    if present.version == expected {
        return Ok(());
    }
    let number = |v: rust_decimal::Decimal| json!(v.to_f64());
    let seen = progress::revision_at(db, project, expected).await?;
    let now = [
        ("state", json!(present.state)),
        ("percent", number(present.percent)),
        ("invested_yuan", json!(format!("{:.2}", present.invested_yuan))),
        ("paid_yuan", json!(format!("{:.2}", present.paid_yuan))),
    ];
    let was = seen.map(|r| {
        [
            json!(r.state),
            number(r.percent),
            json!(format!("{:.2}", r.invested_yuan)),
            json!(format!("{:.2}", r.paid_yuan)),
        ]
    });
    let mut changed = vec![json!({ "field": "version", "was": expected, "now": present.version })];
    for (i, (field, now)) in now.iter().enumerate() {
        let was = was.as_ref().map_or(&Value::Null, |w| &w[i]);
        if was != now {
            changed.push(json!({ "field": field, "was": was, "now": now }));
        }
    }
    let status = State::parse(&present.state).map(State::status);
    Err(Problem {
        code: Code::StaleVersion,
        title: Code::StaleVersion.title().to_owned(),
        detail: "您看到的不是最新数据，请核对变化后再提交。".to_owned(),
        detail_en: "What you saw is not the newest; look at what changed and submit again.".to_owned(),
        errors: Vec::new(),
        extra: Some(json!({
            "current": {
                "id": project,
                "version": present.version,
                "state": present.state,
                "status": status,
                "percent": number(present.percent),
                "invested_yuan": format!("{:.2}", present.invested_yuan),
                "paid_yuan": format!("{:.2}", present.paid_yuan),
                "last_reported_on": present.last_reported_on,
            },
            "changed": changed,
        })),
    }
    .into())
}

/// What an audit entry says: time, who, what, to which thing, old and new.
fn audit_body(
    request: &Request,
    action: &str,
    project: (Uuid, &ProjectPlace),
    (old, new): (Value, Value),
    more: Value,
) -> Value {
    let account = &request.account;
    let mut body = json!({
        "time": request.clock.now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
        "account": { "id": account.id, "login": account.login, "name": account.display_name, "unit": account.unit_name },
        "action": action,
        "entity": { "kind": "project", "id": project.0, "code": project.1.code, "name": project.1.name },
        "old": old,
        "new": new,
    });
    if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
    body
}

/// The fields of a project that reporting and reviewing change, for the audit.
fn audit_state(present: &Present) -> Value {
    json!({
        "version": present.version,
        "state": present.state,
        "percent": present.percent,
        "invested_yuan": present.invested_yuan,
        "paid_yuan": present.paid_yuan,
        "last_reported_on": present.last_reported_on,
    })
}

/// The project in an answer to a write.
async fn answer_project(
    db: &mut sqlx::PgConnection,
    project: Uuid,
    present: &Present,
    today: chrono::NaiveDate,
) -> Result<Value> {
    let status = state_of(present)?.status();
    let (plan, limits) = progress::plan_and_limits(db, project, today).await?;
    let percent = present.percent.to_f64().unwrap_or_default();
    let light: Option<Light> = Status::parse(status).and_then(|status| {
        let progress = crate::domain::lights::Progress {
            status,
            percent: percent.into(),
            started_on: present.started_on,
            last_reported_on: present.last_reported_on,
        };
        crate::domain::lights::light_at(&plan, &progress, &limits, today).0
    });
    Ok(json!({
        "id": project,
        "version": present.version,
        "state": present.state,
        "status": status,
        "percent": percent,
        "light": light,
    }))
}

/// The entity tag of a version.
pub fn etag(version: i32) -> String {
    format!("\"v{version}\"")
}
