//! The answer to `explain` as a person reads it.
use crate::query::ExplainAnswer;

/// The whole answer.
pub(super) fn explained(answer: &ExplainAnswer) -> String {
    answer.why.clone()
}
