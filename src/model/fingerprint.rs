//! What one pass over a text measures, before any of it is weighed against what else has been seen.

/// Which document frequencies an article is weighed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum Language {
    /// English by its words: the shipped prior stands behind what the stream teaches.
    English,
    /// Any other, by its script: the stream alone teaches.
    Script(u8),
}

/// One term of a text and how often it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TermCount {
    /// The term: the low half of the xxh3 of its letters in lower case; of `^` and them for a name.
    pub term: u32,
    /// How often it occurs; in the head of the text each counts three times.
    pub count: u32,
    /// How often it occurs in the lead.
    pub lead: u32,
    /// Whether it begins with a digit.
    pub is_figure: bool,
}

/// One article's fingerprint. All lists of hashes are sorted and without repeats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// How many words are compared.
    pub words: u32,
    /// The 64-bit `SimHash` over word pairs, as the simhash crate defines it; nothing for a text of no words.
    pub simhash: Option<u64>,
    /// The shingles of three words whose hash lies below a fixed fraction of the hash space.
    pub sketch: Vec<u32>,
    /// The shingles that hold a figure.
    pub figured: Vec<u32>,
    /// The same shingles with every figure replaced by one sign.
    pub masked: Vec<u32>,
    /// The terms, sorted by term.
    pub terms: Vec<TermCount>,
    /// Which document frequencies it is weighed with.
    pub language: Language,
}
