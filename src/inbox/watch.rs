//! The watch over all inboxes as one async loop: it waits for hints, timers and room downstream, and has a [`Crew`] do
//! what touches disks, off the async threads. The service runs it.
//!
//! Pressure: files are claimed only for the places that are free in the queue, so while it is full files stay in the
//! inbox and hints are still heeded.

use super::{
    Arrivals, Claimed, InboxError, InboxState, Inboxes,
    crew::{Crew, Ended, give_back},
    hint::{Hint, listener},
    keeper::Keeper,
    names::Ignore,
};
use notify::{NullWatcher, RecommendedWatcher, Watcher};
use std::{collections::VecDeque, future::Future, pin::pin, sync::Arc};
use tokio::{
    sync::{
        Notify,
        mpsc::{self, error::TrySendError},
        watch,
    },
    task::spawn_blocking,
    time::sleep_until,
};

/// How many hints are taken in at once.
const HINTS_AT_ONCE: usize = 1024;

impl Inboxes {
    /// Watches the inboxes until `shutdown`, and sends what it claims to `out` in order of arrival. How the inboxes
    /// stand is told through `state`, which is ready when each has been looked through once, or does not answer.
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
        let ears = Ears::new(self.settings.hints_max);
        let keepers = self.ignored.iter().enumerate().filter_map(|(index, ignore)| {
            Keeper::new(self, index, ears.watcher(index, ignore), Arc::clone(&arrivals))
        });
        run(Crew::new(keepers.collect(), &self.silent, &self.settings), ears, out, state, shutdown).await
    }
}

/// Where hints come in.
pub(super) struct Ears {
    /// Kept so that the hints do not end where there is no watcher to give any.
    pub(super) speaker: mpsc::Sender<(usize, Hint)>,
    pub(super) hints: mpsc::Receiver<(usize, Hint)>,
    pub(super) lost: Arc<Notify>,
}

impl Ears {
    pub(super) fn new(hints_max: usize) -> Self {
        let (speaker, hints) = mpsc::channel(hints_max.max(1));
        Self { speaker, hints, lost: Arc::new(Notify::new()) }
    }

    /// A watcher for one inbox alone: to be told of a folder on a mount that is dead, it waits.
    fn watcher(&self, inbox: usize, ignore: &Arc<Ignore>) -> Box<dyn Watcher + Send> {
        let listen = listener(inbox, Arc::clone(ignore), self.speaker.clone(), Arc::clone(&self.lost));
        match RecommendedWatcher::new(listen, notify::Config::default()) {
            Ok(watcher) => Box::new(watcher),
            Err(error) => {
                tracing::warn!(%error, "no watcher can be started (see fs.inotify.max_user_instances); scans find what arrives");
                Box::new(NullWatcher)
            }
        }
    }
}

/// The loop. Every keeper begins with a scan that is due.
pub(super) async fn run(
    (mut crew, mut results): (Crew, mpsc::Receiver<Ended>),
    mut ears: Ears,
    out: mpsc::Sender<Claimed>,
    state: watch::Sender<InboxState>,
    shutdown: impl Future<Output = ()>,
) -> Result<(), InboxError> {
    let mut shutdown = pin!(shutdown);
    let (mut heard, mut unsent) = (Vec::new(), VecDeque::new());
    loop {
        let has_room = unsent.is_empty() && out.capacity() > 0;
        crew.set_to_work(has_room);
        if let Some(news) = crew.news() {
            tell(&state, news);
        }
        tokio::select! {
            () = &mut shutdown => break,
            _ = ears.hints.recv_many(&mut heard, HINTS_AT_ONCE) => heard.drain(..).for_each(|hint| crew.hear(hint)),
            () = ears.lost.notified() => crew.lose(),
            () = sleep_until(crew.wake(has_room)) => {}
            Some(ended) = results.recv() => {
                unsent.extend(crew.ended(ended));
                while let Some(claimed) = unsent.pop_front() {
                    if let Err(full) = out.try_send(claimed) {
                        unsent.push_front(full.into_inner());
                        break;
                    }
                }
            }
            Some(source) = crew.failure() => return Err(InboxError::Ended { source }),
            place = out.reserve(), if !unsent.is_empty() || crew.can_claim() => {
                let Ok(place) = place else { return Ok(()) };
                if let Some(claimed) = unsent.pop_front() {
                    place.send(claimed);
                } else {
                    drop(place);
                    crew.claim(out.capacity());
                }
            }
        }
    }
    unsent.extend(crew.end(results).await);
    // There is room for all of it but for what an inbox claimed late that had not answered.
    let late: Vec<Claimed> = unsent
        .into_iter()
        .filter_map(|claimed| out.try_send(claimed).err())
        .map(TrySendError::into_inner)
        .collect();
    spawn_blocking(move || give_back(&late));
    Ok(())
}

fn tell(state: &watch::Sender<InboxState>, new: InboxState) {
    state.send_if_modified(|old| {
        let is_new = *old != new;
        *old = new;
        is_new
    });
}
