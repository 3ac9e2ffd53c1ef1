//! Commands of the `cuntong` program, one file each. Only commands print to standard output.
#![allow(clippy::print_stdout)]

mod audit;
pub mod demo;
mod doctor;
pub mod import;
mod migrate;
mod serve;
mod tls;
mod user;

use std::process::ExitCode;

use anyhow::Context;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::{CommonOptions, Config, ServeOptions};

/// 村通：村庄基础设施的规划、填报、审核与一张图。
///
/// Cuntong plans, tracks and verifies village infrastructure: bureaus report what is built, the
/// map and the figures follow within a second.
#[derive(Debug, Parser)]
#[command(name = "cuntong", version, max_term_width = 110, arg_required_else_help = true, after_help = AFTER_HELP)]
struct Cli {
    #[command(flatten)]
    common: CommonOptions,
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
常用 Common:
  cuntong doctor                         检查本机，说明缺什么  Check this machine and say what is missing
  cuntong serve --demo poor              演示省份，浏览器打开 http://127.0.0.1:8080
  cuntong serve --config cuntong.toml    正式运行  In service

选项可写在命令行、环境变量或配置文件里，命令行优先。全部配置见 docs/operators/configuration.md。
Options come from flags, environment or file, in this order of weight: docs/operators/configuration.md.";

#[derive(Debug, Subcommand)]
enum Command {
    /// 启动服务：网页、接口和地图。 Serve the page, the API and the map
    Serve(serve::Serve),
    /// 升级数据库结构。 Bring the database schema forward
    Migrate(migrate::Migrate),
    /// 装入演示省份。 Load the demo province
    Demo(demo::Demo),
    /// 导入别的项目的 Shapefile（只导入空库）。 Import another programme's Shapefiles into an empty database
    Import(import::ImportArgs),
    /// 账号：新建、停用、授权、重设密码。 Accounts: add, disable, grant, set a password
    #[command(subcommand)]
    User(user::User),
    /// 审计链：校验、导出、签署检查点。 Audit chain: verify, export, sign a checkpoint
    #[command(subcommand)]
    Audit(audit::Audit),
    /// 检查本机，说明缺什么、怎么补。 Check this machine and say what to mend
    Doctor(doctor::Doctor),
    /// TLS 证书。 TLS certificates
    #[command(subcommand)]
    Tls(tls::Tls),
    /// Reads one layer inside the sandbox; the import starts it as a child.
    #[command(hide = true)]
    ReadLayer {
        /// What to read, as JSON.
        arguments: String,
    },
}

/// Parses the command line and runs the command.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("错误 Error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let Cli { common, command } = cli;
    if let Command::ReadLayer { arguments } = &command {
        // Before any thread is made: the sandbox holds for the thread that enters it and its children.
        import::read_layer(arguments)?;
        return Ok(ExitCode::SUCCESS);
    }
    let serve_options = match &command {
        Command::Serve(serve) => serve.options.clone(),
        Command::Doctor(doctor) => doctor.options.clone(),
        _ => ServeOptions::default(),
    };
    let config = Config::load(common, serve_options)?;
    // Commands speak through their own output; only the service narrates what it does.
    let filter = match &command {
        Command::Serve(_) => config.log.clone(),
        _ if config.log == "info" => "warn".to_owned(),
        _ => config.log.clone(),
    };
    crate::telemetry::init_logs(config.log_format, &filter)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting threads")?;
    let code = runtime.block_on(async {
        match command {
            Command::Serve(command) => command.run(config).await.map(|()| ExitCode::SUCCESS),
            Command::Migrate(command) => command.run(config).await.map(|()| ExitCode::SUCCESS),
            Command::Demo(command) => command.run(config).await.map(|()| ExitCode::SUCCESS),
            Command::Import(arguments) => {
                import_layers(&config, &arguments).await.map(|()| ExitCode::SUCCESS)
            }
            Command::User(command) => command.run(config).await.map(|()| ExitCode::SUCCESS),
            Command::Audit(command) => command.run(config).await,
            Command::Doctor(command) => command.run(config).await,
            Command::Tls(command) => command.run().map(|()| ExitCode::SUCCESS),
            Command::ReadLayer { .. } => unreachable!("answered above"),
        }
    });
    // Nothing that is still blocked (a stuck look-up, say) may hold up the end.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    code
}

async fn import_layers(config: &Config, arguments: &import::ImportArgs) -> anyhow::Result<()> {
    with_database(config, async |database| {
        database.migrate_or_refuse(database.is_embedded()).await?;
        let mut owner = database.connect_owner().await?;
        import::import(&mut owner, arguments).await?;
        Ok(())
    })
    .await
}

/// Every option of every command and of `serve` as a Markdown table, for the documentation.
pub fn configuration_table() -> String {
    let definition = Cli::command();
    let rows = |command: &clap::Command| -> String {
        command
            .get_arguments()
            .filter(|a| a.get_env().is_some())
            .map(|a| {
                let long = a.get_long().unwrap_or_default();
                let env = a.get_env().unwrap_or_default().to_string_lossy();
                let key =
                    if long == "config" { "—".to_owned() } else { format!("`{}`", long.replace('-', "_")) };
                let help = a.get_help().map(ToString::to_string).unwrap_or_default();
                format!("| `--{long}` | `{env}` | {key} | {} |\n", help.replace('|', "\\|"))
            })
            .collect()
    };
    let head = |title: &str| {
        format!(
            "### {title}\n\n| 选项 flag | 环境变量 environment | 文件 file | 含义 meaning |\n|---|---|---|---|\n"
        )
    };
    let mut table = head("所有命令 Every command") + &rows(&definition);
    if let Some(serve) = definition.find_subcommand("serve") {
        table += "\n";
        table += &head("`cuntong serve`");
        table += &rows(serve);
    }
    table
}

/// The definition of the command line, for the documentation and its test.
pub fn definition() -> clap::Command {
    Cli::command()
}

/// Whether these arguments are well-formed; for tests of documented command lines.
pub fn accepts(arguments: &[&str]) -> Result<(), String> {
    Cli::command()
        .try_get_matches_from(arguments)
        .and_then(|matches| Cli::from_arg_matches(&matches))
        .map(drop)
        .map_err(|error| error.to_string())
}

/// Runs `work` with the database of the configuration, and closes the database whatever happens.
pub(crate) async fn with_database<T>(
    config: &Config,
    work: impl AsyncFnOnce(&crate::db::Database) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let database = crate::db::Database::open(config).await?;
    let outcome = work(&database).await;
    let closed = database.close().await;
    let value = outcome?;
    closed?;
    Ok(value)
}
