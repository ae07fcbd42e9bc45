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
    put_off::PutOff,
    word::Word,
};
use crate::{
    clock,
    detect::Kept,
    inbox::{FailedDir, SliceName, is_transient, sync_claims},
    journal::{Alone, Journal, JournalError, Packs, Place},
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
    /// The ends of large files whose originals cannot be had for now. All else of them is committed.
    pub later: PutOff<Settled>,
}

impl Committer {
    /// Commits until there is no more, then makes the view durable too.
    pub fn run(
        mut self,
        mut settled: mpsc::Receiver<Settled>,
        out: &mpsc::Sender<Committed>,
    ) -> Result<(), PipelineError> {
        while let Some(first) = self.later.next(&mut settled) {
            let (mut group, mut next) = (Vec::new(), Some(first));
            let (mut articles, mut bytes) = (0, 0);
            while let Some(Settled::Chunk(decided)) = next {
                articles += decided.groups.len();
                bytes += held_bytes(&decided);
                group.push(*decided);
                let has_room = articles < self.group_articles_max && bytes < GROUP_BYTES_MAX;
                next = if has_room { settled.try_recv().ok() } else { None };
            }
            if !group.is_empty() {
                let Some(done) = self.commit(group)? else { break };
                for committed in done {
                    self.later.done(committed.job());
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
            let original = match self.original_of(&decided.job, receipt, bytes, &kept) {
                Err(PipelineError::Journal(JournalError::Source { source }))
                    if decided.job.may_be_put_off() =>
                {
                    self.put_off_end(decided, &source.to_string());
                    continue;
                }
                original => original?,
            };
            let Some((receipt, bytes)) = &mut decided.end else { continue };
            receipt.original = original;
            let is_lost = receipt.original.is_none() && matches!(bytes, OriginalBytes::InFile(_));
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

    /// Where a file's bytes are kept; nothing where they are not.
    fn original_of(
        &mut self,
        job: &Job,
        receipt: &Receipt,
        bytes: &mut OriginalBytes,
        kept: &HashMap<Digest, Original>,
    ) -> Result<Option<Original>, PipelineError> {
        let goes_on = || self.progress.stage(StageName::Commit).go_on();
        let known = match receipt.digest {
            // What was pushed in this group is not in its pack yet.
            Some(digest) => match kept.get(&digest) {
                Some(original) => Some(original.clone()),
                None => self
                    .store
                    .view()
                    .original(digest)?
                    .filter(|known| self.packs.has(known, digest, &goes_on)),
            },
            None => None,
        };
        Ok(match (known, bytes) {
            (_, OriginalBytes::None) => None,
            (Some(original), _) => Some(original),
            (None, OriginalBytes::Held(bytes)) => {
                Some(self.packs.push(bytes, receipt.arrival, receipt.at)?)
            }
            (None, OriginalBytes::InFile(made)) => match receipt.digest {
                Some(digest) => self.keep_large(job, made.take(), digest, receipt)?,
                // It could not be read to its end, and so is set aside itself.
                None => None,
            },
        })
    }

    /// Parts the end of a file from what else of it is in the group, to be committed once its bytes can be had.
    fn put_off_end(&mut self, decided: &mut Decided, why: &str) {
        let (job, end) = (Arc::clone(&decided.job), decided.end.take());
        let groups = Vec::from_iter(decided.groups.pop());
        let end = Decided { groups, end, ..Decided::nothing(Arc::clone(&job)) };
        self.later.put_off(Settled::Chunk(Box::new(end)), &job, why);
    }

    /// Keeps a large file by itself. What was not made of it when it was read is made now: nothing where it cannot be read
    /// any more, or is not what it was.
    fn keep_large(
        &self,
        job: &Job,
        made: Option<Alone>,
        digest: Digest,
        receipt: &Receipt,
    ) -> Result<Option<Original>, PipelineError> {
        let goes_on = || self.progress.stage(StageName::Commit).go_on();
        let make = || {
            if let Some(made) = made.filter(Alone::is_there) {
                return Ok(Some(made));
            }
            let (_, from) = job.open().map_err(|source| JournalError::Source { source })?;
            self.packs.copy_alone(from, digest, &goes_on)
        };
        match self.packs.push_alone(make, digest, receipt.arrival, receipt.at, &goes_on) {
            Err(JournalError::Source { source }) if !is_transient(&source) && !job.is_away() => Ok(None),
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
        "inbox": job.inbox,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        inbox::{FileKind, Inboxes, Root, Settings},
        journal::{AloneWriter, Position, check_original},
        model::{Arrival, ArrivalEvent, Outcome, Time},
        pipeline::{ArticleTimes, Resume, job::Group},
        store::Trust,
    };
    use std::{fs, io::Write, time::Duration};
    use tokio::task::spawn_blocking;

    /// A file that was read to its end, as it comes from the deciding stage.
    fn decided(job: Job, bytes: &[u8], original: OriginalBytes) -> Settled {
        let path = job.shown.clone();
        let (arrival, at) = (job.arrival, job.at);
        let begun = ArrivalEvent { arrival, path, at, inbox: job.inbox.clone(), bytes: 0, modified_ns: 0 };
        let digest = Some(Digest::of(bytes));
        let receipt = Receipt { digest, ..job.receipt(&Resume::default(), Outcome::Accepted, None) };
        let group = |event| Group { events: vec![event], profile: None };
        let groups = vec![group(Event::Arrival(begun)), group(Event::Receipt(receipt.clone()))];
        let end = Some((receipt, original));
        Settled::Chunk(Box::new(Decided { groups, end, ..Decided::nothing(Arc::new(job)) }))
    }

    fn committer(dir: &Path, failed: FailedDir) -> Committer {
        let progress = Arc::<Progress>::default();
        let patience = Patience { room: None, progress: Arc::clone(&progress), stop: Arc::default() };
        let later = PutOff::new(StageName::Commit, Arc::clone(&progress), Arc::default());
        Committer {
            packs: Packs::open(&dir.join("originals")).unwrap(),
            journal: Journal::open(&dir.join("journal"), Position::default()).unwrap(),
            store: Arc::new(Store::open(&dir.join("db"), Trust::SameBoot).unwrap()),
            failed,
            group_articles_max: 9,
            patience: Arc::new(patience),
            progress,
            later: later.with_wait(Duration::from_millis(5)),
        }
    }

    /// Its bytes were taken for lost, so that it was set aside as failed though all its articles were taken in; and a share with
    /// an error held up every commit.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_large_file_whose_inbox_is_away_is_kept_later_and_holds_up_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let [inbox, away] = ["in", "away"].map(|name| dir.path().join(name));
        fs::create_dir_all(inbox.join(".wirefold")).unwrap();
        fs::write(inbox.join(".wirefold/0000000000000001-a.txt"), "large").unwrap();
        let failed = FailedDir::open(dir.path().join("failed")).unwrap();
        let settings =
            Settings { inboxes: vec![Root::new(inbox.clone(), Vec::new())], ..Settings::default() };
        let claimed = Inboxes::open(settings, &failed).unwrap().1.remove(0);
        let first = Job::of_claim(claimed, Resume::default());
        let other = Job::of_given("b.txt".into(), FileKind::Regular, None, ArticleTimes::Recent);
        let committer = committer(dir.path(), failed);
        let (store, progress) = (Arc::clone(&committer.store), Arc::clone(&committer.progress));
        fs::rename(&inbox, &away).unwrap();
        let (send, settled) = mpsc::channel(9);
        let (out, mut committed) = mpsc::channel(9);
        send.try_send(decided(first, b"large", OriginalBytes::InFile(None))).unwrap();
        send.try_send(decided(other, b"small", OriginalBytes::Held(b"small".to_vec()))).unwrap();
        let running = spawn_blocking(move || committer.run(settled, &out));
        let mut next = async || match committed.recv().await {
            Some(Committed::Finished(job, receipt)) => (job.shown.clone(), receipt.original.is_some()),
            other => panic!("not finished: {other:?}"),
        };
        assert_eq!(next().await, ("b.txt".to_owned(), true));
        let open = store.view().open_arrivals().unwrap();
        assert_eq!(open.len(), 1, "what else there is of it is in the journal");
        assert_eq!(progress.files_put_off(StageName::Commit).0, 1);
        fs::rename(&away, &inbox).unwrap();
        assert_eq!(next().await, ("a.txt".to_owned(), true));
        drop(send);
        running.await.unwrap().unwrap();
        assert_eq!(progress.files_put_off(StageName::Commit).0, 0);
        assert_eq!(store.view().open_arrivals().unwrap(), []);
    }

    /// What was made of a large file as it was read is kept without the file; and of the file, where that was taken for rubbish.
    #[tokio::test(flavor = "multi_thread")]
    async fn what_was_made_of_a_large_file_is_kept_once_and_the_file_is_not_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let originals = dir.path().join("originals");
        let committer = committer(dir.path(), FailedDir::open(dir.path().join("failed")).unwrap());
        let begin = || AloneWriter::begin(&originals).unwrap();
        let settled = |arrival, bytes: &[u8]| {
            let mut made = begin();
            made.write_all(bytes).unwrap();
            let path = dir.path().join(format!("{arrival}.txt"));
            let job = Job::of_given(path, FileKind::Regular, None, ArticleTimes::Recent);
            let job = Job { arrival: Arrival(arrival), at: Time::default(), ..job };
            decided(job, bytes, OriginalBytes::InFile(Some(made.finish().unwrap())))
        };
        let (send, queue) = mpsc::channel(9);
        fs::write(dir.path().join("1.txt"), "rubbish").unwrap();
        send.try_send(settled(1, b"rubbish")).unwrap();
        for made in fs::read_dir(&originals).unwrap() {
            fs::remove_file(made.unwrap().path()).unwrap();
        }
        send.try_send(settled(2, b"large")).unwrap();
        send.try_send(settled(3, b"large")).unwrap();
        drop(send);
        let (out, mut committed) = mpsc::channel(9);
        spawn_blocking(move || committer.run(queue, &out)).await.unwrap().unwrap();
        for pack in [1, 2, 2] {
            let Some(Committed::Finished(_, receipt)) = committed.recv().await else {
                panic!("not finished")
            };
            let original = receipt.original.unwrap();
            assert_eq!(original.pack, format!("1970-01-01-{pack:016}.alone.zst"));
            check_original(&originals, &original, receipt.digest.unwrap(), &|| ()).unwrap();
        }
        assert_eq!(fs::read_dir(originals).unwrap().count(), 2);
    }
}
