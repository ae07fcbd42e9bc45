//! Where a file lies now: waiting in its inbox, claimed, or set aside. Looks, and touches nothing.

use super::{
    InboxError, Root,
    claim::{can_be_read, work_folder},
    names::{Ignore, display_path, unflatten},
    recover::{arrival_at_head, arrival_of, list},
    stamp::is_absence,
};
use crate::model::Arrival;
use rustix::fs::{Access, access};
use std::{
    ffi::OsString,
    fs,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::{Component, Path, PathBuf},
};
use walkdir::{DirEntry, WalkDir};

/// A file that waits in an inbox, or is claimed from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lying {
    /// Its number; nothing while it waits.
    pub arrival: Option<Arrival>,
    /// Its path under the inbox.
    pub name: PathBuf,
    /// Where it lies.
    pub path: PathBuf,
    /// How long it is, in bytes.
    pub bytes: u64,
}

/// A file, or what could not be read of one, that was set aside. Which of the two its reason says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// Its number.
    pub arrival: Arrival,
    /// Where it lies.
    pub path: PathBuf,
    /// Where its reason lies.
    pub reason: PathBuf,
}

/// What keeps a file in its inbox (a path under it), as far as this user can tell without touching it: that it is left alone,
/// that its marker is missing, or that it cannot be read or moved. Nothing where it only has to be still.
pub fn what_keeps(root: &Root, name: &Path) -> Result<Option<String>, InboxError> {
    let path = root.path.join(name);
    if Ignore::new(&root.ignore)?.path(name) {
        return Ok(Some("its name is one of those that are left alone".to_owned()));
    }
    if let Some(file) = root.marker.as_ref().and_then(|marker| marker.file_of(&path)) {
        return Ok(Some(format!(
            "it is the done-marker of {}, and goes when that is taken",
            display_path(file)
        )));
    }
    if let Some(marker) = &root.marker
        && !matches!(marker.is_beside(&path), Ok(true))
    {
        return Ok(Some(format!("it waits for its done-marker {}", display_path(&marker.of(&path)))));
    }
    Ok(not_to_be_had(&path).map(|why| format!("it {why}")))
}

/// Why a file can be neither read nor moved by this user; nothing where it can be both.
pub(super) fn not_to_be_had(path: &Path) -> Option<String> {
    if let Err(error) = can_be_read(path) {
        return Some(format!("cannot be read: {error}"));
    }
    let folder = path.parent().unwrap_or(path);
    let moved = access(folder, Access::WRITE_OK | Access::EXEC_OK);
    moved.err().map(|error| format!("cannot be taken out of {}: {error}", display_path(folder)))
}

/// What of the files that are asked for lies in an inbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Around {
    /// The files.
    pub found: Vec<Lying>,
    /// What could not be looked at, so that such a file may lie there, each with why.
    pub unseen: Vec<(PathBuf, String)>,
}

/// How far one looks for a file that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Under the very path that is asked for.
    Path,
    /// In every folder of the inbox, under each path that ends so.
    Everywhere,
}

/// The files in an inbox, and claimed from it, whose paths end as `asked` does, or whose claim it names. `goes_on` is called
/// between any two looks, and ends it.
pub fn waiting_as(inbox: &Path, asked: &Path, reach: Reach, goes_on: &dyn Fn() -> bool) -> Around {
    let mut around = Around::default();
    let within = asked.strip_prefix(inbox).unwrap_or(asked).components();
    let within: PathBuf = within.filter(|part| !matches!(part, Component::CurDir)).collect();
    let is_name = |part| matches!(part, Component::Normal(_));
    // Every path ends as an empty one does: it means no file.
    if within.file_name().is_some() && within.components().all(is_name) {
        match reach {
            Reach::Path => around.add(None, within.clone(), inbox.join(&within)),
            Reach::Everywhere => around.walk(inbox, &within, goes_on),
        }
    }
    for claim in list(&work_folder(inbox)).unwrap_or_default() {
        if !goes_on() {
            break;
        }
        let Some((arrival, flat)) = arrival_of(&claim) else { continue };
        let path = if flat.is_some() { claim.clone() } else { the_file_in(&claim) };
        let name = flat.map_or_else(|| path.strip_prefix(&claim).unwrap_or(&path).to_owned(), unflatten);
        if within.file_name().is_some() && name.ends_with(&within) || path == asked {
            around.add(Some(arrival), name, path);
        }
    }
    around
}

impl Around {
    fn add(&mut self, arrival: Option<Arrival>, name: PathBuf, path: PathBuf) {
        if let Ok(about) = fs::symlink_metadata(&path)
            && !about.is_dir()
        {
            self.found.push(Lying { arrival, name, path, bytes: about.len() });
        }
    }

    fn walk(&mut self, inbox: &Path, within: &Path, goes_on: &dyn Fn() -> bool) {
        let waiting = WalkDir::new(inbox).sort_by_file_name().into_iter();
        for entry in waiting.filter_entry(|entry| entry.path() != work_folder(inbox)) {
            if !goes_on() {
                return;
            }
            match entry.map(DirEntry::into_path) {
                Ok(path) if path.ends_with(within) => {
                    self.add(None, path.strip_prefix(inbox).unwrap_or(&path).to_owned(), path);
                }
                Ok(_) => {}
                Err(error) => {
                    let why = error.io_error().filter(|why| !is_absence(why)).map(ToString::to_string);
                    self.unseen.extend(error.path().map(Path::to_owned).zip(why));
                }
            }
        }
    }
}

/// The one file below the folder of a claim.
fn the_file_in(claim: &Path) -> PathBuf {
    let mut path = claim.to_owned();
    while let Some(next) = list(&path).ok().and_then(|entries| entries.into_iter().next()) {
        path = next;
    }
    path
}

/// The reasons in a folder of what was set aside, in no order, each with where what it is of would lie.
pub fn reasons_in(folder: &Path) -> Vec<SetAside> {
    let reasons = list(folder).unwrap_or_default().into_iter();
    let of = |reason: PathBuf| {
        let (arrival, _) = arrival_at_head(reason.file_name()?.as_bytes())?;
        let path = reason.as_os_str().as_bytes().strip_suffix(b".reason.json")?.to_vec();
        Some(SetAside { arrival, path: OsString::from_vec(path).into(), reason })
    };
    reasons.filter_map(of).collect()
}

/// What was set aside in a folder, in order of arrival; none where it cannot be listed. A reason without its file is
/// left out: that file stayed where it was given.
pub fn set_aside_in(folder: &Path) -> Vec<SetAside> {
    let mut found = Vec::new();
    for path in list(folder).unwrap_or_default() {
        let name = path.file_name().unwrap_or_default().as_bytes();
        if let Some((arrival, _)) = arrival_at_head(name)
            && !name.ends_with(b".reason.json")
        {
            let reason = path.with_file_name(OsString::from_vec([name, b".reason.json"].concat()));
            found.push(SetAside { arrival, path, reason });
        }
    }
    found.sort_by(|a, b| (a.arrival, &a.path).cmp(&(b.arrival, &b.path)));
    found
}
