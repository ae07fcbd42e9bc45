//! Read-only questions about records, answered from the view and the journal.
//!
//! Owns the questions and the shapes of the answers, which are the stable contract that scripts rely on. It
//! prints nothing and does not care who asks: the daemon answers over its socket and a command straight from the
//! store with the same code, so with the same bytes. An answer is a sequence of lines of JSON.

mod records;
mod status;

pub use records::{ArticleAnswer, LinkAnswer, RecordAnswer};
pub use status::{ArticleCounts, FileCounts, InboxStatus, Status};

use crate::{
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
}

impl<'s> Library<'s> {
    /// The library of a data directory and its view.
    pub fn new(store: &'s Store, data_dir: &'s Path) -> Self {
        Self { view: store.view(), store, data_dir }
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
                let record = self.record(self.find(id)?, true)?;
                let record = record.ok_or_else(|| QueryError::NotFound { id: id.clone() })?;
                line(serde_json::to_string(&record)?);
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

    /// The article that an id means; it may be shortened to what is unique.
    pub fn article_id(&self, id: &str) -> Result<ArticleId, QueryError> {
        let not_found = || QueryError::NotFound { id: id.to_owned() };
        match self.view.articles_like(&digits_of(id)?)?.as_slice() {
            [] => Err(not_found()),
            [one] => Ok(self.view.article(*one)?.ok_or_else(not_found)?.id),
            _ => Err(QueryError::Ambiguous { id: id.to_owned() }),
        }
    }

    /// The founder of the record that an id means: a record's own or an alias, or that of an article in it. It may
    /// be shortened to what is unique.
    fn find(&self, id: &str) -> Result<ArticleNo, QueryError> {
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
            [one] if is_record => Ok(*one),
            [one] => Ok(self.view.article(*one)?.map_or(*one, |article| article.founder)),
            _ => Err(QueryError::Ambiguous { id: id.to_owned() }),
        }
    }
}

/// The digits that an id is looked up by.
fn digits_of(id: &str) -> Result<String, QueryError> {
    if id.len() < ID_DIGITS_MIN || !id.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(QueryError::NoId { id: id.to_owned() });
    }
    // Keys hold the first half of an article's digest; more digits tell no two apart.
    Ok(id.get(..id.len().min(32)).unwrap_or(id).to_lowercase())
}
