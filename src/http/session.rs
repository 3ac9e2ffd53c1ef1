//! `/api/v1/session`: who is signed in, signing in and out.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::AppState;
use super::auth::{self, Body, OwnOrigin, WriteSession};
use super::middleware::ClientAddress;
use crate::app::sign_in::{self, Rules};
use crate::config::Config;
use crate::db::accounts::AttemptLimits;
use crate::domain::permit::{Account, Grant};
use crate::error::Result;

/// Routes of this resource.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(show, sign_in)).routes(routes!(sign_out))
}

/// The session of the asker.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionView {
    /// Who is signed in; null for the public.
    account: Option<AccountView>,
    /// To be sent as `X-CSRF-Token` with every write; null for the public.
    csrf_token: Option<String>,
}

/// An account as it sees itself.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountView {
    id: Uuid,
    login: String,
    display_name: String,
    /// 单位
    unit_name: String,
    /// zh or en
    locale: String,
    grants: Vec<GrantView>,
}

/// A role in an area and everything below it.
#[derive(Debug, Serialize, ToSchema)]
pub struct GrantView {
    /// clerk, reviewer, town, poverty_office, planner, leader, inspector, auditor, administrator
    role: String,
    area: GrantArea,
    /// Words of the sectors; null for all.
    sectors: Option<Vec<String>>,
    /// report_progress, review_report, edit_project, import_layer, read_audit, manage_accounts
    capabilities: Vec<String>,
}

/// Where a grant holds.
#[derive(Debug, Serialize, ToSchema)]
pub struct GrantArea {
    code: String,
    name: String,
    /// province, city, county, town or village
    level: String,
}

impl SessionView {
    fn new(account: &Account, csrf_token: String) -> Self {
        Self { account: Some(account.into()), csrf_token: Some(csrf_token) }
    }
}

impl From<&Account> for AccountView {
    fn from(account: &Account) -> Self {
        Self {
            id: account.id,
            login: account.login.clone(),
            display_name: account.display_name.clone(),
            unit_name: account.unit_name.clone(),
            locale: account.locale.clone(),
            grants: account.grants.iter().map(GrantView::from).collect(),
        }
    }
}

impl From<&Grant> for GrantView {
    fn from(grant: &Grant) -> Self {
        Self {
            role: grant.role.clone(),
            area: GrantArea {
                code: grant.area.code.clone(),
                name: grant.area.name.clone(),
                level: grant.area.level.clone(),
            },
            sectors: grant.sectors.as_ref().map(|all| all.iter().map(|s| s.as_str().to_owned()).collect()),
            capabilities: grant.capabilities.iter().map(|c| c.as_str().to_owned()).collect(),
        }
    }
}

/// Name and password.
#[derive(Deserialize, ToSchema)]
pub struct SignIn {
    login: String,
    #[schema(format = Password)]
    password: String,
}

/// Who is signed in
#[utoipa::path(get, path = "/api/v1/session", tag = "session",
    responses((status = 200, body = SessionView)))]
async fn show(State(state): State<AppState>, headers: HeaderMap) -> Result<Response> {
    let view = match auth::current_session(&state, &headers).await? {
        Some(session) => SessionView::new(&session.account, session.csrf_token),
        None => SessionView { account: None, csrf_token: None },
    };
    Ok(private(Json(view)))
}

/// Sign in
///
/// Sets the cookie `cuntong_session` (HttpOnly, SameSite=Strict).
#[utoipa::path(post, path = "/api/v1/session", tag = "session", request_body = SignIn,
    responses((status = 200, body = SessionView), (status = 401, description = "sign_in_failed"),
        (status = 403, description = "foreign_origin"), (status = 429, description = "too_many_attempts")))]
async fn sign_in(
    State(state): State<AppState>,
    _: OwnOrigin,
    address: Option<axum::Extension<ClientAddress>>,
    body: Body<SignIn>,
) -> Result<Response> {
    let config = &state.config;
    let rules = Rules {
        lifetime: auth::lifetime(&state),
        limits: AttemptLimits {
            per_account: config.sign_in_limit_account.into(),
            per_address: config.sign_in_limit_address.into(),
            window: chrono::Duration::from_std(Config::SIGN_IN_WINDOW).map_err(anyhow::Error::from)?,
        },
    };
    let address = address.map(|a| a.0.0.to_string()).unwrap_or_default();
    let SignIn { login, password } = &body.value;
    let opened = sign_in::sign_in(&state.pool, &state.clock, rules, (login, password), &address).await?;
    let mut response = private(Json(SessionView::new(&opened.account, opened.csrf_token)));
    put_cookie(&mut response, &auth::set_cookie(&state, &opened.token));
    Ok(response)
}

/// Sign out
#[utoipa::path(post, path = "/api/v1/session/end", tag = "session",
    params(("X-CSRF-Token" = String, Header, description = "csrf_token of the session")),
    responses((status = 204), (status = 401, description = "sign_in_required"),
        (status = 403, description = "foreign_origin")))]
async fn sign_out(State(state): State<AppState>, WriteSession(session): WriteSession) -> Result<Response> {
    sign_in::sign_out(&state.pool, &state.clock, session.token).await?;
    state.sessions.forget(&session.token);
    let mut response = StatusCode::NO_CONTENT.into_response();
    put_cookie(&mut response, &auth::set_cookie(&state, ""));
    Ok(response)
}

fn put_cookie(response: &mut Response, cookie: &str) {
    // The token is base64url: it always fits a header.
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

/// An answer that no cache may keep.
fn private(body: impl IntoResponse) -> Response {
    let mut response = body.into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
