//! One shot: files and folders given by a person go the whole way, here or in the daemon that runs, and stay where they
//! are.

use super::{
    LOCK_PATIENCE, ServiceError,
    daemon::room,
    ground,
    handover::{self, Told},
    make_data_dir,
    tasks::Tasks,
};
use crate::{
    config::Config,
    control::{self, ControlError},
    inbox::{Arrivals, FileKind, display_path, is_left_alone},
    pipeline::{self, ArticleTimes, Job, Parts, Tally, Wired},
    store::DataLock,
};
use rustix::fs::{Access, access};
use std::{
    fs,
    future::{Future, pending},
    io::{self, BufWriter},
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    select, signal,
    sync::{mpsc, watch},
    time::interval,
};
use walkdir::{DirEntry, WalkDir};

/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_millis(100);

/// How much is sent to a daemon at once: many small files, or a block of a large one.
const SENT_BYTES: usize = 64 << 10;

/// Of the paths that could not be reached, this many are remembered by name: about a screenful.
const SKIPPED_MAX: usize = 20;

/// What is to be ingested.
#[derive(Clone, Debug)]
pub struct Ingest {
    /// Files and folders, in the order in which they are taken.
    pub paths: Vec<PathBuf>,
    /// Which time of an article decides windows.
    pub times: ArticleTimes,
    /// Names that are left alone in the folders, beside hidden ones.
    pub ignore: Vec<String>,
}

/// How it went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// What became of the files.
    pub tally: Tally,
    /// What of the given could not be reached.
    pub skipped: Skipped,
    /// Whether a person interrupted it. A daemon still takes in what it has whole; of that the tally does not tell.
    pub is_interrupted: bool,
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
        !self.is_interrupted && self.skipped.count == 0 && self.tally.is_whole()
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
    /// Whether the daemon waits until it has room for the next file.
    pub waits: bool,
}

/// Ingests everything into a store that nobody else has; `tell` hears now and then how far it has come.
pub async fn ingest(config: Config, what: Ingest, tell: impl FnMut(Pace)) -> Result<Summary, ServiceError> {
    make_data_dir(&config)?;
    let lock = DataLock::take(&config.data_dir, LOCK_PATIENCE)?;
    taken_in(&config, lock, what, tell, pending()).await
}

/// The same into the store that `lock` is held on. An interrupt (Ctrl-C) ends it at once: what the tally counts is durable, and so
/// may be a part of the file under way.
pub async fn ingest_locked(
    config: &Config,
    lock: DataLock,
    what: Ingest,
    tell: impl FnMut(Pace),
) -> Result<Summary, ServiceError> {
    let interrupted = async { drop(signal::ctrl_c().await) };
    taken_in(config, lock, what, tell, interrupted).await
}

async fn taken_in(
    config: &Config,
    lock: DataLock,
    what: Ingest,
    tell: impl FnMut(Pace),
    interrupted: impl Future<Output = ()>,
) -> Result<Summary, ServiceError> {
    let mut ground = ground(config, lock)?;
    // What is in flight in the inboxes is for a daemon to finish.
    ground.opened.close_interrupted(&[], &[])?;
    let stop = Arc::<AtomicBool>::default();
    let parts = Parts {
        opened: ground.opened,
        failed: ground.failed,
        reading: config.reading(),
        group_articles_max: config.commit.group_articles_max,
        progress: Arc::default(),
        stop: Arc::clone(&stop),
        room: room(config),
        waits: false,
        encoder: ground.encoder,
    };
    let Wired { jobs, stages, store, .. } = pipeline::stages(parts);
    let mut tasks = Tasks::default();
    for stage in stages {
        tasks.spawn_blocking(stage.name, move || Ok((stage.run)()?));
    }
    let arrivals = Arrivals::starting_at(ground.next_arrival);
    let (tally, tallied) = watch::channel(Tally::default());
    let (room, lacking) = (room(config), Arc::new(OnceLock::new()));
    let lacks = Arc::clone(&lacking);
    let send = move |job| {
        // A daemon waits until there is room; a person is told.
        if let Some(what) = room.lacks(0) {
            lacks.set(what).ok();
            return false;
        }
        let job = Job { tally: Some(tally.clone()), ..job };
        arrivals.take(|arrival| jobs.blocking_send(Job { arrival, ..job }).map_err(drop)).is_ok()
    };
    let skipped = select! {
        skipped = follow(tasks, what, send, &tallied, tell) => Some(skipped?),
        () = interrupted => None,
    };
    let tally = tallied.borrow().clone();
    let Some(skipped) = skipped else {
        stop.store(true, Ordering::Relaxed);
        // A stage may still be writing: the lock goes only with the process.
        std::mem::forget(ground.lock);
        return Ok(Summary { tally, skipped: Skipped::default(), is_interrupted: true });
    };
    drop(store);
    ground.lock.release_clean()?;
    match lacking.get() {
        Some(what) => Err(ServiceError::NoRoom { what: what.clone(), files: tally.files() }),
        None => Ok(Summary { tally, skipped, is_interrupted: false }),
    }
}

/// Hands everything over to the daemon at `socket`; `tell` hears now and then how far that has come with it. An interrupt
/// (Ctrl-C) ends it at once, whatever file is being sent.
pub async fn hand_over(socket: &Path, what: Ingest, tell: impl FnMut(Pace)) -> Result<Summary, ServiceError> {
    let connection = control::connect(socket).await?;
    let (sending, body) = control::sending();
    let (tally, tallied) = watch::channel(Tally::default());
    let mut tasks = Tasks::default();
    let waits = Arc::new(AtomicBool::new(false));
    let is_waiting = Arc::clone(&waits);
    tasks.spawn("hear", async move {
        let mut last = Told { tally: Tally::default(), waits: false, end: None };
        let mut line = |line: &[u8]| match serde_json::from_slice::<Told>(line) {
            Ok(told) => {
                tally.send_replace(told.tally.clone());
                is_waiting.store(told.waits, Ordering::Relaxed);
                last = told;
                last.end.is_none()
            }
            Err(_) => false,
        };
        match control::stream(connection, body, &mut line).await {
            Err(ControlError::Broken(_)) | Ok(()) => handover::outcome(last).map(drop),
            Err(error) => Err(error.into()),
        }
    });
    let mut sending = BufWriter::with_capacity(SENT_BYTES, sending);
    let send = move |job: Job| handover::send(&job, &mut sending).is_ok();
    let mut tell = tell;
    let tell = |pace| tell(Pace { waits: waits.load(Ordering::Relaxed), ..pace });
    let skipped = select! {
        skipped = follow(tasks, what, send, &tallied, tell) => Some(skipped?),
        _ = signal::ctrl_c() => None,
    };
    let (tally, is_interrupted) = (tallied.borrow().clone(), skipped.is_none());
    Ok(Summary { tally, skipped: skipped.unwrap_or_default(), is_interrupted })
}

/// Sends all files in order and waits until all tasks have ended. Returns what could not be reached.
async fn follow(
    mut tasks: Tasks,
    what: Ingest,
    send: impl FnMut(Job) -> bool + Send + 'static,
    tallied: &watch::Receiver<Tally>,
    mut tell: impl FnMut(Pace),
) -> Result<Skipped, ServiceError> {
    let (paths, ignore) = (what.paths.clone(), what.ignore.clone());
    let (skips, mut skipped) = mpsc::channel(1);
    tasks.spawn_blocking("walk", move || {
        skips.blocking_send(feed(&what, send)).ok();
        Ok(())
    });
    let total = Arc::new(OnceLock::new());
    let counted = Arc::clone(&total);
    tasks.spawn_blocking("measure", move || {
        counted.set(paths.iter().map(|path| bytes_in(path, &ignore)).sum()).ok();
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
            _ = ticks.tick() => {
                let tally = tallied.borrow();
                tell(Pace { bytes: total.get().copied(), bytes_read: tally.bytes_read, files: tally.files(), waits: false });
            }
        }
    }
    outcome?;
    Ok(skipped.recv().await.unwrap_or_default())
}

/// Sends all files in order, until nobody wants more. Returns what could not be reached.
fn feed(what: &Ingest, mut send: impl FnMut(Job) -> bool) -> Skipped {
    let mut skipped = Skipped::default();
    for given in &what.paths {
        let kind = match fs::metadata(given) {
            Ok(found) => FileKind::of(&found),
            Err(error) => {
                let is_dash = given.as_os_str() == "-";
                let why = if is_dash {
                    "standard input is not read; give a file or a folder".to_owned()
                } else {
                    not_reached(&error)
                };
                skipped.add(given, why);
                continue;
            }
        };
        if let Some(kind) = kind {
            if let Some(why) = forbidden(given, kind) {
                skipped.add(given, why);
                continue;
            }
            if !send(Job::of_given(given.clone(), kind, None, what.times)) {
                break;
            }
            continue;
        }
        for entry in
            files_in(WalkDir::new(given).sort_by(|a, b| a.file_name().cmp(b.file_name())), &what.ignore)
        {
            match entry.and_then(with_kind) {
                Ok((entry, Some(kind))) => {
                    if let Some(why) = forbidden(entry.path(), kind) {
                        skipped.add(entry.path(), why);
                        continue;
                    }
                    let folder = first_folder(given, entry.path());
                    if !send(Job::of_given(entry.into_path(), kind, folder, what.times)) {
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
        io::ErrorKind::PermissionDenied => "the user who gives it has no right to read it".to_owned(),
        _ => error.to_string(),
    }
}

/// Why a file is not sent that its giver may not read: nobody else would read it for him, so it has not come in.
fn forbidden(path: &Path, kind: FileKind) -> Option<String> {
    let error = io::Error::from(access(path, Access::READ_OK).err().filter(|_| kind == FileKind::Regular)?);
    (error.kind() == io::ErrorKind::PermissionDenied).then(|| not_reached(&error))
}

/// How many bytes there are to read, for the progress bar.
fn bytes_in(path: &Path, ignore: &[String]) -> u64 {
    let files = files_in(WalkDir::new(path), ignore).filter_map(Result::ok);
    files.filter_map(|e| e.metadata().ok()).map(|found| found.len()).sum()
}

/// What is no folder, without the names that inboxes leave alone; and what could not be looked at.
fn files_in(walk: WalkDir, ignore: &[String]) -> impl Iterator<Item = walkdir::Result<DirEntry>> + '_ {
    let is_left_alone = |entry: &DirEntry| is_left_alone(ignore, &entry.file_name().to_string_lossy());
    let entries = walk.into_iter().filter_entry(move |e| e.depth() == 0 || !is_left_alone(e));
    entries.filter(|e| e.as_ref().map_or(true, |e| !e.file_type().is_dir()))
}

fn with_kind(entry: DirEntry) -> walkdir::Result<(DirEntry, Option<FileKind>)> {
    let found = entry.metadata()?;
    Ok((entry, FileKind::of(&found)))
}

/// The first folder under the one that was given.
fn first_folder(given: &Path, file: &Path) -> Option<String> {
    let folder = file.strip_prefix(given).ok()?.parent()?.iter().next()?;
    Some(folder.to_string_lossy().into_owned())
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
        let what = Ingest {
            paths: ["in", "loop", "nowhere"].map(path).to_vec(),
            times: ArticleTimes::Recent,
            ignore: Vec::new(),
        };
        let mut sent = Vec::new();
        let skipped = feed(&what, |job| {
            sent.push(job.shown);
            true
        });
        assert_eq!(sent, [display_path(&path("in/good.txt"))]);
        assert_eq!(skipped.count, 3);
        let why = |n: usize| skipped.first[n].1.as_str();
        assert!(skipped.first[0].0.ends_with("xxx") && why(0).contains("too long"), "{}", why(0));
        assert!(why(1).contains("symbolic links"), "{}", why(1));
        assert_eq!(why(2), "there is no such file or folder");
        assert!(!Summary { skipped, ..Summary::default() }.is_whole());
    }
}
