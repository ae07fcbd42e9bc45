//! The files of one inbox that wait, and when each is ready.
//!
//! A file is ready when it was renamed in, or when two looks at it `settle` apart show the same and nothing was told
//! in between. Knows no file system and no clock: it is told what was seen and when. At most `max` files are kept, the
//! oldest; the rest is only counted, and a later scan finds it again. `watch` asks it.

use super::stamp::{Moment, Stamp};
use crate::model::Time;
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::{OsStr, OsString},
    path::PathBuf,
    time::Duration,
};
use tokio::time::Instant;

/// A file that has changed for this many times the settling time is shown as one that does not settle.
const LONG_IN_SETTLES: u32 = 20;

/// How many files that do not settle, or could not be claimed, are named; the rest is counted.
pub(super) const NAMED_MAX: usize = 32;

/// The first wait before a file that could not be claimed is tried again. It doubles each time, up to the settings'
/// rescan.
const RETRY_MIN: Duration = Duration::from_secs(1);

/// The files that wait in one inbox, by their path under it.
#[derive(Debug)]
pub(super) struct Pending {
    settle: Duration,
    retry_max: Duration,
    max: usize,
    files: BTreeMap<OsString, Waiting>,
    /// Those that are ready, the oldest first; the same time goes by name, as bytes.
    ready: BTreeSet<(Moment, OsString)>,
    left_out: u64,
}

/// A file that waits.
#[derive(Debug)]
struct Waiting {
    stamp: Stamp,
    /// When to look again; none once it is ready.
    due: Option<Instant>,
    first_seen: (Instant, Time),
    /// How often it could not be claimed.
    refusals: u32,
}

/// How a file came to be noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Noticed {
    /// It was renamed to where it is, so it is whole.
    RenamedIn,
    /// It was made, written or just found.
    Seen,
}

/// Figures for the state.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Figures {
    pub(super) pending: u64,
    pub(super) oldest_since: Option<Time>,
    pub(super) unsettled: (u64, Vec<PathBuf>),
    pub(super) refused: (u64, Vec<PathBuf>),
}

impl Pending {
    pub(super) fn new(settle: Duration, retry_max: Duration, max: usize) -> Self {
        let (files, ready) = (BTreeMap::new(), BTreeSet::new());
        Self { settle, retry_max, max: max.max(1), files, ready, left_out: 0 }
    }

    /// A file was noticed. Says whether it is a new one.
    pub(super) fn notice(
        &mut self,
        name: OsString,
        stamp: Stamp,
        how: Noticed,
        now: (Instant, Time),
    ) -> bool {
        let whole = how == Noticed::RenamedIn;
        if let Some(known) = self.files.get(&name) {
            if whole || known.stamp != stamp {
                self.put(name, stamp, (!whole).then(|| now.0 + self.settle));
            }
            return false;
        }
        let due = (!whole).then(|| now.0 + self.settle);
        self.files.insert(name.clone(), Waiting { stamp, due, first_seen: now, refusals: 0 });
        if whole {
            self.ready.insert((stamp.modified, name));
        }
        if self.files.len() >= self.max.saturating_mul(2) {
            self.cut();
        }
        true
    }

    /// The files that should be looked at now.
    pub(super) fn due(&self, now: Instant) -> Vec<OsString> {
        let due = self.files.iter().filter(|(_, waiting)| waiting.due.is_some_and(|due| due <= now));
        due.map(|(name, _)| name.clone()).collect()
    }

    /// A file that was due was looked at. Where it is as it was, it is ready.
    pub(super) fn looked(&mut self, name: &OsStr, seen: Option<Stamp>, now: Instant) {
        match (seen, self.files.get(name)) {
            (Some(stamp), Some(known)) => {
                let due = (known.stamp != stamp).then(|| now + self.settle);
                self.put(name.to_owned(), stamp, due);
            }
            _ => self.forget(name),
        }
    }

    /// A file could not be claimed: it is tried again later. Says whether it is the first time.
    pub(super) fn refused(&mut self, name: &OsStr, now: Instant) -> bool {
        let mut is_first = false;
        if let Some(waiting) = self.files.get_mut(name) {
            is_first = waiting.refusals == 0;
            let wait = RETRY_MIN.saturating_mul(1 << waiting.refusals.min(16)).min(self.retry_max);
            waiting.refusals += 1;
            waiting.due = Some(now + wait);
            self.ready.remove(&(waiting.stamp.modified, name.to_owned()));
        }
        is_first
    }

    /// A file is gone, or claimed.
    pub(super) fn forget(&mut self, name: &OsStr) {
        if let Some(waiting) = self.files.remove(name) {
            self.ready.remove(&(waiting.stamp.modified, name.to_owned()));
        }
    }

    /// The whole inbox is gone.
    pub(super) fn forget_all(&mut self) {
        self.files.clear();
        self.ready.clear();
        self.left_out = 0;
    }

    /// The ready file that comes first.
    pub(super) fn first_ready(&self) -> Option<&(Moment, OsString)> {
        self.ready.first()
    }

    /// What a file was when it became ready.
    pub(super) fn stamp(&self, name: &OsStr) -> Option<Stamp> {
        self.files.get(name).map(|waiting| waiting.stamp)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Whether every file that was noticed is kept.
    pub(super) fn is_complete(&self) -> bool {
        self.left_out == 0
    }

    /// Whether there are files that could not be claimed.
    pub(super) fn has_refusals(&self) -> bool {
        self.files.values().any(|waiting| waiting.refusals > 0)
    }

    /// A scan of the whole inbox begins: what it leaves out is counted anew.
    pub(super) fn begin_scan(&mut self) {
        self.left_out = 0;
    }

    /// It has ended: no more than the most are kept.
    pub(super) fn end_scan(&mut self) {
        if self.files.len() > self.max {
            self.cut();
        }
    }

    /// What was first noticed or seen to change since `began` settles from `now` on, all of it together: so files that
    /// one scan finds become ready together, and go in order whatever time the scan took.
    pub(super) fn settle_together(&mut self, began: Instant, now: Instant) {
        let (since, due) = (began + self.settle, now + self.settle);
        for waiting in self.files.values_mut().filter(|waiting| waiting.refusals == 0) {
            waiting.due = waiting.due.map(|was| if was >= since { due } else { was });
        }
    }

    /// Whether files were left out and there is room for them again. Files that cannot go on do not count as room
    /// taken, or they would keep the others out.
    pub(super) fn wants_scan(&self, now: Instant) -> bool {
        let moving = || self.files.values().filter(|waiting| !self.is_stuck(waiting, now)).count();
        self.left_out > 0 && moving() <= self.max / 2
    }

    pub(super) fn figures(&self, now: Instant) -> Figures {
        let long = |waiting: &Waiting| waiting.refusals == 0 && self.is_stuck(waiting, now);
        let unsettled = || self.files.iter().filter(|(_, waiting)| long(waiting)).map(|(name, _)| name);
        let refused = || self.files.iter().filter(|(_, waiting)| waiting.refusals > 0).map(|(name, _)| name);
        let named =
            |names: &mut dyn Iterator<Item = &OsString>| names.take(NAMED_MAX).map(PathBuf::from).collect();
        Figures {
            pending: self.files.len() as u64 + self.left_out,
            oldest_since: self.files.values().map(|waiting| waiting.first_seen.1).min(),
            unsettled: (unsettled().count() as u64, named(&mut unsettled())),
            refused: (refused().count() as u64, named(&mut refused())),
        }
    }

    fn is_stuck(&self, waiting: &Waiting, now: Instant) -> bool {
        let long = self.settle.saturating_mul(LONG_IN_SETTLES);
        waiting.refusals > 0 || (waiting.due.is_some() && now.duration_since(waiting.first_seen.0) >= long)
    }

    /// Renews a known file; without a time to look again it is ready.
    fn put(&mut self, name: OsString, stamp: Stamp, due: Option<Instant>) {
        let Some(waiting) = self.files.get_mut(&name) else { return };
        let was = (waiting.stamp.modified, name);
        self.ready.remove(&was);
        waiting.stamp = stamp;
        waiting.due = due;
        if due.is_none() {
            self.ready.insert((stamp.modified, was.1));
        }
    }

    /// Leaves out all but the oldest.
    fn cut(&mut self) {
        let mut by_age: Vec<_> =
            self.files.iter().map(|(name, waiting)| (waiting.stamp.modified, name.clone())).collect();
        if by_age.len() > self.max {
            by_age.select_nth_unstable(self.max);
            for (_, name) in by_age.drain(self.max..) {
                self.forget(&name);
                self.left_out += 1;
            }
        }
    }
}
