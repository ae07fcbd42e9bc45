//! The one place that turns an error into a sentence, its causes, a hint and an exit code.

use super::render::printable;
use crate::{
    backup::BackupError,
    bench::BenchError,
    config::ConfigError,
    control::ControlError,
    encode::EncodeError,
    eval::EvalError,
    inbox::InboxError,
    pipeline::{OpenError, PipelineError},
    query::QueryError,
    service::ServiceError,
    store::LockError,
};
use std::{
    error::Error,
    io,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Where the packaged service keeps its data.
const SERVICE_DATA: &str = "/var/lib/wirefold";

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Failed.
    Failed = 1,
    /// Some inputs could not be read; the rest were taken in.
    SomeUnread = 65,
    /// Something that cannot happen did.
    Internal = 70,
    /// Busy; try again.
    Busy = 75,
    /// The configuration cannot be used.
    Config = 78,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Whatever can go wrong in a command.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A run cannot start, or did not end well.
    #[error(transparent)]
    Service(ServiceError),
    /// The daemon cannot be asked.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// A question has no answer.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// No backup can be made, or brought back.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// Nothing can be measured here.
    #[error(transparent)]
    Bench(#[from] BenchError),
    /// A labelled set cannot be measured.
    #[error(transparent)]
    Eval(#[from] EvalError),
    /// Settings that are to move together have different numbers of values.
    #[error(
        "{first} takes {first_values} values and {other} takes {other_values}; settings that move together take as many each"
    )]
    UnevenSweep {
        /// A setting.
        first: String,
        /// How many values it has.
        first_values: usize,
        /// Another setting.
        other: String,
        /// How many that has.
        other_values: usize,
    },
    /// A span of time that ends before it begins.
    #[error("--until is not after --since, so no record can lie between them")]
    EmptySpan,
    /// A person pressed Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// An answer is not what it should be.
    #[error("an answer cannot be understood")]
    Answer(#[from] serde_json::Error),
    /// There is nothing to ask yet.
    #[error("there is no data in {0} yet")]
    NoData(String),
    /// A backup would be written to.
    #[error("{0} is a backup: to ask or work with it would write into it, and it would be none any more")]
    IsABackup(String),
    /// What wirefold keeps was given to it.
    #[error("{} holds what wirefold itself keeps, in {}: that is no news", given.display(), data_dir.display())]
    OwnData {
        /// What was given.
        given: PathBuf,
        /// The data directory.
        data_dir: PathBuf,
    },
    /// An inbox would take in the backup.
    #[error("{} lies in the inbox {}, which would take in the backup as news", folder.display(), inbox.display())]
    InAnInbox {
        /// Where the backup was to be.
        folder: PathBuf,
        /// The inbox.
        inbox: PathBuf,
    },
    /// The view cannot be made anew beneath a daemon.
    #[error(transparent)]
    BesideADaemon(LockError),
    /// Nothing can be written to standard output.
    #[error("cannot write to standard output")]
    Output(#[source] io::Error),
    /// The async runtime cannot be started.
    #[error("cannot start the async runtime")]
    Runtime(#[source] io::Error),
    /// The log cannot be set up.
    #[error("log.level '{level}' cannot be understood: {what}")]
    LogLevel {
        /// What was configured.
        level: String,
        /// What is wrong with it.
        what: String,
    },
}

impl From<ServiceError> for CliError {
    /// Whoever talked over the socket, what is wrong with it is the same.
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Control(error) => Self::Control(error),
            error => Self::Service(error),
        }
    }
}

/// What a person reads on standard error, and how the process ends.
pub fn explain(error: &CliError) -> (String, Exit) {
    let mut said = format!("wirefold: {error}");
    let mut cause = error.source();
    while let Some(source) = cause {
        let text = source.to_string();
        // A transparent wrapper says what its source says; it need not be said twice.
        if !said.ends_with(&text) {
            said.push_str("\n  because: ");
            said.push_str(&text);
        }
        cause = source.source();
    }
    let (hint, exit) = if is_for_lack_of_room(error) { (Some(MAKE_ROOM), Exit::Busy) } else { advice(error) };
    if let Some(hint) = hint {
        said.push_str("\n  hint: ");
        said.push_str(hint);
    }
    // It may name what somebody sent.
    (printable(&said).into_owned(), exit)
}

const MAKE_ROOM: &str = "make room there and give the command again; nothing is lost. Where no daemon runs to be asked, the view is opened here, which takes some room";

/// Whether a full disk is at the bottom of it.
fn is_for_lack_of_room(error: &CliError) -> bool {
    if !matches!(error, CliError::Service(_) | CliError::Query(_)) {
        return false;
    }
    let causes = std::iter::successors(Some(error as &dyn Error), |cause| (*cause).source());
    let kinds = causes.filter_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
    kinds.into_iter().any(|kind| matches!(kind, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded))
}

fn advice(error: &CliError) -> (Option<&'static str>, Exit) {
    match error {
        CliError::Config(ConfigError::Read { .. }) => (
            Some(
                "--config and WIREFOLD_CONFIG name a file that this user may read; without either wirefold runs as built in, and 'wirefold check --keys' prints a file to begin with",
            ),
            Exit::Config,
        ),
        CliError::Config(ConfigError::NoDataDir) => (None, Exit::Config),
        CliError::Config(_) | CliError::LogLevel { .. } | CliError::Service(ServiceError::Config(_)) => {
            (Some("'wirefold check --keys' tells every key with its meaning and range"), Exit::Config)
        }
        CliError::Service(ServiceError::Lock(error)) => lock_advice(error),
        CliError::IsABackup(_) | CliError::BesideADaemon(_) => whose_advice(error),
        CliError::Service(
            error @ (ServiceError::Running { .. }
            | ServiceError::NoRoom { .. }
            | ServiceError::Open(OpenError::Gone { .. })
            | ServiceError::HandedInPart { .. }),
        ) => service_advice(error),
        CliError::Service(ServiceError::Inbox(error)) => inbox_advice(error),
        CliError::Service(ServiceError::Encoder(error))
        | CliError::Eval(EvalError::Service(ServiceError::Encoder(error))) => encoder_advice(error),
        CliError::Service(ServiceError::Pipeline(PipelineError::Journal(_))) => (
            Some("what was not durable is still in the inbox; make room or mend the disk and start again"),
            Exit::Failed,
        ),
        CliError::Service(
            ServiceError::Task { .. } | ServiceError::Pipeline(PipelineError::Stage { .. }),
        ) => (
            Some("this is a defect; nothing is lost, what was not finished is still in the inbox"),
            Exit::Internal,
        ),
        CliError::Backup(BackupError::NotEmpty(_)) => {
            (Some("'wirefold --data-dir NEW restore DIR' makes a folder of its own for it"), Exit::Failed)
        }
        CliError::Backup(BackupError::Busy(_)) => (Some("try again when it is done"), Exit::Busy),
        CliError::Query(QueryError::Store(_)) => {
            (Some("'wirefold rebuild' makes the view anew from the journal"), Exit::Failed)
        }
        CliError::Eval(
            EvalError::NoSets { .. } | EvalError::NoArticles { .. } | EvalError::Invalid { .. },
        ) => (
            Some("the README tells the form of a labelled set under 'Measuring it on your own stories'"),
            Exit::Failed,
        ),
        CliError::NoData(dir) if dir != SERVICE_DATA && Path::new(SERVICE_DATA).is_dir() => (
            Some(
                "the service on this machine keeps its data in /var/lib/wirefold: ask with --data-dir /var/lib/wirefold",
            ),
            Exit::Failed,
        ),
        CliError::NoData(_) => (
            Some("'wirefold run' starts the daemon, 'wirefold ingest PATH' takes files in at once"),
            Exit::Failed,
        ),
        CliError::OwnData { .. } => (
            Some("give the files and folders beside it, or keep the data elsewhere, with --data-dir"),
            Exit::Failed,
        ),
        CliError::InAnInbox { .. } => (Some("take a folder outside of all inboxes"), Exit::Failed),
        CliError::Control(error) => control_advice(error),
        CliError::Runtime(_) | CliError::Answer(_) => (None, Exit::Internal),
        _ => (None, Exit::Failed),
    }
}

/// What was asked of a service cannot be had, or not all of it.
const fn service_advice(error: &ServiceError) -> (Option<&'static str>, Exit) {
    match error {
        ServiceError::Running { .. } => (
            Some(
                "'wirefold status' tells how it stands; stop it first to start another (Ctrl-C where it runs, or 'systemctl stop wirefold'), or give this one a --data-dir of its own",
            ),
            Exit::Busy,
        ),
        ServiceError::NoRoom { .. } => (
            Some(
                "make room, or lower commit.free_min_mb; then give all of it again: what was taken in before is known again",
            ),
            Exit::Busy,
        ),
        ServiceError::Open(OpenError::Gone { .. }) => (
            Some(
                "put it back, or mount its disk; else bring a backup back into an empty folder with 'wirefold restore', or begin anew with what the originals hold: 'wirefold audit --repair'. Nothing was changed",
            ),
            Exit::Failed,
        ),
        ServiceError::HandedInPart { is_temporary: true, .. } => (
            Some("try again in a while: nothing is lost, and what was taken in before is known again"),
            Exit::Busy,
        ),
        ServiceError::HandedInPart { .. } => {
            (Some("'wirefold doctor' looks for the cause; then try again: nothing is lost"), Exit::Failed)
        }
        _ => (None, Exit::Failed),
    }
}

fn control_advice(error: &ControlError) -> (Option<&'static str>, Exit) {
    match error {
        ControlError::Busy => (
            Some("it has much to read, or others ask or hand files over at this moment; try again"),
            Exit::Busy,
        ),
        ControlError::NotNow(_) => (
            Some("'wirefold status' tells how it stands; give the command again once that has passed"),
            Exit::Busy,
        ),
        ControlError::Silent => (
            Some("if it was suspended, let it go on; else end it and start it again: nothing is lost"),
            Exit::Busy,
        ),
        ControlError::Socket { action: "connect to", source, .. }
            if source.kind() == io::ErrorKind::PermissionDenied =>
        {
            (
                Some(
                    "only the daemon's user and group may ask it: join the group, as with 'usermod -aG wirefold NAME', and log in again",
                ),
                Exit::Failed,
            )
        }
        _ => (None, Exit::Failed),
    }
}

/// A folder that is not there may be a mount that comes up late; the rest is for a person to change.
const fn encoder_advice(error: &EncodeError) -> (Option<&'static str>, Exit) {
    const FOLDER: &str = "match.encoder.model names the folder of a BERT-family sentence-transformers model with config.json, \
        tokenizer.json and model.safetensors; without the key wirefold runs without an encoder";
    match error {
        EncodeError::NotBuilt => (None, Exit::Config),
        EncodeError::Read { .. } => (Some(FOLDER), Exit::Failed),
        EncodeError::Unusable { .. } => (Some(FOLDER), Exit::Config),
    }
}

/// systemd does not start again what ended with [`Exit::Config`], so that is only for what a person must change. A
/// mount that is not up yet, a full disk or a lost share may be well the next time.
fn lock_advice(error: &LockError) -> (Option<&'static str>, Exit) {
    match error {
        LockError::Busy { .. } => (
            Some("it may be starting, stopping or taking files in; try again in a moment, or stop it first"),
            Exit::Busy,
        ),
        LockError::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => (
            Some(
                "no daemon answers, and without one only the user that the data belongs to may ask: start the service, or ask as that user, as with 'runuser -u wirefold -- wirefold ...'",
            ),
            Exit::Failed,
        ),
        LockError::Stranger { .. } => (
            Some(
                "or start the daemon: what is asked and what 'ingest' is given goes through it, whoever gives it",
            ),
            Exit::Failed,
        ),
        LockError::Io { .. } => (None, Exit::Failed),
    }
}

/// What is asked to be worked with is not to be had so.
fn whose_advice(error: &CliError) -> (Option<&'static str>, Exit) {
    match error {
        CliError::IsABackup(_) => (
            Some(
                "'wirefold --data-dir NEW restore THIS' brings it back into a folder to ask; 'audit' and 'restore' read it as it is",
            ),
            Exit::Failed,
        ),
        CliError::BesideADaemon(_) => (
            Some(
                "stop it first: Ctrl-C where it runs, or 'systemctl stop wirefold'; a view that is damaged it makes anew by itself when it starts",
            ),
            Exit::Busy,
        ),
        _ => (None, Exit::Failed),
    }
}

fn inbox_advice(error: &InboxError) -> (Option<&'static str>, Exit) {
    match error {
        InboxError::NotAFolder { .. } | InboxError::Overlap { .. } | InboxError::Pattern { .. } => {
            (Some("mend 'inbox' or 'intake' in the configuration; no file was touched"), Exit::Config)
        }
        InboxError::InUse { .. } => {
            (Some("two must not take the same files; no file was touched"), Exit::Busy)
        }
        InboxError::Missing { .. } => (
            Some("where it is a mount, RequiresMountsFor= in a drop-in makes the service wait for it"),
            Exit::Failed,
        ),
        InboxError::NotWritable { .. } => (
            Some(
                "an inbox must be a folder that this user may write to; under systemd also ReadWritePaths= must name it",
            ),
            Exit::Failed,
        ),
        InboxError::Ended { .. } => (
            Some("this is a defect; nothing is lost, what was not finished is still in the inbox"),
            Exit::Internal,
        ),
        InboxError::Tangled { .. } => (None, Exit::Failed),
        InboxError::Io { .. } => {
            (Some("nothing is lost: what was not finished is still in the inbox; start again"), Exit::Failed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exit(error: InboxError) -> Exit {
        explain(&CliError::Service(error.into())).1
    }

    /// Every trouble with an inbox ended with 78, so a mount that came up late kept the service down for good.
    #[test]
    fn only_what_a_person_must_change_is_a_wrong_configuration() {
        let (path, source) = (|| "/in".into(), || io::Error::from(io::ErrorKind::ReadOnlyFilesystem));
        assert_eq!(exit(InboxError::Missing { path: path() }), Exit::Failed);
        assert_eq!(exit(InboxError::NotWritable { path: path(), source: source() }), Exit::Failed);
        assert_eq!(exit(InboxError::Io { what: "list", path: path(), source: source() }), Exit::Failed);
        assert_eq!(exit(InboxError::InUse { path: path() }), Exit::Busy);
        assert_eq!(exit(InboxError::NotAFolder { path: path() }), Exit::Config);
        assert_eq!(exit(InboxError::Overlap { inner: path(), outer: path() }), Exit::Config);
        assert_eq!(exit(InboxError::Pattern { pattern: "a*b".to_owned() }), Exit::Config);
    }
}
