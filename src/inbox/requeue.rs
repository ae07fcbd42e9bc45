//! Putting a file that was set aside back where it came from.

use super::{
    FileKind, InboxError, Root, SetAside,
    claim::{
        Place, check_folder, lay_back, make_folders, place_for, remove_empty, sync_folders, work_folder,
    },
    failed::{Carried, carry},
    names::shown_path,
};
use crate::model::Arrival;
use std::{
    fs, io,
    path::{Component, Path, PathBuf},
};

/// A file that was set aside, on its way back. It is a claim under its old number, so that a start after a crash finds it, and
/// the journal tells what is to become of it: set aside it is again, or put back where it was said to be.
#[derive(Debug)]
pub struct TakenOut {
    arrival: Arrival,
    place: Place,
    root: Root,
    name: PathBuf,
    reason: PathBuf,
}

/// Takes a file out of what was set aside, durably, to be put back into its inbox where it lay under `shown`. Where nobody waits
/// for it any more, as `goes_on` tells, the file stays where it is.
pub fn take_out(
    aside: &SetAside,
    root: Root,
    shown: &str,
    goes_on: &dyn Fn() -> bool,
) -> Result<TakenOut, InboxError> {
    // Somebody may have written the reason by hand: nothing leads out of the inbox.
    let name: PathBuf =
        shown_path(shown).components().filter(|part| matches!(part, Component::Normal(_))).collect();
    let failed = || InboxError::io("put back", &aside.path);
    let place = place_for(&work_folder(&root.path), aside.arrival, &name);
    let near = &place.path;
    check_folder(&root.path)?;
    make_folders(near.parent().unwrap_or(&root.path)).map_err(failed())?;
    if !goes_on() {
        return Err(failed()(io::ErrorKind::TimedOut.into()));
    }
    match fs::rename(&aside.path, near) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            let found = fs::symlink_metadata(&aside.path).map_err(failed())?;
            match FileKind::of(&found).map(|kind| carry(&aside.path, kind, near, goes_on)).transpose()? {
                Some(Carried::Whole) => {}
                Some(Carried::Unreadable) | None => return Err(failed()(error)),
            }
        }
        Err(error) => return Err(failed()(error)),
    }
    sync_folders([near, &aside.path].into_iter().filter_map(|path| path.parent()));
    Ok(TakenOut { arrival: aside.arrival, place, root, name, reason: aside.reason.clone() })
}

impl TakenOut {
    /// The number that it had.
    pub fn arrival(&self) -> Arrival {
        self.arrival
    }

    /// Where it goes.
    pub fn inbox(&self) -> &Path {
        &self.root.path
    }

    /// Puts it back where it lay, or beside what has taken its name since, and removes its reason. Says where it is now.
    pub fn put_back(&self) -> Result<PathBuf, InboxError> {
        let Self { arrival, place, root, name, reason } = self;
        let back = lay_back(&place.path, (&root.path, root.marker.as_ref()), name, *arrival)?;
        remove_empty(&place.path, place.own_folders);
        match fs::remove_file(reason) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(InboxError::io("remove", reason)(error))
            }
            _ => Ok(back),
        }
    }
}
