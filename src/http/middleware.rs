//! What surrounds every handler: request id, log line, counters, limits, security headers.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use http_body_util::BodyExt;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tracing::Instrument;
use uuid::Uuid;

use crate::config::Config;
use crate::error::Error;
use crate::telemetry::Metrics;

/// Name of one request, in its log lines, in its answer's `X-Request-Id` and in every problem.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// Address of the person's machine: of the connection, or what a trusted proxy says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// No script, style or data from anywhere else; style attributes that the page's own code sets in
/// its markup are let through, style elements are not.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; img-src 'self' data: blob:; \
    worker-src 'self' blob:; style-src 'self'; style-src-attr 'unsafe-inline'; connect-src 'self'; \
    object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Puts the layers around the routes. The first layer written is the innermost.
pub fn around(app: Router, config: Arc<Config>, metrics: Arc<Metrics>) -> Router {
    app.layer(CatchPanicLayer::custom(|panic: Box<dyn std::any::Any + Send>| {
        let said = panic
            .downcast_ref::<&str>()
            .map(ToString::to_string)
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_default();
        let error = Error::Internal(anyhow::anyhow!("a handler panicked: {said}"));
        axum::response::IntoResponse::into_response(error)
    }))
    .layer(DefaultBodyLimit::max(config.body_limit))
    .layer(RequestBodyLimitLayer::new(config.body_limit))
    // One layer and not four: each costs a copy of all that it surrounds, for every request.
    .layer(from_fn_with_state((config, metrics), attend))
}

/// Gives the request its id, its client address and a span for its log lines; counts the answer,
/// writes one line for it and sets the headers that every answer has.
async fn attend(
    State((config, metrics)): State<(Arc<Config>, Arc<Metrics>)>,
    mut request: Request,
    next: Next,
) -> Response {
    let begun = Instant::now();
    let id = wellformed_id(request.headers()).unwrap_or_else(|| Uuid::now_v7().to_string());
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical());
    if let Some(peer) = peer {
        let client = client_address(peer, request.headers(), &config.trusted_proxies);
        request.extensions_mut().insert(ClientAddress(client));
    }
    request.extensions_mut().insert(RequestId(id.clone()));
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let span = tracing::info_span!("request", id, %method, path = uri.path());
    let response = next.run(request).instrument(span).await;
    let mut response = name_problem(response, &id).await;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(X_REQUEST_ID.clone(), value);
    }
    secure(response.headers_mut());
    let route = route.as_ref().map_or("page", MatchedPath::as_str);
    let (status, took) = (response.status(), begun.elapsed());
    metrics.request(route, known_method(&method), status.as_u16(), took);
    tell(&id, &method, uri.path(), route, status, took);
    response
}

/// One log line for an answer.
fn tell(id: &str, method: &Method, path: &str, route: &str, status: StatusCode, took: Duration) {
    let (status_code, ms) = (status.as_u16(), took.as_secs_f64() * 1000.0);
    // Tiles and files of the page come by the hundred; their lines would bury the others.
    let quiet = !route.starts_with("/api");
    if status.is_server_error() {
        tracing::warn!(id, %method, path, status = status_code, ms, "answered");
    } else if quiet {
        tracing::debug!(id, %method, path, status = status_code, ms, "answered");
    } else {
        tracing::info!(id, %method, path, status = status_code, ms, "answered");
    }
}

/// An id from a proxy is taken over when nothing in it can confuse a log.
fn wellformed_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(&X_REQUEST_ID)?.to_str().ok()?;
    let fine = (8..=64).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    fine.then(|| id.to_owned())
}

/// The last address in X-Forwarded-For that is not a trusted proxy itself; what stands before it
/// could have been written by anybody.
fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> IpAddr {
    if !trusted.contains(&peer) {
        return peer;
    }
    let hops = headers.get_all(&X_FORWARDED_FOR).iter().filter_map(|v| v.to_str().ok());
    let hops: Vec<IpAddr> =
        hops.flat_map(|list| list.split(',')).filter_map(|hop| hop.trim().parse().ok()).collect();
    hops.into_iter().rev().find(|hop| !trusted.contains(hop)).unwrap_or(peer)
}

/// A label must not be whatever a stranger types.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        _ => "other",
    }
}

/// Writes the request id into the body of a problem, so that a person can name it on the phone.
async fn name_problem(response: Response, id: &str) -> Response {
    let is_problem = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes() == b"application/problem+json");
    if !is_problem {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = body.collect().await.map(http_body_util::Collected::to_bytes) else {
        return Response::builder()
            .status(StatusCode::INTERNAL_SERVER_ERROR)
            .body(Body::empty())
            .unwrap_or_default();
    };
    match serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&bytes) {
        Ok(mut problem) => {
            problem.insert("request_id".into(), id.into());
            let bytes = serde_json::to_vec(&problem).unwrap_or_else(|_| bytes.to_vec());
            parts.headers.remove(header::CONTENT_LENGTH);
            Response::from_parts(parts, Body::from(bytes))
        }
        Err(_) => Response::from_parts(parts, Body::from(bytes)),
    }
}

/// Headers that keep a browser from doing what the page never asks for.
fn secure(headers: &mut HeaderMap) {
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(self), geolocation=(self), microphone=(), payment=(), usb=()",
        ),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name.clone(), HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn only_a_trusted_proxy_may_name_the_client() {
        let proxy: IpAddr = "10.0.0.1".parse().unwrap();
        let forwarded = headers(&X_FORWARDED_FOR, "1.2.3.4, 19.8.7.6, 10.0.0.1");
        let stranger: IpAddr = "5.5.5.5".parse().unwrap();
        assert_eq!(client_address(stranger, &forwarded, &[proxy]), stranger);
        assert_eq!(client_address(proxy, &forwarded, &[proxy]), "19.8.7.6".parse::<IpAddr>().unwrap());
    }

    #[test]
    fn an_id_that_could_forge_a_log_line_is_replaced() {
        assert_eq!(wellformed_id(&headers(&X_REQUEST_ID, "abc-12345")).as_deref(), Some("abc-12345"));
        assert_eq!(wellformed_id(&headers(&X_REQUEST_ID, "abc 12345 status=200")), None);
        assert_eq!(wellformed_id(&headers(&X_REQUEST_ID, "short")), None);
    }
}
