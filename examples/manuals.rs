//! Writes the man pages and the completions of bash, zsh and fish, made from the definitions of the commands, for whoever
//! packages wirefold: `cargo run --example manuals -- DIR`.
#![allow(clippy::print_stderr, reason = "it is a program of its own")]

use clap::{Arg, Command, CommandFactory};
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
    clap_mangen::generate_to(command.clone().after_long_help(None::<&str>), &pages)?;
    mend(&command, &pages.join("wirefold.1"), "COMMAND ...")?;
    for subcommand in command.get_subcommands() {
        let (name, own) = (subcommand.get_name(), own_arguments(subcommand));
        mend(&command, &pages.join(format!("wirefold-{name}.1")), &format!("{name}{own}"))?;
    }
    let mut page = fs::OpenOptions::new().append(true).open(pages.join("wirefold.1"))?;
    write!(page, ".SH \"EXIT STATUS\"\n{exit_codes}\n{FILES}")?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        generate_to(shell, &mut Args::command(), "wirefold", &completions)?;
    }
    Ok(())
}

/// Writes the synopsis of a page as manuals have it: every option with its value, those of all commands before the command.
/// What is generated names no values, and has the name of a command where that of the program belongs.
fn mend(program: &Command, page: &Path, rest: &str) -> io::Result<()> {
    let text = fs::read_to_string(page)?;
    let synopsis = format!("wirefold{} {rest}", arguments(program, Arg::is_global_set));
    let mut after_synopsis = false;
    let line = |line: &str| match (std::mem::replace(&mut after_synopsis, line == ".SH SYNOPSIS"), line) {
        (true, _) => synopsis.replace('-', "\\-"),
        (_, line) if line.starts_with(".TH ") => {
            let name = page.file_stem().unwrap_or_default().to_string_lossy();
            format!(".TH {name} 1 \"\" \"wirefold {}\"", env!("CARGO_PKG_VERSION"))
        }
        (_, line) => line.to_owned(),
    };
    let mended: Vec<_> = text.lines().map(line).collect();
    fs::write(page, mended.join("\n") + "\n")
}

fn own_arguments(command: &Command) -> String {
    arguments(command, |argument| !argument.is_global_set())
}

/// Some arguments of a command, each after a space.
fn arguments(command: &Command, wanted: impl Fn(&Arg) -> bool) -> String {
    let is_wanted = |argument: &&Arg| wanted(argument) && !argument.is_hide_set();
    let told = command.get_arguments().filter(is_wanted).map(|argument| {
        let values = argument.get_value_names().unwrap_or_default().iter().map(|name| format!(" {name}"));
        let takes_values = argument.get_action().takes_values();
        let values: String = values.filter(|_| takes_values).collect();
        let more = argument.get_num_args().is_some_and(|number| number.max_values() > 1);
        let text = match argument.get_long() {
            Some(long) => format!("--{long}{values}"),
            None => values.trim_start().to_owned(),
        };
        let text = if more { format!("{text}...") } else { text };
        if argument.is_required_set() { format!(" {text}") } else { format!(" [{text}]") }
    });
    told.collect()
}
