//! Integration tests: the real binary against a real PostGIS.

mod harness;
mod mvt;
mod people;

mod architecture;
mod demo;
mod documentation;
mod drill;
mod import;
mod platform;
mod reports;
mod server;
mod sessions;
mod shapefile;
mod tiles_http;
mod tiles_oracle;
mod tiles_race;
