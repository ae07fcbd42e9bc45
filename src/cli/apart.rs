//! What wirefold keeps is no news: it must neither be given to `ingest` nor be put where an inbox takes it in.

use super::CliError;
use crate::config::Config;
use std::{
    fs,
    path::{Component, Path, PathBuf, absolute},
};

/// Refuses a path that would give wirefold its own data directory to read. The inbox in there may be given, and hidden folders
/// are passed over in any case.
pub(super) fn check_given(config: &Config, given: &Path) -> Result<(), CliError> {
    let (own, real) = (real(&config.data_dir), real(given));
    let is_seen = |part: Component<'_>| !part.as_os_str().as_encoded_bytes().starts_with(b".");
    let is_within = real.starts_with(&own) && !real.starts_with(own.join("inbox"));
    let is_around = own.strip_prefix(&real).is_ok_and(|rest| rest.components().all(is_seen));
    if is_within || is_around {
        return Err(CliError::OwnData { given: given.to_owned(), data_dir: config.data_dir.clone() });
    }
    Ok(())
}

/// Refuses a folder for a backup that an inbox would take in.
pub(super) fn check_backup(config: &Config, folder: &Path) -> Result<(), CliError> {
    let place = real(folder);
    let inboxes = config.inbox_settings().inboxes;
    match inboxes.into_iter().find(|inbox| place.starts_with(real(&inbox.path))) {
        Some(inbox) => Err(CliError::InAnInbox { folder: folder.to_owned(), inbox: inbox.path }),
        None => Ok(()),
    }
}

/// Where a path really leads, though not all of it may be there yet.
fn real(path: &Path) -> PathBuf {
    let whole = absolute(path).unwrap_or_else(|_| path.to_owned());
    let there = whole.ancestors().find_map(|part| Some((part, fs::canonicalize(part).ok()?)));
    let joined = there.and_then(|(part, real)| Some(real.join(whole.strip_prefix(part).ok()?)));
    joined.unwrap_or(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn neither_the_store_nor_what_holds_it_may_be_given() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir_all(at("news/data/inbox")).unwrap();
        fs::create_dir_all(at("news/.hidden/data")).unwrap();
        symlink(at("news/data"), at("link")).unwrap();
        let may = |data: &str, given: &str| {
            let config = Config::load(None, Some(&at(data))).unwrap();
            check_given(&config, &at(given)).is_ok()
        };
        for given in ["news", "news/data", "news/data/journal/1", "link", "news/data/../data"] {
            assert!(!may("news/data", given), "{given}");
        }
        for given in ["news/data/inbox", "news/data/inbox/a.txt", "news/a.txt", "elsewhere"] {
            assert!(may("news/data", given), "{given}");
        }
        assert!(may("news/.hidden/data", "news"));
        assert!(!may("news/new", "news"), "it will be there once something is read");
    }

    #[test]
    fn no_inbox_may_take_in_a_backup() {
        let dir = tempfile::tempdir().unwrap();
        let config = Config::load(None, Some(dir.path())).unwrap();
        for (folder, may) in [("inbox", false), ("inbox/new/backup", false), ("../backup", true)] {
            assert_eq!(check_backup(&config, &dir.path().join(folder)).is_ok(), may, "{folder}");
        }
    }
}
