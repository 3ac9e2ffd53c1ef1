//! 套表: keeping an uploaded form, a version of its mapping, and a filled copy.
//!
//! None of these changes what a map or list shows, so the change feed has nothing to tell; each
//! leaves its audit entry.

use serde_json::{Value, json};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::{Request, etag};
use crate::db::idempotency::{self, Answer};
use crate::db::sheets::{self, NewFill};
use crate::db::{self, audit};
use crate::domain::permit::{AreaPermit, ExportFigures};
use crate::error::{Code, Error, Problem, Result};

/// Where a form belongs.
#[derive(Debug, Clone)]
pub struct Home {
    /// The area's id.
    pub area: Uuid,
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Chain of the audit: code of the county, of the city where there is none above it.
    pub chain: String,
}

/// Keeps an uploaded workbook that was read before. The answer is 201 with `answer` and its `id`.
pub async fn upload(
    pool: &PgPool,
    permit: &AreaPermit<ExportFigures>,
    request: Request,
    home: Home,
    (file_name, content): (String, Vec<u8>),
    answer: Value,
) -> Result<Answer> {
    let by = permit.account();
    let content = std::sync::Arc::new(content);
    db::write(pool, Some(by), move |tx| {
        let (request, home, file_name, content, mut body) =
            (request.clone(), home.clone(), file_name.clone(), content.clone(), answer.clone());
        Box::pin(async move {
            if let Some(answer) = idempotency::claim(tx, &request.repeatable).await? {
                return Ok(answer);
            }
            let id = Uuid::now_v7();
            let now = request.clock.now();
            sheets::insert_file(tx, id, home.area, &file_name, &content, by, now).await?;
            let new = json!({ "file_name": file_name, "sha256": hex::encode(request.repeatable.body_sha256), "bytes": content.len() });
            log(tx, &request, &home, "upload_sheet_file", json!({ "kind": "sheet_file", "id": id }), new).await?;
            body["id"] = json!(id);
            idempotency::keep(tx, &request.repeatable, (201, Some(etag(1)), &body)).await
        })
    })
    .await
}

/// A mapping that was checked before.
#[derive(Debug, Clone)]
pub struct Save {
    /// A new form by this name, or a version of this form.
    pub target: Target,
    /// Its workbook.
    pub file: Uuid,
    /// The mapping.
    pub mapping: Value,
}

/// What a mapping is saved as.
#[derive(Debug, Clone)]
pub enum Target {
    /// A new form.
    New(String),
    /// The next version of a form.
    Version(Uuid),
}

/// Saves a mapping: 201 with `id` and `version`.
///
/// # Errors
/// `stale_version` when somebody saved a version in between; `invalid` for a name that is taken.
pub async fn save(
    pool: &PgPool,
    permit: &AreaPermit<ExportFigures>,
    request: Request,
    home: Home,
    save: Save,
) -> Result<Answer> {
    let by = permit.account();
    db::write(pool, Some(by), move |tx| {
        let (request, home, save) = (request.clone(), home.clone(), save.clone());
        Box::pin(async move { attempt_save(tx, &request, &home, &save, by).await })
    })
    .await
}

async fn attempt_save(
    tx: &mut PgConnection,
    request: &Request,
    home: &Home,
    save: &Save,
    by: Uuid,
) -> Result<Answer> {
    if let Some(answer) = idempotency::claim(tx, &request.repeatable).await? {
        return Ok(answer);
    }
    let now = request.clock.now();
    let (id, version, name) = match &save.target {
        Target::New(name) => {
            let id = Uuid::now_v7();
            sheets::insert_sheet(tx, id, home.area, name, by, now).await.map_err(name_taken)?;
            (id, 1, name.clone())
        }
        Target::Version(id) => {
            sheets::lock(tx, *id).await?;
            let sheet = sheets::sheet(tx, *id).await?.ok_or_else(|| Error::not_found("套表", "form"))?;
            if sheet.version != request.expected_version {
                return Err(stale(request.expected_version, &sheet));
            }
            (*id, sheet.version + 1, sheet.name)
        }
    };
    sheets::insert_version(tx, id, version, save.file, &save.mapping, by, now).await?;
    let new = json!({ "name": name, "version": version, "file_id": save.file, "mapping": save.mapping });
    log(tx, request, home, "save_sheet", json!({ "kind": "sheet", "id": id, "name": name }), new).await?;
    let body = json!({ "id": id, "version": version, "name": name });
    idempotency::keep(tx, &request.repeatable, (201, Some(etag(version)), &body)).await
}

/// Keeps a filled copy: 201 with its id, name and summary.
pub async fn keep_fill(
    pool: &PgPool,
    permit: &AreaPermit<ExportFigures>,
    request: Request,
    home: Home,
    sheet_name: String,
    fill: NewFill,
) -> Result<Answer> {
    let by = permit.account();
    let fill = std::sync::Arc::new(fill);
    db::write(pool, Some(by), move |tx| {
        let (request, home, sheet_name, fill) = (request.clone(), home.clone(), sheet_name.clone(), fill.clone());
        Box::pin(async move {
            if let Some(answer) = idempotency::claim(tx, &request.repeatable).await? {
                return Ok(answer);
            }
            sheets::insert_fill(tx, &fill, by, request.clock.now()).await?;
            let entity = json!({ "kind": "sheet", "id": fill.sheet, "name": sheet_name });
            let new = json!({
                "fill_id": fill.id, "version": fill.version, "at": fill.at, "reading": fill.reading, "seq": fill.seq,
                "sha256": hex::encode(<sha2::Sha256 as sha2::Digest>::digest(&fill.content)),
                "rows": fill.summary["rows_filled"], "empty": fill.summary["empty_count"],
            });
            log(tx, &request, &home, "fill_sheet", entity, new).await?;
            let body = json!({
                "id": fill.id, "at": fill.at, "reading": fill.reading, "seq": fill.seq,
                "file_name": fill.file_name, "bytes": fill.content.len(), "summary": fill.summary,
            });
            idempotency::keep(tx, &request.repeatable, (201, Some(etag(fill.version)), &body)).await
        })
    })
    .await
}

async fn log(
    tx: &mut PgConnection,
    request: &Request,
    home: &Home,
    action: &str,
    entity: Value,
    new: Value,
) -> Result<()> {
    let account = &request.account;
    let body = json!({
        "time": request.clock.now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
        "account": { "id": account.id, "login": account.login, "name": account.display_name, "unit": account.unit_name },
        "action": action,
        "entity": entity,
        "area": { "code": home.code, "name": home.name },
        "old": null,
        "new": new,
    });
    audit::append(tx, &home.chain, &body).await?;
    Ok(())
}

/// A name that the area has already, in words for the form.
fn name_taken(error: Error) -> Error {
    let taken = matches!(&error, Error::Problem(p)
        if p.extra.as_ref().is_some_and(|e| e["constraint"] == "sheets_name_unique"));
    if !taken {
        return error;
    }
    Error::invalid(vec![crate::error::FieldError {
        field: "name".into(),
        message: "本辖区已有同名套表，请换一个名称，或打开原来的套表保存为新版本。".into(),
        message_en: "Your area has a form of this name; choose another, or save a new version of that one."
            .into(),
    }])
}

fn stale(seen: i32, sheet: &sheets::SheetRow) -> Error {
    Problem {
        code: Code::StaleVersion,
        title: Code::StaleVersion.title().to_owned(),
        detail: format!(
            "{} 已在此期间保存了第 {} 版，请重新打开核对后再保存。",
            sheet.recorded_by.display_name, sheet.version
        ),
        detail_en: format!(
            "{} has saved version {} meanwhile.",
            sheet.recorded_by.display_name, sheet.version
        ),
        errors: Vec::new(),
        extra: Some(json!({
            "current": { "id": sheet.id, "version": sheet.version },
            "changed": [{ "field": "version", "was": seen, "now": sheet.version }],
        })),
    }
    .into()
}
