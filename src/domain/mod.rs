//! Pure rules and types: area codes, project lifecycle, figures, lights. No SQL, no clock, no await.

pub mod audit_chain;
pub mod flags;
pub mod lifecycle;
pub mod lights;
pub mod permit;
pub mod plan;
pub mod progress;
pub mod reporting;
pub mod scope;
pub mod sector;
