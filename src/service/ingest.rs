//! One shot: files and folders given by a person go the whole way, and stay where they are.

use super::{ServiceError, ground, tasks::Tasks};
use crate::{
    clock,
    config::Config,
    inbox::{Arrivals, FileKind, display_path},
    model::Outcome,
    pipeline::{self, ArticleTimes, Job, Origin, Parts, Progress, Resume, Wired},
};
use std::{
    ffi::OsStr,
    fs, io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::{select, sync::mpsc, time::interval};
use walkdir::{DirEntry, WalkDir};

/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_millis(100);

/// Of the paths that could not be reached, this many are remembered by name: about a screenful.
const SKIPPED_MAX: usize = 20;

/// What is to be ingested.
#[derive(Clone, Debug)]
pub struct Ingest {
    /// Files and folders, in the order in which they are taken.
    pub paths: Vec<PathBuf>,
    /// Which time of an article decides windows.
    pub times: ArticleTimes,
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
    /// What of the given could not be reached.
    pub skipped: Skipped,
}

/// Paths that could not be reached, so that nothing is known of what lies there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// How many there are.
    pub count: u64,
    /// The first of them, each with why.
    pub first: Vec<(String, String)>,
}

impl Summary {
    /// Whether everything could be read.
    pub fn is_whole(&self) -> bool {
        let bad = |o: Outcome| matches!(o, Outcome::Failed | Outcome::Partly);
        self.skipped.count == 0 && self.files.iter().all(|(outcome, n)| *n == 0 || !bad(*outcome))
    }
}

impl Skipped {
    fn add(&mut self, path: &Path, why: String) {
        self.count += 1;
        if self.first.len() < SKIPPED_MAX {
            self.first.push((display_path(path), why));
        }
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
        article_bytes_max: config.read.article_bytes_max,
        group_articles_max: config.commit.group_articles_max,
        progress: Arc::clone(&progress),
        stop: Arc::default(),
        encoder: ground.encoder,
    };
    let Wired { jobs, stages, store, .. } = pipeline::stages(parts);
    let mut tasks = Tasks::default();
    for stage in stages {
        tasks.spawn_blocking(stage.name, move || Ok((stage.run)()?));
    }
    let arrivals = Arrivals::starting_at(ground.next_arrival);
    let paths = what.paths.clone();
    let (skips, mut skipped) = mpsc::channel(1);
    tasks.spawn_blocking("walk", move || {
        let not_reached = feed(&what, &arrivals, &jobs);
        drop(jobs);
        skips.blocking_send(not_reached).ok();
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
        skipped: skipped.recv().await.unwrap_or_default(),
    })
}

/// Hands over all files in order, until nobody wants more. Returns what could not be reached.
fn feed(what: &Ingest, arrivals: &Arrivals, jobs: &mpsc::Sender<Job>) -> Skipped {
    let mut skipped = Skipped::default();
    for given in &what.paths {
        let kind = match fs::metadata(given) {
            Ok(found) => FileKind::of(&found),
            Err(error) => {
                skipped.add(given, not_reached(&error));
                continue;
            }
        };
        if let Some(kind) = kind {
            if !send(job(given.clone(), None, kind, what.times), arrivals, jobs) {
                break;
            }
            continue;
        }
        for entry in files_in(WalkDir::new(given).sort_by(|a, b| a.file_name().cmp(b.file_name()))) {
            match entry.and_then(with_kind) {
                Ok((entry, Some(kind))) => {
                    let folder = first_folder(given, entry.path());
                    if !send(job(entry.into_path(), folder, kind, what.times), arrivals, jobs) {
                        return skipped;
                    }
                }
                Ok((_, None)) => {}
                Err(error) => {
                    let why = error.io_error().map_or_else(|| error.to_string(), not_reached);
                    skipped.add(error.path().unwrap_or(given), why);
                }
            }
        }
    }
    skipped
}

fn not_reached(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        _ => error.to_string(),
    }
}

/// How many bytes there are to read, for the progress bar.
fn bytes_in(path: &Path) -> u64 {
    let files = files_in(WalkDir::new(path)).filter_map(Result::ok);
    files.filter_map(|e| e.metadata().ok()).map(|found| found.len()).sum()
}

/// What is no folder, hidden names left out; and what could not be looked at.
fn files_in(walk: WalkDir) -> impl Iterator<Item = walkdir::Result<DirEntry>> {
    let entries = walk.into_iter().filter_entry(|e| e.depth() == 0 || !is_hidden(e.file_name()));
    entries.filter(|e| e.as_ref().map_or(true, |e| !e.file_type().is_dir()))
}

fn with_kind(entry: DirEntry) -> walkdir::Result<(DirEntry, Option<FileKind>)> {
    let found = entry.metadata()?;
    Ok((entry, FileKind::of(&found)))
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_bytes().first() == Some(&b'.')
}

/// The first folder under the one that was given.
fn first_folder(given: &Path, file: &Path) -> Option<String> {
    let folder = file.strip_prefix(given).ok()?.parent()?.iter().next()?;
    Some(folder.to_string_lossy().into_owned())
}

fn job(path: PathBuf, folder: Option<String>, kind: FileKind, times: ArticleTimes) -> Job {
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
        times,
    }
}

fn send(job: Job, arrivals: &Arrivals, jobs: &mpsc::Sender<Job>) -> bool {
    let taken = arrivals.take(|arrival| jobs.blocking_send(Job { arrival, ..job }).map_err(|_| ()));
    taken.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use tempfile::TempDir;

    /// A chain of folders whose deepest has a path longer than the system takes, so that nobody can list it, not even
    /// root. No such path can be made by name, but half of it can be renamed into the other half.
    fn too_deep_to_list(dir: &Path) {
        let chain = |top: &str| (0..9).fold(dir.join(top), |path, _| path.join("x".repeat(250)));
        for top in ["in", "half"] {
            fs::create_dir_all(chain(top)).unwrap();
        }
        fs::rename(dir.join("half"), chain("in").join("half")).unwrap();
    }

    /// They were passed over in silence, and the exit code said that everything had been read.
    #[test]
    fn what_cannot_be_reached_is_told_with_its_reason() {
        let dir = TempDir::new().unwrap();
        let path = |name: &str| dir.path().join(name);
        too_deep_to_list(dir.path());
        fs::write(path("in/good.txt"), "text").unwrap();
        symlink(path("loop"), path("loop")).unwrap();
        let what =
            Ingest { paths: ["in", "loop", "nowhere"].map(path).to_vec(), times: ArticleTimes::Recent };
        let (jobs, mut received) = mpsc::channel(9);
        let skipped = feed(&what, &Arrivals::starting_at(crate::model::Arrival(1)), &jobs);
        drop(jobs);
        assert_eq!(received.blocking_recv().map(|job| job.shown), Some(display_path(&path("in/good.txt"))));
        assert!(received.blocking_recv().is_none());
        assert_eq!(skipped.count, 3);
        let why = |n: usize| skipped.first[n].1.as_str();
        assert!(skipped.first[0].0.ends_with("xxx") && why(0).contains("too long"), "{}", why(0));
        assert!(why(1).contains("symbolic links"), "{}", why(1));
        assert_eq!(why(2), "there is no such file or folder");
        assert!(!Summary { skipped, ..Summary::default() }.is_whole());
    }
}
