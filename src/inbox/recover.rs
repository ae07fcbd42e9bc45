//! Finding again what an earlier run had claimed.
//!
//! A claim is made by one rename and ended by one removal, so it is there or not. One with a folder of its own may
//! also be left empty, before the file was in or after it was out; such are removed.

use super::{
    Claimed, InboxError, Root,
    claim::{Origin, Place, claim_name, work_folder},
    names::unflatten,
    stamp::{Look, Stamp, look},
};
use crate::model::Arrival;
use std::{
    fs,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

/// The claimed files of these inboxes, in order of arrival. `goes_on` is asked before each, as there may be many.
pub(super) fn recover(roots: &[Root], goes_on: &dyn Fn() -> bool) -> Result<Vec<Claimed>, InboxError> {
    let mut found = Vec::new();
    for root in roots {
        for claim in list(&work_folder(&root.path))?.into_iter().take_while(|_| goes_on()) {
            let Some((arrival, flat)) = arrival_of(&claim) else { continue };
            let Some((path, stamp)) = only_file(&claim)? else { continue };
            let within = path.strip_prefix(&claim).unwrap_or(Path::new(""));
            let own_folders = within.components().count();
            let name = flat.map_or(within.to_owned(), unflatten);
            let (source, marker) = (root.source.as_ref(), root.marker.as_ref());
            if let Some(marker) = marker {
                marker.remove_left_over(&root.path.join(&name), stamp.changed_at());
            }
            let origin = Origin { inbox: &root.path, name: &name, source, marker };
            let place = Place { path, own_folders };
            found.push(Claimed::new(arrival, stamp.changed_at(), origin, place, stamp));
        }
    }
    found.sort_by_key(|claimed| claimed.arrival);
    Ok(found)
}

/// The arrivals whose claims lie under an inbox now; none where it cannot be listed.
pub fn claims_in(inbox: &Path) -> Vec<Arrival> {
    let claims = list(&work_folder(inbox)).unwrap_or_default();
    claims.iter().filter_map(|claim| arrival_of(claim)).map(|(arrival, _)| arrival).collect()
}

/// The files that lie in the claims under an inbox now; none where it cannot be listed. Nothing is tidied up.
pub fn claimed_files(inbox: &Path) -> Vec<PathBuf> {
    let mut left = list(&work_folder(inbox)).unwrap_or_default();
    left.retain(|claim| arrival_of(claim).is_some());
    let mut files = Vec::new();
    while let Some(path) = left.pop() {
        match look(&path) {
            Ok(Look::Folder) => left.extend(list(&path).unwrap_or_default()),
            Ok(Look::File(_)) => files.push(path),
            Ok(Look::Nothing) | Err(_) => {}
        }
    }
    files
}

/// The arrival in the name of a claim, and the path made flat where the claim is no folder.
pub(super) fn arrival_of(claim: &Path) -> Option<(Arrival, Option<&[u8]>)> {
    let (arrival, rest) = arrival_at_head(claim.file_name()?.as_bytes())?;
    match rest {
        [] => Some((arrival, None)),
        [b'-', flat @ ..] => Some((arrival, Some(flat))),
        _ => None,
    }
}

/// The arrival at the head of a file name, where it is written as a claim's is, and the rest of the name.
pub(super) fn arrival_at_head(name: &[u8]) -> Option<(Arrival, &[u8])> {
    let length = name.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = name.split_at_checked(length)?;
    let text = std::str::from_utf8(digits).ok()?;
    let arrival = Arrival(text.parse().ok()?);
    (claim_name(arrival) == text).then_some((arrival, rest))
}

/// The one file that a claim is or holds. Folders with nothing in them are removed, the claim's own too.
fn only_file(claim: &Path) -> Result<Option<(PathBuf, Stamp)>, InboxError> {
    if let Look::File(stamp) = look(claim).map_err(InboxError::io("look at the claimed file", claim))? {
        return Ok(Some((claim.to_owned(), stamp)));
    }
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

pub(super) fn list(folder: &Path) -> Result<Vec<PathBuf>, InboxError> {
    let entries = fs::read_dir(folder).map_err(InboxError::io("list", folder))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    paths.collect::<Result<_, _>>().map_err(InboxError::io("list", folder))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inbox::claim::make_folders;
    use tempfile::TempDir;

    fn inbox() -> (TempDir, Vec<Root>, PathBuf) {
        let dir = TempDir::new().unwrap();
        let work = dir.path().join(".wirefold");
        make_folders(&work.join("failed")).unwrap();
        let roots = vec![Root::new(dir.path().to_owned(), Vec::new())];
        (dir, roots, work)
    }

    #[test]
    fn each_step_of_a_claim_and_of_its_end_is_recovered() {
        let (_dir, roots, work) = inbox();
        // Folders made, or left, without the file; and claims of either form.
        make_folders(&work.join("0000000000000001")).unwrap();
        make_folders(&work.join("0000000000000002/a/b")).unwrap();
        make_folders(&work.join("0000000000000012/a/b")).unwrap();
        for claim in ["0000000000000012/a/b/c.txt", "0000000000000003-d.txt", "0000000000000004-a%2fe%25.txt"]
        {
            fs::write(work.join(claim), "text").unwrap();
        }
        let found = recover(&roots, &|| true).unwrap();
        let told: Vec<_> =
            found.iter().map(|claimed| (claimed.arrival.0, claimed.name.to_str().unwrap())).collect();
        assert_eq!(told, [(3, "d.txt"), (4, "a/e%.txt"), (12, "a/b/c.txt")]);
        assert_eq!(claims_in(&roots[0].path).into_iter().max(), Some(Arrival(12)));
        assert_eq!(claimed_files(&roots[0].path).len(), 3);
        assert_eq!(found[2].folder.as_deref(), Some("a"));
        assert!(found[0].at > crate::model::Time::default());
        assert!(!work.join("0000000000000001").exists() && !work.join("0000000000000002").exists());
        assert!(work.join("failed").exists());
        assert_eq!(recover(&roots, &|| true).unwrap(), found);
        let asked = std::cell::Cell::new(0);
        recover(&roots, &|| asked.replace(asked.get() + 1) < 1).unwrap();
        assert_eq!(asked.get(), 2, "it goes from claim to claim, and ends when it is to");
        for claimed in &found {
            claimed.dispose().unwrap();
        }
        assert_eq!(recover(&roots, &|| true).unwrap(), []);
    }

    #[test]
    fn a_claim_with_two_files_is_not_guessed_at() {
        let (_dir, roots, work) = inbox();
        make_folders(&work.join("0000000000000001")).unwrap();
        fs::write(work.join("0000000000000001/a"), "a").unwrap();
        fs::write(work.join("0000000000000001/b"), "b").unwrap();
        assert!(matches!(recover(&roots, &|| true), Err(InboxError::Tangled { .. })));
    }

    #[test]
    fn only_what_a_claim_writes_is_read_as_a_number() {
        let arrival = |name| arrival_at_head(name).map(|(arrival, rest)| (arrival.0, rest));
        assert_eq!(arrival(b"0000000000000042"), Some((42, &b""[..])));
        assert_eq!(arrival(b"0000000000000042-7-a"), Some((42, &b"-7-a"[..])));
        assert_eq!(arrival(b"12345678901234567"), Some((12_345_678_901_234_567, &b""[..])));
        for name in [&b"42"[..], b"+000000000000042", b"00000000000000042", b"failed", b"lock", b"\xff"] {
            assert_eq!(arrival(name), None);
        }
    }
}
