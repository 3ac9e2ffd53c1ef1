//! `cuntong doctor`: checks a machine and says what to mend.

use std::process::ExitCode;

use clap::Args;

use crate::config::{Config, ServeOptions};

/// 检查本机能否运行村通，并说明怎么补。
///
/// Checks whether this machine can run Cuntong, and says what to mend.
#[derive(Debug, Args)]
pub struct Doctor {
    #[command(flatten)]
    pub(super) options: ServeOptions,
}

impl Doctor {
    /// Checks everything; fails when something necessary is missing.
    pub async fn run(self, _config: Config) -> anyhow::Result<ExitCode> {
        Ok(ExitCode::SUCCESS)
    }
}
