//! A file to be taken in, and what becomes of it on its way.

use super::{Handed, Tally, word::Word};
use crate::{
    clock,
    detect::Kept,
    format::RawItem,
    inbox::{Claimed, FileKind, display_path, open_regular},
    journal::Alone,
    model::{
        Arrival, Article, ArticleId, ArticleNo, Digest, Event, Fingerprint, ItemPlace, Outcome, Reason,
        Receipt, Time,
    },
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read, Seek},
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::sync::watch;

/// Where a file lies, and whether it is ours to take away.
#[derive(Clone, Debug)]
pub enum Origin {
    /// Claimed from an inbox: removed or set aside when it is finished with.
    Inbox(Claimed),
    /// Given on the command line: left where it is.
    Given {
        /// Its path as it was typed, or found under what was typed.
        path: PathBuf,
        /// Its bytes, where this process cannot read them there.
        handed: Option<Handed>,
    },
}

/// The bytes of a file, which can be read from any place.
pub trait Bytes: Read + Seek {}

impl<T: Read + Seek> Bytes for T {}

/// What of a file is in the journal already, from a run that did not finish it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resume {
    /// The index of the next item.
    pub items: u32,
    /// New articles before it.
    pub new: u64,
    /// Repeats before it.
    pub repeats: u64,
    /// Unreadable items before it.
    pub rejected: u64,
}

/// A file to be taken in.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its number.
    pub arrival: Arrival,
    /// Where it lies.
    pub origin: Origin,
    /// Its path for people.
    pub shown: String,
    /// The inbox that it was claimed from, for people.
    pub inbox: Option<String>,
    /// Who delivers to its inbox, where that is configured.
    pub source: Option<String>,
    /// The first folder that it lay in.
    pub folder: Option<String>,
    /// When it was claimed, to the second.
    pub at: Time,
    /// What kind of file it is.
    pub kind: FileKind,
    /// Where to go on.
    pub resume: Resume,
    /// Which time of an article decides windows.
    pub times: ArticleTimes,
    /// Where somebody waits to be told what becomes of it. That ends when nothing more will.
    pub tally: Option<watch::Sender<Tally>>,
}

/// Which time of an article decides the windows that it is compared in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ArticleTimes {
    /// Its publication where that is recent, else its arrival.
    Recent,
    /// Its publication however long ago, as for an archive.
    Published,
    /// Its arrival, so that what is measured does not depend on the day on which it is.
    Arrival,
}

impl Job {
    /// The job of a claimed file.
    pub fn of_claim(claimed: Claimed, resume: Resume) -> Self {
        Self {
            inbox: Some(display_path(&claimed.inbox)),
            arrival: claimed.arrival,
            shown: display_path(&claimed.name),
            source: claimed.source.clone(),
            folder: claimed.folder.clone(),
            times: ArticleTimes::Recent,
            at: claimed.at.whole_second(),
            kind: claimed.kind,
            origin: Origin::Inbox(claimed),
            resume,
            tally: None,
        }
    }

    /// Its receipt, without what is known only when its bytes were read in this run.
    pub(super) fn receipt(&self, total: &Resume, outcome: Outcome, reason: Option<Reason>) -> Receipt {
        Receipt {
            arrival: self.arrival,
            path: self.shown.clone(),
            at: self.at,
            bytes: 0,
            digest: None,
            outcome,
            new: total.new,
            repeats: total.repeats,
            rejected: total.rejected,
            passed_over: BTreeMap::new(),
            reason,
            original: None,
        }
    }

    /// The job of a file that a person gave. Its number is still to come.
    pub fn of_given(path: PathBuf, kind: FileKind, folder: Option<String>, times: ArticleTimes) -> Self {
        Self {
            arrival: Arrival(0),
            shown: display_path(&path),
            origin: Origin::Given { path, handed: None },
            inbox: None,
            source: None,
            folder,
            at: clock::now().whole_second(),
            kind,
            resume: Resume::default(),
            times,
            tally: None,
        }
    }

    /// Where it lies, or lay.
    pub fn path(&self) -> &Path {
        match &self.origin {
            Origin::Inbox(claimed) => &claimed.path,
            Origin::Given { path, .. } => path,
        }
    }

    /// How many bytes it has, and the bytes from the first on.
    pub fn open(&self) -> io::Result<(u64, Box<dyn Bytes>)> {
        if let Origin::Given { handed: Some(handed), .. } = &self.origin {
            return Ok((handed.bytes()?, Box::new(handed.read())));
        }
        let file = match &self.origin {
            Origin::Inbox(claimed) => open_regular(&claimed.path)?,
            Origin::Given { path, .. } => File::open(path)?,
        };
        Ok((file.metadata()?.len(), Box::new(file)))
    }

    /// How long what a person gave is, where that can be told; of a file that breaks off it is not known later.
    pub(super) fn given_bytes(&self) -> u64 {
        match &self.origin {
            Origin::Given { handed: Some(handed), .. } => handed.bytes().unwrap_or(0),
            _ => fs::metadata(self.path()).map_or(0, |found| found.len()),
        }
    }

    /// Whether it is to be let go of in the middle when the run is to stop. What a person gave to this very process is
    /// the whole of its run.
    pub(super) fn may_be_cut(&self) -> bool {
        !matches!(self.origin, Origin::Given { handed: None, .. })
    }

    /// Whether it may be tried again later where it cannot be read for now. Who gave it waits to be told.
    pub(super) fn may_be_put_off(&self) -> bool {
        matches!(self.origin, Origin::Inbox(_))
    }

    /// Its claim, where it came by an inbox.
    pub(super) fn claimed(&self) -> Option<&Claimed> {
        match &self.origin {
            Origin::Inbox(claimed) => Some(claimed),
            Origin::Given { .. } => None,
        }
    }

    /// Whether the inbox that it was claimed in is not there now.
    pub(super) fn is_away(&self) -> bool {
        self.claimed().is_some_and(Claimed::is_away)
    }

    /// Tells whoever waits how far it has come.
    pub(super) fn tell(&self, news: impl FnOnce(&mut Tally)) {
        if let Some(tally) = &self.tally {
            tally.send_modify(news);
        }
    }
}

/// Some items of one file, cut out and not yet read.
#[derive(Debug)]
pub(super) struct Chunk {
    pub job: Arc<Job>,
    pub items: Vec<Cut>,
    pub end: Option<FileEnd>,
}

/// One item as it was cut out.
#[derive(Debug)]
pub(super) enum Cut {
    Item(RawItem),
    Bad(Refused),
}

impl Cut {
    /// How many bytes of it are held.
    pub fn size(&self) -> usize {
        match self {
            Self::Item(item) => item.bytes.len(),
            Self::Bad(refused) => refused.bytes.len(),
        }
    }
}

/// What is known at the end of a file.
#[derive(Debug)]
pub(super) struct FileEnd {
    pub bytes: u64,
    pub digest: Option<Digest>,
    pub original: OriginalBytes,
    /// Why the file as a whole could not be read, or not to its end.
    pub failure: Option<Reason>,
    /// What of it holds no article, by reason.
    pub passed_over: BTreeMap<String, u64>,
}

/// The bytes that go into a pack.
#[derive(Debug)]
pub(super) enum OriginalBytes {
    /// Here they are.
    Held(Vec<u8>),
    /// They are too many to hold, and lie in the file; with what is to be kept of it, where that was made as it was read.
    InFile(Option<Alone>),
    /// There are none worth keeping: the file itself is set aside.
    None,
}

/// An item that could not be read, with what is kept of it.
#[derive(Debug)]
pub(super) struct Refused {
    pub index: u32,
    pub place: Option<ItemPlace>,
    pub bytes: Vec<u8>,
    pub reason: Reason,
}

/// An article that is ready to be decided on.
#[derive(Debug)]
pub(super) struct Ready {
    pub index: u32,
    pub place: Option<ItemPlace>,
    pub id: ArticleId,
    pub text_digest: Digest,
    pub article: Article,
    pub fingerprint: Fingerprint,
}

/// Some items of one file, measured.
#[derive(Debug)]
pub(super) struct Prepared {
    pub job: Arc<Job>,
    pub items: Vec<Result<Box<Ready>, Refused>>,
    pub end: Option<FileEnd>,
}

/// Some items of one file, decided on.
#[derive(Debug)]
pub(super) struct Decided {
    pub job: Arc<Job>,
    /// Each with what it caused, and the profile of a new article.
    pub groups: Vec<Group>,
    pub refused: Vec<Refused>,
    pub evicted: Vec<ArticleNo>,
    pub end: Option<(Receipt, OriginalBytes)>,
    /// The file was written to since it was read and goes back to its inbox; nothing of it was decided.
    pub give_back: bool,
}

/// What the committing stage takes, in order.
#[derive(Debug)]
pub(super) enum Settled {
    Chunk(Box<Decided>),
    Word(Word),
}

impl Decided {
    /// Nothing is decided of it.
    pub fn nothing(job: Arc<Job>) -> Self {
        let (groups, refused, evicted) = (Vec::new(), Vec::new(), Vec::new());
        Self { job, groups, refused, evicted, end: None, give_back: false }
    }

    /// Of a file that goes back to its inbox nothing is decided.
    pub fn returned(job: Arc<Job>) -> Self {
        Self { give_back: true, ..Self::nothing(job) }
    }
}

/// Events that belong together in one frame of the journal.
#[derive(Debug)]
pub(super) struct Group {
    pub events: Vec<Event>,
    pub profile: Option<Kept>,
}

/// A file that the committing stage is done with.
#[derive(Debug)]
pub enum Committed {
    /// It is durable to its end.
    Finished(Arc<Job>, Box<Receipt>),
    /// It goes back to its inbox, for this reason.
    Returned(Arc<Job>, &'static str),
}

/// How a file ended, by what was in it.
pub(super) fn outcome(total: &Resume, failure: Option<&Reason>) -> Outcome {
    let (read, unread) = (total.new + total.repeats, total.rejected > 0 || failure.is_some());
    match (read, unread) {
        (0, _) => Outcome::Failed,
        (_, true) => Outcome::Partly,
        (_, false) if total.new == 0 => Outcome::Duplicate,
        (_, false) => Outcome::Accepted,
    }
}
