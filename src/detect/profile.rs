//! What is kept of an article to compare it with others: its fingerprint, weighed once, when it came, with the
//! document frequencies of that moment. All weights are fixed-point integers.

use crate::model::{ArticleId, ArticleNo, Digest, Encoded, Language, Slot, TermKind, Time};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

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
    /// Whether it is one of the first words.
    pub in_opening: bool,
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

    /// Whether it can tell anything on a pair: one of the strongest, of the head, a figure or a name. Half of all do.
    pub fn tells(&self) -> bool {
        self.top > 0 || self.head > 0 || self.kind != TermKind::Word
    }
}

/// An article as it is compared. All lists of hashes are sorted, the terms by number.
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
    /// How many articles of its language its terms were weighed with, itself counted.
    pub seen: u32,
    pub words: u32,
    pub simhash: Option<u64>,
    pub shingles: u32,
    pub sketch: Vec<u32>,
    pub slots: Vec<Slot>,
    pub name_slots: Vec<Slot>,
    pub quoted: Vec<u32>,
    pub weekdays: u8,
    /// Those that can tell anything on a pair.
    pub terms: Vec<Term>,
    /// The numbers of the others, by which document frequencies are learned, until they are unlearned.
    pub others: Vec<u32>,
    /// What a sentence encoder made of it.
    pub encoded: Option<Encoded>,
    /// What follows from the terms, so that no pair need work it out again. It is not kept.
    #[serde(skip)]
    pub totals: Totals,
}

/// What must be kept of an article to compare it after a restart.
#[derive(Clone, Debug)]
pub struct Kept(pub(super) Arc<Profile>);

impl Kept {
    /// As it is written down. It takes a while, which need not be that of the one who decides.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.to_bytes()
    }
}

/// What is summed over all terms of an article. A mass is a sum of inverse document frequencies, in `IDF_UNIT`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Totals {
    /// How many of the terms are figures.
    pub figures: u32,
    pub figure_mass: u32,
    /// That of the figures in the head.
    pub head_figure_mass: u32,
    /// That of the rare terms.
    pub rare_mass: u32,
    /// That of the names among the strongest terms.
    pub name_mass: u32,
    /// That of the opening.
    pub opening_mass: u32,
    /// The length of the vector of the strongest terms with every weight squared.
    pub focus_norm: f64,
    /// The length of the head's vector with the names alone.
    pub head_names_norm: f64,
}

impl Totals {
    pub fn of(terms: &[Term]) -> Self {
        let mut totals = Self::default();
        let (mut focus, mut head_names) = (0., 0.);
        for term in terms {
            let idf = u32::from(term.idf);
            let when = |is: bool| if is { idf } else { 0 };
            let (is_figure, is_name) = (term.kind == TermKind::Figure, term.kind == TermKind::Name);
            totals.figures += u32::from(is_figure);
            totals.figure_mass += when(is_figure);
            totals.head_figure_mass += when(is_figure && term.head > 0);
            totals.rare_mass += when(term.is_rare());
            totals.name_mass += when(term.is_top_name());
            totals.opening_mass += when(term.in_opening);
            let squared = f64::from(term.top) * f64::from(term.top);
            focus += squared * squared;
            head_names += if is_name { f64::from(term.head) * f64::from(term.head) } else { 0. };
        }
        Self { focus_norm: libm::sqrt(focus), head_names_norm: libm::sqrt(head_names), ..totals }
    }
}

impl Profile {
    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_stdvec(self).unwrap_or_default()
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProfileError> {
        let profile: Self = postcard::from_bytes(bytes)?;
        Ok(Self { totals: Totals::of(&profile.terms), ..profile })
    }

    /// The numbers of all terms, while the others are kept.
    pub fn numbers(&self) -> impl Iterator<Item = u32> {
        self.terms.iter().map(|t| t.number).chain(self.others.iter().copied())
    }

    /// The strongest terms.
    pub fn top(&self) -> impl Iterator<Item = &Term> {
        self.terms.iter().filter(|t| t.top > 0)
    }
}
