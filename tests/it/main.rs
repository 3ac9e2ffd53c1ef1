//! Integration tests: the real binary against a real PostGIS.

mod harness;

mod architecture;
mod platform;

mod import;
mod shapefile;
