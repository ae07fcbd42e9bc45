//! Read-only questions about records, answered from the view and the journal.
//!
//! Owns the questions and the shapes of the answers, which are the stable contract that scripts rely on. It
//! prints nothing and does not care who asks: the daemon answers over its socket and a command straight from the
//! store with the same code, so with the same bytes. An answer is a sequence of lines of JSON.

mod explain;
mod passages;
mod records;
mod status;
mod weigh;
mod why;

pub use explain::{
    Basis, ExplainAnswer, FiguresAnswer, FitAnswer, MemberAnswer, NamesAnswer, NearMissAnswer, PairAnswer,
    SideAnswer, Standing, TermAnswer, ThresholdsAnswer,
};
pub use passages::PassageAnswer;
pub use records::{ArticleAnswer, LinkAnswer, RecordAnswer};
pub use status::{ArticleCounts, FileCounts, InboxStatus, Status};

use crate::{
    detect::{ProfileError, Settings},
    journal::JournalError,
    model::{ArticleId, ArticleNo},
    store::{Store, StoreError, View},
};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// An id may be shortened to so many digits, where they are unique.
const ID_DIGITS_MIN: usize = 4;

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "lowercase", deny_unknown_fields)]
pub enum Question {
    /// The newest records, newest first.
    List {
        /// How many at most; nothing for all.
        limit: Option<usize>,
    },
    /// One record with the texts of its articles, by a record's or an article's id.
    Show {
        /// The id.
        id: String,
    },
    /// Why an article or a record is as it is; with a second id, how near the two are.
    Explain {
        /// The id of an article or a record.
        id: String,
        /// Another one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        other: Option<String>,
    },
    /// All records in founding order.
    Export,
    /// How things stand.
    Status,
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// What was asked for is no id.
    #[error(
        "'{id}' is no id: an article's is hexadecimal digits, a record's is wf- and such digits, at least {ID_DIGITS_MIN} of them"
    )]
    NoId {
        /// What was given.
        id: String,
    },
    /// A record stands where an article is meant.
    #[error("{id} is a record; give the id of one of its articles")]
    NotAnArticle {
        /// The id.
        id: String,
    },
    /// More than one thing has an id that begins so.
    #[error("more than one id begins with {id}; give more of its digits")]
    Ambiguous {
        /// What was given.
        id: String,
    },
    /// Nothing has this id.
    #[error("nothing here has the id {id}")]
    NotFound {
        /// The id.
        id: String,
    },
    /// Two ids were given that mean one thing.
    #[error("both ids mean the same as {id}; give one of them, or two that differ")]
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
    /// An answer cannot be written as JSON.
    #[error("an answer cannot be written as JSON")]
    Encode(#[from] serde_json::Error),
}

/// A store that can be asked.
#[derive(Clone, Copy)]
pub struct Library<'s> {
    view: View<'s>,
    store: &'s Store,
    data_dir: &'s Path,
    settings: Settings,
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
        Self { view: store.view(), store, data_dir, settings }
    }

    fn journal(&self) -> PathBuf {
        self.data_dir.join("journal")
    }

    /// Answers a question line by line, until `line` says that nobody listens any more.
    pub fn answer(
        &self,
        question: &Question,
        line: &mut dyn FnMut(String) -> bool,
    ) -> Result<(), QueryError> {
        match question {
            Question::List { limit } => {
                let newest = self.view.founders().rev().take(limit.unwrap_or(usize::MAX));
                self.records(newest, line)
            }
            Question::Export => self.records(self.view.founders(), line),
            Question::Show { id } => {
                let record = self.record(self.founder_of(self.find(id)?)?, true)?;
                let record = record.ok_or_else(|| QueryError::NotFound { id: id.clone() })?;
                line(serde_json::to_string(&record)?);
                Ok(())
            }
            Question::Explain { id, other } => {
                line(serde_json::to_string(&self.explain(id, other.as_deref())?)?);
                Ok(())
            }
            Question::Status => {
                line(serde_json::to_string(&self.status()?)?);
                Ok(())
            }
        }
    }

    fn records(
        &self,
        founders: impl Iterator<Item = Result<ArticleNo, StoreError>>,
        line: &mut dyn FnMut(String) -> bool,
    ) -> Result<(), QueryError> {
        for founder in founders {
            // A record may be merged into another between the two looks.
            let Some(record) = self.record(founder?, false)? else { continue };
            if !line(serde_json::to_string(&record)?) {
                break;
            }
        }
        Ok(())
    }

    /// The founder of the record that is meant, or that holds the article that is meant.
    fn founder_of(&self, found: Found) -> Result<ArticleNo, QueryError> {
        match found {
            Found::Record(founder) => Ok(founder),
            Found::Article(no) => Ok(self.view.article(no)?.map_or(no, |article| article.founder)),
        }
    }

    /// The article that an id means; it may be shortened to what is unique.
    pub fn article_id(&self, id: &str) -> Result<ArticleId, QueryError> {
        may_mean_an_article(id)?;
        match self.find(id)? {
            Found::Article(no) => Ok(self.known(no)?.row.id),
            Found::Record(_) => Err(QueryError::NotAnArticle { id: id.to_owned() }),
        }
    }

    /// What an id means: a record, by its own or an alias, or an article. It may be shortened to what is unique.
    fn find(&self, id: &str) -> Result<Found, QueryError> {
        let given = id.to_lowercase();
        let (is_record, digits) = match given.strip_prefix("wf-") {
            Some(digits) => (true, digits_of(digits)),
            None => (false, digits_of(&given)),
        };
        let digits = digits.map_err(|_| QueryError::NoId { id: id.to_owned() })?;
        let found =
            if is_record { self.view.founders_like(&digits)? } else { self.view.articles_like(&digits)? };
        match found.as_slice() {
            [] => Err(QueryError::NotFound { id: id.to_owned() }),
            [one] if is_record => Ok(Found::Record(*one)),
            [one] => Ok(Found::Article(*one)),
            _ => Err(QueryError::Ambiguous { id: id.to_owned() }),
        }
    }
}

/// Whether an id is one that an article may have. It can be asked before there is a store to look in.
pub fn may_mean_an_article(id: &str) -> Result<(), QueryError> {
    if id.to_lowercase().strip_prefix("wf-").is_some_and(|digits| digits_of(digits).is_ok()) {
        return Err(QueryError::NotAnArticle { id: id.to_owned() });
    }
    digits_of(id).map(|_| ())
}

/// The digits that an id is looked up by.
fn digits_of(id: &str) -> Result<String, QueryError> {
    if id.len() < ID_DIGITS_MIN || !id.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(QueryError::NoId { id: id.to_owned() });
    }
    // Keys hold the first half of an article's digest; more digits tell no two apart.
    Ok(id.get(..id.len().min(32)).unwrap_or(id).to_lowercase())
}
