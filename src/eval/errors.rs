//! The worst mistakes of a run: what was joined and does not belong together, and what was missed.

use super::{
    EvalError, LabelledSet,
    trial::{Grouping, Trial},
};
use serde::{Deserialize, Serialize};

/// Two articles that should not be where they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mistake {
    /// What is wrong.
    pub kind: MistakeKind,
    /// The ids of both within the set, the earlier first.
    pub articles: (String, String),
}

/// What is wrong with two articles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MistakeKind {
    /// They are in one record and do not belong together.
    FalseJoin,
    /// They belong together and are in two records.
    Miss,
}

pub(super) fn worst(
    _trial: &Trial,
    _set: &LabelledSet,
    _grouping: &Grouping,
    _most: usize,
) -> Result<Vec<Mistake>, EvalError> {
    Ok(Vec::new())
}
