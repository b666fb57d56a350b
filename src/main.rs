//! Runs the program and ends with its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().collect();
    imimport::run::run(&args)
}
