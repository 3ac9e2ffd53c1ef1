//! `cuntong demo`: loads the demo province.

use clap::{Args, Subcommand};
use sqlx::Connection;

pub use crate::exchange::demo::Scale;

use super::with_database;
use crate::config::Config;
use crate::db::{Database, migrator};
use crate::exchange::demo::{self, DEFAULT_SEED, DemoOptions};

/// 演示省份。
///
/// The demo province: real names, codes and outlines, everything else made up.
#[derive(Debug, Args)]
pub struct Demo {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// 装入演示省份（只装入空库）。 Load it into an empty database
    Load {
        /// 规模。 How much of it
        #[arg(long, value_enum, default_value = "poor")]
        scale: Scale,
        /// 随机种子：同一种子，同一个省。 The same seed makes the same province
        #[arg(long, default_value_t = DEFAULT_SEED)]
        seed: u64,
    },
    /// Print the wrong reports that were put in on purpose, as CSV.
    #[command(hide = true)]
    Planted {
        #[arg(long, default_value_t = DEFAULT_SEED)]
        seed: u64,
    },
    /// Make it without a database and print rows and checksum of each table.
    #[command(hide = true)]
    Rehearse {
        #[arg(long, value_enum, default_value = "poor")]
        scale: Scale,
        #[arg(long, default_value_t = DEFAULT_SEED)]
        seed: u64,
    },
}

impl Demo {
    /// Does it.
    pub async fn run(self, config: Config) -> anyhow::Result<()> {
        match self.action {
            Action::Load { scale, seed } => {
                let options = DemoOptions { scale, seed, progress: true };
                with_database(&config, async |database| load_into(database, &options).await).await
            }
            Action::Planted { seed } => {
                let options = DemoOptions { scale: Scale::Poor, seed, progress: false };
                println!("kind,project_code,natural_village_code,what");
                for p in demo::rehearse(&options)?.1 {
                    println!("{},{},{},{}", p.kind, p.project, p.natural_village, p.what);
                }
                Ok(())
            }
            Action::Rehearse { scale, seed } => {
                let (summary, _) = demo::rehearse(&DemoOptions { scale, seed, progress: false })?;
                for (table, rows, checksum) in summary.tables {
                    println!("{table:24} {rows:>9} {}", &checksum[..16]);
                }
                println!("{:.1} s", summary.seconds);
                Ok(())
            }
        }
    }
}

/// For `serve --demo`: loads the demo province unless one is there already.
pub async fn load(database: &Database, scale: Scale) -> anyhow::Result<()> {
    load_into(database, &DemoOptions { scale, ..DemoOptions::default() }).await
}

async fn load_into(database: &Database, options: &DemoOptions) -> anyhow::Result<()> {
    let mut owner = database.connect_owner().await?;
    migrator::run(&mut owner).await?;
    if demo::is_loaded(&mut owner).await? {
        tracing::info!("the demo province is there already");
    } else {
        demo::load(&mut owner, options).await?;
    }
    owner.close().await?;
    Ok(())
}
