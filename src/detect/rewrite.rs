//! The fourth matcher: the same story in other words. The strongest terms find candidates, and a small logistic
//! combination of evidence that a person can follow gives the probability that a pair tells one story.

use super::{
    index::TermMap,
    profile::{IDF_UNIT, Profile, Term, UNIT},
};
use crate::model::{ArticleNo, TermKind};

/// A candidate's cosine of the strongest terms is at least this.
const COSINE_MIN: f64 = 0.08;
/// This many candidates at most, those with the highest cosine.
const CANDIDATES_MAX: usize = 64;
/// Rarest terms first, this many postings are looked at for one article, so that its cost does not grow with
/// the window.
const POSTINGS_BUDGET: usize = 8_000;

/// Finds live articles by their strongest terms.
#[derive(Default)]
pub(super) struct TermIndex {
    postings: TermMap<Vec<(ArticleNo, u16)>>,
    /// The sums of products under way, all 0 between two calls. The place of an article is its number less
    /// `first`, the smallest that was live when this was last cleared.
    sums: Vec<u64>,
    first: u32,
}

impl TermIndex {
    pub fn insert(&mut self, profile: &Profile) {
        for term in profile.top() {
            self.postings.entry(term.number).or_default().push((profile.no, term.top));
        }
    }

    pub fn remove(&mut self, profile: &Profile) {
        for term in profile.top() {
            if let Some(postings) = self.postings.get_mut(&term.number) {
                postings.retain(|(no, _)| *no != profile.no);
                if postings.is_empty() {
                    self.postings.remove(&term.number);
                }
            }
        }
    }

    /// Says which numbers may be live: those from `first` on, `span` of them.
    pub fn live_numbers(&mut self, first: ArticleNo, span: usize) {
        self.first = first.0;
        self.sums.resize(span, 0);
    }

    /// The articles whose strongest terms are most like these, most alike first, then the older.
    pub fn candidates(&mut self, profile: &Profile) -> Vec<ArticleNo> {
        let mut terms: Vec<&Term> = profile.top().collect();
        terms.sort_unstable_by_key(|t| (std::cmp::Reverse(t.idf), t.number));
        let (mut touched, mut budget) = (Vec::new(), POSTINGS_BUDGET);
        for term in terms {
            let Some(postings) = self.postings.get(&term.number) else { continue };
            if postings.len() > budget {
                break;
            }
            budget -= postings.len();
            for (no, weight) in postings {
                let Some(sum) = self.sums.get_mut((no.0 - self.first) as usize) else { continue };
                if *sum == 0 {
                    touched.push(*no);
                }
                *sum += u64::from(term.top) * u64::from(*weight);
            }
        }
        let mut found: Vec<(u64, ArticleNo)> =
            touched.into_iter().map(|no| (self.take_sum(no), no)).collect();
        found.retain(|(sum, _)| cosine(*sum) >= COSINE_MIN);
        found.sort_unstable_by_key(|(sum, no)| (std::cmp::Reverse(*sum), *no));
        found.into_iter().take(CANDIDATES_MAX).map(|(_, no)| no).collect()
    }

    fn take_sum(&mut self, no: ArticleNo) -> u64 {
        self.sums.get_mut((no.0 - self.first) as usize).map(std::mem::take).unwrap_or_default()
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
        let (mut top, mut head, mut figures) = (0_u64, 0_u64, 0_u64);
        let (mut rare, mut names_a, mut names_b) = (0_u64, 0_u64, 0_u64);
        let product = |x: u16, y: u16| u64::from(x) * u64::from(y);
        for (x, y) in both(&a.terms, &b.terms) {
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
        let rare_mass = a.mass(Term::is_rare).max(b.mass(Term::is_rare));
        let of_names = |shared: u64, p: &Profile| real(shared) / real(p.mass(Term::is_top_name).max(1));
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
