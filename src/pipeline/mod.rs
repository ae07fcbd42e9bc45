//! The way of the data: the stages in their order, wired with bounded queues.
//!
//! ```text
//! jobs -> read -> prepare -> detect -> commit -> dispose
//!         (files   (decode,   (in       (pack,    (inbox file
//!          into     normalize, order)    journal,  removed or
//!          items)   measure)             view)     set aside)
//! ```
//!
//! Only this module knows the order. `read`, `detect`, `commit` and `dispose` are one thread each; `prepare`
//! runs a piece of work a chunk on as many cores as there are and hands on in order of arrival. When a queue is
//! full the stage before it waits, and so at last the inbox, where files simply lie. When the jobs end, each
//! stage drains and ends. An error ends its stage, and with it the others; what was not committed is still in
//! the inbox. `service` runs the stages; this module spawns nothing but the pieces of `prepare`.

mod commit;
mod decide;
mod dispose;
mod handed;
mod job;
mod large;
mod open;
mod patience;
mod prepare;
mod progress;
mod put_off;
mod read;
mod recent;
mod requeue;
mod tally;
mod word;

pub use handed::Handed;
pub use job::{ArticleTimes, Committed, Job, Origin, Resume};
pub use open::{
    Numbers, OpenError, Opened, Resumed, begin_anew, is_gone, lacks_originals, open, open_to_read, rebuild,
    resume,
};
pub use patience::Room;
pub use progress::{CommitPart, Progress, StageName, paused};
pub use requeue::{Kept, Listed, Places, Requeued, Unread, Which, requeue, unread};
pub use tally::Tally;
pub use word::Words;

use crate::{
    encode::Encoder,
    format,
    inbox::{FailedDir, InboxError, is_transient},
    journal::JournalError,
    store::{Store, StoreError},
};
use patience::Patience;
use put_off::PutOff;
use std::{
    error::Error,
    iter::successors,
    sync::{Arc, atomic::AtomicBool},
};
use tokio::sync::mpsc;

/// Pieces of work that may wait between two stages: enough that no core waits for another, few enough that what is in
/// memory stays small (one is some 128 KiB of articles, or of small files).
const CHUNKS_WAITING: usize = 16;
/// Chunks that may wait for a commit. They are what the next group is made of: with 16 of them 20,000 small files
/// took 1,200 groups, each with its syncs; a group that may be larger makes up for a slow disk by itself.
const DECIDED_WAITING: usize = 256;

/// Why the pipeline stopped. None of it loses anything.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The journal or a pack cannot be written.
    #[error("what was decided cannot be made durable")]
    Journal(#[from] JournalError),
    /// The view cannot be read or written.
    #[error("the view cannot be used")]
    Store(#[from] StoreError),
    /// A finished or failed file cannot be taken out of the way.
    #[error("a file cannot be taken out of the inbox")]
    Inbox(#[from] InboxError),
    /// A stage panicked.
    #[error("the stage '{stage}' ended unexpectedly: {what}")]
    Stage {
        /// Which.
        stage: &'static str,
        /// What it said.
        what: String,
    },
    /// A reason could not be written down.
    #[error("a reason cannot be written as JSON")]
    Reason(#[from] serde_json::Error),
}

impl PipelineError {
    /// Whether the same may succeed later with nobody touching the files. sled cannot go on after an error: that is mended
    /// by a start.
    fn is_transient(&self) -> bool {
        match self {
            Self::Journal(JournalError::Io { source, .. } | JournalError::Source { source }) => {
                is_transient(source)
            }
            Self::Inbox(error) => error.is_transient(),
            _ => false,
        }
    }
}

/// An error with its causes.
fn in_a_sentence(error: &PipelineError) -> String {
    let causes = successors(Some(error as &dyn Error), |error| (*error).source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// One stage: run it on a thread that may block. It ends when its queue does.
pub struct Stage {
    /// Its name, for logs and errors.
    pub name: &'static str,
    /// Its work.
    pub run: Box<dyn FnOnce() -> Result<(), PipelineError> + Send>,
}

/// What the stages need.
pub struct Parts {
    /// The store as [`open()`] left it.
    pub opened: Opened,
    /// Where failed files go.
    pub failed: FailedDir,
    /// How files are read.
    pub reading: format::Settings,
    /// How many articles are made durable at once.
    pub group_articles_max: usize,
    /// What is counted as it happens.
    pub progress: Arc<Progress>,
    /// Set to have claimed files left where they are, so that the stages end soon.
    pub stop: Arc<AtomicBool>,
    /// What must be free on disk.
    pub room: Room,
    /// Whether what keeps all from being made durable, as a full disk, is waited for; else it is an error.
    pub waits: bool,
    /// The sentence encoder, where one is configured.
    pub encoder: Option<Encoder>,
}

/// The stages, wired.
pub struct Wired {
    /// Where to put the jobs; when that is dropped, the stages end.
    pub jobs: mpsc::Sender<Job>,
    /// Where to put what an earlier run was done with. It does not keep the stages from ending.
    pub finished: mpsc::WeakSender<Committed>,
    /// Where to put a person's word.
    pub words: Words,
    /// The stages, last first.
    pub stages: Vec<Stage>,
    /// The view, which can be read while they run.
    pub store: Arc<Store>,
}

/// Wires the stages.
pub fn stages(parts: Parts) -> Wired {
    let (jobs, jobs_in) = mpsc::channel(CHUNKS_WAITING);
    let (prepared, prepared_in) = mpsc::channel(CHUNKS_WAITING);
    let (decided, decided_in) = mpsc::channel(DECIDED_WAITING);
    let (committed, committed_in) = mpsc::channel(DECIDED_WAITING);
    let Opened { store, journal, packs, detector, .. } = parts.opened;
    let store = Arc::new(store);
    let (waits, progress, stop) = (parts.waits, Arc::clone(&parts.progress), parts.stop);
    let patience = Patience { room: waits.then(|| parts.room.clone()), progress, stop: Arc::clone(&stop) };
    let reader = read::Reader {
        originals: packs.folder().to_owned(),
        room: parts.room,
        settings: Arc::new(parts.reading),
        progress: Arc::clone(&parts.progress),
        stop: Arc::clone(&stop),
        encoder: parts.encoder.map(Arc::new),
    };
    let decider = decide::Decider::new(detector, Arc::clone(&store), Arc::clone(&parts.progress));
    let committer = commit::Committer {
        packs,
        journal,
        store: Arc::clone(&store),
        failed: parts.failed.clone(),
        group_articles_max: parts.group_articles_max,
        patience: Arc::new(patience),
        progress: Arc::clone(&parts.progress),
        later: PutOff::new(StageName::Commit, Arc::clone(&parts.progress), Arc::clone(&stop)),
    };
    let disposer = dispose::Disposer { failed: parts.failed, progress: parts.progress, waits, stop };
    let finished = committed.downgrade();
    let words = Words::into(&prepared);
    let stages = vec![
        stage("dispose", move || disposer.run(committed_in)),
        stage("commit", move || committer.run(decided_in, &committed)),
        stage("detect", move || decider.run(prepared_in, &decided)),
        stage("read", move || {
            reader.run(jobs_in, &prepared);
            Ok(())
        }),
    ];
    Wired { jobs, finished, words, stages, store }
}

fn stage(name: &'static str, run: impl FnOnce() -> Result<(), PipelineError> + Send + 'static) -> Stage {
    Stage { name, run: Box::new(run) }
}
