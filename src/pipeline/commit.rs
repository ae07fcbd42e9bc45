//! The fourth stage: what was decided becomes durable, a group at a time.
//!
//! The order makes the promise. Bad slices, claims and originals are written and synced first, then the journal, whose
//! sync is the commit point, then the view; only then is the file in the inbox let go. A crash between any two
//! leaves the file in its inbox and is made good at the next start.

use super::{
    CommitPart, PipelineError, Progress, StageName,
    dispose::WRITTEN_TO,
    job::{Committed, Decided, Job, Origin, OriginalBytes, Refused, Settled},
    patience::Patience,
    word::Word,
};
use crate::{
    clock,
    detect::Kept,
    inbox::{FailedDir, SliceName, is_transient, sync_claims},
    journal::{Journal, JournalError, Packs, Place},
    model::{Digest, Event, Original, Reason, Receipt},
    store::{Change, Store},
};
use std::{collections::HashMap, path::Path, sync::Arc};
use tokio::sync::mpsc;

/// A group is closed at so many bytes of texts and originals, however few its articles.
const GROUP_BYTES_MAX: usize = 32 << 20;

/// Makes durable what was decided.
pub(super) struct Committer {
    pub packs: Packs,
    pub journal: Journal,
    pub store: Arc<Store>,
    pub failed: FailedDir,
    pub group_articles_max: usize,
    pub patience: Arc<Patience>,
    pub progress: Arc<Progress>,
}

impl Committer {
    /// Commits until there is no more, then makes the view durable too.
    pub fn run(
        mut self,
        mut settled: mpsc::Receiver<Settled>,
        out: &mpsc::Sender<Committed>,
    ) -> Result<(), PipelineError> {
        while let Some(first) = settled.blocking_recv() {
            let (mut group, mut next) = (Vec::new(), Some(first));
            while let Some(Settled::Chunk(decided)) = next {
                group.push(*decided);
                next = if self.has_room(&group) { settled.try_recv().ok() } else { None };
            }
            if !group.is_empty() {
                let Some(done) = self.commit(group)? else { break };
                for committed in done {
                    if out.blocking_send(committed).is_err() {
                        break;
                    }
                }
            }
            // To wait is no work, which must not last. Where the run is to stop first, whoever asked is told so.
            if let Some(Settled::Word(word)) = next
                && self.patience.wait_for_room()
            {
                let progress = Arc::clone(&self.progress);
                progress.stage(StageName::Commit).work(|| self.heed(word))?;
            }
        }
        Ok(self.store.sync()?)
    }

    /// A person's word closes the group before it, and is durable by itself.
    fn heed(&mut self, word: Word) -> Result<(), PipelineError> {
        said(&mut self.journal, &self.store, &word.events)?;
        // Whoever asked may have gone away.
        word.durable.send(()).ok();
        Ok(())
    }

    fn has_room(&self, group: &[Decided]) -> bool {
        let articles: usize = group.iter().map(|d| d.groups.len()).sum();
        articles < self.group_articles_max && group.iter().map(held_bytes).sum::<usize>() < GROUP_BYTES_MAX
    }

    /// Makes a group durable. Nothing where the run is to stop while that cannot be done: it is in the inbox still.
    fn commit(&mut self, mut group: Vec<Decided>) -> Result<Option<Vec<Committed>>, PipelineError> {
        let patience = Arc::clone(&self.patience);
        if !patience.wait_for_room() {
            return Ok(None);
        }
        // Until the journal has it nothing counts, so either may be done again; and the originals are not written once more
        // where it is the journal that cannot be.
        let Some(()) = patience.insist(|| self.keep(&mut group))? else { return Ok(None) };
        let progress = Arc::clone(&self.progress);
        let mut append = || {
            let append = || self.journal.append(&events_of(&group), clock::now());
            Ok(progress.commit(CommitPart::Journal).time(append)?)
        };
        let Some(places) = patience.insist(&mut append)? else { return Ok(None) };
        progress.stage(StageName::Commit).work(|| self.show(&group, &places))?;
        self.progress.count(events_of(&group).into_iter().flatten());
        Ok(Some(group.into_iter().filter_map(committed).collect()))
    }

    /// Slices and originals, durably: all of them or none.
    fn keep(&mut self, group: &mut [Decided]) -> Result<(), PipelineError> {
        let progress = Arc::clone(&self.progress);
        let kept = progress.commit(CommitPart::Originals).time(|| {
            self.set_slices_aside(group)?;
            sync_claims(group.iter().filter(|decided| begins(decided)).filter_map(|d| d.job.claimed()));
            self.keep_originals(group)
        });
        kept.inspect_err(|_| self.packs.forget_unsynced())
    }

    /// Brings the view up to what was written.
    fn show(&self, group: &[Decided], places: &[Vec<Place>]) -> Result<(), PipelineError> {
        let events = events_of(group);
        let profiles: Vec<Option<Vec<u8>>> =
            group.iter().flat_map(|d| &d.groups).map(|g| g.profile.as_ref().map(Kept::to_bytes)).collect();
        let mut changes = Vec::with_capacity(events.len());
        for ((events, places), profile) in events.iter().zip(places).zip(&profiles) {
            for (i, (event, place)) in events.iter().zip(places).enumerate() {
                let profile = profile.as_deref().filter(|_| i == 0);
                changes.push(Change::Event(event, *place, profile));
            }
        }
        changes.extend(group.iter().flat_map(|d| &d.evicted).map(|no| Change::Evicted(*no)));
        let apply = || self.store.apply(&changes, self.journal.end());
        Ok(self.progress.commit(CommitPart::View).time(apply)?)
    }

    fn set_slices_aside(&self, group: &[Decided]) -> Result<(), PipelineError> {
        for decided in group {
            for bad in &decided.refused {
                let file = Path::new(&decided.job.shown);
                let slice = SliceName { arrival: decided.job.arrival, index: bad.index, file };
                let reason = slice_reason(&decided.job, bad)?;
                self.failed.set_aside_bytes(slice, &bad.bytes, &reason)?;
            }
        }
        Ok(())
    }

    /// Puts the files that end in this group into packs, and notes in their receipts where. A file that is kept
    /// already, byte for byte, adds none.
    fn keep_originals(&mut self, group: &mut [Decided]) -> Result<(), PipelineError> {
        let mut kept: HashMap<Digest, Original> = HashMap::new();
        for decided in group.iter_mut() {
            let Some((receipt, bytes)) = &mut decided.end else { continue };
            let known = match receipt.digest {
                Some(digest) => kept
                    .get(&digest)
                    .cloned()
                    .map_or_else(|| self.store.view().original(digest), |o| Ok(Some(o)))?,
                None => None,
            };
            receipt.original = match (known, &*bytes) {
                (_, OriginalBytes::None) => None,
                (Some(original), _) => Some(original),
                (None, OriginalBytes::Held(bytes)) => Some(self.packs.push(bytes, receipt.at)?),
                (None, OriginalBytes::InFile) => match receipt.digest {
                    Some(digest) => self.keep_large(&decided.job, digest, receipt)?,
                    // It could not be read to its end, and so is set aside itself.
                    None => None,
                },
            };
            let is_lost = receipt.original.is_none() && matches!(bytes, OriginalBytes::InFile);
            if is_lost {
                // Without a digest it is set aside: its bytes stand nowhere else.
                receipt.digest = None;
            }
            if let (Some(digest), Some(original)) = (receipt.digest, &receipt.original) {
                kept.insert(digest, original.clone());
            }
            if let Some(Event::Receipt(written)) = decided.groups.last_mut().and_then(|g| g.events.last_mut())
            {
                written.original.clone_from(&receipt.original);
                written.digest = receipt.digest;
            }
        }
        Ok(self.packs.sync()?)
    }

    /// Keeps a large file by itself. Nothing where it cannot be read any more, or is not what it was.
    fn keep_large(
        &self,
        job: &Job,
        digest: Digest,
        receipt: &Receipt,
    ) -> Result<Option<Original>, PipelineError> {
        let goes_on = || self.progress.stage(StageName::Commit).go_on();
        let opened = job.open().map_err(|source| JournalError::Source { source });
        let kept = opened
            .and_then(|(_, from)| self.packs.push_alone(from, digest, receipt.arrival, receipt.at, &goes_on));
        match kept {
            Err(JournalError::Source { source }) if !is_transient(&source) => Ok(None),
            kept => Ok(kept?),
        }
    }
}

/// What is to be journalled of a group, each with what it caused.
fn events_of(group: &[Decided]) -> Vec<&[Event]> {
    group.iter().flat_map(|d| &d.groups).map(|g| g.events.as_slice()).collect()
}

/// Whether the journal hears of the file for the first time.
fn begins(decided: &Decided) -> bool {
    let first = decided.groups.first().and_then(|group| group.events.first());
    matches!(first, Some(Event::Arrival(_)))
}

/// Writes events that no file brought to the journal, then to the view.
pub(super) fn said(journal: &mut Journal, store: &Store, events: &[Event]) -> Result<(), PipelineError> {
    let places = journal.append(&[events], clock::now())?;
    let places = places.into_iter().flatten();
    let changes: Vec<_> =
        events.iter().zip(places).map(|(event, place)| Change::Event(event, place, None)).collect();
    Ok(store.apply(&changes, journal.end())?)
}

/// What a decided chunk holds in memory: its texts, and the original where that is held.
fn held_bytes(decided: &Decided) -> usize {
    let text = |event: &Event| match event {
        Event::Article(article) => article.text.len(),
        _ => 0,
    };
    let original = match &decided.end {
        Some((_, OriginalBytes::Held(bytes))) => bytes.len(),
        _ => 0,
    };
    original + decided.groups.iter().flat_map(|g| &g.events).map(text).sum::<usize>()
}

/// What is to become of the file of a chunk, where that is known.
fn committed(decided: Decided) -> Option<Committed> {
    if decided.give_back {
        return Some(Committed::Returned(decided.job, WRITTEN_TO));
    }
    decided.end.map(|(receipt, _)| Committed::Finished(decided.job, Box::new(receipt)))
}

fn slice_reason(job: &Job, bad: &Refused) -> Result<Vec<u8>, PipelineError> {
    let said = serde_json::json!({
        "path": job.shown,
        "arrival": job.arrival,
        "place": bad.place,
        "at": job.at,
        "code": bad.reason.code,
        "message": bad.reason.message,
        "kept_bytes": bad.bytes.len(),
    });
    as_file(&said)
}

/// A reason as the text file that a person opens.
fn as_file(said: &serde_json::Value) -> Result<Vec<u8>, PipelineError> {
    let mut text = serde_json::to_vec_pretty(said)?;
    text.push(b'\n');
    Ok(text)
}

/// What is written beside a file that failed.
pub(super) fn file_reason(job: &Job, receipt: &Receipt) -> Result<Vec<u8>, PipelineError> {
    let unknown = Reason::new("unknown", "");
    let reason = receipt.reason.as_ref().unwrap_or(&unknown);
    let left_at = match &job.origin {
        Origin::Given { path, .. } => Some(path.display().to_string()),
        Origin::Inbox(_) => None,
    };
    let said = serde_json::json!({
        "path": receipt.path,
        "arrival": receipt.arrival,
        "inbox": job.inbox,
        "at": receipt.at,
        "bytes": receipt.bytes,
        "code": reason.code,
        "message": reason.message,
        "left_at": left_at,
    });
    as_file(&said)
}
