//! What can go wrong with an inbox. Every error says which path it is about and what to do.

use super::display_path;
use std::{io, path::PathBuf};

/// An inbox, or a file in one, could not be used.
#[derive(Debug, thiserror::Error)]
pub enum InboxError {
    /// The configured folder is not there.
    #[error("the inbox '{}' does not exist: make it, or mount it, and try again", display_path(path))]
    Missing {
        /// The configured folder.
        path: PathBuf,
    },
    /// The configured path is something else than a folder.
    #[error("the inbox '{}' is not a folder: point the configuration at a folder", display_path(path))]
    NotAFolder {
        /// The configured path.
        path: PathBuf,
    },
    /// Files cannot be claimed from the inbox.
    #[error(
        "files cannot be claimed from the inbox '{}': this user needs to write there, and its .wirefold must lie on the same mount",
        display_path(path)
    )]
    NotWritable {
        /// The inbox.
        path: PathBuf,
        /// What the trial said.
        source: io::Error,
    },
    /// Another process claims files from the inbox.
    #[error(
        "the inbox '{}' is in use by another wirefold: stop that one, or give this one an inbox of its own",
        display_path(path)
    )]
    InUse {
        /// The inbox.
        path: PathBuf,
    },
    /// One folder lies within another that is watched, so its files would be taken twice.
    #[error(
        "'{}' lies within the inbox '{}': its files would be taken twice; move one of them",
        display_path(inner),
        display_path(outer)
    )]
    Overlap {
        /// The folder within.
        inner: PathBuf,
        /// The inbox around it.
        outer: PathBuf,
    },
    /// A pattern of names to ignore is not of the form that is understood.
    #[error("'{pattern}' cannot be ignored: write a name with a * at its start, at its end or at both")]
    Pattern {
        /// The pattern as configured.
        pattern: String,
    },
    /// A claim holds more than the one file that was claimed.
    #[error(
        "'{}' should hold one claimed file and holds several: move all but the first back into the inbox",
        display_path(path)
    )]
    Tangled {
        /// The claim's folder.
        path: PathBuf,
    },
    /// An operation on a path failed.
    #[error("cannot {what} '{}'", display_path(path))]
    Io {
        /// What was tried, as a verb.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A step of the watch ended before its time.
    #[error("the watch over the inboxes ended early")]
    Ended {
        /// How it ended.
        source: tokio::task::JoinError,
    },
}

/// `EIO`, `ENFILE`, `EMFILE` and, of a mount whose server is gone, `ENOTCONN`, `EHOSTDOWN` and `EHOSTUNREACH`; by number, since
/// not all have an [`io::ErrorKind`] of their own. The numbers are those of every Linux but on MIPS, where a few differ.
const TRANSIENT_CODES: [i32; 6] = [5, 23, 24, 107, 112, 113];

/// Of these those of a mount, and `ETIMEDOUT` and `ESTALE`.
const DEAD_MOUNT_CODES: [i32; 6] = [5, 107, 110, 112, 113, 116];

impl InboxError {
    /// For `map_err`: this was tried on this path.
    pub(super) fn io(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { what, path, source }
    }

    /// Whether the same may succeed later with nobody touching the configuration or the file.
    pub fn is_transient(&self) -> bool {
        let (Self::Io { source, .. } | Self::NotWritable { source, .. }) = self else { return false };
        is_transient(source)
    }

    /// Whether it only says that what serves the mount is gone, so that nobody knows how things stand there.
    pub(super) fn is_of_a_dead_mount(&self) -> bool {
        let (Self::Io { source, .. } | Self::NotWritable { source, .. }) = self else { return false };
        source.raw_os_error().is_some_and(|code| DEAD_MOUNT_CODES.contains(&code))
    }
}

/// Whether what the system said may pass by itself, or without a word to wirefold.
pub fn is_transient(error: &io::Error) -> bool {
    error.raw_os_error().is_some_and(|code| TRANSIENT_CODES.contains(&code))
        || matches!(
            error.kind(),
            io::ErrorKind::ResourceBusy
                | io::ErrorKind::PermissionDenied
                | io::ErrorKind::StorageFull
                | io::ErrorKind::QuotaExceeded
                | io::ErrorKind::ReadOnlyFilesystem
                | io::ErrorKind::StaleNetworkFileHandle
                | io::ErrorKind::TimedOut
                | io::ErrorKind::Interrupted
                | io::ErrorKind::WouldBlock
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_by_itself_is_transient_and_what_needs_a_person_is_not() {
        let transient = [5, 11, 13, 16, 24, 28, 30, 107, 112, 113, 116].map(io::Error::from_raw_os_error);
        for source in transient {
            let error = InboxError::io("claim", "a")(source);
            assert!(error.is_transient(), "{error:?}");
        }
        assert!(!InboxError::io("claim", "a")(io::Error::from_raw_os_error(18)).is_transient());
        assert!(!InboxError::Missing { path: "a".into() }.is_transient());
    }
}
