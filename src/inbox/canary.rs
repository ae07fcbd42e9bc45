//! A file that is made in an inbox's own folder to see whether events tell of it. Where they do not, as on some mounts that
//! a process serves or where no watcher could be started, the inbox is scanned often.
//!
//! It shows what this kernel tells of; what another machine writes to a share no kernel here tells of. `root` sends it.

use super::{claim::work_folder, folders::WatchedFolders};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::Instant;

/// What it is called. It must be told of, so it begins with no dot.
pub(super) const NAME: &str = "canary";
/// An event comes in less than a millisecond, and behind some thousand others that are looked into first.
const PATIENCE: Duration = Duration::from_secs(2);
/// Who has not heard it tries again after so long: what it takes may be mended, as by a mount over the inbox.
const AGAIN: Duration = Duration::from_mins(10);
/// What is said where it is not heard.
pub(super) const NOT_HEARD: &str = "no event told of a file that was made there";

/// How far it is.
#[derive(Debug, Default)]
pub(super) enum Canary {
    /// It is still to be sent.
    #[default]
    Due,
    /// With whether it was sent before and not heard.
    Sent(Instant, bool),
    Heard,
    NotHeard(Instant),
}

impl Canary {
    /// Sends it where that is due. Where it cannot be made nothing is known, and it stays due.
    pub(super) fn send(&mut self, inbox: &Path, folders: &mut WatchedFolders, now: Instant) {
        let is_due = match self {
            Self::Due => true,
            Self::NotHeard(since) => now.duration_since(*since) >= AGAIN,
            Self::Sent(..) | Self::Heard => false,
        };
        if !is_due || folders.arm(&work_folder(inbox), true).is_err() {
            return;
        }
        let path = path(inbox);
        fs::remove_file(&path).ok();
        if fs::File::create_new(&path).is_ok() {
            *self = Self::Sent(now, self.is_not_heard());
        }
    }

    /// Whether a hint at this path is the one that is waited for; it has been heard then.
    pub(super) fn hears(&mut self, hint: &Path, inbox: &Path, folders: &mut WatchedFolders) -> bool {
        let is_heard = matches!(self, Self::Sent(..) | Self::NotHeard(_)) && hint == path(inbox);
        if is_heard {
            Self::end(inbox, folders);
            *self = Self::Heard;
        }
        is_heard
    }

    /// Whether it should have been heard by now and was not. Says so once.
    pub(super) fn falls_silent(&mut self, inbox: &Path, folders: &mut WatchedFolders, now: Instant) -> bool {
        let is_late = matches!(self, Self::Sent(at, _) if now.duration_since(*at) >= PATIENCE);
        if is_late {
            Self::end(inbox, folders);
            *self = Self::NotHeard(now);
        }
        is_late
    }

    /// What it was to be told by may be lost, or is another.
    pub(super) fn lose(&mut self) {
        if matches!(self, Self::Sent(..)) {
            *self = Self::Due;
        }
    }

    /// Whether the inbox's own folder is to stay watched for it.
    pub(super) fn is_sent(&self) -> bool {
        matches!(self, Self::Sent(..))
    }

    /// Whether it was not heard when it was sent last, or before.
    pub(super) fn is_not_heard(&self) -> bool {
        matches!(self, Self::NotHeard(_) | Self::Sent(_, true))
    }

    fn end(inbox: &Path, folders: &mut WatchedFolders) {
        folders.disarm(&work_folder(inbox));
        // One that does not go is in nobody's way.
        fs::remove_file(path(inbox)).ok();
    }
}

fn path(inbox: &Path) -> PathBuf {
    work_folder(inbox).join(NAME)
}
