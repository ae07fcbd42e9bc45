//! The terms of a text and how often they count.

use super::words::{Words, without_possessive};
use crate::model::{Language, SpreadHasher, TermCount, TermKind, TermMap, low_half, prior::Prior};

/// The first words of headline and text, and how often each counts: news is told in its head, which is also
/// compared as a vector of its own. Of 40, 60, 80, 120, 160 and 200 words, 80 served best as evidence on the
/// labelled sets: with fewer or more, rewrites and other stories of one running topic stand less far apart.
const HEAD_WORDS: usize = 80;
const HEAD_WEIGHT: u32 = 3;
/// The first words, which say what it is about: a headline, or the opening of a text that has none. Counted and not
/// taken from markup, so that a text with its headline and one without are compared alike.
const OPENING_WORDS: usize = 12;
/// The English weekdays and their short forms that are no other words.
const WEEKDAYS: [&[&str]; 7] = [
    &["monday"],
    &["tuesday", "tue", "tues"],
    &["wednesday", "weds"],
    &["thursday", "thu", "thurs"],
    &["friday", "fri"],
    &["saturday"],
    &["sunday"],
];
/// A text is English when this share of its words, figures aside, is common in the English prior.
const ENGLISH_PERCENT: usize = 25;

/// The counted terms of one text.
pub(super) struct Terms {
    pub counts: Vec<TermCount>,
    /// The weekdays that are named, Monday in the lowest bit.
    pub weekdays: u8,
    plain: usize,
    common: usize,
}

impl Terms {
    pub fn of(words: &Words) -> Self {
        let prior = Prior::english();
        let mut counts = TermMap::with_capacity_and_hasher(words.len(), SpreadHasher::default());
        let (mut plain, mut common, mut weekdays) = (0, 0, 0);
        for (i, (word, letters)) in words.iter().enumerate() {
            let (count, head) = if i < HEAD_WORDS { (HEAD_WEIGHT, 1) } else { (1, 0) };
            let kind = if word.is_figure { TermKind::Figure } else { TermKind::Word };
            let term = low_half(word.plain);
            let in_opening = i < OPENING_WORDS;
            add(&mut counts, TermCount { term, count, head, kind, in_opening });
            weekdays |= weekday(without_possessive(letters));
            if !word.is_figure {
                plain += 1;
                common += usize::from(prior.is_common(term));
            }
            if let Some(term) = word.name {
                add(&mut counts, TermCount { term, count, head, kind: TermKind::Name, in_opening: false });
            }
        }
        let mut counts: Vec<TermCount> = counts.into_values().collect();
        counts.sort_unstable_by_key(|t| t.term);
        Self { counts, weekdays, plain, common }
    }

    /// English by its words, else by the script of its letters.
    pub fn language(&self, text: &str) -> Language {
        if self.common * 100 >= self.plain.max(1) * ENGLISH_PERCENT {
            return Language::ENGLISH;
        }
        whatlang::detect_script(text).map_or(Language::UNKNOWN, |s| Language::of_script(s.name()))
    }
}

fn add(counts: &mut TermMap<TermCount>, one: TermCount) {
    counts
        .entry(one.term)
        .and_modify(|sum| {
            sum.count += one.count;
            sum.head += one.head;
            sum.in_opening |= one.in_opening;
        })
        .or_insert(one);
}

/// The bit of a weekday; 0 for any other word.
fn weekday(letters: &str) -> u8 {
    // Most words are none: one look at the first letter says so.
    if !letters.starts_with(['m', 't', 'w', 'f', 's']) {
        return 0;
    }
    let day = WEEKDAYS.iter().position(|names| names.contains(&letters));
    day.map_or(0, |day| 1 << day)
}
