//! The view of the journal that queries and restarts read: sled, which never holds the only copy.
//!
//! Owns `<data_dir>/db/` and the lock on the data directory, and is the only module that knows sled. Its
//! surface is a few batch-shaped operations, so that another database can take its place: [`Store::apply`]
//! writes what a group of events means, [`View`] reads. It decides nothing. Called by `pipeline` to write and
//! by `query` to read.
//!
//! sled 0.34.7 is used as measured: one writer, a flush after each batch (without it writers dead-locked), an
//! explicit cache, large segments so that no value goes to a file of its own, rows that carry a checksum,
//! and an opening behind a panic guard. A flush is no fsync there, so after anything but a clean stop or a
//! kill within the same boot the whole view is checked, and what fails the check is moved aside and rebuilt.

mod articles;
mod check;
mod codec;
mod compare;
mod digests;
mod live;
mod lock;
mod profiles;
mod rows;
mod view;
mod write;

pub use compare::{Comparison, Slice};
pub use live::Live;
pub use lock::{DataLock, LockError, user_name};
pub use rows::{ArrivalRow, ArticleRow, Counts, RecordRow};
pub use view::{Gathered, Order, View};
pub use write::Change;

use crate::journal::Position;
use digests::Digests;
use profiles::ProfileWriter;
use std::{
    fs, io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The pages that sled may keep in memory. Its real use is a few times that. An article goes to some pages at random of an era
/// of digests, which are read again, piece by piece, where they are not there any more.
const CACHE_BYTES: u64 = 32 << 20;
/// With segments of 8 MiB a value reaches the never-synced overflow files only at a megabyte.
const SEGMENT_BYTES: usize = 8 << 20;

/// How long a handle that was dropped may take to let go, and how often that is tried.
const HANDLE_PATIENCE: Duration = Duration::from_secs(5);
const HANDLE_TRY: Duration = Duration::from_millis(5);

/// What can go wrong with the view. None of it loses anything: the view can be made anew from the journal.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
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
    /// sled refused.
    #[error("the view's database failed")]
    Sled(#[from] sled::Error),
    /// sled panicked, as it does on some damaged files.
    #[error("the view's database cannot be opened: {0}")]
    Panicked(String),
    /// A row fails its checksum or cannot be decoded.
    #[error("row {key} of the view is damaged: {what}")]
    Damaged {
        /// Its key, escaped.
        key: String,
        /// What is wrong.
        what: String,
    },
    /// The rows do not add up to the counts.
    #[error("the view does not add up: {0}")]
    Inconsistent(String),
}

impl StoreError {
    /// Whether a new view would mend it; a full disk or a missing right it would not.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Damaged { .. } | Self::Inconsistent(_) | Self::Panicked(_) => true,
            Self::Sled(error) => !matches!(error, sled::Error::Io(_)),
            Self::Io { .. } => false,
        }
    }

    /// sled panics on some damaged files instead of saying so.
    pub fn of_panic(panic: &(dyn std::any::Any + Send)) -> Self {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| panic.downcast_ref::<&str>().copied());
        Self::Panicked(said.unwrap_or("it panicked").to_owned())
    }

    /// What the file system refused sled, said with where.
    fn at(folder: &Path) -> impl FnOnce(sled::Error) -> Self {
        move |error| match error {
            sled::Error::Io(source) => Self::Io { action: "write to", path: folder.to_owned(), source },
            error => Self::Sled(error),
        }
    }

    fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }
}

/// The open view.
pub struct Store {
    folder: PathBuf,
    db: sled::Db,
    digests: Digests,
    /// Held while a batch is applied; there from the first on.
    applying: Mutex<Option<ProfileWriter>>,
}

/// How much of a view is checked when it is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// It was closed in order, or killed within this boot: that it opens and has its counts is enough.
    SameBoot,
    /// The machine may have lost power: every row is read.
    Nothing,
}

impl Store {
    /// Opens the view under `folder`, making an empty one where there is none, and checks it.
    pub fn open(folder: &Path, trust: Trust) -> Result<Self, StoreError> {
        let profiles = profiles::folder_in(folder);
        if [folder, &profiles].iter().any(|path| path.symlink_metadata().is_ok_and(|found| !found.is_dir())) {
            return Err(StoreError::Inconsistent("something else stands where its folder should".to_owned()));
        }
        fs::create_dir_all(&profiles).map_err(StoreError::io("make the folder", &profiles))?;
        remove_half_snapshots(folder)?;
        let config = sled::Config::new()
            .path(folder)
            .cache_capacity(CACHE_BYTES)
            .segment_size(SEGMENT_BYTES)
            .flush_every_ms(None);
        let db = open_when_free(&config, folder)?;
        let digests = Digests::of(&db)?;
        let store = Self { folder: folder.to_owned(), db, digests, applying: Mutex::new(None) };
        match trust {
            Trust::SameBoot => store.view().counts().map(|_| ())?,
            Trust::Nothing => check::whole(store.view())?,
        }
        warn_of_overflow(folder);
        Ok(store)
    }

    /// Removes what an unfinished attempt at a new view left behind.
    pub fn discard(folder: &Path) -> Result<(), StoreError> {
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(StoreError::io("remove", folder)(error))
            }
            _ => Ok(()),
        }
    }

    /// Puts a new view in the place of an old one, which is kept. Returns where it is, if there was one.
    pub fn replace(folder: &Path, new: &Path) -> Result<Option<PathBuf>, StoreError> {
        let mut aside = None;
        if folder.exists() {
            let names = (1_u32..1000).map(|n| folder.with_extension(format!("damaged-{n}")));
            let free = names.into_iter().find(|path| !path.exists());
            let free = free.unwrap_or_else(|| folder.with_extension("damaged"));
            fs::rename(folder, &free).map_err(StoreError::io("move aside", folder))?;
            aside = Some(free);
        }
        fs::rename(new, folder).map_err(StoreError::io("put in its place", new))?;
        // A view that was moved aside must not be back after a power cut, and be trusted for a clean stop since.
        folder.parent().map_or(Ok(()), sync_folder)?;
        Ok(aside)
    }

    /// For reading.
    pub fn view(&self) -> View<'_> {
        View::new(&self.db, &self.digests, &self.folder)
    }

    /// Learns in the background which digests the view holds, so that it need not be asked for most that it does not.
    pub fn learn_digests(&mut self) -> Result<(), StoreError> {
        self.digests.learn(&self.db).map_err(StoreError::io("start a thread that reads", &self.folder))
    }

    /// Applies changes in one atomic batch together with the place in the journal up to which the view is
    /// then true, and flushes.
    pub fn apply(&self, changes: &[Change<'_>], end: Position) -> Result<(), StoreError> {
        let mut applying = self.applying.lock().unwrap_or_else(PoisonError::into_inner);
        // After an error it is opened anew, so that nothing half written is pointed at.
        let mut profiles = match applying.take() {
            Some(profiles) => profiles,
            None => ProfileWriter::open(profiles::folder_in(&self.folder), self.view().profile_rows())?,
        };
        let batch = write::batch(self.view(), &mut profiles, changes, end)?;
        profiles.write()?;
        self.db.apply_batch(batch).and_then(|()| self.db.flush()).map_err(StoreError::at(&self.folder))?;
        let unused = profiles.unused();
        if !unused.is_empty() {
            // Older rows that a power cut brings back must not point at what is gone.
            self.sync_all()?;
            profiles.remove(&unused)?;
        }
        *applying = Some(profiles);
        Ok(())
    }

    /// Looks at the view while nothing is applied to it. Whoever would, waits.
    pub fn still<T>(&self, look: impl FnOnce(View<'_>) -> T) -> T {
        let _applying = self.applying.lock().unwrap_or_else(PoisonError::into_inner);
        look(self.view())
    }

    /// Makes the view durable, which a flush of sled alone does not.
    pub fn sync(&self) -> Result<(), StoreError> {
        let _applying = self.applying.lock().unwrap_or_else(PoisonError::into_inner);
        self.sync_all()
    }

    fn sync_all(&self) -> Result<(), StoreError> {
        // Rows point at profiles, which therefore come first.
        profiles::sync(&self.folder)?;
        self.db.flush().map_err(StoreError::at(&self.folder))?;
        let file = self.folder.join("db");
        fs::File::open(&file).and_then(|f| f.sync_all()).map_err(StoreError::io("sync", &file))?;
        sync_folder(&self.folder)
    }

    /// What the view takes on disk, in bytes.
    pub fn bytes_on_disk(&self) -> Result<u64, StoreError> {
        Ok(self.db.size_on_disk()? + profiles::bytes_on_disk(&self.folder)?)
    }
}

fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    fs::File::open(folder).and_then(|f| f.sync_all()).map_err(StoreError::io("sync", folder))
}

/// Opens sled behind a panic guard. A handle that was dropped lets go of its lock a little later, when sled's own
/// threads have; that nobody else has it is what the data lock says.
fn open_when_free(config: &sled::Config, folder: &Path) -> Result<sled::Db, StoreError> {
    let deadline = Instant::now() + HANDLE_PATIENCE;
    loop {
        let opened = catch_unwind(AssertUnwindSafe(|| config.open()));
        match opened.map_err(|panic| StoreError::of_panic(&*panic))? {
            Err(sled::Error::Io(error))
                if error.to_string().contains("could not acquire lock") && Instant::now() < deadline =>
            {
                std::thread::park_timeout(HANDLE_TRY);
            }
            outcome => return outcome.map_err(StoreError::at(folder)),
        }
    }
}

/// A snapshot that was being written when the process died makes sled refuse to open for ever; without it
/// the same files open intact.
fn remove_half_snapshots(folder: &Path) -> Result<(), StoreError> {
    for entry in fs::read_dir(folder).map_err(StoreError::io("list", folder))?.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            fs::remove_file(entry.path()).map_err(StoreError::io("remove", &entry.path()))?;
        }
    }
    Ok(())
}

/// sled never syncs the files of values that are too large for a segment. There should be none.
fn warn_of_overflow(folder: &Path) {
    let overflow = folder.join("blobs");
    if fs::read_dir(&overflow).is_ok_and(|mut entries| entries.next().is_some()) {
        tracing::warn!(folder = %overflow.display(), "the view holds values too large to be safe; a rebuild mends it");
    }
}

#[cfg(test)]
mod tests;
