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
    model::{ArticleNo, Digest, ParseIdError, RecordId},
    store::{Store, StoreError, View},
};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

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
    #[error(transparent)]
    Id(#[from] ParseIdError),
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

    /// The founder of the record that an id means: a record's own or an alias, or that of an article in it.
    fn find(&self, id: &str) -> Result<ArticleNo, QueryError> {
        let not_found = || QueryError::NotFound { id: id.to_owned() };
        if id.starts_with("wf-") {
            return self.view.founder(id.parse::<RecordId>()?)?.ok_or_else(not_found);
        }
        let (_, article) = self.view.article_by_id(id.parse::<Digest>()?)?.ok_or_else(not_found)?;
        Ok(article.founder)
    }
}
