//! The terms of a text and how often they count.

use super::words::Words;
use crate::model::{
    Language, TermCount,
    prior::{Prior, name_of, term_of},
};
use std::collections::HashMap;

/// The first words of headline and text, and how often each counts: news is told in its head. Of the
/// weights 1 to 4 and heads of 40 to 120 words tried in the reference, these ranked pairs best.
const HEAD_WORDS: usize = 80;
const HEAD_WEIGHT: u32 = 3;
/// The lead, which is compared as a vector of its own.
const LEAD_WORDS: usize = 60;
/// A text is English when this share of its words, figures aside, is common in the English prior.
const ENGLISH_PERCENT: usize = 25;

/// The counted terms of one text.
pub(super) struct Terms {
    pub counts: Vec<TermCount>,
    plain: usize,
    common: usize,
}

impl Terms {
    pub fn of(words: &Words) -> Self {
        let prior = Prior::english();
        let mut counts: HashMap<u32, TermCount> = HashMap::with_capacity(words.len());
        let (mut plain, mut common) = (0, 0);
        for (i, (word, letters)) in words.iter().enumerate() {
            let count = if i < HEAD_WORDS { HEAD_WEIGHT } else { 1 };
            let lead = u32::from(i < LEAD_WORDS);
            let letters = without_possessive(letters);
            let term = term_of(letters);
            add(&mut counts, TermCount { term, count, lead, is_figure: word.is_figure });
            if !word.is_figure {
                plain += 1;
                common += usize::from(prior.is_common(term));
            }
            if word.is_name {
                add(&mut counts, TermCount { term: name_of(letters), count, lead: 0, is_figure: false });
            }
        }
        let mut counts: Vec<TermCount> = counts.into_values().collect();
        counts.sort_unstable_by_key(|t| t.term);
        Self { counts, plain, common }
    }

    /// English by its words, else by the script of its letters.
    pub fn language(&self, text: &str) -> Language {
        if self.common * 100 >= self.plain.max(1) * ENGLISH_PERCENT {
            return Language::ENGLISH;
        }
        whatlang::detect_script(text).map_or(Language::UNKNOWN, |s| Language::of_script(s.name()))
    }
}

fn add(counts: &mut HashMap<u32, TermCount>, one: TermCount) {
    counts
        .entry(one.term)
        .and_modify(|sum| {
            sum.count += one.count;
            sum.lead += one.lead;
        })
        .or_insert(one);
}

fn without_possessive(letters: &str) -> &str {
    letters.strip_suffix("'s").or_else(|| letters.strip_suffix("\u{2019}s")).unwrap_or(letters)
}
