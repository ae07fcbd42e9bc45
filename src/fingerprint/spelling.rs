//! The letters behind the numbers of terms, and the words of a text where they stand: for explaining, not comparing.

use super::words::{Tokens, Words, without_possessive};
use crate::model::{Normalized, low_half, prior::term_of};
use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
};
use unicode_normalization::UnicodeNormalization;

/// The terms of a text by their numbers, each as lower-case letters; a name has a `^` before them. A word of digits that is
/// part of a longer figure wherever it stands ("200" of "1,200") is spelt as that figure.
pub fn spellings(text: &Normalized) -> HashMap<u32, String> {
    let mut spelt = HashMap::new();
    for (word, letters) in Words::of(text).iter() {
        let letters = without_possessive(letters);
        spelt.entry(low_half(word.plain)).or_insert_with(|| letters.to_owned());
        if let Some(name) = word.name {
            spelt.entry(name).or_insert_with(|| format!("^{letters}"));
        }
    }
    let mut figures = BTreeMap::<u32, Vec<&str>>::new();
    for (word, figure) in figures_in(&text.text) {
        let written = figures.entry(term_of(word)).or_default();
        written.extend((!written.contains(&figure)).then_some(figure));
    }
    for (term, written) in figures {
        if let [figure] = written.as_slice() {
            spelt.insert(term, (*figure).to_owned());
        }
    }
    spelt
}

/// Each word of digits with the figure that it is part of: words of digits with nothing but one sign between them.
fn figures_in(text: &str) -> Vec<(&str, &str)> {
    let is_figure = |range: &Range<usize>| {
        text.get(range.clone()).is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit()))
    };
    let figures: Vec<_> = Tokens::of(text).filter(is_figure).collect();
    let goes_on = |a: &Range<usize>, b: &Range<usize>| {
        matches!(text.get(a.end..b.start), Some("," | "." | ":" | "\u{a0}"))
    };
    let whole = |run: &[Range<usize>]| Some(run.first()?.start..run.last()?.end);
    let of_run = |run: &[Range<usize>]| {
        let figure = whole(run).and_then(|range| text.get(range));
        run.iter().filter_map(|word| Some((text.get(word.clone())?, figure?))).collect::<Vec<_>>()
    };
    figures.chunk_by(goes_on).flat_map(of_run).collect()
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

    /// "1,200" was told as "1" and "200".
    #[test]
    fn a_figure_is_spelt_as_it_is_written() {
        let text =
            "It sold 1,200 boats at 4.5 crowns, then 45 at 5. Of 300 and 1,300 nothing is known.".to_owned();
        let spelt = spellings(&Normalized { text, title_bytes: 0 });
        let of = |word: &str| spelt[&term_of(word)].as_str();
        assert_eq!(["1", "200", "4", "5", "45", "300"].map(of), ["1", "1,200", "4.5", "5", "45", "300"]);
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
