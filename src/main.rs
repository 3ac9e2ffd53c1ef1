//! The command line: parses it and calls a command; nothing else.

fn main() -> std::process::ExitCode {
    cuntong::cli::main()
}
