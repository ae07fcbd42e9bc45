//! What is kept of an article to compare it with others: its fingerprint, weighed once, when it came, with the
//! document frequencies of that moment. All weights are fixed-point integers.

use crate::model::{ArticleId, ArticleNo, Digest, Encoded, Language, Slot, TermKind, Time};
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
    pub terms: Vec<Term>,
    /// What follows from the terms, so that no pair need work it out again. It is not kept.
    #[serde(skip)]
    pub totals: Totals,
    #[serde(skip)]
    pub compared: Compared,
    /// What a sentence encoder made of it. It is kept behind the rest, and only where there is any, so that a row from
    /// before there were encoders is a row without.
    #[serde(skip)]
    pub encoded: Option<Encoded>,
}

/// The terms that can tell anything on a pair, which are half of all: the strongest, those of the head, figures and
/// names. Their numbers lie side by side, so that looking through them touches little memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Compared {
    /// The numbers, sorted, each with its place among the terms.
    pub numbers: Vec<u32>,
    pub places: Vec<u16>,
}

impl Compared {
    pub fn of(terms: &[Term]) -> Self {
        let tells = |t: &Term| t.top > 0 || t.head > 0 || t.kind != TermKind::Word;
        let (numbers, places) =
            (0_u16..).zip(terms).filter(|(_, t)| tells(t)).map(|(at, t)| (t.number, at)).unzip();
        Self { numbers, places }
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
        let mass =
            |pick: &dyn Fn(&Term) -> bool| terms.iter().filter(|t| pick(t)).map(|t| u32::from(t.idf)).sum();
        let norm = |weight: &dyn Fn(&Term) -> f64| {
            let squares: f64 = terms.iter().map(|t| weight(t) * weight(t)).sum();
            libm::sqrt(squares)
        };
        Self {
            figures: u32::try_from(terms.iter().filter(|t| t.kind == TermKind::Figure).count())
                .unwrap_or(u32::MAX),
            figure_mass: mass(&|t| t.kind == TermKind::Figure),
            head_figure_mass: mass(&|t| t.kind == TermKind::Figure && t.head > 0),
            rare_mass: mass(&Term::is_rare),
            name_mass: mass(&Term::is_top_name),
            opening_mass: mass(&|t| t.in_opening),
            focus_norm: norm(&|t| f64::from(t.top) * f64::from(t.top)),
            head_names_norm: norm(&|t| if t.kind == TermKind::Name { f64::from(t.head) } else { 0. }),
        }
    }
}

impl Profile {
    pub fn to_bytes(&self) -> Vec<u8> {
        let profile = postcard::to_stdvec(self).unwrap_or_default();
        match &self.encoded {
            Some(encoded) => postcard::to_extend(encoded, profile).unwrap_or_default(),
            None => profile,
        }
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProfileError> {
        let (profile, rest): (Self, _) = postcard::take_from_bytes(bytes)?;
        let encoded = if rest.is_empty() { None } else { Some(postcard::from_bytes(rest)?) };
        let (compared, totals) = (Compared::of(&profile.terms), Totals::of(&profile.terms));
        Ok(Self { totals, compared, encoded, ..profile })
    }

    /// The strongest terms.
    pub fn top(&self) -> impl Iterator<Item = &Term> {
        self.terms.iter().filter(|t| t.top > 0)
    }
}
