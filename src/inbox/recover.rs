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

/// The arrivals whose claims lie under an inbox now; none where it cannot be listed.
pub fn claims_in(inbox: &Path) -> Vec<Arrival> {
    let claims = list(&work_folder(inbox)).unwrap_or_default();
    claims.iter().filter_map(|claim| arrival_of(claim.file_name()?.as_encoded_bytes())).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inbox::claim::make_folders;
    use tempfile::TempDir;

    fn inbox() -> (TempDir, Vec<Root>, PathBuf) {
        let dir = TempDir::new().unwrap();
        let work = dir.path().join(".wirefold");
        make_folders(&work.join("failed")).unwrap();
        let roots = vec![Root { path: dir.path().to_owned(), source: None }];
        (dir, roots, work)
    }

    #[test]
    fn each_step_of_a_claim_and_of_its_end_is_recovered() {
        let (_dir, roots, work) = inbox();
        // Numbered, but the file not moved yet; the same with its folders; moved; removed but not its folders.
        make_folders(&work.join("0000000000000001")).unwrap();
        make_folders(&work.join("0000000000000002/a/b")).unwrap();
        for (arrival, name) in [(12, "a/b/c.txt"), (3, "d.txt")] {
            let path = work.join(claim_name(Arrival(arrival))).join(name);
            make_folders(path.parent().unwrap()).unwrap();
            fs::write(path, "text").unwrap();
        }
        let found = recover(&roots).unwrap();
        let told: Vec<_> =
            found.iter().map(|claimed| (claimed.arrival.0, claimed.name.to_str().unwrap())).collect();
        assert_eq!(told, [(3, "d.txt"), (12, "a/b/c.txt")]);
        assert_eq!(found[1].source.as_deref(), Some("a"));
        assert!(found[0].at > crate::model::Time::default());
        assert!(!work.join("0000000000000001").exists() && !work.join("0000000000000002").exists());
        assert!(work.join("failed").exists());
        assert_eq!(recover(&roots).unwrap(), found);
        for claimed in &found {
            claimed.dispose().unwrap();
        }
        assert_eq!(recover(&roots).unwrap(), []);
    }

    #[test]
    fn a_claim_with_two_files_is_not_guessed_at() {
        let (_dir, roots, work) = inbox();
        make_folders(&work.join("0000000000000001")).unwrap();
        fs::write(work.join("0000000000000001/a"), "a").unwrap();
        fs::write(work.join("0000000000000001/b"), "b").unwrap();
        assert!(matches!(recover(&roots), Err(InboxError::Tangled { .. })));
    }

    #[test]
    fn only_what_a_claim_writes_is_read_as_a_number() {
        assert_eq!(arrival_of(b"0000000000000042"), Some(Arrival(42)));
        assert_eq!(arrival_of(b"12345678901234567"), Some(Arrival(12_345_678_901_234_567)));
        for name in [&b"42"[..], b"+000000000000042", b"00000000000000042", b"failed", b"\xff"] {
            assert_eq!(arrival_of(name), None);
        }
    }
}
