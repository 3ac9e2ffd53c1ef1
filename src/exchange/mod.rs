//! Formats in and out: workbooks of superiors, other programmes' layers, and the demo province.

pub mod demo;
pub mod gdal;
pub mod import;
pub mod sheets;
