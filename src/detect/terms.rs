//! The terms of an article as they are compared, each in the vectors that it is part of. All weights are fixed-point
//! integers.

use crate::model::TermKind;
use serde::{Deserialize, Serialize};

/// What stands for 1 in the weight of a term of a unit vector.
pub(super) const UNIT: f64 = 65_535.;
/// What stands for 1 in an inverse document frequency, which is below 16.
pub(super) const IDF_UNIT: f64 = 4_096.;
/// A term is rare from this inverse document frequency on: fewer than one text in 120 has it.
const RARE_IDF: u16 = 19_661; // 4.8 * IDF_UNIT

/// What a term weighs in an article.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Term {
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

/// The terms of an article, by number. The numbers stand apart, since whoever looks for what two articles share reads
/// those of both, and what a term weighs of the few that are in both.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Terms {
    numbers: Vec<u32>,
    weights: Vec<Term>,
}

impl Terms {
    /// Terms in order of their numbers.
    pub fn new(terms: impl Iterator<Item = (u32, Term)>) -> Self {
        let (mut numbers, mut weights): (Vec<u32>, Vec<Term>) = terms.unzip();
        numbers.shrink_to_fit();
        weights.shrink_to_fit();
        Self { numbers, weights }
    }

    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    pub fn numbers(&self) -> &[u32] {
        &self.numbers
    }

    /// What a term weighs, by its place among the numbers.
    pub fn at(&self, place: usize) -> Option<&Term> {
        self.weights.get(place)
    }

    /// What a term weighs, by its number.
    pub fn get(&self, number: u32) -> Option<&Term> {
        self.at(self.numbers.binary_search(&number).ok()?)
    }

    pub fn iter(&self) -> impl Iterator<Item = (u32, &Term)> {
        self.numbers.iter().copied().zip(&self.weights)
    }

    /// The terms that are in both, with what they weigh here and there.
    pub fn shared<'t>(&'t self, other: &'t Self) -> impl Iterator<Item = (u32, &'t Term, &'t Term)> {
        let mut others = other.iter().peekable();
        self.iter().filter_map(move |(number, here)| {
            while others.next_if(|there| there.0 < number).is_some() {}
            others.next_if(|there| there.0 == number).map(|(_, there)| (number, here, there))
        })
    }
}
