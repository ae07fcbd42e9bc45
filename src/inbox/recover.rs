//! Finding again what an earlier run had claimed.
//!
//! A crash leaves a claim in one of three states: the folder made and nothing in it, the file in it, or the file out
//! of it again and the folder still there. Only the middle one is work; the others are removed.

use super::{
    Claimed, InboxError, Root,
    claim::{Origin, claim_name, work_folder},
    stamp::{Look, Stamp, look},
};
use crate::model::Arrival;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The claimed files of these inboxes, in order of arrival.
pub(super) fn recover(roots: &[Root]) -> Result<Vec<Claimed>, InboxError> {
    let mut found = Vec::new();
    for (index, root) in roots.iter().enumerate() {
        let work = work_folder(&root.path);
        for claim in list(&work)? {
            let Some(arrival) = claim.file_name().and_then(|name| arrival_of(name.as_encoded_bytes())) else {
                continue;
            };
            let Some((path, stamp)) = only_file(&claim)? else { continue };
            let name = path.strip_prefix(&claim).unwrap_or(&path).to_owned();
            let origin = Origin { root: index, name: &name, source: root.source.as_ref() };
            found.push(Claimed::new(arrival, stamp.changed_at(), origin, path, stamp));
        }
    }
    found.sort_by_key(|claimed| claimed.arrival);
    Ok(found)
}

/// The arrival at the head of a file name, where it is written as a claim's is.
pub(super) fn arrival_of(name: &[u8]) -> Option<Arrival> {
    let text = std::str::from_utf8(name).ok()?;
    let arrival = Arrival(text.parse().ok()?);
    (claim_name(arrival) == text).then_some(arrival)
}

/// The one file in a claim. Folders with nothing in them are removed, the claim's own too.
fn only_file(claim: &Path) -> Result<Option<(PathBuf, Stamp)>, InboxError> {
    let mut file = None;
    let mut folders = vec![claim.to_owned()];
    let mut listed = 0;
    while let Some(folder) = folders.get(listed).cloned() {
        listed += 1;
        for path in list(&folder)? {
            match look(&path).map_err(InboxError::io("look at the claimed file", &path))? {
                Look::Nothing => {}
                Look::Folder => folders.push(path),
                Look::File(_) if file.is_some() => {
                    return Err(InboxError::Tangled { path: claim.to_owned() });
                }
                Look::File(stamp) => file = Some((path, stamp)),
            }
        }
    }
    if file.is_none() {
        // The deepest were found last. One that does not go is found again at the next start.
        folders.iter().rev().all(|folder| fs::remove_dir(folder).is_ok());
    }
    Ok(file)
}

fn list(folder: &Path) -> Result<Vec<PathBuf>, InboxError> {
    let entries = fs::read_dir(folder).map_err(InboxError::io("list", folder))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    paths.collect::<Result<_, _>>().map_err(InboxError::io("list", folder))
}
