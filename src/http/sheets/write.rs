//! Writing forms: uploading, saving a mapping, filling.

use axum::body::Bytes;
use axum::extract::{FromRequest, Path, Request, State};
use axum::http::header;
use axum::response::Response;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::super::AppState;
use super::super::ask::{self, Params};
use super::super::auth::{Body, IdempotencyKey, IfMatch, Session, WriteSession};
use super::super::reports::written;
use super::read::{known_fields, stored_file, stored_sheet};
use super::values::Figures;
use super::{NewFile, XLSX, apart, home, home_of, permit_rows};
use crate::app;
use crate::app::sheets::{Save, Target};
use crate::db::idempotency::Repeatable;
use crate::db::sheets::{self, NewFill};
use crate::error::{Code, Error, FieldError, Result};
use crate::exchange::sheets::fill::{Summary, fill as fill_workbook};
use crate::exchange::sheets::mapping::{Mapping, Reading, Words};
use crate::exchange::sheets::{Grid, LIMITS, SheetName, Workbook};

fn request(
    state: &AppState,
    session: &Session,
    key: String,
    operation: String,
    sha: [u8; 32],
    version: i32,
) -> app::Request {
    app::Request {
        repeatable: Repeatable { account: session.account.id, key, operation, body_sha256: sha },
        account: session.account.clone(),
        expected_version: version,
        clock: state.clock.clone(),
    }
}

/// How an upload is named and whose form it becomes.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct UploadQuery {
    /// Name of the file.
    name: Option<String>,
    /// Code of the area to which the form belongs; the first one the account works in when left out.
    area: Option<String>,
}

/// The bytes of a workbook.
#[derive(Debug)]
pub struct WorkbookBytes(Bytes);

impl FromRequest<AppState> for WorkbookBytes {
    type Rejection = Error;

    async fn from_request(request: Request, state: &AppState) -> Result<Self> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
        // What a form of another site can post is not taken.
        if kind != Some(XLSX) && kind != Some("application/octet-stream") {
            return Err(ask::bad_request(
                "请上传 .xlsx 文件。",
                "Send the workbook as the body of the request.",
            ));
        }
        let bytes = Bytes::from_request(request, state).await;
        bytes.map(Self).map_err(|_| {
            crate::exchange::sheets::refused(
                "too_large",
                format!("文件超过 {} KB。套表请上传不含图片和历史数据的空表。", LIMITS.file / 1000),
                "The file is too large. Send the empty form.",
            )
        })
    }
}

/// Upload a form
///
/// The body is the .xlsx itself. Encrypted files, macros, links to other files, .xls and what becomes too
/// large when unpacked are refused with the reason (`reason`) and what to do.
#[utoipa::path(post, path = "/api/v1/sheet-files", tag = "sheets",
    params(UploadQuery,
        ("Idempotency-Key" = String, Header, description = "8 to 128 characters, new for each new upload"),
        ("X-CSRF-Token" = String, Header, description = "csrf_token of the session")),
    request_body(content = Vec<u8>, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    responses((status = 201, body = NewFile), (status = 401, description = "sign_in_required"),
        (status = 403, description = "role_missing, outside_area, foreign_origin"),
        (status = 422, description = "file_refused with reason, unreadable_file, idempotency_key_reused")))]
pub async fn upload(
    State(state): State<AppState>,
    WriteSession(session): WriteSession,
    IdempotencyKey(key): IdempotencyKey,
    Params(query): Params<UploadQuery>,
    WorkbookBytes(bytes): WorkbookBytes,
) -> Result<Response> {
    let ledger = state.ledger.snapshot(&state.pool).await?;
    let (home, permit) = home_of(&ledger, &session.account, query.area.as_deref())?;
    let name = file_name(query.name.as_deref());
    let (copy, sha) = (bytes.clone(), Sha256::digest(&bytes).into());
    // Read to its end now, so that what is kept can be opened later.
    let names: Vec<SheetName> = apart(move || {
        let mut book = Workbook::open(&copy, &LIMITS)?;
        let names: Vec<SheetName> = book.sheets().cloned().collect();
        for sheet in names.iter().filter(|s| !s.hidden) {
            Grid::read(&mut book, &sheet.name)?;
        }
        Ok(names)
    })
    .await?;
    let operation = format!("POST /api/v1/sheet-files?area={}&name={name}", home.code);
    let request = request(&state, &session, key, operation, sha, 0);
    let answer = serde_json::json!({ "file_name": name, "sheets": names });
    Ok(written(
        app::sheets::upload(&state.pool, &permit, request, home, (name, bytes.to_vec()), answer).await?,
    ))
}

/// The last part of a path, without what a file system or a header would stumble over.
fn file_name(asked: Option<&str>) -> String {
    let last = asked.unwrap_or_default().rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String =
        last.chars().filter(|c| !c.is_control() && !"<>:\"|?*".contains(*c)).take(120).collect();
    let name = name.trim();
    if name.is_empty() { "套表.xlsx".to_owned() } else { name.to_owned() }
}

/// A new form.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSheet {
    /// Name, 1 to 80 characters; one of its kind in the area.
    name: String,
    /// The uploaded workbook.
    file_id: Uuid,
    /// How it is filled.
    mapping: Mapping,
}

/// A new version of a form.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewVersion {
    /// The uploaded workbook: the same as before, or another.
    file_id: Uuid,
    /// How it is filled.
    mapping: Mapping,
}

/// A form that was saved.
#[derive(Debug, Serialize, ToSchema)]
pub struct SavedSheet {
    id: Uuid,
    version: i32,
    name: String,
}

/// Save a form with its mapping
#[utoipa::path(post, path = "/api/v1/sheets", tag = "sheets", request_body = NewSheet,
    params(("Idempotency-Key" = String, Header, description = "8 to 128 characters, new for each new form"),
        ("X-CSRF-Token" = String, Header, description = "csrf_token of the session")),
    responses((status = 201, body = SavedSheet), (status = 401, description = "sign_in_required"),
        (status = 403, description = "role_missing, outside_area, foreign_origin"),
        (status = 404, description = "not_found"), (status = 422, description = "invalid, idempotency_key_reused")))]
pub async fn create(
    State(state): State<AppState>,
    WriteSession(session): WriteSession,
    IdempotencyKey(key): IdempotencyKey,
    body: Body<NewSheet>,
) -> Result<Response> {
    let name = body.value.name.trim().to_owned();
    if name.is_empty() || name.chars().count() > 80 {
        return Err(Error::invalid(vec![FieldError {
            field: "name".into(),
            message: "请给套表起一个名称，最多 80 字。".into(),
            message_en: "Give the form a name of at most 80 characters.".into(),
        }]));
    }
    let NewSheet { file_id, mapping, .. } = body.value;
    let request = request(&state, &session, key, "POST /api/v1/sheets".into(), body.sha256, 0);
    save(&state, &session, request, (file_id, mapping), Target::New(name)).await
}

/// Save a new version of a form
///
/// Versions before stay as they were.
#[utoipa::path(post, path = "/api/v1/sheets/{id}/versions", tag = "sheets", request_body = NewVersion,
    params(("id" = Uuid, Path, description = "Form"),
        ("If-Match" = String, Header, description = "Version of the form that was seen, \"v1\""),
        ("Idempotency-Key" = String, Header, description = "8 to 128 characters, new for each new version"),
        ("X-CSRF-Token" = String, Header, description = "csrf_token of the session")),
    responses((status = 201, body = SavedSheet), (status = 401, description = "sign_in_required"),
        (status = 403, description = "role_missing, outside_area, foreign_origin"),
        (status = 404, description = "not_found"), (status = 412, description = "stale_version"),
        (status = 422, description = "invalid, idempotency_key_reused"), (status = 428, description = "if_match_required")))]
pub async fn add_version(
    State(state): State<AppState>,
    Path(id): Path<String>,
    WriteSession(session): WriteSession,
    IfMatch(version): IfMatch,
    IdempotencyKey(key): IdempotencyKey,
    body: Body<NewVersion>,
) -> Result<Response> {
    let sheet = stored_sheet(&state, &session.account, ask::id(&id, "套表", "form")?).await?;
    let NewVersion { file_id, mapping } = body.value;
    let operation = format!("POST /api/v1/sheets/{}/versions", sheet.id);
    let request = request(&state, &session, key, operation, body.sha256, version);
    save(&state, &session, request, (file_id, mapping), Target::Version(sheet.id)).await
}

async fn save(
    state: &AppState,
    session: &Session,
    request: app::Request,
    (file_id, mapping): (Uuid, Mapping),
    target: Target,
) -> Result<Response> {
    let ledger = state.ledger.snapshot(&state.pool).await?;
    let file = stored_file(state, &session.account, file_id).await?;
    let home_code = match &target {
        Target::New(_) => file.area_code.clone(),
        Target::Version(id) => stored_sheet(state, &session.account, *id).await?.area_code,
    };
    let permit = permit_rows(&ledger, &session.account, &mapping, &home_code)?;
    let fields = known_fields(state).await?;
    let mapping = apart(move || {
        let mut book = Workbook::open(&file.content, &LIMITS)?;
        let grid = Grid::read(&mut book, &mapping.sheet)?;
        mapping.check(&fields, &grid)?;
        Ok(mapping)
    })
    .await?;
    let mapping = serde_json::to_value(&mapping).map_err(anyhow::Error::from)?;
    let home = home(&ledger, ledger.area_by_code(&home_code)?);
    let save = Save { target, file: file_id, mapping };
    Ok(written(app::sheets::save(&state.pool, &permit, request, home, save).await?))
}

/// For which day a form is filled.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFilling {
    /// 截止日期, not after today.
    at: NaiveDate,
    /// 上报数 or 审核数
    reading: Reading,
}

/// A filled copy.
#[derive(Debug, Serialize, ToSchema)]
pub struct Filling {
    /// Identity: `/api/v1/sheet-fills/{id}/file` is the workbook.
    id: Uuid,
    at: NaiveDate,
    reading: Reading,
    /// Change of the feed that its figures contain.
    seq: i64,
    file_name: String,
    bytes: usize,
    /// What was done; to be read before the copy is sent on.
    summary: Summary,
}

/// Fill a form for a date
///
/// Figures are those of the map and its drawer on that day. A figure that nobody has reported leaves
/// its cell empty and is listed. The copy is kept as it was made.
#[utoipa::path(post, path = "/api/v1/sheets/{id}/fills", tag = "sheets", request_body = NewFilling,
    params(("id" = Uuid, Path, description = "Form"),
        ("Idempotency-Key" = String, Header, description = "8 to 128 characters, new for each new copy"),
        ("X-CSRF-Token" = String, Header, description = "csrf_token of the session")),
    responses((status = 201, body = Filling), (status = 400, description = "bad_date"),
        (status = 401, description = "sign_in_required"),
        (status = 403, description = "role_missing, outside_area, foreign_origin"),
        (status = 404, description = "not_found"), (status = 422, description = "idempotency_key_reused")))]
pub async fn fill(
    State(state): State<AppState>,
    Path(id): Path<String>,
    WriteSession(session): WriteSession,
    IdempotencyKey(key): IdempotencyKey,
    body: Body<NewFilling>,
) -> Result<Response> {
    let NewFilling { at, reading } = body.value;
    let today = state.clock.business_date();
    if at > today {
        return Err(Error::problem(
            Code::BadDate,
            format!("{at} 尚未到来：业务日期为 {today}。"),
            format!("{at} lies in the future: the business date is {today}."),
        ));
    }
    let sheet = stored_sheet(&state, &session.account, ask::id(&id, "套表", "form")?).await?;
    let (sheet_id, version) = (sheet.id, sheet.version);
    let stored = crate::db::write(&state.pool, Some(session.account.id), move |tx| {
        Box::pin(async move { sheets::version(tx, sheet_id, version).await })
    });
    let (file_id, mapping) = stored.await?.ok_or_else(|| Error::not_found("套表", "form"))?;
    let mapping: Mapping = serde_json::from_value(mapping).map_err(anyhow::Error::from)?;
    let file = stored_file(&state, &session.account, file_id).await?;
    let ledger = state.ledger.snapshot(&state.pool).await?;
    let permit = permit_rows(&ledger, &session.account, &mapping, &sheet.area_code)?;
    let figures = Figures::read(&state, &permit, &mapping, at, reading).await?;
    let seq = figures.seq();
    let fields = known_fields(&state).await?;
    let words = Words {
        at,
        unit: session.account.unit_name.clone(),
        person: session.account.display_name.clone(),
        reading,
        area: sheet.area_name.clone(),
    };
    let (content, summary) =
        apart(move || fill_workbook(&file.content, &LIMITS, &mapping, &fields, &words, &figures)).await?;
    let operation = format!("POST /api/v1/sheets/{sheet_id}/fills");
    let request = request(&state, &session, key, operation, body.sha256, 0);
    let new = NewFill {
        id: Uuid::now_v7(),
        sheet: sheet_id,
        version,
        at,
        reading: reading.as_str(),
        seq,
        file_name: format!("{}_{at}_{}.xlsx", file_name(Some(&sheet.name)), reading.name_zh()),
        summary: serde_json::to_value(&summary).map_err(anyhow::Error::from)?,
        content,
    };
    let home = home(&ledger, ledger.area_by_code(&sheet.area_code)?);
    Ok(written(app::sheets::keep_fill(&state.pool, &permit, request, home, sheet.name, new).await?))
}
