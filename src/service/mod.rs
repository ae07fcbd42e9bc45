//! Running: start, tasks, signals, readiness and the end, for the daemon and for a one-shot ingest.
//!
//! The one place that spawns. Every task is named and joined; one that ends before it should stops the rest. The
//! order of the end is: intake, then the stages from the first on, each drained, then the socket, then the lock.
//! Called by `cli`.

mod daemon;
mod handover;
mod ingest;
mod known;
mod reload;
mod systemd;
mod tasks;

pub use daemon::{Daemon, Ready, run};
pub use ingest::{Ingest, Pace, Skipped, Summary, hand_over, ingest, ingest_locked};
pub use known::counted;
pub use reload::{AT_THE_NEXT_START, Reload};

use crate::{
    config::{Config, ConfigError},
    control::ControlError,
    encode::{EncodeError, Encoder},
    inbox::{self, Claimed, FailedDir, InboxError, Inboxes, display_path},
    model::Arrival,
    pipeline::{self, OpenError, Opened, PipelineError},
    store::{DataLock, LockError},
};
use std::{
    fs, io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    time::Duration,
};

/// How long a starting process waits for a command that reads the store directly to finish.
pub const LOCK_PATIENCE: Duration = Duration::from_secs(10);

/// Why a run cannot start, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Another process has the data directory.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A daemon has it, and answers.
    #[error("a daemon runs there already: {} is its data directory{}", data_dir.display(), holder.as_ref().map_or_else(String::new, |who| format!(" ({who})")))]
    Running {
        /// The data directory.
        data_dir: PathBuf,
        /// Which process it is, in words.
        holder: Option<String>,
    },
    /// The data directory cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The sentence encoder cannot be loaded.
    #[error(transparent)]
    Encoder(#[from] EncodeError),
    /// An inbox cannot be used.
    #[error(transparent)]
    Inbox(#[from] InboxError),
    /// A stage failed.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// The control socket failed.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// The file system refused.
    #[error("cannot {action} {path}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What it said.
        #[source]
        source: io::Error,
    },
    /// A task ended before it should have.
    #[error("the task '{name}' ended unexpectedly: {what}")]
    Task {
        /// Which.
        name: &'static str,
        /// What it said.
        what: String,
    },
    /// There is less room than is to be left.
    #[error("there is too little room: {what}; {}", in_part(*files))]
    NoRoom {
        /// What is free, and what is asked for.
        what: String,
        /// Files that are durable.
        files: u64,
    },
    /// The daemon did not take in all that was handed over to it.
    #[error("the daemon {what}; {}", handed_in_part(*files))]
    HandedInPart {
        /// What it does instead.
        what: String,
        /// Files that are durable.
        files: u64,
        /// Whether the rest may be handed over another time.
        is_temporary: bool,
    },
    /// A second signal came while the first was being heeded.
    #[error("stopped at once by a second signal; what was not finished is still in the inbox")]
    Aborted,
    /// What was under way did not end in time.
    #[error("what was under way did not end within {} s; it is still in the inbox", .0.as_secs())]
    Stuck(Duration),
}

impl ServiceError {
    /// Whether it says that a configuration cannot be used, and not that the daemon cannot go on.
    fn is_of_the_configuration(&self) -> bool {
        matches!(self, Self::Config(_) | Self::Inbox(_) | Self::Encoder(_))
    }
}

fn in_part(files: u64) -> String {
    match files {
        0 => "nothing was taken in before that".to_owned(),
        1 => "1 file was taken in before that".to_owned(),
        _ => format!("{files} files were taken in before that"),
    }
}

/// Of a file under way every article that was committed stays.
fn handed_in_part(files: u64) -> String {
    let whole = match files {
        0 => "no file was taken in whole before that".to_owned(),
        1 => "1 file was taken in whole before that".to_owned(),
        _ => format!("{files} files were taken in whole before that"),
    };
    format!("{whole}, and of what was under way a part may be")
}

/// A data directory that is locked, opened and ready to be written to.
struct Ground {
    lock: DataLock,
    opened: Opened,
    encoder: Option<Encoder>,
    failed: FailedDir,
    inboxes: Inboxes,
    in_flight: Vec<Claimed>,
    next_arrival: Arrival,
}

/// Makes the data directory where it is missing, so that it can be locked; not for an encoder that cannot be loaded.
pub fn make_data_dir(config: &Config) -> Result<(), ServiceError> {
    if !config.data_dir.exists() {
        encoder(config)?;
    }
    make_folder(&config.data_dir)
}

/// Whether the inboxes that are named can be had, before a first start makes anything: a start that is refused leaves nothing
/// behind where nothing was.
fn check_inboxes(config: &Config) -> Result<(), ServiceError> {
    if config.inbox.is_empty() || config.data_dir.join("journal").exists() {
        return Ok(());
    }
    inboxes_against(config).map_or(Ok(()), |error| Err(error.into()))
}

/// The first that a start has against the inboxes; the log has the others, so that all can be mended at once.
fn inboxes_against(config: &Config) -> Option<InboxError> {
    let mut against = inbox::would_open(&config.inbox_settings(), &config.failed_dir()).into_iter();
    let first = against.next();
    for error in against {
        tracing::error!(%error, "another inbox cannot be used either");
    }
    first
}

/// Loads the encoder, makes the other folders where they are missing, and opens the store.
fn ground(config: &Config, lock: DataLock) -> Result<Ground, ServiceError> {
    let encoder = encoder(config)?;
    make_default_inbox(config)?;
    let failed = FailedDir::open(config.failed_dir())?;
    let opened = Inboxes::open(config.inbox_settings(), &failed);
    let (inboxes, in_flight) = opened.map_err(|error| inboxes_against(config).unwrap_or(error))?;
    let opened = pipeline::open(&config.data_dir, config.detect_settings(), &lock)?;
    let next_arrival = opened.next_arrival(&in_flight, &failed)?;
    Ok(Ground { lock, opened, encoder, failed, inboxes, in_flight, next_arrival })
}

/// Makes the inbox that is watched where none is named. Where others are, it is said of files that were dropped there.
fn make_default_inbox(config: &Config) -> Result<(), ServiceError> {
    let default = config.data_dir.join("inbox");
    if config.inbox.is_empty() {
        return make_folder(&default);
    }
    let is_visible = |entry: &fs::DirEntry| !entry.file_name().as_encoded_bytes().starts_with(b".");
    let waiting = fs::read_dir(&default).map_or(0, |entries| entries.flatten().filter(is_visible).count());
    if waiting > 0 && !config.inbox.iter().any(|inbox| inbox.path == default) {
        tracing::warn!(
            folder = display_path(&default),
            waiting,
            "the configuration names other inboxes, so what lies here is not taken in; name it too, or move them"
        );
    }
    Ok(())
}

/// Loads the sentence encoder where one is configured.
pub fn encoder(config: &Config) -> Result<Option<Encoder>, ServiceError> {
    Ok(config.encoder_settings().map(|settings| Encoder::load(&settings)).transpose()?)
}

/// Makes a folder that nobody outside the group can read.
fn make_folder(path: &Path) -> Result<(), ServiceError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o750).create(path);
    made.map_err(|source| ServiceError::Io { action: "make the folder", path: path.to_owned(), source })
}
