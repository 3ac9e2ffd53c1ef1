//! The walls around GDAL.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetStatus,
};
use rustix::process::{Resource, Rlimit, setrlimit};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, SeccompRule, TargetArch};

/// Memory the reader may address. GDAL with its libraries takes about 600 MB of addresses by itself.
const MEMORY_BYTES: u64 = 4 << 30;
/// Processor seconds the reader may burn.
const CPU_SECONDS: u64 = 300;
/// Files it may hold open: the three or four parts of a Shapefile, and its libraries' data.
const OPEN_FILES: u64 = 64;

/// Closes every door but reading `input`. Cannot be undone in this process.
///
/// # Errors
/// The kernel has no Landlock or seccomp, or refuses: then nothing may be read.
pub fn enter(input: &Path) -> Result<()> {
    limit()?;
    confine_files(input)?;
    forbid_calls()
}

fn limit() -> Result<()> {
    let set = |resource, value| {
        setrlimit(resource, Rlimit { current: Some(value), maximum: Some(value) }).context("setting a limit")
    };
    set(Resource::As, MEMORY_BYTES)?;
    set(Resource::Cpu, CPU_SECONDS)?;
    set(Resource::Nofile, OPEN_FILES)?;
    // No byte may be written to any file; standard output is a pipe, which this does not count.
    set(Resource::Fsize, 0)?;
    set(Resource::Core, 0)
}

fn confine_files(input: &Path) -> Result<()> {
    // V1 knows every file access that matters here; newer kernels also close TCP.
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V1))
        .context("Landlock is not available in this kernel")?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessNet::from_all(ABI::V4))
        .context("Landlock refused")?
        .create()
        .context("Landlock refused")?
        .add_rule(PathBeneath::new(PathFd::new(input).context("opening the input")?, AccessFs::ReadFile))
        .context("Landlock refused the rule for the input")?;
    // Grids and definitions that PROJ and GDAL look up; absent ones are simply not opened up.
    let mut ruleset = status;
    for share in ["/usr/share/gdal", "/usr/share/proj"] {
        if let Ok(fd) = PathFd::new(share) {
            ruleset = ruleset
                .add_rule(PathBeneath::new(fd, AccessFs::ReadFile | AccessFs::ReadDir))
                .context("Landlock refused the rule for shared data")?;
        }
    }
    let outcome = ruleset.restrict_self().context("Landlock refused")?;
    if outcome.ruleset == RulesetStatus::NotEnforced {
        bail!("Landlock is not enforced by this kernel");
    }
    Ok(())
}

fn forbid_calls() -> Result<()> {
    let arch: TargetArch = std::env::consts::ARCH
        .try_into()
        .map_err(|_| anyhow::anyhow!("no seccomp rules for this processor"))?;
    let forbidden = [
        libc::SYS_socket,
        libc::SYS_socketpair,
        libc::SYS_connect,
        libc::SYS_bind,
        libc::SYS_listen,
        libc::SYS_accept,
        libc::SYS_accept4,
        libc::SYS_sendto,
        libc::SYS_sendmsg,
        // io_uring can open sockets without the calls above.
        libc::SYS_io_uring_setup,
        libc::SYS_io_uring_enter,
        libc::SYS_io_uring_register,
        libc::SYS_execve,
        libc::SYS_execveat,
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_kill,
        libc::SYS_tkill,
        libc::SYS_pidfd_open,
        libc::SYS_pidfd_getfd,
        libc::SYS_mount,
        libc::SYS_bpf,
        libc::SYS_keyctl,
        libc::SYS_unshare,
        libc::SYS_setns,
    ];
    let rules: BTreeMap<i64, Vec<SeccompRule>> =
        forbidden.into_iter().map(|call| (call, Vec::new())).collect();
    let filter =
        SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(libc::EPERM as u32), arch)
            .context("building the seccomp filter")?;
    let program: BpfProgram = filter.try_into().context("building the seccomp filter")?;
    seccompiler::apply_filter_all_threads(&program).context("seccomp refused")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::process::Command;

    /// Runs inside a process of its own, because the walls cannot be taken down again: the test
    /// starts itself once more with this variable set.
    const INSIDE: &str = "CUNTONG_TEST_INSIDE_SANDBOX";

    #[test]
    fn inside_the_walls_only_the_input_can_be_read_and_nothing_else_done() {
        if let Ok(port) = std::env::var(INSIDE) {
            probe(port.parse().unwrap());
            return;
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let out = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture", "exchange::gdal::sandbox::tests::inside_the_walls_only_the_input_can_be_read_and_nothing_else_done"])
            .env(INSIDE, port.to_string())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&out.stdout);
        assert!(said.contains("all walls held"), "{said}\n{}", String::from_utf8_lossy(&out.stderr));
    }

    fn probe(port: u16) {
        let folder = std::env::temp_dir().join(format!("cuntong-sandbox-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (input, secret) = (folder.join("input"), folder.join("secret"));
        std::fs::write(&input, "input").unwrap();
        std::fs::write(&secret, "secret").unwrap();
        // Without walls all of this works, so that the refusals below mean something.
        assert!(std::fs::read(&secret).is_ok());
        assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());

        enter(&input).unwrap();

        assert_eq!(std::fs::read(&input).unwrap(), b"input");
        assert!(std::fs::read(&secret).is_err(), "a file beside the input was readable");
        assert!(std::fs::read("/etc/passwd").is_err(), "/etc/passwd was readable");
        assert!(std::fs::write(folder.join("new"), "x").is_err(), "a file could be written");
        assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err(), "a socket could be opened");
        assert!(std::net::UdpSocket::bind("127.0.0.1:0").is_err(), "a UDP socket could be opened");
        assert!(Command::new("/bin/true").status().is_err(), "a program could be started");
        println!("all walls held");
    }
}
