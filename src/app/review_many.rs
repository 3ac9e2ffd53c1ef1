//! 批量审核: a reviewer decides on several reports in one request.
//!
//! Each report is reviewed by [`review_report`], in a transaction of its own and under a key that
//! follows from the request's: one that is refused does not hold up the others, and a request that
//! is sent again after a lost answer finds what is done and does the rest.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use uuid::Uuid;

use super::Request;
use super::review_report::{Command, Outcome, review_report, wrong_reason};
use crate::clock::Clock;
use crate::db::idempotency::{self, Answer, Repeatable};
use crate::domain::permit::Account;
use crate::error::{Code, Error, FieldError, Problem, Result};

/// Most reports of one request.
pub const MOST: usize = 100;

/// A review of several reports.
#[derive(Debug, Clone)]
pub struct Many {
    /// Who asks.
    pub account: Arc<Account>,
    /// How to know the same request again.
    pub repeatable: Repeatable,
    /// Today and now.
    pub clock: Clock,
    /// Approved or returned: the same for all.
    pub outcome: Outcome,
    /// Why; needed to return.
    pub reason: String,
    /// Each report with the version of its project that the reviewer saw.
    pub reports: Vec<(Uuid, i32)>,
}

/// Reviews several reports. The answer is 200 and says for each report, in the order of the
/// request, what became of it: approved, returned or refused with its problem.
///
/// # Errors
/// `invalid` for a request that is wrong as a whole (nothing is written then),
/// `idempotency_key_reused`, and failures of the database; what was done before such a failure
/// stands, and the same request sent again goes on from there.
pub async fn review_many(pool: &PgPool, many: Many) -> Result<Answer> {
    let reason = many.reason.trim().to_owned();
    validate(&many, &reason)?;
    let asked = many.repeatable.clone();
    let known = crate::db::write(pool, Some(many.account.id), move |tx| {
        let asked = asked.clone();
        Box::pin(async move { idempotency::claim(tx, &asked).await })
    })
    .await?;
    if let Some(answer) = known {
        return Ok(answer);
    }

    let mut results = Vec::with_capacity(many.reports.len());
    let mut done = 0;
    // Versions that this request itself has moved on: two reports of one project do not make each
    // other stale.
    let mut moved: HashMap<(Uuid, i32), i32> = HashMap::new();
    for &(report, seen) in &many.reports {
        match one(pool, &many, &reason, (report, seen), &moved).await {
            Ok(answer) => {
                done += 1;
                let mut result: Value = serde_json::from_str(&answer.body).map_err(anyhow::Error::from)?;
                remember(&mut moved, &result, seen);
                if let Some(fields) = result.as_object_mut() {
                    fields.insert("id".into(), json!(report));
                    fields.insert("outcome".into(), json!(many.outcome.as_str()));
                }
                results.push(result);
            }
            Err(Error::Problem(problem)) => {
                results.push(json!({ "id": report, "outcome": "refused", "problem": shown(&problem) }));
            }
            Err(other) => return Err(other),
        }
    }
    let refused = results.len() - done;
    let body = json!({ "results": results, "done": done, "refused": refused });
    let request = many.repeatable;
    crate::db::write(pool, Some(request.account), move |tx| {
        let (request, body) = (request.clone(), body.clone());
        Box::pin(async move { idempotency::keep(tx, &request, (200, None, &body)).await })
    })
    .await
}

fn validate(many: &Many, reason: &str) -> Result<()> {
    let mut errors: Vec<FieldError> = wrong_reason(many.outcome, reason).into_iter().collect();
    let mut wrong = |field: String, zh: String, en: String| {
        errors.push(FieldError { field, message: zh, message_en: en });
    };
    if many.reports.is_empty() || many.reports.len() > MOST {
        wrong(
            "reports".into(),
            format!("一次可审核 1 至 {MOST} 份填报。"),
            format!("Review 1 to {MOST} reports at a time."),
        );
    }
    for (i, (id, _)) in many.reports.iter().enumerate() {
        if many.reports.iter().take(i).any(|(earlier, _)| earlier == id) {
            wrong(
                format!("reports.{i}.id"),
                "同一份填报列了两次。".into(),
                "This report is listed twice.".into(),
            );
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(Error::invalid(errors)) }
}

async fn one(
    pool: &PgPool,
    many: &Many,
    reason: &str,
    (report, seen): (Uuid, i32),
    moved: &HashMap<(Uuid, i32), i32>,
) -> Result<Answer> {
    let repeatable = Repeatable {
        account: many.repeatable.account,
        key: row_key(&many.repeatable.key, report),
        operation: format!("POST /api/v1/reports/{report}/review"),
        body_sha256: Sha256::digest(json!([many.outcome.as_str(), reason, seen]).to_string()).into(),
    };
    let command = |expected_version| Command {
        request: Request {
            account: Arc::clone(&many.account),
            repeatable: repeatable.clone(),
            expected_version,
            clock: many.clock.clone(),
        },
        report,
        outcome: many.outcome,
        reason: reason.to_owned(),
    };
    match review_report(pool, command(seen)).await {
        Err(Error::Problem(problem)) if problem.code == Code::StaleVersion => {
            match moved_on(&problem, seen, moved) {
                Some(version) => review_report(pool, command(version)).await,
                None => Err(Error::Problem(problem)),
            }
        }
        other => other,
    }
}

/// The present version of a project, when it was this request that moved it on from `seen`.
fn moved_on(problem: &Problem, seen: i32, moved: &HashMap<(Uuid, i32), i32>) -> Option<i32> {
    let current = problem.extra.as_ref()?.get("current")?;
    let project: Uuid = current.get("id")?.as_str()?.parse().ok()?;
    let version = i32::try_from(current.get("version")?.as_i64()?).ok()?;
    (moved.get(&(project, seen)) == Some(&version)).then_some(version)
}

fn remember(moved: &mut HashMap<(Uuid, i32), i32>, result: &Value, seen: i32) {
    let project = result.get("project");
    let id = project.and_then(|p| p.get("id")).and_then(Value::as_str).and_then(|id| id.parse().ok());
    let version = project.and_then(|p| p.get("version")).and_then(Value::as_i64);
    if let (Some(id), Some(Ok(version))) = (id, version.map(i32::try_from)) {
        moved.insert((id, seen), version);
    }
}

/// Key of one review of the batch: the same request gives the same.
fn row_key(key: &str, report: Uuid) -> String {
    let digest = Sha256::new().chain_update(key).chain_update([0]).chain_update(report.as_bytes()).finalize();
    digest.iter().take(24).fold(String::from("batch-"), |mut text, byte| {
        use std::fmt::Write as _;
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A problem of one row, as the whole answer would show it.
fn shown(problem: &Problem) -> Value {
    let mut body = serde_json::to_value(problem).unwrap_or_default();
    if let Some(fields) = body.as_object_mut() {
        fields.insert("status".into(), problem.code.status().as_u16().into());
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_report_of_a_request_has_a_key_of_its_own_and_always_the_same() {
        let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert_eq!(row_key("12345678", a), row_key("12345678", a));
        assert_ne!(row_key("12345678", a), row_key("12345678", b));
        assert_ne!(row_key("12345678", a), row_key("12345679", a));
        assert!((8..=128).contains(&row_key("12345678", a).len()));
    }
}
