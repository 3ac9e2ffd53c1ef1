//! Formats in and out, and the demo province.

pub mod demo;
pub mod gdal;
pub mod import;
