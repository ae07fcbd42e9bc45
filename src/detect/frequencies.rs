//! Document frequencies, and the weighing of an article with them.
//!
//! What the stream teaches is counted over the last articles in the rewrite window, so it fades as others come, stays
//! bounded, and is the same after a restart. Behind it stands the shipped prior for English.

use super::{
    Newcomer,
    profile::{Kept, Profile},
    rewrite::mark_finding,
    table::Table,
    terms::{Term, after_least},
};
use crate::model::{ArticleNo, Language, TermCount, TermKind, prior::Prior};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, LazyLock},
};

/// The strongest terms of an article, which find its candidates and rank the pair. Of 32 to 256 tried in the
/// reference, 96 ranked best.
const TOP_TERMS: usize = 96;
/// An article keeps this many terms, the strongest: a text of 2,000 words has about 600.
const TERMS_MAX: usize = 512;
/// A language without a prior is taken to have been seen in this many texts that had none of its terms.
const PSEUDO_DOCUMENTS: u32 = 200;
/// All articles in the window together count for at most so many texts. What the stream teaches must not drown the
/// prior: with every article counted whole, names of a running story that is new to a large store would count as ever
/// rarer the larger it is, and its stories would fall together. With this limit and the thresholds of today the labelled
/// running topic comes out right after 60, 150, 982 and 1,500 other articles; without it, not after the last two.
const LEARNED_WEIGHT: f64 = 300.;

/// What the stream teaches is counted over so many articles, those that came last: about as many as the prior was
/// counted over, so that both weigh the same however full the window is. Over a whole window of 100,000 articles what
/// the reports on one topic have in common stays rare, and two events of a topic were joined: the pair precision on
/// labelled topics fell from .98 to .85. With 2,000 it was .95, with 1,000 .98; with 500 the forms of a stream count
/// too little, and twice as many of their reports were joined.
const RECENT_ARTICLES: u32 = 1_500;

/// In how many texts a term is. Of either kind there are a few thousand.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Documents {
    /// Of those that the prior was counted over.
    before: u16,
    /// Of the articles that are counted.
    learned: u16,
}

/// What is known of one language.
struct Learned {
    prior_documents: u32,
    /// Its articles that are counted, and in how many texts each term is.
    documents: u32,
    with_term: Table<Documents>,
}

impl Learned {
    fn new(language: Language) -> Self {
        let mut known = Self { prior_documents: PSEUDO_DOCUMENTS, documents: 0, with_term: Table::default() };
        if language == Language::ENGLISH {
            let prior = Prior::english();
            known.prior_documents = prior.documents;
            for (term, before) in prior.terms() {
                known.with_term.entry(term).before = u16::try_from(before).unwrap_or(u16::MAX);
            }
        }
        known
    }

    /// Learns the terms of an article, and weighs them with what was known before it and with itself. Only the strongest are
    /// learned: what is kept is what a restart learns from.
    fn weigh(&mut self, counts: &[TermCount]) -> Vec<Weighed> {
        let idf = Idf::of(self);
        self.documents += 1;
        self.with_term.touch(counts.iter().map(|count| count.term));
        let weigh = |count: &TermCount| {
            let with = self.with_term.entry(count.term);
            let weighed = Weighed::new(*count, idf.idf(*with));
            with.learned += 1;
            weighed
        };
        let mut weighed: Vec<Weighed> = counts.iter().map(weigh).collect();
        if let Some(end) = strength_at(&weighed, TERMS_MAX) {
            let weak = weighed.extract_if(.., |w| w.strength() >= end);
            weak.for_each(|w| self.with_term.entry(w.count.term).learned -= 1);
        }
        weighed
    }

    fn learn(&mut self, terms: impl Iterator<Item = u32>) {
        self.documents += 1;
        for term in terms {
            self.with_term.entry(term).learned += 1;
        }
    }

    fn unlearn(&mut self, terms: impl Iterator<Item = u32> + Clone) {
        self.documents = self.documents.saturating_sub(1);
        self.with_term.touch(terms.clone());
        for term in terms {
            let with = self.with_term.entry(term);
            with.learned = with.learned.saturating_sub(1);
        }
    }
}

/// An article that came lately.
struct Recent {
    no: ArticleNo,
    language: Language,
    /// How many of the terms are its.
    terms: usize,
    is_counted: bool,
}

/// The document frequencies of all languages.
#[derive(Default)]
pub(super) struct Frequencies {
    of: HashMap<Language, Learned>,
    /// The articles that came lately, in order, and the terms of all of them.
    recent: VecDeque<Recent>,
    terms: VecDeque<u32>,
}

impl Frequencies {
    /// Learns an article and weighs it with what is then known.
    pub fn weigh(&mut self, newcomer: &Newcomer<'_>) -> Kept {
        let print = newcomer.fingerprint;
        self.unlearn_outdated(newcomer.no);
        let learned = self.known(print.language);
        let (mut terms, others) = unit_vectors(learned.weigh(&print.terms));
        mark_finding(&mut terms);
        let profile = Profile::new(newcomer, learned.documents, &terms);
        let kept = Kept { profile: Arc::new(profile), others };
        self.remember(&kept);
        kept
    }

    /// Counts an article that has come into the window. Numbers must rise.
    pub fn learn(&mut self, kept: &Kept) {
        self.unlearn_outdated(kept.profile.no);
        self.known(kept.profile.language).learn(kept.numbers());
        self.remember(kept);
    }

    /// Keeps in mind whose terms are counted.
    fn remember(&mut self, kept: &Kept) {
        let Profile { no, language, .. } = *kept.profile;
        let before = self.terms.len();
        self.terms.extend(kept.profile.terms().numbers());
        self.terms.extend(&kept.others);
        self.recent.push_back(Recent { no, language, terms: self.terms.len() - before, is_counted: true });
    }

    fn known(&mut self, language: Language) -> &mut Learned {
        self.of.entry(language).or_insert_with(|| Learned::new(language))
    }

    /// Counts an article no longer, where it still is.
    pub fn unlearn(&mut self, no: ArticleNo) {
        let Ok(place) = self.recent.binary_search_by_key(&no, |recent| recent.no) else { return };
        let begin: usize = self.recent.range(..place).map(|recent| recent.terms).sum();
        let Some(Recent { language, terms, is_counted, .. }) = self.recent.get_mut(place) else { return };
        if std::mem::take(is_counted)
            && let Some(learned) = self.of.get_mut(language)
        {
            learned.unlearn(self.terms.range(begin..begin + *terms).copied());
        }
    }

    /// Counts no article any longer that is too far behind the one of this number.
    fn unlearn_outdated(&mut self, no: ArticleNo) {
        while let Some(oldest) = self.recent.front().filter(|recent| !is_recent(recent.no, no)).map(|r| r.no)
        {
            self.unlearn(oldest);
            let terms = self.recent.pop_front().map_or(0, |recent| recent.terms);
            self.terms.drain(..terms);
        }
    }
}

/// Whether an article is counted when the one of number `newest` has come, unless it left the window before.
pub(super) fn is_recent(no: ArticleNo, newest: ArticleNo) -> bool {
    no.0.saturating_add(RECENT_ARTICLES) >= newest.0
}

/// Inverse document frequencies as an article that has just come sees them: it counts itself.
struct Idf {
    documents: f64,
    /// What an article in the window counts for.
    weight: f64,
    /// That of a term that one text has, as do half of an article's.
    of_rarest: f64,
}

impl Idf {
    fn of(learned: &Learned) -> Self {
        let documents = f64::from(learned.documents + 1);
        let weight = (LEARNED_WEIGHT / documents).min(1.);
        let documents = f64::from(learned.prior_documents) + weight * documents;
        let idf = Self { documents, weight, of_rarest: 0. };
        Self { of_rarest: idf.of_documents(1.), ..idf }
    }

    fn of_documents(&self, with: f64) -> f64 {
        libm::log((self.documents + 1.) / (with + 1.)).max(0.)
    }

    fn idf(&self, with: Documents) -> f64 {
        let Documents { before, learned } = with;
        // A term that the window alone knows is never taken for rarer than one that stands in one text.
        let with = f64::from(before) + self.weight * (f64::from(learned) + 1.);
        if with > 1. { self.of_documents(with) } else { self.of_rarest }
    }
}

const HIGH_HALF: u64 = 0xFFFF_FFFF_0000_0000;

/// A term with what it weighs, in the text and in its head.
struct Weighed {
    count: TermCount,
    idf: f64,
    weight: f64,
    head_weight: f64,
}

impl Weighed {
    fn new(count: TermCount, idf: f64) -> Self {
        let head_weight = if count.head == 0 { 0. } else { damped(count.head) * idf };
        Self { count, idf, weight: damped(count.count) * idf, head_weight }
    }

    /// Sorts the stronger first, and equals by term. No weight is negative, so their bits sort as they do; half of them
    /// are enough.
    fn strength(&self) -> u64 {
        !self.weight.to_bits() & HIGH_HALF | u64::from(self.count.term)
    }
}

/// How strong the one is before which so many are stronger.
fn strength_at(weighed: &[Weighed], place: usize) -> Option<u64> {
    if place >= weighed.len() {
        return None;
    }
    after_least(place, weighed.iter().map(Weighed::strength).collect())
}

/// The vectors of the strongest and of the head's terms, each of length one; and the terms that tell nothing on a pair.
fn unit_vectors(mut weighed: Vec<Weighed>) -> (Vec<Term>, Vec<u32>) {
    if let Some(end) = strength_at(&weighed, TOP_TERMS) {
        weighed.iter_mut().filter(|w| w.strength() >= end).for_each(|w| w.weight = 0.);
    }
    let of_top = norm(weighed.iter().map(|w| w.weight));
    let of_head = norm(weighed.iter().map(|w| w.head_weight));
    let (mut terms, mut others) = (Vec::with_capacity(weighed.len()), Vec::with_capacity(weighed.len()));
    for Weighed { count: TermCount { term, kind, in_opening, .. }, idf, weight, head_weight } in weighed {
        if weight > 0. || head_weight > 0. || kind == TermKind::Figure {
            terms.push(Term::new(term, weight / of_top, head_weight / of_head, idf, kind, in_opening));
        } else {
            others.push(term);
        }
    }
    (terms, others)
}

/// A count, damped: the second mention says less than the first.
fn damped(count: u32) -> f64 {
    let in_table = LOGARITHMS.get(count.max(1) as usize - 1).copied();
    1. + in_table.unwrap_or_else(|| libm::log(f64::from(count)))
}

/// The logarithms of 1, 2 and so on: few terms are in a text more often.
static LOGARITHMS: LazyLock<[f64; 32]> = LazyLock::new(|| {
    let mut count = 0.;
    [(); 32].map(|()| {
        count += 1.;
        libm::log(count)
    })
});

/// The length of a vector; 1 for one of length zero, so that it can be divided by.
fn norm(weights: impl Iterator<Item = f64>) -> f64 {
    let norm = libm::sqrt(weights.map(|x| x * x).sum());
    if norm > 0. { norm } else { 1. }
}
