//! Logs and metrics.

use std::fmt;
use std::io::IsTerminal;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// Starts writing log lines to standard error: text for people, JSON for collectors.
pub fn init_logs(format: LogFormat, filter: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter)
        .map_err(|error| anyhow::anyhow!("日志级别写错了。\nThe log filter is wrong: {error}"))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let outcome = match format {
        LogFormat::Text => builder.with_target(false).with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).with_current_span(true).try_init(),
    };
    outcome.map_err(|error| anyhow::anyhow!("logs: {error}"))
}

/// Labels of a request: the route as written in the program, never the address that was asked
/// for, so that the number of series stays small.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    route: String,
    method: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

type FloatGauge = Gauge<f64, AtomicU64>;

/// Counters of this process. All methods are cheap and may be called from anywhere.
pub struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    latency: Family<Route, Histogram, fn() -> Histogram>,
    connections: Gauge,
    connections_refused: Family<Outcome, Counter>,
    atlas_seq: Gauge,
    feed_lag: FloatGauge,
    change_applied: Histogram,
    tile_requests: Family<Outcome, Counter>,
    tile_cache_bytes: Gauge,
    watchers: Gauge,
    writes: Family<Outcome, Counter>,
    pool_size: Gauge,
    pool_idle: Gauge,
    lock_waiting: Gauge,
    lock_wait: FloatGauge,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

/// From 1 ms to 8 s by doubling: a tile takes less than the first, a report about the fifth.
fn seconds_histogram() -> Histogram {
    Histogram::new((0..14).map(|power| 0.001 * f64::from(1 << power)))
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("cuntong");
        let latency: Family<Route, Histogram, fn() -> Histogram> =
            Family::new_with_constructor(seconds_histogram);
        let change_applied = seconds_histogram();
        macro_rules! registered {
            ($name:literal, $help:literal, $metric:expr) => {{
                let metric = $metric;
                registry.register($name, $help, metric.clone());
                metric
            }};
            ($name:literal, $help:literal, $unit:expr, $metric:expr) => {{
                let metric = $metric;
                registry.register_with_unit($name, $help, $unit, metric.clone());
                metric
            }};
        }
        Self {
            requests: registered!("http_requests", "Requests answered", Family::default()),
            latency: registered!("http_request_duration", "Time to answer", Unit::Seconds, latency),
            connections: registered!("http_connections", "Connections open now", Gauge::default()),
            connections_refused: registered!(
                "http_connections_dropped",
                "Connections closed because a head or a handshake did not arrive in time",
                Family::default()
            ),
            atlas_seq: registered!("atlas_seq", "Change that the map of this node shows", Gauge::default()),
            feed_lag: registered!(
                "feed_lag",
                "Age of the oldest committed change that the map does not show yet",
                Unit::Seconds,
                FloatGauge::default()
            ),
            change_applied: registered!(
                "change_applied",
                "From commit of a change to browsers being told of it",
                Unit::Seconds,
                change_applied
            ),
            tile_requests: registered!("tile_requests", "Tiles by where they came from", Family::default()),
            tile_cache_bytes: registered!(
                "tile_cache",
                "Memory of cached tiles",
                Unit::Bytes,
                Gauge::default()
            ),
            watchers: registered!("event_watchers", "Browsers that follow changes", Gauge::default()),
            writes: registered!("writes", "Writes by outcome", Family::default()),
            pool_size: registered!("pool_connections", "Connections to the database", Gauge::default()),
            pool_idle: registered!("pool_idle_connections", "Connections not in use", Gauge::default()),
            lock_waiting: registered!("lock_waiting", "Writes that wait for a lock now", Gauge::default()),
            lock_wait: registered!(
                "lock_wait",
                "Longest wait for a lock at this moment",
                Unit::Seconds,
                FloatGauge::default()
            ),
            registry,
        }
    }
}

impl Metrics {
    /// A request was answered.
    pub fn request(&self, route: &str, method: &str, status: u16, took: Duration) {
        let labels = Request { route: route.to_owned(), method: method.to_owned(), status };
        self.requests.get_or_create(&labels).inc();
        self.latency.get_or_create(&Route { route: route.to_owned() }).observe(took.as_secs_f64());
    }

    /// A connection was opened; close it with [`Metrics::connection_closed`].
    pub fn connection_opened(&self) {
        self.connections.inc();
    }

    /// A connection was closed.
    pub fn connection_closed(&self) {
        self.connections.dec();
    }

    /// A connection was closed by us: `why` is `head_timeout` or `handshake`.
    pub fn connection_dropped(&self, why: &'static str) {
        self.connections_refused.get_or_create(&Outcome { outcome: why }).inc();
    }

    /// The map shows everything up to this change.
    pub fn atlas_at(&self, seq: i64) {
        self.atlas_seq.set(seq);
    }

    /// How far the map lags behind the feed; zero when it has caught up.
    pub fn feed_lag(&self, lag: Duration) {
        self.feed_lag.set(lag.as_secs_f64());
    }

    /// A change went from commit to the browsers.
    pub fn change_told(&self, took: Duration) {
        self.change_applied.observe(took.as_secs_f64());
    }

    /// A tile was asked for: `outcome` is `hit`, `miss`, `not_modified` or `empty`.
    pub fn tile(&self, outcome: &'static str) {
        self.tile_requests.get_or_create(&Outcome { outcome }).inc();
    }

    /// Memory of cached tiles, bytes.
    pub fn tile_cache_bytes(&self, bytes: u64) {
        self.tile_cache_bytes.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    /// A browser began or ended to follow changes.
    pub fn watchers(&self, delta: i64) {
        self.watchers.inc_by(delta);
    }

    /// A write ended: `outcome` is `committed`, `refused`, `repeated` or `failed`.
    pub fn write(&self, outcome: &'static str) {
        self.writes.get_or_create(&Outcome { outcome }).inc();
    }

    /// State of the pool at this moment.
    pub fn pool(&self, size: u32, idle: usize) {
        self.pool_size.set(size.into());
        self.pool_idle.set(i64::try_from(idle).unwrap_or(i64::MAX));
    }

    /// Writes that wait for a lock at this moment, and the longest of the waits.
    pub fn locks(&self, waiting: i64, longest: Duration) {
        self.lock_waiting.set(waiting);
        self.lock_wait.set(longest.as_secs_f64());
    }

    /// Everything in the text format of Prometheus (OpenMetrics 1.0).
    pub fn encode(&self) -> String {
        let mut text = String::new();
        // Writing into a String does not fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry);
        text
    }
}
