//! What is kept of an article to compare it with others: its fingerprint, weighed once, when it came, with the
//! document frequencies of that moment. All weights are fixed-point integers.

use crate::model::{ArticleId, ArticleNo, Digest, Language, Slot, TermKind, Time};
use serde::{Deserialize, Serialize};

/// What stands for 1 in the weight of a term of a unit vector.
pub(super) const UNIT: f64 = 65_535.;
/// What stands for 1 in an inverse document frequency, which is below 16.
pub(super) const IDF_UNIT: f64 = 4_096.;

/// A kept profile cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("a kept profile cannot be read: {0}")]
pub struct ProfileError(#[from] postcard::Error);

/// One term of an article, in each of the vectors that it is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Term {
    pub number: u32,
    /// In the vector of the strongest terms; 0 where it is none of them.
    pub top: u16,
    /// In the vector of the head; 0 where it is not in it.
    pub head: u16,
    /// Its inverse document frequency.
    pub idf: u16,
    pub kind: TermKind,
}

/// A term is rare from this inverse document frequency on: fewer than one text in 120 has it.
const RARE_IDF: u16 = 19_661; // 4.8 * IDF_UNIT

impl Term {
    /// Whether it is one of the strongest terms, and rare.
    pub fn is_rare(&self) -> bool {
        self.top > 0 && self.idf >= RARE_IDF
    }

    /// Whether it is one of the strongest terms, and a name.
    pub fn is_top_name(&self) -> bool {
        self.top > 0 && self.kind == TermKind::Name
    }
}

/// An article as it is compared. All lists of hashes are sorted, the terms by term.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Profile {
    pub no: ArticleNo,
    pub id: ArticleId,
    pub text_digest: Digest,
    pub time: Time,
    pub published: Option<Time>,
    /// The hash of its source; nothing where it is unknown, which is never the same as another unknown.
    pub source: Option<u64>,
    pub language: Language,
    /// How many articles of its language were in the window when it came, itself counted.
    pub seen: u32,
    pub words: u32,
    pub simhash: Option<u64>,
    pub shingles: u32,
    pub sketch: Vec<u32>,
    pub slots: Vec<Slot>,
    pub terms: Vec<Term>,
    /// How many of the terms are figures.
    pub figures: u32,
    /// The length of the vector of the figures' inverse document frequencies.
    pub figures_norm: f64,
    /// What of the terms is looked at when it is compared; it follows from them and is not kept.
    #[serde(skip)]
    pub compared: Compared,
}

/// The terms that can tell anything on a pair, which are half of all: the strongest, those of the head, figures and
/// names. Their numbers lie side by side, so that looking through them touches little memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Compared {
    /// The numbers, sorted, each with its place among the terms.
    pub numbers: Vec<u32>,
    pub places: Vec<u16>,
    /// The summed inverse document frequencies of the rare terms, and of the names among the strongest.
    pub rare_mass: u64,
    pub name_mass: u64,
}

impl Compared {
    pub fn of(terms: &[Term]) -> Self {
        let mass = |pick: fn(&Term) -> bool| terms.iter().filter(|t| pick(t)).map(|t| u64::from(t.idf)).sum();
        let tells = |t: &Term| t.top > 0 || t.head > 0 || t.kind != TermKind::Word;
        let (numbers, places) =
            (0_u16..).zip(terms).filter(|(_, t)| tells(t)).map(|(at, t)| (t.number, at)).unzip();
        Self { numbers, places, rare_mass: mass(Term::is_rare), name_mass: mass(Term::is_top_name) }
    }
}

impl Profile {
    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_stdvec(self).unwrap_or_default()
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProfileError> {
        let profile: Self = postcard::from_bytes(bytes)?;
        Ok(Self { compared: Compared::of(&profile.terms), ..profile })
    }

    /// The strongest terms.
    pub fn top(&self) -> impl Iterator<Item = &Term> {
        self.terms.iter().filter(|t| t.top > 0)
    }
}
