//! Which folders are watched. The only file that arms notify.
//!
//! Each folder is watched by itself, and before it is read, so what appears in a new folder is either read or told.
//! (A recursive watch arms new folders late and without reading them, which loses files, and it would also watch
//! every claim.) A folder is known by more than its path: one that was removed and made again is armed again.

use notify::{RecursiveMode, Watcher};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// The folders that the watcher tells events of.
pub(super) struct WatchedFolders {
    watcher: Box<dyn Watcher + Send>,
    armed: BTreeMap<PathBuf, Identity>,
}

/// Tells a folder from another one made later under its path, even where the inode number is used again.
#[derive(PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
    made: Option<SystemTime>,
}

impl Identity {
    fn of(folder: &Path) -> io::Result<Self> {
        let found = fs::metadata(folder)?;
        Ok(Self { device: found.dev(), inode: found.ino(), made: found.created().ok() })
    }
}

impl WatchedFolders {
    pub(super) fn new(watcher: Box<dyn Watcher + Send>) -> Self {
        Self { watcher, armed: BTreeMap::new() }
    }

    /// Watches this folder, not those in it. One that is watched already is left so, unless it may have lost its
    /// watch: then `anew` arms it once more.
    pub(super) fn arm(&mut self, folder: &Path, anew: bool) -> notify::Result<()> {
        let identity = Identity::of(folder).map_err(notify::Error::io_watch)?;
        if !anew && self.armed.get(folder) == Some(&identity) {
            return Ok(());
        }
        self.disarm_one(folder);
        self.watcher.watch(folder, RecursiveMode::NonRecursive)?;
        self.armed.insert(folder.to_owned(), identity);
        Ok(())
    }

    pub(super) fn is_armed(&self, folder: &Path) -> bool {
        self.armed.contains_key(folder)
    }

    /// Whether the folder under this path is still the one that is watched.
    pub(super) fn is_still(&self, folder: &Path) -> bool {
        Identity::of(folder).is_ok_and(|identity| self.armed.get(folder) == Some(&identity))
    }

    /// Watches this folder and those in it no longer.
    pub(super) fn disarm(&mut self, folder: &Path) {
        self.disarm_all_but(folder, &BTreeSet::new());
    }

    /// Watches those of the folders in and under this one no longer that a scan did not come by.
    pub(super) fn disarm_all_but(&mut self, folder: &Path, visited: &BTreeSet<PathBuf>) {
        let within = self.armed.range(folder.to_owned()..).map(|(path, _)| path);
        let within = within.take_while(|path| path.starts_with(folder));
        let gone: Vec<PathBuf> = within.filter(|path| !visited.contains(*path)).cloned().collect();
        for path in gone {
            self.disarm_one(&path);
        }
    }

    fn disarm_one(&mut self, folder: &Path) {
        if self.armed.remove(folder).is_some() {
            // The watcher lets go by itself of folders that it saw vanish; then this is an error, and no matter.
            self.watcher.unwatch(folder).ok();
        }
    }
}
