//! Putting a file that was set aside back where it came from.

use super::{
    FileKind, InboxError, Root, SetAside,
    claim::{
        Place, check_folder, lay_back, make_folders, place_for, remove_empty, sync_folders, work_folder,
    },
    display_path,
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
#[derive(Clone, Debug)]
pub struct TakenOut {
    arrival: Arrival,
    place: Place,
    root: Root,
    name: PathBuf,
    aside: SetAside,
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
    // Where a file has the name of its folder it cannot go back: that must show before the journal says that it did.
    make_folders(root.path.join(&name).parent().unwrap_or(&root.path)).map_err(failed())?;
    if !goes_on() {
        return Err(failed()(io::ErrorKind::TimedOut.into()));
    }
    carry_over(&aside.path, near, goes_on)?;
    Ok(TakenOut { arrival: aside.arrival, place, root, name, aside: aside.clone() })
}

/// Moves a file durably, to another mount where it must.
fn carry_over(from: &Path, to: &Path, goes_on: &dyn Fn() -> bool) -> Result<(), InboxError> {
    let failed = || InboxError::io("put back", from);
    match fs::rename(from, to) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            let found = fs::symlink_metadata(from).map_err(failed())?;
            match FileKind::of(&found).map(|kind| carry(from, kind, to, goes_on)).transpose()? {
                Some(Carried::Whole) => {}
                Some(Carried::Unreadable) | None => return Err(failed()(error)),
            }
        }
        Err(error) => return Err(failed()(error)),
    }
    sync_folders([to, from].into_iter().filter_map(|path| path.parent()));
    Ok(())
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

    /// Where it lies now.
    pub fn claim(&self) -> &Path {
        &self.place.path
    }

    /// Puts it back where it lay, or beside what has taken its name since, and removes its reason. Says where it is now.
    pub fn put_back(&self) -> Result<PathBuf, InboxError> {
        let Self { arrival, place, root, name, aside } = self;
        let back = lay_back(&place.path, (&root.path, root.marker.as_ref()), name, *arrival)?;
        remove_empty(&place.path, place.own_folders);
        // The file is back whatever becomes of this.
        if let Err(error) = fs::remove_file(&aside.reason)
            && error.kind() != io::ErrorKind::NotFound
        {
            let reason = display_path(&aside.reason);
            tracing::warn!(reason, %error, "the reason of a file that was put back could not be removed");
        }
        Ok(back)
    }

    /// Sets it aside again, beside its reason.
    pub fn set_aside_again(&self, goes_on: &dyn Fn() -> bool) -> Result<(), InboxError> {
        carry_over(&self.place.path, &self.aside.path, goes_on)?;
        remove_empty(&self.place.path, self.place.own_folders);
        Ok(())
    }
}
