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

/// What was measured on the pair of an article and the member it was matched with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Bits in which the two 64-bit `SimHash` values differ.
    pub hamming: u32,
    /// The share of this article's sketch that the other holds.
    pub contained: Score,
    /// The share of the other's sketch that this article holds.
    pub contains: Score,
    /// The cosine of their strongest terms with every weight squared: whether they are about the same few things.
    pub terms: Score,
    /// The cosine of the names in their heads.
    pub head: Score,
    /// The share of one's first words, by weight, that the other's head has too; the lower of both directions.
    #[serde(default)]
    pub opening: Score,
    /// Agreement of their figures.
    pub figures: Score,
    /// The share of their rare terms, by weight, that both have.
    pub rare: Score,
    /// The share of one's names, by weight, that the other's head has too; the lower of both directions.
    pub names: Score,
    /// Agreement of the figures in their heads.
    #[serde(default)]
    pub head_figures: Score,
    /// How much they quote alike.
    #[serde(default)]
    pub quotes: Score,
    /// Whether they name one weekday (1) or none in common (-1); 0 where one of them names none.
    #[serde(default)]
    pub weekdays: i8,
    /// The probability that the two tell one story.
    pub probability: Score,
    /// The mean probability over the panel of the record's members, which decided.
    pub mean: Score,
    /// What the mean had to reach.
    pub threshold: Score,
}
