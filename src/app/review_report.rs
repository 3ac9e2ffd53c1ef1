//! 审核: a reviewer approves a report, or returns it (退回修改) with a reason.

use serde_json::json;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::{
    Request, answer_project, audit_body, audit_state, etag, lock, require_version, sector_of, state_of,
};
use crate::db::audit;
use crate::db::idempotency::{self, Answer, Change};
use crate::db::progress::{self, Present, Revision};
use crate::db::{reports, settings};
use crate::domain::lifecycle::State;
use crate::domain::permit::{Permit, ReviewReport, authorise};
use crate::error::{Code, Error, FieldError, Result};

/// What a reviewer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// 审核通过
    Approved,
    /// 退回修改
    Returned,
}

impl Outcome {
    /// The word of the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Returned => "returned",
        }
    }
}

/// A review of one report.
#[derive(Debug, Clone)]
pub struct Command {
    /// Who asks, and how to know the same request again.
    pub request: Request,
    /// Which report.
    pub report: Uuid,
    /// Approved or returned.
    pub outcome: Outcome,
    /// Why; needed to return.
    pub reason: String,
}

/// Reviews a report. The answer is 200 with the report, the project and the feed's sequence.
///
/// Approved: what the report set counts as 审核数 from now on. Returned: what it set is voided
/// with the reason and the project falls back to its newest standing state.
///
/// # Errors
/// `own_report`, `already_reviewed`, `transition_refused`, `invalid`, and those of reporting.
pub async fn review_report(pool: &PgPool, mut command: Command) -> Result<Answer> {
    command.reason = command.reason.trim().to_owned();
    if let Some(error) = wrong_reason(command.outcome, &command.reason) {
        return Err(Error::invalid(vec![error]));
    }
    let account = command.request.account.id;
    crate::db::write(pool, Some(account), move |tx| {
        let command = command.clone();
        Box::pin(async move { attempt(tx, &command).await })
    })
    .await
}

/// What is wrong with a trimmed reason.
pub(super) fn wrong_reason(outcome: Outcome, reason: &str) -> Option<FieldError> {
    let (zh, en) = if outcome == Outcome::Returned && reason.is_empty() {
        ("退回修改必须写明原因，填报人才知道改哪里。", "Say why it is returned, so that it can be mended.")
    } else if reason.chars().count() > crate::domain::progress::NOTE_LIMIT {
        ("审核意见最多 2000 字。", "A review has at most 2000 characters.")
    } else {
        return None;
    };
    Some(FieldError { field: "reason".into(), message: zh.into(), message_en: en.into() })
}

async fn attempt(tx: &mut PgConnection, command: &Command) -> Result<Answer> {
    let Command { request, report, outcome, reason } = command;
    if let Some(answer) = idempotency::claim(tx, &request.repeatable).await? {
        return Ok(answer);
    }
    let missing = || Error::not_found("填报", "report");
    let project = progress::reviewable(tx, *report).await?.ok_or_else(missing)?.project_id;
    let place = progress::place_of(tx, project).await?.ok_or_else(missing)?;
    let permit: Permit<ReviewReport> =
        authorise(&request.account, project, &place.place, sector_of(&place)?)?;

    let was = lock(tx, project).await?;
    // Again under the lock: another reviewer may have been faster.
    let row = progress::reviewable(tx, *report).await?.ok_or_else(missing)?;
    if row.recorded_by == request.account.id {
        return Err(Error::problem(
            Code::OwnReport,
            "这份填报由您本人提交，须由另一位审核人审核。",
            "You made this report; another reviewer must review it.",
        ));
    }
    if row.review_state != "submitted" {
        let (zh, en) = match row.review_state.as_str() {
            "approved" => ("这份填报已经审核通过。", "This report was already approved."),
            _ => ("这份填报已经退回修改。", "This report was already returned."),
        };
        return Err(Error::problem(Code::AlreadyReviewed, zh, en));
    }
    require_version(tx, project, &was, request.expected_version).await?;

    let now = request.clock.now();
    let today = request.clock.business_date();
    let mut becomes = Present { version: was.version + 1, ..was.clone() };
    match outcome {
        Outcome::Approved => {
            progress::insert_review(tx, &permit, *report, (outcome.as_str(), reason.as_str(), None), now)
                .await?;
            progress::approve_effects(tx, &permit, *report, now).await?;
        }
        Outcome::Returned => {
            if state_of(&was)? >= State::Accepted {
                return Err(Error::problem(
                    Code::TransitionRefused,
                    "项目已验收或已取消，不能再退回填报；如数据有误，请走更正流程。",
                    "The project is accepted or cancelled; its reports can no longer be returned.",
                ));
            }
            let standing = progress::standing_revision(tx, project).await?;
            let was_current = standing.is_some_and(|r| r.report_id == Some(*report));
            let mend_by = settings::on(&mut *tx, today).await?.reporting().mend_by(today);
            let told = (outcome.as_str(), reason.as_str(), Some(mend_by));
            progress::insert_review(tx, &permit, *report, told, now).await?;
            progress::void_effects(tx, &permit, *report, reason, now).await?;
            if was_current {
                fall_back(tx, &permit, &mut becomes, reason, now).await?;
            }
        }
    }
    if !progress::update_project(tx, project, &becomes, now).await? {
        return Err(Error::Internal(anyhow::anyhow!("project {project} was locked and is gone")));
    }

    let body = json!({
        "project": answer_project(tx, project, &becomes, today).await?,
        "report": reports::one(tx, *report).await?,
    });
    let payload = progress::change_payload(tx, project).await?;
    let entry = audit_body(
        request,
        "review_report",
        (project, &place),
        (audit_state(&was), audit_state(&becomes)),
        json!({ "review": { "report_id": report, "outcome": outcome.as_str(), "reason": reason } }),
    );
    audit::append(tx, &place.chain, &entry).await?;
    let change = Change { kind: "project", entity: project, area: place.area_id, payload };
    idempotency::seal(tx, &request.repeatable, change, (200, etag(becomes.version), &body)).await
}

/// Puts the project back to its newest standing revision, and records that as a revision of its
/// own: every version that changed something has its row.
async fn fall_back(
    tx: &mut PgConnection,
    permit: &Permit<ReviewReport>,
    becomes: &mut Present,
    reason: &str,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<()> {
    let project = permit.project();
    let Some(standing) = progress::standing_revision(tx, project).await? else {
        return Err(Error::Internal(anyhow::anyhow!("project {project} has no state to fall back to")));
    };
    let state = State::parse(&standing.state)
        .ok_or_else(|| Error::Internal(anyhow::anyhow!("unknown state {}", standing.state)))?;
    becomes.state.clone_from(&standing.state);
    becomes.percent = standing.percent;
    becomes.invested_yuan = standing.invested_yuan;
    becomes.paid_yuan = standing.paid_yuan;
    becomes.last_reported_on = progress::last_effective_on(tx, project).await?;
    if !state.started() {
        becomes.started_on = None;
    }
    if !state.finished() {
        becomes.completed_on = None;
    }
    let revision = Revision {
        version: becomes.version,
        reason: format!("退回修改：{reason}"),
        // What was approved before stays approved: this row repeats it.
        ..standing
    };
    progress::insert_revision(tx, project, permit.account(), now, &revision).await
}
