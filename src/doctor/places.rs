//! The data directory and the inboxes: are they there, on what, and may they be used.

use super::{Finding, Level, mounts::Mounts};
use crate::{
    backup::MANIFEST,
    config::{Config, Place},
    inbox::{self, InboxError, Root, Survey, display_path},
    pipeline::{is_gone, lacks_originals},
    query::{InboxStatus, Status},
    service::counted,
    store::user_name,
};
use rustix::fs::{Access, access};
use std::{
    ffi::OsStr,
    fs, io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};
use walkdir::{DirEntry, WalkDir};

const DATA: &str = "data";
const INBOX: &str = "inbox";

/// What is in memory alone.
const MAY_VANISH: &str = "lies in memory: nothing there outlives a start of the machine";

/// That the data directory is none, but a backup of one.
pub(super) fn a_backup(config: &Config) -> Option<Finding> {
    let shown = display_path(&config.data_dir);
    config.data_dir.join(MANIFEST).exists().then(|| {
        let remedy = format!("'wirefold --data-dir NEW restore {shown}' brings it back into a folder of its own; 'audit' proves that it is sound");
        Finding::failure(DATA, format!("{shown} is a backup: no daemon can run there"), remedy)
    })
}

/// The folder that holds everything.
pub(super) fn data_dir(config: &Config, mounts: &Mounts, again: &str) -> Finding {
    let path = config.data_dir.as_path();
    let shown = display_path(path);
    let found = match fs::metadata(path) {
        Ok(found) if found.is_dir() => found,
        Ok(_) => {
            return Finding::failure(DATA, format!("{shown} is no folder"), "let data_dir name a folder");
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return to_be_made(config),
        Err(error) => return not_reached(DATA, path, &error),
    };
    if let (count, Some(first)) = not_of_the_owner(path, found.uid()) {
        let (first, owner) = (display_path(&first), user_name(found.uid()));
        let what = format!(
            "files that do not belong to {owner}, who may not be able to open them: {count}, as {first}"
        );
        let remedy = format!(
            "stop the daemon, then chown -R {owner} {shown}/journal and what else 'find {shown} -not -user {owner}' tells"
        );
        return Finding::failure(DATA, what, remedy);
    }
    if let Some(whose) = strangers(&found) {
        return Finding::warning(
            DATA,
            format!(
                "{shown} belongs to {whose}, and this is another user: what that one may do is not seen from here"
            ),
            format!("ask as that user: runuser -u {whose} -- {again}"),
        );
    }
    if let Err(error) = may_write(path) {
        let remedy = format!("chown -R USER {shown}, where USER is who the daemon runs as");
        return Finding::failure(DATA, format!("{shown} may not be written to: {error}"), remedy);
    }
    if is_gone(path) {
        return Finding::failure(
            DATA,
            format!(
                "the journal in {shown}/journal is gone, and the view was made of it: no daemon starts here"
            ),
            "put it back, or mount its disk; else 'restore' a backup into an empty folder, or begin anew with what the originals hold: 'wirefold audit --repair'",
        );
    }
    if lacks_originals(path) {
        return Finding::failure(
            DATA,
            format!("{shown}/originals is empty: the bytes of what came in are not kept any more"),
            "mount its disk, or copy originals/ back from a backup; 'wirefold audit' tells what is lost",
        );
    }
    let mode = found.permissions().mode() & 0o777;
    if mode & 0o007 != 0 {
        let what = format!("{shown} is open to every user of this machine (mode {mode:o})");
        return Finding::warning(DATA, what, format!("chmod o= {shown}"));
    }
    match mounts.holding(path) {
        Some(mount) if mount.is_in_memory() => Finding::warning(
            DATA,
            format!("{shown} {MAY_VANISH} ({})", mount.kind),
            "let data_dir name a folder on a disk",
        ),
        Some(mount) if mount.is_far() => Finding::warning(
            DATA,
            format!("{shown} is on {}, where a lock or a sync may not hold what it promises", mount.kind),
            "let data_dir name a folder on a disk of this machine",
        ),
        mount => {
            Finding::ok(DATA, format!("{shown} may be written to{}", on(mount.map(|m| m.kind.as_str()))))
        }
    }
}

fn to_be_made(config: &Config) -> Finding {
    let path = config.data_dir.as_path();
    let shown = display_path(path);
    // Who names one may have mistyped it.
    let is_named =
        config.said().iter().any(|said| said.key == "data_dir" && !matches!(said.place, Place::Line(..)));
    let Some(above) = path.ancestors().find(|above| above.is_dir()) else {
        return Finding::failure(DATA, format!("{shown} cannot be made"), "let data_dir name another folder");
    };
    match may_write(above) {
        Ok(()) if is_named => Finding::warning(
            DATA,
            format!("{shown} is not there; a start would make it, empty"),
            "where there should be data already, look at how its name is written",
        ),
        Ok(()) => Finding::ok(DATA, format!("{shown} is not there yet; the first start makes it")),
        Err(error) => Finding::failure(
            DATA,
            format!("{shown} is not there and cannot be made in {}: {error}", display_path(above)),
            "make it for the user that the daemon runs as, or let data_dir name another folder",
        ),
    }
}

/// Each inbox.
pub(super) fn inboxes(config: &Config, mounts: &Mounts, status: Option<&Status>) -> Vec<Finding> {
    let told = |root: &Root| status?.inboxes.iter().find(|told| told.path == display_path(&root.path));
    let settings = config.inbox_settings();
    let mut found: Vec<_> =
        settings.inboxes.iter().map(|root| one(config, root, mounts, told(root))).collect();
    // What is wrong with one of them was found above; a daemon that runs has them all.
    for error in inbox::would_open(&settings, &config.failed_dir()) {
        let remedy = match error {
            InboxError::Overlap { .. } => "let none lie within another, nor the failed folder within one",
            InboxError::InUse { .. } if status.is_none() => {
                "end the other daemon, or let the two watch different inboxes: no start takes it while it is locked"
            }
            _ => continue,
        };
        found.push(Finding::failure(INBOX, error.to_string(), remedy));
    }
    found
}

fn one(config: &Config, root: &Root, mounts: &Mounts, told: Option<&InboxStatus>) -> Finding {
    let path = root.path.as_path();
    let shown = display_path(path);
    let found = match fs::metadata(path) {
        Ok(found) if found.is_dir() => found,
        Ok(_) => {
            return Finding::failure(
                INBOX,
                format!("{shown} is no folder"),
                "let [[inbox]] path name a folder",
            );
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound && config.inbox.is_empty() => {
            return Finding::ok(INBOX, format!("{shown} is not there yet; the first start makes it"));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let remedy =
                "make it, or mount it; RequiresMountsFor= in a drop-in makes the service wait for a mount";
            return Finding::failure(INBOX, format!("{shown} is not there"), remedy);
        }
        Err(error) => return not_reached(INBOX, path, &error),
    };
    let is_ours = strangers(&found).is_none() || !rustix::process::geteuid().is_root();
    if let Err(error) = may_write(path)
        && is_ours
    {
        let what = format!("files cannot be claimed from {shown}: {error}");
        let remedy =
            "the daemon's user must be able to write there; under systemd ReadWritePaths= must name it too";
        return Finding::failure(INBOX, what, remedy);
    }
    if let Some(trouble) = told.and_then(trouble) {
        let remedy = if trouble.contains("Permission denied") {
            "let the daemon's group own such files and their folders, with chmod g+r on the files and g+wx on the folders ('wirefold trace FILE' tells of one); it is tried again by itself"
        } else {
            "mend that; it is tried again by itself, and the log tells when it can be taken"
        };
        return Finding::warning(INBOX, format!("{shown}: {trouble}"), remedy);
    }
    let survey = match inbox::survey(root) {
        Ok(survey) => survey,
        Err(error) => return Finding::failure(INBOX, error.to_string(), "mend its rights or its 'ignore'"),
    };
    if let Some(found) = not_taken(&survey, is_ours) {
        return found;
    }
    let mount = mounts.holding(path);
    let how = told.map_or_else(String::new, |told| format!("; {}", told.watched));
    let what = format!(
        "{shown}{}; folders to watch: {}, files waiting: {}{how}",
        on(mount.map(|m| m.kind.as_str())),
        survey.folders,
        survey.files
    );
    match mount {
        Some(mount) if mount.is_far() && root.by_events => Finding::warning(
            INBOX,
            format!(
                "{shown} is on {}: what another machine writes there makes no event, and only scans find it",
                mount.kind
            ),
            "set watch = \"scans\" in its [[inbox]], or have files written to a disk of this machine",
        ),
        Some(mount) if mount.is_in_memory() => {
            let what = format!("{shown} {MAY_VANISH} ({})", mount.kind);
            Finding::warning(INBOX, what, "use a folder on a disk for what must not be lost while it waits")
        }
        _ => Finding { level: Level::Ok, ..Finding::ok(INBOX, what) },
    }
}

/// What lies in an inbox and a daemon of this user could not take. What another user may do is not seen from here.
fn not_taken(survey: &Survey, is_ours: bool) -> Option<Finding> {
    if let Some(folder) = &survey.unreadable {
        let what = format!("{} cannot be looked into by this user", display_path(folder));
        return Some(Finding::warning(
            INBOX,
            what,
            "give the daemon's user the right to read and enter every folder there",
        ));
    }
    if let ((refused, _), Some(first)) = (&survey.refused, &survey.trouble)
        && is_ours
    {
        let what = format!("{} cannot be taken by this user: {first}", counted(*refused, "file"));
        let remedy = "give the daemon's user the right to read such files and to write to their folder; they stay until then, and 'wirefold status' names them";
        return Some(Finding::warning(INBOX, what, remedy));
    }
    None
}

/// What the daemon has against an inbox.
fn trouble(told: &InboxStatus) -> Option<String> {
    let cannot = told.watched.starts_with("cannot").then(|| told.watched.clone());
    cannot.or_else(|| told.trouble.clone())
}

fn on(kind: Option<&str>) -> String {
    kind.map_or_else(String::new, |kind| format!(" (on {kind})"))
}

fn not_reached(check: &'static str, path: &Path, error: &io::Error) -> Finding {
    let what = format!("{} cannot be looked at: {error}", display_path(path));
    Finding::failure(
        check,
        what,
        "ask as the user that the daemon runs as, or mend the rights of the folders above it",
    )
}

/// Reading, writing and entering, as this user.
fn may_write(path: &Path) -> io::Result<()> {
    Ok(access(path, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK)?)
}

/// How many files and folders belong to another than the data directory's owner, and the first of them: root may have made
/// them. What people dropped is theirs, and stays so when it is set aside.
fn not_of_the_owner(data_dir: &Path, owner: u32) -> (usize, Option<PathBuf>) {
    let is_of_people = |entry: &DirEntry| {
        entry.depth() == 1 && ["inbox", "failed"].map(OsStr::new).contains(&entry.file_name())
    };
    let ours =
        WalkDir::new(data_dir).sort_by_file_name().into_iter().filter_entry(|entry| !is_of_people(entry));
    let mut others = ours
        .flatten()
        .filter(|entry| entry.metadata().is_ok_and(|found| found.uid() != owner))
        .map(DirEntry::into_path);
    let first = others.next();
    (others.count() + usize::from(first.is_some()), first)
}

/// Whose it is, where that is not this user.
fn strangers(found: &fs::Metadata) -> Option<String> {
    let is_own = found.uid() == rustix::process::geteuid().as_raw();
    (!is_own).then(|| user_name(found.uid()))
}
