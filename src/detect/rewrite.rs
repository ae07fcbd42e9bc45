//! The fourth matcher: the same story in other words. The strongest terms find candidates, and a small logistic
//! combination of evidence that a person can follow gives the probability that a pair tells one story.

use super::{
    index::remove_number,
    profile::{IDF_UNIT, Profile, Term, UNIT},
};
use crate::model::{ArticleNo, TermKind, TermMap};
use std::{cmp::Reverse, collections::VecDeque};

/// A candidate's cosine of the strongest terms is at least .08: this, of the product of two unit vectors.
const PRODUCT_MIN: u32 = 343_586_898; // 0.08 * UNIT * UNIT
/// This many candidates at most, those with the highest cosine.
const CANDIDATES_MAX: usize = 64;
/// Rarest terms first, this many postings are looked at for one article, so that its cost does not grow with
/// the window.
const POSTINGS_BUDGET: usize = 8_000;

/// One term of one article: its number and the term's weight.
type Posting = (ArticleNo, u16);

/// Finds live articles by their strongest terms.
#[derive(Default)]
pub(super) struct TermIndex {
    /// In order of number.
    postings: TermMap<VecDeque<Posting>>,
    sums: Sums,
}

impl TermIndex {
    pub fn insert(&mut self, profile: &Profile) {
        for term in profile.top() {
            self.postings.entry(term.number).or_default().push_back((profile.no, term.top));
        }
    }

    pub fn remove(&mut self, profile: &Profile) {
        for term in profile.top() {
            if let Some(postings) = self.postings.get_mut(&term.number) {
                remove_number(postings, profile.no, |(no, _)| *no);
                if postings.is_empty() {
                    self.postings.remove(&term.number);
                }
            }
        }
    }

    /// Says which numbers may be live: those from `first` on, `span` of them.
    pub fn live_numbers(&mut self, first: ArticleNo, span: usize) {
        self.sums.first = first.0;
        self.sums.of.resize(span, 0);
    }

    /// The articles whose strongest terms are most like these; of equals the older.
    pub fn candidates(&mut self, profile: &Profile) -> Vec<ArticleNo> {
        let mut terms: Vec<&Term> = profile.top().collect();
        terms.sort_unstable_by_key(|t| (Reverse(t.idf), t.number));
        let mut budget = POSTINGS_BUDGET;
        for term in terms {
            let Some(postings) = self.postings.get(&term.number) else { continue };
            if postings.len() > budget {
                break;
            }
            budget -= postings.len();
            let (older, newer) = postings.as_slices();
            self.sums.add(older, term.top);
            self.sums.add(newer, term.top);
        }
        let mut found = self.sums.take();
        if found.len() > CANDIDATES_MAX {
            found.select_nth_unstable(CANDIDATES_MAX);
            found.truncate(CANDIDATES_MAX);
        }
        found.into_iter().map(|(_, no)| no).collect()
    }
}

/// The sums of products under way, all 0 between two calls. They end at the largest 32-bit number, which two unit
/// vectors reach only where they are the same.
#[derive(Default)]
struct Sums {
    /// By number, less `first`, the smallest that was live when this was last cleared.
    of: Vec<u32>,
    first: u32,
    /// The places of those that are not 0, as many as `touched`, and room for more.
    places: Vec<u32>,
    touched: usize,
}

impl Sums {
    fn add(&mut self, postings: &[Posting], weight: u16) {
        self.places.resize(POSTINGS_BUDGET + 1, 0);
        for (no, other) in postings {
            let place = no.0.wrapping_sub(self.first);
            let Some(sum) = self.of.get_mut(place as usize) else { continue };
            // Written in any case and counted when it was new: a branch here would be guessed wrong half of the time.
            if let Some(next) = self.places.get_mut(self.touched) {
                *next = place;
            }
            self.touched += usize::from(*sum == 0);
            *sum = sum.saturating_add(u32::from(weight) * u32::from(*other));
        }
    }

    /// Clears all, and returns those of candidates.
    fn take(&mut self) -> Vec<(Reverse<u32>, ArticleNo)> {
        let mut found = Vec::new();
        for place in self.places.iter().take(self.touched) {
            let Some(sum) = self.of.get_mut(*place as usize).map(std::mem::take) else { continue };
            if sum >= PRODUCT_MIN {
                found.push((Reverse(sum), ArticleNo(self.first + place)));
            }
        }
        self.touched = 0;
        found
    }
}

/// What two articles' terms have in common. All are shares but the count.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shared {
    /// The cosine of the strongest terms.
    pub top: f64,
    /// The cosine of the heads.
    pub head: f64,
    /// The cosine of the figures, weighted by rarity.
    pub figures: f64,
    /// The rare terms in both against those of the article that has more of them.
    pub rare: f64,
    /// The names of one that the other has too, against all of the one; the lower of both directions.
    pub names: f64,
}

/// Beside an article's own rare terms, shared ones are measured against so much more, so that two articles of
/// few rare terms do not agree wholly by sharing one.
const RARE_PRIOR: f64 = 10.;

impl Shared {
    pub fn of(a: &Profile, b: &Profile) -> Self {
        Self::over(a, b, both(&a.terms, &b.terms))
    }

    /// The same from the terms in both. Those that tell nothing may be left out.
    pub fn over<'t>(a: &Profile, b: &Profile, both: impl Iterator<Item = (&'t Term, &'t Term)>) -> Self {
        let (mut top, mut head, mut figures) = (0_u64, 0_u64, 0_u64);
        let (mut rare, mut names_a, mut names_b) = (0_u64, 0_u64, 0_u64);
        let product = |x: u16, y: u16| u64::from(x) * u64::from(y);
        for (x, y) in both {
            top += product(x.top, y.top);
            head += product(x.head, y.head);
            if x.kind == TermKind::Figure {
                figures += product(x.idf, y.idf);
            }
            if x.is_rare() && y.is_rare() {
                rare += u64::from(x.idf) + u64::from(y.idf);
            }
            names_a += if x.is_top_name() { u64::from(x.idf) } else { 0 };
            names_b += if y.is_top_name() { u64::from(y.idf) } else { 0 };
        }
        let rare_mass = a.compared.rare_mass.max(b.compared.rare_mass);
        let of_names = |shared: u64, p: &Profile| real(shared) / real(p.compared.name_mass.max(1));
        Self {
            top: cosine(top),
            head: cosine(head),
            figures: real(figures) / (IDF_UNIT * IDF_UNIT) / (a.figures_norm * b.figures_norm),
            rare: real(rare) / 2. / IDF_UNIT / (real(rare_mass) / IDF_UNIT + RARE_PRIOR),
            names: of_names(names_a, a).min(of_names(names_b, b)),
        }
    }
}

fn cosine(product: u64) -> f64 {
    real(product) / (UNIT * UNIT)
}

#[expect(clippy::cast_precision_loss, reason = "a sum of 512 products of 16 bits is below 2^41")]
fn real(sum: u64) -> f64 {
    sum as f64
}

/// The terms that two sorted lists have in common.
pub(super) fn both<'t>(a: &'t [Term], b: &'t [Term]) -> impl Iterator<Item = (&'t Term, &'t Term)> {
    let mut others = b.iter().peekable();
    a.iter().filter_map(move |x| {
        while others.next_if(|y| y.number < x.number).is_some() {}
        others.next_if(|y| y.number == x.number).map(|y| (x, y))
    })
}
