//! Opening a data directory: the view is checked and brought up to the journal's end, the detector is as it was,
//! and arrivals that nobody will finish are closed. A rebuild is the same from an empty view.

use super::{Job, Origin, PipelineError, Resume, dispose, job, prepare};
use crate::{
    clock,
    detect::{self, Detector},
    inbox::{Claimed, FailedDir},
    journal::{Frame, Journal, JournalError, Packs, Replay},
    model::{Arrival, ArticleNo, Event, Outcome, Reason, Receipt, RecordId},
    store::{Change, DataLock, Store, StoreError},
};
use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

/// Why a data directory cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The journal cannot be read.
    #[error("the journal cannot be read")]
    Journal(#[from] JournalError),
    /// The view can neither be used nor made anew.
    #[error("the view can neither be used nor made anew")]
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
}

/// Opens the data directory that `lock` is held on.
pub fn open(data_dir: &Path, settings: detect::Settings, lock: &DataLock) -> Result<Opened, OpenError> {
    let db = data_dir.join("db");
    let tried = Store::open(&db, lock.trust()).map_err(OpenError::from);
    match tried.and_then(|store| catch_up(data_dir, store, settings)) {
        Ok(opened) => Ok(opened),
        Err(OpenError::Store(error)) => {
            let aside = Store::move_aside(&db)?;
            tracing::warn!(
                error = &error as &dyn std::error::Error, kept = %aside.display(),
                "the view could not be used; it was moved aside and is made anew from the journal, nothing is lost"
            );
            catch_up(data_dir, Store::open(&db, lock.trust())?, settings)
        }
        Err(error) => Err(error),
    }
}

/// Makes the view anew from the journal; the old one is removed once the new one stands.
pub fn rebuild(data_dir: &Path, settings: detect::Settings, lock: &DataLock) -> Result<Opened, OpenError> {
    let db = data_dir.join("db");
    let old = if db.exists() { Some(Store::move_aside(&db)?) } else { None };
    let opened = catch_up(data_dir, Store::open(&db, lock.trust())?, settings)?;
    opened.store.sync()?;
    if let Some(old) = old
        && let Err(error) = fs::remove_dir_all(&old)
    {
        tracing::warn!(%error, folder = %old.display(), "the old view could not be removed; it is not needed any more");
    }
    Ok(opened)
}

/// Brings the view and the detector up to the journal's end.
fn catch_up(data_dir: &Path, store: Store, settings: detect::Settings) -> Result<Opened, OpenError> {
    let folder = data_dir.join("journal");
    let mut detector = restore(&store, settings)?;
    let mut replay = Replay::from(&folder, store.view().counts()?.applied)?;
    while let Some(frame) = replay.next_frame()? {
        apply(&store, &mut detector, &frame)?;
    }
    for damage in replay.damage() {
        let (path, from, to, what) = (damage.path.display(), damage.from, damage.to, &damage.what);
        if damage.at_the_end {
            tracing::warn!(%path, from, to, what, "the end of the journal was torn off by a crash before it counted; it is cut off");
        } else {
            tracing::error!(%path, from, to, what, "the journal is damaged here; what lies around it was read");
        }
    }
    let journal = Journal::open(&folder, replay.end())?;
    let packs = Packs::open(&data_dir.join("originals"))?;
    Ok(Opened { store, journal, packs, detector })
}

/// The detector as the view remembers it.
fn restore(store: &Store, settings: detect::Settings) -> Result<Detector, StoreError> {
    let (view, mut detector) = (store.view(), Detector::new(settings));
    let broken = |what: String| StoreError::Inconsistent(what);
    for profile in view.profiles() {
        let (no, profile) = profile?;
        let row =
            view.article(no)?.ok_or_else(|| broken(format!("article {} has a profile and no row", no.0)))?;
        let record = view.record(row.founder)?;
        let record = record.ok_or_else(|| broken(format!("article {} has no record", row.id)))?;
        detector.restore(&profile, row.founder, record.id).map_err(|e| broken(e.to_string()))?;
    }
    Ok(detector)
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
                    Some(_) => founders.of(store, e.verdict.record)?,
                };
                let (bytes, gone) = detector.replay(e, founder, &prepare::fingerprint_of(e));
                evicted.extend(gone);
                profile = Some(bytes);
            }
            Event::Merge(e) => {
                let (from, into) = (founders.of(store, e.from)?, founders.of(store, e.into)?);
                detector.replay_change(event, from, into);
                founders.found(e.from, into);
            }
            Event::Move(e) => {
                let (from, to) = (founders.of(store, e.from)?, founders.of(store, e.to)?);
                detector.replay_change(event, from, to);
            }
            Event::Sighting(_) | Event::Rejected(_) | Event::Receipt(_) => {}
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

    fn of(&self, store: &Store, record: RecordId) -> Result<ArticleNo, StoreError> {
        if let Some(founder) = self.0.get(&record) {
            return Ok(*founder);
        }
        let founder = store.view().founder(record)?;
        founder.ok_or_else(|| {
            StoreError::Inconsistent(format!("the journal speaks of record {record}, which is not there"))
        })
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

    /// Finishes with the files that are in flight and have their receipt, and returns the rest as jobs, each to
    /// go on where it stopped.
    pub fn resume(&self, in_flight: Vec<Claimed>, failed: &FailedDir) -> Result<Vec<Job>, PipelineError> {
        let mut jobs = Vec::new();
        for claimed in in_flight {
            let row = self.store.view().arrival(claimed.arrival)?;
            let Some(row) = row else {
                jobs.push(Job::of_claim(claimed, Resume::default()));
                continue;
            };
            let resume =
                Resume { items: row.items, new: row.new, repeats: row.repeats, rejected: row.rejected };
            let job = Job { at: row.at, ..Job::of_claim(claimed, resume) };
            match row.outcome {
                None => jobs.push(job),
                Some(outcome) => {
                    let reason = row.reason;
                    let receipt = closing(&job, &resume, outcome, reason);
                    dispose::dispose(failed, &job, &receipt)?;
                }
            }
        }
        Ok(jobs)
    }

    /// Closes the arrivals that have no receipt and no file in flight: what was given on the command line to a
    /// process that did not live to finish it. What is in the journal of them stays.
    pub fn close_interrupted(&mut self, in_flight: &[Claimed]) -> Result<(), PipelineError> {
        let alive: HashSet<Arrival> = in_flight.iter().map(|c| c.arrival).collect();
        let open = self.store.view().open_arrivals()?;
        for arrival in open.into_iter().filter(|a| !alive.contains(a)) {
            let Some(row) = self.store.view().arrival(arrival)? else { continue };
            let total =
                Resume { items: row.items, new: row.new, repeats: row.repeats, rejected: row.rejected };
            let reason =
                Reason::new("interrupted", "wirefold was stopped while it read this file; ingest it again");
            let job = Job {
                arrival,
                origin: Origin::Given(PathBuf::from(&row.path)),
                shown: row.path,
                source: None,
                folder: None,
                at: row.at,
                kind: crate::inbox::FileKind::Regular,
                resume: total,
                is_archive: false,
            };
            let outcome = job::outcome(&total, Some(&reason));
            let event = Event::Receipt(closing(&job, &total, outcome, Some(reason)));
            let places = self.journal.append(&[std::slice::from_ref(&event)], clock::now())?;
            let place = places.into_iter().flatten().next().unwrap_or_default();
            self.store.apply(&[Change::Event(&event, place, None)], self.journal.end())?;
            tracing::warn!(path = job.shown, "a file was interrupted while it was read; ingest it again");
        }
        Ok(())
    }
}

fn closing(job: &Job, total: &Resume, outcome: Outcome, reason: Option<Reason>) -> Receipt {
    Receipt {
        arrival: job.arrival,
        path: job.shown.clone(),
        at: job.at,
        bytes: 0,
        digest: None,
        outcome,
        new: total.new,
        repeats: total.repeats,
        rejected: total.rejected,
        reason,
        original: None,
    }
}
