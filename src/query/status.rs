//! How things stand, with the two laws of counting.

use super::{Library, QueryError};
use crate::{
    model::{RecordId, Relation, Time},
    store::Counts,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::Path};
use walkdir::WalkDir;

/// The answer to `status`. What only a running daemon knows is absent when none runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// `running` or `stopped`.
    pub state: String,
    /// The version that answers.
    pub version: String,
    /// The daemon's process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// Since when it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// Where everything is kept.
    pub data_dir: String,
    /// What has come in and is not finished: waiting in the inboxes and under way.
    pub backlog: u64,
    /// Files: received = accepted + partly + duplicate + failed + pending.
    pub files: FileCounts,
    /// Articles: sightings = canonical + variants + repeats.
    pub articles: ArticleCounts,
    /// When something was last made durable.
    pub last_commit: Option<Time>,
    /// Variants by how they stand to what they were matched with.
    pub relations: BTreeMap<Relation, u64>,
    /// How fast articles come; only where a daemon runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rates: Option<Rates>,
    /// Articles in the windows, which new ones are compared with; only where a daemon runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index_articles: Option<usize>,
    /// What the daemon takes of memory, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// What the journal takes on disk, in bytes.
    pub journal_bytes: u64,
    /// What the originals take.
    pub originals_bytes: u64,
    /// What the view takes.
    pub view_bytes: u64,
    /// What is free for them where they lie; nothing where that cannot be told.
    pub free_bytes: Option<u64>,
    /// Each inbox.
    pub inboxes: Vec<InboxStatus>,
    /// The records in the windows that grew suspiciously fast.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alarms: Vec<RecordId>,
    /// What its operator should know: a stage that does not get on, a configuration that was not reloaded, settings that
    /// wait for a restart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<String>,
}

/// How many articles came lately, every arrival counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rates {
    /// In the last minute.
    pub last_minute: u64,
    /// In the last hour.
    pub last_hour: u64,
}

/// Files by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileCounts {
    /// All that were claimed or given.
    pub received: u64,
    /// Read whole, with something new in them.
    pub accepted: u64,
    /// Read in part.
    pub partly: u64,
    /// Received before, byte for byte.
    pub duplicate: u64,
    /// Not readable.
    pub failed: u64,
    /// Under way.
    pub pending: u64,
}

/// Articles by what they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArticleCounts {
    /// All arrivals of articles.
    pub sightings: u64,
    /// Canonical ones, one a record.
    pub canonical: u64,
    /// Variants.
    pub variants: u64,
    /// Arrivals of articles that had been received before.
    pub repeats: u64,
    /// Items that could not be read, which are no articles.
    pub rejected: u64,
}

/// One inbox.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxStatus {
    /// The folder.
    pub path: String,
    /// How it is watched, in words.
    pub watched: String,
    /// Since when it has not answered, as a mount whose server is gone; the other figures are those of then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent_since: Option<Time>,
    /// Files that wait in it.
    pub waiting: u64,
    /// Since when the oldest of them waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest: Option<Time>,
    /// Files that keep changing and so are not read yet.
    #[serde(default)]
    pub unsettled: u64,
    /// Files that could not be claimed; they are tried again.
    #[serde(default)]
    pub refused: u64,
    /// Some of them, by their paths under the inbox.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused_paths: Vec<String>,
    /// Files that no event told of and a scan found.
    #[serde(default)]
    pub found_by_scan: u64,
    /// Files that wait for their done-markers, where files have some; they are not among those that wait.
    #[serde(default)]
    pub unmarked: u64,
    /// Done-markers that have had no file for long.
    #[serde(default)]
    pub lone_markers: u64,
    /// One of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lone_marker: Option<String>,
    /// The latest trouble, while there is any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

impl FileCounts {
    /// Whether the law of files holds.
    pub fn add_up(&self) -> bool {
        self.received == self.accepted + self.partly + self.duplicate + self.failed + self.pending
    }
}

impl ArticleCounts {
    /// Whether the law of articles holds.
    pub fn add_up(&self) -> bool {
        self.sightings == self.canonical + self.variants + self.repeats
    }
}

/// What the parts of the data take on disk, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskUse {
    journal: u64,
    originals: u64,
    view: u64,
}

impl Library<'_> {
    /// Adds up what lies on the disk, file by file.
    pub fn disk_use(&self) -> Result<DiskUse, QueryError> {
        Ok(DiskUse {
            journal: bytes_in(&self.journal()),
            originals: bytes_in(&self.data_dir.join("originals")),
            view: self.store.bytes_on_disk()?,
        })
    }

    /// How the store stands; what only a daemon knows is left as it is where there is none.
    pub fn status(&self, disk: DiskUse) -> Result<Status, QueryError> {
        let counts = self.view.counts()?;
        let pending = self.view.open_arrivals()?.len() as u64;
        Ok(Status {
            state: "stopped".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            data_dir: self.data_dir.display().to_string(),
            backlog: pending,
            files: files(&counts, pending),
            articles: articles(&counts),
            relations: Relation::ALL.into_iter().zip(counts.relations).collect(),
            last_commit: counts.last_commit,
            journal_bytes: disk.journal,
            originals_bytes: disk.originals,
            view_bytes: disk.view,
            free_bytes: rustix::fs::statvfs(self.data_dir).ok().map(|fs| fs.f_bavail * fs.f_frsize),
            ..Status::default()
        })
    }

    /// How many of these arrivals the view knows nothing of yet.
    pub fn unknown_arrivals(
        &self,
        arrivals: impl IntoIterator<Item = crate::model::Arrival>,
    ) -> Result<u64, QueryError> {
        let mut unknown = 0;
        for arrival in arrivals {
            unknown += u64::from(self.view.arrival(arrival)?.is_none());
        }
        Ok(unknown)
    }
}

/// What the files below a folder take, in bytes; what cannot be looked at is left out.
fn bytes_in(folder: &Path) -> u64 {
    let files = WalkDir::new(folder).into_iter().flatten().filter(|entry| entry.file_type().is_file());
    files.filter_map(|file| file.metadata().ok()).map(|about| about.len()).sum()
}

fn files(c: &Counts, pending: u64) -> FileCounts {
    FileCounts {
        received: c.received,
        accepted: c.accepted,
        partly: c.partly,
        duplicate: c.duplicate,
        failed: c.failed,
        pending,
    }
}

fn articles(c: &Counts) -> ArticleCounts {
    ArticleCounts {
        sightings: c.sightings,
        canonical: c.canonical,
        variants: c.variants,
        repeats: c.repeats,
        rejected: c.rejected,
    }
}

impl Status {
    /// Adds files that are claimed and of which nothing is in the journal yet, and those that wait.
    pub fn add_live(&mut self, claimed: u64, inboxes: Vec<InboxStatus>) {
        self.files.received += claimed;
        self.files.pending += claimed;
        self.backlog = self.files.pending + inboxes.iter().map(|i| i.waiting).sum::<u64>();
        self.inboxes = inboxes;
    }
}
