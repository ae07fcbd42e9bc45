//! Template siblings: two texts from one form whose figures differ are two stories, though nine words in ten
//! are the same. They agree much more with their figures masked than with them.

use super::{
    overlap::{Overlap, common},
    profile::Profile,
};
use crate::model::SKETCH_ONE_IN;

/// Below this containment, or with fewer figures than this, nothing is said of form.
const CONTAINMENT_MIN: f64 = 0.20;
const FIGURES_MIN: u32 = 3;
/// How much masking must gain, with at most which share of the figures in common. Over the labelled pairs of
/// newswire the gain is at least .08 for 98% of template pairs and at most .04 for 98% of re-sends.
const GAINS: [(f64, f64); 2] = [(0.06, 0.5), (0.12, 0.8)];

/// Whether two articles are siblings of one template.
pub(super) fn siblings(a: &Profile, b: &Profile, overlap: &Overlap, shared_figures: u32) -> bool {
    let fewest = a.totals.figures.min(b.totals.figures);
    if overlap.containment() < CONTAINMENT_MIN || overlap.shared < 2 || fewest < FIGURES_MIN {
        return false;
    }
    let same = f64::from(shared_figures) / f64::from(fewest);
    let gain = masking_gain(a, b);
    GAINS.iter().any(|(least, most_same)| gain >= *least && same <= *most_same)
}

/// By how much the Jaccard index of the shingles rises when figures are masked. The shingles that hold a figure
/// are kept whole; what the plain ones have in common is estimated from the sketches.
#[expect(clippy::cast_precision_loss, reason = "counts of shingles are far below 2^52")]
fn masking_gain(a: &Profile, b: &Profile) -> f64 {
    let plain = |p: &Profile| (f64::from(p.shingles) - p.figured.len() as f64).max(0.);
    let (plain_a, plain_b) = (plain(a), plain(b));
    let sampled = common(&a.sketch, &b.sketch).filter(|s| a.figured.binary_search(s).is_err()).count();
    let plain_shared = (sampled as f64 * f64::from(SKETCH_ONE_IN)).min(plain_a).min(plain_b);
    let jaccard = |x: &[u32], y: &[u32]| {
        let shared = plain_shared + common(x, y).count() as f64;
        let either = plain_a + plain_b + x.len() as f64 + y.len() as f64 - shared;
        if either > 0. { shared / either } else { 0. }
    };
    jaccard(&a.masked, &b.masked) - jaccard(&a.figured, &b.figured)
}
