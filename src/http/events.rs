//! `/api/v1/events`: the stream of changes (server-sent events).

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::Stream;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::AppState;
use super::tiles::scope_of;
use crate::map::cache::Scope;
use crate::map::events::{Missed, Told};
use crate::telemetry::Metrics;

/// A line that says nothing, so that proxies and browsers know the stream lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How often a stream makes sure that its session still holds.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Routes of this resource.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(events))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct EventParams {
    /// Go on after this change; the header Last-Event-ID says the same and wins.
    after: Option<u64>,
}

/// Changes as they happen: `hello` first, then `change` with `id:` the sequence; `reset` when the
/// page must load anew. People signed in get details, the public only layers and a box.
#[utoipa::path(
    get, path = "/api/v1/events", tag = "events", params(EventParams),
    responses((status = 200, description = "Server-sent events", content_type = "text/event-stream")),
)]
async fn events(
    State(state): State<AppState>,
    Query(params): Query<EventParams>,
    headers: HeaderMap,
) -> Response {
    let scope = scope_of(&state, &headers).await;
    let last = headers.get("last-event-id").and_then(|v| v.to_str().ok()).and_then(|v| v.trim().parse().ok());
    let after: Option<u64> = last.or(params.after);
    if let Some(after) = after {
        // A browser that was connected to another node may know more than this one does yet.
        let _ = state.map.wait_for(after, Duration::from_secs(1)).await;
    }
    let stream =
        Sse::new(follow(state, headers, scope, after)).keep_alive(KeepAlive::new().interval(HEARTBEAT));
    let no_buffer = [
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform")),
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
        (header::VARY, HeaderValue::from_static("Cookie")),
    ];
    (no_buffer, stream).into_response()
}

/// Counts a stream while it is open.
struct Watching(Arc<Metrics>);

impl Watching {
    fn new(metrics: &Arc<Metrics>) -> Self {
        metrics.watchers(1);
        Self(Arc::clone(metrics))
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.watchers(-1);
    }
}

fn follow(
    state: AppState,
    headers: HeaderMap,
    scope: Scope,
    after: Option<u64>,
) -> impl Stream<Item = Result<Event, Infallible>> {
    async_stream::stream! {
        let _watching = Watching::new(&state.metrics);
        let (missed, newest, mut receiver) = state.map.events().listen(after);
        let hello = json!({"seq": newest, "business_date": state.clock.business_date()});
        yield Ok(Event::default().event("hello").data(hello.to_string()));
        match missed {
            Missed::TooOld => {
                yield Ok(reset(newest));
            }
            Missed::Changes(changes) => {
                for told in changes {
                    if let Some(event) = change(&told, scope) {
                        yield Ok(event);
                    }
                }
            }
        }
        let mut look = tokio::time::interval(LOOK_AGAIN);
        look.tick().await;
        loop {
            tokio::select! {
                heard = receiver.recv() => match heard {
                    Ok(told) => {
                        if let Some(event) = change(&told, scope) {
                            yield Ok(event);
                        }
                    }
                    Err(RecvError::Lagged(_)) => {
                        // Too slow: let go, and let it load anew when it comes back.
                        yield Ok(reset(state.map.seq() as u64));
                        return;
                    }
                    Err(RecvError::Closed) => return,
                },
                _ = look.tick() => {
                    // A session that has ended hears no more details; one that began, more.
                    if scope_of(&state, &headers).await != scope {
                        yield Ok(reset(state.map.seq() as u64));
                        return;
                    }
                }
            }
        }
    }
}

fn change(told: &Told, scope: Scope) -> Option<Event> {
    let data = match scope {
        Scope::Staff => Some(&told.staff),
        Scope::Public => told.public.as_ref(),
    };
    data.map(|d| Event::default().id(told.seq.to_string()).event("change").data(&**d))
}

fn reset(seq: u64) -> Event {
    Event::default().id(seq.to_string()).event("reset").data(json!({ "seq": seq }).to_string())
}
