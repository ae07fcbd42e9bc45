//! Whether two articles tell one story: all that the matchers measured on the pair, and the probability.

use super::{
    near,
    overlap::Overlap,
    profile::Profile,
    rewrite::Shared,
    template,
};
use crate::model::{Evidence, Relation, Score};

/// The coefficients of the logistic combination, as fitted in the reference on labelled news.
const BIAS: f64 = -7.473;
const TOP: f64 = 10.742;
const LEAD: f64 = 8.987;
const FIGURES: f64 = 7.669;
const RARE: f64 = 1.907;
const SLOPE: f64 = 0.6;
/// With few articles seen, document frequencies are coarse: ask for more.
const COLD: f64 = 2.2;
const COLD_DOCUMENTS: f64 = 40.;
/// Days apart count from here on, each so much, up to so much in all.
const DAYS_FREE: f64 = 1.5;
const PER_DAY: f64 = 0.5;
const DAYS_MOST: f64 = 8.;
/// One outlet seldom tells one story twice in other words.
const SAME_SOURCE: f64 = 4.;
/// From this containment on, one text is mostly in the other.
const MOSTLY: f64 = 0.5;

/// What was measured on two articles, and what follows.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    /// The probability that they tell one story; 0 for siblings of one template.
    pub probability: Score,
    /// Whether they are siblings of one template, which bars them from one record.
    pub siblings: bool,
    /// How the later stands to the earlier, where they tell one story.
    pub relation: Relation,
    pub evidence: Evidence,
}

impl Pair {
    /// Measures two articles; the order in which they are given does not matter.
    pub fn of(one: &Profile, other: &Profile) -> Self {
        let (a, b) = if one.no > other.no { (one, other) } else { (other, one) };
        let (shared, overlap) = (Shared::of(a, b), Overlap::of(a, b));
        let hamming = match (a.simhash, b.simhash) {
            (Some(x), Some(y)) => simhash::hamming_distance(x, y),
            _ => u64::BITS,
        };
        let siblings = template::siblings(a, b, &overlap, shared.figure_count);
        let probability = if siblings { Score::ZERO } else { probability(a, b, &shared, &overlap) };
        let evidence = Evidence {
            hamming,
            contained: Score::from_share(overlap.contained),
            contains: Score::from_share(overlap.contains),
            terms: Score::from_share(shared.top),
            lead: Score::from_share(shared.lead),
            figures: Score::from_share(shared.figures),
            rare: Score::from_share(rare(&shared) / 2.),
            probability,
            ..Evidence::default()
        };
        Self { probability, siblings, relation: relation(&overlap, hamming), evidence }
    }
}

fn probability(a: &Profile, b: &Profile, shared: &Shared, overlap: &Overlap) -> Score {
    let fewest = f64::from(a.figures.min(b.figures));
    // Shared figures weigh as much as there are figures to share; with none nothing is said.
    let figures = (fewest * shared.figures + 0.6) / (fewest + 3.);
    let mut z = BIAS + TOP * shared.top + LEAD * shared.lead + FIGURES * figures + RARE * rare(shared);
    z -= COLD * (1. - f64::from(a.seen) / COLD_DOCUMENTS).max(0.);
    if let (Some(x), Some(y)) = (a.published, b.published) {
        z -= (PER_DAY * (x.days_apart(y) - DAYS_FREE).max(0.)).min(DAYS_MOST);
    }
    if a.source.is_some() && a.source == b.source {
        z -= SAME_SOURCE;
    }
    let by_terms = 1. / (1. + libm::exp(-SLOPE * z));
    let by_wording = if overlap.joins() { 0.6 + 0.4 * overlap.containment() } else { 0. };
    Score::from_share(by_terms.max(by_wording))
}

/// The weight of the shared rare terms, damped: the tenth name says less than the first.
fn rare(shared: &Shared) -> f64 {
    libm::log(1. + shared.rare) / 5.
}

/// How a later article stands to an earlier one that tells the same story.
fn relation(overlap: &Overlap, hamming: u32) -> Relation {
    let (contained, contains) = (overlap.contained >= MOSTLY, overlap.contains >= MOSTLY);
    match (contained, contains) {
        (true, true) => Relation::Near,
        (true, false) if hamming <= near::RADIUS => Relation::Near,
        (true, false) => Relation::Excerpt,
        (false, true) => Relation::Extended,
        (false, false) if overlap.joins() => Relation::Near,
        (false, false) => Relation::Rewrite,
    }
}
