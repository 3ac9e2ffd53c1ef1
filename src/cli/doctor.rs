//! `cuntong doctor`: checks a machine and says what to mend.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Args;
use landlock::{ABI, Access, AccessFs, CompatLevel, Compatible, Ruleset, RulesetAttr};

use crate::config::{Config, ServeOptions};
use crate::db::Database;
use crate::db::cluster::{self, Binaries, Identity, PATH_LIMIT, ServeLock};
use crate::http::{static_files, tls};

/// 检查本机能否运行村通，并说明怎么补。
///
/// Checks whether this machine can run Cuntong, and says what to mend. Ends with 1 when something
/// necessary is missing. Takes the options of `serve`, and checks what they name.
#[derive(Debug, Args)]
pub struct Doctor {
    #[command(flatten)]
    pub(super) options: ServeOptions,
}

/// Outcome of one check.
enum Finding {
    /// As it should be; what was found.
    Fine(String),
    /// Works, but something is worse than it could be; and how to mend it.
    Weak(String, String),
    /// Does not work; and how to mend it.
    Broken(String, String),
}
use Finding::{Broken, Fine, Weak};

impl Doctor {
    /// Checks everything; fails when something necessary is missing.
    pub async fn run(self, config: Config) -> anyhow::Result<ExitCode> {
        println!("村通 {} 检查本机 checks this machine\n", env!("CARGO_PKG_VERSION"));
        let mut broken = 0;
        let mut say = |name: &str, finding: Finding| {
            let (mark, found, mend) = match finding {
                Fine(found) => ("✓", found, None),
                Weak(found, mend) => ("!", found, Some(mend)),
                Broken(found, mend) => {
                    broken += 1;
                    ("✗", found, Some(mend))
                }
            };
            println!("{mark} {name}: {found}");
            if let Some(mend) = mend {
                println!("    → {mend}");
            }
        };
        if config.database_url.is_some() {
            say("数据库 database", external(&config).await);
        } else {
            let running = ServeLock::is_held(&config.data_dir);
            for (name, finding) in postgres(&config) {
                say(name, finding);
            }
            say("数据目录 data directory", data_dir(&config, running));
            say("磁盘空间 disk space", disk(&config.data_dir));
            say("套接字 socket", socket(&config.data_dir));
        }
        say("端口 port", port(&config));
        say("证书 TLS", certificates(&config));
        say("网页 page", page());
        say("GDAL", gdal());
        say("沙箱 sandbox", sandbox());
        say("字体 fonts", fonts());
        say("内存 memory", memory());
        println!();
        if broken == 0 {
            println!("可以运行：cuntong serve。 Ready for cuntong serve.");
            return Ok(ExitCode::SUCCESS);
        }
        println!("有 {broken} 项需要先解决。 {broken} to be mended first.");
        Ok(ExitCode::FAILURE)
    }
}

fn one_line(error: &anyhow::Error) -> String {
    format!("{error:#}").replace('\n', " ")
}

async fn external(config: &Config) -> Finding {
    match Database::open(config).await {
        Ok(database) => {
            let _ = database.close().await;
            Fine("外部 PostgreSQL 满足要求 the external server meets the requirements".into())
        }
        Err(error) => {
            Broken("外部 PostgreSQL external server".into(), format!("{error:#}").replace('\n', "\n      "))
        }
    }
}

fn postgres(config: &Config) -> Vec<(&'static str, Finding)> {
    match Binaries::find(config.postgres_bin.as_deref(), None) {
        Err(error) => vec![("PostgreSQL", Broken("没有 not found".into(), one_line(&error)))],
        Ok(binaries) => {
            let postgis = if binaries.has_postgis() {
                Fine("已安装 installed".into())
            } else {
                Broken(
                    "没有 not installed".into(),
                    format!("apt-get install postgresql-{}-postgis-3", binaries.major),
                )
            };
            vec![("PostgreSQL", Fine(binaries.version)), ("PostGIS", postgis)]
        }
    }
}

fn data_dir(config: &Config, running: bool) -> Finding {
    let dir = &config.data_dir;
    let shown = dir.display();
    if running {
        return Fine(format!("{shown}，cuntong serve 正在运行 in use by a running cuntong serve"));
    }
    match Identity::choose().and_then(|identity| identity.require_access(&existing(dir))) {
        Ok(()) => Fine(format!("{shown}")),
        Err(error) => Broken(format!("{shown}"), one_line(&error)),
    }
}

/// The path itself or the nearest directory above it that exists.
fn existing(path: &Path) -> PathBuf {
    path.ancestors().find(|p| p.exists()).unwrap_or(Path::new("/")).to_owned()
}

fn disk(dir: &Path) -> Finding {
    let Ok(stat) = rustix::fs::statvfs(existing(dir)) else {
        return Weak("不明 unknown".into(), "df -h".into());
    };
    let free = stat.f_bavail * stat.f_frsize / (1 << 30);
    let found = format!("{free} GiB");
    let mend = "演示省份约需 2 GiB，正式运行建议 20 GiB 以上；可用 --data-dir 换一块盘。 \
                The demo needs about 2 GiB, a province 20 GiB and more; --data-dir can name another disk.";
    match free {
        0..2 => Broken(found, mend.into()),
        2..10 => Weak(found, mend.into()),
        _ => Fine(found),
    }
}

fn socket(dir: &Path) -> Finding {
    let length = cluster::socket_file_len(&dir.join("run"));
    if length <= PATH_LIMIT {
        Fine(format!("{}/run", dir.display()))
    } else {
        Fine(format!(
            "路径过长（{length} > {PATH_LIMIT} 字节），将放在 /run 或 /tmp 下 the path is too long: the socket goes below /run or /tmp"
        ))
    }
}

fn port(config: &Config) -> Finding {
    match TcpListener::bind(config.listen) {
        Ok(_) => Fine(format!("{} 空闲 free", config.listen)),
        Err(error) => Weak(
            format!("{}: {error}", config.listen),
            "若不是本程序在运行，请换 --listen。 Unless it is this program that runs, give another --listen."
                .into(),
        ),
    }
}

fn certificates(config: &Config) -> Finding {
    match &config.tls {
        None if config.listen.ip().is_loopback() || config.public_url.is_some() => {
            Fine("未用 not used".into())
        }
        None => Weak(
            "对外监听却未加密 listens to others without encryption".into(),
            "cuntong tls make-local，见 see docs/operators/tls.md".into(),
        ),
        Some(files) => match tls::server_config(files) {
            Ok(_) => Fine(files.cert.display().to_string()),
            Err(error) => Broken(files.cert.display().to_string(), one_line(&error)),
        },
    }
}

fn page() -> Finding {
    if static_files::is_built() {
        Fine("已包含 built in".into())
    } else {
        Weak("未包含 missing in this build".into(), "make web-build，再编译 and build again".into())
    }
}

fn gdal() -> Finding {
    let release = gdal::version::version_info("RELEASE_NAME");
    gdal::DriverManager::register_all();
    match gdal::DriverManager::get_driver_by_name("ESRI Shapefile") {
        Ok(_) => Fine(release),
        Err(_) => Weak(
            format!("{release}，没有 Shapefile 驱动 without the Shapefile driver"),
            "导入不可用 no imports: apt-get install libgdal32".into(),
        ),
    }
}

/// Both are asked for without entering them: a ruleset that is made and dropped binds nobody.
fn sandbox() -> Finding {
    let landlock = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V1))
        .and_then(Ruleset::create)
        .is_ok();
    let seccomp = Path::new("/proc/sys/kernel/seccomp/actions_avail").exists();
    match (landlock, seccomp) {
        (true, true) => Fine("Landlock, seccomp".into()),
        (false, _) => Weak(
            "内核没有 Landlock no Landlock in this kernel".into(),
            "导入会被拒绝；需要 Linux 5.13 以上，启动参数 lsm= 中含 landlock。 \
             Imports are refused: Linux 5.13 or later with landlock in lsm= is needed."
                .into(),
        ),
        (_, false) => {
            Weak("内核没有 seccomp no seccomp".into(), "导入会被拒绝。 Imports are refused.".into())
        }
    }
}

fn fonts() -> Finding {
    let listed = Command::new("fc-list").args([":lang=zh-cn", "family"]).output();
    let families = listed.map_or(0, |out| String::from_utf8_lossy(&out.stdout).lines().count());
    let packaged = Path::new("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc").exists();
    if families > 0 || packaged {
        Fine("有中文字体 a font for Chinese".into())
    } else {
        Weak(
            "没有中文字体 no font for Chinese".into(),
            "只影响在本机截图和打印 matters only for pictures and prints made here: apt-get install fonts-noto-cjk".into(),
        )
    }
}

fn memory() -> Finding {
    let mib = cluster::memory_mib();
    let found = format!("{mib} MiB");
    if mib < 3500 {
        return Weak(found, "全省数据建议 4 GiB 以上。 4 GiB or more are advised for a province.".into());
    }
    Fine(found)
}
