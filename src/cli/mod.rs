//! Commands of the `cuntong` program, one file each.

pub mod import;

use std::process::ExitCode;

/// Parses the command line and runs the command.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
