//! `wirefold run`.

use super::{Args, CliError, Exit, Out, logging::Log, runtime};
use crate::{
    config::Config,
    inbox::display_path,
    service::{self, Daemon, Ready, Reload, counted},
};
use std::{
    env,
    ffi::OsStr,
    io::{IsTerminal, stdin},
};

/// Runs the daemon until a signal.
pub(super) fn run(config: &Config, args: &Args, log: Log) -> Result<Exit, CliError> {
    let runtime = runtime()?;
    let daemon = Daemon::open(config.clone())?;
    let sources = args.sources();
    let reload = Reload {
        by_hangup: !stdin().is_terminal(),
        read: Box::new(move || Config::read(&sources)),
        log: Box::new(move |config| log.change(config)),
    };
    let outcome = runtime.block_on(service::run(daemon, reload, |ready| {
        if let Err(error) = greet(args, ready) {
            tracing::warn!(error = &error as &dyn std::error::Error, "nobody can be greeted");
        }
    }));
    // After a second signal nothing is waited for.
    runtime.shutdown_background();
    outcome?;
    Ok(Exit::Done)
}

/// What a person wants to know first: where to drop files, and how to ask.
fn greet(args: &Args, ready: &Ready) -> Result<(), CliError> {
    // Under a service manager the log says what there is to know, and nobody can press Ctrl-C.
    if env::var_os("NOTIFY_SOCKET").is_some() {
        return Ok(());
    }
    let mut out = Out::new();
    out.line(&format!(
        "wirefold is ready: {} in {}",
        counted(ready.articles, "article"),
        counted(ready.records, "record")
    ))?;
    for inbox in &ready.inboxes {
        out.line(&format!("  drop files into  {}", display_path(inbox)))?;
    }
    let program = env::args_os().next().unwrap_or_else(|| "wirefold".into());
    out.line(&format!("  and ask with     {}", list_command(&program, args)))?;
    out.line("  stop with        Ctrl-C")?;
    out.flush()?;
    Ok(())
}

/// The command that asks this daemon from another shell, to be pasted there: what was given to this one, on its
/// command line or by its environment, must be given to that one too.
fn list_command(program: &OsStr, args: &Args) -> String {
    let config = args.config.iter().flat_map(|path| [OsStr::new("--config"), path.as_os_str()]);
    let data_dir = args.data_dir.iter().flat_map(|path| [OsStr::new("--data-dir"), path.as_os_str()]);
    let words = [program].into_iter().chain(config).chain(data_dir).chain([OsStr::new("list")]);
    words.map(quoted).collect::<Vec<_>>().join(" ")
}

/// A word as a shell takes it.
fn quoted(word: &OsStr) -> String {
    let word = word.display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+:@%=,".contains(c);
    if word.chars().all(is_plain) { word } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn command(given: &[&str]) -> String {
        let mut args = Args::parse_from(["wirefold", "run"]);
        // What the environment of the test says does not count.
        (args.config, args.data_dir) = (None, None);
        for pair in given.chunks(2) {
            match pair {
                ["--config", path] => args.config = Some(path.into()),
                [_, path] => args.data_dir = Some(path.into()),
                _ => {}
            }
        }
        list_command(OsStr::new("target/wirefold"), &args)
    }

    #[test]
    fn the_command_that_is_printed_asks_this_daemon() {
        assert_eq!(command(&[]), "target/wirefold list");
        assert_eq!(command(&["--data-dir", "/d"]), "target/wirefold --data-dir /d list");
        assert_eq!(
            command(&["--config", "a b.toml", "--data-dir", "it's"]),
            r"target/wirefold --config 'a b.toml' --data-dir 'it'\''s' list"
        );
    }
}
