//! The evidence of a pair by name: which terms and which figures were weighed, for the pairs that are kept.
//!
//! Terms are known here by their numbers only; their letters stand in the texts, which the journal keeps.

use super::{
    decide::Asked,
    pair::Pair,
    profile::Profile,
    terms::{Term, UNIT, both},
};
use crate::model::{ComparedFigures, Evidence, Score, SharedTerm};
use std::cmp::Reverse;

/// So many shared terms are kept, those that give most to the cosine. Over the labelled pairs of news eight hold about
/// half of it, and a person reads no more.
const TERMS_MAX: usize = 8;
/// So many figures of each kind are kept, the rarest: a form report of newswire has about as many.
const FIGURES_MAX: usize = 12;

/// What was measured on a pair, with the names of what was weighed and what decided.
pub(super) fn named(pair: &Pair, one: &Profile, other: &Profile, asked: Asked) -> Evidence {
    let (a, b) = if one.no > other.no { (one, other) } else { (other, one) };
    let Asked { pairs, mean, threshold } = asked;
    Evidence {
        mean,
        threshold,
        pairs: u32::try_from(pairs).unwrap_or(u32::MAX),
        shared_terms: shared_terms(a, b),
        compared: compared_figures(a, b),
        compared_names: pair.compared_names(a, b),
        ..pair.evidence(a, b)
    }
}

fn shared_terms(a: &Profile, b: &Profile) -> Vec<SharedTerm> {
    let weight = |x: Term, y: Term| f64::from(x.top()) / UNIT * f64::from(y.top()) / UNIT;
    let mut shared: Vec<SharedTerm> = both(a.terms(), b.terms())
        .map(|(x, y)| SharedTerm { term: x.number, weight: Score::from_share(weight(x, y)) })
        .collect();
    shared.retain(|t| t.weight > Score::ZERO);
    shared.sort_unstable_by_key(|t| (Reverse(t.weight), t.term));
    shared.truncate(TERMS_MAX);
    shared
}

fn compared_figures(a: &Profile, b: &Profile) -> ComparedFigures {
    let is_figure = |term: &Term| term.is_figure();
    let shared: Vec<Term> = both(a.terms(), b.terms()).map(|(x, _)| x).filter(is_figure).collect();
    let is_shared = |t: &Term| shared.binary_search_by_key(&t.number, |s| s.number).is_ok();
    let only = |p: &Profile| rarest(p.terms().iter().filter(is_figure).filter(|t| !is_shared(t)).collect());
    let (only_here, only_there) = (only(a), only(b));
    let both = u32::try_from(shared.len()).unwrap_or(u32::MAX);
    ComparedFigures {
        here: a.totals.figures,
        there: b.totals.figures,
        both,
        shared: rarest(shared),
        only_here,
        only_there,
    }
}

fn rarest(mut terms: Vec<Term>) -> Vec<u32> {
    terms.sort_unstable_by_key(|term| (Reverse(term.idf()), term.number));
    terms.iter().take(FIGURES_MAX).map(|term| term.number).collect()
}
