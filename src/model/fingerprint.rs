//! What one pass over a text measures, before any of it is weighed against what else has been seen.

use super::Encoded;

/// Which document frequencies an article is weighed with: English, or the script of another language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Language(u32);

impl Language {
    /// English by its words: the shipped prior stands behind what the stream teaches.
    pub const ENGLISH: Self = Self(0);
    /// No letters to tell by.
    pub const UNKNOWN: Self = Self(1);

    /// Any other language, by the name of its script: the stream alone teaches.
    pub fn of_script(name: &str) -> Self {
        Self(low_half(xxhash_rust::xxh3::xxh3_64(name.as_bytes())).max(2))
    }
}

/// One term of a text and how often it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TermCount {
    /// The term: the low half of the xxh3 of its letters in lower case; of `^` and them for a name.
    pub term: u32,
    /// How often it occurs; in the head of the text each time counts three times.
    pub count: u32,
    /// How often it occurs in the head, each time counted once.
    pub head: u32,
    /// What kind of term it is.
    pub kind: TermKind,
    /// Whether it is one of the first words; names are marked by their plain words.
    pub in_opening: bool,
}

/// What kind of term it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum TermKind {
    /// A word.
    Word,
    /// A word that begins with a digit.
    Figure,
    /// A word that is written like a name, beside the same as a plain word.
    Name,
}

/// The low half of a hash, which is what is kept of those of terms and shingles.
#[expect(clippy::cast_possible_truncation, reason = "the low half is what is kept")]
pub const fn low_half(hash: u64) -> u32 {
    hash as u32
}

/// One shingle hash in this many is in a sketch.
pub const SKETCH_ONE_IN: u32 = 8;

/// A place where a figure or a name stands, known by the words around it, and what stands there. Sorted by frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Slot {
    /// The hash of the words around it, with figures left open; around a name, other names too.
    pub frame: u32,
    /// The hash of the figure, or the term of a word of the name.
    pub filling: u32,
}

/// One article's fingerprint. All lists of hashes are sorted and without repeats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// How many words are compared.
    pub words: u32,
    /// The 64-bit `SimHash` over word pairs, as the simhash crate defines it; nothing for a text of no words.
    pub simhash: Option<u64>,
    /// How many different shingles of three words it has.
    pub shingles: u32,
    /// The shingles whose hash lies below a fixed fraction of the hash space.
    pub sketch: Vec<u32>,
    /// The places where figures stand, and what stands there.
    pub slots: Vec<Slot>,
    /// The places where names stand within sentences, and what stands there.
    pub name_slots: Vec<Slot>,
    /// The runs of four words within one quotation.
    pub quoted: Vec<u32>,
    /// The weekdays that are named, Monday in the lowest bit; none in a language whose names are not known.
    pub weekdays: u8,
    /// The terms, sorted by term.
    pub terms: Vec<TermCount>,
    /// Which document frequencies it is weighed with.
    pub language: Language,
    /// What a sentence encoder made of it, where there is one that knows its language.
    pub encoded: Option<Encoded>,
}
