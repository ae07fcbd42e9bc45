//! Where files, or the bad slices of files, go that could not be read, each with its reason beside it.
//!
//! The reason is durable before the file moves, so a crash never leaves a failed file unexplained; each step may be
//! repeated, so a crash anywhere is mended by doing it again. It must not know what a reason says. `pipeline` calls it.

use super::{
    Claimed, FileKind, InboxError,
    claim::{claim_name, make_folders},
    names::shorten,
    recover::arrival_of,
    stamp::is_absence,
};
use crate::model::Arrival;
use std::{
    ffi::{OsStr, OsString},
    fs,
    io::{self, BufRead as _, Write as _},
    os::unix::{
        ffi::{OsStrExt as _, OsStringExt as _},
        fs::{OpenOptionsExt as _, symlink},
    },
    path::{Path, PathBuf},
};

/// The mode of the files written here.
const FILE_MODE: u32 = 0o640;

/// What is appended to the name of a failed file to name its reason.
const REASON_SUFFIX: &[u8] = b".reason.json";

/// What is appended to the name of a file that is still being written; it also gets a leading dot.
const UNFINISHED_SUFFIX: &[u8] = b".tmp";

/// The longest file name that every Linux file system takes, in bytes.
const NAME_BYTES_MAX: usize = 255;

/// The folder of failed files.
#[derive(Clone, Debug)]
pub struct FailedDir(PathBuf);

/// What names a bad slice of a file.
#[derive(Clone, Copy, Debug)]
pub struct SliceName<'a> {
    /// The file's arrival.
    pub arrival: Arrival,
    /// The slice's place among the items of the file.
    pub index: u32,
    /// The file's path or name; only its last part is used.
    pub file: &'a Path,
}

impl FailedDir {
    /// Makes the folder if it is not there.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, InboxError> {
        let path = path.into();
        make_folders(&path).map_err(InboxError::io("make the folder for failed files", &path))?;
        Ok(Self(path))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The highest arrival that a file here is named by; a new arrival must lie above it.
    pub fn last_arrival(&self) -> Result<Option<Arrival>, InboxError> {
        let entries = fs::read_dir(&self.0).map_err(InboxError::io("list", &self.0))?;
        let names = entries.map(|entry| entry.map(|entry| entry.file_name()));
        let names = names.collect::<Result<Vec<_>, _>>().map_err(InboxError::io("list", &self.0))?;
        Ok(names
            .iter()
            .filter_map(|name| arrival_of(name.as_bytes().split(|&byte| byte == b'-').next()?))
            .max())
    }

    /// Moves a claimed file here, with its reason beside it, and says where it is now. A file that can neither be
    /// moved nor read stays on the inbox's own mount, under `.wirefold/failed/`.
    pub fn set_aside(&self, claimed: &Claimed, reason_json: &[u8]) -> Result<PathBuf, InboxError> {
        let name = failed_name(&format!("{}-", claim_name(claimed.arrival)), &claimed.name, "");
        let to = self.0.join(&name);
        write_durably(&reason_path(&to), reason_json)?;
        let fallback = claimed.work_folder().join("failed").join(&name);
        let kept = match sync_file(claimed).and_then(|()| fs::rename(&claimed.path, &to)) {
            Ok(()) => to,
            Err(error) if is_absence(&error) => first_present([to, fallback], &claimed.path, error)?,
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => match carry(claimed, &to)? {
                Carried::Whole => to,
                Carried::Unreadable => keep_near(claimed, fallback, reason_json)?,
            },
            Err(error) => return Err(InboxError::io("set aside", &claimed.path)(error)),
        };
        sync_folder_of(&kept)?;
        claimed.remove_claim();
        Ok(kept)
    }

    /// Writes down why a file that stays where it is could not be read.
    pub fn note(&self, arrival: Arrival, file: &Path, reason_json: &[u8]) -> Result<(), InboxError> {
        let name = failed_name(&format!("{}-", claim_name(arrival)), file, "");
        write_durably(&reason_path(&self.0.join(name)), reason_json)
    }

    /// Writes a bad slice of a file here, with its reason beside it, and says where it is.
    pub fn set_aside_bytes(
        &self,
        slice: SliceName<'_>,
        bytes: &[u8],
        reason_json: &[u8],
    ) -> Result<PathBuf, InboxError> {
        let prefix = format!("{}-{}-", claim_name(slice.arrival), slice.index);
        let to = self.0.join(failed_name(&prefix, slice.file, ".slice"));
        write_durably(&reason_path(&to), reason_json)?;
        write_durably(&to, bytes)?;
        Ok(to)
    }
}

/// A name for a failed file, with room left for what its reason and its unfinished form add to it.
fn failed_name(prefix: &str, file: &Path, suffix: &str) -> OsString {
    let taken = prefix.len() + suffix.len() + 1 + REASON_SUFFIX.len() + UNFINISHED_SUFFIX.len();
    let file = file.file_name().unwrap_or(OsStr::new("unnamed"));
    let file = shorten(file.as_bytes(), NAME_BYTES_MAX.saturating_sub(taken));
    OsString::from_vec([prefix.as_bytes(), file, suffix.as_bytes()].concat())
}

fn reason_path(failed: &Path) -> PathBuf {
    with_name(failed, |name| [name, REASON_SUFFIX].concat())
}

fn unfinished_path(to: &Path) -> PathBuf {
    with_name(to, |name| [b".", name, UNFINISHED_SUFFIX].concat())
}

fn with_name(path: &Path, change: impl FnOnce(&[u8]) -> Vec<u8>) -> PathBuf {
    let name = path.file_name().unwrap_or_default();
    path.with_file_name(OsString::from_vec(change(name.as_bytes())))
}

/// Makes sure that what the dropper wrote is on disk before the file counts as kept. One that cannot be opened is
/// moved as it is.
fn sync_file(claimed: &Claimed) -> io::Result<()> {
    if claimed.kind != FileKind::Regular {
        return Ok(());
    }
    match fs::File::open(&claimed.path) {
        Ok(file) => file.sync_all(),
        Err(_) => Ok(()),
    }
}

/// After a crash the file may be in its place already.
fn first_present(places: [PathBuf; 2], was: &Path, error: io::Error) -> Result<PathBuf, InboxError> {
    let present = places.into_iter().find(|place| fs::symlink_metadata(place).is_ok());
    present.ok_or_else(|| InboxError::io("set aside", was)(error))
}

/// Whether a file could be carried to another mount.
#[derive(Debug, PartialEq, Eq)]
enum Carried {
    Whole,
    Unreadable,
}

/// Copies a claimed file to another mount, durably, and then removes it.
fn carry(claimed: &Claimed, to: &Path) -> Result<Carried, InboxError> {
    let unfinished = unfinished_path(to);
    match claimed.kind {
        FileKind::Regular => {
            let Ok(from) = fs::File::open(&claimed.path) else { return Ok(Carried::Unreadable) };
            let mut written = create(&unfinished)?;
            if !copy(from, &mut written).map_err(InboxError::io("write", &unfinished))? {
                fs::remove_file(&unfinished).map_err(InboxError::io("remove", &unfinished))?;
                return Ok(Carried::Unreadable);
            }
            written.sync_all().map_err(InboxError::io("write", &unfinished))?;
        }
        FileKind::Symlink => {
            let Ok(target) = fs::read_link(&claimed.path) else { return Ok(Carried::Unreadable) };
            fs::remove_file(&unfinished).ok();
            symlink(target, &unfinished).map_err(InboxError::io("write", &unfinished))?;
        }
        FileKind::Fifo | FileKind::Socket | FileKind::Device => return Ok(Carried::Unreadable),
    }
    finish(&unfinished, to)?;
    fs::remove_file(&claimed.path).map_err(InboxError::io("remove", &claimed.path))?;
    Ok(Carried::Whole)
}

/// Copies to the end, and says whether all could be read. Only a failure to write is an error.
fn copy(from: fs::File, to: &mut fs::File) -> io::Result<bool> {
    let mut from = io::BufReader::with_capacity(64 * 1024, from);
    loop {
        let length = match from.fill_buf() {
            Ok([]) => return Ok(true),
            Ok(bytes) => {
                to.write_all(bytes)?;
                bytes.len()
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            Err(_) => return Ok(false),
        };
        from.consume(length);
    }
}

/// Keeps a file that cannot leave its mount there, with its reason beside it as well.
fn keep_near(claimed: &Claimed, to: PathBuf, reason_json: &[u8]) -> Result<PathBuf, InboxError> {
    let folder = to.parent().unwrap_or(&to);
    make_folders(folder).map_err(InboxError::io("make", folder))?;
    write_durably(&reason_path(&to), reason_json)?;
    fs::rename(&claimed.path, &to).map_err(InboxError::io("set aside", &claimed.path))?;
    Ok(to)
}

/// Writes a file so that it is either there whole, also after a power cut, or not at all.
fn write_durably(to: &Path, bytes: &[u8]) -> Result<(), InboxError> {
    let unfinished = unfinished_path(to);
    let mut file = create(&unfinished)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(InboxError::io("write", &unfinished))?;
    finish(&unfinished, to)
}

fn create(path: &Path) -> Result<fs::File, InboxError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(FILE_MODE);
    options.open(path).map_err(InboxError::io("write", path))
}

fn finish(unfinished: &Path, to: &Path) -> Result<(), InboxError> {
    fs::rename(unfinished, to).map_err(InboxError::io("write", to))?;
    sync_folder_of(to)
}

fn sync_folder_of(path: &Path) -> Result<(), InboxError> {
    let folder = path.parent().unwrap_or(path);
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(InboxError::io("write", folder))
}
