//! What keeps everything from being made durable and passes by itself is waited for, and said while it lasts: a full disk.
//!
//! While the committing stage waits here the stages before it fill up, and at last files simply lie in their inboxes. A
//! person who waits for an ingest is told instead, so there nothing is waited for. What concerns one file alone is put off.

use super::{PipelineError, Progress, StageName, in_a_sentence};
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::park_timeout,
    time::{Duration, Instant},
};

/// The first wait; it doubles each time up to the longest, after which a person who made room still sees it go on at once.
const WAIT_MIN: Duration = Duration::from_millis(250);
const WAIT_MAX: Duration = Duration::from_secs(10);
/// How often it is looked whether the run is to stop.
const STOP_LOOK: Duration = Duration::from_millis(50);
/// A file system with fewer inodes left than this is full: a commit may make a pack, a segment and some bad slices.
const INODES_MIN: u64 = 64;

/// How much must be free where.
#[derive(Clone, Debug)]
pub struct Room {
    /// The folders that are written to.
    pub folders: Vec<PathBuf>,
    /// How many bytes must be free there. sled cannot go on after it has met a full disk, so it must not.
    pub free_min_bytes: u64,
}

impl Room {
    /// What is too little once so much more is written, as a sentence. Where that cannot be told, writing will.
    pub fn lacks(&self, bytes: u64) -> Option<String> {
        let min = self.free_min_bytes.saturating_add(bytes);
        self.folders.iter().find_map(|folder| {
            let fs = rustix::fs::statvfs(folder).ok()?;
            let free = fs.f_bavail.saturating_mul(fs.f_frsize);
            let at = folder.display();
            if free < min {
                let (free, min) = (free >> 20, min.div_ceil(1 << 20));
                return Some(format!("{free} MiB are free at {at}, and {min} are asked for"));
            }
            let is_short = fs.f_files > 0 && fs.f_favail < INODES_MIN;
            is_short.then(|| format!("{} inodes are free at {at}", fs.f_favail))
        })
    }
}

/// The patience of the committing stage.
pub(super) struct Patience {
    /// Nothing where nothing is waited for.
    pub room: Option<Room>,
    pub progress: Arc<Progress>,
    /// Set when the run is to stop.
    pub stop: Arc<AtomicBool>,
}

impl Patience {
    /// Waits until there is room. False where the run is to stop first.
    pub fn wait_for_room(&self) -> bool {
        let lacks = || self.room.as_ref().and_then(|room| room.lacks(0));
        let mut wait = WAIT_MIN;
        while let Some(what) = lacks() {
            if !self.pause(&what, &mut wait) {
                return false;
            }
        }
        self.go_on();
        true
    }

    /// Does a piece of work until it succeeds, or fails in a way that does not pass. Nothing where the run is to stop first.
    pub fn insist<T>(
        &self,
        mut work: impl FnMut() -> Result<T, PipelineError>,
    ) -> Result<Option<T>, PipelineError> {
        let mut wait = WAIT_MIN;
        loop {
            match self.progress.stage(StageName::Commit).work(&mut work) {
                Err(error) if self.room.is_some() && error.is_transient() => {
                    if !self.pause(&in_a_sentence(&error), &mut wait) || !self.wait_for_room() {
                        return Ok(None);
                    }
                }
                done => {
                    self.go_on();
                    return done.map(Some);
                }
            }
        }
    }

    /// Waits a little, longer each time. False where the run is to stop.
    fn pause(&self, what: &str, wait: &mut Duration) -> bool {
        if self.progress.pause(StageName::Commit, Some(what.to_owned())) {
            let stage = StageName::Commit.name();
            tracing::error!(
                stage,
                what,
                "the intake is paused; nothing is lost, and it goes on by itself when this has passed"
            );
        }
        let until = Instant::now() + *wait;
        *wait = (*wait * 2).min(WAIT_MAX);
        while !self.stop.load(Ordering::Relaxed) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            park_timeout(left.min(STOP_LOOK));
        }
        false
    }

    fn go_on(&self) {
        if self.progress.pause(StageName::Commit, None) {
            tracing::info!(stage = StageName::Commit.name(), "what paused the intake has passed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_be_written_counts_as_taken() {
        let dir = tempfile::tempdir().unwrap();
        let found = rustix::fs::statvfs(dir.path()).unwrap();
        let all = found.f_blocks * found.f_frsize;
        let room = |folder: PathBuf, free_min_bytes| Room { folders: vec![folder], free_min_bytes };
        assert_eq!(room(dir.path().to_owned(), 1).lacks(1), None);
        assert!(room(dir.path().to_owned(), 1).lacks(all).is_some_and(|what| what.contains("are asked for")));
        assert!(room(dir.path().to_owned(), all).lacks(1).is_some());
        assert_eq!(room(dir.path().join("nowhere"), all).lacks(u64::MAX), None);
    }
}
