//! Integration tests: the real binary against a real PostGIS.

mod harness;

mod architecture;
mod demo;
mod documentation;
mod drill;
mod import;
mod people;
mod platform;
mod reports;
mod server;
mod sessions;
mod shapefile;
