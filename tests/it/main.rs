//! Integration tests: the real binary against a real PostGIS.

mod harness;

mod architecture;
mod demo;
mod import;
mod people;
mod platform;
mod reports;
mod sessions;
mod shapefile;
