//! What the crate promises, tested through its public interface.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that panics has failed")]

mod counts;
mod exact;
mod limits;
mod mlt;
mod polygons;
mod read;
mod store;
mod world;
