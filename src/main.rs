//! The command `wirefold`: arguments, and the exit code that says how it went.

use clap::Parser;
use std::{
    io::{self, Write},
    process::ExitCode,
};
use wirefold::cli::{self, Args};

fn main() -> ExitCode {
    match cli::main(&Args::parse()) {
        Ok(exit) => exit.into(),
        Err(error) => {
            let (said, exit) = cli::explain(&error);
            // Where standard error is gone too, the exit code must do.
            writeln!(io::stderr(), "{}", cli::on_stderr(&said)).ok();
            exit.into()
        }
    }
}
