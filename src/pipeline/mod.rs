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
mod job;
mod open;
mod pin;
mod prepare;
mod read;
mod recent;

pub use job::{ArticleTimes, Job, Origin, Resume};
pub use open::{OpenError, Opened, open, open_to_read, rebuild};
pub use pin::Pins;

use crate::{
    clock,
    detect::Growth,
    encode::Encoder,
    inbox::{FailedDir, InboxError},
    journal::JournalError,
    model::{Event, Outcome, Receipt, RecordId},
    store::{Store, StoreError},
};
use recent::Recent;
use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
};
use tokio::sync::mpsc;

/// Chunks that may wait between two stages: enough that no core waits for another, few enough that what is in
/// memory stays small (a chunk is some 128 KiB of articles, or one small file).
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
    /// The longest article, in bytes.
    pub article_bytes_max: usize,
    /// How many articles are made durable at once.
    pub group_articles_max: usize,
    /// What is counted as it happens.
    pub progress: Arc<Progress>,
    /// Set to have claimed files left where they are, so that the stages end soon.
    pub stop: Arc<AtomicBool>,
    /// The sentence encoder, where one is configured.
    pub encoder: Option<Encoder>,
}

/// The stages, wired.
pub struct Wired {
    /// Where to put the jobs; when that is dropped, the stages end.
    pub jobs: mpsc::Sender<Job>,
    /// Where to put a person's word on an article.
    pub pins: Pins,
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
    let reader = read::Reader {
        article_bytes_max: parts.article_bytes_max,
        progress: Arc::clone(&parts.progress),
        stop: parts.stop,
        encoder: parts.encoder.map(Arc::new),
    };
    let decider = decide::Decider::new(detector, Arc::clone(&store), Arc::clone(&parts.progress));
    let committer = commit::Committer {
        packs,
        journal,
        store: Arc::clone(&store),
        failed: parts.failed.clone(),
        group_articles_max: parts.group_articles_max,
        progress: Arc::clone(&parts.progress),
    };
    let disposer = dispose::Disposer { failed: parts.failed, progress: parts.progress };
    let pins = Pins::into(&prepared);
    let stages = vec![
        stage("dispose", move || disposer.run(committed_in)),
        stage("commit", move || committer.run(decided_in, &committed)),
        stage("detect", move || decider.run(prepared_in, &decided)),
        stage("read", move || {
            reader.run(jobs_in, &prepared);
            Ok(())
        }),
    ];
    Wired { jobs, pins, stages, store }
}

fn stage(name: &'static str, run: impl FnOnce() -> Result<(), PipelineError> + Send + 'static) -> Stage {
    Stage { name, run: Box::new(run) }
}

/// What has become durable since the start, for the progress bar and the status.
#[derive(Debug, Default)]
pub struct Progress {
    outcomes: [AtomicU64; Outcome::ALL.len()],
    bytes_read: AtomicU64,
    articles: AtomicU64,
    rejected: AtomicU64,
    live: AtomicUsize,
    recent: Mutex<Recent>,
    unreadable: Mutex<Vec<(String, String)>>,
    alarms: Mutex<BTreeSet<RecordId>>,
}

/// Of the files that could not be read, this many are remembered by name.
const UNREADABLE_MAX: usize = 20;

impl Progress {
    fn count<'e>(&self, events: impl Iterator<Item = &'e Event>) {
        let mut articles = 0;
        for event in events {
            articles += u64::from(matches!(event, Event::Article(_) | Event::Sighting(_)));
            match event {
                Event::Article(_) | Event::Sighting(_) => self.articles.fetch_add(1, Ordering::Relaxed),
                Event::Rejected(_) => self.rejected.fetch_add(1, Ordering::Relaxed),
                _ => 0,
            };
        }
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).count(articles, clock::now());
    }

    /// How many articles came in the last minute, and in the last hour.
    pub fn rates(&self) -> (u64, u64) {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).rates(clock::now())
    }

    /// How many articles are in the windows.
    pub fn live(&self) -> usize {
        self.live.load(Ordering::Relaxed)
    }

    fn set_live(&self, articles: usize) {
        self.live.store(articles, Ordering::Relaxed);
    }

    fn count_receipt(&self, receipt: &Receipt) {
        self.remember(receipt);
        let place = Outcome::ALL.iter().position(|o| *o == receipt.outcome);
        if let Some(counter) = place.and_then(|p| self.outcomes.get(p)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The records that grew suspiciously fast since the start.
    pub fn alarms(&self) -> Vec<RecordId> {
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }

    fn alarm(&self, growth: Growth) {
        let Growth { record, articles, within_a_day } = growth;
        tracing::warn!(%record, articles, within_a_day, "a record grows suspiciously fast; look whether it is one story");
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner).insert(record);
    }

    /// Bytes of items that have been read, whether or not they are durable yet.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }

    fn count_read(&self, bytes: usize) {
        self.bytes_read.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// The first files that could not be read, or not whole, each with why.
    pub fn unreadable(&self) -> Vec<(String, String)> {
        self.unreadable.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn remember(&self, receipt: &Receipt) {
        let why = match (&receipt.reason, receipt.rejected) {
            (Some(reason), _) => reason.message.clone(),
            (None, 0) => return,
            (None, rejected) => format!("{rejected} of its items could not be read"),
        };
        let mut unreadable = self.unreadable.lock().unwrap_or_else(PoisonError::into_inner);
        if unreadable.len() < UNREADABLE_MAX {
            unreadable.push((receipt.path.clone(), why));
        }
    }

    /// Files that ended, by outcome, in the order of [`Outcome::ALL`].
    pub fn files(&self) -> [(Outcome, u64); Outcome::ALL.len()] {
        let mut counts = Outcome::ALL.map(|outcome| (outcome, 0));
        for ((_, count), counter) in counts.iter_mut().zip(&self.outcomes) {
            *count = counter.load(Ordering::Relaxed);
        }
        counts
    }

    /// Articles received, repeats included.
    pub fn articles(&self) -> u64 {
        self.articles.load(Ordering::Relaxed)
    }

    /// Items that could not be read.
    pub fn rejected(&self) -> u64 {
        self.rejected.load(Ordering::Relaxed)
    }
}
