//! The frame of a large original in a file of its own, on its way into `originals/`.
//!
//! It is written as the bytes come, by whoever has them, under a name that means nothing; once it is whole and synced it is
//! renamed into its place. Until then it goes with whoever holds it, and what a crash left of one the next writer removes.

use super::{frame, packs};
use rustix::{
    fs::{CWD, RenameFlags, renameat_with},
    io::Errno,
};
use std::{
    fs::{self, Permissions},
    io::{self, BufWriter, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
};
use tempfile::{NamedTempFile, TempPath};

const UNFINISHED: &str = ".unfinished";
/// So much is compressed in one go: what zstd looks things up in fills a core's cache, and so does what else runs there.
const BLOCK_BYTES: usize = 1 << 20;

/// Writes a frame of which nothing is known beforehand.
pub struct AloneWriter(BufWriter<zstd::stream::write::Encoder<'static, NamedTempFile>>);

impl AloneWriter {
    /// Begins a frame in the folder of the packs.
    pub fn begin(originals: &Path) -> io::Result<Self> {
        let mut options = tempfile::Builder::new();
        let options = options.prefix("alone-").suffix(UNFINISHED);
        let file = options.permissions(Permissions::from_mode(0o640)).tempfile_in(originals)?;
        Ok(Self(BufWriter::with_capacity(BLOCK_BYTES, frame::encoder(file, packs::COMPRESSION_LEVEL)?)))
    }

    /// Syncs what was written. It still has no place.
    pub fn finish(self) -> io::Result<Alone> {
        let file = self.0.into_inner()?.finish()?;
        file.as_file().sync_all()?;
        let length = file.as_file().metadata()?.len();
        Ok(Alone { path: file.into_temp_path(), length })
    }
}

impl Write for AloneWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A frame that is whole and synced, and removed unless it gets a place.
#[derive(Debug)]
pub struct Alone {
    path: TempPath,
    /// Its length in bytes.
    pub(super) length: u64,
}

impl Alone {
    /// Whether it is still there: until it has its place anybody may take it for rubbish.
    pub fn is_there(&self) -> bool {
        self.path.exists()
    }

    /// Renames it, and replaces nothing where the file system can promise that; where it cannot, nothing had the name just now.
    pub(super) fn put(self, to: &Path) -> io::Result<()> {
        match renameat_with(CWD, &*self.path, CWD, to, RenameFlags::NOREPLACE) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => fs::rename(&self.path, to),
            renamed => Ok(renamed?),
        }
    }
}

/// Removes what a crash left. What cannot be removed does no harm but for the room that it takes.
pub(super) fn sweep(originals: &Path) -> io::Result<()> {
    for entry in fs::read_dir(originals)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().ends_with(UNFINISHED) {
            drop(fs::remove_file(entry.path()));
        }
    }
    Ok(())
}
