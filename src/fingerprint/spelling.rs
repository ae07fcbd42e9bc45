//! The letters behind the numbers of terms, and the words of a text where they stand: for explaining, not comparing.

use super::words::{Tokens, Words, without_possessive};
use crate::model::{Normalized, low_half};
use std::{collections::HashMap, ops::Range};
use unicode_normalization::UnicodeNormalization;

/// The terms of a text by their numbers, each as lower-case letters; a name has a `^` before them.
pub fn spellings(text: &Normalized) -> HashMap<u32, String> {
    let mut spelt = HashMap::new();
    for (word, letters) in Words::of(text).iter() {
        let letters = without_possessive(letters);
        spelt.entry(low_half(word.plain)).or_insert_with(|| letters.to_owned());
        if let Some(name) = word.name {
            spelt.entry(name).or_insert_with(|| format!("^{letters}"));
        }
    }
    spelt
}

/// The words of a text as its publisher wrote it: where each stands, in bytes, and its letters in lower case and NFC
/// with a plain apostrophe, so that two publishers' words can be told to be the same.
pub fn words_in(text: &str) -> impl Iterator<Item = (Range<usize>, String)> {
    Tokens::of(text).map(|range| {
        let word = text.get(range.clone()).unwrap_or_default();
        (range, folded(word))
    })
}

fn folded(word: &str) -> String {
    if word.is_ascii() {
        return word.to_ascii_lowercase();
    }
    word.nfc().flat_map(char::to_lowercase).map(|c| if c == '\u{2019}' { '\'' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fingerprint::fingerprint,
        model::prior::{name_of, term_of},
    };

    #[test]
    fn every_term_of_a_fingerprint_has_its_letters() {
        let text = "Ellery's 14 boats left Port Ellery before dawn. नेपालको Süd".to_owned();
        let text = Normalized { text, title_bytes: 0 };
        let spelt = spellings(&text);
        assert!(fingerprint(&text).terms.iter().all(|t| spelt.contains_key(&t.term)));
        assert_eq!(spelt[&name_of("ellery")], "^ellery");
        assert_eq!(spelt[&term_of("14")], "14");
    }

    #[test]
    fn words_are_where_they_are_said_to_be() {
        let text = "\u{a0}Ellery\u{2019}s  S\u{fc}d, Su\u{308}d";
        let words: Vec<_> = words_in(text).collect();
        let letters: Vec<_> = words.iter().map(|(_, letters)| letters.as_str()).collect();
        assert_eq!(letters, ["ellery's", "s\u{fc}d", "s\u{fc}d"]);
        assert_eq!(text.get(words[2].0.clone()), Some("Su\u{308}d"));
        let words: Vec<_> = words_in("约40人在港口").map(|(_, letters)| letters).collect();
        assert_eq!(words, ["约", "40", "人", "在", "港口"]);
    }
}
