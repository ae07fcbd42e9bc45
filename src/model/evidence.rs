//! Why an article is where it is.

use super::Score;
use serde::{Deserialize, Serialize};

/// How a variant stands to the article it was matched with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Relation {
    /// The same normalized text.
    Identical,
    /// SimHash-close and confirmed on shingles.
    Near,
    /// Mostly contained in the other.
    Excerpt,
    /// Mostly contains the other.
    Extended,
    /// The same story in other words.
    Rewrite,
    /// A newer version under the same wire id.
    Revision,
}

impl Relation {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identical => "identical",
            Self::Near => "near",
            Self::Excerpt => "excerpt",
            Self::Extended => "extended",
            Self::Rewrite => "rewrite",
            Self::Revision => "revision",
        }
    }
}

/// What stands where both articles have a figure between the same words, which tells two reports of one form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    /// The frames that both have: runs of three words, one of them a figure that is left open.
    pub frames: u32,
    /// Those of them in which other figures stand.
    pub frames_changed: u32,
    /// How many different figures changed, wherever they stand; the lower of both articles.
    pub changed: u32,
    /// How many different figures stand in the same frame of both.
    pub stayed: u32,
}

/// What was measured on the pair of an article and the member it was matched with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Bits in which the two 64-bit `SimHash` values differ.
    pub hamming: u32,
    /// The share of this article's sketch that the other holds.
    pub contained: Score,
    /// The share of the other's sketch that this article holds.
    pub contains: Score,
    /// The cosine of their strongest terms.
    pub terms: Score,
    /// The cosine of their heads.
    pub head: Score,
    /// Agreement of their figures.
    pub figures: Score,
    /// The share of their rare terms, by weight, that both have.
    pub rare: Score,
    /// The share of one's names, by weight, that the other has too; the lower of both directions.
    pub names: Score,
    /// What stands where both have a figure.
    #[serde(default)]
    pub form: Form,
    /// The probability that the two tell one story.
    pub probability: Score,
    /// The mean probability over the panel of the record's members, which decided.
    pub mean: Score,
    /// What the mean had to reach.
    pub threshold: Score,
}
