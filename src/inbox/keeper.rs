//! The one who does the work of the watch, step by step: scans, heeds hints, looks at what settles, claims.
//!
//! Synchronous, and knows no queue: `watch` decides which step is next and sends on what was claimed.

use super::{
    Arrivals, Claimed, InboxState, Inboxes, Root,
    folders::WatchedFolders,
    hint::{Hint, Sign},
    names::Ignore,
    root::{Means, RootWatch},
};
use notify::Watcher;
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};
use tokio::time::Instant;

/// Files that settle are looked at this many times in a settling time, within bounds that keep the cost of looking
/// small and the delay unnoticed.
const LOOKS_A_SETTLE: u32 = 8;
const LOOK_EVERY_MIN: Duration = Duration::from_millis(5);
const LOOK_EVERY_MAX: Duration = Duration::from_millis(250);

/// All the inboxes, and what is needed to keep them.
pub(super) struct Keeper {
    roots: Vec<RootWatch>,
    folders: WatchedFolders,
    arrivals: Arc<Arrivals>,
    /// Set at a shutdown, to cut a scan short.
    stop: Arc<AtomicBool>,
    look_every: Duration,
    next_look: Instant,
    /// Whether something has happened that the state does not show yet.
    is_stale: bool,
    losses: u64,
}

/// What to do next.
#[derive(Debug)]
pub(super) enum Step {
    /// Scans what is due for a scan, and looks at what settles.
    Turn,
    /// Looks where the watcher hints.
    Heed(Vec<Hint>),
    /// Hints were lost: everything is to be scanned.
    MakeUp,
    /// Claims up to so many ready files.
    Claim(usize),
}

/// What came of a step.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) claimed: Vec<Claimed>,
    pub(super) state: Option<InboxState>,
}

impl Keeper {
    /// Everything is due for a scan.
    pub(super) fn new(inboxes: &Inboxes, watcher: Box<dyn Watcher + Send>, arrivals: Arc<Arrivals>) -> Self {
        let settings = &inboxes.settings;
        let now = Instant::now();
        let roots = settings.inboxes.iter().zip(&inboxes.ignored).enumerate();
        let watched = |(index, (root, (_, ignore))): (usize, (&Root, &(PathBuf, Arc<Ignore>)))| {
            RootWatch::new(index, (root.clone(), Arc::clone(ignore)), settings, now)
        };
        Self {
            roots: roots.map(watched).collect(),
            folders: WatchedFolders::new(watcher),
            arrivals,
            stop: Arc::new(AtomicBool::new(false)),
            look_every: (settings.settle / LOOKS_A_SETTLE).clamp(LOOK_EVERY_MIN, LOOK_EVERY_MAX),
            next_look: now,
            is_stale: true,
            losses: 0,
        }
    }

    /// When to take the next turn.
    pub(super) fn wake(&self) -> Instant {
        let is_busy = self.is_stale || self.roots.iter().any(RootWatch::has_pending);
        let wakes = self.roots.iter().map(RootWatch::wake);
        let next = wakes.chain(is_busy.then_some(self.next_look)).min();
        // Without an inbox there is nothing to wake for.
        next.unwrap_or_else(|| Instant::now() + LOOK_EVERY_MAX)
    }

    /// How many files could be claimed now.
    pub(super) fn ready_count(&self) -> usize {
        self.roots.iter().map(RootWatch::ready_count).sum()
    }

    /// Setting this ends a scan at its next entry.
    pub(super) fn stop(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop)
    }

    /// Takes one step.
    pub(super) fn take(&mut self, step: Step) -> Done {
        self.is_stale = !matches!(step, Step::Turn);
        match step {
            Step::Turn => return Done { state: Some(self.turn()), ..Done::default() },
            Step::Heed(hints) => self.heed(&hints),
            Step::MakeUp => {
                tracing::debug!("hints were lost, a scan makes up for them");
                self.losses += 1;
                self.roots.iter_mut().for_each(RootWatch::want_scan);
            }
            Step::Claim(count) => {
                // Told at once: a file that is claimed must not be seen to wait as well.
                let claimed = self.claim(count);
                return Done { claimed, state: Some(self.state()) };
            }
        }
        Done::default()
    }

    fn turn(&mut self) -> InboxState {
        let mut means = Means { folders: &mut self.folders, stop: &self.stop };
        let began = Instant::now();
        for root in &mut self.roots {
            if root.is_scan_due(began, means.folders) {
                root.scan(&mut means);
            }
        }
        let scanned = Instant::now();
        for root in &mut self.roots {
            root.settle_together(began, scanned);
            root.look();
        }
        self.next_look = Instant::now() + self.look_every;
        self.state()
    }

    fn state(&self) -> InboxState {
        let now = Instant::now();
        InboxState {
            is_ready: self.roots.iter().all(RootWatch::has_been_scanned),
            losses: self.losses,
            roots: self.roots.iter().map(|root| root.state(now)).collect(),
        }
    }

    /// A burst of the same hint for one path, as a file that is being written gives, is one hint.
    fn heed(&mut self, hints: &[Hint]) {
        let mut means = Means { folders: &mut self.folders, stop: &self.stop };
        let mut heeded: HashMap<&Path, Sign> = HashMap::new();
        for hint in hints {
            if heeded.insert(&hint.path, hint.sign) != Some(hint.sign)
                && let Some(root) = self.roots.iter_mut().find(|root| root.holds(&hint.path))
            {
                root.heed(hint, &mut means);
            }
        }
    }

    /// Claims the oldest ready files of all inboxes.
    fn claim(&mut self, count: usize) -> Vec<Claimed> {
        let mut claimed = Vec::new();
        while claimed.len() < count {
            let ready = self.roots.iter_mut().filter(|root| root.ready_count() > 0);
            let Some(next) = ready.min_by(|a, b| a.first_ready().cmp(&b.first_ready())) else { break };
            claimed.extend(next.claim_first(&self.arrivals));
        }
        claimed
    }
}
