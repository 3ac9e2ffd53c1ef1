//! Where the socket lies. Its path, with file name, may have 107 bytes and no more.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use sha2::{Digest, Sha256};

use super::Identity;

/// Bytes that the path of a Unix socket may have on Linux, without the closing zero.
pub const PATH_LIMIT: usize = 107;
const FILE: &str = ".s.PGSQL.5432";

/// Length in bytes of the socket's path in a directory.
pub fn socket_file_len(dir: &Path) -> usize {
    dir.as_os_str().as_bytes().len() + 1 + FILE.len()
}

/// A private directory for the socket: in the data directory when its path is short enough, else
/// one under /run or /tmp that is named after it. Which one is written to `socket-dir`.
pub(super) fn choose(home: &Path, identity: &Identity) -> anyhow::Result<PathBuf> {
    let inside = home.join("run");
    let dir = if socket_file_len(&inside) <= PATH_LIMIT {
        inside
    } else {
        let hash = hex::encode(&Sha256::digest(home.as_os_str().as_bytes())[..6]);
        let base = if rustix::process::geteuid().is_root() { "/run" } else { "/tmp" };
        // private_dir refuses a directory that somebody else made first.
        Path::new(base).join(format!("cuntong-{}-{hash}", identity.uid()))
    };
    identity.private_dir(&dir)?;
    fs::write(home.join("socket-dir"), format!("{}\n", dir.display())).context("socket-dir")?;
    Ok(dir)
}
