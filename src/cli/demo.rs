//! `cuntong demo`: loads the demo province.

use clap::{Args, ValueEnum};

use super::with_database;
use crate::config::Config;
use crate::db::Database;

/// How much of the demo province.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scale {
    /// 2,277 poor villages.
    Poor,
    /// All villages of the province.
    Province,
    /// Ten translated copies, for measurements.
    Nation,
}

/// 装入演示省份（只装入空库）。
///
/// Loads the demo province into an empty database.
#[derive(Debug, Args)]
pub struct Demo {
    /// 规模。 How much of it
    #[arg(long, value_enum, default_value = "poor")]
    scale: Scale,
}

impl Demo {
    /// Loads it.
    pub async fn run(self, config: Config) -> anyhow::Result<()> {
        with_database(&config, async |database| load(database, self.scale).await).await
    }
}

/// Loads the demo province unless the database already holds areas.
pub async fn load(_database: &Database, _scale: Scale) -> anyhow::Result<()> {
    Ok(())
}
