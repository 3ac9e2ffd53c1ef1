//! Cuntong (村通): plans, tracks and verifies village infrastructure of a province.
//!
//! Who may import whom is written in docs/architecture.md and checked by a test.

pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod db;
pub mod domain;
pub mod error;
pub mod exchange;
pub mod http;
pub mod map;
pub mod telemetry;

/// The C library's allocator took a quarter of the time of a warm tile (measured with perf over 16
/// connections), and left more holes behind the load of the map.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
