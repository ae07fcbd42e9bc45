//! The configured inboxes, checked at start so that what cannot work is said before anything is claimed.

use super::{
    Claimed, FailedDir, InboxError, Marker,
    claim::{make_folders, work_folder},
    leash::answered,
    names::{Ignore, display_path},
    recover::recover,
};
use rustix::fs::{Access, access};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{
    task::{JoinSet, spawn_blocking},
    time::sleep,
};

/// One inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// The folder that is watched, with all folders in it.
    pub path: PathBuf,
    /// The source of everything that arrives there; without it, the first sub-folder's name.
    pub source: Option<String>,
    /// Whether events are asked for; else scans find everything, as on a mount that another machine writes to.
    pub by_events: bool,
    /// Names that are left alone, with a `*` at the start, at the end or at both. Names with a leading dot always are.
    pub ignore: Vec<String>,
    /// How the marker is named without which a file does not count, where files have some.
    pub marker: Option<Marker>,
}

impl Root {
    /// An inbox for everybody, watched by events.
    pub fn new(path: PathBuf, ignore: Vec<String>) -> Self {
        Self { path, source: None, by_events: true, ignore, marker: None }
    }
}

/// How the inboxes are watched.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The inboxes. None may lie within another.
    pub inboxes: Vec<Root>,
    /// How long size and times of a file that was not renamed in must be still before it is claimed.
    pub settle: Duration,
    /// How often everything is looked through for what events missed.
    pub rescan: Duration,
    /// How many waiting files an inbox keeps in mind. A scan keeps the oldest, and twice as many while it runs.
    pub pending_max: usize,
    /// How long an inbox may leave a question unanswered before the others go on without it.
    pub patience: Duration,
    /// How many hints of the watcher may wait. More than that, and a scan replaces them.
    pub hints_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            inboxes: Vec::new(),
            settle: Duration::from_millis(500),
            rescan: Duration::from_secs(30),
            pending_max: 8192,
            // A disk that was asleep answers within some seconds, a server that is restarted takes longer.
            patience: Duration::from_secs(10),
            // As many files as the kernel's own default queue (16,384 events, about four a file) holds.
            hints_max: 4096,
        }
    }
}

/// The configured inboxes, each of which was there and could be claimed from at start.
#[derive(Debug)]
pub struct Inboxes {
    pub(super) settings: Settings,
    /// What is left alone, an entry an inbox.
    pub(super) ignored: Vec<Arc<Ignore>>,
    /// Those that did not answer when they were to be opened.
    pub(super) silent: Vec<Root>,
    /// Those on the inboxes, by their paths. Held for as long as a claim may be under way, and so to the end of the
    /// process: what was claimed from an inbox may be read on after it is watched no longer.
    locks: Locks,
}

type Locks = BTreeMap<PathBuf, Arc<fs::File>>;

impl Inboxes {
    /// Checks the inboxes and makes each one's work folder. Returns too what an earlier run had claimed from them and not
    /// finished with, in order of arrival; claims that hold nothing are removed.
    pub fn open(settings: Settings, failed: &FailedDir) -> Result<(Self, Vec<Claimed>), InboxError> {
        Self::open_with(Locks::new(), settings, failed)
    }

    /// The same process goes on with other settings: those inboxes that are new are checked as at a start, and what had been
    /// claimed from them is returned. Nothing of the old ones is changed.
    pub fn changed(
        &self,
        settings: Settings,
        failed: &FailedDir,
    ) -> Result<(Self, Vec<Claimed>), InboxError> {
        Self::open_with(self.locks.clone(), settings, failed)
    }

    fn open_with(
        mut locks: Locks,
        mut settings: Settings,
        failed: &FailedDir,
    ) -> Result<(Self, Vec<Claimed>), InboxError> {
        let (mut found, mut silent, mut in_flight) = (Vec::new(), Vec::new(), Vec::new());
        for mut root in std::mem::take(&mut settings.inboxes) {
            // The watcher tells absolute paths, whatever it was given.
            root.path =
                std::path::absolute(&root.path).map_err(InboxError::io("find the inbox", &root.path))?;
            let path = root.path.clone();
            match unless_dead(answered(settings.patience, move |_| real_folder(&path))?)? {
                Some(real) => found.push((root, real)),
                None => silent.push(root),
            }
        }
        let real_failed = fs::canonicalize(failed.path()).map_err(InboxError::io("find", failed.path()))?;
        check_apart(&found, &real_failed)?;
        let mut ignored = Vec::new();
        for (root, _) in found {
            let (new, held) = (root.clone(), locks.get(&root.path).cloned());
            let prepared = answered(settings.patience, move |goes_on| {
                let lock = prepare(&new.path, held.as_ref())?;
                let claimed = if held.is_none() { recover(&[new], goes_on)? } else { Vec::new() };
                Ok((lock, claimed))
            });
            let Some((lock, claimed)) = unless_dead(prepared?)? else {
                silent.push(root);
                continue;
            };
            in_flight.extend(claimed);
            locks.insert(root.path.clone(), lock);
            ignored.push(Arc::new(Ignore::new(&root.ignore)?));
            settings.inboxes.push(root);
        }
        for root in &silent {
            let inbox = display_path(&root.path);
            tracing::warn!(
                inbox,
                "the inbox does not answer, as a mount whose server is gone; it joins when it does"
            );
        }
        in_flight.sort_by_key(|claimed| claimed.arrival);
        Ok((Self { settings, ignored, silent, locks }, in_flight))
    }

    /// Ends when one of those may be opened that did not answer. They are looked at as often as everything is.
    pub async fn one_answers(&self) {
        let mut looks = JoinSet::new();
        for root in &self.silent {
            let (path, every) = (root.path.clone(), self.settings.rescan);
            looks.spawn(async move {
                loop {
                    sleep(every).await;
                    let path = path.clone();
                    if matches!(spawn_blocking(move || real_folder(&path)).await, Ok(Ok(_))) {
                        return;
                    }
                }
            });
        }
        if looks.join_next().await.is_none() {
            std::future::pending::<()>().await;
        }
    }

    /// The folders that are watched, as absolute paths.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.settings.inboxes.iter().map(|root| root.path.clone()).collect()
    }

    /// All of them, and which of those did not answer when they were to be opened.
    pub fn roots(&self) -> (Vec<Root>, Vec<PathBuf>) {
        let roots = self.settings.inboxes.iter().chain(&self.silent).cloned().collect();
        (roots, self.silent.iter().map(|root| root.path.clone()).collect())
    }

    /// How long one may leave a question unanswered.
    pub fn patience(&self) -> Duration {
        self.settings.patience
    }
}

/// What came of asking an inbox; nothing where it did not answer, or only that its mount is dead.
fn unless_dead<T>(answer: Option<Result<T, InboxError>>) -> Result<Option<T>, InboxError> {
    match answer {
        Some(Err(error)) if error.is_of_a_dead_mount() => Ok(None),
        answer => answer.transpose(),
    }
}

/// What a start would have against these inboxes, as far as this user can tell without changing anything, each a sentence's
/// worth. `failed` is where files are set aside.
pub fn would_open(settings: &Settings, failed: &Path) -> Vec<InboxError> {
    let (mut found, mut against) = (Vec::new(), Vec::new());
    for root in &settings.inboxes {
        let path = root.path.clone();
        let looked =
            move |_: &dyn Fn() -> bool| real_folder(&path).and_then(|real| may_claim(&path).map(|()| real));
        match answered(settings.patience, looked).and_then(unless_dead) {
            Ok(Some(real)) => found.push((root.clone(), real)),
            Err(error) => against.push(error),
            // It joins when it answers, and holds up no start.
            Ok(None) => {}
        }
    }
    let real_failed = fs::canonicalize(failed).unwrap_or_else(|_| failed.to_owned());
    against.extend(check_apart(&found, &real_failed).err());
    against
}

/// Whether files can be moved from an inbox into its work folder, and nobody else does that.
fn may_claim(inbox: &Path) -> Result<(), InboxError> {
    let work = work_folder(inbox);
    for folder in [inbox, &work].into_iter().filter(|folder| folder.exists()) {
        let writable = access(folder, Access::WRITE_OK | Access::EXEC_OK);
        writable.map_err(|error| InboxError::NotWritable { path: inbox.to_owned(), source: error.into() })?;
    }
    // It is let go at once, and a start would have tried no harder.
    match fs::File::open(work.join("lock")).map(|lock| lock.try_lock_shared()) {
        Ok(Err(fs::TryLockError::WouldBlock)) => Err(InboxError::InUse { path: inbox.to_owned() }),
        _ => Ok(()),
    }
}

/// The folder that an inbox is, whatever leads there.
fn real_folder(path: &Path) -> Result<PathBuf, InboxError> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => fs::canonicalize(path).map_err(InboxError::io("find", path)),
        Ok(_) => Err(InboxError::NotAFolder { path: path.to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(InboxError::Missing { path: path.to_owned() })
        }
        Err(error) => Err(InboxError::io("look at the inbox", path)(error)),
    }
}

/// Makes the work folder, locks it, and tries what a claim does, by renaming a folder from the inbox into it.
fn prepare(inbox: &Path, held: Option<&Arc<fs::File>>) -> Result<Arc<fs::File>, InboxError> {
    let work = work_folder(inbox);
    let not_writable = |source| InboxError::NotWritable { path: inbox.to_owned(), source };
    make_folders(&work).map_err(not_writable)?;
    let lock = match held {
        Some(lock) => Arc::clone(lock),
        None => Arc::new(fs::File::create(work.join("lock")).map_err(not_writable)?),
    };
    // A file system without locks is used without.
    if held.is_none() && matches!(lock.try_lock(), Err(fs::TryLockError::WouldBlock)) {
        return Err(InboxError::InUse { path: inbox.to_owned() });
    }
    let trial = inbox.join(".wirefold-trial");
    let claimed = work.join("trial");
    let outcome = make_folders(&trial)
        .and_then(|()| fs::rename(&trial, &claimed))
        .and_then(|()| fs::remove_dir(&claimed));
    match outcome.inspect_err(|_| drop(fs::remove_dir(&trial))) {
        // That there is no room now says nothing of what may be written, and passes.
        Err(error) if !matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => {
            Err(not_writable(error))
        }
        _ => Ok(lock),
    }
}

/// No inbox within another, and what is set aside not within any.
fn check_apart(found: &[(Root, PathBuf)], real_failed: &Path) -> Result<(), InboxError> {
    for (at, (_, outer)) in found.iter().enumerate() {
        let others = found.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, (_, path))| path);
        let others = others.map(PathBuf::as_path).chain([real_failed]);
        if let Some(inner) = others.into_iter().find(|inner| inner.starts_with(outer)) {
            return Err(InboxError::Overlap { inner: inner.to_owned(), outer: outer.clone() });
        }
    }
    Ok(())
}
