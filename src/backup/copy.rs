//! Files copied durably, whole or by what is missing at their end.

use super::BackupError;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

/// So much of what both have is compared before anything is added: some frames, whose headings carry running numbers.
const COMPARED_BYTES: u64 = 1 << 20;
const FILE_MODE: u32 = 0o640;

/// Adds to `to`, of which the first `had` bytes are known to be whole, what is missing of the first `bytes` of `from`. Returns
/// how many bytes that was; nothing where the two differ in what both have.
pub(super) fn append(from: &Path, to: &Path, had: u64, bytes: u64) -> Result<Option<u64>, BackupError> {
    let failed = || BackupError::io("copy", from);
    let mut source = File::open(from).map_err(failed())?;
    let mut options = OpenOptions::new();
    let target = options.read(true).write(true).create(true).truncate(false).mode(FILE_MODE).open(to);
    let mut target = target.map_err(BackupError::io("write", to))?;
    let length = target.metadata().map_err(BackupError::io("measure", to))?.len();
    if length < had {
        return Ok(None);
    }
    // What lies behind is of a copy that was cut short.
    target.set_len(had).map_err(BackupError::io("write", to))?;
    let both = had.min(bytes);
    let start = both.saturating_sub(COMPARED_BYTES);
    let tail = |file: &mut File| -> io::Result<Vec<u8>> {
        let mut tail = Vec::new();
        file.seek(SeekFrom::Start(start))?;
        file.take(both - start).read_to_end(&mut tail)?;
        Ok(tail)
    };
    if tail(&mut source).map_err(failed())? != tail(&mut target).map_err(BackupError::io("read", to))? {
        return Ok(None);
    }
    source.seek(SeekFrom::Start(both)).map_err(failed())?;
    target.seek(SeekFrom::Start(both)).map_err(BackupError::io("write", to))?;
    let copied = io::copy(&mut source.take(bytes - both), &mut target).map_err(failed())?;
    if copied > 0 {
        target.sync_all().map_err(BackupError::io("sync", to))?;
    }
    Ok(Some(copied))
}

/// Copies the first `bytes` of a file over whatever is at `to`.
pub(super) fn whole(from: &Path, to: &Path, bytes: u64) -> Result<(), BackupError> {
    let source = File::open(from).map_err(BackupError::io("read", from))?;
    let mut options = OpenOptions::new();
    let target = options.write(true).create(true).truncate(true).mode(FILE_MODE).open(to);
    let mut target = target.map_err(BackupError::io("write", to))?;
    io::copy(&mut source.take(bytes), &mut target).map_err(BackupError::io("copy", from))?;
    target.sync_all().map_err(BackupError::io("sync", to))
}

pub(super) fn write_durably(to: &Path, bytes: &[u8]) -> Result<(), BackupError> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(FILE_MODE)
        .open(to)
        .map_err(BackupError::io("write", to))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(BackupError::io("write", to))
}

/// Makes a folder that nobody outside the group can read.
pub(super) fn make_folder(path: &Path) -> Result<(), BackupError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o750).create(path);
    made.map_err(BackupError::io("make", path))
}

pub(super) fn sync_folder(path: &Path) -> Result<(), BackupError> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(BackupError::io("sync", path))
}
