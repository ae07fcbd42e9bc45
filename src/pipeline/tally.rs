//! What has become of the files that one person gave, for whoever waits to be told of them.

use crate::model::{Outcome, Receipt};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Of the files that could not be read, this many are remembered by name: about a screenful.
const UNREADABLE_MAX: usize = 20;

/// How far the files of one ingest have come, and how they ended. What has ended is durable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Files that ended, by outcome, in the order of [`Outcome::ALL`].
    files: [u64; Outcome::ALL.len()],
    /// Bytes of items that have been read, whether or not they are durable yet.
    pub bytes_read: u64,
    /// Articles received, repeats included.
    pub articles: u64,
    /// Items of files that could not be read.
    pub rejected: u64,
    /// Parts of files that hold no article, by the word for what they are instead.
    pub passed_over: BTreeMap<String, u64>,
    /// The first files that could not be read, or not whole, each with why.
    pub unreadable: Vec<(String, String)>,
}

impl Tally {
    /// Files that ended, by outcome.
    pub fn by_outcome(&self) -> impl Iterator<Item = (Outcome, u64)> {
        Outcome::ALL.into_iter().zip(self.files)
    }

    /// Files that ended.
    pub fn files(&self) -> u64 {
        self.files.iter().sum()
    }

    /// Whether everything that ended could be read.
    pub fn is_whole(&self) -> bool {
        let bad = |o: Outcome| matches!(o, Outcome::Failed | Outcome::Partly);
        self.by_outcome().all(|(outcome, n)| n == 0 || !bad(outcome))
    }

    /// Counts a file that ended.
    pub(super) fn count(&mut self, receipt: &Receipt) {
        for (outcome, n) in Outcome::ALL.into_iter().zip(&mut self.files) {
            *n += u64::from(outcome == receipt.outcome);
        }
        self.articles += receipt.new + receipt.repeats;
        self.rejected += receipt.rejected;
        for (why, count) in &receipt.passed_over {
            *self.passed_over.entry(why.clone()).or_default() += count;
        }
        let why = match (&receipt.reason, receipt.rejected) {
            (Some(reason), _) => reason.message.clone(),
            (None, 0) => return,
            (None, rejected) => format!("{rejected} of its items could not be read"),
        };
        if self.unreadable.len() < UNREADABLE_MAX {
            self.unreadable.push((receipt.path.clone(), why));
        }
    }
}
