//! Integration tests: the real binary against a real PostGIS.
// A test may stop where it stands: that is its way of failing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]
#![allow(clippy::items_after_statements, clippy::type_complexity, clippy::unused_self)]
#![allow(clippy::cloned_ref_to_slice_refs)]

mod harness;

mod architecture;
mod areas;
mod audit;
mod cut_connections;
mod demo;
mod documentation;
mod drill;
mod history;
mod import;
mod mvt;
mod natural_villages;
mod openapi;
mod people;
mod permissions;
mod platform;
mod programme;
mod projects;
mod reads;
mod reports;
mod reviews;
mod search;
mod server;
mod sessions;
mod shapefile;
mod sheets;
mod tiles_http;
mod tiles_oracle;
mod tiles_race;
mod todo;
