//! Taking a file out of its inbox by rename, and what can be done with it then.
//!
//! A claim is one folder named by its arrival, and in it the file under its whole path, so that a crash keeps both
//! and a name of any length fits. Making that folder must succeed as new, so a claim never covers another one.
//! `watch` claims; `recover` finds claims again; `pipeline` reads and disposes of them.

use super::{
    FileKind, InboxError,
    stamp::{Look, Stamp, look},
};
use crate::{
    clock,
    model::{Arrival, Time},
};
use std::{
    ffi::OsString,
    os::unix::ffi::{OsStrExt, OsStringExt},
    fs, io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// The mode of every folder made here: no one outside the group reads licensed text.
const FOLDER_MODE: u32 = 0o750;

/// The folder under an inbox that holds its claims.
const WORK_FOLDER: &str = ".wirefold";

/// A file taken out of its inbox, to be read where it lies now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// Its number, which also names the folder it lies in.
    pub arrival: Arrival,
    /// The inbox it came from, as an index into [`Settings::inboxes`](super::Settings::inboxes).
    pub root: usize,
    /// Where it lies now.
    pub path: PathBuf,
    /// Its path as it lay under the inbox.
    pub name: PathBuf,
    /// The source configured for the inbox.
    pub source: Option<String>,
    /// The name of the first folder that it lay in.
    pub folder: Option<String>,
    /// When it was claimed.
    pub at: Time,
    /// How long it was then, in bytes.
    pub bytes: u64,
    /// What it is.
    pub kind: FileKind,
    /// What it was when it was last looked at.
    stamp: Stamp,
}

impl Claimed {
    /// A claimed file as it lies in its claim.
    pub(super) fn new(arrival: Arrival, at: Time, from: Origin<'_>, path: PathBuf, stamp: Stamp) -> Self {
        let Origin { root, name, source } = from;
        let folder = name.parent().and_then(|parent| parent.iter().next());
        Self {
            arrival,
            root,
            path,
            source: source.cloned(),
            folder: folder.map(|folder| folder.to_string_lossy().into_owned()),
            name: name.to_owned(),
            at,
            bytes: stamp.bytes,
            kind: stamp.kind,
            stamp,
        }
    }

    /// Whether it was written to since it was claimed or last refreshed: a rename does not detach a writer. One that
    /// is gone is an error.
    pub fn changed(&self) -> io::Result<bool> {
        Ok(!self.stamp.same_content(&self.look_again()?))
    }

    /// The same claim as the file is now, to be read again from the start.
    pub fn refreshed(self) -> io::Result<Self> {
        let stamp = self.look_again()?;
        Ok(Self { bytes: stamp.bytes, kind: stamp.kind, stamp, ..self })
    }

    /// Removes the file and its claim. Once its outcome is durable this may be repeated: already gone is fine.
    pub fn dispose(&self) -> Result<(), InboxError> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(InboxError::io("remove the finished file", &self.path)(error))
            }
            _ => {
                self.remove_claim();
                Ok(())
            }
        }
    }

    /// Puts the file back where it lay in its inbox, or beside what has taken its name since, to be claimed anew.
    /// Returns where it is.
    pub fn give_back(&self) -> Result<PathBuf, InboxError> {
        let inbox = self.work_folder().parent().unwrap_or(Path::new("."));
        let mut to = inbox.join(&self.name);
        if to.symlink_metadata().is_ok() {
            let again = format!("{}-", claim_name(self.arrival));
            let name = [again.as_bytes(), self.name.file_name().unwrap_or_default().as_bytes()].concat();
            to = to.with_file_name(OsString::from_vec(name));
        }
        fs::rename(&self.path, &to).map_err(InboxError::io("put back", &self.path))?;
        self.remove_claim();
        Ok(to)
    }

    /// Removes the claim's folders once the file is out of them. What does not go now, a recovery removes.
    pub(super) fn remove_claim(&self) {
        remove_empty(&self.path, self.name.components().count());
    }

    /// The work folder of the inbox that the claim lies in.
    pub(super) fn work_folder(&self) -> &Path {
        let above_name = self.path.ancestors().nth(self.name.components().count() + 1);
        above_name.unwrap_or(&self.path)
    }

    fn look_again(&self) -> io::Result<Stamp> {
        match look(&self.path)? {
            Look::File(stamp) => Ok(stamp),
            Look::Nothing | Look::Folder => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

/// Where a claimed file came from.
#[derive(Clone, Copy)]
pub(super) struct Origin<'a> {
    pub(super) root: usize,
    pub(super) name: &'a Path,
    pub(super) source: Option<&'a String>,
}

/// The arrival numbers still to be given out. All who take files in share one, so that no number is given twice.
#[derive(Debug)]
pub struct Arrivals(Mutex<Arrival>);

impl Arrivals {
    /// Starts with this number. It must lie above every number in the journal, among the recovered claims and
    /// in the failed folder.
    pub fn starting_at(next: Arrival) -> Self {
        Self(Mutex::new(next))
    }

    /// Does something under the next number, which is used up only where it succeeds. Others wait meanwhile, so
    /// numbers are given in the order in which things were done.
    pub fn take<T, E>(&self, under: impl FnOnce(Arrival) -> Result<T, E>) -> Result<T, E> {
        let mut next = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let done = under(*next)?;
        next.0 += 1;
        Ok(done)
    }

    fn skip(&self, taken: Arrival) {
        let mut next = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *next = (*next).max(Arrival(taken.0 + 1));
    }
}

/// How an attempt to claim a file ended.
#[derive(Debug)]
pub(super) enum Attempt {
    Claimed(Claimed),
    /// It is no longer there, or a folder is.
    Vanished,
    /// It has changed since it was found ready.
    Changed(Stamp),
    /// It cannot be renamed.
    Refused(InboxError),
}

/// Claims the file at `origin.name` under `inbox`, if it is still as `ready` says.
pub(super) fn claim(inbox: &Path, origin: Origin<'_>, ready: &Stamp, arrivals: &Arrivals) -> Attempt {
    let from = inbox.join(origin.name);
    match look(&from) {
        Ok(Look::File(stamp)) if stamp == *ready => {}
        Ok(Look::File(stamp)) => return Attempt::Changed(stamp),
        Ok(Look::Nothing | Look::Folder) => return Attempt::Vanished,
        Err(error) => return Attempt::Refused(InboxError::io("look at", from)(error)),
    }
    loop {
        let attempt =
            arrivals.take(|arrival| move_in(inbox, &from, origin.name, arrival).map(|to| (arrival, to)));
        return match attempt {
            Ok((arrival, to)) => Attempt::Claimed(Claimed::new(arrival, clock::now(), origin, to, *ready)),
            Err(NotMoved::NumberTaken(arrival)) => {
                arrivals.skip(arrival);
                continue;
            }
            Err(NotMoved::Io(error)) if error.kind() == io::ErrorKind::NotFound => Attempt::Vanished,
            Err(NotMoved::Io(error)) => Attempt::Refused(InboxError::io("claim", from)(error)),
        };
    }
}

/// Why a file was not moved into its claim.
enum NotMoved {
    /// A claim of that number is there already.
    NumberTaken(Arrival),
    Io(io::Error),
}

fn move_in(inbox: &Path, from: &Path, name: &Path, arrival: Arrival) -> Result<PathBuf, NotMoved> {
    let work = work_folder(inbox);
    let claim = work.join(claim_name(arrival));
    make_new_folder(&claim, &work).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => NotMoved::NumberTaken(arrival),
        _ => NotMoved::Io(error),
    })?;
    let to = claim.join(name);
    let parent = to.parent().filter(|parent| *parent != claim);
    let moved = parent.map_or(Ok(()), make_folders).and_then(|()| fs::rename(from, &to));
    if let Err(error) = moved {
        remove_empty(&to, name.components().count());
        return Err(NotMoved::Io(error));
    }
    Ok(to)
}

/// Makes a claim's folder, and the work folder too where somebody removed it.
fn make_new_folder(claim: &Path, work: &Path) -> io::Result<()> {
    let make = || fs::DirBuilder::new().mode(FOLDER_MODE).create(claim);
    match make() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::DirBuilder::new().mode(FOLDER_MODE).create(work)?;
            make()
        }
        made => made,
    }
}

/// Makes a folder and those above it.
pub(super) fn make_folders(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(path)
}

/// The folder of an inbox that holds its claims.
pub(super) fn work_folder(inbox: &Path) -> PathBuf {
    inbox.join(WORK_FOLDER)
}

/// An arrival as it stands in file names: 16 digits, so that names sort as numbers do.
pub(super) fn claim_name(arrival: Arrival) -> String {
    format!("{:016}", arrival.0)
}

/// Removes the folders above a path, this many levels, for as long as they are empty.
fn remove_empty(path: &Path, levels: usize) {
    path.ancestors().skip(1).take(levels).all(|folder| fs::remove_dir(folder).is_ok());
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn inbox_with(name: &str) -> (TempDir, PathBuf, Stamp) {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join(name);
        make_folders(path.parent().unwrap()).unwrap();
        fs::write(&path, "text").unwrap();
        let Look::File(stamp) = look(&path).unwrap() else { panic!("no file") };
        (dir, path, stamp)
    }

    fn claim_it(inbox: &Path, name: &str, stamp: &Stamp, arrivals: &Arrivals) -> Attempt {
        claim(inbox, Origin { root: 0, name: Path::new(name), source: None }, stamp, arrivals)
    }

    #[test]
    fn a_claim_keeps_the_whole_name_and_goes_without_a_trace() {
        let name = format!("agency/sub/{}", "x".repeat(255));
        let (dir, path, stamp) = inbox_with(&name);
        let Attempt::Claimed(claimed) =
            claim_it(dir.path(), &name, &stamp, &Arrivals::starting_at(Arrival(7)))
        else {
            panic!("not claimed")
        };
        assert_eq!(claimed.path, dir.path().join(".wirefold/0000000000000007").join(&name));
        assert_eq!((claimed.source.as_deref(), claimed.name.to_str().unwrap()), (Some("agency"), &*name));
        assert_eq!(claimed.work_folder(), dir.path().join(".wirefold"));
        assert!(!path.exists() && !claimed.changed().unwrap());
        claimed.dispose().unwrap();
        claimed.dispose().unwrap();
        assert_eq!(fs::read_dir(dir.path().join(".wirefold")).unwrap().count(), 0);
    }

    #[test]
    fn a_number_is_used_up_only_by_a_claim_and_never_twice() {
        let (dir, path, stamp) = inbox_with("a");
        let arrivals = Arrivals::starting_at(Arrival(1));
        fs::remove_file(&path).unwrap();
        assert!(matches!(claim_it(dir.path(), "a", &stamp, &arrivals), Attempt::Vanished));
        fs::write(&path, "other").unwrap();
        let Attempt::Changed(stamp) = claim_it(dir.path(), "a", &stamp, &arrivals) else {
            panic!("not seen")
        };
        // A claim that an earlier run left behind is never covered.
        make_folders(&dir.path().join(".wirefold/0000000000000001")).unwrap();
        let Attempt::Claimed(claimed) = claim_it(dir.path(), "a", &stamp, &arrivals) else {
            panic!("not claimed")
        };
        assert_eq!(claimed.arrival, Arrival(2));
        assert_eq!(arrivals.take(Ok::<_, ()>), Ok(Arrival(3)));
    }

    #[test]
    fn a_writer_that_kept_the_file_open_is_noticed() {
        let (dir, path, stamp) = inbox_with("a");
        let mut writer = fs::OpenOptions::new().append(true).open(path).unwrap();
        let Attempt::Claimed(claimed) = claim_it(dir.path(), "a", &stamp, &Arrivals::starting_at(Arrival(1)))
        else {
            panic!("not claimed")
        };
        io::Write::write_all(&mut writer, b" more").unwrap();
        assert!(claimed.changed().unwrap());
        let refreshed = claimed.refreshed().unwrap();
        assert_eq!(refreshed.bytes, 9);
        assert!(!refreshed.changed().unwrap());
        refreshed.dispose().unwrap();
        assert!(refreshed.changed().is_err());
    }
}
