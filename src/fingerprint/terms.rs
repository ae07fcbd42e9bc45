//! The terms of a text and how often they count.

use super::words::{Words, without_possessive};
use crate::model::{Language, TermCount, TermKind, low_half, prior::Prior};

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
        // In the order in which each comes first.
        let mut counts: Vec<TermCount> = Vec::with_capacity(2 * words.different());
        let mut all = vec![None; words.different()];
        let (mut plain, mut common, mut weekdays) = (0, 0, 0);
        for (i, (word, letters)) in words.iter().enumerate() {
            let Some(known) = all.get_mut(word.number as usize) else { continue };
            let (count, head) = if i < HEAD_WORDS { (HEAD_WEIGHT, 1) } else { (1, 0) };
            let known = known.get_or_insert_with(|| {
                let kind = if word.is_figure { TermKind::Figure } else { TermKind::Word };
                let term = low_half(word.plain);
                weekdays |= weekday(without_possessive(letters));
                Known { word: begun(term, kind, &mut counts), name: None, is_common: prior.is_common(term) }
            });
            add(counts.get_mut(known.word), (count, head, i < OPENING_WORDS));
            if !word.is_figure {
                plain += 1;
                common += usize::from(known.is_common);
            }
            if let Some(term) = word.name {
                let name = *known.name.get_or_insert_with(|| begun(term, TermKind::Name, &mut counts));
                add(counts.get_mut(name), (count, head, false));
            }
        }
        Self { counts: sorted(&counts), weekdays, plain, common }
    }

    /// English by its words, else by the script of its letters.
    pub fn language(&self, text: &str) -> Language {
        if self.common * 100 >= self.plain.max(1) * ENGLISH_PERCENT {
            return Language::ENGLISH;
        }
        whatlang::detect_script(text).map_or(Language::UNKNOWN, |s| Language::of_script(s.name()))
    }
}

/// What is known of a word that was met before.
#[derive(Clone, Copy)]
struct Known {
    /// Where it is counted, and where as a name.
    word: usize,
    name: Option<usize>,
    is_common: bool,
}

/// Begins to count a term, and says where.
fn begun(term: u32, kind: TermKind, counts: &mut Vec<TermCount>) -> usize {
    counts.push(TermCount { term, count: 0, head: 0, kind, in_opening: false });
    counts.len() - 1
}

fn add(to: Option<&mut TermCount>, (count, head, in_opening): (u32, u32, bool)) {
    if let Some(sum) = to {
        sum.count += count;
        sum.head += head;
        sum.in_opening |= in_opening;
    }
}

/// The counts by their terms. Two words whose numbers as terms are alike are one term, of the kind of the first.
fn sorted(counts: &[TermCount]) -> Vec<TermCount> {
    // What is sorted is as short as can be: the term, and behind it where it stands.
    let mut order: Vec<u64> = (0..).zip(counts).map(|(at, one)| u64::from(one.term) << 32 | at).collect();
    order.sort_unstable();
    let mut sorted: Vec<TermCount> = Vec::with_capacity(counts.len());
    for one in order.into_iter().filter_map(|place| counts.get(low_half(place) as usize)) {
        match sorted.last_mut() {
            Some(last) if last.term == one.term => add(Some(last), (one.count, one.head, one.in_opening)),
            _ => sorted.push(*one),
        }
    }
    sorted
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
