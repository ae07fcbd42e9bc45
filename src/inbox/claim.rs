//! Taking a file out of its inbox by rename, and what can be done with it then.
//!
//! A claimed file is named by its arrival and by its whole path under the inbox, made flat, so that a crash keeps both.
//! Only where that makes too long a name does it get a folder of its own: on ext4 making and removing a folder for
//! every file costs 1 to 3 ms, and two renames cost 0.03. `watch` claims; `recover` finds claims again; `pipeline`
//! reads and disposes of them.

use super::{
    FileKind, InboxError, Marker, display_path, is_transient,
    names::{NAME_BYTES_MAX, flatten, shorten},
    stamp::{Look, Stamp, is_absence, look},
};
use crate::{
    clock,
    model::{Arrival, Time},
};
use rustix::{
    fs::{CWD, Mode, OFlags, RenameFlags, renameat_with},
    io::Errno,
};
use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs, io,
    os::unix::{
        ffi::{OsStrExt as _, OsStringExt as _},
        fs::DirBuilderExt as _,
    },
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The mode of every folder made here: no one outside the group reads licensed text.
const FOLDER_MODE: u32 = 0o750;

/// The folder under an inbox that holds its claims.
const WORK_FOLDER: &str = ".wirefold";

/// What could not be done with a file that cannot be moved out of its inbox.
pub(super) const CLAIM: &str = "claim";

/// How many names are tried for a file that is put back. The first that carries its number is free unless somebody
/// means it.
const BACK_TRIES_MAX: u32 = 8;

/// A file taken out of its inbox, to be read where it lies now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// Its number, which also stands at the head of its name now.
    pub arrival: Arrival,
    /// The inbox it came from.
    pub inbox: PathBuf,
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
    own_folders: usize,
    /// How its marker is named, where it had one.
    marker: Option<Box<Marker>>,
}

impl Claimed {
    /// A claimed file as it lies in its claim.
    pub(super) fn new(arrival: Arrival, at: Time, from: Origin<'_>, place: Place, stamp: Stamp) -> Self {
        let Origin { inbox, name, source, marker } = from;
        let folder = name.parent().and_then(|parent| parent.iter().next());
        Self {
            arrival,
            inbox: inbox.to_owned(),
            path: place.path,
            source: source.cloned(),
            folder: folder.map(|folder| folder.to_string_lossy().into_owned()),
            name: name.to_owned(),
            at,
            bytes: stamp.bytes,
            kind: stamp.kind,
            stamp,
            own_folders: place.own_folders,
            marker: marker.cloned().map(Box::new),
        }
    }

    /// Whether it was written to since it was claimed or last refreshed: a rename does not detach a writer. One that
    /// is gone is an error.
    pub fn changed(&self) -> io::Result<bool> {
        Ok(!self.stamp.same_content(&self.look_again()?))
    }

    /// The same of a file that is to be removed: one that is gone was not, and one that cannot be looked at now may have been.
    pub fn was_written_to(&self) -> Result<bool, InboxError> {
        match self.changed() {
            Err(error) if is_transient(&error) => Err(InboxError::io("look at", &self.path)(error)),
            looked => Ok(looked.unwrap_or(false)),
        }
    }

    /// Whether its whole inbox is away, renamed or unmounted: then the file is not gone, and comes back with it.
    pub fn is_away(&self) -> bool {
        fs::symlink_metadata(self.work_folder()).is_err()
    }

    /// Nothing is to be done with a file whose inbox is away: it would be taken for deleted, or a folder be made where the inbox
    /// comes back to.
    pub fn check_there(&self) -> Result<(), InboxError> {
        if self.is_away() { Err(InboxError::Missing { path: self.inbox.clone() }) } else { Ok(()) }
    }

    /// When it had last been written to when it was last looked at, in nanoseconds since 1970.
    pub fn modified_ns(&self) -> i64 {
        let (seconds, nanos) = self.stamp.modified;
        seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
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
    /// Nothing that was dropped meanwhile is replaced. Returns where it is; of one that is gone, where it was.
    pub fn give_back(&self) -> Result<PathBuf, InboxError> {
        let inbox = self.work_folder().parent().unwrap_or(Path::new("."));
        let back = lay_back(&self.path, (inbox, self.marker.as_deref()), &self.name, self.arrival)?;
        self.remove_claim();
        Ok(back)
    }

    /// Removes the claim's own folders once the file is out of them. What does not go now, a recovery removes.
    pub(super) fn remove_claim(&self) {
        remove_empty(&self.path, self.own_folders);
    }

    /// The work folder of the inbox that the claim lies in.
    pub(super) fn work_folder(&self) -> &Path {
        self.path.ancestors().nth(self.own_folders + 1).unwrap_or(&self.path)
    }

    /// The folders whose names make up the claim.
    fn folders(&self) -> impl Iterator<Item = &Path> {
        self.path.ancestors().skip(1).take(self.own_folders + 1)
    }

    fn look_again(&self) -> io::Result<Stamp> {
        match look(&self.path)? {
            Look::File(stamp) => Ok(stamp),
            Look::Nothing | Look::Folder => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

/// Makes it durable that these files were claimed, before the journal says so: after a power cut one that lay under its own
/// name again would be taken for a new one. Where a folder cannot be synced now, no more than that may happen.
pub fn sync_claims<'a>(claims: impl Iterator<Item = &'a Claimed>) {
    let folders: BTreeSet<&Path> = claims.flat_map(Claimed::folders).collect();
    sync_folders(folders.into_iter());
}

/// Not every mount can sync a folder.
pub(super) fn sync_folders<'a>(folders: impl Iterator<Item = &'a Path>) {
    for folder in folders {
        if let Err(error) = fs::File::open(folder).and_then(|folder| folder.sync_all()) {
            tracing::debug!(%error, folder = display_path(folder), "the names in a folder could not be synced");
        }
    }
}

/// Moves a file on the inbox's own mount to where it lay in it, or beside what has taken its name since, with its marker
/// beside it.
pub(super) fn lay_back(
    from: &Path,
    (inbox, marker): (&Path, Option<&Marker>),
    name: &Path,
    arrival: Arrival,
) -> Result<PathBuf, InboxError> {
    let failed = || InboxError::io("put back", from);
    let first = inbox.join(name);
    check_folder(inbox)?;
    make_folders(first.parent().unwrap_or(inbox)).map_err(failed())?;
    let others =
        (0..BACK_TRIES_MAX).map(|again| first.with_file_name(name_beside(name, arrival, again, marker)));
    let mut refused = io::Error::from(io::ErrorKind::AlreadyExists);
    for to in std::iter::once(first.clone()).chain(others) {
        // It comes first, or a crash would leave a file that waits for it for ever.
        let has_made = match marker.map_or(Ok(false), |marker| marker.put_beside(&to)) {
            // The name has no room for a marker: another has.
            Err(error) if error.kind() == io::ErrorKind::InvalidFilename => {
                refused = error;
                continue;
            }
            made => made.map_err(failed())?,
        };
        let back = put_back(from, &to, to == first);
        if let Some(marker) = marker.filter(|_| has_made && back.is_err()) {
            marker.remove_beside(&to);
        }
        match back {
            Ok(()) => return Ok(to),
            Err(error) if is_absence(&error) && fs::symlink_metadata(from).is_err() => return Ok(first),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => refused = error,
            Err(error) => return Err(failed()(error)),
        }
    }
    Err(failed()(refused))
}

/// Whether an inbox is there, before anything is made in it.
pub(super) fn check_folder(inbox: &Path) -> Result<(), InboxError> {
    if inbox.is_dir() { Ok(()) } else { Err(InboxError::Missing { path: inbox.to_owned() }) }
}

/// A name for a file beside what has its own: its number, and as much of its name as there is room for, with its marker's too.
fn name_beside(name: &Path, arrival: Arrival, again: u32, marker: Option<&Marker>) -> OsString {
    let number = claim_name(arrival);
    let head = if again == 0 { format!("{number}-") } else { format!("{number}-{again}-") };
    let name = name.file_name().unwrap_or_default().as_bytes();
    let taken = head.len() + marker.map_or(0, Marker::bytes);
    let name = shorten(name, NAME_BYTES_MAX.saturating_sub(taken));
    OsString::from_vec([head.as_bytes(), name].concat())
}

/// Moves a file to a name that nothing has, in one step: a kill between two would leave it under both names.
fn put_back(from: &Path, to: &Path, is_own_name: bool) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // The file system knows no rename that replaces nothing.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => put_back_in_steps(from, to, is_own_name),
        renamed => Ok(renamed?),
    }
}

/// The same by links; a plain rename would silently replace what has the name. Where the file cannot be linked (another
/// user's file, a file system without links) only a name made of its number will do: that nobody else uses, so what is made
/// to hold it stays empty until the file takes its place.
fn put_back_in_steps(from: &Path, to: &Path, is_own_name: bool) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Ok(()) => fs::remove_file(from),
        Err(error) if is_absence(&error) || error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        Err(_) if is_own_name => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => {
            fs::File::create_new(to)?;
            fs::rename(from, to).inspect_err(|_| drop(fs::remove_file(to)))
        }
    }
}

/// Where a claimed file came from.
#[derive(Clone, Copy)]
pub(super) struct Origin<'a> {
    pub(super) inbox: &'a Path,
    pub(super) name: &'a Path,
    pub(super) source: Option<&'a String>,
    pub(super) marker: Option<&'a Marker>,
}

/// The arrival numbers still to be given out. All who take files in share one, so that no number is given twice.
#[derive(Debug)]
pub struct Arrivals(Mutex<Arrival>);

impl Arrivals {
    /// Starts with this number. It must lie above every number in the journal and in the failed folder; the watch
    /// itself skips those of the claims that it finds.
    pub fn starting_at(next: Arrival) -> Self {
        Self(Mutex::new(next))
    }

    /// Does something under the next number. Where it fails the number is given again, unless a higher one was given
    /// meanwhile: nobody waits for what may never be answered.
    pub fn take<T, E>(&self, under: impl FnOnce(Arrival) -> Result<T, E>) -> Result<T, E> {
        let taken = {
            let mut next = self.next();
            let taken = *next;
            next.0 += 1;
            taken
        };
        under(taken).inspect_err(|_| {
            let mut next = self.next();
            if next.0 == taken.0 + 1 {
                *next = taken;
            }
        })
    }

    /// Gives out no number up to this one.
    pub fn skip(&self, taken: Arrival) {
        let mut next = self.next();
        *next = (*next).max(Arrival(taken.0 + 1));
    }

    fn next(&self) -> MutexGuard<'_, Arrival> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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

/// Claims the file that waits at `origin`, if it is still as `ready` says.
pub(super) fn claim(origin: Origin<'_>, ready: &Stamp, arrivals: &Arrivals) -> Attempt {
    let from = origin.inbox.join(origin.name);
    match look(&from) {
        Ok(Look::File(stamp)) if stamp == *ready => {}
        Ok(Look::File(stamp)) => return Attempt::Changed(stamp),
        Ok(Look::Nothing | Look::Folder) => return Attempt::Vanished,
        Err(error) => return Attempt::Refused(InboxError::io("look at", from)(error)),
    }
    let readable = if ready.kind == FileKind::Regular { can_be_read(&from) } else { Ok(()) };
    match readable {
        Err(error) if is_absence(&error) => return Attempt::Vanished,
        Err(error) if is_transient(&error) => {
            return Attempt::Refused(InboxError::io("read", from)(error));
        }
        // What is wrong with it for good is told once it is claimed.
        _ => {}
    }
    let work = work_folder(origin.inbox);
    let moved = arrivals.take(|arrival| {
        let place = place_for(&work, arrival, origin.name);
        move_in(&from, &place, &work).map(|()| (arrival, place))
    });
    match moved {
        Ok((arrival, place)) => {
            if let Some(marker) = origin.marker {
                marker.remove_beside(&from);
            }
            Attempt::Claimed(Claimed::new(arrival, clock::now(), origin, place, *ready))
        }
        Err(error) if is_absence(&error) && !from.exists() => Attempt::Vanished,
        Err(error) => Attempt::Refused(InboxError::io(CLAIM, from)(error)),
    }
}

/// Whether a file can be opened. One that cannot be for now stays in its inbox under its name, where its sender finds it.
pub(super) fn can_be_read(path: &Path) -> io::Result<()> {
    // A pipe that has taken its place must not be waited for.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty()).map(drop)?)
}

/// Where a claimed file lies.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) path: PathBuf,
    /// How many folders above the file belong to the claim alone.
    pub(super) own_folders: usize,
}

/// The place of a claim: one file, or where its name would be too long, a folder of its own.
pub(super) fn place_for(work: &Path, arrival: Arrival, name: &Path) -> Place {
    let number = claim_name(arrival);
    let flat = [number.as_bytes(), b"-", &flatten(name)].concat();
    if flat.len() <= NAME_BYTES_MAX {
        return Place { path: work.join(OsString::from_vec(flat)), own_folders: 0 };
    }
    Place { path: work.join(number).join(name), own_folders: name.components().count() }
}

fn move_in(from: &Path, place: &Place, work: &Path) -> io::Result<()> {
    let parent = place.path.parent().unwrap_or(work);
    if place.own_folders > 0 {
        make_folders(parent)?;
    }
    let moved = match fs::rename(from, &place.path) {
        // Somebody may have removed the work folder, or the whole inbox for a while.
        Err(error) if error.kind() == io::ErrorKind::NotFound && !parent.exists() => {
            make_folders(parent).and_then(|()| fs::rename(from, &place.path))
        }
        moved => moved,
    };
    moved.inspect_err(|_| remove_empty(&place.path, place.own_folders))
}

/// Makes a folder and those above it, and their names as durable as the mount makes them: what is moved in must not be lost
/// with its folder.
pub(super) fn make_folders(path: &Path) -> io::Result<()> {
    let missing = path.ancestors().take_while(|folder| !folder.exists()).count();
    fs::DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(path)?;
    sync_folders(path.ancestors().skip(1).take(missing));
    Ok(())
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
pub(super) fn remove_empty(path: &Path, levels: usize) {
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
        claim(Origin { inbox, name: Path::new(name), source: None, marker: None }, stamp, arrivals)
    }

    #[test]
    fn a_claim_keeps_the_whole_name_and_goes_without_a_trace() {
        let long = "x".repeat(255);
        let cases = [
            ("agency/100%/a.txt".to_owned(), "0000000000000007-agency%2f100%25%2fa.txt".to_owned()),
            (format!("agency/sub/{long}"), format!("0000000000000007/agency/sub/{long}")),
        ];
        for (name, place) in cases {
            let (dir, path, stamp) = inbox_with(&name);
            let work = dir.path().join(".wirefold");
            let Attempt::Claimed(claimed) =
                claim_it(dir.path(), &name, &stamp, &Arrivals::starting_at(Arrival(7)))
            else {
                panic!("not claimed")
            };
            assert_eq!(claimed.path, work.join(place));
            assert_eq!((claimed.folder.as_deref(), claimed.name.to_str().unwrap()), (Some("agency"), &*name));
            assert_eq!(claimed.work_folder(), work);
            assert!(!path.exists() && !claimed.changed().unwrap());
            claimed.dispose().unwrap();
            claimed.dispose().unwrap();
            assert_eq!(fs::read_dir(work).unwrap().count(), 0);
        }
    }

    #[test]
    fn a_number_is_used_up_only_by_a_claim() {
        let (dir, path, stamp) = inbox_with("a");
        let arrivals = Arrivals::starting_at(Arrival(1));
        fs::remove_file(&path).unwrap();
        assert!(matches!(claim_it(dir.path(), "a", &stamp, &arrivals), Attempt::Vanished));
        fs::write(&path, "other").unwrap();
        let Attempt::Changed(stamp) = claim_it(dir.path(), "a", &stamp, &arrivals) else {
            panic!("not seen")
        };
        let Attempt::Claimed(claimed) = claim_it(dir.path(), "a", &stamp, &arrivals) else {
            panic!("not claimed")
        };
        assert_eq!(claimed.arrival, Arrival(1));
        arrivals.skip(Arrival(8));
        assert_eq!(arrivals.take(Ok::<_, ()>), Ok(Arrival(9)));
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

    fn claimed_from(dir: &TempDir, name: &str, stamp: &Stamp) -> Claimed {
        match claim_it(dir.path(), name, stamp, &Arrivals::starting_at(Arrival(7))) {
            Attempt::Claimed(claimed) => claimed,
            other => panic!("not claimed: {other:?}"),
        }
    }

    #[test]
    fn a_file_given_back_replaces_nothing() {
        let long = "x".repeat(255);
        for (name, beside) in [
            ("a/b.txt", "0000000000000007-b.txt"),
            (&*long, &*format!("0000000000000007-{}", "x".repeat(238))),
        ] {
            let (dir, path, stamp) = inbox_with(name);
            let claimed = claimed_from(&dir, name, &stamp);
            fs::write(&path, "dropped meanwhile").unwrap();
            let back = claimed.give_back().unwrap();
            assert_eq!(back, path.with_file_name(beside));
            assert_eq!(fs::read(&back).unwrap(), b"text");
            assert_eq!(fs::read(&path).unwrap(), b"dropped meanwhile");
            assert_eq!(fs::read_dir(dir.path().join(".wirefold")).unwrap().count(), 0);
        }
    }

    /// It could never be given back: its own name was tried, and no other.
    #[test]
    fn a_file_whose_name_has_no_room_for_its_marker_is_given_back_under_another() {
        let name = "x".repeat(252);
        let (dir, _, stamp) = inbox_with(&name);
        let marker = Marker::new(".done".to_owned());
        let claimed = Claimed { marker: Some(Box::new(marker.clone())), ..claimed_from(&dir, &name, &stamp) };
        let back = claimed.give_back().unwrap();
        assert!(back.exists() && marker.is_beside(&back).unwrap(), "{}", back.display());
    }

    /// A folder was made in the place of an inbox that was away, so that it could not come back.
    #[test]
    fn nothing_is_made_where_an_inbox_is_away() {
        let (dir, _, stamp) = inbox_with("in/a");
        let inbox = dir.path().join("in");
        let claimed = claimed_from(&dir, "in/a", &stamp);
        let claimed = Claimed { inbox: inbox.clone(), ..claimed };
        assert!(claimed.check_there().is_ok());
        fs::rename(dir.path().join(".wirefold"), dir.path().join("away")).unwrap();
        assert!(matches!(claimed.check_there(), Err(InboxError::Missing { .. })));
        fs::remove_dir(&inbox).unwrap();
        let back = lay_back(&claimed.path, (&inbox, None), Path::new("a"), Arrival(7));
        assert!(matches!(back, Err(InboxError::Missing { .. })) && !inbox.exists());
    }

    #[test]
    fn a_file_given_back_takes_its_name_or_the_next_free_one() {
        let (dir, path, stamp) = inbox_with("a");
        assert_eq!(claimed_from(&dir, "a", &stamp).give_back().unwrap(), path);
        let claimed = claimed_from(
            &dir,
            "a",
            &match look(&path).unwrap() {
                Look::File(stamp) => stamp,
                Look::Nothing | Look::Folder => panic!("no file"),
            },
        );
        fs::write(&path, "1").unwrap();
        fs::write(dir.path().join("0000000000000007-a"), "2").unwrap();
        assert_eq!(claimed.give_back().unwrap(), dir.path().join("0000000000000007-1-a"));
        assert_eq!(claimed.give_back().unwrap(), path, "gone is done");
        assert_eq!(fs::read(path).unwrap(), b"1");
    }

    /// A folder cannot be linked, as a file of another user cannot.
    #[test]
    fn what_cannot_be_linked_is_put_back_under_its_number() {
        let dir = TempDir::new().unwrap();
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        make_folders(&from).unwrap();
        let refused = |is_own_name| put_back_in_steps(&from, &to, is_own_name).unwrap_err();
        assert_eq!(refused(true).kind(), io::ErrorKind::AlreadyExists);
        assert_ne!(refused(false).kind(), io::ErrorKind::AlreadyExists, "a folder does not replace a file");
        assert!(from.exists() && !to.exists());
        // In one step it goes, and only to a name that nothing has.
        put_back(&from, &to, true).unwrap();
        fs::write(&from, "another").unwrap();
        assert_eq!(put_back(&from, &to, true).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert!(to.is_dir() && from.is_file());
    }
}
