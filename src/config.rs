//! One struct of configuration, from flags, environment and file, in this order of weight.
//!
//! [`CommonOptions`] and [`ServeOptions`] are what a person may give; [`Config`] is what the
//! program works with. The table in docs/operators/configuration.md is written from the clap
//! definition below; a test fails when the two differ.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, bail};
use chrono::NaiveDate;
use clap::{Args, ValueEnum};
use serde::Deserialize;

/// A value that never shows in logs: `Debug` prints three stars.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The value itself. Never log it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl FromStr for Secret {
    type Err = std::convert::Infallible;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Ok(Self(s.to_owned()))
    }
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// One line for a human reader.
    #[default]
    Text,
    /// One JSON object a line, for a log collector.
    Json,
}

/// Options of every command.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CommonOptions {
    /// 配置文件（TOML），键名同选项名，连字符写成下划线。
    /// Configuration file (TOML); keys are the option names with underscores
    #[arg(long, env = "CUNTONG_CONFIG", value_name = "FILE", global = true, help_heading = COMMON)]
    #[serde(skip)]
    pub config: Option<PathBuf>,
    /// 数据目录，内置数据库在其中 [默认：root 为 /var/lib/cuntong，其他用户为 ~/.local/share/cuntong]。
    /// Data directory, home of the embedded database [default: as above]
    #[arg(long, env = "CUNTONG_DATA_DIR", value_name = "DIR", global = true, help_heading = COMMON)]
    pub data_dir: Option<PathBuf>,
    /// 外部 PostgreSQL 地址；不给则用内置数据库。
    /// Use this PostgreSQL instead of the embedded one: postgres://user:password@host/database
    #[arg(long, env = "DATABASE_URL", value_name = "URL", hide_env_values = true, global = true, help_heading = COMMON)]
    pub database_url: Option<Secret>,
    /// 外部 PostgreSQL 的属主账号地址，用于迁移、导入、演示数据 [默认：同 database-url]。
    /// The same server as the owner of the tables: migrations, imports, demo data [default: database-url]
    #[arg(long, env = "CUNTONG_OWNER_DATABASE_URL", value_name = "URL", hide_env_values = true, global = true, help_heading = COMMON)]
    pub owner_database_url: Option<Secret>,
    /// PostgreSQL 程序目录 [默认：自动查找最新的 15 以上版本]。
    /// Directory of initdb and postgres for the embedded database [default: the newest found, 15 or later]
    #[arg(long, env = "CUNTONG_POSTGRES_BIN", value_name = "DIR", global = true, help_heading = COMMON)]
    pub postgres_bin: Option<PathBuf>,
    /// 日志格式 [默认：text]。 Log format [default: text]
    #[arg(long, env = "CUNTONG_LOG_FORMAT", value_name = "FORMAT", global = true, help_heading = COMMON)]
    pub log_format: Option<LogFormat>,
    /// 日志级别，如 info 或 cuntong=debug,sqlx=warn [默认：info]。 Log filter [default: info]
    #[arg(long, env = "CUNTONG_LOG", value_name = "FILTER", global = true, help_heading = COMMON)]
    pub log: Option<String>,
    /// 业务日期，代替今天（演示库为 2020-10-31）[默认：今天，北京时间]。
    /// Business date instead of today [default: today in Asia/Shanghai; a demo database brings its own]
    #[arg(long, env = "CUNTONG_BUSINESS_DATE", value_name = "DATE", global = true, help_heading = COMMON)]
    pub business_date: Option<NaiveDate>,
}

/// Options of `cuntong serve`.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServeOptions {
    /// 监听地址 [默认：127.0.0.1:8080]。 Address to listen on [default: 127.0.0.1:8080]
    #[arg(long, env = "CUNTONG_LISTEN", value_name = "ADDR:PORT")]
    pub listen: Option<SocketAddr>,
    /// TLS 证书链（PEM）。 TLS certificate chain (PEM); needs --tls-key
    #[arg(long, env = "CUNTONG_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// TLS 私钥（PEM）。 TLS private key (PEM); needs --tls-cert
    #[arg(long, env = "CUNTONG_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// 对外网址，有反向代理时填写；同源检查和 Secure Cookie 依它判断。
    /// Address that users type, when a proxy stands before: origin checks and Secure cookies follow it
    #[arg(long, env = "CUNTONG_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,
    /// 可信反向代理的 IP，逗号分隔；只有它们的 X-Forwarded-For 才算数。
    /// IPs of trusted proxies, comma-separated; X-Forwarded-For counts from them only
    #[arg(long, env = "CUNTONG_TRUSTED_PROXIES", value_name = "IP,…", value_delimiter = ',')]
    pub trusted_proxies: Option<Vec<IpAddr>>,
    /// 同时打开的连接数上限 [默认：8192]。 Most connections open at one time [default: 8192]
    #[arg(long, env = "CUNTONG_MAX_CONNECTIONS", value_name = "N")]
    pub max_connections: Option<usize>,
    /// 读完一个请求头的时限，秒 [默认：30]。 Seconds within which a request's head must arrive [default: 30]
    #[arg(long, env = "CUNTONG_HEADER_READ_TIMEOUT", value_name = "SECONDS")]
    pub header_read_timeout: Option<u64>,
    /// 请求体上限，KiB [默认：1024]。 Largest request body, KiB [default: 1024]
    #[arg(long, env = "CUNTONG_BODY_LIMIT", value_name = "KIB")]
    pub body_limit: Option<usize>,
    /// 数据库连接池大小 [默认：16]。 Connections to the database [default: 16]
    #[arg(long, env = "CUNTONG_POOL_SIZE", value_name = "N")]
    pub pool_size: Option<u32>,
    /// 瓦片缓存，MiB [默认：256]。 Memory for encoded tiles, MiB [default: 256]
    #[arg(long, env = "CUNTONG_TILE_CACHE", value_name = "MIB")]
    pub tile_cache: Option<usize>,
    /// 登录有效时间，小时 [默认：12]。 Hours a sign-in lasts [default: 12]
    #[arg(long, env = "CUNTONG_SESSION_HOURS", value_name = "HOURS")]
    pub session_hours: Option<u32>,
    /// 同一账号在 15 分钟内可输错密码的次数 [默认：10]。
    /// Wrong passwords for one account within 15 minutes [default: 10]
    #[arg(long, env = "CUNTONG_SIGN_IN_LIMIT_ACCOUNT", value_name = "N")]
    pub sign_in_limit_account: Option<u32>,
    /// 同一地址在 15 分钟内可输错密码的次数（一个单位共用一个地址）[默认：100]。
    /// Wrong passwords from one address within 15 minutes; a bureau shares one [default: 100]
    #[arg(long, env = "CUNTONG_SIGN_IN_LIMIT_ADDRESS", value_name = "N")]
    pub sign_in_limit_address: Option<u32>,
}

const COMMON: &str = "通用选项 Options of every command";

/// Certificate and key files of the TLS server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// PEM file with the certificate chain, the server's own first.
    pub cert: PathBuf,
    /// PEM file with the private key.
    pub key: PathBuf,
}

/// Settings of the program.
#[derive(Debug, Clone)]
pub struct Config {
    /// Home of the embedded database and of what the program keeps.
    pub data_dir: PathBuf,
    /// External server; `None` means the embedded cluster.
    pub database_url: Option<Secret>,
    /// External server as the owner of the tables.
    pub owner_database_url: Option<Secret>,
    /// Directory of the PostgreSQL programs, when not to be searched.
    pub postgres_bin: Option<PathBuf>,
    /// How log lines are written.
    pub log_format: LogFormat,
    /// Which log lines are written (`tracing` filter).
    pub log: String,
    /// Fixed business date.
    pub business_date: Option<NaiveDate>,
    /// Address to listen on.
    pub listen: SocketAddr,
    /// TLS files; plain HTTP without.
    pub tls: Option<TlsFiles>,
    /// Address that users type, without a slash at its end.
    pub public_url: Option<String>,
    /// Proxies whose X-Forwarded-For counts.
    pub trusted_proxies: Vec<IpAddr>,
    /// Most connections open at one time.
    pub max_connections: usize,
    /// Time within which a request's head must arrive.
    pub header_read_timeout: Duration,
    /// Largest request body, bytes.
    pub body_limit: usize,
    /// Connections to the database.
    pub pool_size: u32,
    /// Memory for encoded tiles, bytes.
    pub tile_cache_bytes: usize,
    /// How long a sign-in lasts.
    pub session_lifetime: Duration,
    /// Wrong passwords allowed for one account within [`Config::SIGN_IN_WINDOW`].
    pub sign_in_limit_account: u32,
    /// Wrong passwords allowed from one address within [`Config::SIGN_IN_WINDOW`].
    pub sign_in_limit_address: u32,
}

impl Config {
    /// Time over which wrong passwords are counted.
    pub const SIGN_IN_WINDOW: Duration = Duration::from_secs(15 * 60);

    /// Joins flags and environment (already joined by clap) with the file, and fills in defaults.
    pub fn load(common: CommonOptions, serve: ServeOptions) -> anyhow::Result<Self> {
        let (file_common, file_serve) = match &common.config {
            Some(path) => read_file(path)?,
            None => Default::default(),
        };
        Self::resolve(common.or(file_common), serve.or(file_serve))
    }

    fn resolve(common: CommonOptions, serve: ServeOptions) -> anyhow::Result<Self> {
        let tls = match (serve.tls_cert, serve.tls_key) {
            (Some(cert), Some(key)) => Some(TlsFiles { cert, key }),
            (None, None) => None,
            _ => bail!(
                "tls-cert 和 tls-key 必须同时给出。\n\
                 tls-cert and tls-key are given together or not at all."
            ),
        };
        let data_dir = match common.data_dir {
            Some(dir) => std::path::absolute(&dir).with_context(|| format!("{}", dir.display()))?,
            None => default_data_dir()?,
        };
        if serve.max_connections == Some(0) || serve.pool_size.is_some_and(|n| n < 2) {
            bail!(
                "max-connections 至少为 1，pool-size 至少为 2。\n\
                 max-connections is at least 1, pool-size at least 2."
            );
        }
        Ok(Self {
            data_dir,
            database_url: common.database_url,
            owner_database_url: common.owner_database_url,
            postgres_bin: common.postgres_bin,
            log_format: common.log_format.unwrap_or_default(),
            log: common.log.unwrap_or_else(|| "info".to_owned()),
            business_date: common.business_date,
            listen: serve.listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8080))),
            tls,
            public_url: serve.public_url.map(|url| url.trim_end_matches('/').to_owned()),
            trusted_proxies: serve.trusted_proxies.unwrap_or_default(),
            max_connections: serve.max_connections.unwrap_or(8192),
            header_read_timeout: Duration::from_secs(serve.header_read_timeout.unwrap_or(30).max(1)),
            body_limit: serve.body_limit.unwrap_or(1024) * 1024,
            pool_size: serve.pool_size.unwrap_or(16),
            tile_cache_bytes: serve.tile_cache.unwrap_or(256) * 1024 * 1024,
            session_lifetime: Duration::from_secs(u64::from(serve.session_hours.unwrap_or(12)) * 3600),
            sign_in_limit_account: serve.sign_in_limit_account.unwrap_or(10),
            sign_in_limit_address: serve.sign_in_limit_address.unwrap_or(100),
        })
    }

    /// Whether browsers reach us by https, so that cookies may be `Secure`.
    pub fn secure_cookies(&self) -> bool {
        match &self.public_url {
            Some(url) => url.starts_with("https://"),
            None => self.tls.is_some(),
        }
    }
}

impl Default for Config {
    /// All defaults, with the data directory `.data`; for tests.
    fn default() -> Self {
        let common = CommonOptions { data_dir: Some(PathBuf::from("/tmp")), ..Default::default() };
        Self::resolve(common, ServeOptions::default()).unwrap_or_else(|_| unreachable!("defaults are valid"))
    }
}

/// Root keeps data where a service does; everybody else in their own home.
fn default_data_dir() -> anyhow::Result<PathBuf> {
    if rustix::process::geteuid().is_root() {
        return Ok(PathBuf::from("/var/lib/cuntong"));
    }
    let from_env = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    from_env("XDG_DATA_HOME")
        .or_else(|| from_env("HOME").map(|home| home.join(".local/share")))
        .map(|base| base.join("cuntong"))
        .context("没有 HOME 环境变量，请用 --data-dir 指定数据目录。\nHOME is not set; give --data-dir.")
}

/// The file holds the keys of both groups in one flat table.
fn read_file(path: &Path) -> anyhow::Result<(CommonOptions, ServeOptions)> {
    let place = || format!("配置文件 {0} 有误。\nConfiguration file {0}:", path.display());
    let text = std::fs::read_to_string(path).with_context(place)?;
    let table: toml::Table = text.parse().with_context(place)?;
    let (common, serve): (toml::Table, toml::Table) =
        table.into_iter().partition(|(key, _)| CommonOptions::KEYS.contains(&key.as_str()));
    Ok((common.try_into().with_context(place)?, serve.try_into().with_context(place)?))
}

macro_rules! layered {
    ($type:ident: $($field:ident)*) => {
        impl $type {
            /// Keys that the configuration file may have for this group.
            pub const KEYS: &[&str] = &[$(stringify!($field)),*];
            /// What `self` leaves open is taken from `below`.
            fn or(self, below: Self) -> Self {
                #[allow(clippy::needless_update)] // only some of the structs have fields beyond the layered ones
            Self { $($field: self.$field.or(below.$field),)* ..Default::default() }
            }
        }
    };
}
layered!(CommonOptions: data_dir database_url owner_database_url postgres_bin log_format log business_date);
layered!(ServeOptions: listen tls_cert tls_key public_url trusted_proxies max_connections header_read_timeout
    body_limit pool_size tile_cache session_hours sign_in_limit_account sign_in_limit_address);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_fills_what_flags_leave_open() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cuntong.toml");
        std::fs::write(
            &path,
            "listen = \"0.0.0.0:9000\"\npool_size = 4\ndatabase_url = \"postgres://u:geheim@h/d\"\n",
        )
        .unwrap();
        let common = CommonOptions { config: Some(path), data_dir: Some("/x".into()), ..Default::default() };
        let serve = ServeOptions { pool_size: Some(8), ..Default::default() };
        let config = Config::load(common, serve).unwrap();
        assert_eq!(config.listen.port(), 9000);
        assert_eq!(config.pool_size, 8);
        assert!(!format!("{config:?}").contains("geheim"), "secrets never show");
    }

    #[test]
    fn an_unknown_key_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cuntong.toml");
        std::fs::write(&path, "lisen = \"0.0.0.0:9000\"\n").unwrap();
        let error =
            Config::load(CommonOptions { config: Some(path), ..Default::default() }, ServeOptions::default())
                .unwrap_err();
        assert!(format!("{error:#}").contains("lisen"), "{error:#}");
    }

    #[test]
    fn half_of_tls_is_refused() {
        let serve = ServeOptions { tls_cert: Some("/c".into()), ..Default::default() };
        assert!(Config::load(CommonOptions::default(), serve).is_err());
    }
}
