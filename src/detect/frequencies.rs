//! Document frequencies, and the weighing of an article with them.
//!
//! What the stream teaches is counted over the last articles in the rewrite window, so it fades as others come, stays
//! bounded, and is the same after a restart. Behind it stands the shipped prior for English.

use super::{
    Newcomer,
    profile::{Compared, IDF_UNIT, Profile, Term, Totals, UNIT},
};
use crate::model::{ArticleNo, Language, TermCount, TermMap, prior::Prior};
use std::collections::{BTreeSet, HashMap};

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

/// What is known of one language.
#[derive(Default)]
struct Learned {
    /// Its articles that are counted, and in how many of them each term is.
    documents: u32,
    with_term: TermMap<u32>,
}

/// The document frequencies of all languages.
#[derive(Default)]
pub(super) struct Frequencies {
    of: HashMap<Language, Learned>,
    /// The articles that are counted.
    counted: BTreeSet<ArticleNo>,
}

impl Frequencies {
    /// Learns an article and weighs it with what is then known. Only the strongest terms are kept, and only
    /// they are learned: what is kept is what a restart learns from.
    pub fn weigh(&mut self, newcomer: &Newcomer<'_>) -> Profile {
        let print = newcomer.fingerprint;
        let learned = self.of.entry(print.language).or_default();
        let documents = learned.documents + 1;
        let idf = Idf::new(print.language, documents, &learned.with_term);
        let terms = unit_vectors(&strongest(&print.terms, &idf));
        let profile = Profile {
            no: newcomer.no,
            id: newcomer.id,
            text_digest: newcomer.text_digest,
            time: newcomer.time,
            published: newcomer.published,
            source: newcomer.source.map(|s| xxhash_rust::xxh3::xxh3_64(s.to_lowercase().as_bytes())),
            language: print.language,
            seen: documents,
            words: print.words,
            simhash: print.simhash,
            shingles: print.shingles,
            sketch: print.sketch.clone(),
            slots: print.slots.clone(),
            name_slots: print.name_slots.clone(),
            quoted: print.quoted.clone(),
            weekdays: print.weekdays,
            compared: Compared::of(&terms),
            totals: Totals::of(&terms),
            terms,
            encoded: print.encoded.clone(),
        };
        self.learn(&profile);
        profile
    }

    /// Counts an article that has come into the window.
    pub fn learn(&mut self, profile: &Profile) {
        self.counted.insert(profile.no);
        let learned = self.of.entry(profile.language).or_default();
        learned.documents += 1;
        for term in &profile.terms {
            *learned.with_term.entry(term.number).or_default() += 1;
        }
    }

    /// The oldest article that is counted and no longer is when the one of this number comes.
    pub fn outdated_by(&self, no: ArticleNo) -> Option<ArticleNo> {
        self.counted.first().copied().filter(|oldest| oldest.0.saturating_add(RECENT_ARTICLES) < no.0)
    }

    /// Counts an article no longer, where it still is.
    pub fn unlearn(&mut self, profile: &Profile) {
        let Some(learned) = self.of.get_mut(&profile.language) else { return };
        if !self.counted.remove(&profile.no) {
            return;
        }
        learned.documents = learned.documents.saturating_sub(1);
        for term in &profile.terms {
            if let Some(count) = learned.with_term.get_mut(&term.number) {
                *count -= 1;
                if *count == 0 {
                    learned.with_term.remove(&term.number);
                }
            }
        }
    }
}

/// Inverse document frequencies as an article that has just come sees them: it counts itself.
struct Idf<'f> {
    prior: Option<&'static Prior>,
    documents: f64,
    /// What an article in the window counts for.
    weight: f64,
    with_term: &'f TermMap<u32>,
}

impl<'f> Idf<'f> {
    fn new(language: Language, learned: u32, with_term: &'f TermMap<u32>) -> Self {
        let prior = (language == Language::ENGLISH).then(Prior::english);
        let before = f64::from(prior.map_or(PSEUDO_DOCUMENTS, |p| p.documents));
        let weight = (LEARNED_WEIGHT / f64::from(learned)).min(1.);
        Self { prior, documents: before + weight * f64::from(learned), weight, with_term }
    }

    fn of(&self, term: u32) -> f64 {
        let before = self.prior.map_or(0, |p| p.documents_with(term));
        let learned = self.with_term.get(&term).copied().unwrap_or(0) + 1;
        // A term that the window alone knows is never taken for rarer than one that stands in one text.
        let with = (f64::from(before) + self.weight * f64::from(learned)).max(1.);
        libm::log((self.documents + 1.) / (with + 1.)).max(0.)
    }
}

/// A term with what it weighs.
struct Weighed {
    count: TermCount,
    idf: f64,
    weight: f64,
}

/// The strongest terms, strongest first.
fn strongest(counts: &[TermCount], idf: &Idf<'_>) -> Vec<Weighed> {
    let mut weighed: Vec<Weighed> = counts
        .iter()
        .map(|count| {
            let idf = idf.of(count.term);
            Weighed { count: *count, idf, weight: damped(count.count) * idf }
        })
        .collect();
    weighed.sort_unstable_by(|a, b| b.weight.total_cmp(&a.weight).then(a.count.term.cmp(&b.count.term)));
    weighed.truncate(TERMS_MAX);
    weighed
}

/// The vectors of the strongest and of the head's terms, each of length one.
fn unit_vectors(weighed: &[Weighed]) -> Vec<Term> {
    let head_weight = |w: &Weighed| if w.count.head == 0 { 0. } else { damped(w.count.head) * w.idf };
    let top_norm = norm(weighed.iter().take(TOP_TERMS).map(|w| w.weight));
    let head_norm = norm(weighed.iter().map(head_weight));
    let mut terms: Vec<Term> = (0..)
        .zip(weighed)
        .map(|(rank, w): (usize, _)| Term {
            number: w.count.term,
            top: if rank < TOP_TERMS { fixed(w.weight / top_norm * UNIT) } else { 0 },
            head: fixed(head_weight(w) / head_norm * UNIT),
            idf: fixed(w.idf * IDF_UNIT),
            kind: w.count.kind,
            in_opening: w.count.in_opening,
        })
        .collect();
    terms.sort_unstable_by_key(|t| t.number);
    terms
}

/// A count, damped: the second mention says less than the first.
fn damped(count: u32) -> f64 {
    1. + libm::log(f64::from(count.max(1)))
}

/// The length of a vector; 1 for one of length zero, so that it can be divided by.
fn norm(weights: impl Iterator<Item = f64>) -> f64 {
    let norm = libm::sqrt(weights.map(|x| x * x).sum());
    if norm > 0. { norm } else { 1. }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range before")]
fn fixed(value: f64) -> u16 {
    value.round().clamp(0., f64::from(u16::MAX)) as u16
}
