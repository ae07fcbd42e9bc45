//! Whether two articles tell one story: all that the matchers measured on the pair, and the probability.

use super::{
    near,
    overlap::Overlap,
    probe::Probe,
    profile::Profile,
    rewrite::Shared,
    sentences,
    template::{self, Frames},
};
use crate::model::{ComparedNames, Evidence, Language, LogOdds, Parts, Relation, Score};

/// The logistic combination. The coefficients were fitted at once on labelled pairs of five sets (independently
/// written stories, two stories of one topic, a dense agency stream, other languages, running stories) and thinned to
/// what carries weight. Bias and the same-source level were then set by hand for precision.
const BIAS: f64 = -5.22;
const FOCUS: f64 = 3.37;
const HEAD_NAMES: f64 = 1.85;
const OPENING: f64 = 2.12;
const FIGURES: f64 = 4.95;
const HEAD_FIGURES: f64 = 5.12;
const RARE: f64 = 6.14;
const NAMES: f64 = 2.15;
const QUOTES: f64 = 3.33;
const WEEKDAYS: f64 = 0.60;
/// How alike the first sentences are to an encoder, where it saw both: nothing at the neutral likeness, more above it and
/// less below; the rest stays as it was fitted without. Both were chosen with all-MiniLM-L6-v2, on two similar events a
/// topic: with 3 or 4.5 the gain is less and with 8 precision falls; at a neutral likeness of .46 it is a little more, but
/// falls with thresholds that are .03 lower.
const SENTENCES: f64 = 6.;
const SENTENCES_NEUTRAL: f64 = 0.48;
const SLOPE: f64 = 0.8;
/// With few articles of a language seen, document frequencies are coarse: ask for more, with a prior behind them and
/// without.
const COLD_PRIOR: f64 = 0.50;
const COLD_NO_PRIOR: f64 = 1.20;
const COLD_DOCUMENTS: f64 = 40.;
/// And for so much more where an encoder speaks for the pair: to it the reports of a running story are alike. With
/// this and with twice as much an earlier story of a running topic stays apart in every order, without it seldom.
const COLD_SENTENCES: f64 = 0.8;
/// Short items ask for more, in proportion down to a fifth of this many words: few words agree by chance. (A fit over
/// the labelled sets would ask for less and find .01 to .02 more of one of them, on items of 30 words and more.)
const SHORT: f64 = 0.8;
const SHORT_WORDS: f64 = 50.;
const SHORT_WORDS_MIN: u32 = 10;
/// Days apart count from here on, each so much, up to so much in all.
const DAYS_FREE: f64 = 1.5;
const PER_DAY: f64 = 0.38;
const DAYS_MOST: f64 = 6.08;
/// One outlet seldom tells one story twice in other words, and the less the more days lie between.
const SAME_SOURCE: f64 = 2.30;
const SAME_SOURCE_PER_DAY: f64 = 1.60;
const SAME_SOURCE_DAYS_MAX: f64 = 6.;
/// From this containment on, one text is mostly in the other.
const MOSTLY: f64 = 0.5;
/// Two texts that share wording are of one length up to this ratio; beyond it one is an excerpt of the other.
const LENGTH_RATIO: f64 = 1.25;

/// What was measured on two articles, and what follows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    /// The probability that they tell one story; 0 for siblings of one template.
    pub probability: Score,
    /// The same but for that bar.
    pub unbarred: Score,
    /// Whether they are siblings of one template, which bars them from one record.
    pub siblings: bool,
    /// How the later stands to the earlier, where they tell one story.
    pub relation: Relation,
    shared: Shared,
    overlap: Overlap,
    frames: Frames,
    hamming: u32,
}

impl Pair {
    /// Measures two articles; the order in which they are given does not matter.
    pub fn of(one: &Profile, other: &Profile) -> Self {
        let (a, b) = if one.no > other.no { (one, other) } else { (other, one) };
        Self::sharing(a, b, (Shared::of(a, b), Overlap::of(a, b)))
    }

    /// Measures a newcomer, laid out in the probe, and an older article.
    pub fn probed(probe: &Probe, newcomer: &Profile, older: &Profile) -> Self {
        Self::sharing(newcomer, older, (probe.shared(newcomer, older), probe.overlap(newcomer, older)))
    }

    /// The same, but nothing where they are less likely than `least` to tell one story: most that share terms are,
    /// and need not be looked at any further. So it is with the wording of two that are not said to share it.
    pub fn likely(
        probe: &Probe,
        newcomer: &Profile,
        older: &Profile,
        shares_wording: bool,
        least: f64,
    ) -> Option<Self> {
        let shared = probe.shared(newcomer, older);
        let by_terms = by_terms(newcomer, older, &shared);
        if by_terms < least && !shares_wording {
            return None;
        }
        let overlap = probe.overlap(newcomer, older);
        (by_terms.max(by_wording(&overlap)) >= least)
            .then(|| Self::sharing(newcomer, older, (shared, overlap)))
    }

    /// The later and the earlier, and what they have in common.
    fn sharing(a: &Profile, b: &Profile, (shared, overlap): (Shared, Overlap)) -> Self {
        let unbarred = Score::from_share(by_terms(a, b, &shared).max(by_wording(&overlap)));
        let hamming = match (a.simhash, b.simhash) {
            (Some(x), Some(y)) => simhash::hamming_distance(x, y),
            _ => u64::BITS,
        };
        let frames = Frames::of(a, b, &overlap);
        let siblings = frames.are_siblings();
        let probability = if siblings { Score::ZERO } else { unbarred };
        let relation = relation(&overlap, hamming);
        Self { probability, unbarred, siblings, relation, shared, overlap, frames, hamming }
    }

    /// The names that made them siblings; none where figures did, or nothing.
    pub fn compared_names(&self, a: &Profile, b: &Profile) -> ComparedNames {
        if self.frames.by_names { template::compared_names(a, b) } else { ComparedNames::default() }
    }

    /// What was measured, in the form in which it is kept. `a` is the later article.
    pub fn evidence(&self, a: &Profile, b: &Profile) -> Evidence {
        let Self { shared, overlap, .. } = self;
        Evidence {
            hamming: self.hamming,
            contained: Score::from_share(overlap.contained),
            contains: Score::from_share(overlap.contains),
            terms: Score::from_share(shared.focus),
            head: Score::from_share(shared.head_names),
            opening: Score::from_share(shared.opening),
            figures: Score::from_share(shared.figures),
            rare: Score::from_share(shared.rare),
            names: Score::from_share(shared.names),
            form: self.frames.figures,
            name_form: self.frames.names,
            by_names: self.frames.by_names,
            head_figures: Score::from_share(shared.head_figures),
            quotes: Score::from_share(shared.quotes),
            weekdays: weekdays(a, b),
            sentences: sentences::likeness(a, b).map(Score::from_share),
            probability: self.probability,
            wording: Score::from_share(by_wording(overlap)),
            parts: parts(&weights(a, b, shared)),
            siblings: self.siblings,
            ..Evidence::default()
        }
    }
}

/// The probability by all but the wording.
fn by_terms(a: &Profile, b: &Profile, shared: &Shared) -> f64 {
    let z: f64 = weights(a, b, shared).iter().sum();
    1. / (1. + libm::exp(-SLOPE * z))
}

/// What each piece of evidence weighs.
fn weights(a: &Profile, b: &Profile, shared: &Shared) -> [f64; 15] {
    let (days, same_source) = distance(a, b);
    let likeness = sentences::likeness(a, b);
    [
        BIAS,
        FOCUS * shared.focus,
        HEAD_NAMES * shared.head_names,
        OPENING * shared.opening,
        FIGURES * shared.figures,
        HEAD_FIGURES * shared.head_figures,
        RARE * shared.rare,
        NAMES * shared.names,
        QUOTES * shared.quotes,
        WEEKDAYS * f64::from(weekdays(a, b)),
        likeness.map_or(0., |likeness| SENTENCES * (likeness - SENTENCES_NEUTRAL)),
        -brevity(a, b),
        -caution(a, b, likeness.is_some()),
        -days,
        -same_source,
    ]
}

/// What each piece of evidence gave to the probability by terms, of what it weighs.
fn parts(weights: &[f64; 15]) -> Parts {
    let [
        bias,
        terms,
        head,
        opening,
        figures,
        head_figures,
        rare,
        names,
        quotes,
        weekdays,
        sentences,
        short,
        cold,
        days,
        same_source,
    ] = weights.map(|weight| LogOdds::from_real(SLOPE * weight));
    Parts {
        bias,
        terms,
        head,
        opening,
        figures,
        head_figures,
        rare,
        names,
        quotes,
        weekdays,
        sentences,
        cold,
        short,
        days,
        same_source,
    }
}

/// The probability by shared wording; 0 where too little is shared.
fn by_wording(overlap: &Overlap) -> f64 {
    if overlap.joins() { 0.6 + 0.4 * overlap.containment() } else { 0. }
}

/// Whether they name one weekday (1) or none in common (-1); 0 where one of them names none.
fn weekdays(a: &Profile, b: &Profile) -> i8 {
    match (a.weekdays, b.weekdays) {
        (0, _) | (_, 0) => 0,
        (x, y) if x & y != 0 => 1,
        _ => -1,
    }
}

/// What is asked for beyond agreement where few articles of the language have been seen.
fn caution(a: &Profile, b: &Profile, is_encoded: bool) -> f64 {
    let have_prior = a.language == Language::ENGLISH && b.language == Language::ENGLISH;
    let cold = if have_prior { COLD_PRIOR } else { COLD_NO_PRIOR };
    let more = if is_encoded { COLD_SENTENCES } else { 0. };
    (cold + more) * (1. - f64::from(a.seen) / COLD_DOCUMENTS).max(0.)
}

/// What is asked for beyond agreement where one text is short.
fn brevity(a: &Profile, b: &Profile) -> f64 {
    let words = f64::from(a.words.min(b.words).max(SHORT_WORDS_MIN));
    SHORT * (1. - words / SHORT_WORDS).max(0.)
}

/// What days apart and one source take away. Unknown days count nothing.
fn distance(a: &Profile, b: &Profile) -> (f64, f64) {
    let days = match (a.published, b.published) {
        (Some(x), Some(y)) => x.days_apart(y),
        _ => 0.,
    };
    let apart = (PER_DAY * (days - DAYS_FREE).max(0.)).min(DAYS_MOST);
    let is_same_source = a.source.is_some() && a.source == b.source;
    let same_source = SAME_SOURCE + SAME_SOURCE_PER_DAY * days.min(SAME_SOURCE_DAYS_MAX);
    (apart, if is_same_source { same_source } else { 0. })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        detect::{Newcomer, frequencies::Frequencies},
        fingerprint::fingerprint,
        model::{ArticleNo, Digest, Direction, Encoded, Normalized, Time},
    };
    use std::sync::Arc;

    const DAY: i64 = 86_400_000;

    fn profile(no: u32, text: &str, source: Option<&str>) -> Profile {
        let normalized = Normalized { text: text.to_owned(), title_bytes: 0 };
        let newcomer = Newcomer {
            no: ArticleNo(no),
            id: Digest::of(text.as_bytes()),
            text_digest: normalized.digest(),
            time: Time::default(),
            published: Some(Time::from_millis(i64::from(no) * 3 * DAY)),
            source,
            fingerprint: &fingerprint(&normalized),
        };
        Arc::unwrap_or_clone(Frequencies::default().weigh(&newcomer).profile)
    }

    /// What a person is shown must be what decided, so the parts give the probability again, to the last figure that
    /// is kept of them.
    #[test]
    fn the_parts_add_up_to_the_probability() {
        let texts = [
            "The ferry Halcyon ran aground off Port Ellery on Tuesday with 212 passengers, the harbour master said.",
            "All 212 passengers were taken off the Halcyon on Tuesday after the ferry struck a bank at Port Ellery.",
            "Barley closed at 187 crowns.",
        ];
        let mut profiles: Vec<Profile> =
            (0..).zip(texts).map(|(no, text)| profile(no, text, (no < 2).then_some("Agency"))).collect();
        check_parts(&profiles);
        for (profile, vector) in profiles.iter_mut().zip([[1., 0.2], [0.7, 0.6], [0.1, 1.]]) {
            let sentences = Direction::of(&vector).into_iter().collect();
            profile.encoded = Some(Box::new(Encoded { model: 7, sentences }));
        }
        check_parts(&profiles);
    }

    fn check_parts(profiles: &[Profile]) {
        for (a, b) in [(0, 1), (0, 2), (1, 2)] {
            let pair = Pair::of(&profiles[a], &profiles[b]);
            let (earlier, later) = (&profiles[a], &profiles[b]);
            let evidence = pair.evidence(later, earlier);
            let difference = evidence.unbarred().share() - pair.unbarred.share();
            assert!(difference.abs() < 2e-4, "{difference} of {evidence:?}");
            assert!(evidence.parts.cold < LogOdds::default() && evidence.parts.days < LogOdds::default());
            assert_eq!(evidence.parts.same_source < LogOdds::default(), (a, b) == (0, 1));
            assert!(evidence.parts.short < LogOdds::default(), "{evidence:?}");
        }
    }
}
