//! Putting a file that was set aside back where it came from.

use super::{
    FileKind, InboxError, Root, SetAside,
    claim::{lay_back, make_folders, place_for, remove_empty, work_folder},
    failed::{Carried, carry},
    names::shown_path,
};
use std::{
    fs, io,
    path::{Component, PathBuf},
};

/// Puts a file back into its inbox, where it lay under `shown` or beside what has taken its name since, and removes its
/// reason. Says where it is now. On the way it is a claim under its old number, so a start after a crash finds it and sets
/// it aside again, or puts it back itself. Where nobody waits for it any more, as `goes_on` tells, the file stays where it is.
pub fn put_back_aside(
    aside: &SetAside,
    Root { path: inbox, marker, .. }: &Root,
    shown: &str,
    goes_on: &dyn Fn() -> bool,
) -> Result<PathBuf, InboxError> {
    // Somebody may have written the reason by hand: nothing leads out of the inbox.
    let name: PathBuf =
        shown_path(shown).components().filter(|part| matches!(part, Component::Normal(_))).collect();
    let failed = || InboxError::io("put back", &aside.path);
    let place = place_for(&work_folder(inbox), aside.arrival, &name);
    let near = &place.path;
    make_folders(near.parent().unwrap_or(inbox)).map_err(failed())?;
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
    let back = lay_back(near, (inbox, marker.as_ref()), &name, aside.arrival)?;
    remove_empty(near, place.own_folders);
    match fs::remove_file(&aside.reason) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed()(error)),
        _ => Ok(back),
    }
}
