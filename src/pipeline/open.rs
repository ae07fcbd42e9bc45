//! Opening a data directory: the view is checked and brought up to the journal's end, the detector is as it was,
//! and arrivals that nobody will finish are closed. A rebuild is the same from an empty view.

use super::{ArticleTimes, Committed, Job, Origin, PipelineError, Resume, commit::said, job, prepare};
use crate::{
    detect::{self, Detector, Remembered},
    inbox::{Claimed, FailedDir, FileKind},
    journal::{Damage, Frame, Journal, JournalError, Packs, Position, Replay, check_format},
    model::{Arrival, ArticleNo, Event, Outcome, Reason, Receipt, RecordId},
    store::{ArrivalRow, Change, DataLock, Live, Store, StoreError, Trust},
};
use std::{
    collections::HashSet,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::Arc,
};

/// Why a data directory cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The journal cannot be read.
    #[error("the journal cannot be read")]
    Journal(#[from] JournalError),
    /// The journal is away: it was moved, or its disk is not mounted.
    #[error("the journal is gone: nothing of what the view was made of is in {}", .folder.display())]
    Gone {
        /// The folder that it was in.
        folder: PathBuf,
    },
    /// The view can neither be used nor made anew.
    #[error("the view cannot be used")]
    Store(#[from] StoreError),
}

/// An open data directory.
pub struct Opened {
    /// The view, true up to the journal's end.
    pub store: Store,
    /// The journal, ready to be appended to.
    pub journal: Journal,
    /// The packs.
    pub packs: Packs,
    /// The detector, as an undisturbed run would have it.
    pub detector: Detector,
    /// What of the journal could not be read this time.
    pub damage: Vec<Damage>,
}

impl OpenError {
    /// Whether it is the view that is at fault, so that a new one mends it. A full disk or a missing right is not.
    fn is_of_the_view(&self) -> bool {
        match self {
            Self::Store(error) => error.is_damage(),
            Self::Journal(error) => matches!(error, JournalError::Behind { .. }),
            Self::Gone { .. } => false,
        }
    }
}

/// Opens the data directory that `lock` is held on, to be written to.
pub fn open(data_dir: &Path, settings: detect::Settings, lock: &DataLock) -> Result<Opened, OpenError> {
    check_format(&data_dir.join("journal"))?;
    let tried = guarded(|| {
        let store = Store::open(&data_dir.join("db"), lock.trust())?;
        let caught_up = catch_up(data_dir, &store, settings, Purpose::Writing)?;
        opened(data_dir, store, caught_up)
    });
    tried.or_else(|error| mended(data_dir, settings, error))
}

/// Opens the view of the data directory that `lock` is held on, to be read.
pub fn open_to_read(
    data_dir: &Path,
    settings: detect::Settings,
    lock: &DataLock,
) -> Result<Store, OpenError> {
    check_format(&data_dir.join("journal"))?;
    let tried = guarded(|| {
        let store = Store::open(&data_dir.join("db"), lock.trust())?;
        catch_up(data_dir, &store, settings, Purpose::Reading)?;
        Ok(store)
    });
    tried.or_else(|error| Ok(mended(data_dir, settings, error)?.store))
}

/// A new view in place of one that is at fault; any other error stays what it is.
fn mended(data_dir: &Path, settings: detect::Settings, error: OpenError) -> Result<Opened, OpenError> {
    if !error.is_of_the_view() {
        return Err(error);
    }
    let cause = &error as &dyn std::error::Error;
    if matches!(error, OpenError::Journal(_)) {
        tracing::error!(
            error = cause,
            "the end of the journal is lost; the view is made anew from what there is, and 'wirefold audit --repair' brings back what originals hold"
        );
    } else {
        tracing::warn!(error = cause, "the view cannot be used; it is made anew from the journal");
    }
    let (opened, aside) = anew(data_dir, settings)?;
    if let Some(aside) = aside {
        tracing::warn!(kept = %aside.display(), "the view was made anew; the old one is kept");
    }
    Ok(opened)
}

/// Whether the journal of a data directory is gone, as far as can be seen without opening the view: that is never without a
/// profile once an article came in.
pub fn is_gone(data_dir: &Path) -> bool {
    is_empty(&data_dir.join("journal")) && !is_empty(&data_dir.join("db/profiles"))
}

/// Whether all originals of a data directory are gone though articles came in, as far as can be seen without opening the view.
pub fn lacks_originals(data_dir: &Path) -> bool {
    let holds = |folder: &str| !is_empty(&data_dir.join(folder));
    holds("journal") && holds("db/profiles") && !holds("originals")
}

/// Whether nothing is written in any file of a folder.
fn is_empty(folder: &Path) -> bool {
    let holds = |entry: fs::DirEntry| entry.metadata().is_ok_and(|found| found.is_file() && found.len() > 0);
    !fs::read_dir(folder).is_ok_and(|entries| entries.flatten().any(holds))
}

/// Begins a journal anew where it is gone for good, with an empty view. The old view is kept beside it.
pub fn begin_anew(data_dir: &Path, settings: detect::Settings, _: &DataLock) -> Result<(), OpenError> {
    let (opened, aside) = anew(data_dir, settings)?;
    drop(opened);
    if let Some(aside) = aside {
        tracing::warn!(kept = %aside.display(), "the journal is begun anew; the view of the old one is kept");
    }
    Ok(())
}

/// Makes the view anew from the journal; the old one is removed once the new one stands.
pub fn rebuild(data_dir: &Path, settings: detect::Settings) -> Result<Opened, OpenError> {
    let folder = data_dir.join("journal");
    check_format(&folder)?;
    if is_gone(data_dir) {
        return Err(OpenError::Gone { folder });
    }
    let (opened, old) = anew(data_dir, settings)?;
    if let Some(old) = old
        && let Err(error) = fs::remove_dir_all(&old)
    {
        tracing::warn!(%error, folder = %old.display(), "the old view could not be removed; it is not needed any more");
    }
    Ok(opened)
}

/// Makes a new view beside the old one, and puts it in its place when it is whole. Returns where the old one is.
fn anew(data_dir: &Path, settings: detect::Settings) -> Result<(Opened, Option<PathBuf>), OpenError> {
    let (db, new) = (data_dir.join("db"), data_dir.join("db.new"));
    Store::discard(&new)?;
    let caught_up = guarded(|| {
        let store = Store::open(&new, Trust::SameBoot)?;
        let caught_up = catch_up(data_dir, &store, settings, Purpose::Writing)?;
        store.sync()?;
        Ok(caught_up)
    })?;
    let aside = Store::replace(&db, &new)?;
    let store = Store::open(&db, Trust::SameBoot)?;
    Ok((opened(data_dir, store, caught_up)?, aside))
}

/// sled panics on some damaged files instead of saying so, and not only when it opens them.
fn guarded<T>(open: impl FnOnce() -> Result<T, OpenError>) -> Result<T, OpenError> {
    catch_unwind(AssertUnwindSafe(open)).unwrap_or_else(|panic| Err(StoreError::of_panic(&*panic).into()))
}

/// What a view is opened for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Reading,
    Writing,
}

/// Brings a view up to the journal's end, and the detector to where it was. A reader needs the detector only where
/// there is something to bring up.
fn catch_up(
    data_dir: &Path,
    store: &Store,
    settings: detect::Settings,
    purpose: Purpose,
) -> Result<(Detector, Replay), OpenError> {
    let (folder, applied) = (data_dir.join("journal"), store.view().counts()?.applied);
    if applied.frame > 0 && is_empty(&folder) {
        // What would begin in its place could never be put together with it.
        return Err(OpenError::Gone { folder });
    }
    let mut replay = Replay::from(&folder, applied)?;
    let mut next = replay.next_frame()?;
    let is_idle = purpose == Purpose::Reading && next.is_none();
    let mut detector = if is_idle { Detector::new(settings) } else { restore(store, settings)? };
    while let Some(frame) = next {
        apply(store, &mut detector, &frame)?;
        next = replay.next_frame()?;
    }
    replay.damage().iter().for_each(say);
    Ok((detector, replay))
}

/// Opens what is written to, behind what was read.
fn opened(
    data_dir: &Path,
    mut store: Store,
    (detector, replay): (Detector, Replay),
) -> Result<Opened, OpenError> {
    let journal = Journal::open(&data_dir.join("journal"), replay.end())?;
    if lacks_originals(data_dir) {
        let folder = data_dir.join("originals");
        tracing::error!(folder = %folder.display(), "the originals are gone: the bytes of what came in are not kept any more; mount their disk, or bring them back from a backup");
    }
    let packs = Packs::open(&data_dir.join("originals"))?;
    store.learn_digests()?;
    Ok(Opened { store, journal, packs, detector, damage: replay.into_damage() })
}

fn say(damage: &Damage) {
    let (path, from, to, what) = (damage.path.display(), damage.from, damage.to, &damage.what);
    if damage.at_the_end {
        tracing::warn!(%path, from, to, what, "the journal's last write was cut short; what there is of it is kept beside it");
    } else {
        tracing::error!(%path, from, to, what, "the journal is damaged here; what lies around it was read");
    }
}

/// The detector as the view remembers it. Its memory is that of this thread.
fn restore(store: &Store, settings: detect::Settings) -> Result<Detector, StoreError> {
    let view = store.view();
    let newest = ArticleNo(view.counts()?.next_article.0.saturating_sub(1));
    let mut remembered = Remembered::new(settings, newest);
    view.each_live(|Live { profile, founder, record, revised }| {
        let added = remembered.add(profile, (founder, record), revised);
        added.map_err(|e| StoreError::Inconsistent(e.to_string()))
    })?;
    let mut detector = remembered.into_detector();
    for pin in view.pins() {
        let (no, founder) = pin?;
        detector.pin(no, founder, true);
    }
    Ok(detector)
}

/// Tells the detector of a person's word. An article comes in an earlier frame than any word on it.
pub(super) fn heeded(store: &Store, detector: &mut Detector, event: &Event) -> Result<(), StoreError> {
    if let Event::Pin(event) = event
        && let Some((no, row)) = store.view().article_by_id(event.id)?
    {
        detector.pin(no, row.founder, event.pinned);
    }
    Ok(())
}

/// Applies a frame's recorded decisions; nothing is decided again.
fn apply(store: &Store, detector: &mut Detector, frame: &Frame) -> Result<(), StoreError> {
    let (mut profiles, mut evicted, mut founders) = (Vec::new(), Vec::new(), Founders::default());
    for event in &frame.events {
        let mut profile = None;
        match event {
            Event::Article(e) => {
                let founder = match e.verdict.relation {
                    None => founders.found(e.verdict.record, e.no),
                    Some(_) => match founders.of(store, e.verdict.record)? {
                        Some(founder) => founder,
                        // Its record was lost with a damaged stretch: it founds that record anew.
                        None => founders.found(e.verdict.record, e.no),
                    },
                };
                let (kept, gone) = detector.replay(e, founder, &prepare::fingerprint_of(e));
                evicted.extend(gone);
                profile = Some(kept.to_bytes());
            }
            Event::Merge(e) => {
                if let (Some(from), Some(into)) = (founders.of(store, e.from)?, founders.of(store, e.into)?) {
                    detector.replay_change(event, from, into);
                    founders.found(e.from, into);
                }
            }
            Event::Move(e) => {
                if let (Some(from), Some(to)) = (founders.of(store, e.from)?, founders.of(store, e.to)?) {
                    detector.replay_change(event, from, to);
                }
            }
            Event::Pin(_) => heeded(store, detector, event)?,
            Event::Requeue(_)
            | Event::Mended(_)
            | Event::Arrival(_)
            | Event::Sighting(_)
            | Event::Rejected(_)
            | Event::Receipt(_) => {}
        }
        profiles.push(profile);
    }
    let mut changes: Vec<Change<'_>> = frame
        .events
        .iter()
        .zip(frame.places())
        .zip(&profiles)
        .map(|((event, place), profile)| Change::Event(event, place, profile.as_deref()))
        .collect();
    changes.extend(evicted.into_iter().map(Change::Evicted));
    store.apply(&changes, frame.end)
}

/// The founders of records, those of this frame before those of the view.
#[derive(Default)]
struct Founders(std::collections::HashMap<RecordId, ArticleNo>);

impl Founders {
    fn found(&mut self, record: RecordId, founder: ArticleNo) -> ArticleNo {
        self.0.insert(record, founder);
        founder
    }

    fn of(&self, store: &Store, record: RecordId) -> Result<Option<ArticleNo>, StoreError> {
        match self.0.get(&record) {
            Some(founder) => Ok(Some(*founder)),
            None => store.view().founder(record),
        }
    }
}

impl Opened {
    /// The number of the next arrival, above all in the journal, in flight and set aside.
    pub fn next_arrival(&self, in_flight: &[Claimed], failed: &FailedDir) -> Result<Arrival, PipelineError> {
        let journalled = self.store.view().counts()?.last_arrival;
        let claimed = in_flight.iter().map(|c| c.arrival.0).max().unwrap_or(0);
        let failed = failed.last_arrival()?.map_or(0, |a| a.0);
        Ok(Arrival(journalled.max(claimed).max(failed) + 1))
    }

    /// Makes a person's word durable. To be called while no stage runs.
    pub fn say(&mut self, events: &[Event]) -> Result<(), PipelineError> {
        said(&mut self.journal, &self.store, events)?;
        for event in events {
            heeded(&self.store, &mut self.detector, event)?;
        }
        Ok(())
    }

    /// Closes the arrivals that nobody will finish: what was given on the command line to a process that did not
    /// live to finish it, and what was claimed from one of these inboxes and is not among the jobs any more. What
    /// is in the journal of them stays.
    pub fn close_interrupted(&mut self, jobs: &[Job], inboxes: &[String]) -> Result<(), PipelineError> {
        let alive: HashSet<Arrival> = jobs.iter().map(|job| job.arrival).collect();
        for arrival in self.store.view().open_arrivals()? {
            let Some(row) = self.store.view().arrival(arrival)? else { continue };
            let is_ours = row.inbox.as_ref().is_none_or(|inbox| inboxes.contains(inbox));
            if alive.contains(&arrival) || !is_ours {
                continue;
            }
            let reason =
                Reason::new("interrupted", "wirefold was stopped while it read this file; hand it in again");
            let job = Job {
                arrival,
                origin: Origin::Given { path: PathBuf::from(&row.path), handed: None },
                shown: row.path.clone(),
                inbox: row.inbox.clone(),
                source: None,
                folder: None,
                at: row.at,
                kind: FileKind::Regular,
                resume: so_far(&row),
                times: ArticleTimes::Recent,
                tally: None,
            };
            let outcome = job::outcome(&job.resume, Some(&reason));
            let event = Event::Receipt(job.receipt(&job.resume, outcome, Some(reason)));
            self.say(&[event])?;
            tracing::warn!(path = job.shown, "a file was not read to its end; hand it in again");
        }
        Ok(())
    }
}

/// Whether a number that the journal does not know may stand for another file by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// None has been given out in this run.
    AllKnown,
    /// Files are claimed and handed over meanwhile.
    GivenOutMeanwhile,
}

/// What became of the files that an earlier run had in flight.
#[derive(Debug, Default)]
pub struct Resumed {
    /// Each is to go on where it stopped.
    pub jobs: Vec<Job>,
    /// These are done with, and are to leave their inbox.
    pub done: Vec<Committed>,
}

/// The files in flight that have their receipt are done with; the rest are jobs. A file that is not the one its number
/// stood for, or may not be, or has been written to since it was read, is to go back to its inbox, to be claimed anew.
pub fn resume(
    store: &Store,
    data_dir: &Path,
    in_flight: Vec<Claimed>,
    numbers: Numbers,
) -> Result<Resumed, PipelineError> {
    let (mut resumed, mut seen, mut requeued) = (Resumed::default(), HashSet::new(), None);
    for claimed in in_flight {
        let row = store.view().arrival(claimed.arrival)?;
        let fresh = Job::of_claim(claimed, Resume::default());
        let is_first = seen.insert(fresh.arrival);
        match row {
            None if is_first && numbers == Numbers::AllKnown => resumed.jobs.push(fresh),
            Some(row) if is_first && is_same(&fresh, &row) => {
                let resume = so_far(&row);
                let job = Job { at: row.at, resume, ..fresh };
                match row.outcome {
                    None => resumed.jobs.push(job),
                    Some(Outcome::Failed) if is_requeued(data_dir, &mut requeued, job.arrival)? => {
                        let why = "it was on its way back by 'requeue'";
                        resumed.done.push(Committed::Returned(Arc::new(job), why));
                    }
                    Some(outcome) => {
                        let digest = row.digest;
                        let receipt = Receipt { digest, ..job.receipt(&resume, outcome, row.reason) };
                        resumed.done.push(Committed::Finished(Arc::new(job), Box::new(receipt)));
                    }
                }
            }
            _ => {
                let why = "its number may stand for another file";
                resumed.done.push(Committed::Returned(Arc::new(fresh), why));
            }
        }
    }
    Ok(resumed)
}

/// Whether the journal says that a file was sent back. It is read once, where a file that failed is found claimed.
fn is_requeued(
    data_dir: &Path,
    requeued: &mut Option<HashSet<Arrival>>,
    arrival: Arrival,
) -> Result<bool, JournalError> {
    if let Some(requeued) = requeued {
        return Ok(requeued.contains(&arrival));
    }
    let (mut replay, mut found) =
        (Replay::from(&data_dir.join("journal"), Position::default())?, HashSet::new());
    while let Some(frame) = replay.next_frame()? {
        found.extend(frame.events.iter().filter_map(|event| match event {
            Event::Requeue(requeue) => Some(requeue.arrival),
            _ => None,
        }));
    }
    Ok(requeued.insert(found).contains(&arrival))
}

/// Whether a claimed file is the one that the journal speaks of, unchanged since it was read.
fn is_same(job: &Job, row: &ArrivalRow) -> bool {
    let Origin::Inbox(claimed) = &job.origin else { return false };
    row.inbox == job.inbox
        && row.path == job.shown
        && (row.bytes, row.modified_ns) == (claimed.bytes, claimed.modified_ns())
}

/// What of an arrival is in the journal.
fn so_far(row: &ArrivalRow) -> Resume {
    Resume { items: row.items, new: row.new, repeats: row.repeats, rejected: row.rejected }
}
