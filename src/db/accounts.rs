//! Accounts, their grants, and failed sign-ins.

use chrono::{DateTime, Duration, Utc};
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use crate::domain::permit::{Account, Capability, Grant, Place};
use crate::domain::sector::Sector;
use crate::error::Result;

/// What sign-in needs to know of an account.
#[derive(Debug)]
pub struct Credentials {
    /// Identity.
    pub id: Uuid,
    /// Argon2id, PHC string.
    pub password_hash: String,
}

/// Credentials of an account that is not disabled.
pub async fn credentials(db: &mut PgConnection, login: &str) -> Result<Option<Credentials>> {
    let row = sqlx::query("SELECT id, password_hash FROM accounts WHERE login = $1 AND disabled_at IS NULL")
        .bind(login)
        .fetch_optional(db)
        .await?;
    row.map(|r| Ok(Credentials { id: r.try_get("id")?, password_hash: r.try_get("password_hash")? }))
        .transpose()
}

/// An account with the grants that stand; none when it does not exist or is disabled.
pub async fn account(db: &mut PgConnection, id: Uuid) -> Result<Option<Account>> {
    let row = sqlx::query(
        "SELECT id, login, display_name, unit_name, locale FROM accounts WHERE id = $1 AND disabled_at IS NULL",
    )
    .bind(id)
    .fetch_optional(&mut *db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Account {
        id: row.try_get("id")?,
        login: row.try_get("login")?,
        display_name: row.try_get("display_name")?,
        unit_name: row.try_get("unit_name")?,
        locale: row.try_get("locale")?,
        grants: grants(db, id).await?,
    }))
}

/// Grants of an account that stand.
pub async fn grants(db: &mut PgConnection, account: Uuid) -> Result<Vec<Grant>> {
    let rows = sqlx::query(
        "SELECT r.role, r.sectors, a.code, a.name, a.level, a.path,
                ARRAY(SELECT c.capability FROM role_capabilities c WHERE c.role = r.role ORDER BY 1) AS capabilities
           FROM account_roles r
           JOIN areas a ON a.id = r.area_id
          WHERE r.account_id = $1 AND r.revoked_at IS NULL
          ORDER BY a.path, r.role",
    )
    .bind(account)
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|r| {
            let sectors: Option<Vec<String>> = r.try_get("sectors")?;
            let capabilities: Vec<String> = r.try_get("capabilities")?;
            Ok(Grant {
                role: r.try_get("role")?,
                area: Place {
                    code: r.try_get("code")?,
                    name: r.try_get("name")?,
                    level: r.try_get("level")?,
                    path: r.try_get("path")?,
                },
                sectors: sectors.map(|s| s.iter().filter_map(|w| Sector::parse(w)).collect()),
                capabilities: capabilities.iter().filter_map(|w| Capability::parse(w)).collect(),
            })
        })
        .collect()
}

/// How many failed sign-ins are let through, and in what time.
#[derive(Debug, Clone, Copy)]
pub struct AttemptLimits {
    /// Of one account.
    pub per_account: i64,
    /// From one address: a bureau shares one, so it is wider.
    pub per_address: i64,
    /// Within this time.
    pub window: Duration,
}

/// Counts a try as failed before the password is looked at, unless a limit is reached.
///
/// Counting first means that tries made at the same moment cannot all slip under the limit; a
/// success takes its account's failures back ([`forget_failures`]). Call it in a transaction.
pub async fn count_attempt(
    db: &mut PgConnection,
    login: &str,
    address: &str,
    limits: AttemptLimits,
    now: DateTime<Utc>,
) -> Result<bool> {
    sqlx::query("SELECT pg_advisory_xact_lock(4492, hashtext($1))").bind(login).execute(&mut *db).await?;
    let row = sqlx::query(
        "SELECT (SELECT count(*) FROM sign_in_failures WHERE login = $1 AND at > $3) AS by_login,
                (SELECT count(*) FROM sign_in_failures WHERE address = $2 AND at > $3) AS by_address",
    )
    .bind(login)
    .bind(address)
    .bind(now - limits.window)
    .fetch_one(&mut *db)
    .await?;
    let (by_login, by_address): (i64, i64) = (row.try_get("by_login")?, row.try_get("by_address")?);
    if by_login >= limits.per_account || by_address >= limits.per_address {
        return Ok(false);
    }
    sqlx::query("INSERT INTO sign_in_failures (login, address, at) VALUES ($1, $2, $3)")
        .bind(login)
        .bind(address)
        .bind(now)
        .execute(db)
        .await?;
    Ok(true)
}

/// A success: the account's failures no longer count.
pub async fn forget_failures(db: &mut PgConnection, login: &str) -> Result<()> {
    sqlx::query("DELETE FROM sign_in_failures WHERE login = $1").bind(login).execute(db).await?;
    Ok(())
}
