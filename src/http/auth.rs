//! Who asks: sessions by cookie, the guards that every write passes, and the headers of a write.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use quick_cache::sync::Cache;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::AppState;
use crate::app::sign_in::{LONGEST_SESSION_DAYS, hash_token};
use crate::db::accounts;
use crate::db::sessions::{self, TokenHash};
use crate::domain::permit::Account;
use crate::error::{Code, Error, Result};

/// Name of the cookie.
pub const COOKIE: &str = "cuntong_session";
/// Header that repeats the session's CSRF token.
pub const CSRF_HEADER: &str = "x-csrf-token";

/// A session that stands, as the database says at this moment.
#[derive(Debug, Clone)]
pub struct Session {
    /// Who.
    pub account: Arc<Account>,
    /// What writes must send along.
    pub csrf_token: String,
    /// What the database knows the session by.
    pub token: TokenHash,
}

/// Sessions that tile requests were answered for within this second, so that a map drawn from
/// forty tiles asks the database once. Never used for writes or personal data.
#[derive(Debug)]
pub struct SessionCache {
    begun: Instant,
    /// By token and second since `begun`: an entry is never older than a second, because its key
    /// is no longer asked for then.
    known: Cache<(TokenHash, u64), Option<Arc<Account>>>,
}

impl Default for SessionCache {
    fn default() -> Self {
        Self { begun: Instant::now(), known: Cache::new(8192) }
    }
}

impl SessionCache {
    /// Forgets a session that this node has ended.
    pub fn forget(&self, token: &TokenHash) {
        self.known.remove(&(*token, self.begun.elapsed().as_secs()));
    }
}

/// Who asks, for tiles and other things without personal data: at most a second old.
///
/// A database that cannot be reached answers nobody: the asker gets what the public gets.
pub async fn staff_session(state: &AppState, headers: &HeaderMap) -> Option<Arc<Account>> {
    let token = hash_token(cookie(headers)?);
    let cache = &state.sessions;
    let key = (token, cache.begun.elapsed().as_secs());
    let found = cache
        .known
        .get_or_insert_async(&key, async {
            load(state, token).await.map(|session| session.map(|s| s.account))
        })
        .await;
    found.unwrap_or_else(|error: Error| {
        tracing::warn!(%error, "a session could not be looked up");
        None
    })
}

/// The session of a request, from the database.
pub async fn current_session(state: &AppState, headers: &HeaderMap) -> Result<Option<Session>> {
    match cookie(headers) {
        Some(token) => load(state, hash_token(token)).await,
        None => Ok(None),
    }
}

async fn load(state: &AppState, token: TokenHash) -> Result<Option<Session>> {
    let now = state.clock.now();
    let mut db = state.pool.acquire().await?;
    let Some(row) = sessions::find(&mut db, &token, now).await? else { return Ok(None) };
    let Some(account) = accounts::account(&mut db, row.account_id).await? else { return Ok(None) };
    // Use moves the end on; written only now and then, not for every request.
    let lifetime = lifetime(state);
    let latest = row.created_at + chrono::Duration::days(LONGEST_SESSION_DAYS);
    let moved = (now + lifetime).min(latest);
    if moved - row.expires_at > lifetime / 20 {
        sessions::extend(&mut db, &token, moved).await?;
    }
    Ok(Some(Session { account: Arc::new(account), csrf_token: row.csrf_token, token }))
}

/// How long an unused session lasts.
pub fn lifetime(state: &AppState) -> chrono::Duration {
    chrono::Duration::from_std(state.config.session_lifetime).unwrap_or(chrono::Duration::hours(12))
}

/// The session's token in the Cookie header.
fn cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value)
        .filter(|value| !value.is_empty())
}

/// The Set-Cookie value that gives a session to the browser, or takes it away when `token` is
/// empty.
pub fn set_cookie(state: &AppState, token: &str) -> String {
    let secure = state.config.tls.is_some()
        || state.config.public_url.as_deref().is_some_and(|url| url.starts_with("https://"));
    // The cookie outlives the session's end by use: the database decides, not the browser.
    let age = if token.is_empty() { 0 } else { LONGEST_SESSION_DAYS * 24 * 3600 };
    let secure = if secure { "; Secure" } else { "" };
    format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={age}{secure}")
}

impl FromRequestParts<AppState> for Session {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self> {
        current_session(state, &parts.headers).await?.ok_or_else(|| {
            Error::problem(
                Code::SignInRequired,
                "登录已失效，请重新登录。",
                "Sign in first; the session may have ended.",
            )
        })
    }
}

/// The request comes from our own page: its Origin is ours. Browsers send it with every POST.
#[derive(Debug, Clone, Copy)]
pub struct OwnOrigin;

impl FromRequestParts<AppState> for OwnOrigin {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self> {
        if is_own_origin(&parts.headers, parts.uri.authority().map(axum::http::uri::Authority::as_str), state)
        {
            return Ok(Self);
        }
        Err(Error::problem(
            Code::ForeignOrigin,
            "请求来自别的网站，已拒绝；请在本系统页面上操作。若经反向代理访问，请管理员设置对外网址。",
            "The request comes from another site. Behind a proxy, the administrator must set the public URL.",
        ))
    }
}

fn is_own_origin(headers: &HeaderMap, authority: Option<&str>, state: &AppState) -> bool {
    let text = |name| headers.get(name).and_then(|v| v.to_str().ok());
    match text("sec-fetch-site") {
        None | Some("same-origin" | "none") => {}
        Some(_) => return false,
    }
    let Some(origin) = headers.get(header::ORIGIN) else {
        // Not a browser, or an old one: the token in the header still has to fit.
        return true;
    };
    let Ok(origin) = origin.to_str() else { return false };
    if let Some(public) = state.config.public_url.as_deref()
        && origin.eq_ignore_ascii_case(public)
    {
        return true;
    }
    let scheme = if state.config.tls.is_some() { "https://" } else { "http://" };
    // HTTP/2 carries the host in :authority.
    let host = authority.or_else(|| text("host"));
    match (origin.strip_prefix(scheme), host) {
        (Some(from), Some(host)) => from.eq_ignore_ascii_case(host),
        _ => false,
    }
}

/// A session that may write: from our own page, with the session's CSRF token.
#[derive(Debug, Clone)]
pub struct WriteSession(pub Session);

impl FromRequestParts<AppState> for WriteSession {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self> {
        OwnOrigin::from_request_parts(parts, state).await?;
        let session = Session::from_request_parts(parts, state).await?;
        let sent = parts.headers.get(CSRF_HEADER).map(HeaderValue::as_bytes).unwrap_or_default();
        if !same(sent, session.csrf_token.as_bytes()) {
            return Err(Error::problem(
                Code::ForeignOrigin,
                "请求没有带上本次登录的校验码，请刷新页面后再试。",
                "X-CSRF-Token does not belong to this session; reload the page.",
            ));
        }
        Ok(Self(session))
    }
}

/// Compares without telling by its time where two values differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    Sha256::digest(a) == Sha256::digest(b)
}

/// The Idempotency-Key of a write.
#[derive(Debug, Clone)]
pub struct IdempotencyKey(pub String);

impl FromRequestParts<AppState> for IdempotencyKey {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self> {
        let key = parts.headers.get("idempotency-key").and_then(|v| v.to_str().ok()).unwrap_or_default();
        if (8..=128).contains(&key.len()) {
            return Ok(Self(key.to_owned()));
        }
        Err(Error::problem(
            Code::IdempotencyKeyRequired,
            "提交时须带请求头 Idempotency-Key（8 至 128 个字符），断线重发才不会重复。",
            "Send an Idempotency-Key header of 8 to 128 characters, so that a repetition does no harm.",
        ))
    }
}

/// The version in If-Match, `"v7"`.
#[derive(Debug, Clone, Copy)]
pub struct IfMatch(pub i32);

impl FromRequestParts<AppState> for IfMatch {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self> {
        let Some(value) = parts.headers.get(header::IF_MATCH) else {
            return Err(Error::problem(
                Code::IfMatchRequired,
                "修改时须带请求头 If-Match，写明您看到的版本，例如 \"v7\"。",
                "Send an If-Match header with the version that you saw, such as \"v7\".",
            ));
        };
        let version = value.to_str().ok().and_then(|text| {
            text.strip_prefix("\"v").and_then(|rest| rest.strip_suffix('"'))?.parse::<i32>().ok()
        });
        version.map(Self).ok_or_else(|| {
            Error::problem(
                Code::BadRequest,
                "If-Match 写法不对，应为 \"v7\" 这样的版本号。",
                "If-Match must be a version such as \"v7\".",
            )
        })
    }
}

/// The JSON body of a write, and the SHA-256 of its canonical form: the order of members and
/// blanks make no other request of it.
#[derive(Debug)]
pub struct Body<T> {
    /// What was sent.
    pub value: T,
    /// SHA-256 of its canonical form.
    pub sha256: [u8; 32],
}

impl<T: DeserializeOwned> axum::extract::FromRequest<AppState> for Body<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &AppState) -> Result<Self> {
        let unreadable = |zh: &str, en: String| Error::problem(Code::BadRequest, zh, en);
        // A form of another site can post text/plain or a form, never JSON.
        let json =
            request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).is_some_and(|v| {
                v.split(';').next().is_some_and(|v| v.trim().eq_ignore_ascii_case("application/json"))
            });
        if !json && request.method() == Method::POST {
            return Err(unreadable(
                "请求体须为 JSON（Content-Type: application/json）。",
                "Send JSON.".into(),
            ));
        }
        let bytes = axum::body::Bytes::from_request(request, state)
            .await
            .map_err(|e| unreadable("请求体读取失败或过大。", e.body_text()))?;
        let value: serde_json::Value = serde_json::from_slice(&bytes)
            .map_err(|e| unreadable("请求体不是有效的 JSON。", format!("Not JSON: {e}")))?;
        let canonical = serde_json::to_vec(&value).map_err(anyhow::Error::from)?;
        let value = T::deserialize(value).map_err(|e| {
            unreadable(&format!("请求内容不符合接口说明：{e}"), format!("Wrong content: {e}"))
        })?;
        Ok(Self { value, sha256: Sha256::digest(&canonical).into() })
    }
}

/// Writes and reads the cursor of a list: base64 of what the next page begins after.
pub fn encode_cursor(position: &str) -> String {
    URL_SAFE_NO_PAD.encode(position)
}

/// What [`encode_cursor`] wrote.
///
/// # Errors
/// `bad_request` when it is not ours.
pub fn decode_cursor(cursor: &str) -> Result<String> {
    URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(bad_cursor)
}

/// A cursor that this program did not write.
pub fn bad_cursor() -> Error {
    Error::problem(
        Code::BadRequest,
        "翻页标记无效，请从第一页重新开始。",
        "The cursor is not valid; start over.",
    )
}
