//! Where names stand in a text, and which: what tells a form that is filled in anew with other names. A name's frame
//! is the two words before it and the two after it, other names and figures left open.
//!
//! Only names in sentences count: a byline, a dateline and a sign-off change when one story goes from desk to desk.

use super::{
    shingles::mix,
    slots,
    words::{Word, Words},
};
use crate::model::{Slot, low_half};
use std::ops::Range;

/// What stands in a frame for the name whose slot it is, for any other name, for a figure, and beyond the text's ends.
const OPEN: u64 = 0x3442_3442_3442_3442;
const NAME: u64 = 0x4234_4234_4234_4234;
const FIGURE: u64 = 0x4243_4243_4243_4243;
const BEYOND: u64 = 0x2434_2434_2434_2434;
/// So many words on either side make the frame. With one, forms are found as often, and in twice as many edited copies
/// names by chance stand in one frame.
const AROUND: usize = 2;
/// A text keeps so many slots, those with the smallest frames, so that two texts of one form keep the same ones. Half of
/// 700 web articles have 25 and fewer, nine in ten 67.
const SLOTS_MAX: usize = 64;

/// One word, or several that make one name or one figure.
struct Token {
    kind: Kind,
    /// The hash of a plain word; what stands for any other.
    hash: u64,
    /// Which words of the text it is made of.
    words: Range<usize>,
    in_sentence: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Word,
    Figure,
    Name,
}

/// The slots of a text's names, sorted and without repeats. A name of two words fills its slot with both.
pub(super) fn of(words: &Words) -> Vec<Slot> {
    let tokens = tokens(words);
    let hash_at = |at: Option<usize>| at.and_then(|at| tokens.get(at)).map_or(BEYOND, |token| token.hash);
    let is_word = |at: Option<usize>| at.and_then(|at| tokens.get(at)).is_some_and(|t| t.kind == Kind::Word);
    let mut slots = Vec::new();
    for (at, token) in tokens.iter().enumerate().filter(|(_, token)| token.kind == Kind::Name) {
        // Beside a figure or an end stand datelines and stamps, which say when and by whom and not what.
        if !token.in_sentence || !is_word(at.checked_sub(1)) || !is_word(Some(at + 1)) {
            continue;
        }
        let before = (1..=AROUND).rev().map(|back| hash_at(at.checked_sub(back)));
        let after = (1..=AROUND).map(|on| hash_at(Some(at + on)));
        let frame = low_half(mix(before.chain([OPEN]).chain(after)));
        let names = words.all().get(token.words.clone()).unwrap_or_default();
        slots.extend(names.iter().filter_map(|word| Some(Slot { frame, filling: word.name? })));
    }
    slots::kept(slots, SLOTS_MAX)
}

fn tokens(words: &Words) -> Vec<Token> {
    let (named, words) = (Named::of(words), words.all());
    let mut tokens: Vec<Token> = Vec::with_capacity(words.len());
    for (at, word) in words.iter().enumerate() {
        let kind = match word {
            word if word.is_figure => Kind::Figure,
            word if named.is_name(word, words.get(at + 1)) => Kind::Name,
            _ => Kind::Word,
        };
        match tokens.last_mut() {
            Some(last) if kind != Kind::Word && last.kind == kind && !word.standing.opens => {
                last.words.end = at + 1;
            }
            _ => {
                let hash = match kind {
                    Kind::Word => word.hash,
                    Kind::Figure => FIGURE,
                    Kind::Name => NAME,
                };
                let in_sentence = word.standing.in_sentence;
                tokens.push(Token { kind, hash, words: at..at + 1, in_sentence });
            }
        }
    }
    tokens
}

/// What the capitals of a text say of its words, by their numbers.
struct Named(Vec<Capitals>);

/// What they say of one word, and of the same word wherever it stands.
#[derive(Clone, Copy, Default)]
struct Capitals {
    /// It begins with a small letter somewhere, and so is no name wherever it has a capital.
    is_small: bool,
    /// It has a capital within a sentence.
    is_within: bool,
}

impl Named {
    fn of(words: &Words) -> Self {
        let mut all = vec![Capitals::default(); words.different()];
        for word in words.all() {
            if let Some(capitals) = all.get_mut(word.number as usize) {
                capitals.is_small |= word.is_small;
                capitals.is_within |= word.name.is_some() && !word.standing.opens;
            }
        }
        Self(all)
    }

    fn capitals(&self, word: &Word) -> Capitals {
        self.0.get(word.number as usize).copied().unwrap_or_default()
    }

    /// At the beginning of a sentence every word has a capital: there a name is one elsewhere too, or is followed by one.
    fn is_name(&self, word: &Word, next: Option<&Word>) -> bool {
        if word.name.is_none() || self.capitals(word).is_small {
            return false;
        }
        let is_within = |word: &Word| {
            let Capitals { is_small, is_within } = self.capitals(word);
            word.name.is_some() && is_within && !is_small
        };
        let goes_on = || next.is_some_and(|next| !next.standing.opens && is_within(next));
        is_within(word) || (word.standing.opens && goes_on())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Normalized, prior::name_of};
    use std::collections::BTreeSet;

    fn slots(text: &str) -> Vec<Slot> {
        of(&Words::of(&Normalized { text: text.to_owned(), title_bytes: 0 }))
    }

    fn names(text: &str) -> BTreeSet<u32> {
        slots(text).iter().map(|slot| slot.filling).collect()
    }

    fn numbers(names: &[&str]) -> BTreeSet<u32> {
        names.iter().map(|name| name_of(name)).collect()
    }

    #[test]
    fn another_name_stands_in_the_same_frame() {
        let one = slots("Voters in the town of Port Ellery have chosen a mayor.");
        let two = slots("Voters in the town of Harrow have chosen a mayor.");
        assert_eq!((one.len(), two.len()), (2, 1));
        assert!(one.iter().all(|slot| slot.frame == two[0].frame && slot.filling != two[0].filling));
    }

    #[test]
    fn the_first_word_of_a_sentence_is_no_name_for_its_capital() {
        let text =
            "It rained. When the boats of Ellery came in, Ellery slept. Maren Holt was up. The boats stayed.";
        assert_eq!(names(text), numbers(&["ellery", "maren", "holt"]));
        assert_eq!(names("At last When was said and when it was not."), numbers(&[]));
    }

    #[test]
    fn bylines_datelines_and_sign_offs_are_passed_over() {
        let text = "Mayor chosen at Harrow today\nBy the way of Ann Example here\nHARROW, March 3 (Estuary Press) - The \
            council of Ellery met.\n(Reporting by Ann Example and others; editing by Jo Roe at night.)";
        assert_eq!(names(text), numbers(&["ellery"]));
    }

    #[test]
    fn a_list_of_names_is_bounded() {
        let text = (0..900).map(|n| format!("row{n} of Name{n} is full")).collect::<Vec<_>>().join(", ");
        assert_eq!(slots(&format!("{text}.")).len(), SLOTS_MAX);
    }
}
