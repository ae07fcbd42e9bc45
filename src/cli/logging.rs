//! The log: to standard error, for people or as JSON.

use super::CliError;
use crate::config::{LogConfig, LogFormat};
use std::io::{self, IsTerminal};
use tracing_subscriber::{Layer, filter::Targets, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// Starts the log. A command that answers and ends tells only what is wrong.
pub(super) fn start(config: &LogConfig, is_daemon: bool) -> Result<(), CliError> {
    let level = if is_daemon { config.level.as_str() } else { "warn" };
    let filter: Targets =
        level.parse().map_err(|e| CliError::LogLevel { level: level.to_owned(), what: format!("{e}") })?;
    let is_terminal = io::stderr().is_terminal();
    let under_systemd = std::env::var_os("JOURNAL_STREAM").is_some();
    let as_json = match config.format {
        LogFormat::Json => true,
        LogFormat::Human => false,
        LogFormat::Auto => is_daemon && !is_terminal && !under_systemd,
    };
    let layer = if as_json {
        fmt::layer().json().flatten_event(true).with_writer(io::stderr).boxed()
    } else if under_systemd || !is_daemon {
        // The journal has the time, and a person at a prompt knows it.
        fmt::layer().without_time().with_target(false).with_ansi(is_terminal).with_writer(io::stderr).boxed()
    } else {
        fmt::layer().with_target(false).with_ansi(is_terminal).with_writer(io::stderr).boxed()
    };
    // A second start in one process, as tests do, leaves the first log as it is.
    tracing_subscriber::registry().with(layer.with_filter(filter)).try_init().ok();
    Ok(())
}
