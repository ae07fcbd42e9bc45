//! A person's word on an article, on its way through the stages while they run.
//!
//! It takes its turn behind what was read before it, goes into the journal behind what was decided before it, and is
//! answered when it is durable: so it stands in the journal where it was heeded, and a replay does the same.

use super::read::Preparing;
use crate::model::PinEvent;
use tokio::sync::{mpsc, oneshot};

/// What the deciding stage takes, in order.
pub(super) enum Work {
    Chunk(Preparing),
    Pin(Word),
}

/// A person's word, and who waits for it to be durable; where that is dropped unsaid, nothing is known to have come of it.
#[derive(Debug)]
pub(super) struct Word {
    pub event: PinEvent,
    pub durable: oneshot::Sender<()>,
}

/// Where a person's word goes while the stages run. It does not keep them from ending.
#[derive(Clone)]
pub struct Pins(mpsc::WeakSender<Work>);

impl Pins {
    pub(super) fn into(queue: &mpsc::Sender<Work>) -> Self {
        Self(queue.downgrade())
    }

    /// Says that an article is pinned or let go, and waits until that is durable. Blocks the thread. False where the
    /// stages end first.
    pub fn pin(&self, event: PinEvent) -> bool {
        let Some(queue) = self.0.upgrade() else { return false };
        let (durable, heard) = oneshot::channel();
        let is_sent = queue.blocking_send(Work::Pin(Word { event, durable })).is_ok();
        drop(queue);
        is_sent && heard.blocking_recv().is_ok()
    }
}
