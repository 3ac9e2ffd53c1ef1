//! 填报进度: somebody reports cumulative quantities of a project as of a day.

use serde_json::json;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::{Request, answer_project, audit_body, audit_state, etag, lock, refuse, require_version};
use super::{sector_of, state_of};
use crate::db::audit;
use crate::db::idempotency::{self, Answer, Change};
use crate::db::progress::{self, NewReport, Present, Revision};
use crate::db::reports;
use crate::domain::lifecycle::State;
use crate::domain::permit::{Permit, ReportProgress, authorise};
use crate::domain::progress::{Basis, Draft, check};
use crate::error::{Code, Error, FieldError, Result};

/// What is reported, of which project.
#[derive(Debug, Clone)]
pub struct Command {
    /// Who asks, and how to know the same request again.
    pub request: Request,
    /// Which project.
    pub project: Uuid,
    /// What is reported.
    pub draft: Draft,
}

/// Reports progress. The answer is 201 with the report, the project and the feed's sequence; the
/// same answer again for a repeated key. Where the newest report of the project came back
/// (退回修改), this one corrects it and names it.
///
/// # Errors
/// `outside_area`, `outside_sector`, `role_missing`, `stale_version`, `transition_refused`,
/// `invalid`, `cumulative_falls`, `report_back_dated`, `idempotency_key_reused`, `not_found`.
pub async fn report_progress(pool: &PgPool, command: Command) -> Result<Answer> {
    correct_report(pool, command, None).await
}

/// The same for a report that names the returned one that it corrects. Nothing is overwritten:
/// the returned report stays as it was recorded.
///
/// # Errors
/// As above, and `invalid` at `corrects` when that is no returned report of this project or was
/// corrected already.
pub async fn correct_report(pool: &PgPool, command: Command, corrects: Option<Uuid>) -> Result<Answer> {
    let account = command.request.account.id;
    crate::db::write(pool, Some(account), move |tx| {
        let command = command.clone();
        Box::pin(async move { attempt(tx, &command, corrects).await })
    })
    .await
}

async fn attempt(tx: &mut PgConnection, command: &Command, corrects: Option<Uuid>) -> Result<Answer> {
    let Command { request, project, draft } = command;
    if let Some(answer) = idempotency::claim(tx, &request.repeatable).await? {
        return Ok(answer);
    }
    let place = progress::place_of(tx, *project).await?.ok_or_else(|| Error::not_found("项目", "project"))?;
    let sector = sector_of(&place)?;
    let permit: Permit<ReportProgress> = authorise(&request.account, *project, &place.place, sector)?;

    let was = lock(tx, *project).await?;
    require_version(tx, *project, &was, request.expected_version).await?;
    let state = state_of(&was)?;
    // Before the fields: in a state that takes no report there is nothing to mend in them.
    state.after_report(false, true).map_err(|r| Error::problem(Code::TransitionRefused, r.zh, r.en))?;

    let today = request.clock.business_date();
    let basis = Basis {
        business_date: today,
        last_effective_on: was.last_reported_on.max(progress::last_effective_on(tx, *project).await?),
        quantities: progress::quantities(tx, *project).await?,
        invested_yuan: was.invested_yuan,
        paid_yuan: was.paid_yuan,
        total_investment_yuan: was.total_investment_yuan,
    };
    let accepted = check(draft, &basis).map_err(refuse)?;
    let next = state
        .after_report(accepted.complete, accepted.progressed)
        .map_err(|r| Error::problem(Code::TransitionRefused, r.zh, r.en))?;

    let corrects = corrected(tx, *project, corrects).await?;

    let now = request.clock.now();
    let becomes = Present {
        state: next.as_str().to_owned(),
        percent: accepted.percent,
        invested_yuan: accepted.invested_yuan,
        paid_yuan: accepted.paid_yuan,
        started_on: was.started_on.or(next.started().then_some(draft.effective_on)),
        completed_on: if next == State::Completed { Some(draft.effective_on) } else { was.completed_on },
        last_reported_on: Some(draft.effective_on),
        version: was.version + 1,
        ..was.clone()
    };
    keep_first_state(tx, *project, permit.account(), now, (&was, draft.effective_on)).await?;
    let report = Uuid::now_v7();
    let recorded =
        NewReport { id: report, effective_on: draft.effective_on, now, recorded_on: today, corrects };
    progress::insert_report(tx, &permit, recorded, &accepted).await?;
    let revision = Revision {
        version: becomes.version,
        effective_on: draft.effective_on,
        state: becomes.state.clone(),
        percent: becomes.percent,
        invested_yuan: becomes.invested_yuan,
        paid_yuan: becomes.paid_yuan,
        report_id: Some(report),
        reason: String::new(),
        approved: None,
    };
    progress::insert_revision(tx, *project, permit.account(), now, &revision).await?;
    if let Some(service) = sector.service().filter(|_| accepted.complete) {
        progress::insert_services(tx, &permit, report, service, (draft.effective_on, now)).await?;
    }
    if !progress::update_project(tx, *project, &becomes, now).await? {
        return Err(Error::Internal(anyhow::anyhow!("project {project} was locked and is gone")));
    }

    let shown = reports::one(tx, report).await?;
    let body = json!({
        "project": answer_project(tx, *project, &becomes, today).await?,
        "report": shown,
    });
    let payload = progress::change_payload(tx, *project).await?;
    let entry = audit_body(
        request,
        "report_progress",
        (*project, &place),
        (audit_state(&was), audit_state(&becomes)),
        json!({ "report": {
            "id": report, "effective_on": draft.effective_on, "items": accepted.items, "note": accepted.note,
            "corrects": corrects,
        }}),
    );
    audit::append(tx, &place.chain, &entry).await?;
    let change = Change { kind: "project", entity: *project, area: place.area_id, payload };
    idempotency::seal(tx, &request.repeatable, change, (201, etag(becomes.version), &body)).await
}

/// The returned report that a new one corrects: as named, or else the newest when it came back, so
/// that the chain is whole whoever reports and by which way.
async fn corrected(tx: &mut PgConnection, project: Uuid, named: Option<Uuid>) -> Result<Option<Uuid>> {
    let Some(report) = named else { return progress::to_correct(tx, project).await };
    if progress::may_be_corrected(tx, project, report).await? {
        return Ok(Some(report));
    }
    Err(Error::invalid(vec![FieldError {
        field: "corrects".into(),
        message: "要更正的填报不是本项目退回修改的填报，或已经更正过；请刷新后再试。".into(),
        message_en:
            "What is to be corrected is no returned report of this project, or was corrected already.".into(),
    }]))
}

/// A project without any revision gets one of the state it was in, so that its history begins
/// before this report and a returned report has something to fall back to.
async fn keep_first_state(
    tx: &mut PgConnection,
    project: Uuid,
    account: Uuid,
    now: chrono::DateTime<chrono::Utc>,
    (was, report_on): (&Present, chrono::NaiveDate),
) -> Result<()> {
    if progress::revision_at(tx, project, was.version).await?.is_some() {
        return Ok(());
    }
    let known_on =
        was.last_reported_on.or(was.started_on).or(was.approved_on).unwrap_or(was.planned_start_on);
    let first = Revision {
        version: was.version,
        effective_on: known_on.min(report_on),
        state: was.state.clone(),
        percent: was.percent,
        invested_yuan: was.invested_yuan,
        paid_yuan: was.paid_yuan,
        report_id: None,
        reason: "建档".to_owned(),
        approved: None,
    };
    progress::insert_revision(tx, project, account, now, &first).await
}
