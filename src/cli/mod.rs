//! The command line: one file a subcommand, and what they share. Only this module prints.

mod apart;
mod args;
mod ask;
mod audit;
mod backup;
mod bench;
mod check;
mod diff;
mod diffed;
mod doctor;
mod eval;
mod explain;
mod explainable;
mod explained;
mod export;
mod formats;
mod ingest;
mod list;
mod logging;
mod page;
mod paint;
mod pin;
mod rebuild;
mod render;
mod requeue;
mod run;
mod show;
mod shown;
mod status;
mod table;
mod trace;
mod when;

pub use args::Args;
pub use explainable::{CliError, Exit, explain};
pub use logging::on_stderr;

use crate::{backup::MANIFEST, config::Config, service::Pace};
use args::{CheckArgs, Command};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{self, BufWriter, Write};

/// Does what was asked, and says how the process is to end.
pub fn main(args: &Args) -> Result<Exit, CliError> {
    if let Command::Check(CheckArgs { keys: true, .. }) = &args.command {
        return check::keys();
    }
    let config = match (Config::read(&args.sources()), &args.command) {
        (Ok(config), _) => config,
        (Err(error), Command::Doctor(what)) => return doctor::misconfigured(&error, args, what),
        (Err(error), command) if command.only_asks() => ask::all_the_same(args, error)?,
        (Err(error), _) => return Err(error.into()),
    };
    if args.command.works_with_data() && config.data_dir.join(MANIFEST).exists() {
        return Err(CliError::IsABackup(config.data_dir.display().to_string()));
    }
    let log = logging::start(&config.log, matches!(args.command, Command::Run))?;
    match &args.command {
        Command::Run => run::run(&config, args, log),
        Command::Ingest(what) => ingest::run(&config, what),
        Command::List(what) => list::run(&config, what),
        Command::Show(what) => show::run(&config, what),
        Command::Diff(what) => diff::run(&config, what),
        Command::Explain(what) => explain::run(&config, what),
        Command::Export => export::run(&config),
        Command::Formats(what) => formats::run(what),
        Command::Trace(what) => trace::run(&config, what),
        Command::Status(what) => status::run(&config, what),
        Command::Check(what) => check::run(&config, args, what),
        Command::Doctor(what) => doctor::run(&config, args, what),
        Command::Backup(what) => backup::backup(&config, what),
        Command::Restore(what) => backup::restore(&config, what),
        Command::Audit(what) => audit::run(&config, what),
        Command::Requeue(what) => requeue::run(&config, what),
        Command::Rebuild => rebuild::run(&config),
        Command::Eval(what) => eval::run(args, what),
        Command::Bench(what) => bench::run(what),
        Command::Pin(what) => pin::run(&config, what, true),
        Command::Unpin(what) => pin::run(&config, what, false),
    }
}

/// What is written at once; an export has some megabytes.
const OUT_BYTES: usize = 64 << 10;

/// Writes to standard output. A reader that has gone away is the end of the work, not an error.
struct Out(BufWriter<io::StdoutLock<'static>>);

impl Out {
    fn new() -> Self {
        Self(BufWriter::with_capacity(OUT_BYTES, io::stdout().lock()))
    }

    /// Writes a line; false when nobody reads any more.
    fn line(&mut self, text: &str) -> Result<bool, CliError> {
        self.line_of_bytes(text.as_bytes())
    }

    fn line_of_bytes(&mut self, line: &[u8]) -> Result<bool, CliError> {
        Self::heard(self.0.write_all(line).and_then(|()| self.0.write_all(b"\n")))
    }

    fn flush(&mut self) -> Result<bool, CliError> {
        Self::heard(self.0.flush())
    }

    fn heard(written: io::Result<()>) -> Result<bool, CliError> {
        match written {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
            Err(error) => Err(CliError::Output(error)),
        }
    }
}

/// A progress bar over bytes; where standard error is no terminal there is none.
fn bar(template: &str) -> ProgressBar {
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

fn advance(bar: &ProgressBar, pace: Pace) {
    bar.set_length(pace.bytes.unwrap_or(pace.bytes_read).max(pace.bytes_read));
    bar.set_position(pace.bytes_read);
}

/// An async runtime with as many threads as the work needs; CPU work runs on threads that may block.
fn runtime() -> Result<tokio::runtime::Runtime, CliError> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(CliError::Runtime)
}
