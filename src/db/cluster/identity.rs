//! Who the cluster runs as. PostgreSQL refuses to run as root, so root lends it another user.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

/// The operating-system user of the cluster's processes and files.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Set when we are root and run PostgreSQL as somebody else.
    switch_to: Option<(u32, u32, String)>,
}

impl Identity {
    /// We ourselves; for root the user `cuntong` if there is one, else `postgres`.
    pub fn choose() -> anyhow::Result<Self> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self { switch_to: None });
        }
        let users = fs::read_to_string("/etc/passwd").context("/etc/passwd")?;
        for wanted in ["cuntong", "postgres"] {
            let fields = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
            for user in fields.filter(|f| f.len() > 3 && f[0] == wanted) {
                if let (Ok(uid), Ok(gid)) = (user[2].parse(), user[3].parse())
                    && uid != 0
                {
                    return Ok(Self { switch_to: Some((uid, gid, wanted.to_owned())) });
                }
            }
        }
        bail!(
            "以 root 运行时，内置数据库需要一个普通用户：请执行 useradd --system cuntong。\n\
             Run as root, the embedded database needs an unprivileged user: useradd --system cuntong"
        )
    }

    /// Numeric user id of the cluster.
    pub fn uid(&self) -> u32 {
        self.switch_to.as_ref().map_or_else(|| rustix::process::geteuid().as_raw(), |(uid, _, _)| *uid)
    }

    /// A command that runs as this user, in a place that it can enter, without our settings.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        // Messages are parsed and shown; libpq's variables would send pg_ctl elsewhere.
        command.current_dir("/").stdin(Stdio::null()).env("LC_ALL", "C.UTF-8");
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        // Nor shall secrets of ours stand in the environment of its processes.
        command.env_remove("DATABASE_URL").env_remove("CUNTONG_OWNER_DATABASE_URL");
        if let Some((uid, gid, _)) = &self.switch_to {
            command.uid(*uid).gid(*gid);
        }
        command
    }

    /// Fails with an explanation when this user cannot enter `home`.
    pub fn require_access(&self, home: &Path) -> anyhow::Result<()> {
        let Some((_, _, name)) = &self.switch_to else { return Ok(()) };
        let test = self.command(Path::new("test")).arg("-x").arg(home).status();
        if test.is_ok_and(|status| status.success()) {
            return Ok(());
        }
        bail!(
            "用户 {name} 进不了 {0}（内置数据库以它的身份运行）。请用 --data-dir 指定别处，例如 /var/lib/cuntong。\n\
             The user {name}, as whom the embedded database runs, cannot enter {0}. Give another --data-dir, such as /var/lib/cuntong",
            home.display()
        )
    }

    /// Makes sure of a directory of mode 0700 that belongs to this user.
    pub fn private_dir(&self, path: &Path) -> anyhow::Result<()> {
        let place = || format!("{}", path.display());
        match fs::DirBuilder::new().mode(0o700).create(path) {
            Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => return Err(e).with_context(place),
            _ => {}
        }
        let meta = fs::symlink_metadata(path).with_context(place)?;
        if !meta.is_dir() {
            bail!("{} 不是目录。 is not a directory", path.display());
        }
        if let Some((uid, gid, _)) = &self.switch_to {
            chown(path, Some(*uid), Some(*gid)).with_context(place)?;
        } else if meta.uid() != self.uid() {
            bail!("{0} 属于别的用户。\n{0} belongs to another user", path.display());
        }
        super::make_private(path).with_context(place)
    }

    /// Writes a file of mode 0600 that belongs to this user.
    pub fn write(&self, path: &Path, text: &str) -> anyhow::Result<()> {
        fs::write(path, text).with_context(|| format!("{}", path.display()))?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        if let Some((uid, gid, _)) = &self.switch_to {
            chown(path, Some(*uid), Some(*gid))?;
        }
        Ok(())
    }
}
