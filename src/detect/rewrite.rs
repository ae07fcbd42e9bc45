//! The fourth matcher: the same story in other words. The strongest terms find candidates, and a small logistic
//! combination of evidence that a person can follow gives the probability that a pair tells one story.

use super::{
    overlap::common,
    postings::Postings,
    profile::Profile,
    tally::Tally,
    terms::{IDF_UNIT, Term, after_least, both},
};
use crate::model::ArticleNo;
use std::cmp::Reverse;

/// A candidate's cosine, as far as it is found, is at least .08 where it shares so many terms, and .12 where it shares fewer:
/// two articles come to a word or two in common by chance. Of 2,865 pairs of three labelled sets that proved likely (.48 and
/// more) and share no wording, one is below. With .10 for many terms, one join of the labelled outlets is lost beside 100,000
/// other articles.
const SHARED_TERMS: u32 = 4;
const PRODUCT_MIN: u32 = 5_160; // .08 * UNIT * UNIT / 2^16, as are all products that are summed
const PRODUCT_OF_FEW_MIN: u32 = 7_741; // .12
/// This many candidates at most, those with the highest cosine. With twice as many no record of three labelled sets is
/// another, nor one of the outlets beside 100,000 other articles; four of 382 links are found more, and matching costs an
/// eighth more.
const CANDIDATES_MAX: usize = 16;
/// An article is found by this many of its strongest terms. With all 96, no record of three labelled sets is another, and
/// four of 760 links between their records are found more.
const FINDING_TERMS: usize = 40;
/// What their number and the place of each fit into.
const FINDING_BITS: u32 = FINDING_TERMS.ilog2() + 1;
/// The terms that fewest live articles have come first, and this many postings are looked at for one article, so that its
/// cost does not grow with the window. With 1,500, three labelled sets come out the same, and so do the outlets beside
/// 100,000 other articles. (In the order of inverse document frequency, which knows the last articles only, those lost joins
/// with 1,500.)
const POSTINGS_BUDGET: usize = 800;

/// Finds live articles by their strongest terms.
#[derive(Default)]
pub(super) struct TermIndex {
    /// Each with the root of the term's weight.
    postings: Postings<(), 8>,
}

impl TermIndex {
    /// Of articles in order.
    pub fn holding(articles: &[&Profile]) -> Self {
        Self { postings: Postings::holding(articles, |article| (article.no, ()), keys) }
    }

    pub fn insert(&mut self, profile: &Profile) {
        self.postings.insert(profile.no, (), keys(profile));
    }

    pub fn remove(&mut self, profile: &Profile) {
        self.postings.remove(profile.no, || finding(profile).map(|term| term.number));
    }

    /// The articles whose strongest terms are most like these; of equals the older.
    pub fn candidates(&self, profile: &Profile, tally: &mut Tally) -> Vec<ArticleNo> {
        let terms: Vec<Term> = finding(profile).collect();
        let lists = self.postings.of(terms.iter().map(|term| term.number));
        // The shortest first, and of equals the one of the lower term; as one number each, which sort without a guess.
        let mut order: Vec<usize> =
            (0..).zip(&lists).map(|(place, list)| list.postings().len() << FINDING_BITS | place).collect();
        order.sort_unstable();
        let mut budget = POSTINGS_BUDGET;
        tally.cover(self.postings.places());
        for place in order {
            let place = place % (1 << FINDING_BITS);
            let (Some(term), Some(list)) = (terms.get(place), lists.get(place)) else { break };
            let Some(left) = budget.checked_sub(list.postings().len()) else { break };
            budget = left;
            let top = u32::from(term.top());
            tally.add(list.postings().iter().map(|posting| {
                let root = posting & u32::from(u8::MAX);
                (self.postings.place(*posting), found_term(top * root * root))
            }));
        }
        let mut found: Vec<(Reverse<u32>, ArticleNo)> = tally
            .take()
            .filter(|(sum, _)| is_likely(*sum))
            .filter_map(|(sum, place)| Some((Reverse(sum), self.postings.article(place)?.0)))
            .collect();
        if found.len() > CANDIDATES_MAX {
            found.select_nth_unstable(CANDIDATES_MAX);
            found.truncate(CANDIDATES_MAX);
        }
        found.into_iter().map(|(_, no)| no).collect()
    }
}

/// What one shared term adds to the sum: its product above, and below, in the bits that so many terms need, one term.
fn found_term(product: u32) -> u32 {
    (product >> u16::BITS << FINDING_BITS) + 1
}

fn is_likely(sum: u32) -> bool {
    let (product, terms) = (sum >> FINDING_BITS, sum & ((1 << FINDING_BITS) - 1));
    product >= if terms < SHARED_TERMS { PRODUCT_OF_FEW_MIN } else { PRODUCT_MIN }
}

/// Marks the terms by which an article is found.
pub(super) fn mark_finding(terms: &mut [Term]) {
    let strength = |term: &Term| u64::from(!term.top()) << u32::BITS | u64::from(term.number);
    let end = after_least(FINDING_TERMS, terms.iter().filter(|term| term.is_top()).map(strength).collect());
    let finds = |term: &Term| term.is_top() && end.is_none_or(|end| strength(term) < end);
    terms.iter_mut().filter(|term| finds(term)).for_each(Term::mark_finding);
}

/// The terms by which an article is found.
fn finding(profile: &Profile) -> impl Iterator<Item = Term> + Clone {
    profile.terms().iter().filter(|term| term.finds())
}

/// The same, each with the root of its weight. All are written and those that find are kept: a branch here would be guessed
/// wrong at every other of them.
fn keys(profile: &Profile) -> impl Iterator<Item = (u32, u8)> {
    let (mut keys, mut count) = ([(0, 0); FINDING_TERMS], 0);
    for term in profile.terms().iter() {
        if let Some(next) = keys.get_mut(count) {
            *next = (term.number, term.top_root());
        }
        count += usize::from(term.finds());
    }
    keys.into_iter().take(count)
}

/// What two articles' terms and quotations have in common, as shares.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shared {
    /// The cosine of the strongest terms with every weight squared: whether they are about the same few things.
    pub focus: f64,
    /// The cosine of the names in the heads.
    pub head_names: f64,
    /// The opening's terms that the other's head has, against all of them; the lower of both directions.
    pub opening: f64,
    /// The figures in both, against those of either; where there are few, between agreement and none.
    pub figures: f64,
    /// The figures in both heads, against those of the head that has fewer.
    pub head_figures: f64,
    /// The rare terms in both against those of the article that has more of them.
    pub rare: f64,
    /// The names of one that the other's head has, against all of the one; the lower of both directions.
    pub names: f64,
    /// How much they quote alike: 0 for nothing, 1 for 19 runs of four words, and little more for many more.
    pub quotes: f64,
}

/// Beside an article's own terms, shared ones are measured against so much more, so that two articles of few rare
/// terms or figures do not agree wholly by sharing one.
const RARE_PRIOR: f64 = 10.;
const FIGURE_PRIOR: f64 = 20.;
const HEAD_FIGURE_PRIOR: f64 = 10.;
/// What two articles are taken to share where there are no figures to tell by, as in the reference.
const FIGURE_NEUTRAL: f64 = 0.2;

/// The sums over the terms that two articles share; masses in `IDF_UNIT`.
#[derive(Default)]
struct Masses {
    focus: f64,
    head_names: u64,
    figure_mass: u32,
    head_figure_mass: u32,
    /// Counted from both sides.
    rare_mass: u32,
    names: [u32; 2],
    openings: [u32; 2],
}

impl Masses {
    fn add(&mut self, x: Term, y: Term) {
        let product = |x: u16, y: u16| u64::from(x) * u64::from(y);
        let when = |is: bool, idf: u32| if is { idf } else { 0 };
        let both_tops = real(product(x.top(), y.top()));
        self.focus += both_tops * both_tops;
        self.head_names += if x.is_name() { product(x.head(), y.head()) } else { 0 };
        self.figure_mass += when(x.is_figure(), x.idf());
        self.head_figure_mass += when(x.is_figure() && x.is_in_head() && y.is_in_head(), x.idf());
        self.rare_mass += when(x.is_rare() && y.is_rare(), x.idf() + y.idf());
        self.names[0] += when(x.is_top_name() && y.is_in_head(), x.idf());
        self.names[1] += when(y.is_top_name() && x.is_in_head(), x.idf());
        self.openings[0] += when(x.is_in_opening() && y.is_in_head(), x.idf());
        self.openings[1] += when(y.is_in_opening() && x.is_in_head(), x.idf());
    }
}

impl Shared {
    /// What the later article `a` and the earlier `b` share.
    pub fn of(a: &Profile, b: &Profile) -> Self {
        Self::over(a, b, both(a.terms(), b.terms()), common(a.quoted(), b.quoted()).count())
    }

    /// The same from the terms in both, of which those that tell nothing may be left out, and how many quoted runs are in both.
    pub fn over(
        a: &Profile,
        b: &Profile,
        both: impl Iterator<Item = (Term, Term)>,
        quoted_runs: usize,
    ) -> Self {
        let mut sums = Masses::default();
        for (x, y) in both {
            sums.add(x, y);
        }
        let (of_a, of_b) = (&a.totals, &b.totals);
        let share = |shared: f64, all: f64| if all > 0. { shared / all } else { 0. };
        let lower = |shared: [u32; 2], a: u32, b: u32| {
            share(f64::from(shared[0]), f64::from(a)).min(share(f64::from(shared[1]), f64::from(b)))
        };
        let figure_mass = libm::sqrt(mass(of_a.figure_mass) * mass(of_b.figure_mass));
        let head_figure_mass = mass(of_a.head_figure_mass.min(of_b.head_figure_mass));
        Self {
            focus: share(sums.focus, of_a.focus_norm * of_b.focus_norm),
            head_names: share(real(sums.head_names), of_a.head_names_norm * of_b.head_names_norm),
            opening: lower(sums.openings, of_a.opening_mass, of_b.opening_mass),
            figures: (mass(sums.figure_mass) + FIGURE_NEUTRAL * FIGURE_PRIOR) / (figure_mass + FIGURE_PRIOR),
            head_figures: mass(sums.head_figure_mass) / (head_figure_mass + HEAD_FIGURE_PRIOR),
            rare: mass(sums.rare_mass) / 2. / (mass(of_a.rare_mass.max(of_b.rare_mass)) + RARE_PRIOR),
            names: lower(sums.names, of_a.name_mass, of_b.name_mass),
            quotes: quotes(quoted_runs),
        }
    }
}

fn quotes(runs: usize) -> f64 {
    match u32::try_from(runs).unwrap_or(u32::MAX) {
        0 => 0.,
        runs => libm::log(1. + f64::from(runs)) / 3.,
    }
}

/// A summed inverse document frequency.
fn mass(sum: u32) -> f64 {
    f64::from(sum) / IDF_UNIT
}

#[expect(clippy::cast_precision_loss, reason = "a sum of 512 products of 16 bits is below 2^41")]
fn real(sum: u64) -> f64 {
    sum as f64
}
