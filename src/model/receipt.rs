//! What became of one file.

use super::{Arrival, Digest, Time};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How a file ended. With those still under way they add up to the files received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Everything in it was read, and something in it was new.
    Accepted,
    /// Some of it was read and some could not be.
    Partly,
    /// Everything in it had been received before, byte for byte.
    Duplicate,
    /// Nothing in it could be read.
    Failed,
}

impl Outcome {
    /// All of them, in the order in which they are counted and shown.
    pub const ALL: [Self; 4] = [Self::Accepted, Self::Partly, Self::Duplicate, Self::Failed];

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Partly => "partly",
            Self::Duplicate => "duplicate",
            Self::Failed => "failed",
        }
    }
}

/// Why a file, or an article in it, could not be read: a stable code for programs and a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// A stable word, such as `empty` or `not-text`.
    pub code: String,
    /// The whole sentence.
    pub message: String,
}

impl Reason {
    /// A reason from its code and sentence.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into() }
    }
}

/// Where the original bytes of a file are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Original {
    /// The pack's file name under `originals/`.
    pub pack: String,
    /// Where its frame begins, in bytes.
    pub offset: u64,
    /// How long its frame is, in bytes.
    pub length: u64,
}

/// What became of one file, written when all that came out of it is durable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Which arrival it closes.
    pub arrival: Arrival,
    /// The file's path as it lay under its inbox, or as typed; escaped where it is not text.
    pub path: String,
    /// When it was claimed.
    pub at: Time,
    /// How long it was, in bytes.
    pub bytes: u64,
    /// The digest of the whole file, where it could be read to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// How it ended.
    pub outcome: Outcome,
    /// New articles in it.
    pub new: u64,
    /// Articles in it that had been received before, byte for byte.
    pub repeats: u64,
    /// Items in it that could not be read.
    pub rejected: u64,
    /// What of it holds no article and was passed over, counted by the word for what it is instead.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub passed_over: BTreeMap<String, u64>,
    /// Why it failed, or failed in part as a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Where its bytes are kept; a byte-identical file points at the first one's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<Original>,
}
