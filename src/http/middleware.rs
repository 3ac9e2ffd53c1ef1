//! What surrounds every handler: request id, log line, counters, limits, security headers.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
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
    app.layer(from_fn(name_problems))
        .layer(CatchPanicLayer::custom(|panic: Box<dyn std::any::Any + Send>| {
            let said = panic
                .downcast_ref::<&str>()
                .map(ToString::to_string)
                .or_else(|| panic.downcast_ref::<String>().cloned())
                .unwrap_or_default();
            let error = Error::Internal(anyhow::anyhow!("a handler panicked: {said}"));
            axum::response::IntoResponse::into_response(error)
        }))
        .layer(from_fn(name_problems))
        .layer(DefaultBodyLimit::max(config.body_limit))
        .layer(RequestBodyLimitLayer::new(config.body_limit))
        .layer(from_fn_with_state(config, identify))
        .layer(from_fn_with_state(metrics, observe))
        .layer(from_fn(secure))
}

/// Gives the request its id and its client address, and a span for its log lines.
async fn identify(State(config): State<Arc<Config>>, mut request: Request, next: Next) -> Response {
    let id = wellformed_id(request.headers()).unwrap_or_else(|| Uuid::now_v7().to_string());
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical());
    if let Some(peer) = peer {
        let client = client_address(peer, request.headers(), &config.trusted_proxies);
        request.extensions_mut().insert(ClientAddress(client));
    }
    request.extensions_mut().insert(RequestId(id.clone()));
    let span = tracing::info_span!("request", id, method = %request.method(), path = request.uri().path());
    let mut response = next.run(request).instrument(span).await;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(X_REQUEST_ID.clone(), value);
    }
    response
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

/// Counts the answer and writes one log line for it.
async fn observe(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let route = request.extensions().get::<MatchedPath>().map(|matched| matched.as_str().to_owned());
    let response = next.run(request).await;
    let took = begun.elapsed();
    let status = response.status();
    let route = route.as_deref().unwrap_or("page");
    metrics.request(route, known_method(&method), status.as_u16(), took);
    let id = response.headers().get(&X_REQUEST_ID).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let ms = took.as_secs_f64() * 1000.0;
    // Tiles and files of the page come by the hundred; their lines would bury the others.
    let quiet = route == "page" || route.starts_with("/tiles") || !route.starts_with("/api");
    if status.is_server_error() {
        tracing::warn!(id, %method, path, status = status.as_u16(), ms, "answered");
    } else if quiet {
        tracing::debug!(id, %method, path, status = status.as_u16(), ms, "answered");
    } else {
        tracing::info!(id, %method, path, status = status.as_u16(), ms, "answered");
    }
    response
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
async fn name_problems(request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().cloned();
    let response = next.run(request).await;
    let is_problem = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes() == b"application/problem+json");
    let Some(RequestId(id)) = id.filter(|_| is_problem) else { return response };
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
async fn secure(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
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
    response
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
