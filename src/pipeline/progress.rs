//! What the stages have done since the start and how they get on, for progress bars, `status`, metrics and the watchdog.
//!
//! All of it is counted where it happens and read by whoever asks; nothing is decided by it.

use super::{
    job::{Job, Origin, Resume},
    recent::Recent,
};
use crate::{
    clock,
    detect::Growth,
    metrics::{Histogram, Pulse},
    model::{Arrival, Event, Outcome, Receipt, RecordId, Relation},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

/// A stage, in the order of the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StageName {
    /// A file into the raw bytes of its items.
    Read,
    /// Bytes into a measured article.
    Prepare,
    /// Which record.
    Detect,
    /// Pack, journal, view.
    Commit,
    /// The file out of its inbox.
    Dispose,
}

impl StageName {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Read, Self::Prepare, Self::Detect, Self::Commit, Self::Dispose];

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Prepare => "prepare",
            Self::Detect => "detect",
            Self::Commit => "commit",
            Self::Dispose => "dispose",
        }
    }
}

/// A part of a commit, each of which waits for a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitPart {
    /// Packs of originals, and bad slices.
    Originals,
    /// The journal, whose sync is the commit point.
    Journal,
    /// The view.
    View,
}

impl CommitPart {
    /// All of them, in their order.
    pub const ALL: [Self; 3] = [Self::Originals, Self::Journal, Self::View];

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Originals => "originals",
            Self::Journal => "journal",
            Self::View => "view",
        }
    }
}

/// What happened since the start.
#[derive(Debug, Default)]
pub struct Progress {
    outcomes: [AtomicU64; Outcome::ALL.len()],
    founded: AtomicU64,
    relations: [AtomicU64; Relation::ALL.len()],
    repeats: AtomicU64,
    rejected: AtomicU64,
    merged: AtomicU64,
    moved: AtomicU64,
    bytes_read: AtomicU64,
    live: AtomicUsize,
    recent: Mutex<Recent>,
    stages: [Pulse; StageName::ALL.len()],
    commits: [Histogram; CommitPart::ALL.len()],
    files: Histogram,
    alarms: Mutex<BTreeSet<RecordId>>,
    /// Why each stage that waits for something to pass does so.
    pauses: Mutex<BTreeMap<&'static str, String>>,
    /// Claimed files that a stage has put off, each with why.
    put_off: Mutex<BTreeMap<(StageName, Arrival), String>>,
}

/// That the intake is paused, as a sentence.
pub fn paused(why: &str) -> String {
    format!("the intake is paused: {why}; it goes on by itself")
}

impl Progress {
    /// Counts what has become durable.
    pub(super) fn count<'e>(&self, events: impl Iterator<Item = &'e Event>) {
        let mut articles = 0;
        for event in events {
            articles += u64::from(matches!(event, Event::Article(_) | Event::Sighting(_)));
            let counter = match event {
                Event::Article(article) => match article.verdict.relation {
                    Some(relation) => place(&self.relations, relation as usize),
                    None => &self.founded,
                },
                Event::Sighting(_) => &self.repeats,
                Event::Rejected(_) => &self.rejected,
                Event::Merge(_) => &self.merged,
                Event::Move(_) => &self.moved,
                Event::Arrival(_)
                | Event::Receipt(_)
                | Event::Pin(_)
                | Event::Requeue(_)
                | Event::Mended(_) => continue,
            };
            counter.fetch_add(1, Ordering::Relaxed);
        }
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).count(articles, clock::now());
    }

    /// How many articles came in the last minute, and in the last hour.
    pub fn rates(&self) -> (u64, u64) {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).rates(clock::now())
    }

    /// Counts a file that has been finished with.
    pub(super) fn count_finished(&self, job: &Job, receipt: &Receipt) {
        place(&self.outcomes, receipt.outcome as usize).fetch_add(1, Ordering::Relaxed);
        // What an earlier run had claimed would tell how long nothing ran.
        if let Origin::Inbox(claimed) = &job.origin
            && job.resume == Resume::default()
        {
            let took_ms = clock::now().millis().saturating_sub(claimed.at.millis());
            self.files.observe(Duration::from_millis(u64::try_from(took_ms).unwrap_or(0)));
        }
    }

    pub(super) fn count_read(&self, bytes: usize) {
        self.bytes_read.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// How many articles are in the windows now.
    pub(super) fn set_live(&self, articles: usize) {
        self.live.store(articles, Ordering::Relaxed);
    }

    pub(super) fn alarm(&self, growth: Growth) {
        let Growth { record, articles, within_a_day } = growth;
        tracing::warn!(%record, articles, within_a_day, "a record grows suspiciously fast; look whether it is one story");
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner).insert(record);
    }

    /// Takes up at a start the alarms that were given before it; the log told of them then.
    pub(super) fn go_on_alarming(&self, records: Vec<RecordId>) {
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner).extend(records);
    }

    /// The pulse of a stage.
    pub fn stage(&self, stage: StageName) -> &Pulse {
        place(&self.stages, stage as usize)
    }

    /// How long a part of each commit took.
    pub fn commit(&self, part: CommitPart) -> &Histogram {
        place(&self.commits, part as usize)
    }

    /// How long files took from their claim until they had left their inbox.
    pub fn file_times(&self) -> &Histogram {
        &self.files
    }

    /// The stage that has been at one piece of work for longer than this, and for how long.
    pub fn stuck(&self, patience: Duration) -> Option<(StageName, Duration)> {
        let busy = StageName::ALL.into_iter().filter_map(|s| Some((s, self.stage(s).busy_for()?)));
        busy.filter(|(_, time)| *time > patience).max_by_key(|(_, time)| *time)
    }

    /// Notes why a stage waits, or that it goes on. Says whether that is new.
    pub(super) fn pause(&self, stage: StageName, why: Option<String>) -> bool {
        let mut pauses = self.pauses.lock().unwrap_or_else(PoisonError::into_inner);
        match why {
            Some(why) => pauses.insert(stage.name(), why).is_none(),
            None => pauses.remove(stage.name()).is_some(),
        }
    }

    /// Notes why a stage has put a claimed file off, or that it is done with. Says whether it was noted.
    pub(super) fn put_off(&self, stage: StageName, arrival: Arrival, why: Option<String>) -> bool {
        let mut put_off = self.put_off.lock().unwrap_or_else(PoisonError::into_inner);
        match why {
            Some(why) => put_off.insert((stage, arrival), why).is_some(),
            None => put_off.remove(&(stage, arrival)).is_some(),
        }
    }

    /// Why the intake is paused, where it is.
    pub fn pauses(&self) -> Vec<String> {
        let pauses = self.pauses.lock().unwrap_or_else(PoisonError::into_inner);
        pauses.values().map(|why| paused(why)).collect()
    }

    /// How many claimed files a stage has put off, and the first of them with why.
    pub fn files_put_off(&self, stage: StageName) -> (usize, Option<String>) {
        let put_off = self.put_off.lock().unwrap_or_else(PoisonError::into_inner);
        let mut of_stage =
            put_off.range((stage, Arrival(0))..=(stage, Arrival(u64::MAX))).map(|(_, why)| why);
        let first = of_stage.next().cloned();
        (usize::from(first.is_some()) + of_stage.count(), first)
    }

    /// The records that grew suspiciously fast.
    pub fn alarms(&self) -> Vec<RecordId> {
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }

    /// Bytes of items that have been read, whether or not they are durable yet.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }

    /// Files that ended, by outcome, in the order of [`Outcome::ALL`].
    pub fn files(&self) -> [(Outcome, u64); Outcome::ALL.len()] {
        Outcome::ALL.map(|outcome| (outcome, place(&self.outcomes, outcome as usize).load(Ordering::Relaxed)))
    }

    /// Articles received, by what became of each: `canonical` for one that founded a record, a relation, `repeat`.
    pub fn articles_by_relation(&self) -> Vec<(&'static str, u64)> {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let variants = Relation::ALL.iter().map(|r| (r.name(), read(place(&self.relations, *r as usize))));
        let founded = std::iter::once(("canonical", read(&self.founded)));
        founded.chain(variants).chain([("repeat", read(&self.repeats))]).collect()
    }

    /// Items that could not be read.
    pub fn rejected(&self) -> u64 {
        self.rejected.load(Ordering::Relaxed)
    }

    /// Records that were merged into others, and articles that were moved to other records.
    pub fn merged_and_moved(&self) -> (u64, u64) {
        (self.merged.load(Ordering::Relaxed), self.moved.load(Ordering::Relaxed))
    }

    /// Articles in the windows.
    pub fn live(&self) -> usize {
        self.live.load(Ordering::Relaxed)
    }
}

/// What is counted of one kind; the kinds are those that the array was made for.
#[expect(clippy::indexing_slicing, reason = "every array here is as long as its kinds are many")]
fn place<T, const N: usize>(all: &[T; N], kind: usize) -> &T {
    &all[kind]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A kind's place is its number, so each list must name the kinds in the order of their definition.
    #[test]
    fn every_kind_has_its_own_place() {
        assert!(Outcome::ALL.iter().enumerate().all(|(at, kind)| *kind as usize == at));
        assert!(Relation::ALL.iter().enumerate().all(|(at, kind)| *kind as usize == at));
        assert!(StageName::ALL.iter().enumerate().all(|(at, kind)| *kind as usize == at));
        assert!(CommitPart::ALL.iter().enumerate().all(|(at, kind)| *kind as usize == at));
    }

    #[test]
    fn a_stage_is_stuck_when_one_piece_takes_too_long() {
        let progress = Progress::default();
        assert_eq!(progress.stuck(Duration::ZERO), None, "who waits for work is not stuck");
        progress.stage(StageName::Commit).begin();
        let stuck = progress.stuck(Duration::ZERO).map(|(stage, _)| stage);
        assert_eq!(stuck, Some(StageName::Commit));
        assert_eq!(progress.stuck(Duration::from_hours(1)), None);
        progress.stage(StageName::Commit).end();
        assert_eq!(progress.stuck(Duration::ZERO), None);
    }
}
