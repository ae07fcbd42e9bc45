//! The one who does the work of the watch on one inbox, step by step: scans, heeds hints, looks at what settles, claims.
//!
//! Synchronous, and knows neither the other inboxes nor any queue: `watch` decides which step is next and sends on what
//! was claimed. A step waits for as long as its inbox does not answer.

use super::{
    Arrivals, Claimed, Inboxes, RootState,
    folders::WatchedFolders,
    hint::{Hint, Sign},
    leash::Leash,
    root::{Means, Rank, RootWatch},
};
use notify::Watcher;
use std::{collections::HashMap, path::Path, sync::Arc, time::Duration};
use tokio::time::Instant;

/// Files that settle are looked at this many times in a settling time, within bounds that keep the cost of looking
/// small and the delay unnoticed.
const LOOKS_A_SETTLE: u32 = 8;
const LOOK_EVERY_MIN: Duration = Duration::from_millis(5);
const LOOK_EVERY_MAX: Duration = Duration::from_millis(250);

/// An inbox, and what is needed to keep it.
pub(super) struct Keeper {
    root: RootWatch,
    folders: WatchedFolders,
    arrivals: Arc<Arrivals>,
    leash: Arc<Leash>,
    look_every: Duration,
    next_look: Instant,
    /// Whether something has happened that the state does not show yet.
    is_stale: bool,
}

/// What to do next.
#[derive(Debug)]
pub(super) enum Step {
    /// Scans where a scan is due, and looks at what settles.
    Turn,
    /// Looks where the watcher hints.
    Heed(Vec<Hint>),
    /// Claims up to so many ready files, and only those that come before this one.
    Claim(usize, Option<Rank>),
}

/// What came of a step.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) claimed: Vec<Claimed>,
    pub(super) has_scanned: bool,
    pub(super) state: Option<RootState>,
}

impl Keeper {
    /// The inbox at this place of the settings. It is due for a scan.
    pub(super) fn new(
        inboxes: &Inboxes,
        index: usize,
        watcher: Box<dyn Watcher + Send>,
        arrivals: Arc<Arrivals>,
    ) -> Option<Self> {
        let settings = &inboxes.settings;
        let now = Instant::now();
        let root = (settings.inboxes.get(index)?.clone(), Arc::clone(inboxes.ignored.get(index)?));
        Some(Self {
            root: RootWatch::new(index, root, settings, now),
            folders: WatchedFolders::new(watcher),
            arrivals,
            leash: Arc::new(Leash::new()),
            look_every: (settings.settle / LOOKS_A_SETTLE).clamp(LOOK_EVERY_MIN, LOOK_EVERY_MAX),
            next_look: now,
            is_stale: true,
        })
    }

    /// When to take the next turn.
    pub(super) fn wake(&self) -> Instant {
        let is_busy = self.is_stale || self.root.has_pending();
        if is_busy { self.root.wake().min(self.next_look) } else { self.root.wake() }
    }

    /// The file that could be claimed first.
    pub(super) fn first_ready(&self) -> Option<Rank> {
        self.root.first_ready()
    }

    /// What every step is held by.
    pub(super) fn leash(&self) -> Arc<Leash> {
        Arc::clone(&self.leash)
    }

    /// Takes one step.
    pub(super) fn take(&mut self, step: Step) -> Done {
        self.is_stale = !matches!(step, Step::Turn);
        match step {
            Step::Turn => return self.turn(),
            Step::Heed(hints) => self.heed(&hints),
            Step::Claim(count, before) => {
                // Told at once: a file that is claimed must not be seen to wait as well.
                let claimed = self.claim(count, before.as_ref());
                return Done { claimed, state: Some(self.state()), ..Done::default() };
            }
        }
        Done::default()
    }

    /// Hints were lost: everything is to be scanned.
    pub(super) fn make_up(&mut self) {
        self.root.make_up();
    }

    /// What was found since `began` is to become ready together.
    pub(super) fn settle_together(&mut self, began: Instant, now: Instant) {
        self.root.settle_together(began, now);
    }

    /// How the inbox stands before anything was asked of it.
    pub(super) fn first_state(&self) -> RootState {
        self.root.state(Instant::now(), Vec::new())
    }

    fn turn(&mut self) -> Done {
        let mut means = Means { folders: &mut self.folders, leash: &self.leash };
        let began = Instant::now();
        let has_scanned = self.root.is_scan_due(began, means.folders);
        if has_scanned {
            self.root.scan(&mut means);
        }
        self.root.settle_together(began, Instant::now());
        self.root.look(&self.leash);
        self.next_look = Instant::now() + self.look_every;
        Done { has_scanned, state: Some(self.state()), ..Done::default() }
    }

    fn state(&self) -> RootState {
        let claims = self.root.claims();
        // What an earlier run had claimed must not be covered by a claim of this one.
        if let Some(last) = claims.iter().max() {
            self.arrivals.skip(*last);
        }
        self.root.state(Instant::now(), claims)
    }

    /// A burst of the same hint for one path, as a file that is being written gives, is one hint.
    fn heed(&mut self, hints: &[Hint]) {
        let mut means = Means { folders: &mut self.folders, leash: &self.leash };
        let mut heeded: HashMap<&Path, Sign> = HashMap::new();
        for hint in hints {
            if !means.leash.goes_on() {
                return;
            }
            if heeded.insert(&hint.path, hint.sign) != Some(hint.sign) {
                self.root.heed(hint, &mut means);
            }
        }
    }

    /// Claims the oldest ready files.
    fn claim(&mut self, count: usize, before: Option<&Rank>) -> Vec<Claimed> {
        let mut claimed = Vec::new();
        while claimed.len() < count && self.leash.goes_on() {
            let Some(first) = self.root.first_ready() else { break };
            if before.is_some_and(|before| first > *before) {
                break;
            }
            claimed.extend(self.root.claim_first(&self.arrivals));
        }
        claimed
    }
}
