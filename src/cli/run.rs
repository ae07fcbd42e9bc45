//! `wirefold run`.

use super::{CliError, Exit, Out, runtime};
use crate::{
    config::Config,
    service::{self, Daemon, Ready},
};

/// Runs the daemon until a signal.
pub(super) fn run(config: &Config) -> Result<Exit, CliError> {
    let runtime = runtime()?;
    let daemon = Daemon::open(config.clone())?;
    let outcome = runtime.block_on(service::run(daemon, |ready| {
        if let Err(error) = greet(config, ready) {
            tracing::warn!(error = &error as &dyn std::error::Error, "nobody can be greeted");
        }
    }));
    // After a second signal nothing is waited for.
    runtime.shutdown_background();
    outcome?;
    Ok(Exit::Done)
}

/// What a person wants to know first: where to drop files, and how to ask.
fn greet(config: &Config, ready: &Ready) -> Result<(), CliError> {
    let mut out = Out::new();
    out.line(&format!("wirefold is ready: {} articles in {} records", ready.articles, ready.records))?;
    for inbox in &ready.inboxes {
        out.line(&format!("  drop files into  {}", inbox.display()))?;
    }
    let command = std::env::args_os().next().unwrap_or_else(|| "wirefold".into());
    let (command, data_dir) = (command.display(), config.data_dir.display());
    out.line(&format!("  and ask with     {command} --data-dir {data_dir} list"))?;
    out.line("  stop with        Ctrl-C")?;
    out.flush()?;
    Ok(())
}
