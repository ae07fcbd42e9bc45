//! What is kept of an article to compare it with others: its fingerprint, weighed once, when it came, with the
//! document frequencies of that moment.

use super::terms::Term;
use crate::model::{ArticleId, ArticleNo, Digest, Encoded, Language, Slot, Time};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A kept profile cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("a kept profile cannot be read: {0}")]
pub struct ProfileError(#[from] postcard::Error);

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
    /// What a sentence encoder made of it.
    pub encoded: Option<Encoded>,
    /// What follows from the terms, so that no pair need work it out again. It is not kept.
    #[serde(skip)]
    pub totals: Totals,
}

/// What must be kept of an article to compare it after a restart.
#[derive(Clone, Debug)]
pub struct Kept {
    pub(super) profile: Arc<Profile>,
    /// The numbers of the terms that tell nothing on a pair: document frequencies are learned by them too.
    pub(super) others: Vec<u32>,
}

impl Kept {
    /// As it is written down. It takes a while, which need not be that of the one who decides.
    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_stdvec(&(&*self.profile, &self.others)).unwrap_or_default()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, ProfileError> {
        let (profile, others): (Profile, Vec<u32>) = postcard::from_bytes(bytes)?;
        let totals = Totals::of(&profile.terms);
        Ok(Self { profile: Arc::new(Profile { totals, ..profile }), others })
    }

    /// The numbers of all terms.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> {
        self.profile.terms.iter().map(|term| term.number).chain(self.others.iter().copied())
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
            let when = |is: bool| if is { term.idf() } else { 0 };
            totals.figures += u32::from(term.is_figure());
            totals.figure_mass += when(term.is_figure());
            totals.head_figure_mass += when(term.is_figure() && term.is_in_head());
            totals.rare_mass += when(term.is_rare());
            totals.name_mass += when(term.is_top_name());
            totals.opening_mass += when(term.is_in_opening());
            let (top, head) = (f64::from(term.top()), f64::from(term.head()));
            focus += top * top * (top * top);
            head_names += if term.is_name() { head * head } else { 0. };
        }
        Self { focus_norm: libm::sqrt(focus), head_names_norm: libm::sqrt(head_names), ..totals }
    }
}
