//! Where files, or the bad slices of files, go that could not be read, each with its reason beside it.
//!
//! The reason is durable before the file moves, so a crash never leaves a failed file unexplained; each step may be
//! repeated, so a crash anywhere is mended by doing it again. It must not know what a reason says. `pipeline` calls it.

use super::{
    Claimed, FileKind, InboxError,
    claim::{claim_name, make_folders},
    display_path,
    names::{NAME_BYTES_MAX, shorten},
    recover::arrival_at_head,
    stamp::{is_absence, open_regular},
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

/// The folder of failed files.
#[derive(Clone, Debug)]
pub struct FailedDir(PathBuf);

/// What names a bad slice of a file.
#[derive(Clone, Copy, Debug)]
pub struct SliceName<'a> {
    /// The file's arrival.
    pub arrival: Arrival,
    /// The slice's place among the items of the file, from 0.
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
        let arrivals = names.iter().filter_map(|name| arrival_at_head(name.as_bytes()));
        Ok(arrivals.map(|(arrival, _)| arrival).max())
    }

    /// Moves a claimed file here, with its reason beside it, and says where it is now. A file that can neither be
    /// moved nor read stays on the inbox's own mount, under `.wirefold/failed/`. Of one that somebody has deleted
    /// meanwhile only the reason is kept; told is where the file would be.
    pub fn set_aside(&self, claimed: &Claimed, reason_json: &[u8]) -> Result<PathBuf, InboxError> {
        let name = failed_name(&format!("{}-", claim_name(claimed.arrival)), &claimed.name, "");
        let to = self.0.join(&name);
        write_durably(&reason_path(&to), reason_json)?;
        let fallback = claimed.work_folder().join("failed").join(&name);
        let kept = match sync_file(claimed).and_then(|()| fs::rename(&claimed.path, &to)) {
            Ok(()) => to,
            Err(error) if is_absence(&error) => already_there([to, fallback], &claimed.path, error)?,
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                match carry(&claimed.path, claimed.kind, &to, &|| true)? {
                    Carried::Whole => to,
                    Carried::Unreadable => keep_near(claimed, fallback, reason_json)?,
                }
            }
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
        // Items are counted from 1 wherever a person reads of them.
        let prefix = format!("{}-{}-", claim_name(slice.arrival), u64::from(slice.index) + 1);
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
    match open_regular(&claimed.path) {
        Ok(file) => file.sync_all(),
        Err(_) => Ok(()),
    }
}

/// After a crash the file may be in its place already. One that is nowhere was deleted by somebody else (tmpwatch,
/// rsync --delete): as with a finished file, there is nothing left to do.
fn already_there(places: [PathBuf; 2], was: &Path, error: io::Error) -> Result<PathBuf, InboxError> {
    if fs::symlink_metadata(was).is_ok() {
        return Err(InboxError::io("set aside", was)(error));
    }
    let [to, fallback] = places;
    if fs::symlink_metadata(&to).is_ok() {
        return Ok(to);
    }
    if fs::symlink_metadata(&fallback).is_ok() {
        return Ok(fallback);
    }
    tracing::warn!(file = display_path(was), "a file was deleted before it could be set aside");
    Ok(to)
}

/// Whether a file could be carried to another mount.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Carried {
    Whole,
    Unreadable,
}

/// Copies a file to another mount, durably and whole, and then removes it. A link is carried as a link. `goes_on`
/// hears of every block, and may say that it is to end.
pub(super) fn carry(
    path: &Path,
    kind: FileKind,
    to: &Path,
    goes_on: &dyn Fn() -> bool,
) -> Result<Carried, InboxError> {
    let unfinished = unfinished_path(to);
    match kind {
        FileKind::Regular => {
            let Ok(from) = open_regular(path) else { return Ok(Carried::Unreadable) };
            let mut written = create(&unfinished)?;
            // By its time it is known again; not every mount takes one.
            let modified = from.metadata().and_then(|found| found.modified());
            let copied = copy(from, &mut written, goes_on);
            modified.and_then(|modified| written.set_modified(modified)).ok();
            let copied = copied.and_then(|whole| written.sync_all().map(|()| whole));
            if !matches!(copied, Ok(true)) {
                // What was written of it would only take up room, which may be what there is too little of.
                fs::remove_file(&unfinished).map_err(InboxError::io("remove", &unfinished))?;
                copied.map_err(InboxError::io("write", &unfinished))?;
                return Ok(Carried::Unreadable);
            }
        }
        FileKind::Symlink => {
            let Ok(target) = fs::read_link(path) else { return Ok(Carried::Unreadable) };
            fs::remove_file(&unfinished).ok();
            symlink(target, &unfinished).map_err(InboxError::io("write", &unfinished))?;
        }
        FileKind::Fifo | FileKind::Socket | FileKind::Device => return Ok(Carried::Unreadable),
    }
    finish(&unfinished, to)?;
    or_absent(fs::remove_file(path)).map_err(InboxError::io("remove", path))?;
    Ok(Carried::Whole)
}

/// Copies to the end, and says whether all could be read. Only a failure to write is an error.
fn copy(from: fs::File, to: &mut fs::File, goes_on: &dyn Fn() -> bool) -> io::Result<bool> {
    let mut from = io::BufReader::with_capacity(64 * 1024, from);
    loop {
        if !goes_on() {
            return Err(io::ErrorKind::TimedOut.into());
        }
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
    or_absent(fs::rename(&claimed.path, &to)).map_err(InboxError::io("set aside", &claimed.path))?;
    Ok(to)
}

/// What has gone by itself need not be taken away.
fn or_absent(done: io::Result<()>) -> io::Result<()> {
    done.or_else(|error| if is_absence(&error) { Ok(()) } else { Err(error) })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inbox::{Inboxes, Root, Settings, names::flatten, recover::recover};
    use std::{
        os::unix::fs::PermissionsExt as _,
        time::{Duration, SystemTime},
    };
    use tempfile::TempDir;

    const REASON: &[u8] = b"{\"code\":\"empty\"}";

    struct Place {
        dir: TempDir,
        failed: FailedDir,
        inboxes: Inboxes,
    }

    impl Place {
        /// An inbox with one claimed file.
        fn new(name: &str) -> Self {
            let dir = TempDir::new().unwrap();
            let flat = [b"0000000000000005-", &*flatten(Path::new(name))].concat();
            let is_long = flat.len() > NAME_BYTES_MAX;
            let claim =
                if is_long { format!("0000000000000005/{name}").into() } else { OsString::from_vec(flat) };
            let claimed = dir.path().join("in/.wirefold").join(claim);
            make_folders(claimed.parent().unwrap()).unwrap();
            fs::write(claimed, "bytes").unwrap();
            let failed = FailedDir::open(dir.path().join("failed")).unwrap();
            let inboxes = vec![Root::new(dir.path().join("in"), Vec::new())];
            let inboxes = Inboxes::open(Settings { inboxes, ..Settings::default() }, &failed).unwrap().0;
            Self { dir, failed, inboxes }
        }

        fn claimed(&self) -> Claimed {
            recover(&self.inboxes.settings.inboxes, &|| true).unwrap().remove(0)
        }

        fn check_kept(&self, kept: &Path) {
            assert_eq!(kept, self.dir.path().join("failed/0000000000000005-a.txt"));
            assert_eq!(fs::read(kept).unwrap(), b"bytes");
            assert_eq!(fs::read(reason_path(kept)).unwrap(), REASON);
            assert_eq!(recover(&self.inboxes.settings.inboxes, &|| true).unwrap(), []);
            assert_eq!(fs::read_dir(self.dir.path().join("failed")).unwrap().count(), 2);
        }
    }

    #[test]
    fn a_failed_file_is_kept_with_its_reason() {
        let place = Place::new("sub/a.txt");
        let claimed = place.claimed();
        let kept = place.failed.set_aside(&claimed, REASON).unwrap();
        place.check_kept(&kept);
        assert_eq!(place.failed.set_aside(&claimed, REASON).unwrap(), kept, "again, as after a crash");
        place.check_kept(&kept);
        assert_eq!(place.failed.last_arrival().unwrap(), Some(Arrival(5)));
        let mode = fs::metadata(reason_path(&kept)).unwrap().permissions().mode();
        assert_eq!(mode & 0o137, 0, "{mode:o}");
    }

    #[test]
    fn a_crash_at_any_step_is_mended_by_doing_it_again() {
        // The reason half written; written; the file moved but its claim still there; copied but not removed.
        let steps: [fn(&Place, &Claimed, &Path); 4] = [
            |_, _, to| fs::write(unfinished_path(&reason_path(to)), "{").unwrap(),
            |_, _, to| write_durably(&reason_path(to), REASON).unwrap(),
            |_, claimed, to| fs::rename(&claimed.path, to).unwrap(),
            |_, claimed, to| assert_eq!(fs::copy(&claimed.path, to).unwrap(), 5),
        ];
        for step in steps {
            let place = Place::new("sub/a.txt");
            let claimed = place.claimed();
            step(&place, &claimed, &place.dir.path().join("failed/0000000000000005-a.txt"));
            let kept = place.failed.set_aside(&claimed, REASON).unwrap();
            place.check_kept(&kept);
        }
    }

    /// It used to be an error, and stopped the daemon: whoever deletes a claimed file has decided about it.
    #[test]
    fn of_a_file_that_was_deleted_the_reason_is_kept() {
        let place = Place::new("a.txt");
        let claimed = place.claimed();
        fs::remove_file(&claimed.path).unwrap();
        let to = place.failed.set_aside(&claimed, REASON).unwrap();
        assert_eq!(to, place.dir.path().join("failed/0000000000000005-a.txt"));
        assert!(!to.exists());
        assert_eq!(fs::read(reason_path(&to)).unwrap(), REASON);
        assert_eq!(carry(&claimed.path, claimed.kind, &to, &|| true).unwrap(), Carried::Unreadable);
        let near = place.dir.path().join("in/.wirefold/failed/0000000000000005-a.txt");
        assert_eq!(keep_near(&claimed, near.clone(), REASON).unwrap(), near, "on another mount");
    }

    #[test]
    fn a_file_is_carried_to_another_mount_byte_for_byte() {
        let place = Place::new("a.txt");
        let claimed = place.claimed();
        let content: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
        fs::write(&claimed.path, &content).unwrap();
        let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(7);
        fs::File::options().write(true).open(&claimed.path).unwrap().set_modified(modified).unwrap();
        let to = place.dir.path().join("failed/there");
        assert_eq!(carry(&claimed.path, claimed.kind, &to, &|| true).unwrap(), Carried::Whole);
        assert_eq!(fs::read(&to).unwrap(), content);
        assert_eq!(fs::metadata(&to).unwrap().modified().unwrap(), modified);
        assert!(!claimed.path.exists() && !unfinished_path(&to).exists());
    }

    #[test]
    fn what_cannot_leave_its_mount_stays_near_with_its_reason() {
        let place = Place::new("a.txt");
        let path = place.claimed().path;
        fs::remove_file(&path).unwrap();
        symlink("/nowhere", &path).unwrap();
        let link = place.claimed();
        let to = place.dir.path().join("failed/there");
        assert_eq!(carry(&link.path, link.kind, &to, &|| true).unwrap(), Carried::Whole);
        assert_eq!(fs::read_link(&to).unwrap(), Path::new("/nowhere"));

        fs::write(&path, "x").unwrap();
        let mut unreadable = place.claimed();
        unreadable.kind = FileKind::Fifo;
        assert_eq!(carry(&unreadable.path, unreadable.kind, &to, &|| true).unwrap(), Carried::Unreadable);
        let near = place.dir.path().join("in/.wirefold/failed/0000000000000005-a.txt");
        assert_eq!(keep_near(&unreadable, near.clone(), REASON).unwrap(), near);
        assert_eq!(fs::read(reason_path(&near)).unwrap(), REASON);
        assert_eq!(place.failed.set_aside(&unreadable, REASON).unwrap(), near, "again, as after a crash");
        assert_eq!(recover(&place.inboxes.settings.inboxes, &|| true).unwrap(), []);
    }

    #[test]
    fn names_of_any_length_fit() {
        let name = "ö".repeat(127);
        let place = Place::new(&format!("sub/{name}"));
        let kept = place.failed.set_aside(&place.claimed(), REASON).unwrap();
        assert!(kept.file_name().unwrap().to_str().unwrap().starts_with("0000000000000005-öö"));
        let slice = SliceName { arrival: Arrival(5), index: u32::MAX, file: Path::new(&name) };
        let kept = place.failed.set_aside_bytes(slice, b"bad", REASON).unwrap();
        assert!(kept.to_str().unwrap().ends_with("ö.slice"));
        assert_eq!(fs::read(&kept).unwrap(), b"bad");
        assert_eq!(fs::read(reason_path(&kept)).unwrap(), REASON);
    }
}
