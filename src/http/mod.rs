//! HTTP: one file per resource. Routes, handlers, request and response types, OpenAPI.
// The attribute macros of utoipa write qualified names.
#![allow(unused_qualifications)]

pub mod areas;
pub mod ask;
pub mod auth;
pub mod events;
pub mod figures;
pub mod health;
pub mod history;
pub mod middleware;
pub mod natural_villages;
pub mod openapi;
pub mod programme;
pub mod projects;
pub mod reports;
pub mod reviews;
pub mod search;
pub mod server;
pub mod session;
pub mod sheets;
pub mod static_files;
pub mod tiles;
pub mod tls;
pub mod todo;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use sqlx::PgPool;
use utoipa_axum::router::OpenApiRouter;

use crate::clock::Clock;
use crate::config::Config;
use crate::db::ledger::Ledger;
use crate::map::LiveMap;
use crate::telemetry::Metrics;

/// What every handler can reach. Cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// Settings of this process.
    pub config: Arc<Config>,
    /// Connections as the role `cuntong_app`.
    pub pool: PgPool,
    /// The live map: tiles, figures and the stream of changes.
    pub map: Arc<LiveMap>,
    /// "Today" and now.
    pub clock: Clock,
    /// Counters for `/metrics`.
    pub metrics: Arc<Metrics>,
    /// Sessions looked up within the last second, for tiles.
    pub sessions: Arc<auth::SessionCache>,
    /// Lists and search: areas, names and slim projects in memory.
    pub ledger: Arc<Ledger>,
}

/// Every resource with its documentation. Paths are written in full at each handler.
pub fn api() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(programme::routes())
        .merge(session::routes())
        .merge(areas::routes())
        .merge(natural_villages::routes())
        .merge(search::routes())
        .merge(projects::routes())
        .merge(history::routes())
        .merge(reports::routes())
        .merge(reviews::routes())
        .merge(todo::routes())
        .merge(events::routes())
        .merge(figures::routes())
        .merge(tiles::routes())
        .merge(sheets::routes())
}

/// The OpenAPI description of everything under `/api` and `/tiles`.
pub fn openapi() -> utoipa::openapi::OpenApi {
    openapi::described(api().into_openapi())
}

/// All that the program answers, ready to serve.
pub fn router(state: AppState) -> Router {
    let (api, _) = api().split_for_parts();
    let app = api
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .merge(openapi::routes())
        .fallback(static_files::page)
        .with_state(state.clone());
    middleware::around(app, state.config, state.metrics)
}
