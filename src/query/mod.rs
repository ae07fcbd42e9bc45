//! Read-only questions about records, answered from the view and the journal.
//!
//! Owns the questions and the shapes of the answers, which are the stable contract that scripts rely on. It
//! prints nothing and does not care who asks: the daemon answers over its socket and a command straight from the
//! store with the same code, so with the same bytes. An answer is a sequence of lines of JSON.

mod audit;
mod changes;
mod explain;
mod find;
mod list;
mod passages;
mod records;
mod recount;
mod status;
mod story;
mod trace;
mod weigh;
mod why;

pub use audit::{AuditAnswer, Finding, Mend, audit};
pub use changes::{Change, ChangeCounts, ChangesAnswer, DiffAnswer, PieceAnswer};
pub use explain::{
    Basis, ExplainAnswer, FiguresAnswer, FitAnswer, MemberAnswer, NamesAnswer, NearMissAnswer, PairAnswer,
    SideAnswer, Standing, TermAnswer, ThresholdsAnswer,
};
pub use find::may_mean_an_article;
pub use list::{Selection, Sort};
pub use passages::PassageAnswer;
pub use records::{ArticleAnswer, LinkAnswer, RecordAnswer};
pub use status::{ArticleCounts, DiskUse, FileCounts, InboxStatus, Rates, Status};
pub use trace::{StandingNow, StepName, TraceAnswer, TraceStep};

use crate::{
    detect::{ProfileError, Settings},
    journal::JournalError,
    model::ArticleNo,
    store::{Gathered, Order, Store, StoreError, View},
};
use serde::{Deserialize, Serialize};
use std::{
    path::{Path, PathBuf},
    sync::mpsc::sync_channel,
    thread,
};

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "lowercase", deny_unknown_fields)]
pub enum Question {
    /// Records, the newest first unless asked otherwise.
    List(Selection),
    /// One record with the texts of its articles, by a record's or an article's id.
    Show {
        /// The id.
        id: String,
        /// Only so many variants, the first and the one that is meant; all where nothing is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<usize>,
    },
    /// Why an article or a record is as it is; with a second id, how near the two are.
    Explain {
        /// The id of an article or a record.
        id: String,
        /// Another one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        other: Option<String>,
    },
    /// What a variant adds to its canonical article and drops of it; with a second id, any two articles.
    Diff {
        /// The id of an article or a record.
        id: String,
        /// Another one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        other: Option<String>,
    },
    /// The whole story of the files that a path, a digest or an id means, one file a line.
    Trace {
        /// The path, digest or id.
        what: String,
    },
    /// Whether all that is kept agrees. Empty lines say that it goes on; the last is the answer.
    Audit,
    /// All records in founding order.
    Export,
    /// How things stand.
    Status,
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// A record stands where an article is meant.
    #[error("{id} is a record; give the id of one of its articles")]
    NotAnArticle {
        /// The id.
        id: String,
    },
    /// More than one thing is meant.
    #[error("'{id}' may mean\n    {}", .candidates.join("\n    "))]
    Ambiguous {
        /// What was given.
        id: String,
        /// What it may mean, each on a line.
        candidates: Vec<String>,
    },
    /// A file is meant, and it holds several articles.
    #[error("'{path}' is a file of {count} articles; give one of them\n    {}", .candidates.join("\n    "))]
    FileOfSeveral {
        /// The file's path.
        path: String,
        /// How many.
        count: u64,
        /// They, each on a line, or as many as fit.
        candidates: Vec<String>,
    },
    /// A file is meant that has come in, and it holds no article.
    #[error("'{path}' has come in and holds no article{why}")]
    NoArticle {
        /// The file's path.
        path: String,
        /// What its receipt says, after a colon.
        why: String,
    },
    /// A record has nothing to compare its canonical article with.
    #[error("{id} has no variant to compare it with; give a second id")]
    NoVariant {
        /// What was given.
        id: String,
    },
    /// A record has more than one variant that may be meant.
    #[error("{id} has several variants; give one of them\n    {}", .candidates.join("\n    "))]
    Variants {
        /// What was given.
        id: String,
        /// The variants, each on a line.
        candidates: Vec<String>,
    },
    /// Nothing is called so.
    #[error(
        "nothing here is called '{id}'; give an id (4 of its digits at least), a path, or an article's own id in its file ('wirefold trace' tells also of files that wait)"
    )]
    NotFound {
        /// The id.
        id: String,
    },
    /// Nothing can be made durable for now.
    #[error("{why}. Nothing was changed")]
    Paused {
        /// Why, as a sentence.
        why: String,
    },
    /// Two audits at once.
    #[error("another audit runs already")]
    Auditing,
    /// An audit would take the room that the intake needs.
    #[error("{free_mb} MiB are free at {}, and an audit, which makes a second view there, asks for {needed_mb}", .path.display())]
    NoRoom {
        /// The data directory.
        path: PathBuf,
        /// What is free.
        free_mb: u64,
        /// What must be.
        needed_mb: u64,
    },
    /// No file is meant.
    #[error("nothing is known of '{what}': no file of that path, digest or id has come in, and none waits{}", where_else(.unseen))]
    NoStory {
        /// What was given.
        what: String,
        /// Why it may wait all the same, in a sentence for each folder that could not be looked into.
        unseen: Vec<String>,
    },
    /// Two ids were given that mean one thing.
    #[error(
        "both ids mean the same as {id} (files of the same bytes are one article); give one of them, or two that differ"
    )]
    Same {
        /// The first that was given.
        id: String,
    },
    /// What was kept of an article cannot be read.
    #[error("what was kept of an article to compare it cannot be read")]
    Profile(#[from] ProfileError),
    /// The view cannot be read.
    #[error("the view cannot be read")]
    Store(#[from] StoreError),
    /// A text cannot be read from the journal.
    #[error("a text cannot be read from the journal")]
    Journal(#[from] JournalError),
    /// The system lends no thread to read with.
    #[error("the records cannot be read: no thread can be started")]
    Thread(#[source] std::io::Error),
    /// An answer cannot be written as JSON.
    #[error("an answer cannot be written as JSON")]
    Encode(#[from] serde_json::Error),
}

/// Records are handed from the thread that reads them to the one that writes them so many at a time: to wake a thread takes
/// as long as to read some.
const BATCH_RECORDS: usize = 64;
/// So many batches may wait.
const BATCHES_WAITING: usize = 4;

/// Takes a line of an answer: JSON in UTF-8, or nothing to say that it goes on. It says whether anybody listens still.
pub type Tell<'t> = dyn FnMut(&[u8]) -> bool + 't;

/// A store that can be asked.
#[derive(Clone, Copy)]
pub struct Library<'s> {
    view: View<'s>,
    store: &'s Store,
    data_dir: &'s Path,
    settings: Settings,
    /// Whether something may be written while it is asked.
    is_live: bool,
}

/// What an id means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Article(ArticleNo),
    /// By its founder.
    Record(ArticleNo),
}

impl<'s> Library<'s> {
    /// The library of a data directory and its view, with the settings that decide.
    pub fn new(store: &'s Store, data_dir: &'s Path, settings: Settings) -> Self {
        Self { view: store.view(), store, data_dir, settings, is_live: false }
    }

    /// The same while a daemon writes.
    #[must_use]
    pub fn of_a_daemon(self) -> Self {
        Self { is_live: true, ..self }
    }

    fn journal(&self) -> PathBuf {
        self.data_dir.join("journal")
    }

    /// Answers a question line by line, until `line` says that nobody listens any more.
    pub fn answer(&self, question: &Question, line: &mut Tell<'_>) -> Result<(), QueryError> {
        match question {
            Question::List(asked) => self.list(asked, line),
            Question::Export => self.records(self.view.records(Order::Oldest), line),
            Question::Show { id, limit } => {
                line(&serde_json::to_vec(&self.show(id, *limit)?)?);
                Ok(())
            }
            Question::Explain { id, other } => {
                line(&serde_json::to_vec(&self.explain(id, other.as_deref())?)?);
                Ok(())
            }
            Question::Diff { id, other } => {
                line(&serde_json::to_vec(&self.diff(id, other.as_deref())?)?);
                Ok(())
            }
            Question::Audit => audit(self.data_dir, Some(self.store), self.is_live, line),
            Question::Trace { what } => self.trace(what, line),
            Question::Status => {
                line(&serde_json::to_vec(&self.status(self.disk_use()?)?)?);
                Ok(())
            }
        }
    }

    /// Answers with records. They are read on a thread of their own while those before them are written: either takes
    /// about as long, and where there are thousands a person waits for both.
    fn records(
        &self,
        records: impl Iterator<Item = Result<Gathered, StoreError>> + Send,
        line: &mut Tell<'_>,
    ) -> Result<(), QueryError> {
        let (mut known, mut text) = (self.known_to_all()?, Vec::new());
        thread::scope(|scope| {
            let (read, gathered) = sync_channel(BATCHES_WAITING);
            let reading = move || in_batches(records, |batch| read.send(batch).is_ok());
            let reader = thread::Builder::new().name("records".to_owned());
            reader.spawn_scoped(scope, reading).map_err(QueryError::Thread)?;
            for record in gathered.into_iter().flatten() {
                // A record may be merged into another between two looks.
                let Some(record) = self.record(record?, &mut known)? else { continue };
                text.clear();
                serde_json::to_writer(&mut text, &record)?;
                if !line(&text) {
                    break;
                }
            }
            Ok(())
        })
    }

    /// The founder of the record that is meant, or that holds the article that is meant.
    fn founder_of(&self, found: Found) -> Result<ArticleNo, QueryError> {
        match found {
            Found::Record(founder) => Ok(founder),
            Found::Article(no) => Ok(self.view.article(no)?.map_or(no, |article| article.founder)),
        }
    }
}

fn where_else(unseen: &[String]) -> String {
    match unseen {
        [] => String::new(),
        [one] => format!("; but {one}"),
        [one, rest @ ..] => format!("; but {one} (and {} more)", rest.len()),
    }
}

/// Gives on what is read, some at a time, until nobody takes it.
fn in_batches<T>(mut items: impl Iterator<Item = T>, mut give: impl FnMut(Vec<T>) -> bool) {
    loop {
        let batch: Vec<T> = items.by_ref().take(BATCH_RECORDS).collect();
        if batch.is_empty() || !give(batch) {
            return;
        }
    }
}
