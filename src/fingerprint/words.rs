//! The one tokenization. A word is a run of letters, digits and combining marks, and may hold one
//! apostrophe: without the marks the scripts of India and South-East Asia fall apart. Where a script has no spaces, a
//! run is cut up further.

use super::{numbers::Numbers, segments::Segments};
use crate::model::{Normalized, prior::name_of};
use std::{cell::LazyCell, ops::Range, vec};
use unicode_normalization::char::is_combining_mark;
use xxhash_rust::xxh3::xxh3_64;

/// A word and what parts it from the next take so much of most texts.
const BYTES_A_WORD: usize = 5;

/// What is known of a word beside its letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// Where its lower-case letters stand in the joined text.
    start: usize,
    end: usize,
    /// The hash of its letters.
    pub hash: u64,
    /// The hash of its letters without a possessive's ending: the words of one such hash are one term.
    pub plain: u64,
    /// The number of that hash in its text: the first word has 0, and each that is new the next.
    pub number: u32,
    /// Whether it begins with a digit.
    pub is_figure: bool,
    /// The number of the name, where it is written like one: a capital, more than two letters, not the first word of
    /// the text, and not in a headline that is all capitals.
    pub name: Option<u32>,
    /// Whether it begins with a small letter.
    pub is_small: bool,
    /// How it stands in its sentence.
    pub standing: Standing,
    /// The number of the quotation that it is part of; 0 outside of any.
    pub quotation: u32,
}

/// How a word stands in its sentence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Standing {
    /// Whether it is the first of it, where every word has a capital.
    pub opens: bool,
    /// Whether its line reads as sentences do: not in parentheses, and with a sign at its end. Headlines, bylines and
    /// most sign-offs do not.
    pub in_sentence: bool,
}

/// The words of a text, in lower case and joined by single spaces.
pub(super) struct Words {
    joined: String,
    all: Vec<Word>,
    different: u32,
}

impl Words {
    pub fn of(text: &Normalized) -> Self {
        let mut words = Self {
            joined: String::with_capacity(text.text.len()),
            all: Vec::with_capacity(text.text.len() / BYTES_A_WORD),
            different: 0,
        };
        let names_from = if is_shouting(text) { text.title_bytes } else { 0 };
        let (mut quotes, mut sentences, mut end) = (Quotes::default(), Sentences::default(), 0);
        for range in Tokens::of(&text.text) {
            let start = range.start;
            let between = text.text.get(end..start).unwrap_or_default();
            if between == " " && sentences.has_begun {
                sentences.go_on();
            } else {
                quotes.pass(between);
                sentences.pass(between, || line_at(&text.text, start));
            }
            end = range.end;
            if let Some(token) = text.text.get(range) {
                words.push(token, start >= names_from, quotes.current(), sentences.standing);
            }
        }
        words.number();
        words
    }

    fn number(&mut self) {
        let mut numbers = Numbers::with_room(self.all.len());
        for word in &mut self.all {
            word.number = numbers.of(word.plain);
        }
        self.different = numbers.given();
    }

    fn push(&mut self, token: &str, may_be_name: bool, quotation: u32, standing: Standing) {
        let mut letters = token.chars();
        let Some(first) = letters.next() else { return };
        let is_figure = first.is_numeric();
        let is_long = letters.nth(1).is_some();
        let is_name = may_be_name && !self.all.is_empty() && !is_figure && first.is_uppercase() && is_long;
        if !self.all.is_empty() {
            self.joined.push(' ');
        }
        let start = self.joined.len();
        if token.is_ascii() {
            self.joined.push_str(token);
        } else {
            self.joined.extend(token.chars().flat_map(char::to_lowercase));
        }
        let end = self.joined.len();
        let letters = self.joined.get_mut(start..).unwrap_or_default();
        letters.make_ascii_lowercase();
        let plain = without_possessive(letters);
        let hash = xxh3_64(letters.as_bytes());
        self.all.push(Word {
            start,
            end,
            hash,
            plain: if plain.len() == letters.len() { hash } else { xxh3_64(plain.as_bytes()) },
            number: 0,
            is_figure,
            name: is_name.then(|| name_of(plain)),
            is_small: first.is_lowercase(),
            standing,
            quotation,
        });
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// How many different ones there are, and so how many numbers.
    pub fn different(&self) -> usize {
        self.different as usize
    }

    pub fn all(&self) -> &[Word] {
        &self.all
    }

    /// Each word with its lower-case letters.
    pub fn iter(&self) -> impl Iterator<Item = (&Word, &str)> {
        self.all.iter().map(|w| (w, self.joined.get(w.start..w.end).unwrap_or_default()))
    }

    /// Every run of `size` neighbouring words as one text; the whole text where it has fewer words.
    pub fn joined(&self, size: usize) -> impl Iterator<Item = &str> {
        self.all.windows(size.min(self.len()).max(1)).filter_map(|run| {
            let (first, last) = (run.first()?, run.last()?);
            self.joined.get(first.start..last.end)
        })
    }
}

pub(super) fn without_possessive(letters: &str) -> &str {
    letters.strip_suffix("'s").or_else(|| letters.strip_suffix("\u{2019}s")).unwrap_or(letters)
}

/// Which quotation a place in the text is in. Normalized text knows one sign, which opens and closes in turn; a
/// line's end closes too, so that one sign too many does not turn a text inside out.
#[derive(Default)]
struct Quotes {
    opened: u32,
    is_open: bool,
}

impl Quotes {
    /// Goes over what stands between two words.
    fn pass(&mut self, between: &str) {
        for sign in between.bytes() {
            match sign {
                b'"' if !self.is_open => (self.is_open, self.opened) = (true, self.opened + 1),
                b'"' | b'\n' => self.is_open = false,
                _ => {}
            }
        }
    }

    fn current(&self) -> u32 {
        if self.is_open { self.opened } else { 0 }
    }
}

/// Where sentences begin, and which lines are made of them.
#[derive(Default)]
struct Sentences {
    has_begun: bool,
    standing: Standing,
}

impl Sentences {
    /// Goes over the space between two words of one sentence.
    fn go_on(&mut self) {
        self.standing.opens = false;
    }

    /// Goes over what stands between two words; `line` is that of the second.
    fn pass<'t>(&mut self, between: &str, line: impl FnOnce() -> &'t str) {
        let is_new_line = !self.has_begun || between.contains('\n');
        self.standing.opens = is_new_line || between.contains(|c| c == ':' || ENDS.contains(&c));
        if is_new_line {
            self.has_begun = true;
            let line = line().trim();
            self.standing.in_sentence = !line.starts_with('(') && line.ends_with(ENDS);
        }
    }
}

/// What stands at the end of a sentence, in scripts that have capitals and in others.
const ENDS: [char; 9] = ['.', '!', '?', '"', '\'', '\u{2026}', '\u{964}', '\u{1362}', '\u{3002}'];

/// The line that a place of a text is in.
fn line_at(text: &str, at: usize) -> &str {
    let (before, after) = (text.get(..at).unwrap_or_default(), text.get(at..).unwrap_or_default());
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let end = after.find('\n').map_or(text.len(), |end| at + end);
    text.get(start..end).unwrap_or_default()
}

/// Whether the headline is all capitals, as wire headlines often are: then capitals say nothing of names.
fn is_shouting(text: &Normalized) -> bool {
    let title = text.text.get(..text.title_bytes).unwrap_or_default();
    let letters = title.chars().filter(|c| c.is_alphabetic()).count();
    let capitals = title.chars().filter(|c| c.is_uppercase()).count();
    letters > 0 && capitals * 10 > letters * 6
}

/// The byte ranges of the words of a text.
pub(super) struct Tokens<'t> {
    text: &'t str,
    at: usize,
    /// Made only where a text needs it.
    segments: LazyCell<Segments>,
    /// What is left of a run that was cut up.
    cut: vec::IntoIter<Range<usize>>,
}

impl<'t> Tokens<'t> {
    pub fn of(text: &'t str) -> Self {
        Self { text, at: 0, segments: LazyCell::new(Segments::new), cut: Vec::new().into_iter() }
    }

    fn char_at(&self, at: usize) -> Option<char> {
        self.text.get(at..)?.chars().next()
    }

    /// Where the run of word letters, or of what is none, that begins at `from` ends. Most are of ASCII, and are told by
    /// their bytes.
    fn run_end(&self, from: usize, of_letters: bool) -> usize {
        let mut at = from;
        let kind = if of_letters { ByteKind::Letter } else { ByteKind::Sign };
        loop {
            let rest = self.text.as_bytes().get(at..).unwrap_or_default();
            let Some((plain, next)) = rest.iter().enumerate().find(|(_, byte)| kind_of(**byte) != kind)
            else {
                return self.text.len();
            };
            at += plain;
            match self.char_at(at).filter(|_| kind_of(*next) == ByteKind::Other) {
                Some(c) if is_word_letter(c) == of_letters => at += c.len_utf8(),
                _ => return at,
            }
        }
    }

    /// The next run of word letters.
    fn run(&mut self) -> Option<Range<usize>> {
        let start = self.run_end(self.at, false);
        let mut end = self.run_end(start, true);
        if let Some(apostrophe) = self.char_at(end).filter(|c| matches!(c, '\'' | '\u{2019}')) {
            let past = end + apostrophe.len_utf8();
            let tail = self.run_end(past, true);
            if tail > past {
                end = tail;
            }
        }
        self.at = end;
        (start < end).then_some(start..end)
    }
}

impl Iterator for Tokens<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        if let Some(word) = self.cut.next() {
            return Some(word);
        }
        let run = self.run()?;
        let letters = self.text.get(run.clone())?;
        if !Segments::are_in(letters) {
            return Some(run);
        }
        let mut at = run.start;
        let mut words = Vec::new();
        for word in self.segments.of(letters) {
            words.push(at..at + word.len());
            at += word.len();
        }
        self.cut = words.into_iter();
        self.cut.next()
    }
}

/// What a byte is part of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ByteKind {
    /// A letter of words, of ASCII.
    Letter,
    /// Any other character of ASCII.
    Sign,
    /// A character that is not of ASCII.
    Other,
}

/// What each byte is part of. To look it up takes a fraction of what it takes to tell.
#[expect(clippy::indexing_slicing, reason = "a byte of ASCII is one of 256 places")]
static KINDS: [ByteKind; 256] = {
    let mut kinds = [ByteKind::Other; 256];
    let mut byte = 0;
    while byte < 128_u8 {
        let is_letter = byte.is_ascii_alphanumeric() || byte == b'_';
        kinds[byte as usize] = if is_letter { ByteKind::Letter } else { ByteKind::Sign };
        byte += 1;
    }
    kinds
};

fn kind_of(byte: u8) -> ByteKind {
    KINDS.get(usize::from(byte)).copied().unwrap_or(ByteKind::Other)
}

/// Of a character that is not ASCII.
fn is_word_letter(c: char) -> bool {
    c.is_alphanumeric() || is_combining_mark(c) || matches!(c, '\u{200C}' | '\u{200D}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<String> {
        let text = Normalized { text: text.to_owned(), title_bytes: 0 };
        Words::of(&text).iter().map(|(_, w)| w.to_owned()).collect()
    }

    #[test]
    fn words_keep_their_marks_and_one_apostrophe() {
        assert_eq!(
            split("Ellery's mayor didn't -- say: 1,200 'boats'"),
            ["ellery's", "mayor", "didn't", "say", "1", "200", "boats"]
        );
        assert_eq!(split("नेपालको राजधानी"), ["नेपालको", "राजधानी"]);
    }

    #[test]
    fn a_shouting_headline_holds_no_names() {
        let text = "PORT ELLERY FIRE\nCrews from Harrow came".to_owned();
        let shouting = Normalized { title_bytes: 16, text };
        let names: Vec<_> = Words::of(&shouting)
            .iter()
            .filter(|(w, _)| w.name.is_some())
            .map(|(_, w)| w.to_owned())
            .collect();
        assert_eq!(names, ["crews", "harrow"]);
    }

    #[test]
    fn quotations_are_numbered_and_end_with_their_line() {
        let text = "He said \"it is late\" and \"so be it\", then \"went\nhome\" late".to_owned();
        let words = Words::of(&Normalized { title_bytes: 0, text });
        let numbers: Vec<_> = words.iter().map(|(w, _)| w.quotation).collect();
        assert_eq!(numbers, [0, 0, 1, 1, 1, 0, 2, 2, 2, 0, 3, 0, 4]);
    }

    #[test]
    fn runs_of_words_are_slices_of_the_joined_text() {
        let words = Words::of(&Normalized { text: "One two, three".into(), title_bytes: 0 });
        assert_eq!(words.joined(2).collect::<Vec<_>>(), ["one two", "two three"]);
        assert_eq!(words.joined(9).collect::<Vec<_>>(), ["one two three"]);
    }
}
