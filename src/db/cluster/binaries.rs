//! Finds the PostgreSQL programs of this machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

/// Oldest major version of PostgreSQL that we work with.
pub const MIN_MAJOR: u32 = 15;

/// Directory of `initdb`, `postgres` and `pg_ctl`, and their major version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    dir: PathBuf,
    /// Major version, as in 15.
    pub major: u32,
    /// What `postgres --version` says.
    pub version: String,
}

impl Binaries {
    /// The newest programs, or those of `data_major` when data exist; only `given` when it is given.
    pub fn find(given: Option<&Path>, data_major: Option<u32>) -> anyhow::Result<Self> {
        let mut found: Vec<Self> = match given {
            Some(dir) => vec![Self::probe(dir).with_context(|| {
                format!("{0} 中没有 PostgreSQL 程序。\nNo PostgreSQL programs in {0}", dir.display())
            })?],
            None => candidates().iter().filter_map(|dir| Self::probe(dir)).collect(),
        };
        found.sort_by_key(|b| std::cmp::Reverse(b.major));
        if let Some(major) = data_major {
            return found.into_iter().find(|b| b.major == major).with_context(|| {
                format!(
                    "数据目录是 PostgreSQL {major} 建立的，本机没有这个版本的程序；请安装 postgresql-{major}，或用 pg_upgrade 升级数据。\n\
                     The data were made by PostgreSQL {major}, whose programs are not here: install postgresql-{major}, or bring the data forward with pg_upgrade"
                )
            });
        }
        match found.into_iter().next() {
            Some(newest) if newest.major >= MIN_MAJOR => Ok(newest),
            Some(old) => bail!(
                "PostgreSQL {0} 太旧，需要 {MIN_MAJOR} 以上。\nPostgreSQL {0} is too old: {MIN_MAJOR} or later is needed",
                old.major
            ),
            None => bail!(
                "没有找到 PostgreSQL。请安装：apt-get install postgresql-15 postgresql-15-postgis-3，\
                 或用 DATABASE_URL 指定外部数据库。\n\
                 No PostgreSQL found. Install it: apt-get install postgresql-15 postgresql-15-postgis-3, \
                 or name a server in DATABASE_URL"
            ),
        }
    }

    /// Full path of one program.
    pub fn program(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Whether the PostGIS extension is installed for these programs.
    pub fn has_postgis(&self) -> bool {
        let config = Command::new(self.program("pg_config")).arg("--sharedir").output().ok();
        let share = config.and_then(|out| String::from_utf8(out.stdout).ok());
        let share = share.map_or_else(
            || PathBuf::from(format!("/usr/share/postgresql/{}", self.major)),
            |s| PathBuf::from(s.trim()),
        );
        share.join("extension/postgis.control").exists()
    }

    fn probe(dir: &Path) -> Option<Self> {
        if !["initdb", "pg_ctl", "postgres"].iter().all(|program| dir.join(program).is_file()) {
            return None;
        }
        let output = Command::new(dir.join("postgres")).arg("--version").output().ok()?;
        let version = String::from_utf8(output.stdout).ok()?.trim().to_owned();
        let major = version.split_whitespace().find_map(|word| {
            word.split(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok())
        })?;
        Some(Self { dir: dir.to_owned(), major, version })
    }
}

fn candidates() -> Vec<PathBuf> {
    let mut dirs = Vec::new();
    // Debian keeps one directory per major version and leaves the servers out of PATH.
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        dirs.extend(versions.flatten().map(|entry| entry.path().join("bin")));
    }
    // Red Hat's packages of the PostgreSQL project.
    if let Ok(entries) = std::fs::read_dir("/usr") {
        dirs.extend(
            entries
                .flatten()
                .filter(|entry| entry.file_name().to_string_lossy().starts_with("pgsql-"))
                .map(|entry| entry.path().join("bin")),
        );
    }
    if let Ok(output) = Command::new("pg_config").arg("--bindir").output()
        && let Ok(dir) = String::from_utf8(output.stdout)
    {
        dirs.push(PathBuf::from(dir.trim()));
    }
    if let Some(path) = std::env::var_os("PATH") {
        dirs.extend(std::env::split_paths(&path));
    }
    dirs
}
