//! Writes the man pages and the completions of bash, zsh and fish, made from the definitions of the commands, for whoever
//! packages wirefold: `cargo run --example manuals -- DIR`.
#![allow(clippy::print_stderr, reason = "it is a program of its own")]

use clap::CommandFactory;
use clap_complete::{Shell, generate_to};
use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};
use wirefold::cli::Args;

/// What a package puts where, as a section of a man page.
const FILES: &str = r".SH FILES
.TP
.I /etc/wirefold/wirefold.toml
The service's configuration; \fBwirefold check --keys\fR tells of every key.
.TP
.I /var/lib/wirefold
The service's data, and in its folder
.I inbox
the inbox. Ask about it with \fB--data-dir /var/lib/wirefold\fR. Who is in the group wirefold may deliver and ask.
.TP
.I /run/wirefold/wirefold.sock
The service's control socket.
.TP
.I ~/.local/share/wirefold
The data of who runs wirefold without a service.
.SH EXAMPLES
.nf
wirefold --data-dir /var/lib/wirefold list --since 2h
wirefold --data-dir /var/lib/wirefold show wf-1b2c
.fi
";

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
    let command = Args::command();
    let exit_codes = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    clap_mangen::generate_to(command.after_long_help(None::<&str>), &pages)?;
    let mut page = fs::OpenOptions::new().append(true).open(pages.join("wirefold.1"))?;
    write!(page, ".SH \"EXIT STATUS\"\n{exit_codes}\n{FILES}")?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        generate_to(shell, &mut Args::command(), "wirefold", &completions)?;
    }
    Ok(())
}
