//! What the machine gives: room, inotify, a clock.

use super::Finding;
use crate::{
    clock,
    config::Config,
    inbox::{self, display_path},
    model::Time,
    query::Status,
};
use rustix::fs::{StatVfs, statvfs};
use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

const SPACE: &str = "space";
const LIMITS: &str = "inotify";
const CLOCK: &str = "clock";

/// Below this nothing is sure to be written: a commit takes up to 32 MiB, a segment of the view 8 MiB, and both are
/// written beside what they replace.
const BYTES_NEEDED: u64 = 128 << 20;
/// An article takes some 9.5 kB in all, so this is room for a hundred thousand.
const BYTES_WANTED: u64 = 1 << 30;
/// What fails and what waits takes an inode a file; this is what a burst may bring.
const INODES_NEEDED: u64 = 100;
const INODES_WANTED: u64 = 10_000;

/// Where the limits of inotify stand.
const INOTIFY: &str = "/proc/sys/fs/inotify";
/// A file makes some four events on its way in, and the daemon keeps 4,096 hints; a longer burst is scanned for.
const EVENTS_WANTED: u64 = 16_384;
/// Other programs of the same user watch folders too.
const WATCHES_SHARE: u64 = 2;

/// When this was written; no machine on which it runs was earlier.
const WRITTEN: Time = Time::from_millis(1_795_305_600_000);
/// A clock may be set back a little as it is put right.
const BACK_MAX_MS: i64 = 2_000;

/// Room for the data directory, and for each inbox that is on another file system.
pub(super) fn space(config: &Config) -> Vec<Finding> {
    let inboxes = config.inbox_settings().inboxes;
    let paths = std::iter::once(&config.data_dir).chain(inboxes.iter().map(|root| &root.path));
    let mut seen = BTreeSet::new();
    let there = paths
        .filter_map(|path| path.ancestors().find_map(|p| Some((p.to_owned(), fs::metadata(p).ok()?.dev()))));
    let apart: Vec<PathBuf> =
        there.filter(|(_, device)| seen.insert(*device)).map(|(path, _)| path).collect();
    // The data directory comes first, and a commit waits for more room there.
    let asked = std::iter::once(config.commit.free_min_mb << 20).chain(std::iter::repeat(BYTES_NEEDED));
    apart.iter().zip(asked).map(|(path, asked)| room(path, asked)).collect()
}

fn room(path: &Path, needed: u64) -> Finding {
    let shown = display_path(path);
    match statvfs(path) {
        Ok(found) => room_of(&shown, &found, needed),
        Err(error) => {
            let remedy = "look at the mount with df and mount";
            Finding::failure(SPACE, format!("the room at {shown} cannot be told: {error}"), remedy)
        }
    }
}

fn room_of(shown: &str, found: &StatVfs, needed: u64) -> Finding {
    let bytes = found.f_bavail.saturating_mul(found.f_frsize);
    // A file system that makes inodes as they are needed tells of none.
    let inodes = if found.f_files == 0 { u64::MAX } else { found.f_favail };
    let free = if found.f_files == 0 { String::new() } else { format!(" and {inodes} inodes") };
    let what = format!("{} MiB{free} are free at {shown}", bytes >> 20);
    let remedy = "make room: what is not durable stays in the inbox until then; failed/ and the oldest days of originals/ may be moved away";
    if bytes < needed {
        let what = format!("{what}, and {} MiB are asked for", needed >> 20);
        return Finding::failure(SPACE, what, format!("{remedy}; or lower commit.free_min_mb"));
    }
    if inodes < INODES_NEEDED {
        Finding::failure(SPACE, what, remedy)
    } else if bytes < BYTES_WANTED || inodes < INODES_WANTED {
        Finding::warning(SPACE, what, remedy)
    } else {
        Finding::ok(SPACE, what)
    }
}

/// The limits of inotify against what the inboxes need.
pub(super) fn limits(config: &Config) -> Vec<Finding> {
    let inboxes = config.inbox_settings().inboxes;
    let watched = inboxes.iter().filter(|root| root.by_events);
    let folders = watched.map(|root| inbox::survey(root).map_or(0, |s| s.folders)).sum();
    let limit = |name: &str| fs::read_to_string(Path::new(INOTIFY).join(name)).ok()?.trim().parse().ok();
    let Some(limits) =
        (|| Some([limit("max_user_watches")?, limit("max_user_instances")?, limit("max_queued_events")?]))()
    else {
        let what = format!("{INOTIFY} cannot be read, so events may not come");
        return vec![Finding::warning(
            LIMITS,
            what,
            "set watch = \"scans\" for each [[inbox]] where the kernel has no inotify",
        )];
    };
    vec![limits_of(limits, folders)]
}

fn limits_of([watches, instances, events]: [u64; 3], folders: u64) -> Finding {
    let raised = |name: &str, to: u64| {
        format!("sysctl -w fs.inotify.{name}={to}, and the same in a file in /etc/sysctl.d so that it lasts")
    };
    if watches < folders.saturating_mul(WATCHES_SHARE) {
        let what = format!(
            "fs.inotify.max_user_watches is {watches}, and {folders} folders are to be watched; of the rest only scans tell"
        );
        return Finding::warning(
            LIMITS,
            what,
            raised("max_user_watches", folders.saturating_mul(4).max(65_536)),
        );
    }
    if instances < 2 {
        let what = format!("fs.inotify.max_user_instances is {instances}; the daemon needs one for itself");
        return Finding::warning(LIMITS, what, raised("max_user_instances", 128));
    }
    if events < EVENTS_WANTED {
        let what = format!(
            "fs.inotify.max_queued_events is {events}: of more than {} files at once only a scan tells",
            events / 4
        );
        return Finding::warning(LIMITS, what, raised("max_queued_events", EVENTS_WANTED));
    }
    Finding::ok(
        LIMITS,
        format!(
            "watches: {folders} needed of {watches}; instances: 1 of {instances}; queued events: {EVENTS_WANTED} of {events}"
        ),
    )
}

/// Whether the clock can be right. The newest article is never later than what was last made durable.
pub(super) fn clock(config: &Config, status: Option<&Status>) -> Finding {
    let newest =
        status.map_or_else(|| last_written(&config.data_dir.join("journal")), |status| status.last_commit);
    clock_of(clock::now(), newest)
}

fn clock_of(now: Time, newest: Option<Time>) -> Finding {
    let remedy = "set the clock and keep it right (timedatectl set-ntp true): windows and the times of articles hang on it";
    if now < WRITTEN {
        return Finding::failure(
            CLOCK,
            format!("it says {now}, which is before this wirefold was written"),
            remedy,
        );
    }
    match newest {
        Some(newest) if newest.millis() - now.millis() > BACK_MAX_MS => {
            let what = format!("it says {now}, but the newest article came at {newest}: it was set back");
            Finding::failure(CLOCK, what, remedy)
        }
        Some(newest) => {
            Finding::ok(CLOCK, format!("it says {now}; the newest article came at {newest} or before"))
        }
        None => Finding::ok(CLOCK, format!("it says {now}; there is no article yet")),
    }
}

/// When the journal was last written to.
fn last_written(journal: &Path) -> Option<Time> {
    let segments = fs::read_dir(journal).ok()?.filter_map(Result::ok);
    let seconds = segments.filter_map(|segment| segment.metadata().ok()).map(|found| found.mtime()).max()?;
    Some(Time::from_millis(seconds.saturating_mul(1000)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn room_is_asked_for_in_bytes_and_in_inodes() {
        let room = |bytes: u64, inodes: Option<u64>| {
            let mut found = statvfs("/").unwrap();
            (found.f_frsize, found.f_bavail) = (4096, bytes / 4096);
            (found.f_files, found.f_favail) = (inodes.unwrap_or(0), inodes.unwrap_or(0));
            room_of("/x", &found, BYTES_NEEDED).level
        };
        assert_eq!(room(2 << 30, Some(50_000)), Level::Ok);
        assert_eq!(room(2 << 30, None), Level::Ok, "where inodes are made as they are needed");
        assert_eq!(room(500 << 20, Some(50_000)), Level::Warning);
        assert_eq!(room(2 << 30, Some(5_000)), Level::Warning);
        assert_eq!(room(50 << 20, Some(50_000)), Level::Failure);
        assert_eq!(room(2 << 30, Some(7)), Level::Failure);
        let none = room_of("/x", &statvfs("/").unwrap(), u64::MAX);
        assert!(none.level == Level::Failure && none.what.contains("are asked for"), "{none:?}");
    }

    #[test]
    fn limits_are_held_against_what_is_needed() {
        let level = |limits, folders| limits_of(limits, folders).level;
        assert_eq!(level([8192, 128, 16_384], 4096), Level::Ok);
        let short = limits_of([8192, 128, 16_384], 5000);
        assert!(short.level == Level::Warning && short.remedy.unwrap().contains("max_user_watches=65536"));
        assert_eq!(level([8192, 1, 16_384], 1), Level::Warning);
        assert_eq!(level([8192, 128, 1024], 1), Level::Warning);
    }

    #[test]
    fn a_clock_that_was_set_back_is_seen() {
        let now = Time::from_millis(WRITTEN.millis() + 86_400_000);
        let later = |ms: i64| Some(Time::from_millis(now.millis() + ms));
        assert_eq!(clock_of(now, None).level, Level::Ok);
        assert_eq!(clock_of(now, later(-5000)).level, Level::Ok);
        assert_eq!(clock_of(now, later(1000)).level, Level::Ok, "the journal has whole seconds");
        assert_eq!(clock_of(now, later(60_000)).level, Level::Failure);
        assert_eq!(clock_of(Time::from_millis(0), None).level, Level::Failure);
    }
}
