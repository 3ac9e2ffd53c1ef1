//! `cuntong audit`: verify, export, checkpoint.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use sqlx::Connection;

use super::with_database;
use crate::app::audit::{self, Checkpoint, Finding};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::audit_chain::Head;

/// 审计链。 The audit chain
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// 校验审计链，指出第一条被改动的记录。 Recompute every chain and name the first broken row
    Verify(Verify),
    /// 导出审计链，可离线校验。 Write the chains to a file that can be verified offline
    Export(Export),
    /// 签署检查点，另行保存。 Sign where the chains stand; keep it elsewhere
    Checkpoint(MakeCheckpoint),
}

/// Options of `cuntong audit verify`.
#[derive(Debug, Args)]
pub struct Verify {
    /// 校验导出文件而不是数据库。 Verify this export instead of the database
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// 还须包含此检查点。 The chains must still contain this checkpoint
    #[arg(long, value_name = "FILE", requires = "public_key")]
    checkpoint: Option<PathBuf>,
    /// 检查点的公钥：文件或 64 位十六进制数。 Public key of the checkpoint: a file or 64 hexadecimal digits
    #[arg(long, value_name = "KEY")]
    public_key: Option<String>,
}

/// Options of `cuntong audit export`.
#[derive(Debug, Args)]
pub struct Export {
    /// 写入文件 [默认：标准输出]。 Write to this file [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Options of `cuntong audit checkpoint`.
#[derive(Debug, Args)]
pub struct MakeCheckpoint {
    /// 签名私钥文件，不要放在数据库服务器上。 File of the signing key; keep it off the database's machine
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// 密钥文件不存在时新建，公钥写入 FILE.pub。 Make the key when the file is not there; its public half goes to FILE.pub
    #[arg(long)]
    create_key: bool,
    /// 写入文件 [默认：标准输出]。 Write to this file [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Audit {
    /// Runs it. Exit code 1 when a chain is broken.
    pub async fn run(self, config: Config) -> anyhow::Result<ExitCode> {
        match self {
            Self::Verify(command) => command.run(config).await,
            Self::Export(command) => command.run(config).await.map(|()| ExitCode::SUCCESS),
            Self::Checkpoint(command) => command.run(config).await.map(|()| ExitCode::SUCCESS),
        }
    }
}

impl Verify {
    async fn run(self, config: Config) -> anyhow::Result<ExitCode> {
        let signed = match &self.checkpoint {
            Some(file) => self.signed_heads(file)?,
            None => Vec::new(),
        };
        let finding: Finding = match &self.file {
            Some(file) => audit::verify_export(BufReader::new(open(file)?), signed)?,
            None => {
                with_database(&config, async |database| {
                    let mut owner = database.connect_owner().await?;
                    let finding = audit::verify(&mut owner, signed).await;
                    owner.close().await?;
                    finding
                })
                .await?
            }
        };
        match finding {
            Ok(whole) => {
                println!(
                    "审计链完整：{0} 条链，{1} 条记录。 Whole: {0} chains, {1} entries.",
                    whole.chains, whole.entries
                );
                Ok(ExitCode::SUCCESS)
            }
            Err(breaks) => {
                for b in &breaks {
                    let at = if b.recorded_at.is_empty() { "-" } else { &b.recorded_at };
                    println!(
                        "断裂 Broken: chain={} seq={} recorded_at={at}  {} {}",
                        b.chain, b.seq, b.zh, b.en
                    );
                }
                println!("共 {0} 条链断裂。 {0} chains are broken.", breaks.len());
                Ok(ExitCode::FAILURE)
            }
        }
    }

    fn signed_heads(&self, file: &Path) -> anyhow::Result<Vec<Head>> {
        let Some(key) = &self.public_key else { bail!("--public-key") };
        let key = match std::fs::read_to_string(key) {
            Ok(text) => audit::read_public_key(&text)?,
            Err(_) => audit::read_public_key(key)?,
        };
        let checkpoint: Checkpoint = serde_json::from_reader(BufReader::new(open(file)?))
            .with_context(|| file.display().to_string())?;
        checkpoint.open(&key)
    }
}

impl Export {
    async fn run(self, config: Config) -> anyhow::Result<()> {
        let mut out = BufWriter::new(writer(self.out.as_deref())?);
        let count = with_database(&config, async |database| {
            let mut owner = database.connect_owner().await?;
            let count = audit::export(&mut owner, &mut out).await;
            owner.close().await?;
            count
        })
        .await?;
        if let Some(file) = &self.out {
            println!("导出 {count} 条记录 {count} entries written: {}", file.display());
        }
        Ok(())
    }
}

impl MakeCheckpoint {
    async fn run(self, config: Config) -> anyhow::Result<()> {
        let key = match std::fs::read_to_string(&self.key) {
            Ok(text) => audit::read_key(&text)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && self.create_key => {
                let key = audit::new_key();
                write_private(&self.key, &hex::encode(key.to_bytes()))?;
                let public = self.key.with_added_extension("pub");
                std::fs::write(&public, format!("{}\n", hex::encode(key.verifying_key().as_bytes())))
                    .with_context(|| public.display().to_string())?;
                eprintln!("已新建密钥 Made a key: {} ({})", self.key.display(), public.display());
                key
            }
            Err(error) => {
                return Err(error).with_context(|| {
                    format!("{}（新建请加 --create-key；to make one: --create-key）", self.key.display())
                });
            }
        };
        let now = Clock::default().now();
        let checkpoint = with_database(&config, async |database| {
            let mut owner = database.connect_owner().await?;
            let checkpoint = audit::checkpoint(&mut owner, &key, now).await;
            owner.close().await?;
            checkpoint
        })
        .await?;
        let mut out = writer(self.out.as_deref())?;
        writeln!(out, "{}", serde_json::to_string_pretty(&checkpoint)?)?;
        out.flush()?;
        if let Some(file) = &self.out {
            println!("已签署 {0} 条链 Signed {0} chains: {1}", checkpoint.chains(), file.display());
        }
        Ok(())
    }
}

fn open(file: &Path) -> anyhow::Result<File> {
    File::open(file).with_context(|| file.display().to_string())
}

fn writer(file: Option<&Path>) -> anyhow::Result<Box<dyn Write + Send>> {
    Ok(match file {
        Some(file) => Box::new(File::create(file).with_context(|| file.display().to_string())?),
        None => Box::new(std::io::stdout()),
    })
}

/// Writes a file that nobody else can read; refuses to overwrite one.
fn write_private(file: &Path, text: &str) -> anyhow::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut out = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .with_context(|| file.display().to_string())?;
    writeln!(out, "{text}")?;
    out.sync_all()?;
    Ok(())
}
