//! What a person says, on its way through the stages while they run: an article pinned, a file put back.
//!
//! It takes its turn behind what was read before it, goes into the journal behind what was decided before it, and is
//! answered when it is durable: so it stands in the journal where it was heeded, and a replay does the same.

use super::read::Preparing;
use crate::model::Event;
use tokio::sync::{mpsc, oneshot};

/// What the deciding stage takes, in order.
pub(super) enum Work {
    Chunks(Preparing),
    Word(Word),
}

/// A person's word, and who waits for it to be durable; where that is dropped unsaid, nothing is known to have come of it.
#[derive(Debug)]
pub(super) struct Word {
    pub events: Vec<Event>,
    pub durable: oneshot::Sender<()>,
}

/// Where a person's word goes while the stages run. It does not keep them from ending.
#[derive(Clone)]
pub struct Words(mpsc::WeakSender<Work>);

impl Words {
    pub(super) fn into(queue: &mpsc::Sender<Work>) -> Self {
        Self(queue.downgrade())
    }

    /// Says this, and waits until it is durable. Blocks the thread. False where the stages end first.
    pub fn say(&self, events: Vec<Event>) -> bool {
        let Some(queue) = self.0.upgrade() else { return false };
        let (durable, heard) = oneshot::channel();
        let is_sent = queue.blocking_send(Work::Word(Word { events, durable })).is_ok();
        drop(queue);
        is_sent && heard.blocking_recv().is_ok()
    }
}
