//! One inbox: its folders watched, its files settling, and what became of each attempt to claim one.
//!
//! Synchronous. Knows neither the other inboxes nor the queue. `keeper` decides when each part is done.

use super::{
    Arrivals, Claimed, InboxError, Root, RootState, Settings, Watching,
    canary::{self, Canary},
    claim::{Attempt, CLAIM, Origin, claim, work_folder},
    folders::WatchedFolders,
    hint::{Hint, Sign},
    leash::Leash,
    marker::Alone,
    names::{Ignore, display_path},
    pending::{NAMED_MAX, Noticed, Pending},
    recover::claims_in,
    scan::{Visitor, Walk},
    stamp::{Look, Moment, Stamp, is_absence, look},
};
use crate::{clock, model::Arrival};
use rustix::fs::{Access, access};
use std::{
    collections::BTreeSet,
    error::Error,
    ffi::{OsStr, OsString},
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::time::Instant;

/// How often an inbox is scanned that cannot be watched, and how often it is made sure that one that is watched is
/// still the same folder: soon enough for a person who waits.
const POLL_EVERY_MIN: Duration = Duration::from_secs(2);

/// A poll takes at most one part in so many of the time, however large the inbox.
const POLL_SHARE: u32 = 20;

/// A file's place in the order in which the ready files of all inboxes go: by time, by inbox, by name.
pub(super) type Rank = (Moment, usize, OsString);

/// One inbox under watch.
pub(super) struct RootWatch {
    index: usize,
    root: Root,
    ignore: Arc<Ignore>,
    pending: Pending,
    alone: Alone,
    canary: Canary,
    watching: Watching,
    trouble: Option<String>,
    /// How many files the log has named since there is some.
    refused_named: usize,
    /// Whether the last file that was to be claimed could not be moved.
    is_closed: bool,
    found_by_scan: u64,
    rescan: Duration,
    /// When to make sure that the inbox is still the folder that is watched. The kernel tells of its removal only
    /// once nothing in it is open, and of a mount over it never.
    check_due: Instant,
    /// When the timer asks for a scan.
    scan_due: Instant,
    /// When a scan may begin that something else asks for.
    scan_free: Instant,
    is_scan_wanted: bool,
}

/// What an inbox is looked after with.
pub(super) struct Means<'a> {
    pub(super) folders: &'a mut WatchedFolders,
    pub(super) leash: &'a Leash,
}

impl RootWatch {
    pub(super) fn new(
        index: usize,
        (root, ignore): (Root, Arc<Ignore>),
        settings: &Settings,
        now: Instant,
    ) -> Self {
        Self {
            index,
            root,
            ignore,
            pending: Pending::new(settings.settle, settings.rescan, settings.pending_max),
            alone: Alone::at_most(settings.pending_max),
            canary: Canary::default(),
            watching: Watching::Starting,
            trouble: None,
            refused_named: 0,
            is_closed: false,
            found_by_scan: 0,
            rescan: settings.rescan,
            check_due: now,
            scan_due: now,
            scan_free: now,
            is_scan_wanted: false,
        }
    }

    pub(super) fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// The ready file that comes first, in the order in which files of all inboxes go.
    pub(super) fn first_ready(&self) -> Option<Rank> {
        self.pending.first_ready().map(|(modified, name)| (*modified, self.index, name.clone()))
    }

    /// When the inbox is to be looked after next, whatever happens in it.
    pub(super) fn wake(&self) -> Instant {
        self.next_scan().min(self.check_due)
    }

    fn next_scan(&self) -> Instant {
        if self.is_scan_wanted { self.scan_free.min(self.scan_due) } else { self.scan_due }
    }

    /// Whether a scan is to begin.
    pub(super) fn is_scan_due(&mut self, now: Instant, folders: &mut WatchedFolders) -> bool {
        if self.canary.falls_silent(&self.root.path, folders, now) && self.watching == Watching::Events {
            self.now_watched(Watching::Polling(canary::NOT_HEARD.to_owned()));
            self.want_scan();
        }
        if now >= self.check_due {
            self.check_due = now + POLL_EVERY_MIN;
            if self.watching == Watching::Events && !folders.is_still(&self.root.path) {
                self.want_scan();
            }
        }
        self.next_scan() <= now
    }

    pub(super) fn want_scan(&mut self) {
        self.is_scan_wanted = true;
    }

    /// Hints were lost: everything is to be scanned.
    pub(super) fn make_up(&mut self) {
        self.canary.lose();
        self.want_scan();
    }

    /// Looks through the whole inbox, and watches what is not watched yet.
    pub(super) fn scan(&mut self, means: &mut Means<'_>) {
        let began = Instant::now();
        if !means.folders.is_still(&self.root.path) {
            self.canary = Canary::Due;
        }
        // A scan that has another cause finds what nobody had to tell of.
        let makes_sure =
            self.watching == Watching::Events && !self.is_scan_wanted && self.pending.is_complete();
        self.pending.begin_scan();
        self.alone.clear();
        let files = (&mut self.pending, &mut self.alone);
        let mut round = Round::new(&self.root, files, means.folders, false);
        let walk = Walk { ignore: &self.ignore, leash: means.leash };
        let walked = walk.run(&self.root.path, &mut round);
        let Round { mut visited, new_files, not_armed, unreadable, .. } = round;
        if means.leash.is_pulled() {
            return;
        }
        self.pending.end_scan();
        self.alone.tell(&self.root.path, clock::now());
        match walked {
            Ok(()) => {
                if self.canary.is_sent() {
                    visited.insert(work_folder(&self.root.path));
                }
                means.folders.disarm_all_but(&self.root.path, &visited);
                let is_armed = self.root.by_events && not_armed.is_none();
                if is_armed && !self.ignore.name(OsStr::new(canary::NAME)) {
                    self.canary.send(&self.root.path, means.folders, Instant::now());
                }
                let not_heard = self.canary.is_not_heard().then(|| canary::NOT_HEARD.to_owned());
                let by_itself = if self.root.by_events { Watching::Events } else { Watching::Scans };
                self.now_watched(not_armed.or(not_heard).map_or(by_itself, Watching::Polling));
            }
            Err(error) => {
                means.folders.disarm(&self.root.path);
                self.pending.forget_all();
                self.now_watched(Watching::Unreachable(error.to_string()));
            }
        }
        if makes_sure {
            self.found_by_scan += new_files;
        }
        self.now_troubled(unreadable);
        self.plan_scans(began);
    }

    fn plan_scans(&mut self, began: Instant) {
        let now = Instant::now();
        let took = now - began;
        let poll = POLL_EVERY_MIN.max(took * POLL_SHARE);
        let every = if self.watching == Watching::Events { self.rescan } else { poll.min(self.rescan) };
        self.is_scan_wanted = false;
        self.scan_due = now + every;
        // Under a flood of hints half of the time is left for everything else.
        self.scan_free = now + took;
    }

    /// What was found since `began` is to become ready together.
    pub(super) fn settle_together(&mut self, began: Instant, now: Instant) {
        self.pending.settle_together(began, now);
    }

    /// Looks where the watcher hints.
    pub(super) fn heed(&mut self, hint: &Hint, means: &mut Means<'_>) {
        let Ok(name) = hint.path.strip_prefix(&self.root.path) else { return };
        if name.as_os_str().is_empty() {
            if hint.sign == Sign::Left {
                means.folders.disarm(&self.root.path);
                self.want_scan();
            }
            return;
        }
        if self.canary.hears(&hint.path, &self.root.path, means.folders) {
            if matches!(&self.watching, Watching::Polling(why) if why == canary::NOT_HEARD) {
                self.now_watched(Watching::Events);
            }
            return;
        }
        if self.ignore.path(name) {
            return;
        }
        let is_armed = means.folders.is_armed(&hint.path);
        match hint.sign {
            Sign::Left if !is_armed => {}
            Sign::Left => {
                means.folders.disarm(&hint.path);
                self.scan_folder(&hint.path, means);
            }
            Sign::FolderMade => self.scan_folder(&hint.path, means),
            Sign::Touched | Sign::Arrived => match look(&hint.path) {
                Ok(Look::Folder) if is_armed && hint.sign == Sign::Touched => {}
                Ok(Look::Folder) => self.scan_folder(&hint.path, means),
                Ok(Look::File(stamp)) => {
                    let how = if hint.sign == Sign::Arrived { Noticed::RenamedIn } else { Noticed::Seen };
                    let files = (&mut self.pending, &mut self.alone);
                    Round::new(&self.root, files, means.folders, false).file(&hint.path, stamp, how);
                }
                Ok(Look::Nothing) => {
                    self.pending.forget(name.as_os_str());
                    self.alone.forget(name);
                }
                Err(_) => self.want_scan(),
            },
        }
    }

    /// Looks through one folder of the inbox, all of it new to the watcher.
    fn scan_folder(&mut self, folder: &Path, means: &mut Means<'_>) {
        let began = Instant::now();
        let files = (&mut self.pending, &mut self.alone);
        let mut round = Round::new(&self.root, files, means.folders, true);
        let walked = Walk { ignore: &self.ignore, leash: means.leash }.run(folder, &mut round);
        let Round { not_armed, mut unreadable, .. } = round;
        self.settle_together(began, Instant::now());
        if let Some(why) = not_armed {
            self.now_watched(Watching::Polling(why));
            self.want_scan();
        }
        if let Err(error) = walked
            && !is_absence(&error)
        {
            unreadable = Some(not_readable(folder, &error));
        }
        if unreadable.is_some() {
            self.now_troubled(unreadable);
        }
    }

    /// Looks at what settles, and finds out whether there is room for what was left out.
    pub(super) fn look(&mut self, leash: &Leash) {
        for name in self.pending.due(Instant::now()) {
            if !leash.goes_on() {
                return;
            }
            match look(&self.root.path.join(&name)) {
                Ok(Look::File(stamp)) => self.pending.looked(&name, Some(stamp), Instant::now()),
                Ok(Look::Nothing | Look::Folder) => self.pending.looked(&name, None, Instant::now()),
                Err(error) => {
                    self.now_refused(&name, not_readable(&self.root.path.join(&name), &error));
                }
            }
        }
        if self.pending.wants_scan(Instant::now()) {
            self.want_scan();
        }
    }

    /// Claims the ready file that comes first, if it is still there and as it was.
    pub(super) fn claim_first(&mut self, arrivals: &Arrivals) -> Option<Claimed> {
        let (_, name) = self.pending.first_ready()?.clone();
        let ready = self.pending.stamp(&name)?;
        let (source, marker) = (self.root.source.as_ref(), self.root.marker.as_ref());
        let path = self.root.path.join(&name);
        if marker.is_some_and(|marker| matches!(marker.is_beside(&path), Ok(false))) {
            // Whoever has taken the marker away again wants the file to wait.
            self.pending.forget(&name);
            self.alone.file(Path::new(&name));
            return None;
        }
        let origin = Origin { inbox: &self.root.path, name: Path::new(&name), source, marker };
        match claim(origin, &ready, arrivals) {
            Attempt::Claimed(claimed) => {
                self.pending.forget(&name);
                self.is_closed = false;
                // Whether that was all the trouble there is, a scan tells.
                if self.trouble.is_some() && !self.pending.has_refusals() {
                    self.want_scan();
                }
                return Some(claimed);
            }
            Attempt::Vanished => self.pending.forget(&name),
            Attempt::Changed(stamp) => {
                self.pending.notice(name, stamp, Noticed::Seen, (Instant::now(), clock::now()));
            }
            Attempt::Refused(error) => {
                self.is_closed = self.refuses_all(&error);
                let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
                self.now_refused(&name, format!("{error}{cause}"));
            }
        }
        None
    }

    /// Whether what kept one file from being claimed keeps all. A folder whose files may not be moved keeps its own alone.
    fn refuses_all(&self, error: &InboxError) -> bool {
        let InboxError::Io { what: CLAIM, source, .. } = error else { return false };
        let folders = [self.root.path.clone(), work_folder(&self.root.path)];
        let is_open = |folder: &PathBuf| access(folder, Access::WRITE_OK | Access::EXEC_OK).is_ok();
        source.kind() != io::ErrorKind::PermissionDenied || !folders.iter().all(is_open)
    }

    /// The arrivals whose claims lie in it now.
    pub(super) fn claims(&self) -> Vec<Arrival> {
        claims_in(&self.root.path)
    }

    pub(super) fn state(&self, now: Instant, claims: Vec<Arrival>) -> RootState {
        let figures = self.pending.figures(now);
        RootState {
            claims,
            pending: figures.pending,
            oldest_since: figures.oldest_since,
            unsettled: figures.unsettled,
            is_closed: self.is_closed && figures.refused.0 > 0,
            refused: figures.refused,
            unmarked: self.alone.unmarked(),
            lone_markers: self.alone.markers_for_long(clock::now()),
            trouble: self.trouble.clone(),
            found_by_scan: self.found_by_scan,
            ..RootState::new(self.root.path.clone(), self.watching.clone())
        }
    }

    /// Says once what has changed about how the inbox is watched.
    fn now_watched(&mut self, watching: Watching) {
        if std::mem::discriminant(&watching) != std::mem::discriminant(&self.watching) {
            let inbox = display_path(&self.root.path);
            match &watching {
                Watching::Starting => {}
                Watching::Events => tracing::info!(inbox, "the inbox is watched"),
                Watching::Scans => tracing::info!(inbox, "the inbox is scanned often, as it is configured"),
                Watching::Polling(why) => {
                    tracing::warn!(inbox, why, "the inbox cannot be watched, so it is scanned often");
                }
                Watching::Unreachable(why) => {
                    tracing::warn!(inbox, why, "the inbox cannot be read, and is waited for");
                }
            }
        }
        self.watching = watching;
    }

    /// Keeps a file for later that cannot be taken. The log names each once, as many as `status` does; what keeps all of an inbox
    /// is said of the first.
    fn now_refused(&mut self, name: &OsStr, why: String) {
        let is_new = self.pending.refused(name, Instant::now());
        if self.trouble.is_none() {
            self.refused_named = 1;
        } else if is_new && !self.is_closed && self.refused_named < NAMED_MAX {
            self.refused_named += 1;
            let inbox = display_path(&self.root.path);
            tracing::warn!(inbox, trouble = why, "another file cannot be taken, and is tried again");
        }
        self.now_troubled(Some(why));
    }

    /// Says trouble once, until there is none any more.
    fn now_troubled(&mut self, trouble: Option<String>) {
        match &trouble {
            Some(trouble) if self.trouble.is_none() => {
                tracing::warn!(
                    inbox = display_path(&self.root.path),
                    trouble,
                    "something in the inbox cannot be taken, and is tried again"
                );
            }
            None if self.trouble.is_none() || self.pending.has_refusals() => return,
            None => tracing::info!(
                inbox = display_path(&self.root.path),
                "everything in the inbox can be taken again"
            ),
            Some(_) => {}
        }
        self.trouble = trouble;
    }
}

/// One walk through an inbox, or a folder of it.
struct Round<'a> {
    root: &'a Root,
    pending: &'a mut Pending,
    alone: &'a mut Alone,
    folders: &'a mut WatchedFolders,
    /// Whether folders are armed even if they seem to be.
    anew: bool,
    visited: BTreeSet<PathBuf>,
    new_files: u64,
    /// Why a folder could not be watched. Once one could not, the walk does not try the others.
    not_armed: Option<String>,
    unreadable: Option<String>,
}

impl<'a> Round<'a> {
    fn new(
        root: &'a Root,
        (pending, alone): (&'a mut Pending, &'a mut Alone),
        folders: &'a mut WatchedFolders,
        anew: bool,
    ) -> Self {
        let (visited, not_armed, unreadable) = (BTreeSet::new(), None, None);
        Self { root, pending, alone, folders, anew, visited, new_files: 0, not_armed, unreadable }
    }

    /// A file is there, or a marker, which brings its file along.
    fn file(&mut self, path: &Path, stamp: Stamp, how: Noticed) {
        let Ok(name) = path.strip_prefix(&self.root.path) else { return };
        let Some(marker) = &self.root.marker else { return self.notice(name, stamp, how) };
        if let (Some(file), Some(name_of_file)) = (marker.file_of(path), marker.file_of(name)) {
            match look(file) {
                Ok(Look::File(stamp)) => {
                    self.alone.forget(name_of_file);
                    self.notice(name_of_file, stamp, Noticed::Seen);
                }
                _ => self.alone.marker(name, stamp.modified),
            }
        } else if matches!(marker.is_beside(path), Ok(true)) {
            self.alone.forget(&marker.of(name));
            self.notice(name, stamp, how);
        } else {
            self.alone.file(name);
        }
    }

    fn notice(&mut self, name: &Path, stamp: Stamp, how: Noticed) {
        let is_new = self.pending.notice(name.into(), stamp, how, (Instant::now(), clock::now()));
        self.new_files += u64::from(is_new);
    }
}

impl Visitor for Round<'_> {
    fn enter(&mut self, folder: &Path) {
        if self.root.by_events && self.not_armed.is_none() {
            match self.folders.arm(folder, self.anew) {
                Ok(()) => {}
                // The walk finds that by itself, and the others can be watched.
                Err(error) if is_gone_or_closed(&error) => {}
                Err(error) => self.not_armed = Some(not_watchable(&error)),
            }
        }
        self.visited.insert(folder.to_owned());
    }

    fn found(&mut self, path: PathBuf, stamp: Stamp) {
        self.file(&path, stamp, Noticed::Seen);
    }

    fn unreadable(&mut self, folder: &Path, error: &io::Error) {
        self.unreadable = Some(not_readable(folder, error));
    }
}

fn not_readable(path: &Path, error: &io::Error) -> String {
    format!("cannot look at '{}': {error}", display_path(path))
}

fn is_gone_or_closed(error: &notify::Error) -> bool {
    match &error.kind {
        notify::ErrorKind::PathNotFound => true,
        notify::ErrorKind::Io(cause) => cause.kind() == io::ErrorKind::PermissionDenied,
        _ => false,
    }
}

/// The system calls its limit on watches a full disk, and notify a limit; the operator needs its name.
fn not_watchable(error: &notify::Error) -> String {
    match error.kind {
        notify::ErrorKind::MaxFilesWatch => {
            "the system's limit on watched folders is reached: raise fs.inotify.max_user_watches".to_owned()
        }
        _ => error.to_string(),
    }
}
