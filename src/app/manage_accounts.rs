//! 账号管理: adding, disabling, granting, setting passwords. Every change is in the audit chain
//! 'system'. Works as the owner of the tables, from the command line.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection, Row};
use uuid::Uuid;

use super::passwords;
use crate::db::{audit, sessions};
use crate::domain::sector::Sector;
use crate::error::{Error, FieldError, Result};

/// Who changes accounts, and when.
#[derive(Debug, Clone)]
pub struct Actor {
    /// Name of the operator on this machine.
    pub name: String,
    /// Now.
    pub now: DateTime<Utc>,
}

/// An account to be added.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Name to sign in with.
    pub login: String,
    /// Name to show.
    pub display_name: String,
    /// 单位
    pub unit_name: String,
    /// zh or en
    pub locale: String,
    /// In clear; only its hash is kept.
    pub password: String,
}

/// A role in an area.
#[derive(Debug, Clone)]
pub struct NewGrant {
    /// clerk, reviewer, …
    pub role: String,
    /// Code of the area.
    pub area: String,
    /// Words of sectors; all when empty.
    pub sectors: Vec<String>,
}

/// One account in a list.
#[derive(Debug)]
pub struct Listed {
    /// Name to sign in with.
    pub login: String,
    /// Name to show.
    pub display_name: String,
    /// 单位
    pub unit_name: String,
    /// Cannot sign in.
    pub disabled: bool,
    /// "clerk 五华县 441424 road", …
    pub grants: Vec<String>,
}

/// Adds an account with its first grant.
///
/// # Errors
/// `invalid` for a weak password, an unknown area or sector; `constraint_violated` for a login
/// that exists or is not well-formed.
pub async fn add(
    db: &mut PgConnection,
    actor: &Actor,
    account: &NewAccount,
    first: &NewGrant,
) -> Result<Uuid> {
    passwords::check(&account.password, &account.login)?;
    let hash = passwords::hash(&account.password)?;
    let id = Uuid::now_v7();
    let mut tx = db.begin().await?;
    sqlx::query(
        "INSERT INTO accounts (id, login, display_name, unit_name, locale, password_hash, recorded_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(id)
    .bind(&account.login)
    .bind(&account.display_name)
    .bind(&account.unit_name)
    .bind(&account.locale)
    .bind(hash)
    .bind(actor.now)
    .execute(&mut *tx)
    .await?;
    let granted = insert_grant(&mut tx, actor, id, first).await?;
    let new =
        json!({ "display_name": account.display_name, "unit_name": account.unit_name, "grant": granted });
    record(&mut tx, actor, "add_account", (id, &account.login), new).await?;
    tx.commit().await?;
    Ok(id)
}

/// Gives a further role.
pub async fn grant(db: &mut PgConnection, actor: &Actor, login: &str, grant: &NewGrant) -> Result<()> {
    let mut tx = db.begin().await?;
    let id = find(&mut tx, login).await?;
    let granted = insert_grant(&mut tx, actor, id, grant).await?;
    record(&mut tx, actor, "grant_role", (id, login), json!({ "grant": granted })).await?;
    tx.commit().await?;
    Ok(())
}

/// Takes a role in an area back. Works at once: grants are read with every write.
pub async fn revoke(db: &mut PgConnection, actor: &Actor, login: &str, role: &str, area: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    let id = find(&mut tx, login).await?;
    let done = sqlx::query(
        "UPDATE account_roles r SET revoked_at = $4 FROM areas a
          WHERE r.account_id = $1 AND r.role = $2 AND a.id = r.area_id AND a.code = $3 AND r.revoked_at IS NULL",
    )
    .bind(id)
    .bind(role)
    .bind(area)
    .bind(actor.now)
    .execute(&mut *tx)
    .await?;
    if done.rows_affected() == 0 {
        return Err(Error::not_found("这项授权", "grant of this role in this area"));
    }
    record(&mut tx, actor, "revoke_role", (id, login), json!({ "role": role, "area": area })).await?;
    tx.commit().await?;
    Ok(())
}

/// Disables an account and ends its sessions. Returns the number of sessions.
pub async fn disable(db: &mut PgConnection, actor: &Actor, login: &str) -> Result<u64> {
    let mut tx = db.begin().await?;
    let id = find(&mut tx, login).await?;
    sqlx::query("UPDATE accounts SET disabled_at = coalesce(disabled_at, $2) WHERE id = $1")
        .bind(id)
        .bind(actor.now)
        .execute(&mut *tx)
        .await?;
    let ended = sessions::revoke_all(&mut tx, id, actor.now).await?;
    record(&mut tx, actor, "disable_account", (id, login), json!({ "sessions_ended": ended })).await?;
    tx.commit().await?;
    Ok(ended)
}

/// Sets a password, ends the account's sessions and forgets its failed tries.
pub async fn set_password(db: &mut PgConnection, actor: &Actor, login: &str, password: &str) -> Result<u64> {
    passwords::check(password, login)?;
    let hash = passwords::hash(password)?;
    let mut tx = db.begin().await?;
    let id = find(&mut tx, login).await?;
    sqlx::query("UPDATE accounts SET password_hash = $2 WHERE id = $1")
        .bind(id)
        .bind(hash)
        .execute(&mut *tx)
        .await?;
    let ended = sessions::revoke_all(&mut tx, id, actor.now).await?;
    crate::db::accounts::forget_failures(&mut tx, login).await?;
    record(&mut tx, actor, "set_password", (id, login), json!({ "sessions_ended": ended })).await?;
    tx.commit().await?;
    Ok(ended)
}

/// All accounts with their grants.
pub async fn list(db: &mut PgConnection) -> Result<Vec<Listed>> {
    let rows = sqlx::query(
        "SELECT c.login, c.display_name, c.unit_name, c.disabled_at IS NOT NULL AS disabled,
                ARRAY(SELECT concat_ws(' ', r.role, a.name, a.code, array_to_string(r.sectors, ','))
                        FROM account_roles r JOIN areas a ON a.id = r.area_id
                       WHERE r.account_id = c.id AND r.revoked_at IS NULL ORDER BY a.path, r.role) AS grants
           FROM accounts c ORDER BY c.login",
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|r| {
            Ok(Listed {
                login: r.try_get("login")?,
                display_name: r.try_get("display_name")?,
                unit_name: r.try_get("unit_name")?,
                disabled: r.try_get("disabled")?,
                grants: r.try_get("grants")?,
            })
        })
        .collect()
}

async fn find(db: &mut PgConnection, login: &str) -> Result<Uuid> {
    sqlx::query_scalar("SELECT id FROM accounts WHERE login = $1 FOR UPDATE")
        .bind(login)
        .fetch_optional(db)
        .await?
        .ok_or_else(|| Error::not_found("账号", "account"))
}

/// Records a grant; returns what the audit says of it.
async fn insert_grant(
    db: &mut PgConnection,
    actor: &Actor,
    account: Uuid,
    grant: &NewGrant,
) -> Result<Value> {
    let unknown = |field: &str, zh: String, en: String| {
        Error::invalid(vec![FieldError { field: field.into(), message: zh, message_en: en }])
    };
    if let Some(word) = grant.sectors.iter().find(|w| Sector::parse(w).is_none()) {
        let words = Sector::ALL.map(Sector::as_str).join(", ");
        return Err(unknown(
            "sectors",
            format!("没有行业“{word}”，可选：{words}。"),
            format!("No sector {word}; one of: {words}."),
        ));
    }
    let area: Option<Uuid> = sqlx::query_scalar("SELECT id FROM areas WHERE code = $1 AND valid_to IS NULL")
        .bind(&grant.area)
        .fetch_optional(&mut *db)
        .await?;
    let Some(area) = area else {
        let code = &grant.area;
        return Err(unknown(
            "area",
            format!("没有区划代码 {code}。"),
            format!("No area has the code {code}."),
        ));
    };
    sqlx::query(
        "INSERT INTO account_roles (account_id, role, area_id, sectors, recorded_at) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(account)
    .bind(&grant.role)
    .bind(area)
    .bind(Some(&grant.sectors).filter(|s| !s.is_empty()))
    .bind(actor.now)
    .execute(db)
    .await?;
    Ok(json!({ "role": grant.role, "area": grant.area, "sectors": grant.sectors }))
}

async fn record(
    db: &mut PgConnection,
    actor: &Actor,
    action: &str,
    (account, login): (Uuid, &str),
    new: Value,
) -> Result<()> {
    let body = json!({
        "time": actor.now.to_rfc3339_opts(SecondsFormat::Micros, true),
        "account": { "operator": actor.name },
        "action": action,
        "entity": { "kind": "account", "id": account, "login": login },
        "new": new,
    });
    audit::append(db, "system", &body).await.map(|_| ())
}
