//! 登录 and 退出: opening and ending sessions.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Duration;
use rand::RngCore;
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use tokio::sync::Semaphore;

use super::passwords;
use crate::clock::Clock;
use crate::db::accounts::{self, AttemptLimits};
use crate::db::sessions::{self, TokenHash};
use crate::domain::permit::Account;
use crate::error::{Code, Error, Result};

/// A session may be moved on by use, but ends this long after it began at the latest.
pub const LONGEST_SESSION_DAYS: i64 = 7;

/// Each check of a password takes 19 MiB and a core for tens of milliseconds: a flood of them
/// waits here instead of taking the machine.
static CHECKS: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(std::thread::available_parallelism().map_or(2, usize::from)));

/// Compared with when the login is unknown, so that the answer takes as long.
static NOBODY: LazyLock<String> =
    LazyLock::new(|| passwords::hash("nobody has this password").unwrap_or_default());

/// A new session: the only moment at which its token is known.
#[derive(Debug)]
pub struct Opened {
    /// For the cookie. 256 random bits; the database keeps its SHA-256 only.
    pub token: String,
    /// For the header of writes.
    pub csrf_token: String,
    /// Who signed in.
    pub account: Account,
}

/// How long sessions last and how many tries are let through.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// A session ends when it was not used for so long.
    pub lifetime: Duration,
    /// Limits on failed tries.
    pub limits: AttemptLimits,
}

/// Opens a session.
///
/// # Errors
/// `sign_in_failed` for an unknown, disabled or wrong account alike; `too_many_attempts`.
pub async fn sign_in(
    pool: &PgPool,
    clock: &Clock,
    rules: Rules,
    (login, password): (&str, &str),
    address: &str,
) -> Result<Opened> {
    let login: String = login.trim().to_lowercase().chars().take(64).collect();
    let now = clock.now();
    let counted = {
        let (login, address) = (login.clone(), address.to_owned());
        crate::db::write(pool, None, move |tx| {
            let (login, address) = (login.clone(), address.clone());
            Box::pin(async move { accounts::count_attempt(tx, &login, &address, rules.limits, now).await })
        })
        .await?
    };
    if !counted {
        tracing::warn!(login, address, "too many failed sign-ins");
        return Err(Error::problem(
            Code::TooManyAttempts,
            format!(
                "输错次数过多，请 {} 分钟后再试，或请管理员重设密码。",
                rules.limits.window.num_minutes()
            ),
            format!("Too many failed tries; wait {} minutes.", rules.limits.window.num_minutes()),
        ));
    }
    let found = accounts::credentials(&mut *pool.acquire().await?, &login).await?;
    let hash = found.as_ref().map_or_else(|| NOBODY.clone(), |c| c.password_hash.clone());
    let fits = check(password.to_owned(), hash).await?;
    let Some(credentials) = found.filter(|_| fits) else {
        tracing::info!(login, address, "sign-in failed");
        return Err(Error::problem(
            Code::SignInFailed,
            "账号或密码不对，请核对后再试。",
            "The account or the password is wrong.",
        ));
    };

    let (token, csrf_token) = (random_token(), random_token());
    let (token_hash, csrf, address) = (hash_token(&token), csrf_token.clone(), address.to_owned());
    let account = crate::db::write(pool, Some(credentials.id), move |tx| {
        let (csrf, address, login) = (csrf.clone(), address.clone(), login.clone());
        Box::pin(async move {
            accounts::forget_failures(tx, &login).await?;
            sessions::open(tx, &token_hash, &csrf, credentials.id, (now, now + rules.lifetime), &address)
                .await?;
            accounts::account(tx, credentials.id).await
        })
    })
    .await?
    // Disabled in this instant.
    .ok_or_else(|| Error::problem(Code::SignInFailed, "账号已停用。", "The account is disabled."))?;
    Ok(Opened { token, csrf_token, account })
}

/// Ends a session.
pub async fn sign_out(pool: &PgPool, clock: &Clock, token: TokenHash) -> Result<()> {
    let now = clock.now();
    crate::db::write(pool, None, move |tx| {
        Box::pin(async move { sessions::revoke(tx, &token, now).await.map(|_| ()) })
    })
    .await
}

async fn check(password: String, hash: String) -> Result<bool> {
    let _place = CHECKS.acquire().await.map_err(anyhow::Error::from)?;
    Ok(tokio::task::spawn_blocking(move || passwords::verify(&password, &hash))
        .await
        .map_err(anyhow::Error::from)?)
}

/// 256 random bits, in characters that a cookie and a header can carry.
fn random_token() -> String {
    let mut bytes = [0_u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What the database knows a token by.
pub fn hash_token(token: &str) -> TokenHash {
    Sha256::digest(token.as_bytes()).into()
}
