//! Asking: the daemon over its socket where one runs, else the store itself.

use super::{Args, CliError, explain, on_stderr, runtime};
use crate::{
    config::{Config, ConfigError},
    control::{self, ControlError},
    inbox::{claims_in, display_path, survey},
    pipeline,
    query::{InboxStatus, Library, QueryError, Question, Status, Tell},
    service::{LOCK_PATIENCE, ServiceError},
    store::{DataLock, LockError},
};
use serde::de::DeserializeOwned;
use std::{
    io::{self, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// How long one try at the lock waits before the daemon is asked again: one may just have started.
const LOCK_TRY: Duration = Duration::from_millis(200);

/// Asks, and gives the answer on line by line until `line` fails or says that nobody listens.
pub(super) fn ask(
    config: &Config,
    question: &Question,
    mut line: impl FnMut(&[u8]) -> Result<bool, CliError>,
) -> Result<(), CliError> {
    let (runtime, mut fault) = (runtime()?, None);
    let mut tell = |text: &[u8]| {
        line(text).unwrap_or_else(|error| {
            fault = Some(error);
            false
        })
    };
    let reached = reach(config, |socket| {
        let mut is_heard = false;
        let mut heard = |text: &[u8]| {
            is_heard = true;
            tell(text)
        };
        match runtime.block_on(control::ask(socket, question, &mut heard)) {
            // One that was killed as it was asked is not there: the files answer.
            Err(ControlError::Broken(_)) if !is_heard && UnixStream::connect(socket).is_err() => {
                Err(ControlError::NotRunning { path: socket.to_owned() })
            }
            answered => answered,
        }
    })?;
    if let Reached::Store(lock) = reached {
        from_store(config, lock, question, &mut tell)?;
    }
    fault.map_or(Ok(()), Err)
}

/// The same where each line is of one shape.
pub(super) fn ask_each<A: DeserializeOwned>(
    config: &Config,
    question: &Question,
    mut each: impl FnMut(A),
) -> Result<(), CliError> {
    ask(config, question, |line| {
        if !line.is_empty() {
            each(serde_json::from_slice(line)?);
        }
        Ok(true)
    })
}

/// The configuration to ask with where something is wrong with it. Whoever has a daemon where the rest of it says is answered,
/// and hears of the fault beside it. Without one, to ask is to write: a view that is behind is brought up to date, which
/// must not be done with half a configuration.
pub(super) fn all_the_same(args: &Args, fault: ConfigError) -> Result<Config, CliError> {
    let Ok(config) = Config::to_ask(&args.sources()) else { return Err(fault.into()) };
    let is_there = |socket: PathBuf| UnixStream::connect(socket).is_ok();
    if !config.asked_socket().is_ok_and(is_there) {
        return Err(fault.into());
    }
    let (said, _) = explain(&fault.into());
    let said =
        format!("{said}\n  the question is answered all the same; a start or a reload would be refused");
    writeln!(io::stderr(), "{}", on_stderr(&said)).ok();
    Ok(config)
}

/// Who was there to be asked.
pub(super) enum Reached<A> {
    /// A daemon, and it answered.
    Daemon(A),
    /// None, and the store is ours.
    Store(DataLock),
}

/// Asks the daemon where one runs, else takes the lock on the store.
pub(super) fn reach<A>(
    config: &Config,
    mut daemon: impl FnMut(&Path) -> Result<A, ControlError>,
) -> Result<Reached<A>, CliError> {
    let check = || {
        has_data(config).then_some(()).ok_or_else(|| CliError::NoData(config.data_dir.display().to_string()))
    };
    reach_or_make(config, |socket| Ok(daemon(socket)?), check)
}

/// Whether anything was ever kept there. That a journal is gone is another matter than that there never was one.
pub(super) fn has_data(config: &Config) -> bool {
    ["journal", "db"].iter().any(|folder| config.data_dir.join(folder).is_dir())
}

/// The same where the store may still have to be made before it can be locked.
pub(super) fn reach_or_make<A>(
    config: &Config,
    mut daemon: impl FnMut(&Path) -> Result<A, CliError>,
    make: impl Fn() -> Result<(), CliError>,
) -> Result<Reached<A>, CliError> {
    let socket = config.asked_socket()?;
    let deadline = Instant::now() + LOCK_PATIENCE;
    loop {
        match daemon(&socket) {
            Err(CliError::Control(ControlError::NotRunning { .. })) => {}
            answered => return Ok(Reached::Daemon(answered?)),
        }
        make()?;
        match DataLock::take(&config.data_dir, LOCK_TRY) {
            Ok(lock) => return Ok(Reached::Store(lock)),
            Err(LockError::Busy { .. }) if Instant::now() < deadline => {}
            Err(error) => return Err(ServiceError::from(error).into()),
        }
    }
}

/// Asks what has an answer of one line, the last.
pub(super) fn ask_one<A: DeserializeOwned>(config: &Config, question: &Question) -> Result<A, CliError> {
    let mut answer = Vec::new();
    ask(config, question, |line| {
        answer = line.to_vec();
        Ok(true)
    })?;
    Ok(serde_json::from_slice(&answer)?)
}

fn from_store(
    config: &Config,
    lock: DataLock,
    question: &Question,
    line: &mut Tell<'_>,
) -> Result<(), CliError> {
    let opened = pipeline::open_to_read(&config.data_dir, config.detect_settings(), &lock);
    let store = opened.map_err(ServiceError::from)?;
    let library = Library::new(&store, &config.data_dir, config.detect_settings());
    match question {
        Question::Status => {
            let status = stopped(config, &library)?;
            line(&serde_json::to_vec(&status)?);
        }
        _ => library.answer(question, line)?,
    }
    store.sync().map_err(QueryError::from)?;
    drop(store);
    lock.release_clean().map_err(ServiceError::from)?;
    Ok(())
}

/// How things stand while no daemon runs: what lies in the inboxes waits for one.
fn stopped(config: &Config, library: &Library<'_>) -> Result<Status, CliError> {
    let settings = config.inbox_settings();
    let mut status = library.status(library.disk_use()?)?;
    let (mut claimed, mut inboxes) = (Vec::new(), Vec::new());
    for root in &settings.inboxes {
        claimed.extend(claims_in(&root.path));
        let survey = survey(root).map_err(ServiceError::from)?;
        let (refused, named) = survey.refused;
        inboxes.push(InboxStatus {
            path: display_path(&root.path),
            watched: "not watched while no daemon runs".to_owned(),
            waiting: survey.files,
            unmarked: survey.unmarked,
            refused,
            refused_paths: named
                .iter()
                .map(|path| display_path(path.strip_prefix(&root.path).unwrap_or(path)))
                .collect(),
            trouble: survey.trouble,
            ..InboxStatus::default()
        });
    }
    status.add_live(library.unknown_arrivals(claimed)?, inboxes);
    Ok(status)
}
