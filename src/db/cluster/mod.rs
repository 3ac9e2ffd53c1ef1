//! The embedded cluster: a private PostgreSQL in the data directory, on a Unix socket only.
//!
//! Invariants:
//! - Nobody but the operating-system user of the cluster (and root) can reach the socket: it lies
//!   in a directory of mode 0700. Inside, `trust` is enough.
//! - Starting and stopping hold `start.lock`; whoever uses the cluster holds a shared lock on
//!   `cluster.lock`. Only the last user stops it, so a `serve` that ends does not pull the database
//!   away from an import that still runs, and nothing else on the machine is ever touched.
//! - A postmaster that outlived a killed program is found through postmaster.pid and used on.
//!
//! Everything here blocks; call it from `spawn_blocking`.

mod binaries;
mod identity;
mod socket;

pub use binaries::{Binaries, MIN_MAJOR};
pub use identity::Identity;
pub use socket::{PATH_LIMIT, socket_file_len};

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::fs::{FlockOperation, flock};
use sqlx::postgres::PgConnectOptions;

/// Role that owns the tables of the embedded database.
pub const OWNER_ROLE: &str = "cuntong_owner";
/// Role that the program works as. It owns nothing.
pub const APP_ROLE: &str = "cuntong_app";
/// Name of the embedded database.
pub const DATABASE: &str = "cuntong";
/// Recovery after a crash replays up to `max_wal_size` of log: minutes on a slow disk.
const START_LIMIT: Duration = Duration::from_secs(600);

/// A running embedded cluster. Dropping it without [`Cluster::close`] leaves PostgreSQL running;
/// the next start adopts it.
#[derive(Debug)]
pub struct Cluster {
    home: PathBuf,
    pgdata: PathBuf,
    binaries: Binaries,
    identity: Identity,
    socket_dir: PathBuf,
    /// Held shared as long as this process uses the cluster.
    in_use: File,
    postmaster: Mutex<i32>,
    /// What happened at opening, for the log and for tests.
    pub opened: Opened,
}

/// How [`Cluster::open`] found the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened {
    /// There was none: it was made.
    Created,
    /// It stood still and was started.
    Started,
    /// Its postmaster was running: left by a killed program, or shared with a running command.
    Adopted,
}

impl Cluster {
    /// Makes the cluster if there is none, starts it if it stands still, and joins it.
    pub fn open(home: &Path, postgres_bin: Option<&Path>) -> anyhow::Result<Self> {
        Self::open_with(home, postgres_bin, &[])
    }

    /// As [`Cluster::open`], with further server settings (name and value in configuration
    /// syntax); tests use it.
    pub fn open_with(
        home: &Path,
        postgres_bin: Option<&Path>,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let identity = Identity::choose()?;
        fs::create_dir_all(home).with_context(|| {
            format!("无法建立数据目录 {0}。\nCannot make the data directory {0}", home.display())
        })?;
        let home = fs::canonicalize(home)?;
        identity.require_access(&home)?;

        let starting = lock_file(&home.join("start.lock"))?;
        flock(&starting, FlockOperation::LockExclusive)?;
        let in_use = lock_file(&home.join("cluster.lock"))?;
        flock(&in_use, FlockOperation::LockShared)?;

        let pgdata = home.join("pg");
        let created = !pgdata.join("PG_VERSION").exists();
        let binaries = Binaries::find(postgres_bin, data_version(&pgdata)?)?;
        if created {
            initialise(&home, &pgdata, &binaries, &identity)?;
        }
        let mut cluster = Self {
            socket_dir: socket::choose(&home, &identity)?,
            home,
            pgdata,
            binaries,
            identity,
            in_use,
            postmaster: Mutex::new(0),
            opened: Opened::Started,
        };
        cluster.opened = match cluster.running()? {
            Some(running) => {
                cluster.socket_dir = running.socket_dir;
                cluster.remember(running.pid);
                Opened::Adopted
            }
            None => {
                cluster.start(settings)?;
                if created { Opened::Created } else { Opened::Started }
            }
        };
        drop(starting);
        Ok(cluster)
    }

    /// Connects as the owner of the tables.
    pub fn owner_options(&self) -> PgConnectOptions {
        self.options(OWNER_ROLE, DATABASE)
    }

    /// Connects as the role of the program.
    pub fn app_options(&self) -> PgConnectOptions {
        self.options(APP_ROLE, DATABASE)
    }

    /// Connects to a database of this cluster as a role of it.
    pub fn options(&self, role: &str, database: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .socket(&self.socket_dir)
            .port(5432)
            .username(role)
            .database(database)
    }

    /// Directory of the socket.
    pub fn socket_dir(&self) -> &Path {
        &self.socket_dir
    }

    /// Programs that the cluster runs on.
    pub fn binaries(&self) -> &Binaries {
        &self.binaries
    }

    /// Process id of the postmaster.
    pub fn postmaster_pid(&self) -> i32 {
        self.postmaster.lock().map_or(0, |pid| *pid)
    }

    /// Whether the postmaster is still there. Cheap: called every second by `serve`.
    pub fn is_alive(&self) -> bool {
        self.is_ours(self.postmaster_pid())
    }

    /// Starts the postmaster again after it was lost. True when it had to.
    pub fn ensure_running(&self) -> anyhow::Result<bool> {
        if self.is_alive() {
            return Ok(false);
        }
        let starting = lock_file(&self.home.join("start.lock"))?;
        flock(&starting, FlockOperation::LockExclusive)?;
        if let Some(running) = self.running()? {
            self.remember(running.pid);
            return Ok(false);
        }
        self.start(&[])?;
        Ok(true)
    }

    /// Leaves the cluster, and stops it unless another command still uses it.
    pub fn close(self) -> anyhow::Result<()> {
        let starting = lock_file(&self.home.join("start.lock"))?;
        flock(&starting, FlockOperation::LockExclusive)?;
        if flock(&self.in_use, FlockOperation::NonBlockingLockExclusive).is_err() {
            tracing::info!("the embedded database stays up: another command uses it");
            return Ok(());
        }
        if self.running()?.is_none() {
            return Ok(());
        }
        let mut stop = self.identity.command(&self.binaries.program("pg_ctl"));
        stop.args(["stop", "--mode=fast", "--wait", "--timeout=120", "--silent", "-D"]).arg(&self.pgdata);
        run(stop, "停止内置数据库失败。\nThe embedded database did not stop")?;
        Ok(())
    }

    fn start(&self, settings: &[(&str, &str)]) -> anyhow::Result<()> {
        // A pid file whose process is not ours was left by a crash; PostgreSQL would refuse to
        // start if another program has got the same number since.
        match fs::remove_file(self.pgdata.join("postmaster.pid")) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e.into()),
            _ => {}
        }
        // Settings given at the first start stay: a restart after a crash must not lose them.
        let configuration = self.pgdata.join("cuntong.conf");
        let kept = fs::read_to_string(&configuration).unwrap_or_default();
        let kept = kept.split_once(EXTRA_MARK).map_or("", |(_, extra)| extra);
        let extra: String = if settings.is_empty() {
            kept.to_owned()
        } else {
            settings.iter().map(|(name, value)| format!("\n{name} = {value}")).collect()
        };
        self.identity
            .write(&configuration, &format!("{}{EXTRA_MARK}{extra}", server_settings(&self.socket_dir)))?;
        let log_dir = self.home.join("pg-log");
        self.identity.private_dir(&log_dir)?;
        let log = log_dir.join("postgres.log");
        if fs::metadata(&log).is_ok_and(|m| m.len() > 20 << 20) {
            fs::rename(&log, log_dir.join("postgres.log.1"))?;
        }
        let mut start = self.identity.command(&self.binaries.program("pg_ctl"));
        start
            .args(["start", "--wait", "--silent"])
            .arg(format!("--timeout={}", START_LIMIT.as_secs()))
            .arg("-D")
            .arg(&self.pgdata)
            .arg("-l")
            .arg(&log);
        run(start, "内置数据库启动失败。\nThe embedded database did not start")
            .with_context(|| last_lines(&log))?;
        let running =
            self.running()?.context("内置数据库启动后即退出。\nThe embedded database ended at once")?;
        self.remember(running.pid);
        Ok(())
    }

    fn remember(&self, pid: i32) {
        if let Ok(mut known) = self.postmaster.lock() {
            *known = pid;
        }
    }

    /// The postmaster of our data directory, once it accepts connections; `None` if there is none.
    fn running(&self) -> anyhow::Result<Option<Running>> {
        let deadline = Instant::now() + START_LIMIT;
        loop {
            let Some(running) = Running::read(&self.pgdata) else { return Ok(None) };
            if !self.is_ours(running.pid) {
                return Ok(None);
            }
            if running.ready {
                return Ok(Some(running));
            }
            // Starting, recovering or stopping: its own pid file tells when that is over.
            if Instant::now() > deadline {
                bail!(
                    "内置数据库（进程 {0}）十分钟内没有就绪。\nThe embedded database (process {0}) was not ready within ten minutes",
                    running.pid
                );
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// A postmaster works in its data directory, which tells it from whoever got its number later.
    fn is_ours(&self, pid: i32) -> bool {
        pid > 0 && fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == self.pgdata)
    }
}

struct Running {
    pid: i32,
    socket_dir: PathBuf,
    ready: bool,
}

impl Running {
    /// Lines of postmaster.pid: pid, data directory, start time, port, socket directory, listen
    /// address, shared memory key, status.
    fn read(pgdata: &Path) -> Option<Self> {
        let text = fs::read_to_string(pgdata.join("postmaster.pid")).ok()?;
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        Some(Self {
            pid: lines.first()?.parse().ok()?,
            socket_dir: PathBuf::from(lines.get(4).copied().unwrap_or_default()),
            ready: lines.get(7).is_some_and(|status| *status == "ready"),
        })
    }
}

const EXTRA_MARK: &str = "\n# Further settings of this cluster:";

/// Durability first: an acknowledged report must survive a power cut.
fn server_settings(socket_dir: &Path) -> String {
    let memory_mib = memory_mib();
    let shared_buffers = (memory_mib / 8).clamp(128, 2048);
    let cache = (memory_mib / 2).max(256);
    // Each element of the list is in double quotes, the whole in single quotes.
    let socket_dir = socket_dir.display().to_string().replace('"', "\"\"").replace('\'', "''");
    format!(
        "# Written by cuntong at every start; changes are lost.\n\
         listen_addresses = ''\n\
         unix_socket_directories = '\"{socket_dir}\"'\n\
         unix_socket_permissions = 0700\n\
         port = 5432\n\
         max_connections = 100\n\
         fsync = on\n\
         synchronous_commit = on\n\
         full_page_writes = on\n\
         shared_buffers = {shared_buffers}MB\n\
         effective_cache_size = {cache}MB\n\
         work_mem = 16MB\n\
         maintenance_work_mem = 256MB\n\
         max_wal_size = 2GB\n\
         random_page_cost = 1.1\n\
         jit = off\n\
         idle_in_transaction_session_timeout = 5min\n\
         timezone = 'UTC'\n\
         log_timezone = 'Asia/Shanghai'\n\
         log_line_prefix = '%m [%p] %u '\n"
    )
}

/// Memory of this machine, MiB; 2048 when it cannot be told.
pub fn memory_mib() -> u64 {
    fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| {
            let line = text.lines().find(|l| l.starts_with("MemTotal:"))?;
            line.split_whitespace().nth(1)?.parse::<u64>().ok()
        })
        .map_or(2048, |kib| kib / 1024)
}

fn initialise(home: &Path, pgdata: &Path, binaries: &Binaries, identity: &Identity) -> anyhow::Result<()> {
    // Made beside its place and renamed when complete: a kill leaves no half cluster.
    let fresh = home.join("pg.new");
    match fs::remove_dir_all(&fresh) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e.into()),
        _ => {}
    }
    identity.private_dir(&fresh)?;
    let mut initdb = identity.command(&binaries.program("initdb"));
    initdb
        .args([
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--auth-local=trust",
            "--auth-host=reject",
            "--no-instructions",
        ])
        .arg(format!("--username={OWNER_ROLE}"))
        .arg("-D")
        .arg(&fresh);
    run(initdb, "建立内置数据库失败。\nThe embedded database could not be made")?;
    let mut conf = OpenOptions::new().append(true).open(fresh.join("postgresql.conf"))?;
    conf.write_all(b"\ninclude_if_exists 'cuntong.conf'\n")?;
    // Only the socket, and there every role of the cluster: the directory is the guard.
    identity.write(&fresh.join("pg_hba.conf"), "local all all trust\n")?;
    fs::rename(&fresh, pgdata)?;
    Ok(())
}

/// Major version of the data, if there are any.
fn data_version(pgdata: &Path) -> anyhow::Result<Option<u32>> {
    match fs::read_to_string(pgdata.join("PG_VERSION")) {
        Ok(text) => Ok(Some(text.trim().parse().context("PG_VERSION")?)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e).with_context(|| format!("无法读取 {0}。\nCannot read {0}", pgdata.display())),
    }
}

fn lock_file(path: &Path) -> anyhow::Result<File> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path)
        .with_context(|| format!("无法打开 {0}。\nCannot open {0}", path.display()))?;
    Ok(file)
}

/// The lock of `serve` on its data directory, so that two never work on one.
#[derive(Debug)]
pub struct ServeLock {
    _file: File,
}

impl ServeLock {
    /// Whether a `serve` works on this directory now. Changes nothing.
    pub fn is_held(home: &Path) -> bool {
        File::open(home.join("serve.lock"))
            .is_ok_and(|file| flock(&file, FlockOperation::NonBlockingLockShared).is_err())
    }

    /// Takes the lock, or says which process holds it.
    pub fn take(home: &Path) -> anyhow::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o755).create(home).with_context(|| {
            format!("无法建立数据目录 {0}。\nCannot make the data directory {0}", home.display())
        })?;
        let path = home.join("serve.lock");
        let mut file = lock_file(&path)?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            let holder = fs::read_to_string(&path).unwrap_or_default();
            bail!(
                "数据目录 {0} 正被另一个 cuntong serve（进程 {1}）使用。请先停止它，或用 --data-dir 指定别的目录。\n\
                 The data directory {0} is in use by another cuntong serve (process {1}). Stop it first, or give another --data-dir.",
                home.display(),
                holder.trim()
            );
        }
        file.set_len(0)?;
        writeln!(file, "{}", std::process::id())?;
        Ok(Self { _file: file })
    }
}

fn run(mut command: Command, what: &str) -> anyhow::Result<()> {
    let output = command.output().with_context(|| format!("{what}: {}", command.get_program().display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = if said.trim().is_empty() { String::from_utf8_lossy(&output.stdout) } else { said };
        bail!("{what}: {}", said.trim());
    }
    Ok(())
}

fn last_lines(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(8).collect();
    format!("{}\n{}", log.display(), lines.into_iter().rev().collect::<Vec<_>>().join("\n"))
}

/// Mode 0700, for directories that hold data or the socket.
fn make_private(path: &Path) -> std::io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))
}
