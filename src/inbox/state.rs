//! How the inboxes stand, for `status` and for readiness. `watch` publishes it after every look and scan.

use crate::model::{Arrival, Time};
use std::path::PathBuf;

/// How all the inboxes stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InboxState {
    /// Whether every inbox that answers has been looked through once since the start.
    pub is_ready: bool,
    /// How often hints were lost and a scan took their place.
    pub losses: u64,
    /// Each inbox, in the order of the settings.
    pub roots: Vec<RootState>,
}

/// How one inbox stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootState {
    /// The inbox.
    pub path: PathBuf,
    /// How it is watched.
    pub watching: Watching,
    /// Since when what was asked of it has not been answered, as by a mount that is dead. All else here is as it was then.
    pub silent_since: Option<Time>,
    /// The arrivals whose claims lay in it when it was last looked at.
    pub claims: Vec<Arrival>,
    /// How many files wait in it, those included that are not kept in mind yet.
    pub pending: u64,
    /// Since when the file has waited that has waited longest.
    pub oldest_since: Option<Time>,
    /// How many files have been changing for long, and some of them (paths under the inbox).
    pub unsettled: (u64, Vec<PathBuf>),
    /// How many files could not be claimed, and some of them (paths under the inbox). They are tried again.
    pub refused: (u64, Vec<PathBuf>),
    /// Whether files cannot be taken out of it, for what is wrong with the inbox or its folders and not with them.
    pub is_closed: bool,
    /// How many files wait for their markers, where files have some. They are not among those that wait.
    pub unmarked: u64,
    /// How many markers have had no file for long, and one of them (a path under the inbox).
    pub lone_markers: (u64, Option<PathBuf>),
    /// The latest trouble with a file or folder, for as long as there is any.
    pub trouble: Option<String>,
    /// How many files were found only by a scan on the timer, so that no event had told of them.
    pub found_by_scan: u64,
}

impl RootState {
    /// Nothing waits, as far as is known.
    pub(super) fn new(path: PathBuf, watching: Watching) -> Self {
        Self {
            path,
            watching,
            silent_since: None,
            claims: Vec::new(),
            pending: 0,
            oldest_since: None,
            unsettled: (0, Vec::new()),
            refused: (0, Vec::new()),
            is_closed: false,
            unmarked: 0,
            lone_markers: (0, None),
            trouble: None,
            found_by_scan: 0,
        }
    }

    /// Whether it has been looked through since the start.
    pub(super) fn has_been_scanned(&self) -> bool {
        self.watching != Watching::Starting
    }
}

/// How an inbox is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Watching {
    /// It has not been looked at yet.
    Starting,
    /// Events tell what arrives, and scans on the timer make sure.
    Events,
    /// Scans alone find what arrives, as it is configured.
    Scans,
    /// Some or all of it cannot be watched, for this reason, so it is scanned often.
    Polling(String),
    /// It cannot be read, for this reason. It is looked for often.
    Unreachable(String),
}
