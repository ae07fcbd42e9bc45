//! The watch over all inboxes as one async loop: it waits for hints, timers and room downstream, and has a [`Keeper`]
//! do what touches the disk, off the async threads. The service runs it.
//!
//! Pressure: a file is claimed only once its place in the queue is reserved, so while the queue is full files stay
//! in the inbox and hints are still heeded.

use super::{
    Arrivals, Claimed, InboxError, InboxState, Inboxes,
    hint::{Hint, listener},
    keeper::{Done, Keeper, Step},
    recover,
};
use notify::{NullWatcher, RecommendedWatcher, Watcher};
use std::{
    future::Future,
    iter,
    pin::{Pin, pin},
    sync::{Arc, atomic::Ordering},
};
use tokio::{
    sync::{Notify, mpsc, watch},
    task::spawn_blocking,
    time::sleep_until,
};

/// How many hints are heeded in one step, and how many files claimed: some milliseconds of work, so that the one does
/// not keep the other waiting, nor either a shutdown.
const HINTS_A_STEP: usize = 1024;
const CLAIMS_A_STEP: usize = 64;

impl Inboxes {
    /// Watches the inboxes until `shutdown`, and sends what it claims to `out` in order of arrival. How the inboxes
    /// stand is told through `state`, which is ready when each has been looked through once.
    ///
    /// At a shutdown nothing more is claimed and everything claimed has been sent, also when `out` is full. It
    /// also ends when nobody receives from `out` any longer.
    pub async fn watch(
        &self,
        arrivals: Arc<Arrivals>,
        out: mpsc::Sender<Claimed>,
        state: watch::Sender<InboxState>,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), InboxError> {
        if let Some(last) = recover::last_arrival(&self.settings.inboxes)? {
            arrivals.skip(last);
        }
        let ears = Ears::new(self.settings.hints_max);
        let listen = listener(self.ignored.clone(), ears.speaker.clone(), Arc::clone(&ears.lost));
        let watcher: Box<dyn Watcher + Send> = match RecommendedWatcher::new(
            listen,
            notify::Config::default(),
        ) {
            Ok(watcher) => Box::new(watcher),
            Err(error) => {
                tracing::warn!(%error, "no watcher can be started (see fs.inotify.max_user_instances); scans find what arrives");
                Box::new(NullWatcher)
            }
        };
        run(Keeper::new(self, watcher, arrivals), ears, out, state, shutdown).await
    }
}

/// Where hints come in.
pub(super) struct Ears {
    /// Kept so that the hints do not end where there is no watcher to give any.
    pub(super) speaker: mpsc::Sender<Hint>,
    pub(super) hints: mpsc::Receiver<Hint>,
    pub(super) lost: Arc<Notify>,
}

impl Ears {
    pub(super) fn new(hints_max: usize) -> Self {
        let (speaker, hints) = mpsc::channel(hints_max.max(1));
        Self { speaker, hints, lost: Arc::new(Notify::new()) }
    }
}

/// The loop. The keeper begins with everything to scan, so the first turn does that.
pub(super) async fn run(
    mut keeper: Keeper,
    mut ears: Ears,
    out: mpsc::Sender<Claimed>,
    state: watch::Sender<InboxState>,
    shutdown: impl Future<Output = ()>,
) -> Result<(), InboxError> {
    let mut shutdown = pin!(shutdown);
    let mut heard = Vec::new();
    loop {
        let mut permits = None;
        let step = tokio::select! {
            () = &mut shutdown => return Ok(()),
            _ = ears.hints.recv_many(&mut heard, HINTS_A_STEP) => Step::Heed(std::mem::take(&mut heard)),
            () = ears.lost.notified() => Step::MakeUp,
            () = sleep_until(keeper.wake()) => Step::Turn,
            permit = out.reserve(), if keeper.ready_count() > 0 => {
                let Ok(first) = permit else { return Ok(()) };
                let more = keeper.ready_count().min(CLAIMS_A_STEP).saturating_sub(1).min(out.capacity());
                // Another sender may have been quicker; then one place has to do.
                let more = out.try_reserve_many(more).ok().into_iter().flatten();
                let places: Vec<_> = iter::once(first).chain(more).collect();
                let step = Step::Claim(places.len());
                permits = Some(places);
                step
            }
        };
        let (kept, done, is_over) = take_step(keeper, step, shutdown.as_mut()).await?;
        keeper = kept;
        for (place, claimed) in permits.into_iter().flatten().zip(done.claimed) {
            place.send(claimed);
        }
        if let Some(new) = done.state {
            state.send_if_modified(|old| {
                *old != new && {
                    *old = new;
                    true
                }
            });
        }
        if is_over {
            return Ok(());
        }
    }
}

/// Takes one step off the async threads. A shutdown cuts a scan short, but is not let through before the step has
/// ended, so that nothing is claimed and then forgotten.
async fn take_step(
    mut keeper: Keeper,
    step: Step,
    mut shutdown: Pin<&mut impl Future<Output = ()>>,
) -> Result<(Keeper, Done, bool), InboxError> {
    let stop = keeper.stop();
    let mut work = spawn_blocking(move || {
        let done = keeper.take(step);
        (keeper, done)
    });
    let (ended, is_over) = tokio::select! {
        ended = &mut work => (ended, false),
        () = &mut shutdown => {
            stop.store(true, Ordering::Relaxed);
            (work.await, true)
        }
    };
    let (keeper, done) = ended.map_err(|source| InboxError::Ended { source })?;
    Ok((keeper, done, is_over))
}
