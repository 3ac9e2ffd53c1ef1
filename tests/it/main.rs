//! Integration tests: the real binary against a real PostGIS.

mod harness;
mod people;

mod architecture;
mod demo;
mod import;
mod platform;
mod reports;
mod sessions;
mod shapefile;
