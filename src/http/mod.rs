//! HTTP: one file per resource. Routes, handlers, request and response types, OpenAPI.

use std::sync::Arc;

use sqlx::PgPool;

use crate::clock::Clock;
use crate::config::Config;
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
}
