//! Whether all that is kept agrees: the journal with itself, both laws of counting, the originals with their digests, and
//! the view with the journal.
//!
//! Nothing is mended here. What is found says what would mend it, and `cli` has that done.

use super::{
    QueryError, Tell,
    recount::{Kept, Recount},
    trace::GOES_ON_FRAMES,
};
use crate::{
    journal::{Damage, Frame, JournalError, Position, Replay, check_original, unreferred},
    model::{Arrival, Digest, Original},
    store::{Comparison, Counts, Store},
};
use serde::{Deserialize, Serialize};
use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet, HashSet},
    fs, io,
    path::Path,
    sync::{Mutex, TryLockError},
    thread::park_timeout,
    time::Duration,
};
use tracing::subscriber::{NoSubscriber, with_default};

/// One audit at a time: each makes a view of its own, always in the same place.
static AUDITING: Mutex<()> = Mutex::new(());

/// So many originals are checked between two signs that it goes on.
const GOES_ON_ORIGINALS: u64 = 256;

/// How often, and how many times, it is looked whether a view has come as far as the journal: a minute in all, which a
/// commit never takes.
const VIEW_LOOK_EVERY: Duration = Duration::from_millis(20);
const VIEW_LOOKS: u32 = 3000;

/// So many rows that differ are named; one is enough for a rebuild.
const ROWS_NAMED_MAX: usize = 10;
/// How many letters of a pack's name tell its day.
const DAY_LETTERS: usize = 10;
/// What must stay free beside the second view: twice what pauses the intake as it is shipped.
const ROOM_LEFT_BYTES: u64 = 256 << 20;

/// What an audit found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditAnswer {
    /// Frames of the journal that were read.
    pub frames: u64,
    /// Events in them.
    pub events: u64,
    /// Files that they speak of.
    pub files: u64,
    /// Articles that they hold.
    pub articles: u64,
    /// Originals that are there with the right digest.
    pub originals: u64,
    /// Originals in packs of days before the oldest that is kept: these were aged out.
    pub originals_gone: u64,
    /// Files of which something could not be read, and that were not put back.
    #[serde(default)]
    pub failed: u64,
    /// Those of them of which nothing lies in `failed/` any more, as where somebody removed it.
    #[serde(default)]
    pub failed_gone: u64,
    /// Rows of the view that are what the journal makes of them; nothing where there is no view, as in a backup.
    pub rows: Option<u64>,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// Damage that is known and was mended as far as it could be.
    pub mended: Vec<String>,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What, as a sentence.
    pub what: String,
    /// What would mend it, where anything here does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mend: Option<Mend>,
}

/// What mends something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mend {
    /// To make the view anew.
    Rebuild,
    /// To take in an original once more.
    Original {
        /// Where it lies.
        original: Original,
        /// The digest of its bytes. Where the file waits in a claim too, it is not lost but under way.
        digest: Digest,
        /// The path that it came by, where that is known.
        path: Option<String>,
    },
    /// To note a stretch of the journal as damaged, once what can be had of it from originals was taken in.
    Note {
        /// The segment.
        segment: u32,
        /// Where the stretch begins.
        from: u64,
        /// Where it ends.
        to: u64,
    },
}

/// Audits a data directory, with its view where it has one; `is_live` while something may be written to it. Empty lines say
/// that it goes on, the last is an [`AuditAnswer`].
pub fn audit(
    data_dir: &Path,
    store: Option<&Store>,
    is_live: bool,
    line: &mut Tell<'_>,
) -> Result<(), QueryError> {
    let _only = match AUDITING.try_lock() {
        Err(TryLockError::WouldBlock) => return Err(QueryError::Auditing),
        guard => guard,
    };
    let mut audit = Audit {
        data_dir,
        is_live,
        line: RefCell::new(line),
        is_heard: Cell::new(true),
        recount: Recount::default(),
        told: AuditAnswer::default(),
    };
    // Refused before anything is said, so that it is an answer of its own.
    store.map_or(Ok(()), |store| check_room(data_dir, store.bytes_on_disk()?))?;
    if !audit.go_on() {
        return Ok(());
    }
    let damage = if let Some(store) = store { audit.with_view(store)? } else { audit.without_view()? };
    audit.damage(&damage);
    audit.originals()?;
    audit.failed();
    let Audit { told, line, is_heard, .. } = audit;
    if is_heard.get() {
        (line.into_inner())(&serde_json::to_vec(&told)?);
    }
    Ok(())
}

struct Audit<'a> {
    data_dir: &'a Path,
    is_live: bool,
    line: RefCell<&'a mut Tell<'a>>,
    /// Whether anybody listens still.
    is_heard: Cell<bool>,
    recount: Recount,
    told: AuditAnswer,
}

type Heed<'h> = &'h mut dyn FnMut(&Frame) -> Result<(), QueryError>;

impl Audit<'_> {
    /// Says that it goes on. False where nobody listens.
    fn go_on(&self) -> bool {
        self.is_heard.set(self.is_heard.get() && (self.line.borrow_mut())(b""));
        self.is_heard.get()
    }

    fn wrong(&mut self, what: String, mend: Option<Mend>) {
        self.told.findings.push(Finding { what, mend });
    }

    fn replay(&self) -> Result<Replay, JournalError> {
        Replay::from(&self.data_dir.join("journal"), Position::default())
    }

    /// Reads the journal on to its end, or as long as anybody listens.
    fn read(&mut self, replay: &mut Replay, heed: Heed<'_>) -> Result<(), QueryError> {
        while let Some(frame) = replay.next_frame()? {
            self.told.frames += 1;
            self.recount.frame(&frame);
            heed(&frame)?;
            if self.told.frames.is_multiple_of(GOES_ON_FRAMES) && !self.go_on() {
                break;
            }
        }
        Ok(())
    }

    fn without_view(&mut self) -> Result<Vec<Damage>, QueryError> {
        let mut replay = self.replay()?;
        self.read(&mut replay, &mut |_| Ok(()))?;
        self.counts(None);
        Ok(replay.into_damage())
    }

    /// The same, and what the view should be is made of it and compared with what it is.
    fn with_view(&mut self, store: &Store) -> Result<Vec<Damage>, QueryError> {
        let made = Comparison::begin(&self.data_dir.join("db.audit"))?;
        let mut replay = self.replay()?;
        let (data_dir, mut frames) = (self.data_dir, 0_u64);
        self.read(&mut replay, &mut |frame| {
            frames += 1;
            if frames.is_multiple_of(GOES_ON_FRAMES) {
                check_room(data_dir, 0)?;
            }
            apply(&made, frame)
        })?;
        let (mut end, mut damage) = (replay.end(), replay.into_damage());
        match self.compare(store, &made, &mut end, &mut damage) {
            // A new view mends whatever cannot be read of this one.
            Err(QueryError::Store(error)) if error.is_damage() => {
                self.wrong(format!("the view cannot be read: {error}"), Some(Mend::Rebuild));
            }
            compared => compared?,
        }
        Ok(damage)
    }

    /// Compares the view with what was made of the journal up to `end`, some rows at a time: commits go on in between, and
    /// what was made follows them. What was alike once stays so, since both follow one journal.
    fn compare(
        &mut self,
        store: &Store,
        made: &Comparison,
        end: &mut Position,
        damage: &mut Vec<Damage>,
    ) -> Result<(), QueryError> {
        let (mut rows, mut looks, mut after, mut named) = (None, 0, None, 0);
        while self.go_on() {
            // Most of what came since is made up for while nobody waits.
            self.follow(made, store.view().counts()?.applied, end, damage)?;
            let looked = store.still(|view| -> Result<_, QueryError> {
                let counts = view.counts()?;
                if counts.applied < *end {
                    // The journal is written before the view: what the view does not have yet is under way.
                    return Ok(None);
                }
                self.follow(made, counts.applied, end, damage)?;
                if rows.is_none() {
                    self.counts(Some(&counts));
                }
                Ok(Some(made.slice(view, after.as_deref())?))
            });
            let Some(slice) = looked? else {
                looks += 1;
                if looks > VIEW_LOOKS {
                    let mend = (!self.is_live).then_some(Mend::Rebuild);
                    self.wrong("the view is behind the journal and does not follow".to_owned(), mend);
                    break;
                }
                park_timeout(VIEW_LOOK_EVERY);
                continue;
            };
            rows = Some(rows.unwrap_or(0) + slice.alike);
            for what in slice.differ {
                named += 1;
                if named <= ROWS_NAMED_MAX {
                    let what = format!("the view does not agree with the journal: {what}");
                    self.wrong(what, Some(Mend::Rebuild));
                }
            }
            after = slice.last;
            if after.is_none() {
                break;
            }
        }
        self.told.rows = rows;
        Ok(())
    }

    /// Applies what the journal got since to what is made of it, up to where the view is.
    fn follow(
        &mut self,
        made: &Comparison,
        to: Position,
        end: &mut Position,
        damage: &mut Vec<Damage>,
    ) -> Result<(), QueryError> {
        if *end >= to {
            return Ok(());
        }
        let mut replay = Replay::from(&self.data_dir.join("journal"), *end)?;
        while replay.end() < to {
            let Some(frame) = replay.next_frame()? else { break };
            self.told.frames += 1;
            self.recount.frame(&frame);
            apply(made, &frame)?;
        }
        *end = replay.end();
        damage.extend(replay.into_damage());
        Ok(())
    }

    fn counts(&mut self, counts: Option<&Counts>) {
        (self.told.events, self.told.files) = (self.recount.events, self.recount.files());
        self.told.articles = self.recount.articles();
        for what in self.recount.against(counts) {
            self.wrong(format!("the counts do not add up: {what}"), counts.map(|_| Mend::Rebuild));
        }
    }

    fn damage(&mut self, damage: &[Damage]) {
        for stretch in damage {
            let Damage { segment, path, from, to, at_the_end, what } = stretch;
            let name = path.file_name().unwrap_or_default().display();
            let said = format!("journal/{name} cannot be read from byte {from} to {to}: {what}");
            if *at_the_end {
                // What is being written, or was when it was cut short, was never acknowledged.
                continue;
            }
            if self.recount.is_mended(stretch) {
                self.told.mended.push(said);
            } else {
                let mend = Mend::Note { segment: *segment, from: *from, to: *to };
                self.wrong(said, Some(mend));
            }
        }
        if self.recount.lost_articles > 0 && self.told.mended.is_empty() {
            let lost = self.recount.lost_articles;
            self.wrong(format!("sightings of articles that the journal does not know: {lost}"), None);
        }
        for (arrival, short) in self.recount.short.clone() {
            let (missing, path, number) = (short.missing, short.path, arrival.0);
            let mend = short.kept.map(|kept| {
                let Kept { original, digest, path } = kept;
                Mend::Original { original, digest, path: Some(path) }
            });
            self.wrong(format!("articles of {path} (arrival {number}) that are missing: {missing}"), mend);
        }
    }

    /// Every original that a receipt speaks of, and what else is whole in the packs.
    fn originals(&mut self) -> Result<(), QueryError> {
        let folder = self.data_dir.join("originals");
        let mut packs: BTreeMap<String, Vec<(u64, u64)>> = BTreeMap::new();
        let (there, mut checked) = (names_in(&folder)?, 0_u64);
        let originals = std::mem::take(&mut self.recount.originals);
        let is_spoken_of = |name: &&String| {
            originals.range(((*name).clone(), 0)..).next().is_some_and(|((pack, _), _)| pack == *name)
        };
        let oldest = there.iter().find(is_spoken_of).cloned();
        let (mut gone, mut kept_at_all) = (Vec::new(), HashSet::new());
        for ((pack, offset), kept) in originals {
            let spoken_of = packs.entry(pack.clone()).or_default();
            spoken_of.push((offset, kept.original.length));
            checked += 1;
            if checked.is_multiple_of(GOES_ON_ORIGINALS) && !self.go_on() {
                return Ok(());
            }
            if !folder.join(&pack).exists() {
                if is_aged_out(&pack, oldest.as_deref()) {
                    self.told.originals_gone += 1;
                } else {
                    gone.push((pack, kept.digest));
                }
                continue;
            }
            match check_original(&folder, &kept.original, kept.digest, &|| ()) {
                Ok(()) => {
                    self.told.originals += 1;
                    kept_at_all.insert(kept.digest);
                }
                Err(what) => {
                    let path = kept.path;
                    self.wrong(
                        format!("the original of {path} in originals/{pack} at byte {offset}: {what}"),
                        None,
                    );
                }
            }
        }
        // What came once more was kept anew.
        self.lost(gone.into_iter().filter(|(_, digest)| !kept_at_all.contains(digest)).map(|(pack, _)| pack));
        let mut seen = BTreeSet::new();
        for pack in there {
            let mut spoken_of = packs.remove(&pack).unwrap_or_default();
            if self.is_live {
                // What lies behind all that is spoken of may be on its way into the journal.
                let end = spoken_of.last().map_or(0, |(offset, length)| offset + length);
                spoken_of.push((end, u64::MAX - end));
            }
            for found in unreferred(&folder, &pack, &spoken_of)? {
                if self.recount.digests.contains(&found.digest) || !seen.insert(found.digest) {
                    continue;
                }
                let offset = found.original.offset;
                let (original, digest) = (found.original, found.digest);
                let mend = Mend::Original { original, digest, path: None };
                let what =
                    format!("a file in originals/{pack} at byte {offset} that the journal does not know");
                self.wrong(what, Some(mend));
            }
            if !self.go_on() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Says of each pack that is lost how many files' bytes were in it alone.
    fn lost(&mut self, packs: impl Iterator<Item = String>) {
        let mut lost = BTreeMap::<String, u64>::new();
        for pack in packs {
            *lost.entry(pack).or_default() += 1;
        }
        for (pack, files) in lost {
            self.wrong(format!("originals/{pack} is gone, and with it the bytes of files: {files}"), None);
        }
    }

    /// Whether what could not be read is still kept with its reason. To remove it is a person's to do, so it is told and not wrong.
    fn failed(&mut self) {
        let kept = arrivals_in(&self.data_dir.join("failed"));
        self.told.failed = self.recount.failed.len() as u64;
        self.told.failed_gone = self.recount.failed.difference(&kept).count() as u64;
    }
}

/// Whether a pack that is not there was aged out: of a day before that of the oldest that is. Who ages out takes whole days, the
/// oldest first, and there is always one left that is written to; what else is missing is lost.
fn is_aged_out(pack: &str, oldest: Option<&str>) -> bool {
    let day = |name: &str| name.get(..DAY_LETTERS).map(str::to_owned);
    oldest.is_some_and(|oldest| day(pack) < day(oldest))
}

/// Applies a frame to the second view, which is silent of what was lost: the first said so when it met it, and the audit says it
/// in its findings, or that it is known.
fn apply(made: &Comparison, frame: &Frame) -> Result<(), QueryError> {
    Ok(with_default(NoSubscriber::new(), || made.apply(frame))?)
}

/// The second view takes about as much as the first, and while it grows the intake needs room of its own.
fn check_room(data_dir: &Path, view_bytes: u64) -> Result<(), QueryError> {
    let path = data_dir.to_owned();
    let fs = match rustix::fs::statvfs(data_dir) {
        Ok(fs) => fs,
        Err(error) => {
            return Err(JournalError::Io { action: "look at", path, source: error.into() }.into());
        }
    };
    let (free, needed) =
        (fs.f_bavail.saturating_mul(fs.f_frsize), view_bytes.saturating_add(ROOM_LEFT_BYTES));
    if free < needed {
        return Err(QueryError::NoRoom { path, free_mb: free >> 20, needed_mb: needed >> 20 });
    }
    Ok(())
}

/// The arrivals of which a folder of failed files has a reason, by the numbers at the heads of their names.
fn arrivals_in(folder: &Path) -> HashSet<Arrival> {
    let names = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok());
    let reasons = names.filter(|name| name.ends_with(".reason.json"));
    reasons.filter_map(|name| Some(Arrival(name.split_once('-')?.0.parse().ok()?))).collect()
}

/// The packs that there are, by name.
fn names_in(folder: &Path) -> Result<Vec<String>, QueryError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => {
            return Err(JournalError::Io { action: "list", path: folder.to_owned(), source }.into());
        }
    };
    let mut names: Vec<_> =
        entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.retain(|name| Path::new(name).extension().is_some_and(|e| e == "zst"));
    names.sort_unstable();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All was well where every original was gone, as nobody asked who had taken them.
    #[test]
    fn only_days_before_the_oldest_that_is_kept_were_aged_out() {
        let [first, second, third] = ["2026-11-20-0001.zst", "2026-11-21-0300.zst", "2026-11-22-0900.zst"];
        assert!(is_aged_out(first, Some(second)) && is_aged_out(second, Some(third)));
        assert!(!is_aged_out(second, Some(first)), "one between two that are kept");
        assert!(!is_aged_out(third, Some(third)) && !is_aged_out(first, None));
        assert!(
            !is_aged_out("2026-11-20-0000000000000009.alone.zst", Some(first)),
            "a file of a day that is kept"
        );
    }
}
