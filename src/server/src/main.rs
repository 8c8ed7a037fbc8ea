//! The program `lophoc`.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    lophoc::run::run(lophoc::cli::Cli::parse())
}
