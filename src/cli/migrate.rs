//! `cuntong migrate`.

use clap::Args;
use sqlx::Connection;

use super::with_database;
use crate::config::Config;
use crate::db::migrator;

/// 升级数据库结构。请先备份。
///
/// Brings the database schema forward to this version of the program. Make a backup first.
#[derive(Debug, Args)]
pub struct Migrate {
    /// 只查看，不执行。 Only say what is missing
    #[arg(long)]
    dry_run: bool,
}

impl Migrate {
    /// Applies what is missing, or lists it.
    pub async fn run(self, config: Config) -> anyhow::Result<()> {
        with_database(&config, async |database| {
            let mut owner = database.connect_owner().await?;
            let standing = migrator::standing(&mut owner).await?;
            for version in &standing.unknown {
                println!("已由更新的程序升级 made by a newer program: {version}");
            }
            if self.dry_run {
                for version in &standing.missing {
                    println!("待执行 to be applied: {version}");
                }
            } else {
                let ran = migrator::run(&mut owner).await?;
                println!("完成，执行了 {ran} 个迁移。 Done: {ran} migrations applied.");
            }
            owner.close().await?;
            Ok(())
        })
        .await
    }
}
