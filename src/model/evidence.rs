//! Why an article is where it is.

use super::{LogOdds, Score};
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
    /// All of them, as they stand above.
    pub const ALL: [Self; 6] =
        [Self::Identical, Self::Near, Self::Excerpt, Self::Extended, Self::Rewrite, Self::Revision];

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

    /// The words for it, between the one and the other.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Identical => "the same text as",
            Self::Near => "nearly the same text as",
            Self::Excerpt => "an excerpt of",
            Self::Extended => "an extension of",
            Self::Rewrite => "a rewrite of",
            Self::Revision => "a revision of",
        }
    }

    /// How the other stands to the one, where the one stands so to the other.
    #[must_use]
    pub const fn turned(self) -> Self {
        match self {
            Self::Excerpt => Self::Extended,
            Self::Extended => Self::Excerpt,
            same => same,
        }
    }
}

/// What stands where both articles have a figure between the same words, which tells two reports of one form; or a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    /// The frames that both have: the words around a figure or a name, which is left open.
    pub frames: u32,
    /// Those of them in which something else stands.
    pub frames_changed: u32,
    /// How many different figures, or words of names, changed wherever they stand; the lower of both articles.
    pub changed: u32,
    /// How many different ones stand in the same frame of both.
    pub stayed: u32,
}

/// What was measured on two articles: the later, which is spoken of, and the earlier, which is the other.
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
    #[serde(default, skip_serializing_if = "is_default")]
    pub opening: Score,
    /// Agreement of their figures.
    pub figures: Score,
    /// The share of their rare terms, by weight, that both have.
    pub rare: Score,
    /// The share of one's names, by weight, that the other's head has too; the lower of both directions.
    pub names: Score,
    /// Agreement of the figures in their heads.
    #[serde(default, skip_serializing_if = "is_default")]
    pub head_figures: Score,
    /// How much they quote alike.
    #[serde(default, skip_serializing_if = "is_default")]
    pub quotes: Score,
    /// Whether they name one weekday (1) or none in common (-1); 0 where one of them names none.
    #[serde(default, skip_serializing_if = "is_default")]
    pub weekdays: i8,
    /// How alike their first sentences are to a sentence encoder; nothing where it did not see both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sentences: Option<Score>,
    /// What stands where both have a figure.
    #[serde(default, skip_serializing_if = "is_default")]
    pub form: Form,
    /// What stands where both have a name.
    #[serde(default, skip_serializing_if = "is_default")]
    pub name_form: Form,
    /// The probability that the two tell one story; 0 where they are siblings of one form.
    pub probability: Score,
    /// The mean probability over the pairs that were asked, which decided.
    pub mean: Score,
    /// What the mean had to reach.
    pub threshold: Score,
    /// How many pairs the mean is over; 0 where that was not kept.
    #[serde(default, skip_serializing_if = "is_default")]
    pub pairs: u32,
    /// The probability by shared wording alone; 0 where too little is shared to say anything.
    #[serde(default, skip_serializing_if = "is_default")]
    pub wording: Score,
    /// What each piece of evidence gave to the probability by terms.
    #[serde(default, skip_serializing_if = "is_default")]
    pub parts: Parts,
    /// Whether they are siblings of one form, which bars them from one record.
    #[serde(default, skip_serializing_if = "is_default")]
    pub siblings: bool,
    /// Whether they are so by their names, their figures alone not telling it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub by_names: bool,
    /// The terms that gave most to the cosine of the strongest, most first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shared_terms: Vec<SharedTerm>,
    /// The figures that were compared.
    #[serde(default, skip_serializing_if = "is_default")]
    pub compared: ComparedFigures,
    /// The names that made them siblings of one form.
    #[serde(default, skip_serializing_if = "is_default")]
    pub compared_names: ComparedNames,
}

impl Evidence {
    /// The probability but for a bar: the higher of that by terms and that by wording.
    pub fn unbarred(&self) -> Score {
        self.parts.total().probability().max(self.wording)
    }

    /// The same evidence with the earlier article spoken of.
    #[must_use]
    pub fn turned(mut self) -> Self {
        std::mem::swap(&mut self.contained, &mut self.contains);
        std::mem::swap(&mut self.compared.only_here, &mut self.compared.only_there);
        std::mem::swap(&mut self.compared_names.only_here, &mut self.compared_names.only_there);
        std::mem::swap(&mut self.compared.here, &mut self.compared.there);
        self
    }
}

/// The log-odds that two articles tell one story, by what gave them. They add up: the probability by terms is
/// 1 / (1 + e^-sum).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Parts {
    /// Where two articles start of which nothing is known.
    pub bias: LogOdds,
    /// By the strongest terms.
    pub terms: LogOdds,
    /// By the names in the heads.
    pub head: LogOdds,
    /// By the first words.
    #[serde(skip_serializing_if = "is_default")]
    pub opening: LogOdds,
    /// By the figures.
    pub figures: LogOdds,
    /// By the figures in the heads.
    #[serde(skip_serializing_if = "is_default")]
    pub head_figures: LogOdds,
    /// By the rare terms.
    pub rare: LogOdds,
    /// By the names.
    pub names: LogOdds,
    /// By what they quote.
    #[serde(skip_serializing_if = "is_default")]
    pub quotes: LogOdds,
    /// By the weekdays that they name.
    #[serde(skip_serializing_if = "is_default")]
    pub weekdays: LogOdds,
    /// By what a sentence encoder makes of their first sentences.
    #[serde(skip_serializing_if = "is_default")]
    pub sentences: LogOdds,
    /// Taken away because few articles of the language had been seen.
    #[serde(skip_serializing_if = "is_default")]
    pub cold: LogOdds,
    /// Taken away because one is short.
    #[serde(skip_serializing_if = "is_default")]
    pub short: LogOdds,
    /// Taken away for the days between them.
    #[serde(skip_serializing_if = "is_default")]
    pub days: LogOdds,
    /// Taken away because both are of one source.
    #[serde(skip_serializing_if = "is_default")]
    pub same_source: LogOdds,
}

impl Parts {
    /// Their sum.
    pub fn total(&self) -> LogOdds {
        let Self { bias, terms, head, opening, figures, head_figures, rare, names, .. } = *self;
        let Self { quotes, weekdays, sentences, cold, short, days, same_source, .. } = *self;
        let by_text = [bias, terms, head, opening, figures, head_figures, rare, names, quotes, weekdays];
        by_text.into_iter().chain([sentences, cold, short, days, same_source]).sum()
    }
}

/// A term that two articles share, by its number: its letters stand in their texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedTerm {
    /// Its number.
    pub term: u32,
    /// What it gives to the cosine of the strongest terms.
    pub weight: Score,
}

/// The figures of two articles by their terms' numbers, rarest first and cut to a few; with how many there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ComparedFigures {
    /// Different figures in this article.
    pub here: u32,
    /// Different figures in the other.
    pub there: u32,
    /// How many of them are in both.
    pub both: u32,
    /// Those in both.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shared: Vec<u32>,
    /// Those only in this article.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub only_here: Vec<u32>,
    /// Those only in the other.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub only_there: Vec<u32>,
}

/// The words of names that stand between the same words in both articles, by their terms' numbers, rarest first and cut
/// to a few.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ComparedNames {
    /// Those in the same place of both.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stayed: Vec<u32>,
    /// Those of this article where the other has others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub only_here: Vec<u32>,
    /// Those of the other that stand there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub only_there: Vec<u32>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was written before there were parts, names and bars is read for ever.
    #[test]
    fn the_first_form_of_evidence_is_still_read() {
        let line = r#"{"hamming":30,"contained":0.1,"contains":0.2,"terms":0.4,"head":0.5,"figures":0.0,
            "rare":0.3,"names":0.6,"probability":0.9,"mean":0.8,"threshold":0.65}"#;
        let evidence: Evidence = serde_json::from_str(line).unwrap();
        assert_eq!(evidence.mean, Score::from_share(0.8));
        assert!(!evidence.siblings && evidence.shared_terms.is_empty());
    }

    #[test]
    fn what_is_turned_twice_is_as_it_was() {
        let compared =
            ComparedFigures { here: 3, there: 2, only_here: vec![1, 2], ..ComparedFigures::default() };
        let evidence = Evidence { contained: Score::ONE, compared, ..Evidence::default() };
        assert_eq!(evidence.clone().turned().compared.there, 3);
        assert_eq!(evidence.clone().turned().turned(), evidence);
    }
}
