//! Whether two articles tell one story: all that the matchers measured on the pair, and the probability.

use super::{near, overlap::Overlap, profile::Profile, rewrite::Shared, template};
use crate::model::{Evidence, Language, Relation, Score};

/// The logistic combination, fitted on labelled pairs of four sets at once (independently written stories, two
/// stories of one topic, a dense agency stream, running stories) and thinned to what carries weight. The
/// fit is of the evidence's coefficients; bias and the same-source level were then set by hand for precision.
const BIAS: f64 = -4.36;
const TOP: f64 = 1.90;
const HEAD: f64 = 6.27;
const FIGURES: f64 = 7.29;
const RARE: f64 = 6.02;
const NAMES: f64 = 3.22;
const SLOPE: f64 = 0.6;
/// With few articles seen, document frequencies are coarse: ask for more, with a prior behind them and without.
const COLD_PRIOR: f64 = 3.23;
const COLD_NO_PRIOR: f64 = 3.19;
const COLD_DOCUMENTS: f64 = 40.;
/// Short items ask for more, in proportion down to a fifth of this many words.
const SHORT: f64 = 0.8;
const SHORT_WORDS: f64 = 50.;
const SHORT_WORDS_MIN: u32 = 10;
/// Days apart count from here on, each so much, up to so much in all.
const DAYS_FREE: f64 = 1.5;
const PER_DAY: f64 = 0.38;
const DAYS_MOST: f64 = 6.08;
/// One outlet seldom tells one story twice in other words, and the less the more days lie between.
const SAME_SOURCE: f64 = 2.77;
const SAME_SOURCE_PER_DAY: f64 = 1.38;
const SAME_SOURCE_DAYS_MAX: f64 = 6.;
/// From this containment on, one text is mostly in the other.
const MOSTLY: f64 = 0.5;
/// Two texts that share wording are of one length up to this ratio; beyond it one is an excerpt of the other.
const LENGTH_RATIO: f64 = 1.25;

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
        let (siblings, form) = template::siblings(a, b, &overlap);
        let probability = if siblings { Score::ZERO } else { probability(a, b, &shared, &overlap) };
        let evidence = Evidence {
            hamming,
            contained: Score::from_share(overlap.contained),
            contains: Score::from_share(overlap.contains),
            terms: Score::from_share(shared.top),
            head: Score::from_share(shared.head),
            figures: Score::from_share(shared.figures),
            rare: Score::from_share(shared.rare),
            names: Score::from_share(shared.names),
            form,
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
    let agreement = BIAS
        + TOP * shared.top
        + HEAD * shared.head
        + FIGURES * figures
        + RARE * shared.rare
        + NAMES * shared.names;
    let z = agreement - caution(a, b) - distance(a, b);
    let by_terms = 1. / (1. + libm::exp(-SLOPE * z));
    let by_wording = if overlap.joins() { 0.6 + 0.4 * overlap.containment() } else { 0. };
    Score::from_share(by_terms.max(by_wording))
}

/// What is asked for beyond agreement where little is known: of the language, or because the texts are short.
fn caution(a: &Profile, b: &Profile) -> f64 {
    let have_prior = a.language == Language::ENGLISH && b.language == Language::ENGLISH;
    let cold = if have_prior { COLD_PRIOR } else { COLD_NO_PRIOR };
    let words = f64::from(a.words.min(b.words).max(SHORT_WORDS_MIN));
    cold * (1. - f64::from(a.seen) / COLD_DOCUMENTS).max(0.) + SHORT * (1. - words / SHORT_WORDS).max(0.)
}

/// What days apart and one source take away. Unknown days count nothing.
fn distance(a: &Profile, b: &Profile) -> f64 {
    let days = match (a.published, b.published) {
        (Some(x), Some(y)) => x.days_apart(y),
        _ => 0.,
    };
    let apart = (PER_DAY * (days - DAYS_FREE).max(0.)).min(DAYS_MOST);
    let is_same_source = a.source.is_some() && a.source == b.source;
    let same_source = SAME_SOURCE + SAME_SOURCE_PER_DAY * days.min(SAME_SOURCE_DAYS_MAX);
    apart + if is_same_source { same_source } else { 0. }
}

/// How a later article stands to an earlier one that tells the same story. The two containments are shares of the
/// same thing, so their ratio is that of the lengths.
fn relation(overlap: &Overlap, hamming: u32) -> Relation {
    if overlap.containment() < MOSTLY && !overlap.joins() {
        return Relation::Rewrite;
    }
    if hamming > near::RADIUS && overlap.contained > overlap.contains * LENGTH_RATIO {
        Relation::Excerpt
    } else if hamming > near::RADIUS && overlap.contains > overlap.contained * LENGTH_RATIO {
        Relation::Extended
    } else {
        Relation::Near
    }
}
