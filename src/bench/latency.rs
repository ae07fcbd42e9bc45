//! How long a daemon that runs takes to answer, and to see what is dropped into its inbox.

use super::{
    BenchError,
    processes::{Daemon, Program},
};
use crate::{
    control::{self, ControlError},
    query::{Question, RecordAnswer, Selection, Status},
};
use serde::de::DeserializeOwned;
use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    thread::park_timeout,
    time::{Duration, Instant},
};
use tokio::runtime::Handle;

/// So many records are shown, the newest.
const SHOWN: usize = 1_000;
/// How often it is asked whether a file that was dropped is shown.
const ASK_EVERY: Duration = Duration::from_millis(1);
/// How often it is asked whether all of a burst are in. An answer counts everything, and so takes a while itself.
const ASK_OF_ALL_EVERY: Duration = Duration::from_millis(100);
/// How long a file may take, and a burst may stand still.
const DROP_PATIENCE: Duration = Duration::from_mins(1);

/// How many articles are in the windows.
pub(super) fn live(daemon: &Daemon) -> Result<f64, BenchError> {
    Ok(status(daemon)?.and_then(|status| status.index_articles).map_or(0., super::real))
}

/// The milliseconds that each of some records takes to be shown.
pub(super) fn of_show(program: &Program<'_>, daemon: &Daemon) -> Result<Vec<f64>, BenchError> {
    let newest = Selection { limit: Some(SHOWN), ..Selection::default() };
    let records: Vec<RecordAnswer> = ask(daemon, &Question::List(newest))?;
    let mut took = Vec::with_capacity(records.len());
    for record in records {
        program.go_on()?;
        let begun = Instant::now();
        ask::<RecordAnswer>(daemon, &Question::Show { id: record.record.to_string(), limit: None })?;
        took.push(millis(begun));
    }
    Ok(took)
}

/// The milliseconds from the moment each file is renamed into the inbox until its record is shown. So many are dropped a
/// second, at their times whether or not those before are seen yet.
pub(super) fn of_drops(
    program: &Program<'_>,
    daemon: &Daemon,
    files: &[PathBuf],
    a_second: u32,
) -> Result<Vec<f64>, BenchError> {
    let (begun, mut next) = (Instant::now(), 0);
    let (mut waiting, mut took) = (Vec::<(&OsStr, Instant)>::new(), Vec::with_capacity(files.len()));
    while took.len() < files.len() {
        program.go_on()?;
        while let Some(path) = files.get(next)
            && begun.elapsed() * a_second >= Duration::from_secs(next as u64)
        {
            let since = Instant::now();
            waiting.push((drop_in(daemon, path)?, since));
            next += 1;
        }
        let mut still = Vec::with_capacity(waiting.len());
        for (name, since) in waiting {
            match ask::<RecordAnswer>(daemon, &Question::Show { id: name.display().to_string(), limit: None })
            {
                Ok(_) => took.push(millis(since)),
                Err(BenchError::Control(ControlError::Refused { not_found: true, .. }))
                    if since.elapsed() < DROP_PATIENCE =>
                {
                    still.push((name, since));
                }
                Err(error) => return Err(error),
            }
        }
        waiting = still;
        park_timeout(ASK_EVERY);
    }
    Ok(took)
}

/// The seconds from the moment the first of these files is renamed into the inbox, and the others right behind it, until
/// the records of all are shown.
pub(super) fn of_burst(program: &Program<'_>, daemon: &Daemon, files: &[PathBuf]) -> Result<f64, BenchError> {
    let finished = || {
        Ok::<_, BenchError>(status(daemon)?.map_or(0, |status| status.files.received - status.files.pending))
    };
    let (before, begun) = (finished()?, Instant::now());
    for path in files {
        drop_in(daemon, path)?;
    }
    let (all, mut last, mut since) = (before + files.len() as u64, before, Instant::now());
    loop {
        let now = finished()?;
        if now >= all {
            break;
        }
        if now > last {
            (last, since) = (now, Instant::now());
        } else if since.elapsed() > DROP_PATIENCE {
            let (left, dropped, seconds) = (all - now, files.len(), DROP_PATIENCE.as_secs());
            return Err(BenchError::Stuck { left, dropped, seconds });
        }
        program.go_on()?;
        park_timeout(ASK_OF_ALL_EVERY);
    }
    Ok(begun.elapsed().as_secs_f64())
}

/// Renames a file into the inbox, and returns the name that it has there.
fn drop_in<'f>(daemon: &Daemon, file: &'f Path) -> Result<&'f OsStr, BenchError> {
    let name = file.file_name().unwrap_or_default();
    let to = daemon.inbox().join(name);
    let dropped = fs::rename(file, &to);
    dropped.map_err(|source| BenchError::Folder { action: "drop", path: to, source })?;
    Ok(name)
}

fn status(daemon: &Daemon) -> Result<Option<Status>, BenchError> {
    Ok(ask(daemon, &Question::Status)?.pop())
}

fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

fn ask<A: DeserializeOwned>(daemon: &Daemon, question: &Question) -> Result<Vec<A>, BenchError> {
    let mut answers = Vec::new();
    let mut take = |line: &[u8]| serde_json::from_slice(line).map(|answer| answers.push(answer)).is_ok();
    Handle::current().block_on(control::ask(&daemon.socket(), question, &mut take))?;
    Ok(answers)
}
