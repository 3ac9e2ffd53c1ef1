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
