//! What a look at a file tells without opening it, and how one is opened that somebody else put there.

use crate::model::Time;
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::Path,
};

/// What kind of thing was claimed. Only a regular file can be read; the others are claimed so that they can be
/// refused with a reason, and are never opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileKind {
    /// An ordinary file.
    Regular,
    /// A symbolic link. It is not followed: it could lead out of the inbox.
    Symlink,
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
    /// A block or character device.
    Device,
}

/// Seconds and nanoseconds since 1970, as the file system tells them.
pub(super) type Moment = (i64, i64);

/// A file as it was at one moment. Two equal stamps mean that nobody wrote in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) kind: FileKind,
    pub(super) bytes: u64,
    pub(super) modified: Moment,
    changed: Moment,
    device: u64,
    inode: u64,
}

/// What stands under a path.
pub(super) enum Look {
    Nothing,
    Folder,
    File(Stamp),
}

/// Looks at a path, without following a symbolic link.
pub(super) fn look(path: &Path) -> io::Result<Look> {
    match fs::symlink_metadata(path) {
        Ok(found) => Ok(Look::from(&found)),
        Err(error) if is_absence(&error) => Ok(Look::Nothing),
        Err(error) => Err(error),
    }
}

/// Whether the error only says that there is nothing there.
pub(super) fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Opens an ordinary file that somebody else put there. What has taken its place since, a link or a pipe, is neither followed
/// nor waited for.
pub fn open_regular(path: &Path) -> io::Result<fs::File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = fs::OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::ErrorKind::InvalidInput.into()) }
}

impl FileKind {
    /// What this is, where it is no folder.
    pub fn of(found: &fs::Metadata) -> Option<Self> {
        Some(match found.file_type() {
            kind if kind.is_dir() => return None,
            kind if kind.is_file() => Self::Regular,
            kind if kind.is_symlink() => Self::Symlink,
            kind if kind.is_fifo() => Self::Fifo,
            kind if kind.is_socket() => Self::Socket,
            _ => Self::Device,
        })
    }
}

impl From<&fs::Metadata> for Look {
    fn from(found: &fs::Metadata) -> Self {
        let Some(kind) = FileKind::of(found) else { return Self::Folder };
        Self::File(Stamp {
            kind,
            bytes: found.len(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
            device: found.dev(),
            inode: found.ino(),
        })
    }
}

impl Stamp {
    /// Whether the content is the same. A rename moves only the time of change, so that does not count.
    pub(super) fn same_content(&self, other: &Self) -> bool {
        Self { changed: other.changed, ..*self } == *other
    }

    /// When the file was last renamed or otherwise changed; of a claimed file, when it was claimed.
    pub(super) fn changed_at(&self) -> Time {
        let (seconds, nanos) = self.changed;
        Time::from_millis(seconds.saturating_mul(1000).saturating_add(nanos / 1_000_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    use std::os::unix::fs::symlink;

    #[test]
    fn what_took_the_place_of_a_file_is_neither_followed_nor_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let [file, link, pipe] = ["file", "link", "pipe"].map(|name| dir.path().join(name));
        fs::write(&file, "text").unwrap();
        symlink(&file, &link).unwrap();
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR, 0).unwrap();
        assert_eq!(io::read_to_string(open_regular(&file).unwrap()).unwrap(), "text");
        for other in [&link, &pipe] {
            assert!(open_regular(other).is_err(), "{}", other.display());
        }
    }
}
