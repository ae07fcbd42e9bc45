//! One shot: files and folders given by a person go the whole way, and stay where they are.

use super::{ServiceError, ground, tasks::Tasks};
use crate::{
    clock,
    config::Config,
    inbox::{Arrivals, FileKind, display_path},
    model::Outcome,
    pipeline::{self, Job, Origin, Parts, Progress, Resume},
};
use std::{
    ffi::OsStr,
    fs,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::{select, sync::mpsc, time::interval};
use walkdir::{DirEntry, WalkDir};

/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_millis(100);

/// What is to be ingested.
#[derive(Clone, Debug)]
pub struct Ingest {
    /// Files and folders, in the order in which they are taken.
    pub paths: Vec<PathBuf>,
    /// Whether publication times are trusted however old they are.
    pub is_archive: bool,
}

/// How it went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Files by outcome.
    pub files: Vec<(Outcome, u64)>,
    /// Articles received, repeats included.
    pub articles: u64,
    /// Items of files that could not be read.
    pub rejected: u64,
    /// The first files that could not be read, or not whole, each with why.
    pub unreadable: Vec<(String, String)>,
    /// Paths that were not there at all.
    pub missing: Vec<String>,
}

impl Summary {
    /// Whether everything could be read.
    pub fn is_whole(&self) -> bool {
        let bad = |o: Outcome| matches!(o, Outcome::Failed | Outcome::Partly);
        self.missing.is_empty() && self.files.iter().all(|(outcome, n)| *n == 0 || !bad(*outcome))
    }
}

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Bytes of what was given, nothing while they are still being counted.
    pub bytes: Option<u64>,
    /// Bytes of it that have been read.
    pub bytes_read: u64,
    /// Files that are durable.
    pub files: u64,
}

/// Ingests everything; `tell` hears now and then how far it has come.
pub async fn ingest(
    config: Config,
    what: Ingest,
    mut tell: impl FnMut(Pace),
) -> Result<Summary, ServiceError> {
    let mut ground = ground(&config)?;
    // What is in flight in the inboxes is for a daemon to finish.
    ground.opened.close_interrupted(&[], &[])?;
    let progress = Arc::new(Progress::default());
    let parts = Parts {
        opened: ground.opened,
        failed: ground.failed,
        data_dir: config.data_dir.clone(),
        article_bytes_max: config.read.article_bytes_max,
        group_articles_max: config.commit.group_articles_max,
        progress: Arc::clone(&progress),
        stop: Arc::default(),
    };
    let (jobs, stages, store) = pipeline::stages(parts);
    let mut tasks = Tasks::default();
    for stage in stages {
        tasks.spawn_blocking(stage.name, move || Ok((stage.run)()?));
    }
    let arrivals = Arrivals::starting_at(ground.next_arrival);
    let paths = what.paths.clone();
    let (missing, mut missed) = mpsc::channel(1);
    tasks.spawn_blocking("walk", move || {
        let not_there = feed(&what, &arrivals, &jobs);
        drop(jobs);
        missing.blocking_send(not_there).ok();
        Ok(())
    });
    let total = Arc::new(OnceLock::new());
    let counted = Arc::clone(&total);
    tasks.spawn_blocking("measure", move || {
        counted.set(paths.iter().map(|path| bytes_in(path)).sum()).ok();
        Ok(())
    });
    let mut ticks = interval(TELL_EVERY);
    let mut outcome = Ok(());
    loop {
        select! {
            ended = tasks.next() => match ended {
                None => break,
                Some(ended) => outcome = outcome.and(ended.map(|_| ())),
            },
            _ = ticks.tick() => tell(Pace {
                bytes: total.get().copied(),
                bytes_read: progress.bytes_read(),
                files: progress.files().iter().map(|(_, n)| n).sum(),
            }),
        }
    }
    outcome?;
    drop(store);
    ground.lock.release_clean()?;
    Ok(Summary {
        files: progress.files().to_vec(),
        articles: progress.articles(),
        rejected: progress.rejected(),
        unreadable: progress.unreadable(),
        missing: missed.recv().await.unwrap_or_default(),
    })
}

/// Hands over all files in order, until nobody wants more. Returns the paths that are not there.
fn feed(what: &Ingest, arrivals: &Arrivals, jobs: &mpsc::Sender<Job>) -> Vec<String> {
    let mut missing = Vec::new();
    for given in &what.paths {
        let Ok(found) = fs::metadata(given) else {
            missing.push(display_path(given));
            continue;
        };
        if let Some(kind) = FileKind::of(&found) {
            if !send(job(given.clone(), None, kind, what.is_archive), arrivals, jobs) {
                break;
            }
            continue;
        }
        for entry in files_in(WalkDir::new(given).sort_by(|a, b| a.file_name().cmp(b.file_name()))) {
            let Some(kind) = kind_of(&entry) else { continue };
            let folder = first_folder(given, entry.path());
            if !send(job(entry.into_path(), folder, kind, what.is_archive), arrivals, jobs) {
                return missing;
            }
        }
    }
    missing
}

/// How many bytes there are to read, for the progress bar.
fn bytes_in(path: &Path) -> u64 {
    files_in(WalkDir::new(path)).filter_map(|e| e.metadata().ok()).map(|found| found.len()).sum()
}

/// What is no folder, hidden names left out.
fn files_in(walk: WalkDir) -> impl Iterator<Item = DirEntry> {
    let entries = walk.into_iter().filter_entry(|e| e.depth() == 0 || !is_hidden(e.file_name()));
    entries.filter_map(Result::ok).filter(|e| !e.file_type().is_dir())
}

fn kind_of(entry: &DirEntry) -> Option<FileKind> {
    entry.metadata().ok().and_then(|found| FileKind::of(&found))
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_bytes().first() == Some(&b'.')
}

/// The first folder under the one that was given.
fn first_folder(given: &Path, file: &Path) -> Option<String> {
    let folder = file.strip_prefix(given).ok()?.parent()?.iter().next()?;
    Some(folder.to_string_lossy().into_owned())
}

fn job(path: PathBuf, folder: Option<String>, kind: FileKind, is_archive: bool) -> Job {
    Job {
        arrival: crate::model::Arrival(0),
        shown: display_path(&path),
        origin: Origin::Given(path),
        inbox: None,
        source: None,
        folder,
        at: clock::now().whole_second(),
        kind,
        resume: Resume::default(),
        is_archive,
    }
}

fn send(job: Job, arrivals: &Arrivals, jobs: &mpsc::Sender<Job>) -> bool {
    let taken = arrivals.take(|arrival| jobs.blocking_send(Job { arrival, ..job }).map_err(|_| ()));
    taken.is_ok()
}
