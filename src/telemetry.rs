//! Logs and metrics.

/// Counters of this process.
#[derive(Debug, Default)]
pub struct Metrics {}
