//! The passages that two publishers' texts share, as byte ranges into each.
//!
//! They are found when they are asked for, from the two texts that the journal keeps: so they cannot disagree with the
//! texts and need no second copy. They are of what was published, a page's navigation included; what is compared is a
//! form of its own into which no range of the publisher's text points.

use crate::fingerprint::words_in;
use serde::{Deserialize, Serialize};
use std::{cmp::Reverse, collections::HashMap, ops::Range};
use xxhash_rust::xxh3::Xxh3;

/// A run of fewer common words is idiom, not copying.
const WORDS_MIN: usize = 5;
/// This many passages are told, the longest.
const PASSAGES_MAX: usize = 12;
/// Of the places where the other text has the same five words, this many are tried, the first.
const PLACES_MAX: usize = 16;

/// A run of words that two texts share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassageAnswer {
    /// Where it stands in the first text: the first byte and the one after the last.
    pub one: [usize; 2],
    /// Where it stands in the other.
    pub other: [usize; 2],
    /// How many words it has.
    pub words: usize,
    /// It, as the first text has it.
    pub text: String,
}

/// The words of a text, with what tells them to be the same.
struct Words(Vec<(Range<usize>, String)>);

impl Words {
    fn of(text: &str) -> Self {
        Self(words_in(text).collect())
    }

    /// The hash of the few words from one on; nothing where there are too few.
    fn key(&self, at: usize) -> Option<u64> {
        let mut hash = Xxh3::new();
        for (_, letters) in self.0.get(at..at + WORDS_MIN)? {
            hash.update(letters.as_bytes());
            hash.update(b" ");
        }
        Some(hash.digest())
    }

    /// How many words are the same in both from these places on.
    fn common(&self, at: usize, other: &Self, there: usize) -> usize {
        let (here, there) = (self.0.get(at..), other.0.get(there..));
        let pairs = here.unwrap_or_default().iter().zip(there.unwrap_or_default());
        pairs.take_while(|((_, a), (_, b))| a == b).count()
    }

    /// The bytes of some of the words, and of what stands between them.
    fn bytes(&self, at: usize, count: usize) -> Option<Range<usize>> {
        Some(self.0.get(at)?.0.start..self.0.get(at + count - 1)?.0.end)
    }
}

/// The longest passages of five words and more, longest first, and how many shorter ones are left out.
pub(super) fn passages(one: &str, other: &str) -> (Vec<PassageAnswer>, usize) {
    let (here, there) = (Words::of(one), Words::of(other));
    let mut places: HashMap<u64, Vec<usize>> = HashMap::new();
    for at in 0..there.0.len() {
        if let Some(key) = there.key(at) {
            places.entry(key).or_default().push(at);
        }
    }
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(key) = here.key(at) {
        let tried = places.get(&key).into_iter().flatten().take(PLACES_MAX);
        let runs = tried.map(|place| (here.common(at, &there, *place), Reverse(*place)));
        let (words, Reverse(place)) = runs.max().unwrap_or((0, Reverse(0)));
        if words < WORDS_MIN {
            at += 1;
            continue;
        }
        found.extend(passage(one, &here, at, (&there, place), words));
        at += words;
    }
    found.sort_by_key(|passage| (Reverse(passage.words), passage.one));
    let left_out = found.len().saturating_sub(PASSAGES_MAX);
    found.truncate(PASSAGES_MAX);
    (found, left_out)
}

fn passage(
    text: &str,
    here: &Words,
    at: usize,
    (there, place): (&Words, usize),
    words: usize,
) -> Option<PassageAnswer> {
    let (one, other) = (here.bytes(at, words)?, there.bytes(place, words)?);
    let shared = text.get(one.clone())?.to_owned();
    Some(PassageAnswer { one: [one.start, one.end], other: [other.start, other.end], words, text: shared })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn slice(text: &str, [start, end]: [usize; 2]) -> &str {
        text.get(start..end).unwrap()
    }

    #[test]
    fn runs_of_five_words_and_more_are_found_where_they_stand() {
        let one = "Dawn. The ferry\n\u{201c}ran aground\u{201d} off S\u{fc}d Harbour, Ellery\u{2019}s mayor said on Monday.";
        let other = "On Monday the Ferry ran aground off Su\u{308}d harbour; Ellery's mayor slept.";
        let (found, left_out) = passages(one, other);
        assert_eq!((found.len(), left_out), (1, 0));
        let passage = &found[0];
        assert_eq!(passage.words, 9);
        assert_eq!(slice(one, passage.one), passage.text);
        assert!(passage.text.starts_with("The ferry") && passage.text.ends_with("mayor"));
        let there = slice(other, passage.other);
        assert!(there.starts_with("the Ferry") && there.ends_with("mayor"), "{there}");
    }

    #[test]
    fn the_longest_come_first_and_short_runs_are_none() {
        let one = "a b c d e x f g h i j k y l m n o";
        let other = "f g h i j k z a b c d e z l m n o";
        let found: Vec<_> = passages(one, other).0.into_iter().map(|p| p.text).collect();
        assert_eq!(found, ["f g h i j k", "a b c d e"]);
        assert_eq!(passages("", other), (Vec::new(), 0));
        let (found, left_out) = passages(&"a b c d e x ".repeat(20), "a b c d e");
        assert_eq!((found.len(), left_out), (12, 8));
    }

    proptest! {
        #[test]
        fn both_ranges_hold_the_same_words(one in "[ab\u{fc} .\u{2019}\n]{0,80}", other in "[ab\u{fc} .'\n]{0,80}") {
            let letters = |text: &str| words_in(text).map(|(_, letters)| letters).collect::<Vec<_>>();
            for passage in passages(&one, &other).0 {
                let (a, b) = (slice(&one, passage.one), slice(&other, passage.other));
                prop_assert_eq!(letters(a), letters(b));
                prop_assert!(letters(a).len() >= WORDS_MIN);
            }
        }
    }
}
