//! The log: to standard error, in the form for who reads it there: a person, the journal of systemd, or a program.

use super::CliError;
use crate::config::{Config, LogConfig, LogFormat};
use std::{
    fmt::{self, Write as _},
    fs::File,
    io::{self, IsTerminal},
    os::{fd::AsFd, unix::fs::MetadataExt},
};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::{
    Layer, Registry,
    filter::Targets,
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::{DefaultFields, Writer},
        layer,
    },
    layer::SubscriberExt,
    registry::LookupSpan,
    reload,
    util::SubscriberInitExt,
};

/// A log whose level can be changed.
pub(super) struct Log(reload::Handle<Targets, Registry>);

/// Starts the log. A command that answers and ends tells only what is wrong.
pub(super) fn start(config: &LogConfig, is_daemon: bool) -> Result<Log, CliError> {
    let level = if is_daemon { config.level.as_str() } else { "warn" };
    let filter: Targets =
        level.parse().map_err(|e| CliError::LogLevel { level: level.to_owned(), what: format!("{e}") })?;
    let (filter, handle) = reload::Layer::new(filter);
    let has_colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    let human = || layer().with_target(false).with_ansi(has_colours).with_writer(io::stderr);
    let layer = match config.format {
        LogFormat::Json => layer().json().flatten_event(true).with_writer(io::stderr).boxed(),
        LogFormat::Auto if is_read_by_the_journal() => {
            layer().with_ansi(false).event_format(ForTheJournal).with_writer(io::stderr).boxed()
        }
        // A person at a prompt knows the time.
        _ if is_daemon => human().boxed(),
        _ => human().without_time().boxed(),
    };
    // A second start in one process, as tests do, leaves the first log as it is.
    tracing_subscriber::registry().with(layer.with_filter(filter)).try_init().ok();
    Ok(Log(handle))
}

impl Log {
    /// Logs from now on what this configuration says.
    pub(super) fn change(&self, config: &Config) {
        let changed = config.log.level.parse::<Targets>().map_err(|e| e.to_string());
        let changed = changed.and_then(|filter| self.0.reload(filter).map_err(|e| e.to_string()));
        if let Err(error) = changed {
            tracing::error!(error, "the level of the log cannot be changed");
        }
    }
}

/// What is said on standard error beside the log, as the one who reads it wants it.
pub fn on_stderr(said: &str) -> String {
    if is_read_by_the_journal() { with_priority(Level::ERROR, said) } else { said.to_owned() }
}

/// Whether standard error is the stream that systemd says it reads. A shell that was started by a service has the
/// variable too, and another standard error.
fn is_read_by_the_journal() -> bool {
    let stream = std::env::var("JOURNAL_STREAM").unwrap_or_default();
    let found = io::stderr().as_fd().try_clone_to_owned().and_then(|fd| File::from(fd).metadata());
    found.is_ok_and(|found| stream == format!("{}:{}", found.dev(), found.ino()))
}

/// Lines that begin with their priority, and bear no time: the journal has its own.
struct ForTheJournal;

impl<S> FormatEvent<S, DefaultFields> for ForTheJournal
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        ctx: &FmtContext<'_, S, DefaultFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = String::new();
        ctx.format_fields(Writer::new(&mut line), event)?;
        // Each line would be an entry of its own.
        let line = line.lines().map(str::trim).collect::<Vec<_>>().join(" ");
        writeln!(writer, "{}", with_priority(*event.metadata().level(), &line))
    }
}

/// A text each line of which begins with its priority, as sd-daemon(3) has it.
fn with_priority(level: Level, text: &str) -> String {
    let priority = match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        _ => 7,
    };
    let mut prefixed = String::new();
    for (at, line) in text.lines().enumerate() {
        let end = if at == 0 { "" } else { "\n" };
        // Writing to a string does not fail.
        write!(prefixed, "{end}<{priority}>{line}").ok();
    }
    prefixed
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_journal_is_given_priorities_and_no_time() {
        let lines = Lines::default();
        let to = lines.clone();
        let layer = layer().with_ansi(false).event_format(ForTheJournal).with_writer(move || to.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            tracing::info!(files = 3, "ready");
            tracing::warn!(why = %"one\n  two", "careful");
            tracing::error!("it broke");
            tracing::debug!("detail");
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text, "<6>ready files=3\n<4>careful why=one two\n<3>it broke\n<7>detail\n");
    }

    #[test]
    fn every_line_of_an_error_has_its_priority() {
        assert_eq!(
            with_priority(Level::ERROR, "wirefold: no\n  hint: yes"),
            "<3>wirefold: no\n<3>  hint: yes"
        );
    }
}
