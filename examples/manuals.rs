//! Writes the man pages and the completions of bash, zsh and fish, made from the definitions of the commands, for whoever
//! packages wirefold: `cargo run --example manuals -- DIR`.
#![allow(clippy::print_stderr, reason = "it is a program of its own")]

use clap::CommandFactory;
use clap_complete::{Shell, generate_to};
use std::{
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};
use wirefold::cli::Args;

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: manuals DIR");
        return ExitCode::from(2);
    };
    match write(&folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("manuals: {}: {error}", folder.display());
            ExitCode::FAILURE
        }
    }
}

fn write(folder: &Path) -> io::Result<()> {
    let (pages, completions) = (folder.join("man"), folder.join("completions"));
    fs::create_dir_all(&pages)?;
    fs::create_dir_all(&completions)?;
    clap_mangen::generate_to(Args::command(), &pages)?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        generate_to(shell, &mut Args::command(), "wirefold", &completions)?;
    }
    Ok(())
}
